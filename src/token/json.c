/*
 * json.c
 *		Reading untrusted JSON: pure functions, without the server, without recursion and without allocation.
 *
 * The grammar of RFC 8259, exactly, on UTF-8: no byte order mark, no NUL and no lone surrogate, neither raw nor escaped.
 * Nesting is bounded and kept in one word; names of an object that is walked must differ, compared after their escapes.
 * Numbers are bounded so that whoever stores them later cannot be made to expand them.
 */
#include "token/json.h"

#include <string.h>

/* The text that is read, and where. */
typedef struct Cursor
{
	const char *at;
	const char *end;
} Cursor;

static void
skip_space(Cursor *c)
{
	while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\n' || *c->at == '\r'))
		c->at++;
}

static bool
take(Cursor *c, char ch)
{
	if (c->at >= c->end || *c->at != ch)
		return false;
	c->at++;
	return true;
}

static int
hex_digit(char ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	if (ch >= 'a' && ch <= 'f')
		return ch - 'a' + 10;
	if (ch >= 'A' && ch <= 'F')
		return ch - 'A' + 10;
	return -1;
}

/* Four hexadecimal digits; -1 when they are not there. */
static int
take_hex4(Cursor *c)
{
	int value = 0;

	if (c->end - c->at < 4)
		return -1;
	for (int i = 0; i < 4; i++)
	{
		int digit = hex_digit(c->at[i]);

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	c->at += 4;
	return value;
}

/* What follows a backslash, as a code point; -1 when it is not allowed. */
static int
take_escape(Cursor *c)
{
	int high;
	int low;

	if (c->at >= c->end)
		return -1;
	switch (*c->at++)
	{
		case '"':
			return '"';
		case '\\':
			return '\\';
		case '/':
			return '/';
		case 'b':
			return '\b';
		case 'f':
			return '\f';
		case 'n':
			return '\n';
		case 'r':
			return '\r';
		case 't':
			return '\t';
		case 'u':
			break;
		default:
			return -1;
	}
	high = take_hex4(c);
	if (high <= 0 || (high >= 0xDC00 && high <= 0xDFFF))
		return -1;
	if (high < 0xD800 || high > 0xDBFF)
		return high;
	if (!take(c, '\\') || !take(c, 'u'))
		return -1;
	low = take_hex4(c);
	if (low < 0xDC00 || low > 0xDFFF)
		return -1;
	return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

/* Steps over one character beyond ASCII; false when it is no well-formed UTF-8. */
static bool
take_utf8(Cursor *c)
{
	unsigned char first = (unsigned char) *c->at;
	unsigned char second;
	int more;

	if (first >= 0xC2 && first <= 0xDF)
		more = 1;
	else if (first >= 0xE0 && first <= 0xEF)
		more = 2;
	else if (first >= 0xF0 && first <= 0xF4)
		more = 3;
	else
		return false;
	if (c->end - c->at <= more)
		return false;
	second = (unsigned char) c->at[1];
	/* Overlong forms, surrogates, and what lies beyond Unicode. */
	if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) || (first == 0xF0 && second < 0x90) ||
		(first == 0xF4 && second > 0x8F))
		return false;
	for (int i = 1; i <= more; i++)
		if (((unsigned char) c->at[i] & 0xC0) != 0x80)
			return false;
	c->at += more + 1;
	return true;
}

/* A string, the cursor behind its opening quote; the value is what stands between the quotes. */
static bool
take_string(Cursor *c, StewardJsonValue *value)
{
	value->kind = STEWARD_JSON_STRING;
	value->at = c->at;
	while (c->at < c->end)
	{
		unsigned char ch = (unsigned char) *c->at;

		if (ch == '"')
		{
			value->len = (size_t) (c->at - value->at);
			c->at++;
			return true;
		}
		if (ch < 0x20)
			return false;
		if (ch == '\\')
		{
			c->at++;
			if (take_escape(c) < 0)
				return false;
		}
		else if (ch < 0x80)
			c->at++;
		else if (!take_utf8(c))
			return false;
	}
	return false;
}

