/*
 * scope_io.c
 *		The types scope and scope_set: input, output, binary forms and casts.
 *
 * Everything that comes in goes through the pure functions of parse.c, and there is one report for all that they find
 * wrong.  It names the byte and never repeats the input, which may be a secret given by mistake.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "scope/match.h"
#include "scope/scope.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_scope_in);
PG_FUNCTION_INFO_V1(steward_scope_out);
PG_FUNCTION_INFO_V1(steward_scope_recv);
PG_FUNCTION_INFO_V1(steward_scope_send);
PG_FUNCTION_INFO_V1(steward_scope_from_text);
PG_FUNCTION_INFO_V1(steward_scope_widen_text);
PG_FUNCTION_INFO_V1(steward_scope_segments);
PG_FUNCTION_INFO_V1(steward_scope_set_in);
PG_FUNCTION_INFO_V1(steward_scope_set_out);
PG_FUNCTION_INFO_V1(steward_scope_set_recv);
PG_FUNCTION_INFO_V1(steward_scope_set_send);
PG_FUNCTION_INFO_V1(steward_scope_set_from_text);
PG_FUNCTION_INFO_V1(steward_scope_set_to_text);
PG_FUNCTION_INFO_V1(steward_scope_set_from_array);
PG_FUNCTION_INFO_V1(steward_scope_set_to_array);
PG_FUNCTION_INFO_V1(steward_scope_set_from_scope);

/*
 * Reports what is wrong with an input of len bytes, softly where there is an escontext; false.  element is the place in
 * an array, from 1, or 0.
 */
static bool
report(struct Node *escontext, const StewardScopeFault *fault, const char *input, size_t len, int element)
{
	char place[64];
	char byte[16] = "";

	snprintf(place, sizeof(place), "%zu", fault->at + 1);
	if (element > 0)
		snprintf(place, sizeof(place), "%zu of element %d", fault->at + 1, element);
	if (fault->at < len)
	{
		unsigned char c = (unsigned char) input[fault->at];

		/* A byte that is not ASCII may be a part of a character: its number is always legible. */
		snprintf(byte, sizeof(byte), c >= 0x20 && c <= 0x7E ? "\"%c\"" : "0x%02X", c);
	}

	switch (fault->error)
	{
		case STEWARD_SCOPE_OK:
			break;
		case STEWARD_SCOPE_EMPTY:
			steward_ereturn(escontext, false,
							(errcode(ERRCODE_STEWARD_SCOPE_MALFORMED), errmsg("scope is empty"),
							 errdetail("A scope is expected at byte %s.", place)));
		case STEWARD_SCOPE_BAD_BYTE:
			steward_ereturn(
				escontext, false,
				(errcode(ERRCODE_STEWARD_SCOPE_MALFORMED), errmsg("invalid byte in a scope"),
				 errdetail("Byte %s is %s.", place, byte),
				 errhint(
					 "A scope consists of printable ASCII characters without space, quotation mark and backslash.")));
		case STEWARD_SCOPE_BAD_WILDCARD:
			steward_ereturn(escontext, false,
							(errcode(ERRCODE_STEWARD_SCOPE_WILDCARD), errmsg("wildcard must be a whole segment"),
							 errdetail("Byte %s is \"*\" in a longer segment.", place),
							 errhint("Segments are separated by \":\" or \"/\".  steward.scope_widen() gives the "
									 "smallest scope that covers a pattern of another system.")));
		case STEWARD_SCOPE_TOO_LONG:
			steward_ereturn(escontext, false,
							(errcode(ERRCODE_STEWARD_SCOPE_TOO_LONG),
							 errmsg("scope is longer than %d bytes", STEWARD_SCOPE_MAX_BYTES),
							 errdetail("Byte %s is one too many.", place)));
		case STEWARD_SCOPE_TOO_MANY:
			steward_ereturn(escontext, false,
							(errcode(ERRCODE_STEWARD_SCOPE_SET_TOO_LARGE),
							 errmsg("scope set has more than %d members", STEWARD_SCOPE_SET_MAX_MEMBERS)));
		case STEWARD_SCOPE_LIST_TOO_LONG:
			steward_ereturn(escontext, false,
							(errcode(ERRCODE_STEWARD_SCOPE_SET_TOO_LARGE),
							 errmsg("list has more than %d scopes", STEWARD_SCOPE_LIST_MAX),
							 errdetail("The scope at byte %s is one too many.", place)));
		case STEWARD_SCOPE_BAD_VERSION:
			steward_ereturn(escontext, false,
							(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION), errmsg("unknown binary form of a scope"),
							 errdetail("Byte %s is %s; the version known here is 0x%02X.", place, byte,
									   STEWARD_SCOPE_WIRE_VERSION)));
		case STEWARD_SCOPE_BAD_RESERVED:
			steward_ereturn(escontext, false,
							(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION), errmsg("unknown binary form of a scope"),
							 errdetail("Byte %s is %s; it is reserved and must be zero.", place, byte)));
		case STEWARD_SCOPE_TRUNCATED:
			steward_ereturn(escontext, false,
							(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION), errmsg("truncated binary form of a scope"),
							 errdetail("There is no byte %s.", place)));
		case STEWARD_SCOPE_TRAILING_BYTES:
			steward_ereturn(escontext, false,
							(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION), errmsg("oversized binary form of a scope"),
							 errdetail("It ends before byte %s.", place)));
	}
	return false;
}

