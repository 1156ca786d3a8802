/*
 * suspend.c
 *		Stopping principals and credentials without revoking them, and letting them act again.
 *
 * A suspension remembers its cause.  Several may hold at once; the state of principal and credential is their fold, so
 * that a check reads one row; lifting one leaves the others.  Set-based: one subject and a hundred thousand are the same
 * statements.  Locks: principals in id order, then credentials in id order; everything is read from a latest snapshot.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "core/authority.h"
#include "core/plan.h"
#include "core/reference.h"
#include "credential/object.h"
#include "credential/suspend.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_suspend);
PG_FUNCTION_INFO_V1(steward_reinstate);

/* The closed list; the table's constraint has the same. */
static const char *const causes[] = {"leaver", "directory",		   "unlink",   "signal", "leak",   "incident", "policy",
									 "idle",   "rotation_overdue", "orphaned", "review", "manual", NULL};

/* The subjects as a relation; parameters 1 to 3 of every statement below. */
#define SUBJECT_ROWS "unnest($1, $2, $3) AS s(org_id, principal_id, credential_id)"

/* Somebody who can answer for something. */
#define LIVING_OWNER(x) \
	"EXISTS (SELECT FROM steward.principal o WHERE o.org_id = " x ".org_id AND o.id = " x ".owner_id " \
	"AND o.kind = 'human' AND o.state <> 'offboarded' AND (o.ends_at IS NULL OR o.ends_at > clock_timestamp()))"

/* An array of one uuid, or of one null. */
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

/*
 * steward_one_subject
 *		A single principal or credential; the other is NULL.
 */
StewardSubjects
steward_one_subject(const pg_uuid_t *org, const pg_uuid_t *principal, const pg_uuid_t *credential)
{
	return (StewardSubjects){one_uuid(org), one_uuid(principal), one_uuid(credential)};
}

/* Locks the subjects, and holders and owners of those that shall act again, before anything is decided. */
static void
lock_subjects(Datum *values)
{
	static StewardPlan lock_principals = STEWARD_PLAN(
		"UUU",
		"SELECT FROM steward.principal p WHERE (p.org_id, p.id) IN (SELECT s.org_id, s.principal_id FROM " SUBJECT_ROWS
		" UNION SELECT p.org_id, p.owner_id FROM " SUBJECT_ROWS
		" JOIN steward.principal p ON p.org_id = s.org_id AND p.id = s.principal_id "
		"UNION SELECT c.org_id, x.id FROM " SUBJECT_ROWS
		" JOIN steward.credential c ON c.org_id = s.org_id AND c.id = s.credential_id "
		"CROSS JOIN LATERAL (VALUES (c.holder_id), (c.owner_id)) AS x(id)) "
		"ORDER BY p.org_id, p.id FOR NO KEY UPDATE");
	static StewardPlan lock_credentials = STEWARD_PLAN(
		"UUU",
		"SELECT FROM steward.credential c WHERE (c.org_id, c.id) IN (SELECT s.org_id, s.credential_id FROM " SUBJECT_ROWS
		") ORDER BY c.org_id, c.id FOR UPDATE");

	steward_run(&lock_principals, STEWARD_LATEST, values, NULL);
	steward_run(&lock_credentials, STEWARD_LATEST, values, NULL);
}

/*
 * steward_suspend_subjects
 *		Suspends the subjects for a cause, in words and until a moment; again for the same cause changes nothing.
 *
 * What is revoked or only discovered cannot act and is passed over.  Who has left is suspended all the same: coming back
 * would not lift it.
 */
