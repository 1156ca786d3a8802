/*
 * authority.c
 *		Who may do what in which organization, and the bracket in which it is then done.
 *
 * Authority comes from steward.profile_grant alone: a role holds a profile in an organization when it is a member of a
 * role that the table names.  Membership in the group roles steward_<profile> only lets a role call the functions.  A
 * superuser holds every profile in every organization.  Grants are read at every call, under a fresh snapshot.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "core/authority.h"
#include "core/plan.h"
#include "core/reference.h"
#include "core/relation.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_visible_orgs);
PG_FUNCTION_INFO_V1(steward_grant_profile);
PG_FUNCTION_INFO_V1(steward_revoke_profile);

const char *const steward_profile_names[STEWARD_PROFILES] = {"app",		"connector", "analyst",
															 "auditor", "security",	 "admin"};

/* What holding a profile amounts to: auditors and security see what analysts see, admins do everything. */
static const uint32 implied[STEWARD_PROFILES] = {
	STEWARD_PROFILE_APP,
	STEWARD_PROFILE_CONNECTOR,
	STEWARD_PROFILE_ANALYST,
	STEWARD_PROFILE_AUDITOR | STEWARD_PROFILE_ANALYST,
	STEWARD_PROFILE_SECURITY | STEWARD_PROFILE_ANALYST,
	(1 << STEWARD_PROFILES) - 1,
};

/* The role that entered the outermost bracket; invalid outside of one. */
static Oid bracket_caller = InvalidOid;

/* Number of a profile by name; raises when there is none. */
static int
profile_number(const char *name)
{
	for (int i = 0; i < STEWARD_PROFILES; i++)
		if (strcmp(steward_profile_names[i], name) == 0)
			return i;
	/* Nor is a key that was passed by mistake repeated. */
	steward_check_reference(name, "profile");
	ereport(ERROR, (errcode(ERRCODE_STEWARD_VALUE_INVALID), errmsg("unknown profile \"%.63s\"", name),
					errhint("Profiles are app, connector, analyst, auditor, security and admin.")));
	return -1;
}

/* What a scan over profile_grant collects: one organization's mask, or all organizations with a wanted profile. */
typedef struct GrantSearch
{
	Oid role;
	uint32 mask;   /* profiles found */
	uint32 wanted; /* collect organizations that have one of these ... */
	List *orgs;	   /* ... here, as pg_uuid_t * */
} GrantSearch;

/* Whether a row of profile_grant applies to the role; if so, what it gives. */
static uint32
grant_applies(const StewardRow *row, Oid role)
{
	bool isnull;
	Name name = DatumGetName(steward_row_get(row, "role_name", &isnull));
	Oid granted = get_role_oid(NameStr(*name), true);
	char *profile;

	/* A grant to a role that is gone gives nothing. */
	if (!OidIsValid(granted) || !has_privs_of_role(role, granted))
		return 0;
	profile = TextDatumGetCString(steward_row_get(row, "profile", &isnull));
	return implied[profile_number(profile)];
}

static bool
add_profiles(const StewardRow *row, void *arg)
{
	GrantSearch *search = arg;

	search->mask |= grant_applies(row, search->role);
	return true;
}

static bool
add_organization(const StewardRow *row, void *arg)
{
	GrantSearch *search = arg;
	bool isnull;
	pg_uuid_t *org;

	if ((grant_applies(row, search->role) & search->wanted) == 0)
		return true;
	org = palloc(sizeof(pg_uuid_t));
	*org = *DatumGetUUIDP(steward_row_get(row, "org_id", &isnull));
	/* Rows come in key order, so an organization's rows are together. */
	if (search->orgs == NIL || memcmp(llast(search->orgs), org, sizeof(pg_uuid_t)) != 0)
		search->orgs = lappend(search->orgs, org);
	return true;
}

static bool
add_every_organization(const StewardRow *row, void *arg)
{
	GrantSearch *search = arg;
	bool isnull;
	pg_uuid_t *org = palloc(sizeof(pg_uuid_t));

	*org = *DatumGetUUIDP(steward_row_get(row, "id", &isnull));
	search->orgs = lappend(search->orgs, org);
	return true;
}

/*
 * steward_profiles_of
 *		Profiles that a role holds in an organization, those implied included; 0 when it holds none.
 */
uint32
steward_profiles_of(Oid role, const pg_uuid_t *org)
{
	GrantSearch search = {.role = role};
	Datum key = UUIDPGetDatum(org);
	Snapshot snapshot = steward_fresh_snapshot();

	if (superuser_arg(role))
	{
		StewardRow row;

		if (steward_fetch(STEWARD_ORGANIZATION, snapshot, 1, &key, &row))
			search.mask = (1 << STEWARD_PROFILES) - 1;
	}
	else
		steward_scan(STEWARD_PROFILE_GRANT, snapshot, 1, &key, add_profiles, &search);
	UnregisterSnapshot(snapshot);
	return search.mask;
}

