/*
 * request.c
 *		The functions that revoke: what may be named, who may, and the receipt.
 *
 * A request is carried out, tried out for its counts, or previewed for its rows, by the same code.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"
#include "utils/xid8.h"

#include "core/actor.h"
#include "core/authority.h"
#include "core/ids.h"
#include "core/module.h"
#include "core/plan.h"
#include "core/preview.h"
#include "core/reference.h"
#include "core/secret.h"
#include "credential/status.h"
#include "revocation/revoke.h"
#include "scope/scope.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_revoke);
PG_FUNCTION_INFO_V1(steward_revoke_principal);
PG_FUNCTION_INFO_V1(steward_revoke_matching);
PG_FUNCTION_INFO_V1(steward_revoke_organization);
PG_FUNCTION_INFO_V1(steward_preview_revocation);

/* The closed list of reasons; the table's constraint has the same. */
static const char *const reasons[] = {
	"unspecified",
	"leak",
	"compromise",
	"leaver",
	"owner_offboarded",
	"superseded",
	"no_longer_needed",
	"privilege_withdrawn",
	"policy",
	"unused",
	"review",
	"incident",
	"duplicate",
	"test",
	NULL,
};

/* Conditions of revoke_matching(); NULL or 0 where there is none.  All of them have to hold. */
typedef struct Filter
{
	Datum scopes; /* overlapped by the credential's */
	char *system;
	char *workflow; /* held by its agents and services, or named in it */
	char *owner;
	char *holder;
	char *kind;
	char *environment;
	TimestampTz issued_before;
	bool has_issued_before;
} Filter;

/* What is named. */
typedef enum Subject
{
	CREDENTIAL,
	PRINCIPAL,
	ORGANIZATION,
	FILTER
} Subject;

static const char *const subject_names[] = {"credential", "principal", "organization", "filter"};

/* What a call asks for. */
typedef struct Request
{
	Subject subject;
	const pg_uuid_t *org;
	char *reference; /* of a credential or principal */
	Filter filter;
	char *reason;
	char *note;
	bool rotated;	 /* what was rotated from it as well */
	uint32 profiles; /* what the caller holds */
} Request;

/* What it did. */
typedef struct Receipt
{
	pg_uuid_t id;
	bool has_id;
	StewardActResult did;
	FullTransactionId xid;
} Receipt;

/* A uuid as an array of one, or an array of one null. */
static Datum
one_uuid(const pg_uuid_t *uuid)
{
	Datum value = UUIDPGetDatum(uuid);
	bool isnull = uuid == NULL;
	int dims[1] = {1};
	int lower[1] = {1};

	return PointerGetDatum(
		construct_md_array(&value, &isnull, 1, dims, lower, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
}

/* An application may revoke what it issued, and the credentials of who it proved to be. */
static void
require_issued_by_caller(const pg_uuid_t *org, const pg_uuid_t *credential)
{
	static StewardPlan find =
		STEWARD_PLAN("uu", "SELECT issued_by, holder_id FROM steward.credential WHERE org_id = $1 AND id = $2");
	Datum values[] = {UUIDPGetDatum(org), UUIDPGetDatum(credential)};
	const StewardActor *actor = steward_actor();
	Datum holder;
	Oid issuer;
	bool isnull;

	steward_run(&find, STEWARD_TRANSACTION, values, NULL);
	issuer = get_role_oid(steward_result_text(0, 1), true);
	if (OidIsValid(issuer) && has_privs_of_role(steward_caller(), issuer))
		return;
	holder = steward_result(0, 2, &isnull);
	if (!isnull && actor != NULL && memcmp(&actor->org, org, sizeof(pg_uuid_t)) == 0 &&
		memcmp(&actor->principal, DatumGetUUIDP(holder), sizeof(pg_uuid_t)) == 0)
		return;
	ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied to revoke this credential"),
					errdetail("With profile app only, a role can revoke what it issued itself.")));
}

/*
 * Locks a credential before its children are looked for.  Who derives another from it holds a lock on it until commit,
 * a foreign key's at least: so what was derived beside us is either seen, or made under a parent that is dead by then.
 */
