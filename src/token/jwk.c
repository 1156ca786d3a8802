/*
 * jwk.c
 *		JSON Web Keys (RFC 7517, 7518, 8037): read, checked, made and printed; needs OpenSSL only.
 *
 * A key fixes what it is good for: its algorithm, or what its type and curve imply.  What comes from outside is checked
 * in full, once: exact widths of all members, sizes, that the point is on the curve and the modulus no known weak one,
 * and that nothing private is where a public key is expected.  What our own table holds passed that, and is only built.
 */
#include "token/jwk.h"

#include <stdio.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#include "token/json.h"

/* The curves there are, with the width of a coordinate. */
static const struct
{
	const char *name;
	const char *group;
	size_t width;
	StewardAlg alg;
} curves[] = {
	{"P-256", "P-256", 32, STEWARD_ES256},
	{"P-384", "P-384", 48, STEWARD_ES384},
	{"P-521", "P-521", 66, STEWARD_ES512},
};

#define CURVES (sizeof(curves) / sizeof(curves[0]))

/* The members of a JWK that are looked at. */
typedef struct Members
{
	StewardJsonValue kty;
	StewardJsonValue alg;
	StewardJsonValue crv;
	StewardJsonValue use;
	StewardJsonValue key_ops;
	StewardJsonValue kid;
	StewardJsonValue n;
	StewardJsonValue e;
	StewardJsonValue x;
	StewardJsonValue y;
	StewardJsonValue k;
	bool is_private;
} Members;

static bool
visit_member(const StewardJsonValue *name, const StewardJsonValue *value, void *arg)
{
	static const char *const private_names[] = {"d", "p", "q", "dp", "dq", "qi", "oth"};
	Members *m = arg;
	const struct
	{
		const char *name;
		StewardJsonValue *value;
	} wanted[] = {
		{"kty", &m->kty}, {"alg", &m->alg}, {"crv", &m->crv}, {"use", &m->use}, {"key_ops", &m->key_ops},
		{"kid", &m->kid}, {"n", &m->n},		{"e", &m->e},	  {"x", &m->x},		{"y", &m->y},
		{"k", &m->k},
	};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (steward_json_is(name, wanted[i].name))
			*wanted[i].value = *value;
	for (size_t i = 0; i < sizeof(private_names) / sizeof(private_names[0]); i++)
		if (steward_json_is(name, private_names[i]))
			m->is_private = true;
	return true;
}

/* The operations of key_ops: all strings, "verify" among them. */
static bool
visit_operation(const StewardJsonValue *name, const StewardJsonValue *value, void *arg)
{
	bool *verify = arg;

	if (value->kind != STEWARD_JSON_STRING)
		return false;
	if (steward_json_is(value, "verify"))
		*verify = true;
	return true;
}

/* Decodes a base64url member of at most max bytes; false when it is not one. */
static bool
decode(const StewardJsonValue *value, unsigned char *out, size_t max, size_t *len)
{
	if (value->at == NULL || value->kind != STEWARD_JSON_STRING || value->len == 0 ||
		STEWARD_BASE64_DECODED(value->len) > max + 2)
		return false;
	return steward_base64_decode(value->at, value->len, out, len) && *len <= max;
}

/*
 * Whether a modulus has the fingerprint of keys whose primes are guessable (ROCA, CVE-2017-15361): modulo every small
 * prime it is a power of 65537.
 */
static bool
is_roca(const BIGNUM *n)
{
	static const unsigned char primes[] = {3,	5,	 7,	  11,  13,	17,	 19,  23,  29,	31,	 37,  41,  43,
										   47,	53,	 59,  61,  67,	71,	 73,  79,  83,	89,	 97,  101, 103,
										   107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};

	for (size_t i = 0; i < sizeof(primes); i++)
	{
		unsigned int p = primes[i];
		unsigned int left = (unsigned int) BN_mod_word(n, p);
		unsigned int power = 1;

		do
		{
			if (power == left)
				break;
			power = power * (65537 % p) % p;
		} while (power != 1);
		if (power != left)
			return false;
	}
	return true;
}

