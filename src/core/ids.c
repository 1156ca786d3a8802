/*
 * ids.c
 *		Time-ordered identifiers: RFC 9562 version 7.
 *
 * 48 bits of Unix time in milliseconds, then 12 bits that subdivide the millisecond (RFC 9562 §6.2, method 3), then 62
 * random bits.  Within a backend each is greater than the one before: a clock that stands still or goes back is made up
 * for by counting on.  Between backends order is only as good as the clock.
 */
#include "postgres.h"

#include <time.h>

#include "fmgr.h"
#include "miscadmin.h"

#include "core/ids.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_uuid7);

/*
 * steward_make_uuid7
 *		Fills in a new identifier; raises when the system has no random bytes to give.
 */
void
steward_make_uuid7(pg_uuid_t *uuid)
{
	/* Time of the last one, in units of 1/4096 ms. */
	static uint64 last = 0;
	struct timespec now;
	uint64 tick;

	clock_gettime(CLOCK_REALTIME, &now);
	tick = ((uint64) now.tv_sec * 1000 + now.tv_nsec / 1000000) << 12;
	tick |= ((uint64) (now.tv_nsec % 1000000) << 12) / 1000000;
	if (tick <= last)
		tick = last + 1;
	last = tick;

	if (!pg_strong_random(uuid->data + 8, 8))
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random values")));
	for (int i = 0; i < 6; i++)
		uuid->data[i] = (uint8) (tick >> (52 - 8 * i));
	uuid->data[6] = 0x70 | ((tick >> 8) & 0x0f);
	uuid->data[7] = (uint8) tick;
	uuid->data[8] = 0x80 | (uuid->data[8] & 0x3f);
}

/*
 * uuid7() → uuid
 *		A new identifier, RFC 9562 version 7: greater than every one this backend made before.
 */
Datum
steward_uuid7(PG_FUNCTION_ARGS)
{
	pg_uuid_t *uuid = palloc(sizeof(pg_uuid_t));

	steward_make_uuid7(uuid);
	PG_RETURN_UUID_P(uuid);
}