static void
lock_parent(const pg_uuid_t *org, const pg_uuid_t *credential)
{
	static StewardPlan lock =
		STEWARD_PLAN("uu", "SELECT FROM steward.credential WHERE org_id = $1 AND id = $2 FOR UPDATE");
	Datum values[] = {UUIDPGetDatum(org), UUIDPGetDatum(credential)};

	steward_run(&lock, STEWARD_LATEST, values, NULL);
}

/* The act that revoked a credential before goes into the receipt; nothing does when it is alive. */
static void
earlier_act(const pg_uuid_t *org, const pg_uuid_t *credential, Receipt *receipt)
{
	static StewardPlan find =
		STEWARD_PLAN("uu", "SELECT r.id, r.xid FROM steward.credential c "
						   "JOIN steward.revocation r ON r.org_id = c.org_id AND r.id = c.revocation_id "
						   "WHERE c.org_id = $1 AND c.id = $2");
	Datum values[] = {UUIDPGetDatum(org), UUIDPGetDatum(credential)};
	bool isnull;

	receipt->has_id = steward_run(&find, STEWARD_LATEST, values, NULL) > 0;
	if (!receipt->has_id)
		return;
	receipt->id = *DatumGetUUIDP(steward_result(0, 1, &isnull));
	receipt->xid = DatumGetFullTransactionId(steward_result(0, 2, &isnull));
}

/* Moves an epoch by a statement that returns it; under the row's lock, so that epochs only grow. */
static void
move_epoch(StewardPlan *plan, const Datum *values, StewardAct *act)
{
	bool isnull;

	if (steward_run(plan, STEWARD_LATEST, values, NULL) != 1)
		ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE), errmsg("what was to be revoked went away"),
						errhint("Try again.")));
	act->epoch = DatumGetTimestampTz(steward_result(0, 1, &isnull));
	act->has_epoch = true;
	act->settled = !steward_defer_bookkeeping;
}

/*
 * Moves the principal's epoch, and finds what it holds and owns.  When bookkeeping is deferred, the epoch is enough for
 * what is accepted here; what other systems accept still needs its task now, and is found by these systems, which are
 * few.
 */
static void
name_holdings(const pg_uuid_t *org, const pg_uuid_t *principal, StewardAct *act, StewardTargets *targets)
{
	static StewardPlan move = STEWARD_PLAN(
		"uu", "UPDATE steward.principal SET tokens_valid_after = GREATEST(tokens_valid_after, clock_timestamp()) "
			  "WHERE org_id = $1 AND id = $2 RETURNING tokens_valid_after");
	static StewardPlan find = STEWARD_PLAN(
		"uu", "SELECT org_id, id FROM steward.credential WHERE org_id = $1 AND holder_id = $2 "
			  "AND state <> 'revoked' UNION ALL SELECT org_id, id FROM steward.credential "
			  "WHERE org_id = $1 AND owner_id = $2 AND holder_id IS DISTINCT FROM $2 AND state <> 'revoked'");
	static StewardPlan find_outside = STEWARD_PLAN(
		"uu", "SELECT c.org_id, c.id FROM steward.system y JOIN steward.credential c ON c.org_id = y.org_id "
			  "AND c.system_id = y.id AND c.holder_id = $2 AND c.state <> 'revoked' "
			  "WHERE y.org_id = $1 AND y.revocation_path <> 'native' UNION ALL "
			  "SELECT c.org_id, c.id FROM steward.system y JOIN steward.credential c ON c.org_id = y.org_id "
			  "AND c.system_id = y.id AND c.owner_id = $2 AND c.holder_id IS DISTINCT FROM $2 AND c.state <> 'revoked' "
			  "WHERE y.org_id = $1 AND y.revocation_path <> 'native'");
	Datum values[] = {UUIDPGetDatum(org), UUIDPGetDatum(principal)};

	move_epoch(&move, values, act);
	act->principals = 1;
	steward_run(act->settled ? &find : &find_outside, STEWARD_LATEST, values, NULL);
	steward_targets_add_results(targets, principal);
}

