/*
 * authorize.c
 *		The check: may whoever presents this do that, now?
 *
 * A bad token is an answer and never an error.  Until the secret or the signature is proven there is one answer,
 * "unknown", without ids; only a text that cannot be a token at all is "malformed", and that is said without any
 * look-up.  Everything is read under one fresh snapshot, by key, without a plan: it works on a hot standby and inside an
 * old transaction, where a revocation that committed a moment ago counts all the same.
 */
#include "postgres.h"

#include <openssl/crypto.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "core/authority.h"
#include "core/organization.h"
#include "core/secret.h"
#include "credential/mint.h"
#include "credential/use.h"
#include "steward.h"
#include "token/check.h"

PG_FUNCTION_INFO_V1(steward_authorize);
PG_FUNCTION_INFO_V1(steward_is_authorized);

/* The columns of the composite type authorization. */
enum
{
	ALLOWED,
	REASON,
	ORGANIZATION,
	PRINCIPAL,
	CREDENTIAL,
	ACTOR_CHAIN,
	SCOPES,
	EXPIRES_AT,
	AS_OF,
	COLUMNS
};

/* Whether the caller may have tokens of the organization checked. */
static bool
may_check(const StewardPresented *presented, const pg_uuid_t *org)
{
	return presented->assumed || (steward_profiles_of(steward_caller(), org) & STEWARD_PROFILE_APP) != 0;
}

/*
 * The row of a key whose secret is right; false otherwise.  Reasons are not told apart: an organization that is not the
 * one asked for, or where the caller may not check, is as unknown as a wrong secret.
 */
static bool
prove_key(const StewardPresented *presented, const StewardKey *key, Snapshot snapshot, StewardRow *credential)
{
	pg_uuid_t key_org;
	pg_uuid_t key_id;
	Datum keys[2];
	StewardDigest given;
	Datum stored;
	bool isnull;

	memcpy(key_org.data, key->org, UUID_LEN);
	memcpy(key_id.data, key->credential, UUID_LEN);
	if (presented->has_org && memcmp(&presented->org, &key_org, sizeof(pg_uuid_t)) != 0)
		return false;
	if (!may_check(presented, &key_org))
		return false;

	/* Hash first, so that an unknown id costs what a known one does. */
	steward_key_digest(key, &given);
	keys[0] = UUIDPGetDatum(&key_org);
	keys[1] = UUIDPGetDatum(&key_id);
	if (!steward_fetch(STEWARD_CREDENTIAL, snapshot, 2, keys, credential))
		return false;
	stored = steward_row_get(credential, "digest", &isnull);
	return !isnull && CRYPTO_memcmp(given.data, DatumGetStewardDigest(stored)->data, STEWARD_DIGEST_LEN) == 0;
}

/* Whether the credential is for the audience: the name of the system where it is accepted. */
static bool
key_audience_fits(const StewardRow *credential, const text *audience, Snapshot snapshot)
{
	StewardRow system;
	Datum keys[2];
	text *name;
	bool isnull;

	if (audience == NULL)
		return true;
	keys[0] = steward_row_get(credential, "org_id", &isnull);
	keys[1] = steward_row_get(credential, "system_id", &isnull);
	if (!steward_fetch(STEWARD_SYSTEM, snapshot, 2, keys, &system))
		return false;
	name = DatumGetTextPP(steward_row_get(&system, "name", &isnull));
	return VARSIZE_ANY_EXHDR(name) == VARSIZE_ANY_EXHDR(audience) &&
		   memcmp(VARDATA_ANY(name), VARDATA_ANY(audience), VARSIZE_ANY_EXHDR(name)) == 0;
}

