package policy

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestHierarchyFile(t *testing.T) {
	dir := t.TempDir()
	file, text := filepath.Join(dir, "groups.yaml"), "version: 1\nidentity: { hierarchy: { file: groups.yaml } }\n"
	write := func(content string) (*Policy, error) {
		t.Helper()
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return Parse("p.yaml", []byte(text), dir)
	}
	p, err := write("Group: [reseller, beta]\nreseller: acme\nother: []\n")
	if err != nil {
		t.Fatal(err)
	}
	for tenant, want := range map[string]string{"group": "acme,beta,reseller", "reseller": "acme", "acme": "", "other": "", "nobody": ""} {
		if got := strings.Join(p.Identify(subject("O="+tenant), today).Below, ","); got != want {
			t.Errorf("below %s: %q, want %q", tenant, got, want)
		}
	}
	if !slices.Equal(p.Files(), []string{file}) || !slices.Equal(p.KnownTenants(), []string{"acme", "beta", "group", "other", "reseller"}) {
		t.Errorf("files %q, known %q", p.Files(), p.KnownTenants())
	}
	q, err := write("Group: [reseller]\n")
	if err != nil || q.Hash() == p.Hash() {
		t.Errorf("a changed hierarchy keeps the hash: %v", err)
	}
	// As many children as a file can hold are read in time.
	start := time.Now()
	var b strings.Builder
	b.WriteString("group: [x")
	for i := range 100_000 {
		fmt.Fprintf(&b, ",t%d", i)
	}
	if p, err = write(b.String() + "]\n"); err != nil || len(p.Identify(subject("O=group"), today).Below) != 100_001 || time.Since(start) > time.Minute {
		t.Errorf("a long list: %v after %v", err, time.Since(start))
	}
	for content, want := range map[string]string{
		"":                     `policy "` + file + `": is empty`,
		"- a\n":                `policy "` + file + `" line 1: the hierarchy is a list`,
		"a: [b]\nb: [c]\nc: a": `line 1: the hierarchy goes in a circle`,
		"a: [b]\n\nb: [b]":     `line 3: the hierarchy.b[1]: "b" is its own child`,
		"a: &x [b]":            "anchor",
	} {
		if _, err := write(content); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", content, err, want)
		}
	}
}
