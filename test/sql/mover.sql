-- Somebody who changes department, title, manager or group is a mover: recorded with what was and what is, once, and
-- nothing that they hold or own is touched.
\set ECHO none
\getenv here PG_ABS_SRCDIR
\i :here/helper/cases.sql
\set ECHO all
SELECT pg_temp.company('mover') AS org \gset
SELECT id AS hr FROM steward.directory WHERE org_id = :'org' AND name = 'hr' \gset
SELECT pg_temp.key('callum@hr.example') AS key \gset
-- The company's managers were set after its people had joined: that was a move already.
CREATE TEMP TABLE seen AS SELECT id FROM steward.lifecycle_event WHERE org_id = :'org';
CREATE FUNCTION pg_temp.new_events(OUT kind text, OUT person text, OUT cause text, OUT old jsonb, OUT new jsonb) RETURNS SETOF record LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY SELECT e.kind, split_part(e.person, '@', 1), e.cause, e.attributes_old, e.attributes_new FROM steward.lifecycle_event e
		WHERE e.org_id = steward.default_org() AND e.id NOT IN (SELECT id FROM seen) ORDER BY e.person COLLATE "C", e.id;
	INSERT INTO seen SELECT e.id FROM steward.lifecycle_event e WHERE e.org_id = steward.default_org() AND e.id NOT IN (SELECT id FROM seen);
END $$;

UPDATE steward.directory_user SET department = 'Engineering', title = 'Engineer' WHERE org_id = :'org' AND user_name = 'callum@hr.example';
SELECT * FROM pg_temp.new_events();
-- The same again changes nothing, and neither does what is not tracked.
UPDATE steward.directory_user SET department = 'Engineering', title = 'Engineer' WHERE org_id = :'org' AND user_name = 'callum@hr.example';
UPDATE steward.directory_user SET attributes = '{"nickName": "Cal"}', version = 'W/"2"' WHERE org_id = :'org' AND user_name = 'callum@hr.example';
SELECT * FROM pg_temp.new_events();
-- To NULL and back.
UPDATE steward.directory_user SET title = NULL WHERE org_id = :'org' AND user_name = 'callum@hr.example';
UPDATE steward.directory_user SET title = 'Engineer' WHERE org_id = :'org' AND user_name = 'callum@hr.example';
SELECT * FROM pg_temp.new_events();
-- The manager, and everybody at once.
UPDATE steward.directory_user u SET manager_user_id = m.id FROM steward.directory_user m WHERE u.org_id = :'org' AND m.org_id = :'org' AND u.external_id = 'x-callum' AND m.external_id = 'x-dana';
SELECT kind, person, cause, old ? 'manager_user_id' AS manager FROM pg_temp.new_events();
UPDATE steward.directory_user SET cost_center = 'CC-1' WHERE org_id = :'org';
SELECT count(*), count(DISTINCT person), min(cause) FROM pg_temp.new_events();

-- A new name and user name: the same person, found by the new one.
UPDATE steward.directory_user SET display_name = 'Callum Reid', user_name = 'callum.reid@hr.example', email = 'callum.reid@hr.example' WHERE org_id = :'org' AND external_id = 'x-callum';
SELECT person, old, new FROM pg_temp.new_events();
SELECT name, user_name, email FROM steward.principal WHERE org_id = :'org' AND user_name LIKE 'callum%';
-- A new external id: still the same person.
UPDATE steward.directory_user SET external_id = 'x-renamed' WHERE org_id = :'org' AND external_id = 'x-callum';
SELECT count(*) FROM pg_temp.new_events();
SELECT count(*) AS people, (SELECT external_id FROM steward.principal_identity i WHERE i.org_id = :'org' AND i.principal_id = p.id) AS external_id
FROM steward.principal p WHERE org_id = :'org' AND user_name LIKE 'callum%' GROUP BY p.id, p.org_id;

-- Groups: joining, leaving, a new name of the group, its end.
INSERT INTO steward.directory_group (org_id, directory_id, external_id, display_name) VALUES (:'org', :'hr', 'g-1', 'Engineers'), (:'org', :'hr', 'g-2', 'On call');
SELECT count(*) FROM pg_temp.new_events();
INSERT INTO steward.directory_member (org_id, group_id, user_id) SELECT g.org_id, g.id, u.id FROM steward.directory_group g, steward.directory_user u
WHERE g.org_id = :'org' AND u.org_id = :'org' AND (g.external_id, u.external_id) IN (('g-1', 'x-renamed'), ('g-2', 'x-renamed'), ('g-1', 'x-dana'));
SELECT * FROM pg_temp.new_events();
UPDATE steward.directory_group SET display_name = 'Builders' WHERE org_id = :'org' AND external_id = 'g-1';
SELECT * FROM pg_temp.new_events();
DELETE FROM steward.directory_member m USING steward.directory_group g WHERE m.org_id = :'org' AND g.id = m.group_id AND g.external_id = 'g-2';
SELECT * FROM pg_temp.new_events();
DELETE FROM steward.directory_group WHERE org_id = :'org' AND external_id = 'g-1';
SELECT person, cause, old -> 'groups' <> '[]' AS was_in_some, new FROM pg_temp.new_events();

-- Through all this the key opens, and everybody is there.
SELECT steward.is_authorized(:'key', 'tickets:read');
SELECT state, count(*) FROM steward.principal WHERE org_id = :'org' GROUP BY state;
-- Who is not there any more does not move.
UPDATE steward.directory_user SET active = false WHERE org_id = :'org' AND external_id = 'x-renamed';
UPDATE steward.directory_user SET department = 'Sales' WHERE org_id = :'org' AND external_id = 'x-renamed';
SELECT kind, person, cause FROM pg_temp.new_events();
