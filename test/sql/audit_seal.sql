-- What has been recorded is sealed into a Merkle log: every event once, in order; checkpoints are signed notes that verify
-- with the log's key and nothing else; proofs verify against them; and what could be rolled back is not handed out.
\set ECHO none
\getenv here PG_ABS_SRCDIR
\i :here/helper/cases.sql
\set ECHO all
SELECT pg_temp.company('audit-seal') AS org \gset
CREATE ROLE audit_seal_auditor;
CREATE ROLE audit_seal_app;
SELECT steward.grant_profile('audit_seal_auditor', 'auditor') AS auditor, steward.grant_profile('audit_seal_app', 'app') AS app;
SELECT a.* FROM (VALUES ($$SELECT steward.checkpoint()$$), ($$SELECT steward.tree_root()$$), ($$SELECT steward.consistency_proof(1)$$)) c(s), pg_temp.attempt(s) a;
SELECT count(*) AS rows FROM steward.verify_audit(full => true);
SELECT count(*) AS events FROM steward.audit WHERE org_id = :'org' \gset
SELECT sealed = :events AS all, size = :events + 1 AS and_the_first_leaf, note FROM steward.seal_audit() WHERE org_id = :'org';
SELECT sealed, note FROM steward.seal_audit() WHERE org_id = :'org';

-- More than one tile, in several steps.
INSERT INTO steward.role (org_id, name, scopes) SELECT :'org', 'r' || g, 'a:b' FROM generate_series(1, 300) g;
SELECT sealed FROM steward.seal_audit() WHERE org_id = :'org';
INSERT INTO steward.role (org_id, name, scopes) SELECT :'org', 's' || g, 'a:b' FROM generate_series(1, 700) g;
SELECT steward.record_event('last.one') AS last \gset
SELECT sealed FROM steward.seal_audit() WHERE org_id = :'org';
SELECT level, count(*) AS tiles, sum(octet_length(hashes) / 32) = (SELECT CASE level WHEN 0 THEN size ELSE size / 256 END FROM steward.audit_log WHERE org_id = :'org') AS hashes FROM steward.audit_tile WHERE org_id = :'org' GROUP BY 1 ORDER BY 1;
SELECT finding, detail ~ '^\d+ events, the tree over \d+ leaves and 5 roots agree$' AS detail FROM steward.verify_audit(full => true);
SELECT finding FROM steward.verify_audit();
SELECT finding, detail ~ '^\d\d\d events' AS fewer FROM steward.verify_audit(full => true, first_leaf => 700);

-- The root is that of the leaves, by the plain definition.
SELECT steward.tree_root() = l.root AS same FROM steward.audit_log_state l WHERE l.org_id = :'org';
WITH leaf AS (SELECT p.leaf_index AS i, p.leaf_hash AS h FROM steward.audit a, steward.inclusion_proof(a.event, 4) p WHERE a.org_id = :'org' AND a.event IN (SELECT event FROM steward.audit WHERE org_id = :'org' ORDER BY xact, n LIMIT 3))
SELECT steward.merkle_node_hash(steward.merkle_node_hash((SELECT steward.merkle_leaf_hash(start_leaf) FROM steward.audit_log WHERE org_id = :'org'), max(h::text) FILTER (WHERE i = 1)::bytea), steward.merkle_node_hash(max(h::text) FILTER (WHERE i = 2)::bytea, max(h::text) FILTER (WHERE i = 3)::bytea)) = steward.tree_root(4) AS root_of_four FROM leaf;
-- Every event has a proof, at its place in the order of transaction and counter; every growth has one.
SELECT count(*) AS events, bool_and(steward.verify_inclusion(p.leaf_index, p.size, p.leaf_hash, p.proof, p.root)) AS proven, bool_and(p.leaf_index = nth) AS in_order, bool_and(p.root = steward.tree_root()) AS root FROM (SELECT event, row_number() OVER (ORDER BY incarnation, xact, n) AS nth, count(*) OVER () AS all FROM steward.audit WHERE org_id = :'org') a, steward.inclusion_proof(a.event) p WHERE nth % 13 = 1 OR nth = a.all;
SELECT count(*), bool_and(steward.verify_consistency(a, b, steward.consistency_proof(a, b), steward.tree_root(a), steward.tree_root(b))) AS consistent FROM generate_series(1, 1000, 97) a, generate_series(1, 1000, 89) b WHERE a <= b;
SELECT count(*) FILTER (WHERE steward.verify_consistency(a, b, steward.consistency_proof(a, b), steward.tree_root(a), steward.tree_root(b - 1))) AS wrong FROM generate_series(1, 1000, 197) a, generate_series(2, 1000, 189) b WHERE a < b - 1;

