package matrix

import (
	"context"
	"path/filepath"

	"tenantrace/lab/proc"
)

// interpreter is Debian's Python, which has Debian's packages.
const interpreter = "/usr/bin/python3"

// python gives the start of a server that is a Python module. It runs a copy of the interpreter: the clients run the other one.
func python(y *yard, args ...string) (proc.Spec, error) {
	real, err := filepath.EvalSymlinks(interpreter)
	if err != nil {
		return proc.Spec{}, err
	}
	exe, err := y.copy(real)
	if err != nil {
		return proc.Spec{}, err
	}
	_, err = y.put("app.py", false)
	env := environment("PYTHONHOME=/usr", "PYTHONDONTWRITEBYTECODE=1", "PYTHONWARNINGS=ignore::DeprecationWarning")
	return proc.Spec{Path: exe, Args: args, Env: env, User: y.nobody}, err
}

func gunicorn(worker string) *server {
	return &server{
		name: "gunicorn " + worker, ports: []string{"required"}, hangUp: worker == "sync", blocking: true,
		prepare: func(_ context.Context, y *yard) (proc.Spec, error) {
			return python(y, "-m", "gunicorn", "--bind", "127.0.0.1:"+y.port("required"), "--worker-class", worker, "--workers", "2", "--threads", "8",
				"--keep-alive", "60", "--timeout", "60", "--graceful-timeout", "2", "--log-level", "warning", "--cert-reqs", "2",
				"--certfile", y.Cert, "--keyfile", y.Key, "--ca-certs", y.CA, "app:wsgi")
		},
		rows: rows(full("required"), both(Row{Session: "ticket", port: "required", mode: "resume", per: 5, never: true,
			Note: "a context for each connection: nothing is resumed"})),
	}
}

func uvicorn(loop string) *server {
	return &server{
		name: "uvicorn " + loop, ports: []string{"required"}, memory: true,
		prepare: func(_ context.Context, y *yard) (proc.Spec, error) {
			return python(y, "-m", "uvicorn", "--host", "127.0.0.1", "--port", y.port("required"), "--loop", loop, "--log-level", "warning",
				"--timeout-keep-alive", "60", "--ssl-cert-reqs", "2", "--ssl-certfile", y.Cert, "--ssl-keyfile", y.Key, "--ssl-ca-certs", y.CA, "app:asgi")
		},
		rows: rows(full("required"), crowded("required"), resumed("ticket", "required"), []Row{sessionID("session id, cache in process", "required")}),
	}
}

func uwsgi() *server {
	return &server{
		name: "uwsgi", ports: []string{"required"}, exe: "/usr/bin/uwsgi-core",
		prepare: func(_ context.Context, y *yard) (proc.Spec, error) {
			_, err := y.put("app.py", false)
			return proc.Spec{Path: "/usr/bin/uwsgi-core", Args: []string{"--plugins", "http,python3", "--master", "--die-on-term", "--processes", "2",
				"--https", "127.0.0.1:" + y.port("required") + "," + y.Cert + "," + y.Key + ",HIGH,!" + y.CA, "--https-session-context", "lab",
				"--http-keepalive=60", "--so-keepalive", "--add-header", "Connection: Keep-Alive", "--disable-logging", "--module", "app:wsgi"},
				Env: environment("PYTHONDONTWRITEBYTECODE=1"), User: y.nobody}, err
		},
		rows: rows(full("required"), resumed("ticket", "required")),
	}
}
