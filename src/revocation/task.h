/*
 * task.h
 *		What other systems have to be told.
 */
#ifndef STEWARD_TASK_H
#define STEWARD_TASK_H

#include "nodes/execnodes.h"

extern void steward_check_tasks(ReturnSetInfo *rsinfo);

#endif /* STEWARD_TASK_H */
