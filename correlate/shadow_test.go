package correlate

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tenantrace/collector/event"
	"tenantrace/correlate/policy"
	"tenantrace/correlate/verdict"
)

// shadow is a second engine beside that of each trace, with the same policy but for hidden names: what it says has to be the same, without them.
type shadow struct {
	t           testing.TB
	policy      *policy.Policy
	engine      *Engine
	want, got   []string
	found       func(*verdict.Finding)
	wantF, gotF []string
	leaks       []string
}

// traceNames are the tenants of the traces. Their names stand in no table or column of them that would be nobody's place.
var traceNames = regexp.MustCompile(`(?i)(^|[^a-z])(acme|beta|gamma)([^a-z]|$)`)

func newShadow(t testing.TB, p *policy.Policy, text string, limits []Limits) *shadow {
	s := &shadow{t: t, policy: p, found: func(*verdict.Finding) {}}
	test, ok := t.(*testing.T)
	if !ok || strings.Contains(text, "privacy:") {
		return s
	}
	q, err := policy.Parse("test.yaml", []byte("version: 1\n"+text+hiding(t, 1)), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	look := func(what, text string) {
		if i := traceNames.FindStringIndex(text); i != nil {
			s.leaks = append(s.leaks, fmt.Sprintf("%s tells a name at %d: %s", what, i[0], text))
		}
	}
	cfg := Config{
		Policy: q,
		Verdict: func(v *verdict.Statement) {
			s.got = append(s.got, essence(v))
			look("a verdict", everything(t, v))
		},
		Finding: func(f *verdict.Finding) {
			s.gotF = append(s.gotF, fmt.Sprintf("%s %d %v", f.Name, f.Count, f.Severity))
			look("a finding", everythingFound(t, f))
		},
	}
	if len(limits) > 0 {
		cfg.Limits = limits[0]
	}
	if s.engine, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	s.found = func(f *verdict.Finding) {
		s.wantF = append(s.wantF, fmt.Sprintf("%s %d %v", f.Name, f.Count, f.Severity))
	}
	test.Cleanup(func() { s.compare() })
	return s
}

// essence is what of a line does not depend on names.
func essence(v *verdict.Statement) string {
	return fmt.Sprintf("%s %s %v %s %s %d", v.Verdict, v.Reason, v.Findings, v.Link, v.EvidenceLevel, len(v.DatabaseTenants))
}

// play stops where a test gives the engine another policy.
func (s *shadow) play(ev event.Event, now *policy.Policy) {
	if now != s.policy {
		s.engine, s.found = nil, func(*verdict.Finding) {}
	}
	if s.engine != nil {
		s.engine.Handle(ev)
	}
}

func (s *shadow) said(v *verdict.Statement) {
	if s.engine != nil {
		s.want = append(s.want, essence(v))
	}
}

// compare holds that the shadow has said what the engine has, as far as both were asked.
func (s *shadow) compare() {
	for _, leak := range s.leaks {
		s.t.Error(leak)
	}
	n, m := min(len(s.want), len(s.got)), min(len(s.wantF), len(s.gotF))
	if !slices.Equal(s.want[:n], s.got[:n]) || !slices.Equal(s.wantF[:m], s.gotF[:m]) {
		s.t.Errorf("with hidden names:\n  %s\n  %s\nwithout:\n  %s\n  %s", strings.Join(s.got, "\n  "), s.gotF, strings.Join(s.want, "\n  "), s.wantF)
	}
}
