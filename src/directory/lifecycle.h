/*
 * lifecycle.h
 *		What a change in a directory does to people and to what they hold and own.
 */
#ifndef STEWARD_LIFECYCLE_H
#define STEWARD_LIFECYCLE_H

/*
 * People whose directory rows changed: parallel arrays, one element a person, as a query made them.  All of them are
 * handled by the same set-based statements, be it one or a hundred thousand.
 */
typedef struct StewardAffected
{
	Datum orgs;		   /* uuid[] */
	Datum directories; /* uuid[] */
	Datum externals;   /* text[]: external_id now (before, for a deleted row) */
	Datum users;	   /* uuid[]: directory_user.id */
	Datum managers;	   /* uuid[]: directory_user.manager_user_id; the row itself may be gone */
	Datum old_values;  /* jsonb[]: tracked attributes that changed, before */
	Datum new_values;  /* jsonb[]: the same, after */
	Datum event_times; /* timestamptz[] */
	bool deleted;	   /* the rows are gone */
} StewardAffected;

/* Leavers: parallel arrays, one element a person. */
typedef struct StewardLeavers
{
	Datum orgs;		  /* uuid[] */
	Datum principals; /* uuid[] */
	Datum events;	  /* uuid[]: the lifecycle event of each, already recorded */
} StewardLeavers;

extern void steward_apply_lifecycle(const StewardAffected *affected);
extern void steward_offboard(const StewardAffected *affected, const StewardLeavers *leavers);

#endif /* STEWARD_LIFECYCLE_H */
