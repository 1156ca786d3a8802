/*
 * contain.c
 *		What signals bring about: suspend, narrow or revoke the agent in the commit that records the signal; and how that
 *		is undone.
 *
 * Nothing here widens access: containing adds suspensions and revocations, and releasing lifts only the suspensions
 * that the signal itself caused, after which the subject is live only if nothing else holds it.
 *
 * The brake counts the agents that a source contained within its window.  Past its limit the source contains nobody
 * until reset_brake(), and says so as a finding; other sources, and what it contained before, are not touched.
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "core/authority.h"
#include "core/plan.h"
#include "core/reference.h"
#include "governance/governance.h"
#include "governance/signal.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_release_signal);

/* How far an action goes; the source's maximum lowers what a rule asks for. */
#define RANK(action) "array_position(ARRAY['alert', 'narrow', 'suspend', 'revoke'], " action ")"

/*
 * For each new signal that completes a rule, the one that goes furthest for its agent; what holds the agent already, for
 * half as long or more, is only an alert.  A window is as long as the rule's and has the signal in it, at either end.
 * Answers with agent, signal, rule, action, whether the brake holds it, and when it ends.
 */
static uint64
match_rules(const StewardSignalSource *source, Datum new_signals)
{
	static StewardPlan match = STEWARD_PLAN(
		"Uuu",
		"WITH hit AS (SELECT DISTINCT ON (s.agent_id) s.agent_id, s.id, r.id AS rule_id, r.suspend_for, "
		"CASE WHEN " RANK("r.action") " <= " RANK(
			"o.max_action") " THEN r.action "
							"WHEN r.action = 'revoke' AND o.max_action = 'suspend' THEN 'suspend' ELSE 'alert' END AS action "
							"FROM steward.signal s JOIN steward.signal_source o ON o.org_id = s.org_id AND o.id = s.source_id "
							"JOIN steward.principal p ON p.org_id = s.org_id AND p.id = s.agent_id AND p.state <> 'offboarded' "
							"LEFT JOIN steward.agent a ON a.org_id = s.org_id AND a.principal_id = s.agent_id "
							"JOIN steward.signal_rule r ON r.org_id = s.org_id AND (r.category IS NULL OR r.category = s.category) "
							"AND s.score >= r.min_score AND (r.autonomy IS NULL OR r.autonomy = a.autonomy) "
							"WHERE s.org_id = $2 AND s.id = ANY ($1) AND s.verdict <> 'benign' AND (r.min_count = 1 OR r.min_count <= GREATEST("
							"(SELECT count(*) FROM steward.signal x WHERE x.org_id = s.org_id AND x.agent_id = s.agent_id AND x.verdict <> 'benign' "
							"AND (r.category IS NULL OR x.category = r.category) AND x.score >= r.min_score "
							"AND x.occurred_at > s.occurred_at - r.within AND x.occurred_at <= s.occurred_at), "
							"(SELECT count(*) FROM steward.signal x WHERE x.org_id = s.org_id AND x.agent_id = s.agent_id AND x.verdict <> 'benign' "
							"AND (r.category IS NULL OR x.category = r.category) AND x.score >= r.min_score "
							"AND x.occurred_at >= s.occurred_at AND x.occurred_at < s.occurred_at + r.within))) "
							"ORDER BY s.agent_id, LEAST(" RANK("r.action") ", " RANK(
								"o.max_action") ") DESC, r.suspend_for DESC NULLS LAST, s.occurred_at, s.id), "
												"new_hit AS (SELECT h.*, h.action IN ('suspend', 'narrow', 'revoke') AND NOT EXISTS (SELECT FROM steward.signal k "
												"WHERE k.org_id = $2 AND k.agent_id = h.agent_id AND k.released_at IS NULL AND " RANK("k.outcome") " >= " RANK(
													"h.action") " "
																"AND k.outcome IN ('suspend', 'narrow', 'revoke') AND (k.outcome = 'revoke' OR k.contained_until >= clock_timestamp() + h.suspend_for / 2)) "
																"AS contains FROM hit h), "
																"counted AS (SELECT n.*, row_number() OVER (PARTITION BY n.contains ORDER BY n.agent_id) AS place FROM new_hit n), "
																"before AS (SELECT array_agg(DISTINCT k.agent_id) AS agents FROM steward.signal k JOIN steward.signal_source o ON o.org_id = k.org_id "
																"AND o.id = k.source_id WHERE k.org_id = $2 AND k.source_id = $3 AND k.outcome IN ('suspend', 'narrow', 'revoke') "
																"AND k.received_at > clock_timestamp() - o.brake_window AND k.received_at > o.brake_reset_at) "
																"SELECT c.agent_id, c.id, c.rule_id, CASE WHEN c.contains THEN c.action ELSE 'alert' END, "
																"c.contains AND (o.braked_at IS NOT NULL OR (c.agent_id <> ALL (coalesce(b.agents, '{}')) AND "
																"c.place + coalesce(cardinality(b.agents), 0) > o.brake_limit)), "
																"CASE WHEN c.contains AND c.action <> 'revoke' THEN clock_timestamp() + coalesce(c.suspend_for, interval '1 day') END "
																"FROM counted c CROSS JOIN before b JOIN steward.signal_source o ON o.org_id = $2 AND o.id = $3 ORDER BY c.agent_id");
	Datum values[] = {new_signals, UUIDPGetDatum(&source->org), UUIDPGetDatum(&source->id)};

	return steward_run(&match, STEWARD_LATEST, values, NULL);
}

