/*
 * relation.c
 *		Steward's own tables: their OIDs, and direct look-ups by primary key.
 *
 * Direct look-ups need no plan, no privileges and no row-level security, so they work wherever a check has to: inside
 * a policy, in a parallel worker, on a standby.  Whoever uses one names the organization in the key and has decided
 * what the caller may learn from the row.
 *
 * Names, column numbers and descriptors are resolved once per backend, and again when one of the tables is altered.  Where a
 * row lies is remembered too (never what it says): the next look-up fetches that place under its own fresh snapshot and
 * compares the key, and takes the index when the row has moved.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "core/relation.h"
#include "core/setup.h"
#include "steward.h"

#define MAX_KEYS 3

/* Name and unique index of each look-up, and how to compare its key columns. */
static const struct
{
	const char *name;
	const char *index;
	int nkeys;
	RegProcedure equal[MAX_KEYS];
} table_list[STEWARD_TABLES] = {
	[STEWARD_INSTALLATION] = {"installation", "installation_pkey", 1, {F_BOOLEQ}},
	[STEWARD_ORGANIZATION] = {"organization", "organization_pkey", 1, {F_UUID_EQ}},
	[STEWARD_PROFILE_GRANT] = {"profile_grant", "profile_grant_pkey", 3, {F_UUID_EQ, F_NAMEEQ, F_TEXTEQ}},
	[STEWARD_PRINCIPAL] = {"principal", "principal_pkey", 2, {F_UUID_EQ, F_UUID_EQ}},
	[STEWARD_SYSTEM] = {"system", "system_pkey", 2, {F_UUID_EQ, F_UUID_EQ}},
	[STEWARD_CREDENTIAL] = {"credential", "credential_pkey", 2, {F_UUID_EQ, F_UUID_EQ}},
	[STEWARD_CREDENTIAL_OUTSIDE] = {"credential", "credential_external_id_key", 3, {F_UUID_EQ, F_UUID_EQ, F_TEXTEQ}},
	[STEWARD_PRINCIPAL_IDENTITY] = {"principal_identity",
									"principal_identity_pkey",
									3,
									{F_UUID_EQ, F_UUID_EQ, F_TEXTEQ}},
	[STEWARD_SCOPE_GRANT] = {"scope_grant", "scope_grant_pkey", 2, {F_UUID_EQ, F_UUID_EQ}},
	[STEWARD_DELEGATION] = {"delegation", "delegation_pkey", 2, {F_UUID_EQ, F_UUID_EQ}},
	[STEWARD_TOKEN_ISSUER] = {"token_issuer", "token_issuer_issuer_key", 2, {F_UUID_EQ, F_TEXTEQ}},
	[STEWARD_TOKEN_KEY] = {"token_key", "token_key_pkey", 2, {F_UUID_EQ, F_UUID_EQ}},
	[STEWARD_TOKEN_KEY_KID] = {"token_key", "token_key_kid_key", 3, {F_UUID_EQ, F_UUID_EQ, F_TEXTEQ}},
	[STEWARD_REVOKED_TOKEN] = {"revoked_token", "revoked_token_pkey", 3, {F_UUID_EQ, F_UUID_EQ, F_TEXTEQ}},
	[STEWARD_TOKEN_SIGNAL] = {"token_signal", "token_signal_pkey", 1, {F_BOOLEQ}},
	[STEWARD_CREDENTIAL_CHILDREN] = {"credential", "credential_parent_idx", 2, {F_UUID_EQ, F_UUID_EQ}},
	[STEWARD_REVOCATION] = {"revocation", "revocation_pkey", 2, {F_UUID_EQ, F_UUID_EQ}},
	[STEWARD_HEARTBEAT] = {"heartbeat", "heartbeat_pkey", 1, {F_BOOLEQ}},
	[STEWARD_CREDENTIAL_USE] = {"credential_use", "credential_use_pkey", 2, {F_UUID_EQ, F_UUID_EQ}},
	[STEWARD_AUDIT_INCARNATION] = {"audit_incarnation", "audit_incarnation_pkey", 1, {F_INT4EQ}},
	[STEWARD_AUDIT_EVENT] = {"audit_event", "audit_event_pkey", 1, {F_UUID_EQ}},
};

