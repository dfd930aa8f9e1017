package sqlmatrix

import (
	"context"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"syscall"
	"time"

	"tenantrace/lab/pki"
	"tenantrace/lab/proc"
	"tenantrace/lab/service"
)

// pooler is the name of PgBouncer as a server.
const pooler = "pgbouncer"

// pgbouncerSuite has a release that knows prepared statements of the protocol.
const pgbouncerSuite = "trixie"

// startPgBouncer starts PgBouncer in front of a server, which it reaches by TLS, and pools by transaction.
func startPgBouncer(ctx context.Context, cache, dir string, behind *server, leaf *pki.Leaf) (*server, error) {
	c, err := fetchClosure(ctx, cache, pgbouncerSuite, "+postgresql-common", "pgbouncer")
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := *behind
	s.port, s.socket = port, filepath.Join(dir, "s")
	s.lacks = map[string]string{"notify": "LISTEN needs a session of its own"}
	settings := fmt.Sprintf(`[databases]
%[1]s = host=%[2]s port=%[3]d dbname=%[1]s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %[4]d
unix_socket_dir = %[5]s
auth_type = scram-sha-256
auth_file = %[6]s/users
pool_mode = transaction
default_pool_size = 2
max_prepared_statements = 100
server_check_delay = 86400
ignore_startup_parameters = extra_float_digits
server_tls_sslmode = require
client_tls_sslmode = allow
client_tls_cert_file = %[6]s/server.pem
client_tls_key_file = %[6]s/server.key
`, s.database, behind.host, behind.port, port, s.socket, dir)
	files := map[string][]byte{"pgbouncer.ini": []byte(settings), "users": fmt.Appendf(nil, "%q %q\n", s.user, s.password)}
	for name, source := range map[string]string{"server.pem": leaf.CertFile, "server.key": leaf.KeyFile} {
		if files[name], err = os.ReadFile(source); err != nil {
			return nil, fmt.Errorf("read certificate for pgbouncer: %w", err)
		}
	}
	for _, d := range []string{dir, s.socket} {
		if err := os.Mkdir(d, 0o755); err != nil {
			return nil, fmt.Errorf("make directory of pgbouncer: %w", err)
		}
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return nil, fmt.Errorf("write file for pgbouncer: %w", err)
		}
	}
	for _, name := range append([]string{"s"}, slices.Collect(maps.Keys(files))...) {
		if err := service.Own(filepath.Join(dir, name)); err != nil {
			return nil, err
		}
	}
	argv := c.command("usr/sbin/pgbouncer", "-u", "nobody", filepath.Join(dir, "pgbouncer.ini")) // the cache may be root's alone
	process, err := proc.Start(proc.Spec{Name: "pgbouncer", Path: argv[0], Args: argv[1:], Env: []string{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC"},
		Log: filepath.Join(dir, "pgbouncer.log"), Stop: syscall.SIGINT})
	if err != nil {
		return nil, err
	}
	s.pid = process.PID()
	s.stop = func() error { return process.Stop(10 * time.Second) }
	s.logged = func(ctx context.Context) ([]entry, error) {
		all, err := behind.logged(ctx)
		for i := range all {
			all[i].pooler = setByPooler.MatchString(all[i].text)
		}
		return all, err
	}
	return &s, awaitPort(ctx, net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), process)
}

// setByPooler is what PgBouncer sends of its own to give a session of the server the client's parameters.
var setByPooler = regexp.MustCompile(`^(SET \w+=('[^']*'|\w+);\s*)+$`)

// awaitPort waits until a process takes connections.
func awaitPort(ctx context.Context, address string, process *proc.Process) error {
	for deadline := time.Now().Add(proc.Patience); ; time.Sleep(50 * time.Millisecond) {
		if c, err := net.Dial("tcp", address); err == nil {
			return c.Close()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-process.Done():
			return fmt.Errorf("a server ended while starting: %s", proc.Tail(process.Log(), 5))
		default:
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("no server at %s after %s: %s", address, proc.Patience, proc.Tail(process.Log(), 5))
		}
	}
}
