/*
 * health.h
 *		Whether the installation is as it has to be; each capability brings its checks.
 */
#ifndef STEWARD_HEALTH_H
#define STEWARD_HEALTH_H

#include "nodes/execnodes.h"

/* One check: adds rows to the answer.  Runs inside the bracket, for any caller: what it says is about no one tenant. */
typedef void (*StewardHealthCheck)(ReturnSetInfo *rsinfo);

extern void steward_health_answer(ReturnSetInfo *rsinfo, const char *check, const char *status, const char *detail,
								  const char *remedy);

#endif /* STEWARD_HEALTH_H */
