/*
 * revoke.c
 *		Taking credentials away: set-based, with everything that derives from them, and with tasks for other systems.
 *
 * One statement does it for every caller.  It follows the children of each credential (delegated_from, issued_by,
 * belongs_to) to any depth, through children that are dead already, never out of the organization; locks what is alive
 * in id order; marks it revoked; makes a task where another system has to be told; and records the act with its counts.
 * What was revoked before is left as it is, so that doing it again does nothing.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"
#include "utils/xid8.h"

#include "core/authority.h"
#include "core/ids.h"
#include "core/plan.h"
#include "core/preview.h"
#include "core/reference.h"
#include "core/secret.h"
#include "revocation/revoke.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_revoke);
PG_FUNCTION_INFO_V1(steward_revoke_principal);

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

/*
 * The statement.  Parameters: 1-3 organization, credential and act of each credential named; 4-7 organization, id,
 * subject and lifecycle event of each act; 8 reason, 9 note, 10 kind of subject, 11 actor, 12 principals stopped.
 * Answers with a row for each act that did something.
 */
static StewardPlan revoke_all = STEWARD_PLAN(
	"UUUUUUUtttnl",
	"WITH RECURSIVE reach AS ("
	"SELECT s.org_id, s.credential_id, s.revocation_id FROM unnest($1, $2, $3) AS s(org_id, credential_id, revocation_id) "
	"UNION SELECT c.org_id, c.id, r.revocation_id FROM reach r JOIN steward.credential c ON c.org_id = r.org_id "
	"AND c.parent_id = r.credential_id AND c.parent_kind IN ('delegated_from', 'issued_by', 'belongs_to')), "
	"target AS (SELECT DISTINCT ON (org_id, credential_id) org_id, credential_id, revocation_id FROM reach "
	"ORDER BY org_id, credential_id, revocation_id), "
	"alive AS MATERIALIZED (SELECT c.org_id, c.id, t.revocation_id, y.id AS system_id, y.revocation_path <> 'native' AS "
	"outside, clock_timestamp() + coalesce(y.deadline, o.task_deadline) AS deadline FROM target t "
	"JOIN steward.credential c ON c.org_id = t.org_id AND c.id = t.credential_id "
	"JOIN steward.system y ON y.org_id = c.org_id AND y.id = c.system_id "
	"JOIN steward.org_policy o ON o.org_id = c.org_id "
	"WHERE c.state <> 'revoked' ORDER BY c.org_id, c.id FOR UPDATE OF c), "
	"dead AS (UPDATE steward.credential c SET state = 'revoked', revoked_at = clock_timestamp(), "
	"revocation_id = a.revocation_id, external_pending = a.outside FROM alive a "
	"WHERE c.org_id = a.org_id AND c.id = a.id AND c.state <> 'revoked' "
	"RETURNING c.org_id, c.id, a.revocation_id, a.system_id, a.outside, a.deadline), "
	"task AS (INSERT INTO steward.revocation_task (org_id, credential_id, revocation_id, system_id, deadline) "
	"SELECT org_id, id, revocation_id, system_id, deadline FROM dead WHERE outside), "
	"counted AS (SELECT org_id, revocation_id, count(*) AS credentials, count(*) FILTER (WHERE outside) AS pending "
	"FROM dead GROUP BY org_id, revocation_id) "
	"INSERT INTO steward.revocation (org_id, id, reason, note, subject_kind, subject_id, lifecycle_event_id, actor, "
	"credentials, principals, pending_external) "
	"SELECT r.org_id, r.id, $8, $9, $10, r.subject_id, r.event_id, $11, coalesce(n.credentials, 0), $12, "
	"coalesce(n.pending, 0) FROM unnest($4, $5, $6, $7) AS r(org_id, id, subject_id, event_id) "
	"LEFT JOIN counted n ON n.org_id = r.org_id AND n.revocation_id = r.id WHERE n.credentials > 0 OR $12 > 0 "
	"RETURNING id, credentials, principals, pending_external");

/* Values of that statement, with what is the same for most callers filled in. */
typedef struct RevokeValues
{
	Datum values[12];
	bool nulls[12];
	NameData actor;
} RevokeValues;

static void
fill_common(RevokeValues *v, const char *reason, const char *note, const char *subject_kind, int64 principals)
{
	memset(v->nulls, 0, sizeof(v->nulls));
	namestrcpy(&v->actor, steward_caller_name());
	v->values[7] = CStringGetTextDatum(reason);
	v->values[8] = note ? CStringGetTextDatum(note) : (Datum) 0;
	v->nulls[8] = note == NULL;
	v->values[9] = CStringGetTextDatum(subject_kind);
	v->values[10] = NameGetDatum(&v->actor);
	v->values[11] = Int64GetDatum(principals);
}

