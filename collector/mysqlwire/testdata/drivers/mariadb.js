const mariadb = require('mariadb');
(async () => {
  const c = await mariadb.createConnection({host:'127.0.0.1', port:+process.argv[2], user:'app', password:'secret', database:'shop', multipleStatements:true});
  let r = await c.query('SELECT * FROM invoices WHERE tenant_id = ?', ['acme']); if (r.length!==2) throw 1;
  r = await c.execute('SELECT id, tenant_id FROM invoices WHERE tenant_id = ? AND id < ?', ['acme', 100]); if (r.length!==2) throw 2;
  r = await c.execute('SELECT id, tenant_id FROM invoices WHERE tenant_id = ? AND id < ?', ['beta', 100n]);
  await c.batch('INSERT INTO invoices (id, tenant_id) VALUES (?, ?)', [[100,'acme'],[101,'beta'],[102,null]]);
  await Promise.all([1,2,3,100].map(i => c.query('SELECT tenant_id FROM invoices WHERE id=?', [i])));
  await Promise.all([1,2,3].map(i => c.execute('SELECT tenant_id, id FROM invoices WHERE id=? AND 1=1', [i])));
  await c.query('CALL both_tables("beta")');
  await c.query("SELECT 1; SELECT tenant_id FROM invoices WHERE id=1");
  await c.beginTransaction(); await c.rollback();
  try { await c.query('nonsense'); } catch (e) {}
  await c.reset();
  await c.changeUser({user:'app', password:'secret', database:'other'});
  await c.query('SELECT tenant_id FROM shop.invoices WHERE id=2');
  await c.ping();
  await c.end();
})().catch(e => { console.error(e); process.exit(1); });
