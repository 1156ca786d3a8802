/*
 * issue.c
 *		Minting opaque keys, and the digest that is all that stays of them.
 *
 * The secret is 256 random bits.  It leaves in the result of issue_key() and exists nowhere else: what is stored is
 * SHA-256("steward-key-1" || organization || credential || secret), which ties the digest to its row.
 */
#include "postgres.h"

#include <openssl/evp.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "core/authority.h"
#include "core/ids.h"
#include "core/plan.h"
#include "core/reference.h"
#include "credential/grant.h"
#include "credential/mint.h"
#include "credential/people.h"
#include "scope/scope.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_issue_key);

/* Ties the digest to its purpose. */
static const char digest_label[] = "steward-key-1";

/*
 * steward_key_digest
 *		The digest of a key, version STEWARD_DIGEST_VERSION; raises when OpenSSL cannot make it.
 */
void
steward_key_digest(const StewardKey *key, StewardDigest *digest)
{
	unsigned char input[sizeof(digest_label) - 1 + sizeof(StewardKey)];
	unsigned int len = 0;
	bool ok;

	StaticAssertStmt(sizeof(StewardKey) == 2 * STEWARD_KEY_ID_BYTES + STEWARD_KEY_SECRET_BYTES,
					 "a key is its three parts, one after the other");
	memcpy(input, digest_label, sizeof(digest_label) - 1);
	memcpy(input + sizeof(digest_label) - 1, key, sizeof(StewardKey));
	ok = EVP_Digest(input, sizeof(input), digest->data, &len, EVP_sha256(), NULL) == 1 && len == STEWARD_DIGEST_LEN;
	explicit_bzero(input, sizeof(input));
	if (!ok)
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not compute a digest"), errhidestmt(true)));
}

/* Arguments of issue_key(). */
typedef struct IssueRequest
{
	const pg_uuid_t *org;
	char *holder;
	Datum scopes;
	char *owner;
	Datum lifetime;
	bool has_lifetime;
	char *name;
	char *justification;
	char *ticket;
	char *environment;
	uint32 profiles;
	TimestampTz expires_at;
} IssueRequest;

/*
 * When the key ends: now and the lifetime asked for, or policy's default; raises when that is not in the future, or
 * beyond policy.
 */
static TimestampTz
expiry(const IssueRequest *request)
{
	static StewardPlan find = STEWARD_PLAN(
		"ui",
		"SELECT clock_timestamp() + coalesce($2, default_lifetime), "
		"coalesce($2, default_lifetime) < '1 second'::interval, "
		"clock_timestamp() + coalesce($2, default_lifetime) > clock_timestamp() + max_lifetime, max_lifetime::text "
		"FROM steward.credential_policy WHERE org_id = $1 AND kind = 'api_key'");
	Datum values[] = {UUIDPGetDatum(request->org), request->lifetime};
	bool nulls[] = {false, !request->has_lifetime};
	bool isnull;

	if (steward_run(&find, STEWARD_TRANSACTION, values, nulls) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_STEWARD_KIND_NOT_ALLOWED), errmsg("policy does not allow credentials of kind api_key"),
				 errhint("Add a row to steward.credential_policy.")));
	if (DatumGetBool(steward_result(0, 2, &isnull)))
		ereport(ERROR, (errcode(ERRCODE_STEWARD_LIFETIME_INVALID), errmsg("lifetime must be at least one second")));
	if (DatumGetBool(steward_result(0, 3, &isnull)))
		ereport(ERROR, (errcode(ERRCODE_STEWARD_LIFETIME_OVER_POLICY), errmsg("lifetime is longer than policy allows"),
						errdetail("The longest lifetime of an api_key is %s.", steward_result_text(0, 4))));
	return DatumGetTimestampTz(steward_result(0, 1, &isnull));
}

