/*
 * import.c
 *		import_directory(): SCIM 2.0 resources, as Okta, Entra ID and others send them, into the directory tables.
 *
 * The import only writes directory rows; joiners, movers and leavers follow from these, by the triggers, in the same
 * commit.  One statement a step for any number of resources, and a resource that says what the row says already is not
 * touched.  A malformed resource stops the whole import with its position: nothing is half done.
 *
 * Core and enterprise attributes become columns, RFC 7643 §4; what else a source sends is kept in attributes, except a
 * password (§4.1.1), which is nobody's business here.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/uuid.h"

#include "core/authority.h"
#include "core/plan.h"
#include "core/reference.h"
#include "directory/import.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_import_directory);

#define USER_SCHEMA "urn:ietf:params:scim:schemas:core:2.0:User"
#define GROUP_SCHEMA "urn:ietf:params:scim:schemas:core:2.0:Group"
#define ENTERPRISE_SCHEMA "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

/* The most resources in one call. */
#define MAX_RESOURCES 1000000

/* From this length on a list is long. */
#define LONG_LIST 1000

/* Parameters 1 to 3 of the statements: organization, directory, array of resources. */
#define RESOURCES "jsonb_array_elements($3) WITH ORDINALITY AS t(r, n)"

/* The user resources as rows. */
#define USERS \
	"SELECT t.n, coalesce(nullif(t.r->>'externalId', ''), t.r->>'id') AS external_id, t.r->>'id' AS source_id, " \
	"t.r->>'userName' AS user_name, lower(coalesce(t.r->>'active', 'true')) = 'true' AS active, " \
	"(SELECT m->>'value' FROM jsonb_array_elements(CASE jsonb_typeof(t.r->'emails') WHEN 'array' THEN t.r->'emails' " \
	"ELSE '[]' END) AS m WHERE m->>'value' <> '' ORDER BY lower(m->>'primary') = 'true' DESC NULLS LAST, " \
	"m->>'type' = 'work' DESC NULLS LAST LIMIT 1) AS email, " \
	"coalesce(nullif(t.r->>'displayName', ''), t.r#>>'{name,formatted}') AS display_name, " \
	"t.r#>>'{name,givenName}' AS given_name, t.r#>>'{name,familyName}' AS family_name, t.r->>'title' AS title, " \
	"e.x->>'department' AS department, e.x->>'costCenter' AS cost_center, e.x->>'employeeNumber' AS employee_number, " \
	"nullif(coalesce(e.x#>>'{manager,value}', CASE jsonb_typeof(e.x->'manager') WHEN 'string' THEN e.x->>'manager' END), '') " \
	"AS manager, t.r->>'userType' AS user_type, " \
	"(t.r - ARRAY['schemas', 'id', 'externalId', 'userName', 'password', 'name', 'displayName', 'title', 'active', " \
	"'userType', 'emails', 'groups', 'meta', '" ENTERPRISE_SCHEMA "']) " \
	"|| CASE WHEN e.x - ARRAY['department', 'costCenter', 'employeeNumber', 'manager'] <> '{}' " \
	"THEN jsonb_build_object('enterprise', e.x - ARRAY['department', 'costCenter', 'employeeNumber', 'manager']) " \
	"ELSE '{}' END AS attributes, t.r#>>'{meta,version}' AS version, " \
	"(t.r#>>'{meta,lastModified}')::timestamptz AS event_time " \
	"FROM " RESOURCES " CROSS JOIN LATERAL (SELECT CASE jsonb_typeof(t.r->'" ENTERPRISE_SCHEMA "') WHEN 'object' " \
	"THEN t.r->'" ENTERPRISE_SCHEMA "' ELSE '{}' END AS x) e WHERE t.r->'schemas' ? '" USER_SCHEMA "'"

/* The columns that an import writes, in order. */
#define USER_COLUMNS \
	"external_id, source_id, user_name, active, email, display_name, given_name, family_name, title, department, " \
	"cost_center, employee_number, manager_user_id, user_type, attributes, version, event_time"
