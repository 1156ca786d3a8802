/*
 * register.c
 *		Putting on record what can hold credentials, where they live, and credentials that live elsewhere.
 *
 * Everything registered has a living human owner, whose row is locked before the state is believed (people.c).  Values
 * are checked here against the same closed lists that the tables' constraints have, so that the caller gets a message
 * about the argument and never one that shows a row.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "access/htup_details.h"
#include "core/authority.h"
#include "core/plan.h"
#include "core/reference.h"
#include "core/secret.h"
#include "credential/grant.h"
#include "credential/people.h"
#include "credential/status.h"
#include "scope/scope.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_register_service);
PG_FUNCTION_INFO_V1(steward_register_agent);
PG_FUNCTION_INFO_V1(steward_register_system);
PG_FUNCTION_INFO_V1(steward_register_credential);

static const char *const autonomies[] = {"assistive", "supervised", "autonomous", NULL};
static const char *const approvals[] = {"none", "sensitive", "always", NULL};
static const char *const acting_for[] = {"itself", "users", "both", NULL};
static const char *const system_kinds[] = {"saas",		 "cloud",		   "database", "ci", "vault",
										   "mcp_server", "model_provider", "internal", NULL};
static const char *const revocation_paths[] = {"connector", "manual", "pg_role", "native", NULL};
static const char *const classifications[] = {"public", "internal", "confidential", "restricted", NULL};
static const char *const criticalities[] = {"low", "medium", "high", "critical", NULL};
/* A value or null as a pair for steward_run. */
#define TEXT_VALUE(s) ((s) ? CStringGetTextDatum(s) : (Datum) 0)

/* An argument from a closed list, or NULL. */
static char *
choice_arg(FunctionCallInfo fcinfo, int arg, const char *name, const char *const *choices, bool required)
{
	char *value = steward_text_arg(fcinfo, arg, name, required);

	if (value)
		steward_check_choice(value, name, choices, ERRCODE_STEWARD_VALUE_INVALID);
	return value;
}

/* What register_service() and register_agent() have in common; the positions of the arguments are the same. */
typedef struct PrincipalRequest
{
	char *name;
	char *owner;
	char *purpose;
	char *environment;
	char *justification;
	char *ticket;
	const pg_uuid_t *org;
} PrincipalRequest;

/* Raises when another service or agent has the name. */
static void
insert_principal(const PrincipalRequest *request, const char *kind, pg_uuid_t *id)
{
	static StewardPlan insert = STEWARD_PLAN(
		"uttutttt",
		"INSERT INTO steward.principal (org_id, kind, name, owner_id, purpose, environment, justification, ticket) "
		"VALUES ($1, $2, $3, $4, $5, $6, $7, $8) "
		"ON CONFLICT (org_id, name) WHERE kind <> 'human' DO NOTHING RETURNING id");
	StewardPerson owner;
	pg_uuid_t *owner_id = steward_resolve(STEWARD_REF_PRINCIPAL, request->org, request->owner, "owner");
	bool isnull;

	steward_lock_owner(request->org, owner_id, &owner);
	{
		Datum values[] = {
			UUIDPGetDatum(request->org),		CStringGetTextDatum(kind),	  CStringGetTextDatum(request->name),
			UUIDPGetDatum(&owner.id),			TEXT_VALUE(request->purpose), TEXT_VALUE(request->environment),
			TEXT_VALUE(request->justification), TEXT_VALUE(request->ticket),
		};
		bool nulls[] = {false,
						false,
						false,
						false,
						request->purpose == NULL,
						request->environment == NULL,
						request->justification == NULL,
						request->ticket == NULL};

		if (steward_run(&insert, STEWARD_TRANSACTION, values, nulls) == 0)
			ereport(ERROR, (errcode(ERRCODE_STEWARD_ALREADY_EXISTS),
							errmsg("\"%s\" is already registered in this organization", request->name)));
	}
	*id = *DatumGetUUIDP(steward_result(0, 1, &isnull));
}

/*
 * register_service(name text, owner uuid | text, purpose text DEFAULT NULL, environment text DEFAULT NULL,
 *					justification text DEFAULT NULL, ticket text DEFAULT NULL, org uuid DEFAULT default_org())
 *		→ principal_id uuid
 *
 *		Registers a service: software that holds credentials of its own.  Needs admin.
 */
