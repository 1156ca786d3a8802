-- What analysts read.  Views belong to steward_owner, so nobody needs a grant on a table; the tables' policies still ask
-- for the calling role's profiles.

CREATE OR REPLACE VIEW steward.credential_inventory AS
SELECT c.org_id,
       c.id AS credential_id,
       c.display AS credential,
       c.name,
       c.kind,
       h.name AS holder,
       h.kind AS holder_kind,
       coalesce(o.user_name, o.name) AS owner,
       c.scopes,
       s.name AS system,
       s.revocation_path,
       c.environment,
       c.expires_at,
       c.rotate_by,
       steward.credential_status(c) AS status,
       c.state,
       c.holder_id,
       c.owner_id,
       c.system_id,
       c.external_id,
       c.issued_at,
       c.revoked_at,
       c.revocation_id,
       r.reason AS revocation_reason,
       c.parent_id,
       c.parent_kind,
       c.justification,
       c.ticket,
       c.issued_by,
       c.created_at
FROM steward.credential c
JOIN steward.system s ON s.org_id = c.org_id AND s.id = c.system_id
LEFT JOIN steward.principal h ON h.org_id = c.org_id AND h.id = c.holder_id
LEFT JOIN steward.principal o ON o.org_id = c.org_id AND o.id = c.owner_id
LEFT JOIN steward.revocation r ON r.org_id = c.org_id AND r.id = c.revocation_id;
COMMENT ON VIEW steward.credential_inventory IS 'every credential: whose it is, what it opens, how it is taken away, and its effective status now';

CREATE OR REPLACE VIEW steward.lifecycle_timeline AS
SELECT e.org_id,
       e.id AS event_id,
       e.kind,
       e.person,
       e.cause,
       e.effective_at,
       coalesce(rv.credentials, 0) AS credentials_revoked,
       coalesce(t.pending, 0) AS pending_outside,
       t.due AS pending_due,
       coalesce((e.effects ->> 'principals_passed')::bigint, 0) + coalesce((e.effects ->> 'credentials_passed')::bigint, 0) AS passed_on,
       e.effects ->> 'successor' AS successor,
       coalesce((e.effects ->> 'principals_orphaned')::bigint, 0) + coalesce((e.effects ->> 'credentials_orphaned')::bigint, 0) AS orphaned,
       e.attributes_old,
       e.attributes_new,
       e.effects,
       e.event_time,
       e.effective_at - e.event_time AS source_delay,
       e.principal_id,
       e.directory_id
FROM steward.lifecycle_event e
LEFT JOIN LATERAL (
    SELECT sum(r.credentials)::bigint AS credentials
    FROM steward.revocation r
    WHERE r.org_id = e.org_id AND r.lifecycle_event_id = e.id
) rv ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS pending, min(k.deadline) AS due
    FROM steward.revocation r
    JOIN steward.revocation_task k ON k.org_id = r.org_id AND k.revocation_id = r.id AND k.state <> 'confirmed'
    WHERE r.org_id = e.org_id AND r.lifecycle_event_id = e.id
) t ON true
ORDER BY e.id;
COMMENT ON VIEW steward.lifecycle_timeline IS 'what happened to people, when, what it did, and what other systems still have to do';

CREATE OR REPLACE VIEW steward.audit AS
SELECT a.org_id, a.recorded_at, a.occurred_at, a.action, a.table_name, a.row_key, a.old_values, a.new_values,
       a.actor_principal, a.session_role, a.acting_role, a.application_name, a.client_address, a.context,
       a.targets, a.metadata, a.incarnation, a.xact, a.n
FROM steward.audit_event a;
COMMENT ON VIEW steward.audit IS 'the audit log of the organizations in which the caller is an auditor';

CREATE OR REPLACE VIEW steward.health AS
SELECT h.check_name, h.status, h.detail, h.remedy FROM steward.health_checks() h;
COMMENT ON VIEW steward.health IS 'whether the installation is as it has to be; critical ones come with the statement that mends them';
