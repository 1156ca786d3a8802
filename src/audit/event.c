/*
 * event.c
 *		Writing audit events: straight into heap and indexes of the right partition.
 *
 * Nothing else writes the log: triggers refuse every insert, so what is inserted here goes past them, and past the
 * executor.  Rows still go in through ExecInsertIndexTuples, so that indexes a DBA added stay consistent.
 *
 * What it takes to write (the partition, its indexes, an executor state) is opened once for a statement and kept while
 * a trigger of it may need it again (steward_hold_writer); the partition follows from the start of the transaction, so
 * it is the same for all events of one.  Events are numbered inside their transaction; together with its 64-bit id and
 * the incarnation that is their identity and their order.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/partition.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/inet.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/partcache.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "audit/canonical.h"
#include "audit/capture.h"
#include "audit/event.h"
#include "audit/incarnation.h"
#include "core/actor.h"
#include "core/authority.h"
#include "core/module.h"
#include "core/relation.h"
#include "steward.h"

static const char *const column_names[STEWARD_EVENT_COLUMNS] = {
	[STEWARD_EVENT_ORG] = "org_id",
	[STEWARD_EVENT_INCARNATION] = "incarnation",
	[STEWARD_EVENT_XACT] = "xact",
	[STEWARD_EVENT_N] = "n",
	[STEWARD_EVENT_RECORDED_AT] = "recorded_at",
	[STEWARD_EVENT_OCCURRED_AT] = "occurred_at",
	[STEWARD_EVENT_ACTION] = "action",
	[STEWARD_EVENT_VERSION] = "version",
	[STEWARD_EVENT_TABLE_NAME] = "table_name",
	[STEWARD_EVENT_TARGET] = "target",
	[STEWARD_EVENT_ROW_KEY] = "row_key",
	[STEWARD_EVENT_OLD_VALUES] = "old_values",
	[STEWARD_EVENT_NEW_VALUES] = "new_values",
	[STEWARD_EVENT_ACTOR_PRINCIPAL] = "actor_principal",
	[STEWARD_EVENT_ACTOR_CREDENTIAL] = "actor_credential",
	[STEWARD_EVENT_ACTOR_CHAIN] = "actor_chain",
	[STEWARD_EVENT_SESSION_ROLE] = "session_role",
	[STEWARD_EVENT_ACTING_ROLE] = "acting_role",
	[STEWARD_EVENT_APPLICATION_NAME] = "application_name",
	[STEWARD_EVENT_CLIENT_ADDRESS] = "client_address",
	[STEWARD_EVENT_CLAIMED_ACTOR] = "claimed_actor",
	[STEWARD_EVENT_TARGETS] = "targets",
	[STEWARD_EVENT_CONTEXT] = "context",
	[STEWARD_EVENT_METADATA] = "metadata",
};

/* A text that stays the same from event to event, and the value it was made for. */
typedef struct CachedText
{
	Oid role;	  /* for names of roles */
	char *source; /* for settings */
	Datum value;
} CachedText;

/*
 * What is open for writing.  Relations are held by the transaction's own resource owner, so that a subtransaction that
 * ends does not take them away; if the transaction aborts, that owner has let go of them and the rest is forgotten.
 */
static struct
{
	bool open;
	uint32 generation; /* counts openings, so that a holder tells whether it is still the one it held */
	int holders;
	MemoryContext context;
	Relation partition;
	EState *estate;
	ResultRelInfo *target;
	TupleTableSlot *slot;
	AttrNumber attnums[STEWARD_EVENT_COLUMNS];
	CachedText session_role;
	CachedText acting_role;
	CachedText application;
	CachedText request;
} writer;

/* The transaction that wrote an event last, and the number that its next event gets. */
static FullTransactionId numbering_in;
static int32 next_event = 0;

/*
 * steward_next_event
 *		The number that the next event of this transaction will get: events from here on are those still to come.
 */
