-- Revocation: applications revoke what they issued, security revokes anything.

GRANT EXECUTE ON FUNCTION
    steward.revoke(text, text, text, boolean, uuid), steward.revoke(uuid, text, text, boolean, uuid)
    TO steward_app, steward_security;
GRANT EXECUTE ON FUNCTION
    steward.revoke_principal(text, text, text, boolean, uuid), steward.revoke_principal(uuid, text, text, boolean, uuid)
    TO steward_security;
