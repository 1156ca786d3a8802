/*
 * delta.c
 *		What changed in a row, as JSON that no session setting can alter.
 *
 * Timestamps are written as ISO 8601 in UTC, intervals as ISO 8601, numbers and booleans as such, everything else by
 * its type's output function.  A value of type steward.digest, or a sealed key, is never written,
 * only that it was there.  Values stored
 * out of line are fetched only where they may have changed.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/datum.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

#include "audit/delta.h"
#include "core/plan.h"
#include "steward.h"

/* What stands for a value that must not be written. */
#define WITHHELD "\"(withheld)\""

/* Appends a timestamp or date in ISO 8601, UTC. */
static void
append_time(StringInfo buf, Datum value, Oid type)
{
	char text[MAXDATELEN + 1];
	int utc = 0;

	JsonEncodeDateTime(text, value, type, type == TIMESTAMPTZOID ? &utc : NULL);
	appendStringInfo(buf, "\"%s\"", text);
}

/* Appends a number as it is; what JSON cannot say (NaN, infinity) as a string. */
static void
append_number(StringInfo buf, const char *text)
{
	if (strspn(text, "0123456789+-.eE") == strlen(text))
		appendStringInfoString(buf, text);
	else
		escape_json(buf, text);
}

/* Appends a value as JSON. */
static void
append_value(StringInfo buf, Oid type, Datum value)
{
	Oid output;
	bool is_varlena;
	int saved_style;

	switch (type)
	{
		case BOOLOID:
			appendStringInfoString(buf, DatumGetBool(value) ? "true" : "false");
			return;
		case TIMESTAMPTZOID:
		case TIMESTAMPOID:
		case DATEOID:
			append_time(buf, value, type);
			return;
		case JSONBOID:
		{
			Jsonb *jsonb = DatumGetJsonbP(value);

			(void) JsonbToCString(buf, &jsonb->root, VARSIZE(jsonb));
			return;
		}
		default:
			break;
	}

	if (type == steward_own_type("digest"))
	{
		appendStringInfoString(buf, WITHHELD);
		return;
	}
	getTypeOutputInfo(type, &output, &is_varlena);
	saved_style = IntervalStyle;
	IntervalStyle = INTSTYLE_ISO_8601;
	{
		char *text = OidOutputFunctionCall(output, value);

		IntervalStyle = saved_style;
		if (type == INT2OID || type == INT4OID || type == INT8OID || type == NUMERICOID)
			append_number(buf, text);
		else
			escape_json(buf, text);
		pfree(text);
	}
}

/* Appends "name": value to an object under construction. */
static void
append_member(StringInfo buf, Form_pg_attribute att, Datum value, bool isnull)
{
	appendStringInfoChar(buf, buf->len == 0 ? '{' : ',');
	escape_json(buf, NameStr(att->attname));
	appendStringInfoChar(buf, ':');
	if (isnull)
		appendStringInfoString(buf, "null");
	else if (att->atttypid == BYTEAOID && strcmp(NameStr(att->attname), "sealed") == 0)
		appendStringInfoString(buf, WITHHELD);
	else
		append_value(buf, att->atttypid, value);
}

/* Closes the object and makes it jsonb. */
static Datum
finish(StringInfo buf)
{
	if (buf->len == 0)
		appendStringInfoChar(buf, '{');
	appendStringInfoChar(buf, '}');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(buf->data));
}

/*
 * steward_row_delta
 *		The columns in which two versions of a row differ, before and after, as jsonb; false when there are none.
 *
 * One version may be NULL: then every column of the other that is not null counts, and the missing side's jsonb is 0.
 */
bool
steward_row_delta(Relation rel, HeapTuple old_row, HeapTuple new_row, Datum *old_json, Datum *new_json)
{
	TupleDesc desc = RelationGetDescr(rel);
	StringInfoData before;
	StringInfoData after;
	bool differ = false;

	initStringInfo(&before);
	initStringInfo(&after);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		bool old_null = true;
		bool new_null = true;
		Datum old_value = 0;
		Datum new_value = 0;

		if (att->attisdropped)
			continue;
		if (old_row)
			old_value = heap_getattr(old_row, att->attnum, desc, &old_null);
		if (new_row)
			new_value = heap_getattr(new_row, att->attnum, desc, &new_null);
		if (old_null && new_null)
			continue;
		if (!old_null && !new_null &&
			(datumIsEqual(old_value, new_value, att->attbyval, att->attlen) ||
			 datum_image_eq(old_value, new_value, att->attbyval, att->attlen)))
			continue;
		differ = true;
		if (old_row)
			append_member(&before, att, old_value, old_null);
		if (new_row)
			append_member(&after, att, new_value, new_null);
	}
	if (!differ)
		return false;
	*old_json = old_row ? finish(&before) : (Datum) 0;
	*new_json = new_row ? finish(&after) : (Datum) 0;
	return true;
}

/*
 * steward_row_key
 *		The row's primary key without the organization, as jsonb; null for a table without one.
 */
Datum
steward_row_key(Relation rel, HeapTuple row)
{
	TupleDesc desc = RelationGetDescr(rel);
	Bitmapset *key = RelationGetIndexAttrBitmap(rel, INDEX_ATTR_BITMAP_PRIMARY_KEY);
	StringInfoData buf;
	int member = -1;

	initStringInfo(&buf);
	while ((member = bms_next_member(key, member)) >= 0)
	{
		Form_pg_attribute att = TupleDescAttr(desc, member + FirstLowInvalidHeapAttributeNumber - 1);
		bool isnull;
		Datum value = heap_getattr(row, att->attnum, desc, &isnull);

		if (strcmp(NameStr(att->attname), "org_id") != 0)
			append_member(&buf, att, value, isnull);
	}
	bms_free(key);
	return finish(&buf);
}