/* Stores the credential; answers with its id and fills in the key. */
static void
store(const IssueRequest *request, const StewardPerson *holder, const StewardPerson *owner, StewardKey *key,
	  pg_uuid_t *id)
{
	static StewardPlan insert_credential = STEWARD_PLAN(
		"uuuutdszttttn",
		"INSERT INTO steward.credential (org_id, id, kind, state, holder_id, owner_id, system_id, name, display, digest, "
		"digest_version, scopes, expires_at, auth_method, environment, source, justification, ticket, issued_by) "
		"SELECT $1, $2, 'api_key', 'active', $3, $4, s.id, $5, $9, $6, 1, $7, $8, 'bearer', $10, 'issued', $11, $12, $13 "
		"FROM steward.system s WHERE s.org_id = $1 AND s.name = 'steward'");
	StewardDigest digest;
	char display[STEWARD_KEY_DISPLAY_SIZE];
	NameData issued_by;
	char *environment = request->environment ? request->environment : holder->environment;

	steward_make_uuid7(id);
	memcpy(key->org, request->org->data, STEWARD_KEY_ID_BYTES);
	memcpy(key->credential, id->data, STEWARD_KEY_ID_BYTES);
	if (!pg_strong_random(key->secret, STEWARD_KEY_SECRET_BYTES))
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random values")));
	steward_key_digest(key, &digest);
	steward_key_display(key->credential, display);
	namestrcpy(&issued_by, steward_caller_name());
	{
		Datum values[] = {
			UUIDPGetDatum(request->org),
			UUIDPGetDatum(id),
			UUIDPGetDatum(&holder->id),
			UUIDPGetDatum(&owner->id),
			request->name ? CStringGetTextDatum(request->name) : (Datum) 0,
			PointerGetDatum(&digest),
			request->scopes,
			TimestampTzGetDatum(request->expires_at),
			CStringGetTextDatum(display),
			environment ? CStringGetTextDatum(environment) : (Datum) 0,
			request->justification ? CStringGetTextDatum(request->justification) : (Datum) 0,
			request->ticket ? CStringGetTextDatum(request->ticket) : (Datum) 0,
			NameGetDatum(&issued_by),
		};
		bool nulls[] = {false,
						false,
						false,
						false,
						request->name == NULL,
						false,
						false,
						false,
						false,
						environment == NULL,
						request->justification == NULL,
						request->ticket == NULL,
						false};

		if (steward_run(&insert_credential, STEWARD_TRANSACTION, values, nulls) != 1)
			ereport(ERROR, (errcode(ERRCODE_STEWARD_REFERENCE_UNKNOWN),
							errmsg("the built-in system \"steward\" is missing in this organization")));
	}
}

/*
 * issue_key(holder uuid | text, scopes scope_set, owner text DEFAULT NULL, lifetime interval DEFAULT NULL,
 *			 name text DEFAULT NULL, justification text DEFAULT NULL, ticket text DEFAULT NULL,
 *			 environment text DEFAULT NULL, org uuid DEFAULT default_org())
 *		→ (credential_id uuid, secret text, expires_at timestamptz)
 *
 *		Mints an API key.  The secret is shown here and never again.
 *
 * The owner is by default the holder, if human, else the holder's owner.  lifetime is by default that of
 * credential_policy.  The scopes must be within the holder's effective scopes; an admin's call records a direct grant
 * for what is missing, unless the organization's policy turned implicit_grant off.  Needs app or admin.  Raises ST1xx
 * for references, ST2xx for rules (doc/errors.md).
 */
Datum
steward_issue_key(PG_FUNCTION_ARGS)
{
	IssueRequest request = {0};
	StewardKey key;
	pg_uuid_t id;
	char text_of_key[STEWARD_KEY_CHARS];
	TupleDesc desc;
	Datum values[3];
	bool nulls[3] = {false, false, false};

	request.holder = steward_reference_arg(fcinfo, 0, "holder", true);
	if (PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("scopes must not be null")));
	request.scopes = PG_GETARG_DATUM(1);
	request.owner = steward_text_arg(fcinfo, 2, "owner", false);
	request.has_lifetime = !PG_ARGISNULL(3);
	request.lifetime = request.has_lifetime ? PG_GETARG_DATUM(3) : (Datum) 0;
	request.name = steward_name_arg(fcinfo, 4, "name", 200, false);
	request.justification = steward_note_arg(fcinfo, 5, "justification");
	request.ticket = steward_name_arg(fcinfo, 6, "ticket", 200, false);
	request.environment = steward_name_arg(fcinfo, 7, "environment", 63, false);
	request.org = steward_org_arg(fcinfo, 8);
	request.profiles = steward_require(request.org, STEWARD_PROFILE_APP | STEWARD_PROFILE_ADMIN);
	PreventCommandIfReadOnly("issue_key()");
	if (steward_scope_set_cardinality(DatumGetScopeSetP(request.scopes)) == 0)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_SCOPES_REQUIRED), errmsg("a credential needs at least one scope"),
						errdetail("What it may do is part of what is governed.")));
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "issue_key() does not return a row");

	STEWARD_AS_OWNER();
	{
		StewardPerson holder;
		StewardPerson owner;
		pg_uuid_t *holder_id = steward_resolve(STEWARD_REF_PRINCIPAL, request.org, request.holder, "holder");
		pg_uuid_t *owner_id =
			request.owner ? steward_resolve(STEWARD_REF_PRINCIPAL, request.org, request.owner, "owner") : NULL;

		steward_lock_pair(request.org, holder_id, owner_id, &holder, &owner);
		request.expires_at = expiry(&request);
		steward_require_scopes(request.org, &holder.id, holder.name, request.scopes,
							   (request.profiles & STEWARD_PROFILE_ADMIN) != 0, request.justification, request.ticket);
		store(&request, &holder, &owner, &key, &id);
	}
	STEWARD_AS_OWNER_END();

	steward_key_print(&key, text_of_key);
	explicit_bzero(&key, sizeof(key));
	values[0] = UUIDPGetDatum(&id);
	values[1] = PointerGetDatum(cstring_to_text_with_len(text_of_key, STEWARD_KEY_CHARS));
	values[2] = TimestampTzGetDatum(request.expires_at);
	explicit_bzero(text_of_key, sizeof(text_of_key));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
