/*
 * birthright.c
 *		What people are given for who they are: rules as data, and the difference that a change makes.
 *
 * One statement compares what the rules give a set of people now with what they have: what is missing is granted, what
 * no rule gives any more ends.  Then credentials of those who lost something and that their grants no longer cover are
 * narrowed, suspended or flagged, as policy says.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "core/authority.h"
#include "core/plan.h"
#include "directory/lifecycle.h"
#include "scope/scope.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_tg_birthright_rule);

/* Whether a value v meets rule r; compared without regard to case. */
#define MEETS(v) \
	"CASE r.operator WHEN 'equals' THEN lower(" v ") = lower(r.value) WHEN 'not_equals' THEN lower(" v \
	") IS DISTINCT FROM lower(r.value) WHEN 'starts_with' THEN starts_with(lower(" v \
	"), lower(r.value)) WHEN 'ends_with' THEN right(lower(" v "), length(r.value)) = lower(r.value) " \
	"WHEN 'present' THEN coalesce(" v ", '') <> '' END"

/* Whether directory row u meets rule r. */
#define MATCHES \
	"CASE WHEN r.attribute = 'everyone' THEN true " \
	"WHEN r.attribute = 'group' AND r.operator = 'not_equals' THEN NOT EXISTS (SELECT FROM steward.directory_member m " \
	"JOIN steward.directory_group g ON g.org_id = m.org_id AND g.id = m.group_id WHERE m.org_id = u.org_id " \
	"AND m.user_id = u.id AND lower(g.display_name) = lower(r.value)) " \
	"WHEN r.attribute = 'group' THEN EXISTS (SELECT FROM steward.directory_member m JOIN steward.directory_group g " \
	"ON g.org_id = m.org_id AND g.id = m.group_id WHERE m.org_id = u.org_id AND m.user_id = u.id AND " MEETS( \
		"g.display_name") ") " \
						  "ELSE " MEETS( \
							  "CASE r.attribute WHEN 'user_name' THEN u.user_name WHEN 'email' THEN u.email WHEN 'title' THEN u.title " \
							  "WHEN 'department' THEN u.department WHEN 'cost_center' THEN u.cost_center " \
							  "WHEN 'employee_number' THEN u.employee_number WHEN 'user_type' THEN u.user_type " \
							  "ELSE u.attributes ->> substr(r.attribute, 12) END") " END"

/*
 * Answers with a row for each person who lost something: organization, principal, event.
 * Parameters: 1 to 3 the people, 4 the role that acts.
 */
static StewardPlan difference = STEWARD_PLAN(
	"UUUn",
	"WITH person AS MATERIALIZED (SELECT * FROM unnest($1, $2, $3) AS a(org_id, principal_id, event_id)), "
	"rule AS MATERIALIZED (SELECT * FROM steward.birthright_rule r WHERE r.org_id IN (SELECT org_id FROM person) AND r.enabled), "
	"due AS MATERIALIZED (SELECT DISTINCT q.org_id, q.principal_id, q.event_id, r.id AS rule_id, r.scopes::text AS scopes, r.role_id, r.lifetime "
	"FROM person q JOIN steward.principal_identity i ON i.org_id = q.org_id AND i.principal_id = q.principal_id "
	"JOIN " DIRECTORY_ROWS
	" JOIN rule r ON r.org_id = q.org_id AND (r.directory_id IS NULL OR r.directory_id = u.directory_id) "
	"WHERE " VOUCHES " AND (" MATCHES ")), "
	"had AS MATERIALIZED (SELECT g.org_id, g.id, g.principal_id, g.rule_id, g.starts_at, g.ends_at, g.ended_by_event, "
	"g.scopes::text AS scopes, g.role_id, q.event_id FROM person q JOIN steward.scope_grant g ON g.org_id = q.org_id "
	"AND g.principal_id = q.principal_id AND g.rule_id IS NOT NULL), "
	"lost AS (UPDATE steward.scope_grant g SET ends_at = clock_timestamp(), ended_by_event = h.event_id FROM had h "
	"WHERE g.org_id = h.org_id AND g.id = h.id AND h.ends_at > clock_timestamp() AND NOT EXISTS (SELECT FROM due d "
	"WHERE d.org_id = h.org_id AND d.principal_id = h.principal_id AND d.rule_id = h.rule_id "
	"AND (d.scopes, d.role_id) IS NOT DISTINCT FROM (h.scopes, h.role_id)) "
	"RETURNING g.org_id, g.principal_id, h.event_id), "
	"gained AS (INSERT INTO steward.scope_grant (org_id, principal_id, scopes, role_id, source, requested_by, ends_at, "
	"rule_id, given_by_event) SELECT d.org_id, d.principal_id, d.scopes::steward.scope_set, d.role_id, 'birthright', $4, "
	"coalesce(clock_timestamp() + d.lifetime, 'infinity'), d.rule_id, d.event_id FROM due d WHERE NOT EXISTS (SELECT FROM "
	"had h WHERE h.org_id = d.org_id AND h.principal_id = d.principal_id AND h.rule_id = d.rule_id "
	"AND (h.scopes, h.role_id) IS NOT DISTINCT FROM (d.scopes, d.role_id) "
	/* What ran its full time is not given again. */
	"AND (h.ends_at > clock_timestamp() OR (d.lifetime IS NOT NULL AND h.ends_at >= h.starts_at + d.lifetime)))) "
	"SELECT DISTINCT org_id, principal_id, event_id FROM lost");

