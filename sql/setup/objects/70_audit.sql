-- The audit log.

CREATE OR REPLACE VIEW steward.audit AS
SELECT a.org_id, a.recorded_at, a.occurred_at, a.action, a.table_name, a.row_key, a.old_values, a.new_values,
       a.actor_principal, a.session_role, a.acting_role, a.application_name, a.client_address, a.context,
       a.targets, a.metadata, a.incarnation, a.xact, a.n
FROM steward.audit_event a;
COMMENT ON VIEW steward.audit IS 'the audit log of the organizations in which the caller is an auditor';