static size_t
take_digits(Cursor *c)
{
	const char *start = c->at;

	while (c->at < c->end && *c->at >= '0' && *c->at <= '9')
		c->at++;
	return (size_t) (c->at - start);
}

/* A number, at most STEWARD_JSON_NUMBER characters long and with an exponent of at most three digits. */
static bool
take_number(Cursor *c)
{
	const char *start = c->at;
	size_t digits;

	(void) take(c, '-');
	if (!take(c, '0') && take_digits(c) == 0)
		return false;
	if (take(c, '.') && take_digits(c) == 0)
		return false;
	if (take(c, 'e') || take(c, 'E'))
	{
		if (!take(c, '+'))
			(void) take(c, '-');
		digits = take_digits(c);
		if (digits == 0 || digits > 3)
			return false;
	}
	return c->at - start <= STEWARD_JSON_NUMBER;
}

static bool
take_word(Cursor *c, const char *word)
{
	size_t len = strlen(word);

	if ((size_t) (c->end - c->at) < len || memcmp(c->at, word, len) != 0)
		return false;
	c->at += len;
	return true;
}

/* A value that is neither array nor object. */
static bool
take_scalar(Cursor *c, StewardJsonValue *value)
{
	if (c->at >= c->end)
		return false;
	value->at = c->at;
	switch (*c->at)
	{
		case '"':
			c->at++;
			return take_string(c, value);
		case 't':
			value->kind = STEWARD_JSON_BOOLEAN;
			if (!take_word(c, "true"))
				return false;
			break;
		case 'f':
			value->kind = STEWARD_JSON_BOOLEAN;
			if (!take_word(c, "false"))
				return false;
			break;
		case 'n':
			value->kind = STEWARD_JSON_NULL;
			if (!take_word(c, "null"))
				return false;
			break;
		default:
			value->kind = STEWARD_JSON_NUMBER_VALUE;
			if (!take_number(c))
				return false;
	}
	value->len = (size_t) (c->at - value->at);
	return true;
}

/* A member's name and the colon. */
static bool
take_name(Cursor *c, StewardJsonValue *name)
{
	skip_space(c);
	if (!take(c, '"') || !take_string(c, name))
		return false;
	skip_space(c);
	return take(c, ':');
}

/*
 * Any value, the cursor at its first character; level is how deep it stands.  Open brackets are bits of one word, set
 * for objects.
 */
static bool
take_value(Cursor *c, int level, StewardJsonValue *value)
{
	uint64_t objects = 0;
	int depth = 0;
	const char *start = c->at;
	StewardJsonValue inner;

	if (c->at >= c->end)
		return false;
	if (*c->at != '{' && *c->at != '[')
		return take_scalar(c, value);
	value->kind = *c->at == '{' ? STEWARD_JSON_OBJECT : STEWARD_JSON_ARRAY;
	for (;;)
	{
		bool closed;

		/* A value begins here. */
		skip_space(c);
		if (c->at >= c->end)
			return false;
		closed = true;
		if (*c->at == '{' || *c->at == '[')
		{
			bool object = *c->at == '{';

			if (level + depth >= STEWARD_JSON_DEPTH)
				return false;
			c->at++;
			objects = (objects << 1) | (object ? 1 : 0);
			depth++;
			skip_space(c);
			if (take(c, object ? '}' : ']'))
			{
				objects >>= 1;
				depth--;
			}
			else
			{
				if (object && !take_name(c, &inner))
					return false;
				closed = false;
			}
		}
		else if (!take_scalar(c, &inner))
			return false;
		if (!closed)
			continue;

		/* A value has ended: close brackets, or go on behind a comma. */
		while (depth > 0)
		{
			skip_space(c);
			if (take(c, ','))
			{
				if ((objects & 1) && !take_name(c, &inner))
					return false;
				break;
			}
			if (!take(c, (objects & 1) ? '}' : ']'))
				return false;
			objects >>= 1;
			depth--;
		}
		if (depth == 0)
			break;
	}
	value->at = start;
	value->len = (size_t) (c->at - start);
	return true;
}

