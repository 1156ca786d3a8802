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

-- Resynchronization, the brake, policies.
CREATE FUNCTION steward.begin_sync(directory text, restart boolean DEFAULT false, org uuid DEFAULT steward.default_org(), OUT sync_id uuid)
    AS 'MODULE_PATHNAME', 'steward_begin_sync' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.begin_sync(text, boolean, uuid) IS 'begins a full resynchronization of a directory: whoever is not seen until end_sync() has left';
CREATE FUNCTION steward.begin_sync(directory uuid, restart boolean DEFAULT false, org uuid DEFAULT steward.default_org(), OUT sync_id uuid)
    AS 'MODULE_PATHNAME', 'steward_begin_sync' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.begin_sync(uuid, boolean, uuid) IS 'begins a full resynchronization of a directory: whoever is not seen until end_sync() has left';
CREATE FUNCTION steward.end_sync(directory text, org uuid DEFAULT steward.default_org(), OUT seen bigint, OUT left_users bigint, OUT left_groups bigint)
    AS 'MODULE_PATHNAME', 'steward_end_sync' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.end_sync(text, uuid) IS 'ends a full resynchronization: users that were not seen have left, groups are gone';
CREATE FUNCTION steward.end_sync(directory uuid, org uuid DEFAULT steward.default_org(), OUT seen bigint, OUT left_users bigint, OUT left_groups bigint)
    AS 'MODULE_PATHNAME', 'steward_end_sync' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.end_sync(uuid, uuid) IS 'ends a full resynchronization: users that were not seen have left, groups are gone';
CREATE FUNCTION steward.confirm_brake(directory text, leavers bigint, reason text, org uuid DEFAULT steward.default_org(), OUT confirmation_id uuid)
    AS 'MODULE_PATHNAME', 'steward_confirm_brake' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.confirm_brake(text, bigint, text, uuid) IS 'lets so many people of a directory leave in this transaction';
CREATE FUNCTION steward.confirm_brake(directory uuid, leavers bigint, reason text, org uuid DEFAULT steward.default_org(), OUT confirmation_id uuid)
    AS 'MODULE_PATHNAME', 'steward_confirm_brake' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.confirm_brake(uuid, bigint, text, uuid) IS 'lets so many people of a directory leave in this transaction';
CREATE FUNCTION steward.set_default_owner(owner text, department text DEFAULT NULL, org uuid DEFAULT steward.default_org(), OUT owner_id uuid)
    AS 'MODULE_PATHNAME', 'steward_set_default_owner' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.set_default_owner(text, text, uuid) IS 'names who takes over from leavers, of a department or of the organization';
CREATE FUNCTION steward.set_default_owner(owner uuid, department text DEFAULT NULL, org uuid DEFAULT steward.default_org(), OUT owner_id uuid)
    AS 'MODULE_PATHNAME', 'steward_set_default_owner' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.set_default_owner(uuid, text, uuid) IS 'names who takes over from leavers, of a department or of the organization';
CREATE FUNCTION steward.set_lifecycle_policy(policy jsonb, directory text DEFAULT NULL, org uuid DEFAULT steward.default_org(), OUT changed boolean)
    AS 'MODULE_PATHNAME', 'steward_set_lifecycle_policy' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.set_lifecycle_policy(jsonb, text, uuid) IS 'sets rules by which people come and go, of the organization or of one directory';
CREATE FUNCTION steward.apply_directory_event(event jsonb, org uuid DEFAULT steward.default_org(), OUT outcome text)
    AS 'MODULE_PATHNAME', 'steward_apply_directory_event' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.apply_directory_event(jsonb, uuid) IS 'applies one dsync event of a directory provider, once: applied, duplicate or stale';
CREATE FUNCTION steward.preview_leaver(person text, org uuid DEFAULT steward.default_org(),
    OUT table_name text, OUT action text, OUT row_key jsonb, OUT old_values jsonb, OUT new_values jsonb) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'steward_preview_leaver' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.preview_leaver(text, uuid) IS 'every row that somebodys leaving would change; changes nothing';
CREATE FUNCTION steward.preview_mover(person text, attributes jsonb, org uuid DEFAULT steward.default_org(),
    OUT table_name text, OUT action text, OUT row_key jsonb, OUT old_values jsonb, OUT new_values jsonb) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'steward_preview_mover' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.preview_mover(text, jsonb, uuid) IS 'every row that other attributes or groups of somebody would change; changes nothing';
CREATE FUNCTION steward.preview_sync(directory text, resources jsonb, complete boolean DEFAULT true, org uuid DEFAULT steward.default_org(),
    OUT table_name text, OUT action text, OUT row_key jsonb, OUT old_values jsonb, OUT new_values jsonb) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'steward_preview_sync' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.preview_sync(text, jsonb, boolean, uuid) IS 'every row that an import of these resources would change; changes nothing';
CREATE FUNCTION steward.preview_leaver(person uuid, org uuid DEFAULT steward.default_org(),
    OUT table_name text, OUT action text, OUT row_key jsonb, OUT old_values jsonb, OUT new_values jsonb) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'steward_preview_leaver' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.preview_leaver(uuid, uuid) IS 'every row that somebodys leaving would change; changes nothing';
CREATE FUNCTION steward.preview_mover(person uuid, attributes jsonb, org uuid DEFAULT steward.default_org(),
    OUT table_name text, OUT action text, OUT row_key jsonb, OUT old_values jsonb, OUT new_values jsonb) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'steward_preview_mover' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.preview_mover(uuid, jsonb, uuid) IS 'every row that other attributes or groups of somebody would change; changes nothing';
CREATE FUNCTION steward.preview_sync(directory uuid, resources jsonb, complete boolean DEFAULT true, org uuid DEFAULT steward.default_org(),
    OUT table_name text, OUT action text, OUT row_key jsonb, OUT old_values jsonb, OUT new_values jsonb) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'steward_preview_sync' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.preview_sync(uuid, jsonb, boolean, uuid) IS 'every row that an import of these resources would change; changes nothing';
CREATE FUNCTION steward.lifecycle_selftest(org uuid DEFAULT steward.default_org(), OUT path text, OUT event text, OUT check_name text,
    OUT result text, OUT ms double precision) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'steward_lifecycle_selftest' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.lifecycle_selftest(uuid) IS 'tries every lifecycle event by every path on made-up people, takes it back, and records that it did';
CREATE FUNCTION steward.set_birthright(name text, attribute text, scopes steward.scope_set DEFAULT NULL, operator text DEFAULT 'equals',
    value text DEFAULT NULL, role text DEFAULT NULL, directory text DEFAULT NULL, lifetime interval DEFAULT NULL, enabled boolean DEFAULT true,
    org uuid DEFAULT steward.default_org(), OUT rule_id uuid)
    AS 'MODULE_PATHNAME', 'steward_set_birthright' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.set_birthright(text, text, steward.scope_set, text, text, text, text, interval, boolean, uuid) IS 'makes or changes the rule of that name: who gets which scopes or role for who they are';
