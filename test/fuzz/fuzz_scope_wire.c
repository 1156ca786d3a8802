/*
 * fuzz_scope_wire.c
 *		Fuzzes the binary forms of scopes and sets of them (src/scope/parse.c, src/scope/match.c, src/scope/set.c).
 *
 * What must hold: what is refused is refused at a byte of the input or right behind it; what is accepted has only members
 * that text would accept; and written again it is read as the same set.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "scope/match.h"
#include "scope/parse.h"
#include "scope/set.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
	if (!holds)
		abort();
}

/* Reads a set in binary form; its packed form and size, or NULL when it is refused; to be freed. */
static uint8_t *
read_wire(const char *data, size_t len, size_t *size)
{
	size_t room = steward_scope_set_wire_room(data, len);
	StewardScopeText *scopes = malloc(room * sizeof(StewardScopeText) + 1);
	StewardScopeFault fault = {STEWARD_SCOPE_OK, 0};
	StewardSetWriter writer;
	size_t count;
	size_t bytes = 0;
	int members;
	uint8_t *set;

	if (!steward_scope_set_wire_parse(data, len, scopes, &count, &fault))
	{
		check(fault.error != STEWARD_SCOPE_OK && fault.at <= len);
		free(scopes);
		return NULL;
	}
	check(count <= room && len >= 4 && data[0] == STEWARD_SCOPE_WIRE_VERSION && data[1] == 0);
	for (size_t i = 0; i < count; i++)
	{
		StewardScopeText parsed;

		check(scopes[i].data >= data && scopes[i].data + scopes[i].len <= data + len);
		check(steward_scope_parse(scopes[i].data, scopes[i].len, &parsed, &fault));
		bytes += scopes[i].len;
	}
	members = steward_set_canonicalize(scopes, count, NULL);
	/* The reader refuses more than a set may have, so that this cannot. */
	check(members >= 0 && (size_t) members <= count);
	set = malloc(steward_set_room((size_t) members, bytes));
	steward_set_begin(&writer, set);
	for (int i = 0; i < members; i++)
		steward_set_add(&writer, scopes[i].data, scopes[i].len);
	*size = steward_set_end(&writer);
	free(scopes);
	return set;
}

/* The binary form of a set; to be freed. */
static char *
write_wire(const uint8_t *set, size_t *len)
{
	char *data = malloc(4 + steward_set_text_len(set) + (size_t) steward_set_count(set));
	StewardSetWalk walk;

	data[0] = STEWARD_SCOPE_WIRE_VERSION;
	data[1] = 0;
	data[2] = (char) (steward_set_count(set) >> 8);
	data[3] = (char) steward_set_count(set);
	*len = 4;
	steward_set_walk(&walk, set);
	while (steward_set_next(&walk))
	{
		data[(*len)++] = (char) walk.len;
		memcpy(data + *len, walk.text, (size_t) walk.len);
		*len += (size_t) walk.len;
	}
	return data;
}

/* The input as the binary form of a scope. */
static void
fuzz_scope(const char *data, size_t len)
{
	StewardScopeText scope;
	StewardScopeFault fault = {STEWARD_SCOPE_OK, 0};

	if (steward_scope_wire_parse(data, len, &scope, &fault))
		check(len >= 2 && scope.data == data + 1 && scope.len == len - 1 && len <= STEWARD_SCOPE_MAX_BYTES + 1);
	else
		check(fault.error != STEWARD_SCOPE_OK && fault.at <= len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Memory of just the input's size, so that reading beyond it is seen. */
	char *copy = malloc(size > 0 ? size : 1);
	size_t set_size;
	uint8_t *set;

	memcpy(copy, data, size);
	fuzz_scope(copy, size);
	set = read_wire(copy, size, &set_size);
	if (set)
	{
		size_t again_size;
		size_t wire_len;
		char *wire = write_wire(set, &wire_len);
		uint8_t *again = read_wire(wire, wire_len, &again_size);
		StewardSetWalk walk;

		check(again != NULL && again_size == set_size && memcmp(again, set, set_size) == 0);
		/* What was not covered is there as it was; so written again it is no longer, and cut off it is refused. */
		check(wire_len <= size);
		steward_set_walk(&walk, set);
		while (steward_set_next(&walk))
			check(steward_set_covers(set, walk.text, (size_t) walk.len));
		free(again);
		again = read_wire(wire, wire_len - 1, &again_size);
		check(again == NULL);
		free(wire);
	}
	free(set);
	free(copy);
	return 0;
}
