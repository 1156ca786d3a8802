-- Inventories of other systems: every format, every bad row for itself, what comes and goes, and claiming.
SELECT count(*) > 0 AS made FROM steward.setup(organization => 'credential-import');
SELECT steward.use_org('credential-import') IS NOT NULL AS chosen;
INSERT INTO steward.directory (org_id, name) VALUES (steward.default_org(), 'main');
INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name)
    SELECT d.org_id, d.id, u.id, u.name FROM steward.directory d, (VALUES ('1', 'ann'), ('2', 'bob')) AS u(id, name) WHERE d.org_id = steward.default_org();
SELECT count(steward.register_system(n, 'bob', 'cloud', revocation_path => 'connector')) FROM unnest(ARRAY['aws', 'github', 'vault', 'gcp', 'k8s', 'okta', 'list', 'own']) AS n;
SELECT steward.register_service('reports', 'ann') IS NOT NULL AS reports;
SET timezone = 'UTC';
SET datestyle = 'ISO';
\set aws `cat test/data/aws_credential_report.csv`
\set github `cat test/data/github_tokens.json`
\set vault `cat test/data/vault_accessors.json`
\set gcp `cat test/data/gcp_keys.json`
\set k8s `cat test/data/kubernetes_serviceaccounts.json`
\set okta `cat test/data/okta_tokens.json`
\set list `cat test/data/keys.csv`
\set recipe '{"columns": {"external_id": "Key ID", "name": "Label", "owner": "Team owner", "scopes": "Rights", "expires_at": "Expires on"}, "defaults": {"kind": "api_key"}}'

-- each format
SELECT * FROM steward.import_credentials('aws', to_jsonb(:'aws'::text), 'aws');
SELECT * FROM steward.import_credentials('github', :'github', 'github');
SELECT * FROM steward.import_credentials('vault', :'vault', 'vault');
SELECT * FROM steward.import_credentials('gcp', :'gcp', 'gcp');
SELECT * FROM steward.import_credentials('k8s', :'k8s', 'kubernetes');
SELECT * FROM steward.import_credentials('okta', :'okta', 'okta');
-- good rows are kept, bad ones reported one by one
SELECT * FROM steward.import_credentials('list', to_jsonb(:'list'::text), 'csv', recipe => :'recipe');
SELECT s.name AS system, c.external_id, c.kind, c.state, p.external_id AS belongs_to, c.expires_at, c.external_permissions, c.observed_scopes
    FROM steward.credential c JOIN steward.system s ON s.org_id = c.org_id AND s.id = c.system_id LEFT JOIN steward.credential p ON p.org_id = c.org_id AND p.id = c.parent_id
    WHERE c.org_id = steward.default_org() ORDER BY 1, 2;
-- who could answer for them, and what says so
SELECT system, external_id, suggested_owner, suggested_by, suggested_scopes FROM steward.discovered_credentials WHERE org_id = steward.default_org() ORDER BY 1, 2;
-- the same list again changes nothing, another one only what differs
CREATE TEMP TABLE audit_before AS SELECT count(*) FROM steward.audit_event WHERE org_id = steward.default_org() AND table_name = 'steward.credential';
SELECT action, count(*) FROM steward.import_credentials('aws', to_jsonb(:'aws'::text), 'aws') GROUP BY 1;
SELECT count(*) - (SELECT count FROM audit_before) AS audit_rows FROM steward.audit_event WHERE org_id = steward.default_org() AND table_name = 'steward.credential';
SELECT action, count(*) FROM steward.import_credentials('github', jsonb_set(:'github', '{0,permissions,repository,contents}', '"admin"'), 'github') GROUP BY 1;

-- our own format; what names holder, owner and scopes is claimed, where the rules allow it
SELECT steward.grant_scopes('reports', 'reports:*', justification => 'test') IS NOT NULL AS granted;
SELECT * FROM steward.import_credentials('own', '[
    {"external_id": "o-1", "holder": "reports", "owner": "ann", "scopes": "reports:read"},
    {"external_id": "o-2", "holder": "reports", "owner": "ann", "scopes": ["reports:read", "crm:read"]},
    {"external_id": "o-3", "holder": "reports", "owner": "zoe", "scopes": "reports:read"},
    {"external_id": "o-4", "holder": "ghost", "owner": "ann", "scopes": "reports:read"},
    {"external_id": "o-5", "owner": "ann"},
    {"external_id": "o-6", "secret": "hunter2"}, {"external_id": "o-7", "kind": "amulet"}, {"external_id": " o-8"}, {"name": "no id"}, 7, null,
    {"external_id": "o-9", "name": "bad\u0007bell"}, {"external_id": "o-10", "issued_at": "yesterday"}, {"external_id": "o-11", "name": "@SUM(A1)"}]');
SELECT external_id, state FROM steward.credential WHERE org_id = steward.default_org() AND external_id LIKE 'o-%' ORDER BY 1;

SELECT steward.widen_all(ARRAY['s3:Get*', 's3:GetObject', '', NULL, 'a:b']), cardinality(steward.widen_all(ARRAY(SELECT 'a:' || n FROM generate_series(1, 2000) n))::text[]);

-- claiming, one by one
CREATE FUNCTION pg_temp.try(VARIADIC statements text[]) RETURNS TABLE (state text, message text, detail text) LANGUAGE plpgsql AS $$
DECLARE s text;
BEGIN
    FOREACH s IN ARRAY statements LOOP
        state := 'done'; message := ''; detail := '';
        BEGIN EXECUTE s; EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL; END;
        RETURN NEXT;
    END LOOP;
