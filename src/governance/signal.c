/*
 * signal.c
 *		report_signal(): what runtime monitors and scanners saw, in whatever shape they say it.
 *
 * An adapter brings each shape to plain signals; from there on there is one path for one signal or ten thousand:
 * check, resolve whom it is about, record once, contain (contain.c), all in the caller's commit.  What was said in a
 * prompt or an answer is never stored.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "core/actor.h"
#include "core/authority.h"
#include "core/plan.h"
#include "core/reference.h"
#include "governance/signal.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_report_signal);
PG_FUNCTION_INFO_V1(steward_report_signals);

/* The most signals in one call. */
#define MAX_SIGNALS 10000

/* The plain shape is what it is. */
#define FROM_PLAIN \
	"SELECT coalesce(jsonb_agg(t.s ORDER BY t.n), '[]') FROM jsonb_array_elements($1) WITH ORDINALITY AS t(s, n)"

/*
 * LLM Guard: {"is_valid", "scanners": {NAME: score}, "sanitized_prompt" | "sanitized_output"} with id, agent and the
 * like beside it.  A scanner that saw something is a signal; a score of 0 or less means that it did not.
 */
#define FROM_LLM_GUARD \
	"SELECT coalesce(jsonb_agg(CASE WHEN k.key IS NULL THEN t.s ELSE jsonb_strip_nulls(jsonb_build_object(" \
	"'id', (t.s->>'id') || ':' || k.key, 'agent', t.s->'agent', 'credential', t.s->'credential', " \
	"'side', coalesce(t.s->>'side', CASE WHEN t.s ? 'sanitized_output' THEN 'response' ELSE 'prompt' END), " \
	"'category', coalesce(m.category, 'unsafe_output'), 'score', k.value, " \
	"'verdict', CASE WHEN t.s->'is_valid' = 'false' AND (k.value #>> '{}')::numeric >= 0.5 THEN 'malicious' ELSE 'suspicious' END, " \
	"'action', CASE WHEN t.s->'is_valid' = 'false' THEN 'blocked' ELSE 'allowed' END, 'policy', k.key, " \
	"'session', t.s->'session', 'model', t.s->'model', 'occurred_at', t.s->'occurred_at')) END ORDER BY t.n, k.key), '[]') " \
	"FROM jsonb_array_elements($1) WITH ORDINALITY AS t(s, n) " \
	"LEFT JOIN LATERAL jsonb_each(CASE jsonb_typeof(t.s->'scanners') WHEN 'object' THEN t.s->'scanners' END) AS k ON true " \
	"LEFT JOIN (VALUES ('PromptInjection', 'prompt_injection'), ('InvisibleText', 'prompt_injection'), ('Anonymize', 'data_leak'), " \
	"('Sensitive', 'data_leak'), ('Secrets', 'secret_leak'), ('Toxicity', 'toxicity'), ('Bias', 'toxicity'), " \
	"('Sentiment', 'toxicity'), ('BanTopics', 'topic'), ('BanSubstrings', 'topic'), ('BanCompetitors', 'topic'), " \
	"('Regex', 'topic'), ('Code', 'malicious_code'), ('BanCode', 'malicious_code'), ('MaliciousURLs', 'malicious_url'), " \
	"('TokenLimit', 'consumption'), ('FactualConsistency', 'misinformation'), ('Relevance', 'misinformation')) " \
	"AS m(scanner, category) ON m.scanner = k.key " \
	"WHERE k.key IS NULL OR jsonb_typeof(k.value) <> 'number' OR (k.value #>> '{}')::numeric > 0"

/*
 * Prisma AIRS scan results: {"scan_id", "action", "category", "profile_name", "prompt_detected": {NAME: boolean},
 * "response_detected", "tool_detected"}; the agent is the application.  Each thing detected is a signal.
 */
