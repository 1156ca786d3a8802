/*
 * claim.c
 *		Giving discovered credentials a holder, an owner and intended scopes: the way out of "discovered".
 *
 * Set-based: one credential and a hundred thousand are the same statements.  Holders and owners are locked FOR SHARE in
 * id order, then the credentials, and only then it is decided, for each alone, whether it can be claimed.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/uuid.h"

#include "core/authority.h"
#include "core/plan.h"
#include "core/reference.h"
#include "credential/claim.h"
#include "credential/grant.h"
#include "credential/people.h"
#include "credential/rules.h"
#include "scope/scope.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_claim_credential);
PG_FUNCTION_INFO_V1(steward_claim_matching);

/* The claims as a relation; parameters 1 to 5 of the statements. */
#define CLAIM_ARGS "UUUTu"
#define CLAIM_ROWS "unnest($1, $2, $3, $4) AS q(id, holder_id, owner_id, scopes)"

/* The columns of the statement that says what can be claimed. */
enum
{
	CLAIM_ID = 1,
	CLAIM_LABEL,
	CLAIM_STATE,
	CLAIM_HOLDER,
	CLAIM_HOLDER_NAME,
	CLAIM_HOLDER_PROBLEM,
	CLAIM_OWNER,
	CLAIM_OWNER_PROBLEM,
	CLAIM_SCOPES,
	CLAIM_CEILING,
	CLAIM_KIND,
	CLAIM_WITHIN_OWNER,
	CLAIM_KIND_ALLOWED,
	CLAIM_ORG
};

/* Those that can be claimed, and the grants that come with them; texts of scope sets. */
typedef struct Accepted
{
	ArrayBuildState *ids;
	ArrayBuildState *holders;
	ArrayBuildState *owners;
	ArrayBuildState *scopes;
	ArrayBuildState *granted_to;
	ArrayBuildState *granted;
	int64 n;
} Accepted;

static char *
scopes_text(ScopeSet *scopes)
{
	Oid output;
	bool is_varlena;

	getTypeOutputInfo(steward_own_type("scope_set"), &output, &is_varlena);
	return OidOutputFunctionCall(output, PointerGetDatum(scopes));
}

/* Why a credential cannot be claimed, NULL when it can; what the holder lacks is in missing. */
static char *
claim_problem(HeapTuple row, TupleDesc desc, HTAB *holders, HTAB *owners, bool may_grant, ScopeSet **missing,
			  int *sqlstate)
{
	bool isnull;
	bool no_ceiling;
	char *problem;
	ScopeSet *scopes;
	ScopeSet *over;
	Datum ceiling;
	const pg_uuid_t *org = DatumGetUUIDP(SPI_getbinval(row, desc, CLAIM_ORG, &isnull));

	*missing = NULL;
	if (strcmp(SPI_getvalue(row, desc, CLAIM_STATE), "discovered") != 0)
	{
		*sqlstate = ERRCODE_STEWARD_NOT_DISCOVERED;
		return psprintf("it is %s, not discovered", SPI_getvalue(row, desc, CLAIM_STATE));
	}
	*sqlstate = ERRCODE_STEWARD_HOLDER_NOT_LIVE;
	if ((problem = SPI_getvalue(row, desc, CLAIM_HOLDER_PROBLEM)) != NULL)
		return psprintf("its holder is %s", problem);
	*sqlstate = ERRCODE_STEWARD_OWNER_NOT_LIVE;
	if ((problem = SPI_getvalue(row, desc, CLAIM_OWNER_PROBLEM)) != NULL)
	{
		if (strcmp(problem, "not a person") == 0)
			*sqlstate = ERRCODE_STEWARD_OWNER_NOT_HUMAN;
		return psprintf("its owner is %s", problem);
	}
	*sqlstate = ERRCODE_STEWARD_SCOPES_REQUIRED;
	scopes = (ScopeSet *) DatumGetPointer(SPI_getbinval(row, desc, CLAIM_SCOPES, &isnull));
	if (isnull || steward_scope_set_cardinality(scopes = DatumGetScopeSetP(PointerGetDatum(scopes))) == 0)
		return "no intended scopes are known";
	*sqlstate = ERRCODE_STEWARD_KIND_NOT_ALLOWED;
	if (!DatumGetBool(SPI_getbinval(row, desc, CLAIM_KIND_ALLOWED, &isnull)))
		return psprintf("policy does not let agents hold credentials of kind %s", SPI_getvalue(row, desc, CLAIM_KIND));
	*sqlstate = ERRCODE_STEWARD_SCOPES_OVER_CEILING;
	ceiling = SPI_getbinval(row, desc, CLAIM_CEILING, &no_ceiling);
	if (!no_ceiling)
	{
		over = steward_scope_set_uncovered(scopes, DatumGetScopeSetP(ceiling));
		if (steward_scope_set_cardinality(over) > 0)
			return psprintf("policy does not allow these scopes for its kind: %.1000s", scopes_text(over));
	}
	*sqlstate = ERRCODE_STEWARD_SCOPES_OVER_OWNER;
	if (DatumGetBool(SPI_getbinval(row, desc, CLAIM_WITHIN_OWNER, &isnull)) &&
		(over =
			 steward_not_granted(owners, org, DatumGetUUIDP(SPI_getbinval(row, desc, CLAIM_OWNER, &isnull)), scopes)))
		return psprintf("the agent's owner does not have these scopes: %.1000s", scopes_text(over));
	*sqlstate = ERRCODE_STEWARD_SCOPES_NOT_EFFECTIVE;
	*missing =
		steward_not_granted(holders, org, DatumGetUUIDP(SPI_getbinval(row, desc, CLAIM_HOLDER, &isnull)), scopes);
	if (*missing && !may_grant)
		return psprintf("\"%s\" has not been granted these scopes: %.1000s", SPI_getvalue(row, desc, CLAIM_HOLDER_NAME),
						scopes_text(*missing));
	return NULL;
}

