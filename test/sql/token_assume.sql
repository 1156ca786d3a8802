-- An assumed identity: it ends with its transaction, follows subtransactions, cannot be forged or prepared, is checked
-- live at every statement, and is right in parallel plans; policies stand on it.
\set SHOW_CONTEXT never
SELECT count(*) > 0 AS set_up FROM steward.setup(organization => 'token-assume');
SELECT steward.use_org('token-assume') IS NOT NULL AS chosen;
SELECT resource, added FROM steward.import_directory('hr', '[{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"u-1","userName":"ann@assume.example","active":true}]') WHERE resource = 'User';
SELECT steward.register_service('shop', 'ann@assume.example') AS shop, steward.register_service('till', 'ann@assume.example') AS till \gset
SELECT credential_id AS shop_id, secret AS shop_key FROM steward.issue_key('shop', 'orders:read') \gset
SELECT credential_id AS till_id, secret AS till_key FROM steward.issue_key('till', 'orders:write') \gset

-- Nobody is assumed at first; a bad token raises and assumes nothing.
SELECT steward.current_org(), steward.current_principal(), steward.current_actor(), steward.has_scope('orders:read');
BEGIN;
SELECT steward.assume('x.y.z');
ROLLBACK;
\set VERBOSITY sqlstate
SELECT steward.assume(NULL);
SELECT steward.assume(:'shop_key', session => true);
\set VERBOSITY default

-- It holds until the end of the transaction, and no longer.
BEGIN;
SELECT allowed, reason FROM steward.assume(:'shop_key');
SELECT steward.current_org() = steward.default_org() AS org, steward.current_principal() = :'shop' AS shop, steward.current_actor() = :'shop' AS actor,
       steward.has_scope('orders:read') AS reads, steward.has_scope('orders:write') AS writes;
COMMIT;
SELECT steward.current_principal() IS NULL AS nobody;

-- The stack follows subtransactions: an abort takes away what was assumed inside, a release keeps it.
BEGIN;
SELECT allowed FROM steward.assume(:'shop_key');
SAVEPOINT a;
SELECT allowed FROM steward.assume(:'till_key');
SAVEPOINT b;
SELECT steward.current_principal() = :'till' AS till;
RELEASE b;
SELECT steward.current_principal() = :'till' AS till;
ROLLBACK TO a;
SELECT steward.current_principal() = :'shop' AS shop;
SAVEPOINT c;
SELECT allowed FROM steward.assume(:'till_key');
RELEASE c;
SELECT steward.current_principal() = :'till' AS till;
ROLLBACK;
SELECT steward.current_principal() IS NULL AS nobody;

-- It does not travel with a prepared transaction.
BEGIN;
SELECT allowed FROM steward.assume(:'shop_key');
PREPARE TRANSACTION 'token-assume';
SELECT count(*) AS prepared FROM pg_prepared_xacts WHERE gid = 'token-assume';
SELECT steward.current_principal() IS NULL AS nobody;

-- Revoked inside or outside, it is worth nothing at the next statement.
BEGIN;
SELECT allowed FROM steward.assume(:'shop_key');
SELECT credentials FROM steward.revoke(:'shop_id'::uuid, 'test');
SELECT steward.current_org() IS NULL AS nothing, steward.has_scope('orders:read') AS reads;
ROLLBACK;

-- The default organization is that of the identity, whatever was chosen.
SELECT count(*) > 0 AS set_up FROM steward.setup(organization => 'token-assume-2');
SELECT steward.use_org('token-assume-2') AS second \gset
BEGIN;
SELECT allowed FROM steward.assume(:'shop_key');
SELECT steward.default_org() <> :'second' AS of_the_identity;
ROLLBACK;
SELECT steward.default_org() = :'second' AS chosen;

-- No setting makes one.
SET steward.session_binding = 'on';
SELECT steward.current_principal() IS NULL AS nobody;
RESET steward.session_binding;

-- For the session, where that is allowed, until DISCARD ALL; taken back with the transaction.
SET steward.allow_session_binding = on;
BEGIN;
SELECT allowed FROM steward.assume(:'shop_key', session => true);
ROLLBACK;
SELECT steward.current_principal() IS NULL AS nobody;
SELECT allowed FROM steward.assume(:'shop_key', session => true);
SELECT steward.current_principal() = :'shop' AS shop;
BEGIN;
SELECT allowed FROM steward.assume(:'till_key');
SELECT steward.current_principal() = :'till' AS till;
COMMIT;
SELECT steward.current_principal() = :'shop' AS shop;
DISCARD ALL;
SELECT steward.current_principal() IS NULL AS nobody;

-- Policies: the rows of the identity's organization, with the scope; the same in a parallel plan.
\set SHOW_CONTEXT never
CREATE TABLE token_assume_orders (org_id uuid, n int);
INSERT INTO token_assume_orders SELECT o.id, g FROM steward.organization o, generate_series(1, 1000) g WHERE o.slug IN ('token-assume', 'token-assume-2');
ALTER TABLE token_assume_orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON token_assume_orders USING (org_id = (SELECT steward.current_org()) AND (SELECT steward.has_scope('orders:read')));
CREATE ROLE token_assume_app;
SELECT granted FROM steward.grant_profile('token_assume_app', 'app', (SELECT id FROM steward.organization WHERE slug = 'token-assume'));
GRANT SELECT ON token_assume_orders TO token_assume_app;
SET ROLE token_assume_app;
SELECT count(*) FROM token_assume_orders;
BEGIN;
SELECT allowed FROM steward.assume(:'shop_key');
SELECT count(*) FROM token_assume_orders;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL parallel_leader_participation = off;
EXPLAIN (COSTS off) SELECT count(*) FROM token_assume_orders;
SELECT count(*) FROM token_assume_orders;
COMMIT;
BEGIN;
SELECT allowed FROM steward.assume(:'till_key');
SELECT count(*) FROM token_assume_orders;
COMMIT;
RESET ROLE;
DROP TABLE token_assume_orders;
SELECT revoked FROM steward.revoke_profile('token_assume_app', 'app', (SELECT id FROM steward.organization WHERE slug = 'token-assume'));
DROP ROLE token_assume_app;
