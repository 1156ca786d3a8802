/*
 * transfer.c
 *		Giving things another owner.
 *
 * That is a re-binding and not a change of a label: where policy keeps agents within their owners, scopes are checked
 * against the new one; every secret that the old owner could have known gets a date by which it is rotated, which the
 * check enforces; what was delegated to an agent in the old owner's name ends; and what was suspended because nobody
 * owned it wakes.  Locks, in the order of the whole system: principals in id order, then credentials in id order.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "access/htup_details.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "core/authority.h"
#include "core/plan.h"
#include "core/reference.h"
#include "credential/object.h"
#include "credential/people.h"
#include "credential/rules.h"
#include "credential/suspend.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_transfer_ownership);
PG_FUNCTION_INFO_V1(steward_set_second_owner);

/* One transfer, and what it did. */
typedef struct Transfer
{
	const pg_uuid_t *org;
	StewardObject object;
	StewardPerson owner; /* the new one */
	char *reason;
	int64 objects;
	int64 credentials;
	int64 delegations;
	TimestampTz rotate_by;
	bool rotates;
} Transfer;

/*
 * The principals that change hands, as a relation: the object itself, or everything that a person owns.
 * Parameters of all statements: 1 organization, 2 object, 3 its kind, 4 new owner.
 */
#define TRANSFER_ARGS "uulu"
#define MOVED_PRINCIPALS \
	"SELECT p.id, p.owner_id FROM steward.principal p WHERE p.org_id = $1 AND $3 = 1 AND p.kind <> 'human' " \
	"AND p.state <> 'offboarded' AND (p.id = $2 OR p.owner_id = $2)"

/* Locks everybody concerned, in id order; the new owner among them. */
static void
lock_everybody(Datum *values)
{
	static StewardPlan lock = STEWARD_PLAN(
		TRANSFER_ARGS,
		"SELECT FROM steward.principal p WHERE p.org_id = $1 AND (p.id IN ($2, $4) "
		"OR p.id IN (SELECT m.id FROM (" MOVED_PRINCIPALS ") m UNION SELECT m.owner_id FROM (" MOVED_PRINCIPALS ") m) "
		"OR p.id IN (SELECT x.id FROM steward.credential c CROSS JOIN LATERAL (VALUES (c.holder_id), (c.owner_id)) AS x(id) "
		"WHERE c.org_id = $1 AND c.id = $2)) ORDER BY p.id FOR NO KEY UPDATE");

	steward_run(&lock, STEWARD_LATEST, values, NULL);
}

/* The credentials that change hands, locked in id order; answers with organization, id, former owner and holder. */
static uint64
lock_credentials(Datum *values)
{
	/* What a person holds stays theirs; children of an account go where it goes. */
	static StewardPlan lock = STEWARD_PLAN(
		TRANSFER_ARGS,
		"WITH RECURSIVE moved AS (" MOVED_PRINCIPALS "), first AS ("
		"SELECT c.id, c.owner_id FROM moved m JOIN steward.credential c ON c.org_id = $1 AND c.holder_id = m.id "
		"AND c.owner_id = m.owner_id UNION "
		"SELECT c.id, c.owner_id FROM steward.credential c JOIN steward.principal p ON p.org_id = c.org_id AND p.id = $2 "
		"AND p.kind = 'human' WHERE $3 = 1 AND c.org_id = $1 AND c.owner_id = $2 AND c.holder_id IS DISTINCT FROM $2 UNION "
		"SELECT c.id, c.owner_id FROM steward.credential c WHERE c.org_id = $1 AND c.id = $2 AND $3 = 2), "
		"reach AS (SELECT id, owner_id FROM first UNION SELECT c.id, c.owner_id FROM reach r JOIN steward.credential c "
		"ON c.org_id = $1 AND c.parent_id = r.id AND c.parent_kind = 'belongs_to' "
		"AND c.owner_id IS NOT DISTINCT FROM r.owner_id) "
		"SELECT c.org_id, c.id FROM steward.credential c WHERE c.org_id = $1 AND c.id IN (SELECT id FROM reach) "
		"AND c.state IN ('active', 'suspended') AND c.owner_id <> $4 ORDER BY c.id FOR UPDATE");

	return steward_run(&lock, STEWARD_LATEST, values, NULL);
}

