/*
 * retention.c
 *		What has been kept as long as the organization's policy says, leaves; that it was there does not.
 *
 * Only what is sealed leaves, from the beginning of a log on, and only by this path: the rows are deleted below the
 * triggers that refuse it.  Hashes stay in the tiles, so every later proof holds.  That content has left, and up to which
 * leaf, is an event in the log itself.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "audit/event_scan.h"
#include "audit/log.h"
#include "audit/tiles.h"
#include "core/plan.h"
#include "steward.h"

/* The most events of one log that leave in one transaction. */
#define MAX_EXPIRED 100000

/* Deletes the expired events at the beginning of a log; returns how many, and sets *leaves to those that have left. */
static int64
delete_expired(const StewardLog *log, TimestampTz cutoff, uint64 *leaves)
{
	Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
	uint64 first = Max(log->expired, 1);
	StewardLogStream *stream = steward_log_stream_begin(log, first / STEWARD_TILE_WIDTH, snapshot);
	Relation partition = NULL;
	Datum values[STEWARD_EVENT_COLUMNS];
	bool nulls[STEWARD_EVENT_COLUMNS];
	int64 n = 0;

	while (n < MAX_EXPIRED && first + (uint64) n < log->size && steward_log_stream_next(stream, values, nulls))
	{
		TupleTableSlot *slot = steward_log_stream_slot(stream);

		CHECK_FOR_INTERRUPTS();
		if (DatumGetTimestampTz(values[STEWARD_EVENT_RECORDED_AT]) >= cutoff)
			break;
		if (partition == NULL || RelationGetRelid(partition) != slot->tts_tableOid)
		{
			if (partition)
				table_close(partition, NoLock);
			partition = table_open(slot->tts_tableOid, RowExclusiveLock);
		}
		simple_table_tuple_delete(partition, &slot->tts_tid, snapshot);
		n++;
	}
	if (partition)
		table_close(partition, NoLock);
	steward_log_stream_end(stream);
	UnregisterSnapshot(snapshot);
	*leaves = first + (uint64) n;
	return n;
}

/* Lets what has expired of one log leave, and records it. */
static int64
expire_log(const StewardLog *log, TimestampTz cutoff)
{
	static StewardPlan update_log =
		STEWARD_PLAN("ullt", "UPDATE steward.audit_log SET expired = $3, expired_event = $4 "
							 "WHERE org_id = $1 AND incarnation = $2::integer");
	uint64 leaves;
	int64 n = delete_expired(log, cutoff, &leaves);
	StewardEvent event = {.org = &log->org, .action = "steward.content_expired", .version = 1};
	StewardEventId id;
	char when[MAXDATELEN + 1];
	int utc = 0;
	char *json;

	if (n == 0)
		return 0;
	JsonEncodeDateTime(when, TimestampTzGetDatum(cutoff), TIMESTAMPTZOID, &utc);
	json = psprintf("{\"log\": \"%s\", \"leaves\": " UINT64_FORMAT ", \"events\": " INT64_FORMAT
					", \"recorded_before\": \"%s\"}",
					log->origin, leaves, n, when);
	event.metadata = DirectFunctionCall1(jsonb_in, CStringGetDatum(json));
	id = steward_write_event(&event);
	{
		Datum values[] = {UUIDPGetDatum(&log->org), Int64GetDatum(log->incarnation), Int64GetDatum((int64) leaves),
						  steward_event_id_datum(&id)};

		steward_run(&update_log, STEWARD_LATEST, values, NULL);
	}
	ForceSyncCommit();
	return n;
}

/*
 * steward_expire_all
 *		Step of maintain(): retention of the audit log, idempotency keys and usage counts.
 */
char *
steward_expire_all(void)
{
	static StewardPlan logs = STEWARD_PLAN(
		"", "SELECT l.org_id, l.incarnation, clock_timestamp() - p.audit_retention FROM steward.audit_log l "
			"JOIN steward.org_policy p ON p.org_id = l.org_id WHERE p.audit_retention IS NOT NULL "
			"ORDER BY l.org_id, l.incarnation");
	static StewardPlan forget_keys = STEWARD_PLAN(
		"", "DELETE FROM steward.audit_idempotency WHERE recorded_at < clock_timestamp() - '30 days'::interval");
	static StewardPlan forget_usage = STEWARD_PLAN(
		"", "DELETE FROM steward.audit_usage WHERE day < (clock_timestamp() AT TIME ZONE 'UTC')::date - 30");
	uint64 n = steward_run(&logs, STEWARD_TRANSACTION, NULL, NULL);
	SPITupleTable *rows = SPI_tuptable;
	int64 expired = 0;

	for (uint64 i = 0; i < n; i++)
	{
		bool isnull;
		pg_uuid_t org = *DatumGetUUIDP(SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &isnull));
		int32 incarnation = DatumGetInt32(SPI_getbinval(rows->vals[i], rows->tupdesc, 2, &isnull));
		TimestampTz cutoff = DatumGetTimestampTz(SPI_getbinval(rows->vals[i], rows->tupdesc, 3, &isnull));
		StewardLog log;

		CHECK_FOR_INTERRUPTS();
		if (steward_try_lock_log(&org) && steward_load_log(&org, incarnation, &log))
			expired += expire_log(&log, cutoff);
	}
	steward_run(&forget_keys, STEWARD_TRANSACTION, NULL, NULL);
	steward_run(&forget_usage, STEWARD_TRANSACTION, NULL, NULL);
	return psprintf(INT64_FORMAT " events have left", expired);
}