int32
steward_next_event(void)
{
	FullTransactionId now = GetTopFullTransactionId();

	if (!FullTransactionIdEquals(now, numbering_in))
	{
		numbering_in = now;
		next_event = 0;
	}
	return next_event;
}

/*
 * steward_event_columns
 *		Where a relation has the columns of an event; raises when one is missing.
 */
void
steward_event_columns(TupleDesc desc, AttrNumber attnums[STEWARD_EVENT_COLUMNS])
{
	for (int i = 0; i < STEWARD_EVENT_COLUMNS; i++)
	{
		/* Almost always the tables are as they were made. */
		AttrNumber at = i + 1;

		if (at > desc->natts || strcmp(NameStr(TupleDescAttr(desc, at - 1)->attname), column_names[i]) != 0)
			at = SPI_fnumber(desc, column_names[i]);
		if (at <= 0)
			ereport(ERROR, (errcode(ERRCODE_STEWARD_NOT_SET_UP),
							errmsg("the audit log has lost its column \"%s\"", column_names[i]),
							errhint("Restore the column, or the table, from a backup.")));
		attnums[i] = at;
	}
}

/* OID of the partition that takes events of a transaction that began at the given time. */
static Oid
find_partition(TimestampTz recorded_at)
{
	Relation log = table_open(steward_table(STEWARD_AUDIT_EVENT), AccessShareLock);
	PartitionKey key = RelationGetPartitionKey(log);
	PartitionDesc partitions = RelationGetPartitionDesc(log, true);
	PartitionBoundInfo bounds = partitions->boundinfo;
	Datum value = TimestampTzGetDatum(recorded_at);
	Oid found = InvalidOid;
	int index = -1;
	bool is_equal;

	if (partitions->nparts > 0)
	{
		int offset = partition_range_datum_bsearch(key->partsupfunc, key->partcollation, bounds, 1, &value, &is_equal);

		index = bounds->indexes[offset + 1];
		if (index < 0)
			index = bounds->default_index;
		if (index >= 0)
			found = partitions->oids[index];
	}
	table_close(log, AccessShareLock);
	if (!OidIsValid(found))
		ereport(ERROR, (errcode(ERRCODE_STEWARD_NOT_SET_UP), errmsg("the audit log has no partition for this time"),
						errhint("Run SELECT * FROM steward.setup() as a superuser.")));
	return found;
}

/* Opens what it takes to write. */
static void
open_writer(void)
{
	MemoryContext old_context;
	ResourceOwner old_owner = CurrentResourceOwner;
	uint32 generation = writer.generation + 1;
	Oid partition = find_partition(GetCurrentTransactionStartTimestamp());

	memset(&writer, 0, sizeof(writer));
	writer.generation = generation;
	writer.context = AllocSetContextCreate(TopTransactionContext, "steward audit writer", ALLOCSET_SMALL_SIZES);
	old_context = MemoryContextSwitchTo(writer.context);
	CurrentResourceOwner = TopTransactionResourceOwner;
	PG_TRY();
	{
		writer.partition = table_open(partition, RowExclusiveLock);
		steward_event_columns(RelationGetDescr(writer.partition), writer.attnums);
		writer.estate = CreateExecutorState();
		writer.target = makeNode(ResultRelInfo);
		/* No range table is there to point into. */
		InitResultRelInfo(writer.target, writer.partition, 0, NULL, 0);
		ExecOpenIndices(writer.target, false);
		writer.slot = MakeSingleTupleTableSlot(RelationGetDescr(writer.partition), &TTSOpsVirtual);
	}
	PG_FINALLY();
	{
		CurrentResourceOwner = old_owner;
		MemoryContextSwitchTo(old_context);
	}
	PG_END_TRY();
	writer.open = true;
}

/* Closes it; also the way to let DDL at the partition. */
static void
close_writer(void)
{
	ResourceOwner old_owner = CurrentResourceOwner;

	if (!writer.open)
		return;
	writer.open = false;
	CurrentResourceOwner = TopTransactionResourceOwner;
	ExecDropSingleTupleTableSlot(writer.slot);
	ExecCloseIndices(writer.target);
	FreeExecutorState(writer.estate);
	table_close(writer.partition, NoLock);
	CurrentResourceOwner = old_owner;
	MemoryContextDelete(writer.context);
}

