/*
 * html.c
 *		Writing HTML: escaping, tables, charts and the style of the report.
 *
 * Values reach a page only through steward_html_text(): a name like <script> is data.  Charts are inline SVG with a
 * title and a description, and what they show stands beside them as text.
 */
#include "postgres.h"

#include "governance/html.h"

/*
 * steward_html_text
 *		Appends a text, escaped for content and for quoted attributes; control characters that HTML does not allow become
 *		U+FFFD, null becomes a dash.
 */
void
steward_html_text(StringInfo out, const char *text)
{
	if (text == NULL || text[0] == '\0')
	{
		appendStringInfoString(out, "\xe2\x80\x93");
		return;
	}
	for (const char *p = text; *p; p++)
	{
		unsigned char c = (unsigned char) *p;

		switch (c)
		{
			case '&':
				appendStringInfoString(out, "&amp;");
				break;
			case '<':
				appendStringInfoString(out, "&lt;");
				break;
			case '>':
				appendStringInfoString(out, "&gt;");
				break;
			case '"':
				appendStringInfoString(out, "&quot;");
				break;
			case '\'':
				appendStringInfoString(out, "&#39;");
				break;
			default:
				if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
					appendStringInfoString(out, "\xef\xbf\xbd");
				else
					appendStringInfoChar(out, (char) c);
		}
	}
}

/*
 * steward_html_table_begin
 *		A table with its caption and column headers; columns end with NULL.
 */
