-- steward: types, operators and C functions.  Tables, views, triggers and policies are made by steward.setup().
\echo Use "CREATE EXTENSION steward" to load this file. \quit

REVOKE ALL ON SCHEMA steward FROM PUBLIC;
GRANT USAGE ON SCHEMA steward TO PUBLIC;
