-- Findings: rules of good governance that a row breaks now, each with the statement that ends it.

CREATE OR REPLACE VIEW steward.finding_rule AS
SELECT v.rule, v.nhi, v.severity, v.threshold::numeric AS threshold, v.unit, v.title
FROM (VALUES
    -- improper offboarding
    ('owner_offboarded', 'NHI1:2025', 'critical', NULL, NULL, 'a live credential''s owner has left'),
    ('holder_offboarded', 'NHI1:2025', 'critical', NULL, NULL, 'somebody who left holds a live credential'),
    ('owner_suspended', 'NHI1:2025', 'medium', NULL, NULL, 'a live credential''s owner is suspended'),
    ('engagement_ended', 'NHI1:2025', 'high', NULL, NULL, 'a credential''s holder is past the end date'),
    ('suspended_long', 'NHI1:2025', 'low', 30, 'days', 'a credential has been suspended for long'),
    ('discovered_unclaimed', 'NHI1:2025', 'high', NULL, NULL, 'a credential was found that nobody answers for'),
    ('revocation_overdue', 'NHI1:2025', 'critical', NULL, NULL, 'another system did not kill a revoked credential in time'),
    ('grant_of_offboarded', 'NHI1:2025', 'high', NULL, NULL, 'somebody who left still has a live grant'),
    ('delegation_of_offboarded', 'NHI1:2025', 'critical', NULL, NULL, 'a delegation outlives one of its parties'),
    ('directory_disagrees', 'NHI1:2025', 'critical', NULL, NULL, 'somebody inactive in the directory is active here'),
    -- secret leakage
    ('leak_suspected', 'NHI2:2025', 'critical', NULL, NULL, 'a credential suspended for a leak is not revoked'),
    ('leak_signalled', 'NHI2:2025', 'high', 30, 'days', 'a monitor saw this credential leak'),
    ('secret_in_the_open', 'NHI2:2025', 'high', NULL, NULL, 'a secret is kept where secrets do not belong'),
    -- vulnerable third parties
    ('third_party_never_expires', 'NHI3:2025', 'high', NULL, NULL, 'a credential at somebody else''s system never expires'),
    ('third_party_wildcard', 'NHI3:2025', 'high', NULL, NULL, 'a credential at somebody else''s system opens everything there'),
    ('third_party_without_runbook', 'NHI3:2025', 'medium', NULL, NULL, 'nobody wrote down how access ends at a system revoked by hand'),
    -- insecure authentication
    ('static_key_on_agent', 'NHI4:2025', 'high', 90, 'days', 'an agent runs on a static key'),
    ('password_on_machine', 'NHI4:2025', 'high', NULL, NULL, 'a service or agent logs in with a password'),
    -- overprivileged
    ('wildcard_scope', 'NHI5:2025', 'critical', NULL, NULL, 'a service or agent holds a credential that opens everything'),
    ('scope_drift', 'NHI5:2025', 'high', NULL, NULL, 'a credential can do more where it lives than was intended'),
    ('beyond_grants', 'NHI5:2025', 'high', NULL, NULL, 'a credential reaches beyond what its holder was granted'),
    ('wildcard_grant_unapproved', 'NHI5:2025', 'high', NULL, NULL, 'everything was granted and nobody approved it'),
    ('break_glass_without_end', 'NHI5:2025', 'critical', NULL, NULL, 'emergency access has no end'),
    ('break_glass_long', 'NHI5:2025', 'high', 8, 'hours', 'emergency access goes on for long'),
    ('autonomous_unjustified', 'NHI5:2025', 'high', NULL, NULL, 'an agent acts on its own and nobody said why'),
    -- insecure cloud deployment
    ('cloud_key_never_expires', 'NHI6:2025', 'high', NULL, NULL, 'a cloud key never expires'),
    ('static_key_in_ci', 'NHI6:2025', 'high', 30, 'days', 'a pipeline runs on a static key'),
    -- long-lived secrets
    ('never_expires', 'NHI7:2025', 'medium', NULL, NULL, 'a credential of a service or agent never expires'),
    ('too_old', 'NHI7:2025', 'medium', 365, 'days', 'a credential is old'),
    ('rotation_overdue', 'NHI7:2025', 'high', NULL, NULL, 'a credential was to be rotated'),
    ('lifetime_over_policy', 'NHI7:2025', 'medium', NULL, NULL, 'a credential lives longer than policy allows'),
    -- environment isolation
    ('environment_crossed', 'NHI8:2025', 'high', NULL, NULL, 'a credential and its holder are of different environments'),
    ('system_environment_crossed', 'NHI8:2025', 'high', NULL, NULL, 'a credential and its system are of different environments'),
    -- reuse
    ('secret_reused', 'NHI9:2025', 'high', NULL, NULL, 'two credentials are one secret'),
    ('key_sprawl', 'NHI9:2025', 'low', 5, 'keys', 'one holder has many live keys at one system'),
    -- human use
    ('person_with_machine_credential', 'NHI10:2025', 'medium', NULL, NULL, 'a person holds a machine''s credential'),
    -- directory, signal and control health
    ('directory_stale', NULL, 'high', 7, 'days', 'a directory was not heard of'),
    ('unregistered_agent', NULL, 'critical', 30, 'days', 'a monitor saw an agent nobody registered'),
    ('brake_tripped', NULL, 'critical', NULL, NULL, 'a monitor''s brake has tripped: its signals contain nobody'),
    ('source_silent', NULL, 'high', 24, 'hours', 'a monitor fell silent'),
    ('control_failing', NULL, 'high', NULL, NULL, 'a control''s evidence says that it does not hold'),
    ('control_stale', NULL, 'medium', NULL, NULL, 'a control''s evidence is older than it may be'),
    ('control_error', NULL, 'high', NULL, NULL, 'a control''s evidence cannot be read'),
    ('exception_ended', NULL, 'medium', NULL, NULL, 'an accepted finding''s time is over')
) AS v(rule, nhi, severity, threshold, unit, title);
COMMENT ON VIEW steward.finding_rule IS 'the rules of findings with their OWASP NHI risk, default severity and threshold';

