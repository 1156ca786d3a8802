-- Functions of the core: the installation, organizations, profiles, identifiers.

CREATE FUNCTION steward.version() RETURNS text
    AS 'MODULE_PATHNAME', 'steward_version' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION steward.version() IS 'the release of the module that is loaded';

CREATE FUNCTION steward.setup(organization text DEFAULT NULL, OUT step text, OUT result text) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'steward_setup' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.setup(text) IS 'makes or mends tables, views, triggers and policies, and the organization named; superuser only, safe to repeat';

CREATE FUNCTION steward.uuid7() RETURNS uuid
    AS 'MODULE_PATHNAME', 'steward_uuid7' LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION steward.uuid7() IS 'a new identifier, RFC 9562 version 7, monotonic within a session';

CREATE FUNCTION steward.visible_orgs(profile text DEFAULT 'analyst') RETURNS uuid[]
    AS 'MODULE_PATHNAME', 'steward_visible_orgs' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION steward.visible_orgs(text) IS 'organizations in which the calling role holds the profile; what row-level security compares with';

CREATE FUNCTION steward.default_org() RETURNS uuid
    AS 'MODULE_PATHNAME', 'steward_default_org' LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION steward.default_org() IS 'the organization chosen with use_org(), else the caller''s only one, else an error';

CREATE FUNCTION steward.use_org(slug text, OUT org uuid)
    AS 'MODULE_PATHNAME', 'steward_use_org' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.use_org(text) IS 'chooses the organization that calls of this session mean by default, until DISCARD ALL';

CREATE FUNCTION steward.grant_profile(role text, profile text, org uuid DEFAULT steward.default_org(), OUT granted boolean)
    AS 'MODULE_PATHNAME', 'steward_grant_profile' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.grant_profile(text, text, uuid) IS 'gives a database role a profile (app, connector, analyst, auditor, security, admin) in an organization';

CREATE FUNCTION steward.revoke_profile(role text, profile text, org uuid DEFAULT steward.default_org(), OUT revoked boolean)
    AS 'MODULE_PATHNAME', 'steward_revoke_profile' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.revoke_profile(text, text, uuid) IS 'takes a profile from a database role in an organization';

CREATE FUNCTION steward.health_checks(OUT check_name text, OUT status text, OUT detail text, OUT remedy text) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'steward_health_checks' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.health_checks() IS 'what the view health shows: ok, warning or critical, and the statement that mends it';

CREATE FUNCTION steward.maintain(OUT step text, OUT result text) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'steward_maintain' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.maintain() IS 'does what time asks for beyond the checks, in all organizations; safe to call at any time, and twice at once';

CREATE FUNCTION steward.previewing() RETURNS boolean
    AS 'MODULE_PATHNAME', 'steward_previewing' LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION steward.previewing() IS 'whether what runs now is a preview that will be taken back';

-- Triggers.
CREATE FUNCTION steward.tg_audit() RETURNS trigger
    AS 'MODULE_PATHNAME', 'steward_tg_audit' LANGUAGE C;
COMMENT ON FUNCTION steward.tg_audit() IS 'writes an audit event for each changed row';
CREATE FUNCTION steward.tg_protect_audit() RETURNS trigger
    AS 'MODULE_PATHNAME', 'steward_tg_protect_audit' LANGUAGE C;
COMMENT ON FUNCTION steward.tg_protect_audit() IS 'refuses every change of the audit log but the capture''s own insert';
CREATE FUNCTION steward.tg_no_truncate() RETURNS trigger
    AS 'MODULE_PATHNAME', 'steward_tg_no_truncate' LANGUAGE C;
COMMENT ON FUNCTION steward.tg_no_truncate() IS 'refuses TRUNCATE';
CREATE FUNCTION steward.tg_directory_guard() RETURNS trigger
    AS 'MODULE_PATHNAME', 'steward_tg_directory_guard' LANGUAGE C;
COMMENT ON FUNCTION steward.tg_directory_guard() IS 'keeps the identity of directory rows, and refuses events from the future';
CREATE FUNCTION steward.tg_directory() RETURNS trigger
    AS 'MODULE_PATHNAME', 'steward_tg_directory' LANGUAGE C;
COMMENT ON FUNCTION steward.tg_directory() IS 'effects of linking and unlinking a directory';
CREATE FUNCTION steward.tg_directory_user() RETURNS trigger
    AS 'MODULE_PATHNAME', 'steward_tg_directory_user' LANGUAGE C;
COMMENT ON FUNCTION steward.tg_directory_user() IS 'effects of joiner, mover, leaver and rehire, set-based';
CREATE FUNCTION steward.tg_directory_note() RETURNS trigger
    AS 'MODULE_PATHNAME', 'steward_tg_directory_note' LANGUAGE C;
COMMENT ON FUNCTION steward.tg_directory_note() IS 'notes which command changed a row, so that each change has its effects once';
CREATE FUNCTION steward.tg_directory_settle() RETURNS trigger
    AS 'MODULE_PATHNAME', 'steward_tg_directory_settle' LANGUAGE C;
COMMENT ON FUNCTION steward.tg_directory_settle() IS 'the same effects at commit, for what no statement trigger saw';
CREATE FUNCTION steward.tg_birthright_rule() RETURNS trigger
    AS 'MODULE_PATHNAME', 'steward_tg_birthright_rule' LANGUAGE C;
COMMENT ON FUNCTION steward.tg_birthright_rule() IS 'gives and takes what changed birthright rules give';
CREATE FUNCTION steward.tg_directory_group() RETURNS trigger
    AS 'MODULE_PATHNAME', 'steward_tg_directory_group' LANGUAGE C;
COMMENT ON FUNCTION steward.tg_directory_group() IS 'movers when a group is renamed';
CREATE FUNCTION steward.tg_directory_member() RETURNS trigger
    AS 'MODULE_PATHNAME', 'steward_tg_directory_member' LANGUAGE C;
COMMENT ON FUNCTION steward.tg_directory_member() IS 'movers when memberships change';
