/*
 * leaver.c
 *		What happens when somebody leaves: everything they held ends, everything they owned gets another owner.
 *
 * One set of statements for one leaver or a hundred thousand.  Locks first, in id order: the leavers, the principals
 * they own and those who take over; what is decided is decided only then, from a latest snapshot.  Whoever mints,
 * changes or takes over a live credential locks the same rows FOR SHARE before reading their state, so a credential
 * minted beside a leaver is either found here or never committed.
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "core/authority.h"
#include "core/plan.h"
#include "directory/lifecycle.h"
#include "revocation/revoke.h"
#include "steward.h"

/* How often succession is decided again because a successor left meanwhile. */
#define MAX_ROUNDS 10

/* The most managers climbed in search of a living one. */
#define MAX_CLIMB "50"

/*
 * Who takes over from each leaver, in the order that policy names: the next living manager up the tree, past managers
 * who leave with them (a cycle ends the climb); the owner of the department; the default owner of the organization.  The
 * rows of people deleted in this statement are gone, so their managers come with the parameters.
 * Parameters: 1, 2 organization and principal of the leavers, 6 their events; 3 to 5 organization, id and manager of
 * deleted rows.
 */
#define SUCCESSION \
	"WITH RECURSIVE leaver AS (SELECT l.org_id, l.principal_id, l.event_id, " POLICY( \
		"succession") " AS succession, o.default_owner_id, coalesce(u.department, e.attributes_old ->> 'department') AS department, " \
					  "e.directory_user_id FROM unnest($1, $2, $6) AS l(org_id, principal_id, event_id) " \
					  "JOIN steward.lifecycle_event e ON e.org_id = l.org_id AND e.id = l.event_id " POLICIES( \
						  "e.org_id", \
						  "e.directory_id") "LEFT JOIN steward.directory_user u ON u.org_id = e.org_id AND u.id = e.directory_user_id), " \
											"gone AS (SELECT g.org_id, g.user_id, g.manager_id FROM unnest($3, $4, $5) AS g(org_id, user_id, manager_id)), " \
											"climb AS (SELECT l.org_id, l.principal_id, coalesce(u.manager_user_id, g.manager_id) AS manager_id, 1 AS depth, " \
											"ARRAY[l.directory_user_id] AS seen FROM leaver l " \
											"LEFT JOIN steward.directory_user u ON u.org_id = l.org_id AND u.id = l.directory_user_id " \
											"LEFT JOIN gone g ON g.org_id = l.org_id AND g.user_id = l.directory_user_id " \
											"UNION ALL " \
											"SELECT c.org_id, c.principal_id, coalesce(u.manager_user_id, g.manager_id), c.depth + 1, " \
											"c.seen || c.manager_id FROM climb c " \
											"LEFT JOIN gone g ON g.org_id = c.org_id AND g.user_id = c.manager_id " \
											"LEFT JOIN steward.directory_user u ON u.org_id = c.org_id AND u.id = c.manager_id " \
											"WHERE c.manager_id IS NOT NULL AND c.manager_id <> ALL (c.seen) AND c.depth < " MAX_CLIMB \
											"), " \
											"candidate AS (SELECT c.org_id, c.principal_id, i.principal_id AS successor_id, 'manager' AS step, c.depth " \
											"FROM climb c JOIN steward.directory_user m ON m.org_id = c.org_id AND m.id = c.manager_id " \
											"JOIN steward.principal_identity i ON i.org_id = m.org_id AND i.directory_id = m.directory_id " \
											"AND i.external_id = m.external_id " \
											"UNION ALL SELECT l.org_id, l.principal_id, w.owner_id, 'department', 0 FROM leaver l " \
											"JOIN steward.department_owner w ON w.org_id = l.org_id AND w.department = lower(l.department) " \
											"UNION ALL SELECT l.org_id, l.principal_id, l.default_owner_id, 'organization', 0 FROM leaver l), " \
											"successor AS (SELECT DISTINCT ON (c.org_id, c.principal_id) c.org_id, c.principal_id, p.id AS successor_id, " \
											"l.event_id FROM leaver l JOIN candidate c ON c.org_id = l.org_id AND c.principal_id = l.principal_id " \
											"JOIN steward.principal p ON p.org_id = c.org_id AND p.id = c.successor_id " \
											"WHERE c.step = ANY (l.succession) AND p.state = 'active' AND p.kind = 'human' " \
											"AND (p.ends_at IS NULL OR p.ends_at > clock_timestamp()) " \
											"AND (p.org_id, p.id) NOT IN (SELECT org_id, principal_id FROM leaver) " \
											"ORDER BY c.org_id, c.principal_id, array_position(l.succession, c.step), c.depth) "
