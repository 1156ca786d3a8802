/*
 * plan.c
 *		Statements that C code runs through SPI.
 *
 * Callers are connected to SPI and inside the owner's bracket (authority.h), which pins the search path; the statements
 * themselves name every object of steward with its schema.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/uuid.h"

#include "core/plan.h"
#include "core/relation.h"
#include "steward.h"

/* From this size on a set has a plan of its own. */
#define MANY_ROWS 500

/*
 * steward_own_type
 *		OID of one of the extension's own types; looked up, because it differs between databases.
 */
Oid
steward_own_type(const char *name)
{
	return GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum(name), ObjectIdGetDatum(steward_namespace()));
}

/* Type of a parameter from its letter in StewardPlan.args. */
static Oid
type_of(char letter)
{
	switch (letter)
	{
		case 'u':
			return UUIDOID;
		case 'U':
			return UUIDARRAYOID;
		case 't':
			return TEXTOID;
		case 'T':
			return TEXTARRAYOID;
		case 'n':
			return NAMEOID;
		case 'z':
			return TIMESTAMPTZOID;
		case 'i':
			return INTERVALOID;
		case 'l':
			return INT8OID;
		case 'L':
			return INT8ARRAYOID;
		case 'b':
			return BOOLOID;
		case 'j':
			return JSONBOID;
		case 'J':
			return JSONBARRAYOID;
		case 'Z':
			return TIMESTAMPTZARRAYOID;
		case 'y':
			return BYTEAOID;
		case 's':
			return steward_own_type("scope_set");
		case 'd':
			return steward_own_type("digest");
	}
	elog(ERROR, "unknown parameter letter \"%c\"", letter);
	return InvalidOid;
}

/* Frees the plans of a statement that were made for another incarnation of the extension. */
static void
forget_plans(StewardPlan *plan)
{
	if (plan->few)
		SPI_freeplan(plan->few);
	if (plan->many)
		SPI_freeplan(plan->many);
	plan->few = NULL;
	plan->many = NULL;
}

/*
 * The saved plan of a statement for a set of the given size; prepared at the first use of each.
 *
 * One plan cannot serve both: a nested loop that is right for one person is quadratic for a hundred thousand, and
 * planning anew costs more than the work for one.  So small sets share a generic plan, and large ones are planned for
 * their parameters.
 */
static SPIPlanPtr
saved_plan(StewardPlan *plan, int nargs, int64 rows)
{
	Oid schema = steward_namespace();
	bool many = rows > MANY_ROWS;
	SPIPlanPtr *slot = many ? &plan->many : &plan->few;
	Oid types[STEWARD_MAX_ARGS];

	if (plan->schema != schema)
		forget_plans(plan);
	plan->schema = schema;
	if (*slot == NULL)
	{
		SPIPlanPtr prepared;

		for (int i = 0; i < nargs; i++)
			types[i] = type_of(plan->args[i]);
		prepared = SPI_prepare_cursor(plan->sql, nargs, types, many ? CURSOR_OPT_CUSTOM_PLAN : CURSOR_OPT_GENERIC_PLAN);
		if (prepared == NULL || SPI_keepplan(prepared) != 0)
			elog(ERROR, "could not prepare \"%s\": %s", plan->sql, SPI_result_code_string(SPI_result));
		*slot = prepared;
	}
	return *slot;
}

/* Runs a statement for a set of the given size. */
static uint64
run_sized(StewardPlan *plan, StewardSight sight, const Datum *values, const bool *nulls, int64 rows, bool set)
{
	int nargs = strlen(plan->args);
	SPIPlanPtr prepared = saved_plan(plan, nargs, rows);
	char spi_nulls[STEWARD_MAX_ARGS];
	int guc_level = 0;
	int rc;

	Assert(nargs <= STEWARD_MAX_ARGS);
	for (int i = 0; i < nargs; i++)
		spi_nulls[i] = (nulls != NULL && nulls[i]) ? 'n' : ' ';

	/*
	 * Without statistics, or with those of another organization's size, a set would be joined with everything of its
	 * organization.  Our statements over sets name their joins in the right order: follow it.
	 */
	if (set)
	{
		guc_level = NewGUCNestLevel();
		(void) set_config_option("join_collapse_limit", "1", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
								 false);
		/* Nor can the planner know how long an intermediate result is: for a large set a nested loop is never right. */
		if (rows > MANY_ROWS)
			(void) set_config_option("enable_nestloop", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
									 false);
	}
	if (sight == STEWARD_LATEST)
		rc = SPI_execute_snapshot(prepared, (Datum *) values, spi_nulls, GetLatestSnapshot(), InvalidSnapshot, false,
								  true, 0);
	else
		rc = SPI_execute_plan(prepared, (Datum *) values, spi_nulls, false, 0);
	if (rc < 0)
		elog(ERROR, "could not execute \"%s\": %s", plan->sql, SPI_result_code_string(rc));
	if (guc_level != 0)
		AtEOXact_GUC(false, guc_level);
	return SPI_processed;
}