/* Moves the organization's epoch, and finds all that lives in it; the rest as above. */
static void
name_everything(const pg_uuid_t *org, StewardAct *act, StewardTargets *targets)
{
	static StewardPlan move = STEWARD_PLAN(
		"u", "UPDATE steward.organization SET tokens_valid_after = GREATEST(tokens_valid_after, clock_timestamp()) "
			 "WHERE id = $1 RETURNING tokens_valid_after");
	static StewardPlan find =
		STEWARD_PLAN("u", "SELECT org_id, id FROM steward.credential WHERE org_id = $1 AND state <> 'revoked'");
	static StewardPlan find_outside =
		STEWARD_PLAN("u", "SELECT c.org_id, c.id FROM steward.system y JOIN steward.credential c "
						  "ON c.org_id = y.org_id AND c.system_id = y.id AND c.state <> 'revoked' "
						  "WHERE y.org_id = $1 AND y.revocation_path <> 'native'");
	Datum values[] = {UUIDPGetDatum(org)};

	move_epoch(&move, values, act);
	steward_run(act->settled ? &find : &find_outside, STEWARD_LATEST, values, NULL);
	steward_targets_add_results(targets, org);
}

/* The conditions of a filter as parameters; each plan begins with the one that it has an index for. */
#define FILTER_ARGS "uuuuttzsu"
#define FILTER_FROM "SELECT c.org_id, c.id FROM steward.credential c WHERE c.org_id = $1 AND c.state <> 'revoked' "
#define FILTER_REST \
	"AND ($2 IS NULL OR c.system_id = $2) AND ($3 IS NULL OR c.owner_id = $3) AND ($4 IS NULL OR c.holder_id = $4) " \
	"AND ($5 IS NULL OR c.kind = $5) AND ($6 IS NULL OR c.environment = $6) AND ($7 IS NULL OR c.issued_at < $7) " \
	"AND ($8 IS NULL OR c.scopes OPERATOR(steward.&&) $8) AND ($9 IS NULL OR EXISTS (SELECT FROM steward.workflow_member m " \
	"WHERE m.org_id = c.org_id AND m.workflow_id = $9 AND (m.credential_id = c.id OR m.principal_id = c.holder_id)))"

