/*
 * rules.c
 *		What has to hold of principals and credentials, whichever path a change comes by.
 *
 * Everything that is not human, and every credential that can act, has a living human owner; a credential's scopes are
 * within what its holder was granted, within the ceiling of its kind and, where policy says so for agents, within what
 * its owner was granted.  What is suspended or only discovered cannot act and may be without an owner.
 *
 * The triggers look at all rows of a statement at once.  They first lock holders and owners FOR SHARE, in id order, and
 * only then read, from a latest snapshot: beside a leaver or a withdrawn grant they wait and see what came of it.  They
 * fire always, under session_replication_role = replica too, where foreign keys do not, and so look for the rows again.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"
#include "utils/uuid.h"

#include "core/authority.h"
#include "core/plan.h"
#include "core/relation.h"
#include "credential/rules.h"
#include "scope/scope.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_tg_credential_rules);
PG_FUNCTION_INFO_V1(steward_tg_principal_rules);
PG_FUNCTION_INFO_V1(steward_tg_still_owns);
PG_FUNCTION_INFO_V1(steward_tg_last_admin);

/* Rows of credentials whose people matter: new ones, and those that can act again or belong to somebody else. */
#define INSERTED_CREDENTIALS "SELECT n.* FROM new_rows n WHERE n.state IN ('active', 'suspended')"
#define UPDATED_CREDENTIALS \
	"SELECT n.* FROM new_rows n JOIN old_rows o ON o.org_id = n.org_id AND o.id = n.id " \
	"WHERE n.state IN ('active', 'suspended') AND (o.state NOT IN ('active', 'suspended') " \
	"OR (n.state = 'active' AND o.state = 'suspended') OR (n.owner_id, n.holder_id, n.second_owner_id, n.kind) " \
	"IS DISTINCT FROM (o.owner_id, o.holder_id, o.second_owner_id, o.kind))"
/* And those whose scopes matter. */
#define RESCOPED_CREDENTIALS \
	"SELECT n.* FROM new_rows n JOIN old_rows o ON o.org_id = n.org_id AND o.id = n.id " \
	"WHERE n.state IN ('active', 'suspended') AND (o.state NOT IN ('active', 'suspended') OR (n.holder_id, n.kind) " \
	"IS DISTINCT FROM (o.holder_id, o.kind) OR (n.scopes OPERATOR(steward.=) o.scopes) IS NOT TRUE)"
#define REOWNED_CREDENTIALS \
	"SELECT n.* FROM new_rows n JOIN old_rows o ON o.org_id = n.org_id AND o.id = n.id " \
	"WHERE n.state IN ('active', 'suspended') AND n.owner_id <> o.owner_id"

#define LOCK_PEOPLE(rows) \
	"SELECT FROM steward.principal p WHERE (p.org_id, p.id) IN (SELECT r.org_id, x.id FROM (" rows \
	") r CROSS JOIN LATERAL (VALUES (r.holder_id), (r.owner_id), (r.second_owner_id)) AS x(id)) " \
	"ORDER BY p.org_id, p.id FOR SHARE"

/* Why a person p cannot answer for anything; NULL when they can. */
#define OWNER_PROBLEM(p) \
	"CASE WHEN " p ".id IS NULL THEN 'missing' WHEN " p ".kind <> 'human' THEN 'not a person' WHEN " p \
	".state = 'offboarded' OR " p ".ends_at <= clock_timestamp() THEN 'gone' END"

#define FIND_PEOPLE(rows) \
	"SELECT * FROM (SELECT coalesce(r.display, r.id::text), " \
	"CASE WHEN h.id IS NULL THEN 'missing' WHEN h.state = 'offboarded' OR h.ends_at <= clock_timestamp() THEN 'gone' END " \
	"AS holder, " OWNER_PROBLEM("o") " AS owner, CASE WHEN r.second_owner_id IS NOT NULL THEN " OWNER_PROBLEM( \
		"s") " END AS second, coalesce(h.name, r.holder_id::text), coalesce(o.user_name, o.name, r.owner_id::text) FROM (" rows \
			 ") r LEFT JOIN steward.principal h ON h.org_id = r.org_id AND h.id = r.holder_id " \
			 "LEFT JOIN steward.principal o ON o.org_id = r.org_id AND o.id = r.owner_id " \
			 "LEFT JOIN steward.principal s ON s.org_id = r.org_id AND s.id = r.second_owner_id WHERE r.state = 'active') x " \
			 "WHERE num_nonnulls(holder, owner, second) > 0 LIMIT 1"

