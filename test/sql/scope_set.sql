-- The type scope_set: canonical form, operators, casts, aggregates, limits.  Exists because equality, joins, indexes and
-- "who can do X" all stand on sets having one form only.
SET search_path = public, steward;
CREATE FUNCTION pg_temp.refusal(statement text, OUT code text, OUT message text, OUT detail text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    message := 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
END $$;

-- One form: sorted, without duplicates and members that another covers; the same set is the same bytes.
SELECT n, s::scope_set, cardinality(s::scope_set), s::scope_set::text::scope_set = s::scope_set AS fixed_point
FROM (VALUES (1, ''), (2, 'b a'), (3, 'a a'), (4, 'a:b a:*'), (5, '* a b:c'), (6, '  a   b '), (7, 'a:*:c a:b:c a:b:d'), (8, 'a:* *:b a:b'),
    (9, 'repo:acme/a:read repo:acme/b:read repo:acme/*:read'), (10, 'x:* x: x:: x'), (11, 'a:*:c a:*')) AS v(n, s) ORDER BY n;
SELECT 'a b c'::scope_set = 'c b a a'::scope_set AS equal, 'a b'::scope_set <> 'a'::scope_set AS unequal, 'a:* a:b'::scope_set = 'a:*'::scope_set AS covered;

-- Where a member is not a scope, the byte is that of the whole text, or that of the element.
SELECT n, (pg_temp.refusal(format('SELECT %L::scope_set', s))).*
FROM (VALUES (1, 'a s3:Get*'), (2, 'a "b"'), (3, E'a\tb'), (4, E'a\n'), (5, U&'a \00E9'), (6, E'a b\\'), (7, 'a ' || repeat('b', 256)), (8, 'a,*b')) AS v(n, s) ORDER BY n;
SELECT (pg_temp.refusal(s)).* FROM (VALUES
    (1, $$SELECT ARRAY['a', 'b*']::scope_set$$), (2, $$SELECT ARRAY['a', NULL]::scope_set$$), (3, $$SELECT ARRAY['a b']::scope_set$$), (4, $$SELECT ARRAY['a', '']::scope_set$$),
    (5, $$SELECT 'a b*'::text::scope_set$$)) AS v(n, s) ORDER BY n;

-- At most 1,000 members, counted when duplicates and what is covered are gone; a list may name more.
SELECT cardinality(string_agg(format('a:%s', i), ' ')::scope_set) FROM generate_series(1, 1000) AS i;
SELECT (pg_temp.refusal($$SELECT string_agg(format('a:%s', i), ' ')::scope_set FROM generate_series(1, 1001) AS i$$)).*;
SELECT (pg_temp.refusal($$SELECT array_agg(format('a:%s', i))::scope_set FROM generate_series(1, 1001) AS i$$)).*;
SELECT (pg_temp.refusal($$SELECT string_agg(format('*:%s', i), ' ')::scope_set FROM generate_series(1, 1001) AS i$$)).*;
SELECT (string_agg(format('a:%s', i), ' ') || ' a:*')::scope_set FROM generate_series(1, 1001) AS i;
SELECT (string_agg('a:b', ' '))::scope_set FROM generate_series(1, 5000) AS i;
SELECT (pg_temp.refusal($$SELECT (repeat('a ', 65536))::scope_set$$)).*;
SELECT (pg_temp.refusal($$SELECT array_fill('a'::text, ARRAY[65536])::scope_set$$)).*;
SELECT (pg_temp.refusal($$SELECT (SELECT string_agg(format('a:%s', i), ' ')::scope_set FROM generate_series(1, 600) AS i) + (SELECT string_agg(format('b:%s', i), ' ')::scope_set FROM generate_series(1, 401) AS i)$$)).*;
SELECT cardinality((SELECT string_agg(format('a:%s', i), ' ')::scope_set FROM generate_series(1, 600) AS i) + (SELECT string_agg(format('a:%s', i), ' ')::scope_set FROM generate_series(201, 1000) AS i));

-- An intersection is never cut short: 100 times 100 overlaps, or one of 401 bytes, are refused, unless another covers them.
SELECT (pg_temp.refusal($$SELECT (SELECT string_agg(format('s%s:*:z', i), ' ')::scope_set FROM generate_series(1, 100) AS i) * (SELECT string_agg(format('*:t%s:z', i), ' ')::scope_set FROM generate_series(1, 100) AS i)$$)).*;
SELECT cardinality((SELECT string_agg(format('s%s:*:z', i), ' ')::scope_set FROM generate_series(1, 10) AS i) * (SELECT string_agg(format('*:t%s:z', i), ' ')::scope_set FROM generate_series(1, 100) AS i));
SELECT (pg_temp.refusal(format('SELECT %L::scope_set * %L', '*:' || repeat('b', 200), repeat('a', 200) || ':*'))).*;
SELECT length((('*:' || repeat('b', 127))::scope_set * (repeat('a', 127) || ':*')::scope_set)::text) AS longest;

-- Operators.
SELECT a, b, a::scope_set @> b::scope_set AS covers, b::scope_set <@ a::scope_set AS covered, a::scope_set && b::scope_set AS overlaps,
       a::scope_set + b::scope_set AS "+", a::scope_set * b::scope_set AS "*", a::scope_set - b::scope_set AS "-", uncovered(a::scope_set, b::scope_set)
FROM (VALUES (1, 'a:* b', 'a:x b'), (2, 'a:x b', 'a:*'), (3, '', ''), (4, 'a', ''), (5, '', 'a'), (6, '*', 'a:b'), (7, 'a:*', '*:b'), (8, 'a:*:c', '*:b:*'),
    (9, 'repo:acme/*', 'repo:*/api:read repo:acme/web:*'), (10, 'a:b', 'a/b'), (11, 'a: b', 'a:* *')) AS v(n, a, b) ORDER BY n;
SELECT 'a:* b'::scope_set @> 'a:x'::scope AS set_scope, 'a:*'::scope @> 'a:b a:c'::scope_set AS scope_set, 'a:x'::scope <@ 'a:* b'::scope_set AS scope_in_set,
       'a:b a:c'::scope_set <@ 'a:*'::scope AS set_in_scope, 'a:b'::scope_set && '*:b'::scope AS set_meets_scope, '*:b'::scope && 'a:b'::scope_set AS scope_meets_set,
       'a:* b'::scope_set @> 'c'::scope AS no, 'c'::scope <@ 'a:* b'::scope_set AS no, 'a'::scope @> 'a b'::scope_set AS no, 'a'::scope @> ''::scope_set AS empty;
SELECT 'a'::scope_set + 'b'::scope AS set_and_scope, 'a'::scope + 'b'::scope AS scopes, 'a:* b'::scope_set - 'b'::scope AS without, 'a:*'::scope * '*:b'::scope AS common;
SELECT s FROM unnest(ARRAY['b', 'a b', 'a', '', 'a:b', '*', 'a c', 'B']::scope_set[]) AS s ORDER BY s;
SELECT 'a'::scope_set < 'b' AND 'a'::scope_set <= 'a' AND 'b'::scope_set > 'a z' AND 'b'::scope_set >= 'b' AS ordered,
       scope_set_cmp('a b', 'a b') = 0 AND scope_set_cmp('a', 'a b') < 0 AS compares, scope_set_hash('b a') = scope_set_hash('a b') AS hashes,
       scope_set_hash_extended('a b', 0) <> scope_set_hash_extended('a b', 1) AS seeded;
SELECT a.s FROM (VALUES ('a b'::scope_set), ('c')) AS a(s) JOIN (VALUES ('b a'::scope_set)) AS b(s) USING (s);

-- Casts, members, aggregates.
SELECT '{b,a}'::text[]::scope_set, 'b a'::scope_set::text[], ''::scope_set::text[], '{}'::text[]::scope_set = '' AS empty, 'a b'::scope_set::text, 'a'::scope::scope_set;
SELECT member, pg_typeof(member) FROM unnest('c:* a b'::scope_set) AS member;
SELECT count(*) FROM unnest(''::scope_set);
SELECT scope_union(s), scope_intersection(s) FROM (VALUES ('a:* b'::scope_set), ('a:x c'), (NULL), ('*:x')) AS v(s);
SELECT scope_union(s), scope_union(s) FILTER (WHERE false) AS none, scope_intersection(s) FROM (VALUES ('a:b'::scope), ('a:*')) AS v(s);

-- Sets that are too large for a page keep their value, and are read through compression and TOAST.
CREATE TEMP TABLE large (n int, s scope_set);
INSERT INTO large SELECT n, (SELECT string_agg(md5(format('%s %s', i, n)) || ':' || repeat(md5(i::text), 5), ' ')::scope_set FROM generate_series(1, 1000) AS i) FROM generate_series(1, 3) AS n;
SELECT count(*), count(DISTINCT s), min(cardinality(s)), bool_and(s @> (s::text::scope_set)), bool_and(s @> (md5('7 ' || n) || ':' || repeat(md5('7'), 5))::scope) FROM large;
SELECT a.n, b.n FROM large AS a JOIN large AS b ON a.s = b.s ORDER BY 1;
SELECT n FROM large ORDER BY s > '0', n;

-- unnest() tells the planner how many rows come: of a constant, or on average.
CREATE FUNCTION pg_temp.expected(query text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE plan json; BEGIN EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan; RETURN plan -> 0 -> 'Plan' ->> 'Plan Rows'; END $$;
CREATE TABLE scope_set_counted AS SELECT CASE WHEN i % 2 = 0 THEN 'a b c'::scope_set ELSE 'a b c d e'::scope_set END AS s FROM generate_series(1, 1000) AS i;
SELECT pg_temp.expected($$SELECT * FROM unnest('a b c'::scope_set)$$) AS of_a_constant, pg_temp.expected('SELECT unnest(s) FROM scope_set_counted') AS unknown;
ANALYZE scope_set_counted;
SELECT pg_temp.expected('SELECT unnest(s) FROM scope_set_counted') AS analyzed;
DROP TABLE scope_set_counted;

-- A column of sets can be primary key, be grouped by hash and be aggregated in parallel.
CREATE TABLE scope_set_kept (s scope_set PRIMARY KEY);
INSERT INTO scope_set_kept SELECT format('a:%s b:%s', i, i % 10)::scope_set FROM generate_series(1, 5000) AS i;
ANALYZE scope_set_kept;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
CREATE FUNCTION pg_temp.workers(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE plan text; BEGIN EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan; RETURN plan ~ 'Partial' AND plan ~ 'Gather'; END $$;
SELECT pg_temp.workers($$SELECT scope_union(s * 'b:*'), scope_intersection(s + 'c') FROM scope_set_kept$$) AS parallel;
SELECT scope_union(s * 'b:*'), scope_intersection(s + 'c') FROM scope_set_kept;
SELECT count(*) FROM scope_set_kept WHERE s @> 'b:7';
DROP TABLE scope_set_kept;

-- What the operators are declared to be: complete, and LEAKPROOF where no value can make them raise.
SELECT oprname, oprleft::regtype, oprright::regtype, provolatile = 'i' AND proisstrict AND proparallel = 's' AS pure, proleakproof AS leakproof, oprcom <> 0 AS commutator, oprnegate <> 0 AS negator,
       oprrest <> 0 AS restrict, oprjoin <> 0 AS "join", obj_description(o.oid, 'pg_operator') IS NOT NULL AND obj_description(p.oid, 'pg_proc') IS NOT NULL AS commented
FROM pg_operator AS o JOIN pg_proc AS p ON p.oid = oprcode WHERE oprleft IN ('scope'::regtype, 'scope_set'::regtype) ORDER BY oprname COLLATE "C", oprleft::regtype::text COLLATE "C", oprright::regtype::text COLLATE "C";
SELECT opcname, amname, opcdefault, amvalidate(c.oid) AS valid, obj_description(c.oid, 'pg_opclass') IS NOT NULL AS commented FROM pg_opclass AS c JOIN pg_am AS a ON a.oid = opcmethod
WHERE opcintype IN ('scope'::regtype, 'scope_set'::regtype) ORDER BY opcname COLLATE "C";
SELECT castsource::regtype, casttarget::regtype, castcontext, obj_description(oid, 'pg_cast') IS NOT NULL AS commented FROM pg_cast
WHERE castsource IN ('scope'::regtype, 'scope_set'::regtype) OR casttarget IN ('scope'::regtype, 'scope_set'::regtype) ORDER BY castsource::regtype::text COLLATE "C", casttarget::regtype::text COLLATE "C";
SELECT proname FROM pg_proc WHERE pronamespace = 'steward'::regnamespace AND proname ~ 'scope|^(segments|cardinality|uncovered|unnest|text|text_array)$' AND prosrc ~ '^steward_scope'
       AND (obj_description(oid, 'pg_proc') IS NULL OR NOT has_function_privilege('public', oid, 'EXECUTE'));
