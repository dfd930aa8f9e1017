package sqlmatrix

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"tenantrace/lab/pki"
	"tenantrace/lab/proc"
)

// mariaDB runs a MariaDB server.
type mariaDB struct {
	dir, socket string
	process     *proc.Process
	cli         []string // command of a client of its own; nil MariaDB's
}

// startMariaDB starts MariaDB.
func startMariaDB(ctx context.Context, dir, ca string, leaf *pki.Leaf) (*server, error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make directory of mariadb: %w", err)
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	m := &mariaDB{dir: dir, socket: filepath.Join(dir, "s")}
	data := filepath.Join(dir, "data")
	scratch := filepath.Join(dir, "tmp") // names in the system's may be those of another server in a container
	if err := os.Mkdir(scratch, 0o700); err != nil {
		return nil, fmt.Errorf("make directory of mariadb: %w", err)
	}
	small := []string{"--no-defaults", "--datadir=" + data, "--tmpdir=" + scratch, "--user=root", "--innodb-buffer-pool-size=16M", "--innodb-log-file-size=4M", "--innodb-flush-log-at-trx-commit=0",
		"--aria-pagecache-buffer-size=1M", "--key-buffer-size=1M", "--character-set-server=utf8mb4"}
	install := exec.CommandContext(ctx, "/usr/bin/mariadb-install-db", append(small, "--auth-root-authentication-method=normal", "--skip-test-db")...)
	if out, err := install.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("make mariadb's tables: %w: %s", err, strings.TrimSpace(string(out)))
	}
	m.process, err = proc.Start(proc.Spec{
		Name: "mariadbd", Path: "/usr/sbin/mariadbd", Env: []string{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC"}, Log: filepath.Join(dir, "mariadb.log"), Stop: syscall.SIGTERM,
		Args: append(small, "--socket="+m.socket, "--bind-address=127.0.0.1", fmt.Sprintf("--port=%d", port), "--local-infile=1", "--pid-file="+filepath.Join(dir, "pid"),
			"--ssl-cert="+leaf.CertFile, "--ssl-key="+leaf.KeyFile, "--ssl-ca="+ca, "--log-output=TABLE"),
	})
	if err != nil {
		return nil, err
	}
	s := &server{engine: mysql, host: "127.0.0.1", port: port, socket: m.socket, user: "app", password: rand.Text(), database: "matrix", ca: ca, logged: m.logged, stop: m.stop}
	s.clean = func(ctx context.Context) error { return feed(m.client(ctx), "USE matrix; "+leftovers) }
	if err := m.wait(ctx); err != nil {
		return s, err
	}
	sql := "CREATE DATABASE matrix; CREATE USER app IDENTIFIED BY '" + s.password + "'; GRANT ALL ON matrix.* TO app; USE matrix;\n" +
		strings.ReplaceAll(tables, "DOCUMENT", "JSON") + "SET GLOBAL general_log = 1;\n"
	if err := feed(m.client(ctx), sql); err != nil {
		return s, fmt.Errorf("fill the database: %w", err)
	}
	return s, nil
}

func (m *mariaDB) client(ctx context.Context, args ...string) *exec.Cmd {
	argv := m.cli
	if argv == nil {
		argv = []string{"/usr/bin/mariadb", "--no-defaults"}
	}
	return exec.CommandContext(ctx, argv[0], append(append(slices.Clone(argv[1:]), "--default-character-set=utf8mb4", "--socket="+m.socket, "--user=root"), args...)...)
}

// wait waits until the server answers.
func (m *mariaDB) wait(ctx context.Context) error {
	for deadline := time.Now().Add(proc.Patience); ; time.Sleep(50 * time.Millisecond) {
		if c, err := net.Dial("unix", m.socket); err == nil {
			return c.Close()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-m.process.Done():
			return fmt.Errorf("mariadbd ended while starting: %s", proc.Tail(m.process.Log(), 5))
		default:
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("mariadbd is not ready after %s: %s", proc.Patience, proc.Tail(m.process.Log(), 5))
		}
	}
}

func (m *mariaDB) stop() error { return m.process.Stop(20 * time.Second) }

// logged reads the general log and empties it. It has no line for the further rows of a cursor (COM_STMT_FETCH).
func (m *mariaDB) logged(ctx context.Context) ([]entry, error) {
	const sql = `SET GLOBAL general_log = 0; SELECT thread_id, command_type, HEX(argument) FROM mysql.general_log WHERE user_host LIKE 'app[%'
		AND command_type IN ('Query', 'Execute', 'Bulk_execute', 'Bulk execute', 'Execute Bulk') ORDER BY event_time; TRUNCATE mysql.general_log; SET GLOBAL general_log = 1`
	out, err := m.client(ctx, "--batch", "--skip-column-names", "-e", sql).Output()
	if err != nil {
		var failed *exec.ExitError
		if errors.As(err, &failed) {
			err = fmt.Errorf("%w: %s", err, failed.Stderr)
		}
		return nil, fmt.Errorf("read log of mariadb: %w", err)
	}
	var entries []entry
	for line := range strings.Lines(string(out)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(fields) != 3 {
			return nil, fmt.Errorf("read log of mariadb: a line %q", line)
		}
		sql, err := hex.DecodeString(fields[2])
		if err != nil {
			return nil, fmt.Errorf("read log of mariadb: %w", err)
		}
		e := entry{session: fields[0], text: string(sql)}
		// Only of a bulk execution the log has the text without its values, of some kinds once for each set.
		if n := len(entries); fields[1] == "Execute" && strings.Contains(e.text, "?") && n > 0 && entries[n-1] == e {
			continue
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// freePort asks the kernel for a port on loopback that nobody has.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
