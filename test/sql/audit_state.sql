-- The past can be rebuilt from the log: rows, their changes, who could do what; and what was changed past the triggers shows,
-- because the log does not lead to it.  Retention lets content go and leaves the proofs.
\set ECHO none
\getenv here PG_ABS_SRCDIR
\i :here/helper/cases.sql
\set ECHO all
-- The planner expects many moments, and would compile the plans of each.
SET jit = off;
SELECT pg_temp.company('audit-state') AS org \gset
-- What could be done, by the tables, at moments that are kept.
CREATE FUNCTION pg_temp.access() RETURNS TABLE (principal_id uuid, via text, credential_id uuid, scopes text) LANGUAGE sql AS $$
	SELECT p.id, 'grant', NULL::uuid, coalesce(g.scopes::text, r.scopes::text) FROM steward.scope_grant g JOIN steward.principal p ON p.org_id = g.org_id AND p.id = g.principal_id LEFT JOIN steward.role r ON r.org_id = g.org_id AND r.id = g.role_id
	WHERE g.org_id = steward.default_org() AND g.ends_at > clock_timestamp() AND p.state = 'active'
	UNION ALL SELECT c.holder_id, 'credential', c.id, c.scopes::text FROM steward.credential c WHERE c.org_id = steward.default_org() AND steward.credential_status(c) = 'active' $$;
CREATE TEMP TABLE moment (n serial, at timestamptz DEFAULT clock_timestamp(), access text[], roles text);
CREATE FUNCTION pg_temp.keep() RETURNS void LANGUAGE sql AS $$
	INSERT INTO moment (access, roles) SELECT ARRAY(SELECT a::text FROM pg_temp.access() a ORDER BY 1), (SELECT jsonb_agg(jsonb_strip_nulls(to_jsonb(r) - 'created_at') ORDER BY r.name)::text FROM steward.role r WHERE r.org_id = steward.default_org()) $$;
SELECT pg_temp.keep();
INSERT INTO steward.role (org_id, name, scopes) VALUES (:'org', 'reader', 'tickets:read'), (:'org', 'writer', 'tickets:write');
SELECT steward.register_service('billing', 'dana@hr.example') IS NOT NULL AS registered;
SELECT steward.grant_scopes('billing', 'bills:read', 'to be tested') IS NOT NULL AS granted;
SELECT pg_temp.key('billing', 'bills:read') <> '' AS key, pg_temp.key('callum@hr.example') <> '' AS key_2, pg_temp.key('olivia@hr.example') <> '' AS key_3;
SELECT pg_temp.keep();
UPDATE steward.role SET title = 'Reads tickets', scopes = 'tickets:read tickets:list' WHERE org_id = :'org' AND name = 'reader';
UPDATE steward.directory_user SET active = false WHERE org_id = :'org' AND external_id = 'x-callum';
SELECT pg_temp.keep();
UPDATE steward.role SET title = NULL WHERE org_id = :'org' AND name = 'reader';
DELETE FROM steward.role WHERE org_id = :'org' AND name = 'writer';
SELECT count(*) FROM steward.credential c, steward.revoke(c.id, 'test') WHERE c.org_id = :'org' AND c.holder_id = (SELECT id FROM steward.principal WHERE org_id = :'org' AND name = 'billing');
INSERT INTO steward.role (org_id, name, scopes) VALUES (:'org', 'writer', 'tickets:*');
SELECT pg_temp.keep();
SELECT m.n, cardinality(m.access) AS entries, m.access = ARRAY(SELECT (x.principal_id, x.via, x.credential_id, x.scopes)::text FROM steward.access_as_of(m.at) x ORDER BY 1) AS access, m.roles IS NOT DISTINCT FROM (SELECT jsonb_agg(r."row" - 'created_at' ORDER BY r."row" ->> 'name')::text FROM steward.rows_as_of('steward.role', m.at) r) AS roles FROM moment m ORDER BY 1;
SELECT row_key AS key FROM steward.audit WHERE org_id = :'org' AND table_name = 'steward.role' AND new_values ->> 'name' = 'reader' AND action = 'insert' \gset
SELECT m.n, steward.row_as_of('steward.role', :'key', m.at) - ARRAY['id', 'org_id', 'created_at'] AS row FROM moment m ORDER BY 1;
SELECT steward.row_as_of('steward.role', '{"id": "01900000-0000-7000-8000-00000000000a"}') AS never_was, steward.row_as_of('steward.nothing', '{}') AS no_table;
SELECT action, old_values, new_values - ARRAY['id', 'org_id', 'created_at'] AS new_values FROM steward.changes_of('steward.role', :'key');

