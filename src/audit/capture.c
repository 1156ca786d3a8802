/*
 * capture.c
 *		The audit triggers: every change of an audited row, statement or table becomes an event in the same transaction.
 *
 * An event that cannot be written stops the change.  No statement is run on the way: the row is described from the
 * trigger's slots (delta.c) and written directly (event.c).  What the description takes is made once for a statement.
 *
 * The log's own triggers are here, too.  They refuse everything: what writes it goes past them.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/partition.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"
#include "utils/typcache.h"

#include "audit/capture.h"
#include "audit/delta.h"
#include "audit/event.h"
#include "core/authority.h"
#include "core/relation.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_tg_audit);
PG_FUNCTION_INFO_V1(steward_tg_audit_statement);
PG_FUNCTION_INFO_V1(steward_tg_audit_truncate);
PG_FUNCTION_INFO_V1(steward_tg_protect_audit);
PG_FUNCTION_INFO_V1(steward_tg_no_truncate);

/* What a trigger knows about its table; made once for a statement. */
typedef struct Capture
{
	StewardRowShape *shape;
	Datum table_name;
	AttrNumber org_column; /* 0: fixed_org */
	pg_uuid_t fixed_org;
	bool check_org; /* whether the rows' organizations have to be checked */
	bool checked_any;
	pg_uuid_t checked_org; /* the last one that passed */
} Capture;

/* The table's name as events have it: that of the whole table, where this is a partition. */
static Datum
qualified_name(Relation rel)
{
	Oid relid = RelationGetRelid(rel);

	if (rel->rd_rel->relispartition)
		relid = llast_oid(get_partition_ancestors(relid));
	return CStringGetTextDatum(psprintf("%s.%s", get_namespace_name(get_rel_namespace(relid)), get_rel_name(relid)));
}

/* Reads the trigger's arguments. */
static void
read_arguments(Capture *capture, Relation rel, const Trigger *trigger)
{
	TupleDesc desc = RelationGetDescr(rel);

	for (int i = 0; i < trigger->tgnargs; i++)
	{
		const char *arg = trigger->tgargs[i];

		if (strncmp(arg, STEWARD_ARG_ORG, strlen(STEWARD_ARG_ORG)) == 0)
		{
			capture->check_org = true;
			capture->fixed_org =
				*DatumGetUUIDP(DirectFunctionCall1(uuid_in, CStringGetDatum(arg + strlen(STEWARD_ARG_ORG))));
			continue;
		}
		if (strncmp(arg, STEWARD_ARG_COLUMN, strlen(STEWARD_ARG_COLUMN)) == 0)
		{
			capture->org_column = SPI_fnumber(desc, arg + strlen(STEWARD_ARG_COLUMN));
			capture->check_org = true;
			if (capture->org_column <= 0 || TupleDescAttr(desc, capture->org_column - 1)->atttypid != UUIDOID)
				ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
								errmsg("table \"%s\" has lost the column that names the organization of its rows",
									   RelationGetRelationName(rel)),
								errhint("Audit it anew with steward.audit_table().")));
			continue;
		}
		/* A column that has been renamed must not come to light because of that. */
		if (!steward_shape_hide(capture->shape, arg + 1, arg[0] == STEWARD_ARG_MASKED[0]))
			ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
							errmsg("table \"%s\" has lost the column \"%s\", which is left out of its audit or masked",
								   RelationGetRelationName(rel), arg + 1),
							errhint("Audit it anew with steward.audit_table().")));
	}
}