/* Raises for an owner that cannot own; what is "owner" or "second owner". */
static void
refuse_owner(const char *thing, const char *what, const char *owner, const char *problem)
{
	ereport(ERROR, (errcode(strcmp(problem, "not a person") == 0 ? ERRCODE_STEWARD_OWNER_NOT_HUMAN
																 : ERRCODE_STEWARD_OWNER_NOT_LIVE),
					errmsg("\"%s\" must have a living human %s", thing, what),
					errdetail("\"%s\" is %s.", owner ? owner : "(none)", problem),
					errhint("Give it another one, or suspend it.")));
}

/* Checks how a statement trigger was called. */
static TriggerData *
statement_trigger(FunctionCallInfo fcinfo)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event) || trigger->tg_newtable == NULL)
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("a rule trigger of steward must be fired after a statement, with its new rows")));
	return trigger;
}

/*
 * Whether a new row is active or suspended.  Revocation and discovery, which are what comes by the hundred thousand, leave
 * none, and then there is nothing to ask.
 */
static bool
any_can_act(const TriggerData *trigger)
{
	TupleDesc desc = RelationGetDescr(trigger->tg_relation);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	int reader = tuplestore_alloc_read_pointer(trigger->tg_newtable, EXEC_FLAG_REWIND);
	int column = SPI_fnumber(desc, "state");
	bool found = false;

	tuplestore_select_read_pointer(trigger->tg_newtable, reader);
	tuplestore_rescan(trigger->tg_newtable);
	while (!found && tuplestore_gettupleslot(trigger->tg_newtable, true, false, slot))
	{
		bool isnull;
		text *state = DatumGetTextPP(slot_getattr(slot, column, &isnull));

		CHECK_FOR_INTERRUPTS();
		/* Of the closed list, only "active" and "suspended" begin so. */
		found = VARDATA_ANY(state)[0] == 'a' || VARDATA_ANY(state)[0] == 's';
	}
	ExecDropSingleTupleTableSlot(slot);
	return found;
}

/* Grants of a principal, as the checks need them. */
typedef struct Granted
{
	pg_uuid_t key[2]; /* organization, principal */
	List *sets;		  /* of ScopeSet * */
} Granted;

/*
 * steward_collect_grants
 *		The live grants of the principals, which are parallel arrays; by organization and principal.
 */
