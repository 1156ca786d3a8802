-- import_directory() takes what Okta and Entra ID send, as an array, a ListResponse or a single resource; a second time
-- changes nothing; and one malformed resource stops everything, by its position.
\set ECHO none
\getenv here PG_ABS_SRCDIR
\i :here/helper/cases.sql
\set ECHO all
\set okta `cat "$PG_ABS_SRCDIR/data/okta.json"`
\set entra `cat "$PG_ABS_SRCDIR/data/entra.json"`
\set changes `cat "$PG_ABS_SRCDIR/data/okta_changes.json"`
SELECT count(*) > 0 AS made FROM steward.setup(organization => 'import');
SELECT steward.use_org('import') AS org \gset
SELECT * FROM steward.import_directory('okta', :'okta');
SELECT kind, state, last_import_at = now() OR last_import_at < now() AS imported FROM steward.directory WHERE org_id = :'org';
SELECT count(*) AS users, count(*) FILTER (WHERE NOT active) AS inactive, count(manager_user_id) AS managed, count(*) FILTER (WHERE user_type = 'Contractor') AS contractors, count(DISTINCT department) AS departments
FROM steward.directory_user WHERE org_id = :'org';
SELECT count(*) AS people FROM steward.principal WHERE org_id = :'org' AND kind = 'human';
SELECT kind, cause, count(*) FROM steward.lifecycle_event WHERE org_id = :'org' GROUP BY 1, 2;
-- A person, with every column that the source filled.
SELECT user_name, email, display_name, given_name, family_name, title, department, cost_center, employee_number, user_type, version, event_time, attributes,
	(SELECT m.user_name FROM steward.directory_user m WHERE m.org_id = u.org_id AND m.id = u.manager_user_id) AS manager
FROM steward.directory_user u WHERE org_id = :'org' AND user_name = 'tomas.novak@acme.example' \gx
-- Passwords, if a source sends any, are dropped.
SELECT count(*) AS with_password FROM steward.directory_user WHERE org_id = :'org' AND attributes::text ~* 'password';

-- Again: nothing changes but when it was imported.
CREATE TEMP VIEW state AS SELECT md5(string_agg(u::text, '|' ORDER BY id)) AS u, (SELECT md5(string_agg(m::text, '|' ORDER BY m::text)) FROM steward.directory_member m WHERE m.org_id = u.org_id) AS m,
	(SELECT count(*) FROM steward.lifecycle_event e WHERE e.org_id = u.org_id) AS e FROM steward.directory_user u WHERE org_id = steward.default_org() GROUP BY org_id;
CREATE TEMP TABLE before AS TABLE state;
SELECT * FROM steward.import_directory('okta', :'okta');
SELECT before IS NOT DISTINCT FROM state AS the_same FROM before, state;
-- Only what is named, and by the uuid of the directory, too.
SELECT steward.use_org('import') IS NOT NULL AS chosen;
SELECT id AS okta_id FROM steward.directory WHERE org_id = :'org' AND name = 'okta' \gset
SELECT * FROM steward.import_directory(:'okta_id'::uuid, :'changes');
SELECT kind, person, cause FROM steward.lifecycle_event WHERE org_id = :'org' AND kind <> 'joiner' OR (org_id = :'org' AND person LIKE 'milan%') ORDER BY person, kind;
-- Complete: who is not in the list has left.
SELECT * FROM steward.import_directory('okta', :'okta', complete => true);
SELECT kind, person, cause FROM steward.lifecycle_event WHERE org_id = :'org' AND (person LIKE 'milan%' OR person LIKE 'callum%') ORDER BY id;
SELECT sum(removed) AS removed FROM steward.import_directory('okta', (SELECT jsonb_agg(r) FROM jsonb_array_elements(:'okta'::jsonb) r WHERE r ->> 'userName' IS DISTINCT FROM 'keiko.sato@acme.example'), complete => true) WHERE resource = 'User';

-- Entra ID's ListResponse, in an organization of its own; a single resource; a manager as a string.
SELECT count(*) > 0 AS made FROM steward.setup(organization => 'import-entra');
SELECT steward.use_org('import-entra') AS org \gset
SELECT * FROM steward.import_directory('entra', :'entra');
SELECT count(*) AS people, count(u.manager_user_id) AS managed FROM steward.directory_user u WHERE org_id = :'org';
SELECT * FROM steward.import_directory('single', '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"], "id": "1", "userName": "one", "password": "hunter2",
	"emails": [{"value": "home@one.example", "type": "home"}, {"value": "work@one.example", "type": "work"}], "active": "True", "name": {"formatted": "One And Only"}, "nickName": "Uno",
	"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": "nobody", "division": "North"}, "urn:example:custom": {"badge": 7}}');
