/*
 * issuer.c
 *		Whose tokens an organization accepts: issuers, their rules and their keys.
 *
 * The database never fetches anything: metadata and key sets are handed to it.  A set of keys is taken as a whole or not
 * at all.  Keys that are no longer in it go on verifying for a grace period, for tokens signed a moment ago; a kid never
 * gets another key.
 */
#include "postgres.h"

#include <openssl/crypto.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/snapmgr.h"

#include "core/authority.h"
#include "core/ids.h"
#include "core/plan.h"
#include "core/reference.h"
#include "core/sealing.h"
#include "core/secret.h"
#include "steward.h"
#include "token/token.h"

PG_FUNCTION_INFO_V1(steward_set_issuer);
PG_FUNCTION_INFO_V1(steward_import_issuer);
PG_FUNCTION_INFO_V1(steward_set_jwks);

/* The issuer's row, made or changed; a null parameter leaves what is there, or the column's default. */
static StewardPlan upsert_issuer = STEWARD_PLAN(
	"utuutTTTiitttbt",
	"INSERT INTO steward.token_issuer AS i (org_id, issuer, system_id, directory_id, binding, algorithms, audiences, "
	"types, leeway, max_age, scopes_from, subject, tenant, enabled, jwks_uri) "
	"VALUES ($1, $2, $3, $4, coalesce($5, 'client_id'), coalesce($6, '{RS256,ES256,EdDSA}'), coalesce($7, '{}'), "
	"coalesce($8, '{at+jwt}'), coalesce($9, '60 seconds'), $10, coalesce($11, 'token'), coalesce($12, 'sub'), $13, "
	"coalesce($14, true), $15) "
	"ON CONFLICT (org_id, issuer) DO UPDATE SET system_id = EXCLUDED.system_id, "
	"directory_id = coalesce($4, i.directory_id), binding = coalesce($5, i.binding), "
	"algorithms = coalesce($6, i.algorithms), audiences = coalesce($7, i.audiences), types = coalesce($8, i.types), "
	"leeway = coalesce($9, i.leeway), max_age = coalesce($10, i.max_age), "
	"scopes_from = coalesce($11, i.scopes_from), subject = coalesce($12, i.subject), "
	"tenant = coalesce($13, i.tenant), enabled = coalesce($14, i.enabled), jwks_uri = coalesce($15, i.jwks_uri) "
	"WHERE NOT i.own RETURNING id");

/* Raises unless the text can be an iss. */
static void
check_issuer(const char *issuer)
{
	steward_check_reference(issuer, "issuer");
	if (strlen(issuer) > STEWARD_ISSUER_MAX || strpbrk(issuer, " \t\r\n") != NULL)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_VALUE_INVALID), errmsg("invalid issuer"),
						errdetail("It has at most %d bytes and no white space.", STEWARD_ISSUER_MAX)));
}

/* Makes or changes the issuer; values has the parameters from the fifth on. */
static Datum
store_issuer(const pg_uuid_t *org, const char *issuer, const char *system, const char *directory, Datum *values,
			 bool *nulls)
{
	pg_uuid_t *result = palloc(sizeof(pg_uuid_t));

	STEWARD_AS_OWNER();
	{
		bool isnull;

		values[0] = UUIDPGetDatum(org);
		values[1] = CStringGetTextDatum(issuer);
		values[2] = UUIDPGetDatum(steward_resolve(STEWARD_REF_SYSTEM, org, system, "system"));
		nulls[0] = nulls[1] = nulls[2] = false;
		nulls[3] = directory == NULL;
		if (directory != NULL)
			values[3] = UUIDPGetDatum(steward_resolve(STEWARD_REF_DIRECTORY, org, directory, "directory"));
		if (steward_run(&upsert_issuer, STEWARD_TRANSACTION, values, nulls) != 1)
			ereport(ERROR, (errcode(ERRCODE_STEWARD_ALREADY_EXISTS), errmsg("the organization itself is that issuer"),
							errhint("Its keys are made with rotate_signing_key().")));
		*result = *DatumGetUUIDP(steward_result(0, 1, &isnull));
	}
	STEWARD_AS_OWNER_END();
	return UUIDPGetDatum(result);
}