/* What steward_set_canonicalize() calls now and then: a hostile list may take seconds. */
static void
check_for_interrupts(void)
{
	CHECK_FOR_INTERRUPTS();
}

/* A set is larger than it may be. */
static bool
report_too_many(struct Node *escontext)
{
	StewardScopeFault fault = {STEWARD_SCOPE_TOO_MANY, 0};

	return report(escontext, &fault, NULL, 0, 0);
}

/*
 * steward_scope_make
 *		A value of the type scope.
 */
Scope *
steward_scope_make(const char *text, size_t len)
{
	return (Scope *) cstring_to_text_with_len(text, (int) len);
}

/* Packs canonical members into a value of the type scope_set. */
static ScopeSet *
pack(const StewardScopeText *scopes, int count)
{
	StewardSetWriter writer;
	size_t text_bytes = 0;
	ScopeSet *set;

	for (int i = 0; i < count; i++)
		text_bytes += scopes[i].len;
	set = palloc(VARHDRSZ + steward_set_room(count, text_bytes));
	steward_set_begin(&writer, (uint8_t *) VARDATA(set));
	for (int i = 0; i < count; i++)
		steward_set_add(&writer, scopes[i].data, scopes[i].len);
	SET_VARSIZE(set, VARHDRSZ + steward_set_end(&writer));
	return set;
}

/*
 * steward_scope_set_make
 *		A value of the type scope_set from scopes in any order, which it reorders.
 *
 * Raises ST404 when more than 1,000 remain, ST403 when one that remains is too long, as an overlap may be.
 */
ScopeSet *
steward_scope_set_make(StewardScopeText *scopes, size_t count)
{
	int members = steward_set_canonicalize(scopes, count, check_for_interrupts);

	if (members < 0)
		report_too_many(NULL);
	for (int i = 0; i < members; i++)
		if (scopes[i].len > STEWARD_SCOPE_MAX_BYTES)
			ereport(ERROR, (errcode(ERRCODE_STEWARD_SCOPE_TOO_LONG),
							errmsg("scope is longer than %d bytes", STEWARD_SCOPE_MAX_BYTES),
							errdetail("The overlap of two scopes has %d bytes.", (int) scopes[i].len)));
	return pack(scopes, members);
}

/* The same for input, softly where there is an escontext; NULL then. */
static ScopeSet *
make_set(struct Node *escontext, StewardScopeText *scopes, size_t count)
{
	int members = steward_set_canonicalize(scopes, count, check_for_interrupts);

	if (members < 0)
	{
		report_too_many(escontext);
		return NULL;
	}
	return pack(scopes, members);
}

/* text → scope; NULL after a soft error. */
static Scope *
read_scope(struct Node *escontext, const char *text, size_t len)
{
	StewardScopeText scope;
	StewardScopeFault fault;

	if (!steward_scope_parse(text, len, &scope, &fault))
	{
		report(escontext, &fault, text, len, 0);
		return NULL;
	}
	return steward_scope_make(text, len);
}

/* text → scope_set; NULL after a soft error. */
static ScopeSet *
read_set(struct Node *escontext, const char *text, size_t len)
{
	StewardScopeText *scopes = palloc(steward_scope_list_room(text, len) * sizeof(StewardScopeText));
	StewardScopeFault fault;
	size_t count;

	if (!steward_scope_list_parse(text, len, scopes, &count, &fault))
	{
		report(escontext, &fault, text, len, 0);
		return NULL;
	}
	return make_set(escontext, scopes, count);
}

