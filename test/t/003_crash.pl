# A crash in the middle of a leaver event leaves nothing of it, one after its commit leaves everything; and what takes
# access away is on disk when COMMIT returns, whatever synchronous_commit says.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Steward;

# With so lazy a WAL writer, an asynchronous commit is still in memory when the server dies.
my $node = new_server('node', conf => "wal_writer_delay = 10s\ncheckpoint_timeout = 1h\nmax_wal_size = 2GB");
$node->start;
load_acme($node, 'acme');

# 500 more people with a key each, who may all leave at once.
$node->safe_psql('acme', q{
	SELECT steward.set_lifecycle_policy('{"brake_count": 1000}');
	INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name)
	SELECT d.org_id, d.id, 'x' || n, 'x' || n FROM steward.directory d, generate_series(1, 500) AS n;
	INSERT INTO public.keys SELECT 'x' || n, k.credential_id, k.secret
	FROM generate_series(1, 500) AS n, LATERAL steward.issue_key('x' || n, 'a:b') k;
	ANALYZE;
});
my $counts = counts($node, 'acme');
my $contents = contents($node, 'acme');
my $everybody = q{UPDATE steward.directory_user SET active = false WHERE user_name LIKE 'x%'};
my $live = q{SELECT count(*) FROM public.keys WHERE steward.is_authorized(secret)};

sub crash
{
	$node->stop('immediate');
	$node->start;
	return;
}

# In the midst: the statement is done, its pages are on disk, and it never commits.
my $session = $node->background_psql('acme', on_error_stop => 0);
$session->query_safe('BEGIN');
$session->query_safe($everybody);
is($session->query_safe($live), '4', 'inside the transaction all 500 keys are dead');
$node->safe_psql('acme', 'CHECKPOINT');
crash();
eval { $session->quit };
is(counts($node, 'acme'), $counts, 'crash before COMMIT: every table has as many rows as before');
is(contents($node, 'acme'), $contents, 'crash before COMMIT: and the same contents');
is($node->safe_psql('acme', $live), '504', 'crash before COMMIT: all keys open');

# While the statement runs.
$session = $node->background_psql('acme', on_error_stop => 0);
$session->query_safe(q{SET application_name = 'leaver'});
$session->query_until(qr/started/, "\\echo started\n$everybody;\n");
$node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'leaver' AND backend_xid IS NOT NULL});
crash();
eval { $session->quit };
like($node->safe_psql('acme', $live) . ' ' . $node->safe_psql('acme', q{SELECT count(*) FROM steward.lifecycle_event WHERE kind = 'leaver'}),
	qr/^(504 0|4 500)$/, 'crash during the statement: all or nothing');

# After the commit.
$node->safe_psql('acme', $everybody);
crash();
is($node->safe_psql('acme', $live), '4', 'crash after COMMIT: all keys are dead');
is($node->safe_psql('acme', q{SELECT count(*), count(DISTINCT principal_id) FROM steward.lifecycle_event WHERE kind = 'leaver'}),
	'500|500', 'crash after COMMIT: a leaver event each');
is($node->safe_psql('acme', q{SELECT count(*) FROM steward.principal p JOIN steward.credential c ON c.org_id = p.org_id AND c.holder_id = p.id
	JOIN steward.revocation r ON r.org_id = c.org_id AND r.id = c.revocation_id
	WHERE p.user_name LIKE 'x%' AND p.state = 'offboarded' AND c.state = 'revoked'}), '500', 'crash after COMMIT: principals, credentials and acts agree');
is($node->safe_psql('acme', q{SELECT count(*) FROM steward.audit_event a WHERE a.table_name = 'steward.credential' AND a.action = 'update'
	AND a.new_values ->> 'state' = 'revoked'}), '500', 'crash after COMMIT: and the audit log');

# An asynchronous commit: what it says, and whether it outlives the server that dies at once.
sub async
{
	my ($sql) = @_;
	my $out = $node->safe_psql('acme', qq{
		SET synchronous_commit = off;
		$sql;
		SELECT pg_current_wal_insert_lsn() <= pg_current_wal_flush_lsn();
	});

	crash();
	return (split /\n/, $out)[-1];
}

is(async(q{INSERT INTO public.keys (name) VALUES ('control')}), 'f', 'a plain asynchronous commit is not on disk when it returns');
is($node->safe_psql('acme', q{SELECT count(*) FROM public.keys WHERE name = 'control'}), '0', 'and is lost in the crash');

is(async(q{SELECT steward.revoke(id, 'leak') FROM public.keys WHERE name = 'billing'}), 't', 'revoke() is on disk');
is(allowed($node, 'acme', 'billing'), 'revoked', 'revoke() survives');

is(async(q{SELECT steward.revoke_principal('owner@acme.example', 'incident')}), 't', 'revoke_principal() is on disk');
is(allowed($node, 'acme', 'owner'), 'revoked', 'revoke_principal() survives');

# A leaver who holds no credential but owns an agent that does; with the managers gone nobody takes over.
$node->safe_psql('acme', q{SELECT steward.revoke(id, 'test') FROM public.keys WHERE name = 'callum'});
$node->safe_psql('acme', q{SELECT steward.revoke(id, 'test') FROM steward.credential WHERE external_id = 'crm-1'});
is(allowed($node, 'acme', 'bot'), 'ok', 'the agent of somebody who holds nothing works');
is(async(q{UPDATE steward.directory_user SET active = false, manager_user_id = NULL WHERE user_name = 'callum.reid@acme.example'}),
	't', 'a leaver who held nothing is on disk');
is(allowed($node, 'acme', 'bot'), 'owner_offboarded', 'and the agent that nobody takes over stays dead');
is($node->safe_psql('acme', q{SELECT state FROM steward.principal WHERE user_name = 'callum.reid@acme.example'}), 'offboarded', 'and gone');

is($node->safe_psql('acme', q{SELECT count(*) FROM steward.health WHERE status <> 'ok'}), '0', 'health is well after all crashes');
$node->stop;
done_testing();
