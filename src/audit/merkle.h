/*
 * merkle.h
 *		Merkle trees as in RFC 6962 and RFC 9162: hashes, roots, proofs and their verification.
 *
 * Pure: no palloc, no ereport, so that it can be fuzzed and used alone.  Functions that hash return false only where
 * the library cannot compute SHA-256 at all.
 */
#ifndef STEWARD_MERKLE_H
#define STEWARD_MERKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STEWARD_HASH_LEN 32

/* The most hashes in a proof: two for each level of a tree of 2^64 - 1 leaves is more than enough. */
#define STEWARD_PROOF_MAX 130

typedef struct StewardHash
{
	uint8_t bytes[STEWARD_HASH_LEN];
} StewardHash;

/*
 * Gives the hash of a complete subtree: the one over the leaves from index * 2^level on, 2^level of them.  False when it
 * cannot, which ends the computation.
 */
typedef bool (*StewardSubtree)(void *arg, unsigned level, uint64_t index, StewardHash *hash);

extern bool steward_leaf_hash(const void *data, size_t len, StewardHash *hash);
extern bool steward_node_hash(const StewardHash *left, const StewardHash *right, StewardHash *hash);
extern bool steward_hashes_root(const StewardHash *hashes, size_t n, StewardHash *root);
extern bool steward_verify_inclusion(uint64_t index, uint64_t size, const StewardHash *leaf, const StewardHash *proof,
									 size_t n, const StewardHash *root);
extern bool steward_verify_consistency(uint64_t size1, uint64_t size2, const StewardHash *proof, size_t n,
									   const StewardHash *root1, const StewardHash *root2);
extern bool steward_tree_root(uint64_t size, StewardSubtree subtree, void *arg, StewardHash *root);
extern bool steward_inclusion_path(uint64_t index, uint64_t size, StewardSubtree subtree, void *arg,
								   StewardHash proof[STEWARD_PROOF_MAX], size_t *n);
extern bool steward_consistency_path(uint64_t size1, uint64_t size2, StewardSubtree subtree, void *arg,
									 StewardHash proof[STEWARD_PROOF_MAX], size_t *n);

#endif /* STEWARD_MERKLE_H */
