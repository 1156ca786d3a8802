# Sealing in a crash: what was sealed or handed out is never lost, although the writers commit asynchronously; what was
# sealed by a transaction that did not commit is sealed anew, the same.  Prepared transactions hold sealing up, over
# restarts and crashes, and their events come in their place.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Steward;

my $node = new_server('node', conf => "wal_writer_delay = 10s\n");
$node->append_conf('postgresql.conf', "steward.key_file = '" . $node->basedir . "/key'\n");
$node->start;
set_up($node, 'acme');
like($node->safe_psql('acme', 'SELECT steward.create_key_file()'), qr/^[0-9a-f]{16}$/, 'a key file is made');
is((stat($node->basedir . '/key'))[2] & 07777, 0600, 'that only the server can read');

sub crash { $node->stop('immediate'); $node->start; return; }
sub sql { return $node->safe_psql('acme', $_[0]); }
my $note = q{SET synchronous_commit = off; SELECT steward.record_event('crash.test', metadata => '{"n": %d}') <> '';};
my $finding = q{SELECT finding FROM steward.verify_audit(full => true)};

# The control: an asynchronous commit alone is lost.
sql(sprintf $note, 1);
crash();
is(sql(q{SELECT count(*) FROM steward.audit WHERE action = 'crash.test'}), '0', 'an asynchronous event alone is lost in a crash');

# Handed out by the feed: on disk.
my $cursor = $node->safe_psql('acme', sprintf($note, 2) . q{SELECT event FROM steward.audit_feed() WITH ORDINALITY ORDER BY ordinality DESC LIMIT 1});
$cursor = (split /\n/, $cursor)[-1];
# That session's own transaction had committed: read by another one, so that only the feed forces it.
sql(sprintf $note, 3);
my $last = sql(q{SELECT f.event FROM steward.audit_feed() WITH ORDINALITY f ORDER BY f.ordinality DESC LIMIT 1});
crash();
is(sql("SELECT count(*) FROM steward.audit WHERE event = '$last'"), '1', 'what the feed handed out survives');
is(sql(q{SELECT count(*) FROM steward.audit WHERE action = 'crash.test'}), '2', 'and all before it');

# Sealed: on disk, and the checkpoint that was handed out stays one of this log.
sql(sprintf $note, $_) for 4 .. 30;
is(sql(q{SET synchronous_commit = off; SELECT sealed > 27 FROM steward.seal_audit()}), 't', 'sealed by an asynchronous session');
my $sealed = sql(q{SELECT size FROM steward.audit_log_state});
crash();
is(sql(q{SELECT size FROM steward.audit_log_state}), $sealed, 'what was sealed survives');
is(sql($finding), 'ok', 'and verifies');
my $checkpoint = sql(q{SET synchronous_commit = off; SELECT steward.checkpoint()});
crash();
is(sql("SELECT finding FROM steward.verify_audit(full => true, against => \$c\$$checkpoint\$c\$)"), 'ok', 'a checkpoint that was handed out is of this log after a crash');

# The server dies while a sealer is at work: the log is as before, and sealing anew gives the same leaves.
sql(sprintf $note, $_) for 31 .. 60;
my $session = $node->background_psql('acme', on_error_stop => 0);
$session->query('BEGIN; SELECT count(*) FROM steward.seal_audit();');
my $root = $session->query('SELECT steward.tree_root();');
sql('SELECT pg_switch_wal()');
crash();
$session->quit;
is(sql(q{SELECT size FROM steward.audit_log_state}), $sealed, 'a sealing that did not commit is none');
is(sql(q{SELECT sealed >= 30 FROM steward.seal_audit()}), 't', 'it is done anew');
is(sql('SELECT steward.tree_root()'), $root, 'with the same root');
is(sql("SELECT finding FROM steward.verify_audit(full => true, against => \$c\$$checkpoint\$c\$)"), 'ok', 'and goes on from the checkpoint');

