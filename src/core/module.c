/*
 * module.c
 *		What happens when the server loads the module: settings and callbacks.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "core/module.h"
#include "core/organization.h"
#include "core/relation.h"
#include "core/secret.h"
#include "credential/use.h"
#include "steward.h"

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

PG_FUNCTION_INFO_V1(steward_version);

char *steward_request_id = NULL;

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
	steward_organization_init();
	steward_use_init();
	MarkGUCPrefixReserved("steward");
	steward_relation_init();
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
