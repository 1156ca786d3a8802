-- Functions of revocation.

CREATE TYPE steward.revocation_receipt AS (
    revocation_id uuid, credentials bigint, principals bigint, pending_external bigint, xid xid8
);
COMMENT ON TYPE steward.revocation_receipt IS 'what an act of revocation did: its id is the receipt, NULL for a dry run';

CREATE FUNCTION steward.revoke(credential text, reason text, note text DEFAULT NULL, dry_run boolean DEFAULT false,
    rotated boolean DEFAULT false, org uuid DEFAULT steward.default_org()) RETURNS steward.revocation_receipt
    AS 'MODULE_PATHNAME', 'steward_revoke' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.revoke(text, text, text, boolean, boolean, uuid) IS 'revokes a credential and everything that derives from it';
CREATE FUNCTION steward.revoke(credential uuid, reason text, note text DEFAULT NULL, dry_run boolean DEFAULT false,
    rotated boolean DEFAULT false, org uuid DEFAULT steward.default_org()) RETURNS steward.revocation_receipt
    AS 'MODULE_PATHNAME', 'steward_revoke' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.revoke(uuid, text, text, boolean, boolean, uuid) IS 'revokes a credential and everything that derives from it';
CREATE FUNCTION steward.revoke_principal(principal text, reason text, note text DEFAULT NULL, dry_run boolean DEFAULT false,
    rotated boolean DEFAULT false, org uuid DEFAULT steward.default_org()) RETURNS steward.revocation_receipt
    AS 'MODULE_PATHNAME', 'steward_revoke_principal' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.revoke_principal(text, text, text, boolean, boolean, uuid) IS 'revokes everything that a principal holds or owns, and moves its epoch';
CREATE FUNCTION steward.revoke_principal(principal uuid, reason text, note text DEFAULT NULL, dry_run boolean DEFAULT false,
    rotated boolean DEFAULT false, org uuid DEFAULT steward.default_org()) RETURNS steward.revocation_receipt
    AS 'MODULE_PATHNAME', 'steward_revoke_principal' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.revoke_principal(uuid, text, text, boolean, boolean, uuid) IS 'revokes everything that a principal holds or owns, and moves its epoch';
CREATE FUNCTION steward.revoke_matching(reason text, scopes steward.scope_set DEFAULT NULL, system text DEFAULT NULL, workflow text DEFAULT NULL, owner text DEFAULT NULL,
    holder text DEFAULT NULL, kind text DEFAULT NULL, environment text DEFAULT NULL, issued_before timestamptz DEFAULT NULL,
    note text DEFAULT NULL, dry_run boolean DEFAULT false, rotated boolean DEFAULT false, org uuid DEFAULT steward.default_org()) RETURNS steward.revocation_receipt
    AS 'MODULE_PATHNAME', 'steward_revoke_matching' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.revoke_matching(text, steward.scope_set, text, text, text, text, text, text, timestamptz, text, boolean, boolean, uuid) IS 'revokes every credential for which all of the conditions hold, with what derives from them; at least one condition';
CREATE FUNCTION steward.revoke_organization(organization text, reason text, note text DEFAULT NULL, dry_run boolean DEFAULT false) RETURNS steward.revocation_receipt
    AS 'MODULE_PATHNAME', 'steward_revoke_organization' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.revoke_organization(text, text, text, boolean) IS 'revokes every credential of the organization named, and moves its epoch';
CREATE FUNCTION steward.revoke_organization(organization uuid, reason text, note text DEFAULT NULL, dry_run boolean DEFAULT false) RETURNS steward.revocation_receipt
    AS 'MODULE_PATHNAME', 'steward_revoke_organization' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.revoke_organization(uuid, text, text, boolean) IS 'revokes every credential of the organization named, and moves its epoch';
CREATE FUNCTION steward.preview_revocation(credential text DEFAULT NULL, principal text DEFAULT NULL, scopes steward.scope_set DEFAULT NULL,
    system text DEFAULT NULL, workflow text DEFAULT NULL, owner text DEFAULT NULL, holder text DEFAULT NULL, kind text DEFAULT NULL, environment text DEFAULT NULL,
    issued_before timestamptz DEFAULT NULL, rotated boolean DEFAULT false, org uuid DEFAULT steward.default_org(),
    OUT table_name text, OUT action text, OUT row_key jsonb, OUT old_values jsonb, OUT new_values jsonb) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'steward_preview_revocation' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.preview_revocation(text, text, steward.scope_set, text, text, text, text, text, text, timestamptz, boolean, uuid) IS 'every row that a revocation would change, by doing it and taking it back';
CREATE FUNCTION steward.epochs_pass(issued_at timestamptz, owned_since timestamptz, organization_epoch timestamptz DEFAULT '-infinity',
    principal_epoch timestamptz DEFAULT '-infinity', owner_epoch timestamptz DEFAULT '-infinity', credential_epoch timestamptz DEFAULT '-infinity',
    delegation_epoch timestamptz DEFAULT '-infinity', key_epoch timestamptz DEFAULT '-infinity') RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_epochs_pass_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION steward.epochs_pass(timestamptz, timestamptz, timestamptz, timestamptz, timestamptz, timestamptz, timestamptz, timestamptz) IS 'whether something issued at a moment is later than every epoch that applies to it';