#define EXCLUDED_COLUMNS \
	"excluded.external_id, excluded.source_id, excluded.user_name, excluded.active, excluded.email, " \
	"excluded.display_name, excluded.given_name, excluded.family_name, excluded.title, excluded.department, " \
	"excluded.cost_center, excluded.employee_number, excluded.manager_user_id, excluded.user_type, " \
	"excluded.attributes, excluded.version, excluded.event_time"

/* The group resources as rows. */
#define GROUPS \
	"SELECT t.n, coalesce(nullif(t.r->>'externalId', ''), t.r->>'id') AS external_id, t.r->>'id' AS source_id, " \
	"t.r->>'displayName' AS display_name, CASE jsonb_typeof(t.r->'members') WHEN 'array' THEN t.r->'members' " \
	"ELSE '[]' END AS members, t.r - ARRAY['schemas', 'id', 'externalId', 'displayName', 'members', 'meta'] AS attributes, " \
	"t.r#>>'{meta,version}' AS version, (t.r#>>'{meta,lastModified}')::timestamptz AS event_time " \
	"FROM " RESOURCES " WHERE t.r->'schemas' ? '" GROUP_SCHEMA "'"

/* Values of the statements; complete and the caller's choices beside them. */
typedef struct Import
{
	Datum values[3];
	bool complete;
	ReturnSetInfo *rsinfo;
} Import;

/* Adds a row to the answer. */
static void
answer(const Import *import, const char *resource, int64 found, int64 added, int64 changed, int64 removed,
	   int64 unmatched)
{
	Datum values[] = {CStringGetTextDatum(resource),
					  Int64GetDatum(found),
					  Int64GetDatum(added),
					  Int64GetDatum(changed),
					  Int64GetDatum(found - added - changed - unmatched),
					  Int64GetDatum(removed),
					  Int64GetDatum(unmatched)};
	bool nulls[lengthof(values)] = {false};

	/* A preview has another answer. */
	if (import->rsinfo == NULL)
		return;
	tuplestore_putvalues(import->rsinfo->setResult, import->rsinfo->setDesc, values, nulls);
}

/* A count from the last statement's only row. */
static int64
count_at(int column)
{
	bool isnull;
	Datum value = steward_result(0, column, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

/*
 * The planner cannot know how long a list is and takes it for short.  For a long one a nested loop is the wrong answer to
 * every join here; the setting ends with the bracket.
 */
static void
plan_for_size(Datum resources)
{
	if (JB_ROOT_COUNT(DatumGetJsonbP(resources)) > LONG_LIST)
		(void) set_config_option("enable_nestloop", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

/*
 * The resources as an array, whatever they came as: an array, a ListResponse (RFC 7644 §3.4.2), or a single resource.
 */
static Datum
resource_array(Datum resources)
{
	static StewardPlan unwrap = STEWARD_PLAN(
		"j", "SELECT CASE WHEN jsonb_typeof($1) = 'array' THEN $1 WHEN jsonb_typeof($1->'Resources') = 'array' "
			 "THEN $1->'Resources' WHEN jsonb_typeof($1->'schemas') = 'array' THEN jsonb_build_array($1) END AS a");
	Datum array;
	bool isnull;
	int count;

	steward_run(&unwrap, STEWARD_TRANSACTION, &resources, NULL);
	array = steward_result(0, 1, &isnull);
	if (isnull)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_IMPORT_MALFORMED), errmsg("resources are not SCIM 2.0"),
						errdetail("Expected an array of resources, a ListResponse or a single resource.")));
	count = JB_ROOT_COUNT(DatumGetJsonbP(array));
	if (count == 0)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_IMPORT_EMPTY), errmsg("there are no resources to import"),
						errdetail("An empty list changes nobody; it could also mean that everybody left.")));
	if (count > MAX_RESOURCES)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("too many resources in one import"),
						errdetail("There are %d; the most are %d.", count, MAX_RESOURCES)));
	return array;
}

