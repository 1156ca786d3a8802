-- A thousand random histories of people, in random batches, by random paths and with events out of order, end in the
-- state that a few lines of plain bookkeeping say, with as many leavers and rehires, and no key of a leaver alive.
\set VERBOSITY terse
SELECT count(*) > 0 FROM steward.setup(organization => 'lifecycle-model');
SELECT steward.use_org('lifecycle-model') IS NOT NULL;
CREATE SCHEMA model_test;
SET search_path = model_test, pg_catalog;
SELECT steward.set_lifecycle_policy('{"brake_count": 100000}');
INSERT INTO steward.directory (org_id, name) SELECT steward.default_org(), 'd' || n FROM generate_series(0, 3) n;
CREATE TABLE dir AS SELECT org_id, id, substr(name, 2)::int AS n, true AS linked FROM steward.directory WHERE org_id = steward.default_org();

-- The bookkeeping: what is known of each person, and what must have happened.
CREATE TABLE model AS SELECT 'p' || n AS ext, n % 4 AS d, false AS present, false AS active, NULL::timestamptz AS told, NULL::timestamptz AS activated,
  false AS joined, false AS live, 0 AS leavers, 0 AS rehires FROM generate_series(1, 1000) n;
CREATE TABLE pick (ext text PRIMARY KEY);
CREATE TABLE problem (step int, path text, what text);

CREATE FUNCTION told(t timestamptz, a boolean) RETURNS void LANGUAGE sql AS $$
  UPDATE model m SET
    active = CASE WHEN m.told > t THEN m.active AND (a OR coalesce(m.activated > t, false)) ELSE a END,
    activated = CASE WHEN m.told > t OR m.active OR NOT a THEN m.activated ELSE coalesce(t, m.told) END,
    told = CASE WHEN m.told > t THEN m.told ELSE coalesce(t, m.told) END
  FROM pick p WHERE m.ext = p.ext AND m.present $$;
CREATE FUNCTION settle() RETURNS void LANGUAGE sql AS $$
  UPDATE model m SET live = w.live, joined = m.joined OR w.live, rehires = m.rehires + (w.live AND m.joined AND NOT m.live)::int,
    leavers = m.leavers + (m.live AND NOT w.live)::int
  FROM (SELECT x.ext, x.present AND x.active AND d.linked AS live FROM model x JOIN dir d ON d.n = x.d) w WHERE m.ext = w.ext AND m.live <> w.live $$;

CREATE PROCEDURE step(s int) LANGUAGE plpgsql AS $$
DECLARE
  path text := (ARRAY['upsert', 'update', 'merge', 'told', 'told', 'delete', 'switch', 'loop', 'subtransaction'])[1 + floor(random() * 9)];
  share float := (ARRAY[0.001, 0.02, 0.1])[1 + floor(random() * 3)];
  a boolean := random() < 0.6;
  t timestamptz := timestamptz '2026-01-01' + floor(random() * 1000) * interval '1 minute';
  which int := floor(random() * 4);
  one text;
