package service

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"tenantrace/lab/proc"
)

// Worker is a kind of gunicorn worker.
type Worker string

// The kinds.
const (
	Sync    Worker = "sync"    // one request at a time; closes the connection after each
	GThread Worker = "gthread" // a pool of threads; keep-alive
)

// Database says how the service reaches PostgreSQL.
type Database struct {
	Host     string // address, or the directory of the unix socket
	Port     int
	SSLMode  string // libpq's
	Password string
	MaxAge   int // seconds that Django keeps a connection; 0: one per request
}

// Config says what to run.
type Config struct {
	Name          string // application_name at the database, and name of its log
	Dir           string // where Install put the service
	Exe           string // from Install
	Worker        Worker
	Workers       int
	Threads       int // of each gthread worker
	Database      Database
	CertFile      string
	KeyFile       string
	CAFile        string
	CertReqs      int    // ssl.CERT_NONE 0, CERT_OPTIONAL 1, CERT_REQUIRED 2
	Careless      bool   // asks for a certificate and ignores that it does not verify
	DefaultTenant string // of requests without a certificate; "" none
}

// Server is a running service.
type Server struct {
	Addr    string // host:port of its listener
	process *proc.Process
}

// Start runs the service and waits until it accepts connections. It issues no SQL before its first request.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	account, err := unprivileged()
	if err != nil {
		return nil, err
	}
	// The listener is made here and inherited: a port that is free when gunicorn is started cannot be taken before it binds.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for %s: %w", cfg.Name, err)
	}
	defer listener.Close()
	file, err := listener.(*net.TCPListener).File()
	if err != nil {
		return nil, fmt.Errorf("listen for %s: %w", cfg.Name, err)
	}
	defer file.Close()
	s := &Server{Addr: listener.Addr().String()}
	s.process, err = proc.Start(proc.Spec{
		Name: cfg.Name, Path: cfg.Exe, Args: arguments(cfg), Env: environment(cfg), Dir: filepath.Join(cfg.Dir, "site"),
		Log: filepath.Join(cfg.Dir, cfg.Name+".log"), User: account, Inherit: []*os.File{file}, Stop: syscall.SIGTERM,
	})
	if err != nil {
		return nil, err
	}
	if err := s.wait(ctx); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// Stop ends the service.
func (s *Server) Stop() error { return s.process.Stop(10 * time.Second) }

// PID returns the process id of gunicorn's master, which is also the process group of its workers.
func (s *Server) PID() int { return s.process.PID() }

func arguments(cfg Config) []string {
	args := []string{"-m", "gunicorn", "--bind", "fd://3", "--worker-class", string(cfg.Worker), "--workers", strconv.Itoa(cfg.Workers),
		"--keep-alive", "75", "--timeout", "60", "--graceful-timeout", "3", "--log-level", "warning",
		"--certfile", cfg.CertFile, "--keyfile", cfg.KeyFile, "--ca-certs", cfg.CAFile, "--cert-reqs", strconv.Itoa(cfg.CertReqs)}
	if cfg.Worker == GThread {
		args = append(args, "--threads", strconv.Itoa(cfg.Threads))
	}
	if cfg.Careless {
		args = append(args, "--config", "careless_tls.py")
	}
	return append(args, "labsite.wsgi:application")
}

func environment(cfg Config) []string {
	return []string{
		"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC", "HOME=/nonexistent", "PYTHONHOME=/usr", "PYTHONDONTWRITEBYTECODE=1",
		"PYTHONWARNINGS=ignore::DeprecationWarning", // gunicorn 20.1 calls ssl.wrap_socket
		"LAB_NAME=" + cfg.Name,
		"LAB_SECRET=" + cfg.Database.Password,
		"LAB_DB_HOST=" + cfg.Database.Host,
		"LAB_DB_PORT=" + strconv.Itoa(cfg.Database.Port),
		"LAB_DB_SSLMODE=" + cfg.Database.SSLMode,
		"LAB_DB_PASSWORD=" + cfg.Database.Password,
		"LAB_CONN_MAX_AGE=" + strconv.Itoa(cfg.Database.MaxAge),
		"LAB_DEFAULT_TENANT=" + cfg.DefaultTenant,
	}
}

// wait makes TLS connections until one is served: the listener accepts from the start, but only a booted worker shakes hands.
func (s *Server) wait(ctx context.Context) error {
	for deadline := time.Now().Add(proc.Patience); ; {
		dialer := net.Dialer{Timeout: 20 * time.Second}
		// This only asks whether somebody is there; no data goes over the connection.
		connection, err := tls.DialWithDialer(&dialer, "tcp", s.Addr, &tls.Config{InsecureSkipVerify: true})
		if err == nil {
			connection.Close() // an error only says that the service wanted a certificate
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.process.Done():
			return fmt.Errorf("the service ended while starting: %s", proc.Tail(s.process.Log(), 5))
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the service is not ready after %s (%w): %s", proc.Patience, err, proc.Tail(s.process.Log(), 5))
		}
	}
}

// unprivileged is the user that the service runs as.
func unprivileged() (*proc.User, error) {
	account, err := user.Lookup("nobody")
	if err != nil {
		return nil, fmt.Errorf("find user nobody: %w", err)
	}
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("read user id of nobody: %w", err)
	}
	gid, err := strconv.ParseUint(account.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("read group id of nobody: %w", err)
	}
	return &proc.User{UID: uint32(uid), GID: uint32(gid)}, nil
}

// Own gives a file to the user that the service runs as.
func Own(path string) error {
	account, err := unprivileged()
	if err != nil {
		return err
	}
	if err := os.Chown(path, int(account.UID), int(account.GID)); err != nil {
		return fmt.Errorf("give file to the service: %w", err)
	}
	return nil
}
