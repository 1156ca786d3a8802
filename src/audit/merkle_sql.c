/*
 * merkle_sql.c
 *		The Merkle core as SQL functions: hashes, roots and the verification of proofs.
 *
 * Whoever got a proof and a checkpoint can verify them in any database, or with any other implementation of RFC 6962 or
 * RFC 9162.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "audit/merkle.h"
#include "audit/merkle_sql.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_merkle_leaf_hash);
PG_FUNCTION_INFO_V1(steward_merkle_node_hash);
PG_FUNCTION_INFO_V1(steward_merkle_root);
PG_FUNCTION_INFO_V1(steward_merkle_verify_inclusion);
PG_FUNCTION_INFO_V1(steward_merkle_verify_consistency);

/*
 * steward_numeric_to_uint64
 *		The value as a 64-bit number without sign; false for what is none.
 */
bool
steward_numeric_to_uint64(Datum numeric, uint64 *value)
{
	char *text = DatumGetCString(DirectFunctionCall1(numeric_out, numeric));
	uint64 result = 0;
	bool valid = *text != '\0';

	/* 5.00 is a whole number, too. */
	if (strchr(text, '.') && strspn(strchr(text, '.') + 1, "0") == strlen(strchr(text, '.') + 1))
		*strchr(text, '.') = '\0';
	for (char *c = text; *c && valid; c++)
	{
		uint64 digit = (uint64) (*c - '0');

		valid = *c >= '0' && *c <= '9' && result <= (PG_UINT64_MAX - digit) / 10;
		result = result * 10 + digit;
	}
	pfree(text);
	*value = result;
	return valid;
}

/*
 * steward_uint64_to_numeric
 *		The number as numeric, which alone has room for all of them.
 */
Datum
steward_uint64_to_numeric(uint64 value)
{
	char text[32];

	if (value <= PG_INT64_MAX)
		return NumericGetDatum(int64_to_numeric((int64) value));
	snprintf(text, sizeof(text), UINT64_FORMAT, value);
	return DirectFunctionCall3(numeric_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

/*
 * steward_hash_datum
 *		A hash as bytea.
 */
Datum
steward_hash_datum(const StewardHash *hash)
{
	bytea *result = palloc(VARHDRSZ + STEWARD_HASH_LEN);

	SET_VARSIZE(result, VARHDRSZ + STEWARD_HASH_LEN);
	memcpy(VARDATA(result), hash->bytes, STEWARD_HASH_LEN);
	return PointerGetDatum(result);
}

/*
 * steward_hashes_datum
 *		Hashes as bytea[].
 */
Datum
steward_hashes_datum(const StewardHash *hashes, size_t n)
{
	Datum *values = palloc(sizeof(Datum) * Max(n, 1));

	for (size_t i = 0; i < n; i++)
		values[i] = steward_hash_datum(&hashes[i]);
	if (n == 0)
		return PointerGetDatum(construct_empty_array(BYTEAOID));
	return PointerGetDatum(construct_array(values, (int) n, BYTEAOID, -1, false, TYPALIGN_INT));
}

/* An argument that is a hash; false when it is null or of another length. */
static bool
hash_arg(FunctionCallInfo fcinfo, int arg, StewardHash *hash)
{
	bytea *value;

	if (PG_ARGISNULL(arg))
		return false;
	value = PG_GETARG_BYTEA_PP(arg);
	if (VARSIZE_ANY_EXHDR(value) != STEWARD_HASH_LEN)
		return false;
	memcpy(hash->bytes, VARDATA_ANY(value), STEWARD_HASH_LEN);
	return true;
}

/* An argument that is a number of leaves or an index; false when it is null or out of range. */
static bool
number_arg(FunctionCallInfo fcinfo, int arg, uint64 *value)
{
	return !PG_ARGISNULL(arg) && steward_numeric_to_uint64(PG_GETARG_DATUM(arg), value);
}

/* An argument that is a proof; false when it cannot be one. */
static bool
proof_arg(FunctionCallInfo fcinfo, int arg, StewardHash proof[STEWARD_PROOF_MAX], size_t *n)
{
	ArrayType *array;
	Datum *values;
	bool *nulls;
	int count;

	if (PG_ARGISNULL(arg))
		return false;
	array = PG_GETARG_ARRAYTYPE_P(arg);
	if (ARR_NDIM(array) > 1)
		return false;
	deconstruct_array(array, BYTEAOID, -1, false, TYPALIGN_INT, &values, &nulls, &count);
	if (count > STEWARD_PROOF_MAX)
		return false;
	for (int i = 0; i < count; i++)
	{
		bytea *value;

		if (nulls[i])
			return false;
		value = DatumGetByteaPP(values[i]);
		if (VARSIZE_ANY_EXHDR(value) != STEWARD_HASH_LEN)
			return false;
		memcpy(proof[i].bytes, VARDATA_ANY(value), STEWARD_HASH_LEN);
	}
	*n = (size_t) count;
	return true;
}

/* Raises because the library cannot hash. */
static void
cannot_hash(void)
{
	ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not compute SHA-256")));
}

/*
 * merkle_leaf_hash(data bytea) → bytea
 *		Hash of a leaf with those contents: SHA-256(0x00 || data), RFC 6962 section 2.1.
 */
Datum
steward_merkle_leaf_hash(PG_FUNCTION_ARGS)
{
	bytea *data = PG_GETARG_BYTEA_PP(0);
	StewardHash hash;

	if (!steward_leaf_hash(VARDATA_ANY(data), VARSIZE_ANY_EXHDR(data), &hash))
		cannot_hash();
	PG_RETURN_DATUM(steward_hash_datum(&hash));
}

/*
 * merkle_node_hash(left bytea, right bytea) → bytea
 *		Hash of a node with those children: SHA-256(0x01 || left || right), RFC 6962 section 2.1.
 *
 * Raises 22023 when one of them is not 32 bytes long.
 */
Datum
steward_merkle_node_hash(PG_FUNCTION_ARGS)
{
	StewardHash left;
	StewardHash right;

	if (!hash_arg(fcinfo, 0, &left) || !hash_arg(fcinfo, 1, &right))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a hash must have 32 bytes")));
	if (!steward_node_hash(&left, &right, &left))
		cannot_hash();
	PG_RETURN_DATUM(steward_hash_datum(&left));
}

/*
 * merkle_root(entries bytea[]) → bytea
 *		Root of the tree over those entries, the contents of its leaves: MTH of RFC 6962 section 2.1.
 *
 * Raises 22004 for an entry that is null.
 */
Datum
steward_merkle_root(PG_FUNCTION_ARGS)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(0);
	Datum *values;
	bool *nulls;
	int n;
	StewardHash *hashes;
	StewardHash root;

	deconstruct_array(array, BYTEAOID, -1, false, TYPALIGN_INT, &values, &nulls, &n);
	hashes = palloc(sizeof(StewardHash) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		bytea *data;

		CHECK_FOR_INTERRUPTS();
		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("an entry must not be null")));
		data = DatumGetByteaPP(values[i]);
		if (!steward_leaf_hash(VARDATA_ANY(data), VARSIZE_ANY_EXHDR(data), &hashes[i]))
			cannot_hash();
	}
	if (!steward_hashes_root(hashes, (size_t) n, &root))
		cannot_hash();
	PG_RETURN_DATUM(steward_hash_datum(&root));
}

