/*
 * inventory.c
 *		import_credentials(): what other systems say they have.
 *
 * One statement for any number of rows: it brings every format to the same columns (formats.h), says what is wrong with
 * which row, writes the good ones, notices what is gone and what came back after its revocation, and records the run.
 * What comes in is discovered; rows that name holder, owner and scopes are claimed in the same call where the rules allow
 * it.  A list that names everything confirms the revocation of what it does not name any more.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/uuid.h"

#include "core/authority.h"
#include "core/plan.h"
#include "core/reference.h"
#include "credential/claim.h"
#include "credential/csv.h"
#include "credential/formats.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_import_credentials);

/* The most rows in one call. */
#define MAX_ROWS 1000000

/* From this length on a list is long. */
#define LONG_LIST 1000

/* The most columns of a list of comma-separated values. */
#define MAX_COLUMNS 200

/* Parameters: organization, system, rows, complete, recipe, caller, format, kinds that the format names (null: those there). */
#define IMPORT_ARGS "uujbjntT"

/* Kinds of credentials, for a check that does not raise. */
#define KINDS \
	"'api_key', 'oauth_client', 'access_token', 'refresh_token', 'session', 'account', 'certificate', 'ssh_key', " \
	"'webhook_secret', 'password', 'pg_role', 'cloud_key', 'personal_access_token', 'signing_key'"

/* A cell that a spreadsheet would run, or text that was read in the wrong encoding, or with control characters. */
#define FORMULA(x) x " ~ '^([=@\t]|[+-][^0-9+-])'"
#define GARBLED(x) \
	x " ~ '[\\x01-\\x1f\\x7f]' OR " x \
	  " ~ ('[' || chr(65533) || chr(195) || chr(194) || '][' || chr(128) || '-' || chr(191) || ']|' || chr(65533))"

/* What is wrong with a row. */
#define PROBLEM \
	"CASE WHEN r.secret THEN 'it contains a secret, which is never taken' WHEN r.problem IS NOT NULL THEN r.problem " \
	"WHEN coalesce(r.external_id, '') = '' THEN 'its external id is missing, or its columns are not those of the first record' " \
	"WHEN r.external_id <> btrim(r.external_id) OR length(r.external_id) > 512 THEN 'its external id is padded or too long' " \
	"WHEN " FORMULA("r.external_id") " OR " FORMULA("coalesce(r.name, '')") " OR " FORMULA( \
		"coalesce(r.owner, '')") " THEN 'a value begins like a formula of a spreadsheet' " \
								 "WHEN " GARBLED("r.external_id") " OR " GARBLED("coalesce(r.name, '')") " OR " GARBLED( \
									 "coalesce(r.owner, '')") " THEN 'a value has control characters or was read in a wrong encoding' " \
															  "WHEN r.kind NOT IN (" KINDS \
															  ") THEN 'its kind is not known' " \
															  "WHEN length(r.name) > 200 OR r.name <> btrim(r.name) THEN 'its name is padded or too long' " \
															  "WHEN length(r.environment) > 63 OR r.environment <> btrim(r.environment) THEN 'its environment is padded or too long' " \
															  "WHEN r.issued <> '' AND steward.parse_timestamp(r.issued) IS NULL THEN 'its time of issue is not a date and time' " \
															  "WHEN r.expires <> '' AND steward.parse_timestamp(r.expires) IS NULL THEN 'its expiry is not a date and time' " \
															  "WHEN r.scopes !~ '^[]!#-[^-~]+( []!#-[^-~]+)*$' OR r.scopes ~ '[^ :/][*]|[*][^ :/]' OR r.scopes ~ '[^ ]{255}[^ ]' " \
															  "THEN 'its scopes are not scopes' " \
															  "WHEN r.rank > 1 THEN 'its external id occurs more than once' END"

