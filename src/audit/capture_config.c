/*
 * capture_config.c
 *		Auditing tables outside steward: audit_table() and unaudit_table().
 *
 * The table's owner asks for it.  What is asked is kept in audit_capture, and in the arguments of the triggers, which
 * capture reads without a look-up and which a dump carries along.  Triggers fire always, on partitions too; row triggers
 * come to new partitions by themselves, those of statements and of TRUNCATE with the next maintain().
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/catalog.h"
#include "catalog/namespace.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "audit/capture.h"
#include "audit/capture_config.h"
#include "audit/event.h"
#include "core/authority.h"
#include "core/health.h"
#include "core/plan.h"
#include "core/reference.h"
#include "core/relation.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_audit_table);
PG_FUNCTION_INFO_V1(steward_unaudit_table);

/* The triggers of each way to audit. */
typedef struct CaptureTrigger
{
	const char *name;
	const char *events; /* time and events */
	const char *tail;	/* transition table and level */
	const char *function;
	bool by_row;	/* belongs to per => 'row'; otherwise to per => 'statement' */
	bool both;		/* belongs to both */
	bool leaf_only; /* on tables that hold rows, not on those divided into partitions */
} CaptureTrigger;

static const CaptureTrigger triggers[] = {
	{"steward_audit", "AFTER INSERT OR UPDATE OR DELETE", "FOR EACH ROW", "tg_audit", true, false, false},
	{"steward_audit_insert", "AFTER INSERT", "REFERENCING NEW TABLE AS steward_new FOR EACH STATEMENT",
	 "tg_audit_statement", false, false, false},
	{"steward_audit_update", "AFTER UPDATE", "REFERENCING NEW TABLE AS steward_new FOR EACH STATEMENT",
	 "tg_audit_statement", false, false, false},
	{"steward_audit_delete", "AFTER DELETE", "REFERENCING OLD TABLE AS steward_old FOR EACH STATEMENT",
	 "tg_audit_statement", false, false, false},
	{"steward_audit_truncate", "BEFORE TRUNCATE", "FOR EACH STATEMENT", "tg_audit_truncate", false, true, true},
};

/* What is asked for. */
typedef struct CaptureRequest
{
	Oid relid;
	const char *per;
	ArrayType *left_out;
	ArrayType *masked;
	const char *org_column; /* NULL: all rows belong to org */
	const pg_uuid_t *org;
} CaptureRequest;

/* Raises because a table cannot be audited like that. */
static void
refuse(const char *message, const char *hint)
{
	ereport(ERROR, (errcode(ERRCODE_STEWARD_CAPTURE_INVALID), errmsg("%s", message), hint ? errhint("%s", hint) : 0));
}

/* The names in an array of text, as a list of C strings; none may be null. */
static List *
names_of(ArrayType *array)
{
	Datum *values;
	bool *nulls;
	int n;
	List *names = NIL;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			refuse("a column's name must not be null", NULL);
		names = lappend(names, TextDatumGetCString(values[i]));
	}
	return names;
}

/* Checks that columns are there and not part of the key, without which an event would say nothing. */
static void
check_columns(Relation rel, ArrayType *columns)
{
	Bitmapset *key = RelationGetIndexAttrBitmap(rel, INDEX_ATTR_BITMAP_PRIMARY_KEY);
	ListCell *cell;

	foreach (cell, names_of(columns))
	{
		const char *name = lfirst(cell);
		int attnum = SPI_fnumber(RelationGetDescr(rel), name);

		if (attnum <= 0)
			ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
							errmsg("table \"%s\" has no column \"%s\"", RelationGetRelationName(rel), name)));
		if (bms_is_member(attnum - FirstLowInvalidHeapAttributeNumber, key))
			ereport(ERROR, (errcode(ERRCODE_STEWARD_CAPTURE_INVALID),
							errmsg("column \"%s\" is part of the primary key, and cannot be left out or masked", name),
							errdetail("It says which row an event is about.")));
	}
	bms_free(key);
}

/* Checks the table: what it is, whose it is, and whether it can be audited as asked. */
static void
check_table(Relation rel, const CaptureRequest *request)
{
	Bitmapset *key = RelationGetIndexAttrBitmap(rel, INDEX_ATTR_BITMAP_PRIMARY_KEY);
	Oid schema = RelationGetNamespace(rel);

	if (rel->rd_rel->relkind != RELKIND_RELATION && rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		refuse("only tables can be audited", NULL);
	if (rel->rd_rel->relpersistence == RELPERSISTENCE_TEMP)
		refuse("a temporary table cannot be audited", NULL);
	if (IsCatalogRelation(rel) || schema == steward_namespace())
		refuse("this table cannot be audited by request", "Tables of steward are audited as they have to be.");
	if (bms_is_empty(key) && strcmp(request->per, "row") == 0)
		refuse("a table without a primary key cannot be audited by row",
			   "Add a primary key, or audit it per => 'statement'.");
	check_columns(rel, request->left_out);
	check_columns(rel, request->masked);
	if (request->org_column)
	{
		int attnum = SPI_fnumber(RelationGetDescr(rel), request->org_column);

		if (attnum <= 0 || TupleDescAttr(RelationGetDescr(rel), attnum - 1)->atttypid != UUIDOID)
			refuse("org_column must name a column of type uuid", NULL);
	}
	bms_free(key);
}

/* A table's name with its schema, quoted. */
static char *
quoted_name(Oid relid)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), get_rel_name(relid));
}

