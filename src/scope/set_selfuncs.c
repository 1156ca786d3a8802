/*
 * set_selfuncs.c
 *		How many rows the planner expects from @>, <@ and && on sets of scopes, and from unnest().
 *
 * For sets that cover or overlap what is asked, the most common keys that ANALYZE has stored (set_stats.c) are compared
 * with it and their frequencies combined.  What keys cannot tell (a set that is covered, a column of single scopes) is
 * tried on the most common values and the histogram, as the server does for other types.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_statistic.h"
#include "fmgr.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"

#include "core/plan.h"
#include "scope/index_key.h"
#include "scope/match.h"
#include "scope/scope.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_scope_covers_sel);
PG_FUNCTION_INFO_V1(steward_scope_covered_sel);
PG_FUNCTION_INFO_V1(steward_scope_overlaps_sel);
PG_FUNCTION_INFO_V1(steward_scope_covers_join_sel);
PG_FUNCTION_INFO_V1(steward_scope_covered_join_sel);
PG_FUNCTION_INFO_V1(steward_scope_overlaps_join_sel);
PG_FUNCTION_INFO_V1(steward_scope_set_unnest_support);

/* What a set is taken to have where nothing is known. */
#define DEFAULT_MEMBERS 10

/* A join is estimated from so many values of the other side's histogram. */
#define JOIN_SAMPLE 20

/* What the set in question does with what is asked. */
typedef enum Relationship
{
	COVERS,
	COVERED,
	OVERLAPS
} Relationship;

/*
 * The part of sets for which one of the asked scopes has something in common with a key.
 *
 * A wildcard asks for keys that are not among the most common ones, too.  They are taken to be like those: share is the
 * part of all members that the most common keys account for.
 */
static double
overlap_part(const AttStatsSlot *keys, double share, const uint8_t *asked, double unknown)
{
	double none = 1.0;
	bool wildcards = false;
	StewardSetWalk walk;

	steward_set_walk(&walk, asked);
	while (!wildcards && steward_set_next(&walk))
		wildcards = memchr(walk.text, '*', walk.len) != NULL;

	for (int i = 0; i < keys->nvalues; i++)
	{
		Scope *key = DatumGetScopeP(keys->values[i]);

		if (steward_set_overlaps(asked, SCOPE_TEXT(key)))
			none *= 1.0 - keys->numbers[i];
	}
	if (none >= 1.0)
		return unknown;
	return 1.0 - (wildcards ? pow(none, 1.0 / share) : none);
}

/* The part of sets that cover each of the asked scopes, which are taken to be independent of each other. */
static double
cover_part(const AttStatsSlot *keys, const uint8_t *asked, double unknown)
{
	double part = 1.0;
	StewardSetWalk walk;

	steward_set_walk(&walk, asked);
	/* More of them would not make it better, and planning time counts. */
	for (int n = 0; n < JOIN_SAMPLE && steward_set_next(&walk); n++)
	{
		double none = 1.0;
		bool whole;
		size_t cut = steward_index_cut(walk.text, walk.len, &whole);

		for (int i = 0; i < keys->nvalues; i++)
		{
			Scope *key = DatumGetScopeP(keys->values[i]);

			/* A key may be the beginning of a member that covers it, and is then compared with its beginning. */
			if (steward_scope_covers(SCOPE_TEXT(key), walk.text, walk.len) ||
				(cut < walk.len && steward_scope_covers(SCOPE_TEXT(key), walk.text, cut)))
				none *= 1.0 - keys->numbers[i];
		}
		part *= none < 1.0 ? 1.0 - none : unknown;
	}
	return part;
}

/* The part of rows that are NULL. */
static double
null_part_of(HeapTuple statistics)
{
	return ((Form_pg_statistic) GETSTRUCT(statistics))->stanullfrac;
}

/* How many members sets have on average; -1 where statistics do not say. */
static double
average_of(HeapTuple statistics)
{
	AttStatsSlot slot;
	double average = -1.0;

	if (!HeapTupleIsValid(statistics) ||
		!get_attstatsslot(&slot, statistics, STATISTIC_KIND_DECHIST, InvalidOid, ATTSTATSSLOT_NUMBERS))
		return average;
	if (slot.nnumbers > 0)
		average = slot.numbers[slot.nnumbers - 1];
	free_attstatsslot(&slot);
	return average;
}

/* The part of all members that the most common keys account for; never 0. */
static double
share_of(const AttStatsSlot *keys, HeapTuple statistics)
{
	double average = average_of(statistics);
	double counted = 0.0;

	for (int i = 0; i < keys->nvalues; i++)
		counted += keys->numbers[i];
	if (average <= 0.0 || counted >= average)
		return 1.0;
	return Max(counted / average, 0.001);
}