#define SUCCESSION_ARGS "UUUUUU"

/* Who takes over from whom: parallel arrays, one element a leaver who has a successor. */
typedef struct Succession
{
	uint64 n;
	Datum orgs;
	Datum leavers;
	Datum successors;
	Datum events;
} Succession;

/* Finds the successors as things stand at this moment. */
static Succession
find_successors(const Datum *values)
{
	static StewardPlan find =
		STEWARD_PLAN(SUCCESSION_ARGS, SUCCESSION "SELECT org_id, principal_id, successor_id, event_id FROM successor");
	Succession found = {.n = steward_run(&find, STEWARD_LATEST, values, NULL)};

	found.orgs = steward_uuid_column(1);
	found.leavers = steward_uuid_column(2);
	found.successors = steward_uuid_column(3);
	found.events = steward_uuid_column(4);
	return found;
}

/* Locks leavers, what they own and who takes over, in id order. */
static void
lock_all(const StewardPeople *leavers, const Succession *succession)
{
	static StewardPlan lock =
		STEWARD_PLAN("UUUU", "SELECT FROM steward.principal p WHERE (p.org_id, p.id) IN ("
							 "SELECT l.org_id, l.id FROM unnest($1, $2) AS l(org_id, id) "
							 "UNION SELECT s.org_id, s.id FROM unnest($3, $4) AS s(org_id, id) "
							 "UNION SELECT o.org_id, o.id FROM unnest($1, $2) AS l(org_id, id) "
							 "JOIN steward.principal o ON o.org_id = l.org_id AND o.owner_id = l.id) "
							 "ORDER BY p.org_id, p.id FOR NO KEY UPDATE");
	Datum values[] = {leavers->orgs, leavers->principals, succession->orgs, succession->successors};

	steward_run(&lock, STEWARD_LATEST, values, NULL);
}

/* Whether two rounds chose the same successors. */
static bool
same_succession(const Succession *a, const Succession *b)
{
	return a->n == b->n && steward_same_array(a->leavers, b->leavers) &&
		   steward_same_array(a->successors, b->successors);
}

/* The leavers, with their policy; parameters 1 to 3. */
#define LEAVERS \
	"unnest($1, $2, $3) AS l(org_id, id, event_id) " \
	"JOIN steward.lifecycle_event e ON e.org_id = l.org_id AND e.id = l.event_id " POLICIES("e.org_id", \
																							"e.directory_id")

/* Revokes the credentials that the last statement found, for the events it found. */
static void
revoke_found(void)
{
	Datum orgs = steward_uuid_column(1);
	Datum credentials = steward_uuid_column(2);
	Datum events = steward_uuid_column(3);

	steward_revoke_for_events(orgs, credentials, events, "leaver");
}

/*
 * Ends what the leavers hold: state and epoch, grants, delegations, and every credential with what derives from it.
 *
 * Where policy only suspends, credentials that live here stay suspended for the grace period; the epoch moves when it
 * ends.  One that lives elsewhere would go on opening doors there, so it is revoked at once in any case.
 */
