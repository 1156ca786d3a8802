/*
 * returning.c
 *		Suspended by a directory, resumed, and rehired.
 *
 * A suspension remembers its cause; what comes back lifts only what went with the same cause, and the state of a
 * principal or credential is the fold of its open suspensions.  What was revoked stays revoked, and no epoch moves back.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "utils/builtins.h"

#include "core/authority.h"
#include "core/plan.h"
#include "directory/lifecycle.h"
#include "steward.h"

/* The people, as a relation "r"; parameters 1 to 3, and 4 the role that acts. */
#define PEOPLE_ARGS "UUUn"
#define PEOPLE "unnest($1, $2, $3) AS r(org_id, principal_id, event_id)"

/* Parameters of the statements below. */
static void
people_values(const StewardPeople *people, NameData *caller, Datum values[4])
{
	namestrcpy(caller, steward_caller_name());
	values[0] = people->orgs;
	values[1] = people->principals;
	values[2] = people->events;
	values[3] = NameGetDatum(caller);
}

/*
 * steward_suspend_people
 *		Suspends people whose directory took them away for now, until it brings them back or the grace period ends.
 */
void
steward_suspend_people(const StewardPeople *people)
{
	static StewardPlan suspend = STEWARD_PLAN(
		PEOPLE_ARGS,
		"INSERT INTO steward.suspension (org_id, principal_id, cause, reason, lifecycle_event_id) "
		"SELECT r.org_id, r.principal_id, CASE e.cause WHEN 'unlinked' THEN 'unlink' ELSE 'directory' END, "
		"'the directory no longer vouches, and the grace period runs', r.event_id FROM " PEOPLE
		" JOIN steward.lifecycle_event e ON e.org_id = r.org_id AND e.id = r.event_id");
	/* The latest end of the grace periods of their rows. */
	static StewardPlan stop = STEWARD_PLAN(
		PEOPLE_ARGS,
		"UPDATE steward.principal p SET state = 'suspended', leaves_at = g.leaves_at FROM (SELECT r.org_id, "
		"r.principal_id, max(CASE WHEN d.state = 'unlinked' THEN d.unlinked_at + " POLICY("unlink_grace") " ELSE u.inactive_since + " POLICY(
			"inactive_grace") " END) AS leaves_at FROM " PEOPLE
							  " JOIN steward.principal_identity i ON i.org_id = r.org_id AND i.principal_id = r.principal_id "
							  "JOIN " DIRECTORY_ROWS " " POLICIES(
								  "i.org_id", "i.directory_id") "GROUP BY r.org_id, r.principal_id) g "
																"WHERE p.org_id = g.org_id AND p.id = g.principal_id");
	NameData caller;
	Datum values[4];

	people_values(people, &caller, values);
	steward_run(&suspend, STEWARD_LATEST, values, NULL);
	steward_run(&stop, STEWARD_LATEST, values, NULL);
}

/*
 * steward_resume_people
 *		Lifts what their directory suspended, and nothing else.
 */
void
steward_resume_people(const StewardPeople *people)
{
	static StewardPlan lift = STEWARD_PLAN(
		PEOPLE_ARGS, "UPDATE steward.suspension s SET lifted_at = clock_timestamp(), lifted_by = $4, lifted_by_event = "
					 "r.event_id FROM " PEOPLE " WHERE s.org_id = r.org_id AND s.principal_id = r.principal_id "
					 "AND s.cause IN ('directory', 'unlink') AND s.lifted_at IS NULL");
	static StewardPlan wake = STEWARD_PLAN(
		PEOPLE_ARGS,
		"UPDATE steward.principal p SET leaves_at = NULL, state = CASE WHEN EXISTS (SELECT FROM steward.suspension o "
		"WHERE o.org_id = p.org_id AND o.principal_id = p.id AND o.lifted_at IS NULL) THEN 'suspended' ELSE 'active' END "
		"FROM " PEOPLE " WHERE p.org_id = r.org_id AND p.id = r.principal_id AND p.state = 'suspended'");
	NameData caller;
	Datum values[4];

	people_values(people, &caller, values);
	steward_run(&lift, STEWARD_LATEST, values, NULL);
	steward_run(&wake, STEWARD_LATEST, values, NULL);
}

/*
 * steward_rehire_people
 *		Brings people back who had left.  Lifts what the leaver event suspended and nothing else, or, by policy, nothing.
 */
