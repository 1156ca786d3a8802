/*
 * verify.c
 *		verify_audit(): whether the log is what was sealed, and where it is not.
 *
 * Every event is encoded and hashed again, in the order of the leaves, and compared with the hash that was sealed; the
 * tree is built anew from what the events give now and compared with tiles, root, every checkpoint that was signed, and
 * one that was kept elsewhere.  A log is judged up to its first difference, which is named.
 *
 * Nothing here writes: it works on a standby, and may be cancelled and gone on with from any leaf.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "audit/canonical.h"
#include "audit/event_scan.h"
#include "audit/log.h"
#include "audit/merkle_sql.h"
#include "audit/note.h"
#include "audit/tiles.h"
#include "core/authority.h"
#include "core/plan.h"
#include "core/reference.h"
#include "core/relation.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_verify_audit);

/* Temporary memory is given back after so many events; progress is shown after so many milliseconds. */
#define EVENTS_PER_RESET 1024
#define PROGRESS_MS 10000

/* How many leaves are looked through for where an event has gone. */
#define LOOK_AHEAD 256

/* A checkpoint to compare with. */
typedef struct KnownRoot
{
	uint64 size;
	StewardHash root;
	const char *which;
} KnownRoot;

/* An event as the stream has it. */
typedef struct StreamedEvent
{
	bool there;
	StewardEventId id;
	StewardHash hash;
} StreamedEvent;

/* One verification of one log. */
typedef struct Verification
{
	StewardLog log;
	ReturnSetInfo *rsinfo;
	StewardTileReader *reader;
	StewardTileWriter *writer;
	StewardLogStream *stream;
	MemoryContext temporary;
	StringInfoData bytes;
	StreamedEvent current;
	StreamedEvent previous;
	KnownRoot *roots; /* ordered by size */
	int n_roots;
	int next_root;
	uint64 last_good_root; /* size of the last one that agreed */
	uint64 leaf;
	int64 checked;
	bool found; /* a difference was reported */
	TimestampTz next_progress;
} Verification;

/* Answers with a row. */
static void
answer(Verification *v, const char *finding, bool has_leaf, const StewardEventId *event, const char *detail)
{
	Datum values[5] = {CStringGetTextDatum(v->log.origin), CStringGetTextDatum(finding), Int64GetDatum((int64) v->leaf),
					   event ? steward_event_id_datum(event) : (Datum) 0, CStringGetTextDatum(detail)};
	bool nulls[5] = {false, false, !has_leaf, event == NULL, false};

	tuplestore_putvalues(v->rsinfo->setResult, v->rsinfo->setDesc, values, nulls);
	if (strcmp(finding, "ok") != 0)
		v->found = true;
}

/* Reads the next event of the stream into v->current. */
static void
read_event(Verification *v)
{
	Datum values[STEWARD_EVENT_COLUMNS];
	bool nulls[STEWARD_EVENT_COLUMNS];
	MemoryContext old_context;

	CHECK_FOR_INTERRUPTS();
	v->previous = v->current;
	v->current.there = steward_log_stream_next(v->stream, values, nulls);
	if (!v->current.there)
		return;
	old_context = MemoryContextSwitchTo(v->temporary);
	v->current.id = steward_event_id_of(values);
	resetStringInfo(&v->bytes);
	steward_canonical_event(&v->bytes, values, nulls);
	if (!steward_leaf_hash(v->bytes.data, (size_t) v->bytes.len, &v->current.hash))
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not compute SHA-256")));
	MemoryContextSwitchTo(old_context);
	if (v->checked % EVENTS_PER_RESET == 0)
		MemoryContextReset(v->temporary);
}

/* The hash that was sealed for a leaf; false when its tile is missing or too short. */
static bool
sealed_hash(Verification *v, uint64 leaf, StewardHash *hash)
{
	int count;
	const StewardHash *hashes = steward_tile_read(v->reader, 0, leaf / STEWARD_TILE_WIDTH, &count);

	if (hashes == NULL || leaf % STEWARD_TILE_WIDTH >= (uint64) count)
		return false;
	*hash = hashes[leaf % STEWARD_TILE_WIDTH];
	return true;
}

