/*
 * selftest.c
 *		lifecycle_selftest(): shows, on made-up people and in this very database, that directory events have their effects.
 *
 * For each path a person joins, moves, leaves and comes back, with a key, a session, an agent, a delegation and a
 * credential in another system; every documented effect is asked for.  All of it happens in a subtransaction and is taken
 * back; what stays is the dated result.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"
#include "utils/uuid.h"

#include "core/authority.h"
#include "core/guard.h"
#include "core/plan.h"
#include "core/preview.h"
#include "core/reference.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_lifecycle_selftest);

/* The directory of the test; nobody else has one of that name. */
#define TEST_DIRECTORY "steward lifecycle selftest"
#define IN_TEST \
	"org_id = $1 AND directory_id = (SELECT id FROM steward.directory WHERE org_id = $1 AND name = '" TEST_DIRECTORY \
	"')"
#define PERSON \
	"(SELECT id FROM steward.principal WHERE org_id = $1 AND kind = 'human' AND user_name = 'steward-selftest-person')"
#define AGENT "(SELECT id FROM steward.principal WHERE org_id = $1 AND name = 'steward-selftest-agent')"
#define RESOURCE(active) \
	"jsonb_build_array(jsonb_build_object('schemas', jsonb_build_array('urn:ietf:params:scim:schemas:core:2.0:User'), " \
	"'externalId', 'person', 'userName', 'steward-selftest-person', 'active', " active "))"
#define EVENT(active) \
	"jsonb_build_object('id', 'steward-selftest-' || steward.uuid7(), 'event', 'dsync.user.updated', 'created_at', " \
	"to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), 'data', jsonb_build_object('id', " \
	"'person', 'idp_id', 'person', 'directory_id', '" TEST_DIRECTORY \
	"', 'username', 'steward-selftest-person', 'state', '" active "'))"

/* How a path makes somebody join, leave and come back; statements have the organization as their only parameter. */
typedef struct Path
{
	const char *name;
	StewardPlan join;
	StewardPlan leave;
	StewardPlan back;
} Path;

#define INSERT_PERSON \
	"INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name) SELECT org_id, id, 'person', " \
	"'steward-selftest-person' FROM steward.directory WHERE org_id = $1 AND name = '" TEST_DIRECTORY "'"

static Path paths[] = {
	{"row", STEWARD_PLAN("u", INSERT_PERSON),
	 STEWARD_PLAN("u", "UPDATE steward.directory_user SET active = false WHERE " IN_TEST " AND external_id = 'person'"),
	 STEWARD_PLAN("u", "UPDATE steward.directory_user SET active = true WHERE " IN_TEST " AND external_id = 'person'")},
	{"merge",
	 STEWARD_PLAN(
		 "u", "MERGE INTO steward.directory_user u USING (SELECT org_id, id FROM steward.directory WHERE org_id = $1 "
			  "AND name = '" TEST_DIRECTORY "') d ON u.org_id = d.org_id AND u.directory_id = d.id AND u.external_id = "
			  "'person' WHEN NOT MATCHED THEN INSERT (org_id, directory_id, external_id, user_name) "
			  "VALUES (d.org_id, d.id, 'person', 'steward-selftest-person')"),
	 STEWARD_PLAN(
		 "u", "MERGE INTO steward.directory_user u USING (SELECT org_id, id FROM steward.directory WHERE org_id = $1 "
			  "AND name = '" TEST_DIRECTORY "') d ON u.org_id = d.org_id AND u.directory_id = d.id AND u.external_id = "
			  "'person' WHEN MATCHED THEN UPDATE SET active = false"),
	 STEWARD_PLAN(
		 "u", "MERGE INTO steward.directory_user u USING (SELECT org_id, id FROM steward.directory WHERE org_id = $1 "
			  "AND name = '" TEST_DIRECTORY "') d ON u.org_id = d.org_id AND u.directory_id = d.id AND u.external_id = "
			  "'person' WHEN MATCHED THEN UPDATE SET active = true")},
	{"delete", STEWARD_PLAN("u", INSERT_PERSON),
	 STEWARD_PLAN("u", "DELETE FROM steward.directory_user WHERE " IN_TEST " AND external_id = 'person'"),
	 STEWARD_PLAN("u", INSERT_PERSON)},
	{"end date", STEWARD_PLAN("u", INSERT_PERSON),
	 STEWARD_PLAN("u", "UPDATE steward.directory_user SET end_date = clock_timestamp() WHERE " IN_TEST
					   " AND external_id = 'person'"),
	 STEWARD_PLAN("u",
				  "UPDATE steward.directory_user SET end_date = NULL WHERE " IN_TEST " AND external_id = 'person'")},
	{"import",
	 STEWARD_PLAN("u", "SELECT count(*) FROM steward.import_directory('" TEST_DIRECTORY
					   "', " RESOURCE("true") ", org => $1)"),
	 STEWARD_PLAN("u", "SELECT count(*) FROM steward.import_directory('" TEST_DIRECTORY
					   "', " RESOURCE("false") ", org => $1)"),
	 STEWARD_PLAN("u", "SELECT count(*) FROM steward.import_directory('" TEST_DIRECTORY
					   "', " RESOURCE("true") ", org => $1)")},
	{"event", STEWARD_PLAN("u", "SELECT steward.apply_directory_event(" EVENT("active") ", $1)"),
	 STEWARD_PLAN("u", "SELECT steward.apply_directory_event(" EVENT("inactive") ", $1)"),
	 STEWARD_PLAN("u", "SELECT steward.apply_directory_event(" EVENT("active") ", $1)")},
};

