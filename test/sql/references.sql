-- What names nothing, or too much, or cannot be a name, raises and does nothing: it never matches everything, and never
-- nothing in silence.  So do values that break a rule.
\set ECHO none
\getenv here PG_ABS_SRCDIR
\i :here/helper/cases.sql
\set ECHO all
SELECT pg_temp.company('references-other') IS NOT NULL AS other;
SELECT steward.register_service('foreign-service', 'dana@hr.example') IS NOT NULL AS foreign_service;
SELECT principal_id::text AS foreign_id FROM steward.principal_identity i JOIN steward.organization o ON o.id = i.org_id
WHERE o.slug = 'references-other' AND i.external_id = 'x-dana' \gset
SELECT pg_temp.company('references') IS NOT NULL AS chosen;
SELECT steward.register_service('billing', 'dana@hr.example') IS NOT NULL AS service;
SELECT steward.register_agent('bot', 'olivia@hr.example', 'answers tickets') IS NOT NULL AS agent;
SELECT steward.register_system('crm', 'dana@hr.example', 'saas') IS NOT NULL AS system;
SELECT steward.register_credential('crm-1', 'crm', 'api_key', 'billing', 'crm:read') IS NOT NULL AS outside;
SELECT secret AS key_text FROM steward.issue_key('billing', 'bills:read', name => 'bill-key') \gset
SELECT pg_temp.key('billing') <> '' AS twin FROM generate_series(1, 2);
UPDATE steward.credential SET name = 'twin' WHERE org_id = steward.default_org() AND source = 'issued' AND name IS NULL;
-- Two people with one e-mail address.
UPDATE steward.directory_user SET email = 'shared@hr.example' WHERE org_id = steward.default_org() AND user_name ~ '^(cora|maria)@';
-- Somebody who has left.
UPDATE steward.directory_user SET active = false WHERE org_id = steward.default_org() AND user_name = 'callum@hr.example';
CREATE TEMP TABLE before AS SELECT pg_temp.digest() AS d;

CREATE TEMP TABLE bad (n serial, what text, statement text);
-- Each kind of bad reference at each kind of place: the place is a call with %s for it.
CREATE TEMP TABLE place (place text, call text);
INSERT INTO place VALUES
	('holder', 'SELECT steward.issue_key(%s, ''a:b'')'),
	('owner', 'SELECT steward.issue_key(''billing'', ''a:b'', owner => %s)'),
	('owner of a service', 'SELECT steward.register_service(''x'', %s)'),
	('owner of an agent', 'SELECT steward.register_agent(''x'', %s, ''purpose'')'),
	('owner of a system', 'SELECT steward.register_system(''x'', %s, ''saas'')'),
	('principal to grant', 'SELECT steward.grant_scopes(%s, ''a:b'', ''why'')'),
	('principal to revoke', 'SELECT steward.revoke_principal(%s, ''leak'')'),
	('credential', 'SELECT steward.revoke(%s, ''leak'')'),
	('system', 'SELECT steward.register_credential(''y'', %s, ''api_key'', ''billing'', ''a:b'')'),
	('directory', 'SELECT steward.import_directory(%s, ''[{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "1", "userName": "n"}]'')'),
	('organization', 'SELECT steward.use_org(%s)');
CREATE TEMP TABLE reference (n serial, kind text, value text);
INSERT INTO reference (kind, value) VALUES
	('null', 'NULL::text'), ('empty', $$''$$), ('blank', $$'  '$$), ('padded', $$' billing'$$), ('padded after', $$E'billing\t'$$),
	('a control character', $$E'bil\nling'$$), ('too long', $$repeat('x', 1025)$$), ('a key', quote_literal(:'key_text')),
	('a part of a key', quote_literal(left(:'key_text', 60))), ('unknown', $$'nobody'$$), ('unknown uuid', $$'01900000-0000-7000-8000-000000000001'$$),
	('foreign uuid', quote_literal(:'foreign_id')), ('foreign name', $$'foreign-service'$$);
-- A directory that is not known by name is made by the import; no owner means the default one.
SELECT r.kind, a.code, string_agg(p.place, ', ' ORDER BY p.place) AS places
FROM reference r, place p, pg_temp.attempt(format(p.call, r.value)) a
WHERE NOT (p.place = 'directory' AND r.kind IN ('unknown', 'foreign name')) AND NOT (p.place = 'owner' AND r.kind = 'null')
GROUP BY r.n, r.kind, a.code ORDER BY r.n, a.code;
SELECT r.kind, a.message FROM reference r, pg_temp.attempt(format('SELECT steward.issue_key(%s, ''a:b'')', r.value)) a
WHERE r.kind <> 'foreign uuid' ORDER BY r.n;
SELECT position(:'key_text' IN a.message) + position(left(:'key_text', 60) IN a.message) AS echoed
FROM reference r, place p, pg_temp.attempt(format(p.call, r.value)) a WHERE r.kind LIKE '%a key' GROUP BY 1;

