/*
 * json.h
 *		Reading untrusted JSON: pure functions, without the server, without recursion and without allocation.
 */
#ifndef STEWARD_JSON_H
#define STEWARD_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How deep a text may nest, how many members an object may have that is walked, how long a number may be. */
#define STEWARD_JSON_DEPTH 32
#define STEWARD_JSON_MEMBERS 128
#define STEWARD_JSON_NUMBER 64

typedef enum StewardJsonKind
{
	STEWARD_JSON_NULL,
	STEWARD_JSON_BOOLEAN,
	STEWARD_JSON_NUMBER_VALUE,
	STEWARD_JSON_STRING,
	STEWARD_JSON_ARRAY,
	STEWARD_JSON_OBJECT
} StewardJsonKind;

/* A value where it stands; of a string what is between the quotes, escapes included. */
typedef struct StewardJsonValue
{
	StewardJsonKind kind;
	const char *at;
	size_t len;
} StewardJsonValue;

/* Called for each member (name between its quotes) or element (name NULL); false stops the walk, which then fails. */
typedef bool (*StewardJsonVisitor)(const StewardJsonValue *name, const StewardJsonValue *value, void *arg);

extern bool steward_json_walk(const char *text, size_t len, StewardJsonKind kind, StewardJsonVisitor visit, void *arg);
extern bool steward_json_is(const StewardJsonValue *string, const char *expected);
extern bool steward_json_same(const StewardJsonValue *a, const StewardJsonValue *b);
extern size_t steward_json_unescape(const StewardJsonValue *string, char *out, size_t size);
extern bool steward_json_time(const StewardJsonValue *number, int64_t *micros);

#endif /* STEWARD_JSON_H */