/* What is uncovered of a credential, and the policy for it. */
typedef struct Uncovered
{
	Datum org;
	Datum credential;
	Datum event;
	bool event_null;
	Datum rest; /* scopes that stay covered */
	bool some_rest;
	const char *action;
} Uncovered;

/* Narrows, suspends or flags one credential. */
static void
restrict_credential(const Uncovered *found)
{
	static StewardPlan narrow = STEWARD_PLAN(
		"uuus", "UPDATE steward.credential SET scopes = $4 WHERE org_id = $1 AND id = $2 AND state <> 'revoked'");
	static StewardPlan suspend = STEWARD_PLAN(
		"uuu", "WITH why AS (INSERT INTO steward.suspension (org_id, credential_id, cause, reason, lifecycle_event_id) "
			   "VALUES ($1, $2, 'policy', 'its scopes are no longer covered by the grants of its holder', $3)) "
			   "UPDATE steward.credential SET state = 'suspended' WHERE org_id = $1 AND id = $2 AND state = 'active'");
	static StewardPlan flag = STEWARD_PLAN(
		"uuu",
		"INSERT INTO steward.lifecycle_finding (org_id, rule, lifecycle_event_id, credential_id, detail) "
		"VALUES ($1, 'scopes_not_covered', $3, $2, 'its scopes are no longer covered by the grants of its holder')");
	static StewardPlan count =
		STEWARD_PLAN("uut", "UPDATE steward.lifecycle_event SET effects = effects || jsonb_build_object($3, "
							"coalesce((effects ->> $3)::bigint, 0) + 1) WHERE org_id = $1 AND id = $2");
	Datum values[] = {found->org, found->credential, found->event, found->rest};
	bool nulls[] = {false, false, found->event_null, !found->some_rest};
	const char *effect;

	if (strcmp(found->action, "narrow") == 0 && found->some_rest)
	{
		steward_run(&narrow, STEWARD_LATEST, values, nulls);
		effect = "credentials_narrowed";
	}
	else if (strcmp(found->action, "flag") == 0)
	{
		steward_run(&flag, STEWARD_LATEST, values, nulls);
		effect = "credentials_flagged";
	}
	else
	{
		steward_run(&suspend, STEWARD_LATEST, values, nulls);
		effect = "credentials_suspended";
	}
	if (!found->event_null)
	{
		Datum counted[] = {found->org, found->event, CStringGetTextDatum(effect)};

		steward_run(&count, STEWARD_LATEST, counted, NULL);
	}
}

