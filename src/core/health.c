/*
 * health.c
 *		Whether the installation is as it has to be.
 *
 * What is checked is what setup() makes, from the same lists (guard.c), and settings that weaken a promise.  A critical
 * row means that a rule may be passed by; its remedy is a statement.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "audit/capture_config.h"
#include "audit/incarnation.h"
#include "audit/log.h"
#include "core/authority.h"
#include "core/guard.h"
#include "core/health.h"
#include "core/plan.h"
#include "core/relation.h"
#include "core/sealing.h"
#include "governance/governance.h"
#include "revocation/pg_role.h"
#include "revocation/task.h"
#include "revocation/visible.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_health_checks);

#define SETUP_REMEDY "SELECT * FROM steward.setup();"

/*
 * steward_health_answer
 *		Adds a row to the answer; remedy is a statement, or NULL.
 */
void
steward_health_answer(ReturnSetInfo *rsinfo, const char *check, const char *status, const char *detail,
					  const char *remedy)
{
	Datum values[4] = {CStringGetTextDatum(check), CStringGetTextDatum(status), CStringGetTextDatum(detail),
					   remedy ? CStringGetTextDatum(remedy) : (Datum) 0};
	bool nulls[4] = {false, false, false, remedy == NULL};

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* The first few differences, as one detail. */
static void
note_difference(const char *table, const char *what, void *arg)
{
	StringInfo list = arg;

	if (list->len < 500)
		appendStringInfo(list, "%s%s: %s", list->len ? "; " : "", table, what);
}

/* Differences from what the lists of guard.c say; whether there are none. */
static bool
check_guards(ReturnSetInfo *rsinfo, const char *check, int (*guard)(bool mend, StewardGuardReport report, void *arg))
{
	StringInfoData list;

	initStringInfo(&list);
	if (guard(false, note_difference, &list) == 0)
	{
		steward_health_answer(rsinfo, check, "ok", "in order", NULL);
		return true;
	}
	steward_health_answer(rsinfo, check, "critical", list.data, SETUP_REMEDY);
	return false;
}

/* Whether this is the database that the audit log's current incarnation belongs to. */
static void
check_incarnation(ReturnSetInfo *rsinfo)
{
	StewardIncarnation last = steward_last_incarnation();

	if (last.lineage == STEWARD_COPIED || !last.announced)
		steward_health_answer(rsinfo, "audit log", "warning", "this database is a copy or was restored", SETUP_REMEDY);
	else if (last.lineage == STEWARD_PROMOTED)
		steward_health_answer(rsinfo, "audit log", "ok", "goes on after a promotion, in a new incarnation", NULL);
	else
		steward_health_answer(rsinfo, "audit log", "ok", "goes on where it was", NULL);
}

/* Events outside the partitions made ahead. */
static void
check_partitions(ReturnSetInfo *rsinfo)
{
	static StewardPlan in_default = STEWARD_PLAN("", "SELECT FROM steward.audit_event_default LIMIT 1");

	if (steward_run(&in_default, STEWARD_TRANSACTION, NULL, NULL) == 0)
		steward_health_answer(rsinfo, "partitions of the audit log", "ok", "made ahead", NULL);
	else
		steward_health_answer(rsinfo, "partitions of the audit log", "warning", "events are in the default partition",
							  SETUP_REMEDY);
}

/* Profiles of roles that are gone: a role made anew under the name would inherit them. */
static void
check_profiles(ReturnSetInfo *rsinfo)
{
	static StewardPlan find =
		STEWARD_PLAN("", "SELECT string_agg(DISTINCT g.role_name::text, ', ') FROM steward.profile_grant g "
						 "WHERE NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = g.role_name)");
	char *roles;

	steward_run(&find, STEWARD_TRANSACTION, NULL, NULL);
	roles = steward_result_text(0, 1);
	if (roles == NULL)
		steward_health_answer(rsinfo, "profiles", "ok", "all held by roles that exist", NULL);
	else
		steward_health_answer(
			rsinfo, "profiles", "warning", "held by roles that are gone",
			"DELETE FROM steward.profile_grant g WHERE NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = g.role_name);");
}

/* Settings of the server that would write keys passed to authorize() into its log. */
static void
check_logging(ReturnSetInfo *rsinfo)
{
	const char *statements = GetConfigOption("log_statement", false, false);
	const char *duration = GetConfigOption("log_min_duration_statement", false, false);

	if (strcmp(statements, "all") == 0 || strcmp(duration, "-1") != 0)
		steward_health_answer(rsinfo, "server log", "warning",
							  "the server logs statements, and with them keys that are literals in them",
							  "ALTER ROLE your_application SET log_statement = 'none'; -- and pass keys as parameters");
	else
		steward_health_answer(rsinfo, "server log", "ok", "statements are not logged as a rule", NULL);
}

/* The checks of the capabilities, in the order in which they are shown; they read tables of steward. */
static const StewardHealthCheck checks[] = {
	check_incarnation,
	check_partitions,
	check_profiles,
	steward_check_sealing,
	steward_check_log,
	steward_check_captures,
	steward_check_partitions_ahead,
	steward_check_horizon,
	steward_check_backlog,
	steward_check_brakes,
	steward_check_settings,
	steward_check_libraries,
	steward_check_heartbeat,
	steward_check_tasks,
	steward_check_pg_roles,
};

/*
 * health_checks() → rows (check_name text, status text, detail text, remedy text)
 *		Checks the installation; status is ok, warning or critical.
 */
Datum
steward_health_checks(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	if (!steward_is_set_up())
	{
		steward_health_answer(rsinfo, "schema", "critical", "steward is not set up in this database", SETUP_REMEDY);
		return (Datum) 0;
	}
	STEWARD_AS_OWNER();
	{
		bool owned;

		steward_health_answer(rsinfo, "schema", "ok", "release " STEWARD_VERSION, NULL);
		owned = check_guards(rsinfo, "owners", steward_guard_owners);
		check_guards(rsinfo, "policies and triggers", steward_guard_tables);
		/* The owner may read only what it owns: after a restore without owners these would raise. */
		if (owned)
		{
			for (int i = 0; i < (int) lengthof(checks); i++)
			{
				CHECK_FOR_INTERRUPTS();
				checks[i](rsinfo);
			}
		}
		check_logging(rsinfo);
	}
	STEWARD_AS_OWNER_END();
	return (Datum) 0;
}
