/*
 * setup.h
 *		The scripts that steward.setup() runs, compiled in.
 */
#ifndef STEWARD_SETUP_H
#define STEWARD_SETUP_H

typedef enum StewardSetupKind
{
	STEWARD_SETUP_TABLE,	 /* run once, when the schema is new, as the owner */
	STEWARD_SETUP_OBJECT,	 /* run at every setup, as the owner: views and SQL functions */
	STEWARD_SETUP_PRIVILEGE, /* run at every setup, as the superuser: who may execute and read what */
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

extern int steward_compare_versions(const char *a, const char *b);

#endif /* STEWARD_SETUP_H */