/* The text of a set: its members with one space between them; terminated. */
static char *
print_set(const ScopeSet *set, size_t *len)
{
	const uint8_t *bytes = SCOPE_SET_BYTES(set);
	char *text = palloc(steward_set_text_len(bytes) + steward_set_count(bytes) + 1);
	char *at = text;
	StewardSetWalk walk;

	steward_set_walk(&walk, bytes);
	while (steward_set_next(&walk))
	{
		if (at > text)
			*at++ = ' ';
		memcpy(at, walk.text, walk.len);
		at += walk.len;
	}
	*at = '\0';
	*len = at - text;
	return text;
}

/* Input of scope.  ST401, ST402 or ST403 with the byte, softly where the server has soft errors. */
Datum
steward_scope_in(PG_FUNCTION_ARGS)
{
	char *text = PG_GETARG_CSTRING(0);

	PG_RETURN_POINTER(read_scope(STEWARD_ESCONTEXT(fcinfo), text, strlen(text)));
}

Datum
steward_scope_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(text_to_cstring(PG_GETARG_SCOPE_P(0)));
}

/* Binary input of scope: a byte with the version, then the text. */
Datum
steward_scope_recv(PG_FUNCTION_ARGS)
{
	StringInfo buf = (StringInfo) PG_GETARG_POINTER(0);
	int len = buf->len - buf->cursor;
	const char *data = pq_getmsgbytes(buf, len);
	StewardScopeText scope;
	StewardScopeFault fault;

	if (!steward_scope_wire_parse(data, len, &scope, &fault))
		report(NULL, &fault, data, len, 0);
	PG_RETURN_POINTER(steward_scope_make(scope.data, scope.len));
}

Datum
steward_scope_send(PG_FUNCTION_ARGS)
{
	Scope *scope = PG_GETARG_SCOPE_P(0);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbyte(&buf, STEWARD_SCOPE_WIRE_VERSION);
	pq_sendbytes(&buf, SCOPE_TEXT(scope));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/* Cast text → scope; the way back needs no function. */
Datum
steward_scope_from_text(PG_FUNCTION_ARGS)
{
	text *from = PG_GETARG_TEXT_PP(0);

	PG_RETURN_POINTER(read_scope(NULL, VARDATA_ANY(from), VARSIZE_ANY_EXHDR(from)));
}

/*
 * scope_widen(permission text) → scope
 *		The smallest scope that covers a permission as another system writes it: s3:Get* → s3:*.
 *
 * Raises ST401 for an empty one, and nothing else: every other permission is covered by some scope.
 */
Datum
steward_scope_widen_text(PG_FUNCTION_ARGS)
{
	text *permission = PG_GETARG_TEXT_PP(0);
	char scope[STEWARD_SCOPE_MAX_BYTES];
	size_t len = steward_scope_widen(VARDATA_ANY(permission), VARSIZE_ANY_EXHDR(permission), scope);

	if (len == 0)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_SCOPE_MALFORMED), errmsg("permission is empty")));
	PG_RETURN_POINTER(steward_scope_make(scope, len));
}

/* segments(scope) → text[]: what lies between the separators, from the left; empty ones too. */
Datum
steward_scope_segments(PG_FUNCTION_ARGS)
{
	Scope *scope = PG_GETARG_SCOPE_P(0);
	const char *text = VARDATA_ANY(scope);
	int len = VARSIZE_ANY_EXHDR(scope);
	Datum segments[STEWARD_SCOPE_MAX_BYTES + 1];
	int count = 0;
	int start = 0;

	for (int i = 0; i <= len; i++)
	{
		if (i < len && !steward_is_separator(text[i]))
			continue;
		segments[count++] = PointerGetDatum(cstring_to_text_with_len(text + start, i - start));
		start = i + 1;
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(segments, count, TEXTOID, -1, false, TYPALIGN_INT));
}

/* Input of scope_set: scopes with spaces between them.  ST401 to ST404 with the byte, softly where there are soft errors. */
Datum
steward_scope_set_in(PG_FUNCTION_ARGS)
{
	char *text = PG_GETARG_CSTRING(0);

	PG_RETURN_POINTER(read_set(STEWARD_ESCONTEXT(fcinfo), text, strlen(text)));
}

