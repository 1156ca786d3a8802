/*
 * state.c
 *		verify_state(): whether today's rows are those that the log leads to; activity(): what somebody did.
 *
 * A row that was changed with triggers disabled, removed or slipped in has no event, so it differs from the row rebuilt
 * from its events.  Log and table are read under one snapshot.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "audit/canonical.h"
#include "audit/delta.h"
#include "audit/event.h"
#include "core/authority.h"
#include "core/guard.h"
#include "core/plan.h"
#include "core/reference.h"
#include "core/relation.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_verify_state);
PG_FUNCTION_INFO_V1(steward_activity);
PG_FUNCTION_INFO_V1(steward_audited_org);
PG_FUNCTION_INFO_V1(steward_audit_target);
PG_FUNCTION_INFO_V1(steward_csv_cell);

/* A row as the log has it, by its target hash; the keys are compared, too. */
typedef struct LoggedRow
{
	uint64 target; /* hash key */
	Jsonb *key;
	Jsonb *row;
	bool seen;
} LoggedRow;

/* Answers with a row. */
static void
answer(ReturnSetInfo *rsinfo, const char *table, Jsonb *key, const char *finding, Datum columns)
{
	Datum values[4] = {CStringGetTextDatum(table), JsonbPGetDatum(key), CStringGetTextDatum(finding), columns};
	bool nulls[4] = {false, false, false, columns == 0};

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* Whether two objects of jsonb are the same. */
static bool
same_json(Jsonb *a, Jsonb *b)
{
	return compareJsonbContainers(&a->root, &b->root) == 0;
}

/* Loads the rows of a table as the log has them. */
static HTAB *
load_logged(const char *table, const pg_uuid_t *org, Snapshot snapshot)
{
	static StewardPlan rebuild = STEWARD_PLAN(
		"ut",
		"WITH e AS (SELECT a.target, a.row_key, a.action, a.new_values, a.occurred_at, a.incarnation, a.xact, a.n "
		"FROM steward.audit_event a WHERE a.org_id = $1 AND a.table_name = $2 AND a.row_key IS NOT NULL), "
		"born AS (SELECT DISTINCT ON (target, row_key) target, row_key, action, occurred_at, incarnation, xact, n "
		"FROM e WHERE action IN ('insert', 'delete') "
		"ORDER BY target, row_key, occurred_at DESC, incarnation DESC, xact DESC, n DESC), "
		"merged AS (SELECT b.target, b.row_key, jsonb_object_agg(m.key, m.value ORDER BY e.occurred_at, "
		"e.incarnation, e.xact, e.n) AS whole FROM born b JOIN e ON e.target = b.target AND e.row_key = b.row_key "
		"AND (e.occurred_at, e.incarnation, e.xact, e.n) >= (b.occurred_at, b.incarnation, b.xact, b.n) "
		"CROSS JOIN LATERAL jsonb_each(e.new_values) m WHERE b.action = 'insert' GROUP BY b.target, b.row_key) "
		"SELECT target, row_key, (SELECT jsonb_object_agg(w.key, w.value) FROM jsonb_each(whole) w "
		"WHERE w.value <> 'null') FROM merged");
	HASHCTL control = {.keysize = sizeof(uint64), .entrysize = sizeof(LoggedRow), .hcxt = CurrentMemoryContext};
	HTAB *logged = hash_create("steward logged rows", 1024, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	Datum values[] = {UUIDPGetDatum(org), CStringGetTextDatum(table)};
	uint64 n = steward_run_at(&rebuild, snapshot, values, NULL);

	for (uint64 i = 0; i < n; i++)
	{
		bool isnull;
		uint64 target = DatumGetUInt64(steward_result((int) i, 1, &isnull));
		LoggedRow *row = hash_search(logged, &target, HASH_ENTER, NULL);

		CHECK_FOR_INTERRUPTS();
		row->key = DatumGetJsonbPCopy(steward_result((int) i, 2, &isnull));
		row->row = DatumGetJsonbPCopy(steward_result((int) i, 3, &isnull));
		row->seen = false;
	}
	SPI_freetuptable(SPI_tuptable);
	return logged;
}

/* The names of members in which two objects differ, as text[]. */
static Datum
differing_members(Jsonb *a, Jsonb *b)
{
	static StewardPlan find = STEWARD_PLAN(
		"jj", "SELECT array_agg(coalesce(x.key, y.key) ORDER BY 1) FROM jsonb_each($1) x FULL JOIN jsonb_each($2) y "
			  "ON y.key = x.key WHERE x.value IS DISTINCT FROM y.value");
	Datum values[] = {JsonbPGetDatum(a), JsonbPGetDatum(b)};
	bool isnull;

	steward_run(&find, STEWARD_TRANSACTION, values, NULL);
	return steward_result(0, 1, &isnull);
}

/* Compares one table's rows with what the log leads to. */
static void
verify_table(ReturnSetInfo *rsinfo, const StewardGuardedTable *table, const pg_uuid_t *org, Snapshot snapshot)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "steward table state", ALLOCSET_DEFAULT_SIZES);
	MemoryContext per_row = AllocSetContextCreate(context, "steward row state", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(context);
	char *name = psprintf(STEWARD_SCHEMA ".%s", table->name);
	HTAB *logged = load_logged(name, org, snapshot);
	Relation rel = table_open(get_relname_relid(table->name, steward_namespace()), AccessShareLock);
	StewardRowShape *shape = steward_row_shape(rel, context);
	AttrNumber org_column = SPI_fnumber(RelationGetDescr(rel), table->org);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	TableScanDesc scan = table_beginscan(rel, snapshot, 0, NULL);
	HASH_SEQ_STATUS seq;
	LoggedRow *row;

	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		StewardRowVersion version;
		Datum ignored;
		Datum whole;
		Jsonb *key;
		uint64 target;

		CHECK_FOR_INTERRUPTS();
		slot_getallattrs(slot);
		if (slot->tts_isnull[org_column - 1] ||
			memcmp(DatumGetUUIDP(slot->tts_values[org_column - 1]), org, sizeof(pg_uuid_t)) != 0)
			continue;
		MemoryContextSwitchTo(per_row);
		version = (StewardRowVersion){.values = slot->tts_values, .nulls = slot->tts_isnull};
		key = DatumGetJsonbP(steward_shape_key(shape, &version));
		target = (uint64) steward_target(name, (int) strlen(name), JsonbPGetDatum(key));
		steward_shape_delta(shape, NULL, &version, &ignored, &whole);
		row = hash_search(logged, &target, HASH_FIND, NULL);
		if (row == NULL || !same_json(row->key, key))
			answer(rsinfo, name, key, "not in the log", (Datum) 0);
		else
		{
			row->seen = true;
			if (!same_json(row->row, DatumGetJsonbP(whole)))
				answer(rsinfo, name, key, "differs from the log", differing_members(row->row, DatumGetJsonbP(whole)));
		}
		MemoryContextSwitchTo(context);
		MemoryContextReset(per_row);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	table_close(rel, AccessShareLock);
	hash_seq_init(&seq, logged);
	while ((row = hash_seq_search(&seq)) != NULL)
		if (!row->seen)
			answer(rsinfo, name, row->key, "gone without an event", (Datum) 0);
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(context);
}

/*
 * verify_state(org uuid DEFAULT default_org()) → rows (table_name text, row_key jsonb, finding text, columns text[])
 *		The rows of steward's tables that are not what their events lead to: changed, removed or added past the triggers.
 *		None when all are.  Auditors.
 *
 * What has left the log by retention cannot be rebuilt: rows whose insert event has expired show as not in the log.
 */
Datum
steward_verify_state(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	const pg_uuid_t *org = steward_org_arg(fcinfo, 0);

	steward_require(org, STEWARD_PROFILE_AUDITOR);
	InitMaterializedSRF(fcinfo, 0);
	STEWARD_AS_OWNER();
	{
		Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());

		for (const StewardGuardedTable *table = steward_guarded_tables; table->name; table++)
			if (table->audited && table->org)
				verify_table(rsinfo, table, org, snapshot);
		UnregisterSnapshot(snapshot);
	}
	STEWARD_AS_OWNER_END();
	return (Datum) 0;
}