/* What the trigger knows about its table. */
static Capture *
get_capture(FunctionCallInfo fcinfo, TriggerData *trigger)
{
	Capture *capture = fcinfo->flinfo->fn_extra;
	MemoryContext query = fcinfo->flinfo->fn_mcxt;
	MemoryContext old_context;
	Relation rel = trigger->tg_relation;

	if (likely(capture != NULL))
		return capture;
	old_context = MemoryContextSwitchTo(query);
	capture = palloc0(sizeof(Capture));
	capture->shape = steward_row_shape(rel, query);
	capture->table_name = qualified_name(rel);
	if (trigger->tg_trigger->tgnargs > 0)
		read_arguments(capture, rel, trigger->tg_trigger);
	else
	{
		/* One of steward's own: the organization is the row's org_id; of an organization, its id. */
		capture->org_column = SPI_fnumber(RelationGetDescr(rel), "org_id");
		if (capture->org_column <= 0)
			capture->org_column = SPI_fnumber(RelationGetDescr(rel), "id");
		if (capture->org_column <= 0)
			ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
							errmsg("table \"%s\" names no organization", RelationGetRelationName(rel))));
	}
	MemoryContextSwitchTo(old_context);
	steward_hold_writer(query);
	fcinfo->flinfo->fn_extra = capture;
	return capture;
}

/*
 * Raises unless rows of the table may go into the log of the organization.  Its owner could have made the trigger, so it
 * counts what the owner may do there now; a superuser's own trigger names the organization that it was asked for.
 */
static void
check_organization(Capture *capture, Relation rel, const pg_uuid_t *org)
{
	if (!capture->check_org || (capture->checked_any && memcmp(&capture->checked_org, org, sizeof(pg_uuid_t)) == 0))
		return;
	if (capture->org_column == 0 && superuser_arg(rel->rd_rel->relowner))
		return;
	if ((steward_profiles_of(rel->rd_rel->relowner, org) & (STEWARD_PROFILE_APP | STEWARD_PROFILE_ADMIN)) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_STEWARD_ORGANIZATION_UNKNOWN),
				 errmsg("a row of table \"%s\" belongs to an organization that its owner has no profile in",
						RelationGetRelationName(rel)),
				 errdetail("The owner of an audited table needs the profile app or admin in the organizations of "
						   "its rows.")));
	capture->checked_org = *org;
	capture->checked_any = true;
}

/* The organization of a row. */
static const pg_uuid_t *
organization_of(Capture *capture, Relation rel, const StewardRowVersion *row)
{
	const pg_uuid_t *org;

	if (capture->org_column == 0)
	{
		check_organization(capture, rel, &capture->fixed_org);
		return &capture->fixed_org;
	}
	if (row->nulls[capture->org_column - 1])
		ereport(ERROR, (errcode(ERRCODE_NOT_NULL_VIOLATION),
						errmsg("a row of table \"%s\" names no organization", RelationGetRelationName(rel)),
						errhint("The table is audited by organization.")));
	org = DatumGetUUIDP(row->values[capture->org_column - 1]);
	check_organization(capture, rel, org);
	return org;
}

/* What a slot holds. */
static StewardRowVersion
row_of(TupleTableSlot *slot)
{
	slot_getallattrs(slot);
	return (StewardRowVersion){.values = slot->tts_values, .nulls = slot->tts_isnull};
}

/* Writes the event of a row, or none when nothing changed. */
static void
capture_row(Capture *capture, Relation rel, const char *action, const StewardRowVersion *before,
			const StewardRowVersion *after)
{
	const StewardRowVersion *row = after ? after : before;
	StewardEvent event = {.action = action, .version = 1, .table_name = capture->table_name};

	if (!steward_shape_delta(capture->shape, before, after, &event.old_values, &event.new_values))
		return;
	event.org = organization_of(capture, rel, row);
	event.row_key = steward_shape_key(capture->shape, row);
	steward_write_event(&event);
}

/*
 * tg_audit() → trigger
 *		AFTER INSERT OR UPDATE OR DELETE, each row: writes the event, or none when an UPDATE changed nothing.
 *
 * An UPDATE of the primary key, or one that moves a row to another organization, is a delete and an insert.
 */
