/*
 * pg_role.c
 *		PostgreSQL roles as credentials: disabled with them, restored with them.
 *
 * A trigger on the credential does it, so it happens on every path: revoke(), a leaver, suspend(), an UPDATE.  The role
 * gets NOLOGIN and VALID UNTIL now in the same transaction, and its sessions end at commit (sessions.c).  What it had
 * before is kept, and comes back when the credential is active again.
 *
 * A role is touched only if its name and its OID are both those registered: one that was dropped and made anew under the
 * name is somebody else's.  ALTER ROLE runs as STEWARD_LOGIN_ADMIN, which may alter ordinary roles; for a superuser, a
 * REPLICATION or a BYPASSRLS role it takes a superuser to have registered it, and then runs as one.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_authid.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "core/authority.h"
#include "core/health.h"
#include "core/plan.h"
#include "core/relation.h"
#include "revocation/pg_role.h"
#include "revocation/sessions.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_tg_pg_role);
PG_FUNCTION_INFO_V1(steward_terminate_revoked_backends);
PG_FUNCTION_INFO_V1(steward_unowned_roles);

/* What the catalog says about a role now. */
typedef struct RoleNow
{
	bool same;	  /* it is there, under the name and the OID registered */
	bool renamed; /* it is there, under another name */
	bool can_login;
	bool privileged; /* superuser, REPLICATION or BYPASSRLS: an ordinary role with CREATEROLE may not alter it */
	TimestampTz valid_until;
	bool has_valid_until;
} RoleNow;

/* Reads a role from the catalog. */
static RoleNow
look_at_role(const char *name, Oid oid)
{
	RoleNow now = {0};
	HeapTuple tuple = SearchSysCache1(AUTHNAME, CStringGetDatum(name));

	now.renamed = SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(oid));
	if (!HeapTupleIsValid(tuple))
		return now;
	if (((Form_pg_authid) GETSTRUCT(tuple))->oid == oid)
	{
		Form_pg_authid role = (Form_pg_authid) GETSTRUCT(tuple);
		bool isnull;
		Datum until = SysCacheGetAttr(AUTHNAME, tuple, Anum_pg_authid_rolvaliduntil, &isnull);

		now.same = true;
		now.renamed = false;
		now.can_login = role->rolcanlogin;
		now.privileged = role->rolsuper || role->rolreplication || role->rolbypassrls;
		now.has_valid_until = !isnull;
		now.valid_until = isnull ? DT_NOEND : DatumGetTimestampTz(until);
	}
	ReleaseSysCache(tuple);
	return now;
}

/*
 * Alters a role, as who may.  ALTER ROLE takes no parameters: the name comes from the catalog and is quoted, the rest is
 * ours.
 */