Datum
steward_register_service(PG_FUNCTION_ARGS)
{
	PrincipalRequest request;
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));

	request.name = steward_name_arg(fcinfo, 0, "name", 200, true);
	request.owner = steward_reference_arg(fcinfo, 1, "owner", true);
	request.purpose = steward_note_arg(fcinfo, 2, "purpose");
	request.environment = steward_name_arg(fcinfo, 3, "environment", 63, false);
	request.justification = steward_note_arg(fcinfo, 4, "justification");
	request.ticket = steward_name_arg(fcinfo, 5, "ticket", 200, false);
	request.org = steward_org_arg(fcinfo, 6);
	steward_require(request.org, STEWARD_PROFILE_ADMIN);
	PreventCommandIfReadOnly("register_service()");

	STEWARD_AS_OWNER();
	{
		insert_principal(&request, "service", id);
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_UUID_P(id);
}

/*
 * register_agent(name text, owner uuid | text, purpose text, model text DEFAULT NULL, provider text DEFAULT NULL,
 *				  framework text DEFAULT NULL, version text DEFAULT NULL, autonomy text DEFAULT 'supervised',
 *				  acts_for text DEFAULT 'itself', human_approval text DEFAULT 'none', environment text DEFAULT NULL,
 *				  justification text DEFAULT NULL, ticket text DEFAULT NULL, org uuid DEFAULT default_org())
 *		→ principal_id uuid
 *
 *		Registers an AI agent, which has to have a purpose.  Needs admin.
 */
Datum
steward_register_agent(PG_FUNCTION_ARGS)
{
	static StewardPlan insert_agent = STEWARD_PLAN(
		"uuttttttt",
		"INSERT INTO steward.agent (org_id, principal_id, model, provider, framework, version, autonomy, acts_for, "
		"human_approval) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
	PrincipalRequest request;
	char *about[4];
	char *autonomy;
	char *acts_for;
	char *approval;
	static const char *const about_names[] = {"model", "provider", "framework", "version"};
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));

	request.name = steward_name_arg(fcinfo, 0, "name", 200, true);
	request.owner = steward_reference_arg(fcinfo, 1, "owner", true);
	request.purpose = steward_note_arg(fcinfo, 2, "purpose");
	if (request.purpose == NULL)
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("purpose must not be null"),
						errhint("Say in a few words what the agent is for.")));
	for (int i = 0; i < 4; i++)
		about[i] = steward_name_arg(fcinfo, 3 + i, about_names[i], 200, false);
	autonomy = choice_arg(fcinfo, 7, "autonomy", autonomies, true);
	acts_for = choice_arg(fcinfo, 8, "acts_for", acting_for, true);
	approval = choice_arg(fcinfo, 9, "human_approval", approvals, true);
	request.environment = steward_name_arg(fcinfo, 10, "environment", 63, false);
	request.justification = steward_note_arg(fcinfo, 11, "justification");
	request.ticket = steward_name_arg(fcinfo, 12, "ticket", 200, false);
	request.org = steward_org_arg(fcinfo, 13);
	steward_require(request.org, STEWARD_PROFILE_ADMIN);
	PreventCommandIfReadOnly("register_agent()");

	STEWARD_AS_OWNER();
	{
		insert_principal(&request, "agent", id);
		{
			Datum values[] = {UUIDPGetDatum(request.org), UUIDPGetDatum(id),	TEXT_VALUE(about[0]),
							  TEXT_VALUE(about[1]),		  TEXT_VALUE(about[2]), TEXT_VALUE(about[3]),
							  TEXT_VALUE(autonomy),		  TEXT_VALUE(acts_for), TEXT_VALUE(approval)};
			bool nulls[] = {false, false, !about[0], !about[1], !about[2], !about[3], false, false, false};

			steward_run(&insert_agent, STEWARD_TRANSACTION, values, nulls);
		}
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_UUID_P(id);
}

/*
 * register_system(name text, owner uuid | text, kind text, revocation_path text DEFAULT 'manual',
 *				   runbook text DEFAULT NULL, deadline interval DEFAULT NULL, environment text DEFAULT NULL,
 *				   data_classification text DEFAULT NULL, criticality text DEFAULT NULL,
 *				   org uuid DEFAULT default_org()) → system_id uuid
 *
 *		Registers a system where credentials are accepted, and how they are revoked there.  Needs admin.
 *
 * deadline is how long a revocation there may take.  runbook is the connector's endpoint, or what a person has to do.
 */