/* What a rule asks for because of a signal. */
typedef struct Containment
{
	pg_uuid_t agent;
	pg_uuid_t signal;
	pg_uuid_t rule;
	char *action;
	bool held;
	Datum until;
	bool ends;
} Containment;

/* Locks an agent and suspends it until the end. */
static void
suspend_agent(const StewardSignalSource *source, const Containment *c, const char *reason)
{
	static StewardPlan suspend = STEWARD_PLAN(
		"uuztu",
		"WITH held AS (SELECT p.org_id, p.id FROM steward.principal p WHERE p.org_id = $1 AND p.id = $2 AND p.state <> 'offboarded' "
		"FOR NO KEY UPDATE), made AS (INSERT INTO steward.suspension (org_id, principal_id, cause, reason, until) "
		"SELECT h.org_id, h.id, 'signal', $4, $3 FROM held h RETURNING org_id, id), "
		"linked AS (INSERT INTO steward.signal_suspension (org_id, signal_id, suspension_id) SELECT m.org_id, $5, m.id FROM made m) "
		"UPDATE steward.principal p SET state = 'suspended' FROM held h WHERE p.org_id = h.org_id AND p.id = h.id AND p.state = 'active'");
	Datum values[] = {UUIDPGetDatum(&source->org), UUIDPGetDatum(&c->agent), c->until, CStringGetTextDatum(reason),
					  UUIDPGetDatum(&c->signal)};

	steward_run(&suspend, STEWARD_LATEST, values, NULL);
}

/* Suspends those of an agent's credentials that reach beyond what the rule leaves it. */
static void
narrow_agent(const StewardSignalSource *source, const Containment *c, const char *reason)
{
	static StewardPlan narrow = STEWARD_PLAN(
		"uuztuu",
		"WITH agent AS MATERIALIZED (SELECT p.org_id, p.id FROM steward.principal p WHERE p.org_id = $1 AND p.id = $2 FOR NO KEY UPDATE), "
		"held AS MATERIALIZED (SELECT c.org_id, c.id FROM agent a JOIN steward.credential c ON c.org_id = a.org_id AND c.holder_id = a.id "
		"JOIN steward.signal_rule r ON r.org_id = c.org_id AND r.id = $6 WHERE c.state IN ('active', 'suspended') "
		"AND steward.uncovered_scopes(c.scopes, ARRAY[r.narrow_to])::text <> '' ORDER BY c.id FOR UPDATE OF c), "
		"made AS (INSERT INTO steward.suspension (org_id, credential_id, cause, reason, until) "
		"SELECT h.org_id, h.id, 'signal', $4, $3 FROM held h RETURNING org_id, id), "
		"linked AS (INSERT INTO steward.signal_suspension (org_id, signal_id, suspension_id) SELECT m.org_id, $5, m.id FROM made m) "
		"UPDATE steward.credential c SET state = 'suspended' FROM held h WHERE c.org_id = h.org_id AND c.id = h.id AND c.state = 'active'");
	Datum values[] = {UUIDPGetDatum(&source->org), UUIDPGetDatum(&c->agent),  c->until,
					  CStringGetTextDatum(reason), UUIDPGetDatum(&c->signal), UUIDPGetDatum(&c->rule)};

	steward_run(&narrow, STEWARD_LATEST, values, NULL);
}