/* A check: a query of one boolean; parameters: organization, the person's key, the agent's key. */
typedef struct Check
{
	const char *event;
	const char *what;
	StewardPlan query;
} Check;

static Check checks[] = {
	{"joiner", "the person has a principal and an event",
	 STEWARD_PLAN(
		 "utt",
		 "SELECT EXISTS (SELECT FROM steward.lifecycle_event e JOIN steward.principal p ON p.org_id = e.org_id "
		 "AND p.id = e.principal_id WHERE e.org_id = $1 AND p.id = " PERSON " AND e.kind = 'joiner' AND p.state = "
		 "'active') AND $2 IS NOT NULL AND $3 IS NOT NULL")},
	{"joiner", "the person's key opens",
	 STEWARD_PLAN("utt", "SELECT reason = 'ok' AND $3 IS NOT NULL FROM steward.authorize($2, org => $1)")},
	{"joiner", "the agent's key opens",
	 STEWARD_PLAN("utt", "SELECT reason = 'ok' AND $2 IS NOT NULL FROM steward.authorize($3, org => $1)")},
	{"mover", "another department is an event",
	 STEWARD_PLAN(
		 "utt",
		 "SELECT EXISTS (SELECT FROM steward.lifecycle_event WHERE org_id = $1 AND principal_id = " PERSON
		 " AND kind = 'mover' AND attributes_new ->> 'department' = 'Selftest') AND $2 IS NOT NULL AND $3 IS NOT NULL")},
	{"leaver", "the principal is offboarded, with one event",
	 STEWARD_PLAN(
		 "utt",
		 "SELECT (SELECT count(*) FROM steward.lifecycle_event WHERE org_id = $1 AND principal_id = " PERSON
		 " AND kind = 'leaver') = 1 AND (SELECT state = 'offboarded' FROM steward.principal WHERE org_id = $1 AND "
		 "id = " PERSON ") AND $2 IS NOT NULL AND $3 IS NOT NULL")},
	{"leaver", "the person's key is refused",
	 STEWARD_PLAN("utt", "SELECT NOT allowed AND $3 IS NOT NULL FROM steward.authorize($2, org => $1)")},
	{"leaver", "nothing that the person holds is alive",
	 STEWARD_PLAN("utt", "SELECT NOT EXISTS (SELECT FROM steward.credential WHERE org_id = $1 AND holder_id = " PERSON
						 " AND state = 'active') AND $2 IS NOT NULL AND $3 IS NOT NULL")},
	{"leaver", "a task for the other system is pending",
	 STEWARD_PLAN(
		 "utt", "SELECT EXISTS (SELECT FROM steward.revocation_task t JOIN steward.credential c ON c.org_id = t.org_id "
				"AND c.id = t.credential_id WHERE t.org_id = $1 AND c.holder_id = " PERSON " AND c.external_pending) "
				"AND $2 IS NOT NULL AND $3 IS NOT NULL")},
	{"leaver", "delegations in the person's name have ended",
	 STEWARD_PLAN(
		 "utt",
		 "SELECT (SELECT bool_and(ended_at IS NOT NULL) FROM steward.delegation WHERE org_id = $1 AND principal_id = " PERSON
		 ") AND $2 IS NOT NULL AND $3 IS NOT NULL")},
	{"leaver", "the agent has another owner, and its secret a date to be rotated by",
	 STEWARD_PLAN(
		 "utt",
		 "SELECT (SELECT a.owner_id <> " PERSON " FROM steward.principal a WHERE a.org_id = $1 AND a.id = " AGENT
		 ") AND (SELECT bool_and(rotate_by IS NOT NULL) FROM steward.credential WHERE org_id = $1 AND holder_id = " AGENT
		 ") AND $2 IS NOT NULL AND $3 IS NOT NULL")},
	{"leaver", "audit rows say so",
	 STEWARD_PLAN(
		 "utt", "SELECT EXISTS (SELECT FROM steward.audit_event WHERE org_id = $1 AND table_name = 'steward.principal' "
				"AND xact = pg_current_xact_id() AND recorded_at = now() AND row_key ->> 'id' = " PERSON
				"::text AND new_values ->> 'state' = 'offboarded') AND $2 IS NOT NULL AND $3 IS NOT NULL")},
	{"rehire", "the person is back",
	 STEWARD_PLAN(
		 "utt",
		 "SELECT state = 'active' AND $2 IS NOT NULL AND $3 IS NOT NULL FROM steward.principal WHERE org_id = $1 AND id "
		 "= " PERSON)},
	{"rehire", "what was revoked stays revoked",
	 STEWARD_PLAN("utt", "SELECT NOT allowed AND $3 IS NOT NULL FROM steward.authorize($2, org => $1)")},
};

