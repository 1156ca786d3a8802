-- The inventory: administrators register, applications issue keys, analysts read.

GRANT EXECUTE ON FUNCTION
    steward.register_service(text, text, text, text, text, text, uuid),
    steward.register_service(text, uuid, text, text, text, text, uuid),
    steward.register_agent(text, text, text, text, text, text, text, text, text, text, text, text, text, uuid),
    steward.register_agent(text, uuid, text, text, text, text, text, text, text, text, text, text, text, uuid),
    steward.register_system(text, text, text, text, text, interval, text, text, text, uuid),
    steward.register_system(text, uuid, text, text, text, interval, text, text, text, uuid),
    steward.grant_scopes(text, steward.scope_set, text, text, timestamptz, uuid),
    steward.grant_scopes(uuid, steward.scope_set, text, text, timestamptz, uuid),
    steward.register_credential(text, text, text, text, steward.scope_set, text, text, timestamptz, steward.digest, text[], text, text, text, text, uuid),
    steward.register_credential(text, uuid, text, text, steward.scope_set, text, text, timestamptz, steward.digest, text[], text, text, text, text, uuid)
    TO steward_admin;
GRANT EXECUTE ON FUNCTION
    steward.issue_key(text, steward.scope_set, text, interval, text, text, text, text, uuid),
    steward.issue_key(uuid, steward.scope_set, text, interval, text, text, text, text, uuid)
    TO steward_app;
GRANT EXECUTE ON FUNCTION steward.credential_status(record) TO steward_analyst;
GRANT SELECT ON steward.credential_inventory TO steward_analyst;
GRANT EXECUTE ON FUNCTION
    steward.suspend(text, text, text, timestamptz, uuid), steward.suspend(uuid, text, text, timestamptz, uuid),
    steward.reinstate(text, text, text, uuid), steward.reinstate(uuid, text, text, uuid)
    TO steward_security;
GRANT EXECUTE ON FUNCTION
    steward.transfer_ownership(text, text, text, uuid), steward.transfer_ownership(uuid, text, text, uuid),
    steward.set_second_owner(text, text, uuid), steward.set_second_owner(uuid, text, uuid)
    TO steward_admin;
GRANT EXECUTE ON FUNCTION
    steward.rotate(text, interval, text, uuid), steward.rotate(uuid, interval, text, uuid),
    steward.extend_credential(text, timestamptz, text, uuid), steward.extend_credential(uuid, timestamptz, text, uuid)
    TO steward_app;
