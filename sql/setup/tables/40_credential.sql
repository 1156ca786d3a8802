-- Systems, grants, credentials and what suspends them.

CREATE TABLE steward.system (
    org_id uuid NOT NULL CONSTRAINT system_organization_fkey REFERENCES steward.organization (id),
    id uuid NOT NULL DEFAULT steward.uuid7(),
    name text NOT NULL CONSTRAINT system_name_valid CHECK (name = btrim(name) AND length(name) BETWEEN 1 AND 200),
    kind text NOT NULL CONSTRAINT system_kind_known
        CHECK (kind IN ('saas', 'cloud', 'database', 'ci', 'vault', 'mcp_server', 'model_provider', 'internal')),
    owner_id uuid,
    environment text CONSTRAINT system_environment_valid CHECK (environment = btrim(environment) AND length(environment) BETWEEN 1 AND 63),
    data_classification text CONSTRAINT system_data_classification_known CHECK (data_classification IN ('public', 'internal', 'confidential', 'restricted')),
    criticality text CONSTRAINT system_criticality_known CHECK (criticality IN ('low', 'medium', 'high', 'critical')),
    revocation_path text NOT NULL CONSTRAINT system_revocation_path_known CHECK (revocation_path IN ('native', 'connector', 'pg_role', 'manual')),
    runbook text CONSTRAINT system_runbook_valid CHECK (length(btrim(runbook)) BETWEEN 1 AND 4000),
    deadline interval CONSTRAINT system_deadline_positive CHECK (deadline > '0'::interval AND deadline <= '1 year'::interval),
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    CONSTRAINT system_pkey PRIMARY KEY (org_id, id),
    CONSTRAINT system_name_key UNIQUE (org_id, name),
    CONSTRAINT system_owner_fkey FOREIGN KEY (org_id, owner_id) REFERENCES steward.principal (org_id, id)
);
CREATE INDEX system_owner_idx ON steward.system (org_id, owner_id) WHERE owner_id IS NOT NULL;
COMMENT ON TABLE steward.system IS 'where a credential is accepted, and so how it is taken away';
COMMENT ON COLUMN steward.system.org_id IS 'organization';
COMMENT ON COLUMN steward.system.id IS 'identity';
COMMENT ON COLUMN steward.system.name IS 'name, unique in the organization';
COMMENT ON COLUMN steward.system.kind IS 'saas, cloud, database, ci, vault, mcp_server, model_provider or internal';
COMMENT ON COLUMN steward.system.owner_id IS 'the human who answers for it; only the built-in system has none';
COMMENT ON COLUMN steward.system.environment IS 'for example production';
COMMENT ON COLUMN steward.system.data_classification IS 'public, internal, confidential or restricted';
COMMENT ON COLUMN steward.system.criticality IS 'low, medium, high or critical';
COMMENT ON COLUMN steward.system.revocation_path IS 'native (here, at commit), connector (a worker does it), pg_role, manual (a person follows the runbook)';
COMMENT ON COLUMN steward.system.runbook IS 'endpoint of the connector, or what a person has to do';
COMMENT ON COLUMN steward.system.deadline IS 'how long a revocation there may take; the policy''s task_deadline where NULL';
COMMENT ON COLUMN steward.system.created_at IS 'when it was registered';

