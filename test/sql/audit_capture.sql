-- Any table can be audited by its owner: each changed row as a delta, or each statement as one event; columns left out or
-- masked stay out; partitions, COPY, MERGE, cascades and the replica role are no way around it; TRUNCATE is an event.
\set ECHO none
\getenv here PG_ABS_SRCDIR
\i :here/helper/cases.sql
\set ECHO all
SET client_min_messages = warning;
SELECT pg_temp.company('audit-capture') AS org \gset
CREATE ROLE audit_capture_owner;
CREATE ROLE audit_capture_other;
SELECT steward.grant_profile('audit_capture_owner', 'app') AS owner, steward.grant_profile('audit_capture_other', 'app') AS other;
CREATE SCHEMA audit_capture AUTHORIZATION audit_capture_owner;
SET ROLE audit_capture_owner;
SELECT steward.use_org('audit-capture') = :'org' AS chosen;
SET search_path = audit_capture, pg_temp;
CREATE TABLE account (id int PRIMARY KEY, name text, balance numeric, note text, ssn text, big text, at timestamptz DEFAULT '2026-01-02 03:04:05+00', f float8, flags int[], doc jsonb);
SELECT steward.audit_table('account', left_out => '{note}', masked => '{ssn}') AS audited;

CREATE FUNCTION pg_temp.events(tab text DEFAULT 'audit_capture.account', OUT action text, OUT key jsonb, OUT old jsonb, OUT new jsonb, OUT metadata jsonb) RETURNS SETOF record LANGUAGE sql SECURITY DEFINER AS $$
	SELECT e.action, e.row_key, e.old_values, e.new_values, e.metadata FROM steward.audit_event e WHERE e.table_name = tab ORDER BY e.incarnation, e.xact, e.n $$;
RESET ROLE;
ALTER FUNCTION pg_temp.events(text) OWNER TO CURRENT_USER;
SET ROLE audit_capture_owner;

-- The delta: what changed and nothing else; settings of the session do not alter it; nothing changed is no event.
INSERT INTO account (id, name, balance, note, ssn, f, flags, doc) VALUES (1, 'Ada', 10.50, 'private', '123', 0.1, '{1,2}', '{"a": [1, null]}');
SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'German'; SET extra_float_digits = -10; SET bytea_output = 'escape';
UPDATE account SET balance = balance + 1, note = 'changed', at = at + interval '1 hour', f = 1.0 / 3;
RESET TimeZone; RESET DateStyle; RESET extra_float_digits; RESET bytea_output;
UPDATE account SET note = 'only what is left out';
UPDATE account SET name = name;
UPDATE account SET ssn = '456';
UPDATE account SET name = NULL, doc = '7';
DELETE FROM account;
SELECT * FROM pg_temp.events();
SELECT count(*) AS secret FROM pg_temp.events() e WHERE e::text ~ '123|456|private|left out';

-- A value that is stored out of line: unchanged, it is not in the event; changed, it is.
INSERT INTO account (id, big) SELECT 2, string_agg(md5(g::text), '') FROM generate_series(1, 2000) g;
UPDATE account SET name = 'x' WHERE id = 2;
SELECT new FROM pg_temp.events() WHERE action = 'update' AND key = '{"id": 2}';
UPDATE account SET big = big || '!' WHERE id = 2;
SELECT length(old ->> 'big') AS old, length(new ->> 'big') AS new FROM pg_temp.events() WHERE action = 'update' AND key = '{"id": 2}' AND new ? 'big';
-- The key of a row changes: it leaves under the one and comes under the other.
UPDATE account SET id = 3 WHERE id = 2;
SELECT action, key FROM pg_temp.events() WHERE key IN ('{"id": 2}', '{"id": 3}');

-- Every path: COPY, MERGE, ON CONFLICT, a cascade, a function, and the replica role.
CREATE TABLE child (id int PRIMARY KEY, account_id int REFERENCES account ON DELETE CASCADE ON UPDATE CASCADE, name text);
SELECT steward.audit_table('child') AS audited;
INSERT INTO account (id, name) VALUES (10, 'ten'), (11, 'eleven');
COPY child (id, account_id, name) FROM stdin;
1	10	one
2	10	two
\.
MERGE INTO child c USING (VALUES (1, 'merged'), (4, 'new')) s(id, name) ON s.id = c.id WHEN MATCHED THEN UPDATE SET name = s.name WHEN NOT MATCHED THEN INSERT (id, account_id, name) VALUES (s.id, 11, s.name);
INSERT INTO child (id, account_id, name) VALUES (2, 10, 'two') ON CONFLICT (id) DO UPDATE SET name = 'upserted';
DELETE FROM account WHERE id = 10;
RESET ROLE;
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE audit_capture.child SET name = 'replica' WHERE id = 4;
COMMIT;
SET ROLE audit_capture_owner;
SELECT action, key, new ->> 'name' AS name FROM pg_temp.events('audit_capture.child');
SELECT count(*) AS who_caused_the_cascade FROM pg_temp.events('audit_capture.child') WHERE action = 'delete';

