/*
 * proof.c
 *		Proofs from the log's tiles: that an event is in it, that it has only grown, and evidence for a stranger.
 *
 * A proof reads as many tiles as the tree is high in tiles, four for ten million events.
 */
#include "postgres.h"

#include "common/base64.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/snapmgr.h"

#include "audit/canonical.h"
#include "audit/event_scan.h"
#include "audit/log.h"
#include "audit/merkle_sql.h"
#include "audit/tiles.h"
#include "core/authority.h"
#include "core/plan.h"
#include "core/reference.h"
#include "core/relation.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_inclusion_proof);
PG_FUNCTION_INFO_V1(steward_consistency_proof);
PG_FUNCTION_INFO_V1(steward_tree_root_at);
PG_FUNCTION_INFO_V1(steward_export_evidence);

/* An event that is sealed, and where. */
typedef struct SealedEvent
{
	StewardLog log;
	uint64 leaf;
	StewardHash hash;
	StringInfoData bytes; /* canonical encoding */
} SealedEvent;

/* An event's identity from an argument. */
static StewardEventId
event_arg(FunctionCallInfo fcinfo, int arg)
{
	StewardEventId id;
	char *given;

	if (PG_ARGISNULL(arg))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("event must not be null")));
	given = text_to_cstring(PG_GETARG_TEXT_PP(arg));
	if (!steward_event_id_parse(given, &id))
		ereport(ERROR, (errcode(ERRCODE_STEWARD_EVENT_UNKNOWN), errmsg("this is no id of an event"),
						errhint("The view steward.audit shows it in the column event, for example 1.4711.0.")));
	return id;
}

/* Raises for an event that is not there, for the caller at least. */
static void
unknown_event(const StewardEventId *id)
{
	char text[STEWARD_EVENT_ID_SIZE];

	steward_event_id_print(id, text);
	ereport(ERROR,
			(errcode(ERRCODE_STEWARD_EVENT_UNKNOWN), errmsg("event %s is not known in this organization", text)));
}

/* Encodes one event as it is stored now. */
static void
encode_event(const pg_uuid_t *org, const StewardEventId *id, StringInfo buf)
{
	Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
	StewardEventScan *scan = steward_event_scan_begin(org, id->incarnation, id->xact, id->n, id->xact + 1, snapshot);
	Datum values[STEWARD_EVENT_COLUMNS];
	bool nulls[STEWARD_EVENT_COLUMNS];
	bool found = steward_event_scan_next(scan, values, nulls) && DatumGetInt32(values[STEWARD_EVENT_N]) == id->n;

	initStringInfo(buf);
	if (found)
		steward_canonical_event(buf, values, nulls);
	steward_event_scan_end(scan);
	UnregisterSnapshot(snapshot);
	if (!found)
		unknown_event(id);
}

/* The log that sealed an event: its incarnation's own, or the next one that took over what was left. */
static bool
find_log(const pg_uuid_t *org, const StewardEventId *id, StewardLog *log)
{
	static StewardPlan next = STEWARD_PLAN("ul", "SELECT min(incarnation) FROM steward.audit_log WHERE org_id = $1 "
												 "AND incarnation > $2::integer AND carried_from IS NOT NULL");
	Datum values[] = {UUIDPGetDatum(org), Int64GetDatum(id->incarnation)};
	bool isnull;
	int32 incarnation;

	if (steward_load_log(org, id->incarnation, log) && id->xact < log->sealed_through)
		return true;
	steward_run(&next, STEWARD_LATEST, values, NULL);
	incarnation = DatumGetInt32(steward_result(0, 1, &isnull));
	return !isnull && steward_load_log(org, incarnation, log);
}

