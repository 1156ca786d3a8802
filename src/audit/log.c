/*
 * log.c
 *		An organization's log: its state, its lock, its name, and its root at any size it has had.
 *
 * Functions that read run statements inside the owner's bracket, and see what is committed at this moment.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "audit/log.h"
#include "audit/tiles.h"
#include "core/plan.h"
#include "steward.h"

/* Fourth field of the lock's tag: advisory locks of users have 1 or 2 there. */
#define LOG_LOCK_CLASS 7

/* What a log is called where neither steward.log_origin nor the cluster's name says more. */
#define DEFAULT_ORIGIN "steward"

/* steward.log_origin */
static char *log_origin = NULL;

#define LOG_COLUMNS \
	"incarnation, origin, size, root, sealed_through::text, sealed_by::text, start_leaf, previous_incarnation, " \
	"previous_size, previous_root, carried_from::text, expired, expired_event"

/* The name goes into checkpoints, whose format allows no space and no plus in it. */
static bool
check_log_origin(char **newval, void **extra, GucSource source)
{
	size_t len = strlen(*newval);

	/* The organization and the incarnation follow it. */
	if (len > 0 && (len > STEWARD_ORIGIN_MAX - 60 || !steward_note_name_valid(*newval, len)))
	{
		GUC_check_errdetail("It is printable ASCII without spaces and plus signs, at most %d characters.",
							STEWARD_ORIGIN_MAX - 60);
		return false;
	}
	return true;
}

void
steward_log_init(void)
{
	DefineCustomStringVariable("steward.log_origin", "How the names of audit logs begin in their checkpoints.",
							   "Empty: the cluster's name. A log keeps the name that it began with.", &log_origin, "",
							   PGC_SIGHUP, 0, check_log_origin, NULL, NULL);
}

/*
 * steward_new_origin
 *		The name of a log that begins now.
 */
char *
steward_new_origin(const pg_uuid_t *org, int32 incarnation)
{
	const char *prefix = log_origin;
	const char *cluster = GetConfigOption("cluster_name", false, false);

	if (prefix == NULL || prefix[0] == '\0')
		prefix =
			cluster && strlen(cluster) <= STEWARD_ORIGIN_MAX - 60 && steward_note_name_valid(cluster, strlen(cluster))
				? cluster
				: DEFAULT_ORIGIN;
	return psprintf("%s/%s/%d", prefix, DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(org))),
					incarnation);
}

/* A hash from a column of the last statement's result. */
static void
result_hash(int column, StewardHash *hash, bool *isnull)
{
	bytea *value;
	Datum datum = steward_result(0, column, isnull);

	memset(hash, 0, sizeof(*hash));
	if (*isnull)
		return;
	value = DatumGetByteaPP(datum);
	if (VARSIZE_ANY_EXHDR(value) == STEWARD_HASH_LEN)
		memcpy(hash->bytes, VARDATA_ANY(value), STEWARD_HASH_LEN);
}

/* A 64-bit number without sign from a column that was cast to text. */
static uint64
result_uint64(int column)
{
	char *text = steward_result_text(0, column);

	return text ? strtou64(text, NULL, 10) : 0;
}

/* Fills a log from the last statement's result. */
static void
fill_log(const pg_uuid_t *org, StewardLog *log)
{
	bool isnull;

	memset(log, 0, sizeof(*log));
	log->org = *org;
	log->incarnation = DatumGetInt32(steward_result(0, 1, &isnull));
	log->origin = steward_result_text(0, 2);
	log->size = (uint64) DatumGetInt64(steward_result(0, 3, &isnull));
	result_hash(4, &log->root, &isnull);
	log->sealed_through = result_uint64(5);
	log->sealed_by = result_uint64(6);
	log->start_leaf = PointerGetDatum(PG_DETOAST_DATUM_COPY(steward_result(0, 7, &isnull)));
	log->previous_incarnation = DatumGetInt32(steward_result(0, 8, &isnull));
	log->has_previous = !isnull;
	log->previous_size = isnull ? 0 : (uint64) DatumGetInt64(steward_result(0, 9, &isnull));
	result_hash(10, &log->previous_root, &isnull);
	(void) steward_result(0, 11, &isnull);
	log->carries = !isnull;
	log->carried_from = result_uint64(11);
	log->expired = (uint64) DatumGetInt64(steward_result(0, 12, &isnull));
	log->expired_event = steward_result_text(0, 13);
}

