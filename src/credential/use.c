/*
 * use.c
 *		The use of credentials: about one row for each credential, scopes asked for, consumer and window.
 *
 * A check must not become slower or wait because somebody wants to know about it.  Each backend remembers what it has
 * recorded in the current window and then only counts; the count is written with the next row.  The table has no
 * foreign key, its rows are only added, under keys that nobody else makes, and a lock that is not free at once means
 * that this use goes unrecorded.  So recorded use is a lower bound: what a rollback, a crash or the end of a session
 * takes along is lost.
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "commands/trigger.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "core/authority.h"
#include "core/plan.h"
#include "core/reference.h"
#include "core/relation.h"
#include "credential/use.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_report_use);
PG_FUNCTION_INFO_V1(steward_tg_use_protect);

int steward_usage_resolution = 3600;

/* When this many are remembered, all are forgotten: the next uses write a row each. */
#define MAX_REMEMBERED 10000

/* What is told apart; compared as bytes. */
typedef struct UseKey
{
	pg_uuid_t org;
	pg_uuid_t credential;
	uint64 rest; /* hash of scopes and application name: a collision loses a row, which a lower bound may */
} UseKey;

typedef struct Remembered
{
	UseKey key;
	TimestampTz window;		  /* start of the window that was recorded */
	int64 uncounted;		  /* uses in it since the row was written */
	SubTransactionId written; /* subtransaction that wrote the row; invalid once that is committed */
} Remembered;

static HTAB *remembered = NULL;

/* Whether an entry depends on the transaction that is going on. */
static bool any_uncommitted = false;

/* Set while maintain() merges rows: the only change that the table takes beside new rows. */
static bool merging = false;

/* Goes through the entries written in this transaction: forgets them, or hands them to another subtransaction. */
static void
settle(SubTransactionId of, SubTransactionId to, bool forget)
{
	HASH_SEQ_STATUS seq;
	Remembered *entry;

	if (remembered == NULL || !any_uncommitted)
		return;
	hash_seq_init(&seq, remembered);
	while ((entry = hash_seq_search(&seq)) != NULL)
	{
		if (entry->written == InvalidSubTransactionId || (of != InvalidSubTransactionId && entry->written != of))
			continue;
		if (forget)
			hash_search(remembered, &entry->key, HASH_REMOVE, NULL);
		else
			entry->written = to;
	}
}

/* At the end of a transaction; a prepared one may still be rolled back, and then nothing was recorded. */
static void
at_transaction_end(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_PARALLEL_COMMIT)
		settle(InvalidSubTransactionId, InvalidSubTransactionId, false);
	else if (event == XACT_EVENT_ABORT || event == XACT_EVENT_PARALLEL_ABORT || event == XACT_EVENT_PREPARE)
		settle(InvalidSubTransactionId, InvalidSubTransactionId, true);
	else
		return;
	any_uncommitted = false;
}

static void
at_subtransaction_end(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_COMMIT_SUB)
		settle(mine, parent, false);
	else if (event == SUBXACT_EVENT_ABORT_SUB)
		settle(mine, InvalidSubTransactionId, true);
}

void
steward_use_init(void)
{
	DefineCustomIntVariable("steward.usage_resolution", "How long one row of recorded use stands for.",
							"One row is written per credential, scopes, consumer and this long.",
							&steward_usage_resolution, 3600, 1, 86400, PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);
	RegisterXactCallback(at_transaction_end, NULL);
	RegisterSubXactCallback(at_subtransaction_end, NULL);
}

