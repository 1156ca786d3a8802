-- What each profile may call and read, tried as real roles: the catalog's grants are what decides at the door, the
-- organization's profile grants decide behind it.
\set ECHO none
\getenv here PG_ABS_SRCDIR
\i :here/helper/cases.sql
\i :here/helper/calls.sql
\set ECHO all
CREATE TEMP TABLE profile (n serial, profile text, role name);
INSERT INTO profile (profile, role) SELECT p, 'profiles_' || p FROM unnest(ARRAY['none', 'app', 'connector', 'analyst', 'auditor', 'security', 'admin']) p;
SELECT pg_temp.company('profiles-other') AS other \gset
SELECT pg_temp.company('profiles') AS org \gset
SELECT steward.register_system('calls-system', 'dana@hr.example', 'saas') IS NOT NULL AS system;
SELECT credential_id IS NOT NULL AS key FROM steward.issue_key('dana@hr.example', 'calls:read', name => 'calls-key');
DO $$
DECLARE
	p profile;
BEGIN
	FOR p IN TABLE profile LOOP
		EXECUTE format('CREATE ROLE %I', p.role);
		IF p.profile <> 'none' THEN
			PERFORM steward.grant_profile(p.role, p.profile);
		END IF;
	END LOOP;
END $$;

-- Granting is granting once, and the group role follows.
SELECT steward.grant_profile('profiles_app', 'app') AS again, pg_has_role('profiles_app', 'steward_app', 'MEMBER') AS member;

-- Each function as each role, with arguments that would do; whoever may not call it is stopped before anything else.
CREATE TEMP TABLE tried (func regprocedure, name text, n integer, profile text, role name, code text, message text);
CREATE FUNCTION pg_temp.try_all(org uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	c record;
	p profile;
	a record;
BEGIN
	FOR c IN SELECT * FROM pg_temp.calls(quote_literal(org)) LOOP
		FOR p IN SELECT * FROM profile ORDER BY n LOOP
			BEGIN
				SELECT * INTO a FROM pg_temp.attempt_as(p.role, c.statement);
				RAISE EXCEPTION USING ERRCODE = 'TAKEB';
			EXCEPTION WHEN SQLSTATE 'TAKEB' THEN NULL;
			END;
			INSERT INTO tried VALUES (c.func, c.name, p.n, p.profile, p.role, a.code, a.message);
		END LOOP;
	END LOOP;
END $$;
SELECT pg_temp.try_all(:'org');
-- At the door the catalog decides, and nobody but it.
SELECT func, profile, code, message FROM tried
WHERE (message = 'permission denied for function ' || name) = has_function_privilege(role, func, 'EXECUTE') ORDER BY func::text, n;
-- Who has no profile can call nothing but visible_orgs().
SELECT name FROM tried WHERE profile = 'none' AND code <> '42501' ORDER BY 1;
-- The functions of the spine: x may, . may not.
SELECT func::text AS function, string_agg(CASE WHEN message = 'permission denied for function ' || name THEN '.' ELSE 'x' END, ' ' ORDER BY n) FILTER (WHERE profile <> 'none') AS "app connector analyst auditor security admin"
FROM tried WHERE name IN ('authorize', 'credential_status', 'default_org', 'grant_profile', 'grant_scopes', 'health_checks', 'import_directory', 'is_authorized', 'issue_key', 'maintain', 'previewing',
	'register_agent', 'register_credential', 'register_service', 'register_system', 'revoke', 'revoke_principal', 'revoke_profile', 'use_org', 'uuid7', 'version', 'visible_orgs')
GROUP BY func ORDER BY func::text COLLATE "C";
-- Whoever may call gets to the work: with arguments that would do, nobody fails for want of something else but in these ways.
SELECT DISTINCT name, code, message FROM tried WHERE code NOT IN ('42501', '00000') AND name IN ('authorize', 'default_org', 'grant_profile', 'grant_scopes', 'import_directory', 'is_authorized', 'issue_key',
	'maintain', 'register_agent', 'register_service', 'register_system', 'register_credential', 'revoke_principal', 'revoke_profile', 'uuid7', 'version', 'visible_orgs') ORDER BY 1, 2;

-- Tables and views: what each may do with them directly.
CREATE TEMP TABLE read AS SELECT c.relname, c.relkind, p.n, p.profile, p.role, a.code, a.message FROM profile p, pg_class c, pg_temp.attempt_as(p.role, format('SELECT * FROM steward.%I', c.relname)) a
WHERE c.relnamespace = 'steward'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition;
SELECT relname, profile FROM read WHERE (code = '42501') = has_table_privilege(role, ('steward.' || relname)::regclass, 'SELECT') ORDER BY 1, n;
SELECT relname AS directly_readable, string_agg(profile, ' ' ORDER BY n) AS by FROM read WHERE relkind <> 'v' AND code = '00000' GROUP BY 1 ORDER BY 1;
SELECT relname AS view, string_agg(CASE WHEN code = '00000' THEN 'x' ELSE '.' END, ' ' ORDER BY n) FILTER (WHERE profile <> 'none') AS "app connector analyst auditor security admin"
FROM read WHERE relname IN ('credential_inventory', 'lifecycle_timeline', 'audit', 'health') GROUP BY 1 ORDER BY 1;
SELECT DISTINCT code, relname FROM read WHERE code NOT IN ('00000', '42501');

-- Connectors write the directory, and only where they hold the profile.
SET ROLE profiles_connector;
INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name) SELECT d.org_id, d.id, 'x-connected', 'connected@hr.example' FROM steward.directory d;
SELECT count(*) AS people_seen FROM steward.directory_user;
UPDATE steward.directory_user SET active = false WHERE external_id = 'x-connected';
SELECT (pg_temp.attempt(format('INSERT INTO steward.directory (org_id, name) VALUES (%L, ''intruder'')', :'other'))).*;
SELECT (pg_temp.attempt('UPDATE steward.principal SET state = ''active''')).*;
SELECT (pg_temp.attempt('DELETE FROM steward.directory')).*;
RESET ROLE;
SELECT kind, cause FROM steward.lifecycle_event WHERE org_id = :'org' AND person = 'connected@hr.example' ORDER BY id;

