/*
 * capture.c
 *		The audit trigger: every change of a governed row becomes an event in the same transaction.
 *
 * An event that cannot be written stops the change.  Events are numbered inside their transaction; together with the
 * transaction's 64-bit id and the log's incarnation that is their identity and their order.  Nothing but this file
 * writes the log: its own trigger refuses every other insert, and every update, delete and truncate.
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/rel.h"

#include "audit/delta.h"
#include "core/authority.h"
#include "core/module.h"
#include "core/plan.h"
#include "core/relation.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_tg_audit);
PG_FUNCTION_INFO_V1(steward_tg_protect_audit);
PG_FUNCTION_INFO_V1(steward_tg_no_truncate);

/* Set while the one legitimate insert runs. */
static bool capturing = false;

/* Number of the next event of this transaction. */
static int32
next_number(void)
{
	static FullTransactionId of_xact;
	static int32 next;
	FullTransactionId now = GetTopFullTransactionId();

	if (!FullTransactionIdEquals(now, of_xact))
	{
		of_xact = now;
		next = 0;
	}
	return next++;
}

/* What the application said about its request; null when it said nothing. */
static Datum
context_of_call(bool *isnull)
{
	StringInfoData buf;

	*isnull = steward_request_id == NULL || steward_request_id[0] == '\0';
	if (*isnull)
		return (Datum) 0;
	initStringInfo(&buf);
	appendStringInfoString(&buf, "{\"request_id\":");
	escape_json(&buf, steward_request_id);
	appendStringInfoChar(&buf, '}');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(buf.data));
}

/* Writes one event; inside the bracket. */
static void
write_event(Datum org, const char *action, Relation rel, Datum key, Datum old_json, Datum new_json)
{
	static StewardPlan insert_event = STEWARD_PLAN(
		"ultttjjjnntj",
		"INSERT INTO steward.audit_event (org_id, incarnation, xact, n, recorded_at, occurred_at, action, table_name, "
		"row_key, old_values, new_values, session_role, acting_role, application_name, client_address, context) "
		"SELECT $1, (SELECT max(incarnation) FROM steward.audit_incarnation), pg_current_xact_id(), $2::integer, now(), "
		"clock_timestamp(), $3, $4 || '.' || $5, $6, $7, $8, $9, $10, $11, inet_client_addr(), $12");
	NameData session_role;
	NameData acting_role;
	bool context_null;
	Datum context = context_of_call(&context_null);

	namestrcpy(&session_role, GetUserNameFromId(GetSessionUserId(), false));
	namestrcpy(&acting_role, steward_caller_name());

	capturing = true;
	PG_TRY();
	{
		Datum values[] = {
			org,
			Int64GetDatum(next_number()),
			CStringGetTextDatum(action),
			CStringGetTextDatum(STEWARD_SCHEMA),
			CStringGetTextDatum(RelationGetRelationName(rel)),
			key,
			old_json,
			new_json,
			NameGetDatum(&session_role),
			NameGetDatum(&acting_role),
			CStringGetTextDatum(application_name ? application_name : ""),
			context,
		};
		bool nulls[] = {false,		   false,		  false, false, false, false,
						old_json == 0, new_json == 0, false, false, false, context_null};

		steward_run(&insert_event, STEWARD_TRANSACTION, values, nulls);
	}
	PG_FINALLY();
	{
		capturing = false;
	}
	PG_END_TRY();
}

/*
 * tg_audit() → trigger
 *		AFTER INSERT OR UPDATE OR DELETE, each row: writes the event, or none when an UPDATE changed nothing.
 *
 * The organization is the row's org_id; for the table of organizations, its id.
 */
Datum
steward_tg_audit(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	Relation rel;
	HeapTuple old_row = NULL;
	HeapTuple new_row = NULL;
	HeapTuple row;
	const char *action;
	int org_column;
	bool isnull;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("tg_audit() must be fired after a row has changed")));
	rel = trigger->tg_relation;
	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
	{
		action = "insert";
		new_row = trigger->tg_trigtuple;
	}
	else if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
	{
		action = "update";
		old_row = trigger->tg_trigtuple;
		new_row = trigger->tg_newtuple;
	}
	else
	{
		action = "delete";
		old_row = trigger->tg_trigtuple;
	}
	row = new_row ? new_row : old_row;

	org_column = SPI_fnumber(RelationGetDescr(rel), "org_id");
	if (org_column <= 0)
		org_column = SPI_fnumber(RelationGetDescr(rel), "id");
	if (org_column <= 0)
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("table \"%s\" names no organization", RelationGetRelationName(rel))));

	STEWARD_AS_OWNER();
	{
		Datum old_json;
		Datum new_json;

		if (steward_row_delta(rel, old_row, new_row, &old_json, &new_json))
			write_event(heap_getattr(row, org_column, RelationGetDescr(rel), &isnull), action, rel,
						steward_row_key(rel, row), old_json, new_json);
	}
	STEWARD_AS_OWNER_END();
	return PointerGetDatum(NULL);
}

/*
 * tg_protect_audit() → trigger
 *		BEFORE INSERT OR UPDATE OR DELETE, each row of the log: refuses all but the capture's own insert.
 */
Datum
steward_tg_protect_audit(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("tg_protect_audit() must be called as a trigger")));
	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event) && capturing)
		return PointerGetDatum(trigger->tg_trigtuple);
	ereport(ERROR, (errcode(ERRCODE_STEWARD_AUDIT_PROTECTED), errmsg("the audit log cannot be changed"),
					errdetail("Events are written by the changes they record, and stay.")));
	return PointerGetDatum(NULL);
}

/*
 * tg_no_truncate() → trigger
 *		BEFORE TRUNCATE: refuses it, for it would pass by every rule and the audit.
 */
Datum
steward_tg_no_truncate(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("tg_no_truncate() must be called as a trigger")));
	ereport(ERROR, (errcode(ERRCODE_STEWARD_TRUNCATE_REFUSED),
					errmsg("table \"%s\" cannot be truncated", RelationGetRelationName(trigger->tg_relation)),
					errhint("Use DELETE, which has effects and is audited.")));
	return PointerGetDatum(NULL);
}