/* Runs DDL as a superuser: the table belongs to one role, the trigger functions to another. */
static void
run_ddl(const char *sql)
{
	Oid user;
	int security;

	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(BOOTSTRAP_SUPERUSERID, security | SECURITY_LOCAL_USERID_CHANGE);
	if (SPI_execute(sql, false, 0) < 0)
		elog(ERROR, "could not execute \"%s\"", sql);
	SetUserIdAndSecContext(user, security);
}

/* The triggers' arguments, quoted. */
static char *
trigger_arguments(const CaptureRequest *request)
{
	StringInfoData args;
	ListCell *cell;

	initStringInfo(&args);
	if (request->org_column)
		appendStringInfoString(&args, quote_literal_cstr(psprintf(STEWARD_ARG_COLUMN "%s", request->org_column)));
	else
		appendStringInfo(&args, "'" STEWARD_ARG_ORG "%s'",
						 DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(request->org))));
	foreach (cell, names_of(request->left_out))
		appendStringInfo(&args, ", %s", quote_literal_cstr(psprintf(STEWARD_ARG_LEFT_OUT "%s", (char *) lfirst(cell))));
	foreach (cell, names_of(request->masked))
		appendStringInfo(&args, ", %s", quote_literal_cstr(psprintf(STEWARD_ARG_MASKED "%s", (char *) lfirst(cell))));
	return args.data;
}

/* OID of a trigger of ours on a table; invalid when there is none. */
static bool
has_trigger(Oid relid, const char *name)
{
	return OidIsValid(get_trigger_oid(relid, name, true));
}

/* Whether a trigger belongs on a table audited this way. */
static bool
belongs(const CaptureTrigger *trigger, const CaptureRequest *request, Oid relid)
{
	if (!trigger->both && trigger->by_row != (strcmp(request->per, "row") == 0))
		return false;
	if (trigger->leaf_only && get_rel_relkind(relid) == RELKIND_PARTITIONED_TABLE)
		return false;
	/* PostgreSQL itself brings row triggers to partitions. */
	return !trigger->by_row || relid == request->relid;
}

/* Makes the triggers that are missing on the table and its partitions; returns how many. */
static int
make_triggers(const CaptureRequest *request)
{
	char *args = trigger_arguments(request);
	int made = 0;
	ListCell *cell;

	foreach (cell, find_all_inheritors(request->relid, ShareRowExclusiveLock, NULL))
	{
		Oid relid = lfirst_oid(cell);

		for (int i = 0; i < (int) lengthof(triggers); i++)
		{
			const CaptureTrigger *t = &triggers[i];

			CHECK_FOR_INTERRUPTS();
			if (!belongs(t, request, relid) || has_trigger(relid, t->name))
				continue;
			run_ddl(psprintf("CREATE TRIGGER %s %s ON %s %s EXECUTE FUNCTION steward.%s(%s)", t->name, t->events,
							 quoted_name(relid), t->tail, t->function, args));
			run_ddl(psprintf("ALTER TABLE %s ENABLE ALWAYS TRIGGER %s", quoted_name(relid), t->name));
			made++;
		}
	}
	return made;
}

/* Drops whatever triggers of ours are there; returns how many. */
static int
drop_triggers(Oid root)
{
	int dropped = 0;
	ListCell *cell;

	/* From the root down: a row trigger takes those of the partitions along. */
	foreach (cell, find_all_inheritors(root, AccessExclusiveLock, NULL))
	{
		Oid relid = lfirst_oid(cell);

		for (int i = 0; i < (int) lengthof(triggers); i++)
			if (has_trigger(relid, triggers[i].name))
			{
				run_ddl(psprintf("DROP TRIGGER %s ON %s", triggers[i].name, quoted_name(relid)));
				CommandCounterIncrement();
				dropped++;
			}
	}
	return dropped;
}

/* Raises unless the caller owns the table and its partitions. */
static void
require_ownership(Oid relid)
{
	ListCell *cell;

	foreach (cell, find_all_inheritors(relid, AccessShareLock, NULL))
		if (!steward_owns_relation(lfirst_oid(cell), steward_caller()))
			aclcheck_error(ACLCHECK_NOT_OWNER, get_relkind_objtype(get_rel_relkind(relid)),
						   get_rel_name(lfirst_oid(cell)));
}

