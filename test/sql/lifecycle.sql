-- What a directory says is what becomes of people, whichever path it is written by: joiner, mover, leaver, rehire,
-- suspend and resume, by policy of the organization and of the directory.
\set VERBOSITY terse
SELECT count(*) > 0 FROM steward.setup(organization => 'lifecycle');
SELECT steward.use_org('lifecycle') IS NOT NULL;
CREATE SCHEMA lifecycle_test;
SET search_path = lifecycle_test, pg_catalog;
CREATE VIEW org AS SELECT steward.default_org() AS id;
CREATE TABLE key (name text, secret text);
CREATE VIEW events AS SELECT id, person, kind, cause, effects FROM steward.lifecycle_event WHERE org_id = steward.default_org() ORDER BY id;
CREATE VIEW people AS SELECT user_name, state FROM steward.principal WHERE org_id = steward.default_org() AND kind = 'human' ORDER BY user_name;
CREATE FUNCTION check_of(text) RETURNS text LANGUAGE sql AS $$ SELECT a.reason FROM key k, steward.authorize(k.secret) a WHERE k.name = $1 $$;
-- The error of a statement: its code and message, with everything as before.
CREATE FUNCTION error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
  RETURN format('%s %s', SQLSTATE, SQLERRM);
END $$;
INSERT INTO steward.directory (org_id, name) SELECT id, 'main' FROM org;
CREATE VIEW main AS SELECT org_id, id FROM steward.directory WHERE org_id = steward.default_org() AND name = 'main';

-- One person through every event, by the paths that SQL has.
CREATE FUNCTION write(how text, ext text, active boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  CASE how
  WHEN 'insert' THEN
    INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name, active) SELECT org_id, id, ext, ext, write.active FROM main
    ON CONFLICT (org_id, directory_id, external_id) DO UPDATE SET active = excluded.active;
  WHEN 'merge' THEN
    MERGE INTO steward.directory_user u USING main m ON u.org_id = m.org_id AND u.directory_id = m.id AND u.external_id = ext
    WHEN MATCHED THEN UPDATE SET active = write.active
    WHEN NOT MATCHED THEN INSERT (org_id, directory_id, external_id, user_name, active) VALUES (m.org_id, m.id, ext, ext, write.active);
  WHEN 'import' THEN
    PERFORM steward.import_directory('main', jsonb_build_array(jsonb_build_object('schemas', jsonb_build_array(
      'urn:ietf:params:scim:schemas:core:2.0:User'), 'externalId', ext, 'userName', ext, 'active', write.active)));
  WHEN 'event' THEN
    PERFORM steward.apply_directory_event(jsonb_build_object('id', gen_random_uuid(), 'event', 'dsync.user.updated', 'created_at', now(),
      'data', jsonb_build_object('id', ext, 'idp_id', ext, 'directory_id', 'main', 'username', ext, 'state', CASE WHEN write.active THEN 'active' ELSE 'inactive' END)));
  WHEN 'delete' THEN
    IF write.active THEN
      INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name) SELECT org_id, id, ext, ext FROM main;
    ELSE
      DELETE FROM steward.directory_user u USING main m WHERE u.org_id = m.org_id AND u.directory_id = m.id AND u.external_id = ext;
    END IF;
  END CASE;
END $$;
DO $$
DECLARE how text;
BEGIN
  FOREACH how IN ARRAY ARRAY['insert', 'merge', 'import', 'event', 'delete'] LOOP
    PERFORM write(how, how, true);
    INSERT INTO key SELECT how, secret FROM steward.issue_key(how, 'a:b');
    PERFORM write(how, how, false);
    IF how <> 'delete' THEN PERFORM write(how, how, false); END IF;
    PERFORM write(how, how, true);
  END LOOP;
END $$;
SELECT person, string_agg(kind || ' ' || cause, ', ' ORDER BY id) AS events, check_of(person) FROM events GROUP BY person ORDER BY person;
SELECT * FROM people;
\copy steward.directory_user (org_id, directory_id, external_id, user_name) FROM PROGRAM 'true'

