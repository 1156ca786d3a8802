-- Whatever a superuser does to the log after it was sealed, with every trigger disabled, verify_audit() finds and names;
-- what is edited consistently down to the last hash is found against a checkpoint that was kept elsewhere.
\set ECHO none
\getenv here PG_ABS_SRCDIR
\i :here/helper/cases.sql
\set ECHO all
SELECT pg_temp.company('audit-tamper') AS org \gset
INSERT INTO steward.role (org_id, name, scopes) SELECT :'org', 'r' || g, 'a:b' FROM generate_series(1, 400) g;
SELECT count(*) > 0 AS sealed FROM steward.seal_audit();
SELECT steward.checkpoint() AS early \gset
INSERT INTO steward.role (org_id, name, scopes) SELECT :'org', 's' || g, 'a:b' FROM generate_series(1, 400) g;
SELECT count(*) > 0 AS sealed FROM steward.seal_audit();
SELECT steward.checkpoint() AS kept \gset
SELECT steward.checkpoint_delivered(:'kept', 'elsewhere') AS delivered;
-- One event more, which is not sealed: nothing can be said about it.
SELECT steward.record_event('not.sealed') <> '' AS recorded;
SELECT finding FROM steward.verify_audit(full => true, against => :'kept');

-- What a superuser might do.  Each in a transaction of its own, which is rolled back.
CREATE TEMP TABLE tampering (n int GENERATED ALWAYS AS IDENTITY, what text, statement text);
INSERT INTO tampering (what, statement) VALUES
	('another actor', $$UPDATE steward.audit_event SET session_role = 'mallory' WHERE org_id = :org AND new_values ->> 'name' = 'r50'$$),
	('another value', $$UPDATE steward.audit_event SET new_values = new_values || '{"name": "innocent"}' WHERE org_id = :org AND new_values ->> 'name' = 'r50'$$),
	('another time', $$UPDATE steward.audit_event SET occurred_at = occurred_at - interval '1 microsecond' WHERE org_id = :org AND new_values ->> 'name' = 'r50'$$),
	('another month', $$UPDATE steward.audit_event SET recorded_at = recorded_at + interval '2 months' WHERE org_id = :org AND new_values ->> 'name' = 'r50'$$),
	('a null for a value', $$UPDATE steward.audit_event SET application_name = NULL WHERE org_id = :org AND new_values ->> 'name' = 'r50'$$),
	('an empty text for a null', $$UPDATE steward.audit_event SET client_address = '0.0.0.0' WHERE org_id = :org AND new_values ->> 'name' = 'r50'$$),
	('one removed', $$DELETE FROM steward.audit_event WHERE org_id = :org AND new_values ->> 'name' = 'r50'$$),
	('many removed', $$DELETE FROM steward.audit_event WHERE org_id = :org AND new_values ->> 'name' ~ '^r(5.|6.)$'$$),
	('the last ones removed', $$DELETE FROM steward.audit_event WHERE org_id = :org AND new_values ->> 'name' ~ '^s39.$' OR new_values ->> 'name' = 's400' AND org_id = :org$$),
	('all removed', $$DELETE FROM steward.audit_event WHERE org_id = :org$$),
	('one added', $$INSERT INTO steward.audit_event SELECT (e).* FROM (SELECT (jsonb_populate_record(a, jsonb_build_object('n', a.n + 5000))) AS e FROM steward.audit_event a WHERE a.org_id = :org AND a.new_values ->> 'name' = 'r50') x$$),
	('two exchanged', $$WITH pair AS (SELECT a.ctid, a.tableoid, a.n, b.new_values FROM steward.audit_event a JOIN steward.audit_event b ON b.org_id = a.org_id AND b.xact = a.xact AND b.new_values ->> 'name' = CASE a.new_values ->> 'name' WHEN 'r50' THEN 'r51' ELSE 'r50' END WHERE a.org_id = :org AND a.new_values ->> 'name' IN ('r50', 'r51'))
		UPDATE steward.audit_event e SET new_values = p.new_values FROM pair p WHERE e.ctid = p.ctid AND e.tableoid = p.tableoid$$),
	('moved to another organization', $$UPDATE steward.audit_event SET org_id = '01900000-0000-7000-8000-00000000000a' WHERE org_id = :org AND new_values ->> 'name' = 'r50'$$),
	('a hash of a leaf', $$UPDATE steward.audit_tile SET hashes = set_byte(hashes, 1000, get_byte(hashes, 1000) # 1) WHERE org_id = :org AND level = 0 AND tile = 0$$),
	('two hashes exchanged', $$UPDATE steward.audit_tile SET hashes = substr(hashes, 1, 1600) || substr(hashes, 1633, 32) || substr(hashes, 1601, 32) || substr(hashes, 1665) WHERE org_id = :org AND level = 0 AND tile = (SELECT max(tile) FROM steward.audit_tile WHERE org_id = :org AND level = 0)$$),
	('a hash above', $$UPDATE steward.audit_tile SET hashes = set_byte(hashes, 0, get_byte(hashes, 0) # 1) WHERE org_id = :org AND level = 1$$),
	('a tile removed', $$DELETE FROM steward.audit_tile WHERE org_id = :org AND level = 0 AND tile = 1$$),
	('the tile above removed', $$DELETE FROM steward.audit_tile WHERE org_id = :org AND level = 1$$),
	('the recorded root', $$UPDATE steward.audit_log SET root = set_byte(root, 0, get_byte(root, 0) # 1) WHERE org_id = :org$$),
	('the size', $$UPDATE steward.audit_log SET size = size - 10 WHERE org_id = :org$$),
	('how far it is sealed', $$UPDATE steward.audit_log SET sealed_through = '1' WHERE org_id = :org$$),
	('the first leaf', $$UPDATE steward.audit_log SET start_leaf = start_leaf || '\x00' WHERE org_id = :org$$),
	('the name of the log', $$UPDATE steward.audit_log SET origin = 'another' WHERE org_id = :org$$),
	('a checkpoint in the history', $$UPDATE steward.audit_checkpoint SET root = set_byte(root, 0, get_byte(root, 0) # 1) WHERE org_id = :org AND size = (SELECT min(size) FROM steward.audit_checkpoint WHERE org_id = :org)$$),
	('a note in the history', $$UPDATE steward.audit_checkpoint SET note = replace(note, E'\n\n', E'\nx\n\n') WHERE org_id = :org AND size = (SELECT max(size) FROM steward.audit_checkpoint WHERE org_id = :org)$$),
	('content said to have expired', $$UPDATE steward.audit_log SET expired = 60, expired_event = '1.1.1' WHERE org_id = :org$$),
	('expired and removed', $$WITH l AS (UPDATE steward.audit_log SET expired = 60, expired_event = '1.1.1' WHERE org_id = :org) DELETE FROM steward.audit_event WHERE org_id = :org AND new_values ->> 'name' = 'r1'$$);
UPDATE tampering SET statement = replace(statement, ':org', quote_literal(:'org'));

CREATE FUNCTION pg_temp.tamper(statement text, OUT rows bigint, OUT finding text, OUT names text, OUT detail text) LANGUAGE plpgsql AS $$
BEGIN
	ALTER TABLE steward.audit_event DISABLE TRIGGER ALL;
	EXECUTE statement;
	GET DIAGNOSTICS rows = ROW_COUNT;
	SELECT v.finding, coalesce(a.new_values ->> 'name', a.action, CASE WHEN v.event IS NOT NULL THEN 'an event' END), regexp_replace(v.detail, '\d+', 'N', 'g') INTO finding, names, detail
	FROM steward.verify_audit(full => true) v LEFT JOIN steward.audit a ON a.event = v.event AND a.org_id = steward.default_org();
	RAISE EXCEPTION USING ERRCODE = 'ST999', MESSAGE = rows || '|' || finding || '|' || coalesce(names, '') || '|' || detail;
EXCEPTION WHEN SQLSTATE 'ST999' THEN
	rows := split_part(SQLERRM, '|', 1);
	finding := split_part(SQLERRM, '|', 2);
	names := split_part(SQLERRM, '|', 3);
	detail := split_part(SQLERRM, '|', 4);
END $$;
-- Which event a changed hash belongs to depends on what was recorded before; that one is named is what counts.
SELECT t.n, t.what, r.finding, CASE WHEN r.finding IN ('tile', 'reordered') AND r.names <> '' THEN 'an event' ELSE r.names END AS names, r.detail FROM tampering t, pg_temp.tamper(t.statement) r ORDER BY t.n;
SELECT count(*) AS did_nothing FROM tampering t, pg_temp.tamper(t.statement) r WHERE r.rows = 0 AND t.what <> 'expired and removed';
-- The quick check finds what is wrong with tiles, roots and checkpoints.
SELECT finding FROM steward.verify_audit();

-- Everything edited consistently: an event changed, its leaf, all tiles above, root, and the history of checkpoints made anew
-- with the log's own key.  Nothing inside can tell; the checkpoint that was kept does.
BEGIN;
ALTER TABLE steward.audit_event DISABLE TRIGGER ALL;
UPDATE steward.audit_event SET session_role = 'mallory' WHERE org_id = :'org' AND new_values ->> 'name' = 'r50';
DELETE FROM steward.audit_checkpoint WHERE org_id = :'org';
DELETE FROM steward.audit_tile WHERE org_id = :'org';
DELETE FROM steward.audit_log WHERE org_id = :'org';
COMMIT;
SELECT count(*) > 0 AS sealed_anew FROM steward.seal_audit();
ALTER TABLE steward.audit_event ENABLE TRIGGER ALL;
SELECT count(*) > 0 AS mended FROM steward.setup();
SELECT finding FROM steward.verify_audit(full => true);
SELECT split_part(steward.checkpoint(), E'\n', 1) = split_part(:'kept', E'\n', 1) AS same_name;
SELECT finding, regexp_replace(detail, '\d+', 'N', 'g') AS detail FROM steward.verify_audit(full => true, against => :'kept');
SELECT finding FROM steward.verify_audit(against => :'kept');
SELECT steward.verify_checkpoint(:'kept', public_key) AS signed_by_the_same_key FROM steward.audit_log_keys WHERE org_id = :'org';
-- A log that was cut off is smaller than the checkpoint.
UPDATE steward.audit_log SET size = 10 WHERE org_id = :'org';
SELECT finding, regexp_replace(detail, '\d+', 'N', 'g') AS detail FROM steward.verify_audit(against => :'kept');
-- And nothing is signed that is no continuation of what was.
SELECT a.* FROM pg_temp.attempt('SELECT steward.checkpoint()') a;
