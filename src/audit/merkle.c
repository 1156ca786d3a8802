/*
 * merkle.c
 *		Merkle trees as in RFC 6962 section 2.1 and RFC 9162 section 2.1.
 *
 * A leaf's hash is SHA-256(0x00 || data), a node's SHA-256(0x01 || left || right); the left subtree of a tree of n > 1
 * leaves has the largest power of two smaller than n.  Sizes and indexes are any 64-bit numbers: nothing here allocates
 * or loops by them.
 *
 * SHA-256 is called through the low-level functions, which cost half of what the EVP interface does for inputs as short
 * as a node; that they are called deprecated since OpenSSL 3.0 is why this file alone asks for the older interface.
 */
#define OPENSSL_API_COMPAT 10100

#include <openssl/sha.h>
#include <string.h>

#include "audit/merkle.h"

/*
 * steward_leaf_hash
 *		Hash of a leaf with the given contents.
 */
bool
steward_leaf_hash(const void *data, size_t len, StewardHash *hash)
{
	static const uint8_t prefix = 0x00;
	SHA256_CTX ctx;

	return SHA256_Init(&ctx) == 1 && SHA256_Update(&ctx, &prefix, 1) == 1 && SHA256_Update(&ctx, data, len) == 1 &&
		   SHA256_Final(hash->bytes, &ctx) == 1;
}

/*
 * steward_node_hash
 *		Hash of a node with the given children; hash may be one of them.
 */
bool
steward_node_hash(const StewardHash *left, const StewardHash *right, StewardHash *hash)
{
	uint8_t input[1 + 2 * STEWARD_HASH_LEN];
	SHA256_CTX ctx;

	input[0] = 0x01;
	memcpy(input + 1, left, STEWARD_HASH_LEN);
	memcpy(input + 1 + STEWARD_HASH_LEN, right, STEWARD_HASH_LEN);
	return SHA256_Init(&ctx) == 1 && SHA256_Update(&ctx, input, sizeof(input)) == 1 &&
		   SHA256_Final(hash->bytes, &ctx) == 1;
}

/* The largest power of two smaller than n, which is at least 2. */
static uint64_t
split_point(uint64_t n)
{
	uint64_t k = UINT64_C(1) << 63;

	while (k >= n)
		k >>= 1;
	return k;
}

/*
 * steward_hashes_root
 *		Root over hashes of leaves, or of complete subtrees of one size; of none, SHA-256 of nothing (RFC 6962 2.1).
 */
bool
steward_hashes_root(const StewardHash *hashes, size_t n, StewardHash *root)
{
	/* Complete subtrees from left to right, the larger first, as the bits of the number of hashes seen. */
	StewardHash pending[64];
	unsigned count = 0;

	if (n == 0)
		return SHA256((const unsigned char *) "", 0, root->bytes) != NULL;
	for (size_t i = 0; i < n; i++)
	{
		pending[count++] = hashes[i];
		for (size_t seen = i + 1; (seen & 1) == 0; seen >>= 1)
		{
			if (!steward_node_hash(&pending[count - 2], &pending[count - 1], &pending[count - 2]))
				return false;
			count--;
		}
	}
	for (; count > 1; count--)
		if (!steward_node_hash(&pending[count - 2], &pending[count - 1], &pending[count - 2]))
			return false;
	*root = pending[0];
	return true;
}

/* Whether two hashes are the same; nothing secret is compared here. */
static bool
same_hash(const StewardHash *a, const StewardHash *b)
{
	return memcmp(a, b, STEWARD_HASH_LEN) == 0;
}

/*
 * steward_verify_inclusion
 *		Whether a proof shows that the leaf is at index in the tree of that size and root (RFC 9162 section 2.1.3.2).
 */
