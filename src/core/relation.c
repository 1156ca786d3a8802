/*
 * relation.c
 *		Steward's own tables: their OIDs, and direct look-ups by primary key.
 *
 * Direct look-ups need no plan, no privileges and no row-level security, so they work wherever a check has to: inside
 * a policy, in a parallel worker, on a standby.  Whoever uses one names the organization in the key and has decided
 * what the caller may learn from the row.
 *
 * Names are resolved once per backend.  A relation cache invalidation of anything forgets them: tables of steward are
 * altered so rarely that finding out which table it was would cost more than it saves.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "core/relation.h"
#include "core/setup.h"
#include "steward.h"

/* Name and primary-key index of each table, and how to compare its key columns. */
static const struct
{
	const char *name;
	const char *index;
	int nkeys;
	RegProcedure equal[3];
} table_list[STEWARD_TABLES] = {
	[STEWARD_INSTALLATION] = {"installation", "installation_pkey", 1, {F_BOOLEQ}},
	[STEWARD_ORGANIZATION] = {"organization", "organization_pkey", 1, {F_UUID_EQ}},
	[STEWARD_PROFILE_GRANT] = {"profile_grant", "profile_grant_pkey", 3, {F_UUID_EQ, F_NAMEEQ, F_TEXTEQ}},
	[STEWARD_PRINCIPAL] = {"principal", "principal_pkey", 2, {F_UUID_EQ, F_UUID_EQ}},
	[STEWARD_SYSTEM] = {"system", "system_pkey", 2, {F_UUID_EQ, F_UUID_EQ}},
	[STEWARD_CREDENTIAL] = {"credential", "credential_pkey", 2, {F_UUID_EQ, F_UUID_EQ}},
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

/* An invalidation of any relation: resolve again at the next use. */
static void
forget_relations(Datum arg, Oid relid)
{
	resolved.valid = false;
}

/* Roles change rarely too; a dropped owner must not be used. */
static void
forget_roles(Datum arg, int cacheid, uint32 hashvalue)
{
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
 * steward_require_setup
 *		Raises unless setup() has run here, with this release.
 */
void
steward_require_setup(void)
{
	if (resolved.valid)
		return;
	if (!resolve())
		ereport(ERROR, (errcode(ERRCODE_STEWARD_NOT_SET_UP), errmsg("steward is not set up in this database"),
						errhint("Run SELECT * FROM steward.setup() as a superuser.")));
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
	ScanKeyData skeys[3];
	IndexScanDesc scan = steward_index_beginscan(heap, index, snapshot, nkeys);

	for (int i = 0; i < nscans; i++)
	{
		fill_keys(table, skeys, nkeys, keys + (size_t) i * nkeys);
		index_rescan(scan, skeys, nkeys, NULL, 0);
		while (index_getnext_slot(scan, ForwardScanDirection, slot))
		{
			bool should_free;
			StewardRow row = {.tuple = ExecFetchSlotHeapTuple(slot, false, &should_free),
							  .desc = RelationGetDescr(heap)};

			CHECK_FOR_INTERRUPTS();
			if (!visit(&row, arg))
				break;
		}
		CHECK_FOR_INTERRUPTS();
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

/* Visitor of steward_fetch: keeps the first row. */
static bool
keep_row(const StewardRow *row, void *arg)
{
	StewardRow *kept = arg;

	kept->tuple = heap_copytuple(row->tuple);
	kept->desc = CreateTupleDescCopy(row->desc);
	return false;
}

/*
 * steward_fetch
 *		Fetches the row with the given key, copied into the current memory context; false when there is none.
 */
bool
steward_fetch(StewardTable table, Snapshot snapshot, int nkeys, const Datum *keys, StewardRow *row)
{
	row->tuple = NULL;
	steward_scan(table, snapshot, nkeys, keys, keep_row, row);
	return row->tuple != NULL;
}

/*
 * steward_row_get
 *		Value of a column by name; raises when the table lacks it, for then the schema is not ours.
 */
Datum
steward_row_get(const StewardRow *row, const char *column, bool *isnull)
{
	for (int i = 0; i < row->desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(row->desc, i);

		if (!att->attisdropped && strcmp(NameStr(att->attname), column) == 0)
			return heap_getattr(row->tuple, att->attnum, row->desc, isnull);
	}
	ereport(ERROR,
			(errcode(ERRCODE_STEWARD_NOT_SET_UP), errmsg("a table of steward has lost its column \"%s\"", column),
			 errhint("Restore the column, or the table, from a backup.")));
	return (Datum) 0;
}
