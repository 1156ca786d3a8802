-- What derives from a revoked credential dies with it: at any depth, along every path, through dead children, once each;
-- never in another organization, and by rotation only when asked to.
SELECT count(*) > 0 AS ready FROM steward.setup(organization => 'revocation-cascade');
SELECT count(*) > 0 AS ready FROM steward.setup(organization => 'revocation-cascade-other');
SELECT steward.use_org('revocation-cascade-other') IS NOT NULL AS chosen;
INSERT INTO steward.directory (org_id, name) VALUES (steward.default_org(), 'main');
INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name)
  SELECT org_id, id, '1', 'eve' FROM steward.directory WHERE org_id = steward.default_org();
SELECT steward.use_org('revocation-cascade') IS NOT NULL AS chosen;
INSERT INTO steward.directory (org_id, name) VALUES (steward.default_org(), 'main');
INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name)
  SELECT org_id, id, '1', 'ann' FROM steward.directory WHERE org_id = steward.default_org();
SELECT steward.register_system('crm', 'ann', 'saas', 'connector') IS NOT NULL AS made;

CREATE TEMP TABLE key (name text PRIMARY KEY, id uuid, secret text);
CREATE FUNCTION pg_temp.issue(VARIADIC names text[]) RETURNS bigint LANGUAGE sql AS $$
  WITH i AS (INSERT INTO key SELECT n, k.credential_id, k.secret FROM unnest(names) AS n, LATERAL steward.issue_key('ann', 'a:b', name => n) k RETURNING 1)
  SELECT count(*) FROM i $$;
CREATE FUNCTION pg_temp.derive(child text, parent text, how text) RETURNS text LANGUAGE sql AS $$
  UPDATE steward.credential c SET parent_id = p.id, parent_kind = how FROM key k, key p
  WHERE c.id = k.id AND k.name = child AND p.name = parent RETURNING child || ' ' || how || ' ' || parent $$;
CREATE FUNCTION pg_temp.alive() RETURNS text LANGUAGE sql AS $$
  SELECT coalesce(string_agg(k.name, ' ' ORDER BY k.name), 'none') FROM key k JOIN steward.credential c ON c.id = k.id WHERE c.state <> 'revoked' $$;
CREATE FUNCTION pg_temp.live() RETURNS text LANGUAGE sql AS $$
  SELECT coalesce(string_agg(k.name, ' ' ORDER BY k.name), 'none') FROM key k WHERE steward.is_authorized(k.secret) $$;

-- The three kinds that bind, and the one that does not unless asked to.
SELECT pg_temp.issue('p', 'delegated', 'issued', 'belongs', 'rotated', 'below_rotated');
SELECT pg_temp.derive(c, p, k) FROM (VALUES ('delegated', 'p', 'delegated_from'), ('issued', 'p', 'issued_by'), ('belongs', 'p', 'belongs_to'),
  ('rotated', 'p', 'rotated_from'), ('below_rotated', 'rotated', 'issued_by')) AS v(c, p, k);
SELECT credentials FROM steward.revoke((SELECT id FROM key WHERE name = 'p'), 'leak', dry_run => true, rotated => true);
SELECT credentials FROM steward.revoke((SELECT id FROM key WHERE name = 'p'), 'leak');
SELECT pg_temp.alive();
-- Later, and by choice, what was rotated from it, through the dead parent; the act before keeps what it took.
SELECT credentials FROM steward.revoke((SELECT id FROM key WHERE name = 'p'), 'leak', rotated => true);
SELECT pg_temp.alive();

-- A diamond: each credential once.
SELECT pg_temp.issue('top', 'left', 'right', 'bottom');
SELECT pg_temp.derive(c, p, 'issued_by') FROM (VALUES ('left', 'top'), ('right', 'top'), ('bottom', 'left')) AS v(c, p);
SELECT credentials FROM steward.revoke_matching('test', owner => 'ann', issued_before => 'infinity');
SELECT pg_temp.alive();

-- A cycle made by hand ends, in the cascade and in the check.
SELECT pg_temp.issue('c1', 'c2', 'c3', 'self');
SELECT pg_temp.derive(c, p, 'belongs_to') FROM (VALUES ('c1', 'c2'), ('c2', 'c3'), ('c3', 'c1')) AS v(c, p);
SELECT pg_temp.live();
SELECT credentials FROM steward.revoke((SELECT id FROM key WHERE name = 'c2'), 'leak');
SELECT pg_temp.live();

