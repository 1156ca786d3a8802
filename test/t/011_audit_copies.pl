# The log in copies of the database: a standby reads, verifies and feeds; after a promotion, a restore and a copy a new log
# begins, which names the old one; both verify, and old proofs and checkpoints stay valid.  A stranger verifies evidence
# with the script of the documentation, and no altered one.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Steward;

my $primary = new_server('primary', allows_streaming => 1);
$primary->append_conf('postgresql.conf', "steward.key_file = '" . $primary->basedir . "/key'\nsteward.log_origin = 'logs.example/test'\n");
$primary->start;
load_acme($primary, 'acme');
$primary->safe_psql('acme', 'SELECT steward.create_key_file()');
$primary->safe_psql('acme', 'SELECT count(*) FROM steward.seal_audit()') for 1, 2;
my $event = $primary->safe_psql('acme', q{SELECT event FROM steward.audit WHERE table_name = 'steward.credential' ORDER BY xact, n LIMIT 1});
my $checkpoint = $primary->safe_psql('acme', 'SELECT steward.checkpoint()');
$checkpoint =~ s/\n*$/\n/;
like($checkpoint, qr{^logs\.example/test/[0-9a-f-]{36}/1\n\d+\n[A-Za-z0-9+/]{43}=\n\n— }, 'a checkpoint under the name of the setting');
my $key = $primary->safe_psql('acme', 'SELECT public_key FROM steward.audit_log_keys');
my $proof = $primary->safe_psql('acme', "SELECT leaf_index, size, leaf_hash, proof, root FROM steward.inclusion_proof('$event')");
my ($index, $size, $leaf, $path, $root) = split /\|/, $proof;

