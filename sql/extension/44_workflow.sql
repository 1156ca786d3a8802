-- Functions of workflows.

CREATE FUNCTION steward.register_workflow(name text, owner text, purpose text, org uuid DEFAULT steward.default_org(), OUT workflow_id uuid)
    AS 'MODULE_PATHNAME', 'steward_register_workflow' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.register_workflow(text, text, text, uuid) IS 'registers an AI-enabled workflow with the human who answers for it';
CREATE FUNCTION steward.add_to_workflow(workflow text, object text, needs steward.scope_set DEFAULT NULL, why text DEFAULT NULL,
    org uuid DEFAULT steward.default_org(), OUT added boolean)
    AS 'MODULE_PATHNAME', 'steward_add_to_workflow' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.add_to_workflow(text, text, steward.scope_set, text, uuid) IS 'adds an agent, service or credential to a workflow';
