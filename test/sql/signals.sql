-- A signal of a runtime monitor contains its agent in the commit that records it, never widens anything, and is undone
-- with provenance.
\pset format unaligned
\pset tuples_only on
SELECT count(*) > 0 FROM steward.setup(organization => 'signals');
SELECT count(*) > 0 FROM steward.setup(organization => 'signals-other');
SELECT steward.use_org('signals-other') IS NOT NULL;
SELECT count(*) FROM steward.import_directory('signals-dir', '[{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "9", "userName": "eve@signals.example"}]') WHERE resource = 'users';
SELECT steward.register_agent('foreign-bot', owner => 'eve@signals.example', purpose => 'test') IS NOT NULL;
SELECT steward.use_org('signals') IS NOT NULL;
SELECT count(*) FROM steward.import_directory('signals-dir', '[
    {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "1", "userName": "ada@signals.example"}]') WHERE resource = 'users';
CREATE TEMP TABLE secrets (agent text, secret text, id uuid);
DO $$
BEGIN
    PERFORM steward.register_service('watcher', owner => 'ada@signals.example');
    PERFORM steward.register_service('scanner', owner => 'ada@signals.example');
    PERFORM steward.register_service('hasty', owner => 'ada@signals.example');
    FOR i IN 1..6 LOOP
        PERFORM steward.register_agent('bot-' || i, owner => 'ada@signals.example', purpose => 'test', autonomy => CASE WHEN i = 2 THEN 'autonomous' ELSE 'supervised' END);
        INSERT INTO secrets SELECT 'bot-' || i, k.secret, k.credential_id FROM steward.issue_key('bot-' || i, 'tickets:read') k;
    END LOOP;
    INSERT INTO secrets SELECT 'bot-1 wide', k.secret, k.credential_id FROM steward.issue_key('bot-1', 'tickets:read mail:send') k;
END $$;
CREATE FUNCTION pg_temp.state_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''));
END $$;
CREATE FUNCTION pg_temp.live() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(agent || '=' || (steward.authorize(secret)).reason, ' ' ORDER BY agent) FROM secrets
$$;
-- everything as it was, for the next case
CREATE PROCEDURE pg_temp.begin_again() LANGUAGE plpgsql AS $$
BEGIN
    PERFORM steward.release_signal(s.id, 'next case') FROM steward.signal s WHERE s.org_id = steward.default_org() AND s.released_at IS NULL AND s.outcome IN ('suspend', 'narrow');
    PERFORM steward.drop_signal_rule(r.name) FROM steward.signal_rules r WHERE r.org_id = steward.default_org();
    PERFORM steward.reset_brake(s.name) FROM steward.signal_sources s WHERE s.org_id = steward.default_org();
END $$;

-- a source gets its scope with its registration, and only an administrator registers one
SELECT steward.register_signal_source('watcher', 'watcher', max_action => 'revoke') IS NOT NULL;
SELECT steward.register_signal_source('scanner', 'scanner', max_action => 'alert', agents => ARRAY['bot-1']) IS NOT NULL;
SELECT name, max_action, speaks_for_all, agents FROM steward.signal_sources WHERE org_id = steward.default_org() ORDER BY name;
SELECT principal, scopes FROM steward.effective_access WHERE org_id = steward.default_org() AND scopes::text LIKE 'signal:%' ORDER BY 1;

-- without a rule a signal is recorded and nothing else happens
SELECT * FROM steward.report_signal('{"id": "s1", "agent": "bot-1", "side": "prompt", "category": "prompt_injection", "score": 0.95, "verdict": "malicious", "action": "blocked", "session": "x", "model": "m"}', 'watcher');
SELECT agent, category, owasp, atlas, outcome, verdict, action_taken FROM steward.signals WHERE org_id = steward.default_org();
SELECT pg_temp.live();

-- with one, the next statement of the agent is refused; the others go on; the same id again does nothing
SELECT steward.set_signal_rule('inject', 'suspend', category => 'prompt_injection', min_score => 0.9, suspend_for => '1 hour') IS NOT NULL;
SELECT signal_id, result, outcome FROM steward.report_signal('{"id": "s2", "agent": "bot-1", "side": "prompt", "category": "prompt_injection", "score": 0.95}', 'watcher');
SELECT pg_temp.live();
SELECT signal_id, result, outcome FROM steward.report_signal('{"id": "s2", "agent": "bot-1", "side": "prompt", "category": "prompt_injection", "score": 0.95}', 'watcher');
SELECT signal_id, result, outcome FROM steward.report_signal('{"id": "s1", "agent": "bot-1", "side": "prompt", "category": "prompt_injection", "score": 0.95}', 'watcher');
SELECT count(*) FROM steward.suspension WHERE org_id = steward.default_org() AND cause = 'signal' AND lifted_at IS NULL;
-- released, it is live again; released twice does nothing more
SELECT steward.release_signal(id, 'false alarm') FROM steward.signals WHERE org_id = steward.default_org() AND signal_id = 's2';
SELECT steward.release_signal(id, 'false alarm') FROM steward.signals WHERE org_id = steward.default_org() AND signal_id = 's2';
SELECT pg_temp.live();
SELECT released_by = current_user, release_reason FROM steward.signals WHERE org_id = steward.default_org() AND signal_id = 's2';

