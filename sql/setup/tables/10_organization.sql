-- Organizations, who may do what in them, and their policies.

CREATE TABLE steward.installation (
    only_one boolean CONSTRAINT installation_pkey PRIMARY KEY DEFAULT true CONSTRAINT installation_only_one CHECK (only_one),
    schema_version text NOT NULL,
    set_up_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    updated_at timestamptz NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE steward.installation IS 'the one row that says which release of steward made this schema';
COMMENT ON COLUMN steward.installation.only_one IS 'always true: the table has one row';
COMMENT ON COLUMN steward.installation.schema_version IS 'release whose setup() ran last';
COMMENT ON COLUMN steward.installation.set_up_at IS 'when setup() first ran here';
COMMENT ON COLUMN steward.installation.updated_at IS 'when setup() last brought the schema up to date';

CREATE TABLE steward.organization (
    id uuid NOT NULL DEFAULT steward.uuid7() CONSTRAINT organization_pkey PRIMARY KEY,
    slug text NOT NULL CONSTRAINT organization_slug_key UNIQUE
        CONSTRAINT organization_slug_valid CHECK (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    name text NOT NULL CONSTRAINT organization_name_valid CHECK (name = btrim(name) AND length(name) BETWEEN 1 AND 200),
    state text NOT NULL DEFAULT 'active' CONSTRAINT organization_state_known CHECK (state IN ('active', 'suspended', 'closed')),
    tokens_valid_after timestamptz NOT NULL DEFAULT '-infinity',
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE steward.organization IS 'a tenant: everything else belongs to exactly one';
COMMENT ON COLUMN steward.organization.id IS 'the org_id of every other table';
COMMENT ON COLUMN steward.organization.slug IS 'short unique name for use_org() and setup()';
COMMENT ON COLUMN steward.organization.name IS 'name for people';
COMMENT ON COLUMN steward.organization.state IS 'active, or every check in it says organization_inactive';
COMMENT ON COLUMN steward.organization.tokens_valid_after IS 'epoch: what was issued at or before this moment is dead';
COMMENT ON COLUMN steward.organization.created_at IS 'when it was made';

CREATE TABLE steward.profile_grant (
    org_id uuid NOT NULL CONSTRAINT profile_grant_organization_fkey REFERENCES steward.organization (id),
    role_name name NOT NULL,
    profile text NOT NULL
        CONSTRAINT profile_grant_profile_known CHECK (profile IN ('app', 'connector', 'analyst', 'auditor', 'security', 'admin')),
    granted_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    granted_by name NOT NULL,
    CONSTRAINT profile_grant_pkey PRIMARY KEY (org_id, role_name, profile)
);
COMMENT ON TABLE steward.profile_grant IS 'which database role holds which profile in which organization';
COMMENT ON COLUMN steward.profile_grant.org_id IS 'organization';
COMMENT ON COLUMN steward.profile_grant.role_name IS 'database role, by name: its members hold the profile too';
COMMENT ON COLUMN steward.profile_grant.profile IS 'app, connector, analyst, auditor, security or admin';
COMMENT ON COLUMN steward.profile_grant.granted_at IS 'since when';
COMMENT ON COLUMN steward.profile_grant.granted_by IS 'database role that granted it';

CREATE TABLE steward.org_policy (
    org_id uuid NOT NULL CONSTRAINT org_policy_pkey PRIMARY KEY
        CONSTRAINT org_policy_organization_fkey REFERENCES steward.organization (id),
    implicit_grant boolean NOT NULL DEFAULT true,
    rotation_window interval NOT NULL DEFAULT '7 days'
        CONSTRAINT org_policy_rotation_window_positive CHECK (rotation_window >= '0'::interval AND rotation_window <= '1 year'::interval),
    agent_within_owner boolean NOT NULL DEFAULT false,
    use_complete_since timestamptz,
    task_deadline interval NOT NULL DEFAULT '24 hours'
        CONSTRAINT org_policy_task_deadline_positive CHECK (task_deadline > '0'::interval AND task_deadline <= '1 year'::interval),
    audit_retention interval CONSTRAINT org_policy_audit_retention_valid CHECK (audit_retention >= '1 day'::interval),
    audit_daily_quota bigint CONSTRAINT org_policy_audit_daily_quota_valid CHECK (audit_daily_quota >= 0),
    audit_registered_actions boolean NOT NULL DEFAULT false,
    checkpoint_delivery interval NOT NULL DEFAULT '24 hours'
        CONSTRAINT org_policy_checkpoint_delivery_positive CHECK (checkpoint_delivery > '0'::interval),
    record_denials boolean NOT NULL DEFAULT false,
    delegation_depth integer NOT NULL DEFAULT 3 CONSTRAINT org_policy_delegation_depth_bounded CHECK (delegation_depth BETWEEN 0 AND 8),
    leaver_action text NOT NULL DEFAULT 'revoke' CONSTRAINT org_policy_leaver_action_known CHECK (leaver_action IN ('revoke', 'suspend')),
    leaver_grace interval NOT NULL DEFAULT '30 days'
        CONSTRAINT org_policy_leaver_grace_sane CHECK (leaver_grace >= '0'::interval AND leaver_grace <= '1 year'::interval),
    mover_action text NOT NULL DEFAULT 'flag' CONSTRAINT org_policy_mover_action_known CHECK (mover_action IN ('narrow', 'suspend', 'flag')),
    rehire_action text NOT NULL DEFAULT 'restore' CONSTRAINT org_policy_rehire_action_known CHECK (rehire_action IN ('restore', 'hold')),
    inactive_action text NOT NULL DEFAULT 'leave' CONSTRAINT org_policy_inactive_action_known CHECK (inactive_action IN ('leave', 'suspend')),
    inactive_grace interval NOT NULL DEFAULT '30 days'
        CONSTRAINT org_policy_inactive_grace_sane CHECK (inactive_grace >= '0'::interval AND inactive_grace <= '10 years'::interval),
    unlink_grace interval NOT NULL DEFAULT '0'
        CONSTRAINT org_policy_unlink_grace_sane CHECK (unlink_grace >= '0'::interval AND unlink_grace <= '1 year'::interval),
    leaver_rule text NOT NULL DEFAULT 'all' CONSTRAINT org_policy_leaver_rule_known CHECK (leaver_rule IN ('all', 'any')),
    succession text[] NOT NULL DEFAULT '{manager,department,organization}'
        CONSTRAINT org_policy_succession_known CHECK (succession <@ '{manager,department,organization}'::text[]
            AND array_position(succession, NULL) IS NULL AND cardinality(succession) <= 3
            AND (cardinality(succession) < 2 OR succession[1] <> succession[2])
            AND (cardinality(succession) < 3 OR (succession[3] <> succession[1] AND succession[3] <> succession[2]))),
    default_owner_id uuid,
    brake_count integer NOT NULL DEFAULT 20 CONSTRAINT org_policy_brake_count_positive CHECK (brake_count >= 0),
    brake_percent numeric NOT NULL DEFAULT 10 CONSTRAINT org_policy_brake_percent_sane CHECK (brake_percent BETWEEN 0 AND 100),
    updated_at timestamptz NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE steward.org_policy IS 'the rules an organization chose; one row each';
COMMENT ON COLUMN steward.org_policy.org_id IS 'organization';
COMMENT ON COLUMN steward.org_policy.implicit_grant IS 'whether a key issued by an admin records a direct grant for the scopes its holder lacks';
COMMENT ON COLUMN steward.org_policy.rotation_window IS 'how long secrets that a former owner could have known stay valid';
COMMENT ON COLUMN steward.org_policy.agent_within_owner IS 'whether the credentials of an agent must be within what its owner was granted';
COMMENT ON COLUMN steward.org_policy.use_complete_since IS 'since when all use is recorded here, as the organization declares; before that, idle rules only flag';
COMMENT ON COLUMN steward.org_policy.task_deadline IS 'how long a revocation outside may take where the system names no deadline of its own';
COMMENT ON COLUMN steward.org_policy.audit_retention IS 'how long the content of sealed audit events is kept; NULL: for ever';
COMMENT ON COLUMN steward.org_policy.audit_daily_quota IS 'how many events applications may record in a day; NULL: any number';
COMMENT ON COLUMN steward.org_policy.audit_registered_actions IS 'whether applications may record registered actions only';
COMMENT ON COLUMN steward.org_policy.checkpoint_delivery IS 'how old the last delivered checkpoint may be before that is a finding';
COMMENT ON COLUMN steward.org_policy.record_denials IS 'whether denials of known credentials are counted in token_denial';
COMMENT ON COLUMN steward.org_policy.delegation_depth IS 'how many actors the chain of an exchanged token may have';
COMMENT ON COLUMN steward.org_policy.leaver_action IS 'what becomes of a leaver''s own credentials: revoke at once, or suspend and revoke after leaver_grace';
COMMENT ON COLUMN steward.org_policy.leaver_grace IS 'with leaver_action suspend: how long coming back can still revive them';
COMMENT ON COLUMN steward.org_policy.mover_action IS 'what becomes of a credential that its holder''s grants no longer cover: narrow, suspend or flag';
COMMENT ON COLUMN steward.org_policy.rehire_action IS 'whether coming back restores what the leaver event suspended, or holds it for somebody to decide';
COMMENT ON COLUMN steward.org_policy.inactive_action IS 'what active = false means: leave, or suspend and leave after inactive_grace';
COMMENT ON COLUMN steward.org_policy.inactive_grace IS 'with inactive_action suspend: how long until it is a leaver';
COMMENT ON COLUMN steward.org_policy.unlink_grace IS 'how long people of an unlinked directory are suspended before they have left';
COMMENT ON COLUMN steward.org_policy.leaver_rule IS 'of somebody in several directories: all (left when none vouches any more) or any (left when one no longer does)';
COMMENT ON COLUMN steward.org_policy.succession IS 'who takes over from a leaver, in this order: manager, department, organization; then nobody';
COMMENT ON COLUMN steward.org_policy.default_owner_id IS 'who takes over for the organization';
COMMENT ON COLUMN steward.org_policy.brake_count IS 'so many leavers in one transaction need no confirmation';
COMMENT ON COLUMN steward.org_policy.brake_percent IS 'nor so many percent of a directory''s people, if that is more';
COMMENT ON COLUMN steward.org_policy.updated_at IS 'last change';

CREATE TABLE steward.credential_policy (
    org_id uuid NOT NULL CONSTRAINT credential_policy_organization_fkey REFERENCES steward.organization (id),
    kind text NOT NULL CONSTRAINT credential_policy_kind_known CHECK (kind IN ('api_key', 'oauth_client', 'access_token', 'refresh_token',
        'session', 'account', 'certificate', 'ssh_key', 'webhook_secret', 'password', 'pg_role', 'cloud_key', 'personal_access_token', 'signing_key')),
    default_lifetime interval NOT NULL DEFAULT '90 days',
    max_lifetime interval NOT NULL DEFAULT '1 year',
    rotate_every interval CONSTRAINT credential_policy_rotate_every_positive CHECK (rotate_every > '0'::interval),
    idle_limit interval NOT NULL DEFAULT '90 days' CONSTRAINT credential_policy_idle_limit_days CHECK (idle_limit >= '1 day'::interval),
    allowed_for_agents boolean NOT NULL DEFAULT true,
    ceiling steward.scope_set,
    updated_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    CONSTRAINT credential_policy_pkey PRIMARY KEY (org_id, kind),
    CONSTRAINT credential_policy_lifetimes_ordered
        CHECK (default_lifetime > '0'::interval AND default_lifetime <= max_lifetime AND max_lifetime <= '10 years'::interval)
);
COMMENT ON TABLE steward.credential_policy IS 'the rules of an organization for one kind of credential';
COMMENT ON COLUMN steward.credential_policy.org_id IS 'organization';
COMMENT ON COLUMN steward.credential_policy.kind IS 'kind of credential';
COMMENT ON COLUMN steward.credential_policy.default_lifetime IS 'lifetime where the caller names none';
COMMENT ON COLUMN steward.credential_policy.max_lifetime IS 'longest lifetime that can be asked for';
COMMENT ON COLUMN steward.credential_policy.rotate_every IS 'age from which it counts as due for rotation; NULL for no rule';
COMMENT ON COLUMN steward.credential_policy.idle_limit IS 'without use for longer than this it counts as stale';
COMMENT ON COLUMN steward.credential_policy.allowed_for_agents IS 'whether AI agents may hold one';
COMMENT ON COLUMN steward.credential_policy.ceiling IS 'scopes beyond which none goes; NULL for no ceiling';
COMMENT ON COLUMN steward.credential_policy.updated_at IS 'last change';