Datum
steward_tg_audit(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	Relation rel;
	Capture *capture;
	StewardRowVersion old_row;
	StewardRowVersion new_row;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("tg_audit() must be fired after a row has changed")));
	rel = trigger->tg_relation;
	capture = get_capture(fcinfo, trigger);
	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
	{
		new_row = row_of(trigger->tg_trigslot);
		capture_row(capture, rel, "insert", NULL, &new_row);
	}
	else if (TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
	{
		old_row = row_of(trigger->tg_trigslot);
		capture_row(capture, rel, "delete", &old_row, NULL);
	}
	else
	{
		old_row = row_of(trigger->tg_trigslot);
		new_row = row_of(trigger->tg_newslot);
		if (unlikely(steward_key_changed(capture->shape, &old_row, &new_row)) ||
			(capture->org_column != 0 && memcmp(organization_of(capture, rel, &old_row),
												organization_of(capture, rel, &new_row), sizeof(pg_uuid_t)) != 0))
		{
			capture_row(capture, rel, "delete", &old_row, NULL);
			capture_row(capture, rel, "insert", NULL, &new_row);
		}
		else
			capture_row(capture, rel, "update", &old_row, &new_row);
	}
	return PointerGetDatum(NULL);
}

/* What a statement did to the rows of one organization. */
typedef struct StatementGroup
{
	pg_uuid_t org; /* hash key */
	int64 rows;
	Datum *first; /* smallest key, by key column */
	Datum *last;  /* largest */
} StatementGroup;

/* The key columns of a table and how to compare them. */
typedef struct KeyColumns
{
	int n;
	AttrNumber attnums[INDEX_MAX_KEYS];
	Oid collations[INDEX_MAX_KEYS];
	FmgrInfo *compare[INDEX_MAX_KEYS];
	StewardColumnShape *shapes[INDEX_MAX_KEYS];
} KeyColumns;

static void
find_key_columns(Capture *capture, Relation rel, KeyColumns *key)
{
	key->n = 0;
	for (int i = 0; i < capture->shape->natts && key->n < INDEX_MAX_KEYS; i++)
	{
		StewardColumnShape *column = &capture->shape->columns[i];
		TypeCacheEntry *type;

		if (!column->key)
			continue;
		type = lookup_type_cache(TupleDescAttr(RelationGetDescr(rel), i)->atttypid, TYPECACHE_CMP_PROC_FINFO);
		if (!OidIsValid(type->cmp_proc))
			continue;
		key->attnums[key->n] = column->attnum;
		key->collations[key->n] = TupleDescAttr(RelationGetDescr(rel), i)->attcollation;
		key->compare[key->n] = &type->cmp_proc_finfo;
		key->shapes[key->n] = column;
		key->n++;
	}
}

/* Compares the key of a row with one that was kept. */
static int
compare_key(const KeyColumns *key, const StewardRowVersion *row, const Datum *kept)
{
	for (int i = 0; i < key->n; i++)
	{
		int order = DatumGetInt32(
			FunctionCall2Coll(key->compare[i], key->collations[i], row->values[key->attnums[i] - 1], kept[i]));

		if (order != 0)
			return order;
	}
	return 0;
}

/* Keeps the key of a row. */
static void
keep_key(const KeyColumns *key, const StewardRowVersion *row, Datum *kept, bool replace)
{
	for (int i = 0; i < key->n; i++)
	{
		if (replace && !key->shapes[i]->byval)
			pfree(DatumGetPointer(kept[i]));
		kept[i] = datumCopy(row->values[key->attnums[i] - 1], key->shapes[i]->byval, key->shapes[i]->len);
	}
}

/* Counts a row into its organization's group. */
static void
count_row(HTAB *groups, StatementGroup **last_group, const KeyColumns *key, const pg_uuid_t *org,
		  const StewardRowVersion *row)
{
	StatementGroup *group = *last_group;
	bool found = true;

	if (group == NULL || memcmp(&group->org, org, sizeof(pg_uuid_t)) != 0)
		group = *last_group = hash_search(groups, org, HASH_ENTER, &found);
	if (!found)
	{
		group->rows = 0;
		group->first = palloc(sizeof(Datum) * Max(key->n, 1));
		group->last = palloc(sizeof(Datum) * Max(key->n, 1));
		keep_key(key, row, group->first, false);
		keep_key(key, row, group->last, false);
	}
	else if (key->n > 0)
	{
		if (compare_key(key, row, group->last) > 0)
			keep_key(key, row, group->last, true);
		else if (compare_key(key, row, group->first) < 0)
			keep_key(key, row, group->first, true);
	}
	group->rows++;
}

