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
       gained.access AS access_gained,
       lost.access AS access_lost,
       coalesce(d.ended, 0) AS delegations_ended,
       coalesce(f.findings, 0) AS findings,
       e.attributes_old,
       e.attributes_new,
       e.effects,
       e.event_time,
       CASE WHEN current_setting('track_commit_timestamp') = 'on' THEN pg_xact_commit_timestamp(e.xmin) END AS committed_at,
       e.effective_at - e.event_time AS source_delay,
       CASE WHEN coalesce(t.pending, 0) = 0 THEN coalesce(t.confirmed, e.effective_at) - coalesce(e.event_time, e.effective_at) END AS total_delay,
       coalesce(t.overdue, 0) = 0 AS within_sla,
       e.source_event_id,
       e.principal_id,
       e.directory_id
FROM steward.lifecycle_event e
LEFT JOIN LATERAL (
    SELECT sum(r.credentials)::bigint AS credentials
    FROM steward.revocation r
    WHERE r.org_id = e.org_id AND r.lifecycle_event_id = e.id
) rv ON true
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE k.state <> 'confirmed') AS pending, min(k.deadline) FILTER (WHERE k.state <> 'confirmed') AS due,
           max(k.confirmed_at) AS confirmed, count(*) FILTER (WHERE coalesce(k.confirmed_at, clock_timestamp()) > k.deadline) AS overdue
    FROM steward.revocation r
    JOIN steward.revocation_task k ON k.org_id = r.org_id AND k.revocation_id = r.id
    WHERE r.org_id = e.org_id AND r.lifecycle_event_id = e.id
) t ON true
LEFT JOIN LATERAL (
    SELECT array_agg(coalesce(g.scopes::text, 'role ' || o.name) ORDER BY coalesce(g.scopes::text, 'role ' || o.name)) AS access
    FROM steward.scope_grant g LEFT JOIN steward.role o ON o.org_id = g.org_id AND o.id = g.role_id
    WHERE g.org_id = e.org_id AND g.given_by_event = e.id
) gained ON true
LEFT JOIN LATERAL (
    SELECT array_agg(coalesce(g.scopes::text, 'role ' || o.name) ORDER BY coalesce(g.scopes::text, 'role ' || o.name)) AS access
    FROM steward.scope_grant g LEFT JOIN steward.role o ON o.org_id = g.org_id AND o.id = g.role_id
    WHERE g.org_id = e.org_id AND g.ended_by_event = e.id
) lost ON true
LEFT JOIN LATERAL (SELECT count(*) AS ended FROM steward.delegation x WHERE x.org_id = e.org_id AND x.ended_by_event = e.id) d ON true
LEFT JOIN LATERAL (SELECT count(*) AS findings FROM steward.lifecycle_finding x WHERE x.org_id = e.org_id AND x.lifecycle_event_id = e.id) f ON true
ORDER BY e.id;
COMMENT ON VIEW steward.lifecycle_timeline IS 'what happened to people, when, what it did, and what other systems still have to do';

CREATE OR REPLACE VIEW steward.lifecycle_completeness AS
SELECT d.org_id,
       d.id AS directory_id,
       d.name AS directory,
       count(u.id) AS population,
       count(u.id) FILTER (WHERE u.active AND d.state = 'linked' AND (u.end_date IS NULL OR u.end_date > clock_timestamp())) AS there,
       count(p.id) FILTER (WHERE p.state <> 'offboarded') AS living,
       count(u.id) FILTER (WHERE u.active AND d.state = 'linked' AND (u.end_date IS NULL OR u.end_date > clock_timestamp())
           AND (p.id IS NULL OR p.state = 'offboarded')) AS unmatched_there,
       count(p.id) FILTER (WHERE p.state = 'active' AND NOT (u.active AND d.state = 'linked')
           AND NOT EXISTS (SELECT FROM steward.principal_identity o JOIN steward.directory_user x ON x.org_id = o.org_id
               AND x.directory_id = o.directory_id AND x.external_id = o.external_id AND x.active
               WHERE o.org_id = p.org_id AND o.principal_id = p.id)) AS unmatched_gone,
       (SELECT count(*) FROM steward.lifecycle_event e WHERE e.org_id = d.org_id AND e.directory_id = d.id) AS events,
       (SELECT count(*) FROM steward.directory_event v WHERE v.org_id = d.org_id AND v.directory_id = d.id AND v.outcome = 'stale') AS stale_events
FROM steward.directory d
LEFT JOIN steward.directory_user u ON u.org_id = d.org_id AND u.directory_id = d.id
LEFT JOIN steward.principal_identity i ON i.org_id = u.org_id AND i.directory_id = u.directory_id AND i.external_id = u.external_id
LEFT JOIN steward.principal p ON p.org_id = i.org_id AND p.id = i.principal_id
GROUP BY d.org_id, d.id, d.name, d.state;
COMMENT ON VIEW steward.lifecycle_completeness IS 'per directory: how many people it has, how many of them steward has, and who does not match: both unmatched columns are zero';

