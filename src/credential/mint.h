/*
 * mint.h
 *		Secrets and their digests.
 */
#ifndef STEWARD_MINT_H
#define STEWARD_MINT_H

#include "credential/digest.h"
#include "credential/key_text.h"

/* credential.digest_version of digests made by steward_key_digest. */
#define STEWARD_DIGEST_VERSION 1

extern void steward_key_digest(const StewardKey *key, StewardDigest *digest);

#endif /* STEWARD_MINT_H */
