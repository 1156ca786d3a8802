#!/bin/bash
# What doc/scope.md says about speed and size, against what people would use instead: LIKE, text[] and ltree[].
# The rows, 1,000,000 of them (SCOPE_BENCH_ROWS), have no wildcard in four of five scopes.
set -euo pipefail

rows=${SCOPE_BENCH_ROWS:-1000000}
createdb bench_scope
sql() { PGOPTIONS='-c client_min_messages=warning -c jit=off -c max_parallel_workers_per_gather=0 -c maintenance_work_mem=512MB -c work_mem=64MB' \
	psql -X -q -v ON_ERROR_STOP=1 -v rows="$rows" -At -d bench_scope "$@"; }
# ratio A B: A / B with two places
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }
claim() { printf '%s\t%s\t%s\t%s\t%s\n' "$@"; }

sql >/dev/null <<'SQL'
CREATE EXTENSION steward;
CREATE EXTENSION ltree;
ALTER DATABASE bench_scope SET search_path = public, steward;
SQL

# times NAME=QUERY...: runs them in turns, five rounds after one to warm up, and prints a line with the median of each in ms.
times() {
	local file=$STEWARD_BASE/times.sql pair
	{
		echo "CREATE TEMP TABLE took (name text, ms float8);"
		echo "CREATE PROCEDURE pg_temp.run(round int, name text, query text) LANGUAGE plpgsql AS \$\$"
		echo "DECLARE began timestamptz := clock_timestamp(); BEGIN EXECUTE query;"
		echo "IF round > 0 THEN INSERT INTO took VALUES (name, extract(epoch FROM clock_timestamp() - began) * 1000); END IF; END \$\$;"
		for round in 0 1 2 3 4 5; do
			for pair in "$@"; do echo "CALL pg_temp.run($round, '${pair%%=*}', \$q\$${pair#*=}\$q\$);"; done
		done
		echo "SELECT name || '=' || percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FROM took GROUP BY name;"
	} >"$file"
	sql -f "$file"
}
value() { sed -n "s/^$1=//p" <<<"$2"; }

# Scopes of 20 members in a row, and what each row is asked for; the same as text and as LIKE patterns.
sql >/dev/null <<'SQL'
CREATE TABLE source AS
SELECT i, format('repo:org%s/app%s:%s', i % 200, i % 37, (ARRAY['read', 'write', 'admin'])[1 + i % 3]) AS asked,
       ARRAY(SELECT format(CASE j % 5 WHEN 0 THEN 'repo:org%s/*:%3$s' WHEN 1 THEN 'issues:org%s/app%s:%s' ELSE 'repo:org%s/app%s:%s' END,
                           (i * 7 + j * 31) % 200, (i + j * 13) % 50, (ARRAY['read', 'write', 'admin'])[1 + (i + j) % 3])
             FROM generate_series(1, 20) AS j) AS scopes
FROM generate_series(1, :rows) AS i;
CREATE TABLE as_scope AS SELECT i, asked::scope AS asked, scopes::scope_set AS scopes FROM source;
CREATE TABLE as_text AS SELECT i, asked, scopes FROM source;
CREATE TABLE as_pattern AS SELECT i, asked, replace(scopes::text, '*', '%')::text[] AS patterns FROM source;
DROP TABLE source;
VACUUM ANALYZE as_scope, as_text, as_pattern;
SQL
# What somebody writes who knows the rule: the scopes that would cover the asked one, four segments.
generalizations="ARRAY['*', s[1] || ':*', '*:*', s[1] || ':' || s[2] || '/*', s[1] || ':*/*', '*:' || s[2] || '/*', '*:*/*',
	s[1] || ':' || s[2] || '/' || s[3] || ':*', s[1] || ':' || s[2] || '/*:*', s[1] || ':*/' || s[3] || ':*', '*:' || s[2] || '/' || s[3] || ':*',
	s[1] || ':*/*:*', '*:' || s[2] || '/*:*', '*:*/' || s[3] || ':*', '*:*/*:*',
	asked, s[1] || ':' || s[2] || '/*:' || s[4], s[1] || ':*/' || s[3] || ':' || s[4], '*:' || s[2] || '/' || s[3] || ':' || s[4],
	s[1] || ':*/*:' || s[4], '*:' || s[2] || '/*:' || s[4], '*:*/' || s[3] || ':' || s[4], '*:*/*:' || s[4]]"
took=$(times "read=SELECT count(*) FROM as_scope WHERE scopes IS NOT NULL AND asked IS NOT NULL" \
	"ours=SELECT count(*) FROM as_scope WHERE scopes @> asked" \
	"like=SELECT count(*) FROM as_pattern WHERE asked LIKE ANY (SELECT unnest(patterns))" \
	"array=SELECT count(*) FROM as_text, string_to_array(translate(asked, '/', ':'), ':') AS s WHERE scopes && $generalizations")
claim "scope_set @> scope, 20 members: a row above reading it" "$(awk -v a="$(value ours "$took")" -v b="$(value read "$took")" -v n="$rows" 'BEGIN { printf "%.3f", (a - b) * 1000 / n }')" "<=" 0.6 us
claim "scope_set @> scope: faster than LIKE ANY over unnest" "$(ratio "$(value like "$took")" "$(value ours "$took")")" ">=" 5 x
claim "scope_set @> scope: faster than text[] && generalizations" "$(ratio "$(value array "$took")" "$(value ours "$took")")" ">=" 4 x
sql -c "DROP TABLE as_scope, as_text, as_pattern"

