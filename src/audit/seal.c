/*
 * seal.c
 *		Sealing: what has been recorded becomes leaves of the organization's Merkle log.
 *
 * From one snapshot, all events of the current incarnation by transactions below its horizon are taken, in the order of
 * transaction and counter.  Every such transaction has ended, so none of its events can turn up later; what is above
 * waits.  No writer is held up, and the order does not depend on who commits first.  One session at a time seals an
 * organization.
 *
 * The sealing transaction is forced to disk when it commits, and with it everything that was written before it, so that
 * nothing sealed is lost in a crash.  A log in a new incarnation begins with a leaf that names the log before it, with
 * its size and root, and then takes what that one had not sealed.
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "commands/async.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "audit/canonical.h"
#include "audit/event_scan.h"
#include "audit/incarnation.h"
#include "audit/log.h"
#include "audit/merkle_sql.h"
#include "audit/tiles.h"
#include "core/authority.h"
#include "core/plan.h"
#include "core/relation.h"
#include "core/sealing.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_seal_audit);

/* Where the sealer says that there is something new; the payload is the organization. */
#define SEALED_CHANNEL "steward_audit"

/* Temporary memory is given back after so many events. */
#define EVENTS_PER_RESET 1024

/* What one sealing did. */
typedef struct Sealed
{
	int32 incarnation;
	int64 events;
	uint64 size;
	const char *note; /* why nothing was done, or NULL */
} Sealed;

/* Tiles go to the table as they are filled. */
static void
store_tile(void *arg, unsigned level, const StewardTileLevel *tile)
{
	static StewardPlan upsert = STEWARD_PLAN(
		"ulllyltl",
		"INSERT INTO steward.audit_tile AS t (org_id, incarnation, level, tile, hashes, first_incarnation, first_xact, "
		"first_n) VALUES ($1, $2::integer, $3::smallint, $4, $5, $6::integer, $7::xid8, $8::integer) "
		"ON CONFLICT (org_id, incarnation, level, tile) DO UPDATE SET hashes = excluded.hashes, "
		"first_incarnation = coalesce(t.first_incarnation, excluded.first_incarnation), "
		"first_xact = coalesce(t.first_xact, excluded.first_xact), first_n = coalesce(t.first_n, excluded.first_n)");
	const StewardLog *log = arg;
	bool no_event = tile->first.incarnation == 0;
	Size len = (Size) tile->count * STEWARD_HASH_LEN;
	bytea *hashes = palloc(VARHDRSZ + len);
	char *xact = psprintf(UINT64_FORMAT, tile->first.xact);
	Datum values[] = {UUIDPGetDatum(&log->org),	 Int64GetDatum(log->incarnation),
					  Int64GetDatum(level),		 Int64GetDatum((int64) tile->tile),
					  PointerGetDatum(hashes),	 Int64GetDatum(tile->first.incarnation),
					  CStringGetTextDatum(xact), Int64GetDatum(tile->first.n)};
	bool nulls[] = {false, false, false, false, false, no_event, no_event, no_event};

	SET_VARSIZE(hashes, VARHDRSZ + len);
	memcpy(VARDATA(hashes), tile->hashes, len);
	steward_run(&upsert, STEWARD_LATEST, values, nulls);
	pfree(hashes);
	pfree(xact);
}

/* Appends the events of an incarnation between two transactions; returns how many. */
static int64
append_events(StewardTileWriter *writer, const pg_uuid_t *org, int32 incarnation, uint64 from, uint64 below,
			  Snapshot snapshot)
{
	MemoryContext temporary = AllocSetContextCreate(CurrentMemoryContext, "steward sealing", ALLOCSET_DEFAULT_SIZES);
	StewardEventScan *scan = steward_event_scan_begin(org, incarnation, from, 0, below, snapshot);
	Datum values[STEWARD_EVENT_COLUMNS];
	bool nulls[STEWARD_EVENT_COLUMNS];
	StringInfoData buf;
	int64 n = 0;

	initStringInfo(&buf);
	while (steward_event_scan_next(scan, values, nulls))
	{
		MemoryContext old_context = MemoryContextSwitchTo(temporary);
		StewardEventId id = steward_event_id_of(values);
		StewardHash leaf;

		CHECK_FOR_INTERRUPTS();
		resetStringInfo(&buf);
		steward_canonical_event(&buf, values, nulls);
		if (!steward_leaf_hash(buf.data, (size_t) buf.len, &leaf))
			ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not compute SHA-256")));
		steward_tile_append(writer, &leaf, &id);
		MemoryContextSwitchTo(old_context);
		if (++n % EVENTS_PER_RESET == 0)
			MemoryContextReset(temporary);
	}
	steward_event_scan_end(scan);
	MemoryContextDelete(temporary);
	pfree(buf.data);
	return n;
}

