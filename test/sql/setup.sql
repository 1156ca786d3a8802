-- setup() may be repeated: the second time changes nothing, whoever ran it first.  It is the superuser's, and it refuses
-- what it does not understand.
\set ECHO none
\getenv here PG_ABS_SRCDIR
\i :here/helper/cases.sql
\set ECHO all
CREATE TEMP TABLE before AS SELECT * FROM pg_temp.catalog();
CREATE TEMP TABLE rows_before AS SELECT pg_temp.digest() AS d;
SELECT count(*) > 500 AS there_is_something_to_compare FROM before;
SELECT step, result FROM steward.setup() WHERE step NOT LIKE 'role %' ORDER BY step COLLATE "C";
SELECT * FROM (TABLE before EXCEPT SELECT * FROM pg_temp.catalog()) gone;
SELECT * FROM (SELECT * FROM pg_temp.catalog() EXCEPT TABLE before) made;
SELECT d = pg_temp.digest() AS no_row_changed FROM rows_before;

-- With an organization: made once, with its built-in system and policies.
SELECT step, result FROM steward.setup(organization => 'setup-twice') WHERE step LIKE 'organization%';
UPDATE rows_before SET d = pg_temp.digest();
SELECT step, result FROM steward.setup(organization => 'setup-twice') WHERE step LIKE 'organization%';
SELECT d = pg_temp.digest() AS no_row_changed FROM rows_before;
SELECT o.slug, o.state, s.name, s.kind, s.revocation_path, (SELECT count(*) FROM steward.org_policy p WHERE p.org_id = o.id) AS policies,
	(SELECT count(*) > 10 FROM steward.credential_policy p WHERE p.org_id = o.id) AS policy_for_each_kind
FROM steward.organization o JOIN steward.system s ON s.org_id = o.id WHERE o.slug = 'setup-twice';

-- maintain() finds nothing to do.
SELECT step, result FROM steward.maintain() WHERE step = 'partitions of the audit log';

-- Names that are none.
CREATE TEMP TABLE bad (n serial, what text, statement text);
INSERT INTO bad (what, statement) VALUES
	('empty', $$SELECT steward.setup(organization => '')$$),
	('padded', $$SELECT steward.setup(organization => ' acme')$$),
	('upper case', $$SELECT steward.setup(organization => 'Acme')$$),
	('begins with a hyphen', $$SELECT steward.setup(organization => '-acme')$$),
	('underscore', $$SELECT steward.setup(organization => 'a_b')$$),
	('too long', $$SELECT steward.setup(organization => repeat('a', 64))$$),
	('a line break', $$SELECT steward.setup(organization => E'a\nb')$$);
SELECT what, a.* FROM bad, pg_temp.attempt(statement) a ORDER BY n;

-- Not a superuser: not even one that may create roles and owns the database's schema.
CREATE ROLE setup_twice_dba CREATEROLE CREATEDB;
GRANT EXECUTE ON FUNCTION steward.setup(text) TO setup_twice_dba;
SELECT * FROM pg_temp.attempt_as('setup_twice_dba', 'SELECT steward.setup()');
REVOKE EXECUTE ON FUNCTION steward.setup(text) FROM setup_twice_dba;
SELECT * FROM pg_temp.attempt_as('setup_twice_dba', 'SELECT steward.setup()');
DROP ROLE setup_twice_dba;
