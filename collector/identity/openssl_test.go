package identity

import (
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
			if err != nil {
				t.Fatal(err)
			}
			if refused := tt.name == "secp224k1"; refused != slices.Equal(got.Malformed, []event.Part{event.PartOther}) || !refused && len(got.Malformed) > 0 {
				t.Errorf("malformed: %q", got.Malformed)
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

// TestOpenSSLSources reads the leaf that a CA of OpenSSL issued through an intermediate, with every source of an identity.
func TestOpenSSLSources(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	config := `[req]
prompt=no
distinguished_name=dn
[dn]
O=acme
1.OU=issuer unit
CN=intermediate
[leaf_req]
prompt=no
utf8=yes
string_mask=MASK:0x802
distinguished_name=leaf_dn
[leaf_dn]
0.OU=first
1.OU=Größe
organizationIdentifier=PSDDE-BAFIN-1
CN=api
[ca]
basicConstraints=critical,CA:TRUE
[leaf]
subjectAltName=@names
1.3.6.1.4.1.99999.1=ASN1:UTF8String:acme
1.3.6.1.4.1.99999.2=ASN1:FORMAT:HEX,OCTETSTRING:8f14e45fceea467fa0e64f1b7f1b2c3d
1.3.6.1.4.1.99999.3=critical,DER:8f14e45fceea467fa0e64f1b7f1b2c3d
1.3.6.1.4.1.99999.4=ASN1:BMPSTRING:acme
[names]
otherName.1=1.3.6.1.4.1.311.20.2.3;UTF8:svc@acme.example
otherName.2=1.3.6.1.5.5.7.8.5;UTF8:svc@chat.example
otherName.3=1.2.3.4;IA5STRING:t-acme
URI.1=spiffe://td/tenant/acme
URI.2=urn:x
DNS.1=*.acme.example
email.1=a@acme.example
IP.1=192.0.2.7
IP.2=2001:db8::1
`
	if err := os.WriteFile(file("c.cnf"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	issue := func(name, section, extensions, issuer string) {
		t.Helper()
		openssl(t, "req", "-new", "-config", file("c.cnf"), "-section", section, "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", file(name+".key"), "-out", file(name+".csr"))
		args := []string{"x509", "-req", "-in", file(name + ".csr"), "-extfile", file("c.cnf"), "-extensions", extensions, "-days", "3", "-out", file(name + ".pem")}
		if issuer == "" {
			args = append(args, "-signkey", file(name+".key"))
		} else {
			args = append(args, "-CA", file(issuer+".pem"), "-CAkey", file(issuer+".key"), "-set_serial", "0x80")
		}
		openssl(t, args...)
	}
	issue("root", "req", "ca", "")
	issue("middle", "req", "ca", "root")
	issue("leaf", "leaf_req", "leaf", "middle")
	var chain []byte // as it stands in a file and on the wire: the leaf first
	for _, name := range []string{"leaf", "middle"} {
		text, err := os.ReadFile(file(name + ".pem"))
		if err != nil {
			t.Fatal(err)
		}
		chain = append(chain, text...)
	}
	block, _ := pem.Decode(chain)
	got, err := Parse(block.Bytes)
	if err != nil || len(got.Malformed)+len(got.Unreadable) > 0 || got.Serial != "80" {
		t.Fatalf("%+v, %v", got, err)
	}
	if dn := event.DNString(got.Subject); dn != "CN=api,2.5.4.97=PSDDE-BAFIN-1,OU=Größe,OU=first" {
		t.Errorf("subject %s", dn)
	}
	if dn := event.DNString(got.Issuer); dn != "CN=intermediate,OU=issuer unit,O=acme" {
		t.Errorf("issuer %s", dn)
	}
	const uuid = "8f14e45f-ceea-467f-a0e6-4f1b7f1b2c3d"
	typed := slices.Concat(got.OtherNames, got.Extensions)
	want := []event.Typed{{OID: "1.3.6.1.4.1.311.20.2.3", Value: "svc@acme.example"}, {OID: "1.3.6.1.5.5.7.8.5", Value: "svc@chat.example"}, {OID: "1.2.3.4", Value: "t-acme"},
		{OID: "1.3.6.1.4.1.99999.1", Value: "acme"}, {OID: "1.3.6.1.4.1.99999.2", Value: uuid}, {OID: "1.3.6.1.4.1.99999.3", Value: uuid}, {OID: "1.3.6.1.4.1.99999.4", Value: "acme"}}
	if !slices.Equal(typed, want) {
		t.Errorf("other names and extensions\n%q, want\n%q", typed, want)
	}
	names := strings.Join(slices.Concat(got.URIs, got.DNSNames, got.Emails, got.IPs), " ")
	if names != "spiffe://td/tenant/acme urn:x *.acme.example a@acme.example 192.0.2.7 2001:db8::1" {
		t.Errorf("names %s", names)
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
