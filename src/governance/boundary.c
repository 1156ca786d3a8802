/*
 * boundary.c
 *		The control boundary: risks, the layer that answers for each, and controls that prove themselves.
 *
 * A control's evidence is a view that a superuser named; an organization never supplies SQL.  The view is kept by name
 * and by the owner it had, and is asked for one organization at a time, as that owner, in a restricted operation and in
 * a subtransaction that is rolled back, so that whatever its functions do is undone.  A view that was dropped, errs,
 * lacks a column or changed hands gives the result "error", never an error of the caller.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/syscache.h"

#include "core/authority.h"
#include "core/plan.h"
#include "core/reference.h"
#include "credential/people.h"
#include "governance/governance.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_add_risk);
PG_FUNCTION_INFO_V1(steward_treat_risk);
PG_FUNCTION_INFO_V1(steward_register_control);
PG_FUNCTION_INFO_V1(steward_retire_control);
PG_FUNCTION_INFO_V1(steward_evaluate_controls);

/* The layers that can answer for a risk; only the first six can hold a control. */
static const char *const layers[] = {"runtime_monitoring", "sso", "directory_sync", "audit_log", "admin_control",
									 "authorization",	   NULL};
static const char *const layers_and_shared[] = {"runtime_monitoring", "sso",		   "directory_sync", "audit_log",
												"admin_control",	  "authorization", "shared",		 NULL};
static const char *const decisions[] = {"mitigate", "accept", "transfer", "avoid", NULL};

/* Raises unless every one of the risks is catalogued or the organization's own. */
static void
check_risks(const pg_uuid_t *org, Datum risks)
{
	static StewardPlan find =
		STEWARD_PLAN("uT", "SELECT k FROM unnest($2) AS k WHERE NOT EXISTS (SELECT FROM steward.risk r WHERE r.id = k) "
						   "AND NOT EXISTS (SELECT FROM steward.organization_risk o WHERE o.org_id = $1 AND o.id = k) "
						   "LIMIT 1");
	Datum values[] = {UUIDPGetDatum(org), risks};

	if (steward_run(&find, STEWARD_TRANSACTION, values, NULL) > 0)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_RISK_UNKNOWN),
						errmsg("unknown risk \"%.63s\"", steward_result_text(0, 1) ? steward_result_text(0, 1) : ""),
						errhint("SELECT * FROM steward.risk lists the catalogue; steward.add_risk() adds your own.")));
}

/* A text as a text[] of one. */
static Datum
one_text(const char *text)
{
	Datum value = CStringGetTextDatum(text);

	return PointerGetDatum(construct_array(&value, 1, TEXTOID, -1, false, TYPALIGN_INT));
}

/*
 * add_risk(risk text, name text, description text, layer text, org uuid DEFAULT default_org()) → risk_id text
 *		Adds a risk of the organization's own.  Needs admin.  Raises ST210 when the id is taken.
 */
