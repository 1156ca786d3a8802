/*
 * module.c
 *		What happens when the server loads the module: settings and callbacks.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "steward.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(steward_version);

/*
 * version() → text
 *		The release of the module that is loaded, for example "0.1.0".
 */
Datum
steward_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(STEWARD_VERSION));
}
