-- A key from its issue to its end: what is stored of it, what it opens, and each way in which it stops.
\set ECHO none
\getenv here PG_ABS_SRCDIR
\i :here/helper/cases.sql
\set ECHO all
SELECT pg_temp.company('key-life') IS NOT NULL AS chosen;
SELECT steward.register_service('billing', 'dana@hr.example', environment => 'production') IS NOT NULL AS service;
SELECT credential_id, secret, expires_at, expires_at BETWEEN now() + interval '30 days' AND now() + interval '30 days 1 minute' AS in_30_days
FROM steward.issue_key('billing', 'bills:read', lifetime => '30 days', name => 'main', justification => 'nightly run', ticket => 'T-1') \gset
SELECT :'in_30_days' AS in_30_days, :'secret' ~ '^stw1_[0-9A-Za-z]{93}$' AS has_the_form, length(:'secret');
-- What is stored: a digest and a display form that shows nothing of the secret.
SELECT kind, state, c.name, o.user_name AS owner, environment, source, digest IS NOT NULL AS digested, digest_version, issued_by = current_user AS issued_by_me,
	justification, ticket, display = 'stw1_…' || right(left(:'secret', 49), 6) AS display_is_of_the_id, auth_method
FROM steward.credential c JOIN LATERAL (SELECT p.user_name FROM steward.principal p WHERE p.org_id = c.org_id AND p.id = c.owner_id) o ON true WHERE c.id = :'credential_id';
SELECT count(*) AS places_with_the_secret FROM (SELECT to_jsonb(c)::text AS row FROM steward.credential c UNION ALL SELECT a::text FROM steward.audit_event a) r
WHERE position(substr(:'secret', 50, 43) IN r.row) > 0;
-- An admin's key brought its grant along; what is granted already is not granted twice.
SELECT g.source, g.justification, g.ticket FROM steward.scope_grant g JOIN steward.principal p USING (org_id) WHERE p.id = g.principal_id AND p.name = 'billing' AND g.org_id = steward.default_org();
SELECT pg_temp.key('billing', 'bills:read') <> '' AS another;
SELECT count(*) AS grants FROM steward.scope_grant WHERE org_id = steward.default_org();

