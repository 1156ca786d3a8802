/*
 * fuzz_note.c
 *		Fuzzes the parsers of checkpoints and verification keys (src/audit/note.c); linked with -lcrypto.
 *
 * What must hold: every part of an accepted note lies inside the text and is what a note made of its parts says; an
 * accepted key prints as itself; and whatever origin, size, root and key are printed is accepted and reads the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "audit/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
demand(bool holds)
{
	if (!holds)
		abort();
}

/* The input as a note. */
static void
read_note(const char *text, size_t size)
{
	StewardNote note;
	char body[STEWARD_NOTE_BODY_SIZE];
	char origin[STEWARD_ORIGIN_MAX + 1];
	size_t len;

	if (!steward_note_parse(text, size, &note))
		return;
	demand(note.signed_len > 0 && note.signed_len < size && text[note.signed_len - 1] == '\n' &&
		   text[note.signed_len] == '\n');
	demand(note.origin == text && steward_note_name_valid(note.origin, note.origin_len));
	demand(note.n_signatures > 0 && note.n_signatures <= STEWARD_NOTE_SIGNATURES);
	for (int i = 0; i < note.n_signatures; i++)
		demand(note.signatures[i].name > text + note.signed_len &&
			   note.signatures[i].name + note.signatures[i].name_len < text + size);
	/* There is one way to write each thing, so the parts print as they were read. */
	memcpy(origin, note.origin, note.origin_len);
	origin[note.origin_len] = '\0';
	len = steward_note_body(origin, note.size, &note.root, body);
	demand(len <= note.signed_len && memcmp(body, text, len) == 0);
}

/* The input as a verification key. */
static void
read_key(const char *text, size_t size)
{
	StewardNoteKey key;
	char name[STEWARD_ORIGIN_MAX + 1];
	char again[STEWARD_NOTE_KEY_SIZE];

	if (!steward_note_key_parse(text, size, &key))
		return;
	memcpy(name, key.name, key.name_len);
	name[key.name_len] = '\0';
	demand(steward_note_key_print(name, key.public_key, again) == size && memcmp(again, text, size) == 0);
}

/* The input as the parts of a note: it prints as one that is accepted and says the same. */
static void
print_note(const uint8_t *data, size_t size)
{
	char body[STEWARD_NOTE_BODY_SIZE];
	char text[STEWARD_NOTE_SIZE];
	char key_text[STEWARD_NOTE_KEY_SIZE];
	char origin[STEWARD_ORIGIN_MAX + 1];
	StewardHash root;
	uint64_t leaves;
	StewardNote note;
	StewardNoteKey key;
	const StewardNoteSignature *found;
	uint8_t hash[4];
	size_t parts = sizeof(leaves) + sizeof(root) + STEWARD_ED25519_KEY_LEN + STEWARD_ED25519_SIGNATURE_LEN;
	size_t len;

	if (size <= parts || size - parts > STEWARD_ORIGIN_MAX)
		return;
	memcpy(origin, data + parts, size - parts);
	origin[size - parts] = '\0';
	if (!steward_note_name_valid(origin, size - parts) || strlen(origin) != size - parts)
		return;
	memcpy(&leaves, data, sizeof(leaves));
	memcpy(&root, data + sizeof(leaves), sizeof(root));
	data += sizeof(leaves) + sizeof(root);
	demand(steward_note_key_hash(origin, strlen(origin), data, hash));
	steward_note_body(origin, leaves, &root, body);
	len = steward_note_print(body, origin, hash, data + STEWARD_ED25519_KEY_LEN, text);
	demand(len < STEWARD_NOTE_SIZE && strlen(text) == len);
	demand(steward_note_parse(text, len, &note) && note.size == leaves && memcmp(&note.root, &root, sizeof(root)) == 0);
	len = steward_note_key_print(origin, data, key_text);
	demand(len > 0 && len < STEWARD_NOTE_KEY_SIZE && steward_note_key_parse(key_text, len, &key));
	demand(steward_note_find_signature(&note, &key, &found) &&
		   memcmp(found->signature, data + STEWARD_ED25519_KEY_LEN, STEWARD_ED25519_SIGNATURE_LEN) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_note((const char *) data, size);
	read_key((const char *) data, size);
	print_note(data, size);
	return 0;
}
