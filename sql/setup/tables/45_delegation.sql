-- Who may act in whose name.

CREATE TABLE steward.delegation (
    org_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT steward.uuid7(),
    principal_id uuid NOT NULL,
    actor_id uuid NOT NULL,
    kind text NOT NULL CONSTRAINT delegation_kind_known CHECK (kind IN ('may_act', 'user_consent', 'admin_consent')),
    system_id uuid,
    scopes steward.scope_set NOT NULL CONSTRAINT delegation_some_scope CHECK (steward.cardinality(scopes) > 0),
    justification text CONSTRAINT delegation_justification_valid CHECK (length(btrim(justification)) BETWEEN 1 AND 4000),
    ticket text CONSTRAINT delegation_ticket_valid CHECK (length(btrim(ticket)) BETWEEN 1 AND 200),
    approved_by uuid,
    created_by name NOT NULL,
    starts_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    ends_at timestamptz NOT NULL DEFAULT 'infinity',
    tokens_valid_after timestamptz NOT NULL DEFAULT '-infinity',
    ended_at timestamptz,
    ended_reason text CONSTRAINT delegation_ended_reason_valid CHECK (length(btrim(ended_reason)) BETWEEN 1 AND 4000),
    ended_by_event uuid,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    CONSTRAINT delegation_pkey PRIMARY KEY (org_id, id),
    CONSTRAINT delegation_principal_fkey FOREIGN KEY (org_id, principal_id) REFERENCES steward.principal (org_id, id),
    CONSTRAINT delegation_actor_fkey FOREIGN KEY (org_id, actor_id) REFERENCES steward.principal (org_id, id),
    CONSTRAINT delegation_system_fkey FOREIGN KEY (org_id, system_id) REFERENCES steward.system (org_id, id),
    CONSTRAINT delegation_approved_by_fkey FOREIGN KEY (org_id, approved_by) REFERENCES steward.principal (org_id, id),
    CONSTRAINT delegation_event_fkey FOREIGN KEY (org_id, ended_by_event) REFERENCES steward.lifecycle_event (org_id, id),
    CONSTRAINT delegation_to_another CHECK (principal_id <> actor_id),
    CONSTRAINT delegation_times_ordered CHECK (ends_at > starts_at),
    CONSTRAINT delegation_ended_why CHECK ((ended_at IS NULL) = (ended_reason IS NULL))
);
CREATE INDEX delegation_principal_idx ON steward.delegation (org_id, principal_id) WHERE ended_at IS NULL;
CREATE INDEX delegation_actor_idx ON steward.delegation (org_id, actor_id) WHERE ended_at IS NULL;
CREATE INDEX delegation_event_idx ON steward.delegation (org_id, ended_by_event) WHERE ended_by_event IS NOT NULL;
COMMENT ON TABLE steward.delegation IS 'who may act in whose name, on what system, within which scopes, until when';
COMMENT ON COLUMN steward.delegation.org_id IS 'organization';
COMMENT ON COLUMN steward.delegation.id IS 'identity';
COMMENT ON COLUMN steward.delegation.principal_id IS 'in whose name';
COMMENT ON COLUMN steward.delegation.actor_id IS 'who may act';
COMMENT ON COLUMN steward.delegation.kind IS 'may_act, user_consent or admin_consent';
COMMENT ON COLUMN steward.delegation.system_id IS 'system it holds for; NULL for any';
COMMENT ON COLUMN steward.delegation.scopes IS 'within which scopes';
COMMENT ON COLUMN steward.delegation.justification IS 'why it was allowed';
COMMENT ON COLUMN steward.delegation.ticket IS 'reference to the request';
COMMENT ON COLUMN steward.delegation.approved_by IS 'who approved it';
COMMENT ON COLUMN steward.delegation.created_by IS 'database role that recorded it';
COMMENT ON COLUMN steward.delegation.starts_at IS 'since when';
COMMENT ON COLUMN steward.delegation.ends_at IS 'no check passes from this moment on';
COMMENT ON COLUMN steward.delegation.tokens_valid_after IS 'epoch: tokens exchanged under it at or before this moment are dead';
COMMENT ON COLUMN steward.delegation.ended_at IS 'when it was ended before its time';
COMMENT ON COLUMN steward.delegation.ended_reason IS 'why it was ended';
COMMENT ON COLUMN steward.delegation.ended_by_event IS 'lifecycle event that ended it';
COMMENT ON COLUMN steward.delegation.created_at IS 'when the row was made';