#define FROM_PRISMA_AIRS \
	"SELECT coalesce(jsonb_agg(CASE WHEN k.key IS NULL THEN t.s ELSE jsonb_strip_nulls(jsonb_build_object(" \
	"'id', concat_ws(':', t.s->>'scan_id', d.side, k.key), " \
	"'agent', coalesce(t.s->'agent', t.s->'app_name', t.s#>'{metadata,app_name}'), 'credential', t.s->'credential', " \
	"'side', d.side, 'category', coalesce(m.category, 'unsafe_output'), " \
	"'score', CASE WHEN t.s->>'category' = 'malicious' THEN 1.0 ELSE 0.5 END, " \
	"'verdict', CASE WHEN t.s->>'category' = 'malicious' THEN 'malicious' ELSE 'suspicious' END, " \
	"'action', CASE t.s->>'action' WHEN 'block' THEN 'blocked' WHEN 'allow' THEN 'allowed' ELSE 'flagged' END, " \
	"'policy', t.s->'profile_name', 'session', coalesce(t.s->'session_id', t.s->'tr_id'), " \
	"'model', coalesce(t.s->'model', t.s->'ai_model', t.s#>'{metadata,ai_model}'), " \
	"'occurred_at', coalesce(t.s->'occurred_at', t.s->'created_at', t.s->'completed_at'))) END ORDER BY t.n, d.side, k.key), '[]') " \
	"FROM jsonb_array_elements($1) WITH ORDINALITY AS t(s, n) " \
	"CROSS JOIN (VALUES ('prompt', 'prompt_detected'), ('response', 'response_detected'), ('tool', 'tool_detected')) AS d(side, field) " \
	"LEFT JOIN LATERAL jsonb_each(CASE jsonb_typeof(t.s->d.field) WHEN 'object' THEN t.s->d.field END) AS k ON true " \
	"LEFT JOIN (VALUES ('injection', 'prompt_injection'), ('dlp', 'data_leak'), ('url_cats', 'malicious_url'), " \
	"('toxic_content', 'toxicity'), ('malicious_code', 'malicious_code'), ('agent', 'tool_misuse'), ('topic_violation', 'topic'), " \
	"('db_security', 'database_attack'), ('ungrounded', 'misinformation')) AS m(flag, category) ON m.flag = k.key " \
	"WHERE k.value = 'true' OR (d.side = 'prompt' AND k.key IS NULL AND NOT t.s ? 'scan_id')"

static const char *const formats[] = {"plain", "llm_guard", "prisma_airs", NULL};

/* The signals as an array of plain ones. */
static Datum
plain_signals(Datum signals, const char *format)
{
	static StewardPlan adapters[] = {STEWARD_PLAN("j", FROM_PLAIN), STEWARD_PLAN("j", FROM_LLM_GUARD),
									 STEWARD_PLAN("j", FROM_PRISMA_AIRS)};
	bool isnull;

	for (int i = 0; formats[i]; i++)
		if (strcmp(formats[i], format) == 0)
			steward_run(&adapters[i], STEWARD_TRANSACTION, &signals, NULL);
	return steward_result(0, 1, &isnull);
}

/*
 * The source in whose name the call reports; raises when the session may not speak for it.
 *
 * An assumed identity names its own source.  Its row is locked: the brake counts what it contained.
 */
