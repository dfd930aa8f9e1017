// Package daemon wires the parts of tenantrace together: the collector's events into the correlator, its conclusions into the outputs, and
// around them the policy file, the endpoint and the order of starting and stopping. It knows the collector and the correlator as
// interfaces, so that it runs without privileges in tests.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"tenantrace/cmd/tenantrace/endpoint"
	"tenantrace/cmd/tenantrace/sink"
	"tenantrace/collector/recording"
	"tenantrace/correlate/policy"
)

// drainTimeout bounds the end of the tracer; with the endpoint's and the outputs' time it stays below the 5 seconds in which the daemon stops.
const drainTimeout = 2 * time.Second

// Config says what to run. Paths are as on the command line: "-" is standard output, "" is off (for the policy: the embedded one).
type Config struct {
	Policy   string
	Listen   string
	Findings string
	Verdicts string
	Record   string

	Version string
	Stdout  io.Writer
	Log     *slog.Logger
	Hangup  <-chan os.Signal // each value asks to read the policy again and to reopen the output files

	NewEngine NewEngine
	NewTracer NewTracer
}

// Run traces until ctx is done, then stops in order: no more events, the last verdicts, the last lines. An error of the start names what
// is missing and how to mend it.
func Run(ctx context.Context, cfg Config) (err error) {
	started := time.Now()
	registry := prometheus.NewRegistry()
	if err := registerAll(registry, buildInfo(cfg.Version), collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})); err != nil {
		return err
	}
	rules, err := openRules(cfg.Policy, cfg.Log, registry)
	if err != nil {
		return err
	}
	revoked, err := openRevocation(rules.Policy().CertificateRules().Revocation, cfg.Log, registry)
	if err != nil {
		return err
	}
	var tracer Tracer // set before the endpoint is served
	server, err := endpoint.Listen(endpoint.Config{
		Listen: cfg.Listen, Gatherer: registry, Log: cfg.Log,
		Ready:  func() (bool, string) { return tracer.Ready() },
		Status: func() any { return statusOf(&cfg, started, rules.Policy(), tracer) },
	})
	if err != nil {
		return err
	}
	served := false
	defer func() {
		if !served {
			err = errors.Join(err, server.Close())
		}
	}()
	drained := true
	defer func() {
		// Last: detaching takes the kernel its time, and by now nothing is lost by it.
		if tracer != nil && drained {
			err = errors.Join(err, tracer.Close())
		}
	}()
	out, err := openOutputs(&cfg, registry, false)
	if err != nil {
		return err
	}
	defer func() {
		// Lines that an output refuses to the last are counted and said; the daemon still ended as it was asked to.
		if err := out.close(); err != nil {
			cfg.Log.Error("output lost at the stop", "err", err)
		}
	}()
	engine, err := cfg.NewEngine(EngineConfig{
		Policy: rules.Policy(), Verdict: out.verdict, Finding: out.finding, Registerer: registry, Log: cfg.Log,
	})
	if err != nil {
		return err
	}
	judge := &judge{Engine: engine}
	defer func() {
		if drained { // a tracer that still runs may be inside the engine
			engine.Close()
		}
	}()
	places := newPlacer(newRevoker(recorded(out.recording, &cfg, started, rules.Policy(), judge), &revoked.lists), rules.Policy().Places(), cfg.Log)
	tracer, err = cfg.NewTracer(TracerConfig{
		Handler: places,
		Fields:  rules.Policy().Headers(), Columns: rules.Policy().Columns(), Log: cfg.Log,
	})
	if err != nil {
		return err
	}
	if err := registry.Register(tracer); err != nil {
		return err
	}
	cfg.Log.Info("tracing", "version", cfg.Version, "listen", server.Addr(), "policy", rules.Policy().Hash(), "policy_file", cfg.Policy)

	// The endpoint outlives the tracer: it tells the state while the last events are handled.
	serving, stopServing := context.WithCancel(context.WithoutCancel(ctx))
	defer stopServing()
	tracing, stopTracing := context.WithCancel(ctx)
	defer stopTracing()
	served = true
	web := start(func() error { return server.Run(serving) })
	trace := start(func() error { return tracer.Run(tracing) })
	follow := start(func() error {
		rules.follow(tracing, cfg.Hangup, out, revoked, func(p *policy.Policy) {
			judge.replace(p)
			places.wants.Store(p.Places())
			tracer.SetWanted(p.Headers(), p.Columns())
		})
		return nil
	})

	select {
	case <-ctx.Done():
		cfg.Log.Info("stopping")
	case <-trace.done:
	case <-web.done:
	}
	stopTracing()
	<-follow.done
	if drained = trace.wait(drainTimeout); drained {
		err = trace.err
	} else {
		err = fmt.Errorf("the tracer did not stop within %v [its last events are lost]", drainTimeout)
	}
	stopServing()
	<-web.done
	return errors.Join(err, web.err)
}

// recorded puts the recorder, if one is asked for, before the engine.
func recorded(out *sink.Lines, cfg *Config, started time.Time, p *policy.Policy, next Handler) Handler {
	if out == nil {
		return next
	}
	cfg.Log.Warn("the recording holds SQL, bind values and header values in plain text", "file", cfg.Record)
	if p.Key() != nil {
		cfg.Log.Warn("the policy's pseudonyms do not reach the recording: tenants and values stand in it as they are", "file", cfg.Record)
	}
	return recording.NewWriter(out, started, next)
}

// task is a function that runs in a goroutine of its own; err is for reading once done is closed.
type task struct {
	done chan struct{}
	err  error
}

func start(f func() error) *task {
	t := &task{done: make(chan struct{})}
	go func() {
		defer close(t.done)
		t.err = f()
	}()
	return t
}

// wait tells whether the task ended within limit.
func (t *task) wait(limit time.Duration) bool {
	select {
	case <-t.done:
		return true
	case <-time.After(limit):
		return false
	}
}
