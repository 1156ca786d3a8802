-- The control boundary: which layer answers for which risk, and what proves that it does.

CREATE OR REPLACE VIEW steward.risk AS
SELECT v.catalogue, v.id, v.name, v.description, v.layer, v.split::jsonb AS split
FROM (VALUES
    ('OWASP LLM 2025', 'LLM01:2025', 'Prompt Injection', 'what an agent reads makes it do what its owner did not ask for', 'runtime_monitoring', NULL),
    ('OWASP LLM 2025', 'LLM02:2025', 'Sensitive Information Disclosure', 'an answer carries data that its reader must not have', 'shared',
        '{"runtime_monitoring": "sees what leaves in an answer", "authorization": "keeps the agent from data it was not granted"}'),
    ('OWASP LLM 2025', 'LLM03:2025', 'Supply Chain', 'models, tools and packages from others bring their faults along', 'admin_control', NULL),
    ('OWASP LLM 2025', 'LLM04:2025', 'Data and Model Poisoning', 'training or retrieval data was tampered with', 'admin_control', NULL),
    ('OWASP LLM 2025', 'LLM05:2025', 'Improper Output Handling', 'what a model says is run or rendered unchecked', 'runtime_monitoring', NULL),
    ('OWASP LLM 2025', 'LLM06:2025', 'Excessive Agency', 'an agent can do more than its purpose needs', 'authorization', NULL),
    ('OWASP LLM 2025', 'LLM07:2025', 'System Prompt Leakage', 'instructions meant for the model reach its users', 'runtime_monitoring', NULL),
    ('OWASP LLM 2025', 'LLM08:2025', 'Vector and Embedding Weaknesses', 'retrieval crosses the borders between tenants or clearances', 'authorization', NULL),
    ('OWASP LLM 2025', 'LLM09:2025', 'Misinformation', 'a plausible answer is wrong and is acted upon', 'runtime_monitoring', NULL),
    ('OWASP LLM 2025', 'LLM10:2025', 'Unbounded Consumption', 'use runs away in volume or cost', 'shared',
        '{"runtime_monitoring": "counts and throttles requests", "authorization": "ends the key that makes them"}'),
    ('OWASP NHI 2025', 'NHI1:2025', 'Improper Offboarding', 'a machine identity outlives its purpose or its owner', 'directory_sync', NULL),
    ('OWASP NHI 2025', 'NHI2:2025', 'Secret Leakage', 'a secret lies where others can read it', 'shared',
        '{"runtime_monitoring": "finds the secret", "authorization": "revokes it in the same commit"}'),
    ('OWASP NHI 2025', 'NHI3:2025', 'Vulnerable Third-Party NHI', 'somebody else''s software holds a key to us', 'admin_control', NULL),
    ('OWASP NHI 2025', 'NHI4:2025', 'Insecure Authentication', 'machines prove who they are with something weak or static', 'sso', NULL),
    ('OWASP NHI 2025', 'NHI5:2025', 'Overprivileged NHI', 'a machine identity may do more than it needs', 'authorization', NULL),
    ('OWASP NHI 2025', 'NHI6:2025', 'Insecure Cloud Deployment Configurations', 'pipelines and clouds hold static or unbounded keys', 'admin_control', NULL),
    ('OWASP NHI 2025', 'NHI7:2025', 'Long-Lived Secrets', 'a secret is valid for longer than anybody looks after it', 'authorization', NULL),
    ('OWASP NHI 2025', 'NHI8:2025', 'Environment Isolation', 'one identity works in test and in production', 'authorization', NULL),
    ('OWASP NHI 2025', 'NHI9:2025', 'NHI Reuse', 'several consumers share one identity', 'audit_log', NULL),
    ('OWASP NHI 2025', 'NHI10:2025', 'Human Use of NHI', 'a person acts under a machine''s identity', 'audit_log', NULL),
    ('MITRE ATLAS', 'AML.T0010', 'AI Supply Chain Compromise', 'a dependency of the AI system is compromised', 'admin_control', NULL),
    ('MITRE ATLAS', 'AML.T0012', 'Valid Accounts', 'an adversary uses credentials that work', 'authorization', NULL),
    ('MITRE ATLAS', 'AML.T0020', 'Poison Training Data', 'data that a model learns from is changed', 'admin_control', NULL),
    ('MITRE ATLAS', 'AML.T0029', 'Denial of AI Service', 'requests exhaust the service', 'runtime_monitoring', NULL),
    ('MITRE ATLAS', 'AML.T0051', 'LLM Prompt Injection', 'crafted input redirects a model', 'runtime_monitoring', NULL),
    ('MITRE ATLAS', 'AML.T0053', 'AI Agent Tool Invocation', 'an agent is made to use its tools for somebody else', 'authorization', NULL),
    ('MITRE ATLAS', 'AML.T0054', 'LLM Jailbreak', 'input makes a model leave its guardrails', 'runtime_monitoring', NULL),
    ('MITRE ATLAS', 'AML.T0055', 'Unsecured Credentials', 'credentials are found in files, code or settings', 'authorization', NULL),
    ('MITRE ATLAS', 'AML.T0056', 'Extract LLM System Prompt', 'a model is made to tell its instructions', 'runtime_monitoring', NULL),
    ('MITRE ATLAS', 'AML.T0057', 'LLM Data Leakage', 'a model is made to tell what it knows', 'runtime_monitoring', NULL),
    ('MITRE ATLAS', 'AML.T0083', 'Credentials from AI Agent Configuration', 'an agent''s own settings give its keys away', 'authorization', NULL),
    ('MITRE ATLAS', 'AML.T0086', 'Exfiltration via AI Agent Tool Invocation', 'data leaves through a tool that may write', 'authorization', NULL)
) AS v(catalogue, id, name, description, layer, split);
COMMENT ON VIEW steward.risk IS 'catalogued risks, each with the layer that answers for it by default: OWASP LLM and NHI Top 10 of 2025, chosen MITRE ATLAS techniques';