Datum
steward_add_risk(PG_FUNCTION_ARGS)
{
	static StewardPlan insert = STEWARD_PLAN(
		"utttt",
		"INSERT INTO steward.organization_risk (org_id, id, name, description, layer) SELECT $1, $2, $3, $4, $5 "
		"WHERE NOT EXISTS (SELECT FROM steward.risk r WHERE r.id = $2) ON CONFLICT DO NOTHING");
	char *risk = steward_name_arg(fcinfo, 0, "risk", 63, true);
	char *name = steward_name_arg(fcinfo, 1, "name", 200, true);
	char *description = steward_note_arg(fcinfo, 2, "description");
	char *layer = steward_text_arg(fcinfo, 3, "layer", true);
	const pg_uuid_t *org = steward_org_arg(fcinfo, 4);

	if (description == NULL)
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("description must not be null")));
	/* What the table's constraint says, as a message about the argument. */
	if (!isalnum((unsigned char) risk[0]) ||
		strspn(risk, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-") != strlen(risk))
		ereport(ERROR, (errcode(ERRCODE_STEWARD_VALUE_INVALID), errmsg("invalid risk \"%.63s\"", risk),
						errdetail("An id is letters, digits, points, colons, hyphens and underscores.")));
	steward_check_choice(layer, "layer", layers, ERRCODE_STEWARD_VALUE_INVALID);
	steward_require(org, STEWARD_PROFILE_ADMIN);
	PreventCommandIfReadOnly("add_risk()");

	STEWARD_AS_OWNER();
	{
		Datum values[] = {UUIDPGetDatum(org), CStringGetTextDatum(risk), CStringGetTextDatum(name),
						  CStringGetTextDatum(description), CStringGetTextDatum(layer)};

		if (steward_run(&insert, STEWARD_TRANSACTION, values, NULL) == 0)
			ereport(ERROR, (errcode(ERRCODE_STEWARD_ALREADY_EXISTS), errmsg("risk \"%s\" is there already", risk)));
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_TEXT_P(cstring_to_text(risk));
}

/* Raises unless a split names known layers, at least two of them, and says of each what it answers for. */
static void
check_split(Datum split)
{
	static StewardPlan find = STEWARD_PLAN(
		"jT",
		"SELECT CASE WHEN jsonb_typeof($1) <> 'object' THEN 'it is not an object' "
		"WHEN (SELECT count(*) FROM jsonb_object_keys($1)) < 2 THEN 'it names fewer than two layers' "
		"ELSE (SELECT format('\"%s\" is not a layer with words of its own', left(e.key, 63)) FROM jsonb_each($1) e "
		"WHERE e.key <> ALL ($2) OR jsonb_typeof(e.value) <> 'string' OR btrim(e.value #>> '{}') = '' LIMIT 1) END");
	Datum known[6];
	Datum values[2] = {split};
	char *problem;

	for (int i = 0; layers[i]; i++)
		known[i] = CStringGetTextDatum(layers[i]);
	values[1] = PointerGetDatum(construct_array(known, 6, TEXTOID, -1, false, TYPALIGN_INT));
	steward_run(&find, STEWARD_TRANSACTION, values, NULL);
	problem = steward_result_text(0, 1);
	if (problem)
		ereport(ERROR,
				(errcode(ERRCODE_STEWARD_VALUE_INVALID), errmsg("split does not share a risk between layers"),
				 errdetail("In it, %s.", problem),
				 errhint("For example {\"runtime_monitoring\": \"sees it\", \"authorization\": \"stops it\"}.")));
}

/*
 * treat_risk(risk text, layer text, owner text, decision text, reason text, split jsonb DEFAULT NULL,
 *			  org uuid DEFAULT default_org()) → risk_id text
 *		Decides which layer answers for a risk, who owns it (a living human), and what was decided; replaces what was
 *		decided before.
 *
 * Layer "shared" takes a split: for each of at least two layers, in words, what it answers for.  Needs admin.
 */
Datum
steward_treat_risk(PG_FUNCTION_ARGS)
{
	static StewardPlan upsert = STEWARD_PLAN(
		"utttujtn",
		"INSERT INTO steward.risk_treatment (org_id, risk_id, layer, decision, owner_id, split, reason, decided_by) "
		"VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (org_id, risk_id) DO UPDATE SET layer = excluded.layer, "
		"decision = excluded.decision, owner_id = excluded.owner_id, split = excluded.split, reason = excluded.reason, "
		"decided_by = excluded.decided_by, decided_at = clock_timestamp()");
	char *risk = steward_name_arg(fcinfo, 0, "risk", 63, true);
	char *layer = steward_text_arg(fcinfo, 1, "layer", true);
	char *owner_reference = steward_text_arg(fcinfo, 2, "owner", true);
	char *decision = steward_text_arg(fcinfo, 3, "decision", true);
	char *reason = steward_note_arg(fcinfo, 4, "reason");
	bool shared;
	const pg_uuid_t *org = steward_org_arg(fcinfo, 6);

	steward_check_choice(layer, "layer", layers_and_shared, ERRCODE_STEWARD_VALUE_INVALID);
	steward_check_choice(decision, "decision", decisions, ERRCODE_STEWARD_VALUE_INVALID);
	if (reason == NULL)
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("reason must not be null")));
	shared = strcmp(layer, "shared") == 0;
	if (shared == PG_ARGISNULL(5))
		ereport(ERROR, (errcode(ERRCODE_STEWARD_VALUE_INVALID),
						errmsg(shared ? "a shared risk needs a split" : "only a shared risk takes a split")));
	steward_require(org, STEWARD_PROFILE_ADMIN);
	PreventCommandIfReadOnly("treat_risk()");

	STEWARD_AS_OWNER();
	{
		StewardPerson owner;
		NameData caller;

		check_risks(org, one_text(risk));
		if (shared)
			check_split(PG_GETARG_DATUM(5));
		steward_lock_owner(org, steward_resolve(STEWARD_REF_PRINCIPAL, org, owner_reference, "owner"), &owner);
		namestrcpy(&caller, steward_caller_name());
		{
			Datum values[] = {UUIDPGetDatum(org),		   CStringGetTextDatum(risk),
							  CStringGetTextDatum(layer),  CStringGetTextDatum(decision),
							  UUIDPGetDatum(&owner.id),	   shared ? PG_GETARG_DATUM(5) : (Datum) 0,
							  CStringGetTextDatum(reason), NameGetDatum(&caller)};
			bool nulls[] = {false, false, false, false, false, !shared, false, false};

			steward_run(&upsert, STEWARD_TRANSACTION, values, nulls);
		}
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_TEXT_P(cstring_to_text(risk));
}

/* What is wrong with a relation as evidence; NULL when nothing is. */
static char *
unfit(Oid relation)
{
	static const struct
	{
		const char *column;
		Oid type;
	} wanted[] = {{"org_id", UUIDOID}, {"passed", BOOLOID}, {"detail", TEXTOID}};
	char kind = get_rel_relkind(relation);

	if (kind != RELKIND_VIEW && kind != RELKIND_MATVIEW)
		return "it is not a view";
	for (int i = 0; i < (int) lengthof(wanted); i++)
	{
		AttrNumber number = get_attnum(relation, wanted[i].column);

		if (number == InvalidAttrNumber)
			return psprintf("it lacks the column %s", wanted[i].column);
		if (get_atttype(relation, number) != wanted[i].type)
			return psprintf("its column %s is not of type %s", wanted[i].column, format_type_be(wanted[i].type));
	}
	return NULL;
}

/* Name of a relation's owner. */
static char *
owner_of(Oid relation)
{
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	Oid owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relation);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return GetUserNameFromId(owner, false);
}

