-- Where runtime monitoring ends and identity control begins is data with evidence: each risk has a layer that answers,
-- each control proves itself from rows, and evidence that cannot be read is a result, never an error of the caller.
SELECT count(*) > 0 AS made FROM steward.setup(organization => 'boundary');
SELECT count(*) > 0 AS made FROM steward.setup(organization => 'boundary-other');
SELECT steward.use_org('boundary') IS NOT NULL AS chosen;
CREATE FUNCTION pg_temp.state_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''));
END $$;
SELECT unmatched FROM steward.import_directory('boundary-dir', '[
    {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "1", "userName": "ada@boundary.example"},
    {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "2", "userName": "bob@boundary.example"}]') WHERE resource = 'users';

-- the catalogue: both Top 10 whole, every risk with a layer, and a written split wherever it is shared
SELECT catalogue, count(*) >= 10 AS ten, count(DISTINCT id) = count(*) AS ids_unique, bool_and(layer IS NOT NULL AND (layer = 'shared') = (split IS NOT NULL)) AS layered
FROM steward.risk GROUP BY catalogue ORDER BY catalogue;
SELECT id, name, layer FROM steward.risk WHERE catalogue LIKE 'OWASP%' ORDER BY catalogue, length(id), id;

-- every risk that a built-in control names is in the catalogue, every evidence view is there, and none is executable SQL of an organization
SELECT count(*) >= 12 AS enough, count(*) FILTER (WHERE to_regclass('steward.' || evidence_view) IS NULL) AS without_view FROM steward.builtin_control;
SELECT b.id, r FROM steward.builtin_control b, unnest(b.risks) AS r WHERE NOT EXISTS (SELECT FROM steward.risk k WHERE k.id = r);
SELECT count(*) AS nhi_risks_without_a_control FROM steward.risk k WHERE catalogue = 'OWASP NHI 2025' AND NOT EXISTS (SELECT FROM steward.builtin_control b WHERE k.id = ANY (b.risks));

-- before anybody asked, nothing is covered
SELECT DISTINCT status FROM steward.control_coverage WHERE org_id = steward.default_org();
SELECT result FROM steward.evaluate_controls('agents-owned');
SELECT steward.register_agent('boundary-bot', owner => 'ada@boundary.example', purpose => 'test') IS NOT NULL AS registered;
SELECT control_id, result, rows_failing FROM steward.evaluate_controls() ORDER BY control_id COLLATE "C";
SELECT control_id, status, proven_since IS NOT NULL AS proven FROM steward.control_coverage
WHERE org_id = steward.default_org() AND control_id IN ('agents-owned', 'agents-monitored', 'keys-expire') ORDER BY 1;

-- a control fails when the rows say so, recovers when they do, and what is proven counts from the recovery
SELECT steward.register_system('boundary-saas', 'ada@boundary.example', 'saas') IS NOT NULL AS registered;
SELECT result, rows_seen, rows_failing, detail FROM steward.evaluate_controls('third-parties-revocable');
UPDATE steward.system SET runbook = 'Console, Keys, Delete' WHERE org_id = steward.default_org() AND name = 'boundary-saas';
SELECT result, detail FROM steward.evaluate_controls('third-parties-revocable');
SELECT c.status, c.proven_since > (SELECT max(e.evaluated_at) FROM steward.control_evidence e WHERE e.org_id = c.org_id AND e.control_id = c.control_id AND e.result = 'fail') AS since_recovery
FROM steward.control_coverage c WHERE org_id = steward.default_org() AND control_id = 'third-parties-revocable';
-- equal evidence has an equal digest, other evidence another
SELECT result FROM steward.evaluate_controls('agents-owned');
SELECT count(*) AS asked, count(DISTINCT digest) AS digests FROM steward.control_evidence WHERE org_id = steward.default_org() AND control_id = 'agents-owned' AND result = 'pass';
-- evidence goes stale
BEGIN;
ALTER TABLE steward.control_evidence DISABLE TRIGGER audit;
UPDATE steward.control_evidence SET evaluated_at = evaluated_at - interval '2 days' WHERE org_id = steward.default_org() AND control_id = 'agents-owned';
SELECT status FROM steward.control_coverage WHERE org_id = steward.default_org() AND control_id = 'agents-owned';
SELECT status, part FROM steward.control_boundary WHERE org_id = steward.default_org() AND risk_id = 'NHI10:2025' AND layer = 'admin_control';
-- maintain() asks again by itself what was asked once
SELECT count(*) > 0 AS maintained FROM steward.maintain();
SELECT status FROM steward.control_coverage WHERE org_id = steward.default_org() AND control_id = 'agents-owned';
ROLLBACK;

