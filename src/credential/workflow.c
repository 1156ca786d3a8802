/*
 * workflow.c
 *		AI-enabled workflows: their owners, and the agents and credentials in them.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/uuid.h"

#include "core/authority.h"
#include "core/plan.h"
#include "core/reference.h"
#include "credential/object.h"
#include "credential/people.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_register_workflow);
PG_FUNCTION_INFO_V1(steward_add_to_workflow);

/*
 * register_workflow(name text, owner text, purpose text, org uuid DEFAULT default_org()) → workflow_id uuid
 *		Registers a workflow.  Needs admin.  Raises ST201, ST202 for the owner, ST210 for a name that is taken.
 */
Datum
steward_register_workflow(PG_FUNCTION_ARGS)
{
	static StewardPlan insert =
		STEWARD_PLAN("utut", "INSERT INTO steward.workflow (org_id, name, owner_id, purpose) VALUES ($1, $2, $3, $4) "
							 "ON CONFLICT (org_id, name) DO NOTHING RETURNING id");
	char *name = steward_name_arg(fcinfo, 0, "name", 200, true);
	char *owner_reference = steward_text_arg(fcinfo, 1, "owner", true);
	char *purpose = steward_note_arg(fcinfo, 2, "purpose");
	const pg_uuid_t *org = steward_org_arg(fcinfo, 3);
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));

	if (purpose == NULL)
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("purpose must not be null")));
	steward_require(org, STEWARD_PROFILE_ADMIN);
	PreventCommandIfReadOnly("register_workflow()");
	STEWARD_AS_OWNER();
	{
		StewardPerson owner;
		bool isnull;

		steward_lock_owner(org, steward_resolve(STEWARD_REF_PRINCIPAL, org, owner_reference, "owner"), &owner);
		{
			Datum values[] = {UUIDPGetDatum(org), CStringGetTextDatum(name), UUIDPGetDatum(&owner.id),
							  CStringGetTextDatum(purpose)};

			if (steward_run(&insert, STEWARD_TRANSACTION, values, NULL) == 0)
				ereport(ERROR, (errcode(ERRCODE_STEWARD_ALREADY_EXISTS),
								errmsg("workflow \"%s\" is already registered in this organization", name)));
		}
		*id = *DatumGetUUIDP(steward_result(0, 1, &isnull));
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_UUID_P(id);
}

/*
 * add_to_workflow(workflow text, object text, needs scope_set DEFAULT NULL, why text DEFAULT NULL,
 *				   org uuid DEFAULT default_org()) → added boolean
 *		Adds an agent, a service or a credential to a workflow; false when it is in it already.  Needs admin.
 */
Datum
steward_add_to_workflow(PG_FUNCTION_ARGS)
{
	static StewardPlan find =
		STEWARD_PLAN("ut", "SELECT id FROM steward.workflow WHERE org_id = $1 AND (name = $2 OR id::text = lower($2))");
	static StewardPlan insert = STEWARD_PLAN(
		"uuuustn",
		"INSERT INTO steward.workflow_member (org_id, workflow_id, principal_id, credential_id, needs, why, added_by) "
		"VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING");
	char *workflow = steward_text_arg(fcinfo, 0, "workflow", true);
	char *reference = steward_text_arg(fcinfo, 1, "object", true);
	char *why = steward_note_arg(fcinfo, 3, "why");
	const pg_uuid_t *org = steward_org_arg(fcinfo, 4);
	volatile bool added = false;

	steward_require(org, STEWARD_PROFILE_ADMIN);
	PreventCommandIfReadOnly("add_to_workflow()");
	STEWARD_AS_OWNER();
	{
		StewardObject object;
		pg_uuid_t workflow_id;
		NameData caller;
		Datum key[] = {UUIDPGetDatum(org), CStringGetTextDatum(workflow)};
		bool isnull;

		if (steward_run(&find, STEWARD_TRANSACTION, key, NULL) == 0)
			ereport(ERROR, (errcode(ERRCODE_STEWARD_REFERENCE_UNKNOWN),
							errmsg("workflow \"%s\" is not known in this organization", workflow)));
		workflow_id = *DatumGetUUIDP(steward_result(0, 1, &isnull));
		steward_resolve_object(org, reference, STEWARD_OBJECT_PRINCIPAL | STEWARD_OBJECT_CREDENTIAL, &object);
		namestrcpy(&caller, steward_caller_name());
		{
			Datum values[] = {UUIDPGetDatum(org),
							  UUIDPGetDatum(&workflow_id),
							  UUIDPGetDatum(&object.id),
							  UUIDPGetDatum(&object.id),
							  PG_ARGISNULL(2) ? (Datum) 0 : PG_GETARG_DATUM(2),
							  why ? CStringGetTextDatum(why) : (Datum) 0,
							  NameGetDatum(&caller)};
			bool nulls[] = {false,
							false,
							object.kind != STEWARD_OBJECT_PRINCIPAL,
							object.kind != STEWARD_OBJECT_CREDENTIAL,
							PG_ARGISNULL(2),
							why == NULL,
							false};

			added = steward_run(&insert, STEWARD_TRANSACTION, values, nulls) > 0;
		}
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_BOOL(added);
}