/* The contents of the leaf that begins a log: which log it is, and which one was before it. */
static bytea *
build_start_leaf(const StewardLog *log, const StewardLog *previous)
{
	static const char format[] = "steward-log-1";
	StringInfoData buf;
	bytea *leaf;

	initStringInfo(&buf);
	steward_put_text(&buf, format, (int) strlen(format));
	steward_put_text(&buf, log->origin, (int) strlen(log->origin));
	steward_put_uuid(&buf, UUIDPGetDatum(&log->org));
	steward_put_int(&buf, log->incarnation);
	steward_put_int(&buf, (int64) GetSystemIdentifier());
	steward_put_int(&buf, (int64) MyDatabaseId);
	steward_put_time(&buf, GetCurrentTimestamp());
	if (previous)
	{
		steward_put_text(&buf, previous->origin, (int) strlen(previous->origin));
		steward_put_int(&buf, (int64) previous->size);
		steward_put_bytes(&buf, previous->root.bytes, STEWARD_HASH_LEN);
	}
	else
	{
		steward_put_null(&buf);
		steward_put_null(&buf);
		steward_put_null(&buf);
	}
	leaf = palloc(VARHDRSZ + buf.len);
	SET_VARSIZE(leaf, VARHDRSZ + buf.len);
	memcpy(VARDATA(leaf), buf.data, buf.len);
	return leaf;
}

/* Records how far the log is sealed now: a new row, or the one that is there. */
static void
store_log(const StewardLog *log, const StewardLog *previous, bool is_new)
{
	static StewardPlan insert_log = STEWARD_PLAN(
		"ultylyttlylt",
		"INSERT INTO steward.audit_log (org_id, incarnation, origin, start_leaf, size, root, sealed_through, sealed_by, "
		"sealed_at, previous_incarnation, previous_root, previous_size, carried_from) VALUES ($1, $2::integer, $3, $4, $5, "
		"$6, $7::xid8, $8::xid8, clock_timestamp(), $9::integer, $10, $11, $12::xid8)");
	static StewardPlan update_log = STEWARD_PLAN(
		"ullytt", "UPDATE steward.audit_log SET size = $3, root = $4, sealed_through = $5::xid8, sealed_by = $6::xid8, "
				  "sealed_at = clock_timestamp() WHERE org_id = $1 AND incarnation = $2::integer");
	Datum through = CStringGetTextDatum(psprintf(UINT64_FORMAT, log->sealed_through));
	Datum by = CStringGetTextDatum(psprintf(UINT64_FORMAT, log->sealed_by));

	if (is_new)
	{
		Datum values[] = {UUIDPGetDatum(&log->org),
						  Int64GetDatum(log->incarnation),
						  CStringGetTextDatum(log->origin),
						  log->start_leaf,
						  Int64GetDatum((int64) log->size),
						  steward_hash_datum(&log->root),
						  through,
						  by,
						  Int64GetDatum(previous ? previous->incarnation : 0),
						  previous ? steward_hash_datum(&previous->root) : (Datum) 0,
						  Int64GetDatum(previous ? (int64) previous->size : 0),
						  CStringGetTextDatum(psprintf(UINT64_FORMAT, log->carried_from))};
		bool no_previous = previous == NULL;
		bool nulls[] = {false, false, false,	   false,		false,		 false,
						false, false, no_previous, no_previous, no_previous, !log->carries};

		steward_run(&insert_log, STEWARD_LATEST, values, nulls);
	}
	else
	{
		Datum values[] = {UUIDPGetDatum(&log->org),
						  Int64GetDatum(log->incarnation),
						  Int64GetDatum((int64) log->size),
						  steward_hash_datum(&log->root),
						  through,
						  by};

		steward_run(&update_log, STEWARD_LATEST, values, NULL);
	}
}

/* Begins a log in this incarnation: its first leaf, and what earlier incarnations left unsealed. */
static StewardTileWriter *
begin_log(StewardLog *log, StewardLog *previous, bool has_previous, Snapshot snapshot, int64 *events)
{
	StewardTileWriter *writer;
	StewardHash leaf;
	bytea *start;

	log->origin = steward_new_origin(&log->org, log->incarnation);
	start = build_start_leaf(log, has_previous ? previous : NULL);
	log->start_leaf = PointerGetDatum(start);
	writer = steward_tile_writer(NULL, 0, store_tile, log);
	if (!steward_leaf_hash(VARDATA(start), VARSIZE(start) - VARHDRSZ, &leaf))
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not compute SHA-256")));
	steward_tile_append(writer, &leaf, NULL);

	/* Whatever the previous log's own incarnation had not sealed, and every incarnation after it that had no log. */
	log->carries = log->incarnation > 1;
	log->carried_from = has_previous ? previous->sealed_through : 0;
	for (int32 i = has_previous ? previous->incarnation : 1; i < log->incarnation; i++)
		*events +=
			append_events(writer, &log->org, i, has_previous && i == previous->incarnation ? log->carried_from : 0,
						  PG_UINT64_MAX, snapshot);
	return writer;
}