/* One run of the test. */
typedef struct Run
{
	const pg_uuid_t *org;
	ReturnSetInfo *rsinfo;
	Path *path;
	int passed;
	int failed;
} Run;

static void
answer(Run *run, const char *path, const char *event, const char *what, bool passed, double ms)
{
	Datum values[] = {CStringGetTextDatum(path), CStringGetTextDatum(event), CStringGetTextDatum(what),
					  CStringGetTextDatum(passed ? "passed" : "FAILED"), Float8GetDatum(ms)};
	bool nulls[lengthof(values)] = {false};

	if (passed)
		run->passed++;
	else
		run->failed++;
	tuplestore_putvalues(run->rsinfo->setResult, run->rsinfo->setDesc, values, nulls);
}

/* Does one event and then asks for its effects. */
static void
do_event(Run *run, const char *event, StewardPlan *action, const Datum *values)
{
	instr_time began;
	instr_time took;

	INSTR_TIME_SET_CURRENT(began);
	if (action)
		steward_run(action, STEWARD_LATEST, values, NULL);
	INSTR_TIME_SET_CURRENT(took);
	INSTR_TIME_SUBTRACT(took, began);
	for (int i = 0; i < (int) lengthof(checks); i++)
	{
		bool isnull = true;
		Datum result = (Datum) 0;

		if (strcmp(checks[i].event, event) != 0)
			continue;
		if (steward_run(&checks[i].query, STEWARD_LATEST, values, NULL) > 0)
			result = steward_result(0, 1, &isnull);
		answer(run, run->path->name, event, checks[i].what, !isnull && DatumGetBool(result),
			   INSTR_TIME_GET_MILLISEC(took));
	}
}