/* One character of a string whose escapes are valid, as UTF-8; returns its length. */
static size_t
next_char(Cursor *c, char *out)
{
	int code;

	if (*c->at != '\\')
	{
		*out = *c->at++;
		return 1;
	}
	c->at++;
	code = take_escape(c);
	if (code < 0x80)
	{
		out[0] = (char) code;
		return 1;
	}
	if (code < 0x800)
	{
		out[0] = (char) (0xC0 | (code >> 6));
		out[1] = (char) (0x80 | (code & 0x3F));
		return 2;
	}
	if (code < 0x10000)
	{
		out[0] = (char) (0xE0 | (code >> 12));
		out[1] = (char) (0x80 | ((code >> 6) & 0x3F));
		out[2] = (char) (0x80 | (code & 0x3F));
		return 3;
	}
	out[0] = (char) (0xF0 | (code >> 18));
	out[1] = (char) (0x80 | ((code >> 12) & 0x3F));
	out[2] = (char) (0x80 | ((code >> 6) & 0x3F));
	out[3] = (char) (0x80 | (code & 0x3F));
	return 4;
}

/*
 * steward_json_unescape
 *		The string without escapes, in out, terminated; returns its length, or size when it does not fit.
 */
size_t
steward_json_unescape(const StewardJsonValue *string, char *out, size_t size)
{
	Cursor c = {string->at, string->at + string->len};
	size_t len = 0;

	while (c.at < c.end)
	{
		char bytes[4];
		size_t n = next_char(&c, bytes);

		if (len + n >= size)
			return size;
		memcpy(out + len, bytes, n);
		len += n;
	}
	if (size > 0)
		out[len] = '\0';
	return len;
}

/* Hash of a string after its escapes, to find equal names fast. */
static uint32_t
string_hash(const StewardJsonValue *string)
{
	Cursor c = {string->at, string->at + string->len};
	uint32_t hash = 2166136261u;

	while (c.at < c.end)
	{
		char bytes[4];
		size_t n = next_char(&c, bytes);

		for (size_t i = 0; i < n; i++)
			hash = (hash ^ (unsigned char) bytes[i]) * 16777619u;
	}
	return hash;
}

/*
 * steward_json_same
 *		Whether two strings are the same after their escapes.
 */
bool
steward_json_same(const StewardJsonValue *a, const StewardJsonValue *b)
{
	Cursor x = {a->at, a->at + a->len};
	Cursor y = {b->at, b->at + b->len};

	while (x.at < x.end && y.at < y.end)
	{
		char p[4];
		char q[4];
		size_t n;

		/* A raw character is stepped over byte by byte, an escape as a whole: let the raw one catch up. */
		n = next_char(&x, p);
		for (size_t i = 0; i < n;)
		{
			size_t m;

			if (y.at >= y.end)
				return false;
			m = next_char(&y, q);
			if (m > n - i)
			{
				/* The other is the escape: compare it with the raw bytes that follow here. */
				if (n - i != 1 || q[0] != p[i])
					return false;
				for (size_t k = 1; k < m; k++)
				{
					if (x.at >= x.end || *x.at != q[k])
						return false;
					x.at++;
				}
				i = n;
				continue;
			}
			if (memcmp(p + i, q, m) != 0)
				return false;
			i += m;
		}
	}
	return x.at == x.end && y.at == y.end;
}

/*
 * steward_json_is
 *		Whether a string, after its escapes, is the expected ASCII text.
 */
