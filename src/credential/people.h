/*
 * people.h
 *		Holders and owners, locked before anything is decided about them.
 */
#ifndef STEWARD_PEOPLE_H
#define STEWARD_PEOPLE_H

#include "utils/uuid.h"

typedef struct StewardPerson
{
	pg_uuid_t id;
	char *kind;
	char *state;
	char *name;
	char *environment;
	pg_uuid_t owner;
	bool has_owner;
	bool ended; /* its engagement is over */
} StewardPerson;

extern void steward_lock_pair(const pg_uuid_t *org, const pg_uuid_t *holder, const pg_uuid_t *owner,
							  StewardPerson *holder_row, StewardPerson *owner_row);
extern void steward_lock_owner(const pg_uuid_t *org, const pg_uuid_t *owner, StewardPerson *owner_row);

#endif /* STEWARD_PEOPLE_H */
