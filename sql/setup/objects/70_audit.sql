-- The audit log.

CREATE OR REPLACE VIEW steward.audit AS
SELECT a.org_id, a.incarnation || '.' || a.xact::text || '.' || a.n AS event, a.recorded_at, a.occurred_at, a.action, a.version,
       a.table_name, a.row_key, a.old_values, a.new_values,
       a.actor_principal, a.actor_credential, a.actor_chain, a.session_role, a.acting_role, a.application_name, a.client_address,
       a.claimed_actor, a.targets, a.context, a.metadata, a.incarnation, a.xact, a.n, a.target
FROM steward.audit_event a;
COMMENT ON VIEW steward.audit IS 'the audit log of the organizations in which the caller is an auditor';

CREATE OR REPLACE VIEW steward.audit_log_state AS
SELECT l.org_id, l.incarnation, l.origin, l.size, l.root, l.sealed_at, l.previous_incarnation, l.previous_size, l.previous_root
FROM steward.audit_log l;
COMMENT ON VIEW steward.audit_log_state IS 'how far the audit logs are sealed';

CREATE OR REPLACE VIEW steward.audit_log_keys AS
SELECT l.org_id, l.incarnation, l.origin, steward.log_key(l.origin, k.public_key) AS public_key, k.created_at, k.retired_at
FROM steward.audit_log l
JOIN steward.audit_key k ON k.org_id = l.org_id;
COMMENT ON VIEW steward.audit_log_keys IS 'the keys that checkpoints are verified with: to be kept elsewhere, like the checkpoints';

CREATE OR REPLACE VIEW steward.audit_checkpoints AS
SELECT c.org_id, c.incarnation, c.size, c.root, c.note, c.signed_at, c.delivered_at, c.delivered_to
FROM steward.audit_checkpoint c;
COMMENT ON VIEW steward.audit_checkpoints IS 'the checkpoints that were signed, and where they are kept';
