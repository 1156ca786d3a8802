-- Functions that bring inventories in and claim what is found.

CREATE FUNCTION steward.widen_all(permissions text[]) RETURNS steward.scope_set
    AS 'MODULE_PATHNAME', 'steward_widen_all' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION steward.widen_all(text[]) IS 'the smallest scopes that cover foreign permissions; everything when there are too many';

CREATE FUNCTION steward.import_credentials(system text, rows jsonb, format text DEFAULT 'steward', complete boolean DEFAULT false,
    recipe jsonb DEFAULT NULL, org uuid DEFAULT steward.default_org(), OUT "row" bigint, OUT external_id text, OUT action text, OUT detail text) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'steward_import_credentials' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.import_credentials(text, jsonb, text, boolean, jsonb, uuid) IS 'takes in the inventory of a system; good rows are kept, bad ones reported one by one';

CREATE FUNCTION steward.import_credentials(system uuid, rows jsonb, format text DEFAULT 'steward', complete boolean DEFAULT false,
    recipe jsonb DEFAULT NULL, org uuid DEFAULT steward.default_org(), OUT "row" bigint, OUT external_id text, OUT action text, OUT detail text) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'steward_import_credentials' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.import_credentials(uuid, jsonb, text, boolean, jsonb, uuid) IS 'takes in the inventory of a system; good rows are kept, bad ones reported one by one';

CREATE FUNCTION steward.claim_credential(credential text, holder text, scopes steward.scope_set, owner text DEFAULT NULL,
    justification text DEFAULT NULL, ticket text DEFAULT NULL, org uuid DEFAULT steward.default_org(), OUT credential_id uuid)
    AS 'MODULE_PATHNAME', 'steward_claim_credential' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.claim_credential(text, text, steward.scope_set, text, text, text, uuid) IS 'gives a discovered credential a holder, intended scopes and an owner';

CREATE FUNCTION steward.claim_credential(credential uuid, holder text, scopes steward.scope_set, owner text DEFAULT NULL,
    justification text DEFAULT NULL, ticket text DEFAULT NULL, org uuid DEFAULT steward.default_org(), OUT credential_id uuid)
    AS 'MODULE_PATHNAME', 'steward_claim_credential' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.claim_credential(uuid, text, steward.scope_set, text, text, text, uuid) IS 'gives a discovered credential a holder, intended scopes and an owner';

CREATE FUNCTION steward.claim_matching(system text, pattern text, holder text DEFAULT NULL, scopes steward.scope_set DEFAULT NULL, owner text DEFAULT NULL,
    justification text DEFAULT NULL, ticket text DEFAULT NULL, org uuid DEFAULT steward.default_org(),
    OUT credential_id uuid, OUT external_id text, OUT action text, OUT detail text) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'steward_claim_matching' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.claim_matching(text, text, text, steward.scope_set, text, text, text, uuid) IS 'claims discovered credentials by pattern, as suggested where nothing is named';

CREATE FUNCTION steward.claim_matching(system uuid, pattern text, holder text DEFAULT NULL, scopes steward.scope_set DEFAULT NULL, owner text DEFAULT NULL,
    justification text DEFAULT NULL, ticket text DEFAULT NULL, org uuid DEFAULT steward.default_org(),
    OUT credential_id uuid, OUT external_id text, OUT action text, OUT detail text) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'steward_claim_matching' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.claim_matching(uuid, text, text, steward.scope_set, text, text, text, uuid) IS 'claims discovered credentials by pattern, as suggested where nothing is named';