/*
 * activity(principal text or uuid, since timestamptz DEFAULT now() - 30 days, org uuid DEFAULT default_org()) → rows
 *		(event text, occurred_at timestamptz, role text, action text, table_name text, row_key jsonb, new_values jsonb,
 *		metadata jsonb, session_role text, application_name text, client_address inet)
 *		What somebody did, as far as it is proven: events of the assumed identity (role "actor"), events in whose chain of
 *		actors it is ("chain"), and changes of its own row ("subject"), the oldest first.  Auditors.
 */
Datum
steward_activity(PG_FUNCTION_ARGS)
{
	static StewardPlan find = STEWARD_PLAN(
		"uuzl",
		"SELECT a.incarnation || '.' || a.xact::text || '.' || a.n, a.occurred_at, CASE WHEN a.actor_principal = $2 THEN "
		"'actor' WHEN $2 = ANY (a.actor_chain) THEN 'chain' ELSE 'subject' END, a.action, a.table_name, a.row_key, "
		"a.new_values, a.metadata, a.session_role, a.application_name, a.client_address FROM steward.audit_event a "
		"WHERE a.org_id = $1 AND a.recorded_at >= $3 AND (a.actor_principal = $2 OR (a.actor_principal IS NOT NULL AND "
		"$2 = ANY (a.actor_chain)) OR a.target = $4) ORDER BY a.incarnation, a.xact, a.n");
	static const char table_name[] = "steward.principal";
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	char *reference = steward_reference_arg(fcinfo, 0, "principal", true);
	const pg_uuid_t *org = steward_org_arg(fcinfo, 2);

	if (PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("since must not be null")));
	steward_require(org, STEWARD_PROFILE_AUDITOR);
	InitMaterializedSRF(fcinfo, 0);
	STEWARD_AS_OWNER();
	{
		pg_uuid_t *principal = steward_resolve(STEWARD_REF_PRINCIPAL, org, reference, "principal");
		char *key =
			psprintf("{\"id\": \"%s\"}", DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(principal))));
		Datum key_json = DirectFunctionCall1(jsonb_in, CStringGetDatum(key));
		Datum values[] = {UUIDPGetDatum(org), UUIDPGetDatum(principal), PG_GETARG_DATUM(1),
						  Int64GetDatum(steward_target(table_name, (int) strlen(table_name), key_json))};
		uint64 n = steward_run(&find, STEWARD_TRANSACTION, values, NULL);

		for (uint64 i = 0; i < n; i++)
		{
			Datum row[11];
			bool nulls[11];

			CHECK_FOR_INTERRUPTS();
			for (int column = 0; column < 11; column++)
				row[column] = steward_result((int) i, column + 1, &nulls[column]);
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row, nulls);
		}
	}
	STEWARD_AS_OWNER_END();
	return (Datum) 0;
}

