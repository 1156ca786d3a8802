/*
 * record.c
 *		Events that applications record: record_event(), record_events() and the shapes they are checked against.
 *
 * The shape is that of widely used audit APIs: an action with a version, the actor that the application claims, targets,
 * context, metadata, an idempotency key.  What the application claims stands beside what is proven (event.c), never in
 * its place.  Everything is bounded, and nothing that looks like a key or a token is taken.
 */
#include "postgres.h"

#include <openssl/evp.h>

#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "audit/canonical.h"
#include "audit/capture.h"
#include "audit/event.h"
#include "audit/incarnation.h"
#include "core/authority.h"
#include "core/plan.h"
#include "core/reference.h"
#include "core/relation.h"
#include "core/secret.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_record_event);
PG_FUNCTION_INFO_V1(steward_record_events);
PG_FUNCTION_INFO_V1(steward_register_action);

#define MAX_ACTION 100
#define MAX_TARGETS 100
#define MAX_METADATA 50
#define MAX_METADATA_NAME 40
#define MAX_METADATA_VALUE 500
#define MAX_ID 255
#define MAX_EVENT_BYTES 65536
#define MAX_BULK 1000

/* How far ahead of our clock an application's may be. */
#define MAX_AHEAD_MS (5 * 60 * 1000)

/* Writers of one organization count into so many rows, so that few wait for each other. */
#define QUOTA_SHARDS 64

/* What an application records. */
typedef struct AppEvent
{
	char *action;
	int32 version;
	Jsonb *actor;
	Jsonb *targets;
	Jsonb *context;
	Jsonb *metadata;
	char *idempotency_key;
	TimestampTz occurred_at; /* 0: now */
} AppEvent;

/* Raises because an event is not as it has to be. */
static void
invalid(const char *message, const char *detail)
{
	ereport(ERROR, (errcode(ERRCODE_STEWARD_EVENT_INVALID), errmsg("%s", message), detail ? errdetail("%s", detail) : 0,
					errhidestmt(true)));
}

/* Checks an action's name; steward's own are not for applications. */
static void
check_action(const char *action)
{
	size_t len = strlen(action);
	bool ok = len > 0 && len <= MAX_ACTION && action[0] >= 'a' && action[0] <= 'z' && action[len - 1] != '.' &&
			  strspn(action, "abcdefghijklmnopqrstuvwxyz0123456789_.") == len && strstr(action, "..") == NULL;

	steward_check_reference(action, "action");
	if (!ok)
		ereport(ERROR,
				(errcode(ERRCODE_STEWARD_EVENT_INVALID), errmsg("invalid action \"%.100s\"", action),
				 errdetail("It is at most %d lower-case letters, digits and underscores, in parts divided by dots, "
						   "and begins with a letter.",
						   MAX_ACTION)));
	if (strcmp(action, "steward") == 0 || strncmp(action, "steward.", 8) == 0)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_ACTION_RESERVED), errmsg("action \"%s\" is reserved", action),
						errdetail("Actions that begin with \"steward.\" are recorded by steward itself.")));
}

/* Looks a member of an object up; false when it is not there. */
static bool
get_member(Jsonb *object, const char *name, JsonbValue *value)
{
	return getKeyJsonValueFromContainer(&object->root, name, (int) strlen(name), value) != NULL;
}

/* Checks that a member is a text of a sensible length. */
static void
check_text_member(Jsonb *object, const char *of, const char *name)
{
	JsonbValue value;

	if (!get_member(object, name, &value) || value.type != jbvString || value.val.string.len == 0 ||
		value.val.string.len > MAX_ID)
		invalid(psprintf("%s must have a member \"%s\"", of, name),
				psprintf("It is a text of at most %d bytes.", MAX_ID));
}

/* Nothing that looks like a key or token, in any text. */
static void
check_no_secret(Jsonb *json, const char *what)
{
	JsonbIterator *it;
	JsonbValue value;
	JsonbIteratorToken token;

	if (json == NULL)
		return;
	it = JsonbIteratorInit(&json->root);
	while ((token = JsonbIteratorNext(&it, &value, false)) != WJB_DONE)
	{
		if ((token != WJB_KEY && token != WJB_VALUE && token != WJB_ELEM) || value.type != jbvString)
			continue;
		if (steward_looks_secret(pnstrdup(value.val.string.val, value.val.string.len)))
			ereport(
				ERROR,
				(errcode(ERRCODE_STEWARD_REFERENCE_IS_SECRET), errmsg("%s contains what looks like a secret", what),
				 errhint("Name a credential by its uuid or its display form. A key that has been seen here may have "
						 "been logged: revoke it."),
				 errhidestmt(true), errhidecontext(true)));
	}
}

