/*
 * visible.h
 *		What a node knows: whether an act of revocation has arrived, and how old its knowledge is.
 */
#ifndef STEWARD_VISIBLE_H
#define STEWARD_VISIBLE_H

#include "datatype/timestamp.h"
#include "nodes/execnodes.h"
#include "utils/snapshot.h"

extern bool steward_is_stale(Snapshot snapshot, TimestampTz now);
extern char *steward_maintain_heartbeat(void);
extern void steward_check_heartbeat(ReturnSetInfo *rsinfo);

#endif /* STEWARD_VISIBLE_H */