CREATE TABLE steward.scope_grant (
    org_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT steward.uuid7(),
    principal_id uuid NOT NULL,
    scopes steward.scope_set NOT NULL,
    source text NOT NULL CONSTRAINT scope_grant_source_known CHECK (source IN ('birthright', 'direct', 'request', 'break_glass')),
    justification text CONSTRAINT scope_grant_justification_valid CHECK (length(btrim(justification)) BETWEEN 1 AND 4000),
    requested_by name NOT NULL,
    approved_by uuid,
    ticket text CONSTRAINT scope_grant_ticket_valid CHECK (length(btrim(ticket)) BETWEEN 1 AND 200),
    starts_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    ends_at timestamptz NOT NULL DEFAULT 'infinity',
    ended_by_event uuid,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    CONSTRAINT scope_grant_pkey PRIMARY KEY (org_id, id),
    CONSTRAINT scope_grant_principal_fkey FOREIGN KEY (org_id, principal_id) REFERENCES steward.principal (org_id, id),
    CONSTRAINT scope_grant_approved_by_fkey FOREIGN KEY (org_id, approved_by) REFERENCES steward.principal (org_id, id),
    CONSTRAINT scope_grant_event_fkey FOREIGN KEY (org_id, ended_by_event) REFERENCES steward.lifecycle_event (org_id, id),
    CONSTRAINT scope_grant_direct_justified CHECK (source = 'birthright' OR justification IS NOT NULL),
    CONSTRAINT scope_grant_some_scope CHECK (steward.cardinality(scopes) > 0)
);
CREATE INDEX scope_grant_principal_idx ON steward.scope_grant (org_id, principal_id, ends_at);
COMMENT ON TABLE steward.scope_grant IS 'scopes given to a principal; the union of the live ones is its effective scopes';
COMMENT ON COLUMN steward.scope_grant.org_id IS 'organization';
COMMENT ON COLUMN steward.scope_grant.id IS 'identity';
COMMENT ON COLUMN steward.scope_grant.principal_id IS 'who was given them';
COMMENT ON COLUMN steward.scope_grant.scopes IS 'what is given';
COMMENT ON COLUMN steward.scope_grant.source IS 'birthright, direct, request or break_glass';
COMMENT ON COLUMN steward.scope_grant.justification IS 'why; only a birthright needs none';
COMMENT ON COLUMN steward.scope_grant.requested_by IS 'database role that asked';
COMMENT ON COLUMN steward.scope_grant.approved_by IS 'person who approved';
COMMENT ON COLUMN steward.scope_grant.ticket IS 'reference to the request';
COMMENT ON COLUMN steward.scope_grant.starts_at IS 'live from';
COMMENT ON COLUMN steward.scope_grant.ends_at IS 'live until; infinity where no end is set';
COMMENT ON COLUMN steward.scope_grant.ended_by_event IS 'lifecycle event that ended it';
COMMENT ON COLUMN steward.scope_grant.created_at IS 'when it was recorded';

CREATE TABLE steward.revocation (
    org_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT steward.uuid7(),
    reason text NOT NULL CONSTRAINT revocation_reason_known CHECK (reason IN ('unspecified', 'leak', 'compromise', 'leaver', 'owner_offboarded', 'superseded',
        'no_longer_needed', 'privilege_withdrawn', 'policy', 'unused', 'review', 'incident', 'duplicate', 'test')),
    note text CONSTRAINT revocation_note_valid CHECK (length(btrim(note)) BETWEEN 1 AND 4000),
    subject_kind text NOT NULL CONSTRAINT revocation_subject_known CHECK (subject_kind IN ('credential', 'principal', 'organization', 'filter')),
    subject_id uuid,
    lifecycle_event_id uuid,
    actor name NOT NULL,
    credentials bigint NOT NULL,
    principals bigint NOT NULL,
    pending_external bigint NOT NULL,
    revoked_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    CONSTRAINT revocation_pkey PRIMARY KEY (org_id, id),
    CONSTRAINT revocation_event_fkey FOREIGN KEY (org_id, lifecycle_event_id) REFERENCES steward.lifecycle_event (org_id, id)
);
CREATE INDEX revocation_event_idx ON steward.revocation (org_id, lifecycle_event_id) WHERE lifecycle_event_id IS NOT NULL;
COMMENT ON TABLE steward.revocation IS 'one act of revocation; its id is the receipt';
COMMENT ON COLUMN steward.revocation.org_id IS 'organization';
COMMENT ON COLUMN steward.revocation.id IS 'the receipt';
COMMENT ON COLUMN steward.revocation.reason IS 'reason, from a closed list';
COMMENT ON COLUMN steward.revocation.note IS 'what the actor had to say';
COMMENT ON COLUMN steward.revocation.subject_kind IS 'what was named: a credential, a principal, an organization or a filter';
COMMENT ON COLUMN steward.revocation.subject_id IS 'the named credential, principal or organization';
COMMENT ON COLUMN steward.revocation.lifecycle_event_id IS 'lifecycle event that caused it';
COMMENT ON COLUMN steward.revocation.actor IS 'database role that did it';
COMMENT ON COLUMN steward.revocation.credentials IS 'credentials revoked';
COMMENT ON COLUMN steward.revocation.principals IS 'principals stopped';
COMMENT ON COLUMN steward.revocation.pending_external IS 'of these, credentials that another system still has to kill';
COMMENT ON COLUMN steward.revocation.revoked_at IS 'when, inside the transaction';

