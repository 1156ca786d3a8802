-- What has to hold for every object of the schema, asked of the catalog, so that what comes later is held to it, too.
-- Each query names what breaks the rule: none.
\set ECHO none
\getenv here PG_ABS_SRCDIR
\i :here/helper/cases.sql
\set ECHO all
CREATE TEMP VIEW relation AS SELECT c.* FROM pg_class c WHERE c.relnamespace = 'steward'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm');
CREATE TEMP VIEW func AS SELECT p.* FROM pg_proc p WHERE p.pronamespace = 'steward'::regnamespace;
SELECT count(*) > 20 AS tables_there FROM relation WHERE relkind IN ('r', 'p');
SELECT count(*) > 20 AS functions_there FROM func;

-- Nothing is executable or readable by PUBLIC but the functions of the types and visible_orgs().
SELECT p.oid::regprocedure AS executable_by_public FROM func p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
WHERE a.grantee = 0 AND p.proname <> 'visible_orgs' AND p.oid NOT IN (SELECT pg_temp.type_functions());
SELECT c.oid::regclass AS open_to_public FROM relation c, aclexplode(c.relacl) a WHERE a.grantee = 0;
SELECT p.oid::regprocedure AS not_executable_by_public FROM func p WHERE p.oid IN (SELECT pg_temp.type_functions())
AND NOT EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee = 0);
-- Every function that people call is somebody's: a profile can execute it, or it is the superuser's by name.
SELECT f AS nobodys FROM pg_temp.functions() f WHERE f::text NOT IN ('steward.setup(text)', 'steward.create_key_file()', 'steward.reseal_keys()')
AND NOT EXISTS (SELECT FROM unnest(ARRAY['app', 'connector', 'analyst', 'auditor', 'security', 'admin']) p WHERE has_function_privilege('steward_' || p, f, 'EXECUTE'));
-- Nobody but the owner may write a governance table directly, but connectors the directory's; and nobody may TRUNCATE or refer to one.
SELECT c.oid::regclass, a.grantee::regrole, a.privilege_type FROM relation c, aclexplode(c.relacl) a
WHERE a.grantee NOT IN (0, c.relowner) AND (a.privilege_type NOT IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE') OR a.is_grantable
	OR (a.privilege_type <> 'SELECT' AND NOT (c.relname ~ '^directory' AND a.grantee = 'steward_connector'::regrole)));

-- Everything is commented.
SELECT c.oid::regclass AS without_comment FROM relation c WHERE obj_description(c.oid, 'pg_class') IS NULL;
SELECT c.oid::regclass, a.attname AS without_comment FROM relation c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND col_description(c.oid, a.attnum) IS NULL;
SELECT p.oid::regprocedure AS without_comment FROM func p WHERE obj_description(p.oid, 'pg_proc') IS NULL AND (p.oid NOT IN (SELECT pg_temp.type_functions()) OR p.prolang <> 12);
SELECT t.oid::regtype AS without_comment FROM pg_type t WHERE t.typnamespace = 'steward'::regnamespace AND t.typtype IN ('b', 'd', 'e', 'r') AND t.typcategory <> 'A' AND obj_description(t.oid, 'pg_type') IS NULL;
SELECT t.oid::regtype AS without_comment FROM pg_type t JOIN pg_class c ON c.oid = t.typrelid WHERE t.typnamespace = 'steward'::regnamespace AND c.relkind = 'c' AND obj_description(t.oid, 'pg_type') IS NULL;
SELECT o.oid::regoperator AS without_comment FROM pg_operator o WHERE o.oprnamespace = 'steward'::regnamespace AND obj_description(o.oid, 'pg_operator') IS NULL;
SELECT o.opcname AS without_comment FROM pg_opclass o WHERE o.opcnamespace = 'steward'::regnamespace AND obj_description(o.oid, 'pg_opclass') IS NULL;

-- Row-level security on and forced, everywhere, partitions included; every table of organizations has a policy, and it is ours.
SELECT c.oid::regclass AS without_row_security FROM relation c WHERE c.relkind IN ('r', 'p') AND NOT (c.relrowsecurity AND c.relforcerowsecurity);
SELECT c.oid::regclass AS readable_without_policy FROM relation c, aclexplode(c.relacl) a WHERE c.relkind IN ('r', 'p') AND a.grantee <> c.relowner
AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid) GROUP BY 1;
SELECT polrelid::regclass, polname FROM pg_policy p JOIN relation c ON c.oid = p.polrelid WHERE pg_get_expr(polqual, polrelid) !~ '^\((org_id|id) = ANY \(\( SELECT steward\.visible_orgs\(''[a-z]+''::text\)';

