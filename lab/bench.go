package lab

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tenantrace/lab/proc"
	"tenantrace/lab/service"
	"tenantrace/lab/stage"
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

// sample is one half of a pair.
type sample struct {
	rate            float64       // requests per second
	p50, p99        time.Duration // of a request
	service, daemon time.Duration // CPU time
	resident        int64         // bytes of the daemon at the end
}

// pairOf are the two halves.
type pairOf struct{ without, with sample }

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
	b := &bench{cfg: cfg, stage: s, server: server}
	if _, err := b.half(ctx, 0); err != nil { // warms the service up
		return err
	}
	for _, rate := range []int{0, cfg.Rate} {
		pairs, err := b.pairs(ctx, rate)
		if err != nil {
			return err
		}
		printBench(cfg, rate, pairs)
	}
	return nil
}

func (b *bench) pairs(ctx context.Context, rate int) ([]pairOf, error) {
	pairs := make([]pairOf, b.cfg.Pairs)
	for i := range pairs {
		// Every second pair begins with the daemon, so that a drift of the machine favours neither.
		order := []bool{false, true}
		if i%2 == 1 {
			order = []bool{true, false}
		}
		for _, traced := range order {
			var err error
			if traced {
				pairs[i].with, err = b.traced(ctx, rate)
			} else {
				pairs[i].without, err = b.half(ctx, rate)
			}
			if err != nil {
				return nil, err
			}
		}
		w, d := pairs[i].without, pairs[i].with
		fmt.Fprintf(b.cfg.Out, "lab: pair %d: %.0f requests/s without, %.0f with the daemon; p99 %.1f and %.1f ms\n", i+1, w.rate, d.rate, milliseconds(w.p99), milliseconds(d.p99))
	}
	return pairs, nil
}

type bench struct {
	cfg    BenchConfig
	stage  *stage.Stage
	server *service.Server
}

// traced is a half with the daemon running, which is started and stopped outside of what is measured.
func (b *bench) traced(ctx context.Context, rate int) (sample, error) {
	daemon, err := b.stage.Trace(ctx, b.cfg.Daemon, false)
	if err != nil {
		return sample{}, err
	}
	before, err := proc.UsageOf(daemon.PID())
	if err != nil {
		return sample{}, err
	}
	result, err := b.half(ctx, rate)
	if err != nil {
		return sample{}, err
	}
	after, err := proc.UsageOf(daemon.PID())
	if err != nil {
		return sample{}, err
	}
	result.daemon, result.resident = after.CPU-before.CPU, after.Resident
	return result, daemon.Stop()
}

// half sends one half's requests over connections of their own. They carry no ground truth: a comment that is new in each statement is not what
// applications send.
func (b *bench) half(ctx context.Context, rate int) (sample, error) {
	all, err := clients(b.stage, b.server, b.cfg.Connections)
	if err != nil {
		return sample{}, err
	}
	defer func() {
		for _, client := range all {
			client.Close()
		}
	}()
	pids, err := proc.Group(b.server.PID())
	if err != nil {
		return sample{}, err
	}
	before, err := cpu(pids)
	if err != nil {
		return sample{}, err
	}
	outcomes := make(chan traffic.Outcome, b.cfg.Requests)
	start := time.Now()
	err = traffic.Load(ctx, all, b.cfg.Requests, func(c, i int) traffic.Request {
		if rate > 0 {
			time.Sleep(time.Until(start.Add(time.Duration(i) * time.Second / time.Duration(rate))))
		}
		r := plan(c%len(stage.Tenants), clean(i)).request
		r.ID = ""
		return r
	},
		func(o traffic.Outcome) { outcomes <- o })
	took := time.Since(start)
	if err != nil {
		return sample{}, err
	}
	close(outcomes)
	var latencies traffic.Latencies
	for o := range outcomes {
		if o.Err != nil {
			return sample{}, o.Err
		}
		latencies = append(latencies, o.Response.Took)
	}
	after, err := cpu(pids)
	if err != nil {
		return sample{}, err
	}
	quantiles, err := latencies.Percentiles(50, 99)
	if err != nil {
		return sample{}, err
	}
	return sample{rate: float64(len(latencies)) / took.Seconds(), p50: quantiles[0], p99: quantiles[1], service: after - before}, nil
}

// clean moves a planted fault to the request beside it: a benchmark is about requests as they should be.
func clean(i int) int {
	if i%faultEvery == faultEvery/2 {
		return i + 1
	}
	return i
}

func cpu(pids []int) (time.Duration, error) {
	var sum time.Duration
	for _, pid := range pids {
		usage, err := proc.UsageOf(pid)
		if err != nil {
			return 0, err
		}
		sum += usage.CPU
	}
	return sum, nil
}
