-- Issuers of tokens, their keys, and tokens revoked one by one.

CREATE TABLE steward.token_issuer (
    org_id uuid NOT NULL CONSTRAINT token_issuer_organization_fkey REFERENCES steward.organization (id),
    id uuid NOT NULL DEFAULT steward.uuid7(),
    issuer text NOT NULL CONSTRAINT token_issuer_issuer_valid CHECK (octet_length(issuer) BETWEEN 1 AND 512 AND issuer !~ '[\x01-\x20\x7f]'),
    own boolean NOT NULL DEFAULT false,
    enabled boolean NOT NULL DEFAULT true,
    algorithms text[] NOT NULL DEFAULT '{RS256,ES256,EdDSA}' CONSTRAINT token_issuer_algorithms_known CHECK (cardinality(algorithms) > 0
        AND array_position(algorithms, NULL) IS NULL AND algorithms <@ '{RS256,RS384,RS512,PS256,PS384,PS512,ES256,ES384,ES512,EdDSA,HS256,HS384,HS512}'::text[]),
    audiences text[] NOT NULL DEFAULT '{}' CONSTRAINT token_issuer_audiences_valid CHECK (cardinality(audiences) <= 100
        AND array_position(audiences, NULL) IS NULL AND array_position(audiences, '') IS NULL),
    types text[] NOT NULL DEFAULT '{at+jwt}' CONSTRAINT token_issuer_types_known CHECK (cardinality(types) > 0
        AND array_position(types, NULL) IS NULL AND types <@ '{at+jwt,jwt,none}'::text[]),
    leeway interval NOT NULL DEFAULT '60 seconds' CONSTRAINT token_issuer_leeway_short CHECK (leeway BETWEEN '0'::interval AND '5 minutes'::interval),
    max_age interval CONSTRAINT token_issuer_max_age_positive CHECK (max_age > '0'::interval AND max_age <= '10 years'::interval),
    binding text NOT NULL CONSTRAINT token_issuer_binding_known CHECK (binding IN ('credential', 'jti', 'client_id', 'azp', 'sub')),
    scopes_from text NOT NULL DEFAULT 'token' CONSTRAINT token_issuer_scopes_from_known CHECK (scopes_from IN ('token', 'credential')),
    subject text NOT NULL DEFAULT 'sub' CONSTRAINT token_issuer_subject_known CHECK (subject IN ('sub', 'oid')),
    tenant text CONSTRAINT token_issuer_tenant_valid CHECK (octet_length(tenant) BETWEEN 1 AND 255),
    system_id uuid,
    directory_id uuid,
    jwks_uri text CONSTRAINT token_issuer_jwks_uri_valid CHECK (octet_length(jwks_uri) BETWEEN 1 AND 2048),
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    CONSTRAINT token_issuer_pkey PRIMARY KEY (org_id, id),
    CONSTRAINT token_issuer_issuer_key UNIQUE (org_id, issuer),
    CONSTRAINT token_issuer_system_fkey FOREIGN KEY (org_id, system_id) REFERENCES steward.system (org_id, id),
    CONSTRAINT token_issuer_own_by_credential CHECK (own = (binding = 'credential')),
    CONSTRAINT token_issuer_system_named CHECK (own = (system_id IS NULL)),
    CONSTRAINT token_issuer_oid_of_tenant CHECK (subject = 'sub' OR tenant IS NOT NULL)
);
CREATE UNIQUE INDEX token_issuer_own_key ON steward.token_issuer (org_id) WHERE own;
CREATE INDEX token_issuer_system_idx ON steward.token_issuer (org_id, system_id) WHERE system_id IS NOT NULL;
COMMENT ON TABLE steward.token_issuer IS 'whose tokens an organization accepts, and by which rules';
COMMENT ON COLUMN steward.token_issuer.org_id IS 'organization';
COMMENT ON COLUMN steward.token_issuer.id IS 'identity';
COMMENT ON COLUMN steward.token_issuer.issuer IS 'the exact text of iss';
COMMENT ON COLUMN steward.token_issuer.own IS 'whether this is the organization''s own issuer, with signing keys here';
COMMENT ON COLUMN steward.token_issuer.enabled IS 'whether its tokens are accepted';
COMMENT ON COLUMN steward.token_issuer.algorithms IS 'signature algorithms that are accepted; HMAC only where named here';
COMMENT ON COLUMN steward.token_issuer.audiences IS 'audiences one of which a token must name; empty leaves it to the caller';
COMMENT ON COLUMN steward.token_issuer.types IS 'values of typ that are accepted, lower case without application/; none for a token without it';
COMMENT ON COLUMN steward.token_issuer.leeway IS 'how far the issuer''s clock may be off';
COMMENT ON COLUMN steward.token_issuer.max_age IS 'longest time since iat; NULL for no limit beyond exp';
COMMENT ON COLUMN steward.token_issuer.binding IS 'claim that names the credential (its external id in the system); credential for our own tokens';
COMMENT ON COLUMN steward.token_issuer.scopes_from IS 'whether a token''s scopes are those it states, within the credential''s, or the credential''s';
COMMENT ON COLUMN steward.token_issuer.subject IS 'claim that names the subject: sub, or oid within the tenant';
COMMENT ON COLUMN steward.token_issuer.tenant IS 'the tid that every token must have';
COMMENT ON COLUMN steward.token_issuer.system_id IS 'system in which the issuer''s credentials are registered';
COMMENT ON COLUMN steward.token_issuer.directory_id IS 'directory in which the subjects are people; NULL when subjects are not looked up';
COMMENT ON COLUMN steward.token_issuer.jwks_uri IS 'where the issuer publishes its keys; for people and jobs, the database never fetches it';
COMMENT ON COLUMN steward.token_issuer.created_at IS 'when it was made';

