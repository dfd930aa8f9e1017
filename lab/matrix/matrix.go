// Package matrix holds the daemon's identity of each request against the certificate that was sent with it, over real servers, versions of TLS, and ways
// for a session to come to be.
package matrix

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
	"tenantrace/lab/proc"
	"tenantrace/lab/service"
)

// Config says what to run.
type Config struct {
	Daemon   string // executable
	Work     string // directory that takes the lab's own; "" the system's for temporary files
	Keep     bool   // leaves the lab's files behind
	Servers  []string
	Requests int  // at least, in each row
	Quick    bool // a part of the servers
	Out      io.Writer
}

// Defaults of Config.Requests.
const (
	DefaultRequests = 3001
	QuickRequests   = 307
)

// The numbers of certificates. Clients is also that of connections at once.
const (
	Clients     = 32
	tenantCount = 50
	strangerMax = 4
)

// ErrRows is returned when an identity was wrong or unknown; the table says where.
var ErrRows = errors.New("not every identity was right")

// servers are all servers, in the table's order.
func servers() []*server {
	all := []*server{nginx(), apache("event"), apache("prefork"), gunicorn("sync"), gunicorn("gthread"), uwsgi(), uvicorn("asyncio"), uvicorn("uvloop"),
		node("20"), node("24"), puma()}
	for _, r := range releases {
		all = append(all, small(r))
	}
	return all
}

// quick are the servers of the quick matrix: a socket BIO and a memory BIO, a shared library and a static one, 1.1.1 and 3.
var quick = []string{"nginx", "uvicorn uvloop", "node 20", "C server 1.1.1", database}

// database is the name of the row of PostgreSQL.
const database = "postgres"

// matrix is a run.
type matrix struct {
	cfg       Config
	dir       string
	cache     string
	policy    string
	authority *pki.Authority
	server    *pki.Leaf
	nobody    *proc.User
	people    []person
	leaves    []*pki.Leaf // of the people
	files     []clientFile
	bad       int // rows
}

// Run runs the matrix and prints its table.
func Run(ctx context.Context, cfg Config) (err error) {
	selected, withDatabase, err := selection(&cfg)
	if err != nil {
		return err
	}
	m, err := newMatrix(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.close()) }()
	if cfg.Keep {
		fmt.Fprintf(cfg.Out, "lab: files are in %s and stay there; the recordings among them hold what went over the connections\n", m.dir)
	}
	printHead(cfg.Out)
	for _, s := range selected {
		if err := m.play(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	if withDatabase {
		if err := m.playDatabase(ctx); err != nil {
			return fmt.Errorf("%s: %w", database, err)
		}
	}
	if m.bad > 0 {
		return fmt.Errorf("%d rows: %w", m.bad, ErrRows)
	}
	return nil
}

// newMatrix installs what the servers need, and makes directories and certificates.
func newMatrix(ctx context.Context, cfg Config) (*matrix, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("the matrix runs servers as users of their own and traces them, which only root can [run it as root]")
	}
	if err := script(ctx, provisionScript, cfg.Out); err != nil {
		return nil, fmt.Errorf("install what the matrix needs: %w", err)
	}
	m := &matrix{cfg: cfg}
	if err := m.setUp(); err != nil {
		return nil, errors.Join(err, m.close())
	}
	return m, nil
}

// close removes what newMatrix made, but for what stays between runs.
func (m *matrix) close() error {
	if m.cfg.Keep || m.dir == "" {
		return nil
	}
	return os.RemoveAll(m.dir)
}

// yard is where a server runs.
func (m *matrix) yard(s *server) *yard {
	dir := filepath.Join(m.dir, strings.ReplaceAll(s.name, " ", "-"))
	return &yard{Name: filepath.Base(dir), Dir: dir, Cert: m.server.CertFile, Key: m.server.KeyFile, CA: m.authority.RootFile, cache: m.cache, nobody: m.nobody}
}

// selection gives the servers that were asked for.
func selection(cfg *Config) (selected []*server, withDatabase bool, err error) {
	if cfg.Requests == 0 {
		cfg.Requests = DefaultRequests
		if cfg.Quick {
			cfg.Requests = QuickRequests
		}
	}
	if cfg.Requests < QuickRequests {
		return nil, false, fmt.Errorf("%d requests are too few for %d clients to resume sessions [at least %d]", cfg.Requests, Clients, QuickRequests)
	}
	wanted := cfg.Servers
	if len(wanted) == 0 && cfg.Quick {
		wanted = quick
	}
	names := []string{database}
	for _, s := range servers() {
		names = append(names, s.name)
		if len(wanted) == 0 || slices.Contains(wanted, s.name) {
			selected = append(selected, s)
		}
	}
	for _, w := range wanted {
		if !slices.Contains(names, w) {
			return nil, false, fmt.Errorf("no server %q [one of %s]", w, strings.Join(names, ", "))
		}
	}
	return selected, len(wanted) == 0 || slices.Contains(wanted, database), nil
}

func (m *matrix) setUp() error {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	// The servers run as others: what is below a home directory is closed to them.
	if m.cache, err = shared(cache); err != nil {
		return err
	}
	if m.cfg.Work != "" {
		if err := os.MkdirAll(m.cfg.Work, 0o755); err != nil {
			return fmt.Errorf("make work directory: %w", err)
		}
	}
	if m.dir, err = os.MkdirTemp(m.cfg.Work, "tenantrace-matrix-"); err != nil {
		return fmt.Errorf("make work directory: %w", err)
	}
	if m.dir, err = filepath.Abs(m.dir); err != nil {
		return err
	}
	if err := os.Chmod(m.dir, 0o755); err != nil {
		return fmt.Errorf("open work directory to the servers: %w", err)
	}
	m.policy = filepath.Join(m.dir, "policy.yaml")
	if err := os.WriteFile(m.policy, []byte("version: 1\n"), 0o644); err != nil {
		return fmt.Errorf("write policy: %w", err)
	}
	if m.nobody, err = lookUp("nobody"); err != nil {
		return err
	}
	return m.issue()
}

// issue makes the certificates: of the server, of the tenants, and of strangers who signed theirs themselves.
func (m *matrix) issue() error {
	dir := filepath.Join(m.dir, "pki")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return fmt.Errorf("make work directory: %w", err)
	}
	var err error
	if m.authority, err = pki.New(dir); err != nil {
		return err
	}
	if m.server, err = m.authority.Server("server"); err != nil {
		return err
	}
	if err := service.Own(m.server.KeyFile); err != nil {
		return err
	}
	for i := range tenantCount + strangerMax {
		profile := pki.Tenant(fmt.Sprintf("tenant%02d", i))
		if profile.SelfSigned = i >= tenantCount; profile.SelfSigned {
			profile = pki.Tenant(fmt.Sprintf("tenant%02d", i-tenantCount)) // calls himself as a tenant does
			profile.File, profile.SelfSigned = fmt.Sprintf("stranger%02d", i), true
		}
		leaf, err := m.authority.Client(profile)
		if err != nil {
			return err
		}
		m.leaves = append(m.leaves, leaf)
		m.people = append(m.people, person{leaf.SHA256, !profile.SelfSigned})
		m.files = append(m.files, clientFile{leaf.CertFile, leaf.KeyFile})
	}
	return nil
}
