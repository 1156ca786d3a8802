/*
 * compact.c
 *		The compact form of a JWS and its header: pure functions, without the server.
 *
 * A token is header.payload.signature in base64url (RFC 7515).  Decoding is strict: no padding, no white space, no other
 * characters, no bits that do not count, so that a text has one reading.  Of the header only alg, kid and typ are used;
 * whatever would change how the token is read, or bring its own key, is refused.
 */
#include "token/compact.h"

#include <string.h>

#include "token/json.h"

const char *const steward_alg_names[STEWARD_ALGS] = {
	[STEWARD_ALG_NONE] = "",   [STEWARD_RS256] = "RS256", [STEWARD_RS384] = "RS384", [STEWARD_RS512] = "RS512",
	[STEWARD_PS256] = "PS256", [STEWARD_PS384] = "PS384", [STEWARD_PS512] = "PS512", [STEWARD_ES256] = "ES256",
	[STEWARD_ES384] = "ES384", [STEWARD_ES512] = "ES512", [STEWARD_EDDSA] = "EdDSA", [STEWARD_HS256] = "HS256",
	[STEWARD_HS384] = "HS384", [STEWARD_HS512] = "HS512",
};

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Value of each character plus one; 0 where it is none of the alphabet's. */
static const unsigned char values[256] = {
	['A'] = 1,	['B'] = 2,	['C'] = 3,	['D'] = 4,	['E'] = 5,	['F'] = 6,	['G'] = 7,	['H'] = 8,
	['I'] = 9,	['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
	['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
	['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
	['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
	['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
	['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
	['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['-'] = 63, ['_'] = 64,
};

/*
 * steward_base64_decode
 *		Decodes base64url without padding into out, which has STEWARD_BASE64_DECODED(len) bytes; false when it is not
 *		the one encoding of what it decodes to.
 */
bool
steward_base64_decode(const char *text, size_t len, unsigned char *out, size_t *out_len)
{
	const unsigned char *in = (const unsigned char *) text;
	unsigned char *start = out;
	size_t i = 0;
	unsigned char a;
	unsigned char b;
	unsigned char c;
	unsigned char d;

	if (len % 4 == 1)
		return false;
	for (; i + 4 <= len; i += 4)
	{
		a = values[in[i]];
		b = values[in[i + 1]];
		c = values[in[i + 2]];
		d = values[in[i + 3]];
		if (a == 0 || b == 0 || c == 0 || d == 0)
			return false;
		a--;
		b--;
		c--;
		d--;
		*out++ = (unsigned char) (a << 2 | b >> 4);
		*out++ = (unsigned char) (b << 4 | c >> 2);
		*out++ = (unsigned char) (c << 6 | d);
	}
	if (len - i >= 2)
	{
		a = values[in[i]];
		b = values[in[i + 1]];
		if (a == 0 || b == 0)
			return false;
		a--;
		b--;
		*out++ = (unsigned char) (a << 2 | b >> 4);
		if (len - i == 2)
		{
			if (b & 0x0F)
				return false;
		}
		else
		{
			c = values[in[i + 2]];
			if (c == 0)
				return false;
			c--;
			if (c & 0x03)
				return false;
			*out++ = (unsigned char) (b << 4 | c >> 2);
		}
	}
	*out_len = (size_t) (out - start);
	return true;
}

/*
 * steward_base64_encode
 *		Encodes into out, which has STEWARD_BASE64_ENCODED(len) bytes; returns how many it wrote.  Not terminated.
 */
size_t
steward_base64_encode(const unsigned char *bytes, size_t len, char *out)
{
	char *start = out;

	for (size_t i = 0; i < len; i += 3)
	{
		unsigned int word = (unsigned int) bytes[i] << 16;

		if (i + 1 < len)
			word |= (unsigned int) bytes[i + 1] << 8;
		if (i + 2 < len)
			word |= bytes[i + 2];
		*out++ = alphabet[word >> 18];
		*out++ = alphabet[(word >> 12) & 63];
		if (i + 1 < len)
			*out++ = alphabet[(word >> 6) & 63];
		if (i + 2 < len)
			*out++ = alphabet[word & 63];
	}
	return (size_t) (out - start);
}

/*
 * steward_alg_named
 *		The algorithm of that name, in exactly that case; STEWARD_ALG_NONE when there is none.
 */
StewardAlg
steward_alg_named(const char *name, size_t len)
{
	for (int alg = STEWARD_RS256; alg < STEWARD_ALGS; alg++)
		if (strlen(steward_alg_names[alg]) == len && memcmp(steward_alg_names[alg], name, len) == 0)
			return (StewardAlg) alg;
	return STEWARD_ALG_NONE;
}

static bool
fail(StewardFault *fault, StewardProblem problem, const char *why)
{
	/* The first finding stays: a walk that a visitor stopped fails once more. */
	if (fault->problem == STEWARD_TOKEN_GOOD)
	{
		fault->problem = problem;
		fault->why = why;
	}
	return false;
}

/*
 * steward_compact_split
 *		The three parts of a token, none of them decoded; false with the fault when there are not three.
 */
bool
steward_compact_split(const char *token, size_t len, StewardCompact *parts, StewardFault *fault)
{
	const char *end = token + len;
	const char *first = memchr(token, '.', len);
	const char *second = first ? memchr(first + 1, '.', (size_t) (end - first - 1)) : NULL;

	if (second == NULL)
		return fail(fault, STEWARD_TOKEN_MALFORMED, "it does not have three parts");
	if (memchr(second + 1, '.', (size_t) (end - second - 1)) != NULL)
		return fail(fault, STEWARD_TOKEN_MALFORMED, "it has more than three parts");
	parts->header = (StewardSpan){token, (size_t) (first - token)};
	parts->payload = (StewardSpan){first + 1, (size_t) (second - first - 1)};
	parts->signature = (StewardSpan){second + 1, (size_t) (end - second - 1)};
	parts->signed_part = (StewardSpan){token, (size_t) (second - token)};
	if (parts->header.len == 0)
		return fail(fault, STEWARD_TOKEN_MALFORMED, "its header is empty");
	if (STEWARD_BASE64_DECODED(parts->header.len) > STEWARD_HEADER_MAX)
		return fail(fault, STEWARD_TOKEN_MALFORMED, "its header is too long");
	if (STEWARD_BASE64_DECODED(parts->signature.len) > STEWARD_SIGNATURE_MAX + 2)
		return fail(fault, STEWARD_TOKEN_MALFORMED, "its signature is too long");
	return true;
}

/* What the walk over a header fills in. */
typedef struct HeaderWalk
{
	StewardHeader *header;
	StewardFault *fault;
	bool has_alg;
} HeaderWalk;

/* The media type in lower case, without "application/", which may be left out (RFC 7515, 4.1.9). */
static bool
read_typ(const StewardJsonValue *value, StewardHeader *header)
{
	static const char prefix[] = "application/";
	char text[STEWARD_TYP_MAX + 1];
	size_t len;

	len = value->kind == STEWARD_JSON_STRING ? steward_json_unescape(value, text, sizeof(text)) : sizeof(text);
	if (len >= sizeof(text) || len == 0)
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] >= 'A' && text[i] <= 'Z')
			text[i] = (char) (text[i] - 'A' + 'a');
	if (len > sizeof(prefix) - 1 && memcmp(text, prefix, sizeof(prefix) - 1) == 0)
		memmove(text, text + sizeof(prefix) - 1, len + 1 - (sizeof(prefix) - 1));
	strcpy(header->typ, text);
	header->has_typ = true;
	return true;
}

static bool
visit_header(const StewardJsonValue *name, const StewardJsonValue *value, void *arg)
{
	static const char *const refused[] = {"crit", "b64", "jku", "x5u", "jwk", "x5c", "enc", "zip"};
	HeaderWalk *walk = arg;
	StewardHeader *header = walk->header;

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (steward_json_is(name, refused[i]))
			return fail(walk->fault, STEWARD_TOKEN_UNSUPPORTED,
						"its header has a member that is never followed: crit, b64, jku, x5u, jwk, x5c, enc or zip");
	if (steward_json_is(name, "alg"))
	{
		char alg[16];
		size_t len = value->kind == STEWARD_JSON_STRING ? steward_json_unescape(value, alg, sizeof(alg)) : sizeof(alg);

		header->alg = len < sizeof(alg) ? steward_alg_named(alg, len) : STEWARD_ALG_NONE;
		if (header->alg == STEWARD_ALG_NONE)
			return fail(walk->fault, STEWARD_TOKEN_UNSUPPORTED, "its algorithm is not one that is supported");
		walk->has_alg = true;
	}
	else if (steward_json_is(name, "kid"))
	{
		size_t len = value->kind == STEWARD_JSON_STRING ? steward_json_unescape(value, header->kid, sizeof(header->kid))
														: sizeof(header->kid);

		if (len == 0 || len >= sizeof(header->kid))
			return fail(walk->fault, STEWARD_TOKEN_MALFORMED, "its kid is not a string of 1 to 255 bytes");
		header->has_kid = true;
		header->kid_len = len;
	}
	else if (steward_json_is(name, "typ"))
	{
		if (!read_typ(value, header))
			return fail(walk->fault, STEWARD_TOKEN_MALFORMED, "its typ is not a string of 1 to 63 bytes");
	}
	else if (steward_json_is(name, "cty"))
	{
		if (steward_json_is(value, "JWT") || steward_json_is(value, "jwt"))
			return fail(walk->fault, STEWARD_TOKEN_UNSUPPORTED, "it is a token within a token");
	}
	return true;
}

/*
 * steward_header_read
 *		Decodes and reads the header; false with the fault when it does not follow the rules.
 */
bool
steward_header_read(const StewardCompact *parts, StewardHeader *header, StewardFault *fault)
{
	unsigned char json[STEWARD_HEADER_MAX];
	size_t len;
	HeaderWalk walk = {.header = header, .fault = fault};

	header->alg = STEWARD_ALG_NONE;
	header->has_kid = header->has_typ = false;
	header->kid_len = 0;
	header->typ[0] = '\0';
	if (!steward_base64_decode(parts->header.at, parts->header.len, json, &len))
		return fail(fault, STEWARD_TOKEN_MALFORMED, "its header is not base64url");
	if (!steward_json_walk((char *) json, len, STEWARD_JSON_OBJECT, visit_header, &walk))
		return fail(fault, STEWARD_TOKEN_MALFORMED,
					"its header is not a JSON object with members that differ, within the limits");
	if (!walk.has_alg)
		return fail(fault, STEWARD_TOKEN_MALFORMED, "its header has no alg");
	return true;
}

/* Looking for iss. */
typedef struct IssuerWalk
{
	char *issuer;
	size_t size;
	size_t *len;
	bool found;
} IssuerWalk;

static bool
visit_issuer(const StewardJsonValue *name, const StewardJsonValue *value, void *arg)
{
	IssuerWalk *walk = arg;

	if (!steward_json_is(name, "iss"))
		return true;
	if (value->kind != STEWARD_JSON_STRING)
		return false;
	*walk->len = steward_json_unescape(value, walk->issuer, walk->size);
	walk->found = *walk->len > 0 && *walk->len < walk->size;
	return walk->found;
}

/*
 * steward_issuer_scan
 *		The one top-level iss of a raw payload, which nobody has vouched for yet; false when there is none, more than one,
 *		or the payload is not an object within the limits.
 *
 * It says only which issuer's keys to try, and is compared again once the signature is known to be good.
 */
bool
steward_issuer_scan(const char *payload, size_t len, char *issuer, size_t size, size_t *issuer_len)
{
	IssuerWalk walk = {issuer, size, issuer_len, false};

	return steward_json_walk(payload, len, STEWARD_JSON_OBJECT, visit_issuer, &walk) && walk.found;
}
