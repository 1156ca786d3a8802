/*
 * checkpoint.c
 *		Checkpoints: what is sealed, signed, to be kept where the database's owner cannot reach it.
 *
 * A checkpoint is a C2SP tlog-checkpoint in a signed note with an Ed25519 signature.  Before one is signed, the tree is
 * compared with the last one that was: a log that is no continuation of it is never signed.  What a transaction has
 * sealed itself is not handed out by it, for it could still be rolled back.
 *
 * The private key is sealed under the key file (core/sealing.c), and made when it is first needed.
 */
#include "postgres.h"

#include <openssl/evp.h>

#include "access/xact.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "audit/event_scan.h"
#include "audit/incarnation.h"
#include "audit/log.h"
#include "audit/merkle_sql.h"
#include "audit/tiles.h"
#include "core/authority.h"
#include "core/health.h"
#include "core/ids.h"
#include "core/plan.h"
#include "core/reference.h"
#include "core/relation.h"
#include "core/sealing.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_checkpoint);
PG_FUNCTION_INFO_V1(steward_verify_checkpoint);
PG_FUNCTION_INFO_V1(steward_checkpoint_delivered);
PG_FUNCTION_INFO_V1(steward_rotate_log_key);
PG_FUNCTION_INFO_V1(steward_log_key);

#define ALGORITHM "Ed25519"

/* What can go wrong in the library and nowhere else. */
static void
crypto_failed(const char *what)
{
	ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not %s", what)));
}

/* Makes a key pair. */
static void
make_key_pair(unsigned char private_key[STEWARD_ED25519_KEY_LEN], unsigned char public_key[STEWARD_ED25519_KEY_LEN])
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, NULL);
	EVP_PKEY *pair = NULL;
	size_t len = STEWARD_ED25519_KEY_LEN;
	size_t public_len = STEWARD_ED25519_KEY_LEN;
	bool ok = ctx != NULL && EVP_PKEY_keygen_init(ctx) == 1 && EVP_PKEY_keygen(ctx, &pair) == 1 &&
			  EVP_PKEY_get_raw_private_key(pair, private_key, &len) == 1 &&
			  EVP_PKEY_get_raw_public_key(pair, public_key, &public_len) == 1;

	EVP_PKEY_free(pair);
	EVP_PKEY_CTX_free(ctx);
	if (!ok)
		crypto_failed("make an Ed25519 key");
}

/* Signs; the private key is wiped by the caller. */
static bool
sign(const unsigned char *private_key, const char *text, size_t len,
	 unsigned char signature[STEWARD_ED25519_SIGNATURE_LEN])
{
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, private_key, STEWARD_ED25519_KEY_LEN);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t signature_len = STEWARD_ED25519_SIGNATURE_LEN;
	bool ok = key != NULL && ctx != NULL && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
			  EVP_DigestSign(ctx, signature, &signature_len, (const unsigned char *) text, len) == 1;

	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	return ok;
}

/* Whether a signature is valid. */
static bool
signature_valid(const unsigned char *public_key, const char *text, size_t len, const unsigned char *signature)
{
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, STEWARD_ED25519_KEY_LEN);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = key != NULL && ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
			  EVP_DigestVerify(ctx, signature, STEWARD_ED25519_SIGNATURE_LEN, (const unsigned char *) text, len) == 1;

	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	return ok;
}

/* What a signing key is sealed for. */
static StewardSealedFor
sealed_for(const pg_uuid_t *org, const pg_uuid_t *id)
{
	return (StewardSealedFor){
		.org = org, .key = DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(id))), .algorithm = ALGORITHM};
}

/* Records an event of steward's own in the log itself. */
static void
record_own(const pg_uuid_t *org, const char *action, const char *member, const char *value)
{
	StringInfoData json;
	StewardEvent event = {.org = org, .action = action, .version = 1};

	initStringInfo(&json);
	appendStringInfo(&json, "{\"%s\": \"%s\"}", member, value);
	event.metadata = DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
	steward_write_event(&event);
}