/* An opaque key: what it is, and whether it is live. */
static void
check_key(const StewardPresented *presented, const StewardKey *key, Snapshot snapshot, TimestampTz now,
		  StewardBearer *bearer)
{
	StewardRow credential;
	Datum datum;
	bool isnull;

	bearer->reason = STEWARD_UNKNOWN;
	if (!prove_key(presented, key, snapshot, &credential))
		return;
	bearer->proven = true;
	bearer->org = *DatumGetUUIDP(steward_row_get(&credential, "org_id", &isnull));
	bearer->credential = *DatumGetUUIDP(steward_row_get(&credential, "id", &isnull));
	datum = steward_row_get(&credential, "holder_id", &isnull);
	if (!isnull)
		bearer->principal = *DatumGetUUIDP(datum);
	bearer->scopes = steward_row_get(&credential, "scopes", &isnull);
	bearer->has_scopes = !isnull;
	datum = steward_row_get(&credential, "expires_at", &isnull);
	bearer->expires = isnull ? DT_NOEND : DatumGetTimestampTz(datum);
	bearer->reason = steward_credential_reason(&credential, snapshot, now);
	if (bearer->reason == STEWARD_OK && !key_audience_fits(&credential, presented->audience, snapshot))
		bearer->reason = STEWARD_WRONG_AUDIENCE;
}

/* What authorize() says of a token that is proven but not in force. */
static StewardReason
reason_of(StewardProblem problem)
{
	switch (problem)
	{
		case STEWARD_TOKEN_GOOD:
			return STEWARD_OK;
		case STEWARD_TOKEN_MALFORMED:
			return STEWARD_MALFORMED;
		case STEWARD_TOKEN_EXPIRED:
		case STEWARD_TOKEN_TOO_OLD:
			return STEWARD_EXPIRED;
		case STEWARD_TOKEN_NOT_YET_VALID:
			return STEWARD_NOT_YET_VALID;
		case STEWARD_TOKEN_WRONG_AUDIENCE:
			return STEWARD_WRONG_AUDIENCE;
		case STEWARD_TOKEN_WRONG_TYPE:
			return STEWARD_WRONG_TYPE;
		case STEWARD_TOKEN_PROOF_REQUIRED:
			return STEWARD_PROOF_REQUIRED;
		case STEWARD_TOKEN_REVOKED:
			return STEWARD_REVOKED;
		default:
			return STEWARD_UNKNOWN;
	}
}

/* A JWT of the organization named, or of the default one. */
static void
check_jwt(const StewardPresented *presented, Snapshot snapshot, TimestampTz now, StewardBearer *bearer)
{
	pg_uuid_t org;
	StewardToken token;
	StewardFault fault;
	StewardFault later = {STEWARD_TOKEN_GOOD, NULL};

	/* No organization to look in is one that knows no such token. */
	bearer->reason = STEWARD_UNKNOWN;
	if (presented->has_org)
		org = presented->org;
	else if (!steward_find_default_org(&org))
		return;
	if (!may_check(presented, &org))
		return;
	if (!steward_token_verify(presented->token, &org, snapshot, now, &token, &fault))
	{
		/* Malformed is what could be told without a look-up; unsupported forms are as good as unknown. */
		bearer->reason = fault.problem == STEWARD_TOKEN_MALFORMED ? STEWARD_MALFORMED : STEWARD_UNKNOWN;
		return;
	}
	(void) steward_token_check(&token, presented->audience, presented->thumbprint, snapshot, now, &later);
	steward_token_bearer(&token, snapshot, now, bearer);
	/* Proven by its signature; but without a credential there is nothing to tell ids of. */
	bearer->proven = bearer->has_scopes;
	/* What the token itself says comes first, unless what it stands for is gone for good. */
	if (later.problem != STEWARD_TOKEN_GOOD &&
		(bearer->reason == STEWARD_OK || later.problem == STEWARD_TOKEN_WRONG_TYPE || !bearer->proven))
		bearer->reason = reason_of(later.problem);
}

/*
 * steward_check_presented
 *		Makes the check; required may be NULL for nothing but life.  Returns the moment of it.
 */
