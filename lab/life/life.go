// Package life plays what happens to certificates while their connections live, each on a server where it can happen: they end, are revoked, come late or not
// at all, do not verify, change, or are taken over from another session. What the daemon makes of each take is compared whole.
package life

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

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
	Seed      string // directory made by "lab seed" whose database is used; "" a new one is made
	Scenarios []string
	Servers   []string
	Out       io.Writer
}

// ErrTakes is returned when a take was not as expected; the output says which.
var ErrTakes = errors.New("not everything was as expected")

// company is what all servers have in common.
type company struct {
	cfg     Config
	stage   *stage.Stage
	cache   string
	nobody  *proc.User
	server  *pki.Leaf
	foreign *pki.Authority // of the clients of one server name alone
	people  map[string]*pki.Leaf

	mu  sync.Mutex // guards what follows, and Out
	bad int        // takes
	ran int
}

// The people. Their names are those of their tenants.
const (
	acme     = "acme"
	beta     = "beta"
	stranger = "stranger" // calls himself beta, by his own signature
	guest    = "guest"    // has a certificate of the foreign authority
	nobody   = ""         // has no certificate
)

// together is the number of servers that play at once: most of their time they wait.
const together = 3

// Run plays all takes and prints a line for each.
func Run(ctx context.Context, cfg Config) (err error) {
	if os.Geteuid() != 0 {
		return errors.New("the lab runs servers as users of their own and traces them, which only root can [run it as root]")
	}
	all, err := selected(acts(), cfg.Servers, cfg.Scenarios)
	if err != nil {
		return err
	}
	if err := matrix.Provision(ctx, cfg.Out); err != nil {
		return err
	}
	c := &company{cfg: cfg}
	if c.stage, err = stage.New(ctx, stage.Config{Work: cfg.Work, Keep: cfg.Keep, Seed: cfg.Seed}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stage.Close()) }()
	if cfg.Keep {
		fmt.Fprintf(cfg.Out, "lab: files are in %s and stay there; the recordings among them hold what went over the connections\n", c.stage.Dir)
	}
	if err := c.setUp(); err != nil {
		return err
	}
	return c.play(ctx, all)
}

// selected are the acts and takes that were asked for.
func selected(all []*act, servers, scenarios []string) ([]*act, error) {
	wanted := func(list []string, name string) bool {
		for _, w := range list {
			if w == name {
				return true
			}
		}
		return len(list) == 0
	}
	var out []*act
	for _, a := range all {
		var takes []take
		for _, t := range a.takes {
			if wanted(servers, a.server.name) && wanted(scenarios, t.id) {
				takes = append(takes, t)
			}
		}
		if a.takes = takes; len(takes) > 0 {
			out = append(out, a)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no take of scenario %s at server %s", strings.Join(scenarios, ", "), strings.Join(servers, ", "))
	}
	return out, nil
}

func (c *company) setUp() error {
	var err error
	if c.cache, err = matrix.Cache(); err != nil {
		return err
	}
	if c.nobody, err = matrix.User("nobody"); err != nil {
		return err
	}
	if c.server, err = c.stage.CA.Server("life", firstName, secondName); err != nil {
		return err
	}
	if err := service.Own(c.server.KeyFile); err != nil {
		return err
	}
	dir := filepath.Join(c.stage.Dir, "foreign")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return fmt.Errorf("make directory of the foreign authority: %w", err)
	}
	if c.foreign, err = pki.New(dir); err != nil {
		return err
	}
	c.people = map[string]*pki.Leaf{nobody: nil}
	for _, who := range []string{acme, beta, stranger, guest} {
		profile, authority := pki.Tenant(who), c.stage.CA
		switch who {
		case stranger:
			profile = pki.Tenant(beta)
			profile.SelfSigned = true
		case guest:
			authority = c.foreign
		}
		profile.File = "life-" + who
		if c.people[who], err = authority.Client(profile); err != nil {
			return err
		}
	}
	return nil
}

// play plays the acts side by side.
func (c *company) play(ctx context.Context, all []*act) error {
	var running sync.WaitGroup
	turn, failed := make(chan struct{}, together), make(chan error, len(all))
	for _, a := range all {
		running.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			if err := c.act(ctx, a); err != nil {
				failed <- fmt.Errorf("%s: %w", a.server.name, err)
			}
		})
	}
	running.Wait()
	close(failed)
	var errs error
	for err := range failed {
		errs = errors.Join(errs, err)
	}
	switch {
	case errs != nil:
		return errs
	case c.bad > 0:
		return fmt.Errorf("%d of %d takes: %w", c.bad, c.ran, ErrTakes)
	}
	fmt.Fprintf(c.cfg.Out, "PASS: all %d takes were as expected\n", c.ran)
	return nil
}
