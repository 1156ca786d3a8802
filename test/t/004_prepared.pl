# Two-phase commit: a prepared leaver event has its effects at COMMIT PREPARED, survives a restart and a crash, and keeps
# whoever issues a key for the leaver waiting; a prepared key keeps the leaver event waiting.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Steward;

# A transaction that notifies cannot be prepared, and a leaver with credentials elsewhere does.
my $node = new_server('node', conf => 'steward.notify = off');
$node->start;
load_acme($node, 'acme');

my $leave = q{UPDATE steward.directory_user SET active = false WHERE user_name = 'callum.reid@acme.example'};
my $issue = q{SELECT 'late', credential_id, secret FROM steward.issue_key('callum.reid@acme.example', 'tickets:read')};
my $events = q{SELECT count(*) FROM steward.lifecycle_event WHERE kind = 'leaver'};

# Taken back.
my $contents = contents($node, 'acme');
$node->safe_psql('acme', "BEGIN; $leave; PREPARE TRANSACTION 'leaver'");
is(allowed($node, 'acme', 'callum'), 'ok', 'prepared: not yet');
$node->safe_psql('acme', q{ROLLBACK PREPARED 'leaver'});
is(contents($node, 'acme'), $contents, 'ROLLBACK PREPARED leaves nothing');

# Prepared; nobody can issue beside it, also after a restart and a crash.
$node->safe_psql('acme', "BEGIN; $leave; PREPARE TRANSACTION 'leaver'");
for my $how ('at once', 'restart', 'crash')
{
	$node->restart if $how eq 'restart';
	if ($how eq 'crash') { $node->stop('immediate'); $node->start; }
	is(allowed($node, 'acme', 'callum'), 'ok', "prepared, $how: not yet");
	is($node->safe_psql('acme', $events), '0', "prepared, $how: no event is seen");
	is(sqlstate_of($node, 'acme', "SET lock_timeout = '200ms'; $issue"), '55P03', "prepared, $how: issuing waits");
	is(sqlstate_of($node, 'acme', "SET lock_timeout = '200ms'; $leave"), '55P03', "prepared, $how: leaving again waits");
	is(sqlstate_of($node, 'acme', q{SET lock_timeout = '200ms'; SELECT steward.revoke(id, 'leak') FROM public.keys WHERE name = 'billing'}),
		'00000', "prepared, $how: revoking what is not concerned does not wait") if $how eq 'at once';
}
$node->safe_psql('acme', q{COMMIT PREPARED 'leaver'});
is(allowed($node, 'acme', 'callum'), 'revoked', 'COMMIT PREPARED: dead');
is($node->safe_psql('acme', $events), '1', 'COMMIT PREPARED: one event');
is($node->safe_psql('acme', q{SELECT o.user_name = m.user_name FROM steward.principal b JOIN steward.principal o ON o.id = b.owner_id,
	steward.directory_user u JOIN steward.directory_user m ON m.id = u.manager_user_id
	WHERE b.name = 'support-bot' AND u.user_name = 'callum.reid@acme.example'}), 't', 'COMMIT PREPARED: the manager has taken over');
is($node->safe_psql('acme', q{SELECT count(*) FROM steward.audit_event WHERE table_name = 'steward.lifecycle_event' AND new_values ->> 'kind' = 'leaver'}),
	'1', 'COMMIT PREPARED: audited');
is(sqlstate_of($node, 'acme', $issue), 'ST203', 'COMMIT PREPARED: no key for somebody who left');
$node->stop('immediate');
$node->start;
is(allowed($node, 'acme', 'callum'), 'revoked', 'after a crash: dead');

# The other way round: a key is prepared, and its holder leaves.
$node->safe_psql('acme', q{UPDATE steward.directory_user SET active = true WHERE user_name = 'callum.reid@acme.example'});
$node->safe_psql('acme', "BEGIN; INSERT INTO public.keys $issue; PREPARE TRANSACTION 'key'");
is(sqlstate_of($node, 'acme', "SET lock_timeout = '200ms'; $leave"), '55P03', 'a prepared key: leaving waits');
$node->restart;
is(sqlstate_of($node, 'acme', "SET lock_timeout = '200ms'; $leave"), '55P03', 'a prepared key: also after a restart');
$node->safe_psql('acme', q{COMMIT PREPARED 'key'});
is(allowed($node, 'acme', 'late'), 'ok', 'a prepared key: opens once it is committed');
$node->safe_psql('acme', $leave);
is(allowed($node, 'acme', 'late'), 'revoked', 'a prepared key: dead with its holder');

# Revocation by two-phase commit.
$node->safe_psql('acme', q{BEGIN; SELECT steward.revoke(id, 'leak') FROM public.keys WHERE name = 'bot'; PREPARE TRANSACTION 'revoke'});
is(allowed($node, 'acme', 'bot'), 'ok', 'a prepared revocation: not yet');
$node->safe_psql('acme', q{SET synchronous_commit = off; COMMIT PREPARED 'revoke'});
$node->stop('immediate');
$node->start;
is(allowed($node, 'acme', 'bot'), 'revoked', 'a prepared revocation: survives a crash right after COMMIT PREPARED');

$node->stop;
done_testing();
