/*
 * claims.h
 *		The claims of a token's payload: pure functions, without the server.
 */
#ifndef STEWARD_CLAIMS_H
#define STEWARD_CLAIMS_H

#include "token/compact.h"
#include "token/json.h"

/* Claims where they stand in the payload; at is NULL for one that is absent. */
typedef struct StewardClaims
{
	StewardJsonValue iss;
	StewardJsonValue sub;
	StewardJsonValue aud;
	StewardJsonValue exp;
	StewardJsonValue nbf;
	StewardJsonValue iat;
	StewardJsonValue jti;
	StewardJsonValue client_id;
	StewardJsonValue azp;
	StewardJsonValue appid;
	StewardJsonValue scope;
	StewardJsonValue scp;
	StewardJsonValue roles;
	StewardJsonValue cnf;
	StewardJsonValue act;
	StewardJsonValue tid;
	StewardJsonValue oid;
	StewardJsonValue typ;
	StewardJsonValue events;
	StewardJsonValue nonce;
	StewardJsonValue at_hash;
	StewardJsonValue c_hash;
	/* Of our own tokens. */
	StewardJsonValue parents;
	StewardJsonValue grant;
	StewardJsonValue delegations;
	StewardJsonValue issued;
	bool has_nbf;
	int64_t exp_at; /* microseconds since 1970 */
	int64_t nbf_at;
	int64_t iat_at;
} StewardClaims;

/* Names of the claims of our own tokens. */
#define STEWARD_CLAIM_PARENTS "stw_credentials"
#define STEWARD_CLAIM_GRANT "stw_grant"
#define STEWARD_CLAIM_DELEGATIONS "stw_delegations"
#define STEWARD_CLAIM_ISSUED "stw_iat"

/* The most actors that a chain may have, whatever the policy. */
#define STEWARD_CHAIN_MAX 8

extern bool steward_claims_read(const char *payload, size_t len, StewardClaims *claims, StewardFault *fault);
extern bool steward_claims_times(const StewardClaims *claims, int64_t now, int64_t leeway, int64_t max_age,
								 StewardFault *fault);
extern bool steward_claims_name_audience(const StewardClaims *claims, const char *audience, size_t len);
extern bool steward_claims_thumbprint(const StewardClaims *claims, const char *thumbprint, size_t len);
extern bool steward_claims_not_access(const StewardClaims *claims);
extern bool steward_claim_text(const StewardJsonValue *claim, char *out, size_t size, size_t *len);
extern int steward_claims_actors(const StewardClaims *claims, StewardJsonValue *subjects, int max);

#endif /* STEWARD_CLAIMS_H */
