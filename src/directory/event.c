/*
 * event.c
 *		apply_directory_event(): directory events as a provider's webhook or feed sends them, in the WorkOS shape.
 *
 * An event writes directory rows and nothing else; what follows for people comes from the triggers.  Its id is applied
 * once.  What is older than what is known is on record and ignored, except that somebody has left: that counts unless a
 * newer activation is known.  previous_attributes that do not agree with the row tell that an event is missing.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "core/authority.h"
#include "core/plan.h"
#include "core/reference.h"
#include "directory/guard.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_apply_directory_event);

/* What an event says, read once. */
typedef struct Event
{
	Datum org;
	Datum data;		 /* jsonb */
	Datum time;		 /* timestamptz */
	char *id;		 /* the source's */
	char *name;		 /* dsync.… */
	char *directory; /* its name or external id */
	char *subject;	 /* external id of the user or group */
	Datum directory_id;
	const char *outcome;
	Datum detail; /* jsonb */
} Event;

/* Parameters of the statements: organization, directory, data, time, subject. */
#define ARGS "uujzt"

static void
run(const Event *event, StewardPlan *plan)
{
	Datum values[] = {event->org, event->directory_id, event->data, event->time, CStringGetTextDatum(event->subject)};

	steward_run(plan, STEWARD_LATEST, values, NULL);
}

/* The row's columns from the data of a user, as far as it says anything; $3 is the data. */
#define USER_COLUMNS \
	"source_id, user_name, active, email, given_name, family_name, display_name, title, department, user_type, attributes"
#define USER_VALUES(old) \
	"coalesce(e.d ->> 'id', " old ".source_id), " \
	"coalesce(nullif(e.d ->> 'username', ''), nullif(e.d ->> 'email', ''), e.mail, " old ".user_name), " \
	"CASE WHEN e.d ? 'state' THEN e.d ->> 'state' = 'active' ELSE coalesce(" old ".active, true) END, " \
	"coalesce(nullif(e.d ->> 'email', ''), e.mail, " old ".email), " \
	"CASE WHEN e.d ? 'first_name' THEN e.d ->> 'first_name' ELSE " old ".given_name END, " \
	"CASE WHEN e.d ? 'last_name' THEN e.d ->> 'last_name' ELSE " old ".family_name END, " \
	"CASE WHEN e.d ? 'name' THEN e.d ->> 'name' ELSE " old ".display_name END, " \
	"CASE WHEN e.d ? 'job_title' THEN e.d ->> 'job_title' ELSE " old ".title END, " \
	"CASE WHEN e.d -> 'custom_attributes' ? 'department_name' THEN e.d #>> '{custom_attributes,department_name}' ELSE " old \
	".department END, " \
	"CASE WHEN e.d -> 'custom_attributes' ? 'employment_type' THEN e.d #>> '{custom_attributes,employment_type}' ELSE " old \
	".user_type END, " \
	"coalesce(" old ".attributes, '{}') || (coalesce(e.d -> 'custom_attributes', '{}') - ARRAY['department_name', " \
	"'employment_type'])"
#define DATA \
	"(SELECT $3 AS d, (SELECT m ->> 'value' FROM jsonb_array_elements(CASE jsonb_typeof($3 -> 'emails') WHEN 'array' " \
	"THEN $3 -> 'emails' ELSE '[]' END) AS m WHERE m ->> 'value' <> '' ORDER BY (m ->> 'primary') = 'true' DESC NULLS LAST " \
	"LIMIT 1) AS mail) e"