/* Revokes everything an agent holds; the act is linked to the signal. */
static void
revoke_agent(const StewardSignalSource *source, const Containment *c, const char *reason)
{
	static StewardPlan revoke = STEWARD_PLAN(
		"uutu",
		"WITH r AS (SELECT x.revocation_id FROM steward.revoke_principal($2::uuid, 'incident', $3, org => $1) AS x) "
		"UPDATE steward.signal s SET revocation_id = r.revocation_id FROM r WHERE s.org_id = $1 AND s.id = $4");
	Datum values[] = {UUIDPGetDatum(&source->org), UUIDPGetDatum(&c->agent), CStringGetTextDatum(reason),
					  UUIDPGetDatum(&c->signal)};

	steward_run(&revoke, STEWARD_LATEST, values, NULL);
}

/* Trips the source's brake. */
static void
trip_brake(const StewardSignalSource *source)
{
	static StewardPlan trip = STEWARD_PLAN("uu", "UPDATE steward.signal_source SET braked_at = clock_timestamp() "
												 "WHERE org_id = $1 AND id = $2 AND braked_at IS NULL");
	Datum values[] = {UUIDPGetDatum(&source->org), UUIDPGetDatum(&source->id)};

	steward_run(&trip, STEWARD_LATEST, values, NULL);
}

/*
 * steward_contain
 *		Does what the rules ask for because of new signals of a source; inside the bracket.  Returns how many agents were
 *		contained.
 */
uint64
steward_contain(const StewardSignalSource *source, Datum new_signals)
{
	static StewardPlan conclude =
		STEWARD_PLAN("uuutz", "UPDATE steward.signal SET rule_id = $3, outcome = $4, contained_until = $5 "
							  "WHERE org_id = $1 AND id = $2");
	uint64 n = match_rules(source, new_signals);
	Containment *list = palloc0(sizeof(Containment) * Max(n, 1));
	uint64 contained = 0;

	for (uint64 i = 0; i < n; i++)
	{
		bool isnull;

		list[i].agent = *DatumGetUUIDP(steward_result(i, 1, &isnull));
		list[i].signal = *DatumGetUUIDP(steward_result(i, 2, &isnull));
		list[i].rule = *DatumGetUUIDP(steward_result(i, 3, &isnull));
		list[i].action = steward_result_text(i, 4);
		list[i].held = DatumGetBool(steward_result(i, 5, &isnull));
		list[i].until = steward_result(i, 6, &isnull);
		list[i].ends = !isnull;
	}
	/* In the order of the agents' ids, which is the order in which everybody locks principals. */
	for (uint64 i = 0; i < n; i++)
	{
		Containment *c = &list[i];
		char *reason = psprintf("signal of %s", source->name);
		Datum values[] = {UUIDPGetDatum(&source->org), UUIDPGetDatum(&c->signal), UUIDPGetDatum(&c->rule),
						  CStringGetTextDatum(c->held ? "held_by_brake" : c->action), c->until};
		bool nulls[] = {false, false, false, false, !c->ends || c->held};

		CHECK_FOR_INTERRUPTS();
		if (c->held)
			trip_brake(source);
		else if (strcmp(c->action, "suspend") == 0)
			suspend_agent(source, c, reason);
		else if (strcmp(c->action, "narrow") == 0)
			narrow_agent(source, c, reason);
		else if (strcmp(c->action, "revoke") == 0)
			revoke_agent(source, c, reason);
		contained += !c->held && strcmp(c->action, "alert") != 0;
		steward_run(&conclude, STEWARD_LATEST, values, nulls);
	}
	/* That an agent is contained must survive a crash, whatever the session's synchronous_commit says. */
	if (contained > 0)
		ForceSyncCommit();
	return contained;
}

/* What both ways of ending suspensions have in common: who is live again once nothing else holds them. */
#define RESUME(lifted) \
	"back AS (UPDATE steward.principal p SET state = 'active' FROM " lifted \
	" l WHERE p.org_id = l.org_id AND p.id = l.principal_id " \
	"AND p.state = 'suspended' AND NOT EXISTS (SELECT FROM steward.suspension s WHERE s.org_id = p.org_id AND s.principal_id = p.id " \
	"AND s.lifted_at IS NULL AND s.id NOT IN (SELECT id FROM " lifted ")) RETURNING p.id), " \
	"keys AS (UPDATE steward.credential c SET state = 'active' FROM " lifted \
	" l WHERE c.org_id = l.org_id AND c.id = l.credential_id " \
	"AND c.state = 'suspended' AND NOT EXISTS (SELECT FROM steward.suspension s WHERE s.org_id = c.org_id AND s.credential_id = c.id " \
	"AND s.lifted_at IS NULL AND s.id NOT IN (SELECT id FROM " lifted ")) RETURNING c.id) "

