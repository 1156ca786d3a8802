/*
 * ids.h
 *		Time-ordered identifiers.
 */
#ifndef STEWARD_IDS_H
#define STEWARD_IDS_H

#include "utils/uuid.h"

extern void steward_make_uuid7(pg_uuid_t *uuid);

#endif /* STEWARD_IDS_H */
