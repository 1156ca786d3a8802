/*
 * object.c
 *		References that may name things of several kinds: who or what is to be suspended, transferred, looked into.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "core/authority.h"
#include "core/plan.h"
#include "core/reference.h"
#include "credential/object.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_object_id);
PG_FUNCTION_INFO_V1(steward_readable_org);

/*
 * steward_resolve_object
 *		What a checked reference names among the kinds given; raises when it names nothing, or several things.
 *
 * Inside the bracket.  Of several people with one user name or address the living one is meant, as elsewhere.
 */
void
steward_resolve_object(const pg_uuid_t *org, const char *reference, int kinds, StewardObject *object)
{
	static StewardPlan find = STEWARD_PLAN(
		"utlu",
		"WITH person AS (SELECT id, state, coalesce(user_name, name) AS label FROM steward.principal WHERE org_id = $1 "
		"AND $3 & 1 <> 0 AND id IN (SELECT p.id FROM steward.principal p WHERE p.org_id = $1 AND p.id = $4 "
		"UNION ALL SELECT p.id FROM steward.principal p WHERE p.org_id = $1 AND p.kind <> 'human' AND p.name = $2 "
		"UNION ALL SELECT p.id FROM steward.principal p WHERE p.org_id = $1 AND p.kind = 'human' AND lower(p.user_name) = lower($2) "
		"UNION ALL SELECT p.id FROM steward.principal p WHERE p.org_id = $1 AND p.kind = 'human' AND lower(p.email) = lower($2))), "
		"hit AS (SELECT 1 AS kind, id, label FROM person WHERE state <> 'offboarded' OR id = $4 "
		"OR NOT EXISTS (SELECT FROM person WHERE state <> 'offboarded') "
		"UNION ALL SELECT 2, id, display FROM steward.credential WHERE org_id = $1 AND $3 & 2 <> 0 "
		"AND id IN (SELECT c.id FROM steward.credential c WHERE c.org_id = $1 AND c.display = $2 "
		"UNION ALL SELECT c.id FROM steward.credential c WHERE c.org_id = $1 AND c.name = $2 "
		"UNION ALL SELECT c.id FROM steward.credential c WHERE c.org_id = $1 AND c.id = $4 "
		"UNION ALL SELECT c.id FROM steward.system s JOIN steward.credential c ON c.org_id = s.org_id "
		"AND c.system_id = s.id WHERE s.org_id = $1 AND c.external_id = $2) "
		"UNION ALL SELECT 4, id, name FROM steward.system WHERE org_id = $1 AND $3 & 4 <> 0 AND (name = $2 OR id = $4)) "
		"SELECT kind::bigint, id, label FROM hit LIMIT 2");
	pg_uuid_t given;
	bool is_uuid = strlen(reference) == 36 && strspn(reference, "0123456789abcdefABCDEF-") == 36 &&
				   reference[8] == '-' && reference[13] == '-' && reference[18] == '-' && reference[23] == '-';
	uint64 hits;
	bool isnull;

	if (is_uuid)
		given = *DatumGetUUIDP(DirectFunctionCall1(uuid_in, CStringGetDatum(reference)));
	{
		Datum values[] = {UUIDPGetDatum(org), CStringGetTextDatum(reference), Int64GetDatum(kinds),
						  UUIDPGetDatum(&given)};
		bool nulls[] = {false, false, false, !is_uuid};

		hits = steward_run(&find, STEWARD_TRANSACTION, values, nulls);
	}
	if (hits == 0)
		ereport(ERROR,
				(errcode(ERRCODE_STEWARD_REFERENCE_UNKNOWN),
				 errmsg("object \"%s\" is not known in this organization", reference),
				 errhint("Give a uuid, a name, a person's user name or e-mail address, or a key's display form.")));
	if (hits > 1)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_REFERENCE_AMBIGUOUS),
						errmsg("object \"%s\" names more than one thing", reference), errhint("Give its uuid.")));
	object->kind = (int) DatumGetInt64(steward_result(0, 1, &isnull));
	object->id = *DatumGetUUIDP(steward_result(0, 2, &isnull));
	object->label = steward_result_text(0, 3);
}

/*
 * object_id(reference text, org uuid DEFAULT default_org()) → uuid
 *		The id of the principal, credential or system that a text reference names; raises like every reference.
 *
 * Needs analyst.
 */
Datum
steward_object_id(PG_FUNCTION_ARGS)
{
	char *reference = steward_text_arg(fcinfo, 0, "object", true);
	const pg_uuid_t *org = steward_org_arg(fcinfo, 1);
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));

	steward_require(org, STEWARD_PROFILE_ANALYST);
	STEWARD_AS_OWNER();
	{
		StewardObject object;

		steward_resolve_object(org, reference,
							   STEWARD_OBJECT_PRINCIPAL | STEWARD_OBJECT_CREDENTIAL | STEWARD_OBJECT_SYSTEM, &object);
		*id = object.id;
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_UUID_P(id);
}

/*
 * readable_org(org uuid) → uuid
 *		The organization itself; raises unless the caller is an analyst in it.
 */
Datum
steward_readable_org(PG_FUNCTION_ARGS)
{
	const pg_uuid_t *org = steward_org_arg(fcinfo, 0);

	steward_require(org, STEWARD_PROFILE_ANALYST);
	PG_RETURN_UUID_P(org);
}
