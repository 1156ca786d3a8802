/*
 * tiles.h
 *		The hashes of a log's tree as they are stored: reading subtrees, and appending leaves.
 */
#ifndef STEWARD_TILES_H
#define STEWARD_TILES_H

#include "audit/event.h"
#include "audit/merkle.h"
#include "utils/uuid.h"

/* Hashes in a whole tile, the levels of the tree that it spans, and levels of tiles. */
#define STEWARD_TILE_WIDTH 256
#define STEWARD_TILE_HEIGHT 8
#define STEWARD_TILE_LEVELS 8

/* Reads tiles of one log; remembers a few. */
typedef struct StewardTileReader
{
	pg_uuid_t org;
	int32 incarnation;
	uint64 size; /* of the tree that is read: what is beyond is not there */
	int next;	 /* which of those remembered is replaced next */
	struct
	{
		bool valid;
		unsigned level;
		uint64 tile;
		int count;
		StewardHash hashes[STEWARD_TILE_WIDTH];
	} cache[8];
} StewardTileReader;

/* The right edge of a tree to which leaves are appended. */
typedef struct StewardTileLevel
{
	uint64 tile; /* the tile that is being filled */
	int count;
	bool dirty;
	StewardHash hashes[STEWARD_TILE_WIDTH];
	StewardEventId first; /* of level 0: the tile's first event */
} StewardTileLevel;

/* Receives each tile that is whole, and at the end those that are not. */
typedef void (*StewardTileSink)(void *arg, unsigned level, const StewardTileLevel *tile);

typedef struct StewardTileWriter
{
	uint64 size;
	StewardTileSink sink;
	void *arg;
	StewardTileLevel levels[STEWARD_TILE_LEVELS];
} StewardTileWriter;

extern StewardTileReader *steward_tile_reader(const pg_uuid_t *org, int32 incarnation, uint64 size);
extern bool steward_tile_subtree(void *arg, unsigned level, uint64 index, StewardHash *hash);
extern const StewardHash *steward_tile_read(StewardTileReader *reader, unsigned level, uint64 tile, int *count);
extern StewardTileWriter *steward_tile_writer(StewardTileReader *reader, uint64 size, StewardTileSink sink, void *arg);
extern void steward_tile_append(StewardTileWriter *writer, const StewardHash *leaf, const StewardEventId *id);
extern void steward_tile_finish(StewardTileWriter *writer);
extern void steward_tile_writer_root(const StewardTileWriter *writer, StewardHash *root);

#endif /* STEWARD_TILES_H */
