/*
 * digest.h
 *		The type digest: 32 bytes that stand for a secret.
 */
#ifndef STEWARD_DIGEST_H
#define STEWARD_DIGEST_H

#define STEWARD_DIGEST_LEN 32

typedef struct StewardDigest
{
	unsigned char data[STEWARD_DIGEST_LEN];
} StewardDigest;

#define DatumGetStewardDigest(x) ((StewardDigest *) DatumGetPointer(x))

#endif /* STEWARD_DIGEST_H */
