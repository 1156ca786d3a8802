/*
 * csv.h
 *		Lists as comma-separated values: pure functions, without the server.
 */
#ifndef STEWARD_CSV_H
#define STEWARD_CSV_H

#include <stdbool.h>
#include <stddef.h>

/* A walk through a text of RFC 4180. */
typedef struct StewardCsv
{
	const char *at;
	const char *end;
	char *field;	 /* where the current field is put; as large as the text */
	size_t len;		 /* its length */
	bool last;		 /* it was the last one of its record */
	const char *bad; /* what is wrong; NULL while nothing is */
} StewardCsv;

extern void steward_csv_begin(StewardCsv *csv, const char *text, size_t len, char *room);
extern bool steward_csv_next(StewardCsv *csv);

#endif /* STEWARD_CSV_H */
