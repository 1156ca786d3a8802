/*
 * people.c
 *		Holders and owners, locked before anything is decided about them.
 *
 * Whoever makes or changes a live credential, grant or ownership calls this first.  The rows are locked FOR SHARE in id
 * order, and only then read: beside a leaver the caller either waits and sees that the person is gone, or holds the
 * lock until it has committed and the leaver finds what it made.  A plain read or FOR KEY SHARE would leave a live key
 * behind.  In REPEATABLE READ and SERIALIZABLE, a row that changed since the snapshot raises a serialization failure.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "utils/builtins.h"

#include "core/plan.h"
#include "credential/people.h"
#include "steward.h"

/* How often the holder's owner may change while we wait for locks. */
#define MAX_ROUNDS 10

/* Reads a row of the lock statement. */
static void
read_person(int row, StewardPerson *person)
{
	bool isnull;
	Datum owner;

	person->id = *DatumGetUUIDP(steward_result(row, 1, &isnull));
	person->kind = steward_result_text(row, 2);
	person->state = steward_result_text(row, 3);
	person->name = steward_result_text(row, 4);
	person->environment = steward_result_text(row, 5);
	owner = steward_result(row, 6, &isnull);
	person->has_owner = !isnull;
	if (!isnull)
		person->owner = *DatumGetUUIDP(owner);
	person->ended = DatumGetBool(steward_result(row, 7, &isnull));
}

/* Locks one or two principals FOR SHARE, in id order, and reads them. */
static void
lock_and_read(const pg_uuid_t *org, const pg_uuid_t *first, const pg_uuid_t *second, StewardPerson *first_row,
			  StewardPerson *second_row)
{
	static StewardPlan lock =
		STEWARD_PLAN("uuu", "SELECT p.id, p.kind, p.state, p.name, p.environment, p.owner_id, "
							"coalesce(p.ends_at <= clock_timestamp(), false) FROM steward.principal p "
							"WHERE p.org_id = $1 AND p.id IN ($2, $3) ORDER BY p.id FOR SHARE");
	Datum values[] = {UUIDPGetDatum(org), UUIDPGetDatum(first), UUIDPGetDatum(second)};
	int rows = (int) steward_run(&lock, STEWARD_TRANSACTION, values, NULL);
	bool found_first = false;
	bool found_second = false;

	for (int row = 0; row < rows; row++)
	{
		StewardPerson person;

		read_person(row, &person);
		if (memcmp(&person.id, first, sizeof(pg_uuid_t)) == 0)
		{
			*first_row = person;
			found_first = true;
		}
		if (memcmp(&person.id, second, sizeof(pg_uuid_t)) == 0)
		{
			*second_row = person;
			found_second = true;
		}
	}
	/* Principals are never deleted by steward; somebody else did, between resolving and locking. */
	if (!found_first || !found_second)
		ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
						errmsg("a principal went away while waiting for it"), errhint("Try again.")));
}

/* Raises unless somebody may own things. */
static void
check_owner(const StewardPerson *owner)
{
	if (strcmp(owner->kind, "human") != 0)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_OWNER_NOT_HUMAN), errmsg("owner \"%s\" is not a person", owner->name),
						errdetail("It is of kind %s; only a human can answer for something.", owner->kind)));
	if (strcmp(owner->state, "active") != 0 || owner->ended)
		ereport(ERROR,
				(errcode(ERRCODE_STEWARD_OWNER_NOT_LIVE), errmsg("owner \"%s\" cannot own anything now", owner->name),
				 errdetail("The person is %s.", owner->ended ? "past the end date" : owner->state)));
}

/*
 * steward_lock_owner
 *		Locks a person who is to own something, and raises unless they are a living human.
 */
void
steward_lock_owner(const pg_uuid_t *org, const pg_uuid_t *owner, StewardPerson *owner_row)
{
	lock_and_read(org, owner, owner, owner_row, owner_row);
	check_owner(owner_row);
}

/*
 * steward_lock_pair
 *		Locks the holder of a credential and its owner, and raises unless both are live and the owner is human.
 *
 * owner may be NULL: then it is the holder itself, if human, else the holder's owner as it stands under the lock.
 */
void
steward_lock_pair(const pg_uuid_t *org, const pg_uuid_t *holder, const pg_uuid_t *owner, StewardPerson *holder_row,
				  StewardPerson *owner_row)
{
	static StewardPlan find =
		STEWARD_PLAN("uu", "SELECT coalesce(owner_id, id) FROM steward.principal WHERE org_id = $1 AND id = $2");
	Datum values[] = {UUIDPGetDatum(org), UUIDPGetDatum(holder)};

	for (int round = 0;; round++)
	{
		pg_uuid_t guess;
		bool isnull;

		if (owner)
			guess = *owner;
		else
		{
			if (steward_run(&find, STEWARD_TRANSACTION, values, NULL) != 1 || round == MAX_ROUNDS)
				ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
								errmsg("the holder changed while waiting for it"), errhint("Try again.")));
			guess = *DatumGetUUIDP(steward_result(0, 1, &isnull));
		}
		lock_and_read(org, holder, &guess, holder_row, owner_row);
		/* The holder may have got another owner before the lock. */
		if (owner ||
			memcmp(&guess, holder_row->has_owner ? &holder_row->owner : &holder_row->id, sizeof(pg_uuid_t)) == 0)
			break;
	}
	if (strcmp(holder_row->state, "active") != 0 || holder_row->ended)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_HOLDER_NOT_LIVE),
						errmsg("\"%s\" cannot hold a credential now", holder_row->name),
						errdetail("It is %s.", holder_row->ended ? "past the end date" : holder_row->state)));
	check_owner(owner_row);
}
