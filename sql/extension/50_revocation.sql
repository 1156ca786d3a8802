-- Functions of revocation.

CREATE TYPE steward.revocation_receipt AS (
    revocation_id uuid, credentials bigint, principals bigint, pending_external bigint, xid xid8
);
COMMENT ON TYPE steward.revocation_receipt IS 'what an act of revocation did: its id is the receipt, NULL for a dry run';

CREATE FUNCTION steward.revoke(credential text, reason text, note text DEFAULT NULL, dry_run boolean DEFAULT false,
    org uuid DEFAULT steward.default_org()) RETURNS steward.revocation_receipt
    AS 'MODULE_PATHNAME', 'steward_revoke' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.revoke(text, text, text, boolean, uuid) IS 'revokes a credential and everything that derives from it';
CREATE FUNCTION steward.revoke(credential uuid, reason text, note text DEFAULT NULL, dry_run boolean DEFAULT false,
    org uuid DEFAULT steward.default_org()) RETURNS steward.revocation_receipt
    AS 'MODULE_PATHNAME', 'steward_revoke' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.revoke(uuid, text, text, boolean, uuid) IS 'revokes a credential and everything that derives from it';

CREATE FUNCTION steward.revoke_principal(principal text, reason text, note text DEFAULT NULL, dry_run boolean DEFAULT false,
    org uuid DEFAULT steward.default_org()) RETURNS steward.revocation_receipt
    AS 'MODULE_PATHNAME', 'steward_revoke_principal' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.revoke_principal(text, text, text, boolean, uuid) IS 'revokes everything that a principal holds or owns, and moves its epoch';
CREATE FUNCTION steward.revoke_principal(principal uuid, reason text, note text DEFAULT NULL, dry_run boolean DEFAULT false,
    org uuid DEFAULT steward.default_org()) RETURNS steward.revocation_receipt
    AS 'MODULE_PATHNAME', 'steward_revoke_principal' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.revoke_principal(uuid, text, text, boolean, uuid) IS 'revokes everything that a principal holds or owns, and moves its epoch';