void
steward_rehire_people(const StewardPeople *people)
{
	static StewardPlan back = STEWARD_PLAN(
		PEOPLE_ARGS,
		"UPDATE steward.principal p SET offboarded_at = NULL, leaves_at = NULL, state = CASE WHEN EXISTS (SELECT FROM "
		"steward.suspension s WHERE s.org_id = p.org_id AND s.principal_id = p.id AND s.lifted_at IS NULL) "
		"THEN 'suspended' ELSE 'active' END FROM " PEOPLE " WHERE p.org_id = r.org_id AND p.id = r.principal_id");
	/* What the leaver events of these people suspended, as long as it is still theirs. */
	static StewardPlan lift = STEWARD_PLAN(
		PEOPLE_ARGS,
		"UPDATE steward.suspension s SET lifted_at = clock_timestamp(), lifted_by = $4, lifted_by_event = r.event_id "
		"FROM " PEOPLE " JOIN steward.lifecycle_event b ON b.org_id = r.org_id AND b.id = r.event_id " POLICIES(
			"b.org_id",
			"b.directory_id") "JOIN steward.lifecycle_event e ON e.org_id = r.org_id AND e.principal_id = r.principal_id AND e.kind = 'leaver' "
							  "WHERE " POLICY(
								  "rehire_action") " = 'restore' AND s.org_id = e.org_id AND s.lifecycle_event_id = e.id AND s.lifted_at IS NULL "
												   "AND (EXISTS (SELECT FROM steward.principal p WHERE p.org_id = s.org_id AND p.id = s.principal_id "
												   "AND p.owner_id = r.principal_id) "
												   "OR EXISTS (SELECT FROM steward.credential c WHERE c.org_id = s.org_id AND c.id = s.credential_id "
												   "AND r.principal_id IN (c.owner_id, c.holder_id)))");
	static StewardPlan wake_principals = STEWARD_PLAN(
		PEOPLE_ARGS,
		"UPDATE steward.principal p SET state = 'active' FROM " PEOPLE
		" JOIN steward.suspension s ON s.org_id = r.org_id AND s.lifted_by_event = r.event_id "
		"WHERE p.org_id = s.org_id AND p.id = s.principal_id AND p.state = 'suspended' AND NOT EXISTS (SELECT FROM "
		"steward.suspension o WHERE o.org_id = p.org_id AND o.principal_id = p.id AND o.lifted_at IS NULL)");
	/* Ownership begins anew, or the epoch that the leaver moved would still kill it. */
	static StewardPlan wake_credentials = STEWARD_PLAN(
		PEOPLE_ARGS,
		"UPDATE steward.credential c SET state = 'active', owner_since = clock_timestamp() FROM " PEOPLE
		" JOIN steward.suspension s ON s.org_id = r.org_id AND s.lifted_by_event = r.event_id "
		"WHERE c.org_id = s.org_id AND c.id = s.credential_id AND c.state = 'suspended' AND NOT EXISTS (SELECT FROM "
		"steward.suspension o WHERE o.org_id = c.org_id AND o.credential_id = c.id AND o.lifted_at IS NULL)");
	static StewardPlan count_effects = STEWARD_PLAN(
		PEOPLE_ARGS,
		"UPDATE steward.lifecycle_event e SET effects = jsonb_build_object('principals_resumed', n.principals, "
		"'credentials_resumed', n.credentials) FROM (SELECT r.org_id, r.event_id, count(s.principal_id) AS principals, "
		"count(s.credential_id) AS credentials FROM " PEOPLE
		" LEFT JOIN steward.suspension s ON s.org_id = r.org_id AND s.lifted_by_event = r.event_id GROUP BY 1, 2) n "
		"WHERE e.org_id = n.org_id AND e.id = n.event_id");
	/* By policy somebody has to decide what comes back. */
	static StewardPlan hold = STEWARD_PLAN(
		PEOPLE_ARGS,
		"INSERT INTO steward.lifecycle_finding (org_id, rule, lifecycle_event_id, principal_id, detail) "
		"SELECT r.org_id, 'rehire_held', r.event_id, r.principal_id, 'came back; what the leaver event suspended is held' "
		"FROM " PEOPLE " JOIN steward.lifecycle_event b ON b.org_id = r.org_id AND b.id = r.event_id " POLICIES(
			"b.org_id", "b.directory_id") "WHERE " POLICY("rehire_action") " = 'hold'");
	NameData caller;
	Datum values[4];

	people_values(people, &caller, values);
	steward_run(&back, STEWARD_LATEST, values, NULL);
	if (steward_run(&lift, STEWARD_LATEST, values, NULL) > 0)
	{
		steward_run(&wake_principals, STEWARD_LATEST, values, NULL);
		steward_run(&wake_credentials, STEWARD_LATEST, values, NULL);
	}
	steward_run(&count_effects, STEWARD_LATEST, values, NULL);
	steward_run(&hold, STEWARD_LATEST, values, NULL);
}
