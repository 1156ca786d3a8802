-- Directories: connectors write the tables, analysts read what came of it, administrators set the rules.

GRANT SELECT, INSERT, UPDATE, DELETE ON steward.directory_user, steward.directory_group, steward.directory_member TO steward_connector;
GRANT SELECT, INSERT, UPDATE ON steward.directory TO steward_connector;
GRANT EXECUTE ON FUNCTION steward.uuid7() TO steward_connector;
GRANT EXECUTE ON FUNCTION
    steward.import_directory(text, jsonb, boolean, uuid), steward.import_directory(uuid, jsonb, boolean, uuid),
    steward.apply_directory_event(jsonb, uuid),
    steward.begin_sync(text, boolean, uuid), steward.begin_sync(uuid, boolean, uuid),
    steward.end_sync(text, uuid), steward.end_sync(uuid, uuid),
    steward.confirm_brake(text, bigint, text, uuid), steward.confirm_brake(uuid, bigint, text, uuid)
    TO steward_connector;
GRANT EXECUTE ON FUNCTION
    steward.set_birthright(text, text, steward.scope_set, text, text, text, text, interval, boolean, uuid),
    steward.lifecycle_selftest(uuid),
    steward.set_lifecycle_policy(jsonb, text, uuid),
    steward.set_default_owner(text, text, uuid), steward.set_default_owner(uuid, text, uuid)
    TO steward_admin;
GRANT EXECUTE ON FUNCTION
    steward.preview_leaver(text, uuid), steward.preview_leaver(uuid, uuid),
    steward.preview_mover(text, jsonb, uuid), steward.preview_mover(uuid, jsonb, uuid),
    steward.preview_sync(text, jsonb, boolean, uuid), steward.preview_sync(uuid, jsonb, boolean, uuid)
    TO steward_connector, steward_security;
GRANT SELECT ON steward.lifecycle_policy, steward.birthrights, steward.lifecycle_findings, steward.lifecycle_selftests TO steward_analyst;
GRANT SELECT ON steward.lifecycle_timeline, steward.lifecycle_completeness, steward.lifecycle_queue, steward.lifecycle_feed TO steward_analyst;
