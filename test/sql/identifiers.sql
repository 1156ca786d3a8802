-- uuid7() is RFC 9562 version 7: its time is now, its version and variant are right, and within a session each is greater
-- than the one before, however fast they are made.
CREATE TEMP TABLE made AS SELECT n, steward.uuid7() AS id FROM generate_series(1, 100000) AS n;
SELECT count(*) AS not_greater FROM (SELECT id, lag(id) OVER (ORDER BY n) AS before FROM made) m WHERE id <= before;
SELECT count(DISTINCT id) AS different, bool_and(substr(id::text, 15, 1) = '7') AS version_7, bool_and(substr(id::text, 20, 1) IN ('8', '9', 'a', 'b')) AS variant_of_rfc
FROM made;
SELECT bool_and(abs(extract(epoch FROM clock_timestamp()) * 1000 - ('x' || lpad(replace(left(id::text, 13), '-', ''), 16, '0'))::bit(64)::bigint) < 60000) AS time_is_now
FROM made;
-- A parallel worker makes its own.
SELECT provolatile, proparallel FROM pg_proc WHERE oid = 'steward.uuid7()'::regprocedure;