/*
 * steward_revoke_for_events
 *		Revokes credentials because of lifecycle events, one act for each event; inside the bracket.  The caller forces
 *		the commit to be synchronous.
 *
 * orgs, credentials and events are parallel arrays of uuid, one element a credential.
 */
void
steward_revoke_for_events(Datum orgs, Datum credentials, Datum events, const char *reason)
{
	/* An event's act: a new id, and the person as its subject. */
	static StewardPlan make_acts = STEWARD_PLAN(
		"UU", "SELECT d.org_id, steward.uuid7(), e.principal_id, d.event_id FROM (SELECT DISTINCT org_id, event_id "
			  "FROM unnest($1, $2) AS a(org_id, event_id)) d "
			  "JOIN steward.lifecycle_event e ON e.org_id = d.org_id AND e.id = d.event_id");
	static StewardPlan match_acts =
		STEWARD_PLAN("UUUU", "SELECT r.id FROM unnest($1, $2) WITH ORDINALITY AS c(org_id, event_id, n) "
							 "JOIN unnest($3, $4) AS r(id, event_id) USING (event_id) ORDER BY c.n");
	RevokeValues v;
	Datum values[4] = {orgs, events};

	fill_common(&v, reason, NULL, "principal", 0);
	v.values[0] = orgs;
	v.values[1] = credentials;
	steward_run(&make_acts, STEWARD_LATEST, values, NULL);
	for (int i = 0; i < 4; i++)
		v.values[3 + i] = steward_uuid_column(i + 1);
	values[2] = v.values[4];
	values[3] = v.values[6];
	steward_run(&match_acts, STEWARD_LATEST, values, NULL);
	v.values[2] = steward_uuid_column(1);
	steward_run(&revoke_all, STEWARD_LATEST, v.values, v.nulls);
}

/* What a call of revoke() or revoke_principal() asks for. */
typedef struct Request
{
	const pg_uuid_t *org;
	char *reference;
	char *reason;
	char *note;
	uint32 profiles; /* what the caller holds */
	bool whole_principal;
} Request;

/* What it did. */
typedef struct Receipt
{
	pg_uuid_t id;
	bool has_id;
	int64 credentials;
	int64 principals;
	int64 pending;
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

/* An application may revoke what it issued; anybody else needs security or admin. */
static void
require_issued_by_caller(const pg_uuid_t *org, const pg_uuid_t *credential)
{
	static StewardPlan find =
		STEWARD_PLAN("uu", "SELECT issued_by FROM steward.credential WHERE org_id = $1 AND id = $2");
	Datum values[] = {UUIDPGetDatum(org), UUIDPGetDatum(credential)};
	Oid issuer;

	steward_run(&find, STEWARD_TRANSACTION, values, NULL);
	issuer = get_role_oid(steward_result_text(0, 1), true);
	if (!OidIsValid(issuer) || !has_privs_of_role(steward_caller(), issuer))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied to revoke this credential"),
						errdetail("With profile app only, a role can revoke what it issued itself.")));
}

/* The act that revoked a credential before; false when it is alive. */
static bool
earlier_act(const pg_uuid_t *org, const pg_uuid_t *credential, pg_uuid_t *act)
{
	static StewardPlan find = STEWARD_PLAN("uu", "SELECT revocation_id FROM steward.credential "
												 "WHERE org_id = $1 AND id = $2 AND revocation_id IS NOT NULL");
	Datum values[] = {UUIDPGetDatum(org), UUIDPGetDatum(credential)};
	bool isnull;

	if (steward_run(&find, STEWARD_TRANSACTION, values, NULL) == 0)
		return false;
	*act = *DatumGetUUIDP(steward_result(0, 1, &isnull));
	return true;
}

/* Moves the principal's epoch, and makes what it holds and owns the credentials named. */
static void
name_holdings(RevokeValues *v, const pg_uuid_t *org, const pg_uuid_t *principal, const pg_uuid_t *act)
{
	static StewardPlan move_epoch = STEWARD_PLAN(
		"uu", "UPDATE steward.principal SET tokens_valid_after = GREATEST(tokens_valid_after, clock_timestamp()) "
			  "WHERE org_id = $1 AND id = $2");
	static StewardPlan find = STEWARD_PLAN(
		"uuu",
		"SELECT org_id, id, $3 FROM steward.credential WHERE org_id = $1 AND holder_id = $2 AND state <> 'revoked' "
		"UNION SELECT org_id, id, $3 FROM steward.credential WHERE org_id = $1 AND owner_id = $2 "
		"AND state <> 'revoked'");
	Datum values[] = {UUIDPGetDatum(org), UUIDPGetDatum(principal), UUIDPGetDatum(act)};

	steward_run(&move_epoch, STEWARD_LATEST, values, NULL);
	steward_run(&find, STEWARD_LATEST, values, NULL);
	for (int i = 0; i < 3; i++)
		v->values[i] = steward_uuid_column(i + 1);
}