CREATE OR REPLACE VIEW steward.risks AS
SELECT o.id AS org_id, r.catalogue, r.id AS risk_id, r.name, r.description, coalesce(t.layer, r.layer) AS layer,
       CASE WHEN t.risk_id IS NULL THEN r.split ELSE t.split END AS split, coalesce(p.user_name, p.name) AS owner, t.decision, t.reason, t.decided_at
FROM steward.organization o
CROSS JOIN steward.risk r
LEFT JOIN steward.risk_treatment t ON t.org_id = o.id AND t.risk_id = r.id
LEFT JOIN steward.principal p ON p.org_id = t.org_id AND p.id = t.owner_id
UNION ALL
SELECT r.org_id, 'own', r.id, r.name, r.description, coalesce(t.layer, r.layer), t.split, coalesce(p.user_name, p.name), t.decision, t.reason, t.decided_at
FROM steward.organization_risk r
LEFT JOIN steward.risk_treatment t ON t.org_id = r.org_id AND t.risk_id = r.id
LEFT JOIN steward.principal p ON p.org_id = t.org_id AND p.id = t.owner_id;
COMMENT ON VIEW steward.risks IS 'risks of an organization, catalogued and its own, with the layer that answers and what was decided';

-- Evidence: one row for each thing judged, with whether it passes.  A view with these columns is what a control names.

CREATE OR REPLACE VIEW steward.evidence_agents_owned AS
SELECT p.org_id, coalesce(o.state = 'active', false) AS passed,
       format('%s %s is owned by %s', p.kind, p.name, coalesce(format('%s, who is %s', coalesce(o.user_name, o.name), o.state), 'nobody')) AS detail
FROM steward.principal p LEFT JOIN steward.principal o ON o.org_id = p.org_id AND o.id = p.owner_id
WHERE p.kind <> 'human' AND p.state <> 'offboarded';
COMMENT ON VIEW steward.evidence_agents_owned IS 'every service and agent has an owner who is here';

