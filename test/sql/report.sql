-- The report is one page that needs nothing from elsewhere, and whatever names hold, they are data in it.
\pset format unaligned
\pset tuples_only on
SELECT count(*) > 0 FROM steward.setup(organization => 'report');
SELECT steward.use_org('report') IS NOT NULL;
UPDATE steward.organization SET name = '<script>alert("o")</script> & ''Söhne''' WHERE id = steward.default_org();
SELECT count(*) FROM steward.import_directory('report-dir', '[
    {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "1", "userName": "ada@report.example"},
    {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "2", "userName": "\"><svg onload=alert(1)>"}]');
SELECT steward.register_agent(n, 'ada@report.example', 'x', model => '</td></table><script>x') IS NOT NULL
FROM (VALUES ('<script>alert(1)</script>'), ('"><img src=x onerror=alert(1)>'), ('a&amp;b'), ('javascript:alert(1)'), ('--><!--'), ('</style></svg>')) AS t(n);
SELECT steward.register_system('<iframe src=//evil>', 'ada@report.example', 'saas') IS NOT NULL;
SELECT steward.register_credential('<object data=x>', '<iframe src=//evil>', 'api_key', '<script>alert(1)</script>', '*') IS NOT NULL;
SELECT steward.add_risk('R-1', '<b onmouseover=x>', 'x', 'sso'), steward.treat_risk('R-1', 'shared', 'ada@report.example', 'mitigate', 'x', split => '{"sso": "\" onclick=\"x", "audit_log": "<b>"}');
UPDATE steward.directory_user SET active = false WHERE org_id = steward.default_org() AND user_name <> 'ada@report.example';
SELECT steward.register_service('w', 'ada@report.example') IS NOT NULL, steward.register_signal_source('w', 'w') IS NOT NULL;
SELECT outcome FROM steward.report_signal('{"id": "1", "agent": "<blink>", "side": "prompt", "category": "jailbreak", "score": 1, "policy": "<p>"}', 'w');
SELECT count(*) > 0 FROM steward.evaluate_controls();
SELECT count(*) > 0 FROM steward.maintain();
CREATE TEMP TABLE page AS SELECT steward.report_html() AS html;

-- only elements and attributes that the report itself writes
SELECT DISTINCT lower(m[1]) FROM page, regexp_matches(html, '<([a-zA-Z!][a-zA-Z0-9]*)', 'g') AS m ORDER BY 1;
CREATE TEMP TABLE tag AS SELECT t[1] AS whole, regexp_replace(t[1], '"[^"]*"', '""', 'g') AS bare FROM page, regexp_matches(html, '<[a-z0-9]+[^<>]*>', 'gi') AS t;
SELECT DISTINCT m[1] FROM tag, regexp_matches(bare, ' ([a-zA-Z-]+)=', 'g') AS m ORDER BY 1;
-- nothing from elsewhere
SELECT count(*) FROM tag WHERE whole ~* '(src|href|action|data)="?[^#"]' OR whole ~* 'url\(';
SELECT count(*) FROM page WHERE substring(html FROM '<style>(.*)</style>') ~* '(@import|url\(|@font-face)';
SELECT count(*) > 0 FROM page, regexp_matches(html, 'default-src ''none''', 'g');
-- what was named is there, as text
SELECT html LIKE '%&lt;script&gt;alert(&quot;o&quot;)&lt;/script&gt; &amp; &#39;Söhne&#39;%', html LIKE '%a&amp;amp;b%', html LIKE '%title="&quot; onclick=&quot;x"%', html LIKE '%&lt;blink&gt;%' FROM page;
-- landmarks, headings in order, headers of tables with a scope, every chart with a title and a description
SELECT count(*) FILTER (WHERE t = '<header') AS header, count(*) FILTER (WHERE t = '<main') AS main, count(*) FILTER (WHERE t = '<nav') AS nav, count(*) FILTER (WHERE t = '<footer') AS footer,
    count(*) FILTER (WHERE t = '<h1') AS h1, count(*) FILTER (WHERE t = '<section') = count(*) FILTER (WHERE t = '<h2') AS sections_headed
FROM page, regexp_matches(html, '(<header|<main|<nav|<footer|<h1|<section|<h2)[ >]', 'g') AS m(x), LATERAL (SELECT x[1] AS t) AS y;
SELECT count(*) AS headers_without_scope FROM page, regexp_matches(html, '<th(?! scope=)[ >]', 'g');
SELECT (SELECT count(*) FROM page, regexp_matches(html, '<svg ', 'g')) - (SELECT count(*) FROM page, regexp_matches(html, '<svg [^>]*aria-labelledby="([a-z]+)-t \1-d"[^>]*><title id="\1-t">[^<]+</title><desc id="\1-d">[^<]+</desc>', 'g')) AS charts_without_words;
SELECT count(*) - count(DISTINCT m[1]) AS ids_twice FROM page, regexp_matches(html, ' id="([^"]+)"', 'g') AS m;
SELECT count(*) AS links_to_nowhere FROM page, regexp_matches(html, 'href="#([^"]+)"', 'g') AS m WHERE html NOT LIKE '%id="' || m[1] || '"%';
SELECT html ~ 'prefers-color-scheme:dark', html ~ '@media print', html ~ '<html lang="en">' FROM page;

-- an analyst's own organization, a period that is one
CREATE ROLE report_analyst;
SELECT steward.grant_profile('report_analyst', 'analyst');
SELECT count(*) > 0 FROM steward.setup(organization => 'report-other');
CREATE FUNCTION pg_temp.state_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    RETURN concat_ws(' | ', SQLSTATE, SQLERRM);
END $$;
SELECT id AS other FROM steward.organization WHERE slug = 'report-other' \gset
SET ROLE report_analyst;
SELECT length(steward.report_html()) > 10000;
SELECT pg_temp.state_of(format('SELECT steward.report_html(org => %L)', :'other'));
RESET ROLE;
SELECT pg_temp.state_of('SELECT steward.report_html(now(), now())'), pg_temp.state_of('SELECT steward.report_html(now() - interval ''3 years'')'), pg_temp.state_of('SELECT steward.report_html(''-infinity'')'), pg_temp.state_of('SELECT steward.report_html(NULL)');
SELECT steward.revoke_profile('report_analyst', 'analyst');
DROP ROLE report_analyst;
