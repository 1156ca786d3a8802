/*
 * bearer.c
 *		Whose a proven token is: its credential, its subject and those who act for it, and whether all of them are live.
 *
 * A token of another issuer names its credential by a claim that the issuer's policy chose; the credential is the one
 * registered with that external id in the issuer's system.  One of our own names its credentials by id.  Either way the
 * token has no life of its own: it lives while its credential does, and only if it was issued after every epoch.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "steward.h"
#include "token/token.h"

/* The longest external id and subject that are looked up, in bytes. */
#define NAME_MAX_BYTES 512

/* Whether an epoch column of a row is before the moment of issue. */
static bool
after_epoch(const StewardRow *row, TimestampTz issued)
{
	bool isnull;
	Datum epoch = steward_row_get(row, "tokens_valid_after", &isnull);

	return !isnull && issued > DatumGetTimestampTz(epoch);
}

/* A uuid column. */
static pg_uuid_t *
uuid_of(const StewardRow *row, const char *column)
{
	bool isnull;
	Datum datum = steward_row_get(row, column, &isnull);

	return isnull ? NULL : DatumGetUUIDP(datum);
}

/* A string claim of the form of a uuid. */
static bool
claim_uuid(const StewardJsonValue *claim, pg_uuid_t *uuid)
{
	int digits = 0;

	if (claim->at == NULL || claim->kind != STEWARD_JSON_STRING || claim->len != 36)
		return false;
	for (int i = 0; i < 36; i++)
	{
		char c = claim->at[i];
		int value;

		if (i == 8 || i == 13 || i == 18 || i == 23)
		{
			if (c != '-')
				return false;
			continue;
		}
		if (c >= '0' && c <= '9')
			value = c - '0';
		else if (c >= 'a' && c <= 'f')
			value = c - 'a' + 10;
		else
			return false;
		if (digits % 2 == 0)
			uuid->data[digits / 2] = (unsigned char) (value << 4);
		else
			uuid->data[digits / 2] |= (unsigned char) value;
		digits++;
	}
	return true;
}

/* A text datum of a claim with an optional part before it; false when it is absent or too long. */
static bool
claim_datum(const StewardJsonValue *claim, Datum *datum)
{
	char text[NAME_MAX_BYTES + 1];
	size_t len;

	if (!steward_claim_text(claim, text, sizeof(text), &len))
		return false;
	*datum = PointerGetDatum(cstring_to_text_with_len(text, len));
	return true;
}

/* The claim that names the credential, by the issuer's policy. */
static const StewardJsonValue *
binding_claim(const StewardToken *token)
{
	const StewardClaims *claims = &token->claims;

	switch (token->issuer->binding)
	{
		case STEWARD_BIND_JTI:
			return &claims->jti;
		case STEWARD_BIND_CLIENT_ID:
			return &claims->client_id;
		case STEWARD_BIND_AZP:
			/* Entra's first version of tokens calls it appid. */
			return claims->azp.at != NULL ? &claims->azp : &claims->appid;
		default:
			return token->issuer->subject_is_oid ? &claims->oid : &claims->sub;
	}
}

/* The credential of another issuer's token. */
static bool
fetch_outside(const StewardToken *token, Snapshot snapshot, StewardRow *credential)
{
	Datum keys[3] = {UUIDPGetDatum(&token->issuer->org), UUIDPGetDatum(&token->issuer->system)};

	return claim_datum(binding_claim(token), &keys[2]) &&
		   steward_fetch(STEWARD_CREDENTIAL_OUTSIDE, snapshot, 3, keys, credential);
}

/* A principal that has to be live; remembers why not. */
static bool
principal_live(const pg_uuid_t *org, const pg_uuid_t *id, Snapshot snapshot, TimestampTz now, TimestampTz issued,
			   StewardReason *reason)
{
	Datum keys[2] = {UUIDPGetDatum(org), UUIDPGetDatum(id)};
	StewardRow row;
	bool isnull;
	Datum ends;
	char *state;

	if (!steward_fetch(STEWARD_PRINCIPAL, snapshot, 2, keys, &row))
	{
		*reason = STEWARD_UNKNOWN;
		return false;
	}
	state = TextDatumGetCString(steward_row_get(&row, "state", &isnull));
	ends = steward_row_get(&row, "ends_at", &isnull);
	if (strcmp(state, "offboarded") == 0 || (!isnull && DatumGetTimestampTz(ends) <= now))
		*reason = STEWARD_HOLDER_OFFBOARDED;
	else if (strcmp(state, "active") != 0)
		*reason = STEWARD_SUSPENDED;
	else if (!after_epoch(&row, issued))
		*reason = STEWARD_BEFORE_EPOCH;
	else
		return true;
	return false;
}

