/*
 * event.h
 *		Audit events: their columns, their identity, and writing them.
 */
#ifndef STEWARD_EVENT_H
#define STEWARD_EVENT_H

#include "access/attnum.h"
#include "access/tupdesc.h"
#include "access/transam.h"
#include "datatype/timestamp.h"
#include "utils/uuid.h"

/* The columns of audit_event, in the order of the table; names are in event.c. */
typedef enum StewardEventColumn
{
	STEWARD_EVENT_ORG,
	STEWARD_EVENT_XACT,
	STEWARD_EVENT_RECORDED_AT,
	STEWARD_EVENT_OCCURRED_AT,
	STEWARD_EVENT_TARGET,
	STEWARD_EVENT_INCARNATION,
	STEWARD_EVENT_N,
	STEWARD_EVENT_VERSION,
	STEWARD_EVENT_ACTION,
	STEWARD_EVENT_TABLE_NAME,
	STEWARD_EVENT_ROW_KEY,
	STEWARD_EVENT_OLD_VALUES,
	STEWARD_EVENT_NEW_VALUES,
	STEWARD_EVENT_ACTOR_PRINCIPAL,
	STEWARD_EVENT_ACTOR_CREDENTIAL,
	STEWARD_EVENT_ACTOR_CHAIN,
	STEWARD_EVENT_SESSION_ROLE,
	STEWARD_EVENT_ACTING_ROLE,
	STEWARD_EVENT_APPLICATION_NAME,
	STEWARD_EVENT_CLIENT_ADDRESS,
	STEWARD_EVENT_CLAIMED_ACTOR,
	STEWARD_EVENT_TARGETS,
	STEWARD_EVENT_CONTEXT,
	STEWARD_EVENT_METADATA,
	STEWARD_EVENT_COLUMNS
} StewardEventColumn;

/* What identifies an event inside its organization, and orders feed and log. */
typedef struct StewardEventId
{
	int32 incarnation;
	uint64 xact;
	int32 n;
} StewardEventId;

/* Room for its text, INCARNATION.XACT.N. */
#define STEWARD_EVENT_ID_SIZE 48

/* An event to be written; a datum that is 0 is null. */
typedef struct StewardEvent
{
	const pg_uuid_t *org;
	const char *action;
	int32 version;
	TimestampTz occurred_at; /* 0: now */
	Datum table_name;
	Datum row_key;
	Datum old_values;
	Datum new_values;
	Datum claimed_actor;
	Datum targets;
	Datum context;
	Datum metadata;
} StewardEvent;

extern void steward_event_init(void);
extern void steward_event_columns(TupleDesc desc, AttrNumber attnums[STEWARD_EVENT_COLUMNS]);
extern StewardEventId steward_write_event(const StewardEvent *event);
extern void steward_hold_writer(MemoryContext query);
extern void steward_release_writer(void);
extern Datum steward_request_context(Datum given);
extern int32 steward_incarnation(void);
extern int64 steward_target(const char *table_name, int len, Datum row_key);
extern void steward_event_id_print(const StewardEventId *id, char text[STEWARD_EVENT_ID_SIZE]);
extern bool steward_event_id_parse(const char *text, StewardEventId *id);
extern Datum steward_event_id_datum(const StewardEventId *id);

#endif /* STEWARD_EVENT_H */
