-- PostgreSQL roles are credentials: which may be registered and by whom, that a role follows its credential on every path,
-- and that one which is not the registered role any more is left alone.
SELECT count(*) > 0 AS ready FROM steward.setup(organization => 'revocation-roles');
SELECT count(*) > 0 AS ready FROM steward.setup(organization => 'revocation-roles-other');
SELECT steward.use_org('revocation-roles-other') IS NOT NULL AS chosen;
INSERT INTO steward.directory (org_id, name) VALUES (steward.default_org(), 'main');
INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name)
  SELECT org_id, id, '1', 'eve' FROM steward.directory WHERE org_id = steward.default_org();
SELECT steward.use_org('revocation-roles') IS NOT NULL AS chosen;
INSERT INTO steward.directory (org_id, name) VALUES (steward.default_org(), 'main');
INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name)
  SELECT org_id, id, p, p FROM steward.directory, unnest(ARRAY['ann', 'bob']) AS p WHERE org_id = steward.default_org();
CREATE FUNCTION pg_temp.refused(call text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE 'SELECT ' || call;
  RETURN 'not refused';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
CREATE FUNCTION pg_temp.role(name) RETURNS text LANGUAGE sql AS $$
  SELECT CASE WHEN rolcanlogin THEN 'LOGIN' ELSE 'NOLOGIN' END || CASE WHEN rolvaliduntil <= clock_timestamp() THEN ', ended' WHEN rolvaliduntil = '2100-01-01'
    THEN ', until 2100' ELSE '' END FROM pg_roles WHERE rolname = $1 $$;
CREATE ROLE revocation_roles_app LOGIN VALID UNTIL '2100-01-01 00:00:00+00';
CREATE ROLE revocation_roles_odd LOGIN;
ALTER ROLE revocation_roles_odd RENAME TO "revocation_roles_o'd ""d";
CREATE ROLE revocation_roles_group;
GRANT revocation_roles_group TO revocation_roles_app;
CREATE ROLE revocation_roles_super LOGIN SUPERUSER;
CREATE ROLE revocation_roles_repl LOGIN REPLICATION;
CREATE ROLE revocation_roles_bypass LOGIN BYPASSRLS;
CREATE ROLE revocation_roles_holder LOGIN;
CREATE ROLE revocation_roles_admin LOGIN;
CREATE ROLE revocation_roles_plain LOGIN;
SELECT steward.grant_profile('revocation_roles_admin', 'admin'), steward.grant_profile('revocation_roles_holder', 'analyst');

-- A finding: nobody answers for them.
SELECT count(*) > 0 AS some FROM steward.unowned_roles();
SELECT * FROM steward.unowned_pg_roles WHERE role LIKE 'revocation_roles%' ORDER BY role COLLATE "C";

-- Refusals, for an administrator of the organization who is no superuser and has ADMIN OPTION on some.
GRANT revocation_roles_app, revocation_roles_super, revocation_roles_repl, revocation_roles_bypass, revocation_roles_holder
  TO revocation_roles_admin WITH ADMIN OPTION;
SET ROLE revocation_roles_admin;
SELECT r AS role, pg_temp.refused(format('steward.register_pg_role(%L, owner => %L)', r, 'ann')) AS answer FROM unnest(ARRAY['revocation_roles_super', 'revocation_roles_repl',
  'revocation_roles_bypass', 'revocation_roles_holder', 'revocation_roles_plain', 'revocation_roles_admin', 'revocation_roles_none', 'postgres', 'pg_monitor', 'steward_owner',
  'steward_login_admin', 'steward_role_admin', 'steward_admin', 'public', 'none', '', ' revocation_roles_app', NULL]) WITH ORDINALITY AS u(r, n) ORDER BY n;
SELECT c AS call, pg_temp.refused('steward.register_pg_role(' || c || ')') AS answer FROM unnest(ARRAY[
  $$'revocation_roles_app', NULL::text$$, $$'revocation_roles_app', ''$$, $$'revocation_roles_app', ' ann'$$, $$'revocation_roles_app', 'eve'$$,
  $$'revocation_roles_app', 'ann', scopes => ''$$, $$'revocation_roles_app', 'ann', scopes => NULL$$, $$'revocation_roles_app', 'ann', holder => 'nobody'$$,
  $$'revocation_roles_app', 'ann', org => NULL$$]) WITH ORDINALITY AS u(c, n) ORDER BY n;
-- With ADMIN OPTION on an ordinary role it works; the same again is the same; other facts are not.
SELECT steward.register_pg_role('revocation_roles_app', 'ann') AS first \gset
SELECT steward.register_pg_role('revocation_roles_app', 'ann') = :'first' AS same;
SELECT pg_temp.refused($$steward.register_pg_role('revocation_roles_app', 'bob')$$) AS other_owner;
RESET ROLE;
-- Even a superuser: never these.
SELECT r AS role, pg_temp.refused(format('steward.register_pg_role(%L, owner => %L)', r, 'ann')) AS answer
  FROM unnest(ARRAY['pg_monitor', 'pg_read_all_data', 'steward_owner', 'steward_login_admin', 'steward_security', 'revocation_roles_none']) r;
SELECT pg_temp.refused(format('steward.register_pg_role(%L, owner => %L)', rolname, 'ann')) LIKE 'ST705 role % cannot be registered' AS bootstrap FROM pg_roles WHERE oid = 10;
SET ROLE revocation_roles_super;
SELECT pg_temp.refused($$steward.register_pg_role('revocation_roles_super', 'ann')$$) AS own;
RESET ROLE;
-- One organization per role; which other one is not told.
SELECT steward.use_org('revocation-roles-other') IS NOT NULL AS chosen;
SELECT pg_temp.refused($$steward.register_pg_role('revocation_roles_app', 'eve')$$) AS elsewhere;
SELECT steward.use_org('revocation-roles') IS NOT NULL AS chosen;
-- A superuser may register superusers and profile holders.
SELECT count(steward.register_pg_role(r, 'bob')) FROM unnest(ARRAY['revocation_roles_super', 'revocation_roles_repl', 'revocation_roles_bypass',
  'revocation_roles_holder', 'revocation_roles_o''d "d']) r;
SELECT role, role_state, status, owner, can_login, valid_until, attributes, member_of, by_superuser FROM steward.pg_role_inventory
  WHERE org_id = steward.default_org() ORDER BY role COLLATE "C";
SELECT role FROM steward.unowned_pg_roles WHERE role LIKE 'revocation_roles%' ORDER BY role COLLATE "C";

-- A preview and a dry run leave the role as it is, and so does a rollback.
SELECT table_name, action FROM steward.preview_revocation('revocation_roles_app') WHERE table_name = 'steward.pg_role';
SELECT credentials, pending_external FROM steward.revoke('revocation_roles_app', 'leak', dry_run => true);
BEGIN;
SELECT credentials FROM steward.revoke('revocation_roles_app', 'leak');
SELECT pg_temp.role('revocation_roles_app');
ROLLBACK;
SELECT pg_temp.role('revocation_roles_app');

-- Suspended and reinstated, by the states themselves: LOGIN and VALID UNTIL come back; a membership that was taken
-- meanwhile is a statement for the DBA.
UPDATE steward.credential SET state = 'suspended' WHERE id = :'first';
SELECT pg_temp.role('revocation_roles_app');
REVOKE revocation_roles_group FROM revocation_roles_app;
SELECT had_login, had_valid_until = '2100-01-01 00:00:00+00' AS had_until, grants_to_restore FROM steward.pg_role_inventory WHERE credential_id = :'first';
UPDATE steward.credential SET state = 'active' WHERE id = :'first';
SELECT pg_temp.role('revocation_roles_app');
GRANT revocation_roles_group TO revocation_roles_app;

-- Revoked: by security, who has no power over roles otherwise.  The task is confirmed by maintain(), not by workers.
CREATE ROLE revocation_roles_security;
SELECT steward.grant_profile('revocation_roles_security', 'security');
SET ROLE revocation_roles_security;
SELECT credentials, pending_external FROM steward.revoke('revocation_roles_app', 'leak');
SELECT pg_temp.refused($$1 FROM pg_authid$$) AS no_more_power_than_before;
SELECT count(*) AS claimed FROM steward.claim_revocation_tasks('postgresql');
RESET ROLE;
SELECT pg_temp.role('revocation_roles_app');
SELECT status, role_state, had_login FROM steward.pg_role_inventory WHERE credential_id = :'first';
SELECT result FROM steward.maintain() WHERE step = 'PostgreSQL roles';
SELECT status FROM steward.pg_role_inventory WHERE credential_id = :'first';
SELECT t.state, t.evidence FROM steward.revocation_task t WHERE t.credential_id = :'first';
-- Enabled by hand although it is revoked: an alarm, and maintain() disables it again.
ALTER ROLE revocation_roles_app LOGIN;
SELECT status, detail FROM steward.health WHERE check_name = 'PostgreSQL roles';
SELECT count(*) > 0 AS ran FROM steward.maintain();
SELECT pg_temp.role('revocation_roles_app');
-- Registered anew, it is a new credential; the DBA gives LOGIN back.
SELECT steward.register_pg_role('revocation_roles_app', 'ann') <> :'first' AS another;
ALTER ROLE revocation_roles_app LOGIN VALID UNTIL 'infinity';
SELECT count(*) > 0 AS ran FROM steward.maintain();
SELECT pg_temp.role('revocation_roles_app');

-- A leaver: all roles in one commit, a superuser, a quoted name and a profile holder among them.
UPDATE steward.directory_user SET active = false WHERE org_id = steward.default_org() AND user_name = 'bob';
SELECT rolname, pg_temp.role(rolname) FROM pg_roles WHERE rolname LIKE 'revocation_roles%' ORDER BY rolname COLLATE "C";

-- Became too powerful for who registered it: nothing is done to it, nothing fails, the task stays and is a finding.
SELECT steward.use_org('revocation-roles-other') IS NOT NULL AS chosen;
SELECT steward.grant_profile('revocation_roles_admin', 'admin');
GRANT revocation_roles_plain TO revocation_roles_admin WITH ADMIN OPTION;
SET ROLE revocation_roles_admin;
SELECT steward.use_org('revocation-roles-other') IS NOT NULL AS chosen;
SELECT steward.register_pg_role('revocation_roles_plain', 'eve') IS NOT NULL AS made;
RESET ROLE;
ALTER ROLE revocation_roles_plain SUPERUSER;
SELECT credentials, pending_external FROM steward.revoke('revocation_roles_plain', 'leak');
SELECT pg_temp.role('revocation_roles_plain'), status FROM steward.pg_role_inventory WHERE role = 'revocation_roles_plain';
SELECT status, detail FROM steward.health WHERE check_name = 'PostgreSQL roles';
ALTER ROLE revocation_roles_plain NOSUPERUSER;
SELECT count(*) > 0 AS ran FROM steward.maintain();
SELECT pg_temp.role('revocation_roles_plain');

-- Dropped and made anew under the name: another role.  Registering says so, revoking leaves it alone.
SELECT steward.use_org('revocation-roles') IS NOT NULL AS chosen;
DROP ROLE revocation_roles_app;
CREATE ROLE revocation_roles_app LOGIN;
SELECT pg_temp.refused($$steward.register_pg_role('revocation_roles_app', 'ann')$$) AS made_anew;
SELECT role_state, status FROM steward.pg_role_inventory WHERE role = 'revocation_roles_app' AND status = 'active';
SELECT status, detail FROM steward.health WHERE check_name = 'PostgreSQL roles';
SELECT credentials FROM steward.revoke((SELECT credential_id FROM steward.pg_role_inventory WHERE role = 'revocation_roles_app' AND status = 'active'), 'superseded');
SELECT pg_temp.role('revocation_roles_app');
SELECT role FROM steward.unowned_pg_roles WHERE role = 'revocation_roles_app';
SELECT count(*) > 0 AS ran FROM steward.maintain();
SELECT t.evidence, count(*) FROM steward.revocation_task t JOIN steward.pg_role r ON r.credential_id = t.credential_id WHERE r.role_name = 'revocation_roles_app' GROUP BY 1;
-- Renamed: the same OID under another name is not touched either.
SELECT steward.register_pg_role('revocation_roles_app', 'ann') IS NOT NULL AS registered;
ALTER ROLE revocation_roles_app RENAME TO revocation_roles_renamed;
SELECT pg_temp.refused($$steward.register_pg_role('revocation_roles_renamed', 'ann')$$) AS renamed;
SELECT role_state FROM steward.pg_role_inventory WHERE role = 'revocation_roles_app' AND status = 'active';
SELECT credentials FROM steward.revoke((SELECT credential_id FROM steward.pg_role_inventory WHERE role = 'revocation_roles_app' AND status = 'active'), 'superseded');
SELECT pg_temp.role('revocation_roles_renamed');
-- and the task stays open, for the role is there and can log in.
SELECT count(*) > 0 AS ran FROM steward.maintain();
SELECT role_state, status FROM steward.pg_role_inventory WHERE role = 'revocation_roles_app' ORDER BY created_at DESC LIMIT 1;
SELECT status, detail FROM steward.health WHERE check_name = 'PostgreSQL roles';
DROP ROLE revocation_roles_renamed;
SELECT count(*) > 0 AS ran FROM steward.maintain();
SELECT role_state, status FROM steward.pg_role_inventory WHERE role = 'revocation_roles_app' ORDER BY created_at DESC LIMIT 1;

SELECT steward.revoke_profile('revocation_roles_admin', 'admin'), steward.revoke_profile('revocation_roles_admin', 'admin', id) FROM steward.organization WHERE slug = 'revocation-roles-other';
SELECT steward.revoke_profile('revocation_roles_holder', 'analyst'), steward.revoke_profile('revocation_roles_security', 'security');
DROP ROLE "revocation_roles_o'd ""d", revocation_roles_group, revocation_roles_super, revocation_roles_repl, revocation_roles_bypass,
  revocation_roles_holder, revocation_roles_admin, revocation_roles_plain, revocation_roles_security;
SELECT status FROM steward.health WHERE check_name = 'PostgreSQL roles';
