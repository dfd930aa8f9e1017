package access

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"text/template"
	"time"

	"tenantrace/lab/matrix"
	"tenantrace/lab/proc"
)

//go:embed files
var files embed.FS

// server is a kind of server of the application.
type server struct {
	name       string
	hangsUp    bool // it closes each connection after one answer, and does not say so
	start      func(c *company, dir, port string) (proc.Spec, error)
	statements func(*company) (int, error) // that its database has logged so far
}

// running is a server that runs.
type running struct {
	process *proc.Process
	exe     string
	addr    string
}

// threads are those of each server: as many requests are under way at once.
const threads = 16

// gunicorn serves TLS itself, and each request on a thread of its own.
func gunicorn(name string, statements func(*company) (int, error)) *server {
	return &server{name: name, statements: statements, start: func(c *company, dir, port string) (proc.Spec, error) {
		exe, err := copyTo(dir, c.stage.Exe)
		return proc.Spec{Path: exe, Args: []string{"-m", "gunicorn", "--bind", "127.0.0.1:" + port, "--worker-class", "gthread", "--workers", "1",
			"--threads", fmt.Sprint(threads), "--keep-alive", "60", "--timeout", "60", "--graceful-timeout", "2", "--log-level", "warning", "--cert-reqs", "2",
			"--certfile", c.server.CertFile, "--keyfile", c.server.KeyFile, "--ca-certs", c.stage.CA.RootFile, "app:app"},
			Env: environment("PYTHONHOME=/usr", "PYTHONDONTWRITEBYTECODE=1", "PYTHONWARNINGS=ignore::DeprecationWarning")}, err
	}}
}

// uwsgi serves TLS by its https-socket: in the very thread that runs the application (its HTTP router would be another process). "!" demands a certificate.
func uwsgi(statements func(*company) (int, error)) *server {
	return &server{name: "uwsgi", hangsUp: true, statements: statements, start: func(c *company, dir, port string) (proc.Spec, error) {
		exe, err := copyTo(dir, "/usr/bin/uwsgi-core")
		return proc.Spec{Path: exe, Args: []string{"--plugins", "python3", "--master", "--die-on-term", "--processes", "1", "--threads", fmt.Sprint(threads),
			"--https-socket", "127.0.0.1:" + port + "," + c.server.CertFile + "," + c.server.KeyFile + ",HIGH,!" + c.stage.CA.RootFile,
			"--disable-logging", "--module", "app:app"},
			Env: environment("PYTHONDONTWRITEBYTECODE=1")}, err
	}}
}

func postgresStatements(c *company) (int, error) {
	counts, err := c.stage.Database.Statements()
	n := 0
	for _, count := range counts {
		n += count
	}
	return n, err
}

func mariadbStatements(c *company) (int, error) { return c.maria.Statements() }

// start starts a server with the application and waits until it listens.
func (c *company) start(ctx context.Context, s *server, dir string) (*running, error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make directory: %w", err)
	}
	if err := c.application(dir); err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	spec, err := s.start(c, dir, port)
	if err != nil {
		return nil, fmt.Errorf("prepare: %w", err)
	}
	spec.Name, spec.Log, spec.Dir, spec.Stop, spec.User = s.name, filepath.Join(dir, "log"), dir, syscall.SIGTERM, c.nobody
	return run(ctx, spec, "127.0.0.1:"+port)
}

// application writes the application, and how it comes to its databases in the terms of their drivers.
func (c *company) application(dir string) error {
	text, err := files.ReadFile("files/app.py")
	if err != nil {
		return err
	}
	pg := map[string]any{"host": c.stage.Database.Host, "port": c.stage.Database.Port, "database": "lab", "user": "lab_app", "password": c.stage.Database.Password}
	pooled := map[string]any{"host": "127.0.0.1", "port": c.pooler.port, "database": "lab", "user": "lab_app"}
	settings, err := json.Marshal(map[string]any{"postgres": pg, "pooler": pooled,
		"mysql": map[string]any{"host": c.maria.Host, "port": c.maria.Port, "user": "app", "password": "secret"}})
	if err != nil {
		return err
	}
	for name, text := range map[string][]byte{"app.py": text, "settings.json": settings} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return fmt.Errorf("write the application: %w", err)
		}
	}
	return nil
}

