/*
 * effects.c
 *		Joiner, mover and rehire: from what a directory says now to what steward's rows have to be.
 *
 * Everything here compares states instead of following events: somebody is a leaver because a living principal has no
 * live directory row left, not because a certain statement was seen.  So an event that comes twice, late or by another
 * path does nothing the second time.
 *
 * Locks: first the principals, in id order, then, in what follows, credentials in id order; every statement reads with
 * a latest snapshot, in every isolation level, so that nothing committed while waiting for a lock is missed.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "utils/builtins.h"

#include "core/authority.h"
#include "core/plan.h"
#include "directory/lifecycle.h"
#include "steward.h"

/* The people handed over, as a relation "a"; parameters 1 to 8 of every statement below. */
#define AFFECTED_ARGS "UUTUUJJZ"
#define AFFECTED_ROWS \
	"unnest($1, $2, $3, $4, $5, $6, $7, $8) " \
	"AS a(org_id, directory_id, external_id, user_id, manager_id, before, after, event_time)"

/* The person's directory row vouches for them now: of user u in directory d. */
#define VOUCHES "u.active AND (u.end_date IS NULL OR u.end_date > clock_timestamp()) AND d.state = 'linked'"

/* Joins the directory's rows of source identity i. */
#define DIRECTORY_ROWS \
	"steward.directory_user u ON u.org_id = i.org_id AND u.directory_id = i.directory_id " \
	"AND u.external_id = i.external_id " \
	"JOIN steward.directory d ON d.org_id = u.org_id AND d.id = u.directory_id"

/* A name for people from directory row u: what the source shows, without control characters, else the user name. */
#define PERSON_NAME \
	"coalesce(nullif(left(btrim(regexp_replace(coalesce(u.display_name, concat_ws(' ', u.given_name, u.family_name)), " \
	"'[\\x01-\\x1f\\x7f]+', ' ', 'g')), 512), ''), u.user_name)"

/* Parameters that all statements share. */
typedef struct Values
{
	Datum values[8];
} Values;

static Values
parameters(const StewardAffected *affected)
{
	return (Values){{affected->orgs, affected->directories, affected->externals, affected->users, affected->managers,
					 affected->old_values, affected->new_values, affected->event_times}};
}

/*
 * Joiners: live people that no principal stands for yet.  The identity's key makes two at once wait for each other, and
 * the second find the first's principal.
 */
static void
apply_joiners(const Values *p)
{
	static StewardPlan join = STEWARD_PLAN(
		AFFECTED_ARGS,
		"WITH fresh AS MATERIALIZED (SELECT u.*, steward.uuid7() AS principal_id, a.after FROM " AFFECTED_ROWS
		" JOIN steward.directory_user u ON u.org_id = a.org_id AND u.id = a.user_id "
		"JOIN steward.directory d ON d.org_id = u.org_id AND d.id = u.directory_id WHERE " VOUCHES
		" AND NOT EXISTS (SELECT FROM steward.principal_identity i WHERE i.org_id = u.org_id "
		"AND i.directory_id = u.directory_id AND i.external_id = u.external_id)), "
		"person AS (INSERT INTO steward.principal (org_id, id, kind, name, user_name, email, starts_at, ends_at) "
		"SELECT org_id, principal_id, 'human', " PERSON_NAME ", user_name, email, start_date, end_date FROM fresh u), "
		"identity AS (INSERT INTO steward.principal_identity (org_id, directory_id, external_id, principal_id) "
		"SELECT org_id, directory_id, external_id, principal_id FROM fresh) "
		"INSERT INTO steward.lifecycle_event (org_id, kind, principal_id, directory_id, directory_user_id, person, cause, "
		"attributes_new, event_time) "
		"SELECT org_id, 'joiner', principal_id, directory_id, id, user_name, "
		"CASE WHEN created_at = now() THEN 'added' ELSE 'activated' END, after, event_time FROM fresh");

	steward_run(&join, STEWARD_LATEST, p->values, NULL);
}

/* Locks the people concerned, in id order, before anything is decided about them. */
static void
lock_people(const Values *p)
{
	static StewardPlan lock = STEWARD_PLAN(
		AFFECTED_ARGS,
		"SELECT FROM steward.principal p WHERE (p.org_id, p.id) IN (SELECT i.org_id, i.principal_id FROM " AFFECTED_ROWS
		" JOIN steward.principal_identity i ON i.org_id = a.org_id AND i.directory_id = a.directory_id "
		"AND i.external_id = a.external_id) ORDER BY p.org_id, p.id FOR NO KEY UPDATE");

	steward_run(&lock, STEWARD_LATEST, p->values, NULL);
}

