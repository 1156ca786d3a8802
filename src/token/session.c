/*
 * session.c
 *		The identity that a session has proven with a token, for as long as it holds.
 *
 * assume() pushes it onto a stack in this backend's memory, which no SET can reach.  Each entry belongs to the
 * subtransaction that made it: an abort takes it away, a commit hands it up, and the end of the transaction empties the
 * stack.  Only where steward.allow_session_binding is on can an identity stay for the session; it then hangs on a setting
 * that only our code gives a meaning to, so that DISCARD ALL and a rollback take it away.
 *
 * What an identity may do is never remembered: current_org() and the others check it again at every call, so that a
 * policy sees a revocation at its next statement.  They run in the leader of a parallel plan, which hands their results
 * to the workers.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "core/actor.h"
#include "core/secret.h"
#include "steward.h"
#include "token/check.h"
#include "token/token.h"

PG_FUNCTION_INFO_V1(steward_assume);
PG_FUNCTION_INFO_V1(steward_current_org);
PG_FUNCTION_INFO_V1(steward_current_principal);
PG_FUNCTION_INFO_V1(steward_current_actor);
PG_FUNCTION_INFO_V1(steward_has_scope);

#define BINDING_SETTING "steward.session_binding"

int steward_max_token_bytes = 16384;
bool steward_allow_session_binding = false;

/* Only "on" when assume() sets it; any other change ends the binding. */
static char *session_binding = NULL;

/* One assumed identity, in a memory context of its own. */
typedef struct Identity
{
	MemoryContext context;
	SubTransactionId subtransaction;
	StewardActor actor;
	StewardPresented presented; /* what was proven, to check it again */
	struct Identity *below;
} Identity;

static Identity *stack = NULL;
static Identity *bound = NULL;	 /* for the session */
static bool binding_now = false; /* assume() is setting the setting */

static const Identity *
identity_now(void)
{
	return stack ? stack : bound;
}

/* What the audit log and defaults ask. */
static const StewardActor *
actor_now(void)
{
	const Identity *identity = identity_now();

	return identity ? &identity->actor : NULL;
}

static void
drop_identity(Identity *identity)
{
	steward_wipe_presented(&identity->presented);
	MemoryContextDelete(identity->context);
}

static void
pop(void)
{
	Identity *top = stack;

	stack = top->below;
	drop_identity(top);
}

static void
end_transaction(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_PREPARE:
			if (stack != NULL)
				ereport(ERROR, (errcode(ERRCODE_STEWARD_BINDING_REFUSED),
								errmsg("a transaction that assumed an identity cannot be prepared"),
								errdetail("The identity would not travel with it.")));
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
			while (stack != NULL)
				pop();
			break;
		default:
			break;
	}
}

static void
end_subtransaction(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		while (stack != NULL && stack->subtransaction == mine)
			pop();
	else if (event == SUBXACT_EVENT_COMMIT_SUB)
		for (Identity *identity = stack; identity != NULL && identity->subtransaction == mine;
			 identity = identity->below)
			identity->subtransaction = parent;
}

static bool
check_binding(char **newval, void **extra, GucSource source)
{
	return true;
}

/* Whoever else changes the setting, RESET, DISCARD ALL and a rollback included, ends the binding. */
static void
assign_binding(const char *newval, void *extra)
{
	if (binding_now || bound == NULL)
		return;
	drop_identity(bound);
	bound = NULL;
}

