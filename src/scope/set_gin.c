/*
 * set_gin.c
 *		GIN support of the type scope_set: "who can do X", "who has anything under it".
 *
 * The index has each member's key (scope/index_key.h), and a search asks for all keys that a set which is meant may
 * have.  An answer is looked at again in the table, unless the keys that were found prove it; so an index never decides
 * anything that the operators would not.
 */
#include "postgres.h"

#include "access/gin.h"
#include "access/stratnum.h"
#include "fmgr.h"

#include "scope/index_key.h"
#include "scope/match.h"
#include "scope/scope.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_scope_set_gin_value);
PG_FUNCTION_INFO_V1(steward_scope_set_gin_query);
PG_FUNCTION_INFO_V1(steward_scope_set_gin_partial);
PG_FUNCTION_INFO_V1(steward_scope_set_gin_consistent);

/* Strategy numbers of the operator class; the first four are those of arrays. */
#define OVERLAPS_SET 1
#define COVERS_SET 2
#define COVERED_BY_SET 3
#define EQUALS_SET 4
#define COVERS_SCOPE 5
#define OVERLAPS_SCOPE 6
#define COVERED_BY_SCOPE 7

/* Of more asked scopes than this, the rest is left to the second look. */
#define MAX_ASKED 16

/* Which kind of question a strategy is. */
typedef enum Question
{
	OVERLAPS,
	COVERS,
	COVERED_BY,
	EQUALS
} Question;

/*
 * What is known about a key that is looked for.  Keys of one asked scope are a group: one of them suffices.  Keys that a
 * prefix finds are passed over unless they go with the asked scope, or with any of the asked set where there are too many.
 */
typedef struct KeyInfo
{
	int group;
	bool exact;
	bool rest; /* there are asked scopes without keys */
	const uint8_t *set;
	const char *text;
	size_t len;
} KeyInfo;

/* The keys of a query as they are gathered. */
typedef struct Query
{
	Datum *keys;
	bool *partial;
	Pointer *infos;
	int count;
	int room;
} Query;

static Question
question_of(StrategyNumber strategy)
{
	switch (strategy)
	{
		case OVERLAPS_SET:
		case OVERLAPS_SCOPE:
			return OVERLAPS;
		case COVERS_SET:
		case COVERS_SCOPE:
			return COVERS;
		case COVERED_BY_SET:
		case COVERED_BY_SCOPE:
			return COVERED_BY;
		case EQUALS_SET:
			return EQUALS;
	}
	elog(ERROR, "unknown strategy number %d", strategy);
	return EQUALS;
}

/* GIN support function 2: the keys of a set. */
Datum
steward_scope_set_gin_value(PG_FUNCTION_ARGS)
{
	const uint8_t *set = SCOPE_SET_BYTES(PG_GETARG_SCOPE_SET_P(0));
	int32 *nkeys = (int32 *) PG_GETARG_POINTER(1);
	int count = steward_set_count(set);
	Datum *keys;
	char *room;
	StewardSetWalk walk;

	*nkeys = count;
	if (count == 0)
		PG_RETURN_POINTER(NULL);
	/* All in one piece: an index is built faster so. */
	keys = palloc(count * sizeof(Datum));
	room = palloc(count * (VARHDRSZ + sizeof(int32)) + steward_set_text_len(set));
	steward_set_walk(&walk, set);
	for (int i = 0; steward_set_next(&walk); i++)
	{
		bool whole;
		size_t len = steward_index_cut(walk.text, walk.len, &whole);

		SET_VARSIZE(room, VARHDRSZ + len);
		memcpy(VARDATA(room), walk.text, len);
		keys[i] = PointerGetDatum(room);
		room += INTALIGN(VARHDRSZ + len);
	}
	PG_RETURN_POINTER(keys);
}