/* Everything after a format's query; answers with a row for each row given, and for what a complete list leaves out. */
#define IMPORT(format) \
	"WITH t AS MATERIALIZED (SELECT t.r, t.n FROM jsonb_array_elements($3) WITH ORDINALITY AS t(r, n)), " \
	"shaped (n, implied, external_id, kind, name, holder, owner, scopes, permissions, issued, expires, last_used, parent, " \
	"environment, tags, secret, problem) AS (" format "), " \
	"ranked AS (SELECT s.*, row_number() OVER (PARTITION BY s.external_id ORDER BY s.n) AS rank FROM shaped s), " \
	"checked AS MATERIALIZED (SELECT r.*, " PROBLEM " AS wrong FROM ranked r WHERE NOT r.implied OR r.rank = 1), " \
	"known AS MATERIALIZED (SELECT c.id, c.external_id, c.kind, c.state, c.external_pending FROM steward.credential c " \
	"WHERE c.org_id = $1 AND c.system_id = $2 AND c.external_id IS NOT NULL), " \
	"placed AS MATERIALIZED (SELECT r.*, k.state AS old_state, k.external_pending, k.kind AS old_kind, " \
	"coalesce(k.id, steward.uuid7()) AS id FROM checked r LEFT JOIN known k ON k.external_id = r.external_id WHERE r.wrong IS NULL), " \
	"same_kind AS MATERIALIZED (SELECT p.*, coalesce(q.id, k.id) AS parent_id, steward.parse_timestamp(nullif(p.issued, '')) AS issued_at, " \
	"steward.parse_timestamp(nullif(p.expires, '')) AS expires_at, jsonb_strip_nulls(jsonb_build_object('holder', p.holder, " \
	"'owner', p.owner, 'scopes', p.scopes, 'last_used', nullif(p.last_used, ''))) AS hints, " \
	"steward.widen_all(p.permissions) AS observed " \
	"FROM placed p LEFT JOIN placed q ON q.external_id = p.parent AND p.parent <> p.external_id " \
	"LEFT JOIN known k ON k.external_id = p.parent AND q.id IS NULL " \
	"WHERE p.old_kind IS NULL OR p.old_kind = p.kind), " \
	"added AS (INSERT INTO steward.credential (org_id, id, kind, state, system_id, name, display, external_id, " \
	"external_permissions, observed_scopes, issued_at, expires_at, environment, source, first_seen_at, last_seen_at, tags, hints, " \
	"parent_id, parent_kind, issued_by) SELECT $1, s.id, s.kind, 'discovered', $2, s.name, left(coalesce(s.name, s.external_id), 200), " \
	"s.external_id, s.permissions, s.observed, coalesce(s.issued_at, now()), s.expires_at, s.environment, 'imported', now(), now(), " \
	"s.tags, s.hints, s.parent_id, CASE WHEN s.parent_id IS NOT NULL THEN 'belongs_to' END, $6 FROM same_kind s " \
	"WHERE s.old_state IS NULL ORDER BY s.id RETURNING id), " \
	"updated AS (UPDATE steward.credential c SET external_permissions = s.permissions, observed_scopes = s.observed, " \
	"expires_at = CASE WHEN c.source = 'imported' THEN s.expires_at ELSE c.expires_at END, " \
	"tags = s.tags, hints = CASE WHEN c.state = 'discovered' THEN s.hints ELSE c.hints END, last_seen_at = now(), gone_at = NULL, " \
	"parent_id = coalesce(c.parent_id, s.parent_id), parent_kind = coalesce(c.parent_kind, CASE WHEN s.parent_id IS NOT NULL " \
	"THEN 'belongs_to' END) FROM same_kind s WHERE c.org_id = $1 AND c.id = s.id AND s.old_state IN ('discovered', 'active', 'suspended') " \
	"AND c.state = s.old_state AND (c.last_seen_at IS NULL OR c.last_seen_at < now() - '1 day'::interval OR c.gone_at IS NOT NULL " \
	"OR c.external_permissions IS DISTINCT FROM s.permissions OR (c.source = 'imported' AND c.expires_at IS DISTINCT FROM s.expires_at) " \
	"OR c.tags <> s.tags OR (c.state = 'discovered' AND c.hints <> s.hints)) RETURNING c.id), " \
	"back AS (INSERT INTO steward.credential_finding (org_id, kind, severity, credential_id, source, detail, found_by) " \
	"SELECT $1, 'reappeared', 'critical', s.id, y.name, jsonb_build_object('external_id', s.external_id, 'format', $7), $6 " \
	"FROM same_kind s JOIN steward.system y ON y.org_id = $1 AND y.id = $2 WHERE s.old_state = 'revoked' AND NOT s.external_pending " \
	"AND NOT EXISTS (SELECT FROM steward.credential_finding f WHERE f.org_id = $1 AND f.credential_id = s.id " \
	"AND f.kind = 'reappeared' AND f.resolved_at IS NULL)), " \
	"left_out AS MATERIALIZED (SELECT k.* FROM known k WHERE $4 AND k.kind = ANY (coalesce($8, ARRAY(SELECT DISTINCT kind FROM same_kind))) " \
	"AND NOT EXISTS (SELECT FROM checked r WHERE r.external_id = k.external_id)), " \
	"confirmed AS (UPDATE steward.revocation_task k SET state = 'confirmed', confirmed_at = clock_timestamp(), lease_until = NULL, " \
	"leased_by = NULL, evidence = jsonb_build_object('not_listed_by', $7, 'at', now()) FROM left_out l WHERE k.org_id = $1 " \
	"AND k.credential_id = l.id AND k.state <> 'confirmed' AND l.external_pending), " \
	"settled AS (UPDATE steward.credential c SET external_pending = false FROM left_out l WHERE c.org_id = $1 AND c.id = l.id " \
	"AND c.external_pending RETURNING c.id), " \
	"gone AS (UPDATE steward.credential c SET gone_at = now() FROM left_out l WHERE c.org_id = $1 AND c.id = l.id " \
	"AND c.state <> 'revoked' AND c.gone_at IS NULL RETURNING c.id), " \
	"answered AS MATERIALIZED (SELECT r.n, r.external_id, 'refused' AS action, r.wrong AS detail, NULL::uuid AS id, NULL AS holder, " \
	"NULL AS owner, NULL AS scopes FROM checked r WHERE r.wrong IS NOT NULL UNION ALL " \
	"SELECT p.n, p.external_id, 'refused', 'it is known as a credential of kind ' || p.old_kind, NULL, NULL, NULL, NULL FROM placed p " \
	"WHERE p.old_kind <> p.kind UNION ALL " \
	"SELECT s.n, s.external_id, CASE WHEN s.old_state IS NULL THEN 'discovered' WHEN s.old_state = 'revoked' AND s.external_pending " \
	"THEN 'pending' WHEN s.old_state = 'revoked' THEN 'reappeared' WHEN u.id IS NOT NULL THEN 'changed' ELSE 'unchanged' END, " \
	"CASE WHEN s.old_state = 'revoked' AND s.external_pending THEN 'revoked here, and still there' WHEN s.old_state = 'revoked' " \
	"THEN 'listed again after its revocation was confirmed' END, CASE WHEN s.old_state IS NULL OR s.old_state = 'discovered' THEN s.id END, " \
	"s.holder, s.owner, s.scopes FROM same_kind s LEFT JOIN updated u ON u.id = s.id UNION ALL " \
	"SELECT NULL, l.external_id, CASE WHEN z.id IS NOT NULL THEN 'confirmed' ELSE 'gone' END, CASE WHEN z.id IS NOT NULL " \
	"THEN 'revoked, and there no more' ELSE 'not in a complete list' END, NULL, NULL, NULL, NULL FROM left_out l " \
	"LEFT JOIN settled z ON z.id = l.id LEFT JOIN gone g ON g.id = l.id WHERE z.id IS NOT NULL OR g.id IS NOT NULL), " \
	"run AS (INSERT INTO steward.import_run (org_id, system_id, format, complete, found, added, changed, gone, confirmed, reappeared, " \
	"refused, run_by) SELECT $1, $2, $7, $4, count(*) FILTER (WHERE action NOT IN ('gone', 'confirmed', 'refused')), " \
	"count(*) FILTER (WHERE action = 'discovered'), count(*) FILTER (WHERE action = 'changed'), count(*) FILTER (WHERE action = 'gone'), " \
	"count(*) FILTER (WHERE action = 'confirmed'), count(*) FILTER (WHERE action = 'reappeared'), " \
	"count(*) FILTER (WHERE action = 'refused'), $6 FROM answered) " \
	"SELECT a.n, a.external_id, a.action, a.detail, CASE WHEN num_nonnulls(a.holder, a.owner, a.scopes) = 3 THEN a.id END, " \
	"CASE WHEN num_nonnulls(a.holder, a.owner, a.scopes) = 3 THEN a.scopes END, a.holder, a.owner FROM answered a ORDER BY a.n, a.external_id"

