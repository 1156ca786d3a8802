-- The inventory's questions, each a view: what nobody owns, what expires, what is not used, what it may do too much.

CREATE OR REPLACE VIEW steward.orphaned_credentials AS
SELECT c.org_id, c.id AS credential_id, c.display AS credential, c.name, c.kind, s.name AS system,
       CASE WHEN c.state = 'discovered' THEN 'nobody claimed it' WHEN o.state = 'offboarded' THEN 'its owner left'
           WHEN o.ends_at <= now() THEN 'its owner''s time is over' ELSE 'its holder left' END AS why,
       coalesce(o.user_name, o.name) AS last_owner, c.state, c.first_seen_at, c.created_at
FROM steward.credential c
JOIN steward.system s ON s.org_id = c.org_id AND s.id = c.system_id
LEFT JOIN steward.principal o ON o.org_id = c.org_id AND o.id = c.owner_id
LEFT JOIN steward.principal h ON h.org_id = c.org_id AND h.id = c.holder_id
WHERE c.state <> 'revoked'
    AND (c.state = 'discovered' OR (c.org_id, c.owner_id) IN (SELECT p.org_id, p.id FROM steward.principal p WHERE p.state = 'offboarded' OR p.ends_at <= now())
        OR (c.org_id, c.holder_id) IN (SELECT p.org_id, p.id FROM steward.principal p WHERE p.state = 'offboarded' OR p.ends_at <= now()));
COMMENT ON VIEW steward.orphaned_credentials IS 'credentials for which no living person answers: discovered, or left behind';

CREATE OR REPLACE VIEW steward.expiring_credentials AS
SELECT c.org_id, c.id AS credential_id, c.display AS credential, c.name, c.kind, c.expires_at, c.rotate_by,
       least(c.expires_at, c.rotate_by) AS due, c.expires_at IS NULL AS never_expires,
       h.name AS holder, coalesce(o.user_name, o.name) AS owner, s.name AS system, c.state
FROM steward.credential c
JOIN steward.system s ON s.org_id = c.org_id AND s.id = c.system_id
LEFT JOIN steward.principal h ON h.org_id = c.org_id AND h.id = c.holder_id
LEFT JOIN steward.principal o ON o.org_id = c.org_id AND o.id = c.owner_id
WHERE c.state <> 'revoked' AND c.kind <> 'account';
COMMENT ON VIEW steward.expiring_credentials IS 'live credentials by when they end; never_expires tells those without an end. Ask with expires_at < ..., or never_expires';

CREATE OR REPLACE VIEW steward.stale_credentials AS
SELECT a.org_id, a.credential_id, c.display AS credential, c.name, c.kind, a.idle_since, p.idle_limit,
       h.name AS holder, coalesce(o.user_name, o.name) AS owner, s.name AS system,
       coalesce(g.use_complete_since < now() - p.idle_limit, false) AS use_is_complete, c.state
FROM steward.credential_policy p
JOIN steward.credential_activity a ON a.org_id = p.org_id AND a.kind = p.kind AND a.idle_since < (now() - p.idle_limit)::date
JOIN steward.credential c ON c.org_id = a.org_id AND c.id = a.credential_id AND c.state <> 'revoked'
JOIN steward.system s ON s.org_id = c.org_id AND s.id = c.system_id
JOIN steward.org_policy g ON g.org_id = p.org_id
LEFT JOIN steward.principal h ON h.org_id = c.org_id AND h.id = c.holder_id
LEFT JOIN steward.principal o ON o.org_id = c.org_id AND o.id = c.owner_id;
COMMENT ON VIEW steward.stale_credentials IS 'live credentials without recorded use for longer than policy''s idle limit, as of the last maintain(); only a flag unless use_is_complete';

CREATE OR REPLACE VIEW steward.unused_scopes AS
SELECT c.org_id, c.id AS credential_id, c.display AS credential, c.name, h.name AS holder, coalesce(o.user_name, o.name) AS owner,
       c.scopes AS granted, u.used, c.scopes OPERATOR(steward.-) u.used AS unused, u.since,
       format('UPDATE steward.credential SET scopes = %L WHERE org_id = %L AND id = %L;', c.scopes OPERATOR(steward.*) u.used, c.org_id, c.id) AS narrowing_statement
FROM steward.credential c
JOIN LATERAL (
    SELECT steward.scope_union(d.scopes) AS used, min(d.window_start) AS since
    FROM steward.credential_use d
    WHERE d.org_id = c.org_id AND d.credential_id = c.id
) u ON u.used IS NOT NULL
LEFT JOIN steward.principal h ON h.org_id = c.org_id AND h.id = c.holder_id
LEFT JOIN steward.principal o ON o.org_id = c.org_id AND o.id = c.owner_id
WHERE c.state IN ('active', 'suspended') AND steward.cardinality(u.used) > 0 AND NOT c.scopes OPERATOR(steward.<@) u.used;
COMMENT ON VIEW steward.unused_scopes IS 'scopes that a credential has and that no recorded use asked for, with the statement that narrows it to what was used';