/*
 * set_issuer(issuer text, system text, binding text DEFAULT NULL, algorithms text[] DEFAULT NULL,
 *			  audiences text[] DEFAULT NULL, types text[] DEFAULT NULL, leeway interval DEFAULT NULL,
 *			  max_age interval DEFAULT NULL, scopes_from text DEFAULT NULL, subject text DEFAULT NULL,
 *			  tenant text DEFAULT NULL, directory text DEFAULT NULL, enabled boolean DEFAULT NULL,
 *			  org uuid DEFAULT default_org()) → issuer_id uuid
 *		Accepts tokens with this iss, or changes the rules by which they are accepted; null leaves a rule as it is.
 *
 * Needs admin.  Values outside the closed lists violate the table's constraints.
 */
Datum
steward_set_issuer(PG_FUNCTION_ARGS)
{
	Datum values[STEWARD_MAX_ARGS] = {0};
	bool nulls[STEWARD_MAX_ARGS] = {0};
	char *issuer = steward_text_arg(fcinfo, 0, "issuer", true);
	char *system = steward_text_arg(fcinfo, 1, "system", true);
	char *directory = steward_text_arg(fcinfo, 11, "directory", false);
	const pg_uuid_t *org = steward_org_arg(fcinfo, 13);

	check_issuer(issuer);
	steward_require(org, STEWARD_PROFILE_ADMIN);
	PreventCommandIfReadOnly("set_issuer()");
	/* binding, algorithms, audiences, types, leeway, max_age, scopes_from, subject, tenant */
	for (int i = 0; i < 9; i++)
	{
		values[4 + i] = PG_GETARG_DATUM(2 + i);
		nulls[4 + i] = PG_ARGISNULL(2 + i);
	}
	values[13] = PG_GETARG_DATUM(12);
	nulls[13] = PG_ARGISNULL(12);
	nulls[14] = true;
	PG_RETURN_DATUM(store_issuer(org, issuer, system, directory, values, nulls));
}

/* A string member of an object; NULL when it is absent or no string. */
static char *
string_member(Jsonb *jsonb, const char *name)
{
	JsonbValue buffer;
	JsonbValue *value;

	if (!JB_ROOT_IS_OBJECT(jsonb))
		return NULL;
	value = getKeyJsonValueFromContainer(&jsonb->root, name, strlen(name), &buffer);
	if (value == NULL || value->type != jbvString)
		return NULL;
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/*
 * import_issuer(metadata jsonb, system text, org uuid DEFAULT default_org()) → issuer_id uuid
 *		Accepts the issuer that a metadata document describes (OpenID Connect Discovery, RFC 8414): its issuer and
 *		jwks_uri.  The rules are set with set_issuer(), the keys with set_jwks().
 *
 * Needs admin.  Raises ST213 for a document without them.
 */
Datum
steward_import_issuer(PG_FUNCTION_ARGS)
{
	Datum values[STEWARD_MAX_ARGS] = {0};
	bool nulls[STEWARD_MAX_ARGS];
	char *system = steward_text_arg(fcinfo, 1, "system", true);
	const pg_uuid_t *org = steward_org_arg(fcinfo, 2);
	Jsonb *metadata;
	char *issuer;
	char *uri;

	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("metadata must not be null")));
	metadata = PG_GETARG_JSONB_P(0);
	issuer = string_member(metadata, "issuer");
	uri = string_member(metadata, "jwks_uri");
	if (issuer == NULL || uri == NULL || strlen(uri) > 2048)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_VALUE_INVALID), errmsg("metadata does not describe an issuer"),
						errdetail("It needs the strings issuer and jwks_uri.")));
	check_issuer(issuer);
	steward_require(org, STEWARD_PROFILE_ADMIN);
	PreventCommandIfReadOnly("import_issuer()");
	memset(nulls, true, sizeof(nulls));
	values[14] = CStringGetTextDatum(uri);
	nulls[14] = false;
	PG_RETURN_DATUM(store_issuer(org, issuer, system, NULL, values, nulls));
}