/* The formats, the key that an exported list may be wrapped in, the kinds each names, and its statement. */
static struct
{
	const char *name;
	const char *wrapper;
	const char *kinds;
	bool csv; /* may come as text */
	StewardPlan import;
} formats[] = {
	{"steward", "credentials", NULL, true, STEWARD_PLAN(IMPORT_ARGS, IMPORT(FORMAT_STEWARD))},
	{"csv", NULL, NULL, true, STEWARD_PLAN(IMPORT_ARGS, IMPORT(FORMAT_CSV))},
	{"aws", NULL, "{account,password,cloud_key,certificate}", true, STEWARD_PLAN(IMPORT_ARGS, IMPORT(FORMAT_AWS))},
	{"github", NULL, "{personal_access_token}", false, STEWARD_PLAN(IMPORT_ARGS, IMPORT(FORMAT_GITHUB))},
	{"vault", "keys", "{access_token}", false, STEWARD_PLAN(IMPORT_ARGS, IMPORT(FORMAT_VAULT))},
	{"gcp", "keys", "{account,cloud_key}", false, STEWARD_PLAN(IMPORT_ARGS, IMPORT(FORMAT_GCP))},
	{"kubernetes", "items", "{account,access_token}", false, STEWARD_PLAN(IMPORT_ARGS, IMPORT(FORMAT_KUBERNETES))},
	{"okta", NULL, "{api_key}", false, STEWARD_PLAN(IMPORT_ARGS, IMPORT(FORMAT_OKTA))},
};

