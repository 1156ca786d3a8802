-- Use is recorded by checks that say yes, about one row a window, and never where nothing can be written.
SELECT count(*) > 0 AS made FROM steward.setup(organization => 'credential-use');
SELECT steward.use_org('credential-use') IS NOT NULL AS chosen;
INSERT INTO steward.directory (org_id, name) VALUES (steward.default_org(), 'main');
INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name)
    SELECT org_id, id, '1', 'ann' FROM steward.directory WHERE org_id = steward.default_org();
CREATE TEMP TABLE key AS SELECT * FROM steward.issue_key('ann', 'a:* b:read');
CREATE TEMP VIEW recorded AS SELECT scopes::text, sum(uses) AS uses, count(*) AS rows, min(consumer) AS consumer
    FROM steward.credential_use WHERE org_id = steward.default_org() GROUP BY 1 ORDER BY 1;
SET application_name = 'credential use';

-- the same thing many times in one window is one row
SELECT count(*) FILTER (WHERE (steward.authorize(secret, 'a:1')).allowed) AS allowed FROM key, generate_series(1, 10);
SELECT (steward.authorize(secret, 'b:read')).allowed FROM key;
SELECT * FROM recorded;
-- a denial is not use
SELECT (steward.authorize(secret, 'c:1')).reason FROM key;
SELECT * FROM recorded;
-- nor is anything recorded in a read-only transaction, by is_authorized(), or by what is rolled back
BEGIN READ ONLY;
SELECT (steward.authorize(secret, 'a:2')).allowed FROM key;
COMMIT;
SELECT steward.is_authorized(secret, 'a:3') FROM key;
BEGIN;
SELECT (steward.authorize(secret, 'a:4')).allowed FROM key;
ROLLBACK;
BEGIN;
SAVEPOINT s;
SELECT (steward.authorize(secret, 'a:5')).allowed FROM key;
ROLLBACK TO s;
COMMIT;
SELECT * FROM recorded;
-- what was rolled back is recorded when it happens again
SELECT (steward.authorize(secret, 'a:4')).allowed FROM key;
SELECT (steward.authorize(secret, 'a:5')).allowed FROM key;
SELECT * FROM recorded;

-- use from elsewhere
SELECT steward.report_use(jsonb_build_array(jsonb_build_object('credential', credential_id, 'scopes', 'a:9', 'at', '2024-02-29T10:20:30Z',
    'uses', 7, 'consumer', 'gateway', 'address', '192.0.2.7'), jsonb_build_object('credential', credential_id, 'at', '1709202030'))) FROM key;
SELECT scopes::text, window_start, uses, consumer, client_address, source FROM steward.credential_use
    WHERE org_id = steward.default_org() AND source = 'reported' ORDER BY uses;
-- bad input: each its own message, nothing half done
CREATE FUNCTION pg_temp.try(VARIADIC uses text[]) RETURNS TABLE (state text, message text, detail text) LANGUAGE plpgsql AS $$
DECLARE u text;
BEGIN
    FOREACH u IN ARRAY uses LOOP
        BEGIN
            PERFORM steward.report_use(replace(u, '$ID', (SELECT credential_id::text FROM key))::jsonb);
            state := 'none';
        EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
        END;
        RETURN NEXT;
    END LOOP;
END $$;
SELECT * FROM pg_temp.try(NULL, '{}', '3', '[1]', '[{"credential":"nobody","at":"2024-01-01"}]', '[{"credential":"$ID"}]',
    '[{"credential":"$ID","at":"2024-02-30"}]', '[{"credential":"$ID","at":"2999-01-01"}]', '[{"credential":"$ID","at":"2024-01-01","uses":0}]',
    '[{"credential":"$ID","at":"2024-01-01"},{"credential":"$ID","at":"2024-01-01","address":"home"}]');
SELECT count(*) FROM steward.credential_use WHERE org_id = steward.default_org();

-- rows are only added
DO $$ BEGIN UPDATE steward.credential_use SET uses = 99; EXCEPTION WHEN OTHERS THEN RAISE NOTICE '% %', SQLSTATE, SQLERRM; END $$;
DO $$ BEGIN DELETE FROM steward.credential_use; EXCEPTION WHEN OTHERS THEN RAISE NOTICE '% %', SQLSTATE, SQLERRM; END $$;
DO $$ BEGIN TRUNCATE steward.credential_use; EXCEPTION WHEN OTHERS THEN RAISE NOTICE '% %', SQLSTATE, SQLERRM; END $$;

-- maintain() merges what is past, and keeps the sums
SELECT steward.report_use(jsonb_agg(jsonb_build_object('credential', credential_id, 'scopes', 'a:9', 'at', '2024-02-29T10:20:30Z', 'consumer', 'gateway', 'address', '192.0.2.7')))
    FROM key, generate_series(1, 3);
SELECT count(*), sum(uses) FROM steward.credential_use WHERE org_id = steward.default_org() AND scopes::text = 'a:9';
SELECT count(*) > 0 AS maintained FROM steward.maintain();
SELECT count(*), sum(uses) FROM steward.credential_use WHERE org_id = steward.default_org() AND scopes::text = 'a:9';
SELECT count(*) FROM steward.credential_activity WHERE org_id = steward.default_org();

-- dates of other systems
SELECT t, steward.parse_timestamp(t) FROM unnest(ARRAY['2024-02-29', '2023-02-29', '2024-01-01T00:00:00Z', '2024-01-01 01:02:03.5+02:00', '2024-01-01T25:00:00Z',
    '1704067200', 'N/A', '', 'infinity', '2024-01-01T00:00:00Zx', '9999-12-31T23:59:59Z', '2024-1-1']) AS t;
