/*
 * relation.h
 *		Steward's own tables: their OIDs, and direct look-ups by primary key.
 */
#ifndef STEWARD_RELATION_H
#define STEWARD_RELATION_H

#include "access/htup.h"
#include "access/tupdesc.h"
#include "utils/snapshot.h"
#include "utils/uuid.h"

/* The tables that C code reads without a plan; the order is that of the list in relation.c. */
typedef enum StewardTable
{
	STEWARD_INSTALLATION,
	STEWARD_ORGANIZATION,
	STEWARD_PROFILE_GRANT,
	STEWARD_PRINCIPAL,
	STEWARD_SYSTEM,
	STEWARD_CREDENTIAL,
	STEWARD_CREDENTIAL_OUTSIDE, /* by system and external id */
	STEWARD_PRINCIPAL_IDENTITY,
	STEWARD_SCOPE_GRANT,
	STEWARD_DELEGATION,
	STEWARD_TOKEN_ISSUER, /* by the text of iss */
	STEWARD_TOKEN_KEY,
	STEWARD_TOKEN_KEY_KID, /* by issuer and kid */
	STEWARD_REVOKED_TOKEN,
	STEWARD_TOKEN_SIGNAL,
	STEWARD_CREDENTIAL_CHILDREN, /* credential by the index on its parent */
	STEWARD_REVOCATION,
	STEWARD_HEARTBEAT,
	STEWARD_CREDENTIAL_USE,
	STEWARD_AUDIT_INCARNATION,
	STEWARD_AUDIT_EVENT,
	STEWARD_TABLES
} StewardTable;

/*
 * A row fetched by a direct look-up; lives in the memory context of the fetch.  One made by hand has a tuple and a
 * descriptor, and the rest zero.
 */
typedef struct StewardRow
{
	HeapTuple tuple;
	TupleDesc desc;
	const Datum *values; /* all columns */
	const bool *nulls;
	StewardTable table;
} StewardRow;

/* Tells one version of a row from another. */
typedef struct StewardVersion
{
	ItemPointerData tid;
	TransactionId xmin;
	CommandId cmin;
} StewardVersion;

extern void steward_relation_init(void);
extern bool steward_is_set_up(void);
extern bool steward_is_resolved(void);
extern void steward_require_setup(void);
extern Oid steward_namespace(void);
extern Oid steward_table(StewardTable table);
extern Oid steward_owner_role(void);
extern Snapshot steward_fresh_snapshot(void);
extern bool steward_fetch(StewardTable table, Snapshot snapshot, int nkeys, const Datum *keys, StewardRow *row);
extern Datum steward_row_get(const StewardRow *row, const char *column, bool *isnull);

extern void steward_row_version(const StewardRow *row, StewardVersion *version);

/* Calls visit for every row whose first key column equals key (all rows when nkeys is 0) until it returns false. */
typedef bool (*StewardVisitor)(const StewardRow *row, void *arg);
extern void steward_scan(StewardTable table, Snapshot snapshot, int nkeys, const Datum *keys, StewardVisitor visit,
						 void *arg);
extern void steward_scan_each(StewardTable table, Snapshot snapshot, int nkeys, int nscans, const Datum *keys,
							  StewardVisitor visit, void *arg);

#endif /* STEWARD_RELATION_H */
