package lab

import (
	"context"
	"errors"
	"fmt"

	"tenantrace/lab/measure"
	"tenantrace/lab/stage"
	"tenantrace/lab/tracer"
	"tenantrace/lab/traffic"
)

// BenchConfig says what to measure.
type BenchConfig struct {
	Config
	Pairs       int // each: once without the daemon, once with it
	Requests    int // in each half of a pair
	Connections int
	Rate        int // requests per second of the paced measurement
}

// Defaults of BenchConfig.
const (
	DefaultPairs            = 5
	DefaultBenchRequests    = 2003
	DefaultBenchConnections = 8
	DefaultRate             = 200
)

// Bench measures the service with and without the daemon in alternation, and prints a table for each way to send: as fast as the answers come, where
// the daemon takes its processor time from the service, and at a rate that leaves the machine room, where it can only delay.
func Bench(ctx context.Context, cfg BenchConfig) (err error) {
	s, err := newStage(ctx, cfg.Config, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	server, err := s.Serve(ctx, loadVariant())
	if err != nil {
		return err
	}
	load := measure.Load{
		Group: server.PID(), Requests: cfg.Requests,
		Clients: func() ([]*traffic.Client, error) { return clients(s, server, cfg.Connections) },
		// They carry no ground truth: a comment that is new in each statement is not what applications send.
		Next: func(c, i int) traffic.Request {
			r := plan(c%len(stage.Tenants), clean(i)).request
			r.ID = ""
			return r
		},
	}
	if _, err := measure.Measure(ctx, load, nil); err != nil { // warms the service up
		return err
	}
	variants := []measure.Variant{{Name: "without"}, {Name: "with", Trace: func(ctx context.Context) (*tracer.Tracer, error) { return s.Trace(ctx, cfg.Daemon, false) }}}
	for _, load.Rate = range []int{0, cfg.Rate} {
		rounds, err := measure.Rounds(ctx, cfg.Pairs, variants, load, cfg.Out)
		if err != nil {
			return err
		}
		how := "as fast as the answers come"
		if load.Rate > 0 {
			how = fmt.Sprintf("at %d requests/s", load.Rate)
		}
		fmt.Fprintf(cfg.Out, "\n%s. %d pairs of %d requests over %d connections, %s (gthread, 2 workers of 8 threads, plain TCP to PostgreSQL); client, service, database and daemon share the machine. Medians; the difference is the median of the pairs' differences, with the lowest and the highest.\n\n",
			measure.Machine(), len(rounds), cfg.Requests, cfg.Connections, how)
		measure.Table(cfg.Out, []string{"without", "with"}, rounds, cfg.Requests)
	}
	return nil
}

// clean moves a planted fault to the request beside it: a benchmark is about requests as they should be.
func clean(i int) int {
	if i%faultEvery == faultEvery/2 {
		return i + 1
	}
	return i
}
