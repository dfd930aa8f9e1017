package sqlmatrix

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSetByPooler tells what PgBouncer sends of its own from what programs send.
func TestSetByPooler(t *testing.T) {
	for text, want := range map[string]bool{
		"SET application_name='psql';":                                    true,
		"SET client_encoding='UTF8';SET datestyle='ISO, MDY';":            true,
		"SET standard_conforming_strings=on;":                             true,
		"SET client_encoding = 'UTF8'":                                    false,
		"SET /* m:1:session:2 */ LOCAL app.tenant_id = 'beta'":            false,
		"SET application_name='a'; SELECT /* m:1:literal:0 */ 1":          false,
		"SET standard_conforming_strings = ON":                            false,
		"SELECT 'SET application_name=''x'';'":                            false,
		"SET application_name='psql';DELETE FROM invoices WHERE id = 'x'": false,
	} {
		if got := setByPooler.MatchString(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// TestPooledEntries has a log with a statement of the pooler's own: it counts where the pooler is looked at, not where the program is.
func TestPooledEntries(t *testing.T) {
	for _, ofServer := range []bool{false, true} {
		r := played()
		r.driver.ofServer = ofServer
		r.logged = append(r.logged, entry{session: "1", text: "SET application_name='a';", pooler: true})
		if ofServer {
			r.seen = append(r.seen, statement{conn: 1, text: "SET application_name='a';"})
			r.lines++
		}
		r.lacks = map[string]string{"notify": "no session"}
		if r.compare(); len(r.problems) > 0 || r.tally.sent != r.lines || r.missing["no session"] == nil {
			t.Errorf("of the server %v: %d sent, %q, missing %v", ofServer, r.tally.sent, r.problems, r.missing)
		}
	}
}

// TestNames: the command line takes names of drivers as a list.
func TestNames(t *testing.T) {
	for _, d := range drivers() {
		if strings.Contains(d.name, ",") {
			t.Errorf("a comma in %q", d.name)
		}
		if d.server != "" && len(d.quick) > 0 {
			t.Errorf("%q fetches a server, and is in the quick half", d.name)
		}
	}
}

// TestClosure has a cache: a directory that was unpacked is used, unless it has no loader of its own.
func TestClosure(t *testing.T) {
	cache := t.TempDir()
	lib := filepath.Join(cache, "sid-perl-a", "usr/lib/x86_64-linux-gnu")
	if err := os.MkdirAll(lib, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := fetchClosure(t.Context(), cache, "sid", "+perl", "a"); err == nil {
		t.Error("a directory without a loader was taken")
	}
	loader := filepath.Join(lib, "ld-linux-x86-64.so.2")
	if err := os.WriteFile(loader, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	c, err := fetchClosure(t.Context(), cache, "sid", "+perl", "a")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{loader, "--library-path", lib, filepath.Join(cache, "sid-perl-a/usr/sbin/a"), "-x"}, " ")
	if got := strings.Join(c.command("usr/sbin/a", "-x"), " "); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
