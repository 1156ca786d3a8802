/*
 * csv.c
 *		Lists as comma-separated values, RFC 4180: pure functions, without the server.
 *
 * Records end with LF or CR LF; a field in quotes may hold commas, line ends and doubled quotes; a byte order mark at the
 * beginning is passed over.  Nothing is guessed: a quote inside a bare field, or text after a closing one, is malformed.
 */
#include "credential/csv.h"

#include <string.h>

/*
 * steward_csv_begin
 *		Begins a walk; room has at least as many bytes as the text, and one more.
 */
void
steward_csv_begin(StewardCsv *csv, const char *text, size_t len, char *room)
{
	memset(csv, 0, sizeof(*csv));
	csv->at = text;
	csv->end = text + len;
	csv->field = room;
	if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
		csv->at += 3;
}

/* Ends a field at a comma, a line end or the end of the text; false when something else follows. */
static bool
end_of_field(StewardCsv *csv)
{
	csv->field[csv->len] = '\0';
	if (csv->at == csv->end)
		csv->last = true;
	else if (*csv->at == ',')
	{
		csv->at++;
		csv->last = false;
	}
	else
	{
		if (*csv->at == '\r')
			csv->at++;
		if (csv->at == csv->end || *csv->at != '\n')
			return false;
		csv->at++;
		csv->last = true;
	}
	return true;
}

/*
 * steward_csv_next
 *		Reads the next field; false at the end of the text, or when it is malformed, and then bad says why.
 */
bool
steward_csv_next(StewardCsv *csv)
{
	/* The text ended with a record, not with a comma. */
	if (csv->at == csv->end && (csv->last || csv->len == 0))
		return false;
	csv->len = 0;
	if (csv->at < csv->end && *csv->at == '"')
	{
		for (csv->at++;; csv->at++)
		{
			if (csv->at == csv->end)
			{
				csv->bad = "a quoted field does not end";
				return false;
			}
			if (*csv->at == '"')
			{
				csv->at++;
				if (csv->at == csv->end || *csv->at != '"')
					break;
			}
			csv->field[csv->len++] = *csv->at;
		}
		if (!end_of_field(csv))
		{
			csv->bad = "text follows a closing quote";
			return false;
		}
		return true;
	}
	while (csv->at < csv->end && *csv->at != ',' && *csv->at != '\n' && *csv->at != '\r')
	{
		if (*csv->at == '"')
		{
			csv->bad = "a quote stands inside a field that does not begin with one";
			return false;
		}
		csv->field[csv->len++] = *csv->at++;
	}
	if (!end_of_field(csv))
	{
		csv->bad = "a line ends with a lone carriage return";
		return false;
	}
	return true;
}
