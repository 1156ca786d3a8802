/*
 * match.h
 *		What two scopes have to do with each other: pure functions, without the server.
 *
 * A scope stands for the concrete scopes it matches, of any length; all here is exact in that sense.
 */
#ifndef STEWARD_SCOPE_MATCH_H
#define STEWARD_SCOPE_MATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "scope/parse.h"

/* An overlap takes each segment from one of two scopes, so it may be longer than a scope may be. */
#define STEWARD_OVERLAP_MAX_BYTES (2 * STEWARD_SCOPE_MAX_BYTES)

extern bool steward_scope_covers(const char *pattern, size_t pattern_len, const char *scope, size_t scope_len);
extern bool steward_scope_overlaps(const char *a, size_t a_len, const char *b, size_t b_len);
extern size_t steward_scope_overlap(const char *a, size_t a_len, const char *b, size_t b_len, char *overlap);
extern size_t steward_scope_widen(const char *permission, size_t len, char *scope);

#endif /* STEWARD_SCOPE_MATCH_H */