/* The actor that the application claims. */
static void
check_actor(Jsonb *actor)
{
	if (actor == NULL)
		return;
	if (!JB_ROOT_IS_OBJECT(actor))
		invalid("actor must be an object", NULL);
	check_text_member(actor, "actor", "type");
	check_text_member(actor, "actor", "id");
	check_no_secret(actor, "actor");
}

/* The targets: an array of objects with type and id. */
static void
check_targets(Jsonb *targets)
{
	if (targets == NULL)
		return;
	if (!JB_ROOT_IS_ARRAY(targets) || JB_ROOT_IS_SCALAR(targets))
		invalid("targets must be an array", NULL);
	if (JB_ROOT_COUNT(targets) > MAX_TARGETS)
		invalid("there are too many targets", psprintf("An event has at most %d.", MAX_TARGETS));
	for (uint32 i = 0; i < JB_ROOT_COUNT(targets); i++)
	{
		JsonbValue *target = getIthJsonbValueFromContainer(&targets->root, i);
		Jsonb *object;

		if (target->type != jbvBinary || !JsonContainerIsObject(target->val.binary.data))
			invalid("each target must be an object", NULL);
		object = JsonbValueToJsonb(target);
		check_text_member(object, "each target", "type");
		check_text_member(object, "each target", "id");
	}
	check_no_secret(targets, "targets");
}

/* The metadata: a flat object of few, short members. */
static void
check_metadata(Jsonb *metadata)
{
	JsonbIterator *it;
	JsonbValue value;
	JsonbIteratorToken token;

	if (metadata == NULL)
		return;
	if (!JB_ROOT_IS_OBJECT(metadata))
		invalid("metadata must be an object", NULL);
	if (JB_ROOT_COUNT(metadata) > MAX_METADATA)
		invalid("metadata has too many members", psprintf("It has at most %d.", MAX_METADATA));
	it = JsonbIteratorInit(&metadata->root);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY && value.val.string.len > MAX_METADATA_NAME)
			invalid("the name of a member of metadata is too long",
					psprintf("It has at most %d bytes.", MAX_METADATA_NAME));
		if (token != WJB_VALUE)
			continue;
		if (value.type == jbvString ? value.val.string.len > MAX_METADATA_VALUE
									: value.type != jbvNumeric && value.type != jbvBool)
			invalid("members of metadata must be texts, numbers or booleans",
					psprintf("A text has at most %d bytes.", MAX_METADATA_VALUE));
	}
	check_no_secret(metadata, "metadata");
}

/* The context: any object. */
static void
check_context(Jsonb *context)
{
	if (context == NULL)
		return;
	if (!JB_ROOT_IS_OBJECT(context))
		invalid("context must be an object", NULL);
	check_no_secret(context, "context");
}

/* What of the event is hashed for idempotency, and bounded: everything that the application said. */
static void
describe(const AppEvent *event, StringInfo buf)
{
	Jsonb *parts[] = {event->actor, event->targets, event->context, event->metadata};

	initStringInfo(buf);
	steward_put_text(buf, event->action, (int) strlen(event->action));
	steward_put_int(buf, event->version);
	steward_put_time(buf, event->occurred_at);
	for (int i = 0; i < (int) lengthof(parts); i++)
		if (parts[i])
			steward_put_json(buf, JsonbPGetDatum(parts[i]));
		else
			steward_put_null(buf);
}