-- releasing a signal leaves what something else holds
SELECT outcome FROM steward.report_signal('{"id": "s3", "agent": "bot-1", "side": "prompt", "category": "prompt_injection", "score": 1}', 'watcher');
INSERT INTO steward.suspension (org_id, principal_id, cause, reason) SELECT org_id, id, 'leak', 'another reason' FROM steward.principal WHERE org_id = steward.default_org() AND name = 'bot-1';
SELECT steward.release_signal(id, 'false alarm') FROM steward.signals WHERE org_id = steward.default_org() AND signal_id = 's3';
SELECT pg_temp.live();
UPDATE steward.suspension SET lifted_at = now(), lifted_by = current_user WHERE org_id = steward.default_org() AND cause = 'leak';
UPDATE steward.principal SET state = 'active' WHERE org_id = steward.default_org() AND name = 'bot-1';

-- the end comes by itself, and not before its time
SELECT steward.set_signal_rule('inject', 'suspend', category => 'prompt_injection', min_score => 0.9, suspend_for => '1 second') IS NOT NULL;
SELECT outcome FROM steward.report_signal('{"id": "s4", "agent": "bot-1", "side": "prompt", "category": "prompt_injection", "score": 1}', 'watcher');
SELECT count(*) > 0 FROM steward.maintain();
SELECT pg_temp.live();
UPDATE steward.suspension SET until = clock_timestamp() WHERE org_id = steward.default_org() AND cause = 'signal' AND lifted_at IS NULL;
SELECT count(*) > 0 FROM steward.maintain();
SELECT pg_temp.live();
CALL pg_temp.begin_again();

-- matching: category, score, verdict, autonomy; each case against one rule (score 0.8, category jailbreak, autonomous agents)
SELECT steward.set_signal_rule('auto', 'suspend', category => 'jailbreak', min_score => 0.8, autonomy => 'autonomous', suspend_for => '1 hour') IS NOT NULL;
SELECT c.what, r.outcome FROM (VALUES
    (1, 'score below', '{"id": "m1", "agent": "bot-2", "side": "prompt", "category": "jailbreak", "score": 0.79}'),
    (2, 'other category', '{"id": "m2", "agent": "bot-2", "side": "prompt", "category": "toxicity", "score": 1}'),
    (3, 'benign', '{"id": "m3", "agent": "bot-2", "side": "prompt", "category": "jailbreak", "score": 1, "verdict": "benign"}'),
    (4, 'supervised agent', '{"id": "m4", "agent": "bot-3", "side": "prompt", "category": "jailbreak", "score": 1}'),
    (5, 'at the threshold', '{"id": "m5", "agent": "bot-2", "side": "prompt", "category": "jailbreak", "score": 0.8}'),
    (6, 'held already', '{"id": "m6", "agent": "bot-2", "side": "prompt", "category": "jailbreak", "score": 1}')
) AS c(n, what, signal), LATERAL steward.report_signal(c.signal::jsonb, 'watcher') r ORDER BY c.n;
CALL pg_temp.begin_again();

