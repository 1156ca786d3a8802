-- Revocation: applications revoke what they issued, security revokes anything, connectors work off tasks.

GRANT EXECUTE ON FUNCTION
    steward.revoke(text, text, text, boolean, boolean, uuid), steward.revoke(uuid, text, text, boolean, boolean, uuid)
    TO steward_app, steward_security;
GRANT EXECUTE ON FUNCTION
    steward.revoke_principal(text, text, text, boolean, boolean, uuid), steward.revoke_principal(uuid, text, text, boolean, boolean, uuid),
    steward.revoke_matching(text, steward.scope_set, text, text, text, text, text, text, timestamptz, text, boolean, boolean, uuid),
    steward.revoke_organization(text, text, text, boolean), steward.revoke_organization(uuid, text, text, boolean),
    steward.preview_revocation(text, text, steward.scope_set, text, text, text, text, text, text, timestamptz, boolean, uuid),
    steward.terminate_revoked_backends()
    TO steward_security;
GRANT EXECUTE ON FUNCTION
    steward.revocation_visible(uuid, xid8, uuid)
    TO steward_app, steward_connector, steward_analyst;
GRANT EXECUTE ON FUNCTION
    steward.claim_revocation_tasks(text, integer, interval, uuid), steward.claim_revocation_tasks(uuid, integer, interval, uuid),
    steward.confirm_revocation(uuid, jsonb, integer, uuid), steward.fail_revocation(uuid, text, integer, uuid)
    TO steward_connector, steward_security;
GRANT EXECUTE ON FUNCTION
    steward.register_pg_role(text, text, text, steward.scope_set, text, text, text, uuid),
    steward.register_pg_role(text, uuid, text, steward.scope_set, text, text, text, uuid),
    steward.heartbeat()
    TO steward_admin;
GRANT EXECUTE ON FUNCTION
    steward.unowned_roles(),
    steward.epochs_pass(timestamptz, timestamptz, timestamptz, timestamptz, timestamptz, timestamptz, timestamptz, timestamptz)
    TO steward_analyst;
GRANT SELECT ON steward.revocation_backlog, steward.overdue_revocations, steward.pg_role_inventory, steward.unowned_pg_roles
    TO steward_analyst;
