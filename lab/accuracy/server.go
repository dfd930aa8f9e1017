package accuracy

import (
	"cmp"
	"context"
	"crypto/tls"
	"embed"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"tenantrace/lab/matrix"
	"tenantrace/lab/proc"
)

//go:embed files
var files embed.FS

// kind is a kind of server.
type kind struct {
	name    string
	drivers []string
	exe     string // the executable that is copied, so that its processes can be told from others of the machine; "" Node's
	args    func(*yard) []string
	env     []string
	steps   int    // of a request, in which a fault may be
	path    string // of the requests
}

// kinds are all servers, in the table's order.
func kinds() []*kind {
	return []*kind{
		gunicorn(gunicornSync, "sync"), gunicorn(gunicornGThread, "gthread"), gunicorn(gunicornGevent, "gevent"),
		uvicorn(uvicornAsyncio, "asyncio", "asgi:app", "/work"), uvicorn(uvicornUvloop, "uvloop", "asgi:app", "/work"), uvicorn(djangoASGI, "asyncio", "djangoapp:app", "/async"),
		{name: aiohttp, drivers: []string{psycopg2, asyncpg, psycopg3}, exe: python, steps: 8, path: "/work",
			args: func(y *yard) []string { return []string{"aio.py", y.port, y.cert, y.key, y.ca} }},
		{name: uWSGI, drivers: []string{psycopg2}, exe: "/usr/bin/uwsgi-core", steps: 5, path: "/work",
			args: func(y *yard) []string {
				return []string{"--plugins", "python3", "--master", "--die-on-term", "--processes", "2", "--threads", "8", "--lazy-apps", "--socket-timeout", "60",
					"--add-header", "Connection: close", // which it does not say that it does
					"--https-socket", "127.0.0.1:" + y.port + "," + y.cert + "," + y.key + ",HIGH,!" + y.ca, "--disable-logging", "--module", "wsgi:app"}
			}},
		{name: puma, drivers: []string{pg}, exe: "/usr/bin/ruby", steps: 5, path: "/work",
			args: func(y *yard) []string {
				bind := fmt.Sprintf("ssl://127.0.0.1:%s?cert=%s&key=%s&ca=%s&verify_mode=force_peer", y.port, y.cert, y.key, y.ca)
				return []string{"/usr/bin/puma", "-e", "production", "-t", "8:8", "-b", bind, "config.ru"}
			}},
		{name: node, drivers: []string{pg}, steps: 6, path: "/work",
			args: func(y *yard) []string { return []string{"app.js", y.cert, y.key, y.ca, y.port} }},
	}
}

// python is Debian's Python, which has Debian's packages.
const python = "/usr/bin/python3"

func gunicorn(name, worker string) *kind {
	k := &kind{name: name, drivers: []string{psycopg2}, exe: python, steps: 5, path: "/work", args: func(y *yard) []string {
		args := []string{"-m", "gunicorn", "--bind", "127.0.0.1:" + y.port, "--worker-class", worker, "--workers", strconv.Itoa(cmp.Or(y.workers, 2)), "--threads", "8", "--keep-alive", "60",
			"--timeout", "60", "--graceful-timeout", "2", "--log-level", "warning", "--cert-reqs", "2", "--certfile", y.cert, "--keyfile", y.key, "--ca-certs", y.ca}
		if y.recycle > 0 {
			args = append(args, "--max-requests", strconv.Itoa(y.recycle), "--max-requests-jitter", strconv.Itoa(y.recycle/2))
		}
		if y.preload {
			args = append(args, "--preload")
		}
		return append(args, "wsgi:app")
	}}
	if worker == "gevent" {
		k.env = []string{"ACCURACY_GREEN=1"}
	}
	return k
}

func uvicorn(name, loop, app, path string) *kind {
	k := &kind{name: name, drivers: []string{psycopg2, asyncpg, psycopg3}, exe: python, steps: 8, path: path, args: func(y *yard) []string {
		args := []string{"-m", "uvicorn", "--host", "127.0.0.1", "--port", y.port, "--loop", loop, "--log-level", "warning", "--no-access-log", "--timeout-keep-alive", "60",
			"--ssl-cert-reqs", "2", "--ssl-certfile", y.cert, "--ssl-keyfile", y.key, "--ssl-ca-certs", y.ca}
		if y.recycle > 0 {
			args = append(args, "--limit-max-requests", strconv.Itoa(y.recycle))
		}
		return append(args, app)
	}}
	if name == djangoASGI {
		k.drivers, k.steps = []string{psycopg2}, 4
	}
	return k
}

// yard is where a server runs.
type yard struct {
	dir           string
	port          string
	cert, key, ca string // files
	workers       int    // of gunicorn; 0 the usual number
	preload       bool   // the application is there before they are forked
	recycle       int    // requests after which a worker is replaced; 0 never
}

