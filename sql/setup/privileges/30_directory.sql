-- Directories: connectors write the tables, analysts read what came of it.

GRANT SELECT, INSERT, UPDATE, DELETE ON steward.directory_user, steward.directory_group, steward.directory_member TO steward_connector;
GRANT SELECT, INSERT, UPDATE ON steward.directory TO steward_connector;
GRANT EXECUTE ON FUNCTION steward.uuid7() TO steward_connector;
GRANT EXECUTE ON FUNCTION
    steward.import_directory(text, jsonb, boolean, uuid), steward.import_directory(uuid, jsonb, boolean, uuid)
    TO steward_connector;
GRANT SELECT ON steward.lifecycle_timeline TO steward_analyst;
