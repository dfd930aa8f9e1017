package accuracy

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const head = `{"format":"tenantrace-recording","v":1,"started":"2026-01-01T00:00:00Z"}` + "\n"

const nonce = "q0123"

const recording = head + `{"k":"http_request","e":{"time":1,"tid":6,"conn":1,"seq":1,"id":"a","fields":[{"name":"X-GT","value":"q0123-1"},{"name":"x-tenant","value":"t1"}]}}
{"k":"http_request","e":{"time":2,"tid":6,"conn":1,"seq":2,"id":"b","fields":[{"name":"x-gt","value":"q0123-2"}]}}
{"k":"statement","e":{"time":10,"tid":6,"conn":2,"seq":1,"text":"BEGIN"}}
{"k":"statement","e":{"time":20,"tid":6,"conn":2,"seq":2,"text":"/* gt=q0123-1 n=1 t=t001 k=list */ SELECT '/* gt=decoy n=1 t=t000 k=list */' /*request_id:b*/","params":[{"known":true,"value":"x"}]}}
{"k":"statement","e":{"time":30,"tid":6,"conn":2,"seq":3,"text":"COMMIT;"}}
{"k":"statement","e":{"time":40,"tid":7,"conn":3,"seq":1,"text":"SELECT 1 /* gt=q9-1 n=1 t=t001 k=list */"}}
{"k":"statement","e":{"time":50,"tid":7,"conn":3,"seq":2,"text":"/* gt=q0123-2 n=1 t=? k=session */ SELECT 2"}}
{"k":"statement","e":{"time":50,"tid":7,"conn":3,"seq":3,"text":"/* gt=q0123-3 n=1 t=t002 k=list */ SELECT 3"}}
{"k":"tick","e":{"time":60}}
`

func TestStrip(t *testing.T) {
	from := write(t, "recording", recording)
	to := from + ".stripped"
	truth, err := strip(from, to)
	if err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(left, []byte(nonce)) || bytes.Contains(bytes.ToLower(left), []byte(truthField)) {
		t.Errorf("truth is left:\n%s", left)
	}
	if n := bytes.Count(left, []byte("\n")); n != strings.Count(recording, "\n") {
		t.Errorf("%d lines are left", n)
	}
	for _, keep := range []string{`"x-tenant"`, `"text":"SELECT '/* gt=decoy n=1 t=t000 k=list */' /*request_id:b*/"`, `"value":"x"`, `"text":"SELECT 2"`, `gt=q9-1`, `{"k":"tick","e":{"time":60}}`} {
		if !bytes.Contains(left, []byte(keep)) {
			t.Errorf("%s was taken out:\n%s", keep, left)
		}
	}
	if truth.labelled != 3 || truth.stripped != 2 {
		t.Errorf("%d statements with a label, %d header fields", truth.labelled, truth.stripped)
	}
	for at, want := range map[moment]statement{
		{10, 6}: {gt: "q0123-1", kind: "begin"},
		{20, 6}: {gt: "q0123-1", number: 1, tenant: "t001", kind: "list"},
		{30, 6}: {gt: "q0123-1", kind: "end"},
		{50, 7}: {gt: "q0123-2", number: 1, tenant: "?", kind: "session", mixed: true},
	} {
		if got := truth.statements[at]; got == nil || *got != want {
			t.Errorf("%v: %+v, want %+v", at, got, want)
		}
	}
	if truth.statements[moment{40, 7}] != nil {
		t.Error("what looks like a label, in the middle of a text, was taken for one")
	}
}

func TestStripRefuses(t *testing.T) {
	for _, text := range []string{
		`{"format":"tenantrace-recording","v":2}` + "\n", `{"format":"other","v":1}` + "\n", "garbage\n",
		head + `{"k":"statement","e":{"time":"x","text":"SELECT 1"}}` + "\n",
		head + `{"k":"http_request","e":{"fields":{"x-gt":1}}}` + "\n",
	} {
		from := write(t, "recording", text)
		if _, err := strip(from, from+".stripped"); err == nil {
			t.Errorf("no error for %q", text)
		}
	}
}