/* Everything by one path; taken back by the caller. */
static void
run_path(void *arg)
{
	static StewardPlan prepare[] = {
		STEWARD_PLAN("u", "INSERT INTO steward.directory (org_id, name) VALUES ($1, '" TEST_DIRECTORY "')"),
		STEWARD_PLAN(
			"u",
			"INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name) SELECT org_id, id, "
			"'manager', 'steward-selftest-manager' FROM steward.directory WHERE org_id = $1 AND name = '" TEST_DIRECTORY
			"'"),
	};
	static StewardPlan equip[] = {
		STEWARD_PLAN(
			"u",
			"UPDATE steward.directory_user u SET manager_user_id = m.id FROM steward.directory_user m JOIN steward.directory d "
			"ON d.org_id = m.org_id AND d.id = m.directory_id WHERE m.org_id = $1 AND d.name = '" TEST_DIRECTORY "' "
			"AND m.external_id = 'manager' AND u.org_id = m.org_id AND u.directory_id = m.directory_id "
			"AND u.external_id = 'person'"),
		STEWARD_PLAN(
			"u",
			"SELECT steward.register_agent('steward-selftest-agent', 'steward-selftest-person', 'selftest', org => $1)"),
		STEWARD_PLAN(
			"u",
			"SELECT steward.register_system('steward-selftest-system', 'steward-selftest-manager', 'saas', 'connector', "
			"org => $1)"),
		STEWARD_PLAN("u",
					 "SELECT steward.register_credential('steward-selftest', 'steward-selftest-system', 'api_key', "
					 "'steward-selftest-person', 'selftest:use', org => $1)"),
		STEWARD_PLAN(
			"u",
			"INSERT INTO steward.delegation (org_id, principal_id, actor_id, kind, scopes, created_by) SELECT $1, " PERSON
			", " AGENT ", 'may_act', 'selftest:use', 'steward'"),
		STEWARD_PLAN(
			"u",
			"INSERT INTO steward.credential (org_id, kind, state, holder_id, owner_id, system_id, display, scopes, source, "
			"issued_by) SELECT $1, 'session', 'active', " PERSON ", " PERSON
			", id, 'selftest session', 'selftest:use', "
			"'registered', 'steward' FROM steward.system WHERE org_id = $1 AND name = 'steward'"),
	};
	static StewardPlan key = STEWARD_PLAN("ut", "SELECT secret FROM steward.issue_key($2, 'selftest:use', org => $1)");
	static StewardPlan move = STEWARD_PLAN(
		"u", "UPDATE steward.directory_user SET department = 'Selftest' WHERE " IN_TEST " AND external_id = 'person'");
	Run *run = arg;

	STEWARD_AS_OWNER();
	{
		Datum values[3] = {UUIDPGetDatum(run->org)};
		Datum named[2] = {values[0]};

		for (int i = 0; i < (int) lengthof(prepare); i++)
			steward_run(&prepare[i], STEWARD_LATEST, values, NULL);
		steward_run(&run->path->join, STEWARD_LATEST, values, NULL);
		for (int i = 0; i < (int) lengthof(equip); i++)
			steward_run(&equip[i], STEWARD_LATEST, values, NULL);
		for (int i = 1; i <= 2; i++)
		{
			named[1] = CStringGetTextDatum(i == 1 ? "steward-selftest-person" : "steward-selftest-agent");
			steward_run(&key, STEWARD_LATEST, named, NULL);
			values[i] = CStringGetTextDatum(steward_result_text(0, 1));
		}
		do_event(run, "joiner", NULL, values);
		do_event(run, "mover", &move, values);
		do_event(run, "leaver", &run->path->leave, values);
		do_event(run, "rehire", &run->path->back, values);
	}
	STEWARD_AS_OWNER_END();
}

/* The first few differences, as one text. */
static void
note_difference(const char *table, const char *what, void *arg)
{
	StringInfo list = arg;

	if (list->len < 500)
		appendStringInfo(list, "%s%s: %s", list->len ? "; " : "", table, what);
}

