CREATE TYPE steward.scope_set;
CREATE FUNCTION steward.scope_set_in(cstring) RETURNS steward.scope_set AS 'MODULE_PATHNAME', 'steward_stub_in' LANGUAGE C IMMUTABLE STRICT;
CREATE FUNCTION steward.scope_set_out(steward.scope_set) RETURNS cstring AS 'textout' LANGUAGE internal IMMUTABLE STRICT;
CREATE TYPE steward.scope_set (INPUT = steward.scope_set_in, OUTPUT = steward.scope_set_out, STORAGE = extended);
CREATE FUNCTION steward.scope_set_eq(steward.scope_set, steward.scope_set) RETURNS boolean AS 'MODULE_PATHNAME', 'steward_stub_eq' LANGUAGE C IMMUTABLE STRICT;
CREATE OPERATOR steward.= (LEFTARG = steward.scope_set, RIGHTARG = steward.scope_set, FUNCTION = steward.scope_set_eq);
CREATE FUNCTION steward.scope_set_overlap(steward.scope_set, steward.scope_set) RETURNS boolean AS 'MODULE_PATHNAME', 'steward_stub_overlap' LANGUAGE C IMMUTABLE STRICT;
CREATE OPERATOR steward.&& (LEFTARG = steward.scope_set, RIGHTARG = steward.scope_set, FUNCTION = steward.scope_set_overlap);
