# Input that a type refuses raises its SQLSTATE; from PostgreSQL 16 on it can be asked about without an error, and
# pg_input_error_info() says what the error would.
use strict;
use warnings;
use lib 'test/t';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Steward;
use Test::More;

my $node = new_server('soft');
$node->start;
my $soft = $node->safe_psql('postgres', 'SHOW server_version_num') >= 160000;
$node->safe_psql('postgres', 'CREATE EXTENSION steward');

# type, input, SQLSTATE; none for what is valid
my @cases = (
	[ 'scope', 'a:b', '' ],
	[ 'scope', 'a b', 'ST401' ],
	[ 'scope', '', 'ST401' ],
	[ 'scope', 'a:b*', 'ST402' ],
	[ 'scope', 'a' x 256, 'ST403' ],
	[ 'scope_set', 'a:b c:*', '' ],
	[ 'scope_set', 'a:b "', 'ST401' ],
	[ 'scope_set', 'a:b c*', 'ST402' ],
	[ 'scope_set', 'x ' . 'a' x 256, 'ST403' ],
	[ 'scope_set', join(' ', map { "s$_" } 1 .. 1001), 'ST404' ],
	[ 'digest', '0' x 64, '' ],
	[ 'digest', '0' x 63, '22P02' ],
	[ 'digest', 'g' x 64, '22P02' ],
);
for my $case (@cases)
{
	my ($type, $input, $state) = @$case;

	is(sqlstate_of($node, 'postgres', "SELECT '$input'::steward.$type"), $state || '00000', "$type: " . substr($input, 0, 20));
	next unless $soft;
	is($node->safe_psql('postgres',
			"SELECT pg_input_is_valid('$input', 'steward.$type'), sql_error_code FROM pg_input_error_info('$input', 'steward.$type')"),
		($state eq '' ? 't|' : "f|$state"), '... and softly');
}
$node->stop;
done_testing();