-- The uuid overloads, with a null and with an id of another organization.
INSERT INTO bad (what, statement) VALUES
	('holder: null uuid', $$SELECT steward.issue_key(NULL::uuid, 'a:b')$$),
	('holder: foreign uuid', format($$SELECT steward.issue_key(%L::uuid, 'a:b')$$, :'foreign_id')),
	('owner: null uuid', $$SELECT steward.register_service('x', NULL::uuid)$$),
	('owner: foreign uuid', format($$SELECT steward.register_agent('x', %L::uuid, 'purpose')$$, :'foreign_id')),
	('owner of a system: foreign uuid', format($$SELECT steward.register_system('x', %L::uuid, 'saas')$$, :'foreign_id')),
	('principal: foreign uuid', format($$SELECT steward.grant_scopes(%L::uuid, 'a:b', 'why')$$, :'foreign_id')),
	('principal to revoke: foreign uuid', format($$SELECT steward.revoke_principal(%L::uuid, 'leak')$$, :'foreign_id')),
	('credential: foreign uuid', format($$SELECT steward.revoke(%L::uuid, 'leak')$$, :'foreign_id')),
	('system: foreign uuid', format($$SELECT steward.register_credential('y', %L::uuid, 'api_key', 'billing', 'a:b')$$, :'foreign_id')),
	('directory: foreign uuid', format($$SELECT steward.import_directory(%L::uuid, '[{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "1", "userName": "n"}]')$$, :'foreign_id')),
	('organization: null', $$SELECT steward.issue_key('billing', 'a:b', org => NULL)$$),
	('organization: unknown', $$SELECT steward.issue_key('billing', 'a:b', org => '01900000-0000-7000-8000-000000000001')$$),
-- Ambiguous.
	('e-mail of two people', $$SELECT steward.issue_key('shared@hr.example', 'a:b')$$),
	('name of two credentials', $$SELECT steward.revoke('twin', 'leak')$$),
-- Owners.
	('owner: a service', $$SELECT steward.issue_key('billing', 'a:b', owner => 'bot')$$),
	('owner: an agent, of a service', $$SELECT steward.register_service('x', 'bot')$$),
	('owner: an agent, of a system', $$SELECT steward.register_system('x', 'bot', 'saas')$$),
	('owner: has left', $$SELECT steward.issue_key('billing', 'a:b', owner => 'callum@hr.example')$$),
	('owner: has left, of an agent', $$SELECT steward.register_agent('x', 'callum@hr.example', 'purpose')$$),
	('holder: has left', $$SELECT steward.issue_key('callum@hr.example', 'a:b')$$),
	('grant to somebody who has left', $$SELECT steward.grant_scopes('callum@hr.example', 'a:b', 'why')$$),
-- Scopes.
	('scopes: null', $$SELECT steward.issue_key('billing', NULL)$$),
	('scopes: none', $$SELECT steward.issue_key('billing', '')$$),
	('scopes: none granted', $$SELECT steward.grant_scopes('billing', '', 'why')$$),
	('scopes: none outside', $$SELECT steward.register_credential('y', 'crm', 'api_key', 'billing', '')$$),
	('scopes: null outside', $$SELECT steward.register_credential('y', 'crm', 'api_key', 'billing', NULL)$$),
-- Lifetimes.
	('lifetime: negative', $$SELECT steward.issue_key('billing', 'a:b', lifetime => '-1 day')$$),
	('lifetime: zero', $$SELECT steward.issue_key('billing', 'a:b', lifetime => '0')$$),
	('lifetime: less than a second', $$SELECT steward.issue_key('billing', 'a:b', lifetime => '999 ms')$$),
	('lifetime: over the policy', $$SELECT steward.issue_key('billing', 'a:b', lifetime => '366 days 1 hour')$$),
	('lifetime: beyond all time', $$SELECT steward.issue_key('billing', 'a:b', lifetime => '300000 years')$$),
	('end of a grant: past', $$SELECT steward.grant_scopes('billing', 'a:b', 'why', ends_at => now() - interval '1 second')$$),
	('expiry outside: past', $$SELECT steward.register_credential('y', 'crm', 'api_key', 'billing', 'a:b', expires_at => now() - interval '1 second')$$),
	('expiry outside: infinite', $$SELECT steward.register_credential('y', 'crm', 'api_key', 'billing', 'a:b', expires_at => 'infinity')$$),
	('deadline: negative', $$SELECT steward.register_system('x', 'dana@hr.example', 'saas', deadline => '-1 hour')$$),
	('deadline: two years', $$SELECT steward.register_system('x', 'dana@hr.example', 'saas', deadline => '2 years')$$),
