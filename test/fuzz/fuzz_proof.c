/*
 * fuzz_proof.c
 *		Fuzzes the verifiers of proofs (src/audit/merkle.c); linked with -lcrypto.
 *
 * What must hold: nothing is read out of bounds whatever sizes, indexes and proofs are given; a proof that was made for a
 * tree verifies; and with one byte of leaf, proof or root changed, or one hash more or less, it does not.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "audit/merkle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_LEAVES 600

static StewardHash leaves[MAX_LEAVES];
static uint64_t tree_size;

static void
demand(bool holds)
{
	if (!holds)
		abort();
}

/* Subtrees of the tree of this file's leaves. */
static bool
subtree(void *arg, unsigned level, uint64_t index, StewardHash *hash)
{
	uint64_t n = UINT64_C(1) << level;

	(void) arg;
	demand(level < 64 && index * n + n <= tree_size);
	return steward_hashes_root(leaves + index * n, (size_t) n, hash);
}

/* The input as sizes, hashes and a proof of anything. */
static void
verify_anything(const uint8_t *data, size_t size)
{
	uint64_t numbers[2];
	StewardHash hashes[2];
	StewardHash proof[STEWARD_PROOF_MAX];
	size_t n;

	if (size < sizeof(numbers) + sizeof(hashes))
		return;
	memcpy(numbers, data, sizeof(numbers));
	memcpy(hashes, data + sizeof(numbers), sizeof(hashes));
	n = (size - sizeof(numbers) - sizeof(hashes)) / STEWARD_HASH_LEN;
	if (n > STEWARD_PROOF_MAX)
		n = STEWARD_PROOF_MAX;
	memcpy(proof, data + sizeof(numbers) + sizeof(hashes), n * STEWARD_HASH_LEN);
	/* Without knowing a preimage, only trees that are the leaf or the root itself verify. */
	if (steward_verify_inclusion(numbers[0], numbers[1], &hashes[0], proof, n, &hashes[1]))
		demand(n == 0 && numbers[0] == 0 && numbers[1] == 1 && memcmp(&hashes[0], &hashes[1], STEWARD_HASH_LEN) == 0);
	if (steward_verify_consistency(numbers[0], numbers[1], proof, n, &hashes[0], &hashes[1]))
		demand(n == 0 && numbers[0] == numbers[1] && memcmp(&hashes[0], &hashes[1], STEWARD_HASH_LEN) == 0);
}

/* The input as a tree, a leaf, an older size, and a byte to change. */
static void
verify_tree(const uint8_t *data, size_t size)
{
	StewardHash proof[STEWARD_PROOF_MAX];
	StewardHash root;
	StewardHash old_root;
	uint64_t index;
	uint64_t old_size;
	size_t n;
	size_t at;

	if (size < 8)
		return;
	tree_size = 1 + (data[0] | data[1] << 8) % MAX_LEAVES;
	index = (uint64_t) (data[2] | data[3] << 8) % tree_size;
	old_size = 1 + (uint64_t) (data[4] | data[5] << 8) % tree_size;
	for (uint64_t i = 0; i < tree_size; i++)
	{
		uint8_t entry[10];

		memcpy(entry, &i, sizeof(i));
		memcpy(entry + sizeof(i), data + 6, 2);
		demand(steward_leaf_hash(entry, sizeof(entry), &leaves[i]));
	}
	demand(steward_hashes_root(leaves, (size_t) tree_size, &root));
	demand(steward_inclusion_path(index, tree_size, subtree, NULL, proof, &n));
	demand(steward_verify_inclusion(index, tree_size, &leaves[index], proof, n, &root));
	demand(!steward_verify_inclusion(index, tree_size, &leaves[index], proof, n + 1, &root));
	if (n > 0)
	{
		demand(!steward_verify_inclusion(index, tree_size, &leaves[index], proof, n - 1, &root));
		at = data[6] % n;
		proof[at].bytes[data[7] % STEWARD_HASH_LEN] ^= 1;
		demand(!steward_verify_inclusion(index, tree_size, &leaves[index], proof, n, &root));
		proof[at].bytes[data[7] % STEWARD_HASH_LEN] ^= 1;
	}
	for (uint64_t other = 0; other < tree_size; other++)
		demand(other == index || !steward_verify_inclusion(other, tree_size, &leaves[index], proof, n, &root));

	demand(steward_hashes_root(leaves, (size_t) old_size, &old_root));
	demand(steward_consistency_path(old_size, tree_size, subtree, NULL, proof, &n));
	demand(steward_verify_consistency(old_size, tree_size, proof, n, &old_root, &root));
	demand(!steward_verify_consistency(old_size, tree_size, proof, n + 1, &old_root, &root));
	old_root.bytes[data[7] % STEWARD_HASH_LEN] ^= 1;
	demand(!steward_verify_consistency(old_size, tree_size, proof, n, &old_root, &root));
	old_root.bytes[data[7] % STEWARD_HASH_LEN] ^= 1;
	if (n > 0)
	{
		demand(!steward_verify_consistency(old_size, tree_size, proof, n - 1, &old_root, &root));
		proof[data[6] % n].bytes[data[7] % STEWARD_HASH_LEN] ^= 1;
		demand(!steward_verify_consistency(old_size, tree_size, proof, n, &old_root, &root));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	verify_anything(data, size);
	verify_tree(data, size);
	return 0;
}
