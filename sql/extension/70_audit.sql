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

-- Sealing and checkpoints.
CREATE FUNCTION steward.seal_audit(OUT org_id uuid, OUT incarnation integer, OUT sealed bigint, OUT size bigint, OUT note text) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'steward_seal_audit' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.seal_audit() IS 'seals what has been recorded into the Merkle logs of the organizations in which the caller is an auditor';
CREATE FUNCTION steward.checkpoint(org uuid DEFAULT steward.default_org()) RETURNS text
    AS 'MODULE_PATHNAME', 'steward_checkpoint' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.checkpoint(uuid) IS 'a signed checkpoint of the log as it was sealed last, to be kept elsewhere';
CREATE FUNCTION steward.verify_checkpoint(checkpoint text, public_key text) RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_verify_checkpoint' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION steward.verify_checkpoint(text, text) IS 'whether the text is a checkpoint that the key has signed; false for anything malformed';
CREATE FUNCTION steward.checkpoint_delivered(checkpoint text, delivered_to text, org uuid DEFAULT steward.default_org(), OUT delivered boolean)
    AS 'MODULE_PATHNAME', 'steward_checkpoint_delivered' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.checkpoint_delivered(text, text, uuid) IS 'records that a checkpoint is kept elsewhere';
CREATE FUNCTION steward.rotate_log_key(org uuid DEFAULT steward.default_org(), OUT rotated boolean)
    AS 'MODULE_PATHNAME', 'steward_rotate_log_key' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.rotate_log_key(uuid) IS 'retires the key that signs the organization''s checkpoints; the next one is signed by a new key';
CREATE FUNCTION steward.log_key(origin text, public_key bytea) RETURNS text
    AS 'MODULE_PATHNAME', 'steward_log_key' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION steward.log_key(text, bytea) IS 'the verification key of a log as text, NAME+HASH+KEY';

-- Proofs.
CREATE FUNCTION steward.inclusion_proof(event text, tree_size numeric DEFAULT NULL, org uuid DEFAULT steward.default_org(),
    OUT origin text, OUT leaf_index numeric, OUT size numeric, OUT leaf_hash bytea, OUT proof bytea[], OUT root bytea)
    AS 'MODULE_PATHNAME', 'steward_inclusion_proof' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.inclusion_proof(text, numeric, uuid) IS 'proof that an event is in its log at that size, for verify_inclusion()';
CREATE FUNCTION steward.consistency_proof(size1 numeric, size2 numeric DEFAULT NULL, org uuid DEFAULT steward.default_org()) RETURNS bytea[]
    AS 'MODULE_PATHNAME', 'steward_consistency_proof' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.consistency_proof(numeric, numeric, uuid) IS 'proof that the log at the first size is a prefix of it at the second, for verify_consistency()';
CREATE FUNCTION steward.tree_root(tree_size numeric DEFAULT NULL, org uuid DEFAULT steward.default_org()) RETURNS bytea
    AS 'MODULE_PATHNAME', 'steward_tree_root_at' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.tree_root(numeric, uuid) IS 'root of the log at that size';
CREATE FUNCTION steward.export_evidence(event text, org uuid DEFAULT steward.default_org()) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'steward_export_evidence' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.export_evidence(text, uuid) IS 'everything that a stranger needs to verify one event';
CREATE FUNCTION steward.verify_audit("full" boolean DEFAULT false, against text DEFAULT NULL, first_leaf numeric DEFAULT 0, org uuid DEFAULT steward.default_org(),
    OUT log text, OUT finding text, OUT leaf bigint, OUT event text, OUT detail text) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'steward_verify_audit' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.verify_audit(boolean, text, numeric, uuid) IS 'compares the logs with what was sealed, signed and, if given, kept elsewhere; names the first difference';

-- Auditing tables outside steward.
CREATE FUNCTION steward.audit_table("table" regclass, left_out text[] DEFAULT '{}', masked text[] DEFAULT '{}', per text DEFAULT 'row',
    org_column text DEFAULT NULL, org uuid DEFAULT steward.default_org(), OUT audited boolean)
    AS 'MODULE_PATHNAME', 'steward_audit_table' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.audit_table(regclass, text[], text[], text, text, uuid) IS 'audits a table of the caller: every change of a row, or every statement, becomes an event';
CREATE FUNCTION steward.unaudit_table("table" regclass, org uuid DEFAULT steward.default_org(), OUT unaudited boolean)
    AS 'MODULE_PATHNAME', 'steward_unaudit_table' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.unaudit_table(regclass, uuid) IS 'ends the auditing of a table of the caller; what was recorded stays';

