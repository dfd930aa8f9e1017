use DBI;
my $d = DBI->connect("DBI:MariaDB:database=shop;host=127.0.0.1;port=$ARGV[0]", "app", "secret", {RaiseError=>1, mariadb_server_prepare=>1});
my $s = $d->prepare("SELECT * FROM invoices WHERE tenant_id = ? AND id < ?"); 
for my $t ("acme","beta") { $s->execute($t, 10); $s->fetchall_arrayref; }
$d->do("UPDATE invoices SET note = ? WHERE id = ?", undef, "x", 1);
$s = $d->prepare("SELECT tenant_id FROM invoices", {mariadb_server_prepare=>0}); $s->execute; $s->fetchall_arrayref;
$d->disconnect;
