-- Events come twice, late, out of order and in masses: each id once, nothing newer undone, and nobody leaves by accident.
\set VERBOSITY terse
SELECT count(*) > 0 FROM steward.setup(organization => 'lifecycle-events');
SELECT steward.use_org('lifecycle-events') IS NOT NULL;
CREATE SCHEMA events_test;
SET search_path = events_test, pg_catalog;
CREATE VIEW org AS SELECT steward.default_org() AS id;
CREATE FUNCTION error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE d text; h text;
BEGIN
  EXECUTE statement;
  RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL;
  RETURN format('%s %s %s', SQLSTATE, SQLERRM, d);
END $$;
-- An event: kind, its id, minutes since the beginning, what it says.
CREATE FUNCTION send(kind text, id text, minute integer, data jsonb) RETURNS text LANGUAGE sql AS $$
  SELECT steward.apply_directory_event(jsonb_build_object('id', id, 'event', 'dsync.' || kind, 'created_at',
    to_char(timestamptz '2026-01-01 00:00:00+00' + minute * interval '1 minute', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'data', jsonb_build_object('directory_id', 'dir_1') || data)) $$;
CREATE FUNCTION say(id text, VARIADIC more text[] DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_object('id', 'du_' || id, 'idp_id', id, 'username', id || '@acme.example', 'emails', '[]'::jsonb) || coalesce((SELECT jsonb_object_agg(more[i], more[i + 1]) FROM generate_series(1, cardinality(more), 2) i), '{}') $$;
CREATE VIEW people AS SELECT u.user_name, u.active, u.title, p.state FROM steward.directory_user u
LEFT JOIN steward.principal_identity i USING (org_id, directory_id, external_id) LEFT JOIN steward.principal p ON p.org_id = i.org_id AND p.id = i.principal_id
WHERE u.org_id = steward.default_org() ORDER BY user_name;
CREATE FUNCTION story(text) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(kind || ' ' || cause, ', ' ORDER BY id) FROM steward.lifecycle_event WHERE org_id = steward.default_org() AND person LIKE $1 || '%' $$;

SELECT send('activated', 'e0', 0, '{"id": "dir_1", "name": "Acme Okta", "type": "okta scim v2.0"}');
SELECT name, kind, external_id, state FROM steward.directory WHERE org_id = steward.default_org();
SELECT send('user.created', 'e1', 1, say('ann', 'state', 'active', 'job_title', 'one'));
SELECT send('user.created', 'e1', 1, say('ann', 'state', 'active', 'job_title', 'one'));
SELECT send('user.updated', 'e3', 3, say('ann', 'job_title', 'three'));
SELECT send('user.updated', 'e2', 2, say('ann', 'job_title', 'two'));
SELECT * FROM people;
-- A late deactivation counts, unless a newer activation is known.
SELECT send('user.updated', 'e2b', 2, say('ann', 'state', 'inactive', 'job_title', 'late'));
SELECT * FROM people;
SELECT send('user.updated', 'e5', 5, say('ann', 'state', 'active'));
SELECT send('user.updated', 'e4', 4, say('ann', 'state', 'inactive'));
SELECT send('user.deleted', 'e4b', 4, say('ann'));
SELECT * FROM people;
SELECT send('user.deleted', 'e6', 6, say('ann'));
SELECT send('user.created', 'e5b', 5, say('ann', 'state', 'active'));
SELECT * FROM people;
SELECT story('ann');
-- The same by plain SQL.
SELECT send('user.created', 'b1', 1, say('bob', 'state', 'active', 'job_title', 'one'));
UPDATE steward.directory_user SET title = 'old', event_time = '2025-12-31' WHERE org_id = steward.default_org() AND external_id = 'bob';
UPDATE steward.directory_user SET title = 'new' WHERE org_id = steward.default_org() AND external_id = 'bob';
UPDATE steward.directory_user SET active = false, event_time = '2025-12-31' WHERE org_id = steward.default_org() AND external_id = 'bob';
SELECT * FROM people;
SELECT event, subject, outcome, detail -> 'title' AS title FROM steward.directory_event WHERE org_id = steward.default_org() AND outcome = 'stale' ORDER BY id;
-- What an event says was before, and was not: one is missing.
SELECT send('user.created', 'c1', 1, say('cyd', 'state', 'active', 'job_title', 'one'));
SELECT send('user.updated', 'c3', 3, say('cyd', 'job_title', 'three') || '{"previous_attributes": {"job_title": "two", "state": "active"}}');
SELECT source_event_id, outcome, detail FROM steward.directory_event WHERE org_id = steward.default_org() AND detail ? 'previously_otherwise';
-- Groups: the newest event about a membership decides.
SELECT send('group.created', 'g1', 1, '{"id": "gr_1", "idp_id": "g", "name": "Sales"}');
SELECT send('group.user_added', 'm2', 2, '{"user": {"idp_id": "cyd"}, "group": {"idp_id": "g"}}');
SELECT send('group.user_removed', 'm1', 1, '{"user": {"idp_id": "cyd"}, "group": {"idp_id": "g"}}');
SELECT count(*) FROM steward.directory_member WHERE org_id = steward.default_org();
SELECT send('group.user_removed', 'm3', 3, '{"user": {"idp_id": "cyd"}, "group": {"idp_id": "g"}}');
SELECT count(*) FROM steward.directory_member WHERE org_id = steward.default_org();
SELECT send('group.updated', 'g2', 2, '{"id": "gr_1", "idp_id": "g", "name": "Selling"}');
SELECT send('group.deleted', 'g4', 4, '{"id": "gr_1", "idp_id": "g"}');
SELECT count(*) FROM steward.directory_group WHERE org_id = steward.default_org();
-- The directory itself.
SELECT send('deleted', 'd9', 9, '{"id": "dir_1"}');
SELECT send('activated', 'd8', 8, '{"id": "dir_1"}');
SELECT state FROM steward.directory WHERE org_id = steward.default_org();
SELECT send('activated', 'd10', 10, '{"id": "dir_1"}');
SELECT * FROM people;
SELECT story('cyd');

-- Malformed payloads: each missing field has its message, and nothing changes.
CREATE TABLE good AS SELECT '{"id": "x", "event": "dsync.user.created", "created_at": "2026-01-01T00:00:00Z", "data": {"id": "u", "directory_id": "dir_1", "username": "u"}}'::jsonb AS e;
SELECT what, error_of(format('SELECT steward.apply_directory_event(%L)', e)) FROM (
  SELECT 1 AS n, 'no id' AS what, e - 'id' AS e FROM good UNION ALL SELECT 2, 'no event', e - 'event' FROM good
  UNION ALL SELECT 3, 'no data', e - 'data' FROM good UNION ALL SELECT 4, 'no time', e - 'created_at' FROM good
  UNION ALL SELECT 5, 'no directory', e #- '{data,directory_id}' FROM good UNION ALL SELECT 6, 'no subject', e #- '{data,id}' FROM good
  UNION ALL SELECT 7, 'no user name', e #- '{data,username}' FROM good UNION ALL SELECT 8, 'bad state', jsonb_set(e, '{data,state}', '"gone"') FROM good
  UNION ALL SELECT 9, 'bad time', jsonb_set(e, '{created_at}', '"yesterday"') FROM good UNION ALL SELECT 10, 'unknown event', jsonb_set(e, '{event}', '"dsync.user.eaten"') FROM good
  UNION ALL SELECT 11, 'data is a list', jsonb_set(e, '{data}', '[]') FROM good UNION ALL SELECT 12, 'next year', jsonb_set(e, '{created_at}', to_jsonb(to_char(now() + interval '1 year', 'YYYY-MM-DD') || 'T00:00:00Z')) FROM good
  UNION ALL SELECT 13, 'other directory', jsonb_set(e, '{data,directory_id}', '"dir_9"') FROM good UNION ALL SELECT 14, 'no group', jsonb_set(jsonb_set(e, '{event}', '"dsync.group.user_added"'), '{data,user}', '{"id": "u"}') FROM good
  UNION ALL SELECT 15, 'group without name', jsonb_set(e, '{event}', '"dsync.group.created"') FROM good UNION ALL SELECT 16, 'not an object', '3' FROM good) v ORDER BY n;
SELECT error_of($$SELECT steward.apply_directory_event(NULL)$$);
-- Another organization's directory is one that does not exist.
SELECT count(*) > 0 FROM steward.setup(organization => 'lifecycle-events-2');
SELECT steward.use_org('lifecycle-events-2') IS NOT NULL;
SELECT error_of($$SELECT steward.apply_directory_event(e) FROM events_test.good$$);
SELECT steward.use_org('lifecycle-events') IS NOT NULL;

-- The brake, on every path; a confirmation holds for its own transaction.
INSERT INTO steward.directory (org_id, name) SELECT id, 'big' FROM org;
INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name) SELECT d.org_id, d.id, 'n' || n, 'n' || lpad(n::text, 3, '0') FROM steward.directory d, generate_series(1, 60) n WHERE d.org_id = steward.default_org() AND d.name = 'big';
SELECT error_of($$UPDATE steward.directory_user SET active = false WHERE org_id = steward.default_org() AND user_name BETWEEN 'n001' AND 'n021'$$);
SELECT left(error_of($$DELETE FROM steward.directory_user WHERE org_id = steward.default_org() AND user_name BETWEEN 'n001' AND 'n021'$$), 130);
SELECT left(error_of($$UPDATE steward.directory SET state = 'unlinked' WHERE org_id = steward.default_org() AND name = 'big'$$), 130);
SELECT left(error_of($q$DO $x$ BEGIN FOR i IN 1 .. 21 LOOP UPDATE steward.directory_user SET active = false WHERE org_id = steward.default_org() AND user_name = 'n' || lpad(i::text, 3, '0'); END LOOP; END $x$ $q$), 130);
SELECT left(error_of($$UPDATE steward.directory_user SET end_date = now() WHERE org_id = steward.default_org() AND user_name BETWEEN 'n001' AND 'n021'$$), 130);
SELECT count(*) FROM people WHERE state = 'offboarded' AND user_name LIKE 'n%';
SELECT error_of($$UPDATE steward.directory_user SET active = false WHERE org_id = steward.default_org() AND user_name BETWEEN 'n001' AND 'n020'$$);
BEGIN;
SELECT steward.confirm_brake('big', 25, 'a layoff') IS NOT NULL;
SELECT error_of($$UPDATE steward.directory_user SET active = false WHERE org_id = steward.default_org() AND user_name BETWEEN 'n021' AND 'n045'$$);
SELECT left(error_of($$UPDATE steward.directory_user SET active = false WHERE org_id = steward.default_org() AND user_name = 'n046'$$), 140);
COMMIT;
SELECT count(*) FROM people WHERE state = 'offboarded' AND user_name LIKE 'n%';
SELECT leavers, reason FROM steward.brake_confirmation WHERE org_id = steward.default_org();
SELECT steward.set_lifecycle_policy('{"brake_count": 2, "brake_percent": 50}', 'big');
SELECT left(error_of($$UPDATE steward.directory_user SET active = false WHERE org_id = steward.default_org() AND user_name BETWEEN 'n046' AND 'n053'$$), 110);
SELECT error_of($$UPDATE steward.directory_user SET active = false WHERE org_id = steward.default_org() AND user_name BETWEEN 'n046' AND 'n052'$$);
SELECT error_of($$SELECT steward.confirm_brake('big', 0, 'x')$$);
SELECT error_of($$SELECT steward.confirm_brake('big', 3, NULL)$$);
SELECT error_of($$SELECT steward.confirm_brake('big', 3, ' ')$$);
SELECT error_of($$SELECT steward.confirm_brake('nowhere', 3, 'x')$$);

-- A full resynchronization: who is not seen has left; rows count however they come, changed or not.
INSERT INTO steward.directory (org_id, name) SELECT id, 'sync' FROM org;
CREATE FUNCTION users(VARIADIC names text[]) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_agg(jsonb_build_object('schemas', jsonb_build_array('urn:ietf:params:scim:schemas:core:2.0:User'), 'id', n, 'userName', n)) FROM unnest(names) n $$;
SELECT resource, found, added, changed, unchanged FROM steward.import_directory('sync', users('s1', 's2', 's3', 's4', 's5'));
SELECT error_of($$SELECT * FROM steward.end_sync('sync')$$);
SELECT steward.begin_sync('sync') IS NOT NULL;
SELECT error_of($$SELECT steward.begin_sync('sync')$$);
SELECT error_of($$SELECT * FROM steward.end_sync('sync')$$);
SELECT resource, found, added, changed, unchanged FROM steward.import_directory('sync', users('s1', 's2'));
UPDATE steward.directory_user SET title = 'seen' WHERE org_id = steward.default_org() AND user_name = 's3';
INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name) SELECT org_id, id, 's6', 's6' FROM steward.directory WHERE org_id = steward.default_org() AND name = 'sync';
SELECT * FROM steward.end_sync('sync');
SELECT user_name, state FROM people WHERE user_name LIKE 's%';
SELECT count(*) FROM steward.directory_sync_seen WHERE org_id = steward.default_org();
SELECT steward.begin_sync('sync') IS NOT NULL;
SELECT steward.begin_sync('sync', restart => true) IS NOT NULL;
SELECT state, seen, left_users FROM steward.directory_sync WHERE org_id = steward.default_org() ORDER BY id;
-- One that would remove 40 % of the people.
SELECT steward.set_lifecycle_policy('{"brake_count": 1}', 'sync');
SELECT count(*) FROM steward.import_directory('sync', users('s1', 's2'));
SELECT error_of($$SELECT * FROM steward.end_sync('sync')$$);
SELECT count(*) FILTER (WHERE action = 'insert' AND table_name = 'steward.lifecycle_event' AND new_values ->> 'kind' = 'leaver') FROM steward.preview_sync('sync', users('s1', 's2'));
BEGIN;
SELECT steward.confirm_brake('sync', 2, 'meant') IS NOT NULL;
SELECT * FROM steward.end_sync('sync');
COMMIT;
SELECT * FROM (SELECT directory, population, there, living, unmatched_there, unmatched_gone FROM steward.lifecycle_completeness WHERE org_id = steward.default_org()) c ORDER BY directory;

RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA events_test CASCADE;
