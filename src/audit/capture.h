/*
 * capture.h
 *		The audit trigger's numbering, for those who ask what a transaction has recorded, and its arguments.
 */
#ifndef STEWARD_CAPTURE_H
#define STEWARD_CAPTURE_H

/*
 * Arguments of the audit triggers on tables outside steward: which organization, then columns left out and masked.
 * Steward's own tables have none.
 */
#define STEWARD_ARG_ORG "org:"		 /* all rows belong to this organization */
#define STEWARD_ARG_COLUMN "column:" /* this column names the organization of a row */
#define STEWARD_ARG_LEFT_OUT "-"
#define STEWARD_ARG_MASKED "*"

extern int32 steward_next_event(void);

#endif /* STEWARD_CAPTURE_H */
