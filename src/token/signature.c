/*
 * signature.c
 *		Signatures of JWS (RFC 7518, 8037) with OpenSSL; needs nothing of the server.
 *
 * A key that verifies often keeps a context that is set up once: what is left per signature is the digest and the
 * arithmetic.  Signatures of ECDSA are the two numbers in full width, turned into what OpenSSL wants and back.
 */
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include "token/jwk.h"

static const EVP_MD *
digest_of(StewardAlg alg)
{
	/* Fetched once: looking an algorithm up costs as much as a short digest. */
	static EVP_MD *md[3];
	int i;

	switch (alg)
	{
		case STEWARD_RS384:
		case STEWARD_PS384:
		case STEWARD_ES384:
		case STEWARD_HS384:
			i = 1;
			break;
		case STEWARD_RS512:
		case STEWARD_PS512:
		case STEWARD_ES512:
		case STEWARD_HS512:
			i = 2;
			break;
		default:
			i = 0;
	}
	if (md[i] == NULL)
		md[i] = EVP_MD_fetch(NULL, i == 0 ? "SHA256" : i == 1 ? "SHA384" : "SHA512", NULL);
	return md[i];
}

/* Padding and digest of a context for verifying (or signing) digests. */
static bool
set_up(EVP_PKEY_CTX *ctx, StewardAlg alg)
{
	if (EVP_PKEY_CTX_set_signature_md(ctx, digest_of(alg)) <= 0)
		return false;
	if (alg >= STEWARD_RS256 && alg <= STEWARD_RS512)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0;
	if (alg >= STEWARD_PS256 && alg <= STEWARD_PS512)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
			   EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, digest_of(alg)) > 0 &&
			   EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0;
	return true;
}

/* Width of one of the two numbers of an ECDSA signature; 0 for other algorithms. */
static size_t
half_width(StewardAlg alg)
{
	switch (alg)
	{
		case STEWARD_ES256:
			return 32;
		case STEWARD_ES384:
			return 48;
		case STEWARD_ES512:
			return 66;
		default:
			return 0;
	}
}

/* One number as a DER INTEGER; returns its length, 0 for the number zero, which no signature has. */
static size_t
put_integer(const unsigned char *number, size_t width, unsigned char *der)
{
	size_t pad;

	while (width > 0 && *number == 0)
	{
		number++;
		width--;
	}
	if (width == 0)
		return 0;
	pad = *number >= 0x80;
	der[0] = 0x02;
	der[1] = (unsigned char) (width + pad);
	der[2] = 0;
	memcpy(der + 2 + pad, number, width);
	return 2 + pad + width;
}

/* The raw signature as DER, in at most 144 bytes; returns its length, 0 when one of the numbers is zero. */
static size_t
to_der(const unsigned char *raw, size_t width, unsigned char *der)
{
	unsigned char body[2 * (66 + 3)];
	size_t r = put_integer(raw, width, body);
	size_t s = r > 0 ? put_integer(raw + width, width, body + r) : 0;
	size_t head = 2;

	if (s == 0)
		return 0;
	der[0] = 0x30;
	if (r + s >= 0x80)
	{
		der[1] = 0x81;
		der[2] = (unsigned char) (r + s);
		head = 3;
	}
	else
		der[1] = (unsigned char) (r + s);
	memcpy(der + head, body, r + s);
	return head + r + s;
}

/* The hash of an HMAC, compared in constant time. */
static bool
verify_hmac(const StewardJwk *jwk, StewardAlg alg, const StewardSpan *data, const unsigned char *signature, size_t len)
{
	unsigned char expected[EVP_MAX_MD_SIZE];
	unsigned int expected_len = 0;
	bool ok = HMAC(digest_of(alg), jwk->secret, (int) jwk->secret_len, (const unsigned char *) data->at, data->len,
				   expected, &expected_len) != NULL;

	ok = ok && len == expected_len && CRYPTO_memcmp(expected, signature, len) == 0;
	OPENSSL_cleanse(expected, sizeof(expected));
	return ok;
}