/* Builds a public key of the type from the parameters. */
static EVP_PKEY *
build_public(const char *type, OSSL_PARAM_BLD *build)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *pkey = NULL;

	if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) <= 0 ||
		EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) <= 0)
		pkey = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return pkey;
}

/* OpenSSL's own opinion: the point is on the curve, the modulus is no prime, and so on. */
static bool
passes_public_check(EVP_PKEY *pkey)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	bool ok = ctx != NULL && EVP_PKEY_public_check(ctx) == 1;

	EVP_PKEY_CTX_free(ctx);
	return ok;
}

static const char *
read_rsa(const Members *m, StewardJwkOrigin origin, StewardJwk *jwk)
{
	unsigned char n[1024 + 4];
	unsigned char e[8];
	size_t n_len;
	size_t e_len;
	unsigned long exponent = 0;
	BIGNUM *bn_n;
	BIGNUM *bn_e;
	OSSL_PARAM_BLD *build;
	const char *why = NULL;

	if (!decode(&m->n, n, 1024, &n_len) || n[0] == 0)
		return "n is not the base64url of an integer of at most 8192 bits without leading zeros";
	if (!decode(&m->e, e, 4, &e_len) || e[0] == 0)
		return "e is not the base64url of an integer of at most 32 bits without leading zeros";
	for (size_t i = 0; i < e_len; i++)
		exponent = exponent << 8 | e[i];
	if (exponent < 3 || exponent % 2 == 0)
		return "e must be odd, and 3 or more";
	if (n_len < 256 || (n_len == 256 && n[0] < 0x80))
		return "the modulus has less than 2048 bits";
	if (n[n_len - 1] % 2 == 0)
		return "the modulus is even";

	bn_n = BN_bin2bn(n, (int) n_len, NULL);
	bn_e = BN_bin2bn(e, (int) e_len, NULL);
	build = OSSL_PARAM_BLD_new();
	if (origin == STEWARD_JWK_FOREIGN && bn_n != NULL && is_roca(bn_n))
		why = "the modulus has the fingerprint of a weak generator (ROCA)";
	else if (bn_n == NULL || bn_e == NULL || build == NULL ||
			 !OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, bn_n) ||
			 !OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, bn_e) ||
			 (jwk->pkey = build_public("RSA", build)) == NULL)
		why = "OpenSSL does not take it";
	OSSL_PARAM_BLD_free(build);
	BN_free(bn_n);
	BN_free(bn_e);
	return why;
}

static const char *
read_ec(const Members *m, StewardJwk *jwk)
{
	unsigned char point[1 + 2 * 66 + 4];
	size_t width = 0;
	size_t x_len;
	size_t y_len;
	const char *group = NULL;
	OSSL_PARAM_BLD *build;

	for (size_t i = 0; i < CURVES; i++)
		if (m->crv.at != NULL && steward_json_is(&m->crv, curves[i].name))
		{
			width = curves[i].width;
			group = curves[i].group;
			jwk->curve_alg = curves[i].alg;
		}
	if (group == NULL)
		return "crv must be P-256, P-384 or P-521";
	point[0] = POINT_CONVERSION_UNCOMPRESSED;
	if (!decode(&m->x, point + 1, width, &x_len) || x_len != width)
		return "x is not the base64url of a coordinate in its full width";
	if (!decode(&m->y, point + 1 + width, width, &y_len) || y_len != width)
		return "y is not the base64url of a coordinate in its full width";
	build = OSSL_PARAM_BLD_new();
	if (build != NULL && OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, group, 0) &&
		OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * width))
		jwk->pkey = build_public("EC", build);
	OSSL_PARAM_BLD_free(build);
	return jwk->pkey != NULL ? NULL : "it is no point on its curve";
}

