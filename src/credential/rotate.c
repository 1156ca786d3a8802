/*
 * rotate.c
 *		A credential's successor, and more time for one that is within policy.
 *
 * Both lock holder and owner first, then the credential, and decide on what they read then.  A credential has at most
 * one successor: an index says so, and who comes second gets a clear error.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "core/authority.h"
#include "core/ids.h"
#include "core/plan.h"
#include "core/reference.h"
#include "core/secret.h"
#include "credential/mint.h"
#include "credential/people.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_rotate);
PG_FUNCTION_INFO_V1(steward_extend_credential);

/* A credential, locked. */
typedef struct Locked
{
	pg_uuid_t id;
	char *state;
	char *display;
	char *kind;
	char *successor; /* display form, NULL when there is none */
	bool native;	 /* its secret is ours */
	bool expired;
} Locked;

/* Locks holder and owner, then the credential, and reads it; raises unless it is live enough to go on with. */
static void
lock_credential(const pg_uuid_t *org, const char *reference, uint32 profiles, Locked *locked)
{
	static StewardPlan find = STEWARD_PLAN(
		"uu", "SELECT holder_id, owner_id, issued_by, state FROM steward.credential WHERE org_id = $1 AND id = $2");
	static StewardPlan lock =
		STEWARD_PLAN("uu", "SELECT FROM steward.credential WHERE org_id = $1 AND id = $2 FOR UPDATE");
	/* A statement of its own: what the lock waited for is seen only by the next snapshot. */
	static StewardPlan look = STEWARD_PLAN(
		"uu",
		"SELECT c.state, c.display, c.kind, y.revocation_path = 'native' AND c.digest IS NOT NULL AND c.kind = 'api_key', "
		"coalesce(c.expires_at <= clock_timestamp(), false), (SELECT s.display FROM steward.credential s "
		"WHERE s.org_id = c.org_id AND s.parent_id = c.id AND s.parent_kind = 'rotated_from') "
		"FROM steward.credential c JOIN steward.system y ON y.org_id = c.org_id AND y.id = c.system_id "
		"WHERE c.org_id = $1 AND c.id = $2");
	Datum values[2] = {UUIDPGetDatum(org)};
	StewardPerson holder;
	StewardPerson owner;
	pg_uuid_t holder_id;
	pg_uuid_t owner_id;
	bool isnull;

	locked->id = *steward_resolve(STEWARD_REF_CREDENTIAL, org, reference, "credential");
	values[1] = UUIDPGetDatum(&locked->id);
	steward_run(&find, STEWARD_LATEST, values, NULL);
	if ((profiles & STEWARD_PROFILE_ADMIN) == 0)
	{
		Oid issuer = get_role_oid(steward_result_text(0, 3), true);

		if (!OidIsValid(issuer) || !has_privs_of_role(steward_caller(), issuer))
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied to change this credential"),
					 errdetail("With profile app only, a role can rotate and extend what it issued itself.")));
	}
	if (strcmp(steward_result_text(0, 4), "discovered") == 0)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_CREDENTIAL_NOT_LIVE),
						errmsg("credential \"%s\" was only discovered", reference),
						errhint("Claim it first with steward.claim_credential().")));
	if (strcmp(steward_result_text(0, 4), "active") == 0)
	{
		holder_id = *DatumGetUUIDP(steward_result(0, 1, &isnull));
		owner_id = *DatumGetUUIDP(steward_result(0, 2, &isnull));
		steward_lock_pair(org, &holder_id, &owner_id, &holder, &owner);
	}
	steward_run(&lock, STEWARD_LATEST, values, NULL);
	steward_run(&look, STEWARD_LATEST, values, NULL);
	locked->state = steward_result_text(0, 1);
	locked->display = steward_result_text(0, 2);
	locked->kind = steward_result_text(0, 3);
	locked->native = DatumGetBool(steward_result(0, 4, &isnull));
	locked->expired = DatumGetBool(steward_result(0, 5, &isnull));
	locked->successor = steward_result_text(0, 6);
	if (locked->successor)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_ALREADY_ROTATED),
						errmsg("credential \"%s\" has been rotated already", locked->display),
						errdetail("Its successor is \"%s\".", locked->successor)));
	if (strcmp(locked->state, "active") != 0)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_CREDENTIAL_NOT_LIVE),
						errmsg("credential \"%s\" is %s", locked->display, locked->state),
						errdetail("Only an active one can be rotated or extended.")));
}