/* Keeps the principal's own columns in step with the directory, for people who are there. */
static void
refresh_people(const Values *p)
{
	static StewardPlan refresh = STEWARD_PLAN(
		AFFECTED_ARGS,
		"UPDATE steward.principal p SET name = " PERSON_NAME
		", user_name = u.user_name, email = u.email, starts_at = u.start_date, ends_at = u.end_date FROM " AFFECTED_ROWS
		" JOIN steward.principal_identity i ON i.org_id = a.org_id AND i.directory_id = a.directory_id "
		"AND i.external_id = a.external_id JOIN " DIRECTORY_ROWS " WHERE " VOUCHES
		" AND p.org_id = i.org_id AND p.id = i.principal_id "
		"AND (p.name, p.user_name, p.email, p.starts_at, p.ends_at) IS DISTINCT FROM (" PERSON_NAME
		", u.user_name, u.email, u.start_date, u.end_date)");

	steward_run(&refresh, STEWARD_LATEST, p->values, NULL);
}

/* Movers: people who stay, and about whom something tracked changed. */
static void
record_movers(const Values *p)
{
	static StewardPlan move = STEWARD_PLAN(
		AFFECTED_ARGS,
		"INSERT INTO steward.lifecycle_event (org_id, kind, principal_id, directory_id, directory_user_id, person, cause, "
		"attributes_old, attributes_new, event_time) "
		"SELECT u.org_id, 'mover', p.id, u.directory_id, u.id, u.user_name, 'changed', a.before, a.after, a.event_time "
		"FROM " AFFECTED_ROWS " JOIN steward.principal_identity i ON i.org_id = a.org_id "
		"AND i.directory_id = a.directory_id AND i.external_id = a.external_id JOIN " DIRECTORY_ROWS
		" JOIN steward.principal p ON p.org_id = i.org_id AND p.id = i.principal_id "
		"WHERE u.id = a.user_id AND " VOUCHES " AND p.state <> 'offboarded' AND a.before <> '{}' "
		"AND NOT a.before ?| ARRAY['active', 'directory']");

	steward_run(&move, STEWARD_LATEST, p->values, NULL);
}

/*
 * Rehires: people who had left and are vouched for again.  Lifts what the leaver suspended and nothing else; what was
 * revoked stays revoked, and their epoch stays where it is.
 */
static void
apply_rehires(const Values *p)
{
	static StewardPlan rehire = STEWARD_PLAN(
		AFFECTED_ARGS,
		"WITH back AS MATERIALIZED (SELECT DISTINCT ON (p.org_id, p.id) p.org_id, p.id, u.directory_id, u.id AS user_id, "
		"u.user_name, a.before, a.after, a.event_time, u.created_at FROM " AFFECTED_ROWS
		" JOIN steward.principal_identity i ON i.org_id = a.org_id AND i.directory_id = a.directory_id "
		"AND i.external_id = a.external_id JOIN " DIRECTORY_ROWS
		" JOIN steward.principal p ON p.org_id = i.org_id AND p.id = i.principal_id WHERE " VOUCHES
		" AND p.state = 'offboarded' ORDER BY p.org_id, p.id), "
		"state AS (UPDATE steward.principal p SET offboarded_at = NULL, state = CASE WHEN EXISTS (SELECT FROM "
		"steward.suspension s WHERE s.org_id = p.org_id AND s.principal_id = p.id AND s.lifted_at IS NULL) "
		"THEN 'suspended' ELSE 'active' END FROM back b WHERE p.org_id = b.org_id AND p.id = b.id) "
		"INSERT INTO steward.lifecycle_event (org_id, kind, principal_id, directory_id, directory_user_id, person, cause, "
		"attributes_old, attributes_new, event_time) "
		"SELECT org_id, 'rehire', id, directory_id, user_id, user_name, CASE WHEN created_at = now() THEN 'added' "
		"WHEN after ? 'directory' THEN 'relinked' ELSE 'activated' END, before, after, event_time FROM back "
		"RETURNING org_id, principal_id, id");
	/* What the leaver events of these people suspended, as long as it is still theirs. */
	static StewardPlan lift = STEWARD_PLAN(
		"UUUn",
		"UPDATE steward.suspension s SET lifted_at = clock_timestamp(), lifted_by = $4, lifted_by_event = r.event_id "
		"FROM unnest($1, $2, $3) AS r(org_id, principal_id, event_id) "
		"JOIN steward.lifecycle_event e ON e.org_id = r.org_id AND e.principal_id = r.principal_id AND e.kind = 'leaver' "
		"WHERE s.org_id = e.org_id AND s.lifecycle_event_id = e.id AND s.lifted_at IS NULL AND (EXISTS (SELECT FROM "
		"steward.principal p WHERE p.org_id = s.org_id AND p.id = s.principal_id AND p.owner_id = r.principal_id) "
		"OR EXISTS (SELECT FROM steward.credential c WHERE c.org_id = s.org_id AND c.id = s.credential_id "
		"AND c.owner_id = r.principal_id))");
	/* State is the fold of the open suspensions. */
	static StewardPlan wake_principals = STEWARD_PLAN(
		"UUUn",
		"UPDATE steward.principal p SET state = 'active' FROM unnest($1, $3) AS r(org_id, event_id) "
		"JOIN steward.suspension s ON s.org_id = r.org_id AND s.lifted_by_event = r.event_id "
		"WHERE p.org_id = s.org_id AND p.id = s.principal_id AND p.state = 'suspended' AND NOT EXISTS (SELECT FROM "
		"steward.suspension o WHERE o.org_id = p.org_id AND o.principal_id = p.id AND o.lifted_at IS NULL)");
	/* Ownership begins anew, or the epoch that the leaver moved would still kill it. */
	static StewardPlan wake_credentials = STEWARD_PLAN(
		"UUUn",
		"UPDATE steward.credential c SET state = 'active', owner_since = clock_timestamp() "
		"FROM unnest($1, $3) AS r(org_id, event_id) "
		"JOIN steward.suspension s ON s.org_id = r.org_id AND s.lifted_by_event = r.event_id "
		"WHERE c.org_id = s.org_id AND c.id = s.credential_id AND c.state = 'suspended' AND NOT EXISTS (SELECT FROM "
		"steward.suspension o WHERE o.org_id = c.org_id AND o.credential_id = c.id AND o.lifted_at IS NULL)");
	static StewardPlan count_effects = STEWARD_PLAN(
		"UUUn",
		"UPDATE steward.lifecycle_event e SET effects = jsonb_build_object('principals_resumed', n.principals, "
		"'credentials_resumed', n.credentials) FROM (SELECT r.org_id, r.event_id, count(s.principal_id) AS principals, "
		"count(s.credential_id) AS credentials FROM unnest($1, $3) AS r(org_id, event_id) "
		"LEFT JOIN steward.suspension s ON s.org_id = r.org_id AND s.lifted_by_event = r.event_id GROUP BY 1, 2) n "
		"WHERE e.org_id = n.org_id AND e.id = n.event_id");
	NameData caller;
	Datum values[4];

	if (steward_run(&rehire, STEWARD_LATEST, p->values, NULL) == 0)
		return;
	for (int column = 1; column <= 3; column++)
		values[column - 1] = steward_uuid_column(column);
	namestrcpy(&caller, steward_caller_name());
	values[3] = NameGetDatum(&caller);
	if (steward_run(&lift, STEWARD_LATEST, values, NULL) > 0)
	{
		steward_run(&wake_principals, STEWARD_LATEST, values, NULL);
		steward_run(&wake_credentials, STEWARD_LATEST, values, NULL);
	}
	steward_run(&count_effects, STEWARD_LATEST, values, NULL);
}

