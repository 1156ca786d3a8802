/*
 * set_stats.c
 *		What ANALYZE learns about a column of the type scope_set: its most common keys, and how many members sets have.
 *
 * Beside the statistics that every ordered type has, the keys of members (scope/index_key.h) are counted as those of
 * arrays and of tsvector are, with Lossy Counting (Manku and Motwani, VLDB 2002), in memory that is bounded whatever the
 * sample holds.  They are what set_selfuncs.c estimates from.
 */
#include "postgres.h"

#include "catalog/pg_operator.h"
#include "catalog/pg_statistic.h"
#include "commands/vacuum.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "core/plan.h"
#include "scope/index_key.h"
#include "scope/scope.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_scope_set_typanalyze);

/* What the first pass of statistics needs, and what ours needs beside it. */
typedef struct SetAnalysis
{
	AnalyzeAttrComputeStatsFunc compute_standard;
	void *standard_data;
	Oid scope_type;
	Oid equality;
} SetAnalysis;

/* A key that is being counted; texts lie in the analysis' memory. */
typedef struct CountedKey
{
	StewardScopeText key; /* hash key; must be first */
	int frequency;
	int delta;	  /* the most it may have been counted before it was dropped and seen again */
	int last_row; /* counted for this row already */
} CountedKey;

static uint32
counted_hash(const void *key, Size size)
{
	const StewardScopeText *text = key;

	return DatumGetUInt32(hash_any((const unsigned char *) text->data, text->len));
}

static int
counted_match(const void *a, const void *b, Size size)
{
	const StewardScopeText *x = a;
	const StewardScopeText *y = b;

	return steward_scope_compare(x->data, x->len, y->data, y->len);
}

/* Drops the keys that cannot be frequent any more. */
static void
prune(HTAB *counted, int bucket)
{
	HASH_SEQ_STATUS scan;
	CountedKey *entry;

	hash_seq_init(&scan, counted);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		const char *text = entry->key.data;

		if (entry->frequency + entry->delta > bucket)
			continue;
		if (hash_search(counted, &entry->key, HASH_REMOVE, NULL) == NULL)
			elog(ERROR, "hash table corrupted");
		pfree(unconstify(char *, text));
	}
}

/* qsort comparison: the most frequent first. */
static int
by_frequency(const void *a, const void *b)
{
	const CountedKey *x = *(CountedKey *const *) a;
	const CountedKey *y = *(CountedKey *const *) b;

	return (y->frequency > x->frequency) - (y->frequency < x->frequency);
}

/* qsort comparison: the order of scopes. */
static int
by_key(const void *a, const void *b)
{
	const CountedKey *x = *(CountedKey *const *) a;
	const CountedKey *y = *(CountedKey *const *) b;

	return counted_match(&x->key, &y->key, 0);
}

/* qsort comparison of integers. */
static int
by_number(const void *a, const void *b)
{
	int x = *(const int *) a;
	int y = *(const int *) b;

	return (x > y) - (x < y);
}

/* The first slot that nothing has been put in; -1 when there is none. */
static int
free_slot(const VacAttrStats *stats)
{
	for (int slot = 0; slot < STATISTIC_NUM_SLOTS; slot++)
		if (stats->stakind[slot] == 0)
			return slot;
	return -1;
}

/* Stores the most common keys: their frequencies in sets, followed by the lowest and the highest of them. */
static void
store_keys(VacAttrStats *stats, const SetAnalysis *analysis, CountedKey **keys, int count, int sets)
{
	MemoryContext caller;
	int slot = free_slot(stats);
	Datum *values;
	float4 *numbers;

	if (slot < 0 || count == 0)
		return;
	caller = MemoryContextSwitchTo(stats->anl_context);
	values = palloc(count * sizeof(Datum));
	numbers = palloc((count + 2) * sizeof(float4));
	numbers[count] = (float4) keys[count - 1]->frequency / sets;
	numbers[count + 1] = (float4) keys[0]->frequency / sets;
	qsort(keys, count, sizeof(CountedKey *), by_key);
	for (int i = 0; i < count; i++)
	{
		values[i] = PointerGetDatum(steward_scope_make(keys[i]->key.data, keys[i]->key.len));
		numbers[i] = (float4) keys[i]->frequency / sets;
	}
	MemoryContextSwitchTo(caller);
	stats->stakind[slot] = STATISTIC_KIND_MCELEM;
	stats->staop[slot] = analysis->equality;
	stats->stacoll[slot] = InvalidOid;
	stats->stanumbers[slot] = numbers;
	stats->numnumbers[slot] = count + 2;
	stats->stavalues[slot] = values;
	stats->numvalues[slot] = count;
	stats->statypid[slot] = analysis->scope_type;
	stats->statyplen[slot] = -1;
	stats->statypbyval[slot] = false;
	stats->statypalign[slot] = TYPALIGN_INT;
}

