package pgwire

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"tenantrace/collector/event"
)

// startServer runs a PostgreSQL server of its own on a unix socket, and gives the socket's path.
func startServer(t *testing.T) string {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		t.Skip("no PostgreSQL server is installed: /usr/lib/postgresql/*/bin/initdb matches nothing (apt install postgresql)")
	}
	bin := filepath.Dir(found[len(found)-1])
	dir, err := os.MkdirTemp("", "pgwire") // not t.TempDir: its path is closed to the server's user, and long for a socket's
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	data := filepath.Join(dir, "data")
	command := func(name string, args ...string) *exec.Cmd {
		// The server refuses to run as root.
		if os.Getuid() == 0 {
			name, args = "runuser", append([]string{"-u", "postgres", "--", filepath.Join(bin, name)}, args...)
		} else {
			name = filepath.Join(bin, name)
		}
		c := exec.Command(name, args...)
		c.Dir = dir
		return c
	}
	if os.Getuid() == 0 {
		if out, err := exec.Command("chown", "postgres", dir).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	if out, err := command("initdb", "-D", data, "-A", "trust", "-U", "app", "-N", "-E", "UTF8", "--no-locale").CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v: %s", err, out)
	}
	if out, err := command("pg_ctl", "-D", data, "-w", "-l", filepath.Join(dir, "log"), "-o", "-F -k "+dir+" -c listen_addresses= -c shared_buffers=1MB", "start").CombinedOutput(); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		t.Fatalf("pg_ctl: %v: %s%s", err, out, log)
	}
	t.Cleanup(func() {
		if out, err := command("pg_ctl", "-D", data, "-m", "immediate", "stop").CombinedOutput(); err != nil {
			t.Errorf("pg_ctl stop: %v: %s", err, out)
		}
	})
	return filepath.Join(dir, ".s.PGSQL.5432")
}

// wire is a proxy that shows each connection's bytes to a session.
type wire struct {
	listener net.Listener
	socket   string
	cfg      Config
	mu       sync.Mutex // of all sessions and events
	events   map[event.ConnID][]event.Event
	steps    map[event.ConnID][]step
	conns    sync.WaitGroup
}

func startWire(t *testing.T, socket string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: l, socket: socket, cfg: testConfig(), events: make(map[event.ConnID][]event.Event), steps: make(map[event.ConnID][]step)}
	w.conns.Add(1)
	go func() {
		defer w.conns.Done()
		for id := event.ConnID(1); ; id++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			w.conns.Add(1)
			go w.serve(t, id, c)
		}
	}()
	return w
}

func (w *wire) serve(t *testing.T, id event.ConnID, c net.Conn) {
	defer w.conns.Done()
	up, err := net.Dial("unix", w.socket)
	if err != nil {
		t.Error(err)
		c.Close()
		return
	}
	s := New(w.cfg, id, func(e event.Event) { w.events[id] = append(w.events[id], e) })
	var both sync.WaitGroup
	pump := func(from, to net.Conn, server bool) {
		defer both.Done()
		defer to.Close()
		buf := make([]byte, 8192)
		for {
			n, err := from.Read(buf)
			if n > 0 {
				w.mu.Lock()
				st := step{server: server, data: bytes.Clone(buf[:n])}
				w.steps[id] = append(w.steps[id], st)
				h := event.Header{Time: int64(len(w.steps[id]))}
				if server {
					s.Backend(h, buf[:n], 0)
				} else {
					s.Frontend(h, buf[:n], 0)
				}
				w.mu.Unlock()
				if _, err := to.Write(buf[:n]); err != nil {
					return
				}
			}
			if err != nil {
				return
			}
		}
	}
	both.Add(2)
	go pump(c, up, false)
	go pump(up, c, true)
	both.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	s.Close(tick())
}

// stop ends the proxy once its connections have ended, and gives what was seen on each: the statements and results, one line each.
func (w *wire) stop(t *testing.T) map[event.ConnID][]string {
	t.Helper()
	w.listener.Close()
	w.conns.Wait()
	out := make(map[event.ConnID][]string)
	for id, events := range w.events {
		checkLast(t, events)
		for _, e := range events {
			switch e := e.(type) {
			case *event.SessionSetting:
			case *event.SessionDesync:
				t.Errorf("connection %d: desynchronised", id)
			case *event.SessionStarted:
				e.Settings = nil
				out[id] = append(out[id], line(e))
			default:
				out[id] = append(out[id], line(e))
			}
		}
	}
	return out
}

