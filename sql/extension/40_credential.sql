-- Functions of people, agents, systems and credentials.
-- The first reference of each function exists as uuid and as text; a text reference is a uuid, a unique name, a user
-- name, an e-mail address or a key's display form.

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

CREATE FUNCTION steward.credential_status(credential record) RETURNS text
    AS 'MODULE_PATHNAME', 'steward_credential_status' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION steward.credential_status(record) IS 'effective status of a row of steward.credential at this moment';

CREATE FUNCTION steward.suspend(object text, reason text, cause text DEFAULT 'manual', until timestamptz DEFAULT NULL,
    org uuid DEFAULT steward.default_org(), OUT suspension_id uuid)
    AS 'MODULE_PATHNAME', 'steward_suspend' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.suspend(text, text, text, timestamptz, uuid) IS 'stops a principal or credential until it is reinstated, or until an end';
CREATE FUNCTION steward.suspend(object uuid, reason text, cause text DEFAULT 'manual', until timestamptz DEFAULT NULL,
    org uuid DEFAULT steward.default_org(), OUT suspension_id uuid)
    AS 'MODULE_PATHNAME', 'steward_suspend' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.suspend(uuid, text, text, timestamptz, uuid) IS 'stops a principal or credential until it is reinstated, or until an end';

CREATE FUNCTION steward.reinstate(object text, reason text, cause text DEFAULT 'manual',
    org uuid DEFAULT steward.default_org(), OUT state text)
    AS 'MODULE_PATHNAME', 'steward_reinstate' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.reinstate(text, text, text, uuid) IS 'lifts what was suspended for one cause, and leaves what other causes hold';
CREATE FUNCTION steward.reinstate(object uuid, reason text, cause text DEFAULT 'manual',
    org uuid DEFAULT steward.default_org(), OUT state text)
    AS 'MODULE_PATHNAME', 'steward_reinstate' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.reinstate(uuid, text, text, uuid) IS 'lifts what was suspended for one cause, and leaves what other causes hold';

CREATE FUNCTION steward.transfer_ownership(object text, new_owner text, reason text, org uuid DEFAULT steward.default_org(),
    OUT objects bigint, OUT credentials bigint, OUT delegations_ended bigint, OUT rotate_by timestamptz)
    AS 'MODULE_PATHNAME', 'steward_transfer_ownership' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.transfer_ownership(text, text, text, uuid) IS 'gives a thing, or everything a person owns, another owner: scopes are checked again, secrets get a rotate-by date';

CREATE FUNCTION steward.transfer_ownership(object uuid, new_owner text, reason text, org uuid DEFAULT steward.default_org(),
    OUT objects bigint, OUT credentials bigint, OUT delegations_ended bigint, OUT rotate_by timestamptz)
    AS 'MODULE_PATHNAME', 'steward_transfer_ownership' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.transfer_ownership(uuid, text, text, uuid) IS 'gives a thing, or everything a person owns, another owner: scopes are checked again, secrets get a rotate-by date';

CREATE FUNCTION steward.set_second_owner(object text, second_owner text, org uuid DEFAULT steward.default_org(), OUT changed boolean)
    AS 'MODULE_PATHNAME', 'steward_set_second_owner' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.set_second_owner(text, text, uuid) IS 'names a second human who answers for something; null takes the second one away';

CREATE FUNCTION steward.set_second_owner(object uuid, second_owner text, org uuid DEFAULT steward.default_org(), OUT changed boolean)
    AS 'MODULE_PATHNAME', 'steward_set_second_owner' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.set_second_owner(uuid, text, uuid) IS 'names a second human who answers for something; null takes the second one away';

CREATE FUNCTION steward.rotate(credential text, overlap interval DEFAULT '0', external_id text DEFAULT NULL, org uuid DEFAULT steward.default_org(),
    OUT credential_id uuid, OUT secret text, OUT expires_at timestamptz)
    AS 'MODULE_PATHNAME', 'steward_rotate' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.rotate(text, interval, text, uuid) IS 'makes the successor of a credential; the old one is superseded at once or after an overlap';

CREATE FUNCTION steward.rotate(credential uuid, overlap interval DEFAULT '0', external_id text DEFAULT NULL, org uuid DEFAULT steward.default_org(),
    OUT credential_id uuid, OUT secret text, OUT expires_at timestamptz)
    AS 'MODULE_PATHNAME', 'steward_rotate' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.rotate(uuid, interval, text, uuid) IS 'makes the successor of a credential; the old one is superseded at once or after an overlap';

CREATE FUNCTION steward.extend_credential(credential text, expires_at timestamptz, justification text, org uuid DEFAULT steward.default_org(), OUT extended_to timestamptz)
    AS 'MODULE_PATHNAME', 'steward_extend_credential' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.extend_credential(text, timestamptz, text, uuid) IS 'gives a live credential more time, within policy';

CREATE FUNCTION steward.extend_credential(credential uuid, expires_at timestamptz, justification text, org uuid DEFAULT steward.default_org(), OUT extended_to timestamptz)
    AS 'MODULE_PATHNAME', 'steward_extend_credential' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.extend_credential(uuid, timestamptz, text, uuid) IS 'gives a live credential more time, within policy';

-- Triggers.
CREATE FUNCTION steward.tg_credential_rules() RETURNS trigger
    AS 'MODULE_PATHNAME', 'steward_tg_credential_rules' LANGUAGE C;
COMMENT ON FUNCTION steward.tg_credential_rules() IS 'owners, holders and scopes of credentials that can act';
CREATE FUNCTION steward.tg_principal_rules() RETURNS trigger
    AS 'MODULE_PATHNAME', 'steward_tg_principal_rules' LANGUAGE C;
COMMENT ON FUNCTION steward.tg_principal_rules() IS 'owners of services, agents and workloads that can act';
CREATE FUNCTION steward.tg_still_owns() RETURNS trigger
    AS 'MODULE_PATHNAME', 'steward_tg_still_owns' LANGUAGE C;
COMMENT ON FUNCTION steward.tg_still_owns() IS 'at commit, somebody who went owns nothing that can act';
CREATE FUNCTION steward.tg_last_admin() RETURNS trigger
    AS 'MODULE_PATHNAME', 'steward_tg_last_admin' LANGUAGE C;
COMMENT ON FUNCTION steward.tg_last_admin() IS 'the last admin of an organization does not vanish silently';