/*
 * register_control(control text, title text, layer text, evidence regclass, risks text[], refs jsonb DEFAULT '{}',
 *					fresh_for interval DEFAULT '7 days', org uuid DEFAULT default_org()) → control_id text
 *		Registers a control beside the built-in ones.
 *
 * evidence is a view with the columns org_id uuid, passed boolean, detail text: a row for each thing judged.  refs maps
 * SOC 2, ISO 27001, NIST 800-53 and PCI DSS to arrays of clause ids.  Only a superuser, for the view runs as its owner.
 * Raises ST802 for an unfit view, ST801 for an unknown risk.
 */
Datum
steward_register_control(PG_FUNCTION_ARGS)
{
	static StewardPlan insert = STEWARD_PLAN(
		"utttnnnin",
		"INSERT INTO steward.control (org_id, id, title, layer, evidence_schema, evidence_view, evidence_owner, "
		"fresh_for, registered_by) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9 "
		"WHERE NOT EXISTS (SELECT FROM steward.builtin_control b WHERE b.id = $2) ON CONFLICT DO NOTHING");
	static StewardPlan insert_risks = STEWARD_PLAN(
		"utT",
		"INSERT INTO steward.control_risk (org_id, control_id, risk_id) SELECT DISTINCT $1, $2, k FROM unnest($3) AS k");
	static StewardPlan insert_references = STEWARD_PLAN(
		"utj",
		"INSERT INTO steward.control_reference (org_id, control_id, framework, clause) "
		"SELECT DISTINCT $1, $2, f.key, c.value FROM jsonb_each($3) f, jsonb_array_elements_text(f.value) AS c(value)");
	static const char *const arguments[] = {"control", "title", "layer", "evidence", "risks", "refs", "fresh_for"};
	char *control = steward_name_arg(fcinfo, 0, "control", 63, true);
	char *title = steward_name_arg(fcinfo, 1, "title", 200, true);
	char *layer = steward_text_arg(fcinfo, 2, "layer", true);
	const pg_uuid_t *org = steward_org_arg(fcinfo, 7);
	Oid relation;
	char *problem;

	for (int i = 3; i < 7; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be null", arguments[i])));
	steward_check_choice(layer, "layer", layers, ERRCODE_STEWARD_VALUE_INVALID);
	if (!superuser_arg(steward_caller()))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("only a superuser can register a control"),
						errdetail("Its evidence is SQL that runs as the owner of the view.")));
	steward_require(org, STEWARD_PROFILE_ADMIN);
	PreventCommandIfReadOnly("register_control()");
	relation = PG_GETARG_OID(3);
	problem = unfit(relation);
	if (problem)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_EVIDENCE_UNFIT),
						errmsg("\"%s\" cannot be the evidence of a control",
							   get_rel_name(relation) ? get_rel_name(relation) : "?"),
						errdetail("As it is, %s.", problem),
						errhint("A view with the columns org_id uuid, passed boolean, detail text.")));

	STEWARD_AS_OWNER();
	{
		NameData schema;
		NameData view;
		NameData owner;
		NameData caller;
		Datum risks[] = {UUIDPGetDatum(org), CStringGetTextDatum(control), PG_GETARG_DATUM(4)};
		Datum references[] = {UUIDPGetDatum(org), CStringGetTextDatum(control), PG_GETARG_DATUM(5)};

		check_risks(org, PG_GETARG_DATUM(4));
		namestrcpy(&schema, get_namespace_name(get_rel_namespace(relation)));
		namestrcpy(&view, get_rel_name(relation));
		namestrcpy(&owner, owner_of(relation));
		namestrcpy(&caller, steward_caller_name());
		{
			Datum values[] = {UUIDPGetDatum(org),		  CStringGetTextDatum(control), CStringGetTextDatum(title),
							  CStringGetTextDatum(layer), NameGetDatum(&schema),		NameGetDatum(&view),
							  NameGetDatum(&owner),		  PG_GETARG_DATUM(6),			NameGetDatum(&caller)};

			if (steward_run(&insert, STEWARD_TRANSACTION, values, NULL) == 0)
				ereport(ERROR, (errcode(ERRCODE_STEWARD_ALREADY_EXISTS),
								errmsg("control \"%s\" is registered already", control)));
		}
		steward_run(&insert_risks, STEWARD_TRANSACTION, risks, NULL);
		steward_run(&insert_references, STEWARD_TRANSACTION, references, NULL);
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_TEXT_P(cstring_to_text(control));
}

