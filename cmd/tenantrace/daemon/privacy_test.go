package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tenantrace/collector/event"
	"tenantrace/correlate/policy"
)

// replaceKey writes another key, as a rotation does.
func replaceKey(t *testing.T, dir string, n int) {
	t.Helper()
	next := filepath.Join(dir, "key.new")
	if err := os.WriteFile(next, fmt.Appendf(nil, "%032d-0123456789abcdef\n", n), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, filepath.Join(dir, "key")); err != nil {
		t.Fatal(err)
	}
}

// TestHiddenTenants runs the daemon with hidden tenants, rotates the key by SIGHUP, and looks for names in all that comes out of it.
func TestHiddenTenants(t *testing.T) {
	r := prepare(t)
	r.cfg.NewEngine = realEngine
	r.cfg.Policy, r.cfg.Record = filepath.Join(r.dir, "policy.yaml"), filepath.Join(r.dir, "recording")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(r.cfg.Policy, []byte("version: 1\n"+text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const hidden = "privacy: { tenants: hmac, key: key }\nevidence: { values: hmac }\nexempt: [{ tenants: [acme], until: 2020-01-01, why: acme moves }]\n"
	write(hidden)
	replaceKey(t, r.dir, 1)
	first := leak()
	later := leak()
	gate := make(chan struct{})
	r.tracer.events = nil
	tracer := &gatedTracer{fakeTracer: r.tracer, gate: gate, first: first, later: later}
	r.cfg.NewTracer = func(c TracerConfig) (Tracer, error) {
		r.tracer.cfg = c
		return tracer, nil
	}
	r.start(t)
	eventually(t, "the first finding", func() bool { return strings.Count(r.stdout.String(), "\n") == 1 })
	id := func() string {
		var s status
		if err := json.Unmarshal([]byte(r.get("/api/v1/status")), &s); err != nil || s.Policy.Tenants != "hmac" || s.Policy.Values != "hmac" {
			t.Fatalf("status %+v, %v", s, err)
		}
		return s.Policy.KeyID
	}
	one := id()

	// A broken policy is told by its lines; a key that others may read is as broken, and the old one stays.
	write(hidden + "identity: { hierarchy: { entries: { acme: [acme] } } }\n")
	eventually(t, "a broken policy", func() bool { return strings.Contains(r.log.String(), "wrong, in words that may name tenants") })
	write(hidden)
	replaceKey(t, r.dir, 2)
	if err := os.Chmod(filepath.Join(r.dir, "key"), 0o644); err != nil {
		t.Fatal(err)
	}
	failures := func() string {
		_, text, _ := strings.Cut(r.get("/metrics"), "\ntenantrace_policy_reload_failures_total ")
		n, _, _ := strings.Cut(text, "\n")
		return n
	}
	before := failures()
	r.hangup <- syscall.SIGHUP
	eventually(t, "a refused key", func() bool { return failures() != before })
	if id() != one {
		t.Error("a key that others may read is in force")
	}
	if err := os.Chmod(filepath.Join(r.dir, "key"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.hangup <- syscall.SIGHUP
	eventually(t, "the new key", func() bool { return id() != one })
	two := id()
	close(gate)
	eventually(t, "the second finding", func() bool { return strings.Count(r.stdout.String(), "\n") == 2 })
	status := r.get("/api/v1/status")
	metrics := r.get("/metrics")
	r.stop(t)

	verdicts, err := os.ReadFile(r.cfg.Verdicts)
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{"finding": r.stdout.String(), "verdict": string(verdicts), "log": r.log.String(), "status": status, "metric": metrics} {
		for _, name := range []string{"acme", "beta"} {
			if i := strings.Index(strings.ToLower(text), name); i >= 0 {
				t.Errorf("a %s names %q: %s", what, name, text[max(0, i-200):min(len(text), i+100)])
			}
		}
	}
	lines := strings.Split(r.stdout.String(), "\n")
	for i, key := range []string{one, two} {
		if strings.Count(lines[i], "hmac:"+key+":") < 10 || strings.Contains(lines[i], "hmac:"+[]string{two, one}[i]+":") {
			t.Errorf("finding %d is not under key %s:\n%s", i+1, key, lines[i])
		}
	}
	var finding struct {
		Unmapped struct {
			Values []string
		}
	}
	if err := json.Unmarshal([]byte(lines[1]), &finding); err != nil || len(finding.Unmapped.Values) != 1 || !strings.HasPrefix(finding.Unmapped.Values[0], "hmac:"+two) {
		t.Errorf("values %+v, %v", finding, err)
	}
	for _, want := range []string{"the policy's pseudonyms do not reach the recording", "privacy_key=" + two, "privacy_key_was=" + one, "exempt[1] ended 2020-01-01"} {
		if !strings.Contains(r.log.String(), want) {
			t.Errorf("the log does not say %q:\n%s", want, r.log)
		}
	}
	recorded, err := os.ReadFile(r.cfg.Record)
	if err != nil || !strings.Contains(string(recorded), "acme") {
		t.Errorf("the recording is not plain, %v", err)
	}

	// The pseudonyms are those that the key gives, and a replay repeats them.
	rules, err := policy.Load(r.cfg.Policy)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(lines[1], fmt.Sprintf("%q", rules.Key().Of("acme"))) {
		t.Errorf("no %s in\n%s", rules.Key().Of("acme"), lines[1])
	}
	replayed := r.cfg
	var out buffer
	replayed.Stdout, replayed.Verdicts = &out, filepath.Join(r.dir, "replayed")
	if err := Replay(t.Context(), r.cfg.Record, replayed); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); strings.Contains(text, "acme") || strings.Contains(text, one) || !strings.Contains(text, "hmac:"+two) {
		t.Errorf("replay:\n%s", text)
	}

	// A start with a broken policy tells no more.
	write(hidden + "identity: { hierarchy: { entries: { acme: [acme] } } }\n")
	if _, err := openRules(r.cfg.Policy, r.cfg.Log, nil); err == nil || strings.Contains(err.Error(), "acme") {
		t.Errorf("a start tells: %v", err)
	}
}

// gatedTracer observes some events, and more behind a gate.
type gatedTracer struct {
	*fakeTracer
	gate         chan struct{}
	first, later []event.Event
}

// Run lets the clock go on in between, for a policy comes into force with an event.
func (g *gatedTracer) Run(done context.Context) error {
	at := int64(0)
	for _, e := range g.first {
		g.cfg.Handler.Handle(e)
		at = e.Meta().Time
	}
	for open := true; open; {
		select {
		case <-g.gate:
			open = false
		case <-done.Done():
			return nil
		case <-time.After(10 * time.Millisecond):
			at += int64(10 * time.Second)
			g.cfg.Handler.Handle(&event.Tick{Header: event.Header{Time: at}})
		}
	}
	for _, e := range g.later {
		g.cfg.Handler.Handle(e)
	}
	<-done.Done()
	return nil
}
