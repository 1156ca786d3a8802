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
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

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
