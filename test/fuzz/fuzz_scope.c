/*
 * fuzz_scope.c
 *		Fuzzes the text of scopes and what is done with it (src/scope/parse.c, src/scope/match.c, src/scope/set.c,
 *		src/scope/index_key.c).
 *
 * What must hold: a list that is accepted prints as a text that reads as the same set, and printing that is a fixed point;
 * a set covers what it was made of, and none of its members another; looking at a packed set is looking at each member;
 * what two scopes have in common is covered by both; a widened permission is a scope that covers it; and the keys of an
 * index never miss a scope.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "scope/index_key.h"
#include "scope/match.h"
#include "scope/parse.h"
#include "scope/set.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
	if (!holds)
		abort();
}

/* A packed set of canonical members, in memory of just its size; to be freed. */
static uint8_t *
pack(const StewardScopeText *scopes, int count, size_t *size)
{
	StewardSetWriter writer;
	size_t bytes = 0;
	uint8_t *room;
	uint8_t *set;

	for (int i = 0; i < count; i++)
		bytes += scopes[i].len;
	room = malloc(steward_set_room((size_t) count, bytes));
	steward_set_begin(&writer, room);
	for (int i = 0; i < count; i++)
		steward_set_add(&writer, scopes[i].data, scopes[i].len);
	*size = steward_set_end(&writer);
	check(*size <= steward_set_room((size_t) count, bytes));
	set = malloc(*size);
	memcpy(set, room, *size);
	free(room);
	return set;
}

/* The packed set that a list of scopes spells, or NULL when it is refused; to be freed. */
static uint8_t *
read_list(const char *text, size_t len, size_t *size)
{
	size_t room = steward_scope_list_room(text, len);
	StewardScopeText *scopes = malloc(room * sizeof(StewardScopeText) + 1);
	StewardScopeFault fault = {STEWARD_SCOPE_OK, 0};
	size_t count;
	int members = -1;
	uint8_t *set = NULL;

	if (steward_scope_list_parse(text, len, scopes, &count, &fault))
	{
		check(count <= room);
		members = steward_set_canonicalize(scopes, count, NULL);
	}
	else
		check(fault.error != STEWARD_SCOPE_OK && fault.at < len);
	if (members >= 0)
		set = pack(scopes, members, size);
	free(scopes);
	return set;
}

/* Members of a set with spaces between them; to be freed. */
static char *
print(const uint8_t *set, size_t *len)
{
	char *text = malloc(steward_set_text_len(set) + (size_t) steward_set_count(set) + 1);
	StewardSetWalk walk;

	*len = 0;
	steward_set_walk(&walk, set);
	while (steward_set_next(&walk))
	{
		if (*len > 0)
			text[(*len)++] = ' ';
		memcpy(text + *len, walk.text, (size_t) walk.len);
		*len += (size_t) walk.len;
	}
	return text;
}

/* Whether a scope that has something to do with the asked one would be found by the keys. */
static bool
finds(const StewardIndexKey *keys, int count, const char *scope, size_t len)
{
	bool whole;
	size_t cut = steward_index_cut(scope, len, &whole);

	for (int i = 0; i < count; i++)
		if (keys[i].len <= cut && (keys[i].prefix || keys[i].len == cut) &&
			memcmp(keys[i].text, scope, keys[i].len) == 0)
			return true;
	return false;
}

/* What must hold between two scopes. */
static void
check_pair(const char *a, size_t a_len, const char *b, size_t b_len)
{
	static StewardIndexKey keys[STEWARD_INDEX_MAX_KEYS];
	char overlap[STEWARD_OVERLAP_MAX_BYTES];
	char reversed[STEWARD_OVERLAP_MAX_BYTES];
	size_t len = steward_scope_overlap(a, a_len, b, b_len, overlap);
	bool covers = steward_scope_covers(a, a_len, b, b_len);
	int count;

	check(steward_scope_overlap(b, b_len, a, a_len, reversed) == len && memcmp(overlap, reversed, len) == 0);
	check(steward_scope_overlaps(a, a_len, b, b_len) == (len > 0));
	/* A covers B if and only if what they have in common is B. */
	check(covers == (len == b_len && memcmp(overlap, b, b_len) == 0));
	if (len > 0)
		check(steward_scope_covers(a, a_len, overlap, len) && steward_scope_covers(b, b_len, overlap, len));

	count = steward_index_covering(b, b_len, keys);
	check(count > 0 && count <= STEWARD_INDEX_MAX_KEYS);
	if (covers)
		check(finds(keys, count, a, a_len));
	for (int i = 0; i < count; i++)
		if (keys[i].exact)
			check(steward_scope_covers(keys[i].text, keys[i].len, b, b_len));
	count = steward_index_overlapping(b, b_len, keys);
	check(count > 0 && count <= STEWARD_INDEX_MAX_KEYS);
	if (len > 0)
		check(finds(keys, count, a, a_len));
	for (int i = 0; i < count; i++)
		if (keys[i].exact)
			check(steward_scope_overlaps(keys[i].text, keys[i].len, b, b_len));
	if (covers)
		check(finds(keys, steward_index_covered(a, a_len, keys), b, b_len));
}

