-- Owners, scopes and suspensions hold whatever path a change comes by: the functions, plain SQL, and plain SQL with
-- session_replication_role = replica, where no foreign key fires.
SELECT count(*) > 0 AS made FROM steward.setup(organization => 'credential-rules');
SELECT steward.use_org('credential-rules') IS NOT NULL AS chosen;
INSERT INTO steward.directory (org_id, name) VALUES (steward.default_org(), 'main');
INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name)
    SELECT d.org_id, d.id, n, n FROM steward.directory d, unnest(ARRAY['ann', 'bob', 'eve', 'zoe']) AS n WHERE d.org_id = steward.default_org();
UPDATE steward.directory_user SET active = false WHERE org_id = steward.default_org() AND user_name = 'zoe';
SELECT steward.register_agent('bot', 'ann', 'test') IS NOT NULL AS bot, steward.register_service('job', 'ann') IS NOT NULL AS job,
    steward.register_system('crm', 'ann', 'saas') IS NOT NULL AS crm;
SELECT steward.grant_scopes('bot', 'a:* b:read', justification => 'test') IS NOT NULL AS granted;
CREATE TEMP TABLE key AS SELECT * FROM steward.issue_key('bot', 'a:1 b:read', name => 'bot-key');
CREATE FUNCTION pg_temp.id(n text) RETURNS uuid LANGUAGE sql AS $$
    SELECT id FROM steward.principal WHERE org_id = steward.default_org() AND coalesce(user_name, name) = n $$;
-- Each statement in a subtransaction, constraints at once; says what it was refused with.
CREATE FUNCTION pg_temp.try(VARIADIC statements text[]) RETURNS TABLE (state text, message text, detail text) LANGUAGE plpgsql AS $$
DECLARE s text;
BEGIN
    FOREACH s IN ARRAY statements LOOP
        state := 'done'; message := ''; detail := '';
        BEGIN
            EXECUTE s;
            SET CONSTRAINTS ALL IMMEDIATE;
            SET CONSTRAINTS ALL DEFERRED;
        EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
        END;
        -- a display form has characters of an id; the server's own messages show whole rows
        message := regexp_replace(message, 'stw1_…\w+', 'KEY');
        detail := CASE WHEN state LIKE 'ST%' THEN regexp_replace(detail, 'stw1_…\w+', 'KEY') ELSE '' END;
        RETURN NEXT;
    END LOOP;
END $$;
CREATE TEMP VIEW truth AS SELECT md5(string_agg(t, '|' ORDER BY t)) AS digest FROM (
    SELECT p::text AS t FROM steward.principal p WHERE org_id = steward.default_org()
    UNION ALL SELECT c::text FROM steward.credential c WHERE org_id = steward.default_org()
    UNION ALL SELECT s::text FROM steward.suspension s WHERE org_id = steward.default_org()
    UNION ALL SELECT g::text FROM steward.scope_grant g WHERE org_id = steward.default_org()) x;
SELECT digest AS before FROM truth \gset

-- owners: through the functions
SELECT * FROM pg_temp.try(
    $$SELECT steward.register_service('x', 'nobody')$$,
    $$SELECT steward.register_service('x', 'zoe')$$,
    $$SELECT steward.register_service('x', 'bot')$$,
    $$SELECT steward.register_credential('e1', 'crm', 'cloud_key', 'bot', 'a:1', owner => 'zoe')$$,
    $$SELECT steward.issue_key('bot', 'a:1', owner => 'job')$$,
    $$SELECT steward.transfer_ownership('bot', 'zoe', 'test')$$,
    $$SELECT steward.transfer_ownership('bot', 'job', 'test')$$,
    $$SELECT steward.transfer_ownership('bot', 'bob', NULL)$$,
    $$SELECT steward.transfer_ownership('nothing', 'bob', 'test')$$,
    $$SELECT steward.set_second_owner('bot', 'ann')$$,
    $$SELECT steward.set_second_owner('ann', 'bob')$$,
    $$SELECT steward.set_second_owner('bot', 'zoe')$$);