/* Raises for the first resource that cannot be imported, with its position. */
static void
check_resources(const Import *import)
{
	static StewardPlan find_bad = STEWARD_PLAN(
		"uuj",
		"WITH keyed AS (SELECT t.n, t.r, coalesce(nullif(t.r->>'externalId', ''), t.r->>'id') AS external_id, "
		"t.r->'schemas' ? '" USER_SCHEMA "' AS is_user, t.r->'schemas' ? '" GROUP_SCHEMA "' AS is_group FROM " RESOURCES
		"), "
		"checked AS (SELECT n, CASE WHEN jsonb_typeof(r) <> 'object' THEN 'it is not an object' "
		"WHEN (is_user OR is_group) IS NOT TRUE THEN 'schemas names neither a core User nor a core Group' "
		"WHEN external_id IS NULL OR external_id = '' THEN 'it has neither externalId nor id' "
		"WHEN external_id <> btrim(external_id) OR length(external_id) > 512 THEN 'externalId is padded or too long' "
		"WHEN is_group AND coalesce(btrim(r->>'displayName'), '') = '' THEN 'displayName is missing' "
		"WHEN is_group AND length(r->>'displayName') > 512 THEN 'displayName is too long' "
		"WHEN is_user AND coalesce(r->>'userName', '') = '' THEN 'userName is missing' "
		"WHEN is_user AND (r->>'userName' <> btrim(r->>'userName') OR length(r->>'userName') > 512) "
		"THEN 'userName is padded or too long' "
		"WHEN is_user AND lower(coalesce(r->>'active', 'true')) NOT IN ('true', 'false') THEN 'active is neither true nor false' "
		"WHEN is_user AND coalesce(jsonb_typeof(r->'emails'), 'array') <> 'array' THEN 'emails is not an array' "
		"WHEN is_user AND EXISTS (SELECT FROM jsonb_array_elements(r->'emails') AS m WHERE m->>'value' <> '' AND "
		"(m->>'value' <> btrim(m->>'value') OR length(m->>'value') NOT BETWEEN 3 AND 320)) "
		"THEN 'an e-mail address is padded, too short or too long' "
		"WHEN is_group AND coalesce(jsonb_typeof(r->'members'), 'array') <> 'array' THEN 'members is not an array' "
		"WHEN r#>>'{meta,lastModified}' !~ '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?(Z|[+-]\\d\\d:\\d\\d)$' "
		"THEN 'meta.lastModified is not a date and time' "
		"WHEN count(*) OVER (PARTITION BY is_group, external_id) > 1 THEN 'its identifier occurs more than once' "
		"WHEN is_user AND count(*) OVER (PARTITION BY is_group, lower(r->>'userName')) > 1 "
		"THEN 'its userName occurs more than once' END AS problem FROM keyed) "
		"SELECT n, problem FROM checked WHERE problem IS NOT NULL ORDER BY n LIMIT 1");

	if (steward_run(&find_bad, STEWARD_TRANSACTION, import->values, NULL) > 0)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_IMPORT_MALFORMED),
						errmsg("resource %s cannot be imported", steward_result_text(0, 1)),
						errdetail("In it, %s.", steward_result_text(0, 2)),
						errhint("Nothing was imported; positions count from 1.")));
}

/* The directory of that name or id, made when a name is new; locked, so that two imports take turns. */
static pg_uuid_t *
open_directory(const pg_uuid_t *org, const char *reference)
{
	static StewardPlan make = STEWARD_PLAN(
		"ut",
		"INSERT INTO steward.directory (org_id, name, kind) VALUES ($1, $2, CASE WHEN lower($2) LIKE 'okta%' THEN 'okta' "
		"WHEN lower($2) LIKE 'entra%' THEN 'entra' WHEN lower($2) LIKE 'google%' THEN 'google' ELSE 'scim' END) "
		"ON CONFLICT (org_id, name) DO NOTHING");
	static StewardPlan lock = STEWARD_PLAN(
		"uu", "UPDATE steward.directory SET last_import_at = now() WHERE org_id = $1 AND id = $2 RETURNING state");
	Datum values[2] = {UUIDPGetDatum(org)};
	pg_uuid_t *id;

	/* What has the form of a uuid names a directory that exists. */
	if (strlen(reference) != 36 || strspn(reference, "0123456789abcdefABCDEF-") != 36)
	{
		values[1] = CStringGetTextDatum(reference);
		steward_run(&make, STEWARD_TRANSACTION, values, NULL);
	}
	id = steward_resolve(STEWARD_REF_DIRECTORY, org, reference, "directory");
	values[1] = UUIDPGetDatum(id);
	steward_run(&lock, STEWARD_TRANSACTION, values, NULL);
	if (strcmp(steward_result_text(0, 1), "linked") != 0)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_DIRECTORY_UNLINKED), errmsg("directory \"%s\" is unlinked", reference),
						errhint("Set its state to linked first; that brings its people back.")));
	return id;
}

