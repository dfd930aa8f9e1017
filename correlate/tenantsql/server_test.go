package tenantsql

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// The servers below say whose each column is: they take a statement apart and write it down again, with every column qualified. serverTables are their
// tables, some with the column; that of the view "named" is something else in truth, but bears its name.
const serverTables = `
create table invoices (id int, tenant_id text, customer int, plan int);
create table customers (id int, tenant_id text, country int);
create table line_items (id int, invoice int, tenant_id text);
create table plans (id int, name text);
create table countries (id int, name text);
create table features (id int, tenant_id text, plan int);
create table rates (id int, country int);
create view bills as select id, tenant_id, plan from invoices;
create view named as select id, name as tenant_id from plans;
create view plain as select id, customer from invoices;
`

// serverKnows is the truth about them.
const serverKnows = tables(`+invoices.tenant_id +customers.tenant_id +line_items.tenant_id +features.tenant_id +bills.tenant_id +named.tenant_id
	-plans.tenant_id -countries.tenant_id -rates.tenant_id -plain.tenant_id -other.invoices.tenant_id +other.plans.tenant_id`)

// forgetful knows a part of what k knows.
func (k tables) forgetful(r *rand.Rand, percent int) tables {
	var kept []string
	for _, fact := range strings.Fields(string(k)) {
		if r.IntN(100) < percent {
			kept = append(kept, fact)
		}
	}
	return tables(strings.Join(kept, " "))
}

// compareOwners holds what is found in a statement against the same statement with qualified columns.
type compareOwners struct {
	t          *testing.T
	d          Dialect
	a          *Analyzer
	statements int
	whole      int // tables with values, when all is known
	missed     int // without, although they have some
	values     int // with values, whatever is known
	doubted    int
}

func (c *compareOwners) relations(k tables, sql string) []Relation {
	return k.knowing(c.a, c.d, sql).Relations
}

func (c *compareOwners) compare(r *rand.Rand, sql, qualified string) {
	c.t.Helper()
	c.statements++
	truth := c.relations(serverKnows, qualified)
	for _, percent := range []int{0, 30, 60, 100} {
		known := serverKnows.forgetful(r, percent)
		got := c.relations(known, sql)
		if len(got) != len(truth) {
			c.t.Errorf("%s\nqualified: %s\n%d tables, want %d", sql, qualified, len(got), len(truth))
			return
		}
		for i := range got {
			g := &got[i]
			if at := slices.IndexFunc(truth, func(r Relation) bool { return r.Alias == g.Alias }); at >= 0 { // MariaDB turns a RIGHT JOIN round
				i = at
			}
			w := &truth[i]
			where := truth[i : i+1]
			if len(w.Values) == 0 && (merged(sql) || strings.Contains(qualified, " "+w.Alias+"(")) { // whose columns the server gives other names, which are not followed
				continue
			}
			if g.Ownership != Sure || slices.Contains(w.Values, Value{Kind: Unknown}) {
				where = truth // any of them; and what equal columns bring from others
			}
			wrote := renderValues(g.Assigned)
			switch {
			case g.Name != w.Name:
				c.t.Errorf("%s\nqualified: %s\ntable %q, want %q", sql, qualified, g.Name, w.Name)
			case g.Ownership == Foreign && percent < 100: // which decides nothing
				c.doubted++
			case g.Ownership != Sure && percent == 100, !guaranteed(where, g.Values) && (len(g.Every) == 0 || slices.ContainsFunc(g.Every, func(set []Value) bool { return !guaranteed(truth, set) })), g.Ownership == Sure && wrote != "" && wrote != renderValues(w.Assigned):
				c.t.Errorf("%s\nqualified: %s\nwith %s\n%s: got %s<-%s (%d), want %s<-%s", sql, qualified, known, g.Name,
					renderValues(g.Values), wrote, g.Ownership, renderValues(w.Values), renderValues(w.Assigned))
			case g.Ownership != Sure:
				c.doubted++
			case len(g.Values) > 0:
				c.values++
				if percent == 100 {
					c.whole++
				}
			case len(w.Values) > 0 && percent == 100:
				c.missed++
			}
		}
	}
}

