/*
 * rules.h
 *		What has to hold of principals and credentials.
 */
#ifndef STEWARD_RULES_H
#define STEWARD_RULES_H

#include "scope/scope.h"
#include "utils/hsearch.h"
#include "utils/uuid.h"

extern HTAB *steward_collect_grants(Datum orgs, Datum principals);
extern ScopeSet *steward_not_granted(HTAB *grants, const pg_uuid_t *org, const pg_uuid_t *principal, ScopeSet *scopes);
extern void steward_check_within_owner(Datum orgs, Datum credentials);

#endif /* STEWARD_RULES_H */