/* Checks an event as far as it can be without looking anything up. */
static void
check_event(const AppEvent *event)
{
	StringInfoData buf;

	check_action(event->action);
	if (event->version < 1)
		invalid("version must be positive", NULL);
	check_actor(event->actor);
	check_targets(event->targets);
	check_context(event->context);
	check_metadata(event->metadata);
	if (event->idempotency_key)
	{
		steward_check_reference(event->idempotency_key, "idempotency_key");
		if (strlen(event->idempotency_key) > MAX_ID)
			invalid("idempotency_key is too long", psprintf("It has at most %d bytes.", MAX_ID));
	}
	if (event->occurred_at != 0 &&
		(TIMESTAMP_NOT_FINITE(event->occurred_at) ||
		 event->occurred_at > TimestampTzPlusMilliseconds(GetCurrentTimestamp(), MAX_AHEAD_MS)))
		invalid("occurred_at lies in the future", "It may be ahead of the server's clock by five minutes.");
	describe(event, &buf);
	if (buf.len > MAX_EVENT_BYTES)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_EVENT_TOO_LARGE), errmsg("the event is too large"),
						errdetail("It has %d bytes; the largest has %d.", buf.len, MAX_EVENT_BYTES)));
	pfree(buf.data);
}

/* Whether a value has a type of a registered shape. */
static bool
has_type(const JsonbValue *value, const char *type, int len)
{
	if (len == 6 && strncmp(type, "string", 6) == 0)
		return value->type == jbvString;
	if (len == 6 && strncmp(type, "number", 6) == 0)
		return value->type == jbvNumeric;
	return len == 7 && strncmp(type, "boolean", 7) == 0 && value->type == jbvBool;
}

/* Checks the metadata against a registered shape: every member known and of its type, the required ones there. */
static void
check_against_shape(Jsonb *metadata, Jsonb *shape)
{
	JsonbIterator *it;
	JsonbValue key = {.type = jbvNull};
	JsonbValue value;
	JsonbIteratorToken token;

	if (metadata)
	{
		it = JsonbIteratorInit(&metadata->root);
		while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
		{
			JsonbValue type;
			int len;

			if (token == WJB_KEY)
			{
				key = value;
				continue;
			}
			if (token != WJB_VALUE)
				continue;
			if (getKeyJsonValueFromContainer(&shape->root, key.val.string.val, key.val.string.len, &type) == NULL)
				invalid(psprintf("metadata has a member \"%.*s\" that the action has not", key.val.string.len,
								 key.val.string.val),
						NULL);
			len = type.val.string.len - (type.val.string.val[type.val.string.len - 1] == '!');
			if (!has_type(&value, type.val.string.val, len))
				invalid(psprintf("member \"%.*s\" of metadata has another type than the action says",
								 key.val.string.len, key.val.string.val),
						psprintf("It must be a %.*s.", len, type.val.string.val));
		}
	}
	it = JsonbIteratorInit(&shape->root);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			key = value;
		else if (token == WJB_VALUE && value.val.string.val[value.val.string.len - 1] == '!' &&
				 (metadata == NULL || getKeyJsonValueFromContainer(&metadata->root, key.val.string.val,
																   key.val.string.len, &value) == NULL))
			invalid(psprintf("metadata lacks the member \"%.*s\"", key.val.string.len, key.val.string.val), NULL);
	}
}

/* Checks the targets against the types that a registered action may have. */
static void
check_target_types(Jsonb *targets, ArrayType *types)
{
	Datum *values;
	int n;

	deconstruct_array(types, TEXTOID, -1, false, TYPALIGN_INT, &values, NULL, &n);
	for (uint32 i = 0; targets && i < JB_ROOT_COUNT(targets); i++)
	{
		Jsonb *target = JsonbValueToJsonb(getIthJsonbValueFromContainer(&targets->root, i));
		JsonbValue type;
		bool known = false;

		get_member(target, "type", &type);
		for (int j = 0; j < n && !known; j++)
		{
			text *t = DatumGetTextPP(values[j]);

			known = VARSIZE_ANY_EXHDR(t) == (Size) type.val.string.len &&
					memcmp(VARDATA_ANY(t), type.val.string.val, type.val.string.len) == 0;
		}
		if (!known)
			invalid(psprintf("the action has no targets of type \"%.*s\"", type.val.string.len, type.val.string.val),
					NULL);
	}
}

