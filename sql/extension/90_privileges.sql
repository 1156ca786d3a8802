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
