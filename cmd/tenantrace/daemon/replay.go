package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/prometheus/client_golang/prometheus"

	"tenantrace/collector/event"
	"tenantrace/collector/recording"
)

// Replay judges the recording in file as Run would judge the host: same engine, same outputs, the recording's clock, and the
// answers of revocation lists that are in it. Of cfg it uses
// Policy, Findings, Verdicts, Version, Stdout, Log and NewEngine.
func Replay(ctx context.Context, file string, cfg Config) (err error) {
	in, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("open recording: %w [name a file that `tenantrace run --record FILE` wrote]", err)
	}
	defer in.Close()
	reader, err := recording.NewReader(in)
	if err != nil {
		return fmt.Errorf("recording %q: %w [name a file that `tenantrace run --record FILE` wrote]", file, err)
	}
	registry := prometheus.NewRegistry()
	rules, err := openRules(cfg.Policy, cfg.Log, registry)
	if err != nil {
		return err
	}
	cfg.Record = ""
	out, err := openOutputs(&cfg, registry, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.close()) }()
	engine, err := cfg.NewEngine(EngineConfig{
		Policy: rules.Policy(), Verdict: out.verdict, Finding: out.finding, Registerer: registry, Log: cfg.Log,
	})
	if err != nil {
		return err
	}
	defer engine.Close()
	events, listed, placed := 0, false, false
	for ctx.Err() == nil {
		e, err := reader.Next()
		if errors.Is(err, io.EOF) {
			if reader.Cut() {
				cfg.Log.Warn("the recording ends within a line: its last event is missing", "file", file, "events", events)
			}
			if !listed && rules.Policy().CertificateRules().Revocation != nil {
				cfg.Log.Warn("the recording was made without revocation lists: revoked certificates are not found in it", "file", file)
			}
			if !placed && rules.Policy().Places().Asks() {
				cfg.Log.Warn("the recording does not say of any process what select.pid_file, container_image and k8s ask: they select none in it", "file", file)
			}
			cfg.Log.Info("replayed", "file", file, "events", events, "policy", rules.Policy().Hash())
			return nil
		}
		if err != nil {
			return fmt.Errorf("recording %q: %w", file, err)
		}
		switch e.(type) {
		case *event.RevocationLists:
			listed = true
		case *event.ProcessPlaced:
			placed = true
		}
		engine.Handle(e)
		events++
	}
	return fmt.Errorf("replay of %q: %w after %d events", file, ctx.Err(), events)
}
