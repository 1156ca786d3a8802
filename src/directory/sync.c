/*
 * sync.c
 *		Full resynchronization: begin_sync(), the rows, end_sync(); who was not seen in between has left.
 *
 * Rows are seen when they are written, by whichever path, or named by import_directory().  An import compares and writes
 * only what differs, so a resynchronization in which little changed costs a scan and little more.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/uuid.h"

#include "core/authority.h"
#include "core/plan.h"
#include "core/reference.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_begin_sync);
PG_FUNCTION_INFO_V1(steward_end_sync);

/* Abandons the open resynchronization of a directory, if there is one. */
static void
abandon(const pg_uuid_t *org, const pg_uuid_t *directory)
{
	static StewardPlan update = STEWARD_PLAN(
		"uu", "WITH old AS (UPDATE steward.directory_sync SET state = 'abandoned', ended_at = clock_timestamp() "
			  "WHERE org_id = $1 AND directory_id = $2 AND state = 'open' RETURNING org_id, id) "
			  "DELETE FROM steward.directory_sync_seen s USING old WHERE s.org_id = old.org_id AND s.sync_id = old.id");
	Datum values[] = {UUIDPGetDatum(org), UUIDPGetDatum(directory)};

	steward_run(&update, STEWARD_LATEST, values, NULL);
}

/*
 * begin_sync(directory uuid | text, restart boolean DEFAULT false, org uuid DEFAULT default_org()) → sync_id uuid
 *		Begins a full resynchronization of a directory.
 *
 * Needs connector.  Raises ST307 while another is open; with restart that one is abandoned, and nobody leaves by it.
 */
Datum
steward_begin_sync(PG_FUNCTION_ARGS)
{
	static StewardPlan insert =
		STEWARD_PLAN("uun", "INSERT INTO steward.directory_sync (org_id, directory_id, began_by) VALUES ($1, $2, $3) "
							"ON CONFLICT (org_id, directory_id) WHERE state = 'open' DO NOTHING RETURNING id");
	char *reference = steward_reference_arg(fcinfo, 0, "directory", true);
	const pg_uuid_t *org;
	pg_uuid_t *result = palloc(sizeof(pg_uuid_t));
	NameData caller;

	if (PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("restart must not be null")));
	org = steward_org_arg(fcinfo, 2);
	steward_require(org, STEWARD_PROFILE_CONNECTOR);
	PreventCommandIfReadOnly("begin_sync()");
	namestrcpy(&caller, steward_caller_name());

	STEWARD_AS_OWNER();
	{
		pg_uuid_t *directory = steward_resolve(STEWARD_REF_DIRECTORY, org, reference, "directory");
		Datum values[] = {UUIDPGetDatum(org), UUIDPGetDatum(directory), NameGetDatum(&caller)};
		bool isnull;

		if (PG_GETARG_BOOL(1))
			abandon(org, directory);
		if (steward_run(&insert, STEWARD_LATEST, values, NULL) == 0)
			ereport(ERROR, (errcode(ERRCODE_STEWARD_SYNC_STATE),
							errmsg("a resynchronization of directory \"%s\" is open already", reference),
							errhint("End it with steward.end_sync(), or begin again with restart => true.")));
		*result = *DatumGetUUIDP(steward_result(0, 1, &isnull));
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_UUID_P(result);
}

/*
 * end_sync(directory uuid | text, org uuid DEFAULT default_org()) → (seen bigint, left_users bigint, left_groups bigint)
 *		Ends a resynchronization: users who were not seen are inactive from now on, groups that were not seen are gone.
 *
 * Needs connector.  Raises ST307 when none is open or it has seen nobody, ST304 when more people would leave than the
 * brake lets.
 */
Datum
steward_end_sync(PG_FUNCTION_ARGS)
{
	static StewardPlan find = STEWARD_PLAN(
		"uu",
		"SELECT s.id, (SELECT count(*) FROM steward.directory_sync_seen x WHERE x.org_id = s.org_id "
		"AND x.sync_id = s.id), EXISTS (SELECT FROM steward.directory_sync_seen x JOIN steward.directory_user u "
		"ON u.org_id = x.org_id AND u.id = x.row_id WHERE x.org_id = s.org_id AND x.sync_id = s.id) "
		"FROM steward.directory_sync s WHERE s.org_id = $1 AND s.directory_id = $2 AND s.state = 'open' FOR UPDATE OF s");
	static StewardPlan users = STEWARD_PLAN(
		"uuu",
		"UPDATE steward.directory_user u SET active = false WHERE u.org_id = $1 AND u.directory_id = $2 AND u.active "
		"AND u.id NOT IN (SELECT x.row_id FROM steward.directory_sync_seen x WHERE x.org_id = $1 AND x.sync_id = $3)");
	static StewardPlan groups = STEWARD_PLAN(
		"uuu",
		"DELETE FROM steward.directory_group g WHERE g.org_id = $1 AND g.directory_id = $2 "
		"AND g.id NOT IN (SELECT x.row_id FROM steward.directory_sync_seen x WHERE x.org_id = $1 AND x.sync_id = $3)");
	static StewardPlan finish = STEWARD_PLAN(
		"uulll",
		"WITH forgotten AS (DELETE FROM steward.directory_sync_seen WHERE org_id = $1 AND sync_id = $2) "
		"UPDATE steward.directory_sync SET state = 'ended', ended_at = clock_timestamp(), seen = $3, left_users = $4, "
		"left_groups = $5 WHERE org_id = $1 AND id = $2");
	char *reference = steward_reference_arg(fcinfo, 0, "directory", true);
	const pg_uuid_t *org = steward_org_arg(fcinfo, 1);
	TupleDesc desc;
	Datum answer[3];
	bool nulls[3] = {false, false, false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "end_sync() does not return a row");
	steward_require(org, STEWARD_PROFILE_CONNECTOR);
	PreventCommandIfReadOnly("end_sync()");

	STEWARD_AS_OWNER();
	{
		pg_uuid_t *directory = steward_resolve(STEWARD_REF_DIRECTORY, org, reference, "directory");
		pg_uuid_t sync;
		Datum values[5] = {UUIDPGetDatum(org), UUIDPGetDatum(directory)};
		bool isnull;

		if (steward_run(&find, STEWARD_LATEST, values, NULL) == 0)
			ereport(ERROR, (errcode(ERRCODE_STEWARD_SYNC_STATE),
							errmsg("no resynchronization of directory \"%s\" is open", reference),
							errhint("Begin one with steward.begin_sync().")));
		sync = *DatumGetUUIDP(steward_result(0, 1, &isnull));
		answer[0] = Int64GetDatum(DatumGetInt64(steward_result(0, 2, &isnull)));
		if (!DatumGetBool(steward_result(0, 3, &isnull)))
			ereport(ERROR, (errcode(ERRCODE_STEWARD_SYNC_STATE),
							errmsg("the resynchronization of directory \"%s\" has seen no user", reference),
							errdetail("Everybody in the directory would have left.")));
		values[2] = UUIDPGetDatum(&sync);
		answer[1] = Int64GetDatum((int64) steward_run(&users, STEWARD_LATEST, values, NULL));
		answer[2] = Int64GetDatum((int64) steward_run(&groups, STEWARD_LATEST, values, NULL));
		values[1] = UUIDPGetDatum(&sync);
		memcpy(&values[2], answer, sizeof(answer));
		steward_run(&finish, STEWARD_LATEST, values, NULL);
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), answer, nulls)));
}
