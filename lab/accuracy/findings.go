package accuracy

import (
	"encoding/json"
	"slices"

	"tenantrace/lab/audit"
)

// expected are the findings that the planted violations may raise.
var expected = []string{"CROSS_TENANT_READ", "CROSS_TENANT_WRITE", "CROSS_TENANT_BY_KEY", "IDENTITY_TOCTOU", "MIXED_TENANTS_IN_TRANSACTION", "SESSION_STATE_CARRYOVER", "BACKGROUND_TENANT_DRIFT"}

// findings counts the findings that nobody planted: of another name, in a cell without violations, or about a request without a fault.
func (r *running) findings(path string) error {
	requests := make(map[string]*sent)
	for _, s := range r.load.sent {
		requests[s.public] = s
	}
	all, err := audit.ReadFindings(path)
	if err != nil {
		return err
	}
	t := r.result.Tally
	for _, f := range all {
		planted := r.cell.Violation == independent || r.cell.Violation == race || r.cell.Violation == stale
		if s := requests[f.RequestID()]; s != nil && s.flaw == "" && r.cell.Violation != stale { // with a stale session the victims are others
			planted = false
		}
		if !planted || !slices.Contains(expected, f.Info.Title) {
			t.Strays++
			t.example("a finding that nobody planted: %s about request %q", f.Info.Title, f.RequestID())
		}
	}
	return nil
}

// lost adds the events that a daemon says it lost.
func (r *running) lost(recording string) error {
	return audit.EachLine(recording, func(text []byte) error {
		var l struct {
			Kind  string `json:"k"`
			Event struct {
				Count uint64 `json:"count"`
			} `json:"e"`
		}
		if err := json.Unmarshal(text, &l); err != nil {
			return err
		}
		if l.Kind == "lost" {
			r.result.Lost += l.Event.Count
		}
		return nil
	})
}

// overflowing is how many statements it takes for the small ring buffer to overflow, with some reserve.
const overflowing = 10000

// weigh says what must not be.
func (r *running) weigh() {
	t := r.result.Tally
	for _, name := range exact {
		if rung := t.Rungs[name]; rung != nil && rung.Wrong > 0 {
			r.problem("%d of %d links by %s are wrong", rung.Wrong, rung.Claimed, name)
		}
	}
	if rung := t.Rungs["set"]; rung != nil && rung.Wrong > 0 {
		r.problem("%d of %d sets do not hold the true request", rung.Wrong, rung.Claimed)
	}
	if t.Denied > 0 {
		r.problem("%d statements of requests were taken for background", t.Denied)
	}
	if t.False > 0 {
		r.problem("%d false violations", t.False)
	}
	if t.Strays > 0 {
		r.problem("%d findings that nobody planted", t.Strays)
	}
	if t.Statements-t.Background < r.cfg.Statements/2 && r.cell.Chaos == "" {
		r.problem("only %d statements could be compared", t.Statements-t.Background)
	}
	if r.cell.Chaos == smallRing && r.result.Lost == 0 && r.cfg.Statements >= overflowing {
		r.problem("nothing was lost: the ring buffer did not overflow")
	}
	for name, c := range t.Classes {
		if c.Exact > 0 && 100*c.OfExact < 99*c.Exact && r.cell.Chaos == "" {
			r.problem("of %d violations (%s) with an exact link only %d were found", c.Exact, name, c.OfExact)
		}
	}
}
