-- In whatever order and however often a person's end is stated, they leave once: the row is deactivated, deleted or past
-- its end date, the directory unlinked or deleted.  Every sequence of up to three of these is tried, each twice in a row.
\set ECHO none
\getenv here PG_ABS_SRCDIR
\i :here/helper/cases.sql
\set ECHO all
SELECT pg_temp.company('leaver-orders') AS org \gset
SELECT steward.register_agent('bot', 'olivia@hr.example', 'answers tickets') IS NOT NULL AS bot;
CREATE TEMP TABLE key AS SELECT 'own' AS name, pg_temp.key('olivia@hr.example') AS secret UNION ALL SELECT 'bot', pg_temp.key('bot') UNION ALL SELECT 'dana', pg_temp.key('dana@hr.example');
CREATE TEMP TABLE event (name text, whole boolean, statement text);
INSERT INTO event VALUES
	('deactivated', false, $$UPDATE steward.directory_user SET active = false WHERE org_id = steward.default_org() AND external_id = 'x-olivia'$$),
	('deleted', false, $$DELETE FROM steward.directory_user WHERE org_id = steward.default_org() AND external_id = 'x-olivia'$$),
	('ended', false, $$UPDATE steward.directory_user SET end_date = now() - interval '1 day' WHERE org_id = steward.default_org() AND external_id = 'x-olivia'$$),
	('unlinked', true, $$UPDATE steward.directory SET state = 'unlinked' WHERE org_id = steward.default_org()$$),
	('directory deleted', true, $$DELETE FROM steward.directory WHERE org_id = steward.default_org()$$);

-- Every change of a governed row is an event of the audit log: as many as before means that nothing changed.
CREATE FUNCTION pg_temp.changes() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM steward.audit_event WHERE org_id = steward.default_org() $$;
-- Does the events, each twice, with the deferred triggers fired after each; says what came of it, and takes it back.
CREATE FUNCTION pg_temp.leave(events text[], OUT cause text, OUT leavers bigint, OUT acts bigint, OUT own text, OUT bot text, OUT dana text, OUT second_time_quiet boolean) LANGUAGE plpgsql AS $$
DECLARE
	step text;
	before bigint;
BEGIN
	second_time_quiet := true;
	FOREACH step IN ARRAY events LOOP
		EXECUTE (SELECT e.statement FROM event e WHERE e.name = step);
		SET CONSTRAINTS ALL IMMEDIATE;
		before := pg_temp.changes();
		EXECUTE (SELECT e.statement FROM event e WHERE e.name = step);
		second_time_quiet := second_time_quiet AND before = pg_temp.changes();
	END LOOP;
	SELECT min(e.cause), count(*) INTO cause, leavers FROM steward.lifecycle_event e WHERE e.org_id = steward.default_org() AND e.kind = 'leaver' AND e.person = 'olivia@hr.example';
	SELECT count(*) INTO acts FROM steward.revocation r JOIN steward.lifecycle_event e ON e.org_id = r.org_id AND e.id = r.lifecycle_event_id
		WHERE r.org_id = steward.default_org() AND e.person = 'olivia@hr.example';
	SELECT reason INTO own FROM key k, steward.authorize(k.secret) WHERE k.name = 'own';
	SELECT reason INTO bot FROM key k, steward.authorize(k.secret) WHERE k.name = 'bot';
	SELECT reason INTO dana FROM key k, steward.authorize(k.secret) WHERE k.name = 'dana';
	RAISE EXCEPTION USING ERRCODE = 'TAKEB';
EXCEPTION WHEN SQLSTATE 'TAKEB' THEN NULL;
END $$;

CREATE TEMP TABLE tried AS
WITH RECURSIVE s AS (
	SELECT ARRAY[name] AS events, whole FROM event
	UNION ALL SELECT s.events || e.name, s.whole OR e.whole FROM s, event e WHERE e.name <> ALL (s.events) AND cardinality(s.events) < 3)
SELECT s.events, s.whole, l.* FROM s, pg_temp.leave(s.events) l;
SELECT whole AS of_the_whole_directory, count(*) AS sequences, min(leavers) AS fewest_leavers, max(leavers) AS most_leavers, max(acts) AS acts, bool_and(second_time_quiet) AS second_time_quiet,
	string_agg(DISTINCT own, ', ') AS own_key, string_agg(DISTINCT bot, ', ') AS bot_key, string_agg(DISTINCT dana, ', ') AS dana_key
FROM tried GROUP BY whole ORDER BY whole;
-- The cause is the first that was stated.
SELECT events[1] AS first, string_agg(DISTINCT cause, ', ') AS cause FROM tried GROUP BY 1 ORDER BY 1;
SELECT count(*) AS everything_was_taken_back FROM key k, steward.authorize(k.secret) WHERE allowed;