/* Does it; inside the bracket. */
static void
transfer(Transfer *t)
{
	static StewardPlan end_delegations = STEWARD_PLAN(
		TRANSFER_ARGS "t",
		"UPDATE steward.delegation d SET ended_at = clock_timestamp(), ended_reason = $5, "
		"tokens_valid_after = GREATEST(d.tokens_valid_after, clock_timestamp()) FROM (" MOVED_PRINCIPALS ") m "
		"WHERE d.org_id = $1 AND d.principal_id = m.owner_id AND d.actor_id = m.id AND d.ended_at IS NULL "
		"AND m.owner_id <> $4");
	static StewardPlan move_systems =
		STEWARD_PLAN(TRANSFER_ARGS, "UPDATE steward.system SET owner_id = $4 WHERE org_id = $1 AND owner_id <> $4 "
									"AND (($3 = 4 AND id = $2) OR ($3 = 1 AND owner_id = $2))");
	static StewardPlan move_principals = STEWARD_PLAN(
		TRANSFER_ARGS, "UPDATE steward.principal p SET owner_id = $4, second_owner_id = nullif(p.second_owner_id, $4) "
					   "FROM (" MOVED_PRINCIPALS ") m WHERE p.org_id = $1 AND p.id = m.id AND p.owner_id <> $4 "
					   "RETURNING p.org_id, p.id, NULL::uuid");
	/* An account has no secret of its own: its keys have. */
	static StewardPlan move_credentials = STEWARD_PLAN(
		"UUut",
		"UPDATE steward.credential c SET owner_id = $3, owner_since = clock_timestamp(), "
		"second_owner_id = nullif(c.second_owner_id, $3), "
		"rotate_by = CASE WHEN c.kind = 'account' THEN c.rotate_by ELSE LEAST(c.rotate_by, clock_timestamp() + o.rotation_window) END, "
		"rotate_reason = CASE WHEN c.kind = 'account' THEN c.rotate_reason ELSE 'a former owner could have known the secret' END "
		"FROM unnest($1, $2) AS m(org_id, id) JOIN steward.org_policy o ON o.org_id = m.org_id "
		"WHERE c.org_id = m.org_id AND c.id = m.id RETURNING c.org_id, NULL::uuid, c.id, c.rotate_by");
	Datum values[5] = {UUIDPGetDatum(t->org), UUIDPGetDatum(&t->object.id), Int64GetDatum(t->object.kind),
					   UUIDPGetDatum(&t->owner.id), CStringGetTextDatum(t->reason)};
	StewardSubjects subjects;

	lock_everybody(values);
	steward_lock_owner(t->org, &t->owner.id, &t->owner);
	t->credentials = (int64) lock_credentials(values);
	{
		Datum orgs = steward_uuid_column(1);
		Datum credentials = steward_uuid_column(2);

		t->delegations = (int64) steward_run(&end_delegations, STEWARD_LATEST, values, NULL);
		t->objects = (int64) steward_run(&move_systems, STEWARD_LATEST, values, NULL);
		t->objects += (int64) steward_run(&move_principals, STEWARD_LATEST, values, NULL);
		subjects = (StewardSubjects){steward_uuid_column(1), steward_uuid_column(2), steward_uuid_column(3)};
		(void) steward_reinstate_subjects(&subjects, "orphaned", t->reason);
		if (t->credentials > 0)
		{
			Datum move[] = {orgs, credentials, UUIDPGetDatum(&t->owner.id), values[4]};

			steward_run(&move_credentials, STEWARD_LATEST, move, NULL);
			for (uint64 i = 0; i < SPI_processed; i++)
			{
				bool isnull;
				Datum by = steward_result(i, 4, &isnull);

				if (!isnull && (!t->rotates || DatumGetTimestampTz(by) < t->rotate_by))
				{
					t->rotate_by = DatumGetTimestampTz(by);
					t->rotates = true;
				}
			}
			subjects = (StewardSubjects){steward_uuid_column(1), steward_uuid_column(2), steward_uuid_column(3)};
			(void) steward_reinstate_subjects(&subjects, "orphaned", t->reason);
			steward_check_within_owner(orgs, credentials);
		}
	}
}

/*
 * transfer_ownership(object uuid | text, new_owner text, reason text, org uuid DEFAULT default_org())
 *		→ (objects bigint, credentials bigint, delegations_ended bigint, rotate_by timestamptz)
 *
 *		Gives a service or agent with the credentials it holds, a credential with what belongs to it, a system, or
 *		everything that a person owns, to another living human.
 *
 * objects counts services, agents, workloads and systems.  Needs admin.  Raises ST201, ST202 for somebody who cannot
 * own, ST228 when policy keeps an agent within its owner and the new one has less.
 */
