/*
 * triggers.c
 *		The triggers on the directory tables: whichever path a change comes by, its effects are in the same commit.
 *
 * Statement triggers with transition tables collect the people concerned and hand them over, all at once.  A logical
 * replication worker never fires statement triggers; for it, and for a statement trigger that somebody disabled, a
 * deferred row trigger does the same at commit, one person at a time.  Applying the same state twice does nothing.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "audit/delta.h"
#include "core/authority.h"
#include "core/plan.h"
#include "directory/lifecycle.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_tg_directory_guard);
PG_FUNCTION_INFO_V1(steward_tg_directory_user);
PG_FUNCTION_INFO_V1(steward_tg_directory_user_settle);
PG_FUNCTION_INFO_V1(steward_tg_directory);
PG_FUNCTION_INFO_V1(steward_tg_directory_group);
PG_FUNCTION_INFO_V1(steward_tg_directory_member);

/* How far ahead of our clock a source's clock may be, in microseconds. */
#define MAX_CLOCK_LEAD (5 * USECS_PER_MINUTE)

/* The attributes whose change is a lifecycle event, of a row r. */
#define TRACKED(r) \
	"jsonb_build_object('user_name', " r ".user_name, 'email', " r ".email, 'display_name', " r \
	".display_name, 'title', " r ".title, 'department', " r ".department, 'cost_center', " r \
	".cost_center, 'user_type', " r ".user_type, 'manager_user_id', " r ".manager_user_id, 'active', " r \
	".active, 'start_date', " r ".start_date, 'end_date', " r ".end_date)"

/* The columns of StewardAffected, in its order, of a row r; before and after are jsonb expressions. */
#define AFFECTED(r, before, after) \
	"SELECT array_agg(" r ".org_id), array_agg(" r ".directory_id), array_agg(" r ".external_id), array_agg(" r \
	".id), array_agg(" r ".manager_user_id), array_agg(" before "), array_agg(" after "), array_agg(" r \
	".event_time), count(*) "

/* The transaction in which a statement trigger last did the work; the deferred row trigger then has none. */
static FullTransactionId handled_in;

/* Checks how a trigger function was called; level and time are the same for all of them but the guard. */
static TriggerData *
trigger_data(FunctionCallInfo fcinfo, bool for_statement)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		(TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event) != 0) != for_statement)
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("a lifecycle trigger of steward must be fired after a change")));
	return trigger;
}

/* How many rows the statement changed. */
static int64
changed_rows(const TriggerData *trigger)
{
	return tuplestore_tuple_count(trigger->tg_newtable ? trigger->tg_newtable : trigger->tg_oldtable);
}

/* Runs the query that collects the people and hands them over; inside the bracket. */
static void
apply_collected(StewardPlan *collect, const TriggerData *trigger)
{
	bool deleted = TRIGGER_FIRED_BY_DELETE(trigger->tg_event);
	StewardAffected affected = {.deleted = deleted};
	Datum *const columns[] = {&affected.orgs,	  &affected.directories, &affected.externals,  &affected.users,
							  &affected.managers, &affected.old_values,	 &affected.new_values, &affected.event_times};
	bool isnull;

	steward_run_rows(collect, STEWARD_LATEST, changed_rows(trigger));
	if (DatumGetInt64(steward_result(0, lengthof(columns) + 1, &isnull)) == 0)
		return;
	for (int i = 0; i < (int) lengthof(columns); i++)
		*columns[i] = steward_result(0, i + 1, &isnull);
	steward_apply_lifecycle(&affected);
}

/*
 * tg_directory_user() → trigger
 *		AFTER INSERT, UPDATE or DELETE on directory_user, each statement: joiner, mover, leaver, rehire.
 */