CREATE OR REPLACE VIEW steward.scope_drift AS
SELECT c.org_id, c.id AS credential_id, c.display AS credential, c.name, c.kind, s.name AS system, h.name AS holder,
       coalesce(o.user_name, o.name) AS owner, c.scopes AS intended, c.observed_scopes AS observed,
       steward.uncovered(c.observed_scopes, c.scopes) AS too_much, steward.uncovered(c.scopes, c.observed_scopes) AS missing,
       c.external_permissions
FROM steward.credential c
JOIN steward.system s ON s.org_id = c.org_id AND s.id = c.system_id
LEFT JOIN steward.principal h ON h.org_id = c.org_id AND h.id = c.holder_id
LEFT JOIN steward.principal o ON o.org_id = c.org_id AND o.id = c.owner_id
WHERE c.state IN ('active', 'suspended') AND c.observed_scopes IS NOT NULL AND NOT c.observed_scopes OPERATOR(steward.<@) c.scopes;
COMMENT ON VIEW steward.scope_drift IS 'credentials that can do more where they live than was intended: observed minus intended';

CREATE OR REPLACE VIEW steward.shared_credentials AS
SELECT c.org_id, c.id AS credential_id, c.display AS credential, c.name, h.name AS holder, coalesce(o.user_name, o.name) AS owner,
       u.consumers, u.addresses, u.since
FROM (
    SELECT d.org_id, d.credential_id, array_agg(DISTINCT d.consumer) FILTER (WHERE d.consumer IS NOT NULL) AS consumers,
           array_agg(DISTINCT d.client_address) FILTER (WHERE d.client_address IS NOT NULL) AS addresses, min(d.window_start) AS since
    FROM steward.credential_use d
    WHERE d.window_start > now() - '90 days'::interval
    GROUP BY d.org_id, d.credential_id
    HAVING count(DISTINCT d.consumer) > 1 OR count(DISTINCT d.client_address) > 1
) u
JOIN steward.credential c ON c.org_id = u.org_id AND c.id = u.credential_id AND c.state <> 'revoked'
LEFT JOIN steward.principal h ON h.org_id = c.org_id AND h.id = c.holder_id
LEFT JOIN steward.principal o ON o.org_id = c.org_id AND o.id = c.owner_id;
COMMENT ON VIEW steward.shared_credentials IS 'one secret that several consumers or addresses used in the last 90 days';

CREATE OR REPLACE VIEW steward.privileged_access AS
SELECT g.org_id, p.id AS principal_id, coalesce(p.user_name, p.name) AS principal, p.kind, e.title, e.scopes AS entitlement,
       e.data_classification, coalesce(g.scopes, r.scopes) AS granted, r.name AS role, g.source, g.justification,
       coalesce(a.user_name, a.name) AS approved_by, g.ticket, g.ends_at, g.id AS grant_id
FROM steward.entitlement e
JOIN steward.scope_grant g ON g.org_id = e.org_id AND g.starts_at <= now() AND g.ends_at > now()
LEFT JOIN steward.role r ON r.org_id = g.org_id AND r.id = g.role_id
JOIN steward.principal p ON p.org_id = g.org_id AND p.id = g.principal_id AND p.state <> 'offboarded'
LEFT JOIN steward.principal a ON a.org_id = g.org_id AND a.id = g.approved_by
WHERE e.privileged AND e.scopes OPERATOR(steward.&&) coalesce(g.scopes, r.scopes);
COMMENT ON VIEW steward.privileged_access IS 'who was granted what the entitlement catalogue calls privileged, why, by whom and until when';