/* Finds an event in its log; raises when it is unknown, not sealed, or not what was sealed. */
static void
find_sealed(const pg_uuid_t *org, const StewardEventId *id, SealedEvent *event)
{
	/* The last tile that begins at this event or before it. */
	static StewardPlan find_tile = STEWARD_PLAN(
		"ulltl", "SELECT tile FROM steward.audit_tile WHERE org_id = $1 AND incarnation = $2::integer AND level = 0 "
				 "AND (first_incarnation, first_xact, first_n) <= ($3::integer, $4::xid8, $5::integer) "
				 "ORDER BY first_incarnation DESC, first_xact DESC, first_n DESC LIMIT 1");
	Datum values[5];
	StewardTileReader *reader;
	const StewardHash *hashes;
	char text[STEWARD_EVENT_ID_SIZE];
	bool isnull;
	uint64 tile;
	int count;

	encode_event(org, id, &event->bytes);
	if (!steward_leaf_hash(event->bytes.data, (size_t) event->bytes.len, &event->hash))
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not compute SHA-256")));
	steward_event_id_print(id, text);
	if (!find_log(org, id, &event->log))
		ereport(ERROR, (errcode(ERRCODE_STEWARD_LOG_EMPTY), errmsg("event %s is not sealed yet", text),
						errhint("Run SELECT * FROM steward.seal_audit(), and maintain() regularly.")));
	values[0] = UUIDPGetDatum(org);
	values[1] = Int64GetDatum(event->log.incarnation);
	values[2] = Int64GetDatum(id->incarnation);
	values[3] = CStringGetTextDatum(psprintf(UINT64_FORMAT, id->xact));
	values[4] = Int64GetDatum(id->n);
	if (steward_run(&find_tile, STEWARD_LATEST, values, NULL) > 0)
	{
		tile = (uint64) DatumGetInt64(steward_result(0, 1, &isnull));
		reader = steward_tile_reader(org, event->log.incarnation, event->log.size);
		hashes = steward_tile_read(reader, 0, tile, &count);
		for (int i = 0; hashes && i < count; i++)
			if (memcmp(&hashes[i], &event->hash, sizeof(StewardHash)) == 0)
			{
				event->leaf = tile * STEWARD_TILE_WIDTH + (uint64) i;
				return;
			}
	}
	ereport(ERROR, (errcode(ERRCODE_STEWARD_LOG_INCONSISTENT), errmsg("event %s is not what was sealed", text),
					errdetail("It was changed, or added, after its log was sealed."),
					errhint("Run SELECT * FROM steward.verify_audit(full => true).")));
}

/* A size of the log from an argument: at most what is sealed, by default that. */
static uint64
size_arg(FunctionCallInfo fcinfo, int arg, const char *name, const StewardLog *log)
{
	uint64 size;

	if (PG_ARGISNULL(arg))
		return log->size;
	if (!steward_numeric_to_uint64(PG_GETARG_DATUM(arg), &size) || size == 0 || size > log->size)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_SIZE_OUT_OF_RANGE), errmsg("%s is out of range", name),
						errdetail("The log \"%s\" has the sizes 1 to " UINT64_FORMAT ".", log->origin, log->size)));
	return size;
}

/* The proof of an event in the tree of that size. */
static void
prove_inclusion(const SealedEvent *event, uint64 size, StewardHash *proof, size_t *n)
{
	StewardTileReader *reader = steward_tile_reader(&event->log.org, event->log.incarnation, event->log.size);

	if (event->leaf >= size)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_SIZE_OUT_OF_RANGE), errmsg("the event is not in the log at this size"),
						errdetail("It is leaf " UINT64_FORMAT ", counted from 0.", event->leaf)));
	if (!steward_inclusion_path(event->leaf, size, steward_tile_subtree, reader, proof, n))
		ereport(ERROR, (errcode(ERRCODE_STEWARD_LOG_INCONSISTENT), errmsg("the audit log's tree is damaged"),
						errhint("Run SELECT * FROM steward.verify_audit(full => true).")));
}

/*
 * inclusion_proof(event text, tree_size numeric DEFAULT NULL, org uuid DEFAULT default_org())
 *		→ (origin text, leaf_index numeric, tree_size numeric, leaf_hash bytea, proof bytea[], root bytea)
 *		Proof that an event is in its log at that size, by default the present one; for verify_inclusion().  Auditors.
 *
 * Raises ST607 for an unknown event, ST606 for one that is not sealed, ST604 for one that is not what was sealed, ST615
 * for a size that the log has not or that is smaller than the event's place.
 */
