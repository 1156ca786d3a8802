# A logical replication worker fires no statement trigger; people come and go by it all the same, once each, and what a
# disabled statement trigger misses is done as well.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Steward;

my $hr = PostgreSQL::Test::Cluster->new('hr');
$hr->init(allows_streaming => 'logical');
$hr->start;
my $node = new_server('node');
$node->start;
set_up($node, 'acme');

# The publisher has tables of the same shape, without anything of steward.
my $ids = $node->safe_psql('acme', q{
	INSERT INTO steward.directory (org_id, name) SELECT id, 'hr' FROM steward.organization RETURNING org_id, id;
});
my ($org, $dir) = split /\|/, (split /\n/, $ids)[0];
$hr->safe_psql('postgres', qq{
	CREATE SCHEMA steward;
	CREATE TABLE steward.directory_user (org_id uuid, id uuid DEFAULT gen_random_uuid(), directory_id uuid, external_id text, user_name text,
		active boolean DEFAULT true, department text, PRIMARY KEY (org_id, id));
	CREATE TABLE steward.directory_group (org_id uuid, id uuid DEFAULT gen_random_uuid(), directory_id uuid, external_id text, display_name text, PRIMARY KEY (org_id, id));
	CREATE TABLE steward.directory_member (org_id uuid, group_id uuid, user_id uuid, PRIMARY KEY (org_id, group_id, user_id));
	CREATE PUBLICATION people FOR ALL TABLES;
	INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name) SELECT '$org', '$dir', n, n FROM unnest(ARRAY['ann', 'bob']) n;
	INSERT INTO steward.directory_group (org_id, directory_id, external_id, display_name) VALUES ('$org', '$dir', 'g', 'Admins');
});
my $connect = $hr->connstr . ' dbname=postgres';
$node->safe_psql('acme', qq{
	INSERT INTO steward.birthright_rule (org_id, name, attribute, value, scopes) VALUES ('$org', 'admins', 'group', 'Admins', 'admin:all');
	INSERT INTO steward.birthright_rule (org_id, name, attribute, value, scopes) VALUES ('$org', 'sales', 'department', 'Sales', 'crm:read');
	CREATE SUBSCRIPTION hr CONNECTION '$connect' PUBLICATION people;
});
$node->wait_for_subscription_sync($hr, 'hr', 'acme');

sub follow
{
	my ($sql) = @_;
	$hr->safe_psql('postgres', $sql);
	$hr->wait_for_catchup('hr');
	return;
}
my $story = q{SELECT string_agg(person || ' ' || kind || ' ' || cause, ', ' ORDER BY id) FROM steward.lifecycle_event};
my $access = q{SELECT string_agg(p.user_name || ' ' || g.scopes::text, ', ' ORDER BY p.user_name, g.scopes::text) FROM steward.scope_grant g
	JOIN steward.principal p ON p.org_id = g.org_id AND p.id = g.principal_id WHERE g.ends_at > now() AND g.source = 'birthright'};

is($node->safe_psql('acme', q{SELECT string_agg(user_name || ' ' || state, ', ' ORDER BY user_name) FROM steward.principal}),
	'ann active, bob active', 'the initial copy makes joiners');

follow(qq{INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name) VALUES ('$org', '$dir', 'cyd', 'cyd')});
follow(q{UPDATE steward.directory_user SET department = 'Sales' WHERE user_name = 'cyd'});
follow(q{INSERT INTO steward.directory_member SELECT u.org_id, g.id, u.id FROM steward.directory_user u, steward.directory_group g WHERE u.user_name = 'cyd'});
is($node->safe_psql('acme', $story), 'ann joiner added, bob joiner added, cyd joiner added, cyd mover changed, cyd mover membership', 'joiner and movers, once each');
is($node->safe_psql('acme', $access), 'cyd admin:all, cyd crm:read', 'birthrights of department and group');

follow(q{UPDATE steward.directory_group SET display_name = 'Users'});
is($node->safe_psql('acme', $access), 'cyd crm:read', 'a renamed group gives nothing');
follow(q{UPDATE steward.directory_group SET display_name = 'Admins'});
follow(q{DELETE FROM steward.directory_member});
is($node->safe_psql('acme', $access), 'cyd crm:read', 'nor does one that somebody left');

$node->safe_psql('acme', q{CREATE TABLE public.keys AS SELECT 'cyd' AS name, k.secret FROM steward.issue_key('cyd', 'crm:read') k});
is(allowed($node, 'acme', 'cyd'), 'ok', 'the key opens');
follow(q{UPDATE steward.directory_user SET active = false WHERE user_name = 'cyd'});
is(allowed($node, 'acme', 'cyd'), 'revoked', 'and is dead when the worker has applied the leaver');
follow(q{UPDATE steward.directory_user SET active = true WHERE user_name = 'cyd'});
follow(q{DELETE FROM steward.directory_user WHERE user_name IN ('ann', 'cyd')});
is($node->safe_psql('acme', q{SELECT string_agg(person || ' ' || kind || ' ' || cause, ', ' ORDER BY id) FROM steward.lifecycle_event WHERE kind IN ('leaver', 'rehire')
	AND person = 'cyd'}), 'cyd leaver deactivated, cyd rehire activated, cyd leaver deleted', 'leaver, rehire, deleted');
is($node->safe_psql('acme', q{SELECT string_agg(user_name || ' ' || state, ', ' ORDER BY user_name) FROM steward.principal}),
	'ann offboarded, bob active, cyd offboarded', 'who is left');

# Somebody disables a statement trigger: the deferred one does its work at commit, and another statement trigger that did
# fire in the same transaction changes nothing about that.
$node->safe_psql('acme', q{ALTER SUBSCRIPTION hr DISABLE; ALTER TABLE steward.directory_user DISABLE TRIGGER lifecycle_update});
$node->safe_psql('acme', qq{
	BEGIN;
	INSERT INTO steward.directory_user (org_id, directory_id, external_id, user_name) VALUES ('$org', '$dir', 'dan', 'dan');
	UPDATE steward.directory_user SET active = false WHERE user_name = 'bob';
	SAVEPOINT s;
	UPDATE steward.directory_user SET active = false WHERE user_name = 'dan';
	ROLLBACK TO s;
	COMMIT;
});
is($node->safe_psql('acme', q{SELECT string_agg(user_name || ' ' || state, ', ' ORDER BY user_name) FROM steward.principal WHERE user_name IN ('bob', 'dan')}),
	'bob offboarded, dan active', 'each change has its effects, and none that was rolled back');
is($node->safe_psql('acme', q{SELECT count(*) FROM steward.health WHERE status = 'critical'}), '1', 'and health tells');

$node->stop;
$hr->stop;
done_testing();
