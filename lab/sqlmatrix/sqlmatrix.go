// Package sqlmatrix lets real client libraries of PostgreSQL and MySQL send the same labelled statements, and holds what the daemon knows of each against what
// is true, and the number of statements that it saw against the program's own count and the server's log.
package sqlmatrix

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tenantrace/lab/pki"
	"tenantrace/lab/service"
)

// Config says what to run.
type Config struct {
	Daemon     string // executable
	Work       string // directory that takes the lab's own; "" the system's for temporary files
	Keep       bool   // leaves the lab's files behind
	Drivers    []string
	Transports []string
	Quick      bool // a part of the drivers, on one transport each
	Out        io.Writer
}

// ErrRows is returned when a row of the matrix is not as it must be; the output says where.
var ErrRows = errors.New("not every statement was seen and known")

// matrix is a run.
type matrix struct {
	cfg     Config
	dir     string
	policy  string
	yard    *yard
	leaf    *pki.Leaf
	ca      string
	servers map[string]*server
	runs    int
	total   tally
	bad     int // rows
	blind   int // rows over a transport that cannot be read
	undo    []func() error
}

// Run plays the matrix and prints its table.
func Run(ctx context.Context, cfg Config) (err error) {
	if os.Geteuid() != 0 {
		return errors.New("the matrix runs database servers as users of their own and traces their clients, which only root can [run it as root]")
	}
	selected, err := selection(cfg)
	if err != nil {
		return err
	}
	if err := provision(ctx, cfg.Out, cfg.Quick); err != nil {
		return err
	}
	m := &matrix{cfg: cfg, servers: make(map[string]*server)}
	defer func() {
		for _, undo := range slices.Backward(m.undo) {
			err = errors.Join(err, undo())
		}
	}()
	if err := m.setUp(); err != nil {
		return err
	}
	if cfg.Keep {
		fmt.Fprintf(cfg.Out, "lab: files are in %s and stay there; the recordings among them hold what went over the connections\n", m.dir)
	}
	printHead(cfg.Out)
	for i := range selected {
		if err := m.play(ctx, &selected[i]); err != nil {
			return fmt.Errorf("%s: %w", selected[i].name, err)
		}
	}
	return m.conclude()
}

// selection gives the drivers that were asked for, with the transports that were.
func selection(cfg Config) ([]driver, error) {
	var out []driver
	var names []string
	for _, d := range drivers() {
		names = append(names, d.name)
		if len(cfg.Drivers) > 0 && !slices.Contains(cfg.Drivers, d.name) {
			continue
		}
		if cfg.Quick {
			d.transports = d.quick
		}
		d.transports = slices.DeleteFunc(slices.Clone(d.transports), func(t string) bool { return len(cfg.Transports) > 0 && !slices.Contains(cfg.Transports, t) })
		if len(d.transports) > 0 {
			out = append(out, d)
		}
	}
	for _, wanted := range cfg.Drivers {
		if !slices.Contains(names, wanted) {
			return nil, fmt.Errorf("no driver %q [one of %s]", wanted, strings.Join(names, ", "))
		}
	}
	for _, wanted := range cfg.Transports {
		if !slices.Contains(everyTransport, wanted) {
			return nil, fmt.Errorf("no transport %q [one of %s]", wanted, strings.Join(everyTransport, ", "))
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("nothing is to be played over %s", strings.Join(cfg.Transports, ", "))
	}
	return out, nil
}

// setUp makes the work directory and the certificate.
func (m *matrix) setUp() (err error) {
	if m.cfg.Work != "" {
		if err := os.MkdirAll(m.cfg.Work, 0o755); err != nil {
			return fmt.Errorf("make work directory: %w", err)
		}
	}
	if m.dir, err = os.MkdirTemp(m.cfg.Work, "tenantrace-sql-"); err != nil {
		return fmt.Errorf("make work directory: %w", err)
	}
	if !m.cfg.Keep {
		m.undo = append(m.undo, func() error { return os.RemoveAll(m.dir) })
	}
	if m.dir, err = filepath.Abs(m.dir); err != nil {
		return err
	}
	if err := os.Chmod(m.dir, 0o755); err != nil {
		return fmt.Errorf("open work directory to the servers: %w", err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	m.yard = &yard{drivers: filepath.Join(m.dir, "drivers"), build: filepath.Join(m.dir, "build"), cache: filepath.Join(cache, "tenantrace", "sqlmatrix")}
	for _, dir := range []string{m.yard.build, m.yard.cache, filepath.Join(m.dir, "pki")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("make work directory: %w", err)
		}
	}
	if err := os.CopyFS(m.dir, programs); err != nil {
		return fmt.Errorf("copy the drivers' programs: %w", err)
	}
	m.policy = filepath.Join(m.dir, "policy.yaml")
	if err := os.WriteFile(m.policy, policyFile, 0o644); err != nil {
		return fmt.Errorf("write policy: %w", err)
	}
	authority, err := pki.New(filepath.Join(m.dir, "pki"))
	if err != nil {
		return err
	}
	m.ca = authority.RootFile
	if m.leaf, err = authority.Server("server"); err != nil {
		return err
	}
	return service.Own(m.leaf.KeyFile)
}

// server gives the server of an engine, and starts the first time it is asked for.
func (m *matrix) server(ctx context.Context, engine string) (*server, error) {
	if s := m.servers[engine]; s != nil {
		return s, nil
	}
	start := startPostgres
	if engine == mysql {
		start = startMariaDB
	}
	s, err := start(ctx, filepath.Join(m.dir, engine), m.ca, m.leaf)
	if s != nil {
		m.undo = append(m.undo, s.stop)
	}
	if err != nil {
		return nil, err
	}
	m.servers[engine] = s
	return s, nil
}
