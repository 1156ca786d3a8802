/*
 * organization.c
 *		The organization that a call means when it names none.
 *
 * default_org() is that of the assumed identity, else the organization chosen with use_org(), else the caller's only one.  A choice is a convenience of
 * naming and never an authority: every function still checks what the caller holds there, and row-level security
 * ignores it.  It lives in a setting that only code of steward and superusers can write, so that DISCARD ALL clears it
 * and a rolled-back transaction takes it back.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"
#include "utils/uuid.h"

#include "core/actor.h"
#include "core/authority.h"
#include "core/organization.h"
#include "core/reference.h"
#include "core/relation.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_use_org);
PG_FUNCTION_INFO_V1(steward_default_org);

#define CHOSEN_SETTING "steward.chosen_organization"

/* The chosen organization's uuid as text; empty when none is chosen. */
static char *chosen_organization = NULL;

/* Every profile; whoever holds any may name the organization. */
#define ANY_PROFILE ((1 << STEWARD_PROFILES) - 1)

/* Only code of steward writes it, but a superuser could: a value that is no uuid is refused. */
static bool
check_chosen_organization(char **newval, void **extra, GucSource source)
{
	return **newval == '\0' || strlen(*newval) == 36;
}

void
steward_organization_init(void)
{
	DefineCustomStringVariable(
		CHOSEN_SETTING, "The organization chosen with steward.use_org().", NULL, &chosen_organization, "", PGC_SUSET,
		GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE, check_chosen_organization, NULL, NULL);
}

/* Looking for an organization by slug. */
typedef struct SlugSearch
{
	const char *slug;
	pg_uuid_t *found;
} SlugSearch;

static bool
match_slug(const StewardRow *row, void *arg)
{
	SlugSearch *search = arg;
	bool isnull;
	char *slug = TextDatumGetCString(steward_row_get(row, "slug", &isnull));

	if (strcmp(slug, search->slug) != 0)
		return true;
	search->found = palloc(sizeof(pg_uuid_t));
	*search->found = *DatumGetUUIDP(steward_row_get(row, "id", &isnull));
	return false;
}

/*
 * use_org(slug text) → org uuid
 *		Chooses the organization that calls of this session mean by default, until DISCARD ALL.
 *
 * Raises for one in which the caller holds nothing, as for one that does not exist.
 */
Datum
steward_use_org(PG_FUNCTION_ARGS)
{
	char *slug = steward_text_arg(fcinfo, 0, "organization", true);
	SlugSearch search = {.slug = slug};
	Snapshot snapshot = steward_fresh_snapshot();

	steward_scan(STEWARD_ORGANIZATION, snapshot, 0, NULL, match_slug, &search);
	UnregisterSnapshot(snapshot);
	if (search.found == NULL || steward_profiles_of(GetUserId(), search.found) == 0)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_ORGANIZATION_UNKNOWN), errmsg("unknown organization \"%s\"", slug)));
	(void) set_config_option(CHOSEN_SETTING,
							 DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(search.found))), PGC_SUSET,
							 PGC_S_SESSION, GUC_ACTION_SET, true, 0, false);
	PG_RETURN_UUID_P(search.found);
}

/*
 * steward_find_default_org
 *		What default_org() answers, without an error where it raises; false then.
 */
bool
steward_find_default_org(pg_uuid_t *org)
{
	List *orgs;

	if (steward_actor() != NULL)
		*org = steward_actor()->org;
	else if (chosen_organization != NULL && chosen_organization[0] != '\0')
		*org = *DatumGetUUIDP(DirectFunctionCall1(uuid_in, CStringGetDatum(chosen_organization)));
	else
	{
		orgs = steward_orgs_of(GetUserId(), ANY_PROFILE);
		if (list_length(orgs) != 1)
			return false;
		*org = *(pg_uuid_t *) linitial(orgs);
	}
	return true;
}

/*
 * default_org() → uuid
 *		The assumed identity's organization, else the one chosen with use_org(), else the only one in which the caller
 *		holds a profile, else an error.
 */
Datum
steward_default_org(PG_FUNCTION_ARGS)
{
	pg_uuid_t *org = palloc(sizeof(pg_uuid_t));
	List *orgs;

	steward_require_setup();
	if (steward_find_default_org(org))
		PG_RETURN_UUID_P(org);

	orgs = steward_orgs_of(GetUserId(), ANY_PROFILE);
	if (orgs == NIL)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_ORGANIZATION_UNKNOWN), errmsg("no organization to work in"),
						superuser() ? errhint("Make one with SELECT * FROM steward.setup(organization => 'name').")
									: errhint("An administrator can grant a profile with steward.grant_profile().")));
	ereport(ERROR, (errcode(ERRCODE_STEWARD_ORGANIZATION_AMBIGUOUS), errmsg("more than one organization to work in"),
					errdetail("There are %d.", list_length(orgs)),
					errhint("Choose one with SELECT steward.use_org('slug'), or name it with org => ...")));
	PG_RETURN_NULL();
}
