/*
 * sessions.h
 *		Ending the sessions of PostgreSQL roles, at commit and only then.
 */
#ifndef STEWARD_SESSIONS_H
#define STEWARD_SESSIONS_H

extern void steward_sessions_init(void);
extern void steward_sessions_end_at_commit(Oid role);
extern int steward_sessions_of(Oid role, bool end);

#endif /* STEWARD_SESSIONS_H */