/*
 * audit_target(table_name text, row_key jsonb) → bigint
 *		Hash of a table's name and a row's key: the column target of the audit view, over which there is an index.
 */
Datum
steward_audit_target(PG_FUNCTION_ARGS)
{
	text *name = PG_GETARG_TEXT_PP(0);

	PG_RETURN_INT64(steward_target(VARDATA_ANY(name), (int) VARSIZE_ANY_EXHDR(name), PG_GETARG_DATUM(1)));
}

/*
 * csv_cell(value text) → text
 *		A cell of CSV (RFC 4180): always quoted, and with an apostrophe before what a spreadsheet would take for a formula.
 *
 * NULL is an empty cell.
 */
Datum
steward_csv_cell(PG_FUNCTION_ARGS)
{
	StringInfoData cell;
	char *value;
	char first;

	if (PG_ARGISNULL(0))
		PG_RETURN_TEXT_P(cstring_to_text(""));
	value = text_to_cstring(PG_GETARG_TEXT_PP(0));
	initStringInfo(&cell);
	appendStringInfoChar(&cell, '"');
	/* Leading white space does not stop a spreadsheet from seeing a formula. */
	first = value[strspn(value, " \t\r\n")];
	if (value[0] == '\t' || value[0] == '\r' || value[0] == '\n' || (first != '\0' && strchr("=+-@|%", first) != NULL))
		appendStringInfoChar(&cell, '\'');
	for (char *c = value; *c; c++)
	{
		if (*c == '"')
			appendStringInfoChar(&cell, '"');
		appendStringInfoChar(&cell, *c);
	}
	appendStringInfoChar(&cell, '"');
	PG_RETURN_TEXT_P(cstring_to_text(cell.data));
}

/*
 * audited_org(org uuid) → uuid
 *		The organization itself, where the caller is an auditor of it; raises otherwise, as every function does.
 *
 * What SQL functions begin with: row-level security alone would answer with nothing.
 */
Datum
steward_audited_org(PG_FUNCTION_ARGS)
{
	const pg_uuid_t *org = steward_org_arg(fcinfo, 0);

	steward_require(org, STEWARD_PROFILE_AUDITOR);
	PG_RETURN_UUID_P(org);
}
