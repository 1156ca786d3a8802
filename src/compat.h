/*
 * compat.h
 *		Differences between the PostgreSQL versions that steward supports (15 to 18).
 *
 * The only place that tests a version; each test says what changed and when.
 */
#ifndef STEWARD_COMPAT_H
#define STEWARD_COMPAT_H

#if PG_VERSION_NUM < 150000 || PG_VERSION_NUM >= 190000
#error "steward supports PostgreSQL 15 to 18"
#endif

/* 16 has soft input errors: a type's input function may report a bad value without raising it. */
#if PG_VERSION_NUM >= 160000
#include "nodes/miscnodes.h"
#define STEWARD_ESCONTEXT(fcinfo) ((fcinfo)->context)
#define steward_ereturn(escontext, dummy, ...) ereturn(escontext, dummy, __VA_ARGS__)
#else
#define STEWARD_ESCONTEXT(fcinfo) NULL
#define steward_ereturn(escontext, dummy, ...) \
	do \
	{ \
		(void) (escontext); \
		ereport(ERROR, __VA_ARGS__); \
		return dummy; \
	} while (0)
#endif

/* 16 moved the variable-length data macros out of postgres.h. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* 18 lets an index scan report to EXPLAIN; ours are not part of a plan. */
#if PG_VERSION_NUM >= 180000
#define steward_index_beginscan(heap, index, snapshot, nkeys) index_beginscan(heap, index, snapshot, NULL, nkeys, 0)
#else
#define steward_index_beginscan(heap, index, snapshot, nkeys) index_beginscan(heap, index, snapshot, nkeys, 0)
#endif

/* 16 lets an update leave out all but summarizing indexes; ours are inserts. */
#if PG_VERSION_NUM >= 160000
#define steward_insert_index_tuples(target, slot, estate) \
	ExecInsertIndexTuples(target, slot, estate, false, false, NULL, NIL, false)
#else
#define steward_insert_index_tuples(target, slot, estate) \
	ExecInsertIndexTuples(target, slot, estate, false, false, NULL, NIL)
#endif

/* 16 limits CREATEROLE to roles on which it was given ADMIN OPTION. */
#if PG_VERSION_NUM >= 160000
#define STEWARD_ALTER_ROLE_NEEDS_ADMIN
#endif

/* 17 made attstattarget of pg_attribute nullable, and ANALYZE hands on what it resolved it to. */
#if PG_VERSION_NUM >= 170000
#define STEWARD_STATISTICS_TARGET(stats) ((stats)->attstattarget)
#else
#define STEWARD_STATISTICS_TARGET(stats) ((stats)->attr->attstattarget)
#endif

/* 18 tells VACUUM's delays from those of ANALYZE. */
#if PG_VERSION_NUM >= 180000
#define steward_analyze_delay_point() vacuum_delay_point(true)
#else
#define steward_analyze_delay_point() vacuum_delay_point()
#endif

/* 16 asks about the ownership of any kind of object in one function. */
#if PG_VERSION_NUM >= 160000
#define steward_owns_relation(relid, role) object_ownercheck(RelationRelationId, relid, role)
#else
#define steward_owns_relation(relid, role) pg_class_ownercheck(relid, role)
#endif

#endif /* STEWARD_COMPAT_H */
