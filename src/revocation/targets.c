/*
 * targets.c
 *		Which credentials an act of revocation takes, with everything that derives from them.
 *
 * The cascade goes level by level, each credential once, so that a chain of any length, a diamond and a cycle made by
 * hand all cost one look at each credential.  Children are found by the index on the parent, without a plan: what the
 * planner believes about the table has no part in it.  It goes through children that are dead already, because theirs
 * may be alive, and never leaves the organization, because the key of the look-up begins with it.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "core/plan.h"
#include "core/relation.h"
#include "revocation/targets.h"
#include "steward.h"

/* The set of what was found: from the credential to its place in the list. */
typedef struct FoundEntry
{
	StewardTargetKey key;
	int place;
	char status;
} FoundEntry;

#define SH_PREFIX target
#define SH_ELEMENT_TYPE FoundEntry
#define SH_KEY_TYPE StewardTargetKey
#define SH_KEY key
#define SH_HASH_KEY(tb, key) hash_bytes((const unsigned char *) &(key), sizeof(StewardTargetKey))
#define SH_EQUAL(tb, a, b) (memcmp(&(a), &(b), sizeof(StewardTargetKey)) == 0)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/*
 * steward_targets_make
 *		An empty set, in the current memory context.
 */
StewardTargets *
steward_targets_make(int expected)
{
	StewardTargets *targets = palloc0(sizeof(StewardTargets));

	targets->room = Max(expected, 16);
	targets->keys = palloc(sizeof(StewardTargetKey) * targets->room);
	targets->acts = palloc(sizeof(pg_uuid_t) * targets->room);
	targets->seen = target_create(CurrentMemoryContext, targets->room, NULL);
	return targets;
}

/*
 * steward_targets_add
 *		Adds a credential, unless it is there: then the act that named it first keeps it.
 */
void
steward_targets_add(StewardTargets *targets, const pg_uuid_t *org, const pg_uuid_t *credential, const pg_uuid_t *act)
{
	StewardTargetKey key = {*org, *credential};
	FoundEntry *entry;
	bool found;

	entry = target_insert(targets->seen, key, &found);
	if (found)
		return;
	if (targets->n == targets->room)
	{
		if (targets->room > (int) (MaxAllocSize / sizeof(StewardTargetKey) / 2))
			ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("too many credentials in one act"),
							errhint("Revoke them in several acts.")));
		targets->room *= 2;
		targets->keys = repalloc(targets->keys, sizeof(StewardTargetKey) * targets->room);
		targets->acts = repalloc(targets->acts, sizeof(pg_uuid_t) * targets->room);
	}
	entry->place = targets->n;
	targets->keys[targets->n] = key;
	targets->acts[targets->n++] = *act;
}

/*
 * steward_targets_add_results
 *		Adds the rows of the last statement: organization, credential and, where act is NULL, the act.
 */
void
steward_targets_add_results(StewardTargets *targets, const pg_uuid_t *act)
{
	uint64 rows = SPI_processed;
	bool isnull;

	for (uint64 i = 0; i < rows; i++)
	{
		CHECK_FOR_INTERRUPTS();
		steward_targets_add(targets, DatumGetUUIDP(steward_result(i, 1, &isnull)),
							DatumGetUUIDP(steward_result(i, 2, &isnull)),
							act ? act : DatumGetUUIDP(steward_result(i, 3, &isnull)));
	}
	SPI_freetuptable(SPI_tuptable);
}

/* What the visitor of children needs to know. */
typedef struct Follow
{
	StewardTargets *targets;
	bool rotated;
} Follow;

/* Adds a child to the set, with the act that takes its parent. */
static bool
add_child(const StewardRow *row, void *arg)
{
	Follow *follow = arg;
	StewardTargetKey parent;
	FoundEntry *entry;
	pg_uuid_t id;
	bool isnull;

	if (!follow->rotated)
	{
		text *kind = DatumGetTextPP(steward_row_get(row, "parent_kind", &isnull));

		if (VARSIZE_ANY_EXHDR(kind) == strlen("rotated_from") &&
			memcmp(VARDATA_ANY(kind), "rotated_from", VARSIZE_ANY_EXHDR(kind)) == 0)
			return true;
	}
	parent.org = *DatumGetUUIDP(steward_row_get(row, "org_id", &isnull));
	parent.credential = *DatumGetUUIDP(steward_row_get(row, "parent_id", &isnull));
	id = *DatumGetUUIDP(steward_row_get(row, "id", &isnull));
	entry = target_lookup(follow->targets->seen, parent);
	if (entry != NULL)
	{
		/* A copy: the list may move as it grows. */
		pg_uuid_t act = follow->targets->acts[entry->place];

		steward_targets_add(follow->targets, &parent.org, &id, &act);
	}
	return true;
}

/*
 * steward_targets_follow
 *		Adds everything that derives from what is in the set: delegated_from, issued_by and belongs_to always,
 *		rotated_from when asked to.
 */
void
steward_targets_follow(StewardTargets *targets, bool rotated)
{
	Follow follow = {.targets = targets, .rotated = rotated};
	Snapshot snapshot = steward_fresh_snapshot();

	for (int first = 0; first < targets->n;)
	{
		int last = targets->n;
		/* The list moves in memory as it grows: the keys of a level are copied. */
		StewardTargetKey *level = palloc(sizeof(StewardTargetKey) * (last - first));
		Datum *keys = palloc(sizeof(Datum) * 2 * (last - first));

		memcpy(level, targets->keys + first, sizeof(StewardTargetKey) * (last - first));
		for (int i = 0; i < last - first; i++)
		{
			keys[2 * i] = UUIDPGetDatum(&level[i].org);
			keys[2 * i + 1] = UUIDPGetDatum(&level[i].credential);
		}
		steward_scan_each(STEWARD_CREDENTIAL_CHILDREN, snapshot, 2, last - first, keys, add_child, &follow);
		pfree(keys);
		pfree(level);
		first = last;
	}
	UnregisterSnapshot(snapshot);
}

/* Orders places in the list by organization and credential. */
static int
compare_places(const void *a, const void *b, void *arg)
{
	const StewardTargetKey *keys = arg;

	return memcmp(&keys[*(const int *) a], &keys[*(const int *) b], sizeof(StewardTargetKey));
}

/*
 * steward_targets_arrays
 *		The set as three parallel arrays of uuid, organization, credential and act, in the order of the first two: that
 *		is the order in which rows are locked.
 */
void
steward_targets_arrays(const StewardTargets *targets, Datum *orgs, Datum *credentials, Datum *acts)
{
	Datum *column = palloc(sizeof(Datum) * Max(targets->n, 1));
	int *order = palloc(sizeof(int) * Max(targets->n, 1));
	Datum *answers[3] = {orgs, credentials, acts};

	for (int i = 0; i < targets->n; i++)
		order[i] = i;
	qsort_arg(order, targets->n, sizeof(int), compare_places, targets->keys);
	for (int answer = 0; answer < 3; answer++)
	{
		for (int i = 0; i < targets->n; i++)
			column[i] = answer == 0	  ? UUIDPGetDatum(&targets->keys[order[i]].org)
						: answer == 1 ? UUIDPGetDatum(&targets->keys[order[i]].credential)
									  : UUIDPGetDatum(&targets->acts[order[i]]);
		*answers[answer] =
			PointerGetDatum(construct_array(column, targets->n, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
	}
	pfree(order);
	pfree(column);
}
