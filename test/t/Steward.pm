# What the tests of this folder share.
package Steward;

use strict;
use warnings;
use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

our @EXPORT = qw(new_server set_up load_acme counts contents dump_of allowed sqlstate_of);

# A server that is not started yet; further lines for its postgresql.conf.
sub new_server
{
	my ($name, %options) = @_;
	my $conf = delete $options{conf} // '';
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(%options);
	$node->append_conf('postgresql.conf', "max_prepared_transactions = 10\nautovacuum = off\nlog_statement = none\nfsync = on\n$conf\n");
	return $node;
}

# The extension in a new database, with the organization acme.
sub set_up
{
	my ($node, $db) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $db") unless $db eq 'postgres';
	$node->safe_psql($db, q{
		CREATE EXTENSION steward;
		SELECT count(*) FROM steward.setup(organization => 'acme');
	});
	return;
}

# Acme: its directory, systems, services, agents and keys.  The secrets of the keys are in public.keys.
sub load_acme
{
	my ($node, $db) = @_;
	my $json = slurp_file('test/data/okta.json');

	set_up($node, $db);
	$node->safe_psql($db, q{SELECT count(*) FROM steward.import_directory('okta', $json$} . $json . q{$json$::jsonb)});
	$node->safe_psql($db, q{
		CREATE TABLE public.keys (name text PRIMARY KEY, id uuid, secret text);
		SELECT steward.register_system('crm', 'owner@acme.example', 'saas', revocation_path => 'connector', deadline => '1 hour');
		SELECT steward.register_service('billing', 'owner@acme.example');
		SELECT steward.register_agent('support-bot', 'callum.reid@acme.example', 'answers tickets', model => 'any');
		INSERT INTO public.keys SELECT 'billing', credential_id, secret FROM steward.issue_key('billing', 'bills:read');
		INSERT INTO public.keys SELECT 'bot', credential_id, secret FROM steward.issue_key('support-bot', 'tickets:read');
		INSERT INTO public.keys SELECT 'callum', credential_id, secret FROM steward.issue_key('callum.reid@acme.example', 'tickets:read');
		INSERT INTO public.keys SELECT 'owner', credential_id, secret FROM steward.issue_key('owner@acme.example', 'tickets:read');
		SELECT steward.register_credential('crm-1', 'crm', 'api_key', 'callum.reid@acme.example', 'crm:read');
	});
	return;
}

# Every table of the schema with its number of rows, and with a digest of all it contains.
sub counts
{
	my ($node, $db) = @_;

	return $node->safe_psql($db, q{
		SELECT c.relname, (xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM %s', c.oid::regclass), false, true, '')))[1]
		FROM pg_class c WHERE c.relnamespace = 'steward'::regnamespace AND c.relkind = 'r' ORDER BY 1
	});
}

sub contents
{
	my ($node, $db) = @_;

	return $node->safe_psql($db, q{
		SELECT c.relname, (xpath('/row/n/text()', query_to_xml(format(
			'SELECT md5(coalesce(string_agg(t::text, E''\n'' ORDER BY t::text), '''')) AS n FROM %s t', c.oid::regclass), false, true, '')))[1]
		FROM pg_class c WHERE c.relnamespace = 'steward'::regnamespace AND c.relkind = 'r' ORDER BY 1
	});
}

# A plain dump, without the lines that differ between two dumps of one database.
sub dump_of
{
	my ($node, $db, @options) = @_;
	my ($dump, $errors) = run_command([ 'pg_dump', '-d', $node->connstr($db), @options ]);

	die "pg_dump: $errors" if $errors =~ /error/;
	return join "\n", grep { !/^\\(un)?restrict / && !/^--/ } split /\n/, $dump;
}

# What authorize() answers for a key of public.keys.
sub allowed
{
	my ($node, $db, $name) = @_;

	return $node->safe_psql($db,
		"SELECT a.reason FROM public.keys k, steward.authorize(k.secret) a WHERE k.name = '$name'");
}

# The SQLSTATE with which a statement fails; 00000 when it does not.
sub sqlstate_of
{
	my ($node, $db, $sql) = @_;
	my ($status, $out, $errors) = $node->psql($db, "\\set VERBOSITY sqlstate\n$sql");

	return $errors =~ /(?:ERROR|FATAL):\s+([0-9A-Z]{5})/ ? $1 : '00000';
}

1;