Datum
steward_transfer_ownership(PG_FUNCTION_ARGS)
{
	Transfer t = {0};
	char *reference = steward_reference_arg(fcinfo, 0, "object", true);
	char *new_owner = steward_text_arg(fcinfo, 1, "new_owner", true);
	TupleDesc desc;
	Datum values[4];
	bool nulls[4] = {false};

	t.reason = steward_note_arg(fcinfo, 2, "reason");
	if (t.reason == NULL)
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("reason must not be null")));
	t.org = steward_org_arg(fcinfo, 3);
	steward_require(t.org, STEWARD_PROFILE_ADMIN);
	PreventCommandIfReadOnly("transfer_ownership()");
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "transfer_ownership() does not return a row");
	STEWARD_AS_OWNER();
	{
		t.owner.id = *steward_resolve(STEWARD_REF_PRINCIPAL, t.org, new_owner, "new_owner");
		steward_resolve_object(t.org, reference,
							   STEWARD_OBJECT_PRINCIPAL | STEWARD_OBJECT_CREDENTIAL | STEWARD_OBJECT_SYSTEM, &t.object);
		transfer(&t);
	}
	STEWARD_AS_OWNER_END();
	values[0] = Int64GetDatum(t.objects);
	values[1] = Int64GetDatum(t.credentials);
	values[2] = Int64GetDatum(t.delegations);
	values[3] = TimestampTzGetDatum(t.rotate_by);
	nulls[3] = !t.rotates;
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/*
 * set_second_owner(object uuid | text, second_owner text, org uuid DEFAULT default_org()) → changed boolean
 *		Names a second human who answers for a service, agent, workload or credential; null takes the second one away.
 *
 * Needs admin.
 */
Datum
steward_set_second_owner(PG_FUNCTION_ARGS)
{
	static StewardPlan set_principal =
		STEWARD_PLAN("uuu", "UPDATE steward.principal SET second_owner_id = $3 WHERE org_id = $1 AND id = $2 "
							"AND second_owner_id IS DISTINCT FROM $3");
	static StewardPlan set_credential =
		STEWARD_PLAN("uuu", "UPDATE steward.credential SET second_owner_id = $3 WHERE org_id = $1 AND id = $2 "
							"AND second_owner_id IS DISTINCT FROM $3");
	static StewardPlan same =
		STEWARD_PLAN("uuu", "SELECT FROM steward.principal WHERE org_id = $1 AND id = $2 "
							"AND (owner_id = $3 OR kind = 'human') UNION ALL "
							"SELECT FROM steward.credential WHERE org_id = $1 AND id = $2 AND owner_id = $3");
	char *reference = steward_reference_arg(fcinfo, 0, "object", true);
	char *second = steward_text_arg(fcinfo, 1, "second_owner", false);
	const pg_uuid_t *org = steward_org_arg(fcinfo, 2);
	volatile bool changed = false;

	steward_require(org, STEWARD_PROFILE_ADMIN);
	PreventCommandIfReadOnly("set_second_owner()");
	STEWARD_AS_OWNER();
	{
		StewardObject object;
		StewardPerson person = {0};
		Datum values[3] = {UUIDPGetDatum(org)};
		bool nulls[3] = {false, false, second == NULL};

		if (second)
			steward_lock_owner(org, steward_resolve(STEWARD_REF_PRINCIPAL, org, second, "second_owner"), &person);
		steward_resolve_object(org, reference, STEWARD_OBJECT_PRINCIPAL | STEWARD_OBJECT_CREDENTIAL, &object);
		values[1] = UUIDPGetDatum(&object.id);
		values[2] = UUIDPGetDatum(&person.id);
		if (steward_run(&same, STEWARD_TRANSACTION, values, nulls) > 0)
			ereport(ERROR, (errcode(ERRCODE_STEWARD_VALUE_INVALID),
							errmsg("\"%s\" cannot have this second owner", object.label),
							errdetail("People have no owners, and the second owner is somebody else than the owner.")));
		changed = steward_run(object.kind == STEWARD_OBJECT_PRINCIPAL ? &set_principal : &set_credential,
							  STEWARD_TRANSACTION, values, nulls) > 0;
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_BOOL(changed);
}
