/*
 * merkle_sql.h
 *		Between SQL's values and those of the Merkle core.
 */
#ifndef STEWARD_MERKLE_SQL_H
#define STEWARD_MERKLE_SQL_H

#include "fmgr.h"

#include "audit/merkle.h"

extern bool steward_numeric_to_uint64(Datum numeric, uint64 *value);
extern Datum steward_uint64_to_numeric(uint64 value);
extern Datum steward_hash_datum(const StewardHash *hash);
extern Datum steward_hashes_datum(const StewardHash *hashes, size_t n);

#endif /* STEWARD_MERKLE_SQL_H */
