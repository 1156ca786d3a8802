-- The audit log.

CREATE OR REPLACE VIEW steward.audit AS
SELECT a.org_id, a.incarnation || '.' || a.xact::text || '.' || a.n AS event, a.recorded_at, a.occurred_at, a.action, a.version,
       a.table_name, a.row_key, a.old_values, a.new_values,
       a.actor_principal, a.actor_credential, a.actor_chain, a.session_role, a.acting_role, a.application_name, a.client_address,
       a.claimed_actor, a.targets, a.context, a.metadata, a.incarnation, a.xact, a.n, a.target
FROM steward.audit_event a;
COMMENT ON VIEW steward.audit IS 'the audit log of the organizations in which the caller is an auditor';
