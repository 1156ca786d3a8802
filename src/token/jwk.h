/*
 * jwk.h
 *		Keys for signatures: JSON Web Keys (RFC 7517), parsed and checked, and signatures with them; needs OpenSSL only.
 */
#ifndef STEWARD_JWK_H
#define STEWARD_JWK_H

#include <openssl/evp.h>

#include "token/compact.h"

/* The longest HMAC secret, in bytes. */
#define STEWARD_SECRET_MAX 1024

/* The longest JWK that is looked at, in bytes, and how many keys a set may have. */
#define STEWARD_JWK_MAX 16384
#define STEWARD_JWKS_KEYS 32

typedef enum StewardKeyType
{
	STEWARD_KEY_RSA,
	STEWARD_KEY_EC,
	STEWARD_KEY_OKP,
	STEWARD_KEY_OCT
} StewardKeyType;

/* A parsed key.  Made by the functions here, ended by steward_jwk_free. */
typedef struct StewardJwk
{
	StewardKeyType type;
	StewardAlg alg;		  /* what it is for; STEWARD_ALG_NONE where neither it nor its type says so */
	StewardAlg curve_alg; /* of EC: the algorithm of its curve */
	EVP_PKEY *pkey;
	EVP_PKEY_CTX *verifier; /* ready to verify with alg; NULL until first used */
	unsigned char secret[STEWARD_SECRET_MAX];
	size_t secret_len;
	bool has_kid;
	char kid[STEWARD_KID_MAX + 1];
	size_t kid_len;
} StewardJwk;

/* Whether the key comes from outside (and is checked in full) or from our own table. */
typedef enum StewardJwkOrigin
{
	STEWARD_JWK_FOREIGN,
	STEWARD_JWK_STORED
} StewardJwkOrigin;

extern const char *steward_jwk_read(const char *json, size_t len, StewardJwkOrigin origin, StewardJwk *jwk);
extern const char *steward_jwk_secret(const unsigned char *secret, size_t len, StewardAlg alg, StewardJwk *jwk);
extern void steward_jwk_free(StewardJwk *jwk);
extern bool steward_jwk_fits(const StewardJwk *jwk, StewardAlg alg);
extern bool steward_jwk_verify(StewardJwk *jwk, StewardAlg alg, const StewardSpan *data, const unsigned char *signature,
							   size_t len);
extern EVP_PKEY *steward_jwk_generate(StewardAlg alg);
extern size_t steward_jwk_print(EVP_PKEY *pkey, StewardAlg alg, char *out, size_t size);
extern bool steward_jwk_thumbprint(EVP_PKEY *pkey, StewardAlg alg, char *out);
extern size_t steward_jwk_sign(EVP_PKEY *pkey, StewardAlg alg, const StewardSpan *data, unsigned char *signature,
							   size_t size);

/* Base64url of SHA-256, without the terminator. */
#define STEWARD_THUMBPRINT_LEN 43

#endif /* STEWARD_JWK_H */
