/*
 * match.c
 *		What two scopes have to do with each other: pure functions, so that they can be fuzzed and proven alone.
 *
 * Two scopes are compared segment by segment from the left.  A '*' that is not last takes exactly one segment, so both
 * sides are always at the same segment and nothing has to be tried twice: time is linear in the text.
 *
 * Since a wildcard stands for a whole segment, the algebra is closed: the overlap of two scopes is one scope or nothing,
 * and a scope covered by several together is covered by one of them alone.
 */
#include "scope/match.h"

#include <string.h>

/* The end of the segment that begins at a place: the next separator or the end of the text. */
static size_t
segment_end(const char *text, size_t len, size_t at)
{
	while (at < len && !steward_is_separator(text[at]))
		at++;
	return at;
}

/*
 * steward_scope_covers
 *		Whether the pattern matches everything that the scope matches.
 */
bool
steward_scope_covers(const char *pattern, size_t pattern_len, const char *scope, size_t scope_len)
{
	size_t s = 0;

	for (size_t p = 0; p < pattern_len; p++)
	{
		if (pattern[p] == '*')
		{
			size_t end;

			if (p + 1 == pattern_len)
				return s < scope_len;
			/* One segment; the scope has to go on after it, so its own last '*' is not taken for one segment. */
			end = segment_end(scope, scope_len, s);
			if (end == s || end == scope_len)
				return false;
			s = end;
		}
		else
		{
			if (s == scope_len || pattern[p] != scope[s])
				return false;
			s++;
		}
	}
	return s == scope_len;
}

/*
 * steward_scope_overlap
 *		What both scopes match: the length of the one scope that says it, 0 for nothing.
 *
 * Where overlap is not NULL it has room for STEWARD_OVERLAP_MAX_BYTES and takes the text, which may be longer than a
 * scope may be.
 */
size_t
steward_scope_overlap(const char *a, size_t a_len, const char *b, size_t b_len, char *overlap)
{
	size_t i = 0;
	size_t j = 0;
	size_t len = 0;

	for (;;)
	{
		bool a_rest = i + 1 == a_len && a[i] == '*';
		bool b_rest = j + 1 == b_len && b[j] == '*';
		size_t a_end;
		size_t b_end;
		const char *taken;
		size_t taken_len;

		/* A last '*' takes whatever the other has left, unless that is nothing. */
		if (a_rest || b_rest)
		{
			taken = a_rest ? b + j : a + i;
			taken_len = a_rest ? b_len - j : a_len - i;
			if (taken_len == 0)
				return 0;
			if (overlap)
				memcpy(overlap + len, taken, taken_len);
			return len + taken_len;
		}

		a_end = segment_end(a, a_len, i);
		b_end = segment_end(b, b_len, j);
		taken = a + i;
		taken_len = a_end - i;
		if (i < a_len && a[i] == '*')
		{
			taken = b + j;
			taken_len = b_end - j;
			if (taken_len == 0)
				return 0;
		}
		else if (j < b_len && b[j] == '*')
		{
			if (taken_len == 0)
				return 0;
		}
		else if (taken_len != b_end - j || memcmp(a + i, b + j, taken_len) != 0)
			return 0;
		if (overlap)
			memcpy(overlap + len, taken, taken_len);
		len += taken_len;

		if (a_end == a_len || b_end == b_len)
			return a_end == a_len && b_end == b_len ? len : 0;
		if (a[a_end] != b[b_end])
			return 0;
		if (overlap)
			overlap[len] = a[a_end];
		len++;
		i = a_end + 1;
		j = b_end + 1;
	}
}

/*
 * steward_scope_overlaps
 *		Whether some concrete scope is matched by both.
 */
bool
steward_scope_overlaps(const char *a, size_t a_len, const char *b, size_t b_len)
{
	return steward_scope_overlap(a, a_len, b, b_len, NULL) > 0;
}

/* Whether a byte of a foreign permission makes its segment a pattern or a template: it may then stand for anything. */
static bool
is_foreign_wildcard(char c)
{
	return c == '*' || c == '?' || c == '{';
}

/*
 * steward_scope_widen
 *		The smallest scope that covers a permission as another system writes it: its length, 0 for an empty permission.
 *
 * Other systems' wildcards reach over separators (an AWS "*" does, an Azure one too), so the first segment that is a
 * pattern becomes a last '*'.  A segment that is "+", which is Vault's wildcard for one, or that has bytes no scope has,
 * becomes '*' alone.  What is too long ends earlier.  scope has room for STEWARD_SCOPE_MAX_BYTES.
 */
size_t
steward_scope_widen(const char *permission, size_t len, char *scope)
{
	size_t at = 0;
	size_t out = 0;

	if (len == 0)
		return 0;
	for (;;)
	{
		size_t end = segment_end(permission, len, at);
		bool pattern = false;
		bool one = end - at == 1 && permission[at] == '+';
		size_t need;

		for (size_t i = at; i < end && !pattern; i++)
		{
			pattern = is_foreign_wildcard(permission[i]);
			one = one || !steward_is_scope_byte(permission[i]);
		}
		/* The segment, and when there are more of them a separator and at least a '*' after it. */
		need = (one ? 1 : end - at) + (end < len ? 2 : 0);
		if (pattern || need > STEWARD_SCOPE_MAX_BYTES - out)
		{
			/* There is room for the '*': what was written before left it. */
			scope[out++] = '*';
			return out;
		}
		if (one)
			scope[out++] = '*';
		else
		{
			memcpy(scope + out, permission + at, end - at);
			out += end - at;
		}
		if (end == len)
			return out;
		scope[out++] = permission[end];
		at = end + 1;
	}
}
