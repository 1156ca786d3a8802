/*
 * delta.h
 *		What changed in a row, as jsonb that no session setting can alter.
 */
#ifndef STEWARD_DELTA_H
#define STEWARD_DELTA_H

#include "access/htup.h"
#include "fmgr.h"
#include "utils/jsonb.h"
#include "utils/rel.h"

/* How a column's values become JSON. */
typedef enum StewardColumnForm
{
	STEWARD_FORM_OTHER, /* by the type's output function, with the settings that matter pinned */
	STEWARD_FORM_BOOL,
	STEWARD_FORM_INT2,
	STEWARD_FORM_INT4,
	STEWARD_FORM_INT8,
	STEWARD_FORM_FLOAT4,
	STEWARD_FORM_FLOAT8,
	STEWARD_FORM_NUMERIC,
	STEWARD_FORM_TEXT,
	STEWARD_FORM_NAME,
	STEWARD_FORM_UUID,
	STEWARD_FORM_TIME, /* timestamps and dates */
	STEWARD_FORM_JSONB,
	STEWARD_FORM_WITHHELD, /* digests and sealed keys: only that it is there */
	STEWARD_FORM_MASKED	   /* as asked for: only that it changed */
} StewardColumnForm;

typedef struct StewardColumnShape
{
	AttrNumber attnum; /* 0: not recorded */
	StewardColumnForm form;
	bool key;
	bool byval;
	int16 len;
	Oid type;
	FmgrInfo output;
	JsonbValue name;
} StewardColumnShape;

/* What it takes to describe rows of a relation; made once for a statement. */
typedef struct StewardRowShape
{
	int natts;
	int nkeys;
	MemoryContext context;
	StewardColumnShape columns[FLEXIBLE_ARRAY_MEMBER];
} StewardRowShape;

/* One version of a row: what a slot holds. */
typedef struct StewardRowVersion
{
	const Datum *values;
	const bool *nulls;
} StewardRowVersion;

extern StewardRowShape *steward_row_shape(Relation rel, MemoryContext context);
extern bool steward_shape_hide(StewardRowShape *shape, const char *column, bool mask);
extern bool steward_shape_delta(StewardRowShape *shape, const StewardRowVersion *before, const StewardRowVersion *after,
								Datum *old_json, Datum *new_json);
extern Datum steward_shape_key(StewardRowShape *shape, const StewardRowVersion *row);
extern bool steward_key_changed(StewardRowShape *shape, const StewardRowVersion *before,
								const StewardRowVersion *after);

extern bool steward_row_delta(Relation rel, HeapTuple old_row, HeapTuple new_row, Datum *old_json, Datum *new_json);

#endif /* STEWARD_DELTA_H */
