-- Keys at rest.

CREATE FUNCTION steward.create_key_file(OUT fingerprint text)
    AS 'MODULE_PATHNAME', 'steward_create_key_file' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.create_key_file() IS 'makes the file that steward.key_file names, with a new key; superuser only, never writes over one';

CREATE FUNCTION steward.reseal_keys(OUT what text, OUT resealed bigint) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'steward_reseal_keys' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.reseal_keys() IS 'seals everything under the first key of the key file; superuser only';
