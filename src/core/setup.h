/*
 * setup.h
 *		The scripts that steward.setup() runs, compiled in.
 */
#ifndef STEWARD_SETUP_H
#define STEWARD_SETUP_H

typedef enum StewardSetupKind
{
	STEWARD_SETUP_TABLE,	 /* run once, when the schema is new */
	STEWARD_SETUP_OBJECT,	 /* run at every setup: views, triggers, policies, functions, grants */
	STEWARD_SETUP_MIGRATION, /* run once, on the way from an older schema */
	STEWARD_SETUP_END
} StewardSetupKind;

typedef struct StewardSetupScript
{
	StewardSetupKind kind;
	const char *name; /* file name without directory and ending */
	const char *text;
} StewardSetupScript;

/* In src/core/setup_script.c, which the build generates from sql/setup; ends with STEWARD_SETUP_END. */
extern const StewardSetupScript steward_setup_scripts[];

#endif /* STEWARD_SETUP_H */
