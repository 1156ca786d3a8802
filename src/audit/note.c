/*
 * note.c
 *		Checkpoints as C2SP tlog-checkpoints in C2SP signed notes (https://c2sp.org/signed-note, /tlog-checkpoint).
 *
 *		steward.example/0195.../1			origin
 *		4711								size, decimal
 *		CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=	root, base64
 *											(further lines may follow, and are kept as they are)
 *
 *		— steward.example/0195.../1 Az3gr...	signature: 4 bytes of the key's hash and the Ed25519 signature, base64
 *
 * The parser takes what a stranger may have written, so it is strict: one way to write each thing, every length bounded.
 */
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "audit/note.h"

/* The em dash and space that begin a signature line. */
#define SIGNATURE_PREFIX "\xE2\x80\x94 "

/* What says in a key's text and hash that it is an Ed25519 key. */
#define ALGORITHM_ED25519 0x01

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Appends bytes in base64, padded; returns the number of characters. */
static size_t
encode_base64(const uint8_t *data, size_t len, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i += 3)
	{
		uint32_t group = (uint32_t) data[i] << 16;

		if (i + 1 < len)
			group |= (uint32_t) data[i + 1] << 8;
		if (i + 2 < len)
			group |= data[i + 2];
		out[n++] = base64_digits[group >> 18];
		out[n++] = base64_digits[group >> 12 & 63];
		out[n++] = i + 1 < len ? base64_digits[group >> 6 & 63] : '=';
		out[n++] = i + 2 < len ? base64_digits[group & 63] : '=';
	}
	return n;
}

/* Value of a base64 digit, -1 for anything else. */
static int
base64_value(char c)
{
	const char *at = c ? strchr(base64_digits, c) : NULL;

	return at ? (int) (at - base64_digits) : -1;
}

/* Reads padded base64 of at most size bytes, strictly: unused bits must be zero.  Sets *n. */
static bool
decode_base64(const char *text, size_t len, uint8_t *out, size_t size, size_t *n)
{
	size_t padding = 0;

	*n = 0;
	if (len == 0 || len % 4 != 0)
		return false;
	if (text[len - 1] == '=')
		padding = text[len - 2] == '=' ? 2 : 1;
	if (len / 4 * 3 - padding > size)
		return false;
	for (size_t i = 0; i < len; i += 4)
	{
		size_t digits = i + 4 == len ? 4 - padding : 4;
		uint32_t group = 0;

		for (size_t j = 0; j < 4; j++)
		{
			int value = j < digits ? base64_value(text[i + j]) : 0;

			if (value < 0)
				return false;
			group = group << 6 | (uint32_t) value;
		}
		if ((digits < 4 && (group & 0xff)) || (digits < 3 && (group & 0xffff)))
			return false;
		out[(*n)++] = (uint8_t) (group >> 16);
		if (digits > 2)
			out[(*n)++] = (uint8_t) (group >> 8);
		if (digits > 3)
			out[(*n)++] = (uint8_t) group;
	}
	return true;
}

/*
 * steward_note_name_valid
 *		Whether a text can be the name of a log and its key: printable ASCII without space and plus, bounded.
 *
 * The format allows other Unicode characters; names of ours have none, and those of strangers are not needed.
 */
