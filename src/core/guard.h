/*
 * guard.h
 *		What has to hold for each of steward's tables: policies and triggers.
 */
#ifndef STEWARD_GUARD_H
#define STEWARD_GUARD_H

/* A table of steward and what protects it. */
typedef struct StewardGuardedTable
{
	const char *name;
	const char *reader; /* profile that may see an organization's rows through views; NULL: nobody */
	const char *writer; /* profile that may change them directly; NULL: nobody */
	const char *org;	/* column that holds the organization; NULL for what belongs to the installation */
	bool audited;
} StewardGuardedTable;

/* A trigger beyond those that every table has. */
typedef struct StewardTrigger
{
	const char *table;
	const char *name;
	const char *head;	  /* "" or "CONSTRAINT" */
	const char *events;	  /* time and events */
	const char *tail;	  /* transition tables, level */
	const char *function; /* in schema steward */
} StewardTrigger;

extern const StewardGuardedTable steward_guarded_tables[];
extern const StewardTrigger steward_triggers[];

/* What keeps a state that differs; returns how many were mended or, when mend is false, differ. */
typedef void (*StewardGuardReport)(const char *table, const char *what, void *arg);
extern int steward_guard_tables(bool mend, StewardGuardReport report, void *arg);
extern int steward_guard_owners(bool mend, StewardGuardReport report, void *arg);
extern int steward_audit_partitions(int months_ahead);

#endif /* STEWARD_GUARD_H */
