-- Every credential a workflow can use, whose, for what, and how it is taken away.

CREATE OR REPLACE VIEW steward.workflow_credentials AS
WITH RECURSIVE reach AS (
    SELECT m.org_id, m.workflow_id, m.principal_id, m.credential_id, CASE WHEN m.credential_id IS NULL THEN 'agent' ELSE 'named' END AS how, 0 AS depth
    FROM steward.workflow_member m
    UNION
    -- What an agent holds; in whose name it may act; what derives from a credential, as an account's keys.
    SELECT r.org_id, r.workflow_id, x.principal_id, x.credential_id, x.how, r.depth + 1
    FROM reach r
    CROSS JOIN LATERAL (
        SELECT NULL::uuid AS principal_id, c.id AS credential_id, CASE WHEN r.how = 'delegation' THEN 'delegation' ELSE 'held' END AS how
        FROM steward.credential c WHERE c.org_id = r.org_id AND c.holder_id = r.principal_id AND c.state <> 'revoked'
            AND (r.how <> 'delegation' OR EXISTS (SELECT FROM steward.delegation d JOIN steward.workflow_member m ON m.org_id = d.org_id AND m.principal_id = d.actor_id
                WHERE d.org_id = r.org_id AND m.workflow_id = r.workflow_id AND d.principal_id = r.principal_id AND d.ended_at IS NULL AND d.ends_at > now()
                    AND (d.system_id IS NULL OR d.system_id = c.system_id) AND d.scopes OPERATOR(steward.&&) c.scopes))
        UNION ALL
        SELECT d.principal_id, NULL, 'delegation'
        FROM steward.delegation d WHERE d.org_id = r.org_id AND d.actor_id = r.principal_id AND r.how <> 'delegation' AND d.ended_at IS NULL AND d.ends_at > now()
        UNION ALL
        SELECT NULL, c.id, c.parent_kind
        FROM steward.credential c WHERE c.org_id = r.org_id AND c.parent_id = r.credential_id AND c.state <> 'revoked'
    ) x
    WHERE r.depth < 8
), nearest AS (
    SELECT DISTINCT ON (r.org_id, r.workflow_id, r.credential_id) r.org_id, r.workflow_id, r.credential_id, r.how
    FROM reach r WHERE r.credential_id IS NOT NULL ORDER BY r.org_id, r.workflow_id, r.credential_id, r.depth
)
SELECT n.org_id, w.name AS workflow, coalesce(wo.user_name, wo.name) AS workflow_owner, c.display AS credential, c.kind, h.name AS holder,
       coalesce(o.user_name, o.name) AS owner, c.scopes, m.needs, m.why, n.how AS reached_by, s.name AS system,
       s.revocation_path AS taken_away, s.runbook, steward.credential_status(c) AS status, c.expires_at, c.id AS credential_id, n.workflow_id
FROM nearest n
JOIN steward.workflow w ON w.org_id = n.org_id AND w.id = n.workflow_id
JOIN steward.principal wo ON wo.org_id = w.org_id AND wo.id = w.owner_id
JOIN steward.credential c ON c.org_id = n.org_id AND c.id = n.credential_id AND c.state <> 'revoked'
JOIN steward.system s ON s.org_id = c.org_id AND s.id = c.system_id
LEFT JOIN steward.workflow_member m ON m.org_id = n.org_id AND m.workflow_id = n.workflow_id AND m.credential_id = n.credential_id
LEFT JOIN steward.principal h ON h.org_id = c.org_id AND h.id = c.holder_id
LEFT JOIN steward.principal o ON o.org_id = c.org_id AND o.id = c.owner_id;
COMMENT ON VIEW steward.workflow_credentials IS 'every credential that an AI workflow can use, whose, for what, how it is reached and how it is taken away';
