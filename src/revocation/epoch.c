/*
 * epoch.c
 *		Epochs compose: the one function that says whether something outlives all of them.
 *
 * Every epoch is asked, each on its own.  There is no newest one that stands for the others: where a newer epoch of a
 * tenant hides an older one of a client, dead tokens live again.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/timestamp.h"

#include "revocation/epoch.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_epochs_pass_sql);

/*
 * steward_epochs_pass
 *		Whether what was issued is later than every epoch.  What was issued "-infinity" passes only where no epoch was
 *		ever set, and an epoch of "infinity" lets nothing pass.
 */
bool
steward_epochs_pass(const StewardEpochs *epochs)
{
	const TimestampTz issue_epochs[] = {epochs->organization, epochs->principal, epochs->credential, epochs->delegation,
										epochs->key};

	for (int i = 0; i < (int) lengthof(issue_epochs); i++)
		if (issue_epochs[i] != DT_NOBEGIN && epochs->issued_at <= issue_epochs[i])
			return false;
	return epochs->owner == DT_NOBEGIN || Max(epochs->issued_at, epochs->owned_since) > epochs->owner;
}

/* An epoch argument; what is not known lets nothing pass. */
static TimestampTz
epoch_arg(FunctionCallInfo fcinfo, int arg)
{
	return PG_ARGISNULL(arg) ? DT_NOEND : PG_GETARG_TIMESTAMPTZ(arg);
}

/*
 * epochs_pass(issued_at timestamptz, owned_since timestamptz, organization_epoch timestamptz DEFAULT '-infinity',
 *			   and likewise principal_epoch, owner_epoch, credential_epoch, delegation_epoch, key_epoch) → boolean
 *		Whether something issued at a moment is later than every epoch that applies to it; '-infinity' is no epoch.
 *
 * A null is not known, and not known is no.
 */
Datum
steward_epochs_pass_sql(PG_FUNCTION_ARGS)
{
	StewardEpochs epochs = {
		.issued_at = PG_ARGISNULL(0) ? DT_NOBEGIN : PG_GETARG_TIMESTAMPTZ(0),
		.owned_since = PG_ARGISNULL(1) ? DT_NOBEGIN : PG_GETARG_TIMESTAMPTZ(1),
		.organization = epoch_arg(fcinfo, 2),
		.principal = epoch_arg(fcinfo, 3),
		.owner = epoch_arg(fcinfo, 4),
		.credential = epoch_arg(fcinfo, 5),
		.delegation = epoch_arg(fcinfo, 6),
		.key = epoch_arg(fcinfo, 7),
	};

	PG_RETURN_BOOL(!PG_ARGISNULL(0) && !PG_ARGISNULL(1) && steward_epochs_pass(&epochs));
}
