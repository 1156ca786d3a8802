# The quick start of README.md, statement by statement, answers what README.md says; ids, times and secrets aside.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Steward;

my ($section) = slurp_file('README.md') =~ /^## Quick start\n(.*?)^## /ms;
my @blocks = $section =~ /^```(sql)?\n(.*?)^```\n/msg;
my @steps;

# A block of SQL, then one with its answer.
while (my ($kind, $sql, $none, $answer) = splice @blocks, 0, 4)
{
	ok(defined $kind && !defined $none, 'a statement is followed by its answer');
	push @steps, [ $sql, $answer ];
}
is(scalar @steps, 7, 'there are seven statements');
like($section, qr/psql -v scim_json="\$\(cat test\/data\/quickstart\.json\)"/, 'and the file they load');

my $node = new_server('quick');
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE acme');

# One session: expanded where README.md shows it so, and without what psql says about itself.
my $script = PostgreSQL::Test::Utils::tempdir() . '/quick_start.sql';
for my $step (@steps)
{
	append_to_file($script, '\pset expanded ' . ($step->[1] =~ /^-\[ RECORD/m ? 'on' : 'off') . "\n\\echo ---step---\n$step->[0]");
}
my ($out, $errors) = run_command(
	[ 'psql', '-X', '-P', 'footer=off', '-v', 'ON_ERROR_STOP=1', '-v', 'scim_json=' . slurp_file('test/data/quickstart.json'), '-d', $node->connstr('acme'), '-f', $script ]);
is($errors, '', 'nothing fails');

# What differs each time, and how wide it makes a column.
sub normal
{
	my ($text) = @_;

	$text =~ s/^Expanded display is .*\n?//mg;
	$text =~ s/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/UUID/g;
	$text =~ s/stw1_[0-9A-Za-z]{93}/SECRET/g;
	$text =~ s/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?[+-]\d\d/TIME/g;
	$text =~ s/[ ]+/ /g;
	$text =~ s/-+/-/g;
	$text =~ s/[ ]+$//mg;
	$text =~ s/\n+\z/\n/;
	$text =~ s/\A\n+//;
	return $text;
}

my (undef, @answers) = split /^---step---\n/m, $out;
for my $n (0 .. $#steps)
{
	my ($statement) = $steps[$n][0] =~ /^(.{1,60})/;
	# Each part between two lines "..." is there, in this order; nothing else is left out.
	my @parts = split /^\.\.\.\n/m, normal($steps[$n][1]), -1;
	my $pattern = join '(?:.*\n)*', map { quotemeta } @parts;

	like(normal($answers[$n] // ''), qr/\A$pattern\z/, $statement);
}

# The sentence after it.
is($node->safe_psql('acme', q{SELECT o.user_name, c.rotate_by IS NOT NULL FROM steward.credential c JOIN steward.principal o ON o.id = c.owner_id}),
	'maria.lindqvist@acme.example|t', 'the key belongs to the manager, and has to be changed');
$node->stop;
done_testing();
