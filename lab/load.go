package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"tenantrace/lab/scenario"
	"tenantrace/lab/service"
	"tenantrace/lab/stage"
	"tenantrace/lab/tracer"
	"tenantrace/lab/traffic"
)

// LoadConfig says how much to send.
type LoadConfig struct {
	Config
	Requests    int // exactly; a prime shows each off-by-one
	Connections int
}

// Defaults of LoadConfig.
const (
	DefaultRequests    = 9973
	DefaultConnections = 16
)

// load is a run of the load.
type load struct {
	cfg     LoadConfig
	stage   *stage.Stage
	daemon  *tracer.Tracer
	started time.Time

	mu         sync.Mutex
	known      map[string]bool // requests answered as expected
	faulty     map[string]bool // of those, the planted ones
	raises     map[string]int  // findings about requests as a whole, by name
	statements int
	problems   []string
	latencies  traffic.Latencies
}

// Load sends an exact number of requests with planted faults, and counts that the daemon saw each of them and nothing else. Without a
// daemon it checks the service alone.
func Load(ctx context.Context, cfg LoadConfig) (err error) {
	s, err := newStage(ctx, cfg.Config, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	server, err := s.Serve(ctx, loadVariant())
	if err != nil {
		return err
	}
	l := &load{cfg: cfg, stage: s, known: make(map[string]bool), faulty: make(map[string]bool), raises: make(map[string]int)}
	if cfg.Daemon != "" {
		if l.daemon, err = s.Trace(ctx, cfg.Daemon, true); err != nil {
			return err
		}
	}
	if err := l.send(ctx, server); err != nil {
		return err
	}
	return l.judge(ctx)
}

// loadVariant is the server of Load and Bench.
func loadVariant() stage.Variant {
	return stage.Variant{Name: "load", Worker: service.GThread, Transport: stage.TCP, Workers: 2, MaxAge: 600, CertReqs: stage.CertRequired}
}

// clients makes n clients, the tenants taking turns.
func clients(s *stage.Stage, server *service.Server, n int) ([]*traffic.Client, error) {
	all := make([]*traffic.Client, n)
	for i := range all {
		var err error
		if all[i], err = s.Client(server, stage.Tenants[i%len(stage.Tenants)]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (l *load) send(ctx context.Context, server *service.Server) error {
	all, err := clients(l.stage, server, l.cfg.Connections)
	if err != nil {
		return err
	}
	var plans sync.Map // request id to planned
	l.started = time.Now()
	err = traffic.Load(ctx, all, l.cfg.Requests, func(c, i int) traffic.Request {
		p := plan(c%len(stage.Tenants), i)
		plans.Store(p.request.ID, p)
		return p.request
	}, func(o traffic.Outcome) {
		p, _ := plans.LoadAndDelete(o.Request.ID)
		l.done(p.(planned), o)
	})
	for _, client := range all {
		client.Close()
	}
	if err != nil {
		return err
	}
	took := time.Since(l.started)
	quantiles, err := l.latencies.Percentiles(50, 99)
	if err != nil {
		return err
	}
	fmt.Fprintf(l.cfg.Out, "lab: sent %d requests (%d with a fault) with %d statements over %d connections of %d tenants in %.1f s: %.0f requests/s, p50 %.1f ms, p99 %.1f ms\n",
		len(l.known), len(l.faulty), l.statements, len(all), len(stage.Tenants), took.Seconds(), float64(len(l.known))/took.Seconds(),
		milliseconds(quantiles[0]), milliseconds(quantiles[1]))
	return nil
}

func (l *load) done(p planned, o traffic.Outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if o.Err != nil {
		l.problems = append(l.problems, o.Err.Error())
		return
	}
	l.known[o.Request.ID] = true
	if p.fault {
		l.faulty[o.Request.ID] = true
	}
	if p.raises != "" {
		l.raises[p.raises]++
	}
	l.statements += o.Response.Statements
	l.latencies = append(l.latencies, o.Response.Took)
	call := scenario.Call{Status: p.status, Rows: p.rows}
	if problem := scenario.Compare(&call, o.Response); problem != "" {
		l.problems = append(l.problems, o.Request.ID+" "+o.Request.Target+": "+problem)
	}
}

// judge ends the daemon, compares and reports.
func (l *load) judge(ctx context.Context) error {
	out := l.cfg.Out
	count := &counts{requests: len(l.known), counted: l.statements, known: l.known, faulty: l.faulty, raises: l.raises}
	var err error
	if count.logged, err = loggedStatements(l.stage, []string{loadVariant().Name}); err != nil {
		return err
	}
	good := len(l.problems) == 0 && len(l.known) == l.cfg.Requests
	printProblems(out, l.problems)
	if l.daemon == nil {
		fmt.Fprintf(out, "lab: %d statements by PostgreSQL's log\n", count.logged)
		if !good || count.logged != count.counted {
			return ErrExpectation
		}
		return nil
	}
	told, err := finish(ctx, l.daemon, l.statements, out)
	if err != nil {
		return err
	}
	good = report(out, told, count) && good
	found := make(map[string]bool)
	for i := range told.lines {
		if line := &told.lines[i]; line.Verdict == "violation" {
			found[told.truth.RequestOf(line)] = true
		}
	}
	missed := 0
	for id := range l.faulty {
		if !found[id] {
			missed++
		}
	}
	if missed == 0 {
		fmt.Fprintf(out, "PASS planted violations: all %d found\n", len(l.faulty))
	} else {
		good = false
		fmt.Fprintf(out, "FAIL planted violations: %d of %d missed\n", missed, len(l.faulty))
	}
	same, err := replay(ctx, l.daemon, told, out)
	if err != nil {
		return err
	}
	if !good || !same {
		return ErrExpectation
	}
	return nil
}

func printProblems(out io.Writer, problems []string) {
	for i, problem := range problems {
		if i == 5 {
			fmt.Fprintf(out, "     … and %d more\n", len(problems)-i)
			return
		}
		fmt.Fprintf(out, "FAIL %s\n", problem)
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
