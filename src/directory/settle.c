/*
 * settle.c
 *		At commit: the effects of changes that no statement trigger has seen.
 *
 * Which those are is known exactly.  All rows that one command changes carry its command id, which no rollback gives
 * back; a row trigger notes the ids of the rows as they change, and a statement trigger that has done its work marks
 * the noted ones as settled.  What a deferred row trigger then finds unmarked came through a logical replication worker,
 * or past a statement trigger that somebody disabled, and is done now.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "audit/delta.h"
#include "core/authority.h"
#include "core/plan.h"
#include "directory/lifecycle.h"
#include "directory/settle.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_tg_directory_note);
PG_FUNCTION_INFO_V1(steward_tg_directory_settle);

/* The tables that have effects. */
static const char *const tables[] = {"directory", "directory_user", "directory_group", "directory_member"};

/* A sorted set of command ids. */
typedef struct Commands
{
	CommandId *ids;
	int n;
	int size;
} Commands;

/* Of the transaction named, for each table and kind of change. */
static struct
{
	FullTransactionId xact;
	Commands noted[lengthof(tables)][3];
	Commands settled[lengthof(tables)][3];
} seen;

/* Forgets what earlier transactions did; their memory is gone with them. */
static void
begin_transaction(void)
{
	FullTransactionId now = GetTopFullTransactionId();

	if (FullTransactionIdIsValid(seen.xact) && FullTransactionIdEquals(seen.xact, now))
		return;
	memset(&seen, 0, sizeof(seen));
	seen.xact = now;
}

/* Where an id is, or would be, in the set. */
static int
place_of(const Commands *set, CommandId id)
{
	int low = 0;
	int high = set->n;

	/* Most often it is the last one. */
	if (high > 0 && set->ids[high - 1] < id)
		return high;
	while (low < high)
	{
		int middle = low + (high - low) / 2;

		if (set->ids[middle] < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
has_command(const Commands *set, CommandId id)
{
	int place = place_of(set, id);

	return place < set->n && set->ids[place] == id;
}

static void
add_command(Commands *set, CommandId id)
{
	int place = place_of(set, id);

	if (place < set->n && set->ids[place] == id)
		return;
	if (set->n == set->size)
	{
		set->size = set->size == 0 ? 8 : set->size * 2;
		if (set->ids == NULL)
			set->ids = MemoryContextAlloc(TopTransactionContext, sizeof(CommandId) * set->size);
		else
			set->ids = repalloc_huge(set->ids, sizeof(CommandId) * set->size);
	}
	memmove(&set->ids[place + 1], &set->ids[place], sizeof(CommandId) * (set->n - place));
	set->ids[place] = id;
	set->n++;
}

/* Number of a table by name. */
static int
table_number(const TriggerData *trigger)
{
	for (int i = 0; i < (int) lengthof(tables); i++)
		if (strcmp(RelationGetRelationName(trigger->tg_relation), tables[i]) == 0)
			return i;
	ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
					errmsg("table \"%s\" is not one of a directory", RelationGetRelationName(trigger->tg_relation))));
	return -1;
}

/* Number of a kind of change. */
static int
change_number(const TriggerData *trigger)
{
	return TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ? 0 : TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? 1 : 2;
}

/* The command that changed the row of an AFTER ROW trigger. */
static CommandId
command_of(const TriggerData *trigger)
{
	if (TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
		return HeapTupleHeaderGetCmax(trigger->tg_trigtuple->t_data);
	if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		return HeapTupleHeaderGetCmin(trigger->tg_newtuple->t_data);
	return HeapTupleHeaderGetCmin(trigger->tg_trigtuple->t_data);
}

/*
 * steward_settled
 *		A statement trigger has done the work for the rows noted since.
 */
void
steward_settled(const TriggerData *trigger)
{
	int table = table_number(trigger);
	int change = change_number(trigger);
	Commands *noted;

	begin_transaction();
	noted = &seen.noted[table][change];
	for (int i = 0; i < noted->n; i++)
		add_command(&seen.settled[table][change], noted->ids[i]);
	noted->n = 0;
}

/* Checks how a trigger function was called. */
static TriggerData *
row_trigger_data(FunctionCallInfo fcinfo)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("a settling trigger of steward must be fired after a row has changed")));
	return trigger;
}

/*
 * tg_directory_note() → trigger
 *		AFTER INSERT, UPDATE or DELETE, each row of a directory's tables: notes the command that changed it.
 */
