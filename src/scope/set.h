/*
 * set.h
 *		Sets of scopes in their packed form: pure functions, without the server.
 *
 * A set is packed as
 *
 *		1 byte		format: 1; the upper four bits are reserved and zero
 *		2 bytes		number of members, the lower byte first
 *		of each member, in ascending order of bytes:
 *			1 byte	how many bytes at its beginning are those of the member before
 *			1 byte	how many bytes follow, never 0
 *			these bytes
 *
 * No byte is aligned, so that a value with a short header is read where it lies.  Members that begin alike, as scopes
 * do, take little room, and a member that has its beginning from one that did not match is passed over without being
 * looked at.  No member covers another, members share as many bytes as they can, and so equal sets are equal bytes.
 */
#ifndef STEWARD_SCOPE_SET_H
#define STEWARD_SCOPE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scope/parse.h"

#define STEWARD_SET_FORMAT 1
#define STEWARD_SET_HEADER 3

/* A walk through the members of a packed set; after steward_set_next() text and len are one of them. */
typedef struct StewardSetWalk
{
	const uint8_t *at;
	int left;
	int len;
	char text[STEWARD_SCOPE_MAX_BYTES];
} StewardSetWalk;

/* A set being packed. */
typedef struct StewardSetWriter
{
	uint8_t *start;
	uint8_t *at;
	int count;
	size_t last_len;
	char last[STEWARD_SCOPE_MAX_BYTES];
} StewardSetWriter;

static inline int
steward_set_count(const uint8_t *set)
{
	return set[1] | set[2] << 8;
}

static inline void
steward_set_walk(StewardSetWalk *walk, const uint8_t *set)
{
	walk->at = set + STEWARD_SET_HEADER;
	walk->left = steward_set_count(set);
	walk->len = 0;
}

extern bool steward_set_next(StewardSetWalk *walk);
extern size_t steward_set_text_len(const uint8_t *set);
extern bool steward_set_covers(const uint8_t *set, const char *scope, size_t scope_len);
extern bool steward_set_overlaps(const uint8_t *set, const char *scope, size_t scope_len);
extern int steward_set_compare(const uint8_t *a, const uint8_t *b);
extern int steward_set_canonicalize(StewardScopeText *scopes, size_t count, void (*pause)(void));
extern size_t steward_set_room(size_t members, size_t text_bytes);
extern void steward_set_begin(StewardSetWriter *writer, uint8_t *set);
extern void steward_set_add(StewardSetWriter *writer, const char *scope, size_t len);
extern size_t steward_set_end(StewardSetWriter *writer);

#endif /* STEWARD_SCOPE_SET_H */