/* Finds what matches a filter, and writes it down for the record. */
static void
name_matching(const Request *request, StewardAct *act, StewardTargets *targets)
{
	static StewardPlan by_holder = STEWARD_PLAN(FILTER_ARGS, FILTER_FROM "AND c.holder_id = $4 " FILTER_REST);
	static StewardPlan by_owner = STEWARD_PLAN(FILTER_ARGS, FILTER_FROM "AND c.owner_id = $3 " FILTER_REST);
	static StewardPlan by_system = STEWARD_PLAN(FILTER_ARGS, FILTER_FROM "AND c.system_id = $2 " FILTER_REST);
	static StewardPlan by_scopes =
		STEWARD_PLAN(FILTER_ARGS, FILTER_FROM "AND c.scopes OPERATOR(steward.&&) $8 " FILTER_REST);
	static StewardPlan by_rest = STEWARD_PLAN(FILTER_ARGS, FILTER_FROM FILTER_REST);
	const Filter *filter = &request->filter;
	Datum values[9] = {UUIDPGetDatum(request->org)};
	bool nulls[9] = {false};
	StringInfoData json;
	const char *const names[] = {"system", "owner", "holder", "kind", "environment"};
	const char *const given[] = {filter->system, filter->owner, filter->holder, filter->kind, filter->environment};
	StewardPlan *plan;

	initStringInfo(&json);
	for (int i = 0; i < 5; i++)
	{
		nulls[1 + i] = given[i] == NULL;
		if (given[i] == NULL)
			continue;
		values[1 + i] = i == 0 ? UUIDPGetDatum(steward_resolve(STEWARD_REF_SYSTEM, request->org, given[i], names[i]))
						: i < 3
							? UUIDPGetDatum(steward_resolve(STEWARD_REF_PRINCIPAL, request->org, given[i], names[i]))
							: CStringGetTextDatum(given[i]);
		appendStringInfo(&json, "%s\"%s\":", json.len ? "," : "{", names[i]);
		escape_json(&json, given[i]);
	}
	values[6] = TimestampTzGetDatum(filter->issued_before);
	nulls[6] = !filter->has_issued_before;
	if (filter->has_issued_before)
	{
		appendStringInfo(&json, "%s\"issued_before\":", json.len ? "," : "{");
		escape_json(&json, timestamptz_to_str(filter->issued_before));
	}
	values[7] = filter->scopes;
	nulls[7] = filter->scopes == (Datum) 0;
	if (filter->scopes != (Datum) 0)
	{
		Oid out;
		bool varlena;

		getTypeOutputInfo(steward_own_type("scope_set"), &out, &varlena);
		appendStringInfo(&json, "%s\"scopes\":", json.len ? "," : "{");
		escape_json(&json, OidOutputFunctionCall(out, filter->scopes));
	}
	nulls[8] = filter->workflow == NULL;
	if (filter->workflow)
	{
		values[8] = UUIDPGetDatum(steward_resolve(STEWARD_REF_WORKFLOW, request->org, filter->workflow, "workflow"));
		appendStringInfo(&json, "%s\"workflow\":", json.len ? "," : "{");
		escape_json(&json, filter->workflow);
	}
	appendStringInfoChar(&json, '}');
	act->filter = DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));

	plan = filter->holder	? &by_holder
		   : filter->owner	? &by_owner
		   : filter->system ? &by_system
		   : filter->scopes ? &by_scopes
							: &by_rest;
	steward_run(plan, STEWARD_LATEST, values, nulls);
	steward_targets_add_results(targets, request->org);
}

/* Carries a request out. */
static void
carry_out(const Request *request, Receipt *receipt)
{
	memset(receipt, 0, sizeof(*receipt));
	STEWARD_AS_OWNER();
	{
		StewardAct act = {.reason = request->reason,
						  .note = request->note,
						  .subject_kind = subject_names[request->subject],
						  .settled = true};
		StewardTargets *targets = steward_targets_make(0);
		const pg_uuid_t *subject = NULL;
		pg_uuid_t id;

		steward_make_uuid7(&id);
		switch (request->subject)
		{
			case CREDENTIAL:
				subject = steward_resolve(STEWARD_REF_CREDENTIAL, request->org, request->reference, "credential");
				if ((request->profiles & (STEWARD_PROFILE_SECURITY | STEWARD_PROFILE_ADMIN)) == 0)
					require_issued_by_caller(request->org, subject);
				lock_parent(request->org, subject);
				steward_targets_add(targets, request->org, subject, &id);
				break;
			case PRINCIPAL:
				subject = steward_resolve(STEWARD_REF_PRINCIPAL, request->org, request->reference, "principal");
				name_holdings(request->org, subject, &act, targets);
				break;
			case ORGANIZATION:
				subject = request->org;
				name_everything(request->org, &act, targets);
				break;
			case FILTER:
				name_matching(request, &act, targets);
				break;
		}
		/* One act takes all. */
		for (int i = 0; i < targets->n; i++)
			targets->acts[i] = id;
		if (request->subject != ORGANIZATION)
			steward_targets_follow(targets, request->rotated);

		act.orgs = one_uuid(request->org);
		act.ids = one_uuid(&id);
		act.subjects = one_uuid(subject);
		act.events = one_uuid(NULL);
		steward_act(&act, targets, &receipt->did);
		receipt->has_id = receipt->did.acts > 0;
		receipt->id = id;
		if (receipt->has_id)
			receipt->xid = GetTopFullTransactionId();
		else if (request->subject == CREDENTIAL)
			earlier_act(request->org, subject, receipt);
	}
	STEWARD_AS_OWNER_END();
}

/* A request and where its receipt goes. */
typedef struct Trial
{
	const Request *request;
	Receipt *receipt;
} Trial;