TimestampTz
steward_check_presented(const StewardPresented *presented, const ScopeSet *required, StewardBearer *bearer)
{
	TimestampTz now = GetCurrentTimestamp();
	StewardKey key;
	Snapshot snapshot;

	memset(bearer, 0, sizeof(*bearer));
	bearer->reason = STEWARD_MALFORMED;
	if (!presented->has_token || steward_token_too_long(presented->token))
		return now;
	steward_keyring_begin();
	{
		const text *token = DatumGetTextPP(presented->token);
		const char *at = VARDATA_ANY(token);
		size_t len = VARSIZE_ANY_EXHDR(token);

		if (steward_key_parse(at, len, &key))
		{
			snapshot = steward_fresh_snapshot();
			check_key(presented, &key, snapshot, now, bearer);
			UnregisterSnapshot(snapshot);
		}
		else if (memchr(at, '.', len) != NULL)
		{
			snapshot = steward_fresh_snapshot();
			check_jwt(presented, snapshot, now, bearer);
			UnregisterSnapshot(snapshot);
		}
	}
	explicit_bzero(&key, sizeof(key));
	if (bearer->reason == STEWARD_OK && required != NULL &&
		!steward_scope_set_covers(DatumGetScopeSetP(bearer->scopes), required))
		bearer->reason = STEWARD_INSUFFICIENT_SCOPE;
	return now;
}

/*
 * steward_read_presented
 *		Reads the arguments at these positions; -1 for one that the function does not have.
 */
void
steward_read_presented(FunctionCallInfo fcinfo, int token, int audience, int org, int thumbprint,
					   StewardPresented *presented)
{
	memset(presented, 0, sizeof(*presented));
	steward_require_setup();
	presented->has_token = !PG_ARGISNULL(token);
	if (presented->has_token)
		presented->token = PG_GETARG_DATUM(token);
	if (audience >= 0 && !PG_ARGISNULL(audience))
		presented->audience = PG_GETARG_TEXT_PP(audience);
	if (thumbprint >= 0 && !PG_ARGISNULL(thumbprint))
		presented->thumbprint = PG_GETARG_TEXT_PP(thumbprint);
	if (org >= 0 && !PG_ARGISNULL(org))
	{
		presented->has_org = true;
		presented->org = *PG_GETARG_UUID_P(org);
	}
}

/* A copy of a text in the current memory context; NULL for NULL. */
static text *
copy_text(const text *t)
{
	return t ? cstring_to_text_with_len(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t)) : NULL;
}

/*
 * steward_copy_presented
 *		What was presented and passed, copied into the current memory context to be checked again; wipe it in the end.
 *		The organization is fixed by the caller.
 */
void
steward_copy_presented(const StewardPresented *presented, StewardPresented *copy)
{
	*copy = *presented;
	copy->token = PointerGetDatum(copy_text(DatumGetTextPP(presented->token)));
	copy->audience = copy_text(presented->audience);
	copy->thumbprint = copy_text(presented->thumbprint);
	copy->assumed = true;
}

void
steward_wipe_presented(StewardPresented *copy)
{
	text *token = (text *) DatumGetPointer(copy->token);

	explicit_bzero(VARDATA_ANY(token), VARSIZE_ANY_EXHDR(token));
}

/*
 * steward_note_denial
 *		A denial goes to the server's log, whose lines outlive a rollback: ids and the reason, nothing secret, and not the
 *		statement, which may hold the token.
 */
void
steward_note_denial(const StewardBearer *bearer)
{
	if (bearer->proven)
		ereport(LOG_SERVER_ONLY,
				(errmsg("steward denied credential %s: %s",
						DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(&bearer->credential))),
						steward_reason_names[bearer->reason])));
	else
		ereport(LOG_SERVER_ONLY, (errmsg("steward denied a token: %s", steward_reason_names[bearer->reason])));
}

