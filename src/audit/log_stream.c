/*
 * log_stream.c
 *		The events of a log in the order of its leaves, whichever incarnation they were recorded in.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "utils/builtins.h"

#include "audit/event_scan.h"
#include "audit/log.h"
#include "core/plan.h"
#include "steward.h"

struct StewardLogStream
{
	StewardLog log;
	Snapshot snapshot;
	int32 incarnation; /* the one that is being read */
	StewardEventScan *scan;
};

/* Begins to read an incarnation, from the given event on. */
static void
read_incarnation(StewardLogStream *stream, int32 incarnation, uint64 from_xact, int32 from_n)
{
	bool own = incarnation == stream->log.incarnation;

	if (stream->scan)
		steward_event_scan_end(stream->scan);
	stream->incarnation = incarnation;
	stream->scan = steward_event_scan_begin(&stream->log.org, incarnation, from_xact, from_n,
											own ? stream->log.sealed_through : PG_UINT64_MAX, stream->snapshot);
}

/*
 * steward_log_stream_begin
 *		Begins at the first event of a tile of leaves; inside the bracket.
 */
StewardLogStream *
steward_log_stream_begin(const StewardLog *log, uint64 tile, Snapshot snapshot)
{
	static StewardPlan find = STEWARD_PLAN(
		"ull", "SELECT first_incarnation, first_xact::text, first_n FROM steward.audit_tile WHERE org_id = $1 "
			   "AND incarnation = $2::integer AND level = 0 AND tile = $3 AND first_xact IS NOT NULL");
	StewardLogStream *stream = palloc0(sizeof(StewardLogStream));
	Datum values[] = {UUIDPGetDatum(&log->org), Int64GetDatum(log->incarnation), Int64GetDatum((int64) tile)};

	stream->log = *log;
	stream->snapshot = snapshot;
	if (tile > 0)
	{
		bool isnull;

		if (steward_run(&find, STEWARD_LATEST, values, NULL) == 0)
			ereport(ERROR, (errcode(ERRCODE_STEWARD_LOG_INCONSISTENT), errmsg("the audit log's tree is damaged"),
							errdetail("Tile " UINT64_FORMAT " of level 0 is missing.", tile)));
		read_incarnation(stream, DatumGetInt32(steward_result(0, 1, &isnull)),
						 strtou64(steward_result_text(0, 2), NULL, 10), DatumGetInt32(steward_result(0, 3, &isnull)));
	}
	else if (log->carries && log->has_previous)
		read_incarnation(stream, log->previous_incarnation, log->carried_from, 0);
	else
		read_incarnation(stream, log->carries ? 1 : log->incarnation, 0, 0);
	return stream;
}

/*
 * steward_log_stream_next
 *		The next event's columns; false at the end.
 */
bool
steward_log_stream_next(StewardLogStream *stream, Datum *values, bool *nulls)
{
	while (!steward_event_scan_next(stream->scan, values, nulls))
	{
		if (stream->incarnation >= stream->log.incarnation)
			return false;
		read_incarnation(stream, stream->incarnation + 1, 0, 0);
	}
	return true;
}

/*
 * steward_log_stream_slot
 *		The slot of the event returned last.
 */
TupleTableSlot *
steward_log_stream_slot(StewardLogStream *stream)
{
	return steward_event_scan_slot(stream->scan);
}

void
steward_log_stream_end(StewardLogStream *stream)
{
	steward_event_scan_end(stream->scan);
	pfree(stream);
}
