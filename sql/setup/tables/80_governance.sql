-- The control boundary, what runtime monitors report, and what was decided about findings.

CREATE TABLE steward.organization_risk (
    org_id uuid NOT NULL CONSTRAINT organization_risk_organization_fkey REFERENCES steward.organization (id),
    id text NOT NULL CONSTRAINT organization_risk_id_valid CHECK (id ~ '^[A-Za-z0-9][A-Za-z0-9._:-]{0,62}$'),
    name text NOT NULL CONSTRAINT organization_risk_name_valid CHECK (name = btrim(name) AND length(name) BETWEEN 1 AND 200),
    description text NOT NULL CONSTRAINT organization_risk_description_valid CHECK (length(btrim(description)) BETWEEN 1 AND 4000),
    layer text NOT NULL CONSTRAINT organization_risk_layer_known
        CHECK (layer IN ('runtime_monitoring', 'sso', 'directory_sync', 'audit_log', 'admin_control', 'authorization', 'shared')),
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    CONSTRAINT organization_risk_pkey PRIMARY KEY (org_id, id)
);
COMMENT ON TABLE steward.organization_risk IS 'risks that an organization added to the catalogue';
COMMENT ON COLUMN steward.organization_risk.org_id IS 'organization';
COMMENT ON COLUMN steward.organization_risk.id IS 'short id, unique in the organization';
COMMENT ON COLUMN steward.organization_risk.name IS 'name for people';
COMMENT ON COLUMN steward.organization_risk.description IS 'what can go wrong';
COMMENT ON COLUMN steward.organization_risk.layer IS 'layer that answers for it until a treatment says otherwise';
COMMENT ON COLUMN steward.organization_risk.created_at IS 'when it was added';

CREATE TABLE steward.risk_treatment (
    org_id uuid NOT NULL CONSTRAINT risk_treatment_organization_fkey REFERENCES steward.organization (id),
    risk_id text NOT NULL,
    layer text NOT NULL CONSTRAINT risk_treatment_layer_known
        CHECK (layer IN ('runtime_monitoring', 'sso', 'directory_sync', 'audit_log', 'admin_control', 'authorization', 'shared')),
    split jsonb CONSTRAINT risk_treatment_split_object CHECK (jsonb_typeof(split) = 'object'),
    owner_id uuid,
    decision text NOT NULL CONSTRAINT risk_treatment_decision_known CHECK (decision IN ('mitigate', 'accept', 'transfer', 'avoid')),
    reason text NOT NULL CONSTRAINT risk_treatment_reason_valid CHECK (length(btrim(reason)) BETWEEN 1 AND 4000),
    decided_by name NOT NULL,
    decided_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    CONSTRAINT risk_treatment_pkey PRIMARY KEY (org_id, risk_id),
    CONSTRAINT risk_treatment_owner_fkey FOREIGN KEY (org_id, owner_id) REFERENCES steward.principal (org_id, id),
    CONSTRAINT risk_treatment_shared_in_writing CHECK ((layer = 'shared') = (split IS NOT NULL))
);
CREATE INDEX risk_treatment_owner_idx ON steward.risk_treatment (org_id, owner_id) WHERE owner_id IS NOT NULL;
COMMENT ON TABLE steward.risk_treatment IS 'which layer answers for a risk here, who owns it, and what was decided; the catalogue''s default where there is no row';
COMMENT ON COLUMN steward.risk_treatment.org_id IS 'organization';
COMMENT ON COLUMN steward.risk_treatment.risk_id IS 'risk of the catalogue or the organization''s own';
COMMENT ON COLUMN steward.risk_treatment.layer IS 'layer that answers, or shared';
COMMENT ON COLUMN steward.risk_treatment.split IS 'of a shared one: for each layer what it answers for';
COMMENT ON COLUMN steward.risk_treatment.owner_id IS 'the human who answers for it';
COMMENT ON COLUMN steward.risk_treatment.decision IS 'mitigate, accept, transfer or avoid';
COMMENT ON COLUMN steward.risk_treatment.reason IS 'why';
COMMENT ON COLUMN steward.risk_treatment.decided_by IS 'database role that recorded it';
COMMENT ON COLUMN steward.risk_treatment.decided_at IS 'when';

