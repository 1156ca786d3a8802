/*
 * guard.c
 *		What has to hold for each of steward's tables, whichever path a change comes by: owner, row-level security,
 *		policies and triggers.
 *
 * The lists below are the one place where it is written.  setup() makes what is missing and mends what differs; health
 * only reports.  The statements are put together from these constants and from names in the catalog, never from what a
 * user gave.  Callers are in the bracket (ownership: are superusers) and connected to SPI.
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "core/guard.h"
#include "steward.h"

const StewardGuardedTable steward_guarded_tables[] = {
	{"organization", "analyst", NULL, "id", true},
	{"profile_grant", "analyst", NULL, "org_id", true},
	{"org_policy", "analyst", NULL, "org_id", true},
	{"credential_policy", "analyst", NULL, "org_id", true},
	{"directory", "analyst", "connector", "org_id", true},
	{"directory_user", "analyst", "connector", "org_id", true},
	{"directory_group", "analyst", "connector", "org_id", true},
	{"directory_member", "analyst", "connector", "org_id", true},
	{"principal", "analyst", NULL, "org_id", true},
	{"principal_identity", "analyst", NULL, "org_id", true},
	{"agent", "analyst", NULL, "org_id", true},
	{"lifecycle_event", "analyst", NULL, "org_id", true},
	{"system", "analyst", NULL, "org_id", true},
	{"scope_grant", "analyst", NULL, "org_id", true},
	{"delegation", "analyst", NULL, "org_id", true},
	{"revocation", "analyst", NULL, "org_id", true},
	{"credential", "analyst", NULL, "org_id", true},
	{"suspension", "analyst", NULL, "org_id", true},
	{"revocation_task", "analyst", NULL, "org_id", true},
	{"audit_event", "auditor", NULL, "org_id", false},
	{"audit_incarnation", NULL, NULL, NULL, false},
	{"installation", NULL, NULL, NULL, false},
	{NULL},
};

const StewardTrigger steward_triggers[] = {
	{"directory", "guard", "", "BEFORE UPDATE", "FOR EACH ROW", "tg_directory_guard"},
	{"directory", "lifecycle_update", "", "AFTER UPDATE",
	 "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT", "tg_directory"},
	{"directory_user", "guard", "", "BEFORE INSERT OR UPDATE", "FOR EACH ROW", "tg_directory_guard"},
	{"directory_user", "lifecycle_insert", "", "AFTER INSERT", "REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT",
	 "tg_directory_user"},
	{"directory_user", "lifecycle_update", "", "AFTER UPDATE",
	 "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT", "tg_directory_user"},
	{"directory_user", "lifecycle_delete", "", "AFTER DELETE", "REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT",
	 "tg_directory_user"},
	{"directory_user", "lifecycle_settle", "CONSTRAINT", "AFTER INSERT OR UPDATE OR DELETE",
	 "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW", "tg_directory_user_settle"},
	{"directory_group", "guard", "", "BEFORE INSERT OR UPDATE", "FOR EACH ROW", "tg_directory_guard"},
	{"directory_group", "lifecycle_update", "", "AFTER UPDATE",
	 "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT", "tg_directory_group"},
	{"directory_member", "lifecycle_insert", "", "AFTER INSERT", "REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT",
	 "tg_directory_member"},
	{"directory_member", "lifecycle_update", "", "AFTER UPDATE",
	 "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT", "tg_directory_member"},
	{"directory_member", "lifecycle_delete", "", "AFTER DELETE", "REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT",
	 "tg_directory_member"},
	{"audit_event", "protect", "", "BEFORE INSERT OR UPDATE OR DELETE", "FOR EACH ROW", "tg_protect_audit"},
	{NULL},
};

/* Runs a statement that must succeed. */
static void
execute(const char *sql)
{
	if (SPI_execute(sql, false, 0) < 0)
		elog(ERROR, "could not execute \"%s\"", sql);
}

/* Whether a query has a row. */
static bool
exists(const char *sql)
{
	int rc = SPI_execute(sql, false, 1);

	if (rc != SPI_OK_SELECT)
		elog(ERROR, "could not execute \"%s\"", sql);
	return SPI_processed > 0;
}

