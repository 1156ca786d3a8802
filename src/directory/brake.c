/*
 * brake.c
 *		The brake: more leavers in one transaction than anybody expects stop it, on every path, until confirmed.
 *
 * A broken export looks like everybody having left.  What counts is what the transaction has done so far, suspensions by
 * a directory included, against the larger of a number and a share of the directory's people.  What time brings about
 * (maintain()) and what is only a preview is not braked: nothing is taken away there that is not gone already.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/uuid.h"

#include "core/authority.h"
#include "core/plan.h"
#include "core/preview.h"
#include "core/reference.h"
#include "directory/lifecycle.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_confirm_brake);

/* Set while maintain() does what is due. */
static bool skip_brake = false;

/*
 * steward_skip_brake
 *		Whether leavers from here on are due anyway.  Reset by the caller, also on errors.
 */
void
steward_skip_brake(bool skip)
{
	skip_brake = skip;
}

/*
 * steward_check_brake
 *		Raises ST304 when this transaction has more leavers of a directory than it may have without confirmation.
 *
 * The population is counted only beyond the fixed number, so one event costs the same in every organization.
 */
void
steward_check_brake(const StewardPeople *people)
{
	static StewardPlan count = STEWARD_PLAN(
		"UUU",
		"WITH touched AS (SELECT DISTINCT e.org_id, e.directory_id FROM unnest($1, $3) AS l(org_id, event_id) "
		"JOIN steward.lifecycle_event e ON e.org_id = l.org_id AND e.id = l.event_id AND e.kind IN ('leaver', 'suspend')), "
		"counted AS (SELECT t.*, (SELECT count(*) FROM steward.lifecycle_event e WHERE e.org_id = t.org_id "
		"AND e.directory_id = t.directory_id AND e.kind IN ('leaver', 'suspend') AND e.recorded_at = now() "
		"AND e.xact = pg_current_xact_id()) AS leavers FROM touched t), "
		"over AS (SELECT c.*, " POLICY("brake_count") " AS allowed, " POLICY(
			"brake_percent") " AS percent, "
							 "(SELECT max(b.leavers) FROM steward.brake_confirmation b WHERE b.org_id = c.org_id "
							 "AND b.directory_id = c.directory_id AND b.xact = pg_current_xact_id()) AS confirmed FROM counted c " POLICIES("c.org_id", "c.directory_id") "WHERE c.leavers > " POLICY(
								 "brake_count") "), "
												"share AS (SELECT v.*, greatest(v.allowed, floor(v.percent / 100 * (SELECT count(*) FROM steward.principal_identity i "
												"JOIN steward.principal p ON p.org_id = i.org_id AND p.id = i.principal_id WHERE i.org_id = v.org_id "
												"AND i.directory_id = v.directory_id AND (p.state = 'active' OR EXISTS (SELECT FROM steward.lifecycle_event e "
												"WHERE e.org_id = p.org_id AND e.principal_id = p.id AND e.xact = pg_current_xact_id() "
												"AND e.kind IN ('leaver', 'suspend')))))) AS may FROM over v WHERE v.leavers > coalesce(v.confirmed, 0)) "
												"SELECT coalesce(d.name, s.directory_id::text), s.leavers::text, s.may::text, s.confirmed::text, "
												"(SELECT string_agg(x.person, ', ' ORDER BY x.person) FROM (SELECT e.person FROM steward.lifecycle_event e "
												"WHERE e.org_id = s.org_id AND e.directory_id = s.directory_id AND e.kind IN ('leaver', 'suspend') "
												"AND e.recorded_at = now() AND e.xact = pg_current_xact_id() ORDER BY e.person LIMIT 50) x) "
												"FROM share s LEFT JOIN steward.directory d ON d.org_id = s.org_id AND d.id = s.directory_id "
												"WHERE s.leavers > s.may LIMIT 1");
	Datum values[] = {people->orgs, people->principals, people->events};
	char *confirmed;

	if (skip_brake || steward_is_previewing())
		return;
	if (steward_run(&count, STEWARD_LATEST, values, NULL) == 0)
		return;
	confirmed = steward_result_text(0, 4);
	ereport(
		ERROR,
		(errcode(ERRCODE_STEWARD_BRAKE),
		 errmsg(
			 "%s people of directory \"%s\" would leave in one transaction, more than the %s that need no confirmation",
			 steward_result_text(0, 2), steward_result_text(0, 1), confirmed ? confirmed : steward_result_text(0, 3)),
		 errdetail("Among them: %s.", steward_result_text(0, 5)),
		 errhint("If that is meant, call steward.confirm_brake(directory, leavers, reason) first, in the same "
				 "transaction.")));
}

/*
 * confirm_brake(directory uuid | text, leavers bigint, reason text, org uuid DEFAULT default_org())
 *		→ confirmation_id uuid
 *		Lets so many people of a directory leave in this transaction.
 *
 * Needs connector or admin.  Holds for this transaction only and stays on record with its reason.
 */
Datum
steward_confirm_brake(PG_FUNCTION_ARGS)
{
	static StewardPlan insert = STEWARD_PLAN(
		"uultn", "INSERT INTO steward.brake_confirmation (org_id, directory_id, leavers, reason, confirmed_by) "
				 "VALUES ($1, $2, $3, $4, $5) RETURNING id");
	char *reference = steward_reference_arg(fcinfo, 0, "directory", true);
	char *reason;
	const pg_uuid_t *org;
	pg_uuid_t *result = palloc(sizeof(pg_uuid_t));
	NameData caller;

	if (PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("leavers must not be null")));
	if (PG_GETARG_INT64(1) <= 0)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_VALUE_INVALID), errmsg("leavers must be positive")));
	reason = steward_note_arg(fcinfo, 2, "reason");
	if (reason == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_STEWARD_JUSTIFICATION_REQUIRED), errmsg("so many leavers at once need a reason")));
	org = steward_org_arg(fcinfo, 3);
	steward_require(org, STEWARD_PROFILE_CONNECTOR | STEWARD_PROFILE_ADMIN);
	PreventCommandIfReadOnly("confirm_brake()");
	namestrcpy(&caller, steward_caller_name());

	STEWARD_AS_OWNER();
	{
		pg_uuid_t *directory = steward_resolve(STEWARD_REF_DIRECTORY, org, reference, "directory");
		Datum values[] = {UUIDPGetDatum(org), UUIDPGetDatum(directory), Int64GetDatum(PG_GETARG_INT64(1)),
						  CStringGetTextDatum(reason), NameGetDatum(&caller)};
		bool isnull;

		steward_run(&insert, STEWARD_TRANSACTION, values, NULL);
		*result = *DatumGetUUIDP(steward_result(0, 1, &isnull));
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_UUID_P(result);
}
