/*
 * pg_role.h
 *		PostgreSQL roles as credentials.
 */
#ifndef STEWARD_PG_ROLE_H
#define STEWARD_PG_ROLE_H

#include "nodes/execnodes.h"

extern char *steward_maintain_pg_roles(void);
extern void steward_check_pg_roles(ReturnSetInfo *rsinfo);

#endif /* STEWARD_PG_ROLE_H */