/*
 * steward_orgs_of
 *		Organizations, as a list of pg_uuid_t *, in which a role holds one of the wanted profiles.
 */
List *
steward_orgs_of(Oid role, uint32 wanted)
{
	GrantSearch search = {.role = role, .wanted = wanted};
	Snapshot snapshot = steward_fresh_snapshot();

	if (superuser_arg(role))
		steward_scan(STEWARD_ORGANIZATION, snapshot, 0, NULL, add_every_organization, &search);
	else
		steward_scan(STEWARD_PROFILE_GRANT, snapshot, 0, NULL, add_organization, &search);
	UnregisterSnapshot(snapshot);
	return search.orgs;
}

/*
 * steward_caller
 *		The role whose authority counts: the immediate caller, also from inside the bracket.
 */
Oid
steward_caller(void)
{
	return OidIsValid(bracket_caller) ? bracket_caller : GetUserId();
}

char *
steward_caller_name(void)
{
	return GetUserNameFromId(steward_caller(), false);
}

/* Raises because a profile is missing. */
static void
refuse(uint32 any_of, const char *message)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < STEWARD_PROFILES; i++)
		if (any_of & (1 << i))
			appendStringInfo(&names, "%s%s", names.len ? ", " : "", steward_profile_names[i]);
	ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("%s", message),
					errdetail("It takes one of the profiles: %s.", names.data)));
}

/*
 * steward_require_somewhere
 *		Raises unless the caller holds one of the profiles in some organization; for what concerns all of them alike.
 */
void
steward_require_somewhere(uint32 any_of)
{
	if (!superuser_arg(steward_caller()) && steward_orgs_of(steward_caller(), any_of) == NIL)
		refuse(any_of, "permission denied");
}

/*
 * steward_require
 *		Raises unless the caller holds one of the profiles in the organization; returns all that it holds there.
 *
 * An organization in which the caller holds nothing is answered like one that does not exist.
 */
uint32
steward_require(const pg_uuid_t *org, uint32 any_of)
{
	uint32 mask = steward_profiles_of(steward_caller(), org);

	if (mask == 0)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_ORGANIZATION_UNKNOWN), errmsg("unknown organization"),
						errhint("An administrator can grant a profile with steward.grant_profile().")));
	if ((mask & any_of) == 0)
		refuse(any_of, "permission denied in this organization");
	return mask;
}

/*
 * steward_bracket_enter, steward_bracket_leave
 *		Run as the owner of steward's tables, outside row-level security, with a pinned search path.
 *
 * Nested brackets, as of a trigger fired by a statement in one, cost next to nothing and keep the outermost caller.
 */