-- Checkpoints.
SELECT steward.checkpoint() AS checkpoint \gset
SELECT steward.checkpoint() = :'checkpoint' AS the_same_again;
SELECT public_key AS key, origin FROM steward.audit_log_keys WHERE org_id = :'org' \gset
SELECT split_part(:'checkpoint', E'\n', 1) = :'origin' AS origin, split_part(:'checkpoint', E'\n', 2)::numeric = size AS size, decode(split_part(:'checkpoint', E'\n', 3), 'base64') = root AS root, split_part(:'checkpoint', E'\n', 4) AS empty_line,
	split_part(:'checkpoint', E'\n', 5) ~ ('^— ' || :'origin' || ' [A-Za-z0-9+/]{91}=$') AS signature, split_part(:'key', '+', 1) = :'origin' AS key_is_named_like_the_log FROM steward.audit_log_state WHERE org_id = :'org';
SELECT steward.verify_checkpoint(:'checkpoint', :'key') AS valid, steward.verify_checkpoint(NULL, :'key') AS no_text, steward.verify_checkpoint(:'checkpoint', NULL) AS no_key;
-- Any change of it, anywhere, and it is not valid; nor under another name or key.
SELECT count(*) AS tried, count(*) FILTER (WHERE steward.verify_checkpoint(overlay(:'checkpoint' placing chr(CASE ascii(substr(:'checkpoint', i, 1)) WHEN 10 THEN 65 WHEN 122 THEN 121 ELSE ascii(substr(:'checkpoint', i, 1)) + 1 END) from i for 1), :'key')) AS valid FROM generate_series(1, length(:'checkpoint')) i;
SELECT count(*) FILTER (WHERE steward.verify_checkpoint(left(:'checkpoint', i), :'key')) AS cut_off FROM generate_series(0, length(:'checkpoint') - 1) i;
SELECT count(*) FILTER (WHERE steward.verify_checkpoint(:'checkpoint', overlay(:'key' placing CASE substr(:'key', i, 1) WHEN 'a' THEN 'b' ELSE 'a' END from i for 1))) AS other_key FROM generate_series(1, length(:'key')) i;
SELECT n, steward.verify_checkpoint(t, :'key') AS valid FROM (VALUES (1, :'checkpoint' || E'\n'), (2, :'checkpoint' || 'x'), (3, E'\n' || :'checkpoint'), (4, replace(:'checkpoint', E'\n', E'\r\n')), (5, ''), (6, 'x'), (7, repeat('x', 100000)), (8, replace(:'checkpoint', E'\n\n', E'\nextension\n\n')), (9, :'checkpoint' || :'checkpoint'),
	(10, :'checkpoint' || E'— other.example AAAAAAECAwQFBgcICQoLDA0ODw==\n')) c(n, t) ORDER BY n;
-- One that another witness has signed as well stays valid (10); an extension line that was not signed does not (8).
SELECT steward.checkpoint_delivered(:'checkpoint', 's3://elsewhere') AS delivered, steward.checkpoint_delivered(:'checkpoint', 's3://elsewhere') AS again;
SELECT delivered_to, delivered_at IS NOT NULL AS at FROM steward.audit_checkpoints WHERE org_id = :'org' AND delivered_at IS NOT NULL;
SELECT a.* FROM (VALUES (1, $$SELECT steward.checkpoint_delivered('x', 'elsewhere')$$), (2, $$SELECT steward.checkpoint_delivered(NULL, 'elsewhere')$$), (3, $$SELECT steward.checkpoint_delivered('x', '')$$)) c(n, s), pg_temp.attempt(s) a ORDER BY n;

