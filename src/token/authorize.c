/*
 * authorize.c
 *		The check: may whoever presents this do that, now?
 *
 * A bad token is an answer and never an error.  Until the secret is proven there is one answer, "unknown", without ids;
 * only a text that cannot be a key at all is "malformed", and that is said without any look-up.  Everything is read
 * under one fresh snapshot, by primary key, without a plan: it works on a hot standby and inside an old transaction,
 * where a revocation that committed a moment ago counts all the same.
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
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "core/authority.h"
#include "core/relation.h"
#include "core/secret.h"
#include "credential/digest.h"
#include "credential/mint.h"
#include "credential/status.h"
#include "credential/use.h"
#include "scope/scope.h"
#include "steward.h"

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

/* What a check found; ids only once the secret is proven. */
typedef struct Verdict
{
	StewardReason reason;
	bool proven;
	StewardRow credential;
	TimestampTz as_of;
} Verdict;

/*
 * The row of a key whose secret is right; false otherwise.  Reasons are not told apart: an organization that is not the
 * one asked for, or where the caller may not check, is as unknown as a wrong secret.
 */
static bool
prove(const StewardKey *key, const pg_uuid_t *org, Snapshot snapshot, StewardRow *credential)
{
	pg_uuid_t key_org;
	pg_uuid_t key_id;
	Datum keys[2];
	StewardDigest given;
	Datum stored;
	bool isnull;

	memcpy(key_org.data, key->org, UUID_LEN);
	memcpy(key_id.data, key->credential, UUID_LEN);
	if (org && memcmp(org, &key_org, sizeof(pg_uuid_t)) != 0)
		return false;
	if ((steward_profiles_of(steward_caller(), &key_org) & STEWARD_PROFILE_APP) == 0)
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
audience_fits(const StewardRow *credential, const text *audience, Snapshot snapshot)
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

/* Whether the credential's own scopes cover what is required. */
static bool
scopes_suffice(const StewardRow *credential, const ScopeSet *required)
{
	bool isnull;
	Datum scopes = steward_row_get(credential, "scopes", &isnull);

	return !isnull && steward_scope_set_covers(DatumGetScopeSetP(scopes), required);
}

/* Makes the check. */
static void
check(const text *token, const ScopeSet *required, const text *audience, const pg_uuid_t *org, Verdict *verdict)
{
	StewardKey key;
	Snapshot snapshot;

	verdict->proven = false;
	verdict->as_of = GetCurrentTimestamp();
	verdict->reason = STEWARD_MALFORMED;
	if (token == NULL || !steward_key_parse(VARDATA_ANY(token), VARSIZE_ANY_EXHDR(token), &key))
	{
		explicit_bzero(&key, sizeof(key));
		return;
	}

	snapshot = steward_fresh_snapshot();
	if (!prove(&key, org, snapshot, &verdict->credential))
		verdict->reason = STEWARD_UNKNOWN;
	else
	{
		verdict->proven = true;
		verdict->reason = steward_credential_reason(&verdict->credential, snapshot, verdict->as_of);
		if (verdict->reason == STEWARD_OK && !audience_fits(&verdict->credential, audience, snapshot))
			verdict->reason = STEWARD_WRONG_AUDIENCE;
		if (verdict->reason == STEWARD_OK && !scopes_suffice(&verdict->credential, required))
			verdict->reason = STEWARD_INSUFFICIENT_SCOPE;
	}
	UnregisterSnapshot(snapshot);
	explicit_bzero(&key, sizeof(key));
}

/* Reads the arguments, which both functions share up to their number, and makes the check. */
static void
check_call(FunctionCallInfo fcinfo, Verdict *verdict)
{
	const text *token = PG_ARGISNULL(0) ? NULL : PG_GETARG_TEXT_PP(0);
	const text *audience = PG_NARGS() > 2 && !PG_ARGISNULL(2) ? PG_GETARG_TEXT_PP(2) : NULL;
	const pg_uuid_t *org = PG_NARGS() > 3 && !PG_ARGISNULL(3) ? PG_GETARG_UUID_P(3) : NULL;

	if (PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("required must not be null"),
						errhint("The empty set requires nothing but a live credential.")));
	steward_require_setup();
	check(token, DatumGetScopeSetP(PG_GETARG_DATUM(1)), audience, org, verdict);
}