static void
find_source(const pg_uuid_t *org, const char *name, StewardSignalSource *source)
{
	static StewardPlan find = STEWARD_PLAN(
		"utu",
		"SELECT s.id, s.name, s.role_name, p.state = 'active' AND coalesce(p.ends_at > now(), true), "
		"steward.uncovered_scopes(('signal:' || s.name)::steward.scope_set, (SELECT array_agg(g.scopes) FROM steward.live_grant g "
		"WHERE g.org_id = s.org_id AND g.principal_id = s.principal_id))::text = '', s.principal_id "
		"FROM steward.signal_source s JOIN steward.principal p ON p.org_id = s.org_id AND p.id = s.principal_id "
		"WHERE s.org_id = $1 AND s.retired_at IS NULL AND ($2 IS NULL OR s.name = $2) AND ($3 IS NULL OR s.principal_id = $3) "
		"FOR NO KEY UPDATE OF s");
	static StewardPlan touch = STEWARD_PLAN(
		"uu", "UPDATE steward.signal_source SET last_seen_at = clock_timestamp() WHERE org_id = $1 AND id = $2 "
			  "AND (last_seen_at IS NULL OR last_seen_at < clock_timestamp() - interval '1 minute')");
	const StewardActor *actor = steward_actor();
	Datum values[] = {UUIDPGetDatum(org), name ? CStringGetTextDatum(name) : (Datum) 0,
					  actor ? UUIDPGetDatum(&actor->principal) : (Datum) 0};
	bool nulls[] = {false, name == NULL, actor == NULL};
	bool isnull;
	Datum role;

	if (name == NULL && actor == NULL)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_SOURCE_UNKNOWN), errmsg("the source of a signal must be named"),
						errhint("Name it, or assume the identity of its principal.")));
	if (steward_run(&find, STEWARD_LATEST, values, nulls) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_STEWARD_SOURCE_UNKNOWN), errmsg("unknown signal source \"%.63s\"", name ? name : ""),
				 errhint("An administrator registers sources with steward.register_signal_source().")));
	source->org = *org;
	source->id = *DatumGetUUIDP(steward_result(0, 1, &isnull));
	source->name = steward_result_text(0, 2);
	role = steward_result(0, 3, &isnull);
	if (!isnull && actor == NULL)
	{
		Oid wanted = get_role_oid(NameStr(*DatumGetName(role)), true);

		if (!OidIsValid(wanted) || !is_member_of_role(steward_caller(), wanted))
			ereport(ERROR, (errcode(ERRCODE_STEWARD_SOURCE_FORGED),
							errmsg("this role does not speak for source \"%s\"", source->name)));
	}
	if (!DatumGetBool(steward_result(0, 4, &isnull)) || !DatumGetBool(steward_result(0, 5, &isnull)))
		ereport(ERROR, (errcode(ERRCODE_STEWARD_SOURCE_FORGED), errmsg("source \"%s\" may not report", source->name),
						errdetail("Its principal is not live, or no longer has the scope signal:%s.", source->name)));
	values[1] = UUIDPGetDatum(&source->id);
	steward_run(&touch, STEWARD_LATEST, values, NULL);
}

/*
 * Checks plain signals, resolves whom they are about, and answers with them as a jsonb array, in order: n, id, problem,
 * and for good ones the columns of the table.  An agent or credential is named exactly, or by a prefix of its id that
 * is unique; what is not known here stays as a claim.
 */
