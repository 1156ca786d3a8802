/*
 * incarnation.c
 *		Which database writes the log: events of a copy are never taken for those of the original.
 *
 * A database is told by the cluster's system identifier, its own OID and the timeline.  When they differ from what is
 * recorded last, a new incarnation begins.  After a promotion that is one in place of the other: the transaction ids go
 * on, so events are numbered with the next incarnation at once and sealing records it by itself.  A copy or a restore
 * is another database with the same past: its first event records the incarnation, so that nothing stops, but sealing
 * and the feed wait until somebody announces it with setup().
 *
 * Two copies that are the same in all three (a file-system snapshot started beside the original) cannot be told from
 * inside; a checkpoint that was kept elsewhere tells.
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/inval.h"
#include "utils/snapmgr.h"

#include "audit/event.h"
#include "audit/incarnation.h"
#include "core/authority.h"
#include "core/plan.h"
#include "core/relation.h"
#include "steward.h"

/* The number that events get, once known; 0 otherwise. */
static int32 current = 0;

/* Visitor: rows come in the order of their numbers, so the last one stays. */
static bool
keep_last(const StewardRow *row, void *arg)
{
	StewardIncarnation *last = arg;
	bool isnull;
	bool same_database;

	last->number = DatumGetInt32(steward_row_get(row, "incarnation", &isnull));
	last->began_xact = DatumGetInt64(steward_row_get(row, "began_xact", &isnull));
	last->announced = DatumGetBool(steward_row_get(row, "announced", &isnull));
	same_database =
		(uint64) DatumGetInt64(steward_row_get(row, "system_identifier", &isnull)) == GetSystemIdentifier() &&
		DatumGetInt64(steward_row_get(row, "database_oid", &isnull)) == (int64) MyDatabaseId;
	if (!same_database)
		last->lineage = STEWARD_COPIED;
	else if (!RecoveryInProgress() &&
			 DatumGetInt64(steward_row_get(row, "timeline", &isnull)) != (int64) GetWALInsertionTimeLine())
		last->lineage = STEWARD_PROMOTED;
	else
		last->lineage = STEWARD_SAME;
	return true;
}

/*
 * steward_last_incarnation
 *		The last recorded incarnation, and how this database compares with it; works on a standby.
 */
StewardIncarnation
steward_last_incarnation(void)
{
	StewardIncarnation last = {.lineage = STEWARD_COPIED};
	Snapshot snapshot = steward_fresh_snapshot();

	steward_scan(STEWARD_AUDIT_INCARNATION, snapshot, 0, NULL, keep_last, &last);
	UnregisterSnapshot(snapshot);
	return last;
}

/*
 * steward_begin_incarnation
 *		Records a new incarnation if this database differs from the last one; announced when setup() or a promotion
 *		begins it.  An incarnation that a copy's first event began is announced.  Returns whether anything was recorded.
 */
bool
steward_begin_incarnation(bool announced)
{
	static StewardPlan begin = STEWARD_PLAN(
		"lllllb",
		"INSERT INTO steward.audit_incarnation (incarnation, system_identifier, database_oid, timeline, began_xact, "
		"announced) VALUES ($1::integer, $2, $3, $4, $5::text::xid8, $6) ON CONFLICT (incarnation) DO NOTHING");
	static StewardPlan announce = STEWARD_PLAN(
		"l", "UPDATE steward.audit_incarnation SET announced = true WHERE incarnation = $1::integer AND NOT announced");
	volatile bool recorded = false;

	STEWARD_AS_OWNER();
	{
		StewardIncarnation last = steward_last_incarnation();

		if (last.lineage != STEWARD_SAME)
		{
			Datum values[] = {Int64GetDatum(last.number + 1),
							  Int64GetDatum((int64) GetSystemIdentifier()),
							  Int64GetDatum((int64) MyDatabaseId),
							  Int64GetDatum((int64) GetWALInsertionTimeLine()),
							  Int64GetDatum((int64) U64FromFullTransactionId(ReadNextFullTransactionId())),
							  BoolGetDatum(announced)};

			recorded = steward_run(&begin, STEWARD_TRANSACTION, values, NULL) > 0;
		}
		else if (announced && !last.announced)
		{
			Datum number = Int64GetDatum(last.number);

			recorded = steward_run(&announce, STEWARD_TRANSACTION, &number, NULL) > 0;
		}
	}
	STEWARD_AS_OWNER_END();
	return recorded;
}

/*
 * steward_incarnation
 *		The incarnation that events written now belong to.
 */
int32
steward_incarnation(void)
{
	StewardIncarnation last;

	if (likely(current != 0))
		return current;
	last = steward_last_incarnation();
	if (last.lineage == STEWARD_COPIED)
	{
		/* Another session may have been faster; then it is that one's. */
		steward_begin_incarnation(false);
		CommandCounterIncrement();
		last = steward_last_incarnation();
	}
	current = last.lineage == STEWARD_PROMOTED ? last.number + 1 : last.number;
	return current;
}

/* What was recorded may be rolled back, or recorded anew by setup(). */
static void
forget_incarnation(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_ABORT)
		current = 0;
}

static void
forget_incarnation_in_subtransaction(SubXactEvent event, SubTransactionId self, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		current = 0;
}

static void
forget_with_relations(Datum arg, Oid relid)
{
	current = 0;
}

void
steward_incarnation_init(void)
{
	RegisterXactCallback(forget_incarnation, NULL);
	RegisterSubXactCallback(forget_incarnation_in_subtransaction, NULL);
	CacheRegisterRelcacheCallback(forget_with_relations, (Datum) 0);
}
