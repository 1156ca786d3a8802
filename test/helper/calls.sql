-- A call of every SQL-callable function of steward with arguments that would do, made up from the catalog, so that a
-- function that comes later is called, too; among them those that views call, as audit_target() and audited_org().  Included like cases.sql, and after it.

-- What an argument is given, by its name, else by its type.  What is looked for in an organization is what
-- pg_temp.company() makes; ids are made up unless the caller replaces them.
CREATE TEMP TABLE call_value (argument text PRIMARY KEY, value text NOT NULL);
INSERT INTO call_value VALUES
	('slug', $$'calls'$$), ('role', $$'pg_monitor'$$), ('profile', $$'analyst'$$), ('organization', $$'calls'$$),
	('directory', $$'hr'$$), ('resources', $$'[{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "calls", "userName": "calls"}]'$$),
	('holder', $$'dana@hr.example'$$), ('owner', $$'dana@hr.example'$$), ('principal', $$'dana@hr.example'$$),
	('person', $$'dana@hr.example'$$), ('new_owner', $$'cora@hr.example'$$), ('actor', $$'cora@hr.example'$$),
	('credential', $$'calls-key'$$), ('system', $$'calls-system'$$), ('external_id', $$'calls-external'$$),
	('name', $$'calls-name'$$), ('purpose', $$'to be called'$$), ('reason', $$'test'$$), ('justification', $$'to be called'$$),
	('environment', $$'test'$$), ('autonomy', $$'assistive'$$), ('acts_for', $$'users'$$), ('human_approval', $$'always'$$),
	('revocation_path', $$'manual'$$), ('data_classification', $$'internal'$$), ('criticality', $$'low'$$),
	('event', $$'1.1.0'$$), ('per', $$'row'$$), ('after', 'NULL'), ('checkpoint', 'NULL'), ('against', 'NULL'), ('table', $$'steward.role'$$), ('action', $$'calls.made'$$),
	('token', $$'stw1_' || repeat('0', 93)$$), ('digest', $$NULL$$), ('org', $$NULL$$),
	('type text', $$'calls'$$), ('type uuid', $$'01900000-0000-7000-8000-000000000001'$$), ('type jsonb', $$'{}'$$),
	('type boolean', $$false$$), ('type interval', $$'1 day'$$), ('type timestamp with time zone', $$now() + interval '1 day'$$),
	('type steward.scope_set', $$'calls:read'$$), ('type steward.scope', $$'calls:read'$$), ('type text[]', $$'{}'$$),
	('layer', $$'sso'$$), ('decision', $$'mitigate'$$), ('split', $$NULL$$), ('evidence', $$'steward.evidence_keys_expire'$$),
	('max_action', $$'suspend'$$), ('agents', $$NULL$$), ('brake_window', $$'1 hour'$$), ('category', $$NULL$$),
	('min_score', $$0.5$$), ('within', $$'1 hour'$$), ('suspend_for', $$NULL$$), ('narrow_to', $$NULL$$), ('format', $$'plain'$$),
	('signals', $$'[]'$$), ('severity', $$'low'$$), ('since', $$now() - interval '1 day'$$), ('until', $$now() + interval '1 day'$$),
	('type numeric', $$1$$),
	('type integer', $$1$$), ('type bigint', $$1$$);

-- Functions of people: not those of types and operators, not triggers.  org stands for the argument of that name, kind
-- for an argument that has to fit the function.
CREATE FUNCTION pg_temp.calls(org text DEFAULT '''01900000-0000-7000-8000-000000000002''', OUT name text, OUT func regprocedure, OUT statement text)
RETURNS SETOF record LANGUAGE sql AS $$
	SELECT p.proname::text, p.oid::regprocedure, format('SELECT r::text AS answer FROM (SELECT %s OFFSET 0) s(%s), LATERAL steward.%I(%s) r',
		coalesce(string_agg(format('(%s)::%s', CASE
			WHEN a.arg = 'org' THEN calls.org
			WHEN a.arg = 'kind' AND p.proname = 'register_system' THEN '''saas'''
			WHEN a.arg = 'kind' THEN '''api_key'''
			WHEN a.arg = 'actor' AND a.type = 'jsonb' THEN '''{}'''
			WHEN a.arg = 'action' AND p.proname = 'set_signal_rule' THEN '''alert'''
			WHEN a.type IN ('uuid', 'record') OR (a.type = 'jsonb' AND a.arg IN ('event', 'evidence'))
				OR (a.type LIKE 'timestamp%' AND a.arg NOT IN ('since', 'until', 'after')) OR v.value IS NULL THEN coalesce(t.value, 'NULL')
			ELSE v.value END, CASE WHEN a.type = 'record' AND to_regtype('steward.credential') IS NOT NULL THEN 'steward.credential' ELSE a.type END),
			', ' ORDER BY a.n) FILTER (WHERE a.n IS NOT NULL), 'NULL'),
		coalesce(string_agg('a' || a.n, ', ' ORDER BY a.n), 'nothing'),
		p.proname,
		coalesce(string_agg('s.a' || a.n, ', ' ORDER BY a.n), ''))
	FROM pg_proc p
	LEFT JOIN LATERAL (
		SELECT u.n, format_type(u.type, NULL) AS type, p.proargnames[u.n] AS arg FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS u(type, n)
	) a ON true
	LEFT JOIN call_value v ON v.argument = a.arg
	LEFT JOIN call_value t ON t.argument = 'type ' || a.type
	WHERE p.oid IN (SELECT pg_temp.functions()) AND p.proname <> 'setup'
	GROUP BY p.oid ORDER BY p.oid::regprocedure::text
$$;
