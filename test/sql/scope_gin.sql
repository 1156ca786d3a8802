-- The index over sets of scopes: whatever is asked and however the index came to be, it answers as reading every row
-- does; and the planner takes it when few rows are meant and leaves it when most are.
SET search_path = public, steward;
SET max_parallel_workers_per_gather = 0;
SELECT setseed(0.17) IS NOT NULL AS seeded;
CREATE FUNCTION pg_temp.random_scope(most int) RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(nullif(string_agg(CASE WHEN n > 1 THEN CASE WHEN random() < 0.85 THEN ':' ELSE '/' END ELSE '' END ||
        CASE WHEN random() < 0.2 THEN '*' WHEN random() < 0.06 THEN '' ELSE chr(97 + floor(random() * 4)::int) END, '' ORDER BY n), ''), 'a')
    FROM generate_series(1, 1 + floor(random() * most)::int) AS n $$;
CREATE FUNCTION pg_temp.random_set(most int, segments int) RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(string_agg(pg_temp.random_scope(segments + n * 0), ' '), '') FROM generate_series(1, floor(random() * (most + 1))::int) AS n $$;

CREATE TABLE scope_gin (id serial, s scope_set);
CREATE TABLE scope_gin_question (n serial, operator text, kind text, asked text);
INSERT INTO scope_gin_question (operator, kind, asked)
SELECT op, 'scope', pg_temp.random_scope(1 + i % 8) FROM unnest('{@>,&&,<@}'::text[]) AS op, generate_series(1, 60) AS i
UNION ALL SELECT op, 'scope_set', pg_temp.random_set(1 + i % 4, 1 + i % 7) FROM unnest('{@>,&&,<@,=}'::text[]) AS op, generate_series(1, 60) AS i;
INSERT INTO scope_gin_question (operator, kind, asked)
SELECT op, kind, asked FROM unnest('{@>,&&,<@,=}'::text[]) AS op, (VALUES
    ('scope', '*'), ('scope', 'a:*'), ('scope', '*:a'), ('scope', 'a'), ('scope', ':'), ('scope', 'a:'), ('scope', 'a:b:c:d:a:b'), ('scope', 'a:b:c:d:a:*'), ('scope', 'a:b:c:d:a:b:*'),
    ('scope', 'a:b:c:d:a:b:c'), ('scope', 'a:b:c:d:a:b:c:d'), ('scope', 'a:b:c:d:a:*:c:d'), ('scope', '*:b:c:d:a:*:c:*'), ('scope', 'nobody:has:this'),
    ('scope_set', ''), ('scope_set', 'a b'), ('scope_set', '*'), ('scope_set', 'a:b:c:d:a:b:c:d b')) AS v(kind, asked) WHERE op <> '=' OR kind = 'scope_set';
-- More asked scopes than get keys of their own, literal ones and not.
INSERT INTO scope_gin_question (operator, kind, asked)
SELECT op, 'scope_set', asked FROM unnest('{@>,&&,<@,=}'::text[]) AS op, (SELECT string_agg(DISTINCT chr(97 + i % 4) || ':' || chr(97 + i % 5) || ':' || chr(97 + i % 3), ' ') FROM generate_series(1, 60) AS i
    UNION ALL SELECT string_agg(DISTINCT '*:' || chr(97 + i % 4) || ':' || chr(97 + i % 5), ' ') FROM generate_series(1, 60) AS i UNION ALL SELECT string_agg('z' || i, ' ') FROM generate_series(1, 40) AS i) AS v(asked);
-- Sets that are in the table, for =.
CREATE FUNCTION pg_temp.fill(rows int) RETURNS void LANGUAGE sql AS $$
    INSERT INTO scope_gin (s) SELECT pg_temp.random_set(4, 1 + i % 9)::scope_set FROM generate_series(1, rows) AS i;
    INSERT INTO scope_gin (s) VALUES (NULL), (''), ('a'), ('*'), ('a:b:c:d:a:b:c:d'), ('a:b:c:d:a:b:*'), ('a:b:c:d:a:*'), ('a:b:c:d:a:*:c:d'), ('a:b:c:d:a:b c'),
        ((SELECT string_agg('z' || i, ' ') FROM generate_series(1, 40) AS i)::scope_set);
    INSERT INTO scope_gin (s) SELECT asked::scope_set FROM scope_gin_question WHERE operator = '=' $$;