/*
 * retire_control(control text, org uuid DEFAULT default_org()) → retired boolean
 *		Takes a registered control away; what its evidence said stays on record.  Needs admin.
 */
Datum
steward_retire_control(PG_FUNCTION_ARGS)
{
	static StewardPlan delete = STEWARD_PLAN("ut", "DELETE FROM steward.control WHERE org_id = $1 AND id = $2");
	char *control = steward_text_arg(fcinfo, 0, "control", true);
	const pg_uuid_t *org = steward_org_arg(fcinfo, 1);
	bool retired = false;

	steward_require(org, STEWARD_PROFILE_ADMIN);
	PreventCommandIfReadOnly("retire_control()");
	STEWARD_AS_OWNER();
	{
		Datum values[] = {UUIDPGetDatum(org), CStringGetTextDatum(control)};

		retired = steward_run(&delete, STEWARD_TRANSACTION, values, NULL) > 0;
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_BOOL(retired);
}

/* A control as it is about to be asked, and what it answered. */
typedef struct Inquiry
{
	pg_uuid_t org;
	char *control;
	char *schema;
	char *view;
	char *owner;
	const char *result;
	int64 seen;
	int64 failing;
	char *detail;
	Datum digest;
	bool has_digest;
} Inquiry;

/* Asks the view, as its owner; inside a subtransaction.  The names come from the catalog and are quoted. */
static void
ask_view(Inquiry *inquiry, Oid owner, MemoryContext context)
{
	Oid user;
	int security;
	bool own = owner == GetUserId();
	Oid types[] = {UUIDOID};
	Datum values[] = {UUIDPGetDatum(&inquiry->org)};
	char *sql = psprintf(
		"SELECT count(*), count(*) FILTER (WHERE passed IS NOT TRUE), left(min(detail) FILTER (WHERE passed IS NOT TRUE), "
		"1000), sha256(convert_to(coalesce(string_agg(format('%%s %%L', passed, detail), ' ' ORDER BY passed, detail), ''), "
		"'UTF8')) FROM %s WHERE org_id = $1",
		quote_qualified_identifier(inquiry->schema, inquiry->view));
	bool isnull;

	/* Steward's own evidence stays in the bracket; another's runs as its owner and can change nothing of the session. */
	GetUserIdAndSecContext(&user, &security);
	if (!own)
		SetUserIdAndSecContext(owner, (security & ~SECURITY_NOFORCE_RLS) | SECURITY_RESTRICTED_OPERATION);
	if (SPI_execute_with_args(sql, 1, types, values, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read evidence");
	SetUserIdAndSecContext(user, security);

	inquiry->seen = DatumGetInt64(steward_result(0, 1, &isnull));
	inquiry->failing = DatumGetInt64(steward_result(0, 2, &isnull));
	inquiry->result = inquiry->seen == 0 ? "empty" : inquiry->failing > 0 ? "fail" : "pass";
	{
		char *first = steward_result_text(0, 3);
		MemoryContext old = MemoryContextSwitchTo(context);

		inquiry->detail = pstrdup(first ? first : inquiry->seen == 0 ? "there is nothing to judge" : "all pass");
		inquiry->digest = datumCopy(steward_result(0, 4, &isnull), false, -1);
		inquiry->has_digest = true;
		MemoryContextSwitchTo(old);
	}
}

/* The result of evidence that cannot be read. */
static void
evidence_error(Inquiry *inquiry, char *detail)
{
	inquiry->result = "error";
	inquiry->seen = 0;
	inquiry->failing = 0;
	inquiry->detail = detail;
	inquiry->has_digest = false;
}

/* Asks one control; whatever goes wrong becomes the result "error". */
static void
inquire(Inquiry *inquiry)
{
	Oid nsp = get_namespace_oid(inquiry->schema, true);
	Oid relation = OidIsValid(nsp) ? get_relname_relid(inquiry->view, nsp) : InvalidOid;
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner resources = CurrentResourceOwner;
	char *problem;

	if (!OidIsValid(relation))
	{
		evidence_error(inquiry, psprintf("view %s is gone", inquiry->view));
		return;
	}
	problem = unfit(relation);
	if (problem == NULL && strcmp(owner_of(relation), inquiry->owner) != 0)
		problem = psprintf("its owner is %s and no longer %s", owner_of(relation), inquiry->owner);
	if (problem)
	{
		evidence_error(inquiry, psprintf("view %s: %s", inquiry->view, problem));
		return;
	}

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		ask_view(inquiry, get_role_oid(inquiry->owner, false), context);
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = resources;
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = resources;
		/* Who cancels means the whole call. */
		if (error->sqlerrcode == ERRCODE_QUERY_CANCELED || error->sqlerrcode == ERRCODE_ADMIN_SHUTDOWN)
			ReThrowError(error);
		evidence_error(inquiry, psprintf("%s: %.900s", unpack_sql_state(error->sqlerrcode), error->message));
	}
	PG_END_TRY();
}

/* Asks every control of the last statement's result (org_id, id, schema, view, owner), keeps and answers results. */
static int64
inquire_all(ReturnSetInfo *rsinfo, uint64 controls)
{
	static StewardPlan insert = STEWARD_PLAN(
		"utttlltn",
		"INSERT INTO steward.control_evidence (org_id, control_id, result, detail, rows_seen, rows_failing, digest, "
		"evaluated_by) VALUES ($1, $2, $3, $4, $5, $6, decode($7, 'hex'), $8)");
	Inquiry *inquiries = palloc0(sizeof(Inquiry) * Max(controls, 1));
	NameData caller;
	bool isnull;

	namestrcpy(&caller, steward_caller_name());
	for (uint64 i = 0; i < controls; i++)
	{
		inquiries[i].org = *DatumGetUUIDP(steward_result(i, 1, &isnull));
		inquiries[i].control = steward_result_text(i, 2);
		inquiries[i].schema = steward_result_text(i, 3);
		inquiries[i].view = steward_result_text(i, 4);
		inquiries[i].owner = steward_result_text(i, 5);
	}
	for (uint64 i = 0; i < controls; i++)
	{
		Inquiry *inquiry = &inquiries[i];
		Datum hex = (Datum) 0;

		CHECK_FOR_INTERRUPTS();
		inquire(inquiry);
		if (inquiry->has_digest)
			hex = DirectFunctionCall2(binary_encode, inquiry->digest, CStringGetTextDatum("hex"));
		{
			Datum values[] = {UUIDPGetDatum(&inquiry->org),
							  CStringGetTextDatum(inquiry->control),
							  CStringGetTextDatum(inquiry->result),
							  CStringGetTextDatum(inquiry->detail),
							  Int64GetDatum(inquiry->seen),
							  Int64GetDatum(inquiry->failing),
							  hex,
							  NameGetDatum(&caller)};
			bool nulls[] = {false, false, false, false, false, false, !inquiry->has_digest, false};

			steward_run(&insert, STEWARD_TRANSACTION, values, nulls);
			if (rsinfo)
			{
				Datum row[] = {values[1], values[2], values[4], values[5], values[3]};
				bool row_nulls[5] = {false};

				tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row, row_nulls);
			}
		}
	}
	return controls;
}

/*
 * evaluate_controls(control text DEFAULT NULL, org uuid DEFAULT default_org())
 *		→ rows (control_id text, result text, rows_seen bigint, rows_failing bigint, detail text)
 *		Asks the evidence of one control, or of all, and keeps the results.
 *
 * Evidence that cannot be read is the result "error".  Needs auditor, security or admin.  Raises ST803 for an unknown
 * control.
 */
Datum
steward_evaluate_controls(PG_FUNCTION_ARGS)
{
	static StewardPlan find = STEWARD_PLAN(
		"ut", "SELECT org_id, control_id, evidence_schema, evidence_view, evidence_owner FROM steward.controls "
			  "WHERE org_id = $1 AND ($2 IS NULL OR control_id = $2) ORDER BY control_id");
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	char *control = steward_text_arg(fcinfo, 0, "control", false);
	const pg_uuid_t *org = steward_org_arg(fcinfo, 1);

	steward_require(org, STEWARD_PROFILE_AUDITOR | STEWARD_PROFILE_SECURITY | STEWARD_PROFILE_ADMIN);
	PreventCommandIfReadOnly("evaluate_controls()");
	InitMaterializedSRF(fcinfo, 0);
	STEWARD_AS_OWNER();
	{
		Datum values[] = {UUIDPGetDatum(org), control ? CStringGetTextDatum(control) : (Datum) 0};
		bool nulls[] = {false, control == NULL};
		uint64 controls = steward_run(&find, STEWARD_TRANSACTION, values, nulls);

		if (controls == 0)
			ereport(ERROR, (errcode(ERRCODE_STEWARD_CONTROL_UNKNOWN),
							errmsg("unknown control \"%.63s\"", control ? control : ""),
							errhint("SELECT control_id FROM steward.controls lists them.")));
		inquire_all(rsinfo, controls);
	}
	STEWARD_AS_OWNER_END();
	return (Datum) 0;
}

/*
 * steward_evaluate_due_controls
 *		A step of maintain(): asks what was asked at least once and has passed half of its time.
 *
 * The first time is the organization's own decision; from then on its evidence stays fresh by itself.
 */
char *
steward_evaluate_due_controls(void)
{
	static StewardPlan find = STEWARD_PLAN(
		"",
		"SELECT c.org_id, c.control_id, c.evidence_schema, c.evidence_view, c.evidence_owner FROM ("
		"SELECT e.org_id, e.control_id, max(e.evaluated_at) AS latest FROM steward.control_evidence e "
		"GROUP BY e.org_id, e.control_id) e JOIN steward.controls c ON c.org_id = e.org_id AND c.control_id = e.control_id "
		"WHERE e.latest <= now() - c.fresh_for / 2 ORDER BY 1, 2");

	return psprintf(INT64_FORMAT " asked", inquire_all(NULL, steward_run(&find, STEWARD_TRANSACTION, NULL, NULL)));
}
