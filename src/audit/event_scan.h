/*
 * event_scan.h
 *		Reading events in their order, and how far the past is complete.
 */
#ifndef STEWARD_EVENT_SCAN_H
#define STEWARD_EVENT_SCAN_H

#include "audit/event.h"
#include "executor/tuptable.h"
#include "utils/snapshot.h"
#include "utils/uuid.h"

typedef struct StewardEventScan StewardEventScan;

extern uint64 steward_horizon(Snapshot snapshot);
extern void steward_flush_wal(void);
extern StewardEventScan *steward_event_scan_begin(const pg_uuid_t *org, int32 incarnation, uint64 from_xact,
												  int32 from_n, uint64 below_xact, Snapshot snapshot);
extern bool steward_event_scan_next(StewardEventScan *scan, Datum values[STEWARD_EVENT_COLUMNS],
									bool nulls[STEWARD_EVENT_COLUMNS]);
extern TupleTableSlot *steward_event_scan_slot(StewardEventScan *scan);
extern void steward_event_scan_end(StewardEventScan *scan);
extern StewardEventId steward_event_id_of(const Datum *values);

#endif /* STEWARD_EVENT_SCAN_H */