CREATE OR REPLACE VIEW steward.finding_limits AS
SELECT o.id AS org_id, r.rule, coalesce(s.severity, r.severity) AS severity, coalesce(s.threshold, r.threshold) AS threshold, r.unit, r.nhi, r.title,
       s.rule IS NOT NULL AS changed
FROM steward.organization o CROSS JOIN steward.finding_rule r
LEFT JOIN steward.finding_setting s ON s.org_id = o.id AND s.rule = r.rule;
COMMENT ON VIEW steward.finding_limits IS 'severity and threshold of each finding rule as they hold in an organization';

-- One pass over the live credentials answers all rules about them: a rule is a line whose evidence is not null.
CREATE OR REPLACE VIEW steward.credential_rule AS
SELECT c.org_id, f.rule, c.display AS object, c.id AS object_id, c.owner_id, f.since, f.evidence, f.reason
FROM steward.credential c
JOIN steward.system y ON y.org_id = c.org_id AND y.id = c.system_id
LEFT JOIN steward.principal h ON h.org_id = c.org_id AND h.id = c.holder_id
LEFT JOIN steward.principal o ON o.org_id = c.org_id AND o.id = c.owner_id
LEFT JOIN steward.credential_policy k ON k.org_id = c.org_id AND k.kind = c.kind
LEFT JOIN (
    SELECT l.org_id, l.principal_id, array_agg(l.scopes) AS scopes FROM steward.live_grant l GROUP BY l.org_id, l.principal_id
) g ON g.org_id = c.org_id AND g.principal_id = c.holder_id
JOIN (
    SELECT l.org_id,
           max(l.threshold) FILTER (WHERE l.rule = 'suspended_long') * interval '1 day' AS suspended_long,
           max(l.threshold) FILTER (WHERE l.rule = 'static_key_on_agent') * interval '1 day' AS static_key_on_agent,
           max(l.threshold) FILTER (WHERE l.rule = 'static_key_in_ci') * interval '1 day' AS static_key_in_ci,
           max(l.threshold) FILTER (WHERE l.rule = 'too_old') * interval '1 day' AS too_old
    FROM steward.finding_limits l GROUP BY l.org_id
) t ON t.org_id = c.org_id
CROSS JOIN LATERAL (SELECT
    h.kind <> 'human' AS machine,
    c.kind IN ('api_key', 'cloud_key', 'personal_access_token', 'ssh_key', 'webhook_secret') AS static,
    y.kind IN ('saas', 'model_provider', 'mcp_server') AS foreign_system,
    c.scopes::text ~ '(^| )\*( |$)' AS everything) x