/* Checks the event against the registered shapes of its action; inside the bracket. */
static void
check_registered(const pg_uuid_t *org, const AppEvent *event)
{
	static StewardPlan find = STEWARD_PLAN(
		"utl", "SELECT a.targets, a.metadata, a.version = $3 AS fits FROM steward.audit_action a WHERE a.org_id = $1 "
			   "AND a.action = $2 ORDER BY fits DESC, a.version DESC LIMIT 1");
	static StewardPlan policy =
		STEWARD_PLAN("u", "SELECT FROM steward.org_policy WHERE org_id = $1 AND audit_registered_actions");
	Datum values[] = {UUIDPGetDatum(org), CStringGetTextDatum(event->action), Int64GetDatum(event->version)};
	bool isnull;

	if (steward_run(&find, STEWARD_TRANSACTION, values, NULL) == 0)
	{
		if (steward_run(&policy, STEWARD_TRANSACTION, values, NULL) > 0)
			ereport(ERROR,
					(errcode(ERRCODE_STEWARD_ACTION_UNKNOWN), errmsg("action \"%s\" is not registered", event->action),
					 errhint("Register it with steward.register_action().")));
		return;
	}
	if (!DatumGetBool(steward_result(0, 3, &isnull)))
		ereport(ERROR, (errcode(ERRCODE_STEWARD_ACTION_UNKNOWN),
						errmsg("action \"%s\" has no version %d", event->action, event->version),
						errhint("Register it with steward.register_action().")));
	check_target_types(event->targets, DatumGetArrayTypeP(steward_result(0, 1, &isnull)));
	check_against_shape(event->metadata, DatumGetJsonbP(steward_result(0, 2, &isnull)));
}

/* Counts against the organization's daily quota, where it has one. */
static void
count_quota(const pg_uuid_t *org, int64 events)
{
	static StewardPlan find = STEWARD_PLAN(
		"u", "SELECT audit_daily_quota FROM steward.org_policy WHERE org_id = $1 AND audit_daily_quota IS NOT NULL");
	static StewardPlan count =
		STEWARD_PLAN("ull", "INSERT INTO steward.audit_usage AS u (org_id, day, shard, events) VALUES ($1, "
							"(clock_timestamp() AT TIME ZONE 'UTC')::date, $2::smallint, $3) "
							"ON CONFLICT (org_id, day, shard) DO UPDATE SET events = u.events + excluded.events");
	static StewardPlan sum = STEWARD_PLAN("u", "SELECT sum(events)::bigint FROM steward.audit_usage WHERE org_id = $1 "
											   "AND day = (clock_timestamp() AT TIME ZONE 'UTC')::date");
	Datum values[] = {UUIDPGetDatum(org), Int64GetDatum(MyProcPid % QUOTA_SHARDS), Int64GetDatum(events)};
	int64 quota;
	bool isnull;

	if (steward_run(&find, STEWARD_TRANSACTION, values, NULL) == 0)
		return;
	quota = DatumGetInt64(steward_result(0, 1, &isnull));
	steward_run(&count, STEWARD_LATEST, values, NULL);
	CommandCounterIncrement();
	steward_run(&sum, STEWARD_LATEST, values, NULL);
	if (DatumGetInt64(steward_result(0, 1, &isnull)) > quota)
		ereport(ERROR,
				(errcode(ERRCODE_STEWARD_QUOTA_EXCEEDED), errmsg("the organization's quota of events is used up"),
				 errdetail("It may record " INT64_FORMAT " events a day, counted in UTC.", quota),
				 errhint("An administrator can change audit_daily_quota in its policy.")));
}

/*
 * Takes the idempotency key for the event that comes next.  False when it was taken before, by the same event, whose
 * identity is then in *id; raises when that was another one.
 */
