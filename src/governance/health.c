/*
 * health.c
 *		What governance tells health: libraries, what holds the sealing horizon, backlog, brakes, partitions ahead and
 *		settings that weaken a promise.
 *
 * What these checks say is about no one tenant: counts over all of them, never a name.
 */
#include "postgres.h"

#include <openssl/crypto.h>

#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "core/health.h"
#include "core/plan.h"
#include "governance/governance.h"
#include "steward.h"

/* Version of the cryptographic library that is loaded. */
void
steward_check_libraries(ReturnSetInfo *rsinfo)
{
	steward_health_answer(rsinfo, "libraries", "ok", OpenSSL_version(OPENSSL_VERSION), NULL);
}

/* Revocations that other systems have not confirmed. */
void
steward_check_backlog(ReturnSetInfo *rsinfo)
{
	static StewardPlan find = STEWARD_PLAN(
		"",
		"SELECT count(*), count(*) FILTER (WHERE deadline <= now()) FROM steward.revocation_task WHERE state <> 'confirmed'");
	char *detail;
	bool overdue;

	steward_run(&find, STEWARD_TRANSACTION, NULL, NULL);
	overdue = strcmp(steward_result_text(0, 2), "0") != 0;
	detail = psprintf("%s open, %s of them overdue", steward_result_text(0, 1), steward_result_text(0, 2));
	steward_health_answer(rsinfo, "revocation backlog", overdue ? "critical" : "ok", detail,
						  overdue ? "SELECT remedy FROM steward.findings WHERE rule = 'revocation_overdue';" : NULL);
}

/* Monitors whose brake has tripped. */
void
steward_check_brakes(ReturnSetInfo *rsinfo)
{
	static StewardPlan find = STEWARD_PLAN(
		"", "SELECT count(*) FROM steward.signal_source WHERE braked_at IS NOT NULL AND retired_at IS NULL");
	char *tripped;

	steward_run(&find, STEWARD_TRANSACTION, NULL, NULL);
	tripped = steward_result_text(0, 1);
	if (strcmp(tripped, "0") == 0)
		steward_health_answer(rsinfo, "signal sources", "ok", "no brake has tripped", NULL);
	else
		steward_health_answer(rsinfo, "signal sources", "critical", psprintf("%s brakes have tripped", tripped),
							  "SELECT remedy FROM steward.findings WHERE rule = 'brake_tripped';");
}

/* Who holds the horizon below which the log can be sealed: a session, a prepared transaction or a slot. */
void
steward_check_horizon(ReturnSetInfo *rsinfo)
{
	static StewardPlan find = STEWARD_PLAN(
		"",
		"SELECT h.who, extract(epoch FROM now() - h.since)::bigint, h.remedy FROM ("
		"SELECT format('prepared transaction %L', p.gid) AS who, p.prepared AS since, format('ROLLBACK PREPARED %L;', p.gid) AS remedy "
		"FROM pg_prepared_xacts p UNION ALL "
		"SELECT format('session %s', a.pid), a.xact_start, format('SELECT pg_terminate_backend(%s);', a.pid) "
		"FROM pg_stat_activity a WHERE a.xact_start IS NOT NULL AND a.pid <> pg_backend_pid() AND a.backend_xid IS NOT NULL) h "
		"WHERE h.since < now() - interval '15 minutes' ORDER BY h.since LIMIT 1");

	if (steward_run(&find, STEWARD_TRANSACTION, NULL, NULL) == 0)
		steward_health_answer(rsinfo, "horizon", "ok", "no transaction has been open for long", NULL);
	else
		steward_health_answer(rsinfo, "horizon", "warning",
							  psprintf("%s has written for %s seconds: the log cannot be sealed past it",
									   steward_result_text(0, 1), steward_result_text(0, 2)),
							  steward_result_text(0, 3));
}

/* Settings under which a promise holds less. */
void
steward_check_settings(ReturnSetInfo *rsinfo)
{
	static const struct
	{
		const char *setting;
		const char *weak;
		const char *detail;
		const char *remedy;
	} settings[] = {
		{"fsync", "off", "a crash may undo what was committed, a revocation too", "ALTER SYSTEM SET fsync = on;"},
		{"full_page_writes", "off", "a crash may tear pages", "ALTER SYSTEM SET full_page_writes = on;"},
		{"session_replication_role", "replica", "foreign keys are not checked in this session",
		 "SET session_replication_role = origin;"},
	};
	bool weak = false;
	const char *on_error = GetConfigOption("log_parameter_max_length_on_error", true, false);

	for (int i = 0; i < (int) lengthof(settings); i++)
	{
		const char *value = GetConfigOption(settings[i].setting, true, false);

		if (value == NULL || strcmp(value, settings[i].weak) != 0)
			continue;
		weak = true;
		steward_health_answer(rsinfo, psprintf("setting %s", settings[i].setting), "warning", settings[i].detail,
							  settings[i].remedy);
	}
	if (on_error && strcmp(on_error, "0") != 0)
	{
		weak = true;
		steward_health_answer(rsinfo, "setting log_parameter_max_length_on_error", "warning",
							  "parameters of failing statements are logged, and with them keys",
							  "ALTER SYSTEM SET log_parameter_max_length_on_error = 0;");
	}
	if (!weak)
		steward_health_answer(rsinfo, "settings", "ok", "none weakens a promise", NULL);
}

/* How far ahead the log has partitions. */
void
steward_check_partitions_ahead(ReturnSetInfo *rsinfo)
{
	static StewardPlan find = STEWARD_PLAN(
		"",
		"SELECT count(*) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'steward.audit_event'::regclass "
		"AND substring(pg_get_expr(c.relpartbound, c.oid) FROM 'FROM \\(''([^'']+)''')::timestamptz > now()");
	char *ahead;

	steward_run(&find, STEWARD_TRANSACTION, NULL, NULL);
	ahead = steward_result_text(0, 1);
	steward_health_answer(rsinfo, "partitions ahead", atoi(ahead) >= 3 ? "ok" : "warning", psprintf("%s months", ahead),
						  atoi(ahead) >= 3 ? NULL : "SELECT * FROM steward.maintain();");
}