/* The table argument, which must be there. */
static Oid
table_arg(FunctionCallInfo fcinfo)
{
	Oid relid;

	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("table must not be null")));
	relid = PG_GETARG_OID(0);
	if (get_rel_name(relid) == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("there is no such table")));
	return relid;
}

/* An array argument that must not be null. */
static ArrayType *
array_arg(FunctionCallInfo fcinfo, int arg, const char *name)
{
	if (PG_ARGISNULL(arg))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be null", name)));
	return PG_GETARG_ARRAYTYPE_P(arg);
}

/* The row of audit_capture: made, or brought up to what is asked now. */
static void
store_request(const CaptureRequest *request)
{
	static StewardPlan upsert = STEWARD_PLAN(
		"utttTTtt",
		"INSERT INTO steward.audit_capture (org_id, schema_name, table_name, org_column, left_out, masked, per, "
		"table_owner) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (org_id, schema_name, table_name) DO UPDATE "
		"SET org_column = excluded.org_column, left_out = excluded.left_out, masked = excluded.masked, "
		"per = excluded.per, table_owner = excluded.table_owner");
	Datum values[] = {
		UUIDPGetDatum(request->org),
		CStringGetTextDatum(get_namespace_name(get_rel_namespace(request->relid))),
		CStringGetTextDatum(get_rel_name(request->relid)),
		request->org_column ? CStringGetTextDatum(request->org_column) : (Datum) 0,
		PointerGetDatum(request->left_out),
		PointerGetDatum(request->masked),
		CStringGetTextDatum(request->per),
		CStringGetTextDatum(GetUserNameFromId(steward_caller(), false)),
	};
	bool nulls[] = {false, false, false, request->org_column == NULL, false, false, false, false};

	steward_run(&upsert, STEWARD_TRANSACTION, values, nulls);
}

/* Forgets a table; whether an organization audited it. */
static bool
forget_request(Oid relid, const pg_uuid_t *org)
{
	static StewardPlan remove = STEWARD_PLAN("utt", "DELETE FROM steward.audit_capture WHERE org_id = $1 "
													"AND schema_name = $2 AND table_name = $3");
	Datum values[] = {UUIDPGetDatum(org), CStringGetTextDatum(get_namespace_name(get_rel_namespace(relid))),
					  CStringGetTextDatum(get_rel_name(relid))};

	return steward_run(&remove, STEWARD_TRANSACTION, values, NULL) > 0;
}

/* Raises when another organization audits the table: one table has one set of triggers. */
static void
check_not_taken(Oid relid, const pg_uuid_t *org)
{
	static StewardPlan find = STEWARD_PLAN("utt", "SELECT FROM steward.audit_capture WHERE org_id <> $1 "
												  "AND schema_name = $2 AND table_name = $3");
	Datum values[] = {UUIDPGetDatum(org), CStringGetTextDatum(get_namespace_name(get_rel_namespace(relid))),
					  CStringGetTextDatum(get_rel_name(relid))};

	if (steward_run(&find, STEWARD_TRANSACTION, values, NULL) > 0)
		refuse("this table is audited already, for another organization",
			   "A table with rows of several organizations is audited with org_column.");
}

/*
 * audit_table("table" regclass, left_out text[] DEFAULT '{}', masked text[] DEFAULT '{}', per text DEFAULT 'row',
 *		org_column text DEFAULT NULL, org uuid DEFAULT default_org()) → audited boolean
 *		Audits a table: each row's changes, or each statement's; TRUNCATE either way.  Again with other options: those hold.
 *
 * Only the owner of the table, who needs app or admin in the organization.  Columns left out are not recorded at all,
 * of masked ones only that they changed.  With org_column, rows go to the log of the organization that they name.
 * Raises 42501 for somebody else's table, 42703 for a column that is not there, ST614 for what cannot be audited so.
 */
