/*
 * log.h
 *		An organization's log: its state, sealing it and signing what is sealed.
 */
#ifndef STEWARD_LOG_H
#define STEWARD_LOG_H

#include "audit/event.h"
#include "audit/merkle.h"
#include "audit/note.h"
#include "core/health.h"
#include "executor/tuptable.h"
#include "lib/stringinfo.h"
#include "utils/snapshot.h"
#include "utils/uuid.h"

/* A log: one row of audit_log. */
typedef struct StewardLog
{
	pg_uuid_t org;
	int32 incarnation;
	char *origin;
	uint64 size;
	StewardHash root;
	uint64 sealed_through;
	uint64 sealed_by;
	Datum start_leaf; /* bytea */
	bool has_previous;
	int32 previous_incarnation;
	uint64 previous_size;
	StewardHash previous_root;
	uint64 carried_from; /* 0: nothing is carried from the previous log's end on */
	bool carries;		 /* whether events of earlier incarnations are in this log */
	uint64 expired;		 /* leaves below, but for leaf 0, have no content any more */
	char *expired_event;
} StewardLog;

/* log.c */
extern bool steward_load_log(const pg_uuid_t *org, int32 incarnation, StewardLog *log);
extern bool steward_load_latest_log(const pg_uuid_t *org, StewardLog *log);
extern void steward_require_log(const pg_uuid_t *org, StewardLog *log);
extern void steward_lock_log(const pg_uuid_t *org);
extern bool steward_try_lock_log(const pg_uuid_t *org);
extern void steward_stored_root(const StewardLog *log, uint64 size, StewardHash *root);
extern void steward_log_init(void);
extern char *steward_new_origin(const pg_uuid_t *org, int32 incarnation);

/* log_stream.c */
typedef struct StewardLogStream StewardLogStream;
extern StewardLogStream *steward_log_stream_begin(const StewardLog *log, uint64 tile, Snapshot snapshot);
extern bool steward_log_stream_next(StewardLogStream *stream, Datum *values, bool *nulls);
extern TupleTableSlot *steward_log_stream_slot(StewardLogStream *stream);
extern void steward_log_stream_end(StewardLogStream *stream);

/* retention.c */
extern char *steward_expire_all(void);

/* seal.c */
extern char *steward_seal_all(void);

/* checkpoint.c */
extern char *steward_sign_checkpoint(const StewardLog *log);
extern bool steward_checkpoint_valid(const char *note, size_t len, const char *key, size_t key_len);
extern int64 steward_reseal_log_keys(void);
extern void steward_check_log(ReturnSetInfo *rsinfo);

#endif /* STEWARD_LOG_H */