Datum
steward_tg_directory_note(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = row_trigger_data(fcinfo);

	begin_transaction();
	add_command(&seen.noted[table_number(trigger)][change_number(trigger)], command_of(trigger));
	return PointerGetDatum(NULL);
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

/* An array of one value, or of one null. */
static Datum
array_of(Oid type, int16 len, char align, Datum value, bool isnull)
{
	int dims[1] = {1};
	int lower[1] = {1};

	return PointerGetDatum(construct_md_array(&value, &isnull, 1, dims, lower, type, len,
											  type == TIMESTAMPTZOID ? FLOAT8PASSBYVAL : false, align));
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

/* A row of directory_user: its person. */
static void
settle_user(Relation rel, HeapTuple old_row, HeapTuple new_row)
{
	HeapTuple row = new_row ? new_row : old_row;
	Datum old_json = 0;
	Datum new_json = 0;
	Datum empty = DirectFunctionCall1(jsonb_in, CStringGetDatum("{}"));
	StewardAffected affected;

	if (!steward_row_delta(rel, old_row, new_row, &old_json, &new_json))
		return;
	affected = (StewardAffected){
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
						  column(rel, old_row, "external_id", &isnull), column(rel, new_row, "external_id", &isnull)};

		steward_run(&renamed, STEWARD_LATEST, values, NULL);
	}
	steward_apply_lifecycle(&affected);
}

/* Runs a query for one row that ends with AFFECTED, and hands its people over. */
static void
settle_query(StewardPlan *plan, const Datum *values, const char *cause)
{
	StewardAffected affected = {.cause = cause};

	steward_run(plan, STEWARD_LATEST, values, NULL);
	if (steward_affected_result(&affected))
		steward_apply_lifecycle(&affected);
}

/* A row of directory_member that is gone or new: its user. */
static void
settle_member(Relation rel, HeapTuple row, bool gone)
{
	static StewardPlan moved =
		STEWARD_PLAN("uuub", MEMBERSHIP("SELECT r.org_id, r.user_id, CASE WHEN $4 THEN " GROUP_NAME(
								 "r") " END AS gone, "
									  "CASE WHEN NOT $4 THEN " GROUP_NAME(
										  "r") " END AS new "
											   "FROM (SELECT $1 AS org_id, $2 AS group_id, $3 AS user_id) r"));
	bool isnull;
	Datum values[] = {column(rel, row, "org_id", &isnull), column(rel, row, "group_id", &isnull),
					  column(rel, row, "user_id", &isnull), BoolGetDatum(gone)};

	settle_query(&moved, values, "membership");
}

/* A row of directory_group with another name: its members. */
static void
settle_group(Relation rel, HeapTuple old_row, HeapTuple new_row)
{
	static StewardPlan renamed = STEWARD_PLAN(
		"uutt", MEMBERSHIP("SELECT m.org_id, m.user_id, $3 AS gone, $4 AS new FROM steward.directory_member m "
						   "WHERE m.org_id = $1 AND m.group_id = $2 AND $3 <> $4"));
	bool isnull;
	Datum values[] = {column(rel, new_row, "org_id", &isnull), column(rel, new_row, "id", &isnull),
					  column(rel, old_row, "display_name", &isnull), column(rel, new_row, "display_name", &isnull)};

	settle_query(&renamed, values, "membership");
}

/* A row of directory in another state: its people. */
static void
settle_directory(Relation rel, HeapTuple old_row, HeapTuple new_row)
{
	static StewardPlan switched = STEWARD_PLAN("uutt", SWITCHED("(SELECT $1 AS org_id, $2 AS id) n", "$3", "$4"));
	bool isnull;
	Datum values[] = {column(rel, new_row, "org_id", &isnull), column(rel, new_row, "id", &isnull),
					  column(rel, old_row, "state", &isnull), column(rel, new_row, "state", &isnull)};

	settle_query(&switched, values, NULL);
}

/*
 * tg_directory_settle() → trigger
 *		Deferred, each row of a directory's tables: does at commit what no statement trigger has done.
 */
Datum
steward_tg_directory_settle(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = row_trigger_data(fcinfo);
	Relation rel = trigger->tg_relation;
	HeapTuple old_row = TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ? NULL : trigger->tg_trigtuple;
	HeapTuple new_row = TRIGGER_FIRED_BY_INSERT(trigger->tg_event)	 ? trigger->tg_trigtuple
						: TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple
																	 : NULL;
	int table = table_number(trigger);

	begin_transaction();
	if (has_command(&seen.settled[table][change_number(trigger)], command_of(trigger)))
		return PointerGetDatum(NULL);

	STEWARD_AS_OWNER();
	{
		switch (table)
		{
			case 0:
				if (old_row && new_row)
					settle_directory(rel, old_row, new_row);
				break;
			case 1:
				settle_user(rel, old_row, new_row);
				break;
			case 2:
				if (old_row && new_row)
					settle_group(rel, old_row, new_row);
				break;
			default:
				if (old_row)
					settle_member(rel, old_row, true);
				if (new_row)
					settle_member(rel, new_row, false);
				break;
		}
	}
	STEWARD_AS_OWNER_END();
	return PointerGetDatum(NULL);
}
