-- The audit log is the auditor's.

GRANT SELECT ON steward.audit TO steward_auditor;
