-- Functions of the control boundary, signals, findings, access questions and the report.

CREATE FUNCTION steward.uncovered_scopes(asked steward.scope_set, given steward.scope_set[]) RETURNS steward.scope_set
    AS 'MODULE_PATHNAME', 'steward_uncovered_scopes' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION steward.uncovered_scopes(steward.scope_set, steward.scope_set[]) IS 'the members of a scope set that no set of an array covers';

CREATE TYPE steward.finding_hit AS (rule text, since timestamptz, evidence text, reason text);
COMMENT ON TYPE steward.finding_hit IS 'a rule beside its evidence against one row; no evidence, no finding';

CREATE FUNCTION steward.explain_access(principal text, scopes steward.scope_set, org uuid DEFAULT steward.default_org(),
    OUT allowed boolean, OUT scope text, OUT through text, OUT detail text) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'steward_explain_access' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.explain_access(text, steward.scope_set, uuid) IS 'for each scope through which grants, roles and delegations a principal has it, or what is missing';
CREATE FUNCTION steward.explain_access(principal uuid, scopes steward.scope_set, org uuid DEFAULT steward.default_org(),
    OUT allowed boolean, OUT scope text, OUT through text, OUT detail text) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'steward_explain_access' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.explain_access(uuid, steward.scope_set, uuid) IS 'for each scope through which grants, roles and delegations a principal has it, or what is missing';

CREATE FUNCTION steward.add_risk(risk text, name text, description text, layer text, org uuid DEFAULT steward.default_org(), OUT risk_id text)
    AS 'MODULE_PATHNAME', 'steward_add_risk' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.add_risk(text, text, text, text, uuid) IS 'adds a risk of an organization''s own';
CREATE FUNCTION steward.treat_risk(risk text, layer text, owner text, decision text, reason text, split jsonb DEFAULT NULL,
    org uuid DEFAULT steward.default_org(), OUT risk_id text)
    AS 'MODULE_PATHNAME', 'steward_treat_risk' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.treat_risk(text, text, text, text, text, jsonb, uuid) IS 'decides which layer answers for a risk, who owns it, and what was decided';
CREATE FUNCTION steward.register_control(control text, title text, layer text, evidence regclass, risks text[],
    refs jsonb DEFAULT '{}', fresh_for interval DEFAULT '7 days', org uuid DEFAULT steward.default_org(), OUT control_id text)
    AS 'MODULE_PATHNAME', 'steward_register_control' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.register_control(text, text, text, regclass, text[], jsonb, interval, uuid) IS 'registers a control that proves itself through a view (org_id, passed, detail); superuser only';
CREATE FUNCTION steward.retire_control(control text, org uuid DEFAULT steward.default_org(), OUT retired boolean)
    AS 'MODULE_PATHNAME', 'steward_retire_control' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.retire_control(text, uuid) IS 'takes a registered control away; its results stay';
CREATE FUNCTION steward.evaluate_controls(control text DEFAULT NULL, org uuid DEFAULT steward.default_org(),
    OUT control_id text, OUT result text, OUT rows_seen bigint, OUT rows_failing bigint, OUT detail text) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'steward_evaluate_controls' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.evaluate_controls(text, uuid) IS 'asks the evidence of one control or of all, and keeps the results';

CREATE FUNCTION steward.register_signal_source(name text, principal text, max_action text DEFAULT 'suspend', agents text[] DEFAULT NULL,
    role text DEFAULT NULL, brake_limit integer DEFAULT 20, brake_window interval DEFAULT '1 hour', org uuid DEFAULT steward.default_org(), OUT source_id uuid)
    AS 'MODULE_PATHNAME', 'steward_register_signal_source' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.register_signal_source(text, text, text, text[], text, integer, interval, uuid) IS 'registers a monitor: who reports, about which agents, with what effect at most';
CREATE FUNCTION steward.register_signal_source(name text, principal uuid, max_action text DEFAULT 'suspend', agents text[] DEFAULT NULL,
    role text DEFAULT NULL, brake_limit integer DEFAULT 20, brake_window interval DEFAULT '1 hour', org uuid DEFAULT steward.default_org(), OUT source_id uuid)
    AS 'MODULE_PATHNAME', 'steward_register_signal_source' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.register_signal_source(text, uuid, text, text[], text, integer, interval, uuid) IS 'registers a monitor: who reports, about which agents, with what effect at most';