/* Whether the tile of a leaf has the root that the level above has for it; true where that has none yet. */
static bool
tile_agrees_above(Verification *v, uint64 leaf)
{
	uint64 tile = leaf / STEWARD_TILE_WIDTH;
	StewardHash hashes[STEWARD_TILE_WIDTH];
	StewardHash root;
	const StewardHash *found;
	int count;

	found = steward_tile_read(v->reader, 0, tile, &count);
	if (found == NULL || count < STEWARD_TILE_WIDTH)
		return true;
	memcpy(hashes, found, sizeof(hashes));
	found = steward_tile_read(v->reader, 1, tile / STEWARD_TILE_WIDTH, &count);
	if (found == NULL || tile % STEWARD_TILE_WIDTH >= (uint64) count)
		return true;
	return steward_hashes_root(hashes, STEWARD_TILE_WIDTH, &root) &&
		   memcmp(&root, &found[tile % STEWARD_TILE_WIDTH], sizeof(root)) == 0;
}

static bool
same_hash(const StewardHash *a, const StewardHash *b)
{
	return memcmp(a, b, sizeof(StewardHash)) == 0;
}

/* Says what happened where the present event has not the hash that was sealed for this leaf. */
static void
explain_difference(Verification *v, const StewardHash *sealed)
{
	StreamedEvent here = v->current;
	StewardHash other;
	uint64 missing = 0;

	if (!tile_agrees_above(v, v->leaf))
	{
		answer(v, "tile", true, &here.id, "a tile of hashes was changed; the event may be as it was");
		return;
	}
	/* Is the event one of those that come later?  Then what was here is gone. */
	for (uint64 i = 1; i < LOOK_AHEAD && missing == 0 && v->leaf + i < v->log.size; i++)
		if (sealed_hash(v, v->leaf + i, &other) && same_hash(&other, &here.hash))
			missing = i;
	if (missing == 0)
	{
		read_event(v);
		if (v->current.there && same_hash(&v->current.hash, sealed))
			answer(v, "added", true, &here.id, "the event was added after its place in the log had been sealed");
		else
			answer(v, "changed", true, &here.id, "the event is not what was sealed");
		return;
	}
	read_event(v);
	if (missing == 1 && v->current.there && same_hash(&v->current.hash, sealed))
		answer(v, "reordered", true, &here.id, "the event and the one after it have changed places");
	else
		answer(v, "removed", true, &here.id,
			   psprintf(UINT64_FORMAT " sealed events are missing before this one", missing));
}

/* Compares the tree as built so far with checkpoints of this size. */
static void
compare_roots(Verification *v)
{
	while (!v->found && v->next_root < v->n_roots && v->roots[v->next_root].size <= v->writer->size)
	{
		KnownRoot *known = &v->roots[v->next_root++];
		StewardHash root;

		if (known->size < v->writer->size)
			continue; /* before where this verification began */
		steward_tile_writer_root(v->writer, &root);
		if (same_hash(&root, &known->root))
		{
			v->last_good_root = known->size;
			continue;
		}
		v->leaf = v->last_good_root;
		answer(v, "checkpoint", true, NULL,
			   psprintf("%s of size " UINT64_FORMAT
						" does not agree: the first difference lies between leaf " UINT64_FORMAT
						" and leaf " UINT64_FORMAT,
						known->which, known->size, v->last_good_root, known->size - 1));
	}
}

/* A tile that the verification has built: the stored one must be the same. */
static void
compare_tile(void *arg, unsigned level, const StewardTileLevel *tile)
{
	Verification *v = arg;
	const StewardHash *stored;
	int count;

	if (v->found)
		return;
	stored = steward_tile_read(v->reader, level, tile->tile, &count);
	if (stored != NULL && count >= tile->count &&
		memcmp(stored, tile->hashes, (Size) tile->count * STEWARD_HASH_LEN) == 0)
		return;
	v->leaf = tile->tile << (STEWARD_TILE_HEIGHT * (level + 1));
	answer(v, "tile", true, NULL,
		   psprintf("tile " UINT64_FORMAT " of level %u is missing or not what its leaves give", tile->tile, level));
}

/* Shows how far it is, every few seconds: with what a later call can go on. */
static void
show_progress(Verification *v)
{
	TimestampTz now;

	if (v->leaf % 65536 != 0)
		return;
	now = GetCurrentTimestamp();
	if (v->next_progress != 0 && now < v->next_progress)
		return;
	if (v->next_progress != 0)
		ereport(NOTICE, (errmsg("log \"%s\": verified up to leaf " UINT64_FORMAT " of " UINT64_FORMAT, v->log.origin,
								v->leaf, v->log.size),
						 errhint("It can be gone on with by first_leaf => " UINT64_FORMAT ".",
								 v->leaf / STEWARD_TILE_WIDTH * STEWARD_TILE_WIDTH)));
	v->next_progress = TimestampTzPlusMilliseconds(now, PROGRESS_MS);
}

