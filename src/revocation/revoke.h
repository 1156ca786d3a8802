/*
 * revoke.h
 *		Taking credentials away.
 */
#ifndef STEWARD_REVOKE_H
#define STEWARD_REVOKE_H

extern void steward_revoke_for_events(Datum orgs, Datum credentials, Datum events, const char *reason);

#endif /* STEWARD_REVOKE_H */
