-- Two organizations with equal names, external ids and e-mail addresses: whoever belongs to one finds nothing of the
-- other, through any view, table or function, and can do nothing to it.
\set ECHO none
\getenv here PG_ABS_SRCDIR
\i :here/helper/cases.sql
\i :here/helper/calls.sql
\set ECHO all
-- The same company twice.
CREATE FUNCTION pg_temp.furnish(slug text) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
	org uuid := pg_temp.company(slug);
BEGIN
	PERFORM steward.register_system('calls-system', 'dana@hr.example', 'saas', 'connector');
	PERFORM steward.register_agent('bot', 'olivia@hr.example', 'answers tickets');
	PERFORM steward.register_service('billing', 'dana@hr.example');
	PERFORM steward.register_credential('calls-external', 'calls-system', 'api_key', 'bot', 'a:b');
	PERFORM steward.issue_key('bot', 'tickets:read', name => 'calls-key');
	PERFORM steward.issue_key('olivia@hr.example', 'tickets:read', name => 'olivia-key');
	UPDATE steward.directory_user SET active = false WHERE org_id = org AND external_id = 'x-olivia';
	RETURN org;
END $$;
SELECT pg_temp.furnish('tenants-b') AS b \gset
SELECT pg_temp.furnish('tenants-a') AS a \gset
CREATE TEMP TABLE org AS SELECT :'a'::uuid AS a, :'b'::uuid AS b;
-- A key of B's, and every id of B's rows.
SELECT steward.use_org('tenants-b') IS NOT NULL AS in_b;
SELECT secret AS b_secret, credential_id AS b_key FROM steward.issue_key('bot', 'tickets:read') \gset
SELECT steward.use_org('tenants-a') IS NOT NULL AS in_a;
CREATE TEMP TABLE mine (id text PRIMARY KEY);
CREATE TEMP TABLE theirs (id text PRIMARY KEY);
CREATE FUNCTION pg_temp.ids(org uuid) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	r regclass;
BEGIN
	FOR r IN SELECT c.oid FROM pg_class c WHERE c.relnamespace = 'steward'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
		AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'org_id') LOOP
		RETURN QUERY EXECUTE format('SELECT DISTINCT (regexp_matches(t::text, ''[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'', ''g''))[1] FROM %s t WHERE org_id = $1', r) USING org;
	END LOOP;
END $$;
INSERT INTO mine SELECT DISTINCT pg_temp.ids(:'a');
INSERT INTO theirs SELECT DISTINCT pg_temp.ids(:'b');
DELETE FROM theirs USING mine WHERE theirs.id = mine.id;
SELECT (SELECT count(*) FROM theirs) > 25 AS there_is_something_to_find, (SELECT count(*) FROM theirs JOIN mine USING (id)) AS shared;
GRANT SELECT ON mine, theirs, org TO PUBLIC;

-- A role for each profile in A, and one with all of them; none in B.
CREATE TEMP TABLE profile (n serial, role name);
DO $$
DECLARE
	p text;
BEGIN
	FOREACH p IN ARRAY ARRAY['app', 'connector', 'analyst', 'auditor', 'security', 'admin'] LOOP
		EXECUTE format('CREATE ROLE %I', 'tenants_' || p);
		PERFORM steward.grant_profile('tenants_' || p, p);
		INSERT INTO profile (role) VALUES ('tenants_' || p);
	END LOOP;
END $$;

-- Whether a text names something of B's.
CREATE FUNCTION pg_temp.leaks(answer text) RETURNS boolean LANGUAGE sql AS $$
	SELECT EXISTS (SELECT FROM regexp_matches(answer, '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', 'g') m JOIN theirs t ON t.id = m[1])
