package daemon

import (
	"context"
	"log/slog"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"tenantrace/collector/event"
	"tenantrace/correlate/policy"
	"tenantrace/correlate/verdict"
)

// Handler takes events, one at a time, in the order in which they were observed.
type Handler interface {
	Handle(event.Event)
}

// Engine judges events. One goroutine at a time calls its methods.
type Engine interface {
	Handler
	SetPolicy(*policy.Policy)
	Close() // gives the last verdicts
}

// judge is an Engine whose policy may be replaced while events come: the new one is in force from the next event on, a fraction of a second
// later at most since the clock ticks.
type judge struct {
	Engine
	next atomic.Pointer[policy.Policy]
}

// Handle implements Handler.
func (j *judge) Handle(e event.Event) {
	if j.next.Load() != nil {
		j.Engine.SetPolicy(j.next.Swap(nil))
	}
	j.Engine.Handle(e)
}

// replace may be called from any one goroutine.
func (j *judge) replace(p *policy.Policy) { j.next.Store(p) }

// EngineConfig is what an Engine is made of.
type EngineConfig struct {
	Policy     *policy.Policy
	Verdict    func(*verdict.Statement)
	Finding    func(*verdict.Finding)
	Registerer prometheus.Registerer
	Log        *slog.Logger
}

// NewEngine makes an Engine.
type NewEngine func(EngineConfig) (Engine, error)

// Tracer observes the host.
type Tracer interface {
	prometheus.Collector
	Run(ctx context.Context) error      // until ctx is done and what was observed is handled; then it is closed
	Close() error                       // instead of Run
	Ready() (ok bool, why string)       // probes are attached to every library found
	SetWanted(fields, columns []string) // header fields (lower case) and tenant columns to keep
}

// TracerConfig is what a Tracer is made of.
type TracerConfig struct {
	Handler Handler
	Fields  []string // header fields to keep, lower case
	Columns []string // tenant columns to keep
	Log     *slog.Logger
}

// NewTracer makes a Tracer. What it needs and does not get is an error that names the remedy.
type NewTracer func(TracerConfig) (Tracer, error)