/* What was resolved; valid only while the flag says so. */
static struct
{
	bool valid;
	Oid table[STEWARD_TABLES];
	Oid index[STEWARD_TABLES];
	Oid owner;
} resolved;

/* Counts what might have changed it. */
static uint64 forgotten = 0;

/* Names of columns are literals in our code: their addresses find the column numbers. */
#define COLUMN_SLOTS 64

typedef struct ColumnSlot
{
	const char *name;
	int position; /* in values, from 0 */
} ColumnSlot;

/*
 * Shape of each table: a descriptor of our own, which lives as long as the backend, so that rows may point to it, and the
 * columns of the key.  A table that was altered gets a new one; the old one stays for the rows that use it.
 */
static struct
{
	TupleDesc desc;
	AttrNumber key[MAX_KEYS];
	ColumnSlot columns[COLUMN_SLOTS];
} shapes[STEWARD_TABLES];

/* Where rows lie: sets of four, replaced in turn.  A wrong hint costs a look at a row that is not the one. */
#define PLACE_SETS 4096
#define PLACE_WAYS 4

typedef struct Place
{
	uint64 hash; /* of table and key; 0: empty */
	ItemPointerData tid;
} Place;

static Place (*places)[PLACE_WAYS] = NULL;
static uint8 place_turn[PLACE_SETS];

/* One of our relations, or all, changed its definition: resolve again at the next use. */
static void
forget_relations(Datum arg, Oid relid)
{
	forgotten++;
	if (resolved.valid && OidIsValid(relid))
	{
		int i;

		for (i = 0; i < STEWARD_TABLES; i++)
			if (resolved.table[i] == relid || resolved.index[i] == relid)
				break;
		if (i == STEWARD_TABLES)
			return;
	}
	resolved.valid = false;
}

/* Roles change rarely too; a dropped owner must not be used. */
static void
forget_roles(Datum arg, int cacheid, uint32 hashvalue)
{
	forgotten++;
	resolved.valid = false;
}

void
steward_relation_init(void)
{
	CacheRegisterRelcacheCallback(forget_relations, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHOID, forget_roles, (Datum) 0);
}

/*
 * steward_namespace
 *		OID of the schema; raises when it is gone.
 */
Oid
steward_namespace(void)
{
	return get_namespace_oid(STEWARD_SCHEMA, false);
}

/* Compares the release that made the schema with this one. */
static void
check_schema_version(void)
{
	StewardRow row;
	Datum key = BoolGetDatum(true);
	Snapshot snapshot = steward_fresh_snapshot();
	bool isnull;
	char *version = NULL;

	if (steward_fetch(STEWARD_INSTALLATION, snapshot, 1, &key, &row))
		version = TextDatumGetCString(steward_row_get(&row, "schema_version", &isnull));
	UnregisterSnapshot(snapshot);
	if (version != NULL && strcmp(version, STEWARD_VERSION) == 0)
		return;
	resolved.valid = false;
	if (version != NULL && steward_compare_versions(version, STEWARD_VERSION) > 0)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_SCHEMA_NEWER),
						errmsg("steward's schema is of release %s, newer than its code, %s", version, STEWARD_VERSION),
						errhint("Install the newer release of steward on this server.")));
	ereport(ERROR, (errcode(ERRCODE_STEWARD_SCHEMA_OLDER),
					errmsg("steward's schema is of release %s, its code of release %s", version ? version : "(none)",
						   STEWARD_VERSION),
					errhint("Run SELECT * FROM steward.setup() as a superuser.")));
}

/* The shape of a table; kept when the table has the columns that it had. */
static void
resolve_shape(int i)
{
	Relation heap = table_open(resolved.table[i], AccessShareLock);
	Relation index = index_open(resolved.index[i], AccessShareLock);

	for (int k = 0; k < table_list[i].nkeys; k++)
		shapes[i].key[k] = index->rd_index->indkey.values[k];
	if (shapes[i].desc == NULL || !equalTupleDescs(shapes[i].desc, RelationGetDescr(heap)))
	{
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

		shapes[i].desc = CreateTupleDescCopyConstr(RelationGetDescr(heap));
		MemoryContextSwitchTo(old);
		memset(shapes[i].columns, 0, sizeof(shapes[i].columns));
	}
	index_close(index, AccessShareLock);
	table_close(heap, AccessShareLock);
}

