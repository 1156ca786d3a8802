/*
 * sealing.h
 *		Private keys at rest: sealed under a key-encryption key that lives in a file outside the database.
 */
#ifndef STEWARD_SEALING_H
#define STEWARD_SEALING_H

#include "nodes/execnodes.h"
#include "utils/uuid.h"

/* The longest secret that is sealed, in bytes: an RSA private key of 8192 bits in DER has some 4,700. */
#define STEWARD_SEAL_MAX 8192

/*
 * What a sealed value belongs to.  It is authenticated with the value, so that a blob moved to another row, another
 * organization or another algorithm does not open there.
 */
typedef struct StewardSealedFor
{
	const pg_uuid_t *org;
	const char *key;	   /* identifies the key inside the organization */
	const char *algorithm; /* what the key is for, for example "Ed25519" */
} StewardSealedFor;

/*
 * One kind of sealed value.  Seals every value of its tables anew with steward_reseal() and returns how many had to be;
 * runs inside the bracket.  Listed in sealing.c.
 */
typedef struct StewardSealedStore
{
	const char *what;
	int64 (*reseal)(void);
} StewardSealedStore;

extern void steward_sealing_init(void);
extern bool steward_sealing_available(void);
extern bytea *steward_seal(const StewardSealedFor *what, const unsigned char *secret, size_t len);
extern size_t steward_unseal(const StewardSealedFor *what, const bytea *sealed, unsigned char *secret, size_t size);
extern bytea *steward_reseal(const StewardSealedFor *what, const bytea *sealed);
extern void steward_check_sealing(ReturnSetInfo *rsinfo);

#endif /* STEWARD_SEALING_H */
