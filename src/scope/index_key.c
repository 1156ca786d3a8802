/*
 * index_key.c
 *		The keys that sets of scopes are found by in an index: pure functions, so that they can be fuzzed alone.
 *
 * For a scope that is asked for, these functions name keys such that every set that is meant has one of them.  Sets that
 * have one may still not be meant, unless the key is exact.
 */
#include "scope/index_key.h"

#include <string.h>

/* The first segments of a scope, as far as keys reach. */
typedef struct Head
{
	const char *text;
	size_t start[STEWARD_INDEX_SEGMENTS];
	size_t end[STEWARD_INDEX_SEGMENTS];
	int segments;  /* of these, at most STEWARD_INDEX_SEGMENTS */
	bool complete; /* the scope has no more than these */
	int literals;  /* how many of these come before the first that is a wildcard */
} Head;

/* Takes the first segments of a scope apart. */
static void
take_head(Head *head, const char *scope, size_t len)
{
	size_t at = 0;

	head->text = scope;
	head->segments = 0;
	head->literals = -1;
	for (;;)
	{
		size_t end = at;

		while (end < len && !steward_is_separator(scope[end]))
			end++;
		if (head->literals < 0 && end > at && scope[at] == '*')
			head->literals = head->segments;
		head->start[head->segments] = at;
		head->end[head->segments] = end;
		head->segments++;
		head->complete = end == len;
		if (head->complete || head->segments == STEWARD_INDEX_SEGMENTS)
			break;
		at = end + 1;
	}
	if (head->literals < 0)
		head->literals = head->segments;
}

/* Whether a segment of the head is a wildcard, or could not be one in what covers it because it is empty. */
static bool
is_fixed(const Head *head, int segment)
{
	return head->end[segment] == head->start[segment] || head->text[head->start[segment]] == '*';
}

/*
 * steward_index_cut
 *		How many bytes of a scope its key has; *whole says whether a key of so many segments can only be a whole scope.
 */
size_t
steward_index_cut(const char *scope, size_t len, bool *whole)
{
	int separators = 0;

	for (size_t i = 0; i < len; i++)
		if (steward_is_separator(scope[i]) && ++separators == STEWARD_INDEX_SEGMENTS)
		{
			*whole = false;
			return i;
		}
	*whole = separators < STEWARD_INDEX_SEGMENTS - 1;
	return len;
}

/*
 * Writes the first segments of the head into a key, those in the mask as '*'; false when such a key is not one, since a
 * segment that it makes a wildcard is empty, or is one already and so the same key comes from another mask.
 */
static bool
write_segments(const Head *head, int segments, unsigned int mask, StewardIndexKey *key)
{
	key->len = 0;
	key->prefix = false;
	key->exact = true;
	for (int i = 0; i < segments; i++)
	{
		size_t len = head->end[i] - head->start[i];

		/* The separator after the segment before. */
		if (i > 0)
			key->text[key->len++] = head->text[head->start[i] - 1];
		if (mask & 1u << i)
		{
			if (is_fixed(head, i))
				return false;
			key->text[key->len++] = '*';
		}
		else
		{
			memcpy(key->text + key->len, head->text + head->start[i], len);
			key->len += (uint16_t) len;
		}
	}
	return true;
}

/*
 * The keys whose last segment is '*', after up to limit - 1 others that are the head's or '*'.  As the last of a scope it
 * takes the rest, which is there in all but one case; as the sixth it may also be one of a longer scope.
 */
static int
add_with_last_wildcard(const Head *head, int limit, StewardIndexKey *keys)
{
	int count = 0;

	for (int last = 0; last < limit; last++)
	{
		if (head->complete && last == head->segments - 1 && head->end[last] == head->start[last])
			continue;
		for (unsigned int mask = 0; mask < 1u << last; mask++)
		{
			StewardIndexKey *key = &keys[count];

			if (!write_segments(head, last, mask, key))
				continue;
			if (last > 0)
				key->text[key->len++] = head->text[head->start[last] - 1];
			key->text[key->len++] = '*';
			key->exact = last + 1 < STEWARD_INDEX_SEGMENTS;
			count++;
		}
	}
	return count;
}

/*
 * The keys of all the given segments, the last of which is the head's own (or, in a prefix, may be '*' as well).  Those
 * that end with '*' are left to add_with_last_wildcard().
 */
static int
add_with_all_segments(const Head *head, int segments, bool prefix, StewardIndexKey *keys)
{
	int choices = prefix ? segments : segments - 1;
	int count = 0;

	if (!prefix && head->end[segments - 1] > head->start[segments - 1] && head->text[head->start[segments - 1]] == '*')
		return 0;
	for (unsigned int mask = 0; mask < 1u << choices; mask++)
	{
		StewardIndexKey *key = &keys[count];

		if (!write_segments(head, segments, mask, key))
			continue;
		if (prefix)
			key->text[key->len++] = head->text[head->end[segments - 1]];
		key->prefix = prefix;
		key->exact = !prefix && segments < STEWARD_INDEX_SEGMENTS;
		count++;
	}
	return count;
}

/*
 * steward_index_covering
 *		The keys of all scopes that cover the one that is asked for; how many, at most STEWARD_INDEX_MAX_KEYS.
 */
int
steward_index_covering(const char *scope, size_t len, StewardIndexKey *keys)
{
	Head head;
	int count;

	take_head(&head, scope, len);
	count = add_with_last_wildcard(&head, head.segments, keys);
	return count + add_with_all_segments(&head, head.segments, false, keys + count);
}

/*
 * steward_index_overlapping
 *		The keys of all scopes that have something in common with the one that is asked for; how many, at most
 *		STEWARD_INDEX_MAX_KEYS.  For one that begins with a wildcard it is the prefix of all keys, the empty one.
 */
int
steward_index_overlapping(const char *scope, size_t len, StewardIndexKey *keys)
{
	Head head;
	int count;

	take_head(&head, scope, len);
	if (head.literals == head.segments)
		return steward_index_covering(scope, len, keys);
	if (head.literals == 0)
	{
		keys[0].prefix = true;
		keys[0].exact = false;
		keys[0].len = 0;
		return 1;
	}
	/* What is before the first wildcard has to agree, and goes on; or ends with a wildcard of its own before. */
	count = add_with_last_wildcard(&head, head.literals, keys);
	return count + add_with_all_segments(&head, head.literals, true, keys + count);
}

/*
 * steward_index_covered
 *		The one key, or prefix of keys, of all scopes that the one that is asked for covers; always 1.
 */
int
steward_index_covered(const char *scope, size_t len, StewardIndexKey *keys)
{
	Head head;
	bool whole;

	take_head(&head, scope, len);
	keys[0].prefix = head.literals < head.segments;
	keys[0].exact = false;
	if (keys[0].prefix)
		keys[0].len = (uint16_t) head.start[head.literals];
	else
		keys[0].len = (uint16_t) steward_index_cut(scope, len, &whole);
	memcpy(keys[0].text, scope, keys[0].len);
	return 1;
}
