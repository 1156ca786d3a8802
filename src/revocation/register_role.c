/*
 * register_role.c
 *		register_pg_role(): putting a PostgreSQL role on record as a credential, and who may.
 *
 * Registering hands the power to disable the role to whoever may revoke in the organization, so only who has that power
 * over the role may do it; and never over the roles that everything hangs on.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_authid.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/syscache.h"
#include "utils/uuid.h"

#include "core/authority.h"
#include "core/plan.h"
#include "core/reference.h"
#include "credential/grant.h"
#include "credential/people.h"
#include "scope/scope.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_register_pg_role);

/* The system that stands for this cluster in an organization. */
#define SYSTEM_NAME "postgresql"

/* What a call asks for. */
typedef struct RoleRequest
{
	char *name;
	Oid role;
	char *owner;
	char *holder;
	Datum scopes;
	char *justification;
	char *ticket;
	char *environment;
	const pg_uuid_t *org;
	Oid caller;
	bool by_superuser;
} RoleRequest;

/* Raises because a role cannot be a credential. */
static void
refuse(const RoleRequest *request, const char *why)
{
	ereport(ERROR, (errcode(ERRCODE_STEWARD_ROLE_REFUSED), errmsg("role \"%s\" cannot be registered", request->name),
					errdetail("%s", why)));
}

/* Raises unless the role may be registered at all, and by this caller. */
static void
check_role(const RoleRequest *request)
{
	HeapTuple tuple;
	bool powerful;

	/* Nobody may; disabling these would stop the cluster, steward, or who is asking. */
	if (request->role == BOOTSTRAP_SUPERUSERID)
		refuse(request, "It is the bootstrap superuser.");
	if (request->role < FirstNormalObjectId)
		refuse(request, "It is a predefined role.");
	if (strncmp(request->name, STEWARD_SCHEMA "_", strlen(STEWARD_SCHEMA "_")) == 0)
	{
		static const char *const own[] = {STEWARD_OWNER, STEWARD_ROLE_ADMIN, STEWARD_LOGIN_ADMIN};

		for (int i = 0; i < (int) lengthof(own); i++)
			if (strcmp(request->name, own[i]) == 0)
				refuse(request, "It is one of steward's own.");
		for (int i = 0; i < STEWARD_PROFILES; i++)
			if (strcmp(request->name + strlen(STEWARD_SCHEMA "_"), steward_profile_names[i]) == 0)
				refuse(request, "It is one of steward's own.");
	}
	if (request->role == request->caller || request->role == GetSessionUserId() || request->role == GetOuterUserId() ||
		request->role == GetAuthenticatedUserId())
		refuse(request, "It is the caller's own; somebody else has to register it.");
	if (request->by_superuser)
		return;

	tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(request->role));
	if (!HeapTupleIsValid(tuple))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("role \"%s\" does not exist", request->name)));
	powerful = ((Form_pg_authid) GETSTRUCT(tuple))->rolsuper || ((Form_pg_authid) GETSTRUCT(tuple))->rolreplication ||
			   ((Form_pg_authid) GETSTRUCT(tuple))->rolbypassrls;
	ReleaseSysCache(tuple);
	if (powerful)
		refuse(request, "Only a superuser can register a superuser, a REPLICATION or a BYPASSRLS role.");
	if (steward_orgs_of(request->role, (1 << STEWARD_PROFILES) - 1) != NIL)
		refuse(request, "Only a superuser can register a role that holds a profile.");
	if (!is_admin_of_role(request->caller, request->role))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("permission denied to register role \"%s\"", request->name),
						errdetail("It takes a superuser, or ADMIN OPTION on the role.")));
}

/*
 * The registration that is there already, its credential in id; raises when it is another organization's, of another
 * role under the name, or states something else.
 */