void
steward_bracket_enter(StewardBracket *bracket)
{
	Oid owner = steward_owner_role();

	GetUserIdAndSecContext(&bracket->user, &bracket->security);
	bracket->caller = bracket_caller;
	bracket->guc_level = 0;
	if (!OidIsValid(bracket_caller))
	{
		/* A foreign key's cascade runs as the owner already; who caused it is the role behind. */
		bracket_caller = bracket->user == owner ? GetOuterUserId() : bracket->user;
		bracket->guc_level = NewGUCNestLevel();
		(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
								 true, 0, false);
	}
	SetUserIdAndSecContext(owner, bracket->security | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
}

void
steward_bracket_leave(StewardBracket *bracket)
{
	SetUserIdAndSecContext(bracket->user, bracket->security);
	if (bracket->guc_level != 0)
		AtEOXact_GUC(false, bracket->guc_level);
	bracket_caller = bracket->caller;
}

/*
 * visible_orgs(profile text DEFAULT 'analyst') → uuid[]
 *		Organizations in which the calling role holds the profile; what every row-level-security policy compares with.
 *
 * Executable by PUBLIC: it tells a role only about itself.
 */
Datum
steward_visible_orgs(PG_FUNCTION_ARGS)
{
	uint32 wanted = 1 << profile_number(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	List *orgs = steward_orgs_of(GetUserId(), wanted);
	Datum *values = palloc(sizeof(Datum) * Max(list_length(orgs), 1));
	ListCell *cell;
	int n = 0;

	foreach (cell, orgs)
		values[n++] = UUIDPGetDatum((pg_uuid_t *) lfirst(cell));
	PG_RETURN_ARRAYTYPE_P(construct_array(values, n, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
}

/* Checks the arguments that grant_profile() and revoke_profile() share; returns the group role's name. */
static char *
profile_arguments(FunctionCallInfo fcinfo, Name role, char **profile, const pg_uuid_t **org)
{
	char *role_name = steward_text_arg(fcinfo, 0, "role", true);

	if (PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("profile must not be null")));
	*profile = text_to_cstring(PG_GETARG_TEXT_PP(1));
	(void) profile_number(*profile);
	*org = steward_org_arg(fcinfo, 2);
	steward_require(*org, STEWARD_PROFILE_ADMIN);
	/* The standard error for a role that is not there. */
	(void) get_role_oid(role_name, false);
	namestrcpy(role, role_name);
	return psprintf("steward_%s", *profile);
}

/* Adds or takes the membership in the profile's group role, unless it is so already, as the role that may. */
static void
change_membership(const char *group, const char *role, bool grant)
{
	static StewardPlan find_member =
		STEWARD_PLAN("tt", "SELECT FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid "
						   "JOIN pg_roles m ON m.oid = a.member WHERE g.rolname = $1 AND m.rolname = $2");
	Datum names[] = {CStringGetTextDatum(group), CStringGetTextDatum(role)};
	Oid user;
	int security;
	Oid admin = get_role_oid(STEWARD_ROLE_ADMIN, false);
	StringInfoData sql;

	if ((steward_run(&find_member, STEWARD_TRANSACTION, names, NULL) > 0) == grant)
		return;

	/*
	 * GRANT takes no parameters.  Both names are identifiers that exist in the catalog, quoted; the statement runs as
	 * a role that can do nothing but this.
	 */
	initStringInfo(&sql);
	appendStringInfo(&sql, "%s %s %s %s", grant ? "GRANT" : "REVOKE", quote_identifier(group), grant ? "TO" : "FROM",
					 quote_identifier(role));
	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(admin, security | SECURITY_LOCAL_USERID_CHANGE);
	if (SPI_execute(sql.data, false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "could not change membership in \"%s\"", group);
	SetUserIdAndSecContext(user, security);
}

/*
 * grant_profile(role text, profile text, org uuid DEFAULT default_org()) → granted boolean
 *		Gives a database role a profile in an organization: true, or false when it had it already.
 *
 * Needs admin there.  The role becomes a member of steward_<profile>, so that it can call the profile's functions.
 */
Datum
steward_grant_profile(PG_FUNCTION_ARGS)
{
	static StewardPlan insert_grant =
		STEWARD_PLAN("untn", "INSERT INTO steward.profile_grant (org_id, role_name, profile, granted_by) "
							 "VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING");
	NameData role;
	NameData caller;
	char *profile;
	const pg_uuid_t *org;
	char *group = profile_arguments(fcinfo, &role, &profile, &org);
	bool granted = false;

	namestrcpy(&caller, steward_caller_name());
	STEWARD_AS_OWNER();
	{
		Datum values[] = {UUIDPGetDatum(org), NameGetDatum(&role), CStringGetTextDatum(profile), NameGetDatum(&caller)};

		granted = steward_run(&insert_grant, STEWARD_TRANSACTION, values, NULL) > 0;
		change_membership(group, NameStr(role), true);
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_BOOL(granted);
}

/*
 * revoke_profile(role text, profile text, org uuid DEFAULT default_org()) → revoked boolean
 *		Takes a profile from a database role in an organization: true, or false when it did not have it.
 *
 * Needs admin there.  Membership in steward_<profile> goes with the last organization.
 */
Datum
steward_revoke_profile(PG_FUNCTION_ARGS)
{
	static StewardPlan delete_grant = STEWARD_PLAN("unt", "DELETE FROM steward.profile_grant "
														  "WHERE org_id = $1 AND role_name = $2 AND profile = $3");
	/* The one look across organizations: whether the role still needs the functions. */
	static StewardPlan still_granted =
		STEWARD_PLAN("nt", "SELECT FROM steward.profile_grant WHERE role_name = $1 AND profile = $2 LIMIT 1");
	NameData role;
	char *profile;
	const pg_uuid_t *org;
	char *group = profile_arguments(fcinfo, &role, &profile, &org);
	bool revoked = false;

	STEWARD_AS_OWNER();
	{
		Datum values[] = {UUIDPGetDatum(org), NameGetDatum(&role), CStringGetTextDatum(profile)};

		revoked = steward_run(&delete_grant, STEWARD_TRANSACTION, values, NULL) > 0;
		if (revoked && steward_run(&still_granted, STEWARD_TRANSACTION, values + 1, NULL) == 0)
			change_membership(group, NameStr(role), false);
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_BOOL(revoked);
}