/* Decides about each row that the last query found. */
static void
decide(uint64 n, bool may_grant, Accepted *accepted, StewardClaimed report, void *arg)
{
	SPITupleTable *rows = SPI_tuptable;
	Datum orgs = steward_uuid_column(CLAIM_ORG);
	Datum holder_ids = steward_uuid_column(CLAIM_HOLDER);
	Datum owner_ids = steward_uuid_column(CLAIM_OWNER);
	HTAB *holders = steward_collect_grants(orgs, holder_ids);
	HTAB *owners = steward_collect_grants(orgs, owner_ids);
	MemoryContext context = CurrentMemoryContext;

	for (uint64 i = 0; i < n; i++)
	{
		HeapTuple row = rows->vals[i];
		TupleDesc desc = rows->tupdesc;
		int sqlstate = 0;
		bool isnull;
		ScopeSet *missing;
		char *problem = claim_problem(row, desc, holders, owners, may_grant, &missing, &sqlstate);
		Datum id = SPI_getbinval(row, desc, CLAIM_ID, &isnull);
		Datum holder = SPI_getbinval(row, desc, CLAIM_HOLDER, &isnull);

		CHECK_FOR_INTERRUPTS();
		report(DatumGetUUIDP(id), SPI_getvalue(row, desc, CLAIM_LABEL), problem, sqlstate, arg);
		if (problem)
			continue;
		accepted->n++;
		accepted->ids = accumArrayResult(accepted->ids, id, false, UUIDOID, context);
		accepted->holders = accumArrayResult(accepted->holders, holder, false, UUIDOID, context);
		accepted->owners =
			accumArrayResult(accepted->owners, SPI_getbinval(row, desc, CLAIM_OWNER, &isnull), false, UUIDOID, context);
		accepted->scopes = accumArrayResult(
			accepted->scopes, CStringGetTextDatum(SPI_getvalue(row, desc, CLAIM_SCOPES)), false, TEXTOID, context);
		if (missing)
		{
			accepted->granted_to = accumArrayResult(accepted->granted_to, holder, false, UUIDOID, context);
			accepted->granted =
				accumArrayResult(accepted->granted, CStringGetTextDatum(scopes_text(missing)), false, TEXTOID, context);
		}
	}
}

/*
 * steward_claim_listed
 *		Claims what can be claimed of the list, reports about each element, and answers with how many; inside the bracket.
 */
