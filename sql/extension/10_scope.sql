-- scope and scope_set: what somebody may do, and sets of it.  Bytes are compared, so no collation is involved; what
-- cannot raise on a valid value is LEAKPROOF, so that row-level security lets it use an index.

CREATE TYPE steward.scope;
CREATE TYPE steward.scope_set;

CREATE FUNCTION steward.scope_in(cstring) RETURNS steward.scope
    AS 'MODULE_PATHNAME', 'steward_scope_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION steward.scope_out(steward.scope) RETURNS cstring
    AS 'MODULE_PATHNAME', 'steward_scope_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION steward.scope_recv(internal) RETURNS steward.scope
    AS 'MODULE_PATHNAME', 'steward_scope_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION steward.scope_send(steward.scope) RETURNS bytea
    AS 'MODULE_PATHNAME', 'steward_scope_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE TYPE steward.scope (
    INPUT = steward.scope_in, OUTPUT = steward.scope_out, RECEIVE = steward.scope_recv, SEND = steward.scope_send,
    INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = main
);
CREATE FUNCTION steward.scope_set_in(cstring) RETURNS steward.scope_set
    AS 'MODULE_PATHNAME', 'steward_scope_set_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION steward.scope_set_out(steward.scope_set) RETURNS cstring
    AS 'MODULE_PATHNAME', 'steward_scope_set_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION steward.scope_set_recv(internal) RETURNS steward.scope_set
    AS 'MODULE_PATHNAME', 'steward_scope_set_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION steward.scope_set_send(steward.scope_set) RETURNS bytea
    AS 'MODULE_PATHNAME', 'steward_scope_set_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION steward.scope_set_typanalyze(internal) RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_scope_set_typanalyze' LANGUAGE C STABLE STRICT PARALLEL SAFE;
