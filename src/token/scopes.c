/*
 * scopes.c
 *		What a token says its bearer may do, within what its credential has.
 */
#include "postgres.h"

#include "scope/scope.h"
#include "steward.h"
#include "token/token.h"

/* Adds to the list those members of a set that another covers; returns the new length. */
static size_t
add_covered(StewardScopeText *list, size_t n, const ScopeSet *members, const ScopeSet *by)
{
	StewardSetWalk walk;

	steward_set_walk(&walk, SCOPE_SET_BYTES(members));
	while (steward_set_next(&walk))
		if (steward_set_covers(SCOPE_SET_BYTES(by), walk.text, walk.len))
			list[n++] = steward_scope_describe(pnstrdup(walk.text, walk.len), walk.len);
	return n;
}

/*
 * steward_token_scopes
 *		The set that a text of a token states, within the credential's own; NULL when it is not the text of a set.
 *
 * A member counts where the other side covers it whole.  Two patterns that only overlap give nothing: less than the
 * exact intersection, never more, and never an error.
 */
ScopeSet *
steward_token_scopes(const char *text, size_t len, const ScopeSet *own)
{
	StewardScopeText *list = palloc(steward_scope_list_room(text, len) * sizeof(StewardScopeText));
	StewardScopeFault fault;
	ScopeSet *stated;
	size_t n;
	int members;

	if (!steward_scope_list_parse(text, len, list, &n, &fault) || n > STEWARD_SCOPE_SET_MAX_MEMBERS)
		return NULL;
	stated = steward_scope_set_make(list, n);
	list = palloc(sizeof(StewardScopeText) *
				  (steward_scope_set_cardinality(stated) + steward_scope_set_cardinality(own) + 1));
	n = add_covered(list, 0, stated, own);
	n = add_covered(list, n, own, stated);
	members = steward_set_canonicalize(list, n, NULL);
	return members < 0 ? NULL : steward_scope_set_make(list, members);
}
