-- Functions of people, agents, systems, credentials, revocation and checks.  The first reference of each exists as uuid
-- and as text; a text reference is a uuid, a unique name, a user name, an e-mail address or a key's display form.

CREATE TYPE steward.revocation_receipt AS (
    revocation_id uuid, credentials bigint, principals bigint, pending_external bigint, xid xid8
);
COMMENT ON TYPE steward.revocation_receipt IS 'what an act of revocation did: its id is the receipt, NULL for a dry run';

CREATE TYPE steward.authorization AS (
    allowed boolean, reason text, organization uuid, principal uuid, credential uuid, actor_chain uuid[],
    scopes steward.scope_set, expires_at timestamptz, as_of timestamptz
);
COMMENT ON TYPE steward.authorization IS 'the answer of authorize(); ids only once the secret is proven';

CREATE FUNCTION steward.import_directory(directory text, resources jsonb, complete boolean DEFAULT false, org uuid DEFAULT steward.default_org(),
    OUT resource text, OUT found bigint, OUT added bigint, OUT changed bigint, OUT unchanged bigint, OUT removed bigint,
    OUT unmatched bigint) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'steward_import_directory' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.import_directory(text, jsonb, boolean, uuid) IS 'loads SCIM 2.0 users and groups into a directory; with complete, who is not in the list has left';
CREATE FUNCTION steward.import_directory(directory uuid, resources jsonb, complete boolean DEFAULT false, org uuid DEFAULT steward.default_org(),
    OUT resource text, OUT found bigint, OUT added bigint, OUT changed bigint, OUT unchanged bigint, OUT removed bigint,
    OUT unmatched bigint) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'steward_import_directory' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.import_directory(uuid, jsonb, boolean, uuid) IS 'loads SCIM 2.0 users and groups into a directory; with complete, who is not in the list has left';

CREATE FUNCTION steward.register_service(name text, owner text, purpose text DEFAULT NULL, environment text DEFAULT NULL,
    justification text DEFAULT NULL, ticket text DEFAULT NULL, org uuid DEFAULT steward.default_org(), OUT principal_id uuid)
    AS 'MODULE_PATHNAME', 'steward_register_service' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.register_service(text, text, text, text, text, text, uuid) IS 'registers a service with the human who answers for it';
CREATE FUNCTION steward.register_service(name text, owner uuid, purpose text DEFAULT NULL, environment text DEFAULT NULL,
    justification text DEFAULT NULL, ticket text DEFAULT NULL, org uuid DEFAULT steward.default_org(), OUT principal_id uuid)
    AS 'MODULE_PATHNAME', 'steward_register_service' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.register_service(text, uuid, text, text, text, text, uuid) IS 'registers a service with the human who answers for it';

CREATE FUNCTION steward.register_agent(name text, owner text, purpose text, model text DEFAULT NULL, provider text DEFAULT NULL,
    framework text DEFAULT NULL, version text DEFAULT NULL, autonomy text DEFAULT 'supervised', acts_for text DEFAULT 'itself',
    human_approval text DEFAULT 'none', environment text DEFAULT NULL, justification text DEFAULT NULL, ticket text DEFAULT NULL,
    org uuid DEFAULT steward.default_org(), OUT principal_id uuid)
    AS 'MODULE_PATHNAME', 'steward_register_agent' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.register_agent(text, text, text, text, text, text, text, text, text, text, text, text, text, uuid) IS 'registers an AI agent with its purpose and the human who answers for it';
CREATE FUNCTION steward.register_agent(name text, owner uuid, purpose text, model text DEFAULT NULL, provider text DEFAULT NULL,
    framework text DEFAULT NULL, version text DEFAULT NULL, autonomy text DEFAULT 'supervised', acts_for text DEFAULT 'itself',
    human_approval text DEFAULT 'none', environment text DEFAULT NULL, justification text DEFAULT NULL, ticket text DEFAULT NULL,
    org uuid DEFAULT steward.default_org(), OUT principal_id uuid)
    AS 'MODULE_PATHNAME', 'steward_register_agent' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.register_agent(text, uuid, text, text, text, text, text, text, text, text, text, text, text, uuid) IS 'registers an AI agent with its purpose and the human who answers for it';