/* A kept key as JSON. */
static Datum
kept_key(Capture *capture, const KeyColumns *key, const Datum *kept)
{
	Datum *values = palloc0(sizeof(Datum) * capture->shape->natts);
	bool *nulls = palloc0(sizeof(bool) * capture->shape->natts);
	StewardRowVersion row = {.values = values, .nulls = nulls};

	for (int i = 0; i < key->n; i++)
		values[key->attnums[i] - 1] = kept[i];
	return steward_shape_key(capture->shape, &row);
}

/* Adds a member to an object of JSON. */
static void
push_json(JsonbParseState **state, const char *name, JsonbValue *value)
{
	JsonbValue key = {.type = jbvString};

	key.val.string.val = (char *) name;
	key.val.string.len = (int) strlen(name);
	(void) pushJsonbValue(state, WJB_KEY, &key);
	(void) pushJsonbValue(state, WJB_VALUE, value);
}

/* What the event of a statement says: how many rows, and between which keys. */
static Datum
statement_metadata(Capture *capture, const KeyColumns *key, const StatementGroup *group)
{
	JsonbParseState *state = NULL;
	JsonbValue value = {.type = jbvNumeric};

	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	value.val.numeric = int64_to_numeric(group->rows);
	push_json(&state, "rows", &value);
	if (key && key->n > 0)
	{
		Jsonb *first = DatumGetJsonbP(kept_key(capture, key, group->first));
		Jsonb *last = DatumGetJsonbP(kept_key(capture, key, group->last));

		value.type = jbvBinary;
		value.val.binary.data = &first->root;
		value.val.binary.len = (int) (VARSIZE(first) - VARHDRSZ);
		push_json(&state, "first_key", &value);
		value.val.binary.data = &last->root;
		value.val.binary.len = (int) (VARSIZE(last) - VARHDRSZ);
		push_json(&state, "last_key", &value);
	}
	return JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}

/* An empty table of groups. */
static HTAB *
make_groups(void)
{
	HASHCTL control = {.keysize = sizeof(pg_uuid_t), .entrysize = sizeof(StatementGroup), .hcxt = CurrentMemoryContext};

	return hash_create("steward statement groups", 16, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* Writes an event for each organization. */
static void
write_groups(Capture *capture, HTAB *groups, const KeyColumns *key, const char *action)
{
	HASH_SEQ_STATUS seq;
	StatementGroup *group;

	hash_seq_init(&seq, groups);
	while ((group = hash_seq_search(&seq)) != NULL)
	{
		StewardEvent event = {.org = &group->org,
							  .action = action,
							  .version = 1,
							  .table_name = capture->table_name,
							  .metadata = statement_metadata(capture, key, group)};

		steward_write_event(&event);
	}
}

/*
 * tg_audit_statement() → trigger
 *		AFTER INSERT, UPDATE or DELETE, each statement, with a transition table: one event for each organization, with the
 *		number of rows and the range of their keys; none for a statement that changed none.
 */
Datum
steward_tg_audit_statement(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	Relation rel;
	Tuplestorestate *rows;
	Capture *capture;
	KeyColumns key;
	HTAB *groups;
	StatementGroup *last_group = NULL;
	TupleTableSlot *slot;
	const char *action;
	int pointer;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("tg_audit_statement() must be fired after a statement")));
	action = TRIGGER_FIRED_BY_INSERT(trigger->tg_event)	  ? "insert_many"
			 : TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? "update_many"
														  : "delete_many";
	rows = TRIGGER_FIRED_BY_DELETE(trigger->tg_event) ? trigger->tg_oldtable : trigger->tg_newtable;
	if (rows == NULL)
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("tg_audit_statement() needs a transition table")));
	rel = trigger->tg_relation;
	if (tuplestore_tuple_count(rows) == 0)
		return PointerGetDatum(NULL);

	capture = get_capture(fcinfo, trigger);
	find_key_columns(capture, rel, &key);
	groups = make_groups();
	slot = MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsMinimalTuple);
	/* Other triggers read the same table: with a place of our own in it we disturb none. */
	pointer = tuplestore_alloc_read_pointer(rows, EXEC_FLAG_REWIND);
	tuplestore_select_read_pointer(rows, pointer);
	tuplestore_rescan(rows);
	while (tuplestore_gettupleslot(rows, true, false, slot))
	{
		StewardRowVersion row = row_of(slot);

		CHECK_FOR_INTERRUPTS();
		count_row(groups, &last_group, &key, organization_of(capture, rel, &row), &row);
	}
	tuplestore_select_read_pointer(rows, 0);
	ExecDropSingleTupleTableSlot(slot);
	write_groups(capture, groups, &key, action);
	hash_destroy(groups);
	return PointerGetDatum(NULL);
}