$$;
-- Runs a query as a role: whether it worked, how many rows it gave, and whether they name anything of B's.
CREATE FUNCTION pg_temp.look_as(role name, query text, OUT code text, OUT rows bigint, OUT leaks boolean, OUT mine boolean) LANGUAGE plpgsql AS $$
DECLARE
	answers text[];
	error text;
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	BEGIN
		EXECUTE format('SELECT array_agg(r::text) FROM (%s) r', query) INTO answers;
		code := '00000';
	EXCEPTION WHEN OTHERS THEN
		code := SQLSTATE;
		GET STACKED DIAGNOSTICS error = PG_EXCEPTION_DETAIL;
		answers := ARRAY[SQLERRM || error];
	END;
	RESET ROLE;
	rows := CASE code WHEN '00000' THEN cardinality(coalesce(answers, '{}')) ELSE 0 END;
	SELECT coalesce(bool_or(pg_temp.leaks(a)), false), coalesce(bool_or(position((SELECT o.a::text FROM org o) IN a) > 0), false) INTO leaks, mine FROM unnest(answers) a;
END $$;

-- Every view and table.
CREATE TEMP TABLE looked AS SELECT c.relname, c.relkind, p.n, p.role, l.* FROM pg_class c, profile p, pg_temp.look_as(p.role, format('SELECT * FROM steward.%I', c.relname)) l
WHERE c.relnamespace = 'steward'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition;
SELECT relname AS leaks, role FROM looked WHERE leaks ORDER BY 1, 2;
SELECT count(*) > 10 AS looked_at, bool_or(rows > 0) AS something_was_seen FROM looked WHERE code = '00000';
SELECT relname, string_agg(replace(role, 'tenants_', ''), ' ' ORDER BY n) AS sees_its_own FROM looked WHERE mine AND relname IN ('credential_inventory', 'lifecycle_timeline', 'audit', 'directory_user')
GROUP BY 1 ORDER BY 1;
-- With a condition that asks for B.
SELECT relname, role FROM looked l, pg_temp.look_as(l.role, format('SELECT * FROM steward.%I v WHERE v::text ~ %L', l.relname, (SELECT b FROM org))) k WHERE l.code = '00000' AND (k.rows > 0 OR k.leaks);

-- Every function, asked for B, and asked in A for what is B's: by its ids, by its key.
UPDATE call_value SET value = quote_literal(:'b_key') WHERE argument = 'type uuid';
UPDATE call_value SET value = quote_literal(:'b_secret') WHERE argument = 'token';
UPDATE call_value SET value = quote_literal('tenants-b') WHERE argument IN ('slug', 'organization');
CREATE TEMP TABLE before AS SELECT pg_temp.digest() AS d;
CREATE TEMP TABLE called (func regprocedure, name text, asked text, n integer, role name, code text, rows bigint, leaks boolean);
CREATE FUNCTION pg_temp.call_all() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	c record;
	p profile;
	l record;
	asked text;
BEGIN
	FOREACH asked IN ARRAY ARRAY['b', 'a', 'nowhere'] LOOP
		FOR c IN SELECT * FROM pg_temp.calls((SELECT quote_literal(CASE asked WHEN 'b' THEN o.b WHEN 'a' THEN o.a ELSE '00000000-0000-4000-8000-000000000000' END) FROM org o)) LOOP
			FOR p IN SELECT * FROM profile ORDER BY n LOOP
				BEGIN
					SELECT * INTO l FROM pg_temp.look_as(p.role, c.statement);
					RAISE EXCEPTION USING ERRCODE = 'TAKEB';
				EXCEPTION WHEN SQLSTATE 'TAKEB' THEN NULL;
				END;
				INSERT INTO called VALUES (c.func, c.name, asked, p.n, p.role, l.code, l.rows, l.leaks);
			END LOOP;
		END LOOP;
	END LOOP;
END $$;
SELECT pg_temp.call_all();
SELECT d = pg_temp.digest() AS the_database_as_before FROM before;
-- What is passed in may come back in an error; nothing else of B's does.
SELECT DISTINCT func, asked, role FROM called WHERE leaks AND code = '00000' ORDER BY 1, 2, 3;
-- Asked for B, every function that takes an organization says what it says of one that does not exist.
SELECT DISTINCT c.func, c.code, n.code AS of_none FROM called c JOIN called n ON n.func = c.func AND n.role = c.role AND n.asked = 'nowhere'
WHERE c.asked = 'b' AND c.code <> n.code AND c.name <> 'authorize' ORDER BY 1, 2;
SELECT DISTINCT name, code FROM called WHERE asked = 'b' AND name IN ('register_service', 'register_agent', 'register_system', 'register_credential', 'grant_scopes', 'issue_key', 'import_directory', 'revoke',
	'revoke_principal', 'grant_profile', 'revoke_profile', 'use_org') AND role = 'tenants_admin' ORDER BY 1;
