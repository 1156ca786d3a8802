/*
 * digest.c
 *		The type digest: 32 bytes that stand for a secret.
 *
 * Text form: 64 hexadecimal digits, printed in lower case.  Comparison takes the same time whatever the bytes are, so
 * that it tells nothing about where two digests differ.  Malformed input is never repeated in an error: it may be the
 * secret itself, given by mistake.
 */
#include "postgres.h"

#include <openssl/crypto.h>

#include "common/hashfn.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"

#include "credential/digest.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_digest_in);
PG_FUNCTION_INFO_V1(steward_digest_out);
PG_FUNCTION_INFO_V1(steward_digest_recv);
PG_FUNCTION_INFO_V1(steward_digest_send);
PG_FUNCTION_INFO_V1(steward_digest_eq);
PG_FUNCTION_INFO_V1(steward_digest_ne);
PG_FUNCTION_INFO_V1(steward_digest_lt);
PG_FUNCTION_INFO_V1(steward_digest_le);
PG_FUNCTION_INFO_V1(steward_digest_gt);
PG_FUNCTION_INFO_V1(steward_digest_ge);
PG_FUNCTION_INFO_V1(steward_digest_cmp);
PG_FUNCTION_INFO_V1(steward_digest_hash);
PG_FUNCTION_INFO_V1(steward_digest_hash_extended);

#define PG_GETARG_DIGEST(n) DatumGetStewardDigest(PG_GETARG_DATUM(n))

/* Value of a hexadecimal digit, -1 for anything else. */
static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* 64 hexadecimal digits → digest; a soft error where the server has them. */
Datum
steward_digest_in(PG_FUNCTION_ARGS)
{
	char *text = PG_GETARG_CSTRING(0);
	size_t len = strlen(text);
	StewardDigest *digest = palloc(sizeof(StewardDigest));

	if (len != 2 * STEWARD_DIGEST_LEN)
		steward_ereturn(STEWARD_ESCONTEXT(fcinfo), (Datum) 0,
						(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION), errmsg("invalid digest"),
						 errdetail("A digest is 64 hexadecimal digits; the input has %zu bytes.", len),
						 errhidestmt(true)));
	for (int i = 0; i < STEWARD_DIGEST_LEN; i++)
	{
		int high = hex_value(text[2 * i]);
		int low = hex_value(text[2 * i + 1]);

		if (high < 0 || low < 0)
			steward_ereturn(STEWARD_ESCONTEXT(fcinfo), (Datum) 0,
							(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION), errmsg("invalid digest"),
							 errdetail("Digit %d or %d is not hexadecimal.", 2 * i + 1, 2 * i + 2), errhidestmt(true)));
		digest->data[i] = (high << 4) | low;
	}
	PG_RETURN_POINTER(digest);
}

/* digest → 64 hexadecimal digits in lower case. */
Datum
steward_digest_out(PG_FUNCTION_ARGS)
{
	StewardDigest *digest = PG_GETARG_DIGEST(0);
	char *text = palloc(2 * STEWARD_DIGEST_LEN + 1);

	hex_encode((const char *) digest->data, STEWARD_DIGEST_LEN, text);
	text[2 * STEWARD_DIGEST_LEN] = '\0';
	PG_RETURN_CSTRING(text);
}

/* Binary form: the 32 bytes. */
Datum
steward_digest_recv(PG_FUNCTION_ARGS)
{
	StringInfo buf = (StringInfo) PG_GETARG_POINTER(0);
	StewardDigest *digest = palloc(sizeof(StewardDigest));

	if (buf->len - buf->cursor != STEWARD_DIGEST_LEN)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION), errmsg("invalid digest"),
						errdetail("A digest has 32 bytes; the input has %d.", buf->len - buf->cursor)));
	pq_copymsgbytes(buf, (char *) digest->data, STEWARD_DIGEST_LEN);
	PG_RETURN_POINTER(digest);
}

Datum
steward_digest_send(PG_FUNCTION_ARGS)
{
	StewardDigest *digest = PG_GETARG_DIGEST(0);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbytes(&buf, (const char *) digest->data, STEWARD_DIGEST_LEN);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/*
 * Three-way comparison that looks at every byte whatever it finds: the first difference from the left decides, and it
 * is taken by masking instead of branching.
 */
static int
compare(const StewardDigest *a, const StewardDigest *b)
{
	int result = 0;

	for (int i = STEWARD_DIGEST_LEN - 1; i >= 0; i--)
	{
		int diff = (int) a->data[i] - (int) b->data[i];
		/* All ones when the bytes differ. */
		int differ = -(int) (((unsigned int) diff | (0U - (unsigned int) diff)) >> 31);

		result = (diff & differ) | (result & ~differ);
	}
	return result;
}

Datum
steward_digest_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(CRYPTO_memcmp(PG_GETARG_DIGEST(0), PG_GETARG_DIGEST(1), STEWARD_DIGEST_LEN) == 0);
}

Datum
steward_digest_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(CRYPTO_memcmp(PG_GETARG_DIGEST(0), PG_GETARG_DIGEST(1), STEWARD_DIGEST_LEN) != 0);
}

Datum
steward_digest_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(PG_GETARG_DIGEST(0), PG_GETARG_DIGEST(1)) < 0);
}

Datum
steward_digest_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(PG_GETARG_DIGEST(0), PG_GETARG_DIGEST(1)) <= 0);
}

Datum
steward_digest_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(PG_GETARG_DIGEST(0), PG_GETARG_DIGEST(1)) > 0);
}

Datum
steward_digest_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(PG_GETARG_DIGEST(0), PG_GETARG_DIGEST(1)) >= 0);
}

/* btree support function 1 */
Datum
steward_digest_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(compare(PG_GETARG_DIGEST(0), PG_GETARG_DIGEST(1)));
}

/* hash support function 1 */
Datum
steward_digest_hash(PG_FUNCTION_ARGS)
{
	return hash_any(PG_GETARG_DIGEST(0)->data, STEWARD_DIGEST_LEN);
}

/* hash support function 2 */
Datum
steward_digest_hash_extended(PG_FUNCTION_ARGS)
{
	return hash_any_extended(PG_GETARG_DIGEST(0)->data, STEWARD_DIGEST_LEN, PG_GETARG_INT64(1));
}
