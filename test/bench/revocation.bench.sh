#!/bin/bash
# What doc/revocation.md says about speed: revoking everything that somebody holds against a bare UPDATE of the same rows and
# against the row triggers in PL/pgSQL that a team would write by hand (kept here as the baseline); the same with the
# bookkeeping deferred; and one credential against a one-row UPDATE with one audit row.
#
# Both baselines work on a copy of steward's table with all its indexes and checks.  REVOCATION_BENCH_ROWS says how many.
set -euo pipefail

rows=${REVOCATION_BENCH_ROWS:-100000}
rounds=${REVOCATION_BENCH_ROUNDS:-3}
createdb bench_revocation
sql() { PGOPTIONS='-c client_min_messages=warning -c jit=off -c max_parallel_workers_per_gather=0' \
	psql -X -q -v ON_ERROR_STOP=1 -v rows="$rows" -At -d bench_revocation "$@"; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }
claim() { printf '%s\t%s\t%s\t%s\t%s\n' "$@"; }
median() { sort -n | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'; }
# Milliseconds of a statement in a session of its own, its commit included.
ms() { sql -c '\timing on' -c "$1" | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | tail -n 1; }

sql >/dev/null <<'SQL'
CREATE EXTENSION steward;
SELECT count(*) FROM steward.setup(organization => 'bench');
INSERT INTO steward.directory (org_id, name) VALUES (steward.default_org(), 'main');
INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name) SELECT org_id, id, '1', 'ann' FROM steward.directory;
-- The baseline: a trigger on each row that writes an audit row with both images and notifies, and one that follows the children.
CREATE TABLE public.byhand_audit (id bigserial PRIMARY KEY, at timestamptz DEFAULT now(), who name DEFAULT current_user, old jsonb, new jsonb);
CREATE INDEX ON public.byhand_audit (at);
CREATE TABLE public.byhand_revocation (id uuid PRIMARY KEY);
INSERT INTO public.byhand_revocation VALUES ('00000000-0000-0000-0000-000000000001');
CREATE FUNCTION public.byhand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.byhand_audit (old, new) VALUES (to_jsonb(OLD), to_jsonb(NEW));
	PERFORM pg_notify('revoked', NEW.id::text);
	UPDATE public.byhand c SET state = 'revoked', revoked_at = NEW.revoked_at, revocation_id = NEW.revocation_id
		WHERE c.org_id = NEW.org_id AND c.parent_id = NEW.id AND c.state <> 'revoked';
	RETURN NULL;
END $$;
SQL

# Another holder with so many keys, in the real table and in both copies.
fill() {
	sql -v name="holder$1" >/dev/null <<'SQL'
SELECT steward.register_service(:'name', 'ann');
SELECT steward.grant_scopes(:'name', 'a:b', 'bench');
DROP TABLE IF EXISTS public.bare, public.byhand;
CREATE TEMP TABLE made AS SELECT s.org_id, p.id AS holder_id, p.owner_id, s.id AS system_id FROM steward.principal p
	JOIN steward.system s ON s.org_id = p.org_id AND s.name = 'steward' WHERE p.name = :'name';
-- Straight into the table, without an audit row each: this is not what is measured.
ALTER TABLE steward.credential DISABLE TRIGGER USER;
INSERT INTO steward.credential (org_id, kind, state, holder_id, owner_id, system_id, name, display, scopes, source, issued_by, expires_at)
	SELECT org_id, 'api_key', 'active', holder_id, owner_id, system_id, 'key ' || n, 'stw1_…' || n, 'a:b', 'issued', 'bench', now() + interval '90 days'
	FROM made, generate_series(1, :rows) n;
SELECT count(*) FROM steward.setup();
CREATE TABLE public.bare (LIKE steward.credential INCLUDING ALL);
INSERT INTO public.bare SELECT c.* FROM steward.credential c JOIN made m ON m.holder_id = c.holder_id;
CREATE TABLE public.byhand (LIKE steward.credential INCLUDING ALL);
INSERT INTO public.byhand SELECT * FROM public.bare;
ALTER TABLE public.byhand ADD FOREIGN KEY (revocation_id) REFERENCES public.byhand_revocation (id);
CREATE TRIGGER byhand AFTER UPDATE ON public.byhand FOR EACH ROW EXECUTE FUNCTION public.byhand();
VACUUM ANALYZE public.bare, public.byhand, steward.credential;
CHECKPOINT;
SQL
}
update() { echo "UPDATE public.$1 SET state = 'revoked', revoked_at = clock_timestamp(), revocation_id = '00000000-0000-0000-0000-000000000001'"; }

