-- Whoever a directory states as active gets a principal, in the same statement and by whatever path, and only once.
\set ECHO none
\getenv here PG_ABS_SRCDIR
\i :here/helper/cases.sql
\set ECHO all
SELECT pg_temp.company('joiner') AS org \gset
CREATE TEMP VIEW people AS SELECT p.kind, p.name, p.user_name, p.email, p.state, p.owner_id IS NULL AS unowned FROM steward.principal p
WHERE p.org_id = steward.default_org();
CREATE TEMP VIEW events AS SELECT e.kind, e.person, e.cause, e.attributes_new ->> 'department' AS department FROM steward.lifecycle_event e
WHERE e.org_id = steward.default_org();
SELECT * FROM people ORDER BY user_name;
SELECT * FROM events ORDER BY person, kind;

-- One statement, several people; names in other scripts, names that are missing, and names with control characters.
SELECT id AS hr FROM steward.directory WHERE org_id = steward.default_org() AND name = 'hr' \gset
INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name, display_name, given_name, family_name, active, start_date, end_date) VALUES
	(:'org', :'hr', 'x-1', 'yuki@hr.example', '佐藤 雪', NULL, NULL, true, NULL, NULL),
	(:'org', :'hr', 'x-2', 'lama@hr.example', NULL, 'لمى', 'حداد', true, NULL, NULL),
	(:'org', :'hr', 'x-3', 'noname@hr.example', NULL, NULL, NULL, true, NULL, NULL),
	(:'org', :'hr', 'x-4', 'blank@hr.example', '  ', NULL, NULL, true, NULL, NULL),
	(:'org', :'hr', 'x-5', 'control@hr.example', E'Con\ntrol\x7f', NULL, NULL, true, NULL, NULL),
	(:'org', :'hr', 'x-6', 'inactive@hr.example', 'Inactive', NULL, NULL, false, NULL, NULL),
	(:'org', :'hr', 'x-7', 'ended@hr.example', 'Ended', NULL, NULL, true, NULL, now() - interval '1 second'),
	(:'org', :'hr', 'x-8', 'later@hr.example', 'Later', NULL, NULL, true, now() + interval '1 day', now() + interval '1 year');
SELECT name, user_name FROM people WHERE user_name !~ '^(cora|maria|olivia|callum|dana)@' ORDER BY user_name;
-- Before the first day nothing opens.
SELECT reason FROM steward.issue_key('later@hr.example', 'a:b') k, steward.authorize(k.secret) a;

-- Who was inactive joins when activated; once.
UPDATE steward.directory_user SET active = true WHERE org_id = :'org' AND user_name = 'inactive@hr.example';
UPDATE steward.directory_user SET end_date = NULL WHERE org_id = :'org' AND user_name = 'ended@hr.example';
UPDATE steward.directory_user SET active = true WHERE org_id = :'org';
SELECT * FROM events WHERE person ~ '^(inactive|ended)@' ORDER BY person;

-- The same statement again, and the same row in a statement that does nothing.
CREATE TEMP TABLE before AS SELECT pg_temp.digest() AS d;
INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name) VALUES (:'org', :'hr', 'x-1', 'yuki@hr.example') ON CONFLICT DO NOTHING;
UPDATE steward.directory_user SET display_name = display_name WHERE org_id = :'org';
SELECT d = pg_temp.digest() AS nothing_changed FROM before;

-- By MERGE, by a writable CTE: a joiner all the same.
MERGE INTO steward.directory_user u USING (VALUES ('x-20', 'merged@hr.example')) AS s(x, n) ON u.org_id = steward.default_org() AND u.external_id = s.x
WHEN NOT MATCHED THEN INSERT (org_id, directory_id, external_id, user_name) VALUES (steward.default_org(), (SELECT id FROM steward.directory WHERE org_id = steward.default_org() AND name = 'hr'), s.x, s.n);
WITH made AS (INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name) VALUES (:'org', :'hr', 'x-21', 'cte@hr.example') RETURNING 1) SELECT count(*) FROM made;
SELECT * FROM events WHERE person ~ '^(merged|cte)@' ORDER BY person;
SELECT count(*) = count(DISTINCT user_name) AS nobody_twice, count(*) FROM people;

-- A row keeps what it is, two people cannot have one identifier or user name, and no source reports the future.
CREATE TEMP TABLE bad (n serial, what text, statement text);
INSERT INTO bad (what, statement) VALUES
	('another organization', format($$UPDATE steward.directory_user SET org_id = steward.uuid7() WHERE org_id = %L AND external_id = 'x-1'$$, :'org')),
	('another directory', format($$UPDATE steward.directory_user SET directory_id = steward.uuid7() WHERE org_id = %L AND external_id = 'x-1'$$, :'org')),
	('another id', format($$UPDATE steward.directory_user SET id = steward.uuid7() WHERE org_id = %L AND external_id = 'x-1'$$, :'org')),
	('an identifier twice', format($$INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name) VALUES (%L, %L, 'x-1', 'other')$$, :'org', :'hr')),
	('a user name twice, in other case', format($$INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name) VALUES (%L, %L, 'x-99', 'YUKI@hr.example')$$, :'org', :'hr')),
	('a padded user name', format($$UPDATE steward.directory_user SET user_name = ' yuki' WHERE org_id = %L AND external_id = 'x-1'$$, :'org')),
	('the future', format($$UPDATE steward.directory_user SET title = 'x', event_time = now() + interval '6 minutes' WHERE org_id = %L AND external_id = 'x-1'$$, :'org')),
	('TRUNCATE', 'TRUNCATE steward.directory_user CASCADE');
SELECT what, a.* FROM bad, pg_temp.attempt(statement) a ORDER BY n;
SELECT count(*) FROM people;