int64
steward_claim_listed(const pg_uuid_t *org, const StewardClaims *claims, StewardClaimed report, void *arg)
{
	static StewardPlan lock_people = STEWARD_PLAN(
		CLAIM_ARGS,
		"SELECT FROM steward.principal p WHERE p.org_id = $5 AND p.id IN (SELECT q.holder_id FROM " CLAIM_ROWS
		" UNION SELECT q.owner_id FROM " CLAIM_ROWS ") ORDER BY p.id FOR SHARE");
	static StewardPlan lock_credentials = STEWARD_PLAN(
		CLAIM_ARGS, "SELECT FROM steward.credential c WHERE c.org_id = $5 AND c.id IN (SELECT q.id FROM " CLAIM_ROWS
					") ORDER BY c.id FOR UPDATE");
	static StewardPlan look = STEWARD_PLAN(
		CLAIM_ARGS,
		"SELECT c.id, coalesce(c.external_id, c.display), c.state, q.holder_id, h.name, "
		"CASE WHEN h.id IS NULL THEN 'not known' WHEN h.state <> 'active' THEN h.state WHEN h.ends_at <= clock_timestamp() "
		"THEN 'past the end date' END, q.owner_id, CASE WHEN o.id IS NULL THEN 'not known' WHEN o.kind <> 'human' "
		"THEN 'not a person' WHEN o.state <> 'active' THEN o.state WHEN o.ends_at <= clock_timestamp() "
		"THEN 'past the end date' END, q.scopes::steward.scope_set, y.ceiling, c.kind, "
		"coalesce(h.kind = 'agent' AND p.agent_within_owner, false), "
		"coalesce(h.kind, '') <> 'agent' OR coalesce(y.allowed_for_agents, true), c.org_id FROM " CLAIM_ROWS
		" JOIN steward.credential c ON c.org_id = $5 AND c.id = q.id "
		"LEFT JOIN steward.principal h ON h.org_id = $5 AND h.id = q.holder_id "
		"LEFT JOIN steward.principal o ON o.org_id = $5 AND o.id = q.owner_id "
		"LEFT JOIN steward.credential_policy y ON y.org_id = $5 AND y.kind = c.kind "
		"LEFT JOIN steward.org_policy p ON p.org_id = $5 ORDER BY c.id");
	static StewardPlan grant = STEWARD_PLAN(
		"UTuttn",
		"INSERT INTO steward.scope_grant (org_id, principal_id, scopes, source, justification, ticket, requested_by) "
		"SELECT $3, g.principal_id, steward.scope_union(g.scopes::steward.scope_set), 'direct', $4, $5, $6 "
		"FROM unnest($1, $2) AS g(principal_id, scopes) GROUP BY g.principal_id");
	static StewardPlan claim = STEWARD_PLAN(
		CLAIM_ARGS "tt",
		"UPDATE steward.credential c SET state = 'active', holder_id = q.holder_id, owner_id = q.owner_id, "
		"owner_since = clock_timestamp(), scopes = q.scopes::steward.scope_set, justification = coalesce($6, c.justification), "
		"ticket = coalesce($7, c.ticket) FROM " CLAIM_ROWS
		" WHERE c.org_id = $5 AND c.id = q.id AND c.state = 'discovered'");
	Datum values[7] = {claims->credentials,
					   claims->holders,
					   claims->owners,
					   claims->scopes,
					   UUIDPGetDatum(org),
					   claims->justification ? CStringGetTextDatum(claims->justification) : (Datum) 0,
					   claims->ticket ? CStringGetTextDatum(claims->ticket) : (Datum) 0};
	bool nulls[7] = {false, false, false, false, false, claims->justification == NULL, claims->ticket == NULL};
	Accepted accepted = {0};
	NameData caller;

	steward_run(&lock_people, STEWARD_LATEST, values, NULL);
	steward_run(&lock_credentials, STEWARD_LATEST, values, NULL);
	decide(steward_run(&look, STEWARD_LATEST, values, NULL), claims->may_grant, &accepted, report, arg);
	if (accepted.n == 0)
		return 0;
	if (accepted.granted)
	{
		namestrcpy(&caller, steward_caller_name());
		{
			Datum grants[] = {makeArrayResult(accepted.granted_to, CurrentMemoryContext),
							  makeArrayResult(accepted.granted, CurrentMemoryContext),
							  values[4],
							  claims->justification ? values[5]
													: CStringGetTextDatum("granted with a credential that was claimed"),
							  values[6],
							  NameGetDatum(&caller)};
			bool grant_nulls[] = {false, false, false, false, nulls[6], false};

			steward_run(&grant, STEWARD_LATEST, grants, grant_nulls);
		}
	}
	values[0] = makeArrayResult(accepted.ids, CurrentMemoryContext);
	values[1] = makeArrayResult(accepted.holders, CurrentMemoryContext);
	values[2] = makeArrayResult(accepted.owners, CurrentMemoryContext);
	values[3] = makeArrayResult(accepted.scopes, CurrentMemoryContext);
	return (int64) steward_run(&claim, STEWARD_LATEST, values, nulls);
}

