package pgwire

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"tenantrace/collector/event"
)

const bills = `CREATE TABLE bills (id int8, tenant_id text, org uuid, note text)`

// driver is a client of PostgreSQL, and what its session must show.
type driver struct {
	name, needs string // a file of the package that is to be installed, and the package's name
	install     string
	command     func(t *testing.T, url string) *exec.Cmd // nil: no other process
	want        []string
}

// program is a command of a folder below testdata, which is given the port.
func program(needed string, args ...string) func(*testing.T, string) *exec.Cmd {
	return func(t *testing.T, address string) *exec.Cmd {
		if out, err := exec.Command(args[0], strings.Fields(needed)...).CombinedOutput(); needed != "" && err != nil {
			t.Skipf("%v: %s", err, out)
		}
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		c := exec.Command(args[0], append(args[1:], u.Port())...)
		c.Dir = "testdata/drivers"
		return c
	}
}

func python(script string) func(*testing.T, string) *exec.Cmd {
	return func(t *testing.T, url string) *exec.Cmd {
		return exec.Command("/usr/bin/python3", filepath.Join("testdata", script), url)
	}
}

var drivers = []driver{
	{"psycopg2", "/usr/lib/python3/dist-packages/psycopg2", "python3-psycopg2", python("copy_psycopg2.py"), []string{
		`tenant_id (acme) (beta) copy=in "COPY 2"`, `tenant_id (gamma) copy=in "COPY 1"`, `tenant_id (acme) (beta) (gamma) copy=out "COPY 3"`, `"SELECT 2"`,
	}},
	{"psycopg", "/usr/lib/python3/dist-packages/psycopg", "python3-psycopg", python("copy_psycopg.py"), []string{
		`tenant_id (acme) (be` + "\tta\\) copy=in \"COPY 2\"", `tenant_id (delta) copy=in "COPY 3"`, `tenant_id (acme) (be` + "\tta\\) (delta) copy=query",
		`$1:1009={"acme","x\"y"}`, `={"1","70000"}`, `WHERE id = $1" $1:21=11`,
	}},
	{"asyncpg", "/usr/lib/python3/dist-packages/asyncpg", "python3-asyncpg", python("copy_asyncpg.py"), []string{
		`tenant_id (acme) (NULL) copy=in "COPY 2"`, `$1:1009={"acme","beta"}`, `$1:2951={"11223344-5566-7788-99aa-bbccddeeff00"}`, `$1:1016={"1",NULL,"2"}`, `suspend`, `resumed`,
	}},
	{"pg8000", "/usr/lib/python3/dist-packages/pg8000", "python3-pg8000", python("copy_pg8000.py"), []string{
		`tenant_id (acme) (be,ta) copy=in "COPY 2"`, `(be,ta) copy=out`, `$1:705=acme`,
	}},
	{"libpq", "/usr/include/postgresql/libpq-fe.h", "libpq-dev gcc", func(t *testing.T, url string) *exec.Cmd {
		bin := filepath.Join(t.TempDir(), "copy")
		if out, err := exec.Command("gcc", "-Wall", "-I/usr/include/postgresql", "-o", bin, "testdata/copy_libpq.c", "-lpq").CombinedOutput(); err != nil {
			t.Fatalf("gcc: %v: %s", err, out)
		}
		return exec.Command(bin, url)
	}, []string{
		`tenant_id org (acme,NULL) (beta,NULL) copy=in "COPY 2"`, `copy=in error=57014`, `$1:0=acme`, `skipped`,
	}},
	{"psql", "/usr/bin/psql", "postgresql-client", func(t *testing.T, url string) *exec.Cmd {
		c := exec.Command("/usr/bin/psql", "-qX", "-v", "ON_ERROR_STOP=1", url, "-c", `\copy bills (id, tenant_id) from pstdin csv`, "-c", `\copy bills (tenant_id) to pstdout`)
		c.Stdin = strings.NewReader("61,acme\n62,\"ze\"\"ta\"\n")
		return c
	}, []string{`tenant_id (acme) (ze"ta) copy=in "COPY 2"`, `(ze"ta) copy=out`}},
	{"perl-dbd-pg", "/usr/lib/*/perl5/*/DBD/Pg.pm", "libdbd-pg-perl", program("", "perl", "dbd.pl"), []string{
		`FROM bills WHERE tenant_id = $1 ORDER BY id" $1:0=acme`, `tenant_id (acme) count=1`, `error=42703`, `"ROLLBACK"`, `tenant_id (acme) copy=in "COPY 1"`,
	}},
	{"ruby-pg", "/usr/lib/ruby/vendor_ruby/pg.rb", "ruby-pg", program("", "ruby", "pg.rb"), []string{
		`WHERE tenant_id = $1" $1:0=acme`, `tenant_id org (acme,11223344-5566-7788-99aa-bbccddeeff00) count=1`, `WHERE id = $1::int8" $1:20=1`, `error=42703`, `"NOTIFY"`, `copy=in "COPY 1"`,
	}},
	{"php-pdo-pgsql", "/usr/lib/php/*/pdo_pgsql.so", "php-cli php-pgsql", program("", "php", "pdo.php"), []string{
		`WHERE tenant_id = $1 AND id > $2" $1:0=acme`, `tenant_id (acme) count=1`, `ready E`, `simple "SELECT tenant_id FROM bills WHERE note IS NOT DISTINCT FROM NULL"`, `copy=in`, `copy=query`,
	}},
	{"pgjdbc", "/usr/share/java/postgresql.jar", "libpostgresql-jdbc-java openjdk-17-jdk-headless", program("", "java", "-cp", "/usr/share/java/postgresql.jar", "Jdbc.java"), []string{
		`VALUES ($1, $2, $3)" $1:20=1 $2:1043=acme $3:2950=11223344-5566-7788-99aa-bbccddeeff00`, `suspend`, `resumed`, `"SELECT nothing"`, `skipped`, `copy=in "COPY 1"`, `" SELECT tenant_id FROM bills WHERE id = 2"`,
	}},
	{"node-postgres", "/usr/bin/node", "nodejs; npm install pg, with NODE_PATH set", program("-e require('pg')", "node", "pg.js"), []string{
		`$2:0=acme`, `WHERE tenant_id = $1" $1:0=beta`, `tenant_id org (beta,NULL) count=1`, `={"acme","x\"y"}`, `skipped`, `"ROLLBACK"`,
	}},
	{"pgx", "/", "", nil, []string{
		`tenant_id org (acme,11223344-5566-7788-99aa-bbccddeeff00) count=1`, `$1:20=1 $2:25=acme $3:2950=11223344-5566-7788-99aa-bbccddeeff00`, `tenant_id (beta) (acme) copy=in "COPY 2"`, `"rollback"`, `={"acme","beta"}`,
	}},
}