-- What it opens.
CREATE FUNCTION pg_temp.ask(token text, required text DEFAULT 'bills:read', audience text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
	SELECT reason || CASE WHEN allowed <> steward.is_authorized(token, required::steward.scope_set) AND audience IS NULL THEN ' and is_authorized() differs' ELSE '' END
	FROM steward.authorize(token, required::steward.scope_set, audience)
$$;
SELECT pg_temp.ask(:'secret') AS asked, pg_temp.ask(:'secret', '') AS nothing_required, pg_temp.ask(:'secret', 'bills:write') AS more, pg_temp.ask(:'secret', 'bills:read', 'steward') AS here,
	pg_temp.ask(:'secret', 'bills:read', 'elsewhere') AS elsewhere;
SELECT a.allowed, a.organization = steward.default_org() AS organization, a.principal = p.id AS principal, a.credential = :'credential_id' AS credential, a.actor_chain, a.scopes::text, a.expires_at = :'expires_at' AS expires,
	a.as_of BETWEEN now() AND clock_timestamp() AS as_of
FROM steward.authorize(:'secret') a, steward.principal p WHERE p.name = 'billing' AND p.org_id = steward.default_org();
-- For another organization it is as unknown as any.
SELECT a.reason, a.credential FROM steward.authorize(:'secret', org => '01900000-0000-7000-8000-000000000001') a;
BEGIN;
-- A secret that was never issued, with ids that were: unknown, and no ids.
UPDATE steward.credential SET digest = repeat('00', 32)::steward.digest WHERE name = 'main' AND org_id = steward.default_org();
SELECT reason, principal IS NULL AND credential IS NULL AND organization IS NULL AS names_nobody FROM steward.authorize(:'secret');
ROLLBACK;

-- Each thing that stops it, and its effective status then; everything is taken back each time.
CREATE FUNCTION pg_temp.stop(change text, secret text, id uuid, OUT reason text, OUT status text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE change;
	reason := pg_temp.ask(secret);
	SELECT i.status INTO status FROM steward.credential_inventory i WHERE i.credential_id = id;
	RAISE EXCEPTION USING ERRCODE = 'TAKEB';
EXCEPTION WHEN SQLSTATE 'TAKEB' THEN NULL;
END $$;
CREATE TEMP TABLE stopper (n serial, what text, change text);
INSERT INTO stopper (what, change) VALUES
	('nothing', 'SELECT 1'),
	('expired', $$UPDATE steward.credential SET issued_at = now() - interval '2 days', expires_at = now() - interval '1 second' WHERE id = '%s'$$),
	('expires this moment', $$UPDATE steward.credential SET issued_at = now() - interval '2 days', expires_at = now() WHERE id = '%s'$$),
	('not before tomorrow', $$UPDATE steward.credential SET not_before = now() + interval '1 day' WHERE id = '%s'$$),
	('rotation overdue', $$UPDATE steward.credential SET rotate_by = now() - interval '1 second' WHERE id = '%s'$$),
	('suspended', $$UPDATE steward.credential SET state = 'suspended' WHERE id = '%s'$$),
	('revoked', $$SELECT steward.revoke('%s'::uuid, 'leak')$$),
	('holder suspended', $$UPDATE steward.principal SET state = 'suspended' WHERE name = 'billing' AND org_id = steward.default_org()$$),
	('holder ended', $$UPDATE steward.principal SET ends_at = now() WHERE name = 'billing' AND org_id = steward.default_org()$$),
	('holder not started', $$UPDATE steward.principal SET starts_at = now() + interval '1 day' WHERE name = 'billing' AND org_id = steward.default_org()$$),
	('holder''s epoch', $$UPDATE steward.principal SET tokens_valid_after = clock_timestamp() WHERE name = 'billing' AND org_id = steward.default_org()$$),
	('owner suspended', $$UPDATE steward.principal SET state = 'suspended' WHERE user_name = 'dana@hr.example' AND org_id = steward.default_org()$$),
	('owner ended', $$UPDATE steward.principal SET ends_at = now() WHERE user_name = 'dana@hr.example' AND org_id = steward.default_org()$$),
	('owner''s epoch', $$UPDATE steward.principal SET tokens_valid_after = clock_timestamp() WHERE user_name = 'dana@hr.example' AND org_id = steward.default_org()$$),
	('owner offboarded, nobody takes over', $$UPDATE steward.directory_user SET manager_user_id = NULL WHERE org_id = steward.default_org(); UPDATE steward.directory_user SET active = false WHERE user_name = 'dana@hr.example' AND org_id = steward.default_org()$$),
	('organization suspended', $$UPDATE steward.organization SET state = 'suspended' WHERE slug = 'key-life'$$),
	('organization closed', $$UPDATE steward.organization SET state = 'closed' WHERE slug = 'key-life'$$),
	('organization''s epoch', $$UPDATE steward.organization SET tokens_valid_after = clock_timestamp() WHERE slug = 'key-life'$$),
	('holder revoked', $$SELECT steward.revoke_principal('billing', 'incident')$$);
SELECT s.what, t.* FROM stopper s, pg_temp.stop(format(s.change, :'credential_id'), :'secret', :'credential_id') t ORDER BY s.n;
SELECT pg_temp.ask(:'secret') AS still;

-- Policy decides how long, and whether a key may bring its grant along.
UPDATE steward.credential_policy SET default_lifetime = '1 day', max_lifetime = '2 days' WHERE org_id = steward.default_org() AND kind = 'api_key';
SELECT expires_at BETWEEN now() + interval '1 day' AND now() + interval '1 day 1 minute' AS by_default FROM steward.issue_key('billing', 'bills:read');
SELECT * FROM pg_temp.attempt($$SELECT steward.issue_key('billing', 'bills:read', lifetime => '3 days')$$);
UPDATE steward.org_policy SET implicit_grant = false WHERE org_id = steward.default_org();
SELECT * FROM pg_temp.attempt($$SELECT steward.issue_key('billing', 'bills:write')$$);
SELECT steward.grant_scopes('billing', 'bills:write', 'asked for in T-2', ends_at => now() + interval '1 hour') IS NOT NULL AS granted;
SELECT pg_temp.key('billing', 'bills:write') <> '' AS now_it_may;
UPDATE steward.scope_grant SET ends_at = now() - interval '1 second', starts_at = now() - interval '1 hour' WHERE org_id = steward.default_org() AND scopes::text = 'bills:write';
SELECT * FROM pg_temp.attempt($$SELECT steward.issue_key('billing', 'bills:write')$$);
DELETE FROM steward.credential_policy WHERE org_id = steward.default_org() AND kind = 'api_key';
SELECT * FROM pg_temp.attempt($$SELECT steward.issue_key('billing', 'bills:read')$$);

-- Revoking: a dry run says what would be and does nothing; the act has a receipt; once more is the same receipt.
SELECT * FROM steward.revoke('main', 'leak', dry_run => true);
SELECT pg_temp.ask(:'secret') AS after_the_dry_run;
-- What runs in a preview can know that it does.
BEGIN;
CREATE FUNCTION pg_temp.tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'previewing: %', steward.previewing(); RETURN NULL; END $$;
CREATE TRIGGER tell AFTER INSERT ON steward.revocation EXECUTE FUNCTION pg_temp.tell();
SELECT credentials FROM steward.revoke('main', 'leak', dry_run => true);
SELECT credentials FROM steward.revoke('main', 'leak');
ROLLBACK;
SELECT revocation_id AS receipt, credentials, pending_external FROM steward.revoke('main', 'leak', note => 'seen in a public repository') \gset
SELECT :'credentials' AS credentials, :'pending_external' AS pending, pg_temp.ask(:'secret') AS asked;
SELECT revocation_id = :'receipt' AS same_receipt, credentials FROM steward.revoke(:'credential_id'::uuid, 'leak');
SELECT reason, note, subject_kind, actor = current_user AS by_me, credentials FROM steward.revocation WHERE id = :'receipt';
SELECT status, revocation_reason FROM steward.credential_inventory WHERE credential_id = :'credential_id';
