/*
 * governance.h
 *		What the control boundary, signals and findings do as time goes by, and what they tell health.
 */
#ifndef STEWARD_GOVERNANCE_H
#define STEWARD_GOVERNANCE_H

#include "nodes/execnodes.h"

/* Steps of maintain(). */
extern char *steward_evaluate_due_controls(void);
extern char *steward_end_containments(void);
extern char *steward_count_findings(void);

/* Checks of health. */
extern void steward_check_libraries(ReturnSetInfo *rsinfo);
extern void steward_check_backlog(ReturnSetInfo *rsinfo);
extern void steward_check_brakes(ReturnSetInfo *rsinfo);
extern void steward_check_horizon(ReturnSetInfo *rsinfo);
extern void steward_check_settings(ReturnSetInfo *rsinfo);
extern void steward_check_partitions_ahead(ReturnSetInfo *rsinfo);

#endif /* STEWARD_GOVERNANCE_H */
