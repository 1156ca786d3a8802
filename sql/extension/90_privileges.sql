-- Functions are born executable by PUBLIC.  Only those of the types stay so, and visible_orgs(), which tells a role only
-- about itself; setup() gives the others to the profiles (sql/setup/privileges).
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA steward FROM PUBLIC;

GRANT EXECUTE ON FUNCTION
    steward.visible_orgs(text),
    steward.digest_in(cstring), steward.digest_out(steward.digest),
    steward.digest_recv(internal), steward.digest_send(steward.digest),
    steward.digest_eq(steward.digest, steward.digest), steward.digest_ne(steward.digest, steward.digest),
    steward.digest_lt(steward.digest, steward.digest), steward.digest_le(steward.digest, steward.digest),
    steward.digest_gt(steward.digest, steward.digest), steward.digest_ge(steward.digest, steward.digest),
    steward.digest_cmp(steward.digest, steward.digest), steward.digest_hash(steward.digest),
    steward.digest_hash_extended(steward.digest, bigint)
TO PUBLIC;

-- scope and scope_set
GRANT EXECUTE ON FUNCTION
    steward.scope_in(cstring), steward.scope_out(steward.scope), steward.scope_recv(internal),
    steward.scope_send(steward.scope), steward.scope_set_in(cstring), steward.scope_set_out(steward.scope_set),
    steward.scope_set_recv(internal), steward.scope_set_send(steward.scope_set),
    steward.scope_set_typanalyze(internal), steward.scope(text), steward.scope_set(steward.scope),
    steward.scope_set(text), steward.scope_set(text[]), steward.text(steward.scope_set),
    steward.text_array(steward.scope_set), steward.scope_covers(steward.scope, steward.scope),
    steward.segments(steward.scope), steward.scope_widen(text), steward.cardinality(steward.scope_set),
    steward.uncovered(steward.scope_set, steward.scope_set), steward.uncovered_scopes(steward.scope_set, steward.scope_set[]), steward.scope_set_unnest_support(internal),
    steward.unnest(steward.scope_set), steward.scope_covers_sel(internal, oid, internal, integer),
    steward.scope_covers_join_sel(internal, oid, internal, smallint, internal),
    steward.scope_covered_sel(internal, oid, internal, integer),
    steward.scope_covered_join_sel(internal, oid, internal, smallint, internal),
    steward.scope_overlaps_sel(internal, oid, internal, integer),
    steward.scope_overlaps_join_sel(internal, oid, internal, smallint, internal),
    steward.scope_covered_by(steward.scope, steward.scope), steward.scope_overlaps(steward.scope, steward.scope),
    steward.scope_set_covers(steward.scope_set, steward.scope_set),
    steward.scope_set_covers(steward.scope_set, steward.scope),
    steward.scope_set_covers(steward.scope, steward.scope_set),
    steward.scope_set_covered_by(steward.scope_set, steward.scope_set),
    steward.scope_set_covered_by(steward.scope_set, steward.scope),
    steward.scope_set_covered_by(steward.scope, steward.scope_set),
    steward.scope_set_overlaps(steward.scope_set, steward.scope_set),
    steward.scope_set_overlaps(steward.scope_set, steward.scope),
    steward.scope_set_overlaps(steward.scope, steward.scope_set), steward.scope_eq(steward.scope, steward.scope),
    steward.scope_ne(steward.scope, steward.scope), steward.scope_lt(steward.scope, steward.scope),
    steward.scope_le(steward.scope, steward.scope), steward.scope_gt(steward.scope, steward.scope),
    steward.scope_ge(steward.scope, steward.scope), steward.scope_cmp(steward.scope, steward.scope),
    steward.scope_hash(steward.scope), steward.scope_hash_extended(steward.scope, bigint),
    steward.scope_set_eq(steward.scope_set, steward.scope_set),
    steward.scope_set_ne(steward.scope_set, steward.scope_set),
    steward.scope_set_lt(steward.scope_set, steward.scope_set),
    steward.scope_set_le(steward.scope_set, steward.scope_set),
    steward.scope_set_gt(steward.scope_set, steward.scope_set),
    steward.scope_set_ge(steward.scope_set, steward.scope_set),
    steward.scope_set_cmp(steward.scope_set, steward.scope_set), steward.scope_set_hash(steward.scope_set),
    steward.scope_set_hash_extended(steward.scope_set, bigint),
    steward.scope_set_union(steward.scope_set, steward.scope_set),
    steward.scope_set_intersection(steward.scope_set, steward.scope_set),
    steward.scope_set_difference(steward.scope_set, steward.scope_set), steward.scope_union(steward.scope_set),
    steward.scope_intersection(steward.scope_set), steward.scope_set_gin_value(steward.scope_set, internal),
    steward.scope_set_gin_query(steward.scope_set, internal, smallint, internal, internal, internal, internal),
    steward.scope_set_gin_partial(steward.scope, steward.scope, smallint, internal),
    steward.scope_set_gin_consistent(internal, smallint, steward.scope_set, integer, internal, internal, internal)
TO PUBLIC;

GRANT EXECUTE ON FUNCTION steward.uncovered_scopes(steward.scope_set, steward.scope_set[]) TO PUBLIC;
-- What foreign permissions amount to is a matter of the types alone.
GRANT EXECUTE ON FUNCTION steward.widen_all(text[]) TO PUBLIC;
