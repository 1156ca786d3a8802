# A dump carries everything, a restore fires nothing, and what a restore leaves to be mended is said by health and
# mended by setup().
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Steward;

my $node = new_server('one');
$node->start;
load_acme($node, 'acme');
$node->safe_psql('acme', q{UPDATE steward.directory_user SET active = false WHERE user_name = 'callum.reid@acme.example'});

my $counts = counts($node, 'acme');
my $contents = contents($node, 'acme');
my $dump = dump_of($node, 'acme');
like($counts, qr{^lifecycle_event\|59$}m, 'there is something to dump');
is(allowed($node, 'acme', 'callum'), 'revoked', 'the leaver left before the dump');

my $tmp = PostgreSQL::Test::Utils::tempdir();
command_ok([ 'pg_dump', '-d', $node->connstr('acme'), '-f', "$tmp/plain.sql" ], 'plain dump');
command_ok([ 'pg_dump', '-d', $node->connstr('acme'), '-Fd', '-j2', '-f', "$tmp/dir" ], 'parallel dump');

# What has to hold in a database that was restored.
sub check_restored
{
	my ($server, $db, $what) = @_;

	is(counts($server, $db), $counts, "$what: nothing fired, every table has as many rows");
	is(contents($server, $db), $contents, "$what: every table has the same contents");
	ok(dump_of($server, $db) eq $dump, "$what: its dump is the dump");
	is(allowed($server, $db, 'billing'), 'ok', "$what: a key still opens");
	is(allowed($server, $db, 'callum'), 'revoked', "$what: a dead key stays dead");
	is($server->safe_psql($db, q{SELECT check_name, status FROM steward.health WHERE status <> 'ok'}),
		'audit log|warning', "$what: health says that it is a copy, and nothing worse");
	return;
}

# What has to hold after setup(), and that the triggers work.
sub check_mended
{
	my ($server, $db, $what) = @_;

	is($server->safe_psql($db, q{SELECT result FROM steward.setup() WHERE step = 'audit log'}),
		'a new incarnation begins', "$what: setup() begins a new incarnation");
	is($server->safe_psql($db, q{SELECT check_name, status FROM steward.health WHERE status <> 'ok'}),
		'', "$what: health is well after setup()");
	is($server->safe_psql($db, q{SELECT result FROM steward.setup() WHERE step = 'audit log'}),
		'goes on', "$what: and once more it is in order");
	is(allowed($server, $db, 'owner'), 'ok', "$what: the next leaver is there");
	$server->safe_psql($db, q{UPDATE steward.directory_user SET active = false WHERE user_name = 'owner@acme.example'});
	is(allowed($server, $db, 'owner'), 'revoked', "$what: the leaver's key is dead");
	is($server->safe_psql($db, q{SELECT count(*) FROM steward.lifecycle_event WHERE kind = 'leaver' AND person = 'owner@acme.example'}),
		'1', "$what: there is one leaver event");
	is($server->safe_psql($db, q{SELECT DISTINCT incarnation FROM steward.audit_event WHERE recorded_at >= (SELECT max(recorded_at) FROM steward.audit_event)}),
		'2', "$what: audit events are of the new incarnation");
	is(sqlstate_of($server, $db, 'TRUNCATE steward.credential CASCADE'), 'ST215', "$what: TRUNCATE is refused");
	return;
}

$node->safe_psql('postgres', 'CREATE DATABASE plain');
command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('plain'), '-f', "$tmp/plain.sql" ], 'plain restore');
check_restored($node, 'plain', 'plain');
check_mended($node, 'plain', 'plain');

$node->safe_psql('postgres', 'CREATE DATABASE parallel');
command_ok([ 'pg_restore', '-j2', '-e', '-d', $node->connstr('parallel'), "$tmp/dir" ], 'parallel restore');
check_restored($node, 'parallel', 'parallel');
check_mended($node, 'parallel', 'parallel');