// pooler is a PgBouncer that hands out one connection to PostgreSQL by transaction.
type pooler struct{ port string }

// startPooler starts it. Debian's package is unpacked, with the libraries that only it needs: to install it would start it.
func (c *company) startPooler(ctx context.Context, dir string) (*pooler, error) {
	cache, err := matrix.Cache()
	if err != nil {
		return nil, err
	}
	root, err := matrix.Unpacked(ctx, cache, "pgbouncer", "libc-ares2", "libevent-2.1-7")
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make directory: %w", err)
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	t, err := template.ParseFS(files, "files/pgbouncer.ini")
	if err != nil {
		return nil, err
	}
	var config bytes.Buffer
	err = t.Execute(&config, map[string]any{"Host": c.stage.Database.Host, "Port": c.stage.Database.Port, "Password": c.stage.Database.Password, "Listen": port})
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "pgbouncer.ini")
	if err := os.WriteFile(file, config.Bytes(), 0o644); err != nil {
		return nil, fmt.Errorf("configure the pooler: %w", err)
	}
	libraries, err := filepath.Glob(filepath.Join(root, "usr/lib/*-linux-gnu"))
	if err != nil || len(libraries) != 1 {
		return nil, fmt.Errorf("%d directories of libraries in %q, expected 1: %w", len(libraries), root, err)
	}
	r, err := run(ctx, proc.Spec{Name: "pgbouncer", Path: filepath.Join(root, "usr/sbin/pgbouncer"), Args: []string{file}, Dir: dir, Log: filepath.Join(dir, "log"),
		Env: environment("LD_LIBRARY_PATH=" + libraries[0]), User: c.nobody, Stop: syscall.SIGTERM}, "127.0.0.1:"+port)
	if err != nil {
		return nil, err
	}
	c.stage.Defer(r.stop)
	return &pooler{port: port}, nil
}

// run starts a process and waits until it listens.
func run(ctx context.Context, spec proc.Spec, addr string) (*running, error) {
	r := &running{exe: spec.Path, addr: addr}
	var err error
	if r.process, err = proc.Start(spec); err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(proc.Patience); ; {
		connection, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			return r, connection.Close()
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), r.stop())
		case <-r.process.Done():
			return nil, fmt.Errorf("%s ended while starting: %s", spec.Name, proc.Tail(r.process.Log(), 5))
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return nil, errors.Join(fmt.Errorf("%s does not listen after %s (%w): %s", spec.Name, proc.Patience, err, proc.Tail(r.process.Log(), 5)), r.stop())
		}
	}
}

// stop ends the server. With which status it ends is its own matter.
func (r *running) stop() error {
	select {
	case <-r.process.Done():
		return fmt.Errorf("it ended by itself: %w: %s", r.process.Stop(0), proc.Tail(r.process.Log(), 5))
	default:
	}
	err := r.process.Stop(10 * time.Second)
	var exit interface{ ExitCode() int }
	if errors.As(err, &exit) {
		return nil
	}
	return err
}

// copyTo copies an executable, so that nobody else's process is traced.
func copyTo(dir, from string) (string, error) {
	text, err := os.ReadFile(from)
	if err != nil {
		return "", fmt.Errorf("copy an executable: %w", err)
	}
	path := filepath.Join(dir, "lab-"+filepath.Base(from))
	if err := os.WriteFile(path, text, 0o755); err != nil {
		return "", fmt.Errorf("copy an executable: %w", err)
	}
	return path, nil
}

// environment is all that the servers get to see.
func environment(more ...string) []string {
	return append([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC", "HOME=/nonexistent"}, more...)
}

func freePort() (string, error) {
	ports, err := matrix.Ports([]string{""})
	return fmt.Sprint(ports[""]), err
}
