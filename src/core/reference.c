/*
 * reference.c
 *		Arguments of SQL functions, and what text references to people, agents, credentials and systems mean.
 *
 * A text reference is a uuid, a unique name, a user name, an e-mail address or the display form of a key.  It is taken
 * as it stands: null, empty or padded ones raise, for guessing what was meant is how a whole tenant gets revoked.  A
 * reference that looks like a secret is refused without being repeated.  Functions here that run statements are called
 * inside the owner's bracket.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "core/authority.h"
#include "core/plan.h"
#include "core/reference.h"
#include "steward.h"

/* The longest reference looked at, in bytes. */
#define MAX_REFERENCE 1024

/* The longest free text, in characters. */
#define MAX_NOTE 4000

/* What a reference of each kind is called in messages, and the statement that finds it. */
static struct
{
	const char *noun;
	const char *hint;
	StewardPlan find;
} kinds[] = {
	[STEWARD_REF_PRINCIPAL] =
		{"principal", "Give its uuid, its name, or a person's user name or e-mail address.",
		 /* Of several people with one user name or address the living one is meant, if there is just one. */
		 STEWARD_PLAN("ut", "WITH hit AS (SELECT id, state FROM steward.principal "
							"WHERE org_id = $1 AND kind <> 'human' AND name = $2 "
							"UNION SELECT id, state FROM steward.principal "
							"WHERE org_id = $1 AND kind = 'human' AND lower(user_name) = lower($2) "
							"UNION SELECT id, state FROM steward.principal "
							"WHERE org_id = $1 AND kind = 'human' AND lower(email) = lower($2)) "
							"SELECT id FROM hit WHERE state <> 'offboarded' "
							"OR NOT EXISTS (SELECT FROM hit WHERE state <> 'offboarded') LIMIT 2")},
	[STEWARD_REF_CREDENTIAL] = {"credential", "Give its uuid, its display form, its name or its external id.",
								STEWARD_PLAN("ut",
											 "SELECT id FROM steward.credential WHERE org_id = $1 AND display = $2 "
											 "UNION SELECT id FROM steward.credential WHERE org_id = $1 AND name = $2 "
											 "UNION SELECT c.id FROM steward.system s JOIN steward.credential c "
											 "ON c.org_id = s.org_id AND c.system_id = s.id "
											 "WHERE s.org_id = $1 AND c.external_id = $2 LIMIT 2")},
	[STEWARD_REF_SYSTEM] = {"system", "Give its uuid or its name; register it with steward.register_system().",
							STEWARD_PLAN("ut", "SELECT id FROM steward.system WHERE org_id = $1 AND name = $2")},
	[STEWARD_REF_DIRECTORY] = {"directory", "Give its uuid or its name.",
							   STEWARD_PLAN("ut", "SELECT id FROM steward.directory WHERE org_id = $1 AND name = $2")},
	[STEWARD_REF_WORKFLOW] = {"workflow", "Give its uuid or its name.",
							  STEWARD_PLAN("ut", "SELECT id FROM steward.workflow WHERE org_id = $1 AND name = $2")},
};

/* Statements that tell whether a uuid names a row of the kind. */
static StewardPlan by_id[] = {
	[STEWARD_REF_PRINCIPAL] = STEWARD_PLAN("uu", "SELECT id FROM steward.principal WHERE org_id = $1 AND id = $2"),
	[STEWARD_REF_CREDENTIAL] = STEWARD_PLAN("uu", "SELECT id FROM steward.credential WHERE org_id = $1 AND id = $2"),
	[STEWARD_REF_SYSTEM] = STEWARD_PLAN("uu", "SELECT id FROM steward.system WHERE org_id = $1 AND id = $2"),
	[STEWARD_REF_DIRECTORY] = STEWARD_PLAN("uu", "SELECT id FROM steward.directory WHERE org_id = $1 AND id = $2"),
	[STEWARD_REF_WORKFLOW] = STEWARD_PLAN("uu", "SELECT id FROM steward.workflow WHERE org_id = $1 AND id = $2"),
};

