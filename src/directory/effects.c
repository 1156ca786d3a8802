/*
 * effects.c
 *		From what directories say now to what steward's rows have to be: who joins, moves, is suspended, leaves, returns.
 *
 * Everything here compares states instead of following events: somebody is a leaver because a living principal has no
 * directory row left that vouches for it, not because a certain statement was seen.  So an event that comes twice, late
 * or by another path does nothing the second time.
 *
 * Locks: first the principals, in id order, then, in what follows, credentials in id order; every statement reads with
 * a latest snapshot, in every isolation level, so that nothing committed while waiting for a lock is missed.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/uuid.h"

#include "core/plan.h"
#include "directory/lifecycle.h"
#include "steward.h"

/* The people handed over, as a relation "a"; parameters 1 to 8 of every statement below. */
#define AFFECTED_ARGS "UUTUUJJZ"
#define AFFECTED_ROWS \
	"unnest($1, $2, $3, $4, $5, $6, $7, $8) " \
	"AS a(org_id, directory_id, external_id, user_id, manager_id, before, after, event_time)"

/* Joins the source identity i of an affected row a. */
#define IDENTITY_OF_ROW \
	"JOIN steward.principal_identity i ON i.org_id = a.org_id AND i.directory_id = a.directory_id " \
	"AND i.external_id = a.external_id "

/* A name for people from directory row u: what the source shows, without control characters, else the user name. */
#define PERSON_NAME \
	"coalesce(nullif(left(btrim(regexp_replace(coalesce(u.display_name, concat_ws(' ', u.given_name, u.family_name)), " \
	"'[\\x01-\\x1f\\x7f]+', ' ', 'g')), 512), ''), u.user_name)"

/*
 * When a row that no longer vouches ends the engagement for good: an unlinked directory after one grace period, an
 * inactive row, where policy takes that for a suspension, after another.
 */
#define LEAVES_AT \
	"CASE WHEN d.state = 'unlinked' THEN d.unlinked_at + " POLICY("unlink_grace") " ELSE u.inactive_since + " POLICY( \
		"inactive_grace") " END"

/* The row does not vouch, but the grace period still runs. */
#define HELD \
	"((u.end_date IS NULL OR u.end_date > clock_timestamp()) AND (d.state = 'unlinked' OR NOT u.active) " \
	"AND (u.active OR " POLICY("inactive_action") " = 'suspend') AND coalesce(" LEAVES_AT \
												  " > clock_timestamp(), true))"

/* Losing this directory is leaving, whatever others say. */
#define STRICT POLICY("leaver_rule") " = 'any'"

/* All source identities of principal q, with rows, directories and policies. */
#define STANDING_ROWS \
	"JOIN steward.principal_identity i ON i.org_id = q.org_id AND i.principal_id = q.id " \
	"LEFT JOIN steward.directory_user u ON u.org_id = i.org_id AND u.directory_id = i.directory_id " \
	"AND u.external_id = i.external_id " \
	"LEFT JOIN steward.directory d ON d.org_id = i.org_id AND d.id = i.directory_id " POLICIES("i.org_id", \
																							   "i.directory_id")

/* What the directory changes all the time, and nobody moves by, unless a birthright depends on it. */
#define UNTRACKED \
	"ARRAY['attributes', 'employee_number', 'version', 'source_id', 'external_id', 'given_name', 'family_name', " \
	"'event_time', 'activation_time', 'inactive_since', 'created_at', 'updated_at']"

/* Parameters that all statements share, and those of some. */
typedef struct Values
{
	Datum values[12];
	bool nulls[12];
} Values;

static Values
parameters(const StewardAffected *affected)
{
	return (Values){{affected->orgs, affected->directories, affected->externals, affected->users, affected->managers,
					 affected->old_values, affected->new_values, affected->event_times}};
}

/*
 * steward_affected_result
 *		Takes the people from the result of a query that ends with AFFECTED; false when there are none.
 */
bool
steward_affected_result(StewardAffected *affected)
{
	Datum *const columns[] = {&affected->orgs,		 &affected->directories, &affected->externals,
							  &affected->users,		 &affected->managers,	 &affected->old_values,
							  &affected->new_values, &affected->event_times};
	bool isnull;

	if (DatumGetInt64(steward_result(0, lengthof(columns) + 1, &isnull)) == 0)
		return false;
	for (int i = 0; i < (int) lengthof(columns); i++)
		*columns[i] = steward_result(0, i + 1, &isnull);
	return true;
}

