-- The audit log: capture, application events, sealing, proofs.

-- Merkle trees, RFC 6962 and RFC 9162.
CREATE FUNCTION steward.merkle_leaf_hash(data bytea) RETURNS bytea
    AS 'MODULE_PATHNAME', 'steward_merkle_leaf_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION steward.merkle_leaf_hash(bytea) IS 'hash of a leaf of a Merkle tree: SHA-256(0x00 || data)';
CREATE FUNCTION steward.merkle_node_hash("left" bytea, "right" bytea) RETURNS bytea
    AS 'MODULE_PATHNAME', 'steward_merkle_node_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION steward.merkle_node_hash(bytea, bytea) IS 'hash of a node of a Merkle tree: SHA-256(0x01 || left || right)';
CREATE FUNCTION steward.merkle_root(entries bytea[]) RETURNS bytea
    AS 'MODULE_PATHNAME', 'steward_merkle_root' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION steward.merkle_root(bytea[]) IS 'root of the Merkle tree over those entries (the contents of its leaves)';
CREATE FUNCTION steward.verify_inclusion(leaf_index numeric, tree_size numeric, leaf_hash bytea, proof bytea[], root bytea) RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_merkle_verify_inclusion' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION steward.verify_inclusion(numeric, numeric, bytea, bytea[], bytea) IS 'whether the proof shows that the leaf is at that index in the tree of that size and root; false for anything malformed';
CREATE FUNCTION steward.verify_consistency(size1 numeric, size2 numeric, proof bytea[], root1 bytea, root2 bytea) RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_merkle_verify_consistency' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION steward.verify_consistency(numeric, numeric, bytea[], bytea, bytea) IS 'whether the proof shows that the first tree is a prefix of the second; false for anything malformed';

-- Triggers on audited tables outside steward; those of its own are with the core.
CREATE FUNCTION steward.tg_audit_statement() RETURNS trigger
    AS 'MODULE_PATHNAME', 'steward_tg_audit_statement' LANGUAGE C;
COMMENT ON FUNCTION steward.tg_audit_statement() IS 'writes an audit event for each statement';
CREATE FUNCTION steward.tg_audit_truncate() RETURNS trigger
    AS 'MODULE_PATHNAME', 'steward_tg_audit_truncate' LANGUAGE C;
COMMENT ON FUNCTION steward.tg_audit_truncate() IS 'writes an audit event for TRUNCATE';