/* Names the rows of the list to an open resynchronization; those that were written have been seen already. */
static void
note_seen(const Import *import)
{
	static StewardPlan users = STEWARD_PLAN(
		"uuj", "INSERT INTO steward.directory_sync_seen (org_id, sync_id, row_id) SELECT s.org_id, s.id, u.id "
			   "FROM steward.directory_sync s JOIN steward.directory_user u ON u.org_id = s.org_id "
			   "AND u.directory_id = s.directory_id WHERE s.org_id = $1 AND s.directory_id = $2 AND s.state = 'open' "
			   "AND u.external_id IN (SELECT i.external_id FROM (" USERS ") i) ON CONFLICT DO NOTHING");
	static StewardPlan groups = STEWARD_PLAN(
		"uuj", "INSERT INTO steward.directory_sync_seen (org_id, sync_id, row_id) SELECT s.org_id, s.id, g.id "
			   "FROM steward.directory_sync s JOIN steward.directory_group g ON g.org_id = s.org_id "
			   "AND g.directory_id = s.directory_id WHERE s.org_id = $1 AND s.directory_id = $2 AND s.state = 'open' "
			   "AND g.external_id IN (SELECT i.external_id FROM (" GROUPS ") i) ON CONFLICT DO NOTHING");

	steward_run(&users, STEWARD_LATEST, import->values, NULL);
	steward_run(&groups, STEWARD_LATEST, import->values, NULL);
}

/* Users: new, changed; and, when the list is complete, those no longer in it. */
static void
import_users(const Import *import)
{
	static StewardPlan upsert = STEWARD_PLAN(
		"uuj",
		"WITH input AS MATERIALIZED (" USERS "), "
		"placed AS MATERIALIZED (SELECT i.*, coalesce(by_external.id, by_source.id, steward.uuid7()) AS id FROM input i "
		"LEFT JOIN steward.directory_user by_external ON by_external.org_id = $1 AND by_external.directory_id = $2 "
		"AND by_external.external_id = i.external_id "
		"LEFT JOIN steward.directory_user by_source ON by_external.id IS NULL AND by_source.org_id = $1 "
		"AND by_source.directory_id = $2 AND by_source.source_id = i.source_id), "
		/* A manager is named by the source's id or its external id; in this list, or in an earlier one. */
		"known AS MATERIALIZED (SELECT DISTINCT ON (value) value, id FROM (SELECT source_id AS value, id, 1 AS rank FROM placed "
		"UNION ALL SELECT external_id, id, 2 FROM placed UNION ALL SELECT u.source_id, u.id, 3 FROM steward.directory_user u "
		"WHERE u.org_id = $1 AND u.directory_id = $2 UNION ALL SELECT u.external_id, u.id, 4 FROM steward.directory_user u "
		"WHERE u.org_id = $1 AND u.directory_id = $2) k ORDER BY value, rank), "
		"managed AS (SELECT p.*, k.id AS manager_user_id FROM placed p LEFT JOIN known k ON k.value = p.manager), "
		"written AS (INSERT INTO steward.directory_user (org_id, id, directory_id, " USER_COLUMNS ") "
		"SELECT $1, id, $2, " USER_COLUMNS " FROM managed ORDER BY id "
		"ON CONFLICT (org_id, id) DO UPDATE SET (" USER_COLUMNS ") = (" EXCLUDED_COLUMNS ") "
		"WHERE (directory_user.external_id, directory_user.source_id, directory_user.user_name, directory_user.active, "
		"directory_user.email, directory_user.display_name, directory_user.given_name, directory_user.family_name, "
		"directory_user.title, directory_user.department, directory_user.cost_center, directory_user.employee_number, "
		"directory_user.manager_user_id, directory_user.user_type, directory_user.attributes, directory_user.version, "
		"directory_user.event_time) IS DISTINCT FROM (" EXCLUDED_COLUMNS ") RETURNING xmax = 0 AS added) "
		"SELECT (SELECT count(*) FROM input), count(*) FILTER (WHERE added), count(*) FILTER (WHERE NOT added), "
		"(SELECT count(*) FROM managed WHERE manager IS NOT NULL AND manager_user_id IS NULL) FROM written");
	static StewardPlan gone = STEWARD_PLAN(
		"uuj",
		"UPDATE steward.directory_user u SET active = false WHERE u.org_id = $1 AND u.directory_id = $2 AND u.active "
		"AND NOT EXISTS (SELECT FROM (" USERS ") i WHERE i.external_id = u.external_id)");
	int64 found;
	int64 added;
	int64 changed;
	int64 managers;
	int64 removed = 0;

	steward_run(&upsert, STEWARD_TRANSACTION, import->values, NULL);
	found = count_at(1);
	added = count_at(2);
	changed = count_at(3);
	managers = count_at(4);
	if (import->complete)
	{
		if (found == 0)
			ereport(ERROR, (errcode(ERRCODE_STEWARD_IMPORT_EMPTY), errmsg("a complete import names no user"),
							errdetail("Everybody in the directory would have left.")));
		removed = (int64) steward_run(&gone, STEWARD_TRANSACTION, import->values, NULL);
	}
	answer(import, "User", found, added, changed, removed, 0);
	if (managers > 0)
		answer(import, "manager", managers, 0, 0, 0, managers);
}