CROSS JOIN LATERAL unnest(ARRAY[
    ROW('owner_offboarded', CASE WHEN o.state = 'offboarded' THEN o.offboarded_at END,
        CASE WHEN o.state = 'offboarded' THEN format('owner %s left', coalesce(o.user_name, o.name)) END, 'owner_offboarded'),
    ROW('holder_offboarded', CASE WHEN h.state = 'offboarded' THEN h.offboarded_at END,
        CASE WHEN h.state = 'offboarded' THEN format('holder %s left', coalesce(h.user_name, h.name)) END, 'leaver'),
    ROW('owner_suspended', NULL, CASE WHEN o.state = 'suspended' THEN format('owner %s is suspended', coalesce(o.user_name, o.name)) END, 'policy'),
    ROW('engagement_ended', h.ends_at, CASE WHEN h.ends_at <= now() AND h.state <> 'offboarded' THEN format('holder %s ended %s', coalesce(h.user_name, h.name), h.ends_at) END, 'leaver'),
    ROW('suspended_long', CASE WHEN c.state = 'suspended' THEN (SELECT min(s.since) FROM steward.suspension s WHERE s.org_id = c.org_id AND s.credential_id = c.id AND s.lifted_at IS NULL) END,
        CASE WHEN c.state = 'suspended' AND EXISTS (SELECT FROM steward.suspension s WHERE s.org_id = c.org_id AND s.credential_id = c.id AND s.lifted_at IS NULL
            AND s.since <= now() - t.suspended_long) THEN format('suspended for more than %s', t.suspended_long) END, 'unused'),
    ROW('discovered_unclaimed', c.created_at, CASE WHEN c.state = 'discovered' THEN format('found at %s', y.name) END, 'review'),
    ROW('leak_suspected', NULL, CASE WHEN c.state = 'suspended' AND EXISTS (SELECT FROM steward.suspension s WHERE s.org_id = c.org_id AND s.credential_id = c.id
        AND s.lifted_at IS NULL AND s.cause = 'leak') THEN 'suspended because of a leak' END, 'leak'),
    ROW('secret_in_the_open', c.created_at, CASE WHEN c.storage_location ~* '(^|[^a-z])(git|github|gitlab|repo|repository|\.env|dotenv|wiki|confluence|notion|slack|e-?mail|spreadsheet|excel|notebook|source code|plain ?text)([^a-z]|$)'
        THEN format('kept in %s', c.storage_location) END, 'leak'),
    ROW('third_party_never_expires', c.issued_at, CASE WHEN x.foreign_system AND c.expires_at IS NULL AND c.state <> 'discovered' THEN format('%s at %s has no end', c.kind, y.name) END, 'policy'),
    ROW('third_party_wildcard', c.issued_at, CASE WHEN x.foreign_system AND x.everything THEN format('scope * at %s', y.name) END, 'privilege_withdrawn'),
    ROW('static_key_on_agent', c.issued_at, CASE WHEN h.kind = 'agent' AND x.static AND (c.expires_at IS NULL OR c.expires_at > c.issued_at + t.static_key_on_agent)
        THEN format('%s of agent %s ends %s', c.kind, h.name, coalesce(c.expires_at::text, 'never')) END, 'policy'),
    ROW('password_on_machine', c.issued_at, CASE WHEN x.machine AND c.kind = 'password' THEN format('%s %s has a password', h.kind, h.name) END, 'policy'),
    ROW('wildcard_scope', c.issued_at, CASE WHEN x.machine AND x.everything THEN format('%s %s may do everything', h.kind, h.name) END, 'privilege_withdrawn'),
    ROW('scope_drift', c.last_seen_at, CASE WHEN c.observed_scopes IS NOT NULL AND steward.uncovered_scopes(c.observed_scopes, ARRAY[c.scopes])::text <> ''
        THEN format('not intended: %s', steward.uncovered_scopes(c.observed_scopes, ARRAY[c.scopes])) END, 'privilege_withdrawn'),
    ROW('beyond_grants', c.issued_at, CASE WHEN c.source = 'issued' AND c.state <> 'discovered' AND steward.uncovered_scopes(c.scopes, g.scopes)::text <> ''
        THEN format('not granted: %s', steward.uncovered_scopes(c.scopes, g.scopes)) END, 'privilege_withdrawn'),
    ROW('cloud_key_never_expires', c.issued_at, CASE WHEN c.kind = 'cloud_key' AND c.expires_at IS NULL THEN format('at %s', y.name) END, 'policy'),
    ROW('static_key_in_ci', c.issued_at, CASE WHEN y.kind = 'ci' AND x.static AND (c.expires_at IS NULL OR c.expires_at > c.issued_at + t.static_key_in_ci)
        THEN format('%s at %s ends %s', c.kind, y.name, coalesce(c.expires_at::text, 'never')) END, 'policy'),
    ROW('never_expires', c.issued_at, CASE WHEN x.machine AND c.expires_at IS NULL AND c.state <> 'discovered' THEN format('%s of %s has no end', c.kind, h.name) END, 'policy'),
    ROW('too_old', c.issued_at, CASE WHEN c.issued_at < now() - t.too_old THEN format('issued %s', c.issued_at::date) END, 'superseded'),
    ROW('rotation_overdue', c.rotate_by, CASE WHEN c.rotate_by <= now() THEN coalesce(c.rotate_reason, 'rotation is overdue') END, 'superseded'),
    ROW('lifetime_over_policy', c.issued_at, CASE WHEN c.expires_at > c.issued_at + k.max_lifetime THEN format('ends %s; policy allows %s', c.expires_at::date, k.max_lifetime) END, 'policy'),
    ROW('environment_crossed', c.issued_at, CASE WHEN c.environment <> h.environment THEN format('%s key of %s, which is of %s', c.environment, h.name, h.environment) END, 'policy'),
    ROW('system_environment_crossed', c.issued_at, CASE WHEN c.environment <> y.environment THEN format('%s key at %s, which is of %s', c.environment, y.name, y.environment) END, 'policy'),
    ROW('person_with_machine_credential', c.issued_at, CASE WHEN h.kind = 'human' AND c.kind IN ('account', 'oauth_client', 'webhook_secret', 'signing_key')
        THEN format('%s held by %s', c.kind, coalesce(h.user_name, h.name)) END, 'policy')
]::steward.finding_hit[]) AS f(rule, since, evidence, reason)
WHERE c.state <> 'revoked' AND f.evidence IS NOT NULL;
COMMENT ON VIEW steward.credential_rule IS 'rules that a live credential breaks; the reason is the one with which its revocation would be recorded';

