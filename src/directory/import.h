/*
 * import.h
 *		SCIM resources into the directory tables.
 */
#ifndef STEWARD_IMPORT_H
#define STEWARD_IMPORT_H

#include "nodes/execnodes.h"
#include "utils/uuid.h"

extern void steward_import(const pg_uuid_t *org, const char *reference, Datum resources, bool complete,
						   ReturnSetInfo *rsinfo);

#endif /* STEWARD_IMPORT_H */