/* Goes through all leaves from v->leaf on. */
static void
verify_leaves(Verification *v)
{
	for (; v->leaf < v->log.size && !v->found; v->leaf++)
	{
		StewardHash sealed;

		show_progress(v);
		if (!sealed_hash(v, v->leaf, &sealed))
		{
			answer(v, "tile", true, NULL, "a tile of hashes is missing or too short");
			break;
		}
		if (v->leaf == 0)
		{
			bytea *start = DatumGetByteaPP(v->log.start_leaf);
			StewardHash hash;

			if (!steward_leaf_hash(VARDATA_ANY(start), VARSIZE_ANY_EXHDR(start), &hash))
				ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not compute SHA-256")));
			if (!same_hash(&hash, &sealed))
			{
				answer(v, "changed", true, NULL, "the leaf that begins the log is not what was sealed");
				break;
			}
			steward_tile_append(v->writer, &hash, NULL);
		}
		else if (v->current.there && same_hash(&v->current.hash, &sealed))
		{
			steward_tile_append(v->writer, &v->current.hash, &v->current.id);
			v->checked++;
			read_event(v);
		}
		else if (v->leaf < v->log.expired)
			steward_tile_append(v->writer, &sealed, NULL);
		else if (!v->current.there)
		{
			answer(v, "removed", true, NULL,
				   psprintf(UINT64_FORMAT " sealed events are missing at the end", v->log.size - v->leaf));
			break;
		}
		else
		{
			explain_difference(v, &sealed);
			break;
		}
		compare_roots(v);
	}
	if (!v->found && v->current.there)
		answer(v, "added", false, &v->current.id, "the event was added below what had been sealed");
	if (!v->found)
		steward_tile_finish(v->writer);
}

/* Orders known roots by size. */
static int
compare_sizes(const void *a, const void *b)
{
	const KnownRoot *x = a;
	const KnownRoot *y = b;

	return x->size < y->size ? -1 : x->size > y->size;
}

/* The checkpoints of the log: each must be signed, and say what its row says. */
static void
load_checkpoints(Verification *v, const StewardNote *against)
{
	static StewardPlan find = STEWARD_PLAN(
		"ult", "SELECT c.size, c.root, c.note, steward.log_key($3, k.public_key) FROM steward.audit_checkpoint c "
			   "JOIN steward.audit_key k ON k.org_id = c.org_id AND k.id = c.key_id "
			   "WHERE c.org_id = $1 AND c.incarnation = $2::integer ORDER BY c.size");
	Datum values[] = {UUIDPGetDatum(&v->log.org), Int64GetDatum(v->log.incarnation),
					  CStringGetTextDatum(v->log.origin)};
	uint64 n = steward_run(&find, STEWARD_LATEST, values, NULL);

	v->roots = palloc(sizeof(KnownRoot) * (n + 2));
	for (uint64 i = 0; i < n; i++)
	{
		bool isnull;
		KnownRoot *known = &v->roots[v->n_roots++];
		bytea *root = DatumGetByteaPP(steward_result(i, 2, &isnull));
		char *note_text = steward_result_text(i, 3);
		char *key = steward_result_text(i, 4);
		StewardNote note;

		known->size = (uint64) DatumGetInt64(steward_result(i, 1, &isnull));
		known->which = "the signed checkpoint";
		memset(&known->root, 0, sizeof(known->root));
		memcpy(&known->root, VARDATA_ANY(root), Min(VARSIZE_ANY_EXHDR(root), sizeof(known->root)));
		if (!steward_checkpoint_valid(note_text, strlen(note_text), key, strlen(key)) ||
			!steward_note_parse(note_text, strlen(note_text), &note) || note.size != known->size ||
			!same_hash(&note.root, &known->root) || note.origin_len != strlen(v->log.origin) ||
			memcmp(note.origin, v->log.origin, note.origin_len) != 0)
		{
			v->leaf = known->size;
			answer(v, "checkpoint", false, NULL,
				   psprintf("the checkpoint of size " UINT64_FORMAT " in the history is not one that was signed",
							known->size));
			return;
		}
	}
	v->roots[v->n_roots++] = (KnownRoot){.size = v->log.size, .root = v->log.root, .which = "the recorded root"};
	if (against)
	{
		if (against->size > v->log.size)
		{
			answer(v, "checkpoint", false, NULL,
				   psprintf("the checkpoint given is of size " UINT64_FORMAT ", the log of size " UINT64_FORMAT
							": its end is missing",
							against->size, v->log.size));
			return;
		}
		v->roots[v->n_roots++] =
			(KnownRoot){.size = against->size, .root = against->root, .which = "the checkpoint given"};
	}
	qsort(v->roots, v->n_roots, sizeof(KnownRoot), compare_sizes);
}