/* dsync.user.created and .updated: the same, for either may come first. */
static void
write_user(Event *event)
{
	/* Newer than the deletion of the row that this one would bring back. */
	static StewardPlan deleted_later = STEWARD_PLAN(
		ARGS,
		"SELECT FROM steward.directory_event x WHERE x.org_id = $1 AND x.directory_id = $2 AND x.subject = $5 "
		"AND x.event = 'dsync.user.deleted' AND x.outcome = 'applied' AND x.event_time >= $4 AND $3 IS NOT NULL LIMIT 1");
	/* Attributes that were otherwise than the event says they had been. */
	static StewardPlan gap = STEWARD_PLAN(
		ARGS,
		"SELECT jsonb_object_agg(b.key, b.value) FROM jsonb_each(CASE jsonb_typeof($3 -> 'previous_attributes') "
		"WHEN 'object' THEN $3 -> 'previous_attributes' ELSE '{}' END) b JOIN steward.directory_user u ON u.org_id = $1 "
		"AND u.directory_id = $2 AND u.external_id = $5 AND $4 IS NOT NULL JOIN jsonb_each(jsonb_build_object('username', "
		"u.user_name, 'state', CASE WHEN u.active THEN 'active' ELSE 'inactive' END, 'email', u.email, 'first_name', "
		"u.given_name, 'last_name', u.family_name, 'job_title', u.title)) r ON r.key = b.key AND r.value <> b.value");
	static StewardPlan write = STEWARD_PLAN(
		ARGS,
		"WITH old AS MATERIALIZED (SELECT u.* FROM steward.directory_user u WHERE u.org_id = $1 AND u.directory_id = $2 "
		"AND u.external_id = $5), "
		"changed AS (UPDATE steward.directory_user u SET (" USER_COLUMNS ", event_time) = (SELECT " USER_VALUES(
			"old") ", $4 "
				   "FROM " DATA ") FROM old WHERE u.org_id = old.org_id AND u.id = old.id) "
				   "INSERT INTO steward.directory_user (org_id, directory_id, external_id, " USER_COLUMNS
				   ", event_time) "
				   "SELECT $1, $2, $5, " USER_VALUES(
					   "old") ", $4 FROM " DATA
							  " LEFT JOIN old ON true WHERE old.id IS NULL ON CONFLICT (org_id, directory_id, external_id) DO NOTHING");
	/* The guard kept what was newer. */
	static StewardPlan late = STEWARD_PLAN(
		ARGS, "SELECT FROM steward.directory_user u WHERE u.org_id = $1 AND u.directory_id = $2 AND u.external_id = $5 "
			  "AND u.event_time > $4 AND $3 IS NOT NULL");
	bool isnull;
	Datum missed;

	run(event, &deleted_later);
	if (SPI_processed > 0)
	{
		event->outcome = "stale";
		return;
	}
	run(event, &late);
	if (SPI_processed > 0)
		event->outcome = "stale";
	run(event, &gap);
	missed = steward_result(0, 1, &isnull);
	if (!isnull)
		event->detail = missed;
	run(event, &write);
}

/* dsync.user.deleted: stale only when a newer activation is known. */
static void
delete_user(Event *event)
{
	static StewardPlan remove = STEWARD_PLAN(
		ARGS, "DELETE FROM steward.directory_user u WHERE u.org_id = $1 AND u.directory_id = $2 AND u.external_id = $5 "
			  "AND (u.activation_time IS NULL OR u.activation_time <= $4) AND $3 IS NOT NULL");
	static StewardPlan find = STEWARD_PLAN(
		ARGS, "SELECT FROM steward.directory_user u WHERE u.org_id = $1 AND u.directory_id = $2 AND u.external_id = $5 "
			  "AND u.activation_time > $4 AND $3 IS NOT NULL");

	run(event, &find);
	if (SPI_processed > 0)
	{
		event->outcome = "stale";
		return;
	}
	run(event, &remove);
}

/* dsync.group.created, .updated and .deleted. */
static void
write_group(Event *event)
{
	static StewardPlan write = STEWARD_PLAN(
		ARGS,
		"INSERT INTO steward.directory_group (org_id, directory_id, external_id, source_id, display_name, event_time) "
		"SELECT $1, $2, $5, $3 ->> 'id', $3 ->> 'name', $4 ON CONFLICT (org_id, directory_id, external_id) DO UPDATE SET "
		"source_id = excluded.source_id, display_name = excluded.display_name, event_time = excluded.event_time");

	run(event, &write);
}

static void
delete_group(Event *event)
{
	static StewardPlan remove = STEWARD_PLAN(
		ARGS, "DELETE FROM steward.directory_group g WHERE g.org_id = $1 AND g.directory_id = $2 "
			  "AND g.external_id = $5 AND (g.event_time IS NULL OR g.event_time <= $4) AND $3 IS NOT NULL");

	run(event, &remove);
}

