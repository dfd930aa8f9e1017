// Package collector observes: it attaches to OpenSSL, reads the kernel's records, puts connections together and emits what happened as events.
package collector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cilium/ebpf/ringbuf"

	"tenantrace/collector/discovery"
	"tenantrace/collector/event"
	"tenantrace/collector/probe"
	"tenantrace/collector/procfs"
	"tenantrace/collector/stream"
)

// Proc is where the proc file system is mounted.
const Proc procfs.FS = "/proc"

// TickInterval is the longest time between two Tick events.
const TickInterval = 250 * time.Millisecond

// Handler takes the events, one at a time, in order.
type Handler interface {
	Handle(event.Event)
}

// Config says what is collected. Empty PIDs and Exes: every process.
type Config struct {
	Handler Handler
	Log     *slog.Logger
	PIDs    []int
	Exes    []string // paths of executables
	Fields  []string // names of HTTP fields to keep, lower case
	Columns []string // names of result columns whose values are kept

	without probe.Features // for tests: as on kernels that lack these
}

// Collector is a running observation.
type Collector struct {
	cfg       Config
	programs  *probe.Programs
	finder    *discovery.Finder
	reader    *ringbuf.Reader
	streams   *stream.Registry
	seeker    *seeker
	processes map[uint32]*process
	clock     clock
	wanted    atomic.Pointer[wanted]
	lastTick  int64
	counts    counts
	failed    atomic.Pointer[error]
	began     int64        // CLOCK_BOOTTIME as the tracing began, nanoseconds
	stopAt    atomic.Int64 // when Run was told to stop, nanoseconds since the Unix epoch; 0: not yet
}

// wanted are the names that the policy asks for.
type wanted struct{ fields, columns map[string]bool }

// New loads and attaches the programs that need no library. Close undoes it.
func New(cfg Config) (*Collector, error) {
	if cfg.Handler == nil || cfg.Log == nil {
		return nil, errors.New("collector: a handler and a logger are required")
	}
	clock, err := newClock()
	if err != nil {
		return nil, err
	}
	programs, err := probe.Load(probe.Config{ChosenOnly: len(cfg.PIDs)+len(cfg.Exes) > 0, Without: cfg.without})
	if err != nil {
		return nil, err
	}
	cfg.Log.Info("eBPF programs loaded", "features", programs.Features().String())
	reader, err := ringbuf.NewReader(programs.Events())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("ring buffer: %w", err), programs.Close())
	}
	c := &Collector{cfg: cfg, programs: programs, reader: reader, clock: clock, processes: map[uint32]*process{}}
	if c.began, err = bootTime(); err != nil {
		return nil, errors.Join(err, reader.Close(), programs.Close())
	}
	c.SetWanted(cfg.Fields, cfg.Columns)
	c.streams = stream.New(stream.Config{
		Emit:   c.emit,
		Fields: func(name []byte) bool { return c.wanted.Load().fields[string(name)] },
		Wanted: func(column string) bool { return c.wanted.Load().columns[column] },
		Seek:   func(h event.Header) { c.seeker.want(h.PID, h.Time) },
	})
	pids := make([]uint32, len(cfg.PIDs))
	for i, pid := range cfg.PIDs {
		pids[i] = uint32(pid)
	}
	c.finder = discovery.New(discovery.Config{Proc: Proc, Programs: programs, PIDs: pids, Exes: cfg.Exes, Log: cfg.Log}, uint32(os.Getpid()))
	c.seeker = newSeeker(c.finder.Seek, c.streams.Unfound)
	if err = programs.AttachTracepoints(); err == nil {
		err = programs.TryUprobe() // else the first library would tell, when the daemon already runs
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// SetWanted replaces the names of the HTTP fields and result columns that are kept, for connections and results to come.
func (c *Collector) SetWanted(fields, columns []string) {
	w := &wanted{fields: map[string]bool{}, columns: map[string]bool{}}
	for _, f := range fields {
		w.fields[strings.ToLower(f)] = true
	}
	for _, f := range columns {
		w.columns[strings.ToLower(f)] = true
	}
	c.wanted.Store(w)
}

// Ready tells whether the probes stand on every OpenSSL found; if not, why.
func (c *Collector) Ready() (bool, string) {
	if err := c.failed.Load(); err != nil {
		return false, (*err).Error()
	}
	if !c.finder.Ready() {
		return false, "processes are being looked at"
	}
	for _, l := range c.finder.Libraries() {
		if l.Probes == 0 && !l.Hidden {
			return false, fmt.Sprintf("no probes on %q: %s", l.Path, l.Error)
		}
	}
	return true, ""
}

// Libraries lists the files found that export OpenSSL's symbols.
func (c *Collector) Libraries() []discovery.Library { return c.finder.Libraries() }

// Run emits events until ctx is done, then those that the ring buffer still holds, ends what is open, and returns. Detaching takes the kernel its
// time and loses nothing any more: that is Close.
func (c *Collector) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	finding, stop := context.WithCancel(ctx)
	wg.Go(func() {
		if err := c.finder.Run(finding); err != nil {
			err = fmt.Errorf("look for processes: %w", err)
			c.failed.Store(&err)
			c.cfg.Log.Error("no further process will be found", "error", err)
		}
	})
	unflush := context.AfterFunc(ctx, func() {
		c.stopAt.Store(c.clock.now())
		if err := c.reader.Flush(); err != nil {
			c.cfg.Log.Warn("ring buffer could not be flushed", "error", err)
		}
	})
	err := c.read()
	unflush()
	c.finish()
	stop()
	wg.Wait()
	return err
}

// finish ends what is still open, so that every statement gets its end.
func (c *Collector) finish() {
	now := c.clock.now()
	c.streams.Close(event.Header{Time: now})
	c.cfg.Handler.Handle(&event.Tick{Header: event.Header{Time: now}})
}

// Close releases everything: reader, then links, then programs and maps. Run must have returned, or not have been called.
func (c *Collector) Close() error {
	return errors.Join(c.reader.Close(), c.finder.Close(), c.programs.Close())
}

func (c *Collector) emit(e event.Event) {
	c.counts.events.Add(1)
	c.cfg.Handler.Handle(e)
}
