# The sessions of a revoked PostgreSQL role end when the revocation commits, and only then; on a standby, what has arrived
# counts, what has not is said to be unknown, and one whose heartbeat is old says no to everything.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Steward;

my $primary = new_server('primary', allows_streaming => 1);
$primary->start;
set_up($primary, 'acme');
$primary->safe_psql('acme', q{
	INSERT INTO steward.directory (org_id, name) VALUES (steward.default_org(), 'main');
	INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name) SELECT org_id, id, '1', 'ann' FROM steward.directory;
	CREATE TABLE public.keys (name text PRIMARY KEY, id uuid, secret text);
	INSERT INTO public.keys SELECT n, credential_id, secret FROM unnest(ARRAY['k1', 'k2']) AS n, LATERAL steward.issue_key('ann', 'a:b', name => n);
	CREATE ROLE app LOGIN; CREATE ROLE other LOGIN; CREATE ROLE raced LOGIN; CREATE ROLE far LOGIN;
	SELECT steward.register_pg_role(r, 'ann') FROM unnest(ARRAY['app', 'raced', 'far']) AS r;
});

# A session of a role that stays open, and how many processes run as it.
sub session_of
{
	my ($node, $role) = @_;
	my $session = $node->background_psql('acme', on_error_stop => 0, extra_params => [ '-U', $role ]);

	$session->query('SELECT 1');
	return $session;
}
my $sessions = q{SELECT count(*) FROM pg_stat_activity WHERE usename = '%s'};
sub sessions
{
	my ($node, $role) = @_;

	return $node->safe_psql('acme', sprintf($sessions, $role));
}
sub gone
{
	my ($node, $role) = @_;

	return $node->poll_query_until('acme', sprintf("SELECT ($sessions) = 0", $role));
}

my @open = map { session_of($primary, $_) } qw(app app other);
is(sessions($primary, 'app'), 2, 'two sessions of the role');

# Nothing happens to them on a rollback, wholly or to a savepoint, nor on a dry run; PREPARE is refused.
$primary->safe_psql('acme', q{BEGIN; SELECT steward.revoke('app', 'leak'); ROLLBACK});
$primary->safe_psql('acme', q{BEGIN; SAVEPOINT s; SELECT steward.revoke('app', 'leak'); ROLLBACK TO s; SELECT 1; COMMIT});
$primary->safe_psql('acme', q{BEGIN; SAVEPOINT s; SAVEPOINT t; SELECT steward.revoke('app', 'leak'); RELEASE t; ROLLBACK TO s; COMMIT});
$primary->safe_psql('acme', q{SELECT steward.revoke('app', 'leak', dry_run => true)});
$primary->safe_psql('acme', q{SELECT count(*) FROM steward.preview_revocation('app')});
is(sqlstate_of($primary, 'acme', q{SET steward.notify = off; BEGIN; SELECT steward.revoke('app', 'leak'); PREPARE TRANSACTION 'x'}), 'ST708', 'PREPARE is refused');
is(sessions($primary, 'app'), 2, 'not committed: the sessions live');
is(sqlstate_of($primary, 'acme', q{SET steward.notify = off; BEGIN; SAVEPOINT s; SELECT steward.revoke('app', 'leak'); ROLLBACK TO s;
	SELECT steward.revoke((SELECT id FROM public.keys WHERE name = 'k1'), 'leak'); PREPARE TRANSACTION 'x'}), '00000', 'PREPARE is allowed after a rollback to before');
$primary->safe_psql('acme', q{COMMIT PREPARED 'x'});
is(sessions($primary, 'app'), 2, 'COMMIT PREPARED ends none');

# Committed, through a released savepoint: both end, the other's does not, nor one that only acts as the role.
my $acting = $primary->background_psql('acme', on_error_stop => 0);
$acting->query_safe('SET SESSION AUTHORIZATION app');
$primary->safe_psql('acme', q{BEGIN; SAVEPOINT s; SELECT steward.revoke('app', 'leak'); RELEASE s; COMMIT});
ok(gone($primary, 'app'), 'committed: its sessions end');
is(sessions($primary, 'other'), 1, 'committed: others live');
is($acting->query('SELECT current_user'), 'app', 'committed: a session that authenticated as another lives');
isnt($primary->psql('acme', 'SELECT 1', extra_params => [ '-U', 'app' ]), 0, 'committed: nobody logs in as it');
eval { $_->quit } for @open, $acting;

