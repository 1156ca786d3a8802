# The quick start of README.md runs as shown: its statements, in a database of their own, print what the page says.
# Identifiers, times and the secret differ at every run and are compared by their form.
use strict;
use warnings;
use lib 'test/t';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Steward;
use Test::More;

my $readme = slurp_file('README.md');
my ($sql, $shown) = $readme =~ /<!-- quick start -->\n```sql\n(.*?)```\n.*?```text\n(.*?)```\n/s
	or die "README.md has no quick start";

sub by_form
{
	my ($text) = @_;

	$text =~ s/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/UUID/g;
	$text =~ s/stw1_[0-9A-Za-z]{93}/KEY/g;
	$text =~ s/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?\+\d\d/TIME/g;
	$text =~ s/\d\d:\d\d:\d\d(\.\d+)?/DURATION/g;
	$text =~ s/\b\d+ made or mended/N made or mended/;
	$text =~ s/-{3,}/--/g;
	$text =~ s/\+-+/+--/g;
	$text =~ s/[ \t]+/ /g;
	$text =~ s/ $//mg;
	$text =~ s/\s+\z//;
	return $text;
}

my $node = new_server('readme');
$node->start;
# Functions of psql that read files need a file, not a string.
my $dir = PostgreSQL::Test::Utils::tempdir();
append_to_file("$dir/quickstart.sql", $sql);
my ($out, $errors) = run_command([ 'psql', '-X', '-d', $node->connstr('postgres'), '-f', "$dir/quickstart.sql" ]);
is($errors, '', 'no statement fails');
is(by_form("$out\n"), by_form($shown), 'and prints what the page shows');
like($out, qr/stw1_[0-9A-Za-z]{93}/, 'the key is shown');
is($node->safe_psql('postgres', 'SELECT count(*) FROM (SELECT * FROM steward.lifecycle_timeline) t'), '4', 'three joiners and a leaver');
$node->stop;
done_testing();
