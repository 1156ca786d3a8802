-- The examples of doc/scope.md, as they stand there; test/check/doc_examples compares the two.
SET search_path = public, steward;

SELECT 'repo:acme/*'::scope @> 'repo:acme/api:write'::scope AS covers,
       'repo:acme/* tickets:read'::scope_set @> 'tickets:read' AS set_covers;

CREATE TEMP TABLE keys (name text, scopes scope_set);
INSERT INTO keys VALUES ('deploy', 'repo:acme/*'), ('ci', 'repo:acme/api:read repo:acme/web:read'),
    ('backup', 's3:exports/*'), ('root', '*'), ('reviewer', 'repo:*/api:read comments:write');
CREATE INDEX ON keys USING gin (scopes);

-- Who can read api?
SELECT name, scopes FROM keys WHERE scopes @> 'repo:acme/api:read' ORDER BY name;

-- Who has anything under repo:acme?
SELECT name FROM keys WHERE scopes && 'repo:acme/*' ORDER BY name;

SELECT 's3:Get*'::scope;

SELECT 'tickets:read repo:acme/api:read repo:acme/* tickets:read'::scope_set;

SELECT 'repo:acme/* tickets:read'::scope_set * 'repo:*/api:read repo:*/web:*' AS common,
       'repo:acme/* tickets:read'::scope_set - 'repo:acme/api:read' AS without,
       uncovered('repo:acme/* tickets:read', 'repo:acme/api:read tickets:*') AS beyond;

SELECT member, segments(member) FROM unnest('repo:acme/api:read tickets:read'::scope_set) AS member;

SELECT permission, scope_widen(permission) FROM unnest(ARRAY['s3:Get*', 'arn:aws:s3:::logs-*/2026', 'secret/+/config',
    'site:Full control:read', 's3:GetObject']) AS permission;