-- What this transaction has sealed is not handed out by it.
BEGIN;
SELECT steward.record_event('one.more') <> '' AS recorded;
COMMIT;
BEGIN;
SELECT sealed > 0 AS sealed FROM steward.seal_audit() WHERE org_id = :'org';
SAVEPOINT s;
SELECT steward.checkpoint();
ROLLBACK;
SELECT steward.checkpoint() = :'checkpoint' AS still_the_old_one;
SELECT sealed > 0 AS sealed_now FROM steward.seal_audit() WHERE org_id = :'org';
SELECT finding FROM steward.verify_audit(full => true, against => :'checkpoint');
-- Sealing waits for older transactions: the event of this one is not below its own horizon.
BEGIN;
SELECT steward.record_event('still.open') AS open \gset
SELECT sealed FROM steward.seal_audit() WHERE org_id = :'org';
SELECT a.code, replace(a.message, :'open', 'EVENT') AS message FROM pg_temp.attempt(format('SELECT * FROM steward.inclusion_proof(%L)', :'open')) a;
COMMIT;
SELECT sealed > 0 AS sealed FROM steward.seal_audit() WHERE org_id = :'org';

-- Evidence: one document.
SELECT jsonb_object_keys(e) AS member FROM steward.export_evidence(:'last') e ORDER BY 1;
SELECT e -> 'event' ->> 'action' AS action, steward.verify_checkpoint(e ->> 'checkpoint', e ->> 'public_key') AS checkpoint, steward.verify_inclusion((e ->> 'leaf_index')::numeric, (e ->> 'tree_size')::numeric, steward.merkle_leaf_hash(decode(e ->> 'canonical', 'base64')),
	ARRAY(SELECT decode(h, 'base64') FROM jsonb_array_elements_text(e -> 'proof') WITH ORDINALITY p(h, n) ORDER BY n), decode(e ->> 'root', 'base64')) AS proof, position(decode(split_part(e ->> 'checkpoint', E'\n', 3), 'base64') in decode(e ->> 'root', 'base64')) = 1 AS root FROM steward.export_evidence(:'last') e;
-- The bytes that are hashed follow no setting.
SELECT (steward.inclusion_proof(:'last')).leaf_hash AS hash \gset
SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'German'; SET extra_float_digits = -10; SET IntervalStyle = 'sql_standard'; SET lc_numeric = 'C';
SELECT (steward.inclusion_proof(:'last')).leaf_hash = :'hash' AS the_same;
RESET ALL;
SELECT steward.use_org('audit-seal') = :'org' AS chosen;

-- Errors.
CREATE TEMP TABLE bad (n serial, statement text);
INSERT INTO bad (statement) VALUES ($$SELECT * FROM steward.inclusion_proof(NULL)$$), ($$SELECT * FROM steward.inclusion_proof('')$$), ($$SELECT * FROM steward.inclusion_proof('1.2')$$), ($$SELECT * FROM steward.inclusion_proof('1.2.3 ')$$), ($$SELECT * FROM steward.inclusion_proof('1.1.1')$$), ($$SELECT * FROM steward.inclusion_proof('0.1.1')$$),
	(format('SELECT * FROM steward.inclusion_proof(%L, 0)', :'last')), (format('SELECT * FROM steward.inclusion_proof(%L, 5)', :'last')), (format('SELECT * FROM steward.inclusion_proof(%L, 1e9)', :'last')), (format('SELECT * FROM steward.inclusion_proof(%L, 1.5)', :'last')),
	($$SELECT steward.consistency_proof(NULL)$$), ($$SELECT steward.consistency_proof(0)$$), ($$SELECT steward.consistency_proof(5, 4)$$), ($$SELECT steward.consistency_proof(-1)$$), ($$SELECT steward.consistency_proof(1, 1e12)$$), ($$SELECT steward.tree_root(0)$$),
	($$SELECT * FROM steward.verify_audit(against => 'x')$$), ($$SELECT * FROM steward.verify_audit(first_leaf => -1)$$), ($$SELECT steward.log_key('a b', '\x00')$$), ($$SELECT steward.export_evidence('1.1.1')$$);