/* What the tables' triggers and the organization's policies leave open. */
static void
check_configuration(Run *run)
{
	static StewardPlan holes = STEWARD_PLAN(
		"u",
		"SELECT 'somebody takes over where no manager does', EXISTS (SELECT FROM steward.org_policy o JOIN steward.principal p "
		"ON p.org_id = o.org_id AND p.id = o.default_owner_id WHERE o.org_id = $1 AND p.state = 'active' "
		"AND 'organization' = ANY (o.succession)) UNION ALL "
		"SELECT 'an owner of each department is there', NOT EXISTS (SELECT FROM steward.department_owner w JOIN steward.principal p "
		"ON p.org_id = w.org_id AND p.id = w.owner_id WHERE w.org_id = $1 AND p.state <> 'active') UNION ALL "
		"SELECT 'the brake is on', (SELECT brake_percent < 100 FROM steward.org_policy WHERE org_id = $1) UNION ALL "
		"SELECT 'everybody in a directory has a principal, and nobody else', NOT EXISTS (SELECT FROM steward.directory_user u "
		"JOIN steward.directory d ON d.org_id = u.org_id AND d.id = u.directory_id LEFT JOIN steward.principal_identity i "
		"ON i.org_id = u.org_id AND i.directory_id = u.directory_id AND i.external_id = u.external_id WHERE u.org_id = $1 "
		"AND u.active AND d.state = 'linked' AND (u.end_date IS NULL OR u.end_date > now()) AND i.principal_id IS NULL)");
	StringInfoData list;

	initStringInfo(&list);
	STEWARD_AS_OWNER();
	{
		Datum value = UUIDPGetDatum(run->org);
		int differ = steward_guard_tables(false, note_difference, &list);
		uint64 n;

		answer(run, "configuration", "", differ == 0 ? "triggers and policies are in order" : list.data, differ == 0,
			   0);
		n = steward_run(&holes, STEWARD_LATEST, &value, NULL);
		for (uint64 i = 0; i < n; i++)
		{
			bool isnull;
			Datum passed = steward_result(i, 2, &isnull);

			answer(run, "configuration", "", steward_result_text(i, 1), !isnull && DatumGetBool(passed), 0);
		}
	}
	STEWARD_AS_OWNER_END();
}

/* Keeps the dated result. */
static void
record(const Run *run)
{
	static StewardPlan insert =
		STEWARD_PLAN("ulln", "INSERT INTO steward.lifecycle_selftest_run (org_id, passed, failed, run_by) "
							 "VALUES ($1, $2, $3, $4)");
	NameData caller;

	namestrcpy(&caller, steward_caller_name());
	STEWARD_AS_OWNER();
	{
		Datum values[] = {UUIDPGetDatum(run->org), Int64GetDatum(run->passed), Int64GetDatum(run->failed),
						  NameGetDatum(&caller)};

		steward_run(&insert, STEWARD_LATEST, values, NULL);
	}
	STEWARD_AS_OWNER_END();
}

/*
 * lifecycle_selftest(org uuid DEFAULT default_org())
 *		→ rows (path text, event text, check_name text, result text, ms double precision)
 *		Tries every event by every path and asks for each effect; passed or FAILED.  ms is what the event took.
 *
 * Needs admin.  Changes nothing but the record of its result.  What it cannot show: that another system has killed what it
 * was told to (only its confirmation shows that), sessions of database roles, and the path of logical replication, for
 * which it looks at the triggers.
 */
Datum
steward_lifecycle_selftest(PG_FUNCTION_ARGS)
{
	Run run = {.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo, .org = steward_org_arg(fcinfo, 0)};

	steward_require(run.org, STEWARD_PROFILE_ADMIN);
	PreventCommandIfReadOnly("lifecycle_selftest()");
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < (int) lengthof(paths); i++)
	{
		CHECK_FOR_INTERRUPTS();
		run.path = &paths[i];
		steward_try_out(run_path, &run);
	}
	check_configuration(&run);
	record(&run);
	return (Datum) 0;
}
