-- Checks are the application's.

GRANT EXECUTE ON FUNCTION
    steward.authorize(text, steward.scope_set, text, uuid), steward.is_authorized(text, steward.scope_set)
    TO steward_app;