END $$;
CREATE TEMP VIEW truth AS SELECT md5(string_agg(c::text, '|' ORDER BY c.id)) AS digest FROM steward.credential c WHERE org_id = steward.default_org();
SELECT digest AS before FROM truth \gset
UPDATE steward.credential_policy SET ceiling = 'reports:*' WHERE org_id = steward.default_org() AND kind = 'api_key';
SELECT * FROM pg_temp.try(
    $$SELECT steward.claim_credential('nothing', 'reports', 'a:b')$$,
    $$SELECT steward.claim_credential('o-1', 'reports', 'reports:read')$$,
    $$SELECT steward.claim_credential('o-5', 'nobody', 'reports:read')$$,
    $$SELECT steward.claim_credential('o-5', 'reports', 'reports:read', owner => 'reports')$$,
    $$SELECT steward.claim_credential('o-5', 'reports', '')$$,
    $$SELECT steward.claim_credential('o-5', 'reports', NULL)$$,
    $$SELECT steward.claim_credential('o-5', 'reports', 'crm:read')$$,
    $$SELECT steward.issue_key('o-5', 'crm:read')$$);
SELECT digest = :'before' AS nothing_changed FROM truth;
SELECT steward.claim_credential('o-5', 'reports', 'reports:read', justification => 'monthly report') IS NOT NULL AS claimed;
UPDATE steward.credential_policy SET ceiling = NULL WHERE org_id = steward.default_org();
-- by pattern, as suggested
SELECT external_id, action, detail FROM steward.claim_matching('list', 'k-%') ORDER BY 1;
SELECT external_id, action, detail FROM steward.claim_matching('aws', '%access_key%', scopes => 's3:*', owner => 'bob') ORDER BY 1;
SELECT count(*) FROM steward.claim_matching('aws', 'nothing%');
SELECT c.external_id, h.name AS holder, o.user_name AS owner, c.scopes FROM steward.credential c JOIN steward.principal h ON h.org_id = c.org_id AND h.id = c.holder_id
    JOIN steward.principal o ON o.org_id = c.org_id AND o.id = c.owner_id WHERE c.org_id = steward.default_org() AND c.state = 'active' ORDER BY 1;

-- a complete list: what is gone, what is confirmed gone after its revocation, and what comes back
SELECT credentials, pending_external FROM steward.revoke('o-1', 'unused');
SELECT external_id, action, detail FROM steward.import_credentials('own', '[{"external_id": "o-1"}, {"external_id": "o-2"}]', complete => true) ORDER BY 1;
SELECT external_id, action, detail FROM steward.import_credentials('own', '[{"external_id": "o-2"}]', complete => true) ORDER BY 1;
SELECT c.external_id, c.state, c.external_pending, t.state AS task, t.evidence ->> 'not_listed_by' AS evidence, c.gone_at IS NOT NULL AS gone
    FROM steward.credential c LEFT JOIN steward.revocation_task t ON t.org_id = c.org_id AND t.credential_id = c.id
    WHERE c.org_id = steward.default_org() AND c.external_id LIKE 'o-%' ORDER BY 1;
SELECT external_id, action, detail FROM steward.import_credentials('own', '[{"external_id": "o-1"}]');
SELECT external_id, action FROM steward.import_credentials('own', '[{"external_id": "o-1"}]');
SELECT kind, severity, source, detail FROM steward.credential_finding WHERE org_id = steward.default_org();
-- a list of keys says nothing about other kinds
SELECT action, count(*) FROM steward.import_credentials('gcp', :'gcp', 'gcp', complete => true) GROUP BY 1;
SELECT s.name, r.format, r.complete, r.found, r.added, r.changed, r.gone, r.confirmed, r.reappeared, r.refused FROM steward.import_run r
    JOIN steward.system s ON s.org_id = r.org_id AND s.id = r.system_id WHERE r.org_id = steward.default_org() ORDER BY r.id;

-- what is no such list at all stops the call, and nothing is half done
SELECT digest AS before FROM truth \gset
SELECT * FROM pg_temp.try(
    $$SELECT steward.import_credentials('nothing', '[{"external_id": "x"}]')$$,
    $$SELECT steward.import_credentials('own', NULL)$$,
    $$SELECT steward.import_credentials('own', '[]')$$,
    $$SELECT steward.import_credentials('own', '[]', complete => true)$$,
    $$SELECT steward.import_credentials('own', '7')$$,
    $$SELECT steward.import_credentials('own', '{"things": []}')$$,
    $$SELECT steward.import_credentials('github', '"a,b"', 'github')$$,
    $$SELECT steward.import_credentials('own', '[{"external_id": "x"}]', 'excel')$$,
    $$SELECT steward.import_credentials('own', '"a,b\n1,2"', 'csv')$$,
    $$SELECT steward.import_credentials('own', '"a,b\n1,2"', 'csv', recipe => '{}')$$,
    $$SELECT steward.import_credentials('own', '"a,b\n1,2"', 'csv', recipe => '{"columns": {"name": "a"}}')$$,
    $$SELECT steward.import_credentials('own', '"a,b\n1,2"', 'csv', recipe => '{"columns": {"external_id": "a", "colour": "b"}}')$$,
    $$SELECT steward.import_credentials('own', '"a,b\n1,2"', 'csv', recipe => '{"columns": {"external_id": "c"}}')$$,
    $$SELECT steward.import_credentials('own', '"a,b\n1,\"2"', 'csv', recipe => '{"columns": {"external_id": "a"}}')$$,
    $$SELECT steward.import_credentials('own', '"a,b\n1,2\"3"', 'csv', recipe => '{"columns": {"external_id": "a"}}')$$,
    $$SELECT steward.import_credentials('own', '"a,b\n1,\"2\"3"', 'csv', recipe => '{"columns": {"external_id": "a"}}')$$);
SELECT digest = :'before' AS nothing_changed FROM truth;
