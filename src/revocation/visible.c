/*
 * visible.c
 *		What a node knows: whether an act of revocation has arrived, and how old its knowledge is.
 *
 * The row of the act decides: it came with everything that the act did, in one commit.  Only where it is not there does
 * the transaction id of the receipt help to tell what is on its way from what never will be.  Ids mean something in the
 * cluster where they were given and on its standbys; after a failover the new primary may give the same ones again,
 * which is why a row that is there is asked first, and why "aborted" and "unknown_here" call for the same: do it again.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"
#include "utils/xid8.h"

#include "core/authority.h"
#include "core/health.h"
#include "core/module.h"
#include "core/plan.h"
#include "core/reference.h"
#include "core/relation.h"
#include "revocation/visible.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_revocation_visible);
PG_FUNCTION_INFO_V1(steward_heartbeat);

/* Whether the row of the act is there; in_progress when only this transaction sees it. */
static const char *
ask_row(const pg_uuid_t *org, const pg_uuid_t *revocation)
{
	Datum keys[2] = {UUIDPGetDatum(org), UUIDPGetDatum(revocation)};
	Snapshot snapshot = steward_fresh_snapshot();
	StewardRow row;
	bool found = steward_fetch(STEWARD_REVOCATION, snapshot, 2, keys, &row);

	UnregisterSnapshot(snapshot);
	if (!found)
		return NULL;
	return TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(row.tuple->t_data)) ? "in_progress" : "visible";
}

/* What became of a transaction, as far as this node knows; NULL when it committed. */
static const char *
ask_transaction(FullTransactionId xid)
{
	LOCAL_FCINFO(call, 1);
	Datum status;
	char *word;

	/* What has not come here yet is not known to have begun. */
	if (!FullTransactionIdIsNormal(xid) || !FullTransactionIdPrecedes(xid, ReadNextFullTransactionId()))
		return "unknown_here";
	InitFunctionCallInfoData(*call, NULL, 1, InvalidOid, NULL, NULL);
	call->args[0].value = FullTransactionIdGetDatum(xid);
	call->args[0].isnull = false;
	status = pg_xact_status(call);
	/* So long ago that it is forgotten. */
	if (call->isnull)
		return "unknown_here";
	word = TextDatumGetCString(status);
	if (strcmp(word, "in progress") == 0)
		return "in_progress";
	return strcmp(word, "aborted") == 0 ? "aborted" : NULL;
}

/* The answer for an act, with or without the transaction id of its receipt. */
static const char *
ask(const pg_uuid_t *org, const pg_uuid_t *revocation, const FullTransactionId *xid)
{
	const char *answer = ask_row(org, revocation);

	if (answer != NULL)
		return answer;
	if (xid == NULL)
		return "unknown_here";
	answer = ask_transaction(*xid);
	if (answer != NULL)
		return answer;
	/* It committed: between the two looks, or it is another transaction that has this id here. */
	answer = ask_row(org, revocation);
	return answer != NULL ? answer : "unknown_here";
}

/*
 * revocation_visible(revocation_id uuid, xid xid8 DEFAULT NULL, org uuid DEFAULT default_org()) → text
 *		Whether an act of revocation counts on this node: visible, in_progress, aborted or unknown_here.
 *
 * Reads only; for every node.  Without xid it cannot tell what is on its way from what never was: unknown_here.  Any
 * profile in the organization will do.
 */
Datum
steward_revocation_visible(PG_FUNCTION_ARGS)
{
	const pg_uuid_t *org = steward_org_arg(fcinfo, 2);
	FullTransactionId xid;

	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("revocation_id must not be null"),
						errhint("A dry run has no receipt.")));
	steward_require(org, (1 << STEWARD_PROFILES) - 1);
	if (!PG_ARGISNULL(1))
		xid = DatumGetFullTransactionId(PG_GETARG_DATUM(1));
	PG_RETURN_TEXT_P(cstring_to_text(ask(org, PG_GETARG_UUID_P(0), PG_ARGISNULL(1) ? NULL : &xid)));
}

/*
 * steward_is_stale
 *		Whether this is a standby that does not know enough of the present to say yes: its heartbeat is older than
 *		steward.max_staleness, or missing.
 *
 * The primary's clock wrote the heartbeat and ours reads it: the two are to be kept in step.
 */
bool
steward_is_stale(Snapshot snapshot, TimestampTz now)
{
	StewardRow row;
	Datum key = BoolGetDatum(true);
	bool isnull;

	if (steward_max_staleness == 0 || !RecoveryInProgress())
		return false;
	if (!steward_fetch(STEWARD_HEARTBEAT, snapshot, 1, &key, &row))
		return true;
	return TimestampDifferenceExceeds(DatumGetTimestampTz(steward_row_get(&row, "beat_at", &isnull)), now,
									  steward_max_staleness);
}

/* Writes the heartbeat; inside the bracket. */
static TimestampTz
beat(void)
{
	static StewardPlan write = STEWARD_PLAN("", "INSERT INTO steward.heartbeat (beat_at) VALUES (clock_timestamp()) "
												"ON CONFLICT (only_one) DO UPDATE SET beat_at = excluded.beat_at "
												"RETURNING beat_at");
	bool isnull;

	steward_run(&write, STEWARD_LATEST, NULL, NULL);
	return DatumGetTimestampTz(steward_result(0, 1, &isnull));
}

/*
 * heartbeat() → beat_at timestamptz
 *		Lets standbys know that what they know is recent; to be called more often than steward.max_staleness says.
 *
 * Needs admin in some organization.  maintain() does the same.
 */
Datum
steward_heartbeat(PG_FUNCTION_ARGS)
{
	volatile TimestampTz beat_at = 0;

	steward_require_setup();
	steward_require_somewhere(STEWARD_PROFILE_ADMIN);
	PreventCommandIfReadOnly("heartbeat()");
	STEWARD_AS_OWNER();
	{
		beat_at = beat();
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_TIMESTAMPTZ(beat_at);
}

/* steward_maintain_heartbeat: the step of maintain(). */
char *
steward_maintain_heartbeat(void)
{
	(void) beat();
	return "written";
}

/* steward_check_heartbeat: the check of health. */
void
steward_check_heartbeat(ReturnSetInfo *rsinfo)
{
	Snapshot snapshot;
	bool stale;

	if (steward_max_staleness == 0)
	{
		steward_health_answer(rsinfo, "heartbeat", "ok", "steward.max_staleness is off", NULL);
		return;
	}
	snapshot = steward_fresh_snapshot();
	stale = steward_is_stale(snapshot, GetCurrentTimestamp());
	UnregisterSnapshot(snapshot);
	if (stale)
		steward_health_answer(rsinfo, "heartbeat", "critical",
							  "older than steward.max_staleness: every check on this standby says no",
							  "SELECT steward.heartbeat(); -- on the primary, regularly");
	else
		steward_health_answer(rsinfo, "heartbeat", "ok", "recent enough", NULL);
}
