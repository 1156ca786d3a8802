/*
 * verify.c
 *		From the text of a JWT to claims that its issuer vouches for.
 *
 * The order is that of cost and trust: length, form, header, the issuer it claims to be of, that issuer's key, the
 * signature, and only then the payload.  verify_token() is for operators and says precisely what is wrong; authorize()
 * takes the same steps and says less.
 */
#include "postgres.h"

#include <openssl/evp.h>

#include "access/detoast.h"
#include "catalog/pg_type.h"
#include "datatype/timestamp.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/snapmgr.h"

#include "core/authority.h"
#include "core/reference.h"
#include "core/secret.h"
#include "steward.h"
#include "token/token.h"

PG_FUNCTION_INFO_V1(steward_verify_jws);
PG_FUNCTION_INFO_V1(steward_verify_token);

/* SQLSTATE and message of each problem. */
static const struct
{
	int sqlstate;
	const char *message;
} problems[STEWARD_TOKEN_PROBLEMS] = {
	[STEWARD_TOKEN_MALFORMED] = {ERRCODE_STEWARD_TOKEN_MALFORMED, "the token is malformed"},
	[STEWARD_TOKEN_UNSUPPORTED] = {ERRCODE_STEWARD_TOKEN_UNSUPPORTED, "the token is of a kind that is not supported"},
	[STEWARD_TOKEN_UNKNOWN_ISSUER] = {ERRCODE_STEWARD_TOKEN_ISSUER_UNKNOWN, "the token's issuer is unknown"},
	[STEWARD_TOKEN_UNKNOWN_KEY] = {ERRCODE_STEWARD_TOKEN_KEY_UNKNOWN, "the token's key is unknown"},
	[STEWARD_TOKEN_BAD_SIGNATURE] = {ERRCODE_STEWARD_TOKEN_SIGNATURE_BAD, "the token's signature is wrong"},
	[STEWARD_TOKEN_EXPIRED] = {ERRCODE_STEWARD_TOKEN_EXPIRED, "the token has expired"},
	[STEWARD_TOKEN_NOT_YET_VALID] = {ERRCODE_STEWARD_TOKEN_NOT_YET_VALID, "the token is not valid yet"},
	[STEWARD_TOKEN_TOO_OLD] = {ERRCODE_STEWARD_TOKEN_TOO_OLD, "the token is too old"},
	[STEWARD_TOKEN_WRONG_AUDIENCE] = {ERRCODE_STEWARD_TOKEN_WRONG_AUDIENCE, "the token is for another audience"},
	[STEWARD_TOKEN_WRONG_TYPE] = {ERRCODE_STEWARD_TOKEN_WRONG_TYPE, "the token is not an access token"},
	[STEWARD_TOKEN_PROOF_REQUIRED] = {ERRCODE_STEWARD_TOKEN_PROOF_REQUIRED,
									  "the token takes a proof that its bearer holds a key"},
	[STEWARD_TOKEN_REVOKED] = {ERRCODE_STEWARD_TOKEN_REVOKED, "the token is revoked"},
};

/*
 * steward_raise_fault
 *		Raises what is wrong with a token; nothing of the token is repeated.
 */
void
steward_raise_fault(const StewardFault *fault)
{
	ereport(ERROR, (errcode(problems[fault->problem].sqlstate), errmsg("%s", problems[fault->problem].message),
					errdetail("The reason: %s.", fault->why), errhidestmt(true), errhidecontext(true)));
	pg_unreachable();
}

static bool
fail(StewardFault *fault, StewardProblem problem, const char *why)
{
	fault->problem = problem;
	fault->why = why;
	return false;
}

/*
 * steward_token_too_long
 *		Whether a token is beyond steward.max_token_bytes; found out before it is fetched or copied.
 */
bool
steward_token_too_long(Datum token)
{
	return toast_raw_datum_size(token) - VARHDRSZ > (Size) steward_max_token_bytes;
}