SELECT n, a.code, regexp_replace(a.message, '\d+\.\d+\.\d+', 'EVENT') AS message FROM bad, pg_temp.attempt(statement) a ORDER BY n;
-- Another organization's event is one that does not exist, and its checkpoint is of no log here.
SELECT pg_temp.company('audit-seal-b') AS b \gset
SELECT a.code FROM pg_temp.attempt(format('SELECT * FROM steward.inclusion_proof(%L)', :'last')) a;
SELECT a.code FROM pg_temp.attempt(format('SELECT * FROM steward.verify_audit(against => %L)', :'checkpoint')) a;
SELECT steward.use_org('audit-seal') = :'org' AS chosen;

-- Who may.
SELECT r, a.code FROM (VALUES ('audit_seal_app'), ('audit_seal_auditor')) v(r), (VALUES ($$SELECT * FROM steward.seal_audit()$$), ($$SELECT steward.checkpoint()$$), ($$SELECT * FROM steward.verify_audit()$$), (format('SELECT steward.export_evidence(%L)', :'last')), ($$SELECT steward.rotate_log_key()$$)) c(s), pg_temp.attempt_as(r, s) a ORDER BY 1, s COLLATE "C";

-- A new key: what was signed stays valid under the old one, the next checkpoint is under the new one.
SELECT steward.rotate_log_key() AS rotated;
SELECT steward.record_event('after.rotation') <> '' AS recorded;
SELECT sealed > 0 AS sealed FROM steward.seal_audit() WHERE org_id = :'org';
SELECT steward.checkpoint() AS newer \gset
SELECT count(*) AS keys, count(*) FILTER (WHERE steward.verify_checkpoint(:'newer', public_key)) AS sign_the_new, count(*) FILTER (WHERE steward.verify_checkpoint(:'checkpoint', public_key)) AS sign_the_old, count(*) FILTER (WHERE public_key = :'key' AND retired_at IS NULL) AS old_in_use FROM steward.audit_log_keys WHERE org_id = :'org';
SELECT finding FROM steward.verify_audit(full => true);
-- The private key is nowhere to be read, and its coming and going are in the log.
SELECT count(*) FILTER (WHERE octet_length(sealed_key) = 69) AS sealed, count(*) AS keys FROM steward.audit_key WHERE org_id = :'org';
SELECT action FROM steward.audit WHERE org_id = :'org' AND action LIKE 'steward.%' ORDER BY xact, n;
SELECT a.* FROM pg_temp.attempt_as('audit_seal_auditor', 'SELECT sealed_key FROM steward.audit_key') a;
-- A sealed key that was moved to another row does not open there.
BEGIN;
UPDATE steward.audit_key k SET sealed_key = o.sealed_key FROM steward.audit_key o WHERE o.org_id = k.org_id AND o.id <> k.id AND k.retired_at IS NULL AND k.org_id = :'org';
DELETE FROM steward.audit_checkpoint WHERE org_id = :'org' AND size = (SELECT max(size) FROM steward.audit_checkpoint WHERE org_id = :'org');
SELECT a.* FROM pg_temp.attempt('SELECT steward.checkpoint()') a;
ROLLBACK;
SELECT what, resealed FROM steward.reseal_keys() WHERE what LIKE '%audit%';
-- Health: a checkpoint that does not leave the database.
BEGIN;
UPDATE steward.audit_checkpoint SET signed_at = signed_at - interval '2 days', delivered_at = delivered_at - interval '2 days' WHERE org_id = :'org';
SELECT status, detail LIKE 'none was delivered in time in % organizations%' AS said FROM steward.health WHERE check_name = 'checkpoints';
ROLLBACK;
SELECT steward.revoke_profile('audit_seal_auditor', 'auditor') AND steward.revoke_profile('audit_seal_app', 'app') AS revoked;
DROP ROLE audit_seal_auditor, audit_seal_app;
