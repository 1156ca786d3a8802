# A revocation is all or nothing: whoever dies in the midst of it, a backend or the server, leaves nothing of it and no
# task lost or doubled; what has committed is on disk, counts in older transactions, and outlives a restart.  Workers beside
# each other, one of them killed, confirm every task.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Steward;

my $node = new_server('node', conf => "wal_writer_delay = 10s\ncheckpoint_timeout = 1h\nmax_wal_size = 2GB\nrestart_after_crash = on");
$node->start;
set_up($node, 'acme');
$node->safe_psql('acme', q{
	INSERT INTO steward.directory (org_id, name) VALUES (steward.default_org(), 'main');
	INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name) SELECT org_id, id, '1', 'ann' FROM steward.directory;
	SELECT steward.register_system('crm', 'ann', 'saas', revocation_path => 'connector', deadline => '1 hour');
	SELECT steward.register_service(name, 'ann') FROM unnest(ARRAY['one', 'two', 'three']) AS name;
	CREATE TABLE public.keys (name text PRIMARY KEY, id uuid, secret text);
	INSERT INTO public.keys SELECT holder || n, credential_id, secret FROM unnest(ARRAY['one', 'two', 'three']) AS holder, generate_series(1, 100) n,
		LATERAL steward.issue_key(holder, 'a:b', name => holder || n);
	SELECT count(steward.register_credential('crm-' || holder || n, 'crm', 'api_key', holder, 'crm:read'))
	FROM unnest(ARRAY['one', 'two', 'three']) AS holder, generate_series(1, 20) n;
});
# Kills the server as a power cut would, and starts it again once it is gone.
sub power_cut
{
	my ($pid) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;

	$node->kill9;
	for (1 .. 300)
	{
		last unless kill 0, $pid;
		select undef, undef, undef, 0.1;
	}
	$node->start;
	return;
}

my $live = q{SELECT count(*) FROM public.keys WHERE name LIKE 'one%' AND steward.is_authorized(secret)};
my $tasks = q{SELECT count(*), count(DISTINCT credential_id) FROM steward.revocation_task};
my $revoke = q{SELECT revocation_id, xid FROM steward.revoke_principal('one', 'incident')};
my $contents = contents($node, 'acme');

# kill -9 of the backend, its statement done and not committed: the server recovers, and nothing is left of it.
my $session = $node->background_psql('acme', on_error_stop => 0);
$session->query_safe('BEGIN');
my ($id, $xid) = split /\|/, $session->query_safe($revoke);
is($session->query_safe($live), '0', 'inside the transaction the keys are dead');
is($node->safe_psql('acme', "SELECT steward.revocation_visible('$id', '$xid')"), 'in_progress', 'to others it is in progress');
is($node->safe_psql('acme', "SELECT steward.revocation_visible('$id')"), 'unknown_here', 'and unknown without its transaction');
is($node->safe_psql('acme', $live), '100', 'to others the keys live');
$node->safe_psql('acme', 'CHECKPOINT');
kill 9, $session->query_safe('SELECT pg_backend_pid()');
eval { $session->quit };
$node->poll_query_until('acme', 'SELECT true');
is($node->safe_psql('acme', "SELECT steward.revocation_visible('$id', '$xid')"), 'aborted', 'the backend killed: aborted');
is(contents($node, 'acme'), $contents, 'the backend killed: every table as before');
is($node->safe_psql('acme', $live), '100', 'the backend killed: the keys live');

# kill -9 of the postmaster, in the midst of the statement.
$session = $node->background_psql('acme', on_error_stop => 0);
$session->query_safe(q{SET application_name = 'revoker'});
$session->query_until(qr/started/, "\\echo started\n$revoke;\n");
$node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'revoker' AND (backend_xid IS NOT NULL OR state = 'idle')});
power_cut();
eval { $session->quit };
like($node->safe_psql('acme', $live) . ' ' . $node->safe_psql('acme', $tasks), qr/^(100 0\|0|0 20\|20)$/, 'the postmaster killed: all or nothing');

