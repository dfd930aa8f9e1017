package daemon

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tenantrace/cmd/tenantrace/ocsf"
	"tenantrace/cmd/tenantrace/sink"
	"tenantrace/correlate/verdict"
)

// closeTimeout bounds the wait for an output that does not take its last lines.
const closeTimeout = 1500 * time.Millisecond

// outputs are where conclusions go; verdicts and recording are nil when they are off.
type outputs struct {
	findings  *sink.Lines
	verdicts  *sink.Lines
	recording *sink.Lines
	version   string
	log       *slog.Logger
}

// openOutputs opens what cfg names. With wait, a full output holds up the caller instead of losing lines.
func openOutputs(cfg *Config, registry prometheus.Registerer, wait bool) (*outputs, error) {
	metrics, err := sink.NewMetrics(registry, "findings", "verdicts", "recording")
	if err != nil {
		return nil, err
	}
	out := &outputs{version: cfg.Version, log: cfg.Log}
	open := func(name, path string) *sink.Lines {
		if path == "" || err != nil {
			return nil
		}
		var lines *sink.Lines
		lines, err = sink.Open(sink.Config{
			Name: name, Path: path, Stdout: cfg.Stdout, Wait: wait, Truncate: name == "recording", Log: cfg.Log, Metrics: metrics,
		})
		return lines
	}
	out.findings, out.verdicts, out.recording = open("findings", cfg.Findings), open("verdicts", cfg.Verdicts), open("recording", cfg.Record)
	if err != nil {
		return nil, errors.Join(err, out.close())
	}
	return out, nil
}

func (o *outputs) verdict(s *verdict.Statement) {
	if o.verdicts == nil {
		return
	}
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false) // SQL is full of < and >
	if err := encoder.Encode(s); err != nil {
		o.log.Error("cannot encode a verdict", "err", err)
		return
	}
	_, _ = o.verdicts.Write(line.Bytes()) // a sink counts and says its faults itself
}

func (o *outputs) finding(f *verdict.Finding) {
	if o.findings == nil {
		return
	}
	line, err := ocsf.Line(f, o.version)
	if err != nil {
		o.log.Error("cannot encode a finding", "err", err)
		return
	}
	_, _ = o.findings.Write(line)
}

// reopen opens the findings and verdicts files by their names again. The recording stays: it is one file of one run.
func (o *outputs) reopen() error {
	var errs []error
	for _, s := range []*sink.Lines{o.findings, o.verdicts} {
		if s != nil {
			errs = append(errs, s.Reopen())
		}
	}
	return errors.Join(errs...)
}

// close writes what is buffered and closes all outputs, side by side so that one that is stuck does not use up the others' time.
func (o *outputs) close() error {
	var closing []*task
	for _, s := range []*sink.Lines{o.findings, o.verdicts, o.recording} {
		if s != nil {
			closing = append(closing, start(func() error { return s.Close(closeTimeout) }))
		}
	}
	var errs []error
	for _, t := range closing {
		<-t.done
		errs = append(errs, t.err)
	}
	return errors.Join(errs...)
}