/* Makes room for so many more keys. */
static void
make_room(Query *query, int more)
{
	if (query->count + more <= query->room)
		return;
	query->room = query->room == 0 ? more : Max(query->count + more, 2 * query->room);
	if (query->keys == NULL)
	{
		query->keys = palloc(query->room * sizeof(Datum));
		query->partial = palloc(query->room * sizeof(bool));
		query->infos = palloc(query->room * sizeof(Pointer));
	}
	else
	{
		query->keys = repalloc(query->keys, query->room * sizeof(Datum));
		query->partial = repalloc(query->partial, query->room * sizeof(bool));
		query->infos = repalloc(query->infos, query->room * sizeof(Pointer));
	}
}

/* Adds keys to look for, of which is known what info says, but for whether they are exact. */
static void
add_keys(Query *query, const StewardIndexKey *keys, int count, const KeyInfo *info)
{
	KeyInfo *infos = palloc(count * sizeof(KeyInfo));

	make_room(query, count);
	for (int i = 0; i < count; i++)
	{
		infos[i] = *info;
		infos[i].exact = keys[i].exact;
		query->keys[query->count] = PointerGetDatum(steward_scope_make(keys[i].text, keys[i].len));
		query->partial[query->count] = keys[i].prefix;
		query->infos[query->count] = (Pointer) &infos[i];
		query->count++;
	}
}

/* Adds the keys that an asked scope is looked for by. */
static void
ask_for(Query *query, Question question, int group, bool rest, const char *scope, size_t len)
{
	StewardIndexKey keys[STEWARD_INDEX_MAX_KEYS];
	KeyInfo info = {group, false, rest, NULL, NULL, len};
	char *text = palloc(len);
	int count = 0;
	bool whole;

	memcpy(text, scope, len);
	info.text = text;
	switch (question)
	{
		case OVERLAPS:
			count = steward_index_overlapping(scope, len, keys);
			break;
		case COVERS:
			count = steward_index_covering(scope, len, keys);
			break;
		case COVERED_BY:
			count = steward_index_covered(scope, len, keys);
			break;
		case EQUALS:
			keys[0].prefix = false;
			keys[0].exact = false;
			keys[0].len = (uint16_t) steward_index_cut(scope, len, &whole);
			memcpy(keys[0].text, scope, keys[0].len);
			count = 1;
			break;
	}
	add_keys(query, keys, count, &info);
}

/* Adds the prefix of all keys; those are meant that go with any member of the set. */
static void
ask_for_any(Query *query, const uint8_t *set)
{
	StewardIndexKey all = {true, false, 0, ""};
	KeyInfo info = {0, false, false, set, NULL, 0};

	add_keys(query, &all, 1, &info);
}

/* GIN support function 3: the keys to look for. */
Datum
steward_scope_set_gin_query(PG_FUNCTION_ARGS)
{
	int32 *nkeys = (int32 *) PG_GETARG_POINTER(1);
	StrategyNumber strategy = PG_GETARG_UINT16(2);
	bool **partial = (bool **) PG_GETARG_POINTER(3);
	Pointer **infos = (Pointer **) PG_GETARG_POINTER(4);
	int32 *mode = (int32 *) PG_GETARG_POINTER(6);
	Question question = question_of(strategy);
	Query query = {0};

	if (strategy >= COVERS_SCOPE)
	{
		Scope *scope = PG_GETARG_SCOPE_P(0);

		ask_for(&query, question, 0, false, SCOPE_TEXT(scope));
	}
	else
	{
		const uint8_t *set = SCOPE_SET_BYTES(PG_GETARG_SCOPE_SET_P(0));
		int asked = steward_set_count(set);

		/* Any of them suffices, so none may be left out. */
		if (asked > MAX_ASKED && (question == OVERLAPS || question == COVERED_BY))
			ask_for_any(&query, set);
		else
		{
			StewardSetWalk walk;

			steward_set_walk(&walk, set);
			for (int group = 0; group < MAX_ASKED && steward_set_next(&walk); group++)
				ask_for(&query, question, group, asked > MAX_ASKED, walk.text, walk.len);
		}
		/* Every set covers the empty one. */
		if (asked == 0 && question == COVERS)
			*mode = GIN_SEARCH_MODE_ALL;
		if (asked == 0 && question == EQUALS)
			*mode = GIN_SEARCH_MODE_INCLUDE_EMPTY;
	}
	if (question == COVERED_BY)
		*mode = GIN_SEARCH_MODE_INCLUDE_EMPTY;
	*nkeys = query.count;
	*partial = query.partial;
	*infos = query.infos;
	PG_RETURN_POINTER(query.keys);
}

