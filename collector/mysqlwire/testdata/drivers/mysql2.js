const mysql = require('mysql2/promise');
(async () => {
  const c = await mysql.createConnection({host:'127.0.0.1', port:+process.argv[2], user:'app', password:'secret', database:'shop', multipleStatements:true});
  let [r] = await c.query('SELECT * FROM invoices WHERE tenant_id = ?', ['acme']); if (r.length!==2) throw 1;
  [r] = await c.execute('SELECT id, tenant_id FROM invoices WHERE tenant_id = ? AND id < ? AND amount > ?', ['acme', 100, 0.5]); if (r.length!==2) throw 2;
  [r] = await c.execute('SELECT id, tenant_id FROM invoices WHERE tenant_id = ? AND id < ? AND amount > ?', ['beta', 100, null]);
  await c.query("SELECT 1; SELECT tenant_id FROM invoices WHERE id=1");
  await c.query('CALL both_tables("beta")');
  await c.execute('CALL both_tables(?)', ['beta']);
  await c.execute('UPDATE invoices SET note=? WHERE org=?', ['n', Buffer.from('112233445566778899aabbccddeeff00','hex')]);
  await c.execute('SELECT tenant_id FROM invoices WHERE id = ? AND ? > NOW() - INTERVAL 1 DAY', [1, new Date()]);
  const all = await Promise.all([1,2,3].map(i => c.query('SELECT tenant_id FROM invoices WHERE id=?', [i])));
  await c.beginTransaction(); await c.rollback();
  await c.changeUser({database:'other'});
  try { await c.query('nonsense'); } catch (e) {}
  await c.ping();
  await c.end();
})().catch(e => { console.error(e); process.exit(1); });
