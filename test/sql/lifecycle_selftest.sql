-- lifecycle_selftest() shows that every event has its effects by every path, leaves nothing behind but its result, and
-- notices what is broken; previews say what would happen and do not do it.
\set VERBOSITY terse
SELECT count(*) > 0 FROM steward.setup(organization => 'lifecycle-selftest');
SELECT steward.use_org('lifecycle-selftest') IS NOT NULL;
CREATE SCHEMA selftest_test;
SET search_path = selftest_test, pg_catalog;
INSERT INTO steward.directory (org_id, name) VALUES (steward.default_org(), 'main');
INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name) SELECT org_id, id, n, n FROM steward.directory, unnest(ARRAY['boss', 'ann']) n WHERE org_id = steward.default_org();
SELECT steward.set_default_owner('boss') IS NOT NULL;
CREATE VIEW everything AS SELECT (SELECT count(*) FROM steward.audit_event WHERE org_id = steward.default_org() AND table_name <> 'steward.lifecycle_selftest_run') AS audit,
  (SELECT count(*) FROM steward.principal WHERE org_id = steward.default_org()) AS principals, (SELECT count(*) FROM steward.credential WHERE org_id = steward.default_org()) AS credentials;
CREATE TABLE before AS SELECT * FROM everything;
SELECT path, event, check_name, result FROM steward.lifecycle_selftest() WHERE path IN ('row', 'configuration');
SELECT path, count(*), count(*) FILTER (WHERE result = 'passed') AS passed FROM steward.lifecycle_selftest() GROUP BY path ORDER BY path;
SELECT passed, failed FROM steward.lifecycle_selftest_run WHERE org_id = steward.default_org();
SELECT * FROM before EXCEPT SELECT * FROM everything;

-- A trigger that somebody disabled, and a hole in the succession.
BEGIN;
SET LOCAL client_min_messages = error;
ALTER TABLE steward.directory_user DISABLE TRIGGER lifecycle_update, DISABLE TRIGGER lifecycle_settle;
UPDATE steward.org_policy SET default_owner_id = NULL WHERE org_id = steward.default_org();
SELECT path, event, check_name, result FROM steward.lifecycle_selftest() WHERE result <> 'passed' AND path IN ('row', 'configuration');
ROLLBACK;

-- Previews.
SELECT steward.register_agent('bot', 'ann', 'test') IS NOT NULL;
SELECT count(*) FROM steward.issue_key('ann', 'a:b');
UPDATE before SET audit = e.audit, principals = e.principals, credentials = e.credentials FROM everything e;
CREATE TABLE foreseen AS SELECT table_name, action, new_values ->> 'state' AS state FROM steward.preview_leaver('ann');
SELECT * FROM foreseen ORDER BY table_name, action;
SELECT * FROM before EXCEPT SELECT * FROM everything;
SELECT table_name, action, new_values ->> 'department' AS department FROM steward.preview_mover('ann', '{"department": "Sales"}') ORDER BY 1;
SELECT * FROM before EXCEPT SELECT * FROM everything;
-- What was foreseen is what happens.
DELETE FROM before; INSERT INTO before SELECT * FROM everything;
UPDATE steward.directory_user SET active = false WHERE org_id = steward.default_org() AND user_name = 'ann';
SELECT table_name, action, new_values ->> 'state' AS state FROM steward.audit_event WHERE org_id = steward.default_org() AND table_name NOT LIKE '%.directory%'
AND xact = (SELECT max(xact::text::bigint)::text::xid8 FROM steward.audit_event WHERE org_id = steward.default_org())
EXCEPT ALL SELECT table_name, action, state FROM foreseen;

RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA selftest_test CASCADE;
