-- The questions about an inventory answer what was put in, for those who may ask, and for nobody else.
SELECT count(*) > 0 AS made FROM steward.setup(organization => 'credential-views');
SELECT steward.use_org('credential-views') IS NOT NULL AS chosen;
INSERT INTO steward.directory (org_id, name) VALUES (steward.default_org(), 'main');
INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name)
    SELECT d.org_id, d.id, n, n FROM steward.directory d, unnest(ARRAY['ann', 'bob']) AS n WHERE d.org_id = steward.default_org();
SELECT steward.register_system('crm', 'bob', 'saas', revocation_path => 'manual', runbook => 'ask the vendor') IS NOT NULL AS crm,
    steward.register_agent('bot', 'ann', 'test') IS NOT NULL AS bot;
CREATE TEMP TABLE key AS SELECT * FROM steward.issue_key('bot', 'crm:read crm:write mail:send', name => 'bot-key', lifetime => '10 days');
SELECT count(*) FROM steward.import_credentials('crm', '[{"external_id": "x-1", "name": "mystery", "tags": {"created_by": "bob"}, "permissions": ["crm:delete*"]},
    {"external_id": "x-2", "kind": "cloud_key", "permissions": ["s3:Get*", "s3:Put*"]}]');
SELECT steward.claim_credential('x-2', 'bot', 's3:GetObject') IS NOT NULL AS claimed;

SELECT credential, kind, why, last_owner FROM steward.orphaned_credentials WHERE org_id = steward.default_org();
SELECT name, never_expires, expires_at < now() + '11 days' AS soon, owner FROM steward.expiring_credentials WHERE org_id = steward.default_org() ORDER BY expires_at NULLS LAST, credential;
SELECT credential, intended, observed, too_much FROM steward.scope_drift WHERE org_id = steward.default_org();
-- used and unused
SET application_name = 'one';
SELECT (steward.authorize(secret, 'crm:read')).allowed FROM key;
SELECT name, granted, used, unused FROM steward.unused_scopes WHERE org_id = steward.default_org();
SELECT narrowing_statement AS narrow FROM steward.unused_scopes WHERE org_id = steward.default_org() \gset
SELECT count(*) FROM steward.shared_credentials WHERE org_id = steward.default_org();
SET application_name = 'two';
SELECT (steward.authorize(secret, 'crm:read')).allowed FROM key;
SELECT name, consumers FROM steward.shared_credentials WHERE org_id = steward.default_org();
:narrow
SELECT scopes FROM steward.credential_inventory WHERE org_id = steward.default_org() AND name = 'bot-key';
SELECT (steward.authorize(secret, 'crm:write')).reason FROM key;
-- stale, as of maintain(); only a flag until use is declared complete
SELECT steward.report_use(jsonb_build_array(jsonb_build_object('credential', c.id, 'at', '2024-01-01'))) FROM steward.credential c WHERE org_id = steward.default_org() AND external_id = 'x-2';
UPDATE steward.credential SET created_at = '2024-01-01' WHERE org_id = steward.default_org() AND external_id LIKE 'x-%';
SELECT count(*) > 0 AS maintained FROM steward.maintain();
SELECT credential, idle_since, use_is_complete FROM steward.stale_credentials WHERE org_id = steward.default_org() ORDER BY 1;
UPDATE steward.org_policy SET use_complete_since = '2024-01-01' WHERE org_id = steward.default_org();
SELECT credential, use_is_complete FROM steward.stale_credentials WHERE org_id = steward.default_org() ORDER BY 1;
-- what privileged means is in the catalogue
INSERT INTO steward.entitlement (org_id, title, scopes, privileged, data_classification) VALUES (steward.default_org(), 'reads every file', 's3:*', true, 'restricted');
SELECT principal, kind, title, data_classification, granted, source FROM steward.privileged_access WHERE org_id = steward.default_org();
-- who can do something, also by permissions that are not ours
SELECT principal, owner, how, covers, held FROM steward.who_can('s3:PutObject') ORDER BY 1, 2, 3, 5;
SELECT principal, owner, how, covers, held FROM steward.who_can('crm:delete') ORDER BY 1, 2, 3, 5;
SELECT count(*) FROM steward.who_can('nothing:here');
SELECT depth, what, how, CASE WHEN name LIKE 'stw1_%' THEN 'KEY' ELSE name END AS name, scopes FROM steward.blast_radius('ann') ORDER BY 1, 4;
SELECT depth, what, name FROM steward.blast_radius('crm') ORDER BY 1, 3;
SELECT topic, count(*) FROM steward.investigate('bot') GROUP BY 1 ORDER BY 1;
SELECT owner, task, CASE WHEN object LIKE 'stw1_%' THEN 'KEY' ELSE object END AS object, due IS NOT NULL AS has_date FROM steward.owner_tasks WHERE org_id = steward.default_org() ORDER BY 1, 2;
-- bad references raise
CREATE FUNCTION pg_temp.try(VARIADIC statements text[]) RETURNS TABLE (state text, message text) LANGUAGE plpgsql AS $$
DECLARE s text;
BEGIN
    FOREACH s IN ARRAY statements LOOP
        state := 'done'; message := '';
        BEGIN EXECUTE s; EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT; END;
        RETURN NEXT;
    END LOOP;
END $$;
SELECT * FROM pg_temp.try($$SELECT steward.blast_radius('')$$, $$SELECT steward.blast_radius(NULL)$$, $$SELECT steward.blast_radius('nobody')$$, $$SELECT steward.investigate(' bot')$$);
-- an analyst of another organization sees nothing of this one
CREATE ROLE credential_views_analyst;
SELECT count(*) > 0 AS made FROM steward.setup(organization => 'credential-views-other');
SELECT steward.grant_profile('credential_views_analyst', 'analyst', o.id) FROM steward.organization o WHERE slug = 'credential-views-other';
SELECT id AS this FROM steward.organization WHERE slug = 'credential-views' \gset
SET ROLE credential_views_analyst;
SELECT (SELECT count(*) FROM steward.orphaned_credentials) + (SELECT count(*) FROM steward.expiring_credentials) + (SELECT count(*) FROM steward.stale_credentials)
    + (SELECT count(*) FROM steward.unused_scopes) + (SELECT count(*) FROM steward.scope_drift) + (SELECT count(*) FROM steward.shared_credentials)
    + (SELECT count(*) FROM steward.privileged_access) + (SELECT count(*) FROM steward.owner_tasks) + (SELECT count(*) FROM steward.principals)
    + (SELECT count(*) FROM steward.access) + (SELECT count(*) FROM steward.links) + (SELECT count(*) FROM steward.changes)
    + (SELECT count(*) FROM steward.discovered_credentials) + (SELECT count(*) FROM steward.credential_uses) AS rows_seen;
SELECT * FROM pg_temp.try(format($$SELECT steward.blast_radius('ann', %L)$$, :'this'), format($$SELECT steward.who_can('a:b', %L)$$, :'this'), format($$SELECT steward.readable_org(%L)$$, :'this'), format($$SELECT steward.object_id('ann', %L)$$, :'this'), $$SELECT * FROM steward.credential$$, $$SELECT steward.suspend('bot', 'x')$$);
RESET ROLE;
SELECT steward.revoke_profile('credential_views_analyst', 'analyst', o.id) FROM steward.organization o WHERE slug = 'credential-views-other';
DROP ROLE credential_views_analyst;