CREATE OR REPLACE VIEW steward.evidence_leavers_complete AS
SELECT p.org_id, count(c.id) = 0 AS passed, format('%s left and holds %s live credentials', coalesce(p.user_name, p.name), count(c.id)) AS detail
FROM steward.principal p
LEFT JOIN steward.credential c ON c.org_id = p.org_id AND c.holder_id = p.id AND c.state IN ('active', 'suspended')
WHERE p.state = 'offboarded'
GROUP BY p.org_id, p.id, p.user_name, p.name;
COMMENT ON VIEW steward.evidence_leavers_complete IS 'nobody who left holds a live credential';

CREATE OR REPLACE VIEW steward.evidence_directory_fresh AS
SELECT d.org_id, coalesce(d.last_import_at, d.created_at) > now() - interval '7 days' AS passed,
       format('directory %s was heard of last at %s', d.name, coalesce(d.last_import_at, d.created_at)) AS detail
FROM steward.directory d WHERE d.state = 'linked';
COMMENT ON VIEW steward.evidence_directory_fresh IS 'every linked directory was heard of within a week';

CREATE OR REPLACE VIEW steward.evidence_directory_agrees AS
SELECT u.org_id, p.state <> 'active' AS passed, format('%s is inactive in the directory and %s here', u.user_name, p.state) AS detail
FROM steward.directory_user u
JOIN steward.principal_identity i ON i.org_id = u.org_id AND i.directory_id = u.directory_id AND i.external_id = u.external_id
JOIN steward.principal p ON p.org_id = i.org_id AND p.id = i.principal_id
WHERE NOT u.active
  AND NOT EXISTS (SELECT FROM steward.principal_identity j JOIN steward.directory_user v ON v.org_id = j.org_id
      AND v.directory_id = j.directory_id AND v.external_id = j.external_id AND v.active WHERE j.org_id = i.org_id AND j.principal_id = i.principal_id);
COMMENT ON VIEW steward.evidence_directory_agrees IS 'whoever is inactive in the directory is not active here';

CREATE OR REPLACE VIEW steward.evidence_revocations_in_time AS
SELECT t.org_id, coalesce(t.confirmed_at, now()) <= t.deadline AS passed,
       format('%s at %s was due %s and is %s', c.display, y.name, t.deadline, t.state) AS detail
FROM steward.revocation_task t
JOIN steward.credential c ON c.org_id = t.org_id AND c.id = t.credential_id
JOIN steward.system y ON y.org_id = t.org_id AND y.id = t.system_id
WHERE t.state <> 'confirmed' OR t.confirmed_at > now() - interval '90 days';
COMMENT ON VIEW steward.evidence_revocations_in_time IS 'other systems killed what was revoked, in time';

CREATE OR REPLACE VIEW steward.evidence_no_static_keys AS
SELECT c.org_id, coalesce(c.expires_at <= c.issued_at + interval '90 days', false) AS passed,
       format('%s of agent %s lives until %s', c.display, h.name, coalesce(c.expires_at::text, 'somebody revokes it')) AS detail
FROM steward.credential c JOIN steward.principal h ON h.org_id = c.org_id AND h.id = c.holder_id
WHERE c.state IN ('active', 'suspended') AND h.kind = 'agent'
  AND c.kind IN ('api_key', 'cloud_key', 'personal_access_token', 'password', 'ssh_key', 'webhook_secret');
COMMENT ON VIEW steward.evidence_no_static_keys IS 'no agent runs on a key that lives for more than 90 days';

CREATE OR REPLACE VIEW steward.evidence_keys_expire AS
SELECT c.org_id, c.expires_at IS NOT NULL AS passed, format('%s of %s expires %s', c.display, h.name, coalesce(c.expires_at::text, 'never')) AS detail
FROM steward.credential c JOIN steward.principal h ON h.org_id = c.org_id AND h.id = c.holder_id
WHERE c.state IN ('active', 'suspended') AND h.kind <> 'human';
COMMENT ON VIEW steward.evidence_keys_expire IS 'every credential of a service or agent has an end';

