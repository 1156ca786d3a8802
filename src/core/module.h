/*
 * module.h
 *		Settings (doc/reference.md lists them).
 */
#ifndef STEWARD_MODULE_H
#define STEWARD_MODULE_H

/* steward.request_id */
extern char *steward_request_id;

#endif /* STEWARD_MODULE_H */
