package matrix

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"tenantrace/lab/measure"
	"tenantrace/lab/tracer"
	"tenantrace/lab/traffic"
)

// CostConfig says what to measure.
type CostConfig struct {
	Config             // of which Quick and Keep mean nothing here
	Other       string // executable of another daemon to compare with; "" none
	OtherName   string // what the table calls it
	Rounds      int    // each: once without a daemon, once with each
	Connections int
}

// Defaults of CostConfig.
const (
	DefaultRounds          = 5
	DefaultCostRequests    = 10007
	DefaultCostConnections = 8
)

// costly are the servers whose cost is measured unless others are named: an event loop in C, threads and an event loop in Python, Node.js.
var costly = []string{"nginx", "gunicorn gthread", "uvicorn asyncio", "node 20"}

// Cost measures what the daemon costs servers that do next to nothing for a request: its share can only be smaller elsewhere. Requests are GETs of a few
// bytes on kept connections.
func Cost(ctx context.Context, cfg CostConfig) (err error) {
	if len(cfg.Servers) == 0 {
		cfg.Servers = costly
	}
	if cfg.Requests == 0 {
		cfg.Requests = DefaultCostRequests
	}
	selected, _, err := selection(&cfg.Config)
	if err != nil {
		return err
	}
	m, err := newMatrix(ctx, cfg.Config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.close()) }()
	fmt.Fprintf(cfg.Out, "%s. %d rounds of %d requests over %d connections with TLS 1.3; client, server and daemon share the machine. Medians; a difference is the median of the rounds' differences, with the lowest and the highest.\n",
		measure.Machine(), cfg.Rounds, cfg.Requests, cfg.Connections)
	for _, s := range selected {
		if err := m.cost(ctx, &cfg, s); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// cost measures one server.
func (m *matrix) cost(ctx context.Context, cfg *CostConfig, s *server) (err error) {
	y := m.yard(s)
	r, err := s.start(ctx, y)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.stop()) }()
	daemons := 0
	trace := func(binary string) func(context.Context) (*tracer.Tracer, error) {
		return func(ctx context.Context) (*tracer.Tracer, error) {
			daemons++
			dir := filepath.Join(y.Dir, fmt.Sprintf("daemon-%d", daemons))
			if err := os.Mkdir(dir, 0o755); err != nil {
				return nil, fmt.Errorf("make directory of the daemon: %w", err)
			}
			return tracer.Start(ctx, tracer.Config{Binary: binary, Dir: dir, Policy: m.policy, Exe: r.exe})
		}
	}
	variants := []measure.Variant{{Name: "without"}, {Name: "with", Trace: trace(cfg.Daemon)}}
	if cfg.Other != "" {
		variants = append(variants, measure.Variant{Name: cfg.OtherName, Trace: trace(cfg.Other)})
	}
	target := s.rows[0].path
	if target == "" {
		target = "/"
	}
	load := measure.Load{
		Group: r.process.PID(), Requests: cfg.Requests,
		Clients: func() ([]*traffic.Client, error) {
			all := make([]*traffic.Client, cfg.Connections)
			for i := range all {
				all[i] = &traffic.Client{Addr: fmt.Sprintf("localhost:%d", r.ports[s.rows[0].port]), Roots: m.authority.Roots, Certificate: &m.leaves[i%tenantCount].TLS}
			}
			return all, nil
		},
		Next: func(c, i int) traffic.Request { return traffic.Request{Method: "GET", Target: target} },
	}
	if _, err := measure.Measure(ctx, load, nil); err != nil { // warms the server up
		return err
	}
	fmt.Fprintf(cfg.Out, "\n%s\n", strings.ToUpper(s.name[:1])+s.name[1:])
	rounds, err := measure.Rounds(ctx, cfg.Rounds, variants, load, cfg.Out)
	if err != nil {
		return err
	}
	names := make([]string, len(variants))
	for i, v := range variants {
		names[i] = v.Name
	}
	fmt.Fprintln(cfg.Out)
	measure.Table(cfg.Out, names, rounds, cfg.Requests)
	return nil
}