/*
 * A denial goes to the server's log, whose lines outlive a rollback: ids and the reason, nothing secret, and not the
 * statement, which may hold the token.
 */
static void
log_denial(const Verdict *verdict)
{
	bool isnull;

	if (verdict->proven)
		ereport(LOG_SERVER_ONLY, (errmsg("steward denied credential %s: %s",
										 DatumGetCString(DirectFunctionCall1(
											 uuid_out, steward_row_get(&verdict->credential, "id", &isnull))),
										 steward_reason_names[verdict->reason])));
	else
		ereport(LOG_SERVER_ONLY, (errmsg("steward denied a token: %s", steward_reason_names[verdict->reason])));
}

/*
 * authorize(token text, required scope_set DEFAULT '', audience text DEFAULT NULL, org uuid DEFAULT NULL)
 *		→ authorization
 *
 *		Whether the bearer of the key may do what is required, and if not, why; DESIGN's closed list of reasons.
 *
 * Without org, the key's own organization counts, where the caller holds app; else the answer is unknown.  audience is
 * the name of the system that asks.  Never raises for a bad token; a null one is denied.
 */
Datum
steward_authorize(PG_FUNCTION_ARGS)
{
	Verdict verdict;
	TupleDesc desc;
	Datum values[COLUMNS] = {0};
	bool nulls[COLUMNS];
	bool isnull;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "authorization is not a composite type");
	STEWARD_HIDE_STATEMENT();
	check_call(fcinfo, &verdict);
	if (verdict.reason != STEWARD_OK)
		log_denial(&verdict);
	else
		steward_note_use(DatumGetUUIDP(steward_row_get(&verdict.credential, "org_id", &isnull)),
						 DatumGetUUIDP(steward_row_get(&verdict.credential, "id", &isnull)),
						 DatumGetScopeSetP(PG_GETARG_DATUM(1)));
	STEWARD_HIDE_STATEMENT_END();

	memset(nulls, true, sizeof(nulls));
	nulls[ALLOWED] = nulls[REASON] = nulls[AS_OF] = false;
	values[ALLOWED] = BoolGetDatum(verdict.reason == STEWARD_OK);
	values[REASON] = CStringGetTextDatum(steward_reason_names[verdict.reason]);
	values[AS_OF] = TimestampTzGetDatum(verdict.as_of);
	if (verdict.proven)
	{
		values[ORGANIZATION] = steward_row_get(&verdict.credential, "org_id", &nulls[ORGANIZATION]);
		values[PRINCIPAL] = steward_row_get(&verdict.credential, "holder_id", &nulls[PRINCIPAL]);
		values[CREDENTIAL] = steward_row_get(&verdict.credential, "id", &nulls[CREDENTIAL]);
		values[SCOPES] = steward_row_get(&verdict.credential, "scopes", &nulls[SCOPES]);
		values[EXPIRES_AT] = steward_row_get(&verdict.credential, "expires_at", &nulls[EXPIRES_AT]);
		values[ACTOR_CHAIN] = PointerGetDatum(construct_empty_array(UUIDOID));
		nulls[ACTOR_CHAIN] = false;
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/*
 * is_authorized(token text, required scope_set DEFAULT '') → boolean
 *		The same check as a read-only yes or no; also for parallel plans and standbys.
 */
Datum
steward_is_authorized(PG_FUNCTION_ARGS)
{
	Verdict verdict;

	STEWARD_HIDE_STATEMENT();
	check_call(fcinfo, &verdict);
	STEWARD_HIDE_STATEMENT_END();
	PG_RETURN_BOOL(verdict.reason == STEWARD_OK);
}
