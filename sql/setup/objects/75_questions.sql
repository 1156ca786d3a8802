-- Questions with an argument.  The functions run as the caller and read views, so that row-level security answers for them.

CREATE OR REPLACE VIEW steward.access AS
SELECT g.org_id, coalesce(p.user_name, p.name) AS principal, p.kind, coalesce(o.user_name, o.name) AS owner, 'grant' AS how,
       coalesce('role ' || r.name, g.source) AS via, coalesce(g.scopes, r.scopes) AS held, p.id AS principal_id, NULL::uuid AS credential_id
FROM steward.scope_grant g
JOIN steward.principal p ON p.org_id = g.org_id AND p.id = g.principal_id AND p.state <> 'offboarded'
LEFT JOIN steward.principal o ON o.org_id = p.org_id AND o.id = p.owner_id
LEFT JOIN steward.role r ON r.org_id = g.org_id AND r.id = g.role_id
WHERE g.starts_at <= now() AND g.ends_at > now()
UNION ALL
SELECT c.org_id, coalesce(p.user_name, p.name, '(nobody)'), coalesce(p.kind, 'unknown'), coalesce(o.user_name, o.name),
       'credential', c.display, c.scopes, p.id, c.id
FROM steward.credential c
LEFT JOIN steward.principal p ON p.org_id = c.org_id AND p.id = c.holder_id
LEFT JOIN steward.principal o ON o.org_id = c.org_id AND o.id = c.owner_id
WHERE c.state <> 'revoked' AND c.scopes IS NOT NULL
UNION ALL
SELECT c.org_id, coalesce(p.user_name, p.name, '(nobody)'), coalesce(p.kind, 'unknown'), coalesce(o.user_name, o.name),
       'observed', c.display, c.observed_scopes, p.id, c.id
FROM steward.credential c
LEFT JOIN steward.principal p ON p.org_id = c.org_id AND p.id = c.holder_id
LEFT JOIN steward.principal o ON o.org_id = c.org_id AND o.id = c.owner_id
WHERE c.state <> 'revoked' AND c.observed_scopes IS NOT NULL
UNION ALL
SELECT d.org_id, a.name, a.kind, coalesce(o.user_name, o.name), 'delegation', 'for ' || coalesce(p.user_name, p.name), d.scopes, a.id, NULL
FROM steward.delegation d
JOIN steward.principal a ON a.org_id = d.org_id AND a.id = d.actor_id AND a.state <> 'offboarded'
JOIN steward.principal p ON p.org_id = d.org_id AND p.id = d.principal_id
LEFT JOIN steward.principal o ON o.org_id = a.org_id AND o.id = a.owner_id
WHERE d.ended_at IS NULL AND d.ends_at > now();
COMMENT ON VIEW steward.access IS 'every live way in which somebody holds scopes: grants, credentials as intended and as observed, delegations';

CREATE OR REPLACE VIEW steward.changes AS
SELECT a.org_id, a.recorded_at, a.occurred_at, a.action, a.table_name, a.row_key, a.old_values, a.new_values, a.acting_role
FROM steward.audit_event a;
COMMENT ON VIEW steward.changes IS 'the audit log for questions that everybody may ask: whoever is not an auditor sees nothing in it';

CREATE OR REPLACE VIEW steward.links AS
SELECT c.org_id, c.holder_id AS from_id, c.id AS to_id, 'credential' AS what, 'holds' AS how FROM steward.credential c WHERE c.holder_id IS NOT NULL AND c.state <> 'revoked'
UNION ALL
SELECT c.org_id, c.owner_id, c.id, 'credential', 'owns' FROM steward.credential c WHERE c.owner_id IS NOT NULL AND c.owner_id IS DISTINCT FROM c.holder_id AND c.state <> 'revoked'
UNION ALL
SELECT p.org_id, p.owner_id, p.id, 'principal', 'owns' FROM steward.principal p WHERE p.owner_id IS NOT NULL AND p.state <> 'offboarded'
UNION ALL
SELECT c.org_id, c.parent_id, c.id, 'credential', c.parent_kind FROM steward.credential c WHERE c.parent_id IS NOT NULL AND c.state <> 'revoked'
UNION ALL
SELECT d.org_id, d.actor_id, d.principal_id, 'principal', 'may act for' FROM steward.delegation d WHERE d.ended_at IS NULL AND d.ends_at > now()
UNION ALL
SELECT c.org_id, c.system_id, c.id, 'credential', 'accepts' FROM steward.credential c WHERE c.state <> 'revoked';
COMMENT ON VIEW steward.links IS 'what leads to what: holding, owning, deriving, acting for, accepting';

CREATE OR REPLACE FUNCTION steward.who_can(scopes steward.scope_set, org uuid DEFAULT steward.default_org())
RETURNS TABLE (principal text, kind text, owner text, how text, via text, covers boolean, held steward.scope_set, principal_id uuid, credential_id uuid)
LANGUAGE sql STABLE PARALLEL UNSAFE
BEGIN ATOMIC
    SELECT a.principal, a.kind, a.owner, a.how, a.via, a.held OPERATOR(steward.@>) $1, a.held, a.principal_id, a.credential_id
    FROM steward.access a
    WHERE a.org_id = (SELECT steward.readable_org($2)) AND a.held OPERATOR(steward.&&) $1
    ORDER BY a.principal, a.how, a.via;
