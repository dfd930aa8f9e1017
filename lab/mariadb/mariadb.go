// Package mariadb runs a MariaDB server of the lab's own: its own directory, port and log of all statements, away from any that the machine has.
package mariadb

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"tenantrace/lab/proc"
)

// The executables, of Debian's mariadb-server-core and mariadb-client-core.
const (
	daemon  = "/usr/sbin/mariadbd"
	install = "/usr/bin/mariadb-install-db"
	client  = "/usr/bin/mariadb"
)

// Server is a running server.
type Server struct {
	Host    string // address for TCP
	Port    int
	log     string // of all statements
	process *proc.Process
}

// maxSocket is the longest path of a unix socket, in bytes (unix(7)).
const maxSocket = 107

// Start makes a server in dir, which it makes too, starts it and has it run SQL as its administrator.
func Start(ctx context.Context, dir, sql string) (*Server, error) {
	for _, path := range []string{daemon, install, client} {
		if _, err := os.Stat(path); err != nil {
			return nil, fmt.Errorf("no MariaDB server: %w [apt-get install mariadb-server-core mariadb-client-core]", err)
		}
	}
	socket := filepath.Join(dir, "s")
	if len(socket) > maxSocket {
		return nil, fmt.Errorf("socket %q is longer than %d bytes [choose a shorter work directory]", socket, maxSocket)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make directory of MariaDB: %w", err)
	}
	s := &Server{Host: "127.0.0.1", log: filepath.Join(dir, "statements")}
	var err error
	if s.Port, err = freePort(); err != nil {
		return nil, err
	}
	options := []string{"--no-defaults", "--datadir=" + filepath.Join(dir, "data"), "--user=root", "--innodb-buffer-pool-size=8M", "--innodb-log-file-size=4M",
		"--innodb-flush-log-at-trx-commit=0"}
	command := exec.CommandContext(ctx, install, append(options, "--auth-root-authentication-method=normal", "--skip-test-db")...)
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if out, err := command.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s: %w: %s", install, err, strings.TrimSpace(string(out)))
	}
	s.process, err = proc.Start(proc.Spec{
		Name: "mariadbd", Path: daemon, Env: environment(), Dir: dir, Log: filepath.Join(dir, "log"), Stop: syscall.SIGTERM,
		Args: append(options, "--socket="+socket, "--bind-address="+s.Host, "--port="+strconv.Itoa(s.Port), "--pid-file="+filepath.Join(dir, "pid"),
			"--skip-name-resolve", "--general-log=1", "--general-log-file="+s.log),
	})
	if err != nil {
		return nil, err
	}
	err = s.wait(ctx, socket)
	if err == nil {
		err = run(ctx, socket, sql)
	}
	if err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// Stop ends the server.
func (s *Server) Stop() error { return s.process.Stop(20 * time.Second) }

func (s *Server) wait(ctx context.Context, socket string) error {
	for deadline := time.Now().Add(proc.Patience); ; {
		connection, err := net.Dial("unix", socket)
		if err == nil {
			return connection.Close()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.process.Done():
			return fmt.Errorf("MariaDB ended while starting: %s", proc.Tail(s.process.Log(), 5))
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("MariaDB is not ready after %s: %s", proc.Patience, proc.Tail(s.process.Log(), 5))
		}
	}
}

func run(ctx context.Context, socket, sql string) error {
	command := exec.CommandContext(ctx, client, "--no-defaults", "--socket="+socket, "--user=root")
	command.Env, command.Stdin = environment(), strings.NewReader(sql)
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("load the schema: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

// environment is all that the server gets to see.
func environment() []string { return []string{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC"} }

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