/* Groups: new, changed; and, when the list is complete, those no longer in it. */
static void
import_groups(const Import *import)
{
	static StewardPlan upsert = STEWARD_PLAN(
		"uuj",
		"WITH input AS MATERIALIZED (" GROUPS "), "
		"written AS (INSERT INTO steward.directory_group (org_id, directory_id, external_id, source_id, display_name, "
		"attributes, version, event_time) SELECT $1, $2, external_id, source_id, display_name, attributes, version, "
		"event_time FROM input ORDER BY external_id "
		"ON CONFLICT (org_id, directory_id, external_id) DO UPDATE SET (source_id, display_name, attributes, version, event_time) "
		"= (excluded.source_id, excluded.display_name, excluded.attributes, excluded.version, excluded.event_time) "
		"WHERE (directory_group.source_id, directory_group.display_name, directory_group.attributes, "
		"directory_group.version, directory_group.event_time) IS DISTINCT FROM (excluded.source_id, "
		"excluded.display_name, excluded.attributes, excluded.version, excluded.event_time) RETURNING xmax = 0 AS added) "
		"SELECT (SELECT count(*) FROM input), count(*) FILTER (WHERE added), count(*) FILTER (WHERE NOT added) FROM written");
	static StewardPlan gone =
		STEWARD_PLAN("uuj", "DELETE FROM steward.directory_group g WHERE g.org_id = $1 AND g.directory_id = $2 "
							"AND NOT EXISTS (SELECT FROM (" GROUPS ") i WHERE i.external_id = g.external_id)");
	int64 found;
	int64 added;
	int64 changed;
	int64 removed = 0;

	steward_run(&upsert, STEWARD_TRANSACTION, import->values, NULL);
	found = count_at(1);
	added = count_at(2);
	changed = count_at(3);
	if (import->complete)
		removed = (int64) steward_run(&gone, STEWARD_TRANSACTION, import->values, NULL);
	answer(import, "Group", found, added, changed, removed, 0);
}