/*
 * steward_run
 *		Runs a statement with its parameters; the result is in SPI_tuptable, its row count is returned.
 *
 * nulls may be NULL when no parameter is.  Where the first parameter is an array, its length is the size of the set.
 * Triggers that the statement fires run before this returns, inside the bracket of the caller.
 */
uint64
steward_run(StewardPlan *plan, StewardSight sight, const Datum *values, const bool *nulls)
{
	int64 rows = 1;

	if (isupper((unsigned char) plan->args[0]))
	{
		ArrayType *array = DatumGetArrayTypeP(values[0]);

		rows = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	}
	return run_sized(plan, sight, values, nulls, rows, isupper((unsigned char) plan->args[0]) != 0);
}

/*
 * steward_run_at
 *		Runs a statement that only reads as a given snapshot sees it, so that it can be compared with other reads under it.
 */
uint64
steward_run_at(StewardPlan *plan, Snapshot snapshot, const Datum *values, const bool *nulls)
{
	int nargs = strlen(plan->args);
	SPIPlanPtr prepared = saved_plan(plan, nargs, 1);
	char spi_nulls[STEWARD_MAX_ARGS];
	int rc;

	for (int i = 0; i < nargs; i++)
		spi_nulls[i] = (nulls != NULL && nulls[i]) ? 'n' : ' ';
	rc = SPI_execute_snapshot(prepared, (Datum *) values, spi_nulls, snapshot, InvalidSnapshot, true, false, 0);
	if (rc < 0)
		elog(ERROR, "could not execute \"%s\": %s", plan->sql, SPI_result_code_string(rc));
	return SPI_processed;
}

/*
 * steward_run_list
 *		The same for a set whose size the first parameter does not tell: the elements of a jsonb array.
 */
uint64
steward_run_list(StewardPlan *plan, StewardSight sight, const Datum *values, const bool *nulls, int64 rows)
{
	return run_sized(plan, sight, values, nulls, rows, true);
}

/*
 * steward_run_rows
 *		Runs a statement without parameters over transition tables of the given number of rows.
 */
uint64
steward_run_rows(StewardPlan *plan, StewardSight sight, int64 rows)
{
	Assert(plan->args[0] == '\0');
	return run_sized(plan, sight, NULL, NULL, rows, true);
}

/*
 * steward_result
 *		A value of the last statement's result; row counts from 0, column from 1.
 */
Datum
steward_result(int row, int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, isnull);
}

/*
 * steward_result_text
 *		The same as text, NULL for a null.
 */
char *
steward_result_text(int row, int column)
{
	return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);
}

/*
 * steward_uuid_column
 *		A uuid column of the last statement's result as a uuid[], to hand it to the next statement.
 */
Datum
steward_uuid_column(int column)
{
	uint64 n = SPI_processed;
	Datum *values = palloc(sizeof(Datum) * Max(n, 1));
	bool *nulls = palloc(sizeof(bool) * Max(n, 1));
	int dims[1] = {(int) n};
	int lower[1] = {1};

	if (n == 0)
		return steward_empty_uuids();
	if (n > MaxAllocSize / (2 * UUID_LEN))
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("too many rows in one statement"),
						errhint("Make the change in several statements.")));
	for (uint64 i = 0; i < n; i++)
		values[i] = steward_result(i, column, &nulls[i]);
	return PointerGetDatum(construct_md_array(values, nulls, 1, dims, lower, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
}

Datum
steward_empty_uuids(void)
{
	return PointerGetDatum(construct_empty_array(UUIDOID));
}

/*
 * steward_same_array
 *		Whether two arrays have the same elements in the same order.
 */
bool
steward_same_array(Datum a, Datum b)
{
	return datumIsEqual(a, b, false, -1);
}