Datum
steward_tg_directory_user(PG_FUNCTION_ARGS)
{
	static StewardPlan inserted =
		STEWARD_PLAN("", AFFECTED("n", "'{}'::jsonb", "jsonb_strip_nulls(" TRACKED("n") ")") "FROM new_rows n");
	static StewardPlan updated = STEWARD_PLAN(
		"",
		AFFECTED("n", "d.before",
				 "d.after") "FROM new_rows n JOIN old_rows o ON o.org_id = n.org_id AND o.id = n.id "
							"CROSS JOIN LATERAL (SELECT jsonb_object_agg(b.key, b.value) AS before, "
							"jsonb_object_agg(b.key, a.value) AS after FROM jsonb_each(" TRACKED(
								"o") ") b "
									 "JOIN jsonb_each(" TRACKED("n") ") a ON a.key = b.key WHERE a.value <> b.value) d "
																	 "WHERE d.before IS NOT NULL");
	static StewardPlan deleted =
		STEWARD_PLAN("", AFFECTED("o", "jsonb_strip_nulls(" TRACKED("o") ")", "'{}'::jsonb") "FROM old_rows o");
	/* A source that renames its identifier still means the same person. */
	static StewardPlan renamed = STEWARD_PLAN(
		"", "UPDATE steward.principal_identity i SET external_id = n.external_id "
			"FROM new_rows n JOIN old_rows o ON o.org_id = n.org_id AND o.id = n.id "
			"WHERE n.external_id <> o.external_id AND i.org_id = o.org_id AND i.directory_id = o.directory_id "
			"AND i.external_id = o.external_id");
	TriggerData *trigger = trigger_data(fcinfo, true);

	STEWARD_AS_OWNER();
	{
		SPI_register_trigger_data(trigger);
		if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
			apply_collected(&inserted, trigger);
		else if (TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
			apply_collected(&deleted, trigger);
		else
		{
			steward_run_rows(&renamed, STEWARD_LATEST, changed_rows(trigger));
			apply_collected(&updated, trigger);
		}
	}
	STEWARD_AS_OWNER_END();
	handled_in = GetTopFullTransactionId();
	return PointerGetDatum(NULL);
}

/* An array of one value, or of one null. */
static Datum
array_of(Oid type, int16 len, char align, Datum value, bool isnull)
{
	int dims[1] = {1};
	int lower[1] = {1};

	return PointerGetDatum(construct_md_array(&value, &isnull, 1, dims, lower, type, len,
											  type == TIMESTAMPTZOID ? FLOAT8PASSBYVAL : false, align));
}

/* Value of a column of a row by name. */
static Datum
column(Relation rel, HeapTuple row, const char *name, bool *isnull)
{
	int attnum = SPI_fnumber(RelationGetDescr(rel), name);

	if (attnum <= 0)
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("table \"%s\" has no column \"%s\"", RelationGetRelationName(rel), name)));
	return heap_getattr(row, attnum, RelationGetDescr(rel), isnull);
}

/* One column as an array of one element. */
static Datum
column_array(Relation rel, HeapTuple row, const char *name, Oid type)
{
	bool isnull;
	Datum value = column(rel, row, name, &isnull);

	if (type == UUIDOID)
		return array_of(type, UUID_LEN, TYPALIGN_CHAR, value, isnull);
	if (type == TIMESTAMPTZOID)
		return array_of(type, sizeof(int64), TYPALIGN_DOUBLE, value, isnull);
	return array_of(type, -1, TYPALIGN_INT, value, isnull);
}

/*
 * tg_directory_user_settle() → trigger
 *		Deferred, each row of directory_user: does at commit what no statement trigger has done in this transaction.
 */
Datum
steward_tg_directory_user_settle(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data(fcinfo, false);
	Relation rel = trigger->tg_relation;
	HeapTuple old_row = TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ? NULL : trigger->tg_trigtuple;
	HeapTuple new_row = NULL;
	HeapTuple row;

	if (FullTransactionIdIsValid(handled_in) && FullTransactionIdEquals(handled_in, GetTopFullTransactionId()))
		return PointerGetDatum(NULL);

	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		new_row = trigger->tg_trigtuple;
	else if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		new_row = trigger->tg_newtuple;
	row = new_row ? new_row : old_row;

	STEWARD_AS_OWNER();
	{
		Datum old_json = 0;
		Datum new_json = 0;
		Datum empty = DirectFunctionCall1(jsonb_in, CStringGetDatum("{}"));

		if (steward_row_delta(rel, old_row, new_row, &old_json, &new_json))
		{
			StewardAffected affected = {
				.orgs = column_array(rel, row, "org_id", UUIDOID),
				.directories = column_array(rel, row, "directory_id", UUIDOID),
				.externals = column_array(rel, row, "external_id", TEXTOID),
				.users = column_array(rel, row, "id", UUIDOID),
				.managers = column_array(rel, row, "manager_user_id", UUIDOID),
				.old_values = array_of(JSONBOID, -1, TYPALIGN_INT, old_json ? old_json : empty, false),
				.new_values = array_of(JSONBOID, -1, TYPALIGN_INT, new_json ? new_json : empty, false),
				.event_times = column_array(rel, row, "event_time", TIMESTAMPTZOID),
				.deleted = new_row == NULL,
			};

			if (old_row && new_row)
			{
				static StewardPlan renamed =
					STEWARD_PLAN("uutt", "UPDATE steward.principal_identity SET external_id = $4 "
										 "WHERE org_id = $1 AND directory_id = $2 AND external_id = $3 AND $3 <> $4");
				bool isnull;
				Datum values[] = {column(rel, row, "org_id", &isnull), column(rel, row, "directory_id", &isnull),
								  column(rel, old_row, "external_id", &isnull),
								  column(rel, new_row, "external_id", &isnull)};

				steward_run(&renamed, STEWARD_LATEST, values, NULL);
			}
			steward_apply_lifecycle(&affected);
		}
	}
	STEWARD_AS_OWNER_END();
	return PointerGetDatum(NULL);
}

