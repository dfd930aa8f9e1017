// Package accuracy measures what the daemon's links, sets of candidates and verdicts are worth: services of many kinds say, in a way that the daemon's judge
// never sees, for which request each statement is sent and whose data it is about, and each verdict line is held against that.
package accuracy

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"tenantrace/lab/matrix"
	"tenantrace/lab/pki"
	"tenantrace/lab/proc"
	"tenantrace/lab/service"
	"tenantrace/lab/stage"
)

// Config says what to measure.
type Config struct {
	Daemon     string   // executable
	Small      string   // executable of a daemon whose ring buffer is small; "": the cell that wants it is not played, which is said
	Work       string   // directory that takes the lab's own; "" the system's for temporary files
	Keep       bool     // leaves the lab's files behind
	Seed       string   // directory made by "lab seed" whose database is used; "" a new one is made
	Random     uint64   // decides what is sent
	Statements int      // of requests in each cell, at least
	Cells      []string // parts of the names of the cells to play; none: all
	Quick      bool     // the cells of the quick subset
	Scenes     []string // ids of the scenes to play; none: all, but none with Quick or Cells
	Out        io.Writer
	JSON       string // file that takes the results; "" none
}

// Defaults of Config.
const (
	DefaultRandom     = 1
	DefaultStatements = 30011
	QuickStatements   = 1201
)

// ErrAccuracy is returned when something was wrong that must not be; the output says what.
var ErrAccuracy = errors.New("a link, a set or a verdict is wrong")

// harness is what the cells have in common.
type harness struct {
	cfg     Config
	stage   *stage.Stage
	cache   string
	modules string // of Node
	nobody  *proc.User
	server  *pki.Leaf
	people  []*pki.Leaf
	bouncer int // port of PgBouncer
}

// policy is that of all cells.
const policy = `version: 1
identity:
  from: connection
  tenant:
    - san_uri: "spiffe://lab.example/tenant/{tenant}/**"
database:
  - engine: postgres
    tenant:
      columns: [tenant_id]
      settings: [app.tenant_id]
    tables:
      owned: [invoices]
`

// Run plays the cells and prints the tables.
func Run(ctx context.Context, cfg Config) error {
	if os.Geteuid() != 0 {
		return errors.New("the lab runs servers as users of their own and traces them, which only root can [run it as root]")
	}
	chosen, acts, err := choose(&cfg)
	if err != nil {
		return err
	}
	results, err := play(ctx, cfg, chosen, acts)
	if err != nil {
		return err
	}
	if len(results.Cells) > 0 {
		report(cfg.Out, results)
	}
	if cfg.JSON != "" {
		if err := results.write(cfg.JSON); err != nil {
			return err
		}
	}
	if n := results.failures(); n > 0 {
		return fmt.Errorf("%d of %d cells and %d scenes: %w", n, len(results.Cells), len(results.Scenes), ErrAccuracy)
	}
	fmt.Fprintf(cfg.Out, "\nPASS: %d cells and %d scenes, no wrong link, no unsound set, no false violation\n", len(results.Cells), len(results.Scenes))
	return nil
}

func play(ctx context.Context, cfg Config, chosen []Cell, acts []*scene) (r *Results, err error) {
	if err := provision(ctx, cfg.Out); err != nil {
		return nil, err
	}
	h := &harness{cfg: cfg}
	if h.stage, err = stage.New(ctx, stage.Config{Work: cfg.Work, Keep: cfg.Keep, Seed: cfg.Seed, Policy: []byte(policy)}); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.stage.Close()) }()
	if cfg.Keep {
		fmt.Fprintf(cfg.Out, "lab: files are in %s and stay there; the recordings among them hold what went over the connections\n", h.stage.Dir)
	}
	all := slices.Clone(chosen)
	for _, s := range acts {
		all = append(all, s.cell)
	}
	if err := h.setUp(ctx, all); err != nil {
		return nil, err
	}
	r = newResults(cfg)
	for i, s := range acts {
		for k, fault := range []bool{true, false} {
			if s.once && !fault {
				continue
			}
			result, err := h.playScene(ctx, s, fault, len(chosen)+2*i+k)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.id, err)
			}
			r.Scenes = append(r.Scenes, result)
			result.print(cfg.Out)
		}
	}
	if len(chosen) > 0 {
		printHead(cfg.Out)
	}
	for i, c := range chosen {
		result, err := h.play(ctx, c, i)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c, err)
		}
		r.Cells = append(r.Cells, result)
		result.print(cfg.Out)
	}
	return r, nil
}

// setUp makes what all of the cells, or some of them, need.
func (h *harness) setUp(ctx context.Context, chosen []Cell) error {
	var err error
	if h.cache, err = matrix.Cache(); err != nil {
		return err
	}
	if h.nobody, err = matrix.User("nobody"); err != nil {
		return err
	}
	if h.server, err = h.stage.CA.Server("accuracy"); err != nil {
		return err
	}
	if err := service.Own(h.server.KeyFile); err != nil {
		return err
	}
	tenants, bouncer, modules := 0, false, false
	for _, c := range chosen {
		tenants = max(tenants, c.Tenants)
		bouncer = bouncer || c.Pool == pgBouncer
		modules = modules || c.Server == node
	}
	for i := range tenants {
		leaf, err := h.stage.CA.Client(pki.Tenant(tenantName(i)))
		if err != nil {
			return err
		}
		h.people = append(h.people, leaf)
	}
	if err := h.fill(ctx, tenants); err != nil {
		return err
	}
	if modules {
		if h.modules, err = matrix.NodeModule(ctx, h.cache, "pg", "8"); err != nil {
			return err
		}
	}
	if bouncer {
		return h.bounce(ctx)
	}
	return nil
}

// newNonce makes a text that nothing else holds.
func newNonce() (string, error) {
	b := make([]byte, 8)
	if _, err := rand.Read(b); err != nil {
		return "", err
	}
	return "q" + hex.EncodeToString(b), nil
}

// yardOf makes the directory of a cell.
func (h *harness) yardOf(i int) (*yard, error) {
	y := &yard{dir: filepath.Join(h.stage.Dir, fmt.Sprintf("cell-%02d", i)), cert: h.server.CertFile, key: h.server.KeyFile, ca: h.stage.CA.RootFile}
	if err := os.Mkdir(y.dir, 0o755); err != nil {
		return nil, fmt.Errorf("make directory of a cell: %w", err)
	}
	ports, err := matrix.Ports([]string{"service"})
	y.port = fmt.Sprint(ports["service"])
	return y, err
}