CREATE OR REPLACE VIEW steward.evidence_rotation_in_time AS
SELECT c.org_id, c.rotate_by > now() AS passed, format('%s is to be rotated by %s', c.display, c.rotate_by) AS detail
FROM steward.credential c WHERE c.state IN ('active', 'suspended') AND c.rotate_by IS NOT NULL;
COMMENT ON VIEW steward.evidence_rotation_in_time IS 'what has to be rotated is not overdue';

CREATE OR REPLACE VIEW steward.live_grant AS
SELECT g.org_id, g.id, g.principal_id, coalesce(g.scopes, r.scopes) AS scopes, g.role_id, r.name AS role, g.source, g.justification, g.approved_by,
       g.ticket, g.requested_by, g.starts_at, g.ends_at, g.created_at
FROM steward.scope_grant g LEFT JOIN steward.role r ON r.org_id = g.org_id AND r.id = g.role_id
WHERE g.starts_at <= clock_timestamp() AND g.ends_at > clock_timestamp();
COMMENT ON VIEW steward.live_grant IS 'grants that are live now, with the scopes they give';

CREATE OR REPLACE VIEW steward.evidence_within_grants AS
SELECT c.org_id, steward.uncovered_scopes(c.scopes, g.scopes)::text = '' AS passed,
       format('%s of %s reaches beyond its grants: %s', c.display, h.name, steward.uncovered_scopes(c.scopes, g.scopes)) AS detail
FROM steward.credential c
JOIN steward.principal h ON h.org_id = c.org_id AND h.id = c.holder_id
LEFT JOIN (SELECT l.org_id, l.principal_id, array_agg(l.scopes) AS scopes FROM steward.live_grant l GROUP BY l.org_id, l.principal_id) g
    ON g.org_id = c.org_id AND g.principal_id = c.holder_id
WHERE c.state IN ('active', 'suspended') AND c.source = 'issued';
COMMENT ON VIEW steward.evidence_within_grants IS 'no issued credential reaches beyond what its holder was granted';

CREATE OR REPLACE VIEW steward.evidence_environments_apart AS
SELECT c.org_id, c.environment = coalesce(h.environment, c.environment) AND c.environment = coalesce(y.environment, c.environment) AS passed,
       format('%s is of %s; its holder of %s, its system of %s', c.display, c.environment, coalesce(h.environment, 'any'), coalesce(y.environment, 'any')) AS detail
FROM steward.credential c
JOIN steward.principal h ON h.org_id = c.org_id AND h.id = c.holder_id
JOIN steward.system y ON y.org_id = c.org_id AND y.id = c.system_id
WHERE c.state IN ('active', 'suspended') AND c.environment IS NOT NULL;
COMMENT ON VIEW steward.evidence_environments_apart IS 'credentials, their holders and their systems are of one environment';

CREATE OR REPLACE VIEW steward.evidence_secrets_apart AS
SELECT c.org_id, count(*) OVER (PARTITION BY c.org_id, c.digest) = 1 AS passed, format('%s', c.display) AS detail
FROM steward.credential c WHERE c.state IN ('active', 'suspended') AND c.digest IS NOT NULL AND c.source <> 'issued';
COMMENT ON VIEW steward.evidence_secrets_apart IS 'no two registered credentials are one secret';

CREATE OR REPLACE VIEW steward.evidence_monitors_seen AS
SELECT s.org_id, coalesce(s.last_seen_at, s.created_at) > now() - interval '1 day' AND s.braked_at IS NULL AS passed,
       format('%s reported last %s%s', s.name, coalesce(s.last_seen_at::text, 'never'), CASE WHEN s.braked_at IS NOT NULL THEN ' and its brake has tripped' ELSE '' END) AS detail
FROM steward.signal_source s WHERE s.retired_at IS NULL;
COMMENT ON VIEW steward.evidence_monitors_seen IS 'every monitor reported within a day, and none is braked';

