-- Directories as their sources state them (SCIM vocabulary, RFC 7643).

CREATE TABLE steward.directory (
    org_id uuid NOT NULL CONSTRAINT directory_organization_fkey REFERENCES steward.organization (id),
    id uuid NOT NULL DEFAULT steward.uuid7(),
    name text NOT NULL CONSTRAINT directory_name_valid CHECK (name = btrim(name) AND length(name) BETWEEN 1 AND 200),
    kind text NOT NULL DEFAULT 'scim' CONSTRAINT directory_kind_known CHECK (kind IN ('scim', 'okta', 'entra', 'google', 'ldap', 'custom')),
    external_id text CONSTRAINT directory_external_id_valid CHECK (external_id = btrim(external_id) AND length(external_id) BETWEEN 1 AND 512),
    state text NOT NULL DEFAULT 'linked' CONSTRAINT directory_state_known CHECK (state IN ('linked', 'unlinked')),
    unlinked_at timestamptz,
    last_import_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    CONSTRAINT directory_pkey PRIMARY KEY (org_id, id),
    CONSTRAINT directory_name_key UNIQUE (org_id, name),
    CONSTRAINT directory_external_id_key UNIQUE (org_id, external_id)
);
COMMENT ON TABLE steward.directory IS 'a source of people: Okta, Entra ID, any SCIM source';
COMMENT ON COLUMN steward.directory.org_id IS 'organization';
COMMENT ON COLUMN steward.directory.id IS 'identity';
COMMENT ON COLUMN steward.directory.name IS 'name, unique in the organization';
COMMENT ON COLUMN steward.directory.kind IS 'product or protocol behind it';
COMMENT ON COLUMN steward.directory.state IS 'linked; unlinked makes leavers of everybody it alone vouches for';
COMMENT ON COLUMN steward.directory.external_id IS 'what its events call it';
COMMENT ON COLUMN steward.directory.unlinked_at IS 'when it was unlinked: the grace period runs from here';
COMMENT ON COLUMN steward.directory.last_import_at IS 'when import_directory() last ran for it';
COMMENT ON COLUMN steward.directory.created_at IS 'when it was made';

