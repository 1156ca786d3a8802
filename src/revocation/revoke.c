/*
 * revoke.c
 *		Taking credentials away: the act itself, set-based, with tasks for other systems.
 *
 * One statement does it for every caller.  It locks what is alive of the credentials named in id order; marks it
 * revoked; makes a task where another system has to be told; and records the act with its counts.  What was revoked
 * before is left as it is, so that doing it again does nothing.  What the credentials named are, with what derives from
 * them, was settled before (targets.c).
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/async.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "core/authority.h"
#include "core/module.h"
#include "core/plan.h"
#include "revocation/revoke.h"
#include "steward.h"

/* Where workers listen. */
#define CHANNEL "steward_revocation"

/*
 * The statement.  Parameters 1 to 3: organization, credential and act of each credential named, in the order of the first
 * two.  Ends with "counted":
 * for each act, how many credentials it revoked, and how many of these another system has to kill.
 *
 * The lateral look-up fixes the order of the locks, and with it the number of rows that the planner expects, whatever it
 * believes about the tables: a wrong guess there would make this quadratic.
 */
#define REVOKE_ROWS \
	"WITH alive AS MATERIALIZED (SELECT c.org_id, c.id, t.revocation_id, y.id AS system_id, " \
	"y.revocation_path <> 'native' AS outside, clock_timestamp() + coalesce(y.deadline, o.task_deadline) AS deadline " \
	"FROM unnest($1, $2, $3) AS t(org_id, credential_id, revocation_id) " \
	"CROSS JOIN LATERAL (SELECT c.org_id, c.id, c.system_id FROM steward.credential c WHERE c.org_id = t.org_id " \
	"AND c.id = t.credential_id AND c.state <> 'revoked' FOR UPDATE) c " \
	"JOIN steward.system y ON y.org_id = c.org_id AND y.id = c.system_id " \
	"JOIN steward.org_policy o ON o.org_id = c.org_id), " \
	"dead AS (UPDATE steward.credential c SET state = 'revoked', revoked_at = clock_timestamp(), " \
	"revocation_id = a.revocation_id, external_pending = a.outside FROM alive a " \
	"WHERE c.org_id = a.org_id AND c.id = a.id AND c.state <> 'revoked' " \
	"RETURNING c.org_id, c.id, a.revocation_id, a.system_id, a.outside, a.deadline), " \
	"task AS (INSERT INTO steward.revocation_task (org_id, credential_id, revocation_id, system_id, deadline) " \
	"SELECT org_id, id, revocation_id, system_id, deadline FROM dead WHERE outside), " \
	"counted AS (SELECT org_id, revocation_id, count(*) AS credentials, count(*) FILTER (WHERE outside) AS pending " \
	"FROM dead GROUP BY org_id, revocation_id) "

/* Wakes the workers at commit, once however often it is said; see steward.notify. */
static void
notify(int64 pending)
{
	if (pending > 0 && steward_notify)
		Async_Notify(CHANNEL, "");
}

/*
 * steward_act
 *		Revokes the targets and records the acts; inside the bracket.
 *
 * An act that does nothing leaves no row.  The commit is made synchronous: what was said to be dead must not live again
 * after a crash.
 */
