/*
 * set.c
 *		Sets of scopes in their packed form: pure functions, so that they can be fuzzed alone.
 *
 * What is packed here comes from steward_scope_parse(), so a packed set is trusted as the server trusts its own pages.
 */
#include "scope/set.h"

#include <stdlib.h>
#include <string.h>

#include "scope/match.h"

/*
 * steward_set_next
 *		Goes to the next member; false after the last.
 */
bool
steward_set_next(StewardSetWalk *walk)
{
	size_t shared;
	size_t rest;

	if (walk->left == 0)
		return false;
	walk->left--;
	shared = walk->at[0];
	rest = walk->at[1];
	memcpy(walk->text + shared, walk->at + 2, rest);
	walk->at += 2 + rest;
	walk->len = (int) (shared + rest);
	return true;
}

/*
 * steward_set_text_len
 *		Bytes of all members together, without anything between them.
 */
size_t
steward_set_text_len(const uint8_t *set)
{
	const uint8_t *at = set + STEWARD_SET_HEADER;
	size_t len = 0;

	for (int left = steward_set_count(set); left > 0; left--)
	{
		len += (size_t) at[0] + at[1];
		at += 2 + at[1];
	}
	return len;
}

/*
 * steward_set_covers
 *		Whether a member covers the scope: steward_scope_covers() of each, but what members have in common is compared
 *		once.
 *
 * For the member just seen, matched is how many of its bytes matched, and place[i] is where in the scope the first i of
 * them led; members that share more than matched bytes with it fail at the same byte.
 */
bool
steward_set_covers(const uint8_t *set, const char *scope, size_t scope_len)
{
	const uint8_t *at = set + STEWARD_SET_HEADER;
	uint8_t place[STEWARD_SCOPE_MAX_BYTES + 1];
	size_t matched = 0;

	place[0] = 0;
	for (int left = steward_set_count(set); left > 0; left--)
	{
		size_t shared = at[0];
		size_t rest = at[1];
		const char *bytes = (const char *) at + 2;
		size_t i = 0;
		size_t s;

		at += 2 + rest;
		if (shared > matched)
			continue;
		s = place[shared];
		for (; i < rest; i++)
		{
			if (bytes[i] == '*')
			{
				size_t start = s;

				if (i + 1 == rest)
				{
					if (s < scope_len)
						return true;
					break;
				}
				while (s < scope_len && !steward_is_separator(scope[s]))
					s++;
				if (s == start || s == scope_len)
					break;
			}
			else
			{
				if (s == scope_len || bytes[i] != scope[s])
					break;
				s++;
			}
			place[shared + i + 1] = (uint8_t) s;
		}
		if (i == rest && s == scope_len)
			return true;
		matched = shared + i;
	}
	return false;
}

/*
 * steward_set_overlaps
 *		Whether a member and the scope have a concrete scope in common.
 */
bool
steward_set_overlaps(const uint8_t *set, const char *scope, size_t scope_len)
{
	StewardSetWalk walk;

	steward_set_walk(&walk, set);
	while (steward_set_next(&walk))
		if (steward_scope_overlaps(walk.text, (size_t) walk.len, scope, scope_len))
			return true;
	return false;
}

/*
 * steward_set_compare
 *		Order of sets: of their first members that differ, the shorter set first when it is the beginning of the longer.
 */
int
steward_set_compare(const uint8_t *a, const uint8_t *b)
{
	StewardSetWalk of_a;
	StewardSetWalk of_b;

	steward_set_walk(&of_a, a);
	steward_set_walk(&of_b, b);
	for (;;)
	{
		bool more_a = steward_set_next(&of_a);
		bool more_b = steward_set_next(&of_b);
		int result;

		if (!more_a || !more_b)
			return (int) more_a - (int) more_b;
		result = steward_scope_compare(of_a.text, (size_t) of_a.len, of_b.text, (size_t) of_b.len);
		if (result != 0)
			return result;
	}
}

/* qsort comparison: the order of members. */
static int
by_bytes(const void *a, const void *b)
{
	const StewardScopeText *x = a;
	const StewardScopeText *y = b;

	return steward_scope_compare(x->data, x->len, y->data, y->len);
}

/*
 * qsort comparison: whatever covers another comes before it.  A scope that covers another has no more segments, and with
 * as many it has more wildcards.
 */