-- counting within a window: three in ten minutes, the edges, and one that comes late
SELECT steward.set_signal_rule('three', 'suspend', category => 'tool_misuse', min_score => 0.5, min_count => 3, within => '10 minutes', suspend_for => '1 hour') IS NOT NULL;
CREATE FUNCTION pg_temp.tool(id text, agent text, ago interval) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('id', id, 'agent', agent, 'side', 'tool', 'category', 'tool_misuse', 'score', 0.6,
        'occurred_at', to_char((timestamptz '2026-01-01 12:00:00+00' - ago) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
$$;
SELECT 'in time', r.outcome FROM (VALUES (1, '9 minutes'), (2, '5 minutes'), (3, '0')) AS c(n, ago), LATERAL steward.report_signal(pg_temp.tool('w' || n, 'bot-3', ago::interval), 'watcher') r ORDER BY n;
SELECT 'at the edge', r.outcome FROM (VALUES (1, '10 minutes'), (2, '5 minutes'), (3, '0')) AS c(n, ago), LATERAL steward.report_signal(pg_temp.tool('e' || n, 'bot-4', ago::interval), 'watcher') r ORDER BY n;
SELECT 'late', r.outcome FROM (VALUES (1, '0'), (2, '5 minutes'), (3, '9 minutes')) AS c(n, ago), LATERAL steward.report_signal(pg_temp.tool('l' || n, 'bot-5', ago::interval), 'watcher') r ORDER BY n;
CALL pg_temp.begin_again();

-- narrow: what reaches beyond is suspended, what remains within goes on; a maximum lowers what a rule asks for
SELECT steward.set_signal_rule('narrow', 'narrow', category => 'exfiltration', narrow_to => 'tickets:read', suspend_for => '1 hour') IS NOT NULL;
SELECT outcome FROM steward.report_signal('{"id": "n1", "agent": "bot-1", "side": "tool", "category": "exfiltration", "score": 1}', 'watcher');
SELECT pg_temp.live();
SELECT steward.release_signal(id, 'done') FROM steward.signals WHERE org_id = steward.default_org() AND signal_id = 'n1';
SELECT pg_temp.live();
SELECT outcome FROM steward.report_signal('{"id": "n2", "agent": "bot-1", "side": "tool", "category": "exfiltration", "score": 1}', 'scanner');
SELECT pg_temp.live();
CALL pg_temp.begin_again();

-- the brake is the source's: past three agents it contains nobody more, another source still does, and it is a finding
SELECT steward.set_signal_rule('all', 'suspend', suspend_for => '1 hour') IS NOT NULL;
SELECT steward.register_signal_source('hasty', 'hasty', brake_limit => 3) IS NOT NULL;
SELECT r.outcome FROM generate_series(1, 5) AS i, LATERAL steward.report_signal(jsonb_build_object('id', 'b' || i, 'agent', 'bot-' || i, 'side', 'tool', 'category', 'toxicity', 'score', 1), 'hasty') r ORDER BY i;
SELECT pg_temp.live();
SELECT severity, object, remedy LIKE 'SELECT steward.reset_brake%' FROM steward.findings WHERE org_id = steward.default_org() AND rule = 'brake_tripped';
SELECT status, detail FROM steward.health WHERE check_name = 'signal sources';
SELECT steward.register_signal_source('scanner', 'scanner', max_action => 'suspend') IS NOT NULL;
SELECT outcome FROM steward.report_signal('{"id": "b9", "agent": "bot-5", "side": "tool", "category": "toxicity", "score": 1}', 'scanner');
SELECT steward.reset_brake('hasty'), steward.reset_brake('hasty');
SELECT outcome FROM steward.report_signal('{"id": "b10", "agent": "bot-4", "side": "tool", "category": "toxicity", "score": 1}', 'hasty');
CALL pg_temp.begin_again();
-- many at once are the same: the brake holds from the fourth on
SELECT steward.set_signal_rule('all', 'suspend', suspend_for => '1 hour') IS NOT NULL;
SELECT outcome, count(*) FROM steward.report_signals((SELECT jsonb_agg(jsonb_build_object('id', 'c' || i, 'agent', 'bot-' || i, 'side', 'tool', 'category', 'toxicity', 'score', 1)) FROM generate_series(1, 6) AS i), 'hasty') GROUP BY 1 ORDER BY 1;
CALL pg_temp.begin_again();
SELECT pg_temp.live();

-- revoke: everything it holds is dead, the act is on record, and releasing brings nothing back
SELECT steward.set_signal_rule('leak', 'revoke', category => 'secret_leak') IS NOT NULL;
SELECT outcome FROM steward.report_signal(jsonb_build_object('id', 'r1', 'credential', (SELECT id FROM secrets WHERE agent = 'bot-6'), 'side', 'response', 'category', 'secret_leak', 'score', 1), 'watcher');
SELECT s.outcome, r.reason, r.note FROM steward.signals s JOIN steward.revocation r ON r.org_id = s.org_id AND r.id = s.revocation_id WHERE s.org_id = steward.default_org();
SELECT steward.release_signal(id, 'regret') FROM steward.signals WHERE org_id = steward.default_org() AND signal_id = 'r1';
SELECT pg_temp.live();
CALL pg_temp.begin_again();

-- agents nobody registered are findings; another organization's agent is one of these
SELECT result, outcome, detail FROM steward.report_signal('{"id": "u1", "agent": "ghost", "side": "prompt", "category": "jailbreak", "score": 1}', 'watcher');
SELECT result, outcome FROM steward.report_signal(jsonb_build_object('id', 'u2', 'agent', (SELECT id FROM steward.principal WHERE name = 'foreign-bot'), 'side', 'prompt', 'category', 'jailbreak', 'score', 1), 'watcher');
SELECT severity, count(*), bool_or(object = 'ghost') FROM steward.findings WHERE org_id = steward.default_org() AND rule = 'unregistered_agent' GROUP BY 1;
-- a prefix of an id is enough when it is unique; all ids here begin alike, so a short one is not
SELECT outcome FROM steward.report_signal(jsonb_build_object('id', 'p1', 'agent', (SELECT left(id::text, 35) FROM steward.principal WHERE org_id = steward.default_org() AND name = 'bot-1'), 'side', 'prompt', 'category', 'toxicity', 'score', 0.1), 'watcher');
SELECT agent FROM steward.signals WHERE org_id = steward.default_org() AND signal_id = 'p1';
SELECT outcome FROM steward.report_signal(jsonb_build_object('id', 'p2', 'agent', (SELECT left(id::text, 8) FROM steward.principal WHERE org_id = steward.default_org() AND name = 'bot-1'), 'side', 'prompt', 'category', 'toxicity', 'score', 0.1), 'watcher');

-- adapters: LLM Guard's scanners and Prisma AIRS' detections, each a signal
SELECT * FROM steward.report_signal('{"id": "g1", "agent": "bot-1", "is_valid": false, "sanitized_output": "x", "scanners": {"Sensitive": 0.9, "Toxicity": -1.0, "Secrets": 0.6, "Relevance": 0}}', 'watcher', 'llm_guard');
SELECT * FROM steward.report_signal('{"scan_id": "a1", "app_name": "bot-1", "action": "block", "category": "malicious", "profile_name": "strict", "prompt_detected": {"injection": true, "dlp": false, "url_cats": false}, "response_detected": {"db_security": true}}', 'watcher', 'prisma_airs');
SELECT signal_id, side, category, score, verdict, action_taken, policy, owasp FROM steward.signals WHERE org_id = steward.default_org() AND signal_id ~ '^[ag]1:' ORDER BY 1;
SELECT count(*) FROM steward.report_signal('{"id": "g2", "agent": "bot-1", "is_valid": true, "sanitized_prompt": "x", "scanners": {"PromptInjection": 0.0}}', 'watcher', 'llm_guard');
SELECT count(*) FROM steward.report_signal('{"scan_id": "a2", "app_name": "bot-1", "action": "allow", "category": "benign", "prompt_detected": {"injection": false}}', 'watcher', 'prisma_airs');

-- bad input: refused with what is wrong, and nothing recorded
CREATE TEMP TABLE before AS SELECT count(*) AS n FROM steward.signal;
SELECT steward.register_signal_source('scanner', 'scanner', max_action => 'alert', agents => ARRAY['bot-1']) IS NOT NULL;
SELECT n, pg_temp.state_of(format('SELECT * FROM steward.report_signal(%L, %L)', '{"id": "x", "agent": "bot-2", "side": "prompt", "category": "toxicity", "score": 0.5}'::jsonb || change::jsonb, source))
FROM (VALUES
    (1, '{"category": "astrology"}', 'watcher'), (2, '{"score": 1.01}', 'watcher'), (3, '{"score": -0.1}', 'watcher'), (4, '{"score": "0.5"}', 'watcher'),
    (5, '{"occurred_at": "2999-01-01T00:00:00Z"}', 'watcher'), (6, '{"occurred_at": "yesterday"}', 'watcher'), (7, '{"occurred_at": "2026-02-30T00:00:00Z"}', 'watcher'),
    (8, '{"side": "left"}', 'watcher'), (9, '{"id": ""}', 'watcher'), (10, '{"id": null}', 'watcher'), (11, '{"agent": null}', 'watcher'), (12, '{"verdict": "guilty"}', 'watcher'),
    (13, '{"action": "prayed"}', 'watcher'), (14, '{"agent": " padded"}', 'watcher'), (15, '{}', 'scanner'), (16, '{}', 'nobody'), (17, '{"session": ""}', 'watcher')
) AS t(n, change, source) ORDER BY n;
SELECT pg_temp.state_of($$SELECT * FROM steward.report_signal('[]', 'watcher')$$), pg_temp.state_of($$SELECT * FROM steward.report_signal(NULL, 'watcher')$$),
    pg_temp.state_of($$SELECT * FROM steward.report_signals('{}', 'watcher')$$), pg_temp.state_of($$SELECT * FROM steward.report_signals('[]', 'watcher', 'syslog')$$);
SELECT pg_temp.state_of($$SELECT count(*) FROM steward.report_signals((SELECT jsonb_agg(i) FROM generate_series(1, 1000000) i), 'watcher')$$);
SELECT pg_temp.state_of($$SELECT * FROM steward.report_signal('{"id": "x"}')$$);
SELECT count(*) - n FROM steward.signal, before GROUP BY n;
-- in bulk the good ones are kept
SELECT signal_id, result, outcome, detail FROM steward.report_signals('[{"id": "k1", "agent": "bot-1", "side": "prompt", "category": "toxicity", "score": 0.1}, {"id": "k2"}, 7,
    {"id": "k1", "agent": "bot-1", "side": "prompt", "category": "toxicity", "score": 0.1}]', 'watcher');
SELECT pg_temp.state_of(s) FROM (VALUES
    (1, $$SELECT steward.set_signal_rule('x', 'explode')$$), (2, $$SELECT steward.set_signal_rule('x', 'suspend', category => 'astrology')$$),
    (3, $$SELECT steward.set_signal_rule('x', 'suspend', min_score => 2)$$), (4, $$SELECT steward.set_signal_rule('x', 'suspend', min_count => 0)$$),
    (5, $$SELECT steward.set_signal_rule('x', 'narrow')$$), (6, $$SELECT steward.set_signal_rule('x', 'alert', suspend_for => '1 hour')$$),
    (7, $$SELECT steward.set_signal_rule('x', 'suspend', suspend_for => '0')$$), (8, $$SELECT steward.set_signal_rule('x', 'suspend', autonomy => 'wild')$$),
    (9, $$SELECT steward.register_signal_source('Bad Name', 'watcher')$$), (10, $$SELECT steward.register_signal_source('x', 'nobody')$$),
    (11, $$SELECT steward.register_signal_source('x', 'watcher', agents => ARRAY['foreign-bot'])$$), (12, $$SELECT steward.register_signal_source('x', 'watcher', brake_limit => 0)$$),
    (13, $$SELECT steward.release_signal('00000000-0000-0000-0000-000000000000', 'x')$$)
) AS t(n, s) ORDER BY n;

-- a forged source: a role that does not speak for it, a principal that lost its scope, a retired one
CREATE ROLE signals_voice; CREATE ROLE signals_thief;
SELECT steward.grant_profile('signals_voice', 'security'), steward.grant_profile('signals_thief', 'security');
SELECT steward.register_signal_source('watcher', 'watcher', max_action => 'revoke', role => 'signals_voice') IS NOT NULL;
SET ROLE signals_thief;
SELECT pg_temp.state_of($$SELECT * FROM steward.report_signal('{"id": "f1", "agent": "bot-1", "side": "prompt", "category": "toxicity", "score": 0.1}', 'watcher')$$);
SELECT pg_temp.state_of($$SELECT steward.register_signal_source('mine', 'watcher')$$);
SET ROLE signals_voice;
SELECT result FROM steward.report_signal('{"id": "f2", "agent": "bot-1", "side": "prompt", "category": "toxicity", "score": 0.1}', 'watcher');
RESET ROLE;
UPDATE steward.scope_grant g SET ends_at = clock_timestamp() FROM steward.principal p WHERE p.org_id = g.org_id AND p.id = g.principal_id AND p.name = 'watcher' AND p.org_id = steward.default_org();
SELECT pg_temp.state_of($$SELECT * FROM steward.report_signal('{"id": "f3", "agent": "bot-1", "side": "prompt", "category": "toxicity", "score": 0.1}', 'watcher')$$);
SELECT steward.retire_signal_source('watcher'), steward.retire_signal_source('watcher');
SELECT pg_temp.state_of($$SELECT * FROM steward.report_signal('{"id": "f4", "agent": "bot-1", "side": "prompt", "category": "toxicity", "score": 0.1}', 'watcher')$$);
SELECT steward.revoke_profile('signals_voice', 'security'), steward.revoke_profile('signals_thief', 'security');
DROP ROLE signals_voice, signals_thief;
-- nothing that was reported made anything wider: no grant but those of the sources and the keys
SELECT count(*) FROM steward.scope_grant WHERE org_id = steward.default_org() AND scopes::text NOT IN ('tickets:read', 'mail:send', 'signal:watcher', 'signal:scanner', 'signal:hasty');