CREATE TABLE steward.directory_user (
    org_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT steward.uuid7(),
    directory_id uuid NOT NULL,
    external_id text NOT NULL CONSTRAINT directory_user_external_id_valid CHECK (external_id = btrim(external_id) AND length(external_id) BETWEEN 1 AND 512),
    source_id text,
    user_name text NOT NULL CONSTRAINT directory_user_user_name_valid CHECK (user_name = btrim(user_name) AND length(user_name) BETWEEN 1 AND 512),
    active boolean NOT NULL DEFAULT true,
    email text CONSTRAINT directory_user_email_valid CHECK (email = btrim(email) AND length(email) BETWEEN 3 AND 320),
    display_name text,
    given_name text,
    family_name text,
    title text,
    department text,
    cost_center text,
    employee_number text,
    manager_user_id uuid,
    user_type text,
    start_date timestamptz,
    end_date timestamptz,
    attributes jsonb NOT NULL DEFAULT '{}',
    version text,
    event_time timestamptz,
    activation_time timestamptz,
    inactive_since timestamptz,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    updated_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    CONSTRAINT directory_user_pkey PRIMARY KEY (org_id, id),
    CONSTRAINT directory_user_external_id_key UNIQUE (org_id, directory_id, external_id),
    CONSTRAINT directory_user_directory_fkey FOREIGN KEY (org_id, directory_id) REFERENCES steward.directory (org_id, id) ON DELETE CASCADE,
    CONSTRAINT directory_user_manager_fkey FOREIGN KEY (org_id, manager_user_id)
        REFERENCES steward.directory_user (org_id, id) ON DELETE SET NULL (manager_user_id)
);
CREATE UNIQUE INDEX directory_user_user_name_key ON steward.directory_user (org_id, lower(user_name), directory_id);
CREATE INDEX directory_user_manager_idx ON steward.directory_user (org_id, manager_user_id) WHERE manager_user_id IS NOT NULL;
COMMENT ON TABLE steward.directory_user IS 'a person as a directory states it; a change here is a lifecycle event in the same commit';
COMMENT ON COLUMN steward.directory_user.org_id IS 'organization';
COMMENT ON COLUMN steward.directory_user.id IS 'identity of the row; never changes';
COMMENT ON COLUMN steward.directory_user.directory_id IS 'directory that states it; never changes';
COMMENT ON COLUMN steward.directory_user.external_id IS 'the source''s stable identifier: SCIM externalId, or id where the source sends none';
COMMENT ON COLUMN steward.directory_user.source_id IS 'SCIM id: what manager and member references of the source point at';
COMMENT ON COLUMN steward.directory_user.user_name IS 'SCIM userName';
COMMENT ON COLUMN steward.directory_user.active IS 'SCIM active; false is a leaver';
COMMENT ON COLUMN steward.directory_user.email IS 'primary e-mail address';
COMMENT ON COLUMN steward.directory_user.display_name IS 'SCIM displayName';
COMMENT ON COLUMN steward.directory_user.given_name IS 'SCIM name.givenName';
COMMENT ON COLUMN steward.directory_user.family_name IS 'SCIM name.familyName';
COMMENT ON COLUMN steward.directory_user.title IS 'SCIM title';
COMMENT ON COLUMN steward.directory_user.department IS 'enterprise extension: department';
COMMENT ON COLUMN steward.directory_user.cost_center IS 'enterprise extension: costCenter';
COMMENT ON COLUMN steward.directory_user.employee_number IS 'enterprise extension: employeeNumber';
COMMENT ON COLUMN steward.directory_user.manager_user_id IS 'the manager''s row: first in line to take over what a leaver owned';
COMMENT ON COLUMN steward.directory_user.user_type IS 'SCIM userType, for example Contractor';
COMMENT ON COLUMN steward.directory_user.start_date IS 'first moment of the engagement; before it no check passes';
COMMENT ON COLUMN steward.directory_user.end_date IS 'end of the engagement; from that moment no check passes, and a past one is a leaver';
COMMENT ON COLUMN steward.directory_user.attributes IS 'what else the source sent';
COMMENT ON COLUMN steward.directory_user.version IS 'the source''s version of the resource (SCIM meta.version)';
COMMENT ON COLUMN steward.directory_user.event_time IS 'when the source says the change happened (SCIM meta.lastModified)';
COMMENT ON COLUMN steward.directory_user.activation_time IS 'event_time of the change that last made it active: only a deactivation older than that is ignored';
COMMENT ON COLUMN steward.directory_user.inactive_since IS 'since when it has been inactive: a grace period runs from here';
COMMENT ON COLUMN steward.directory_user.created_at IS 'when the row was made';
COMMENT ON COLUMN steward.directory_user.updated_at IS 'last change of the row';

