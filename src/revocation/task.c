/*
 * task.c
 *		What other systems have to be told: tasks are claimed under a lease, confirmed with evidence, or fail and come
 *		back later.
 *
 * A task is made in the commit that revokes and ends only by a confirmation; nothing drops it.  A worker that dies lets
 * its lease run out, and the next one gets the task.  Killing a credential twice does no harm, so that a lease is enough;
 * the number of the attempt tells one lease from the next where two workers log in as one role.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "core/authority.h"
#include "core/health.h"
#include "core/plan.h"
#include "core/reference.h"
#include "revocation/task.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_claim_revocation_tasks);
PG_FUNCTION_INFO_V1(steward_confirm_revocation);
PG_FUNCTION_INFO_V1(steward_fail_revocation);

/* The most tasks that one call claims, the longest lease, and the most evidence kept. */
#define MAX_CLAIM 1000
#define MAX_LEASE_DAYS 7
#define MAX_EVIDENCE (64 * 1024)

/* Who may work on tasks. */
#define WORKERS (STEWARD_PROFILE_CONNECTOR | STEWARD_PROFILE_SECURITY | STEWARD_PROFILE_ADMIN)

/* Number of columns that claim_revocation_tasks() answers with. */
#define CLAIM_COLUMNS 12

/* The lease argument; raises unless it is a positive time of at most MAX_LEASE_DAYS. */
static Datum
lease_arg(FunctionCallInfo fcinfo, int arg)
{
	Interval zero = {0};
	Interval most = {.day = MAX_LEASE_DAYS};

	if (PG_ARGISNULL(arg))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("lease must not be null")));
	if (!DatumGetBool(DirectFunctionCall2(interval_gt, PG_GETARG_DATUM(arg), IntervalPGetDatum(&zero))) ||
		!DatumGetBool(DirectFunctionCall2(interval_le, PG_GETARG_DATUM(arg), IntervalPGetDatum(&most))))
		ereport(ERROR, (errcode(ERRCODE_STEWARD_VALUE_INVALID),
						errmsg("lease must be greater than zero and at most %d days", MAX_LEASE_DAYS)));
	return PG_GETARG_DATUM(arg);
}

/*
 * claim_revocation_tasks(system uuid | text, n integer DEFAULT 10, lease interval DEFAULT '5 minutes',
 *						  org uuid DEFAULT default_org())
 *		→ rows (task_id uuid, attempt integer, lease_until timestamptz, credential_id uuid, kind text, external_id text,
 *				display text, holder text, reason text, revocation_id uuid, deadline timestamptz, runbook text)
 *		Takes up to n tasks of a system that are due, those with the nearest deadline first, so that nobody else gets them
 *		before the lease ends.
 *
 * Workers beside each other do not wait for each other.  Tasks of roles of this cluster are left out: maintain() does
 * them.  Needs connector, security or admin.
 */
