require 'mysql2'
c = Mysql2::Client.new(host: '127.0.0.1', port: ARGV[0].to_i, username: 'app', password: 'secret', database: 'shop', connect_flags: Mysql2::Client::MULTI_STATEMENTS)
raise unless c.query("SELECT * FROM invoices WHERE tenant_id = 'acme'").to_a.size == 2
s = c.prepare("SELECT id, tenant_id, org FROM invoices WHERE tenant_id = ? AND id < ?")
%w[acme beta].each { |t| s.execute(t, 10).to_a }
s.close
c.query("SELECT tenant_id FROM invoices; SELECT 2").to_a
c.store_result.to_a while c.next_result
c.select_db('other')
c.close
