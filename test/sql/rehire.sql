-- Somebody who comes back is the same person: what the leaver event suspended is lifted, and nothing else.  What was
-- revoked stays revoked, and what belongs to others by now stays theirs.
\set ECHO none
\getenv here PG_ABS_SRCDIR
\i :here/helper/cases.sql
\set ECHO all
SELECT pg_temp.company('rehire') AS org \gset
-- Cora has nobody above her: what she owns is orphaned; Olivia's goes to Maria.
SELECT count(steward.register_agent(a, o || '@hr.example', 'works')) FROM (VALUES ('orphan', 'cora'), ('leaky', 'cora'), ('passed', 'olivia')) AS v(a, o);
CREATE TEMP TABLE key AS SELECT h AS name, pg_temp.key(h) AS secret FROM unnest(ARRAY['cora@hr.example', 'olivia@hr.example', 'orphan', 'leaky', 'passed']) AS h;
-- Something else is wrong with one of them before she leaves.
INSERT INTO steward.suspension (org_id, principal_id, cause, reason) SELECT org_id, id, 'leak', 'seen elsewhere' FROM steward.principal WHERE org_id = :'org' AND name = 'leaky';
UPDATE steward.principal SET state = 'suspended' WHERE org_id = :'org' AND name = 'leaky';
CREATE FUNCTION pg_temp.keys(OUT key text, OUT reason text) RETURNS SETOF record LANGUAGE sql AS $$
	SELECT k.name, a.reason FROM key k, steward.authorize(k.secret) a ORDER BY 1
$$;
SELECT * FROM pg_temp.keys();
UPDATE steward.directory_user SET active = false WHERE org_id = :'org' AND user_name ~ '^(cora|olivia)@';
SELECT * FROM pg_temp.keys();
UPDATE steward.directory_user SET active = true WHERE org_id = :'org' AND user_name ~ '^(cora|olivia)@';
SELECT * FROM pg_temp.keys();
SELECT kind, person, cause, effects ->> 'principals_resumed' AS principals_resumed, effects ->> 'credentials_resumed' AS credentials_resumed
FROM steward.lifecycle_event WHERE org_id = :'org' AND kind = 'rehire' ORDER BY person;
SELECT p.name, p.state, o.user_name AS owner FROM steward.principal p JOIN steward.principal o ON o.org_id = p.org_id AND o.id = p.owner_id WHERE p.org_id = :'org' ORDER BY 1;
SELECT coalesce(p.name, 'a credential') AS what, s.cause, s.lifted_at IS NOT NULL AS lifted, s.lifted_by_event IS NOT NULL AS by_event
FROM steward.suspension s LEFT JOIN steward.principal p ON p.org_id = s.org_id AND p.id = s.principal_id WHERE s.org_id = :'org' ORDER BY 1, 2;
-- The epoch stays; a new key opens.
SELECT user_name, state, offboarded_at, tokens_valid_after > '-infinity' AS epoch_stays FROM steward.principal WHERE org_id = :'org' AND user_name ~ '^(cora|olivia)@' ORDER BY 1;
SELECT steward.is_authorized(pg_temp.key('olivia@hr.example'), 'tickets:read') AS a_new_key_opens;
SELECT count(*) AS people FROM steward.principal WHERE org_id = :'org' AND kind = 'human';

-- Each way of coming back after each way of leaving, twice: one leaver and one rehire, the same person, the old key dead.
CREATE TEMP TABLE way (out text, back text);
INSERT INTO way VALUES
	($$UPDATE steward.directory_user SET active = false WHERE org_id = steward.default_org() AND external_id = 'x-olivia'$$, $$UPDATE steward.directory_user SET active = true WHERE org_id = steward.default_org() AND external_id = 'x-olivia'$$),
	($$UPDATE steward.directory_user SET end_date = now() - interval '1 day' WHERE org_id = steward.default_org() AND external_id = 'x-olivia'$$, $$UPDATE steward.directory_user SET end_date = NULL WHERE org_id = steward.default_org() AND external_id = 'x-olivia'$$),
	($$DELETE FROM steward.directory_user WHERE org_id = steward.default_org() AND external_id = 'x-olivia'$$, $$INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name)
		SELECT org_id, id, 'x-olivia', 'olivia@hr.example' FROM steward.directory WHERE org_id = steward.default_org() ON CONFLICT DO NOTHING$$),
	($$UPDATE steward.directory SET state = 'unlinked' WHERE org_id = steward.default_org()$$, $$UPDATE steward.directory SET state = 'linked' WHERE org_id = steward.default_org()$$);
CREATE FUNCTION pg_temp.there_and_back(leave text, back text, OUT events text, OUT old_key text, OUT people bigint, OUT state text) LANGUAGE plpgsql AS $$
DECLARE
	key text := pg_temp.key('olivia@hr.example');
	known uuid[] := ARRAY(SELECT id FROM steward.lifecycle_event WHERE org_id = steward.default_org());
BEGIN
	EXECUTE leave;
	EXECUTE leave;
	EXECUTE back;
	EXECUTE back;
	SET CONSTRAINTS ALL IMMEDIATE;
	SELECT string_agg(e.kind || ': ' || e.cause, ', ' ORDER BY e.id) INTO events FROM steward.lifecycle_event e
		WHERE e.org_id = steward.default_org() AND e.person LIKE 'olivia%' AND e.id <> ALL (known);
	SELECT a.reason INTO old_key FROM steward.authorize(key) a;
	SELECT count(*), max(p.state) INTO people, state FROM steward.principal p WHERE p.org_id = steward.default_org() AND p.user_name = 'olivia@hr.example';
	RAISE EXCEPTION USING ERRCODE = 'TAKEB';
EXCEPTION WHEN SQLSTATE 'TAKEB' THEN NULL;
END $$;
SELECT left(w.out, 27) AS leaves_by, t.* FROM way w, pg_temp.there_and_back(w.out, w.back) t ORDER BY w.out, w.back;
