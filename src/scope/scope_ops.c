/*
 * scope_ops.c
 *		Operators of the type scope: covering, overlap, order and hash.
 *
 * None of them can raise on a valid value, and none looks at a collation.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "fmgr.h"

#include "scope/match.h"
#include "scope/scope.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_scope_covers_scope);
PG_FUNCTION_INFO_V1(steward_scope_covered_by_scope);
PG_FUNCTION_INFO_V1(steward_scope_overlaps_scope);
PG_FUNCTION_INFO_V1(steward_scope_eq);
PG_FUNCTION_INFO_V1(steward_scope_ne);
PG_FUNCTION_INFO_V1(steward_scope_lt);
PG_FUNCTION_INFO_V1(steward_scope_le);
PG_FUNCTION_INFO_V1(steward_scope_gt);
PG_FUNCTION_INFO_V1(steward_scope_ge);
PG_FUNCTION_INFO_V1(steward_scope_cmp);
PG_FUNCTION_INFO_V1(steward_scope_hash);
PG_FUNCTION_INFO_V1(steward_scope_hash_extended);

/* scope_covers(pattern scope, scope scope), scope @> scope: everything that the right one matches, the left one does. */
Datum
steward_scope_covers_scope(PG_FUNCTION_ARGS)
{
	Scope *pattern = PG_GETARG_SCOPE_P(0);
	Scope *scope = PG_GETARG_SCOPE_P(1);

	PG_RETURN_BOOL(steward_scope_covers(SCOPE_TEXT(pattern), SCOPE_TEXT(scope)));
}

/* scope <@ scope */
Datum
steward_scope_covered_by_scope(PG_FUNCTION_ARGS)
{
	Scope *scope = PG_GETARG_SCOPE_P(0);
	Scope *pattern = PG_GETARG_SCOPE_P(1);

	PG_RETURN_BOOL(steward_scope_covers(SCOPE_TEXT(pattern), SCOPE_TEXT(scope)));
}

/* scope && scope: some concrete scope is matched by both. */
Datum
steward_scope_overlaps_scope(PG_FUNCTION_ARGS)
{
	Scope *a = PG_GETARG_SCOPE_P(0);
	Scope *b = PG_GETARG_SCOPE_P(1);

	PG_RETURN_BOOL(steward_scope_overlaps(SCOPE_TEXT(a), SCOPE_TEXT(b)));
}

/* Order of two arguments; frees what detoasting may have made, since a sort calls it for every pair. */
static int
compare(FunctionCallInfo fcinfo)
{
	Scope *a = PG_GETARG_SCOPE_P(0);
	Scope *b = PG_GETARG_SCOPE_P(1);
	int result = steward_scope_compare(SCOPE_TEXT(a), SCOPE_TEXT(b));

	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return result;
}

Datum
steward_scope_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) == 0);
}

Datum
steward_scope_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) != 0);
}

Datum
steward_scope_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) < 0);
}

Datum
steward_scope_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) <= 0);
}

Datum
steward_scope_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) > 0);
}

Datum
steward_scope_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) >= 0);
}

/* btree support function 1 */
Datum
steward_scope_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(compare(fcinfo));
}

/* hash support function 1 */
Datum
steward_scope_hash(PG_FUNCTION_ARGS)
{
	Scope *scope = PG_GETARG_SCOPE_P(0);

	return hash_any((const unsigned char *) VARDATA_ANY(scope), VARSIZE_ANY_EXHDR(scope));
}

/* hash support function 2 */
Datum
steward_scope_hash_extended(PG_FUNCTION_ARGS)
{
	Scope *scope = PG_GETARG_SCOPE_P(0);

	return hash_any_extended((const unsigned char *) VARDATA_ANY(scope), VARSIZE_ANY_EXHDR(scope), PG_GETARG_INT64(1));
}