# Size of sets of 10.
sql >/dev/null <<'SQL'
CREATE TABLE ten AS
SELECT ARRAY(SELECT format('%s:org%s/app%s:%s', (ARRAY['repo', 'issues', 'wiki', 'packages'])[1 + (i + j) % 4], (i * 7 + j * 31) % 200, (i + j * 13) % 50,
                           (ARRAY['read', 'write', 'admin'])[1 + (i + j) % 3]) FROM generate_series(1, 10) AS j) AS scopes
FROM generate_series(1, 10000) AS i;
CREATE TABLE ten_scope AS SELECT scopes::scope_set AS scopes FROM ten;
SQL
claim "size of a set of 10 scopes, of the same text[]" \
	"$(sql -c "SELECT round(sum(pg_column_size(s.scopes))::numeric / (SELECT sum(pg_column_size(scopes)) FROM ten), 2) FROM ten_scope AS s")" "<=" 0.8 x
published="{https://www.googleapis.com/auth/drive,https://www.googleapis.com/auth/gmail.send,https://graph.microsoft.com/Mail.Read,https://graph.microsoft.com/User.Read,repo,read:org,write:packages,channels:history,chat:write,read:jira-work}"
claim "size of a set of 10 published scopes, of the same text[]" \
	"$(sql -c "SELECT round(pg_column_size(a::scope_set)::numeric / pg_column_size(a), 2) FROM (VALUES ('$published'::text[])) AS v(a)")" "<=" 0.8 x

# An index over sets of 5 to 20; about 500 rows may write to org7/app3.
sql >/dev/null <<'SQL'
CREATE TABLE source AS
SELECT i, ARRAY(SELECT format(CASE j % 5 WHEN 0 THEN 'repo:org%s/*:%3$s' WHEN 1 THEN 'issues:org%s/app%s:%s' ELSE 'repo:org%s/app%s:%s' END,
                              (hashint8(i * 40::bigint + j) & 2147483647) % 1900, (hashint8(i * 50::bigint - j) & 2147483647) % 20,
                              (ARRAY['read', 'write', 'admin'])[1 + (i + j) % 3])
                FROM generate_series(1, 5 + i % 16) AS j) AS scopes
FROM generate_series(1, :rows) AS i;
CREATE TABLE as_scope AS SELECT i, scopes::scope_set AS scopes FROM source;
CREATE TABLE as_text AS SELECT i, scopes::text[] COLLATE "C" AS scopes FROM source;
CREATE TABLE as_ltree AS
SELECT i, ARRAY(SELECT translate(replace(s, '*', 'any'), ':/', '..')::ltree FROM unnest(scopes) AS s) AS scopes FROM source;
DROP TABLE source;
VACUUM ANALYZE as_scope, as_text, as_ltree;
SQL
build() { local began; began=$(date +%s%N); sql -c "$1"; echo $((($(date +%s%N) - began) / 1000000)); }
ours=() theirs=()
for round in 1 2 3; do
	sql -c "DROP INDEX IF EXISTS as_text_gin, as_scope_gin"
	theirs+=("$(build "CREATE INDEX as_text_gin ON as_text USING gin (scopes)")")
	ours+=("$(build "CREATE INDEX as_scope_gin ON as_scope USING gin (scopes)")")
done
median() { printf '%s\n' "$@" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
claim "GIN build, of text[] GIN (collation C)" "$(ratio "$(median "${ours[@]}")" "$(median "${theirs[@]}")")" "<=" 1.3 x
sql -c "CREATE INDEX ON as_ltree USING gist (scopes gist__ltree_ops (siglen = 124))"
sql -c "VACUUM ANALYZE as_scope, as_text, as_ltree"

asked=repo:org7/app3:write
keys="ARRAY['*', 'repo:*', '*:*', 'repo:org7/*', 'repo:*/*', '*:org7/*', '*:*/*', 'repo:org7/app3:*', 'repo:org7/*:*', 'repo:*/app3:*', '*:org7/app3:*',
	'repo:*/*:*', '*:org7/*:*', '*:*/app3:*', '*:*/*:*', 'repo:org7/app3:write', 'repo:org7/*:write', 'repo:*/app3:write', '*:org7/app3:write', 'repo:*/*:write',
	'*:org7/*:write', '*:*/app3:write', '*:*/*:write']"
lqueries="(SELECT array_agg(translate(replace(k, '*', 'any'), ':/', '..')::lquery) FROM unnest($keys) AS k)"
hits=$(sql -c "SELECT count(*) FROM as_scope WHERE scopes @> '$asked'::scope")
for other in "as_text WHERE scopes && $keys" "as_ltree WHERE scopes ? $lqueries"; do
	[ "$(sql -c "SELECT count(*) FROM $other")" = "$hits" ] || { echo "answers differ: $other" >&2; exit 1; }
done
took=$(times "ours=SELECT count(*) FROM as_scope WHERE scopes @> '$asked'::scope" \
	"array=SELECT count(*) FROM as_text WHERE scopes && $keys" "ltree=SELECT count(*) FROM as_ltree WHERE scopes ? $lqueries")
claim "GIN search, who can write to X ($hits hits of $rows)" "$(printf %.2f "$(value ours "$took")")" "<=" 12 ms
claim "GIN search, of text[] GIN with known generalizations" "$(ratio "$(value ours "$took")" "$(value array "$took")")" "<=" 1.5 x
claim "GIN search, faster than ltree[] GiST" "$(ratio "$(value ltree "$took")" "$(value ours "$took")")" ">=" 40 x
dropdb bench_scope