int64
steward_suspend_subjects(const StewardSubjects *subjects, const char *cause, const char *reason,
						 const TimestampTz *until)
{
	static StewardPlan insert = STEWARD_PLAN(
		"UUUttz",
		"INSERT INTO steward.suspension (org_id, principal_id, credential_id, cause, reason, until) "
		"SELECT DISTINCT s.org_id, s.principal_id, s.credential_id, $4, $5, $6 FROM " SUBJECT_ROWS
		" LEFT JOIN steward.principal p ON p.org_id = s.org_id AND p.id = s.principal_id "
		"LEFT JOIN steward.credential c ON c.org_id = s.org_id AND c.id = s.credential_id "
		"AND c.state IN ('active', 'suspended') "
		"WHERE num_nonnulls(p.id, c.id) = 1 AND NOT EXISTS (SELECT FROM steward.suspension o WHERE o.org_id = s.org_id "
		"AND o.principal_id = s.principal_id AND o.cause = $4 AND o.lifted_at IS NULL) "
		"AND NOT EXISTS (SELECT FROM steward.suspension o WHERE o.org_id = s.org_id "
		"AND o.credential_id = s.credential_id AND o.cause = $4 AND o.lifted_at IS NULL)");
	static StewardPlan stop_principals =
		STEWARD_PLAN("UUU", "UPDATE steward.principal p SET state = 'suspended' FROM " SUBJECT_ROWS
							" WHERE p.org_id = s.org_id AND p.id = s.principal_id AND p.state = 'active'");
	static StewardPlan stop_credentials =
		STEWARD_PLAN("UUU", "UPDATE steward.credential c SET state = 'suspended' FROM " SUBJECT_ROWS
							" WHERE c.org_id = s.org_id AND c.id = s.credential_id AND c.state = 'active'");
	Datum values[] = {subjects->orgs,
					  subjects->principals,
					  subjects->credentials,
					  CStringGetTextDatum(cause),
					  CStringGetTextDatum(reason),
					  until ? TimestampTzGetDatum(*until) : (Datum) 0};
	bool nulls[] = {false, false, false, false, false, until == NULL};
	int64 made;

	lock_subjects(values);
	made = (int64) steward_run(&insert, STEWARD_LATEST, values, nulls);
	if (made == 0)
		return 0;
	steward_run(&stop_principals, STEWARD_LATEST, values, NULL);
	steward_run(&stop_credentials, STEWARD_LATEST, values, NULL);
	/* That somebody was stopped must survive a crash, whatever the session's synchronous_commit says. */
	ForceSyncCommit();
	return made;
}

/*
 * steward_reinstate_subjects
 *		Lifts the suspensions of the subjects that have the cause, and wakes what no other suspension holds.
 *
 * What has no living owner stays suspended: it needs another owner first.
 */
int64
steward_reinstate_subjects(const StewardSubjects *subjects, const char *cause, const char *reason)
{
	static StewardPlan lift = STEWARD_PLAN(
		"UUUttn",
		"UPDATE steward.suspension s SET lifted_at = clock_timestamp(), lifted_by = $6, lifted_reason = $5 "
		"WHERE s.lifted_at IS NULL AND s.cause = $4 AND (s.org_id, s.id) IN ("
		"SELECT o.org_id, o.id FROM unnest($1, $2) AS s(org_id, principal_id) "
		"JOIN steward.suspension o ON o.org_id = s.org_id AND o.principal_id = s.principal_id AND o.lifted_at IS NULL "
		"JOIN steward.principal p ON p.org_id = s.org_id AND p.id = s.principal_id "
		"AND (p.kind = 'human' OR " LIVING_OWNER(
			"p") ") "
				 "UNION ALL SELECT o.org_id, o.id FROM unnest($1, $3) AS s(org_id, credential_id) "
				 "JOIN steward.suspension o ON o.org_id = s.org_id AND o.credential_id = s.credential_id AND o.lifted_at IS NULL "
				 "JOIN steward.credential c ON c.org_id = s.org_id AND c.id = s.credential_id AND " LIVING_OWNER(
					 "c") ")");
	static StewardPlan wake_principals = STEWARD_PLAN(
		"UUU", "UPDATE steward.principal p SET state = 'active' FROM " SUBJECT_ROWS
			   " WHERE p.org_id = s.org_id AND p.id = s.principal_id AND p.state = 'suspended' "
			   "AND NOT EXISTS (SELECT FROM steward.suspension o WHERE o.org_id = p.org_id AND o.principal_id = p.id "
			   "AND o.lifted_at IS NULL)");
	static StewardPlan wake_credentials = STEWARD_PLAN(
		"UUU", "UPDATE steward.credential c SET state = 'active' FROM " SUBJECT_ROWS
			   " WHERE c.org_id = s.org_id AND c.id = s.credential_id AND c.state = 'suspended' "
			   "AND NOT EXISTS (SELECT FROM steward.suspension o WHERE o.org_id = c.org_id AND o.credential_id = c.id "
			   "AND o.lifted_at IS NULL)");
	NameData caller;
	Datum values[6] = {subjects->orgs, subjects->principals, subjects->credentials, CStringGetTextDatum(cause),
					   CStringGetTextDatum(reason)};
	int64 lifted;

	namestrcpy(&caller, steward_caller_name());
	values[5] = NameGetDatum(&caller);
	lock_subjects(values);
	lifted = (int64) steward_run(&lift, STEWARD_LATEST, values, NULL);
	if (lifted > 0)
	{
		steward_run(&wake_principals, STEWARD_LATEST, values, NULL);
		steward_run(&wake_credentials, STEWARD_LATEST, values, NULL);
	}
	return lifted;
}