/* The entry of a key, new or old; makes room first. */
static Remembered *
entry_of(const UseKey *key, bool *found)
{
	if (remembered != NULL && hash_get_num_entries(remembered) >= MAX_REMEMBERED)
	{
		hash_destroy(remembered);
		remembered = NULL;
	}
	if (remembered == NULL)
	{
		HASHCTL ctl = {.keysize = sizeof(UseKey), .entrysize = sizeof(Remembered), .hcxt = TopMemoryContext};

		remembered = hash_create("steward use", 256, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	return hash_search(remembered, key, HASH_ENTER, found);
}

/* Writes the row of this window, and what an older one still has to be credited with. */
static void
write_use(const UseKey *key, const ScopeSet *required, TimestampTz window, TimestampTz older, int64 uncounted)
{
	static StewardPlan insert = STEWARD_PLAN(
		"uuszzlt",
		"INSERT INTO steward.credential_use (org_id, credential_id, scopes, window_start, uses, consumer, client_address) "
		"SELECT $1, $2, $3, w.window_start, w.uses, nullif($7, ''), inet_client_addr() "
		"FROM (VALUES ($4, 1::bigint), ($5, $6)) AS w(window_start, uses) WHERE w.uses > 0");

	STEWARD_AS_OWNER();
	{
		Datum values[] = {UUIDPGetDatum(&key->org),
						  UUIDPGetDatum(&key->credential),
						  PointerGetDatum(required),
						  TimestampTzGetDatum(window),
						  TimestampTzGetDatum(older),
						  Int64GetDatum(uncounted),
						  CStringGetTextDatum(application_name ? application_name : "")};

		steward_run(&insert, STEWARD_TRANSACTION, values, NULL);
	}
	STEWARD_AS_OWNER_END();
}

/*
 * steward_note_use
 *		Records that a check of the credential said yes to what was required.
 */
void
steward_note_use(const pg_uuid_t *org, const pg_uuid_t *credential, const ScopeSet *required)
{
	int64 resolution = (int64) steward_usage_resolution * USECS_PER_SEC;
	TimestampTz now = GetCurrentTimestamp();
	UseKey key = {.org = *org, .credential = *credential};
	Remembered *entry;
	TimestampTz window;
	TimestampTz older;
	int64 uncounted;
	bool found;
	Oid table;

	if (XactReadOnly || RecoveryInProgress() || IsInParallelMode())
		return;
	window = now - (((now % resolution) + resolution) % resolution);
	key.rest = hash_bytes_extended((const unsigned char *) VARDATA_ANY(required), VARSIZE_ANY_EXHDR(required), 0);
	if (application_name)
		key.rest = hash_combine64(
			key.rest, hash_bytes_extended((const unsigned char *) application_name, strlen(application_name), 0));
	entry = entry_of(&key, &found);
	if (found && entry->window == window)
	{
		entry->uncounted++;
		return;
	}
	older = found ? entry->window : window;
	uncounted = found ? entry->uncounted : 0;

	/* Somebody alters the table: never wait for that. */
	table = steward_table(STEWARD_CREDENTIAL_USE);
	if (!ConditionalLockRelationOid(table, RowExclusiveLock))
	{
		if (!found)
			hash_search(remembered, &key, HASH_REMOVE, NULL);
		return;
	}
	/* Before writing, so that a failure forgets it. */
	entry->window = window;
	entry->uncounted = 0;
	entry->written = GetCurrentSubTransactionId();
	any_uncommitted = true;
	write_use(&key, required, window, older, uncounted);
}

/*
 * steward_merge_use
 *		Merges the rows of past windows, one for each credential, scopes, consumer and window, and brings
 *		credential_activity up to date; a step of maintain().
 *
 * Rows that another session merges at the moment are passed over.
 */
char *
steward_merge_use(void)
{
	/* The current window is still written to, and so is the one before by sessions that come late. */
	static StewardPlan merge = STEWARD_PLAN(
		"i",
		"WITH gone AS (DELETE FROM steward.credential_use u USING (SELECT org_id, id FROM steward.credential_use "
		"WHERE NOT merged AND window_start < clock_timestamp() - 2 * $1 FOR UPDATE SKIP LOCKED) d "
		"WHERE u.org_id = d.org_id AND u.id = d.id RETURNING u.*), "
		"kept AS (INSERT INTO steward.credential_use (org_id, credential_id, scopes, window_start, uses, consumer, "
		"client_address, source, merged) "
		"SELECT org_id, credential_id, scopes::text::steward.scope_set, window_start, sum(uses)::bigint, consumer, "
		"client_address, source, true FROM gone "
		"GROUP BY org_id, credential_id, scopes::text, window_start, consumer, client_address, source RETURNING 1) "
		"SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM kept)");
	static StewardPlan activity = STEWARD_PLAN(
		"",
		"INSERT INTO steward.credential_activity AS a (org_id, credential_id, kind, idle_since) "
		"SELECT c.org_id, c.id, c.kind, coalesce(u.last, c.created_at)::date FROM steward.credential c "
		"LEFT JOIN (SELECT org_id, credential_id, max(window_start) AS last FROM steward.credential_use "
		"WHERE window_start > clock_timestamp() - '2 years'::interval GROUP BY 1, 2) u "
		"ON u.org_id = c.org_id AND u.credential_id = c.id "
		"WHERE c.state <> 'revoked' ON CONFLICT (org_id, credential_id) DO UPDATE SET idle_since = excluded.idle_since "
		"WHERE a.idle_since < excluded.idle_since");
	static StewardPlan forget = STEWARD_PLAN(
		"", "DELETE FROM steward.credential_activity a USING steward.credential c WHERE c.org_id = a.org_id "
			"AND c.id = a.credential_id AND c.state = 'revoked'");
	Interval resolution = {.time = (int64) steward_usage_resolution * USECS_PER_SEC};
	Datum value = IntervalPGetDatum(&resolution);
	int64 gone;
	int64 kept;
	bool isnull;

	merging = true;
	PG_TRY();
	{
		steward_run(&merge, STEWARD_TRANSACTION, &value, NULL);
		gone = DatumGetInt64(steward_result(0, 1, &isnull));
		kept = DatumGetInt64(steward_result(0, 2, &isnull));
	}
	PG_FINALLY();
	{
		merging = false;
	}
	PG_END_TRY();
	steward_run(&activity, STEWARD_TRANSACTION, NULL, NULL);
	steward_run(&forget, STEWARD_TRANSACTION, NULL, NULL);
	return psprintf(INT64_FORMAT " rows into " INT64_FORMAT, gone, kept);
}

/*
 * tg_use_protect() → trigger
 *		BEFORE UPDATE OR DELETE, each row of credential_use: refuses all but merging.
 */
Datum
steward_tg_use_protect(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("tg_use_protect() must be called as a row trigger")));
	if (!merging || !TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_STEWARD_USE_PROTECTED), errmsg("recorded use cannot be changed"),
				 errdetail("Rows are added by checks and by steward.report_use(), and merged by steward.maintain().")));
	return PointerGetDatum(trigger->tg_trigtuple);
}

