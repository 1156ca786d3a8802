/*
 * due.c
 *		What time brings about in people's lives: ends of engagements and of grace periods.
 *
 * Checks obey these moments by themselves; here the books follow.  Nothing is braked, for nothing is taken away that a
 * check still gives.
 */
#include "postgres.h"

#include "executor/spi.h"

#include "core/plan.h"
#include "directory/lifecycle.h"
#include "steward.h"

/* Of so many people at a time. */
#define BATCH "10000"

/* People whose engagement or grace period is over: their rows are looked at again, as if they had changed. */
static int64
leave_due(void)
{
	static StewardPlan find = STEWARD_PLAN(
		"",
		"WITH due AS (SELECT p.org_id, p.id FROM steward.principal p WHERE p.kind = 'human' AND p.state <> 'offboarded' "
		"AND p.ends_at <= clock_timestamp() UNION SELECT p.org_id, p.id FROM steward.principal p "
		"WHERE p.state = 'suspended' AND p.leaves_at <= clock_timestamp() LIMIT " BATCH "), "
		"row AS (SELECT DISTINCT ON (q.org_id, q.id) u.* FROM due q JOIN steward.principal_identity i "
		"ON i.org_id = q.org_id AND i.principal_id = q.id JOIN steward.directory_user u ON u.org_id = i.org_id "
		"AND u.directory_id = i.directory_id AND u.external_id = i.external_id ORDER BY q.org_id, q.id, u.active DESC) " AFFECTED_AT(
			"r", "'{}'::jsonb", "'{}'::jsonb", "NULL::timestamptz") "FROM row r");
	StewardAffected affected = {0};
	bool isnull;
	int64 n;

	steward_run(&find, STEWARD_LATEST, NULL, NULL);
	if (!steward_affected_result(&affected))
		return 0;
	n = DatumGetInt64(steward_result(0, 9, &isnull));
	steward_apply_lifecycle(&affected);
	return n;
}

/* Leavers whose credentials were only suspended, and whose grace period is over. */
static int64
revoke_due(void)
{
	static StewardPlan find = STEWARD_PLAN(
		"", "SELECT p.org_id, p.id, (SELECT e.id FROM steward.lifecycle_event e WHERE e.org_id = p.org_id "
			"AND e.principal_id = p.id AND e.kind = 'leaver' ORDER BY e.id DESC LIMIT 1) FROM steward.principal p "
			"WHERE p.state = 'offboarded' AND p.leaves_at <= clock_timestamp() ORDER BY p.org_id, p.id LIMIT " BATCH
			" FOR NO KEY UPDATE OF p");
	StewardPeople due = {.n = (int64) steward_run(&find, STEWARD_LATEST, NULL, NULL)};

	if (due.n == 0)
		return 0;
	due.orgs = steward_uuid_column(1);
	due.principals = steward_uuid_column(2);
	due.events = steward_uuid_column(3);
	steward_end_suspended(&due);
	return due.n;
}

/*
 * steward_lifecycle_due
 *		A step of maintain().
 */
char *
steward_lifecycle_due(void)
{
	volatile int64 left = 0;
	volatile int64 revoked = 0;

	steward_skip_brake(true);
	PG_TRY();
	{
		left = leave_due();
		revoked = revoke_due();
	}
	PG_FINALLY();
	{
		steward_skip_brake(false);
	}
	PG_END_TRY();
	return psprintf(INT64_FORMAT " people left, " INT64_FORMAT " grace periods of leavers ended", (int64) left,
					(int64) revoked);
}
