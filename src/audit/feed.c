/*
 * feed.c
 *		audit_feed(): the events of an organization in their order, from a cursor on, without gaps.
 *
 * A cursor is the id of the last event that was read.  What is handed out lies below the horizon, so that nothing can
 * turn up behind it, and is on disk, so that no crash takes it back.  Events above wait for the transactions that are
 * older than theirs.  Works on a standby.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "audit/event_scan.h"
#include "audit/incarnation.h"
#include "core/authority.h"
#include "core/reference.h"
#include "core/relation.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_audit_feed);

#define MAX_LIMIT 10000

/* The columns of the answer after the id, in its order. */
static const StewardEventColumn answered[] = {
	STEWARD_EVENT_RECORDED_AT,		STEWARD_EVENT_OCCURRED_AT,		STEWARD_EVENT_ACTION,
	STEWARD_EVENT_VERSION,			STEWARD_EVENT_TABLE_NAME,		STEWARD_EVENT_ROW_KEY,
	STEWARD_EVENT_OLD_VALUES,		STEWARD_EVENT_NEW_VALUES,		STEWARD_EVENT_ACTOR_PRINCIPAL,
	STEWARD_EVENT_ACTOR_CREDENTIAL, STEWARD_EVENT_ACTOR_CHAIN,		STEWARD_EVENT_SESSION_ROLE,
	STEWARD_EVENT_ACTING_ROLE,		STEWARD_EVENT_APPLICATION_NAME, STEWARD_EVENT_CLIENT_ADDRESS,
	STEWARD_EVENT_CLAIMED_ACTOR,	STEWARD_EVENT_TARGETS,			STEWARD_EVENT_CONTEXT,
	STEWARD_EVENT_METADATA,
};

/* Hands out events of one incarnation from a place on; returns how many. */
static int
hand_out(ReturnSetInfo *rsinfo, const pg_uuid_t *org, int32 incarnation, uint64 from_xact, int32 from_n, uint64 below,
		 Snapshot snapshot, int limit)
{
	StewardEventScan *scan = steward_event_scan_begin(org, incarnation, from_xact, from_n, below, snapshot);
	Datum values[STEWARD_EVENT_COLUMNS];
	bool nulls[STEWARD_EVENT_COLUMNS];
	int n = 0;

	while (n < limit && steward_event_scan_next(scan, values, nulls))
	{
		Datum row[1 + lengthof(answered)];
		bool row_nulls[1 + lengthof(answered)];
		StewardEventId id = steward_event_id_of(values);

		CHECK_FOR_INTERRUPTS();
		row[0] = steward_event_id_datum(&id);
		row_nulls[0] = false;
		for (int i = 0; i < (int) lengthof(answered); i++)
		{
			row[1 + i] = values[answered[i]];
			row_nulls[1 + i] = nulls[answered[i]];
		}
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row, row_nulls);
		n++;
	}
	steward_event_scan_end(scan);
	return n;
}

/*
 * audit_feed(after text DEFAULT NULL, "limit" integer DEFAULT 1000, org uuid DEFAULT default_org()) → rows
 *		The events after a cursor, the oldest first; the cursor of each row is its column event.  Auditors.
 *
 * Raises ST616 for a text that is no cursor, ST605 in a copy that nobody has announced with setup(), 22023 for a limit
 * that is not between 1 and 10,000.
 */
Datum
steward_audit_feed(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	const pg_uuid_t *org = steward_org_arg(fcinfo, 2);
	StewardEventId after = {.incarnation = 1, .xact = 0, .n = -1};
	StewardIncarnation current;
	Snapshot snapshot;
	uint64 horizon;
	int limit;

	if (PG_ARGISNULL(1) || PG_GETARG_INT32(1) < 1 || PG_GETARG_INT32(1) > MAX_LIMIT)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("limit must be between 1 and %d", MAX_LIMIT)));
	limit = PG_GETARG_INT32(1);
	if (!PG_ARGISNULL(0) && !steward_event_id_parse(text_to_cstring(PG_GETARG_TEXT_PP(0)), &after))
		ereport(ERROR, (errcode(ERRCODE_STEWARD_CURSOR_INVALID), errmsg("this is no cursor of the feed"),
						errhint("Pass the column event of the last row that was read, or NULL to begin.")));
	steward_require(org, STEWARD_PROFILE_AUDITOR);
	InitMaterializedSRF(fcinfo, 0);

	current = steward_last_incarnation();
	if (current.lineage == STEWARD_COPIED || !current.announced)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_LOG_NOT_ANNOUNCED),
						errmsg("this database is a copy or was restored, and nobody has said so"),
						errhint("Run SELECT * FROM steward.setup() as a superuser.")));
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	horizon = steward_horizon(snapshot);
	/* Visible now, and so on disk after this. */
	steward_flush_wal();
	/* Before that, a transaction of the time before could still add to an earlier incarnation. */
	if (horizon >= current.began_xact)
	{
		for (int32 i = after.incarnation; i <= current.number && limit > 0; i++)
		{
			bool here = i == after.incarnation;

			limit -= hand_out(rsinfo, org, i, here ? after.xact : 0, here ? after.n + 1 : 0,
							  i == current.number ? horizon : PG_UINT64_MAX, snapshot, limit);
		}
	}
	UnregisterSnapshot(snapshot);
	return (Datum) 0;
}
