# No secret, token or digest gets into the server log: not those that issue_key() makes, whatever is logged; nor, where
# statements are not logged as a rule, one that was passed to a function by mistake or for a check.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Steward;

my $node = new_server('node', conf => q{
log_min_error_statement = error
log_parameter_max_length_on_error = -1
log_error_verbosity = verbose
});
$node->start;
load_acme($node, 'acme');

my %secret = map { split /\|/ } split /\n/, $node->safe_psql('acme', 'SELECT name, secret FROM public.keys');
my %digest = map { split /\|/ } split /\n/, $node->safe_psql('acme', 'SELECT k.name, c.digest FROM public.keys k JOIN steward.credential c USING (id)');
my $position = 0;

# What was logged since the last call.
sub logged
{
	my $new = slurp_file($node->logfile, $position);

	$position += length $new;
	return $new;
}

# None of the secrets, nor their secret parts, nor digests, in a text.
sub nothing_secret
{
	my ($text, $what, @others) = @_;
	my @found;

	for my $name (sort keys %secret)
	{
		push @found, "key $name" if index($text, $secret{$name}) >= 0;
		push @found, "secret of $name" if index($text, substr($secret{$name}, 49, 43)) >= 0;
		push @found, "digest of $name" if index($text, substr($digest{$name}, 2)) >= 0 || index($text, $digest{$name}) >= 0;
	}
	push @found, "other" if grep { index($text, $_) >= 0 } @others;
	is(join(', ', @found), '', $what);
	return;
}

is(length $secret{bot}, 98, 'a key has 98 characters');
nothing_secret(logged(), 'loading left nothing in the log');

# A key where a reference is expected.  The statement is not repeated, whatever log_min_error_statement says.
my %mistakes = (
	'revoke' => q{SELECT steward.revoke('%s', 'leak')},
	'revoke, reason' => q{SELECT steward.revoke('x', '%s')},
	'revoke_principal' => q{SELECT steward.revoke_principal('%s', 'leak')},
	'issue_key, holder' => q{SELECT steward.issue_key('%s', 'a:b')},
	'issue_key, owner' => q{SELECT steward.issue_key('billing', 'a:b', owner => '%s')},
	'issue_key, name' => q{SELECT steward.issue_key('billing', 'a:b', name => '%s')},
	'issue_key, ticket' => q{SELECT steward.issue_key('billing', 'a:b', ticket => '%s')},
	'issue_key, justification' => q{SELECT steward.issue_key('billing', 'a:b', justification => '%s')},
	'issue_key, environment' => q{SELECT steward.issue_key('billing', 'a:b', environment => '%s')},
	'grant_scopes' => q{SELECT steward.grant_scopes('%s', 'a:b', 'x')},
	'grant_scopes, justification' => q{SELECT steward.grant_scopes('billing', 'a:b', '%s')},
	'register_service' => q{SELECT steward.register_service('%s', 'owner@acme.example')},
	'register_service, owner' => q{SELECT steward.register_service('x', '%s')},
	'register_agent' => q{SELECT steward.register_agent('x', '%s', 'x')},
	'register_system, owner' => q{SELECT steward.register_system('x', '%s', 'saas')},
	'register_system, runbook' => q{SELECT steward.register_system('x', 'owner@acme.example', 'saas', runbook => '%s')},
	'register_credential' => q{SELECT steward.register_credential('%s', 'crm', 'api_key', 'billing', 'a:b')},
	'register_credential, storage' => q{SELECT steward.register_credential('x', 'crm', 'api_key', 'billing', 'a:b', storage_location => '%s')},
	'import_directory' => q{SELECT * FROM steward.import_directory('%s', '[]')},
	'use_org' => q{SELECT steward.use_org('%s')},
	'grant_profile, role' => q{SELECT steward.grant_profile('%s', 'app')},
	'visible_orgs' => q{SELECT steward.visible_orgs('%s')},
	'grant_profile, profile' => q{SELECT steward.grant_profile('pg_monitor', '%s')},
);
for my $name (sort keys %mistakes)
{
	my ($status, $out, $errors) = $node->psql('acme', sprintf($mistakes{$name}, $secret{bot}));
	my $log = logged();

	isnt($status, 0, "$name: refuses a key");
	like($log, qr/ERROR/, "$name: that is logged");
	$errors =~ s/^LINE .*$//mg;
	nothing_secret($log . $errors, "$name: without the key");
}