# Committed, asynchronously as far as the session is concerned, and killed at once.
($id, $xid) = split /\|/, $node->safe_psql('acme', "SET synchronous_commit = off; $revoke");
power_cut();
is($node->safe_psql('acme', $live), '0', 'killed after the commit: the keys are dead');
is($node->safe_psql('acme', $tasks), '20|20', 'killed after the commit: a task for each credential elsewhere');
is($node->safe_psql('acme', "SELECT steward.revocation_visible('$id', '$xid')"), 'visible', 'killed after the commit: visible');
$node->safe_psql('acme', $revoke);
is($node->safe_psql('acme', $tasks), '20|20', 'once more: no task is doubled');

# Old transactions: their snapshot shows what was, the check says what is.
my %old;
for my $level ('READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE')
{
	$old{$level} = $node->background_psql('acme', on_error_stop => 1);
	$old{$level}->query_safe("BEGIN ISOLATION LEVEL $level");
	is($old{$level}->query_safe(q{SELECT steward.is_authorized(secret) FROM public.keys WHERE name = 'two1'}), 't', "$level: lives before");
}
($id, $xid) = split /\|/, $node->safe_psql('acme', q{SELECT revocation_id, xid FROM steward.revoke((SELECT id FROM public.keys WHERE name = 'two1'), 'leak')});
for my $level (sort keys %old)
{
	is($old{$level}->query_safe(q{SELECT a.reason FROM public.keys, steward.authorize(secret) a WHERE name = 'two1'}), 'revoked', "$level: dead at once");
	is($old{$level}->query_safe("SELECT steward.revocation_visible('$id', '$xid')"), 'visible', "$level: visible");
	is($old{$level}->query_safe("SELECT count(*) FROM steward.revocation WHERE id = '$id'"), $level eq 'READ COMMITTED' ? '1' : '0', "$level: its own snapshot is what it is");
	$old{$level}->query_safe('COMMIT');
	$old{$level}->quit;
}

# Two-phase commit: refused where it notified, by PostgreSQL; else as any other.
is(sqlstate_of($node, 'acme', q{BEGIN; SELECT steward.revoke('crm-two1', 'leak'); PREPARE TRANSACTION 'x'}), '0A000', 'a transaction that notified cannot be prepared');
($id, $xid) = split /\|/, $node->safe_psql('acme', q{SET steward.notify = off; BEGIN; SELECT revocation_id, xid FROM steward.revoke('crm-two1', 'leak'); PREPARE TRANSACTION 'x'});
is($node->safe_psql('acme', "SELECT steward.revocation_visible('$id', '$xid')"), 'in_progress', 'prepared: in progress');
$node->restart;
is($node->safe_psql('acme', "SELECT steward.revocation_visible('$id', '$xid')"), 'in_progress', 'prepared: in progress after a restart');
$node->safe_psql('acme', q{COMMIT PREPARED 'x'});
is($node->safe_psql('acme', "SELECT steward.revocation_visible('$id', '$xid')"), 'visible', 'prepared: visible once committed');
is($node->safe_psql('acme', $tasks), '21|21', 'prepared: its task is there');

# NOTIFY comes once per transaction, and not when it is off or nothing has to be done elsewhere.
sub notified
{
	my ($sql) = @_;
	my $listener = $node->background_psql('acme', on_error_stop => 1);

	$listener->query_safe('LISTEN steward_revocation');
	$node->safe_psql('acme', $sql);
	my $heard = () = $listener->query_safe('SELECT 1') =~ /Asynchronous notification "steward_revocation"/g;
	$listener->quit;
	return $heard;
}
is(notified(q{BEGIN; SELECT steward.revoke('crm-two2', 'leak'); SELECT steward.revoke('crm-two3', 'leak'); COMMIT}), 1, 'one notification per transaction');
is(notified(q{SET steward.notify = off; SELECT steward.revoke('crm-two4', 'leak')}), 0, 'none with steward.notify = off');
is(notified(q{SELECT steward.revoke((SELECT id FROM public.keys WHERE name = 'two2'), 'leak')}), 0, 'none when nothing has to be done elsewhere');
is(notified(q{SELECT steward.revoke('crm-two5', 'leak', dry_run => true)}), 0, 'none for a dry run');

