-- The key file: made by one explicit statement and never over another, refused where others could read it or a base
-- backup would carry it along, and shown to nobody.
\set VERBOSITY verbose
\set SHOW_CONTEXT never
SELECT count(*) > 0 AS set_up FROM steward.setup();

-- It is there (the test "install" made it), so it is not made again.
\set VERBOSITY terse
SELECT steward.create_key_file();
\set VERBOSITY sqlstate
SELECT steward.create_key_file();

-- Only a superuser can make it, seal anew, or see where it is.
CREATE ROLE sealing_somebody;
GRANT USAGE ON SCHEMA steward TO sealing_somebody;
GRANT EXECUTE ON FUNCTION steward.create_key_file(), steward.reseal_keys() TO sealing_somebody;
SET ROLE sealing_somebody;
\set VERBOSITY terse
SELECT steward.create_key_file();
SELECT * FROM steward.reseal_keys();
SHOW steward.key_file;
SET steward.key_file = '/tmp/other';
RESET ROLE;
SET steward.key_file = '/tmp/other';

-- PUBLIC cannot call them.
SELECT has_function_privilege('public', 'steward.create_key_file()', 'EXECUTE') AS create_key_file,
       has_function_privilege('public', 'steward.reseal_keys()', 'EXECUTE') AS reseal_keys;

-- A path inside the data directory, a relative one, and a file that others may read.
SELECT current_setting('steward.key_file') AS key_file, current_setting('data_directory') || '/key' AS inside \gset
ALTER SYSTEM SET steward.key_file = 'relative';
ALTER SYSTEM SET steward.key_file = :'inside';
SELECT pg_reload_conf() \g /dev/null
SELECT pg_sleep(0.3) \g /dev/null
\c
\set VERBOSITY default
SELECT steward.create_key_file();
SELECT (pg_stat_file(:'inside', true)).size AS made;
\set others :key_file '.others'
\set copy_to 'COPY (SELECT ''steward-key-1:'' || repeat(''0'', 64)) TO '
:copy_to :'others';
ALTER SYSTEM SET steward.key_file = :'others';
SELECT pg_reload_conf() \g /dev/null
SELECT pg_sleep(0.3) \g /dev/null
\c
SELECT count(*) AS says_who_may_read FROM steward.health WHERE check_name = 'key file' AND detail LIKE '%may read%';
SELECT * FROM steward.reseal_keys();
ALTER SYSTEM SET steward.key_file = :'key_file';
SELECT pg_reload_conf() \g /dev/null
SELECT pg_sleep(0.3) \g /dev/null
\c
SELECT status, detail <> '' AS said FROM steward.health WHERE check_name = 'key file';
DROP OWNED BY sealing_somebody;
DROP ROLE sealing_somebody;
