/*
 * policy.c
 *		The rules by which people come and go: policies of the organization and of single directories, default owners.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/uuid.h"

#include "core/authority.h"
#include "core/plan.h"
#include "core/reference.h"
#include "credential/people.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_set_lifecycle_policy);
PG_FUNCTION_INFO_V1(steward_set_default_owner);
PG_FUNCTION_INFO_V1(steward_set_birthright);

/* The rules, in the order of the statements below. */
#define RULES \
	"rotation_window, leaver_action, leaver_grace, mover_action, rehire_action, inactive_action, inactive_grace, " \
	"unlink_grace, leaver_rule, succession, brake_count, brake_percent"
static const char *const rules[] = {"rotation_window", "leaver_action",	  "leaver_grace",	"mover_action",
									"rehire_action",   "inactive_action", "inactive_grace", "unlink_grace",
									"leaver_rule",	   "succession",	  "brake_count",	"brake_percent"};

/* Raises for a rule that does not exist. */
static void
check_rules(Jsonb *policy)
{
	JsonbIterator *it;
	JsonbValue v;
	JsonbIteratorToken token;
	int depth = 0;

	if (!JB_ROOT_IS_OBJECT(policy) || JB_ROOT_COUNT(policy) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_STEWARD_POLICY_UNKNOWN), errmsg("policy must be an object with at least one rule")));
	it = JsonbIteratorInit(&policy->root);
	while ((token = JsonbIteratorNext(&it, &v, false)) != WJB_DONE)
	{
		if (token == WJB_BEGIN_OBJECT || token == WJB_BEGIN_ARRAY)
			depth++;
		else if (token == WJB_END_OBJECT || token == WJB_END_ARRAY)
			depth--;
		else if (token == WJB_KEY && depth == 1)
		{
			bool known = false;

			for (int i = 0; i < (int) lengthof(rules); i++)
				known |= (size_t) v.val.string.len == strlen(rules[i]) &&
						 memcmp(v.val.string.val, rules[i], v.val.string.len) == 0;
			if (!known)
				ereport(ERROR, (errcode(ERRCODE_STEWARD_POLICY_UNKNOWN),
								errmsg("unknown rule \"%.*s\"", Min(v.val.string.len, 63), v.val.string.val),
								errdetail("Rules are: " RULES ".")));
		}
	}
}

/*
 * set_lifecycle_policy(policy jsonb, directory text DEFAULT NULL, org uuid DEFAULT default_org()) → changed boolean
 *		Sets rules of the organization, or of one directory (there null means: as the organization has it).
 *
 * Needs admin.  Raises ST308 for an unknown rule, and the constraint's error for a value that a rule cannot have.
 */
Datum
steward_set_lifecycle_policy(PG_FUNCTION_ARGS)
{
	static StewardPlan organization = STEWARD_PLAN(
		"uj", "UPDATE steward.org_policy o SET (" RULES ", updated_at) = (SELECT " RULES ", now() FROM "
			  "jsonb_populate_record(o, $2)) WHERE org_id = $1 AND o IS DISTINCT FROM jsonb_populate_record(o, $2)");
	static StewardPlan directory = STEWARD_PLAN(
		"uju",
		"WITH made AS (INSERT INTO steward.directory_policy SELECT (jsonb_populate_record(NULL::steward.directory_policy, "
		"$2 || jsonb_build_object('org_id', $1, 'directory_id', $3, 'updated_at', now()))).* "
		"ON CONFLICT DO NOTHING RETURNING 1) "
		"SELECT count(*) FROM made");
	static StewardPlan update = STEWARD_PLAN(
		"uju", "UPDATE steward.directory_policy o SET (" RULES ", updated_at) = (SELECT " RULES ", now() FROM "
			   "jsonb_populate_record(o, $2)) WHERE org_id = $1 AND directory_id = $3 "
			   "AND o IS DISTINCT FROM jsonb_populate_record(o, $2)");
	char *reference;
	const pg_uuid_t *org;
	volatile bool changed = false;

	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("policy must not be null")));
	reference = steward_text_arg(fcinfo, 1, "directory", false);
	org = steward_org_arg(fcinfo, 2);
	steward_require(org, STEWARD_PROFILE_ADMIN);
	check_rules(PG_GETARG_JSONB_P(0));
	PreventCommandIfReadOnly("set_lifecycle_policy()");

	STEWARD_AS_OWNER();
	{
		Datum values[3] = {UUIDPGetDatum(org), PG_GETARG_DATUM(0)};
		bool isnull;

		if (reference == NULL)
			changed = steward_run(&organization, STEWARD_TRANSACTION, values, NULL) > 0;
		else
		{
			values[2] = UUIDPGetDatum(steward_resolve(STEWARD_REF_DIRECTORY, org, reference, "directory"));
			steward_run(&directory, STEWARD_TRANSACTION, values, NULL);
			changed = DatumGetInt64(steward_result(0, 1, &isnull)) > 0 ||
					  steward_run(&update, STEWARD_TRANSACTION, values, NULL) > 0;
		}
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_BOOL(changed);
}

/*
 * set_default_owner(owner uuid | text, department text DEFAULT NULL, org uuid DEFAULT default_org()) → owner_id uuid
 *		Names who takes over from leavers whom nobody else does: of a department, or of the whole organization.
 *
 * Needs admin.  The owner is a living human.
 */
