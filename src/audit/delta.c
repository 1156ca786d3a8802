/*
 * delta.c
 *		What changed in a row, as jsonb that no session setting can alter.
 *
 * Timestamps are written as ISO 8601 in UTC, intervals as ISO 8601, numbers and booleans as such, floating-point numbers
 * as the shortest text that reads back the same, everything else by its type's output function.  A digest or a sealed
 * key is never written, only that it was there.  Values stored out of line are fetched only where they may have changed.
 *
 * The jsonb is built directly: going through text costs more than everything else here.
 */
#include "postgres.h"

#include <openssl/evp.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/bytea.h"
#include "utils/datetime.h"
#include "utils/datum.h"
#include "utils/float.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/uuid.h"

#include "audit/delta.h"
#include "core/plan.h"
#include "steward.h"

/* What stands for a value that must not, or is asked not to, be written. */
#define WITHHELD "(withheld)"
#define MASKED "(masked)"

/* The longest value that is written as it is; of a longer one its length and digest are. */
#define MAX_VALUE (16 * 1024 * 1024)

/* Columns of this name hold sealed keys, whatever their type. */
#define SEALED_COLUMN "sealed_key"

/* How values of a type become JSON. */
static StewardColumnForm
form_of(Oid type)
{
	switch (type)
	{
		case BOOLOID:
			return STEWARD_FORM_BOOL;
		case INT2OID:
			return STEWARD_FORM_INT2;
		case INT4OID:
			return STEWARD_FORM_INT4;
		case INT8OID:
			return STEWARD_FORM_INT8;
		case FLOAT4OID:
			return STEWARD_FORM_FLOAT4;
		case FLOAT8OID:
			return STEWARD_FORM_FLOAT8;
		case NUMERICOID:
			return STEWARD_FORM_NUMERIC;
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			return STEWARD_FORM_TEXT;
		case NAMEOID:
			return STEWARD_FORM_NAME;
		case UUIDOID:
			return STEWARD_FORM_UUID;
		case TIMESTAMPTZOID:
		case TIMESTAMPOID:
		case DATEOID:
			return STEWARD_FORM_TIME;
		case JSONBOID:
			return STEWARD_FORM_JSONB;
		default:
			return STEWARD_FORM_OTHER;
	}
}

/*
 * steward_row_shape
 *		What it takes to describe rows of a relation, in the given memory context.
 */
StewardRowShape *
steward_row_shape(Relation rel, MemoryContext context)
{
	TupleDesc desc = RelationGetDescr(rel);
	MemoryContext old_context = MemoryContextSwitchTo(context);
	StewardRowShape *shape =
		palloc0(offsetof(StewardRowShape, columns) + sizeof(StewardColumnShape) * (Size) desc->natts);
	Bitmapset *key = RelationGetIndexAttrBitmap(rel, INDEX_ATTR_BITMAP_PRIMARY_KEY);
	Oid digest = steward_own_type("digest");

	shape->natts = desc->natts;
	shape->context = context;
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		StewardColumnShape *column = &shape->columns[i];
		Oid type = getBaseType(att->atttypid);

		if (att->attisdropped)
			continue;
		column->attnum = att->attnum;
		column->type = type;
		column->byval = att->attbyval;
		column->len = att->attlen;
		column->name.type = jbvString;
		column->name.val.string.val = pstrdup(NameStr(att->attname));
		column->name.val.string.len = (int) strlen(NameStr(att->attname));
		column->key = bms_is_member(att->attnum - FirstLowInvalidHeapAttributeNumber, key) &&
					  strcmp(NameStr(att->attname), "org_id") != 0;
		shape->nkeys += column->key;
		column->form = form_of(type);
		if (type == digest || strcmp(NameStr(att->attname), SEALED_COLUMN) == 0)
			column->form = STEWARD_FORM_WITHHELD;
		if (column->form == STEWARD_FORM_OTHER)
		{
			Oid output;
			bool is_varlena;

			getTypeOutputInfo(type, &output, &is_varlena);
			fmgr_info_cxt(output, &column->output, context);
		}
	}
	bms_free(key);
	MemoryContextSwitchTo(old_context);
	return shape;
}