/*
 * steward_load_log
 *		The log of an organization in an incarnation; false when there is none yet.
 */
bool
steward_load_log(const pg_uuid_t *org, int32 incarnation, StewardLog *log)
{
	static StewardPlan find = STEWARD_PLAN("ul", "SELECT " LOG_COLUMNS " FROM steward.audit_log WHERE org_id = $1 "
												 "AND incarnation = $2::integer");
	Datum values[] = {UUIDPGetDatum(org), Int64GetDatum(incarnation)};

	if (steward_run(&find, STEWARD_LATEST, values, NULL) == 0)
		return false;
	fill_log(org, log);
	return true;
}

/*
 * steward_load_latest_log
 *		The organization's log of the highest incarnation; false when nothing was ever sealed.
 */
bool
steward_load_latest_log(const pg_uuid_t *org, StewardLog *log)
{
	static StewardPlan find = STEWARD_PLAN("u", "SELECT " LOG_COLUMNS " FROM steward.audit_log WHERE org_id = $1 "
												"ORDER BY incarnation DESC LIMIT 1");
	Datum value = UUIDPGetDatum(org);

	if (steward_run(&find, STEWARD_LATEST, &value, NULL) == 0)
		return false;
	fill_log(org, log);
	return true;
}

/*
 * steward_require_log
 *		The same; raises when nothing was ever sealed.
 */
void
steward_require_log(const pg_uuid_t *org, StewardLog *log)
{
	if (!steward_load_latest_log(org, log))
		ereport(ERROR, (errcode(ERRCODE_STEWARD_LOG_EMPTY), errmsg("nothing has been sealed in this organization yet"),
						errhint("Run SELECT * FROM steward.seal_audit(), and maintain() regularly.")));
}

/* Takes the lock of an organization's log until the transaction ends. */
static bool
lock_log(const pg_uuid_t *org, bool wait)
{
	LOCKTAG tag;
	uint32 half[2];

	/* Two organizations whose ids agree in these bytes would only wait for each other. */
	memcpy(half, org->data + UUID_LEN - sizeof(half), sizeof(half));
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, half[0], half[1], LOG_LOCK_CLASS);
	return LockAcquire(&tag, ExclusiveLock, false, !wait) != LOCKACQUIRE_NOT_AVAIL;
}

/*
 * steward_lock_log, steward_try_lock_log
 *		One at a time seals and signs an organization's log; writers of events never take this lock.
 */
void
steward_lock_log(const pg_uuid_t *org)
{
	(void) lock_log(org, true);
}

bool
steward_try_lock_log(const pg_uuid_t *org)
{
	return lock_log(org, false);
}

/*
 * steward_stored_root
 *		The log's root at a size that it has or had, computed from its tiles; raises when they do not give one.
 */
void
steward_stored_root(const StewardLog *log, uint64 size, StewardHash *root)
{
	StewardTileReader *reader = steward_tile_reader(&log->org, log->incarnation, log->size);

	if (!steward_tree_root(size, steward_tile_subtree, reader, root))
		ereport(ERROR, (errcode(ERRCODE_STEWARD_LOG_INCONSISTENT), errmsg("the audit log's tree is damaged"),
						errdetail("Its tiles do not give a root at size " UINT64_FORMAT ".", size),
						errhint("Run SELECT * FROM steward.verify_audit(full => true).")));
	pfree(reader);
}
