package collector

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/cilium/ebpf/ringbuf"

	"tenantrace/collector/event"
	"tenantrace/collector/stream"
)

// maxReadErrors in a row end the reading: the ring buffer is broken.
const maxReadErrors = 100

// pollInterval is how often the ring buffer is looked at while it is empty: the kernel side wakes nobody until it fills. Each look costs the runtime
// more than the records that it finds; half of the 100 ms within which a verdict is promised are left for the rest.
const pollInterval = 50 * time.Millisecond

// read handles records until the ring buffer is flushed or closed. Between records, and at least every TickInterval, it emits a Tick.
func (c *Collector) read() error {
	var record ringbuf.Record
	failures := 0
	c.reader.SetDeadline(time.Now().Add(pollInterval))
	for {
		err := c.reader.ReadInto(&record)
		switch {
		case err == nil:
			failures = 0
			now := c.handle(record.RawSample)
			if stop := c.stopAt.Load(); stop != 0 && now > stop {
				return nil // the traced processes go on: what comes after the stop is not ours
			}
			c.tick(now)
		case errors.Is(err, os.ErrDeadlineExceeded):
			failures = 0
			c.reader.SetDeadline(time.Now().Add(pollInterval))
			c.tick(c.clock.now())
		case errors.Is(err, ringbuf.ErrFlushed), errors.Is(err, ringbuf.ErrClosed):
			return nil
		default:
			c.counts.readErrors.Add(1)
			if failures++; failures >= maxReadErrors {
				return fmt.Errorf("read ring buffer: %w", err)
			}
			time.Sleep(time.Duration(failures) * time.Millisecond)
		}
	}
}

// tick emits the clock when it is due, and says what was lost meanwhile.
func (c *Collector) tick(now int64) {
	if now-c.lastTick < int64(TickInterval) { // also of a record that could not be read: its time is 0
		return
	}
	c.lastTick = now
	c.missed(now)
	for pid, p := range c.processes {
		h := event.Header{Time: now, PID: pid}
		if lost, ok := c.programs.Lost(pid); ok {
			p.gone = 0
			c.account(h, p, lost)
		} else if p.gone++; p.gone >= goneTicks {
			c.exit(h)
		}
	}
	c.seeker.tick(now)
	c.streams.Tick(now)
	for g := range stream.Rungs {
		c.counts.found[g].Store(c.streams.Found(g))
	}
	c.counts.connections.Store(int64(c.streams.Len()))
	c.counts.evicted.Store(c.streams.Evicted())
	c.counts.processes.Store(int64(len(c.processes)))
	c.emit(&event.Tick{Header: event.Header{Time: now}})
}

// missed says that the kernel left programs out: no one knows in which process.
func (c *Collector) missed(now int64) {
	missed, err := c.programs.Missed()
	if err != nil {
		c.counts.readErrors.Add(1)
		return
	}
	if n := missed - c.counts.missed.Swap(missed); n > 0 {
		c.emit(&event.Lost{Header: event.Header{Time: now}, Reason: "missed", Count: n})
	}
}

// account emits the records of a process that were lost since it was last asked.
func (c *Collector) account(h event.Header, p *process, lost uint32) {
	if n := int32(lost - p.lost); n > 0 {
		p.lost = lost
		c.emit(&event.Lost{Header: event.Header{Time: h.Time, PID: h.PID}, Reason: "ringbuf", Count: uint64(n)})
	}
}
