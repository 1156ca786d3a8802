/*
 * access.c
 *		Questions about access: through what somebody may do something, or what is missing.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "core/authority.h"
#include "core/plan.h"
#include "core/reference.h"
#include "scope/scope.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_uncovered_scopes);
PG_FUNCTION_INFO_V1(steward_explain_access);

/*
 * uncovered_scopes(asked scope_set, given scope_set[]) → scope_set
 *		The members of a scope set that no set of an array covers; a NULL array covers nothing, NULL asked is NULL.
 */
Datum
steward_uncovered_scopes(PG_FUNCTION_ARGS)
{
	ScopeSet *missing;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	missing = DatumGetScopeSetP(PG_GETARG_DATUM(0));
	if (!PG_ARGISNULL(1))
	{
		ArrayType *array = PG_GETARG_ARRAYTYPE_P(1);
		ArrayIterator iterator = array_create_iterator(array, 0, NULL);
		Datum given;
		bool isnull;

		while (steward_scope_set_cardinality(missing) > 0 && array_iterate(iterator, &given, &isnull))
			if (!isnull)
				missing = steward_scope_set_uncovered(missing, DatumGetScopeSetP(given));
		array_free_iterator(iterator);
	}
	PG_RETURN_POINTER(missing);
}

/* Answers with one row. */
static void
answer(ReturnSetInfo *rsinfo, bool allowed, const char *scope, const char *through, const char *detail)
{
	Datum values[] = {BoolGetDatum(allowed), CStringGetTextDatum(scope), CStringGetTextDatum(through),
					  CStringGetTextDatum(detail)};
	bool nulls[4] = {false};

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* What stops a principal whatever it was granted; answers with a row for each. */
static void
explain_state(ReturnSetInfo *rsinfo, const pg_uuid_t *org, const pg_uuid_t *principal)
{
	static StewardPlan find = STEWARD_PLAN(
		"uu",
		"SELECT 'principal', format('%s is %s', coalesce(p.user_name, p.name), p.state) FROM steward.principal p "
		"WHERE p.org_id = $1 AND p.id = $2 AND p.state <> 'active' "
		"UNION ALL SELECT 'suspension', format('%s: %s, since %s%s', s.cause, s.reason, s.since, "
		"coalesce(format(', until %s', s.until), '')) FROM steward.suspension s WHERE s.org_id = $1 AND s.principal_id = $2 "
		"AND s.lifted_at IS NULL "
		"UNION ALL SELECT 'engagement', format('ended %s', p.ends_at) FROM steward.principal p "
		"WHERE p.org_id = $1 AND p.id = $2 AND p.ends_at <= now() "
		"UNION ALL SELECT 'owner', format('owner %s is %s', coalesce(o.user_name, o.name), o.state) FROM steward.principal p "
		"JOIN steward.principal o ON o.org_id = p.org_id AND o.id = p.owner_id WHERE p.org_id = $1 AND p.id = $2 "
		"AND o.state <> 'active' "
		"UNION ALL SELECT 'organization', format('the organization is %s', g.state) FROM steward.organization g "
		"WHERE g.id = $1 AND g.state <> 'active'");
	Datum values[] = {UUIDPGetDatum(org), UUIDPGetDatum(principal)};
	uint64 rows = steward_run(&find, STEWARD_TRANSACTION, values, NULL);

	for (uint64 i = 0; i < rows; i++)
		answer(rsinfo, false, "*", steward_result_text(i, 1), steward_result_text(i, 2));
}

/*
 * explain_access(principal uuid | text, scopes scope_set, org uuid DEFAULT default_org())
 *		→ rows (allowed boolean, scope text, through text, detail text)
 *		For each scope asked: every grant, role and delegation that gives it, or one row "nothing" that says what is
 *		missing; and a row for each thing that stops the principal whatever it was granted.  Needs analyst.
 */
Datum
steward_explain_access(PG_FUNCTION_ARGS)
{
	/* What has ended is told apart from what never was. */
	static StewardPlan find = STEWARD_PLAN(
		"uus",
		"WITH asked AS (SELECT a.scope FROM regexp_split_to_table($3::text, ' ') AS a(scope) WHERE a.scope <> ''), "
		"given AS (SELECT 'grant' AS through, g.scopes, format('%s%s, requested by %s%s%s', g.source, "
		"coalesce(format(' of role %s', g.role), ''), g.requested_by, coalesce(': ' || g.justification, ''), "
		"CASE WHEN g.ends_at < 'infinity' THEN format(', until %s', g.ends_at) ELSE '' END) AS detail "
		"FROM steward.live_grant g WHERE g.org_id = $1 AND g.principal_id = $2 "
		"UNION ALL SELECT 'delegation', d.scopes, format('%s for %s, until %s', d.kind, coalesce(p.user_name, p.name), d.ends_at) "
		"FROM steward.delegation d JOIN steward.principal p ON p.org_id = d.org_id AND p.id = d.principal_id "
		"WHERE d.org_id = $1 AND d.actor_id = $2 AND d.ended_at IS NULL AND d.starts_at <= now() AND d.ends_at > now() "
		"AND p.state = 'active'), "
		"past AS (SELECT r.scopes, g.ends_at FROM steward.scope_grant g CROSS JOIN LATERAL (SELECT coalesce(g.scopes, "
		"(SELECT o.scopes FROM steward.role o WHERE o.org_id = g.org_id AND o.id = g.role_id)) AS scopes) r "
		"WHERE g.org_id = $1 AND g.principal_id = $2 AND g.ends_at <= now()) "
		"SELECT true, a.scope, v.through, v.detail FROM asked a JOIN given v ON "
		"steward.uncovered_scopes(a.scope::steward.scope_set, ARRAY[v.scopes])::text = '' "
		"UNION ALL SELECT false, a.scope, 'nothing', coalesce((SELECT format('a grant of it ended %s', max(t.ends_at)) FROM past t "
		"WHERE steward.uncovered_scopes(a.scope::steward.scope_set, ARRAY[t.scopes])::text = '' HAVING count(*) > 0), "
		"'nobody granted it') FROM asked a WHERE NOT EXISTS (SELECT FROM given v WHERE "
		"steward.uncovered_scopes(a.scope::steward.scope_set, ARRAY[v.scopes])::text = '') ORDER BY 2, 1 DESC, 3, 4");
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	char *reference = steward_reference_arg(fcinfo, 0, "principal", true);
	const pg_uuid_t *org;

	if (PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("scopes must not be null")));
	if (steward_scope_set_cardinality(DatumGetScopeSetP(PG_GETARG_DATUM(1))) == 0)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_SCOPES_REQUIRED), errmsg("name at least one scope to explain")));
	org = steward_org_arg(fcinfo, 2);
	steward_require(org, STEWARD_PROFILE_ANALYST);
	InitMaterializedSRF(fcinfo, 0);
	STEWARD_AS_OWNER();
	{
		pg_uuid_t *principal = steward_resolve(STEWARD_REF_PRINCIPAL, org, reference, "principal");
		Datum values[] = {UUIDPGetDatum(org), UUIDPGetDatum(principal), PG_GETARG_DATUM(1)};
		uint64 rows = steward_run(&find, STEWARD_TRANSACTION, values, NULL);
		bool isnull;

		for (uint64 i = 0; i < rows; i++)
			answer(rsinfo, DatumGetBool(steward_result(i, 1, &isnull)), steward_result_text(i, 2),
				   steward_result_text(i, 3), steward_result_text(i, 4));
		explain_state(rsinfo, org, principal);
	}
	STEWARD_AS_OWNER_END();
	return (Datum) 0;
}