HTAB *
steward_collect_grants(Datum orgs, Datum principals)
{
	static StewardPlan find = STEWARD_PLAN(
		"UU", "SELECT g.org_id, g.principal_id, coalesce(g.scopes, r.scopes) FROM (SELECT DISTINCT org_id, id "
			  "FROM unnest($1, $2) AS a(org_id, id)) a JOIN steward.scope_grant g ON g.org_id = a.org_id "
			  "AND g.principal_id = a.id AND g.starts_at <= clock_timestamp() AND g.ends_at > clock_timestamp() "
			  "LEFT JOIN steward.role r ON r.org_id = g.org_id AND r.id = g.role_id");
	HASHCTL ctl = {.keysize = 2 * sizeof(pg_uuid_t), .entrysize = sizeof(Granted), .hcxt = CurrentMemoryContext};
	HTAB *grants = hash_create("steward grants", 128, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	Datum values[] = {orgs, principals};
	uint64 n = steward_run(&find, STEWARD_LATEST, values, NULL);
	bool isnull;

	for (uint64 i = 0; i < n; i++)
	{
		pg_uuid_t key[2];
		Granted *entry;
		bool found;

		CHECK_FOR_INTERRUPTS();
		key[0] = *DatumGetUUIDP(steward_result(i, 1, &isnull));
		key[1] = *DatumGetUUIDP(steward_result(i, 2, &isnull));
		entry = hash_search(grants, key, HASH_ENTER, &found);
		if (!found)
			entry->sets = NIL;
		entry->sets = lappend(entry->sets, DatumGetScopeSetP(steward_result(i, 3, &isnull)));
	}
	return grants;
}

/*
 * steward_not_granted
 *		What of the scopes a principal was not granted; NULL when nothing.
 */
ScopeSet *
steward_not_granted(HTAB *grants, const pg_uuid_t *org, const pg_uuid_t *principal, ScopeSet *scopes)
{
	pg_uuid_t key[2] = {*org, *principal};
	Granted *entry = hash_search(grants, key, HASH_FIND, NULL);
	ListCell *cell;

	if (entry)
		foreach (cell, entry->sets)
		{
			if (steward_scope_set_cardinality(scopes) == 0)
				break;
			scopes = steward_scope_set_uncovered(scopes, lfirst(cell));
		}
	return steward_scope_set_cardinality(scopes) == 0 ? NULL : scopes;
}

/* Raises because of scopes that are too many. */
static void
refuse_scopes(int sqlstate, const char *message, const char *about, ScopeSet *missing, const char *hint)
{
	Oid output;
	bool is_varlena;

	getTypeOutputInfo(steward_own_type("scope_set"), &output, &is_varlena);
	ereport(ERROR, (errcode(sqlstate), errmsg(message, about),
					errdetail("Missing: %.1000s.", OidOutputFunctionCall(output, PointerGetDatum(missing))),
					errhint("%s", hint)));
}

/* The columns of a scope check. */
enum
{
	CHECK_ORG = 1,
	CHECK_HOLDER,
	CHECK_OWNER,
	CHECK_SCOPES,
	CHECK_CEILING,
	CHECK_NAME,
	CHECK_WITHIN_OWNER,
	CHECK_KIND_ALLOWED,
	CHECK_KIND
};

/* Rows to be checked, from a query for credentials. */
#define SCOPE_CHECK(rows) \
	"SELECT r.org_id, r.holder_id, r.owner_id, r.scopes, y.ceiling, h.name, " \
	"h.kind = 'agent' AND coalesce(p.agent_within_owner, false), h.kind <> 'agent' OR coalesce(y.allowed_for_agents, true), " \
	"r.kind FROM (" rows ") r JOIN steward.principal h ON h.org_id = r.org_id AND h.id = r.holder_id " \
	"LEFT JOIN steward.credential_policy y ON y.org_id = r.org_id AND y.kind = r.kind " \
	"LEFT JOIN steward.org_policy p ON p.org_id = r.org_id"

/* Checks the scopes of the rows that the last query found; only those of owners, when the holders are as they were. */
static void
check_scopes(uint64 n, bool only_owners)
{
	SPITupleTable *rows = SPI_tuptable;
	Datum orgs;
	Datum principals;
	HTAB *holders;
	HTAB *owners;

	if (n == 0)
		return;
	orgs = steward_uuid_column(CHECK_ORG);
	principals = steward_uuid_column(CHECK_HOLDER);
	{
		Datum owner_ids = steward_uuid_column(CHECK_OWNER);

		holders = steward_collect_grants(orgs, principals);
		owners = steward_collect_grants(orgs, owner_ids);
	}
	for (uint64 i = 0; i < n; i++)
	{
		HeapTuple row = rows->vals[i];
		TupleDesc desc = rows->tupdesc;
		bool isnull;
		bool no_ceiling;
		const pg_uuid_t *org = DatumGetUUIDP(SPI_getbinval(row, desc, CHECK_ORG, &isnull));
		const pg_uuid_t *holder = DatumGetUUIDP(SPI_getbinval(row, desc, CHECK_HOLDER, &isnull));
		const pg_uuid_t *owner = DatumGetUUIDP(SPI_getbinval(row, desc, CHECK_OWNER, &isnull));
		ScopeSet *scopes = DatumGetScopeSetP(SPI_getbinval(row, desc, CHECK_SCOPES, &isnull));
		Datum ceiling = SPI_getbinval(row, desc, CHECK_CEILING, &no_ceiling);
		char *name = SPI_getvalue(row, desc, CHECK_NAME);
		ScopeSet *missing;

		CHECK_FOR_INTERRUPTS();
		if (!only_owners)
		{
			if (!DatumGetBool(SPI_getbinval(row, desc, CHECK_KIND_ALLOWED, &isnull)))
				ereport(ERROR, (errcode(ERRCODE_STEWARD_KIND_NOT_ALLOWED),
								errmsg("policy does not let agents hold credentials of kind %s",
									   SPI_getvalue(row, desc, CHECK_KIND)),
								errdetail("\"%s\" is an agent.", name)));
			if ((missing = steward_not_granted(holders, org, holder, scopes)) != NULL)
				refuse_scopes(ERRCODE_STEWARD_SCOPES_NOT_EFFECTIVE, "\"%s\" has not been granted these scopes", name,
							  missing, "Grant them with steward.grant_scopes().");
			if (!no_ceiling)
			{
				missing = steward_scope_set_uncovered(scopes, DatumGetScopeSetP(ceiling));
				if (steward_scope_set_cardinality(missing) > 0)
					refuse_scopes(ERRCODE_STEWARD_SCOPES_OVER_CEILING,
								  "policy does not allow these scopes for credentials of kind %s",
								  SPI_getvalue(row, desc, CHECK_KIND), missing,
								  "The ceiling is in steward.credential_policy.");
			}
		}
		if (DatumGetBool(SPI_getbinval(row, desc, CHECK_WITHIN_OWNER, &isnull)) &&
			(missing = steward_not_granted(owners, org, owner, scopes)) != NULL)
			refuse_scopes(ERRCODE_STEWARD_SCOPES_OVER_OWNER, "the owner of agent \"%s\" does not have these scopes",
						  name, missing, "Policy keeps an agent within what its owner was granted.");
	}
}

/*
 * steward_check_within_owner
 *		Raises when policy keeps agents within their owners and one of the credentials is not; inside the bracket.
 */
void
steward_check_within_owner(Datum orgs, Datum credentials)
{
	static StewardPlan find = STEWARD_PLAN(
		"UU", SCOPE_CHECK("SELECT c.* FROM unnest($1, $2) AS a(org_id, id) JOIN steward.credential c "
						  "ON c.org_id = a.org_id AND c.id = a.id AND c.state IN ('active', 'suspended')"));
	Datum values[] = {orgs, credentials};

	check_scopes(steward_run(&find, STEWARD_LATEST, values, NULL), true);
}

/*
 * tg_credential_rules() → trigger
 *		AFTER INSERT or UPDATE on credential, each statement: owners, holders and scopes of what can act.
 */
Datum
steward_tg_credential_rules(PG_FUNCTION_ARGS)
{
	static StewardPlan lock_inserted = STEWARD_PLAN("", LOCK_PEOPLE(INSERTED_CREDENTIALS));
	static StewardPlan lock_updated = STEWARD_PLAN("", LOCK_PEOPLE(UPDATED_CREDENTIALS));
	static StewardPlan people_inserted = STEWARD_PLAN("", FIND_PEOPLE(INSERTED_CREDENTIALS));
	static StewardPlan people_updated = STEWARD_PLAN("", FIND_PEOPLE(UPDATED_CREDENTIALS));
	static StewardPlan scopes_inserted = STEWARD_PLAN("", SCOPE_CHECK(INSERTED_CREDENTIALS));
	static StewardPlan scopes_updated = STEWARD_PLAN("", SCOPE_CHECK(RESCOPED_CREDENTIALS));
	static StewardPlan scopes_reowned = STEWARD_PLAN("", SCOPE_CHECK(REOWNED_CREDENTIALS));
	TriggerData *trigger = statement_trigger(fcinfo);
	bool inserted = TRIGGER_FIRED_BY_INSERT(trigger->tg_event);
	/* A leaver must not fail because who takes over has less; transfer_ownership() checks by itself. */
	bool directly = GetUserId() != steward_owner_role();
	int64 rows = tuplestore_tuple_count(trigger->tg_newtable);

	if (!any_can_act(trigger))
		return PointerGetDatum(NULL);
	STEWARD_AS_OWNER();
	{
		SPI_register_trigger_data(trigger);
		steward_run_rows(inserted ? &lock_inserted : &lock_updated, STEWARD_LATEST, rows);
		if (steward_run_rows(inserted ? &people_inserted : &people_updated, STEWARD_LATEST, rows) > 0)
		{
			char *thing = steward_result_text(0, 1);
			char *holder = steward_result_text(0, 2);
			char *owner = steward_result_text(0, 3);
			char *second = steward_result_text(0, 4);

			if (holder)
				ereport(ERROR,
						(errcode(ERRCODE_STEWARD_HOLDER_NOT_LIVE), errmsg("\"%s\" must have a living holder", thing),
						 errdetail("\"%s\" is %s.", steward_result_text(0, 5), holder)));
			refuse_owner(thing, owner ? "owner" : "second owner",
						 owner ? steward_result_text(0, 6) : "The second owner", owner ? owner : second);
		}
		check_scopes(steward_run_rows(inserted ? &scopes_inserted : &scopes_updated, STEWARD_LATEST, rows), false);
		if (!inserted && directly)
			check_scopes(steward_run_rows(&scopes_reowned, STEWARD_LATEST, rows), true);
	}
	STEWARD_AS_OWNER_END();
	return PointerGetDatum(NULL);
}

/* Rows of principals whose owners matter. */
#define INSERTED_PRINCIPALS \
	"SELECT n.*, NULL::uuid AS holder_id FROM new_rows n WHERE n.kind <> 'human' AND n.state = 'active'"
#define UPDATED_PRINCIPALS \
	"SELECT n.*, NULL::uuid AS holder_id FROM new_rows n JOIN old_rows o ON o.org_id = n.org_id AND o.id = n.id " \
	"WHERE n.kind <> 'human' AND n.state = 'active' AND (o.state <> 'active' OR (n.owner_id, n.second_owner_id, n.kind) " \
	"IS DISTINCT FROM (o.owner_id, o.second_owner_id, o.kind))"
#define FIND_OWNERS(rows) \
	"SELECT * FROM (SELECT r.name, " OWNER_PROBLEM("o") " AS owner, CASE WHEN r.second_owner_id IS NOT NULL THEN " OWNER_PROBLEM( \
		"s") " END AS second, coalesce(o.user_name, o.name, r.owner_id::text) FROM (" rows ") r " \
			 "LEFT JOIN steward.principal o ON o.org_id = r.org_id AND o.id = r.owner_id " \
			 "LEFT JOIN steward.principal s ON s.org_id = r.org_id AND s.id = r.second_owner_id) x " \
			 "WHERE num_nonnulls(owner, second) > 0 LIMIT 1"

/*
 * tg_principal_rules() → trigger
 *		AFTER INSERT or UPDATE on principal, each statement: owners of services, agents and workloads that can act.
 */
Datum
steward_tg_principal_rules(PG_FUNCTION_ARGS)
{
	static StewardPlan lock_inserted = STEWARD_PLAN("", LOCK_PEOPLE(INSERTED_PRINCIPALS));
	static StewardPlan lock_updated = STEWARD_PLAN("", LOCK_PEOPLE(UPDATED_PRINCIPALS));
	static StewardPlan inserted_owners = STEWARD_PLAN("", FIND_OWNERS(INSERTED_PRINCIPALS));
	static StewardPlan updated_owners = STEWARD_PLAN("", FIND_OWNERS(UPDATED_PRINCIPALS));
	TriggerData *trigger = statement_trigger(fcinfo);
	bool inserted = TRIGGER_FIRED_BY_INSERT(trigger->tg_event);
	int64 rows = tuplestore_tuple_count(trigger->tg_newtable);

	if (rows == 0)
		return PointerGetDatum(NULL);
	STEWARD_AS_OWNER();
	{
		SPI_register_trigger_data(trigger);
		steward_run_rows(inserted ? &lock_inserted : &lock_updated, STEWARD_LATEST, rows);
		if (steward_run_rows(inserted ? &inserted_owners : &updated_owners, STEWARD_LATEST, rows) > 0)
		{
			char *owner = steward_result_text(0, 2);

			refuse_owner(steward_result_text(0, 1), owner ? "owner" : "second owner",
						 owner ? steward_result_text(0, 4) : "The second owner",
						 owner ? owner : steward_result_text(0, 3));
		}
	}
	STEWARD_AS_OWNER_END();
	return PointerGetDatum(NULL);
}

/* A column of the row that a row trigger is about, before the change. */
static Datum
old_column(const TriggerData *trigger, const char *name)
{
	bool isnull;
	int attnum = SPI_fnumber(RelationGetDescr(trigger->tg_relation), name);

	return SPI_getbinval(trigger->tg_trigtuple, RelationGetDescr(trigger->tg_relation), attnum, &isnull);
}

/* Whether a text column of a row, before or after the change, is a value. */
static bool
row_says(const TriggerData *trigger, HeapTuple row, const char *name, const char *value)
{
	char *text = SPI_getvalue(row, RelationGetDescr(trigger->tg_relation),
							  SPI_fnumber(RelationGetDescr(trigger->tg_relation), name));

	return text != NULL && strcmp(text, value) == 0;
}

/* Checks how a deferred row trigger was called. */
static TriggerData *
row_trigger(FunctionCallInfo fcinfo)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("a rule trigger of steward must be fired after a row has changed")));
	return trigger;
}

