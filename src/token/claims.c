/*
 * claims.c
 *		The claims of a token's payload: pure functions, without the server.
 *
 * Called once the signature is known to be good.  Registered claims have one type each (RFC 7519); a wrong one makes the
 * token malformed instead of counting as absent, because "no exp" must never come from an exp that nobody could read.
 */
#include "token/claims.h"

#include <string.h>

static bool
fail(StewardFault *fault, StewardProblem problem, const char *why)
{
	if (fault->problem == STEWARD_TOKEN_GOOD)
	{
		fault->problem = problem;
		fault->why = why;
	}
	return false;
}

static bool
visit_claim(const StewardJsonValue *name, const StewardJsonValue *value, void *arg)
{
	StewardClaims *c = arg;
	const struct
	{
		const char *name;
		StewardJsonValue *value;
	} known[] = {
		{"iss", &c->iss},
		{"sub", &c->sub},
		{"aud", &c->aud},
		{"exp", &c->exp},
		{"nbf", &c->nbf},
		{"iat", &c->iat},
		{"jti", &c->jti},
		{"client_id", &c->client_id},
		{"azp", &c->azp},
		{"appid", &c->appid},
		{"scope", &c->scope},
		{"scp", &c->scp},
		{"roles", &c->roles},
		{"cnf", &c->cnf},
		{"act", &c->act},
		{"tid", &c->tid},
		{"oid", &c->oid},
		{"typ", &c->typ},
		{"events", &c->events},
		{"nonce", &c->nonce},
		{"at_hash", &c->at_hash},
		{"c_hash", &c->c_hash},
		{STEWARD_CLAIM_PARENTS, &c->parents},
		{STEWARD_CLAIM_GRANT, &c->grant},
		{STEWARD_CLAIM_DELEGATIONS, &c->delegations},
		{STEWARD_CLAIM_ISSUED, &c->issued},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (steward_json_is(name, known[i].name))
		{
			*known[i].value = *value;
			break;
		}
	return true;
}

/* A claim that is absent, or a string. */
static bool
text_or_absent(const StewardJsonValue *claim)
{
	return claim->at == NULL || claim->kind == STEWARD_JSON_STRING;
}

static bool
visit_string(const StewardJsonValue *name, const StewardJsonValue *value, void *arg)
{
	return value->kind == STEWARD_JSON_STRING;
}

/*
 * steward_claims_read
 *		Finds the claims and checks the types of those that are registered; false with the fault otherwise.
 */
bool
steward_claims_read(const char *payload, size_t len, StewardClaims *claims, StewardFault *fault)
{
	memset(claims, 0, sizeof(*claims));
	if (!steward_json_walk(payload, len, STEWARD_JSON_OBJECT, visit_claim, claims))
		return fail(fault, STEWARD_TOKEN_MALFORMED,
					"its payload is not a JSON object with members that differ, within the limits");
	if (claims->exp.at == NULL || !steward_json_time(&claims->exp, &claims->exp_at))
		return fail(fault, STEWARD_TOKEN_MALFORMED, "it has no exp that is a number of seconds");
	if (claims->iat.at == NULL || !steward_json_time(&claims->iat, &claims->iat_at))
		return fail(fault, STEWARD_TOKEN_MALFORMED, "it has no iat that is a number of seconds");
	claims->has_nbf = claims->nbf.at != NULL;
	if (claims->has_nbf && !steward_json_time(&claims->nbf, &claims->nbf_at))
		return fail(fault, STEWARD_TOKEN_MALFORMED, "its nbf is not a number of seconds");
	if (!text_or_absent(&claims->iss) || !text_or_absent(&claims->sub) || !text_or_absent(&claims->jti) ||
		!text_or_absent(&claims->client_id) || !text_or_absent(&claims->azp) || !text_or_absent(&claims->appid) ||
		!text_or_absent(&claims->scope) || !text_or_absent(&claims->tid) || !text_or_absent(&claims->oid))
		return fail(fault, STEWARD_TOKEN_MALFORMED,
					"one of iss, sub, jti, client_id, azp, appid, scope, tid and oid is not a string");
	if (claims->aud.at != NULL && claims->aud.kind != STEWARD_JSON_STRING &&
		(claims->aud.kind != STEWARD_JSON_ARRAY ||
		 !steward_json_walk(claims->aud.at, claims->aud.len, STEWARD_JSON_ARRAY, visit_string, NULL)))
		return fail(fault, STEWARD_TOKEN_MALFORMED, "its aud is neither a string nor an array of strings");
	if ((claims->cnf.at != NULL && claims->cnf.kind != STEWARD_JSON_OBJECT) ||
		(claims->act.at != NULL && claims->act.kind != STEWARD_JSON_OBJECT))
		return fail(fault, STEWARD_TOKEN_MALFORMED, "one of cnf and act is not an object");
	return true;
}

/*
 * steward_claims_times
 *		Whether the token is in force at a moment; all in microseconds since 1970, max_age 0 for no limit.
 */
bool
steward_claims_times(const StewardClaims *claims, int64_t now, int64_t leeway, int64_t max_age, StewardFault *fault)
{
	if (claims->exp_at <= now - leeway)
		return fail(fault, STEWARD_TOKEN_EXPIRED, "its exp has passed");
	if (claims->has_nbf && claims->nbf_at > now + leeway)
		return fail(fault, STEWARD_TOKEN_NOT_YET_VALID, "its nbf is still to come");
	if (claims->iat_at > now + leeway)
		return fail(fault, STEWARD_TOKEN_NOT_YET_VALID, "its iat is in the future");
	if (max_age > 0 && claims->iat_at < now - max_age - leeway)
		return fail(fault, STEWARD_TOKEN_TOO_OLD, "its iat is longer ago than the issuer's max_age");
	return true;
}

/*
 * steward_claim_text
 *		The text of a string claim; false when it is absent, empty, or does not fit.
 */
bool
steward_claim_text(const StewardJsonValue *claim, char *out, size_t size, size_t *len)
{
	if (claim->at == NULL || claim->kind != STEWARD_JSON_STRING)
		return false;
	*len = steward_json_unescape(claim, out, size);
	return *len > 0 && *len < size;
}

/* A text to be found among strings. */
typedef struct Wanted
{
	const char *text;
	size_t len;
	bool found;
} Wanted;

static void
compare(const StewardJsonValue *value, Wanted *wanted)
{
	char text[2048];
	size_t len;

	if (steward_claim_text(value, text, sizeof(text), &len) && len == wanted->len &&
		memcmp(text, wanted->text, len) == 0)
		wanted->found = true;
}

static bool
visit_audience(const StewardJsonValue *name, const StewardJsonValue *value, void *arg)
{
	compare(value, arg);
	return true;
}

/*
 * steward_claims_name_audience
 *		Whether aud names the audience.
 */
bool
steward_claims_name_audience(const StewardClaims *claims, const char *audience, size_t len)
{
	Wanted wanted = {audience, len, false};

	if (claims->aud.at == NULL)
		return false;
	if (claims->aud.kind == STEWARD_JSON_ARRAY)
		(void) steward_json_walk(claims->aud.at, claims->aud.len, STEWARD_JSON_ARRAY, visit_audience, &wanted);
	else
		compare(&claims->aud, &wanted);
	return wanted.found;
}

static bool
visit_confirmation(const StewardJsonValue *name, const StewardJsonValue *value, void *arg)
{
	if (steward_json_is(name, "jkt") || steward_json_is(name, "x5t#S256"))
		compare(value, arg);
	return true;
}

/*
 * steward_claims_thumbprint
 *		Whether cnf is bound to the key with this thumbprint: jkt (RFC 9449) or x5t#S256 (RFC 8705).
 */
bool
steward_claims_thumbprint(const StewardClaims *claims, const char *thumbprint, size_t len)
{
	Wanted wanted = {thumbprint, len, false};

	return len > 0 &&
		   steward_json_walk(claims->cnf.at, claims->cnf.len, STEWARD_JSON_OBJECT, visit_confirmation, &wanted) &&
		   wanted.found;
}

/*
 * steward_claims_not_access
 *		Whether the claims are those of something else than an access token: an ID token, a logout token, a security
 *		event.  They may be signed with the same key and carry no typ that tells.
 */
bool
steward_claims_not_access(const StewardClaims *claims)
{
	return claims->events.at != NULL || claims->nonce.at != NULL || claims->at_hash.at != NULL ||
		   claims->c_hash.at != NULL ||
		   (claims->typ.at != NULL && !steward_json_is(&claims->typ, "Bearer") &&
			!steward_json_is(&claims->typ, "at+jwt") && !steward_json_is(&claims->typ, "JWT"));
}

/* One actor: its subject and the actor before it. */
typedef struct Actor
{
	StewardJsonValue sub;
	StewardJsonValue act;
} Actor;

static bool
visit_actor(const StewardJsonValue *name, const StewardJsonValue *value, void *arg)
{
	Actor *actor = arg;

	if (steward_json_is(name, "sub"))
		actor->sub = *value;
	else if (steward_json_is(name, "act"))
		actor->act = *value;
	return true;
}

/*
 * steward_claims_actors
 *		Subjects of the chain of act (RFC 8693), the current actor first; returns how many, or -1 when the chain is
 *		malformed or longer than max.
 */
int
steward_claims_actors(const StewardClaims *claims, StewardJsonValue *subjects, int max)
{
	StewardJsonValue at = claims->act;
	int n = 0;

	while (at.at != NULL)
	{
		Actor actor;

		memset(&actor, 0, sizeof(actor));
		if (n == max || at.kind != STEWARD_JSON_OBJECT ||
			!steward_json_walk(at.at, at.len, STEWARD_JSON_OBJECT, visit_actor, &actor) || actor.sub.at == NULL ||
			actor.sub.kind != STEWARD_JSON_STRING)
			return -1;
		subjects[n++] = actor.sub;
		at = actor.act;
	}
	return n;
}
