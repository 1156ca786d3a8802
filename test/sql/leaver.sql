-- A leaver by a plain UPDATE, in full: everything they held is dead, everything they owned has another owner, other
-- systems have tasks, nobody else is touched, and one commit did it all.
\set ECHO none
\getenv here PG_ABS_SRCDIR
\i :here/helper/cases.sql
\set ECHO all
SELECT pg_temp.company('leaver') AS org \gset
SELECT steward.register_system('crm', 'olivia@hr.example', 'saas', 'connector', deadline => '1 hour') IS NOT NULL AS crm;
SELECT steward.register_system('vault', 'dana@hr.example', 'vault') IS NOT NULL AS vault;
SELECT steward.register_agent('bot', 'olivia@hr.example', 'answers tickets') IS NOT NULL AS bot;
SELECT steward.register_agent('helper', 'dana@hr.example', 'helps') IS NOT NULL AS helper;
CREATE TEMP TABLE key (name text, secret text);
INSERT INTO key VALUES ('olivia', pg_temp.key('olivia@hr.example')), ('olivia 2', pg_temp.key('olivia@hr.example', 'mail:read')), ('bot', pg_temp.key('bot')),
	('helper, owned by olivia', pg_temp.key('helper', owner => 'olivia@hr.example')), ('olivia, owned by dana', pg_temp.key('olivia@hr.example', owner => 'dana@hr.example')),
	('helper', pg_temp.key('helper')), ('dana', pg_temp.key('dana@hr.example')), ('maria', pg_temp.key('maria@hr.example'));
SELECT count(steward.register_credential(x, s, 'api_key', h, 'a:b')) FROM (VALUES ('crm-olivia', 'crm', 'olivia@hr.example'), ('vault-olivia', 'vault', 'olivia@hr.example'),
	('crm-bot', 'crm', 'bot'), ('crm-dana', 'crm', 'dana@hr.example')) AS v(x, s, h);
-- A token that a key of hers issued to the agent of somebody else dies with it.
UPDATE steward.credential c SET parent_id = p.id, parent_kind = 'delegated_from' FROM steward.credential p
WHERE c.org_id = :'org' AND p.org_id = :'org' AND c.external_id = 'crm-bot' AND p.external_id = 'crm-olivia';
INSERT INTO steward.delegation (org_id, principal_id, actor_id, kind, scopes, created_by) SELECT p.org_id, p.id, a.id, 'may_act', 'a:b', current_user
FROM steward.principal p, steward.principal a WHERE p.org_id = :'org' AND a.org_id = :'org' AND (p.user_name, a.name) IN (('olivia@hr.example', 'helper'), ('dana@hr.example', 'bot'));
SELECT name, reason FROM key, steward.authorize(secret) ORDER BY name COLLATE "C";

UPDATE steward.directory_user SET active = false WHERE org_id = :'org' AND user_name = 'olivia@hr.example';

SELECT name, reason FROM key, steward.authorize(secret) ORDER BY name COLLATE "C";
SELECT coalesce(user_name, name) AS who, state, offboarded_at IS NOT NULL AS out, tokens_valid_after > '-infinity' AS epoch_moved,
	(SELECT o.user_name FROM steward.principal o WHERE o.org_id = p.org_id AND o.id = p.owner_id) AS owner
FROM steward.principal p WHERE org_id = :'org' ORDER BY 1;
SELECT coalesce(external_id, holder) AS credential, owner, status, revocation_reason, rotate_by IS NOT NULL AND status = 'active' AS to_be_rotated
FROM steward.credential_inventory WHERE org_id = :'org' ORDER BY 1, 2, 3;
SELECT s.name, o.user_name AS owner FROM steward.system s JOIN steward.principal o ON o.org_id = s.org_id AND o.id = s.owner_id WHERE s.org_id = :'org' ORDER BY 1;
SELECT s.name AS system, c.external_id, t.state, t.deadline > now() AND t.deadline <= clock_timestamp() + interval '1 hour' AS within_the_hour
FROM steward.revocation_task t JOIN steward.credential c ON c.org_id = t.org_id AND c.id = t.credential_id JOIN steward.system s ON s.org_id = t.org_id AND s.id = t.system_id
WHERE t.org_id = :'org' ORDER BY 1, 2;
SELECT p.user_name, g.scopes::text, g.ends_at <= clock_timestamp() AS ended, g.ended_by_event IS NOT NULL AS by_event FROM steward.scope_grant g
JOIN steward.principal p ON p.org_id = g.org_id AND p.id = g.principal_id WHERE g.org_id = :'org' AND p.kind = 'human' ORDER BY 1, 2;
SELECT p.user_name, d.ended_reason FROM steward.delegation d JOIN steward.principal p ON p.org_id = d.org_id AND p.id = d.principal_id WHERE d.org_id = :'org' ORDER BY 1;
SELECT kind, person, cause, credentials_revoked, pending_outside, passed_on, successor, orphaned FROM steward.lifecycle_timeline WHERE org_id = :'org' AND kind = 'leaver';
SELECT reason, subject_kind, credentials, pending_external FROM steward.revocation WHERE org_id = :'org';