# Checks: literals are not logged where statements are not; denials are, with ids and reason.
$node->psql('acme', qq{SELECT steward.revoke((SELECT id FROM public.keys WHERE name = 'callum'), 'leak')});
logged();
$node->safe_psql('acme', "SELECT reason FROM steward.authorize('$secret{callum}', 'tickets:read')");
$node->safe_psql('acme', "SELECT reason FROM steward.authorize('$secret{bot}', 'tickets:write')");
(my $wrong = $secret{bot}) =~ s/(.)\z/$1 eq 'x' ? 'y' : 'x'/e;
$node->safe_psql('acme', "SELECT reason FROM steward.authorize('$wrong', 'tickets:read')");
is(sqlstate_of($node, 'acme', "SELECT steward.authorize('$secret{bot}', NULL)"), '22004', 'a null requirement raises');
my $log = logged();
like($log, qr/steward denied credential [0-9a-f-]{36}: revoked/, 'a denial is logged with the id of the credential');
like($log, qr/steward denied credential [0-9a-f-]{36}: insufficient_scope/, 'and its reason');
like($log, qr/steward denied a token: malformed/, 'and without an id where nothing is proven');
nothing_secret($log, 'and without the token', $wrong);

# The same with everything logged that the server can log, and the token as a parameter of a prepared statement.
$node->append_conf('postgresql.conf', q{
log_statement = all
log_min_duration_statement = 0
log_min_messages = debug5
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
});
$node->restart;
logged();
$node->safe_psql('acme', q{INSERT INTO public.keys SELECT 'loud', credential_id, secret FROM steward.issue_key('billing', 'bills:read')});
$node->safe_psql('acme', q{DO $$ DECLARE k record; BEGIN SELECT * INTO k FROM steward.issue_key('billing', 'bills:read');
	INSERT INTO public.keys VALUES ('loud2', k.credential_id, k.secret);
	PERFORM steward.authorize(k.secret); PERFORM steward.authorize(k.secret, 'x:y'); PERFORM steward.is_authorized(k.secret); END $$});
$node->safe_psql('acme', q{SELECT steward.revoke(id, 'leak') FROM public.keys WHERE name = 'loud'});
$node->safe_psql('acme', q{SELECT reason FROM public.keys, steward.authorize(secret)});
$node->safe_psql('acme', q{UPDATE steward.directory_user SET active = false WHERE user_name = 'owner@acme.example'});
my $loud = logged();
%secret = map { split /\|/ } split /\n/, $node->safe_psql('acme', 'SELECT name, secret FROM public.keys');
%digest = map { split /\|/ } split /\n/, $node->safe_psql('acme', 'SELECT k.name, c.digest FROM public.keys k JOIN steward.credential c USING (id)');
cmp_ok(length $loud, '>', 5000, 'debug5 logs a lot');
like($loud, qr/steward denied credential/, 'denials among it');
nothing_secret($loud, 'and nothing secret');

# A client that binds the token, as pgbench does with its prepared protocol.
my $script = PostgreSQL::Test::Utils::tempdir() . '/check.sql';
append_to_file($script, "SELECT steward.is_authorized(:token::text), (steward.authorize(:token::text)).reason\n");
logged();
command_ok([ 'pgbench', '-n', '-t', '2', '-M', 'prepared', '-D', "token=$secret{loud}", '-f', $script, $node->connstr('acme') ],
	'a client that binds the token');
$loud = logged();
like($loud, qr/steward denied credential/, 'the denial is logged');
nothing_secret($loud, 'and neither token nor digest');

# The audit log has none of it either.
nothing_secret($node->safe_psql('acme', q{SELECT string_agg(a::text, E'\n') FROM steward.audit_event a}), 'nothing secret in the audit log');

$node->stop;
done_testing();