/* A key of a set, ready to be stored. */
typedef struct NewKey
{
	pg_uuid_t id;
	StewardAlg alg;
	char *kid;
	char *json;	   /* public; NULL for HMAC */
	bytea *sealed; /* HMAC */
} NewKey;

/* What the walk over a set collects. */
typedef struct KeySet
{
	const pg_uuid_t *org;
	uint32 algorithms; /* of the issuer */
	NewKey keys[STEWARD_JWKS_KEYS];
	int n;
	int hmac;
	bool has_keys;
	const char *why;
} KeySet;

/* The one algorithm that a key is used with: its own, or the only one of the issuer's that fits. */
static StewardAlg
pin_algorithm(const KeySet *set, const StewardJwk *jwk)
{
	StewardAlg found = STEWARD_ALG_NONE;

	for (int alg = STEWARD_RS256; alg < STEWARD_ALGS; alg++)
		if ((set->algorithms & (1 << alg)) && steward_jwk_fits(jwk, (StewardAlg) alg))
		{
			if (found != STEWARD_ALG_NONE)
				return STEWARD_ALG_NONE;
			found = (StewardAlg) alg;
		}
	return found;
}

/* Turns a parsed key into what is stored. */
static const char *
keep_key(KeySet *set, const StewardJwk *jwk)
{
	NewKey *key = &set->keys[set->n];
	char json[4096];
	char thumbprint[STEWARD_THUMBPRINT_LEN + 1];

	memset(key, 0, sizeof(*key));
	key->alg = pin_algorithm(set, jwk);
	if (key->alg == STEWARD_ALG_NONE)
		return "none, or more than one, of the issuer's algorithms fits it";
	steward_make_uuid7(&key->id);
	if (jwk->type == STEWARD_KEY_OCT)
	{
		StewardSealedFor what = {.org = set->org, .algorithm = steward_alg_names[key->alg]};

		if (!jwk->has_kid)
			return "a secret needs a kid";
		what.key = DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(&key->id)));
		key->sealed = steward_seal(&what, jwk->secret, jwk->secret_len);
		set->hmac++;
	}
	else
	{
		if (steward_jwk_print(jwk->pkey, key->alg, json, sizeof(json)) == 0 ||
			!steward_jwk_thumbprint(jwk->pkey, key->alg, thumbprint))
			return "OpenSSL cannot print it";
		key->json = pstrdup(json);
	}
	key->kid = pstrdup(jwk->has_kid ? jwk->kid : thumbprint);
	for (int i = 0; i < set->n; i++)
		if (strcmp(set->keys[i].kid, key->kid) == 0)
			return "its kid is that of another key of the set";
	set->n++;
	return NULL;
}

static bool
visit_set_key(const StewardJsonValue *name, const StewardJsonValue *value, void *arg)
{
	KeySet *set = arg;
	StewardJwk *jwk;

	if (set->n == STEWARD_JWKS_KEYS)
	{
		set->why = "there are more than 32";
		return false;
	}
	if (value->kind != STEWARD_JSON_OBJECT)
	{
		set->why = "it is not an object";
		return false;
	}
	jwk = palloc(sizeof(StewardJwk));
	set->why = steward_jwk_read(value->at, value->len, STEWARD_JWK_FOREIGN, jwk);
	if (set->why != NULL)
		return false;
	PG_TRY();
	{
		set->why = keep_key(set, jwk);
	}
	PG_FINALLY();
	{
		steward_jwk_free(jwk);
	}
	PG_END_TRY();
	return set->why == NULL;
}

static bool
visit_set(const StewardJsonValue *name, const StewardJsonValue *value, void *arg)
{
	KeySet *set = arg;

	if (!steward_json_is(name, "keys"))
		return true;
	set->has_keys = value->kind == STEWARD_JSON_ARRAY;
	return set->has_keys && steward_json_walk(value->at, value->len, STEWARD_JSON_ARRAY, visit_set_key, set);
}