CREATE OR REPLACE VIEW steward.finding_state AS
WITH found AS (
    -- rules about one credential
    SELECT f.org_id, f.rule, 'credential' AS object_kind, f.object, f.object_id::text AS object_id, f.owner_id, f.since, f.evidence,
           format('SELECT * FROM steward.revoke(%L::uuid, %L, org => %L);', f.object_id, f.reason, f.org_id) AS remedy
    FROM steward.credential_rule f
    UNION ALL
    -- leak_signalled
    SELECT c.org_id, 'leak_signalled', 'credential', c.display, c.id::text, c.owner_id, g.since, format('%s signals, the last %s', g.signals, g.latest),
           format('SELECT * FROM steward.revoke(%L::uuid, %L, org => %L);', c.id, 'leak', c.org_id)
    FROM (SELECT s.org_id, s.credential_id, min(s.occurred_at) AS since, max(s.occurred_at) AS latest, count(*) AS signals
          FROM steward.signal s JOIN steward.finding_limits l ON l.org_id = s.org_id AND l.rule = 'leak_signalled'
          WHERE s.category = 'secret_leak' AND s.credential_id IS NOT NULL AND s.verdict <> 'benign' AND s.occurred_at > now() - l.threshold * interval '1 day'
          GROUP BY s.org_id, s.credential_id) g
    JOIN steward.credential c ON c.org_id = g.org_id AND c.id = g.credential_id
    WHERE c.state <> 'revoked'
    UNION ALL
    -- secret_reused: all but the oldest of each
    SELECT c.org_id, 'secret_reused', 'credential', c.display, c.id::text, c.owner_id, c.created_at, 'another credential is the same secret',
           format('SELECT * FROM steward.revoke(%L::uuid, %L, org => %L);', c.id, 'duplicate', c.org_id)
    FROM steward.credential c
    WHERE c.state <> 'revoked' AND c.digest IS NOT NULL AND c.source <> 'issued'
      AND EXISTS (SELECT FROM steward.credential d WHERE d.org_id = c.org_id AND d.state <> 'revoked' AND d.source <> 'issued'
          AND d.digest OPERATOR(steward.=) c.digest AND d.id < c.id)
    UNION ALL
    -- key_sprawl: the ones beyond the newest few
    SELECT s.org_id, 'key_sprawl', 'principal', p.name, p.id::text || '@' || y.name, p.owner_id, s.since, format('%s live keys at %s', s.keys, y.name),
           format('SELECT r.* FROM unnest(%L::uuid[]) AS k(id), steward.revoke(k.id, %L, org => %L) AS r;', s.ids[(s.threshold::integer + 1):], 'duplicate', s.org_id)
    FROM (SELECT c.org_id, c.holder_id, c.system_id, l.threshold, count(*) AS keys, min(c.issued_at) AS since, array_agg(c.id ORDER BY c.issued_at DESC, c.id DESC) AS ids
          FROM steward.credential c JOIN steward.finding_limits l ON l.org_id = c.org_id AND l.rule = 'key_sprawl'
          WHERE c.state IN ('active', 'suspended') AND c.kind IN ('api_key', 'cloud_key', 'personal_access_token')
          GROUP BY c.org_id, c.holder_id, c.system_id, l.threshold HAVING count(*) > l.threshold) s
    JOIN steward.principal p ON p.org_id = s.org_id AND p.id = s.holder_id AND p.kind <> 'human'
    JOIN steward.system y ON y.org_id = s.org_id AND y.id = s.system_id
    UNION ALL
    -- revocation_overdue
    SELECT t.org_id, 'revocation_overdue', 'revocation_task', format('%s at %s', c.display, y.name), t.id::text, y.owner_id, t.deadline,
           format('%s attempts, %s', t.attempts, coalesce(t.last_error, 'no error reported')),
           format('UPDATE steward.revocation_task SET state = %L, confirmed_at = clock_timestamp(), lease_until = NULL, leased_by = NULL, evidence = %L WHERE org_id = %L AND id = %L; -- once it is dead at %s',
               'confirmed', '{"by": "hand"}', t.org_id, t.id, quote_ident(y.name))
    FROM steward.revocation_task t
    JOIN steward.credential c ON c.org_id = t.org_id AND c.id = t.credential_id
    JOIN steward.system y ON y.org_id = t.org_id AND y.id = t.system_id
    WHERE t.state <> 'confirmed' AND t.deadline <= now()
    UNION ALL
    -- grant_of_offboarded
    SELECT g.org_id, 'grant_of_offboarded', 'scope_grant', coalesce(p.user_name, p.name), g.id::text, p.owner_id, p.offboarded_at, format('grants %s', left(g.scopes::text, 200)),
           format('UPDATE steward.scope_grant SET ends_at = clock_timestamp() WHERE org_id = %L AND id = %L;', g.org_id, g.id)
    FROM steward.live_grant g JOIN steward.principal p ON p.org_id = g.org_id AND p.id = g.principal_id
    WHERE p.state = 'offboarded'
    UNION ALL
    -- delegation_of_offboarded
    SELECT d.org_id, 'delegation_of_offboarded', 'delegation', format('%s for %s', a.name, coalesce(p.user_name, p.name)), d.id::text, a.owner_id,
           LEAST(p.offboarded_at, a.offboarded_at), format('within %s', left(d.scopes::text, 200)),
           format('UPDATE steward.delegation SET ended_at = clock_timestamp(), ended_reason = %L, tokens_valid_after = GREATEST(tokens_valid_after, clock_timestamp()) WHERE org_id = %L AND id = %L;',
               'a party has left', d.org_id, d.id)
    FROM steward.delegation d
    JOIN steward.principal p ON p.org_id = d.org_id AND p.id = d.principal_id
    JOIN steward.principal a ON a.org_id = d.org_id AND a.id = d.actor_id
    WHERE d.ended_at IS NULL AND d.ends_at > now() AND 'offboarded' IN (p.state, a.state)
    UNION ALL
    -- directory_disagrees
    SELECT p.org_id, 'directory_disagrees', 'principal', coalesce(p.user_name, p.name), p.id::text, p.id, u.updated_at, format('inactive in the directory as %s', u.user_name),
           format('UPDATE steward.directory_user SET active = true WHERE org_id = %L AND id = %L; UPDATE steward.directory_user SET active = false WHERE org_id = %L AND id = %L;', u.org_id, u.id, u.org_id, u.id)
    FROM steward.directory_user u
    JOIN steward.principal_identity i ON i.org_id = u.org_id AND i.directory_id = u.directory_id AND i.external_id = u.external_id
    JOIN steward.principal p ON p.org_id = i.org_id AND p.id = i.principal_id
    WHERE NOT u.active AND p.state = 'active'
      AND NOT EXISTS (SELECT FROM steward.principal_identity j JOIN steward.directory_user v ON v.org_id = j.org_id
          AND v.directory_id = j.directory_id AND v.external_id = j.external_id AND v.active WHERE j.org_id = i.org_id AND j.principal_id = i.principal_id)
    UNION ALL
    -- third_party_without_runbook
    SELECT y.org_id, 'third_party_without_runbook', 'system', y.name, y.id::text, y.owner_id, y.created_at, format('%s, revoked by hand', y.kind),
           format('UPDATE steward.system SET runbook = %L WHERE org_id = %L AND id = %L;', format('Ask %s to revoke it at %s', coalesce(p.user_name, p.name, 'the administrator'), y.name), y.org_id, y.id)
    FROM steward.system y LEFT JOIN steward.principal p ON p.org_id = y.org_id AND p.id = y.owner_id
    WHERE y.revocation_path = 'manual' AND y.runbook IS NULL AND y.kind IN ('saas', 'model_provider', 'mcp_server', 'cloud', 'ci')
    UNION ALL
    -- wildcard_grant_unapproved
    SELECT g.org_id, 'wildcard_grant_unapproved', 'scope_grant', coalesce(p.user_name, p.name), g.id::text, p.owner_id, g.created_at, format('requested by %s: %s', g.requested_by, left(g.justification, 200)),
           format('UPDATE steward.scope_grant SET ends_at = clock_timestamp() WHERE org_id = %L AND id = %L;', g.org_id, g.id)
    FROM steward.live_grant g JOIN steward.principal p ON p.org_id = g.org_id AND p.id = g.principal_id
    WHERE g.scopes::text ~ '(^| )\*( |$)' AND g.approved_by IS NULL
    UNION ALL
    -- break_glass_without_end
    SELECT g.org_id, 'break_glass_without_end', 'scope_grant', coalesce(p.user_name, p.name), g.id::text, p.owner_id, g.created_at, format('grants %s', left(g.scopes::text, 200)),
           format('UPDATE steward.scope_grant SET ends_at = clock_timestamp() WHERE org_id = %L AND id = %L;', g.org_id, g.id)
    FROM steward.live_grant g JOIN steward.principal p ON p.org_id = g.org_id AND p.id = g.principal_id
    WHERE g.source = 'break_glass' AND g.ends_at = 'infinity'
    UNION ALL
    -- break_glass_long
    SELECT g.org_id, 'break_glass_long', 'scope_grant', coalesce(p.user_name, p.name), g.id::text, p.owner_id, g.starts_at, format('since %s', g.starts_at),
           format('UPDATE steward.scope_grant SET ends_at = clock_timestamp() WHERE org_id = %L AND id = %L;', g.org_id, g.id)
    FROM steward.live_grant g
    JOIN steward.principal p ON p.org_id = g.org_id AND p.id = g.principal_id
    JOIN steward.finding_limits l ON l.org_id = g.org_id AND l.rule = 'break_glass_long'
    WHERE g.source = 'break_glass' AND g.starts_at <= now() - l.threshold * interval '1 hour'
    UNION ALL
    -- autonomous_unjustified
    SELECT p.org_id, 'autonomous_unjustified', 'principal', p.name, p.id::text, p.owner_id, p.created_at, 'autonomous, without justification, approver or human approval',
           format('SELECT * FROM steward.revoke_principal(%L::uuid, %L, org => %L);', p.id, 'policy', p.org_id)
    FROM steward.agent a JOIN steward.principal p ON p.org_id = a.org_id AND p.id = a.principal_id
    WHERE a.autonomy = 'autonomous' AND p.state = 'active' AND p.justification IS NULL AND p.approved_by IS NULL AND a.human_approval = 'none'
      AND EXISTS (SELECT FROM steward.credential c WHERE c.org_id = p.org_id AND c.holder_id = p.id AND c.state <> 'revoked')
    UNION ALL
    -- directory_stale
    SELECT d.org_id, 'directory_stale', 'directory', d.name, d.id::text, NULL, coalesce(d.last_import_at, d.created_at), format('heard of last %s', coalesce(d.last_import_at, d.created_at)),
           format('SELECT * FROM steward.import_directory(%L::uuid, :''resources'', org => %L);', d.id, d.org_id)
    FROM steward.directory d JOIN steward.finding_limits l ON l.org_id = d.org_id AND l.rule = 'directory_stale'
    WHERE d.state = 'linked' AND coalesce(d.last_import_at, d.created_at) <= now() - l.threshold * interval '1 day'
    UNION ALL
    -- unregistered_agent
    SELECT g.org_id, 'unregistered_agent', 'signal', g.claimed_agent, g.claimed_agent, p.owner_id, min(g.occurred_at), format('%s signals of %s', count(*), s.name),
           format('SELECT steward.register_agent(%L, owner => %L, purpose => %L, org => %L);', g.claimed_agent, coalesce(p.owner_id, p.id), format('reported by %s; nobody had registered it', s.name), g.org_id)
    FROM steward.signal g
    JOIN steward.signal_source s ON s.org_id = g.org_id AND s.id = g.source_id
    JOIN steward.principal p ON p.org_id = s.org_id AND p.id = s.principal_id
    JOIN steward.finding_limits l ON l.org_id = g.org_id AND l.rule = 'unregistered_agent'
    WHERE g.agent_id IS NULL AND g.occurred_at > now() - l.threshold * interval '1 day'
      AND NOT EXISTS (SELECT FROM steward.principal k WHERE k.org_id = g.org_id AND k.kind <> 'human' AND k.name = g.claimed_agent)
    GROUP BY g.org_id, g.claimed_agent, s.name, p.owner_id, p.id
    UNION ALL
    -- brake_tripped
    SELECT s.org_id, 'brake_tripped', 'signal_source', s.name, s.id::text, p.owner_id, s.braked_at, format('more than %s agents within %s', s.brake_limit, s.brake_window),
           format('SELECT steward.reset_brake(%L, org => %L);', s.name, s.org_id)
    FROM steward.signal_source s JOIN steward.principal p ON p.org_id = s.org_id AND p.id = s.principal_id
    WHERE s.braked_at IS NOT NULL AND s.retired_at IS NULL
    UNION ALL
    -- source_silent
    SELECT s.org_id, 'source_silent', 'signal_source', s.name, s.id::text, p.owner_id, coalesce(s.last_seen_at, s.created_at), format('reported last %s', coalesce(s.last_seen_at::text, 'never')),
           format('SELECT steward.retire_signal_source(%L, org => %L);', s.name, s.org_id)
    FROM steward.signal_source s
    JOIN steward.principal p ON p.org_id = s.org_id AND p.id = s.principal_id
    JOIN steward.finding_limits l ON l.org_id = s.org_id AND l.rule = 'source_silent'
    WHERE s.retired_at IS NULL AND coalesce(s.last_seen_at, s.created_at) <= now() - l.threshold * interval '1 hour'
    UNION ALL
    -- control_failing, control_error, control_stale
    SELECT c.org_id, CASE WHEN c.result = 'error' THEN 'control_error' WHEN c.status = 'failing' THEN 'control_failing' ELSE 'control_stale' END,
           'control', c.control_id, c.control_id, NULL, c.evaluated_at, format('%s: %s', c.title, left(c.detail, 300)),
           CASE WHEN c.result = 'error' AND NOT c.built_in THEN format('SELECT steward.retire_control(%L, org => %L);', c.control_id, c.org_id)
                ELSE format('SELECT * FROM steward.evaluate_controls(%L, org => %L);', c.control_id, c.org_id) END
    FROM steward.control_coverage c
    WHERE c.status IN ('failing', 'stale')
    UNION ALL
    -- exception_ended
    SELECT e.org_id, 'exception_ended', 'finding_exception', e.rule, e.id::text, e.requested_by, e.ends_at, e.reason,
           format('SELECT steward.end_exception(%L::uuid, org => %L);', e.id, e.org_id)
    FROM steward.finding_exception e WHERE e.ended_at IS NULL AND e.ends_at <= now()
)
SELECT f.org_id, f.rule, l.nhi, l.severity, f.object_kind, f.object, f.object_id, coalesce(o.user_name, o.name) AS owner, f.since, f.evidence, f.remedy,
       l.title, f.owner_id,
       (SELECT max(e.ends_at) FROM steward.finding_exception e WHERE e.org_id = f.org_id AND e.rule = f.rule AND e.object_id = f.object_id
           AND e.ended_at IS NULL AND e.ends_at > now()) AS accepted_until
