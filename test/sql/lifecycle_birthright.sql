-- Rules as data give scopes for group, department or attribute; what a change takes away is taken from the credentials,
-- as policy says.
\set VERBOSITY terse
SELECT count(*) > 0 FROM steward.setup(organization => 'lifecycle-birthright');
SELECT steward.use_org('lifecycle-birthright') IS NOT NULL;
CREATE SCHEMA birthright_test;
SET search_path = birthright_test, pg_catalog;
CREATE VIEW org AS SELECT steward.default_org() AS id;
CREATE TABLE key (name text, secret text);
CREATE FUNCTION error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
  RETURN format('%s %s', SQLSTATE, SQLERRM);
END $$;
CREATE VIEW access AS SELECT p.user_name, string_agg(coalesce(g.scopes::text, 'role ' || r.name), ', ' ORDER BY coalesce(g.scopes::text, r.name)) AS has
FROM steward.principal p JOIN steward.scope_grant g ON g.org_id = p.org_id AND g.principal_id = p.id AND g.ends_at > clock_timestamp() AND g.source = 'birthright'
LEFT JOIN steward.role r ON r.org_id = g.org_id AND r.id = g.role_id WHERE p.org_id = steward.default_org() GROUP BY p.user_name ORDER BY 1;
CREATE VIEW credentials AS SELECT holder, scopes, state FROM steward.credential_inventory WHERE org_id = steward.default_org() ORDER BY holder, issued_at;
INSERT INTO steward.directory (org_id, name) SELECT id, 'main' FROM org;
INSERT INTO steward.role (org_id, name, scopes) SELECT id, 'seller', 'crm:read crm:write' FROM org;

-- Rules before anybody is there, and one afterwards; then everybody is compared again.
INSERT INTO steward.birthright_rule (org_id, name, attribute, scopes) SELECT id, 'all', 'everyone', 'mail:read' FROM org;
INSERT INTO steward.birthright_rule (org_id, name, attribute, value, role_id) SELECT org_id, 'sales', 'department', 'sales', id FROM steward.role WHERE org_id = steward.default_org() AND name = 'seller';
INSERT INTO steward.birthright_rule (org_id, name, attribute, value, scopes) SELECT id, 'admins', 'group', 'Admins', 'admin:all' FROM org;
INSERT INTO steward.birthright_rule (org_id, name, attribute, operator, value, scopes) SELECT id, 'staff', 'user_type', 'not_equals', 'Contractor', 'wiki:write' FROM org;
INSERT INTO steward.birthright_rule (org_id, name, attribute, operator, value, scopes) SELECT id, 'chiefs', 'title', 'starts_with', 'Chief', 'board:read' FROM org;
INSERT INTO steward.birthright_rule (org_id, name, attribute, operator, scopes) SELECT id, 'badge', 'attributes.badge', 'present', 'door:open' FROM org;
INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name, department, user_type, title, attributes)
SELECT org_id, id, n, n, d, t, i, a::jsonb FROM steward.directory, (VALUES ('ann', 'Sales', 'Employee', 'Chief of Sales', '{}'), ('bob', 'Support', 'contractor', NULL, '{"badge": "7"}'),
('cyd', NULL, NULL, NULL, '{"badge": null}')) AS v(n, d, t, i, a) WHERE org_id = steward.default_org();
SELECT * FROM access;
INSERT INTO steward.directory_group (org_id, directory_id, external_id, display_name) SELECT org_id, id, 'g1', 'admins' FROM steward.directory WHERE org_id = steward.default_org();
INSERT INTO steward.directory_member (org_id, group_id, user_id) SELECT g.org_id, g.id, u.id FROM steward.directory_group g JOIN steward.directory_user u USING (org_id) WHERE g.org_id = steward.default_org() AND user_name = 'bob';
SELECT * FROM access WHERE user_name = 'bob';
-- Another name is another group; a group that is gone gives nothing.
UPDATE steward.directory_group SET display_name = 'users' WHERE org_id = steward.default_org();
SELECT * FROM access WHERE user_name = 'bob';
UPDATE steward.directory_group SET display_name = 'Admins' WHERE org_id = steward.default_org();
SELECT * FROM access WHERE user_name = 'bob';
DELETE FROM steward.directory_group WHERE org_id = steward.default_org();
SELECT * FROM access WHERE user_name = 'bob';
SELECT person, kind, jsonb_array_length(attributes_old -> 'groups') AS gone, attributes_new FROM steward.lifecycle_event WHERE org_id = steward.default_org() AND person = 'bob' AND kind = 'mover' ORDER BY id;

