/*
 * delta.h
 *		What changed in a row, as JSON that no session setting can alter.
 */
#ifndef STEWARD_DELTA_H
#define STEWARD_DELTA_H

#include "access/htup.h"
#include "nodes/bitmapset.h"
#include "utils/rel.h"

extern bool steward_row_delta(Relation rel, HeapTuple old_row, HeapTuple new_row, Datum *old_json, Datum *new_json);
extern Datum steward_row_key(Relation rel, HeapTuple row);

#endif /* STEWARD_DELTA_H */
