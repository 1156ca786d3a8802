/*
 * canonical.h
 *		The one sequence of bytes that stands for an event, whatever server, session or version reads it.
 */
#ifndef STEWARD_CANONICAL_H
#define STEWARD_CANONICAL_H

#include "lib/stringinfo.h"
#include "utils/jsonb.h"

/* What a field of the encoding is; each value is preceded by its byte. */
typedef enum StewardField
{
	STEWARD_FIELD_NULL = 0,
	STEWARD_FIELD_UUID = 1,	 /* 16 bytes */
	STEWARD_FIELD_INT = 2,	 /* 8 bytes, big-endian, two's complement */
	STEWARD_FIELD_TEXT = 3,	 /* 4 bytes of length, big-endian, and as many of UTF-8 */
	STEWARD_FIELD_TIME = 4,	 /* 8 bytes like an integer: microseconds since 1970-01-01 00:00 UTC */
	STEWARD_FIELD_JSON = 5,	 /* like a text: JSON without white space */
	STEWARD_FIELD_UUIDS = 6, /* 4 bytes of count, big-endian, and 16 bytes for each */
	STEWARD_FIELD_BYTES = 7	 /* 4 bytes of length, big-endian, and as many */
} StewardField;

extern void steward_put_null(StringInfo buf);
extern void steward_put_uuid(StringInfo buf, Datum uuid);
extern void steward_put_int(StringInfo buf, int64 value);
extern void steward_put_text(StringInfo buf, const char *text, int len);
extern void steward_put_time(StringInfo buf, int64 time);
extern void steward_put_json(StringInfo buf, Datum jsonb);
extern void steward_put_uuids(StringInfo buf, Datum uuids);
extern void steward_put_bytes(StringInfo buf, const void *data, int len);
extern void steward_canonical_json(StringInfo buf, const JsonbContainer *container);
extern void steward_canonical_event(StringInfo buf, const Datum *values, const bool *nulls);

#endif /* STEWARD_CANONICAL_H */