-- the boundary: one row a risk and layer, the layer that answers, and a decision that moves it
SELECT count(*) = 6 * (SELECT count(*) FROM steward.risk) AS complete FROM steward.control_boundary WHERE org_id = steward.default_org();
SELECT layer, part, status FROM steward.control_boundary WHERE org_id = steward.default_org() AND risk_id = 'NHI1:2025' ORDER BY layer;
SELECT steward.treat_risk('LLM01:2025', 'shared', 'ada@boundary.example', 'mitigate', 'agreed in review',
    split => '{"runtime_monitoring": "sees it", "authorization": "stops the agent"}');
SELECT layer, part, answers_for, owner, decision FROM steward.control_boundary WHERE org_id = steward.default_org() AND risk_id = 'LLM01:2025' AND part <> 'supports' ORDER BY layer;
SELECT steward.add_risk('OWN-1', 'Agents that trade', 'an agent moves money', 'admin_control');
SELECT layer, part, status FROM steward.control_boundary WHERE org_id = steward.default_org() AND risk_id = 'OWN-1' AND part IS NOT NULL;

-- a control of the DBA's: a view, by name
CREATE VIEW public.boundary_evidence AS SELECT o.id AS org_id, true AS passed, 'fine'::text AS detail FROM steward.organization o;
SELECT steward.register_control('own-check', 'Ours holds', 'admin_control', 'public.boundary_evidence', ARRAY['OWN-1'], '{"SOC 2": ["CC6.1"]}');
SELECT result, rows_seen, detail FROM steward.evaluate_controls('own-check');
SELECT risks, refs, status FROM steward.control_coverage WHERE org_id = steward.default_org() AND control_id = 'own-check';
-- it errs, lacks a column, changes hands, does harm, is gone: a result each time
CREATE OR REPLACE VIEW public.boundary_evidence AS SELECT o.id AS org_id, 1 / (length(o.slug) - length(o.slug)) = 1 AS passed, 'fine'::text AS detail FROM steward.organization o;
SELECT result, detail FROM steward.evaluate_controls('own-check');
DROP VIEW public.boundary_evidence;
CREATE VIEW public.boundary_evidence AS SELECT o.id AS org_id, 'fine'::text AS detail FROM steward.organization o;
SELECT result, detail FROM steward.evaluate_controls('own-check');
DROP VIEW public.boundary_evidence;
CREATE VIEW public.boundary_evidence AS SELECT o.id AS org_id, 'yes'::text AS passed, 'fine'::text AS detail FROM steward.organization o;
SELECT result, detail FROM steward.evaluate_controls('own-check');
DROP VIEW public.boundary_evidence;
CREATE TABLE public.boundary_harm (n integer);
CREATE FUNCTION public.boundary_harm() RETURNS boolean LANGUAGE sql AS 'INSERT INTO public.boundary_harm VALUES (1); SELECT true';
CREATE VIEW public.boundary_evidence AS SELECT o.id AS org_id, public.boundary_harm() AS passed, 'fine'::text AS detail FROM steward.organization o;
SELECT result, detail FROM steward.evaluate_controls('own-check');
SELECT count(*) AS written FROM public.boundary_harm;
CREATE ROLE boundary_owner;
ALTER VIEW public.boundary_evidence OWNER TO boundary_owner;
SELECT result, replace(detail, current_user, 'superuser') AS detail FROM steward.evaluate_controls('own-check');
DROP VIEW public.boundary_evidence;
SELECT result, detail FROM steward.evaluate_controls('own-check');
SELECT status, proven_since FROM steward.control_coverage WHERE org_id = steward.default_org() AND control_id = 'own-check';
SELECT steward.retire_control('own-check'), steward.retire_control('own-check') AS again;
DROP FUNCTION public.boundary_harm();
DROP TABLE public.boundary_harm;
DROP ROLE boundary_owner;