/* Carries a request out, to be taken back. */
static void
carry_out_trial(void *arg)
{
	Trial *trial = arg;

	carry_out(trial->request, trial->receipt);
	trial->receipt->has_id = false;
}

/* The receipt as the composite type revocation_receipt. */
static Datum
receipt_datum(FunctionCallInfo fcinfo, const Receipt *receipt)
{
	TupleDesc desc;
	Datum values[5];
	bool nulls[5] = {!receipt->has_id, false, false, false, !receipt->has_id};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "revocation_receipt is not a composite type");
	values[0] = UUIDPGetDatum(&receipt->id);
	values[1] = Int64GetDatum(receipt->did.credentials);
	values[2] = Int64GetDatum(receipt->did.principals);
	values[3] = Int64GetDatum(receipt->did.pending);
	values[4] = FullTransactionIdGetDatum(receipt->xid);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

/* A boolean argument that must not be null. */
static bool
flag_arg(FunctionCallInfo fcinfo, int arg, const char *name)
{
	if (PG_ARGISNULL(arg))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be null", name)));
	return PG_GETARG_BOOL(arg);
}

/* Reads reason and note. */
static void
read_why(FunctionCallInfo fcinfo, Request *request, int reason, int note)
{
	request->reason = steward_text_arg(fcinfo, reason, "reason", true);
	steward_check_choice(request->reason, "reason", reasons, ERRCODE_STEWARD_REASON_INVALID);
	request->note = steward_note_arg(fcinfo, note, "note");
}

/* Reads the conditions of a filter, eight arguments from first on; whether there is any. */
static bool
read_filter(FunctionCallInfo fcinfo, Filter *filter, int first)
{
	if (!PG_ARGISNULL(first))
	{
		filter->scopes = PG_GETARG_DATUM(first);
		if (steward_scope_set_cardinality(DatumGetScopeSetP(filter->scopes)) == 0)
			ereport(ERROR, (errcode(ERRCODE_STEWARD_SCOPES_REQUIRED), errmsg("scopes must not be empty"),
							errhint("Leave them out to revoke whatever the scopes are.")));
	}
	filter->system = steward_text_arg(fcinfo, first + 1, "system", false);
	filter->workflow = steward_text_arg(fcinfo, first + 2, "workflow", false);
	filter->owner = steward_text_arg(fcinfo, first + 3, "owner", false);
	filter->holder = steward_text_arg(fcinfo, first + 4, "holder", false);
	filter->kind = steward_text_arg(fcinfo, first + 5, "kind", false);
	if (filter->kind)
		steward_check_choice(filter->kind, "kind", steward_credential_kinds, ERRCODE_STEWARD_VALUE_INVALID);
	filter->environment = steward_name_arg(fcinfo, first + 6, "environment", 63, false);
	filter->has_issued_before = !PG_ARGISNULL(first + 7);
	if (filter->has_issued_before)
		filter->issued_before = PG_GETARG_TIMESTAMPTZ(first + 7);
	return filter->scopes != (Datum) 0 || filter->system || filter->workflow || filter->owner || filter->holder ||
		   filter->kind || filter->environment || filter->has_issued_before;
}

/* Raises because nothing was named. */
static void
refuse_everything(const char *hint)
{
	ereport(ERROR, (errcode(ERRCODE_STEWARD_FILTER_REQUIRED), errmsg("nothing says what is to be revoked"),
					errdetail("Without any condition it would be the whole organization."), errhint("%s", hint)));
}

/* Checks authority, then carries the request out or tries it; name is the function's. */
static Datum
answer_request(FunctionCallInfo fcinfo, Request *request, uint32 allowed, bool dry_run, const char *name)
{
	Receipt receipt;

	request->profiles = steward_require(request->org, allowed);
	PreventCommandIfReadOnly(name);
	if (dry_run)
		steward_try_out(carry_out_trial, &(Trial){request, &receipt});
	else
		carry_out(request, &receipt);
	return receipt_datum(fcinfo, &receipt);
}