static Datum
check_signals(const StewardSignalSource *source, Datum signals)
{
	static StewardPlan check = STEWARD_PLAN(
		"uuj",
		"WITH given AS (SELECT t.n, t.s, t.s->>'id' AS id, t.s->>'category' AS category, t.s->>'agent' AS agent, "
		"t.s->>'credential' AS credential, t.s->>'occurred_at' AS at FROM jsonb_array_elements($3) WITH ORDINALITY AS t(s, n)), "
		"timed AS (SELECT g.*, CASE WHEN g.at IS NULL THEN clock_timestamp() WHEN g.at ~ '^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])"
		"T([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,9})?(Z|[+-]([01]\\d):[0-5]\\d)$' AND substr(g.at, 1, 4) >= '1900' "
		"AND substr(g.at, 9, 2)::integer <= date_part('day', make_date(substr(g.at, 1, 4)::integer, substr(g.at, 6, 2)::integer, 1) "
		"+ interval '1 month - 1 day') THEN g.at::timestamptz END AS occurred_at FROM given g), "
		"who AS (SELECT t.*, c.ids AS credential_ids, c.holder, a.ids AS agent_ids FROM timed t "
		"LEFT JOIN LATERAL (SELECT array_agg(c.id) AS ids, min(c.holder_id::text)::uuid AS holder FROM (SELECT c.id, c.holder_id "
		"FROM steward.credential c WHERE c.org_id = $1 AND t.credential IS NOT NULL AND c.id = CASE WHEN t.credential ~ "
		"'^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' THEN t.credential::uuid END "
		"UNION SELECT c.id, c.holder_id FROM steward.credential c WHERE c.org_id = $1 AND c.display = t.credential "
		"UNION SELECT c.id, c.holder_id FROM steward.credential c WHERE c.org_id = $1 AND t.credential ~ '^[0-9a-f][0-9a-f-]{7,34}$' "
		"AND c.id::text LIKE t.credential || '%' LIMIT 2) c) c ON true "
		"LEFT JOIN LATERAL (SELECT array_agg(p.id) AS ids FROM (SELECT p.id FROM steward.principal p WHERE p.org_id = $1 AND p.id = "
		"CASE WHEN t.agent ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' THEN t.agent::uuid END "
		"UNION SELECT p.id FROM steward.principal p WHERE p.org_id = $1 AND p.kind <> 'human' AND p.name = t.agent "
		"UNION SELECT p.id FROM steward.principal p WHERE p.org_id = $1 AND p.kind <> 'human' AND t.agent ~ '^[0-9a-f][0-9a-f-]{7,34}$' "
		"AND p.id::text LIKE t.agent || '%' LIMIT 2) p) a ON true), "
		"resolved AS (SELECT w.*, CASE WHEN cardinality(w.credential_ids) = 1 THEN w.credential_ids[1] END AS credential_id, "
		"CASE WHEN cardinality(w.credential_ids) = 1 THEN w.holder WHEN cardinality(w.agent_ids) = 1 THEN w.agent_ids[1] END AS agent_id "
		"FROM who w), "
		"checked AS (SELECT r.n, r.id, r.agent_id, r.credential_id, k.owasp, k.atlas, r.occurred_at, r.s, r.category, "
		"CASE WHEN r.agent_id IS NULL THEN coalesce(r.agent, r.credential) END AS claimed_agent, "
		"CASE WHEN jsonb_typeof(r.s) <> 'object' THEN 'it is not an object' "
		"WHEN coalesce(r.id, '') = '' OR length(r.id) > 200 THEN 'id is missing or too long' "
		"WHEN coalesce(r.agent, r.credential, '') = '' THEN 'it names neither agent nor credential' "
		"WHEN length(r.agent) > 512 OR r.agent ~ '[\\x01-\\x1f\\x7f]' OR r.agent <> btrim(r.agent) OR length(r.credential) > 512 "
		"THEN 'agent or credential is padded, too long or not printable' "
		"WHEN r.agent_id IS NOT NULL AND cardinality(r.agent_ids) = 1 AND r.agent_ids[1] <> r.agent_id THEN 'the credential is not the agent''s' "
		"WHEN coalesce(r.s->>'side', '') NOT IN ('prompt', 'response', 'tool', 'model') THEN 'side is none of prompt, response, tool, model' "
		"WHEN k.category IS NULL THEN format('category \"%s\" is not known', left(coalesce(r.category, ''), 63)) "
		"WHEN jsonb_typeof(r.s->'score') IS DISTINCT FROM 'number' THEN 'score is not a number' "
		"WHEN (r.s->>'score')::numeric NOT BETWEEN 0 AND 1 THEN 'score is not between 0 and 1' "
		"WHEN coalesce(r.s->>'verdict', 'suspicious') NOT IN ('benign', 'suspicious', 'malicious') "
		"THEN 'verdict is none of benign, suspicious, malicious' "
		"WHEN coalesce(r.s->>'action', 'none') NOT IN ('none', 'allowed', 'flagged', 'redacted', 'blocked') "
		"THEN 'action is none of none, allowed, flagged, redacted, blocked' "
		"WHEN GREATEST(length(r.s->>'policy'), length(r.s->>'session'), length(r.s->>'model')) > 200 THEN 'policy, session or model is too long' "
		"WHEN '' IN (r.s->>'policy', r.s->>'session', r.s->>'model') THEN 'policy, session or model is empty' "
		"WHEN r.occurred_at IS NULL THEN 'occurred_at is not a date and time' "
		"WHEN r.occurred_at > clock_timestamp() + interval '5 minutes' THEN 'occurred_at is in the future' "
		"WHEN r.agent_id IS NOT NULL AND NOT (r.agent_id = ANY (coalesce(o.agents, ARRAY[r.agent_id]))) "
		"THEN 'the source does not speak for this agent' END AS problem "
		"FROM resolved r JOIN steward.signal_source o ON o.org_id = $1 AND o.id = $2 "
		"LEFT JOIN steward.signal_category k ON k.category = r.category) "
		"SELECT coalesce(jsonb_agg(jsonb_build_object('n', c.n, 'id', c.id, 'problem', c.problem, 'agent_id', c.agent_id, "
		"'credential_id', c.credential_id, 'claimed_agent', c.claimed_agent, 'owasp', c.owasp, 'atlas', c.atlas, "
		"'occurred_at', c.occurred_at, 'category', c.category, 'side', c.s->'side', 'score', c.s->'score', "
		"'verdict', coalesce(c.s->>'verdict', 'suspicious'), 'action_taken', coalesce(c.s->>'action', 'none'), "
		"'policy', c.s->'policy', 'session_id', c.s->'session', 'model', c.s->'model') ORDER BY c.n), '[]') FROM checked c");
	Datum values[] = {UUIDPGetDatum(&source->org), UUIDPGetDatum(&source->id), signals};
	bool isnull;

	steward_run(&check, STEWARD_LATEST, values, NULL);
	return steward_result(0, 1, &isnull);
}