/* dsync.group.user_added and .user_removed: the newest event about a membership decides. */
static void
change_member(Event *event, bool add)
{
	static StewardPlan later = STEWARD_PLAN(
		ARGS, "SELECT FROM steward.directory_event x WHERE x.org_id = $1 AND x.directory_id = $2 AND x.subject = $5 "
			  "AND x.event IN ('dsync.group.user_added', 'dsync.group.user_removed') AND x.outcome = 'applied' "
			  "AND x.event_time > $4 AND $3 IS NOT NULL LIMIT 1");
#define PAIR \
	"FROM steward.directory_group g JOIN steward.directory_user u ON u.org_id = g.org_id AND u.directory_id = g.directory_id " \
	"WHERE g.org_id = $1 AND g.directory_id = $2 AND g.external_id = coalesce($3 #>> '{group,idp_id}', $3 #>> '{group,id}') " \
	"AND u.external_id = coalesce($3 #>> '{user,idp_id}', $3 #>> '{user,id}') AND $4 IS NOT NULL AND $5 IS NOT NULL"
	static StewardPlan insert = STEWARD_PLAN(ARGS, "INSERT INTO steward.directory_member (org_id, group_id, user_id) "
												   "SELECT g.org_id, g.id, u.id " PAIR " ON CONFLICT DO NOTHING");
	static StewardPlan remove =
		STEWARD_PLAN(ARGS, "DELETE FROM steward.directory_member m WHERE (m.org_id, m.group_id, m.user_id) "
						   "IN (SELECT g.org_id, g.id, u.id " PAIR ")");
	static StewardPlan find = STEWARD_PLAN(ARGS, "SELECT " PAIR);

	run(event, &find);
	if (SPI_processed == 0)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_REFERENCE_UNKNOWN),
						errmsg("the user or the group of the event is not known in this directory"),
						errhint("Apply dsync.user.created and dsync.group.created first.")));
	run(event, &later);
	if (SPI_processed > 0)
		event->outcome = "stale";
	else
		run(event, add ? &insert : &remove);
}

/* dsync.activated and dsync.deleted; a directory that is new is made. */
static void
switch_directory(Event *event, bool linked)
{
	static StewardPlan later = STEWARD_PLAN(
		ARGS,
		"SELECT FROM steward.directory_event x WHERE x.org_id = $1 AND x.directory_id = $2 "
		"AND x.event IN ('dsync.activated', 'dsync.deleted') AND x.event_time > $4 AND $3 IS NOT NULL AND $5 IS NOT NULL LIMIT 1");
	static StewardPlan link = STEWARD_PLAN(
		ARGS, "UPDATE steward.directory SET state = 'linked' WHERE org_id = $1 AND id = $2 AND state <> 'linked' "
			  "AND $3 IS NOT NULL AND $4 IS NOT NULL AND $5 IS NOT NULL");
	static StewardPlan unlink = STEWARD_PLAN(
		ARGS, "UPDATE steward.directory SET state = 'unlinked' WHERE org_id = $1 AND id = $2 AND state <> 'unlinked' "
			  "AND $3 IS NOT NULL AND $4 IS NOT NULL AND $5 IS NOT NULL");

	run(event, &later);
	if (SPI_processed > 0)
		event->outcome = "stale";
	else
		run(event, linked ? &link : &unlink);
}

/* The events, and what each needs in its data. */
static const struct
{
	const char *name;
	const char *what; /* user, group, member or directory */
} kinds[] = {
	{"dsync.activated", "directory"},		{"dsync.deleted", "directory"},	  {"dsync.user.created", "user"},
	{"dsync.user.updated", "user"},			{"dsync.user.deleted", "user"},	  {"dsync.group.created", "group"},
	{"dsync.group.updated", "group"},		{"dsync.group.deleted", "group"}, {"dsync.group.user_added", "member"},
	{"dsync.group.user_removed", "member"},
};

/* Raises because the payload lacks something. */
static void
malformed(const char *detail)
{
	ereport(ERROR, (errcode(ERRCODE_STEWARD_EVENT_MALFORMED), errmsg("the directory event is malformed"),
					errdetail("%s", detail)));
}