/* revoke() and revoke_principal(): the same arguments, another subject. */
static Datum
revoke_call(FunctionCallInfo fcinfo, Subject subject, uint32 allowed, const char *name)
{
	Request request = {.subject = subject};
	bool dry_run;
	Datum receipt;

	/* Whoever is in a hurry may give the key itself. */
	STEWARD_HIDE_STATEMENT();
	request.reference = steward_reference_arg(fcinfo, 0, subject_names[subject], true);
	read_why(fcinfo, &request, 1, 2);
	dry_run = flag_arg(fcinfo, 3, "dry_run");
	request.rotated = flag_arg(fcinfo, 4, "rotated");
	request.org = steward_org_arg(fcinfo, 5);
	receipt = answer_request(fcinfo, &request, allowed, dry_run, name);
	STEWARD_HIDE_STATEMENT_END();
	return receipt;
}

/*
 * revoke(credential uuid | text, reason text, note text DEFAULT NULL, dry_run boolean DEFAULT false,
 *		  rotated boolean DEFAULT false, org uuid DEFAULT default_org()) → revocation_receipt
 *		Revokes a credential and everything that derives from it; with rotated also what was rotated from it.
 *
 * Needs security or admin; with app, the credential must have been issued by the calling role or be held by who it
 * assumed to be.  Revoking what is revoked answers with the first act's id and transaction, and zero counts.
 */
Datum
steward_revoke(PG_FUNCTION_ARGS)
{
	return revoke_call(fcinfo, CREDENTIAL, STEWARD_PROFILE_SECURITY | STEWARD_PROFILE_ADMIN | STEWARD_PROFILE_APP,
					   "revoke()");
}

/*
 * revoke_principal(principal uuid | text, reason text, note text DEFAULT NULL, dry_run boolean DEFAULT false,
 *					rotated boolean DEFAULT false, org uuid DEFAULT default_org()) → revocation_receipt
 *		Revokes everything that a principal holds or owns, and moves its epoch: what was issued before is dead.
 *
 * Needs security or admin.  With steward.defer_bookkeeping the rows of credentials that only this database accepts are
 * left to maintain(); they are dead all the same.
 */
Datum
steward_revoke_principal(PG_FUNCTION_ARGS)
{
	return revoke_call(fcinfo, PRINCIPAL, STEWARD_PROFILE_SECURITY | STEWARD_PROFILE_ADMIN, "revoke_principal()");
}

/*
 * revoke_matching(reason text, scopes scope_set DEFAULT NULL, system text DEFAULT NULL, workflow text DEFAULT NULL,
 *				   owner text DEFAULT NULL, holder text DEFAULT NULL, kind text DEFAULT NULL, environment text DEFAULT NULL,
 *				   issued_before timestamptz DEFAULT NULL, note text DEFAULT NULL, dry_run boolean DEFAULT false,
 *				   rotated boolean DEFAULT false, org uuid DEFAULT default_org()) → revocation_receipt
 *		Revokes every credential for which all of the conditions hold, and everything that derives from them.
 *
 * scopes matches what can do anything of what they say.  Needs security or admin.  Raises ST701 without any condition.
 */
Datum
steward_revoke_matching(PG_FUNCTION_ARGS)
{
	Request request = {.subject = FILTER};
	bool dry_run;
	Datum receipt;

	STEWARD_HIDE_STATEMENT();
	read_why(fcinfo, &request, 0, 9);
	if (!read_filter(fcinfo, &request.filter, 1))
		refuse_everything(
			"Give at least one of scopes, system, workflow, owner, holder, kind, environment and issued_before; "
			"steward.revoke_organization() revokes everything.");
	dry_run = flag_arg(fcinfo, 10, "dry_run");
	request.rotated = flag_arg(fcinfo, 11, "rotated");
	request.org = steward_org_arg(fcinfo, 12);
	receipt = answer_request(fcinfo, &request, STEWARD_PROFILE_SECURITY | STEWARD_PROFILE_ADMIN, dry_run,
							 "revoke_matching()");
	STEWARD_HIDE_STATEMENT_END();
	return receipt;
}