-- B's key in A's hands is unknown, and denied without a name.
SET ROLE tenants_app;
SELECT a.allowed, a.reason, a.organization, a.principal, a.credential FROM steward.authorize(:'b_secret', 'tickets:read') a;
SELECT steward.is_authorized(:'b_secret', 'tickets:read');
SELECT a.reason FROM steward.authorize(:'b_secret', 'tickets:read', org => :'b') a;
RESET ROLE;
-- A row of B's made up or passed on tells nothing.
CREATE TEMP TABLE smuggled AS SELECT c AS row FROM steward.credential c WHERE org_id = :'b';
GRANT SELECT ON smuggled TO PUBLIC;
SET ROLE tenants_analyst;
SELECT DISTINCT steward.credential_status(row) AS status FROM smuggled;
RESET ROLE;

-- A connector writes nothing of B's: not a row, not a member, not a manager.
CREATE TEMP TABLE bad (n serial, what text, statement text);
INSERT INTO bad (what, statement) SELECT v.* FROM org o, LATERAL (VALUES
	('a directory in B', format($$INSERT INTO steward.directory (org_id, name) VALUES (%L, 'x')$$, o.b)),
	('a person in B', format($$INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name) VALUES (%L, steward.uuid7(), 'x', 'x')$$, o.b)),
	('a person in B''s directory', format($$INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name) VALUES (%L, %L, 'x', 'x')$$, o.a, (SELECT id FROM steward.directory WHERE org_id = o.b))),
	('a manager of B''s', format($$UPDATE steward.directory_user SET manager_user_id = %L WHERE external_id = 'x-cora'$$, (SELECT id FROM steward.directory_user WHERE org_id = o.b AND external_id = 'x-dana'))),
	('moving a person to B', format($$UPDATE steward.directory_user SET org_id = %L$$, o.b)),
	('B''s people', format($$UPDATE steward.directory_user SET active = false WHERE org_id = %L$$, o.b)),
	('B''s people, deleted', format($$DELETE FROM steward.directory_user WHERE org_id = %L$$, o.b))) AS v(what, statement);
SELECT b.what, a.code, CASE WHEN a.code = '00000' THEN a.message END AS rows FROM bad b, pg_temp.attempt_as('tenants_connector', b.statement) a ORDER BY b.n;
-- Constraints keep organizations apart even for the superuser.
SELECT a.code FROM org o, pg_temp.attempt(format('UPDATE steward.credential SET owner_id = (SELECT id FROM steward.principal WHERE org_id = %L AND user_name = ''dana@hr.example'') WHERE org_id = %L', o.b, o.a)) a;

-- What happens in A happens in A.
SELECT d = pg_temp.digest() AS the_database_as_before FROM before;
CREATE TEMP TABLE b_before AS SELECT md5(string_agg(c::text, '' ORDER BY id)) AS d FROM steward.credential c WHERE org_id = :'b';
UPDATE steward.directory_user SET active = false WHERE org_id = :'a';
SELECT credentials > 0 AS revoked FROM steward.revoke_principal('bot', 'incident');
SELECT d = (SELECT md5(string_agg(c::text, '' ORDER BY id)) FROM steward.credential c WHERE org_id = :'b') AS b_as_before FROM b_before;
SELECT state, count(*) FROM steward.principal WHERE org_id = :'b' GROUP BY 1 ORDER BY 1;
SELECT steward.is_authorized(:'b_secret', 'tickets:read') AS b_key_opens;
DO $$
DECLARE
	p profile;
BEGIN
	FOR p IN TABLE profile LOOP
		PERFORM steward.revoke_profile(p.role, replace(p.role, 'tenants_', ''));
		EXECUTE format('DROP ROLE %I', p.role);
	END LOOP;
END $$;
