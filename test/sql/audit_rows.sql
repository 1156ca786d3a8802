-- Every change of a governed row is one event of the audit log, in the same transaction: who, what, the columns that
-- changed before and after; an UPDATE that changes nothing is none, and what is rolled back has left none.
\set ECHO none
\getenv here PG_ABS_SRCDIR
\i :here/helper/cases.sql
\set ECHO all
CREATE ROLE audit_rows_admin;
SET application_name = 'audit_rows test';
SELECT pg_temp.company('audit-rows') AS org \gset
SELECT steward.grant_profile('audit_rows_admin', 'admin') AS granted;

-- Events since the last look, of this organization.
CREATE TEMP TABLE seen (xact xid8, n integer);
GRANT ALL ON seen TO PUBLIC;
CREATE FUNCTION pg_temp.look(OUT action text, OUT tab text, OUT before text[], OUT after text[], OUT n bigint) RETURNS SETOF record LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY SELECT e.action, substr(e.table_name, 9), ARRAY(SELECT jsonb_object_keys(e.old_values) ORDER BY 1), ARRAY(SELECT jsonb_object_keys(e.new_values) ORDER BY 1), count(*)
		FROM steward.audit_event e WHERE e.org_id = steward.default_org() AND (e.xact, e.n) NOT IN (SELECT s.xact, s.n FROM seen s)
		GROUP BY 1, 2, 3, 4 ORDER BY min(e.xact::text::bigint), min(e.n);
	INSERT INTO seen SELECT e.xact, e.n FROM steward.audit_event e WHERE e.org_id = steward.default_org() AND (e.xact, e.n) NOT IN (SELECT s.xact, s.n FROM seen s);
END $$;
SELECT count(*) > 0 AS skipped FROM pg_temp.look();

-- What it says about who and what.
SET steward.request_id = 'request 7';
SET ROLE audit_rows_admin;
SELECT steward.use_org('audit-rows') = :'org' AS chosen;
SELECT steward.register_agent('bot', 'olivia@hr.example', 'answers tickets') AS bot \gset
RESET ROLE;
RESET steward.request_id;
SELECT action, table_name, row_key = jsonb_build_object('id', :'bot') AS key_is_the_id, old_values, new_values - ARRAY['id', 'org_id', 'owner_id', 'created_at'] AS new_values, session_role = session_user AS session, acting_role, application_name, context, actor_principal,
	recorded_at <= occurred_at AS in_order, incarnation
FROM steward.audit WHERE org_id = :'org' AND row_key ->> 'id' = :'bot' AND table_name = 'steward.principal';
SELECT * FROM pg_temp.look();

-- A key: its row without the digest, and the grant it brought.
SELECT credential_id AS id FROM steward.issue_key('bot', 'tickets:read') \gset
SELECT action, tab, 'digest' = ANY (after) AS says_that_there_is_a_digest, n FROM pg_temp.look();
SELECT new_values ->> 'digest' AS digest FROM steward.audit_event WHERE org_id = :'org' AND row_key ->> 'id' = :'id';