void
steward_act(const StewardAct *act, const StewardTargets *targets, StewardActResult *result)
{
	/* 4-7 organization, id, subject and event of each act; 8 reason, 9 note, 10 kind of subject, 11 actor, 12
	 * principals, 13 epoch, 14 whether it is settled, 15 filter. */
	static StewardPlan revoke = STEWARD_PLAN(
		"UUUUUUUtttnlzbj", REVOKE_ROWS
		"INSERT INTO steward.revocation (org_id, id, reason, note, subject_kind, subject_id, filter, lifecycle_event_id, "
		"actor, credentials, principals, pending_external, epoch, settled_at) "
		"SELECT r.org_id, r.id, $8, $9, $10, r.subject_id, $15, r.event_id, $11, coalesce(n.credentials, 0), $12, "
		"coalesce(n.pending, 0), $13, CASE WHEN $14 THEN clock_timestamp() END "
		"FROM unnest($4, $5, $6, $7) AS r(org_id, id, subject_id, event_id) "
		"LEFT JOIN counted n ON n.org_id = r.org_id AND n.revocation_id = r.id "
		"WHERE n.credentials > 0 OR $12 > 0 OR $13 IS NOT NULL RETURNING credentials, principals, pending_external");
	NameData actor;
	Datum values[15];
	bool nulls[15] = {false};
	bool isnull;

	namestrcpy(&actor, steward_caller_name());
	steward_targets_arrays(targets, &values[0], &values[1], &values[2]);
	values[3] = act->orgs;
	values[4] = act->ids;
	values[5] = act->subjects;
	values[6] = act->events;
	values[7] = CStringGetTextDatum(act->reason);
	values[8] = act->note ? CStringGetTextDatum(act->note) : (Datum) 0;
	nulls[8] = act->note == NULL;
	values[9] = CStringGetTextDatum(act->subject_kind);
	values[10] = NameGetDatum(&actor);
	values[11] = Int64GetDatum(act->principals);
	values[12] = TimestampTzGetDatum(act->epoch);
	nulls[12] = !act->has_epoch;
	values[13] = BoolGetDatum(act->settled);
	values[14] = act->filter;
	nulls[14] = act->filter == (Datum) 0;

	memset(result, 0, sizeof(*result));
	result->acts = steward_run(&revoke, STEWARD_LATEST, values, nulls);
	for (int i = 0; i < result->acts; i++)
	{
		result->credentials += DatumGetInt64(steward_result(i, 1, &isnull));
		result->principals += DatumGetInt64(steward_result(i, 2, &isnull));
		result->pending += DatumGetInt64(steward_result(i, 3, &isnull));
	}
	notify(result->pending);
	ForceSyncCommit();
}

/*
 * steward_revoke_for_events
 *		Revokes credentials because of lifecycle events, one act for each event, with everything that derives from them;
 *		inside the bracket.
 *
 * orgs, credentials and events are parallel arrays of uuid, one element a credential.
 */
void
steward_revoke_for_events(Datum orgs, Datum credentials, Datum events, const char *reason)
{
	/* An event's act: a new id, and the person as its subject. */
	static StewardPlan make_acts = STEWARD_PLAN(
		"UU", "SELECT d.org_id, steward.uuid7(), e.principal_id, d.event_id FROM (SELECT DISTINCT org_id, event_id "
			  "FROM unnest($1, $2) AS a(org_id, event_id)) d "
			  "JOIN steward.lifecycle_event e ON e.org_id = d.org_id AND e.id = d.event_id");
	static StewardPlan match_acts =
		STEWARD_PLAN("UUUUU", "SELECT c.org_id, c.credential_id, r.id FROM unnest($1, $2, $3) "
							  "AS c(org_id, credential_id, event_id) "
							  "JOIN unnest($4, $5) AS r(id, event_id) USING (event_id) "
							  "ORDER BY c.org_id, c.credential_id, r.id");
	StewardAct act = {.reason = reason, .subject_kind = "principal", .settled = true};
	StewardActResult result;
	StewardTargets *targets;
	Datum values[5] = {orgs, events};

	steward_run(&make_acts, STEWARD_LATEST, values, NULL);
	act.orgs = steward_uuid_column(1);
	act.ids = steward_uuid_column(2);
	act.subjects = steward_uuid_column(3);
	act.events = steward_uuid_column(4);

	values[1] = credentials;
	values[2] = events;
	values[3] = act.ids;
	values[4] = act.events;
	targets = steward_targets_make((int) steward_run(&match_acts, STEWARD_LATEST, values, NULL));
	steward_targets_add_results(targets, NULL);
	steward_targets_follow(targets, false);
	steward_act(&act, targets, &result);
}

/*
 * steward_maintain_settle
 *		The step of maintain() that brings rows in step with what is dead already: credentials that an epoch killed while
 *		steward.defer_bookkeeping was on, and what derives from a revoked credential but was made beside its revocation.
 *
 * The rows join the act that killed them, whose counts grow.  Acts that another session is settling are left to it.
 */
