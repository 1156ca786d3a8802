-- Directories as their sources state them (SCIM vocabulary, RFC 7643).

CREATE TABLE steward.directory (
    org_id uuid NOT NULL CONSTRAINT directory_organization_fkey REFERENCES steward.organization (id),
    id uuid NOT NULL DEFAULT steward.uuid7(),
    name text NOT NULL CONSTRAINT directory_name_valid CHECK (name = btrim(name) AND length(name) BETWEEN 1 AND 200),
    kind text NOT NULL DEFAULT 'scim' CONSTRAINT directory_kind_known CHECK (kind IN ('scim', 'okta', 'entra', 'google', 'ldap', 'custom')),
    state text NOT NULL DEFAULT 'linked' CONSTRAINT directory_state_known CHECK (state IN ('linked', 'unlinked')),
    last_import_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    CONSTRAINT directory_pkey PRIMARY KEY (org_id, id),
    CONSTRAINT directory_name_key UNIQUE (org_id, name)
);
COMMENT ON TABLE steward.directory IS 'a source of people: Okta, Entra ID, any SCIM source';
COMMENT ON COLUMN steward.directory.org_id IS 'organization';
COMMENT ON COLUMN steward.directory.id IS 'identity';
COMMENT ON COLUMN steward.directory.name IS 'name, unique in the organization';
COMMENT ON COLUMN steward.directory.kind IS 'product or protocol behind it';
COMMENT ON COLUMN steward.directory.state IS 'linked; unlinked makes leavers of everybody it alone vouches for';
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
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    updated_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    CONSTRAINT directory_user_pkey PRIMARY KEY (org_id, id),
    CONSTRAINT directory_user_external_id_key UNIQUE (org_id, directory_id, external_id),
    CONSTRAINT directory_user_directory_fkey FOREIGN KEY (org_id, directory_id) REFERENCES steward.directory (org_id, id) ON DELETE CASCADE,
    CONSTRAINT directory_user_manager_fkey FOREIGN KEY (org_id, manager_user_id)
        REFERENCES steward.directory_user (org_id, id) ON DELETE SET NULL (manager_user_id)
);
CREATE UNIQUE INDEX directory_user_user_name_key ON steward.directory_user (org_id, directory_id, lower(user_name));
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