CREATE FUNCTION steward.revocation_visible(revocation_id uuid, xid xid8 DEFAULT NULL, org uuid DEFAULT steward.default_org()) RETURNS text
    AS 'MODULE_PATHNAME', 'steward_revocation_visible' LANGUAGE C VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION steward.revocation_visible(uuid, xid8, uuid) IS 'whether an act of revocation counts on this node: visible, in_progress, aborted or unknown_here';
CREATE FUNCTION steward.heartbeat(OUT beat_at timestamptz)
    AS 'MODULE_PATHNAME', 'steward_heartbeat' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.heartbeat() IS 'lets standbys know that what they know is recent; see steward.max_staleness';
CREATE FUNCTION steward.claim_revocation_tasks(system text, n integer DEFAULT 10, lease interval DEFAULT '5 minutes', org uuid DEFAULT steward.default_org(),
    OUT task_id uuid, OUT attempt integer, OUT lease_until timestamptz, OUT credential_id uuid, OUT kind text, OUT external_id text,
    OUT display text, OUT holder text, OUT reason text, OUT revocation_id uuid, OUT deadline timestamptz, OUT runbook text) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'steward_claim_revocation_tasks' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.claim_revocation_tasks(text, integer, interval, uuid) IS 'takes tasks of a system that are due, under a lease';
CREATE FUNCTION steward.claim_revocation_tasks(system uuid, n integer DEFAULT 10, lease interval DEFAULT '5 minutes', org uuid DEFAULT steward.default_org(),
    OUT task_id uuid, OUT attempt integer, OUT lease_until timestamptz, OUT credential_id uuid, OUT kind text, OUT external_id text,
    OUT display text, OUT holder text, OUT reason text, OUT revocation_id uuid, OUT deadline timestamptz, OUT runbook text) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'steward_claim_revocation_tasks' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.claim_revocation_tasks(uuid, integer, interval, uuid) IS 'takes tasks of a system that are due, under a lease';
CREATE FUNCTION steward.confirm_revocation(task uuid, evidence jsonb, attempt integer DEFAULT NULL, org uuid DEFAULT steward.default_org(),
    OUT credential_id uuid, OUT took interval)
    AS 'MODULE_PATHNAME', 'steward_confirm_revocation' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.confirm_revocation(uuid, jsonb, integer, uuid) IS 'records that the other system has killed the credential, with what it answered';
CREATE FUNCTION steward.fail_revocation(task uuid, error text, attempt integer DEFAULT NULL, org uuid DEFAULT steward.default_org(), OUT next_attempt_at timestamptz)
    AS 'MODULE_PATHNAME', 'steward_fail_revocation' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.fail_revocation(uuid, text, integer, uuid) IS 'records that the other system did not kill the credential; the task comes back later';
CREATE FUNCTION steward.register_pg_role(role text, owner text, holder text DEFAULT NULL, scopes steward.scope_set DEFAULT 'postgresql:login',
    justification text DEFAULT NULL, ticket text DEFAULT NULL, environment text DEFAULT NULL, org uuid DEFAULT steward.default_org(), OUT credential_id uuid)
    AS 'MODULE_PATHNAME', 'steward_register_pg_role' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.register_pg_role(text, text, text, steward.scope_set, text, text, text, uuid) IS 'puts a role of this cluster on record as a credential';
CREATE FUNCTION steward.register_pg_role(role text, owner uuid, holder text DEFAULT NULL, scopes steward.scope_set DEFAULT 'postgresql:login',
    justification text DEFAULT NULL, ticket text DEFAULT NULL, environment text DEFAULT NULL, org uuid DEFAULT steward.default_org(), OUT credential_id uuid)
    AS 'MODULE_PATHNAME', 'steward_register_pg_role' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.register_pg_role(text, uuid, text, steward.scope_set, text, text, text, uuid) IS 'puts a role of this cluster on record as a credential';
CREATE FUNCTION steward.terminate_revoked_backends(OUT role text, OUT sessions integer) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'steward_terminate_revoked_backends' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.terminate_revoked_backends() IS 'ends the sessions on this server of roles whose credential is revoked or suspended; for a standby';
CREATE FUNCTION steward.unowned_roles(OUT role text, OUT attributes text[], OUT valid_until timestamptz) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'steward_unowned_roles' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.unowned_roles() IS 'roles that can log in and are no credential of any organization';
CREATE FUNCTION steward.tg_pg_role() RETURNS trigger
    AS 'MODULE_PATHNAME', 'steward_tg_pg_role' LANGUAGE C;
COMMENT ON FUNCTION steward.tg_pg_role() IS 'a PostgreSQL role follows the state of its credential';
