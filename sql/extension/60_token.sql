-- Functions of checks and tokens.

CREATE TYPE steward.authorization AS (
    allowed boolean, reason text, organization uuid, principal uuid, credential uuid, actor_chain uuid[],
    scopes steward.scope_set, expires_at timestamptz, as_of timestamptz
);
COMMENT ON TYPE steward.authorization IS 'the answer of authorize(); ids only once the secret is proven';

CREATE FUNCTION steward.authorize(token text, required steward.scope_set DEFAULT '', audience text DEFAULT NULL, org uuid DEFAULT NULL,
    thumbprint text DEFAULT NULL) RETURNS steward.authorization
    AS 'MODULE_PATHNAME', 'steward_authorize' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.authorize(text, steward.scope_set, text, uuid, text) IS 'whether the bearer may do what is required, and if not, why; never raises for a bad token';

CREATE FUNCTION steward.is_authorized(token text, required steward.scope_set DEFAULT '') RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_is_authorized' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION steward.is_authorized(text, steward.scope_set) IS 'the same check as a read-only yes or no';

CREATE FUNCTION steward.verify_jws(jws text, jwk jsonb) RETURNS bytea
    AS 'MODULE_PATHNAME', 'steward_verify_jws' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION steward.verify_jws(text, jsonb) IS 'the payload of a JWS that the key has signed (RFC 7515, compact form); no policy, no clock';

CREATE FUNCTION steward.verify_token(token text, audience text DEFAULT NULL, thumbprint text DEFAULT NULL, org uuid DEFAULT steward.default_org()) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'steward_verify_token' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION steward.verify_token(text, text, text, uuid) IS 'the claims of a JWT that an issuer of the organization signed and that is in force; raises what is wrong';

CREATE FUNCTION steward.assume(token text, session boolean DEFAULT false, audience text DEFAULT NULL, org uuid DEFAULT NULL,
    thumbprint text DEFAULT NULL) RETURNS steward.authorization
    AS 'MODULE_PATHNAME', 'steward_assume' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.assume(text, boolean, text, uuid, text) IS 'binds the identity that the token proves to this transaction; for the session only under steward.allow_session_binding';

CREATE FUNCTION steward.current_org() RETURNS uuid
    AS 'MODULE_PATHNAME', 'steward_current_org' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION steward.current_org() IS 'organization of the assumed identity while it is live; NULL without one';
CREATE FUNCTION steward.current_principal() RETURNS uuid
    AS 'MODULE_PATHNAME', 'steward_current_principal' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION steward.current_principal() IS 'principal of the assumed identity while it is live; NULL without one';
CREATE FUNCTION steward.current_actor() RETURNS uuid
    AS 'MODULE_PATHNAME', 'steward_current_actor' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION steward.current_actor() IS 'who acts for the assumed identity, or that principal itself; NULL without one';
CREATE FUNCTION steward.has_scope(required steward.scope_set) RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_has_scope' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION steward.has_scope(steward.scope_set) IS 'whether the assumed identity is live and may do what is required';

CREATE FUNCTION steward.tg_token_signal() RETURNS trigger
    AS 'MODULE_PATHNAME', 'steward_tg_token_signal' LANGUAGE C;
COMMENT ON FUNCTION steward.tg_token_signal() IS 'tells every session to forget parsed issuers and keys';

CREATE FUNCTION steward.set_issuer(issuer text, system text, binding text DEFAULT NULL, algorithms text[] DEFAULT NULL, audiences text[] DEFAULT NULL,
    types text[] DEFAULT NULL, leeway interval DEFAULT NULL, max_age interval DEFAULT NULL, scopes_from text DEFAULT NULL, subject text DEFAULT NULL,
    tenant text DEFAULT NULL, directory text DEFAULT NULL, enabled boolean DEFAULT NULL, org uuid DEFAULT steward.default_org(), OUT issuer_id uuid)
    AS 'MODULE_PATHNAME', 'steward_set_issuer' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.set_issuer(text, text, text, text[], text[], text[], interval, interval, text, text, text, text, boolean, uuid) IS 'accepts tokens with this iss, or changes the rules by which they are accepted; null leaves a rule as it is';

CREATE FUNCTION steward.import_issuer(metadata jsonb, system text, org uuid DEFAULT steward.default_org(), OUT issuer_id uuid)
    AS 'MODULE_PATHNAME', 'steward_import_issuer' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.import_issuer(jsonb, text, uuid) IS 'accepts the issuer that a metadata document describes (OpenID Connect Discovery, RFC 8414); nothing is fetched';

CREATE FUNCTION steward.set_jwks(issuer text, jwks jsonb, grace interval DEFAULT '1 hour', org uuid DEFAULT steward.default_org(),
    OUT added bigint, OUT kept bigint, OUT retired bigint)
    AS 'MODULE_PATHNAME', 'steward_set_jwks' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.set_jwks(text, jsonb, interval, uuid) IS 'takes the issuer''s set of keys: adds what is new; what is gone verifies for the grace period yet';