/* Memberships of the groups in the list: exactly what it says. */
static void
import_members(const Import *import)
{
	/* Members of groups as the list states them; user_id is null for one that the directory does not have. */
#define MEMBERS \
	"SELECT DISTINCT g.id AS group_id, m.v->>'value' AS value, coalesce(s.id, x.id) AS user_id FROM (" GROUPS ") i " \
	"JOIN steward.directory_group g ON g.org_id = $1 AND g.directory_id = $2 AND g.external_id = i.external_id " \
	"CROSS JOIN jsonb_array_elements(i.members) AS m(v) " \
	"LEFT JOIN steward.directory_user s ON s.org_id = $1 AND s.directory_id = $2 AND s.source_id = m.v->>'value' " \
	"LEFT JOIN steward.directory_user x ON x.org_id = $1 AND x.directory_id = $2 AND x.external_id = m.v->>'value'"
	static StewardPlan remove = STEWARD_PLAN(
		"uuj", "WITH stated AS MATERIALIZED (" MEMBERS ") DELETE FROM steward.directory_member d WHERE d.org_id = $1 "
			   "AND d.group_id IN (SELECT g.id FROM (" GROUPS ") i JOIN steward.directory_group g ON g.org_id = $1 "
			   "AND g.directory_id = $2 AND g.external_id = i.external_id) "
			   "AND NOT EXISTS (SELECT FROM stated s WHERE s.group_id = d.group_id AND s.user_id = d.user_id)");
	static StewardPlan add = STEWARD_PLAN(
		"uuj",
		"WITH stated AS MATERIALIZED (" MEMBERS "), written AS (INSERT INTO steward.directory_member "
		"(org_id, group_id, user_id) SELECT DISTINCT $1, group_id, user_id FROM stated WHERE user_id IS NOT NULL "
		"ON CONFLICT DO NOTHING RETURNING 1) SELECT (SELECT count(*) FROM stated), (SELECT count(*) FROM written), "
		"(SELECT count(*) FROM stated WHERE user_id IS NULL)");
	int64 removed = (int64) steward_run(&remove, STEWARD_TRANSACTION, import->values, NULL);

	steward_run(&add, STEWARD_TRANSACTION, import->values, NULL);
	answer(import, "member", count_at(1), count_at(2), 0, removed, count_at(3));
}

/*
 * steward_import
 *		Imports checked arguments; rsinfo takes the answer, or is NULL for a preview.
 */
void
steward_import(const pg_uuid_t *org, const char *reference, Datum resources, bool complete, ReturnSetInfo *rsinfo)
{
	Import import = {.rsinfo = rsinfo, .complete = complete};

	STEWARD_AS_OWNER();
	{
		import.values[0] = UUIDPGetDatum(org);
		/* Not known yet, and not used before it is. */
		import.values[1] = UUIDPGetDatum(org);
		import.values[2] = resource_array(resources);
		plan_for_size(import.values[2]);
		check_resources(&import);
		import.values[1] = UUIDPGetDatum(open_directory(org, reference));
		import_users(&import);
		import_groups(&import);
		import_members(&import);
		note_seen(&import);
	}
	STEWARD_AS_OWNER_END();
}

/*
 * import_directory(directory uuid | text, resources jsonb, complete boolean DEFAULT false,
 *					org uuid DEFAULT default_org())
 *		→ rows (resource text, found bigint, added bigint, changed bigint, unchanged bigint, removed bigint,
 *				unmatched bigint)
 *
 *		Loads SCIM 2.0 users and groups into a directory, which is made when its name is new.
 *
 * With complete, users and groups of the directory that the list does not name are gone: these users have left.
 * unmatched counts members and managers that the directory does not have.  Needs connector.  Raises ST301 with the
 * position of a malformed resource, ST302 for an empty list, ST303 for an unlinked directory.
 */
Datum
steward_import_directory(PG_FUNCTION_ARGS)
{
	bool complete;
	char *reference = steward_reference_arg(fcinfo, 0, "directory", true);
	const pg_uuid_t *org;
	Datum resources;

	if (pg_mbstrlen(reference) > 200)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_VALUE_INVALID), errmsg("directory is too long"),
						errdetail("It has %d characters; the longest name has 200.", pg_mbstrlen(reference))));
	if (PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("resources must not be null")));
	if (PG_ARGISNULL(2))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("complete must not be null")));
	resources = PG_GETARG_DATUM(1);
	complete = PG_GETARG_BOOL(2);
	org = steward_org_arg(fcinfo, 3);
	steward_require(org, STEWARD_PROFILE_CONNECTOR);
	PreventCommandIfReadOnly("import_directory()");
	InitMaterializedSRF(fcinfo, 0);

	steward_import(org, reference, resources, complete, (ReturnSetInfo *) fcinfo->resultinfo);
	return (Datum) 0;
}