/*
 * tg_audit_truncate() → trigger
 *		BEFORE TRUNCATE: one event for each organization whose rows go, with their number.
 */
Datum
steward_tg_audit_truncate(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	Relation rel;
	Capture *capture;
	HTAB *groups;
	StatementGroup *last_group = NULL;
	KeyColumns no_key = {.n = 0};
	TupleTableSlot *slot;
	TableScanDesc scan;
	Snapshot snapshot;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event) ||
		!TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("tg_audit_truncate() must be fired before TRUNCATE")));
	rel = trigger->tg_relation;
	capture = get_capture(fcinfo, trigger);
	groups = make_groups();

	/* The lock of TRUNCATE is held already: what a fresh snapshot sees is what goes. */
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	slot = table_slot_create(rel, NULL);
	scan = table_beginscan(rel, snapshot, 0, NULL);
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		StewardRowVersion row = row_of(slot);

		CHECK_FOR_INTERRUPTS();
		count_row(groups, &last_group, &no_key, organization_of(capture, rel, &row), &row);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	UnregisterSnapshot(snapshot);
	if (capture->org_column == 0 && hash_get_num_entries(groups) == 0)
	{
		/* An empty table was truncated: that is worth knowing where it is known whom it concerns. */
		StatementGroup *group = hash_search(groups, &capture->fixed_org, HASH_ENTER, NULL);

		group->rows = 0;
	}
	write_groups(capture, groups, NULL, "truncate");
	hash_destroy(groups);
	return PointerGetDatum(NULL);
}

/*
 * tg_protect_audit() → trigger
 *		BEFORE INSERT OR UPDATE OR DELETE, each row of the log: refuses it.
 */
Datum
steward_tg_protect_audit(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("tg_protect_audit() must be called as a trigger")));
	ereport(ERROR, (errcode(ERRCODE_STEWARD_AUDIT_PROTECTED), errmsg("the audit log cannot be changed"),
					errdetail("Events are written by the changes they record, and stay."),
					errhint("Applications record events of their own with steward.record_event().")));
	return PointerGetDatum(NULL);
}

/*
 * tg_no_truncate() → trigger
 *		BEFORE TRUNCATE: refuses it, for it would pass by every rule and the audit.
 */
Datum
steward_tg_no_truncate(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("tg_no_truncate() must be called as a trigger")));
	ereport(ERROR, (errcode(ERRCODE_STEWARD_TRUNCATE_REFUSED),
					errmsg("table \"%s\" cannot be truncated", RelationGetRelationName(trigger->tg_relation)),
					errhint("Use DELETE, which has effects and is audited.")));
	return PointerGetDatum(NULL);
}