Datum
steward_register_system(PG_FUNCTION_ARGS)
{
	static StewardPlan insert = STEWARD_PLAN(
		"uttuttittt",
		"INSERT INTO steward.system (org_id, name, kind, owner_id, revocation_path, runbook, deadline, environment, "
		"data_classification, criticality) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
		"ON CONFLICT (org_id, name) DO NOTHING RETURNING id");
	char *name = steward_name_arg(fcinfo, 0, "name", 200, true);
	char *owner_reference = steward_reference_arg(fcinfo, 1, "owner", true);
	char *kind = choice_arg(fcinfo, 2, "kind", system_kinds, true);
	char *path = choice_arg(fcinfo, 3, "revocation_path", revocation_paths, true);
	char *runbook = steward_note_arg(fcinfo, 4, "runbook");
	char *environment = steward_name_arg(fcinfo, 6, "environment", 63, false);
	char *classification = choice_arg(fcinfo, 7, "data_classification", classifications, false);
	char *criticality = choice_arg(fcinfo, 8, "criticality", criticalities, false);
	const pg_uuid_t *org = steward_org_arg(fcinfo, 9);
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));

	if (!PG_ARGISNULL(5))
	{
		Interval zero = {0};
		Interval year = {.month = 12};

		if (!DatumGetBool(DirectFunctionCall2(interval_gt, PG_GETARG_DATUM(5), IntervalPGetDatum(&zero))) ||
			!DatumGetBool(DirectFunctionCall2(interval_le, PG_GETARG_DATUM(5), IntervalPGetDatum(&year))))
			ereport(ERROR, (errcode(ERRCODE_STEWARD_VALUE_INVALID),
							errmsg("deadline must be greater than zero and at most one year")));
	}
	steward_require(org, STEWARD_PROFILE_ADMIN);
	PreventCommandIfReadOnly("register_system()");

	STEWARD_AS_OWNER();
	{
		StewardPerson owner;
		bool isnull;

		steward_lock_owner(org, steward_resolve(STEWARD_REF_PRINCIPAL, org, owner_reference, "owner"), &owner);
		{
			Datum values[] = {UUIDPGetDatum(org),
							  TEXT_VALUE(name),
							  TEXT_VALUE(kind),
							  UUIDPGetDatum(&owner.id),
							  TEXT_VALUE(path),
							  TEXT_VALUE(runbook),
							  PG_ARGISNULL(5) ? (Datum) 0 : PG_GETARG_DATUM(5),
							  TEXT_VALUE(environment),
							  TEXT_VALUE(classification),
							  TEXT_VALUE(criticality)};
			bool nulls[] = {false,	  false,		   false,		 false,			  false,
							!runbook, PG_ARGISNULL(5), !environment, !classification, !criticality};

			if (steward_run(&insert, STEWARD_TRANSACTION, values, nulls) == 0)
				ereport(ERROR, (errcode(ERRCODE_STEWARD_ALREADY_EXISTS),
								errmsg("system \"%s\" is already registered in this organization", name)));
		}
		*id = *DatumGetUUIDP(steward_result(0, 1, &isnull));
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_UUID_P(id);
}

/* Facts of a credential that lives elsewhere. */
typedef struct Facts
{
	const pg_uuid_t *org;
	char *external_id;
	char *system;
	char *kind;
	char *holder;
	char *owner;
	Datum scopes;
	char *name;
	Datum expires_at;
	bool expires;
	Datum digest;
	bool has_digest;
	Datum permissions;
	bool has_permissions;
	char *storage;
	char *environment;
	char *justification;
	char *ticket;
} Facts;

/* Raises unless the digest is of a secret that cannot be guessed from it. */
static void
check_digest(const Facts *facts)
{
	static const char *const guessable[] = {"password", "pg_role", "account", NULL};

	for (int i = 0; facts->has_digest && guessable[i]; i++)
		if (strcmp(facts->kind, guessable[i]) == 0)
			ereport(ERROR, (errcode(ERRCODE_STEWARD_KIND_NOT_ALLOWED),
							errmsg("a credential of kind %s takes no digest", facts->kind),
							errdetail("Its secret could be guessed from the digest.")));
}