CREATE TABLE steward.credential (
    org_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT steward.uuid7(),
    kind text NOT NULL CONSTRAINT credential_kind_known CHECK (kind IN ('api_key', 'oauth_client', 'access_token', 'refresh_token',
        'session', 'account', 'certificate', 'ssh_key', 'webhook_secret', 'password', 'pg_role', 'cloud_key', 'personal_access_token', 'signing_key')),
    state text NOT NULL CONSTRAINT credential_state_known CHECK (state IN ('discovered', 'active', 'suspended', 'revoked')),
    holder_id uuid,
    owner_id uuid,
    owner_since timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    second_owner_id uuid,
    system_id uuid NOT NULL,
    name text CONSTRAINT credential_name_valid CHECK (name = btrim(name) AND length(name) BETWEEN 1 AND 200),
    display text NOT NULL CONSTRAINT credential_display_valid CHECK (length(display) BETWEEN 1 AND 200),
    external_id text CONSTRAINT credential_external_id_valid CHECK (external_id = btrim(external_id) AND length(external_id) BETWEEN 1 AND 512),
    digest steward.digest,
    digest_version smallint,
    scopes steward.scope_set,
    observed_scopes steward.scope_set,
    external_permissions text[],
    not_before timestamptz,
    issued_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    expires_at timestamptz,
    rotate_by timestamptz,
    rotate_reason text,
    tokens_valid_after timestamptz NOT NULL DEFAULT '-infinity',
    auth_method text,
    storage_location text,
    parent_id uuid,
    parent_kind text CONSTRAINT credential_parent_kind_known CHECK (parent_kind IN ('rotated_from', 'delegated_from', 'issued_by', 'belongs_to')),
    environment text CONSTRAINT credential_environment_valid CHECK (environment = btrim(environment) AND length(environment) BETWEEN 1 AND 63),
    source text NOT NULL CONSTRAINT credential_source_known CHECK (source IN ('issued', 'registered', 'imported')),
    first_seen_at timestamptz,
    last_seen_at timestamptz,
    justification text CONSTRAINT credential_justification_valid CHECK (length(btrim(justification)) BETWEEN 1 AND 4000),
    ticket text CONSTRAINT credential_ticket_valid CHECK (length(btrim(ticket)) BETWEEN 1 AND 200),
    approved_by uuid,
    tags jsonb NOT NULL DEFAULT '{}',
    issued_by name NOT NULL,
    revocation_id uuid,
    revoked_at timestamptz,
    external_pending boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    CONSTRAINT credential_pkey PRIMARY KEY (org_id, id),
    CONSTRAINT credential_external_id_key UNIQUE (org_id, system_id, external_id),
    CONSTRAINT credential_holder_fkey FOREIGN KEY (org_id, holder_id) REFERENCES steward.principal (org_id, id),
    CONSTRAINT credential_owner_fkey FOREIGN KEY (org_id, owner_id) REFERENCES steward.principal (org_id, id),
    CONSTRAINT credential_second_owner_fkey FOREIGN KEY (org_id, second_owner_id) REFERENCES steward.principal (org_id, id),
    CONSTRAINT credential_approved_by_fkey FOREIGN KEY (org_id, approved_by) REFERENCES steward.principal (org_id, id),
    CONSTRAINT credential_system_fkey FOREIGN KEY (org_id, system_id) REFERENCES steward.system (org_id, id),
    CONSTRAINT credential_parent_fkey FOREIGN KEY (org_id, parent_id) REFERENCES steward.credential (org_id, id),
    CONSTRAINT credential_revocation_fkey FOREIGN KEY (org_id, revocation_id) REFERENCES steward.revocation (org_id, id),
    CONSTRAINT credential_governed CHECK (state = 'discovered' OR state = 'revoked' OR (holder_id IS NOT NULL AND owner_id IS NOT NULL AND scopes IS NOT NULL)),
    CONSTRAINT credential_revoked_since CHECK ((state = 'revoked') = (revoked_at IS NOT NULL AND revocation_id IS NOT NULL)),
    CONSTRAINT credential_pending_when_revoked CHECK (NOT external_pending OR state = 'revoked'),
    CONSTRAINT credential_parent_complete CHECK ((parent_id IS NULL) = (parent_kind IS NULL) AND parent_id <> id),
    CONSTRAINT credential_digest_versioned CHECK ((digest IS NULL) = (digest_version IS NULL)),
    CONSTRAINT credential_digest_of_high_entropy CHECK (digest IS NULL OR kind NOT IN ('password', 'pg_role', 'account')),
    CONSTRAINT credential_expires_after_start CHECK (expires_at > coalesce(not_before, issued_at) OR source <> 'issued')
);
CREATE INDEX credential_holder_idx ON steward.credential (org_id, holder_id, id) WHERE state <> 'revoked';
CREATE INDEX credential_owner_idx ON steward.credential (org_id, owner_id, id) WHERE state <> 'revoked';
CREATE INDEX credential_parent_idx ON steward.credential (org_id, parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX credential_expires_idx ON steward.credential (org_id, expires_at) WHERE state <> 'revoked';
CREATE INDEX credential_display_idx ON steward.credential (org_id, display);
CREATE INDEX credential_name_idx ON steward.credential (org_id, name) WHERE name IS NOT NULL;
CREATE INDEX credential_revocation_idx ON steward.credential (org_id, revocation_id) WHERE revocation_id IS NOT NULL;
COMMENT ON TABLE steward.credential IS 'whatever opens a door: whose it is, what it opens, how it is taken away; never the secret itself';
COMMENT ON COLUMN steward.credential.org_id IS 'organization';
COMMENT ON COLUMN steward.credential.id IS 'identity';
COMMENT ON COLUMN steward.credential.kind IS 'kind of credential';
COMMENT ON COLUMN steward.credential.state IS 'discovered, active, suspended or revoked; credential_status() gives the effective status';
COMMENT ON COLUMN steward.credential.holder_id IS 'who uses it';
COMMENT ON COLUMN steward.credential.owner_id IS 'the human who answers for it';
COMMENT ON COLUMN steward.credential.owner_since IS 'since when this owner answers for it; compared with the owner''s epoch';
COMMENT ON COLUMN steward.credential.second_owner_id IS 'a second human who answers for it';
COMMENT ON COLUMN steward.credential.system_id IS 'where it is accepted, and so how it is revoked';
COMMENT ON COLUMN steward.credential.name IS 'name for people';
COMMENT ON COLUMN steward.credential.display IS 'how it is shown; no character of the secret';
COMMENT ON COLUMN steward.credential.external_id IS 'its identifier in the system where it lives';
COMMENT ON COLUMN steward.credential.digest IS 'digest of the secret, for secrets of high entropy';
COMMENT ON COLUMN steward.credential.digest_version IS 'how the digest was made; 1 is SHA-256 over steward-key-1, organization, id and secret';
COMMENT ON COLUMN steward.credential.scopes IS 'intended scopes';
COMMENT ON COLUMN steward.credential.observed_scopes IS 'scopes that the foreign permissions amount to';
COMMENT ON COLUMN steward.credential.external_permissions IS 'permissions as the system where it lives names them';
COMMENT ON COLUMN steward.credential.not_before IS 'no check passes before this moment';
COMMENT ON COLUMN steward.credential.issued_at IS 'when it was made; compared with epochs';
COMMENT ON COLUMN steward.credential.expires_at IS 'no check passes from this moment on';
COMMENT ON COLUMN steward.credential.rotate_by IS 'no check passes from this moment on until it is rotated';
COMMENT ON COLUMN steward.credential.rotate_reason IS 'why it has to be rotated';
COMMENT ON COLUMN steward.credential.tokens_valid_after IS 'epoch: tokens derived from it at or before this moment are dead';
COMMENT ON COLUMN steward.credential.auth_method IS 'how it is presented';
COMMENT ON COLUMN steward.credential.storage_location IS 'where its holder keeps it';
COMMENT ON COLUMN steward.credential.parent_id IS 'credential it derives from';
COMMENT ON COLUMN steward.credential.parent_kind IS 'rotated_from, delegated_from, issued_by or belongs_to';
COMMENT ON COLUMN steward.credential.environment IS 'for example production';
COMMENT ON COLUMN steward.credential.source IS 'issued here, registered, or imported';
COMMENT ON COLUMN steward.credential.first_seen_at IS 'first seen where it lives';
COMMENT ON COLUMN steward.credential.last_seen_at IS 'last seen where it lives';
COMMENT ON COLUMN steward.credential.justification IS 'why it was allowed';
COMMENT ON COLUMN steward.credential.ticket IS 'reference to the request';
COMMENT ON COLUMN steward.credential.approved_by IS 'who approved it';
COMMENT ON COLUMN steward.credential.tags IS 'labels of the system where it lives';
COMMENT ON COLUMN steward.credential.issued_by IS 'database role that issued or registered it';
COMMENT ON COLUMN steward.credential.revocation_id IS 'the act that revoked it';
COMMENT ON COLUMN steward.credential.revoked_at IS 'when it was revoked';
COMMENT ON COLUMN steward.credential.external_pending IS 'revoked here, and not yet confirmed by the system where it lives';
COMMENT ON COLUMN steward.credential.created_at IS 'when the row was made';

CREATE TABLE steward.suspension (
    org_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT steward.uuid7(),
    principal_id uuid,
    credential_id uuid,
    cause text NOT NULL CONSTRAINT suspension_cause_known CHECK (cause IN ('leaver', 'directory', 'unlink', 'signal', 'leak', 'incident', 'policy', 'idle',
        'rotation_overdue', 'orphaned', 'review', 'manual')),
    reason text NOT NULL CONSTRAINT suspension_reason_valid CHECK (length(btrim(reason)) BETWEEN 1 AND 4000),
    lifecycle_event_id uuid,
    since timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    until timestamptz,
    lifted_at timestamptz,
    lifted_by name,
    lifted_by_event uuid,
    CONSTRAINT suspension_pkey PRIMARY KEY (org_id, id),
    CONSTRAINT suspension_principal_fkey FOREIGN KEY (org_id, principal_id) REFERENCES steward.principal (org_id, id),
    CONSTRAINT suspension_credential_fkey FOREIGN KEY (org_id, credential_id) REFERENCES steward.credential (org_id, id),
    CONSTRAINT suspension_event_fkey FOREIGN KEY (org_id, lifecycle_event_id) REFERENCES steward.lifecycle_event (org_id, id),
    CONSTRAINT suspension_lifted_event_fkey FOREIGN KEY (org_id, lifted_by_event) REFERENCES steward.lifecycle_event (org_id, id),
    CONSTRAINT suspension_one_subject CHECK (num_nonnulls(principal_id, credential_id) = 1),
    CONSTRAINT suspension_lifted_by CHECK ((lifted_at IS NULL) = (lifted_by IS NULL))
);
CREATE INDEX suspension_principal_idx ON steward.suspension (org_id, principal_id) WHERE lifted_at IS NULL AND principal_id IS NOT NULL;
CREATE INDEX suspension_credential_idx ON steward.suspension (org_id, credential_id) WHERE lifted_at IS NULL AND credential_id IS NOT NULL;
CREATE INDEX suspension_event_idx ON steward.suspension (org_id, lifecycle_event_id) WHERE lifecycle_event_id IS NOT NULL;
CREATE INDEX suspension_lifted_by_idx ON steward.suspension (org_id, lifted_by_event) WHERE lifted_by_event IS NOT NULL;
COMMENT ON TABLE steward.suspension IS 'a reason that a principal or credential may not act; several can hold at once, and lifting one leaves the others';
COMMENT ON COLUMN steward.suspension.org_id IS 'organization';
COMMENT ON COLUMN steward.suspension.id IS 'identity';
COMMENT ON COLUMN steward.suspension.principal_id IS 'suspended principal';
COMMENT ON COLUMN steward.suspension.credential_id IS 'suspended credential';
COMMENT ON COLUMN steward.suspension.cause IS 'cause, from a closed list';
COMMENT ON COLUMN steward.suspension.reason IS 'in words';
COMMENT ON COLUMN steward.suspension.lifecycle_event_id IS 'lifecycle event that caused it';
COMMENT ON COLUMN steward.suspension.since IS 'since when';
COMMENT ON COLUMN steward.suspension.until IS 'until when; NULL until lifted';
COMMENT ON COLUMN steward.suspension.lifted_at IS 'when it was lifted';
COMMENT ON COLUMN steward.suspension.lifted_by IS 'database role that lifted it';
COMMENT ON COLUMN steward.suspension.lifted_by_event IS 'lifecycle event that lifted it';

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
