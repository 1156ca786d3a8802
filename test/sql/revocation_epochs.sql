-- Epochs compose: no order in which they are set, and no combination, lets anything pass that one of them kills.  The
-- class of mistake is a newer epoch of one thing that hides an older one of another.
SELECT count(*) > 0 AS ready FROM steward.setup(organization => 'revocation-epochs');
SELECT steward.use_org('revocation-epochs') IS NOT NULL AS chosen;

-- Every combination of six epochs, each absent, before, at, or after the issuing, with ownership before or after: 8,192 cases.
WITH place(e) AS (VALUES ('-infinity'::timestamptz), ('2026-01-01'), ('2026-01-02'), ('2026-01-03')), owned(since) AS (VALUES ('2026-01-02'::timestamptz), ('2026-01-04')),
answer AS (
  SELECT o.e AS o, p.e AS p, w.e AS w, c.e AS c, d.e AS d, k.e AS k, since,
    steward.epochs_pass('2026-01-02', since, o.e, p.e, w.e, c.e, d.e, k.e) AS passes
  FROM place o, place p, place w, place c, place d, place k, owned)
SELECT count(*) AS cases, count(*) FILTER (WHERE passes) AS pass,
  -- none of them is at or after the issuing, and the owner's not at or after the time since which they own
  count(*) FILTER (WHERE passes IS DISTINCT FROM ('2026-01-02' > GREATEST(o, p, c, d, k) AND GREATEST('2026-01-02', since) > w)) AS wrong,
  -- moving any epoch on never brings anything back
  count(*) FILTER (WHERE passes AND EXISTS (SELECT FROM answer l WHERE NOT l.passes AND l.since = a.since
    AND l.o <= a.o AND l.p <= a.p AND l.w <= a.w AND l.c <= a.c AND l.d <= a.d AND l.k <= a.k)) AS revived FROM answer a WHERE true;
-- The edges: nothing set, everything set for ever, and what is not known.
SELECT steward.epochs_pass('2026-01-01', '2026-01-01') AS no_epochs, steward.epochs_pass('-infinity', '-infinity') AS issued_ever,
  steward.epochs_pass('infinity', 'infinity', organization_epoch => 'infinity') AS for_ever, steward.epochs_pass(NULL, now()) AS unknown_issue,
  steward.epochs_pass(now(), NULL) AS unknown_owner, steward.epochs_pass(now(), now(), key_epoch => NULL) AS unknown_epoch,
  steward.epochs_pass('2026-01-01', '2026-01-01', delegation_epoch => '2026-01-01') AS same_moment;

-- The same on rows, by authorize() and by the view: the epochs of organization, holder and owner in every order, each order
-- with each subset moved after the key was issued.
INSERT INTO steward.directory (org_id, name) VALUES (steward.default_org(), 'main');
INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name)
  SELECT org_id, id, '1', 'ann' FROM steward.directory WHERE org_id = steward.default_org();
SELECT steward.register_service('svc', 'ann') IS NOT NULL AS made;
CREATE FUNCTION pg_temp.move(what text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  CASE what
    WHEN 'organization' THEN UPDATE steward.organization SET tokens_valid_after = clock_timestamp() WHERE id = steward.default_org();
    WHEN 'holder' THEN UPDATE steward.principal SET tokens_valid_after = clock_timestamp() WHERE org_id = steward.default_org() AND name = 'svc';
    WHEN 'owner' THEN UPDATE steward.principal SET tokens_valid_after = clock_timestamp() WHERE org_id = steward.default_org() AND user_name = 'ann';
  END CASE;
END $$;
CREATE TEMP TABLE outcome (moved_before text, moved_after text, answer text, status text);
DO $$
DECLARE
  orders text[][] := ARRAY[ARRAY['organization', 'holder', 'owner'], ARRAY['organization', 'owner', 'holder'], ARRAY['holder', 'organization', 'owner'],
    ARRAY['holder', 'owner', 'organization'], ARRAY['owner', 'organization', 'holder'], ARRAY['owner', 'holder', 'organization']];
  k record;
BEGIN
  FOR o IN 1..6 LOOP
    FOR issued_after IN 0..3 LOOP
      -- the first issued_after epochs of the order move, then the key is issued, then each subset of the rest in order
      FOR mask IN 0..(1 << (3 - issued_after)) - 1 LOOP
        FOR i IN 1..issued_after LOOP PERFORM pg_temp.move(orders[o][i]); END LOOP;
        SELECT * INTO k FROM steward.issue_key('svc', 'a:b');
        FOR i IN issued_after + 1..3 LOOP
          IF mask & (1 << (i - issued_after - 1)) <> 0 THEN PERFORM pg_temp.move(orders[o][i]); END IF;
        END LOOP;
        INSERT INTO outcome SELECT issued_after::text, mask::text, a.reason, i.status FROM steward.authorize(k.secret) a, steward.credential_inventory i
          WHERE i.credential_id = k.credential_id;
      END LOOP;
    END LOOP;
  END LOOP;
END $$;
SELECT CASE WHEN moved_after = '0' THEN 'none' ELSE 'some' END AS moved_after_issuing, answer, status, count(*) FROM outcome GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;

-- Somebody who takes over from another is not held to an epoch of their own from before.
INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name)
  SELECT org_id, id, '2', 'bob' FROM steward.directory WHERE org_id = steward.default_org();