/* Columns of a checked signal. */
#define CHECKED \
	"jsonb_to_recordset($3) AS c(n bigint, id text, problem text, agent_id uuid, credential_id uuid, claimed_agent text, " \
	"owasp text, atlas text, occurred_at timestamptz, category text, side text, score numeric, verdict text, " \
	"action_taken text, policy text, session_id text, model text)"

/* Records what is good and new; answers with the new rows' ids as a uuid[]. */
static Datum
record_signals(const StewardSignalSource *source, Datum checked)
{
	static StewardPlan insert = STEWARD_PLAN(
		"uuj",
		"INSERT INTO steward.signal (org_id, source_id, signal_id, agent_id, credential_id, claimed_agent, side, category, score, "
		"verdict, action_taken, policy, session_id, model, owasp, atlas, occurred_at, outcome) "
		"SELECT $1, $2, c.id, c.agent_id, c.credential_id, c.claimed_agent, c.side, c.category, c.score, c.verdict, c.action_taken, "
		"c.policy, c.session_id, c.model, c.owasp, c.atlas, c.occurred_at, "
		"CASE WHEN c.agent_id IS NULL THEN 'unknown_agent' ELSE 'recorded' END FROM " CHECKED
		" WHERE c.problem IS NULL "
		"ORDER BY c.id ON CONFLICT (org_id, source_id, signal_id) DO NOTHING RETURNING id");
	Datum values[] = {UUIDPGetDatum(&source->org), UUIDPGetDatum(&source->id), checked};

	steward_run(&insert, STEWARD_LATEST, values, NULL);
	return steward_uuid_column(1);
}

/* Raises for the problem of a signal that was reported alone. */
static void
refuse_single(const StewardSignalSource *source, Datum checked)
{
	static StewardPlan find =
		STEWARD_PLAN("uuj", "SELECT c.problem FROM " CHECKED " WHERE c.problem IS NOT NULL LIMIT 1");
	Datum values[] = {UUIDPGetDatum(&source->org), UUIDPGetDatum(&source->id), checked};
	char *problem;

	if (steward_run(&find, STEWARD_TRANSACTION, values, NULL) == 0)
		return;
	problem = steward_result_text(0, 1);
	ereport(ERROR, (errcode(strstr(problem, "does not speak") ? ERRCODE_STEWARD_SOURCE_FORGED
															  : ERRCODE_STEWARD_SIGNAL_MALFORMED),
					errmsg("the signal cannot be recorded"), errdetail("In it, %s.", problem)));
}