-- What is new after that: nothing for her, nothing owned by her; and her name means her no longer for a new key.
SELECT * FROM pg_temp.attempt($$SELECT steward.issue_key('olivia@hr.example', 'a:b')$$);
SELECT * FROM pg_temp.attempt($$SELECT steward.register_agent('late', 'olivia@hr.example', 'too late')$$);

-- The manager leaves: what came from olivia goes up to the next one. The top leaves: nobody takes over.
UPDATE steward.directory_user SET active = false WHERE org_id = :'org' AND user_name = 'maria@hr.example';
SELECT successor, passed_on, orphaned FROM steward.lifecycle_timeline WHERE org_id = :'org' AND person = 'maria@hr.example' AND kind = 'leaver';
UPDATE steward.directory_user SET active = false WHERE org_id = :'org' AND user_name = 'cora@hr.example';
SELECT successor, passed_on, orphaned FROM steward.lifecycle_timeline WHERE org_id = :'org' AND person = 'cora@hr.example' AND kind = 'leaver';
SELECT name, reason FROM key, steward.authorize(secret) WHERE name IN ('bot', 'helper', 'helper, owned by olivia') ORDER BY name COLLATE "C";
SELECT p.name, p.state, s.cause, s.lifted_at IS NULL AS open FROM steward.suspension s JOIN steward.principal p ON p.org_id = s.org_id AND p.id = s.principal_id WHERE s.org_id = :'org' ORDER BY 1;
SELECT count(*) AS suspended_credentials FROM steward.credential WHERE org_id = :'org' AND state = 'suspended';

-- Several at once, in one statement: each is one leaver, and who leaves too takes nothing over.
SELECT pg_temp.company('leaver-many') AS org \gset
SELECT steward.register_service('a', 'olivia@hr.example') IS NOT NULL AND steward.register_service('b', 'maria@hr.example') IS NOT NULL AS services;
UPDATE steward.directory_user SET active = false WHERE org_id = :'org' AND user_name ~ '^(olivia|maria|callum)@';
SELECT person, cause, successor, passed_on FROM steward.lifecycle_timeline WHERE org_id = :'org' AND kind = 'leaver' ORDER BY person;
SELECT p.name, o.user_name AS owner FROM steward.principal p JOIN steward.principal o ON o.org_id = p.org_id AND o.id = p.owner_id WHERE p.org_id = :'org' ORDER BY 1;

-- A managers' circle ends somewhere: outside of it there is nobody.
SELECT pg_temp.company('leaver-circle') AS org \gset
UPDATE steward.directory_user u SET manager_user_id = m.id FROM (VALUES ('x-olivia', 'x-callum'), ('x-callum', 'x-olivia')) AS r(a, b), steward.directory_user m
WHERE u.org_id = :'org' AND m.org_id = :'org' AND u.external_id = r.a AND m.external_id = r.b;
SELECT steward.register_service('a', 'olivia@hr.example') IS NOT NULL AS service;
UPDATE steward.directory_user SET active = false WHERE org_id = :'org' AND user_name ~ '^(olivia|callum)@';
SELECT person, successor, orphaned FROM steward.lifecycle_timeline WHERE org_id = :'org' AND kind = 'leaver' ORDER BY person;

-- Past the end date no check passes, whether an event came or not.
SELECT pg_temp.company('leaver-ends') AS org \gset
SELECT pg_temp.key('olivia@hr.example') AS key \gset
UPDATE steward.directory_user SET end_date = now() + interval '1 day' WHERE org_id = :'org' AND user_name = 'olivia@hr.example';
SELECT reason FROM steward.authorize(:'key');
UPDATE steward.principal SET ends_at = now() - interval '1 second' WHERE org_id = :'org' AND user_name = 'olivia@hr.example';
SELECT reason FROM steward.authorize(:'key');
SELECT status FROM steward.credential_inventory WHERE org_id = :'org' AND holder = 'Olivia';