/*
 * steward_shape_hide
 *		Leaves a column out, or masks it; false when there is none of that name.
 */
bool
steward_shape_hide(StewardRowShape *shape, const char *column, bool mask)
{
	for (int i = 0; i < shape->natts; i++)
	{
		StewardColumnShape *c = &shape->columns[i];

		if (c->attnum == 0 || strlen(column) != (size_t) c->name.val.string.len ||
			memcmp(column, c->name.val.string.val, c->name.val.string.len) != 0)
			continue;
		if (mask)
			c->form = STEWARD_FORM_MASKED;
		else
			c->attnum = 0;
		return true;
	}
	return false;
}

/* A string that lives as long as the value does. */
static void
set_string(JsonbValue *json, const char *text, int len)
{
	json->type = jbvString;
	json->val.string.val = (char *) text;
	json->val.string.len = len;
}

/* A uuid in its usual form. */
static void
set_uuid(JsonbValue *json, const pg_uuid_t *uuid)
{
	static const char digits[] = "0123456789abcdef";
	char *text = palloc(36);
	char *at = text;

	for (int i = 0; i < UUID_LEN; i++)
	{
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*at++ = '-';
		*at++ = digits[uuid->data[i] >> 4];
		*at++ = digits[uuid->data[i] & 15];
	}
	set_string(json, text, 36);
}

/* A number; what JSON cannot say (NaN, infinity) as a string. */
static void
set_numeric(JsonbValue *json, Numeric number)
{
	if (numeric_is_nan(number) || numeric_is_inf(number))
	{
		char *text = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(number)));

		set_string(json, text, (int) strlen(text));
		return;
	}
	json->type = jbvNumeric;
	json->val.numeric = number;
}

/* A floating-point number as the shortest text that reads back the same. */
static void
set_float(JsonbValue *json, double value, bool single)
{
	char *text = palloc(Max(DOUBLE_SHORTEST_DECIMAL_LEN, FLOAT_SHORTEST_DECIMAL_LEN));

	if (single)
		float_to_shortest_decimal_buf((float) value, text);
	else
		double_to_shortest_decimal_buf(value, text);
	set_string(json, text, (int) strlen(text));
}

/* A timestamp or date in ISO 8601, UTC. */
static void
set_time(JsonbValue *json, Datum value, Oid type)
{
	char *text = palloc(MAXDATELEN + 1);
	int utc = 0;

	JsonEncodeDateTime(text, value, type, type == TIMESTAMPTZOID ? &utc : NULL);
	set_string(json, text, (int) strlen(text));
}

/*
 * By the type's output function.  Arrays, ranges and rows may contain values whose text follows a setting: those are
 * pinned for the call, as pg_dump does for its session.
 */
static void
set_other(JsonbValue *json, StewardColumnShape *column, Datum value)
{
	int date_style = DateStyle;
	int interval_style = IntervalStyle;
	int float_digits = extra_float_digits;
	int bytea_format = bytea_output;
	pg_tz *zone = session_timezone;
	char *text = NULL;

	PG_TRY();
	{
		DateStyle = USE_ISO_DATES;
		IntervalStyle = INTSTYLE_ISO_8601;
		extra_float_digits = 1;
		bytea_output = BYTEA_OUTPUT_HEX;
		session_timezone = pg_tzset("GMT");
		text = OutputFunctionCall(&column->output, value);
	}
	PG_FINALLY();
	{
		DateStyle = date_style;
		IntervalStyle = interval_style;
		extra_float_digits = float_digits;
		bytea_output = bytea_format;
		session_timezone = zone;
	}
	PG_END_TRY();
	set_string(json, text, (int) strlen(text));
}

