-- An act of revocation: what it takes, what its receipt says, that a dry run and a preview are the act itself taken back,
-- and that no bad input revokes anything: a null, empty or padded reference must neither match everything nor nothing.
SELECT count(*) > 0 AS ready FROM steward.setup(organization => 'revocation');
SELECT count(*) > 0 AS ready FROM steward.setup(organization => 'revocation-other');
SELECT steward.use_org('revocation-other') IS NOT NULL AS chosen;
INSERT INTO steward.directory (org_id, name) VALUES (steward.default_org(), 'main');
INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name)
  SELECT org_id, id, '1', 'stranger' FROM steward.directory WHERE org_id = steward.default_org();
CREATE TEMP TABLE key (name text PRIMARY KEY, id uuid, secret text);
INSERT INTO key SELECT 'foreign', credential_id, secret FROM steward.issue_key('stranger', 'a:read');

SELECT steward.use_org('revocation') IS NOT NULL AS chosen;
INSERT INTO steward.directory (org_id, name) VALUES (steward.default_org(), 'main');
INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name)
  SELECT org_id, id, p, p FROM steward.directory, unnest(ARRAY['ann', 'bob']) AS p WHERE org_id = steward.default_org();
SELECT steward.register_service('billing', 'ann') IS NOT NULL AS made;
SELECT steward.register_system('crm', 'bob', 'saas', 'connector', deadline => '1 hour') IS NOT NULL AS made;
INSERT INTO key SELECT n, credential_id, secret FROM (VALUES ('billing', 'billing', 'bills:read'), ('ann', 'ann', 'mail:read'),
  ('bob', 'bob', 'mail:read'), ('bob2', 'bob', 'bills:read')) AS v(n, holder, scopes),
  LATERAL steward.issue_key(holder, scopes::steward.scope_set);
SELECT steward.register_credential('crm-bob', 'crm', 'api_key', 'bob', 'crm:read') IS NOT NULL AS made;

-- What is there, as one digest: bad input must leave it as it was.
CREATE FUNCTION pg_temp.everything() RETURNS text LANGUAGE sql AS $$
  SELECT md5((SELECT string_agg(c::text, '|' ORDER BY c.id) FROM steward.credential c)
    || (SELECT string_agg(p::text, '|' ORDER BY p.id) FROM steward.principal p)
    || (SELECT string_agg(o::text, '|' ORDER BY o.id) FROM steward.organization o)
    || (SELECT coalesce(string_agg(r::text, '|' ORDER BY r.id), '') FROM steward.revocation r)
    || (SELECT coalesce(string_agg(t::text, '|' ORDER BY t.id), '') FROM steward.revocation_task t)) $$;
