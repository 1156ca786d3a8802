/*
 * keyring.c
 *		Issuers and keys as this backend has parsed them, and which signatures it has verified.
 *
 * Every use reads the row again, under the fresh snapshot of the check; what is kept is only the work of parsing, for as
 * long as the row has the version that was parsed.  So nothing here can be stale.  Beyond that, a change of any key or
 * issuer sends an invalidation of steward.token_signal, at commit and to standbys too, upon which everything is dropped:
 * a key that was taken away does not stay in memory.
 *
 * That a signature was verified is remembered by the SHA-256 of the whole token with the version of the key's row, for
 * all algorithms but HMAC, which costs no more than the digest.
 */
#include "postgres.h"

#include <openssl/evp.h>

#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "steward.h"
#include "token/token.h"

PG_FUNCTION_INFO_V1(steward_tg_token_signal);

#define ISSUERS 64
#define KEYS 64
#define VERIFIED 4096

/* A parsed issuer, in a memory context of its own. */
typedef struct IssuerEntry
{
	MemoryContext context;
	StewardVersion version;
	StewardIssuer *issuer;
} IssuerEntry;

/* A parsed key. */
typedef struct KeyEntry
{
	bool used;
	pg_uuid_t org;
	pg_uuid_t id;
	StewardVersion version;
	StewardJwk jwk;
} KeyEntry;

/* A signature that was verified. */
typedef struct VerifiedEntry
{
	unsigned char digest[32];
	pg_uuid_t org;
	pg_uuid_t key;
	StewardVersion version;
} VerifiedEntry;

static IssuerEntry issuers[ISSUERS];
static int issuer_turn = 0;
static KeyEntry *keys = NULL;
static int key_turn = 0;
static VerifiedEntry *verified = NULL;
static bool forget = false;

/* Everything may be in use when an invalidation comes: drop it at the next beginning. */
static void
signal_received(Datum arg, Oid relid)
{
	if (!OidIsValid(relid) || !steward_is_resolved() || relid == steward_table(STEWARD_TOKEN_SIGNAL))
		forget = true;
}

void
steward_keyring_init(void)
{
	CacheRegisterRelcacheCallback(signal_received, (Datum) 0);
}

/*
 * steward_keyring_begin
 *		To be called before a token is looked at: learns of what others have committed, and forgets what that ended.
 */
void
steward_keyring_begin(void)
{
	AcceptInvalidationMessages();
	if (!forget)
		return;
	forget = false;
	for (int i = 0; i < ISSUERS; i++)
		if (issuers[i].context)
		{
			MemoryContextDelete(issuers[i].context);
			memset(&issuers[i], 0, sizeof(issuers[i]));
		}
	for (int i = 0; keys != NULL && i < KEYS; i++)
		if (keys[i].used)
		{
			steward_jwk_free(&keys[i].jwk);
			keys[i].used = false;
		}
	if (verified != NULL)
		memset(verified, 0, sizeof(VerifiedEntry) * VERIFIED);
}

/* A text[] column as a list of C strings. */
static List *
text_list(const StewardRow *row, const char *column)
{
	bool isnull;
	Datum datum = steward_row_get(row, column, &isnull);
	List *list = NIL;
	Datum *elements;
	int n;

	if (isnull)
		return NIL;
	deconstruct_array(DatumGetArrayTypeP(datum), TEXTOID, -1, false, TYPALIGN_INT, &elements, NULL, &n);
	for (int i = 0; i < n; i++)
		list = lappend(list, TextDatumGetCString(elements[i]));
	return list;
}

/* An interval column in microseconds; days have 24 hours and months 30 days. */
static int64
interval_micros(const StewardRow *row, const char *column)
{
	bool isnull;
	Datum datum = steward_row_get(row, column, &isnull);
	Interval *interval;

	if (isnull)
		return 0;
	interval = DatumGetIntervalP(datum);
	return interval->time + ((int64) interval->month * DAYS_PER_MONTH + interval->day) * USECS_PER_DAY;
}