-- owners: by plain SQL
SELECT * FROM pg_temp.try(
    $$INSERT INTO steward.principal (org_id, kind, name, owner_id) VALUES (steward.default_org(), 'service', 'x', pg_temp.id('zoe'))$$,
    $$INSERT INTO steward.principal (org_id, kind, name, owner_id) VALUES (steward.default_org(), 'service', 'x', pg_temp.id('bot'))$$,
    $$INSERT INTO steward.principal (org_id, kind, name) VALUES (steward.default_org(), 'service', 'x')$$,
    $$UPDATE steward.principal SET owner_id = pg_temp.id('zoe') WHERE id = pg_temp.id('bot')$$,
    $$UPDATE steward.principal SET second_owner_id = pg_temp.id('zoe') WHERE id = pg_temp.id('bot')$$,
    $$UPDATE steward.credential SET owner_id = pg_temp.id('zoe') WHERE org_id = steward.default_org()$$,
    $$UPDATE steward.credential SET owner_id = NULL WHERE org_id = steward.default_org()$$,
    $$UPDATE steward.credential SET holder_id = pg_temp.id('zoe') WHERE org_id = steward.default_org()$$,
    $$UPDATE steward.principal SET state = 'offboarded', offboarded_at = now() WHERE id = pg_temp.id('ann')$$,
    $$UPDATE steward.principal SET kind = 'service', owner_id = pg_temp.id('bob') WHERE id = pg_temp.id('ann')$$);
-- owners: where no foreign key fires
SET session_replication_role = replica;
SELECT * FROM pg_temp.try(
    $$INSERT INTO steward.principal (org_id, kind, name, owner_id) VALUES (steward.default_org(), 'service', 'x', '00000000-0000-0000-0000-000000000001')$$,
    $$UPDATE steward.principal SET owner_id = pg_temp.id('zoe') WHERE id = pg_temp.id('bot')$$,
    $$UPDATE steward.credential SET owner_id = '00000000-0000-0000-0000-000000000001', holder_id = '00000000-0000-0000-0000-000000000001' WHERE org_id = steward.default_org()$$,
    $$UPDATE steward.credential SET owner_id = pg_temp.id('zoe') WHERE org_id = steward.default_org()$$,
    $$DELETE FROM steward.principal WHERE id = pg_temp.id('ann')$$,
    $$UPDATE steward.principal SET state = 'offboarded', offboarded_at = now() WHERE id = pg_temp.id('ann')$$);
RESET session_replication_role;
-- what is suspended or discovered cannot act and may be without
SELECT * FROM pg_temp.try($$INSERT INTO steward.credential (org_id, kind, state, system_id, display, external_id, source, issued_by)
    SELECT org_id, 'cloud_key', 'discovered', id, 'found', 'found', 'imported', current_user FROM steward.system WHERE org_id = steward.default_org() AND name = 'crm';
    DELETE FROM steward.credential WHERE org_id = steward.default_org() AND external_id = 'found'$$);

-- scopes: within what the holder was granted
SELECT * FROM pg_temp.try(
    $$UPDATE steward.credential SET scopes = 'a:1 c:write' WHERE org_id = steward.default_org()$$,
    $$UPDATE steward.credential SET scopes = 'a:2' WHERE org_id = steward.default_org(); UPDATE steward.credential SET scopes = 'a:1 b:read' WHERE org_id = steward.default_org()$$,
    $$UPDATE steward.org_policy SET implicit_grant = false WHERE org_id = steward.default_org()$$,
    $$SELECT steward.register_credential('e1', 'crm', 'cloud_key', 'bot', 'z:1')$$,
    $$SELECT steward.issue_key('bot', 'z:1 a:3')$$);
SET session_replication_role = replica;
SELECT * FROM pg_temp.try($$UPDATE steward.credential SET scopes = 'a:1 c:write' WHERE org_id = steward.default_org()$$);
RESET session_replication_role;
-- the ceiling of the kind, kinds that agents may not hold, and agents within their owners
UPDATE steward.credential_policy SET ceiling = 'a:*' WHERE org_id = steward.default_org() AND kind = 'cloud_key';
UPDATE steward.credential_policy SET allowed_for_agents = false WHERE org_id = steward.default_org() AND kind = 'ssh_key';
SELECT * FROM pg_temp.try(
    $$SELECT steward.register_credential('e1', 'crm', 'cloud_key', 'bot', 'b:read')$$,
    $$SELECT steward.register_credential('e1', 'crm', 'ssh_key', 'bot', 'a:1')$$,
    $$UPDATE steward.org_policy SET agent_within_owner = true WHERE org_id = steward.default_org()$$,
    $$SELECT steward.issue_key('bot', 'a:1')$$,
    $$SELECT steward.transfer_ownership('bot', 'bob', 'test')$$,
    $$UPDATE steward.credential SET owner_id = pg_temp.id('bob') WHERE org_id = steward.default_org()$$,
    $$UPDATE steward.org_policy SET agent_within_owner = false WHERE org_id = steward.default_org()$$);