/* Makes the organization's signing key. */
static void
make_signing_key(const pg_uuid_t *org, pg_uuid_t *id)
{
	static StewardPlan insert_key = STEWARD_PLAN(
		"uuyy", "INSERT INTO steward.audit_key (org_id, id, public_key, sealed_key) VALUES ($1, $2, $3, $4)");
	unsigned char private_key[STEWARD_ED25519_KEY_LEN];
	StewardHash public_key;
	StewardSealedFor what;
	bytea *volatile sealed = NULL;

	steward_make_uuid7(id);
	what = sealed_for(org, id);
	PG_TRY();
	{
		make_key_pair(private_key, public_key.bytes);
		sealed = steward_seal(&what, private_key, sizeof(private_key));
	}
	PG_FINALLY();
	{
		explicit_bzero(private_key, sizeof(private_key));
	}
	PG_END_TRY();
	{
		Datum values[] = {UUIDPGetDatum(org), UUIDPGetDatum(id), steward_hash_datum(&public_key),
						  PointerGetDatum(sealed)};

		steward_run(&insert_key, STEWARD_LATEST, values, NULL);
	}
	record_own(org, "steward.log_key_made", "key", what.key);
}

/* Loads the signing key in use into private_key, which the caller wipes; makes one where there is none. */
static void
load_signing_key(const pg_uuid_t *org, pg_uuid_t *id, unsigned char private_key[STEWARD_ED25519_KEY_LEN],
				 unsigned char public_key[STEWARD_ED25519_KEY_LEN])
{
	static StewardPlan find = STEWARD_PLAN("u", "SELECT id, public_key, sealed_key FROM steward.audit_key "
												"WHERE org_id = $1 AND retired_at IS NULL");
	Datum value = UUIDPGetDatum(org);
	StewardSealedFor what;
	bytea *sealed;
	bytea *public_value;
	bool isnull;

	if (steward_run(&find, STEWARD_LATEST, &value, NULL) == 0)
	{
		make_signing_key(org, id);
		CommandCounterIncrement();
		if (steward_run(&find, STEWARD_LATEST, &value, NULL) == 0)
			elog(ERROR, "a signing key has gone");
	}
	*id = *DatumGetUUIDP(steward_result(0, 1, &isnull));
	public_value = DatumGetByteaPP(steward_result(0, 2, &isnull));
	sealed = DatumGetByteaPCopy(steward_result(0, 3, &isnull));
	if (VARSIZE_ANY_EXHDR(public_value) != STEWARD_ED25519_KEY_LEN)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_SEAL_BROKEN), errmsg("a signing key is damaged")));
	memcpy(public_key, VARDATA_ANY(public_value), STEWARD_ED25519_KEY_LEN);
	what = sealed_for(org, id);
	if (steward_unseal(&what, sealed, private_key, STEWARD_ED25519_KEY_LEN) != STEWARD_ED25519_KEY_LEN)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_SEAL_BROKEN), errmsg("a signing key is damaged")));
}

/* Raises unless the log goes on from the last checkpoint that was signed, and its tiles give its root. */
static void
check_consistent(const StewardLog *log)
{
	static StewardPlan last = STEWARD_PLAN("ul", "SELECT size, root FROM steward.audit_checkpoint WHERE org_id = $1 "
												 "AND incarnation = $2::integer ORDER BY size DESC LIMIT 1");
	Datum values[] = {UUIDPGetDatum(&log->org), Int64GetDatum(log->incarnation)};
	StewardHash root;
	bool consistent = true;

	if (steward_run(&last, STEWARD_LATEST, values, NULL) > 0)
	{
		bool isnull;
		uint64 size = (uint64) DatumGetInt64(steward_result(0, 1, &isnull));
		bytea *signed_root = DatumGetByteaPCopy(steward_result(0, 2, &isnull));

		consistent = size <= log->size;
		if (consistent)
		{
			steward_stored_root(log, size, &root);
			consistent = VARSIZE_ANY_EXHDR(signed_root) == STEWARD_HASH_LEN &&
						 memcmp(VARDATA_ANY(signed_root), root.bytes, STEWARD_HASH_LEN) == 0;
		}
	}
	if (consistent)
	{
		steward_stored_root(log, log->size, &root);
		consistent = memcmp(&root, &log->root, sizeof(root)) == 0;
	}
	if (!consistent)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_LOG_INCONSISTENT),
						errmsg("the audit log does not continue what was signed before"),
						errdetail("Nothing is signed: log \"%s\" at size " UINT64_FORMAT ".", log->origin, log->size),
						errhint("Run SELECT * FROM steward.verify_audit(full => true).")));
}

/* The checkpoint of the log at its size that was signed already; NULL when there is none. */
static char *
find_checkpoint(const StewardLog *log)
{
	static StewardPlan find = STEWARD_PLAN("ull", "SELECT note FROM steward.audit_checkpoint WHERE org_id = $1 "
												  "AND incarnation = $2::integer AND size = $3");
	Datum values[] = {UUIDPGetDatum(&log->org), Int64GetDatum(log->incarnation), Int64GetDatum((int64) log->size)};

	if (steward_run(&find, STEWARD_LATEST, values, NULL) == 0)
		return NULL;
	return steward_result_text(0, 1);
}