/* The people and keys that suspensions of signals hold, locked in id order before anything is lifted. */
#define LOCK(condition) \
	"WITH open AS MATERIALIZED (SELECT s.org_id, s.id, s.principal_id, s.credential_id, coalesce(s.principal_id, c.holder_id) AS person " \
	"FROM steward.suspension s LEFT JOIN steward.credential c ON c.org_id = s.org_id AND c.id = s.credential_id " \
	"WHERE s.cause = 'signal' AND s.lifted_at IS NULL AND " condition "), " \
	"locked AS MATERIALIZED (SELECT p.org_id, p.id FROM steward.principal p WHERE (p.org_id, p.id) IN (SELECT org_id, person FROM open) " \
	"ORDER BY p.org_id, p.id FOR NO KEY UPDATE), "

/*
 * release_signal(signal uuid, reason text, org uuid DEFAULT default_org()) → released bigint
 *		Lifts the suspensions that a signal caused, and no others; how many.  What a signal revoked stays revoked.
 *
 * Raises ST810 for a signal that is not known here.  Needs security or admin.
 */
Datum
steward_release_signal(PG_FUNCTION_ARGS)
{
	static StewardPlan lift = STEWARD_PLAN(
		"uun",
		LOCK(
			"s.org_id = $1 AND EXISTS (SELECT FROM steward.signal_suspension k WHERE k.org_id = s.org_id AND "
			"k.suspension_id = s.id AND k.signal_id = $2)") "lifted AS (UPDATE steward.suspension s SET lifted_at = clock_timestamp(), lifted_by = $3 FROM open o, locked l "
															"WHERE s.org_id = o.org_id AND s.id = o.id AND l.org_id = o.org_id AND l.id = o.person AND s.lifted_at IS NULL "
															"RETURNING s.org_id, s.id, s.principal_id, s.credential_id), " RESUME(
																"lifted") "SELECT count(*) FROM lifted");
	static StewardPlan note = STEWARD_PLAN(
		"uunt", "UPDATE steward.signal SET released_at = clock_timestamp(), released_by = $3, release_reason = $4 "
				"WHERE org_id = $1 AND id = $2 AND released_at IS NULL");
	static StewardPlan find = STEWARD_PLAN("uu", "SELECT FROM steward.signal WHERE org_id = $1 AND id = $2");
	char *reason = steward_note_arg(fcinfo, 1, "reason");
	const pg_uuid_t *org = steward_org_arg(fcinfo, 2);
	int64 released = 0;

	if (PG_ARGISNULL(0) || reason == NULL)
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("signal and reason must not be null")));
	steward_require(org, STEWARD_PROFILE_SECURITY | STEWARD_PROFILE_ADMIN);
	PreventCommandIfReadOnly("release_signal()");
	STEWARD_AS_OWNER();
	{
		NameData caller;
		bool isnull;

		namestrcpy(&caller, steward_caller_name());
		{
			Datum values[] = {UUIDPGetDatum(org), PG_GETARG_DATUM(0), NameGetDatum(&caller),
							  CStringGetTextDatum(reason)};

			if (steward_run(&find, STEWARD_LATEST, values, NULL) == 0)
				ereport(ERROR, (errcode(ERRCODE_STEWARD_SIGNAL_UNKNOWN),
								errmsg("the signal is not known in this organization")));
			steward_run(&lift, STEWARD_LATEST, values, NULL);
			released = DatumGetInt64(steward_result(0, 1, &isnull));
			steward_run(&note, STEWARD_LATEST, values, NULL);
		}
	}
	STEWARD_AS_OWNER_END();
	PG_RETURN_INT64(released);
}

/*
 * steward_end_containments
 *		A step of maintain(): lifts suspensions of signals whose end has come.
 */
char *
steward_end_containments(void)
{
	static StewardPlan lift = STEWARD_PLAN(
		"n",
		LOCK(
			"s.until <= clock_timestamp()") "lifted AS (UPDATE steward.suspension s SET lifted_at = clock_timestamp(), lifted_by = $1 FROM open o, locked l "
											"WHERE s.org_id = o.org_id AND s.id = o.id AND l.org_id = o.org_id AND l.id = o.person AND s.lifted_at IS NULL "
											"RETURNING s.org_id, s.id, s.principal_id, s.credential_id), " RESUME(
												"lifted") "SELECT count(*) FROM lifted");
	NameData caller;
	Datum value = NameGetDatum(&caller);

	namestrcpy(&caller, steward_caller_name());
	steward_run(&lift, STEWARD_LATEST, &value, NULL);
	return psprintf("%s ended", steward_result_text(0, 1));
}