/* Seals an organization's log as far as it can be; the lock is held. */
static Sealed
seal_locked(const pg_uuid_t *org)
{
	Sealed sealed = {0};
	StewardIncarnation current = steward_last_incarnation();
	StewardLog log;
	StewardLog previous;
	bool has_previous = false;
	bool is_new;
	Snapshot snapshot;
	uint64 horizon;
	StewardTileWriter *writer;

	if (current.lineage == STEWARD_PROMOTED && steward_begin_incarnation(true))
	{
		CommandCounterIncrement();
		current = steward_last_incarnation();
	}
	sealed.incarnation = current.number;
	if (current.lineage != STEWARD_SAME || !current.announced)
	{
		sealed.note = "this database is a copy or was restored: run SELECT * FROM steward.setup()";
		return sealed;
	}
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	horizon = steward_horizon(snapshot);
	if (horizon < current.began_xact)
	{
		UnregisterSnapshot(snapshot);
		sealed.note = "waits for transactions that are older than this incarnation";
		return sealed;
	}

	is_new = !steward_load_log(org, current.number, &log);
	if (is_new)
	{
		has_previous = steward_load_latest_log(org, &previous);
		memset(&log, 0, sizeof(log));
		log.org = *org;
		log.incarnation = current.number;
		writer = begin_log(&log, &previous, has_previous, snapshot, &sealed.events);
	}
	else
		writer = steward_tile_writer(steward_tile_reader(org, log.incarnation, log.size), log.size, store_tile, &log);
	sealed.events += append_events(writer, org, log.incarnation, log.sealed_through, horizon, snapshot);
	UnregisterSnapshot(snapshot);

	if (is_new || sealed.events > 0)
	{
		steward_tile_finish(writer);
		steward_tile_writer_root(writer, &log.root);
		log.size = writer->size;
		log.sealed_through = horizon;
		log.sealed_by = U64FromFullTransactionId(GetTopFullTransactionId());
		store_log(&log, has_previous ? &previous : NULL, is_new);
		ForceSyncCommit();
		/* Kept in the table, and so seen by nobody before this is on disk. */
		if (steward_sealing_available())
			(void) steward_sign_checkpoint(&log);
		Async_Notify(SEALED_CHANNEL, DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(org))));
	}
	sealed.size = log.size;
	pfree(writer);
	return sealed;
}

/*
 * seal_audit() → rows (org_id uuid, incarnation integer, sealed bigint, size bigint, note text)
 *		Seals what has been recorded in every organization in which the caller is an auditor or admin.
 *
 * sealed is the number of events sealed now, size that of leaves in the log; note says why nothing could be.  Waits for
 * another session that is sealing the same organization.
 */
Datum
steward_seal_audit(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	List *orgs;
	ListCell *cell;

	steward_require_setup();
	steward_require_somewhere(STEWARD_PROFILE_AUDITOR);
	PreventCommandIfReadOnly("seal_audit()");
	orgs = steward_orgs_of(steward_caller(), STEWARD_PROFILE_AUDITOR);
	InitMaterializedSRF(fcinfo, 0);
	STEWARD_AS_OWNER();
	{
		/* All in one transaction: the order, that of ids, is the same for everybody. */
		foreach (cell, orgs)
		{
			const pg_uuid_t *org = lfirst(cell);
			Datum values[5];
			bool nulls[5] = {false};
			Sealed sealed;

			CHECK_FOR_INTERRUPTS();
			steward_lock_log(org);
			sealed = seal_locked(org);
			values[0] = UUIDPGetDatum(org);
			values[1] = Int32GetDatum(sealed.incarnation);
			values[2] = Int64GetDatum(sealed.events);
			values[3] = Int64GetDatum((int64) sealed.size);
			values[4] = sealed.note ? CStringGetTextDatum(sealed.note) : (Datum) 0;
			nulls[4] = sealed.note == NULL;
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		}
	}
	STEWARD_AS_OWNER_END();
	return (Datum) 0;
}

/*
 * steward_seal_all
 *		Step of maintain(): seals every organization that no other session is sealing.
 */
char *
steward_seal_all(void)
{
	static StewardPlan organizations = STEWARD_PLAN("", "SELECT id FROM steward.organization ORDER BY id");
	uint64 n = steward_run(&organizations, STEWARD_TRANSACTION, NULL, NULL);
	SPITupleTable *rows = SPI_tuptable;
	const char *note = NULL;
	int64 events = 0;
	int busy = 0;

	for (uint64 i = 0; i < n; i++)
	{
		bool isnull;
		pg_uuid_t org = *DatumGetUUIDP(SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &isnull));
		Sealed sealed;

		CHECK_FOR_INTERRUPTS();
		if (!steward_try_lock_log(&org))
		{
			busy++;
			continue;
		}
		sealed = seal_locked(&org);
		events += sealed.events;
		if (sealed.note)
			note = sealed.note;
	}
	if (note)
		return pstrdup(note);
	return busy ? psprintf(INT64_FORMAT " events sealed, %d organizations being sealed by others", events, busy)
				: psprintf(INT64_FORMAT " events sealed", events);
}