CREATE TEMP TABLE key AS SELECT * FROM steward.issue_key('svc', 'a:b');
UPDATE steward.principal SET tokens_valid_after = clock_timestamp() WHERE org_id = steward.default_org() AND user_name = 'bob';
UPDATE steward.credential c SET owner_id = p.id, owner_since = clock_timestamp() FROM key k, steward.principal p
  WHERE c.id = k.credential_id AND p.org_id = steward.default_org() AND p.user_name = 'bob';
SELECT a.reason AS taken_over FROM key, steward.authorize(secret) a;
UPDATE steward.principal SET tokens_valid_after = clock_timestamp() WHERE org_id = steward.default_org() AND user_name = 'bob';
SELECT a.reason AS and_then FROM key, steward.authorize(secret) a;

-- Deferred bookkeeping: one row changes, everything is dead at once, outside systems have their tasks, and maintain() brings
-- the rows up to date.  What is issued meanwhile lives, before and after.
SELECT steward.register_system('crm', 'ann', 'saas', 'connector') IS NOT NULL AS made;
SELECT steward.register_service('many', 'ann') IS NOT NULL AS made;
TRUNCATE key;
INSERT INTO key SELECT k.* FROM generate_series(1, 20) n, LATERAL steward.issue_key('many', 'a:b', name => 'many-' || n) k;
SELECT steward.register_credential('crm-' || n, 'crm', 'api_key', 'many', 'a:b') IS NOT NULL AS made FROM generate_series(1, 2) n;
-- a child that another holds: dead by its parent
INSERT INTO key SELECT k.* FROM steward.issue_key('svc', 'a:b') k;
UPDATE steward.credential SET parent_id = (SELECT min(credential_id::text)::uuid FROM key), parent_kind = 'issued_by'
  WHERE id = (SELECT max(credential_id::text)::uuid FROM key);
SET steward.defer_bookkeeping = on;
CREATE TEMP TABLE receipt AS SELECT * FROM steward.revoke_principal('many', 'compromise');
RESET steward.defer_bookkeeping;
SELECT credentials, principals, pending_external FROM receipt;
SELECT count(*) FILTER (WHERE steward.is_authorized(secret)) AS live FROM key;
INSERT INTO key SELECT k.* FROM steward.issue_key('many', 'a:b') k;
SELECT i.status, c.state, count(*) FROM steward.credential c JOIN steward.credential_inventory i ON i.credential_id = c.id
  JOIN steward.principal p ON p.id = c.holder_id WHERE p.org_id = steward.default_org() AND (p.name = 'many' OR c.parent_id IS NOT NULL) GROUP BY 1, 2 ORDER BY 1, 2;
SELECT result FROM steward.maintain() WHERE step = 'deferred bookkeeping of revocations';
SELECT r.credentials, r.pending_external, r.settled_at IS NOT NULL AS settled FROM steward.revocation r, receipt t WHERE r.id = t.revocation_id;
SELECT i.status, c.state, count(*) FROM steward.credential c JOIN steward.credential_inventory i ON i.credential_id = c.id
  JOIN steward.principal p ON p.id = c.holder_id WHERE p.org_id = steward.default_org() AND (p.name = 'many' OR c.parent_id IS NOT NULL) GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*) FILTER (WHERE steward.is_authorized(secret)) AS live FROM key;

-- The organization, likewise.
SET steward.defer_bookkeeping = on;
SELECT credentials, pending_external FROM steward.revoke_organization('revocation-epochs', 'incident');
RESET steward.defer_bookkeeping;
SELECT count(*) FILTER (WHERE steward.is_authorized(secret)) AS live FROM key;
SELECT DISTINCT status FROM steward.credential_inventory WHERE org_id = steward.default_org() AND system = 'steward';
SELECT result NOT LIKE 'nothing%' AS done FROM steward.maintain() WHERE step = 'deferred bookkeeping of revocations';
SELECT state, count(*) > 0 AS some FROM steward.credential WHERE org_id = steward.default_org() GROUP BY 1;

-- Undoing one thing never undoes another: a rehire lifts what the leaver suspended, and nothing else.
SELECT steward.register_service('orphan', 'bob') IS NOT NULL AS made;
TRUNCATE key;
INSERT INTO key SELECT k.* FROM steward.issue_key('orphan', 'a:b') k;
INSERT INTO key SELECT k.* FROM steward.issue_key('orphan', 'a:b') k;
INSERT INTO key SELECT k.* FROM steward.issue_key('bob', 'a:b') k;
UPDATE steward.directory_user SET active = false WHERE org_id = steward.default_org() AND user_name = 'bob';
SELECT a.reason, count(*) FROM key, steward.authorize(secret) a GROUP BY 1 ORDER BY 1;
INSERT INTO steward.suspension (org_id, credential_id, cause, reason) SELECT steward.default_org(), min(credential_id::text)::uuid, 'leak', 'seen elsewhere' FROM key;
UPDATE steward.directory_user SET active = true WHERE org_id = steward.default_org() AND user_name = 'bob';
SELECT a.reason, count(*) FROM key, steward.authorize(secret) a GROUP BY 1 ORDER BY 1;
SELECT cause, lifted_at IS NOT NULL AS lifted, count(*) FROM steward.suspension WHERE org_id = steward.default_org() GROUP BY 1, 2 ORDER BY 1, 2;
