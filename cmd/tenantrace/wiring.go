package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"tenantrace/cmd/tenantrace/command"
	"tenantrace/cmd/tenantrace/daemon"
	"tenantrace/collector"
	"tenantrace/collector/discovery"
	"tenantrace/correlate"
)

func newEngine(cfg daemon.EngineConfig) (daemon.Engine, error) {
	return correlate.New(correlate.Config{
		Policy: cfg.Policy, Verdict: cfg.Verdict, Finding: cfg.Finding, Registerer: cfg.Registerer, Log: cfg.Log,
	})
}

// tracer is a collector as the daemon knows it.
type tracer struct{ *collector.Collector }

// Libraries lists what is traced, in the form of the check.
func (t tracer) Libraries() any { return libraries(t.Collector.Libraries()) }

func newTracer(targets command.Targets) daemon.NewTracer {
	return func(cfg daemon.TracerConfig) (daemon.Tracer, error) {
		if err := yieldToOthers(); err != nil {
			cfg.Log.Warn("the daemon keeps the common scheduling policy: on a busy host it delays the application more", "error", err)
		}
		// Without some of the capabilities the daemon would start and miss processes.
		if err := unmet(collector.Prerequisites()); err != nil {
			return nil, err
		}
		c, err := collector.New(collector.Config{
			Handler: cfg.Handler, Log: cfg.Log, PIDs: targets.PIDs, Exes: targets.Exes, Fields: cfg.Fields, Columns: cfg.Columns,
		})
		if err == nil {
			return tracer{c}, nil
		}
		// The kernel says "operation not permitted" for many reasons: the requirement that is not met says more.
		if unmet := unmet(collector.Requirements()); unmet != nil {
			return nil, unmet
		}
		return nil, err
	}
}

// unmet says the first requirement that is not met, and names the others.
func unmet(requirements []collector.Requirement) error {
	var missing []string
	var first *collector.Requirement
	for i := range requirements {
		if r := &requirements[i]; !r.OK && first == nil {
			first = r
		} else if !r.OK {
			missing = append(missing, r.Name)
		}
	}
	if first == nil {
		return nil
	}
	others := ""
	if len(missing) > 0 {
		others = "missing too: " + strings.Join(missing, ", ") + "; "
	}
	return fmt.Errorf("%s: %s [%s; %s`tenantrace check` lists all that is needed]", first.Name, first.Detail, first.Remedy, others)
}

func check(ctx context.Context) command.Report {
	var report command.Report
	for _, r := range collector.Requirements() {
		item := command.Item{Name: r.Name, OK: r.OK, Detail: r.Detail}
		if !r.OK {
			item.Remedy = r.Remedy
		}
		report.Items = append(report.Items, item)
	}
	found, err := collector.Survey(ctx)
	if err != nil && !errors.Is(err, context.Canceled) {
		report.Items = append(report.Items, command.Item{Name: "processes", Detail: err.Error(), Remedy: "run as root"})
	}
	report.Libraries = libraries(found)
	return report
}

func libraries(found []discovery.Library) []command.Library {
	list := make([]command.Library, 0, len(found))
	for _, l := range found {
		list = append(list, command.Library{
			Path: l.Path, Device: uint64(l.Device), Inode: l.Inode, BuildID: l.BuildID,
			Learned: l.OffsetsKnown, Unknown: l.Unknown, Error: l.Error, Processes: l.Processes,
		})
	}
	return list
}