/*
 * steward_sign_checkpoint
 *		Signs the log as it is sealed and keeps the checkpoint; returns the note.  The log's lock is held.
 *
 * Raises ST604 when the log is no continuation of what was signed before, and ST601 to ST603 without its key.
 */
char *
steward_sign_checkpoint(const StewardLog *log)
{
	static StewardPlan insert_checkpoint =
		STEWARD_PLAN("ullyut", "INSERT INTO steward.audit_checkpoint (org_id, incarnation, size, root, key_id, note) "
							   "VALUES ($1, $2::integer, $3, $4, $5, $6)");
	unsigned char private_key[STEWARD_ED25519_KEY_LEN];
	unsigned char public_key[STEWARD_ED25519_KEY_LEN];
	unsigned char signature[STEWARD_ED25519_SIGNATURE_LEN];
	uint8 key_hash[4];
	char body[STEWARD_NOTE_BODY_SIZE];
	char *note = palloc(STEWARD_NOTE_SIZE);
	pg_uuid_t key_id;
	size_t len;
	volatile bool is_signed = false;

	check_consistent(log);
	len = steward_note_body(log->origin, log->size, &log->root, body);
	PG_TRY();
	{
		load_signing_key(&log->org, &key_id, private_key, public_key);
		is_signed = sign(private_key, body, len, signature);
	}
	PG_FINALLY();
	{
		explicit_bzero(private_key, sizeof(private_key));
	}
	PG_END_TRY();
	/* A fault in the signature would not be seen before somebody needs it. */
	if (!is_signed || !signature_valid(public_key, body, len, signature) ||
		!steward_note_key_hash(log->origin, strlen(log->origin), public_key, key_hash))
		crypto_failed("sign a checkpoint");
	steward_note_print(body, log->origin, key_hash, signature, note);
	{
		Datum values[] = {UUIDPGetDatum(&log->org),			Int64GetDatum(log->incarnation),
						  Int64GetDatum((int64) log->size), steward_hash_datum(&log->root),
						  UUIDPGetDatum(&key_id),			CStringGetTextDatum(note)};

		steward_run(&insert_checkpoint, STEWARD_LATEST, values, NULL);
	}
	return note;
}

/*
 * checkpoint(org uuid DEFAULT default_org()) → note text
 *		A signed checkpoint of the log as it was sealed last, to be kept elsewhere; auditors and admins.
 *
 * Raises ST606 when nothing has been sealed, 55000 when this very transaction has sealed (it might be rolled back), ST604
 * when the log is no continuation of the checkpoint before, ST601 without a key file.
 */
Datum
steward_checkpoint(PG_FUNCTION_ARGS)
{
	const pg_uuid_t *org = steward_org_arg(fcinfo, 0);
	MemoryContext context = CurrentMemoryContext;
	text *volatile result = NULL;

	steward_require(org, STEWARD_PROFILE_AUDITOR);
	PreventCommandIfReadOnly("checkpoint()");
	STEWARD_AS_OWNER();
	{
		StewardLog log;
		char *note;
		MemoryContext old_context;

		steward_lock_log(org);
		steward_require_log(org, &log);
		if (log.sealed_by == U64FromFullTransactionId(GetTopFullTransactionIdIfAny()))
			ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
							errmsg("cannot hand out a checkpoint of what this transaction has sealed"),
							errhint("Commit first: a checkpoint must not tell of what may be rolled back.")));
		/* What sealed it has committed, so it is visible; what is visible is on disk only after this. */
		steward_flush_wal();
		note = find_checkpoint(&log);
		if (note == NULL)
		{
			note = steward_sign_checkpoint(&log);
			ForceSyncCommit();
		}
		else
			check_consistent(&log);
		old_context = MemoryContextSwitchTo(context);
		result = cstring_to_text(note);
		MemoryContextSwitchTo(old_context);
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_TEXT_P(result);
}

/*
 * steward_checkpoint_valid
 *		Whether a text is a checkpoint with a valid signature by the verification key.
 */
bool
steward_checkpoint_valid(const char *text, size_t len, const char *key_text, size_t key_len)
{
	StewardNote note;
	StewardNoteKey key;
	const StewardNoteSignature *signature;

	return steward_note_parse(text, len, &note) && steward_note_key_parse(key_text, key_len, &key) &&
		   /* The log's own key is named like the log. */
		   note.origin_len == key.name_len && memcmp(note.origin, key.name, key.name_len) == 0 &&
		   steward_note_find_signature(&note, &key, &signature) &&
		   signature_valid(key.public_key, text, note.signed_len, signature->signature);
}