/*
 * tg_directory() → trigger
 *		AFTER UPDATE on directory, each statement: unlinking makes leavers of those it alone vouched for, relinking
 *		brings them back.  Deleting a directory deletes its users, which fires their trigger.
 */
Datum
steward_tg_directory(PG_FUNCTION_ARGS)
{
	static StewardPlan switched = STEWARD_PLAN(
		"",
		AFFECTED(
			"u", "jsonb_build_object('directory', o.state)",
			"jsonb_build_object('directory', n.state)") "FROM new_rows n JOIN old_rows o ON o.org_id = n.org_id AND o.id = n.id "
														"JOIN steward.directory_user u ON u.org_id = n.org_id AND u.directory_id = n.id WHERE n.state <> o.state");
	TriggerData *trigger = trigger_data(fcinfo, true);

	STEWARD_AS_OWNER();
	{
		SPI_register_trigger_data(trigger);
		apply_collected(&switched, trigger);
	}
	STEWARD_AS_OWNER_END();
	return PointerGetDatum(NULL);
}

/*
 * Records a change of group membership as a mover.  The query gives org_id, user_id and the names of groups that are
 * gone and new.  Who joined in this very transaction has not moved.
 */
#define RECORD_MEMBERSHIP(changes) \
	"WITH change AS (" changes ") " \
	"INSERT INTO steward.lifecycle_event (org_id, kind, principal_id, directory_id, directory_user_id, person, cause, " \
	"attributes_old, attributes_new) " \
	"SELECT u.org_id, 'mover', p.id, u.directory_id, u.id, u.user_name, 'membership', " \
	"jsonb_build_object('groups', coalesce(jsonb_agg(c.gone ORDER BY c.gone) FILTER (WHERE c.gone IS NOT NULL), '[]')), " \
	"jsonb_build_object('groups', coalesce(jsonb_agg(c.new ORDER BY c.new) FILTER (WHERE c.new IS NOT NULL), '[]')) " \
	"FROM change c JOIN steward.directory_user u ON u.org_id = c.org_id AND u.id = c.user_id " \
	"JOIN steward.principal_identity i ON i.org_id = u.org_id AND i.directory_id = u.directory_id " \
	"AND i.external_id = u.external_id JOIN steward.principal p ON p.org_id = i.org_id AND p.id = i.principal_id " \
	"WHERE p.state <> 'offboarded' AND NOT EXISTS (SELECT FROM steward.lifecycle_event e " \
	"WHERE e.org_id = p.org_id AND e.principal_id = p.id AND e.kind IN ('joiner', 'rehire') " \
	"AND e.recorded_at = now()) GROUP BY u.org_id, u.directory_id, u.id, p.id"

/* Name of the group of a membership row r; the group itself may be gone already. */
#define GROUP_NAME(r) \
	"coalesce((SELECT g.display_name FROM steward.directory_group g WHERE g.org_id = " r ".org_id AND g.id = " r \
	".group_id), " r ".group_id::text)"

/*
 * tg_directory_member() → trigger
 *		AFTER INSERT, UPDATE or DELETE on directory_member, each statement: movers.
 */