/*
 * steward_looks_secret
 *		Whether a text may be a key or a token: it must then not be repeated anywhere.
 *
 * Wider than the key format on purpose: a key with a typo, a part of one, or a JWT is still a secret.
 */
bool
steward_looks_secret(const char *text)
{
	const char *key = strstr(text, "stw1_");
	const char *jwt = strstr(text, "eyJ");

	/* A display form goes on with an ellipsis and six characters. */
	if (key != NULL && strspn(key + 5, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") > 8)
		return true;
	return jwt != NULL && strchr(jwt, '.') != NULL && strlen(jwt) > 24;
}

/*
 * steward_check_reference
 *		Raises unless a text can be a reference; name is what the argument is called.
 */
void
steward_check_reference(const char *reference, const char *name)
{
	size_t len = strlen(reference);

	if (len == 0)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_REFERENCE_EMPTY), errmsg("%s must not be empty", name)));
	if (steward_looks_secret(reference))
		ereport(ERROR, (errcode(ERRCODE_STEWARD_REFERENCE_IS_SECRET), errmsg("%s is a secret, not a reference", name),
						errhint("Name a credential by its uuid or its display form. A key that has been seen here "
								"may have been logged: revoke it."),
						errhidestmt(true), errhidecontext(true)));
	if (isspace((unsigned char) reference[0]) || isspace((unsigned char) reference[len - 1]))
		ereport(ERROR,
				(errcode(ERRCODE_STEWARD_REFERENCE_PADDED), errmsg("%s must not begin or end with white space", name)));
	if (len > MAX_REFERENCE)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_REFERENCE_MALFORMED), errmsg("%s is too long", name),
						errdetail("It has %zu bytes; the longest reference has %d.", len, MAX_REFERENCE)));
	for (size_t i = 0; i < len; i++)
		if (iscntrl((unsigned char) reference[i]))
			ereport(ERROR, (errcode(ERRCODE_STEWARD_REFERENCE_MALFORMED),
							errmsg("%s must not contain control characters", name)));
}

/*
 * steward_text_arg
 *		A text argument that must not be empty, padded or a secret; NULL for a null one that is not required.
 */
char *
steward_text_arg(FunctionCallInfo fcinfo, int arg, const char *name, bool required)
{
	char *value;

	if (PG_ARGISNULL(arg))
	{
		if (required)
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be null", name)));
		return NULL;
	}
	value = text_to_cstring(PG_GETARG_TEXT_PP(arg));
	steward_check_reference(value, name);
	return value;
}

/*
 * steward_name_arg
 *		A text argument for a name-like column of at most max characters; the rest as steward_text_arg.
 */
char *
steward_name_arg(FunctionCallInfo fcinfo, int arg, const char *name, int max, bool required)
{
	char *value = steward_text_arg(fcinfo, arg, name, required);

	if (value != NULL && pg_mbstrlen(value) > max)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_VALUE_INVALID), errmsg("%s is too long", name),
						errdetail("It has %d characters; the longest has %d.", pg_mbstrlen(value), max)));
	return value;
}

/*
 * steward_note_arg
 *		Free text that goes into a row: may be absent (NULL), not blank, at most MAX_NOTE characters, no secret.
 */
char *
steward_note_arg(FunctionCallInfo fcinfo, int arg, const char *name)
{
	char *note;

	if (PG_ARGISNULL(arg))
		return NULL;
	note = text_to_cstring(PG_GETARG_TEXT_PP(arg));
	if (steward_looks_secret(note))
		ereport(ERROR, (errcode(ERRCODE_STEWARD_REFERENCE_IS_SECRET),
						errmsg("%s contains what looks like a secret", name), errhidestmt(true)));
	if (strspn(note, " \t\r\n") == strlen(note))
		ereport(ERROR, (errcode(ERRCODE_STEWARD_REFERENCE_EMPTY), errmsg("%s must not be empty", name)));
	if (pg_mbstrlen(note) > MAX_NOTE)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_VALUE_INVALID), errmsg("%s is too long", name),
						errdetail("It has %d characters; the longest has %d.", pg_mbstrlen(note), MAX_NOTE)));
	return note;
}

