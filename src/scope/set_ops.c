/*
 * set_ops.c
 *		Predicates, order and hash of the type scope_set.
 *
 * None of them can raise on a valid value, and none looks at a collation: under row-level security only such operators
 * are used before the policy.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "fmgr.h"
#include "miscadmin.h"

#include "scope/match.h"
#include "scope/scope.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_scope_set_covers_set);
PG_FUNCTION_INFO_V1(steward_scope_set_covered_by_set);
PG_FUNCTION_INFO_V1(steward_scope_set_covers_scope);
PG_FUNCTION_INFO_V1(steward_scope_covered_by_set);
PG_FUNCTION_INFO_V1(steward_scope_covers_set);
PG_FUNCTION_INFO_V1(steward_scope_set_covered_by_scope);
PG_FUNCTION_INFO_V1(steward_scope_set_overlaps_set);
PG_FUNCTION_INFO_V1(steward_scope_set_overlaps_scope);
PG_FUNCTION_INFO_V1(steward_scope_overlaps_set);
PG_FUNCTION_INFO_V1(steward_scope_set_eq);
PG_FUNCTION_INFO_V1(steward_scope_set_ne);
PG_FUNCTION_INFO_V1(steward_scope_set_lt);
PG_FUNCTION_INFO_V1(steward_scope_set_le);
PG_FUNCTION_INFO_V1(steward_scope_set_gt);
PG_FUNCTION_INFO_V1(steward_scope_set_ge);
PG_FUNCTION_INFO_V1(steward_scope_set_cmp);
PG_FUNCTION_INFO_V1(steward_scope_set_hash);
PG_FUNCTION_INFO_V1(steward_scope_set_hash_extended);
PG_FUNCTION_INFO_V1(steward_scope_set_count);

/*
 * steward_scope_set_covers
 *		Whether every member of required is covered by a member of set.
 */
bool
steward_scope_set_covers(const ScopeSet *set, const ScopeSet *required)
{
	const uint8_t *bytes = SCOPE_SET_BYTES(set);
	StewardSetWalk walk;

	steward_set_walk(&walk, SCOPE_SET_BYTES(required));
	while (steward_set_next(&walk))
	{
		CHECK_FOR_INTERRUPTS();
		if (!steward_set_covers(bytes, walk.text, walk.len))
			return false;
	}
	return true;
}

/*
 * steward_scope_set_cardinality
 *		How many members a set has.
 */
int
steward_scope_set_cardinality(const ScopeSet *set)
{
	return steward_set_count(SCOPE_SET_BYTES(set));
}

/* Whether the scope covers every member of the set. */
static bool
scope_covers_set(const Scope *scope, const ScopeSet *set)
{
	StewardSetWalk walk;

	steward_set_walk(&walk, SCOPE_SET_BYTES(set));
	while (steward_set_next(&walk))
		if (!steward_scope_covers(SCOPE_TEXT(scope), walk.text, walk.len))
			return false;
	return true;
}

/* Whether some concrete scope is in both sets. */
static bool
sets_overlap(const ScopeSet *a, const ScopeSet *b)
{
	const uint8_t *bytes = SCOPE_SET_BYTES(a);
	StewardSetWalk walk;

	steward_set_walk(&walk, SCOPE_SET_BYTES(b));
	while (steward_set_next(&walk))
	{
		CHECK_FOR_INTERRUPTS();
		if (steward_set_overlaps(bytes, walk.text, walk.len))
			return true;
	}
	return false;
}

/* scope_set @> scope_set */
Datum
steward_scope_set_covers_set(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(steward_scope_set_covers(PG_GETARG_SCOPE_SET_P(0), PG_GETARG_SCOPE_SET_P(1)));
}

/* scope_set <@ scope_set */
Datum
steward_scope_set_covered_by_set(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(steward_scope_set_covers(PG_GETARG_SCOPE_SET_P(1), PG_GETARG_SCOPE_SET_P(0)));
}

/* scope_set @> scope */
Datum
steward_scope_set_covers_scope(PG_FUNCTION_ARGS)
{
	ScopeSet *set = PG_GETARG_SCOPE_SET_P(0);
	Scope *scope = PG_GETARG_SCOPE_P(1);

	PG_RETURN_BOOL(steward_set_covers(SCOPE_SET_BYTES(set), SCOPE_TEXT(scope)));
}