/* The part of rows whose set covers or overlaps what is asked; keys are the most common ones of these statistics. */
static double
part_from_keys(const AttStatsSlot *keys, HeapTuple statistics, const uint8_t *asked, Relationship relationship)
{
	/* A key that is not among them is rarer than the rarest of them, whose frequency follows theirs. */
	double unknown = keys->numbers[keys->nvalues] / 2;
	double part = relationship == COVERS ? cover_part(keys, asked, unknown)
										 : overlap_part(keys, share_of(keys, statistics), asked, unknown);

	CLAMP_PROBABILITY(part);
	return part * (1.0 - null_part_of(statistics));
}

/* The most common keys of a variable, where there are some; to be freed with free_attstatsslot(). */
static bool
get_keys(VariableStatData *variable, Oid op, AttStatsSlot *keys)
{
	if (!HeapTupleIsValid(variable->statsTuple) || !statistic_proc_security_check(variable, get_opcode(op)))
		return false;
	if (!get_attstatsslot(keys, variable->statsTuple, STATISTIC_KIND_MCELEM, InvalidOid,
						  ATTSTATSSLOT_VALUES | ATTSTATSSLOT_NUMBERS))
		return false;
	if (keys->nvalues > 0 && keys->nnumbers == keys->nvalues + 2)
		return true;
	free_attstatsslot(keys);
	return false;
}

/* The packed set of what is asked, be it a scope or a set. */
static const uint8_t *
asked_set(Datum value, Oid type)
{
	Scope *scope;
	StewardSetWriter writer;
	uint8_t *set;

	if (type == steward_own_type("scope_set"))
		return SCOPE_SET_BYTES(DatumGetScopeSetP(value));
	scope = DatumGetScopeP(value);
	set = palloc(steward_set_room(1, VARSIZE_ANY_EXHDR(scope)));
	steward_set_begin(&writer, set);
	steward_set_add(&writer, SCOPE_TEXT(scope));
	(void) steward_set_end(&writer);
	return set;
}

/* What the operator says of its right side: the relationship as seen from there. */
static Relationship
reverse(Relationship relationship)
{
	switch (relationship)
	{
		case COVERS:
			return COVERED;
		case COVERED:
			return COVERS;
		case OVERLAPS:
			break;
	}
	return OVERLAPS;
}

/* Restriction selectivity; relationship is what the operator's left side does with its right. */
static Datum
restriction(FunctionCallInfo fcinfo, Relationship relationship)
{
	PlannerInfo *root = (PlannerInfo *) PG_GETARG_POINTER(0);
	Oid op = PG_GETARG_OID(1);
	List *args = (List *) PG_GETARG_POINTER(2);
	int relid = PG_GETARG_INT32(3);
	VariableStatData variable;
	AttStatsSlot keys;
	Node *other;
	bool on_left;
	double part = -1.0;

	if (get_restriction_variable(root, args, relid, &variable, &other, &on_left))
	{
		if (!on_left)
			relationship = reverse(relationship);
		if (IsA(other, Const) && ((Const *) other)->constisnull)
			part = 0.0;
		else if (IsA(other, Const) && relationship != COVERED && get_keys(&variable, op, &keys))
		{
			const uint8_t *asked = asked_set(((Const *) other)->constvalue, ((Const *) other)->consttype);

			part = part_from_keys(&keys, variable.statsTuple, asked, relationship);
			free_attstatsslot(&keys);
		}
		ReleaseVariableStats(variable);
	}
	if (part < 0.0)
		part = generic_restriction_selectivity(root, op, InvalidOid, args, relid, DEFAULT_MATCHING_SEL);
	CLAMP_PROBABILITY(part);
	PG_RETURN_FLOAT8(part);
}

/*
 * Join selectivity where one side is a set with known keys: the average over values of the other side, the most common
 * ones by their frequency and some of its histogram by what is left; -1 where nothing is known.
 */