CREATE OR REPLACE VIEW steward.evidence_agents_monitored AS
SELECT p.org_id, EXISTS (SELECT FROM steward.signal_source s WHERE s.org_id = p.org_id AND s.retired_at IS NULL
       AND (s.agents IS NULL OR p.id = ANY (s.agents))) AS passed, format('agent %s', p.name) AS detail
FROM steward.principal p WHERE p.kind = 'agent' AND p.state = 'active';
COMMENT ON VIEW steward.evidence_agents_monitored IS 'some monitor speaks for every agent';

CREATE OR REPLACE VIEW steward.evidence_signals_contained AS
SELECT g.org_id, g.outcome NOT IN ('held_by_brake', 'unknown_agent') AS passed, format('%s about %s: %s', g.category, coalesce(p.name, g.claimed_agent), g.outcome) AS detail
FROM steward.signal g LEFT JOIN steward.principal p ON p.org_id = g.org_id AND p.id = g.agent_id
WHERE g.verdict = 'malicious' AND g.received_at > now() - interval '30 days';
COMMENT ON VIEW steward.evidence_signals_contained IS 'malicious signals reached a known agent and no brake held them';

CREATE OR REPLACE VIEW steward.evidence_changes_audited AS
SELECT o.id AS org_id, EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = k.oid AND t.tgname = 'audit' AND t.tgenabled = 'A') AS passed,
       format('table %s', k.relname) AS detail
FROM steward.organization o
CROSS JOIN pg_class k
WHERE k.relnamespace = 'steward'::regnamespace
  AND k.relname IN ('organization', 'profile_grant', 'principal', 'agent', 'credential', 'scope_grant', 'delegation', 'suspension', 'revocation',
      'revocation_task', 'directory_user', 'directory_group', 'directory_member', 'signal', 'risk_treatment', 'control_evidence', 'finding_exception');
COMMENT ON VIEW steward.evidence_changes_audited IS 'the audit trigger is on every table that access depends on, and always fires';

CREATE OR REPLACE VIEW steward.evidence_discovered_claimed AS
SELECT c.org_id, c.state <> 'discovered' OR c.created_at > now() - interval '7 days' AS passed, format('%s is %s since %s', c.display, c.state, c.created_at) AS detail
FROM steward.credential c WHERE c.source = 'imported' AND c.state <> 'revoked';
COMMENT ON VIEW steward.evidence_discovered_claimed IS 'what imports found was claimed within a week';

CREATE OR REPLACE VIEW steward.evidence_third_parties_revocable AS
SELECT y.org_id, y.revocation_path <> 'manual' OR y.runbook IS NOT NULL AS passed,
       format('%s is revoked by %s%s', y.name, y.revocation_path, CASE WHEN y.runbook IS NULL THEN ' without a runbook' ELSE '' END) AS detail
FROM steward.system y WHERE y.kind IN ('saas', 'model_provider', 'mcp_server', 'cloud', 'ci');
COMMENT ON VIEW steward.evidence_third_parties_revocable IS 'for every system of somebody else it is known how access ends there';

CREATE OR REPLACE VIEW steward.evidence_autonomy_justified AS
SELECT a.org_id, p.justification IS NOT NULL OR p.approved_by IS NOT NULL OR a.human_approval <> 'none' AS passed, format('agent %s is autonomous', p.name) AS detail
FROM steward.agent a JOIN steward.principal p ON p.org_id = a.org_id AND p.id = a.principal_id
WHERE a.autonomy = 'autonomous' AND p.state <> 'offboarded';
COMMENT ON VIEW steward.evidence_autonomy_justified IS 'whatever acts on its own was justified, approved, or asks first';

CREATE OR REPLACE VIEW steward.evidence_people_apart AS
SELECT c.org_id, h.kind <> 'human' AS passed, format('%s, a %s, is held by %s', c.display, c.kind, coalesce(h.user_name, h.name)) AS detail
FROM steward.credential c JOIN steward.principal h ON h.org_id = c.org_id AND h.id = c.holder_id
WHERE c.state IN ('active', 'suspended') AND c.kind IN ('account', 'oauth_client', 'webhook_secret', 'signing_key');
COMMENT ON VIEW steward.evidence_people_apart IS 'machine credentials are held by machines';