Datum
steward_tg_directory_member(PG_FUNCTION_ARGS)
{
	static StewardPlan inserted =
		STEWARD_PLAN("", RECORD_MEMBERSHIP("SELECT n.org_id, n.user_id, NULL::text AS gone, " GROUP_NAME(
							 "n") " AS new FROM new_rows n"));
	static StewardPlan deleted = STEWARD_PLAN("", RECORD_MEMBERSHIP("SELECT o.org_id, o.user_id, " GROUP_NAME(
													  "o") " AS gone, NULL::text AS new FROM old_rows o"));
	static StewardPlan updated = STEWARD_PLAN(
		"",
		RECORD_MEMBERSHIP("SELECT n.org_id, n.user_id, NULL::text AS gone, " GROUP_NAME(
			"n") " AS new "
				 "FROM new_rows n WHERE (n.org_id, n.group_id, n.user_id) NOT IN "
				 "(SELECT org_id, group_id, user_id FROM old_rows) UNION ALL "
				 "SELECT o.org_id, o.user_id, " GROUP_NAME("o") ", NULL FROM old_rows o "
																"WHERE (o.org_id, o.group_id, o.user_id) NOT IN "
																"(SELECT org_id, group_id, user_id FROM new_rows)"));
	TriggerData *trigger = trigger_data(fcinfo, true);

	STEWARD_AS_OWNER();
	{
		SPI_register_trigger_data(trigger);
		steward_run_rows(TRIGGER_FIRED_BY_INSERT(trigger->tg_event)	  ? &inserted
						 : TRIGGER_FIRED_BY_DELETE(trigger->tg_event) ? &deleted
																	  : &updated,
						 STEWARD_LATEST, changed_rows(trigger));
	}
	STEWARD_AS_OWNER_END();
	return PointerGetDatum(NULL);
}

/*
 * tg_directory_group() → trigger
 *		AFTER UPDATE on directory_group, each statement: for its members a renamed group is another group.
 */
Datum
steward_tg_directory_group(PG_FUNCTION_ARGS)
{
	static StewardPlan renamed = STEWARD_PLAN(
		"", RECORD_MEMBERSHIP("SELECT m.org_id, m.user_id, o.display_name AS gone, n.display_name AS new "
							  "FROM new_rows n JOIN old_rows o ON o.org_id = n.org_id AND o.id = n.id "
							  "JOIN steward.directory_member m ON m.org_id = n.org_id AND m.group_id = n.id "
							  "WHERE n.display_name <> o.display_name"));
	TriggerData *trigger = trigger_data(fcinfo, true);

	STEWARD_AS_OWNER();
	{
		SPI_register_trigger_data(trigger);
		steward_run_rows(&renamed, STEWARD_LATEST, changed_rows(trigger));
	}
	STEWARD_AS_OWNER_END();
	return PointerGetDatum(NULL);
}

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
 * tg_directory_guard() → trigger
 *		BEFORE INSERT OR UPDATE, each row of directory, directory_user and directory_group: what a row is never changes,
 *		and no source reports the future.
 */
Datum
steward_tg_directory_guard(PG_FUNCTION_ARGS)
{
	static const char *const fixed[] = {"org_id", "id", "directory_id"};
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	Relation rel;
	TupleDesc desc;
	HeapTuple row;
	int attnum;
	bool isnull;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("tg_directory_guard() must be fired before a row changes")));
	rel = trigger->tg_relation;
	desc = RelationGetDescr(rel);
	row = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;

	attnum = SPI_fnumber(desc, "event_time");
	if (attnum > 0)
	{
		TimestampTz event_time = DatumGetTimestampTz(heap_getattr(row, attnum, desc, &isnull));

		if (!isnull && event_time > GetCurrentTimestamp() + MAX_CLOCK_LEAD)
			ereport(ERROR, (errcode(ERRCODE_STEWARD_VALUE_INVALID), errmsg("event_time lies in the future"),
							errdetail("The source says %s.", timestamptz_to_str(event_time))));
	}
	if (!TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		return PointerGetDatum(row);

	for (int i = 0; i < (int) lengthof(fixed); i++)
	{
		bool was_null;
		Datum before;
		Datum after;

		attnum = SPI_fnumber(desc, fixed[i]);
		if (attnum <= 0)
			continue;
		before = heap_getattr(trigger->tg_trigtuple, attnum, desc, &was_null);
		after = heap_getattr(row, attnum, desc, &isnull);
		if (was_null || isnull || !datumIsEqual(before, after, false, UUID_LEN))
			ereport(ERROR,
					(errcode(ERRCODE_STEWARD_IMMUTABLE),
					 errmsg("column \"%s\" of table \"%s\" cannot be changed", fixed[i], RelationGetRelationName(rel)),
					 errhint("Delete the row and insert another one.")));
	}
	attnum = SPI_fnumber(desc, "updated_at");
	if (attnum > 0 && differs(desc, trigger->tg_trigtuple, row))
	{
		Datum now = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
		bool never = false;

		row = heap_modify_tuple_by_cols(row, desc, 1, &attnum, &now, &never);
	}
	return PointerGetDatum(row);
}
