/*
 * foresee.c
 *		Previews: what somebody's leaving or moving, or a whole resynchronization, would do; exactly, by doing it and
 *		taking it back.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/uuid.h"

#include "core/authority.h"
#include "core/plan.h"
#include "core/preview.h"
#include "core/reference.h"
#include "directory/import.h"
#include "directory/lifecycle.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_preview_leaver);
PG_FUNCTION_INFO_V1(steward_preview_mover);
PG_FUNCTION_INFO_V1(steward_preview_sync);

/* Who may look ahead: it takes the same locks as the real thing. */
#define MAY_FORESEE (STEWARD_PROFILE_CONNECTOR | STEWARD_PROFILE_SECURITY | STEWARD_PROFILE_ADMIN)

/* What is tried out. */
typedef struct Trial
{
	const pg_uuid_t *org;
	char *reference;
	Datum json;
	bool complete;
} Trial;

/* The person, who must be human; inside the bracket. */
static pg_uuid_t *
person_of(const Trial *trial)
{
	static StewardPlan find =
		STEWARD_PLAN("uu", "SELECT FROM steward.principal WHERE org_id = $1 AND id = $2 AND kind = 'human'");
	pg_uuid_t *person = steward_resolve(STEWARD_REF_PRINCIPAL, trial->org, trial->reference, "person");
	Datum values[] = {UUIDPGetDatum(trial->org), UUIDPGetDatum(person)};

	if (steward_run(&find, STEWARD_LATEST, values, NULL) == 0)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_OWNER_NOT_HUMAN), errmsg("\"%s\" is not a person", trial->reference)));
	return person;
}

static void
leave(void *arg)
{
	static StewardPlan record = STEWARD_PLAN(
		"uu",
		"INSERT INTO steward.lifecycle_event (org_id, kind, principal_id, directory_id, directory_user_id, person, cause) "
		"SELECT p.org_id, 'leaver', p.id, u.directory_id, u.id, coalesce(p.user_name, p.name), 'deactivated' "
		"FROM steward.principal p LEFT JOIN LATERAL (SELECT u.directory_id, u.id FROM steward.principal_identity i JOIN " DIRECTORY_ROWS
		" WHERE i.org_id = p.org_id AND i.principal_id = p.id ORDER BY u.active DESC LIMIT 1) u ON true "
		"WHERE p.org_id = $1 AND p.id = $2 AND p.state <> 'offboarded' RETURNING org_id, principal_id, id");
	const Trial *trial = arg;

	STEWARD_AS_OWNER();
	{
		Datum values[] = {UUIDPGetDatum(trial->org), UUIDPGetDatum(person_of(trial))};
		StewardAffected affected = {0};
		StewardPeople leavers = {.n = (int64) steward_run(&record, STEWARD_LATEST, values, NULL)};

		if (leavers.n > 0)
		{
			leavers.orgs = steward_uuid_column(1);
			leavers.principals = steward_uuid_column(2);
			leavers.events = steward_uuid_column(3);
			steward_offboard(&affected, &leavers);
		}
	}
	STEWARD_AS_OWNER_END();
}

static void
move(void *arg)
{
	static StewardPlan update = STEWARD_PLAN(
		"uuj",
		"UPDATE steward.directory_user u SET (email, display_name, title, department, cost_center, employee_number, "
		"user_type, start_date, end_date, attributes) = (SELECT r.email, r.display_name, r.title, r.department, "
		"r.cost_center, r.employee_number, r.user_type, r.start_date, r.end_date, r.attributes FROM "
		"jsonb_populate_record(u, $3) r) FROM steward.principal_identity i WHERE i.org_id = $1 AND i.principal_id = $2 "
		"AND u.org_id = i.org_id AND u.directory_id = i.directory_id AND u.external_id = i.external_id");
	static StewardPlan leave_groups = STEWARD_PLAN(
		"uuj",
		"DELETE FROM steward.directory_member m USING steward.principal_identity i JOIN " DIRECTORY_ROWS
		" WHERE $3 ? 'groups' AND i.org_id = $1 AND i.principal_id = $2 AND m.org_id = u.org_id AND m.user_id = u.id "
		"AND NOT EXISTS (SELECT FROM steward.directory_group g WHERE g.org_id = m.org_id AND g.id = m.group_id "
		"AND $3 -> 'groups' ? g.display_name)");
	static StewardPlan join_groups = STEWARD_PLAN(
		"uuj", "INSERT INTO steward.directory_member (org_id, group_id, user_id) SELECT u.org_id, g.id, u.id "
			   "FROM steward.principal_identity i JOIN " DIRECTORY_ROWS
			   " JOIN steward.directory_group g ON g.org_id = u.org_id "
			   "AND g.directory_id = u.directory_id AND $3 -> 'groups' ? g.display_name "
			   "WHERE i.org_id = $1 AND i.principal_id = $2 ON CONFLICT DO NOTHING");
	const Trial *trial = arg;

	STEWARD_AS_OWNER();
	{
		Datum values[] = {UUIDPGetDatum(trial->org), UUIDPGetDatum(person_of(trial)), trial->json};

		steward_run(&update, STEWARD_LATEST, values, NULL);
		steward_run(&leave_groups, STEWARD_LATEST, values, NULL);
		steward_run(&join_groups, STEWARD_LATEST, values, NULL);
	}
	STEWARD_AS_OWNER_END();
}