-- Policy: what is inactive is suspended, and leaves when the grace period is over.
SELECT steward.set_lifecycle_policy('{"inactive_action": "suspend", "inactive_grace": "1 hour"}', 'main');
INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name) SELECT org_id, id, 'sue', 'sue' FROM main;
INSERT INTO key SELECT 'sue', secret FROM steward.issue_key('sue', 'a:b');
UPDATE steward.directory_user SET active = false WHERE org_id = steward.default_org() AND user_name = 'sue';
SELECT check_of('sue'), (SELECT state FROM people WHERE user_name = 'sue');
UPDATE steward.directory_user SET active = true WHERE org_id = steward.default_org() AND user_name = 'sue';
SELECT check_of('sue'), (SELECT state FROM people WHERE user_name = 'sue');
-- Somebody else suspended her as well: resuming leaves that.
UPDATE steward.directory_user SET active = false WHERE org_id = steward.default_org() AND user_name = 'sue';
INSERT INTO steward.suspension (org_id, principal_id, cause, reason) SELECT org_id, id, 'incident', 'test' FROM steward.principal WHERE org_id = steward.default_org() AND user_name = 'sue';
UPDATE steward.directory_user SET active = true WHERE org_id = steward.default_org() AND user_name = 'sue';
SELECT check_of('sue'), (SELECT state FROM people WHERE user_name = 'sue');
UPDATE steward.suspension SET lifted_at = now(), lifted_by = 'me' WHERE org_id = steward.default_org() AND cause = 'incident';
UPDATE steward.principal SET state = 'active' WHERE org_id = steward.default_org() AND user_name = 'sue';
SELECT steward.set_lifecycle_policy('{"inactive_grace": "0"}', 'main');
UPDATE steward.directory_user SET active = false WHERE org_id = steward.default_org() AND user_name = 'sue';
SELECT check_of('sue'), (SELECT state FROM people WHERE user_name = 'sue');
SELECT person, string_agg(kind || ' ' || cause, ', ' ORDER BY id) AS events FROM events WHERE person = 'sue' GROUP BY person;

-- Unlinking suspends for the grace period; relinking brings back; without grace it is leaving.
SELECT steward.set_lifecycle_policy('{"unlink_grace": "1 day"}');
INSERT INTO steward.directory (org_id, name) SELECT id, 'second' FROM org;
INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name) SELECT org_id, id, 'uma', 'uma' FROM steward.directory WHERE org_id = steward.default_org() AND name = 'second';
INSERT INTO key SELECT 'uma', secret FROM steward.issue_key('uma', 'a:b');
UPDATE steward.directory SET state = 'unlinked' WHERE org_id = steward.default_org() AND name = 'second';
SELECT check_of('uma');
UPDATE steward.directory SET state = 'linked' WHERE org_id = steward.default_org() AND name = 'second';
SELECT check_of('uma');
UPDATE steward.directory SET state = 'unlinked' WHERE org_id = steward.default_org() AND name = 'second';
SELECT result FROM steward.maintain() WHERE step LIKE 'ends of%';
SELECT steward.set_lifecycle_policy('{"unlink_grace": "0"}');
UPDATE steward.principal SET leaves_at = now() - interval '1 second' WHERE org_id = steward.default_org() AND user_name = 'uma';
SELECT result FROM steward.maintain() WHERE step LIKE 'ends of%';
SELECT result FROM steward.maintain() WHERE step LIKE 'ends of%';
SELECT person, string_agg(kind || ' ' || cause, ', ' ORDER BY id) AS events, check_of(person) FROM events WHERE person = 'uma' GROUP BY person;

-- Dates: a check obeys the moment itself, the books follow by maintain().
INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name, end_date) SELECT org_id, id, 'con', 'con', now() + interval '1 hour' FROM main;
INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name, start_date) SELECT org_id, id, 'nex', 'nex', now() + interval '1 hour' FROM main;
INSERT INTO key SELECT n, secret FROM (VALUES ('con'), ('nex')) AS v(n), steward.issue_key(n, 'a:b');
SELECT check_of('con'), check_of('nex');
BEGIN;
UPDATE steward.principal SET ends_at = clock_timestamp() WHERE org_id = steward.default_org() AND user_name = 'con';
SELECT check_of('con'), (SELECT state FROM people WHERE user_name = 'con');
ROLLBACK;
UPDATE steward.directory_user SET end_date = now() - interval '1 second' WHERE org_id = steward.default_org() AND user_name = 'con';
UPDATE steward.directory_user SET start_date = now() - interval '1 second' WHERE org_id = steward.default_org() AND user_name = 'nex';
SELECT check_of('con'), check_of('nex');
SELECT person, string_agg(kind || ' ' || cause, ', ' ORDER BY id) AS events FROM events WHERE person IN ('con', 'nex') GROUP BY person ORDER BY person;

