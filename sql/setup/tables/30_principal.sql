-- Principals: whoever can hold a credential, and what is recorded about their coming, moving and going.

CREATE TABLE steward.principal (
    org_id uuid NOT NULL CONSTRAINT principal_organization_fkey REFERENCES steward.organization (id),
    id uuid NOT NULL DEFAULT steward.uuid7(),
    kind text NOT NULL CONSTRAINT principal_kind_known CHECK (kind IN ('human', 'service', 'agent', 'workload')),
    name text NOT NULL CONSTRAINT principal_name_valid CHECK (name = btrim(name) AND length(name) BETWEEN 1 AND 512 AND name !~ '[\x01-\x1f\x7f]'),
    state text NOT NULL DEFAULT 'active' CONSTRAINT principal_state_known CHECK (state IN ('active', 'suspended', 'offboarded')),
    owner_id uuid,
    second_owner_id uuid,
    user_name text,
    email text,
    starts_at timestamptz,
    ends_at timestamptz,
    environment text CONSTRAINT principal_environment_valid CHECK (environment = btrim(environment) AND length(environment) BETWEEN 1 AND 63),
    purpose text CONSTRAINT principal_purpose_valid CHECK (length(btrim(purpose)) BETWEEN 1 AND 4000),
    justification text CONSTRAINT principal_justification_valid CHECK (length(btrim(justification)) BETWEEN 1 AND 4000),
    ticket text CONSTRAINT principal_ticket_valid CHECK (length(btrim(ticket)) BETWEEN 1 AND 200),
    approved_by uuid,
    tokens_valid_after timestamptz NOT NULL DEFAULT '-infinity',
    offboarded_at timestamptz,
    leaves_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    CONSTRAINT principal_pkey PRIMARY KEY (org_id, id),
    CONSTRAINT principal_owner_fkey FOREIGN KEY (org_id, owner_id) REFERENCES steward.principal (org_id, id),
    CONSTRAINT principal_second_owner_fkey FOREIGN KEY (org_id, second_owner_id) REFERENCES steward.principal (org_id, id),
    CONSTRAINT principal_approved_by_fkey FOREIGN KEY (org_id, approved_by) REFERENCES steward.principal (org_id, id),
    CONSTRAINT principal_owned_unless_human CHECK ((kind = 'human') = (owner_id IS NULL)),
    CONSTRAINT principal_second_owner_not_human CHECK (second_owner_id IS NULL OR (kind <> 'human' AND second_owner_id <> owner_id)),
    CONSTRAINT principal_offboarded_since CHECK ((state = 'offboarded') = (offboarded_at IS NOT NULL))
);
CREATE UNIQUE INDEX principal_name_key ON steward.principal (org_id, name) WHERE kind <> 'human';
CREATE INDEX principal_user_name_idx ON steward.principal (org_id, lower(user_name)) WHERE kind = 'human';
CREATE INDEX principal_email_idx ON steward.principal (org_id, lower(email)) WHERE kind = 'human';
CREATE INDEX principal_owner_idx ON steward.principal (org_id, owner_id) WHERE owner_id IS NOT NULL;
CREATE INDEX principal_second_owner_idx ON steward.principal (org_id, second_owner_id) WHERE second_owner_id IS NOT NULL;
CREATE INDEX principal_ends_at_idx ON steward.principal (org_id, ends_at) WHERE ends_at IS NOT NULL AND state <> 'offboarded';
CREATE INDEX principal_leaves_at_idx ON steward.principal (org_id, leaves_at) WHERE leaves_at IS NOT NULL;
ALTER TABLE steward.org_policy ADD CONSTRAINT org_policy_default_owner_fkey FOREIGN KEY (org_id, default_owner_id)
    REFERENCES steward.principal (org_id, id);
