/*
 * plan.h
 *		Statements that C code runs through SPI: prepared once per backend, always with parameters.
 */
#ifndef STEWARD_PLAN_H
#define STEWARD_PLAN_H

#include "executor/spi.h"

/*
 * A statement and its saved plan.  Declared static where it is used:
 *
 *		static StewardPlan find_system = STEWARD_PLAN("ut", "SELECT id FROM steward.system WHERE org_id = $1 AND name = $2");
 *
 * The first string has a letter for each parameter: u uuid, t text, n name, z timestamptz, i interval, l bigint,
 * b boolean, j jsonb, y bytea, s scope_set, d digest; a capital letter is the array of it.
 */
typedef struct StewardPlan
{
	const char *args;
	const char *sql;
	SPIPlanPtr few;	 /* for sets of ordinary size */
	SPIPlanPtr many; /* for large ones */
	Oid schema;		 /* namespace the plans were made for: tells a re-created extension */
} StewardPlan;

#define STEWARD_PLAN(args, sql) \
	{ \
		(args), (sql), NULL, NULL, InvalidOid \
	}

/*
 * What a statement sees.  STEWARD_TRANSACTION follows the isolation level; STEWARD_LATEST sees everything committed at
 * this moment in every isolation level, as foreign-key triggers do, and is what lifecycle effects read with.
 */
typedef enum StewardSight
{
	STEWARD_TRANSACTION,
	STEWARD_LATEST
} StewardSight;

/* The most parameters a statement has. */
#define STEWARD_MAX_ARGS 40

extern uint64 steward_run(StewardPlan *plan, StewardSight sight, const Datum *values, const bool *nulls);
extern uint64 steward_run_at(StewardPlan *plan, Snapshot snapshot, const Datum *values, const bool *nulls);
extern uint64 steward_run_list(StewardPlan *plan, StewardSight sight, const Datum *values, const bool *nulls,
							   int64 rows);
extern uint64 steward_run_rows(StewardPlan *plan, StewardSight sight, int64 rows);
extern Oid steward_own_type(const char *name);
extern Datum steward_result(int row, int column, bool *isnull);
extern char *steward_result_text(int row, int column);
extern Datum steward_uuid_column(int column);
extern Datum steward_empty_uuids(void);
extern bool steward_same_array(Datum a, Datum b);

#endif /* STEWARD_PLAN_H */