-- Leavers by policy only suspended: what lives here revives with a rehire in time, what lives elsewhere is revoked at once.
SELECT steward.set_lifecycle_policy('{"leaver_action": "suspend", "leaver_grace": "1 day"}');
SELECT steward.set_lifecycle_policy('{"inactive_action": null}', 'main');
INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name) SELECT org_id, id, n, n FROM main, unnest(ARRAY['ron', 'boss']) AS n;
INSERT INTO key SELECT 'ron', secret FROM steward.issue_key('ron', 'a:b');
SELECT steward.register_system('crm', 'boss', 'saas', revocation_path => 'connector') IS NOT NULL;
SELECT steward.register_credential('ron-crm', 'crm', 'api_key', 'ron', 'crm:read') IS NOT NULL;
UPDATE steward.directory_user SET active = false WHERE org_id = steward.default_org() AND user_name = 'ron';
SELECT check_of('ron');
SELECT name, system, status FROM steward.credential_inventory WHERE org_id = steward.default_org() AND holder = 'ron' ORDER BY system;
UPDATE steward.directory_user SET active = true WHERE org_id = steward.default_org() AND user_name = 'ron';
SELECT check_of('ron');
UPDATE steward.directory_user SET active = false WHERE org_id = steward.default_org() AND user_name = 'ron';
UPDATE steward.principal SET leaves_at = now() WHERE org_id = steward.default_org() AND user_name = 'ron';
SELECT result FROM steward.maintain() WHERE step LIKE 'ends of%';
UPDATE steward.directory_user SET active = true WHERE org_id = steward.default_org() AND user_name = 'ron';
SELECT check_of('ron');
SELECT steward.set_lifecycle_policy('{"leaver_action": "revoke"}');

-- Succession: manager, department, organization, in the order that policy names; cycles end; holes are findings.
INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name, department) SELECT org_id, id, n, n, 'Sales' FROM main, unnest(ARRAY['own1', 'own2', 'own3', 'own4', 'dora', 'omar', 'mia']) AS n;
UPDATE steward.directory_user SET manager_user_id = (SELECT id FROM steward.directory_user WHERE org_id = steward.default_org() AND user_name = 'mia') WHERE org_id = steward.default_org() AND user_name = 'own1';
UPDATE steward.directory_user SET manager_user_id = (SELECT id FROM steward.directory_user WHERE org_id = steward.default_org() AND user_name = 'own1') WHERE org_id = steward.default_org() AND user_name = 'mia';
SELECT steward.register_agent('bot-' || n, n, 'test') IS NOT NULL FROM unnest(ARRAY['own1', 'own2', 'own3', 'own4']) AS n;
SELECT steward.set_default_owner('dora', 'SALES') IS NOT NULL, steward.set_default_owner('omar') IS NOT NULL;
UPDATE steward.directory_user SET active = false WHERE org_id = steward.default_org() AND user_name = 'own1';
UPDATE steward.directory_user SET active = false WHERE org_id = steward.default_org() AND user_name = 'own2';
SELECT steward.set_lifecycle_policy('{"succession": ["organization", "manager"]}', 'main');
UPDATE steward.directory_user SET active = false WHERE org_id = steward.default_org() AND user_name = 'own3';
UPDATE steward.directory_user SET active = false WHERE org_id = steward.default_org() AND user_name IN ('omar', 'dora', 'own4');
SELECT p.name, o.user_name AS owner, p.state FROM steward.principal p JOIN steward.principal o ON o.org_id = p.org_id AND o.id = p.owner_id
WHERE p.org_id = steward.default_org() AND p.kind = 'agent' ORDER BY p.name;
SELECT rule, detail FROM steward.lifecycle_finding WHERE org_id = steward.default_org() ORDER BY rule;

-- Bad input.
SELECT error_of($$SELECT steward.set_lifecycle_policy('{"sucession": []}')$$);
SELECT error_of($$SELECT steward.set_lifecycle_policy('{}')$$);
SELECT error_of($$SELECT steward.set_lifecycle_policy('[1]')$$);
SELECT error_of($$SELECT steward.set_lifecycle_policy(NULL)$$);
SELECT error_of($$SELECT steward.set_lifecycle_policy('{"succession": ["manager", "manager"]}')$$);
SELECT error_of($$SELECT steward.set_lifecycle_policy('{"succession": ["king"]}')$$);
SELECT error_of($$SELECT steward.set_lifecycle_policy('{"mover_action": "shrug"}', 'main')$$);
SELECT error_of($$SELECT steward.set_lifecycle_policy('{"mover_action": "flag"}', 'nowhere')$$);
SELECT error_of($$SELECT steward.set_default_owner('own1')$$);
SELECT error_of($$SELECT steward.set_default_owner('bot-own1')$$);
SELECT error_of($$UPDATE steward.directory_user SET event_time = now() + interval '1 year' WHERE org_id = steward.default_org() AND user_name = 'mia'$$);

RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA lifecycle_test CASCADE;