/* A column's text; NULL for a null one. */
static char *
text_of(const StewardRow *row, const char *column)
{
	bool isnull;
	Datum datum = steward_row_get(row, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(datum);
}

/* Copies a uuid column; false for a null one. */
static bool
uuid_of(const StewardRow *row, const char *column, pg_uuid_t *uuid)
{
	bool isnull;
	Datum datum = steward_row_get(row, column, &isnull);

	if (!isnull)
		*uuid = *DatumGetUUIDP(datum);
	return !isnull;
}

/* Parses a row of token_issuer, in the current memory context. */
static StewardIssuer *
parse_issuer(const StewardRow *row)
{
	static const char *const bindings[] = {"credential", "jti", "client_id", "azp", "sub"};
	StewardIssuer *issuer = palloc0(sizeof(StewardIssuer));
	char *binding = text_of(row, "binding");
	bool isnull;
	ListCell *lc;

	uuid_of(row, "org_id", &issuer->org);
	uuid_of(row, "id", &issuer->id);
	issuer->issuer = text_of(row, "issuer");
	issuer->issuer_len = strlen(issuer->issuer);
	issuer->own = DatumGetBool(steward_row_get(row, "own", &isnull));
	foreach (lc, text_list(row, "algorithms"))
		issuer->algorithms |= 1 << steward_alg_named(lfirst(lc), strlen(lfirst(lc)));
	issuer->algorithms &= ~(1 << STEWARD_ALG_NONE);
	issuer->audiences = text_list(row, "audiences");
	issuer->types = text_list(row, "types");
	issuer->leeway = interval_micros(row, "leeway");
	issuer->max_age = interval_micros(row, "max_age");
	for (int i = 0; i < (int) lengthof(bindings); i++)
		if (strcmp(binding, bindings[i]) == 0)
			issuer->binding = (StewardBinding) i;
	issuer->scopes_of_credential = strcmp(text_of(row, "scopes_from"), "credential") == 0;
	issuer->subject_is_oid = strcmp(text_of(row, "subject"), "oid") == 0;
	issuer->tenant = text_of(row, "tenant");
	uuid_of(row, "system_id", &issuer->system);
	issuer->has_directory = uuid_of(row, "directory_id", &issuer->directory);
	return issuer;
}

/*
 * steward_find_issuer
 *		The issuer with exactly this iss in the organization; NULL when there is none, or it is not accepted now.
 */
const StewardIssuer *
steward_find_issuer(const pg_uuid_t *org, const char *issuer, size_t len, Snapshot snapshot)
{
	Datum look_up[2] = {UUIDPGetDatum(org), PointerGetDatum(cstring_to_text_with_len(issuer, len))};
	StewardRow row;
	StewardVersion version;
	IssuerEntry *entry = NULL;
	MemoryContext context;
	MemoryContext old;
	bool isnull;

	if (!steward_fetch(STEWARD_TOKEN_ISSUER, snapshot, 2, look_up, &row) ||
		!DatumGetBool(steward_row_get(&row, "enabled", &isnull)))
		return NULL;
	steward_row_version(&row, &version);
	for (int i = 0; i < ISSUERS; i++)
	{
		IssuerEntry *e = &issuers[i];

		if (e->context == NULL || memcmp(&e->issuer->org, org, sizeof(pg_uuid_t)) != 0 ||
			e->issuer->issuer_len != len || memcmp(e->issuer->issuer, issuer, len) != 0)
			continue;
		if (memcmp(&e->version, &version, sizeof(version)) == 0)
			return e->issuer;
		entry = e;
		break;
	}
	if (entry == NULL)
		entry = &issuers[issuer_turn++ % ISSUERS];
	if (entry->context)
		MemoryContextDelete(entry->context);
	memset(entry, 0, sizeof(*entry));
	context = AllocSetContextCreate(CacheMemoryContext, "steward issuer", ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(context);
	entry->issuer = parse_issuer(&row);
	MemoryContextSwitchTo(old);
	entry->version = version;
	entry->context = context;
	return entry->issuer;
}

/* The parsed key of a row of token_key; NULL with the fault when it cannot be used. */
static StewardJwk *
parsed_key(const StewardRow *row, const pg_uuid_t *org, const pg_uuid_t *id, StewardAlg alg,
		   const StewardVersion *version, StewardFault *fault)
{
	KeyEntry *entry = NULL;
	const char *why;
	Datum datum;
	bool isnull;

	if (keys == NULL)
		keys = MemoryContextAllocZero(TopMemoryContext, sizeof(KeyEntry) * KEYS);
	for (int i = 0; i < KEYS; i++)
	{
		if (!keys[i].used || memcmp(&keys[i].id, id, sizeof(*id)) != 0 || memcmp(&keys[i].org, org, sizeof(*org)) != 0)
			continue;
		if (memcmp(&keys[i].version, version, sizeof(*version)) == 0)
			return &keys[i].jwk;
		entry = &keys[i];
		break;
	}
	if (entry == NULL)
		entry = &keys[key_turn++ % KEYS];
	if (entry->used)
		steward_jwk_free(&entry->jwk);
	entry->used = false;

	datum = steward_row_get(row, "jwk", &isnull);
	if (!isnull)
	{
		Jsonb *jsonb = DatumGetJsonbP(datum);
		char *json = JsonbToCString(NULL, &jsonb->root, VARSIZE(jsonb));

		why = steward_jwk_read(json, strlen(json), STEWARD_JWK_STORED, &entry->jwk);
		pfree(json);
		if (why == NULL && !steward_jwk_fits(&entry->jwk, alg))
		{
			steward_jwk_free(&entry->jwk);
			why = "algorithm";
		}
	}
	else
		why = steward_stored_secret(row, alg, &entry->jwk);
	if (why != NULL)
	{
		fault->problem = STEWARD_TOKEN_UNKNOWN_KEY;
		fault->why = "its key cannot be used on this server";
		return NULL;
	}
	entry->jwk.alg = alg;
	entry->org = *org;
	entry->id = *id;
	entry->version = *version;
	entry->used = true;
	return &entry->jwk;
}

/* A key that verifies now, for an algorithm. */
static bool
usable(const StewardRow *row, StewardAlg alg, TimestampTz now)
{
	bool isnull;
	text *algorithm = DatumGetTextPP(steward_row_get(row, "algorithm", &isnull));

	return steward_alg_named(VARDATA_ANY(algorithm), VARSIZE_ANY_EXHDR(algorithm)) == alg &&
		   DatumGetTimestampTz(steward_row_get(row, "retires_at", &isnull)) > now;
}

/* Looking for the only key of an issuer that fits. */
typedef struct OnlyKey
{
	StewardAlg alg;
	TimestampTz now;
	int found;
	pg_uuid_t id;
} OnlyKey;

static bool
visit_key(const StewardRow *row, void *arg)
{
	OnlyKey *only = arg;

	if (!usable(row, only->alg, only->now))
		return true;
	only->found++;
	uuid_of(row, "id", &only->id);
	return only->found < 2;
}

/* The row of the key that a token names, or the only one that fits when it names none. */
static bool
find_key(const StewardToken *token, Snapshot snapshot, TimestampTz now, StewardRow *row)
{
	const StewardIssuer *issuer = token->issuer;
	Datum look_up[3] = {UUIDPGetDatum(&issuer->org), UUIDPGetDatum(&issuer->id)};
	OnlyKey only = {.alg = token->header.alg, .now = now};

	if (token->header.has_kid)
	{
		look_up[2] = PointerGetDatum(cstring_to_text_with_len(token->header.kid, token->header.kid_len));
		return steward_fetch(STEWARD_TOKEN_KEY_KID, snapshot, 3, look_up, row) && usable(row, token->header.alg, now);
	}
	steward_scan(STEWARD_TOKEN_KEY_KID, snapshot, 2, look_up, visit_key, &only);
	if (only.found != 1)
		return false;
	look_up[1] = UUIDPGetDatum(&only.id);
	return steward_fetch(STEWARD_TOKEN_KEY, snapshot, 2, look_up, row);
}

/* SHA-256 of the whole token. */
static bool
token_digest(const StewardToken *token, unsigned char *digest)
{
	static EVP_MD *md = NULL;
	unsigned int len;

	if (md == NULL)
		md = EVP_MD_fetch(NULL, "SHA256", NULL);
	return EVP_Digest(token->text, token->len, digest, &len, md, NULL) == 1;
}

/*
 * steward_check_signature
 *		Whether the token is signed by a key of its issuer that verifies now; false with the fault otherwise.
 */
bool
steward_check_signature(StewardToken *token, Snapshot snapshot, TimestampTz now, StewardFault *fault)
{
	StewardAlg alg = token->header.alg;
	unsigned char signature[STEWARD_SIGNATURE_MAX + 4];
	size_t signature_len;
	unsigned char digest[32];
	StewardVersion version;
	VerifiedEntry *slot = NULL;
	StewardRow row;
	StewardJwk *jwk;
	bool isnull;

	if ((token->issuer->algorithms & (1 << alg)) == 0)
	{
		fault->problem = STEWARD_TOKEN_UNSUPPORTED;
		fault->why = "its algorithm is not one that this issuer's tokens may have";
		return false;
	}
	if (!find_key(token, snapshot, now, &row))
	{
		fault->problem = STEWARD_TOKEN_UNKNOWN_KEY;
		fault->why = token->header.has_kid ? "its issuer has no live key with this kid and algorithm"
										   : "it has no kid, and not exactly one key of its issuer fits";
		return false;
	}
	uuid_of(&row, "id", &token->key);
	token->key_epoch = DatumGetTimestampTz(steward_row_get(&row, "tokens_valid_after", &isnull));
	steward_row_version(&row, &version);

	if (!STEWARD_ALG_IS_HMAC(alg) && token_digest(token, digest))
	{
		uint32 n;

		if (verified == NULL)
			verified = MemoryContextAllocZero(TopMemoryContext, sizeof(VerifiedEntry) * VERIFIED);
		memcpy(&n, digest, sizeof(n));
		slot = &verified[n % VERIFIED];
		if (memcmp(slot->digest, digest, sizeof(digest)) == 0 &&
			memcmp(&slot->key, &token->key, sizeof(pg_uuid_t)) == 0 &&
			memcmp(&slot->org, &token->issuer->org, sizeof(pg_uuid_t)) == 0 &&
			memcmp(&slot->version, &version, sizeof(version)) == 0)
			return true;
	}

	if (!steward_base64_decode(token->parts.signature.at, token->parts.signature.len, signature, &signature_len))
	{
		fault->problem = STEWARD_TOKEN_MALFORMED;
		fault->why = "its signature is not base64url";
		return false;
	}
	jwk = parsed_key(&row, &token->issuer->org, &token->key, alg, &version, fault);
	if (jwk == NULL)
		return false;
	if (!steward_jwk_verify(jwk, alg, &token->parts.signed_part, signature, signature_len))
	{
		fault->problem = STEWARD_TOKEN_BAD_SIGNATURE;
		fault->why = "its signature is not that of the key";
		return false;
	}
	if (slot != NULL)
	{
		memcpy(slot->digest, digest, sizeof(digest));
		slot->org = token->issuer->org;
		slot->key = token->key;
		slot->version = version;
	}
	return true;
}

/*
 * tg_token_signal() → trigger
 *		Tells every session, here and on standbys, when this transaction commits, to forget parsed issuers and keys.
 */
Datum
steward_tg_token_signal(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("tg_token_signal() must be called as a trigger")));
	CacheInvalidateRelcacheByRelid(steward_table(STEWARD_TOKEN_SIGNAL));
	return PointerGetDatum(NULL);
}
