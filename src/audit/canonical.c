/*
 * canonical.c
 *		The one sequence of bytes that stands for an event: what is hashed into the log.
 *
 * A version byte, then every column of the event in a fixed order, each as a byte that says what it is and a value of
 * known or stated length.  So no two events have the same bytes, and no setting, time zone, locale or later column can
 * change those of an event that is there.  Text is UTF-8 in every database.  doc/audit.md describes the order for
 * whoever wants to read the bytes elsewhere.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/inet.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "audit/canonical.h"
#include "audit/event.h"
#include "steward.h"

/* Version of the encoding, the first byte. */
#define EVENT_VERSION 1

/* Microseconds from 1970-01-01 to 2000-01-01, from where the server counts. */
#define UNIX_EPOCH_OFFSET ((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY)

/* Room for len more bytes, to be written to at once; the buffer is always ended by a zero byte. */
static inline char *
extend(StringInfo buf, int len)
{
	char *at;

	enlargeStringInfo(buf, len);
	at = buf->data + buf->len;
	buf->len += len;
	buf->data[buf->len] = '\0';
	return at;
}

/* The byte that says what follows. */
static inline void
put_kind(StringInfo buf, StewardField kind)
{
	*extend(buf, 1) = (char) kind;
}

/* That byte, and a length. */
static inline void
put_kind_and_length(StringInfo buf, StewardField kind, uint32 len)
{
	char *at = extend(buf, 1 + sizeof(len));

	at[0] = (char) kind;
	len = pg_hton32(len);
	memcpy(at + 1, &len, sizeof(len));
}

/* That byte, and 64 bits. */
static inline void
put_kind_and_uint64(StringInfo buf, StewardField kind, uint64 value)
{
	char *at = extend(buf, 1 + sizeof(value));

	at[0] = (char) kind;
	value = pg_hton64(value);
	memcpy(at + 1, &value, sizeof(value));
}

/* Puts the length of what was appended since start, before it; 4 bytes were left free there. */
static void
patch_length(StringInfo buf, int start)
{
	uint32 len = pg_hton32((uint32) (buf->len - start));

	memcpy(buf->data + start - sizeof(len), &len, sizeof(len));
}

/* Converts what was appended since start from the database's encoding to UTF-8. */
static void
convert_tail(StringInfo buf, int start)
{
	char *converted;

	if (GetDatabaseEncoding() == PG_UTF8)
		return;
	converted = pg_server_to_any(buf->data + start, buf->len - start, PG_UTF8);
	if (converted == buf->data + start)
		return;
	buf->len = start;
	appendStringInfoString(buf, converted);
	pfree(converted);
}

void
steward_put_null(StringInfo buf)
{
	put_kind(buf, STEWARD_FIELD_NULL);
}

void
steward_put_uuid(StringInfo buf, Datum uuid)
{
	char *at = extend(buf, 1 + UUID_LEN);

	at[0] = (char) STEWARD_FIELD_UUID;
	memcpy(at + 1, DatumGetUUIDP(uuid)->data, UUID_LEN);
}

void
steward_put_int(StringInfo buf, int64 value)
{
	put_kind_and_uint64(buf, STEWARD_FIELD_INT, (uint64) value);
}

void
steward_put_text(StringInfo buf, const char *text, int len)
{
	int start;

	put_kind_and_length(buf, STEWARD_FIELD_TEXT, (uint32) len);
	start = buf->len;
	memcpy(extend(buf, len), text, (size_t) len);
	if (GetDatabaseEncoding() != PG_UTF8)
	{
		convert_tail(buf, start);
		patch_length(buf, start);
	}
}

void
steward_put_time(StringInfo buf, int64 time)
{
	/* Infinities stay the extremes that they are. */
	if (!TIMESTAMP_NOT_FINITE(time))
		time += UNIX_EPOCH_OFFSET;
	put_kind_and_uint64(buf, STEWARD_FIELD_TIME, (uint64) time);
}

void
steward_put_json(StringInfo buf, Datum jsonb)
{
	Jsonb *value = DatumGetJsonbP(jsonb);
	int start;

	put_kind_and_length(buf, STEWARD_FIELD_JSON, 0);
	start = buf->len;
	steward_canonical_json(buf, &value->root);
	if (GetDatabaseEncoding() != PG_UTF8)
		convert_tail(buf, start);
	patch_length(buf, start);
	if ((Pointer) value != DatumGetPointer(jsonb))
		pfree(value);
}

