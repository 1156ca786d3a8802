-- The boundary, findings and access questions are the analyst's to read; security reports signals and decides on
-- findings, administrators register monitors and treat risks.

GRANT SELECT ON steward.risk, steward.risks, steward.builtin_control, steward.controls, steward.control_coverage, steward.control_boundary,
    steward.evidence_agents_owned, steward.evidence_leavers_complete, steward.evidence_directory_fresh, steward.evidence_directory_agrees,
    steward.evidence_revocations_in_time, steward.evidence_no_static_keys, steward.evidence_keys_expire, steward.evidence_rotation_in_time,
    steward.evidence_within_grants, steward.evidence_environments_apart, steward.evidence_secrets_apart, steward.evidence_monitors_seen,
    steward.evidence_agents_monitored, steward.evidence_signals_contained, steward.evidence_changes_audited, steward.evidence_discovered_claimed,
    steward.evidence_third_parties_revocable, steward.evidence_autonomy_justified, steward.evidence_people_apart,
    steward.live_grant, steward.signal_category, steward.signals, steward.signal_sources, steward.signal_rules,
    steward.finding_rule, steward.finding_limits, steward.finding_state, steward.findings, steward.finding_exceptions, steward.finding_trend,
    steward.credential_rule, steward.effective_access
    TO steward_analyst;
GRANT EXECUTE ON FUNCTION
    steward.explain_access(text, steward.scope_set, uuid), steward.explain_access(uuid, steward.scope_set, uuid),
    steward.report_html(timestamptz, timestamptz, uuid)
    TO steward_analyst;
GRANT EXECUTE ON FUNCTION steward.evaluate_controls(text, uuid) TO steward_auditor, steward_security;
GRANT EXECUTE ON FUNCTION
    steward.report_signal(jsonb, text, text, uuid), steward.report_signals(jsonb, text, text, uuid),
    steward.release_signal(uuid, text, uuid), steward.reset_brake(text, uuid)
    TO steward_security;
GRANT EXECUTE ON FUNCTION
    steward.accept_finding(text, text, text, text, text, timestamptz, uuid), steward.end_exception(uuid, uuid),
    steward.set_finding_rule(text, text, numeric, uuid)
    TO steward_security;
GRANT EXECUTE ON FUNCTION
    steward.add_risk(text, text, text, text, uuid), steward.treat_risk(text, text, text, text, text, jsonb, uuid),
    steward.register_control(text, text, text, regclass, text[], jsonb, interval, uuid), steward.retire_control(text, uuid),
    steward.register_signal_source(text, text, text, text[], text, integer, interval, uuid),
    steward.register_signal_source(text, uuid, text, text[], text, integer, interval, uuid),
    steward.retire_signal_source(text, uuid),
    steward.set_signal_rule(text, text, text, numeric, integer, interval, text, interval, steward.scope_set, uuid), steward.drop_signal_rule(text, uuid)
    TO steward_admin;
