/*
 * actor.c
 *		Who acts: what the audit log and defaults ask, and what keeps identities (src/token) answers.
 *
 * The core knows only that there may be a proven identity, not how it was proven.
 */
#include "postgres.h"

#include "core/actor.h"

static StewardActorSource actor_source = NULL;

/*
 * steward_set_actor_source
 *		Names the function that knows the identity in force.
 */
void
steward_set_actor_source(StewardActorSource source)
{
	actor_source = source;
}

/*
 * steward_actor
 *		The identity that this session assumed and that is in force now; NULL when there is none.
 */
const StewardActor *
steward_actor(void)
{
	return actor_source ? actor_source() : NULL;
}