/* Makes the successor of a native key; the secret is in key. */
static pg_noinline void
store_successor(const pg_uuid_t *org, const Locked *old, StewardKey *key, const char *external_id, pg_uuid_t *id,
				TimestampTz *expires_at, bool *expires)
{
	/* The lifetime is what the old one had, within what policy allows now. */
	static StewardPlan insert = STEWARD_PLAN(
		"uuudtnt",
		"INSERT INTO steward.credential (org_id, id, kind, state, holder_id, owner_id, second_owner_id, system_id, name, "
		"display, external_id, digest, digest_version, scopes, external_permissions, expires_at, auth_method, "
		"storage_location, parent_id, parent_kind, environment, source, justification, ticket, approved_by, tags, issued_by) "
		"SELECT c.org_id, $3, c.kind, 'active', c.holder_id, c.owner_id, c.second_owner_id, c.system_id, c.name, "
		"coalesce($5, left(coalesce(c.name, $7), 200)), $7, $4, CASE WHEN $4 IS NOT NULL THEN 1 END, c.scopes, "
		"CASE WHEN $7 IS NOT NULL THEN c.external_permissions END, "
		"CASE WHEN c.expires_at IS NOT NULL THEN clock_timestamp() + LEAST(c.expires_at - c.issued_at, p.max_lifetime) END, "
		"c.auth_method, c.storage_location, c.id, 'rotated_from', c.environment, CASE WHEN $7 IS NULL THEN 'issued' "
		"ELSE 'registered' END, c.justification, c.ticket, c.approved_by, c.tags, $6 FROM steward.credential c "
		"JOIN steward.credential_policy p ON p.org_id = c.org_id AND p.kind = c.kind "
		"WHERE c.org_id = $1 AND c.id = $2 ON CONFLICT DO NOTHING RETURNING expires_at");
	StewardDigest digest;
	char display[STEWARD_KEY_DISPLAY_SIZE];
	NameData caller;
	bool isnull;

	steward_make_uuid7(id);
	memcpy(key->org, org->data, STEWARD_KEY_ID_BYTES);
	memcpy(key->credential, id->data, STEWARD_KEY_ID_BYTES);
	if (!pg_strong_random(key->secret, STEWARD_KEY_SECRET_BYTES))
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random values")));
	steward_key_digest(key, &digest);
	steward_key_display(key->credential, display);
	namestrcpy(&caller, steward_caller_name());
	{
		Datum values[] = {UUIDPGetDatum(org),
						  UUIDPGetDatum(&old->id),
						  UUIDPGetDatum(id),
						  PointerGetDatum(&digest),
						  CStringGetTextDatum(display),
						  NameGetDatum(&caller),
						  external_id ? CStringGetTextDatum(external_id) : (Datum) 0};
		bool nulls[] = {false, false, false, external_id != NULL, external_id != NULL, false, external_id == NULL};

		if (steward_run(&insert, STEWARD_LATEST, values, nulls) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_STEWARD_ALREADY_EXISTS),
					 errmsg("the successor of \"%s\" cannot be stored", old->display),
					 errdetail("Its external id is on record already, or policy knows no credentials of its kind.")));
	}
	*expires_at = DatumGetTimestampTz(steward_result(0, 1, &isnull));
	*expires = !isnull;
}

