package life

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"tenantrace/lab/matrix"
	"tenantrace/lab/proc"
)

// What ports are for.
const (
	required = "required" // a certificate that verifies
	optional = "optional" // that, or none
	anybody  = "any"      // any certificate, or none
	late     = "late"     // asked for by some paths only
	second   = "http2"    // as required, with HTTP/2
)

func nginx() *server {
	return &server{name: "nginx", ports: []string{required, optional, anybody, second}, prepare: func(ctx context.Context, c *company, y *yard) (proc.Spec, error) {
		root, err := matrix.Unpacked(ctx, c.cache, "nginx")
		if err != nil {
			return proc.Spec{}, err
		}
		config, err := y.put("nginx.conf")
		if err != nil {
			return proc.Spec{}, err
		}
		exe, err := y.copy(filepath.Join(root, "usr/sbin/nginx"))
		return proc.Spec{Path: exe, Args: []string{"-c", config, "-p", y.Dir}}, err
	}}
}

// apache has the application within, so that its statements come from the thread that reads the request.
func apache() *server {
	return &server{name: "apache", ports: []string{required, optional, anybody, late, second}, prepare: func(ctx context.Context, c *company, y *yard) (proc.Spec, error) {
		location := func(path, verify string) []string {
			return []string{"<Location " + path + ">", "SSLVerifyClient " + verify, "</Location>"}
		}
		y.Hosts = map[string][]string{
			required: {"SSLVerifyClient require"},
			optional: {"SSLVerifyClient optional"},
			anybody:  {"SSLVerifyClient optional_no_ca"},
			late:     append(append([]string{"SSLVerifyClient none"}, location("/optional", "optional")...), location("/protected", "require")...),
			second:   {"SSLVerifyClient require", "Protocols h2"},
		}
		var err error
		if y.Unpacked, err = matrix.Unpacked(ctx, c.cache, "libapache2-mod-wsgi-py3", "libpython3.11"); err != nil {
			return proc.Spec{}, err
		}
		if err := c.application(y); err != nil {
			return proc.Spec{}, err
		}
		config, err := y.put("apache.conf")
		if err != nil {
			return proc.Spec{}, err
		}
		exe, err := y.copy("/usr/sbin/apache2")
		return proc.Spec{Path: exe, Args: []string{"-D", "FOREGROUND", "-f", config}, Env: environment("PYTHONDONTWRITEBYTECODE=1")}, err
	}}
}

func gunicorn() *server {
	return &server{name: "gunicorn", ports: []string{required}, prepare: func(_ context.Context, c *company, y *yard) (proc.Spec, error) {
		exe, err := y.copy(c.stage.Exe)
		return proc.Spec{Path: exe, User: c.nobody,
			Args: []string{"-m", "gunicorn", "--bind", "127.0.0.1:" + y.port(required), "--worker-class", "gthread", "--workers", "1", "--threads", "8",
				"--keep-alive", "60", "--timeout", "60", "--graceful-timeout", "2", "--log-level", "warning", "--cert-reqs", "2",
				"--certfile", y.Cert, "--keyfile", y.Key, "--ca-certs", y.CA, "app"},
			Env: environment("PYTHONHOME=/usr", "PYTHONDONTWRITEBYTECODE=1", "PYTHONWARNINGS=ignore::DeprecationWarning"),
		}, errors.Join(err, c.application(y))
	}}
}

// application writes the Python application.
func (c *company) application(y *yard) error {
	if _, err := y.put("app.py"); err != nil {
		return err
	}
	return c.database(y)
}

// database writes how the database is reached, in terms that psycopg2 and pg understand.
func (c *company) database(y *yard) error {
	text, err := json.Marshal(map[string]any{"host": c.stage.Database.Host, "port": c.stage.Database.Port, "database": "lab", "user": "lab_app",
		"password": c.stage.Database.Password, "application_name": filepath.Base(y.Dir)})
	if err != nil {
		return err
	}
	return y.write("database.json", text)
}

func node() *server {
	return &server{name: "node", ports: []string{required, anybody, second}, prepare: func(ctx context.Context, c *company, y *yard) (proc.Spec, error) {
		binary, err := matrix.Node(ctx, c.cache, "20")
		if err != nil {
			return proc.Spec{}, err
		}
		modules, err := matrix.NodeModule(ctx, c.cache, "pg", "8")
		if err != nil {
			return proc.Spec{}, err
		}
		app, err := y.put("app.js")
		if err != nil {
			return proc.Spec{}, err
		}
		exe, err := y.copy(binary)
		return proc.Spec{Path: exe, Args: []string{app, y.Cert, y.Key, y.CA, y.port(required), y.port(anybody), y.port(second)}, User: c.nobody,
			Env: environment("NODE_PATH=" + modules)}, errors.Join(err, c.database(y))
	}}
}

// The server names of the server that has two.
const (
	firstName  = "first.example"  // for the clients of the lab's authority
	secondName = "second.example" // for those of the foreign one
)

func names() *server {
	return &server{name: "C server", ports: []string{required}, prepare: func(ctx context.Context, c *company, y *yard) (proc.Spec, error) {
		source, err := y.put("names.c")
		if err != nil {
			return proc.Spec{}, err
		}
		exe := filepath.Join(y.Dir, "lab-names")
		folder := filepath.Join("/usr/lib", y.Triplet())
		gcc := exec.CommandContext(ctx, "gcc", "-O1", "-Wall", "-Werror", "-D_GNU_SOURCE", "-o", exe, source, filepath.Join(folder, "libssl.so.3"), filepath.Join(folder, "libcrypto.so.3"))
		if out, err := gcc.CombinedOutput(); err != nil {
			return proc.Spec{}, fmt.Errorf("compile: %w: %s", err, strings.TrimSpace(string(out)))
		}
		return proc.Spec{Path: exe, User: c.nobody,
			Args: []string{y.Cert, y.Key, y.port(required), firstName, y.CA, secondName, c.foreign.RootFile}}, nil
	}}
}
