/*
 * triggers.c
 *		The triggers on the directory tables: whichever path a change comes by, its effects are in the same commit.
 *
 * Statement triggers with transition tables collect the people concerned and hand them over, all at once.  A logical
 * replication worker never fires statement triggers; for it, and for a statement trigger that somebody disabled, a
 * deferred row trigger does the same at commit, one row at a time (settle.c).
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "executor/spi.h"

#include "core/authority.h"
#include "core/plan.h"
#include "directory/lifecycle.h"
#include "directory/settle.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_tg_directory_user);
PG_FUNCTION_INFO_V1(steward_tg_directory);
PG_FUNCTION_INFO_V1(steward_tg_directory_group);
PG_FUNCTION_INFO_V1(steward_tg_directory_member);

/* Checks how a trigger function was called. */
static TriggerData *
trigger_data(FunctionCallInfo fcinfo)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("a lifecycle trigger of steward must be fired after a statement")));
	return trigger;
}

/* How many rows the statement changed. */
static int64
changed_rows(const TriggerData *trigger)
{
	return tuplestore_tuple_count(trigger->tg_newtable ? trigger->tg_newtable : trigger->tg_oldtable);
}

/* Runs the query that collects the people and hands them over; inside the bracket. */
static void
apply_collected(StewardPlan *collect, const TriggerData *trigger, const char *cause)
{
	StewardAffected affected = {.cause = cause};

	steward_run_rows(collect, STEWARD_LATEST, changed_rows(trigger));
	if (!steward_affected_result(&affected))
		return;
	affected.deleted = cause == NULL && TRIGGER_FIRED_BY_DELETE(trigger->tg_event);
	steward_apply_lifecycle(&affected);
}

/*
 * tg_directory_user() → trigger
 *		AFTER INSERT, UPDATE or DELETE on directory_user, each statement: joiner, mover, leaver, rehire.
 */
