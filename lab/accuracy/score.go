package accuracy

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"tenantrace/lab/audit"
)

// line is a verdict line, as far as it is compared.
type line struct {
	Time       time.Time `json:"time"`
	TID        int       `json:"tid"`
	Verdict    string    `json:"verdict"`
	Findings   []string  `json:"findings"`
	Reason     string    `json:"reason"`
	Link       string    `json:"link"`
	Connection *struct {
		Remote string `json:"remote"`
	} `json:"connection"`
	Request *struct {
		ID string `json:"id"`
	} `json:"request"`
	Candidates []struct {
		ID     string `json:"id"`
		Tenant string `json:"tenant"`
	} `json:"candidates"`
	Certificate *struct {
		SHA256 string `json:"sha256"`
	} `json:"certificate"`
	Statement struct {
		Shape string `json:"shape"`
	} `json:"statement"`
}

// Rung is what was claimed by one kind of link, and what of it was true.
type Rung struct {
	Claimed int `json:"claimed"`
	Right   int `json:"right"`
	Wrong   int `json:"wrong"`
}

// Class is what became of the planted violations of one kind, by what tied them to their requests.
type Class struct {
	Planted int `json:"planted"`
	Found   int `json:"found"`
	Exact   int `json:"exact"`   // planted ones with an exact link
	OfExact int `json:"ofexact"` // of these, found
}

// Tally is the comparison of verdict lines with the truth.
type Tally struct {
	Requests   int              `json:"requests"`
	Lines      int              `json:"lines"`
	Statements int              `json:"statements"` // lines whose truth is known
	NoTruth    int              `json:"no_truth"`   // lines of statements that drivers send by themselves
	Mixed      int              `json:"mixed"`      // lines of statements that were written at once and cannot be told apart
	Background int              `json:"background"` // statements of no request
	Rungs      map[string]*Rung `json:"rungs"`      // by link, of statements of requests and of none
	Reasons    map[string]int   `json:"reasons"`    // of lines that are unattributed or blind, by reason
	Verdicts   map[string]int   `json:"verdicts"`
	Denied     int              `json:"denied"`  // statements of requests that were taken for background
	Trapped    int              `json:"trapped"` // statements of no request that were judged by a set of candidates
	Power      float64          `json:"power"`   // mean share of the tenants whose data a set would not have explained
	powers     float64
	plantedBy  map[string]bool   // links of statements that are violations
	plantedAs  map[string]bool   // their verdicts
	jobs       map[string]bool   // verdicts of statements of no request
	Classes    map[string]*Class `json:"classes"`
	Missed     map[string]int    `json:"missed"` // planted violations that were not found, by verdict and reason
	False      int               `json:"false"`  // violations where there was none
	Clean      int               `json:"clean"`  // statements that are no violation
	Strays     int               `json:"strays"` // findings about requests without a fault
	Examples   []string          `json:"examples,omitempty"`
}

func newTally() *Tally {
	return &Tally{Rungs: make(map[string]*Rung), Reasons: make(map[string]int), Verdicts: make(map[string]int), Classes: make(map[string]*Class), Missed: make(map[string]int),
		plantedBy: make(map[string]bool), plantedAs: make(map[string]bool), jobs: make(map[string]bool)}
}

// exampleMax is how many examples of what is wrong are kept.
const exampleMax = 6

func (t *Tally) example(format string, args ...any) {
	if len(t.Examples) < exampleMax {
		t.Examples = append(t.Examples, fmt.Sprintf(format, args...))
	}
}

// exact are the links that name one request, or one connection.
var exact = []string{"token", "thread", "task", "transaction"}

// rungs are all links in the table's order.
var rungs = append(slices.Clone(exact), "set", "none")

// score compares the verdict lines of a file with the truth.
func (t *Tally) score(path string, truth *truth, sent map[string]*sent, tenants int) error {
	err := audit.EachLine(path, func(text []byte) error {
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			return err
		}
		t.one(&l, truth.statements[moment{l.Time.UnixNano(), l.TID}], sent, tenants)
		return nil
	})
	if set := t.Rungs["set"]; set != nil {
		t.Power = t.powers / float64(set.Claimed)
	}
	return err
}