void
steward_html_table_begin(StringInfo out, const char *caption, const char *const *columns)
{
	appendStringInfoString(out, "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"");
	steward_html_text(out, caption);
	appendStringInfoString(out, "\"><table><caption>");
	steward_html_text(out, caption);
	appendStringInfoString(out, "</caption><thead><tr>");
	for (int i = 0; columns[i]; i++)
	{
		appendStringInfoString(out, "<th scope=\"col\">");
		steward_html_text(out, columns[i]);
		appendStringInfoString(out, "</th>");
	}
	appendStringInfoString(out, "</tr></thead><tbody>\n");
}

/*
 * steward_html_row
 *		A row whose first cell is its header; class is one of ours, never a value.
 */
void
steward_html_row(StringInfo out, const char *class, const char *const *cells, int n)
{
	appendStringInfo(out, class ? "<tr class=\"%s\">" : "<tr>", class);
	for (int i = 0; i < n; i++)
	{
		appendStringInfoString(out, i == 0 ? "<th scope=\"row\">" : "<td>");
		steward_html_text(out, cells[i]);
		appendStringInfoString(out, i == 0 ? "</th>" : "</td>");
	}
	appendStringInfoString(out, "</tr>\n");
}

void
steward_html_table_end(StringInfo out)
{
	appendStringInfoString(out, "</tbody></table></div>\n");
}

/*
 * steward_html_bars
 *		A bar chart with a value at each bar.
 */
void
steward_html_bars(StringInfo out, const char *id, const char *title, const char *description, const char *const *labels,
				  const int64 *values, int n)
{
	int64 most = 1;

	for (int i = 0; i < n; i++)
		most = Max(most, values[i]);
	appendStringInfo(out,
					 "<svg class=\"bars\" role=\"img\" aria-labelledby=\"%s-t %s-d\" viewBox=\"0 0 460 %d\" "
					 "xmlns=\"http://www.w3.org/2000/svg\"><title id=\"%s-t\">",
					 id, id, n * 30 + 4, id);
	steward_html_text(out, title);
	appendStringInfo(out, "</title><desc id=\"%s-d\">", id);
	steward_html_text(out, description);
	appendStringInfoString(out, "</desc>");
	for (int i = 0; i < n; i++)
	{
		int width = (int) ((values[i] * 270) / most);

		appendStringInfo(out, "<text x=\"0\" y=\"%d\">", i * 30 + 19);
		steward_html_text(out, labels[i]);
		appendStringInfo(out, "</text><rect class=\"c%d\" x=\"130\" y=\"%d\" width=\"%d\" height=\"18\" rx=\"3\"/>", i,
						 i * 30 + 5, values[i] > 0 ? Max(width, 2) : 0);
		appendStringInfo(out, "<text x=\"%d\" y=\"%d\">" INT64_FORMAT "</text>", 138 + width, i * 30 + 19, values[i]);
	}
	appendStringInfoString(out, "</svg>\n");
}

/* The style of the report: one column, calm, light and dark, and fit to print. */
const char *const steward_html_style =
	":root{color-scheme:light dark;--bg:#fbfaf7;--panel:#ffffff;--ink:#1d2430;--soft:#525c6b;--line:#dcdad3;--accent:#1f4e79;"
	"--ok:#1b6b42;--okbg:#dff1e6;--warn:#7a5200;--warnbg:#fbeecb;--bad:#a3212a;--badbg:#fadfe0;--none:#59616e;--nonebg:#eceae4;"
	"--crit:#a3212a;--high:#b4541a;--med:#8a6d1f;--low:#5d6b7c}\n"
	"@media (prefers-color-scheme:dark){:root{--bg:#12161c;--panel:#191f28;--ink:#e8ebef;--soft:#a9b3c1;--line:#323b48;"
	"--accent:#8fc1ee;--ok:#8fdcb0;--okbg:#173527;--warn:#f2cf7a;--warnbg:#3a2f12;--bad:#ffaeb1;--badbg:#441d22;--none:#a9b3c1;"
	"--nonebg:#262d38;--crit:#ff8f94;--high:#f3a56d;--med:#e2c66b;--low:#a9b8ca}}\n"
	"*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.55 \"Iowan Old Style\",\"Palatino Linotype\","
	"Palatino,Georgia,serif}\n"
	"header,main,footer{max-width:1180px;margin:0 auto;padding:0 32px}header{padding-top:56px}\n"
	"h1,h2,.lead,table,svg,nav,.kpi,footer,dl{font-family:ui-sans-serif,-apple-system,\"Segoe UI\",\"Helvetica Neue\",Arial,\"DejaVu Sans\",sans-serif}\n"
	".eyebrow{font:600 12px/1.4 ui-sans-serif,-apple-system,\"Segoe UI\",Arial,\"DejaVu Sans\",sans-serif;letter-spacing:.12em;"
	"text-transform:uppercase;color:var(--accent);margin:0}\n"
	"h1{font-size:38px;line-height:1.15;letter-spacing:-.02em;font-weight:650;margin:8px 0 10px;overflow-wrap:anywhere}"
	".lead{color:var(--soft);font-size:17px;max-width:68ch;margin:0 0 28px}\n"
	"h2{font-size:22px;letter-spacing:-.01em;margin:56px 0 6px;padding-top:18px;border-top:1px solid var(--line)}"
	"section>p{max-width:76ch;color:var(--soft);margin:0 0 18px}\n"
	".kpis{display:grid;grid-template-columns:repeat(auto-fit,minmax(170px,1fr));gap:14px;padding:0;margin:0;list-style:none}"
	".kpi{background:var(--panel);border:1px solid var(--line);border-radius:10px;padding:16px 18px}"
	".kpi b{display:block;font-size:30px;font-weight:650;line-height:1.1;font-variant-numeric:tabular-nums}"
	".kpi span{color:var(--soft);font-size:13.5px}.kpi.bad b{color:var(--bad)}.kpi.warn b{color:var(--warn)}.kpi.ok b{color:var(--ok)}\n"
	"nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:6px 18px;padding:0;margin:24px 0 0;font-size:14px}a{color:var(--accent)}\n"
	".scroll{overflow-x:auto;background:var(--panel);border:1px solid var(--line);border-radius:10px;margin:0 0 18px}"
	"table{border-collapse:collapse;width:100%;font-size:14px;line-height:1.4}"
	"caption{text-align:left;color:var(--soft);font-size:13px;padding:10px 14px 6px}"
	"th,td{text-align:left;vertical-align:top;padding:8px 14px;border-top:1px solid var(--line);overflow-wrap:break-word;font-variant-numeric:tabular-nums}"
	"thead th{font-size:12px;letter-spacing:.03em;color:var(--soft);font-weight:600;border-top:0}tbody th{font-weight:600}\n"
	".matrix td{padding:5px;width:12.5%;min-width:96px}.matrix tbody th{min-width:220px;width:25%}.matrix thead th{padding:8px}.matrix thead th:first-child{padding-left:14px}"
	".matrix .id{display:block;color:var(--soft);font-weight:400;font-size:12px}"
	".matrix .group th{background:var(--bg);color:var(--soft);font-size:12px;letter-spacing:.08em;text-transform:uppercase;padding:10px 14px 6px}\n"
	".cell{display:block;border-radius:7px;padding:6px 8px;font-size:12.5px;line-height:1.3;border:1px solid transparent;min-height:46px}"
	".cell b{display:block;font-weight:650}.covered{background:var(--okbg);color:var(--ok)}.stale{background:var(--warnbg);color:var(--warn)}"
	".failing{background:var(--badbg);color:var(--bad)}.uncovered{background:var(--nonebg);color:var(--none)}"
	".supports{background:transparent;border-color:var(--line)}.answers{border-color:currentColor}\n"
	".critical th,.sev-critical{color:var(--crit)}.high th,.sev-high{color:var(--high)}.medium th{color:var(--med)}.low th{color:var(--low)}\n"
	".two{display:grid;grid-template-columns:repeat(auto-fit,minmax(360px,1fr));gap:18px;align-items:start}"
	".panel{background:var(--panel);border:1px solid var(--line);border-radius:10px;padding:16px 18px;margin:0 0 18px}"
	".panel h3{font:600 14px/1.3 ui-sans-serif,-apple-system,\"Segoe UI\",Arial,\"DejaVu Sans\",sans-serif;margin:0 0 10px}\n"
	"svg{width:100%;height:auto;display:block}svg text{fill:var(--ink);font-size:13px}.bars rect{fill:var(--accent)}"
	".sev rect.c0,.trend .c0{fill:var(--crit)}.sev rect.c1,.trend .c1{fill:var(--high)}.sev rect.c2,.trend .c2{fill:var(--med)}"
	".sev rect.c3,.trend .c3{fill:var(--low)}.trend line{stroke:var(--line)}.trend text{fill:var(--soft);font-size:11px}\n"
	".empty{padding:16px 18px;color:var(--soft);background:var(--panel);border:1px dashed var(--line);border-radius:10px;margin:0 0 18px}"
	"code,.mono{font:12.5px/1.45 ui-monospace,SFMono-Regular,Menlo,\"DejaVu Sans Mono\",monospace;overflow-wrap:anywhere}"
	"footer{color:var(--soft);font-size:13px;padding:32px 32px 64px;margin-top:48px}.skip{position:absolute;left:-9999px}"
	".skip:focus{left:12px;top:12px;background:var(--panel);padding:8px}:focus-visible{outline:2px solid var(--accent);outline-offset:2px}\n"
	"@media print{:root{--bg:#fff;--panel:#fff;--ink:#000;--soft:#333;--line:#bbb}body{font-size:11pt}nav,.skip{display:none}"
	"header,main,footer{max-width:none;padding:0}.scroll{overflow:visible}h2{break-after:avoid;margin-top:28px}tr,.panel,.kpi{break-inside:avoid}"
	"thead{display:table-header-group}.cell,.bars rect,.trend rect{print-color-adjust:exact;-webkit-print-color-adjust:exact}"
	".matrix td{min-width:0}}\n"
	"@media (max-width:640px){header,main,footer{padding-left:16px;padding-right:16px}h1{font-size:28px}.two{grid-template-columns:1fr}}\n";
