package life

import (
	"strings"
	"testing"

	"tenantrace/lab/audit"
	"tenantrace/lab/matrix"
	"tenantrace/lab/pki"
)

// TestProblems holds that whatever is not expected fails a take.
func TestProblems(t *testing.T) {
	leaf, other := &pki.Leaf{SHA256: "aa"}, &pki.Leaf{SHA256: "bb"}
	take := &take{want: want{
		findings: []string{"B High acme 1", "A Low acme 2"}, verdicts: map[string]int{"ok_exact acme": 1, "unattributed/no_link -": 1}, unread: 1,
		connections: map[string]int{acme: 1},
	}}
	for name, tc := range map[string]struct {
		change  func(*calls, *told)
		problem string // within; "" none
	}{
		"as expected":          {func(*calls, *told) {}, ""},
		"finding is missing":   {func(_ *calls, t *told) { t.findings = t.findings[1:] }, "findings"},
		"finding too many":     {func(_ *calls, t *told) { t.findings = append(t.findings, "C High acme 1") }, "findings"},
		"finding once more":    {func(_ *calls, t *told) { t.findings[0] = "A Low acme 3" }, "findings"},
		"other verdict":        {func(_ *calls, t *told) { t.lines[0].Verdict = "violation" }, "verdicts are"},
		"other tenant":         {func(_ *calls, t *told) { t.lines[0].IdentityTenant = beta }, "verdicts are"},
		"line too many":        {func(c *calls, _ *told) { c.rows-- }, "2 verdict lines for 1"},
		"unread not told":      {func(_ *calls, t *told) { t.unread = 0 }, "0 connections are said"},
		"connection missing":   {func(_ *calls, t *told) { t.verified = nil }, "0 connections with the certificate of acme"},
		"events lost":          {func(_ *calls, t *told) { t.lost = ErrTakes }, ErrTakes.Error()},
		"replay differs":       {func(_ *calls, t *told) { t.replayed = "the replay differs" }, "the replay differs"},
		"client has a problem": {func(c *calls, _ *told) { c.problems = []string{"no rows"} }, "no rows"},
		"request not seen":     {func(_ *calls, t *told) { delete(t.requests, "1") }, "1: seen 0 times"},
		"request seen twice":   {func(_ *calls, t *told) { t.requests["1"] = matrix.Peer{Times: 2} }, "1: seen 2 times"},
		"request never sent":   {func(_ *calls, t *told) { t.requests["3"] = matrix.Peer{Times: 1} }, "3: seen 1 times, but never sent"},
		"other certificate":    {func(c *calls, _ *told) { c.sent[0].who = other }, `certificate "aa", expected "bb"`},
		"other at its answer":  {func(c *calls, _ *told) { c.sent[0].answered = nil }, `certificate "aa" at its answer, expected ""`},
		"not verified":         {func(c *calls, _ *told) { c.sent[0].verified = false }, "verified true, expected false"},
		"not resumed":          {func(c *calls, _ *told) { c.sent[0].resumed = true }, "resumed false, expected true"},
		"somebody and nobody":  {func(c *calls, _ *told) { c.sent[0].who = nil }, `certificate "aa", expected ""`},
	} {
		c := &calls{rows: 2, sent: []sent{{id: "1", who: leaf, answered: leaf, verified: true}}, stand: &stand{company: &company{people: map[string]*pki.Leaf{acme: leaf}}}}
		said := &told{
			findings: []string{"A Low acme 2", "B High acme 1"}, lines: []audit.Line{{Verdict: "ok_exact", IdentityTenant: acme}, {Verdict: "unattributed", Reason: "no_link"}},
			requests: map[string]matrix.Peer{"1": {Times: 1, SHA256: "aa", AtResponse: "aa", Verified: true}, "": {Times: 1}}, verified: map[string]int{"aa": 1}, unread: 1,
		}
		tc.change(c, said)
		got := strings.Join(problems(take, c, said), "; ")
		if (got == "") != (tc.problem == "") || !strings.Contains(got, tc.problem) {
			t.Errorf("%s: problems %q, want %q", name, got, tc.problem)
		}
	}
}

// TestCatalogue holds the list against its own rules: what is to be found has a clean twin at the same server, by the same scenario.
func TestCatalogue(t *testing.T) {
	played := make(map[string]bool)
	for _, a := range acts() {
		faults, cleans := make(map[string]bool), make(map[string]bool)
		for _, take := range a.takes {
			played[take.id] = true
			if len(take.want.findings) > 0 {
				faults[take.id] = true
			} else {
				cleans[take.id] = true
			}
		}
		twins := map[string]string{"E27": "E29", "C4": "E24"} // what is a scenario of its own
		if a.server.name == "C server" {
			twins["E24"] = "E30"
		}
		for id := range faults {
			if twin, ok := twins[id]; ok {
				id = twin
			}
			if !cleans[id] {
				t.Errorf("%s: %s has no clean twin", a.server.name, id)
			}
		}
	}
	for _, id := range []string{"E24", "E25", "E29", "E30", "E36", "E37", "E49", "E50", "E59"} {
		if !played[id] {
			t.Errorf("scenario %s is not played", id)
		}
	}
}

func TestSelected(t *testing.T) {
	some, err := selected(acts(), []string{"nginx", "apache"}, []string{"E50"})
	if err != nil || len(some) != 2 || len(some[0].takes) != 2 {
		t.Errorf("selected %d acts, %v", len(some), err)
	}
	if _, err := selected(acts(), []string{"nginx"}, []string{"E24"}); err == nil {
		t.Error("nothing is selected, and that is no error")
	}
}