/* The person that a subject of another issuer is, by its directory. */
static bool
subject_person(const StewardToken *token, const StewardJsonValue *subject, Snapshot snapshot, pg_uuid_t *person)
{
	Datum keys[3] = {UUIDPGetDatum(&token->issuer->org), UUIDPGetDatum(&token->issuer->directory)};
	StewardRow row;

	if (!claim_datum(subject, &keys[2]) || !steward_fetch(STEWARD_PRINCIPAL_IDENTITY, snapshot, 3, keys, &row))
		return false;
	*person = *uuid_of(&row, "principal_id");
	return true;
}

/* An actor of another issuer's token: a person of its directory, or the holder of a credential of its system. */
static bool
outside_actor(const StewardToken *token, const StewardJsonValue *subject, Snapshot snapshot, pg_uuid_t *actor)
{
	Datum keys[3] = {UUIDPGetDatum(&token->issuer->org), UUIDPGetDatum(&token->issuer->system)};
	StewardRow row;
	pg_uuid_t *holder;

	if (token->issuer->has_directory && subject_person(token, subject, snapshot, actor))
		return true;
	if (!claim_datum(subject, &keys[2]) || !steward_fetch(STEWARD_CREDENTIAL_OUTSIDE, snapshot, 3, keys, &row))
		return false;
	holder = uuid_of(&row, "holder_id");
	if (holder == NULL)
		return false;
	*actor = *holder;
	return true;
}

/* The chain of actors, all of whom must be live. */
static StewardReason
read_chain(const StewardToken *token, Snapshot snapshot, TimestampTz now, TimestampTz issued, StewardBearer *bearer)
{
	StewardJsonValue subjects[STEWARD_CHAIN_MAX];
	int n = steward_claims_actors(&token->claims, subjects, STEWARD_CHAIN_MAX);
	StewardReason reason = STEWARD_OK;

	if (n < 0)
		return STEWARD_MALFORMED;
	for (int i = 0; i < n; i++)
	{
		pg_uuid_t *actor = palloc(sizeof(pg_uuid_t));

		if (token->issuer->own ? !claim_uuid(&subjects[i], actor)
							   : !outside_actor(token, &subjects[i], snapshot, actor))
			return STEWARD_UNKNOWN;
		if (!principal_live(&bearer->org, actor, snapshot, now, issued, &reason))
			return reason;
		bearer->chain = lappend(bearer->chain, actor);
	}
	return STEWARD_OK;
}

/* Ids of an array claim of our own tokens. */
typedef struct IdWalk
{
	pg_uuid_t ids[STEWARD_CHAIN_MAX + 1];
	int n;
} IdWalk;

static bool
visit_id(const StewardJsonValue *name, const StewardJsonValue *value, void *arg)
{
	IdWalk *walk = arg;

	return walk->n < (int) lengthof(walk->ids) && claim_uuid(value, &walk->ids[walk->n++]);
}

static bool
read_ids(const StewardJsonValue *claim, IdWalk *walk)
{
	walk->n = 0;
	return claim->at != NULL && claim->kind == STEWARD_JSON_ARRAY &&
		   steward_json_walk(claim->at, claim->len, STEWARD_JSON_ARRAY, visit_id, walk);
}