-- Values of closed lists, and texts.
	('reason: null', $$SELECT steward.revoke('bill-key', NULL)$$),
	('reason: empty', $$SELECT steward.revoke('bill-key', '')$$),
	('reason: unknown', $$SELECT steward.revoke('bill-key', 'because')$$),
	('reason: other case', $$SELECT steward.revoke('bill-key', 'Leak')$$),
	('note: blank', $$SELECT steward.revoke('bill-key', 'leak', note => ' ')$$),
	('note: too long', $$SELECT steward.revoke('bill-key', 'leak', note => repeat('x', 4001))$$),
	('dry_run: null', $$SELECT steward.revoke('bill-key', 'leak', dry_run => NULL)$$),
	('justification: none', $$SELECT steward.grant_scopes('billing', 'a:b', NULL)$$),
	('justification: blank', $$SELECT steward.grant_scopes('billing', 'a:b', E' \t')$$),
	('purpose: none', $$SELECT steward.register_agent('x', 'dana@hr.example', NULL)$$),
	('autonomy: unknown', $$SELECT steward.register_agent('x', 'dana@hr.example', 'y', autonomy => 'total')$$),
	('acts_for: unknown', $$SELECT steward.register_agent('x', 'dana@hr.example', 'y', acts_for => 'all')$$),
	('human_approval: unknown', $$SELECT steward.register_agent('x', 'dana@hr.example', 'y', human_approval => 'maybe')$$),
	('kind of system: unknown', $$SELECT steward.register_system('x', 'dana@hr.example', 'cloudy')$$),
	('revocation path: unknown', $$SELECT steward.register_system('x', 'dana@hr.example', 'saas', revocation_path => 'hope')$$),
	('classification: unknown', $$SELECT steward.register_system('x', 'dana@hr.example', 'saas', data_classification => 'secret')$$),
	('criticality: unknown', $$SELECT steward.register_system('x', 'dana@hr.example', 'saas', criticality => 'huge')$$),
	('kind of credential: unknown', $$SELECT steward.register_credential('y', 'crm', 'key', 'billing', 'a:b')$$),
	('digest of a password', $$SELECT steward.register_credential('y', 'crm', 'password', 'billing', 'a:b', digest => repeat('ab', 32)::steward.digest)$$),
	('digest: too short', $$SELECT steward.register_credential('y', 'crm', 'api_key', 'billing', 'a:b', digest => 'abcd')$$),
	('name: too long', $$SELECT steward.issue_key('billing', 'a:b', name => repeat('x', 201))$$),
	('name: padded', $$SELECT steward.register_service('x ', 'dana@hr.example')$$),
	('name of a service: taken', $$SELECT steward.register_service('bot', 'dana@hr.example')$$),
	('name of a system: taken', $$SELECT steward.register_system('crm', 'dana@hr.example', 'saas')$$),
	('outside: other facts', $$SELECT steward.register_credential('crm-1', 'crm', 'api_key', 'billing', 'crm:write')$$),
	('profile: unknown', $$SELECT steward.grant_profile('pg_monitor', 'root')$$),
	('profile: null', $$SELECT steward.grant_profile('pg_monitor', NULL)$$),
	('role: unknown', $$SELECT steward.grant_profile('references_no_such_role', 'app')$$),
	('role: null', $$SELECT steward.grant_profile(NULL, 'app')$$),
	('profile to look through: unknown', $$SELECT steward.visible_orgs('root')$$);
SELECT what, a.* FROM bad, pg_temp.attempt(statement) a WHERE what NOT LIKE '%foreign uuid' ORDER BY n;
SELECT what, a.code FROM bad, pg_temp.attempt(statement) a WHERE what LIKE '%foreign uuid' ORDER BY n;
SELECT d = pg_temp.digest() AS the_database_as_before FROM before;

-- At the top level, where nothing catches the error, the hints say how to go on.
SELECT steward.revoke('twin', 'leak');
SELECT steward.revoke('nobody', 'leak');
SELECT steward.issue_key('shared@hr.example', 'a:b');
SELECT steward.issue_key('billing', 'a:b', lifetime => '2 years');
SELECT steward.issue_key('billing', 'a:b', owner => 'callum@hr.example');
SELECT steward.revoke('bill-key', 'because');
SELECT d = pg_temp.digest() AS the_database_as_before FROM before;

-- A bad key given to a check is an answer and not an error.
CREATE TEMP TABLE token (n serial, what text, token text);
INSERT INTO token (what, token) VALUES ('good', :'key_text'), ('null', NULL), ('empty', ''), ('padded', ' ' || :'key_text'), ('cut', left(:'key_text', 97)),
	('longer', :'key_text' || 'x'), ('a typo', overlay(:'key_text' placing CASE substr(:'key_text', 60, 1) WHEN 'z' THEN 'y' ELSE 'z' END from 60)), ('another prefix', 'stw2' || substr(:'key_text', 5)),
	('a name', 'bill-key'), ('binary', E'\x01\x02'), ('long', repeat('x', 100000));
SELECT t.what, a.allowed, a.reason, a.principal IS NOT NULL AS names_somebody FROM token t, steward.authorize(t.token, 'bills:read') a ORDER BY t.n;
SELECT steward.authorize(:'key_text', NULL);
SELECT d = pg_temp.digest() AS the_database_as_before FROM before;