/* What must hold of a set. */
static void
check_set(const uint8_t *set)
{
	StewardSetWalk one;
	char last[STEWARD_SCOPE_MAX_BYTES];
	size_t last_len = 0;
	int count = 0;

	check(steward_set_count(set) <= STEWARD_SCOPE_SET_MAX_MEMBERS);
	steward_set_walk(&one, set);
	while (steward_set_next(&one))
	{
		StewardScopeText parsed;
		StewardScopeFault fault;
		StewardSetWalk other;
		bool overlaps = false;

		check(steward_scope_parse(one.text, (size_t) one.len, &parsed, &fault));
		check(count++ == 0 || steward_scope_compare(last, last_len, one.text, (size_t) one.len) < 0);
		memcpy(last, one.text, (size_t) one.len);
		last_len = (size_t) one.len;
		check(steward_set_covers(set, one.text, (size_t) one.len));
		/* A few against all, for time. */
		if (count > 20)
			continue;
		steward_set_walk(&other, set);
		for (int i = 1; steward_set_next(&other); i++)
		{
			check(i == count || !steward_scope_covers(other.text, (size_t) other.len, one.text, (size_t) one.len));
			overlaps = overlaps || steward_scope_overlaps(other.text, (size_t) other.len, one.text, (size_t) one.len);
			check_pair(other.text, (size_t) other.len, one.text, (size_t) one.len);
		}
		check(steward_set_overlaps(set, one.text, (size_t) one.len) == overlaps);
	}
	check(count == steward_set_count(set));
}

/* The input as a list of scopes. */
static void
fuzz_list(const char *text, size_t len)
{
	size_t size;
	size_t again_size;
	size_t printed_len;
	size_t fixed_len;
	uint8_t *set = read_list(text, len, &size);
	uint8_t *again;
	char *printed;
	char *fixed;

	if (set == NULL)
		return;
	check_set(set);
	printed = print(set, &printed_len);
	again = read_list(printed, printed_len, &again_size);
	check(again != NULL && again_size == size && memcmp(set, again, size) == 0);
	check(steward_set_compare(set, again) == 0);
	fixed = print(again, &fixed_len);
	check(fixed_len == printed_len && memcmp(fixed, printed, fixed_len) == 0);
	free(fixed);
	free(printed);
	free(again);

	/* Each scope that was read is covered, and not more is than by the members one by one. */
	for (size_t at = 0, end; at < len; at = end + 1)
	{
		StewardSetWalk walk;
		bool covers = false;
		size_t scope_len;

		for (end = at; end < len && text[end] != ' '; end++)
			;
		scope_len = end - at;
		if (scope_len == 0)
			continue;
		check(steward_set_covers(set, text + at, scope_len));
		/* The same with a byte less, which the set need not cover. */
		if (scope_len == 1 || text[end - 1] == '*' || text[end - 2] == '*')
			continue;
		steward_set_walk(&walk, set);
		while (steward_set_next(&walk))
			covers = covers || steward_scope_covers(walk.text, (size_t) walk.len, text + at, scope_len - 1);
		check(steward_set_covers(set, text + at, scope_len - 1) == covers);
	}
	free(set);
}

/* The input as two scopes with a byte 0 between them, which need not be in one set. */
static void
fuzz_pair(const char *text, size_t len)
{
	const char *zero = memchr(text, 0, len);
	StewardScopeText a;
	StewardScopeText b;
	StewardScopeFault fault;

	if (zero == NULL || !steward_scope_parse(text, (size_t) (zero - text), &a, &fault) ||
		!steward_scope_parse(zero + 1, len - (size_t) (zero - text) - 1, &b, &fault))
		return;
	check(a.segments == steward_scope_describe(a.data, a.len).segments);
	check(a.wildcards == steward_scope_describe(a.data, a.len).wildcards);
	check_pair(a.data, a.len, b.data, b.len);
	check_pair(b.data, b.len, a.data, a.len);
	check_pair(a.data, a.len, a.data, a.len);
}

/* The input as a list of scopes and one scope, with a byte 0 between them. */
static void
fuzz_asked(const char *text, size_t len)
{
	const char *zero = memchr(text, 0, len);
	size_t size;
	uint8_t *set;
	StewardScopeText asked;
	StewardScopeFault fault;
	StewardSetWalk walk;
	bool covers = false;
	bool overlaps = false;

	if (zero == NULL || !steward_scope_parse(zero + 1, len - (size_t) (zero - text) - 1, &asked, &fault))
		return;
	set = read_list(text, (size_t) (zero - text), &size);
	if (set == NULL)
		return;
	steward_set_walk(&walk, set);
	while (steward_set_next(&walk))
	{
		covers = covers || steward_scope_covers(walk.text, (size_t) walk.len, asked.data, asked.len);
		overlaps = overlaps || steward_scope_overlaps(walk.text, (size_t) walk.len, asked.data, asked.len);
	}
	check(steward_set_covers(set, asked.data, asked.len) == covers);
	check(steward_set_overlaps(set, asked.data, asked.len) == overlaps);
	free(set);
}

/* The input as a permission of another system. */
static void
fuzz_widen(const char *text, size_t len)
{
	char *scope = malloc(STEWARD_SCOPE_MAX_BYTES);
	size_t widened = steward_scope_widen(text, len, scope);
	StewardScopeText parsed;
	StewardScopeFault fault;

	check((widened == 0) == (len == 0));
	if (len > 0)
	{
		check(steward_scope_parse(scope, widened, &parsed, &fault));
		/* It matches the permission itself, which may be longer than a scope, or have bytes no scope has. */
		check(steward_scope_covers(scope, widened, text, len));
	}
	free(scope);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Memory of just the input's size, so that reading beyond it is seen. */
	char *text = malloc(size > 0 ? size : 1);

	memcpy(text, data, size);
	fuzz_list(text, size);
	fuzz_pair(text, size);
	fuzz_asked(text, size);
	fuzz_widen(text, size);
	free(text);
	return 0;
}
