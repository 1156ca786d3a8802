-- What people are given for who they are.

CREATE TABLE steward.birthright_rule (
    org_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT steward.uuid7(),
    name text NOT NULL CONSTRAINT birthright_rule_name_valid CHECK (name = btrim(name) AND length(name) BETWEEN 1 AND 200),
    directory_id uuid,
    attribute text NOT NULL CONSTRAINT birthright_rule_attribute_known
        CHECK (attribute IN ('everyone', 'group', 'user_name', 'email', 'title', 'department', 'cost_center', 'employee_number', 'user_type')
            OR attribute ~ '^attributes\.[^.]+$'),
    operator text NOT NULL DEFAULT 'equals' CONSTRAINT birthright_rule_operator_known
        CHECK (operator IN ('equals', 'not_equals', 'starts_with', 'ends_with', 'present')),
    value text CONSTRAINT birthright_rule_value_valid CHECK (length(value) BETWEEN 1 AND 512),
    scopes steward.scope_set,
    role_id uuid,
    lifetime interval CONSTRAINT birthright_rule_lifetime_positive CHECK (lifetime > '0'::interval),
    enabled boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    CONSTRAINT birthright_rule_pkey PRIMARY KEY (org_id, id),
    CONSTRAINT birthright_rule_name_key UNIQUE (org_id, name),
    CONSTRAINT birthright_rule_directory_fkey FOREIGN KEY (org_id, directory_id) REFERENCES steward.directory (org_id, id) ON DELETE CASCADE,
    CONSTRAINT birthright_rule_role_fkey FOREIGN KEY (org_id, role_id) REFERENCES steward.role (org_id, id),
    CONSTRAINT birthright_rule_scopes_or_role CHECK ((scopes IS NULL) <> (role_id IS NULL)),
    CONSTRAINT birthright_rule_some_scope CHECK (scopes::text <> ''),
    CONSTRAINT birthright_rule_value_where_compared CHECK ((value IS NULL) = (attribute = 'everyone' OR operator = 'present'))
);
CREATE INDEX scope_grant_rule_idx ON steward.scope_grant (org_id, principal_id, rule_id) WHERE rule_id IS NOT NULL;
COMMENT ON TABLE steward.birthright_rule IS 'which group, department or attribute gives which scopes or role';
COMMENT ON COLUMN steward.birthright_rule.org_id IS 'organization';
COMMENT ON COLUMN steward.birthright_rule.id IS 'identity';
COMMENT ON COLUMN steward.birthright_rule.name IS 'name, unique in the organization';
COMMENT ON COLUMN steward.birthright_rule.directory_id IS 'directory that has to say so; NULL for any';
COMMENT ON COLUMN steward.birthright_rule.attribute IS 'everyone, group, a column of directory_user, or attributes.<name> for what else the source sent';
COMMENT ON COLUMN steward.birthright_rule.operator IS 'equals, not_equals, starts_with, ends_with or present; compared without regard to case';
COMMENT ON COLUMN steward.birthright_rule.value IS 'what it is compared with';
COMMENT ON COLUMN steward.birthright_rule.scopes IS 'what is given; NULL where a role is';
COMMENT ON COLUMN steward.birthright_rule.role_id IS 'role that is given; NULL where scopes are';
COMMENT ON COLUMN steward.birthright_rule.lifetime IS 'how long, from the day it is given; NULL as long as the rule matches';
COMMENT ON COLUMN steward.birthright_rule.enabled IS 'whether it gives anything now';
COMMENT ON COLUMN steward.birthright_rule.created_at IS 'when it was made';
