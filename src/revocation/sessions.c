/*
 * sessions.c
 *		Ending the sessions of PostgreSQL roles, at commit and only then.
 *
 * A transaction that keeps a role from logging in remembers it here; once the transaction has committed, every process
 * that runs as the role gets SIGTERM, as from pg_terminate_backend().  Rolled back, wholly or to a savepoint, it touches
 * nobody.  The callback at commit may neither allocate nor look anything up nor report: an error there would be a PANIC.
 * It looks through the processes in shared memory and sends signals, no more.
 *
 * A process counts by the role that it authenticated as; SET ROLE and SET SESSION AUTHORIZATION change nothing about it.
 * Who authenticates in the very moment of the commit may be missed: maintain() looks again.
 */
#include "postgres.h"

#include <signal.h>

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "utils/memutils.h"

#include "revocation/sessions.h"
#include "steward.h"

/* A role whose sessions end at commit, and the subtransaction that asked for it. */
typedef struct Doomed
{
	Oid role;
	SubTransactionId subxact;
} Doomed;

/* The list lives in TopTransactionContext and is forgotten with the transaction. */
static Doomed *doomed = NULL;
static int n_doomed = 0;
static int room = 0;

/*
 * steward_sessions_of
 *		Counts the processes that run as a role and, when end is set, sends them SIGTERM.
 *
 * Raises nothing, for the one lock that it takes, on the list of running processes, is a lightweight one.  A process may
 * end between the look and the signal; its number is not used again so soon that another could get it, which is what
 * pg_terminate_backend() relies on as well.
 */
int
steward_sessions_of(Oid role, bool end)
{
	int found = 0;

	for (uint32 i = 0; i < ProcGlobal->allProcCount; i++)
	{
		volatile PGPROC *proc = &ProcGlobal->allProcs[i];
		int pid = proc->pid;

		if (pid == 0 || proc->roleId != role)
			continue;
		/* The slot of a process that is gone keeps its pid and role until another takes it. */
		if (BackendPidGetProc(pid) != (PGPROC *) proc || proc->roleId != role)
			continue;
		found++;
		if (end)
			(void) kill(pid, SIGTERM);
	}
	return found;
}

/* End of a transaction. */
static void
at_end(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_PREPARE:
			/* Whoever commits it later is another session, which could not know. */
			if (n_doomed > 0)
				ereport(ERROR,
						(errcode(ERRCODE_STEWARD_SESSIONS_PENDING),
						 errmsg("cannot PREPARE a transaction that ends sessions of PostgreSQL roles"),
						 errdetail("Sessions end at commit, which has to happen here."), errhint("Use COMMIT.")));
			break;
		case XACT_EVENT_COMMIT:
			for (int i = 0; i < n_doomed; i++)
				(void) steward_sessions_of(doomed[i].role, true);
			doomed = NULL;
			n_doomed = room = 0;
			break;
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			doomed = NULL;
			n_doomed = room = 0;
			break;
		default:
			break;
	}
}

/* End of a subtransaction: what it asked for goes to its parent, or is dropped. */
static void
at_subend(SubXactEvent event, SubTransactionId subxact, SubTransactionId parent, void *arg)
{
	int kept = 0;

	if (event != SUBXACT_EVENT_COMMIT_SUB && event != SUBXACT_EVENT_ABORT_SUB)
		return;
	for (int i = 0; i < n_doomed; i++)
	{
		if (doomed[i].subxact == subxact)
		{
			if (event == SUBXACT_EVENT_ABORT_SUB)
				continue;
			doomed[i].subxact = parent;
		}
		doomed[kept++] = doomed[i];
	}
	n_doomed = kept;
}

void
steward_sessions_init(void)
{
	RegisterXactCallback(at_end, NULL);
	RegisterSubXactCallback(at_subend, NULL);
}

/*
 * steward_sessions_end_at_commit
 *		Remembers a role whose sessions are to end when the transaction commits; room is made now.
 */
void
steward_sessions_end_at_commit(Oid role)
{
	if (n_doomed == room)
	{
		int more = Max(2 * room, 16);

		if (doomed == NULL)
			doomed = MemoryContextAlloc(TopTransactionContext, sizeof(Doomed) * more);
		else
			doomed = repalloc(doomed, sizeof(Doomed) * more);
		room = more;
	}
	doomed[n_doomed].role = role;
	doomed[n_doomed++].subxact = GetCurrentSubTransactionId();
}