/* Looks at the credentials of those who lost something, one row a credential and live grant. */
static void
restrict_uncovered(const StewardPeople *losers)
{
	static StewardPlan find = STEWARD_PLAN(
		"UUU",
		"SELECT c.org_id, c.id, c.scopes, coalesce(g.scopes, x.scopes), l.event_id, coalesce(dp.mover_action, "
		"o.mover_action) FROM unnest($1, $2, $3) AS l(org_id, principal_id, event_id) "
		"JOIN steward.credential c ON c.org_id = l.org_id AND c.holder_id = l.principal_id AND c.state = 'active' "
		"LEFT JOIN steward.lifecycle_event e ON e.org_id = l.org_id AND e.id = l.event_id " POLICIES(
			"l.org_id",
			"e.directory_id") "LEFT JOIN steward.scope_grant g ON g.org_id = c.org_id AND g.principal_id = c.holder_id "
							  "AND g.starts_at <= clock_timestamp() AND g.ends_at > clock_timestamp() "
							  "LEFT JOIN steward.role x ON x.org_id = g.org_id AND x.id = g.role_id ORDER BY c.org_id, c.id");
	Datum values[] = {losers->orgs, losers->principals, losers->events};
	uint64 n = steward_run(&find, STEWARD_LATEST, values, NULL);
	SPITupleTable *rows = SPI_tuptable;
	uint64 row = 0;

	while (row < n)
	{
		Uncovered found = {0};
		bool isnull;
		ScopeSet *scopes;
		ScopeSet *missing;

		CHECK_FOR_INTERRUPTS();
		found.org = SPI_getbinval(rows->vals[row], rows->tupdesc, 1, &isnull);
		found.credential = SPI_getbinval(rows->vals[row], rows->tupdesc, 2, &isnull);
		scopes = DatumGetScopeSetP(SPI_getbinval(rows->vals[row], rows->tupdesc, 3, &isnull));
		found.event = SPI_getbinval(rows->vals[row], rows->tupdesc, 5, &found.event_null);
		found.action = SPI_getvalue(rows->vals[row], rows->tupdesc, 6);
		missing = scopes;
		do
		{
			Datum grant = SPI_getbinval(rows->vals[row], rows->tupdesc, 4, &isnull);

			if (!isnull)
				missing = steward_scope_set_uncovered(missing, DatumGetScopeSetP(grant));
			row++;
		} while (row < n && memcmp(DatumGetPointer(SPI_getbinval(rows->vals[row], rows->tupdesc, 2, &isnull)),
								   DatumGetPointer(found.credential), 16) == 0);
		if (steward_scope_set_cardinality(missing) == 0)
			continue;
		found.rest = PointerGetDatum(steward_scope_set_uncovered(scopes, missing));
		found.some_rest = steward_scope_set_cardinality(DatumGetScopeSetP(found.rest)) > 0;
		restrict_credential(&found);
	}
}

/*
 * steward_apply_birthrights
 *		Gives the people what the rules give them now, and takes what they no longer give; inside the bracket.
 */
void
steward_apply_birthrights(const StewardPeople *people)
{
	NameData caller;
	Datum values[] = {people->orgs, people->principals, people->events, NameGetDatum(&caller)};
	StewardPeople losers;

	namestrcpy(&caller, steward_caller_name());
	losers.n = (int64) steward_run(&difference, STEWARD_LATEST, values, NULL);
	if (losers.n == 0)
		return;
	losers.orgs = steward_uuid_column(1);
	losers.principals = steward_uuid_column(2);
	losers.events = steward_uuid_column(3);
	restrict_uncovered(&losers);
}

/*
 * tg_birthright_rule() → trigger
 *		AFTER INSERT, UPDATE or DELETE on birthright_rule, each statement: everybody of the organization is compared with
 *		the rules again.  Nobody moved, so there is no event: the grants and the audit log say what changed.
 */
Datum
steward_tg_birthright_rule(PG_FUNCTION_ARGS)
{
	static StewardPlan inserted = STEWARD_PLAN(
		"", "SELECT p.org_id, p.id, NULL::uuid FROM (SELECT DISTINCT org_id FROM new_rows) o "
			"JOIN steward.principal p ON p.org_id = o.org_id AND p.kind = 'human' AND p.state <> 'offboarded' "
			"ORDER BY p.org_id, p.id FOR NO KEY UPDATE OF p");
	static StewardPlan deleted = STEWARD_PLAN(
		"", "SELECT p.org_id, p.id, NULL::uuid FROM (SELECT DISTINCT org_id FROM old_rows) o "
			"JOIN steward.principal p ON p.org_id = o.org_id AND p.kind = 'human' AND p.state <> 'offboarded' "
			"ORDER BY p.org_id, p.id FOR NO KEY UPDATE OF p");
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("tg_birthright_rule() must be fired after a statement")));
	STEWARD_AS_OWNER();
	{
		StewardPeople people;

		SPI_register_trigger_data(trigger);
		people.n = (int64) steward_run_rows(TRIGGER_FIRED_BY_DELETE(trigger->tg_event) ? &deleted : &inserted,
											STEWARD_LATEST, 1);
		if (people.n > 0)
		{
			people.orgs = steward_uuid_column(1);
			people.principals = steward_uuid_column(2);
			people.events = steward_uuid_column(3);
			steward_apply_birthrights(&people);
		}
	}
	STEWARD_AS_OWNER_END();
	return PointerGetDatum(NULL);
}
