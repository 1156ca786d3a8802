/*
 * setup.c
 *		steward.setup(): makes the tables, views, triggers and policies, and mends them.
 *
 * They are ordinary objects and not members of the extension, so that pg_dump, pg_upgrade and logical replication treat
 * them like anybody's tables: a restore loads the data before it makes the triggers.  Everything is done in one
 * transaction, one setup at a time in the cluster (roles are the cluster's), and only what differs is touched.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "catalog/pg_authid.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"

#include "audit/event.h"
#include "audit/incarnation.h"
#include "core/authority.h"
#include "core/guard.h"
#include "core/plan.h"
#include "core/reference.h"
#include "core/relation.h"
#include "core/sealing.h"
#include "core/setup.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_setup);

/* How many months of audit partitions are made ahead. */
#define PARTITIONS_AHEAD 24

/* Adds a row (step, result) to the answer. */
static void
answer(ReturnSetInfo *rsinfo, const char *step, const char *result)
{
	Datum values[2] = {CStringGetTextDatum(step), CStringGetTextDatum(result)};
	bool nulls[2] = {false, false};

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* Runs a statement or script that must succeed. */
static void
run_script(const char *sql)
{
	int rc = SPI_execute(sql, false, 0);

	if (rc < 0)
		elog(ERROR, "could not run a setup script: %s", SPI_result_code_string(rc));
}

/*
 * steward_compare_versions
 *		Orders two releases by their numbers: negative, zero or positive.
 */
int
steward_compare_versions(const char *a, const char *b)
{
	int x[3] = {0};
	int y[3] = {0};

	(void) sscanf(a, "%d.%d.%d", &x[0], &x[1], &x[2]);
	(void) sscanf(b, "%d.%d.%d", &y[0], &y[1], &y[2]);
	for (int i = 0; i < 3; i++)
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	return 0;
}

/* Makes a role that cannot log in, or takes from an existing one of that name what it must not have, and gives it what it must. */
static const char *
ensure_role(const char *name, bool createrole, bool *made)
{
	char *attributes = psprintf("NOLOGIN NOSUPERUSER NOCREATEDB %s NOREPLICATION NOBYPASSRLS",
								createrole ? "CREATEROLE" : "NOCREATEROLE");
	Oid role = get_role_oid(name, true);

	*made = !OidIsValid(role);
	if (*made)
		run_script(psprintf("CREATE ROLE %s %s", name, attributes));
	else
	{
		if (SPI_execute(psprintf("SELECT FROM pg_roles WHERE oid = %u AND (rolcanlogin OR rolsuper OR rolcreatedb "
								 "OR rolcreaterole <> %s OR rolreplication OR rolbypassrls)",
								 role, createrole ? "true" : "false"),
						false, 1) == SPI_OK_SELECT &&
			SPI_processed > 0)
		{
			run_script(psprintf("ALTER ROLE %s %s", name, attributes));
			return "mended";
		}
	}
	return *made ? "made" : "there";
}

/* Nobody is a member of the role: whoever is could do what it can. */
static void
expel_members(const char *name)
{
	SPITupleTable *members;
	uint64 n;

	if (SPI_execute(psprintf("SELECT quote_ident(m.rolname) FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member "
							 "WHERE a.roleid = '%s'::regrole",
							 name),
					false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not list the members of \"%s\"", name);
	members = SPI_tuptable;
	n = SPI_processed;
	for (uint64 i = 0; i < n; i++)
		run_script(psprintf("REVOKE %s FROM %s CASCADE", name, SPI_getvalue(members->vals[i], members->tupdesc, 1)));
}

/* The owner, the role that grants memberships, and a group role for each profile. */
static void
ensure_roles(ReturnSetInfo *rsinfo)
{
	StringInfoData result;
	bool made;
	int new_roles = 0;

	initStringInfo(&result);
	answer(rsinfo, "role " STEWARD_OWNER, ensure_role(STEWARD_OWNER, false, &made));
	expel_members(STEWARD_OWNER);
	answer(rsinfo, "role " STEWARD_ROLE_ADMIN, ensure_role(STEWARD_ROLE_ADMIN, false, &made));
	expel_members(STEWARD_ROLE_ADMIN);
	answer(rsinfo, "role " STEWARD_LOGIN_ADMIN, ensure_role(STEWARD_LOGIN_ADMIN, true, &made));
	expel_members(STEWARD_LOGIN_ADMIN);
	for (int i = 0; i < STEWARD_PROFILES; i++)
	{
		char *name = psprintf("steward_%s", steward_profile_names[i]);

		ensure_role(name, false, &made);
		new_roles += made;
		if (!is_admin_of_role(get_role_oid(STEWARD_ROLE_ADMIN, false), get_role_oid(name, false)))
			run_script(psprintf("GRANT %s TO " STEWARD_ROLE_ADMIN " WITH ADMIN OPTION", name));
	}
	appendStringInfo(&result, "%d of %d made", new_roles, STEWARD_PROFILES);
	answer(rsinfo, "roles of the profiles", result.data);

	run_script("GRANT USAGE, CREATE ON SCHEMA steward TO " STEWARD_OWNER "; "
			   "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA steward TO " STEWARD_OWNER);
}

/* Runs all scripts of one kind. */
static void
run_scripts(StewardSetupKind kind)
{
	for (const StewardSetupScript *script = steward_setup_scripts; script->kind != STEWARD_SETUP_END; script++)
		if (script->kind == kind)
			run_script(script->text);
}

/* The release recorded in this database; NULL when there is none. */
static char *
recorded_version(void)
{
	if (SPI_execute("SELECT FROM pg_class WHERE oid = to_regclass('steward.installation')", false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not look for the installation");
	if (SPI_processed == 0)
		return NULL;
	if (SPI_execute("SELECT schema_version FROM steward.installation", false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read the installation");
	if (SPI_processed == 0)
		return NULL;
	return SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
}

/* Makes the tables, or checks that those there are not of a newer release; says what was done. */
static void
ensure_tables(ReturnSetInfo *rsinfo)
{
	char *version = recorded_version();

	if (version == NULL)
	{
		Oid user;
		int security;

		GetUserIdAndSecContext(&user, &security);
		SetUserIdAndSecContext(get_role_oid(STEWARD_OWNER, false),
							   security | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
		run_scripts(STEWARD_SETUP_TABLE);
		SetUserIdAndSecContext(user, security);
		run_script("INSERT INTO steward.installation (schema_version) VALUES ('" STEWARD_VERSION "')");
		answer(rsinfo, "tables", "made");
		return;
	}
	if (steward_compare_versions(version, STEWARD_VERSION) > 0)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_SCHEMA_NEWER),
						errmsg("the schema here is of release %s, newer than this code, %s", version, STEWARD_VERSION),
						errhint("Install the newer release of steward and run setup() again.")));
	if (strcmp(version, STEWARD_VERSION) != 0)
		run_script("UPDATE steward.installation SET schema_version = '" STEWARD_VERSION "', updated_at = now()");
	answer(rsinfo, "tables", strcmp(version, STEWARD_VERSION) == 0 ? "there" : "brought up to date");
}

/* Counts what was mended and remembers the first of it. */
typedef struct Mended
{
	int count;
	char *first;
} Mended;

static void
note_mended(const char *table, const char *what, void *arg)
{
	Mended *mended = arg;

	if (mended->count++ == 0)
		mended->first = psprintf("%s: %s", table, what);
}

/* Begins a new incarnation of the audit log when this is not the database that wrote the last one. */
static void
ensure_incarnation(ReturnSetInfo *rsinfo)
{
	answer(rsinfo, "audit log", steward_begin_incarnation(true) ? "a new incarnation begins" : "goes on");
}

/* Makes the organization with its built-in system and default policies, unless it is there. */
static void
ensure_organization(ReturnSetInfo *rsinfo, const char *slug)
{
	static StewardPlan insert_organization =
		STEWARD_PLAN("t", "INSERT INTO steward.organization (slug, name) VALUES ($1, $1) "
						  "ON CONFLICT (slug) DO NOTHING RETURNING id");
	static StewardPlan insert_policy = STEWARD_PLAN("u", "INSERT INTO steward.org_policy (org_id) VALUES ($1)");
	static StewardPlan insert_credential_policies = STEWARD_PLAN(
		"uT", "INSERT INTO steward.credential_policy (org_id, kind) SELECT $1, kind FROM unnest($2) AS kind");
	static StewardPlan insert_system =
		STEWARD_PLAN("u", "INSERT INTO steward.system (org_id, name, kind, revocation_path) "
						  "VALUES ($1, 'steward', 'internal', 'native')");
	static const char *const credential_kinds =
		"{api_key,oauth_client,access_token,refresh_token,session,account,certificate,ssh_key,webhook_secret,password,"
		"pg_role,cloud_key,personal_access_token,signing_key}";
	char *step = psprintf("organization %s", slug);

	STEWARD_AS_OWNER();
	{
		Datum values[2] = {CStringGetTextDatum(slug)};
		bool isnull;

		if (steward_run(&insert_organization, STEWARD_TRANSACTION, values, NULL) > 0)
		{
			pg_uuid_t org = *DatumGetUUIDP(steward_result(0, 1, &isnull));

			values[0] = UUIDPGetDatum(&org);
			values[1] = OidFunctionCall3(F_ARRAY_IN, CStringGetDatum(credential_kinds), ObjectIdGetDatum(TEXTOID),
										 Int32GetDatum(-1));
			steward_run(&insert_policy, STEWARD_TRANSACTION, values, NULL);
			steward_run(&insert_credential_policies, STEWARD_TRANSACTION, values, NULL);
			steward_run(&insert_system, STEWARD_TRANSACTION, values, NULL);
			answer(rsinfo, step, "made");
		}
		else
			answer(rsinfo, step, "there");
	}
	STEWARD_AS_OWNER_END();
}

/* The same rule as the constraint organization_slug_valid, as a message about the argument. */
static void
check_slug(const char *slug)
{
	size_t len = strlen(slug);

	if (len > 63 || strspn(slug, "abcdefghijklmnopqrstuvwxyz0123456789-") != len || slug[0] == '-')
		ereport(ERROR, (errcode(ERRCODE_STEWARD_VALUE_INVALID), errmsg("invalid organization \"%.63s\"", slug),
						errdetail("It is 1 to 63 lower-case letters, digits and hyphens, and begins with no hyphen.")));
}

/*
 * setup(organization text DEFAULT NULL) → rows (step text, result text)
 *		Makes or mends everything that is not part of the extension itself; also makes the organization named.
 *
 * Only a superuser; safe to repeat, and two at once wait for each other.  Raises ST003 when the schema is newer than
 * the code.
 */
Datum
steward_setup(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	char *organization = steward_text_arg(fcinfo, 0, "organization", false);
	Mended mended = {0};
	int guc_level;
	Oid user;
	int security;
	int partitions;

	if (organization)
		check_slug(organization);
	if (!superuser())
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("only a superuser can set steward up"),
						errdetail("It makes the roles and the tables.")));
	if (RecoveryInProgress())
		ereport(ERROR, (errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION), errmsg("steward cannot be set up on a standby")));
	InitMaterializedSRF(fcinfo, 0);

	/* One at a time in the whole cluster, because roles belong to all databases. */
	LockSharedObject(AuthIdRelationId, BOOTSTRAP_SUPERUSERID, 0, ShareUpdateExclusiveLock);

	guc_level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
							 false);
	(void) set_config_option("client_min_messages", "warning", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
							 false);
	SPI_connect();

	ensure_roles(rsinfo);
	steward_guard_owners(true, note_mended, &mended);
	ensure_tables(rsinfo);
	CommandCounterIncrement();
	ensure_incarnation(rsinfo);
	/* DDL on the log needs it unused, and this transaction may have written events. */
	steward_release_writer();

	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(get_role_oid(STEWARD_OWNER, false),
						   security | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
	partitions = steward_audit_partitions(PARTITIONS_AHEAD);
	steward_guard_tables(true, note_mended, &mended);
	run_scripts(STEWARD_SETUP_OBJECT);
	SetUserIdAndSecContext(user, security);
	run_scripts(STEWARD_SETUP_PRIVILEGE);

	answer(rsinfo, "partitions of the audit log", psprintf("%d made", partitions));
	answer(rsinfo, "owners, policies and triggers",
		   mended.count == 0 ? "in order" : psprintf("%d made or mended, first %s", mended.count, mended.first));
	answer(rsinfo, "key file",
		   steward_sealing_available()
			   ? "there"
			   : "none: to sign, set steward.key_file, reload, and run SELECT steward.create_key_file()");
	SPI_finish();
	AtEOXact_GUC(true, guc_level);

	CommandCounterIncrement();
	if (organization)
		ensure_organization(rsinfo, organization);
	return (Datum) 0;
}
