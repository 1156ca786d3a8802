-- Applications record events of their own, in a known shape: checked against what was registered, bounded, once for an
-- idempotency key, within a quota; what they claim stands beside what is proven; actions of steward are not theirs.
\set ECHO none
\getenv here PG_ABS_SRCDIR
\i :here/helper/cases.sql
\set ECHO all
SELECT pg_temp.company('audit-events') AS org \gset
CREATE ROLE audit_events_app;
CREATE ROLE audit_events_analyst;
SELECT steward.grant_profile('audit_events_app', 'app') AS app, steward.grant_profile('audit_events_analyst', 'analyst') AS analyst;
SET steward.request_id = 'request 9';
SET ROLE audit_events_app;
SELECT steward.use_org('audit-events') = :'org' AS chosen;
SELECT steward.record_event('invoice.paid', actor => '{"type": "user", "id": "u1", "name": "Ada"}', targets => '[{"type": "invoice", "id": "7"}]', context => '{"location": "192.0.2.1", "user_agent": "x"}', metadata => '{"amount": 12.5, "currency": "EUR", "late": false}', occurred_at => '2026-01-02 03:04:05+00') AS event \gset
RESET ROLE;
RESET steward.request_id;
SELECT action, version, claimed_actor, targets, context, metadata, table_name, row_key, actor_principal, session_role = session_user AS session, acting_role, occurred_at AT TIME ZONE 'UTC' AS occurred_at, recorded_at > occurred_at AS recorded_later FROM steward.audit WHERE event = :'event';

-- Once for an idempotency key, whatever happens in between; another event under it is refused.
SELECT steward.record_event('a.b', metadata => '{"x": 1, "y": 2}', idempotency_key => 'k1') AS first \gset
SELECT steward.record_event('a.b', metadata => '{"y": 2, "x": 1}', idempotency_key => 'k1') = :'first' AS the_same;
SELECT a.* FROM pg_temp.attempt($$SELECT steward.record_event('a.b', metadata => '{"x": 2}', idempotency_key => 'k1')$$) a;
BEGIN;
SELECT steward.record_event('a.b', idempotency_key => 'k2') AS rolled_back \gset
ROLLBACK;
SELECT steward.record_event('a.b', idempotency_key => 'k2') <> :'rolled_back' AS is_new;
SELECT count(*) AS events FROM steward.audit WHERE org_id = :'org' AND action = 'a.b';

-- In bulk: all or none.
SELECT ordinal, event IS NOT NULL AS recorded FROM steward.record_events('[{"action": "b.one"}, {"action": "b.two", "version": 2, "targets": [{"type": "t", "id": "1"}], "idempotency_key": "k3", "occurred_at": "2026-01-01T00:00:00Z"}, {"action": "b.two", "version": 2, "targets": [{"id": "1", "type": "t"}], "idempotency_key": "k3", "occurred_at": "2026-01-01T00:00:00Z"}]');
SELECT a.* FROM pg_temp.attempt($$SELECT * FROM steward.record_events('[{"action": "b.one"}, {"action": "B"}]')$$) a;
SELECT action, count(*) FROM steward.audit WHERE org_id = :'org' AND action LIKE 'b.%' GROUP BY 1 ORDER BY 1;

-- Registered shapes.
SELECT steward.register_action('order.placed', targets => '{order,customer}', metadata => '{"amount": "number!", "note": "string", "gift": "boolean"}') AS registered, steward.register_action('order.placed', targets => '{order,customer}', metadata => '{"gift": "boolean", "amount": "number!", "note": "string"}') AS again,
	steward.register_action('order.placed', version => 2) AS version_2;
SELECT n, a.* FROM (VALUES (1, $$targets => '[{"type": "order", "id": "1"}]', metadata => '{"amount": 1, "gift": true}'$$), (2, $$metadata => '{"amount": 1}'$$), (3, $$metadata => '{"note": "x"}'$$), (4, $$metadata => '{"amount": "1"}'$$), (5, $$metadata => '{"amount": 1, "other": 1}'$$),
	(6, $$targets => '[{"type": "person", "id": "1"}]', metadata => '{"amount": 1}'$$), (7, $$version => 2$$), (8, $$version => 2, metadata => '{"amount": 1}'$$), (9, $$version => 3$$)) c(n, args), pg_temp.attempt('SELECT steward.record_event(''order.placed'', ' || args || ')') a ORDER BY n;
SELECT a.* FROM (VALUES ($$SELECT steward.register_action('order.placed', metadata => '{}')$$), ($$SELECT steward.register_action('x.y', metadata => '{"a": "date"}')$$), ($$SELECT steward.register_action('x.y', metadata => '[]')$$), ($$SELECT steward.register_action('x.y', targets => '{NULL}')$$),
	($$SELECT steward.register_action('x.y', version => 0)$$), ($$SELECT steward.register_action('steward.x')$$), ($$SELECT steward.register_action('x.y', version => NULL)$$)) c(s), pg_temp.attempt(s) a;
UPDATE steward.org_policy SET audit_registered_actions = true WHERE org_id = :'org';
SELECT a.* FROM (VALUES ($$SELECT steward.record_event('never.registered')$$), ($$SELECT steward.record_event('order.placed', 2)$$)) c(s), pg_temp.attempt(s) a;
UPDATE steward.org_policy SET audit_registered_actions = false WHERE org_id = :'org';

