package correlate

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"tenantrace/collector/event"
	"tenantrace/collector/pgwire"
	"tenantrace/correlate/settings"
)

// startPostgres runs a PostgreSQL server of its own, and gives the directory of its socket.
func startPostgres(t *testing.T) string {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		t.Skip("no PostgreSQL server is installed: /usr/lib/postgresql/*/bin/initdb matches nothing (apt install postgresql)")
	}
	bin := filepath.Dir(found[len(found)-1])
	dir, err := os.MkdirTemp("", "state") // not t.TempDir: its path is closed to the server's user, and long for a socket's
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	run := func(name string, args ...string) {
		t.Helper()
		c := exec.Command(filepath.Join(bin, name), args...)
		if os.Getuid() == 0 { // the server refuses to run as root
			c = exec.Command("runuser", append([]string{"-u", "postgres", "--", filepath.Join(bin, name)}, args...)...)
		}
		c.Dir = dir
		if out, err := c.CombinedOutput(); err != nil {
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
	run("pg_ctl", "-D", data, "-w", "-l", filepath.Join(dir, "log"), "-o", "-F -k "+dir+" -c listen_addresses= -c shared_buffers=1MB -c max_prepared_transactions=4", "start")
	t.Cleanup(func() { run("pg_ctl", "-D", data, "-m", "immediate", "stop") })
	return dir
}

// tapped is a connection whose bytes an engine sees.
type tapped struct {
	net.Conn
	mu      sync.Mutex
	session *pgwire.Session
	now     int64
}

func (c *tapped) head() event.Header {
	c.now += int64(time.Millisecond)
	return event.Header{Time: c.now, PID: web, TID: web}
}

func (c *tapped) Write(b []byte) (int, error) {
	c.mu.Lock()
	c.session.Frontend(c.head(), b, 0)
	c.mu.Unlock()
	return c.Conn.Write(b)
}

func (c *tapped) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.mu.Lock()
		c.session.Backend(c.head(), b[:n], 0)
		c.mu.Unlock()
	}
	return n, err
}

var stateStatements = []string{
	"SET app.tenant_id = '@'", "SET app.tenant_id TO '@'", "SET LOCAL app.tenant_id = '@'", "SELECT set_config('app.tenant_id', '@', false)",
	"SELECT set_config('app.tenant_id', '@', true)", "RESET app.tenant_id", "SET app.tenant_id TO DEFAULT", "SET LOCAL app.tenant_id TO DEFAULT", "RESET ALL", "DISCARD ALL",
	"BEGIN", "BEGIN", "START TRANSACTION", "COMMIT", "ROLLBACK", "END", "ABORT", "COMMIT AND CHAIN", "ROLLBACK AND CHAIN",
	"SAVEPOINT a", "SAVEPOINT b", "ROLLBACK TO a", "ROLLBACK TO SAVEPOINT b", "RELEASE a", "RELEASE SAVEPOINT b", "PREPARE TRANSACTION 'x'", "ROLLBACK PREPARED 'x'",
	"SELECT 1/0", "SET app.tenant_id = '@'; SELECT 1/0", "BEGIN; SET LOCAL app.tenant_id = '@'", "SET LOCAL app.tenant_id = '@'; SET app.current_tenant = '@'", "SET app.tenant_id = '@'; COMMIT; SET app.tenant_id = '@'",
	"SET search_path = s1, public", "SET LOCAL search_path = s2", "RESET search_path", "SET SCHEMA 's2'", "SELECT set_config('search_path', 's1', true)",
	"SET ROLE r1", "SET LOCAL ROLE r2", "SET ROLE NONE", "RESET ROLE", "SET SESSION AUTHORIZATION r2", "RESET SESSION AUTHORIZATION", "SET LOCAL SESSION AUTHORIZATION r1", "SELECT set_config('role', 'r1', false)",
	"DO $$ BEGIN PERFORM set_config('app.tenant_id', '@', false); END $$", "PREPARE q AS SELECT set_config('app.tenant_id', '@', false)", "EXECUTE q", "DEALLOCATE ALL",
	"DECLARE c CURSOR FOR SELECT set_config('app.tenant_id', '@', false)", "FETCH c",
	"$SELECT set_config('app.tenant_id', $1, false)", "$SELECT set_config('app.tenant_id', $1, true)",
}