/* Answers with what became of each. */
static void
answer(ReturnSetInfo *rsinfo, const StewardSignalSource *source, Datum checked, Datum new_signals)
{
	static StewardPlan find = STEWARD_PLAN(
		"uujU",
		"SELECT c.id, CASE WHEN c.problem IS NOT NULL THEN 'refused' WHEN g.id = ANY ($4) AND "
		"row_number() OVER (PARTITION BY c.id, c.problem IS NULL ORDER BY c.n) = 1 THEN 'recorded' ELSE 'duplicate' END, "
		"g.outcome, coalesce(c.problem, CASE WHEN g.outcome IN ('suspend', 'narrow') THEN format('until %s', g.contained_until) "
		"WHEN g.outcome = 'revoke' THEN 'everything it holds is revoked' "
		"WHEN g.outcome = 'held_by_brake' THEN 'the source''s brake has tripped' "
		"WHEN g.outcome = 'unknown_agent' THEN 'nobody registered this agent' END) FROM " CHECKED " "
		"LEFT JOIN steward.signal g ON g.org_id = $1 AND g.source_id = $2 AND g.signal_id = c.id AND c.problem IS NULL ORDER BY c.n");
	Datum values[] = {UUIDPGetDatum(&source->org), UUIDPGetDatum(&source->id), checked, new_signals};
	uint64 rows = steward_run(&find, STEWARD_LATEST, values, NULL);

	for (uint64 i = 0; i < rows; i++)
	{
		Datum row[4];
		bool nulls[4];

		CHECK_FOR_INTERRUPTS();
		for (int column = 0; column < 4; column++)
			row[column] = steward_result(i, column + 1, &nulls[column]);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row, nulls);
	}
}

/* report_signal() and report_signals(): the same arguments, one object or an array. */
static Datum
report(FunctionCallInfo fcinfo, bool single)
{
	static StewardPlan wrap = STEWARD_PLAN("j", "SELECT jsonb_build_array($1)");
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	char *name = steward_text_arg(fcinfo, 1, "source", false);
	char *format = steward_text_arg(fcinfo, 2, "format", true);
	const pg_uuid_t *org = steward_org_arg(fcinfo, 3);
	Jsonb *given;

	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("signal must not be null")));
	steward_check_choice(format, "format", formats, ERRCODE_STEWARD_VALUE_INVALID);
	given = PG_GETARG_JSONB_P(0);
	if (single ? !JB_ROOT_IS_OBJECT(given) : !JB_ROOT_IS_ARRAY(given) || JB_ROOT_IS_SCALAR(given))
		ereport(ERROR, (errcode(ERRCODE_STEWARD_SIGNAL_MALFORMED),
						errmsg(single ? "a signal is an object" : "signals are an array of objects")));
	if (!single && JB_ROOT_COUNT(given) > MAX_SIGNALS)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_TOO_MANY_SIGNALS), errmsg("too many signals in one call"),
						errdetail("There are %d; the most are %d.", JB_ROOT_COUNT(given), MAX_SIGNALS)));
	steward_require(org, STEWARD_PROFILE_SECURITY | STEWARD_PROFILE_ADMIN);
	PreventCommandIfReadOnly(single ? "report_signal()" : "report_signals()");
	InitMaterializedSRF(fcinfo, 0);

	STEWARD_AS_OWNER();
	{
		StewardSignalSource source;
		Datum signals = JsonbPGetDatum(given);
		Datum checked;
		Datum new_signals;
		bool isnull;

		find_source(org, name, &source);
		if (single)
		{
			steward_run(&wrap, STEWARD_TRANSACTION, &signals, NULL);
			signals = steward_result(0, 1, &isnull);
		}
		checked = check_signals(&source, plain_signals(signals, format));
		if (single)
			refuse_single(&source, checked);
		new_signals = record_signals(&source, checked);
		(void) steward_contain(&source, new_signals);
		answer(rsinfo, &source, checked, new_signals);
	}
	STEWARD_AS_OWNER_END();
	return (Datum) 0;
}

/*
 * report_signal(signal jsonb, source text DEFAULT NULL, format text DEFAULT 'plain', org uuid DEFAULT default_org())
 *		→ rows (signal_id text, result text, outcome text, detail text)
 *		Records what a monitor saw, once for each id, and contains the agent by signal_rule in the same commit.
 *
 * format: plain, llm_guard or prisma_airs; the latter two may be several signals.  source may be left out where the
 * session has assumed its identity.  Raises ST805 for a malformed signal, ST806 when the session may not speak for the
 * source, or the source not for the agent.  Needs security or admin.
 */
Datum
steward_report_signal(PG_FUNCTION_ARGS)
{
	return report(fcinfo, true);
}

/*
 * report_signals(signals jsonb, …)
 *		The same for an array of at most 10,000: bad ones are refused one by one, the others kept.
 */
Datum
steward_report_signals(PG_FUNCTION_ARGS)
{
	return report(fcinfo, false);
}
