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
	const char *cause; /* of a mover; NULL: what the directory's row says */
} StewardAffected;

/* People of one kind of event: parallel arrays, one element a person. */
typedef struct StewardPeople
{
	int64 n;
	Datum orgs;		  /* uuid[] */
	Datum principals; /* uuid[] */
	Datum events;	  /* uuid[]: the lifecycle event of each, already recorded; null for one without */
} StewardPeople;

/*
 * Policies: of directory d where it has its own, else of the organization.  POLICIES joins what POLICY reads.
 */
#define POLICIES(org, directory) \
	"JOIN steward.org_policy o ON o.org_id = " org " LEFT JOIN steward.directory_policy dp ON dp.org_id = " org \
	" AND dp.directory_id = " directory " "
#define POLICY(column) "coalesce(dp." column ", o." column ")"

/* The person's row u in directory d vouches for them now. */
#define VOUCHES "u.active AND (u.end_date IS NULL OR u.end_date > clock_timestamp()) AND d.state = 'linked'"

/* Joins the directory's rows of source identity i. */
#define DIRECTORY_ROWS \
	"steward.directory_user u ON u.org_id = i.org_id AND u.directory_id = i.directory_id " \
	"AND u.external_id = i.external_id " \
	"JOIN steward.directory d ON d.org_id = u.org_id AND d.id = u.directory_id"

/* Columns of StewardAffected, in its order, of a row r; before, after and at are expressions. */
#define AFFECTED_AT(r, before, after, at) \
	"SELECT array_agg(" r ".org_id), array_agg(" r ".directory_id), array_agg(" r ".external_id), array_agg(" r \
	".id), array_agg(" r ".manager_user_id), array_agg(" before "), array_agg(" after "), array_agg(" at \
	"), count(*) "
#define AFFECTED(r, before, after) AFFECTED_AT(r, before, after, r ".event_time")

extern bool steward_affected_result(StewardAffected *affected);
extern void steward_apply_lifecycle(const StewardAffected *affected);
extern void steward_offboard(const StewardAffected *affected, const StewardPeople *leavers);
extern void steward_end_suspended(const StewardPeople *leavers);
extern void steward_suspend_people(const StewardPeople *people);
extern void steward_resume_people(const StewardPeople *people);
extern void steward_rehire_people(const StewardPeople *people);
extern void steward_apply_birthrights(const StewardPeople *people);
extern void steward_check_brake(const StewardPeople *people);
extern void steward_skip_brake(bool skip);

/* Preview.c and maintain.c know these. */
extern char *steward_lifecycle_due(void);

#endif /* STEWARD_LIFECYCLE_H */