CREATE FUNCTION steward.register_system(name text, owner text, kind text, revocation_path text DEFAULT 'manual', runbook text DEFAULT NULL,
    deadline interval DEFAULT NULL, environment text DEFAULT NULL, data_classification text DEFAULT NULL,
    criticality text DEFAULT NULL, org uuid DEFAULT steward.default_org(), OUT system_id uuid)
    AS 'MODULE_PATHNAME', 'steward_register_system' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.register_system(text, text, text, text, text, interval, text, text, text, uuid) IS 'registers a system where credentials are accepted, and how they are revoked there';
CREATE FUNCTION steward.register_system(name text, owner uuid, kind text, revocation_path text DEFAULT 'manual', runbook text DEFAULT NULL,
    deadline interval DEFAULT NULL, environment text DEFAULT NULL, data_classification text DEFAULT NULL,
    criticality text DEFAULT NULL, org uuid DEFAULT steward.default_org(), OUT system_id uuid)
    AS 'MODULE_PATHNAME', 'steward_register_system' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.register_system(text, uuid, text, text, text, interval, text, text, text, uuid) IS 'registers a system where credentials are accepted, and how they are revoked there';

CREATE FUNCTION steward.grant_scopes(principal text, scopes steward.scope_set, justification text, ticket text DEFAULT NULL,
    ends_at timestamptz DEFAULT NULL, org uuid DEFAULT steward.default_org(), OUT grant_id uuid)
    AS 'MODULE_PATHNAME', 'steward_grant_scopes' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.grant_scopes(text, steward.scope_set, text, text, timestamptz, uuid) IS 'gives scopes to a principal, directly and with a justification';
CREATE FUNCTION steward.grant_scopes(principal uuid, scopes steward.scope_set, justification text, ticket text DEFAULT NULL,
    ends_at timestamptz DEFAULT NULL, org uuid DEFAULT steward.default_org(), OUT grant_id uuid)
    AS 'MODULE_PATHNAME', 'steward_grant_scopes' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.grant_scopes(uuid, steward.scope_set, text, text, timestamptz, uuid) IS 'gives scopes to a principal, directly and with a justification';

CREATE FUNCTION steward.issue_key(holder text, scopes steward.scope_set, owner text DEFAULT NULL, lifetime interval DEFAULT NULL,
    name text DEFAULT NULL, justification text DEFAULT NULL, ticket text DEFAULT NULL, environment text DEFAULT NULL,
    org uuid DEFAULT steward.default_org(), OUT credential_id uuid, OUT secret text, OUT expires_at timestamptz)
    AS 'MODULE_PATHNAME', 'steward_issue_key' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.issue_key(text, steward.scope_set, text, interval, text, text, text, text, uuid) IS 'mints an API key; the secret is shown once and never stored';
CREATE FUNCTION steward.issue_key(holder uuid, scopes steward.scope_set, owner text DEFAULT NULL, lifetime interval DEFAULT NULL,
    name text DEFAULT NULL, justification text DEFAULT NULL, ticket text DEFAULT NULL, environment text DEFAULT NULL,
    org uuid DEFAULT steward.default_org(), OUT credential_id uuid, OUT secret text, OUT expires_at timestamptz)
    AS 'MODULE_PATHNAME', 'steward_issue_key' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.issue_key(uuid, steward.scope_set, text, interval, text, text, text, text, uuid) IS 'mints an API key; the secret is shown once and never stored';