Datum
steward_claim_revocation_tasks(PG_FUNCTION_ARGS)
{
	static StewardPlan claim = STEWARD_PLAN(
		"uulin",
		"WITH due AS MATERIALIZED (SELECT t.org_id, t.id FROM steward.revocation_task t WHERE t.org_id = $1 "
		"AND t.system_id = $2 AND t.state <> 'confirmed' AND t.next_attempt_at <= clock_timestamp() "
		"AND (t.state = 'pending' OR t.lease_until <= clock_timestamp()) "
		"AND NOT EXISTS (SELECT FROM steward.pg_role r WHERE r.org_id = t.org_id AND r.credential_id = t.credential_id) "
		"ORDER BY t.deadline, t.id LIMIT $3 FOR UPDATE OF t SKIP LOCKED), "
		"taken AS (UPDATE steward.revocation_task t SET state = 'leased', attempts = t.attempts + 1, "
		"lease_until = clock_timestamp() + $4, leased_by = $5 FROM due d WHERE t.org_id = d.org_id AND t.id = d.id "
		"RETURNING t.*) "
		"SELECT t.id, t.attempts, t.lease_until, c.id, c.kind, c.external_id, c.display, p.name, r.reason, r.id, t.deadline, "
		"y.runbook FROM taken t JOIN steward.credential c ON c.org_id = t.org_id AND c.id = t.credential_id "
		"JOIN steward.revocation r ON r.org_id = t.org_id AND r.id = t.revocation_id "
		"JOIN steward.system y ON y.org_id = t.org_id AND y.id = t.system_id "
		"LEFT JOIN steward.principal p ON p.org_id = c.org_id AND p.id = c.holder_id ORDER BY t.deadline, t.id");
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	char *system = steward_reference_arg(fcinfo, 0, "system", true);
	const pg_uuid_t *org = steward_org_arg(fcinfo, 3);
	Datum lease = lease_arg(fcinfo, 2);
	NameData worker;

	if (PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("n must not be null")));
	if (PG_GETARG_INT32(1) < 1 || PG_GETARG_INT32(1) > MAX_CLAIM)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_VALUE_INVALID), errmsg("n must be between 1 and %d", MAX_CLAIM)));
	steward_require(org, WORKERS);
	PreventCommandIfReadOnly("claim_revocation_tasks()");
	InitMaterializedSRF(fcinfo, 0);
	namestrcpy(&worker, steward_caller_name());
	STEWARD_AS_OWNER();
	{
		Datum values[] = {UUIDPGetDatum(org), UUIDPGetDatum(steward_resolve(STEWARD_REF_SYSTEM, org, system, "system")),
						  Int64GetDatum(PG_GETARG_INT32(1)), lease, NameGetDatum(&worker)};
		uint64 rows = steward_run(&claim, STEWARD_LATEST, values, NULL);

		for (uint64 i = 0; i < rows; i++)
		{
			Datum row[CLAIM_COLUMNS];
			bool nulls[CLAIM_COLUMNS];

			for (int column = 0; column < CLAIM_COLUMNS; column++)
				row[column] = steward_result(i, column + 1, &nulls[column]);
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row, nulls);
		}
	}
	STEWARD_AS_OWNER_END();
	return (Datum) 0;
}

/*
 * Locks a task and raises unless the caller holds its lease now; attempt is the number that the claim gave, or NULL.
 * Whether it was confirmed with the same evidence before is not asked: a finished task is finished.
 */
static void
require_lease(const pg_uuid_t *org, const pg_uuid_t *task, const int32 *attempt)
{
	static StewardPlan lock =
		STEWARD_PLAN("uu", "SELECT state, leased_by::text, coalesce(lease_until <= clock_timestamp(), true), attempts "
						   "FROM steward.revocation_task WHERE org_id = $1 AND id = $2 FOR UPDATE");
	Datum values[] = {UUIDPGetDatum(org), UUIDPGetDatum(task)};
	char *state;
	bool isnull;

	if (steward_run(&lock, STEWARD_LATEST, values, NULL) == 0)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_REFERENCE_UNKNOWN), errmsg("task is not known in this organization"),
						errhint("Tasks are given out by steward.claim_revocation_tasks().")));
	state = steward_result_text(0, 1);
	if (strcmp(state, "confirmed") == 0)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_TASK_FINISHED), errmsg("task is confirmed already")));
	if (strcmp(state, "pending") == 0 || strcmp(steward_result_text(0, 2), steward_caller_name()) != 0 ||
		(attempt != NULL && *attempt != DatumGetInt32(steward_result(0, 4, &isnull))))
		ereport(ERROR, (errcode(ERRCODE_STEWARD_LEASE_NOT_HELD), errmsg("the lease of the task is not the caller's"),
						errhint("Claim it with steward.claim_revocation_tasks().")));
	if (DatumGetBool(steward_result(0, 3, &isnull)))
		ereport(ERROR, (errcode(ERRCODE_STEWARD_LEASE_EXPIRED), errmsg("the lease of the task has ended"),
						errdetail("Somebody else may be working on it."),
						errhint("Claim it again with steward.claim_revocation_tasks().")));
}