# Raced: a session that the commit did not see, made here by giving LOGIN back for a moment; maintain() ends it.
$primary->safe_psql('acme', q{SELECT steward.revoke('raced', 'leak'); ALTER ROLE raced LOGIN VALID UNTIL 'infinity'});
my $raced = session_of($primary, 'raced');
$primary->safe_psql('acme', 'ALTER ROLE raced NOLOGIN');
is(sessions($primary, 'raced'), 1, 'raced: a session is left');
is($primary->safe_psql('acme', q{SELECT result FROM steward.maintain() WHERE step = 'PostgreSQL roles'}), '1 sessions ended, 1 revocations confirmed', 'raced: maintain() ends it, and confirms what is over');
ok(gone($primary, 'raced'), 'raced: it is gone');
is($primary->safe_psql('acme', q{SELECT result FROM steward.maintain() WHERE step = 'PostgreSQL roles'}), '0 sessions ended, 1 revocations confirmed', 'raced: and then confirms');
eval { $raced->quit };

# The standby.
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', "max_standby_streaming_delay = -1\n");
$standby->start;
$primary->wait_for_catchup($standby, 'replay');
my $far = session_of($standby, 'far');
is(sessions($standby, 'far'), 1, 'standby: a session of the role');

# What changes anything is refused there with one clear error.
my %mutators = (
	revoke_matching => q{SELECT steward.revoke_matching('leak', owner => 'ann')},
	revoke_organization => q{SELECT steward.revoke_organization('acme', 'leak')},
	preview_revocation => q{SELECT * FROM steward.preview_revocation(principal => 'ann')},
	'a dry run' => q{SELECT steward.revoke_principal('ann', 'leak', dry_run => true)},
	claim => q{SELECT * FROM steward.claim_revocation_tasks('postgresql')},
	confirm => q{SELECT steward.confirm_revocation(steward.uuid7(), '{"a": 1}')},
	fail => q{SELECT steward.fail_revocation(steward.uuid7(), 'x')},
	register_pg_role => q{SELECT steward.register_pg_role('other', 'ann')},
	heartbeat => q{SELECT steward.heartbeat()},
	maintain => q{SELECT * FROM steward.maintain()},
);
is(sqlstate_of($standby, 'acme', $mutators{$_}), '25006', "standby: $_ is refused") for sort keys %mutators;

# Replay paused: the receipt is unknown here; gone on: visible.
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_pause()');
$standby->poll_query_until('postgres', q{SELECT pg_get_wal_replay_pause_state() = 'paused'});
my ($id, $xid) = split /\|/, $primary->safe_psql('acme', q{SELECT revocation_id, xid FROM steward.revoke('far', 'leak')});
is($primary->safe_psql('acme', "SELECT steward.revocation_visible('$id', '$xid')"), 'visible', 'primary: visible');
is($standby->safe_psql('acme', "SELECT steward.revocation_visible('$id', '$xid')"), 'unknown_here', 'standby, not replayed: unknown here');
my $old = $standby->background_psql('acme', on_error_stop => 0);
$old->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
$old->query_safe('SELECT count(*) FROM steward.revocation');
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_resume()');
$primary->wait_for_catchup($standby, 'replay');
is($standby->safe_psql('acme', "SELECT steward.revocation_visible('$id', '$xid')"), 'visible', 'standby, replayed: visible');
is($old->query("SELECT steward.revocation_visible('$id', '$xid')"), 'visible', 'standby, replayed: visible in an older transaction');
$old->quit;

