/*
 * set_algebra.c
 *		Sets of scopes made from sets, and members from a set: union, intersection, difference, unnest.
 *
 * Each result is canonical again.  A result that may not be is refused (more than 1,000 members, or an overlap of more
 * than 255 bytes), never cut short; whether it may be is decided by what remains, not by what was on the way.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "scope/match.h"
#include "scope/scope.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_scope_set_union);
PG_FUNCTION_INFO_V1(steward_scope_set_intersection);
PG_FUNCTION_INFO_V1(steward_scope_set_difference);
PG_FUNCTION_INFO_V1(steward_scope_set_uncovered_by);
PG_FUNCTION_INFO_V1(steward_scope_set_unnest);

/* Scopes being gathered, and the memory that their texts lie in. */
typedef struct Gathering
{
	StewardScopeText *scopes;
	size_t count;
	size_t room;
	char *free;		  /* where the next text goes */
	size_t free_room; /* bytes left there */
} Gathering;

/* Texts are gathered in blocks of this size; any one fits. */
#define BLOCK_SIZE 65536

/* Adds a copy of a scope. */
static void
gather(Gathering *to, const char *text, size_t len)
{
	if (to->count == to->room)
	{
		to->room = to->room == 0 ? 256 : to->room * 2;
		to->scopes = to->scopes == NULL ? palloc(to->room * sizeof(StewardScopeText))
										: repalloc(to->scopes, to->room * sizeof(StewardScopeText));
	}
	if (to->free_room < len)
	{
		to->free = palloc(BLOCK_SIZE);
		to->free_room = BLOCK_SIZE;
	}
	memcpy(to->free, text, len);
	to->scopes[to->count++] = steward_scope_describe(to->free, len);
	to->free += len;
	to->free_room -= len;
}

/* Adds the members of a set. */
static void
gather_members(Gathering *to, const ScopeSet *set)
{
	StewardSetWalk walk;

	steward_set_walk(&walk, SCOPE_SET_BYTES(set));
	while (steward_set_next(&walk))
		gather(to, walk.text, walk.len);
}

/* Adds what each member of one set has in common with each of the other. */
static void
gather_overlaps(Gathering *to, const ScopeSet *a, const ScopeSet *b)
{
	char overlap[STEWARD_OVERLAP_MAX_BYTES];
	StewardSetWalk of_a;

	steward_set_walk(&of_a, SCOPE_SET_BYTES(a));
	while (steward_set_next(&of_a))
	{
		StewardSetWalk of_b;

		CHECK_FOR_INTERRUPTS();
		steward_set_walk(&of_b, SCOPE_SET_BYTES(b));
		while (steward_set_next(&of_b))
		{
			size_t len = steward_scope_overlap(of_a.text, of_a.len, of_b.text, of_b.len, overlap);

			if (len > 0)
				gather(to, overlap, len);
		}
	}
}

/* The set of what fill gathers from two sets; what was gathered is gone afterwards. */
static ScopeSet *
combine(void (*fill)(Gathering *to, const ScopeSet *a, const ScopeSet *b), const ScopeSet *a, const ScopeSet *b)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext work = AllocSetContextCreate(caller, "scopes gathered", ALLOCSET_DEFAULT_SIZES);
	Gathering gathering = {0};
	ScopeSet *set;

	MemoryContextSwitchTo(work);
	fill(&gathering, a, b);
	MemoryContextSwitchTo(caller);
	set = steward_scope_set_make(gathering.scopes, gathering.count);
	MemoryContextDelete(work);
	return set;
}

/* Adds the members of both sets. */
static void
gather_both(Gathering *to, const ScopeSet *a, const ScopeSet *b)
{
	gather_members(to, a);
	gather_members(to, b);
}

