/*
 * source.c
 *		Who may report signals, about whom, with what effect at most; and what signals bring about.
 *
 * A source is a principal that was granted the scope signal:NAME.  It is taken for its word only when the session has
 * assumed its identity, or when the calling role is the one it was registered with.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "core/authority.h"
#include "core/plan.h"
#include "core/reference.h"
#include "credential/grant.h"
#include "credential/people.h"
#include "governance/signal.h"
#include "scope/scope.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_register_signal_source);
PG_FUNCTION_INFO_V1(steward_retire_signal_source);
PG_FUNCTION_INFO_V1(steward_reset_brake);
PG_FUNCTION_INFO_V1(steward_set_signal_rule);
PG_FUNCTION_INFO_V1(steward_drop_signal_rule);

const char *const steward_signal_actions[] = {"alert", "suspend", "narrow", "revoke", NULL};
static const char *const autonomies[] = {"assistive", "supervised", "autonomous", NULL};

/* Raises unless a name can be a source's: it is part of a scope. */
static void
check_source_name(const char *name)
{
	if (!isalnum((unsigned char) name[0]) || strlen(name) > 63 ||
		strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") != strlen(name))
		ereport(ERROR, (errcode(ERRCODE_STEWARD_VALUE_INVALID), errmsg("invalid source \"%.63s\"", name),
						errdetail("It is at most 63 lower-case letters, digits, points, hyphens and underscores.")));
}

/* Raises unless an interval is longer than nothing and at most the given number of days. */
static void
check_interval(Datum interval, const char *name, int days)
{
	Interval zero = {0};
	Interval most = {.day = days};

	if (!DatumGetBool(DirectFunctionCall2(interval_gt, interval, IntervalPGetDatum(&zero))) ||
		!DatumGetBool(DirectFunctionCall2(interval_le, interval, IntervalPGetDatum(&most))))
		ereport(ERROR, (errcode(ERRCODE_STEWARD_VALUE_INVALID),
						errmsg("%s must be greater than zero and at most %d days", name, days)));
}

/* The scope that a source of the name needs, as a set of one. */
static Datum
scope_of(const char *name)
{
	Oid type = steward_own_type("scope_set");
	Oid input;
	Oid parameter;

	getTypeInputInfo(type, &input, &parameter);
	return OidInputFunctionCall(input, psprintf("signal:%s", name), parameter, -1);
}

/* The agents that a text[] names, as a uuid[]; raises for the first that is not known. */
static Datum
resolve_agents(const pg_uuid_t *org, Datum references)
{
	ArrayType *array = DatumGetArrayTypeP(references);
	Datum *elements;
	bool *nulls;
	int n;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &n);
	if (n == 0 || n > 10000)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_VALUE_INVALID), errmsg("agents must name 1 to 10000 agents"),
						errhint("Leave it out for a source that speaks for every agent.")));
	for (int i = 0; i < n; i++)
	{
		char *reference = nulls[i] ? "" : TextDatumGetCString(elements[i]);

		steward_check_reference(reference, "agent");
		elements[i] = UUIDPGetDatum(steward_resolve(STEWARD_REF_PRINCIPAL, org, reference, "agent"));
	}
	return PointerGetDatum(construct_array(elements, n, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
}

/*
 * register_signal_source(name text, principal uuid | text, max_action text DEFAULT 'suspend', agents text[] DEFAULT NULL,
 *						  role text DEFAULT NULL, brake_limit integer DEFAULT 20, brake_window interval DEFAULT '1 hour',
 *						  org uuid DEFAULT default_org()) → source_id uuid
 *		Registers a monitor, and grants its principal the scope signal:NAME where it lacks it; again with the same name,
 *		changes it.  Needs admin.
 *
 * agents NULL: it speaks for every one.  role: the database role that may speak for it; NULL: any with profile security.
 * brake_limit agents within brake_window are contained at most.
 */
Datum
steward_register_signal_source(PG_FUNCTION_ARGS)
{
	static StewardPlan upsert = STEWARD_PLAN(
		"utuntlUi",
		"INSERT INTO steward.signal_source (org_id, name, principal_id, role_name, max_action, brake_limit, agents, "
		"brake_window) VALUES ($1, $2, $3, $4, $5, $6::integer, $7, $8) ON CONFLICT (org_id, name) DO UPDATE SET "
		"principal_id = excluded.principal_id, role_name = excluded.role_name, max_action = excluded.max_action, "
		"brake_limit = excluded.brake_limit, agents = excluded.agents, brake_window = excluded.brake_window, "
		"retired_at = NULL RETURNING id");
	char *name = steward_text_arg(fcinfo, 0, "name", true);
	char *reference = steward_reference_arg(fcinfo, 1, "principal", true);
	char *action = steward_text_arg(fcinfo, 2, "max_action", true);
	char *role = steward_text_arg(fcinfo, 4, "role", false);
	const pg_uuid_t *org = steward_org_arg(fcinfo, 7);
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));

	check_source_name(name);
	steward_check_choice(action, "action", steward_signal_actions, ERRCODE_STEWARD_VALUE_INVALID);
	if (PG_ARGISNULL(5) || PG_ARGISNULL(6))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("a source needs a brake")));
	if (PG_GETARG_INT32(5) < 1)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_VALUE_INVALID), errmsg("brake_limit must be greater than zero")));
	check_interval(PG_GETARG_DATUM(6), "brake_window", 30);
	steward_require(org, STEWARD_PROFILE_ADMIN);
	if (role)
		(void) get_role_oid(role, false);
	PreventCommandIfReadOnly("register_signal_source()");

	STEWARD_AS_OWNER();
	{
		StewardPerson reporter;
		StewardPerson owner;
		NameData role_name;
		pg_uuid_t *principal = steward_resolve(STEWARD_REF_PRINCIPAL, org, reference, "principal");
		Datum scope = scope_of(name);
		bool isnull;

		steward_lock_pair(org, principal, NULL, &reporter, &owner);
		steward_require_scopes(org, principal, reporter.name, scope, true, "reports as a signal source", NULL);
		if (role)
			namestrcpy(&role_name, role);
		{
			Datum values[] = {UUIDPGetDatum(org),
							  CStringGetTextDatum(name),
							  UUIDPGetDatum(principal),
							  NameGetDatum(&role_name),
							  CStringGetTextDatum(action),
							  Int64GetDatum(PG_GETARG_INT32(5)),
							  PG_ARGISNULL(3) ? (Datum) 0 : resolve_agents(org, PG_GETARG_DATUM(3)),
							  PG_GETARG_DATUM(6)};
			bool nulls[] = {false, false, false, role == NULL, false, false, PG_ARGISNULL(3), false};

			steward_run(&upsert, STEWARD_TRANSACTION, values, nulls);
		}
		*id = *DatumGetUUIDP(steward_result(0, 1, &isnull));
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_UUID_P(id);
}