-- What is refused, each with its code, and nothing recorded.
SELECT count(*) AS before FROM steward.audit_event WHERE org_id = :'org' \gset
CREATE TEMP TABLE bad (n serial, args text);
INSERT INTO bad (args) VALUES ('NULL'), (''''''), (''' a.b'''), ('''A.b'''), ('''a..b'''), ('''a.'''), ('''.a'''), ('''a b'''), (quote_literal(repeat('a', 101))), ('''steward'''), ('''steward.setup'''),
	($$'a.b', 0$$), ($$'a.b', NULL$$), ($$'a.b', actor => '"x"'$$), ($$'a.b', actor => '{"id": "1"}'$$), ($$'a.b', actor => '{"id": "", "type": "x"}'$$), ($$'a.b', actor => '{"id": 1, "type": "x"}'$$), ($$'a.b', targets => '{}'$$), ($$'a.b', targets => '"x"'$$), ($$'a.b', targets => '[1]'$$), ($$'a.b', targets => '[{"type": "t"}]'$$),
	($$'a.b', targets => (SELECT jsonb_agg(jsonb_build_object('type', 't', 'id', g::text)) FROM generate_series(1, 101) g)$$), ($$'a.b', context => '[]'$$), ($$'a.b', metadata => '[]'$$), ($$'a.b', metadata => '{"a": {"b": 1}}'$$), ($$'a.b', metadata => '{"a": null}'$$), ($$'a.b', metadata => jsonb_build_object(repeat('k', 41), 1)$$), ($$'a.b', metadata => jsonb_build_object('k', repeat('v', 501))$$),
	($$'a.b', metadata => (SELECT jsonb_object_agg('k' || g, 1) FROM generate_series(1, 51) g)$$), ($$'a.b', context => jsonb_build_object('k', repeat('v', 70000))$$), ($$'a.b', idempotency_key => ''$$), ($$'a.b', idempotency_key => repeat('k', 256)$$), ($$'a.b', occurred_at => 'infinity'$$), ($$'a.b', occurred_at => now() + interval '6 minutes'$$),
	($$'a.b', context => '{"authorization": "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"}'$$), ($$'a.b', metadata => jsonb_build_object('key', 'stw1_' || repeat('x', 93))$$), ($$'a.b', targets => jsonb_build_array(jsonb_build_object('type', 'key', 'id', 'stw1_' || repeat('x', 93)))$$), ($$'a.b', org => NULL$$);
SELECT n, a.code, replace(a.message, repeat('a', 100), 'a...') AS message FROM bad, pg_temp.attempt('SELECT steward.record_event(' || args || ')') a ORDER BY n;
SELECT n, a.* FROM (VALUES (1, 'NULL'), (2, '{}'), (3, '[]'), (4, '[1]'), (5, '[{}]'), (6, '[{"action": "a.b", "what": 1}]'), (7, '[{"action": 1}]'), (8, '[{"action": "a.b", "version": "1"}]'), (9, '[{"action": "a.b", "version": 1e10}]'), (10, '[{"action": "a.b", "occurred_at": "soon"}]'), (11, (SELECT jsonb_agg(jsonb_build_object('action', 'a.b'))::text FROM generate_series(1, 1001)))) c(n, events),
	pg_temp.attempt(format('SELECT * FROM steward.record_events(%s)', CASE events WHEN 'NULL' THEN 'NULL' ELSE quote_literal(events) END)) a ORDER BY n;
SELECT count(*) - :before AS recorded FROM steward.audit_event WHERE org_id = :'org';

-- Who may: applications. An analyst may not, and an event cannot pass for a captured row.
SELECT (pg_temp.attempt_as('audit_events_analyst', $$SELECT steward.record_event('a.b')$$)).*;
SELECT (pg_temp.attempt_as('audit_events_app', $$SELECT steward.register_action('a.b')$$)).*;
SELECT (pg_temp.attempt_as('audit_events_app', $$SELECT steward.record_event('a.b', org => '01900000-0000-7000-8000-000000000009')$$)).*;
SELECT (pg_temp.attempt_as('audit_events_app', $$INSERT INTO steward.audit_event (org_id) VALUES (gen_random_uuid())$$)).*;
SELECT count(*) AS looks_captured FROM steward.audit WHERE org_id = :'org' AND action ~ '\.' AND table_name IS NOT NULL;
-- Recorded with its cause, or not at all.
BEGIN;
SELECT steward.record_event('never.happened') <> '' AS recorded;
ROLLBACK;
SELECT count(*) AS happened FROM steward.audit WHERE action = 'never.happened';

-- The quota of a day, counted per organization.
UPDATE steward.org_policy SET audit_daily_quota = 3 WHERE org_id = :'org';
SELECT a.* FROM generate_series(1, 4) g, pg_temp.attempt(format('SELECT steward.record_event(''q.q'', metadata => ''{"n": %s}'')', g)) a;
SELECT (pg_temp.attempt($$SELECT * FROM steward.record_events('[{"action": "q.q"}]')$$)).code;
UPDATE steward.org_policy SET audit_daily_quota = NULL WHERE org_id = :'org';
SELECT count(*) AS events FROM steward.audit WHERE org_id = :'org' AND action = 'q.q';
-- Old idempotency keys and counts are forgotten.
UPDATE steward.audit_idempotency SET recorded_at = recorded_at - interval '31 days' WHERE org_id = :'org' AND idempotency_key = 'k1';
UPDATE steward.audit_usage SET day = day - 31 WHERE org_id = :'org';
SELECT count(*) > 0 AS ran FROM steward.maintain();
SELECT count(*) FILTER (WHERE idempotency_key = 'k1') AS old, count(*) AS kept FROM steward.audit_idempotency WHERE org_id = :'org';
SELECT count(*) AS counts FROM steward.audit_usage WHERE org_id = :'org';
SELECT steward.revoke_profile('audit_events_app', 'app') AND steward.revoke_profile('audit_events_analyst', 'analyst') AS revoked;
DROP ROLE audit_events_app, audit_events_analyst;