/* A text value of a jsonb that is being built. */
static void
push_text(JsonbParseState **state, JsonbIteratorToken token, const char *text, size_t len)
{
	JsonbValue value;

	value.type = jbvString;
	value.val.string.val = pnstrdup(text, len);
	value.val.string.len = (int) len;
	(void) pushJsonbValue(state, token, &value);
}

/* Raises for a list that is not comma-separated values. */
static void
refuse_csv(int64 line, const char *why)
{
	ereport(ERROR, (errcode(ERRCODE_STEWARD_INVENTORY_MALFORMED), errmsg("the list is not comma-separated values"),
					errdetail("In record " INT64_FORMAT ", %s.", line, why), errhint("Nothing was imported.")));
}

/*
 * A list of comma-separated values as an array of objects; its first record names the columns.  A record that has
 * another number of fields becomes null: it is refused later, alone.
 */
static Datum
csv_rows(const char *text, size_t len)
{
	StewardCsv csv;
	char *columns[MAX_COLUMNS];
	size_t column_len[MAX_COLUMNS];
	int ncolumns = 0;
	int64 record = 1;
	JsonbParseState *state = NULL;
	char **fields;
	size_t *lens;

	steward_csv_begin(&csv, text, len, palloc(len + 1));
	do
	{
		if (!steward_csv_next(&csv))
			refuse_csv(record, csv.bad ? csv.bad : "there is nothing");
		if (ncolumns == MAX_COLUMNS)
			refuse_csv(record, "there are too many columns");
		columns[ncolumns] = pnstrdup(csv.field, csv.len);
		column_len[ncolumns++] = csv.len;
	} while (!csv.last);
	fields = palloc(sizeof(char *) * ncolumns);
	lens = palloc(sizeof(size_t) * ncolumns);

	(void) pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	while (steward_csv_next(&csv))
	{
		int n = 0;
		bool fits = true;

		CHECK_FOR_INTERRUPTS();
		record++;
		for (;;)
		{
			if (n < ncolumns)
			{
				fields[n] = pnstrdup(csv.field, csv.len);
				lens[n] = csv.len;
			}
			n++;
			if (csv.last)
				break;
			if (!steward_csv_next(&csv))
				refuse_csv(record, csv.bad ? csv.bad : "it ends with a comma at the end of the text");
		}
		/* An empty line is no record. */
		if (n == 1 && lens[0] == 0)
			continue;
		fits = n == ncolumns;
		if (!fits)
		{
			JsonbValue null = {.type = jbvNull};

			(void) pushJsonbValue(&state, WJB_ELEM, &null);
			continue;
		}
		(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		for (int i = 0; i < ncolumns; i++)
		{
			push_text(&state, WJB_KEY, columns[i], column_len[i]);
			push_text(&state, WJB_VALUE, fields[i], lens[i]);
		}
		(void) pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	}
	if (csv.bad)
		refuse_csv(record + 1, csv.bad);
	return JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL)));
}