/*
 * Whether a set may be meant that has this key.  A key that may be the beginning of several members says nothing about
 * how they go on; any other is a member.
 */
static bool
key_may_go_with(const char *key, size_t len, Question question, const KeyInfo *info)
{
	bool whole;

	(void) steward_index_cut(key, len, &whole);
	if (!whole)
		return true;
	if (question == OVERLAPS)
		return info->set ? steward_set_overlaps(info->set, key, len)
						 : steward_scope_overlaps(info->text, info->len, key, len);
	return info->set ? steward_set_covers(info->set, key, len) : steward_scope_covers(info->text, info->len, key, len);
}

/* GIN support function 5: whether a key is one that a prefix looks for; 0 yes, -1 no, 1 no and none that follows is. */
Datum
steward_scope_set_gin_partial(PG_FUNCTION_ARGS)
{
	Scope *prefix = PG_GETARG_SCOPE_P(0);
	Scope *key = PG_GETARG_SCOPE_P(1);
	StrategyNumber strategy = PG_GETARG_UINT16(2);
	const KeyInfo *info = (const KeyInfo *) PG_GETARG_POINTER(3);
	size_t len = VARSIZE_ANY_EXHDR(prefix);

	/* The scan begins at the prefix, and all keys that begin with it follow each other. */
	if (VARSIZE_ANY_EXHDR(key) < len || memcmp(VARDATA_ANY(key), VARDATA_ANY(prefix), len) != 0)
		PG_RETURN_INT32(1);
	PG_RETURN_INT32(key_may_go_with(SCOPE_TEXT(key), question_of(strategy), info) ? 0 : -1);
}

/* What is known about one asked scope, or about any of them: whether a key of it is there, and whether that decides. */
static GinTernaryValue
best_of(const GinTernaryValue *check, const Pointer *infos, int count)
{
	GinTernaryValue best = GIN_FALSE;

	for (int i = 0; i < count; i++)
	{
		const KeyInfo *info = (const KeyInfo *) infos[i];

		if (check[i] == GIN_TRUE && info->exact)
			return GIN_TRUE;
		if (check[i] != GIN_FALSE)
			best = GIN_MAYBE;
	}
	return best;
}

/* GIN support function 6: whether a set that has these keys is meant.  MAYBE is looked at again in the table. */
Datum
steward_scope_set_gin_consistent(PG_FUNCTION_ARGS)
{
	GinTernaryValue *check = (GinTernaryValue *) PG_GETARG_POINTER(0);
	StrategyNumber strategy = PG_GETARG_UINT16(1);
	int32 nkeys = PG_GETARG_INT32(3);
	Pointer *infos = (Pointer *) PG_GETARG_POINTER(4);
	Question question = question_of(strategy);
	GinTernaryValue result = GIN_TRUE;

	/* A set may have other members, which the keys that are asked for tell nothing about; and the empty set has none. */
	if (question == COVERED_BY || (question == EQUALS && nkeys == 0))
		PG_RETURN_GIN_TERNARY_VALUE(GIN_MAYBE);
	if (question == OVERLAPS)
		PG_RETURN_GIN_TERNARY_VALUE(best_of(check, infos, nkeys));

	/* Of each asked scope one key. */
	for (int start = 0, end; start < nkeys; start = end)
	{
		int group = ((const KeyInfo *) infos[start])->group;
		GinTernaryValue best;

		for (end = start + 1; end < nkeys && ((const KeyInfo *) infos[end])->group == group; end++)
			;
		best = best_of(check + start, infos + start, end - start);
		if (best == GIN_FALSE)
			PG_RETURN_GIN_TERNARY_VALUE(GIN_FALSE);
		if (best == GIN_MAYBE || ((const KeyInfo *) infos[start])->rest)
			result = GIN_MAYBE;
	}
	PG_RETURN_GIN_TERNARY_VALUE(result);
}