CREATE OR REPLACE VIEW steward.lifecycle_queue AS
SELECT e.org_id, e.xact, e.id AS event_id, e.kind, e.person, e.cause, e.principal_id, e.attributes_old, e.attributes_new, e.effects, e.event_time, e.effective_at
FROM steward.lifecycle_event e
WHERE e.xact < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY e.xact, e.id;
COMMENT ON VIEW steward.lifecycle_queue IS 'lifecycle events for those who poll: go on after the last (xact, event_id) and none is missed; nothing still running can turn up behind';

CREATE OR REPLACE VIEW steward.lifecycle_feed AS
SELECT e.org_id,
       e.xact,
       e.id AS event_id,
       CASE WHEN e.kind = 'joiner' THEN 'dsync.user.created' WHEN e.cause = 'deleted' AND e.kind = 'leaver' THEN 'dsync.user.deleted'
            ELSE 'dsync.user.updated' END AS event,
       jsonb_build_object('id', e.id, 'event', CASE WHEN e.kind = 'joiner' THEN 'dsync.user.created'
           WHEN e.cause = 'deleted' AND e.kind = 'leaver' THEN 'dsync.user.deleted' ELSE 'dsync.user.updated' END,
           'created_at', to_char(e.effective_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
           'data', e.attributes_new || jsonb_build_object('id', e.principal_id, 'directory_id', e.directory_id, 'username', e.person,
               'state', CASE WHEN e.kind IN ('leaver', 'suspend') THEN 'inactive' ELSE 'active' END, 'previous_attributes', e.attributes_old)) AS payload
FROM steward.lifecycle_event e
WHERE e.xact < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY e.xact, e.id;
COMMENT ON VIEW steward.lifecycle_feed IS 'the same events in the shape of dsync events';

CREATE OR REPLACE VIEW steward.lifecycle_policy AS
SELECT o.org_id, d.name AS directory,
       coalesce(p.rotation_window, o.rotation_window) AS rotation_window, coalesce(p.leaver_action, o.leaver_action) AS leaver_action,
       coalesce(p.leaver_grace, o.leaver_grace) AS leaver_grace, coalesce(p.leaver_rule, o.leaver_rule) AS leaver_rule,
       coalesce(p.mover_action, o.mover_action) AS mover_action, coalesce(p.rehire_action, o.rehire_action) AS rehire_action,
       coalesce(p.inactive_action, o.inactive_action) AS inactive_action, coalesce(p.inactive_grace, o.inactive_grace) AS inactive_grace,
       coalesce(p.unlink_grace, o.unlink_grace) AS unlink_grace, coalesce(p.succession, o.succession) AS succession,
       w.user_name AS default_owner, coalesce(p.brake_count, o.brake_count) AS brake_count, coalesce(p.brake_percent, o.brake_percent) AS brake_percent
FROM steward.org_policy o
JOIN (SELECT x.org_id, x.id, x.name FROM steward.directory x UNION ALL SELECT y.org_id, NULL, NULL FROM steward.org_policy y) d ON d.org_id = o.org_id
LEFT JOIN steward.directory_policy p ON p.org_id = d.org_id AND p.directory_id = d.id
LEFT JOIN steward.principal w ON w.org_id = o.org_id AND w.id = o.default_owner_id;
COMMENT ON VIEW steward.lifecycle_policy IS 'the rules by which people come and go: of the organization (directory NULL), and as they hold for each directory';

CREATE OR REPLACE VIEW steward.birthrights AS
SELECT r.org_id, r.name, d.name AS directory, r.attribute, r.operator, r.value, r.scopes, o.name AS role, r.lifetime, r.enabled,
       (SELECT count(*) FROM steward.scope_grant g WHERE g.org_id = r.org_id AND g.rule_id = r.id AND g.ends_at > clock_timestamp()) AS people
FROM steward.birthright_rule r
LEFT JOIN steward.directory d ON d.org_id = r.org_id AND d.id = r.directory_id
LEFT JOIN steward.role o ON o.org_id = r.org_id AND o.id = r.role_id;
COMMENT ON VIEW steward.birthrights IS 'which rule gives what, and how many people have it';

CREATE OR REPLACE VIEW steward.lifecycle_findings AS
SELECT f.org_id, f.id AS finding_id, f.rule, p.user_name AS person, c.display AS credential, f.detail, f.found_at, f.lifecycle_event_id
FROM steward.lifecycle_finding f
LEFT JOIN steward.principal p ON p.org_id = f.org_id AND p.id = f.principal_id
LEFT JOIN steward.credential c ON c.org_id = f.org_id AND c.id = f.credential_id;
COMMENT ON VIEW steward.lifecycle_findings IS 'what lifecycle events left for people to decide';

CREATE OR REPLACE VIEW steward.lifecycle_selftests AS
SELECT r.org_id, r.run_at, r.passed, r.failed, r.run_by FROM steward.lifecycle_selftest_run r;
COMMENT ON VIEW steward.lifecycle_selftests IS 'when lifecycle_selftest() ran, and what came of it';