Datum
steward_audit_table(PG_FUNCTION_ARGS)
{
	static const char *const ways[] = {"row", "statement", NULL};
	CaptureRequest request = {.relid = table_arg(fcinfo)};
	Relation rel;

	request.left_out = array_arg(fcinfo, 1, "left_out");
	request.masked = array_arg(fcinfo, 2, "masked");
	request.per = steward_text_arg(fcinfo, 3, "per", true);
	steward_check_choice(request.per, "per", ways, ERRCODE_STEWARD_VALUE_INVALID);
	request.org_column = steward_text_arg(fcinfo, 4, "org_column", false);
	request.org = steward_org_arg(fcinfo, 5);
	steward_require(request.org, STEWARD_PROFILE_APP | STEWARD_PROFILE_ADMIN);
	require_ownership(request.relid);
	PreventCommandIfReadOnly("audit_table()");
	STEWARD_AS_OWNER();
	{
		rel = table_open(request.relid, ShareRowExclusiveLock);
		check_table(rel, &request);
		table_close(rel, NoLock);
		check_not_taken(request.relid, request.org);
		store_request(&request);
		(void) drop_triggers(request.relid);
		(void) make_triggers(&request);
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_BOOL(true);
}

/*
 * unaudit_table("table" regclass, org uuid DEFAULT default_org()) → unaudited boolean
 *		Ends it; what was recorded stays.  False when the table was not audited.  Only the owner, as above.
 */
Datum
steward_unaudit_table(PG_FUNCTION_ARGS)
{
	Oid relid = table_arg(fcinfo);
	const pg_uuid_t *org = steward_org_arg(fcinfo, 1);
	volatile bool unaudited = false;

	steward_require(org, STEWARD_PROFILE_APP | STEWARD_PROFILE_ADMIN);
	require_ownership(relid);
	PreventCommandIfReadOnly("unaudit_table()");
	STEWARD_AS_OWNER();
	{
		if (forget_request(relid, org))
		{
			(void) drop_triggers(relid);
			unaudited = true;
		}
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_BOOL(unaudited);
}

/* The tables that are audited by request, as rows of (org_id, relid, org_column, left_out, masked, per). */
static StewardPlan audited_tables =
	STEWARD_PLAN("", "SELECT c.org_id, k.oid, c.org_column, c.left_out, c.masked, c.per FROM steward.audit_capture c "
					 "JOIN pg_namespace n ON n.nspname = c.schema_name JOIN pg_class k ON k.relnamespace = n.oid "
					 "AND k.relname = c.table_name ORDER BY c.org_id, c.schema_name, c.table_name");

/*
 * steward_complete_captures
 *		Step of maintain(): brings the triggers to partitions that were added.
 */
char *
steward_complete_captures(void)
{
	uint64 n = steward_run(&audited_tables, STEWARD_TRANSACTION, NULL, NULL);
	SPITupleTable *rows = SPI_tuptable;
	int made = 0;

	for (uint64 i = 0; i < n; i++)
	{
		bool isnull;
		CaptureRequest request = {
			.org = DatumGetUUIDP(SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &isnull)),
			.relid = DatumGetObjectId(SPI_getbinval(rows->vals[i], rows->tupdesc, 2, &isnull)),
			.org_column = SPI_getvalue(rows->vals[i], rows->tupdesc, 3),
			.left_out = DatumGetArrayTypeP(SPI_getbinval(rows->vals[i], rows->tupdesc, 4, &isnull)),
			.masked = DatumGetArrayTypeP(SPI_getbinval(rows->vals[i], rows->tupdesc, 5, &isnull)),
			.per = SPI_getvalue(rows->vals[i], rows->tupdesc, 6),
		};

		CHECK_FOR_INTERRUPTS();
		/* A table that lost its own triggers was taken out by somebody: that is for health to say, not to undo. */
		if (has_trigger(request.relid, strcmp(request.per, "row") == 0 ? "steward_audit" : "steward_audit_insert"))
			made += make_triggers(&request);
	}
	return psprintf("%d triggers made", made);
}

/*
 * steward_check_captures
 *		Health: tables that were to be audited and are not.
 */
void
steward_check_captures(ReturnSetInfo *rsinfo)
{
	static StewardPlan find = STEWARD_PLAN(
		"",
		"WITH wanted AS (SELECT c.schema_name, c.table_name, c.per, to_regclass(quote_ident(c.schema_name) || '.' || "
		"quote_ident(c.table_name)) AS rel FROM steward.audit_capture c), "
		"part AS (SELECT w.*, w.rel AS part FROM wanted w UNION SELECT w.*, t.relid FROM wanted w, "
		"pg_partition_tree(w.rel) t), "
		"need AS (SELECT p.*, unnest(CASE p.per WHEN 'row' THEN ARRAY['steward_audit'] ELSE "
		"ARRAY['steward_audit_insert', 'steward_audit_update', 'steward_audit_delete'] END) AS name FROM part p) "
		"SELECT string_agg(DISTINCT n.schema_name || '.' || n.table_name, ', ') FROM need n WHERE n.rel IS NULL OR NOT "
		"EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = n.part AND t.tgname = n.name AND t.tgenabled = 'A')");
	char *tables;

	steward_run(&find, STEWARD_TRANSACTION, NULL, NULL);
	tables = steward_result_text(0, 1);
	if (tables)
		steward_health_answer(
			rsinfo, "audited tables", "warning",
			psprintf("gone, or their triggers are missing or not enabled always: %s", tables),
			"SELECT * FROM steward.maintain(); -- for new partitions; else steward.audit_table() again");
	else
		steward_health_answer(rsinfo, "audited tables", "ok", "all are audited as asked", NULL);
}