/*
 * tg_still_owns() → trigger
 *		Deferred, each row of principal that went or stopped being human: at commit it owns nothing that can act.
 *
 * The row is locked by its own change, so whoever was to give it something has committed before, or waits and is refused.
 */
Datum
steward_tg_still_owns(PG_FUNCTION_ARGS)
{
	static StewardPlan find = STEWARD_PLAN(
		"uu",
		"SELECT x.what, (SELECT coalesce(user_name, name) FROM steward.principal WHERE org_id = $1 AND id = $2) FROM ("
		"(SELECT kind || ' \"' || name || '\"' AS what FROM steward.principal WHERE org_id = $1 AND owner_id = $2 "
		"AND state = 'active' LIMIT 1) UNION ALL "
		"(SELECT 'credential \"' || display || '\"' FROM steward.credential WHERE org_id = $1 AND owner_id = $2 "
		"AND state = 'active' LIMIT 1)) x WHERE NOT EXISTS (SELECT FROM steward.principal p WHERE p.org_id = $1 "
		"AND p.id = $2 AND p.kind = 'human' AND p.state <> 'offboarded') LIMIT 1");
	TriggerData *trigger = row_trigger(fcinfo);

	if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) &&
		!(row_says(trigger, trigger->tg_newtuple, "state", "offboarded") &&
		  !row_says(trigger, trigger->tg_trigtuple, "state", "offboarded")) &&
		!(row_says(trigger, trigger->tg_trigtuple, "kind", "human") &&
		  !row_says(trigger, trigger->tg_newtuple, "kind", "human")))
		return PointerGetDatum(NULL);

	/*
	 * With constraints immediate, as in a preview, the leaver's own statement fires this before what was owned has
	 * passed on: its code is about to do that.
	 */
	if (GetUserId() == steward_owner_role())
		return PointerGetDatum(NULL);
	STEWARD_AS_OWNER();
	{
		Datum values[] = {old_column(trigger, "org_id"), old_column(trigger, "id")};

		if (steward_run(&find, STEWARD_LATEST, values, NULL) > 0)
			ereport(ERROR, (errcode(ERRCODE_STEWARD_STILL_OWNS),
							errmsg("\"%s\" still owns what can act",
								   steward_result_text(0, 2) ? steward_result_text(0, 2) : "who is deleted"),
							errdetail("For example %s.", steward_result_text(0, 1)),
							errhint("Let the directory say that they left, or use steward.transfer_ownership().")));
	}
	STEWARD_AS_OWNER_END();
	return PointerGetDatum(NULL);
}

