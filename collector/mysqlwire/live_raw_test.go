package mysqlwire

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tenantrace/collector/event"
)

// plain are the capabilities that every client of today has.
const plain = capLongPassword | capConnectWithDB | capProtocol41 | capSecure | capPluginAuth | capAuthLenenc | capTransactions | capMultiStatements | capMultiResults | capPSMultiResults |
	capLocalFiles

// variants are logins that change how the server answers.
var variants = map[string]capabilities{
	"plain":           plain,
	"deprecate-eof":   plain | capDeprecateEOF,
	"session-track":   plain | capDeprecateEOF | capSessionTrack,
	"mariadb":         plain&^capLongPassword | capSessionTrack | capMariaProgress | capMariaBulk,
	"mariadb-caching": plain&^capLongPassword | capDeprecateEOF | capMariaExtended | capMariaCache | capMariaBulk,
}

// liveRaw runs the same commands with each login: what is seen is the same.
func liveRaw(t *testing.T, server *liveServer) {
	for name, caps := range variants {
		server.admin(t, seed)
		c := dialRaw(t, server.socket, caps)
		c.do("\x03" + selectAll + " WHERE tenant_id = 'acme'")
		c.do("\x16" + selectAll + " WHERE tenant_id = ? AND id <= ? AND amount > ?")
		id := c.lastPrepared()
		for i, tenant := range []string{"acme", "beta", "acme"} {
			c.do(executionOf(id, i != 2, text(tenant), int64Of(3), bind{kind: typeDouble, value: "\x00\x00\x00\x00\x00\x00\xf8\x3f"}))
		}
		c.do("\x17" + le(uint64(id), 4) + "\x01" + le(1, 4) + values(true, "", text("acme"), int64Of(3), bind{kind: typeTiny, value: "\x00"})) // with a cursor
		c.do("\x1c" + le(uint64(id), 4) + le(1, 4))
		c.do("\x1c" + le(uint64(id), 4) + le(5, 4))
		c.do("\x1a" + le(uint64(id), 4))
		c.write(packet(0, "\x19"+le(uint64(id), 4)))
		c.do("\x16CALL both_tables(?)")
		c.do(executionOf(c.lastPrepared(), true, text("beta")))
		c.do("\x16INSERT INTO invoices (id, tenant_id) VALUES (?, ?)")
		id = c.lastPrepared()
		c.write(packet(0, "\x18"+le(uint64(id), 4)+le(1, 2)+"gam"))
		c.write(packet(0, "\x18"+le(uint64(id), 4)+le(1, 2)+"ma"))
		c.do(executionOf(id, true, int64Of(9), bind{kind: typeBlob}))
		c.do("\x16nonsense")
		c.do("\x03SELECT 1; UPDATE invoices SET note = 'n' WHERE id = 9; SELECT tenant_id FROM invoices WHERE id = 9")
		c.do("\x03BEGIN")
		c.do("\x03SET @x = 1")
		c.do("\x03ROLLBACK")
		c.do("\x02other")
		c.do("\x03USE shop")
		c.do("\x0e")
		c.do("\x09")
		c.do("\x0d")
		c.do("\x0a")
		c.do("\x1b\x01\x00")
		c.do("\x04invoices\x00")
		c.do("\x03SELECT 1; SELECT 2") // no more: COM_SET_OPTION
		c.do("\x1f")
		c.do(executionOf(id, false))
		c.do("\x03SELECT 3")
		got := c.end()
		recorded(t, name, c.calls)
		tracked := []string(nil)
		if caps&capSessionTrack != 0 {
			tracked = []string{`database shop`}
		}
		prepared := `"SELECT * FROM invoices WHERE tenant_id = ? AND id <= ? AND amount > ?"`
		t.Run(name, func(t *testing.T) {
			// What is tracked at the login differs with the server.
			got := slices.DeleteFunc(got, func(l string) bool { return l == `database shop` })
			checkAll(t, got, []string{
				`started app@shop`, `statement 1 simple "SELECT * FROM invoices WHERE tenant_id = 'acme'"`, `result 1/0 ` + acmeRows + ` last`,
				`statement 2 ` + prepared + ` $1=acme $2=3 $3=1.5`, `result 2/0 ` + invoiceColumns + ` (acme,NULL) count=1 last`,
				`statement 3 ` + prepared + ` $1=beta $2=3 $3=1.5`, `result 3/0 ` + invoiceColumns + ` last`,
				`statement 4 ` + prepared + ` $1=acme $2=3 $3=1.5`, `result 4/0 ` + invoiceColumns + ` (acme,NULL) count=1 last`,
				`statement 5 ` + prepared + ` $1=acme $2=3 $3=0`, `result 5/0 ` + invoiceColumns + ` suspend last`,
				`statement 6 ` + prepared + ` resumed $1=acme $2=3 $3=0`, `result 6/0 ` + invoiceColumns + ` (acme,11223344-5566-7788-99aa-bbccddeeff00) count=1 suspend last`,
				`statement 7 ` + prepared + ` resumed $1=acme $2=3 $3=0`, `result 7/0 ` + invoiceColumns + ` (acme,NULL) count=1 last`,
				`statement 8 "CALL both_tables(?)" $1=beta`, `result 8/0 tenant_id[] (beta) count=2 last`,
				`statement 9 "INSERT INTO invoices (id, tenant_id) VALUES (?, ?)" $1=9 $2=gamma`, `result 9/0 "OK 1" last`,
				`statement 10 simple "SELECT 1; UPDATE invoices SET note = 'n' WHERE id = 9; SELECT tenant_id FROM invoices WHERE id = 9"`,
				`result 10/0 count=1`, `result 10/1 "OK 1"`, `result 10/2 tenant_id@shop.invoices (gamma) count=1 last`,
				`statement 11 simple "BEGIN"`, `result 11/0 "OK 0" last`, `statement 12 simple "SET @x = 1"`, `result 12/0 "OK 0" last`, `statement 13 simple "ROLLBACK"`, `result 13/0 "OK 0" last`,
				`database other`, `statement 14 simple "USE shop"`, `result 14/0 "OK 0" last`,
				`statement 15 simple "SELECT 1; SELECT 2"`, `result 15/0 error=42000 last`,
				`started app@shop`, `statement 16 "" notext`, `result 16/0 error=HY000 last`, `statement 17 simple "SELECT 3"`, `result 17/0 count=1 last`,
			})
			if n := countOf[*event.SessionDatabase](c.events); n < 1+len(tracked) {
				t.Errorf("%d changes of the database", n)
			}
		})
	}
}