/* The rows as an array, whatever they came as: an array, an object around one, or the text of a csv file. */
static Datum
row_array(Datum rows, int format, bool complete)
{
	Jsonb *jsonb = DatumGetJsonbP(rows);
	Datum array = rows;
	int count;

	if (JB_ROOT_IS_SCALAR(jsonb))
	{
		JsonbValue value;

		if (!JsonbExtractScalar(&jsonb->root, &value) || value.type != jbvString || !formats[format].csv)
			ereport(ERROR, (errcode(ERRCODE_STEWARD_INVENTORY_MALFORMED),
							errmsg("rows are not an inventory of format %s", formats[format].name),
							errdetail("Expected an array%s.", formats[format].csv ? " or the text of a file" : "")));
		array = csv_rows(value.val.string.val, value.val.string.len);
	}
	else if (JB_ROOT_IS_OBJECT(jsonb))
	{
		JsonbValue *inner = formats[format].wrapper
								? getKeyJsonValueFromContainer(&jsonb->root, formats[format].wrapper,
															   strlen(formats[format].wrapper), NULL)
								: NULL;

		if (inner == NULL || inner->type != jbvBinary || !JsonContainerIsArray(inner->val.binary.data))
			ereport(ERROR, (errcode(ERRCODE_STEWARD_INVENTORY_MALFORMED),
							errmsg("rows are not an inventory of format %s", formats[format].name),
							errdetail("Expected an array%s%s%s.",
									  formats[format].wrapper ? " or an object with one named \"" : "",
									  formats[format].wrapper ? formats[format].wrapper : "",
									  formats[format].wrapper ? "\"" : "")));
		array = JsonbPGetDatum(JsonbValueToJsonb(inner));
	}
	count = JB_ROOT_COUNT(DatumGetJsonbP(array));
	if (count == 0)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_INVENTORY_EMPTY), errmsg("there are no credentials to import"),
						complete ? errdetail("A complete list without any would say that all are gone.") : 0));
	if (count > MAX_ROWS)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("too many rows in one import"),
						errdetail("There are %d; the most are %d.", count, MAX_ROWS)));
	return array;
}

/* Raises unless the recipe names fields that there are and, for the first row, columns that there are. */
static void
check_recipe(Datum recipe, bool has_recipe, Datum rows)
{
	static StewardPlan find_bad = STEWARD_PLAN(
		"jj",
		"SELECT CASE WHEN jsonb_typeof($1->'columns') IS DISTINCT FROM 'object' THEN 'it has no object \"columns\"' "
		"WHEN coalesce(jsonb_typeof($1->'defaults'), 'object') <> 'object' THEN '\"defaults\" is not an object' "
		"WHEN NOT $1->'columns' ? 'external_id' THEN 'it does not say which column is external_id' ELSE "
		"coalesce((SELECT 'field \"' || left(k, 63) || '\" is not known' FROM (SELECT jsonb_object_keys($1->'columns') AS k "
		"UNION SELECT jsonb_object_keys(coalesce($1->'defaults', '{}'))) f WHERE k NOT IN ('external_id', 'kind', 'name', 'holder', "
		"'owner', 'scopes', 'permissions', 'issued_at', 'expires_at', 'last_used_at', 'belongs_to', 'environment') ORDER BY k LIMIT 1), "
		"(SELECT 'column \"' || left(c.value, 63) || '\" is missing' FROM jsonb_each_text($1->'columns') c "
		"WHERE jsonb_typeof($2->0) = 'object' AND NOT $2->0 ? c.value ORDER BY c.value LIMIT 1)) END");
	Datum values[] = {recipe, rows};
	char *problem;

	if (!has_recipe)
		ereport(
			ERROR,
			(errcode(ERRCODE_STEWARD_INVENTORY_MALFORMED), errmsg("format csv needs a recipe"),
			 errhint(
				 "For example recipe => '{\"columns\": {\"external_id\": \"Key ID\"}, \"defaults\": {\"kind\": \"api_key\"}}'.")));
	steward_run(&find_bad, STEWARD_TRANSACTION, values, NULL);
	problem = steward_result_text(0, 1);
	if (problem)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_INVENTORY_MALFORMED), errmsg("the recipe does not fit the list"),
						errdetail("Of the recipe, %s.", problem)));
}