SELECT digest = :'before' AS nothing_changed FROM truth;

-- suspensions: several at once, each with its cause; lifting one leaves the others
CREATE TEMP VIEW check_key AS SELECT a.reason FROM key, steward.authorize(secret, 'a:1') a;
SELECT steward.suspend('bot', 'looks odd') IS NOT NULL AS manual, steward.suspend('bot', 'a ticket', cause => 'incident') IS NOT NULL AS incident;
SELECT steward.suspend('bot', 'again') = (SELECT id FROM steward.suspension WHERE org_id = steward.default_org() AND cause = 'manual') AS the_same_one;
SELECT * FROM check_key;
SELECT steward.reinstate('bot', 'was nothing');
SELECT * FROM check_key;
SELECT steward.reinstate('bot', 'closed', cause => 'incident');
SELECT * FROM check_key;
SELECT steward.suspend('bot-key', 'for a moment', until => now() + '1 second') IS NOT NULL AS suspended;
SELECT * FROM check_key;
SELECT pg_sleep(1.1);
SELECT result FROM steward.maintain() WHERE step = 'suspensions that end';
SELECT * FROM check_key;
SELECT cause, reason, lifted_reason, lifted_by = current_user AS by_me FROM steward.suspension WHERE org_id = steward.default_org() ORDER BY id;
SELECT * FROM pg_temp.try(
    $$SELECT steward.suspend(NULL::text, 'x')$$, $$SELECT steward.suspend('', 'x')$$, $$SELECT steward.suspend('bot', ' ')$$, $$SELECT steward.suspend('bot', NULL)$$,
    $$SELECT steward.suspend('bot', 'x', cause => 'mood')$$, $$SELECT steward.suspend('bot', 'x', until => 'yesterday')$$,
    $$SELECT steward.suspend('bot', 'x', until => 'infinity')$$, $$SELECT steward.reinstate('bot', 'x')$$, $$SELECT steward.reinstate('bot', NULL)$$);

-- rotation: one successor, a secret shown once, the old one dead or with an end
CREATE TEMP TABLE new_key AS SELECT * FROM steward.rotate('bot-key', overlap => '1 hour');
SELECT * FROM check_key;
SELECT a.reason, n.expires_at > now() + '80 days' AS lives FROM new_key n, steward.authorize(n.secret, 'a:1') a;
SELECT c.expires_at <= now() + '1 hour 1 minute' AS ends FROM steward.credential c JOIN key ON c.id = credential_id;
CREATE TEMP TABLE third_key AS SELECT r.* FROM new_key n, steward.rotate(n.credential_id) r;
SELECT a.reason FROM new_key n, steward.authorize(n.secret, 'a:1') a;
SELECT a.reason, length(n.secret) FROM third_key n, steward.authorize(n.secret, 'a:1') a;
SELECT r.reason, r.credentials FROM steward.revocation r WHERE r.org_id = steward.default_org();
SELECT steward.register_credential('e1', 'crm', 'cloud_key', 'bot', 'a:1') IS NOT NULL AS registered;
SELECT secret, expires_at FROM steward.rotate('e1', external_id => 'e2');
SELECT external_id, state, external_pending, parent_kind FROM steward.credential WHERE org_id = steward.default_org() AND external_id IS NOT NULL ORDER BY 1;
SELECT digest AS before FROM truth \gset
SELECT * FROM pg_temp.try(
    format('SELECT steward.rotate(%L::uuid)', (SELECT credential_id FROM key)),
    format('SELECT steward.rotate(%L::uuid)', (SELECT credential_id FROM new_key)),
    format('SELECT steward.rotate(%L::uuid, external_id => %L)', (SELECT credential_id FROM third_key), 'x'),
    $$SELECT steward.rotate('e2')$$, $$SELECT steward.rotate('e2', external_id => 'e1')$$,
    $$SELECT steward.rotate('e2', overlap => NULL, external_id => 'e3')$$, $$SELECT steward.rotate('e2', overlap => '-1 day', external_id => 'e3')$$,
    format('SELECT steward.extend_credential(%L::uuid, now() + %L, %L)', (SELECT credential_id FROM third_key), '10 years', 'test'),
    format('SELECT steward.extend_credential(%L::uuid, now() + %L, %L)', (SELECT credential_id FROM third_key), '1 day', 'test'),
    format('SELECT steward.extend_credential(%L::uuid, now() - %L::interval, %L)', (SELECT credential_id FROM third_key), '1 day', 'test'),
    format('SELECT steward.extend_credential(%L::uuid, %L, %L)', (SELECT credential_id FROM third_key), 'infinity', 'test'),
    format('SELECT steward.extend_credential(%L::uuid, now() + %L, NULL)', (SELECT credential_id FROM third_key), '100 days'),
    format('SELECT steward.extend_credential(%L::uuid, now() + %L, %L)', (SELECT credential_id FROM new_key), '100 days', 'test'));