// lastPrepared gives the number of the statement that was prepared last.
func (c *rawClient) lastPrepared() uint32 {
	c.t.Helper()
	if c.s.prepared.last == nil {
		c.t.Fatalf("nothing was prepared:\n%s", strings.Join(lines(c.events), "\n"))
	}
	return c.s.prepared.last.id
}

// liveBulk has what only MariaDB's clients send: many sets of parameters at once, and a statement that is executed before it is known to be prepared.
func liveBulk(t *testing.T, server *liveServer) {
	c := dialRaw(t, server.socket, plain&^capLongPassword|capMariaBulk)
	c.do("\x16INSERT INTO invoices (id, tenant_id) VALUES (?, ?)")
	id := c.lastPrepared()
	c.do("\xfa" + le(uint64(id), 4) + le(bulkTypes, 2) + "\x08\x00\xfd\x00" + "\x00" + le(20, 8) + "\x00" + lenenc("acme") + "\x00" + le(21, 8) + "\x00" + lenenc("beta") + "\x00" + le(22, 8) + "\x01")
	c.do("\xfa" + le(uint64(id), 4) + le(0, 2) + "\x00" + le(23, 8) + "\x00" + lenenc("acme") + "\x00" + le(24, 8) + "\x00" + lenenc("acme"))
	c.do("\x16SELECT tenant_id FROM invoices WHERE id = ? AND note <> '?'", executionOf(lastPrepared, true, int64Of(1)))
	c.do("\x16DO 1", executionOf(lastPrepared, false), "\x03SELECT 1")
	got := c.end()
	recorded(t, "bulk", c.calls)
	insert := `"INSERT INTO invoices (id, tenant_id) VALUES (?, ?)"`
	checkAll(t, got, []string{
		`started app@shop`,
		`statement 1 ` + insert + ` $1=? $2=? set $1=20 $2=acme set $1=21 $2=beta set $1=22 $2=NULL`, `result 1/0 "OK 3" last`,
		`statement 2 ` + insert + ` $1=? $2=acme set $1=23 $2=acme set $1=24 $2=acme`, `result 2/0 "OK 2" last`,
		`statement 3 "SELECT tenant_id FROM invoices WHERE id = ? AND note <> '?'" $1=1`, `result 3/0 tenant_id@shop.invoices (acme) count=1 last`,
		`statement 4 "DO 1"`, `statement 5 simple "SELECT 1"`, `result 4/0 "OK 0" last`, `result 5/0 count=1 last`,
	})
}

