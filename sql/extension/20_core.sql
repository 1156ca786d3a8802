CREATE FUNCTION steward.version() RETURNS text
    AS 'MODULE_PATHNAME', 'steward_version' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION steward.version() IS 'the release of the module that is loaded';
REVOKE ALL ON FUNCTION steward.version() FROM PUBLIC;
