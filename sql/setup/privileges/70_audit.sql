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