bool
steward_note_name_valid(const char *name, size_t len)
{
	if (len == 0 || len > STEWARD_ORIGIN_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (name[i] <= ' ' || name[i] > '~' || name[i] == '+')
			return false;
	return true;
}

/* Takes a line off the text: sets where it begins and its length without the newline.  False when there is none. */
static bool
next_line(const char **at, const char *end, const char **line, size_t *len)
{
	const char *newline = memchr(*at, '\n', (size_t) (end - *at));

	if (newline == NULL)
		return false;
	*line = *at;
	*len = (size_t) (newline - *at);
	*at = newline + 1;
	return true;
}

/* Reads a decimal number without leading zeros. */
static bool
parse_size(const char *text, size_t len, uint64_t *size)
{
	*size = 0;
	if (len == 0 || len > 20 || (len > 1 && text[0] == '0'))
		return false;
	for (size_t i = 0; i < len; i++)
	{
		uint64_t digit = (uint64_t) (text[i] - '0');

		if (text[i] < '0' || text[i] > '9' || *size > (UINT64_MAX - digit) / 10)
			return false;
		*size = *size * 10 + digit;
	}
	return true;
}

/* Reads a signature line. */
static bool
parse_signature(const char *line, size_t len, StewardNoteSignature *signature)
{
	size_t prefix = strlen(SIGNATURE_PREFIX);
	const char *space;
	uint8_t data[1024];
	size_t n;

	if (len <= prefix || memcmp(line, SIGNATURE_PREFIX, prefix) != 0)
		return false;
	line += prefix;
	len -= prefix;
	space = memchr(line, ' ', len);
	if (space == NULL || !steward_note_name_valid(line, (size_t) (space - line)))
		return false;
	signature->name = line;
	signature->name_len = (size_t) (space - line);
	len -= signature->name_len + 1;
	if (!decode_base64(space + 1, len, data, sizeof(data), &n) || n < 5)
		return false;
	memcpy(signature->key_hash, data, 4);
	signature->is_ed25519 = n == 4 + STEWARD_ED25519_SIGNATURE_LEN;
	memset(signature->signature, 0, sizeof(signature->signature));
	if (signature->is_ed25519)
		memcpy(signature->signature, data + 4, STEWARD_ED25519_SIGNATURE_LEN);
	return true;
}

/*
 * steward_note_parse
 *		Reads a checkpoint; false when the text is none.
 */
bool
steward_note_parse(const char *text, size_t len, StewardNote *note)
{
	const char *at = text;
	const char *end = text + len;
	const char *line;
	size_t line_len;
	size_t n;

	memset(note, 0, sizeof(*note));
	if (len == 0 || len > STEWARD_NOTE_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char) text[i] < ' ' && text[i] != '\n')
			return false;

	if (!next_line(&at, end, &note->origin, &note->origin_len) ||
		!steward_note_name_valid(note->origin, note->origin_len))
		return false;
	if (!next_line(&at, end, &line, &line_len) || !parse_size(line, line_len, &note->size))
		return false;
	if (!next_line(&at, end, &line, &line_len) ||
		!decode_base64(line, line_len, note->root.bytes, STEWARD_HASH_LEN, &n) || n != STEWARD_HASH_LEN)
		return false;
	/* Lines that others may have added, up to the empty one. */
	for (;;)
	{
		if (!next_line(&at, end, &line, &line_len))
			return false;
		if (line_len == 0)
			break;
	}
	note->signed_len = (size_t) (line - text);
	while (at < end)
	{
		if (note->n_signatures == STEWARD_NOTE_SIGNATURES || !next_line(&at, end, &line, &line_len) ||
			!parse_signature(line, line_len, &note->signatures[note->n_signatures]))
			return false;
		note->n_signatures++;
	}
	return note->n_signatures > 0;
}

/*
 * steward_note_key_hash
 *		The four bytes that name a key in signatures: of SHA-256(name || LF || algorithm || key).
 */
bool
steward_note_key_hash(const char *name, size_t name_len, const uint8_t *public_key, uint8_t hash[4])
{
	uint8_t input[STEWARD_ORIGIN_MAX + 2 + STEWARD_ED25519_KEY_LEN];
	uint8_t digest[EVP_MAX_MD_SIZE];

	if (name_len > STEWARD_ORIGIN_MAX)
		return false;
	memcpy(input, name, name_len);
	input[name_len] = '\n';
	input[name_len + 1] = ALGORITHM_ED25519;
	memcpy(input + name_len + 2, public_key, STEWARD_ED25519_KEY_LEN);
	if (EVP_Digest(input, name_len + 2 + STEWARD_ED25519_KEY_LEN, digest, NULL, EVP_sha256(), NULL) != 1)
		return false;
	memcpy(hash, digest, 4);
	return true;
}

/*
 * steward_note_key_parse
 *		Reads a verification key, NAME+HASH+KEY; false when the text is none or its hash is wrong.
 */