Datum
steward_scope_set_out(PG_FUNCTION_ARGS)
{
	size_t len;

	PG_RETURN_CSTRING(print_set(PG_GETARG_SCOPE_SET_P(0), &len));
}

/* Binary input of scope_set; parse.c has its form. */
Datum
steward_scope_set_recv(PG_FUNCTION_ARGS)
{
	StringInfo buf = (StringInfo) PG_GETARG_POINTER(0);
	int len = buf->len - buf->cursor;
	const char *data = pq_getmsgbytes(buf, len);
	StewardScopeText *scopes = palloc(steward_scope_set_wire_room(data, len) * sizeof(StewardScopeText));
	StewardScopeFault fault;
	size_t count;

	if (!steward_scope_set_wire_parse(data, len, scopes, &count, &fault))
		report(NULL, &fault, data, len, 0);
	PG_RETURN_POINTER(make_set(NULL, scopes, count));
}

Datum
steward_scope_set_send(PG_FUNCTION_ARGS)
{
	const uint8_t *set = SCOPE_SET_BYTES(PG_GETARG_SCOPE_SET_P(0));
	StringInfoData buf;
	StewardSetWalk walk;

	pq_begintypsend(&buf);
	pq_sendbyte(&buf, STEWARD_SCOPE_WIRE_VERSION);
	pq_sendbyte(&buf, 0);
	pq_sendint16(&buf, steward_set_count(set));
	steward_set_walk(&walk, set);
	while (steward_set_next(&walk))
	{
		pq_sendbyte(&buf, walk.len);
		pq_sendbytes(&buf, walk.text, walk.len);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/* Cast text → scope_set. */
Datum
steward_scope_set_from_text(PG_FUNCTION_ARGS)
{
	text *from = PG_GETARG_TEXT_PP(0);

	PG_RETURN_POINTER(read_set(NULL, VARDATA_ANY(from), VARSIZE_ANY_EXHDR(from)));
}

/* Cast scope_set → text. */
Datum
steward_scope_set_to_text(PG_FUNCTION_ARGS)
{
	size_t len;
	char *text = print_set(PG_GETARG_SCOPE_SET_P(0), &len);

	PG_RETURN_TEXT_P(cstring_to_text_with_len(text, (int) len));
}

/* Cast text[] → scope_set: each element is one scope.  Raises for NULL elements, and names the element otherwise. */
Datum
steward_scope_set_from_array(PG_FUNCTION_ARGS)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(0);
	StewardScopeText *scopes;
	Datum *elements;
	bool *nulls;
	int count;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
	if (count > STEWARD_SCOPE_LIST_MAX)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_SCOPE_SET_TOO_LARGE),
						errmsg("list has more than %d scopes", STEWARD_SCOPE_LIST_MAX)));
	scopes = palloc(count * sizeof(StewardScopeText));
	for (int i = 0; i < count; i++)
	{
		text *element;
		StewardScopeFault fault;

		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("scope must not be null"),
							errdetail("Element %d is null.", i + 1)));
		element = DatumGetTextPP(elements[i]);
		if (!steward_scope_parse(VARDATA_ANY(element), VARSIZE_ANY_EXHDR(element), &scopes[i], &fault))
			report(NULL, &fault, VARDATA_ANY(element), VARSIZE_ANY_EXHDR(element), i + 1);
	}
	PG_RETURN_POINTER(make_set(NULL, scopes, count));
}

/* Cast scope_set → text[]. */
Datum
steward_scope_set_to_array(PG_FUNCTION_ARGS)
{
	const uint8_t *set = SCOPE_SET_BYTES(PG_GETARG_SCOPE_SET_P(0));
	Datum *elements = palloc(Max(steward_set_count(set), 1) * sizeof(Datum));
	int count = 0;
	StewardSetWalk walk;

	steward_set_walk(&walk, set);
	while (steward_set_next(&walk))
		elements[count++] = PointerGetDatum(cstring_to_text_with_len(walk.text, walk.len));
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, count, TEXTOID, -1, false, TYPALIGN_INT));
}

/* Cast scope → scope_set: the set with this one member. */
Datum
steward_scope_set_from_scope(PG_FUNCTION_ARGS)
{
	Scope *scope = PG_GETARG_SCOPE_P(0);
	StewardScopeText member = steward_scope_describe(SCOPE_TEXT(scope));

	PG_RETURN_POINTER(pack(&member, 1));
}