static bool
verify_eddsa(const StewardJwk *jwk, const StewardSpan *data, const unsigned char *signature, size_t len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = len == 64 && ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, jwk->pkey) == 1 &&
			  EVP_DigestVerify(ctx, signature, len, (const unsigned char *) data->at, data->len) == 1;

	EVP_MD_CTX_free(ctx);
	return ok;
}

/* RSA and ECDSA, with the key's own context. */
static bool
verify_digest(StewardJwk *jwk, StewardAlg alg, const StewardSpan *data, const unsigned char *signature, size_t len)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned char der[160];
	unsigned int digest_len = 0;
	size_t width = half_width(alg);

	if (width > 0)
	{
		if (len != 2 * width)
			return false;
		len = to_der(signature, width, der);
		signature = der;
		if (len == 0)
			return false;
	}
	else if (len != (size_t) EVP_PKEY_get_size(jwk->pkey))
		return false;
	if (EVP_Digest(data->at, data->len, digest, &digest_len, digest_of(alg), NULL) != 1)
		return false;
	if (jwk->verifier == NULL)
	{
		jwk->verifier = EVP_PKEY_CTX_new_from_pkey(NULL, jwk->pkey, NULL);
		if (jwk->verifier == NULL || EVP_PKEY_verify_init(jwk->verifier) <= 0 || !set_up(jwk->verifier, alg))
		{
			EVP_PKEY_CTX_free(jwk->verifier);
			jwk->verifier = NULL;
			return false;
		}
	}
	return EVP_PKEY_verify(jwk->verifier, signature, len, digest, digest_len) == 1;
}

/*
 * steward_jwk_verify
 *		Whether the signature of the data is the key's.  A key is used with one algorithm in its life: the one it is for,
 *		or the first it is asked for.
 */
bool
steward_jwk_verify(StewardJwk *jwk, StewardAlg alg, const StewardSpan *data, const unsigned char *signature, size_t len)
{
	bool ok;

	if (!steward_jwk_fits(jwk, alg) || len == 0)
		return false;
	if (jwk->type == STEWARD_KEY_OCT)
		return verify_hmac(jwk, alg, data, signature, len);
	if (jwk->type == STEWARD_KEY_OKP)
		ok = verify_eddsa(jwk, data, signature, len);
	else
		ok = verify_digest(jwk, alg, data, signature, len);
	if (!ok)
		ERR_clear_error();
	return ok;
}

/* The two numbers of a DER signature in full width; false when it is none. */
static bool
from_der(const unsigned char *der, size_t len, size_t width, unsigned char *raw)
{
	size_t at = 2;

	if (len < 8 || der[0] != 0x30)
		return false;
	if (der[1] == 0x81)
		at = 3;
	memset(raw, 0, 2 * width);
	for (int i = 0; i < 2; i++)
	{
		size_t n;
		const unsigned char *number;

		if (at + 2 > len || der[at] != 0x02)
			return false;
		n = der[at + 1];
		number = der + at + 2;
		at += 2 + n;
		if (at > len)
			return false;
		while (n > width && *number == 0)
		{
			number++;
			n--;
		}
		if (n > width)
			return false;
		memcpy(raw + (size_t) i * width + (width - n), number, n);
	}
	return at == len;
}

/*
 * steward_jwk_sign
 *		Signs the data; returns the length of the signature, 0 when it could not.
 */
size_t
steward_jwk_sign(EVP_PKEY *pkey, StewardAlg alg, const StewardSpan *data, unsigned char *signature, size_t size)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pkey_ctx = NULL;
	unsigned char made[STEWARD_SIGNATURE_MAX];
	size_t len = sizeof(made);
	size_t width = half_width(alg);
	const char *md = alg == STEWARD_EDDSA ? NULL : EVP_MD_get0_name(digest_of(alg));

	if (ctx == NULL || EVP_DigestSignInit_ex(ctx, &pkey_ctx, md, NULL, NULL, pkey, NULL) != 1 ||
		EVP_DigestSign(ctx, made, &len, (const unsigned char *) data->at, data->len) != 1)
		len = 0;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	if (len == 0)
		return 0;
	if (width == 0)
	{
		if (len > size)
			return 0;
		memcpy(signature, made, len);
		return len;
	}
	return 2 * width <= size && from_der(made, len, width, signature) ? 2 * width : 0;
}