FROM found f
JOIN steward.finding_limits l ON l.org_id = f.org_id AND l.rule = f.rule AND l.severity <> 'off'
LEFT JOIN steward.principal o ON o.org_id = f.org_id AND o.id = f.owner_id;
COMMENT ON VIEW steward.finding_state IS 'every finding, those that are accepted until some time among them';

CREATE OR REPLACE VIEW steward.findings AS
SELECT f.org_id, f.rule, f.nhi, f.severity, f.object_kind, f.object, f.object_id, f.owner, f.since, f.evidence, f.remedy, f.title
FROM steward.finding_state f WHERE f.accepted_until IS NULL;
COMMENT ON VIEW steward.findings IS 'rules of good governance that a row breaks now; the remedy is the statement that ends it';

CREATE OR REPLACE VIEW steward.finding_exceptions AS
SELECT e.org_id, e.id, e.rule, e.object_id, e.reason, coalesce(q.user_name, q.name) AS requested_by, coalesce(a.user_name, a.name) AS approved_by,
       e.starts_at, e.ends_at, e.ended_at, e.recorded_by
FROM steward.finding_exception e
JOIN steward.principal q ON q.org_id = e.org_id AND q.id = e.requested_by
JOIN steward.principal a ON a.org_id = e.org_id AND a.id = e.approved_by;
COMMENT ON VIEW steward.finding_exceptions IS 'findings that were accepted: by whom, with whose approval, until when';

