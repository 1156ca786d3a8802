/*
 * status.c
 *		Whether a credential is live: the one place where that rule is written.
 *
 * authorize() and the views ask the same function, about the credential's row and, read at this moment, the rows of its
 * holder, its owner and its organization.  A credential lives only if nothing says otherwise.
 *
 * Epochs compose (revocation/epoch.h).  What derives from a credential dies with it: the check climbs to the parents, so
 * that neither a row made beside a revocation nor one whose bookkeeping was deferred outlives them.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"
#include "utils/uuid.h"

#include "core/authority.h"
#include "core/module.h"
#include "credential/status.h"
#include "revocation/epoch.h"
#include "revocation/visible.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_credential_status);

const char *const steward_reason_names[STEWARD_REASONS] = {
	[STEWARD_OK] = "ok",
	[STEWARD_MALFORMED] = "malformed",
	[STEWARD_UNKNOWN] = "unknown",
	[STEWARD_NOT_YET_VALID] = "not_yet_valid",
	[STEWARD_EXPIRED] = "expired",
	[STEWARD_REVOKED] = "revoked",
	[STEWARD_SUSPENDED] = "suspended",
	[STEWARD_ROTATION_OVERDUE] = "rotation_overdue",
	[STEWARD_HOLDER_OFFBOARDED] = "holder_offboarded",
	[STEWARD_OWNER_OFFBOARDED] = "owner_offboarded",
	[STEWARD_ORGANIZATION_INACTIVE] = "organization_inactive",
	[STEWARD_BEFORE_EPOCH] = "before_epoch",
	[STEWARD_INSUFFICIENT_SCOPE] = "insufficient_scope",
	[STEWARD_WRONG_AUDIENCE] = "wrong_audience",
	[STEWARD_WRONG_TYPE] = "wrong_type",
	[STEWARD_PROOF_REQUIRED] = "proof_required",
	[STEWARD_STALE] = "stale",
	[STEWARD_POLICY] = "policy",
};

const char *const steward_credential_kinds[] = {"api_key",
												"oauth_client",
												"access_token",
												"refresh_token",
												"session",
												"account",
												"certificate",
												"ssh_key",
												"webhook_secret",
												"password",
												"pg_role",
												"cloud_key",
												"personal_access_token",
												"signing_key",
												NULL};

/* A text column equals a constant. */
static bool
text_is(const StewardRow *row, const char *column, const char *value)
{
	bool isnull;
	Datum datum = steward_row_get(row, column, &isnull);
	text *t;

	if (isnull)
		return false;
	t = DatumGetTextPP(datum);
	return VARSIZE_ANY_EXHDR(t) == strlen(value) && memcmp(VARDATA_ANY(t), value, strlen(value)) == 0;
}

/* A timestamp column, or what stands for a null one. */
static TimestampTz
time_of(const StewardRow *row, const char *column, TimestampTz if_null)
{
	bool isnull;
	Datum datum = steward_row_get(row, column, &isnull);

	return isnull ? if_null : DatumGetTimestampTz(datum);
}

/* The principal that a column of the credential names; false when there is none. */
static bool
fetch_principal(const StewardRow *credential, const char *column, Snapshot snapshot, StewardRow *principal)
{
	bool isnull;
	Datum keys[2];

	keys[0] = steward_row_get(credential, "org_id", &isnull);
	keys[1] = steward_row_get(credential, column, &isnull);
	return !isnull && steward_fetch(STEWARD_PRINCIPAL, snapshot, 2, keys, principal);
}

/* Whether a credential is later than the epochs that apply to it; an epoch that is null lets nothing pass. */
static bool
outlives_epochs(const StewardRow *credential, const StewardRow *organization, const StewardRow *holder,
				const StewardRow *owner)
{
	StewardEpochs epochs = STEWARD_NO_EPOCHS;

	epochs.issued_at = time_of(credential, "issued_at", DT_NOBEGIN);
	epochs.owned_since = time_of(credential, "owner_since", DT_NOBEGIN);
	epochs.organization = time_of(organization, "tokens_valid_after", DT_NOEND);
	epochs.principal = time_of(holder, "tokens_valid_after", DT_NOEND);
	epochs.owner = time_of(owner, "tokens_valid_after", DT_NOEND);
	return steward_epochs_pass(&epochs);
}

