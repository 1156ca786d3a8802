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

-- Rows as they were, rebuilt from their events.  An event's time is when the row was changed; what an open transaction
-- had changed by then counts, for nobody can say from inside when it became visible.
CREATE OR REPLACE FUNCTION steward.rows_as_of("table" text, at timestamptz, org uuid DEFAULT steward.default_org())
RETURNS TABLE (row_key jsonb, "row" jsonb) LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH t AS (
        -- TRUNCATE took all rows that were there, and has no key.
        SELECT a.occurred_at, a.incarnation, a.xact, a.n
        FROM steward.audit a
        WHERE a.org_id = (SELECT steward.audited_org($3)) AND a.table_name = $1 AND a.action = 'truncate' AND a.occurred_at <= $2
        ORDER BY a.occurred_at DESC LIMIT 1
    ), e AS (
        SELECT a.target, a.row_key, a.action, a.new_values, a.occurred_at, a.incarnation, a.xact, a.n
        FROM steward.audit a
        WHERE a.org_id = (SELECT steward.audited_org($3)) AND a.table_name = $1 AND a.row_key IS NOT NULL AND a.occurred_at <= $2
    ), born AS (
        SELECT DISTINCT ON (e.target, e.row_key) e.target, e.row_key, e.action, e.occurred_at, e.incarnation, e.xact, e.n
        FROM e
        WHERE e.action IN ('insert', 'delete')
          AND NOT EXISTS (SELECT FROM t WHERE (t.occurred_at, t.incarnation, t.xact, t.n) > (e.occurred_at, e.incarnation, e.xact, e.n))
        ORDER BY e.target, e.row_key, e.occurred_at DESC, e.incarnation DESC, e.xact DESC, e.n DESC
    ), merged AS (
        SELECT b.row_key, jsonb_object_agg(m.key, m.value ORDER BY e.occurred_at, e.incarnation, e.xact, e.n) AS whole
        FROM born b
        JOIN e ON e.target = b.target AND e.row_key = b.row_key
            AND (e.occurred_at, e.incarnation, e.xact, e.n) >= (b.occurred_at, b.incarnation, b.xact, b.n)
        CROSS JOIN LATERAL jsonb_each(e.new_values) m
        WHERE b.action = 'insert'
        GROUP BY b.row_key
    )
    SELECT g.row_key, (SELECT jsonb_object_agg(w.key, w.value) FROM jsonb_each(g.whole) w WHERE w.value <> 'null')
    FROM merged g;
END;
COMMENT ON FUNCTION steward.rows_as_of(text, timestamptz, uuid) IS 'the rows of an audited table as they were at a time, rebuilt from the log; columns that were null are left out';

CREATE OR REPLACE FUNCTION steward.changes_of("table" text, key jsonb, org uuid DEFAULT steward.default_org())
RETURNS SETOF steward.audit LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT a.* FROM steward.audit a
    WHERE a.org_id = (SELECT steward.audited_org($3)) AND a.target = steward.audit_target($1, $2) AND a.table_name = $1 AND a.row_key = $2
    ORDER BY a.occurred_at, a.incarnation, a.xact, a.n;
END;
COMMENT ON FUNCTION steward.changes_of(text, jsonb, uuid) IS 'the events of one row of an audited table, in the order of its changes';

CREATE OR REPLACE FUNCTION steward.row_as_of("table" text, key jsonb, at timestamptz DEFAULT pg_catalog.clock_timestamp(), org uuid DEFAULT steward.default_org())
RETURNS jsonb LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH e AS (
        SELECT c.action, c.new_values, c.occurred_at, row_number() OVER (ORDER BY c.occurred_at, c.incarnation, c.xact, c.n) AS nth
        FROM steward.changes_of($1, $2, $4) c
        WHERE c.occurred_at <= $3
    ), born AS (
        SELECT e.nth, e.action FROM e
        WHERE e.action IN ('insert', 'delete')
          AND NOT EXISTS (SELECT FROM steward.audit t WHERE t.org_id = $4 AND t.table_name = $1 AND t.action = 'truncate'
              AND t.occurred_at <= $3 AND t.occurred_at > e.occurred_at)
        ORDER BY e.nth DESC LIMIT 1
    ), merged AS (
        SELECT jsonb_object_agg(m.key, m.value ORDER BY e.nth) AS whole
        FROM born b
        JOIN e ON e.nth >= b.nth
        CROSS JOIN LATERAL jsonb_each(e.new_values) m
        WHERE b.action = 'insert'
    )
    SELECT jsonb_object_agg(w.key, w.value) FROM merged g, jsonb_each(g.whole) w WHERE w.value <> 'null';
