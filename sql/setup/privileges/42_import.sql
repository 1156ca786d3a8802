-- Connectors bring inventories; administrators claim.

GRANT EXECUTE ON FUNCTION
    steward.import_credentials(text, jsonb, text, boolean, jsonb, uuid), steward.import_credentials(uuid, jsonb, text, boolean, jsonb, uuid)
    TO steward_connector;
GRANT EXECUTE ON FUNCTION
    steward.claim_credential(text, text, steward.scope_set, text, text, text, uuid), steward.claim_credential(uuid, text, steward.scope_set, text, text, text, uuid),
    steward.claim_matching(text, text, text, steward.scope_set, text, text, text, uuid), steward.claim_matching(uuid, text, text, steward.scope_set, text, text, text, uuid)
    TO steward_admin;
GRANT SELECT ON steward.discovered_credentials TO steward_analyst;
