/* development stub */
#include "postgres.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "lib/stringinfo.h"
#include "steward.h"
#include "scope/scope.h"
PG_FUNCTION_INFO_V1(steward_stub_in);
PG_FUNCTION_INFO_V1(steward_stub_eq);
PG_FUNCTION_INFO_V1(steward_stub_overlap);
Datum
steward_stub_in(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(PG_GETARG_CSTRING(0)));
}
static bool
has(const char *set, const char *m)
{
	char *s = pstrdup(set);
	char *save = NULL;
	for (char *t = strtok_r(s, " ", &save); t; t = strtok_r(NULL, " ", &save))
	{
		size_t l = strlen(t);
		if (strcmp(t, m) == 0 || strcmp(t, "*") == 0)
			return true;
		if (l > 1 && t[l - 1] == '*' && strncmp(t, m, l - 1) == 0 && strlen(m) >= l)
			return true;
	}
	return false;
}
bool
steward_scope_set_covers(const ScopeSet *set, const ScopeSet *required)
{
	return steward_scope_set_cardinality(steward_scope_set_uncovered(required, set)) == 0;
}
int
steward_scope_set_cardinality(const ScopeSet *set)
{
	char *s = text_to_cstring((text *) set);
	int n = 0;
	char *save = NULL;
	for (char *t = strtok_r(s, " ", &save); t; t = strtok_r(NULL, " ", &save))
		n++;
	return n;
}
ScopeSet *
steward_scope_set_uncovered(const ScopeSet *a, const ScopeSet *b)
{
	char *s = text_to_cstring((text *) a);
	char *bs = text_to_cstring((text *) b);
	char *save = NULL;
	StringInfoData o;
	initStringInfo(&o);
	for (char *t = strtok_r(s, " ", &save); t; t = strtok_r(NULL, " ", &save))
		if (!has(bs, t))
			appendStringInfo(&o, "%s%s", o.len ? " " : "", t);
	return (ScopeSet *) cstring_to_text(o.data);
}
Datum
steward_stub_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(strcmp(text_to_cstring(PG_GETARG_TEXT_PP(0)), text_to_cstring(PG_GETARG_TEXT_PP(1))) == 0);
}
Datum
steward_stub_overlap(PG_FUNCTION_ARGS)
{
	ScopeSet *a = DatumGetScopeSetP(PG_GETARG_DATUM(0));
	ScopeSet *b = DatumGetScopeSetP(PG_GETARG_DATUM(1));

	PG_RETURN_BOOL(steward_scope_set_cardinality(steward_scope_set_uncovered(a, b)) <
					   steward_scope_set_cardinality(a) ||
				   steward_scope_set_cardinality(steward_scope_set_uncovered(b, a)) < steward_scope_set_cardinality(b));
}