/*
 * steward_lift_ended
 *		Lifts suspensions whose end has come; a step of maintain().
 */
char *
steward_lift_ended(void)
{
	static StewardPlan find =
		STEWARD_PLAN("t", "SELECT org_id, principal_id, credential_id FROM steward.suspension "
						  "WHERE lifted_at IS NULL AND until <= clock_timestamp() AND cause = $1");
	int64 lifted = 0;

	for (int i = 0; causes[i]; i++)
	{
		Datum cause = CStringGetTextDatum(causes[i]);
		StewardSubjects subjects;

		CHECK_FOR_INTERRUPTS();
		if (steward_run(&find, STEWARD_LATEST, &cause, NULL) == 0)
			continue;
		subjects.orgs = steward_uuid_column(1);
		subjects.principals = steward_uuid_column(2);
		subjects.credentials = steward_uuid_column(3);
		lifted += steward_reinstate_subjects(&subjects, causes[i], "its end has come");
	}
	return psprintf(INT64_FORMAT " lifted", lifted);
}

/* What suspend() and reinstate() are called with. */
typedef struct SuspendCall
{
	const pg_uuid_t *org;
	char *reference;
	char *reason;
	char *cause;
	StewardObject object;
	StewardSubjects subjects;
} SuspendCall;

static void
read_call(FunctionCallInfo fcinfo, const char *name, int org_arg, SuspendCall *call)
{
	call->reference = steward_reference_arg(fcinfo, 0, "object", true);
	call->reason = steward_note_arg(fcinfo, 1, "reason");
	if (call->reason == NULL)
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("reason must not be null")));
	call->cause = steward_text_arg(fcinfo, 2, "cause", true);
	call->org = steward_org_arg(fcinfo, org_arg);
	steward_require(call->org, STEWARD_PROFILE_SECURITY | STEWARD_PROFILE_ADMIN);
	steward_check_choice(call->cause, "cause", causes, ERRCODE_STEWARD_VALUE_INVALID);
	PreventCommandIfReadOnly(name);
}

/* Finds the subject; inside the bracket. */
static void
find_subject(SuspendCall *call)
{
	steward_resolve_object(call->org, call->reference, STEWARD_OBJECT_PRINCIPAL | STEWARD_OBJECT_CREDENTIAL,
						   &call->object);
	call->subjects =
		steward_one_subject(call->org, call->object.kind == STEWARD_OBJECT_PRINCIPAL ? &call->object.id : NULL,
							call->object.kind == STEWARD_OBJECT_CREDENTIAL ? &call->object.id : NULL);
}

