-- Who may call and read what; doc/reference.md shows it as a matrix.  A profile that implies another is a member of its
-- group role.  Authority in an organization comes from steward.profile_grant, which every function asks.

GRANT steward_analyst TO steward_auditor, steward_security;
GRANT steward_app, steward_connector, steward_analyst, steward_auditor, steward_security TO steward_admin;

GRANT EXECUTE ON FUNCTION steward.default_org(), steward.use_org(text), steward.version()
    TO steward_app, steward_connector, steward_analyst;
GRANT EXECUTE ON FUNCTION steward.grant_profile(text, text, uuid), steward.revoke_profile(text, text, uuid) TO steward_admin;
GRANT EXECUTE ON FUNCTION steward.maintain() TO steward_admin;
GRANT EXECUTE ON FUNCTION steward.previewing() TO steward_app, steward_connector, steward_analyst;
GRANT EXECUTE ON FUNCTION steward.health_checks() TO steward_analyst;
GRANT SELECT ON steward.health TO steward_analyst;