Datum
steward_tg_directory_user(PG_FUNCTION_ARGS)
{
	static StewardPlan inserted =
		STEWARD_PLAN("", AFFECTED("n", "'{}'::jsonb", "jsonb_strip_nulls(" TRACKED("n") ")") "FROM new_rows n");
	static StewardPlan updated = STEWARD_PLAN(
		"",
		AFFECTED("n", "d.before",
				 "d.after") "FROM new_rows n JOIN old_rows o ON o.org_id = n.org_id AND o.id = n.id "
							"CROSS JOIN LATERAL (SELECT jsonb_object_agg(b.key, b.value) AS before, "
							"jsonb_object_agg(b.key, a.value) AS after FROM jsonb_each(" TRACKED(
								"o") ") b "
									 "JOIN jsonb_each(" TRACKED("n") ") a ON a.key = b.key WHERE a.value <> b.value) d "
																	 "WHERE d.before IS NOT NULL");
	static StewardPlan deleted =
		STEWARD_PLAN("", AFFECTED("o", "jsonb_strip_nulls(" TRACKED("o") ")", "'{}'::jsonb") "FROM old_rows o");
	/* A source that renames its identifier still means the same person. */
	static StewardPlan renamed = STEWARD_PLAN(
		"", "UPDATE steward.principal_identity i SET external_id = n.external_id "
			"FROM new_rows n JOIN old_rows o ON o.org_id = n.org_id AND o.id = n.id "
			"WHERE n.external_id <> o.external_id AND i.org_id = o.org_id AND i.directory_id = o.directory_id "
			"AND i.external_id = o.external_id");

	/* Whoever is in the list of an open resynchronization is there, changed or not. */
	static StewardPlan seen = STEWARD_PLAN(
		"", "INSERT INTO steward.directory_sync_seen (org_id, sync_id, row_id) SELECT n.org_id, s.id, n.id "
			"FROM new_rows n JOIN steward.directory_sync s ON s.org_id = n.org_id AND s.directory_id = n.directory_id "
			"AND s.state = 'open' WHERE n.active ON CONFLICT DO NOTHING");
	TriggerData *trigger = trigger_data(fcinfo);

	STEWARD_AS_OWNER();
	{
		SPI_register_trigger_data(trigger);
		if (trigger->tg_newtable)
			steward_run_rows(&seen, STEWARD_LATEST, changed_rows(trigger));
		if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
			apply_collected(&inserted, trigger, NULL);
		else if (TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
			apply_collected(&deleted, trigger, NULL);
		else
		{
			steward_run_rows(&renamed, STEWARD_LATEST, changed_rows(trigger));
			apply_collected(&updated, trigger, NULL);
		}
	}
	STEWARD_AS_OWNER_END();
	steward_settled(trigger);
	return PointerGetDatum(NULL);
}

/*
 * tg_directory() → trigger
 *		AFTER UPDATE on directory, each statement: unlinking suspends or makes leavers of those it alone vouched for,
 *		relinking brings them back.  Deleting a directory deletes its users, which fires their trigger.
 */
Datum
steward_tg_directory(PG_FUNCTION_ARGS)
{
	static StewardPlan switched = STEWARD_PLAN(
		"", SWITCHED("new_rows n JOIN old_rows o ON o.org_id = n.org_id AND o.id = n.id", "o.state", "n.state"));
	TriggerData *trigger = trigger_data(fcinfo);

	STEWARD_AS_OWNER();
	{
		SPI_register_trigger_data(trigger);
		apply_collected(&switched, trigger, NULL);
	}
	STEWARD_AS_OWNER_END();
	steward_settled(trigger);
	return PointerGetDatum(NULL);
}

/*
 * tg_directory_member() → trigger
 *		AFTER INSERT, UPDATE or DELETE on directory_member, each statement: movers.
 */
Datum
steward_tg_directory_member(PG_FUNCTION_ARGS)
{
	static StewardPlan inserted = STEWARD_PLAN(
		"", MEMBERSHIP("SELECT n.org_id, n.user_id, NULL::text AS gone, " GROUP_NAME("n") " AS new FROM new_rows n"));
	static StewardPlan deleted = STEWARD_PLAN(
		"", MEMBERSHIP("SELECT o.org_id, o.user_id, " GROUP_NAME("o") " AS gone, NULL::text AS new FROM old_rows o"));
	static StewardPlan updated = STEWARD_PLAN(
		"",
		MEMBERSHIP("SELECT n.org_id, n.user_id, NULL::text AS gone, " GROUP_NAME(
			"n") " AS new FROM new_rows n WHERE (n.org_id, n.group_id, n.user_id) NOT IN "
				 "(SELECT org_id, group_id, user_id FROM old_rows) UNION ALL "
				 "SELECT o.org_id, o.user_id, " GROUP_NAME(
					 "o") ", NULL FROM old_rows o "
						  "WHERE (o.org_id, o.group_id, o.user_id) NOT IN (SELECT org_id, group_id, user_id FROM new_rows)"));
	TriggerData *trigger = trigger_data(fcinfo);

	STEWARD_AS_OWNER();
	{
		SPI_register_trigger_data(trigger);
		apply_collected(TRIGGER_FIRED_BY_INSERT(trigger->tg_event)	 ? &inserted
						: TRIGGER_FIRED_BY_DELETE(trigger->tg_event) ? &deleted
																	 : &updated,
						trigger, "membership");
	}
	STEWARD_AS_OWNER_END();
	steward_settled(trigger);
	return PointerGetDatum(NULL);
}

/*
 * tg_directory_group() → trigger
 *		AFTER UPDATE on directory_group, each statement: for its members a renamed group is another group.
 */
Datum
steward_tg_directory_group(PG_FUNCTION_ARGS)
{
	static StewardPlan renamed =
		STEWARD_PLAN("", MEMBERSHIP("SELECT m.org_id, m.user_id, o.display_name AS gone, n.display_name AS new "
									"FROM new_rows n JOIN old_rows o ON o.org_id = n.org_id AND o.id = n.id "
									"JOIN steward.directory_member m ON m.org_id = n.org_id AND m.group_id = n.id "
									"WHERE n.display_name <> o.display_name"));
	static StewardPlan seen = STEWARD_PLAN(
		"", "INSERT INTO steward.directory_sync_seen (org_id, sync_id, row_id) SELECT n.org_id, s.id, n.id "
			"FROM new_rows n JOIN steward.directory_sync s ON s.org_id = n.org_id AND s.directory_id = n.directory_id "
			"AND s.state = 'open' ON CONFLICT DO NOTHING");
	TriggerData *trigger = trigger_data(fcinfo);

	STEWARD_AS_OWNER();
	{
		SPI_register_trigger_data(trigger);
		steward_run_rows(&seen, STEWARD_LATEST, changed_rows(trigger));
		if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
			apply_collected(&renamed, trigger, "membership");
	}
	STEWARD_AS_OWNER_END();
	steward_settled(trigger);
	return PointerGetDatum(NULL);
}