// checkLate lets a session begin at each call of a connection, as if it had been found then. Whatever it sees must be what the session saw
// that was there from the beginning.
func (w *wire) checkLate(t *testing.T, id event.ConnID) {
	t.Helper()
	steps := w.steps[id]
	seen := 0
	sofar, _ := fresh(testConfig())
	for from := range steps {
		// A session that is found while an answer is on its way may take it for that of what comes next, and find out.
		owing := sofar.queue.n > 0
		run(sofar, steps[from:from+1])
		s, events := fresh(testConfig())
		s.Late(tick())
		for i, st := range steps[from:] {
			h := event.Header{Time: int64(from + i + 1)}
			if st.server {
				s.Backend(h, st.data, 0)
			} else {
				s.Frontend(h, st.data, 0)
			}
		}
		s.Close(tick())
		checkLast(t, *events)
		for _, e := range *events {
			switch e := e.(type) {
			case *event.SessionDesync:
				if !owing {
					t.Errorf("connection %d from call %d: desynchronised", id, from)
				}
			case *event.Statement:
				seen++
				if !slices.ContainsFunc(w.events[id], func(other event.Event) bool {
					o, ok := other.(*event.Statement)
					return ok && o.Time == e.Time && (o.Text == e.Text || e.NoText)
				}) {
					t.Errorf("connection %d from call %d, call %d: %s", id, from, e.Time, line(e))
				}
			case *event.Result:
				if !(owing && e.Unseen && len(e.Rows) == 0) && !slices.ContainsFunc(w.events[id], func(other event.Event) bool {
					o, ok := other.(*event.Result)
					return ok && o.Time == e.Time && o.Tag == e.Tag && o.Error == e.Error && o.Count == e.Count && o.Last == e.Last && (len(e.Columns) == 0 || rowsOf(o) == rowsOf(e))
				}) {
					t.Errorf("connection %d from call %d, call %d: %s", id, from, e.Time, line(e))
				}
			}
		}
	}
	if len(steps) > 8 && seen == 0 {
		t.Errorf("connection %d: late sessions saw nothing", id)
	}
}

// rowsOf gives the rows of a result as text.
func rowsOf(r *event.Result) string { return line(&event.Result{Columns: r.Columns, Rows: r.Rows}) }

const schema = `CREATE TABLE invoices (id int8 PRIMARY KEY, tenant_id text, org uuid, note text);
INSERT INTO invoices VALUES (1, 'acme', '11223344-5566-7788-99aa-bbccddeeff00', 'a'), (2, 'beta', NULL, repeat('x', 100000)), (3, 'acme', NULL, NULL)`