CREATE OR REPLACE VIEW steward.finding_trend AS
SELECT h.org_id, h.day, h.severity, sum(h.findings)::bigint AS findings, sum(h.accepted)::bigint AS accepted
FROM steward.finding_history h GROUP BY h.org_id, h.day, h.severity;
COMMENT ON VIEW steward.finding_trend IS 'findings a day and severity';

-- Access: what everybody may do now, and through what.

CREATE OR REPLACE VIEW steward.effective_access AS
SELECT g.org_id, p.id AS principal_id, p.kind, coalesce(p.user_name, p.name) AS principal, g.scopes, 'grant' AS through,
       CASE WHEN g.role IS NOT NULL THEN format('role %s', g.role) ELSE format('%s: %s', g.source, coalesce(g.justification, 'by right of birth')) END AS detail,
       g.id AS via_id, nullif(g.ends_at, 'infinity') AS until
FROM steward.live_grant g JOIN steward.principal p ON p.org_id = g.org_id AND p.id = g.principal_id
WHERE p.state = 'active' AND coalesce(p.ends_at > now(), true)
UNION ALL
SELECT d.org_id, a.id, a.kind, coalesce(a.user_name, a.name), d.scopes, 'delegation', format('%s for %s', d.kind, coalesce(p.user_name, p.name)), d.id, nullif(d.ends_at, 'infinity')
FROM steward.delegation d
JOIN steward.principal a ON a.org_id = d.org_id AND a.id = d.actor_id
JOIN steward.principal p ON p.org_id = d.org_id AND p.id = d.principal_id
WHERE d.ended_at IS NULL AND d.starts_at <= now() AND d.ends_at > now() AND a.state = 'active' AND p.state = 'active';
COMMENT ON VIEW steward.effective_access IS 'what everybody may do now, and through which grant, role or delegation';