/*
 * tg_last_admin() → trigger
 *		Deferred, each row of profile_grant that was an admin's: the last admin of an organization does not vanish.
 *
 * Only a superuser, who is every organization's admin, can take the last one away, and then the server's log says so.
 */
Datum
steward_tg_last_admin(PG_FUNCTION_ARGS)
{
	static StewardPlan lock =
		STEWARD_PLAN("u", "SELECT slug FROM steward.organization WHERE id = $1 FOR NO KEY UPDATE");
	static StewardPlan find =
		STEWARD_PLAN("u", "SELECT FROM steward.profile_grant WHERE org_id = $1 AND profile = 'admin' LIMIT 1");
	TriggerData *trigger = row_trigger(fcinfo);

	if (!row_says(trigger, trigger->tg_trigtuple, "profile", "admin"))
		return PointerGetDatum(NULL);
	STEWARD_AS_OWNER();
	{
		Datum org = old_column(trigger, "org_id");
		char *slug;

		if (steward_run(&lock, STEWARD_LATEST, &org, NULL) > 0)
		{
			slug = steward_result_text(0, 1);
			if (steward_run(&find, STEWARD_LATEST, &org, NULL) == 0)
				ereport(superuser_arg(steward_caller()) ? LOG : ERROR,
						(errcode(ERRCODE_STEWARD_LAST_ADMIN), errmsg("organization \"%s\" has no admin left", slug),
						 errhint("Make somebody else admin with steward.grant_profile().")));
		}
	}
	STEWARD_AS_OWNER_END();
	return PointerGetDatum(NULL);
}