void
steward_token_init(void)
{
	DefineCustomIntVariable("steward.max_token_bytes", "The longest token that is looked at.", NULL,
							&steward_max_token_bytes, 16384, 1024, 1024 * 1024, PGC_SUSET, GUC_UNIT_BYTE, NULL, NULL,
							NULL);
	DefineCustomBoolVariable("steward.allow_session_binding", "Lets an assumed identity outlive its transaction.", NULL,
							 &steward_allow_session_binding, false, PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable(
		BINDING_SETTING, "Whether an identity is assumed for the session.", NULL, &session_binding, "", PGC_SUSET,
		GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE, check_binding, assign_binding, NULL);
	RegisterXactCallback(end_transaction, NULL);
	RegisterSubXactCallback(end_subtransaction, NULL);
	steward_set_actor_source(actor_now);
	steward_keyring_init();
}

/* Copies what was proven into a memory context of its own. */
static Identity *
make_identity(const StewardPresented *presented, const StewardBearer *bearer)
{
	MemoryContext context = AllocSetContextCreate(TopMemoryContext, "steward identity", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Identity *identity = palloc0(sizeof(Identity));
	ListCell *lc;

	identity->context = context;
	identity->subtransaction = GetCurrentSubTransactionId();
	identity->actor.org = bearer->org;
	identity->actor.principal = bearer->principal;
	identity->actor.credential = bearer->credential;
	foreach (lc, bearer->chain)
	{
		pg_uuid_t *actor = palloc(sizeof(pg_uuid_t));

		*actor = *(pg_uuid_t *) lfirst(lc);
		identity->actor.chain = lappend(identity->actor.chain, actor);
	}
	steward_copy_presented(presented, &identity->presented);
	MemoryContextSwitchTo(old);
	return identity;
}

/*
 * assume(token text, session boolean DEFAULT false, audience text DEFAULT NULL, org uuid DEFAULT NULL,
 *		  thumbprint text DEFAULT NULL) → authorization
 *		Binds the identity that the token proves to this transaction, or to the session where that is allowed.
 *
 * Raises ST514 with the reason when the token does not pass, ST515 when a session may not be bound.  Needs app.
 */
Datum
steward_assume(PG_FUNCTION_ARGS)
{
	StewardPresented presented;
	StewardBearer bearer;
	Identity *identity;
	bool for_session = !PG_ARGISNULL(1) && PG_GETARG_BOOL(1);
	TimestampTz now;

	if (for_session && !steward_allow_session_binding)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_BINDING_REFUSED), errmsg("an identity ends with its transaction here"),
						errhint("A superuser can set steward.allow_session_binding.")));
	STEWARD_HIDE_STATEMENT();
	steward_read_presented(fcinfo, 0, 2, 3, 4, &presented);
	now = steward_check_presented(&presented, NULL, &bearer);
	if (bearer.reason != STEWARD_OK)
	{
		steward_note_denial(&bearer);
		ereport(ERROR, (errcode(ERRCODE_STEWARD_TOKEN_DENIED), errmsg("the token does not pass"),
						errdetail("The reason: %s.", steward_reason_names[bearer.reason])));
	}
	STEWARD_HIDE_STATEMENT_END();

	identity = make_identity(&presented, &bearer);
	if (for_session)
	{
		binding_now = true;
		PG_TRY();
		{
			(void) set_config_option(BINDING_SETTING, "on", PGC_SUSET, PGC_S_SESSION, GUC_ACTION_SET, true, 0, false);
		}
		PG_FINALLY();
		{
			binding_now = false;
		}
		PG_END_TRY();
		if (bound != NULL)
			drop_identity(bound);
		bound = identity;
	}
	else
	{
		identity->below = stack;
		stack = identity;
	}
	return steward_authorization(fcinfo, &bearer, now);
}

/* Checks the identity in force again, for a requirement; false when there is none, or it does not pass any more. */
static bool
check_identity(const ScopeSet *required, StewardBearer *bearer)
{
	const Identity *identity = identity_now();

	if (identity == NULL)
		return false;
	(void) steward_check_presented(&identity->presented, required, bearer);
	return bearer->reason == STEWARD_OK;
}

/* A uuid in memory that outlives the check. */
static Datum
copy_uuid(const pg_uuid_t *uuid)
{
	pg_uuid_t *copy = palloc(sizeof(pg_uuid_t));

	*copy = *uuid;
	return UUIDPGetDatum(copy);
}

/*
 * current_org() → uuid
 *		Organization of the identity that is assumed and live; NULL when there is none.  For policies.
 */
Datum
steward_current_org(PG_FUNCTION_ARGS)
{
	StewardBearer bearer;

	if (!check_identity(NULL, &bearer))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(copy_uuid(&bearer.org));
}

/*
 * current_principal() → uuid
 *		Principal that the assumed and live identity is: the subject, where somebody acts for it.
 */
Datum
steward_current_principal(PG_FUNCTION_ARGS)
{
	StewardBearer bearer;

	if (!check_identity(NULL, &bearer))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(copy_uuid(&bearer.principal));
}

/*
 * current_actor() → uuid
 *		Who acts for the assumed and live identity: the current actor of its chain, or the principal itself.
 */
Datum
steward_current_actor(PG_FUNCTION_ARGS)
{
	StewardBearer bearer;

	if (!check_identity(NULL, &bearer))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(copy_uuid(bearer.chain ? linitial(bearer.chain) : &bearer.principal));
}

/*
 * has_scope(required scope_set) → boolean
 *		Whether the assumed identity is live and may do what is required; false when there is none.
 */
Datum
steward_has_scope(PG_FUNCTION_ARGS)
{
	StewardBearer bearer;

	PG_RETURN_BOOL(check_identity(DatumGetScopeSetP(PG_GETARG_DATUM(0)), &bearer));
}
