/*
 * tiles.c
 *		The hashes of a log's tree as they are stored: tiles of 256, as in C2SP tlog-tiles.
 *
 * Level 0 holds the hashes of leaves; each further level the roots of whole tiles of the level below.  So a tile spans 8
 * levels of the tree, and any node of it is computed from one tile.  Only the last tile of a level is not whole; sealing
 * writes it again when it has grown.
 *
 * Functions that read run statements inside the owner's bracket.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "audit/tiles.h"
#include "core/plan.h"
#include "steward.h"

/* Raises because the library cannot hash. */
static void
cannot_hash(void)
{
	ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not compute SHA-256")));
}

/*
 * steward_tile_reader
 *		Reads tiles of a log, as far as the tree of the given size goes.  Lives in the caller's memory context.
 */
StewardTileReader *
steward_tile_reader(const pg_uuid_t *org, int32 incarnation, uint64 size)
{
	StewardTileReader *reader = palloc0(sizeof(StewardTileReader));

	reader->org = *org;
	reader->incarnation = incarnation;
	reader->size = size;
	return reader;
}

/*
 * steward_tile_read
 *		The hashes of a tile; NULL when it is not there.  Valid until eight further tiles have been read.
 */
const StewardHash *
steward_tile_read(StewardTileReader *reader, unsigned level, uint64 tile, int *count)
{
	static StewardPlan find =
		STEWARD_PLAN("ulll", "SELECT hashes FROM steward.audit_tile WHERE org_id = $1 "
							 "AND incarnation = $2::integer AND level = $3::smallint AND tile = $4");
	Datum values[] = {UUIDPGetDatum(&reader->org), Int64GetDatum(reader->incarnation), Int64GetDatum(level),
					  Int64GetDatum((int64) tile)};
	bytea *hashes;
	bool isnull;
	int slot;

	for (int i = 0; i < (int) lengthof(reader->cache); i++)
		if (reader->cache[i].valid && reader->cache[i].level == level && reader->cache[i].tile == tile)
		{
			*count = reader->cache[i].count;
			return reader->cache[i].hashes;
		}
	if (steward_run(&find, STEWARD_TRANSACTION, values, NULL) == 0)
		return NULL;
	hashes = DatumGetByteaPP(steward_result(0, 1, &isnull));
	slot = reader->next;
	reader->next = (slot + 1) % (int) lengthof(reader->cache);
	reader->cache[slot].valid = true;
	reader->cache[slot].level = level;
	reader->cache[slot].tile = tile;
	reader->cache[slot].count = Min((int) (VARSIZE_ANY_EXHDR(hashes) / STEWARD_HASH_LEN), STEWARD_TILE_WIDTH);
	memcpy(reader->cache[slot].hashes, VARDATA_ANY(hashes), (Size) reader->cache[slot].count * STEWARD_HASH_LEN);
	SPI_freetuptable(SPI_tuptable);
	*count = reader->cache[slot].count;
	return reader->cache[slot].hashes;
}

/*
 * steward_tile_subtree
 *		Hash of a complete subtree, for merkle.c; arg is the reader.  False when a tile is missing.
 */
bool
steward_tile_subtree(void *arg, unsigned level, uint64 index, StewardHash *hash)
{
	StewardTileReader *reader = arg;
	unsigned tile_level = level / STEWARD_TILE_HEIGHT;
	unsigned within = level % STEWARD_TILE_HEIGHT;
	uint64 first = index << within; /* of the tile level's hashes */
	uint64 end;
	const StewardHash *hashes;
	int count;

	/* Beyond the tree, or beyond any that can be. */
	if (level >= 64 || index > (PG_UINT64_MAX >> level) ||
		pg_mul_u64_overflow(index + 1, UINT64CONST(1) << level, &end) || end > reader->size)
		return false;
	hashes = steward_tile_read(reader, tile_level, first / STEWARD_TILE_WIDTH, &count);
	first %= STEWARD_TILE_WIDTH;
	if (hashes == NULL || first + (UINT64CONST(1) << within) > (uint64) count)
		return false;
	return steward_hashes_root(hashes + first, (size_t) 1 << within, hash);
}