CREATE OR REPLACE VIEW steward.builtin_control AS
SELECT v.id, v.title, v.layer, v.evidence_view, v.fresh_for::interval AS fresh_for, string_to_array(v.risks, ' ') AS risks, v.refs::jsonb AS refs
FROM (VALUES
    ('agents-owned', 'Every service and agent has an owner who is here', 'admin_control', 'evidence_agents_owned', '1 day', 'NHI1:2025 NHI10:2025',
        '{"SOC 2": ["CC6.2"], "ISO 27001": ["A.5.16"], "NIST 800-53": ["AC-2"], "PCI DSS": ["7.2.5"]}'),
    ('leavers-complete', 'Nobody who left holds a live credential', 'directory_sync', 'evidence_leavers_complete', '1 day', 'NHI1:2025 AML.T0012',
        '{"SOC 2": ["CC6.3"], "ISO 27001": ["A.5.18"], "NIST 800-53": ["PS-4", "AC-2"], "PCI DSS": ["8.2.5"]}'),
    ('directory-fresh', 'Every linked directory was heard of within a week', 'directory_sync', 'evidence_directory_fresh', '1 day', 'NHI1:2025',
        '{"SOC 2": ["CC6.2"], "ISO 27001": ["A.5.16"], "NIST 800-53": ["AC-2"]}'),
    ('directory-agrees', 'Whoever is inactive in the directory is not active here', 'directory_sync', 'evidence_directory_agrees', '1 day', 'NHI1:2025 AML.T0012',
        '{"SOC 2": ["CC6.3"], "NIST 800-53": ["AC-2"], "PCI DSS": ["8.2.5"]}'),
    ('revocations-in-time', 'Other systems killed what was revoked, in time', 'authorization', 'evidence_revocations_in_time', '1 day', 'NHI1:2025 NHI2:2025',
        '{"SOC 2": ["CC6.3"], "ISO 27001": ["A.5.18"], "NIST 800-53": ["AC-2"], "PCI DSS": ["8.2.5"]}'),
    ('no-static-keys', 'No agent runs on a key that lives for more than 90 days', 'sso', 'evidence_no_static_keys', '7 days', 'NHI4:2025 NHI6:2025 NHI7:2025 AML.T0055 AML.T0083',
        '{"SOC 2": ["CC6.1"], "ISO 27001": ["A.8.5"], "NIST 800-53": ["IA-5"], "PCI DSS": ["8.6.3"]}'),
    ('keys-expire', 'Every credential of a service or agent has an end', 'authorization', 'evidence_keys_expire', '7 days', 'NHI7:2025 LLM10:2025',
        '{"SOC 2": ["CC6.1"], "NIST 800-53": ["IA-5"], "PCI DSS": ["8.6.3"]}'),
    ('rotation-in-time', 'What has to be rotated is not overdue', 'authorization', 'evidence_rotation_in_time', '1 day', 'NHI7:2025 NHI2:2025',
        '{"NIST 800-53": ["IA-5"], "PCI DSS": ["8.6.3"]}'),
    ('within-grants', 'No issued credential reaches beyond what its holder was granted', 'authorization', 'evidence_within_grants', '1 day',
        'NHI5:2025 LLM06:2025 LLM02:2025 LLM08:2025 AML.T0053 AML.T0086',
        '{"SOC 2": ["CC6.1", "CC6.3"], "ISO 27001": ["A.5.15", "A.8.2"], "NIST 800-53": ["AC-6"], "PCI DSS": ["7.2.2"]}'),
    ('environments-apart', 'Credentials, their holders and their systems are of one environment', 'authorization', 'evidence_environments_apart', '7 days', 'NHI8:2025',
        '{"ISO 27001": ["A.8.31"], "NIST 800-53": ["CM-4"], "PCI DSS": ["6.5.3"]}'),
    ('secrets-apart', 'No two registered credentials are one secret', 'audit_log', 'evidence_secrets_apart', '7 days', 'NHI9:2025',
        '{"NIST 800-53": ["IA-4"], "PCI DSS": ["8.2.2"]}'),
    ('monitors-seen', 'Every monitor reported within a day, and none is braked', 'runtime_monitoring', 'evidence_monitors_seen', '1 day',
        'LLM01:2025 LLM05:2025 LLM07:2025 LLM09:2025 LLM10:2025 AML.T0029 AML.T0054 AML.T0056',
        '{"SOC 2": ["CC7.2"], "ISO 27001": ["A.8.16"], "NIST 800-53": ["SI-4"], "PCI DSS": ["10.7.2"]}'),
    ('agents-monitored', 'Some monitor speaks for every agent', 'runtime_monitoring', 'evidence_agents_monitored', '1 day', 'LLM01:2025 LLM02:2025 AML.T0051 AML.T0057',
        '{"SOC 2": ["CC7.2"], "ISO 27001": ["A.8.16"], "NIST 800-53": ["SI-4"]}'),
    ('signals-contained', 'Malicious signals reached a known agent and no brake held them', 'runtime_monitoring', 'evidence_signals_contained', '1 day',
        'LLM01:2025 NHI2:2025 AML.T0051',
        '{"SOC 2": ["CC7.4"], "ISO 27001": ["A.5.26"], "NIST 800-53": ["IR-4"], "PCI DSS": ["12.10.5"]}'),
    ('changes-audited', 'The audit trigger is on every table that access depends on, and always fires', 'audit_log', 'evidence_changes_audited', '1 day',
        'NHI9:2025 NHI10:2025', '{"SOC 2": ["CC7.2"], "ISO 27001": ["A.8.15"], "NIST 800-53": ["AU-2", "AU-12"], "PCI DSS": ["10.2.1"]}'),
    ('discovered-claimed', 'What imports found was claimed within a week', 'admin_control', 'evidence_discovered_claimed', '7 days', 'NHI3:2025 NHI6:2025',
        '{"SOC 2": ["CC6.1"], "ISO 27001": ["A.5.9"], "NIST 800-53": ["CM-8"]}'),
    ('third-parties-revocable', 'For every system of somebody else it is known how access ends there', 'admin_control', 'evidence_third_parties_revocable', '30 days',
        'NHI3:2025 LLM03:2025 AML.T0010', '{"SOC 2": ["CC9.2"], "ISO 27001": ["A.5.19"], "NIST 800-53": ["SR-6"], "PCI DSS": ["12.8.2"]}'),
    ('autonomy-justified', 'Whatever acts on its own was justified, approved, or asks first', 'admin_control', 'evidence_autonomy_justified', '30 days',
        'LLM06:2025', '{"SOC 2": ["CC6.3"], "ISO 27001": ["A.5.15"], "NIST 800-53": ["AC-6"]}'),
    ('people-apart', 'Machine credentials are held by machines', 'audit_log', 'evidence_people_apart', '7 days', 'NHI10:2025',
        '{"SOC 2": ["CC6.1"], "NIST 800-53": ["IA-4"], "PCI DSS": ["8.2.2"]}')
) AS v(id, title, layer, evidence_view, fresh_for, risks, refs);
COMMENT ON VIEW steward.builtin_control IS 'controls that prove themselves from steward''s own data, with the risks they answer and the clauses they speak to';