-- Fail closed: where the event cannot be written, nothing changes.
RESET ROLE;
BEGIN;
ALTER TABLE steward.audit_event ADD CONSTRAINT audit_capture_full CHECK (table_name <> 'audit_capture.child') NOT VALID;
SELECT a.* FROM pg_temp.attempt($$UPDATE audit_capture.child SET name = 'unaudited'$$) a;
SELECT a.* FROM pg_temp.attempt($$COPY audit_capture.child FROM PROGRAM 'echo "77\t11\tx"'$$) a;
SELECT count(*) AS changed FROM audit_capture.child WHERE name IN ('unaudited', 'x');
ROLLBACK;
SET ROLE audit_capture_owner;

-- Subtransactions: what is rolled back to a savepoint has left no event, and numbers do not repeat.
BEGIN;
UPDATE child SET name = 'a';
SAVEPOINT s;
UPDATE child SET name = 'b';
ROLLBACK TO s;
UPDATE child SET name = 'c';
COMMIT;
SELECT new ->> 'name' AS name FROM pg_temp.events('audit_capture.child') WHERE action = 'update' AND new ->> 'name' IN ('a', 'b', 'c');
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM account;
SAVEPOINT s;
INSERT INTO child VALUES (20, 11, 'x');
DO $$ BEGIN INSERT INTO audit_capture.child VALUES (21, 11, 'y'); INSERT INTO audit_capture.child VALUES (21, 11, 'y'); EXCEPTION WHEN unique_violation THEN NULL; END $$;
ALTER TABLE child ADD COLUMN extra text;
INSERT INTO child VALUES (22, 11, 'z', 'extra');
COMMIT;
SELECT key, new FROM pg_temp.events('audit_capture.child') WHERE (key ->> 'id')::int >= 20;