-- The lifecycle: joiner, mover, leaver, rehire.
INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name, manager_user_id) SELECT org_id, directory_id, 'x-new', 'new@hr.example', id FROM steward.directory_user WHERE org_id = :'org' AND external_id = 'x-maria';
SELECT action, tab, n FROM pg_temp.look() ORDER BY tab COLLATE "C", action;
UPDATE steward.directory_user SET title = 'Trainee' WHERE org_id = :'org' AND external_id = 'x-new';
SELECT action, tab, CASE tab WHEN 'directory_user' THEN after END AS changed, n FROM pg_temp.look();
SELECT old_values -> 'title' AS was, new_values -> 'title' AS is FROM steward.audit_event WHERE org_id = :'org' AND table_name = 'steward.directory_user' AND action = 'update' AND new_values ? 'title' ORDER BY xact DESC LIMIT 1;
UPDATE steward.directory_user SET title = 'Trainee' WHERE org_id = :'org' AND external_id = 'x-new';
UPDATE steward.principal SET name = name WHERE org_id = :'org';
SELECT count(*) AS of_an_update_that_changes_nothing FROM pg_temp.look();
SELECT pg_temp.key('olivia@hr.example') <> '' AS key;
SELECT count(*) AS of_the_key FROM pg_temp.look();
UPDATE steward.directory_user SET active = false WHERE org_id = :'org' AND external_id = 'x-olivia';
SELECT action, tab, n FROM pg_temp.look() ORDER BY tab COLLATE "C", action;
SELECT count(DISTINCT xact) AS transactions FROM steward.audit_event WHERE org_id = :'org' AND xact = (SELECT max(xact) FROM steward.audit_event WHERE org_id = :'org');
SELECT old_values ->> 'state' AS was, new_values ->> 'state' AS is FROM steward.audit_event WHERE org_id = :'org' AND table_name = 'steward.credential' AND new_values ->> 'state' = 'revoked';
UPDATE steward.directory_user SET active = true WHERE org_id = :'org' AND external_id = 'x-olivia';
SELECT action, tab, n FROM pg_temp.look() ORDER BY tab COLLATE "C", action;
-- A cascade is who caused it.
DELETE FROM steward.directory_user WHERE org_id = :'org' AND external_id = 'x-new';
SELECT action, tab, n FROM pg_temp.look() ORDER BY tab COLLATE "C", action;
SELECT DISTINCT acting_role = current_user AS by_me FROM steward.audit_event WHERE org_id = :'org' AND xact = (SELECT max(xact) FROM steward.audit_event WHERE org_id = :'org');
-- Rolled back, by a transaction or to a savepoint: no event.
BEGIN;
SELECT steward.register_service('never', 'dana@hr.example') IS NOT NULL AS made;
ROLLBACK;
BEGIN;
SAVEPOINT s;
SELECT steward.register_service('never', 'dana@hr.example') IS NOT NULL AS made;
ROLLBACK TO s;
SELECT steward.register_service('kept', 'dana@hr.example') IS NOT NULL AS made;
COMMIT;
SELECT action, tab, n FROM pg_temp.look();
SELECT count(*) = count(DISTINCT (xact, n)) AS numbers_are_unique FROM steward.audit_event;
-- Every table with organizations' rows has its event for insert, update and delete: asked of the triggers.
SELECT c.relname AS not_audited FROM pg_class c WHERE c.relnamespace = 'steward'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
AND c.relname IN (SELECT unnest(ARRAY['organization', 'profile_grant', 'org_policy', 'credential_policy', 'directory', 'directory_user', 'directory_group', 'directory_member', 'principal',
	'principal_identity', 'agent', 'lifecycle_event', 'system', 'scope_grant', 'delegation', 'revocation', 'credential', 'suspension', 'revocation_task']))
AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgfoid = 'steward.tg_audit'::regproc AND t.tgtype & 29 = 29 AND t.tgenabled = 'A');

-- The log itself: nobody changes it, the superuser neither.
CREATE TEMP TABLE bad (n serial, statement text);
INSERT INTO bad (statement) VALUES ('UPDATE steward.audit_event SET action = ''x'''), ('DELETE FROM steward.audit_event'), ('TRUNCATE steward.audit_event'), ('TRUNCATE steward.audit_event_default'),
	('INSERT INTO steward.audit_event SELECT * FROM steward.audit_event LIMIT 1'), ('INSERT INTO steward.audit_event_default SELECT * FROM steward.audit_event LIMIT 1'),
	('SET LOCAL session_replication_role = replica; DELETE FROM steward.audit_event'),
	('MERGE INTO steward.audit_event e USING (SELECT 1) x ON true WHEN MATCHED THEN DELETE');
SELECT statement, a.* FROM bad, pg_temp.attempt(statement) a ORDER BY n;
-- An event that cannot be written stops the change.
BEGIN;
ALTER TABLE steward.audit_event ADD CONSTRAINT audit_rows_full CHECK (application_name <> 'audit_rows test') NOT VALID;
SELECT (pg_temp.attempt($$SELECT steward.register_service('unaudited', 'dana@hr.example')$$)).code;
SELECT count(*) FROM steward.principal WHERE org_id = :'org' AND name = 'unaudited';
ROLLBACK;
-- The request id is bounded.
SELECT (pg_temp.attempt(format('SET steward.request_id = %L', repeat('x', 201)))).code, (pg_temp.attempt($$SET steward.request_id = E'a\nb'$$)).code;
SELECT steward.revoke_profile('audit_rows_admin', 'admin') AS revoked;
DROP ROLE audit_rows_admin;