/* A statement on one row by name; whether there was one. */
static bool
change_by_name(FunctionCallInfo fcinfo, StewardPlan *plan, uint32 profiles, const char *argument, const char *command)
{
	char *name = steward_text_arg(fcinfo, 0, argument, true);
	const pg_uuid_t *org = steward_org_arg(fcinfo, 1);
	bool changed = false;

	steward_require(org, profiles);
	PreventCommandIfReadOnly(command);
	STEWARD_AS_OWNER();
	{
		Datum values[] = {UUIDPGetDatum(org), CStringGetTextDatum(name)};

		changed = steward_run(plan, STEWARD_LATEST, values, NULL) > 0;
	}
	STEWARD_AS_OWNER_END();
	return changed;
}

/*
 * retire_signal_source(source text, org uuid DEFAULT default_org()) → retired boolean
 *		Ends a monitor's reporting.  Needs admin.
 */
Datum
steward_retire_signal_source(PG_FUNCTION_ARGS)
{
	static StewardPlan retire = STEWARD_PLAN("ut", "UPDATE steward.signal_source SET retired_at = clock_timestamp() "
												   "WHERE org_id = $1 AND name = $2 AND retired_at IS NULL");

	PG_RETURN_BOOL(change_by_name(fcinfo, &retire, STEWARD_PROFILE_ADMIN, "source", "retire_signal_source()"));
}

/*
 * reset_brake(source text, org uuid DEFAULT default_org()) → reset boolean
 *		Lets a monitor contain agents again; what it contained until now no longer counts.  Needs security or admin.
 */
Datum
steward_reset_brake(PG_FUNCTION_ARGS)
{
	static StewardPlan reset =
		STEWARD_PLAN("ut", "UPDATE steward.signal_source SET braked_at = NULL, brake_reset_at = clock_timestamp() "
						   "WHERE org_id = $1 AND name = $2 AND braked_at IS NOT NULL");

	PG_RETURN_BOOL(
		change_by_name(fcinfo, &reset, STEWARD_PROFILE_SECURITY | STEWARD_PROFILE_ADMIN, "source", "reset_brake()"));
}

/*
 * drop_signal_rule(name text, org uuid DEFAULT default_org()) → dropped boolean
 *		Takes a rule away; what it brought about stays.  Needs admin.
 */
Datum
steward_drop_signal_rule(PG_FUNCTION_ARGS)
{
	static StewardPlan drop = STEWARD_PLAN("ut", "DELETE FROM steward.signal_rule WHERE org_id = $1 AND name = $2");

	PG_RETURN_BOOL(change_by_name(fcinfo, &drop, STEWARD_PROFILE_ADMIN, "name", "drop_signal_rule()"));
}

