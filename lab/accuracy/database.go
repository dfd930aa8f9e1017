package accuracy

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"tenantrace/lab/matrix"
	"tenantrace/lab/proc"
)

// database is where a service finds its database.
type database struct {
	host    string
	port    int
	sslmode string // libpq's
}

// libpq is the connection string.
func (d database) libpq(password string) string {
	return fmt.Sprintf("host=%s port=%d user=lab_app password=%s dbname=lab sslmode=%s", d.host, d.port, password, d.sslmode)
}

// database gives the one of a cell.
func (h *harness) database(c Cell) database {
	d := database{host: h.stage.Database.Host, port: h.stage.Database.Port, sslmode: "disable"}
	if c.TLS {
		d.sslmode = "require"
	}
	if c.Pool == pgBouncer {
		d.port = h.bouncer
	}
	return d
}

// rowsPerTenant is how many invoices a tenant has; files/truth.py knows their keys.
const (
	firstKey      = 100000
	rowsPerTenant = 10
)

// fill gives each tenant its rows.
func (h *harness) fill(ctx context.Context, tenants int) error {
	sql := fmt.Sprintf(`INSERT INTO invoices (id, tenant_id, number, amount)
SELECT %d + n * %d + k, 't' || lpad(n::text, 3, '0'), 'number ' || k, k FROM generate_series(0, %d) n, generate_series(0, %d) k`, firstKey, rowsPerTenant, tenants-1, rowsPerTenant-1)
	d := h.database(Cell{})
	psql := exec.CommandContext(ctx, "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", d.libpq(h.stage.Database.Password), "-c", sql)
	psql.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"}
	if out, err := psql.CombinedOutput(); err != nil {
		return fmt.Errorf("fill the database: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

// bounce starts PgBouncer: unpacked, and not installed, for Debian's package starts a server of its own.
func (h *harness) bounce(ctx context.Context) error {
	root, err := matrix.Unpacked(ctx, h.cache, "pgbouncer", "libc-ares2", "libevent-2.1-7")
	if err != nil {
		return err
	}
	ports, err := matrix.Ports([]string{"pgbouncer"})
	if err != nil {
		return err
	}
	h.bouncer = ports["pgbouncer"]
	dir := filepath.Join(h.stage.Dir, "pgbouncer")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return fmt.Errorf("make directory of PgBouncer: %w", err)
	}
	d := h.stage.Database
	settings := fmt.Sprintf(`[databases]
lab = host=%s port=%d dbname=lab
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
pool_mode = transaction
default_pool_size = 6
max_client_conn = 400
auth_type = trust
auth_file = %s
client_tls_sslmode = allow
client_tls_cert_file = %s
client_tls_key_file = %s
ignore_startup_parameters = extra_float_digits
log_connections = 0
log_disconnections = 0
`, d.Host, d.Port, h.bouncer, filepath.Join(dir, "users"), h.server.CertFile, h.server.KeyFile)
	for name, text := range map[string]string{"pgbouncer.ini": settings, "users": fmt.Sprintf("%q %q\n", "lab_app", d.Password)} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return fmt.Errorf("write file of PgBouncer: %w", err)
		}
		if err := os.Chown(path, int(h.nobody.UID), int(h.nobody.GID)); err != nil {
			return fmt.Errorf("give file to PgBouncer: %w", err)
		}
	}
	libraries, err := filepath.Glob(filepath.Join(root, "usr/lib/*-linux-gnu"))
	if err != nil {
		return err
	}
	p, err := proc.Start(proc.Spec{Name: "pgbouncer", Path: filepath.Join(root, "usr/sbin/pgbouncer"), Args: []string{filepath.Join(dir, "pgbouncer.ini")},
		Env: []string{"PATH=/usr/bin:/bin", "LD_LIBRARY_PATH=" + strings.Join(libraries, ":")}, Dir: dir, Log: filepath.Join(dir, "log"), User: h.nobody, Stop: syscall.SIGTERM})
	if err != nil {
		return err
	}
	h.stage.Defer(func() error { return end(p) })
	for deadline := time.Now().Add(proc.Patience); ; time.Sleep(50 * time.Millisecond) {
		ready := exec.CommandContext(ctx, "pg_isready", "-q", "-h", "127.0.0.1", "-p", strconv.Itoa(h.bouncer))
		if ready.Run() == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.Done():
			return fmt.Errorf("pgbouncer ended while starting: %s", proc.Tail(p.Log(), 5))
		default:
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("pgbouncer is not ready after %s: %s", proc.Patience, proc.Tail(p.Log(), 5))
		}
	}
}