func (t *Tally) one(l *line, truth *statement, requests map[string]*sent, tenants int) {
	t.Lines++
	t.Verdicts[l.Verdict]++
	switch {
	case truth == nil:
		if t.NoTruth++; l.Verdict == "violation" {
			t.False++
			t.example("violation by a statement that no request and no job sent: %s", l.Statement.Shape)
		}
		return
	case truth.mixed:
		t.Mixed++
		return
	}
	r := requests[truth.gt]
	if r == nil && truth.gt != backgroundGT {
		t.NoTruth++ // of an earlier load
		return
	}
	t.Statements++
	if l.Verdict == "unattributed" || l.Verdict == "blind" {
		t.Reasons[l.Reason]++
	}
	t.link(l, truth, r, tenants)
	t.verdict(l, truth, r)
}

// link holds what ties a statement to its request against the truth.
func (t *Tally) link(l *line, truth *statement, r *sent, tenants int) {
	rung := t.Rungs[l.Link]
	if rung == nil {
		rung = &Rung{}
		t.Rungs[l.Link] = rung
	}
	rung.Claimed++
	if r == nil {
		t.Background++
		t.jobs[l.Verdict] = true
	}
	switch {
	case l.Link == "none":
		if r != nil && l.Verdict == "background" {
			t.Denied++
			t.example("request %s, %s: taken for background", r.public, truth.kind)
			rung.Wrong++
			return
		}
		rung.Right++
	case l.Link == "set":
		names := make(map[string]bool)
		sound := r == nil
		for _, c := range l.Candidates {
			names[c.Tenant] = true
			sound = sound || c.ID == r.public
		}
		t.powers += 1 - float64(min(len(names), tenants))/float64(tenants)
		if r == nil {
			t.Trapped++
		}
		if !sound {
			rung.Wrong++
			t.example("request %s, %s: not among the %d candidates", r.public, truth.kind, len(l.Candidates))
			return
		}
		rung.Right++
	case r == nil:
		rung.Wrong++
		t.example("a background statement is tied to a request by %s", l.Link)
	case l.Request != nil && l.Request.ID == r.public, l.Request == nil && l.Connection != nil && l.Connection.Remote == r.local:
		rung.Right++
	default:
		rung.Wrong++
		other := "a connection"
		if l.Request != nil {
			other = l.Request.ID
		}
		t.example("request %s, %s: tied to %s by %s", r.public, truth.kind, other, l.Link)
	}
}

// verdict holds the verdict against the truth.
func (t *Tally) verdict(l *line, truth *statement, r *sent) {
	found := l.Verdict == "violation"
	if !truth.violates(r) {
		if t.Clean++; found {
			t.False++
			who := backgroundGT
			if r != nil {
				who = r.public + " of " + r.tenant
			}
			t.example("false violation: %s, %s with data of %q: %v by %s", who, truth.kind, truth.tenant, l.Findings, l.Link)
		}
		return
	}
	name := r.flaw
	if truth.kind == sessionKind { // whatever the request itself did right
		name = stale
	}
	class := t.Classes[name]
	if class == nil {
		class = &Class{}
		t.Classes[name] = class
	}
	class.Planted++
	t.plantedBy[l.Link], t.plantedAs[l.Verdict] = true, true
	byExact := slices.Contains(exact, l.Link)
	if byExact {
		class.Exact++
	}
	if !found {
		t.Missed[l.Verdict+" "+l.Reason+" "+l.Link]++
		return
	}
	class.Found++
	if byExact {
		class.OfExact++
	}
}

// violates tells whether a statement uses data of another tenant than its request's certificate is of.
func (s *statement) violates(r *sent) bool {
	if r == nil {
		return false
	}
	tenant := s.tenant
	if tenant == unknownTenant {
		tenant = r.rows[s.number]
	}
	return tenant != "" && tenant != r.tenant
}
