/*
 * use.h
 *		What is recorded of the use of credentials.
 */
#ifndef STEWARD_USE_H
#define STEWARD_USE_H

#include "scope/scope.h"
#include "utils/uuid.h"

/* steward.usage_resolution, in seconds */
extern int steward_usage_resolution;

extern void steward_use_init(void);

/*
 * Called by a check that said yes, outside the bracket.  Cheap when this backend has recorded the same in this window
 * already; does nothing where nothing can be written.
 */
extern void steward_note_use(const pg_uuid_t *org, const pg_uuid_t *credential, const ScopeSet *required);

/* A step of maintain(). */
extern char *steward_merge_use(void);

#endif /* STEWARD_USE_H */