/*
 * steward_check_choice
 *		Raises unless a value is in a closed list, which ends with NULL; the error lists it.
 */
void
steward_check_choice(const char *value, const char *name, const char *const *choices, int sqlstate)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; choices[i]; i++)
	{
		if (strcmp(choices[i], value) == 0)
			return;
		appendStringInfo(&list, "%s%s", i ? ", " : "", choices[i]);
	}
	ereport(ERROR, (errcode(sqlstate), errmsg("unknown %s \"%.63s\"", name, value),
					errdetail("It must be one of: %s.", list.data)));
}

/*
 * steward_org_arg
 *		The organization argument, which every function has last.
 */
const pg_uuid_t *
steward_org_arg(FunctionCallInfo fcinfo, int arg)
{
	if (PG_ARGISNULL(arg))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("organization must not be null"),
						errhint("Leave it out for the default, or choose one with steward.use_org().")));
	return PG_GETARG_UUID_P(arg);
}

/*
 * steward_reference_arg
 *		A reference argument as text, whichever overload was called: a uuid becomes its text form.
 */
char *
steward_reference_arg(FunctionCallInfo fcinfo, int arg, const char *name, bool required)
{
	if (!PG_ARGISNULL(arg) && get_fn_expr_argtype(fcinfo->flinfo, arg) == UUIDOID)
		return DatumGetCString(DirectFunctionCall1(uuid_out, PG_GETARG_DATUM(arg)));
	return steward_text_arg(fcinfo, arg, name, required);
}

/* Whether a text has the form of a uuid; if so, its value. */
static bool
parse_uuid(const char *text, pg_uuid_t *uuid)
{
	/* Only the canonical form counts: a name of 32 hexadecimal digits stays a name. */
	if (strlen(text) != 36)
		return false;
	for (int i = 0; i < 36; i++)
	{
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : !isxdigit((unsigned char) text[i]))
			return false;
	}
	*uuid = *DatumGetUUIDP(DirectFunctionCall1(uuid_in, CStringGetDatum(text)));
	return true;
}

/*
 * steward_resolve
 *		The id that a checked reference names in the organization; raises when it names none or several.
 *
 * Inside the bracket.  An object of another organization is answered like one that does not exist.
 */
pg_uuid_t *
steward_resolve(StewardReferenceKind kind, const pg_uuid_t *org, const char *reference, const char *name)
{
	Datum values[2] = {UUIDPGetDatum(org)};
	pg_uuid_t given;
	pg_uuid_t *found;
	uint64 hits;
	bool isnull;

	if (parse_uuid(reference, &given))
	{
		values[1] = UUIDPGetDatum(&given);
		hits = steward_run(&by_id[kind], STEWARD_TRANSACTION, values, NULL);
	}
	else
	{
		values[1] = CStringGetTextDatum(reference);
		hits = steward_run(&kinds[kind].find, STEWARD_TRANSACTION, values, NULL);
	}

	if (hits == 0)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_REFERENCE_UNKNOWN),
						errmsg("%s \"%s\" is not known in this organization", name, reference),
						errdetail("It must name a %s.", kinds[kind].noun), errhint("%s", kinds[kind].hint)));
	if (hits > 1)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_REFERENCE_AMBIGUOUS),
						errmsg("%s \"%s\" names more than one %s", name, reference, kinds[kind].noun),
						errhint("Give its uuid.")));
	/* SPI's own context goes away with SPI_finish(): the caller's context keeps the result. */
	found = SPI_palloc(sizeof(pg_uuid_t));
	*found = *DatumGetUUIDP(steward_result(0, 1, &isnull));
	return found;
}