-- bad input
CREATE VIEW public.boundary_unfit AS SELECT 1 AS one;
SELECT pg_temp.state_of(s) FROM (VALUES
    (1, $$SELECT steward.treat_risk('LLM99:2025', 'sso', 'ada@boundary.example', 'mitigate', 'x')$$),
    (2, $$SELECT steward.treat_risk('LLM02:2025', 'firewall', 'ada@boundary.example', 'mitigate', 'x')$$),
    (3, $$SELECT steward.treat_risk('LLM02:2025', 'sso', 'boundary-bot', 'mitigate', 'x')$$),
    (4, $$SELECT steward.treat_risk('LLM02:2025', 'sso', 'nobody', 'mitigate', 'x')$$),
    (5, $$SELECT steward.treat_risk('LLM02:2025', 'sso', 'ada@boundary.example', 'hope', 'x')$$),
    (6, $$SELECT steward.treat_risk('LLM02:2025', 'shared', 'ada@boundary.example', 'mitigate', 'x')$$),
    (7, $$SELECT steward.treat_risk('LLM02:2025', 'shared', 'ada@boundary.example', 'mitigate', 'x', split => '{"sso": "all"}')$$),
    (8, $$SELECT steward.treat_risk('LLM02:2025', 'shared', 'ada@boundary.example', 'mitigate', 'x', split => '{"sso": "a", "firewall": "b"}')$$),
    (9, $$SELECT steward.treat_risk('LLM02:2025', 'sso', 'ada@boundary.example', 'mitigate', NULL)$$),
    (10, $$SELECT steward.add_risk('OWN-1', 'again', 'x', 'sso')$$),
    (11, $$SELECT steward.add_risk('NHI1:2025', 'taken', 'x', 'sso')$$),
    (12, $$SELECT steward.add_risk('a b', 'spaces', 'x', 'sso')$$),
    (13, $$SELECT steward.register_control('bad', 'x', 'sso', 'public.boundary_unfit', '{}')$$),
    (14, $$SELECT steward.register_control('bad', 'x', 'sso', 'steward.installation', '{}')$$),
    (15, $$SELECT steward.register_control('bad', 'x', 'sso', 'steward.evidence_keys_expire', ARRAY['NOPE'])$$),
    (16, $$SELECT steward.register_control('keys-expire', 'x', 'sso', 'steward.evidence_keys_expire', '{}')$$),
    (17, $$SELECT * FROM steward.evaluate_controls('nope')$$),
    (18, $$SELECT * FROM steward.evaluate_controls(org => NULL)$$)
) AS t(n, s) ORDER BY n;
DROP VIEW public.boundary_unfit;
SELECT count(*) AS treatments FROM steward.risk_treatment WHERE org_id = steward.default_org();

-- who is who: an analyst reads, an auditor asks the evidence, only an administrator decides, only a superuser names a view; another organization is not there
CREATE ROLE boundary_analyst; CREATE ROLE boundary_auditor; CREATE ROLE boundary_admin;
SELECT steward.grant_profile('boundary_analyst', 'analyst'), steward.grant_profile('boundary_auditor', 'auditor'), steward.grant_profile('boundary_admin', 'admin');
CREATE VIEW public.boundary_evidence AS SELECT o.id AS org_id, true AS passed, 'fine'::text AS detail FROM steward.organization o;
SET ROLE boundary_analyst;
SELECT count(DISTINCT org_id) AS organizations, count(*) > 100 AS rows FROM steward.control_boundary;
SELECT count(DISTINCT org_id) AS organizations FROM steward.control_coverage;
SELECT pg_temp.state_of('SELECT * FROM steward.evaluate_controls()');
SET ROLE boundary_auditor;
SELECT result FROM steward.evaluate_controls('agents-owned');
SELECT pg_temp.state_of($$SELECT steward.treat_risk('LLM02:2025', 'sso', 'ada@boundary.example', 'mitigate', 'x')$$);
SET ROLE boundary_admin;
SELECT steward.treat_risk('LLM03:2025', 'admin_control', 'ada@boundary.example', 'accept', 'small');
SELECT pg_temp.state_of($$SELECT steward.register_control('mine', 'x', 'sso', 'public.boundary_evidence', '{}')$$);
RESET ROLE;
SELECT pg_temp.state_of(format('SET ROLE boundary_admin; SELECT * FROM steward.evaluate_controls(org => %L)', id)) FROM steward.organization WHERE slug = 'boundary-other';
RESET ROLE;
DROP VIEW public.boundary_evidence;
SELECT steward.revoke_profile('boundary_analyst', 'analyst'), steward.revoke_profile('boundary_auditor', 'auditor'), steward.revoke_profile('boundary_admin', 'admin');
DROP ROLE boundary_analyst, boundary_auditor, boundary_admin;
