-- The audit log is the auditor's.

GRANT SELECT ON steward.audit, steward.audit_log_state, steward.audit_log_keys, steward.audit_checkpoints TO steward_auditor;
GRANT EXECUTE ON FUNCTION
    steward.merkle_leaf_hash(bytea), steward.merkle_node_hash(bytea, bytea), steward.merkle_root(bytea[]),
    steward.verify_inclusion(numeric, numeric, bytea, bytea[], bytea), steward.verify_consistency(numeric, numeric, bytea[], bytea, bytea),
    steward.verify_checkpoint(text, text)
    TO steward_app, steward_connector, steward_analyst;
GRANT EXECUTE ON FUNCTION
    steward.seal_audit(), steward.checkpoint(uuid), steward.checkpoint_delivered(text, text, uuid), steward.log_key(text, bytea),
    steward.inclusion_proof(text, numeric, uuid), steward.consistency_proof(numeric, numeric, uuid), steward.tree_root(numeric, uuid),
    steward.export_evidence(text, uuid), steward.verify_audit(boolean, text, numeric, uuid)
    TO steward_auditor;
GRANT EXECUTE ON FUNCTION steward.rotate_log_key(uuid) TO steward_admin;
GRANT SELECT ON steward.audit_ocsf TO steward_auditor;
GRANT EXECUTE ON FUNCTION
    steward.audit_feed(text, integer, uuid), steward.verify_state(uuid), steward.activity(text, timestamptz, uuid), steward.activity(uuid, timestamptz, uuid),
    steward.audit_target(text, jsonb), steward.csv_cell(text), steward.audited_org(uuid), steward.rows_as_of(text, timestamptz, uuid), steward.changes_of(text, jsonb, uuid),
    steward.row_as_of(text, jsonb, timestamptz, uuid), steward.access_as_of(timestamptz, uuid), steward.audit_csv(timestamptz, timestamptz, uuid)
    TO steward_auditor;
GRANT EXECUTE ON FUNCTION
    steward.record_event(text, integer, jsonb, jsonb, jsonb, jsonb, text, timestamptz, uuid), steward.record_events(jsonb, uuid),
    steward.audit_table(regclass, text[], text[], text, text, uuid), steward.unaudit_table(regclass, uuid)
    TO steward_app;
GRANT EXECUTE ON FUNCTION steward.register_action(text, text[], jsonb, integer, uuid) TO steward_admin;
-- Adding a partition to an audited table copies its triggers, which takes the right to use their functions.
GRANT EXECUTE ON FUNCTION steward.tg_audit(), steward.tg_audit_statement(), steward.tg_audit_truncate() TO steward_app;