/* Looks the names up; false when a table is not there. */
static bool
resolve(void)
{
	Oid nsp = get_namespace_oid(STEWARD_SCHEMA, true);

	if (!OidIsValid(nsp))
		return false;
	for (int i = 0; i < STEWARD_TABLES; i++)
	{
		resolved.table[i] = get_relname_relid(table_list[i].name, nsp);
		resolved.index[i] = get_relname_relid(table_list[i].index, nsp);
		if (!OidIsValid(resolved.table[i]) || !OidIsValid(resolved.index[i]))
			return false;
	}
	resolved.owner = get_role_oid(STEWARD_OWNER, true);
	return OidIsValid(resolved.owner);
}

/*
 * steward_is_set_up
 *		Whether setup() has made the tables in this database.
 */
bool
steward_is_set_up(void)
{
	if (resolved.valid)
		return true;
	return resolve();
}

/*
 * steward_is_resolved
 *		Whether OIDs are at hand without a look at the catalog, as in an invalidation callback.
 */
bool
steward_is_resolved(void)
{
	return resolved.valid;
}

/*
 * steward_require_setup
 *		Raises unless setup() has run here, with this release.
 */
void
steward_require_setup(void)
{
	uint64 before;

	if (resolved.valid)
		return;
	/* Opening tables accepts invalidations: again, when one came meanwhile. */
	do
	{
		before = forgotten;
		if (!resolve())
			ereport(ERROR, (errcode(ERRCODE_STEWARD_NOT_SET_UP), errmsg("steward is not set up in this database"),
							errhint("Run SELECT * FROM steward.setup() as a superuser.")));
		for (int i = 0; i < STEWARD_TABLES; i++)
			resolve_shape(i);
	} while (before != forgotten);
	resolved.valid = true;
	check_schema_version();
}

/*
 * steward_table
 *		OID of one of steward's tables; raises when setup() has not run.
 */
Oid
steward_table(StewardTable table)
{
	steward_require_setup();
	return resolved.table[table];
}

/*
 * steward_owner_role
 *		OID of the role that owns the tables.
 */
Oid
steward_owner_role(void)
{
	steward_require_setup();
	return resolved.owner;
}

/*
 * steward_fresh_snapshot
 *		A registered snapshot of this moment, whatever the isolation level; UnregisterSnapshot() it.
 *
 * A catalog snapshot, because the active one misses commits in an older transaction, and GetLatestSnapshot() raises
 * in a parallel plan.
 */
Snapshot
steward_fresh_snapshot(void)
{
	return RegisterSnapshot(GetCatalogSnapshot(steward_table(STEWARD_CREDENTIAL)));
}

/* Begins an index scan on the primary key with equality on the first nkeys columns. */
static void
fill_keys(StewardTable table, ScanKey skeys, int nkeys, const Datum *keys)
{
	Assert(nkeys <= table_list[table].nkeys);
	for (int i = 0; i < nkeys; i++)
	{
		ScanKeyInit(&skeys[i], i + 1, BTEqualStrategyNumber, table_list[table].equal[i], keys[i]);
		if (table_list[table].equal[i] == F_TEXTEQ)
			skeys[i].sk_collation = DEFAULT_COLLATION_OID;
	}
}

/*
 * steward_scan_each
 *		Does nscans scans in a row: each visits the rows whose first nkeys key columns equal the next nkeys of keys, in
 *		key order, under the given snapshot; visit ends the scan that it is called for by returning false.
 *
 * The row passed to visit is valid only during that call.
 */