static const char *
read_okp(const Members *m, StewardJwk *jwk)
{
	unsigned char x[32 + 4];
	size_t len;

	if (m->crv.at == NULL || !steward_json_is(&m->crv, "Ed25519"))
		return "crv must be Ed25519";
	if (!decode(&m->x, x, 32, &len) || len != 32)
		return "x is not the base64url of 32 bytes";
	jwk->pkey = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, x, len);
	return jwk->pkey != NULL ? NULL : "OpenSSL does not take it";
}

/* Whether a secret is really a document that holds a key: the classic confusion of a public key with a secret. */
static bool
is_document(const unsigned char *secret, size_t len)
{
	static const char *const beginnings[] = {"-----BEGIN",	"---- BEGIN", "{",		   "[",	  "ssh-",
											 "ecdsa-sha2-", "sk-ssh-",	  "sk-ecdsa-", "MII", "AAAA"};

	while (len > 0 && (*secret == ' ' || *secret == '\t' || *secret == '\r' || *secret == '\n'))
	{
		secret++;
		len--;
	}
	for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++)
		if (len >= strlen(beginnings[i]) && memcmp(secret, beginnings[i], strlen(beginnings[i])) == 0)
			return true;
	/* Public keys as DER: a sequence with a long length. */
	return len > 64 && secret[0] == 0x30 && (secret[1] == 0x81 || secret[1] == 0x82);
}

static size_t
hash_width(StewardAlg alg)
{
	switch (alg)
	{
		case STEWARD_HS384:
			return 48;
		case STEWARD_HS512:
			return 64;
		default:
			return 32;
	}
}

/*
 * steward_jwk_secret
 *		A key for HMAC from its bytes; NULL, or what is wrong with it.
 */
const char *
steward_jwk_secret(const unsigned char *secret, size_t len, StewardAlg alg, StewardJwk *jwk)
{
	if (len > STEWARD_SECRET_MAX)
		return "the secret is too long";
	if (is_document(secret, len))
		return "the secret is a document that holds a key, not a secret";
	if (len < hash_width(alg))
		return "the secret is shorter than the hash";
	jwk->type = STEWARD_KEY_OCT;
	jwk->alg = alg;
	memcpy(jwk->secret, secret, len);
	jwk->secret_len = len;
	return NULL;
}

static const char *
read_oct(const Members *m, StewardAlg alg, StewardJwk *jwk)
{
	unsigned char secret[STEWARD_SECRET_MAX + 4];
	size_t len;
	const char *why;

	if (alg == STEWARD_ALG_NONE)
		return "a secret must name its alg";
	if (!decode(&m->k, secret, STEWARD_SECRET_MAX, &len))
		return "k is not the base64url of a secret";
	why = steward_jwk_secret(secret, len, alg, jwk);
	OPENSSL_cleanse(secret, sizeof(secret));
	return why;
}

/*
 * steward_jwk_fits
 *		Whether a key can be used with an algorithm: type, curve, and the algorithm it names itself.
 */
bool
steward_jwk_fits(const StewardJwk *jwk, StewardAlg alg)
{
	if (jwk->alg != STEWARD_ALG_NONE && jwk->alg != alg)
		return false;
	switch (jwk->type)
	{
		case STEWARD_KEY_RSA:
			return alg >= STEWARD_RS256 && alg <= STEWARD_PS512;
		case STEWARD_KEY_EC:
			return alg == jwk->curve_alg;
		case STEWARD_KEY_OKP:
			return alg == STEWARD_EDDSA;
		case STEWARD_KEY_OCT:
			return STEWARD_ALG_IS_HMAC(alg) && jwk->secret_len >= hash_width(alg);
	}
	return false;
}

