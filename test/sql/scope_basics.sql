-- What the inventory needs of scopes: text in and out, equality, and that a credential opens what its scopes cover.
\set ECHO none
\getenv here PG_ABS_SRCDIR
\i :here/helper/cases.sql
\set ECHO all
SELECT pg_temp.company('scope-basics') IS NOT NULL AS chosen;
SELECT 'a:b'::steward.scope_set::text AS text, 'a:b'::steward.scope_set OPERATOR(steward.=) 'a:b' AS equal, 'a:b'::steward.scope_set OPERATOR(steward.=) 'a:c' AS other;
SELECT steward.register_service('svc', 'dana@hr.example') IS NOT NULL AS service;
CREATE TEMP TABLE key AS SELECT s AS scopes, pg_temp.key('svc', s) AS secret FROM unnest(ARRAY['tickets:read', 'tickets:*', '*', 'tickets:read mail:send']) s;
SELECT k.scopes, r AS required, a.allowed, a.reason FROM key k, unnest(ARRAY['', 'tickets:read', 'tickets:write', 'mail:send', 'tickets:read mail:send', 'ticket', 'tickets:read:all']) WITH ORDINALITY AS q(r, n), steward.authorize(k.secret, r::steward.scope_set) a
ORDER BY k.scopes COLLATE "C", q.n;
-- What is granted already needs no second grant; what a pattern covers neither.
SELECT scopes::text FROM steward.scope_grant WHERE org_id = steward.default_org() ORDER BY id;
