/*
 * incarnation.h
 *		Which database writes the log.
 */
#ifndef STEWARD_INCARNATION_H
#define STEWARD_INCARNATION_H

#include "access/transam.h"

/* How this database compares with the one that the log was written by last. */
typedef enum StewardLineage
{
	STEWARD_SAME,	  /* it is the one */
	STEWARD_PROMOTED, /* it goes on in its place: the same database on another timeline */
	STEWARD_COPIED	  /* it is a copy or was restored */
} StewardLineage;

/* The last recorded incarnation. */
typedef struct StewardIncarnation
{
	int32 number; /* 0: none */
	uint64 began_xact;
	bool announced;
	StewardLineage lineage;
} StewardIncarnation;

extern StewardIncarnation steward_last_incarnation(void);
extern bool steward_begin_incarnation(bool announced);
extern void steward_incarnation_init(void);

#endif /* STEWARD_INCARNATION_H */
