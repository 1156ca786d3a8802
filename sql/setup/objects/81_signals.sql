-- Signals of runtime monitors.

CREATE OR REPLACE VIEW steward.signal_category AS
SELECT v.category, v.owasp, v.atlas, v.description
FROM (VALUES
    ('prompt_injection', 'LLM01:2025', 'AML.T0051', 'input that redirects the agent'),
    ('jailbreak', 'LLM01:2025', 'AML.T0054', 'input that takes the model out of its guardrails'),
    ('data_leak', 'LLM02:2025', 'AML.T0057', 'personal or confidential data in an answer'),
    ('secret_leak', 'LLM02:2025', 'AML.T0055', 'a credential in a prompt or an answer'),
    ('supply_chain', 'LLM03:2025', 'AML.T0010', 'a model, tool or package that is not what it was'),
    ('poisoning', 'LLM04:2025', 'AML.T0020', 'data that was tampered with'),
    ('malicious_code', 'LLM05:2025', 'AML.T0053', 'code that does harm when it is run'),
    ('malicious_url', 'LLM05:2025', 'AML.T0086', 'an address that does harm when it is followed'),
    ('unsafe_output', 'LLM05:2025', NULL, 'an answer that must not be shown or run as it is'),
    ('tool_misuse', 'LLM06:2025', 'AML.T0053', 'a tool used against its purpose'),
    ('exfiltration', 'LLM06:2025', 'AML.T0086', 'data leaving through a tool'),
    ('database_attack', 'LLM06:2025', 'AML.T0053', 'a query that reads or changes what it must not'),
    ('prompt_leak', 'LLM07:2025', 'AML.T0056', 'the system prompt in an answer'),
    ('retrieval_violation', 'LLM08:2025', NULL, 'retrieval across a border between tenants or clearances'),
    ('misinformation', 'LLM09:2025', NULL, 'an answer that its sources do not support'),
    ('consumption', 'LLM10:2025', 'AML.T0029', 'use that runs away'),
    ('toxicity', NULL, NULL, 'language that harms'),
    ('topic', NULL, NULL, 'a topic that policy excludes')
) AS v(category, owasp, atlas, description);
COMMENT ON VIEW steward.signal_category IS 'what signals can be about, with the OWASP LLM risk and the MITRE ATLAS technique they belong to';

CREATE OR REPLACE VIEW steward.signals AS
SELECT g.org_id, g.id, s.name AS source, g.signal_id, coalesce(p.name, g.claimed_agent) AS agent, c.display AS credential, g.side, g.category, g.score,
       g.verdict, g.action_taken, g.policy, g.session_id, g.model, g.owasp, g.atlas, g.occurred_at, g.received_at, r.name AS rule, g.outcome,
       g.contained_until, g.revocation_id, g.released_at, g.released_by, g.release_reason, g.agent_id, g.credential_id, g.source_id
FROM steward.signal g
JOIN steward.signal_source s ON s.org_id = g.org_id AND s.id = g.source_id
LEFT JOIN steward.principal p ON p.org_id = g.org_id AND p.id = g.agent_id
LEFT JOIN steward.credential c ON c.org_id = g.org_id AND c.id = g.credential_id
LEFT JOIN steward.signal_rule r ON r.org_id = g.org_id AND r.id = g.rule_id;
COMMENT ON VIEW steward.signals IS 'what monitors reported, about whom, and what it brought about';

CREATE OR REPLACE VIEW steward.signal_sources AS
SELECT s.org_id, s.name, coalesce(p.user_name, p.name) AS principal, p.state AS principal_state, s.role_name, s.max_action, s.brake_limit, s.brake_window,
       s.braked_at, s.last_seen_at, s.retired_at, s.agents IS NULL AS speaks_for_all,
       (SELECT array_agg(a.name ORDER BY a.name) FROM steward.principal a WHERE a.org_id = s.org_id AND a.id = ANY (s.agents)) AS agents,
       (SELECT count(*) FROM steward.signal g WHERE g.org_id = s.org_id AND g.source_id = s.id AND g.received_at > now() - interval '1 day') AS signals_today
FROM steward.signal_source s JOIN steward.principal p ON p.org_id = s.org_id AND p.id = s.principal_id;
COMMENT ON VIEW steward.signal_sources IS 'monitors that may report, about whom, with what effect at most, and when they were heard of';

CREATE OR REPLACE VIEW steward.signal_rules AS
SELECT r.org_id, r.name, r.category, r.min_score, r.min_count, r.within, r.autonomy, r.action, r.suspend_for, r.narrow_to
FROM steward.signal_rule r;
COMMENT ON VIEW steward.signal_rules IS 'what signals bring about';
