/*
 * actor.h
 *		Who acts: the identity that this session has proven, beside the database role that it logged in as.
 */
#ifndef STEWARD_ACTOR_H
#define STEWARD_ACTOR_H

#include "nodes/pg_list.h"
#include "utils/uuid.h"

/* An identity that a token proved. */
typedef struct StewardActor
{
	pg_uuid_t org;
	pg_uuid_t principal;
	pg_uuid_t credential;
	List *chain; /* of pg_uuid_t *: principals that acted before it, nearest first */
} StewardActor;

/* Tells who is assumed now; NULL for nobody.  Set once by the module that keeps the stack of identities. */
typedef const StewardActor *(*StewardActorSource)(void);

extern void steward_set_actor_source(StewardActorSource source);
extern const StewardActor *steward_actor(void);

#endif /* STEWARD_ACTOR_H */