/* What an import collects for claiming, and where it says so. */
typedef struct Claiming
{
	ReturnSetInfo *rsinfo;
	int64 claimed;
} Claiming;

static void
answer_claim(const pg_uuid_t *credential, const char *label, const char *detail, int sqlstate, void *arg)
{
	Claiming *claiming = arg;
	Datum values[] = {(Datum) 0, CStringGetTextDatum(label), CStringGetTextDatum(detail ? "unclaimed" : "claimed"),
					  detail ? CStringGetTextDatum(psprintf("stays discovered: %s", detail)) : (Datum) 0};
	bool nulls[] = {true, false, false, detail == NULL};

	tuplestore_putvalues(claiming->rsinfo->setResult, claiming->rsinfo->setDesc, values, nulls);
}

/* Claims the rows that named holder, owner and scopes; the last query's result has them. */
static void
claim_complete_rows(const pg_uuid_t *org, uint64 n, ReturnSetInfo *rsinfo)
{
	/* A holder is named as references are; an owner by user name, e-mail or the directory's identifier. */
	static StewardPlan resolve = STEWARD_PLAN(
		"UTTu",
		"SELECT q.id, (SELECT p.id FROM steward.principal p WHERE p.org_id = $4 AND (p.name = q.holder AND p.kind <> 'human' "
		"OR p.kind = 'human' AND lower(q.holder) IN (lower(p.user_name), lower(p.email))) ORDER BY p.state LIMIT 1), "
		"(SELECT p.id FROM steward.principal p WHERE p.org_id = $4 AND p.kind = 'human' "
		"AND lower(q.owner) IN (lower(p.user_name), lower(p.email)) ORDER BY p.state LIMIT 1) "
		"FROM unnest($1, $2, $3) WITH ORDINALITY AS q(id, holder, owner, n) ORDER BY q.n");
	ArrayBuildState *ids = NULL;
	ArrayBuildState *holders = NULL;
	ArrayBuildState *owners = NULL;
	ArrayBuildState *scopes = NULL;
	Claiming claiming = {.rsinfo = rsinfo};
	StewardClaims claims = {0};

	for (uint64 i = 0; i < n; i++)
	{
		bool isnull;
		Datum id = steward_result(i, 5, &isnull);

		if (isnull)
			continue;
		ids = accumArrayResult(ids, id, false, UUIDOID, CurrentMemoryContext);
		scopes = accumArrayResult(scopes, steward_result(i, 6, &isnull), isnull, TEXTOID, CurrentMemoryContext);
		holders = accumArrayResult(holders, steward_result(i, 7, &isnull), isnull, TEXTOID, CurrentMemoryContext);
		owners = accumArrayResult(owners, steward_result(i, 8, &isnull), isnull, TEXTOID, CurrentMemoryContext);
	}
	if (ids == NULL)
		return;
	claims.scopes = makeArrayResult(scopes, CurrentMemoryContext);
	{
		Datum values[] = {makeArrayResult(ids, CurrentMemoryContext), makeArrayResult(holders, CurrentMemoryContext),
						  makeArrayResult(owners, CurrentMemoryContext), UUIDPGetDatum(org)};

		steward_run(&resolve, STEWARD_LATEST, values, NULL);
	}
	claims.credentials = steward_uuid_column(1);
	claims.holders = steward_uuid_column(2);
	claims.owners = steward_uuid_column(3);
	(void) steward_claim_listed(org, &claims, answer_claim, &claiming);
}

