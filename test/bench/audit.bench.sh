#!/bin/bash
# What auditing, sealing and verifying cost, each beside what it is compared with, in turns, in one run.  Prints a line for
# each claim, its fields separated by tabs: claim, measured, <= or >=, bound, unit.  Runs inside tools/with-cluster; commits
# wait for the disk only with STEWARD_FSYNC=on.
set -euo pipefail

rows=${BENCH_ROWS:-100000}
rounds=${BENCH_ROUNDS:-3}
seconds=${BENCH_SECONDS:-2}
writers=${BENCH_WRITERS:-8}
events=${BENCH_EVENTS:-1000000}
db=steward_bench_audit
here=$(cd "$(dirname "$0")" && pwd)
dropdb --if-exists "$db" 2>/dev/null
createdb "$db"
trap 'dropdb "$db" 2>/dev/null || true' EXIT
sql() { psql -X -q -At -v ON_ERROR_STOP=1 -d "$db" "$@"; }
claim() { printf '%s\t%s\t%s\t%s\t%s\n' "$@"; }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
div() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f", a / b }'; }
# milliseconds that a statement takes
time_of() { sql -c '\timing on' -c "$1" | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | tail -n 1; }

sql -f "$here/audit_baselines.sql" >/dev/null
for table in plain ours_row ours_set plpgsql; do
	sql -c "INSERT INTO $table SELECT g, md5(g::text), g, now(), repeat('x', 120), g % 7, md5((g * 2)::text) FROM generate_series(1, $rows) g" >/dev/null
done
org=$(sql -c "SELECT id FROM steward.organization")

# One UPDATE of many rows, three columns of seven; tables and log are emptied of dead rows in between.
update() { echo "UPDATE $1 SET amount = amount + 1, state = 'round $2', at = now()"; }
for round in $(seq "$rounds"); do
	for table in plain ours_row ours_set plpgsql; do
		sql -c "VACUUM $table" -c CHECKPOINT
		wal=$(sql -c 'SELECT pg_current_wal_insert_lsn()')
		time_of "$(update "$table" "$round")" >>"$STEWARD_BASE/bench.$table"
		sql -c "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '$wal') / $rows" >>"$STEWARD_BASE/bench.wal.$table"
	done
done
# A ratio for each round, and the middle one of them.
ratio() { paste "$STEWARD_BASE/bench.$1" "$STEWARD_BASE/bench.$2" | awk '{ print $1 / $2 }' | median | xargs printf '%.2f'; }
claim "bulk UPDATE of $rows rows, an event a row: time over no trigger" "$(ratio ours_row plain)" '<=' 2.3 x
claim "the same: added time over that of a PL/pgSQL trigger with old and new jsonb" \
	"$(paste "$STEWARD_BASE"/bench.{ours_row,plpgsql,plain} | awk '{ print ($1 - $3) / ($2 - $3) }' | median | xargs printf '%.2f')" '<=' 0.333 x
claim "bulk UPDATE of $rows rows, an event a statement: time over no trigger" "$(ratio ours_set plain)" '<=' 1.4 x
claim "WAL of an event, bulk UPDATE" "$(paste "$STEWARD_BASE"/bench.wal.{ours_row,plain} | awk '{ print $1 - $2 }' | median | xargs printf '%.0f')" '<=' 450 bytes

# Transactions of one row: latency with and without, in turns.
bench() { pgbench -n -M prepared -c "$1" -j 2 -T "$seconds" -f "$2" "${@:3}" "$db" 2>/dev/null | sed -n 's/^tps = \([0-9.]*\) .*/\1/p'; }
for table in plain ours_row; do
	for sync in on off; do
		printf '\\set id random(1, %s)\nSET synchronous_commit = %s;\n' "$rows" "$sync" >"$STEWARD_BASE/prepare.$sync"
		printf '\\set id random(1, %s)\nUPDATE %s SET amount = amount + 1 WHERE id = :id;\n' "$rows" "$table" >"$STEWARD_BASE/one.$table"
	done