/* State of one guard, and how to bring it about. */
typedef struct Guard
{
	bool mend;
	StewardGuardReport report;
	void *arg;
	int differ;
} Guard;

/* Reports that something differs and, when asked to, runs the statement that mends it. */
static void
differs(Guard *guard, const char *table, const char *what, const char *mend_sql)
{
	guard->differ++;
	if (guard->mend)
		execute(mend_sql);
	if (guard->report)
		guard->report(table, what, guard->arg);
}

/*
 * One policy: there, for these commands, for everybody, with this condition and no other.  The condition is compared as
 * the server writes it.
 */
static void
guard_policy(Guard *guard, const char *relation, const StewardGuardedTable *table, const char *name,
			 const char *command, char polcmd, const char *profile)
{
	char *make;

	if (exists(psprintf("SELECT FROM pg_policy WHERE polrelid = 'steward.%s'::regclass AND polname = '%s' "
						"AND polcmd = '%c' AND polpermissive AND polroles = '{0}' AND polwithcheck IS NULL "
						"AND pg_get_expr(polqual, polrelid) = "
						"'(%s = ANY (( SELECT steward.visible_orgs(''%s''::text) AS visible_orgs)::uuid[]))'",
						relation, name, polcmd, table->org, profile)))
		return;
	make =
		psprintf("CREATE POLICY %s ON steward.%s FOR %s USING (%s = ANY ((SELECT steward.visible_orgs('%s'))::uuid[]))",
				 name, relation, command, table->org, profile);
	if (exists(psprintf("SELECT FROM pg_policy WHERE polrelid = 'steward.%s'::regclass AND polname = '%s'", relation,
						name)))
		differs(guard, relation, psprintf("policy %s is another", name),
				psprintf("DROP POLICY %s ON steward.%s; %s", name, relation, make));
	else
		differs(guard, relation, psprintf("policy %s is missing", name), make);
}

/*
 * Row-level security enabled and forced, and the policies, on a table or partition.  Further policies may narrow what
 * these let through; one that widens it is not left.
 */