SELECT digest = :'before' AS nothing_changed FROM truth;
SELECT steward.extend_credential(credential_id, now() + '100 days', 'the job runs on') = now() + '100 days' AS extended FROM third_key;

-- transfer: a re-binding
INSERT INTO steward.delegation (org_id, principal_id, actor_id, kind, scopes, created_by)
    VALUES (steward.default_org(), pg_temp.id('ann'), pg_temp.id('bot'), 'may_act', 'a:1', current_user);
SELECT objects, credentials, delegations_ended, rotate_by BETWEEN now() AND now() + '7 days 1 minute' AS rotate_soon
    FROM steward.transfer_ownership('bot', 'bob', 'ann changes team');
SELECT c.name, o.user_name AS owner, c.state, c.rotate_reason FROM steward.credential c JOIN steward.principal o ON o.org_id = c.org_id AND o.id = c.owner_id
    WHERE c.org_id = steward.default_org() AND c.state <> 'revoked' ORDER BY c.id;
SELECT ended_reason, tokens_valid_after > created_at AS epoch_moved FROM steward.delegation WHERE org_id = steward.default_org();
SELECT steward.set_second_owner('bot', 'eve'), steward.set_second_owner('bot', 'eve');
-- everything that ann owns
SELECT objects, credentials, rotate_by FROM steward.transfer_ownership('ann', 'eve', 'goes on leave');
SELECT p.name, o.user_name AS owner, s.user_name AS second FROM steward.principal p JOIN steward.principal o ON o.org_id = p.org_id AND o.id = p.owner_id
    LEFT JOIN steward.principal s ON s.org_id = p.org_id AND s.id = p.second_owner_id WHERE p.org_id = steward.default_org() ORDER BY 1;
-- the last owner does not vanish silently: what nobody takes over is suspended, and wakes with a new owner
UPDATE steward.directory_user SET active = false WHERE org_id = steward.default_org() AND user_name = 'bob';
SELECT a.reason FROM third_key n, steward.authorize(n.secret, 'a:1') a;
SELECT * FROM pg_temp.try($$SELECT steward.reinstate('bot', 'x', cause => 'orphaned')$$);
SELECT objects, credentials FROM steward.transfer_ownership('bot', 'eve', 'orphaned');
SELECT a.reason FROM third_key n, steward.authorize(n.secret, 'a:1') a;
SELECT cause, lifted_at IS NOT NULL AS lifted FROM steward.suspension WHERE org_id = steward.default_org() AND cause = 'orphaned';
-- nor does the last admin
CREATE ROLE credential_rules_admin;
SELECT steward.grant_profile('credential_rules_admin', 'admin');
SET ROLE credential_rules_admin;
SELECT * FROM pg_temp.try(format($$SELECT steward.revoke_profile('credential_rules_admin', 'admin')$$));
RESET ROLE;
SELECT steward.revoke_profile('credential_rules_admin', 'admin');
DROP ROLE credential_rules_admin;