-- A mover loses what no rule gives any more: flagged, narrowed or suspended.
INSERT INTO key SELECT 'ann1', secret FROM steward.issue_key('ann', 'crm:read mail:read');
INSERT INTO key SELECT 'ann2', secret FROM steward.issue_key('ann', 'crm:write');
INSERT INTO key SELECT 'ann3', secret FROM steward.issue_key('ann', 'mail:read');
SELECT * FROM credentials;
BEGIN;
UPDATE steward.directory_user SET department = 'Support' WHERE org_id = steward.default_org() AND user_name = 'ann';
SELECT * FROM access WHERE user_name = 'ann';
SELECT * FROM credentials;
SELECT rule, count(*) FROM steward.lifecycle_finding WHERE org_id = steward.default_org() GROUP BY rule;
ROLLBACK;
SELECT steward.set_lifecycle_policy('{"mover_action": "suspend"}', 'main');
BEGIN;
UPDATE steward.directory_user SET department = 'Support' WHERE org_id = steward.default_org() AND user_name = 'ann';
SELECT * FROM credentials;
ROLLBACK;
SELECT steward.set_lifecycle_policy('{"mover_action": "narrow"}', 'main');
UPDATE steward.directory_user SET department = 'Support' WHERE org_id = steward.default_org() AND user_name = 'ann';
SELECT * FROM credentials;
SELECT k.name, a.reason FROM key k, steward.authorize(k.secret, (CASE k.name WHEN 'ann2' THEN 'crm:write' ELSE 'mail:read' END)::steward.scope_set) a ORDER BY 1;
SELECT kind, effects, access_gained, access_lost FROM steward.lifecycle_timeline WHERE org_id = steward.default_org() AND person = 'ann' ORDER BY event_id;

-- A direct grant covers as well; who leaves loses all, who comes back gets what the rules give then.
SELECT steward.grant_scopes('bob', 'door:open', justification => 'test') IS NOT NULL;
INSERT INTO key SELECT 'bob', secret FROM steward.issue_key('bob', 'door:open');
UPDATE steward.directory_user SET attributes = '{}' WHERE org_id = steward.default_org() AND user_name = 'bob';
SELECT a.reason FROM key k, steward.authorize(k.secret) a WHERE k.name = 'bob';
UPDATE steward.directory_user SET active = false WHERE org_id = steward.default_org() AND user_name = 'bob';
SELECT count(*) FROM access WHERE user_name = 'bob';
UPDATE steward.directory_user SET active = true, department = 'Sales' WHERE org_id = steward.default_org() AND user_name = 'bob';
SELECT * FROM access WHERE user_name = 'bob';

-- A rule that changes or goes takes and gives for everybody; one with a lifetime is given once.
UPDATE steward.birthright_rule SET scopes = 'mail:read mail:send' WHERE org_id = steward.default_org() AND name = 'all';
DELETE FROM steward.birthright_rule WHERE org_id = steward.default_org() AND name = 'staff';
INSERT INTO steward.birthright_rule (org_id, name, attribute, scopes, lifetime) SELECT id, 'trial', 'everyone', 'trial:x', interval '1 hour' FROM org;
SELECT * FROM access;
UPDATE steward.scope_grant SET starts_at = starts_at - interval '2 hours', ends_at = ends_at - interval '2 hours' WHERE org_id = steward.default_org() AND scopes::text = 'trial:x';
UPDATE steward.directory_user SET title = 'None' WHERE org_id = steward.default_org();
SELECT * FROM access;
-- Applied again, the same rules change nothing.
CREATE TABLE before AS SELECT count(*) FROM steward.scope_grant WHERE org_id = steward.default_org();
UPDATE steward.birthright_rule SET enabled = enabled WHERE org_id = steward.default_org();
SELECT (SELECT count FROM before) = count(*) FROM steward.scope_grant WHERE org_id = steward.default_org();

-- The same by function.
SELECT steward.set_birthright('trial', 'title', 'trial:y', value => 'none') IS NOT NULL, steward.set_birthright('sales', 'everyone', role => 'seller', directory => 'main') IS NOT NULL;
SELECT * FROM access;
SELECT steward.set_birthright('trial', 'title', 'trial:y', value => 'none', enabled => false) IS NOT NULL;
SELECT name, role, scopes, people FROM steward.birthrights WHERE org_id = steward.default_org() ORDER BY name;

-- Bad input.
SELECT error_of($$SELECT steward.set_birthright('x', 'title', 'a:b', operator => '~', value => 'x')$$);
SELECT error_of($$SELECT steward.set_birthright('x', 'title', operator => 'present')$$);
SELECT error_of($$SELECT steward.set_birthright('x', 'everyone', 'a:b', role => 'seller')$$);
SELECT error_of($$SELECT steward.set_birthright('x', 'everyone', role => 'king')$$);
SELECT error_of($$SELECT steward.set_birthright('x', 'everyone', 'a:b', directory => 'nowhere')$$);
SELECT error_of($$SELECT steward.set_birthright('x', 'everyone', 'a:b', enabled => NULL)$$);
SELECT error_of($$SELECT steward.set_birthright(NULL, 'everyone', 'a:b')$$);
SELECT error_of($$INSERT INTO steward.birthright_rule (org_id, name, attribute, operator, value, scopes) SELECT id, 'x', 'title', '~', 'x', 'a:b' FROM org$$);
SELECT error_of($$INSERT INTO steward.birthright_rule (org_id, name, attribute, value, scopes) SELECT id, 'x', 'shoe_size', 'x', 'a:b' FROM org$$);
SELECT error_of($$INSERT INTO steward.birthright_rule (org_id, name, attribute, scopes) SELECT id, 'x', 'title', 'a:b' FROM org$$);
SELECT error_of($$INSERT INTO steward.birthright_rule (org_id, name, attribute) SELECT id, 'x', 'everyone' FROM org$$);
SELECT error_of($$INSERT INTO steward.birthright_rule (org_id, name, attribute, scopes, lifetime) SELECT id, 'x', 'everyone', 'a:b', interval '-1 day' FROM org$$);

RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA birthright_test CASCADE;
