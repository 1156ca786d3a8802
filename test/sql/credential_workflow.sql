-- One select answers: every credential this AI workflow can use, whose, for what, how is it taken away.
SELECT count(*) > 0 AS made FROM steward.setup(organization => 'credential-workflow');
SELECT steward.use_org('credential-workflow') IS NOT NULL AS chosen;
INSERT INTO steward.directory (org_id, name) VALUES (steward.default_org(), 'main');
INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name)
    SELECT d.org_id, d.id, n, n FROM steward.directory d, unnest(ARRAY['ann', 'bob']) AS n WHERE d.org_id = steward.default_org();
SELECT steward.register_system('crm', 'bob', 'saas', revocation_path => 'manual', runbook => 'ask the vendor') IS NOT NULL AS crm,
    steward.register_agent('bot', 'ann', 'test') IS NOT NULL AS bot;
SELECT count(steward.register_credential(e, 'crm', k, h, s::steward.scope_set)) FROM (VALUES ('acc', 'account', 'bot', 'crm:*'), ('ann-crm', 'api_key', 'ann', 'crm:read'),
    ('ann-hr', 'api_key', 'ann', 'hr:read'), ('extra', 'api_key', 'bob', 'x:y')) AS v(e, k, h, s);
SELECT count(*) FROM steward.import_credentials('crm', '[{"external_id": "acc-key", "belongs_to": "acc"}]');
INSERT INTO steward.delegation (org_id, principal_id, actor_id, kind, scopes, created_by)
    SELECT p.org_id, p.id, b.id, 'may_act', 'crm:read', current_user FROM steward.principal p, steward.principal b
    WHERE p.org_id = steward.default_org() AND b.org_id = p.org_id AND p.user_name = 'ann' AND b.name = 'bot';
SELECT steward.register_workflow('support', 'ann', 'answers tickets') IS NOT NULL AS workflow;
SELECT steward.add_to_workflow('support', 'bot'), steward.add_to_workflow('support', 'bot'), steward.add_to_workflow('support', 'extra', 'x:y', 'exports');
-- held, belonging to what is held, through a delegation only within its scopes, and named
SELECT workflow, credential, holder, owner, scopes, needs, reached_by, system, taken_away, status FROM steward.workflow_credentials WHERE org_id = steward.default_org() ORDER BY 2;
CREATE FUNCTION pg_temp.try(VARIADIC statements text[]) RETURNS TABLE (state text, message text) LANGUAGE plpgsql AS $$
DECLARE s text;
BEGIN
    FOREACH s IN ARRAY statements LOOP
        state := 'done'; message := '';
        BEGIN EXECUTE s; EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT; END;
        RETURN NEXT;
    END LOOP;
END $$;
SELECT * FROM pg_temp.try($$SELECT steward.register_workflow('support', 'bob', 'x')$$, $$SELECT steward.register_workflow('w', 'bot', 'x')$$, $$SELECT steward.register_workflow('w', 'ann', NULL)$$,
    $$SELECT steward.register_workflow('', 'ann', 'x')$$, $$SELECT steward.add_to_workflow('nothing', 'bot')$$, $$SELECT steward.add_to_workflow('support', 'nothing')$$, $$SELECT steward.add_to_workflow('support', NULL)$$);
SELECT count(*) FROM steward.workflow WHERE org_id = steward.default_org();
