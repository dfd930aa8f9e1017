package lab

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"tenantrace/lab/audit"
	"tenantrace/lab/scenario"
)

// settle is for how long the lab waits for the last verdicts.
const settle = time.Minute

// judge ends the daemon, compares and reports.
func (r *run) judge(ctx context.Context) error {
	out := r.cfg.Out
	slices.SortStableFunc(r.plays, func(a, b *scenario.Play) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(slices.Index(r.names, a.Cell), slices.Index(r.names, b.Cell)))
	})
	requests, statements := r.sentBy("")
	count := &counts{requests: requests, counted: statements, known: make(map[string]bool), faulty: make(map[string]bool), raises: make(map[string]int)}
	for _, p := range r.plays {
		for i := range p.Sent {
			s := &p.Sent[i]
			count.known[s.ID], count.faulty[s.ID] = s.Status != 0, s.Fault
			for _, name := range s.Raises {
				count.raises[name]++
			}
		}
	}
	var err error
	if count.logged, err = loggedStatements(r.stage, r.names); err != nil {
		return err
	}
	if r.daemon == nil {
		return r.reportServices(count)
	}
	told, err := finish(ctx, r.daemon, statements, out)
	if err != nil {
		return err
	}
	good, seen := true, told.seen(count)
	fmt.Fprintln(out)
	for _, p := range r.plays {
		result := scenario.Judge(p, seen)
		good = good && result.OK()
		printResult(out, result)
	}
	good = report(out, told, count) && good
	printFinding(out, told.findings, "IDENTITY_TOCTOU")
	same, err := r.replay(ctx, told)
	if err != nil {
		return err
	}
	if good = good && same; !good {
		return ErrExpectation
	}
	fmt.Fprintln(out, "\nPASS: everything was as expected")
	return nil
}

func (r *run) replay(ctx context.Context, told *told) (bool, error) {
	return replay(ctx, r.daemon, told, r.cfg.Out)
}

// reportServices is the report of a run without a daemon: did the services answer as expected, and did they count right?
func (r *run) reportServices(count *counts) error {
	good := count.logged == count.counted
	for _, p := range r.plays {
		for i := range p.Sent {
			if s := &p.Sent[i]; s.Problem != "" {
				good = false
				fmt.Fprintf(r.cfg.Out, "FAIL %s %s: %s\n", s.ID, s.Target, s.Problem)
			}
		}
	}
	fmt.Fprintf(r.cfg.Out, "lab: %d requests; %d statements by the services' own count, %d by PostgreSQL's log\n", count.requests, count.counted, count.logged)
	if !good {
		return ErrExpectation
	}
	return nil
}

// told is what the daemon said and recorded.
type told struct {
	lines    []audit.Line
	findings []audit.Finding
	truth    *audit.Truth
	raised   map[string]int // occurrences of findings, by name
}

// seen sorts it by request.
func (t *told) seen(c *counts) *scenario.Seen {
	s := &scenario.Seen{Lines: make(map[string][]audit.Line), Findings: make(map[string][]audit.Finding), Exact: make(map[string]bool)}
	for name, n := range c.raises {
		s.Exact[name] = t.raised[name] == n
	}
	for _, l := range t.lines {
		id := t.truth.RequestOf(&l)
		s.Lines[id] = append(s.Lines[id], l)
	}
	for _, f := range t.findings {
		s.Findings[f.RequestID()] = append(s.Findings[f.RequestID()], f)
	}
	return s
}