/*
 * verify_inclusion(leaf_index numeric, tree_size numeric, leaf_hash bytea, proof bytea[], root bytea) → boolean
 *		Whether the proof shows that the leaf is at leaf_index, from 0, in the tree of that size and root (RFC 9162
 *		section 2.1.3.2).  Never raises: what is null, out of range or of the wrong length is false.
 */
Datum
steward_merkle_verify_inclusion(PG_FUNCTION_ARGS)
{
	uint64 index;
	uint64 size;
	StewardHash leaf;
	StewardHash proof[STEWARD_PROOF_MAX];
	size_t n;
	StewardHash root;

	PG_RETURN_BOOL(number_arg(fcinfo, 0, &index) && number_arg(fcinfo, 1, &size) && hash_arg(fcinfo, 2, &leaf) &&
				   proof_arg(fcinfo, 3, proof, &n) && hash_arg(fcinfo, 4, &root) &&
				   steward_verify_inclusion(index, size, &leaf, proof, n, &root));
}

/*
 * verify_consistency(size1 numeric, size2 numeric, proof bytea[], root1 bytea, root2 bytea) → boolean
 *		Whether the proof shows that the tree of size1 and root1 is a prefix of that of size2 and root2 (RFC 9162 section
 *		2.1.4.2).  Never raises: what is null, out of range or of the wrong length is false, and so is size1 = 0.
 */
Datum
steward_merkle_verify_consistency(PG_FUNCTION_ARGS)
{
	uint64 size1;
	uint64 size2;
	StewardHash proof[STEWARD_PROOF_MAX];
	size_t n;
	StewardHash root1;
	StewardHash root2;

	PG_RETURN_BOOL(number_arg(fcinfo, 0, &size1) && number_arg(fcinfo, 1, &size2) && proof_arg(fcinfo, 2, proof, &n) &&
				   hash_arg(fcinfo, 3, &root1) && hash_arg(fcinfo, 4, &root2) &&
				   steward_verify_consistency(size1, size2, proof, n, &root1, &root2));
}