END;
COMMENT ON FUNCTION steward.row_as_of(text, jsonb, timestamptz, uuid) IS 'a row of an audited table as it was at a time, rebuilt from the log; NULL when it was not there';

CREATE OR REPLACE FUNCTION steward.access_as_of(at timestamptz, org uuid DEFAULT steward.default_org())
RETURNS TABLE (principal_id uuid, principal text, kind text, via text, credential_id uuid, credential text, system_id uuid, scopes text, until timestamptz)
LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH o AS (
        SELECT "row" FROM steward.rows_as_of('steward.organization', $1, $2)
    ), p AS (
        SELECT ("row" ->> 'id')::uuid AS id, "row" FROM steward.rows_as_of('steward.principal', $1, $2)
    ), r AS (
        SELECT ("row" ->> 'id')::uuid AS id, "row" FROM steward.rows_as_of('steward.role', $1, $2)
    ), live AS (
        SELECT p.id, p."row"
        FROM p, o
        WHERE o."row" ->> 'state' = 'active' AND p."row" ->> 'state' = 'active'
          AND coalesce((p."row" ->> 'starts_at')::timestamptz, '-infinity') <= $1
          AND coalesce((p."row" ->> 'ends_at')::timestamptz, 'infinity') > $1
    )
    SELECT l.id, coalesce(l."row" ->> 'user_name', l."row" ->> 'name'), l."row" ->> 'kind', 'grant'::text AS via, NULL::uuid, NULL::text, NULL::uuid,
           coalesce(g."row" ->> 'scopes', r."row" ->> 'scopes'), nullif((g."row" ->> 'ends_at')::timestamptz, 'infinity')
    FROM steward.rows_as_of('steward.scope_grant', $1, $2) g
    JOIN live l ON l.id = (g."row" ->> 'principal_id')::uuid
    LEFT JOIN r ON r.id = (g."row" ->> 'role_id')::uuid
    WHERE (g."row" ->> 'starts_at')::timestamptz <= $1 AND (g."row" ->> 'ends_at')::timestamptz > $1
    UNION ALL
    SELECT l.id, coalesce(l."row" ->> 'user_name', l."row" ->> 'name'), l."row" ->> 'kind', 'credential'::text AS via, (c."row" ->> 'id')::uuid, c."row" ->> 'display',
           (c."row" ->> 'system_id')::uuid, c."row" ->> 'scopes',
           nullif(least(coalesce((c."row" ->> 'expires_at')::timestamptz, 'infinity'), coalesce((c."row" ->> 'rotate_by')::timestamptz, 'infinity')), 'infinity')
    FROM steward.rows_as_of('steward.credential', $1, $2) c
    CROSS JOIN o
    JOIN live l ON l.id = (c."row" ->> 'holder_id')::uuid
    JOIN p w ON w.id = (c."row" ->> 'owner_id')::uuid
    WHERE c."row" ->> 'state' = 'active'
      AND w."row" ->> 'state' <> 'offboarded' AND coalesce((w."row" ->> 'ends_at')::timestamptz, 'infinity') > $1
      AND (c."row" ->> 'issued_at')::timestamptz > (o."row" ->> 'tokens_valid_after')::timestamptz
      AND (c."row" ->> 'issued_at')::timestamptz > (l."row" ->> 'tokens_valid_after')::timestamptz
      AND (c."row" ->> 'owner_since')::timestamptz > (w."row" ->> 'tokens_valid_after')::timestamptz
      AND coalesce((c."row" ->> 'expires_at')::timestamptz, 'infinity') > $1
      AND coalesce((c."row" ->> 'rotate_by')::timestamptz, 'infinity') > $1
      AND coalesce((c."row" ->> 'not_before')::timestamptz, '-infinity') <= $1;
END;
COMMENT ON FUNCTION steward.access_as_of(timestamptz, uuid) IS 'who could do what at a time, by grants and by credentials, rebuilt from the log';