void
steward_put_uuids(StringInfo buf, Datum uuids)
{
	ArrayType *array = DatumGetArrayTypeP(uuids);
	Datum *values;
	int n;

	deconstruct_array(array, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR, &values, NULL, &n);
	put_kind_and_length(buf, STEWARD_FIELD_UUIDS, (uint32) n);
	for (int i = 0; i < n; i++)
		appendBinaryStringInfo(buf, (const char *) DatumGetUUIDP(values[i])->data, UUID_LEN);
}

void
steward_put_bytes(StringInfo buf, const void *data, int len)
{
	put_kind_and_length(buf, STEWARD_FIELD_BYTES, (uint32) len);
	memcpy(extend(buf, len), data, (size_t) len);
}

/* Whether one of eight bytes has to be escaped: a control character, a quote or a backslash. */
static inline bool
needs_escape(uint64 eight)
{
	const uint64 ones = UINT64CONST(0x0101010101010101);
	const uint64 highs = UINT64CONST(0x8080808080808080);
	uint64 quote = eight ^ (ones * '"');
	uint64 backslash = eight ^ (ones * '\\');

	/* A byte below ' ', or one that the exclusive or made zero, borrows into its high bit; bytes above 127 never count. */
	return (((eight - ones * ' ') & ~eight) | ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash)) & highs;
}

/* A string as JSON: only what must be escaped is, and always in the same way. */
static void
put_json_string(StringInfo buf, const char *text, int len)
{
	static const char digits[] = "0123456789abcdef";
	char *at;
	char *begin;
	int i = 0;

	/* At worst every byte becomes six; values are bounded where they are recorded (delta.c). */
	enlargeStringInfo(buf, 6 * len + 2);
	at = begin = buf->data + buf->len;
	*at++ = '"';
	while (i < len)
	{
		unsigned char c;
		uint64 eight;

		if (len - i >= (int) sizeof(eight))
		{
			memcpy(&eight, text + i, sizeof(eight));
			if (likely(!needs_escape(eight)))
			{
				memcpy(at, &eight, sizeof(eight));
				at += sizeof(eight);
				i += (int) sizeof(eight);
				continue;
			}
		}
		c = (unsigned char) text[i++];
		if (c == '"' || c == '\\')
			*at++ = '\\';
		else if (c < ' ')
		{
			memcpy(at, "\\u00", 4);
			at[4] = digits[c >> 4];
			at[5] = digits[c & 15];
			at += 6;
			continue;
		}
		*at++ = (char) c;
	}
	*at++ = '"';
	*at = '\0';
	buf->len += (int) (at - begin);
}

/* One element of a container; offset is where its data begins. */
static void
put_json_element(StringInfo buf, JEntry entry, const char *base, uint32 offset, uint32 len)
{
	if (JBE_ISSTRING(entry))
		put_json_string(buf, base + offset, (int) len);
	else if (JBE_ISNUMERIC(entry))
	{
		char *number =
			DatumGetCString(DirectFunctionCall1(numeric_out, PointerGetDatum((void *) (base + INTALIGN(offset)))));

		appendStringInfoString(buf, number);
		pfree(number);
	}
	else if (JBE_ISBOOL_TRUE(entry))
		appendBinaryStringInfo(buf, "true", 4);
	else if (JBE_ISBOOL_FALSE(entry))
		appendBinaryStringInfo(buf, "false", 5);
	else if (JBE_ISNULL(entry))
		appendBinaryStringInfo(buf, "null", 4);
	else
		steward_canonical_json(buf, (const JsonbContainer *) (base + INTALIGN(offset)));
}

/*
 * steward_canonical_json
 *		Appends JSON without white space; members in the order in which jsonb keeps them: by length, then by bytes.
 *
 * Reads the container in place, which is several times as fast as the general iterator: sealing does it for every event.
 */