/* A credential that must be live, and older than the token. */
static StewardReason
credential_reason(const StewardRow *credential, Snapshot snapshot, TimestampTz now, TimestampTz issued,
				  const pg_uuid_t *org)
{
	StewardReason reason = steward_credential_reason(credential, snapshot, now);
	Datum key = UUIDPGetDatum(org);
	StewardRow organization;
	pg_uuid_t *holder;

	if (reason != STEWARD_OK)
		return reason;
	if (!after_epoch(credential, issued) || !steward_fetch(STEWARD_ORGANIZATION, snapshot, 1, &key, &organization) ||
		!after_epoch(&organization, issued))
		return STEWARD_BEFORE_EPOCH;
	holder = uuid_of(credential, "holder_id");
	if (holder == NULL)
		return STEWARD_POLICY;
	return principal_live(org, holder, snapshot, now, issued, &reason) ? STEWARD_OK : reason;
}

/* The grant that one of our own tokens was issued under, if it names one. */
static StewardReason
grant_reason(const StewardToken *token, Snapshot snapshot, TimestampTz now)
{
	pg_uuid_t id;
	Datum keys[2] = {UUIDPGetDatum(&token->issuer->org), UUIDPGetDatum(&id)};
	StewardRow row;
	bool isnull;

	if (token->claims.grant.at == NULL)
		return STEWARD_OK;
	if (!claim_uuid(&token->claims.grant, &id) || !steward_fetch(STEWARD_SCOPE_GRANT, snapshot, 2, keys, &row) ||
		DatumGetTimestampTz(steward_row_get(&row, "ends_at", &isnull)) <= now)
		return STEWARD_REVOKED;
	return STEWARD_OK;
}

/* The delegations that one of our own tokens was exchanged under: all in force, none with a later epoch. */
static StewardReason
delegation_reason(const StewardToken *token, Snapshot snapshot, TimestampTz now, TimestampTz issued)
{
	IdWalk walk;

	if (token->claims.delegations.at == NULL)
		return STEWARD_OK;
	if (!read_ids(&token->claims.delegations, &walk))
		return STEWARD_MALFORMED;
	for (int i = 0; i < walk.n; i++)
	{
		Datum keys[2] = {UUIDPGetDatum(&token->issuer->org), UUIDPGetDatum(&walk.ids[i])};
		StewardRow row;
		bool isnull;
		bool open;

		if (!steward_fetch(STEWARD_DELEGATION, snapshot, 2, keys, &row))
			return STEWARD_REVOKED;
		(void) steward_row_get(&row, "ended_at", &open);
		if (!open || DatumGetTimestampTz(steward_row_get(&row, "ends_at", &isnull)) <= now)
			return STEWARD_REVOKED;
		if (!after_epoch(&row, issued))
			return STEWARD_BEFORE_EPOCH;
	}
	return STEWARD_OK;
}

/* The credentials that one of our own tokens hangs on; the first is that of the bearer. */
static StewardReason
own_credentials(const StewardToken *token, Snapshot snapshot, TimestampTz now, TimestampTz issued,
				StewardRow *credential, StewardBearer *bearer)
{
	IdWalk walk;
	StewardReason first = STEWARD_OK;

	if (!read_ids(&token->claims.parents, &walk) || walk.n == 0)
		return STEWARD_MALFORMED;
	for (int i = 0; i < walk.n; i++)
	{
		Datum keys[2] = {UUIDPGetDatum(&bearer->org), UUIDPGetDatum(&walk.ids[i])};
		StewardRow row;
		StewardReason reason;

		if (!steward_fetch(STEWARD_CREDENTIAL, snapshot, 2, keys, &row))
			return STEWARD_UNKNOWN;
		if (i == 0)
			*credential = row;
		reason = credential_reason(&row, snapshot, now, issued, &bearer->org);
		if (first == STEWARD_OK)
			first = reason;
	}
	return first;
}

/* Collects the scopes of scp, which is a string or an array, and of scope, as one text. */
static bool
visit_scope(const StewardJsonValue *name, const StewardJsonValue *value, void *arg)
{
	StringInfo list = arg;
	char *text;
	size_t len;

	if (value->kind != STEWARD_JSON_STRING)
		return false;
	text = palloc(value->len + 1);
	len = steward_json_unescape(value, text, value->len + 1);
	if (list->len > 0)
		appendStringInfoChar(list, ' ');
	appendBinaryStringInfo(list, text, len);
	return true;
}

/*
 * What the bearer may do: what the token states, within what its credential has; or what the credential has, where the
 * issuer's policy says so.  A text that is no set of scopes gives none.
 */
