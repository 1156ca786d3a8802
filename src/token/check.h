/*
 * check.h
 *		The check of whatever is presented, an opaque key or a JWT.
 */
#ifndef STEWARD_CHECK_H
#define STEWARD_CHECK_H

#include "fmgr.h"
#include "token/token.h"

/* What is presented for a check, as arguments or kept for later. */
typedef struct StewardPresented
{
	bool has_token;
	Datum token; /* text, not detoasted: its length is looked at first */
	const text *audience;
	const text *thumbprint;
	bool has_org;
	pg_uuid_t org;
	bool assumed; /* kept by assume(), which has asked for the caller's authority */
} StewardPresented;

extern void steward_read_presented(FunctionCallInfo fcinfo, int token, int audience, int org, int thumbprint,
								   StewardPresented *presented);
extern void steward_copy_presented(const StewardPresented *presented, StewardPresented *copy);
extern void steward_wipe_presented(StewardPresented *copy);
extern TimestampTz steward_check_presented(const StewardPresented *presented, const ScopeSet *required,
										   StewardBearer *bearer);
extern Datum steward_authorization(FunctionCallInfo fcinfo, const StewardBearer *bearer, TimestampTz now);
extern void steward_note_denial(const StewardBearer *bearer);

#endif /* STEWARD_CHECK_H */
