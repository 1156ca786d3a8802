-- The use of credentials: added by checks without waiting for anybody, merged by maintain().

-- No foreign key: it would make a check wait for whoever revokes the credential.
CREATE TABLE steward.credential_use (
    org_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT steward.uuid7(),
    credential_id uuid NOT NULL,
    scopes steward.scope_set NOT NULL,
    window_start timestamptz NOT NULL,
    uses bigint NOT NULL CONSTRAINT credential_use_uses_positive CHECK (uses > 0),
    consumer text,
    client_address inet,
    source text NOT NULL DEFAULT 'check' CONSTRAINT credential_use_source_known CHECK (source IN ('check', 'reported')),
    merged boolean NOT NULL DEFAULT false,
    CONSTRAINT credential_use_pkey PRIMARY KEY (org_id, id)
);
CREATE INDEX credential_use_credential_idx ON steward.credential_use (org_id, credential_id, window_start);
CREATE INDEX credential_use_merge_idx ON steward.credential_use (org_id, window_start) WHERE NOT merged;
COMMENT ON TABLE steward.credential_use IS 'recorded use, a lower bound: about one row for each credential, scopes, consumer and window; rows are only added, and merged by maintain()';
COMMENT ON COLUMN steward.credential_use.org_id IS 'organization';
COMMENT ON COLUMN steward.credential_use.id IS 'identity';
COMMENT ON COLUMN steward.credential_use.credential_id IS 'credential that passed a check';
COMMENT ON COLUMN steward.credential_use.scopes IS 'what was required of it';
COMMENT ON COLUMN steward.credential_use.window_start IS 'start of the window, of the length of steward.usage_resolution';
COMMENT ON COLUMN steward.credential_use.uses IS 'uses in it that this row stands for';
COMMENT ON COLUMN steward.credential_use.consumer IS 'application name of the session that asked';
COMMENT ON COLUMN steward.credential_use.client_address IS 'where that session connected from; NULL for a local socket';
COMMENT ON COLUMN steward.credential_use.source IS 'check, or reported from elsewhere';
COMMENT ON COLUMN steward.credential_use.merged IS 'whether maintain() has merged it';

CREATE TABLE steward.credential_activity (
    org_id uuid NOT NULL,
    credential_id uuid NOT NULL,
    kind text NOT NULL,
    idle_since date NOT NULL,
    CONSTRAINT credential_activity_pkey PRIMARY KEY (org_id, credential_id)
);
-- Changed by maintain() alone, and at most once a day for a credential.
CREATE INDEX credential_activity_idle_idx ON steward.credential_activity (org_id, kind, idle_since) INCLUDE (credential_id);
COMMENT ON TABLE steward.credential_activity IS 'since which day a live credential was not used; made by maintain() from recorded use';
COMMENT ON COLUMN steward.credential_activity.org_id IS 'organization';
COMMENT ON COLUMN steward.credential_activity.credential_id IS 'credential';
COMMENT ON COLUMN steward.credential_activity.kind IS 'its kind, which never changes';
COMMENT ON COLUMN steward.credential_activity.idle_since IS 'day of the last recorded use, else of its creation';