static bool
read_scopes(const StewardToken *token, const StewardRow *credential, StewardBearer *bearer)
{
	bool isnull;
	Datum own = steward_row_get(credential, "scopes", &isnull);
	const StewardClaims *claims = &token->claims;
	StringInfoData text;
	ScopeSet *stated;

	if (isnull)
		return false;
	if (token->issuer->scopes_of_credential)
	{
		bearer->scopes = own;
		return true;
	}
	initStringInfo(&text);
	if (claims->scope.at != NULL)
		(void) visit_scope(NULL, &claims->scope, &text);
	else if (claims->scp.at != NULL && claims->scp.kind == STEWARD_JSON_ARRAY)
	{
		if (!steward_json_walk(claims->scp.at, claims->scp.len, STEWARD_JSON_ARRAY, visit_scope, &text))
			return false;
	}
	else if (claims->scp.at != NULL)
		(void) visit_scope(NULL, &claims->scp, &text);
	stated = steward_token_scopes(text.data, text.len, DatumGetScopeSetP(own));
	if (stated == NULL)
		return false;
	bearer->scopes = PointerGetDatum(stated);
	return true;
}

/*
 * steward_token_bearer
 *		Finds whose a proven token is, and whether it is live: ids, chain, scopes and the reason.
 */
void
steward_token_bearer(const StewardToken *token, Snapshot snapshot, TimestampTz now, StewardBearer *bearer)
{
	TimestampTz issued = steward_from_unix(token->claims.iat_at);
	StewardRow credential = {0};
	StewardReason reason;
	StewardReason next;
	pg_uuid_t *id;
	bool isnull;
	Datum expires;

	memset(bearer, 0, sizeof(*bearer));
	bearer->org = token->issuer->org;
	bearer->expires = steward_from_unix(token->claims.exp_at);
	if (token->issuer->own)
	{
		int64_t micros;

		/* iat has whole seconds; our own tokens know better. */
		if (token->claims.issued.at == NULL || !steward_json_time(&token->claims.issued, &micros))
		{
			bearer->reason = STEWARD_MALFORMED;
			return;
		}
		issued = steward_from_unix(micros);
		reason = own_credentials(token, snapshot, now, issued, &credential, bearer);
		if (reason == STEWARD_OK)
			reason = grant_reason(token, snapshot, now);
		if (reason == STEWARD_OK)
			reason = delegation_reason(token, snapshot, now, issued);
	}
	else if (fetch_outside(token, snapshot, &credential))
		reason = credential_reason(&credential, snapshot, now, issued, &bearer->org);
	else
		reason = STEWARD_UNKNOWN;
	if (credential.tuple == NULL)
	{
		bearer->reason = reason;
		return;
	}

	bearer->credential = *uuid_of(&credential, "id");
	id = uuid_of(&credential, "holder_id");
	if (id != NULL)
		bearer->principal = *id;
	next = STEWARD_OK;
	if (token->issuer->own)
	{
		/* The subject, when somebody acts for it, is not the holder of the credential. */
		if (!claim_uuid(&token->claims.sub, &bearer->principal))
			next = STEWARD_MALFORMED;
		else
			(void) principal_live(&bearer->org, &bearer->principal, snapshot, now, issued, &next);
	}
	else if (token->issuer->has_directory)
	{
		if (!subject_person(token, token->issuer->subject_is_oid ? &token->claims.oid : &token->claims.sub, snapshot,
							&bearer->principal))
			next = STEWARD_UNKNOWN;
		else
			(void) principal_live(&bearer->org, &bearer->principal, snapshot, now, issued, &next);
	}
	if (reason == STEWARD_OK)
		reason = next;
	next = read_chain(token, snapshot, now, issued, bearer);
	if (reason == STEWARD_OK)
		reason = next;

	bearer->has_scopes = read_scopes(token, &credential, bearer);
	expires = steward_row_get(&credential, "expires_at", &isnull);
	if (!isnull && DatumGetTimestampTz(expires) < bearer->expires)
		bearer->expires = DatumGetTimestampTz(expires);
	bearer->reason = reason;
}