/* Leavers: living principals for whom no directory row vouches any more. */
static void
apply_leavers(const StewardAffected *affected, const Values *p)
{
	static StewardPlan leave = STEWARD_PLAN(
		AFFECTED_ARGS "b",
		"INSERT INTO steward.lifecycle_event (org_id, kind, principal_id, directory_id, directory_user_id, person, cause, "
		"attributes_old, attributes_new, event_time) "
		"SELECT DISTINCT ON (p.org_id, p.id) p.org_id, 'leaver', p.id, a.directory_id, a.user_id, "
		"coalesce(u.user_name, p.user_name, p.name), "
		"CASE WHEN $9 THEN 'deleted' WHEN d.state = 'unlinked' THEN 'unlinked' WHEN u.active THEN 'ended' "
		"ELSE 'deactivated' END, a.before, a.after, a.event_time FROM " AFFECTED_ROWS
		" JOIN steward.principal_identity i ON i.org_id = a.org_id AND i.directory_id = a.directory_id "
		"AND i.external_id = a.external_id "
		"JOIN steward.principal p ON p.org_id = i.org_id AND p.id = i.principal_id "
		"LEFT JOIN steward.directory d ON d.org_id = a.org_id AND d.id = a.directory_id "
		"LEFT JOIN steward.directory_user u ON u.org_id = a.org_id AND u.id = a.user_id "
		"WHERE p.state <> 'offboarded' AND NOT EXISTS (SELECT FROM steward.principal_identity i JOIN " DIRECTORY_ROWS
		" WHERE i.org_id = p.org_id AND i.principal_id = p.id AND " VOUCHES ") "
		"ORDER BY p.org_id, p.id RETURNING org_id, principal_id, id");
	Datum values[9];
	StewardLeavers leavers;

	memcpy(values, p->values, sizeof(p->values));
	values[8] = BoolGetDatum(affected->deleted);
	if (steward_run(&leave, STEWARD_LATEST, values, NULL) == 0)
		return;
	leavers.orgs = steward_uuid_column(1);
	leavers.principals = steward_uuid_column(2);
	leavers.events = steward_uuid_column(3);
	steward_offboard(affected, &leavers);
}

/*
 * steward_apply_lifecycle
 *		Brings principals, grants and credentials in step with the directory rows of the people given.
 *
 * Inside the bracket.  The order matters: movers come after leavers and before rehires, so that nobody who leaves or
 * comes back moves as well.
 */
void
steward_apply_lifecycle(const StewardAffected *affected)
{
	Values p = parameters(affected);

	lock_people(&p);
	apply_leavers(affected, &p);
	record_movers(&p);
	apply_rehires(&p);
	apply_joiners(&p);
	refresh_people(&p);
}
