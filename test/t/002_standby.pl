# On a hot standby: checks and health work, what changes anything does not, and a revocation that was replayed counts at
# once, also inside a transaction that began before.
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
load_acme($primary, 'acme');
$primary->backup('base');

my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', "max_standby_streaming_delay = -1\n");
$standby->start;
$primary->wait_for_catchup($standby, 'replay');

is($standby->safe_psql('acme', 'SELECT pg_is_in_recovery()'), 't', 'this is a standby');
is(allowed($standby, 'acme', 'callum'), 'ok', 'a key opens on the standby');
is($standby->safe_psql('acme', q{SELECT steward.is_authorized(secret, 'bills:read') FROM public.keys WHERE name = 'billing'}),
	't', 'is_authorized() too');
is($standby->safe_psql('acme', q{SELECT reason FROM steward.authorize('nonsense')}), 'malformed', 'nonsense is malformed');
is($standby->safe_psql('acme', q{SELECT check_name, status FROM steward.health WHERE status <> 'ok'}), '', 'health is well');
is($standby->safe_psql('acme', q{SELECT count(*) FROM steward.credential_inventory WHERE status = 'active'}), '5', 'the inventory can be read');
is($standby->safe_psql('acme', q{SELECT count(*) FROM steward.lifecycle_timeline}), '58', 'the timeline can be read');

# Nothing can be changed.
my %mutators = (
	setup => q{SELECT * FROM steward.setup()},
	import_directory => q{SELECT * FROM steward.import_directory('x', '[{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "1", "userName": "x"}]')},
	register_service => q{SELECT steward.register_service('x', 'owner@acme.example')},
	register_agent => q{SELECT steward.register_agent('x', 'owner@acme.example', 'x')},
	register_system => q{SELECT steward.register_system('x', 'owner@acme.example', 'saas')},
	register_credential => q{SELECT steward.register_credential('x', 'crm', 'api_key', 'billing', 'a:b')},
	grant_scopes => q{SELECT steward.grant_scopes('billing', 'a:b', 'x')},
	grant_profile => q{SELECT steward.grant_profile('pg_monitor', 'analyst')},
	revoke_profile => q{SELECT steward.revoke_profile('pg_monitor', 'analyst')},
	issue_key => q{SELECT steward.issue_key('billing', 'bills:read')},
	revoke => q{SELECT steward.revoke((SELECT id FROM public.keys WHERE name = 'billing'), 'leak')},
	'revoke, dry run' => q{SELECT steward.revoke((SELECT id FROM public.keys WHERE name = 'billing'), 'leak', dry_run => true)},
	revoke_principal => q{SELECT steward.revoke_principal('billing', 'leak')},
	'UPDATE' => q{UPDATE steward.directory_user SET active = false},
);
is(sqlstate_of($standby, 'acme', $mutators{$_}), '25006', "$_ fails on the standby") for sort keys %mutators;
is(sqlstate_of($standby, 'acme', q{SELECT steward.use_org('acme')}), '00000', 'use_org works on the standby');

# Old transactions on the standby, and one that has not looked yet.
my %sessions;
for my $level ('READ COMMITTED', 'REPEATABLE READ')
{
	my $session = $standby->background_psql('acme', on_error_stop => 1);

	$session->query_safe("BEGIN ISOLATION LEVEL $level READ ONLY");
	is($session->query_safe(q{SELECT string_agg(name, ' ' ORDER BY name) FROM public.keys WHERE steward.is_authorized(secret)}),
		'billing bot callum owner', "$level: all keys open before");
	$sessions{$level} = $session;
}

$primary->safe_psql('acme', q{SELECT * FROM steward.revoke((SELECT id FROM public.keys WHERE name = 'billing'), 'leak')});
$primary->safe_psql('acme', q{UPDATE steward.directory_user SET active = false WHERE user_name = 'callum.reid@acme.example'});
$primary->wait_for_catchup($standby, 'replay');

is(allowed($standby, 'acme', 'billing'), 'revoked', 'a replayed revocation: the standby says no');
is(allowed($standby, 'acme', 'callum'), 'revoked', 'a replayed leaver event: the standby says no');
is(allowed($standby, 'acme', 'bot'), 'ok', 'what the leaver owned opens under its new owner');
for my $level (sort keys %sessions)
{
	my $session = $sessions{$level};

	is($session->query_safe(q{SELECT string_agg(name || ' ' || a.reason, ', ' ORDER BY name) FROM public.keys, steward.authorize(secret) a}),
		'billing revoked, bot ok, callum revoked, owner ok', "$level: the old transaction says no, too");
	is($session->query_safe(q{SELECT count(*) FROM steward.credential WHERE state = 'revoked'}),
		$level eq 'REPEATABLE READ' ? '0' : '3', "$level: although its own snapshot is what it is");
	$session->query_safe('COMMIT');
	$session->quit;
}

# The standby takes over: its log begins a new incarnation at setup(), and leavers leave.
$primary->stop('immediate');
$standby->promote;
is($standby->safe_psql('acme', q{SELECT result FROM steward.setup() WHERE step = 'audit log'}), 'a new incarnation begins', 'promoted: a new incarnation');
$standby->safe_psql('acme', q{UPDATE steward.directory_user SET active = false WHERE user_name = 'owner@acme.example'});
is(allowed($standby, 'acme', 'owner'), 'revoked', 'promoted: the trigger works');
is(allowed($standby, 'acme', 'billing'), 'revoked', 'promoted: dead keys stay dead');

$standby->stop;
done_testing();