-- The index on changes of rows is over a hash that is the same everywhere and for ever.
SELECT steward.audit_target('steward.role', '{"id": "01900000-0000-7000-8000-00000000000a"}') AS stored_for_ever, (SELECT bool_and(a.target = steward.audit_target(a.table_name, a.row_key)) FROM steward.audit a WHERE a.org_id = :'org' AND a.row_key IS NOT NULL) AS as_stored;
SELECT steward.audited_org(:'org') = :'org' AS mine, (pg_temp.attempt($$SELECT steward.audited_org('01900000-0000-7000-8000-000000000009')$$)).code AS unknown, (pg_temp.attempt($$SELECT steward.audited_org(NULL)$$)).code AS none;
-- Today's rows are what the log leads to, and every way past the triggers shows.
SELECT * FROM steward.verify_state();
BEGIN;
ALTER TABLE steward.role DISABLE TRIGGER ALL;
UPDATE steward.role SET scopes = 'everything:*' WHERE org_id = :'org' AND name = 'reader';
INSERT INTO steward.role (org_id, name, scopes) VALUES (:'org', 'smuggled', 'a:b');
DELETE FROM steward.role WHERE org_id = :'org' AND name = 'writer';
SET LOCAL session_replication_role = replica;
ALTER TABLE steward.credential DISABLE TRIGGER ALL;
UPDATE steward.credential SET digest = repeat('0', 64)::steward.digest, expires_at = 'infinity' WHERE org_id = :'org' AND state = 'active';
SELECT v.table_name, v.finding, v.columns, coalesce(r.name, 'gone') AS name FROM steward.verify_state() v LEFT JOIN steward.role r ON r.id::text = v.row_key ->> 'id' ORDER BY 1, 2, 3;
ROLLBACK;
SELECT count(*) AS findings FROM steward.verify_state();

-- What somebody did, as far as it is proven.
SELECT role, action, table_name, new_values - ARRAY['id', 'org_id', 'created_at', 'offboarded_at', 'tokens_valid_after', 'ends_at'] AS new_values FROM steward.activity('callum@hr.example');
SELECT count(*) AS the_same FROM steward.principal p, steward.activity(p.id) WHERE p.org_id = :'org' AND p.user_name = 'callum@hr.example';
SELECT n, a.code FROM (VALUES (1, $$'nobody'$$), (2, $$''$$), (3, 'NULL'), (4, $$'callum@hr.example', NULL$$)) c(n, args), pg_temp.attempt('SELECT * FROM steward.activity(' || args || ')') a ORDER BY n;

-- Retention: what is older than policy says leaves once it is sealed; hashes, proofs and checkpoints stay.
SELECT count(*) > 0 AS sealed FROM steward.seal_audit();
SELECT count(*) > 0 AS sealed_with_the_key FROM steward.seal_audit();
SELECT steward.checkpoint() AS kept \gset
SELECT count(*) AS events FROM steward.audit WHERE org_id = :'org' \gset
SELECT result FROM steward.maintain() WHERE step = 'retention of the audit log';
SELECT size AS size FROM steward.audit_log WHERE org_id = :'org' \gset
-- Time passes: a superuser, who can do anything, makes the first half of the log old, and its hashes with it.
BEGIN;
ALTER TABLE steward.audit_event DISABLE TRIGGER ALL;
UPDATE steward.audit_event SET recorded_at = recorded_at - interval '100 days' WHERE org_id = :'org';
DELETE FROM steward.audit_checkpoint WHERE org_id = :'org';
DELETE FROM steward.audit_tile WHERE org_id = :'org';
DELETE FROM steward.audit_log WHERE org_id = :'org';
COMMIT;
ALTER TABLE steward.audit_event ENABLE TRIGGER ALL;
SELECT count(*) > 0 AS mended FROM steward.setup();
SELECT count(*) > 0 AS sealed FROM steward.seal_audit();
SELECT steward.record_event('a.recent.one') AS recent \gset
SELECT steward.checkpoint() AS old_checkpoint \gset
SELECT steward.tree_root() AS old_root, count(*) AS old_events FROM steward.audit WHERE org_id = :'org' AND recorded_at < now() - interval '90 days' \gset
UPDATE steward.org_policy SET audit_retention = '90 days' WHERE org_id = :'org';
SELECT a.* FROM pg_temp.attempt($$UPDATE steward.org_policy SET audit_retention = '1 hour'$$) a;
SELECT result = :old_events || ' events have left' AS left FROM steward.maintain() WHERE step = 'retention of the audit log';
SELECT count(*) AS old_ones FROM steward.audit WHERE org_id = :'org' AND recorded_at < now() - interval '90 days';
SELECT metadata - ARRAY['log', 'recorded_before'] = jsonb_build_object('leaves', :old_events + 1, 'events', :old_events) AS recorded FROM steward.audit WHERE org_id = :'org' AND action = 'steward.content_expired';
SELECT result FROM steward.maintain() WHERE step = 'retention of the audit log';
SELECT finding FROM steward.verify_audit(full => true, against => :'old_checkpoint');
SELECT count(*) > 0 AS sealed FROM steward.seal_audit();
SELECT finding FROM steward.verify_audit(full => true, against => :'old_checkpoint');
SELECT steward.verify_inclusion(p.leaf_index, p.size, p.leaf_hash, p.proof, p.root) AS proof_after FROM steward.inclusion_proof(:'recent') p;
SELECT steward.verify_consistency(split_part(:'old_checkpoint', E'\n', 2)::numeric, (SELECT size FROM steward.audit_log WHERE org_id = :'org'), steward.consistency_proof(split_part(:'old_checkpoint', E'\n', 2)::numeric), :'old_root', steward.tree_root()) AS has_only_grown;
-- Something that had not expired is missing as well: that is told from what has left.
BEGIN;
ALTER TABLE steward.audit_event DISABLE TRIGGER ALL;
DELETE FROM steward.audit_event WHERE org_id = :'org' AND action = 'a.recent.one';
SELECT finding FROM steward.verify_audit(full => true);
ROLLBACK;
UPDATE steward.org_policy SET audit_retention = NULL WHERE org_id = :'org';