/* The row that is there already; raises when it states something else. */
static void
same_facts(const Facts *facts, const pg_uuid_t *system, const StewardPerson *holder, const StewardPerson *owner,
		   pg_uuid_t *id)
{
	static StewardPlan find = STEWARD_PLAN(
		"uutsuuztd",
		"SELECT c.id, concat_ws(', ', CASE WHEN c.kind <> $3 THEN 'kind' END, CASE WHEN c.holder_id <> $5 THEN 'holder' END, "
		"CASE WHEN c.owner_id <> $6 THEN 'owner' END, CASE WHEN c.scopes IS NULL OR NOT (c.scopes OPERATOR(steward.=) $4) "
		"THEN 'scopes' END, CASE WHEN c.expires_at IS DISTINCT FROM $7 THEN 'expires_at' END, CASE WHEN $9 IS NOT NULL AND "
		"(c.digest IS NULL OR NOT (c.digest OPERATOR(steward.=) $9)) THEN 'digest' END, "
		"CASE WHEN c.state = 'revoked' THEN 'it is revoked' END) FROM steward.credential c "
		"WHERE c.org_id = $1 AND c.system_id = $2 AND c.external_id = $8");
	Datum values[] = {UUIDPGetDatum(facts->org),
					  UUIDPGetDatum(system),
					  TEXT_VALUE(facts->kind),
					  facts->scopes,
					  UUIDPGetDatum(&holder->id),
					  UUIDPGetDatum(&owner->id),
					  facts->expires_at,
					  TEXT_VALUE(facts->external_id),
					  facts->digest};
	bool nulls[] = {false, false, false, false, false, false, !facts->expires, false, !facts->has_digest};
	char *differ;
	bool isnull;

	if (steward_run(&find, STEWARD_TRANSACTION, values, nulls) != 1)
		ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
						errmsg("the credential is being registered by somebody else"), errhint("Try again.")));
	differ = steward_result_text(0, 2);
	if (differ[0] != '\0')
		ereport(ERROR, (errcode(ERRCODE_STEWARD_CONFLICTING_FACTS),
						errmsg("credential \"%s\" is registered with other facts", facts->external_id),
						errdetail("Different: %s.", differ)));
	*id = *DatumGetUUIDP(steward_result(0, 1, &isnull));
}

/* Stores the facts, or finds them stored already. */
static void
store_facts(const Facts *facts, pg_uuid_t *id)
{
	static StewardPlan insert = STEWARD_PLAN(
		"uutttuuszdTttttn",
		"INSERT INTO steward.credential (org_id, kind, state, holder_id, owner_id, system_id, name, display, external_id, "
		"digest, digest_version, scopes, expires_at, external_permissions, storage_location, environment, source, "
		"justification, ticket, issued_by) VALUES ($1, $3, 'active', $6, $7, $2, $4, left(coalesce($4, $5), 200), $5, $10, "
		"CASE WHEN $10 IS NULL THEN NULL ELSE 0 END, $8, $9, $11, $12, $13, 'registered', $14, $15, $16) "
		"ON CONFLICT (org_id, system_id, external_id) DO NOTHING RETURNING id");
	StewardPerson holder;
	StewardPerson owner;
	NameData caller;
	pg_uuid_t *system = steward_resolve(STEWARD_REF_SYSTEM, facts->org, facts->system, "system");
	pg_uuid_t *holder_id = steward_resolve(STEWARD_REF_PRINCIPAL, facts->org, facts->holder, "holder");
	pg_uuid_t *owner_id =
		facts->owner ? steward_resolve(STEWARD_REF_PRINCIPAL, facts->org, facts->owner, "owner") : NULL;
	bool isnull;

	steward_lock_pair(facts->org, holder_id, owner_id, &holder, &owner);
	steward_require_scopes(facts->org, &holder.id, holder.name, facts->scopes, true, facts->justification,
						   facts->ticket);
	namestrcpy(&caller, steward_caller_name());
	{
		Datum values[] = {UUIDPGetDatum(facts->org),
						  UUIDPGetDatum(system),
						  TEXT_VALUE(facts->kind),
						  TEXT_VALUE(facts->name),
						  TEXT_VALUE(facts->external_id),
						  UUIDPGetDatum(&holder.id),
						  UUIDPGetDatum(&owner.id),
						  facts->scopes,
						  facts->expires_at,
						  facts->digest,
						  facts->permissions,
						  TEXT_VALUE(facts->storage),
						  TEXT_VALUE(facts->environment),
						  TEXT_VALUE(facts->justification),
						  TEXT_VALUE(facts->ticket),
						  NameGetDatum(&caller)};
		bool nulls[] = {false,
						false,
						false,
						!facts->name,
						false,
						false,
						false,
						false,
						!facts->expires,
						!facts->has_digest,
						!facts->has_permissions,
						!facts->storage,
						!facts->environment,
						!facts->justification,
						!facts->ticket,
						false};

		if (steward_run(&insert, STEWARD_TRANSACTION, values, nulls) == 0)
			same_facts(facts, system, &holder, &owner, id);
		else
			*id = *DatumGetUUIDP(steward_result(0, 1, &isnull));
	}
}