/*
 * steward_release_writer
 *		Closes what is open for writing: before DDL on the log, which needs it unused.
 */
void
steward_release_writer(void)
{
	close_writer();
}

/* A statement that held the writer has ended. */
static void
holder_ended(void *arg)
{
	if (writer.open && writer.generation == (uint32) (uintptr_t) arg && --writer.holders == 0)
		close_writer();
}

/*
 * steward_hold_writer
 *		Keeps the writer open until the statement ends whose memory context this is: its triggers will need it again.
 */
void
steward_hold_writer(MemoryContext query)
{
	MemoryContextCallback *callback;

	if (!writer.open)
		open_writer();
	callback = MemoryContextAllocZero(query, sizeof(MemoryContextCallback));
	callback->func = holder_ended;
	callback->arg = (void *) (uintptr_t) writer.generation;
	MemoryContextRegisterResetCallback(query, callback);
	writer.holders++;
}

/* At the end of a transaction: close before the resource owners look, or forget what they have let go of. */
static void
at_transaction_end(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PARALLEL_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:
			close_writer();
			break;
		default:
			writer.open = false;
			break;
	}
}

void
steward_event_init(void)
{
	RegisterXactCallback(at_transaction_end, NULL);
}

/* The name of a role, made anew when it is another role. */
static Datum
role_name(CachedText *cached, Oid role)
{
	if (cached->role != role)
	{
		MemoryContext old_context = MemoryContextSwitchTo(writer.context);

		cached->value = CStringGetTextDatum(GetUserNameFromId(role, false));
		cached->role = role;
		MemoryContextSwitchTo(old_context);
	}
	return cached->value;
}

/* A setting as text, or as {"request_id": ...}; made anew when it has another value, 0 when it has none. */
static Datum
setting_value(CachedText *cached, const char *setting, bool as_context)
{
	MemoryContext old_context;

	if (setting == NULL || setting[0] == '\0')
		return (Datum) 0;
	if (cached->source != NULL && strcmp(cached->source, setting) == 0)
		return cached->value;
	old_context = MemoryContextSwitchTo(writer.context);
	cached->source = pstrdup(setting);
	if (as_context)
		cached->value = steward_request_context((Datum) 0);
	else
		cached->value = CStringGetTextDatum(setting);
	MemoryContextSwitchTo(old_context);
	return cached->value;
}

/*
 * steward_request_context
 *		The context of an event: what the application gave, with the request's id in it.  0 when there is neither.
 */
Datum
steward_request_context(Datum given)
{
	JsonbParseState *state = NULL;
	JsonbValue key = {.type = jbvString};
	JsonbValue value = {.type = jbvString};
	Datum request;

	if (steward_request_id == NULL || steward_request_id[0] == '\0')
		return given;
	key.val.string.val = "request_id";
	key.val.string.len = (int) strlen("request_id");
	value.val.string.val = steward_request_id;
	value.val.string.len = (int) strlen(steward_request_id);
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	pushJsonbValue(&state, WJB_KEY, &key);
	pushJsonbValue(&state, WJB_VALUE, &value);
	request = JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
	return given == 0 ? request : DirectFunctionCall2(jsonb_concat, given, request);
}

/* Where the client connected from; 0 for a local socket and for workers of the server. */
static Datum
client_address(void)
{
	static Datum address = 0;
	static bool known = false;

	if (!known)
	{
		MemoryContext old_context = MemoryContextSwitchTo(TopMemoryContext);
		LOCAL_FCINFO(fcinfo, 0);
		Datum result;

		/* It may be null, so not by DirectFunctionCall. */
		InitFunctionCallInfoData(*fcinfo, NULL, 0, InvalidOid, NULL, NULL);
		result = inet_client_addr(fcinfo);
		if (!fcinfo->isnull)
			address = result;
		known = true;
		MemoryContextSwitchTo(old_context);
	}
	return address;
}

