package mysqlwire

import "testing"

func TestExplore(t *testing.T) {
	server := startServer(t)
	base := capLongPassword | capConnectWithDB | capProtocol41 | capSecure | capPluginAuth | capAuthLenenc | capTransactions | capMultiStatements | capMultiResults | capPSMultiResults | capLocalFiles
	for _, more := range []capabilities{0} {
		c := dialRaw(t, server.socket, base|more)
		for _, q := range []string{
			"SELECT tenant_id FROM (SELECT id AS tenant_id FROM invoices) z WHERE tenant_id=1",
			"SELECT tenant_id FROM (SELECT id AS tenant_id FROM invoices LIMIT 1) z",
			"WITH x AS (SELECT id AS tenant_id FROM invoices) SELECT tenant_id FROM x WHERE tenant_id=1",
			"SELECT tenant_id FROM (SELECT id+1 AS tenant_id FROM invoices) z WHERE tenant_id=2",
			"SELECT tenant_id FROM (SELECT id+1 AS tenant_id FROM invoices LIMIT 1) z",
			"CREATE VIEW v3 AS SELECT id AS tenant_id, COUNT(*) n FROM invoices GROUP BY id",
			"SELECT tenant_id FROM v3",
			"SELECT z.tenant_id FROM invoices z WHERE id=1",
			"SELECT tenant_id FROM (SELECT tenant_id FROM invoices z WHERE id=1) y",
			"WITH RECURSIVE r AS (SELECT 1 AS tenant_id UNION ALL SELECT tenant_id+1 FROM r WHERE tenant_id<3) SELECT tenant_id FROM r",
			"SELECT a.tenant_id FROM invoices a LEFT JOIN (SELECT 5 AS tenant_id) b ON 1 WHERE a.id=1",
			"SELECT b.tenant_id FROM invoices a LEFT JOIN (SELECT 5 AS tenant_id) b ON 1 WHERE a.id=1",
			"SELECT id AS tenant_id FROM invoices GROUP BY tenant_id ORDER BY COUNT(*)",
			"VALUES (1)", "TABLE invoices",
			"SELECT TENANT_ID FROM invoices WHERE id=1",
		} {
			c.do("\x03" + q)
		}
		for _, l := range c.end() {
			t.Log(l)
		}
	}
}
