package sqlmatrix

import (
	"fmt"
	"slices"
	"strings"
)

// tally counts the statements of a row.
type tally struct {
	sent    int // by the server's log
	seen    int // verdict lines
	labeled int // of those, with a comment
	right   int
	unknown int
	wrong   int
	none    int // of the right ones: those that have no evidence
	na      int // labels
}

// result is what came of a driver over a transport.
type result struct {
	driver     *driver
	transport  string
	dir        string
	job        *job
	said       map[string]report
	logged     []entry
	metrics    map[string]float64
	lines      int
	seen       []statement
	lacks      map[string]string // label -> why the server cannot
	unreadable []string          // reasons, of sessions
	tally      tally
	missing    map[string][]string // reason -> labels that are n/a
	problems   []string            // each fails the row
	doubts     []string            // what is not known of statements that have evidence
}

// compare counts, and tells what is not as it must be.
func (r *result) compare() {
	r.tally.sent, r.tally.seen = 0, r.lines
	logged := make(map[string]int) // by label
	for _, e := range r.logged {
		if e.pooler && !r.driver.ofServer {
			continue
		}
		for _, part := range split(e.text, r.driver.engine) {
			r.tally.sent++
			if c := commentOf(part); c != "" && !e.further {
				logged[r.job.of[c]]++
			}
		}
	}
	r.missing = map[string][]string{}
	if len(r.job.absent) > 0 {
		r.missing["not "+r.driver.engine+"'s"] = r.job.absent
	}
	for name, why := range r.lacks {
		r.missing[why] = append(r.missing[why], name)
	}
	for _, name := range r.job.labels {
		said, ok := r.said[name]
		switch {
		case !ok:
			r.problem("%s: the program says nothing of it", name)
		case said.na != "":
			r.missing[said.na] = append(r.missing[said.na], name)
		}
		if said.sent != logged[name] {
			r.problem("%s: the program says that it sent %d statements, the server's log has %d", name, said.sent, logged[name])
		}
	}
	for _, names := range r.missing {
		r.tally.na += len(names)
	}
	if why := r.driver.unreadable[r.transport]; why != "" {
		r.compareUnreadable()
		return
	}
	if len(r.unreadable) > 0 {
		r.problem("%d sessions could not be read: %s", len(r.unreadable), strings.Join(r.unreadable, ", "))
	}
	if r.driver.engine == mysql { // whose log has none of them
		for _, s := range r.seen {
			if s.further {
				r.tally.seen--
			}
		}
	}
	if r.tally.seen != r.tally.sent {
		r.problem("the server's log has %d statements, the daemon saw %d", r.tally.sent, r.tally.seen)
	}
	r.judge(logged)
}

// unreadableMetric counts the sessions behind TLS that nothing shows.
const unreadableMetric = `tenantrace_unreadable_sessions_total{reason="tls"}`

// compareUnreadable looks at a transport that the daemon cannot read: it must have said so of each session, and have seen nothing.
func (r *result) compareUnreadable() {
	if r.tally.seen > 0 {
		r.problem("the daemon saw %d statements on a transport that cannot be read", r.tally.seen)
	}
	sessions := map[string]bool{}
	for _, e := range r.logged {
		sessions[e.session] = true
	}
	if counted := r.metrics[unreadableMetric]; int(counted) != len(sessions) || len(r.unreadable) != len(sessions) {
		r.problem("the server's log has %d sessions, the daemon told of %d that cannot be read and counted %g", len(sessions), len(r.unreadable), counted)
	}
}

// judge holds what is known of each statement against what is wanted.
func (r *result) judge(logged map[string]int) {
	seen := make(map[string]int)        // by label
	times := make(map[string]int)       // by comment
	last := make(map[uint64]*statement) // by connection: its last statement with a comment
	var labeled []*statement
	for i := range r.seen {
		s := &r.seen[i]
		before := last[s.conn]
		switch {
		case s.comment != "" && !s.further:
			r.tally.labeled++
			seen[r.job.of[s.comment]]++
			last[s.conn] = s
			labeled = append(labeled, s)
		case before != nil && (s.further || isFetch(s.text)): // the cursor's rows are its statement's
			before.tenants = slices.Compact(slices.Sorted(slices.Values(append(before.tenants, s.tenants...))))
			if s.level == row {
				before.level = row
			}
		case len(s.tenants) > 0:
			r.tally.wrong++
			r.problem("%s: shown of a statement of the driver's own: %s", strings.Join(s.tenants, " "), brief(s.text))
		}
	}
	for _, name := range r.job.labels {
		if logged[name] != seen[name] {
			r.problem("%s: the server's log has %d statements, the daemon saw %d", name, logged[name], seen[name])
		}
	}
	for _, s := range labeled {
		wants := r.job.wants[s.comment]
		i := times[s.comment]
		times[s.comment]++
		switch {
		case len(wants) == 1:
			i = 0
		case i >= len(wants):
			r.problem("%s: seen more often than sent", s.comment)
			continue
		}
		r.weigh(s, &wants[i])
	}
}

// weigh compares one statement.
func (r *result) weigh(s *statement, w *want) {
	wanted := strings.Fields(w.tenants)
	slices.Sort(wanted)
	said := fmt.Sprintf("%s: wanted %q by %s, got %q by %q (%s): %s", s.comment, wanted, strings.Join(w.levels, " or "), s.tenants, s.level, s.verdict, brief(s.text))
	for _, t := range s.tenants {
		if !slices.Contains(wanted, t) {
			r.tally.wrong++
			r.problem("wrong: %s", said)
			return
		}
	}
	switch {
	case len(wanted) == 0:
		r.tally.right++
		r.tally.none++
	case !slices.Equal(wanted, s.tenants):
		r.tally.unknown++
		r.doubts = append(r.doubts, "unknown: "+said)
	case len(w.levels) > 0 && !slices.Contains(w.levels, s.level) && !(r.driver.inline && s.level == literal && slices.Contains(w.levels, bind)):
		r.tally.wrong++
		r.problem("wrong kind of evidence: %s", said)
	default:
		r.tally.right++
	}
}

// isFetch tells whether a statement takes rows of a cursor, or ends it.
func isFetch(text string) bool {
	word, _, _ := strings.Cut(strings.ToUpper(text), " ")
	return word == "FETCH" || word == "CLOSE" || word == "MOVE"
}
