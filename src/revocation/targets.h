/*
 * targets.h
 *		Which credentials an act of revocation takes, with everything that derives from them.
 */
#ifndef STEWARD_TARGETS_H
#define STEWARD_TARGETS_H

#include "utils/uuid.h"

/* A credential of an organization. */
typedef struct StewardTargetKey
{
	pg_uuid_t org;
	pg_uuid_t credential;
} StewardTargetKey;

/* The credentials found so far, each once, in the order in which they were found, and the act that takes each. */
typedef struct StewardTargets
{
	struct target_hash *seen;
	StewardTargetKey *keys;
	pg_uuid_t *acts;
	int n;
	int room;
} StewardTargets;

extern StewardTargets *steward_targets_make(int expected);
extern void steward_targets_add(StewardTargets *targets, const pg_uuid_t *org, const pg_uuid_t *credential,
								const pg_uuid_t *act);
extern void steward_targets_add_results(StewardTargets *targets, const pg_uuid_t *act);
extern void steward_targets_follow(StewardTargets *targets, bool rotated);
extern void steward_targets_arrays(const StewardTargets *targets, Datum *orgs, Datum *credentials, Datum *acts);

#endif /* STEWARD_TARGETS_H */