/* Reads a set, or raises what is wrong with which of its keys; no key is repeated. */
static void
read_set(Datum jwks, KeySet *set)
{
	Jsonb *jsonb = DatumGetJsonbP(jwks);
	char *json = JsonbToCString(NULL, &jsonb->root, VARSIZE(jsonb));
	bool good = steward_json_walk(json, strlen(json), STEWARD_JSON_OBJECT, visit_set, set);

	explicit_bzero(json, strlen(json));
	if (set->why != NULL)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_JWK_INVALID), errmsg("key %d of the set cannot be used", set->n + 1),
						errdetail("The reason: %s.", set->why), errhidestmt(true), errhidecontext(true)));
	if (!good || !set->has_keys || set->n == 0)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_JWK_INVALID), errmsg("this is no set of keys"),
						errdetail("It is an object whose member \"keys\" has 1 to %d keys.", STEWARD_JWKS_KEYS),
						errhidestmt(true), errhidecontext(true)));
	if (set->hmac > 0 && set->hmac < set->n)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_JWK_INVALID), errmsg("the set mixes secrets and public keys"),
						errhidestmt(true), errhidecontext(true)));
}

/* The issuer, locked, and the algorithms that it may use. */
static void
lock_issuer(const pg_uuid_t *org, const char *issuer, pg_uuid_t *id, KeySet *set)
{
	static StewardPlan find =
		STEWARD_PLAN("ut", "SELECT i.id, array_to_string(i.algorithms, ' ') FROM steward.token_issuer i "
						   "WHERE i.org_id = $1 AND i.issuer = $2 AND NOT i.own FOR UPDATE");
	Datum values[] = {UUIDPGetDatum(org), CStringGetTextDatum(issuer)};
	bool isnull;
	char *save = NULL;
	char *list;

	if (steward_run(&find, STEWARD_TRANSACTION, values, NULL) != 1)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_REFERENCE_UNKNOWN),
						errmsg("issuer \"%s\" is not known in this organization", issuer),
						errhint("Make it known with set_issuer().")));
	*id = *DatumGetUUIDP(steward_result(0, 1, &isnull));
	list = steward_result_text(0, 2);
	for (char *name = strtok_r(list, " ", &save); name; name = strtok_r(NULL, " ", &save))
		set->algorithms |= 1 << steward_alg_named(name, strlen(name));
}

/* Whether the secret that is stored under the kid is the one that is given. */
static bool
same_secret(const pg_uuid_t *org, const pg_uuid_t *issuer, const NewKey *key)
{
	Datum keys[] = {UUIDPGetDatum(org), UUIDPGetDatum(issuer), CStringGetTextDatum(key->kid)};
	StewardSealedFor what = {.org = org, .algorithm = steward_alg_names[key->alg]};
	unsigned char secret[STEWARD_SECRET_MAX];
	size_t len;
	Snapshot snapshot = steward_fresh_snapshot();
	StewardRow row;
	StewardJwk jwk;
	bool same = false;

	what.key = DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(&key->id)));
	len = steward_unseal(&what, key->sealed, secret, sizeof(secret));
	if (steward_fetch(STEWARD_TOKEN_KEY_KID, snapshot, 3, keys, &row) &&
		steward_stored_secret(&row, key->alg, &jwk) == NULL)
	{
		same = jwk.secret_len == len && CRYPTO_memcmp(jwk.secret, secret, len) == 0;
		steward_jwk_free(&jwk);
	}
	explicit_bzero(secret, sizeof(secret));
	UnregisterSnapshot(snapshot);
	return same;
}