/* Type, use and operations, and the members of the type. */
static const char *
read_members(const Members *m, StewardJwkOrigin origin, StewardJwk *jwk)
{
	StewardAlg named = STEWARD_ALG_NONE;
	const char *why;

	if (m->kty.at == NULL)
		return "it has no kty";
	if (m->alg.at != NULL)
	{
		named = m->alg.kind == STEWARD_JSON_STRING ? steward_alg_named(m->alg.at, m->alg.len) : STEWARD_ALG_NONE;
		if (named == STEWARD_ALG_NONE)
			return "its alg is not one that is supported";
	}
	if (m->use.at != NULL && !steward_json_is(&m->use, "sig"))
		return "its use is not sig";
	if (m->key_ops.at != NULL)
	{
		bool verify = false;

		if (m->key_ops.kind != STEWARD_JSON_ARRAY ||
			!steward_json_walk(m->key_ops.at, m->key_ops.len, STEWARD_JSON_ARRAY, visit_operation, &verify) || !verify)
			return "its key_ops do not say verify";
	}
	if (m->kid.at != NULL)
	{
		jwk->kid_len = m->kid.kind == STEWARD_JSON_STRING ? steward_json_unescape(&m->kid, jwk->kid, sizeof(jwk->kid))
														  : sizeof(jwk->kid);
		if (jwk->kid_len == 0 || jwk->kid_len >= sizeof(jwk->kid))
			return "its kid is not a string of 1 to 255 bytes";
		jwk->has_kid = true;
	}

	if (steward_json_is(&m->kty, "oct"))
		jwk->type = STEWARD_KEY_OCT;
	else if (m->is_private)
		return "it has private members";
	else if (steward_json_is(&m->kty, "RSA"))
		jwk->type = STEWARD_KEY_RSA;
	else if (steward_json_is(&m->kty, "EC"))
		jwk->type = STEWARD_KEY_EC;
	else if (steward_json_is(&m->kty, "OKP"))
		jwk->type = STEWARD_KEY_OKP;
	else
		return "its kty is not RSA, EC, OKP or oct";
	if (jwk->type != STEWARD_KEY_OCT && m->k.at != NULL)
		return "it has private members";

	switch (jwk->type)
	{
		case STEWARD_KEY_RSA:
			why = read_rsa(m, origin, jwk);
			break;
		case STEWARD_KEY_EC:
			why = read_ec(m, jwk);
			jwk->alg = jwk->curve_alg;
			break;
		case STEWARD_KEY_OKP:
			why = read_okp(m, jwk);
			jwk->alg = STEWARD_EDDSA;
			break;
		default:
			why = STEWARD_ALG_IS_HMAC(named) ? read_oct(m, named, jwk) : "a secret must name an HMAC as its alg";
			break;
	}
	if (why != NULL)
		return why;
	if (named != STEWARD_ALG_NONE)
	{
		if (!steward_jwk_fits(jwk, named))
			return "its alg does not go with its type and curve";
		jwk->alg = named;
	}
	if (origin == STEWARD_JWK_FOREIGN && jwk->pkey != NULL && !passes_public_check(jwk->pkey))
		return "OpenSSL's check of the public key fails";
	return NULL;
}

/*
 * steward_jwk_read
 *		Parses a JWK; NULL, or what is wrong with it in constant words.  On failure nothing is left to free.
 */
const char *
steward_jwk_read(const char *json, size_t len, StewardJwkOrigin origin, StewardJwk *jwk)
{
	Members m;
	const char *why;

	memset(&m, 0, sizeof(m));
	memset(jwk, 0, sizeof(*jwk));
	if (len > STEWARD_JWK_MAX)
		return "it is too long";
	if (!steward_json_walk(json, len, STEWARD_JSON_OBJECT, visit_member, &m))
		return "it is not a JSON object with members that differ";
	why = read_members(&m, origin, jwk);
	if (why != NULL)
		steward_jwk_free(jwk);
	/* The server's own use of OpenSSL must not find our errors. */
	ERR_clear_error();
	return why;
}

void
steward_jwk_free(StewardJwk *jwk)
{
	EVP_PKEY_CTX_free(jwk->verifier);
	EVP_PKEY_free(jwk->pkey);
	OPENSSL_cleanse(jwk->secret, sizeof(jwk->secret));
	jwk->verifier = NULL;
	jwk->pkey = NULL;
	jwk->secret_len = 0;
}

