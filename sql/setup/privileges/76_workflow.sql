-- Workflows are registered by administrators and read by analysts.

GRANT EXECUTE ON FUNCTION steward.register_workflow(text, text, text, uuid), steward.add_to_workflow(text, text, steward.scope_set, text, uuid)
    TO steward_admin;
GRANT SELECT ON steward.workflow_credentials TO steward_analyst;