/* Whether policy lets an admin's claim bring its grants along. */
static bool
may_grant(const pg_uuid_t *org)
{
	static StewardPlan find = STEWARD_PLAN("u", "SELECT FROM steward.org_policy WHERE org_id = $1 AND implicit_grant");
	Datum value = UUIDPGetDatum(org);

	return steward_run(&find, STEWARD_TRANSACTION, &value, NULL) > 0;
}

/* An array of one value. */
static Datum
array_of(Oid type, Datum value)
{
	return makeArrayResult(accumArrayResult(NULL, value, false, type, CurrentMemoryContext), CurrentMemoryContext);
}

/* For a single claim: what is wrong is an error. */
static void
raise_problem(const pg_uuid_t *credential, const char *label, const char *detail, int sqlstate, void *arg)
{
	if (detail)
		ereport(ERROR, (errcode(sqlstate), errmsg("credential \"%s\" cannot be claimed", label),
						errdetail("Of it, %s.", detail)));
}

/*
 * claim_credential(credential uuid | text, holder text, scopes scope_set, owner text DEFAULT NULL,
 *					justification text DEFAULT NULL, ticket text DEFAULT NULL, org uuid DEFAULT default_org())
 *		→ credential_id uuid
 *
 *		Gives a discovered credential a holder, intended scopes and an owner; from then on it is governed.
 *
 * The owner is by default the holder, if human, else the holder's owner.  Needs admin.  Raises ST226 for what is not
 * discovered, ST201 to ST203 for people, ST207, ST227, ST228 for scopes.
 */
Datum
steward_claim_credential(PG_FUNCTION_ARGS)
{
	char *reference = steward_reference_arg(fcinfo, 0, "credential", true);
	char *holder_reference = steward_text_arg(fcinfo, 1, "holder", true);
	char *owner_reference = steward_text_arg(fcinfo, 3, "owner", false);
	char *justification = steward_note_arg(fcinfo, 4, "justification");
	char *ticket = steward_name_arg(fcinfo, 5, "ticket", 200, false);
	const pg_uuid_t *org = steward_org_arg(fcinfo, 6);
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));

	if (PG_ARGISNULL(2))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("scopes must not be null")));
	if (steward_scope_set_cardinality(DatumGetScopeSetP(PG_GETARG_DATUM(2))) == 0)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_SCOPES_REQUIRED), errmsg("a credential needs at least one scope")));
	steward_require(org, STEWARD_PROFILE_ADMIN);
	PreventCommandIfReadOnly("claim_credential()");
	STEWARD_AS_OWNER();
	{
		StewardPerson holder;
		StewardPerson owner;
		StewardClaims claims = {.justification = justification, .ticket = ticket, .may_grant = may_grant(org)};
		pg_uuid_t *holder_id = steward_resolve(STEWARD_REF_PRINCIPAL, org, holder_reference, "holder");
		pg_uuid_t *owner_id =
			owner_reference ? steward_resolve(STEWARD_REF_PRINCIPAL, org, owner_reference, "owner") : NULL;

		*id = *steward_resolve(STEWARD_REF_CREDENTIAL, org, reference, "credential");
		steward_lock_pair(org, holder_id, owner_id, &holder, &owner);
		claims.credentials = array_of(UUIDOID, UUIDPGetDatum(id));
		claims.holders = array_of(UUIDOID, UUIDPGetDatum(&holder.id));
		claims.owners = array_of(UUIDOID, UUIDPGetDatum(&owner.id));
		claims.scopes = array_of(TEXTOID, CStringGetTextDatum(scopes_text(DatumGetScopeSetP(PG_GETARG_DATUM(2)))));
		(void) steward_claim_listed(org, &claims, raise_problem, NULL);
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_UUID_P(id);
}