static bool
take_idempotency_key(const pg_uuid_t *org, const AppEvent *event, StewardEventId *id)
{
	static StewardPlan take = STEWARD_PLAN(
		"utyltl", "INSERT INTO steward.audit_idempotency (org_id, idempotency_key, content, incarnation, xact, n) "
				  "VALUES ($1, $2, $3, $4::integer, $5::xid8, $6::integer) ON CONFLICT DO NOTHING");
	static StewardPlan find =
		STEWARD_PLAN("uty", "SELECT content = $3, incarnation, xact::text, n "
							"FROM steward.audit_idempotency WHERE org_id = $1 AND idempotency_key = $2");
	unsigned char digest[EVP_MAX_MD_SIZE];
	StringInfoData buf;
	bytea *content = palloc(VARHDRSZ + 32);
	Datum values[6];
	bool isnull;

	describe(event, &buf);
	if (EVP_Digest(buf.data, (size_t) buf.len, digest, NULL, EVP_sha256(), NULL) != 1)
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not compute SHA-256")));
	SET_VARSIZE(content, VARHDRSZ + 32);
	memcpy(VARDATA(content), digest, 32);
	values[0] = UUIDPGetDatum(org);
	values[1] = CStringGetTextDatum(event->idempotency_key);
	values[2] = PointerGetDatum(content);
	values[3] = Int64GetDatum(steward_incarnation());
	values[5] = Int64GetDatum(steward_next_event());
	values[4] = CStringGetTextDatum(psprintf(UINT64_FORMAT, U64FromFullTransactionId(GetTopFullTransactionId())));
	if (steward_run(&take, STEWARD_LATEST, values, NULL) > 0)
		return true;
	if (steward_run(&find, STEWARD_LATEST, values, NULL) == 0)
		ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
						errmsg("could not serialize access due to concurrent use of an idempotency key")));
	if (!DatumGetBool(steward_result(0, 1, &isnull)))
		ereport(ERROR,
				(errcode(ERRCODE_STEWARD_IDEMPOTENCY_CONFLICT), errmsg("idempotency_key was used for another event"),
				 errhint("A key belongs to one event; its retries must be the same.")));
	id->incarnation = DatumGetInt32(steward_result(0, 2, &isnull));
	id->xact = strtou64(steward_result_text(0, 3), NULL, 10);
	id->n = DatumGetInt32(steward_result(0, 4, &isnull));
	return false;
}

/* Records a checked event; inside the bracket. */
static StewardEventId
record(const pg_uuid_t *org, const AppEvent *event)
{
	StewardEvent e = {
		.org = org, .action = event->action, .version = event->version, .occurred_at = event->occurred_at};
	StewardEventId id;

	check_registered(org, event);
	if (event->idempotency_key && !take_idempotency_key(org, event, &id))
		return id;
	e.claimed_actor = event->actor ? JsonbPGetDatum(event->actor) : (Datum) 0;
	e.targets = event->targets ? JsonbPGetDatum(event->targets) : (Datum) 0;
	e.context = steward_request_context(event->context ? JsonbPGetDatum(event->context) : (Datum) 0);
	e.metadata = event->metadata ? JsonbPGetDatum(event->metadata) : (Datum) 0;
	return steward_write_event(&e);
}

/* A jsonb argument; NULL for a null one. */
static Jsonb *
json_arg(FunctionCallInfo fcinfo, int arg)
{
	return PG_ARGISNULL(arg) ? NULL : PG_GETARG_JSONB_P(arg);
}

/*
 * record_event(action text, version integer DEFAULT 1, actor jsonb DEFAULT NULL, targets jsonb DEFAULT NULL, context jsonb
 *		DEFAULT NULL, metadata jsonb DEFAULT NULL, idempotency_key text DEFAULT NULL, occurred_at timestamptz DEFAULT NULL,
 *		org uuid DEFAULT default_org()) → event text
 *		Records an event of the application in the caller's transaction and returns its id.  Needs app.
 *
 * With an idempotency key the same event again returns the first one's id.  Raises ST608 for a malformed event, ST609 for
 * a large one, ST610 for an action that is not registered where it has to be, ST611 for one of steward's own, ST612 when
 * the key was used for another event, ST613 over quota, ST104 for what looks like a secret.
 */
Datum
steward_record_event(PG_FUNCTION_ARGS)
{
	const pg_uuid_t *org = steward_org_arg(fcinfo, 8);
	StewardEventId id = {0};
	StewardEventId *const id_kept = &id;

	STEWARD_HIDE_STATEMENT();
	{
		AppEvent event = {.action = steward_text_arg(fcinfo, 0, "action", true)};

		steward_require(org, STEWARD_PROFILE_APP);
		if (PG_ARGISNULL(1))
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("version must not be null")));
		event.version = PG_GETARG_INT32(1);
		event.actor = json_arg(fcinfo, 2);
		event.targets = json_arg(fcinfo, 3);
		event.context = json_arg(fcinfo, 4);
		event.metadata = json_arg(fcinfo, 5);
		event.idempotency_key = steward_text_arg(fcinfo, 6, "idempotency_key", false);
		event.occurred_at = PG_ARGISNULL(7) ? 0 : PG_GETARG_TIMESTAMPTZ(7);
		check_event(&event);
		PreventCommandIfReadOnly("record_event()");
		STEWARD_AS_OWNER();
		{
			count_quota(org, 1);
			*id_kept = record(org, &event);
		}
		STEWARD_AS_OWNER_END();
	}
	STEWARD_HIDE_STATEMENT_END();
	PG_RETURN_DATUM(steward_event_id_datum(&id));
}