CREATE FUNCTION pg_temp.refused(call text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE 'SELECT ' || call;
  RETURN 'not refused';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
CREATE FUNCTION pg_temp.live() RETURNS text LANGUAGE sql AS
  $$ SELECT coalesce(string_agg(name, ' ' ORDER BY name), 'none') FROM key WHERE name <> 'foreign' AND steward.is_authorized(secret) $$;
CREATE TEMP TABLE before AS SELECT pg_temp.everything() AS digest;

-- Bad input.
SELECT c AS call, pg_temp.refused('steward.' || c) AS answer FROM unnest(ARRAY[
  $$revoke(NULL::text, 'leak')$$, $$revoke(NULL::uuid, 'leak')$$, $$revoke('', 'leak')$$, $$revoke(' crm-bob ', 'leak')$$,
  $$revoke('crm-bob ', 'leak')$$, $$revoke('nobody', 'leak')$$, $$revoke('00000000-0000-0000-0000-000000000000'::uuid, 'leak')$$,
  $$revoke('%', 'leak')$$, $$revoke('crm-bob', NULL)$$, $$revoke('crm-bob', '')$$, $$revoke('crm-bob', ' leak')$$, $$revoke('crm-bob', 'LEAK')$$,
  $$revoke('crm-bob', 'because')$$, $$revoke('crm-bob', 'leak', '')$$, $$revoke('crm-bob', 'leak', '  ')$$,
  $$revoke('crm-bob', 'leak', dry_run => NULL)$$, $$revoke('crm-bob', 'leak', rotated => NULL)$$, $$revoke('crm-bob', 'leak', org => NULL)$$,
  $$revoke('crm-bob', 'leak', org => '00000000-0000-0000-0000-000000000000')$$,
  $$revoke_principal(NULL::text, 'leak')$$, $$revoke_principal('', 'leak')$$, $$revoke_principal(' ann ', 'leak')$$, $$revoke_principal('stranger', 'leak')$$,
  $$revoke_principal('ann', NULL)$$, $$revoke_principal('ann', 'because')$$,
  $$revoke_matching('leak')$$, $$revoke_matching(NULL, owner => 'ann')$$, $$revoke_matching('because', owner => 'ann')$$,
  $$revoke_matching('leak', owner => '')$$, $$revoke_matching('leak', owner => ' ann ')$$, $$revoke_matching('leak', owner => 'stranger')$$,
  $$revoke_matching('leak', holder => '')$$, $$revoke_matching('leak', system => '')$$, $$revoke_matching('leak', system => 'none')$$,
  $$revoke_matching('leak', workflow => '')$$, $$revoke_matching('leak', workflow => ' x')$$, $$revoke_matching('leak', workflow => 'none')$$,
  $$revoke_matching('leak', kind => 'api_keys')$$, $$revoke_matching('leak', kind => '')$$, $$revoke_matching('leak', environment => '')$$,
  $$revoke_matching('leak', scopes => '')$$, $$revoke_matching('leak', owner => 'ann', dry_run => NULL)$$,
  $$revoke_organization(NULL::text, 'leak')$$, $$revoke_organization('', 'leak')$$, $$revoke_organization(' revocation ', 'leak')$$,
  $$revoke_organization('no-such', 'leak')$$, $$revoke_organization('revocation', '')$$,
  $$preview_revocation()$$, $$preview_revocation('crm-bob', 'ann')$$, $$preview_revocation('')$$, $$preview_revocation(principal => ' ann')$$,
  $$revocation_visible(NULL::uuid)$$
  ]) WITH ORDINALITY AS u(c, n) ORDER BY n;
-- Neither a foreign credential by its id, nor a key itself, which is not repeated either.
SELECT pg_temp.refused(format('steward.revoke(%L::uuid, %L)', id, 'leak')) LIKE 'ST106 credential % is not known in this organization' AS foreign_refused,
  pg_temp.refused(format('steward.revoke(%L, %L)', secret, 'leak')) AS secret_refused FROM key WHERE name = 'foreign';
SELECT pg_temp.everything() = digest AS as_before, pg_temp.live() FROM before;

-- A dry run counts what the act then does; its id is null, and nothing is left of it.
SELECT * FROM steward.revoke('crm-bob', 'no_longer_needed', dry_run => true);
SELECT revocation_id, credentials, principals, pending_external FROM steward.revoke_principal('ann', 'incident', dry_run => true);
SELECT revocation_id, credentials FROM steward.revoke_matching('leak', scopes => 'bills:read', dry_run => true);
SELECT revocation_id, credentials, pending_external FROM steward.revoke_organization('revocation', 'incident', dry_run => true);
SELECT pg_temp.everything() = digest AS as_before, steward.previewing(), pg_temp.live() FROM before;

-- A preview names the rows that the act then changes, in the words of the audit log.
CREATE TEMP TABLE preview AS SELECT * FROM steward.preview_revocation(principal => 'bob');
SELECT pg_temp.everything() = digest AS as_before FROM before;
SELECT table_name, action, count(*) FROM preview GROUP BY 1, 2 ORDER BY 1, 2;
CREATE TEMP TABLE receipt AS SELECT * FROM steward.revoke_principal('bob', 'incident', 'seen in a dump');
SELECT credentials, principals, pending_external, revocation_id IS NOT NULL AS has_id FROM receipt;
SELECT count(*) FILTER (WHERE p IS NULL) AS not_previewed, count(*) FILTER (WHERE a IS NULL) AS not_done, count(*) AS rows FROM
  (SELECT table_name, action, row_key - 'id' || CASE WHEN action = 'update' THEN row_key ELSE '{}' END AS what FROM preview) p
  FULL JOIN (SELECT e.table_name, e.action, e.row_key - 'id' || CASE WHEN e.action = 'update' THEN e.row_key ELSE '{}' END AS what
    FROM steward.audit_event e, receipt r WHERE e.org_id = steward.default_org() AND e.xact = r.xid) a USING (table_name, action, what);
SELECT pg_temp.live();

-- The row of the act, its transaction, and one audit event for each credential.
SELECT r.reason, r.note, r.subject_kind, p.user_name AS subject, r.actor = current_user AS by_me, r.credentials, r.principals, r.pending_external,
  r.xid = t.xid AS same_xid, r.settled_at IS NOT NULL AS settled, r.epoch = p.tokens_valid_after AS epoch
  FROM receipt t JOIN steward.revocation r ON r.id = t.revocation_id JOIN steward.principal p ON p.id = r.subject_id;
SELECT count(*) AS events, count(DISTINCT row_key) AS credentials FROM steward.audit_event e, receipt r
  WHERE e.org_id = steward.default_org() AND e.xact = r.xid AND e.table_name = 'steward.credential';
SELECT steward.revocation_visible(revocation_id, xid) AS by_both, steward.revocation_visible(revocation_id) AS by_id,
  steward.revocation_visible(steward.uuid7()) AS unknown,
  steward.revocation_visible(steward.uuid7(), xid) AS of_another, steward.revocation_visible(steward.uuid7(), '18446744073709551615') AS future
  FROM receipt;

-- Doing it again does nothing: the first act's id and transaction, and zero counts.
CREATE TEMP TABLE first AS SELECT * FROM steward.revoke((SELECT id FROM key WHERE name = 'ann'), 'leak');
SELECT a.revocation_id = f.revocation_id AS same_id, a.xid = f.xid AS same_xid, a.credentials, a.pending_external
  FROM first f, steward.revoke((SELECT id FROM key WHERE name = 'ann'), 'unused') a;
SELECT reason FROM steward.revocation r, first f WHERE r.id = f.revocation_id;

-- Its own transaction does not call it visible yet; one that was rolled back never is.
BEGIN;
CREATE TEMP TABLE undone AS SELECT * FROM steward.revoke_principal('ann', 'test');
SELECT steward.revocation_visible(revocation_id, xid) FROM undone;
SELECT revocation_id AS id, xid FROM undone \gset
ROLLBACK;
SELECT steward.revocation_visible(:'id', :'xid');

-- Conditions hold together, and are written down.
INSERT INTO key SELECT n, credential_id, secret FROM (VALUES ('m1', 'billing', 'bills:read', 'production'), ('m2', 'billing', 'mail:read', 'production'),
  ('m3', 'billing', 'bills:read', 'test')) AS v(n, holder, scopes, env),
  LATERAL steward.issue_key(holder, scopes::steward.scope_set, environment => env);
SELECT pg_temp.live();
SELECT credentials FROM steward.revoke_matching('policy', scopes => 'bills:read', holder => 'billing', environment => 'production');
SELECT pg_temp.live();
SELECT subject_kind, filter, credentials FROM steward.revocation WHERE org_id = steward.default_org() AND reason = 'policy';
SELECT credentials FROM steward.revoke_matching('policy', owner => 'ann', issued_before => '2000-01-01');
-- A workflow's: what its agents and services hold, and what is named in it.
SELECT steward.register_workflow('close', 'ann', 'closes the month') IS NOT NULL AS made;
SELECT steward.register_agent('closer', 'ann', 'closes the month') IS NOT NULL AS made;
INSERT INTO key SELECT n, credential_id, secret FROM (VALUES ('w1', 'closer'), ('w2', 'billing'), ('w3', 'billing')) AS v(n, holder),
  LATERAL steward.issue_key(holder, 'bills:read', name => n);
SELECT steward.add_to_workflow('close', 'closer') IS NOT NULL AS added;
SELECT steward.add_to_workflow('close', (SELECT id::text FROM key WHERE name = 'w2')) IS NOT NULL AS added;
SELECT credentials FROM steward.revoke_matching('incident', workflow => 'close');
SELECT pg_temp.live();
SELECT credentials FROM steward.revoke_matching('policy', owner => 'ann', system => 'steward', kind => 'api_key');
SELECT pg_temp.live();

-- The whole organization, which has to be named; others live on.  It stays open for what is issued from then on.
INSERT INTO key SELECT 'o1', credential_id, secret FROM steward.issue_key('billing', 'bills:read');
SELECT credentials, principals FROM steward.revoke_organization('revocation', 'incident');
SELECT pg_temp.live(), (SELECT steward.is_authorized(secret) FROM key WHERE name = 'foreign') AS foreign_lives;
INSERT INTO key SELECT 'o2', credential_id, secret FROM steward.issue_key('billing', 'bills:read');
SELECT pg_temp.live();

-- Who may: security anything, app what it issued, an analyst nothing; in another organization nobody learns that it exists.
CREATE ROLE revocation_security;
CREATE ROLE revocation_app;
CREATE ROLE revocation_analyst;
SELECT steward.grant_profile('revocation_security', 'security'), steward.grant_profile('revocation_app', 'app'), steward.grant_profile('revocation_analyst', 'analyst');
GRANT SELECT, INSERT ON key TO revocation_app, revocation_security, revocation_analyst;
SET ROLE revocation_app;
INSERT INTO key SELECT 'app', credential_id, secret FROM steward.issue_key('billing', 'bills:read');
SELECT pg_temp.refused($$steward.revoke((SELECT id FROM key WHERE name = 'o2'), 'leak')$$) AS not_its_own,
  pg_temp.refused($$steward.revoke_principal('billing', 'leak')$$) AS principal, pg_temp.refused($$steward.revoke_organization('revocation', 'leak')$$) AS organization;
SELECT credentials FROM steward.revoke((SELECT id FROM key WHERE name = 'app'), 'no_longer_needed');
SET ROLE revocation_analyst;
SELECT pg_temp.refused($$steward.revoke((SELECT id FROM key WHERE name = 'o2'), 'leak')$$) AS analyst;
SET ROLE revocation_security;
SELECT pg_temp.refused($$steward.revoke_organization('revocation-other', 'leak')$$) AS other, pg_temp.refused($$steward.revoke_organization('no-such', 'leak')$$) AS none;
SELECT credentials FROM steward.revoke((SELECT id FROM key WHERE name = 'o2'), 'leak');
RESET ROLE;
SELECT pg_temp.live();

SELECT count(*) FILTER (WHERE status <> 'ok') AS alarms FROM steward.health WHERE check_name <> 'PostgreSQL roles';
SELECT steward.revoke_profile('revocation_security', 'security'), steward.revoke_profile('revocation_app', 'app'), steward.revoke_profile('revocation_analyst', 'analyst');
REVOKE ALL ON key FROM revocation_app, revocation_security, revocation_analyst;
DROP ROLE revocation_security, revocation_app, revocation_analyst;
