package daemon

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tenantrace/correlate/policy"
)

// TestNamedFilesReload holds that a change of a map or a hierarchy brings another version of the policy into force, and that a broken one does not.
func TestNamedFilesReload(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		next := filepath.Join(dir, name+".new")
		if err := os.WriteFile(next, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(next, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	write("tenants.csv", "cert,db\nacme,1\n")
	write("groups.yaml", "1: [2]\n")
	write("policy.yaml", "version: 1\nidentity: { map: { file: tenants.csv }, hierarchy: { file: groups.yaml } }\nevidence: { retention: 30d }\n")
	var log bytes.Buffer
	r, err := openRules(filepath.Join(dir, "policy.yaml"), slog.New(slog.NewTextHandler(&log, nil)), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "a part of the policy has no effect") || !strings.Contains(log.String(), "line 3: evidence.retention") {
		t.Errorf("the log does not say what has no effect:\n%s", &log)
	}
	var now *policy.Policy
	changed := func(p *policy.Policy) { now = p }
	versions := map[string]bool{r.Policy().Hash(): true}
	identity := func() policy.Identity {
		return now.Identify(&policy.Certificate{Subject: []policy.Attribute{{Type: "O", Value: "acme"}}}, time.Now())
	}
	for _, step := range []struct{ file, text, tenants, below string }{
		{"tenants.csv", "cert,db\nacme,7\nacme,1\n", "1,7", "2"},
		{"groups.yaml", "1: [2, 3]\n", "1,7", "2,3"},
	} {
		if r.touched() {
			t.Fatalf("before %s: touched", step.file)
		}
		write(step.file, step.text)
		if now = nil; !r.touched() {
			t.Fatalf("a change of %s is not seen", step.file)
		}
		r.reload(changed)
		if now == nil || versions[now.Hash()] || r.Policy() != now {
			t.Fatalf("a change of %s gives no new version", step.file)
		}
		versions[now.Hash()] = true
		if id := identity(); strings.Join(id.Tenants, ",") != step.tenants || strings.Join(id.Below, ",") != step.below {
			t.Errorf("after %s: %+v", step.file, id)
		}
	}
	good := now
	for _, step := range []struct{ file, text, want string }{
		{"tenants.csv", "cert,db\nacme\n", "record on line 2"}, {"groups.yaml", "1: [1]\n", "is its own child"},
	} {
		write(step.file, step.text)
		if !r.touched() {
			t.Fatalf("a broken %s is not seen", step.file)
		}
		now = nil
		r.reload(changed)
		if now != nil || r.Policy() != good || !strings.Contains(log.String(), step.want) {
			t.Errorf("a broken %s: %v, log\n%s", step.file, now, &log)
		}
		if r.touched() {
			t.Errorf("a broken %s is read again and again", step.file)
		}
	}
}