/* A member of a bulk event that is JSON itself. */
static Jsonb *
part_of(const JsonbValue *value)
{
	return value->type == jbvNull ? NULL : JsonbValueToJsonb((JsonbValue *) value);
}

/* A member of a bulk event that must be a text. */
static char *
text_of(const JsonbValue *value, const char *name)
{
	if (value->type == jbvNull)
		return NULL;
	if (value->type != jbvString)
		invalid(psprintf("%s must be a text", name), NULL);
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/* Reads an event of a bulk from its JSON. */
static void
read_bulk_event(JsonbContainer *container, AppEvent *event)
{
	JsonbIterator *it = JsonbIteratorInit(container);
	JsonbValue value;
	JsonbIteratorToken token;
	char *name = NULL;

	memset(event, 0, sizeof(*event));
	event->version = 1;
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			name = pnstrdup(value.val.string.val, value.val.string.len);
		if (token != WJB_VALUE)
			continue;
		if (strcmp(name, "action") == 0)
			event->action = text_of(&value, name);
		else if (strcmp(name, "version") == 0)
		{
			bool overflow = value.type != jbvNumeric;

			event->version = overflow ? 0 : numeric_int4_opt_error(value.val.numeric, &overflow);
			if (overflow)
				invalid("version must be a small number", NULL);
		}
		else if (strcmp(name, "actor") == 0)
			event->actor = part_of(&value);
		else if (strcmp(name, "targets") == 0)
			event->targets = part_of(&value);
		else if (strcmp(name, "context") == 0)
			event->context = part_of(&value);
		else if (strcmp(name, "metadata") == 0)
			event->metadata = part_of(&value);
		else if (strcmp(name, "idempotency_key") == 0)
			event->idempotency_key = text_of(&value, name);
		else if (strcmp(name, "occurred_at") == 0)
		{
			char *when = text_of(&value, name);

			if (when)
				event->occurred_at = DatumGetTimestampTz(DirectFunctionCall3(
					timestamptz_in, CStringGetDatum(when), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
		}
		else
			invalid(
				psprintf("an event has no member \"%.63s\"", name),
				"The members are action, version, actor, targets, context, metadata, idempotency_key and occurred_at.");
	}
	if (event->action == NULL)
		invalid("an event must have an action", NULL);
}

/*
 * record_events(events jsonb, org uuid DEFAULT default_org()) → rows (ordinal integer, event text)
 *		The same for an array of at most 1,000 events, with members named like the arguments of record_event(); all or none.
 */
Datum
steward_record_events(PG_FUNCTION_ARGS)
{
	const pg_uuid_t *org = steward_org_arg(fcinfo, 1);
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	STEWARD_HIDE_STATEMENT();
	{
		Jsonb *events;
		int n;
		AppEvent *parsed;

		if (PG_ARGISNULL(0))
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("events must not be null")));
		steward_require(org, STEWARD_PROFILE_APP);
		events = PG_GETARG_JSONB_P(0);
		if (!JB_ROOT_IS_ARRAY(events) || JB_ROOT_IS_SCALAR(events))
			invalid("events must be an array", NULL);
		n = (int) JB_ROOT_COUNT(events);
		if (n == 0 || n > MAX_BULK)
			invalid("there are no events, or too many", psprintf("A call records 1 to %d.", MAX_BULK));
		parsed = palloc(sizeof(AppEvent) * (Size) n);
		for (int i = 0; i < n; i++)
		{
			JsonbValue *value = getIthJsonbValueFromContainer(&events->root, (uint32) i);

			CHECK_FOR_INTERRUPTS();
			if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
				invalid("each event must be an object", NULL);
			read_bulk_event(value->val.binary.data, &parsed[i]);
			check_event(&parsed[i]);
		}
		PreventCommandIfReadOnly("record_events()");
		InitMaterializedSRF(fcinfo, 0);
		STEWARD_AS_OWNER();
		{
			MemoryContext bulk = AllocSetContextCreate(CurrentMemoryContext, "steward bulk", ALLOCSET_SMALL_SIZES);

			steward_hold_writer(bulk);
			count_quota(org, n);
			for (int i = 0; i < n; i++)
			{
				StewardEventId id;
				Datum values[2];
				bool nulls[2] = {false, false};

				CHECK_FOR_INTERRUPTS();
				id = record(org, &parsed[i]);
				values[0] = Int32GetDatum(i + 1);
				values[1] = steward_event_id_datum(&id);
				tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
			}
			MemoryContextDelete(bulk);
		}
		STEWARD_AS_OWNER_END();
	}
	STEWARD_HIDE_STATEMENT_END();
	return (Datum) 0;
}