// executable gives the copy of a kind's executable.
func (h *harness) executable(ctx context.Context, k *kind) (string, error) {
	from := k.exe
	if from == "" {
		var err error
		if from, err = matrix.Node(ctx, h.cache, "20"); err != nil {
			return "", err
		}
	}
	real, err := filepath.EvalSymlinks(from)
	if err != nil {
		return "", fmt.Errorf("find the executable of %s: %w [run lab/accuracy/provision.sh]", k.name, err)
	}
	to := filepath.Join(h.stage.Dir, "accuracy-"+filepath.Base(real))
	if _, err := os.Stat(to); err == nil {
		return to, nil
	}
	text, err := os.ReadFile(real)
	if err != nil {
		return "", fmt.Errorf("copy an executable: %w", err)
	}
	if err := os.WriteFile(to, text, 0o755); err != nil {
		return "", fmt.Errorf("copy an executable: %w", err)
	}
	return to, nil
}

// environment is all that the service gets to see.
func (h *harness) environment(c Cell, dsn database) []string {
	set := func(yes bool) string {
		if yes {
			return "1"
		}
		return ""
	}
	env := []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC", "HOME=/nonexistent", "PYTHONDONTWRITEBYTECODE=1", "PYTHONWARNINGS=ignore::DeprecationWarning",
		"NODE_PATH=" + h.modules, "ACCURACY_DRIVER=" + c.Driver, "ACCURACY_POOL=" + c.Pool, "ACCURACY_POOL_SIZE=6", "ACCURACY_STALE=" + set(c.Violation == stale),
		"ACCURACY_TOKENS=" + set(c.Tokens), "ACCURACY_HOST=" + dsn.host, "ACCURACY_PORT=" + strconv.Itoa(dsn.port), "ACCURACY_PASSWORD=" + h.stage.Database.Password,
		"ACCURACY_SSLMODE=" + dsn.sslmode, "ACCURACY_DSN=" + dsn.libpq(h.stage.Database.Password), "PGAPPNAME=accuracy"}
	if c.Violation == background {
		env = append(env, "ACCURACY_BACKGROUND="+strconv.Itoa(c.Tenants))
	}
	return env
}

// serve starts the server of a cell, and what belongs to it, and waits until it shakes hands.
func (r *running) serve(ctx context.Context) ([]*proc.Process, error) {
	y, k := r.yard, r.kind
	names, err := files.ReadDir("files")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		text, err := files.ReadFile("files/" + name.Name())
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(y.dir, name.Name()), text, 0o644); err != nil {
			return nil, fmt.Errorf("write the service: %w", err)
		}
	}
	env := append(r.environment(r.cell, r.database(r.cell)), k.env...)
	if k.exe == python {
		env = append(env, "PYTHONHOME=/usr", "PYTHONPATH="+y.dir)
	}
	if s := r.scene; s != nil {
		y.workers, y.preload = s.workers, s.preload
		env = append(env, "ACCURACY_JOBS="+filepath.Join(y.dir, "jobs"))
		if s.before {
			env = append(env, "ACCURACY_BEFORE=1")
		}
	}
	p, err := proc.Start(proc.Spec{Name: k.name, Path: r.exe, Args: k.args(y), Env: env, Dir: y.dir, Log: filepath.Join(y.dir, "log"), User: r.nobody, Stop: syscall.SIGTERM})
	if err != nil {
		return nil, err
	}
	all := []*proc.Process{p}
	if err := listens(ctx, p, k.name, y.port); err != nil || r.scene == nil || !r.scene.worker {
		return all, err
	}
	w, err := r.hire(env)
	if err == nil {
		all = append(all, w)
	}
	return all, err
}

// listens waits until a server shakes hands.
func listens(ctx context.Context, p *proc.Process, name, port string) error {
	for deadline := time.Now().Add(proc.Patience); ; {
		dialer := net.Dialer{Timeout: 20 * time.Second}
		// This only asks whether somebody is there; no data goes over the connection.
		connection, err := tls.DialWithDialer(&dialer, "tcp", "127.0.0.1:"+port, &tls.Config{InsecureSkipVerify: true})
		if err == nil {
			connection.Close()
			return nil
		}
		if alert := (tls.AlertError(0)); errors.As(err, &alert) {
			return nil // it wants a certificate
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.Done():
			return fmt.Errorf("%s ended while starting: %s", name, proc.Tail(p.Log(), 5))
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s does not answer after %s (%w): %s", name, proc.Patience, err, proc.Tail(p.Log(), 5))
		}
	}
}

// end stops a server. How it ends is its own matter: some leave with the signal's status.
func end(p *proc.Process) error {
	err := p.Stop(10 * time.Second)
	var exit interface{ ExitCode() int }
	if errors.As(err, &exit) {
		return nil
	}
	return err
}
