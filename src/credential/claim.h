/*
 * claim.h
 *		Giving discovered credentials what governs them.
 */
#ifndef STEWARD_CLAIM_H
#define STEWARD_CLAIM_H

#include "nodes/execnodes.h"
#include "utils/uuid.h"

/*
 * Credentials to be claimed: parallel arrays, one element a credential.  Where something is missing or not allowed the
 * credential stays discovered, and why is said for it alone.
 */
typedef struct StewardClaims
{
	Datum credentials; /* uuid[] */
	Datum holders;	   /* uuid[] */
	Datum owners;	   /* uuid[] */
	Datum scopes;	   /* text[] */
	const char *justification;
	const char *ticket;
	bool may_grant; /* what a holder lacks is granted, and recorded */
} StewardClaims;

/* What became of one of them; detail is NULL when it was claimed. */
typedef void (*StewardClaimed)(const pg_uuid_t *credential, const char *label, const char *detail, int sqlstate,
							   void *arg);

extern int64 steward_claim_listed(const pg_uuid_t *org, const StewardClaims *claims, StewardClaimed report, void *arg);

#endif /* STEWARD_CLAIM_H */