// livePgx has github.com/jackc/pgx, with its statements prepared once and its batches.
func livePgx(t *testing.T, address string) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c, err := pgx.Connect(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	run := func(sql string, args ...any) error {
		rows, err := c.Query(ctx, sql, args...)
		if err == nil {
			rows.Close()
			err = rows.Err()
		}
		return err
	}
	ask := func(sql string, args ...any) {
		t.Helper()
		if err := run(sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	ask("INSERT INTO bills (id, tenant_id, org) VALUES ($1, $2, $3)", 1, "acme", "11223344-5566-7788-99aa-bbccddeeff00")
	for _, tenant := range []string{"acme", "beta", "acme"} {
		ask("SELECT id, tenant_id, org FROM bills WHERE tenant_id = $1", tenant)
	}
	ask("SELECT tenant_id FROM bills WHERE tenant_id = ANY($1)", []string{"acme", "beta"})
	ask("SELECT tenant_id FROM bills WHERE id = $1", pgx.QueryExecModeSimpleProtocol, 1)
	if _, err := c.CopyFrom(ctx, pgx.Identifier{"bills"}, []string{"id", "tenant_id"}, pgx.CopyFromRows([][]any{{2, "beta"}, {3, "acme"}})); err != nil {
		t.Fatal(err)
	}
	var b pgx.Batch
	b.Queue("SELECT tenant_id FROM bills WHERE id = $1", 2)
	b.Queue("SELECT nothing")
	b.Queue("SELECT tenant_id FROM bills WHERE id = $1", 3)
	if err := c.SendBatch(ctx, &b).Close(); err == nil {
		t.Error("a batch with an error has none")
	}
	tx, err := c.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(ctx, "DELETE FROM bills WHERE tenant_id = $1", "beta"); err != nil {
		t.Fatal(err)
	}
	if err := tx.Rollback(ctx); err != nil {
		t.Fatal(err)
	}
}

// TestLiveDrivers runs what real drivers make of COPY, arrays, cursors and pipelines against a server.
func TestLiveDrivers(t *testing.T) {
	socket := startServer(t)
	for _, d := range drivers {
		t.Run(d.name, func(t *testing.T) {
			if found, err := filepath.Glob(d.needs); err != nil || len(found) == 0 {
				t.Skipf("%s is not there (apt install %s)", d.needs, d.install)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
			defer cancel()
			c, err := pgconn.Connect(ctx, "host="+filepath.Dir(socket)+" user=app dbname=postgres")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Exec(ctx, "DROP TABLE IF EXISTS bills; "+bills).ReadAll(); err != nil {
				t.Fatal(err)
			}
			c.Close(ctx)
			w := startWire(t, socket)
			address := fmt.Sprintf("postgresql://app@127.0.0.1:%d/postgres?sslmode=disable", w.listener.Addr().(*net.TCPAddr).Port)
			if d.name == "pg8000" || d.name == "asyncpg" {
				address = strings.TrimSuffix(address, "?sslmode=disable")
			}
			if d.command == nil {
				livePgx(t, address)
			} else if out, err := d.command(t, address).CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
			got := w.stop(t)
			for id, steps := range w.steps {
				recorded(t, d.name, steps)
				t.Logf("held against pgproto3: %+v", checkOracle(t, steps, w.events[id]))
			}
			var all []string
			for id := event.ConnID(1); int(id) <= len(got); id++ {
				all = append(all, got[id]...)
				if d.name != "psycopg" && d.name != "libpq" && d.name != "pgx" { // they pipeline
					w.checkLate(t, id)
				}
			}
			text := strings.Join(all, "\n")
			for _, want := range d.want {
				if !strings.Contains(text, want) {
					t.Errorf("no %s in\n%s", want, text)
				}
			}
		})
	}
}