/* Reads and checks the arguments of register_credential(). */
static void
read_facts(FunctionCallInfo fcinfo, Facts *facts)
{
	facts->external_id = steward_name_arg(fcinfo, 0, "external_id", 512, true);
	facts->system = steward_reference_arg(fcinfo, 1, "system", true);
	facts->kind = choice_arg(fcinfo, 2, "kind", steward_credential_kinds, true);
	facts->holder = steward_text_arg(fcinfo, 3, "holder", true);
	if (PG_ARGISNULL(4))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("scopes must not be null")));
	facts->scopes = PG_GETARG_DATUM(4);
	if (steward_scope_set_cardinality(DatumGetScopeSetP(facts->scopes)) == 0)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_SCOPES_REQUIRED), errmsg("a credential needs at least one scope"),
						errdetail("What it may do is part of what is governed.")));
	facts->owner = steward_text_arg(fcinfo, 5, "owner", false);
	facts->name = steward_name_arg(fcinfo, 6, "name", 200, false);
	facts->expires = !PG_ARGISNULL(7);
	facts->expires_at = facts->expires ? PG_GETARG_DATUM(7) : (Datum) 0;
	if (facts->expires && (TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(facts->expires_at)) ||
						   DatumGetTimestampTz(facts->expires_at) <= GetCurrentTimestamp()))
		ereport(ERROR,
				(errcode(ERRCODE_STEWARD_VALUE_INVALID), errmsg("expires_at must lie in the future and be finite"),
				 errhint("Leave it out for a credential that does not expire.")));
	facts->has_digest = !PG_ARGISNULL(8);
	facts->digest = facts->has_digest ? PG_GETARG_DATUM(8) : (Datum) 0;
	facts->has_permissions = !PG_ARGISNULL(9);
	facts->permissions = facts->has_permissions ? PG_GETARG_DATUM(9) : (Datum) 0;
	facts->storage = steward_name_arg(fcinfo, 10, "storage_location", 512, false);
	facts->environment = steward_name_arg(fcinfo, 11, "environment", 63, false);
	facts->justification = steward_note_arg(fcinfo, 12, "justification");
	facts->ticket = steward_name_arg(fcinfo, 13, "ticket", 200, false);
	facts->org = steward_org_arg(fcinfo, 14);
	check_digest(facts);
}

/*
 * register_credential(external_id text, system uuid | text, kind text, holder text, scopes scope_set,
 *					   owner text DEFAULT NULL, name text DEFAULT NULL, expires_at timestamptz DEFAULT NULL,
 *					   digest digest DEFAULT NULL, external_permissions text[] DEFAULT NULL,
 *					   storage_location text DEFAULT NULL, environment text DEFAULT NULL,
 *					   justification text DEFAULT NULL, ticket text DEFAULT NULL, org uuid DEFAULT default_org())
 *		→ credential_id uuid
 *
 *		Puts a credential on record that lives in another system, by its identifier there; never its secret.
 *
 * digest is whatever the caller computed over the secret.  Registering the same facts again answers with the same id;
 * other facts raise ST211.  Needs admin.
 */
Datum
steward_register_credential(PG_FUNCTION_ARGS)
{
	Facts facts = {0};
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));

	/* The digest must not be logged with the statement. */
	STEWARD_HIDE_STATEMENT();
	read_facts(fcinfo, &facts);
	steward_require(facts.org, STEWARD_PROFILE_ADMIN);
	PreventCommandIfReadOnly("register_credential()");
	STEWARD_AS_OWNER();
	{
		store_facts(&facts, id);
	}
	STEWARD_AS_OWNER_END();
	STEWARD_HIDE_STATEMENT_END();
	PG_RETURN_UUID_P(id);
}
