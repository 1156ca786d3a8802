/*
 * module.h
 *		Settings (doc/reference.md lists them).
 */
#ifndef STEWARD_MODULE_H
#define STEWARD_MODULE_H

/* steward.request_id */
extern char *steward_request_id;

/* steward.max_staleness, in milliseconds; 0 is off */
extern int steward_max_staleness;

/* steward.defer_bookkeeping */
extern bool steward_defer_bookkeeping;

/* steward.notify */
extern bool steward_notify;

#endif /* STEWARD_MODULE_H */