/*
 * steward_jwk_generate
 *		A new private key for an algorithm; NULL when OpenSSL makes none.
 */
EVP_PKEY *
steward_jwk_generate(StewardAlg alg)
{
	EVP_PKEY *pkey = NULL;

	switch (alg)
	{
		case STEWARD_ES256:
			pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
			break;
		case STEWARD_RS256:
			pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t) 2048);
			break;
		case STEWARD_EDDSA:
			pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
			break;
		default:
			break;
	}
	ERR_clear_error();
	return pkey;
}

/* Base64url of a number in at least width bytes. */
static bool
print_number(EVP_PKEY *pkey, const char *param, size_t width, char *out)
{
	unsigned char bytes[1024];
	BIGNUM *bn = NULL;
	size_t len;
	bool ok = EVP_PKEY_get_bn_param(pkey, param, &bn) == 1;

	if (ok)
	{
		len = width > 0 ? width : (size_t) BN_num_bytes(bn);
		ok = len <= sizeof(bytes) && BN_bn2binpad(bn, bytes, (int) len) == (int) len;
		if (ok)
			out[steward_base64_encode(bytes, len, out)] = '\0';
	}
	BN_free(bn);
	return ok;
}

/* The members that make a public key what it is, in the order of RFC 7638; false when it is of no known type. */
static bool
print_required(EVP_PKEY *pkey, StewardAlg alg, char *out, size_t size)
{
	char a[1400];
	char b[1400];
	int n;

	if (alg == STEWARD_EDDSA)
	{
		unsigned char x[32];
		size_t len = sizeof(x);

		if (EVP_PKEY_get_raw_public_key(pkey, x, &len) != 1 || len != 32)
			return false;
		a[steward_base64_encode(x, len, a)] = '\0';
		n = snprintf(out, size, "\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"%s\"", a);
	}
	else if (alg >= STEWARD_ES256 && alg <= STEWARD_ES512)
	{
		size_t i = (size_t) (alg - STEWARD_ES256);

		if (!print_number(pkey, OSSL_PKEY_PARAM_EC_PUB_X, curves[i].width, a) ||
			!print_number(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, curves[i].width, b))
			return false;
		n = snprintf(out, size, "\"crv\":\"%s\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"", curves[i].name, a, b);
	}
	else
	{
		if (!print_number(pkey, OSSL_PKEY_PARAM_RSA_E, 0, a) || !print_number(pkey, OSSL_PKEY_PARAM_RSA_N, 0, b))
			return false;
		n = snprintf(out, size, "\"e\":\"%s\",\"kty\":\"RSA\",\"n\":\"%s\"", a, b);
	}
	return n > 0 && (size_t) n < size;
}

/*
 * steward_jwk_print
 *		The public half as a JWK without kid.  Returns its length, 0 on failure.
 */
size_t
steward_jwk_print(EVP_PKEY *pkey, StewardAlg alg, char *out, size_t size)
{
	char required[3000];
	int n;

	if (!print_required(pkey, alg, required, sizeof(required)))
		return 0;
	n = snprintf(out, size, "{%s,\"alg\":\"%s\",\"use\":\"sig\"}", required, steward_alg_names[alg]);
	return n > 0 && (size_t) n < size ? (size_t) n : 0;
}

/*
 * steward_jwk_thumbprint
 *		The thumbprint of RFC 7638, terminated, in STEWARD_THUMBPRINT_LEN + 1 bytes.
 */
bool
steward_jwk_thumbprint(EVP_PKEY *pkey, StewardAlg alg, char *out)
{
	char required[3000];
	char json[3002];
	unsigned char digest[32];
	unsigned int len;
	int n;

	if (!print_required(pkey, alg, required, sizeof(required)))
		return false;
	n = snprintf(json, sizeof(json), "{%s}", required);
	if (EVP_Digest(json, (size_t) n, digest, &len, EVP_sha256(), NULL) != 1)
		return false;
	out[steward_base64_encode(digest, sizeof(digest), out)] = '\0';
	return true;
}
