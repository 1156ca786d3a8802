/*
 * key_text.h
 *		The text of an opaque key: pure functions, without the server.
 */
#ifndef STEWARD_KEY_TEXT_H
#define STEWARD_KEY_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#define STEWARD_KEY_PREFIX "stw1_"
#define STEWARD_KEY_PREFIX_LEN 5
#define STEWARD_KEY_ID_BYTES 16
#define STEWARD_KEY_SECRET_BYTES 32
#define STEWARD_KEY_ID_CHARS 22
#define STEWARD_KEY_SECRET_CHARS 43
#define STEWARD_KEY_CHECK_CHARS 6
#define STEWARD_KEY_CHARS \
	(STEWARD_KEY_PREFIX_LEN + 2 * STEWARD_KEY_ID_CHARS + STEWARD_KEY_SECRET_CHARS + STEWARD_KEY_CHECK_CHARS)

/* "stw1_", an ellipsis in UTF-8, six characters, and the terminating NUL. */
#define STEWARD_KEY_DISPLAY_SIZE (STEWARD_KEY_PREFIX_LEN + 3 + 6 + 1)

typedef struct StewardKey
{
	unsigned char org[STEWARD_KEY_ID_BYTES];
	unsigned char credential[STEWARD_KEY_ID_BYTES];
	unsigned char secret[STEWARD_KEY_SECRET_BYTES];
} StewardKey;

extern void steward_key_print(const StewardKey *key, char *text);
extern bool steward_key_parse(const char *text, size_t len, StewardKey *key);
extern void steward_key_display(const unsigned char *credential, char *text);

#endif /* STEWARD_KEY_TEXT_H */
