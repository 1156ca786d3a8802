-- Scopes against a model that shares nothing with them: a pattern is a regular expression, and what it stands for is the
-- list of the concrete scopes that match it.  Exists because the rules look simple and are not: what is claimed of @>,
-- &&, +, -, * is compared with sets that are counted out.
SET search_path = public, steward;
SELECT setseed(0.4242) IS NOT NULL AS seeded;

-- A pattern as a regular expression; the tests use letters and separators only.
CREATE FUNCTION pg_temp.regexp_of(pattern text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT '^' || regexp_replace(regexp_replace(pattern, '(^|(?<=[:/]))\*(?=[:/])', '[^:/]+', 'g'), '\*$', '.+') || '$' $$;
SELECT p, pg_temp.regexp_of(p) FROM (VALUES ('*'), ('a:*'), ('*:a'), ('a:*/b:*'), ('*:*:*'), ('a:b')) AS v(p);

-- All concrete scopes of up to 4 segments of a, b, x (which no pattern has) or nothing, with either separator between.
CREATE TEMP TABLE concrete AS
WITH RECURSIVE c(text, n) AS (
    SELECT s, 1 FROM unnest('{a,b,x,""}'::text[]) AS s
    UNION ALL SELECT text || sep || s, n + 1 FROM c, unnest('{:,/}'::text[]) AS sep, unnest('{a,b,x,""}'::text[]) AS s WHERE n < 4)
SELECT (row_number() OVER (ORDER BY text COLLATE "C"))::int AS id, text FROM c WHERE text <> '';
-- All patterns of up to 3 segments of a, b, * or nothing, and which concrete scopes they match, as bits.
CREATE TEMP TABLE pattern AS
WITH RECURSIVE p(text, n) AS (
    SELECT s, 1 FROM unnest('{a,b,*,""}'::text[]) AS s
    UNION ALL SELECT text || sep || s, n + 1 FROM p, unnest('{:,/}'::text[]) AS sep, unnest('{a,b,*,""}'::text[]) AS s WHERE n < 3)
SELECT (row_number() OVER (ORDER BY text COLLATE "C"))::int AS id, text::scope AS scope,
       (SELECT string_agg((c.text ~ r)::int::text, '' ORDER BY c.id)::bit(2339) FROM concrete AS c) AS matches
FROM p, LATERAL (SELECT pg_temp.regexp_of(p.text) OFFSET 0) AS re(r) WHERE text <> '';
ALTER TABLE pattern ADD PRIMARY KEY (scope);
CREATE FUNCTION pg_temp.nothing(bits bit) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT position(B'1' IN bits) = 0 $$;
SELECT count(*), (SELECT count(*) FROM concrete) AS concrete, count(DISTINCT matches) AS languages FROM pattern;

-- Each pair of patterns, 84,681 of them: covering, overlap, and that the overlap is one pattern.
SELECT count(*) AS pairs, count(*) FILTER (WHERE a.scope @> b.scope) AS covering, count(*) FILTER (WHERE a.scope && b.scope) AS overlapping,
       count(*) FILTER (WHERE (a.scope @> b.scope) <> (b.matches & ~a.matches = b.matches & ~b.matches)) AS wrong_covering,
       count(*) FILTER (WHERE (a.scope && b.scope) = pg_temp.nothing(a.matches & b.matches)) AS wrong_overlaps
FROM pattern AS a, pattern AS b;
SELECT count(*) AS overlaps, count(*) FILTER (WHERE cardinality(both_set) <> 1 OR p.matches IS DISTINCT FROM (a.matches & b.matches)) AS wrong
FROM pattern AS a JOIN pattern AS b ON a.scope && b.scope CROSS JOIN LATERAL (SELECT a.scope::scope_set * b.scope::scope_set) AS o(both_set)
LEFT JOIN pattern AS p ON p.scope = both_set::text::scope;

-- 4,000 pairs of random sets of patterns; the bits of a set are those of its members together.
CREATE FUNCTION pg_temp.random_set(most int) RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(string_agg(scope::text, ' '), '') FROM (SELECT 1 + floor(random() * 291)::int AS id FROM generate_series(1, floor(random() * (most + 1))::int)) AS chosen JOIN pattern USING (id) $$;
CREATE TEMP TABLE trial AS SELECT i, pg_temp.random_set(6)::scope_set AS a, pg_temp.random_set(6)::scope_set AS b FROM generate_series(1, 4000) AS i;
CREATE TEMP TABLE counted AS
SELECT i, what, s, coalesce(bit_or(p.matches), (SELECT matches # matches FROM pattern WHERE id = 1)) AS bits
FROM trial, LATERAL (VALUES ('a', a), ('b', b), ('+', a + b), ('*', a * b)) AS v(what, s) LEFT JOIN LATERAL unnest(s) AS m ON true LEFT JOIN pattern AS p ON p.scope = m GROUP BY i, what, s;
CREATE TEMP TABLE answer AS
SELECT i, a.s AS a, b.s AS b, a.bits AS of_a, b.bits AS of_b, either.bits AS of_either, common.bits AS of_common, a.s @> b.s AS covers, a.s && b.s AS meets
FROM counted AS a JOIN counted AS b USING (i) JOIN counted AS either USING (i) JOIN counted AS common USING (i) WHERE a.what = 'a' AND b.what = 'b' AND either.what = '+' AND common.what = '*';
SELECT count(*) AS trials, count(*) FILTER (WHERE covers) > 200 AS enough_cover, count(*) FILTER (WHERE meets) > 500 AS enough_meet,
       count(*) FILTER (WHERE covers <> pg_temp.nothing(of_b & ~of_a)) AS wrong_covers, count(*) FILTER (WHERE covers <> (b <@ a)) AS wrong_covered,
       count(*) FILTER (WHERE meets = pg_temp.nothing(of_a & of_b)) AS wrong_overlaps, count(*) FILTER (WHERE (a = b) <> (of_a = of_b)) AS wrong_equality,
       count(*) FILTER (WHERE of_either <> (of_a | of_b)) AS wrong_union, count(*) FILTER (WHERE of_common <> (of_a & of_b)) AS wrong_intersection
FROM answer;
SELECT count(*) AS trials, count(*) FILTER (WHERE (a - b)::text[] <> without) AS wrong_difference, count(*) FILTER (WHERE uncovered(a, b)::text[] <> beyond) AS wrong_uncovered
FROM (SELECT a, b, coalesce(array_agg(m::text ORDER BY m) FILTER (WHERE pg_temp.nothing(p.matches & of_b)), '{}') AS without,
             coalesce(array_agg(m::text ORDER BY m) FILTER (WHERE NOT pg_temp.nothing(p.matches & ~of_b)), '{}') AS beyond
      FROM answer LEFT JOIN LATERAL unnest(a) AS m ON true LEFT JOIN pattern AS p ON p.scope = m GROUP BY i, a, b) AS members;
-- What comes out has the one form: it reads back as itself, and no member covers another.
SELECT count(*) AS results, count(*) FILTER (WHERE s::text::scope_set <> s OR s::text::scope_set::text <> s::text) AS not_canonical,
       count(*) FILTER (WHERE EXISTS (SELECT FROM unnest(s) AS x, unnest(s) AS y WHERE x <> y AND x @> y)) AS redundant
FROM counted;
SELECT count(*) AS singles, count(*) FILTER (WHERE (a @> p.scope) <> pg_temp.nothing(p.matches & ~of_a)) AS wrong_covers,
       count(*) FILTER (WHERE (a && p.scope) = pg_temp.nothing(p.matches & of_a)) AS wrong_overlaps
FROM answer, pattern AS p WHERE p.id % 60 = 0;

-- Long scopes, of 1 to 9 segments.  Counting all out is too much here; but a pattern is covered if and only if what it is
-- with an unknown name for each wildcard is matched (for a last one, one name and several), and if two have something in
-- common then so has one of them with its wildcards filled from the other.
CREATE FUNCTION pg_temp.random_scope() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(nullif(string_agg(CASE WHEN n > 1 THEN CASE WHEN random() < 0.8 THEN ':' ELSE '/' END ELSE '' END ||
        CASE WHEN random() < 0.35 THEN '*' WHEN random() < 0.08 THEN '' WHEN random() < 0.85 THEN 'a' ELSE 'b' END, '' ORDER BY n), ''), 'a')
    FROM generate_series(1, 1 + floor(random() * 9)::int) AS n $$;
CREATE FUNCTION pg_temp.instances(pattern text) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN pattern ~ '(^|[:/])\*$' THEN ARRAY(SELECT left(head, -1) || tail FROM unnest('{x,x:x,:,/x,x/:x}'::text[]) AS tail) ELSE ARRAY[head] END
    FROM (SELECT regexp_replace(pattern, '(^|(?<=[:/]))\*(?=[:/])', 'x', 'g')) AS v(head) $$;
-- The instance of a pattern whose wildcards are filled from another: segment by segment, the rest as it is.
CREATE FUNCTION pg_temp.filled(p text, q text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    ps text[] := regexp_split_to_array(p, '[:/]'); qs text[] := regexp_split_to_array(q, '[:/]');
    n int := array_length(ps, 1); result text := ''; at int := 0; qat int;
BEGIN
    FOR i IN 1 .. n LOOP
        IF i = n AND ps[i] = '*' THEN
            -- What the other has from here on, its wildcards given a name.
            qat := 0;
            FOR j IN 1 .. i - 1 LOOP EXIT WHEN j > array_length(qs, 1); qat := qat + length(qs[j]) + 1; END LOOP;
            RETURN result || coalesce(nullif(translate(substr(q, qat + 1), '*', 'x'), ''), 'x');
        END IF;
        result := result || CASE WHEN ps[i] <> '*' THEN ps[i] WHEN i <= array_length(qs, 1) AND qs[i] NOT IN ('*', '') THEN qs[i] ELSE 'x' END;
        at := at + length(ps[i]) + 1;
        result := result || substr(p, at, 1);
    END LOOP;
    RETURN result;
END $$;
CREATE FUNCTION pg_temp.is_in(concrete text, s text[]) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT EXISTS (SELECT FROM unnest(s) AS m WHERE concrete ~ pg_temp.regexp_of(m)) $$;
CREATE TEMP TABLE long AS
SELECT i, a, b, a::text[] AS as_a, b::text[] AS as_b FROM (SELECT i, (SELECT string_agg(pg_temp.random_scope(), ' ') FROM generate_series(1, 1 + i % 3) AS n)::scope_set AS a,
       (SELECT string_agg(pg_temp.random_scope(), ' ') FROM generate_series(1, 1 + i / 3 % 3) AS n)::scope_set AS b FROM generate_series(1, 2000) AS i) AS r;
CREATE TEMP TABLE expected AS
SELECT long.*, NOT EXISTS (SELECT FROM unnest(as_b) AS m, unnest(pg_temp.instances(m)) AS c WHERE NOT pg_temp.is_in(c, as_a)) AS covers,
       EXISTS (SELECT FROM unnest(as_a) AS x, unnest(as_b) AS y, LATERAL unnest(ARRAY[pg_temp.filled(x, y), pg_temp.filled(y, x)]) AS c WHERE c ~ pg_temp.regexp_of(x) AND c ~ pg_temp.regexp_of(y)) AS meets,
       ARRAY(SELECT c FROM unnest(as_a || as_b) AS m, unnest(pg_temp.instances(m)) AS c
             UNION SELECT c FROM unnest(as_a) AS x, unnest(as_b) AS y, LATERAL unnest(ARRAY[pg_temp.filled(x, y), pg_temp.filled(y, x)]) AS c) AS universe
FROM long;
SELECT count(*) > 3000 AS enough, max(array_length(segments(m), 1)) AS longest FROM long, unnest(a) AS m;
SELECT count(*) AS trials, count(*) FILTER (WHERE covers) > 100 AS enough_cover, count(*) FILTER (WHERE meets) > 300 AS enough_meet,
       count(*) FILTER (WHERE covers <> (a @> b)) AS wrong_covers, count(*) FILTER (WHERE meets <> (a && b)) AS wrong_overlaps FROM expected;
SELECT count(*) > 15000 AS enough, count(*) FILTER (WHERE pg_temp.is_in(c, (a + b)::text[]) <> (in_a OR in_b)) AS wrong_union,
       count(*) FILTER (WHERE pg_temp.is_in(c, (a * b)::text[]) <> (in_a AND in_b)) AS wrong_intersection,
       count(*) FILTER (WHERE (a @> c::scope) <> in_a) AS wrong_covers, count(*) FILTER (WHERE (a && c::scope) <> in_a) AS wrong_overlaps
FROM expected, unnest(universe) AS c, LATERAL (SELECT pg_temp.is_in(c, as_a), pg_temp.is_in(c, as_b) OFFSET 0) AS m(in_a, in_b);
SELECT count(*) AS trials, count(*) FILTER (WHERE (a - b)::text[] <> ARRAY(SELECT x FROM unnest(as_a) AS x WHERE NOT EXISTS (SELECT FROM unnest(as_b) AS y, LATERAL unnest(ARRAY[pg_temp.filled(x, y), pg_temp.filled(y, x)]) AS c
       WHERE c ~ pg_temp.regexp_of(x) AND c ~ pg_temp.regexp_of(y)) ORDER BY x COLLATE "C")) AS wrong_difference FROM expected;