static void
end_holdings(const StewardPeople *leavers)
{
	static StewardPlan offboard = STEWARD_PLAN(
		"UUU", "UPDATE steward.principal p SET state = 'offboarded', offboarded_at = clock_timestamp(), "
			   "leaves_at = CASE WHEN x.action = 'suspend' THEN clock_timestamp() + x.grace END, "
			   "tokens_valid_after = CASE WHEN x.action = 'suspend' THEN p.tokens_valid_after "
			   "ELSE GREATEST(p.tokens_valid_after, clock_timestamp()) END "
			   "FROM (SELECT l.org_id, l.id, " POLICY("leaver_action") " AS action, " POLICY(
				   "leaver_grace") " AS grace FROM " LEAVERS ") x WHERE p.org_id = x.org_id AND p.id = x.id");
	static StewardPlan end_grants =
		STEWARD_PLAN("UUU", "UPDATE steward.scope_grant g SET ends_at = clock_timestamp(), ended_by_event = l.event_id "
							"FROM unnest($1, $2, $3) AS l(org_id, id, event_id) "
							"WHERE g.org_id = l.org_id AND g.principal_id = l.id AND g.ends_at > clock_timestamp()");
	/* In their name, and to them. */
	static StewardPlan end_delegations = STEWARD_PLAN(
		"UUU",
		"UPDATE steward.delegation d SET ended_at = clock_timestamp(), ended_reason = 'leaver', ended_by_event = l.event_id, "
		"tokens_valid_after = GREATEST(d.tokens_valid_after, clock_timestamp()) "
		"FROM unnest($1, $2, $3) AS l(org_id, id, event_id) "
		"WHERE d.org_id = l.org_id AND l.id IN (d.principal_id, d.actor_id) AND d.ended_at IS NULL");
	/* Having left takes the place of having been suspended by the directory. */
	static StewardPlan close_suspensions =
		STEWARD_PLAN("UUUn", "UPDATE steward.suspension s SET lifted_at = clock_timestamp(), lifted_by = $4, "
							 "lifted_by_event = l.event_id FROM unnest($1, $2, $3) AS l(org_id, id, event_id) "
							 "WHERE s.org_id = l.org_id AND s.principal_id = l.id AND s.lifted_at IS NULL "
							 "AND s.cause IN ('directory', 'unlink')");
	static StewardPlan find_held = STEWARD_PLAN(
		"UUU",
		"SELECT c.org_id, c.id, l.event_id FROM " LEAVERS
		"JOIN steward.credential c ON c.org_id = l.org_id AND c.holder_id = l.id AND c.state <> 'revoked' "
		"JOIN steward.system y ON y.org_id = c.org_id AND y.id = c.system_id "
		"WHERE " POLICY("leaver_action") " = 'revoke' OR y.revocation_path <> 'native' OR c.state = 'discovered'");
	static StewardPlan suspend_held = STEWARD_PLAN(
		"UUU",
		"WITH held AS MATERIALIZED (SELECT c.org_id, c.id, l.event_id FROM " LEAVERS
		"JOIN steward.credential c ON c.org_id = l.org_id AND c.holder_id = l.id AND c.state IN ('active', 'suspended') "
		"WHERE " POLICY(
			"leaver_action") " = 'suspend' ORDER BY c.org_id, c.id FOR UPDATE OF c), "
							 "why AS (INSERT INTO steward.suspension (org_id, credential_id, cause, reason, lifecycle_event_id) "
							 "SELECT org_id, id, 'leaver', 'its holder left; revoked when the grace period ends', event_id FROM held) "
							 "UPDATE steward.credential c SET state = 'suspended' FROM held h "
							 "WHERE c.org_id = h.org_id AND c.id = h.id AND c.state = 'active'");
	NameData caller;
	Datum values[] = {leavers->orgs, leavers->principals, leavers->events, NameGetDatum(&caller)};

	namestrcpy(&caller, steward_caller_name());
	steward_run(&offboard, STEWARD_LATEST, values, NULL);
	steward_run(&end_grants, STEWARD_LATEST, values, NULL);
	steward_run(&end_delegations, STEWARD_LATEST, values, NULL);
	steward_run(&close_suspensions, STEWARD_LATEST, values, NULL);
	if (steward_run(&find_held, STEWARD_LATEST, values, NULL) > 0)
		revoke_found();
	steward_run(&suspend_held, STEWARD_LATEST, values, NULL);
}

