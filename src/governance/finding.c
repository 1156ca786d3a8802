/*
 * finding.c
 *		Findings: what an organization decides about rules and about single findings, and how many there were.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "core/authority.h"
#include "core/plan.h"
#include "core/reference.h"
#include "credential/people.h"
#include "governance/governance.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_set_finding_rule);
PG_FUNCTION_INFO_V1(steward_accept_finding);
PG_FUNCTION_INFO_V1(steward_end_exception);

static const char *const severities[] = {"critical", "high", "medium", "low", "off", NULL};

/* Raises unless there is such a rule; answers whether it has a threshold. */
static bool
check_rule(const char *rule)
{
	static StewardPlan find =
		STEWARD_PLAN("t", "SELECT threshold IS NOT NULL FROM steward.finding_rule WHERE rule = $1");
	Datum value = CStringGetTextDatum(rule);
	bool isnull;

	if (steward_run(&find, STEWARD_TRANSACTION, &value, NULL) == 0)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_RULE_UNKNOWN), errmsg("unknown finding rule \"%.63s\"", rule),
						errhint("SELECT rule, title FROM steward.finding_rule lists them.")));
	return DatumGetBool(steward_result(0, 1, &isnull));
}

/*
 * set_finding_rule(rule text, severity text DEFAULT NULL, threshold numeric DEFAULT NULL,
 *					org uuid DEFAULT default_org()) → changed boolean
 *		Sets a rule's severity ("off" among them) and threshold, in the rule's unit; both NULL: back to the defaults.
 *
 * Raises ST809 for an unknown rule.  Needs security or admin.
 */
Datum
steward_set_finding_rule(PG_FUNCTION_ARGS)
{
	static StewardPlan upsert = STEWARD_PLAN(
		"utttn",
		"INSERT INTO steward.finding_setting (org_id, rule, severity, threshold, set_by) VALUES ($1, $2, $3, $4::numeric, $5) "
		"ON CONFLICT (org_id, rule) DO UPDATE SET severity = excluded.severity, threshold = excluded.threshold, "
		"set_by = excluded.set_by, set_at = clock_timestamp()");
	static StewardPlan forget =
		STEWARD_PLAN("ut", "DELETE FROM steward.finding_setting WHERE org_id = $1 AND rule = $2");
	char *rule = steward_text_arg(fcinfo, 0, "rule", true);
	char *severity = steward_text_arg(fcinfo, 1, "severity", false);
	bool has_threshold = !PG_ARGISNULL(2);
	char *threshold = NULL;
	const pg_uuid_t *org = steward_org_arg(fcinfo, 3);
	bool changed = false;

	if (severity)
		steward_check_choice(severity, "severity", severities, ERRCODE_STEWARD_VALUE_INVALID);
	if (has_threshold)
	{
		double value = DatumGetFloat8(DirectFunctionCall1(numeric_float8, PG_GETARG_DATUM(2)));

		if (!(value >= 0 && value <= 100000))
			ereport(ERROR, (errcode(ERRCODE_STEWARD_VALUE_INVALID), errmsg("threshold must be between 0 and 100000")));
		threshold = DatumGetCString(DirectFunctionCall1(numeric_out, PG_GETARG_DATUM(2)));
	}
	steward_require(org, STEWARD_PROFILE_SECURITY | STEWARD_PROFILE_ADMIN);
	PreventCommandIfReadOnly("set_finding_rule()");
	STEWARD_AS_OWNER();
	{
		NameData caller;

		namestrcpy(&caller, steward_caller_name());
		if (!check_rule(rule) && has_threshold)
			ereport(ERROR, (errcode(ERRCODE_STEWARD_VALUE_INVALID), errmsg("rule \"%s\" has no threshold", rule)));
		{
			Datum values[] = {UUIDPGetDatum(org), CStringGetTextDatum(rule),
							  severity ? CStringGetTextDatum(severity) : (Datum) 0,
							  has_threshold ? CStringGetTextDatum(threshold) : (Datum) 0, NameGetDatum(&caller)};
			bool nulls[] = {false, false, severity == NULL, !has_threshold, false};

			changed =
				steward_run(severity || has_threshold ? &upsert : &forget, STEWARD_TRANSACTION, values, nulls) > 0;
		}
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_BOOL(changed);
}

/*
 * accept_finding(rule text, object_id text, reason text, requested_by text, approved_by text, until timestamptz,
 *				  org uuid DEFAULT default_org()) → exception_id uuid
 *		Accepts a finding until an end of at most a year; somebody else than who asked has to approve, both living
 *		humans.
 *
 * Raises ST808 when there is no end or nobody else approved, ST809 for an unknown rule.  Needs security or admin.
 */
Datum
steward_accept_finding(PG_FUNCTION_ARGS)
{
	static StewardPlan insert = STEWARD_PLAN(
		"uttuunzt",
		"INSERT INTO steward.finding_exception (org_id, rule, object_id, requested_by, approved_by, recorded_by, ends_at, "
		"reason) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id");
	char *rule = steward_text_arg(fcinfo, 0, "rule", true);
	char *object = steward_text_arg(fcinfo, 1, "object_id", true);
	char *reason = steward_note_arg(fcinfo, 2, "reason");
	char *requester = steward_text_arg(fcinfo, 3, "requested_by", true);
	char *approver = steward_text_arg(fcinfo, 4, "approved_by", true);
	const pg_uuid_t *org = steward_org_arg(fcinfo, 6);
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));

	if (reason == NULL)
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("reason must not be null")));
	if (PG_ARGISNULL(5) || TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMPTZ(5)))
		ereport(ERROR, (errcode(ERRCODE_STEWARD_EXCEPTION_INVALID), errmsg("an accepted finding needs an end")));
	if (PG_GETARG_TIMESTAMPTZ(5) <= GetCurrentTimestamp() ||
		PG_GETARG_TIMESTAMPTZ(5) > GetCurrentTimestamp() + 365 * USECS_PER_DAY)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_EXCEPTION_INVALID),
						errmsg("an accepted finding ends in the future, within a year")));
	steward_require(org, STEWARD_PROFILE_SECURITY | STEWARD_PROFILE_ADMIN);
	PreventCommandIfReadOnly("accept_finding()");
	STEWARD_AS_OWNER();
	{
		StewardPerson asks;
		StewardPerson approves;
		NameData caller;
		bool isnull;

		(void) check_rule(rule);
		steward_lock_owner(org, steward_resolve(STEWARD_REF_PRINCIPAL, org, requester, "requested_by"), &asks);
		steward_lock_owner(org, steward_resolve(STEWARD_REF_PRINCIPAL, org, approver, "approved_by"), &approves);
		if (memcmp(&asks.id, &approves.id, sizeof(pg_uuid_t)) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_STEWARD_EXCEPTION_INVALID), errmsg("nobody approves an exception of their own"),
					 errdetail("\"%s\" asked for it.", asks.name)));
		namestrcpy(&caller, steward_caller_name());
		{
			Datum values[] = {UUIDPGetDatum(org),	   CStringGetTextDatum(rule),	CStringGetTextDatum(object),
							  UUIDPGetDatum(&asks.id), UUIDPGetDatum(&approves.id), NameGetDatum(&caller),
							  PG_GETARG_DATUM(5),	   CStringGetTextDatum(reason)};

			steward_run(&insert, STEWARD_TRANSACTION, values, NULL);
		}
		*id = *DatumGetUUIDP(steward_result(0, 1, &isnull));
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_UUID_P(id);
}

