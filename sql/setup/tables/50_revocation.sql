-- Revocation beyond the act itself: tasks for other systems, PostgreSQL roles that are credentials, the heartbeat.

CREATE TABLE steward.revocation_task (
    org_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT steward.uuid7(),
    credential_id uuid NOT NULL,
    revocation_id uuid NOT NULL,
    system_id uuid NOT NULL,
    state text NOT NULL DEFAULT 'pending' CONSTRAINT revocation_task_state_known CHECK (state IN ('pending', 'leased', 'confirmed')),
    deadline timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0 CONSTRAINT revocation_task_attempts_counted CHECK (attempts >= 0),
    next_attempt_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    lease_until timestamptz,
    leased_by name,
    last_error text,
    evidence jsonb,
    confirmed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    CONSTRAINT revocation_task_pkey PRIMARY KEY (org_id, id),
    CONSTRAINT revocation_task_credential_key UNIQUE (org_id, credential_id, revocation_id),
    CONSTRAINT revocation_task_credential_fkey FOREIGN KEY (org_id, credential_id) REFERENCES steward.credential (org_id, id),
    CONSTRAINT revocation_task_revocation_fkey FOREIGN KEY (org_id, revocation_id) REFERENCES steward.revocation (org_id, id),
    CONSTRAINT revocation_task_system_fkey FOREIGN KEY (org_id, system_id) REFERENCES steward.system (org_id, id),
    CONSTRAINT revocation_task_lease_complete CHECK ((state = 'leased') = (lease_until IS NOT NULL AND leased_by IS NOT NULL)),
    CONSTRAINT revocation_task_confirmed_since CHECK ((state = 'confirmed') = (confirmed_at IS NOT NULL))
);
CREATE INDEX revocation_task_open_idx ON steward.revocation_task (org_id, system_id, next_attempt_at) WHERE state <> 'confirmed';
CREATE INDEX revocation_task_revocation_idx ON steward.revocation_task (org_id, revocation_id);
COMMENT ON TABLE steward.revocation_task IS 'one credential that another system has to kill; open until that system''s answer is recorded';
COMMENT ON COLUMN steward.revocation_task.org_id IS 'organization';
COMMENT ON COLUMN steward.revocation_task.id IS 'identity';
COMMENT ON COLUMN steward.revocation_task.credential_id IS 'credential to be killed';
COMMENT ON COLUMN steward.revocation_task.revocation_id IS 'the act that asked for it';
COMMENT ON COLUMN steward.revocation_task.system_id IS 'where it has to be killed';
COMMENT ON COLUMN steward.revocation_task.state IS 'pending, leased or confirmed';
COMMENT ON COLUMN steward.revocation_task.deadline IS 'when it is overdue';
COMMENT ON COLUMN steward.revocation_task.attempts IS 'how often it was tried';
COMMENT ON COLUMN steward.revocation_task.next_attempt_at IS 'not to be tried before';
COMMENT ON COLUMN steward.revocation_task.lease_until IS 'end of the worker''s lease';
COMMENT ON COLUMN steward.revocation_task.leased_by IS 'worker that holds the lease';
COMMENT ON COLUMN steward.revocation_task.last_error IS 'what went wrong last';
COMMENT ON COLUMN steward.revocation_task.evidence IS 'what the other system answered';
COMMENT ON COLUMN steward.revocation_task.confirmed_at IS 'when it was confirmed';
COMMENT ON COLUMN steward.revocation_task.created_at IS 'when it was made';

CREATE TABLE steward.pg_role (
    org_id uuid NOT NULL,
    credential_id uuid NOT NULL,
    role_name name NOT NULL,
    role_oid oid NOT NULL,
    registered_by name NOT NULL,
    by_superuser boolean NOT NULL,
    disabled_at timestamptz,
    had_login boolean,
    had_valid_until timestamptz,
    had_memberships name[],
    ended_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    CONSTRAINT pg_role_pkey PRIMARY KEY (org_id, credential_id),
    CONSTRAINT pg_role_credential_fkey FOREIGN KEY (org_id, credential_id) REFERENCES steward.credential (org_id, id),
    CONSTRAINT pg_role_disabled_from CHECK ((disabled_at IS NULL) = (had_login IS NULL))
);
CREATE UNIQUE INDEX pg_role_oid_key ON steward.pg_role (org_id, role_oid) WHERE ended_at IS NULL;
COMMENT ON TABLE steward.pg_role IS 'which credential is which PostgreSQL role of this cluster; name and OID must both match for steward to touch the role';
COMMENT ON COLUMN steward.pg_role.org_id IS 'organization; a role belongs to one only';
COMMENT ON COLUMN steward.pg_role.credential_id IS 'the credential that the role is';
COMMENT ON COLUMN steward.pg_role.role_name IS 'name of the role';
COMMENT ON COLUMN steward.pg_role.role_oid IS 'its OID: a role that was dropped and made anew is another one';
COMMENT ON COLUMN steward.pg_role.registered_by IS 'database role that registered it: a superuser, or one with ADMIN OPTION on it';
COMMENT ON COLUMN steward.pg_role.by_superuser IS 'whether a superuser did: then steward may also disable it while it is a superuser, REPLICATION or BYPASSRLS';
COMMENT ON COLUMN steward.pg_role.disabled_at IS 'since when steward keeps it from logging in';
COMMENT ON COLUMN steward.pg_role.had_login IS 'LOGIN before that';
COMMENT ON COLUMN steward.pg_role.had_valid_until IS 'VALID UNTIL before that';
COMMENT ON COLUMN steward.pg_role.had_memberships IS 'roles that it was a member of before that';
COMMENT ON COLUMN steward.pg_role.ended_at IS 'when its credential was revoked';
COMMENT ON COLUMN steward.pg_role.created_at IS 'when it was registered';

CREATE TABLE steward.heartbeat (
    only_one boolean CONSTRAINT heartbeat_pkey PRIMARY KEY DEFAULT true CONSTRAINT heartbeat_only_one CHECK (only_one),
    beat_at timestamptz NOT NULL
) WITH (fillfactor = 10);
COMMENT ON TABLE steward.heartbeat IS 'the one row by which a standby knows how old its knowledge is';
COMMENT ON COLUMN steward.heartbeat.only_one IS 'always true: the table has one row';
COMMENT ON COLUMN steward.heartbeat.beat_at IS 'when heartbeat() or maintain() last ran on the primary, by its clock';