CREATE OR REPLACE VIEW steward.controls AS
SELECT o.id AS org_id, b.id AS control_id, b.title, b.layer, 'steward'::name AS evidence_schema, b.evidence_view::name AS evidence_view,
       'steward_owner'::name AS evidence_owner, b.fresh_for, b.risks, b.refs, true AS built_in
FROM steward.organization o CROSS JOIN steward.builtin_control b
UNION ALL
SELECT c.org_id, c.id, c.title, c.layer, c.evidence_schema, c.evidence_view, c.evidence_owner, c.fresh_for,
       coalesce((SELECT array_agg(r.risk_id ORDER BY r.risk_id) FROM steward.control_risk r WHERE r.org_id = c.org_id AND r.control_id = c.id), '{}'),
       coalesce((SELECT jsonb_object_agg(f.framework, f.clauses) FROM (SELECT r.framework, jsonb_agg(r.clause ORDER BY r.clause) AS clauses
           FROM steward.control_reference r WHERE r.org_id = c.org_id AND r.control_id = c.id GROUP BY r.framework) f), '{}'), false
FROM steward.control c;
COMMENT ON VIEW steward.controls IS 'controls of an organization, built in and registered';

CREATE OR REPLACE VIEW steward.control_coverage AS
SELECT c.org_id, c.control_id, c.title, c.layer,
       CASE WHEN e.result IS NULL OR e.result = 'empty' THEN 'uncovered'
            WHEN e.result IN ('fail', 'error') THEN 'failing'
            WHEN e.evaluated_at <= now() - c.fresh_for THEN 'stale'
            ELSE 'covered' END AS status,
       e.evaluated_at, now() - e.evaluated_at AS age, c.fresh_for, e.result, e.rows_seen, e.rows_failing, e.detail,
       CASE WHEN e.result = 'pass' THEN (SELECT min(p.evaluated_at) FROM steward.control_evidence p
           WHERE p.org_id = c.org_id AND p.control_id = c.control_id AND p.result = 'pass'
             AND p.evaluated_at > coalesce((SELECT max(n.evaluated_at) FROM steward.control_evidence n
                 WHERE n.org_id = c.org_id AND n.control_id = c.control_id AND n.result <> 'pass'), '-infinity')) END AS proven_since,
       e.digest, c.risks, c.refs, c.built_in
