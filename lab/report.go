package lab

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"tenantrace/lab/audit"
	"tenantrace/lab/scenario"
)

// printResult prints a scenario's line, and below it what was wrong.
func printResult(out io.Writer, r *scenario.Result) {
	state := "PASS"
	if !r.OK() {
		state = "FAIL"
	}
	expected, seen := strings.Join(r.Expected(), "+"), strings.Join(r.Names, "+")
	clean := ""
	if expected == "" {
		if expected = r.Want.Clean; expected == "" {
			expected = "no_tenant"
		}
		seen = strings.Join(append(r.Verdicts, r.Names...), "+")
	}
	if r.Faults > 0 {
		clean = fmt.Sprintf("  flagged %d of %d", r.Flagged, r.Faults)
	}
	if r.Cleans > 0 {
		clean += fmt.Sprintf("  clean %d of %d", r.Passed, r.Cleans)
	}
	fmt.Fprintf(out, "%s %-5s %-12s %-36s expected %s  seen %s  link %s  evidence %s%s\n",
		state, r.ID, r.Cell, r.Title, expected, or(seen), or(strings.Join(r.Links, "+")), or(strings.Join(r.Evidence, "+")), clean)
	for i, problem := range r.Problems {
		if i == 5 {
			fmt.Fprintf(out, "       … and %d more\n", len(r.Problems)-i)
			break
		}
		fmt.Fprintf(out, "       %s\n", problem)
	}
}

func or(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// counts are what the lab itself knows.
type counts struct {
	requests int             // that were answered
	counted  int             // statements by the services' own count
	logged   int             // statements in PostgreSQL's log
	known    map[string]bool // requests that were answered, by X-Request-ID
	faulty   map[string]bool // those of them that had a fault
	raises   map[string]int  // findings about requests as a whole, by name
}

// report prints the sums and checks them.
func report(out io.Writer, t *told, c *counts) bool {
	verdicts, reasons := make(map[string]int), make(map[string]int)
	falsely := 0
	for i := range t.lines {
		l := &t.lines[i]
		verdicts[l.Verdict]++
		if l.Reason != "" {
			reasons[l.Reason]++
		}
		if l.Verdict == "violation" && !c.faulty[t.truth.RequestOf(l)] {
			falsely++
		}
	}
	recorded, strange := 0, 0
	for id, n := range t.truth.Requests {
		if c.known[id] {
			recorded += n
		} else if id != "" {
			strange += n
		}
	}
	links := t.truth.Check(t.lines)
	fmt.Fprintln(out, "\nCoverage: each statement has one verdict")
	for _, v := range slices.Sorted(maps.Keys(verdicts)) {
		fmt.Fprintf(out, "  %-13s %7d\n", v, verdicts[v])
	}
	for _, reason := range slices.Sorted(maps.Keys(reasons)) {
		fmt.Fprintf(out, "    reason %s: %d\n", reason, reasons[reason])
	}
	fmt.Fprintf(out, "  %-13s %7d\n\n", "sum", len(t.lines))
	good := true
	check := func(ok bool, format string, args ...any) {
		state := "PASS"
		if !ok {
			state, good = "FAIL", false
		}
		fmt.Fprintf(out, "%s %s\n", state, fmt.Sprintf(format, args...))
	}
	check(len(t.lines) == c.counted, "statements: %d by the daemon, %d by the services' own count", len(t.lines), c.counted)
	check(c.logged == c.counted, "statements: %d by PostgreSQL's log, %d by the services' own count", c.logged, c.counted)
	check(recorded == c.requests && strange == 0, "requests: %d seen by the daemon, %d answered (and %d that the lab did not send)", recorded, c.requests, strange)
	check(len(links.Wrong) == 0 && links.Right > 0, "links by ground truth: %d right, %d wrong, %d statements linked to no single request", links.Right, len(links.Wrong), links.Unlinked)
	check(links.Unjoined == 0 && links.NoTruth == 0, "ground truth: %d statements without it, %d not in the recording", links.NoTruth, links.Unjoined)
	check(falsely == 0, "false violations: %d", falsely)
	for _, name := range slices.Sorted(maps.Keys(c.raises)) {
		check(t.raised[name] == c.raises[name], "%s: raised %d times, expected %d", name, t.raised[name], c.raises[name])
	}
	check(verdicts["blind"] == 0 && reasons["conflict"] == 0, "nothing lost, no two links in conflict")
	for i, l := range links.Wrong {
		if i == 5 {
			break
		}
		fmt.Fprintf(out, "       linked to %s, sent for %s: %.80s\n", l.RequestID(), t.truth.RequestOf(&l), l.Statement.Shape)
	}
	return good
}

// printFinding shows one finding in full, one of the name if there is one.
func printFinding(out io.Writer, findings []audit.Finding, name string) {
	if len(findings) == 0 {
		return
	}
	shown := &findings[0]
	for i := range findings {
		if findings[i].Info.Title == name {
			shown = &findings[i]
			break
		}
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, shown.JSON, "  ", "  "); err != nil {
		return // it was read as JSON before
	}
	fmt.Fprintf(out, "\nOne finding in full:\n  %s\n", pretty.String())
}