COMMENT ON TABLE steward.principal IS 'whoever can hold a credential: a person, a service, an AI agent, a workload';
COMMENT ON COLUMN steward.principal.org_id IS 'organization';
COMMENT ON COLUMN steward.principal.id IS 'identity';
COMMENT ON COLUMN steward.principal.kind IS 'human, service, agent or workload';
COMMENT ON COLUMN steward.principal.name IS 'name; unique in the organization unless human';
COMMENT ON COLUMN steward.principal.state IS 'active, suspended (an open suspension holds), offboarded (has left)';
COMMENT ON COLUMN steward.principal.owner_id IS 'the human who answers for it; humans have none';
COMMENT ON COLUMN steward.principal.second_owner_id IS 'a second human who answers for it';
COMMENT ON COLUMN steward.principal.user_name IS 'of a human: last known SCIM userName';
COMMENT ON COLUMN steward.principal.email IS 'of a human: last known e-mail address';
COMMENT ON COLUMN steward.principal.starts_at IS 'no check passes before this moment';
COMMENT ON COLUMN steward.principal.ends_at IS 'no check passes from this moment on';
COMMENT ON COLUMN steward.principal.environment IS 'where it runs, for example production';
COMMENT ON COLUMN steward.principal.purpose IS 'what it is for';
COMMENT ON COLUMN steward.principal.justification IS 'why it was allowed';
COMMENT ON COLUMN steward.principal.ticket IS 'reference to the request';
COMMENT ON COLUMN steward.principal.approved_by IS 'who approved it';
COMMENT ON COLUMN steward.principal.tokens_valid_after IS 'epoch: what it holds or owns and was issued at or before this moment is dead';
COMMENT ON COLUMN steward.principal.offboarded_at IS 'when it left';
COMMENT ON COLUMN steward.principal.leaves_at IS 'suspended: when that becomes leaving; offboarded: when what is only suspended is revoked';
COMMENT ON COLUMN steward.principal.created_at IS 'when it was made';

CREATE TABLE steward.principal_identity (
    org_id uuid NOT NULL,
    directory_id uuid NOT NULL,
    external_id text NOT NULL,
    principal_id uuid NOT NULL,
    linked_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    CONSTRAINT principal_identity_pkey PRIMARY KEY (org_id, directory_id, external_id),
    CONSTRAINT principal_identity_principal_fkey FOREIGN KEY (org_id, principal_id) REFERENCES steward.principal (org_id, id)
);
CREATE INDEX principal_identity_principal_idx ON steward.principal_identity (org_id, principal_id);
COMMENT ON TABLE steward.principal_identity IS 'which source identities are which person; outlives the directory''s rows, so that a person who comes back is the same one';
COMMENT ON COLUMN steward.principal_identity.org_id IS 'organization';
COMMENT ON COLUMN steward.principal_identity.directory_id IS 'directory (kept when the directory itself is deleted)';
COMMENT ON COLUMN steward.principal_identity.external_id IS 'the source''s stable identifier of the person';
COMMENT ON COLUMN steward.principal_identity.principal_id IS 'the person';
COMMENT ON COLUMN steward.principal_identity.linked_at IS 'since when';

CREATE TABLE steward.agent (
    org_id uuid NOT NULL,
    principal_id uuid NOT NULL,
    model text,
    provider text,
    framework text,
    version text,
    autonomy text NOT NULL DEFAULT 'supervised' CONSTRAINT agent_autonomy_known CHECK (autonomy IN ('assistive', 'supervised', 'autonomous')),
    acts_for text NOT NULL DEFAULT 'itself' CONSTRAINT agent_acts_for_known CHECK (acts_for IN ('itself', 'users', 'both')),
    human_approval text NOT NULL DEFAULT 'none' CONSTRAINT agent_human_approval_known CHECK (human_approval IN ('none', 'sensitive', 'always')),
    CONSTRAINT agent_pkey PRIMARY KEY (org_id, principal_id),
    CONSTRAINT agent_principal_fkey FOREIGN KEY (org_id, principal_id) REFERENCES steward.principal (org_id, id)
);
COMMENT ON TABLE steward.agent IS 'what is known about a principal that is an AI agent';
COMMENT ON COLUMN steward.agent.org_id IS 'organization';
COMMENT ON COLUMN steward.agent.principal_id IS 'the agent''s principal';
COMMENT ON COLUMN steward.agent.model IS 'model it runs on';
COMMENT ON COLUMN steward.agent.provider IS 'who serves the model';
COMMENT ON COLUMN steward.agent.framework IS 'software it is built with';
COMMENT ON COLUMN steward.agent.version IS 'version of the agent';
COMMENT ON COLUMN steward.agent.autonomy IS 'assistive, supervised or autonomous';
COMMENT ON COLUMN steward.agent.acts_for IS 'itself, users or both';
COMMENT ON COLUMN steward.agent.human_approval IS 'which of its actions a human approves first';