-- The owner owns everything that setup() made, can do nothing but that, and has no members.
SELECT c.oid::regclass AS other_owner FROM relation c WHERE c.relowner <> 'steward_owner'::regrole;
SELECT p.oid::regprocedure AS other_owner FROM func p WHERE p.proowner <> 'steward_owner'::regrole AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e');
SELECT rolname FROM pg_roles WHERE rolname IN ('steward_owner', 'steward_app', 'steward_connector', 'steward_analyst', 'steward_auditor', 'steward_security', 'steward_admin')
AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolcanlogin OR rolreplication OR rolbypassrls);
SELECT member::regrole FROM pg_auth_members WHERE roleid IN ('steward_owner'::regrole, 'steward_role_admin'::regrole);
-- Nothing but the owner's objects may be made in the schema.
SELECT a.grantee::regrole, a.privilege_type FROM pg_namespace n, aclexplode(n.nspacl) a WHERE n.nspname = 'steward' AND a.privilege_type = 'CREATE' AND a.grantee NOT IN (n.nspowner, 'steward_owner'::regrole);

-- Every table has the organization first in its primary key, and in every unique index and foreign key; the exceptions belong to the installation.
CREATE TEMP VIEW global_table AS SELECT c.oid FROM relation c WHERE c.relkind IN ('r', 'p') AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'org_id');
SELECT c.oid::regclass AS without_primary_key FROM relation c WHERE c.relkind IN ('r', 'p') AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary);
SELECT i.indexrelid::regclass AS organization_not_first FROM pg_index i JOIN relation c ON c.oid = i.indrelid JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
WHERE c.relkind IN ('r', 'p') AND c.oid NOT IN (SELECT oid FROM global_table) AND a.attname <> 'org_id'
-- (a GIN index is over the members of one column)
AND NOT EXISTS (SELECT FROM pg_class x JOIN pg_am m ON m.oid = x.relam WHERE x.oid = i.indexrelid AND m.amname = 'gin');
SELECT c.oid::regclass, a.attname AS may_be_null FROM relation c JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relkind IN ('r', 'p') AND a.attname = 'org_id' AND NOT a.attnotnull;
SELECT f.conrelid::regclass, f.conname AS not_within_the_organization FROM pg_constraint f WHERE f.connamespace = 'steward'::regnamespace AND f.contype = 'f' AND f.conrelid NOT IN (SELECT oid FROM global_table)
AND f.confrelid NOT IN (SELECT oid FROM global_table) AND (SELECT attname FROM pg_attribute WHERE attrelid = f.conrelid AND attnum = f.conkey[1]) <> 'org_id';
-- Only these hold no organization's rows.
SELECT oid::regclass::text FROM global_table WHERE oid IN ('steward.organization'::regclass, 'steward.installation'::regclass, 'steward.audit_incarnation'::regclass) ORDER BY 1;
SELECT c.conrelid::regclass, c.conname AS unnamed FROM pg_constraint c JOIN relation r ON r.oid = c.conrelid WHERE NOT r.relispartition AND c.contype <> 't' AND c.contype <> 'n'
AND c.conname ~ '_check[0-9]*$';
-- Time has a zone, and nothing is ordered by a sequence.
SELECT c.oid::regclass, a.attname FROM relation c JOIN pg_attribute a ON a.attrelid = c.oid WHERE a.atttypid = 'timestamp'::regtype AND a.attnum > 0;
SELECT oid::regclass AS sequence FROM pg_class WHERE relnamespace = 'steward'::regnamespace AND relkind = 'S';

-- No function runs as its owner without a pinned path; PL/pgSQL never, SQL bodies are parsed when made.
SELECT p.oid::regprocedure AS definer_without_path FROM func p WHERE p.prosecdef AND NOT coalesce(p.proconfig::text ~ 'search_path=pg_catalog, pg_temp', false);
SELECT p.oid::regprocedure AS body_is_text FROM func p JOIN pg_language l ON l.oid = p.prolang WHERE l.lanname NOT IN ('c', 'internal') AND p.prosqlbody IS NULL;
SELECT p.oid::regprocedure AS leakproof_but_not_immutable FROM func p WHERE p.proleakproof AND p.provolatile <> 'i';
-- Views belong to the owner and run as it: none is the caller's own.
SELECT c.oid::regclass AS runs_as_caller FROM relation c WHERE c.relkind = 'v' AND c.reloptions::text ~ 'security_invoker=(true|on|1)';

-- Every trigger fires always; every table refuses TRUNCATE and, if it is an organization's, is audited.
SELECT t.tgrelid::regclass, t.tgname AS not_always FROM pg_trigger t JOIN relation c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal AND t.tgenabled <> 'A';
SELECT c.oid::regclass AS can_be_truncated FROM relation c WHERE c.relkind IN ('r', 'p') AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgfoid = 'steward.tg_no_truncate'::regproc AND t.tgtype & 32 > 0);
SET client_min_messages = warning;
DO $$
DECLARE
	r regclass;
	code text;
BEGIN
	FOR r IN SELECT oid FROM relation WHERE relkind IN ('r', 'p') LOOP
		SELECT a.code INTO code FROM pg_temp.attempt(format('TRUNCATE %s CASCADE', r)) a;
		IF code <> 'ST215' THEN RAISE WARNING 'TRUNCATE of % answers %', r, code; END IF;
	END LOOP;
END $$;
-- health agrees, and its remedies are statements.
SELECT check_name, detail FROM steward.health WHERE status = 'critical';
SELECT check_name FROM steward.health WHERE status NOT IN ('ok', 'warning', 'critical') OR (status = 'critical') <> (status = 'critical' AND remedy LIKE '%;%');