done
for round in $(seq "$rounds"); do
	for sync in on off; do
		for table in plain ours_row; do
			PGOPTIONS="-c synchronous_commit=$sync" bench 1 "$STEWARD_BASE/one.$table" >>"$STEWARD_BASE/bench.one.$sync.$table"
		done
	done
done
one() { paste "$STEWARD_BASE/bench.one.$1.plain" "$STEWARD_BASE/bench.one.$1.ours_row" | awk '{ print $1 / $2 }' | median | xargs printf '%.2f'; }
claim "one-row UPDATE with synchronous commit: latency over no trigger" "$(one on)" '<=' 1.2 x
claim "one-row UPDATE without: latency over no trigger" "$(one off)" '<=' 1.25 x

# Writers beside a sealer that never stops, and beside a chain whose head every transaction locks.
printf '\\set id random(1, %s)\nSELECT steward.record_event(%s, org => %s);\n' "$rows" "'bench.event'" "'$org'" >"$STEWARD_BASE/write"
printf '\\set id random(1, %s)\nBEGIN;\nUPDATE ours_row SET amount = amount + 1 WHERE id = :id;\nEND;\n' "$rows" >"$STEWARD_BASE/write"
printf '\\set id random(1, %s)\nBEGIN;\nUPDATE ours_row SET amount = amount + 1 WHERE id = :id;\nSELECT chain_append();\nEND;\n' "$rows" >"$STEWARD_BASE/chain"
sql -c 'SELECT count(*) FROM steward.seal_audit()' >/dev/null
for round in $(seq "$rounds"); do
	bench "$writers" "$STEWARD_BASE/write" >>"$STEWARD_BASE/bench.alone"
	(while sql -c 'SELECT count(*) FROM steward.seal_audit()' -c 'SELECT pg_sleep(0.2)' >/dev/null; do :; done) &
	sealer=$!
	bench "$writers" "$STEWARD_BASE/write" >>"$STEWARD_BASE/bench.sealing"
	kill "$sealer"; wait "$sealer" 2>/dev/null || true
	bench "$writers" "$STEWARD_BASE/chain" >>"$STEWARD_BASE/bench.chain"
done
claim "$writers writers while sealing: throughput over that without" "$(ratio sealing alone)" '>=' 0.9 x
claim "$writers writers while sealing: throughput over a chain with a locked head" "$(ratio sealing chain)" '>=' 2.5 x

# Sealing and verifying, one core.
sql -c 'SELECT count(*) FROM steward.seal_audit()' >/dev/null
sql -c "INSERT INTO bulk SELECT g, md5(g::text), g, now(), repeat('x', 100) FROM generate_series(1, $events) g" -c 'VACUUM' >/dev/null
sql -c 'SET jit = off' -c "SELECT count(*) FROM steward.audit_event WHERE table_name = 'public.bulk'" >/dev/null
took=$(time_of 'SELECT count(*) FROM steward.seal_audit()')
claim "sealing: events a second and core" "$(div "$events" "$(div "$took" 1000)" | xargs printf '%.0f')" '>=' 1000000 events/s
all=$(sql -c 'SELECT sum(size) FROM steward.audit_log_state')
took=$(time_of "SELECT count(*) FROM steward.verify_audit(full => true)")
claim "verify_audit(full => true): events a second" "$(div "$all" "$(div "$took" 1000)" | xargs printf '%.0f')" '>=' 500000 events/s
[ "$(sql -c "SELECT string_agg(finding, ' ') FROM steward.verify_audit(full => true)")" = ok ]

# Proofs: as many tiles are read for any log of 65,537 to 16,777,216 leaves.
event=$(sql -c "SELECT event FROM steward.audit WHERE row_key = '{\"id\": 4711}' AND table_name = 'public.bulk'")
echo "SELECT proof FROM steward.inclusion_proof('$event', org => '$org');" >"$STEWARD_BASE/proof"
claim "inclusion proof, one event of $all" "$(pgbench -n -c 1 -T "$seconds" -f "$STEWARD_BASE/proof" "$db" 2>/dev/null | sed -n 's/^latency average = \([0-9.]*\) ms/\1/p')" '<=' 1 ms