-- Events of applications.
CREATE FUNCTION steward.record_event(action text, version integer DEFAULT 1, actor jsonb DEFAULT NULL, targets jsonb DEFAULT NULL, context jsonb DEFAULT NULL,
    metadata jsonb DEFAULT NULL, idempotency_key text DEFAULT NULL, occurred_at timestamptz DEFAULT NULL, org uuid DEFAULT steward.default_org(), OUT event text)
    AS 'MODULE_PATHNAME', 'steward_record_event' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.record_event(text, integer, jsonb, jsonb, jsonb, jsonb, text, timestamptz, uuid) IS 'records an event of the application in the caller''s transaction';
CREATE FUNCTION steward.record_events(events jsonb, org uuid DEFAULT steward.default_org(), OUT ordinal integer, OUT event text) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'steward_record_events' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.record_events(jsonb, uuid) IS 'records an array of events of the application, all or none';
CREATE FUNCTION steward.register_action(action text, targets text[] DEFAULT '{}', metadata jsonb DEFAULT '{}', version integer DEFAULT 1,
    org uuid DEFAULT steward.default_org(), OUT registered boolean)
    AS 'MODULE_PATHNAME', 'steward_register_action' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.register_action(text, text[], jsonb, integer, uuid) IS 'registers the shape of an action''s events: types of targets, members of metadata with their types';

-- Reading.
CREATE FUNCTION steward.audit_feed(after text DEFAULT NULL, "limit" integer DEFAULT 1000, org uuid DEFAULT steward.default_org(),
    OUT event text, OUT recorded_at timestamptz, OUT occurred_at timestamptz, OUT action text, OUT version integer, OUT table_name text, OUT row_key jsonb,
    OUT old_values jsonb, OUT new_values jsonb, OUT actor_principal uuid, OUT actor_credential uuid, OUT actor_chain uuid[], OUT session_role text, OUT acting_role text,
    OUT application_name text, OUT client_address inet, OUT claimed_actor jsonb, OUT targets jsonb, OUT context jsonb, OUT metadata jsonb) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'steward_audit_feed' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.audit_feed(text, integer, uuid) IS 'the events after a cursor, in order and without gaps; the column event is the cursor';
CREATE FUNCTION steward.verify_state(org uuid DEFAULT steward.default_org(), OUT table_name text, OUT row_key jsonb, OUT finding text, OUT columns text[]) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'steward_verify_state' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.verify_state(uuid) IS 'rows that are not what their events lead to: changed, removed or added past the triggers';
CREATE FUNCTION steward.activity(principal text, since timestamptz DEFAULT pg_catalog.now() - '30 days'::interval, org uuid DEFAULT steward.default_org(),
    OUT event text, OUT occurred_at timestamptz, OUT role text, OUT action text, OUT table_name text, OUT row_key jsonb, OUT new_values jsonb, OUT metadata jsonb,
    OUT session_role text, OUT application_name text, OUT client_address inet) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'steward_activity' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.activity(text, timestamptz, uuid) IS 'what somebody did, as far as it is proven';
CREATE FUNCTION steward.activity(principal uuid, since timestamptz DEFAULT pg_catalog.now() - '30 days'::interval, org uuid DEFAULT steward.default_org(),
    OUT event text, OUT occurred_at timestamptz, OUT role text, OUT action text, OUT table_name text, OUT row_key jsonb, OUT new_values jsonb, OUT metadata jsonb,
    OUT session_role text, OUT application_name text, OUT client_address inet) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'steward_activity' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.activity(uuid, timestamptz, uuid) IS 'what somebody did, as far as it is proven';
CREATE FUNCTION steward.audit_target(table_name text, row_key jsonb) RETURNS bigint
    AS 'MODULE_PATHNAME', 'steward_audit_target' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION steward.audit_target(text, jsonb) IS 'hash of a table''s name and a row''s key: the column target of the view audit, over which there is an index';
CREATE FUNCTION steward.csv_cell(value text) RETURNS text
    AS 'MODULE_PATHNAME', 'steward_csv_cell' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION steward.csv_cell(text) IS 'a cell of CSV, quoted, in which no spreadsheet sees a formula';
CREATE FUNCTION steward.audited_org(org uuid) RETURNS uuid
    AS 'MODULE_PATHNAME', 'steward_audited_org' LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION steward.audited_org(uuid) IS 'the organization itself, where the caller is an auditor of it; raises otherwise';