/* The shape of metadata must be an object of known types. */
static void
check_shape(Jsonb *shape)
{
	JsonbIterator *it;
	JsonbValue value;
	JsonbIteratorToken token;

	if (!JB_ROOT_IS_OBJECT(shape))
		invalid("metadata must be an object of types", NULL);
	it = JsonbIteratorInit(&shape->root);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		char *type;

		if (token != WJB_VALUE)
			continue;
		type = value.type == jbvString ? pnstrdup(value.val.string.val, value.val.string.len) : pstrdup("");
		if (strlen(type) > 0 && type[strlen(type) - 1] == '!')
			type[strlen(type) - 1] = '\0';
		if (strcmp(type, "string") != 0 && strcmp(type, "number") != 0 && strcmp(type, "boolean") != 0)
			invalid("a member of metadata must be a string, a number or a boolean",
					"A type that ends with ! is required.");
	}
}

/*
 * register_action(action text, targets text[] DEFAULT '{}', metadata jsonb DEFAULT '{}', version integer DEFAULT 1, org
 *		uuid DEFAULT default_org()) → registered boolean
 *		Registers the shape of an action's events: the types of targets, and the members of metadata with their types
 *		("string", "number", "boolean", with "!" when required).  Admins.
 *
 * False when it is registered already, with the same shape; raises ST211 when with another: that is a new version.
 */
Datum
steward_register_action(PG_FUNCTION_ARGS)
{
	static StewardPlan insert_action =
		STEWARD_PLAN("utTjl", "INSERT INTO steward.audit_action (org_id, action, targets, metadata, version) "
							  "VALUES ($1, $2, $3, $4, $5::integer) ON CONFLICT DO NOTHING");
	static StewardPlan same =
		STEWARD_PLAN("utTjl", "SELECT FROM steward.audit_action WHERE org_id = $1 AND action = $2 "
							  "AND targets = $3 AND metadata = $4 AND version = $5::integer");
	char *action = steward_text_arg(fcinfo, 0, "action", true);
	const pg_uuid_t *org = steward_org_arg(fcinfo, 4);
	volatile bool registered = false;

	check_action(action);
	for (int i = 1; i <= 3; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("targets, metadata and version must not be null")));
	if (array_contains_nulls(PG_GETARG_ARRAYTYPE_P(1)))
		invalid("a type of targets must not be null", NULL);
	check_shape(PG_GETARG_JSONB_P(2));
	if (PG_GETARG_INT32(3) < 1)
		invalid("version must be positive", NULL);
	steward_require(org, STEWARD_PROFILE_ADMIN);
	PreventCommandIfReadOnly("register_action()");
	STEWARD_AS_OWNER();
	{
		Datum values[] = {UUIDPGetDatum(org), CStringGetTextDatum(action), PG_GETARG_DATUM(1), PG_GETARG_DATUM(2),
						  Int64GetDatum(PG_GETARG_INT32(3))};

		registered = steward_run(&insert_action, STEWARD_TRANSACTION, values, NULL) > 0;
		if (!registered && steward_run(&same, STEWARD_LATEST, values, NULL) == 0)
			ereport(ERROR, (errcode(ERRCODE_STEWARD_CONFLICTING_FACTS),
							errmsg("action \"%s\" has this version with another shape", action),
							errhint("Register the new shape as a new version.")));
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_BOOL(registered);
}