bool
steward_json_is(const StewardJsonValue *string, const char *expected)
{
	StewardJsonValue other = {STEWARD_JSON_STRING, expected, strlen(expected)};

	if (string->kind != STEWARD_JSON_STRING)
		return false;
	if (string->len == other.len && memcmp(string->at, expected, other.len) == 0)
		return true;
	return memchr(string->at, '\\', string->len) != NULL && steward_json_same(string, &other);
}

/*
 * steward_json_walk
 *		Visits the members of the object, or the elements of the array, that the whole text is; false when it is not
 *		that, not JSON, beyond the limits, names a member twice, or a visitor said so.
 */
bool
steward_json_walk(const char *text, size_t len, StewardJsonKind kind, StewardJsonVisitor visit, void *arg)
{
	Cursor c = {text, text + len};
	bool object = kind == STEWARD_JSON_OBJECT;
	StewardJsonValue names[STEWARD_JSON_MEMBERS];
	uint32_t hashes[STEWARD_JSON_MEMBERS];
	int count = 0;

	skip_space(&c);
	if (!take(&c, object ? '{' : '['))
		return false;
	skip_space(&c);
	if (!take(&c, object ? '}' : ']'))
	{
		for (;;)
		{
			StewardJsonValue value;

			if (count == STEWARD_JSON_MEMBERS)
				return false;
			if (object)
			{
				if (!take_name(&c, &names[count]))
					return false;
				hashes[count] = string_hash(&names[count]);
				for (int i = 0; i < count; i++)
					if (hashes[i] == hashes[count] && steward_json_same(&names[i], &names[count]))
						return false;
			}
			skip_space(&c);
			if (!take_value(&c, 1, &value))
				return false;
			if (visit != NULL && !visit(object ? &names[count] : NULL, &value, arg))
				return false;
			count++;
			skip_space(&c);
			if (take(&c, ','))
				continue;
			if (!take(&c, object ? '}' : ']'))
				return false;
			break;
		}
	}
	skip_space(&c);
	return c.at == c.end;
}

/*
 * steward_json_time
 *		A NumericDate (RFC 7519: seconds, may be fractional) in microseconds, rounded down; false when it is not a number,
 *		or outside the years 1 to 9999.
 */
bool
steward_json_time(const StewardJsonValue *number, int64_t *micros)
{
	const char *at = number->at;
	const char *end = number->at + number->len;
	bool negative = false;
	unsigned char digits[STEWARD_JSON_NUMBER];
	int ndigits = 0;
	int point;
	int exponent = 0;
	int64_t value = 0;
	bool rest = false;

	if (number->kind != STEWARD_JSON_NUMBER_VALUE || number->len > STEWARD_JSON_NUMBER)
		return false;
	if (*at == '-')
	{
		negative = true;
		at++;
	}
	while (at < end && *at >= '0' && *at <= '9')
		digits[ndigits++] = (unsigned char) (*at++ - '0');
	point = ndigits;
	if (at < end && *at == '.')
		for (at++; at < end && *at >= '0' && *at <= '9'; at++)
			digits[ndigits++] = (unsigned char) (*at - '0');
	if (at < end)
	{
		bool minus;

		at++;
		minus = *at == '-';
		if (*at == '-' || *at == '+')
			at++;
		while (at < end)
			exponent = exponent * 10 + (*at++ - '0');
		if (minus)
			exponent = -exponent;
	}

	/* Microseconds: so many of the digits count, then zeros. */
	for (int i = 0; i < point + exponent + 6; i++)
	{
		int digit = i < ndigits ? digits[i] : 0;

		if (value > INT64_C(400000000000000000))
			return false;
		value = value * 10 + digit;
	}
	for (int i = point + exponent + 6 > 0 ? point + exponent + 6 : 0; i < ndigits; i++)
		rest |= digits[i] != 0;
	if (negative)
		value = -value - (rest ? 1 : 0);
	if (value < -INT64_C(62135596800000000) || value > INT64_C(253402300799999999))
		return false;
	*micros = value;
	return true;
}
