-- The extension installs into its own schema and says what it is; setup() makes the rest, and then all is in order.
CREATE EXTENSION steward;
SELECT steward.version() = extversion AS matches FROM pg_catalog.pg_extension WHERE extname = 'steward';
SELECT step, result FROM steward.setup() WHERE step = 'tables';
SELECT check_name, detail FROM steward.health WHERE status = 'critical';