/*
 * report_use(uses jsonb, org uuid DEFAULT default_org()) → recorded bigint
 *		Brings use from elsewhere: an array of {"credential": uuid or reference, "scopes": "a b", "consumer": text,
 *		"address": text, "at": time, "uses": number}; only credential and at are required.
 *
 * Needs app or connector.  All of it or nothing: raises ST223 with the position of the first element that is wrong.
 */
Datum
steward_report_use(PG_FUNCTION_ARGS)
{
	static StewardPlan find_bad = STEWARD_PLAN(
		"uj",
		"WITH e AS (SELECT t.e, t.n FROM jsonb_array_elements($2) WITH ORDINALITY AS t(e, n)) "
		"SELECT n, problem FROM (SELECT n, CASE WHEN jsonb_typeof(e) <> 'object' THEN 'it is not an object' "
		"WHEN NOT EXISTS (SELECT FROM steward.credential c WHERE c.org_id = $1 AND (c.id::text = e->>'credential' "
		"OR c.display = e->>'credential')) THEN 'credential is not known' "
		"WHEN steward.parse_timestamp(e->>'at') IS NULL THEN 'at is not a date and time' "
		"WHEN steward.parse_timestamp(e->>'at') > clock_timestamp() + '5 minutes'::interval THEN 'at lies in the future' "
		"WHEN coalesce(e->>'uses', '1') !~ '^[1-9][0-9]{0,17}$' THEN 'uses is not a positive whole number' "
		"WHEN length(e->>'consumer') > 200 THEN 'consumer is too long' "
		"WHEN e->>'address' !~ '^([0-9]{1,3}(\\.[0-9]{1,3}){3}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)$' THEN 'address is not an IP address' "
		"END AS problem FROM e) x WHERE problem IS NOT NULL ORDER BY n LIMIT 1");
	static StewardPlan insert = STEWARD_PLAN(
		"uji",
		"INSERT INTO steward.credential_use (org_id, credential_id, scopes, window_start, uses, consumer, client_address, source) "
		"SELECT $1, c.id, coalesce(e->>'scopes', '')::steward.scope_set, date_bin($3, steward.parse_timestamp(e->>'at'), "
		"'2000-01-01 00:00:00+00'::timestamptz), coalesce(e->>'uses', '1')::bigint, e->>'consumer', (e->>'address')::inet, 'reported' "
		"FROM jsonb_array_elements($2) AS e JOIN steward.credential c ON c.org_id = $1 "
		"AND (c.id::text = e->>'credential' OR c.display = e->>'credential')");
	const pg_uuid_t *org;
	volatile int64 recorded = 0;

	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("uses must not be null")));
	org = steward_org_arg(fcinfo, 1);
	steward_require(org, STEWARD_PROFILE_APP | STEWARD_PROFILE_CONNECTOR);
	PreventCommandIfReadOnly("report_use()");
	if (!JB_ROOT_IS_ARRAY(PG_GETARG_JSONB_P(0)) || JB_ROOT_IS_SCALAR(PG_GETARG_JSONB_P(0)))
		ereport(ERROR, (errcode(ERRCODE_STEWARD_USE_MALFORMED), errmsg("uses is not an array")));
	STEWARD_AS_OWNER();
	{
		Interval resolution = {.time = (int64) steward_usage_resolution * USECS_PER_SEC};
		Datum values[] = {UUIDPGetDatum(org), PG_GETARG_DATUM(0), IntervalPGetDatum(&resolution)};

		if (steward_run(&find_bad, STEWARD_TRANSACTION, values, NULL) > 0)
			ereport(ERROR, (errcode(ERRCODE_STEWARD_USE_MALFORMED),
							errmsg("use %s cannot be recorded", steward_result_text(0, 1)),
							errdetail("In it, %s.", steward_result_text(0, 2)),
							errhint("Nothing was recorded; positions count from 1.")));
		recorded = (int64) steward_run(&insert, STEWARD_TRANSACTION, values, NULL);
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_INT64(recorded);
}
