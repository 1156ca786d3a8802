-- AI-enabled workflows: what they are made of, and every credential they can use.

CREATE TABLE steward.workflow (
    org_id uuid NOT NULL CONSTRAINT workflow_organization_fkey REFERENCES steward.organization (id),
    id uuid NOT NULL DEFAULT steward.uuid7(),
    name text NOT NULL CONSTRAINT workflow_name_valid CHECK (name = btrim(name) AND length(name) BETWEEN 1 AND 200),
    owner_id uuid NOT NULL,
    purpose text NOT NULL CONSTRAINT workflow_purpose_valid CHECK (length(btrim(purpose)) BETWEEN 1 AND 4000),
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    CONSTRAINT workflow_pkey PRIMARY KEY (org_id, id),
    CONSTRAINT workflow_name_key UNIQUE (org_id, name),
    CONSTRAINT workflow_owner_fkey FOREIGN KEY (org_id, owner_id) REFERENCES steward.principal (org_id, id)
);
COMMENT ON TABLE steward.workflow IS 'an AI-enabled workflow and who answers for it';
COMMENT ON COLUMN steward.workflow.org_id IS 'organization';
COMMENT ON COLUMN steward.workflow.id IS 'identity';
COMMENT ON COLUMN steward.workflow.name IS 'name, unique in the organization';
COMMENT ON COLUMN steward.workflow.owner_id IS 'the human who answers for it';
COMMENT ON COLUMN steward.workflow.purpose IS 'what it is for';
COMMENT ON COLUMN steward.workflow.created_at IS 'when it was made';

CREATE TABLE steward.workflow_member (
    org_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT steward.uuid7(),
    workflow_id uuid NOT NULL,
    principal_id uuid,
    credential_id uuid,
    needs steward.scope_set,
    why text CONSTRAINT workflow_member_why_valid CHECK (length(btrim(why)) BETWEEN 1 AND 4000),
    added_by name NOT NULL,
    added_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    CONSTRAINT workflow_member_pkey PRIMARY KEY (org_id, id),
    CONSTRAINT workflow_member_principal_key UNIQUE (org_id, workflow_id, principal_id),
    CONSTRAINT workflow_member_credential_key UNIQUE (org_id, workflow_id, credential_id),
    CONSTRAINT workflow_member_workflow_fkey FOREIGN KEY (org_id, workflow_id) REFERENCES steward.workflow (org_id, id),
    CONSTRAINT workflow_member_principal_fkey FOREIGN KEY (org_id, principal_id) REFERENCES steward.principal (org_id, id),
    CONSTRAINT workflow_member_credential_fkey FOREIGN KEY (org_id, credential_id) REFERENCES steward.credential (org_id, id),
    CONSTRAINT workflow_member_one CHECK (num_nonnulls(principal_id, credential_id) = 1)
);
COMMENT ON TABLE steward.workflow_member IS 'an agent, service or credential that a workflow uses; what its agents hold or reach need not be listed';
COMMENT ON COLUMN steward.workflow_member.org_id IS 'organization';
COMMENT ON COLUMN steward.workflow_member.id IS 'identity';
COMMENT ON COLUMN steward.workflow_member.workflow_id IS 'workflow';
COMMENT ON COLUMN steward.workflow_member.principal_id IS 'agent or service in it';
COMMENT ON COLUMN steward.workflow_member.credential_id IS 'credential in it';
COMMENT ON COLUMN steward.workflow_member.needs IS 'scopes that the workflow needs of it';
COMMENT ON COLUMN steward.workflow_member.why IS 'why';
COMMENT ON COLUMN steward.workflow_member.added_by IS 'database role that added it';
COMMENT ON COLUMN steward.workflow_member.added_at IS 'when';
