-- The feed hands out every event once, in order, from any cursor on, and nothing of a transaction that is still open.
\set ECHO none
\getenv here PG_ABS_SRCDIR
\i :here/helper/cases.sql
\set ECHO all
SELECT pg_temp.company('audit-feed') AS org \gset
CREATE ROLE audit_feed_auditor;
SELECT steward.grant_profile('audit_feed_auditor', 'auditor') AS auditor;
INSERT INTO steward.role (org_id, name, scopes) SELECT :'org', 'r' || g, 'a:b' FROM generate_series(1, 50) g;
-- From the beginning to the end in steps: the same as all at once.
CREATE FUNCTION pg_temp.read(step int) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	cursor text;
	r record;
	got int;
BEGIN
	LOOP
		got := 0;
		FOR r IN SELECT event FROM steward.audit_feed(cursor, step) LOOP
			RETURN NEXT r.event;
			cursor := r.event;
			got := got + 1;
		END LOOP;
		EXIT WHEN got < step;
	END LOOP;
END $$;
SELECT s AS step, ARRAY(SELECT * FROM pg_temp.read(s)) = ARRAY(SELECT event FROM steward.audit WHERE org_id = :'org' ORDER BY incarnation, xact, n) AS all_in_order FROM unnest(ARRAY[1, 7, 64, 10000]) s;
SELECT event AS last FROM steward.audit WHERE org_id = :'org' ORDER BY incarnation DESC, xact DESC, n DESC LIMIT 1 \gset
SELECT count(*) AS after_the_last FROM steward.audit_feed(:'last');
BEGIN;
INSERT INTO steward.role (org_id, name, scopes) VALUES (:'org', 'open', 'a:b');
SELECT count(*) AS of_the_open_transaction FROM steward.audit_feed(:'last');
COMMIT;
SELECT count(*) AS after_commit FROM steward.audit_feed(:'last');
-- What a row of it has is what the log has.
SELECT count(*) AS rows, count(*) FILTER (WHERE (f.action, f.version, f.table_name, f.row_key, f.old_values, f.new_values, f.session_role, f.acting_role, f.application_name, f.recorded_at, f.occurred_at, f.context, f.metadata, f.targets, f.claimed_actor)
	IS NOT DISTINCT FROM (a.action, a.version, a.table_name, a.row_key, a.old_values, a.new_values, a.session_role, a.acting_role, a.application_name, a.recorded_at, a.occurred_at, a.context, a.metadata, a.targets, a.claimed_actor)) AS same FROM steward.audit_feed() f JOIN steward.audit a ON a.org_id = :'org' AND a.event = f.event \gset feed_
SELECT :feed_rows = :feed_same AS same, :feed_rows > 50 AS some;
SELECT n, a.* FROM (VALUES (1, $$'x'$$), (2, $$''$$), (3, $$'1.2.3.4'$$), (4, $$NULL, 0$$), (5, $$NULL, 10001$$), (6, $$NULL, NULL$$), (7, $$'-1.1.1'$$)) c(n, args), pg_temp.attempt('SELECT * FROM steward.audit_feed(' || args || ')') a ORDER BY n;
SELECT (pg_temp.attempt_as('audit_feed_auditor', format('SELECT * FROM steward.audit_feed(org => %L)', :'org'))).code;
SELECT (pg_temp.attempt_as('audit_feed_auditor', $$SELECT * FROM steward.audit_feed(org => '01900000-0000-7000-8000-000000000009')$$)).code;

-- In the shape of OCSF: required attributes are there, ids fit together.
SELECT (e.event ->> 'class_uid')::int AS class, (e.event ->> 'category_uid')::int AS category, e.event ->> 'activity_id' AS activity, (e.event ->> 'type_uid')::int = (e.event ->> 'class_uid')::int * 100 + (e.event ->> 'activity_id')::int AS type, e.event -> 'metadata' ->> 'version' AS version, bool_and(e.event ?& ARRAY['time', 'severity_id', 'metadata', 'actor']) AS whole, count(*) > 0 AS some
FROM steward.audit_ocsf e WHERE e.org_id = :'org' GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3;
-- CSV in which no spreadsheet sees a formula.
SELECT c, steward.csv_cell(c) AS cell FROM (VALUES (1, '=1+1'), (2, '+1'), (3, '-1'), (4, '@SUM(A1)'), (5, E'\t=1'), (6, E'\r=1'), (7, '  =1'), (8, 'plain'), (9, 'say "hi"'), (10, ''), (11, NULL), (12, E'two\nlines'), (13, '|x'), (14, '%x'), (15, '   ')) v(n, c) ORDER BY n;
SELECT steward.record_event('csv.test', metadata => '{"cell": "=HYPERLINK(1)"}') <> '' AS recorded;
SELECT count(*) AS lines, count(*) FILTER (WHERE line ~ '(^|,)"[=+@-]') AS formulas, max(line) FILTER (WHERE line LIKE '"event"%') AS heading FROM steward.audit_csv('-infinity') line \gset csv_
SELECT :csv_lines = (SELECT count(*) + 1 FROM steward.audit WHERE org_id = :'org') AS all_lines, :csv_formulas AS formulas, :'csv_heading' AS heading;
SELECT count(*) AS nothing_but_the_heading FROM steward.audit_csv('infinity');
SELECT steward.revoke_profile('audit_feed_auditor', 'auditor') AS revoked;
DROP ROLE audit_feed_auditor;
