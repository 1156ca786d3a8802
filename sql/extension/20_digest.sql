-- digest: 32 bytes that stand for a secret; compared in constant time.

CREATE TYPE steward.digest;

CREATE FUNCTION steward.digest_in(cstring) RETURNS steward.digest
    AS 'MODULE_PATHNAME', 'steward_digest_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION steward.digest_out(steward.digest) RETURNS cstring
    AS 'MODULE_PATHNAME', 'steward_digest_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION steward.digest_recv(internal) RETURNS steward.digest
    AS 'MODULE_PATHNAME', 'steward_digest_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION steward.digest_send(steward.digest) RETURNS bytea
    AS 'MODULE_PATHNAME', 'steward_digest_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE TYPE steward.digest (
    INPUT = steward.digest_in, OUTPUT = steward.digest_out, RECEIVE = steward.digest_recv, SEND = steward.digest_send,
    INTERNALLENGTH = 32, ALIGNMENT = char, STORAGE = plain
);
COMMENT ON TYPE steward.digest IS '32 bytes that stand for a secret; hexadecimal in and out, compared in constant time';
COMMENT ON FUNCTION steward.digest_in(cstring) IS 'input of digest: 64 hexadecimal digits';
COMMENT ON FUNCTION steward.digest_out(steward.digest) IS 'output of digest: 64 hexadecimal digits';
COMMENT ON FUNCTION steward.digest_recv(internal) IS 'binary input of digest: 32 bytes';
COMMENT ON FUNCTION steward.digest_send(steward.digest) IS 'binary output of digest: 32 bytes';

CREATE FUNCTION steward.digest_eq(steward.digest, steward.digest) RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_digest_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION steward.digest_ne(steward.digest, steward.digest) RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_digest_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION steward.digest_lt(steward.digest, steward.digest) RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_digest_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION steward.digest_le(steward.digest, steward.digest) RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_digest_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION steward.digest_gt(steward.digest, steward.digest) RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_digest_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION steward.digest_ge(steward.digest, steward.digest) RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_digest_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION steward.digest_cmp(steward.digest, steward.digest) RETURNS integer
    AS 'MODULE_PATHNAME', 'steward_digest_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION steward.digest_hash(steward.digest) RETURNS integer
    AS 'MODULE_PATHNAME', 'steward_digest_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION steward.digest_hash_extended(steward.digest, bigint) RETURNS bigint
    AS 'MODULE_PATHNAME', 'steward_digest_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION steward.digest_eq(steward.digest, steward.digest) IS 'implementation of =';
COMMENT ON FUNCTION steward.digest_ne(steward.digest, steward.digest) IS 'implementation of <>';
COMMENT ON FUNCTION steward.digest_lt(steward.digest, steward.digest) IS 'implementation of <';
COMMENT ON FUNCTION steward.digest_le(steward.digest, steward.digest) IS 'implementation of <=';
COMMENT ON FUNCTION steward.digest_gt(steward.digest, steward.digest) IS 'implementation of >';
COMMENT ON FUNCTION steward.digest_ge(steward.digest, steward.digest) IS 'implementation of >=';
COMMENT ON FUNCTION steward.digest_cmp(steward.digest, steward.digest) IS 'less than, equal or greater, for btree indexes';
COMMENT ON FUNCTION steward.digest_hash(steward.digest) IS 'hash of a digest';
COMMENT ON FUNCTION steward.digest_hash_extended(steward.digest, bigint) IS 'seeded hash of a digest';

CREATE OPERATOR steward.= (LEFTARG = steward.digest, RIGHTARG = steward.digest, FUNCTION = steward.digest_eq,
    COMMUTATOR = OPERATOR(steward.=), NEGATOR = OPERATOR(steward.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES);
CREATE OPERATOR steward.<> (LEFTARG = steward.digest, RIGHTARG = steward.digest, FUNCTION = steward.digest_ne,
    COMMUTATOR = OPERATOR(steward.<>), NEGATOR = OPERATOR(steward.=), RESTRICT = neqsel, JOIN = neqjoinsel);
CREATE OPERATOR steward.< (LEFTARG = steward.digest, RIGHTARG = steward.digest, FUNCTION = steward.digest_lt,
    COMMUTATOR = OPERATOR(steward.>), NEGATOR = OPERATOR(steward.>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
CREATE OPERATOR steward.<= (LEFTARG = steward.digest, RIGHTARG = steward.digest, FUNCTION = steward.digest_le,
    COMMUTATOR = OPERATOR(steward.>=), NEGATOR = OPERATOR(steward.>), RESTRICT = scalarlesel, JOIN = scalarlejoinsel);
CREATE OPERATOR steward.> (LEFTARG = steward.digest, RIGHTARG = steward.digest, FUNCTION = steward.digest_gt,
    COMMUTATOR = OPERATOR(steward.<), NEGATOR = OPERATOR(steward.<=), RESTRICT = scalargtsel, JOIN = scalargtjoinsel);
CREATE OPERATOR steward.>= (LEFTARG = steward.digest, RIGHTARG = steward.digest, FUNCTION = steward.digest_ge,
    COMMUTATOR = OPERATOR(steward.<=), NEGATOR = OPERATOR(steward.<), RESTRICT = scalargesel, JOIN = scalargejoinsel);
COMMENT ON OPERATOR steward.= (steward.digest, steward.digest) IS 'equal';
COMMENT ON OPERATOR steward.<> (steward.digest, steward.digest) IS 'not equal';
COMMENT ON OPERATOR steward.< (steward.digest, steward.digest) IS 'less than';
COMMENT ON OPERATOR steward.<= (steward.digest, steward.digest) IS 'less than or equal';
COMMENT ON OPERATOR steward.> (steward.digest, steward.digest) IS 'greater than';
COMMENT ON OPERATOR steward.>= (steward.digest, steward.digest) IS 'greater than or equal';

CREATE OPERATOR CLASS steward.digest_ops DEFAULT FOR TYPE steward.digest USING btree AS
    OPERATOR 1 steward.<, OPERATOR 2 steward.<=, OPERATOR 3 steward.=, OPERATOR 4 steward.>=, OPERATOR 5 steward.>,
    FUNCTION 1 steward.digest_cmp(steward.digest, steward.digest);
CREATE OPERATOR CLASS steward.digest_hash_ops DEFAULT FOR TYPE steward.digest USING hash AS
    OPERATOR 1 steward.=,
    FUNCTION 1 steward.digest_hash(steward.digest),
    FUNCTION 2 steward.digest_hash_extended(steward.digest, bigint);
COMMENT ON OPERATOR CLASS steward.digest_ops USING btree IS 'order of digests';
COMMENT ON OPERATOR CLASS steward.digest_hash_ops USING hash IS 'hash of digests';