static void
alter_role(const char *name, bool privileged, bool login, TimestampTz valid_until)
{
	Oid user;
	int security;
	char *sql = psprintf("ALTER ROLE %s %s VALID UNTIL %s", quote_identifier(name), login ? "LOGIN" : "NOLOGIN",
						 quote_literal_cstr(TIMESTAMP_NOT_FINITE(valid_until)
												? (valid_until == DT_NOEND ? "infinity" : "-infinity")
												: timestamptz_to_str(valid_until)));

	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(privileged ? BOOTSTRAP_SUPERUSERID : get_role_oid(STEWARD_LOGIN_ADMIN, false),
						   security | SECURITY_LOCAL_USERID_CHANGE);
	if (SPI_execute(sql, false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "could not alter role \"%s\"", name);
	SetUserIdAndSecContext(user, security);
}

/* A role as it is registered, from the first row of the last result: name, OID, by_superuser, disabled, login, until. */
typedef struct Registered
{
	char *name;
	Oid oid;
	bool by_superuser;
	bool disabled;
	bool had_login;
	TimestampTz had_valid_until;
} Registered;

static Registered
read_registered(int row)
{
	Registered role;
	bool isnull;
	Datum until;

	role.name = steward_result_text(row, 1);
	role.oid = DatumGetObjectId(steward_result(row, 2, &isnull));
	role.by_superuser = DatumGetBool(steward_result(row, 3, &isnull));
	role.disabled = DatumGetBool(steward_result(row, 4, &isnull));
	role.had_login = DatumGetBool(steward_result(row, 5, &isnull));
	until = steward_result(row, 6, &isnull);
	role.had_valid_until = isnull ? DT_NOEND : DatumGetTimestampTz(until);
	return role;
}
#define REGISTERED_COLUMNS \
	"r.role_name, r.role_oid, r.by_superuser, r.disabled_at IS NOT NULL, coalesce(r.had_login, false), r.had_valid_until"

/*
 * Keeps a role from logging in, and dooms its sessions; whether that could be done.  Nothing is done to a role that is
 * not the registered one any more, nor to one that has become too powerful for who registered it: a failure here would
 * stop a leaver.  The task stays open then, and is a finding.
 */
static bool
disable(const Registered *role)
{
	RoleNow now = look_at_role(role->name, role->oid);

	if (!now.same || (now.privileged && !role->by_superuser))
		return false;
	alter_role(role->name, now.privileged, false, GetCurrentTimestamp());
	steward_sessions_end_at_commit(role->oid);
	return true;
}

/* Remembers what a role was before it is disabled. */
static void
remember(Datum org, Datum credential, const Registered *role)
{
	static StewardPlan keep = STEWARD_PLAN(
		"uubz", "UPDATE steward.pg_role r SET disabled_at = clock_timestamp(), had_login = $3, had_valid_until = $4, "
				"had_memberships = ARRAY(SELECT g.rolname FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid "
				"WHERE m.member = r.role_oid ORDER BY 1) WHERE r.org_id = $1 AND r.credential_id = $2");
	RoleNow now = look_at_role(role->name, role->oid);
	Datum values[] = {org, credential, BoolGetDatum(now.can_login), TimestampTzGetDatum(now.valid_until)};
	bool nulls[] = {false, false, false, !now.has_valid_until};

	if (now.same)
		steward_run(&keep, STEWARD_LATEST, values, nulls);
}

/* Follows the state of the credential that a role is. */
static void
follow_state(Datum org, Datum credential, const char *state)
{
	static StewardPlan find = STEWARD_PLAN("uu", "SELECT " REGISTERED_COLUMNS " FROM steward.pg_role r "
												 "WHERE r.org_id = $1 AND r.credential_id = $2 AND r.ended_at IS NULL");
	static StewardPlan end = STEWARD_PLAN("uu", "UPDATE steward.pg_role SET ended_at = clock_timestamp() "
												"WHERE org_id = $1 AND credential_id = $2");
	static StewardPlan forget =
		STEWARD_PLAN("uu", "UPDATE steward.pg_role SET disabled_at = NULL, had_login = NULL, had_valid_until = NULL, "
						   "had_memberships = NULL WHERE org_id = $1 AND credential_id = $2");
	Datum values[] = {org, credential};
	Registered role;

	/* One of another cluster, whose worker does it. */
	if (steward_run(&find, STEWARD_LATEST, values, NULL) == 0)
		return;
	role = read_registered(0);
	if (strcmp(state, "active") != 0)
	{
		if (!role.disabled)
			remember(org, credential, &role);
		(void) disable(&role);
		if (strcmp(state, "revoked") == 0)
			steward_run(&end, STEWARD_LATEST, values, NULL);
	}
	else if (role.disabled)
	{
		RoleNow now = look_at_role(role.name, role.oid);

		if (now.same && (!now.privileged || role.by_superuser))
			alter_role(role.name, now.privileged, role.had_login, role.had_valid_until);
		steward_run(&forget, STEWARD_LATEST, values, NULL);
	}
}

/* A text column of a row of the triggering table, compared with that of another, or with a constant. */
static text *
text_column(HeapTuple row, TupleDesc desc, int column)
{
	bool isnull;
	Datum value = heap_getattr(row, column, desc, &isnull);

	return isnull ? NULL : DatumGetTextPP(value);
}

static bool
text_equals(const text *value, const char *other, size_t len)
{
	return value != NULL && VARSIZE_ANY_EXHDR(value) == len && memcmp(VARDATA_ANY(value), other, len) == 0;
}

/*
 * tg_pg_role() → trigger
 *		AFTER UPDATE, each row of credential: when the state of one of kind pg_role changes, the role follows.
 *
 * Most rows are none of its business, and there may be a hundred thousand of them: that is found out first.
 */
Datum
steward_tg_pg_role(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	TupleDesc desc;
	HeapTuple row;
	text *state;
	int state_column;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event) || !TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("tg_pg_role() must be fired after a row was updated")));
	row = trigger->tg_newtuple;
	desc = RelationGetDescr(trigger->tg_relation);
	if (!text_equals(text_column(row, desc, SPI_fnumber(desc, "kind")), "pg_role", strlen("pg_role")))
		return PointerGetDatum(NULL);
	state_column = SPI_fnumber(desc, "state");
	state = text_column(row, desc, state_column);
	if (state != NULL && text_equals(text_column(trigger->tg_trigtuple, desc, state_column), VARDATA_ANY(state),
									 VARSIZE_ANY_EXHDR(state)))
		return PointerGetDatum(NULL);

	STEWARD_AS_OWNER();
	{
		bool isnull;

		follow_state(heap_getattr(row, SPI_fnumber(desc, "org_id"), desc, &isnull),
					 heap_getattr(row, SPI_fnumber(desc, "id"), desc, &isnull), SPI_getvalue(row, desc, state_column));
	}
	STEWARD_AS_OWNER_END();
	return PointerGetDatum(NULL);
}

