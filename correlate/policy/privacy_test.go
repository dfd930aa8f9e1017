package policy

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

const (
	testSecret = "0123456789abcdef0123456789abcdef"
	acmeDigest = "36797c9f8517fdecffc3ad41a3cce34b"
)

func writeKey(t *testing.T, dir, text string, mode os.FileMode) string {
	t.Helper()
	name := filepath.Join(dir, "key")
	if err := os.RemoveAll(name); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, mode); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestKeyFile holds which files may hold a key, and that errors tell nothing of it.
func TestKeyFile(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		text  string
		mode  os.FileMode
		wrong string
	}{
		{testSecret, 0o600, ""}, {testSecret + "\r\n", 0o400, ""}, {strings.Repeat(testSecret, 128), 0o600, ""},
		{testSecret, 0o640, "mode 0640"}, {testSecret, 0o604, "mode 0604"}, {testSecret, 0o620, "mode 0620"}, {testSecret, 0o644, "chmod 600"},
		{testSecret[1:] + "\n", 0o600, "holds 31 bytes, a key needs 32"}, {"", 0o600, "holds 0 bytes"}, {strings.Repeat("ab", 40), 0o600, "it is no key"},
		{string(make([]byte, 64)), 0o600, "it is no key"}, {strings.Repeat(testSecret, 129), 0o600, "larger than 4096 bytes"},
	} {
		name := writeKey(t, dir, c.text, c.mode)
		_, err := readSecret(name)
		if c.wrong == "" && err != nil || c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)) {
			t.Errorf("%d bytes of mode %04o: %v, want %q", len(c.text), c.mode, err, c.wrong)
		}
		if err != nil && strings.Contains(err.Error(), "0123456") {
			t.Errorf("the error tells the key: %v", err)
		}
	}
	if _, err := readSecret(dir); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a directory: %v", err)
	}
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readSecret(pipe); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a pipe: %v", err)
	}
	name := writeKey(t, dir, testSecret, 0o600)
	if err := os.Chown(name, 4711, -1); err == nil { // needs root
		if _, err := readSecret(name); err == nil || !strings.Contains(err.Error(), "belongs to user 4711") {
			t.Errorf("another's file: %v", err)
		}
	} else if os.Geteuid() == 0 {
		t.Error(err)
	}
}

func parsePrivate(t *testing.T, dir, text string) *Policy {
	t.Helper()
	p, err := Parse("test.yaml", []byte("version: 1\n"+text), dir)
	if err != nil {
		t.Fatal(err)
	}
	if wrong := loadSchema(t).fault(t, "version: 1\n"+text); wrong != "" {
		t.Errorf("the schema refuses\n%s\n%s", text, wrong)
	}
	return p
}

func TestPseudonyms(t *testing.T) {
	dir := t.TempDir()
	writeKey(t, dir, testSecret+"\n", 0o600)
	const text = "privacy: { tenants: hmac, key: key }\n"
	p := parsePrivate(t, dir, text)
	s := p.Pseudonyms()
	if !regexp.MustCompile(`^hmac:[0-9a-f]{8}:[0-9a-f]{32}$`).MatchString(s.Of("acme")) || s.Of("") != "" || s.Of(" ") != "" {
		t.Errorf("%q", s.Of("acme"))
	}
	for _, same := range []string{"ACME", " acme\t", "acme"} {
		if s.Of(same) != s.Of("acme") {
			t.Errorf("%q has another pseudonym", same)
		}
	}
	// RFC 2104, by openssl: printf '\\1acme' | openssl dgst -sha256 -mac HMAC -macopt key:0123456789abcdef0123456789abcdef
	if got := s.Of("acme"); got != "hmac:"+s.KeyID()+":"+acmeDigest {
		t.Errorf("the pseudonym of acme is %s", got)
	}
	if s.Of("acme") == s.Of("acme2") || strings.Contains(s.Finding("acme"), s.Of("acme")[14:]) {
		t.Error("digests of different things are equal")
	}
	// The key is no part of the policy's hash, which is in every line; another key is another policy all the same.
	if again := parsePrivate(t, dir, text); !again.Same(p) {
		t.Error("the same policy differs")
	}
	writeKey(t, dir, testSecret+"x", 0o600)
	rotated := parsePrivate(t, dir, text)
	if rotated.Hash() != p.Hash() || rotated.Same(p) || rotated.Key().KeyID() == s.KeyID() || rotated.Pseudonyms().Of("acme") == s.Of("acme") {
		t.Errorf("rotated: %s, %s and %s", rotated.Key().KeyID(), rotated.Hash(), p.Hash())
	}
	if len(p.Files()) != 0 {
		t.Errorf("the key is watched: a key that is half written would be read: %q", p.Files())
	}
	valued := parsePrivate(t, dir, "privacy: { key: key }\nservices:\n  - { service: a, select: { unit: a }, evidence: { values: hmac } }\n")
	if valued.Pseudonyms() != nil || valued.Key() == nil || !valued.KeepsValues() || valued.EvidenceRules().Values != nil || valued.Services()[0].EvidenceRules().Values == nil {
		t.Error("values of one service")
	}
	if d := Default(); d.Pseudonyms() != nil || d.Key() != nil || d.KeepsValues() || !d.Same(Default()) || d.Same(p) {
		t.Error("the embedded policy hides")
	}
}

