package matrix

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"tenantrace/lab/audit"
	"tenantrace/lab/proc"
	"tenantrace/lab/tracer"
)

// playDatabase plays PostgreSQL as a server of OpenSSL: its clients have certificates, but they send no requests, and none must be made of what they do.
func (m *matrix) playDatabase(ctx context.Context) (err error) {
	p := &postgresql{matrix: m, dir: filepath.Join(m.dir, database)}
	if err := p.start(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.process.Stop(10*time.Second)) }()
	out := filepath.Join(p.dir, "daemon")
	if err := os.Mkdir(out, 0o755); err != nil {
		return fmt.Errorf("make directory of the daemon: %w", err)
	}
	exe := filepath.Join(p.bin, "postgres")
	daemon, err := tracer.Start(ctx, tracer.Config{Binary: m.cfg.Daemon, Dir: out, Policy: m.policy, Exe: exe, Record: true})
	if err != nil {
		return err
	}
	for _, version := range []string{"1.2", "1.3"} {
		if err := p.clients(ctx, version); err != nil {
			return errors.Join(err, daemon.Stop())
		}
	}
	if err := daemon.Stop(); err != nil {
		return err
	}
	return p.tell(daemon.Record)
}

// postgresql is a PostgreSQL server with a role for each tenant's certificate.
type postgresql struct {
	*matrix
	dir, bin string
	port     string
	process  *proc.Process
}

// start makes a cluster and starts it.
func (p *postgresql) start(ctx context.Context) error {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(found) == 0 {
		return errors.Join(errors.New("no PostgreSQL server under /usr/lib/postgresql [run lab/provision.sh]"), err)
	}
	p.bin = filepath.Dir(found[len(found)-1])
	account, err := lookUp("postgres")
	if err != nil {
		return err
	}
	ports, err := freePorts([]string{"sql"})
	if err != nil {
		return err
	}
	p.port = strconv.Itoa(ports["sql"])
	if err := os.Mkdir(p.dir, 0o755); err != nil {
		return fmt.Errorf("make directory of PostgreSQL: %w", err)
	}
	key, err := os.ReadFile(p.server.KeyFile)
	if err != nil {
		return fmt.Errorf("read key: %w", err)
	}
	own := filepath.Join(p.dir, "server.key") // PostgreSQL wants a key of its own user
	if err := os.WriteFile(own, key, 0o600); err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	for _, path := range []string{p.dir, own} {
		if err := os.Chown(path, int(account.UID), int(account.GID)); err != nil {
			return fmt.Errorf("give to PostgreSQL: %w", err)
		}
	}
	data := filepath.Join(p.dir, "data")
	initdb := exec.CommandContext(ctx, filepath.Join(p.bin, "initdb"), "-D", data, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--auth=trust", "--no-sync")
	initdb.Dir, initdb.Env = p.dir, environment()
	initdb.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: account.UID, Gid: account.GID}, Setpgid: true}
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, strings.TrimSpace(string(out)))
	}
	access := "local all all trust\nhostssl all all 127.0.0.1/32 cert clientcert=verify-full\n"
	if err := os.WriteFile(filepath.Join(data, "pg_hba.conf"), []byte(access), 0o600); err != nil {
		return fmt.Errorf("configure PostgreSQL: %w", err)
	}
	args := []string{"-D", data}
	for _, setting := range []string{"listen_addresses=127.0.0.1", "port=" + p.port, "unix_socket_directories=" + p.dir, "ssl=on", "ssl_cert_file=" + p.server.CertFile,
		"ssl_key_file=" + own, "ssl_ca_file=" + p.authority.RootFile, "fsync=off", "max_connections=100"} {
		args = append(args, "-c", setting)
	}
	p.process, err = proc.Start(proc.Spec{Name: database, Path: filepath.Join(p.bin, "postgres"), Args: args, Env: environment(), Dir: p.dir,
		Log: filepath.Join(p.dir, "log"), User: account, Stop: syscall.SIGINT}) // fast shutdown
	if err != nil {
		return err
	}
	if err := p.wait(ctx); err != nil {
		return errors.Join(err, p.process.Stop(10*time.Second))
	}
	return nil
}

// wait waits until the server answers, and makes the roles.
func (p *postgresql) wait(ctx context.Context) error {
	var roles strings.Builder
	for i := range tenantCount {
		fmt.Fprintf(&roles, "CREATE ROLE \"tenant%02d-client\" LOGIN;\n", i)
	}
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		err := p.psql(ctx, roles.String(), "PGHOST="+p.dir, "PGUSER=postgres")
		if err == nil || ctx.Err() != nil || time.Now().After(deadline) {
			return err
		}
	}
}

// psql runs statements.
func (p *postgresql) psql(ctx context.Context, statements string, env ...string) error {
	psql := exec.CommandContext(ctx, filepath.Join(p.bin, "psql"), "-X", "-q", "-A", "-t", "-1", "-v", "ON_ERROR_STOP=1", "-d", "postgres", "-o", "/dev/null", "-f", "-")
	psql.Env, psql.Stdin = append(environment("PGPORT="+p.port), env...), strings.NewReader(statements)
	if out, err := psql.CombinedOutput(); err != nil {
		return fmt.Errorf("psql: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

// clients lets each tenant send its share of the statements over one connection.
func (p *postgresql) clients(ctx context.Context, version string) error {
	statements := strings.Repeat("SELECT 'GET / HTTP/1.1';\n", p.cfg.Requests/tenantCount+1)
	var running sync.WaitGroup
	failed := make(chan error, tenantCount)
	turn := make(chan struct{}, 8)
	for i := range tenantCount {
		running.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			err := p.psql(ctx, statements, "PGHOST=localhost", "PGHOSTADDR=127.0.0.1", fmt.Sprintf("PGUSER=tenant%02d-client", i), "PGSSLMODE=verify-full",
				"PGSSLROOTCERT="+p.authority.RootFile, "PGSSLCERT="+p.files[i].Cert, "PGSSLKEY="+p.files[i].Key,
				"PGSSLMINPROTOCOLVERSION=TLSv"+version, "PGSSLMAXPROTOCOLVERSION=TLSv"+version)
			if err != nil {
				failed <- err
			}
		})
	}
	running.Wait()
	close(failed)
	return <-failed // nil of a channel without any
}

// tell prints the rows: n are the connections.
func (p *postgresql) tell(recording string) error {
	told := map[string]map[string]int{"1.2": {}, "1.3": {}} // by version and certificate
	problems := 0
	err := audit.EachLine(recording, func(text []byte) error {
		problem, err := databaseLine(text, told)
		if problem != "" {
			if problems++; problems <= 3 {
				fmt.Fprintf(p.cfg.Out, "FAIL %-18s %s\n", database, problem)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	if problems > 0 {
		p.bad++
	}
	for _, version := range []string{"1.2", "1.3"} {
		row := Row{TLS: version, Session: "full, clientcert=verify-full", Note: fmt.Sprintf("connections; %d requests or errors where there must be none", problems)}
		t := Tally{N: tenantCount}
		strange := len(told[version])
		for _, someone := range p.people[:tenantCount] {
			if n := told[version][someone.sha256]; n == 1 {
				t.Right++
			} else {
				t.Unknown++
			}
			if told[version][someone.sha256] > 0 {
				strange--
			}
		}
		t.Wrong = strange
		a := &act{matrix: p.matrix, server: &server{name: database}}
		a.print(&row, &t, nil)
	}
	return nil
}