/* The open suspension of the subject for the cause; false when there is none. */
static bool
open_suspension(const SuspendCall *call, pg_uuid_t *id)
{
	static StewardPlan find = STEWARD_PLAN(
		"uut", "SELECT id FROM steward.suspension WHERE org_id = $1 AND $2 IN (principal_id, credential_id) "
			   "AND cause = $3 AND lifted_at IS NULL ORDER BY id LIMIT 1");
	Datum values[] = {UUIDPGetDatum(call->org), UUIDPGetDatum(&call->object.id), CStringGetTextDatum(call->cause)};
	bool isnull;

	if (steward_run(&find, STEWARD_LATEST, values, NULL) == 0)
		return false;
	*id = *DatumGetUUIDP(steward_result(0, 1, &isnull));
	return true;
}

/*
 * suspend(object uuid | text, reason text, cause text DEFAULT 'manual', until timestamptz DEFAULT NULL,
 *		   org uuid DEFAULT default_org()) → suspension_id uuid
 *		Stops a principal or credential: no check passes until it is reinstated, or until the end named.
 *
 * Needs security or admin.  Again for the same cause answers with the suspension that is open.  Raises ST225 for a
 * credential that is revoked or only discovered, ST213 for an end that is past.
 */
Datum
steward_suspend(PG_FUNCTION_ARGS)
{
	SuspendCall call = {0};
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));
	TimestampTz until = 0;
	bool has_end = !PG_ARGISNULL(3);

	if (has_end)
	{
		until = PG_GETARG_TIMESTAMPTZ(3);
		if (TIMESTAMP_NOT_FINITE(until) || until <= GetCurrentTimestamp())
			ereport(ERROR,
					(errcode(ERRCODE_STEWARD_VALUE_INVALID), errmsg("until must lie in the future and be finite"),
					 errhint("Leave it out for a suspension without end.")));
	}
	read_call(fcinfo, "suspend()", 4, &call);
	STEWARD_AS_OWNER();
	{
		find_subject(&call);
		(void) steward_suspend_subjects(&call.subjects, call.cause, call.reason, has_end ? &until : NULL);
		if (!open_suspension(&call, id))
			ereport(ERROR, (errcode(ERRCODE_STEWARD_CREDENTIAL_NOT_LIVE),
							errmsg("credential \"%s\" cannot be suspended", call.object.label),
							errdetail("It is revoked, or was only discovered: no check passes anyway.")));
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_UUID_P(id);
}

/*
 * reinstate(object uuid | text, reason text, cause text DEFAULT 'manual', org uuid DEFAULT default_org()) → state text
 *		Lifts what was suspended for that cause and answers with the state that follows: active, or still suspended
 *		when another suspension holds.
 *
 * Needs security or admin.  Raises ST231 when nothing is suspended for the cause, ST202 when there is no living owner.
 */
Datum
steward_reinstate(PG_FUNCTION_ARGS)
{
	static StewardPlan find_state =
		STEWARD_PLAN("uu", "SELECT state FROM steward.principal WHERE org_id = $1 AND id = $2 "
						   "UNION ALL SELECT state FROM steward.credential WHERE org_id = $1 AND id = $2");
	SuspendCall call = {0};
	char *volatile state = NULL;
	MemoryContext context = CurrentMemoryContext;

	read_call(fcinfo, "reinstate()", 3, &call);
	STEWARD_AS_OWNER();
	{
		pg_uuid_t open;

		find_subject(&call);
		if (!open_suspension(&call, &open))
			ereport(ERROR, (errcode(ERRCODE_STEWARD_NOT_SUSPENDED),
							errmsg("\"%s\" is not suspended for cause %s", call.object.label, call.cause)));
		if (steward_reinstate_subjects(&call.subjects, call.cause, call.reason) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_STEWARD_OWNER_NOT_LIVE), errmsg("\"%s\" has no living owner", call.object.label),
					 errhint("Give it one with steward.transfer_ownership().")));
		{
			Datum values[] = {UUIDPGetDatum(call.org), UUIDPGetDatum(&call.object.id)};

			steward_run(&find_state, STEWARD_LATEST, values, NULL);
			state = MemoryContextStrdup(context, steward_result_text(0, 1));
		}
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_TEXT_P(cstring_to_text(state));
}
