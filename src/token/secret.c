/*
 * secret.c
 *		HMAC keys of issuers, sealed in token_key like private keys.
 */
#include "postgres.h"

#include <openssl/crypto.h>

#include "utils/builtins.h"

#include "core/sealing.h"
#include "steward.h"
#include "token/token.h"

/*
 * steward_stored_secret
 *		The HMAC key of a row of token_key; NULL, or why it cannot be used.
 */
const char *
steward_stored_secret(const StewardRow *row, StewardAlg alg, StewardJwk *jwk)
{
	unsigned char secret[STEWARD_SECRET_MAX];
	StewardSealedFor what = {.algorithm = steward_alg_names[alg]};
	const char *why;
	size_t len;
	bool isnull;
	Datum sealed = steward_row_get(row, "sealed", &isnull);

	if (isnull)
		return "it is not there";
	/* A check says no where the key file is missing, and does not raise. */
	if (!steward_sealing_available())
		return "the key file is missing";
	what.org = DatumGetUUIDP(steward_row_get(row, "org_id", &isnull));
	what.key = DatumGetCString(DirectFunctionCall1(uuid_out, steward_row_get(row, "id", &isnull)));
	len = steward_unseal(&what, DatumGetByteaPP(sealed), secret, sizeof(secret));
	memset(jwk, 0, sizeof(*jwk));
	why = steward_jwk_secret(secret, len, alg, jwk);
	OPENSSL_cleanse(secret, sizeof(secret));
	return why;
}