// TestStateOfRealSessions plays random statements about session state to a server, and asks it what is in force: what is known of the session must be so.
func TestStateOfRealSessions(t *testing.T) {
	dir := startPostgres(t)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Second)
	defer cancel()
	admin, err := pgconn.Connect(ctx, "host="+dir+" user=app dbname=postgres")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.Exec(ctx, "CREATE ROLE r1 SUPERUSER; CREATE ROLE r2 SUPERUSER; CREATE SCHEMA s1; CREATE SCHEMA s2").ReadAll(); err != nil {
		t.Fatal(err)
	}
	admin.Close(ctx)
	asked, known := 0, 0
	for seed := range uint64(60) {
		a, k := playState(ctx, t, dir, seed)
		asked, known = asked+a, known+k
		if t.Failed() {
			return
		}
	}
	t.Logf("of %d values %d were known", asked, known)
	if known*10 < asked*7 {
		t.Errorf("of %d values only %d were known", asked, known)
	}
}

func playState(ctx context.Context, t *testing.T, dir string, seed uint64) (asked, known int) {
	rng := rand.New(rand.NewPCG(seed, 5))
	tr := newTrace(t, "")
	cfg, err := pgconn.ParseConfig("host=" + dir + " user=app dbname=postgres")
	if err != nil {
		t.Fatal(err)
	}
	if seed%2 == 0 {
		cfg.RuntimeParams["options"] = "-c app.tenant_id=start -c search_path=s2"
	}
	var tap *tapped
	cfg.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, addr)
		tap = &tapped{Conn: c, now: tr.now, session: pgwire.New(pgwire.Config{}, 1, tr.engine.Handle)}
		return tap, err
	}
	c, err := pgconn.ConnectConfig(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	var script []string
	for range 40 {
		text := strings.ReplaceAll(stateStatements[rng.IntN(len(stateStatements))], "@", fmt.Sprint("t", rng.IntN(3)))
		script = append(script, text)
		if rest, ok := strings.CutPrefix(text, "$"); ok {
			c.ExecParams(ctx, rest, [][]byte{[]byte("p" + fmt.Sprint(rng.IntN(3)))}, nil, nil, nil).Read()
		} else {
			c.Exec(ctx, text).ReadAll() // it may fail
		}
		if c.TxStatus() == 'E' {
			continue
		}
		res, err := c.Exec(ctx, "SELECT current_setting('app.tenant_id', true), current_setting('app.current_tenant', true), current_setting('search_path'), current_user").ReadAll()
		if err != nil {
			t.Fatalf("seed %d after %q: %v", seed, script, err)
		}
		tap.mu.Lock()
		conn, _ := tr.engine.conns.Peek(1)
		s := conn.db
		for i, name := range []string{"app.tenant_id", "app.current_tenant", "search_path", "role"} {
			real := string(res[0].Rows[0][i])
			got := s.settings.Get(name)
			text := got.Text
			switch {
			case name == "role" && (got.State == settings.Unset || strings.EqualFold(text, "none")):
				text = "app"
			case name == "search_path" && got.State == settings.Unset:
				text = `"$user", public`
			}
			asked++
			if got.State == settings.Unknown {
				continue
			}
			known++
			if text != real {
				t.Errorf("seed %d: %s is %q, taken for %q (state %d), after\n%s", seed, name, real, text, got.State, strings.Join(script, "\n"))
			}
		}
		tap.mu.Unlock()
		if t.Failed() {
			break
		}
	}
	return asked, known
}
