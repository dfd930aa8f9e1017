package mysqlwire

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// python runs a program of Debian's Python against the proxy, whose address is in sys.argv[1] and sys.argv[2].
func python(t *testing.T, w *wire, module, pkg, program string) {
	t.Helper()
	if _, err := os.Stat("/usr/lib/python3/dist-packages/" + module); err != nil {
		t.Skipf("%v (apt install %s)", err, pkg)
	}
	host, port, _ := net.SplitHostPort(w.listener.Addr().String())
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "/usr/bin/python3", "-c", program, host, port, filepath.Dir(w.socket)).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func TestLivePyMySQL(t *testing.T) {
	server := startServer(t)
	w := startWire(t, server.socket)
	python(t, w, "pymysql", "python3-pymysql", `
import pymysql, sys
from pymysql.constants import CLIENT
c = pymysql.connect(host=sys.argv[1], port=int(sys.argv[2]), user="app", password="secret", database="shop", client_flag=CLIENT.MULTI_STATEMENTS, local_infile=True)
k = c.cursor()
k.execute("SELECT * FROM invoices WHERE tenant_id = %s", ("acme",))
assert len(k.fetchall()) == 2
k.execute("SELECT who, id FROM open WHERE id = 2")
assert k.fetchall() == (("beta", 2),)
k.execute("SELECT i.tenant_id AS t, u.tenant_id FROM invoices i JOIN (SELECT tenant_id FROM invoices UNION SELECT 'gamma') u ON u.tenant_id = i.tenant_id WHERE i.id = 1")
assert k.fetchall() == (("acme", "acme"),)
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
    f.write("4\tgamma\n" * 1)
k.execute("LOAD DATA LOCAL INFILE '%s' INTO TABLE invoices (id, tenant_id)" % file)
c.commit()
s = pymysql.cursors.SSCursor(c)
s.execute("SELECT tenant_id FROM invoices ORDER BY id")
assert len(s.fetchall()) == 4
c.ping()
c.close()
`)
	got := w.stop(t)[1]
	w.checkLate(t, 1)
	diff(t, got, []string{
		`started app@shop`, `ready I`,
		`statement 1 simple "SET AUTOCOMMIT = 0"`, `result 1/0 "OK 0" last`, `ready I`,
		`statement 2 simple "SELECT * FROM invoices WHERE tenant_id = 'acme'"`,
		`result 2/0 tenant_id@shop.invoices org@shop.invoices (acme,11223344-5566-7788-99aa-bbccddeeff00) (acme,NULL) count=2 last`, `ready T`,
	})
	_ = fmt.Sprint
	_ = strings.Join
}