/* Stores one key; whether it is new. */
static bool
store_key(const pg_uuid_t *org, const pg_uuid_t *issuer, const NewKey *key)
{
	static StewardPlan insert = STEWARD_PLAN(
		"uuuttjy", "INSERT INTO steward.token_key AS k (org_id, id, issuer_id, kid, algorithm, jwk, sealed) "
				   "VALUES ($1, $2, $3, $4, $5, $6, $7) "
				   "ON CONFLICT (org_id, issuer_id, kid) DO NOTHING RETURNING id");
	static StewardPlan keep =
		STEWARD_PLAN("uuttj", "UPDATE steward.token_key k SET retires_at = 'infinity' "
							  "WHERE k.org_id = $1 AND k.issuer_id = $2 AND k.kid = $3 AND k.algorithm = $4 "
							  "AND k.jwk IS NOT DISTINCT FROM $5 RETURNING id");
	Datum jwk = key->json ? DirectFunctionCall1(jsonb_in, CStringGetDatum(key->json)) : (Datum) 0;
	Datum values[] = {UUIDPGetDatum(org),
					  UUIDPGetDatum(&key->id),
					  UUIDPGetDatum(issuer),
					  CStringGetTextDatum(key->kid),
					  CStringGetTextDatum(steward_alg_names[key->alg]),
					  jwk,
					  PointerGetDatum(key->sealed)};
	bool nulls[] = {false, false, false, false, false, key->json == NULL, key->sealed == NULL};

	if (steward_run(&insert, STEWARD_TRANSACTION, values, nulls) == 1)
		return true;
	{
		Datum again[] = {values[0], values[2], values[3], values[4], jwk};
		bool again_nulls[] = {false, false, false, false, key->json == NULL};

		if ((key->sealed != NULL && !same_secret(org, issuer, key)) ||
			steward_run(&keep, STEWARD_TRANSACTION, again, again_nulls) != 1)
			ereport(ERROR, (errcode(ERRCODE_STEWARD_CONFLICTING_FACTS),
							errmsg("kid \"%s\" stands for another key already", key->kid),
							errhint("A key keeps its kid for ever; publish the new one under a new kid.")));
	}
	return false;
}

/*
 * set_jwks(issuer text, jwks jsonb, grace interval DEFAULT '1 hour', org uuid DEFAULT default_org())
 *		→ (added bigint, kept bigint, retired bigint)
 *		Takes the issuer's set of keys (RFC 7517): adds what is new; what is gone verifies for the grace period yet.
 *
 * Needs admin.  All or nothing.  Secrets of HMAC are sealed under steward.key_file.  Raises ST513 for a key that must
 * not be used, ST211 when a kid comes with another key.
 */
Datum
steward_set_jwks(PG_FUNCTION_ARGS)
{
	static StewardPlan retire =
		STEWARD_PLAN("uuTi", "UPDATE steward.token_key k SET retires_at = clock_timestamp() + $4 "
							 "WHERE k.org_id = $1 AND k.issuer_id = $2 AND k.kid <> ALL ($3) "
							 "AND k.retires_at > clock_timestamp() + $4");
	char *issuer = steward_text_arg(fcinfo, 0, "issuer", true);
	const pg_uuid_t *org = steward_org_arg(fcinfo, 3);
	KeySet *set = palloc0(sizeof(KeySet));
	TupleDesc desc;
	int64 added = 0;
	int64 retired = 0;
	Datum values[3];
	bool nulls[3] = {false, false, false};

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("jwks and grace must not be null")));
	if (DatumGetIntervalP(PG_GETARG_DATUM(2))->time < 0 || DatumGetIntervalP(PG_GETARG_DATUM(2))->day < 0 ||
		DatumGetIntervalP(PG_GETARG_DATUM(2))->month < 0)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_VALUE_INVALID), errmsg("grace must not be negative")));
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "set_jwks() does not return a row");
	steward_require(org, STEWARD_PROFILE_ADMIN);
	PreventCommandIfReadOnly("set_jwks()");
	STEWARD_HIDE_STATEMENT();
	STEWARD_AS_OWNER();
	{
		pg_uuid_t id;
		Datum kids[STEWARD_JWKS_KEYS];

		set->org = org;
		lock_issuer(org, issuer, &id, set);
		read_set(PG_GETARG_DATUM(1), set);
		for (int i = 0; i < set->n; i++)
		{
			kids[i] = CStringGetTextDatum(set->keys[i].kid);
			added += store_key(org, &id, &set->keys[i]);
		}
		{
			Datum args[] = {UUIDPGetDatum(org), UUIDPGetDatum(&id),
							PointerGetDatum(construct_array(kids, set->n, TEXTOID, -1, false, TYPALIGN_INT)),
							PG_GETARG_DATUM(2)};

			retired = steward_run(&retire, STEWARD_TRANSACTION, args, NULL);
		}
	}
	STEWARD_AS_OWNER_END();
	STEWARD_HIDE_STATEMENT_END();
	values[0] = Int64GetDatum(added);
	values[1] = Int64GetDatum(set->n - added);
	values[2] = Int64GetDatum(retired);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
