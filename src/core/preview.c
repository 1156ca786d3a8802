/*
 * preview.c
 *		Doing the real thing in a subtransaction and taking it back: previews and dry runs.
 *
 * What a preview says is exact because it is the code that would do it that has run.  What cannot be taken back is
 * what no rollback takes back: values of sequences, transaction ids, WAL and dead rows.
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/tuplestore.h"

#include "audit/capture.h"
#include "audit/event.h"
#include "core/authority.h"
#include "core/plan.h"
#include "core/preview.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_previewing);

/* How many previews are being carried out, one inside the other. */
static int depth = 0;

/* Deferred constraints fire now: one that would fail at commit must fail here. */
static void
constraints_immediate(void)
{
	ConstraintsSetStmt *statement = makeNode(ConstraintsSetStmt);

	statement->constraints = NIL;
	statement->deferred = false;
	AfterTriggerSetState(statement);
}

/*
 * steward_try_out
 *		Calls work inside a subtransaction, with constraints immediate, and rolls it back, whether it raised or not.
 *
 * What work leaves in memory stays, if it was allocated in the caller's context; an error is raised again once the
 * subtransaction is gone.  Raises on a standby and in a read-only transaction, where nothing can be tried out.
 */
void
steward_try_out(StewardWork work, void *arg)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;

	PreventCommandIfReadOnly("a preview");
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	depth++;
	PG_TRY();
	{
		constraints_immediate();
		work(arg);
		depth--;
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
	}
	PG_CATCH();
	{
		/* The subtransaction must end before the error goes on. */
		ErrorData *error;

		depth--;
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		ReThrowError(error);
	}
	PG_END_TRY();
}

/* A preview that answers with the rows it would touch. */
typedef struct RowsPreview
{
	ReturnSetInfo *rsinfo;
	const pg_uuid_t *org;
	StewardWork work;
	void *arg;
} RowsPreview;

/* Does the work, then reads what the audit trigger recorded of it: that is every row it touched. */
static void
work_and_collect(void *arg)
{
	static StewardPlan find =
		STEWARD_PLAN("ull", "SELECT table_name, action, row_key, old_values, new_values FROM steward.audit_event "
							"WHERE org_id = $1 AND incarnation = $3::integer "
							"AND xact = pg_current_xact_id() AND n >= $2 AND recorded_at = now() ORDER BY n");
	RowsPreview *preview = arg;
	int32 first = steward_next_event();

	preview->work(preview->arg);
	STEWARD_AS_OWNER();
	{
		Datum values[] = {UUIDPGetDatum(preview->org), Int64GetDatum(first), Int64GetDatum(steward_incarnation())};
		uint64 rows = steward_run(&find, STEWARD_TRANSACTION, values, NULL);

		for (uint64 i = 0; i < rows; i++)
		{
			Datum row[5];
			bool nulls[5];

			CHECK_FOR_INTERRUPTS();
			for (int column = 0; column < 5; column++)
				row[column] = steward_result(i, column + 1, &nulls[column]);
			tuplestore_putvalues(preview->rsinfo->setResult, preview->rsinfo->setDesc, row, nulls);
		}
	}
	STEWARD_AS_OWNER_END();
}

/*
 * steward_preview_rows
 *		Tries work out and answers with a row for every change it makes in the organization: (table_name text, action
 *		text, row_key jsonb, old_values jsonb, new_values jsonb), in the order in which they happen.
 *
 * The calling SQL function returns a set of such rows.
 */
void
steward_preview_rows(FunctionCallInfo fcinfo, const pg_uuid_t *org, StewardWork work, void *arg)
{
	RowsPreview preview = {.org = org, .work = work, .arg = arg};

	/* Before the subtransaction, so that the rows outlive it. */
	InitMaterializedSRF(fcinfo, 0);
	preview.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	steward_try_out(work_and_collect, &preview);
}

/*
 * steward_is_previewing
 *		Whether what runs now will be taken back.
 */
bool
steward_is_previewing(void)
{
	return depth > 0;
}

/*
 * previewing() → boolean
 *		Whether what runs now is only a preview: functions with effects outside the database have to ask.
 */
Datum
steward_previewing(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(steward_is_previewing());
}