/*
 * steward_end_suspended
 *		The grace period of these leavers is over: what was only suspended is revoked, and their epoch moves.
 */
void
steward_end_suspended(const StewardPeople *leavers)
{
	static StewardPlan move_epoch = STEWARD_PLAN(
		"UUU", "UPDATE steward.principal p SET leaves_at = NULL, tokens_valid_after = GREATEST(p.tokens_valid_after, "
			   "clock_timestamp()) FROM unnest($1, $2, $3) AS l(org_id, id, event_id) "
			   "WHERE p.org_id = l.org_id AND p.id = l.id AND p.state = 'offboarded'");
	static StewardPlan find_held = STEWARD_PLAN(
		"UUU", "SELECT c.org_id, c.id, l.event_id FROM unnest($1, $2, $3) AS l(org_id, id, event_id) "
			   "JOIN steward.credential c ON c.org_id = l.org_id AND c.holder_id = l.id AND c.state <> 'revoked'");
	Datum values[] = {leavers->orgs, leavers->principals, leavers->events};

	ForceSyncCommit();
	steward_run(&move_epoch, STEWARD_LATEST, values, NULL);
	if (steward_run(&find_held, STEWARD_LATEST, values, NULL) > 0)
		revoke_found();
}

/* Gives what the leavers owned to their successors, with a date by which every secret they could know is rotated. */
static void
pass_ownership(const Succession *succession)
{
	static StewardPlan pass_principals =
		STEWARD_PLAN("UUU", "UPDATE steward.principal p SET owner_id = s.successor_id, second_owner_id = "
							"nullif(p.second_owner_id, s.successor_id) "
							"FROM unnest($1, $2, $3) AS s(org_id, leaver_id, successor_id) "
							"WHERE p.org_id = s.org_id AND p.owner_id = s.leaver_id AND p.state <> 'offboarded'");
	static StewardPlan pass_systems =
		STEWARD_PLAN("UUU", "UPDATE steward.system y SET owner_id = s.successor_id "
							"FROM unnest($1, $2, $3) AS s(org_id, leaver_id, successor_id) "
							"WHERE y.org_id = s.org_id AND y.owner_id = s.leaver_id");
	static StewardPlan pass_credentials = STEWARD_PLAN(
		"UUUU",
		"WITH owned AS MATERIALIZED (SELECT c.org_id, c.id, s.successor_id, " POLICY(
			"rotation_window") " AS rotation_window "
							   "FROM unnest($1, $2, $3, $4) AS s(org_id, leaver_id, successor_id, event_id) "
							   "JOIN steward.credential c ON c.org_id = s.org_id AND c.owner_id = s.leaver_id AND c.state <> 'revoked' "
							   "JOIN steward.lifecycle_event e ON e.org_id = s.org_id AND e.id = s.event_id " POLICIES(
								   "e.org_id",
								   "e.directory_id") "ORDER BY c.org_id, c.id FOR UPDATE OF c) "
													 "UPDATE steward.credential c SET owner_id = o.successor_id, owner_since = clock_timestamp(), "
													 "second_owner_id = nullif(c.second_owner_id, o.successor_id), "
													 "rotate_by = LEAST(c.rotate_by, clock_timestamp() + o.rotation_window), "
													 "rotate_reason = 'a former owner could have known the secret' "
													 "FROM owned o WHERE c.org_id = o.org_id AND c.id = o.id AND c.state <> 'revoked'");
	Datum values[] = {succession->orgs, succession->leavers, succession->successors, succession->events};

	steward_run(&pass_principals, STEWARD_LATEST, values, NULL);
	steward_run(&pass_systems, STEWARD_LATEST, values, NULL);
	steward_run(&pass_credentials, STEWARD_LATEST, values, NULL);
}

