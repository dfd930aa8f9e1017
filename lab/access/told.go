package access

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tenantrace/lab/audit"
	"tenantrace/lab/matrix"
	"tenantrace/lab/tracer"
)

// settle is for how long the daemon's last verdict is waited for.
const settle = 20 * time.Second

// told is what the daemon said of a take.
type told struct {
	findings []string // as want's
	lines    []audit.Line
	links    audit.Links // held against the labels in the statements
	requests map[string]matrix.Peer
	replayed string // how a replay differs; "" not at all
	lost     error
}

// finish waits until the daemon has judged what there was, or in vain, as the comparison will tell; ends it and reads what it wrote.
func finish(ctx context.Context, daemon *tracer.Tracer, requests, statements int) (*told, error) {
	_, err := daemon.Await(ctx, settle, func(metrics string) bool {
		return tracer.Sum(metrics, "tenantrace_requests_total{") >= requests && tracer.Sum(metrics, "tenantrace_statements_total{") >= statements
	})
	if err != nil {
		return nil, err
	}
	if err := daemon.Stop(); err != nil {
		return nil, err
	}
	t := &told{}
	if t.lines, err = audit.ReadLines(daemon.Verdicts); err != nil {
		return nil, err
	}
	all, err := audit.ReadFindings(daemon.Findings)
	if err != nil {
		return nil, err
	}
	t.findings = audit.Summaries(all)
	truth, err := audit.ReadTruth(daemon.Record)
	if err != nil {
		return nil, err
	}
	t.links = truth.Check(t.lines)
	if t.requests, t.lost = matrix.Peers(daemon.Record); t.requests == nil {
		return nil, t.lost
	}
	t.replayed, err = daemon.Replayed(ctx)
	return t, err
}

// line sums up a verdict line. Of the many tenants of a crowd it tells only whether they are the certificate's.
func line(l *audit.Line) string {
	verdict, identity, database := l.Verdict, or(l.IdentityTenant), or(strings.Join(l.DatabaseTenants, ","))
	if l.Reason != "" {
		verdict += "/" + l.Reason
	}
	if strings.HasPrefix(identity, "many-") {
		if database == identity {
			database = "own"
		}
		identity = "many"
	}
	return fmt.Sprintf("%s %s %s %s>%s", verdict, l.Link, or(l.EvidenceLevel), identity, database)
}

func or(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// problems are all the ways in which a take is not as expected. The number of statements is that of the database's log.
func problems(t *take, c *calls, told *told, statements int) []string {
	out := slices.Clone(c.problems)
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if told.lost != nil {
		add("%v", told.lost)
	}
	if wanted := slices.Sorted(slices.Values(t.want.findings)); !slices.Equal(wanted, told.findings) {
		add("findings are not those expected")
	}
	verdicts := make(map[string]int)
	for i := range told.lines {
		verdicts[line(&told.lines[i])]++
	}
	if !maps.Equal(verdicts, t.want.verdicts) {
		add("verdicts are %s", counted(verdicts))
		add("     expected %s", counted(t.want.verdicts))
	}
	if len(told.lines) != statements {
		add("%d verdict lines for %d statements in the log of the database", len(told.lines), statements)
	}
	if n := len(told.links.Wrong); n > 0 {
		add("%d statements are tied to another request than their own, as one of %q", n, told.links.Wrong[0].RequestID())
	}
	if told.links.Unjoined > 0 {
		add("%d verdict lines of statements that are not in the recording", told.links.Unjoined)
	}
	for id, leaf := range c.sent {
		switch p := told.requests[id]; {
		case p.Times != 1:
			add("%s: seen %d times", id, p.Times)
		case p.SHA256 != leaf.SHA256 || !p.Verified:
			add("%s: certificate %.8q, verified %v, expected %.8q", id, p.SHA256, p.Verified, leaf.SHA256)
		}
	}
	for id := range told.requests {
		if id != "" && c.sent[id] == nil {
			add("%s: seen, but never sent", id)
		}
	}
	if told.replayed != "" {
		add("%s", told.replayed)
	}
	return out
}

func counted(verdicts map[string]int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(verdicts)) {
		parts = append(parts, fmt.Sprintf("%s: %d", name, verdicts[name]))
	}
	if parts == nil {
		return "none"
	}
	return strings.Join(parts, "; ")
}