/* Microseconds since 1970 as a timestamp. */
TimestampTz
steward_from_unix(int64 micros)
{
	return micros - (int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
}

static int64
to_unix(TimestampTz time)
{
	return time + (int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
}

/* Decodes the payload; false with the fault when it is not base64url. */
static bool
decode_payload(StewardToken *token, StewardFault *fault)
{
	token->payload = palloc(STEWARD_BASE64_DECODED(token->parts.payload.len) + 1);
	if (!steward_base64_decode(token->parts.payload.at, token->parts.payload.len, (unsigned char *) token->payload,
							   &token->payload_len))
		return fail(fault, STEWARD_TOKEN_MALFORMED, "its payload is not base64url");
	token->payload[token->payload_len] = '\0';
	return true;
}

/*
 * steward_token_verify
 *		Proves a token of the organization: form, header, issuer, key, signature, and the shape of its claims.
 *
 * Whether it is in force and for whom is steward_token_check.  False with the fault otherwise.
 */
bool
steward_token_verify(Datum datum, const pg_uuid_t *org, Snapshot snapshot, TimestampTz now, StewardToken *token,
					 StewardFault *fault)
{
	char issuer[STEWARD_ISSUER_MAX + 1];
	size_t issuer_len;
	char again[STEWARD_ISSUER_MAX + 1];
	size_t again_len;
	text *t;

	memset(fault, 0, sizeof(*fault));
	if (steward_token_too_long(datum))
		return fail(fault, STEWARD_TOKEN_MALFORMED, "it is longer than steward.max_token_bytes");
	t = DatumGetTextPP(datum);
	token->text = VARDATA_ANY(t);
	token->len = VARSIZE_ANY_EXHDR(t);
	if (!steward_compact_split(token->text, token->len, &token->parts, fault) ||
		!steward_header_read(&token->parts, &token->header, fault) || !decode_payload(token, fault))
		return false;
	if (!steward_issuer_scan(token->payload, token->payload_len, issuer, sizeof(issuer), &issuer_len))
		return fail(fault, STEWARD_TOKEN_MALFORMED, "its payload is not an object with one iss of at most 512 bytes");
	token->issuer = steward_find_issuer(org, issuer, issuer_len, snapshot);
	if (token->issuer == NULL)
		return fail(fault, STEWARD_TOKEN_UNKNOWN_ISSUER, "the organization accepts no tokens with this iss");
	if (!steward_check_signature(token, snapshot, now, fault))
		return false;
	if (!steward_claims_read(token->payload, token->payload_len, &token->claims, fault))
		return false;
	if (!steward_claim_text(&token->claims.iss, again, sizeof(again), &again_len) || again_len != issuer_len ||
		memcmp(again, issuer, issuer_len) != 0)
		return fail(fault, STEWARD_TOKEN_MALFORMED, "its iss has two readings");
	return true;
}

/* Whether typ is one that the issuer's policy lists, and the claims are those of an access token. */
static bool
type_fits(const StewardToken *token)
{
	const char *typ = token->header.has_typ ? token->header.typ : "none";
	ListCell *lc;

	foreach (lc, token->issuer->types)
		if (strcmp(lfirst(lc), typ) == 0)
			break;
	if (lc == NULL || steward_claims_not_access(&token->claims))
		return false;
	/* Without a typ of its own, what tells an access token from an ID token is that it grants something. */
	return strcmp(typ, "at+jwt") == 0 || token->issuer->scopes_of_credential || token->claims.scope.at != NULL ||
		   token->claims.scp.at != NULL || token->claims.roles.at != NULL;
}

/* Whether the token names the audience that asks, and one that the issuer's policy lists. */
static bool
audience_fits(const StewardToken *token, const text *audience)
{
	ListCell *lc;

	if (audience != NULL &&
		!steward_claims_name_audience(&token->claims, VARDATA_ANY(audience), VARSIZE_ANY_EXHDR(audience)))
		return false;
	if (token->issuer->audiences == NIL)
		return audience != NULL || token->claims.aud.at == NULL;
	foreach (lc, token->issuer->audiences)
		if (steward_claims_name_audience(&token->claims, lfirst(lc), strlen(lfirst(lc))))
			return true;
	return false;
}

/*
 * steward_token_jti
 *		What a single token is revoked by: its jti, else a digest of what was signed, for a signature can be spelled in
 *		more than one way and what it signs cannot.  NULL when a jti is beyond 512 bytes.
 */
char *
steward_token_jti(const StewardToken *token, size_t *len)
{
	char *jti = palloc(513);
	unsigned char digest[32];
	unsigned int digest_len;

	if (token->claims.jti.at != NULL)
		return steward_claim_text(&token->claims.jti, jti, 513, len) ? jti : NULL;
	if (EVP_Digest(token->parts.signed_part.at, token->parts.signed_part.len, digest, &digest_len, EVP_sha256(),
				   NULL) != 1)
		return NULL;
	memcpy(jti, "sha-256:", 8);
	*len = 8 + steward_base64_encode(digest, sizeof(digest), jti + 8);
	jti[*len] = '\0';
	return jti;
}

/* Whether the token was revoked by itself. */
static bool
is_revoked(const StewardToken *token, Snapshot snapshot)
{
	size_t len;
	char *jti = steward_token_jti(token, &len);
	Datum keys[3] = {UUIDPGetDatum(&token->issuer->org), UUIDPGetDatum(&token->issuer->id)};
	StewardRow row;

	if (jti == NULL)
		return true;
	keys[2] = PointerGetDatum(cstring_to_text_with_len(jti, len));
	return steward_fetch(STEWARD_REVOKED_TOKEN, snapshot, 3, keys, &row);
}

/*
 * steward_token_check
 *		Whether a proven token is in force now, an access token, for this audience and bearer, and not revoked by itself;
 *		false with the fault otherwise.
 */
bool
steward_token_check(const StewardToken *token, const text *audience, const text *thumbprint, Snapshot snapshot,
					TimestampTz now, StewardFault *fault)
{
	const StewardClaims *claims = &token->claims;
	char tenant[256];
	size_t len;

	if (!type_fits(token))
		return fail(fault, STEWARD_TOKEN_WRONG_TYPE, "its typ or its claims are not those of an access token here");
	if (token->issuer->tenant != NULL &&
		(!steward_claim_text(&claims->tid, tenant, sizeof(tenant), &len) || strcmp(tenant, token->issuer->tenant) != 0))
		return fail(fault, STEWARD_TOKEN_UNKNOWN_ISSUER, "its tid is not the tenant's");
	if (!steward_claims_times(claims, to_unix(now), token->issuer->leeway, token->issuer->max_age, fault))
		return false;
	if (steward_from_unix(claims->iat_at) <= token->key_epoch)
		return fail(fault, STEWARD_TOKEN_REVOKED, "it was issued before the epoch of its key");
	if (is_revoked(token, snapshot))
		return fail(fault, STEWARD_TOKEN_REVOKED, "it was revoked by itself");
	if (!audience_fits(token, audience))
		return fail(fault, STEWARD_TOKEN_WRONG_AUDIENCE, "its aud does not name who asks, or nobody said who asks");
	if (claims->cnf.at != NULL && (thumbprint == NULL || !steward_claims_thumbprint(claims, VARDATA_ANY(thumbprint),
																					VARSIZE_ANY_EXHDR(thumbprint))))
		return fail(fault, STEWARD_TOKEN_PROOF_REQUIRED, "it is bound to a key whose thumbprint was not given");
	return true;
}

/* jsonb as the text that the pure functions read. */
static char *
jsonb_text(Datum datum, size_t *len)
{
	Jsonb *jsonb = DatumGetJsonbP(datum);
	char *json = JsonbToCString(NULL, &jsonb->root, VARSIZE(jsonb));

	*len = strlen(json);
	return json;
}

/*
 * verify_jws(jws text, jwk jsonb) → bytea
 *		The payload of a JWS in compact form, if the key has signed it; RFC 7515.
 *
 * No policy and no clock.  The algorithm is the one that the key names, or that its type and curve imply.  Raises ST5xx.
 */
Datum
steward_verify_jws(PG_FUNCTION_ARGS)
{
	StewardToken token;
	StewardFault fault = {STEWARD_TOKEN_GOOD, NULL};
	unsigned char signature[STEWARD_SIGNATURE_MAX + 4];
	size_t signature_len;
	StewardJwk jwk;
	const char *why;
	size_t json_len;
	char *json;
	bytea *payload;
	bool good;

	STEWARD_HIDE_STATEMENT();
	if (steward_token_too_long(PG_GETARG_DATUM(0)))
		fail(&fault, STEWARD_TOKEN_MALFORMED, "it is longer than steward.max_token_bytes");
	else
	{
		text *t = PG_GETARG_TEXT_PP(0);

		token.text = VARDATA_ANY(t);
		token.len = VARSIZE_ANY_EXHDR(t);
		if (steward_compact_split(token.text, token.len, &token.parts, &fault) &&
			steward_header_read(&token.parts, &token.header, &fault) && decode_payload(&token, &fault) &&
			!steward_base64_decode(token.parts.signature.at, token.parts.signature.len, signature, &signature_len))
			fail(&fault, STEWARD_TOKEN_MALFORMED, "its signature is not base64url");
	}
	if (fault.problem != STEWARD_TOKEN_GOOD)
		steward_raise_fault(&fault);

	json = jsonb_text(PG_GETARG_DATUM(1), &json_len);
	why = steward_jwk_read(json, json_len, STEWARD_JWK_FOREIGN, &jwk);
	if (why == NULL && jwk.alg == STEWARD_ALG_NONE)
	{
		steward_jwk_free(&jwk);
		why = "it names no alg, and its type leaves several";
	}
	if (why != NULL)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_JWK_INVALID), errmsg("the key cannot be used"),
						errdetail("The reason: %s.", why), errhidestmt(true), errhidecontext(true)));
	if (jwk.alg != token.header.alg)
		fail(&fault, STEWARD_TOKEN_UNSUPPORTED, "its algorithm is not the key's");
	else
	{
		good = steward_jwk_verify(&jwk, token.header.alg, &token.parts.signed_part, signature, signature_len);
		if (!good)
			fail(&fault, STEWARD_TOKEN_BAD_SIGNATURE, "its signature is not that of the key");
	}
	steward_jwk_free(&jwk);
	if (fault.problem != STEWARD_TOKEN_GOOD)
		steward_raise_fault(&fault);
	STEWARD_HIDE_STATEMENT_END();

	payload = palloc(VARHDRSZ + token.payload_len);
	SET_VARSIZE(payload, VARHDRSZ + token.payload_len);
	memcpy(VARDATA(payload), token.payload, token.payload_len);
	PG_RETURN_BYTEA_P(payload);
}

