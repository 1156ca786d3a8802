/*
 * event_scan.c
 *		Reading events in their order, and how far the past is complete.
 *
 * Sealing, verification and the feed read millions of rows in the order (xact, n): straight from the primary key's
 * index of each partition, merged.  A month is rarely met by more than one partition, and those that have nothing cost
 * one descent.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "access/xlog_internal.h"
#include "miscadmin.h"
#include "partitioning/partdesc.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "audit/event_scan.h"
#include "core/relation.h"
#include "steward.h"

/* One partition of the scan. */
typedef struct PartScan
{
	Relation heap;
	Relation index;
	IndexScanDesc scan;
	TupleTableSlot *slot; /* holds its next event, unless it is at its end */
	bool done;
	uint64 xact;
	int32 n;
	AttrNumber attnums[STEWARD_EVENT_COLUMNS];
} PartScan;

struct StewardEventScan
{
	ScanKeyData keys[4];
	int nparts;
	int returned; /* partition whose event was returned last; -1: none */
	uint64 from_xact;
	int32 from_n;
	PartScan parts[FLEXIBLE_ARRAY_MEMBER];
};

/*
 * steward_horizon
 *		Every transaction with a smaller id has ended as this snapshot sees it: below it nothing can turn up any more.
 *
 * Prepared transactions count as running.  The scan that reads what is below must not use an older snapshot.
 */
uint64
steward_horizon(Snapshot snapshot)
{
	FullTransactionId next = ReadNextFullTransactionId();
	uint32 epoch = EpochFromFullTransactionId(next);

	/* An id of a snapshot that is larger than the next one's belongs to the epoch before. */
	if (snapshot->xmin > XidFromFullTransactionId(next))
		epoch--;
	return U64FromFullTransactionId(FullTransactionIdFromEpochAndXid(epoch, snapshot->xmin));
}

/*
 * steward_flush_wal
 *		Waits until all that is visible now is on disk.
 *
 * A transaction that committed asynchronously is visible before it is: handing its event out, or sealing it, without
 * this could tell of something that a crash takes back.  On a standby everything visible was on the primary's disk.
 */
void
steward_flush_wal(void)
{
	XLogRecPtr upto;
	uint32 in_page;

	if (RecoveryInProgress())
		return;
	upto = GetXLogInsertRecPtr();
	/* Where the next record would begin right after a page's header, nothing has been written on that page yet. */
	in_page = upto % XLOG_BLCKSZ;
	if (in_page <= SizeOfXLogLongPHD)
		upto -= in_page;
	XLogFlush(upto);
}

/* Moves a partition to its next event. */
static void
advance(PartScan *part)
{
	bool isnull;

	if (!index_getnext_slot(part->scan, ForwardScanDirection, part->slot))
	{
		part->done = true;
		return;
	}
	part->xact = DatumGetUInt64(slot_getattr(part->slot, part->attnums[STEWARD_EVENT_XACT], &isnull));
	part->n = DatumGetInt32(slot_getattr(part->slot, part->attnums[STEWARD_EVENT_N], &isnull));
}

/*
 * steward_event_scan_begin
 *		Begins a scan over the events of an organization and incarnation from (from_xact, from_n) on, by transactions
 *		below below_xact, as the snapshot sees them, in the order of transaction and counter.
 */
