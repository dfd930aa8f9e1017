// Package lab shows the daemon finding real faults in a real flawed service, and counts what it saw against what was done.
package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"tenantrace/lab/scenario"
	"tenantrace/lab/stage"
	"tenantrace/lab/tracer"
)

// Config is what all of the lab's commands take.
type Config struct {
	Daemon string // the daemon's executable; for Run also "": the services alone
	Work   string // directory that takes the lab's own; "" the system's for temporary files
	Keep   bool   // leaves the lab's files behind
	Seed   string // directory made by Seed whose database is used; "" a new one is made
	Out    io.Writer
}

// Selection says what of the lab to run. Empty lists select everything.
type Selection struct {
	Servers   []string // by name, as "gthread-tls"
	Scenarios []string // by id, as "E10"
}

// ErrExpectation is returned when the lab ran, but not everything was as expected; the output says what.
var ErrExpectation = errors.New("not everything was as expected")

// concurrent is the number of scenarios that are played at a server at once.
const concurrent = 4

// Run plays the selected scenarios and reports.
func Run(ctx context.Context, cfg Config, selection Selection) (err error) {
	if err := selection.validate(); err != nil {
		return err
	}
	s, err := newStage(ctx, cfg, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	r := &run{cfg: cfg, selection: selection, stage: s}
	if err := r.play(ctx); err != nil {
		return err
	}
	return r.judge(ctx)
}

// newStage provisions and sets up.
func newStage(ctx context.Context, cfg Config, logStatements bool) (*stage.Stage, error) {
	if err := provision(ctx, cfg.Out); err != nil {
		return nil, err
	}
	s, err := stage.New(ctx, stage.Config{Work: cfg.Work, Keep: cfg.Keep, LogStatements: logStatements, Policy: policy, Seed: cfg.Seed})
	if err != nil {
		return nil, err
	}
	if cfg.Keep {
		fmt.Fprintf(cfg.Out, "lab: files are in %s and stay there; the recording among them holds what went over the connections\n", s.Dir)
	}
	fmt.Fprintf(cfg.Out, "lab: PostgreSQL runs on %s:%d and in %s\n", s.Database.Host, s.Database.Port, s.Database.SocketDir)
	return s, nil
}

// run is a run of the scenarios.
type run struct {
	cfg       Config
	selection Selection
	stage     *stage.Stage
	daemon    *tracer.Tracer
	names     []string // of the servers
	plays     []*scenario.Play
	slow      sync.WaitGroup
	mu        sync.Mutex // guards plays
}

// play starts half of the servers before the daemon and half after it, and plays at each.
func (r *run) play(ctx context.Context) error {
	defer r.slow.Wait() // before the servers are stopped
	var players []*scenario.Player
	serve := func(variants []stage.Variant) error {
		for _, v := range variants {
			if !r.selection.server(v.Name) {
				continue
			}
			server, err := r.stage.Serve(ctx, v)
			if err != nil {
				return err
			}
			players = append(players, &scenario.Player{Stage: r.stage, Server: server, Cell: v.Name})
		}
		return nil
	}
	if err := serve(early()); err != nil {
		return err
	}
	if r.cfg.Daemon != "" {
		if err := tracer.CheckPolicy(ctx, r.cfg.Daemon, r.stage.Policy); err != nil {
			return err
		}
		var err error
		if r.daemon, err = r.stage.Trace(ctx, r.cfg.Daemon, true); err != nil {
			return err
		}
		fmt.Fprintf(r.cfg.Out, "lab: the daemon is ready; metrics are at http://%s/metrics while the lab runs\n", r.daemon.Addr)
	}
	if err := serve(late()); err != nil {
		return err
	}
	for _, p := range players {
		r.names = append(r.names, p.Cell)
		if err := r.playAt(ctx, p); err != nil {
			return err
		}
	}
	r.slow.Wait()
	return ctx.Err()
}

// playAt plays at one server what belongs there: first each tenant once, so that every name is known, then the scenarios side by side.
func (r *run) playAt(ctx context.Context, p *scenario.Player) error {
	ordinary := p.Cell != scenario.Unasked && p.Cell != scenario.Optional && p.Cell != scenario.Careless
	if p.Cell != scenario.Unasked {
		r.add(p.Play(ctx, scenario.WarmUp()))
	}
	var all sync.WaitGroup
	tokens := make(chan struct{}, concurrent)
	for _, s := range scenario.All() {
		if !s.For(p.Cell, ordinary) || !r.selection.scenario(s.ID) {
			continue
		}
		if s.SlowEnd {
			r.slow.Go(func() { r.add(p.Play(ctx, &s)) })
			continue
		}
		tokens <- struct{}{}
		all.Go(func() {
			defer func() { <-tokens }()
			r.add(p.Play(ctx, &s))
		})
	}
	all.Wait()
	requests, statements := r.sentBy(p.Cell)
	fmt.Fprintf(r.cfg.Out, "lab: %-12s %4d requests, %5d statements\n", p.Cell, requests, statements)
	return ctx.Err()
}

func (r *run) add(p *scenario.Play) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.plays = append(r.plays, p)
}

// sentBy counts what was sent to a server; "" to all.
func (r *run) sentBy(cell string) (requests, statements int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.plays {
		if cell != "" && p.Cell != cell {
			continue
		}
		for i := range p.Sent {
			if p.Sent[i].Status != 0 {
				requests++
			}
			statements += p.Sent[i].Statements
		}
	}
	return requests, statements
}