-- Partitions: by row on every one, those that come later included; direct changes of one as well.
CREATE TABLE part (id int, region text, v text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE part_eu PARTITION OF part FOR VALUES IN ('eu') PARTITION BY RANGE (id);
CREATE TABLE part_eu_1 PARTITION OF part_eu FOR VALUES FROM (0) TO (100);
SELECT steward.audit_table('part') AS audited;
CREATE TABLE part_us PARTITION OF part FOR VALUES IN ('us');
INSERT INTO part VALUES (1, 'eu', 'a'), (2, 'us', 'b');
UPDATE part_us SET v = 'direct';
UPDATE part SET region = 'us', id = 3 WHERE id = 1;
SELECT tgrelid::regclass AS tab, tgname, tgenabled FROM pg_trigger WHERE tgrelid::regclass::text LIKE 'part%' AND tgname LIKE 'steward%' ORDER BY 1, 2;
SELECT action, key, new FROM pg_temp.events('audit_capture.part');
RESET ROLE;
SELECT detail FROM steward.health WHERE check_name = 'audited tables';
SELECT result FROM steward.maintain() WHERE step = 'triggers of audited tables';
SET ROLE audit_capture_owner;
TRUNCATE part_us;
TRUNCATE part;
SELECT action, metadata FROM pg_temp.events('audit_capture.part') WHERE action = 'truncate';

-- By statement: one event with counts and the range of keys, on partitions as well; nothing for a statement without rows.
SELECT steward.audit_table('part', per => 'statement') AS audited;
INSERT INTO part SELECT g, CASE WHEN g % 2 = 0 THEN 'eu' ELSE 'us' END, 'x' FROM generate_series(1, 99) g;
UPDATE part SET v = 'y' WHERE id > 50;
UPDATE part_us SET v = 'z' WHERE id BETWEEN 10 AND 20;
DELETE FROM part WHERE id > 1000;
DELETE FROM part WHERE id IN (1, 98);
COPY part FROM stdin;
200	us	copied
\.
SELECT action, metadata FROM pg_temp.events('audit_capture.part') WHERE action LIKE '%many';

-- Rows of several organizations: each in the log of its own, if the table's owner has a profile there.
RESET ROLE;
SELECT count(*) > 0 AS made FROM steward.setup(organization => 'audit-capture-b');
SELECT id AS b FROM steward.organization WHERE slug = 'audit-capture-b' \gset
SELECT steward.grant_profile('audit_capture_owner', 'app', org => :'b') AS granted;
SET ROLE audit_capture_owner;
CREATE TABLE shared (tenant uuid, id int, v text, PRIMARY KEY (tenant, id));
SELECT steward.audit_table('shared', org_column => 'tenant') AS audited;
INSERT INTO shared VALUES (:'org', 1, 'a'), (:'b', 1, 'b');
UPDATE shared SET tenant = :'b', id = 2 WHERE tenant = :'org';
RESET ROLE;
SELECT o.slug, e.action, e.new_values ->> 'v' AS v FROM steward.audit_event e JOIN steward.organization o ON o.id = e.org_id WHERE e.table_name = 'audit_capture.shared' ORDER BY e.xact, e.n;
SELECT steward.revoke_profile('audit_capture_owner', 'app', org => :'b') AS revoked;
SET ROLE audit_capture_owner;
SELECT a.* FROM (VALUES (1, format('INSERT INTO shared VALUES (%L, 3)', :'b')), (2, 'INSERT INTO shared VALUES (''01900000-0000-7000-8000-000000000009'', 3)'), (3, 'TRUNCATE shared')) s(n, t), pg_temp.attempt(t) a ORDER BY n;

-- Who may: the owner, with app or admin there; nobody can write events by triggers of their own.
RESET ROLE;
GRANT USAGE ON SCHEMA audit_capture TO audit_capture_other;
GRANT ALL ON ALL TABLES IN SCHEMA audit_capture TO audit_capture_other;
CREATE TEMP TABLE bad (n serial, role name, statement text);
INSERT INTO bad (role, statement) VALUES
	('audit_capture_other', $$SELECT steward.audit_table('audit_capture.account')$$), ('audit_capture_other', $$SELECT steward.unaudit_table('audit_capture.account')$$),
	('audit_capture_owner', $$SELECT steward.audit_table('steward.role')$$), ('postgres', $$SELECT steward.audit_table('steward.role')$$), ('postgres', $$SELECT steward.audit_table('pg_class')$$), ('postgres', $$SELECT steward.audit_table('steward.audit')$$),
	('audit_capture_owner', $$SELECT steward.audit_table('audit_capture.account', left_out => '{id}')$$), ('audit_capture_owner', $$SELECT steward.audit_table('audit_capture.account', masked => '{nope}')$$),
	('audit_capture_owner', $$SELECT steward.audit_table('audit_capture.account', per => 'week')$$), ('audit_capture_owner', $$SELECT steward.audit_table('audit_capture.account', org_column => 'name')$$),
	('audit_capture_owner', $$SELECT steward.audit_table(NULL)$$), ('audit_capture_owner', $$SELECT steward.audit_table('audit_capture.account', left_out => NULL)$$), ('audit_capture_owner', $$SELECT steward.audit_table('audit_capture.account', left_out => '{NULL}')$$),
	('audit_capture_owner', $$SELECT steward.audit_table(1::oid::regclass)$$), ('postgres', $$SELECT steward.audit_table('audit_capture.account', org => (SELECT id FROM steward.organization WHERE slug = 'audit-capture-b'))$$);
SELECT n, a.* FROM bad, pg_temp.attempt_as(CASE role WHEN 'postgres' THEN current_user ELSE role END, statement) a ORDER BY n;
CREATE TABLE audit_capture.no_key (a int);
SELECT a.* FROM pg_temp.attempt($$SELECT steward.audit_table('audit_capture.no_key')$$) a;
SELECT steward.audit_table('audit_capture.no_key', per => 'statement') AS by_statement;
-- A trigger of one's own reaches only organizations where one could record events anyway.
SELECT id AS theirs FROM steward.organization WHERE slug = 'audit-capture-b' \gset
\set theirs_arg 'org:' :theirs
SET ROLE audit_capture_owner;
CREATE TABLE mine (id int PRIMARY KEY);
CREATE TRIGGER mine AFTER INSERT ON mine FOR EACH ROW EXECUTE FUNCTION steward.tg_audit(:'theirs_arg');
SELECT a.* FROM pg_temp.attempt('INSERT INTO mine VALUES (1)') a;
RESET ROLE;
-- A column that was left out and is renamed must not come to light.
SET ROLE audit_capture_owner;
ALTER TABLE account RENAME COLUMN note TO remark;
SELECT a.* FROM pg_temp.attempt($$INSERT INTO account (id, remark) VALUES (99, 'private')$$) a;
ALTER TABLE account RENAME COLUMN remark TO note;

-- It ends, and that it was audited is in the log as well.
SELECT steward.unaudit_table('account') AS ended, steward.unaudit_table('account') AS again;
INSERT INTO account (id) VALUES (100);
SELECT count(*) AS more FROM pg_temp.events() WHERE key = '{"id": 100}';
RESET ROLE;
SELECT action, row_key ->> 'table_name' AS tab FROM steward.audit_event WHERE org_id = :'org' AND table_name = 'steward.audit_capture' ORDER BY xact, n;
-- Triggers disabled by hand are said by health.
ALTER TABLE audit_capture.child DISABLE TRIGGER steward_audit;
SELECT status, detail FROM steward.health WHERE check_name = 'audited tables';
SELECT count(*) AS wrong_numbers FROM (SELECT FROM steward.audit_event GROUP BY org_id, incarnation, xact, n HAVING count(*) > 1) x;
SELECT steward.unaudit_table('audit_capture.child') AND steward.unaudit_table('audit_capture.part') AND steward.unaudit_table('audit_capture.no_key') AND steward.unaudit_table('audit_capture.shared') AS ended;
SELECT steward.revoke_profile('audit_capture_owner', 'app') AND steward.revoke_profile('audit_capture_other', 'app') AS revoked;
DROP SCHEMA audit_capture CASCADE;
DROP FUNCTION pg_temp.events(text);
DROP OWNED BY audit_capture_owner, audit_capture_other;
DROP ROLE audit_capture_owner, audit_capture_other;
