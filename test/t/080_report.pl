# The report as a browser sees it: the page parses as it was written, in light and in dark, and no name in it becomes an
# element.
use strict;
use warnings;
use File::Temp qw(tempdir);
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Steward;
use Test::More;

my ($chromium) = grep { -x $_ } qw(/usr/bin/chromium /usr/bin/chromium-browser);
ok($chromium, 'a browser is here (tools/deps installs it)') or BAIL_OUT('no chromium');

my $node = new_server('report');
$node->start;
load_acme($node, 'postgres');
$node->safe_psql('postgres', q{
	UPDATE steward.organization SET name = '<script>document.title = "broken"</script>';
	SELECT steward.register_agent('"><img src=x onerror=alert(1)>', 'owner@acme.example', 'x', model => '</td></table><script>alert(2)</script>');
	SELECT steward.register_agent('</style></svg><iframe>', 'owner@acme.example', 'x');
	SELECT steward.register_service('watcher', 'owner@acme.example');
	SELECT steward.register_signal_source('watcher', 'watcher');
	SELECT steward.set_signal_rule('any', 'suspend', suspend_for => '1 hour');
	SELECT * FROM steward.report_signal('{"id": "1", "agent": "support-bot", "side": "prompt", "category": "jailbreak", "score": 1}', 'watcher');
	UPDATE steward.directory_user SET active = false WHERE user_name = 'callum.reid@acme.example';
	SELECT count(*) FROM steward.evaluate_controls();
	SELECT count(*) FROM steward.maintain();
});
my $dir = tempdir(CLEANUP => 1);
my $html = $node->safe_psql('postgres', 'SELECT steward.report_html()');
open(my $out, '>', "$dir/report.html") or die $!;
print $out $html;
close $out;

# Runs the browser on the page; its standard output.
sub browse
{
	my (@options) = @_;
	my $profile = tempdir(CLEANUP => 1);
	my ($stdout, $stderr) = ('', '');
	IPC::Run::run([ $chromium, '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-quic', '--no-first-run',
		'--disable-background-networking', '--disable-component-update', '--disable-sync', "--user-data-dir=$profile", '--hide-scrollbars',
		@options, "file://$dir/report.html" ], '>', \$stdout, '2>', \$stderr, IPC::Run::timeout(60));
	return $stdout;
}

# The elements of a page, in order, without their attributes.
sub elements { return [ map { lc } $_[0] =~ /<([a-zA-Z][a-zA-Z0-9]*)[\s>\/]/g ] }

my $dom = browse('--dump-dom');
is_deeply(elements($dom), elements($html), 'the browser mends nothing: it finds the elements that were written, in their order');
like($dom, qr/<title>Identity governance: &lt;script&gt;/, 'the name in the title is text, and no script ran');
my %seen = map { $_ => 1 } @{ elements($dom) };
ok(!$seen{$_}, "no element $_") for qw(script img iframe object embed link form);
unlike($dom, qr/<[^>"]*(?:"[^"]*"[^>"]*)*\son[a-z]+=/, 'no attribute that runs');

my %picture;
for my $scheme ([ 'light', 1 ], [ 'dark', 0 ])
{
	my ($name, $number) = @$scheme;
	browse("--blink-settings=preferredColorScheme=$number", '--window-size=1280,2400', "--screenshot=$dir/$name.png");
	$picture{$name} = -e "$dir/$name.png" ? slurp_file("$dir/$name.png") : '';
	cmp_ok(length $picture{$name}, '>', 50_000, "a picture in $name");
}
isnt($picture{light}, $picture{dark}, 'light and dark differ');
browse('--no-pdf-header-footer', "--print-to-pdf=$dir/report.pdf");
cmp_ok(-s "$dir/report.pdf" // 0, '>', 20_000, 'it prints');
$node->stop;
done_testing();