/*
 * verify_token(token text, audience text DEFAULT NULL, thumbprint text DEFAULT NULL, org uuid DEFAULT default_org())
 *		→ jsonb
 *		The claims of a JWT that one of the organization's issuers signed and that is in force; for operators.
 *
 * Says nothing about credentials and people: that is authorize().  Needs app.  Raises ST501 to ST512.
 */
Datum
steward_verify_token(PG_FUNCTION_ARGS)
{
	const text *audience = PG_ARGISNULL(1) ? NULL : PG_GETARG_TEXT_PP(1);
	const text *thumbprint = PG_ARGISNULL(2) ? NULL : PG_GETARG_TEXT_PP(2);
	const pg_uuid_t *org = steward_org_arg(fcinfo, 3);
	StewardToken token;
	StewardFault fault;
	TimestampTz now = GetCurrentTimestamp();
	Snapshot snapshot;
	Datum claims;

	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("token must not be null")));
	STEWARD_HIDE_STATEMENT();
	steward_keyring_begin();
	steward_require(org, STEWARD_PROFILE_APP);
	snapshot = steward_fresh_snapshot();
	if (!steward_token_verify(PG_GETARG_DATUM(0), org, snapshot, now, &token, &fault) ||
		!steward_token_check(&token, audience, thumbprint, snapshot, now, &fault))
		steward_raise_fault(&fault);
	UnregisterSnapshot(snapshot);
	claims = DirectFunctionCall1(jsonb_in, CStringGetDatum(token.payload));
	STEWARD_HIDE_STATEMENT_END();
	PG_RETURN_DATUM(claims);
}