/* The members of a for which the test with all of b says no. */
static ScopeSet *
filter(const ScopeSet *a, const ScopeSet *b, bool (*test)(const uint8_t *set, const char *scope, size_t len))
{
	const uint8_t *from = SCOPE_SET_BYTES(a);
	const uint8_t *against = SCOPE_SET_BYTES(b);
	ScopeSet *result = palloc(VARHDRSZ + steward_set_room(steward_set_count(from), steward_set_text_len(from)));
	StewardSetWriter writer;
	StewardSetWalk walk;

	steward_set_begin(&writer, (uint8_t *) VARDATA(result));
	steward_set_walk(&walk, from);
	while (steward_set_next(&walk))
	{
		CHECK_FOR_INTERRUPTS();
		if (!test(against, walk.text, walk.len))
			steward_set_add(&writer, walk.text, walk.len);
	}
	SET_VARSIZE(result, VARHDRSZ + steward_set_end(&writer));
	return result;
}

/*
 * steward_scope_set_uncovered
 *		The members of a that no member of b covers.
 */
ScopeSet *
steward_scope_set_uncovered(const ScopeSet *a, const ScopeSet *b)
{
	return filter(a, b, steward_set_covers);
}

/*
 * scope_set + scope_set: what is in either.  Raises ST404 for more than 1,000 members.
 *
 * Also the transition function of scope_union(): an argument that covers the other is the result, uncopied, so that a
 * state that already has everything costs one look.
 */
Datum
steward_scope_set_union(PG_FUNCTION_ARGS)
{
	ScopeSet *a = PG_GETARG_SCOPE_SET_P(0);
	ScopeSet *b = PG_GETARG_SCOPE_SET_P(1);

	if (steward_scope_set_covers(a, b))
		PG_RETURN_POINTER(a);
	if (steward_scope_set_covers(b, a))
		PG_RETURN_POINTER(b);
	PG_RETURN_POINTER(combine(gather_both, a, b));
}

/*
 * scope_set * scope_set: what is in both, the union of the overlaps of their members.  Raises ST404 for more than 1,000
 * members, ST403 for one of more than 255 bytes.
 */
Datum
steward_scope_set_intersection(PG_FUNCTION_ARGS)
{
	ScopeSet *a = PG_GETARG_SCOPE_SET_P(0);
	ScopeSet *b = PG_GETARG_SCOPE_SET_P(1);

	if (steward_scope_set_covers(b, a))
		PG_RETURN_POINTER(a);
	if (steward_scope_set_covers(a, b))
		PG_RETURN_POINTER(b);
	PG_RETURN_POINTER(combine(gather_overlaps, a, b));
}

/* scope_set - scope_set: the members of the left one that have nothing in common with the right one. */
Datum
steward_scope_set_difference(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(filter(PG_GETARG_SCOPE_SET_P(0), PG_GETARG_SCOPE_SET_P(1), steward_set_overlaps));
}

/*
 * uncovered(scopes scope_set, by scope_set) → scope_set: the members that no member of the other set covers.  A member
 * that is covered in part is there whole: what it allows beyond is what is looked for.
 */
Datum
steward_scope_set_uncovered_by(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(steward_scope_set_uncovered(PG_GETARG_SCOPE_SET_P(0), PG_GETARG_SCOPE_SET_P(1)));
}

/* unnest(scope_set) → setof scope: the members, in order. */
Datum
steward_scope_set_unnest(PG_FUNCTION_ARGS)
{
	FuncCallContext *call;
	StewardSetWalk *walk;

	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext caller;

		call = SRF_FIRSTCALL_INIT();
		/* The argument may not outlive this call: it is copied, or detoasted, where the walk lies. */
		caller = MemoryContextSwitchTo(call->multi_call_memory_ctx);
		walk = palloc(sizeof(StewardSetWalk));
		steward_set_walk(walk, SCOPE_SET_BYTES(PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(0))));
		call->user_fctx = walk;
		MemoryContextSwitchTo(caller);
	}
	call = SRF_PERCALL_SETUP();
	walk = call->user_fctx;
	if (!steward_set_next(walk))
		SRF_RETURN_DONE(call);
	SRF_RETURN_NEXT(call, PointerGetDatum(steward_scope_make(walk->text, walk->len)));
}