/*
 * verify_checkpoint(checkpoint text, public_key text) → boolean
 *		Whether the text is a checkpoint that the key, NAME+HASH+KEY as audit_log_keys shows it, has signed.
 *
 * Never raises: what is null or malformed is false.  Needs nothing of this database.
 */
Datum
steward_verify_checkpoint(PG_FUNCTION_ARGS)
{
	text *note;
	text *key;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_BOOL(false);
	note = PG_GETARG_TEXT_PP(0);
	key = PG_GETARG_TEXT_PP(1);
	PG_RETURN_BOOL(
		steward_checkpoint_valid(VARDATA_ANY(note), VARSIZE_ANY_EXHDR(note), VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key)));
}

/*
 * log_key(origin text, public_key bytea) → text
 *		The verification key of a log as text: NAME+HASH+KEY of C2SP signed notes.
 */
Datum
steward_log_key(PG_FUNCTION_ARGS)
{
	char *origin = text_to_cstring(PG_GETARG_TEXT_PP(0));
	bytea *key = PG_GETARG_BYTEA_PP(1);
	char text[STEWARD_NOTE_KEY_SIZE];

	if (!steward_note_name_valid(origin, strlen(origin)) || VARSIZE_ANY_EXHDR(key) != STEWARD_ED25519_KEY_LEN ||
		steward_note_key_print(origin, (const uint8 *) VARDATA_ANY(key), text) == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid name or key of a log")));
	PG_RETURN_TEXT_P(cstring_to_text(text));
}

/*
 * checkpoint_delivered(checkpoint text, delivered_to text, org uuid DEFAULT default_org()) → delivered boolean
 *		Records that a checkpoint is kept elsewhere: true, or false when that was known already.
 *
 * Raises ST604 for a checkpoint that this log has not signed.
 */
Datum
steward_checkpoint_delivered(PG_FUNCTION_ARGS)
{
	static StewardPlan deliver =
		STEWARD_PLAN("utt", "UPDATE steward.audit_checkpoint SET delivered_at = clock_timestamp(), delivered_to = $3 "
							"WHERE org_id = $1 AND note = $2 AND delivered_at IS NULL RETURNING size::text");
	static StewardPlan known =
		STEWARD_PLAN("ut", "SELECT FROM steward.audit_checkpoint WHERE org_id = $1 AND note = $2");
	char *where = steward_name_arg(fcinfo, 1, "delivered_to", 1000, true);
	const pg_uuid_t *org = steward_org_arg(fcinfo, 2);
	volatile bool delivered = false;

	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("checkpoint must not be null")));
	steward_require(org, STEWARD_PROFILE_AUDITOR);
	PreventCommandIfReadOnly("checkpoint_delivered()");
	STEWARD_AS_OWNER();
	{
		Datum values[] = {UUIDPGetDatum(org), PG_GETARG_DATUM(0), CStringGetTextDatum(where)};

		delivered = steward_run(&deliver, STEWARD_TRANSACTION, values, NULL) > 0;
		if (!delivered && steward_run(&known, STEWARD_TRANSACTION, values, NULL) == 0)
			ereport(ERROR, (errcode(ERRCODE_STEWARD_LOG_INCONSISTENT),
							errmsg("this checkpoint is not one that was signed here"),
							errhint("Pass the text exactly as steward.checkpoint() returned it. If it is, and was "
									"signed by the log's key, the history of checkpoints has been changed.")));
		if (delivered)
			record_own(org, "steward.checkpoint_delivered", "size", steward_result_text(0, 1));
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_BOOL(delivered);
}

/*
 * rotate_log_key(org uuid DEFAULT default_org()) → rotated boolean
 *		Retires the key that signs the organization's checkpoints; the next one is signed by a new key.  Admins.
 *
 * False when there is no key yet.  What the old key signed stays valid, and audit_log_keys goes on showing it.
 */