/*
 * Roles that must not be able to do anything: their credential is revoked or suspended, and no live credential of any
 * organization is the same role.
 */
#define DISABLED_ROLES \
	"FROM steward.pg_role r JOIN steward.credential c ON c.org_id = r.org_id AND c.id = r.credential_id " \
	"WHERE c.state IN ('revoked', 'suspended') AND NOT EXISTS (SELECT FROM steward.pg_role l " \
	"JOIN steward.credential k ON k.org_id = l.org_id AND k.id = l.credential_id " \
	"WHERE l.role_oid = r.role_oid AND l.ended_at IS NULL AND k.state NOT IN ('revoked', 'suspended'))"

/*
 * steward_maintain_pg_roles
 *		The step of maintain() for PostgreSQL roles: ends sessions that raced with a revocation, disables again what a
 *		hand enabled, and confirms the tasks of roles that are out.
 */
char *
steward_maintain_pg_roles(void)
{
	static StewardPlan find =
		STEWARD_PLAN("", "SELECT " REGISTERED_COLUMNS ", r.org_id, r.credential_id " DISABLED_ROLES);
	static StewardPlan confirm = STEWARD_PLAN(
		"uut",
		"WITH done AS (UPDATE steward.revocation_task t SET state = 'confirmed', confirmed_at = clock_timestamp(), "
		"lease_until = NULL, leased_by = NULL, evidence = jsonb_build_object('role', $3) "
		"WHERE t.org_id = $1 AND t.credential_id = $2 AND t.state <> 'confirmed' RETURNING t.org_id, t.credential_id) "
		"UPDATE steward.credential c SET external_pending = false FROM done d "
		"WHERE c.org_id = d.org_id AND c.id = d.credential_id AND c.external_pending");
	uint64 n = steward_run(&find, STEWARD_LATEST, NULL, NULL);
	SPITupleTable *roles = SPI_tuptable;
	int64 ended = 0;
	int64 confirmed = 0;

	for (uint64 i = 0; i < n; i++)
	{
		Registered role;
		RoleNow now;
		Datum values[3];
		const char *outcome = NULL;
		bool isnull;

		CHECK_FOR_INTERRUPTS();
		SPI_tuptable = roles;
		role = read_registered(i);
		values[0] = steward_result(i, 7, &isnull);
		values[1] = steward_result(i, 8, &isnull);
		now = look_at_role(role.name, role.oid);
		/* One that was renamed is not the one registered, but it is still there: that is for people to settle. */
		if (now.renamed)
			continue;
		if (!now.same)
			outcome = "gone";
		else if (now.can_login)
			(void) disable(&role);
		else
		{
			int sessions = steward_sessions_of(role.oid, true);

			ended += sessions;
			if (sessions == 0)
				outcome = "cannot log in";
		}
		if (outcome == NULL)
			continue;
		values[2] = CStringGetTextDatum(outcome);
		confirmed += steward_run(&confirm, STEWARD_LATEST, values, NULL);
	}
	return psprintf(INT64_FORMAT " sessions ended, " INT64_FORMAT " revocations confirmed", ended, confirmed);
}