# Evidence, verified by a stranger.
my $tmp = PostgreSQL::Test::Utils::tempdir();
my $script = 'doc/examples/verify_evidence.py';
my $evidence = $primary->safe_psql('acme', "SELECT steward.export_evidence('$event', \$c\$$checkpoint\$c\$)");
append_to_file("$tmp/good.json", $evidence);
append_to_file("$tmp/checkpoint", $checkpoint);
cmp_ok(scalar(split /\n/, slurp_file($script)), '<=', 50, 'the script has no more than 50 lines');
my ($out, $err) = run_command([ 'python3', $script, "$tmp/good.json", $key, "$tmp/checkpoint" ]);
like($err, qr{^verified: leaf $index of $size in logs\.example}, 'the evidence verifies against the key and checkpoint that were kept');
my $sealed = $primary->safe_psql('acme', "SELECT jsonb_build_object('table_name', table_name, 'row_key', row_key, 'new_values', new_values, 'xact', xact::text::bigint, 'session_role', session_role) FROM steward.audit WHERE event = '$event'");
is($primary->safe_psql('acme', "SELECT \$e\$$out\$e\$::jsonb \@> \$s\$$sealed\$s\$::jsonb"), 't', 'and shows the event as it is in the log');
command_ok([ 'python3', $script, "$tmp/good.json" ], 'it fits together in itself');
my %altered = (
	'another event' => q{jsonb_set(e, '{canonical}', to_jsonb(encode(set_byte(decode(e ->> 'canonical', 'base64'), 60, 65), 'base64')))},
	'another index' => q{jsonb_set(e, '{leaf_index}', to_jsonb((e ->> 'leaf_index')::int + 1))},
	'an index outside' => q{jsonb_set(e, '{leaf_index}', '1000000')},
	'a shorter proof' => q{e #- '{proof,0}'},
	'a longer proof' => q{jsonb_set(e, '{proof,100}', e #> '{proof,0}')},
	'another size' => q{jsonb_set(e, '{checkpoint}', to_jsonb(regexp_replace(e ->> 'checkpoint', E'\n(\\\\d+)\n', E'\n1\\\\1\n')))},
	'another origin' => q{jsonb_set(e, '{checkpoint}', to_jsonb(replace(e ->> 'checkpoint', 'logs.example', 'logs.elsewhere')))},
	'no signature' => q{jsonb_set(e, '{checkpoint}', to_jsonb(split_part(e ->> 'checkpoint', '—', 1)))},
);
for my $what (sort keys %altered)
{
	my $file = "$tmp/" . ($what =~ s/ /_/gr) . '.json';
	append_to_file($file, $primary->safe_psql('acme', "SELECT $altered{$what} FROM (SELECT \$e\$$evidence\$e\$::jsonb AS e) x"));
	isnt(slurp_file($file), $evidence, "$what: differs");
	command_fails([ 'python3', $script, $file ], "$what: does not verify");
}
$primary->safe_psql('postgres', 'CREATE DATABASE stranger');
$primary->safe_psql('stranger', 'CREATE EXTENSION steward');
is($primary->safe_psql('stranger', "SELECT steward.verify_inclusion($index, $size, '$leaf', '$path', '$root'), steward.verify_checkpoint(\$c\$$checkpoint\$c\$, '$key')"), 't|t', 'a database of a stranger verifies proof and checkpoint');

# What has to hold of the log of a copy, before and after a new one has begun.
sub old_log_holds
{
	my ($node, $db, $what) = @_;

	is($node->safe_psql($db, "SELECT string_agg(DISTINCT finding, ' ') FROM steward.verify_audit(full => true)"), 'ok', "$what: every log verifies");
	is($node->safe_psql($db, "SELECT finding FROM steward.verify_audit(full => true, against => \$c\$$checkpoint\$c\$)"), 'ok', "$what: the old log agrees with the checkpoint that was kept");
	is($node->safe_psql($db, "SELECT leaf_index, size >= $size, leaf_hash FROM steward.inclusion_proof('$event')"), "$index|t|$leaf", "$what: old events have their proofs");
	return;
}

sub new_log_begins
{
	my ($node, $db, $what) = @_;

	is($node->safe_psql($db, q{SELECT count(*), max(incarnation) FROM steward.audit_log_state}), '2|2', "$what: a second log has begun");
	is($node->safe_psql($db, q{SELECT n.previous_size = o.size AND n.previous_root = o.root AND n.origin <> o.origin FROM steward.audit_log_state n JOIN steward.audit_log_state o ON o.incarnation = 1 WHERE n.incarnation = 2}), 't', "$what: it names the old one, its size and root");
	is($node->safe_psql($db, q{SELECT count(*) + 2 = (SELECT sum(size) FROM steward.audit_log_state) FROM steward.audit WHERE xact < (SELECT sealed_through FROM steward.audit_log WHERE incarnation = 2) OR incarnation = 1}), 't', "$what: every event is in one of them");
	old_log_holds($node, $db, $what);
	return;
}

# A standby.
$primary->safe_psql('acme', q{SELECT steward.record_event('not.sealed.yet')});
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', "steward.key_file = '" . $standby->basedir . "/key'\n");
$standby->start;
$primary->wait_for_catchup($standby, 'replay');
old_log_holds($standby, 'acme', 'standby');
is($standby->safe_psql('acme', q{SELECT count(*) FROM steward.audit_feed("limit" => 10000)}), $primary->safe_psql('acme', q{SELECT count(*) FROM steward.audit_feed("limit" => 10000)}), 'standby: the feed is the same');
is($standby->safe_psql('acme', q{SELECT count(*) FROM steward.verify_state()}), '0', 'standby: the rows are what the log leads to');
is(sqlstate_of($standby, 'acme', $_), '25006', "standby: $_ is refused")
	for 'SELECT * FROM steward.seal_audit()', 'SELECT steward.checkpoint()', q{SELECT steward.record_event('a.b')}, q{SELECT * FROM steward.record_events('[{"action": "a.b"}]')}, 'SELECT steward.rotate_log_key()', q{SELECT steward.register_action('a.b')};
is($standby->safe_psql('acme', q{SELECT status FROM steward.health WHERE check_name = 'key file'}), 'warning', 'standby: it lacks the key file, and says so');

# Another database of the same cluster, and another cluster.
$primary->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE acme');
command_ok([ 'pg_dump', '-d', $primary->connstr('acme'), '-Fc', '-f', "$tmp/dump" ], 'dump');
$primary->safe_psql('postgres', 'CREATE DATABASE restored');
command_ok([ 'pg_restore', '-e', '-d', $primary->connstr('restored'), "$tmp/dump" ], 'restored in the same cluster');
my $other = new_server('other');
$other->append_conf('postgresql.conf', "steward.key_file = '" . $other->basedir . "/key'\n");
$other->start;
command_ok([ 'pg_dumpall', '-g', '-d', $primary->connstr('postgres'), '-f', "$tmp/globals.sql" ], 'roles dumped');
command_ok([ 'psql', '-X', '-q', '-d', $other->connstr('postgres'), '-f', "$tmp/globals.sql" ], 'roles restored');
$other->safe_psql('postgres', 'CREATE DATABASE acme');
command_ok([ 'pg_restore', '-e', '-d', $other->connstr('acme'), "$tmp/dump" ], 'restored in another cluster');
$other->safe_psql('postgres', 'SELECT pg_reload_conf()');

for ([ $primary, 'copy', 'a copy' ], [ $primary, 'restored', 'a restore in the same cluster' ], [ $other, 'acme', 'a restore in another cluster' ])
{
	my ($node, $db, $what) = @$_;

	# Nothing stops, but nothing is sealed or handed out, before somebody says what this is.
	is($node->safe_psql($db, q{SELECT split_part(steward.record_event('in.the.copy'), '.', 1)}), '2', "$what: events go on, in an incarnation of their own");
	is($node->safe_psql($db, q{SELECT split_part(steward.record_event('in.the.copy.again'), '.', 1)}), '2', "$what: and stay in it");
	like($node->safe_psql($db, 'SELECT note FROM steward.seal_audit()'), qr/copy or was restored/, "$what: sealing waits");
	is(sqlstate_of($node, $db, 'SELECT * FROM steward.audit_feed()'), 'ST605', "$what: the feed waits");
	is($node->safe_psql($db, q{SELECT status FROM steward.health WHERE check_name = 'audit log'}), 'warning', "$what: health says so");
	old_log_holds($node, $db, "$what, before setup()");
	is($node->safe_psql($db, q{SELECT result FROM steward.setup() WHERE step = 'audit log'}), 'a new incarnation begins', "$what: setup() announces it");
	is($node->safe_psql($db, 'SELECT sealed >= 3 FROM steward.seal_audit()'), 't', "$what: sealing goes on with what was left");
	new_log_begins($node, $db, $what);
	is($node->safe_psql($db, q{SELECT count(*) = count(DISTINCT event) FROM steward.audit_feed("limit" => 10000)}), 't', "$what: the feed goes on");
	is($node->safe_psql($db, q{SELECT finding FROM steward.verify_audit() WHERE log LIKE '%/2'}), 'ok', "$what: the new log verifies");
}
# The new cluster gets the key, and signs under its own name.
is(sqlstate_of($other, 'acme', 'SELECT steward.checkpoint()'), 'ST601', 'another cluster: no key file, no checkpoint');
append_to_file($other->basedir . '/key', slurp_file($primary->basedir . '/key'));
chmod 0600, $other->basedir . '/key';
like($other->safe_psql('acme', 'SELECT steward.checkpoint()'), qr{^other/[0-9a-f-]{36}/2\n}, 'another cluster: with it the new log is signed, under its own name');
is($other->safe_psql('acme', q{SELECT string_agg(DISTINCT finding, ' ') FROM steward.verify_audit(full => true)}), 'ok', 'another cluster: all verifies');
$other->stop;

# Promotion: an open prepared transaction, the primary gone; the standby goes on by itself.
$primary->safe_psql('acme', q{BEGIN; SELECT steward.record_event('prepared.before'); PREPARE TRANSACTION 'p'});
$primary->wait_for_catchup($standby, 'replay');
$primary->stop('immediate');
$standby->promote;
is($standby->safe_psql('acme', q{SELECT split_part(steward.record_event('after.promotion'), '.', 1)}), '2', 'promoted: events are of the next incarnation at once');
is($standby->safe_psql('acme', q{SELECT status FROM steward.health WHERE check_name = 'audit log'}), 'ok', 'promoted: health has nothing to say');
$standby->safe_psql('acme', 'SELECT count(*) FROM steward.seal_audit()');
is($standby->safe_psql('acme', q{SELECT count(*) FROM steward.audit_log_state}), '1', 'promoted: sealing waits for the prepared transaction of the old primary');
is($standby->safe_psql('acme', q{SELECT note FROM steward.seal_audit()}), 'waits for transactions that are older than this incarnation', 'promoted: and says so');
$standby->safe_psql('acme', q{COMMIT PREPARED 'p'});
is($standby->safe_psql('acme', 'SELECT sealed >= 3 FROM steward.seal_audit()'), 't', 'promoted: then it goes on');
new_log_begins($standby, 'acme', 'promoted');
is($standby->safe_psql('acme', q{SELECT string_agg(action, ' ' ORDER BY ordinality) FROM steward.audit_feed("limit" => 10000) WITH ORDINALITY WHERE action ~ '\.(before|promotion|yet)$'}),
	'not.sealed.yet prepared.before after.promotion', 'promoted: the feed has them in order');
$standby->stop;
done_testing();