CREATE OR REPLACE VIEW steward.owner_tasks AS
SELECT t.org_id, coalesce(o.user_name, o.name) AS owner, t.task, t.object, t.due, t.statement, t.owner_id, t.object_id
FROM (
    SELECT c.org_id, c.owner_id, 'rotate' AS task, c.display AS object, c.rotate_by AS due,
           format('SELECT * FROM steward.rotate(%L::uuid);', c.id) AS statement, c.id AS object_id
    FROM steward.credential c WHERE c.state IN ('active', 'suspended') AND c.rotate_by IS NOT NULL
    UNION ALL
    SELECT c.org_id, c.owner_id, 'renew or let go', c.display, c.expires_at, format('SELECT * FROM steward.rotate(%L::uuid);', c.id), c.id
    FROM steward.credential c WHERE c.state = 'active' AND c.expires_at BETWEEN now() AND now() + '30 days'::interval AND c.rotate_by IS NULL
    UNION ALL
    SELECT c.org_id, c.owner_id, 'rotate, for its age', c.display, c.issued_at + p.rotate_every, format('SELECT * FROM steward.rotate(%L::uuid);', c.id), c.id
    FROM steward.credential c JOIN steward.credential_policy p ON p.org_id = c.org_id AND p.kind = c.kind
    WHERE c.state = 'active' AND c.issued_at + p.rotate_every < now() + '30 days'::interval AND c.rotate_by IS NULL
    UNION ALL
    SELECT d.org_id, d.suggested_owner_id, 'claim', d.external_id, NULL,
           format('SELECT * FROM steward.claim_credential(%L::uuid, holder => %L, scopes => %L);', d.credential_id, coalesce(d.suggested_holder, d.suggested_owner), d.suggested_scopes), d.credential_id
    FROM steward.discovered_credentials d
    UNION ALL
    SELECT f.org_id, c.owner_id, 'look into: ' || f.kind, c.display, f.found_at + '24:00:00'::interval,
           format('SELECT * FROM steward.investigate(%L::uuid);', c.id), c.id
    FROM steward.credential_finding f JOIN steward.credential c ON c.org_id = f.org_id AND c.id = f.credential_id WHERE f.resolved_at IS NULL
    UNION ALL
    SELECT k.org_id, s.owner_id, 'revoke in ' || s.name, c.display, k.deadline, coalesce(s.runbook, 'kill it there and confirm the task'), c.id
    FROM steward.revocation_task k JOIN steward.system s ON s.org_id = k.org_id AND s.id = k.system_id AND s.revocation_path = 'manual'
    JOIN steward.credential c ON c.org_id = k.org_id AND c.id = k.credential_id WHERE k.state <> 'confirmed'
) t
LEFT JOIN steward.principal o ON o.org_id = t.org_id AND o.id = t.owner_id;
COMMENT ON VIEW steward.owner_tasks IS 'what each owner has to do, until when, and with which statement; without owner: nobody could be suggested';

CREATE OR REPLACE VIEW steward.principals AS
SELECT p.org_id, p.id AS principal_id, coalesce(p.user_name, p.name) AS principal, p.name, p.kind, p.state, coalesce(o.user_name, o.name) AS owner,
       coalesce(s.user_name, s.name) AS second_owner, p.environment, p.purpose, p.justification, p.ticket, a.model, a.provider, a.framework,
       a.version, a.autonomy, a.acts_for, a.human_approval, p.created_at, p.owner_id
FROM steward.principal p
LEFT JOIN steward.principal o ON o.org_id = p.org_id AND o.id = p.owner_id
LEFT JOIN steward.principal s ON s.org_id = p.org_id AND s.id = p.second_owner_id
LEFT JOIN steward.agent a ON a.org_id = p.org_id AND a.principal_id = p.id;
COMMENT ON VIEW steward.principals IS 'people, services, agents and workloads, and who answers for them';

CREATE OR REPLACE VIEW steward.credential_uses AS
SELECT u.org_id, u.credential_id, c.display AS credential, u.scopes, u.window_start, u.uses, u.consumer, u.client_address, u.source
FROM steward.credential_use u JOIN steward.credential c ON c.org_id = u.org_id AND c.id = u.credential_id;
COMMENT ON VIEW steward.credential_uses IS 'recorded use, a lower bound';

CREATE OR REPLACE VIEW steward.credential_findings AS
SELECT f.org_id, f.id AS finding_id, f.kind, f.severity, f.credential_id, c.display AS credential, coalesce(o.user_name, o.name) AS owner,
       f.source, f.detail, f.found_at, f.found_by, f.resolved_at, f.resolved_by
FROM steward.credential_finding f
LEFT JOIN steward.credential c ON c.org_id = f.org_id AND c.id = f.credential_id
LEFT JOIN steward.principal o ON o.org_id = c.org_id AND o.id = c.owner_id;
COMMENT ON VIEW steward.credential_findings IS 'leaks that were reported and credentials that came back after their revocation';

CREATE OR REPLACE VIEW steward.delegation_links AS
SELECT d.org_id, coalesce(a.user_name, a.name) || ' may act for ' || coalesce(p.user_name, p.name) AS how, d.kind, d.scopes, d.starts_at, d.ends_at,
       d.ended_at, d.ended_reason, d.actor_id, d.principal_id
FROM steward.delegation d
JOIN steward.principal a ON a.org_id = d.org_id AND a.id = d.actor_id
JOIN steward.principal p ON p.org_id = d.org_id AND p.id = d.principal_id;
COMMENT ON VIEW steward.delegation_links IS 'who may act in whose name, ended ones too';
