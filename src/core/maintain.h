/*
 * maintain.h
 *		What time asks for beyond the checks; each capability brings its steps.
 */
#ifndef STEWARD_MAINTAIN_H
#define STEWARD_MAINTAIN_H

/*
 * One step of maintain(): does what is due and says so in a few words.  Runs inside the bracket; safe beside itself in
 * another session, and doing nothing when nothing is due.
 */
typedef struct StewardMaintenance
{
	const char *step;
	char *(*run)(void);
} StewardMaintenance;

#endif /* STEWARD_MAINTAIN_H */