func TestLive(t *testing.T) {
	socket := startServer(t)
	w := startWire(t, socket)
	port := w.listener.Addr().(*net.TCPAddr).Port
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()

	// The first connection asks for TLS, is refused, and gives way to the second.
	c, err := pgconn.Connect(ctx, fmt.Sprintf("host=127.0.0.1 port=%d user=app dbname=postgres sslmode=prefer options='-c app.tenant_id=acme'", port))
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err = c.Exec(ctx, schema).ReadAll()
	must(err)
	// Values and results as text, then as binary.
	must(c.ExecParams(ctx, "SELECT tenant_id, org, note FROM invoices WHERE id < $1 ORDER BY id", bytesOf("3"), nil, nil, nil).Read().Err)
	_, err = c.Prepare(ctx, "s1", "SELECT tenant_id AS t, org AS o FROM invoices WHERE id = $1", nil)
	must(err)
	for range 2 {
		must(c.ExecPrepared(ctx, "s1", bytesOf("\x00\x00\x00\x00\x00\x00\x00\x01"), []int16{1}, []int16{1}).Read().Err)
	}
	// A pipeline of three groups, the second with an error in its first statement.
	p := c.StartPipeline(ctx)
	p.SendQueryParams("SELECT 1", nil, nil, nil, nil)
	must(p.Sync())
	p.SendQueryParams("SELECT 1/(id-id) FROM invoices WHERE id = $1", bytesOf("1"), nil, nil, nil)
	p.SendQueryParams("DELETE FROM invoices", nil, nil, nil, nil)
	must(p.Sync())
	p.SendQueryPrepared("s1", bytesOf("2"), nil, nil)
	must(p.Sync())
	for {
		r, err := p.GetResults()
		if err == nil && r == nil {
			break
		}
		if reader, ok := r.(*pgconn.ResultReader); ok && err == nil {
			reader.Read()
		}
	}
	must(p.Close())
	_, err = c.CopyFrom(ctx, strings.NewReader("4\tgamma\t\\N\tb\n"), "COPY invoices FROM STDIN")
	must(err)
	var copied bytes.Buffer
	_, err = c.CopyTo(ctx, &copied, "COPY (SELECT 7) TO STDOUT")
	must(err)
	must(c.Close(ctx))
	if copied.String() != "7\n" {
		t.Errorf("copied %q", copied.String())
	}

	// The third: a client of the simple protocol, with a transaction and a failure. It asks for TLS and goes on without.
	var cmd *exec.Cmd
	url := fmt.Sprintf("postgresql://app@127.0.0.1:%d/postgres?sslmode=prefer", port)
	if _, err := os.Stat("/usr/lib/python3/dist-packages/psycopg2"); err == nil {
		cmd = exec.CommandContext(ctx, "/usr/bin/python3", "-c", `
import psycopg2, sys
c = psycopg2.connect(sys.argv[1])
k = c.cursor()
k.execute("SELECT * FROM invoices WHERE tenant_id = %s", ("acme",))
k.fetchall()
try:
    k.execute("SELECT nothing")
except psycopg2.Error:
    c.rollback()
`, url)
	} else {
		t.Log("psycopg2 is not installed (apt install python3-psycopg2): psql alone plays its part")
		cmd = exec.CommandContext(ctx, "psql", "-qX", "-v", "AUTOCOMMIT=off", url, "-c", "BEGIN", "-c", "SELECT * FROM invoices WHERE tenant_id = 'acme'", "-c", "SELECT nothing", "-c", "ROLLBACK")
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}

	got := w.stop(t)
	for id := range got {
		w.checkLate(t, id)
		checkOracle(t, w.steps[id], w.events[id])
	}
	if len(got[1]) > 0 {
		t.Errorf("a connection that was given up: %s", got[1])
	}
	diffSides(t, got[2], []string{
		`started app@postgres`, `ready I`,
		fmt.Sprintf("statement 1 simple %q", schema), `result 1/0 "CREATE TABLE"`, `result 1/1 "INSERT 0 3"`, `result 1/2 none last`, `ready I`,
		`statement 2 "SELECT tenant_id, org, note FROM invoices WHERE id < $1 ORDER BY id" $1:0=3`,
		`result 2/0 tenant_id org (acme,11223344-5566-7788-99aa-bbccddeeff00) (beta,NULL) count=2 "SELECT 2" last`, `ready I`,
		`ready I`, // of Prepare
		`statement 3 "SELECT tenant_id AS t, org AS o FROM invoices WHERE id = $1" $1:20=1`,
		`result 3/0 t<tenant_id o<org (acme,11223344-5566-7788-99aa-bbccddeeff00) count=1 "SELECT 1" last`, `ready I`,
		`statement 4 "SELECT tenant_id AS t, org AS o FROM invoices WHERE id = $1" $1:20=1`,
		`result 4/0 t<tenant_id o<org (acme,11223344-5566-7788-99aa-bbccddeeff00) count=1 "SELECT 1" last`, `ready I`,
		`statement 5 "SELECT 1"`, `statement 6 "SELECT 1/(id-id) FROM invoices WHERE id = $1" $1:0=1`, `statement 7 "DELETE FROM invoices"`,
		`statement 8 "SELECT tenant_id AS t, org AS o FROM invoices WHERE id = $1" $1:20=2`,
		`result 5/0 count=1 "SELECT 1" last`, `ready I`,
		`result 6/0 error=22012 last`, `result 7/0 skipped last`, `ready I`,
		`result 8/0 t<tenant_id o<org (beta,NULL) count=1 "SELECT 1" last`, `ready I`,
		`statement 9 simple "COPY invoices FROM STDIN"`, `result 9/0 rowscut copy=in "COPY 1"`, `result 9/1 none last`, `ready I`,
		`statement 10 simple "COPY (SELECT 7) TO STDOUT"`, `result 10/0 rowscut copy=query "COPY 1"`, `result 10/1 none last`, `ready I`,
	})
	// The clients differ in how they ask, not in what the answer is.
	third := strings.Join(got[3], "\n")
	for _, want := range []string{
		`started app@postgres`, `simple "BEGIN"`, `ready T`, `simple "SELECT * FROM invoices WHERE tenant_id = 'acme'"`,
		`tenant_id org (acme,11223344-5566-7788-99aa-bbccddeeff00) (acme,NULL) count=2 "SELECT 2"`, `error=42703`, `ready E`, `"ROLLBACK"`,
	} {
		if !strings.Contains(third, want) {
			t.Errorf("no %s in\n%s", want, third)
		}
	}
	if !slices.Contains(got[3], "ready I") {
		t.Errorf("never idle:\n%s", third)
	}
}

