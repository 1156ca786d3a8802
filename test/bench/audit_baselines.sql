-- The tables that test/bench/audit.bench.sh compares: without a trigger, audited by row and by statement, with the trigger
-- that one writes by hand, and a hash chain whose head every transaction locks.
CREATE EXTENSION steward;
SELECT count(*) FROM steward.setup(organization => 'bench');
CREATE TABLE plain (id bigint PRIMARY KEY, name text, amount bigint, at timestamptz, note text, kind int, state text);
CREATE TABLE ours_row (LIKE plain INCLUDING ALL);
CREATE TABLE ours_set (LIKE plain INCLUDING ALL);
CREATE TABLE plpgsql (LIKE plain INCLUDING ALL);
CREATE TABLE bulk (id bigint PRIMARY KEY, name text, amount bigint, at timestamptz, note text);
SELECT steward.audit_table('ours_row'), steward.audit_table('ours_set', per => 'statement'), steward.audit_table('bulk');

-- By hand: whole rows, before and after.
CREATE TABLE hand_audit (id bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), who text NOT NULL DEFAULT session_user, table_name text NOT NULL, action text NOT NULL, row_key jsonb, old_row jsonb, new_row jsonb);
CREATE INDEX ON hand_audit (table_name, at);
CREATE FUNCTION hand_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO hand_audit (table_name, action, row_key, old_row, new_row) VALUES (TG_TABLE_NAME, TG_OP, to_jsonb(NEW.id), to_jsonb(OLD), to_jsonb(NEW));
	RETURN NULL;
END $$;
CREATE TRIGGER hand_audit AFTER UPDATE ON plpgsql FOR EACH ROW EXECUTE FUNCTION hand_audit();

-- A chain: each link holds the hash of the one before, so each transaction locks the head until it commits.
CREATE TABLE chain_head (only_one boolean PRIMARY KEY DEFAULT true, n bigint, hash bytea);
INSERT INTO chain_head VALUES (true, 0, '\x00');
CREATE TABLE chain (n bigint PRIMARY KEY, hash bytea, content text);
CREATE FUNCTION chain_append() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	head chain_head;
BEGIN
	SELECT * INTO head FROM chain_head FOR UPDATE;
	head.hash := sha256(head.hash || convert_to('an event', 'UTF8'));
	INSERT INTO chain VALUES (head.n + 1, head.hash, 'an event');
	UPDATE chain_head SET n = head.n + 1, hash = head.hash;
END $$;
