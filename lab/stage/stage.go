// Package stage sets the lab up and takes it down: work directory, certificates, database, services, daemon.
package stage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"tenantrace/lab/pki"
	"tenantrace/lab/postgres"
	"tenantrace/lab/service"
	"tenantrace/lab/traffic"
)

// Tenants are the tenants that have a certificate and rows.
var Tenants = [...]string{"acme", "beta", "gamma", "delta"}

// The identities that are no tenant.
const (
	Operator = "ops"       // may see all tenants
	Nobody   = "nobody"    // presents no certificate
	Stranger = "untrusted" // calls itself beta, by its own signature
	Lapsed   = "expired"   // beta's certificate of last month
)

// Config says how to set up.
type Config struct {
	Work          string // directory that takes the lab's own; "" the system's for temporary files
	Keep          bool   // leaves the lab's directory behind
	LogStatements bool   // PostgreSQL writes each statement into its log
	Policy        []byte
	Seed          string // directory of a database that Seed made; "" one is made
}

// Stage is a lab that is set up. Its methods are for one goroutine at a time, but Client.
type Stage struct {
	Dir      string // the lab's own
	Policy   string // file
	Database *postgres.Cluster
	Exe      string // executable of the service
	CA       *pki.Authority
	cfg      Config
	server   *pki.Leaf
	leaves   map[string]*pki.Leaf
	undo     []func() error
}

// New makes the work directory and certificates, and starts the database.
func New(ctx context.Context, cfg Config) (*Stage, error) {
	s := &Stage{cfg: cfg, leaves: make(map[string]*pki.Leaf)}
	if err := s.setUp(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close stops what was started, the last first, and removes the lab's directory unless it is to be kept.
func (s *Stage) Close() error {
	var all error
	for _, undo := range slices.Backward(s.undo) {
		all = errors.Join(all, undo())
	}
	s.undo = nil
	return all
}

// Defer adds something to be undone by Close.
func (s *Stage) Defer(undo func() error) { s.undo = append(s.undo, undo) }

func (s *Stage) setUp(ctx context.Context) error {
	if err := s.makeDirectory(); err != nil {
		return err
	}
	if err := os.WriteFile(s.Policy, s.cfg.Policy, 0o644); err != nil {
		return fmt.Errorf("write policy: %w", err)
	}
	if err := s.issue(); err != nil {
		return err
	}
	var err error
	if s.Exe, err = service.Install(filepath.Join(s.Dir, "service")); err != nil {
		return err
	}
	s.Database, err = postgres.Start(ctx, postgres.Config{
		Dir: filepath.Join(s.Dir, "pg"), CertFile: s.server.CertFile, KeyFile: s.server.KeyFile, LogStatements: s.cfg.LogStatements, Seed: s.cfg.Seed,
	})
	if err != nil {
		return err
	}
	s.Defer(s.Database.Stop)
	return nil
}

// makeDirectory makes the lab's directory, which the unprivileged servers must be able to reach.
func (s *Stage) makeDirectory() error {
	if s.cfg.Work != "" {
		if err := os.MkdirAll(s.cfg.Work, 0o755); err != nil {
			return fmt.Errorf("make work directory: %w", err)
		}
	}
	dir, err := os.MkdirTemp(s.cfg.Work, "tenantrace-lab-")
	if err != nil {
		return fmt.Errorf("make work directory: %w", err)
	}
	if s.Dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	if !s.cfg.Keep {
		s.Defer(func() error { return os.RemoveAll(s.Dir) })
	}
	s.Policy = filepath.Join(s.Dir, "policy.yaml")
	if err := os.Chmod(s.Dir, 0o755); err != nil {
		return fmt.Errorf("open work directory to the servers: %w", err)
	}
	for parent := filepath.Dir(s.Dir); ; parent = filepath.Dir(parent) {
		info, err := os.Stat(parent)
		if err != nil {
			return fmt.Errorf("look at work directory: %w", err)
		}
		if info.Mode().Perm()&0o001 == 0 {
			return fmt.Errorf("the unprivileged servers cannot pass directory %q [choose another with --work]", parent)
		}
		if parent == filepath.Dir(parent) {
			break
		}
	}
	for _, name := range []string{"pki", "out"} {
		if err := os.Mkdir(filepath.Join(s.Dir, name), 0o755); err != nil {
			return fmt.Errorf("make work directory: %w", err)
		}
	}
	return os.MkdirAll(filepath.Join(s.Dir, "service", "site"), 0o755)
}

func (s *Stage) issue() error {
	var err error
	if s.CA, err = pki.New(filepath.Join(s.Dir, "pki")); err != nil {
		return err
	}
	if s.server, err = s.CA.Server("server"); err != nil {
		return err
	}
	if err := service.Own(s.server.KeyFile); err != nil {
		return err
	}
	profiles := map[string]pki.Profile{Operator: pki.Operator("alice")}
	for _, tenant := range Tenants {
		profiles[tenant] = pki.Tenant(tenant)
	}
	stranger := pki.Tenant("beta")
	stranger.File, stranger.SelfSigned = Stranger, true
	profiles[Stranger] = stranger
	lapsed := pki.Tenant("beta")
	lapsed.File, lapsed.From, lapsed.Until = Lapsed, time.Now().AddDate(0, -2, 0), time.Now().AddDate(0, -1, 0)
	profiles[Lapsed] = lapsed
	for who, profile := range profiles {
		if s.leaves[who], err = s.CA.Client(profile); err != nil {
			return err
		}
	}
	return nil
}

// Client makes a client of a server that presents the certificate of who.
func (s *Stage) Client(server *service.Server, who string) (*traffic.Client, error) {
	c := &traffic.Client{Addr: server.Addr, Roots: s.CA.Roots}
	if who == Nobody {
		return c, nil
	}
	leaf := s.leaves[who]
	if leaf == nil {
		return nil, fmt.Errorf("nobody has a certificate for %q", who)
	}
	c.Certificate = &leaf.TLS
	return c, nil
}
