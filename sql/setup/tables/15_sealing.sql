-- Keys at rest: which key-encryption keys have sealed something here.  The keys themselves are in a file.

CREATE TABLE steward.sealing_key (
    fingerprint text NOT NULL CONSTRAINT sealing_key_pkey PRIMARY KEY
        CONSTRAINT sealing_key_fingerprint_valid CHECK (fingerprint ~ '^[0-9a-f]{16}$'),
    first_used_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    retired_at timestamptz
);
COMMENT ON TABLE steward.sealing_key IS 'key-encryption keys that have sealed private keys here, by fingerprint: health says which node lacks one';
COMMENT ON COLUMN steward.sealing_key.fingerprint IS 'identifies a key of the key file, and tells nothing about it';
COMMENT ON COLUMN steward.sealing_key.first_used_at IS 'since when';
COMMENT ON COLUMN steward.sealing_key.retired_at IS 'since when nothing is sealed under it; old backups may still need it';