/*
 * steward_tile_writer
 *		Appends to the tree of the given size, whose right edge the reader (which may be NULL for an empty tree) has.
 */
StewardTileWriter *
steward_tile_writer(StewardTileReader *reader, uint64 size, StewardTileSink sink, void *arg)
{
	StewardTileWriter *writer = palloc0(sizeof(StewardTileWriter));

	writer->size = size;
	writer->sink = sink;
	writer->arg = arg;
	for (unsigned level = 0; level < STEWARD_TILE_LEVELS; level++)
	{
		StewardTileLevel *edge = &writer->levels[level];
		uint64 hashes = size >> (STEWARD_TILE_HEIGHT * level);
		const StewardHash *stored;
		int count;

		edge->tile = hashes / STEWARD_TILE_WIDTH;
		edge->count = (int) (hashes % STEWARD_TILE_WIDTH);
		if (edge->count == 0)
			continue;
		stored = steward_tile_read(reader, level, edge->tile, &count);
		if (stored == NULL || count < edge->count)
			ereport(ERROR,
					(errcode(ERRCODE_STEWARD_LOG_INCONSISTENT), errmsg("the audit log's tree is damaged"),
					 errdetail("A tile is missing or too short: level %u, tile " UINT64_FORMAT ".", level, edge->tile),
					 errhint("Run SELECT * FROM steward.verify_audit(full => true).")));
		memcpy(edge->hashes, stored, (Size) edge->count * STEWARD_HASH_LEN);
	}
	return writer;
}

/* Adds a hash to a level; a tile that is whole goes to the sink, and its root to the next level. */
static void
append_hash(StewardTileWriter *writer, unsigned level, const StewardHash *hash)
{
	StewardTileLevel *edge = &writer->levels[level];
	StewardHash root;

	edge->hashes[edge->count++] = *hash;
	edge->dirty = true;
	if (edge->count < STEWARD_TILE_WIDTH)
		return;
	writer->sink(writer->arg, level, edge);
	if (!steward_hashes_root(edge->hashes, STEWARD_TILE_WIDTH, &root))
		cannot_hash();
	edge->tile++;
	edge->count = 0;
	edge->dirty = false;
	/* A tree of 2^64 leaves is out of reach, so there always is a next level. */
	Assert(level + 1 < STEWARD_TILE_LEVELS);
	append_hash(writer, level + 1, &root);
}

/*
 * steward_tile_append
 *		Appends a leaf; id is its event, NULL for the leaf that begins a log.
 */
void
steward_tile_append(StewardTileWriter *writer, const StewardHash *leaf, const StewardEventId *id)
{
	StewardTileLevel *edge = &writer->levels[0];

	if (edge->count == 0)
		memset(&edge->first, 0, sizeof(edge->first));
	if (id && edge->first.incarnation == 0)
		edge->first = *id;
	append_hash(writer, 0, leaf);
	writer->size++;
}

/*
 * steward_tile_finish
 *		Hands over the tiles that are not whole and have grown.
 */
void
steward_tile_finish(StewardTileWriter *writer)
{
	for (unsigned level = 0; level < STEWARD_TILE_LEVELS; level++)
		if (writer->levels[level].count > 0 && writer->levels[level].dirty)
			writer->sink(writer->arg, level, &writer->levels[level]);
}

/*
 * steward_tile_writer_root
 *		Root of the tree as it stands.
 *
 * The last tiles from the bottom up: what is not whole at a level is the rightmost part of the level above.
 */
void
steward_tile_writer_root(const StewardTileWriter *writer, StewardHash *root)
{
	StewardHash row[STEWARD_TILE_WIDTH + 1];
	bool have_right = false;
	StewardHash right;

	for (unsigned level = 0; level < STEWARD_TILE_LEVELS; level++)
	{
		const StewardTileLevel *edge = &writer->levels[level];
		int count = edge->count;

		memcpy(row, edge->hashes, (Size) count * STEWARD_HASH_LEN);
		if (have_right)
			row[count++] = right;
		if (count == 0)
			continue;
		if (!steward_hashes_root(row, (size_t) count, &right))
			cannot_hash();
		have_right = true;
	}
	if (have_right)
		*root = right;
	else if (!steward_hashes_root(NULL, 0, root))
		cannot_hash();
}