/* The proven actors before the one in force, as uuid[]; 0 when there are none. */
static Datum
actor_chain(const StewardActor *actor)
{
	Datum *values;
	ListCell *cell;
	int n = 0;

	if (actor->chain == NIL)
		return (Datum) 0;
	values = palloc(sizeof(Datum) * list_length(actor->chain));
	foreach (cell, actor->chain)
		values[n++] = UUIDPGetDatum((pg_uuid_t *) lfirst(cell));
	return PointerGetDatum(construct_array(values, n, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
}

/*
 * steward_target
 *		Hash of a table's name and a row's key: what the index on the changes of a row is over.
 *
 * Stored, so it has to be the same for ever and everywhere: FNV-1a over the name, a zero byte and the key's canonical
 * JSON, mixed as in MurmurHash3.
 */
int64
steward_target(const char *table_name, int len, Datum row_key)
{
	uint64 hash = UINT64CONST(0xcbf29ce484222325);
	Jsonb *key = DatumGetJsonbP(row_key);
	StringInfoData buf;

	initStringInfo(&buf);
	appendBinaryStringInfo(&buf, table_name, len);
	appendStringInfoCharMacro(&buf, '\0');
	steward_canonical_json(&buf, &key->root);
	for (int i = 0; i < buf.len; i++)
		hash = (hash ^ (unsigned char) buf.data[i]) * UINT64CONST(0x100000001b3);
	pfree(buf.data);
	hash ^= hash >> 33;
	hash *= UINT64CONST(0xff51afd7ed558ccd);
	hash ^= hash >> 33;
	return (int64) hash;
}

/* Who does it, as far as it is proven. */
static void
fill_actor(Datum *values)
{
	const StewardActor *actor = steward_actor();
	Oid acting = steward_caller();

	/* A foreign key's cascade runs as the owner; who caused it is the role behind. */
	if (acting == steward_owner_role())
		acting = GetOuterUserId();
	values[STEWARD_EVENT_SESSION_ROLE] = role_name(&writer.session_role, GetSessionUserId());
	values[STEWARD_EVENT_ACTING_ROLE] = role_name(&writer.acting_role, acting);
	values[STEWARD_EVENT_APPLICATION_NAME] = setting_value(&writer.application, application_name, false);
	values[STEWARD_EVENT_CLIENT_ADDRESS] = client_address();
	if (actor)
	{
		values[STEWARD_EVENT_ACTOR_PRINCIPAL] = UUIDPGetDatum(&actor->principal);
		values[STEWARD_EVENT_ACTOR_CREDENTIAL] = UUIDPGetDatum(&actor->credential);
		values[STEWARD_EVENT_ACTOR_CHAIN] = actor_chain(actor);
	}
}

/* Columns that are never null, and passed by value, so that 0 is one of their values. */
static bool
is_never_null(int column)
{
	return column <= STEWARD_EVENT_VERSION && column != STEWARD_EVENT_TARGET;
}

/*
 * steward_write_event
 *		Writes an event in this transaction and returns its identity; raises where it cannot.
 */
StewardEventId
steward_write_event(const StewardEvent *event)
{
	StewardEventId id;
	Datum values[STEWARD_EVENT_COLUMNS] = {0};
	bool opened = !writer.open;
	TupleTableSlot *slot;

	/* The number first: it is not given twice even if the event cannot be written. */
	id.n = steward_next_event();
	id.xact = U64FromFullTransactionId(numbering_in);
	id.incarnation = steward_incarnation();
	next_event = id.n + 1;
	if (opened)
		open_writer();

	values[STEWARD_EVENT_ORG] = UUIDPGetDatum(event->org);
	values[STEWARD_EVENT_INCARNATION] = Int32GetDatum(id.incarnation);
	values[STEWARD_EVENT_XACT] = UInt64GetDatum(id.xact);
	values[STEWARD_EVENT_N] = Int32GetDatum(id.n);
	values[STEWARD_EVENT_RECORDED_AT] = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
	values[STEWARD_EVENT_OCCURRED_AT] =
		TimestampTzGetDatum(event->occurred_at ? event->occurred_at : GetCurrentTimestamp());
	values[STEWARD_EVENT_ACTION] = CStringGetTextDatum(event->action);
	values[STEWARD_EVENT_VERSION] = Int32GetDatum(event->version);
	values[STEWARD_EVENT_TABLE_NAME] = event->table_name;
	values[STEWARD_EVENT_ROW_KEY] = event->row_key;
	values[STEWARD_EVENT_OLD_VALUES] = event->old_values;
	values[STEWARD_EVENT_NEW_VALUES] = event->new_values;
	values[STEWARD_EVENT_CLAIMED_ACTOR] = event->claimed_actor;
	values[STEWARD_EVENT_TARGETS] = event->targets;
	values[STEWARD_EVENT_CONTEXT] =
		event->context ? event->context : setting_value(&writer.request, steward_request_id, true);
	values[STEWARD_EVENT_METADATA] = event->metadata;
	fill_actor(values);

	slot = writer.slot;
	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, sizeof(bool) * slot->tts_tupleDescriptor->natts);
	for (int i = 0; i < STEWARD_EVENT_COLUMNS; i++)
	{
		slot->tts_values[writer.attnums[i] - 1] = values[i];
		slot->tts_isnull[writer.attnums[i] - 1] = values[i] == 0 && !is_never_null(i);
	}
	if (event->row_key)
	{
		text *name = DatumGetTextPP(event->table_name);

		slot->tts_values[writer.attnums[STEWARD_EVENT_TARGET] - 1] =
			Int64GetDatum(steward_target(VARDATA_ANY(name), (int) VARSIZE_ANY_EXHDR(name), event->row_key));
		slot->tts_isnull[writer.attnums[STEWARD_EVENT_TARGET] - 1] = false;
	}
	ExecStoreVirtualTuple(slot);
	/* The table's own constraints hold as they are written; further ones may have been added. */
	if (writer.partition->rd_att->constr && writer.partition->rd_att->constr->num_check > 0)
		ExecConstraints(writer.target, slot, writer.estate);
	table_tuple_insert(writer.partition, slot, GetCurrentCommandId(true), 0, NULL);
	if (writer.target->ri_NumIndices > 0)
		list_free(steward_insert_index_tuples(writer.target, slot, writer.estate));
	ResetPerTupleExprContext(writer.estate);
	if (opened)
		close_writer();
	return id;
}

/*
 * steward_event_id_print, steward_event_id_parse
 *		An event's identity as text, INCARNATION.XACT.N.
 */
void
steward_event_id_print(const StewardEventId *id, char text[STEWARD_EVENT_ID_SIZE])
{
	snprintf(text, STEWARD_EVENT_ID_SIZE, "%d." UINT64_FORMAT ".%d", id->incarnation, id->xact, id->n);
}

bool
steward_event_id_parse(const char *text, StewardEventId *id)
{
	char again[STEWARD_EVENT_ID_SIZE];
	unsigned long long xact;
	int incarnation;
	int n;

	if (strlen(text) >= STEWARD_EVENT_ID_SIZE || sscanf(text, "%d.%llu.%d", &incarnation, &xact, &n) != 3)
		return false;
	id->incarnation = incarnation;
	id->xact = xact;
	id->n = n;
	/* One way to write it: what prints otherwise was not one. */
	steward_event_id_print(id, again);
	return strcmp(again, text) == 0 && incarnation > 0 && n >= 0;
}

Datum
steward_event_id_datum(const StewardEventId *id)
{
	char text[STEWARD_EVENT_ID_SIZE];

	steward_event_id_print(id, text);
	return CStringGetTextDatum(text);
}
