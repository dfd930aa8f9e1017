package mysqlwire

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tenantrace/collector/event"
)

// acmeRows are the rows of acme, as SELECT * gives them.
const acmeRows = invoiceColumns + ` (acme,11223344-5566-7788-99aa-bbccddeeff00) (acme,NULL) count=2`

// TestLive has clients of several kinds speak to a real server.
func TestLive(t *testing.T) {
	cert, key := certificate(t)
	server := startServer(t, "--ssl-cert="+cert, "--ssl-key="+key)
	for name, test := range map[string]func(*testing.T, *liveServer){
		"PyMySQL": livePyMySQL, "PyMySQL, TLS": livePyMySQLTLS, "mysqlclient": liveMySQLdb, "mysqlclient, compressed": liveCompressed, "mariadb": liveCLI, "go-sql-driver": liveGo,
		"by hand": liveRaw, "types": liveTypes, "drivers": liveDrivers, "origins": liveOrigins, "bulk": liveBulk, "sixteen megabytes": liveLarge,
	} {
		t.Run(name, func(t *testing.T) {
			server.admin(t, seed)
			test(t, server)
		})
	}
}

// client runs a client of the proxy.
func (w *wire) client(t *testing.T, name string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, name, args...)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%q: %v: %s", name, err, out)
	}
}

// python runs a program of Debian's Python; sys.argv has the host, the port and a folder.
func (w *wire) python(t *testing.T, module, debian, program string) {
	t.Helper()
	if _, err := os.Stat("/usr/lib/python3/dist-packages/" + module); errors.Is(err, os.ErrNotExist) {
		t.Skipf("%v (apt install %s)", err, debian)
	}
	host, port, _ := net.SplitHostPort(w.listener.Addr().String())
	w.client(t, "/usr/bin/python3", "-c", program, host, port, filepath.Dir(w.socket))
}

func livePyMySQL(t *testing.T, server *liveServer) {
	w := startWire(t, server.socket)
	w.python(t, "pymysql", "python3-pymysql", `
import pymysql, sys
from pymysql.constants import CLIENT
c = pymysql.connect(host=sys.argv[1], port=int(sys.argv[2]), user="app", password="secret", database="shop", client_flag=CLIENT.MULTI_STATEMENTS, local_infile=True)
k = c.cursor()
k.execute("SELECT * FROM invoices WHERE tenant_id = %s", ("acme",))
assert len(k.fetchall()) == 2
try:
    k.execute("SELECT nothing")
except pymysql.Error:
    c.rollback()
k.execute("UPDATE invoices SET note = 'b' WHERE tenant_id = 'acme'")
c.commit()
k.execute("SELECT 1; SELECT tenant_id FROM invoices WHERE id = 3; SET @tenant = 'acme'")
assert k.fetchall() == ((1,),)
assert k.nextset() and k.fetchall() == (("acme",),)
assert k.nextset() and not k.nextset()
k.callproc("both_tables", ("beta",))
assert k.fetchall() == ((2, "beta"),)
while k.nextset():
    pass
c.select_db("other")
k.execute("USE shop")
file = sys.argv[3] + "/rows"
with open(file, "w") as f:
    f.write("4\tgamma\n")
k.execute("LOAD DATA LOCAL INFILE '%s' INTO TABLE invoices (id, tenant_id)" % file)
c.commit()
s = pymysql.cursors.SSCursor(c)
s.execute("SELECT tenant_id FROM invoices ORDER BY id")
assert len(s.fetchall()) == 4
c.ping()
c.close()
`)
	got := w.stop(t)[1]
	w.checkLate(t, 1, true)
	recorded(t, "pymysql", w.calls[1])
	diff(t, got, []string{
		`started app@shop`, `ready I`,
		`statement 1 simple "SET AUTOCOMMIT = 0"`, `result 1/0 "OK 0" last`, `ready I`,
		`statement 2 simple "SELECT * FROM invoices WHERE tenant_id = 'acme'"`, `result 2/0 ` + acmeRows + ` last`, `ready T`,
		`statement 3 simple "SELECT nothing"`, `result 3/0 error=42S22 last`, `ready `,
		`statement 4 simple "ROLLBACK"`, `result 4/0 "OK 0" last`, `ready I`,
		`statement 5 simple "UPDATE invoices SET note = 'b' WHERE tenant_id = 'acme'"`, `result 5/0 "OK 2" last`, `ready T`,
		`statement 6 simple "COMMIT"`, `result 6/0 "OK 0" last`, `ready I`,
		`statement 7 simple "SELECT 1; SELECT tenant_id FROM invoices WHERE id = 3; SET @tenant = 'acme'"`,
		`result 7/0 count=1`, `result 7/1 tenant_id@shop.invoices (acme) count=1`, `result 7/2 "OK 0" last`, `ready T`,
		`statement 8 simple "SET @_both_tables_0='beta'"`, `result 8/0 "OK 0" last`, `ready T`,
		`statement 9 simple "CALL both_tables(@_both_tables_0)"`, `result 9/0 tenant_id[] (beta) count=2 last`, `ready T`,
		`database other`, `statement 10 simple "USE shop"`, `result 10/0 "OK 0" last`, `database shop`, `ready T`,
		`statement 11 simple "LOAD DATA LOCAL INFILE '` + server.dir + `/rows' INTO TABLE invoices (id, tenant_id)"`, `result 11/0 rowscut "OK 1" last`, `ready T`,
		`statement 12 simple "COMMIT"`, `result 12/0 "OK 0" last`, `ready I`,
		`statement 13 simple "SELECT tenant_id FROM invoices ORDER BY id"`, `result 13/0 tenant_id@shop.invoices (acme) (beta) (gamma) count=4 last`, `ready T`,
	})
}

