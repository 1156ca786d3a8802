#!/bin/bash
# What governance costs at a million credentials in a thousand organizations, one of which has ten thousand.  Runs inside
# tools/with-cluster; prints name, measured, bound and ok or MISS, divided by tabs.  ROWS makes it smaller.
set -euo pipefail

rows=${ROWS:-1000000}
db=steward_bench_governance
dropdb --if-exists "$db" 2>/dev/null
createdb "$db"
trap 'dropdb "$db"' EXIT
sql() { psql -X -q -At -v ON_ERROR_STOP=1 -d "$db" "$@"; }
# The median of five runs of a statement as an analyst, in one session that has run it once before, in milliseconds.
time_of() {
	{ echo "SET ROLE steward_bench_analyst;"; echo "$1"; echo "\\timing on"; for _ in 1 2 3 4 5; do echo "$1"; done; } | sql -f - |
		sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | sort -n | sed -n 3p
}
line() { awk -v n="$1" -v m="$2" -v b="$3" -v u="$4" 'BEGIN { printf "%s\t%.2f %s\t%s %s\t%s\n", n, m, u, b, u, m <= b ? "ok" : "MISS" }'; }

sql >/dev/null <<SQL
CREATE EXTENSION steward;
SELECT count(*) FROM steward.setup(organization => 'large');
INSERT INTO steward.organization (slug, name) SELECT 'org-' || i, 'org ' || i FROM generate_series(1, 999) i;
INSERT INTO steward.org_policy (org_id) SELECT id FROM steward.organization ON CONFLICT DO NOTHING;
INSERT INTO steward.system (org_id, name, kind, revocation_path) SELECT id, 'steward', 'internal', 'native' FROM steward.organization ON CONFLICT DO NOTHING;
-- What is measured is reading: loading need not be audited nor checked.
DO \$\$ DECLARE t text; BEGIN FOREACH t IN ARRAY ARRAY['principal', 'credential', 'scope_grant', 'signal'] LOOP EXECUTE format('ALTER TABLE steward.%I DISABLE TRIGGER ALL', t); END LOOP; END \$\$;
INSERT INTO steward.principal (org_id, kind, name, user_name) SELECT id, 'human', 'owner', 'owner' FROM steward.organization;
INSERT INTO steward.principal (org_id, kind, name, owner_id) SELECT p.org_id, CASE i % 2 WHEN 0 THEN 'agent' ELSE 'service' END, 'bot-' || i, p.id FROM steward.principal p, generate_series(1, 50) i WHERE p.kind = 'human';
INSERT INTO steward.scope_grant (org_id, principal_id, scopes, source, justification, requested_by) SELECT org_id, id, 'x:*', 'direct', 'x', 'postgres' FROM steward.principal WHERE kind <> 'human';
INSERT INTO steward.credential (org_id, kind, state, holder_id, owner_id, system_id, display, scopes, issued_at, expires_at, source, issued_by, environment)
SELECT p.org_id, 'api_key', 'active', p.id, p.owner_id, y.id, 'stw1_...' || i, 'x:read', now() - (i % 300) * interval '1 day', CASE WHEN i % 20 > 0 THEN now() + interval '10 days' END, 'issued', 'postgres', 'production'
FROM steward.principal p JOIN steward.system y USING (org_id) JOIN steward.organization o ON o.id = p.org_id, LATERAL generate_series(1, CASE o.slug WHEN 'large' THEN 10000 ELSE ($rows - 10000) / 999 END / 50) i WHERE p.kind <> 'human';
DO \$\$ DECLARE t text; BEGIN FOREACH t IN ARRAY ARRAY['principal', 'credential', 'scope_grant', 'signal'] LOOP EXECUTE format('ALTER TABLE steward.%I ENABLE TRIGGER ALL', t); END LOOP; END \$\$;
SELECT count(*) FROM steward.setup();
ANALYZE;
CREATE ROLE steward_bench_analyst LOGIN;
SELECT steward.grant_profile('steward_bench_analyst', 'analyst', id) FROM steward.organization WHERE slug = 'large';
SELECT steward.use_org('large');
SELECT count(*) FROM steward.evaluate_controls();
SELECT steward.register_service('watch', 'owner'), steward.register_signal_source('watch', 'watch', brake_limit => 1000000), steward.set_signal_rule('r', 'suspend', suspend_for => '1 hour');
SQL
trap 'dropdb "$db"; psql -X -q -d postgres -c "DROP ROLE IF EXISTS steward_bench_analyst"' EXIT
line "findings of 10,000 among $rows credentials" "$(time_of "SELECT count(*), count(remedy) FROM steward.findings;")" 300 ms
line "control_coverage" "$(time_of "SELECT count(*), count(status) FROM steward.control_coverage;")" 200 ms
line "report_html" "$(time_of "SELECT length(steward.report_html());")" 2000 ms
# Containing beside suspending alone: the same agents, one transaction each.
measure() { sql -c "SELECT steward.use_org('large')" -c "$1" 2>&1 | sed -n 's/^NOTICE:  //p' | tail -n 1; }
body_suspend="INSERT INTO steward.suspension (org_id, principal_id, cause, reason) VALUES (a.org_id, a.id, 'manual', 'x'); UPDATE steward.principal p SET state = 'suspended' WHERE p.org_id = a.org_id AND p.id = a.id;"
body_signal="PERFORM steward.report_signal(jsonb_build_object('id', round || a.name, 'agent', a.name, 'side', 'tool', 'category', 'toxicity', 'score', 1), 'watch');"
loop() {
	echo "DO \$\$ DECLARE a record; began timestamptz; spent float := 0; BEGIN FOR round IN 1..4 LOOP began := clock_timestamp();
	FOR a IN SELECT org_id, id, name FROM steward.principal WHERE org_id = steward.default_org() AND kind = '$1' AND name LIKE 'bot-%' LOOP $2 END LOOP;
	spent := extract(epoch FROM clock_timestamp() - began) * 1000 / 25; PERFORM steward.release_signal(s.id, 'x') FROM steward.signal s WHERE s.org_id = steward.default_org() AND s.released_at IS NULL; END LOOP; RAISE NOTICE '%', spent; END \$\$"
}
alone=$(measure "$(loop service "$body_suspend")")
signal=$(measure "$(loop agent "$body_signal")")
line "report_signal that suspends, times suspending alone ($(printf %.2f "$signal") and $(printf %.2f "$alone") ms)" "$(awk -v s="$signal" -v a="$alone" 'BEGIN { print s / a }')" 2 x
