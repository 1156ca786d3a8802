-- Functions of directories.
-- The first reference of each function exists as uuid and as text; a text reference is a uuid, a unique name, a user
-- name, an e-mail address or a key's display form.

CREATE FUNCTION steward.import_directory(directory text, resources jsonb, complete boolean DEFAULT false, org uuid DEFAULT steward.default_org(),
    OUT resource text, OUT found bigint, OUT added bigint, OUT changed bigint, OUT unchanged bigint, OUT removed bigint,
    OUT unmatched bigint) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'steward_import_directory' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.import_directory(text, jsonb, boolean, uuid) IS 'loads SCIM 2.0 users and groups into a directory; with complete, who is not in the list has left';
CREATE FUNCTION steward.import_directory(directory uuid, resources jsonb, complete boolean DEFAULT false, org uuid DEFAULT steward.default_org(),
    OUT resource text, OUT found bigint, OUT added bigint, OUT changed bigint, OUT unchanged bigint, OUT removed bigint,
    OUT unmatched bigint) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'steward_import_directory' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.import_directory(uuid, jsonb, boolean, uuid) IS 'loads SCIM 2.0 users and groups into a directory; with complete, who is not in the list has left';
