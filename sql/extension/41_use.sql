-- Functions of the use of credentials.

CREATE FUNCTION steward.parse_timestamp(text) RETURNS timestamptz
    AS 'MODULE_PATHNAME', 'steward_parse_timestamp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION steward.parse_timestamp(text) IS 'a date and time of RFC 3339 or seconds since 1970; NULL for anything else';

CREATE FUNCTION steward.report_use(uses jsonb, org uuid DEFAULT steward.default_org(), OUT recorded bigint)
    AS 'MODULE_PATHNAME', 'steward_report_use' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.report_use(jsonb, uuid) IS 'records use that was seen elsewhere, all of it or nothing';

CREATE FUNCTION steward.tg_use_protect() RETURNS trigger
    AS 'MODULE_PATHNAME', 'steward_tg_use_protect' LANGUAGE C;
COMMENT ON FUNCTION steward.tg_use_protect() IS 'refuses changes of recorded use';
