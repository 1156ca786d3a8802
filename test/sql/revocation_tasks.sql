-- What other systems have to be told is never lost and never done by two at once: leases, failures, and deadlines.
SELECT count(*) > 0 AS ready FROM steward.setup(organization => 'revocation-tasks');
SELECT count(*) > 0 AS ready FROM steward.setup(organization => 'revocation-tasks-other');
SELECT steward.use_org('revocation-tasks') IS NOT NULL AS chosen;
INSERT INTO steward.directory (org_id, name) VALUES (steward.default_org(), 'main');
INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name)
  SELECT org_id, id, '1', 'ann' FROM steward.directory WHERE org_id = steward.default_org();
SELECT steward.register_system('crm', 'ann', 'saas', 'connector', runbook => 'https://crm.example/keys', deadline => '1 hour') IS NOT NULL AS made;
SELECT steward.register_system('paper', 'ann', 'saas', 'manual', runbook => 'Shred it') IS NOT NULL AS made;
SELECT count(steward.register_credential('crm-' || n, 'crm', 'api_key', 'ann', 'a:b')) FROM generate_series(1, 5) n;
SELECT steward.register_credential('paper-1', 'paper', 'account', 'ann', 'a:b') IS NOT NULL AS made;
CREATE FUNCTION pg_temp.refused(call text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE 'SELECT ' || call;
  RETURN 'not refused';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE || ' ' || SQLERRM;
END $$;

-- A task for every credential of a system that is not this database, in the same commit.
SELECT credentials, pending_external FROM steward.revoke_principal('ann', 'incident');
SELECT system, revocation_path, credential, holder, reason, state, overdue, attempts, runbook, deadline - revoked_at BETWEEN '59 minutes' AND '61 minutes' AS within_the_hour
  FROM steward.revocation_backlog WHERE org_id = steward.default_org() ORDER BY credential;
SELECT DISTINCT status FROM steward.credential_inventory WHERE org_id = steward.default_org();

-- Workers.
CREATE ROLE revocation_tasks_one;
CREATE ROLE revocation_tasks_two;
CREATE ROLE revocation_tasks_analyst;
SELECT steward.grant_profile('revocation_tasks_one', 'connector'), steward.grant_profile('revocation_tasks_two', 'connector'),
  steward.grant_profile('revocation_tasks_analyst', 'analyst');
CREATE TEMP TABLE mine (task_id uuid, attempt integer, external_id text);
GRANT ALL ON mine TO revocation_tasks_one, revocation_tasks_two;
SET ROLE revocation_tasks_analyst;
SELECT pg_temp.refused($$count(*) FROM steward.claim_revocation_tasks('crm')$$) AS analyst;
SET ROLE revocation_tasks_one;
SELECT c AS call, pg_temp.refused('steward.' || c) AS answer FROM unnest(ARRAY[
  $$claim_revocation_tasks(NULL::text)$$, $$claim_revocation_tasks('')$$, $$claim_revocation_tasks(' crm ')$$, $$claim_revocation_tasks('none')$$,
  $$claim_revocation_tasks('crm', 0)$$, $$claim_revocation_tasks('crm', -1)$$, $$claim_revocation_tasks('crm', 1001)$$, $$claim_revocation_tasks('crm', NULL)$$,
  $$claim_revocation_tasks('crm', 1, '0')$$, $$claim_revocation_tasks('crm', 1, '-1 hour')$$, $$claim_revocation_tasks('crm', 1, '8 days')$$,
  $$claim_revocation_tasks('crm', 1, NULL)$$, $$claim_revocation_tasks('crm', org => NULL)$$,
  $$confirm_revocation(NULL, '{"a": 1}')$$, $$confirm_revocation(steward.uuid7(), '{"a": 1}')$$,
  $$confirm_revocation('00000000-0000-0000-0000-000000000000', '{"a": 1}')$$,
  $$confirm_revocation('00000000-0000-0000-0000-000000000000', NULL)$$, $$confirm_revocation('00000000-0000-0000-0000-000000000000', '{}')$$,
  $$confirm_revocation('00000000-0000-0000-0000-000000000000', '[1]')$$, $$confirm_revocation('00000000-0000-0000-0000-000000000000', '"gone"')$$,
  $$confirm_revocation('00000000-0000-0000-0000-000000000000', json_build_object('a', repeat('x', 70000))::jsonb)$$,
  $$confirm_revocation('00000000-0000-0000-0000-000000000000', json_build_object('key', 'stw1_' || repeat('x', 93))::jsonb)$$,
  $$fail_revocation(NULL, 'x')$$, $$fail_revocation('00000000-0000-0000-0000-000000000000', NULL)$$, $$fail_revocation('00000000-0000-0000-0000-000000000000', '')$$,
  $$fail_revocation('00000000-0000-0000-0000-000000000000', ' ')$$, $$fail_revocation('00000000-0000-0000-0000-000000000000', 'x')$$
  ]) WITH ORDINALITY AS u(c, n) ORDER BY n;
WITH c AS (SELECT * FROM steward.claim_revocation_tasks('crm', 2, '1 minute')), i AS (INSERT INTO mine SELECT task_id, attempt, external_id FROM c)
SELECT attempt, kind, holder, reason, runbook, lease_until > clock_timestamp() AS leased FROM c;
-- Another worker gets others, and then none: nobody waits, nothing is given out twice.
SET ROLE revocation_tasks_two;
WITH c AS (SELECT * FROM steward.claim_revocation_tasks('crm', 10)) SELECT count(*), count(*) FILTER (WHERE task_id IN (SELECT task_id FROM mine)) AS twice FROM c;
SELECT count(*) FROM steward.claim_revocation_tasks('crm', 10);
-- Somebody else's lease, an attempt that is not the present one, a task of another organization.
SELECT pg_temp.refused(format('steward.confirm_revocation(%L, %L)', task_id, '{"status": 204}')) AS confirm,
  pg_temp.refused(format('steward.fail_revocation(%L, %L)', task_id, 'no')) AS fail FROM mine LIMIT 1;
RESET ROLE;
SELECT pg_temp.refused(format('steward.confirm_revocation(%L, %L, org => %L)', task_id, '{"status": 204}', o.id)) AS foreign_task
  FROM mine, steward.organization o WHERE o.slug = 'revocation-tasks-other' LIMIT 1;
SET ROLE revocation_tasks_one;
SELECT pg_temp.refused(format('steward.confirm_revocation(%L, %L, attempt => 7)', task_id, '{"status": 204}')) AS another_attempt FROM mine LIMIT 1;
-- Confirmed once; the credential is settled; twice is refused.
SELECT took > '0' AS took FROM (SELECT task_id, attempt FROM mine ORDER BY external_id LIMIT 1) m, steward.confirm_revocation(m.task_id, '{"status": 204}', m.attempt);
SELECT pg_temp.refused(format('steward.confirm_revocation(%L, %L)', task_id, '{"status": 204}')) AS again,
  pg_temp.refused(format('steward.fail_revocation(%L, %L)', task_id, 'no')) AS fail FROM mine ORDER BY external_id LIMIT 1;
-- Failed: comes back later, within the bounds of the backoff, and not before.
SELECT f.next_attempt_at - clock_timestamp() BETWEEN '14 seconds' AND '31 seconds' AS half_a_minute
  FROM (SELECT task_id FROM mine ORDER BY external_id OFFSET 1) m, steward.fail_revocation(m.task_id, 'HTTP 503') f;
SELECT count(*) AS not_yet FROM steward.claim_revocation_tasks('crm', 10);
RESET ROLE;
SELECT t.state, count(*), count(t.evidence) AS evidence, max(t.last_error) AS error FROM steward.revocation_task t JOIN steward.system s ON s.id = t.system_id AND s.name = 'crm'
  WHERE t.org_id = steward.default_org() GROUP BY 1 ORDER BY 1;
SELECT status, count(*) FROM steward.credential_inventory WHERE org_id = steward.default_org() GROUP BY 1 ORDER BY 1;

-- The wait doubles up to an hour, with chance in it: 12 attempts of one task, its time brought forward by hand.
DO $$
DECLARE
  t uuid := (SELECT id FROM steward.revocation_task WHERE org_id = steward.default_org() AND last_error IS NOT NULL);
  wait interval;
  waits interval[];
BEGIN
  FOR n IN 2..12 LOOP
    UPDATE steward.revocation_task SET next_attempt_at = clock_timestamp() WHERE id = t;
    PERFORM steward.claim_revocation_tasks('crm');
    SELECT next_attempt_at - clock_timestamp() INTO wait FROM steward.fail_revocation(t, 'HTTP 503');
    IF wait > LEAST('1 hour'::interval, '30 seconds'::interval * 2 ^ (n - 1)) OR wait < LEAST('1 hour'::interval, '30 seconds'::interval * 2 ^ (n - 1)) / 2 - interval '1 second' THEN
      RAISE EXCEPTION 'attempt % waits %', n, wait;
    END IF;
    waits := waits || wait;
  END LOOP;
  RAISE NOTICE 'all within bounds, by chance: %', (SELECT count(DISTINCT w) = 11 FROM unnest(waits) w);
END $$;

-- A lease that has ended: its holder may not confirm, anybody may claim.
UPDATE steward.revocation_task SET lease_until = clock_timestamp() - interval '1 second' WHERE org_id = steward.default_org() AND state = 'leased';
TRUNCATE mine;
INSERT INTO mine SELECT task_id FROM steward.revocation_backlog WHERE org_id = steward.default_org() AND state = 'leased';
SET ROLE revocation_tasks_two;
SELECT pg_temp.refused(format('steward.confirm_revocation(%L, %L)', task_id, '{"status": 204}')) AS confirm,
  pg_temp.refused(format('steward.fail_revocation(%L, %L)', task_id, 'no')) AS fail FROM mine LIMIT 1;
SET ROLE revocation_tasks_one;
SELECT count(*) AS claimed, min(attempt) AS attempt FROM steward.claim_revocation_tasks('crm', 10);
RESET ROLE;

-- Past its deadline it is a finding and an alarm, and stays a task.
SELECT check_name, status FROM steward.health WHERE check_name = 'revocations outside';
UPDATE steward.revocation_task t SET deadline = clock_timestamp() - interval '1 minute' FROM steward.system s
  WHERE s.id = t.system_id AND s.name = 'paper' AND t.org_id = steward.default_org();
SELECT system, credential, holder, reason, attempts FROM steward.overdue_revocations WHERE org_id = steward.default_org();
SELECT status, detail, remedy FROM steward.health WHERE check_name = 'revocations outside';
SELECT credential_id IS NOT NULL AS confirmed FROM steward.claim_revocation_tasks('paper') c, LATERAL (SELECT * FROM steward.confirm_revocation(c.task_id, '{"by": "hand"}')) k(cid, took);
SELECT status FROM steward.health WHERE check_name = 'revocations outside';

-- Once more for the same credential there is no second task.
SELECT credentials, pending_external FROM steward.revoke('crm-1', 'leak');
SELECT count(*) FROM steward.revocation_task t JOIN steward.credential c ON c.id = t.credential_id WHERE c.external_id = 'crm-1' AND t.org_id = steward.default_org();

SELECT steward.revoke_profile('revocation_tasks_one', 'connector'), steward.revoke_profile('revocation_tasks_two', 'connector'),
  steward.revoke_profile('revocation_tasks_analyst', 'analyst');
DROP TABLE mine;
DROP ROLE revocation_tasks_one, revocation_tasks_two, revocation_tasks_analyst;