/* Carries a request out. */
static void
carry_out(const Request *request, Receipt *receipt)
{
	memset(receipt, 0, sizeof(*receipt));
	STEWARD_AS_OWNER();
	{
		RevokeValues v;
		pg_uuid_t *subject;
		pg_uuid_t act;
		bool isnull;

		steward_make_uuid7(&act);
		fill_common(&v, request->reason, request->note, request->whole_principal ? "principal" : "credential",
					request->whole_principal);
		subject =
			steward_resolve(request->whole_principal ? STEWARD_REF_PRINCIPAL : STEWARD_REF_CREDENTIAL, request->org,
							request->reference, request->whole_principal ? "principal" : "credential");
		if (request->whole_principal)
			name_holdings(&v, request->org, subject, &act);
		else
		{
			if ((request->profiles & (STEWARD_PROFILE_SECURITY | STEWARD_PROFILE_ADMIN)) == 0)
				require_issued_by_caller(request->org, subject);
			v.values[0] = one_uuid(request->org);
			v.values[1] = one_uuid(subject);
			v.values[2] = one_uuid(&act);
		}
		v.values[3] = one_uuid(request->org);
		v.values[4] = one_uuid(&act);
		v.values[5] = one_uuid(subject);
		v.values[6] = one_uuid(NULL);
		if (steward_run(&revoke_all, STEWARD_LATEST, v.values, v.nulls) > 0)
		{
			receipt->id = act;
			receipt->has_id = true;
			receipt->credentials = DatumGetInt64(steward_result(0, 2, &isnull));
			receipt->principals = DatumGetInt64(steward_result(0, 3, &isnull));
			receipt->pending = DatumGetInt64(steward_result(0, 4, &isnull));
		}
		else
			receipt->has_id = earlier_act(request->org, subject, &receipt->id);
		ForceSyncCommit();
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
	values[1] = Int64GetDatum(receipt->credentials);
	values[2] = Int64GetDatum(receipt->principals);
	values[3] = Int64GetDatum(receipt->pending);
	values[4] = receipt->has_id ? FullTransactionIdGetDatum(GetTopFullTransactionId()) : (Datum) 0;
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

/* Reads the arguments of revoke() and revoke_principal(), and carries the request out, or tries it. */
static void
do_request(FunctionCallInfo fcinfo, bool whole_principal, Receipt *receipt)
{
	Request request = {.whole_principal = whole_principal};
	uint32 allowed = STEWARD_PROFILE_SECURITY | STEWARD_PROFILE_ADMIN;

	request.reference = steward_reference_arg(fcinfo, 0, whole_principal ? "principal" : "credential", true);
	request.reason = steward_text_arg(fcinfo, 1, "reason", true);
	steward_check_choice(request.reason, "reason", reasons, ERRCODE_STEWARD_REASON_INVALID);
	request.note = steward_note_arg(fcinfo, 2, "note");
	if (PG_ARGISNULL(3))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("dry_run must not be null")));
	request.org = steward_org_arg(fcinfo, 4);
	request.profiles = steward_require(request.org, whole_principal ? allowed : allowed | STEWARD_PROFILE_APP);
	PreventCommandIfReadOnly(whole_principal ? "revoke_principal()" : "revoke()");

	if (PG_GETARG_BOOL(3))
		steward_try_out(carry_out_trial, &(Trial){&request, receipt});
	else
		carry_out(&request, receipt);
}

/* revoke() and revoke_principal(): the same arguments, another subject. */
static Datum
revoke_call(FunctionCallInfo fcinfo, bool whole_principal)
{
	Receipt receipt;

	/* Whoever is in a hurry may give the key itself. */
	STEWARD_HIDE_STATEMENT();
	do_request(fcinfo, whole_principal, &receipt);
	STEWARD_HIDE_STATEMENT_END();
	return receipt_datum(fcinfo, &receipt);
}

/*
 * revoke(credential uuid | text, reason text, note text DEFAULT NULL, dry_run boolean DEFAULT false,
 *		  org uuid DEFAULT default_org()) → revocation_receipt
 *		Revokes a credential and everything that derives from it.
 *
 * Needs security or admin; with app, the credential must have been issued by the calling role.  Revoking what is
 * revoked answers with the first act's id and zero counts.
 */
Datum
steward_revoke(PG_FUNCTION_ARGS)
{
	return revoke_call(fcinfo, false);
}

/*
 * revoke_principal(principal uuid | text, reason text, note text DEFAULT NULL, dry_run boolean DEFAULT false,
 *					org uuid DEFAULT default_org()) → revocation_receipt
 *		Revokes everything that a principal holds or owns, and moves its epoch: what was issued before is dead.
 *
 * Needs security or admin.
 */
Datum
steward_revoke_principal(PG_FUNCTION_ARGS)
{
	return revoke_call(fcinfo, true);
}