-- An application revokes what it issued, and nothing else.
SET ROLE profiles_app;
SELECT (pg_temp.attempt($$SELECT steward.revoke('calls-key', 'test')$$)).*;
SELECT (pg_temp.attempt($$SELECT steward.issue_key('dana@hr.example', 'more:than', name => 'apps-key')$$)).*;
SELECT credential_id IS NOT NULL AS issued FROM steward.issue_key('dana@hr.example', 'calls:read', name => 'apps-key');
SELECT credentials FROM steward.revoke('apps-key', 'test');
RESET ROLE;

-- A profile in one organization is none in another, whichever functions the role may call.
SELECT steward.grant_profile('profiles_analyst', 'admin', org => :'other') AS admin_elsewhere;
SET ROLE profiles_analyst;
SELECT (pg_temp.attempt(format($$SELECT steward.register_service('x', 'dana@hr.example', org => %L)$$, :'org'))).*;
SELECT (pg_temp.attempt(format($$SELECT steward.register_service('x', 'dana@hr.example', org => %L)$$, :'other'))).code;
RESET ROLE;
SELECT (pg_temp.attempt_as('profiles_analyst', $$SELECT steward.default_org()$$)).message;

-- Membership in a group role alone is no authority; a role's members hold what it holds; a role that is gone holds nothing.
CREATE ROLE profiles_pretender IN ROLE steward_admin;
SELECT (pg_temp.attempt_as('profiles_pretender', format($$SELECT steward.register_service('x', 'dana@hr.example', org => %L)$$, :'org'))).*;
SET ROLE profiles_pretender;
SELECT steward.visible_orgs('analyst') AS sees;
RESET ROLE;
CREATE ROLE profiles_heir IN ROLE profiles_analyst;
SET ROLE profiles_heir;
SELECT cardinality(steward.visible_orgs('analyst')) AS inherited;
RESET ROLE;
-- Taken back: the membership goes with the last organization.
SELECT steward.revoke_profile('profiles_analyst', 'admin', org => :'other') AS revoked, pg_has_role('profiles_analyst', 'steward_admin', 'MEMBER') AS member;
SELECT steward.revoke_profile('profiles_analyst', 'admin', org => :'other') AS again;
SELECT steward.grant_profile('profiles_app', 'app', org => :'other') AS in_two;
SELECT steward.revoke_profile('profiles_app', 'app', org => :'other') AS revoked, pg_has_role('profiles_app', 'steward_app', 'MEMBER') AS member;

-- A role that is gone: health says so, and its remedy works.
DROP ROLE profiles_heir;
DROP ROLE profiles_pretender;
DROP ROLE profiles_none, profiles_app, profiles_connector, profiles_analyst, profiles_auditor, profiles_security, profiles_admin;
SELECT status, detail, remedy AS statement FROM steward.health WHERE check_name = 'profiles' \gset
SELECT :'status' AS status, :'detail' AS detail;
:statement
SELECT status FROM steward.health WHERE check_name = 'profiles';
