# ruby-pg: pg.rb PORT
require "pg"

c = PG.connect(host: "127.0.0.1", port: ARGV[0], dbname: "postgres", user: "app", sslmode: "disable")
c.exec_params("INSERT INTO bills (id, tenant_id, org) VALUES ($1, $2, $3)", [1, "acme", "11223344-5566-7788-99aa-bbccddeeff00"])
c.prepare("by tenant", "SELECT id, tenant_id, org FROM bills WHERE tenant_id = $1")
%w[acme beta acme].each { |tenant| c.exec_prepared("by tenant", [tenant]).values }
c.exec_params("SELECT tenant_id FROM bills WHERE id = $1::int8", [{ value: [1].pack("q>"), format: 1, type: 20 }], 1).values
c.exec("SELECT 1; SELECT tenant_id FROM bills; UPDATE bills SET note = 'n'")
begin
  c.transaction do
    c.exec("INSERT INTO bills (id, tenant_id) VALUES (2, 'beta')")
    c.exec("SELECT nothing")
  end
rescue PG::Error
end
c.set_single_row_mode if c.send_query("SELECT tenant_id FROM bills").nil?
while (r = c.get_result)
  r.check
end
c.copy_data("COPY bills (id, tenant_id) FROM STDIN") { c.put_copy_data("3\tbeta\n") }
c.copy_data("COPY bills (tenant_id) TO STDOUT") { nil while c.get_copy_data }
c.exec("LISTEN news")
c.exec("NOTIFY news, 'Z'")
c.wait_for_notify(5)
c.exec("DEALLOCATE \"by tenant\"")
c.close
