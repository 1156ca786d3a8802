-- Whatever hands, --no-owner or --disable-triggers did to owners, policies and triggers: health is critical until setup()
-- has mended it, and afterwards everything is as it was.  Each damage is done and mended in a transaction of its own.
\set ECHO none
\getenv here PG_ABS_SRCDIR
\i :here/helper/cases.sql
\set ECHO all
CREATE TEMP TABLE before AS SELECT * FROM pg_temp.catalog();

-- Does a damage, asks health, mends it, and takes everything back.
CREATE FUNCTION pg_temp.try_damage(damage text, OUT critical text, OUT detail text, OUT mended text, OUT left_over text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE damage;
	SELECT string_agg(h.check_name, ', '), left(string_agg(h.detail, ', '), 100) INTO critical, detail FROM steward.health_checks() h WHERE h.status = 'critical';
	SELECT s.result INTO mended FROM steward.setup() s WHERE s.step = 'owners, policies and triggers';
	SELECT coalesce(string_agg(h.check_name, ', '), '') INTO left_over FROM steward.health_checks() h WHERE h.status = 'critical';
	SELECT left_over || coalesce(string_agg(c.kind || ' ' || c.name, ', '), '') INTO left_over FROM
		((SELECT * FROM before EXCEPT SELECT * FROM pg_temp.catalog()) UNION ALL (SELECT * FROM pg_temp.catalog() EXCEPT SELECT * FROM before)) c;
	RAISE EXCEPTION USING ERRCODE = 'TAKEB';
EXCEPTION WHEN SQLSTATE 'TAKEB' THEN
	NULL;
END $$;

CREATE TEMP TABLE damages (n serial, what text, statement text);
INSERT INTO damages (what, statement) VALUES
	('a trigger gone', 'DROP TRIGGER audit ON steward.credential'),
	('a trigger disabled', 'ALTER TABLE steward.credential DISABLE TRIGGER audit'),
	('a trigger not always', 'ALTER TABLE steward.directory_user ENABLE TRIGGER lifecycle_update'),
	('a trigger only for replicas', 'ALTER TABLE steward.directory_user ENABLE REPLICA TRIGGER lifecycle_settle'),
	('all triggers disabled', 'ALTER TABLE steward.directory_user DISABLE TRIGGER USER'),
	('TRUNCATE allowed', 'DROP TRIGGER no_truncate ON steward.principal'),
	('row-level security off', 'ALTER TABLE steward.credential DISABLE ROW LEVEL SECURITY'),
	('row-level security not forced', 'ALTER TABLE steward.credential NO FORCE ROW LEVEL SECURITY'),
	('a policy gone', 'DROP POLICY tenant_read ON steward.credential'),
	('a writer''s policy gone', 'DROP POLICY tenant_write ON steward.directory_user'),
	('the log''s protection gone', 'DROP TRIGGER protect ON steward.audit_event'),
	('a partition without protection', 'DROP TRIGGER no_truncate ON steward.audit_event_default'),
	('a partition without policies', 'ALTER TABLE steward.audit_event_default DISABLE ROW LEVEL SECURITY'),
	('a table''s owner', 'ALTER TABLE steward.credential OWNER TO CURRENT_USER'),
	('a view''s owner', 'ALTER VIEW steward.credential_inventory OWNER TO CURRENT_USER'),
	('a partition''s owner', 'ALTER TABLE steward.audit_event_default OWNER TO CURRENT_USER'),
	('a policy that lets everybody in', 'DROP POLICY tenant_read ON steward.credential; CREATE POLICY tenant_read ON steward.credential FOR SELECT USING (true)'),
	('one policy more', 'CREATE POLICY everybody ON steward.credential FOR SELECT USING (true)'),
	('a trigger on another function', 'DROP TRIGGER audit ON steward.credential; CREATE TRIGGER audit BEFORE TRUNCATE ON steward.credential EXECUTE FUNCTION steward.tg_no_truncate()'),
	('a trigger for fewer events', 'DROP TRIGGER audit ON steward.credential; CREATE TRIGGER audit AFTER INSERT ON steward.credential FOR EACH ROW EXECUTE FUNCTION steward.tg_audit();
		ALTER TABLE steward.credential ENABLE ALWAYS TRIGGER audit'),
	('a trigger with a condition', 'DROP TRIGGER audit ON steward.credential; CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON steward.credential FOR EACH ROW WHEN (false) EXECUTE FUNCTION steward.tg_audit();
		ALTER TABLE steward.credential ENABLE ALWAYS TRIGGER audit');
SELECT d.what, t.critical, t.mended ~ 'made or mended' AS mended, t.left_over FROM damages d, pg_temp.try_damage(d.statement) t ORDER BY d.n;

-- Roles: nobody is a member of the owner, which can do nothing but own.
BEGIN;
CREATE ROLE setup_mends_intruder;
GRANT steward_owner TO setup_mends_intruder;
GRANT steward_role_admin TO setup_mends_intruder;
ALTER ROLE steward_owner LOGIN BYPASSRLS CREATEROLE;
ALTER ROLE steward_analyst LOGIN SUPERUSER;
SELECT step, result FROM steward.setup() WHERE step LIKE 'role steward_owner';
SELECT count(*) AS members FROM pg_auth_members WHERE member = 'setup_mends_intruder'::regrole;
SELECT * FROM (TABLE before EXCEPT SELECT * FROM pg_temp.catalog()) lost;
ROLLBACK;

-- Grants to profiles that somebody took are given again.
BEGIN;
REVOKE EXECUTE ON FUNCTION steward.is_authorized(text, steward.scope_set) FROM steward_app;
REVOKE SELECT ON steward.credential_inventory FROM steward_analyst;
SELECT count(*) > 0 AS ran FROM steward.setup();
SELECT * FROM (TABLE before EXCEPT SELECT * FROM pg_temp.catalog()) lost;
ROLLBACK;
