/*
 * epoch.h
 *		Epochs: what was issued at or before one is dead.
 */
#ifndef STEWARD_EPOCH_H
#define STEWARD_EPOCH_H

#include "datatype/timestamp.h"

/*
 * Everything that decides.  Fill in what applies and leave the rest as STEWARD_NO_EPOCHS has it: no epoch there.
 *
 * The owner's epoch is compared with the time since which the owner has owned, where that is later than the issuing:
 * what somebody takes over from a leaver was never theirs to know before, and must not die of an epoch of theirs from
 * years ago.
 */
typedef struct StewardEpochs
{
	TimestampTz issued_at;	 /* when the credential or token was made */
	TimestampTz owned_since; /* since when its present owner has answered for it */
	TimestampTz organization;
	TimestampTz principal;
	TimestampTz owner;
	TimestampTz credential; /* of the credential that a token derives from */
	TimestampTz delegation; /* under which a token was exchanged */
	TimestampTz key;		/* that signed a token */
} StewardEpochs;

#define STEWARD_NO_EPOCHS \
	{ \
		DT_NOBEGIN, DT_NOBEGIN, DT_NOBEGIN, DT_NOBEGIN, DT_NOBEGIN, DT_NOBEGIN, DT_NOBEGIN, DT_NOBEGIN \
	}

extern bool steward_epochs_pass(const StewardEpochs *epochs);

#endif /* STEWARD_EPOCH_H */
