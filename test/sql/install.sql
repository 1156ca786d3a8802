-- The extension installs into its own schema and says what it is.
CREATE EXTENSION steward;
SELECT steward.version() = extversion AS matches FROM pg_catalog.pg_extension WHERE extname = 'steward';
