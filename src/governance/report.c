/*
 * report.c
 *		report_html(): the state of governance as one page that people look at.
 *
 * The page needs nothing from elsewhere: no script, font, image or link to another host, and says so itself with a
 * content security policy.  Its sections are queries; every value goes through steward_html_text().
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "core/authority.h"
#include "core/plan.h"
#include "core/reference.h"
#include "governance/html.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_report_html);

/* The most columns that a table of the report has. */
#define MAX_COLUMNS 8

/* A page in the making. */
typedef struct ReportPage
{
	StringInfoData out;
	Datum values[3]; /* organization, from, until: parameters of every query */
} ReportPage;

/* Runs a query of the page; the parameters are the same for all. */
static uint64
query(ReportPage *page, StewardPlan *plan)
{
	return steward_run(plan, STEWARD_TRANSACTION, page->values, NULL);
}

/* A whole number of the last result's first row. */
static int64
number(int column)
{
	bool isnull;
	Datum value = steward_result(0, column, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

/* Begins a section; ids and texts are ours. */
static void
section(ReportPage *page, const char *id, const char *title, const char *lead)
{
	appendStringInfo(&page->out, "<section aria-labelledby=\"%s\"><h2 id=\"%s\">%s</h2><p>%s</p>\n", id, id, title,
					 lead);
}

static void
end_section(ReportPage *page)
{
	appendStringInfoString(&page->out, "</section>\n");
}

/*
 * A query as a table.  With classed, the first column of the query is the row's class, one of the severities, and is
 * not shown.
 */
static void
table(ReportPage *page, StewardPlan *plan, const char *caption, const char *const *columns, bool classed,
	  const char *none)
{
	uint64 rows = query(page, plan);
	int n = 0;

	while (columns[n])
		n++;
	if (rows == 0)
	{
		appendStringInfo(&page->out, "<p class=\"empty\">%s</p>\n", none);
		return;
	}
	steward_html_table_begin(&page->out, caption, columns);
	for (uint64 i = 0; i < rows; i++)
	{
		const char *cells[MAX_COLUMNS];

		CHECK_FOR_INTERRUPTS();
		for (int k = 0; k < n; k++)
			cells[k] = steward_result_text(i, k + 1 + classed);
		steward_html_row(&page->out, classed ? steward_result_text(i, 1) : NULL, cells, n);
	}
	steward_html_table_end(&page->out);
}

/* A query (label, count) as bars. */
static void
bars(ReportPage *page, StewardPlan *plan, const char *id, const char *title, const char *class)
{
	const char *labels[12];
	int64 counts[12];
	uint64 rows = Min(query(page, plan), lengthof(labels));
	StringInfoData description;

	initStringInfo(&description);
	for (uint64 i = 0; i < rows; i++)
	{
		bool isnull;

		labels[i] = steward_result_text(i, 1);
		counts[i] = DatumGetInt64(steward_result(i, 2, &isnull));
		appendStringInfo(&description, "%s%s: " INT64_FORMAT, i ? ", " : "", labels[i], counts[i]);
	}
	appendStringInfo(&page->out, "<div class=\"panel %s\"><h3>%s</h3>", class, title);
	if (rows == 0)
		appendStringInfoString(&page->out, "<p>Nothing to show.</p>");
	else
		steward_html_bars(&page->out, id, title, description.data, labels, counts, (int) rows);
	appendStringInfoString(&page->out, "</div>\n");
}

/* One figure of the head. */
static void
figure(ReportPage *page, const char *class, const char *value, const char *words)
{
	appendStringInfo(&page->out, "<li class=\"kpi %s\"><b>%s</b><span>%s</span></li>", class, value, words);
}

/* Title, period and the figures that come first. */
static void
write_head(ReportPage *page)
{
	static StewardPlan about = STEWARD_PLAN(
		"uzz",
		"SELECT o.name, to_char($2 AT TIME ZONE 'UTC', 'DD Mon YYYY'), to_char($3 AT TIME ZONE 'UTC', 'DD Mon YYYY'), "
		"to_char(clock_timestamp() AT TIME ZONE 'UTC', 'DD Mon YYYY HH24:MI') FROM steward.organization o WHERE o.id = $1");
	static StewardPlan figures = STEWARD_PLAN(
		"uzz",
		"SELECT (SELECT count(*) FROM steward.credential c WHERE c.org_id = $1 AND c.state = 'active'), "
		"(SELECT count(*) FROM steward.principal p WHERE p.org_id = $1 AND p.kind = 'agent' AND p.state <> 'offboarded'), "
		"(SELECT count(*) FROM steward.revocation_task t WHERE t.org_id = $1 AND t.state <> 'confirmed'), "
		"(SELECT count(*) FROM steward.revocation_task t WHERE t.org_id = $1 AND t.state <> 'confirmed' AND t.deadline <= now()), "
		"(SELECT count(*) FROM steward.control_coverage c WHERE c.org_id = $1 AND c.status = 'covered'), "
		"(SELECT count(*) FROM steward.control_coverage c WHERE c.org_id = $1), "
		"(SELECT count(*) FROM steward.findings f WHERE f.org_id = $1 AND f.severity = 'critical'), "
		"(SELECT count(*) FROM steward.findings f WHERE f.org_id = $1)");
	StringInfo out = &page->out;
	int64 overdue;
	int64 covered;
	int64 controls;

	query(page, &about);
	appendStringInfoString(
		out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
			 "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
			 "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
			 "<meta name=\"generator\" content=\"steward " STEWARD_VERSION "\"><title>Identity governance: ");
	steward_html_text(out, steward_result_text(0, 1));
	appendStringInfo(
		out,
		"</title><style>\n%s</style></head><body>\n<a class=\"skip\" href=\"#main\">Skip to the report</a>\n<header>",
		steward_html_style);
	appendStringInfoString(out, "<p class=\"eyebrow\">Identity governance</p><h1>");
	steward_html_text(out, steward_result_text(0, 1));
	appendStringInfo(
		out,
		"</h1><p class=\"lead\">%s to %s. The state is that of %s UTC, read in one transaction from the rows that decide every check.</p>\n",
		steward_result_text(0, 2), steward_result_text(0, 3), steward_result_text(0, 4));

	query(page, &figures);
	overdue = number(4);
	covered = number(5);
	controls = number(6);
	appendStringInfoString(out, "<ul class=\"kpis\" aria-label=\"Key figures\">");
	figure(page, "", steward_result_text(0, 1), "live credentials");
	figure(page, "", steward_result_text(0, 2), "AI agents");
	figure(page, covered == controls ? "ok" : "warn", psprintf(INT64_FORMAT "/" INT64_FORMAT, covered, controls),
		   "controls with fresh evidence");
	figure(page, number(7) > 0 ? "bad" : "ok", steward_result_text(0, 7),
		   psprintf("critical findings of %s", steward_result_text(0, 8)));
	figure(page, overdue > 0 ? "bad" : "ok", steward_result_text(0, 3),
		   psprintf("revocations pending outside, " INT64_FORMAT " overdue", overdue));
	appendStringInfoString(
		out,
		"</ul>\n<nav aria-label=\"Sections\"><ul>"
		"<li><a href=\"#boundary\">Control boundary</a></li><li><a href=\"#findings\">Findings</a></li>"
		"<li><a href=\"#inventory\">Inventory</a></li><li><a href=\"#agents\">Agents</a></li>"
		"<li><a href=\"#leavers\">Lifecycle</a></li><li><a href=\"#backlog\">Revocation backlog</a></li>"
		"<li><a href=\"#drift\">Scope drift</a></li><li><a href=\"#signals\">Signals</a></li>"
		"<li><a href=\"#controls\">Evidence</a></li><li><a href=\"#audit\">Audit</a></li></ul></nav>\n</header>\n<main id=\"main\">\n");
}

/* One cell of the matrix, from row i of the result: part, status, words, age of the evidence. */
static void
write_cell(ReportPage *page, uint64 i)
{
	const char *part = steward_result_text(i, 5);
	const char *status = steward_result_text(i, 6);
	const char *split = steward_result_text(i, 7);
	const char *age = steward_result_text(i, 8);

	if (part == NULL)
	{
		appendStringInfoString(&page->out, "<td></td>");
		return;
	}
	/* Both are words of the view, from closed lists. */
	appendStringInfo(&page->out, "<td><span class=\"cell %s %s\"", status ? status : "uncovered", part);
	if (split)
	{
		appendStringInfoString(&page->out, " title=\"");
		steward_html_text(&page->out, split);
		appendStringInfoChar(&page->out, '"');
	}
	appendStringInfo(&page->out, "><b>%s</b>%s%s%s</span></td>", part, status ? status : "uncovered", age ? ", " : "",
					 age ? age : "");
}

/* The control boundary: risk by layer. */
static void
write_boundary(ReportPage *page)
{
	static StewardPlan find = STEWARD_PLAN(
		"uzz",
		"SELECT b.catalogue, b.risk_id, b.risk, coalesce(b.owner, ''), b.part, b.status, b.answers_for, "
		"CASE WHEN b.oldest_evidence IS NULL THEN NULL WHEN b.oldest_evidence > now() - interval '1 hour' THEN 'checked just now' "
		"WHEN b.oldest_evidence > now() - interval '2 days' THEN format('checked %s h ago', floor(extract(epoch FROM now() - b.oldest_evidence) / 3600)) "
		"ELSE format('checked %s d ago', floor(extract(epoch FROM now() - b.oldest_evidence) / 86400)) END "
		"FROM steward.control_boundary b WHERE b.org_id = $1 ORDER BY array_position(ARRAY['OWASP LLM 2025', 'OWASP NHI 2025', 'MITRE ATLAS', 'own'], b.catalogue), "
		"length(b.risk_id), b.risk_id, array_position(ARRAY['runtime_monitoring', 'sso', 'directory_sync', 'audit_log', 'admin_control', 'authorization'], b.layer)");
	static const char *const names[] = {"Runtime monitoring", "Single sign-on", "Directory sync",
										"Audit log",		  "Admin control",	"Authorization"};
	uint64 rows;
	StringInfo out = &page->out;

	section(
		page, "boundary", "Where monitoring ends and identity control begins",
		"Each risk has a layer that answers for it. A cell says what part the layer plays, how its evidence stands and how old the oldest of it is.");
	rows = query(page, &find);
	appendStringInfoString(
		out,
		"<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Control boundary\"><table class=\"matrix\">"
		"<caption>Risk by layer. Answers: this layer is responsible. Shares: it answers for a written part. "
		"Supports: it has controls for the risk.</caption><thead><tr><th scope=\"col\">Risk</th>");
	for (int i = 0; i < 6; i++)
		appendStringInfo(out, "<th scope=\"col\">%s</th>", names[i]);
	appendStringInfoString(out, "</tr></thead>\n");
	for (uint64 i = 0; i + 5 < rows; i += 6)
	{
		CHECK_FOR_INTERRUPTS();
		if (i == 0 || strcmp(steward_result_text(i, 1), steward_result_text(i - 6, 1)) != 0)
		{
			appendStringInfo(out, "%s<tbody><tr class=\"group\"><th scope=\"colgroup\" colspan=\"7\">",
							 i ? "</tbody>\n" : "");
			steward_html_text(out,
							  strcmp(steward_result_text(i, 1), "own") == 0 ? "Our own" : steward_result_text(i, 1));
			appendStringInfoString(out, "</th></tr>\n");
		}
		appendStringInfoString(out, "<tr><th scope=\"row\">");
		steward_html_text(out, steward_result_text(i, 3));
		appendStringInfoString(out, "<span class=\"id\">");
		steward_html_text(out, steward_result_text(i, 2));
		if (steward_result_text(i, 4)[0] != '\0')
		{
			appendStringInfoString(out, " \xc2\xb7 ");
			steward_html_text(out, steward_result_text(i, 4));
		}
		appendStringInfoString(out, "</span></th>");
		for (int k = 0; k < 6; k++)
			write_cell(page, i + k);
		appendStringInfoString(out, "</tr>\n");
	}
	appendStringInfoString(out, "</tbody></table></div>\n");
	end_section(page);
}

/* Findings a day, stacked by severity, and the same as text. */
static void
write_trend(ReportPage *page)
{
	static StewardPlan find = STEWARD_PLAN(
		"uzz",
		"SELECT to_char(h.day, 'DD Mon'), coalesce(sum(h.findings) FILTER (WHERE h.severity = 'critical'), 0)::bigint, "
		"coalesce(sum(h.findings) FILTER (WHERE h.severity = 'high'), 0)::bigint, coalesce(sum(h.findings) FILTER (WHERE h.severity = 'medium'), 0)::bigint, "
		"coalesce(sum(h.findings) FILTER (WHERE h.severity = 'low'), 0)::bigint FROM steward.finding_history h "
		"WHERE h.org_id = $1 AND h.day BETWEEN ($2 AT TIME ZONE 'UTC')::date AND ($3 AT TIME ZONE 'UTC')::date "
		"GROUP BY h.day ORDER BY h.day LIMIT 92");
	StringInfo out = &page->out;
	uint64 days = query(page, &find);
	int64 most = 1;
	bool isnull;

	appendStringInfoString(out, "<div class=\"panel trend\"><h3>Findings a day</h3>");
	if (days == 0)
	{
		appendStringInfoString(out, "<p>No history in this period yet: maintain() writes it.</p></div>\n");
		return;
	}
	for (uint64 i = 0; i < days; i++)
	{
		int64 sum = 0;

		for (int k = 2; k <= 5; k++)
			sum += DatumGetInt64(steward_result(i, k, &isnull));
		most = Max(most, sum);
	}
	appendStringInfoString(
		out,
		"<svg role=\"img\" aria-labelledby=\"trend-t trend-d\" viewBox=\"0 0 460 154\" xmlns=\"http://www.w3.org/2000/svg\">"
		"<title id=\"trend-t\">Findings a day by severity</title><desc id=\"trend-d\">");
	for (uint64 i = 0; i < days; i++)
		appendStringInfo(out, "%s: %s critical, %s high, %s medium, %s low. ", steward_result_text(i, 1),
						 steward_result_text(i, 2), steward_result_text(i, 3), steward_result_text(i, 4),
						 steward_result_text(i, 5));
	appendStringInfo(
		out,
		"</desc><line x1=\"34\" y1=\"124\" x2=\"456\" y2=\"124\"/><line x1=\"34\" y1=\"14\" x2=\"456\" y2=\"14\"/>"
		"<text x=\"28\" y=\"18\" text-anchor=\"end\">" INT64_FORMAT
		"</text><text x=\"28\" y=\"128\" text-anchor=\"end\">0</text>",
		most);
	for (uint64 i = 0; i < days; i++)
	{
		double width = 420.0 / days;
		double y = 124;

		for (int k = 0; k < 4; k++)
		{
			double height = 110.0 * DatumGetInt64(steward_result(i, k + 2, &isnull)) / most;

			y -= height;
			if (height > 0)
				appendStringInfo(out, "<rect class=\"c%d\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>", k,
								 35 + i * width, y, Max(Min(width - 1.5, 40), 1.0), height);
		}
	}
	appendStringInfo(out, "<text x=\"35\" y=\"144\">%s</text>", steward_result_text(0, 1));
	if (days > 1)
		appendStringInfo(out, "<text x=\"456\" y=\"144\" text-anchor=\"end\">%s</text>",
						 steward_result_text(days - 1, 1));
	appendStringInfoString(out, "</svg></div>\n");
}

/* Findings: how many, since when, which. */
static void
write_findings(ReportPage *page)
{
	static StewardPlan by_severity = STEWARD_PLAN(
		"uzz",
		"SELECT s.severity, count(f.rule) FROM (VALUES (1, 'critical'), (2, 'high'), (3, 'medium'), (4, 'low')) AS s(n, severity) "
		"LEFT JOIN steward.findings f ON f.org_id = $1 AND f.severity = s.severity GROUP BY s.n, s.severity ORDER BY s.n");
	static StewardPlan by_rule = STEWARD_PLAN(
		"uzz",
		"SELECT f.severity, f.title, f.severity, coalesce(f.nhi, 'health'), count(*)::text, min(f.object), min(f.owner), "
		"coalesce(to_char(min(f.since) AT TIME ZONE 'UTC', 'DD Mon YYYY'), '') FROM steward.findings f WHERE f.org_id = $1 "
		"GROUP BY f.rule, f.title, f.severity, f.nhi ORDER BY array_position(ARRAY['critical', 'high', 'medium', 'low'], f.severity), count(*) DESC, f.rule");
	static StewardPlan accepted = STEWARD_PLAN(
		"uzz",
		"SELECT e.rule, e.reason, e.requested_by, e.approved_by, to_char(e.ends_at AT TIME ZONE 'UTC', 'DD Mon YYYY') "
		"FROM steward.finding_exceptions e WHERE e.org_id = $1 AND e.ended_at IS NULL AND e.ends_at > now() ORDER BY e.ends_at LIMIT 50");
	static const char *const columns[] = {"Finding",	 "Severity", "Risk",  "Count",
										  "For example", "Owner",	 "Since", NULL};
	static const char *const accepted_columns[] = {"Rule", "Reason", "Requested by", "Approved by", "Until", NULL};

	section(
		page, "findings", "Findings",
		"Rules of good governance that a row breaks now. Each comes with the statement that ends it, in the view findings.");
	appendStringInfoString(&page->out, "<div class=\"two\">");
	bars(page, &by_severity, "severity", "Open findings by severity", "sev");
	write_trend(page);
	appendStringInfoString(&page->out, "</div>");
	table(page, &by_rule, "Open findings by rule", columns, true, "No rule is broken.");
	table(page, &accepted, "Accepted until an end, with the approval of somebody else", accepted_columns, false,
		  "Nothing is accepted.");
	end_section(page);
}

/* The inventory by kind, age and system. */
static void
write_inventory(ReportPage *page)
{
	static StewardPlan by_kind = STEWARD_PLAN(
		"uzz", "SELECT c.kind, count(*) FROM steward.credential c WHERE c.org_id = $1 "
			   "AND c.state IN ('active', 'suspended', 'discovered') GROUP BY c.kind ORDER BY 2 DESC, 1 LIMIT 12");
	static StewardPlan by_age = STEWARD_PLAN(
		"uzz",
		"SELECT a.name, count(c.id) FROM (VALUES (1, 'up to 30 days', 0, 30), (2, '31 to 90 days', 30, 90), (3, '91 to 365 days', 90, 365), "
		"(4, 'over a year', 365, 100000)) AS a(n, name, low, high) LEFT JOIN steward.credential c ON c.org_id = $1 "
		"AND c.state IN ('active', 'suspended', 'discovered') AND c.issued_at <= now() - a.low * interval '1 day' "
		"AND c.issued_at > now() - a.high * interval '1 day' GROUP BY a.n, a.name ORDER BY a.n");
	static StewardPlan by_system = STEWARD_PLAN(
		"uzz",
		"SELECT y.name, y.kind, y.revocation_path, coalesce(o.user_name, o.name), n.live::text, n.forever::text "
		"FROM (SELECT c.system_id, count(*) AS live, count(*) FILTER (WHERE c.expires_at IS NULL) AS forever FROM steward.credential c "
		"WHERE c.org_id = $1 AND c.state IN ('active', 'suspended', 'discovered') GROUP BY c.system_id) n "
		"JOIN steward.system y ON y.org_id = $1 AND y.id = n.system_id LEFT JOIN steward.principal o ON o.org_id = y.org_id AND o.id = y.owner_id "
		"ORDER BY n.live DESC, y.name LIMIT 30");
	static const char *const columns[] = {"System",		  "Kind", "Taken away by", "Owner", "Credentials",
										  "Never expire", NULL};

	section(page, "inventory", "Inventory",
			"Every credential that is not revoked: whose kind it is, how old it has grown, and where it is accepted.");
	appendStringInfoString(&page->out, "<div class=\"two\">");
	bars(page, &by_kind, "kinds", "By kind", "");
	bars(page, &by_age, "ages", "By age", "");
	appendStringInfoString(&page->out, "</div>");
	table(page, &by_system, "By system", columns, false, "There are no credentials.");
	end_section(page);
}

/* Agents and lifecycle. */
static void
write_people(ReportPage *page)
{
	static StewardPlan agents = STEWARD_PLAN(
		"uzz",
		"SELECT p.name, coalesce(o.user_name, o.name), p.state, coalesce(a.autonomy, ''), coalesce(a.model, ''), "
		"(SELECT count(*) FROM steward.credential c WHERE c.org_id = p.org_id AND c.holder_id = p.id AND c.state IN ('active', 'suspended'))::text, "
		"coalesce((SELECT string_agg(s.name, ', ' ORDER BY s.name) FROM steward.signal_source s WHERE s.org_id = p.org_id AND s.retired_at IS NULL "
		"AND (s.agents IS NULL OR p.id = ANY (s.agents))), 'nobody') FROM steward.principal p "
		"LEFT JOIN steward.agent a ON a.org_id = p.org_id AND a.principal_id = p.id LEFT JOIN steward.principal o ON o.org_id = p.org_id AND o.id = p.owner_id "
		"WHERE p.org_id = $1 AND p.kind = 'agent' AND p.state <> 'offboarded' ORDER BY p.state = 'active', p.name LIMIT 60");
	static StewardPlan events = STEWARD_PLAN(
		"uzz",
		"SELECT t.person, t.kind, t.cause, to_char(t.effective_at AT TIME ZONE 'UTC', 'DD Mon YYYY HH24:MI:SS'), "
		"CASE WHEN t.source_delay > interval '2 days' THEN format('%s days', extract(epoch FROM t.source_delay)::bigint / 86400) "
		"WHEN t.source_delay IS NOT NULL THEN format('%s s', round(extract(epoch FROM t.source_delay)::numeric, 1)) END, "
		"t.credentials_revoked::text, format('%s%s', t.pending_outside, CASE WHEN t.pending_due < now() THEN ', overdue' ELSE '' END), "
		"coalesce(t.successor, '') FROM steward.lifecycle_timeline t WHERE t.org_id = $1 AND t.kind <> 'joiner' "
		"AND t.effective_at BETWEEN $2 AND $3 ORDER BY t.effective_at DESC LIMIT 40");
	static const char *const agent_columns[] = {"Agent",	  "Owner", "State", "Autonomy", "Model", "Live credentials",
												"Watched by", NULL};
	static const char *const event_columns[] = {
		"Person",		   "Event",		   "Cause", "Took effect (UTC)", "Delay of the source", "Revoked",
		"Pending outside", "Passed on to", NULL};

	section(page, "agents", "Agents and their owners",
			"Every agent has a person who answers for it, and should have a monitor that watches it.");
	table(page, &agents, "AI agents", agent_columns, false, "No agent is registered.");
	end_section(page);
	section(
		page, "leavers", "Movers and leavers",
		"When the directory said so, when it took effect, and what it did in that one commit. The delay is the source\xe2\x80\x99s own.");
	table(page, &events, "Lifecycle events of the period, the latest first", event_columns, false,
		  "Nobody moved or left in this period.");
	end_section(page);
}

/* What is pending outside, what reaches further than intended, and what monitors saw. */
static void
write_operations(ReportPage *page)
{
	static StewardPlan backlog = STEWARD_PLAN(
		"uzz",
		"SELECT CASE WHEN t.deadline <= now() THEN 'critical' ELSE 'low' END, format('%s at %s', c.display, y.name), t.state, "
		"to_char(t.deadline AT TIME ZONE 'UTC', 'DD Mon YYYY HH24:MI'), t.attempts::text, coalesce(t.last_error, '') FROM steward.revocation_task t "
		"JOIN steward.credential c ON c.org_id = t.org_id AND c.id = t.credential_id JOIN steward.system y ON y.org_id = t.org_id AND y.id = t.system_id "
		"WHERE t.org_id = $1 AND t.state <> 'confirmed' ORDER BY t.deadline LIMIT 50");
	static StewardPlan drift = STEWARD_PLAN(
		"uzz",
		"SELECT f.severity, f.object, f.title, f.evidence, f.owner FROM steward.findings f WHERE f.org_id = $1 "
		"AND f.rule IN ('scope_drift', 'beyond_grants', 'wildcard_scope', 'third_party_wildcard', 'wildcard_grant_unapproved') "
		"ORDER BY array_position(ARRAY['critical', 'high', 'medium', 'low'], f.severity), f.object LIMIT 50");
	static StewardPlan signals = STEWARD_PLAN(
		"uzz",
		"SELECT s.agent, s.source, s.category, round(s.score, 2)::text, to_char(s.occurred_at AT TIME ZONE 'UTC', 'DD Mon HH24:MI:SS'), "
		"CASE WHEN s.released_at IS NOT NULL THEN s.outcome || ', released' ELSE replace(s.outcome, '_', ' ') END, coalesce(s.rule, '') "
		"FROM steward.signals s WHERE s.org_id = $1 AND s.received_at BETWEEN $2 AND $3 ORDER BY s.outcome IN ('recorded', 'alert'), s.received_at DESC LIMIT 40");
	static const char *const backlog_columns[] = {"Credential", "State", "Due (UTC)", "Attempts", "Last error", NULL};
	static const char *const drift_columns[] = {"Object", "Finding", "What", "Owner", NULL};
	static const char *const signal_columns[] = {"Agent",	   "Source",  "Category", "Score",
												 "When (UTC)", "Outcome", "Rule",	  NULL};

	section(page, "backlog", "Revocation backlog",
			"Dead here since the commit; other systems have yet to confirm that it is dead there.");
	table(page, &backlog, "Open revocation tasks", backlog_columns, true, "Every other system has confirmed.");
	end_section(page);
	section(page, "drift", "Scope drift", "What reaches further than was intended or granted.");
	table(page, &drift, "Scopes beyond intent", drift_columns, true, "Nothing reaches beyond what was intended.");
	end_section(page);
	section(page, "signals", "Runtime signals",
			"What monitors saw, and what it brought about in the same commit. Nothing a signal does widens access.");
	table(page, &signals, "Signals of the period, those that contained somebody first", signal_columns, false,
		  "No monitor reported in this period.");
	end_section(page);
}

/* Controls with their evidence, and the state of the log. */
static void
write_evidence(ReportPage *page)
{
	static StewardPlan controls = STEWARD_PLAN(
		"uzz",
		"SELECT CASE c.status WHEN 'failing' THEN 'critical' WHEN 'stale' THEN 'medium' WHEN 'uncovered' THEN 'low' END, c.title, c.status, "
		"coalesce(to_char(c.evaluated_at AT TIME ZONE 'UTC', 'DD Mon YYYY HH24:MI'), 'never'), coalesce(format('%s of %s fail', c.rows_failing, c.rows_seen), ''), "
		"coalesce(to_char(c.proven_since AT TIME ZONE 'UTC', 'DD Mon YYYY HH24:MI'), ''), "
		"(SELECT string_agg(format('%s %s', r.key, (SELECT string_agg(x, ', ') FROM jsonb_array_elements_text(r.value) AS x)), '; ' ORDER BY r.key) FROM jsonb_each(c.refs) r) "
		"FROM steward.control_coverage c WHERE c.org_id = $1 ORDER BY array_position(ARRAY['failing', 'stale', 'uncovered', 'covered'], c.status), c.title");
	static StewardPlan log = STEWARD_PLAN(
		"uzz",
		"SELECT a.table_name, count(*)::text, count(*) FILTER (WHERE a.action = 'insert')::text, count(*) FILTER (WHERE a.action = 'update')::text, "
		"count(*) FILTER (WHERE a.action = 'delete')::text, to_char(max(a.recorded_at) AT TIME ZONE 'UTC', 'DD Mon YYYY HH24:MI:SS') "
		"FROM steward.audit_event a WHERE a.org_id = $1 AND a.recorded_at BETWEEN $2 AND $3 GROUP BY a.table_name ORDER BY count(*) DESC LIMIT 15");
	static const char *const control_columns[] = {
		"Control", "Evidence", "Evaluated (UTC)", "Rows", "Proven since (UTC)", "Clauses", NULL};
	static const char *const log_columns[] = {"Table",	 "Events",		 "Inserted", "Updated",
											  "Deleted", "Latest (UTC)", NULL};

	section(page, "controls", "Evidence",
			"Controls prove themselves from the rows they are about. Stale evidence is no evidence.");
	table(page, &controls, "Controls", control_columns, true, "There are no controls.");
	end_section(page);
	section(page, "audit", "Audit", "Every change of a governed row is an event of the transaction that made it.");
	table(page, &log, "Events of the period by table", log_columns, false, "Nothing changed in this period.");
	end_section(page);
}

/*
 * report_html(since timestamptz DEFAULT now() - 30 days, until timestamptz DEFAULT now(), org uuid DEFAULT default_org())
 *		→ text
 *		The state of governance now and what happened in the period, as one self-contained HTML page.
 *
 * Raises ST213 for a period that is empty or longer than 400 days.  Needs analyst.
 */
Datum
steward_report_html(PG_FUNCTION_ARGS)
{
	ReportPage page;
	const pg_uuid_t *org = steward_org_arg(fcinfo, 2);
	TimestampTz since;
	TimestampTz until;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("since and until must not be null")));
	since = PG_GETARG_TIMESTAMPTZ(0);
	until = PG_GETARG_TIMESTAMPTZ(1);
	if (TIMESTAMP_NOT_FINITE(since) || TIMESTAMP_NOT_FINITE(until) || since >= until ||
		until - since > 400 * USECS_PER_DAY)
		ereport(ERROR,
				(errcode(ERRCODE_STEWARD_VALUE_INVALID), errmsg("since must come before until, by at most 400 days")));
	steward_require(org, STEWARD_PROFILE_ANALYST);

	initStringInfo(&page.out);
	page.values[0] = UUIDPGetDatum(org);
	page.values[1] = TimestampTzGetDatum(since);
	page.values[2] = TimestampTzGetDatum(until);
	STEWARD_AS_OWNER();
	{
		/* The views are long and the rows few: compiling them would cost more than everything else. */
		(void) set_config_option("jit", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
		write_head(&page);
		write_boundary(&page);
		write_findings(&page);
		write_inventory(&page);
		write_people(&page);
		write_operations(&page);
		write_evidence(&page);
	}
	STEWARD_AS_OWNER_END();
	appendStringInfo(
		&page.out,
		"</main>\n<footer><p>Made by steward %s. This page holds no script and needs nothing from elsewhere.</p></footer>\n</body></html>\n",
		STEWARD_VERSION);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(page.out.data, page.out.len));
}
