package lab

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"tenantrace/lab/audit"
	"tenantrace/lab/stage"
	"tenantrace/lab/tracer"
)

// loggedStatements is how many statements PostgreSQL's log has of the servers.
func loggedStatements(s *stage.Stage, servers []string) (int, error) {
	byName, err := s.Database.Statements()
	if err != nil {
		return 0, err
	}
	n := 0
	for _, name := range servers {
		n += byName[name]
	}
	return n, nil
}

// finish waits for the last verdicts, shows some of the metrics, ends the daemon and reads what it wrote.
func finish(ctx context.Context, daemon *tracer.Tracer, statements int, out io.Writer) (*told, error) {
	for deadline := time.Now().Add(settle); time.Now().Before(deadline) && ctx.Err() == nil; time.Sleep(100 * time.Millisecond) {
		n, err := audit.CountLines(daemon.Verdicts)
		if err != nil {
			return nil, err
		}
		if n >= statements {
			break
		}
	}
	metrics, err := daemon.Metrics(ctx)
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	printMetrics(out, daemon.Addr, metrics)
	if err := daemon.Stop(); err != nil {
		return nil, err
	}
	t := &told{}
	if t.lines, err = audit.ReadLines(daemon.Verdicts); err != nil {
		return nil, err
	}
	if t.findings, err = audit.ReadFindings(daemon.Findings); err != nil {
		return nil, err
	}
	t.raised = audit.Occurrences(t.findings)
	t.truth, err = audit.ReadTruth(daemon.Record)
	return t, err
}

// printMetrics shows the verdicts and findings that are not zero.
func printMetrics(out io.Writer, addr, text string) {
	fmt.Fprintf(out, "\nFrom http://%s/metrics:\n", addr)
	for line := range strings.Lines(text) {
		for _, prefix := range []string{"tenantrace_statements_total", "tenantrace_findings_total", "tenantrace_requests_total", "tenantrace_events_lost_total"} {
			if strings.HasPrefix(line, prefix) && !strings.HasSuffix(line, " 0\n") {
				fmt.Fprint(out, "  ", line)
			}
		}
	}
}

// replay judges the recording again and compares.
func replay(ctx context.Context, daemon *tracer.Tracer, live *told, out io.Writer) (same bool, err error) {
	findingsFile, verdictsFile, err := daemon.Replay(ctx)
	if err != nil {
		return false, err
	}
	findings, err := audit.Difference(daemon.Findings, findingsFile)
	if err != nil {
		return false, err
	}
	verdicts, err := audit.Difference(daemon.Verdicts, verdictsFile)
	if err != nil {
		return false, err
	}
	if same = findings == "" && verdicts == ""; same {
		fmt.Fprintf(out, "\nPASS replay of the recording: the same %d findings and %d verdict lines\n", len(live.findings), len(live.lines))
		return true, nil
	}
	for _, d := range []string{findings, verdicts} {
		if d != "" {
			fmt.Fprintf(out, "\nFAIL replay of the recording differs:\n%s", d)
		}
	}
	return false, nil
}
