package accuracy

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"syscall"
	"time"

	"tenantrace/lab/traffic"
)

// What goes wrong.
const (
	smallRing  = "ring buffer at 1/16" // and a daemon that is stopped, so that it overflows
	restarted  = "daemon restarted"
	stopped    = "daemon stopped by SIGSTOP"
	recycling  = "workers recycled"
	cancelled  = "requests cancelled"
	pipelined  = "requests pipelined"
	halfClosed = "half-closed"
	stepped    = "clock stepped"
)

// chaos is all of it.
var chaos = []string{smallRing, restarted, stopped, recycling, cancelled, pipelined, halfClosed, stepped}

// failing are those in which requests may go without an answer.
var failing = map[string]bool{recycling: true, cancelled: true, halfClosed: true}

// disturbances are those that somebody has to bring about while the load runs.
var disturbances = map[string]func(context.Context, *running) error{restarted: restart, stopped: stop(time.Second), smallRing: stop(3 * time.Second)}

// during runs the load, and calls do each time that a further part of the requests is under way.
func (r *running) during(ctx context.Context, parts int, do func(i int) error) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.load.run(ctx)
	}()
	var err error
	for i := 1; i < parts && err == nil; i++ {
		for int(r.load.taken.Load()) < i*r.load.requests/parts {
			select {
			case <-done:
				return errors.Join(ctx.Err(), fmt.Errorf("the load was over before its part %d of %d", i, parts))
			case <-time.After(10 * time.Millisecond):
			}
		}
		err = do(i)
	}
	<-done
	return errors.Join(err, ctx.Err())
}

// restart stops the daemon in the middle of the traffic, twice, and starts another.
func restart(ctx context.Context, r *running) error {
	return r.during(ctx, 3, func(int) error {
		if err := r.untrace(); err != nil {
			return err
		}
		return r.trace(ctx)
	})
}

// stop lets the daemon stand still, three times. Meanwhile the ring buffer fills; a small one overflows.
func stop(pause time.Duration) func(context.Context, *running) error {
	return func(ctx context.Context, r *running) error {
		return r.during(ctx, 4, func(int) error {
			pid := r.runs[len(r.runs)-1].PID()
			if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
				return fmt.Errorf("stop the daemon: %w", err)
			}
			time.Sleep(pause)
			return syscall.Kill(pid, syscall.SIGCONT)
		})
	}
}

// turn sends what comes next on a connection: a request, or with some chaos something else.
func (l *load) turn(ctx context.Context, client *traffic.Client, s, j, tenant int, r *rand.Rand) {
	switch {
	case l.cell.Chaos == cancelled && r.IntN(5) == 0:
		one, request := l.plan(s, j, tenant, r, true)
		hurried, cancel := context.WithTimeout(ctx, time.Duration(1+r.IntN(8))*time.Millisecond)
		defer cancel()
		l.do(hurried, client, one, request)
	case l.cell.Chaos == pipelined && r.IntN(2) == 0:
		l.pipeline(ctx, client, s, j, tenant, r)
	default:
		one, request := l.plan(s, j, tenant, r, true)
		client.HalfClose = l.cell.Chaos == halfClosed && r.IntN(3) == 0
		l.do(ctx, client, one, request)
	}
}

// pipeline sends two or three requests at once.
func (l *load) pipeline(ctx context.Context, client *traffic.Client, s, j, tenant int, r *rand.Rand) {
	n := 2 + r.IntN(2)
	all, requests := make([]*sent, n), make([]traffic.Request, n)
	for k := range n {
		all[k], requests[k] = l.plan(s, j+perConnection*(k+1), tenant, r, true)
	}
	responses, err := client.Pipeline(ctx, requests...)
	for k, one := range all {
		one.local = client.Local()
		if err != nil {
			l.keep(one, nil, err)
			continue
		}
		l.keep(one, responses[k], nil)
	}
}
