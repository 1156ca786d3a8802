/*
 * suspend.h
 *		Stopping principals and credentials without revoking them, and letting them act again.
 */
#ifndef STEWARD_SUSPEND_H
#define STEWARD_SUSPEND_H

#include "datatype/timestamp.h"
#include "utils/uuid.h"

/*
 * What is meant: parallel arrays, one element a subject, which is either a principal or a credential; the other is null.
 */
typedef struct StewardSubjects
{
	Datum orgs;		   /* uuid[] */
	Datum principals;  /* uuid[] */
	Datum credentials; /* uuid[] */
} StewardSubjects;

extern StewardSubjects steward_one_subject(const pg_uuid_t *org, const pg_uuid_t *principal,
										   const pg_uuid_t *credential);

/* Inside the bracket; cause is one of the closed list, until is NULL for no end.  Answers with how many are new. */
extern int64 steward_suspend_subjects(const StewardSubjects *subjects, const char *cause, const char *reason,
									  const TimestampTz *until);

/* Lifts what that cause suspends, and nothing else; answers with how many suspensions. */
extern int64 steward_reinstate_subjects(const StewardSubjects *subjects, const char *cause, const char *reason);

/* A step of maintain(). */
extern char *steward_lift_ended(void);

#endif /* STEWARD_SUSPEND_H */