# Prepared transactions.
sql(q{BEGIN; SELECT steward.record_event('prepared.one'); PREPARE TRANSACTION 'p1'});
sql(q{SELECT steward.record_event('after.prepared')});
is(sql('SELECT sealed FROM steward.seal_audit()'), '0', 'a prepared transaction holds sealing up');
$cursor = sql(q{SELECT f.event FROM steward.audit_feed() WITH ORDINALITY f ORDER BY f.ordinality DESC LIMIT 1});
crash();
is(sql('SELECT sealed FROM steward.seal_audit()'), '0', 'also after a crash');
is(sql("SELECT count(*) FROM steward.audit_feed('$cursor')"), '0', 'and the feed');
$node->restart;
is(sql('SELECT sealed FROM steward.seal_audit()'), '0', 'and after a restart');
sql(q{COMMIT PREPARED 'p1'});
is(sql("SELECT string_agg(f.action, ' ' ORDER BY f.ordinality) FROM steward.audit_feed('$cursor') WITH ORDINALITY f"), 'prepared.one after.prepared', 'COMMIT PREPARED: it comes in its place');
is(sql('SELECT sealed FROM steward.seal_audit()'), '2', 'and is sealed');
sql(q{BEGIN; SELECT steward.record_event('prepared.two'); PREPARE TRANSACTION 'p2'});
crash();
sql(q{ROLLBACK PREPARED 'p2'});
is(sql('SELECT sealed FROM steward.seal_audit()'), '0', 'ROLLBACK PREPARED: nothing to seal');
is(sql($finding), 'ok', 'the log verifies after all of it');
is(sqlstate_of($node, 'acme', q{BEGIN; SELECT * FROM steward.seal_audit(); SELECT steward.record_event('x'); PREPARE TRANSACTION 'p3'}), '00000', 'a sealing that had nothing to do may be prepared');
sql(q{ROLLBACK PREPARED 'p3'});

# Writers and sealers at once, and a crash in between: nothing skipped, nothing twice.
for my $round (1, 2)
{
	my $script = $node->basedir . "/write_$round.sql";
	append_to_file($script, q{
\set kind random(1, 4)
BEGIN;
SELECT steward.record_event('stress.test', org => (SELECT id FROM steward.organization));
SAVEPOINT s;
SELECT steward.record_event('stress.test', org => (SELECT id FROM steward.organization));
\if :kind = 1
ROLLBACK TO s;
\endif
\if :kind = 2
ROLLBACK;
\else
COMMIT;
\endif
});
	my $seal = $node->basedir . "/seal_$round.sql";
	append_to_file($seal, "SELECT count(*) FROM steward.seal_audit();\n");
	my $bench = IPC::Run::start([ 'pgbench', '-n', '-c', '4', '-T', '3', '-f', "$script\@20", '-f', "$seal\@1", $node->connstr('acme') ], '>', \my $out, '2>', \my $err);
	if ($round == 2) { select undef, undef, undef, 1.5; crash(); }
	$bench->finish;
	sql('SELECT count(*) FROM steward.seal_audit()');
	is(sql($finding), 'ok', "stress, round $round: the log verifies");
	is(sql(q{SELECT count(*) + 1 = (SELECT size FROM steward.audit_log_state) FROM steward.audit}), 't', "stress, round $round: every event is sealed, once");
	is(sql(q{SELECT count(*) > 100 FROM steward.audit WHERE action = 'stress.test'}), 't', "stress, round $round: there was something to seal");
}
$node->stop;

# Without its key file the server signs nothing, and everything else works.
rename $node->basedir . '/key', $node->basedir . '/away' or die;
$node->start;
sql(q{SELECT steward.record_event('without.key')});
is(sql('SELECT sealed FROM steward.seal_audit()'), '1', 'without the key file: sealed');
is(sqlstate_of($node, 'acme', 'SELECT steward.checkpoint()'), 'ST601', 'without the key file: not signed');
is(sql($finding), 'ok', 'without the key file: verified');
is(sql(q{SELECT status FROM steward.health WHERE check_name = 'key file'}), 'warning', 'without the key file: health says so');
# Another key is not the one: nothing opens, and it is said.
append_to_file($node->basedir . '/key', 'steward-key-1:' . ('ab' x 32) . "\n");
chmod 0600, $node->basedir . '/key';
is(sqlstate_of($node, 'acme', 'SELECT steward.checkpoint()'), 'ST602', 'another key: told from none');
# Rotation: the new key first, the old one still there.
append_to_file($node->basedir . '/key', slurp_file($node->basedir . '/away'));
is(sql('SELECT resealed FROM steward.reseal_keys() WHERE what LIKE \'%audit%\''), '1', 'both keys: sealed under the new one');
is(sql(q{SELECT steward.checkpoint() <> ''}), 't', 'both keys: signed');
unlink $node->basedir . '/key';
append_to_file($node->basedir . '/key', 'steward-key-1:' . ('ab' x 32) . "\n");
chmod 0600, $node->basedir . '/key';
sql(q{SELECT steward.record_event('with.new.key'); SELECT count(*) FROM steward.seal_audit()});
is(sql(q{SELECT steward.checkpoint() <> ''}), 't', 'the new key alone: signed');
is(sql(q{SELECT status FROM steward.health WHERE check_name = 'key file'}), 'ok', 'the new key alone: health is well');
is(sql($finding), 'ok', 'the log verifies');
chmod 0644, $node->basedir . '/key';
is(sqlstate_of($node, 'acme', 'SELECT * FROM steward.reseal_keys()'), 'ST601', 'a key file that others can read is refused');
$node->stop;
done_testing();
