/*
 * organization.h
 *		The organization that a call means when it names none.
 */
#ifndef STEWARD_ORGANIZATION_H
#define STEWARD_ORGANIZATION_H

#include "utils/uuid.h"

extern void steward_organization_init(void);
extern bool steward_find_default_org(pg_uuid_t *org);

#endif /* STEWARD_ORGANIZATION_H */