/* What the log says about the one before it must be in its first leaf, and that one must still say so. */
static void
check_previous(Verification *v)
{
	StewardLog previous;
	StewardTileReader *reader;
	StewardHash root;
	bytea *start = DatumGetByteaPP(v->log.start_leaf);
	bool named = false;

	if (!v->log.has_previous || v->found)
		return;
	for (int i = 0; i + STEWARD_HASH_LEN <= (int) VARSIZE_ANY_EXHDR(start) && !named; i++)
		named = memcmp(VARDATA_ANY(start) + i, v->log.previous_root.bytes, STEWARD_HASH_LEN) == 0;
	if (!named)
	{
		answer(v, "previous", false, NULL, "the log that it continues is not the one that its first leaf names");
		return;
	}
	if (!steward_load_log(&v->log.org, v->log.previous_incarnation, &previous))
	{
		answer(v, "previous", false, NULL, "the log that it continues is gone");
		return;
	}
	reader = steward_tile_reader(&previous.org, previous.incarnation, previous.size);
	if (!steward_tree_root(v->log.previous_size, steward_tile_subtree, reader, &root) ||
		!same_hash(&root, &v->log.previous_root))
		answer(v, "previous", false, NULL, "the log that it continues has changed since");
}

/* What has left by retention must have been recorded in the log. */
static void
check_expired(Verification *v)
{
	static StewardPlan find = STEWARD_PLAN(
		"ultll",
		"SELECT FROM steward.audit_event WHERE org_id = $1 AND incarnation = $2::integer AND xact = $3::xid8 "
		"AND n = $4::integer AND action = 'steward.content_expired' AND (metadata ->> 'leaves')::numeric = $5");
	StewardEventId id;
	Datum values[5];

	if (v->log.expired == 0 || v->found)
		return;
	if (v->log.expired_event == NULL || !steward_event_id_parse(v->log.expired_event, &id))
		memset(&id, 0, sizeof(id));
	values[0] = UUIDPGetDatum(&v->log.org);
	values[1] = Int64GetDatum(id.incarnation);
	values[2] = CStringGetTextDatum(psprintf(UINT64_FORMAT, id.xact));
	values[3] = Int64GetDatum(id.n);
	values[4] = Int64GetDatum((int64) v->log.expired);
	if (steward_run(&find, STEWARD_LATEST, values, NULL) == 0)
		answer(v, "expired", false, NULL, "events have left that no event in the log says have expired");
}

/* Without going through the events: whether the tiles give the roots that are known. */
static void
verify_tiles(Verification *v)
{
	for (int i = 0; i < v->n_roots && !v->found; i++)
	{
		StewardHash root;

		CHECK_FOR_INTERRUPTS();
		v->leaf = v->last_good_root;
		if (!steward_tree_root(v->roots[i].size, steward_tile_subtree, v->reader, &root))
			answer(v, "tile", false, NULL,
				   psprintf("the tiles do not give a root at size " UINT64_FORMAT, v->roots[i].size));
		else if (!same_hash(&root, &v->roots[i].root))
			answer(v, "checkpoint", true, NULL,
				   psprintf("%s of size " UINT64_FORMAT " does not agree with the tiles", v->roots[i].which,
							v->roots[i].size));
		else
			v->last_good_root = v->roots[i].size;
	}
}