# Another cluster, with its roles first.
my $other = new_server('other');
$other->start;
command_ok([ 'pg_dumpall', '-g', '-d', $node->connstr('postgres'), '-f', "$tmp/globals.sql" ], 'globals');
command_ok([ 'psql', '-X', '-q', '-d', $other->connstr('postgres'), '-f', "$tmp/globals.sql" ], 'globals restored');
$other->safe_psql('postgres', 'CREATE DATABASE acme');
command_ok([ 'pg_restore', '-j2', '-e', '-d', $other->connstr('acme'), "$tmp/dir" ], 'restore in another cluster');
check_restored($other, 'acme', 'other cluster');
check_mended($other, 'acme', 'other cluster');

# A copy in the same cluster is told as one, too.
$node->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE acme');
is($node->safe_psql('copy', q{SELECT check_name, status FROM steward.health WHERE status <> 'ok'}),
	'audit log|warning', 'a copy by CREATE DATABASE: health says so');

# Ways to restore that lose something: health is critical, and setup() mends.
sub check_lossy
{
	my ($db, $what, $check) = @_;

	is($node->safe_psql($db, q{SELECT check_name FROM steward.health WHERE status = 'critical'}),
		$check, "$what: health is critical");
	is($node->safe_psql($db, q{SELECT remedy FROM steward.health WHERE status = 'critical'}),
		'SELECT * FROM steward.setup();', "$what: and says how to mend it");
	return;
}

$node->safe_psql('postgres', 'CREATE DATABASE noowner');
command_ok([ 'pg_restore', '--no-owner', '-e', '-d', $node->connstr('noowner'), "$tmp/dir" ], 'restore without owners');
check_lossy('noowner', '--no-owner', 'owners');
is(counts($node, 'noowner'), $counts, '--no-owner: every table has as many rows');
check_mended($node, 'noowner', '--no-owner');

# Data alone, into a database that is set up already: what each installation has of its own stays.
$node->safe_psql('postgres', 'CREATE DATABASE dataonly');
$node->safe_psql('dataonly', 'CREATE EXTENSION steward; SELECT count(*) FROM steward.setup()');
$node->safe_psql('dataonly', 'CREATE TABLE public.keys (name text PRIMARY KEY, id uuid, secret text)');
command_ok([ 'pg_dump', '-d', $node->connstr('acme'), '--data-only', '--disable-triggers', '-T', 'steward.installation',
	'-T', 'steward.audit_incarnation', '-f', "$tmp/data.sql" ], 'dump of the data alone');
command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('dataonly'), '-f', "$tmp/data.sql" ],
	'restore of the data alone');
is(counts($node, 'dataonly'), $counts, '--disable-triggers: nothing fired');
check_lossy('dataonly', '--disable-triggers', 'policies and triggers');
$node->safe_psql('dataonly', 'SELECT count(*) FROM steward.setup()');
is($node->safe_psql('dataonly', q{SELECT check_name, status FROM steward.health WHERE status <> 'ok'}),
	'', '--disable-triggers: health is well after setup()');
$node->safe_psql('dataonly', q{UPDATE steward.directory_user SET active = false WHERE user_name = 'owner@acme.example'});
is(allowed($node, 'dataonly', 'owner'), 'revoked', '--disable-triggers: a leaver leaves after setup()');

# Data alone with the triggers on: the audit log refuses, so that a restore cannot write history.
$node->safe_psql('postgres', 'CREATE DATABASE fires');
$node->safe_psql('fires', 'CREATE EXTENSION steward; SELECT count(*) FROM steward.setup()');
command_ok([ 'pg_dump', '-d', $node->connstr('acme'), '--data-only', '-t', 'steward.audit_event*', '-f', "$tmp/log.sql" ], 'dump of the log alone');
command_fails([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('fires'), '-f', "$tmp/log.sql" ],
	'the log cannot be loaded through its triggers');

$node->stop;
$other->stop;
done_testing();
