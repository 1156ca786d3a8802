/*
 * compact.h
 *		The compact form of a JWS and its header: pure functions, without the server.
 */
#ifndef STEWARD_COMPACT_H
#define STEWARD_COMPACT_H

#include <stdbool.h>
#include <stddef.h>

/* The longest kid and typ that are looked at, in bytes. */
#define STEWARD_KID_MAX 255
#define STEWARD_TYP_MAX 63

/* The longest header and signature, decoded; RSA with 8192 bits has 1024 bytes. */
#define STEWARD_HEADER_MAX 4096
#define STEWARD_SIGNATURE_MAX 1024

/* What is wrong with a token; what authorize() says of each is another matter. */
typedef enum StewardProblem
{
	STEWARD_TOKEN_GOOD,
	STEWARD_TOKEN_MALFORMED,
	STEWARD_TOKEN_UNSUPPORTED,
	STEWARD_TOKEN_UNKNOWN_ISSUER,
	STEWARD_TOKEN_UNKNOWN_KEY,
	STEWARD_TOKEN_BAD_SIGNATURE,
	STEWARD_TOKEN_EXPIRED,
	STEWARD_TOKEN_NOT_YET_VALID,
	STEWARD_TOKEN_TOO_OLD,
	STEWARD_TOKEN_WRONG_AUDIENCE,
	STEWARD_TOKEN_WRONG_TYPE,
	STEWARD_TOKEN_PROOF_REQUIRED,
	STEWARD_TOKEN_REVOKED,
	STEWARD_TOKEN_PROBLEMS
} StewardProblem;

/* A problem and, in constant words, what about it; never a part of the token. */
typedef struct StewardFault
{
	StewardProblem problem;
	const char *why;
} StewardFault;

typedef enum StewardAlg
{
	STEWARD_ALG_NONE, /* no algorithm; "none" is never one */
	STEWARD_RS256,
	STEWARD_RS384,
	STEWARD_RS512,
	STEWARD_PS256,
	STEWARD_PS384,
	STEWARD_PS512,
	STEWARD_ES256,
	STEWARD_ES384,
	STEWARD_ES512,
	STEWARD_EDDSA,
	STEWARD_HS256,
	STEWARD_HS384,
	STEWARD_HS512,
	STEWARD_ALGS
} StewardAlg;

extern const char *const steward_alg_names[STEWARD_ALGS];

#define STEWARD_ALG_IS_HMAC(alg) ((alg) >= STEWARD_HS256)

/* A span of text. */
typedef struct StewardSpan
{
	const char *at;
	size_t len;
} StewardSpan;

/* The parts of a token, still encoded; signed_part is header and payload with the dot between them. */
typedef struct StewardCompact
{
	StewardSpan header;
	StewardSpan payload;
	StewardSpan signature;
	StewardSpan signed_part;
} StewardCompact;

typedef struct StewardHeader
{
	StewardAlg alg;
	bool has_kid;
	size_t kid_len;
	char kid[STEWARD_KID_MAX + 1];
	bool has_typ;
	char typ[STEWARD_TYP_MAX + 1]; /* lower case, without "application/" */
} StewardHeader;

#define STEWARD_BASE64_DECODED(len) ((len) / 4 * 3 + 2)
#define STEWARD_BASE64_ENCODED(len) (((len) *4 + 2) / 3)

extern bool steward_base64_decode(const char *text, size_t len, unsigned char *out, size_t *out_len);
extern size_t steward_base64_encode(const unsigned char *bytes, size_t len, char *out);
extern StewardAlg steward_alg_named(const char *name, size_t len);
extern bool steward_compact_split(const char *token, size_t len, StewardCompact *parts, StewardFault *fault);
extern bool steward_header_read(const StewardCompact *parts, StewardHeader *header, StewardFault *fault);
extern bool steward_issuer_scan(const char *payload, size_t len, char *issuer, size_t size, size_t *issuer_len);

#endif /* STEWARD_COMPACT_H */
