/*
 * object.h
 *		References that may name things of several kinds.
 */
#ifndef STEWARD_OBJECT_H
#define STEWARD_OBJECT_H

#include "utils/uuid.h"

/* Kinds, as bits, so that a caller says which it takes. */
#define STEWARD_OBJECT_PRINCIPAL (1 << 0)
#define STEWARD_OBJECT_CREDENTIAL (1 << 1)
#define STEWARD_OBJECT_SYSTEM (1 << 2)

typedef struct StewardObject
{
	int kind;
	pg_uuid_t id;
	char *label; /* for messages */
} StewardObject;

extern void steward_resolve_object(const pg_uuid_t *org, const char *reference, int kinds, StewardObject *object);

#endif /* STEWARD_OBJECT_H */
