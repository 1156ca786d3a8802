/*
 * guard.c
 *		Before a directory row is written: what it is never changes, no source reports the future, and what comes late
 *		does not undo what is newer.
 *
 * A change older than the row's event_time is recorded and ignored.  One thing counts though it comes late: a
 * deactivation, unless a newer activation is known; for a person who may have left nothing else is safe.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "audit/delta.h"
#include "core/authority.h"
#include "core/plan.h"
#include "directory/guard.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_tg_directory_guard);

/* Whether two versions of a row differ in any column. */
static bool
differs(TupleDesc desc, HeapTuple before, HeapTuple after)
{
	for (int i = 1; i <= desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i - 1);
		bool was_null;
		bool is_null;
		Datum old_value = heap_getattr(before, i, desc, &was_null);
		Datum new_value = heap_getattr(after, i, desc, &is_null);

		if (was_null != is_null || (!is_null && !datum_image_eq(old_value, new_value, att->attbyval, att->attlen)))
			return true;
	}
	return false;
}

/*
 * steward_check_event_time
 *		Raises when a source reports the future, beyond what clocks differ.
 */
void
steward_check_event_time(TimestampTz event_time)
{
	if (event_time > GetCurrentTimestamp() + STEWARD_MAX_CLOCK_LEAD)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_VALUE_INVALID), errmsg("event_time lies in the future")));
}

/* A column's value by name, and whether the table has it. */
static bool
get(TupleDesc desc, HeapTuple row, const char *name, Datum *value, bool *isnull)
{
	int attnum = SPI_fnumber(desc, name);

	if (attnum <= 0)
		return false;
	*value = heap_getattr(row, attnum, desc, isnull);
	return true;
}

/* A row with one column set to a value, or to null. */
static HeapTuple
set(TupleDesc desc, HeapTuple row, const char *name, Datum value, bool isnull)
{
	int attnum = SPI_fnumber(desc, name);

	return heap_modify_tuple_by_cols(row, desc, 1, &attnum, &value, &isnull);
}

/* Puts a change that came too late on record. */
static void
record_stale(Relation rel, HeapTuple old_row, HeapTuple new_row)
{
	static StewardPlan insert = STEWARD_PLAN(
		"uuttjz",
		"INSERT INTO steward.directory_event (org_id, directory_id, event, subject, outcome, detail, event_time) "
		"VALUES ($1, $2, $3 || '.update', $4, 'stale', $5, $6)");
	TupleDesc desc = RelationGetDescr(rel);

	STEWARD_AS_OWNER();
	{
		Datum values[6];
		Datum old_json;
		bool isnull;

		if (steward_row_delta(rel, old_row, new_row, &old_json, &values[4]))
		{
			get(desc, old_row, "org_id", &values[0], &isnull);
			get(desc, old_row, "directory_id", &values[1], &isnull);
			values[2] = CStringGetTextDatum(RelationGetRelationName(rel));
			get(desc, old_row, "external_id", &values[3], &isnull);
			get(desc, new_row, "event_time", &values[5], &isnull);
			steward_run(&insert, STEWARD_LATEST, values, NULL);
		}
	}
	STEWARD_AS_OWNER_END();
}

/*
 * What becomes of an update whose event_time is older than that of the row: NULL where it is ignored, else the old row
 * with the deactivation.
 */
static HeapTuple
late_change(Relation rel, HeapTuple old_row, HeapTuple new_row, TimestampTz event_time)
{
	TupleDesc desc = RelationGetDescr(rel);
	Datum was_active;
	Datum is_active;
	Datum activated;
	bool isnull;

	record_stale(rel, old_row, new_row);
	if (!get(desc, old_row, "active", &was_active, &isnull) || !get(desc, new_row, "active", &is_active, &isnull) ||
		!DatumGetBool(was_active) || DatumGetBool(is_active))
		return NULL;
	if (get(desc, old_row, "activation_time", &activated, &isnull) && !isnull &&
		DatumGetTimestampTz(activated) > event_time)
		return NULL;
	return set(desc, old_row, "active", BoolGetDatum(false), false);
}