CREATE FUNCTION steward.register_credential(external_id text, system text, kind text, holder text, scopes steward.scope_set,
    owner text DEFAULT NULL, name text DEFAULT NULL, expires_at timestamptz DEFAULT NULL, digest steward.digest DEFAULT NULL,
    external_permissions text[] DEFAULT NULL, storage_location text DEFAULT NULL, environment text DEFAULT NULL,
    justification text DEFAULT NULL, ticket text DEFAULT NULL, org uuid DEFAULT steward.default_org(), OUT credential_id uuid)
    AS 'MODULE_PATHNAME', 'steward_register_credential' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.register_credential(text, text, text, text, steward.scope_set, text, text, timestamptz, steward.digest, text[], text, text, text, text, uuid) IS 'puts a credential on record that lives in another system, never its secret; the same facts again answer with the same id';
CREATE FUNCTION steward.register_credential(external_id text, system uuid, kind text, holder text, scopes steward.scope_set,
    owner text DEFAULT NULL, name text DEFAULT NULL, expires_at timestamptz DEFAULT NULL, digest steward.digest DEFAULT NULL,
    external_permissions text[] DEFAULT NULL, storage_location text DEFAULT NULL, environment text DEFAULT NULL,
    justification text DEFAULT NULL, ticket text DEFAULT NULL, org uuid DEFAULT steward.default_org(), OUT credential_id uuid)
    AS 'MODULE_PATHNAME', 'steward_register_credential' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.register_credential(text, uuid, text, text, steward.scope_set, text, text, timestamptz, steward.digest, text[], text, text, text, text, uuid) IS 'puts a credential on record that lives in another system, never its secret; the same facts again answer with the same id';

CREATE FUNCTION steward.revoke(credential text, reason text, note text DEFAULT NULL, dry_run boolean DEFAULT false,
    org uuid DEFAULT steward.default_org()) RETURNS steward.revocation_receipt
    AS 'MODULE_PATHNAME', 'steward_revoke' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.revoke(text, text, text, boolean, uuid) IS 'revokes a credential and everything that derives from it';
CREATE FUNCTION steward.revoke(credential uuid, reason text, note text DEFAULT NULL, dry_run boolean DEFAULT false,
    org uuid DEFAULT steward.default_org()) RETURNS steward.revocation_receipt
    AS 'MODULE_PATHNAME', 'steward_revoke' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.revoke(uuid, text, text, boolean, uuid) IS 'revokes a credential and everything that derives from it';

CREATE FUNCTION steward.revoke_principal(principal text, reason text, note text DEFAULT NULL, dry_run boolean DEFAULT false,
    org uuid DEFAULT steward.default_org()) RETURNS steward.revocation_receipt
    AS 'MODULE_PATHNAME', 'steward_revoke_principal' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.revoke_principal(text, text, text, boolean, uuid) IS 'revokes everything that a principal holds or owns, and moves its epoch';
CREATE FUNCTION steward.revoke_principal(principal uuid, reason text, note text DEFAULT NULL, dry_run boolean DEFAULT false,
    org uuid DEFAULT steward.default_org()) RETURNS steward.revocation_receipt
    AS 'MODULE_PATHNAME', 'steward_revoke_principal' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.revoke_principal(uuid, text, text, boolean, uuid) IS 'revokes everything that a principal holds or owns, and moves its epoch';

CREATE FUNCTION steward.authorize(token text, required steward.scope_set DEFAULT '', audience text DEFAULT NULL, org uuid DEFAULT NULL) RETURNS steward.authorization
    AS 'MODULE_PATHNAME', 'steward_authorize' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.authorize(text, steward.scope_set, text, uuid) IS 'whether the bearer may do what is required, and if not, why; never raises for a bad token';

CREATE FUNCTION steward.is_authorized(token text, required steward.scope_set DEFAULT '') RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_is_authorized' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION steward.is_authorized(text, steward.scope_set) IS 'the same check as a read-only yes or no';

CREATE FUNCTION steward.credential_status(credential record) RETURNS text
    AS 'MODULE_PATHNAME', 'steward_credential_status' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION steward.credential_status(record) IS 'effective status of a row of steward.credential at this moment';
