/*
 * rfc3339.c
 *		Dates and times of other systems, without raising: one bad row must not stop a list of a hundred thousand.
 *
 * Taken are the forms that inventories use: RFC 3339 with T or a space, a fraction, Z, an offset, or neither (then UTC),
 * a date alone, and seconds since 1970 as a number.
 */
#include "postgres.h"

#include "datatype/timestamp.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "steward.h"

PG_FUNCTION_INFO_V1(steward_parse_timestamp);

/* Reads exactly n digits; -1 when they are not there. */
static int
digits(const char **at, int n)
{
	int value = 0;

	for (int i = 0; i < n; i++, (*at)++)
	{
		if (**at < '0' || **at > '9')
			return -1;
		value = value * 10 + (**at - '0');
	}
	return value;
}

/* Seconds since 1970, as whole number or with a fraction that is dropped. */
static bool
parse_epoch(const char *text, TimestampTz *result)
{
	int64 seconds = 0;
	int n = 0;

	for (; *text >= '0' && *text <= '9' && n < 12; text++, n++)
		seconds = seconds * 10 + (*text - '0');
	if (*text == '.')
		for (text++; *text >= '0' && *text <= '9'; text++)
			;
	if (n < 9 || n > 11 || *text != '\0')
		return false;
	*result = (seconds - ((int64) POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY) * USECS_PER_SEC;
	return true;
}

/* The time of the day and the offset; text is what follows the date. */
static bool
parse_time(const char *text, int64 *usecs)
{
	int hour;
	int minute;
	int second;
	int64 fraction = 0;
	int64 unit = USECS_PER_SEC;
	int sign;

	*usecs = 0;
	if (*text == '\0')
		return true;
	if (*text != 'T' && *text != 't' && *text != ' ')
		return false;
	text++;
	hour = digits(&text, 2);
	if (hour < 0 || hour > 23 || *text++ != ':')
		return false;
	minute = digits(&text, 2);
	if (minute < 0 || minute > 59 || *text++ != ':')
		return false;
	second = digits(&text, 2);
	if (second < 0 || second > 60)
		return false;
	if (*text == '.')
		for (text++; *text >= '0' && *text <= '9'; text++)
		{
			unit /= 10;
			fraction += unit * (*text - '0');
		}
	*usecs = ((hour * 60 + minute) * 60 + second) * USECS_PER_SEC + fraction;
	if (*text == 'Z' || *text == 'z')
		return text[1] == '\0';
	if (strcmp(text, " UTC") == 0 || *text == '\0')
		return true;
	if (*text != '+' && *text != '-')
		return false;
	sign = *text++ == '+' ? -1 : 1;
	hour = digits(&text, 2);
	if (*text == ':')
		text++;
	minute = *text == '\0' ? 0 : digits(&text, 2);
	if (hour < 0 || hour > 15 || minute < 0 || minute > 59 || *text != '\0')
		return false;
	*usecs += sign * (hour * 60 + minute) * 60 * USECS_PER_SEC;
	return true;
}

/*
 * parse_timestamp(text) → timestamptz
 *		A date and time as other systems write them; NULL for what is none.  Never raises.
 */
Datum
steward_parse_timestamp(PG_FUNCTION_ARGS)
{
	char *given = text_to_cstring(PG_GETARG_TEXT_PP(0));
	const char *at = given;
	TimestampTz result;
	int64 usecs;
	int year;
	int month;
	int day;

	if (parse_epoch(given, &result))
		PG_RETURN_TIMESTAMPTZ(result);
	year = digits(&at, 4);
	if (year < 1900 || *at++ != '-')
		PG_RETURN_NULL();
	month = digits(&at, 2);
	if (month < 1 || month > 12 || *at++ != '-')
		PG_RETURN_NULL();
	day = digits(&at, 2);
	if (day < 1 || day > day_tab[isleap(year)][month - 1] || !parse_time(at, &usecs))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ((int64) (date2j(year, month, day) - POSTGRES_EPOCH_JDATE) * USECS_PER_DAY + usecs);
}
