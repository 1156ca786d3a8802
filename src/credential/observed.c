/*
 * observed.c
 *		What the permissions of another system amount to, as scopes.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"

#include "scope/match.h"
#include "scope/scope.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_widen_all);

/*
 * widen_all(permissions text[]) → scope_set
 *		The smallest scopes that cover the permissions; "*" when there are more than a set can hold.
 *
 * Never raises: an inventory must not be refused for what a foreign system calls a permission.
 */
Datum
steward_widen_all(PG_FUNCTION_ARGS)
{
	Datum *permissions;
	bool *nulls;
	int n;
	StewardScopeText *scopes;
	size_t count = 0;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), TEXTOID, -1, false, TYPALIGN_INT, &permissions, &nulls, &n);
	scopes = palloc(sizeof(StewardScopeText) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		text *permission;
		char *scope;
		size_t len;

		CHECK_FOR_INTERRUPTS();
		if (nulls[i])
			continue;
		permission = DatumGetTextPP(permissions[i]);
		if (VARSIZE_ANY_EXHDR(permission) == 0)
			continue;
		scope = palloc(STEWARD_SCOPE_MAX_BYTES);
		len = steward_scope_widen(VARDATA_ANY(permission), VARSIZE_ANY_EXHDR(permission), scope);
		scopes[count++] = steward_scope_describe(scope, len);
	}
	if (count > STEWARD_SCOPE_SET_MAX_MEMBERS)
	{
		scopes[0] = steward_scope_describe("*", 1);
		count = 1;
	}
	PG_RETURN_POINTER(steward_scope_set_make(scopes, count));
}