-- Through children that are revoked or expired already.
SELECT pg_temp.issue('g', 'dead', 'expired', 'below_dead', 'below_expired');
SELECT credentials FROM steward.revoke((SELECT id FROM key WHERE name = 'dead'), 'unused');
SELECT pg_temp.derive(c, p, 'delegated_from') FROM (VALUES ('dead', 'g'), ('expired', 'g'), ('below_dead', 'dead'), ('below_expired', 'expired')) AS v(c, p);
UPDATE steward.credential SET issued_at = now() - interval '2 days', expires_at = now() - interval '1 day' WHERE id = (SELECT id FROM key WHERE name = 'expired');
-- A child made under a dead parent is dead to every check, before any revocation reaches its row; under an expired one it lives.
SELECT pg_temp.live(), (SELECT status FROM steward.credential_inventory WHERE credential_id = id) AS below_dead FROM key WHERE name = 'below_dead';
SELECT credentials FROM steward.revoke((SELECT id FROM key WHERE name = 'g'), 'leak');
SELECT pg_temp.alive();

-- What was made beside a revocation is brought up to date by maintain(), and joins the act that killed it.
SELECT pg_temp.issue('late');
SELECT pg_temp.derive('late', 'g', 'issued_by');
SELECT pg_temp.live(), pg_temp.alive();
SELECT result FROM steward.maintain() WHERE step = 'deferred bookkeeping of revocations';
SELECT result FROM steward.maintain() WHERE step = 'deferred bookkeeping of revocations';
SELECT pg_temp.alive(), (SELECT r.credentials FROM steward.credential c JOIN steward.revocation r ON r.id = c.revocation_id WHERE c.id = k.id) AS of_act
  FROM key k WHERE name = 'late';

-- A chain of 10,000, with one look for children at each link and no scan of the table; its end has a task in the other system.
-- (The server planned its check of the foreign key for a table of a few rows.)
DISCARD PLANS;
INSERT INTO steward.credential (org_id, id, kind, state, holder_id, owner_id, system_id, display, scopes, source, issued_by, parent_id, parent_kind)
  SELECT s.org_id, ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'access_token', 'active', p.id, p.id, s.id, 'link', 'a:b', 'registered', 'x',
    CASE WHEN n > 1 THEN ('00000000-0000-4000-8000-' || lpad((n - 1)::text, 12, '0'))::uuid END, CASE WHEN n > 1 THEN 'delegated_from' END
  FROM generate_series(1, 10000) AS n, steward.principal p JOIN steward.system s ON s.org_id = p.org_id
  WHERE p.org_id = steward.default_org() AND p.user_name = 'ann' AND s.name = CASE WHEN n = 10000 THEN 'crm' ELSE 'steward' END;
BEGIN;
SELECT credentials, pending_external FROM steward.revoke('00000000-0000-4000-8000-000000000001'::uuid, 'leak');
-- The planner looks at the ends of the index a few times itself.
SELECT pg_stat_get_xact_numscans('steward.credential_parent_idx'::regclass) BETWEEN 10000 AND 10200 AS one_look_each,
  pg_stat_get_xact_tuples_returned('steward.credential'::regclass) < 100000 AS linear;
COMMIT;
SELECT state, count(*) FROM steward.credential WHERE org_id = steward.default_org() AND display = 'link' GROUP BY 1;

-- A child by hand in another organization is not reached: the key of a parent begins with the organization.
SELECT steward.use_org('revocation-cascade-other') IS NOT NULL AS chosen;
INSERT INTO key SELECT 'other', credential_id, secret FROM steward.issue_key('eve', 'a:b');
INSERT INTO key SELECT 'other-child', credential_id, secret FROM steward.issue_key('eve', 'a:b');
SELECT pg_temp.derive('other-child', 'other', 'issued_by');
SELECT steward.use_org('revocation-cascade') IS NOT NULL AS chosen;
-- Nor does a credential of the same id there die with ours.
INSERT INTO steward.credential (org_id, id, kind, state, holder_id, owner_id, system_id, display, scopes, source, issued_by)
  SELECT p.org_id, k.id, 'access_token', 'active', p.id, p.id, s.id, 'twin', 'a:b', 'registered', 'x'
  FROM key k, steward.principal p JOIN steward.system s ON s.org_id = p.org_id AND s.name = 'steward'
  WHERE k.name = 'other' AND p.org_id = steward.default_org() AND p.user_name = 'ann';
SELECT credentials FROM steward.revoke((SELECT id FROM key WHERE name = 'other'), 'leak');
SELECT pg_temp.live();
