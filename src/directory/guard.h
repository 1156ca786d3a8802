/*
 * guard.h
 *		Before a directory row is written.
 */
#ifndef STEWARD_DIRECTORY_GUARD_H
#define STEWARD_DIRECTORY_GUARD_H

#include "datatype/timestamp.h"

/* How far ahead of our clock a source's clock may be, in microseconds. */
#define STEWARD_MAX_CLOCK_LEAD (5 * USECS_PER_MINUTE)

extern void steward_check_event_time(TimestampTz event_time);

#endif /* STEWARD_DIRECTORY_GUARD_H */