CREATE TABLE steward.lifecycle_event (
    org_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT steward.uuid7(),
    kind text NOT NULL CONSTRAINT lifecycle_event_kind_known CHECK (kind IN ('joiner', 'mover', 'leaver', 'rehire', 'suspend', 'resume')),
    principal_id uuid NOT NULL,
    directory_id uuid,
    directory_user_id uuid,
    person text NOT NULL,
    cause text NOT NULL CONSTRAINT lifecycle_event_cause_known
        CHECK (cause IN ('added', 'activated', 'deactivated', 'deleted', 'ended', 'unlinked', 'relinked', 'changed', 'membership', 'rule')),
    source_event_id text,
    attributes_old jsonb NOT NULL DEFAULT '{}',
    attributes_new jsonb NOT NULL DEFAULT '{}',
    effects jsonb NOT NULL DEFAULT '{}',
    event_time timestamptz,
    effective_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    recorded_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    xact xid8 NOT NULL DEFAULT pg_catalog.pg_current_xact_id(),
    CONSTRAINT lifecycle_event_pkey PRIMARY KEY (org_id, id),
    CONSTRAINT lifecycle_event_principal_fkey FOREIGN KEY (org_id, principal_id) REFERENCES steward.principal (org_id, id)
);
CREATE INDEX lifecycle_event_principal_idx ON steward.lifecycle_event (org_id, principal_id, id);
CREATE INDEX lifecycle_event_gone_idx ON steward.lifecycle_event (org_id, directory_id, recorded_at) WHERE kind IN ('leaver', 'suspend');
COMMENT ON TABLE steward.lifecycle_event IS 'joiner, mover, leaver, rehire, suspend, resume: one row an event, with what it did';
COMMENT ON COLUMN steward.lifecycle_event.org_id IS 'organization';
COMMENT ON COLUMN steward.lifecycle_event.id IS 'identity, ordered in time';
COMMENT ON COLUMN steward.lifecycle_event.kind IS 'joiner, mover, leaver, rehire, suspend or resume';
COMMENT ON COLUMN steward.lifecycle_event.principal_id IS 'the person';
COMMENT ON COLUMN steward.lifecycle_event.directory_id IS 'directory that caused it';
COMMENT ON COLUMN steward.lifecycle_event.directory_user_id IS 'row that caused it (it may be gone)';
COMMENT ON COLUMN steward.lifecycle_event.person IS 'user name at that time';
COMMENT ON COLUMN steward.lifecycle_event.cause IS 'what happened to the directory''s row';
COMMENT ON COLUMN steward.lifecycle_event.source_event_id IS 'the source''s id of the event: applied once';
COMMENT ON COLUMN steward.lifecycle_event.attributes_old IS 'attributes that changed, before';
COMMENT ON COLUMN steward.lifecycle_event.attributes_new IS 'attributes that changed, after';
COMMENT ON COLUMN steward.lifecycle_event.effects IS 'what the event did, counted';
COMMENT ON COLUMN steward.lifecycle_event.event_time IS 'when the source says it happened';
COMMENT ON COLUMN steward.lifecycle_event.effective_at IS 'when it took effect, inside the transaction';
COMMENT ON COLUMN steward.lifecycle_event.recorded_at IS 'start of the transaction that recorded it';
COMMENT ON COLUMN steward.lifecycle_event.xact IS 'transaction that recorded it';