/* Ends the old one: at once, by revoking it, or when the overlap is over. */
static void
end_old(const pg_uuid_t *org, const Locked *old, Datum overlap, bool at_once)
{
	static StewardPlan expire = STEWARD_PLAN(
		"uui",
		"UPDATE steward.credential SET expires_at = LEAST(expires_at, clock_timestamp() + $3), rotate_by = NULL, "
		"rotate_reason = NULL WHERE org_id = $1 AND id = $2");
	static StewardPlan revoke =
		STEWARD_PLAN("uu", "SELECT r.credentials FROM steward.revoke($2, 'superseded', org => $1) AS r");
	Datum values[] = {UUIDPGetDatum(org), UUIDPGetDatum(&old->id), overlap};

	steward_run(at_once ? &revoke : &expire, STEWARD_LATEST, values, NULL);
}

/*
 * rotate(credential uuid | text, overlap interval DEFAULT '0', external_id text DEFAULT NULL,
 *		  org uuid DEFAULT default_org()) → (credential_id uuid, secret text, expires_at timestamptz)
 *
 *		Makes the successor of a credential: the same holder, owner, scopes and lifetime, a new secret, shown once.
 *
 * The old one is revoked at once, as superseded, or ends after the overlap.  For one that lives in another system, the
 * new one is made there; external_id is its identifier, and secret is null.  Needs admin, or app for what the calling
 * role issued.  Raises ST224 when it has a successor, ST225 when it is not active, ST233 when external_id is missing or
 * out of place.
 */
Datum
steward_rotate(PG_FUNCTION_ARGS)
{
	char *reference;
	char *external_id;
	const pg_uuid_t *org;
	uint32 profiles;
	StewardKey key;
	pg_uuid_t id;
	char text_of_key[STEWARD_KEY_CHARS];
	TimestampTz expires_at = 0;
	bool expires = false;
	TupleDesc desc;
	Datum values[3];
	bool nulls[3] = {false, false, false};
	Interval zero = {0};
	Interval year = {.month = 12};
	bool at_once;

	STEWARD_HIDE_STATEMENT();
	reference = steward_reference_arg(fcinfo, 0, "credential", true);
	external_id = steward_name_arg(fcinfo, 2, "external_id", 512, false);
	org = steward_org_arg(fcinfo, 3);
	if (PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("overlap must not be null")));
	if (DatumGetBool(DirectFunctionCall2(interval_lt, PG_GETARG_DATUM(1), IntervalPGetDatum(&zero))) ||
		DatumGetBool(DirectFunctionCall2(interval_gt, PG_GETARG_DATUM(1), IntervalPGetDatum(&year))))
		ereport(ERROR, (errcode(ERRCODE_STEWARD_VALUE_INVALID), errmsg("overlap must be between zero and one year")));
	at_once = DatumGetBool(DirectFunctionCall2(interval_eq, PG_GETARG_DATUM(1), IntervalPGetDatum(&zero)));
	profiles = steward_require(org, STEWARD_PROFILE_APP | STEWARD_PROFILE_ADMIN);
	PreventCommandIfReadOnly("rotate()");
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "rotate() does not return a row");
	STEWARD_AS_OWNER();
	{
		Locked old;

		lock_credential(org, reference, profiles, &old);
		if (old.native != (external_id == NULL))
			ereport(ERROR,
					(errcode(ERRCODE_STEWARD_CANNOT_ROTATE),
					 old.native ? errmsg("credential \"%s\" was issued here and has no external id", old.display)
								: errmsg("credential \"%s\" lives in another system", old.display),
					 old.native ? 0 : errhint("Make the new one there, and give its identifier as external_id.")));
		store_successor(org, &old, &key, external_id, &id, &expires_at, &expires);
		end_old(org, &old, PG_GETARG_DATUM(1), at_once);
	}
	STEWARD_AS_OWNER_END();
	STEWARD_HIDE_STATEMENT_END();

	steward_key_print(&key, text_of_key);
	explicit_bzero(&key, sizeof(key));
	values[0] = UUIDPGetDatum(&id);
	values[1] = PointerGetDatum(cstring_to_text_with_len(text_of_key, STEWARD_KEY_CHARS));
	values[2] = TimestampTzGetDatum(expires_at);
	nulls[1] = !PG_ARGISNULL(2);
	nulls[2] = !expires;
	explicit_bzero(text_of_key, sizeof(text_of_key));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/*
 * extend_credential(credential uuid | text, expires_at timestamptz, justification text,
 *					 org uuid DEFAULT default_org()) → expires_at timestamptz
 *		Gives a live credential more time, within what policy allows from now on.
 *
 * Needs admin, or app for what the calling role issued.  What has expired stays so: rotate it.  Raises ST205 for a
 * moment that is past, not later than now known, or infinite, ST206 beyond policy.
 */