StewardEventScan *
steward_event_scan_begin(const pg_uuid_t *org, int32 incarnation, uint64 from_xact, int32 from_n, uint64 below_xact,
						 Snapshot snapshot)
{
	Relation log = table_open(steward_table(STEWARD_AUDIT_EVENT), AccessShareLock);
	PartitionDesc partitions = RelationGetPartitionDesc(log, true);
	StewardEventScan *scan = palloc0(offsetof(StewardEventScan, parts) + sizeof(PartScan) * (Size) partitions->nparts);
	pg_uuid_t *org_copy = palloc(sizeof(pg_uuid_t));

	*org_copy = *org;
	scan->nparts = partitions->nparts;
	scan->returned = -1;
	scan->from_xact = from_xact;
	scan->from_n = from_n;
	for (int i = 0; i < scan->nparts; i++)
	{
		PartScan *part = &scan->parts[i];
		Oid index;

		part->heap = table_open(partitions->oids[i], AccessShareLock);
		/* Loads the list of indexes, and with it which one is the primary key's. */
		list_free(RelationGetIndexList(part->heap));
		index = part->heap->rd_pkindex;
		if (!OidIsValid(index))
			ereport(ERROR, (errcode(ERRCODE_STEWARD_NOT_SET_UP),
							errmsg("partition \"%s\" of the audit log has lost its primary key",
								   RelationGetRelationName(part->heap)),
							errhint("Restore the constraint audit_event_pkey.")));
		part->index = index_open(index, AccessShareLock);
		steward_event_columns(RelationGetDescr(part->heap), part->attnums);
		part->slot = table_slot_create(part->heap, NULL);
		/* The index is on (org_id, incarnation, xact, n, recorded_at). */
		ScanKeyInit(&scan->keys[0], 1, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(org_copy));
		ScanKeyInit(&scan->keys[1], 2, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(incarnation));
		ScanKeyInit(&scan->keys[2], 3, BTGreaterEqualStrategyNumber, F_XID8GE, UInt64GetDatum(from_xact));
		ScanKeyInit(&scan->keys[3], 3, BTLessStrategyNumber, F_XID8LT, UInt64GetDatum(below_xact));
		part->scan = steward_index_beginscan(part->heap, part->index, snapshot, 4);
		index_rescan(part->scan, scan->keys, 4, NULL, 0);
		advance(part);
		while (!part->done && part->xact == from_xact && part->n < from_n)
			advance(part);
	}
	table_close(log, NoLock);
	return scan;
}

/*
 * steward_event_scan_next
 *		The next event's columns, which are valid until the next call; false at the end.
 */
bool
steward_event_scan_next(StewardEventScan *scan, Datum values[STEWARD_EVENT_COLUMNS], bool nulls[STEWARD_EVENT_COLUMNS])
{
	int best = -1;

	if (scan->returned >= 0)
		advance(&scan->parts[scan->returned]);
	for (int i = 0; i < scan->nparts; i++)
	{
		PartScan *part = &scan->parts[i];

		if (part->done)
			continue;
		if (best < 0 || part->xact < scan->parts[best].xact ||
			(part->xact == scan->parts[best].xact && part->n < scan->parts[best].n))
			best = i;
	}
	scan->returned = best;
	if (best < 0)
		return false;
	slot_getallattrs(scan->parts[best].slot);
	for (int i = 0; i < STEWARD_EVENT_COLUMNS; i++)
	{
		AttrNumber attnum = scan->parts[best].attnums[i];

		values[i] = scan->parts[best].slot->tts_values[attnum - 1];
		nulls[i] = scan->parts[best].slot->tts_isnull[attnum - 1];
	}
	return true;
}

/*
 * steward_event_scan_slot
 *		The slot of the event returned last: where its row lies.
 */
TupleTableSlot *
steward_event_scan_slot(StewardEventScan *scan)
{
	return scan->parts[scan->returned].slot;
}

void
steward_event_scan_end(StewardEventScan *scan)
{
	for (int i = 0; i < scan->nparts; i++)
	{
		PartScan *part = &scan->parts[i];

		index_endscan(part->scan);
		ExecDropSingleTupleTableSlot(part->slot);
		index_close(part->index, AccessShareLock);
		table_close(part->heap, AccessShareLock);
	}
	pfree(scan);
}

/*
 * steward_event_id_of
 *		Identity of an event, given its columns.
 */
StewardEventId
steward_event_id_of(const Datum *values)
{
	return (StewardEventId){.incarnation = DatumGetInt32(values[STEWARD_EVENT_INCARNATION]),
							.xact = DatumGetUInt64(values[STEWARD_EVENT_XACT]),
							.n = DatumGetInt32(values[STEWARD_EVENT_N])};
}