Datum
steward_rotate_log_key(PG_FUNCTION_ARGS)
{
	static StewardPlan retire = STEWARD_PLAN("u", "UPDATE steward.audit_key SET retired_at = clock_timestamp() "
												  "WHERE org_id = $1 AND retired_at IS NULL RETURNING id::text");
	const pg_uuid_t *org = steward_org_arg(fcinfo, 0);
	volatile bool rotated = false;

	steward_require(org, STEWARD_PROFILE_ADMIN);
	PreventCommandIfReadOnly("rotate_log_key()");
	STEWARD_AS_OWNER();
	{
		Datum value = UUIDPGetDatum(org);

		steward_lock_log(org);
		rotated = steward_run(&retire, STEWARD_TRANSACTION, &value, NULL) > 0;
		if (rotated)
			record_own(org, "steward.log_key_retired", "key", steward_result_text(0, 1));
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_BOOL(rotated);
}

/*
 * steward_reseal_log_keys
 *		Seals the signing keys anew under the first key of the key file; returns how many had to be.
 */
int64
steward_reseal_log_keys(void)
{
	static StewardPlan all = STEWARD_PLAN("", "SELECT org_id, id, sealed_key FROM steward.audit_key "
											  "ORDER BY org_id, id FOR UPDATE");
	static StewardPlan update_key =
		STEWARD_PLAN("uuy", "UPDATE steward.audit_key SET sealed_key = $3 WHERE org_id = $1 AND id = $2");
	uint64 n = steward_run(&all, STEWARD_TRANSACTION, NULL, NULL);
	SPITupleTable *rows = SPI_tuptable;
	int64 resealed = 0;

	for (uint64 i = 0; i < n; i++)
	{
		bool isnull;
		pg_uuid_t *org = DatumGetUUIDP(SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &isnull));
		pg_uuid_t *id = DatumGetUUIDP(SPI_getbinval(rows->vals[i], rows->tupdesc, 2, &isnull));
		StewardSealedFor what = sealed_for(org, id);
		bytea *again = steward_reseal(&what, DatumGetByteaPP(SPI_getbinval(rows->vals[i], rows->tupdesc, 3, &isnull)));

		CHECK_FOR_INTERRUPTS();
		if (again)
		{
			Datum values[] = {UUIDPGetDatum(org), UUIDPGetDatum(id), PointerGetDatum(again)};

			steward_run(&update_key, STEWARD_TRANSACTION, values, NULL);
			resealed++;
		}
	}
	return resealed;
}

/*
 * steward_check_log
 *		Health: what holds sealing up, and whether checkpoints leave the database.
 */
void
steward_check_log(ReturnSetInfo *rsinfo)
{
	/* The oldest transaction of the cluster, by whatever holds it. */
	static StewardPlan holder = STEWARD_PLAN(
		"", "SELECT what FROM (SELECT 'session ' || pid AS what, backend_xid AS xid FROM pg_stat_activity "
			"WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid() AND xact_start < clock_timestamp() - "
			"'15 minutes'::interval UNION ALL SELECT 'prepared transaction ' || quote_literal(gid), transaction "
			"FROM pg_prepared_xacts WHERE prepared < clock_timestamp() - '15 minutes'::interval) h "
			"ORDER BY age(xid) DESC LIMIT 1");
	static StewardPlan late = STEWARD_PLAN(
		"",
		"SELECT count(*)::text, min(o.slug) FROM steward.organization o JOIN steward.org_policy p ON p.org_id = o.id "
		"WHERE EXISTS (SELECT FROM steward.audit_checkpoint c WHERE c.org_id = o.id "
		"AND c.signed_at < clock_timestamp() - p.checkpoint_delivery) AND NOT EXISTS (SELECT FROM "
		"steward.audit_checkpoint c WHERE c.org_id = o.id AND c.delivered_at >= clock_timestamp() - "
		"p.checkpoint_delivery)");
	char *what;
	char *count;

	steward_run(&holder, STEWARD_TRANSACTION, NULL, NULL);
	what = SPI_processed > 0 ? steward_result_text(0, 1) : NULL;
	if (what)
		steward_health_answer(
			rsinfo, "sealing", "warning",
			psprintf("held up by an old transaction: %s; what was recorded since waits", what),
			"SELECT pid, state, xact_start, query FROM pg_stat_activity WHERE backend_xid IS NOT NULL; "
			"SELECT * FROM pg_prepared_xacts;");
	else
		steward_health_answer(rsinfo, "sealing", "ok", "nothing holds it up", NULL);
	steward_run(&late, STEWARD_TRANSACTION, NULL, NULL);
	count = steward_result_text(0, 1);
	if (strcmp(count, "0") != 0)
		steward_health_answer(
			rsinfo, "checkpoints", "warning",
			psprintf("none was delivered in time in %s organizations, first %s", count, steward_result_text(0, 2)),
			"SELECT steward.checkpoint(); -- keep it elsewhere, then steward.checkpoint_delivered()");
	else
		steward_health_answer(rsinfo, "checkpoints", "ok", "delivered in time, or none was signed yet", NULL);
}
