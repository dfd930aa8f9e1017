package postgres

import (
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// configure appends the lab's settings: quick rather than durable, UTC as the service, everything on loopback.
func configure(data string, c *Cluster, logStatements bool) error {
	statements := "none"
	if logStatements {
		statements = "all"
	}
	dir := filepath.Dir(data)
	settings := fmt.Sprintf(`
listen_addresses = '%s'
port = %d
unix_socket_directories = '%s'
ssl = on
ssl_cert_file = '%s'
ssl_key_file = '%s'
timezone = 'UTC'
log_timezone = 'UTC'
datestyle = 'iso, mdy'
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum = off
max_connections = 200
shared_buffers = 32MB
log_statement = '%s'
log_line_prefix = '%%a|%%p|'
log_min_messages = warning
`, c.Host, c.Port, c.SocketDir, filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key"), statements)
	file, err := os.OpenFile(filepath.Join(data, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("configure postgres: %w", err)
	}
	_, err = file.WriteString(settings)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("configure postgres: %w", err)
	}
	return nil
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

func secret() string { return rand.Text() }