void
steward_scan_each(StewardTable table, Snapshot snapshot, int nkeys, int nscans, const Datum *keys, StewardVisitor visit,
				  void *arg)
{
	Relation heap = table_open(steward_table(table), AccessShareLock);
	Relation index = index_open(resolved.index[table], AccessShareLock);
	TupleTableSlot *slot = table_slot_create(heap, NULL);
	IndexScanDesc scan = steward_index_beginscan(heap, index, snapshot, nkeys);
	ScanKeyData skeys[MAX_KEYS];

	for (int i = 0; i < nscans; i++)
	{
		CHECK_FOR_INTERRUPTS();
		fill_keys(table, skeys, nkeys, nkeys == 0 ? keys : keys + (size_t) i * nkeys);
		index_rescan(scan, skeys, nkeys, NULL, 0);
		while (index_getnext_slot(scan, ForwardScanDirection, slot))
		{
			StewardRow row = {.desc = shapes[table].desc, .table = table};
			bool should_free;

			CHECK_FOR_INTERRUPTS();
			row.tuple = ExecFetchSlotHeapTuple(slot, false, &should_free);
			slot_getallattrs(slot);
			row.values = slot->tts_values;
			row.nulls = slot->tts_isnull;
			if (!visit(&row, arg))
				break;
		}
	}
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	index_close(index, AccessShareLock);
	table_close(heap, AccessShareLock);
}

/*
 * steward_scan
 *		One such scan.
 */
void
steward_scan(StewardTable table, Snapshot snapshot, int nkeys, const Datum *keys, StewardVisitor visit, void *arg)
{
	steward_scan_each(table, snapshot, nkeys, 1, keys, visit, arg);
}

/* Hash of a whole key, with the table; never 0, which means empty. */
static uint64
key_hash(StewardTable table, const Datum *keys)
{
	uint64 hash = table + 1;

	for (int k = 0; k < table_list[table].nkeys; k++)
	{
		switch (table_list[table].equal[k])
		{
			case F_UUID_EQ:
				hash = hash_bytes_extended(DatumGetUUIDP(keys[k])->data, UUID_LEN, hash);
				break;
			case F_TEXTEQ:
			{
				text *t = DatumGetTextPP(keys[k]);

				hash = hash_bytes_extended((unsigned char *) VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t), hash);
				break;
			}
			default:
				return 0;
		}
	}
	return hash == 0 ? 1 : hash;
}

/* Whether the row has the key; all text of ours compares by its bytes. */
static bool
key_matches(StewardTable table, TupleTableSlot *slot, const Datum *keys)
{
	for (int k = 0; k < table_list[table].nkeys; k++)
	{
		bool isnull;
		Datum value = slot_getattr(slot, shapes[table].key[k], &isnull);

		if (isnull)
			return false;
		if (table_list[table].equal[k] == F_UUID_EQ)
		{
			if (memcmp(DatumGetUUIDP(value), DatumGetUUIDP(keys[k]), UUID_LEN) != 0)
				return false;
		}
		else
		{
			text *a = DatumGetTextPP(value);
			text *b = DatumGetTextPP(keys[k]);

			if (VARSIZE_ANY_EXHDR(a) != VARSIZE_ANY_EXHDR(b) ||
				memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) != 0)
				return false;
		}
	}
	return true;
}

/* Fetches the row from where it lay last; false when it is not known, or not there any more. */
static bool
fetch_at_place(StewardTable table, Relation heap, Snapshot snapshot, uint64 hash, const Datum *keys,
			   TupleTableSlot *slot)
{
	Place *set;

	if (places == NULL || hash == 0)
		return false;
	set = places[hash % PLACE_SETS];
	for (int way = 0; way < PLACE_WAYS; way++)
	{
		if (set[way].hash != hash)
			continue;
		if (table_tuple_fetch_row_version(heap, &set[way].tid, snapshot, slot) && key_matches(table, slot, keys))
			return true;
		ExecClearTuple(slot);
		set[way].hash = 0;
	}
	return false;
}

/* Remembers where a row lies. */
static void
note_place(uint64 hash, ItemPointer tid)
{
	int n = hash % PLACE_SETS;
	int way;

	if (hash == 0)
		return;
	if (places == NULL)
		places = MemoryContextAllocZero(TopMemoryContext, sizeof(Place) * PLACE_SETS * PLACE_WAYS);
	for (way = 0; way < PLACE_WAYS; way++)
		if (places[n][way].hash == 0)
			break;
	if (way == PLACE_WAYS)
		way = place_turn[n]++ % PLACE_WAYS;
	places[n][way].hash = hash;
	places[n][way].tid = *tid;
}