CREATE TABLE steward.directory_group (
    org_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT steward.uuid7(),
    directory_id uuid NOT NULL,
    external_id text NOT NULL CONSTRAINT directory_group_external_id_valid CHECK (external_id = btrim(external_id) AND length(external_id) BETWEEN 1 AND 512),
    source_id text,
    display_name text NOT NULL CONSTRAINT directory_group_display_name_valid CHECK (length(btrim(display_name)) BETWEEN 1 AND 512),
    attributes jsonb NOT NULL DEFAULT '{}',
    version text,
    event_time timestamptz,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    updated_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    CONSTRAINT directory_group_pkey PRIMARY KEY (org_id, id),
    CONSTRAINT directory_group_external_id_key UNIQUE (org_id, directory_id, external_id),
    CONSTRAINT directory_group_directory_fkey FOREIGN KEY (org_id, directory_id) REFERENCES steward.directory (org_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE steward.directory_group IS 'a group as a directory states it';
COMMENT ON COLUMN steward.directory_group.org_id IS 'organization';
COMMENT ON COLUMN steward.directory_group.id IS 'identity of the row; never changes';
COMMENT ON COLUMN steward.directory_group.directory_id IS 'directory that states it; never changes';
COMMENT ON COLUMN steward.directory_group.external_id IS 'the source''s stable identifier: SCIM externalId, or id where the source sends none';
COMMENT ON COLUMN steward.directory_group.source_id IS 'SCIM id';
COMMENT ON COLUMN steward.directory_group.display_name IS 'SCIM displayName';
COMMENT ON COLUMN steward.directory_group.attributes IS 'what else the source sent';
COMMENT ON COLUMN steward.directory_group.version IS 'the source''s version of the resource';
COMMENT ON COLUMN steward.directory_group.event_time IS 'when the source says the change happened';
COMMENT ON COLUMN steward.directory_group.created_at IS 'when the row was made';
COMMENT ON COLUMN steward.directory_group.updated_at IS 'last change of the row';

CREATE TABLE steward.directory_member (
    org_id uuid NOT NULL,
    group_id uuid NOT NULL,
    user_id uuid NOT NULL,
    added_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    CONSTRAINT directory_member_pkey PRIMARY KEY (org_id, group_id, user_id),
    CONSTRAINT directory_member_group_fkey FOREIGN KEY (org_id, group_id) REFERENCES steward.directory_group (org_id, id) ON DELETE CASCADE,
    CONSTRAINT directory_member_user_fkey FOREIGN KEY (org_id, user_id) REFERENCES steward.directory_user (org_id, id) ON DELETE CASCADE
);
CREATE INDEX directory_member_user_idx ON steward.directory_member (org_id, user_id);
COMMENT ON TABLE steward.directory_member IS 'who is in which directory group';
COMMENT ON COLUMN steward.directory_member.org_id IS 'organization';
COMMENT ON COLUMN steward.directory_member.group_id IS 'group';
COMMENT ON COLUMN steward.directory_member.user_id IS 'member';
COMMENT ON COLUMN steward.directory_member.added_at IS 'since when';

CREATE TABLE steward.directory_policy (
    org_id uuid NOT NULL,
    directory_id uuid NOT NULL,
    rotation_window interval CONSTRAINT directory_policy_rotation_window_positive CHECK (rotation_window >= '0'::interval AND rotation_window <= '1 year'::interval),
    leaver_action text CONSTRAINT directory_policy_leaver_action_known CHECK (leaver_action IN ('revoke', 'suspend')),
    leaver_grace interval CONSTRAINT directory_policy_leaver_grace_sane CHECK (leaver_grace >= '0'::interval AND leaver_grace <= '1 year'::interval),
    mover_action text CONSTRAINT directory_policy_mover_action_known CHECK (mover_action IN ('narrow', 'suspend', 'flag')),
    rehire_action text CONSTRAINT directory_policy_rehire_action_known CHECK (rehire_action IN ('restore', 'hold')),
    inactive_action text CONSTRAINT directory_policy_inactive_action_known CHECK (inactive_action IN ('leave', 'suspend')),
    inactive_grace interval CONSTRAINT directory_policy_inactive_grace_sane CHECK (inactive_grace >= '0'::interval AND inactive_grace <= '10 years'::interval),
    unlink_grace interval CONSTRAINT directory_policy_unlink_grace_sane CHECK (unlink_grace >= '0'::interval AND unlink_grace <= '1 year'::interval),
    leaver_rule text CONSTRAINT directory_policy_leaver_rule_known CHECK (leaver_rule IN ('all', 'any')),
    succession text[] CONSTRAINT directory_policy_succession_known CHECK (succession <@ '{manager,department,organization}'::text[]
        AND array_position(succession, NULL) IS NULL AND cardinality(succession) <= 3
        AND (cardinality(succession) < 2 OR succession[1] <> succession[2])
        AND (cardinality(succession) < 3 OR (succession[3] <> succession[1] AND succession[3] <> succession[2]))),
    brake_count integer CONSTRAINT directory_policy_brake_count_positive CHECK (brake_count >= 0),
    brake_percent numeric CONSTRAINT directory_policy_brake_percent_sane CHECK (brake_percent BETWEEN 0 AND 100),
    updated_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    CONSTRAINT directory_policy_pkey PRIMARY KEY (org_id, directory_id),
    CONSTRAINT directory_policy_directory_fkey FOREIGN KEY (org_id, directory_id) REFERENCES steward.directory (org_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE steward.directory_policy IS 'where the people of one directory are treated otherwise than org_policy says; NULL: as it says';
COMMENT ON COLUMN steward.directory_policy.org_id IS 'organization';
COMMENT ON COLUMN steward.directory_policy.directory_id IS 'directory';
COMMENT ON COLUMN steward.directory_policy.rotation_window IS 'as in org_policy';
COMMENT ON COLUMN steward.directory_policy.leaver_action IS 'as in org_policy';
COMMENT ON COLUMN steward.directory_policy.leaver_grace IS 'as in org_policy';
COMMENT ON COLUMN steward.directory_policy.mover_action IS 'as in org_policy';
COMMENT ON COLUMN steward.directory_policy.rehire_action IS 'as in org_policy';
COMMENT ON COLUMN steward.directory_policy.inactive_action IS 'as in org_policy';
COMMENT ON COLUMN steward.directory_policy.inactive_grace IS 'as in org_policy';
COMMENT ON COLUMN steward.directory_policy.unlink_grace IS 'as in org_policy';
COMMENT ON COLUMN steward.directory_policy.leaver_rule IS 'any: losing this directory is leaving, whatever the others say';
COMMENT ON COLUMN steward.directory_policy.succession IS 'as in org_policy';
COMMENT ON COLUMN steward.directory_policy.brake_count IS 'as in org_policy';
COMMENT ON COLUMN steward.directory_policy.brake_percent IS 'as in org_policy';
COMMENT ON COLUMN steward.directory_policy.updated_at IS 'last change';

CREATE TABLE steward.directory_event (
    org_id uuid NOT NULL CONSTRAINT directory_event_organization_fkey REFERENCES steward.organization (id),
    id uuid NOT NULL DEFAULT steward.uuid7(),
    directory_id uuid,
    source_event_id text CONSTRAINT directory_event_source_event_id_valid CHECK (length(source_event_id) BETWEEN 1 AND 512),
    event text NOT NULL,
    subject text,
    outcome text NOT NULL CONSTRAINT directory_event_outcome_known CHECK (outcome IN ('applied', 'stale')),
    detail jsonb NOT NULL DEFAULT '{}',
    event_time timestamptz,
    received_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    CONSTRAINT directory_event_pkey PRIMARY KEY (org_id, id),
    CONSTRAINT directory_event_source_event_id_key UNIQUE (org_id, source_event_id)
);
CREATE INDEX directory_event_subject_idx ON steward.directory_event (org_id, directory_id, subject, event_time);
COMMENT ON TABLE steward.directory_event IS 'events as a source sent them: each id is applied once, and what came too late is on record';
COMMENT ON COLUMN steward.directory_event.org_id IS 'organization';
COMMENT ON COLUMN steward.directory_event.id IS 'identity';
COMMENT ON COLUMN steward.directory_event.directory_id IS 'directory that it is about (it may be gone)';
COMMENT ON COLUMN steward.directory_event.source_event_id IS 'the source''s id of the event';
COMMENT ON COLUMN steward.directory_event.event IS 'what the source calls it; update for a row that was written directly';
COMMENT ON COLUMN steward.directory_event.subject IS 'external id of the user or group';
COMMENT ON COLUMN steward.directory_event.outcome IS 'applied, or stale: something newer was known';
COMMENT ON COLUMN steward.directory_event.detail IS 'what a stale change would have changed; what previous_attributes say that was not so';
COMMENT ON COLUMN steward.directory_event.event_time IS 'when the source says it happened';
COMMENT ON COLUMN steward.directory_event.received_at IS 'when it came';

CREATE TABLE steward.directory_sync (
    org_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT steward.uuid7(),
    directory_id uuid NOT NULL,
    state text NOT NULL DEFAULT 'open' CONSTRAINT directory_sync_state_known CHECK (state IN ('open', 'ended', 'abandoned')),
    began_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    began_by name NOT NULL,
    ended_at timestamptz,
    seen bigint,
    left_users bigint,
    left_groups bigint,
    CONSTRAINT directory_sync_pkey PRIMARY KEY (org_id, id),
    CONSTRAINT directory_sync_directory_fkey FOREIGN KEY (org_id, directory_id) REFERENCES steward.directory (org_id, id) ON DELETE CASCADE,
    CONSTRAINT directory_sync_ended_since CHECK ((state = 'open') = (ended_at IS NULL))
);
CREATE UNIQUE INDEX directory_sync_one_open ON steward.directory_sync (org_id, directory_id) WHERE state = 'open';
COMMENT ON TABLE steward.directory_sync IS 'full resynchronizations: whoever is not seen between begin and end has left';
COMMENT ON COLUMN steward.directory_sync.org_id IS 'organization';
COMMENT ON COLUMN steward.directory_sync.id IS 'identity';
COMMENT ON COLUMN steward.directory_sync.directory_id IS 'directory';
COMMENT ON COLUMN steward.directory_sync.state IS 'open, ended or abandoned';
COMMENT ON COLUMN steward.directory_sync.began_at IS 'when it began';
COMMENT ON COLUMN steward.directory_sync.began_by IS 'database role that began it';
COMMENT ON COLUMN steward.directory_sync.ended_at IS 'when it ended';
COMMENT ON COLUMN steward.directory_sync.seen IS 'users and groups seen';
COMMENT ON COLUMN steward.directory_sync.left_users IS 'users that were not seen and have left';
COMMENT ON COLUMN steward.directory_sync.left_groups IS 'groups that were not seen and are gone';

CREATE TABLE steward.directory_sync_seen (
    org_id uuid NOT NULL,
    sync_id uuid NOT NULL,
    row_id uuid NOT NULL,
    CONSTRAINT directory_sync_seen_pkey PRIMARY KEY (org_id, sync_id, row_id),
    CONSTRAINT directory_sync_seen_sync_fkey FOREIGN KEY (org_id, sync_id) REFERENCES steward.directory_sync (org_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE steward.directory_sync_seen IS 'which rows an open resynchronization has seen; emptied at its end';
COMMENT ON COLUMN steward.directory_sync_seen.org_id IS 'organization';
COMMENT ON COLUMN steward.directory_sync_seen.sync_id IS 'resynchronization';
COMMENT ON COLUMN steward.directory_sync_seen.row_id IS 'id of the row of directory_user or directory_group';

CREATE TABLE steward.brake_confirmation (
    org_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT steward.uuid7(),
    directory_id uuid NOT NULL,
    xact xid8 NOT NULL DEFAULT pg_catalog.pg_current_xact_id(),
    leavers bigint NOT NULL CONSTRAINT brake_confirmation_leavers_positive CHECK (leavers > 0),
    reason text NOT NULL CONSTRAINT brake_confirmation_reason_valid CHECK (length(btrim(reason)) BETWEEN 1 AND 4000),
    confirmed_by name NOT NULL,
    confirmed_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    CONSTRAINT brake_confirmation_pkey PRIMARY KEY (org_id, id)
);
CREATE INDEX brake_confirmation_xact_idx ON steward.brake_confirmation (org_id, directory_id, xact);
COMMENT ON TABLE steward.brake_confirmation IS 'mass departures that somebody confirmed; each holds for its own transaction';
COMMENT ON COLUMN steward.brake_confirmation.org_id IS 'organization';
COMMENT ON COLUMN steward.brake_confirmation.id IS 'identity';
COMMENT ON COLUMN steward.brake_confirmation.directory_id IS 'directory';
COMMENT ON COLUMN steward.brake_confirmation.xact IS 'transaction it holds for';
COMMENT ON COLUMN steward.brake_confirmation.leavers IS 'the most leavers it allows';
COMMENT ON COLUMN steward.brake_confirmation.reason IS 'why';
COMMENT ON COLUMN steward.brake_confirmation.confirmed_by IS 'database role that confirmed';
COMMENT ON COLUMN steward.brake_confirmation.confirmed_at IS 'when';