/* Whether a credential derives from another so that it dies with it; a rotated one does not. */
static bool
bound_to_parent(const StewardRow *credential)
{
	return text_is(credential, "parent_kind", "delegated_from") || text_is(credential, "parent_kind", "issued_by") ||
		   text_is(credential, "parent_kind", "belongs_to");
}

/* Whether a parent is dead for good; one that is suspended or expired still lets its children live. */
static bool
is_dead(const StewardRow *credential, const StewardRow *organization, Snapshot snapshot)
{
	StewardRow holder;
	StewardRow owner;

	if (text_is(credential, "state", "revoked"))
		return true;
	/* A discovered one has nobody yet whose epoch could kill it. */
	if (!fetch_principal(credential, "holder_id", snapshot, &holder) ||
		!fetch_principal(credential, "owner_id", snapshot, &owner))
		return !text_is(credential, "state", "discovered");
	return !outlives_epochs(credential, organization, &holder, &owner);
}

/*
 * Whether everything that a credential derives from lives.  Chains may be long, and a hand could have made a cycle:
 * one row of the chain is marked, ever later (Brent), and meeting it again ends the climb.
 */
static bool
parents_live(const StewardRow *credential, const StewardRow *organization, Snapshot snapshot)
{
	StewardRow row = *credential;
	pg_uuid_t marked = {0};
	int64 steps = 0;
	int64 mark_at = 1;
	bool live = true;

	while (live && bound_to_parent(&row))
	{
		MemoryContext context =
			AllocSetContextCreate(CurrentMemoryContext, "parent of a credential", ALLOCSET_SMALL_SIZES);
		MemoryContext old = MemoryContextSwitchTo(context);
		StewardRow parent;
		pg_uuid_t id;
		Datum keys[2];
		bool isnull;

		CHECK_FOR_INTERRUPTS();
		keys[0] = steward_row_get(&row, "org_id", &isnull);
		keys[1] = steward_row_get(&row, "parent_id", &isnull);
		id = *DatumGetUUIDP(keys[1]);
		live =
			steward_fetch(STEWARD_CREDENTIAL, snapshot, 2, keys, &parent) && !is_dead(&parent, organization, snapshot);
		MemoryContextSwitchTo(old);
		/* The row outlives the context of its own look-ups, not that of its child. */
		if (live)
		{
			HeapTuple copy = heap_copytuple(parent.tuple);

			if (row.tuple != credential->tuple)
				heap_freetuple(row.tuple);
			row = (StewardRow){.tuple = copy, .desc = credential->desc};
		}
		MemoryContextDelete(context);
		if (memcmp(&id, &marked, sizeof(id)) == 0)
			break;
		if (++steps == mark_at)
		{
			marked = id;
			mark_at *= 2;
		}
	}
	return live;
}

/*
 * steward_credential_reason
 *		Why the credential must not pass at the moment now, or STEWARD_OK.
 *
 * What is permanent comes before what may pass, and what concerns people before what concerns the credential alone, so
 * that the answer is the one that explains most.  A row that is missing says no.
 */
StewardReason
steward_credential_reason(const StewardRow *credential, Snapshot snapshot, TimestampTz now)
{
	StewardRow organization;
	StewardRow holder;
	StewardRow owner;
	Datum key;
	bool isnull;

	if (text_is(credential, "state", "revoked"))
		return STEWARD_REVOKED;
	if (!text_is(credential, "state", "active") && !text_is(credential, "state", "suspended"))
		return STEWARD_POLICY;

	key = steward_row_get(credential, "org_id", &isnull);
	if (!steward_fetch(STEWARD_ORGANIZATION, snapshot, 1, &key, &organization) ||
		!text_is(&organization, "state", "active"))
		return STEWARD_ORGANIZATION_INACTIVE;
	if (!fetch_principal(credential, "holder_id", snapshot, &holder) || text_is(&holder, "state", "offboarded") ||
		time_of(&holder, "ends_at", DT_NOEND) <= now)
		return STEWARD_HOLDER_OFFBOARDED;
	if (!fetch_principal(credential, "owner_id", snapshot, &owner) || text_is(&owner, "state", "offboarded") ||
		time_of(&owner, "ends_at", DT_NOEND) <= now)
		return STEWARD_OWNER_OFFBOARDED;
	if (!text_is(credential, "state", "active") || !text_is(&holder, "state", "active"))
		return STEWARD_SUSPENDED;

	if (!outlives_epochs(credential, &organization, &holder, &owner))
		return STEWARD_BEFORE_EPOCH;
	if (!parents_live(credential, &organization, snapshot))
		return STEWARD_REVOKED;

	if (time_of(credential, "expires_at", DT_NOEND) <= now)
		return STEWARD_EXPIRED;
	if (time_of(credential, "rotate_by", DT_NOEND) <= now)
		return STEWARD_ROTATION_OVERDUE;
	if (time_of(credential, "not_before", DT_NOBEGIN) > now || time_of(&holder, "starts_at", DT_NOBEGIN) > now)
		return STEWARD_NOT_YET_VALID;
	return steward_is_stale(snapshot, now) ? STEWARD_STALE : STEWARD_OK;
}