Datum
steward_set_default_owner(PG_FUNCTION_ARGS)
{
	static StewardPlan organization =
		STEWARD_PLAN("uu", "UPDATE steward.org_policy SET default_owner_id = $2, updated_at = now() WHERE org_id = $1");
	static StewardPlan for_department = STEWARD_PLAN(
		"uut", "INSERT INTO steward.department_owner (org_id, owner_id, department) VALUES ($1, $2, lower($3)) "
			   "ON CONFLICT (org_id, department) DO UPDATE SET owner_id = excluded.owner_id");
	char *reference = steward_reference_arg(fcinfo, 0, "owner", true);
	char *department = steward_name_arg(fcinfo, 1, "department", 512, false);
	const pg_uuid_t *org = steward_org_arg(fcinfo, 2);
	pg_uuid_t *result = palloc(sizeof(pg_uuid_t));

	steward_require(org, STEWARD_PROFILE_ADMIN);
	PreventCommandIfReadOnly("set_default_owner()");
	STEWARD_AS_OWNER();
	{
		StewardPerson owner;
		Datum values[3] = {UUIDPGetDatum(org), 0, department ? CStringGetTextDatum(department) : (Datum) 0};

		*result = *steward_resolve(STEWARD_REF_PRINCIPAL, org, reference, "owner");
		steward_lock_owner(org, result, &owner);
		values[1] = UUIDPGetDatum(result);
		steward_run(department ? &for_department : &organization, STEWARD_TRANSACTION, values, NULL);
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_UUID_P(result);
}

static const char *const operators[] = {"equals", "not_equals", "starts_with", "ends_with", "present", NULL};

/*
 * set_birthright(name text, attribute text, scopes scope_set DEFAULT NULL, operator text DEFAULT 'equals', value text
 *				  DEFAULT NULL, role text DEFAULT NULL, directory text DEFAULT NULL, lifetime interval DEFAULT NULL,
 *				  enabled boolean DEFAULT true, org uuid DEFAULT default_org()) → rule_id uuid
 *		Makes or changes the birthright rule of that name; what it gives and takes is done at once.
 *
 * Needs admin.  Exactly one of scopes and role is given.  Raises ST213 for an unknown operator, ST106 for an unknown role
 * or directory, and the constraint's error for an attribute that nobody has.
 */
Datum
steward_set_birthright(PG_FUNCTION_ARGS)
{
	static StewardPlan find_role = STEWARD_PLAN("ut", "SELECT id FROM steward.role WHERE org_id = $1 AND name = $2");
	static StewardPlan write = STEWARD_PLAN(
		"uttsttuuib",
		"INSERT INTO steward.birthright_rule AS r (org_id, name, attribute, scopes, operator, value, role_id, directory_id, "
		"lifetime, enabled) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (org_id, name) DO UPDATE SET "
		"(attribute, scopes, operator, value, role_id, directory_id, lifetime, enabled) = (excluded.attribute, excluded.scopes, "
		"excluded.operator, excluded.value, excluded.role_id, excluded.directory_id, excluded.lifetime, excluded.enabled) "
		"RETURNING id");
	char *name = steward_name_arg(fcinfo, 0, "name", 200, true);
	char *attribute = steward_name_arg(fcinfo, 1, "attribute", 512, true);
	char *comparison = steward_text_arg(fcinfo, 3, "operator", true);
	char *value = steward_name_arg(fcinfo, 4, "value", 512, false);
	char *role = steward_text_arg(fcinfo, 5, "role", false);
	char *directory = steward_text_arg(fcinfo, 6, "directory", false);
	const pg_uuid_t *org = steward_org_arg(fcinfo, 9);
	pg_uuid_t *result = palloc(sizeof(pg_uuid_t));

	if (PG_ARGISNULL(8))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("enabled must not be null")));
	steward_require(org, STEWARD_PROFILE_ADMIN);
	steward_check_choice(comparison, "operator", operators, ERRCODE_STEWARD_VALUE_INVALID);
	if (PG_ARGISNULL(2) == (role == NULL))
		ereport(ERROR, (errcode(ERRCODE_STEWARD_VALUE_INVALID), errmsg("a birthright gives either scopes or a role")));
	PreventCommandIfReadOnly("set_birthright()");

	STEWARD_AS_OWNER();
	{
		Datum values[10] = {UUIDPGetDatum(org), CStringGetTextDatum(name), CStringGetTextDatum(attribute)};
		bool nulls[10] = {false};
		bool isnull;

		nulls[3] = PG_ARGISNULL(2);
		values[3] = nulls[3] ? (Datum) 0 : PG_GETARG_DATUM(2);
		values[4] = CStringGetTextDatum(comparison);
		nulls[5] = value == NULL;
		values[5] = value ? CStringGetTextDatum(value) : (Datum) 0;
		nulls[6] = role == NULL;
		if (role)
		{
			Datum named[] = {values[0], CStringGetTextDatum(role)};

			if (steward_run(&find_role, STEWARD_TRANSACTION, named, NULL) == 0)
				ereport(ERROR, (errcode(ERRCODE_STEWARD_REFERENCE_UNKNOWN),
								errmsg("role \"%s\" is not known in this organization", role)));
			values[6] = steward_result(0, 1, &isnull);
		}
		nulls[7] = directory == NULL;
		if (directory)
			values[7] = UUIDPGetDatum(steward_resolve(STEWARD_REF_DIRECTORY, org, directory, "directory"));
		nulls[8] = PG_ARGISNULL(7);
		values[8] = nulls[8] ? (Datum) 0 : PG_GETARG_DATUM(7);
		values[9] = BoolGetDatum(PG_GETARG_BOOL(8));
		steward_run(&write, STEWARD_TRANSACTION, values, nulls);
		*result = *DatumGetUUIDP(steward_result(0, 1, &isnull));
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_UUID_P(result);
}
