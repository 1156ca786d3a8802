/*
 * key_text.c
 *		The text of an opaque key: pure functions, without the server, so that they can be fuzzed alone.
 *
 *		stw1_ organization (22) credential (22) secret (43) CRC-32 (6)
 *
 * Every part is a big-endian number in base 62 (0-9 A-Z a-z) of fixed width.  The checksum, CRC-32 as in ISO 3309 over
 * the 92 characters before it, tells a typo from an unknown key without a look-up.  A part whose digits stand for more
 * than its bytes can hold is malformed: every key has one spelling.
 */
#include "credential/key_text.h"

#include <stdint.h>
#include <string.h>

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* Writes a big-endian number of nbytes as exactly nchars digits; number is used up. */
static void
encode(unsigned char *number, int nbytes, char *text, int nchars)
{
	for (int i = nchars - 1; i >= 0; i--)
	{
		unsigned int remainder = 0;

		/* Long division of the whole number by 62. */
		for (int j = 0; j < nbytes; j++)
		{
			unsigned int value = remainder << 8 | number[j];

			number[j] = (unsigned char) (value / 62);
			remainder = value % 62;
		}
		text[i] = digits[remainder];
	}
}

/* Value of a digit, -1 for anything else; no table, so no secret-dependent memory access. */
static int
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'Z')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 36;
	return -1;
}

/* Reads nchars digits into a big-endian number of nbytes; false on another character or a number too large. */
static bool
decode(const char *text, int nchars, unsigned char *number, int nbytes)
{
	memset(number, 0, nbytes);
	for (int i = 0; i < nchars; i++)
	{
		int value = digit_value(text[i]);
		unsigned int carry;

		if (value < 0)
			return false;
		carry = (unsigned int) value;
		for (int j = nbytes - 1; j >= 0; j--)
		{
			carry += number[j] * 62u;
			number[j] = (unsigned char) carry;
			carry >>= 8;
		}
		if (carry != 0)
			return false;
	}
	return true;
}

/* CRC-32, reflected, polynomial 0xEDB88320, as in ISO 3309, gzip and PNG. */
static uint32_t
crc32_of(const char *text, size_t len)
{
	uint32_t crc = 0xFFFFFFFFu;

	for (size_t i = 0; i < len; i++)
	{
		crc ^= (unsigned char) text[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (0xEDB88320u & (0u - (crc & 1u)));
	}
	return ~crc;
}

/* The checksum of a key's text as four bytes. */
static void
checksum(const char *text, unsigned char *bytes)
{
	uint32_t crc = crc32_of(text, STEWARD_KEY_CHARS - STEWARD_KEY_CHECK_CHARS);

	for (int i = 0; i < 4; i++)
		bytes[i] = (unsigned char) (crc >> (24 - 8 * i));
}

/*
 * steward_key_print
 *		Writes the text of a key: STEWARD_KEY_CHARS characters, not terminated.
 */
void
steward_key_print(const StewardKey *key, char *text)
{
	StewardKey number = *key;
	unsigned char check[4];
	char *at = text;

	memcpy(at, STEWARD_KEY_PREFIX, STEWARD_KEY_PREFIX_LEN);
	at += STEWARD_KEY_PREFIX_LEN;
	encode(number.org, STEWARD_KEY_ID_BYTES, at, STEWARD_KEY_ID_CHARS);
	at += STEWARD_KEY_ID_CHARS;
	encode(number.credential, STEWARD_KEY_ID_BYTES, at, STEWARD_KEY_ID_CHARS);
	at += STEWARD_KEY_ID_CHARS;
	/* Division leaves zeros behind, so the copy of the secret is gone afterwards. */
	encode(number.secret, STEWARD_KEY_SECRET_BYTES, at, STEWARD_KEY_SECRET_CHARS);
	at += STEWARD_KEY_SECRET_CHARS;
	checksum(text, check);
	encode(check, 4, at, STEWARD_KEY_CHECK_CHARS);
}

/*
 * steward_key_parse
 *		Reads the text of a key; false when it is not one, be it in form or in checksum.
 */
bool
steward_key_parse(const char *text, size_t len, StewardKey *key)
{
	unsigned char expected[4];
	unsigned char given[4];
	const char *at = text;

	if (len != STEWARD_KEY_CHARS || memcmp(text, STEWARD_KEY_PREFIX, STEWARD_KEY_PREFIX_LEN) != 0)
		return false;
	at += STEWARD_KEY_PREFIX_LEN;
	if (!decode(at, STEWARD_KEY_ID_CHARS, key->org, STEWARD_KEY_ID_BYTES))
		return false;
	at += STEWARD_KEY_ID_CHARS;
	if (!decode(at, STEWARD_KEY_ID_CHARS, key->credential, STEWARD_KEY_ID_BYTES))
		return false;
	at += STEWARD_KEY_ID_CHARS;
	if (!decode(at, STEWARD_KEY_SECRET_CHARS, key->secret, STEWARD_KEY_SECRET_BYTES))
		return false;
	at += STEWARD_KEY_SECRET_CHARS;
	if (!decode(at, STEWARD_KEY_CHECK_CHARS, given, 4))
		return false;
	checksum(text, expected);
	return memcmp(expected, given, 4) == 0;
}

/*
 * steward_key_display
 *		The display form of a key: the prefix, an ellipsis and the last six characters of the credential's id; text has
 *		room for STEWARD_KEY_DISPLAY_SIZE bytes.
 */
void
steward_key_display(const unsigned char *credential, char *text)
{
	unsigned char number[STEWARD_KEY_ID_BYTES];
	char id[STEWARD_KEY_ID_CHARS];

	memcpy(number, credential, STEWARD_KEY_ID_BYTES);
	encode(number, STEWARD_KEY_ID_BYTES, id, STEWARD_KEY_ID_CHARS);
	memcpy(text, STEWARD_KEY_PREFIX, STEWARD_KEY_PREFIX_LEN);
	memcpy(text + STEWARD_KEY_PREFIX_LEN, "\xE2\x80\xA6", 3);
	memcpy(text + STEWARD_KEY_PREFIX_LEN + 3, id + STEWARD_KEY_ID_CHARS - 6, 6);
	text[STEWARD_KEY_DISPLAY_SIZE - 1] = '\0';
}