/* A jsonb value becomes a part of the whole. */
static void
set_jsonb(JsonbValue *json, Datum value)
{
	Jsonb *jsonb = DatumGetJsonbP(value);

	if (JB_ROOT_IS_SCALAR(jsonb))
		(void) JsonbExtractScalar(&jsonb->root, json);
	else
	{
		json->type = jbvBinary;
		json->val.binary.data = &jsonb->root;
		json->val.binary.len = (int) (VARSIZE(jsonb) - VARHDRSZ);
	}
}

/* A column's value as JSON. */
static void
set_value(JsonbValue *json, StewardColumnShape *column, Datum value, bool isnull)
{
	if (isnull)
	{
		json->type = jbvNull;
		return;
	}
	switch (column->form)
	{
		case STEWARD_FORM_BOOL:
			json->type = jbvBool;
			json->val.boolean = DatumGetBool(value);
			break;
		case STEWARD_FORM_INT2:
			set_numeric(json, int64_to_numeric(DatumGetInt16(value)));
			break;
		case STEWARD_FORM_INT4:
			set_numeric(json, int64_to_numeric(DatumGetInt32(value)));
			break;
		case STEWARD_FORM_INT8:
			set_numeric(json, int64_to_numeric(DatumGetInt64(value)));
			break;
		case STEWARD_FORM_FLOAT4:
			set_float(json, DatumGetFloat4(value), true);
			break;
		case STEWARD_FORM_FLOAT8:
			set_float(json, DatumGetFloat8(value), false);
			break;
		case STEWARD_FORM_NUMERIC:
			set_numeric(json, DatumGetNumeric(value));
			break;
		case STEWARD_FORM_TEXT:
		{
			text *t = DatumGetTextPP(value);

			set_string(json, VARDATA_ANY(t), (int) VARSIZE_ANY_EXHDR(t));
			break;
		}
		case STEWARD_FORM_NAME:
			set_string(json, NameStr(*DatumGetName(value)), (int) strlen(NameStr(*DatumGetName(value))));
			break;
		case STEWARD_FORM_UUID:
			set_uuid(json, DatumGetUUIDP(value));
			break;
		case STEWARD_FORM_TIME:
			set_time(json, value, column->type);
			break;
		case STEWARD_FORM_JSONB:
			set_jsonb(json, value);
			break;
		case STEWARD_FORM_WITHHELD:
			set_string(json, WITHHELD, (int) strlen(WITHHELD));
			break;
		case STEWARD_FORM_MASKED:
			set_string(json, MASKED, (int) strlen(MASKED));
			break;
		case STEWARD_FORM_OTHER:
			set_other(json, column, value);
			break;
	}
}

/* A value too long to be written becomes a text that tells it from every other one. */
static void
bound_value(JsonbValue *json)
{
	const char *data = json->type == jbvString ? json->val.string.val : (const char *) json->val.binary.data;
	int len = json->type == jbvString ? json->val.string.len : json->val.binary.len;
	unsigned char digest[EVP_MAX_MD_SIZE];
	char hex[2 * 32 + 1];
	char *text;

	if (EVP_Digest(data, (size_t) len, digest, NULL, EVP_sha256(), NULL) != 1)
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not compute SHA-256")));
	hex[hex_encode((char *) digest, 32, hex)] = '\0';
	text = psprintf("(%d bytes, SHA-256 %s)", len, hex);
	set_string(json, text, (int) strlen(text));
}

/* Adds a member to an object under construction. */
static void
push_member(JsonbParseState **state, StewardColumnShape *column, Datum value, bool isnull)
{
	JsonbValue json;

	set_value(&json, column, value, isnull);
	if ((json.type == jbvString && json.val.string.len > MAX_VALUE) ||
		(json.type == jbvBinary && json.val.binary.len > MAX_VALUE))
		bound_value(&json);
	(void) pushJsonbValue(state, WJB_KEY, &column->name);
	(void) pushJsonbValue(state, WJB_VALUE, &json);
}

/* Closes the object and makes it jsonb. */
static Datum
finish(JsonbParseState **state)
{
	return JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(state, WJB_END_OBJECT, NULL)));
}