static bool
registered_already(const RoleRequest *request, const StewardPerson *holder, const StewardPerson *owner, pg_uuid_t *id)
{
	/* The one look across organizations: a role belongs to one only.  Which other one is not told. */
	static StewardPlan find = STEWARD_PLAN(
		"utluus", "SELECT r.org_id = $1, r.role_oid::bigint = $3 AND r.role_name = $2, r.credential_id, "
				  "c.holder_id = $4 AND c.owner_id = $5 AND c.scopes OPERATOR(steward.=) $6 FROM steward.pg_role r "
				  "JOIN steward.credential c ON c.org_id = r.org_id AND c.id = r.credential_id "
				  "WHERE r.ended_at IS NULL AND (r.role_oid::bigint = $3 OR r.org_id = $1 AND r.role_name = $2) "
				  "ORDER BY r.org_id = $1 DESC LIMIT 1");
	Datum values[] = {
		UUIDPGetDatum(request->org), CStringGetTextDatum(request->name), Int64GetDatum((int64) request->role),
		UUIDPGetDatum(&holder->id),	 UUIDPGetDatum(&owner->id),			 request->scopes};
	bool isnull;

	if (steward_run(&find, STEWARD_LATEST, values, NULL) == 0)
		return false;
	if (!DatumGetBool(steward_result(0, 1, &isnull)))
		ereport(ERROR, (errcode(ERRCODE_STEWARD_ROLE_TAKEN), errmsg("role \"%s\" is registered already", request->name),
						errdetail("A role belongs to one organization.")));
	if (!DatumGetBool(steward_result(0, 2, &isnull)))
		ereport(ERROR, (errcode(ERRCODE_STEWARD_ROLE_CHANGED),
						errmsg("role \"%s\" is not the one that is registered", request->name),
						errdetail("It was dropped and made anew, or renamed."),
						errhint("Revoke the credential of the old one first.")));
	if (!DatumGetBool(steward_result(0, 4, &isnull)))
		ereport(ERROR, (errcode(ERRCODE_STEWARD_CONFLICTING_FACTS),
						errmsg("role \"%s\" is registered with another holder, owner or scopes", request->name)));
	*id = *DatumGetUUIDP(steward_result(0, 3, &isnull));
	return true;
}

/* The system that stands for this cluster; made for the first role. */
static void
ensure_system(const RoleRequest *request, const StewardPerson *owner, pg_uuid_t *system)
{
	static StewardPlan insert =
		STEWARD_PLAN("uut", "INSERT INTO steward.system (org_id, name, kind, owner_id, revocation_path) "
							"VALUES ($1, $3, 'database', $2, 'pg_role') "
							"ON CONFLICT (org_id, name) DO NOTHING");
	static StewardPlan find = STEWARD_PLAN("uut", "SELECT id FROM steward.system WHERE org_id = $1 AND name = $3 "
												  "AND revocation_path = 'pg_role' AND $2 IS NOT NULL");
	Datum values[] = {UUIDPGetDatum(request->org), UUIDPGetDatum(&owner->id), CStringGetTextDatum(SYSTEM_NAME)};
	bool isnull;

	steward_run(&insert, STEWARD_TRANSACTION, values, NULL);
	if (steward_run(&find, STEWARD_LATEST, values, NULL) == 0)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_CONFLICTING_FACTS),
						errmsg("system \"%s\" is registered with another revocation path than pg_role", SYSTEM_NAME),
						errhint("Rename that system.")));
	*system = *DatumGetUUIDP(steward_result(0, 1, &isnull));
}