/* Verifies one log. */
static void
verify_log(ReturnSetInfo *rsinfo, const StewardLog *log, bool full, const StewardNote *against, uint64 first_leaf)
{
	Verification *v = palloc0(sizeof(Verification));
	uint64 tile = Min(first_leaf, log->size - 1) / STEWARD_TILE_WIDTH;
	Snapshot snapshot;

	v->log = *log;
	v->rsinfo = rsinfo;
	v->reader = steward_tile_reader(&log->org, log->incarnation, log->size);
	load_checkpoints(v, against);
	check_previous(v);
	check_expired(v);
	if (full && !v->found)
	{
		v->temporary = AllocSetContextCreate(CurrentMemoryContext, "steward verification", ALLOCSET_DEFAULT_SIZES);
		initStringInfo(&v->bytes);
		v->leaf = tile * STEWARD_TILE_WIDTH;
		v->last_good_root = v->leaf;
		v->writer = steward_tile_writer(v->reader, v->leaf, compare_tile, v);
		snapshot = RegisterSnapshot(GetLatestSnapshot());
		v->stream = steward_log_stream_begin(log, tile, snapshot);
		read_event(v);
		verify_leaves(v);
		steward_log_stream_end(v->stream);
		UnregisterSnapshot(snapshot);
		MemoryContextDelete(v->temporary);
	}
	else if (!v->found)
		verify_tiles(v);
	if (!v->found)
	{
		v->leaf = log->size;
		answer(v, "ok", true, NULL,
			   full ? psprintf(INT64_FORMAT " events, the tree over " UINT64_FORMAT " leaves and %d roots agree",
							   v->checked, log->size, v->n_roots)
					: psprintf("the tree over " UINT64_FORMAT " leaves and %d roots agree; the events were not read",
							   log->size, v->n_roots));
	}
}

/*
 * verify_audit("full" boolean DEFAULT false, against text DEFAULT NULL, first_leaf numeric DEFAULT 0, org uuid DEFAULT
 *		default_org()) → rows (log text, finding text, leaf bigint, event text, detail text)
 *		Compares each log of the organization with what was sealed and signed, one row a log: finding is ok, or what is
 *		wrong first (changed, removed, added, reordered, tile, checkpoint, previous, expired), with the leaf and event.
 *
 * full reads every event again; without it only tiles, roots and signatures are compared.  against is a checkpoint that
 * was kept elsewhere: its log is compared with it, and only that log.  Auditors.  Raises 22023 for a text that is no
 * checkpoint, ST604 for one of another log.
 */
Datum
steward_verify_audit(PG_FUNCTION_ARGS)
{
	static StewardPlan logs = STEWARD_PLAN("ut", "SELECT incarnation FROM steward.audit_log WHERE org_id = $1 "
												 "AND ($2 IS NULL OR origin = $2) ORDER BY incarnation");
	const pg_uuid_t *org = steward_org_arg(fcinfo, 3);
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	bool full = !PG_ARGISNULL(0) && PG_GETARG_BOOL(0);
	uint64 first_leaf = 0;
	StewardNote note;
	char *origin = NULL;

	if (!PG_ARGISNULL(2) && !steward_numeric_to_uint64(PG_GETARG_DATUM(2), &first_leaf))
		ereport(ERROR, (errcode(ERRCODE_STEWARD_SIZE_OUT_OF_RANGE), errmsg("first_leaf is out of range")));
	if (!PG_ARGISNULL(1))
	{
		char *given = text_to_cstring(PG_GETARG_TEXT_PP(1));

		if (!steward_note_parse(given, strlen(given), &note))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("this is no checkpoint"),
							errhint("Pass the text exactly as steward.checkpoint() returned it.")));
		origin = pnstrdup(note.origin, note.origin_len);
	}
	steward_require(org, STEWARD_PROFILE_AUDITOR);
	InitMaterializedSRF(fcinfo, 0);
	STEWARD_AS_OWNER();
	{
		Datum values[] = {UUIDPGetDatum(org), origin ? CStringGetTextDatum(origin) : (Datum) 0};
		bool nulls[] = {false, origin == NULL};
		uint64 n = steward_run(&logs, STEWARD_LATEST, values, nulls);
		SPITupleTable *rows = SPI_tuptable;

		if (n == 0 && origin)
			ereport(ERROR, (errcode(ERRCODE_STEWARD_LOG_INCONSISTENT),
							errmsg("there is no log \"%s\" in this organization", origin),
							errhint("The checkpoint is of another log, or that log has been removed.")));
		for (uint64 i = 0; i < n; i++)
		{
			StewardLog log;
			bool isnull;

			if (steward_load_log(org, DatumGetInt32(SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &isnull)), &log))
				verify_log(rsinfo, &log, full, origin ? &note : NULL, first_leaf);
		}
	}
	STEWARD_AS_OWNER_END();
	return (Datum) 0;
}
