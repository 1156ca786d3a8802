/*
 * grant.c
 *		Scopes given to principals: grants, and whether a credential's scopes are within them.
 *
 * A principal's effective scopes are the union of its live grants.  Whoever asks holds the principal's row FOR SHARE.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "core/authority.h"
#include "core/plan.h"
#include "core/reference.h"
#include "credential/grant.h"
#include "credential/people.h"
#include "scope/scope.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_grant_scopes);

/* Why an admin's key brought a grant along, where the admin gave no reason. */
#define IMPLICIT_JUSTIFICATION "granted with a key that an administrator issued"

/* Records a grant; answers with its id. */
static pg_uuid_t
insert_grant(const pg_uuid_t *org, const pg_uuid_t *principal, Datum scopes, const char *justification,
			 const char *ticket, const TimestampTz *ends_at)
{
	static StewardPlan insert = STEWARD_PLAN(
		"uusttzn",
		"INSERT INTO steward.scope_grant (org_id, principal_id, scopes, source, justification, ticket, ends_at, "
		"requested_by) VALUES ($1, $2, $3, 'direct', $4, $5, coalesce($6, 'infinity'), $7) RETURNING id");
	NameData caller;
	bool isnull;

	namestrcpy(&caller, steward_caller_name());
	{
		Datum values[] = {
			UUIDPGetDatum(org),
			UUIDPGetDatum(principal),
			scopes,
			CStringGetTextDatum(justification),
			ticket ? CStringGetTextDatum(ticket) : (Datum) 0,
			ends_at ? TimestampTzGetDatum(*ends_at) : (Datum) 0,
			NameGetDatum(&caller),
		};
		bool nulls[] = {false, false, false, false, ticket == NULL, ends_at == NULL, false};

		steward_run(&insert, STEWARD_TRANSACTION, values, nulls);
	}
	return *DatumGetUUIDP(steward_result(0, 1, &isnull));
}

/* Whether the organization lets an admin's key bring its grant along. */
static bool
implicit_grant(const pg_uuid_t *org)
{
	static StewardPlan find = STEWARD_PLAN("u", "SELECT FROM steward.org_policy WHERE org_id = $1 AND implicit_grant");
	Datum value = UUIDPGetDatum(org);

	return steward_run(&find, STEWARD_TRANSACTION, &value, NULL) > 0;
}

/*
 * steward_require_scopes
 *		Raises unless the scopes are within the principal's effective scopes; inside the bracket.
 *
 * With may_grant, and where policy allows it, what is missing is granted instead, directly and on record.
 */
void
steward_require_scopes(const pg_uuid_t *org, const pg_uuid_t *principal, const char *name, Datum scopes, bool may_grant,
					   const char *justification, const char *ticket)
{
	static StewardPlan find_grants =
		STEWARD_PLAN("uu", "SELECT scopes FROM steward.scope_grant WHERE org_id = $1 AND principal_id = $2 "
						   "AND starts_at <= clock_timestamp() AND ends_at > clock_timestamp()");
	Datum values[] = {UUIDPGetDatum(org), UUIDPGetDatum(principal)};
	ScopeSet *missing = DatumGetScopeSetP(scopes);
	uint64 grants = steward_run(&find_grants, STEWARD_TRANSACTION, values, NULL);
	bool isnull;

	for (uint64 i = 0; i < grants && steward_scope_set_cardinality(missing) > 0; i++)
		missing = steward_scope_set_uncovered(missing, DatumGetScopeSetP(steward_result(i, 1, &isnull)));
	if (steward_scope_set_cardinality(missing) == 0)
		return;
	if (!may_grant || !implicit_grant(org))
	{
		Oid output;
		bool is_varlena;

		getTypeOutputInfo(steward_own_type("scope_set"), &output, &is_varlena);
		ereport(ERROR, (errcode(ERRCODE_STEWARD_SCOPES_NOT_EFFECTIVE),
						errmsg("\"%s\" has not been granted these scopes", name),
						errdetail("Missing: %.1000s.", OidOutputFunctionCall(output, PointerGetDatum(missing))),
						errhint("Grant them with steward.grant_scopes().")));
	}
	(void) insert_grant(org, principal, PointerGetDatum(missing),
						justification ? justification : IMPLICIT_JUSTIFICATION, ticket, NULL);
}

/*
 * grant_scopes(principal uuid | text, scopes scope_set, justification text, ticket text DEFAULT NULL,
 *				ends_at timestamptz DEFAULT NULL, org uuid DEFAULT default_org()) → grant_id uuid
 *		Gives scopes to a principal, directly; until ends_at, or without end.
 *
 * Needs admin.  Raises for a missing justification, an end that is past, an offboarded principal.
 */
Datum
steward_grant_scopes(PG_FUNCTION_ARGS)
{
	char *reference = steward_reference_arg(fcinfo, 0, "principal", true);
	char *justification;
	char *ticket;
	const pg_uuid_t *org;
	TimestampTz ends_at = 0;
	bool has_end = !PG_ARGISNULL(4);
	pg_uuid_t *result = palloc(sizeof(pg_uuid_t));

	if (PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("scopes must not be null")));
	if (steward_scope_set_cardinality(DatumGetScopeSetP(PG_GETARG_DATUM(1))) == 0)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_SCOPES_REQUIRED), errmsg("a grant needs at least one scope")));
	justification = steward_note_arg(fcinfo, 2, "justification");
	if (justification == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_STEWARD_JUSTIFICATION_REQUIRED), errmsg("a direct grant needs a justification")));
	ticket = steward_name_arg(fcinfo, 3, "ticket", 200, false);
	if (has_end)
	{
		ends_at = PG_GETARG_TIMESTAMPTZ(4);
		if (ends_at <= GetCurrentTimestamp())
			ereport(ERROR, (errcode(ERRCODE_STEWARD_VALUE_INVALID), errmsg("ends_at is in the past")));
	}
	org = steward_org_arg(fcinfo, 5);
	steward_require(org, STEWARD_PROFILE_ADMIN);
	PreventCommandIfReadOnly("grant_scopes()");

	STEWARD_AS_OWNER();
	{
		StewardPerson holder;
		StewardPerson owner;
		pg_uuid_t *principal = steward_resolve(STEWARD_REF_PRINCIPAL, org, reference, "principal");

		steward_lock_pair(org, principal, NULL, &holder, &owner);
		*result = insert_grant(org, principal, PG_GETARG_DATUM(1), justification, ticket, has_end ? &ends_at : NULL);
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_UUID_P(result);
}
