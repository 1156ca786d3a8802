-- The type scope: what is one, what is not and why not, and what covers what.  Exists because every check of the product
-- rests on it: a scope that is read wrongly opens a door.
SET search_path = public, steward;
CREATE FUNCTION pg_temp.refusal(statement text, OUT code text, OUT message text, OUT detail text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    message := 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
END $$;

-- Scopes, ARNs, identifiers and paths as their owners publish them are scopes, and print as they were written.
SELECT count(*) AS published, count(*) FILTER (WHERE s::scope::text = s AND s::scope::text::scope = s::scope) AS printed_the_same,
       count(*) FILTER (WHERE s::scope @> s::scope AND '*'::scope @> s::scope) AS covered
FROM (VALUES
    ('https://www.googleapis.com/auth/drive'), ('https://www.googleapis.com/auth/drive.readonly'), ('https://www.googleapis.com/auth/gmail.send'),
    ('https://www.googleapis.com/auth/cloud-platform'), ('https://mail.google.com/'), ('openid'), ('email'), ('profile'),
    ('https://graph.microsoft.com/Mail.Read'), ('https://graph.microsoft.com/User.Read.All'), ('https://graph.microsoft.com/.default'),
    ('api://6c2f1a9e-0000-4000-8000-3f1c7a9b2d11/access_as_user'), ('offline_access'),
    ('repo'), ('repo:status'), ('repo_deployment'), ('admin:repo_hook'), ('write:packages'), ('read:org'), ('delete_repo'), ('user:email'),
    ('admin:org_hook'), ('workflow'), ('codespace'), ('read:audit_log'),
    ('channels:history'), ('chat:write'), ('chat:write.public'), ('users:read.email'), ('admin.users.session:write'), ('files:read'), ('identity.basic'),
    ('read:jira-work'), ('write:jira-work'), ('manage:jira-project'), ('read:confluence-content.all'), ('read:issue-type:jira'),
    ('offline_access'), ('read:me'),
    ('arn:aws:iam::123456789012:role/deploy'), ('arn:aws:s3:::exports'), ('arn:aws:s3:::exports/*'), ('arn:aws:s3:::b/2026/*'),
    ('arn:aws:lambda:eu-west-1:123456789012:function:bill:PROD'), ('arn:aws:dynamodb:*:123456789012:table/*'), ('s3:GetObject'), ('s3:*'), ('*'),
    ('spiffe://acme.example/ns/prod/sa/web'), ('spiffe://acme.example/ns/*/sa/web'), ('spiffe://acme.example/*'),
    ('secret/data/team-a/*'), ('secret/metadata/team-a/db'), ('auth/token/lookup-self'), ('sys/leases/*'), ('database/creds/readonly'),
    ('!'), ('#$%&''()+,-.;<=>?@[]^_`{|}~')) AS v(s);

-- A text is a scope or it says at which byte it stops being one.
SELECT quote_literal(left(s, 24)) AS input, (pg_temp.refusal(format('SELECT %L::scope', s))).*
FROM (VALUES (1, ''), (2, ' '), (3, 'repo:read '), (4, ' repo:read'), (5, 'repo read'), (6, E'repo\tread'), (7, E'repo:read\n'), (8, E'a\x01'), (9, E'a\x7F'),
    (10, 'a"b'), (11, E'a\\b'), (12, U&'caf\00E9:read'), (13, U&'\2028'), (14, 's3:Get*'), (15, '*s3'), (16, 'a:**'), (17, 'a:*b:c'), (18, 'a/b*/c'), (19, 'a:* '),
    (20, repeat('a', 256)), (21, repeat('a', 255) || '"'), (22, 'a"' || repeat('a', 300)), (23, repeat(':', 256))) AS v(n, s)
ORDER BY n;
SELECT length(s::scope::text) FROM (VALUES (repeat('a', 255)), (repeat(':', 255)), (repeat('*:', 127) || '*')) AS v(s);
SELECT (pg_temp.refusal($$SELECT 's3:Get*'::text::scope$$)).*;
DO $$ BEGIN PERFORM 's3:Get*'::scope; EXCEPTION WHEN OTHERS THEN RAISE INFO 'context names no input: %', SQLERRM !~ 'Get'; END $$;

-- What the pattern covers.  A '*' that is not last is one segment, not empty; a last one is whatever follows, not nothing.
SELECT pattern, scope, pattern::scope @> scope::scope AS covers, scope_covers(pattern::scope, scope::scope) = (scope::scope <@ pattern::scope) AND
       scope_covers(pattern::scope, scope::scope) = (pattern::scope @> scope::scope) AS agree
FROM (VALUES
    (1, 'repo:acme', 'repo:acme'), (2, 'repo:acme', 'repo:acm'), (3, 'repo:acme', 'repo:acme:x'), (4, 'repo:acme', 'repo/acme'),
    (5, '*', 'a'), (6, '*', 'a:b/c'), (7, '*', ':'), (8, '*', '*'), (9, '*', 'https://x'), (10, 'a', '*'),
    (11, 'a:*', 'a:b'), (12, 'a:*', 'a:b/c:d'), (13, 'a:*', 'a:'), (14, 'a:*', 'a::'), (15, 'a:*', 'a'), (16, 'a:*', 'a/b'), (17, 'a:*', 'a:*'), (18, 'a:*', 'a:*:c'),
    (19, 'a:*', 'ab:c'), (20, 'a/*', 'a/:b'),
    (21, 'a:*:c', 'a:b:c'), (22, 'a:*:c', 'a::c'), (23, 'a:*:c', 'a:b:b:c'), (24, 'a:*:c', 'a:*:c'), (25, 'a:*:c', 'a:*'), (26, 'a:*:c', 'a:b/c'), (27, 'a:*:c', 'a:b:*'),
    (28, '*:*', 'a:b:c'), (29, '*:*', 'a'), (30, '*:*', ':b'), (31, '*:*', 'a:'), (32, '*:b', 'a:b'), (33, '*/*', 'a:b'),
    (34, 'repo:*:write', 'repo:acme:write'), (35, 'repo:*:write', 'repo:*:read'), (36, '*:acme:*', 'repo:acme:x/y'), (37, 'https:*', 'https://www.googleapis.com/auth/drive'),
    (38, 'https://*/auth/drive', 'https://www.googleapis.com/auth/drive'), (39, 'arn:aws:s3:::*', 'arn:aws:s3:::b/x'), (40, 'arn:aws:s3:*:*:*', 'arn:aws:s3:::b'),
    (41, 'a:b:', 'a:b:'), (42, 'a:b:', 'a:b'), (43, 'A:*', 'a:b')) AS v(n, pattern, scope)
ORDER BY n;
SELECT 'a:*'::scope && '*:b'::scope AS yes, 'a:*'::scope && 'b:*'::scope AS no, 'a:*'::scope && 'a:'::scope AS nothing_follows;
SELECT 'a:*'::scope @> NULL::scope AS null_right, scope_covers(NULL, 'a') AS null_left;

-- Order and hash are of bytes, whatever the collation.
SELECT string_agg(s::text, ' ' ORDER BY s) FROM unnest(ARRAY['b', 'B', 'a:b', 'a', 'a/b', '*', 'ab', 'Z', '_']::scope[]) AS s;
SELECT 'a'::scope < 'b'::scope AND 'a'::scope <= 'a'::scope AND 'b'::scope > 'a:z'::scope AND 'b'::scope >= 'b'::scope AND 'a'::scope <> 'A'::scope AND 'a'::scope = 'a'::scope AS all_true,
       scope_cmp('a', 'b') < 0 AND scope_cmp('b', 'a') > 0 AND scope_cmp('a:b', 'a:b') = 0 AS compares,
       scope_hash('a:b') = scope_hash('a:b') AND scope_hash_extended('a:b', 0) <> scope_hash_extended('a:b', 1) AS hashes;
CREATE TEMP TABLE kept (s scope PRIMARY KEY);
INSERT INTO kept SELECT format('k%s:*', i)::scope FROM generate_series(1, 100) AS i;
INSERT INTO kept VALUES ('k7:*') ON CONFLICT DO NOTHING;
SELECT count(*), count(DISTINCT s), min(s::text) FROM kept;
SELECT pg_column_size(s) FROM kept WHERE s = 'k7:*';

-- Segments from the left, empty ones too.
SELECT segments('repo:acme/api:write'), segments('https://x'), segments(':'), segments('*'), array_length(segments(repeat(':', 255)::scope), 1) AS most;

-- Casts: from text by assignment and explicitly, to text as it is.
CREATE TEMP TABLE assigned (s scope, t text);
INSERT INTO assigned SELECT t, s FROM (VALUES ('a:b'::text, 'c:d'::scope)) AS v(t, s);
SELECT * FROM assigned;

-- The smallest scope that covers a permission of another system: never one that misses some of it.
SELECT permission, scope_widen(permission) FROM (VALUES
    (1, 's3:Get*'), (2, 's3:GetObject'), (3, 's3:*'), (4, '*'), (5, 'arn:aws:s3:::logs-*/2026/x'), (6, 'arn:aws:s3:::*/x'), (7, 'arn:aws:s3:::b/${aws:username}/*'),
    (8, 'ec2:Describe?nstances'), (9, 'Microsoft.Compute/virtualMachines/*/action'), (10, '*/read'), (11, 'secret/+/config'), (12, 'secret/data/team-*'), (13, 'secret/data/+'),
    (14, 'Full control'), (15, 'site:Full control:read'), (16, 'say "x"'), (17, E'back\\slash/x'), (18, U&'caf\00E9:men\00FC:read'), (19, 'a:'), (20, ':'), (21, '::*'), (22, '**'), (23, 'users/{id}/read')) AS v(n, permission)
ORDER BY n;
SELECT length(scope_widen(repeat('a:', 200))::text), right(scope_widen(repeat('a:', 200))::text, 5), scope_widen(repeat('a', 256)), length(scope_widen(repeat('a', 255))::text),
       length(scope_widen(repeat('a', 253) || ':b')::text), scope_widen(repeat('a', 254) || ':b'), right(scope_widen(repeat('a', 252) || ':bb')::text, 3);
SELECT (pg_temp.refusal($$SELECT scope_widen('')$$)).*;
SELECT scope_widen(NULL) IS NULL AS null_for_null;
