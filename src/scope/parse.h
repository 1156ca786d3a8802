/*
 * parse.h
 *		The text of scopes and the reading of lists of them: pure functions, without the server.
 *
 * A scope is a scope token of RFC 6749 section 3.3: one or more of %x21 / %x23-5B / %x5D-7E, at most 255 bytes.  Its
 * segments are separated by ':' or '/', and which of the two it is matters.  '*' as a whole segment is a wildcard: one
 * segment that is not empty, or, as the last or only segment, whatever follows, which may be any number of segments but
 * not nothing.  '*' is nowhere else.  Other segments stand for themselves and may be empty.
 */
#ifndef STEWARD_SCOPE_PARSE_H
#define STEWARD_SCOPE_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STEWARD_SCOPE_MAX_BYTES 255
#define STEWARD_SCOPE_SET_MAX_MEMBERS 1000

/* A list may name more scopes than a set has members, since some of them cover others; but not without end. */
#define STEWARD_SCOPE_LIST_MAX 65535

/* The binary form of a scope and of a set begins with this byte; a set's goes on with one that is always zero. */
#define STEWARD_SCOPE_WIRE_VERSION 1

/* What is wrong with an input. */
typedef enum StewardScopeError
{
	STEWARD_SCOPE_OK,
	STEWARD_SCOPE_EMPTY,		 /* nothing where a scope should be */
	STEWARD_SCOPE_BAD_BYTE,		 /* a byte that no scope has */
	STEWARD_SCOPE_BAD_WILDCARD,	 /* '*' in a longer segment */
	STEWARD_SCOPE_TOO_LONG,		 /* more than STEWARD_SCOPE_MAX_BYTES */
	STEWARD_SCOPE_TOO_MANY,		 /* more than STEWARD_SCOPE_SET_MAX_MEMBERS */
	STEWARD_SCOPE_LIST_TOO_LONG, /* more than STEWARD_SCOPE_LIST_MAX */
	STEWARD_SCOPE_BAD_VERSION,	 /* binary form of another version */
	STEWARD_SCOPE_BAD_RESERVED,	 /* a reserved byte that is not zero */
	STEWARD_SCOPE_TRUNCATED,	 /* binary form that ends too early */
	STEWARD_SCOPE_TRAILING_BYTES /* binary form that goes on after its last member */
} StewardScopeError;

/* The first fault of an input, and where: bytes from its beginning, the first being 0. */
typedef struct StewardScopeFault
{
	StewardScopeError error;
	size_t at;
} StewardScopeFault;

/* A scope that lies in somebody else's memory. */
typedef struct StewardScopeText
{
	const char *data;
	uint16_t len;
	uint16_t segments;
	uint16_t wildcards;
} StewardScopeText;

/* Whether a byte may stand in a scope: %x21 / %x23-5B / %x5D-7E. */
static inline bool
steward_is_scope_byte(char c)
{
	return c >= 0x21 && c <= 0x7E && c != '"' && c != '\\';
}

static inline bool
steward_is_separator(char c)
{
	return c == ':' || c == '/';
}

extern bool steward_scope_parse(const char *text, size_t len, StewardScopeText *scope, StewardScopeFault *fault);
extern StewardScopeText steward_scope_describe(const char *text, size_t len);
extern size_t steward_scope_list_room(const char *text, size_t len);
extern bool steward_scope_list_parse(const char *text, size_t len, StewardScopeText *scopes, size_t *count,
									 StewardScopeFault *fault);
extern bool steward_scope_wire_parse(const char *data, size_t len, StewardScopeText *scope, StewardScopeFault *fault);
extern size_t steward_scope_set_wire_room(const char *data, size_t len);
extern bool steward_scope_set_wire_parse(const char *data, size_t len, StewardScopeText *scopes, size_t *count,
										 StewardScopeFault *fault);
extern int steward_scope_compare(const char *a, size_t a_len, const char *b, size_t b_len);

#endif /* STEWARD_SCOPE_PARSE_H */
