/*
 * capture_config.h
 *		Auditing tables outside steward: what time and health ask for.
 */
#ifndef STEWARD_CAPTURE_CONFIG_H
#define STEWARD_CAPTURE_CONFIG_H

#include "nodes/execnodes.h"

extern char *steward_complete_captures(void);
extern void steward_check_captures(ReturnSetInfo *rsinfo);

#endif /* STEWARD_CAPTURE_CONFIG_H */
