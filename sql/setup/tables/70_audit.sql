-- The audit log.  Its partitions are made by setup() and maintain().

CREATE TABLE steward.audit_incarnation (
    incarnation integer NOT NULL CONSTRAINT audit_incarnation_pkey PRIMARY KEY CONSTRAINT audit_incarnation_positive CHECK (incarnation > 0),
    system_identifier bigint NOT NULL,
    database_oid bigint NOT NULL,
    timeline bigint NOT NULL,
    began_xact xid8 NOT NULL,
    announced boolean NOT NULL,
    began_at timestamptz NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE steward.audit_incarnation IS 'which database wrote which part of the log: a restore or a copy begins a new incarnation';
COMMENT ON COLUMN steward.audit_incarnation.incarnation IS 'number, rising';
COMMENT ON COLUMN steward.audit_incarnation.system_identifier IS 'the cluster''s identifier';
COMMENT ON COLUMN steward.audit_incarnation.database_oid IS 'the database''s OID there, to tell a copy in the same cluster';
COMMENT ON COLUMN steward.audit_incarnation.timeline IS 'the cluster''s timeline';
COMMENT ON COLUMN steward.audit_incarnation.began_xact IS 'next transaction id when it began: events of earlier incarnations are complete once all older transactions have ended';
COMMENT ON COLUMN steward.audit_incarnation.announced IS 'whether setup() or a promotion began it; of a copy that nobody has announced events are kept, and sealed later';
COMMENT ON COLUMN steward.audit_incarnation.began_at IS 'when it was noticed';

CREATE TABLE steward.audit_event (
    org_id uuid NOT NULL,
    xact xid8 NOT NULL,
    recorded_at timestamptz NOT NULL,
    occurred_at timestamptz NOT NULL,
    target bigint,
    incarnation integer NOT NULL,
    n integer NOT NULL,
    version integer NOT NULL DEFAULT 1,
    action text NOT NULL,
    table_name text,
    row_key jsonb,
    old_values jsonb,
    new_values jsonb,
    actor_principal uuid,
    actor_credential uuid,
    actor_chain uuid[],
    session_role text NOT NULL,
    acting_role text NOT NULL,
    application_name text,
    client_address inet,
    claimed_actor jsonb,
    targets jsonb,
    context jsonb,
    metadata jsonb,
    CONSTRAINT audit_event_pkey PRIMARY KEY (org_id, incarnation, xact, n, recorded_at)
) PARTITION BY RANGE (recorded_at);
-- Keys of rows come in any order, and every event would move another page of a btree.  A block-range index costs a writer
-- next to nothing; maintain() summarizes what has been added.
CREATE INDEX audit_event_target_idx ON steward.audit_event USING brin (org_id, target int8_bloom_ops) WITH (pages_per_range = 64);
CREATE INDEX audit_event_actor_idx ON steward.audit_event (org_id, actor_principal, recorded_at) WHERE actor_principal IS NOT NULL;
COMMENT ON TABLE steward.audit_event IS 'every change of a governed row, written in the transaction that made it; never changed, and deleted by retention alone';
COMMENT ON COLUMN steward.audit_event.org_id IS 'organization';
COMMENT ON COLUMN steward.audit_event.incarnation IS 'which database wrote it';
COMMENT ON COLUMN steward.audit_event.xact IS '64-bit id of the writing transaction';
COMMENT ON COLUMN steward.audit_event.n IS 'counter inside the transaction';
COMMENT ON COLUMN steward.audit_event.recorded_at IS 'start of the writing transaction; the partition key';
COMMENT ON COLUMN steward.audit_event.occurred_at IS 'of a captured row: when it was captured, while the row was locked, so that a row''s events are in the order of its changes; of an application''s event: what the application says';
COMMENT ON COLUMN steward.audit_event.action IS 'insert, update or delete of a captured row, insert_many and so on of a whole statement, truncate; or an application''s or steward''s own action';
COMMENT ON COLUMN steward.audit_event.version IS 'version of the action''s shape';
COMMENT ON COLUMN steward.audit_event.table_name IS 'table of a captured row';
COMMENT ON COLUMN steward.audit_event.target IS 'hash of table and key, see audit_target(): what the index on changes of a row is over';
COMMENT ON COLUMN steward.audit_event.row_key IS 'primary key of a captured row, without org_id';
COMMENT ON COLUMN steward.audit_event.old_values IS 'changed columns, before';
COMMENT ON COLUMN steward.audit_event.new_values IS 'changed columns, after';
COMMENT ON COLUMN steward.audit_event.actor_principal IS 'verified principal, where one was assumed';
COMMENT ON COLUMN steward.audit_event.actor_credential IS 'credential that proved that principal';
COMMENT ON COLUMN steward.audit_event.actor_chain IS 'verified actors before it';
COMMENT ON COLUMN steward.audit_event.session_role IS 'database role that logged in';
COMMENT ON COLUMN steward.audit_event.acting_role IS 'database role that called';
COMMENT ON COLUMN steward.audit_event.application_name IS 'what the client calls itself';
COMMENT ON COLUMN steward.audit_event.client_address IS 'where the client connected from; NULL for a local socket';
COMMENT ON COLUMN steward.audit_event.claimed_actor IS 'of an application''s event: the actor it claims';
COMMENT ON COLUMN steward.audit_event.targets IS 'of an application''s event: what it was done to';
COMMENT ON COLUMN steward.audit_event.context IS 'request id and the like; never trusted';
COMMENT ON COLUMN steward.audit_event.metadata IS 'of an application''s event: details';

CREATE TABLE steward.audit_key (
    org_id uuid NOT NULL CONSTRAINT audit_key_organization_fkey REFERENCES steward.organization (id),
    id uuid NOT NULL DEFAULT steward.uuid7(),
    public_key bytea NOT NULL CONSTRAINT audit_key_public_key_length CHECK (octet_length(public_key) = 32),
    sealed_key bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    retired_at timestamptz,
    CONSTRAINT audit_key_pkey PRIMARY KEY (org_id, id)
);
CREATE UNIQUE INDEX audit_key_one_in_use ON steward.audit_key (org_id) WHERE retired_at IS NULL;
COMMENT ON TABLE steward.audit_key IS 'keys that sign the checkpoints of an organization''s log';
COMMENT ON COLUMN steward.audit_key.org_id IS 'organization';
COMMENT ON COLUMN steward.audit_key.id IS 'identity';
COMMENT ON COLUMN steward.audit_key.public_key IS 'Ed25519 public key';
COMMENT ON COLUMN steward.audit_key.sealed_key IS 'Ed25519 private key, sealed under the key file';
COMMENT ON COLUMN steward.audit_key.created_at IS 'when it was made';
COMMENT ON COLUMN steward.audit_key.retired_at IS 'since when it signs nothing; what it signed stays valid';

CREATE TABLE steward.audit_log (
    org_id uuid NOT NULL CONSTRAINT audit_log_organization_fkey REFERENCES steward.organization (id),
    incarnation integer NOT NULL CONSTRAINT audit_log_incarnation_fkey REFERENCES steward.audit_incarnation (incarnation),
    origin text NOT NULL CONSTRAINT audit_log_origin_valid CHECK (origin ~ '^[!-*,-~]{1,255}$'),
    start_leaf bytea NOT NULL,
    previous_incarnation integer,
    previous_size bigint,
    previous_root bytea,
    carried_from xid8,
    size bigint NOT NULL CONSTRAINT audit_log_size_positive CHECK (size > 0),
    root bytea NOT NULL CONSTRAINT audit_log_root_length CHECK (octet_length(root) = 32),
    sealed_through xid8 NOT NULL,
    sealed_by xid8 NOT NULL,
    sealed_at timestamptz NOT NULL,
    expired bigint NOT NULL DEFAULT 0,
    expired_event text,
    began_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    CONSTRAINT audit_log_expired_sealed CHECK (expired >= 0 AND expired <= size AND (expired = 0) = (expired_event IS NULL)),
    CONSTRAINT audit_log_pkey PRIMARY KEY (org_id, incarnation),
    CONSTRAINT audit_log_previous_whole CHECK ((previous_incarnation IS NULL) = (previous_size IS NULL)
        AND (previous_incarnation IS NULL) = (previous_root IS NULL))
);
COMMENT ON TABLE steward.audit_log IS 'the Merkle log of an organization in one incarnation: how far it is sealed';
COMMENT ON COLUMN steward.audit_log.org_id IS 'organization';
COMMENT ON COLUMN steward.audit_log.incarnation IS 'incarnation that it belongs to';
COMMENT ON COLUMN steward.audit_log.origin IS 'name of the log, in its checkpoints';
COMMENT ON COLUMN steward.audit_log.start_leaf IS 'contents of leaf 0, which names this log and the one before it';
COMMENT ON COLUMN steward.audit_log.previous_incarnation IS 'incarnation of the log before it, if there is one';
COMMENT ON COLUMN steward.audit_log.previous_size IS 'size of that log where this one begins';
COMMENT ON COLUMN steward.audit_log.previous_root IS 'root of that log at that size';
COMMENT ON COLUMN steward.audit_log.carried_from IS 'events of earlier incarnations from this transaction on, which no log had sealed, are sealed here first; NULL: none are';
COMMENT ON COLUMN steward.audit_log.size IS 'number of leaves sealed';
COMMENT ON COLUMN steward.audit_log.root IS 'root of the tree over them';
COMMENT ON COLUMN steward.audit_log.sealed_through IS 'all events of the incarnation by transactions below this id are sealed';
COMMENT ON COLUMN steward.audit_log.sealed_by IS 'transaction that sealed last: it cannot sign what only it has sealed';
COMMENT ON COLUMN steward.audit_log.sealed_at IS 'when it was last sealed';
COMMENT ON COLUMN steward.audit_log.expired IS 'leaves below this one, but for leaf 0, whose content has left by retention; their hashes stay';
COMMENT ON COLUMN steward.audit_log.expired_event IS 'the event that recorded it';
COMMENT ON COLUMN steward.audit_log.began_at IS 'when it began';

CREATE TABLE steward.audit_tile (
    org_id uuid NOT NULL,
    incarnation integer NOT NULL,
    level smallint NOT NULL CONSTRAINT audit_tile_level_valid CHECK (level BETWEEN 0 AND 7),
    tile bigint NOT NULL CONSTRAINT audit_tile_tile_valid CHECK (tile >= 0),
    hashes bytea NOT NULL CONSTRAINT audit_tile_hashes_length
        CHECK (octet_length(hashes) >= 32 AND octet_length(hashes) <= 8192 AND octet_length(hashes) % 32 = 0),
    first_incarnation integer,
    first_xact xid8,
    first_n integer,
    CONSTRAINT audit_tile_pkey PRIMARY KEY (org_id, incarnation, level, tile)
);
-- Hashes do not compress.
ALTER TABLE steward.audit_tile ALTER COLUMN hashes SET STORAGE EXTERNAL;
CREATE INDEX audit_tile_event_idx ON steward.audit_tile (org_id, incarnation, first_incarnation, first_xact, first_n) WHERE level = 0;
COMMENT ON TABLE steward.audit_tile IS 'the hashes of a log''s tree, 256 to a tile (C2SP tlog-tiles): level 0 has those of leaves, each further level those of whole tiles below';
COMMENT ON COLUMN steward.audit_tile.org_id IS 'organization';
COMMENT ON COLUMN steward.audit_tile.incarnation IS 'incarnation of the log';
COMMENT ON COLUMN steward.audit_tile.level IS 'level, 0 for leaves';
COMMENT ON COLUMN steward.audit_tile.tile IS 'number in its level, from 0';
COMMENT ON COLUMN steward.audit_tile.hashes IS '1 to 256 hashes; only the last tile of a level has fewer than 256';
COMMENT ON COLUMN steward.audit_tile.first_incarnation IS 'of level 0: incarnation of its first event';
COMMENT ON COLUMN steward.audit_tile.first_xact IS 'of level 0: transaction of its first event';
COMMENT ON COLUMN steward.audit_tile.first_n IS 'of level 0: counter of its first event';

CREATE TABLE steward.audit_checkpoint (
    org_id uuid NOT NULL,
    incarnation integer NOT NULL,
    size bigint NOT NULL CONSTRAINT audit_checkpoint_size_positive CHECK (size > 0),
    root bytea NOT NULL CONSTRAINT audit_checkpoint_root_length CHECK (octet_length(root) = 32),
    key_id uuid NOT NULL,
    note text NOT NULL,
    signed_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    delivered_at timestamptz,
    delivered_to text CONSTRAINT audit_checkpoint_delivered_to_valid CHECK (length(btrim(delivered_to)) BETWEEN 1 AND 1000),
    CONSTRAINT audit_checkpoint_pkey PRIMARY KEY (org_id, incarnation, size),
    CONSTRAINT audit_checkpoint_log_fkey FOREIGN KEY (org_id, incarnation) REFERENCES steward.audit_log (org_id, incarnation),
    CONSTRAINT audit_checkpoint_key_fkey FOREIGN KEY (org_id, key_id) REFERENCES steward.audit_key (org_id, id),
    CONSTRAINT audit_checkpoint_delivered_whole CHECK ((delivered_at IS NULL) = (delivered_to IS NULL))
);
COMMENT ON TABLE steward.audit_checkpoint IS 'every checkpoint that was signed; one that was never delivered elsewhere proves nothing to a stranger';
COMMENT ON COLUMN steward.audit_checkpoint.org_id IS 'organization';
COMMENT ON COLUMN steward.audit_checkpoint.incarnation IS 'incarnation of the log';
COMMENT ON COLUMN steward.audit_checkpoint.size IS 'number of leaves';
COMMENT ON COLUMN steward.audit_checkpoint.root IS 'root over them';
COMMENT ON COLUMN steward.audit_checkpoint.key_id IS 'key that signed it';
COMMENT ON COLUMN steward.audit_checkpoint.note IS 'the signed note';
COMMENT ON COLUMN steward.audit_checkpoint.signed_at IS 'when it was signed';
COMMENT ON COLUMN steward.audit_checkpoint.delivered_at IS 'when it is known to have left the database';
COMMENT ON COLUMN steward.audit_checkpoint.delivered_to IS 'where to';

CREATE TABLE steward.audit_capture (
    org_id uuid NOT NULL CONSTRAINT audit_capture_organization_fkey REFERENCES steward.organization (id),
    schema_name text NOT NULL,
    table_name text NOT NULL,
    org_column text,
    per text NOT NULL CONSTRAINT audit_capture_per_known CHECK (per IN ('row', 'statement')),
    left_out text[] NOT NULL,
    masked text[] NOT NULL,
    table_owner text NOT NULL,
    audited_since timestamptz NOT NULL DEFAULT pg_catalog.now(),
    CONSTRAINT audit_capture_pkey PRIMARY KEY (org_id, schema_name, table_name)
);
COMMENT ON TABLE steward.audit_capture IS 'tables outside steward that are audited';
COMMENT ON COLUMN steward.audit_capture.org_id IS 'organization whose log its events go to, or that asked for it where the rows name theirs';
COMMENT ON COLUMN steward.audit_capture.schema_name IS 'schema of the table';
COMMENT ON COLUMN steward.audit_capture.table_name IS 'table';
COMMENT ON COLUMN steward.audit_capture.org_column IS 'column that names the organization of a row; NULL: all rows belong to org_id';
COMMENT ON COLUMN steward.audit_capture.per IS 'row: an event for each row; statement: one for each statement';
COMMENT ON COLUMN steward.audit_capture.left_out IS 'columns that are not recorded at all';
COMMENT ON COLUMN steward.audit_capture.masked IS 'columns of which only the change is recorded, not the values';
COMMENT ON COLUMN steward.audit_capture.table_owner IS 'owner of the table when it was asked for';
COMMENT ON COLUMN steward.audit_capture.audited_since IS 'since when';

CREATE TABLE steward.audit_action (
    org_id uuid NOT NULL CONSTRAINT audit_action_organization_fkey REFERENCES steward.organization (id),
    action text NOT NULL CONSTRAINT audit_action_action_valid CHECK (action ~ '^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$' AND length(action) <= 100),
    version integer NOT NULL CONSTRAINT audit_action_version_positive CHECK (version > 0),
    targets text[] NOT NULL,
    metadata jsonb NOT NULL CONSTRAINT audit_action_metadata_object CHECK (jsonb_typeof(metadata) = 'object'),
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    CONSTRAINT audit_action_pkey PRIMARY KEY (org_id, action, version),
    CONSTRAINT audit_action_not_reserved CHECK (action !~ '^steward(\.|$)')
);
COMMENT ON TABLE steward.audit_action IS 'shapes of applications'' events: what record_event() checks them against';
COMMENT ON COLUMN steward.audit_action.org_id IS 'organization';
COMMENT ON COLUMN steward.audit_action.action IS 'action';
COMMENT ON COLUMN steward.audit_action.version IS 'version of its shape';
COMMENT ON COLUMN steward.audit_action.targets IS 'types that its targets may have; empty: none';
COMMENT ON COLUMN steward.audit_action.metadata IS 'members that its metadata may have, with their types: string, number, boolean; a type ending with ! is required';
COMMENT ON COLUMN steward.audit_action.created_at IS 'when it was registered';

CREATE TABLE steward.audit_idempotency (
    org_id uuid NOT NULL,
    idempotency_key text NOT NULL CONSTRAINT audit_idempotency_key_valid CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    content bytea NOT NULL,
    incarnation integer NOT NULL,
    xact xid8 NOT NULL,
    n integer NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    CONSTRAINT audit_idempotency_pkey PRIMARY KEY (org_id, idempotency_key)
);
CREATE INDEX audit_idempotency_recorded_idx ON steward.audit_idempotency (org_id, recorded_at);
COMMENT ON TABLE steward.audit_idempotency IS 'idempotency keys of applications'' events: the same event twice is one';
COMMENT ON COLUMN steward.audit_idempotency.org_id IS 'organization';
COMMENT ON COLUMN steward.audit_idempotency.idempotency_key IS 'key that the application chose';
COMMENT ON COLUMN steward.audit_idempotency.content IS 'SHA-256 of the event, to tell another event under the same key';
COMMENT ON COLUMN steward.audit_idempotency.incarnation IS 'incarnation of the event';
COMMENT ON COLUMN steward.audit_idempotency.xact IS 'transaction of the event';
COMMENT ON COLUMN steward.audit_idempotency.n IS 'counter of the event';
COMMENT ON COLUMN steward.audit_idempotency.recorded_at IS 'when; maintain() forgets it after 30 days';

CREATE TABLE steward.audit_usage (
    org_id uuid NOT NULL,
    day date NOT NULL,
    shard smallint NOT NULL,
    events bigint NOT NULL,
    CONSTRAINT audit_usage_pkey PRIMARY KEY (org_id, day, shard)
);
COMMENT ON TABLE steward.audit_usage IS 'how many events applications recorded in a day, where the organization has a quota; in shards, so that writers do not wait for each other';
COMMENT ON COLUMN steward.audit_usage.org_id IS 'organization';
COMMENT ON COLUMN steward.audit_usage.day IS 'day, UTC';
COMMENT ON COLUMN steward.audit_usage.shard IS 'shard';
COMMENT ON COLUMN steward.audit_usage.events IS 'events';
