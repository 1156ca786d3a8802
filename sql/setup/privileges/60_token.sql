-- Checks are the application's.

GRANT EXECUTE ON FUNCTION
    steward.authorize(text, steward.scope_set, text, uuid, text), steward.is_authorized(text, steward.scope_set),
    steward.verify_jws(text, jsonb), steward.verify_token(text, text, text, uuid),
    steward.assume(text, boolean, text, uuid, text),
    steward.current_org(), steward.current_principal(), steward.current_actor(), steward.has_scope(steward.scope_set)
    TO steward_app;
GRANT EXECUTE ON FUNCTION
    steward.set_issuer(text, text, text, text[], text[], text[], interval, interval, text, text, text, text, boolean, uuid),
    steward.import_issuer(jsonb, text, uuid), steward.set_jwks(text, jsonb, interval, uuid)
    TO steward_admin;
