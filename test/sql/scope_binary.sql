-- The binary forms of scope and scope_set: what goes out comes back, and hostile input is refused with the byte where it
-- begins to be wrong, never a crash and never a value that text would not give.  test/fuzz tries many more.
SET search_path = public, steward;
CREATE TEMP TABLE got_scope (v scope);
CREATE TEMP TABLE got_scope_set (v scope_set);
-- A value as a client sends it: COPY's binary format, with these bytes in its one field.
CREATE FUNCTION pg_temp.receive(kind text, field bytea, OUT value text, OUT code text, OUT detail text) LANGUAGE plpgsql AS $$
DECLARE file bytea := '\x5047434f50590aff0d0a0000000000000000000001'::bytea || int4send(length(field)) || field || '\xffff'::bytea;
BEGIN
    EXECUTE format('COPY pg_temp.got_%s FROM PROGRAM %L (FORMAT binary)', kind, 'echo ' || translate(encode(file, 'base64'), E'\n', '') || ' | base64 -d');
    EXECUTE format('DELETE FROM pg_temp.got_%s RETURNING v::text', kind) INTO value;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, value = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
END $$;

SELECT scope_send('repo:*'), scope_set_send('b:* a'), scope_set_send('');
SELECT left(s, 20) AS value, (pg_temp.receive('scope', scope_send(s::scope))).value = s AS same FROM (VALUES ('a'), ('repo:*'), ('https://x/'), (repeat('a', 255))) AS v(s);
SELECT left(s, 20) AS value, (pg_temp.receive('scope_set', scope_set_send(s::scope_set))).value = s AS same FROM (VALUES (''), ('a'), ('a:* b c:*:d'), (repeat('a', 255))) AS v(s);
SELECT (pg_temp.receive('scope_set', scope_set_send(string_agg(format('m%s', i), ' ')::scope_set))).value::scope_set = string_agg(format('m%s', i), ' ')::scope_set AS thousand
FROM generate_series(1, 300) AS i;
-- Any order will do, and what is covered goes.
SELECT value FROM pg_temp.receive('scope_set', '\x01000003016203613a2a03613a62');

-- scope: version, length, grammar.
SELECT n, (pg_temp.receive('scope', field)).* FROM (VALUES
    (1, '\x'::bytea), (2, '\x01'), (3, '\x00'), (4, '\x0061'), (5, '\x0261'), (6, '\xff61'), (7, '\x6161'), (8, '\x0120'), (9, '\x0161200a'), (10, '\x016100'), (11, '\x0161c3a9'),
    (12, '\x01612a'), (13, '\x012a2a'), (14, '\x0122'), (15, '\x015c'), (16, '\x017f'), (17, '\x01' || convert_to(repeat('a', 256), 'UTF8'))) AS v(n, field) ORDER BY n;

-- scope_set: version, reserved byte, number, each member's length and grammar, nothing after the last.
SELECT n, (pg_temp.receive('scope_set', field)).* FROM (VALUES
    (1, '\x'::bytea), (2, '\x01'), (3, '\x0100'), (4, '\x010000'), (5, '\x01000001'), (6, '\x0100000101'), (7, '\x01000000'), (8, '\x0100000061'), (9, '\x010000010161ff'),
    (10, '\x000000010161'), (11, '\x020000010161'), (12, '\xff0000010161'), (13, '\x010100010161'), (14, '\x018000010161'),
    (15, '\x010003e90161'), (16, '\x0100ffff0161'), (17, '\x010003e80161'), (18, '\x0100000100'), (19, '\x01000001ff61'), (20, '\x01000002016100'),
    (21, '\x0100000201610120'), (22, '\x01000002016102612a'), (23, '\x0100000103612062'), (24, '\x0100000103610062'), (25, '\x0100000102c3a9')) AS v(n, field) ORDER BY n;
-- Cut off at every length, and with every single bit turned, a set is refused or is what its text would give.
SELECT count(*) AS cut, count(code) AS refused FROM (SELECT substr(scope_set_send('a:* b:c'), 1, n) AS field FROM generate_series(0, 12) AS n) AS f, pg_temp.receive('scope_set', field);
SELECT count(*) AS turned, count(*) FILTER (WHERE code IS NOT NULL OR value::scope_set::text = value) AS harmless, bool_and(code IS NULL OR code IN ('22P03', 'ST401', 'ST402', 'ST404')) AS codes
FROM (SELECT set_byte(good, n / 8, get_byte(good, n / 8) # (1 << n % 8)) AS field
      FROM (SELECT scope_set_send('a:* b')) AS g(good), generate_series(0, 8 * length(good) - 1) AS n) AS f, pg_temp.receive('scope_set', field);
SELECT (SELECT count(*) FROM got_scope) AS left_scopes, (SELECT count(*) FROM got_scope_set) AS left_sets;
