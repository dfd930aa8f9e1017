// Package measure measures a server under a load, without a daemon and with one or several kinds of it, in alternation within one run: machines drift, and
// only what was measured side by side compares.
package measure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"tenantrace/lab/proc"
	"tenantrace/lab/tracer"
	"tenantrace/lab/traffic"
)

// Variant is a way to run the server.
type Variant struct {
	Name  string
	Trace func(context.Context) (*tracer.Tracer, error) // starts the daemon; nil: there is none
}

// Load is what each measurement sends.
type Load struct {
	Group    int                               // process group of the server
	Clients  func() ([]*traffic.Client, error) // new ones for each measurement
	Requests int                               // exactly
	Rate     int                               // requests per second; 0: as fast as the answers come
	Next     func(c, i int) traffic.Request    // request i, by the client with index c
}

// Sample is one measurement.
type Sample struct {
	Rate            float64       // requests per second
	P50, P99        time.Duration // of a request
	Service, Daemon time.Duration // CPU time
	Resident        int64         // bytes of the daemon at the end
}

// Round has a sample of each variant, in the variants' order.
type Round []Sample

// Rounds measures each variant once in each round. Each round begins with another one, so that a drift of the machine favours none.
func Rounds(ctx context.Context, n int, variants []Variant, load Load, out io.Writer) ([]Round, error) {
	rounds := make([]Round, n)
	for i := range rounds {
		rounds[i] = make(Round, len(variants))
		for k := range variants {
			at := (i + k) % len(variants)
			var err error
			if rounds[i][at], err = variants[at].sample(ctx, load); err != nil {
				return nil, err
			}
		}
		fmt.Fprintf(out, "lab: round %d:", i+1)
		for k, s := range rounds[i] {
			fmt.Fprintf(out, " %s %.0f requests/s, p99 %.1f ms;", variants[k].Name, s.Rate, milliseconds(s.P99))
		}
		fmt.Fprintln(out)
	}
	return rounds, nil
}

// sample measures once. The daemon is started and stopped outside of what is measured.
func (v Variant) sample(ctx context.Context, load Load) (Sample, error) {
	if v.Trace == nil {
		return Measure(ctx, load, nil)
	}
	daemon, err := v.Trace(ctx)
	if err != nil {
		return Sample{}, err
	}
	s, err := Measure(ctx, load, daemon)
	return s, errors.Join(err, daemon.Stop())
}

// Measure sends the load over connections of its own, each of which has carried a request before the clock starts. daemon may be nil.
func Measure(ctx context.Context, load Load, daemon *tracer.Tracer) (Sample, error) {
	clients, err := load.Clients()
	if err != nil {
		return Sample{}, err
	}
	defer func() {
		for _, c := range clients {
			c.Close()
		}
	}()
	for c, client := range clients {
		if _, err := client.Do(ctx, load.Next(c, 0)); err != nil {
			return Sample{}, err
		}
	}
	before, err := look(load.Group, daemon)
	if err != nil {
		return Sample{}, err
	}
	outcomes := make(chan traffic.Outcome, load.Requests)
	start := time.Now()
	err = traffic.Load(ctx, clients, load.Requests, func(c, i int) traffic.Request {
		if load.Rate > 0 {
			time.Sleep(time.Until(start.Add(time.Duration(i) * time.Second / time.Duration(load.Rate))))
		}
		return load.Next(c, i)
	}, func(o traffic.Outcome) { outcomes <- o })
	took := time.Since(start)
	if err != nil {
		return Sample{}, err
	}
	close(outcomes)
	var latencies traffic.Latencies
	for o := range outcomes {
		if o.Err != nil {
			return Sample{}, o.Err
		}
		latencies = append(latencies, o.Response.Took)
	}
	after, err := look(load.Group, daemon)
	if err != nil {
		return Sample{}, err
	}
	quantiles, err := latencies.Percentiles(50, 99)
	if err != nil {
		return Sample{}, err
	}
	return Sample{Rate: float64(len(latencies)) / took.Seconds(), P50: quantiles[0], P99: quantiles[1],
		Service: after.Service - before.Service, Daemon: after.Daemon - before.Daemon, Resident: after.Resident}, nil
}

// look takes the CPU time of server and daemon so far.
func look(group int, daemon *tracer.Tracer) (s Sample, err error) {
	if s.Service, err = used(group); err != nil || daemon == nil {
		return s, err
	}
	usage, err := proc.UsageOf(daemon.PID())
	s.Daemon, s.Resident = usage.CPU, usage.Resident
	return s, err
}

// used is the CPU time of a process group so far.
func used(group int) (time.Duration, error) {
	pids, err := proc.Group(group)
	if err != nil {
		return 0, err
	}
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

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