for round in $(seq "$rounds"); do
	fill "$round"
	ms "$(update bare)" >>"$STEWARD_BASE/bare"
	ms "SELECT steward.revoke_principal('holder$round', 'incident')" >>"$STEWARD_BASE/revoke"
	ms "$(update byhand)" >>"$STEWARD_BASE/byhand"
done
bare=$(median <"$STEWARD_BASE/bare")
revoke=$(median <"$STEWARD_BASE/revoke")
byhand=$(median <"$STEWARD_BASE/byhand")
claim "revoke_principal() of $rows keys, audited: of a bare UPDATE" "$(ratio "$revoke" "$bare")" '<=' 2.6 x
claim "row triggers by hand: of revoke_principal()" "$(ratio "$byhand" "$revoke")" '>=' 2.5 x

# Deferred, in a session that has done it before; and the WAL flush that it contains, as a one-row commit.
fill deferred
sql >"$STEWARD_BASE/deferred" <<'SQL'
SELECT count(steward.register_service('warm' || n, 'ann')) FROM generate_series(1, 3) n;
CREATE TABLE public.one_row (x int);
SET steward.defer_bookkeeping = on;
SELECT revocation_id FROM steward.revoke_principal('warm1', 'test');
SELECT revocation_id FROM steward.revoke_principal('warm2', 'test');
INSERT INTO public.one_row VALUES (1);
\timing on
SELECT revocation_id FROM steward.revoke_principal('holderdeferred', 'incident');
INSERT INTO public.one_row VALUES (2);
SQL
deferred=$(sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' "$STEWARD_BASE/deferred" | sed -n 1p)
flush=$(sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' "$STEWARD_BASE/deferred" | sed -n 2p)
claim "deferred, $rows keys: beyond one WAL flush" "$(awk -v a="$deferred" -v b="$flush" 'BEGIN { d = a - b; printf "%.2f", d < 0 ? 0 : d }')" '<=' 2 ms

# One at a time: 400 transactions each, in turns.
sql >"$STEWARD_BASE/ids" -c "SELECT id FROM steward.credential WHERE state = 'active' AND name LIKE 'key %' LIMIT 1600"
head -n 800 "$STEWARD_BASE/ids" | sed "s/.*/SELECT revocation_id FROM steward.revoke('&'::uuid, 'leak');/" >"$STEWARD_BASE/one_revoke.sql"
tail -n 800 "$STEWARD_BASE/ids" | sed "s/.*/UPDATE steward.principal SET purpose = '&' WHERE name = 'warm3';/" >"$STEWARD_BASE/one_update.sql"
per() { local began ended; began=$(date +%s%N); sql -o /dev/null -f "$1"; ended=$(date +%s%N); echo $(((ended - began) / 1000)); }
for round in 1 2 3 4; do
	for what in update revoke; do
		sed -n "$((200 * (round - 1) + 1)),$((200 * round))p" "$STEWARD_BASE/one_$what.sql" >"$STEWARD_BASE/part.sql"
		per "$STEWARD_BASE/part.sql" >>"$STEWARD_BASE/one_$what"
	done
done
claim "revoke() of one: of a one-row UPDATE with one audit row" "$(ratio "$(median <"$STEWARD_BASE/one_revoke")" "$(median <"$STEWARD_BASE/one_update")")" '<=' 1.5 x
echo "bare $bare ms, revoke $revoke ms, by hand $byhand ms, deferred $deferred ms, flush $flush ms" >&2