SELECT external_id, user_name, active, email, display_name, attributes FROM steward.directory_user WHERE org_id = :'org' AND user_name = 'one';
-- The source's id stays when externalId comes later: the same person.
SELECT resource, added, changed FROM steward.import_directory('single', '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "1", "externalId": "E1", "userName": "one"}') WHERE resource = 'User';
SELECT count(*) AS people FROM steward.principal WHERE org_id = :'org' AND user_name = 'one';
-- A member that the directory does not have is counted, and no error.
SELECT resource, found, added, unmatched FROM steward.import_directory('single', '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "id": "g", "displayName": "All", "members": [{"value": "1"}, {"value": "nobody"}]}');

-- Malformed: a distinct answer, with the position, and nothing of it is imported.
\set user '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "2", "userName": "two"}'
CREATE TEMP TABLE bad (n serial, what text, resources jsonb);
INSERT INTO bad (what, resources) SELECT what, CASE WHEN one IS NULL THEN whole ELSE jsonb_build_array(:'user'::jsonb, one) END FROM (VALUES
	('null', 'null'::jsonb, NULL::jsonb), ('a string', '"users"', NULL), ('a number', '7', NULL), ('an object that is no resource', '{"users": []}', NULL), ('an empty array', '[]', NULL), ('an empty ListResponse', '{"Resources": []}', NULL),
	('an element that is no object', NULL, '"x"'), ('no schemas', NULL, '{"id": "3", "userName": "x"}'), ('an unknown schema', NULL, '{"schemas": ["urn:example:Robot"], "id": "3", "userName": "x"}'),
	('schemas is no array', NULL, '{"schemas": 7, "id": "3", "userName": "x"}'),
	('no identifier', NULL, :'user'::jsonb - 'id' || '{"userName": "x"}'), ('an empty identifier', NULL, :'user'::jsonb || '{"id": "", "userName": "x"}'), ('a padded identifier', NULL, :'user'::jsonb || '{"externalId": " x", "userName": "x"}'),
	('no userName', NULL, :'user'::jsonb - 'userName' || '{"id": "3"}'), ('a padded userName', NULL, :'user'::jsonb || '{"id": "3", "userName": "x "}'), ('a long userName', NULL, :'user'::jsonb || jsonb_build_object('id', '3', 'userName', repeat('x', 513))),
	('active is a word', NULL, :'user'::jsonb || '{"id": "3", "userName": "x", "active": "perhaps"}'), ('active is a number', NULL, :'user'::jsonb || '{"id": "3", "userName": "x", "active": 1}'),
	('emails is an object', NULL, :'user'::jsonb || '{"id": "3", "userName": "x", "emails": {"value": "a@b.example"}}'), ('a padded address', NULL, :'user'::jsonb || '{"id": "3", "userName": "x", "emails": [{"value": "a@b.example "}]}'),
	('no date', NULL, :'user'::jsonb || '{"id": "3", "userName": "x", "meta": {"lastModified": "yesterday"}}'), ('an impossible date', NULL, :'user'::jsonb || '{"id": "3", "userName": "x", "meta": {"lastModified": "2025-02-30T00:00:00Z"}}'),
	('the future', NULL, :'user'::jsonb || '{"id": "3", "userName": "x", "meta": {"lastModified": "2999-01-01T00:00:00Z"}}'),
	('an identifier twice', NULL, :'user'::jsonb || '{"userName": "x"}'), ('a userName twice', NULL, :'user'::jsonb || '{"id": "3", "userName": "TWO"}'), ('a userName that somebody has', NULL, :'user'::jsonb || '{"id": "3", "userName": "one"}'),
	('a group without a name', NULL, '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "id": "3"}'), ('members is an object', NULL, '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "id": "3", "displayName": "x", "members": {}}')
	) AS v(what, whole, one);
CREATE TEMP TABLE digest AS SELECT pg_temp.digest() AS d;
CREATE FUNCTION pg_temp.import(resources jsonb, OUT code text, OUT message text, OUT detail text) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM steward.import_directory('single', resources);
	code := '00000';
EXCEPTION WHEN OTHERS THEN
	code := SQLSTATE;
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
END $$;
SELECT b.what, i.code, i.message, CASE WHEN i.code ~ '^ST3' THEN i.detail END AS detail FROM bad b, pg_temp.import(b.resources) i ORDER BY b.n;
SELECT d = pg_temp.digest() AS the_database_as_before FROM digest;
-- A complete list of groups alone would make everybody a leaver.
SELECT * FROM pg_temp.attempt($$SELECT steward.import_directory('single', '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "id": "g", "displayName": "All"}', complete => true)$$);
-- An unlinked directory takes nothing.
UPDATE steward.directory SET state = 'unlinked' WHERE org_id = :'org' AND name = 'single';
SELECT * FROM pg_temp.attempt($$SELECT steward.import_directory('single', '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "2", "userName": "two"}')$$);
SELECT * FROM pg_temp.attempt($$SELECT steward.import_directory('single', NULL)$$);
SELECT * FROM pg_temp.attempt($$SELECT steward.import_directory('single', '[]', complete => NULL)$$);