/* The chain as uuid[]. */
static Datum
chain_array(List *chain)
{
	Datum *ids = palloc(sizeof(Datum) * Max(list_length(chain), 1));
	int n = 0;
	ListCell *lc;

	if (chain == NIL)
		return PointerGetDatum(construct_empty_array(UUIDOID));
	foreach (lc, chain)
		ids[n++] = UUIDPGetDatum((pg_uuid_t *) lfirst(lc));
	return PointerGetDatum(construct_array(ids, n, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
}

/*
 * steward_authorization
 *		The outcome as the composite type authorization.
 */
Datum
steward_authorization(FunctionCallInfo fcinfo, const StewardBearer *bearer, TimestampTz now)
{
	TupleDesc desc;
	Datum values[COLUMNS] = {0};
	bool nulls[COLUMNS];

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "authorization is not a composite type");
	memset(nulls, true, sizeof(nulls));
	nulls[ALLOWED] = nulls[REASON] = nulls[AS_OF] = false;
	values[ALLOWED] = BoolGetDatum(bearer->reason == STEWARD_OK);
	values[REASON] = CStringGetTextDatum(steward_reason_names[bearer->reason]);
	values[AS_OF] = TimestampTzGetDatum(now);
	if (bearer->proven)
	{
		values[ORGANIZATION] = UUIDPGetDatum(&bearer->org);
		values[PRINCIPAL] = UUIDPGetDatum(&bearer->principal);
		values[CREDENTIAL] = UUIDPGetDatum(&bearer->credential);
		values[ACTOR_CHAIN] = chain_array(bearer->chain);
		values[SCOPES] = bearer->scopes;
		values[EXPIRES_AT] = TimestampTzGetDatum(bearer->expires);
		nulls[ORGANIZATION] = nulls[PRINCIPAL] = nulls[CREDENTIAL] = nulls[ACTOR_CHAIN] = false;
		nulls[SCOPES] = !bearer->has_scopes;
		nulls[EXPIRES_AT] = TIMESTAMP_NOT_FINITE(bearer->expires);
	}
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

/* The requirement, which must not be null. */
static ScopeSet *
required_arg(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("required must not be null"),
						errhint("The empty set requires nothing but a live credential.")));
	return DatumGetScopeSetP(PG_GETARG_DATUM(1));
}

/*
 * authorize(token text, required scope_set DEFAULT '', audience text DEFAULT NULL, org uuid DEFAULT NULL,
 *			 thumbprint text DEFAULT NULL) → authorization
 *
 *		Whether the bearer of the key or JWT may do what is required, and if not, why; DESIGN's closed list of reasons.
 *
 * Without org, a key's own organization counts, where the caller holds app, and the default one for a JWT; else the
 * answer is unknown.  audience is who asks: of a key the name of its system, of a JWT one that its aud names.
 * thumbprint is that of the key whose possession the bearer has proven to the caller (base64url of SHA-256).  Never
 * raises for a bad token; a null one is denied.
 */
Datum
steward_authorize(PG_FUNCTION_ARGS)
{
	ScopeSet *required = required_arg(fcinfo);
	StewardPresented presented;
	StewardBearer bearer;
	TimestampTz now;

	STEWARD_HIDE_STATEMENT();
	steward_read_presented(fcinfo, 0, 2, 3, 4, &presented);
	now = steward_check_presented(&presented, required, &bearer);
	if (bearer.reason != STEWARD_OK)
		steward_note_denial(&bearer);
	else
		steward_note_use(&bearer.org, &bearer.credential, required);
	STEWARD_HIDE_STATEMENT_END();
	PG_RETURN_DATUM(steward_authorization(fcinfo, &bearer, now));
}

/*
 * is_authorized(token text, required scope_set DEFAULT '') → boolean
 *		The same check as a read-only yes or no; also for parallel plans and standbys.
 */
Datum
steward_is_authorized(PG_FUNCTION_ARGS)
{
	StewardPresented presented;
	StewardBearer bearer;

	STEWARD_HIDE_STATEMENT();
	steward_read_presented(fcinfo, 0, -1, -1, -1, &presented);
	(void) steward_check_presented(&presented, required_arg(fcinfo), &bearer);
	STEWARD_HIDE_STATEMENT_END();
	PG_RETURN_BOOL(bearer.reason == STEWARD_OK);
}
