-- A database in which setup() has not run: nothing works, everything says what to do.  The same with a schema of another
-- release than the code.
\set ECHO none
SET client_min_messages = error;
DROP DATABASE IF EXISTS steward_before_setup;
CREATE DATABASE steward_before_setup;
\c steward_before_setup
CREATE EXTENSION steward;
\set ECHO none
\getenv here PG_ABS_SRCDIR
\i :here/helper/cases.sql
\i :here/helper/calls.sql
\set ECHO all

-- Every function, with arguments that would do: none fails but with a code that is explained.
SELECT c.name, a.* FROM pg_temp.calls() c, pg_temp.attempt(c.statement) a
WHERE a.code <> '00000' AND a.code !~ '^(ST|22|42P01)' ORDER BY 1, 2;
SELECT DISTINCT c.name, a.* FROM pg_temp.calls() c, pg_temp.attempt(c.statement) a
WHERE c.name IN ('authorize', 'default_org', 'grant_profile', 'grant_scopes', 'import_directory', 'is_authorized', 'issue_key', 'maintain',
	'register_agent', 'register_credential', 'register_service', 'register_system', 'revoke', 'revoke_principal', 'revoke_profile',
	'use_org', 'visible_orgs') ORDER BY 1, 2;
SELECT steward.default_org();
SELECT check_name, status, detail, remedy FROM steward.health_checks();
SELECT count(*) FROM pg_class WHERE relnamespace = 'steward'::regnamespace AND relkind IN ('r', 'p', 'v');

-- setup() makes it all.
SELECT step, result FROM steward.setup(organization => 'acme') WHERE step IN ('tables', 'organization acme') ORDER BY 1;
SELECT steward.use_org('acme') = steward.default_org() AS works;

-- Newer than the code: refused, by setup() too, which leaves it alone.
UPDATE steward.installation SET schema_version = '99.0.0';
\c
\set ECHO none
\i :here/helper/cases.sql
\i :here/helper/calls.sql
\set ECHO all
SELECT code, replace(message, steward.version(), 'CODE') AS message FROM pg_temp.attempt('SELECT steward.setup()');
SELECT code, replace(message, steward.version(), 'CODE') AS message FROM pg_temp.attempt($$SELECT steward.use_org('acme')$$);
SELECT DISTINCT a.code FROM pg_temp.calls() c, pg_temp.attempt(c.statement) a WHERE c.name = 'authorize';
SELECT schema_version FROM steward.installation;

-- Older: everything names setup(), which brings it up to date.
UPDATE steward.installation SET schema_version = '0.0.1';
\c
\set ECHO none
\i :here/helper/cases.sql
\set ECHO all
SELECT code, replace(message, steward.version(), 'CODE') AS message FROM pg_temp.attempt($$SELECT steward.use_org('acme')$$);
SELECT result FROM steward.setup() WHERE step = 'tables';
SELECT schema_version = steward.version() AS up_to_date FROM steward.installation;
SELECT steward.use_org('acme') = steward.default_org() AS works;
\c contrib_regression
DROP DATABASE steward_before_setup;
