/*
 * signal.h
 *		What runtime monitors report.
 */
#ifndef STEWARD_SIGNAL_H
#define STEWARD_SIGNAL_H

#include "postgres_ext.h"
#include "utils/uuid.h"

/* What a signal may bring about; ends with NULL. */
extern const char *const steward_signal_actions[];

/* The source in whose name a call reports. */
typedef struct StewardSignalSource
{
	pg_uuid_t org;
	pg_uuid_t id;
	char *name;
} StewardSignalSource;

extern uint64 steward_contain(const StewardSignalSource *source, Datum new_signals);

#endif /* STEWARD_SIGNAL_H */
