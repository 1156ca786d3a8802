-- Who may call and read what; doc/reference.md shows it as a matrix.  A profile that implies another is a member of its
-- group role.  Authority in an organization comes from steward.profile_grant, which every function asks.

GRANT steward_analyst TO steward_auditor, steward_security;
GRANT steward_app, steward_connector, steward_analyst, steward_auditor, steward_security TO steward_admin;

GRANT EXECUTE ON FUNCTION steward.default_org() TO steward_app;
GRANT EXECUTE ON FUNCTION steward.use_org(text) TO steward_app;
GRANT EXECUTE ON FUNCTION steward.issue_key(text, steward.scope_set, text, interval, text, text, text, text, uuid) TO steward_app;
GRANT EXECUTE ON FUNCTION steward.issue_key(uuid, steward.scope_set, text, interval, text, text, text, text, uuid) TO steward_app;
GRANT EXECUTE ON FUNCTION steward.revoke(text, text, text, boolean, uuid) TO steward_app;
GRANT EXECUTE ON FUNCTION steward.revoke(uuid, text, text, boolean, uuid) TO steward_app;
GRANT EXECUTE ON FUNCTION steward.authorize(text, steward.scope_set, text, uuid) TO steward_app;
GRANT EXECUTE ON FUNCTION steward.is_authorized(text, steward.scope_set) TO steward_app;

GRANT EXECUTE ON FUNCTION steward.uuid7() TO steward_connector;
GRANT EXECUTE ON FUNCTION steward.default_org() TO steward_connector;
GRANT EXECUTE ON FUNCTION steward.use_org(text) TO steward_connector;
GRANT EXECUTE ON FUNCTION steward.import_directory(text, jsonb, boolean, uuid) TO steward_connector;
GRANT EXECUTE ON FUNCTION steward.import_directory(uuid, jsonb, boolean, uuid) TO steward_connector;

GRANT EXECUTE ON FUNCTION steward.version() TO steward_analyst;
GRANT EXECUTE ON FUNCTION steward.default_org() TO steward_analyst;
GRANT EXECUTE ON FUNCTION steward.use_org(text) TO steward_analyst;
GRANT EXECUTE ON FUNCTION steward.health_checks() TO steward_analyst;
GRANT EXECUTE ON FUNCTION steward.credential_status(record) TO steward_analyst;


GRANT EXECUTE ON FUNCTION steward.revoke(text, text, text, boolean, uuid) TO steward_security;
GRANT EXECUTE ON FUNCTION steward.revoke(uuid, text, text, boolean, uuid) TO steward_security;
GRANT EXECUTE ON FUNCTION steward.revoke_principal(text, text, text, boolean, uuid) TO steward_security;
GRANT EXECUTE ON FUNCTION steward.revoke_principal(uuid, text, text, boolean, uuid) TO steward_security;

GRANT EXECUTE ON FUNCTION steward.grant_profile(text, text, uuid) TO steward_admin;
GRANT EXECUTE ON FUNCTION steward.revoke_profile(text, text, uuid) TO steward_admin;
GRANT EXECUTE ON FUNCTION steward.register_service(text, text, text, text, text, text, uuid) TO steward_admin;
GRANT EXECUTE ON FUNCTION steward.register_service(text, uuid, text, text, text, text, uuid) TO steward_admin;
GRANT EXECUTE ON FUNCTION steward.register_agent(text, text, text, text, text, text, text, text, text, text, text, text, text, uuid) TO steward_admin;
GRANT EXECUTE ON FUNCTION steward.register_agent(text, uuid, text, text, text, text, text, text, text, text, text, text, text, uuid) TO steward_admin;
GRANT EXECUTE ON FUNCTION steward.register_system(text, text, text, text, text, interval, text, text, text, uuid) TO steward_admin;
GRANT EXECUTE ON FUNCTION steward.register_system(text, uuid, text, text, text, interval, text, text, text, uuid) TO steward_admin;
GRANT EXECUTE ON FUNCTION steward.grant_scopes(text, steward.scope_set, text, text, timestamptz, uuid) TO steward_admin;
GRANT EXECUTE ON FUNCTION steward.grant_scopes(uuid, steward.scope_set, text, text, timestamptz, uuid) TO steward_admin;
GRANT EXECUTE ON FUNCTION steward.register_credential(text, text, text, text, steward.scope_set, text, text, timestamptz, steward.digest, text[], text, text, text, text, uuid) TO steward_admin;
GRANT EXECUTE ON FUNCTION steward.register_credential(text, uuid, text, text, steward.scope_set, text, text, timestamptz, steward.digest, text[], text, text, text, text, uuid) TO steward_admin;

GRANT SELECT ON steward.credential_inventory, steward.lifecycle_timeline, steward.health TO steward_analyst;
GRANT SELECT ON steward.audit TO steward_auditor;
GRANT SELECT, INSERT, UPDATE, DELETE ON steward.directory_user, steward.directory_group, steward.directory_member TO steward_connector;
GRANT SELECT, INSERT, UPDATE ON steward.directory TO steward_connector;