static double
join_part(VariableStatData *sets, VariableStatData *others, Oid op, Relationship relationship)
{
	AttStatsSlot keys;
	AttStatsSlot values;
	double part = 0.0;
	double weight = 0.0;

	if (!HeapTupleIsValid(others->statsTuple) || !statistic_proc_security_check(others, get_opcode(op)) ||
		!get_keys(sets, op, &keys))
		return -1.0;
	if (get_attstatsslot(&values, others->statsTuple, STATISTIC_KIND_MCV, InvalidOid,
						 ATTSTATSSLOT_VALUES | ATTSTATSSLOT_NUMBERS))
	{
		for (int i = 0; i < Min(values.nvalues, JOIN_SAMPLE); i++)
		{
			const uint8_t *asked = asked_set(values.values[i], others->vartype);

			part += values.numbers[i] * part_from_keys(&keys, sets->statsTuple, asked, relationship);
			weight += values.numbers[i];
		}
		free_attstatsslot(&values);
	}
	if (get_attstatsslot(&values, others->statsTuple, STATISTIC_KIND_HISTOGRAM, InvalidOid, ATTSTATSSLOT_VALUES))
	{
		int sample = Min(values.nvalues, JOIN_SAMPLE);
		double rest = Max(1.0 - weight - null_part_of(others->statsTuple), 0.0);

		for (int i = 0; i < sample; i++)
		{
			const uint8_t *asked = asked_set(values.values[(int64) i * values.nvalues / sample], others->vartype);

			part += rest / sample * part_from_keys(&keys, sets->statsTuple, asked, relationship);
		}
		weight += rest;
		free_attstatsslot(&values);
	}
	free_attstatsslot(&keys);
	if (weight <= 0.0)
		return -1.0;
	/* Values that were not looked at are taken to be like the others. */
	return part / weight * (1.0 - null_part_of(others->statsTuple));
}

/* Join selectivity; relationship is what the operator's left side does with its right. */
static Datum
join(FunctionCallInfo fcinfo, Relationship relationship)
{
	PlannerInfo *root = (PlannerInfo *) PG_GETARG_POINTER(0);
	Oid op = PG_GETARG_OID(1);
	List *args = (List *) PG_GETARG_POINTER(2);
	SpecialJoinInfo *join_info = (SpecialJoinInfo *) PG_GETARG_POINTER(4);
	VariableStatData left;
	VariableStatData right;
	bool reversed;
	double part = -1.0;

	get_join_variables(root, args, join_info, &left, &right, &reversed);
	if (relationship != COVERED)
		part = join_part(&left, &right, op, relationship);
	if (part < 0.0 && relationship != COVERS)
		part = join_part(&right, &left, op, reverse(relationship));
	ReleaseVariableStats(left);
	ReleaseVariableStats(right);
	if (part < 0.0)
		part = DEFAULT_MATCHING_SEL;
	CLAMP_PROBABILITY(part);
	PG_RETURN_FLOAT8(part);
}

/* RESTRICT of @> */
Datum
steward_scope_covers_sel(PG_FUNCTION_ARGS)
{
	return restriction(fcinfo, COVERS);
}

/* RESTRICT of <@ */
Datum
steward_scope_covered_sel(PG_FUNCTION_ARGS)
{
	return restriction(fcinfo, COVERED);
}

/* RESTRICT of && */
Datum
steward_scope_overlaps_sel(PG_FUNCTION_ARGS)
{
	return restriction(fcinfo, OVERLAPS);
}

/* JOIN of @> */
Datum
steward_scope_covers_join_sel(PG_FUNCTION_ARGS)
{
	return join(fcinfo, COVERS);
}

/* JOIN of <@ */
Datum
steward_scope_covered_join_sel(PG_FUNCTION_ARGS)
{
	return join(fcinfo, COVERED);
}

/* JOIN of && */
Datum
steward_scope_overlaps_join_sel(PG_FUNCTION_ARGS)
{
	return join(fcinfo, OVERLAPS);
}

/* How many members the sets of an expression have on average, as far as statistics tell. */
static double
average_members(PlannerInfo *root, Node *expression)
{
	VariableStatData variable;
	double members;

	examine_variable(root, expression, 0, &variable);
	members = average_of(variable.statsTuple);
	ReleaseVariableStats(variable);
	if (members < 0.0)
		members = DEFAULT_MEMBERS;
	return members;
}

/* Planner support of unnest(scope_set): how many rows it returns. */
Datum
steward_scope_set_unnest_support(PG_FUNCTION_ARGS)
{
	Node *request = (Node *) PG_GETARG_POINTER(0);
	SupportRequestRows *rows = (SupportRequestRows *) request;
	Node *argument;

	if (!IsA(request, SupportRequestRows) || !is_funcclause(rows->node))
		PG_RETURN_POINTER(NULL);
	argument = linitial(((FuncExpr *) rows->node)->args);
	/* A parameter whose value is known counts as a constant. */
	argument = estimate_expression_value(rows->root, argument);
	if (IsA(argument, Const))
		rows->rows = ((Const *) argument)->constisnull
						 ? 0
						 : steward_scope_set_cardinality(DatumGetScopeSetP(((Const *) argument)->constvalue));
	else
		rows->rows = average_members(rows->root, argument);
	PG_RETURN_POINTER(request);
}
