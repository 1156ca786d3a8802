/*
 * set_algebra.c
 *		Sets of scopes made from sets: union, intersection, difference.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"

#include "scope/match.h"
#include "scope/scope.h"
#include "steward.h"

/*
 * steward_scope_set_uncovered
 *		The members of a that no member of b covers.
 */
ScopeSet *
steward_scope_set_uncovered(const ScopeSet *a, const ScopeSet *b)
{
	const uint8_t *from = SCOPE_SET_BYTES(a);
	const uint8_t *bytes = SCOPE_SET_BYTES(b);
	ScopeSet *result = palloc(VARHDRSZ + steward_set_room(steward_set_count(from), steward_set_text_len(from)));
	StewardSetWriter writer;
	StewardSetWalk walk;

	steward_set_begin(&writer, (uint8_t *) VARDATA(result));
	steward_set_walk(&walk, from);
	while (steward_set_next(&walk))
	{
		CHECK_FOR_INTERRUPTS();
		if (!steward_set_covers(bytes, walk.text, walk.len))
			steward_set_add(&writer, walk.text, walk.len);
	}
	SET_VARSIZE(result, VARHDRSZ + steward_set_end(&writer));
	return result;
}