# The example worker: three beside each other, of which one is killed with its tasks in hand, against a system that fails now
# and then and counts what it is asked to kill.
$node->safe_psql('acme', q{SELECT steward.revoke_principal('three', 'incident');
	CREATE ROLE worker LOGIN; SELECT steward.grant_profile('worker', 'connector')});
my $dir = PostgreSQL::Test::Utils::tempdir();
my $command = "$dir/delete";
append_to_file($command, <<"SH");
#!/bin/bash
echo "\$1" >>"$dir/killed"
[ \$((RANDOM % 4)) -eq 0 ] && { echo "HTTP 503" >&2; exit 1; }
echo "HTTP 204"
SH
chmod 0755, $command;
my $slow = "$dir/slow";
append_to_file($slow, "#!/bin/bash\nexec sleep 5\n");
chmod 0755, $slow;
sub worker
{
	my ($delete) = @_;

	return IPC::Run::start([ 'env', 'PGHOST=' . $node->host, 'PGPORT=' . $node->port, 'PGDATABASE=acme', 'PGUSER=worker', "STEWARD_DELETE=$delete",
		'python3', 'doc/examples/revocation_worker.py', 'crm', '--once' ], '>', "$dir/out");
}
my $dying = worker($slow);
$node->poll_query_until('acme', q{SELECT count(*) = 10 FROM steward.revocation_task WHERE state = 'leased'}) or die 'the worker claimed nothing';
$dying->kill_kill;
is($node->safe_psql('acme', q{SELECT count(*) FROM steward.revocation_task WHERE state = 'leased'}), '10', 'a worker killed: its leases stay');
# What time would do: leases end, and failed ones come due.
my $bring_forward = q{UPDATE steward.revocation_task SET lease_until = clock_timestamp() WHERE state = 'leased';
	UPDATE steward.revocation_task SET next_attempt_at = clock_timestamp() WHERE state = 'pending'};
my $total = (split /\|/, $node->safe_psql('acme', $tasks))[0];
for my $round (1 .. 30)
{
	$node->safe_psql('acme', $bring_forward);
	my @workers = map { worker($command) } 1 .. 2;
	$_->finish for @workers;
	last if $node->safe_psql('acme', q{SELECT count(*) FROM steward.revocation_task WHERE state <> 'confirmed'}) eq '0';
}
is($node->safe_psql('acme', q{SELECT count(*), count(*) FILTER (WHERE evidence ->> 'answer' = 'HTTP 204') FROM steward.revocation_task WHERE state = 'confirmed'}),
	"$total|$total", 'workers: every task is confirmed, with evidence');
is($node->safe_psql('acme', q{SELECT count(*) FROM steward.credential WHERE external_pending}), '0', 'workers: nothing is pending');
my %killed;
$killed{$_}++ for split /\n/, slurp_file("$dir/killed");
is($node->safe_psql('acme', q{SELECT count(*) FROM steward.revocation_task t JOIN steward.credential c ON c.id = t.credential_id
	WHERE c.external_id = ANY (string_to_array('} . join(',', sort keys %killed) . q{', ','))}), $total, 'workers: each was really killed there');

$node->restart;
is($node->safe_psql('acme', $live), '0', 'restarted: what was dead is dead');
is($node->safe_psql('acme', q{SELECT count(*) FROM steward.health WHERE status <> 'ok' AND check_name NOT IN ('server log', 'setting fsync')}), '0', 'health is well');
$node->stop;
done_testing();