/* The arguments that both functions begin and end with. */
static const pg_uuid_t *
task_args(FunctionCallInfo fcinfo, const int32 **attempt, int32 *number, const pg_uuid_t **org)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("task must not be null")));
	*number = PG_ARGISNULL(2) ? 0 : PG_GETARG_INT32(2);
	*attempt = PG_ARGISNULL(2) ? NULL : number;
	*org = steward_org_arg(fcinfo, 3);
	return PG_GETARG_UUID_P(0);
}

/*
 * confirm_revocation(task uuid, evidence jsonb, attempt integer DEFAULT NULL, org uuid DEFAULT default_org())
 *		→ (credential_id uuid, took interval)
 *		Records that the other system has killed the credential, with what it answered; took is the time since the
 *		revocation.
 *
 * Only while the caller holds the lease; with attempt only that lease counts, which tells workers that log in as one
 * role apart.  Needs connector, security or admin.  Raises ST702 to ST704.
 */
Datum
steward_confirm_revocation(PG_FUNCTION_ARGS)
{
	static StewardPlan confirm = STEWARD_PLAN(
		"uuj",
		"UPDATE steward.revocation_task t SET state = 'confirmed', confirmed_at = clock_timestamp(), evidence = $3, "
		"lease_until = NULL, leased_by = NULL FROM steward.revocation r WHERE t.org_id = $1 AND t.id = $2 "
		"AND r.org_id = t.org_id AND r.id = t.revocation_id "
		"RETURNING t.credential_id, clock_timestamp() - r.revoked_at");
	static StewardPlan settle =
		STEWARD_PLAN("uu", "UPDATE steward.credential c SET external_pending = false WHERE c.org_id = $1 AND c.id = $2 "
						   "AND c.external_pending AND NOT EXISTS (SELECT FROM steward.revocation_task t "
						   "WHERE t.org_id = c.org_id AND t.credential_id = c.id AND t.state <> 'confirmed')");
	const int32 *attempt;
	int32 number;
	const pg_uuid_t *org;
	const pg_uuid_t *task = task_args(fcinfo, &attempt, &number, &org);
	Jsonb *evidence;
	TupleDesc desc;
	Datum answer[2];
	bool nulls[2] = {false, false};

	if (PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("evidence must not be null"),
						errhint("Say what the other system answered, as a JSON object.")));
	evidence = PG_GETARG_JSONB_P(1);
	if (!JB_ROOT_IS_OBJECT(evidence) || JB_ROOT_COUNT(evidence) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_STEWARD_VALUE_INVALID), errmsg("evidence must be a JSON object that says something")));
	if (VARSIZE(evidence) > MAX_EVIDENCE)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_VALUE_INVALID), errmsg("evidence is too long"),
						errdetail("The longest has %d bytes.", MAX_EVIDENCE)));
	if (steward_looks_secret(JsonbToCString(NULL, &evidence->root, VARSIZE(evidence))))
		ereport(ERROR, (errcode(ERRCODE_STEWARD_REFERENCE_IS_SECRET),
						errmsg("evidence contains what looks like a secret"), errhidestmt(true), errhidecontext(true)));
	steward_require(org, WORKERS);
	PreventCommandIfReadOnly("confirm_revocation()");
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "confirm_revocation() does not return a row");

	STEWARD_AS_OWNER();
	{
		Datum values[] = {UUIDPGetDatum(org), UUIDPGetDatum(task), JsonbPGetDatum(evidence)};
		pg_uuid_t *credential = SPI_palloc(sizeof(pg_uuid_t));
		Interval *took = SPI_palloc(sizeof(Interval));
		bool isnull;

		require_lease(org, task, attempt);
		steward_run(&confirm, STEWARD_LATEST, values, NULL);
		*credential = *DatumGetUUIDP(steward_result(0, 1, &isnull));
		*took = *DatumGetIntervalP(steward_result(0, 2, &isnull));
		answer[0] = UUIDPGetDatum(credential);
		answer[1] = IntervalPGetDatum(took);
		values[1] = answer[0];
		steward_run(&settle, STEWARD_LATEST, values, NULL);
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), answer, nulls)));
}