CREATE FUNCTION steward.retire_signal_source(source text, org uuid DEFAULT steward.default_org(), OUT retired boolean)
    AS 'MODULE_PATHNAME', 'steward_retire_signal_source' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.retire_signal_source(text, uuid) IS 'ends a monitor''s reporting; what it reported and contained stays';
CREATE FUNCTION steward.reset_brake(source text, org uuid DEFAULT steward.default_org(), OUT reset boolean)
    AS 'MODULE_PATHNAME', 'steward_reset_brake' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.reset_brake(text, uuid) IS 'lets a monitor contain agents again after its brake tripped';
CREATE FUNCTION steward.set_signal_rule(name text, action text, category text DEFAULT NULL, min_score numeric DEFAULT 0.8, min_count integer DEFAULT 1,
    within interval DEFAULT '10 minutes', autonomy text DEFAULT NULL, suspend_for interval DEFAULT NULL, narrow_to steward.scope_set DEFAULT NULL,
    org uuid DEFAULT steward.default_org(), OUT rule_id uuid)
    AS 'MODULE_PATHNAME', 'steward_set_signal_rule' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.set_signal_rule(text, text, text, numeric, integer, interval, text, interval, steward.scope_set, uuid) IS 'sets what signals of a category bring about: alert, suspend, narrow or revoke';
CREATE FUNCTION steward.drop_signal_rule(name text, org uuid DEFAULT steward.default_org(), OUT dropped boolean)
    AS 'MODULE_PATHNAME', 'steward_drop_signal_rule' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.drop_signal_rule(text, uuid) IS 'takes a rule away';
CREATE FUNCTION steward.report_signal(signal jsonb, source text DEFAULT NULL, format text DEFAULT 'plain', org uuid DEFAULT steward.default_org(),
    OUT signal_id text, OUT result text, OUT outcome text, OUT detail text) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'steward_report_signal' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.report_signal(jsonb, text, text, uuid) IS 'records what a monitor saw and contains the agent in the same commit; formats plain, llm_guard, prisma_airs';
CREATE FUNCTION steward.report_signals(signals jsonb, source text DEFAULT NULL, format text DEFAULT 'plain', org uuid DEFAULT steward.default_org(),
    OUT signal_id text, OUT result text, OUT outcome text, OUT detail text) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'steward_report_signals' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.report_signals(jsonb, text, text, uuid) IS 'the same for an array of at most 10,000; bad ones are refused one by one and the others kept';
CREATE FUNCTION steward.release_signal(signal uuid, reason text, org uuid DEFAULT steward.default_org(), OUT released bigint)
    AS 'MODULE_PATHNAME', 'steward_release_signal' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.release_signal(uuid, text, uuid) IS 'lifts the suspensions that a signal caused, and no others';

CREATE FUNCTION steward.set_finding_rule(rule text, severity text DEFAULT NULL, threshold numeric DEFAULT NULL, org uuid DEFAULT steward.default_org(), OUT changed boolean)
    AS 'MODULE_PATHNAME', 'steward_set_finding_rule' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.set_finding_rule(text, text, numeric, uuid) IS 'sets a rule''s severity (off among them) and threshold; both NULL for the defaults';
CREATE FUNCTION steward.accept_finding(rule text, object_id text, reason text, requested_by text, approved_by text, until timestamptz,
    org uuid DEFAULT steward.default_org(), OUT exception_id uuid)
    AS 'MODULE_PATHNAME', 'steward_accept_finding' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.accept_finding(text, text, text, text, text, timestamptz, uuid) IS 'accepts a finding until an end, with the approval of somebody else';
CREATE FUNCTION steward.end_exception(exception uuid, org uuid DEFAULT steward.default_org(), OUT ended boolean)
    AS 'MODULE_PATHNAME', 'steward_end_exception' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.end_exception(uuid, uuid) IS 'ends an accepted finding';

CREATE FUNCTION steward.report_html(since timestamptz DEFAULT pg_catalog.now() - interval '30 days', until timestamptz DEFAULT pg_catalog.now(),
    org uuid DEFAULT steward.default_org()) RETURNS text
    AS 'MODULE_PATHNAME', 'steward_report_html' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.report_html(timestamptz, timestamptz, uuid) IS 'the state of governance as one self-contained HTML page';