/* Fetches the row through the index, and remembers where it lies. */
static bool
fetch_by_index(StewardTable table, Relation heap, Snapshot snapshot, uint64 hash, int nkeys, const Datum *keys,
			   TupleTableSlot *slot)
{
	Relation index = index_open(resolved.index[table], AccessShareLock);
	ScanKeyData skeys[MAX_KEYS];
	IndexScanDesc scan;
	bool found;

	fill_keys(table, skeys, nkeys, keys);
	scan = steward_index_beginscan(heap, index, snapshot, nkeys);
	index_rescan(scan, skeys, nkeys, NULL, 0);
	found = index_getnext_slot(scan, ForwardScanDirection, slot);
	if (found)
		note_place(hash, &slot->tts_tid);
	index_endscan(scan);
	index_close(index, AccessShareLock);
	return found;
}

/*
 * steward_fetch
 *		Fetches the row with the given key, copied into the current memory context; false when there is none.
 */
bool
steward_fetch(StewardTable table, Snapshot snapshot, int nkeys, const Datum *keys, StewardRow *row)
{
	Relation heap = table_open(steward_table(table), AccessShareLock);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(shapes[table].desc, table_slot_callbacks(heap));
	uint64 hash = nkeys == table_list[table].nkeys ? key_hash(table, keys) : 0;

	memset(row, 0, sizeof(*row));
	if (fetch_at_place(table, heap, snapshot, hash, keys, slot) ||
		fetch_by_index(table, heap, snapshot, hash, nkeys, keys, slot))
	{
		TupleDesc desc = shapes[table].desc;
		Datum *values = palloc((sizeof(Datum) + sizeof(bool)) * desc->natts);
		bool *nulls = (bool *) (values + desc->natts);

		row->tuple = ExecCopySlotHeapTuple(slot);
		heap_deform_tuple(row->tuple, desc, values, nulls);
		row->desc = desc;
		row->table = table;
		row->values = values;
		row->nulls = nulls;
	}
	ExecDropSingleTupleTableSlot(slot);
	table_close(heap, AccessShareLock);
	return row->tuple != NULL;
}

/* Position of a column; raises when the table lacks it, for then the schema is not ours. */
static int
column_position(TupleDesc desc, const char *column)
{
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped && strcmp(NameStr(att->attname), column) == 0)
			return i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_STEWARD_NOT_SET_UP), errmsg("a table of steward has lost its column \"%s\"", column),
			 errhint("Restore the column, or the table, from a backup.")));
	return 0;
}

/*
 * steward_row_get
 *		Value of a column by name; raises when the table lacks it.
 *
 * Names are remembered by the address of the literal, and compared all the same.
 */
Datum
steward_row_get(const StewardRow *row, const char *column, bool *isnull)
{
	ColumnSlot *slot;

	if (row->values == NULL)
		return heap_getattr(row->tuple, column_position(row->desc, column) + 1, row->desc, isnull);
	slot = &shapes[row->table].columns[((uintptr_t) column / 2) % COLUMN_SLOTS];
	if (row->desc != shapes[row->table].desc)
	{
		/* The table was altered while the row was held. */
		int position = column_position(row->desc, column);

		*isnull = row->nulls[position];
		return row->values[position];
	}
	if (slot->name != column || strcmp(NameStr(TupleDescAttr(row->desc, slot->position)->attname), column) != 0)
	{
		slot->position = column_position(row->desc, column);
		slot->name = column;
	}
	*isnull = row->nulls[slot->position];
	return row->values[slot->position];
}

/*
 * steward_row_version
 *		What tells this version of the row from any other: where it lies and who wrote it.
 *
 * Something parsed from a row may be kept as long as the row read anew has the same version.
 */
void
steward_row_version(const StewardRow *row, StewardVersion *version)
{
	memset(version, 0, sizeof(*version));
	version->tid = row->tuple->t_self;
	version->xmin = HeapTupleHeaderGetRawXmin(row->tuple->t_data);
	version->cmin = HeapTupleHeaderGetRawCommandId(row->tuple->t_data);
}