// livePyMySQLTLS shows the socket of a client that uses TLS: nothing can be read on it.
func livePyMySQLTLS(t *testing.T, server *liveServer) {
	w := startWire(t, server.socket)
	w.python(t, "pymysql", "python3-pymysql", `
import pymysql, sys, ssl
c = pymysql.connect(host=sys.argv[1], port=int(sys.argv[2]), user="app", password="secret", database="shop", ssl={"verify_mode": ssl.CERT_NONE, "check_hostname": False})
k = c.cursor()
k.execute("SHOW STATUS LIKE 'Ssl_version'")
assert k.fetchone()[1].startswith("TLS")
c.close()
`)
	diff(t, w.stop(t)[1], []string{"unreadable tls"})
}

// liveMySQLdb has MariaDB's own client library.
func liveMySQLdb(t *testing.T, server *liveServer) {
	w := startWire(t, server.socket)
	w.python(t, "MySQLdb", "python3-mysqldb", `
import MySQLdb, MySQLdb.cursors, sys
from MySQLdb.constants import CLIENT
c = MySQLdb.connect(host=sys.argv[1], port=int(sys.argv[2]), user="app", passwd="secret", db="shop", client_flag=CLIENT.MULTI_STATEMENTS)
k = c.cursor()
k.execute("SELECT * FROM invoices WHERE tenant_id = %s", ("acme",))
assert len(k.fetchall()) == 2
k.executemany("INSERT INTO invoices (id, tenant_id) VALUES (%s, %s)", [(7, "acme"), (8, "beta")])
c.commit()
s = c.cursor(MySQLdb.cursors.SSCursor)
s.execute("SELECT tenant_id FROM invoices WHERE id > 6; SELECT 2")
assert len(s.fetchall()) == 2
while s.nextset():
    s.fetchall()
s.close()
c.change_user("app", "secret", "other")
c.select_db("shop")
c.close()
`)
	got := w.stop(t)[1]
	w.checkLate(t, 1, true)
	recorded(t, "mysqlclient", w.calls[1])
	text := strings.Join(got, "\n")
	for _, want := range []string{
		`started app@shop`, `"SELECT * FROM invoices WHERE tenant_id = 'acme'"`, acmeRows, `simple "INSERT INTO invoices (id, tenant_id) VALUES (7, 'acme'),(8, 'beta')"`, `"OK 2" last`,
		`tenant_id@shop.invoices (acme) (beta) count=2`, `/1 count=1 last`, `started app@other`, `database shop`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}

func liveCompressed(t *testing.T, server *liveServer) {
	w := startWire(t, server.socket)
	w.python(t, "MySQLdb", "python3-mysqldb", `
import MySQLdb, sys
c = MySQLdb.connect(host=sys.argv[1], port=int(sys.argv[2]), user="app", passwd="secret", db="shop", compress=True)
k = c.cursor()
k.execute("SHOW STATUS LIKE 'Compression'")
assert k.fetchone()[1] == "ON"
k.execute("SELECT * FROM invoices WHERE tenant_id = %s", ("acme",))
c.close()
`)
	diff(t, w.stop(t)[1], []string{`started app@shop`, `unreadable compressed`})
	for from := range w.calls[1] {
		if from <= 2 {
			continue
		}
		s, events := fresh(testConfig())
		s.Late(tick())
		run(s, w.calls[1][from:])
		diff(t, lines(*events), []string{"started unknown"})
	}
}

func liveCLI(t *testing.T, server *liveServer) {
	w := startWire(t, server.socket)
	host, port, _ := net.SplitHostPort(w.listener.Addr().String())
	w.client(t, "/usr/bin/mariadb", "--no-defaults", "--skip-ssl", "--host="+host, "--port="+port, "--user=app", "--password=secret", "shop", "-e",
		"SELECT tenant_id FROM invoices; use other; SELECT who FROM shop.open WHERE id = 1; ALTER TABLE shop.invoices FORCE")
	got := w.stop(t)[1]
	w.checkLate(t, 1, true)
	text := strings.Join(got, "\n")
	for _, want := range []string{`started app@shop`, `tenant_id@shop.invoices (acme) (beta) count=3 last`, `database other`, `simple "ALTER TABLE shop.invoices FORCE"`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}

// liveGo has github.com/go-sql-driver/mysql, in a module of its own, with the server's prepared statements and with values put into the text.
func liveGo(t *testing.T, server *liveServer) {
	binary := filepath.Join(t.TempDir(), "gosqldriver")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Dir = "testdata/gosqldriver"
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s [its modules come from the module proxy or the module cache]", err, out)
	}
	for mode, wants := range map[string][]string{
		"interpolateParams=false": {
			`"SELECT tenant_id, org FROM invoices WHERE id = ?" $1=1`, invoiceColumns + ` (acme,11223344-5566-7788-99aa-bbccddeeff00) count=1 last`,
			`"SELECT id FROM invoices WHERE tenant_id = ? AND id < ?" $1=acme $2=3`, `"SELECT id FROM invoices WHERE tenant_id = ? AND id < ?" $1=beta $2=3`,
			`simple "START TRANSACTION"`, `ready T`, `"UPDATE invoices SET note = ? WHERE org = ? AND note IS NOT NULL" $1=NULL $2=11223344-5566-7788-99aa-bbccddeeff00`, `"OK 1" last`,
		},
		"interpolateParams=true": {
			`simple "SELECT tenant_id, org FROM invoices WHERE id = 1"`, invoiceColumns + ` (acme,11223344-5566-7788-99aa-bbccddeeff00) count=1 last`,
			`"SELECT id FROM invoices WHERE tenant_id = ? AND id < ?" $1=acme $2=3`, `"OK 1" last`,
		},
	} {
		w := startWire(t, server.socket)
		w.client(t, binary, w.listener.Addr().String(), mode)
		got := w.stop(t)[1]
		w.checkLate(t, 1, true)
		recorded(t, "go-sql-driver-"+strings.TrimPrefix(mode, "interpolateParams="), w.calls[1])
		text := strings.Join(got, "\n")
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %s in\n%s", mode, want, text)
			}
		}
	}
}

// checkAll compares what was seen with what must have been, without the states of transactions.
func checkAll(t *testing.T, got, want []string) {
	t.Helper()
	diff(t, slices.DeleteFunc(got, func(l string) bool { return strings.HasPrefix(l, "ready") }), want)
}

// countOf counts the events of a type.
func countOf[E event.Event](events []event.Event) (n int) {
	for _, e := range events {
		if _, ok := e.(E); ok {
			n++
		}
	}
	return n
}
