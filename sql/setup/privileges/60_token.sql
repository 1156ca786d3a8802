-- Checks are the application's.

GRANT EXECUTE ON FUNCTION
    steward.authorize(text, steward.scope_set, text, uuid, text), steward.is_authorized(text, steward.scope_set),
    steward.verify_jws(text, jsonb), steward.verify_token(text, text, text, uuid),
    steward.assume(text, boolean, text, uuid, text),
    steward.current_org(), steward.current_principal(), steward.current_actor(), steward.has_scope(steward.scope_set)
    TO steward_app;
