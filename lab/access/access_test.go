package access

import (
	"slices"
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
		findings: []string{"B High acme 1", "A Low acme 2"}, verdicts: map[string]int{"ok_exact thread row acme>acme": 1, "unattributed/no_link none - ->-": 1},
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
		"other reason":         {func(_ *calls, t *told) { t.lines[1].Reason = "ambiguous" }, "verdicts are"},
		"other link":           {func(_ *calls, t *told) { t.lines[0].Link = "transaction" }, "verdicts are"},
		"other evidence":       {func(_ *calls, t *told) { t.lines[0].EvidenceLevel = "bind" }, "verdicts are"},
		"other identity":       {func(_ *calls, t *told) { t.lines[0].IdentityTenant = "beta" }, "verdicts are"},
		"other tenant":         {func(_ *calls, t *told) { t.lines[0].DatabaseTenants = []string{"acme", "beta"} }, "verdicts are"},
		"line too many":        {func(_ *calls, t *told) { t.lines = append(t.lines, t.lines[0]) }, "3 verdict lines for 2"},
		"other request":        {func(_ *calls, t *told) { t.links.Wrong = t.lines[:1] }, "another request"},
		"not in the recording": {func(_ *calls, t *told) { t.links.Unjoined = 1 }, "not in the recording"},
		"events lost":          {func(_ *calls, t *told) { t.lost = ErrTakes }, ErrTakes.Error()},
		"replay differs":       {func(_ *calls, t *told) { t.replayed = "the replay differs" }, "the replay differs"},
		"client has a problem": {func(c *calls, _ *told) { c.look("1", "acme", nil) }, "no rows, expected of acme"},
		"others' rows":         {func(c *calls, _ *told) { c.look("1", "acme", []map[string]string{{"whose": "beta"}}) }, "rows of beta, expected of acme"},
		"rows":                 {func(c *calls, _ *told) { c.look("1", "", []map[string]string{{"id": "1"}}) }, "1 rows, expected none"},
		"request not seen":     {func(_ *calls, t *told) { delete(t.requests, "1") }, "1: seen 0 times"},
		"request never sent":   {func(_ *calls, t *told) { t.requests["3"] = matrix.Peer{Times: 1} }, "3: seen, but never sent"},
		"other certificate":    {func(c *calls, _ *told) { c.sent["1"] = other }, `certificate "aa", verified true, expected "bb"`},
		"not verified":         {func(_ *calls, t *told) { t.requests["1"] = matrix.Peer{Times: 1, SHA256: "aa"} }, "verified false"},
	} {
		c := &calls{sent: map[string]*pki.Leaf{"1": leaf}}
		said := &told{
			findings: []string{"A Low acme 2", "B High acme 1"}, requests: map[string]matrix.Peer{"1": {Times: 1, SHA256: "aa", Verified: true}},
			lines: []audit.Line{
				{Verdict: "ok_exact", Link: "thread", EvidenceLevel: "row", IdentityTenant: "acme", DatabaseTenants: []string{"acme"}},
				{Verdict: "unattributed", Reason: "no_link", Link: "none"},
			},
		}
		tc.change(c, said)
		got := strings.Join(problems(take, c, said, 2), "; ")
		if (got == "") != (tc.problem == "") || !strings.Contains(got, tc.problem) {
			t.Errorf("%s: problems %q, want %q", name, got, tc.problem)
		}
	}
}

// TestLineOfCrowd holds that many tenants are told apart where it matters: whether it is their own data.
func TestLineOfCrowd(t *testing.T) {
	l := audit.Line{Verdict: "ok_exact", Link: "thread", EvidenceLevel: "session", IdentityTenant: "many-3", DatabaseTenants: []string{"many-3"}}
	if got := line(&l); got != "ok_exact thread session many>own" {
		t.Error(got)
	}
	l.DatabaseTenants = []string{"many-4"}
	if got := line(&l); got != "ok_exact thread session many>many-4" {
		t.Error(got)
	}
}

// TestCatalogue holds the list against its own rules: all scenarios are played, and each that is to be found, or counted, has a clean twin at the same server.
func TestCatalogue(t *testing.T) {
	played := make(map[string]bool)
	for _, track := range tracks() {
		for _, a := range track {
			clean := make(map[string]bool)
			for _, take := range a.takes {
				played[take.id] = true
				if isClean := strings.HasPrefix(take.title, "  clean: "); isClean != (len(take.want.findings) == 0) {
					t.Errorf("%s %q: findings %q", take.id, take.title, take.want.findings)
				} else if isClean {
					clean[take.id] = true
				}
			}
			for _, take := range a.takes {
				if !clean[take.id] {
					t.Errorf("%s has no clean twin at %s", take.id, a.server.name)
				}
			}
		}
	}
	for _, id := range []string{"E05", "E06", "E18", "E20", "E21", "E23", "E40", "E42", "E44", "E48", "E55"} {
		if !played[id] {
			t.Errorf("%s is not played", id)
		}
	}
	if len(played) != 11 {
		t.Errorf("%d scenarios are played", len(played))
	}
	if _, err := selected(tracks(), []string{"E99"}); err == nil {
		t.Error("nothing is selected, and that is no error")
	}
	some, err := selected(tracks(), []string{"E42", "E55"})
	if err != nil || len(some) != 2 {
		t.Fatal(some, err)
	}
	for _, track := range some {
		for _, take := range track[0].takes {
			if !slices.Contains([]string{"E42", "E55"}, take.id) {
				t.Errorf("%s is selected", take.id)
			}
		}
	}
}