Datum
steward_inclusion_proof(PG_FUNCTION_ARGS)
{
	StewardEventId id = event_arg(fcinfo, 0);
	const pg_uuid_t *org = steward_org_arg(fcinfo, 2);
	MemoryContext context = CurrentMemoryContext;
	TupleDesc desc;
	Datum values[6];
	bool nulls[6] = {false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	steward_require(org, STEWARD_PROFILE_AUDITOR);
	STEWARD_AS_OWNER();
	{
		SealedEvent event;
		StewardHash proof[STEWARD_PROOF_MAX];
		StewardHash root;
		MemoryContext old_context;
		uint64 size;
		size_t n;

		find_sealed(org, &id, &event);
		size = size_arg(fcinfo, 1, "tree_size", &event.log);
		prove_inclusion(&event, size, proof, &n);
		steward_stored_root(&event.log, size, &root);
		old_context = MemoryContextSwitchTo(context);
		values[0] = CStringGetTextDatum(event.log.origin);
		values[1] = steward_uint64_to_numeric(event.leaf);
		values[2] = steward_uint64_to_numeric(size);
		values[3] = steward_hash_datum(&event.hash);
		values[4] = steward_hashes_datum(proof, n);
		values[5] = steward_hash_datum(&root);
		MemoryContextSwitchTo(old_context);
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}

/* Two sizes from arguments, in order. */
static void
sizes_args(FunctionCallInfo fcinfo, const StewardLog *log, uint64 *size1, uint64 *size2)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("size1 must not be null")));
	*size1 = size_arg(fcinfo, 0, "size1", log);
	*size2 = size_arg(fcinfo, 1, "size2", log);
	if (*size1 > *size2)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_SIZE_OUT_OF_RANGE), errmsg("size1 is larger than size2")));
}

/*
 * consistency_proof(size1 numeric, size2 numeric DEFAULT NULL, org uuid DEFAULT default_org()) → bytea[]
 *		Proof that the present log at size1 is a prefix of it at size2; for verify_consistency().  Auditors.
 *
 * Raises ST615 for sizes that the log has not.
 */
Datum
steward_consistency_proof(PG_FUNCTION_ARGS)
{
	const pg_uuid_t *org = steward_org_arg(fcinfo, 2);
	MemoryContext context = CurrentMemoryContext;
	volatile Datum result = 0;

	steward_require(org, STEWARD_PROFILE_AUDITOR);
	STEWARD_AS_OWNER();
	{
		StewardLog log;
		StewardHash proof[STEWARD_PROOF_MAX];
		MemoryContext old_context;
		uint64 size1;
		uint64 size2;
		size_t n;

		steward_require_log(org, &log);
		sizes_args(fcinfo, &log, &size1, &size2);
		if (!steward_consistency_path(size1, size2, steward_tile_subtree,
									  steward_tile_reader(org, log.incarnation, log.size), proof, &n))
			ereport(ERROR, (errcode(ERRCODE_STEWARD_LOG_INCONSISTENT), errmsg("the audit log's tree is damaged"),
							errhint("Run SELECT * FROM steward.verify_audit(full => true).")));
		old_context = MemoryContextSwitchTo(context);
		result = steward_hashes_datum(proof, n);
		MemoryContextSwitchTo(old_context);
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_DATUM(result);
}

/*
 * tree_root(tree_size numeric DEFAULT NULL, org uuid DEFAULT default_org()) → bytea
 *		Root of the present log at that size, from its tiles.  Auditors.  Raises ST615 for a size that it has not.
 */
Datum
steward_tree_root_at(PG_FUNCTION_ARGS)
{
	const pg_uuid_t *org = steward_org_arg(fcinfo, 1);
	MemoryContext context = CurrentMemoryContext;
	volatile Datum result = 0;

	steward_require(org, STEWARD_PROFILE_AUDITOR);
	STEWARD_AS_OWNER();
	{
		StewardLog log;
		StewardHash root;
		MemoryContext old_context;

		steward_require_log(org, &log);
		steward_stored_root(&log, size_arg(fcinfo, 0, "tree_size", &log), &root);
		old_context = MemoryContextSwitchTo(context);
		result = steward_hash_datum(&root);
		MemoryContextSwitchTo(old_context);
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_DATUM(result);
}

/* Appends a member with a string of bytes in base64. */
static void
put_base64(StringInfo json, const char *name, const void *data, int len)
{
	int size = pg_b64_enc_len(len);
	char *text = palloc(size + 1);

	text[Max(pg_b64_encode(data, len, text, size), 0)] = '\0';
	if (name)
		appendStringInfo(json, "\"%s\": ", name);
	appendStringInfo(json, "\"%s\"", text);
	pfree(text);
}

/* Appends a member with a text. */
static void
put_string(StringInfo json, const char *name, const char *value)
{
	appendStringInfo(json, "\"%s\": ", name);
	escape_json(json, value);
	appendStringInfoString(json, ", ");
}

/* The smallest checkpoint that covers a leaf, delivered ones first; raises when there is none. */
static void
find_checkpoint(const SealedEvent *event, char **note, char **key, uint64 *size)
{
	static StewardPlan find = STEWARD_PLAN(
		"ull", "SELECT c.note, steward.log_key(l.origin, k.public_key), c.size FROM steward.audit_checkpoint c "
			   "JOIN steward.audit_key k ON k.org_id = c.org_id AND k.id = c.key_id "
			   "JOIN steward.audit_log l ON l.org_id = c.org_id AND l.incarnation = c.incarnation "
			   "WHERE c.org_id = $1 AND c.incarnation = $2::integer AND c.size > $3 "
			   "ORDER BY c.delivered_at IS NULL, c.size LIMIT 1");
	Datum values[] = {UUIDPGetDatum(&event->log.org), Int64GetDatum(event->log.incarnation),
					  Int64GetDatum((int64) event->leaf)};
	bool isnull;

	if (steward_run(&find, STEWARD_LATEST, values, NULL) == 0)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_LOG_EMPTY), errmsg("no checkpoint covers this event yet"),
						errhint("Run SELECT steward.checkpoint().")));
	*note = steward_result_text(0, 1);
	*key = steward_result_text(0, 2);
	*size = (uint64) DatumGetInt64(steward_result(0, 3, &isnull));
}

