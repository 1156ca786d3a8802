-- What directory events did.

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
