/*
 * status.h
 *		Whether a credential is live: the one place where that rule is written.
 */
#ifndef STEWARD_STATUS_H
#define STEWARD_STATUS_H

#include "core/relation.h"
#include "datatype/timestamp.h"

/* Reasons of a check, in the words of authorize(); the order has no meaning. */
typedef enum StewardReason
{
	STEWARD_OK,
	STEWARD_MALFORMED,
	STEWARD_UNKNOWN,
	STEWARD_NOT_YET_VALID,
	STEWARD_EXPIRED,
	STEWARD_REVOKED,
	STEWARD_SUSPENDED,
	STEWARD_ROTATION_OVERDUE,
	STEWARD_HOLDER_OFFBOARDED,
	STEWARD_OWNER_OFFBOARDED,
	STEWARD_ORGANIZATION_INACTIVE,
	STEWARD_BEFORE_EPOCH,
	STEWARD_INSUFFICIENT_SCOPE,
	STEWARD_WRONG_AUDIENCE,
	STEWARD_WRONG_TYPE,
	STEWARD_PROOF_REQUIRED,
	STEWARD_STALE,
	STEWARD_POLICY,
	STEWARD_REASONS
} StewardReason;

extern const char *const steward_reason_names[STEWARD_REASONS];

/* The closed list of kinds of credentials, which ends with NULL; the table's constraint has the same. */
extern const char *const steward_credential_kinds[];

extern StewardReason steward_credential_reason(const StewardRow *credential, Snapshot snapshot, TimestampTz now);

#endif /* STEWARD_STATUS_H */