/* steward_check_pg_roles: the check of health. */
void
steward_check_pg_roles(ReturnSetInfo *rsinfo)
{
	static StewardPlan find =
		STEWARD_PLAN("", "SELECT " REGISTERED_COLUMNS ", false FROM steward.pg_role r WHERE r.ended_at IS NULL "
						 "UNION ALL SELECT " REGISTERED_COLUMNS ", true " DISABLED_ROLES " AND r.ended_at IS NOT NULL");
	uint64 n = steward_run(&find, STEWARD_TRANSACTION, NULL, NULL);
	int64 changed = 0;
	int64 enabled = 0;

	for (uint64 i = 0; i < n; i++)
	{
		Registered role = read_registered(i);
		RoleNow now = look_at_role(role.name, role.oid);
		bool isnull;
		bool ended = DatumGetBool(steward_result(i, 7, &isnull));

		/* What is over may well be gone; but not be there under another name. */
		changed += !now.same && (now.renamed || !ended);
		enabled += now.same && role.disabled && now.can_login;
	}
	if (enabled > 0)
		steward_health_answer(
			rsinfo, "PostgreSQL roles", "critical",
			psprintf(INT64_FORMAT " can log in although their credential is revoked or suspended", enabled),
			"SELECT * FROM steward.maintain(); -- as a superuser");
	else if (changed > 0)
		steward_health_answer(rsinfo, "PostgreSQL roles", "warning",
							  psprintf(INT64_FORMAT " registered ones were dropped, renamed or made anew", changed),
							  "SELECT * FROM steward.pg_role_inventory WHERE role_state <> 'there';");
	else
		steward_health_answer(rsinfo, "PostgreSQL roles", "ok", "as they were registered", NULL);
}

/*
 * terminate_revoked_backends() → rows (role text, sessions integer)
 *		Ends the sessions, on this server, of roles whose credential is revoked or suspended: for a standby, where no
 *		commit does it.  Answers with the roles that had any.
 *
 * Needs security or admin in some organization: it takes nothing from anybody that has not been taken already.
 */
Datum
steward_terminate_revoked_backends(PG_FUNCTION_ARGS)
{
	static StewardPlan find = STEWARD_PLAN("", "SELECT DISTINCT " REGISTERED_COLUMNS " " DISABLED_ROLES " ORDER BY 1");
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	steward_require_setup();
	steward_require_somewhere(STEWARD_PROFILE_SECURITY | STEWARD_PROFILE_ADMIN);
	InitMaterializedSRF(fcinfo, 0);
	STEWARD_AS_OWNER();
	{
		uint64 n = steward_run(&find, STEWARD_TRANSACTION, NULL, NULL);

		for (uint64 i = 0; i < n; i++)
		{
			Registered role = read_registered(i);
			RoleNow now = look_at_role(role.name, role.oid);
			Datum values[2] = {CStringGetTextDatum(role.name)};
			bool nulls[2] = {false, false};
			int sessions;

			CHECK_FOR_INTERRUPTS();
			if (!now.same || now.can_login)
				continue;
			sessions = steward_sessions_of(role.oid, true);
			values[1] = Int32GetDatum(sessions);
			if (sessions > 0)
				tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		}
	}
	STEWARD_AS_OWNER_END();
	return (Datum) 0;
}

/*
 * unowned_roles() → rows (role text, attributes text[], valid_until timestamptz)
 *		Roles of this cluster that can log in and are no credential of any organization: nobody answers for them.
 *
 * Leaves out the bootstrap superuser, which cannot be registered.  Needs analyst in some organization; it tells nothing
 * about which organization others belong to.
 */
Datum
steward_unowned_roles(PG_FUNCTION_ARGS)
{
	static StewardPlan find = STEWARD_PLAN(
		"",
		"SELECT a.rolname::text, array_remove(ARRAY[CASE WHEN a.rolsuper THEN 'SUPERUSER' END, "
		"CASE WHEN a.rolcreaterole THEN 'CREATEROLE' END, CASE WHEN a.rolcreatedb THEN 'CREATEDB' END, "
		"CASE WHEN a.rolreplication THEN 'REPLICATION' END, CASE WHEN a.rolbypassrls THEN 'BYPASSRLS' END], NULL), "
		"a.rolvaliduntil FROM pg_roles a WHERE a.rolcanlogin AND a.oid <> 10 AND NOT EXISTS (SELECT FROM steward.pg_role r "
		"JOIN steward.credential c ON c.org_id = r.org_id AND c.id = r.credential_id "
		"WHERE r.role_oid = a.oid AND r.role_name = a.rolname AND r.ended_at IS NULL) ORDER BY 1");
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	steward_require_setup();
	steward_require_somewhere(STEWARD_PROFILE_ANALYST | STEWARD_PROFILE_ADMIN);
	InitMaterializedSRF(fcinfo, 0);
	STEWARD_AS_OWNER();
	{
		uint64 n = steward_run(&find, STEWARD_TRANSACTION, NULL, NULL);

		for (uint64 i = 0; i < n; i++)
		{
			Datum values[3];
			bool nulls[3];

			for (int column = 0; column < 3; column++)
				values[column] = steward_result(i, column + 1, &nulls[column]);
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		}
	}
	STEWARD_AS_OWNER_END();
	return (Datum) 0;
}