# One in progress on the primary, whose transaction the standby has heard of.
my $open = $primary->background_psql('acme', on_error_stop => 0);
$open->query_safe('BEGIN');
my ($id2, $xid2) = split /\|/, $open->query_safe(q{SELECT revocation_id, xid FROM steward.revoke((SELECT id FROM public.keys WHERE name = 'k2'), 'leak')});
$primary->safe_psql('acme', 'CHECKPOINT; SELECT pg_log_standby_snapshot()') if $primary->safe_psql('postgres', q{SELECT count(*) FROM pg_proc WHERE proname = 'pg_log_standby_snapshot'}) eq '1';
$primary->safe_psql('acme', 'CHECKPOINT; CREATE TABLE public.later ()');
$primary->wait_for_catchup($standby, 'replay');
is($standby->safe_psql('acme', "SELECT steward.revocation_visible('$id2', '$xid2')"), 'in_progress', 'standby: in progress');
$open->query_safe('ROLLBACK');
$open->quit;
$primary->safe_psql('acme', 'DROP TABLE public.later');
$primary->wait_for_catchup($standby, 'replay');
is($standby->safe_psql('acme', "SELECT steward.revocation_visible('$id2', '$xid2')"), 'aborted', 'standby: aborted');

# No commit there ended the session; the function does.
is(sessions($standby, 'far'), 1, 'standby: the session is still there');
is($standby->safe_psql('acme', 'SELECT * FROM steward.terminate_revoked_backends()'), 'far|1', 'standby: terminate_revoked_backends() ends it');
ok(gone($standby, 'far'), 'standby: it is gone');
is($standby->safe_psql('acme', 'SELECT count(*) FROM steward.terminate_revoked_backends()'), '0', 'standby: nothing is left to end');
eval { $far->quit };

# Staleness: off, it says yes; on, it says no without a heartbeat, and with an old one; the primary never does.
my $answer = q{SELECT a.reason FROM public.keys, steward.authorize(secret) a WHERE name = 'k2'};
sub staleness
{
	my ($value) = @_;

	for my $node ($primary, $standby)
	{
		$node->append_conf('postgresql.conf', "steward.max_staleness = '$value'\n");
		$node->reload;
	}
	select undef, undef, undef, 0.3;
	return;
}
is($standby->safe_psql('acme', $answer), 'ok', 'staleness off: ok');
$primary->safe_psql('acme', 'DELETE FROM steward.heartbeat');
$primary->wait_for_catchup($standby, 'replay');
staleness('1min');
is($standby->safe_psql('acme', $answer), 'stale', 'no heartbeat: stale');
is($primary->safe_psql('acme', $answer), 'ok', 'no heartbeat: the primary knows');
is($standby->safe_psql('acme', q{SELECT status FROM steward.health WHERE check_name = 'heartbeat'}), 'critical', 'no heartbeat: an alarm');
$primary->safe_psql('acme', 'SELECT steward.heartbeat()');
$primary->wait_for_catchup($standby, 'replay');
is($standby->safe_psql('acme', $answer), 'ok', 'a heartbeat: ok');
is($standby->safe_psql('acme', q{SELECT a.reason FROM public.keys, steward.authorize(secret) a WHERE name = 'k1'}), 'revoked', 'what is revoked is revoked, stale or not');
$primary->safe_psql('acme', q{UPDATE steward.heartbeat SET beat_at = beat_at - interval '2 minutes'});
$primary->wait_for_catchup($standby, 'replay');
is($standby->safe_psql('acme', $answer), 'stale', 'an old heartbeat: stale');
is($standby->safe_psql('acme', q{SELECT steward.is_authorized(secret) FROM public.keys WHERE name = 'k2'}), 'f', 'an old heartbeat: is_authorized() too');
is($standby->safe_psql('acme', q{SELECT i.status FROM public.keys k JOIN steward.credential_inventory i ON i.credential_id = k.id WHERE k.name = 'k2'}), 'active', 'an old heartbeat: the inventory shows what it knows');
$primary->safe_psql('acme', 'SELECT * FROM steward.maintain()');
$primary->wait_for_catchup($standby, 'replay');
is($standby->safe_psql('acme', $answer), 'ok', 'maintain() beats as well');

$standby->stop;
$primary->stop;
done_testing();