/* Reads the payload; every field that an event cannot do without is there, or it raises. */
static const char *
read_event(Event *event, Datum payload)
{
	static StewardPlan parse = STEWARD_PLAN(
		"j",
		"SELECT $1 ->> 'id', $1 ->> 'event', CASE jsonb_typeof($1 -> 'data') WHEN 'object' THEN $1 -> 'data' END, "
		"CASE WHEN coalesce($1 ->> 'created_at', '') ~ '^\\d{4}-\\d\\d-\\d\\d[T ]\\d\\d:\\d\\d(:\\d\\d(\\.\\d+)?)?(Z|[+-]\\d\\d(:?\\d\\d)?)$' "
		"THEN ($1 ->> 'created_at')::timestamptz END, "
		"CASE WHEN $1 ->> 'event' IN ('dsync.activated', 'dsync.deleted') THEN $1 #>> '{data,id}' "
		"ELSE $1 #>> '{data,directory_id}' END, "
		"coalesce(nullif($1 #>> '{data,idp_id}', ''), nullif($1 #>> '{data,id}', '')), "
		"coalesce(nullif($1 #>> '{data,user,idp_id}', ''), nullif($1 #>> '{data,user,id}', '')), "
		"coalesce(nullif($1 #>> '{data,group,idp_id}', ''), nullif($1 #>> '{data,group,id}', '')), "
		"coalesce(nullif($1 #>> '{data,username}', ''), nullif($1 #>> '{data,email}', ''), $1 #>> '{data,emails,0,value}'), "
		"$1 #>> '{data,name}', coalesce($1 #>> '{data,state}', 'active') IN ('active', 'inactive', 'suspended'), "
		"coalesce(jsonb_typeof($1 #> '{data,custom_attributes}'), 'object') = 'object'");
	const char *what = NULL;
	char *user;
	char *group;
	bool isnull;

	steward_run(&parse, STEWARD_TRANSACTION, &payload, NULL);
	event->id = steward_result_text(0, 1);
	event->name = steward_result_text(0, 2);
	if (event->id == NULL || event->id[0] == '\0' || strlen(event->id) > 512)
		malformed("id is missing or too long.");
	if (event->name == NULL)
		malformed("event is missing.");
	for (int i = 0; i < (int) lengthof(kinds); i++)
		if (strcmp(kinds[i].name, event->name) == 0)
			what = kinds[i].what;
	if (what == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_STEWARD_EVENT_MALFORMED), errmsg("unknown directory event \"%.63s\"", event->name),
				 errdetail("Known are dsync.activated, dsync.deleted, dsync.user.* and dsync.group.*.")));
	event->data = steward_result(0, 3, &isnull);
	if (isnull)
		malformed("data is missing or not an object.");
	event->time = steward_result(0, 4, &isnull);
	if (isnull)
		malformed("created_at is missing or not a date and time.");
	event->directory = steward_result_text(0, 5);
	if (event->directory == NULL || event->directory[0] == '\0')
		malformed("data names no directory.");
	steward_check_reference(event->directory, "directory");
	event->subject = steward_result_text(0, 6);
	user = steward_result_text(0, 7);
	group = steward_result_text(0, 8);
	if (strcmp(what, "member") == 0)
	{
		if (user == NULL)
			malformed("data.user has neither idp_id nor id.");
		if (group == NULL)
			malformed("data.group has neither idp_id nor id.");
		event->subject = psprintf("%s/%s", group, user);
	}
	else if (event->subject == NULL)
		malformed("data has neither idp_id nor id.");
	if (strlen(event->subject) > 512)
		malformed("the id of its subject is too long.");
	if (strcmp(what, "user") == 0 && strcmp(event->name, "dsync.user.deleted") != 0)
	{
		if (strcmp(event->name, "dsync.user.created") == 0 && steward_result_text(0, 9) == NULL)
			malformed("data has neither username nor e-mail address.");
		if (!DatumGetBool(steward_result(0, 11, &isnull)))
			malformed("data.state is none of active, inactive and suspended.");
		if (!DatumGetBool(steward_result(0, 12, &isnull)))
			malformed("data.custom_attributes is not an object.");
	}
	if (strcmp(what, "group") == 0 && strcmp(event->name, "dsync.group.deleted") != 0 &&
		(steward_result_text(0, 10) == NULL || steward_result_text(0, 10)[0] == '\0'))
		malformed("data.name is missing.");
	return what;
}

/* The directory that the event names; dsync.activated makes one. */
static void
find_directory(Event *event)
{
	static StewardPlan find =
		STEWARD_PLAN("ut", "SELECT id FROM steward.directory WHERE org_id = $1 AND external_id = $2 UNION ALL "
						   "SELECT id FROM steward.directory WHERE org_id = $1 AND name = $2 LIMIT 1");
	static StewardPlan make = STEWARD_PLAN(
		"utj",
		"INSERT INTO steward.directory (org_id, external_id, name, kind) SELECT $1, $2, "
		"CASE WHEN EXISTS (SELECT FROM steward.directory d WHERE d.org_id = $1 AND d.name = $3 ->> 'name') "
		"OR coalesce(btrim($3 ->> 'name'), '') = '' THEN left($2, 200) ELSE left(btrim($3 ->> 'name'), 200) END, "
		"CASE WHEN $3 ->> 'type' LIKE 'okta%' THEN 'okta' WHEN $3 ->> 'type' LIKE 'azure%' OR $3 ->> 'type' LIKE 'entra%' "
		"THEN 'entra' WHEN $3 ->> 'type' LIKE 'gsuite%' THEN 'google' ELSE 'scim' END RETURNING id");
	Datum values[] = {event->org, CStringGetTextDatum(event->directory), event->data};
	bool isnull;

	if (steward_run(&find, STEWARD_LATEST, values, NULL) == 0)
	{
		if (strcmp(event->name, "dsync.activated") != 0)
			ereport(ERROR, (errcode(ERRCODE_STEWARD_REFERENCE_UNKNOWN),
							errmsg("directory \"%s\" is not known in this organization", event->directory)));
		steward_run(&make, STEWARD_LATEST, values, NULL);
	}
	event->directory_id = steward_result(0, 1, &isnull);
}