/* scope <@ scope_set */
Datum
steward_scope_covered_by_set(PG_FUNCTION_ARGS)
{
	Scope *scope = PG_GETARG_SCOPE_P(0);
	ScopeSet *set = PG_GETARG_SCOPE_SET_P(1);

	PG_RETURN_BOOL(steward_set_covers(SCOPE_SET_BYTES(set), SCOPE_TEXT(scope)));
}

/* scope @> scope_set */
Datum
steward_scope_covers_set(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(scope_covers_set(PG_GETARG_SCOPE_P(0), PG_GETARG_SCOPE_SET_P(1)));
}

/* scope_set <@ scope */
Datum
steward_scope_set_covered_by_scope(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(scope_covers_set(PG_GETARG_SCOPE_P(1), PG_GETARG_SCOPE_SET_P(0)));
}

/* scope_set && scope_set */
Datum
steward_scope_set_overlaps_set(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(sets_overlap(PG_GETARG_SCOPE_SET_P(0), PG_GETARG_SCOPE_SET_P(1)));
}

/* scope_set && scope */
Datum
steward_scope_set_overlaps_scope(PG_FUNCTION_ARGS)
{
	ScopeSet *set = PG_GETARG_SCOPE_SET_P(0);
	Scope *scope = PG_GETARG_SCOPE_P(1);

	PG_RETURN_BOOL(steward_set_overlaps(SCOPE_SET_BYTES(set), SCOPE_TEXT(scope)));
}

/* scope && scope_set */
Datum
steward_scope_overlaps_set(PG_FUNCTION_ARGS)
{
	Scope *scope = PG_GETARG_SCOPE_P(0);
	ScopeSet *set = PG_GETARG_SCOPE_SET_P(1);

	PG_RETURN_BOOL(steward_set_overlaps(SCOPE_SET_BYTES(set), SCOPE_TEXT(scope)));
}

/* Whether two arguments are equal, which is equality of bytes; frees what detoasting may have made. */
static bool
equal_sets(FunctionCallInfo fcinfo)
{
	ScopeSet *a = PG_GETARG_SCOPE_SET_P(0);
	ScopeSet *b = PG_GETARG_SCOPE_SET_P(1);
	bool result = VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
				  memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;

	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return result;
}

/* Order of two arguments; frees what detoasting may have made. */
static int
compare(FunctionCallInfo fcinfo)
{
	ScopeSet *a = PG_GETARG_SCOPE_SET_P(0);
	ScopeSet *b = PG_GETARG_SCOPE_SET_P(1);
	int result = steward_set_compare(SCOPE_SET_BYTES(a), SCOPE_SET_BYTES(b));

	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return result;
}

Datum
steward_scope_set_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(equal_sets(fcinfo));
}

Datum
steward_scope_set_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(!equal_sets(fcinfo));
}

Datum
steward_scope_set_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) < 0);
}

Datum
steward_scope_set_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) <= 0);
}

Datum
steward_scope_set_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) > 0);
}

Datum
steward_scope_set_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) >= 0);
}

/* btree support function 1 */
Datum
steward_scope_set_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(compare(fcinfo));
}

/* hash support function 1 */
Datum
steward_scope_set_hash(PG_FUNCTION_ARGS)
{
	ScopeSet *set = PG_GETARG_SCOPE_SET_P(0);
	Datum result = hash_any((const unsigned char *) VARDATA_ANY(set), VARSIZE_ANY_EXHDR(set));

	PG_FREE_IF_COPY(set, 0);
	return result;
}

/* hash support function 2 */
Datum
steward_scope_set_hash_extended(PG_FUNCTION_ARGS)
{
	ScopeSet *set = PG_GETARG_SCOPE_SET_P(0);
	Datum result =
		hash_any_extended((const unsigned char *) VARDATA_ANY(set), VARSIZE_ANY_EXHDR(set), PG_GETARG_INT64(1));

	PG_FREE_IF_COPY(set, 0);
	return result;
}

/* cardinality(scope_set) → integer: how many members it has. */
Datum
steward_scope_set_count(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(steward_scope_set_cardinality(PG_GETARG_SCOPE_SET_P(0)));
}