bool
steward_verify_inclusion(uint64_t index, uint64_t size, const StewardHash *leaf, const StewardHash *proof, size_t n,
						 const StewardHash *root)
{
	uint64_t fn = index;
	uint64_t sn = size - 1;
	StewardHash hash = *leaf;

	if (index >= size)
		return false;
	for (size_t i = 0; i < n; i++)
	{
		if (sn == 0)
			return false;
		if ((fn & 1) || fn == sn)
		{
			if (!steward_node_hash(&proof[i], &hash, &hash))
				return false;
			while (!(fn & 1) && fn != 0)
			{
				fn >>= 1;
				sn >>= 1;
			}
		}
		else if (!steward_node_hash(&hash, &proof[i], &hash))
			return false;
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && same_hash(&hash, root);
}

/*
 * steward_verify_consistency
 *		Whether a proof shows that the tree of size1 and root1 is a prefix of that of size2 and root2 (RFC 9162 section
 *		2.1.4.2).  Trees of the same size are consistent when they are the same, and the proof is empty; an empty tree
 *		proves nothing and is false.
 */
bool
steward_verify_consistency(uint64_t size1, uint64_t size2, const StewardHash *proof, size_t n, const StewardHash *root1,
						   const StewardHash *root2)
{
	uint64_t fn = size1 - 1;
	uint64_t sn = size2 - 1;
	StewardHash first;
	StewardHash second;
	size_t i = 0;

	if (size1 == 0 || size1 > size2)
		return false;
	if (size1 == size2)
		return n == 0 && same_hash(root1, root2);
	if (n == 0)
		return false;
	/* The first tree is a complete subtree of the second: its root begins the path, and is not sent. */
	first = (size1 & (size1 - 1)) == 0 ? *root1 : proof[i++];
	second = first;
	while (fn & 1)
	{
		fn >>= 1;
		sn >>= 1;
	}
	for (; i < n; i++)
	{
		if (sn == 0)
			return false;
		if ((fn & 1) || fn == sn)
		{
			if (!steward_node_hash(&proof[i], &first, &first) || !steward_node_hash(&proof[i], &second, &second))
				return false;
			while (!(fn & 1) && fn != 0)
			{
				fn >>= 1;
				sn >>= 1;
			}
		}
		else if (!steward_node_hash(&second, &proof[i], &second))
			return false;
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && same_hash(&first, root1) && same_hash(&second, root2);
}

/*
 * Hash over the leaves from start on, n of them, where start is a multiple of a power of two not smaller than n: then
 * it is a complete subtree, or a left one that is and a rest.
 */
static bool
range_hash(uint64_t start, uint64_t n, StewardSubtree subtree, void *arg, StewardHash *hash)
{
	StewardHash left[64];
	unsigned count = 0;
	StewardHash rest;

	/* Take complete subtrees off the left until what is left is one itself. */
	while ((n & (n - 1)) != 0)
	{
		uint64_t k = split_point(n);

		if (!subtree(arg, (unsigned) __builtin_ctzll(k), start / k, &left[count++]))
			return false;
		start += k;
		n -= k;
	}
	if (!subtree(arg, (unsigned) __builtin_ctzll(n), start / n, &rest))
		return false;
	while (count > 0)
		if (!steward_node_hash(&left[--count], &rest, &rest))
			return false;
	*hash = rest;
	return true;
}

/*
 * steward_tree_root
 *		Root of the tree of the first size leaves.
 */
bool
steward_tree_root(uint64_t size, StewardSubtree subtree, void *arg, StewardHash *root)
{
	if (size == 0)
		return steward_hashes_root(NULL, 0, root);
	return range_hash(0, size, subtree, arg, root);
}

/* Turns a path that was collected from the root down into the order of a proof, from the leaf up. */
static void
reverse(StewardHash *proof, size_t n)
{
	for (size_t i = 0; i < n / 2; i++)
	{
		StewardHash swap = proof[i];

		proof[i] = proof[n - 1 - i];
		proof[n - 1 - i] = swap;
	}
}

/*
 * steward_inclusion_path
 *		Proof that the leaf at index is in the tree of that size (RFC 9162 section 2.1.3.1); reads O(log size) subtrees.
 */
bool
steward_inclusion_path(uint64_t index, uint64_t size, StewardSubtree subtree, void *arg,
					   StewardHash proof[STEWARD_PROOF_MAX], size_t *n)
{
	uint64_t start = 0;

	*n = 0;
	if (index >= size)
		return false;
	while (size > 1)
	{
		uint64_t k = split_point(size);

		if (index - start < k)
		{
			if (!range_hash(start + k, size - k, subtree, arg, &proof[(*n)++]))
				return false;
			size = k;
		}
		else
		{
			if (!range_hash(start, k, subtree, arg, &proof[(*n)++]))
				return false;
			start += k;
			size -= k;
		}
	}
	reverse(proof, *n);
	return true;
}

/*
 * steward_consistency_path
 *		Proof that the tree of size1 leaves is a prefix of that of size2 (RFC 9162 section 2.1.4.1).
 */
bool
steward_consistency_path(uint64_t size1, uint64_t size2, StewardSubtree subtree, void *arg,
						 StewardHash proof[STEWARD_PROOF_MAX], size_t *n)
{
	uint64_t start = 0;
	uint64_t size = size2;
	bool whole = true; /* whether the first tree is a subtree that the verifier has the root of */

	*n = 0;
	if (size1 == 0 || size1 > size2)
		return false;
	while (size1 - start < size)
	{
		uint64_t k = split_point(size);

		if (size1 - start <= k)
		{
			if (!range_hash(start + k, size - k, subtree, arg, &proof[(*n)++]))
				return false;
			size = k;
		}
		else
		{
			if (!range_hash(start, k, subtree, arg, &proof[(*n)++]))
				return false;
			start += k;
			size -= k;
			whole = false;
		}
	}
	if (!whole && !range_hash(start, size, subtree, arg, &proof[(*n)++]))
		return false;
	reverse(proof, *n);
	return true;
}