/* Suspends what nobody takes over; its owner stays recorded, and coming back lifts the suspension. */
static void
orphan_rest(const StewardPeople *leavers)
{
	static StewardPlan suspend_principals = STEWARD_PLAN(
		"UUU", "INSERT INTO steward.suspension (org_id, principal_id, cause, reason, lifecycle_event_id) "
			   "SELECT p.org_id, p.id, 'orphaned', 'its owner left and nobody takes over', l.event_id "
			   "FROM unnest($1, $2, $3) AS l(org_id, id, event_id) "
			   "JOIN steward.principal p ON p.org_id = l.org_id AND p.owner_id = l.id AND p.state <> 'offboarded'");
	static StewardPlan stop_principals =
		STEWARD_PLAN("UUU", "UPDATE steward.principal p SET state = 'suspended' FROM unnest($1, $2) AS l(org_id, id) "
							"WHERE p.org_id = l.org_id AND p.owner_id = l.id AND p.state = 'active'");
	static StewardPlan suspend_credentials = STEWARD_PLAN(
		"UUU", "INSERT INTO steward.suspension (org_id, credential_id, cause, reason, lifecycle_event_id) "
			   "SELECT c.org_id, c.id, 'orphaned', 'its owner left and nobody takes over', l.event_id "
			   "FROM unnest($1, $2, $3) AS l(org_id, id, event_id) JOIN steward.credential c ON c.org_id = l.org_id "
			   "AND c.owner_id = l.id AND c.state IN ('active', 'suspended') ORDER BY c.org_id, c.id FOR UPDATE OF c");
	static StewardPlan stop_credentials =
		STEWARD_PLAN("UUU", "UPDATE steward.credential c SET state = 'suspended' FROM unnest($1, $2) AS l(org_id, id) "
							"WHERE c.org_id = l.org_id AND c.owner_id = l.id AND c.state = 'active'");
	Datum values[] = {leavers->orgs, leavers->principals, leavers->events};

	steward_run(&suspend_principals, STEWARD_LATEST, values, NULL);
	steward_run(&stop_principals, STEWARD_LATEST, values, NULL);
	steward_run(&suspend_credentials, STEWARD_LATEST, values, NULL);
	steward_run(&stop_credentials, STEWARD_LATEST, values, NULL);
}

/* The second owner could have known the secret as well; and nobody who left is one. */
static void
end_second_ownership(const StewardPeople *leavers)
{
	static StewardPlan credentials = STEWARD_PLAN(
		"UUU",
		"UPDATE steward.credential c SET second_owner_id = NULL, rotate_by = LEAST(c.rotate_by, clock_timestamp() + x.grace), "
		"rotate_reason = 'a former owner could have known the secret' FROM (SELECT l.org_id, l.id, " POLICY(
			"rotation_window") " AS grace FROM " LEAVERS ") x WHERE c.org_id = x.org_id AND c.second_owner_id = x.id "
							   "AND c.state <> 'revoked'");
	static StewardPlan principals = STEWARD_PLAN(
		"UUU", "UPDATE steward.principal p SET second_owner_id = NULL FROM unnest($1, $2) AS l(org_id, id) "
			   "WHERE p.org_id = l.org_id AND p.second_owner_id = l.id");
	Datum values[] = {leavers->orgs, leavers->principals, leavers->events};

	steward_run(&credentials, STEWARD_LATEST, values, NULL);
	steward_run(&principals, STEWARD_LATEST, values, NULL);
}

/* Who took over for others is gone: that must not be found out only when the next one leaves. */
static void
find_holes(const StewardPeople *leavers)
{
	static StewardPlan find = STEWARD_PLAN(
		"UUU", "INSERT INTO steward.lifecycle_finding (org_id, rule, lifecycle_event_id, principal_id, detail) "
			   "SELECT l.org_id, 'default_owner_left', l.event_id, l.id, 'the default owner of the organization left' "
			   "FROM unnest($1, $2, $3) AS l(org_id, id, event_id) JOIN steward.org_policy o ON o.org_id = l.org_id "
			   "AND o.default_owner_id = l.id UNION ALL "
			   "SELECT l.org_id, 'department_owner_left', l.event_id, l.id, "
			   "'the default owner of department ' || w.department || ' left' "
			   "FROM unnest($1, $2, $3) AS l(org_id, id, event_id) JOIN steward.department_owner w "
			   "ON w.org_id = l.org_id AND w.owner_id = l.id");
	Datum values[] = {leavers->orgs, leavers->principals, leavers->events};

	steward_run(&find, STEWARD_LATEST, values, NULL);
}