// liveOrigins looks at where the server says that columns come from.
func liveOrigins(t *testing.T, server *liveServer) {
	c := dialRaw(t, server.socket, plain)
	var want []string
	for i, q := range []struct{ text, columns string }{
		{"SELECT i.tenant_id FROM invoices i WHERE id = 1", "tenant_id@shop.invoices (acme)"},
		{"SELECT TENANT_ID AS t FROM shop.invoices WHERE id = 1", "t<tenant_id@shop.invoices (acme)"},
		{"SELECT tenant_id FROM invoices GROUP BY tenant_id ORDER BY COUNT(*)", "tenant_id@shop.invoices (beta) (acme)"},
		{"SELECT tenant_id, ROW_NUMBER() OVER (ORDER BY id) r FROM invoices WHERE id = 1", "tenant_id@shop.invoices (acme)"},
		{"INSERT INTO invoices (id, tenant_id) VALUES (10, 'acme') RETURNING tenant_id", "tenant_id@shop.invoices (acme)"},
		{"SELECT id AS tenant_id FROM invoices WHERE id = 1", "tenant_id@shop.invoices[id] (1)"},
		{"SELECT tenant_id FROM renamed WHERE tenant_id = 1", "tenant_id@shop.renamed (1)"}, // a view has the columns that it says it has
		{"SELECT who AS tenant_id FROM open WHERE id = 1", "tenant_id@shop.open[who] (acme)"},
		{"SELECT MAX(tenant_id) AS tenant_id FROM invoices", "tenant_id[] (beta)"},
		{"SELECT tenant_id FROM invoices WHERE id = 1 UNION SELECT tenant_id FROM invoices WHERE id = 2", "tenant_id[] (acme) (beta)"},
		// MariaDB calls by the alias what a derived table makes of another column.
		{"SELECT tenant_id FROM (SELECT id AS tenant_id FROM invoices) z WHERE tenant_id = 1", "tenant_id[] (1)"},
		{"SELECT tenant_id FROM (SELECT id AS tenant_id FROM invoices WHERE id = 1 LIMIT 1) z", "tenant_id[] (1)"},
		{"WITH invoices AS (SELECT id AS tenant_id FROM shop.invoices) SELECT tenant_id FROM invoices WHERE tenant_id = 1", "tenant_id[] (1)"},
		{"WITH z (tenant_id) AS (SELECT id FROM invoices) SELECT tenant_id FROM z WHERE tenant_id = 1", "tenant_id[] (1)"},
	} {
		c.do("\x03" + q.text)
		want = append(want, fmt.Sprintf("statement %d simple %q", i+1, q.text), fmt.Sprintf("result %d/0 %s count=%d last", i+1, q.columns, strings.Count(q.columns, " (")))
	}
	c.do("\x03DELETE FROM invoices WHERE id = 10")
	got := c.end()
	checkAll(t, got, append(append([]string{`started app@shop`}, want...), `statement 15 simple "DELETE FROM invoices WHERE id = 10"`, `result 15/0 "OK 1" last`))
}

// liveLarge sends and receives messages that take more than one packet.
func liveLarge(t *testing.T, server *liveServer) {
	c := dialRaw(t, server.socket, plain)
	for _, size := range []int{maxPayload - 1, maxPayload, maxPayload + 1} {
		head := "\x03SELECT tenant_id, '"
		tail := "' AS big FROM invoices WHERE id = 1"
		c.do(head + strings.Repeat("b", size-len(head)-len(tail)) + tail)
	}
	c.do("\x03SELECT REPEAT('b', 17000000) AS big, tenant_id FROM invoices WHERE id < 3")
	var got []string
	for _, l := range c.end() {
		if strings.HasPrefix(l, "result") {
			got = append(got, l)
		}
	}
	diff(t, got, []string{
		// A text that is not wholly known may make a table of any name.
		`result 1/0 tenant_id[] (acme) count=1 last`, `result 2/0 tenant_id[] (acme) count=1 last`, `result 3/0 tenant_id[] (acme) count=1 last`,
		`result 4/0 tenant_id@shop.invoices (acme) (beta) count=2 last`,
	})
}