static void
synchronize(void *arg)
{
	const Trial *trial = arg;

	steward_import(trial->org, trial->reference, trial->json, trial->complete, NULL);
}

/*
 * preview_leaver(person uuid | text, org uuid DEFAULT default_org()) → rows (table_name text, action text, row_key
 *		jsonb, old_values jsonb, new_values jsonb)
 *		Every row that the person's leaving would change.
 *
 * Needs connector, security or admin.  Changes nothing.
 */
Datum
steward_preview_leaver(PG_FUNCTION_ARGS)
{
	Trial trial = {.reference = steward_reference_arg(fcinfo, 0, "person", true), .org = steward_org_arg(fcinfo, 1)};

	steward_require(trial.org, MAY_FORESEE);
	steward_preview_rows(fcinfo, trial.org, leave, &trial);
	return (Datum) 0;
}

/* What preview_mover() can change. */
static const char *const movable[] = {"email",		 "display_name",	"title",	 "department",
									  "cost_center", "employee_number", "user_type", "start_date",
									  "end_date",	 "attributes",		"groups",	 NULL};

/*
 * preview_mover(person uuid | text, attributes jsonb, org uuid DEFAULT default_org()) → rows, as preview_leaver()
 *		Every row that another department, title, … or list of groups would change.
 *
 * Needs connector, security or admin.  Raises ST213 for an attribute that is none of a person's.
 */
Datum
steward_preview_mover(PG_FUNCTION_ARGS)
{
	Trial trial = {.reference = steward_reference_arg(fcinfo, 0, "person", true)};
	Jsonb *attributes;
	JsonbIterator *it;
	JsonbValue v;

	if (PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("attributes must not be null")));
	trial.json = PG_GETARG_DATUM(1);
	trial.org = steward_org_arg(fcinfo, 2);
	steward_require(trial.org, MAY_FORESEE);
	attributes = DatumGetJsonbP(trial.json);
	if (!JB_ROOT_IS_OBJECT(attributes) || JB_ROOT_COUNT(attributes) == 0)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_VALUE_INVALID),
						errmsg("attributes must be an object with at least one attribute")));
	it = JsonbIteratorInit(&attributes->root);
	(void) JsonbIteratorNext(&it, &v, true);
	while (JsonbIteratorNext(&it, &v, true) == WJB_KEY)
	{
		steward_check_choice(pnstrdup(v.val.string.val, v.val.string.len), "attribute", movable,
							 ERRCODE_STEWARD_VALUE_INVALID);
		(void) JsonbIteratorNext(&it, &v, true);
	}
	steward_preview_rows(fcinfo, trial.org, move, &trial);
	return (Datum) 0;
}

/*
 * preview_sync(directory uuid | text, resources jsonb, complete boolean DEFAULT true, org uuid DEFAULT default_org())
 *		→ rows, as preview_leaver()
 *		Every row that an import of these resources would change; the brake does not stop a preview.
 *
 * Needs connector, security or admin.  Raises as import_directory().
 */
Datum
steward_preview_sync(PG_FUNCTION_ARGS)
{
	Trial trial = {.reference = steward_reference_arg(fcinfo, 0, "directory", true)};

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("resources and complete must not be null")));
	trial.json = PG_GETARG_DATUM(1);
	trial.complete = PG_GETARG_BOOL(2);
	trial.org = steward_org_arg(fcinfo, 3);
	steward_require(trial.org, MAY_FORESEE);
	steward_preview_rows(fcinfo, trial.org, synchronize, &trial);
	return (Datum) 0;
}
