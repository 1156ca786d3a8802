/*
 * parse.c
 *		The text of scopes and the reading of lists of them: pure functions, so that they can be fuzzed alone.
 *
 * Text and binary input go through one check, steward_scope_parse(): there is no scope that one of them accepts and the
 * other does not.  Nothing is copied; what is read points into the input.
 */
#include "scope/parse.h"

#include <string.h>

/* Notes what is wrong and where; false, so that callers can return it. */
static bool
fail(StewardScopeFault *fault, StewardScopeError error, size_t at)
{
	fault->error = error;
	fault->at = at;
	return false;
}

/*
 * steward_scope_parse
 *		Reads one scope that takes up the whole text; false and the first fault when it is not one.
 */
bool
steward_scope_parse(const char *text, size_t len, StewardScopeText *scope, StewardScopeFault *fault)
{
	unsigned int segments = 1;
	unsigned int wildcards = 0;

	if (len == 0)
		return fail(fault, STEWARD_SCOPE_EMPTY, 0);
	for (size_t i = 0; i < len; i++)
	{
		/* A byte is named before the length is, up to where the length is exceeded: it is the likelier mistake. */
		if (i == STEWARD_SCOPE_MAX_BYTES)
			return fail(fault, STEWARD_SCOPE_TOO_LONG, i);
		if (!steward_is_scope_byte(text[i]))
			return fail(fault, STEWARD_SCOPE_BAD_BYTE, i);
		if (steward_is_separator(text[i]))
			segments++;
		else if (text[i] == '*')
		{
			if ((i > 0 && !steward_is_separator(text[i - 1])) || (i + 1 < len && !steward_is_separator(text[i + 1])))
				return fail(fault, STEWARD_SCOPE_BAD_WILDCARD, i);
			wildcards++;
		}
	}
	scope->data = text;
	scope->len = (uint16_t) len;
	scope->segments = (uint16_t) segments;
	scope->wildcards = (uint16_t) wildcards;
	return true;
}

/*
 * steward_scope_describe
 *		What steward_scope_parse() says of a text that is known to be a scope, or the overlap of two, which may be longer.
 */
StewardScopeText
steward_scope_describe(const char *text, size_t len)
{
	StewardScopeText scope = {text, (uint16_t) len, 1, 0};

	for (size_t i = 0; i < len; i++)
	{
		scope.segments += steward_is_separator(text[i]);
		scope.wildcards += text[i] == '*';
	}
	return scope;
}

/*
 * steward_scope_list_room
 *		How many scopes steward_scope_list_parse() may find in a text.
 */
size_t
steward_scope_list_room(const char *text, size_t len)
{
	size_t room = 0;

	/* A scope begins wherever something else than a space follows a space. */
	for (size_t i = 0; i < len && room < STEWARD_SCOPE_LIST_MAX; i++)
		room += text[i] != ' ' && (i == 0 || text[i - 1] == ' ');
	return room;
}

/*
 * steward_scope_list_parse
 *		Reads scopes with spaces between them, as OAuth 2.0 writes them; more spaces than one are as good as one.
 *
 * The order is the input's, and a scope may be there twice.  scopes has room for steward_scope_list_room() of them.
 */
bool
steward_scope_list_parse(const char *text, size_t len, StewardScopeText *scopes, size_t *count,
						 StewardScopeFault *fault)
{
	size_t at = 0;

	*count = 0;
	while (at < len)
	{
		const char *space = memchr(text + at, ' ', len - at);
		size_t end = space ? (size_t) (space - text) : len;

		if (end > at)
		{
			if (*count == STEWARD_SCOPE_LIST_MAX)
				return fail(fault, STEWARD_SCOPE_LIST_TOO_LONG, at);
			if (!steward_scope_parse(text + at, end - at, &scopes[*count], fault))
			{
				fault->at += at;
				return false;
			}
			(*count)++;
		}
		at = end + 1;
	}
	return true;
}

/*
 * steward_scope_wire_parse
 *		Reads the binary form of a scope: the version, then its bytes.
 */
bool
steward_scope_wire_parse(const char *data, size_t len, StewardScopeText *scope, StewardScopeFault *fault)
{
	if (len == 0)
		return fail(fault, STEWARD_SCOPE_TRUNCATED, 0);
	if (data[0] != STEWARD_SCOPE_WIRE_VERSION)
		return fail(fault, STEWARD_SCOPE_BAD_VERSION, 0);
	if (!steward_scope_parse(data + 1, len - 1, scope, fault))
	{
		fault->at += 1;
		return false;
	}
	return true;
}

/* The number of members that the binary form of a set announces. */
static size_t
announced(const char *data)
{
	return (size_t) (unsigned char) data[2] << 8 | (unsigned char) data[3];
}

/*
 * steward_scope_set_wire_room
 *		How many scopes steward_scope_set_wire_parse() may find: never more than the input has bytes.
 */
size_t
steward_scope_set_wire_room(const char *data, size_t len)
{
	size_t room = len < 4 ? 0 : announced(data);

	return room < len ? room : len;
}

/*
 * steward_scope_set_wire_parse
 *		Reads the binary form of a set: version, a byte that is zero, the number of members in network byte order, then of
 *		each member a byte with its length and its bytes.
 *
 * The order is the input's, and a member may be there twice.  scopes has room for steward_scope_set_wire_room() of them.
 */
bool
steward_scope_set_wire_parse(const char *data, size_t len, StewardScopeText *scopes, size_t *count,
							 StewardScopeFault *fault)
{
	size_t members;
	size_t at = 4;

	*count = 0;
	if (len > 0 && data[0] != STEWARD_SCOPE_WIRE_VERSION)
		return fail(fault, STEWARD_SCOPE_BAD_VERSION, 0);
	if (len > 1 && data[1] != 0)
		return fail(fault, STEWARD_SCOPE_BAD_RESERVED, 1);
	if (len < 4)
		return fail(fault, STEWARD_SCOPE_TRUNCATED, len);
	members = announced(data);
	if (members > STEWARD_SCOPE_SET_MAX_MEMBERS)
		return fail(fault, STEWARD_SCOPE_TOO_MANY, 2);
	while (*count < members)
	{
		size_t member_len;

		if (at == len)
			return fail(fault, STEWARD_SCOPE_TRUNCATED, at);
		member_len = (unsigned char) data[at++];
		if (member_len > len - at)
			return fail(fault, STEWARD_SCOPE_TRUNCATED, len);
		if (!steward_scope_parse(data + at, member_len, &scopes[*count], fault))
		{
			fault->at += at;
			return false;
		}
		(*count)++;
		at += member_len;
	}
	if (at != len)
		return fail(fault, STEWARD_SCOPE_TRAILING_BYTES, at);
	return true;
}

/*
 * steward_scope_compare
 *		Order of scopes: of their bytes, the shorter first when it is the beginning of the longer.  No collation.
 */
int
steward_scope_compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int result = memcmp(a, b, a_len < b_len ? a_len : b_len);

	if (result != 0)
		return result;
	return (a_len > b_len) - (a_len < b_len);
}