FROM steward.controls c
LEFT JOIN LATERAL (
    SELECT x.* FROM steward.control_evidence x WHERE x.org_id = c.org_id AND x.control_id = c.control_id ORDER BY x.evaluated_at DESC LIMIT 1
) e ON true;
COMMENT ON VIEW steward.control_coverage IS 'each control: covered, stale, failing or uncovered, and since when it is proven without a break';

CREATE OR REPLACE VIEW steward.control_boundary AS
SELECT r.org_id, r.catalogue, r.risk_id, r.name AS risk, l.layer,
       CASE WHEN r.layer = l.layer THEN 'answers' WHEN r.layer = 'shared' AND r.split ? l.layer THEN 'shares' WHEN k.controls > 0 THEN 'supports' END AS part,
       r.split ->> l.layer AS answers_for, r.owner, coalesce(r.decision, 'default') AS decision,
       coalesce(k.controls, 0) AS controls,
       CASE WHEN k.controls IS NULL THEN CASE WHEN r.layer = l.layer OR r.split ? l.layer THEN 'uncovered' END
            WHEN k.failing > 0 THEN 'failing' WHEN k.stale > 0 THEN 'stale' WHEN k.covered > 0 THEN 'covered' ELSE 'uncovered' END AS status,
       k.oldest_evidence, k.names AS control_ids
FROM steward.risks r
CROSS JOIN (VALUES (1, 'runtime_monitoring'), (2, 'sso'), (3, 'directory_sync'), (4, 'audit_log'), (5, 'admin_control'), (6, 'authorization')) AS l(n, layer)
LEFT JOIN (
    SELECT c.org_id, x.risk_id, c.layer, count(*) AS controls, count(*) FILTER (WHERE c.status = 'covered') AS covered,
           count(*) FILTER (WHERE c.status = 'stale') AS stale, count(*) FILTER (WHERE c.status = 'failing') AS failing,
           min(c.evaluated_at) AS oldest_evidence, array_agg(c.control_id ORDER BY c.control_id) AS names
    FROM steward.control_coverage c CROSS JOIN unnest(c.risks) AS x(risk_id)
    GROUP BY c.org_id, x.risk_id, c.layer
) k ON k.org_id = r.org_id AND k.risk_id = r.risk_id AND k.layer = l.layer;
COMMENT ON VIEW steward.control_boundary IS 'risk by layer: which layer answers, shares or supports, and how well its evidence stands';