// merged tells whether a join may merge a table's column with one that an expression makes. The server names the latter then, which the text of it does not
// tie to the table's; the merged one does.
func merged(sql string) bool {
	has := func(text string) bool { return strings.Contains(sql, text) }
	return (has("using (tenant_id") || has("natural")) && (has("1 as tenant_id") || has("() as tenant_id") || has("(id, tenant_id)"))
}

// guaranteed tells whether one of the tables has rows of these tenants only.
func guaranteed(truth []Relation, vals []Value) bool {
	return len(vals) == 0 || slices.ContainsFunc(truth, func(r Relation) bool {
		return slices.ContainsFunc(append([][]Value{r.Values}, r.Every...), func(set []Value) bool {
			return len(set) > 0 && !slices.ContainsFunc(set, func(v Value) bool { return !slices.Contains(vals, v) })
		})
	})
}

func (c *compareOwners) report(refused int) {
	c.t.Helper()
	c.t.Logf("%d statements, and %d that the server refused: with all knowledge %d tables with their values, %d whose were not found; in all %d with sure values, %d with doubted ones",
		c.statements, refused, c.whole, c.missed, c.values, c.doubted)
	if c.statements < 200 || c.values < 400 || c.doubted < 60 || c.missed > c.whole/50 {
		c.t.Error("too little was compared, or found")
	}
}

// ownerCount is how many statements are written, and ownerSeed the seed: ORACLE_COUNT and ORACLE_SEED, else 1,500 and 5.
func ownerCount() int { return fromEnvironment("ORACLE_COUNT", 1500) }

func ownerSeed() uint64 { return uint64(fromEnvironment("ORACLE_SEED", 5)) }

func fromEnvironment(name string, or int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return or
}

// needServer skips if one of the tools is missing.
func needServer(t *testing.T, packages string, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := os.Stat(tool); err != nil {
			t.Skipf("no server is installed: %v (apt install %s)", err, packages)
		}
	}
}

func TestOwnersOfPostgreSQL(t *testing.T) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		t.Skip("no PostgreSQL server is installed: /usr/lib/postgresql/*/bin/initdb matches nothing (apt install postgresql)")
	}
	conn := startPostgreSQL(t, filepath.Dir(found[len(found)-1]))
	exec := func(sql string) (string, error) {
		results, err := conn.Exec(context.Background(), sql).ReadAll()
		if err != nil || len(results) == 0 {
			return "", err
		}
		if rows := results[len(results)-1].Rows; len(rows) > 0 {
			return string(rows[0][0]), nil
		}
		return "", nil
	}
	if _, err := exec(serverTables + "create schema other; create table other.invoices (id int, n int); create table other.plans (id int, tenant_id text)"); err != nil {
		t.Fatal(err)
	}
	c := compareOwners{t: t, a: New(Config{Columns: []string{"tenant_id"}})}
	g := ownerGenerator{r: rand.New(rand.NewPCG(ownerSeed(), 3))}
	refused := 0
	for range ownerCount() {
		sql := g.statement()
		make, show := "begin; create view q as "+sql, "select pg_get_viewdef('q'::regclass)"
		if strings.Contains(sql, "update ") || strings.Contains(sql, "delete ") {
			make, show = "begin; create function q() returns void language sql begin atomic "+sql+"; end", "select pg_get_function_sqlbody('q'::regproc)"
		}
		qualified := ""
		if _, err = exec(make); err == nil {
			qualified, err = exec(show)
		}
		if _, undo := exec("rollback"); undo != nil {
			t.Fatal(undo)
		}
		if err != nil {
			refused++
			continue
		}
		if body, ok := strings.CutPrefix(qualified, "BEGIN ATOMIC"); ok {
			qualified = strings.TrimSuffix(strings.TrimSpace(body), "END")
		}
		c.compare(g.r, sql, strings.TrimSuffix(strings.TrimSpace(qualified), ";"))
	}
	c.report(refused)
}

