/*
 * index_key.h
 *		The keys that sets of scopes are found by in an index: pure functions, without the server.
 *
 * A set is indexed under each of its members, cut to its first six segments.  A key of fewer segments is therefore the
 * member itself, and one of six may be the beginning of several.
 */
#ifndef STEWARD_SCOPE_INDEX_KEY_H
#define STEWARD_SCOPE_INDEX_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scope/parse.h"

#define STEWARD_INDEX_SEGMENTS 6

/*
 * The most keys that a scope is asked for by: '*' as the last of one to six segments, each segment before it being
 * itself or '*' (63), or six segments the last of which is itself (32).
 */
#define STEWARD_INDEX_MAX_KEYS 95

/* A key to look for. */
typedef struct StewardIndexKey
{
	bool prefix; /* all keys that begin so are meant */
	bool exact;	 /* a set that has it is one of those asked for, without another look */
	uint16_t len;
	char text[STEWARD_SCOPE_MAX_BYTES];
} StewardIndexKey;

extern size_t steward_index_cut(const char *scope, size_t len, bool *whole);
extern int steward_index_covering(const char *scope, size_t len, StewardIndexKey *keys);
extern int steward_index_overlapping(const char *scope, size_t len, StewardIndexKey *keys);
extern int steward_index_covered(const char *scope, size_t len, StewardIndexKey *keys);

#endif /* STEWARD_SCOPE_INDEX_KEY_H */
