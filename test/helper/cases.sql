-- Functions that regress tests share; they live in the session's temporary schema.  A test includes them with
--   \set ECHO none
--   \getenv here PG_ABS_SRCDIR
--   \i :here/helper/cases.sql
--   \set ECHO all

-- A number that changes when any row of any table of steward does.
CREATE FUNCTION pg_temp.digest() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	relation regclass;
	part text;
	whole text := '';
BEGIN
	FOR relation IN SELECT oid FROM pg_class WHERE relnamespace = 'steward'::regnamespace AND relkind = 'r' AND relname <> 'credential_use' ORDER BY relname LOOP
		EXECUTE format('SELECT md5(coalesce(string_agg(t::text, E''\n'' ORDER BY t::text COLLATE "C"), '''')) FROM %s t', relation) INTO part;
		whole := whole || relation::text || part;
	END LOOP;
	RETURN md5(whole);
END $$;

-- Runs a statement: its SQLSTATE and message, or 00000 and the number of rows.  What a statement that fails has done is
-- taken back; what one that succeeds has done stays.
CREATE FUNCTION pg_temp.attempt(statement text, OUT code text, OUT message text) LANGUAGE plpgsql AS $$
DECLARE
	rows bigint;
BEGIN
	EXECUTE statement;
	GET DIAGNOSTICS rows = ROW_COUNT;
	code := '00000';
	message := rows || ' rows';
EXCEPTION WHEN OTHERS THEN
	code := SQLSTATE;
	message := SQLERRM;
END $$;

-- The same as another role.
CREATE FUNCTION pg_temp.attempt_as(role name, statement text, OUT code text, OUT message text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	SELECT a.code, a.message INTO attempt_as.code, attempt_as.message FROM pg_temp.attempt(statement) a;
	RESET ROLE;
END $$;

-- Everything that defines the schema, as rows to compare.
CREATE FUNCTION pg_temp.catalog(OUT kind text, OUT name text, OUT definition text) RETURNS SETOF record LANGUAGE sql AS $$
	SELECT 'relation', c.relname::text, concat_ws(' ', c.relkind, c.relowner::regrole, c.relrowsecurity, c.relforcerowsecurity,
		(SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(c.relacl) a), obj_description(c.oid, 'pg_class'))
	FROM pg_class c WHERE c.relnamespace = 'steward'::regnamespace AND c.relkind NOT IN ('t')
	UNION ALL
	SELECT 'column', c.relname || '.' || a.attname, concat_ws(' ', a.attnum, format_type(a.atttypid, a.atttypmod), a.attnotnull,
		pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum))
	FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
	WHERE c.relnamespace = 'steward'::regnamespace AND c.relkind IN ('r', 'p', 'v')
	UNION ALL
	SELECT 'view', c.relname::text, pg_get_viewdef(c.oid) FROM pg_class c WHERE c.relnamespace = 'steward'::regnamespace AND c.relkind = 'v'
	UNION ALL
	SELECT 'index', indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
	WHERE c.relnamespace = 'steward'::regnamespace AND c.relkind IN ('r', 'p')
	UNION ALL
	SELECT 'constraint', conrelid::regclass || ' ' || conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'steward'::regnamespace
	UNION ALL
	SELECT 'trigger', tgrelid::regclass || ' ' || tgname, tgenabled::text || ' ' || pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
	WHERE c.relnamespace = 'steward'::regnamespace AND NOT tgisinternal
	UNION ALL
	SELECT 'policy', polrelid::regclass || ' ' || polname, concat_ws(' ', polcmd, polpermissive, polroles, pg_get_expr(polqual, polrelid),
		pg_get_expr(polwithcheck, polrelid)) FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid WHERE c.relnamespace = 'steward'::regnamespace
	UNION ALL
	SELECT 'function', p.oid::regprocedure::text, concat_ws(' ', p.proowner::regrole, p.prosrc, p.provolatile, p.proparallel, p.prosecdef, p.proconfig,
		(SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(p.proacl) a), obj_description(p.oid, 'pg_proc'))
	FROM pg_proc p WHERE p.pronamespace = 'steward'::regnamespace
	UNION ALL
	SELECT 'role', r.rolname::text, concat_ws(' ', rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls)
	FROM pg_roles r WHERE r.rolname ~ '^steward_(owner|role_admin|app|connector|analyst|auditor|security|admin)$'
	UNION ALL
	SELECT 'member', m.roleid::regrole || ' ' || m.member::regrole, m.admin_option::text FROM pg_auth_members m
	WHERE m.roleid::regrole::text ~ '^steward_' AND m.member::regrole::text ~ '^steward_(owner|role_admin|app|connector|analyst|auditor|security|admin)$'
	UNION ALL
	SELECT 'schema', nspname::text, concat_ws(' ', nspowner::regrole, nspacl::text) FROM pg_namespace WHERE nspname = 'steward'
$$;

-- An organization of its own for a test, chosen, with a small directory "hr":
--   cora (ceo) > maria (head of support) > olivia and callum; dana (head of engineering) also reports to cora.
CREATE FUNCTION pg_temp.company(slug text) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
	org uuid;
	hr uuid;
BEGIN
	PERFORM steward.setup(organization => slug);
	org := steward.use_org(slug);
	INSERT INTO steward.directory (org_id, name) VALUES (org, 'hr') RETURNING id INTO hr;
	INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name, email, display_name, title, department)
	SELECT org, hr, 'x-' || p.who, p.who || '@hr.example', p.who || '@hr.example', initcap(p.who), p.title, p.department
	FROM (VALUES ('cora', 'CEO', 'Executive'), ('maria', 'Head of Support', 'Support'), ('olivia', 'Lead', 'Support'),
		('callum', 'Agent', 'Support'), ('dana', 'Head of Engineering', 'Engineering')) AS p(who, title, department);
	UPDATE steward.directory_user u SET manager_user_id = m.id
	FROM (VALUES ('maria', 'cora'), ('dana', 'cora'), ('olivia', 'maria'), ('callum', 'maria')) AS r(who, boss),
		steward.directory_user m
	WHERE u.org_id = org AND m.org_id = org AND u.external_id = 'x-' || r.who AND m.external_id = 'x-' || r.boss;
	RETURN org;
END $$;

-- A key for a holder; answers with its secret.
CREATE FUNCTION pg_temp.key(holder text, scopes text DEFAULT 'tickets:read', owner text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
	SELECT k.secret FROM steward.issue_key(holder, scopes::steward.scope_set, owner => owner) k
$$;

-- The functions of types: input and output, operators, casts, what indexes need, aggregates, and what else only computes
-- with a value of ours.
CREATE FUNCTION pg_temp.type_functions() RETURNS SETOF regprocedure LANGUAGE sql AS $$
	WITH own AS (SELECT oid FROM pg_type WHERE typnamespace = 'steward'::regnamespace AND typtype = 'b')
	SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'steward'::regnamespace AND (
		p.oid IN (SELECT unnest(ARRAY[typinput, typoutput, typreceive, typsend, typanalyze, typmodin, typmodout]) FROM pg_type WHERE typnamespace = 'steward'::regnamespace)
		OR p.oid IN (SELECT unnest(ARRAY[oprcode, oprrest, oprjoin]) FROM pg_operator WHERE oprnamespace = 'steward'::regnamespace)
		OR p.oid IN (SELECT castfunc FROM pg_cast)
		OR p.oid IN (SELECT prosupport FROM pg_proc)
		OR p.oid IN (SELECT amproc FROM pg_amproc)
		OR p.oid IN (SELECT unnest(ARRAY[aggfnoid, aggtransfn, aggfinalfn, aggcombinefn, aggserialfn, aggdeserialfn]) FROM pg_aggregate)
		OR (p.provolatile = 'i' AND (p.prorettype IN (SELECT oid FROM own) OR p.proargtypes::oid[] && ARRAY(SELECT oid FROM own))))
$$;

-- The functions that people call: not those of triggers, types, operators and casts.
CREATE FUNCTION pg_temp.functions() RETURNS SETOF regprocedure LANGUAGE sql AS $$
	SELECT p.oid::regprocedure FROM pg_proc p
	WHERE p.pronamespace = 'steward'::regnamespace AND p.prorettype <> 'trigger'::regtype AND p.oid NOT IN (SELECT pg_temp.type_functions())
$$;