/*
 * export_evidence(event text, org uuid DEFAULT default_org()) → jsonb
 *		Everything that a stranger needs to verify one event: the event, the bytes that were sealed, the proof and a
 *		checkpoint; doc/examples/verify_evidence.py does it.  Auditors.
 *
 * Raises like inclusion_proof(), and ST606 when no checkpoint covers the event yet.
 */
Datum
steward_export_evidence(PG_FUNCTION_ARGS)
{
	static StewardPlan readable = STEWARD_PLAN(
		"ultl", "SELECT to_jsonb(a) - 'target' FROM steward.audit_event a WHERE a.org_id = $1 AND a.incarnation = "
				"$2::integer AND a.xact = $3::xid8 AND a.n = $4::integer");
	StewardEventId id = event_arg(fcinfo, 0);
	const pg_uuid_t *org = steward_org_arg(fcinfo, 1);
	MemoryContext context = CurrentMemoryContext;
	char *volatile json = NULL;

	steward_require(org, STEWARD_PROFILE_AUDITOR);
	STEWARD_AS_OWNER();
	{
		SealedEvent event;
		StewardHash proof[STEWARD_PROOF_MAX];
		StewardHash root;
		StringInfoData buf;
		char id_text[STEWARD_EVENT_ID_SIZE];
		char *note;
		char *key;
		uint64 size;
		size_t n;
		Datum values[4];

		find_sealed(org, &id, &event);
		find_checkpoint(&event, &note, &key, &size);
		prove_inclusion(&event, size, proof, &n);
		steward_stored_root(&event.log, size, &root);
		steward_event_id_print(&id, id_text);

		initStringInfo(&buf);
		appendStringInfoChar(&buf, '{');
		put_string(&buf, "format", "steward-evidence-1");
		put_string(&buf, "id", id_text);
		values[0] = UUIDPGetDatum(org);
		values[1] = Int64GetDatum(id.incarnation);
		values[2] = CStringGetTextDatum(psprintf(UINT64_FORMAT, id.xact));
		values[3] = Int64GetDatum(id.n);
		steward_run(&readable, STEWARD_LATEST, values, NULL);
		appendStringInfo(&buf, "\"event\": %s, ", steward_result_text(0, 1));
		put_base64(&buf, "canonical", event.bytes.data, event.bytes.len);
		appendStringInfo(&buf, ", \"leaf_index\": " UINT64_FORMAT ", \"tree_size\": " UINT64_FORMAT ", \"proof\": [",
						 event.leaf, size);
		for (size_t i = 0; i < n; i++)
		{
			appendStringInfoString(&buf, i ? ", " : "");
			put_base64(&buf, NULL, proof[i].bytes, STEWARD_HASH_LEN);
		}
		appendStringInfoString(&buf, "], ");
		put_string(&buf, "checkpoint", note);
		put_string(&buf, "public_key", key);
		put_base64(&buf, "root", root.bytes, STEWARD_HASH_LEN);
		appendStringInfoChar(&buf, '}');
		json = MemoryContextStrdup(context, buf.data);
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(json)));
}