/* Claims the event's id; false when it was applied before. */
static bool
claim(Event *event)
{
	static StewardPlan insert = STEWARD_PLAN(
		"utttzu",
		"INSERT INTO steward.directory_event (org_id, source_event_id, event, subject, event_time, directory_id, outcome) "
		"VALUES ($1, $2, $3, $4, $5, $6, 'applied') ON CONFLICT (org_id, source_event_id) DO NOTHING");
	Datum values[] = {event->org,
					  CStringGetTextDatum(event->id),
					  CStringGetTextDatum(event->name),
					  CStringGetTextDatum(event->subject),
					  event->time,
					  event->directory_id};

	return steward_run(&insert, STEWARD_LATEST, values, NULL) > 0;
}

/* Says what became of it. */
static void
settle_outcome(const Event *event)
{
	static StewardPlan update = STEWARD_PLAN(
		"utjt", "UPDATE steward.directory_event SET outcome = $4, detail = CASE WHEN $3 IS NULL THEN detail "
				"ELSE jsonb_build_object('previously_otherwise', $3) END WHERE org_id = $1 AND source_event_id = $2");
	/* What the event brought about carries its id. */
	static StewardPlan mark = STEWARD_PLAN(
		"utu",
		"UPDATE steward.lifecycle_event SET source_event_id = $2 WHERE org_id = $1 AND directory_id = $3 "
		"AND recorded_at = now() AND xact = pg_current_xact_id() AND source_event_id IS NULL AND kind IN ('leaver', 'suspend')");
	Datum values[] = {event->org, CStringGetTextDatum(event->id), event->detail, CStringGetTextDatum(event->outcome)};
	bool nulls[] = {false, false, event->detail == 0, false};
	Datum marked[] = {event->org, CStringGetTextDatum(event->id), event->directory_id};

	if (event->detail != 0 || strcmp(event->outcome, "applied") != 0)
		steward_run(&update, STEWARD_LATEST, values, nulls);
	steward_run(&mark, STEWARD_LATEST, marked, NULL);
}

/*
 * apply_directory_event(event jsonb, org uuid DEFAULT default_org()) → outcome text
 *		Applies one event of a directory provider: applied, duplicate, or stale (something newer was known).
 *
 * Needs connector.  Raises ST306 for a payload that lacks something, ST213 for one from the future, ST106 for a
 * directory, user or group that this organization does not have.
 */
Datum
steward_apply_directory_event(PG_FUNCTION_ARGS)
{
	const pg_uuid_t *org;
	const char *volatile outcome = NULL;

	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("event must not be null")));
	org = steward_org_arg(fcinfo, 1);
	steward_require(org, STEWARD_PROFILE_CONNECTOR);
	PreventCommandIfReadOnly("apply_directory_event()");

	STEWARD_AS_OWNER();
	{
		Event event = {.org = UUIDPGetDatum(org), .outcome = "applied"};
		const char *what = read_event(&event, PG_GETARG_DATUM(0));

		steward_check_event_time(DatumGetTimestampTz(event.time));
		find_directory(&event);
		if (!claim(&event))
			event.outcome = "duplicate";
		else
		{
			if (strcmp(what, "directory") == 0)
				switch_directory(&event, strcmp(event.name, "dsync.activated") == 0);
			else if (strcmp(what, "member") == 0)
				change_member(&event, strcmp(event.name, "dsync.group.user_added") == 0);
			else if (strcmp(event.name, "dsync.user.deleted") == 0)
				delete_user(&event);
			else if (strcmp(event.name, "dsync.group.deleted") == 0)
				delete_group(&event);
			else if (strcmp(what, "user") == 0)
				write_user(&event);
			else
				write_group(&event);
			settle_outcome(&event);
		}
		/* A constant. */
		outcome = event.outcome;
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_TEXT_P(cstring_to_text(outcome));
}
