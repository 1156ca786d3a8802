-- The catalogue of what scopes mean.

CREATE TABLE steward.entitlement (
    org_id uuid NOT NULL CONSTRAINT entitlement_organization_fkey REFERENCES steward.organization (id),
    id uuid NOT NULL DEFAULT steward.uuid7(),
    title text NOT NULL CONSTRAINT entitlement_title_valid CHECK (title = btrim(title) AND length(title) BETWEEN 1 AND 200),
    scopes steward.scope_set NOT NULL CONSTRAINT entitlement_some_scope CHECK (scopes::text <> ''),
    privileged boolean NOT NULL DEFAULT false,
    data_classification text CONSTRAINT entitlement_data_classification_known CHECK (data_classification IN ('public', 'internal', 'confidential', 'restricted')),
    owner_id uuid,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    CONSTRAINT entitlement_pkey PRIMARY KEY (org_id, id),
    CONSTRAINT entitlement_title_key UNIQUE (org_id, title),
    CONSTRAINT entitlement_owner_fkey FOREIGN KEY (org_id, owner_id) REFERENCES steward.principal (org_id, id)
);
COMMENT ON TABLE steward.entitlement IS 'a scope pattern with what it means: a title, whether it is privileged, what data it opens';
COMMENT ON COLUMN steward.entitlement.org_id IS 'organization';
COMMENT ON COLUMN steward.entitlement.id IS 'identity';
COMMENT ON COLUMN steward.entitlement.title IS 'in words, unique in the organization';
COMMENT ON COLUMN steward.entitlement.scopes IS 'scopes that it describes';
COMMENT ON COLUMN steward.entitlement.privileged IS 'whether it is privileged';
COMMENT ON COLUMN steward.entitlement.data_classification IS 'public, internal, confidential or restricted';
COMMENT ON COLUMN steward.entitlement.owner_id IS 'the human who answers for it';
COMMENT ON COLUMN steward.entitlement.created_at IS 'when it was made';
