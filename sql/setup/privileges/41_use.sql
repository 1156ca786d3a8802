-- Use is recorded by checks; what was seen elsewhere is brought by applications and connectors.

GRANT EXECUTE ON FUNCTION steward.report_use(jsonb, uuid) TO steward_app, steward_connector;
GRANT EXECUTE ON FUNCTION steward.parse_timestamp(text) TO steward_app, steward_connector, steward_analyst;
