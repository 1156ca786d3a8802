-- Inventories of other systems, and what is found in them.

CREATE TABLE steward.import_run (
    org_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT steward.uuid7(),
    system_id uuid NOT NULL,
    format text NOT NULL,
    complete boolean NOT NULL,
    found bigint NOT NULL,
    added bigint NOT NULL,
    changed bigint NOT NULL,
    gone bigint NOT NULL,
    confirmed bigint NOT NULL,
    reappeared bigint NOT NULL,
    refused bigint NOT NULL,
    run_by name NOT NULL,
    run_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    CONSTRAINT import_run_pkey PRIMARY KEY (org_id, id),
    CONSTRAINT import_run_system_fkey FOREIGN KEY (org_id, system_id) REFERENCES steward.system (org_id, id)
);
COMMENT ON TABLE steward.import_run IS 'one import of an inventory, counted';
COMMENT ON COLUMN steward.import_run.org_id IS 'organization';
COMMENT ON COLUMN steward.import_run.id IS 'identity, ordered in time';
COMMENT ON COLUMN steward.import_run.system_id IS 'whose inventory it was';
COMMENT ON COLUMN steward.import_run.format IS 'format of the list';
COMMENT ON COLUMN steward.import_run.complete IS 'whether it named everything there is';
COMMENT ON COLUMN steward.import_run.found IS 'credentials named';
COMMENT ON COLUMN steward.import_run.added IS 'of these, new here';
COMMENT ON COLUMN steward.import_run.changed IS 'of these, known with other facts';
COMMENT ON COLUMN steward.import_run.gone IS 'known as there, and not named by a complete list';
COMMENT ON COLUMN steward.import_run.confirmed IS 'revoked here, and not named by a complete list any more';
COMMENT ON COLUMN steward.import_run.reappeared IS 'revoked and confirmed, and named again';
COMMENT ON COLUMN steward.import_run.refused IS 'rows that were not taken';
COMMENT ON COLUMN steward.import_run.run_by IS 'database role';
COMMENT ON COLUMN steward.import_run.run_at IS 'when';

CREATE TABLE steward.credential_finding (
    org_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT steward.uuid7(),
    kind text NOT NULL CONSTRAINT credential_finding_kind_known CHECK (kind IN ('reappeared', 'leak')),
    severity text NOT NULL CONSTRAINT credential_finding_severity_known CHECK (severity IN ('low', 'medium', 'high', 'critical')),
    credential_id uuid,
    source text CONSTRAINT credential_finding_source_valid CHECK (source = btrim(source) AND length(source) BETWEEN 1 AND 200),
    detail jsonb NOT NULL DEFAULT '{}',
    found_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    found_by name NOT NULL,
    resolved_at timestamptz,
    resolved_by name,
    CONSTRAINT credential_finding_pkey PRIMARY KEY (org_id, id),
    CONSTRAINT credential_finding_credential_fkey FOREIGN KEY (org_id, credential_id) REFERENCES steward.credential (org_id, id),
    CONSTRAINT credential_finding_resolved_by CHECK ((resolved_at IS NULL) = (resolved_by IS NULL))
);
CREATE INDEX credential_finding_open_idx ON steward.credential_finding (org_id, credential_id, kind) WHERE resolved_at IS NULL;
COMMENT ON TABLE steward.credential_finding IS 'what was reported or noticed about a credential and has to be looked into: a leak, a return after revocation';
COMMENT ON COLUMN steward.credential_finding.org_id IS 'organization';
COMMENT ON COLUMN steward.credential_finding.id IS 'identity';
COMMENT ON COLUMN steward.credential_finding.kind IS 'reappeared (listed again after its confirmed revocation) or leak';
COMMENT ON COLUMN steward.credential_finding.severity IS 'low, medium, high or critical';
COMMENT ON COLUMN steward.credential_finding.credential_id IS 'credential; NULL where a leak was reported that matches none';
COMMENT ON COLUMN steward.credential_finding.source IS 'who says so';
COMMENT ON COLUMN steward.credential_finding.detail IS 'where and how; never a secret';
COMMENT ON COLUMN steward.credential_finding.found_at IS 'when';
COMMENT ON COLUMN steward.credential_finding.found_by IS 'database role that brought it';
COMMENT ON COLUMN steward.credential_finding.resolved_at IS 'when it was dealt with';
COMMENT ON COLUMN steward.credential_finding.resolved_by IS 'database role that said so';
