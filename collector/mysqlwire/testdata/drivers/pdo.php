<?php
$p = new PDO("mysql:host=127.0.0.1;port={$argv[1]};dbname=shop", "app", "secret", [PDO::ATTR_EMULATE_PREPARES => (bool)$argv[2], PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
$s = $p->prepare("SELECT * FROM invoices WHERE tenant_id = ? AND id < ?");
foreach (["acme", "beta"] as $t) { $s->execute([$t, 10]); $s->fetchAll(); }
$p->beginTransaction(); $p->exec("UPDATE invoices SET note = 'p' WHERE id = 1"); $p->commit();
