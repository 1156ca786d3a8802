-- The inventory.

CREATE OR REPLACE VIEW steward.credential_inventory AS
SELECT c.org_id,
       c.id AS credential_id,
       c.display AS credential,
       c.name,
       c.kind,
       h.name AS holder,
       h.kind AS holder_kind,
       coalesce(o.user_name, o.name) AS owner,
       c.scopes,
       s.name AS system,
       s.revocation_path,
       c.environment,
       c.expires_at,
       c.rotate_by,
       steward.credential_status(c) AS status,
       c.state,
       c.holder_id,
       c.owner_id,
       c.system_id,
       c.external_id,
       c.issued_at,
       c.revoked_at,
       c.revocation_id,
       r.reason AS revocation_reason,
       c.parent_id,
       c.parent_kind,
       c.justification,
       c.ticket,
       c.issued_by,
       c.created_at
FROM steward.credential c
JOIN steward.system s ON s.org_id = c.org_id AND s.id = c.system_id
LEFT JOIN steward.principal h ON h.org_id = c.org_id AND h.id = c.holder_id
LEFT JOIN steward.principal o ON o.org_id = c.org_id AND o.id = c.owner_id
LEFT JOIN steward.revocation r ON r.org_id = c.org_id AND r.id = c.revocation_id;
COMMENT ON VIEW steward.credential_inventory IS 'every credential: whose it is, what it opens, how it is taken away, and its effective status now';
