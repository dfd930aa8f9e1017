package policy

import (
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestRevocationSection(t *testing.T) {
	dir := t.TempDir()
	parse := func(text string) CertificateRules {
		t.Helper()
		p, err := Parse("test.yaml", []byte("version: 1\ncertificates:\n"+text), dir)
		if err != nil {
			t.Fatal(err)
		}
		return p.CertificateRules()
	}
	if r := parse("  grace: 1m\n"); r.Revocation != nil || r.MaxConnectionAge != 0 {
		t.Errorf("by default: %+v", r)
	}
	if r := parse("  revocation: off\n"); r.Revocation != nil || !r.Expired {
		t.Errorf("off: %+v", r)
	}
	r := parse("  max_connection_age: 24h\n  revocation: { crl: [a.pem, /etc/b.crl], ca: ca.pem, max_age: 24h, ocsp: off }\n")
	if r.MaxConnectionAge != 24*time.Hour || !r.Expired || r.Grace != 5*time.Minute {
		t.Errorf("rules %+v", r)
	}
	want := &Revocation{Lists: []string{filepath.Join(dir, "a.pem"), "/etc/b.crl"}, CA: filepath.Join(dir, "ca.pem"), MaxAge: 24 * time.Hour}
	if !r.Revocation.Equal(want) || !slices.Equal(r.Revocation.Files(), []string{want.Lists[0], "/etc/b.crl", want.CA}) {
		t.Errorf("revocation %+v", r.Revocation)
	}
	one := parse("  revocation: { crl: a.pem }\n").Revocation
	none := (*Revocation)(nil)
	if one.Equal(want) || one.Equal(none) || none.Equal(one) || !none.Equal(nil) || len(none.Files()) != 0 {
		t.Error("sections that differ are equal, or equal ones differ")
	}
}
