-- The extension installs into its own schema and says what it is; setup() makes the rest, and then all is in order.
CREATE EXTENSION steward;
SELECT steward.version() = extversion AS matches FROM pg_catalog.pg_extension WHERE extname = 'steward';
SELECT step, result FROM steward.setup() WHERE step = 'tables';
SELECT check_name, detail FROM steward.health WHERE status = 'critical';

-- The tests that sign need a key file, which has to be outside the data directory: beside it, unless one is set.
SELECT current_setting('steward.key_file') = '' AS no_key_file, current_setting('data_directory') || '.test-key' AS key_file \gset
\if :no_key_file
ALTER SYSTEM SET steward.key_file = :'key_file';
SELECT pg_reload_conf() \g /dev/null
SELECT pg_sleep(0.3) \g /dev/null
\c
\endif
SELECT steward.create_key_file() IS NOT NULL WHERE (pg_stat_file(current_setting('steward.key_file'), true)).size IS NULL \g /dev/null
SELECT (pg_stat_file(current_setting('steward.key_file'))).size AS key_file_size;
