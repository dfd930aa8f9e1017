package collector

import (
	"bufio"
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tenantrace/collector/event"
	"tenantrace/collector/probe"
	"tenantrace/collector/stream"
)

// mariadb runs a MariaDB server and gives its unix socket and its port.
func mariadb(t *testing.T) (socket, port string) {
	t.Helper()
	for file, debian := range map[string]string{
		"/usr/sbin/mariadbd": "mariadb-server-core", "/usr/bin/mariadb": "mariadb-client-core", "/usr/lib/python3/dist-packages/pymysql": "python3-pymysql",
		"/usr/lib/python3/dist-packages/MySQLdb": "python3-mysqldb",
	} {
		if _, err := os.Stat(file); err != nil {
			t.Skipf("%v (apt install %s)", err, debian)
		}
	}
	a := newAuthority(t)
	a.issue(t, "server", &x509.Certificate{Subject: pkix.Name{CommonName: "server"}})
	dir, err := os.MkdirTemp("", "mariadb") // not t.TempDir: its path is long for a socket's
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ = net.SplitHostPort(free.Addr().String())
	free.Close()
	socket = filepath.Join(dir, "s")
	options := []string{"--no-defaults", "--datadir=" + filepath.Join(dir, "data"), "--user=root", "--innodb-buffer-pool-size=8M", "--innodb-log-file-size=4M", "--innodb-flush-log-at-trx-commit=0"}
	if out, err := exec.Command("/usr/bin/mariadb-install-db", append(options, "--auth-root-authentication-method=normal", "--skip-test-db")...).CombinedOutput(); err != nil {
		t.Fatalf("mariadb-install-db: %v: %s", err, out)
	}
	var log bytes.Buffer
	server := exec.Command("/usr/sbin/mariadbd", append(options, "--socket="+socket, "--bind-address=127.0.0.1", "--port="+port, "--pid-file="+filepath.Join(dir, "pid"),
		"--ssl-cert="+filepath.Join(a.dir, "server.pem"), "--ssl-key="+filepath.Join(a.dir, "server.key"))...)
	server.Stderr = &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Process.Kill()
		server.Wait()
		if t.Failed() {
			t.Logf("mariadbd: %s", log.Bytes())
		}
	})
	wait(t, "answer of mariadbd", func() bool {
		c, err := net.Dial("unix", socket)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	setup := exec.Command("/usr/bin/mariadb", "--no-defaults", "--socket="+socket, "--user=root")
	setup.Stdin = strings.NewReader(`CREATE DATABASE shop; CREATE USER app IDENTIFIED BY 'secret'; GRANT ALL ON shop.* TO app;
CREATE TABLE shop.invoices (id BIGINT PRIMARY KEY, tenant_id VARCHAR(64), note LONGTEXT); INSERT INTO shop.invoices VALUES (1, 'acme', REPEAT('x', 300000)), (2, 'beta', NULL);`)
	if out, err := setup.CombinedOutput(); err != nil {
		t.Fatalf("mariadb: %v: %s", err, out)
	}
	return socket, port
}

// TestMySQL has clients of a real server: every statement is seen once, with its rows, on a connection of the right kind.
func TestMySQL(t *testing.T) {
	needRoot(t)
	socket, port := mariadb(t)
	for name, without := range map[string]probe.Features{"": {}, "without bpf_loop": {Loop: true}} {
		t.Run(name, func(t *testing.T) { mysql(t, socket, port, without) })
	}
}

func mysql(t *testing.T, socket, port string, without probe.Features) {
	cmd := exec.Command("/usr/bin/python3", "testdata/mysql.py", socket, port)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	lines := bufio.NewReader(out)
	read := func() {
		t.Helper()
		if _, err := lines.ReadString('\n'); err != nil {
			t.Fatalf("answer of mysql.py: %v", err)
		}
	}
	read()
	n := &notes{}
	c, stop := startWith(t, n, Config{PIDs: []int{cmd.Process.Pid}, Columns: []string{"tenant_id"}, without: without})
	// The client library reads the long rows of TCP in one piece, of which less is captured without bpf_loop; it is to be said.
	long := map[string]bool{"library": !c.programs.Features().Loop}
	commands := []string{"tcp", "unix", "TLS", "memory TLS", "library", "library over TLS", "late"}
	for _, command := range commands {
		if _, err := io.WriteString(in, command+"\n"); err != nil {
			t.Fatal(err)
		}
		read()
	}
	wait(t, "the last statement", func() bool { return len(statementsOf(n, "late")) >= requests })
	stop()
	if found := c.streams.Found(stream.RungRandom); found != 1 {
		t.Errorf("%d sockets were found by the client's random, want that of memory TLS", found)
	}

	opened := map[event.ConnID]*event.ConnectionOpened{}
	for _, c := range collect(n, func(*event.ConnectionOpened) bool { return true }) {
		opened[c.Conn] = c
	}
	for _, command := range commands {
		seen := statementsOf(n, command)
		if len(seen) != requests {
			t.Errorf("%s: %d statements, want %d", command, len(seen), requests)
		}
		rows, cut := map[string]int{"shop.invoices.tenant_id=acme": 0}, 0
		for i, s := range seen {
			c := opened[s.Conn]
			if want := (event.ConnectionOpened{TLS: strings.HasSuffix(command, "TLS"), Net: map[bool]string{true: "unix", false: "tcp"}[command == "unix"], Late: command == "late"}); c == nil || c.Role != event.RoleClient ||
				c.TLS != want.TLS || c.Net != want.Net || c.Late != want.Late || c.Net == "tcp" && c.Remote != "127.0.0.1:"+port {
				t.Fatalf("%s: connection %+v", command, c)
			}
			for _, r := range collect(n, func(r *event.Result) bool { return r.Conn == s.Conn && r.Seq == s.Seq }) {
				if r.RowsCut && long[command] {
					cut++
				} else if r.RowsCut != (command == "late" && i == 0) {
					t.Errorf("%s: statement %d: rows cut: %t", command, i, r.RowsCut)
				}
				if !r.Last || r.Error != "" || r.Count != uint64(1+i%2) {
					t.Errorf("%s: statement %d: result %+v", command, i, r)
				}
				for _, row := range r.Rows {
					rows[fmt.Sprint(r.Columns[0].Database, ".", r.Columns[0].OrgTable, ".", r.Columns[0].OrgName, "=", *row[0])]++
				}
			}
		}
		want := map[string]int{"shop.invoices.tenant_id=acme": requests - cut, "shop.invoices.tenant_id=beta": requests / 2}
		if command == "late" { // what comes first may be an older answer
			want["shop.invoices.tenant_id=acme"]--
		}
		if fmt.Sprint(rows) != fmt.Sprint(want) {
			t.Errorf("%s: rows %v, want %v", command, rows, want)
		}
	}
	if unreadable := collect(n, func(*event.SessionUnreadable) bool { return true }); len(unreadable) != 0 {
		t.Errorf("%d sessions could not be read, the first because of %s", len(unreadable), unreadable[0].Reason)
	}
	if lost := collect(n, func(*event.Lost) bool { return true }); len(lost) != 0 {
		t.Errorf("lost events: %+v", lost[0])
	}
	if desync := collect(n, func(*event.SessionDesync) bool { return true }); len(desync) != 0 {
		t.Errorf("%d sessions lost their framing", len(desync))
	}
}

// statementsOf gives the statements with a tag.
func statementsOf(n *notes, tag string) []*event.Statement {
	return collect(n, func(s *event.Statement) bool { return strings.Contains(s.Text, "/* "+tag+" */") })
}
