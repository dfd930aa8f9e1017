package scenario

import (
	"strings"
	"testing"

	"tenantrace/lab/audit"
)

func line(verdict, reason, link, evidence string, findings ...string) audit.Line {
	return audit.Line{Verdict: verdict, Reason: reason, Link: link, EvidenceLevel: evidence, Findings: findings}
}

func TestJudge(t *testing.T) {
	want := Want{Findings: []string{"CROSS_TENANT_READ"}, Evidence: []string{"row"}, Clean: okExact}
	lookup := line(noTenant, "", "thread", "")
	leak := line(violation, "", "thread", "row", "CROSS_TENANT_READ")
	own := line(okExact, "", "thread", "row")
	for _, tc := range []struct {
		name         string
		want         Want
		fault, clean []audit.Line
		problem      string // within; "" none
	}{
		{"as wanted", want, []audit.Line{lookup, leak}, []audit.Line{lookup, own}, ""},
		{"missed", want, []audit.Line{lookup, own}, []audit.Line{lookup, own}, "was not raised"},
		{"other finding", want, []audit.Line{lookup, line(violation, "", "thread", "row", "X")}, []audit.Line{lookup, own}, "was not raised"},
		{"weaker evidence", want, []audit.Line{lookup, line(violation, "", "thread", "literal", "CROSS_TENANT_READ")}, []audit.Line{lookup, own}, "evidence [row]"},
		{"a line is missing", want, []audit.Line{leak}, []audit.Line{lookup, own}, "1 verdict lines for 2"},
		{"a line too many", want, []audit.Line{lookup, leak}, []audit.Line{lookup, own, own}, "3 verdict lines for 2"},
		{"clean one flagged", want, []audit.Line{lookup, leak}, []audit.Line{lookup, leak}, "was raised"},
		{"clean one violates without a name", want, []audit.Line{lookup, leak}, []audit.Line{lookup, line(violation, "", "thread", "row")}, "unexpected verdict"},
		{"clean one unattributed", want, []audit.Line{lookup, leak}, []audit.Line{own, line(unattributed, "no_link", "none", "")}, "unexpected verdict"},
		{"clean one unlinked", want, []audit.Line{lookup, leak}, []audit.Line{own, line(noTenant, "", "none", "")}, "without an exact link"},
		{"clean one undecided", want, []audit.Line{lookup, leak}, []audit.Line{lookup, lookup}, "no statement with verdict ok_exact"},
		{"info missing", Want{Findings: want.Findings, Info: []string{"DENIED_ATTEMPT"}, Clean: okExact}, []audit.Line{lookup, leak}, []audit.Line{lookup, own}, "DENIED_ATTEMPT was not raised"},
		{"other verdict wanted", Want{Findings: []string{"C"}, Verdict: unattributed, Reason: unverified, Clean: okExact}, []audit.Line{lookup, line(unattributed, "unverified", "thread", "", "C")}, []audit.Line{lookup, own}, ""},
		{"other reason", Want{Findings: []string{"C"}, Verdict: unattributed, Reason: unverified, Clean: okExact}, []audit.Line{lookup, line(unattributed, "unmapped", "thread", "", "C")}, []audit.Line{lookup, own}, "no statement with verdict"},
	} {
		p := &Play{Scenario: &Scenario{ID: "T", Want: tc.want}, Sent: []Sent{
			{Call: Call{Fault: true}, ID: "f", Statements: 2},
			{Call: Call{}, ID: "c", Statements: 2},
		}}
		r := Judge(p, &Seen{Lines: map[string][]audit.Line{"f": tc.fault, "c": tc.clean}})
		got := strings.Join(r.Problems, "; ")
		if (got == "") != (tc.problem == "") || !strings.Contains(got, tc.problem) {
			t.Errorf("%s: problems %q, want %q", tc.name, got, tc.problem)
		}
	}
}

func TestJudgeTakesTheClientsWord(t *testing.T) {
	p := &Play{Scenario: &Scenario{ID: "T"}, Sent: []Sent{{ID: "c", Problem: "status 500, expected 200"}}}
	if r := Judge(p, &Seen{}); r.OK() || !strings.Contains(r.Problems[0], "status 500") {
		t.Errorf("problems %v", r.Problems)
	}
}

// TestCatalogue holds the list against its own rules: every fault has a clean twin, ids are unique for a server, the steps are the same each time.
func TestCatalogue(t *testing.T) {
	for _, server := range []string{"sync-tcp", "gthread-tls", Unasked, Optional, Careless} {
		ordinary := strings.Contains(server, "-")
		seen := make(map[string]bool)
		for _, s := range All() {
			if !s.For(server, ordinary) {
				continue
			}
			if seen[s.ID] {
				t.Errorf("%s: two scenarios %s", server, s.ID)
			}
			seen[s.ID] = true
			faults, cleans, raises := 0, 0, len(s.Want.Findings)
			for _, step := range s.Round("tag") {
				for _, call := range step {
					if call.Fault {
						faults++
						raises += len(call.Raises)
					} else {
						cleans++
					}
				}
			}
			if (faults > 0) != (raises > 0) {
				t.Errorf("%s: %d faults, findings %v", s.ID, faults, s.Want.Findings)
			}
			if faults > 0 && cleans == 0 && server != Unasked {
				t.Errorf("%s: no clean twin", s.ID)
			}
		}
		required := []string{"E01", "E02", "E03", "E04", "E07", "E08", "E10", "E21", "E38", "E39", "E43", "E47"}
		if !ordinary {
			required = nil
		}
		for _, id := range required {
			if !seen[id] {
				t.Errorf("%s: scenario %s is not played", server, id)
			}
		}
	}
}

func TestJudgeFindingsOfRequests(t *testing.T) {
	p := &Play{Scenario: &Scenario{ID: "T"}, Sent: []Sent{{Call: Call{Raises: []string{"DENIED_ATTEMPT"}}, ID: "c", Statements: 1}}}
	seen := &Seen{Lines: map[string][]audit.Line{"c": {line(noTenant, "", "thread", "")}}}
	if r := Judge(p, seen); r.OK() {
		t.Error("no problem although the finding was not raised")
	}
	seen.Exact = map[string]bool{"DENIED_ATTEMPT": true}
	if r := Judge(p, seen); !r.OK() || len(r.Names) != 1 {
		t.Errorf("problems %v, names %v", r.Problems, r.Names)
	}
	p.Sent[0].Raises = nil
	seen.Findings = map[string][]audit.Finding{"c": {{}}}
	seen.Findings["c"][0].Info.Title = "DENIED_ATTEMPT"
	if r := Judge(p, seen); r.OK() {
		t.Error("no problem although a finding was raised that should not be")
	}
}