/*
 * fail_revocation(task uuid, error text, attempt integer DEFAULT NULL, org uuid DEFAULT default_org())
 *		→ next_attempt_at timestamptz
 *		Records that the other system did not kill the credential.  The task comes back after a while: half a minute,
 *		doubled with each attempt up to an hour, less up to half of it by chance, so that what failed together does not
 *		come back together.
 *
 * Who may, and what it raises, is as for confirm_revocation().
 */
Datum
steward_fail_revocation(PG_FUNCTION_ARGS)
{
	static StewardPlan fail = STEWARD_PLAN(
		"uut", "UPDATE steward.revocation_task t SET state = 'pending', lease_until = NULL, leased_by = NULL, "
			   "last_error = $3, next_attempt_at = clock_timestamp() + LEAST('1 hour'::interval, "
			   "'30 seconds'::interval * (2 ^ LEAST(t.attempts - 1, 10))) * (0.5 + random() / 2) "
			   "WHERE t.org_id = $1 AND t.id = $2 RETURNING next_attempt_at");
	const int32 *attempt;
	int32 number;
	const pg_uuid_t *org;
	const pg_uuid_t *task = task_args(fcinfo, &attempt, &number, &org);
	char *error = steward_note_arg(fcinfo, 1, "error");
	volatile TimestampTz next = 0;

	if (error == NULL)
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("error must not be null")));
	steward_require(org, WORKERS);
	PreventCommandIfReadOnly("fail_revocation()");
	STEWARD_AS_OWNER();
	{
		Datum values[] = {UUIDPGetDatum(org), UUIDPGetDatum(task), CStringGetTextDatum(error)};
		bool isnull;

		require_lease(org, task, attempt);
		steward_run(&fail, STEWARD_LATEST, values, NULL);
		next = DatumGetTimestampTz(steward_result(0, 1, &isnull));
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_TIMESTAMPTZ(next);
}

/* steward_check_tasks: the check of health, and the alarm for what is overdue. */
void
steward_check_tasks(ReturnSetInfo *rsinfo)
{
	static StewardPlan count = STEWARD_PLAN(
		"",
		"SELECT count(*), (extract(epoch FROM clock_timestamp() - min(deadline)) / 60)::bigint FROM steward.revocation_task "
		"WHERE state <> 'confirmed' AND deadline <= clock_timestamp()");
	static StewardPlan count_deferred = STEWARD_PLAN(
		"",
		"SELECT count(*) FROM steward.revocation WHERE settled_at IS NULL AND revoked_at < clock_timestamp() - '1 day'::interval");
	int64 overdue;
	bool isnull;

	steward_run(&count, STEWARD_TRANSACTION, NULL, NULL);
	overdue = DatumGetInt64(steward_result(0, 1, &isnull));
	if (overdue > 0)
		steward_health_answer(
			rsinfo, "revocations outside", "critical",
			psprintf(INT64_FORMAT " overdue, the oldest by %s minutes", overdue, steward_result_text(0, 2)),
			"SELECT * FROM steward.revocation_backlog WHERE overdue;");
	else
		steward_health_answer(rsinfo, "revocations outside", "ok", "none is overdue", NULL);

	steward_run(&count_deferred, STEWARD_TRANSACTION, NULL, NULL);
	if (DatumGetInt64(steward_result(0, 1, &isnull)) > 0)
		steward_health_answer(rsinfo, "deferred bookkeeping", "warning", "rows of revoked credentials wait since a day",
							  "SELECT * FROM steward.maintain();");
}