// startPostgreSQL runs a server on a unix socket and connects to it.
func startPostgreSQL(t *testing.T, bin string) *pgconn.PgConn {
	t.Helper()
	dir, err := os.MkdirTemp("", "owners")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	run := func(name string, args ...string) {
		t.Helper()
		args = append([]string{filepath.Join(bin, name)}, args...)
		if os.Getuid() == 0 { // which the server refuses to run as
			args = append([]string{"runuser", "-u", "postgres", "--"}, args...)
		}
		command := exec.Command(args[0], args[1:]...)
		command.Dir = dir
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", name, err, out)
		}
	}
	if os.Getuid() == 0 {
		if out, err := exec.Command("chown", "postgres", dir).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	data := filepath.Join(dir, "data")
	run("initdb", "-D", data, "-A", "trust", "-U", "app", "-N", "-E", "UTF8", "--no-locale")
	run("pg_ctl", "-D", data, "-w", "-l", filepath.Join(dir, "log"), "-o", "-F -k "+dir+" -c listen_addresses= -c shared_buffers=1MB", "start")
	t.Cleanup(func() { run("pg_ctl", "-D", data, "-m", "immediate", "stop") })
	conn, err := pgconn.Connect(context.Background(), "host="+dir+" user=app dbname=postgres")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func TestOwnersOfMariaDB(t *testing.T) {
	needServer(t, "mariadb-server-core mariadb-client-core", "/usr/sbin/mariadbd", "/usr/bin/mariadb-install-db", "/usr/bin/mariadb")
	g := ownerGenerator{r: rand.New(rand.NewPCG(ownerSeed(), 4)), mysql: true}
	var statements []string
	var script strings.Builder
	script.WriteString("create database shop; use shop;" + serverTables + "create database other; create table other.invoices (id int, n int); create table other.plans (id int, tenant_id text);\n")
	for i := range ownerCount() {
		sql := g.statement()
		statements = append(statements, sql)
		fmt.Fprintf(&script, "create view q%d as %s;\n", i, sql)
	}
	script.WriteString("select table_name, view_definition from information_schema.views where table_schema = 'shop' and table_name like 'q%';\nselect 'done';\n")
	out := runMariaDB(t, script.String())
	c := compareOwners{t: t, d: MySQL, a: New(Config{Columns: []string{"tenant_id"}})}
	for line := range strings.Lines(out) {
		name, qualified, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if i, err := strconv.Atoi(strings.TrimPrefix(name, "q")); err == nil {
			qualified = strings.NewReplacer(`\n`, " ", `\t`, " ", `\\`, `\`).Replace(qualified)
			c.compare(g.r, statements[i], strings.ReplaceAll(qualified, "`shop`.", ""))
		}
	}
	if !strings.HasSuffix(out, "done\n") {
		t.Errorf("the script did not run to its end: %q", out[max(0, len(out)-200):])
	}
	c.report(len(statements) - c.statements)
}

// runMariaDB runs a script on a server of its own, past its errors, and gives its output.
func runMariaDB(t *testing.T, script string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "owners")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	user := "--user=root"
	if os.Getuid() != 0 {
		user = "--skip-name-resolve"
	}
	options := []string{"--no-defaults", "--datadir=" + filepath.Join(dir, "data"), user, "--innodb-buffer-pool-size=8M", "--innodb-log-file-size=4M", "--aria-pagecache-buffer-size=1M", "--key-buffer-size=1M", "--sync-frm=0"}
	if out, err := exec.Command("/usr/bin/mariadb-install-db", append(slices.Clone(options), "--auth-root-authentication-method=normal", "--skip-test-db")...).CombinedOutput(); err != nil {
		t.Fatalf("mariadb-install-db: %v: %s", err, out)
	}
	socket := filepath.Join(dir, "s")
	var log bytes.Buffer
	server := exec.Command("/usr/sbin/mariadbd", append(options, "--socket="+socket, "--skip-networking", "--pid-file="+filepath.Join(dir, "pid"))...)
	server.Stderr = &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		server.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		server.Process.Kill()
		<-ended
	})
	for begun := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		if _, err := os.Stat(socket); err == nil {
			break
		}
		select {
		case <-ended:
			t.Fatalf("mariadbd ended: %s", log.Bytes())
		default:
		}
		if time.Since(begun) > time.Minute {
			t.Fatalf("mariadbd does not answer: %s", log.Bytes())
		}
	}
	client := exec.Command("/usr/bin/mariadb", "--no-defaults", "--socket="+socket, "--user=root", "--batch", "--force", "--skip-column-names")
	client.Stdin = strings.NewReader(script)
	out, _ := client.Output() // ends with an error if a statement was refused
	return string(out)
}