void
steward_canonical_json(StringInfo buf, const JsonbContainer *container)
{
	int count = (int) JsonContainerSize(container);
	bool is_object = JsonContainerIsObject(container);
	const char *base = (const char *) &container->children[is_object ? 2 * count : count];
	uint32 key_offset = 0;
	uint32 offset = is_object ? getJsonbOffset(container, count) : 0;

	check_stack_depth();
	if (JsonContainerIsScalar(container))
	{
		put_json_element(buf, container->children[0], base, 0, getJsonbLength(container, 0));
		return;
	}
	appendStringInfoCharMacro(buf, is_object ? '{' : '[');
	for (int i = 0; i < count; i++)
	{
		int child = is_object ? count + i : i;

		if (i > 0)
			appendStringInfoCharMacro(buf, ',');
		if (is_object)
		{
			put_json_string(buf, base + key_offset, (int) getJsonbLength(container, i));
			appendStringInfoCharMacro(buf, ':');
			JBE_ADVANCE_OFFSET(key_offset, container->children[i]);
		}
		put_json_element(buf, container->children[child], base, offset, getJsonbLength(container, child));
		JBE_ADVANCE_OFFSET(offset, container->children[child]);
	}
	appendStringInfoCharMacro(buf, is_object ? '}' : ']');
}

/* A column of type text. */
static void
put_text_datum(StringInfo buf, Datum value)
{
	text *t = DatumGetTextPP(value);

	steward_put_text(buf, VARDATA_ANY(t), (int) VARSIZE_ANY_EXHDR(t));
}

/* Whether a column is there; if it is not, a null is appended. */
static inline bool
present(StringInfo buf, const bool *nulls, StewardEventColumn column)
{
	if (likely(!nulls[column]))
		return true;
	steward_put_null(buf);
	return false;
}

/*
 * steward_canonical_event
 *		Appends the encoding of an event, given its columns in the order of StewardEventColumn.
 */
void
steward_canonical_event(StringInfo buf, const Datum *values, const bool *nulls)
{
	static const StewardEventColumn jsons[] = {STEWARD_EVENT_ROW_KEY, STEWARD_EVENT_OLD_VALUES,
											   STEWARD_EVENT_NEW_VALUES};
	static const StewardEventColumn uuids[] = {STEWARD_EVENT_ACTOR_PRINCIPAL, STEWARD_EVENT_ACTOR_CREDENTIAL};
	static const StewardEventColumn texts[] = {STEWARD_EVENT_SESSION_ROLE, STEWARD_EVENT_ACTING_ROLE,
											   STEWARD_EVENT_APPLICATION_NAME};
	static const StewardEventColumn claims[] = {STEWARD_EVENT_CLAIMED_ACTOR, STEWARD_EVENT_TARGETS,
												STEWARD_EVENT_CONTEXT, STEWARD_EVENT_METADATA};

	appendStringInfoCharMacro(buf, EVENT_VERSION);
	steward_put_uuid(buf, values[STEWARD_EVENT_ORG]);
	steward_put_int(buf, DatumGetInt32(values[STEWARD_EVENT_INCARNATION]));
	steward_put_int(buf, DatumGetInt64(values[STEWARD_EVENT_XACT]));
	steward_put_int(buf, DatumGetInt32(values[STEWARD_EVENT_N]));
	steward_put_time(buf, DatumGetTimestampTz(values[STEWARD_EVENT_RECORDED_AT]));
	steward_put_time(buf, DatumGetTimestampTz(values[STEWARD_EVENT_OCCURRED_AT]));
	put_text_datum(buf, values[STEWARD_EVENT_ACTION]);
	steward_put_int(buf, DatumGetInt32(values[STEWARD_EVENT_VERSION]));
	if (present(buf, nulls, STEWARD_EVENT_TABLE_NAME))
		put_text_datum(buf, values[STEWARD_EVENT_TABLE_NAME]);
	for (int i = 0; i < (int) lengthof(jsons); i++)
		if (present(buf, nulls, jsons[i]))
			steward_put_json(buf, values[jsons[i]]);
	for (int i = 0; i < (int) lengthof(uuids); i++)
		if (present(buf, nulls, uuids[i]))
			steward_put_uuid(buf, values[uuids[i]]);
	if (present(buf, nulls, STEWARD_EVENT_ACTOR_CHAIN))
		steward_put_uuids(buf, values[STEWARD_EVENT_ACTOR_CHAIN]);
	for (int i = 0; i < (int) lengthof(texts); i++)
		if (present(buf, nulls, texts[i]))
			put_text_datum(buf, values[texts[i]]);
	if (present(buf, nulls, STEWARD_EVENT_CLIENT_ADDRESS))
	{
		char *address = DatumGetCString(DirectFunctionCall1(inet_out, values[STEWARD_EVENT_CLIENT_ADDRESS]));

		steward_put_text(buf, address, (int) strlen(address));
		pfree(address);
	}
	for (int i = 0; i < (int) lengthof(claims); i++)
		if (present(buf, nulls, claims[i]))
			steward_put_json(buf, values[claims[i]]);
}
