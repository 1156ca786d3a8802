-- What was found and has nobody yet.

CREATE OR REPLACE VIEW steward.discovered_credentials AS
SELECT c.org_id,
       c.id AS credential_id,
       c.external_id,
       c.name,
       c.kind,
       s.name AS system,
       coalesce(o.user_name, o.name) AS suggested_owner,
       o.source AS suggested_by,
       h.name AS suggested_holder,
       coalesce(CASE WHEN c.hints ? 'scopes' THEN (c.hints ->> 'scopes')::steward.scope_set END, c.observed_scopes) AS suggested_scopes,
       c.external_permissions,
       c.tags,
       c.first_seen_at,
       c.last_seen_at,
       c.system_id,
       o.id AS suggested_owner_id,
       h.id AS suggested_holder_id
FROM steward.credential c
JOIN steward.system s ON s.org_id = c.org_id AND s.id = c.system_id
-- Of what names somebody the first that names a living person: the system's own owner, tags, the last editor, the name.
LEFT JOIN LATERAL (
    SELECT p.id, p.user_name, p.name, w.source
    FROM (
        SELECT 1 AS rank, 'hint' AS source, c.hints ->> 'owner' AS who
        UNION ALL
        SELECT CASE WHEN lower(t.key) LIKE '%edit%' OR lower(t.key) LIKE '%modified%' THEN 3 ELSE 2 END, 'tag ' || t.key, t.value
        FROM jsonb_each_text(c.tags) t
        WHERE lower(t.key) IN ('owner', 'owner_email', 'contact', 'created_by', 'createdby', 'creator', 'user', 'username', 'email',
            'last_editor', 'last_modified_by', 'modified_by', 'edited_by')
        UNION ALL
        SELECT 4, 'name', regexp_replace(c.name, ' (access key|certificate|console password).*$', '')
    ) w
    JOIN steward.principal p ON p.org_id = c.org_id AND p.kind = 'human' AND p.state = 'active'
        AND (lower(p.user_name) = lower(w.who) OR lower(p.email) = lower(w.who)
            OR p.id IN (SELECT i.principal_id FROM steward.principal_identity i WHERE i.org_id = c.org_id AND w.rank = 1 AND i.external_id = w.who))
    ORDER BY w.rank
    LIMIT 1
) o ON true
LEFT JOIN steward.principal h ON h.org_id = c.org_id AND h.kind <> 'human' AND h.state = 'active' AND h.name = c.hints ->> 'holder'
WHERE c.state = 'discovered';
COMMENT ON VIEW steward.discovered_credentials IS 'what was found and not claimed, with who could answer for it and what says so';
