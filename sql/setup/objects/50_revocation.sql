-- What is still to be done outside, and PostgreSQL roles.

CREATE OR REPLACE VIEW steward.revocation_backlog AS
SELECT t.org_id,
       t.id AS task_id,
       s.name AS system,
       s.revocation_path,
       c.display AS credential,
       c.external_id,
       h.name AS holder,
       r.reason,
       t.state,
       t.deadline,
       t.deadline <= pg_catalog.clock_timestamp() AS overdue,
       t.attempts,
       t.next_attempt_at,
       t.lease_until,
       t.leased_by,
       t.last_error,
       s.runbook,
       r.revoked_at,
       t.credential_id,
       t.system_id,
       t.revocation_id
FROM steward.revocation_task t
JOIN steward.credential c ON c.org_id = t.org_id AND c.id = t.credential_id
JOIN steward.system s ON s.org_id = t.org_id AND s.id = t.system_id
JOIN steward.revocation r ON r.org_id = t.org_id AND r.id = t.revocation_id
LEFT JOIN steward.principal h ON h.org_id = c.org_id AND h.id = c.holder_id
WHERE t.state <> 'confirmed';
COMMENT ON VIEW steward.revocation_backlog IS 'credentials that are dead here and that another system still has to kill';

CREATE OR REPLACE VIEW steward.overdue_revocations AS
SELECT b.org_id, b.task_id, b.system, b.credential, b.holder, b.reason, b.deadline AS since, b.attempts, b.last_error, b.credential_id
FROM steward.revocation_backlog b
WHERE b.overdue;
COMMENT ON VIEW steward.overdue_revocations IS 'finding: revoked here, and past the deadline still not confirmed by the system where it lives';

CREATE OR REPLACE VIEW steward.pg_role_inventory AS
SELECT r.org_id,
       r.credential_id,
       r.role_name AS role,
       CASE WHEN a.oid = r.role_oid THEN 'there' WHEN b.oid IS NOT NULL THEN 'renamed' WHEN a.oid IS NOT NULL THEN 'another under the name'
           ELSE 'gone' END AS role_state,
       steward.credential_status(c) AS status,
       o.name AS owner,
       a.rolcanlogin AS can_login,
       a.rolvaliduntil AS valid_until,
       pg_catalog.array_remove(ARRAY[CASE WHEN a.rolsuper THEN 'SUPERUSER' END, CASE WHEN a.rolcreaterole THEN 'CREATEROLE' END,
           CASE WHEN a.rolcreatedb THEN 'CREATEDB' END, CASE WHEN a.rolreplication THEN 'REPLICATION' END,
           CASE WHEN a.rolbypassrls THEN 'BYPASSRLS' END], NULL) AS attributes,
       ARRAY(SELECT g.rolname FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles g ON g.oid = m.roleid
           WHERE m.member = a.oid ORDER BY 1) AS member_of,
       r.disabled_at,
       r.had_login,
       r.had_valid_until,
       ARRAY(SELECT pg_catalog.format('GRANT %I TO %I;', had, r.role_name) FROM pg_catalog.unnest(r.had_memberships) AS had
           WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles g ON g.oid = m.roleid
               WHERE m.member = a.oid AND g.rolname = had) ORDER BY 1) AS grants_to_restore,
       r.registered_by,
       r.by_superuser,
       r.created_at
FROM steward.pg_role r
JOIN steward.credential c ON c.org_id = r.org_id AND c.id = r.credential_id
LEFT JOIN steward.principal o ON o.org_id = c.org_id AND o.id = c.owner_id
LEFT JOIN pg_catalog.pg_roles a ON a.rolname = r.role_name
LEFT JOIN pg_catalog.pg_roles b ON b.oid = r.role_oid;
COMMENT ON VIEW steward.pg_role_inventory IS 'PostgreSQL roles that are credentials: what they are now, what they were before steward disabled them';

CREATE OR REPLACE VIEW steward.unowned_pg_roles AS
SELECT u.role, u.attributes, u.valid_until FROM steward.unowned_roles() u;
COMMENT ON VIEW steward.unowned_pg_roles IS 'finding: roles of this cluster that can log in and that nobody answers for';