CREATE TABLE steward.token_key (
    org_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT steward.uuid7(),
    issuer_id uuid NOT NULL,
    kid text NOT NULL CONSTRAINT token_key_kid_valid CHECK (octet_length(kid) BETWEEN 1 AND 255),
    algorithm text NOT NULL CONSTRAINT token_key_algorithm_known
        CHECK (algorithm IN ('RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'HS256', 'HS384', 'HS512')),
    jwk jsonb,
    sealed bytea,
    signs_from timestamptz,
    signs_until timestamptz,
    retires_at timestamptz NOT NULL DEFAULT 'infinity',
    tokens_valid_after timestamptz NOT NULL DEFAULT '-infinity',
    created_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    CONSTRAINT token_key_pkey PRIMARY KEY (org_id, id),
    CONSTRAINT token_key_kid_key UNIQUE (org_id, issuer_id, kid),
    CONSTRAINT token_key_issuer_fkey FOREIGN KEY (org_id, issuer_id) REFERENCES steward.token_issuer (org_id, id),
    CONSTRAINT token_key_public_or_secret CHECK ((jwk IS NULL) = (algorithm LIKE 'HS%') AND (jwk IS NOT NULL OR sealed IS NOT NULL)),
    CONSTRAINT token_key_signs_sealed CHECK (signs_from IS NULL OR sealed IS NOT NULL)
);
COMMENT ON TABLE steward.token_key IS 'keys of issuers: public ones as JWK, secret ones sealed under the key file';
COMMENT ON COLUMN steward.token_key.org_id IS 'organization';
COMMENT ON COLUMN steward.token_key.id IS 'identity';
COMMENT ON COLUMN steward.token_key.issuer_id IS 'issuer';
COMMENT ON COLUMN steward.token_key.kid IS 'the key''s kid; its thumbprint (RFC 7638) where the issuer gives none';
COMMENT ON COLUMN steward.token_key.algorithm IS 'the one algorithm it is used with';
COMMENT ON COLUMN steward.token_key.jwk IS 'public key; NULL for HMAC';
COMMENT ON COLUMN steward.token_key.sealed IS 'private or HMAC key, sealed; NULL for the public key of another issuer';
COMMENT ON COLUMN steward.token_key.signs_from IS 'own keys: signs since';
COMMENT ON COLUMN steward.token_key.signs_until IS 'own keys: signs no longer since; NULL for the current one';
COMMENT ON COLUMN steward.token_key.retires_at IS 'verifies until';
COMMENT ON COLUMN steward.token_key.tokens_valid_after IS 'epoch: tokens signed with it and issued at or before this moment are dead';
COMMENT ON COLUMN steward.token_key.created_at IS 'when it was added';

CREATE TABLE steward.revoked_token (
    org_id uuid NOT NULL,
    issuer_id uuid NOT NULL,
    jti text NOT NULL CONSTRAINT revoked_token_jti_valid CHECK (octet_length(jti) BETWEEN 1 AND 512),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    revoked_by name NOT NULL,
    CONSTRAINT revoked_token_pkey PRIMARY KEY (org_id, issuer_id, jti),
    CONSTRAINT revoked_token_issuer_fkey FOREIGN KEY (org_id, issuer_id) REFERENCES steward.token_issuer (org_id, id)
);
CREATE INDEX revoked_token_expires_idx ON steward.revoked_token (org_id, expires_at);
COMMENT ON TABLE steward.revoked_token IS 'tokens revoked one by one, until they expire';
COMMENT ON COLUMN steward.revoked_token.org_id IS 'organization';
COMMENT ON COLUMN steward.revoked_token.issuer_id IS 'issuer of the token';
COMMENT ON COLUMN steward.revoked_token.jti IS 'the token''s jti; a digest of what was signed where it has none';
COMMENT ON COLUMN steward.revoked_token.expires_at IS 'when the token would have expired; the row goes after that';
COMMENT ON COLUMN steward.revoked_token.revoked_at IS 'when it was revoked';
COMMENT ON COLUMN steward.revoked_token.revoked_by IS 'database role that revoked it';

CREATE TABLE steward.token_denial (
    org_id uuid NOT NULL,
    credential_id uuid NOT NULL,
    reason text NOT NULL CONSTRAINT token_denial_reason_valid CHECK (length(reason) BETWEEN 1 AND 63),
    window_start timestamptz NOT NULL,
    id uuid NOT NULL DEFAULT steward.uuid7(),
    denials bigint NOT NULL DEFAULT 1 CONSTRAINT token_denial_counted CHECK (denials > 0),
    CONSTRAINT token_denial_pkey PRIMARY KEY (org_id, credential_id, reason, window_start, id)
);
COMMENT ON TABLE steward.token_denial IS 'denials of known credentials, where org_policy.record_denials says so: one row a transaction, merged by maintain()';
COMMENT ON COLUMN steward.token_denial.org_id IS 'organization';
COMMENT ON COLUMN steward.token_denial.credential_id IS 'credential that was denied';
COMMENT ON COLUMN steward.token_denial.reason IS 'reason code of authorize()';
COMMENT ON COLUMN steward.token_denial.window_start IS 'the hour';
COMMENT ON COLUMN steward.token_denial.id IS 'tells rows of one window apart until they are merged';
COMMENT ON COLUMN steward.token_denial.denials IS 'how many';

-- No row, ever: changes of keys and issuers send an invalidation of this relation, which no plan uses, so that every
-- backend forgets what it has parsed, and no plan has to be made again.
CREATE TABLE steward.token_signal (
    never boolean NOT NULL CONSTRAINT token_signal_pkey PRIMARY KEY CONSTRAINT token_signal_empty CHECK (never AND NOT never)
);
COMMENT ON TABLE steward.token_signal IS 'always empty: its invalidation tells every session to forget parsed keys';
COMMENT ON COLUMN steward.token_signal.never IS 'nothing can be stored here';
