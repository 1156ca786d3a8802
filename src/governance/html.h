/*
 * html.h
 *		Writing HTML: every value is escaped, whatever it is.
 */
#ifndef STEWARD_HTML_H
#define STEWARD_HTML_H

#include "lib/stringinfo.h"

extern void steward_html_text(StringInfo out, const char *text);
extern void steward_html_table_begin(StringInfo out, const char *caption, const char *const *columns);
extern void steward_html_row(StringInfo out, const char *class, const char *const *cells, int n);
extern void steward_html_table_end(StringInfo out);
extern void steward_html_bars(StringInfo out, const char *id, const char *title, const char *description,
							  const char *const *labels, const int64 *values, int n);
extern const char *const steward_html_style;

#endif /* STEWARD_HTML_H */