/*
 * end_exception(exception uuid, org uuid DEFAULT default_org()) → ended boolean
 *		Ends an accepted finding; if it still holds, it is back.  Needs security or admin.
 */
Datum
steward_end_exception(PG_FUNCTION_ARGS)
{
	static StewardPlan end = STEWARD_PLAN("uu", "UPDATE steward.finding_exception SET ended_at = clock_timestamp() "
												"WHERE org_id = $1 AND id = $2 AND ended_at IS NULL");
	const pg_uuid_t *org = steward_org_arg(fcinfo, 1);
	bool ended = false;

	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("exception must not be null")));
	steward_require(org, STEWARD_PROFILE_SECURITY | STEWARD_PROFILE_ADMIN);
	PreventCommandIfReadOnly("end_exception()");
	STEWARD_AS_OWNER();
	{
		Datum values[] = {UUIDPGetDatum(org), PG_GETARG_DATUM(0)};

		ended = steward_run(&end, STEWARD_TRANSACTION, values, NULL) > 0;
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_BOOL(ended);
}

/*
 * steward_count_findings
 *		A step of maintain(): counts today's findings of every organization, at most once an hour; a rule without any
 *		that had some today counts as none.
 */
char *
steward_count_findings(void)
{
	static StewardPlan count = STEWARD_PLAN(
		"",
		"WITH due AS MATERIALIZED (SELECT o.id AS org_id FROM steward.organization o WHERE o.state = 'active' AND NOT EXISTS "
		"(SELECT FROM steward.finding_history h WHERE h.org_id = o.id AND h.day = (now() AT TIME ZONE 'UTC')::date "
		"AND h.counted_at > now() - interval '1 hour')), "
		"counted AS (SELECT f.org_id, f.rule, f.severity, count(*) FILTER (WHERE f.accepted_until IS NULL) AS findings, "
		"count(f.accepted_until) AS accepted FROM steward.finding_state f WHERE f.org_id IN (SELECT org_id FROM due) "
		"GROUP BY f.org_id, f.rule, f.severity) "
		"INSERT INTO steward.finding_history (org_id, day, rule, severity, findings, accepted) "
		"SELECT c.org_id, (now() AT TIME ZONE 'UTC')::date, c.rule, c.severity, c.findings, c.accepted FROM counted c "
		"UNION ALL SELECT h.org_id, h.day, h.rule, h.severity, 0, 0 FROM steward.finding_history h JOIN due d ON d.org_id = h.org_id "
		"WHERE h.day = (now() AT TIME ZONE 'UTC')::date AND NOT EXISTS (SELECT FROM counted c WHERE c.org_id = h.org_id AND c.rule = h.rule) "
		"ON CONFLICT (org_id, day, rule) DO UPDATE SET findings = excluded.findings, accepted = excluded.accepted, "
		"severity = excluded.severity, counted_at = clock_timestamp()");

	/* The view is long and the rows few: compiling it would cost more than everything else. */
	(void) set_config_option("jit", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	return psprintf(UINT64_FORMAT " counts", steward_run(&count, STEWARD_TRANSACTION, NULL, NULL));
}
