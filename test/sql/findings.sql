-- Each rule of findings: what makes it appear, and that its remedy, run as it is printed, makes it vanish.
\pset format unaligned
\pset tuples_only on
SELECT count(*) > 0 FROM steward.setup(organization => 'findings');
SELECT steward.use_org('findings') IS NOT NULL;
SELECT count(*) >= 30, count(DISTINCT nhi) FROM steward.finding_rule;
SELECT count(*) FROM steward.import_directory('findings-dir', '[
    {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "1", "userName": "ada@findings.example"},
    {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "2", "userName": "bob@findings.example"},
    {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "3", "userName": "gone@findings.example"},
    {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "4", "userName": "odd@findings.example"}]');
CREATE TEMP TABLE fixture (name text PRIMARY KEY, id uuid);
SELECT steward.register_system('saas', 'ada@findings.example', 'saas', 'connector') IS NOT NULL;
SELECT steward.register_system('ci', 'ada@findings.example', 'ci', 'connector', environment => 'production') IS NOT NULL;
SELECT steward.register_system('cloud', 'ada@findings.example', 'cloud', 'connector') IS NOT NULL;
SELECT steward.register_service('svc', 'ada@findings.example', environment => 'test') IS NOT NULL;
SELECT steward.register_agent('bot', 'ada@findings.example', purpose => 'test', justification => 'needed') IS NOT NULL;
UPDATE steward.directory_user SET active = false WHERE org_id = steward.default_org() AND user_name = 'gone@findings.example';

-- Makes a credential of the given facts.  Triggers and constraints of others would refuse much of what findings look for,
-- and what is refused today may have been restored from yesterday: rows are written as a superuser would find them.
CREATE FUNCTION pg_temp.credential(label text, holder text, kind text, system text DEFAULT 'saas', changes jsonb DEFAULT '{}') RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    org uuid := steward.default_org();
    new_id uuid := steward.uuid7();
    r steward.credential;
    trigger_name name;
BEGIN
    SELECT * INTO r FROM jsonb_populate_record(NULL::steward.credential, jsonb_build_object(
        'org_id', org, 'id', new_id, 'kind', kind, 'state', 'active',
        'holder_id', (SELECT p.id FROM steward.principal p WHERE p.org_id = org AND coalesce(p.user_name, p.name) = holder),
        'owner_id', (SELECT p.id FROM steward.principal p WHERE p.org_id = org AND p.user_name = 'ada@findings.example'),
        'owner_since', clock_timestamp(), 'system_id', (SELECT y.id FROM steward.system y WHERE y.org_id = org AND y.name = system),
        'display', label, 'external_id', label, 'scopes', 'x:read', 'issued_at', clock_timestamp(), 'expires_at', clock_timestamp() + interval '10 days',
        'tokens_valid_after', '-infinity', 'source', 'registered', 'tags', '{}'::jsonb, 'hints', '{}'::jsonb, 'issued_by', current_user, 'external_pending', false, 'created_at', now()) || changes);
    -- As a restore would find it: no rule looks at the row.
    ALTER TABLE steward.credential DISABLE TRIGGER USER;
    INSERT INTO steward.credential SELECT r.*;
    FOR trigger_name IN SELECT t.tgname FROM pg_trigger t WHERE t.tgrelid = 'steward.credential'::regclass AND NOT t.tgisinternal LOOP
        EXECUTE format('ALTER TABLE steward.credential ENABLE ALWAYS TRIGGER %I', trigger_name);
    END LOOP;
    INSERT INTO fixture VALUES (label, new_id);
    RETURN new_id;
END $$;

