/*
 * module.c
 *		What happens when the server loads the module: settings and callbacks.
 */
#include "postgres.h"

#include <limits.h>

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "audit/event.h"
#include "audit/incarnation.h"
#include "audit/log.h"
#include "core/module.h"
#include "core/organization.h"
#include "core/relation.h"
#include "core/sealing.h"
#include "core/secret.h"
#include "revocation/sessions.h"
#include "credential/use.h"
#include "steward.h"
#include "token/token.h"

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

PG_FUNCTION_INFO_V1(steward_version);

char *steward_request_id = NULL;
int steward_max_staleness = 0;
bool steward_defer_bookkeeping = false;
bool steward_notify = true;

/* The id goes into every audit row of the session: bounded, and without control characters. */
static bool
check_request_id(char **newval, void **extra, GucSource source)
{
	size_t len = strlen(*newval);

	if (len > 200)
	{
		GUC_check_errdetail("It has %zu bytes; the longest request id has 200.", len);
		return false;
	}
	for (size_t i = 0; i < len; i++)
		if ((unsigned char) (*newval)[i] < ' ')
		{
			GUC_check_errdetail("It contains a control character.");
			return false;
		}
	return true;
}

/* An error context callback; see secret.h. */
void
steward_hide_statement(void *arg)
{
	errhidestmt(true);
	errhidecontext(true);
}

void
_PG_init(void)
{
	DefineCustomStringVariable("steward.request_id", "The application's id of the request it is working on.",
							   "Goes into the context of audit events; never trusted.", &steward_request_id, "",
							   PGC_USERSET, 0, check_request_id, NULL, NULL);
	DefineCustomIntVariable("steward.max_staleness", "A standby whose heartbeat is older says no; 0 turns this off.",
							"It needs heartbeat() or maintain() to be called regularly on the primary.",
							&steward_max_staleness, 0, 0, INT_MAX, PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomBoolVariable(
		"steward.defer_bookkeeping",
		"Revoking a principal or an organization moves its epoch now and leaves the rows to maintain().", NULL,
		&steward_defer_bookkeeping, false, PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("steward.notify", "NOTIFY steward_revocation when tasks for other systems were made.",
							 "A transaction that notifies cannot be prepared.", &steward_notify, true, PGC_SUSET, 0,
							 NULL, NULL, NULL);
	steward_organization_init();
	steward_sealing_init();
	steward_log_init();
	steward_token_init();
	steward_use_init();
	MarkGUCPrefixReserved("steward");
	steward_relation_init();
	steward_incarnation_init();
	steward_event_init();
	steward_sessions_init();
}

/*
 * version() → text
 *		The release of the module that is loaded, for example "0.1.0".
 */
Datum
steward_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(STEWARD_VERSION));
}