static void
guard_policies(Guard *guard, const char *relation, const StewardGuardedTable *table)
{
	SPITupleTable *others;
	uint64 n;

	if (!exists(psprintf("SELECT FROM pg_class WHERE oid = 'steward.%s'::regclass "
						 "AND relrowsecurity AND relforcerowsecurity",
						 relation)))
		differs(guard, relation, "row-level security is not enabled and forced",
				psprintf("ALTER TABLE steward.%s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY", relation));
	if (table->reader)
		guard_policy(guard, relation, table, "tenant_read", "SELECT", ACL_SELECT_CHR, table->reader);
	if (table->writer)
		guard_policy(guard, relation, table, "tenant_write", "ALL", '*', table->writer);

	if (SPI_execute(psprintf("SELECT quote_ident(polname) FROM pg_policy WHERE polrelid = 'steward.%s'::regclass "
							 "AND polpermissive AND polname NOT IN ('%s', '%s') ORDER BY 1",
							 relation, table->reader ? "tenant_read" : "", table->writer ? "tenant_write" : ""),
					false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not list the policies of \"%s\"", relation);
	others = SPI_tuptable;
	n = SPI_processed;
	for (uint64 i = 0; i < n; i++)
	{
		char *name = SPI_getvalue(others->vals[i], others->tupdesc, 1);

		differs(guard, relation, psprintf("policy %s lets more through", name),
				psprintf("DROP POLICY %s ON steward.%s", name, relation));
	}
}

/* The trigger's time, level and events as pg_trigger.tgtype has them. */
static int
trigger_type(const StewardTrigger *trigger)
{
	int type = 0;

	if (strstr(trigger->tail, "FOR EACH ROW"))
		type |= TRIGGER_TYPE_ROW;
	if (strstr(trigger->events, "BEFORE"))
		type |= TRIGGER_TYPE_BEFORE;
	if (strstr(trigger->events, "INSERT"))
		type |= TRIGGER_TYPE_INSERT;
	if (strstr(trigger->events, "UPDATE"))
		type |= TRIGGER_TYPE_UPDATE;
	if (strstr(trigger->events, "DELETE"))
		type |= TRIGGER_TYPE_DELETE;
	if (strstr(trigger->events, "TRUNCATE"))
		type |= TRIGGER_TYPE_TRUNCATE;
	return type;
}

/* One trigger: there, on the right function for the right events without a condition, and firing always. */
static void
guard_trigger(Guard *guard, const StewardTrigger *trigger)
{
	char *named = psprintf("SELECT FROM pg_trigger WHERE tgrelid = 'steward.%s'::regclass AND tgname = '%s'",
						   trigger->table, trigger->name);
	char *ours = psprintf("%s AND tgfoid = 'steward.%s'::regproc AND tgtype = %d AND tgqual IS NULL AND tgnargs = 0 "
						  "AND tgattr = ''::int2vector AND tgdeferrable = %s",
						  named, trigger->function, trigger_type(trigger),
						  strstr(trigger->tail, "DEFERRABLE") ? "true" : "false");
	char *make = psprintf("CREATE %s TRIGGER %s %s ON steward.%s %s EXECUTE FUNCTION steward.%s()", trigger->head,
						  trigger->name, trigger->events, trigger->table, trigger->tail, trigger->function);
	char *always = psprintf("ALTER TABLE steward.%s ENABLE ALWAYS TRIGGER %s", trigger->table, trigger->name);

	if (!exists(named))
		differs(guard, trigger->table, psprintf("trigger %s is missing", trigger->name),
				psprintf("%s; %s", make, always));
	else if (!exists(ours))
		differs(guard, trigger->table, psprintf("trigger %s is another", trigger->name),
				psprintf("DROP TRIGGER %s ON steward.%s; %s; %s", trigger->name, trigger->table, make, always));
	else if (!exists(psprintf("%s AND tgenabled = '%c'", ours, TRIGGER_FIRES_ALWAYS)))
		differs(guard, trigger->table, psprintf("trigger %s is not enabled always", trigger->name), always);
}

/*
 * steward_guard_tables
 *		Checks, and when mend is set makes, row-level security, policies and triggers of every table and partition.
 */
int
steward_guard_tables(bool mend, StewardGuardReport report, void *arg)
{
	Guard guard = {.mend = mend, .report = report, .arg = arg};

	for (const StewardGuardedTable *table = steward_guarded_tables; table->name; table++)
	{
		StewardTrigger audit = {table->name,	"audit",   "", "AFTER INSERT OR UPDATE OR DELETE",
								"FOR EACH ROW", "tg_audit"};
		StewardTrigger truncate = {table->name,		  "no_truncate",		"",
								   "BEFORE TRUNCATE", "FOR EACH STATEMENT", "tg_no_truncate"};

		CHECK_FOR_INTERRUPTS();
		guard_policies(&guard, table->name, table);
		guard_trigger(&guard, &truncate);
		if (table->audited)
			guard_trigger(&guard, &audit);
	}
	for (const StewardTrigger *trigger = steward_triggers; trigger->table; trigger++)
		guard_trigger(&guard, trigger);

	/* Statement triggers and policies do not pass to partitions by themselves. */
	for (const StewardGuardedTable *table = steward_guarded_tables; table->name; table++)
	{
		uint64 partitions;
		SPITupleTable *names;

		if (strcmp(table->name, "audit_event") != 0)
			continue;
		if (SPI_execute("SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
						"WHERE i.inhparent = 'steward.audit_event'::regclass ORDER BY 1",
						false, 0) != SPI_OK_SELECT)
			elog(ERROR, "could not list the partitions of the audit log");
		partitions = SPI_processed;
		names = SPI_tuptable;
		for (uint64 i = 0; i < partitions; i++)
		{
			const char *name = quote_identifier(SPI_getvalue(names->vals[i], names->tupdesc, 1));
			StewardTrigger truncate = {
				name, "no_truncate", "", "BEFORE TRUNCATE", "FOR EACH STATEMENT", "tg_no_truncate"};
			StewardTrigger protect = {name,			  "protect",		 "", "BEFORE INSERT OR UPDATE OR DELETE",
									  "FOR EACH ROW", "tg_protect_audit"};

			CHECK_FOR_INTERRUPTS();
			guard_policies(&guard, name, table);
			guard_trigger(&guard, &truncate);
			guard_trigger(&guard, &protect);
		}
	}
	return guard.differ;
}

/*
 * steward_guard_owners
 *		Checks, and when mend is set restores, that everything setup() made belongs to steward_owner.
 *
 * What an extension brought along belongs to whoever installed that, and is left alone.
 */
int
steward_guard_owners(bool mend, StewardGuardReport report, void *arg)
{
	Guard guard = {.mend = mend, .report = report, .arg = arg};
	SPITupleTable *objects;
	uint64 n;

	if (SPI_execute("SELECT c.relname::text, "
					"CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END, "
					"format('%I', c.relname) "
					"FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace "
					"WHERE s.nspname = 'steward' AND c.relkind IN ('r', 'p', 'v', 'm') "
					"AND c.relowner <> (SELECT oid FROM pg_roles WHERE rolname = 'steward_owner') "
					"AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass "
					"AND d.objid = c.oid AND d.deptype = 'e') "
					"UNION ALL "
					"SELECT p.proname::text, 'FUNCTION', format('%I(%s)', p.proname, "
					"pg_get_function_identity_arguments(p.oid)) "
					"FROM pg_proc p JOIN pg_namespace s ON s.oid = p.pronamespace "
					"WHERE s.nspname = 'steward' AND p.prokind = 'f' "
					"AND p.proowner <> (SELECT oid FROM pg_roles WHERE rolname = 'steward_owner') "
					"AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass "
					"AND d.objid = p.oid AND d.deptype = 'e') ORDER BY 1",
					false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not list the objects of steward");
	objects = SPI_tuptable;
	n = SPI_processed;
	for (uint64 i = 0; i < n; i++)
	{
		char *name = SPI_getvalue(objects->vals[i], objects->tupdesc, 1);
		char *kind = SPI_getvalue(objects->vals[i], objects->tupdesc, 2);
		char *identity = SPI_getvalue(objects->vals[i], objects->tupdesc, 3);

		differs(&guard, name, "owner is not " STEWARD_OWNER,
				psprintf("ALTER %s steward.%s OWNER TO " STEWARD_OWNER, kind, identity));
	}
	return guard.differ;
}

/*
 * steward_audit_partitions
 *		Makes the audit log's partitions from this month on that are missing, and the default one; returns how many.
 *
 * Months are those of UTC, whatever the session's time zone.
 */
int
steward_audit_partitions(int months_ahead)
{
	int made = 0;
	int year;
	int month;
	struct pg_tm tm;
	fsec_t fsec;

	if (timestamp2tm(GetCurrentTimestamp(), NULL, &tm, &fsec, NULL, NULL) != 0)
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("timestamp out of range")));
	year = tm.tm_year;
	month = tm.tm_mon;
	for (int i = 0; i <= months_ahead; i++)
	{
		int next_year = month == 12 ? year + 1 : year;
		int next_month = month == 12 ? 1 : month + 1;
		char *name = psprintf("audit_event_%04d_%02d", year, month);

		CHECK_FOR_INTERRUPTS();
		if (!exists(psprintf("SELECT FROM pg_class WHERE oid = to_regclass('steward.%s')", name)))
		{
			execute(psprintf("CREATE TABLE steward.%s PARTITION OF steward.audit_event "
							 "FOR VALUES FROM ('%04d-%02d-01 00:00:00+00') TO ('%04d-%02d-01 00:00:00+00')",
							 name, year, month, next_year, next_month));
			execute(psprintf("COMMENT ON TABLE steward.%s IS 'events of %04d-%02d (UTC)'", name, year, month));
			made++;
		}
		year = next_year;
		month = next_month;
	}
	if (!exists("SELECT FROM pg_class WHERE oid = to_regclass('steward.audit_event_default')"))
	{
		execute("CREATE TABLE steward.audit_event_default PARTITION OF steward.audit_event DEFAULT");
		execute("COMMENT ON TABLE steward.audit_event_default IS "
				"'events of months for which no partition was made: nothing ever stops'");
		made++;
	}
	return made;
}