CREATE TYPE steward.scope_set (
    INPUT = steward.scope_set_in, OUTPUT = steward.scope_set_out, RECEIVE = steward.scope_set_recv, SEND = steward.scope_set_send,
    ANALYZE = steward.scope_set_typanalyze, INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
COMMENT ON TYPE steward.scope IS 'what somebody may do: a scope token of RFC 6749 whose segments, between : or /, may be the wildcard *';
COMMENT ON TYPE steward.scope_set IS 'a set of scopes, none of which covers another; its text is the scope string of OAuth 2.0';
COMMENT ON FUNCTION steward.scope_in(cstring) IS 'input of scope: one scope token';
COMMENT ON FUNCTION steward.scope_out(steward.scope) IS 'output of scope: one scope token';
COMMENT ON FUNCTION steward.scope_recv(internal) IS 'binary input of scope: a version, then the text';
COMMENT ON FUNCTION steward.scope_send(steward.scope) IS 'binary output of scope: a version, then the text';
COMMENT ON FUNCTION steward.scope_set_in(cstring) IS 'input of scope_set: scopes with spaces between them';
COMMENT ON FUNCTION steward.scope_set_out(steward.scope_set) IS 'output of scope_set: scopes with spaces between them';
COMMENT ON FUNCTION steward.scope_set_recv(internal) IS 'binary input of scope_set: a version, a zero, the number of members, then each with its length';
COMMENT ON FUNCTION steward.scope_set_typanalyze(internal) IS 'what ANALYZE computes for a scope_set';
COMMENT ON FUNCTION steward.scope_set_send(steward.scope_set) IS 'binary output of scope_set: a version, a zero, the number of members, then each with its length';

-- Casts.
CREATE FUNCTION steward.scope(text) RETURNS steward.scope
    AS 'MODULE_PATHNAME', 'steward_scope_from_text' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION steward.scope_set(steward.scope) RETURNS steward.scope_set
    AS 'MODULE_PATHNAME', 'steward_scope_set_from_scope' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION steward.scope_set(text) RETURNS steward.scope_set
    AS 'MODULE_PATHNAME', 'steward_scope_set_from_text' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION steward.scope_set(text[]) RETURNS steward.scope_set
    AS 'MODULE_PATHNAME', 'steward_scope_set_from_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION steward.text(steward.scope_set) RETURNS text
    AS 'MODULE_PATHNAME', 'steward_scope_set_to_text' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION steward.text_array(steward.scope_set) RETURNS text[]
    AS 'MODULE_PATHNAME', 'steward_scope_set_to_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION steward.scope(text) IS 'the scope that a text spells';
COMMENT ON FUNCTION steward.scope_set(steward.scope) IS 'the set with this one member';
COMMENT ON FUNCTION steward.scope_set(text) IS 'the set that a text spells: scopes with spaces between them';
COMMENT ON FUNCTION steward.scope_set(text[]) IS 'the set of these scopes';
COMMENT ON FUNCTION steward.text(steward.scope_set) IS 'the members with spaces between them';
COMMENT ON FUNCTION steward.text_array(steward.scope_set) IS 'the members as an array, in order';

CREATE CAST (text AS steward.scope) WITH FUNCTION steward.scope(text) AS ASSIGNMENT;
CREATE CAST (steward.scope AS text) WITHOUT FUNCTION AS ASSIGNMENT;
CREATE CAST (steward.scope AS steward.scope_set) WITH FUNCTION steward.scope_set(steward.scope) AS IMPLICIT;
CREATE CAST (text AS steward.scope_set) WITH FUNCTION steward.scope_set(text) AS ASSIGNMENT;
CREATE CAST (steward.scope_set AS text) WITH FUNCTION steward.text(steward.scope_set) AS ASSIGNMENT;
CREATE CAST (text[] AS steward.scope_set) WITH FUNCTION steward.scope_set(text[]) AS ASSIGNMENT;
CREATE CAST (steward.scope_set AS text[]) WITH FUNCTION steward.text_array(steward.scope_set) AS ASSIGNMENT;
COMMENT ON CAST (text AS steward.scope) IS 'the scope that a text spells';
COMMENT ON CAST (steward.scope AS text) IS 'the text of a scope';
COMMENT ON CAST (steward.scope AS steward.scope_set) IS 'the set with this one member';
COMMENT ON CAST (text AS steward.scope_set) IS 'the set that a text spells';
COMMENT ON CAST (steward.scope_set AS text) IS 'the members with spaces between them';
COMMENT ON CAST (text[] AS steward.scope_set) IS 'the set of these scopes';
COMMENT ON CAST (steward.scope_set AS text[]) IS 'the members as an array, in order';

-- Functions.
CREATE FUNCTION steward.scope_covers(pattern steward.scope, scope steward.scope) RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_scope_covers_scope' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION steward.segments(steward.scope) RETURNS text[]
    AS 'MODULE_PATHNAME', 'steward_scope_segments' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION steward.scope_widen(permission text) RETURNS steward.scope
    AS 'MODULE_PATHNAME', 'steward_scope_widen_text' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION steward.cardinality(steward.scope_set) RETURNS integer
    AS 'MODULE_PATHNAME', 'steward_scope_set_count' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION steward.scope_covers(steward.scope, steward.scope) IS 'whether the pattern matches everything that the scope matches';
COMMENT ON FUNCTION steward.segments(steward.scope) IS 'what lies between the separators of a scope, from the left';
COMMENT ON FUNCTION steward.scope_widen(text) IS 'the smallest scope that covers a permission as another system writes it: s3:Get* gives s3:*';
COMMENT ON FUNCTION steward.cardinality(steward.scope_set) IS 'how many members a set has';
CREATE FUNCTION steward.uncovered(scopes steward.scope_set, "by" steward.scope_set) RETURNS steward.scope_set
    AS 'MODULE_PATHNAME', 'steward_scope_set_uncovered_by' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION steward.scope_set_unnest_support(internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'steward_scope_set_unnest_support' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION steward.unnest(steward.scope_set) RETURNS SETOF steward.scope
    AS 'MODULE_PATHNAME', 'steward_scope_set_unnest' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 10 SUPPORT steward.scope_set_unnest_support;
COMMENT ON FUNCTION steward.uncovered(steward.scope_set, steward.scope_set) IS 'the members that no member of the other set covers';
COMMENT ON FUNCTION steward.scope_set_unnest_support(internal) IS 'planner support of unnest(scope_set)';
COMMENT ON FUNCTION steward.unnest(steward.scope_set) IS 'the members of a set, in order';

-- What the planner expects of the operators.
CREATE FUNCTION steward.scope_covers_sel(internal, oid, internal, integer) RETURNS double precision
    AS 'MODULE_PATHNAME', 'steward_scope_covers_sel' LANGUAGE C STABLE STRICT PARALLEL SAFE;
CREATE FUNCTION steward.scope_covers_join_sel(internal, oid, internal, smallint, internal) RETURNS double precision
    AS 'MODULE_PATHNAME', 'steward_scope_covers_join_sel' LANGUAGE C STABLE STRICT PARALLEL SAFE;
CREATE FUNCTION steward.scope_covered_sel(internal, oid, internal, integer) RETURNS double precision
    AS 'MODULE_PATHNAME', 'steward_scope_covered_sel' LANGUAGE C STABLE STRICT PARALLEL SAFE;
CREATE FUNCTION steward.scope_covered_join_sel(internal, oid, internal, smallint, internal) RETURNS double precision
    AS 'MODULE_PATHNAME', 'steward_scope_covered_join_sel' LANGUAGE C STABLE STRICT PARALLEL SAFE;
CREATE FUNCTION steward.scope_overlaps_sel(internal, oid, internal, integer) RETURNS double precision
    AS 'MODULE_PATHNAME', 'steward_scope_overlaps_sel' LANGUAGE C STABLE STRICT PARALLEL SAFE;
CREATE FUNCTION steward.scope_overlaps_join_sel(internal, oid, internal, smallint, internal) RETURNS double precision
    AS 'MODULE_PATHNAME', 'steward_scope_overlaps_join_sel' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION steward.scope_covers_sel(internal, oid, internal, integer) IS 'restriction selectivity of @>';
COMMENT ON FUNCTION steward.scope_covers_join_sel(internal, oid, internal, smallint, internal) IS 'join selectivity of @>';
COMMENT ON FUNCTION steward.scope_covered_sel(internal, oid, internal, integer) IS 'restriction selectivity of <@';
COMMENT ON FUNCTION steward.scope_covered_join_sel(internal, oid, internal, smallint, internal) IS 'join selectivity of <@';
COMMENT ON FUNCTION steward.scope_overlaps_sel(internal, oid, internal, integer) IS 'restriction selectivity of &&';
COMMENT ON FUNCTION steward.scope_overlaps_join_sel(internal, oid, internal, smallint, internal) IS 'join selectivity of &&';

-- Operators that compare what is matched.
CREATE FUNCTION steward.scope_covered_by(steward.scope, steward.scope) RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_scope_covered_by_scope' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION steward.scope_overlaps(steward.scope, steward.scope) RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_scope_overlaps_scope' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION steward.scope_set_covers(steward.scope_set, steward.scope_set) RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_scope_set_covers_set' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION steward.scope_set_covers(steward.scope_set, steward.scope) RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_scope_set_covers_scope' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION steward.scope_set_covers(steward.scope, steward.scope_set) RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_scope_covers_set' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION steward.scope_set_covered_by(steward.scope_set, steward.scope_set) RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_scope_set_covered_by_set' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION steward.scope_set_covered_by(steward.scope_set, steward.scope) RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_scope_set_covered_by_scope' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION steward.scope_set_covered_by(steward.scope, steward.scope_set) RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_scope_covered_by_set' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION steward.scope_set_overlaps(steward.scope_set, steward.scope_set) RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_scope_set_overlaps_set' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION steward.scope_set_overlaps(steward.scope_set, steward.scope) RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_scope_set_overlaps_scope' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION steward.scope_set_overlaps(steward.scope, steward.scope_set) RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_scope_overlaps_set' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION steward.scope_covered_by(steward.scope, steward.scope) IS 'implementation of <@';
COMMENT ON FUNCTION steward.scope_overlaps(steward.scope, steward.scope) IS 'implementation of &&';
COMMENT ON FUNCTION steward.scope_set_covers(steward.scope_set, steward.scope_set) IS 'implementation of @>';
COMMENT ON FUNCTION steward.scope_set_covers(steward.scope_set, steward.scope) IS 'implementation of @>';
COMMENT ON FUNCTION steward.scope_set_covers(steward.scope, steward.scope_set) IS 'implementation of @>';
COMMENT ON FUNCTION steward.scope_set_covered_by(steward.scope_set, steward.scope_set) IS 'implementation of <@';
COMMENT ON FUNCTION steward.scope_set_covered_by(steward.scope_set, steward.scope) IS 'implementation of <@';
COMMENT ON FUNCTION steward.scope_set_covered_by(steward.scope, steward.scope_set) IS 'implementation of <@';
COMMENT ON FUNCTION steward.scope_set_overlaps(steward.scope_set, steward.scope_set) IS 'implementation of &&';
COMMENT ON FUNCTION steward.scope_set_overlaps(steward.scope_set, steward.scope) IS 'implementation of &&';
COMMENT ON FUNCTION steward.scope_set_overlaps(steward.scope, steward.scope_set) IS 'implementation of &&';

CREATE OPERATOR steward.@> (LEFTARG = steward.scope, RIGHTARG = steward.scope, FUNCTION = steward.scope_covers,
    COMMUTATOR = OPERATOR(steward.<@), RESTRICT = steward.scope_covers_sel, JOIN = steward.scope_covers_join_sel);
CREATE OPERATOR steward.<@ (LEFTARG = steward.scope, RIGHTARG = steward.scope, FUNCTION = steward.scope_covered_by,
    COMMUTATOR = OPERATOR(steward.@>), RESTRICT = steward.scope_covered_sel, JOIN = steward.scope_covered_join_sel);
CREATE OPERATOR steward.&& (LEFTARG = steward.scope, RIGHTARG = steward.scope, FUNCTION = steward.scope_overlaps,
    COMMUTATOR = OPERATOR(steward.&&), RESTRICT = steward.scope_overlaps_sel, JOIN = steward.scope_overlaps_join_sel);
CREATE OPERATOR steward.@> (LEFTARG = steward.scope_set, RIGHTARG = steward.scope_set, FUNCTION = steward.scope_set_covers,
    COMMUTATOR = OPERATOR(steward.<@), RESTRICT = steward.scope_covers_sel, JOIN = steward.scope_covers_join_sel);
CREATE OPERATOR steward.<@ (LEFTARG = steward.scope_set, RIGHTARG = steward.scope_set, FUNCTION = steward.scope_set_covered_by,
    COMMUTATOR = OPERATOR(steward.@>), RESTRICT = steward.scope_covered_sel, JOIN = steward.scope_covered_join_sel);
CREATE OPERATOR steward.&& (LEFTARG = steward.scope_set, RIGHTARG = steward.scope_set, FUNCTION = steward.scope_set_overlaps,
    COMMUTATOR = OPERATOR(steward.&&), RESTRICT = steward.scope_overlaps_sel, JOIN = steward.scope_overlaps_join_sel);
CREATE OPERATOR steward.@> (LEFTARG = steward.scope_set, RIGHTARG = steward.scope, FUNCTION = steward.scope_set_covers,
    COMMUTATOR = OPERATOR(steward.<@), RESTRICT = steward.scope_covers_sel, JOIN = steward.scope_covers_join_sel);
CREATE OPERATOR steward.<@ (LEFTARG = steward.scope_set, RIGHTARG = steward.scope, FUNCTION = steward.scope_set_covered_by,
    COMMUTATOR = OPERATOR(steward.@>), RESTRICT = steward.scope_covered_sel, JOIN = steward.scope_covered_join_sel);
CREATE OPERATOR steward.&& (LEFTARG = steward.scope_set, RIGHTARG = steward.scope, FUNCTION = steward.scope_set_overlaps,
    COMMUTATOR = OPERATOR(steward.&&), RESTRICT = steward.scope_overlaps_sel, JOIN = steward.scope_overlaps_join_sel);
CREATE OPERATOR steward.@> (LEFTARG = steward.scope, RIGHTARG = steward.scope_set, FUNCTION = steward.scope_set_covers,
    COMMUTATOR = OPERATOR(steward.<@), RESTRICT = steward.scope_covers_sel, JOIN = steward.scope_covers_join_sel);
CREATE OPERATOR steward.<@ (LEFTARG = steward.scope, RIGHTARG = steward.scope_set, FUNCTION = steward.scope_set_covered_by,
    COMMUTATOR = OPERATOR(steward.@>), RESTRICT = steward.scope_covered_sel, JOIN = steward.scope_covered_join_sel);
CREATE OPERATOR steward.&& (LEFTARG = steward.scope, RIGHTARG = steward.scope_set, FUNCTION = steward.scope_set_overlaps,
    COMMUTATOR = OPERATOR(steward.&&), RESTRICT = steward.scope_overlaps_sel, JOIN = steward.scope_overlaps_join_sel);
COMMENT ON OPERATOR steward.@> (steward.scope, steward.scope) IS 'covers';
COMMENT ON OPERATOR steward.<@ (steward.scope, steward.scope) IS 'is covered by';
COMMENT ON OPERATOR steward.&& (steward.scope, steward.scope) IS 'has something in common with';
COMMENT ON OPERATOR steward.@> (steward.scope_set, steward.scope_set) IS 'covers';
COMMENT ON OPERATOR steward.<@ (steward.scope_set, steward.scope_set) IS 'is covered by';
COMMENT ON OPERATOR steward.&& (steward.scope_set, steward.scope_set) IS 'has something in common with';
COMMENT ON OPERATOR steward.@> (steward.scope_set, steward.scope) IS 'covers';
COMMENT ON OPERATOR steward.<@ (steward.scope_set, steward.scope) IS 'is covered by';
COMMENT ON OPERATOR steward.&& (steward.scope_set, steward.scope) IS 'has something in common with';
COMMENT ON OPERATOR steward.@> (steward.scope, steward.scope_set) IS 'covers';
COMMENT ON OPERATOR steward.<@ (steward.scope, steward.scope_set) IS 'is covered by';
COMMENT ON OPERATOR steward.&& (steward.scope, steward.scope_set) IS 'has something in common with';

-- Order and hash.
CREATE FUNCTION steward.scope_eq(steward.scope, steward.scope) RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_scope_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION steward.scope_ne(steward.scope, steward.scope) RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_scope_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION steward.scope_lt(steward.scope, steward.scope) RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_scope_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION steward.scope_le(steward.scope, steward.scope) RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_scope_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION steward.scope_gt(steward.scope, steward.scope) RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_scope_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION steward.scope_ge(steward.scope, steward.scope) RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_scope_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION steward.scope_cmp(steward.scope, steward.scope) RETURNS integer
    AS 'MODULE_PATHNAME', 'steward_scope_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION steward.scope_hash(steward.scope) RETURNS integer
    AS 'MODULE_PATHNAME', 'steward_scope_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION steward.scope_hash_extended(steward.scope, bigint) RETURNS bigint
    AS 'MODULE_PATHNAME', 'steward_scope_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION steward.scope_eq(steward.scope, steward.scope) IS 'implementation of =';
COMMENT ON FUNCTION steward.scope_ne(steward.scope, steward.scope) IS 'implementation of <>';
COMMENT ON FUNCTION steward.scope_lt(steward.scope, steward.scope) IS 'implementation of <';
COMMENT ON FUNCTION steward.scope_le(steward.scope, steward.scope) IS 'implementation of <=';
COMMENT ON FUNCTION steward.scope_gt(steward.scope, steward.scope) IS 'implementation of >';
COMMENT ON FUNCTION steward.scope_ge(steward.scope, steward.scope) IS 'implementation of >=';
COMMENT ON FUNCTION steward.scope_cmp(steward.scope, steward.scope) IS 'less than, equal or greater, for btree indexes';
COMMENT ON FUNCTION steward.scope_hash(steward.scope) IS 'hash of a scope';
COMMENT ON FUNCTION steward.scope_hash_extended(steward.scope, bigint) IS 'seeded hash of a scope';

CREATE OPERATOR steward.= (LEFTARG = steward.scope, RIGHTARG = steward.scope, FUNCTION = steward.scope_eq,
    COMMUTATOR = OPERATOR(steward.=), NEGATOR = OPERATOR(steward.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES);
CREATE OPERATOR steward.<> (LEFTARG = steward.scope, RIGHTARG = steward.scope, FUNCTION = steward.scope_ne,
    COMMUTATOR = OPERATOR(steward.<>), NEGATOR = OPERATOR(steward.=), RESTRICT = neqsel, JOIN = neqjoinsel);
CREATE OPERATOR steward.< (LEFTARG = steward.scope, RIGHTARG = steward.scope, FUNCTION = steward.scope_lt,
    COMMUTATOR = OPERATOR(steward.>), NEGATOR = OPERATOR(steward.>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
CREATE OPERATOR steward.<= (LEFTARG = steward.scope, RIGHTARG = steward.scope, FUNCTION = steward.scope_le,
    COMMUTATOR = OPERATOR(steward.>=), NEGATOR = OPERATOR(steward.>), RESTRICT = scalarlesel, JOIN = scalarlejoinsel);
CREATE OPERATOR steward.> (LEFTARG = steward.scope, RIGHTARG = steward.scope, FUNCTION = steward.scope_gt,
    COMMUTATOR = OPERATOR(steward.<), NEGATOR = OPERATOR(steward.<=), RESTRICT = scalargtsel, JOIN = scalargtjoinsel);
CREATE OPERATOR steward.>= (LEFTARG = steward.scope, RIGHTARG = steward.scope, FUNCTION = steward.scope_ge,
    COMMUTATOR = OPERATOR(steward.<=), NEGATOR = OPERATOR(steward.<), RESTRICT = scalargesel, JOIN = scalargejoinsel);
COMMENT ON OPERATOR steward.= (steward.scope, steward.scope) IS 'equal';
COMMENT ON OPERATOR steward.<> (steward.scope, steward.scope) IS 'not equal';
COMMENT ON OPERATOR steward.< (steward.scope, steward.scope) IS 'less than';
COMMENT ON OPERATOR steward.<= (steward.scope, steward.scope) IS 'less than or equal';
COMMENT ON OPERATOR steward.> (steward.scope, steward.scope) IS 'greater than';
COMMENT ON OPERATOR steward.>= (steward.scope, steward.scope) IS 'greater than or equal';

CREATE OPERATOR CLASS steward.scope_btree_ops DEFAULT FOR TYPE steward.scope USING btree AS
    OPERATOR 1 steward.<, OPERATOR 2 steward.<=, OPERATOR 3 steward.=, OPERATOR 4 steward.>=, OPERATOR 5 steward.>,
    FUNCTION 1 steward.scope_cmp(steward.scope, steward.scope);
CREATE OPERATOR CLASS steward.scope_hash_ops DEFAULT FOR TYPE steward.scope USING hash AS
    OPERATOR 1 steward.=,
    FUNCTION 1 steward.scope_hash(steward.scope),
    FUNCTION 2 steward.scope_hash_extended(steward.scope, bigint);
COMMENT ON OPERATOR CLASS steward.scope_btree_ops USING btree IS 'order of scopes';
COMMENT ON OPERATOR CLASS steward.scope_hash_ops USING hash IS 'hash of scopes';

CREATE FUNCTION steward.scope_set_eq(steward.scope_set, steward.scope_set) RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_scope_set_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION steward.scope_set_ne(steward.scope_set, steward.scope_set) RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_scope_set_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION steward.scope_set_lt(steward.scope_set, steward.scope_set) RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_scope_set_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION steward.scope_set_le(steward.scope_set, steward.scope_set) RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_scope_set_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION steward.scope_set_gt(steward.scope_set, steward.scope_set) RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_scope_set_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION steward.scope_set_ge(steward.scope_set, steward.scope_set) RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_scope_set_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION steward.scope_set_cmp(steward.scope_set, steward.scope_set) RETURNS integer
    AS 'MODULE_PATHNAME', 'steward_scope_set_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION steward.scope_set_hash(steward.scope_set) RETURNS integer
    AS 'MODULE_PATHNAME', 'steward_scope_set_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION steward.scope_set_hash_extended(steward.scope_set, bigint) RETURNS bigint
    AS 'MODULE_PATHNAME', 'steward_scope_set_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION steward.scope_set_eq(steward.scope_set, steward.scope_set) IS 'implementation of =';
COMMENT ON FUNCTION steward.scope_set_ne(steward.scope_set, steward.scope_set) IS 'implementation of <>';
COMMENT ON FUNCTION steward.scope_set_lt(steward.scope_set, steward.scope_set) IS 'implementation of <';
COMMENT ON FUNCTION steward.scope_set_le(steward.scope_set, steward.scope_set) IS 'implementation of <=';
COMMENT ON FUNCTION steward.scope_set_gt(steward.scope_set, steward.scope_set) IS 'implementation of >';
COMMENT ON FUNCTION steward.scope_set_ge(steward.scope_set, steward.scope_set) IS 'implementation of >=';
COMMENT ON FUNCTION steward.scope_set_cmp(steward.scope_set, steward.scope_set) IS 'less than, equal or greater, for btree indexes';
COMMENT ON FUNCTION steward.scope_set_hash(steward.scope_set) IS 'hash of a scope_set';
COMMENT ON FUNCTION steward.scope_set_hash_extended(steward.scope_set, bigint) IS 'seeded hash of a scope_set';

CREATE OPERATOR steward.= (LEFTARG = steward.scope_set, RIGHTARG = steward.scope_set, FUNCTION = steward.scope_set_eq,
    COMMUTATOR = OPERATOR(steward.=), NEGATOR = OPERATOR(steward.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES);
CREATE OPERATOR steward.<> (LEFTARG = steward.scope_set, RIGHTARG = steward.scope_set, FUNCTION = steward.scope_set_ne,
    COMMUTATOR = OPERATOR(steward.<>), NEGATOR = OPERATOR(steward.=), RESTRICT = neqsel, JOIN = neqjoinsel);
CREATE OPERATOR steward.< (LEFTARG = steward.scope_set, RIGHTARG = steward.scope_set, FUNCTION = steward.scope_set_lt,
    COMMUTATOR = OPERATOR(steward.>), NEGATOR = OPERATOR(steward.>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
CREATE OPERATOR steward.<= (LEFTARG = steward.scope_set, RIGHTARG = steward.scope_set, FUNCTION = steward.scope_set_le,
    COMMUTATOR = OPERATOR(steward.>=), NEGATOR = OPERATOR(steward.>), RESTRICT = scalarlesel, JOIN = scalarlejoinsel);
CREATE OPERATOR steward.> (LEFTARG = steward.scope_set, RIGHTARG = steward.scope_set, FUNCTION = steward.scope_set_gt,
    COMMUTATOR = OPERATOR(steward.<), NEGATOR = OPERATOR(steward.<=), RESTRICT = scalargtsel, JOIN = scalargtjoinsel);
CREATE OPERATOR steward.>= (LEFTARG = steward.scope_set, RIGHTARG = steward.scope_set, FUNCTION = steward.scope_set_ge,
    COMMUTATOR = OPERATOR(steward.<=), NEGATOR = OPERATOR(steward.<), RESTRICT = scalargesel, JOIN = scalargejoinsel);
COMMENT ON OPERATOR steward.= (steward.scope_set, steward.scope_set) IS 'equal';
COMMENT ON OPERATOR steward.<> (steward.scope_set, steward.scope_set) IS 'not equal';
COMMENT ON OPERATOR steward.< (steward.scope_set, steward.scope_set) IS 'less than';
COMMENT ON OPERATOR steward.<= (steward.scope_set, steward.scope_set) IS 'less than or equal';
COMMENT ON OPERATOR steward.> (steward.scope_set, steward.scope_set) IS 'greater than';
COMMENT ON OPERATOR steward.>= (steward.scope_set, steward.scope_set) IS 'greater than or equal';

CREATE OPERATOR CLASS steward.scope_set_btree_ops DEFAULT FOR TYPE steward.scope_set USING btree AS
    OPERATOR 1 steward.<, OPERATOR 2 steward.<=, OPERATOR 3 steward.=, OPERATOR 4 steward.>=, OPERATOR 5 steward.>,
    FUNCTION 1 steward.scope_set_cmp(steward.scope_set, steward.scope_set);
CREATE OPERATOR CLASS steward.scope_set_hash_ops DEFAULT FOR TYPE steward.scope_set USING hash AS
    OPERATOR 1 steward.=,
    FUNCTION 1 steward.scope_set_hash(steward.scope_set),
    FUNCTION 2 steward.scope_set_hash_extended(steward.scope_set, bigint);
COMMENT ON OPERATOR CLASS steward.scope_set_btree_ops USING btree IS 'order of scope_sets';
COMMENT ON OPERATOR CLASS steward.scope_set_hash_ops USING hash IS 'hash of scope_sets';

-- Sets made from sets.
CREATE FUNCTION steward.scope_set_union(steward.scope_set, steward.scope_set) RETURNS steward.scope_set
    AS 'MODULE_PATHNAME', 'steward_scope_set_union' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION steward.scope_set_intersection(steward.scope_set, steward.scope_set) RETURNS steward.scope_set
    AS 'MODULE_PATHNAME', 'steward_scope_set_intersection' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION steward.scope_set_difference(steward.scope_set, steward.scope_set) RETURNS steward.scope_set
    AS 'MODULE_PATHNAME', 'steward_scope_set_difference' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION steward.scope_set_union(steward.scope_set, steward.scope_set) IS 'implementation of +';
COMMENT ON FUNCTION steward.scope_set_intersection(steward.scope_set, steward.scope_set) IS 'implementation of *';
COMMENT ON FUNCTION steward.scope_set_difference(steward.scope_set, steward.scope_set) IS 'implementation of -';
CREATE OPERATOR steward.+ (LEFTARG = steward.scope_set, RIGHTARG = steward.scope_set, FUNCTION = steward.scope_set_union, COMMUTATOR = OPERATOR(steward.+));
CREATE OPERATOR steward.* (LEFTARG = steward.scope_set, RIGHTARG = steward.scope_set, FUNCTION = steward.scope_set_intersection, COMMUTATOR = OPERATOR(steward.*));
CREATE OPERATOR steward.- (LEFTARG = steward.scope_set, RIGHTARG = steward.scope_set, FUNCTION = steward.scope_set_difference);
COMMENT ON OPERATOR steward.+ (steward.scope_set, steward.scope_set) IS 'what is in either';
COMMENT ON OPERATOR steward.* (steward.scope_set, steward.scope_set) IS 'what is in both';
COMMENT ON OPERATOR steward.- (steward.scope_set, steward.scope_set) IS 'the members that have nothing in common with the other set';

CREATE AGGREGATE steward.scope_union(steward.scope_set) (
    SFUNC = steward.scope_set_union, STYPE = steward.scope_set, COMBINEFUNC = steward.scope_set_union, PARALLEL = SAFE);
CREATE AGGREGATE steward.scope_intersection(steward.scope_set) (
    SFUNC = steward.scope_set_intersection, STYPE = steward.scope_set, COMBINEFUNC = steward.scope_set_intersection, PARALLEL = SAFE);
COMMENT ON AGGREGATE steward.scope_union(steward.scope_set) IS 'what is in any of the sets; NULL for none';
COMMENT ON AGGREGATE steward.scope_intersection(steward.scope_set) IS 'what is in all of the sets; NULL for none';

-- The index.
CREATE FUNCTION steward.scope_set_gin_value(steward.scope_set, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'steward_scope_set_gin_value' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION steward.scope_set_gin_query(steward.scope_set, internal, smallint, internal, internal, internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'steward_scope_set_gin_query' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION steward.scope_set_gin_partial(steward.scope, steward.scope, smallint, internal) RETURNS integer
    AS 'MODULE_PATHNAME', 'steward_scope_set_gin_partial' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION steward.scope_set_gin_consistent(internal, smallint, steward.scope_set, integer, internal, internal, internal) RETURNS "char"
    AS 'MODULE_PATHNAME', 'steward_scope_set_gin_consistent' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION steward.scope_set_gin_value(steward.scope_set, internal) IS 'GIN support: the keys of a set';
COMMENT ON FUNCTION steward.scope_set_gin_query(steward.scope_set, internal, smallint, internal, internal, internal, internal) IS 'GIN support: the keys to look for';
COMMENT ON FUNCTION steward.scope_set_gin_partial(steward.scope, steward.scope, smallint, internal) IS 'GIN support: whether a key is one that a prefix looks for';
COMMENT ON FUNCTION steward.scope_set_gin_consistent(internal, smallint, steward.scope_set, integer, internal, internal, internal) IS 'GIN support: whether a set with these keys is meant';
CREATE OPERATOR CLASS steward.scope_set_ops DEFAULT FOR TYPE steward.scope_set USING gin AS
    OPERATOR 1 steward.&&, OPERATOR 2 steward.@>, OPERATOR 3 steward.<@, OPERATOR 4 steward.=,
    OPERATOR 5 steward.@>(steward.scope_set, steward.scope), OPERATOR 6 steward.&&(steward.scope_set, steward.scope), OPERATOR 7 steward.<@(steward.scope_set, steward.scope),
    FUNCTION 1 steward.scope_cmp(steward.scope, steward.scope),
    FUNCTION 2 steward.scope_set_gin_value(steward.scope_set, internal),
    FUNCTION 3 steward.scope_set_gin_query(steward.scope_set, internal, smallint, internal, internal, internal, internal),
    FUNCTION 5 steward.scope_set_gin_partial(steward.scope, steward.scope, smallint, internal),
    FUNCTION 6 steward.scope_set_gin_consistent(internal, smallint, steward.scope_set, integer, internal, internal, internal),
    STORAGE steward.scope;
COMMENT ON OPERATOR CLASS steward.scope_set_ops USING gin IS 'finds sets by what they cover, are covered by or have in common with what is asked';
