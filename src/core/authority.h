/*
 * authority.h
 *		Who may do what in which organization, and the bracket in which it is then done.
 */
#ifndef STEWARD_AUTHORITY_H
#define STEWARD_AUTHORITY_H

#include "executor/spi.h"
#include "nodes/pg_list.h"
#include "utils/uuid.h"

/* Profiles, as bits; a role's set is the union over the grants of the roles it is a member of. */
#define STEWARD_PROFILE_APP (1 << 0)
#define STEWARD_PROFILE_CONNECTOR (1 << 1)
#define STEWARD_PROFILE_ANALYST (1 << 2)
#define STEWARD_PROFILE_AUDITOR (1 << 3)
#define STEWARD_PROFILE_SECURITY (1 << 4)
#define STEWARD_PROFILE_ADMIN (1 << 5)
#define STEWARD_PROFILES 6

extern const char *const steward_profile_names[STEWARD_PROFILES];

extern uint32 steward_profiles_of(Oid role, const pg_uuid_t *org);
extern List *steward_orgs_of(Oid role, uint32 wanted);
extern uint32 steward_require(const pg_uuid_t *org, uint32 any_of);
extern void steward_require_somewhere(uint32 any_of);
extern Oid steward_caller(void);
extern char *steward_caller_name(void);

/*
 * The bracket: code between the two macros runs as the owner of the tables, outside row-level security, with the
 * search path pinned, connected to SPI.  No policy filters there, so every statement names org_id.  It is left on
 * errors too; do not return out of it.
 */
typedef struct StewardBracket
{
	Oid user;
	int security;
	int guc_level;
	Oid caller;
} StewardBracket;

extern void steward_bracket_enter(StewardBracket *bracket);
extern void steward_bracket_leave(StewardBracket *bracket);

#define STEWARD_AS_OWNER() \
	do \
	{ \
		StewardBracket bracket_; \
		steward_bracket_enter(&bracket_); \
		PG_TRY(); \
		{ \
			SPI_connect();
#define STEWARD_AS_OWNER_END() \
	SPI_finish(); \
	} \
	PG_FINALLY(); \
	{ \
		steward_bracket_leave(&bracket_); \
	} \
	PG_END_TRY(); \
	} \
	while (0)

#endif /* STEWARD_AUTHORITY_H */