/* Stores how many members sets have: a histogram, and the average as its last number. */
static void
store_cardinalities(VacAttrStats *stats, const SetAnalysis *analysis, int *cardinalities, int sets)
{
	int slot = free_slot(stats);
	int bounds = Min(sets, Max(STEWARD_STATISTICS_TARGET(stats), 2));
	double total = 0;
	float4 *numbers;

	if (slot < 0 || bounds < 2)
		return;
	qsort(cardinalities, sets, sizeof(int), by_number);
	numbers = MemoryContextAlloc(stats->anl_context, (bounds + 1) * sizeof(float4));
	for (int i = 0; i < bounds; i++)
		numbers[i] = cardinalities[(int64) i * (sets - 1) / (bounds - 1)];
	for (int i = 0; i < sets; i++)
		total += cardinalities[i];
	numbers[bounds] = total / sets;
	stats->stakind[slot] = STATISTIC_KIND_DECHIST;
	stats->staop[slot] = analysis->equality;
	stats->stacoll[slot] = InvalidOid;
	stats->stanumbers[slot] = numbers;
	stats->numnumbers[slot] = bounds + 1;
}

/* Counts one key of the row. */
static void
count_key(HTAB *counted, const char *text, size_t len, int row, int bucket)
{
	StewardScopeText key = {text, (uint16_t) len, 0, 0};
	bool found;
	CountedKey *entry = hash_search(counted, &key, HASH_ENTER, &found);

	if (!found)
	{
		char *copy = palloc(len);

		memcpy(copy, text, len);
		entry->key.data = copy;
		entry->frequency = 1;
		entry->delta = bucket - 1;
		entry->last_row = row;
	}
	else if (entry->last_row != row)
	{
		entry->frequency++;
		entry->last_row = row;
	}
}

/* Computes the statistics: the standard ones, then ours from the same rows. */
static void
compute(VacAttrStats *stats, AnalyzeAttrFetchFunc fetch, int rows, double total_rows)
{
	SetAnalysis *analysis = stats->extra_data;
	int wanted = STEWARD_STATISTICS_TARGET(stats) * 10;
	int bucket_width = (wanted + 10) * 1000 / 7;
	int *cardinalities = palloc(Max(rows, 1) * sizeof(int));
	int64 seen = 0;
	int sets = 0;
	HASHCTL ctl = {0};
	HTAB *counted;
	HASH_SEQ_STATUS scan;
	CountedKey *entry;
	CountedKey **keys;
	int64 cutoff;
	int count = 0;

	stats->extra_data = analysis->standard_data;
	analysis->compute_standard(stats, fetch, rows, total_rows);
	stats->extra_data = analysis;

	ctl.keysize = sizeof(StewardScopeText);
	ctl.entrysize = sizeof(CountedKey);
	ctl.hash = counted_hash;
	ctl.match = counted_match;
	ctl.hcxt = CurrentMemoryContext;
	counted = hash_create("most common scopes", Max(wanted, 64), &ctl,
						  HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
	for (int row = 0; row < rows; row++)
	{
		bool isnull;
		Datum value;
		ScopeSet *set;
		StewardSetWalk walk;

		steward_analyze_delay_point();
		value = fetch(stats, row, &isnull);
		if (isnull)
			continue;
		set = DatumGetScopeSetP(value);
		cardinalities[sets++] = steward_scope_set_cardinality(set);
		steward_set_walk(&walk, SCOPE_SET_BYTES(set));
		while (steward_set_next(&walk))
		{
			bool whole;

			count_key(counted, walk.text, steward_index_cut(walk.text, walk.len, &whole), row,
					  (int) (seen / bucket_width) + 1);
			if (++seen % bucket_width == 0)
				prune(counted, (int) (seen / bucket_width));
		}
		if (PointerGetDatum(set) != value)
			pfree(set);
	}
	if (sets == 0)
		return;

	/* Whatever is rarer than this may be there only because it was seen late. */
	cutoff = 9 * seen / bucket_width;
	keys = palloc(Max(hash_get_num_entries(counted), 1) * sizeof(CountedKey *));
	hash_seq_init(&scan, counted);
	while ((entry = hash_seq_search(&scan)) != NULL)
		if (entry->frequency > cutoff)
			keys[count++] = entry;
	qsort(keys, count, sizeof(CountedKey *), by_frequency);
	stats->stats_valid = true;
	store_keys(stats, analysis, keys, Min(count, wanted), sets);
	store_cardinalities(stats, analysis, cardinalities, sets);
}

/* typanalyze(internal) → boolean: prepares what ANALYZE computes for a column of the type. */
Datum
steward_scope_set_typanalyze(PG_FUNCTION_ARGS)
{
	VacAttrStats *stats = (VacAttrStats *) PG_GETARG_POINTER(0);
	SetAnalysis *analysis;

	if (!std_typanalyze(stats))
		PG_RETURN_BOOL(false);
	analysis = palloc(sizeof(SetAnalysis));
	analysis->compute_standard = stats->compute_stats;
	analysis->standard_data = stats->extra_data;
	analysis->scope_type = steward_own_type("scope");
	analysis->equality = lookup_type_cache(analysis->scope_type, TYPECACHE_EQ_OPR)->eq_opr;
	stats->compute_stats = compute;
	stats->extra_data = analysis;
	PG_RETURN_BOOL(true);
}
