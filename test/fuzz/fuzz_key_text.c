/*
 * fuzz_key_text.c
 *		Fuzzes the text of opaque keys (src/credential/key_text.c).
 *
 * What must hold: a text that is accepted prints as itself; every key prints as a text that is accepted and reads as the
 * same key; and a text with one character changed is refused, for that is what the checksum promises.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "credential/key_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input as a text. */
static void
read_text(const uint8_t *data, size_t size)
{
	StewardKey key;
	char text[STEWARD_KEY_CHARS];

	if (!steward_key_parse((const char *) data, size, &key))
		return;
	steward_key_print(&key, text);
	if (size != STEWARD_KEY_CHARS || memcmp(text, data, size) != 0)
		abort();
}

/* The input as the bytes of a key, and which character of its text to change to what. */
static void
print_key(const uint8_t *data, size_t size)
{
	StewardKey key;
	StewardKey again;
	char text[STEWARD_KEY_CHARS];
	char display[STEWARD_KEY_DISPLAY_SIZE];
	size_t at;

	if (size < sizeof(key) + 2)
		return;
	memcpy(&key, data, sizeof(key));
	steward_key_print(&key, text);
	if (!steward_key_parse(text, sizeof(text), &again) || memcmp(&key, &again, sizeof(key)) != 0)
		abort();
	steward_key_display(key.credential, display);
	if (strlen(display) != sizeof(display) - 1)
		abort();

	at = data[sizeof(key)] % STEWARD_KEY_CHARS;
	if (text[at] == (char) data[sizeof(key) + 1])
		return;
	text[at] = (char) data[sizeof(key) + 1];
	if (steward_key_parse(text, sizeof(text), &again))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_text(data, size);
	print_key(data, size);
	return 0;
}