END;
COMMENT ON FUNCTION steward.who_can(steward.scope_set, uuid) IS 'everybody who holds a live grant, credential or delegation that overlaps the scopes; covers tells who can do all of it';

CREATE OR REPLACE FUNCTION steward.blast_radius(object text, org uuid DEFAULT steward.default_org())
RETURNS TABLE (depth integer, what text, how text, name text, kind text, scopes steward.scope_set, system text, id uuid)
LANGUAGE sql STABLE PARALLEL UNSAFE
BEGIN ATOMIC
    -- An owner's own secrets are not an agent's to reach: ownership is followed downwards only, eight steps at most.
    WITH RECURSIVE reach AS (
        SELECT 0 AS depth, NULL::text AS what, NULL::text AS how, steward.object_id($1, $2) AS id, ARRAY[steward.object_id($1, $2)] AS path
        UNION ALL
        SELECT r.depth + 1, l.what, l.how, l.to_id, r.path || l.to_id
        FROM reach r JOIN steward.links l ON l.org_id = $2 AND l.from_id = r.id
        WHERE r.depth < 8 AND l.to_id <> ALL (r.path)
    ), nearest AS (
        SELECT DISTINCT ON (r.id) r.depth, r.what, r.how, r.id FROM reach r WHERE r.depth > 0 ORDER BY r.id, r.depth
    )
    SELECT n.depth, n.what, n.how, coalesce(c.credential, p.principal), coalesce(c.kind, p.kind), c.scopes, c.system, n.id
    FROM nearest n
    LEFT JOIN steward.credential_inventory c ON c.org_id = $2 AND c.credential_id = n.id AND n.what = 'credential'
    LEFT JOIN steward.principals p ON p.org_id = $2 AND p.principal_id = n.id AND n.what = 'principal'
    ORDER BY 1, 2, 4;
END;
COMMENT ON FUNCTION steward.blast_radius(text, uuid) IS 'what falls into whose hands with an object: what it holds, owns and accepts, what derives from that, in whose name it may act';

CREATE OR REPLACE FUNCTION steward.investigate(object text, since timestamptz DEFAULT now() - '7 days'::interval, org uuid DEFAULT steward.default_org())
RETURNS TABLE (topic text, at timestamptz, what text, detail jsonb)
LANGUAGE sql STABLE PARALLEL UNSAFE
BEGIN ATOMIC
    WITH self AS (SELECT steward.object_id($1, $3) AS id),
    mine AS (SELECT s.id FROM self s UNION SELECT l.to_id FROM self s JOIN steward.links l ON l.org_id = $3 AND l.from_id = s.id AND l.how = 'holds'),
    found AS (
        SELECT 1 AS rank, 'is' AS topic, c.created_at AS at, c.credential AS what, to_jsonb(c) - 'org_id' AS detail
        FROM steward.credential_inventory c JOIN self s ON s.id = c.credential_id WHERE c.org_id = $3
        UNION ALL
        SELECT 1 AS rank, 'is' AS topic, p.created_at AS at, p.principal AS what, to_jsonb(p) - 'org_id' AS detail FROM steward.principals p JOIN self s ON s.id = p.principal_id WHERE p.org_id = $3
        UNION ALL
        SELECT 2 AS rank, 'reach' AS topic, NULL::timestamptz AS at, b.name AS what, to_jsonb(b) AS detail FROM steward.blast_radius($1, $3) b
        UNION ALL
        SELECT 3 AS rank, 'delegation' AS topic, d.starts_at AS at, d.how AS what, to_jsonb(d) - 'org_id' AS detail FROM steward.delegation_links d JOIN self s ON s.id IN (d.actor_id, d.principal_id) WHERE d.org_id = $3
        UNION ALL
        SELECT 4 AS rank, 'finding' AS topic, f.found_at AS at, f.kind AS what, to_jsonb(f) - 'org_id' AS detail FROM steward.credential_findings f JOIN mine m ON m.id = f.credential_id WHERE f.org_id = $3
        UNION ALL
        SELECT 5 AS rank, 'use' AS topic, u.window_start AS at, u.consumer AS what, to_jsonb(u) - 'org_id' AS detail FROM steward.credential_uses u JOIN mine m ON m.id = u.credential_id
        WHERE u.org_id = $3 AND u.window_start >= $2 - '1 day'::interval
        UNION ALL
        SELECT 6 AS rank, 'change' AS topic, a.occurred_at AS at, a.action || ' ' || a.table_name AS what,
               jsonb_build_object('old', a.old_values, 'new', a.new_values, 'by', a.acting_role) AS detail
        FROM steward.changes a JOIN mine m ON a.row_key @> jsonb_build_object('id', m.id) WHERE a.org_id = $3 AND a.recorded_at >= $2
    )
    SELECT f.topic, f.at, f.what, f.detail FROM found f ORDER BY f.rank, f.at;
END;
COMMENT ON FUNCTION steward.investigate(text, timestamptz, uuid) IS 'what an incident responder asks first about a principal or credential: what it is, its reach, delegations, findings, uses and changes since a moment (changes: auditors only)';