/* What never changes: organization, id and directory of a row. */
static void
check_fixed(Relation rel, HeapTuple old_row, HeapTuple new_row)
{
	static const char *const fixed[] = {"org_id", "id", "directory_id"};

	for (int i = 0; i < (int) lengthof(fixed); i++)
	{
		bool was_null;
		bool isnull;
		Datum before;
		Datum after = (Datum) 0;

		if (!get(RelationGetDescr(rel), old_row, fixed[i], &before, &was_null))
			continue;
		get(RelationGetDescr(rel), new_row, fixed[i], &after, &isnull);
		if (was_null || isnull || !datumIsEqual(before, after, false, UUID_LEN))
			ereport(ERROR,
					(errcode(ERRCODE_STEWARD_IMMUTABLE),
					 errmsg("column \"%s\" of table \"%s\" cannot be changed", fixed[i], RelationGetRelationName(rel)),
					 errhint("Delete the row and insert another one.")));
	}
}

/* Keeps the times from which grace periods run; whatever the writer says about them. */
static HeapTuple
keep_times(TupleDesc desc, HeapTuple old_row, HeapTuple row)
{
	Datum now = TimestampTzGetDatum(GetCurrentTimestamp());
	Datum value;
	Datum before = 0;
	bool isnull;
	bool was_null = true;

	if (get(desc, row, "active", &value, &isnull))
	{
		bool active = !isnull && DatumGetBool(value);
		bool was_active = false;

		if (old_row && get(desc, old_row, "active", &before, &was_null))
			was_active = DatumGetBool(before);
		if (active && !was_active)
		{
			get(desc, row, "event_time", &value, &isnull);
			row = set(desc, row, "activation_time", value, isnull);
		}
		else
		{
			isnull = old_row == NULL || !get(desc, old_row, "activation_time", &value, &isnull) || isnull;
			row = set(desc, row, "activation_time", value, isnull);
		}
		if (active)
			row = set(desc, row, "inactive_since", (Datum) 0, true);
		else if (old_row && !was_active)
		{
			get(desc, old_row, "inactive_since", &value, &isnull);
			row = set(desc, row, "inactive_since", value, isnull);
		}
		else
			row = set(desc, row, "inactive_since", now, false);
	}
	if (get(desc, row, "unlinked_at", &before, &was_null) && get(desc, row, "state", &value, &isnull))
	{
		bool unlinked = !isnull && strcmp(TextDatumGetCString(value), "unlinked") == 0;
		bool was_unlinked = false;

		if (old_row && get(desc, old_row, "state", &value, &isnull))
			was_unlinked = strcmp(TextDatumGetCString(value), "unlinked") == 0;
		if (!unlinked)
			row = set(desc, row, "unlinked_at", (Datum) 0, true);
		else if (!was_unlinked)
			row = set(desc, row, "unlinked_at", now, false);
		else
		{
			get(desc, old_row, "unlinked_at", &value, &isnull);
			row = set(desc, row, "unlinked_at", value, isnull);
		}
	}
	return row;
}

/*
 * tg_directory_guard() → trigger
 *		BEFORE INSERT OR UPDATE, each row of directory, directory_user and directory_group.
 *
 * Raises ST214 for a change of what a row is, ST213 for an event_time in the future.
 */
Datum
steward_tg_directory_guard(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	Relation rel;
	TupleDesc desc;
	HeapTuple old_row;
	HeapTuple row;
	Datum value;
	Datum before;
	bool isnull;
	bool was_null;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("tg_directory_guard() must be fired before a row changes")));
	rel = trigger->tg_relation;
	desc = RelationGetDescr(rel);
	old_row = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_trigtuple : NULL;
	row = old_row ? trigger->tg_newtuple : trigger->tg_trigtuple;

	if (old_row)
		check_fixed(rel, old_row, row);
	if (get(desc, row, "event_time", &value, &isnull) && !isnull)
	{
		steward_check_event_time(DatumGetTimestampTz(value));
		if (old_row && get(desc, old_row, "event_time", &before, &was_null) && !was_null &&
			DatumGetTimestampTz(value) < DatumGetTimestampTz(before))
		{
			row = late_change(rel, old_row, row, DatumGetTimestampTz(value));
			if (row == NULL)
				return PointerGetDatum(NULL);
		}
	}
	row = keep_times(desc, old_row, row);
	if (old_row && SPI_fnumber(desc, "updated_at") > 0 && differs(desc, old_row, row))
		row = set(desc, row, "updated_at", TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()), false);
	return PointerGetDatum(row);
}