/* Lets steward alter the role later, where CREATEROLE alone is not enough for that; as the caller, who may give it. */
static void
grant_power(const RoleRequest *request)
{
#ifdef STEWARD_ALTER_ROLE_NEEDS_ADMIN
	Oid user;
	int security;

	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(request->caller, security | SECURITY_LOCAL_USERID_CHANGE);
	if (SPI_execute(psprintf("GRANT %s TO " STEWARD_LOGIN_ADMIN " WITH ADMIN TRUE, INHERIT FALSE, SET FALSE",
							 quote_identifier(request->name)),
					false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "could not grant role \"%s\"", request->name);
	SetUserIdAndSecContext(user, security);
#endif
}

/* Stores the credential and its role. */
static void
store(const RoleRequest *request, const StewardPerson *holder, const StewardPerson *owner, pg_uuid_t *id)
{
	static StewardPlan insert = STEWARD_PLAN(
		"uuuutsttttnlb",
		"WITH c AS (INSERT INTO steward.credential (org_id, id, kind, state, holder_id, owner_id, system_id, name, display, "
		"scopes, auth_method, environment, source, justification, ticket, issued_by) "
		"SELECT $1, u.id, 'pg_role', 'active', $2, $3, $4, $5, $5, $6, $7, $8, 'registered', $9, $10, $11 "
		"FROM (SELECT steward.uuid7() AS id) u RETURNING org_id, id) "
		"INSERT INTO steward.pg_role (org_id, credential_id, role_name, role_oid, registered_by, by_superuser) "
		"SELECT org_id, id, $5, $12::oid, $11, $13 FROM c RETURNING credential_id");
	NameData caller;
	pg_uuid_t system;
	char *environment = request->environment ? request->environment : holder->environment;
	bool isnull;

	namestrcpy(&caller, steward_caller_name());
	ensure_system(request, owner, &system);
	{
		Datum values[] = {
			UUIDPGetDatum(request->org),
			UUIDPGetDatum(&holder->id),
			UUIDPGetDatum(&owner->id),
			UUIDPGetDatum(&system),
			CStringGetTextDatum(request->name),
			request->scopes,
			CStringGetTextDatum("login"),
			environment ? CStringGetTextDatum(environment) : (Datum) 0,
			request->justification ? CStringGetTextDatum(request->justification) : (Datum) 0,
			request->ticket ? CStringGetTextDatum(request->ticket) : (Datum) 0,
			NameGetDatum(&caller),
			Int64GetDatum((int64) request->role),
			BoolGetDatum(request->by_superuser),
		};
		bool nulls[] = {false,
						false,
						false,
						false,
						false,
						false,
						false,
						environment == NULL,
						request->justification == NULL,
						request->ticket == NULL,
						false,
						false,
						false};

		steward_run(&insert, STEWARD_TRANSACTION, values, nulls);
	}
	*id = *DatumGetUUIDP(steward_result(0, 1, &isnull));
}

/*
 * register_pg_role(role text, owner uuid | text, holder text DEFAULT NULL, scopes scope_set DEFAULT 'postgresql:login',
 *					justification text DEFAULT NULL, ticket text DEFAULT NULL, environment text DEFAULT NULL,
 *					org uuid DEFAULT default_org()) → credential_id uuid
 *		Puts a role of this cluster on record as a credential: revoking it keeps the role from logging in and ends its
 *		sessions.  holder is by default the owner; scopes that it lacks are granted to it, as issue_key() does.  The same
 *		facts again answer with the same id.
 *
 * Needs admin, and to be a superuser or to have ADMIN OPTION on the role.  Raises 42704 for a role that is not there,
 * ST705 for one that cannot be registered, ST706 when another role has taken the name, ST707 when it is another
 * organization's, ST211 for other facts.
 */
Datum
steward_register_pg_role(PG_FUNCTION_ARGS)
{
	RoleRequest request = {0};
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));

	request.name = steward_name_arg(fcinfo, 0, "role", NAMEDATALEN - 1, true);
	request.owner = steward_reference_arg(fcinfo, 1, "owner", true);
	request.holder = steward_text_arg(fcinfo, 2, "holder", false);
	if (PG_ARGISNULL(3))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("scopes must not be null")));
	request.scopes = PG_GETARG_DATUM(3);
	if (steward_scope_set_cardinality(DatumGetScopeSetP(request.scopes)) == 0)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_SCOPES_REQUIRED), errmsg("a credential needs at least one scope"),
						errdetail("What it may do is part of what is governed.")));
	request.justification = steward_note_arg(fcinfo, 4, "justification");
	request.ticket = steward_name_arg(fcinfo, 5, "ticket", 200, false);
	request.environment = steward_name_arg(fcinfo, 6, "environment", 63, false);
	request.org = steward_org_arg(fcinfo, 7);
	steward_require(request.org, STEWARD_PROFILE_ADMIN);
	PreventCommandIfReadOnly("register_pg_role()");

	request.caller = steward_caller();
	request.by_superuser = superuser_arg(request.caller);
	request.role = get_role_oid(request.name, false);
	/* One registration of a role at a time in the cluster, and no DROP ROLE meanwhile; then look again. */
	LockSharedObject(AuthIdRelationId, request.role, 0, ShareUpdateExclusiveLock);
	if (get_role_oid(request.name, true) != request.role)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("role \"%s\" does not exist", request.name)));
	check_role(&request);

	STEWARD_AS_OWNER();
	{
		StewardPerson holder;
		StewardPerson owner;
		pg_uuid_t *owner_id = steward_resolve(STEWARD_REF_PRINCIPAL, request.org, request.owner, "owner");
		pg_uuid_t *holder_id =
			request.holder ? steward_resolve(STEWARD_REF_PRINCIPAL, request.org, request.holder, "holder") : owner_id;

		steward_lock_pair(request.org, holder_id, owner_id, &holder, &owner);
		if (!registered_already(&request, &holder, &owner, id))
		{
			steward_require_scopes(request.org, &holder.id, holder.name, request.scopes, true, request.justification,
								   request.ticket);
			store(&request, &holder, &owner, id);
			grant_power(&request);
		}
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_UUID_P(id);
}
