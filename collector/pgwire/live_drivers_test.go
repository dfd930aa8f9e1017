package pgwire

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

	"github.com/jackc/pgx/v5/pgconn"

	"tenantrace/collector/event"
)

const bills = `CREATE TABLE bills (id int8, tenant_id text, org uuid, note text)`

// driver is a client of PostgreSQL, and what its session must show.
type driver struct {
	name, needs string // a file of the package that is to be installed, and the package's name
	install     string
	command     func(t *testing.T, url string) *exec.Cmd
	want        []string
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
}

// TestLiveDrivers runs what real drivers make of COPY, arrays, cursors and pipelines against a server.
func TestLiveDrivers(t *testing.T) {
	socket := startServer(t)
	for _, d := range drivers {
		t.Run(d.name, func(t *testing.T) {
			if _, err := os.Stat(d.needs); os.IsNotExist(err) {
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
			cmd := d.command(t, fmt.Sprintf("postgresql://app@127.0.0.1:%d/postgres?sslmode=disable", w.listener.Addr().(*net.TCPAddr).Port))
			if d.name == "pg8000" || d.name == "asyncpg" {
				cmd.Args[len(cmd.Args)-1] = strings.TrimSuffix(cmd.Args[len(cmd.Args)-1], "?sslmode=disable")
			}
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%v: %s", err, out)
			}
			got := w.stop(t)
			for id, steps := range w.steps {
				checkOracle(t, steps, w.events[id])
			}
			var all []string
			for id := event.ConnID(1); int(id) <= len(got); id++ {
				all = append(all, got[id]...)
				if d.name != "psycopg" && d.name != "libpq" { // they pipeline
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
