package mysqlwire

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tenantrace/collector/event"
)

// schema is made once, seed for each client anew.
const (
	schema = `CREATE DATABASE shop; CREATE DATABASE other; USE shop;
CREATE USER app IDENTIFIED BY 'secret'; GRANT ALL ON *.* TO app;
CREATE TABLE invoices (id BIGINT PRIMARY KEY, tenant_id VARCHAR(64), org BINARY(16), amount DECIMAL(10,2), note LONGTEXT) CHARACTER SET utf8mb4;
CREATE VIEW open AS SELECT tenant_id AS who, id FROM invoices;
CREATE VIEW renamed AS SELECT id AS tenant_id FROM invoices;
CREATE PROCEDURE both_tables(IN t TEXT) BEGIN SELECT id, tenant_id FROM invoices WHERE tenant_id = t; SELECT COUNT(*) FROM invoices; END`
	seed = `DELETE FROM shop.invoices; INSERT INTO shop.invoices VALUES (1, 'acme', UNHEX('112233445566778899aabbccddeeff00'), 1.50, 'a'), (2, 'beta', NULL, NULL, REPEAT('x', 9000)), (3, 'acme', NULL, 2.00, NULL)`
)

// liveServer is a MariaDB server of the test's own, on a unix socket.
type liveServer struct{ socket, dir string }

// startServer runs a MariaDB server.
func startServer(t *testing.T, options ...string) *liveServer {
	t.Helper()
	for _, tool := range []string{"/usr/sbin/mariadbd", "/usr/bin/mariadb-install-db", "/usr/bin/mariadb"} {
		if _, err := os.Stat(tool); err != nil {
			t.Skipf("no MariaDB server is installed: %v (apt install mariadb-server-core mariadb-client-core)", err)
		}
	}
	dir, err := os.MkdirTemp("", "mysqlwire") // not t.TempDir: its path is long for a socket's
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := &liveServer{socket: filepath.Join(dir, "s"), dir: dir}
	data := filepath.Join(dir, "data")
	user := "--user=root" // the server refuses to run as root unless it is asked to
	if os.Getuid() != 0 {
		user = "--skip-name-resolve"
	}
	small := []string{"--no-defaults", "--datadir=" + data, user, "--innodb-buffer-pool-size=8M", "--innodb-log-file-size=4M", "--innodb-flush-log-at-trx-commit=0", "--aria-pagecache-buffer-size=1M", "--key-buffer-size=1M"}
	if out, err := exec.Command("/usr/bin/mariadb-install-db", append(slices.Clone(small), "--auth-root-authentication-method=normal", "--skip-test-db")...).CombinedOutput(); err != nil {
		t.Fatalf("mariadb-install-db: %v: %s", err, out)
	}
	var log bytes.Buffer
	c := exec.Command("/usr/sbin/mariadbd", append(append(small, "--socket="+s.socket, "--skip-networking", "--local-infile=1", "--pid-file="+filepath.Join(dir, "pid"), "--max-allowed-packet=64M"), options...)...)
	c.Stderr = &log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	t.Cleanup(func() {
		c.Process.Kill()
		<-ended
	})
	for begun := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("mariadbd: %v: %s", err, log.Bytes())
		default:
		}
		if c, err := net.Dial("unix", s.socket); err == nil {
			c.Close()
			break
		}
		if time.Since(begun) > time.Minute {
			t.Fatalf("mariadbd does not answer: %s", log.Bytes())
		}
	}
	s.admin(t, schema)
	return s
}

// admin runs statements as root. None may have a line "//".
func (s *liveServer) admin(t *testing.T, sql string) {
	t.Helper()
	c := exec.Command("/usr/bin/mariadb", "--no-defaults", "--socket="+s.socket, "--user=root", "--delimiter=//")
	c.Stdin = strings.NewReader(sql + "\n//\n")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("mariadb: %v: %s", err, out)
	}
}

// wire is a proxy that shows each connection's bytes to a session.
type wire struct {
	listener net.Listener
	socket   string
	cfg      Config
	mu       sync.Mutex // of all sessions and events
	events   map[event.ConnID][]event.Event
	calls    map[event.ConnID][]call
	conns    sync.WaitGroup
}

func startWire(t *testing.T, socket string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: l, socket: socket, cfg: testConfig(), events: make(map[event.ConnID][]event.Event), calls: make(map[event.ConnID][]call)}
	w.cfg.Names = NewNames()
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
		buf := make([]byte, 256<<10) // a client's write comes whole, unless it is longer
		for {
			n, err := from.Read(buf)
			if n > 0 {
				w.mu.Lock()
				w.calls[id] = append(w.calls[id], call{server: server, data: string(buf[:n])})
				h := event.Header{Time: int64(len(w.calls[id]))}
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

// stop ends the proxy once its connections have ended, and gives what was seen on each, one line per event, without the settings that the server reports.
func (w *wire) stop(t *testing.T) map[event.ConnID][]string {
	t.Helper()
	w.listener.Close()
	w.conns.Wait()
	out := make(map[event.ConnID][]string)
	for id, events := range w.events {
		checkLast(t, events)
		for _, e := range events {
			if _, ok := e.(*event.SessionDesync); ok {
				t.Errorf("connection %d: desynchronised", id)
			}
			if _, ok := e.(*event.SessionSetting); !ok {
				out[id] = append(out[id], line(e))
			}
		}
	}
	return out
}

// checkLate lets a session begin at each call of a connection, as if it had been found then. Whatever it sees must be what the session saw
// that was there from the beginning. One that finds a client which does not wait for its answers may lose it again.
func (w *wire) checkLate(t *testing.T, id event.ConnID, waits bool) {
	t.Helper()
	calls := w.calls[id]
	seen, rows := 0, 0
	for from := range calls {
		s, events := fresh(testConfig())
		s.Late(tick())
		for i, c := range calls[from:] {
			h := event.Header{Time: int64(from + i + 1)}
			if c.server {
				s.Backend(h, []byte(c.data), 0)
			} else {
				s.Frontend(h, []byte(c.data), 0)
			}
		}
		s.Close(tick())
		checkLast(t, *events)
		for _, e := range *events {
			switch e := e.(type) {
			case *event.SessionDesync:
				if waits {
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
				rows += len(e.Rows)
				if e.Unseen && !waits {
					continue
				}
				if !slices.ContainsFunc(w.events[id], func(other event.Event) bool {
					o, ok := other.(*event.Result)
					return ok && o.Time == e.Time && o.Tag == e.Tag && o.Error == e.Error && o.Count == e.Count && o.Last == e.Last && (len(e.Columns) == 0 || rowsOf(o) == rowsOf(e))
				}) {
					t.Errorf("connection %d from call %d, call %d: %s", id, from, e.Time, line(e))
				}
			}
		}
	}
	t.Logf("connection %d: %d calls; sessions begun at each saw %d statements and %d rows in all", id, len(calls), seen, rows)
	if len(calls) > 8 && seen == 0 {
		t.Errorf("connection %d: late sessions saw nothing", id)
	}
}

// rowsOf gives the rows of a result as text. Where its columns come from may not be known of a statement whose text is not.
func rowsOf(r *event.Result) string { return line(&event.Result{Rows: r.Rows}) }

// certificate makes a certificate and its key, as files.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &secret.PublicKey, secret)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}