/*
 * import_credentials(system uuid | text, rows jsonb, format text DEFAULT 'steward', complete boolean DEFAULT false,
 *					  recipe jsonb DEFAULT NULL, org uuid DEFAULT default_org())
 *		→ rows (row bigint, external_id text, action text, detail text)
 *
 *		Takes in what a system says it has: formats steward, csv (by recipe), aws, github, vault, gcp, kubernetes, okta.
 *
 * Rows are an array, an object around one as the system's own tools print it, or, for steward, csv and aws, the text of a
 * csv file as a json string.  Good rows are kept, bad ones are reported one by one; positions count from 1.  Needs
 * connector or admin.  Raises ST229 for what is no such list, ST230 for an empty one.
 */
Datum
steward_import_credentials(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	char *reference = steward_reference_arg(fcinfo, 0, "system", true);
	char *format_name;
	const pg_uuid_t *org;
	bool complete;
	int format = -1;

	if (PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("rows must not be null")));
	format_name = steward_text_arg(fcinfo, 2, "format", true);
	if (PG_ARGISNULL(3))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("complete must not be null")));
	complete = PG_GETARG_BOOL(3);
	for (int i = 0; i < (int) lengthof(formats); i++)
		if (strcmp(formats[i].name, format_name) == 0)
			format = i;
	org = steward_org_arg(fcinfo, 5);
	steward_require(org, STEWARD_PROFILE_CONNECTOR | STEWARD_PROFILE_ADMIN);
	if (format < 0)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_VALUE_INVALID), errmsg("unknown format \"%.63s\"", format_name),
						errdetail("It must be one of: steward, csv, aws, github, vault, gcp, kubernetes, okta.")));
	PreventCommandIfReadOnly("import_credentials()");
	InitMaterializedSRF(fcinfo, 0);

	STEWARD_AS_OWNER();
	{
		NameData caller;
		Datum rows = row_array(PG_GETARG_DATUM(1), format, complete);
		int64 count = JB_ROOT_COUNT(DatumGetJsonbP(rows));
		bool has_recipe = !PG_ARGISNULL(4);
		Datum recipe = has_recipe ? PG_GETARG_DATUM(4) : (Datum) 0;
		const char *kinds = formats[format].kinds;
		uint64 n;

		if (strcmp(format_name, "csv") == 0)
			check_recipe(recipe, has_recipe, rows);
		namestrcpy(&caller, steward_caller_name());
		{
			Datum values[] = {UUIDPGetDatum(org),
							  UUIDPGetDatum(steward_resolve(STEWARD_REF_SYSTEM, org, reference, "system")),
							  rows,
							  BoolGetDatum(complete),
							  recipe,
							  NameGetDatum(&caller),
							  CStringGetTextDatum(format_name),
							  kinds ? OidFunctionCall3(F_ARRAY_IN, CStringGetDatum(kinds), ObjectIdGetDatum(TEXTOID),
													   Int32GetDatum(-1))
									: (Datum) 0};
			bool nulls[] = {false, false, false, false, !has_recipe, false, false, kinds == NULL};

			/* The planner takes every list for short; for a long one a nested loop is the wrong answer. */
			if (count > LONG_LIST)
				(void) set_config_option("enable_nestloop", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
										 false);
			n = steward_run_list(&formats[format].import, STEWARD_TRANSACTION, values, nulls, count);
		}
		for (uint64 i = 0; i < n; i++)
		{
			Datum row[4];
			bool nulls[4];

			CHECK_FOR_INTERRUPTS();
			for (int column = 0; column < 4; column++)
				row[column] = steward_result(i, column + 1, &nulls[column]);
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row, nulls);
		}
		claim_complete_rows(org, n, rsinfo);
	}
	STEWARD_AS_OWNER_END();
	return (Datum) 0;
}
