// Package postgres runs a PostgreSQL server of the lab's own: its own directory, port, socket and certificate, away from any that the
// machine has.
package postgres

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"tenantrace/lab/proc"
)

//go:embed schema.sql
var schema string

// Config says where and how to run.
type Config struct {
	Dir           string // made; must be reachable by user postgres
	CertFile      string // PEM, copied
	KeyFile       string // PEM, copied
	LogStatements bool   // log_statement = all
	Seed          string // directory made by Keep, whose copy is used; "" a new cluster is made
}

// Cluster is a running server with the lab's schema and data.
type Cluster struct {
	Host      string // address for TCP
	Port      int
	SocketDir string
	Password  string // of lab_app
	data      string // directory
	owner     string // password of lab_owner; "" not known
	process   *proc.Process
}

// maxSocketDir keeps the socket's path within sockaddr_un (unix(7)): 107 bytes with "/.s.PGSQL.65535".
const maxSocketDir = 107 - len("/.s.PGSQL.65535")

// Start makes the cluster and starts it.
func Start(ctx context.Context, cfg Config) (*Cluster, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	account, err := postgresUser()
	if err != nil {
		return nil, err
	}
	c := &Cluster{Host: "127.0.0.1", SocketDir: filepath.Join(cfg.Dir, "s"), Password: secret(), data: filepath.Join(cfg.Dir, "data")}
	if len(c.SocketDir) > maxSocketDir {
		return nil, fmt.Errorf("socket directory %q is longer than %d bytes [choose a shorter work directory]", c.SocketDir, maxSocketDir)
	}
	owner := secret()
	if err := prepare(cfg, c.SocketDir, owner, account); err != nil {
		return nil, err
	}
	if cfg.Seed != "" {
		c.Password, err = plant(cfg.Seed, c.data, account)
	} else {
		err = initialise(ctx, bin, cfg.Dir, c.data, account)
	}
	if err != nil {
		return nil, err
	}
	if c.Port, err = freePort(); err != nil {
		return nil, err
	}
	if err := configure(c.data, c, cfg.LogStatements); err != nil {
		return nil, err
	}
	c.process, err = proc.Start(proc.Spec{
		Name: "postgres", Path: filepath.Join(bin, "postgres"), Args: []string{"-D", c.data}, Env: environment(""), Dir: cfg.Dir,
		Log: filepath.Join(cfg.Dir, "postgres.log"), User: account, Stop: syscall.SIGINT, // fast shutdown
	})
	if err != nil {
		return nil, err
	}
	err = c.wait(ctx, bin)
	if err == nil && cfg.Seed == "" {
		c.owner = owner
		err = c.Load(ctx, "postgres", schema)
	}
	if err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

// initialise makes an empty cluster in data, below dir.
func initialise(ctx context.Context, bin, dir, data string, account *proc.User) error {
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", data, "-U", "lab_owner", "-E", "UTF8", "--locale=C.UTF-8",
		"--auth=scram-sha-256", "--pwfile="+filepath.Join(dir, "owner"), "--no-sync")
	initdb.Dir, initdb.Env = dir, environment("")
	initdb.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: account.UID, Gid: account.GID}, Setpgid: true}
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb in %q: %w: %s", data, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// Stop ends the server.
func (c *Cluster) Stop() error { return c.process.Stop(10 * time.Second) }

// wait waits until the server answers.
func (c *Cluster) wait(ctx context.Context, bin string) error {
	for deadline := time.Now().Add(proc.Patience); ; time.Sleep(100 * time.Millisecond) {
		ready := exec.CommandContext(ctx, filepath.Join(bin, "pg_isready"), "-q", "-h", c.SocketDir, "-p", strconv.Itoa(c.Port))
		if ready.Env = environment(""); ready.Run() == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.process.Done():
			return fmt.Errorf("postgres ended while starting: %s", proc.Tail(c.process.Log(), 5))
		default:
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("postgres is not ready after %s: %s", proc.Patience, proc.Tail(c.process.Log(), 5))
		}
	}
}

// Load has psql run a script in a database as the owner of all. A cluster of a seed has an owner whose password nobody knows.
func (c *Cluster) Load(ctx context.Context, database, script string) error {
	if c.owner == "" {
		return errors.New("the password of the kept database's owner is not known [use a new database]")
	}
	bin, err := binaries()
	if err != nil {
		return err
	}
	psql := exec.CommandContext(ctx, filepath.Join(bin, "psql"), "-X", "-q", "-h", c.SocketDir, "-p", strconv.Itoa(c.Port), "-U", "lab_owner", "-d", database,
		"-v", "ON_ERROR_STOP=1", "-v", "app_password="+c.Password, "-f", "-")
	psql.Env, psql.Stdin = environment(c.owner), strings.NewReader(script)
	if out, err := psql.CombinedOutput(); err != nil {
		return fmt.Errorf("load the schema: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

// binaries finds the newest installed server.
func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil {
		return "", err
	}
	newest, dir := -1, ""
	for _, path := range found {
		bin := filepath.Dir(path)
		if version, err := strconv.Atoi(filepath.Base(filepath.Dir(bin))); err == nil && version > newest {
			newest, dir = version, bin
		}
	}
	if dir == "" {
		return "", errors.New("no PostgreSQL server under /usr/lib/postgresql [run lab/provision.sh]")
	}
	return dir, nil
}

func postgresUser() (*proc.User, error) {
	account, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("find user postgres [run lab/provision.sh]: %w", err)
	}
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("read user id of postgres: %w", err)
	}
	gid, err := strconv.ParseUint(account.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("read group id of postgres: %w", err)
	}
	return &proc.User{UID: uint32(uid), GID: uint32(gid)}, nil
}

// environment is all that the server's programs get to see: no PG* variable of the caller reaches them.
func environment(password string) []string {
	env := []string{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC"}
	if password != "" {
		env = append(env, "PGPASSWORD="+password)
	}
	return env
}

// prepare makes the directory, with the password file and the certificate that initdb and the server read.
func prepare(cfg Config, socketDir, owner string, account *proc.User) error {
	for _, dir := range []string{cfg.Dir, socketDir} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("make directory: %w", err)
		}
		if err := os.Chown(dir, int(account.UID), int(account.GID)); err != nil {
			return fmt.Errorf("give directory to postgres: %w", err)
		}
	}
	write := func(name string, text []byte) error {
		path := filepath.Join(cfg.Dir, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return fmt.Errorf("write file for postgres: %w", err)
		}
		if err := os.Chown(path, int(account.UID), int(account.GID)); err != nil {
			return fmt.Errorf("give file to postgres: %w", err)
		}
		return nil
	}
	for name, source := range map[string]string{"server.pem": cfg.CertFile, "server.key": cfg.KeyFile} {
		text, err := readFile(source)
		if err != nil {
			return err
		}
		if err := write(name, text); err != nil {
			return err
		}
	}
	return write("owner", []byte(owner+"\n"))
}

func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read certificate for postgres: %w", err)
	}
	defer file.Close()
	return io.ReadAll(file)
}
