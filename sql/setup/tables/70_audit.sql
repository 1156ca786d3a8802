-- The audit log.  Its partitions are made by setup() and maintain().

CREATE TABLE steward.audit_incarnation (
    incarnation integer NOT NULL CONSTRAINT audit_incarnation_pkey PRIMARY KEY CONSTRAINT audit_incarnation_positive CHECK (incarnation > 0),
    system_identifier bigint NOT NULL,
    database_oid bigint NOT NULL,
    timeline bigint NOT NULL,
    began_at timestamptz NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE steward.audit_incarnation IS 'which database wrote which part of the log: a restore or a copy begins a new incarnation';
COMMENT ON COLUMN steward.audit_incarnation.incarnation IS 'number, rising';
COMMENT ON COLUMN steward.audit_incarnation.system_identifier IS 'the cluster''s identifier';
COMMENT ON COLUMN steward.audit_incarnation.database_oid IS 'the database''s OID there, to tell a copy in the same cluster';
COMMENT ON COLUMN steward.audit_incarnation.timeline IS 'the cluster''s timeline';
COMMENT ON COLUMN steward.audit_incarnation.began_at IS 'when it was noticed';

CREATE TABLE steward.audit_event (
    org_id uuid NOT NULL,
    incarnation integer NOT NULL,
    xact xid8 NOT NULL,
    n integer NOT NULL,
    recorded_at timestamptz NOT NULL,
    occurred_at timestamptz NOT NULL,
    action text NOT NULL,
    version integer NOT NULL DEFAULT 1,
    table_name text,
    row_key jsonb,
    old_values jsonb,
    new_values jsonb,
    actor_principal uuid,
    actor_chain uuid[],
    session_role name NOT NULL,
    acting_role name NOT NULL,
    application_name text,
    client_address inet,
    claimed_actor jsonb,
    targets jsonb,
    context jsonb,
    metadata jsonb,
    CONSTRAINT audit_event_pkey PRIMARY KEY (org_id, incarnation, xact, n, recorded_at)
) PARTITION BY RANGE (recorded_at);
CREATE INDEX audit_event_target_idx ON steward.audit_event (org_id, table_name, row_key, recorded_at);
COMMENT ON TABLE steward.audit_event IS 'every change of a governed row, written in the transaction that made it; never changed, never deleted';
COMMENT ON COLUMN steward.audit_event.org_id IS 'organization';
COMMENT ON COLUMN steward.audit_event.incarnation IS 'which database wrote it';
COMMENT ON COLUMN steward.audit_event.xact IS '64-bit id of the writing transaction';
COMMENT ON COLUMN steward.audit_event.n IS 'counter inside the transaction';
COMMENT ON COLUMN steward.audit_event.recorded_at IS 'start of the writing transaction; the partition key';
COMMENT ON COLUMN steward.audit_event.occurred_at IS 'when it happened, inside the transaction';
COMMENT ON COLUMN steward.audit_event.action IS 'insert, update or delete for captured rows';
COMMENT ON COLUMN steward.audit_event.version IS 'version of the action''s shape';
COMMENT ON COLUMN steward.audit_event.table_name IS 'table of a captured row';
COMMENT ON COLUMN steward.audit_event.row_key IS 'primary key of a captured row, without org_id';
COMMENT ON COLUMN steward.audit_event.old_values IS 'changed columns, before';
COMMENT ON COLUMN steward.audit_event.new_values IS 'changed columns, after';
COMMENT ON COLUMN steward.audit_event.actor_principal IS 'verified principal, where one was assumed';
COMMENT ON COLUMN steward.audit_event.actor_chain IS 'verified actors before it';
COMMENT ON COLUMN steward.audit_event.session_role IS 'database role that logged in';
COMMENT ON COLUMN steward.audit_event.acting_role IS 'database role that called';
COMMENT ON COLUMN steward.audit_event.application_name IS 'what the client calls itself';
COMMENT ON COLUMN steward.audit_event.client_address IS 'where the client connected from; NULL for a local socket';
COMMENT ON COLUMN steward.audit_event.claimed_actor IS 'of an application''s event: the actor it claims';
COMMENT ON COLUMN steward.audit_event.targets IS 'of an application''s event: what it was done to';
COMMENT ON COLUMN steward.audit_event.context IS 'request id and the like; never trusted';
COMMENT ON COLUMN steward.audit_event.metadata IS 'of an application''s event: details';