-- The rows that a question means, by the index or by reading all.
CREATE FUNCTION pg_temp.ask(q scope_gin_question, by_index boolean, OUT ids int[], OUT used boolean) LANGUAGE plpgsql AS $$
DECLARE query text := format('SELECT id FROM scope_gin WHERE s OPERATOR(steward.%s) %L::steward.%s', q.operator, q.asked, q.kind); plan text;
BEGIN
    PERFORM set_config('enable_seqscan', (NOT by_index)::text, true), set_config('enable_bitmapscan', by_index::text, true);
    EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
    EXECUTE format('SELECT array_agg(id ORDER BY id) FROM (%s) AS r', query) INTO ids;
    used := plan ~ 'Bitmap Index Scan';
END $$;
CREATE FUNCTION pg_temp.compare(OUT questions bigint, OUT with_index bigint, OUT without_index bigint, OUT with_answers boolean, OUT wrong text) LANGUAGE sql VOLATILE AS $$
    SELECT count(*), count(*) FILTER (WHERE i.used), count(*) FILTER (WHERE NOT t.used), count(*) FILTER (WHERE t.ids IS NOT NULL) > 200,
           string_agg(concat_ws(' ', q.operator, q.kind, q.asked), ', ') FILTER (WHERE i.ids IS DISTINCT FROM t.ids)
    FROM scope_gin_question AS q, LATERAL pg_temp.ask(q, true) AS i, LATERAL pg_temp.ask(q, false) AS t $$;

-- Built over rows; with rows inserted into its pending list; merged from it; after updates and deletions.
SELECT pg_temp.fill(1500);
CREATE INDEX scope_gin_idx ON scope_gin USING gin (s) WITH (fastupdate = on);
SELECT * FROM pg_temp.compare();
SELECT pg_temp.fill(400);
SELECT * FROM pg_temp.compare();
SELECT gin_clean_pending_list('scope_gin_idx') > 0 AS merged;
SELECT * FROM pg_temp.compare();
UPDATE scope_gin SET s = s + 'a:d' WHERE id % 5 = 0;
DELETE FROM scope_gin WHERE id % 3 = 0;
VACUUM scope_gin;
SELECT * FROM pg_temp.compare();
-- Inserted without a pending list, into an index that was empty.
TRUNCATE scope_gin;
ALTER INDEX scope_gin_idx SET (fastupdate = off);
SELECT pg_temp.fill(1000);
SELECT * FROM pg_temp.compare();

-- A few rows of keys that prove the answer need no second look; the sixth segment does.
CREATE FUNCTION pg_temp.looked_again(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; result text := 'none removed';
BEGIN
    SET LOCAL enable_seqscan = off;
    FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) ' || query LOOP IF line ~ 'Removed by Index Recheck' THEN result := 'some removed'; END IF; END LOOP;
    RETURN result;
END $$;
SELECT pg_temp.looked_again($$SELECT * FROM scope_gin WHERE s @> 'a:b'::scope$$) AS exact, pg_temp.looked_again($$SELECT * FROM scope_gin WHERE s @> 'a:b:c:d:a:b:c:e'::scope$$) AS cut;

-- What the planner does: 1,000 of 100,000 rows by the index, 90,000 by reading all; and what it expects is near.
CREATE TABLE scope_gin_plan AS
SELECT i, (CASE WHEN i % 100 = 0 THEN 'rare:' || i % 7 || ' ' ELSE '' END || CASE WHEN i % 10 <> 0 THEN 'common:read ' ELSE 'other:read ' END || 'own:' || i % 5000 || ':*')::scope_set AS s
FROM generate_series(1, 100000) AS i;
CREATE INDEX ON scope_gin_plan USING gin (s);
VACUUM ANALYZE scope_gin_plan;
CREATE FUNCTION pg_temp.choice(query text, OUT plan text, OUT expected_rows text) LANGUAGE plpgsql AS $$
DECLARE p json; expected float8; actual float8;
BEGIN
    EXECUTE 'EXPLAIN (ANALYZE, FORMAT json) ' || query INTO p;
    plan := CASE WHEN p::text ~ 'Bitmap Index Scan' THEN 'index' ELSE 'all rows' END;
    expected := greatest((p -> 0 -> 'Plan' ->> 'Plan Rows')::float8, 1); actual := greatest((p -> 0 -> 'Plan' ->> 'Actual Rows')::float8, 1);
    -- A sample of 30,000 rows tells much about what is common, less about what is rare.
    expected_rows := CASE WHEN greatest(expected / actual, actual / expected) <= CASE WHEN actual > 10000 THEN 1.5 ELSE 20 END THEN 'near' ELSE format('%s, not %s', expected, actual) END;