Datum
steward_extend_credential(PG_FUNCTION_ARGS)
{
	static StewardPlan extend = STEWARD_PLAN(
		"uuzt", "UPDATE steward.credential c SET expires_at = $3, justification = $4 FROM steward.credential_policy p "
				"WHERE c.org_id = $1 AND c.id = $2 AND p.org_id = c.org_id AND p.kind = c.kind "
				"AND $3 <= clock_timestamp() + p.max_lifetime AND (c.expires_at IS NULL OR c.expires_at < $3)");
	static StewardPlan explain = STEWARD_PLAN(
		"uu",
		"SELECT p.max_lifetime::text, c.expires_at FROM steward.credential c LEFT JOIN steward.credential_policy p "
		"ON p.org_id = c.org_id AND p.kind = c.kind WHERE c.org_id = $1 AND c.id = $2");
	char *reference = steward_reference_arg(fcinfo, 0, "credential", true);
	char *justification;
	const pg_uuid_t *org;
	uint32 profiles;
	TimestampTz until;

	if (PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("expires_at must not be null")));
	until = PG_GETARG_TIMESTAMPTZ(1);
	justification = steward_note_arg(fcinfo, 2, "justification");
	if (justification == NULL)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_JUSTIFICATION_REQUIRED), errmsg("more time needs a justification")));
	org = steward_org_arg(fcinfo, 3);
	if (TIMESTAMP_NOT_FINITE(until) || until <= GetCurrentTimestamp())
		ereport(ERROR,
				(errcode(ERRCODE_STEWARD_LIFETIME_INVALID), errmsg("expires_at must lie in the future and be finite")));
	profiles = steward_require(org, STEWARD_PROFILE_APP | STEWARD_PROFILE_ADMIN);
	PreventCommandIfReadOnly("extend_credential()");
	STEWARD_AS_OWNER();
	{
		Locked old;
		Datum values[4] = {UUIDPGetDatum(org), (Datum) 0, TimestampTzGetDatum(until),
						   CStringGetTextDatum(justification)};

		lock_credential(org, reference, profiles, &old);
		values[1] = UUIDPGetDatum(&old.id);
		if (old.expired)
			ereport(ERROR,
					(errcode(ERRCODE_STEWARD_CREDENTIAL_NOT_LIVE), errmsg("credential \"%s\" has expired", old.display),
					 errhint("Rotate it with steward.rotate().")));
		if (steward_run(&extend, STEWARD_LATEST, values, NULL) == 0)
		{
			bool isnull;
			Datum expires;

			steward_run(&explain, STEWARD_LATEST, values, NULL);
			expires = steward_result(0, 2, &isnull);
			if (!isnull && DatumGetTimestampTz(expires) >= until)
				ereport(ERROR, (errcode(ERRCODE_STEWARD_LIFETIME_INVALID),
								errmsg("credential \"%s\" is valid for longer already", old.display)));
			ereport(ERROR,
					(errcode(ERRCODE_STEWARD_LIFETIME_OVER_POLICY), errmsg("lifetime is longer than policy allows"),
					 errdetail("The longest lifetime of a credential of kind %s is %s.", old.kind,
							   steward_result_text(0, 1) ? steward_result_text(0, 1) : "not set")));
		}
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_TIMESTAMPTZ(until);
}
