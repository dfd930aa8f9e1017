package identity

import (
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tenantrace/collector/event"
)

// TestOpenSSL compares with certificates that OpenSSL made, and with what it says of them.
func TestOpenSSL(t *testing.T) {
	tests := []struct {
		name, key, mask, subject string
		want                     string // DNString
	}{
		{"rsa", "rsa:2048", "utf8only", "/C=DE/O=acme/OU=tenant-acme/OU=second/CN=api", "CN=api,OU=second,OU=tenant-acme,O=acme,C=DE"},
		{"p256", "ec:prime256v1", "default", "/O=Acme\\, Inc./OU=a\\/b/CN=\\#x;y", `CN=\#x\;y,OU=a/b,O=Acme\, Inc.`},
		{"ed25519", "ed25519", "nombstr", "/O=Müller/CN=a b", "CN=a b,O=Müller"},
		{"bmp", "ec:prime256v1", "MASK:0x800", "/O=Größe €/CN=api", "CN=api,O=Größe €"},
		{"teletex", "ec:prime256v1", "MASK:0x4", "/O=Größe/CN=api", "CN=api,O=Größe"},
		{"secp224k1", "ec:secp224k1", "utf8only", "/CN=api", "CN=api"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			config, cert := filepath.Join(dir, "req.cnf"), filepath.Join(dir, "cert.pem")
			if err := os.WriteFile(config, []byte("[req]\nprompt=no\nutf8=yes\ndistinguished_name=dn\nx509_extensions=ext\nstring_mask="+tt.mask+
				"\n[dn]\nCN=x\n[ext]\nsubjectAltName=URI:spiffe://td/tenant/%61cme,URI:urn:x,DNS:a.example,email:a@acme.example,IP:127.0.0.1\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			args := []string{"req", "-x509", "-config", config, "-utf8", "-nodes", "-days", "3", "-subj", tt.subject, "-keyout", filepath.Join(dir, "key.pem"), "-out", cert, "-set_serial", "0x00f00d", "-newkey"}
			if kind, curve, ok := strings.Cut(tt.key, ":"); ok && kind == "ec" {
				args = append(args, "ec", "-pkeyopt", "ec_paramgen_curve:"+curve)
			} else {
				args = append(args, tt.key)
			}
			openssl(t, args...)
			text, err := os.ReadFile(cert)
			if err != nil {
				t.Fatal(err)
			}
			block, _ := pem.Decode(text)
			if block == nil {
				t.Fatalf("%q is no PEM", text)
			}
			// The parts are taken by hand: crypto/x509 refuses some of these.
			outer, _, err := next(block.Bytes)
			if err != nil {
				t.Fatal(err)
			}
			tbs, rest, err := next(outer.body)
			if err != nil {
				t.Fatal(err)
			}
			_, rest, err = next(rest)
			if err != nil {
				t.Fatal(err)
			}
			bits, _, err := next(rest)
			if err != nil {
				t.Fatal(err)
			}
			got, err := ParsePeer(tbs.raw, bits.body[1:])
			if got == nil {
				t.Fatal(err)
			}
			if refused := tt.name == "secp224k1"; (err != nil) != refused {
				t.Errorf("error is %v", err)
			}
			print := strings.ToLower(strings.ReplaceAll(openssl(t, "x509", "-in", cert, "-noout", "-fingerprint", "-sha256"), ":", ""))
			if _, want, _ := strings.Cut(strings.TrimSpace(print), "="); got.SHA256 != want {
				t.Errorf("SHA-256 is %s, want %s", got.SHA256, want)
			}
			if dn := event.DNString(got.Subject); dn != tt.want {
				t.Errorf("subject is %s, want %s", dn, tt.want)
			}
			// OpenSSL's own rendering, read back as UTF-8.
			theirs := openssl(t, "x509", "-in", cert, "-noout", "-subject", "-nameopt", "rfc2253,-esc_msb,utf8")
			if want := strings.TrimPrefix(strings.TrimRight(theirs, "\n"), "subject="); want != tt.want {
				t.Errorf("openssl says %s, want %s", want, tt.want)
			}
			if got.Serial != "f00d" || strings.Join(got.URIs, " ") != "spiffe://td/tenant/%61cme urn:x" ||
				strings.Join(got.DNSNames, " ") != "a.example" || strings.Join(got.Emails, " ") != "a@acme.example" {
				t.Errorf("got %+v", got)
			}
			if got.NotAfter-got.NotBefore != 3*24*3600*1e9 {
				t.Errorf("valid for %d ns", got.NotAfter-got.NotBefore)
			}
		})
	}
}

// TestOpenSSLReadsNUL shows that the certificate with a NUL of TestNames is one that OpenSSL accepts.
func TestOpenSSLReadsNUL(t *testing.T) {
	der := sign(t, template(encodeName(t, []pair{{oidCN, tagUTF8String, "acme\x00.evil"}})), p256(t))
	file := filepath.Join(t.TempDir(), "cert.der")
	if err := os.WriteFile(file, der, 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	theirs := openssl(t, "x509", "-inform", "DER", "-in", file, "-noout", "-subject", "-nameopt", "rfc2253")
	if want := "subject=" + event.DNString(got.Subject) + "\n"; theirs != want || got.Subject[0].Value != "acme\x00.evil" {
		t.Errorf("got %q, openssl says %q", got.Subject, theirs)
	}
}

func openssl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("openssl", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("openssl %q [Debian package openssl]: %v\n%s", args, err, out)
	}
	return string(out)
}
