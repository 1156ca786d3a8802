-- Functions of checks and tokens.

CREATE TYPE steward.authorization AS (
    allowed boolean, reason text, organization uuid, principal uuid, credential uuid, actor_chain uuid[],
    scopes steward.scope_set, expires_at timestamptz, as_of timestamptz
);
COMMENT ON TYPE steward.authorization IS 'the answer of authorize(); ids only once the secret is proven';

CREATE FUNCTION steward.authorize(token text, required steward.scope_set DEFAULT '', audience text DEFAULT NULL, org uuid DEFAULT NULL) RETURNS steward.authorization
    AS 'MODULE_PATHNAME', 'steward_authorize' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.authorize(text, steward.scope_set, text, uuid) IS 'whether the bearer may do what is required, and if not, why; never raises for a bad token';

CREATE FUNCTION steward.is_authorized(token text, required steward.scope_set DEFAULT '') RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_is_authorized' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION steward.is_authorized(text, steward.scope_set) IS 'the same check as a read-only yes or no';