END $$;
SELECT n, condition, (pg_temp.choice('SELECT * FROM scope_gin_plan WHERE s ' || condition)).* FROM (VALUES
    (1, $$@> 'common:read'::scope$$), (2, $$@> 'common:read'$$), (3, $$&& 'common:*'$$), (4, $$&& 'common:*'::scope$$), (5, $$&& '*'$$),
    (6, $$@> 'rare:3'::scope$$), (7, $$@> 'rare:3'$$), (8, $$&& 'rare:*'$$), (9, $$&& 'rare:*'::scope$$), (10, $$@> 'own:77:x'::scope$$), (11, $$&& 'own:77:x'$$), 
    (13, $$<@ 'common:read own:*'$$), (14, $$<@ 'own:77:x nobody'$$), (15, $$@> 'common:read own:77:*'$$), (16, $$= 'common:read own:77:*'$$)) AS v(n, condition) ORDER BY n;
SELECT (pg_temp.choice($$SELECT * FROM scope_gin_plan WHERE 'rare:3'::scope <@ s$$)).*;
SELECT (pg_temp.choice($$SELECT * FROM scope_gin_plan WHERE 'common:read'::scope <@ s$$)).*;
CREATE FUNCTION pg_temp.index_shape(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE plan text; BEGIN EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan; RETURN CASE WHEN plan ~ 'Bitmap Index Scan' THEN 'index' ELSE 'all rows' END; END $$;

-- A join: for a few asked scopes the index is looked into once each.
CREATE TABLE scope_gin_asked AS SELECT format('own:%s:x', i)::scope AS asked FROM generate_series(1, 20) AS i;
ANALYZE scope_gin_asked;
SELECT (pg_temp.choice('SELECT * FROM scope_gin_asked JOIN scope_gin_plan ON s @> asked')).*;
SELECT (pg_temp.choice('SELECT * FROM scope_gin_asked JOIN scope_gin_plan ON asked <@ s')).*;

-- What statistics there are: keys with their frequencies, and how many members sets have.
SELECT most_common_elems::text::text[] @> '{common:read,other:read,rare:3}' AS keys, round(elem_count_histogram[array_length(elem_count_histogram, 1)]::numeric, 1) AS average FROM pg_stats WHERE tablename = 'scope_gin_plan' AND attname = 's';

-- Under row-level security a condition is used before the policy only when it can tell nothing: @>, <@, && and = are so.
CREATE ROLE scope_gin_reader;
GRANT SELECT ON scope_gin_plan TO scope_gin_reader;
ALTER TABLE scope_gin_plan ENABLE ROW LEVEL SECURITY;
CREATE POLICY even ON scope_gin_plan USING (i % 200 = 0);
SELECT pg_catalog.set_config('role', 'scope_gin_reader', false) IS NOT NULL AS became_reader;
SELECT condition, pg_temp.index_shape('SELECT * FROM scope_gin_plan WHERE s ' || condition) AS plan
FROM (VALUES (1, $$@> 'rare:3'$$), (2, $$@> 'rare:3'::scope$$), (3, $$&& 'rare:3'$$), (4, $$= 'common:read own:77:*'$$), (5, $$<@ 'own:77:x nobody'$$)) AS v(n, condition) ORDER BY n;
SELECT count(*) FROM scope_gin_plan WHERE s @> 'rare:3'::scope;
RESET ROLE;
DROP FUNCTION pg_temp.compare, pg_temp.ask;
DROP TABLE scope_gin, scope_gin_question, scope_gin_plan, scope_gin_asked;
DROP ROLE scope_gin_reader;