/* Locks the people concerned, in id order, before anything is decided about them. */
static void
lock_people(const Values *p)
{
	static StewardPlan lock = STEWARD_PLAN(
		AFFECTED_ARGS,
		"SELECT FROM steward.principal p WHERE (p.org_id, p.id) IN (SELECT i.org_id, i.principal_id FROM " AFFECTED_ROWS
		" " IDENTITY_OF_ROW ") ORDER BY p.org_id, p.id FOR NO KEY UPDATE");

	steward_run(&lock, STEWARD_LATEST, p->values, NULL);
}

/*
 * Joiners: live people that no principal stands for yet.  The identity's key makes two at once wait for each other, and
 * the second find the first's principal.
 */
static StewardPeople
make_joiners(const Values *p)
{
	static StewardPlan join = STEWARD_PLAN(
		AFFECTED_ARGS,
		"WITH fresh AS MATERIALIZED (SELECT u.*, steward.uuid7() AS principal_id FROM " AFFECTED_ROWS
		" JOIN steward.directory_user u ON u.org_id = a.org_id AND u.id = a.user_id "
		"JOIN steward.directory d ON d.org_id = u.org_id AND d.id = u.directory_id WHERE " VOUCHES
		" AND NOT EXISTS (SELECT FROM steward.principal_identity i WHERE i.org_id = u.org_id "
		"AND i.directory_id = u.directory_id AND i.external_id = u.external_id)), "
		"person AS (INSERT INTO steward.principal (org_id, id, kind, name, user_name, email, starts_at, ends_at) "
		"SELECT org_id, principal_id, 'human', " PERSON_NAME ", user_name, email, start_date, end_date FROM fresh u), "
		"identity AS (INSERT INTO steward.principal_identity (org_id, directory_id, external_id, principal_id) "
		"SELECT org_id, directory_id, external_id, principal_id FROM fresh) "
		"SELECT org_id, principal_id FROM fresh");
	StewardPeople fresh = {.n = (int64) steward_run(&join, STEWARD_LATEST, p->values, NULL)};

	fresh.orgs = steward_uuid_column(1);
	fresh.principals = steward_uuid_column(2);
	return fresh;
}

/* Keeps the principal's own columns in step with the directory, for people who are there. */
static void
refresh_people(const Values *p)
{
	static StewardPlan refresh = STEWARD_PLAN(
		AFFECTED_ARGS,
		"UPDATE steward.principal p SET name = " PERSON_NAME
		", user_name = u.user_name, email = u.email, starts_at = u.start_date, ends_at = u.end_date FROM " AFFECTED_ROWS
		" " IDENTITY_OF_ROW "JOIN " DIRECTORY_ROWS " WHERE " VOUCHES
		" AND u.id = a.user_id AND p.org_id = i.org_id AND p.id = i.principal_id "
		"AND (p.name, p.user_name, p.email, p.starts_at, p.ends_at) IS DISTINCT FROM (" PERSON_NAME
		", u.user_name, u.email, u.start_date, u.end_date)");

	steward_run(&refresh, STEWARD_LATEST, p->values, NULL);
}

/*
 * Records one event for each person to whom something happened: what the directories say now against the state of the
 * principal.  Answers with (org_id, principal_id, event_id, kind).
 *
 * Parameters: 1 to 8 the people; 9, 10 who has just joined; 11 cause of a mover.
 */