CREATE TABLE steward.department_owner (
    org_id uuid NOT NULL,
    department text NOT NULL CONSTRAINT department_owner_department_valid CHECK (department = btrim(department) AND length(department) BETWEEN 1 AND 512),
    owner_id uuid NOT NULL,
    CONSTRAINT department_owner_pkey PRIMARY KEY (org_id, department),
    CONSTRAINT department_owner_owner_fkey FOREIGN KEY (org_id, owner_id) REFERENCES steward.principal (org_id, id)
);
CREATE INDEX department_owner_owner_idx ON steward.department_owner (org_id, owner_id);
COMMENT ON TABLE steward.department_owner IS 'who takes over from a leaver of a department';
COMMENT ON COLUMN steward.department_owner.org_id IS 'organization';
COMMENT ON COLUMN steward.department_owner.department IS 'department, in lower case as lower() makes it';
COMMENT ON COLUMN steward.department_owner.owner_id IS 'who takes over';

CREATE TABLE steward.lifecycle_finding (
    org_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT steward.uuid7(),
    rule text NOT NULL CONSTRAINT lifecycle_finding_rule_known CHECK (rule IN ('default_owner_left', 'department_owner_left',
        'scopes_not_covered', 'callback_failed', 'rehire_held')),
    lifecycle_event_id uuid,
    principal_id uuid,
    credential_id uuid,
    detail text NOT NULL,
    found_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    CONSTRAINT lifecycle_finding_pkey PRIMARY KEY (org_id, id),
    CONSTRAINT lifecycle_finding_event_fkey FOREIGN KEY (org_id, lifecycle_event_id) REFERENCES steward.lifecycle_event (org_id, id),
    CONSTRAINT lifecycle_finding_principal_fkey FOREIGN KEY (org_id, principal_id) REFERENCES steward.principal (org_id, id)
);
CREATE INDEX lifecycle_finding_event_idx ON steward.lifecycle_finding (org_id, lifecycle_event_id);
COMMENT ON TABLE steward.lifecycle_finding IS 'what a lifecycle event left for people to decide';
COMMENT ON COLUMN steward.lifecycle_finding.org_id IS 'organization';
COMMENT ON COLUMN steward.lifecycle_finding.id IS 'identity';
COMMENT ON COLUMN steward.lifecycle_finding.rule IS 'which rule of governance is broken';
COMMENT ON COLUMN steward.lifecycle_finding.lifecycle_event_id IS 'event that broke it; NULL where a rule was changed';
COMMENT ON COLUMN steward.lifecycle_finding.principal_id IS 'person it is about';
COMMENT ON COLUMN steward.lifecycle_finding.credential_id IS 'credential it is about';
COMMENT ON COLUMN steward.lifecycle_finding.detail IS 'in words';
COMMENT ON COLUMN steward.lifecycle_finding.found_at IS 'since when';

CREATE TABLE steward.lifecycle_selftest_run (
    org_id uuid NOT NULL CONSTRAINT lifecycle_selftest_run_organization_fkey REFERENCES steward.organization (id),
    id uuid NOT NULL DEFAULT steward.uuid7(),
    run_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    passed bigint NOT NULL,
    failed bigint NOT NULL,
    run_by name NOT NULL,
    CONSTRAINT lifecycle_selftest_run_pkey PRIMARY KEY (org_id, id)
);
COMMENT ON TABLE steward.lifecycle_selftest_run IS 'evidence: when lifecycle_selftest() ran, and what came of it';
COMMENT ON COLUMN steward.lifecycle_selftest_run.org_id IS 'organization';
COMMENT ON COLUMN steward.lifecycle_selftest_run.id IS 'identity';
COMMENT ON COLUMN steward.lifecycle_selftest_run.run_at IS 'when';
COMMENT ON COLUMN steward.lifecycle_selftest_run.passed IS 'checks that passed';
COMMENT ON COLUMN steward.lifecycle_selftest_run.failed IS 'checks that failed';
COMMENT ON COLUMN steward.lifecycle_selftest_run.run_by IS 'database role that ran it';