/* Adds a row about one claim to the answer. */
static void
answer_claim(const pg_uuid_t *credential, const char *label, const char *detail, int sqlstate, void *arg)
{
	ReturnSetInfo *rsinfo = arg;
	Datum values[] = {UUIDPGetDatum(credential), CStringGetTextDatum(label),
					  CStringGetTextDatum(detail ? "refused" : "claimed"),
					  detail ? CStringGetTextDatum(detail) : (Datum) 0};
	bool nulls[] = {false, false, false, detail == NULL};

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/*
 * claim_matching(system uuid | text, pattern text, holder text DEFAULT NULL, scopes scope_set DEFAULT NULL,
 *				  owner text DEFAULT NULL, justification text DEFAULT NULL, ticket text DEFAULT NULL,
 *				  org uuid DEFAULT default_org())
 *		→ rows (credential_id uuid, external_id text, action text, detail text)
 *
 *		Claims the discovered credentials of a system whose external id or name is LIKE the pattern.
 *
 * What is not named is as the view discovered_credentials suggests it: the owner from hints, tags and names, the holder
 * from hints, else the owner, the scopes as intended by its system, else as observed.  Each row is claimed or refused for
 * itself.  Needs admin.
 */
Datum
steward_claim_matching(PG_FUNCTION_ARGS)
{
	static StewardPlan find = STEWARD_PLAN(
		"uutuus",
		"SELECT d.credential_id, coalesce($4, d.suggested_holder_id, d.suggested_owner_id), coalesce($5, d.suggested_owner_id), "
		"coalesce($6, d.suggested_scopes)::text FROM steward.discovered_credentials d WHERE d.org_id = $1 AND d.system_id = $2 "
		"AND (d.external_id LIKE $3 OR d.name LIKE $3)");
	char *reference = steward_reference_arg(fcinfo, 0, "system", true);
	char *pattern = steward_text_arg(fcinfo, 1, "pattern", true);
	char *holder_reference = steward_text_arg(fcinfo, 2, "holder", false);
	char *owner_reference = steward_text_arg(fcinfo, 4, "owner", false);
	char *justification = steward_note_arg(fcinfo, 5, "justification");
	char *ticket = steward_name_arg(fcinfo, 6, "ticket", 200, false);
	const pg_uuid_t *org = steward_org_arg(fcinfo, 7);

	steward_require(org, STEWARD_PROFILE_ADMIN);
	PreventCommandIfReadOnly("claim_matching()");
	InitMaterializedSRF(fcinfo, 0);
	STEWARD_AS_OWNER();
	{
		StewardClaims claims = {.justification = justification, .ticket = ticket, .may_grant = may_grant(org)};
		pg_uuid_t *holder =
			holder_reference ? steward_resolve(STEWARD_REF_PRINCIPAL, org, holder_reference, "holder") : NULL;
		pg_uuid_t *owner =
			owner_reference ? steward_resolve(STEWARD_REF_PRINCIPAL, org, owner_reference, "owner") : NULL;
		Datum values[] = {
			UUIDPGetDatum(org),			  UUIDPGetDatum(steward_resolve(STEWARD_REF_SYSTEM, org, reference, "system")),
			CStringGetTextDatum(pattern), UUIDPGetDatum(holder),
			UUIDPGetDatum(owner),		  PG_ARGISNULL(3) ? (Datum) 0 : PG_GETARG_DATUM(3)};
		bool nulls[] = {false, false, false, holder == NULL, owner == NULL, PG_ARGISNULL(3)};
		uint64 n = steward_run(&find, STEWARD_LATEST, values, nulls);
		ArrayBuildState *scopes = NULL;

		for (uint64 i = 0; i < n; i++)
		{
			bool isnull;
			Datum value = steward_result(i, 4, &isnull);

			scopes = accumArrayResult(scopes, value, isnull, TEXTOID, CurrentMemoryContext);
		}
		if (n > 0)
		{
			claims.credentials = steward_uuid_column(1);
			claims.holders = steward_uuid_column(2);
			claims.owners = steward_uuid_column(3);
			claims.scopes = makeArrayResult(scopes, CurrentMemoryContext);
			(void) steward_claim_listed(org, &claims, answer_claim, fcinfo->resultinfo);
		}
	}
	STEWARD_AS_OWNER_END();
	return (Datum) 0;
}
