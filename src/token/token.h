/*
 * token.h
 *		Tokens: what the parts of this folder share.
 */
#ifndef STEWARD_TOKEN_H
#define STEWARD_TOKEN_H

#include "core/relation.h"
#include "credential/status.h"
#include "datatype/timestamp.h"
#include "fmgr.h"
#include "nodes/pg_list.h"
#include "scope/scope.h"
#include "token/claims.h"
#include "token/jwk.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

/* The longest iss, in bytes. */
#define STEWARD_ISSUER_MAX 512

/* Settings */
extern int steward_max_token_bytes;
extern bool steward_allow_session_binding;

/* What names the credential that a token is bound to. */
typedef enum StewardBinding
{
	STEWARD_BIND_CREDENTIAL, /* our own tokens carry its id */
	STEWARD_BIND_JTI,
	STEWARD_BIND_CLIENT_ID,
	STEWARD_BIND_AZP,
	STEWARD_BIND_SUB
} StewardBinding;

/* A row of token_issuer, parsed; valid until the next look-up of an issuer. */
typedef struct StewardIssuer
{
	pg_uuid_t org;
	pg_uuid_t id;
	char *issuer;
	size_t issuer_len;
	bool own;
	uint32 algorithms; /* bits, by StewardAlg */
	List *audiences;   /* of char * */
	List *types;	   /* of char * */
	int64 leeway;	   /* microseconds */
	int64 max_age;	   /* microseconds; 0: no limit */
	StewardBinding binding;
	bool scopes_of_credential;
	bool subject_is_oid;
	char *tenant;
	pg_uuid_t system;
	pg_uuid_t directory;
	bool has_directory;
} StewardIssuer;

/* A token while it is verified; lives in the memory context of the verification. */
typedef struct StewardToken
{
	const char *text;
	size_t len;
	StewardCompact parts;
	StewardHeader header;
	char *payload;
	size_t payload_len;
	const StewardIssuer *issuer;
	pg_uuid_t key;
	TimestampTz key_epoch;
	StewardClaims claims;
} StewardToken;

/* In keyring.c */
extern void steward_keyring_init(void);
extern void steward_keyring_begin(void);
extern const StewardIssuer *steward_find_issuer(const pg_uuid_t *org, const char *issuer, size_t len,
												Snapshot snapshot);
extern bool steward_check_signature(StewardToken *token, Snapshot snapshot, TimestampTz now, StewardFault *fault);

/* In secret.c */
extern const char *steward_stored_secret(const StewardRow *row, StewardAlg alg, StewardJwk *jwk);

/* In verify.c */
extern bool steward_token_verify(Datum token, const pg_uuid_t *org, Snapshot snapshot, TimestampTz now,
								 StewardToken *result, StewardFault *fault);
extern bool steward_token_check(const StewardToken *token, const text *audience, const text *thumbprint,
								Snapshot snapshot, TimestampTz now, StewardFault *fault);
extern char *steward_token_jti(const StewardToken *token, size_t *len);
extern void steward_raise_fault(const StewardFault *fault) pg_attribute_noreturn();
extern bool steward_token_too_long(Datum token);
extern TimestampTz steward_from_unix(int64 micros);

/* What a proven token stands for: whose it is, what it may do, and what its life hangs on. */
typedef struct StewardBearer
{
	StewardReason reason;
	bool proven; /* nothing else is told before that */
	pg_uuid_t org;
	pg_uuid_t principal;
	pg_uuid_t credential;
	List *chain; /* of pg_uuid_t *: actors, the current one first */
	Datum scopes;
	bool has_scopes;
	TimestampTz expires; /* DT_NOEND: never */
} StewardBearer;

/* In bearer.c */
extern void steward_token_bearer(const StewardToken *token, Snapshot snapshot, TimestampTz now, StewardBearer *bearer);

/* In scopes.c */
extern ScopeSet *steward_token_scopes(const char *text, size_t len, const ScopeSet *own);

/* In session.c */
extern void steward_token_init(void);

#endif /* STEWARD_TOKEN_H */