/* The effective status of a credential, for people: finer than the reason of a check in some places. */
static const char *
effective_status(const StewardRow *credential, Snapshot snapshot, TimestampTz now)
{
	StewardReason reason = steward_credential_reason(credential, snapshot, now);
	bool isnull;

	switch (reason)
	{
		case STEWARD_OK:
		case STEWARD_STALE: /* what this node knows, old as it may be */
			return "active";
		case STEWARD_REVOKED:
			return DatumGetBool(steward_row_get(credential, "external_pending", &isnull)) ? "pending_external"
																						  : "revoked";
		case STEWARD_POLICY:
			return "discovered";
		case STEWARD_OWNER_OFFBOARDED:
			/* Suspended because nobody took it over. */
			return text_is(credential, "state", "suspended") ? "orphaned" : "owner_offboarded";
		case STEWARD_ORGANIZATION_INACTIVE:
			return "suspended";
		case STEWARD_BEFORE_EPOCH:
			return "revoked";
		default:
			return steward_reason_names[reason];
	}
}

/* What one call of credential_status() remembers for the next in the same statement. */
typedef struct StatusAuthority
{
	bool known;
	bool allowed;
	pg_uuid_t org;
} StatusAuthority;

/* Whether the caller may read the organization's rows; asked anew for each statement and organization. */
static bool
may_read(FunctionCallInfo fcinfo, const pg_uuid_t *org)
{
	StatusAuthority *authority = fcinfo->flinfo->fn_extra;

	if (authority == NULL)
	{
		authority = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(StatusAuthority));
		fcinfo->flinfo->fn_extra = authority;
	}
	if (!authority->known || memcmp(&authority->org, org, sizeof(pg_uuid_t)) != 0)
	{
		authority->org = *org;
		authority->allowed = (steward_profiles_of(steward_caller(), org) & STEWARD_PROFILE_ANALYST) != 0;
		authority->known = true;
	}
	return authority->allowed;
}

/*
 * credential_status(credential record) → text
 *		The effective status of a row of steward.credential at this moment.
 *
 * NULL for an organization that the caller may not read: a row can be made up, and must not be a way to ask about other
 * tenants' people.  Raises when given anything but such a row.
 */
Datum
steward_credential_status(PG_FUNCTION_ARGS)
{
	HeapTupleHeader header = PG_GETARG_HEAPTUPLEHEADER(0);
	TupleDesc desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(header), HeapTupleHeaderGetTypMod(header));
	HeapTupleData tuple;
	StewardRow row = {.tuple = &tuple, .desc = desc};
	Snapshot snapshot;
	const char *status;
	pg_uuid_t *org;
	bool isnull;

	if (desc->tdtypeid != get_rel_type_id(steward_table(STEWARD_CREDENTIAL)))
	{
		ReleaseTupleDesc(desc);
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("credential_status() takes a row of steward.credential"),
				 errhint("For example: SELECT steward.credential_status(c) FROM steward.credential c.")));
	}
	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = header;

	org = DatumGetUUIDP(steward_row_get(&row, "org_id", &isnull));
	if (isnull || !may_read(fcinfo, org))
	{
		ReleaseTupleDesc(desc);
		PG_RETURN_NULL();
	}
	snapshot = steward_fresh_snapshot();
	status = effective_status(&row, snapshot, GetCurrentTimestamp());
	UnregisterSnapshot(snapshot);
	ReleaseTupleDesc(desc);
	PG_RETURN_TEXT_P(cstring_to_text(status));
}