static uint64
record_events(Values *p, const StewardPeople *fresh, const char *cause)
{
	static StewardPlan record = STEWARD_PLAN(
		AFFECTED_ARGS "UUt",
		"WITH person AS MATERIALIZED (SELECT DISTINCT ON (p.org_id, p.id) p.org_id, p.id, p.state, p.user_name, p.name, "
		"a.directory_id, a.user_id, a.before, a.after, a.event_time FROM " AFFECTED_ROWS " " IDENTITY_OF_ROW
		"JOIN steward.principal p ON p.org_id = i.org_id AND p.id = i.principal_id "
		"ORDER BY p.org_id, p.id, a.before ? 'active' DESC), "
		"standing AS MATERIALIZED (SELECT q.org_id, q.id, coalesce(bool_or(" VOUCHES "), false) AS live, "
		"coalesce(bool_or(" HELD "), false) AS held, coalesce(bool_or(" STRICT " AND (" HELD
		") IS TRUE), false) AS strictly_held, bool_or(" STRICT " AND (" VOUCHES ") IS NOT TRUE AND (" HELD
		") IS NOT TRUE) AS lost, min(d.name) FILTER (WHERE " VOUCHES ") AS vouching "
		"FROM person q " STANDING_ROWS " GROUP BY q.org_id, q.id), "
		"wanted AS (SELECT q.*, s.vouching, CASE WHEN s.lost THEN 'gone' WHEN s.strictly_held THEN 'held' "
		"WHEN s.live THEN 'live' WHEN s.held THEN 'held' ELSE 'gone' END AS standing, "
		"q.state = 'suspended' AND EXISTS (SELECT FROM steward.suspension x WHERE x.org_id = q.org_id "
		"AND x.principal_id = q.id AND x.cause IN ('directory', 'unlink') AND x.lifted_at IS NULL) AS is_held, "
		"f.id IS NOT NULL AS fresh, u.user_name AS row_name, u.active AS row_active, d.state AS row_directory, "
		"u.created_at = now() AS row_new FROM person q JOIN standing s ON s.org_id = q.org_id AND s.id = q.id "
		"LEFT JOIN unnest($9, $10) AS f(org_id, id) ON f.org_id = q.org_id AND f.id = q.id "
		"LEFT JOIN steward.directory_user u ON u.org_id = q.org_id AND u.id = q.user_id "
		"LEFT JOIN steward.directory d ON d.org_id = q.org_id AND d.id = q.directory_id), "
		"happened AS (SELECT w.*, CASE WHEN fresh THEN 'joiner' "
		"WHEN state = 'offboarded' THEN CASE WHEN standing = 'live' THEN 'rehire' END "
		"WHEN standing = 'gone' THEN 'leaver' WHEN standing = 'held' AND NOT is_held THEN 'suspend' "
		"WHEN standing = 'live' AND is_held THEN 'resume' "
		/* Who joined or came back in this very transaction has not moved as well. */
		"WHEN (before - " UNTRACKED " <> after - " UNTRACKED " OR (before <> after AND EXISTS (SELECT FROM "
		"steward.birthright_rule r WHERE r.org_id = w.org_id AND (r.attribute LIKE 'attributes.%' "
		"OR r.attribute = 'employee_number')))) AND NOT EXISTS (SELECT FROM steward.lifecycle_event e WHERE before ? 'groups' "
		"AND e.org_id = w.org_id AND e.principal_id = w.id AND e.kind IN ('joiner', 'rehire') "
		"AND e.xact = pg_current_xact_id()) THEN 'mover' END AS kind FROM wanted w) "
		"INSERT INTO steward.lifecycle_event (org_id, kind, principal_id, directory_id, directory_user_id, person, cause, "
		"attributes_old, attributes_new, effects, event_time) "
		"SELECT org_id, kind, id, directory_id, user_id, coalesce(row_name, user_name, name), "
		"CASE WHEN kind = 'mover' AND $11 IS NOT NULL THEN $11 WHEN row_active IS NULL THEN 'deleted' "
		"WHEN row_directory = 'unlinked' AND (kind <> 'mover' OR before ? 'directory') THEN 'unlinked' "
		"WHEN kind IN ('leaver', 'suspend') THEN CASE WHEN row_active THEN 'ended' ELSE 'deactivated' END "
		"WHEN before ? 'directory' THEN 'relinked' "
		"WHEN kind = 'mover' AND before ? 'active' THEN CASE WHEN row_active THEN 'activated' ELSE 'deactivated' END "
		"WHEN row_new AND before = '{}' THEN 'added' WHEN kind = 'mover' THEN 'changed' ELSE 'activated' END, before, after, "
		"CASE WHEN kind = 'mover' AND vouching IS NOT NULL AND (before ?| ARRAY['active', 'directory'] OR row_active IS NULL) "
		"THEN jsonb_build_object('vouched_for_by', vouching) ELSE '{}' END, event_time "
		"FROM happened WHERE kind IS NOT NULL RETURNING org_id, principal_id, id, kind");

	p->values[8] = fresh->orgs;
	p->values[9] = fresh->principals;
	p->values[10] = cause ? CStringGetTextDatum(cause) : (Datum) 0;
	p->nulls[10] = cause == NULL;
	return steward_run(&record, STEWARD_LATEST, p->values, p->nulls);
}

