// Package access plays how applications come to rows that are not their client's: by a key, by what a pooled session was left with, by the wrong schema or
// database, past the hierarchy of tenants; and each once more as it should be. Frameworks, servers and databases are real ones. What the daemon makes of each take is
// compared whole.
package access

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"tenantrace/lab/mariadb"
	"tenantrace/lab/matrix"
	"tenantrace/lab/pki"
	"tenantrace/lab/proc"
	"tenantrace/lab/service"
	"tenantrace/lab/stage"
)

// Config says what to play.
type Config struct {
	Daemon    string // executable
	Work      string // directory that takes the lab's own; "" the system's for temporary files
	Keep      bool   // leaves the lab's files behind
	Scenarios []string
	Out       io.Writer
}

// ErrTakes is returned when a take was not as expected; the output says which.
var ErrTakes = errors.New("not everything was as expected")

//go:embed provision.sh
var provision []byte

// company is what all servers have in common.
type company struct {
	cfg    Config
	stage  *stage.Stage
	maria  *mariadb.Server
	pooler *pooler
	nobody *proc.User
	server *pki.Leaf

	mu     sync.Mutex           // guards what follows, and Out
	people map[string]*pki.Leaf // by tenant
	bad    int                  // takes
	ran    int
}

// Run plays all takes and prints a line for each.
func Run(ctx context.Context, cfg Config) (err error) {
	if os.Geteuid() != 0 {
		return errors.New("the lab runs servers as users of their own and traces them, which only root can [run it as root]")
	}
	tracks, err := selected(tracks(), cfg.Scenarios)
	if err != nil {
		return err
	}
	if err := matrix.Script(ctx, provision, cfg.Out); err != nil {
		return fmt.Errorf("install the servers: %w", err)
	}
	c := &company{cfg: cfg, people: make(map[string]*pki.Leaf)}
	if c.stage, err = stage.New(ctx, stage.Config{Work: cfg.Work, Keep: cfg.Keep, LogStatements: true}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stage.Close()) }()
	if cfg.Keep {
		fmt.Fprintf(cfg.Out, "lab: files are in %s and stay there; the recordings among them hold what went over the connections\n", c.stage.Dir)
	}
	if err := c.setUp(ctx); err != nil {
		return err
	}
	return c.play(ctx, tracks)
}

func (c *company) setUp(ctx context.Context) error {
	var err error
	if c.nobody, err = matrix.User("nobody"); err != nil {
		return err
	}
	if c.server, err = c.stage.CA.Server("access"); err != nil {
		return err
	}
	if err := service.Own(c.server.KeyFile); err != nil {
		return err
	}
	script, err := files.ReadFile("files/postgres.sql")
	if err != nil {
		return err
	}
	if err := c.stage.Database.Load(ctx, "lab", string(script)); err != nil {
		return err
	}
	if script, err = files.ReadFile("files/mariadb.sql"); err != nil {
		return err
	}
	if c.maria, err = mariadb.Start(ctx, filepath.Join(c.stage.Dir, "my"), string(script)); err != nil {
		return err
	}
	c.stage.Defer(c.maria.Stop)
	c.pooler, err = c.startPooler(ctx, filepath.Join(c.stage.Dir, "pooler"))
	return err
}

// person gives the certificate of a tenant.
func (c *company) person(tenant string) (*pki.Leaf, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if leaf := c.people[tenant]; leaf != nil {
		return leaf, nil
	}
	profile := pki.Tenant(tenant)
	if strings.ContainsAny(tenant, "{:") { // no part of a URI's path as it stands
		profile.URI = ""
	}
	profile.File = fmt.Sprintf("access-%d", len(c.people))
	leaf, err := c.stage.CA.Client(profile)
	c.people[tenant] = leaf
	return leaf, err
}

// selected are the takes that were asked for.
func selected(all [][]*act, scenarios []string) ([][]*act, error) {
	var out [][]*act
	for _, track := range all {
		var acts []*act
		for _, a := range track {
			a.takes = slices.DeleteFunc(a.takes, func(t take) bool { return len(scenarios) > 0 && !slices.Contains(scenarios, t.id) })
			if len(a.takes) > 0 {
				acts = append(acts, a)
			}
		}
		if len(acts) > 0 {
			out = append(out, acts)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no take of scenario %s", strings.Join(scenarios, ", "))
	}
	return out, nil
}

// play plays the tracks side by side, and the acts of each one after the other: they share a database, whose log counts statements.
func (c *company) play(ctx context.Context, tracks [][]*act) error {
	var running sync.WaitGroup
	failed := make([]error, len(tracks))
	for i, track := range tracks {
		running.Go(func() {
			for _, a := range track {
				if err := c.act(ctx, a); err != nil {
					failed[i] = errors.Join(failed[i], fmt.Errorf("%s: %w", a.server.name, err))
				}
			}
		})
	}
	running.Wait()
	switch err := errors.Join(failed...); {
	case err != nil:
		return err
	case c.bad > 0:
		return fmt.Errorf("%d of %d takes: %w", c.bad, c.ran, ErrTakes)
	}
	fmt.Fprintf(c.cfg.Out, "PASS: all %d takes were as expected\n", c.ran)
	return nil
}