bool
steward_note_key_parse(const char *text, size_t len, StewardNoteKey *key)
{
	const char *plus = len ? memchr(text, '+', len) : NULL;
	uint8_t data[1 + STEWARD_ED25519_KEY_LEN];
	uint8_t hash[4];
	size_t n;

	memset(key, 0, sizeof(*key));
	if (plus == NULL || !steward_note_name_valid(text, (size_t) (plus - text)))
		return false;
	key->name = text;
	key->name_len = (size_t) (plus - text);
	text = plus + 1;
	len -= key->name_len + 1;
	if (len < 9 || text[8] != '+')
		return false;
	for (int i = 0; i < 8; i++)
	{
		const char *digits = "0123456789abcdef";
		const char *digit = text[i] ? strchr(digits, text[i]) : NULL;

		if (digit == NULL)
			return false;
		key->key_hash[i / 2] = (uint8_t) (key->key_hash[i / 2] << 4 | (digit - digits));
	}
	if (!decode_base64(text + 9, len - 9, data, sizeof(data), &n) || n != sizeof(data) || data[0] != ALGORITHM_ED25519)
		return false;
	memcpy(key->public_key, data + 1, STEWARD_ED25519_KEY_LEN);
	return steward_note_key_hash(key->name, key->name_len, key->public_key, hash) &&
		   memcmp(hash, key->key_hash, sizeof(hash)) == 0;
}

/*
 * steward_note_body
 *		The text that is signed: origin, size, root.  Returns its length.
 */
size_t
steward_note_body(const char *origin, uint64_t size, const StewardHash *root, char body[STEWARD_NOTE_BODY_SIZE])
{
	int n = snprintf(body, STEWARD_NOTE_BODY_SIZE, "%s\n%llu\n", origin, (unsigned long long) size);
	size_t len = (size_t) n + encode_base64(root->bytes, STEWARD_HASH_LEN, body + n);

	body[len++] = '\n';
	body[len] = '\0';
	return len;
}

/*
 * steward_note_print
 *		The note: the signed text, an empty line, the signature's line.  Returns its length.
 */
size_t
steward_note_print(const char *body, const char *name, const uint8_t key_hash[4],
				   const uint8_t signature[STEWARD_ED25519_SIGNATURE_LEN], char note[STEWARD_NOTE_SIZE])
{
	uint8_t data[4 + STEWARD_ED25519_SIGNATURE_LEN];
	int n = snprintf(note, STEWARD_NOTE_SIZE, "%s\n" SIGNATURE_PREFIX "%s ", body, name);
	size_t len;

	memcpy(data, key_hash, 4);
	memcpy(data + 4, signature, STEWARD_ED25519_SIGNATURE_LEN);
	len = (size_t) n + encode_base64(data, sizeof(data), note + n);
	note[len++] = '\n';
	note[len] = '\0';
	return len;
}

/*
 * steward_note_key_print
 *		The text of a verification key.  Returns its length, 0 where it cannot be made.
 */
size_t
steward_note_key_print(const char *name, const uint8_t *public_key, char text[STEWARD_NOTE_KEY_SIZE])
{
	uint8_t data[1 + STEWARD_ED25519_KEY_LEN];
	uint8_t hash[4];
	int n;
	size_t len;

	if (!steward_note_key_hash(name, strlen(name), public_key, hash))
		return 0;
	data[0] = ALGORITHM_ED25519;
	memcpy(data + 1, public_key, STEWARD_ED25519_KEY_LEN);
	n = snprintf(text, STEWARD_NOTE_KEY_SIZE, "%s+%02x%02x%02x%02x+", name, hash[0], hash[1], hash[2], hash[3]);
	len = (size_t) n + encode_base64(data, sizeof(data), text + n);
	text[len] = '\0';
	return len;
}

/*
 * steward_note_find_signature
 *		The note's signature by the key, not verified yet; false when there is none.
 */
bool
steward_note_find_signature(const StewardNote *note, const StewardNoteKey *key, const StewardNoteSignature **found)
{
	for (int i = 0; i < note->n_signatures; i++)
	{
		const StewardNoteSignature *s = &note->signatures[i];

		if (s->is_ed25519 && s->name_len == key->name_len && memcmp(s->name, key->name, key->name_len) == 0 &&
			memcmp(s->key_hash, key->key_hash, sizeof(s->key_hash)) == 0)
		{
			*found = s;
			return true;
		}
	}
	return false;
}
