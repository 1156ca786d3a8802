/*
 * note.h
 *		Checkpoints as C2SP tlog-checkpoints in C2SP signed notes: their text, and that of verification keys.
 *
 * Pure: no palloc, no ereport.
 */
#ifndef STEWARD_NOTE_H
#define STEWARD_NOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/merkle.h"

/* The longest note looked at, the longest name of a log or key, and the most signatures, in bytes and lines. */
#define STEWARD_NOTE_MAX 65536
#define STEWARD_ORIGIN_MAX 255
#define STEWARD_NOTE_SIGNATURES 16

#define STEWARD_ED25519_KEY_LEN 32
#define STEWARD_ED25519_SIGNATURE_LEN 64

/* A signature line; the name points into the note. */
typedef struct StewardNoteSignature
{
	const char *name;
	size_t name_len;
	uint8_t key_hash[4];
	bool is_ed25519; /* of the right length: other kinds of signatures are allowed beside ours */
	uint8_t signature[STEWARD_ED25519_SIGNATURE_LEN];
} StewardNoteSignature;

/* A parsed checkpoint; pointers go into the text that was parsed. */
typedef struct StewardNote
{
	size_t signed_len; /* the signatures are over this many bytes from the beginning */
	const char *origin;
	size_t origin_len;
	uint64_t size;
	StewardHash root;
	int n_signatures;
	StewardNoteSignature signatures[STEWARD_NOTE_SIGNATURES];
} StewardNote;

/* A verification key: NAME+HASH+KEY. */
typedef struct StewardNoteKey
{
	const char *name;
	size_t name_len;
	uint8_t key_hash[4];
	uint8_t public_key[STEWARD_ED25519_KEY_LEN];
} StewardNoteKey;

/* Sizes of the texts printed below, with the final zero. */
#define STEWARD_NOTE_BODY_SIZE (STEWARD_ORIGIN_MAX + 1 + 20 + 1 + 44 + 1 + 1)
#define STEWARD_NOTE_SIZE (STEWARD_NOTE_BODY_SIZE + 1 + 4 + STEWARD_ORIGIN_MAX + 1 + 92 + 1)
#define STEWARD_NOTE_KEY_SIZE (STEWARD_ORIGIN_MAX + 1 + 8 + 1 + 44 + 1)

extern bool steward_note_name_valid(const char *name, size_t len);
extern bool steward_note_parse(const char *text, size_t len, StewardNote *note);
extern bool steward_note_key_parse(const char *text, size_t len, StewardNoteKey *key);
extern bool steward_note_key_hash(const char *name, size_t name_len, const uint8_t *public_key, uint8_t hash[4]);
extern size_t steward_note_body(const char *origin, uint64_t size, const StewardHash *root,
								char body[STEWARD_NOTE_BODY_SIZE]);
extern size_t steward_note_print(const char *body, const char *name, const uint8_t key_hash[4],
								 const uint8_t signature[STEWARD_ED25519_SIGNATURE_LEN], char note[STEWARD_NOTE_SIZE]);
extern size_t steward_note_key_print(const char *name, const uint8_t *public_key, char text[STEWARD_NOTE_KEY_SIZE]);
extern bool steward_note_find_signature(const StewardNote *note, const StewardNoteKey *key,
										const StewardNoteSignature **found);

#endif /* STEWARD_NOTE_H */