-- The log in the shape of the Open Cybersecurity Schema Framework 1.x: changes of rows are Entity Management (3004),
-- applications' events API Activity (6003).
CREATE OR REPLACE VIEW steward.audit_ocsf AS
SELECT a.org_id, a.event AS event_uid, a.recorded_at,
       jsonb_strip_nulls(jsonb_build_object(
           'metadata', jsonb_build_object('version', '1.3.0', 'uid', a.event, 'product', jsonb_build_object('name', 'steward', 'vendor_name', 'steward'),
               'tenant_uid', a.org_id, 'logged_time', (extract(epoch FROM a.recorded_at) * 1000)::bigint, 'event_code', a.action, 'correlation_uid', a.context ->> 'request_id'),
           'category_uid', CASE WHEN a.table_name IS NOT NULL THEN 3 ELSE 6 END,
           'class_uid', CASE WHEN a.table_name IS NOT NULL THEN 3004 ELSE 6003 END,
           'activity_id', k.activity_id,
           'activity_name', a.action,
           'type_uid', CASE WHEN a.table_name IS NOT NULL THEN 300400 ELSE 600300 END + k.activity_id,
           'severity_id', 1,
           'status_id', 1,
           'time', (extract(epoch FROM a.occurred_at) * 1000)::bigint,
           'actor', jsonb_build_object('user', jsonb_build_object('uid', coalesce(a.actor_principal::text, a.acting_role), 'name', a.acting_role,
               'credential_uid', a.actor_credential), 'session', jsonb_build_object('issuer', a.session_role), 'app_name', a.application_name),
           'src_endpoint', jsonb_build_object('ip', coalesce(host(a.client_address), 'local')),
           'entity', CASE WHEN a.table_name IS NOT NULL THEN jsonb_build_object('type', a.table_name, 'uid', a.row_key::text, 'data', coalesce(a.new_values, a.old_values)) END,
           'api', CASE WHEN a.table_name IS NULL THEN jsonb_build_object('operation', a.action, 'version', a.version::text) END,
           'resources', a.targets,
           'unmapped', jsonb_build_object('old_values', a.old_values, 'claimed_actor', a.claimed_actor, 'context', a.context, 'metadata', a.metadata))) AS event
FROM steward.audit a
CROSS JOIN LATERAL (SELECT CASE
    WHEN a.table_name IS NULL THEN 99
    WHEN a.action IN ('insert', 'insert_many') THEN 1
    WHEN a.action IN ('update', 'update_many') THEN 3
    WHEN a.action IN ('delete', 'delete_many', 'truncate') THEN 4
    ELSE 99 END AS activity_id) k;
COMMENT ON VIEW steward.audit_ocsf IS 'the audit log as events of the Open Cybersecurity Schema Framework 1.3';

CREATE OR REPLACE FUNCTION steward.audit_csv(since timestamptz, until timestamptz DEFAULT pg_catalog.clock_timestamp(), org uuid DEFAULT steward.default_org())
RETURNS SETOF text LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT x.line
    FROM (
        SELECT 0 AS part, 0 AS incarnation, '0'::xid8 AS xact, 0 AS n,
               '"event","occurred_at","action","table_name","row_key","old_values","new_values","actor_principal","session_role","acting_role","application_name","client_address","claimed_actor","targets","context","metadata"' AS line
        UNION ALL
        SELECT 1, a.incarnation, a.xact, a.n,
               concat_ws(',', steward.csv_cell(a.event), steward.csv_cell(to_char(a.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')),
                   steward.csv_cell(a.action), steward.csv_cell(a.table_name), steward.csv_cell(a.row_key::text), steward.csv_cell(a.old_values::text),
                   steward.csv_cell(a.new_values::text), steward.csv_cell(a.actor_principal::text), steward.csv_cell(a.session_role), steward.csv_cell(a.acting_role),
                   steward.csv_cell(a.application_name), steward.csv_cell(a.client_address::text), steward.csv_cell(a.claimed_actor::text),
                   steward.csv_cell(a.targets::text), steward.csv_cell(a.context::text), steward.csv_cell(a.metadata::text))
        FROM steward.audit a
        WHERE a.org_id = (SELECT steward.audited_org($3)) AND a.recorded_at >= $1 AND a.recorded_at < $2
    ) x
    ORDER BY x.part, x.incarnation, x.xact, x.n;
END;
COMMENT ON FUNCTION steward.audit_csv(timestamptz, timestamptz, uuid) IS 'the audit log as lines of CSV in which no spreadsheet sees a formula, with a heading';

-- Made by every setup(), so not covered by what the extension takes from PUBLIC.
REVOKE ALL ON FUNCTION steward.rows_as_of(text, timestamptz, uuid), steward.changes_of(text, jsonb, uuid), steward.row_as_of(text, jsonb, timestamptz, uuid),
    steward.access_as_of(timestamptz, uuid), steward.audit_csv(timestamptz, timestamptz, uuid) FROM PUBLIC;