/* The rows of the result above that are of one kind (of any when it is NULL), as arrays. */
static StewardPeople
people_of(SPITupleTable *events, uint64 n, const char *kind)
{
	Datum *columns[3];
	StewardPeople people = {0};
	Datum *arrays[] = {&people.orgs, &people.principals, &people.events};

	for (int i = 0; i < 3; i++)
		columns[i] = palloc_extended(sizeof(Datum) * Max(n, 1), MCXT_ALLOC_HUGE);
	for (uint64 row = 0; row < n; row++)
	{
		bool isnull;
		text *t = DatumGetTextPP(SPI_getbinval(events->vals[row], events->tupdesc, 4, &isnull));

		if (kind && (VARSIZE_ANY_EXHDR(t) != strlen(kind) || memcmp(VARDATA_ANY(t), kind, strlen(kind)) != 0))
			continue;
		for (int i = 0; i < 3; i++)
			columns[i][people.n] = SPI_getbinval(events->vals[row], events->tupdesc, i + 1, &isnull);
		people.n++;
	}
	for (int i = 0; i < 3; i++)
	{
		*arrays[i] =
			people.n == 0
				? steward_empty_uuids()
				: PointerGetDatum(construct_array(columns[i], (int) people.n, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
		pfree(columns[i]);
	}
	return people;
}

/* Whether any organization concerned gives birthrights or ever gave them to these people. */
static bool
birthrights_matter(const Values *p)
{
	static StewardPlan find =
		STEWARD_PLAN("U", "SELECT FROM (SELECT DISTINCT org_id FROM unnest($1) AS a(org_id)) a "
						  "WHERE EXISTS (SELECT FROM steward.birthright_rule r WHERE r.org_id = a.org_id) LIMIT 1");

	return steward_run(&find, STEWARD_LATEST, p->values, NULL) > 0;
}

/* Brings the birthrights of everybody concerned who is there in step. */
static void
apply_birthrights(const Values *p, const StewardPeople *happened)
{
	static StewardPlan find = STEWARD_PLAN(
		"UUTUUU", "SELECT DISTINCT i.org_id, i.principal_id, e.event_id FROM unnest($1, $2, $3) AS "
				  "a(org_id, directory_id, external_id) " IDENTITY_OF_ROW
				  "LEFT JOIN unnest($4, $5, $6) AS e(org_id, principal_id, event_id) ON e.org_id = i.org_id "
				  "AND e.principal_id = i.principal_id JOIN steward.principal p ON p.org_id = i.org_id "
				  "AND p.id = i.principal_id WHERE p.state <> 'offboarded'");
	Datum values[] = {p->values[0], p->values[1], p->values[2], happened->orgs, happened->principals, happened->events};
	StewardPeople people;

	if (!birthrights_matter(p))
		return;
	people.n = (int64) steward_run(&find, STEWARD_LATEST, values, NULL);
	if (people.n == 0)
		return;
	people.orgs = steward_uuid_column(1);
	people.principals = steward_uuid_column(2);
	people.events = steward_uuid_column(3);
	steward_apply_birthrights(&people);
}

/*
 * steward_apply_lifecycle
 *		Brings principals, grants and credentials in step with the directory rows of the people given.
 *
 * Inside the bracket.
 */
void
steward_apply_lifecycle(const StewardAffected *affected)
{
	Values p = parameters(affected);
	StewardPeople fresh;
	StewardPeople happened;
	SPITupleTable *events;
	uint64 n;

	lock_people(&p);
	fresh = make_joiners(&p);
	n = record_events(&p, &fresh, affected->cause);
	events = SPI_tuptable;
	happened = people_of(events, n, NULL);
	if (n > 0)
	{
		StewardPeople leavers = people_of(events, n, "leaver");
		StewardPeople suspended = people_of(events, n, "suspend");
		StewardPeople resumed = people_of(events, n, "resume");
		StewardPeople back = people_of(events, n, "rehire");

		if (leavers.n > 0 || suspended.n > 0)
			steward_check_brake(&happened);
		if (leavers.n > 0)
			steward_offboard(affected, &leavers);
		if (suspended.n > 0)
			steward_suspend_people(&suspended);
		if (resumed.n > 0)
			steward_resume_people(&resumed);
		if (back.n > 0)
			steward_rehire_people(&back);
	}
	refresh_people(&p);
	apply_birthrights(&p, &happened);
}