/* What is about to pass, counted before it does: afterwards nothing tells it from what the successor had. */
static void
count_owned(const StewardPeople *leavers, const Succession *succession)
{
	static StewardPlan count = STEWARD_PLAN(
		"UUUUU",
		"UPDATE steward.lifecycle_event e SET effects = jsonb_strip_nulls(jsonb_build_object("
		"'successor', (SELECT p.user_name FROM steward.principal p WHERE p.org_id = l.org_id AND p.id = s.successor_id), "
		"'principals_passed', CASE WHEN s.successor_id IS NOT NULL THEN n.principals END, "
		"'credentials_passed', CASE WHEN s.successor_id IS NOT NULL THEN n.credentials END, "
		"'principals_orphaned', CASE WHEN s.successor_id IS NULL THEN n.principals END, "
		"'credentials_orphaned', CASE WHEN s.successor_id IS NULL THEN n.credentials END, "
		"'grants_ended', n.grants, 'credentials_revoked', r.credentials, 'pending_outside', r.pending)) "
		"FROM unnest($1, $2, $3) AS l(org_id, id, event_id) "
		"LEFT JOIN unnest($4, $5) AS s(leaver_id, successor_id) ON s.leaver_id = l.id "
		"CROSS JOIN LATERAL (SELECT coalesce(sum(r.credentials), 0) AS credentials, coalesce(sum(r.pending_external), 0) "
		"AS pending FROM steward.revocation r WHERE r.org_id = l.org_id AND r.lifecycle_event_id = l.event_id) r "
		"CROSS JOIN LATERAL (SELECT (SELECT count(*) FROM steward.principal p WHERE p.org_id = l.org_id "
		"AND p.owner_id = l.id AND p.state <> 'offboarded') AS principals, "
		"(SELECT count(*) FROM steward.credential c WHERE c.org_id = l.org_id AND c.owner_id = l.id "
		"AND c.state <> 'revoked') AS credentials, "
		"(SELECT count(*) FROM steward.scope_grant g WHERE g.org_id = l.org_id AND g.ended_by_event = l.event_id "
		"AND g.principal_id = l.id) AS grants) n "
		"WHERE e.org_id = l.org_id AND e.id = l.event_id");
	Datum values[] = {leavers->orgs, leavers->principals, leavers->events, succession->leavers, succession->successors};

	steward_run(&count, STEWARD_LATEST, values, NULL);
}

/*
 * steward_offboard
 *		Carries out the leaver events given, all at once; inside the bracket.
 *
 * affected are the directory rows that the events came from: they know the managers of people whose rows are gone, and
 * where none is gone say nothing.
 */
void
steward_offboard(const StewardAffected *affected, const StewardPeople *leavers)
{
	Datum empty = steward_empty_uuids();
	Datum values[] = {
		leavers->orgs,
		leavers->principals,
		affected->deleted ? affected->orgs : empty,
		affected->deleted ? affected->users : empty,
		affected->deleted ? affected->managers : empty,
		leavers->events,
	};
	Succession succession = find_successors(values);

	/* A successor may have left while we waited for the locks: then decide again, and lock who is next. */
	for (int round = 0;; round++)
	{
		Succession again;

		CHECK_FOR_INTERRUPTS();
		lock_all(leavers, &succession);
		again = find_successors(values);
		if (same_succession(&succession, &again))
			break;
		if (round == MAX_ROUNDS)
			ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
							errmsg("could not settle who takes over from a leaver"),
							errdetail("Too many people leave at once."), errhint("Try again.")));
		succession = again;
	}

	/*
	 * That somebody is out must survive a crash, whatever the session's synchronous_commit says; also for somebody who
	 * held nothing, for what they owned may be dead from now on.
	 */
	ForceSyncCommit();
	end_holdings(leavers);
	count_owned(leavers, &succession);
	pass_ownership(&succession);
	orphan_rest(leavers);
	end_second_ownership(leavers);
	find_holes(leavers);
}
