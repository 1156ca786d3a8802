/*
 * maintain.c
 *		maintain(): what time asks for beyond the checks.
 *
 * Called by pg_cron or any other scheduler.  Every deadline that takes access away stands on the row that a check reads,
 * so that its absence makes things slower or louder, never open.
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "audit/capture_config.h"
#include "audit/event.h"
#include "audit/log.h"
#include "core/authority.h"
#include "core/guard.h"
#include "core/maintain.h"
#include "core/plan.h"
#include "core/relation.h"
#include "governance/governance.h"
#include "directory/lifecycle.h"
#include "revocation/pg_role.h"
#include "revocation/revoke.h"
#include "revocation/visible.h"
#include "credential/suspend.h"
#include "credential/use.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_maintain);

/* How many months of audit partitions there have to be ahead. */
#define PARTITIONS_AHEAD 24

static char *
make_partitions(void)
{
	int made;

	/* DDL on the log needs it unused. */
	steward_release_writer();
	made = steward_audit_partitions(PARTITIONS_AHEAD);

	/* A new partition gets its triggers and policies. */
	if (made > 0)
		(void) steward_guard_tables(true, NULL, NULL);
	return psprintf("%d made", made);
}

/* What has been added to the log since the last time is summarized in the index on the changes of rows. */
static char *
summarize_log(void)
{
	static StewardPlan summarize = STEWARD_PLAN(
		"", "SELECT coalesce(sum(brin_summarize_new_values(p.relid)), 0)::bigint FROM "
			"pg_partition_tree('steward.audit_event_target_idx') p JOIN pg_index x ON x.indexrelid = p.relid "
			"WHERE p.isleaf AND pg_relation_size(x.indrelid) > 0");
	bool isnull;

	steward_run(&summarize, STEWARD_TRANSACTION, NULL, NULL);
	return psprintf(INT64_FORMAT " ranges summarized", DatumGetInt64(steward_result(0, 1, &isnull)));
}

/* The steps, in the order in which they are taken. */
static const StewardMaintenance steps[] = {
	{"heartbeat", steward_maintain_heartbeat},
	{"deferred bookkeeping of revocations", steward_maintain_settle},
	{"PostgreSQL roles", steward_maintain_pg_roles},
	{"partitions of the audit log", make_partitions},
	{"index of the audit log", summarize_log},
	{"triggers of audited tables", steward_complete_captures},
	{"sealing of the audit log", steward_seal_all},
	{"suspensions by signals", steward_end_containments},
	{"evidence of controls", steward_evaluate_due_controls},
	{"history of findings", steward_count_findings},
	{"ends of engagements and grace periods", steward_lifecycle_due},
	{"retention of the audit log", steward_expire_all},
	{"use of credentials", steward_merge_use},
	{"suspensions that end", steward_lift_ended},
};

/*
 * maintain() → rows (step text, result text)
 *		Does what is due, in all organizations.  Needs admin in one of them: it tells nothing about any, and takes nothing
 *		from anybody that time has not taken already.
 */
Datum
steward_maintain(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	steward_require_setup();
	steward_require_somewhere(STEWARD_PROFILE_ADMIN);
	PreventCommandIfReadOnly("maintain()");
	InitMaterializedSRF(fcinfo, 0);
	STEWARD_AS_OWNER();
	{
		for (int i = 0; i < (int) lengthof(steps); i++)
		{
			Datum values[2] = {CStringGetTextDatum(steps[i].step)};
			bool nulls[2] = {false, false};

			CHECK_FOR_INTERRUPTS();
			values[1] = CStringGetTextDatum(steps[i].run());
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		}
	}
	STEWARD_AS_OWNER_END();
	return (Datum) 0;
}
