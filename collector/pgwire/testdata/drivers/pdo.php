<?php
// PDO's pgsql: pdo.php PORT
$db = new PDO("pgsql:host=127.0.0.1;port=$argv[1];dbname=postgres;sslmode=disable", "app", "", [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
$db->exec("INSERT INTO bills (id, tenant_id) VALUES (1, 'acme'), (2, 'beta')");
$byTenant = $db->prepare("SELECT id, tenant_id FROM bills WHERE tenant_id = ? AND id > ?");
foreach (["acme", "beta"] as $tenant) {
    $byTenant->execute([$tenant, 0]);
    $byTenant->fetchAll();
}
$db->beginTransaction();
try {
    $db->query("SELECT nothing");
} catch (PDOException $e) {
    $db->rollBack();
}
$emulated = $db->prepare("SELECT tenant_id FROM bills WHERE note IS NOT DISTINCT FROM :note", [PDO::ATTR_EMULATE_PREPARES => true]);
$emulated->execute(["note" => null]);
$emulated->fetchAll();
$unnamed = $db->prepare("SELECT org, tenant_id FROM bills WHERE id = :id", [PDO::PGSQL_ATTR_DISABLE_PREPARES => true]);
$unnamed->execute(["id" => 2]);
$unnamed->fetchAll();
$db->pgsqlCopyFromArray("bills", ["3\tacme\t\\N\t\\N"]);
$db->pgsqlCopyToArray("bills");