func TestHiddenRoute(t *testing.T) {
	dir := t.TempDir()
	writeKey(t, dir, testSecret, 0o600)
	p := parsePrivate(t, dir, `
privacy: { tenants: hmac, key: key, path_words: [invoices, "v*", beta] }
request: { tenant: [{ path: "/t/{tenant}/**" }, { path: "/x-{tenant}" }], ignore: ["/healthz/*"] }
exempt: [{ route: "/admin/**", until: 2099-01-01, why: x }]
`)
	s := p.Pseudonyms()
	known := func(name string) bool { return name == "beta" }
	for path, want := range map[string]string{
		"/t/acme/invoices/17?org=acme": "/t/{tenant}/invoices/{id}",
		"/t/acme/V1/acme":              "/t/{tenant}/V1/" + s.Of("acme"),
		"/orgs/acme/":                  s.Of("orgs") + "/" + s.Of("acme"),
		"/ADMIN/healthz/beta":          "ADMIN/healthz/" + s.Of("beta"),
		"/x-acme":                      "x-{tenant}",
		"/t/%61cme":                    "/t/{tenant}",
		"http://acme.example/admin":    "admin",
		"/invoices/8f14e45f-ceea-467f-a0e6-4f1b7f1b2c3d": "invoices/{id}",
		"*": "*",
		"":  "",
	} {
		got := p.HiddenRoute(s, path, known)
		if strings.TrimPrefix(got, "/") != strings.TrimPrefix(want, "/") {
			t.Errorf("%q is %q, want %q", path, got, want)
		}
		if again := p.HiddenRoute(s, p.Route(path), known); again != got {
			t.Errorf("%q is %q, by its template %q", path, got, again)
		}
	}
	if got := p.HiddenRoute(s, strings.Repeat("/acme", 40), known); strings.Count(got, "/") > maxSegments+1 || !strings.HasSuffix(got, "/…") {
		t.Errorf("a long path is %q", got)
	}
}

// TestDiscreet holds what a log tells of a broken file that hides names, or that would replace one which does.
func TestDiscreet(t *testing.T) {
	dir := t.TempDir()
	writeKey(t, dir, testSecret, 0o600)
	load := func(text string) error {
		t.Helper()
		_, err := Parse("p.yaml", []byte("version: 1\n"+text), dir)
		if err == nil {
			t.Fatalf("no fault in\n%s", text)
		}
		return err
	}
	const wrong = "identity: { hierarchy: { entries: { acme: [acme] } } }\n"
	if err := load(wrong); Discreet(err, false) != err || !strings.Contains(err.Error(), "acme") {
		t.Errorf("%v", Discreet(err, false))
	}
	for _, err := range []error{Discreet(load(wrong), true), Discreet(load(wrong+"privacy: { tenants: hmac, key: key }\n"), false)} {
		if want := `policy "p.yaml" line 2: wrong, in words that may name tenants [tenantrace policy check shows them]`; err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := Load(filepath.Join(dir, "absent")); Discreet(err, true) != err {
		t.Errorf("%v", Discreet(err, true))
	}
}

// TestSecretIsNowhere holds that nothing that a policy can print shows its key.
func TestSecretIsNowhere(t *testing.T) {
	dir := t.TempDir()
	writeKey(t, dir, testSecret, 0o600)
	p := parsePrivate(t, dir, "privacy: { tenants: hmac, key: key }\n")
	var b bytes.Buffer
	if err := p.Explain(&b, subject("O=acme"), p.Database(Postgres, "", ""), today); err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(&b, p.Hash(), p.Notes(), p.Key(), *p.Key())
	fmt.Fprintf(&b, "%+v %#v %v", p.Key(), p.Key(), p.EvidenceRules())
	if strings.Contains(b.String(), testSecret) || strings.Contains(b.String(), fmt.Sprint([]byte(testSecret))) {
		t.Errorf("the key is in %s", &b)
	}
}