/* The organization that a slug names; one in which the caller holds nothing is answered like one that is not there. */
static const pg_uuid_t *
organization_named(const char *slug)
{
	static StewardPlan find = STEWARD_PLAN("t", "SELECT id FROM steward.organization WHERE slug = $1");
	pg_uuid_t *org = palloc0(sizeof(pg_uuid_t));

	STEWARD_AS_OWNER();
	{
		Datum values[] = {CStringGetTextDatum(slug)};
		bool isnull;

		if (steward_run(&find, STEWARD_LATEST, values, NULL) > 0)
			*org = *DatumGetUUIDP(steward_result(0, 1, &isnull));
	}
	STEWARD_AS_OWNER_END();
	return org;
}

/*
 * revoke_organization(organization uuid | text, reason text, note text DEFAULT NULL, dry_run boolean DEFAULT false)
 *		→ revocation_receipt
 *		Revokes every credential of an organization, and moves its epoch.  The organization has to be named, by its id
 *		or slug: there is no default for this.
 *
 * Needs security or admin there.  It does not close the organization: what is issued from then on lives.
 */
Datum
steward_revoke_organization(PG_FUNCTION_ARGS)
{
	Request request = {.subject = ORGANIZATION};
	bool dry_run;
	Datum receipt;

	STEWARD_HIDE_STATEMENT();
	if (!PG_ARGISNULL(0) && get_fn_expr_argtype(fcinfo->flinfo, 0) == UUIDOID)
		request.org = PG_GETARG_UUID_P(0);
	else
		request.org = organization_named(steward_text_arg(fcinfo, 0, "organization", true));
	read_why(fcinfo, &request, 1, 2);
	dry_run = flag_arg(fcinfo, 3, "dry_run");
	receipt = answer_request(fcinfo, &request, STEWARD_PROFILE_SECURITY | STEWARD_PROFILE_ADMIN, dry_run,
							 "revoke_organization()");
	STEWARD_HIDE_STATEMENT_END();
	return receipt;
}

/* Carries a request out for its rows. */
static void
carry_out_preview(void *arg)
{
	Receipt receipt;

	carry_out((const Request *) arg, &receipt);
}

/*
 * preview_revocation(credential text DEFAULT NULL, principal text DEFAULT NULL, scopes scope_set DEFAULT NULL,
 *					  system text DEFAULT NULL, workflow text DEFAULT NULL, owner text DEFAULT NULL, holder text DEFAULT NULL,
 *					  kind text DEFAULT NULL, environment text DEFAULT NULL, issued_before timestamptz DEFAULT NULL,
 *					  rotated boolean DEFAULT false, org uuid DEFAULT default_org())
 *		→ rows (table_name text, action text, row_key jsonb, old_values jsonb, new_values jsonb)
 *		Every row that revoking a credential, a principal or what matches would change, by doing it and taking it back.
 *
 * Needs security or admin.  Raises ST701 unless exactly one of the three is named.
 */
Datum
steward_preview_revocation(PG_FUNCTION_ARGS)
{
	Request request = {.reason = "unspecified"};
	char *credential;
	char *principal;
	bool filtered;

	STEWARD_HIDE_STATEMENT();
	credential = steward_text_arg(fcinfo, 0, "credential", false);
	principal = steward_text_arg(fcinfo, 1, "principal", false);
	filtered = read_filter(fcinfo, &request.filter, 2);
	request.org = steward_org_arg(fcinfo, 11);
	request.profiles = steward_require(request.org, STEWARD_PROFILE_SECURITY | STEWARD_PROFILE_ADMIN);
	if ((credential != NULL) + (principal != NULL) + filtered != 1)
		refuse_everything("Name either a credential, or a principal, or conditions.");
	request.subject = credential ? CREDENTIAL : principal ? PRINCIPAL : FILTER;
	request.reference = credential ? credential : principal;
	request.rotated = flag_arg(fcinfo, 10, "rotated");
	steward_preview_rows(fcinfo, request.org, carry_out_preview, &request);
	STEWARD_HIDE_STATEMENT_END();
	return (Datum) 0;
}