// diffSides compares what the client said and what the server said each in its own order: in a pipeline the two may overtake each other.
func diffSides(t *testing.T, got, want []string) {
	t.Helper()
	client := func(line string) bool { return strings.HasPrefix(line, "statement ") }
	server := func(line string) bool { return !client(line) }
	for _, side := range []func(string) bool{client, server} {
		other := func(line string) bool { return !side(line) }
		diff(t, slices.DeleteFunc(slices.Clone(got), other), slices.DeleteFunc(slices.Clone(want), other))
	}
}

// TestLiveExtendedCopy runs COPY through the extended protocol, whose early Sync the server ignores, against a server.
func TestLiveExtendedCopy(t *testing.T) {
	socket := startServer(t)
	c, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	s, events := fresh(testConfig())
	// send writes what the client says and reads until the server's answer ends with until.
	send := func(until string, st step) {
		t.Helper()
		s.Frontend(tick(), st.data, 0)
		if _, err := c.Write(st.data); err != nil {
			t.Fatal(err)
		}
		var all []byte
		buf := make([]byte, 512)
		for !bytes.HasSuffix(all, []byte(until)) {
			n, err := c.Read(buf)
			s.Backend(tick(), buf[:n], 0)
			all = append(all, buf[:n]...)
			if err != nil {
				t.Fatalf("after %q: %v", all, err)
			}
		}
	}
	const idle = "Z\x00\x00\x00\x05I"
	send(idle, client(t, &pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion30, Parameters: map[string]string{"user": "app", "database": "postgres"}}))
	send(idle, client(t, &query{String: "CREATE TABLE t (a int)"}))
	copyIn := []byte("G\x00\x00\x00\x09\x00\x00\x01\x00\x00")
	begin := client(t, &parse{Query: "COPY t FROM STDIN"}, &bind{}, &execute{}, &syncing{})
	send(string(copyIn), begin)
	send(idle, step{data: []byte("d\x00\x00\x00\x062\n" + "S\x00\x00\x00\x04" + "c\x00\x00\x00\x04" + "S\x00\x00\x00\x04")})
	send(string(copyIn), begin)
	send(idle, step{data: []byte("d\x00\x00\x00\x06x\n" + "c\x00\x00\x00\x04" + "S\x00\x00\x00\x04")})
	send(idle, client(t, &query{String: "SELECT 1"}))
	// Query, too, is discarded after an error in the extended protocol.
	send(idle, client(t, &parse{Query: "nonsense"}, &bind{}, &execute{}, &query{String: "SELECT 2"}, &syncing{}))
	send(idle, client(t, &query{String: "SELECT 3"}))
	s.Close(tick())
	checkLast(t, *events)
	var got []string
	for _, l := range lines(*events) {
		if !strings.HasPrefix(l, "setting") {
			got = append(got, l)
		}
	}
	diff(t, got, []string{
		`started app@postgres`, `ready I`, `statement 1 simple "CREATE TABLE t (a int)"`, `result 1/0 "CREATE TABLE"`, `result 1/1 none last`, `ready I`,
		`statement 2 "COPY t FROM STDIN"`, `result 2/0 rowscut copy=in "COPY 1" last`, `ready I`,
		`statement 3 "COPY t FROM STDIN"`, `result 3/0 rowscut copy=in error=22P02 last`, `ready I`,
		`statement 4 simple "SELECT 1"`, `result 4/0 count=1 "SELECT 1"`, `result 4/1 none last`, `ready I`,
		`statement 5 "nonsense"`, `statement 6 simple "SELECT 2"`, `result 5/0 skipped last`, `result 6/0 skipped last`, `ready I`,
		`statement 7 simple "SELECT 3"`, `result 7/0 count=1 "SELECT 1"`, `result 7/1 none last`, `ready I`,
	})
}