/* Whether a column differs between two versions; what is stored out of line is fetched only if it may. */
static bool
column_changed(StewardColumnShape *column, Datum a, bool a_null, Datum b, bool b_null)
{
	if (a_null || b_null)
		return a_null != b_null;
	if (column->byval)
		return a != b;
	return !datumIsEqual(a, b, false, column->len) && !datum_image_eq(a, b, false, column->len);
}

/*
 * steward_shape_delta
 *		The columns in which two versions of a row differ, before and after, as jsonb; false when there are none.
 *
 * One version may be NULL: then every column of the other that is not null counts, and the missing side's jsonb is 0.
 */
bool
steward_shape_delta(StewardRowShape *shape, const StewardRowVersion *before, const StewardRowVersion *after,
					Datum *old_json, Datum *new_json)
{
	JsonbParseState *old_state = NULL;
	JsonbParseState *new_state = NULL;
	bool differ = false;

	*old_json = 0;
	*new_json = 0;
	for (int i = 0; i < shape->natts; i++)
	{
		StewardColumnShape *column = &shape->columns[i];
		Datum old_value = before ? before->values[i] : (Datum) 0;
		Datum new_value = after ? after->values[i] : (Datum) 0;
		bool old_null = before ? before->nulls[i] : true;
		bool new_null = after ? after->nulls[i] : true;

		if (column->attnum == 0 || !column_changed(column, old_value, old_null, new_value, new_null))
			continue;
		if (!differ)
		{
			if (before)
				(void) pushJsonbValue(&old_state, WJB_BEGIN_OBJECT, NULL);
			if (after)
				(void) pushJsonbValue(&new_state, WJB_BEGIN_OBJECT, NULL);
			differ = true;
		}
		if (before)
			push_member(&old_state, column, old_value, old_null);
		if (after)
			push_member(&new_state, column, new_value, new_null);
	}
	if (!differ)
		return false;
	if (before)
		*old_json = finish(&old_state);
	if (after)
		*new_json = finish(&new_state);
	return true;
}

/*
 * steward_shape_key
 *		The row's primary key without the organization, as jsonb; an empty object for a table without one.
 */
Datum
steward_shape_key(StewardRowShape *shape, const StewardRowVersion *row)
{
	JsonbParseState *state = NULL;

	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < shape->natts; i++)
		if (shape->columns[i].key)
			push_member(&state, &shape->columns[i], row->values[i], row->nulls[i]);
	return finish(&state);
}

/*
 * steward_key_changed
 *		Whether two versions of a row have different primary keys.
 */
bool
steward_key_changed(StewardRowShape *shape, const StewardRowVersion *before, const StewardRowVersion *after)
{
	for (int i = 0; i < shape->natts; i++)
		if (shape->columns[i].key &&
			column_changed(&shape->columns[i], before->values[i], before->nulls[i], after->values[i], after->nulls[i]))
			return true;
	return false;
}

/*
 * steward_row_delta
 *		The same for tuples, where there are only a few: what it takes to describe them is made for the call.
 */
bool
steward_row_delta(Relation rel, HeapTuple old_row, HeapTuple new_row, Datum *old_json, Datum *new_json)
{
	TupleDesc desc = RelationGetDescr(rel);
	HeapTuple tuples[2] = {old_row, new_row};
	StewardRowVersion rows[2] = {{0}, {0}};

	for (int i = 0; i < 2; i++)
		if (tuples[i])
		{
			Datum *values = palloc(sizeof(Datum) * desc->natts);
			bool *nulls = palloc(sizeof(bool) * desc->natts);

			heap_deform_tuple(tuples[i], desc, values, nulls);
			rows[i] = (StewardRowVersion){.values = values, .nulls = nulls};
		}
	return steward_shape_delta(steward_row_shape(rel, CurrentMemoryContext), old_row ? &rows[0] : NULL,
							   new_row ? &rows[1] : NULL, old_json, new_json);
}
