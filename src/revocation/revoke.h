/*
 * revoke.h
 *		Taking credentials away: the act itself.
 */
#ifndef STEWARD_REVOKE_H
#define STEWARD_REVOKE_H

#include "datatype/timestamp.h"
#include "utils/uuid.h"

#include "revocation/targets.h"

/* One act: what goes into its row. */
typedef struct StewardAct
{
	const char *reason;
	const char *note;		  /* or NULL */
	const char *subject_kind; /* credential, principal, organization, filter */
	Datum orgs;				  /* uuid[], one element an act, as the following three */
	Datum ids;
	Datum subjects;
	Datum events;	  /* lifecycle events */
	Datum filter;	  /* jsonb, or 0 */
	int64 principals; /* whose epoch moved */
	bool has_epoch;
	TimestampTz epoch;
	bool settled; /* all rows are brought up to date by it */
} StewardAct;

/* What an act did. */
typedef struct StewardActResult
{
	int64 acts; /* that did something */
	int64 credentials;
	int64 principals;
	int64 pending;
} StewardActResult;

extern void steward_act(const StewardAct *act, const StewardTargets *targets, StewardActResult *result);
extern void steward_revoke_for_events(Datum orgs, Datum credentials, Datum events, const char *reason);
extern char *steward_maintain_settle(void);

#endif /* STEWARD_REVOKE_H */