CREATE TABLE steward.control (
    org_id uuid NOT NULL CONSTRAINT control_organization_fkey REFERENCES steward.organization (id),
    id text NOT NULL CONSTRAINT control_id_valid CHECK (id ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
    title text NOT NULL CONSTRAINT control_title_valid CHECK (title = btrim(title) AND length(title) BETWEEN 1 AND 200),
    layer text NOT NULL CONSTRAINT control_layer_known
        CHECK (layer IN ('runtime_monitoring', 'sso', 'directory_sync', 'audit_log', 'admin_control', 'authorization')),
    evidence_schema name NOT NULL,
    evidence_view name NOT NULL,
    evidence_owner name NOT NULL,
    fresh_for interval NOT NULL CONSTRAINT control_fresh_for_positive CHECK (fresh_for > '0'::interval AND fresh_for <= '1 year'::interval),
    registered_by name NOT NULL,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    CONSTRAINT control_pkey PRIMARY KEY (org_id, id)
);
COMMENT ON TABLE steward.control IS 'controls that a DBA registered beside the built-in ones; each proves itself through a view';
COMMENT ON COLUMN steward.control.org_id IS 'organization';
COMMENT ON COLUMN steward.control.id IS 'short id, unique in the organization';
COMMENT ON COLUMN steward.control.title IS 'what holds when the control works';
COMMENT ON COLUMN steward.control.layer IS 'layer it belongs to';
COMMENT ON COLUMN steward.control.evidence_schema IS 'schema of the evidence view, by name';
COMMENT ON COLUMN steward.control.evidence_view IS 'evidence view, by name';
COMMENT ON COLUMN steward.control.evidence_owner IS 'owner that the view had when it was registered; another one''s view is not run';
COMMENT ON COLUMN steward.control.fresh_for IS 'how long a result counts';
COMMENT ON COLUMN steward.control.registered_by IS 'database role that registered it';
COMMENT ON COLUMN steward.control.created_at IS 'when it was registered';

CREATE TABLE steward.control_risk (
    org_id uuid NOT NULL,
    control_id text NOT NULL,
    risk_id text NOT NULL,
    CONSTRAINT control_risk_pkey PRIMARY KEY (org_id, control_id, risk_id),
    CONSTRAINT control_risk_control_fkey FOREIGN KEY (org_id, control_id) REFERENCES steward.control (org_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE steward.control_risk IS 'which risks a registered control answers';
COMMENT ON COLUMN steward.control_risk.org_id IS 'organization';
COMMENT ON COLUMN steward.control_risk.control_id IS 'control';
COMMENT ON COLUMN steward.control_risk.risk_id IS 'risk of the catalogue or the organization''s own';

CREATE TABLE steward.control_reference (
    org_id uuid NOT NULL,
    control_id text NOT NULL,
    framework text NOT NULL CONSTRAINT control_reference_framework_known CHECK (framework IN ('SOC 2', 'ISO 27001', 'NIST 800-53', 'PCI DSS')),
    clause text NOT NULL CONSTRAINT control_reference_clause_valid CHECK (clause ~ '^[A-Z0-9][A-Za-z0-9.()-]{0,30}$'),
    CONSTRAINT control_reference_pkey PRIMARY KEY (org_id, control_id, framework, clause),
    CONSTRAINT control_reference_control_fkey FOREIGN KEY (org_id, control_id) REFERENCES steward.control (org_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE steward.control_reference IS 'clauses of frameworks that a registered control speaks to';
COMMENT ON COLUMN steward.control_reference.org_id IS 'organization';
COMMENT ON COLUMN steward.control_reference.control_id IS 'control';
COMMENT ON COLUMN steward.control_reference.framework IS 'SOC 2, ISO 27001, NIST 800-53 or PCI DSS';
COMMENT ON COLUMN steward.control_reference.clause IS 'clause id';

CREATE TABLE steward.control_evidence (
    org_id uuid NOT NULL CONSTRAINT control_evidence_organization_fkey REFERENCES steward.organization (id),
    control_id text NOT NULL,
    evaluated_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    result text NOT NULL CONSTRAINT control_evidence_result_known CHECK (result IN ('pass', 'fail', 'empty', 'error')),
    rows_seen bigint NOT NULL CONSTRAINT control_evidence_rows_counted CHECK (rows_seen >= 0),
    rows_failing bigint NOT NULL CONSTRAINT control_evidence_failing_counted CHECK (rows_failing BETWEEN 0 AND rows_seen),
    detail text NOT NULL,
    digest bytea CONSTRAINT control_evidence_digest_sized CHECK (length(digest) = 32),
    evaluated_by name NOT NULL,
    CONSTRAINT control_evidence_pkey PRIMARY KEY (org_id, control_id, evaluated_at)
);
COMMENT ON TABLE steward.control_evidence IS 'what a control''s evidence said, each time it was asked';
COMMENT ON COLUMN steward.control_evidence.org_id IS 'organization';
COMMENT ON COLUMN steward.control_evidence.control_id IS 'control, built in or registered';
COMMENT ON COLUMN steward.control_evidence.evaluated_at IS 'when';
COMMENT ON COLUMN steward.control_evidence.result IS 'pass, fail, empty (nothing to judge) or error (the evidence could not be read)';
COMMENT ON COLUMN steward.control_evidence.rows_seen IS 'rows of evidence';
COMMENT ON COLUMN steward.control_evidence.rows_failing IS 'of these, rows that do not pass';
COMMENT ON COLUMN steward.control_evidence.detail IS 'the first that failed, or why it could not be read';
COMMENT ON COLUMN steward.control_evidence.digest IS 'SHA-256 over the rows, so that equal evidence is seen to be equal';
COMMENT ON COLUMN steward.control_evidence.evaluated_by IS 'database role that asked';

CREATE TABLE steward.signal_source (
    org_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT steward.uuid7(),
    name text NOT NULL CONSTRAINT signal_source_name_valid CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
    principal_id uuid NOT NULL,
    role_name name,
    agents uuid[],
    max_action text NOT NULL CONSTRAINT signal_source_max_action_known CHECK (max_action IN ('alert', 'suspend', 'narrow', 'revoke')),
    brake_limit integer NOT NULL CONSTRAINT signal_source_brake_limit_positive CHECK (brake_limit > 0),
    brake_window interval NOT NULL CONSTRAINT signal_source_brake_window_positive
        CHECK (brake_window > '0'::interval AND brake_window <= '30 days'::interval),
    braked_at timestamptz,
    brake_reset_at timestamptz NOT NULL DEFAULT '-infinity',
    last_seen_at timestamptz,
    retired_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    CONSTRAINT signal_source_pkey PRIMARY KEY (org_id, id),
    CONSTRAINT signal_source_name_key UNIQUE (org_id, name),
    CONSTRAINT signal_source_principal_fkey FOREIGN KEY (org_id, principal_id) REFERENCES steward.principal (org_id, id)
);
COMMENT ON TABLE steward.signal_source IS 'runtime monitors and scanners that may report, about whom, and with what effect at most';
COMMENT ON COLUMN steward.signal_source.org_id IS 'organization';
COMMENT ON COLUMN steward.signal_source.id IS 'identity';
COMMENT ON COLUMN steward.signal_source.name IS 'name; its principal needs the scope signal:NAME';
COMMENT ON COLUMN steward.signal_source.principal_id IS 'the principal that reports';
COMMENT ON COLUMN steward.signal_source.role_name IS 'database role that speaks for it; NULL: any with profile security';
COMMENT ON COLUMN steward.signal_source.agents IS 'agents it speaks for; NULL for every one';
COMMENT ON COLUMN steward.signal_source.max_action IS 'the most that its signals may bring about';
COMMENT ON COLUMN steward.signal_source.brake_limit IS 'how many agents it may contain within the window';
COMMENT ON COLUMN steward.signal_source.brake_window IS 'that window';
COMMENT ON COLUMN steward.signal_source.braked_at IS 'when it went past that; its signals are recorded and contain nobody until reset_brake()';
COMMENT ON COLUMN steward.signal_source.brake_reset_at IS 'what it contained before no longer counts for the brake';
COMMENT ON COLUMN steward.signal_source.last_seen_at IS 'when it last reported';
COMMENT ON COLUMN steward.signal_source.retired_at IS 'when it was retired';
COMMENT ON COLUMN steward.signal_source.created_at IS 'when it was registered';

CREATE TABLE steward.signal_rule (
    org_id uuid NOT NULL CONSTRAINT signal_rule_organization_fkey REFERENCES steward.organization (id),
    id uuid NOT NULL DEFAULT steward.uuid7(),
    name text NOT NULL CONSTRAINT signal_rule_name_valid CHECK (name = btrim(name) AND length(name) BETWEEN 1 AND 200),
    category text,
    min_score numeric NOT NULL CONSTRAINT signal_rule_min_score_range CHECK (min_score BETWEEN 0 AND 1),
    min_count integer NOT NULL CONSTRAINT signal_rule_min_count_range CHECK (min_count BETWEEN 1 AND 10000),
    within interval NOT NULL CONSTRAINT signal_rule_within_range CHECK (within > '0'::interval AND within <= '30 days'::interval),
    autonomy text CONSTRAINT signal_rule_autonomy_known CHECK (autonomy IN ('assistive', 'supervised', 'autonomous')),
    action text NOT NULL CONSTRAINT signal_rule_action_known CHECK (action IN ('alert', 'suspend', 'narrow', 'revoke')),
    suspend_for interval CONSTRAINT signal_rule_suspend_for_range CHECK (suspend_for > '0'::interval AND suspend_for <= '1 year'::interval),
    narrow_to steward.scope_set,
    created_by name NOT NULL,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    CONSTRAINT signal_rule_pkey PRIMARY KEY (org_id, id),
    CONSTRAINT signal_rule_name_key UNIQUE (org_id, name),
    CONSTRAINT signal_rule_suspend_ends CHECK ((action IN ('suspend', 'narrow')) = (suspend_for IS NOT NULL)),
    CONSTRAINT signal_rule_narrow_to_something CHECK ((action = 'narrow') = (narrow_to IS NOT NULL))
);
COMMENT ON TABLE steward.signal_rule IS 'what signals bring about';
COMMENT ON COLUMN steward.signal_rule.org_id IS 'organization';
COMMENT ON COLUMN steward.signal_rule.id IS 'identity';
COMMENT ON COLUMN steward.signal_rule.name IS 'name, unique in the organization';
COMMENT ON COLUMN steward.signal_rule.category IS 'category it is about; NULL for any';
COMMENT ON COLUMN steward.signal_rule.min_score IS 'signals with a lower score do not count';
COMMENT ON COLUMN steward.signal_rule.min_count IS 'how many signals it takes';
COMMENT ON COLUMN steward.signal_rule.within IS 'in how long a time';
COMMENT ON COLUMN steward.signal_rule.autonomy IS 'autonomy of agents it is about; NULL for any';
COMMENT ON COLUMN steward.signal_rule.action IS 'alert, suspend, narrow or revoke';
COMMENT ON COLUMN steward.signal_rule.suspend_for IS 'for how long it suspends or narrows';
COMMENT ON COLUMN steward.signal_rule.narrow_to IS 'what remains when it narrows: credentials that reach further are suspended';
COMMENT ON COLUMN steward.signal_rule.created_by IS 'database role that set it';
COMMENT ON COLUMN steward.signal_rule.created_at IS 'when';

CREATE TABLE steward.signal (
    org_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT steward.uuid7(),
    source_id uuid NOT NULL,
    signal_id text NOT NULL CONSTRAINT signal_signal_id_valid CHECK (length(signal_id) BETWEEN 1 AND 200),
    agent_id uuid,
    credential_id uuid,
    claimed_agent text CONSTRAINT signal_claimed_agent_valid CHECK (length(claimed_agent) BETWEEN 1 AND 512),
    side text NOT NULL CONSTRAINT signal_side_known CHECK (side IN ('prompt', 'response', 'tool', 'model')),
    category text NOT NULL CONSTRAINT signal_category_valid CHECK (length(category) BETWEEN 1 AND 63),
    score numeric NOT NULL CONSTRAINT signal_score_range CHECK (score BETWEEN 0 AND 1),
    verdict text NOT NULL CONSTRAINT signal_verdict_known CHECK (verdict IN ('benign', 'suspicious', 'malicious')),
    action_taken text NOT NULL CONSTRAINT signal_action_taken_known CHECK (action_taken IN ('none', 'allowed', 'flagged', 'redacted', 'blocked')),
    policy text CONSTRAINT signal_policy_valid CHECK (length(policy) BETWEEN 1 AND 200),
    session_id text CONSTRAINT signal_session_id_valid CHECK (length(session_id) BETWEEN 1 AND 200),
    model text CONSTRAINT signal_model_valid CHECK (length(model) BETWEEN 1 AND 200),
    owasp text,
    atlas text,
    occurred_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    rule_id uuid,
    outcome text NOT NULL DEFAULT 'recorded' CONSTRAINT signal_outcome_known
        CHECK (outcome IN ('recorded', 'alert', 'suspend', 'narrow', 'revoke', 'held_by_brake', 'unknown_agent')),
    contained_until timestamptz,
    revocation_id uuid,
    released_at timestamptz,
    released_by name,
    release_reason text CONSTRAINT signal_release_reason_valid CHECK (length(btrim(release_reason)) BETWEEN 1 AND 4000),
    CONSTRAINT signal_pkey PRIMARY KEY (org_id, id),
    CONSTRAINT signal_signal_id_key UNIQUE (org_id, source_id, signal_id),
    CONSTRAINT signal_source_fkey FOREIGN KEY (org_id, source_id) REFERENCES steward.signal_source (org_id, id),
    CONSTRAINT signal_released_why CHECK (num_nulls(released_at, released_by, release_reason) IN (0, 3)),
    CONSTRAINT signal_agent_or_claim CHECK (agent_id IS NOT NULL OR claimed_agent IS NOT NULL)
);
CREATE INDEX signal_agent_idx ON steward.signal (org_id, agent_id, category, occurred_at) WHERE agent_id IS NOT NULL;
CREATE INDEX signal_time_idx ON steward.signal (org_id, received_at);
CREATE INDEX signal_source_containment_idx ON steward.signal (org_id, source_id, received_at) WHERE outcome IN ('suspend', 'narrow', 'revoke');
COMMENT ON TABLE steward.signal IS 'what runtime monitors and scanners reported, and what it brought about; never what was said in a prompt or an answer';
COMMENT ON COLUMN steward.signal.org_id IS 'organization';
COMMENT ON COLUMN steward.signal.id IS 'identity';
COMMENT ON COLUMN steward.signal.source_id IS 'who reported it';
COMMENT ON COLUMN steward.signal.signal_id IS 'the source''s id of it: recorded once';
COMMENT ON COLUMN steward.signal.agent_id IS 'principal it is about';
COMMENT ON COLUMN steward.signal.credential_id IS 'credential it is about, where the source named one';
COMMENT ON COLUMN steward.signal.claimed_agent IS 'what the source called an agent that is not known here';
COMMENT ON COLUMN steward.signal.side IS 'prompt, response, tool or model';
COMMENT ON COLUMN steward.signal.category IS 'what was seen, from a closed list (view signal_category)';
COMMENT ON COLUMN steward.signal.score IS 'how sure the source is, 0 to 1';
COMMENT ON COLUMN steward.signal.verdict IS 'benign, suspicious or malicious';
COMMENT ON COLUMN steward.signal.action_taken IS 'what the source did itself: none, allowed, flagged, redacted or blocked';
COMMENT ON COLUMN steward.signal.policy IS 'the source''s policy or profile that matched';
COMMENT ON COLUMN steward.signal.session_id IS 'the source''s id of the session';
COMMENT ON COLUMN steward.signal.model IS 'model that was used';
COMMENT ON COLUMN steward.signal.owasp IS 'risk of the OWASP LLM Top 10 it belongs to';
COMMENT ON COLUMN steward.signal.atlas IS 'MITRE ATLAS technique it belongs to';
COMMENT ON COLUMN steward.signal.occurred_at IS 'when the source says it happened';
COMMENT ON COLUMN steward.signal.received_at IS 'when it came here';
COMMENT ON COLUMN steward.signal.rule_id IS 'rule that it completed';
COMMENT ON COLUMN steward.signal.outcome IS 'what it brought about';
COMMENT ON COLUMN steward.signal.contained_until IS 'end of the suspension';
COMMENT ON COLUMN steward.signal.revocation_id IS 'act of revocation it brought about';
COMMENT ON COLUMN steward.signal.released_at IS 'when release_signal() undid it';
COMMENT ON COLUMN steward.signal.released_by IS 'database role that did';
COMMENT ON COLUMN steward.signal.release_reason IS 'why';

CREATE TABLE steward.signal_suspension (
    org_id uuid NOT NULL,
    signal_id uuid NOT NULL,
    suspension_id uuid NOT NULL,
    CONSTRAINT signal_suspension_pkey PRIMARY KEY (org_id, signal_id, suspension_id),
    CONSTRAINT signal_suspension_signal_fkey FOREIGN KEY (org_id, signal_id) REFERENCES steward.signal (org_id, id),
    CONSTRAINT signal_suspension_suspension_fkey FOREIGN KEY (org_id, suspension_id) REFERENCES steward.suspension (org_id, id)
);
CREATE INDEX signal_suspension_suspension_idx ON steward.signal_suspension (org_id, suspension_id);
COMMENT ON TABLE steward.signal_suspension IS 'which suspensions a signal caused, so that undoing it undoes nothing else';
COMMENT ON COLUMN steward.signal_suspension.org_id IS 'organization';
COMMENT ON COLUMN steward.signal_suspension.signal_id IS 'signal';
COMMENT ON COLUMN steward.signal_suspension.suspension_id IS 'suspension';

CREATE TABLE steward.finding_setting (
    org_id uuid NOT NULL CONSTRAINT finding_setting_organization_fkey REFERENCES steward.organization (id),
    rule text NOT NULL,
    severity text CONSTRAINT finding_setting_severity_known CHECK (severity IN ('critical', 'high', 'medium', 'low', 'off')),
    threshold numeric CONSTRAINT finding_setting_threshold_positive CHECK (threshold >= 0),
    set_by name NOT NULL,
    set_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    CONSTRAINT finding_setting_pkey PRIMARY KEY (org_id, rule)
);
COMMENT ON TABLE steward.finding_setting IS 'severities and thresholds of finding rules where an organization wants others than the default';
COMMENT ON COLUMN steward.finding_setting.org_id IS 'organization';
COMMENT ON COLUMN steward.finding_setting.rule IS 'rule (view finding_rule)';
COMMENT ON COLUMN steward.finding_setting.severity IS 'critical, high, medium, low, or off; NULL for the default';
COMMENT ON COLUMN steward.finding_setting.threshold IS 'threshold in the rule''s unit; NULL for the default';
COMMENT ON COLUMN steward.finding_setting.set_by IS 'database role that set it';
COMMENT ON COLUMN steward.finding_setting.set_at IS 'when';

CREATE TABLE steward.finding_exception (
    org_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT steward.uuid7(),
    rule text NOT NULL,
    object_id text NOT NULL,
    reason text NOT NULL CONSTRAINT finding_exception_reason_valid CHECK (length(btrim(reason)) BETWEEN 1 AND 4000),
    requested_by uuid NOT NULL,
    approved_by uuid NOT NULL,
    recorded_by name NOT NULL,
    starts_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    ends_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT finding_exception_pkey PRIMARY KEY (org_id, id),
    CONSTRAINT finding_exception_requested_by_fkey FOREIGN KEY (org_id, requested_by) REFERENCES steward.principal (org_id, id),
    CONSTRAINT finding_exception_approved_by_fkey FOREIGN KEY (org_id, approved_by) REFERENCES steward.principal (org_id, id),
    CONSTRAINT finding_exception_approved_by_another CHECK (approved_by <> requested_by),
    CONSTRAINT finding_exception_has_an_end CHECK (ends_at > starts_at AND ends_at <= starts_at + '1 year'::interval)
);
CREATE INDEX finding_exception_finding_idx ON steward.finding_exception (org_id, rule, object_id) WHERE ended_at IS NULL;
COMMENT ON TABLE steward.finding_exception IS 'a finding that somebody accepted, with the approval of somebody else, until an end';
COMMENT ON COLUMN steward.finding_exception.org_id IS 'organization';
COMMENT ON COLUMN steward.finding_exception.id IS 'identity';
COMMENT ON COLUMN steward.finding_exception.rule IS 'rule of the finding';
COMMENT ON COLUMN steward.finding_exception.object_id IS 'object of the finding';
COMMENT ON COLUMN steward.finding_exception.reason IS 'why it is accepted';
COMMENT ON COLUMN steward.finding_exception.requested_by IS 'the human who asked';
COMMENT ON COLUMN steward.finding_exception.approved_by IS 'the human who approved; never the same';
COMMENT ON COLUMN steward.finding_exception.recorded_by IS 'database role that recorded it';
COMMENT ON COLUMN steward.finding_exception.starts_at IS 'since when';
COMMENT ON COLUMN steward.finding_exception.ends_at IS 'until when; then the finding is back';
COMMENT ON COLUMN steward.finding_exception.ended_at IS 'when it was ended before or after its time';

CREATE TABLE steward.finding_history (
    org_id uuid NOT NULL CONSTRAINT finding_history_organization_fkey REFERENCES steward.organization (id),
    day date NOT NULL,
    rule text NOT NULL,
    severity text NOT NULL CONSTRAINT finding_history_severity_known CHECK (severity IN ('critical', 'high', 'medium', 'low')),
    findings bigint NOT NULL CONSTRAINT finding_history_counted CHECK (findings >= 0),
    accepted bigint NOT NULL CONSTRAINT finding_history_accepted_counted CHECK (accepted >= 0),
    counted_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    CONSTRAINT finding_history_pkey PRIMARY KEY (org_id, day, rule)
);
COMMENT ON TABLE steward.finding_history IS 'how many findings there were each day; written by maintain()';
COMMENT ON COLUMN steward.finding_history.org_id IS 'organization';
COMMENT ON COLUMN steward.finding_history.day IS 'day, UTC';
COMMENT ON COLUMN steward.finding_history.rule IS 'rule';
COMMENT ON COLUMN steward.finding_history.severity IS 'severity it had that day';
COMMENT ON COLUMN steward.finding_history.findings IS 'open findings';
COMMENT ON COLUMN steward.finding_history.accepted IS 'findings under an exception';
COMMENT ON COLUMN steward.finding_history.counted_at IS 'when they were counted last';