/*
 * set_signal_rule(name text, action text, category text DEFAULT NULL, min_score numeric DEFAULT 0.8,
 *				   min_count integer DEFAULT 1, within interval DEFAULT '10 minutes', autonomy text DEFAULT NULL,
 *				   suspend_for interval DEFAULT NULL, narrow_to scope_set DEFAULT NULL, org uuid DEFAULT default_org())
 *		→ rule_id uuid
 *
 *		Sets what signals bring about, or changes it.  suspend and narrow have an end (24 hours where none is given);
 *		narrow says what remains.  Needs admin.
 */
Datum
steward_set_signal_rule(PG_FUNCTION_ARGS)
{
	static StewardPlan upsert = STEWARD_PLAN(
		"utttlititsn",
		"INSERT INTO steward.signal_rule (org_id, name, action, category, min_count, within, autonomy, suspend_for, min_score, "
		"narrow_to, created_by) SELECT $1, $2, $3, $4, $5::integer, $6, $7, $8, $9::numeric, $10, $11 "
		"WHERE $4 IS NULL OR EXISTS (SELECT FROM steward.signal_category c WHERE c.category = $4) "
		"ON CONFLICT (org_id, name) DO UPDATE SET action = excluded.action, category = excluded.category, "
		"min_count = excluded.min_count, within = excluded.within, autonomy = excluded.autonomy, "
		"suspend_for = excluded.suspend_for, min_score = excluded.min_score, narrow_to = excluded.narrow_to RETURNING id");
	char *name = steward_name_arg(fcinfo, 0, "name", 200, true);
	char *action = steward_text_arg(fcinfo, 1, "action", true);
	char *category = steward_text_arg(fcinfo, 2, "category", false);
	char *autonomy = steward_text_arg(fcinfo, 6, "autonomy", false);
	Interval day = {.day = 1};
	Datum suspend_for = PG_ARGISNULL(7) ? IntervalPGetDatum(&day) : PG_GETARG_DATUM(7);
	const pg_uuid_t *org = steward_org_arg(fcinfo, 9);
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));
	bool narrow;
	bool ends;
	double score;

	steward_check_choice(action, "action", steward_signal_actions, ERRCODE_STEWARD_VALUE_INVALID);
	if (autonomy)
		steward_check_choice(autonomy, "autonomy", autonomies, ERRCODE_STEWARD_VALUE_INVALID);
	for (int i = 3; i < 6; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("min_score, min_count and within must not be null")));
	score = DatumGetFloat8(DirectFunctionCall1(numeric_float8, PG_GETARG_DATUM(3)));
	if (!(score >= 0 && score <= 1))
		ereport(ERROR, (errcode(ERRCODE_STEWARD_VALUE_INVALID), errmsg("min_score must be between 0 and 1")));
	if (PG_GETARG_INT32(4) < 1 || PG_GETARG_INT32(4) > 10000)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_VALUE_INVALID), errmsg("min_count must be between 1 and 10000")));
	check_interval(PG_GETARG_DATUM(5), "within", 30);
	narrow = strcmp(action, "narrow") == 0;
	ends = narrow || strcmp(action, "suspend") == 0;
	if (narrow == PG_ARGISNULL(8))
		ereport(ERROR, (errcode(ERRCODE_STEWARD_VALUE_INVALID),
						errmsg(narrow ? "narrow needs narrow_to: what remains" : "only narrow takes narrow_to")));
	if (!ends && !PG_ARGISNULL(7))
		ereport(ERROR, (errcode(ERRCODE_STEWARD_VALUE_INVALID), errmsg("%s takes no suspend_for", action)));
	check_interval(suspend_for, "suspend_for", 360);
	steward_require(org, STEWARD_PROFILE_ADMIN);
	PreventCommandIfReadOnly("set_signal_rule()");

	STEWARD_AS_OWNER();
	{
		NameData caller;
		bool isnull;

		namestrcpy(&caller, steward_caller_name());
		{
			Datum values[] = {
				UUIDPGetDatum(org),
				CStringGetTextDatum(name),
				CStringGetTextDatum(action),
				category ? CStringGetTextDatum(category) : (Datum) 0,
				Int64GetDatum(PG_GETARG_INT32(4)),
				PG_GETARG_DATUM(5),
				autonomy ? CStringGetTextDatum(autonomy) : (Datum) 0,
				suspend_for,
				CStringGetTextDatum(DatumGetCString(DirectFunctionCall1(numeric_out, PG_GETARG_DATUM(3)))),
				narrow ? PG_GETARG_DATUM(8) : (Datum) 0,
				NameGetDatum(&caller)};
			bool nulls[] = {false, false,	false, category == NULL, false, false, autonomy == NULL, !ends,
							false, !narrow, false};

			if (steward_run(&upsert, STEWARD_TRANSACTION, values, nulls) == 0)
				ereport(ERROR, (errcode(ERRCODE_STEWARD_VALUE_INVALID), errmsg("unknown category \"%.63s\"", category),
								errhint("SELECT category FROM steward.signal_category lists them.")));
		}
		*id = *DatumGetUUIDP(steward_result(0, 1, &isnull));
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_UUID_P(id);
}
