/*
 * grant.h
 *		Scopes given to principals.
 */
#ifndef STEWARD_GRANT_H
#define STEWARD_GRANT_H

#include "utils/uuid.h"

extern void steward_require_scopes(const pg_uuid_t *org, const pg_uuid_t *principal, const char *name, Datum scopes,
								   bool may_grant, const char *justification, const char *ticket);

#endif /* STEWARD_GRANT_H */
