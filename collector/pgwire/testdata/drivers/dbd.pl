# DBD::Pg: dbd.pl PORT
use strict;
use warnings;
use DBI;

my $db = DBI->connect("dbi:Pg:host=127.0.0.1;port=$ARGV[0];dbname=postgres;sslmode=disable", "app", "", {RaiseError => 1, PrintError => 0, AutoCommit => 0});
$db->do("INSERT INTO bills (id, tenant_id, note) VALUES (?, ?, ?)", undef, 1, "acme", "a");
my $by_tenant = $db->prepare("SELECT id, tenant_id, note FROM bills WHERE tenant_id = ? ORDER BY id");
for my $tenant ("acme", "beta", "acme") {
	$by_tenant->execute($tenant);
	$by_tenant->fetchall_arrayref;
}
eval { $db->do("SELECT nothing FROM bills") };
$db->rollback;
$db->do("INSERT INTO bills (id, tenant_id) VALUES (2, 'beta'); UPDATE bills SET note = NULL WHERE tenant_id = 'beta'");
$db->commit;
$db->do("COPY bills (id, tenant_id) FROM STDIN");
$db->pg_putcopydata("3\tacme\n");
$db->pg_putcopyend;
$db->commit;
$db->selectall_arrayref("SELECT tenant_id, org FROM bills");
$db->rollback;
$db->disconnect;