static int
by_generality(const void *a, const void *b)
{
	const StewardScopeText *x = a;
	const StewardScopeText *y = b;

	if (x->segments != y->segments)
		return (int) x->segments - (int) y->segments;
	return (int) y->wildcards - (int) x->wildcards;
}

/* Sorts, unless that is done already, and drops duplicates; how many are left. */
static size_t
sort_unique(StewardScopeText *scopes, size_t count)
{
	bool sorted = true;
	size_t kept = 0;

	for (size_t i = 1; i < count && sorted; i++)
		sorted = by_bytes(&scopes[i - 1], &scopes[i]) < 0;
	if (sorted)
		return count;
	qsort(scopes, count, sizeof(StewardScopeText), by_bytes);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || by_bytes(&scopes[kept - 1], &scopes[i]) != 0)
			scopes[kept++] = scopes[i];
	return kept;
}

/*
 * steward_set_canonicalize
 *		Brings scopes into the form of a set: sorted, without duplicates and those that another covers; how many are left,
 *		or -1 when that is more than a set may have.
 *
 * Time is linear in the number of scopes (besides sorting), whatever they are: they are taken with the more general
 * first, so what has been kept stays, and as soon as that is too much it is over.  pause, unless NULL, is called now and
 * then and may not come back: nothing is held.
 */
int
steward_set_canonicalize(StewardScopeText *scopes, size_t count, void (*pause)(void))
{
	uint16_t general[STEWARD_SCOPE_SET_MAX_MEMBERS];
	size_t generals = 0;
	size_t kept = 0;
	bool wildcards = false;

	count = sort_unique(scopes, count);
	for (size_t i = 0; i < count && !wildcards; i++)
		wildcards = scopes[i].wildcards > 0;
	if (!wildcards)
		return count > STEWARD_SCOPE_SET_MAX_MEMBERS ? -1 : (int) count;

	qsort(scopes, count, sizeof(StewardScopeText), by_generality);
	for (size_t i = 0; i < count; i++)
	{
		StewardScopeText scope = scopes[i];
		bool covered = false;

		if (pause != NULL && i % 256 == 0)
			pause();
		for (size_t g = 0; g < generals && !covered; g++)
		{
			const StewardScopeText *pattern = &scopes[general[g]];

			covered = steward_scope_covers(pattern->data, pattern->len, scope.data, scope.len);
		}
		if (covered)
			continue;
		if (kept == STEWARD_SCOPE_SET_MAX_MEMBERS)
			return -1;
		if (scope.wildcards > 0)
			general[generals++] = (uint16_t) kept;
		scopes[kept++] = scope;
	}
	qsort(scopes, kept, sizeof(StewardScopeText), by_bytes);
	return (int) kept;
}

/*
 * steward_set_room
 *		The most bytes that a set of so many members with so many bytes takes.
 */
size_t
steward_set_room(size_t members, size_t text_bytes)
{
	return STEWARD_SET_HEADER + 2 * members + text_bytes;
}

/*
 * steward_set_begin
 *		Begins to pack a set into a buffer of steward_set_room() bytes.
 */
void
steward_set_begin(StewardSetWriter *writer, uint8_t *set)
{
	writer->start = set;
	writer->at = set + STEWARD_SET_HEADER;
	writer->count = 0;
	writer->last_len = 0;
}

/*
 * steward_set_add
 *		Packs one more member; the caller gives them as steward_set_canonicalize() leaves them.
 */
void
steward_set_add(StewardSetWriter *writer, const char *scope, size_t len)
{
	size_t shared = 0;

	while (shared < writer->last_len && shared < len && writer->last[shared] == scope[shared])
		shared++;
	writer->at[0] = (uint8_t) shared;
	writer->at[1] = (uint8_t) (len - shared);
	memcpy(writer->at + 2, scope + shared, len - shared);
	writer->at += 2 + len - shared;
	memcpy(writer->last + shared, scope + shared, len - shared);
	writer->last_len = len;
	writer->count++;
}

/*
 * steward_set_end
 *		Ends the set; how many bytes it has.
 */
size_t
steward_set_end(StewardSetWriter *writer)
{
	writer->start[0] = STEWARD_SET_FORMAT;
	writer->start[1] = (uint8_t) writer->count;
	writer->start[2] = (uint8_t) (writer->count >> 8);
	return (size_t) (writer->at - writer->start);
}