char *
steward_maintain_settle(void)
{
	static StewardPlan find_acts =
		STEWARD_PLAN("", "SELECT org_id, id, id FROM steward.revocation "
						 "WHERE settled_at IS NULL ORDER BY org_id, id FOR UPDATE SKIP LOCKED");
	static StewardPlan find_rows = STEWARD_PLAN(
		"UU",
		"SELECT c.org_id, c.id, r.id FROM unnest($1, $2) AS a(org_id, id) "
		"JOIN steward.revocation r ON r.org_id = a.org_id AND r.id = a.id AND r.subject_kind = 'principal' "
		"JOIN steward.credential c ON c.org_id = r.org_id AND c.holder_id = r.subject_id AND c.state <> 'revoked' "
		"AND c.issued_at <= r.epoch "
		"UNION ALL SELECT c.org_id, c.id, r.id FROM unnest($1, $2) AS a(org_id, id) "
		"JOIN steward.revocation r ON r.org_id = a.org_id AND r.id = a.id AND r.subject_kind = 'principal' "
		"JOIN steward.credential c ON c.org_id = r.org_id AND c.owner_id = r.subject_id AND c.state <> 'revoked' "
		"AND GREATEST(c.issued_at, c.owner_since) <= r.epoch "
		"UNION ALL SELECT c.org_id, c.id, r.id FROM unnest($1, $2) AS a(org_id, id) "
		"JOIN steward.revocation r ON r.org_id = a.org_id AND r.id = a.id AND r.subject_kind = 'organization' "
		"JOIN steward.credential c ON c.org_id = r.org_id AND c.state <> 'revoked' AND c.issued_at <= r.epoch");
	static StewardPlan find_orphans = STEWARD_PLAN(
		"", "SELECT c.org_id, c.id, p.revocation_id FROM steward.credential c "
			"JOIN steward.credential p ON p.org_id = c.org_id AND p.id = c.parent_id AND p.state = 'revoked' "
			"WHERE c.parent_id IS NOT NULL AND c.parent_kind IN ('delegated_from', 'issued_by', 'belongs_to') "
			"AND c.state <> 'revoked'");
	static StewardPlan settle = STEWARD_PLAN(
		"UUUUU", REVOKE_ROWS
		"UPDATE steward.revocation r SET credentials = r.credentials + coalesce(n.credentials, 0), "
		"pending_external = r.pending_external + coalesce(n.pending, 0), "
		"settled_at = coalesce(r.settled_at, CASE WHEN s.id IS NOT NULL THEN clock_timestamp() END) "
		"FROM (SELECT org_id, revocation_id FROM counted UNION SELECT org_id, id FROM unnest($4, $5) AS u(org_id, id)) a "
		"LEFT JOIN counted n ON n.org_id = a.org_id AND n.revocation_id = a.revocation_id "
		"LEFT JOIN unnest($4, $5) AS s(org_id, id) ON s.org_id = a.org_id AND s.id = a.revocation_id "
		"WHERE r.org_id = a.org_id AND r.id = a.revocation_id "
		"RETURNING coalesce(n.credentials, 0), coalesce(n.pending, 0)");
	Datum values[5];
	StewardTargets *targets = steward_targets_make(0);
	int64 credentials = 0;
	int64 pending = 0;
	uint64 acts = steward_run(&find_acts, STEWARD_LATEST, NULL, NULL);
	bool isnull;

	values[3] = steward_uuid_column(1);
	values[4] = steward_uuid_column(2);
	if (acts > 0)
	{
		steward_run(&find_rows, STEWARD_LATEST, values + 3, NULL);
		steward_targets_add_results(targets, NULL);
	}
	steward_run(&find_orphans, STEWARD_LATEST, NULL, NULL);
	steward_targets_add_results(targets, NULL);
	if (acts == 0 && targets->n == 0)
		return "nothing to do";

	steward_targets_follow(targets, false);
	steward_targets_arrays(targets, &values[0], &values[1], &values[2]);
	acts = steward_run(&settle, STEWARD_LATEST, values, NULL);
	for (uint64 i = 0; i < acts; i++)
	{
		credentials += DatumGetInt64(steward_result(i, 1, &isnull));
		pending += DatumGetInt64(steward_result(i, 2, &isnull));
	}
	notify(pending);
	ForceSyncCommit();
	return psprintf(INT64_FORMAT " credentials of " UINT64_FORMAT " acts revoked", credentials, acts);
}