BEGIN
  DELETE FROM pick;
  INSERT INTO pick SELECT ext FROM model WHERE random() < share;
  CASE path
  WHEN 'upsert' THEN
    INSERT INTO steward.directory_user AS u (org_id, directory_id, external_id, user_name, active)
    SELECT d.org_id, d.id, m.ext, m.ext, a FROM pick JOIN model m USING (ext) JOIN dir d ON d.n = m.d
    ON CONFLICT (org_id, directory_id, external_id) DO UPDATE SET active = excluded.active;
  WHEN 'merge' THEN
    MERGE INTO steward.directory_user u USING (SELECT d.org_id, d.id, m.ext FROM pick JOIN model m USING (ext) JOIN dir d ON d.n = m.d) x
    ON u.org_id = x.org_id AND u.directory_id = x.id AND u.external_id = x.ext
    WHEN MATCHED AND NOT a THEN DELETE WHEN MATCHED THEN UPDATE SET active = true
    WHEN NOT MATCHED AND a THEN INSERT (org_id, directory_id, external_id, user_name) VALUES (x.org_id, x.id, x.ext, x.ext);
  WHEN 'update' THEN
    UPDATE steward.directory_user SET active = a WHERE org_id = steward.default_org() AND external_id IN (SELECT ext FROM pick);
  WHEN 'told' THEN
    UPDATE steward.directory_user SET active = a, event_time = t WHERE org_id = steward.default_org() AND external_id IN (SELECT ext FROM pick);
  WHEN 'delete' THEN
    DELETE FROM steward.directory_user WHERE org_id = steward.default_org() AND external_id IN (SELECT ext FROM pick);
  WHEN 'switch' THEN
    UPDATE steward.directory SET state = CASE state WHEN 'linked' THEN 'unlinked' ELSE 'linked' END WHERE org_id = steward.default_org() AND name = 'd' || which;
  WHEN 'loop' THEN
    DELETE FROM pick WHERE ext NOT IN (SELECT ext FROM pick LIMIT 10);
    FOR one IN SELECT ext FROM pick LOOP
      UPDATE steward.directory_user SET active = a WHERE org_id = steward.default_org() AND external_id = one;
    END LOOP;
  ELSE
    -- What is rolled back has not happened.
    BEGIN
      UPDATE steward.directory_user SET active = NOT active WHERE org_id = steward.default_org() AND external_id IN (SELECT ext FROM pick);
      RAISE EXCEPTION 'back';
    EXCEPTION WHEN raise_exception THEN NULL;
    END;
    UPDATE steward.directory_user SET active = a WHERE org_id = steward.default_org() AND external_id IN (SELECT ext FROM pick);
  END CASE;

  IF path IN ('upsert', 'update', 'loop', 'subtransaction') THEN PERFORM told(NULL, a); END IF;
  IF path = 'told' THEN PERFORM told(t, a); END IF;
  IF path = 'upsert' THEN UPDATE model m SET present = true, active = a, told = NULL, activated = NULL FROM pick p WHERE m.ext = p.ext AND NOT m.present; END IF;
  IF path = 'merge' AND a THEN
    PERFORM told(NULL, true);
    UPDATE model m SET present = true, active = true, told = NULL, activated = NULL FROM pick p WHERE m.ext = p.ext AND NOT m.present;
  END IF;
  IF path = 'delete' OR (path = 'merge' AND NOT a) THEN UPDATE model m SET present = false FROM pick p WHERE m.ext = p.ext; END IF;
  IF path = 'switch' THEN UPDATE dir SET linked = NOT linked WHERE n = which; END IF;
  PERFORM settle();
  INSERT INTO problem SELECT s, path, format('%s is %s', m.ext, p.state) FROM model m
  LEFT JOIN steward.principal_identity i ON i.org_id = steward.default_org() AND i.external_id = m.ext
  LEFT JOIN steward.principal p ON p.org_id = i.org_id AND p.id = i.principal_id
  WHERE p.state IS DISTINCT FROM CASE WHEN m.live THEN 'active' WHEN m.joined THEN 'offboarded' END;
  COMMIT;
END $$;
-- Everybody joins first; then the planner knows what there is.
INSERT INTO pick SELECT ext FROM model;
INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name) SELECT d.org_id, d.id, m.ext, m.ext FROM model m JOIN dir d ON d.n = m.d;
UPDATE model SET present = true, active = true, live = true, joined = true;
ANALYZE steward.directory_user, steward.principal, steward.principal_identity, steward.lifecycle_event, steward.org_policy, steward.directory;
SELECT setseed(0.42) IS NOT NULL;
DO $$ BEGIN FOR s IN 1 .. 40 LOOP CALL step(s); END LOOP; END $$;
SELECT * FROM problem LIMIT 5;
SELECT sum(leavers) > 500 AS left_, count(*) FILTER (WHERE leavers > 1) > 100 AS left_again, sum(rehires) > 100 AS came_back FROM model;
SELECT m.ext, m.leavers, m.rehires, e.* FROM model m LEFT JOIN LATERAL (SELECT count(*) FILTER (WHERE kind = 'joiner') AS j, count(*) FILTER (WHERE kind = 'leaver') AS l,
  count(*) FILTER (WHERE kind = 'rehire') AS r FROM steward.lifecycle_event e WHERE e.org_id = steward.default_org() AND e.person = m.ext) e ON true
WHERE (m.joined::int, m.leavers, m.rehires) IS DISTINCT FROM (e.j::int, e.l::int, e.r::int) LIMIT 5;
SELECT directory, unmatched_there, unmatched_gone FROM steward.lifecycle_completeness WHERE org_id = steward.default_org() ORDER BY 1;

RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA model_test CASCADE;