-- The findings of a rule; then the remedies, run; then whether they are gone.
CREATE FUNCTION pg_temp.cure(wanted text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    found text;
    cures text[];
    statement text;
BEGIN
    SELECT string_agg(format('%s %s: %s', severity, object_kind, object), ', ' ORDER BY object), array_agg(remedy) INTO found, cures
    FROM steward.findings WHERE org_id = steward.default_org() AND rule = wanted;
    FOREACH statement IN ARRAY coalesce(cures, '{}') LOOP
        EXECUTE statement;
    END LOOP;
    RETURN format('%s | %s | %s left', wanted, coalesce(found, 'NOTHING FOUND'),
        (SELECT count(*) FROM steward.findings WHERE org_id = steward.default_org() AND rule = wanted));
END $$;
SELECT count(*) FROM steward.findings WHERE org_id = steward.default_org();

-- NHI1
BEGIN; SET LOCAL session_replication_role = replica;
SELECT pg_temp.credential('k-owner', 'svc', 'api_key', changes => jsonb_build_object('owner_id', (SELECT id FROM steward.principal WHERE user_name = 'gone@findings.example' AND org_id = steward.default_org()))) IS NOT NULL;
SELECT pg_temp.credential('k-holder', 'gone@findings.example', 'session') IS NOT NULL;
COMMIT;
SELECT pg_temp.cure('owner_offboarded');
SELECT pg_temp.cure('holder_offboarded');
SELECT pg_temp.credential('k-suspended-owner', 'svc', 'api_key', changes => jsonb_build_object('owner_id', (SELECT id FROM steward.principal WHERE user_name = 'odd@findings.example' AND org_id = steward.default_org()))) IS NOT NULL;
UPDATE steward.principal SET state = 'suspended' WHERE org_id = steward.default_org() AND user_name = 'odd@findings.example';
SELECT pg_temp.cure('owner_suspended');
UPDATE steward.principal SET state = 'active' WHERE org_id = steward.default_org() AND user_name = 'odd@findings.example';
SELECT steward.register_service('ended', 'ada@findings.example') IS NOT NULL, pg_temp.credential('k-ended', 'ended', 'api_key') IS NOT NULL;
UPDATE steward.principal SET ends_at = now() WHERE org_id = steward.default_org() AND name = 'ended';
SELECT pg_temp.cure('engagement_ended');
SELECT pg_temp.credential('k-long', 'svc', 'api_key', changes => '{"state": "suspended"}') IS NOT NULL;
INSERT INTO steward.suspension (org_id, credential_id, cause, reason, since) SELECT steward.default_org(), id, 'manual', 'x', now() - interval '31 days' FROM fixture WHERE name = 'k-long';
SELECT pg_temp.cure('suspended_long');
SELECT pg_temp.credential('k-found', NULL, 'api_key', changes => '{"state": "discovered", "holder_id": null, "owner_id": null, "scopes": null, "source": "imported"}') IS NOT NULL;
SELECT pg_temp.cure('discovered_unclaimed');
UPDATE steward.revocation_task SET deadline = now() - interval '1 minute' WHERE org_id = steward.default_org() AND credential_id = (SELECT id FROM fixture WHERE name = 'k-found');
SELECT pg_temp.cure('revocation_overdue');
BEGIN; SET LOCAL session_replication_role = replica;
INSERT INTO steward.scope_grant (org_id, principal_id, scopes, source, justification, requested_by) SELECT org_id, id, 'x:read', 'direct', 'x', current_user FROM steward.principal WHERE org_id = steward.default_org() AND user_name = 'gone@findings.example';
INSERT INTO steward.delegation (org_id, principal_id, actor_id, kind, scopes, created_by) SELECT p.org_id, p.id, a.id, 'may_act', 'x:read', current_user FROM steward.principal p, steward.principal a
    WHERE p.org_id = steward.default_org() AND p.user_name = 'gone@findings.example' AND a.org_id = p.org_id AND a.name = 'bot';
COMMIT;
SELECT pg_temp.cure('grant_of_offboarded');
SELECT pg_temp.cure('delegation_of_offboarded');
BEGIN;
ALTER TABLE steward.directory_user DISABLE TRIGGER USER;
UPDATE steward.directory_user SET active = false WHERE org_id = steward.default_org() AND user_name = 'odd@findings.example';
SELECT count(*) > 0 FROM steward.setup();
SELECT pg_temp.cure('directory_disagrees');
COMMIT;

-- NHI2
SELECT pg_temp.credential('k-leak', 'svc', 'api_key', changes => '{"state": "suspended"}') IS NOT NULL;
INSERT INTO steward.suspension (org_id, credential_id, cause, reason) SELECT steward.default_org(), id, 'leak', 'x' FROM fixture WHERE name = 'k-leak';
SELECT pg_temp.cure('leak_suspected');
SELECT pg_temp.credential('k-git', 'svc', 'api_key', changes => '{"storage_location": "GitHub repository"}') IS NOT NULL;
SELECT pg_temp.cure('secret_in_the_open');
SELECT pg_temp.credential('k-digit', 'svc', 'api_key', changes => '{"storage_location": "digital vault"}') IS NOT NULL;
SELECT pg_temp.cure('secret_in_the_open');
SELECT steward.register_service('watch', 'bob@findings.example') IS NOT NULL, steward.register_signal_source('watch', 'watch') IS NOT NULL;
SELECT pg_temp.credential('k-signal', 'bot', 'session') IS NOT NULL;
SELECT outcome FROM steward.report_signal(jsonb_build_object('id', '1', 'credential', (SELECT id FROM fixture WHERE name = 'k-signal'), 'side', 'response', 'category', 'secret_leak', 'score', 1), 'watch');
SELECT pg_temp.cure('leak_signalled');

-- NHI3
SELECT pg_temp.credential('k-forever', 'ada@findings.example', 'access_token', changes => '{"expires_at": null}') IS NOT NULL;
SELECT pg_temp.cure('third_party_never_expires');
SELECT pg_temp.credential('k-star', 'ada@findings.example', 'access_token', changes => '{"scopes": "*"}') IS NOT NULL;
SELECT pg_temp.cure('third_party_wildcard');
SELECT steward.register_system('by-hand', 'ada@findings.example', 'model_provider') IS NOT NULL;
SELECT pg_temp.cure('third_party_without_runbook');

-- NHI4
SELECT pg_temp.credential('k-static', 'bot', 'api_key', 'cloud', '{"expires_at": "2099-01-01"}') IS NOT NULL;
SELECT pg_temp.cure('static_key_on_agent');
SELECT pg_temp.credential('k-password', 'svc', 'password', 'cloud') IS NOT NULL;
SELECT pg_temp.cure('password_on_machine');

-- NHI5
SELECT pg_temp.credential('k-all', 'svc', 'api_key', 'cloud', '{"scopes": "*"}') IS NOT NULL;
SELECT pg_temp.cure('wildcard_scope');
SELECT pg_temp.credential('k-drift', 'svc', 'api_key', 'cloud', '{"scopes": "s3:read", "observed_scopes": "s3:read s3:write"}') IS NOT NULL;
SELECT evidence FROM steward.findings WHERE org_id = steward.default_org() AND rule = 'scope_drift';
SELECT pg_temp.cure('scope_drift');
SELECT pg_temp.credential('k-beyond', 'svc', 'api_key', 'cloud', '{"source": "issued"}') IS NOT NULL;
SELECT pg_temp.cure('beyond_grants');
INSERT INTO steward.scope_grant (org_id, principal_id, scopes, source, justification, requested_by, starts_at)
    SELECT org_id, id, v.scopes::steward.scope_set, v.source, 'x', current_user, now() - interval '9 hours' FROM steward.principal, (VALUES ('*', 'direct'), ('x:write', 'break_glass')) AS v(scopes, source)
    WHERE org_id = steward.default_org() AND name = 'svc';
SELECT pg_temp.cure('wildcard_grant_unapproved');
SELECT steward.set_finding_rule('break_glass_long', threshold => 10);
SELECT count(*) FROM steward.findings WHERE org_id = steward.default_org() AND rule = 'break_glass_long';
SELECT steward.set_finding_rule('break_glass_long');
BEGIN;
SELECT pg_temp.cure('break_glass_without_end');
ROLLBACK;
SELECT pg_temp.cure('break_glass_long');
SELECT steward.register_agent('free', 'ada@findings.example', purpose => 'test', autonomy => 'autonomous') IS NOT NULL, pg_temp.credential('k-free', 'free', 'session') IS NOT NULL;
SELECT pg_temp.cure('autonomous_unjustified');

-- NHI6
SELECT pg_temp.credential('k-cloud', 'ada@findings.example', 'cloud_key', 'cloud', '{"expires_at": null}') IS NOT NULL;
SELECT pg_temp.cure('cloud_key_never_expires');
SELECT pg_temp.credential('k-ci', 'ada@findings.example', 'api_key', 'ci', jsonb_build_object('expires_at', now() + interval '60 days')) IS NOT NULL;
SELECT pg_temp.cure('static_key_in_ci');

-- NHI7
SELECT pg_temp.credential('k-never', 'svc', 'certificate', 'cloud', '{"expires_at": null}') IS NOT NULL;
SELECT pg_temp.cure('never_expires');
SELECT pg_temp.credential('k-old', 'svc', 'certificate', 'cloud', jsonb_build_object('issued_at', now() - interval '366 days')) IS NOT NULL;
SELECT pg_temp.cure('too_old');
SELECT pg_temp.credential('k-rotate', 'svc', 'certificate', 'cloud', jsonb_build_object('rotate_by', now())) IS NOT NULL;
SELECT pg_temp.cure('rotation_overdue');
SELECT pg_temp.credential('k-policy', 'svc', 'certificate', 'cloud', jsonb_build_object('expires_at', now() + interval '2 years')) IS NOT NULL;
SELECT pg_temp.cure('lifetime_over_policy');

-- NHI8
SELECT pg_temp.credential('k-env', 'svc', 'certificate', 'cloud', '{"environment": "production"}') IS NOT NULL;
SELECT pg_temp.cure('environment_crossed');
SELECT pg_temp.credential('k-env2', 'svc', 'certificate', 'ci', '{"environment": "test"}') IS NOT NULL;
SELECT pg_temp.cure('system_environment_crossed');

-- NHI9
SELECT pg_temp.credential('k-twin-' || i, 'svc', 'certificate', 'cloud', jsonb_build_object('digest', repeat('ab', 32), 'digest_version', 0)) IS NOT NULL FROM generate_series(1, 2) AS i;
SELECT pg_temp.cure('secret_reused');
SELECT count(pg_temp.credential('k-many-' || i, 'svc', 'api_key', 'cloud')) FROM generate_series(1, 7) AS i;
SELECT pg_temp.cure('key_sprawl');
SELECT string_agg(display, ' ' ORDER BY display) FROM steward.credential WHERE org_id = steward.default_org() AND display LIKE 'k-many-%' AND state <> 'revoked';

-- NHI10
SELECT pg_temp.credential('k-person', 'ada@findings.example', 'oauth_client') IS NOT NULL;
SELECT pg_temp.cure('person_with_machine_credential');

-- directory, signals, controls
UPDATE steward.directory SET last_import_at = now() - interval '8 days' WHERE org_id = steward.default_org();
\set resources '[{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "1", "userName": "ada@findings.example"}]'
SELECT severity, object, remedy LIKE 'SELECT * FROM steward.import_directory(%' FROM steward.findings WHERE org_id = steward.default_org() AND rule = 'directory_stale';
SELECT replace(remedy, ':''resources''', quote_literal(:'resources')) AS cure FROM steward.findings WHERE org_id = steward.default_org() AND rule = 'directory_stale' \gset
SELECT count(*) > 0 FROM (SELECT 1) AS x; :cure
SELECT count(*) FROM steward.findings WHERE org_id = steward.default_org() AND rule = 'directory_stale';
SELECT outcome FROM steward.report_signal('{"id": "2", "agent": "ghost", "side": "prompt", "category": "jailbreak", "score": 1}', 'watch');
SELECT pg_temp.cure('unregistered_agent');
SELECT o.user_name FROM steward.principal p JOIN steward.principal o ON o.org_id = p.org_id AND o.id = p.owner_id WHERE p.org_id = steward.default_org() AND p.name = 'ghost';
UPDATE steward.signal_source SET braked_at = now() WHERE org_id = steward.default_org();
SELECT pg_temp.cure('brake_tripped');
SELECT result FROM steward.evaluate_controls('monitors-seen');
UPDATE steward.signal_source SET last_seen_at = now() - interval '25 hours' WHERE org_id = steward.default_org();
SELECT result FROM steward.evaluate_controls('monitors-seen');
UPDATE steward.signal_source SET last_seen_at = now() WHERE org_id = steward.default_org();
SELECT pg_temp.cure('control_failing');
UPDATE steward.control_evidence SET evaluated_at = evaluated_at - interval '3 days' WHERE org_id = steward.default_org();
SELECT pg_temp.cure('control_stale');
CREATE VIEW public.findings_evidence AS SELECT NULL::uuid AS org_id, true AS passed, 'x'::text AS detail;
SELECT steward.register_control('ours', 'x', 'sso', 'public.findings_evidence', '{}');
DROP VIEW public.findings_evidence;
SELECT result FROM steward.evaluate_controls('ours');
SELECT pg_temp.cure('control_error');
UPDATE steward.signal_source SET last_seen_at = now() - interval '25 hours' WHERE org_id = steward.default_org();
SELECT pg_temp.cure('source_silent');

-- accepting one: until an end, with somebody else's approval; then it is back, and history counted both
SELECT pg_temp.credential('k-accepted', 'svc', 'certificate', 'cloud', '{"expires_at": null}') IS NOT NULL;
SELECT steward.accept_finding('never_expires', (SELECT id::text FROM fixture WHERE name = 'k-accepted'), 'until the vendor can', 'ada@findings.example', 'bob@findings.example', now() + interval '1 day') IS NOT NULL;
SELECT count(*) FROM steward.findings WHERE org_id = steward.default_org() AND rule = 'never_expires';
SELECT rule, requested_by, approved_by FROM steward.finding_exceptions WHERE org_id = steward.default_org();
SELECT count(*) > 0 FROM steward.maintain();
SELECT findings, accepted FROM steward.finding_history WHERE org_id = steward.default_org() AND rule = 'never_expires';
UPDATE steward.finding_exception SET starts_at = now() - interval '2 days', ends_at = now() - interval '1 day' WHERE org_id = steward.default_org();
SELECT rule, severity FROM steward.findings WHERE org_id = steward.default_org() AND rule IN ('never_expires', 'exception_ended') ORDER BY 1;
SELECT pg_temp.cure('exception_ended');
-- severities per organization, off among them
SELECT steward.set_finding_rule('never_expires', 'critical');
SELECT severity FROM steward.findings WHERE org_id = steward.default_org() AND rule = 'never_expires';
SELECT steward.set_finding_rule('never_expires', 'off');
SELECT count(*) FROM steward.findings WHERE org_id = steward.default_org() AND rule = 'never_expires';
SELECT steward.set_finding_rule('never_expires'), steward.set_finding_rule('never_expires');
SELECT pg_temp.cure('never_expires');

-- every rule was shown above
SELECT count(*) FROM steward.finding_rule;
-- bad input
CREATE FUNCTION pg_temp.state_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    RETURN concat_ws(' | ', SQLSTATE, SQLERRM);
END $$;
SELECT pg_temp.state_of(s) FROM (VALUES
    (1, $$SELECT steward.accept_finding('never_expires', 'x', 'r', 'ada@findings.example', 'ada@findings.example', now() + interval '1 day')$$),
    (2, $$SELECT steward.accept_finding('never_expires', 'x', 'r', 'ada@findings.example', 'bob@findings.example', NULL)$$),
    (3, $$SELECT steward.accept_finding('never_expires', 'x', 'r', 'ada@findings.example', 'bob@findings.example', 'infinity')$$),
    (4, $$SELECT steward.accept_finding('never_expires', 'x', 'r', 'ada@findings.example', 'bob@findings.example', now() - interval '1 day')$$),
    (5, $$SELECT steward.accept_finding('never_expires', 'x', 'r', 'ada@findings.example', 'bob@findings.example', now() + interval '2 years')$$),
    (6, $$SELECT steward.accept_finding('no_rule', 'x', 'r', 'ada@findings.example', 'bob@findings.example', now() + interval '1 day')$$),
    (7, $$SELECT steward.accept_finding('never_expires', 'x', NULL, 'ada@findings.example', 'bob@findings.example', now() + interval '1 day')$$),
    (8, $$SELECT steward.accept_finding('never_expires', 'x', 'r', 'bot', 'bob@findings.example', now() + interval '1 day')$$),
    (9, $$SELECT steward.accept_finding('never_expires', 'x', 'r', 'ada@findings.example', 'gone@findings.example', now() + interval '1 day')$$),
    (10, $$SELECT steward.set_finding_rule('no_rule', 'low')$$), (11, $$SELECT steward.set_finding_rule('too_old', 'dire')$$),
    (12, $$SELECT steward.set_finding_rule('too_old', threshold => -1)$$), (13, $$SELECT steward.set_finding_rule('never_expires', threshold => 5)$$),
    (14, $$SELECT steward.end_exception(NULL)$$)
) AS t(n, s) ORDER BY n;
-- access questions
SELECT steward.grant_scopes('bot', 'tickets:*', 'answers them') IS NOT NULL;
SELECT allowed, scope, through, detail LIKE '%answers them%' FROM steward.explain_access('bot', 'tickets:read mail:send');
UPDATE steward.scope_grant SET ends_at = clock_timestamp() WHERE org_id = steward.default_org() AND justification = 'answers them';
SELECT allowed, scope, through, detail LIKE 'a grant of it ended%' FROM steward.explain_access('bot', 'tickets:read');
SELECT allowed, scope, through, left(detail, 20) FROM steward.explain_access('gone@findings.example', 'x:read');
SELECT pg_temp.state_of($$SELECT * FROM steward.explain_access('nobody', 'x')$$), pg_temp.state_of($$SELECT * FROM steward.explain_access('bot', '')$$);
