package command

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestPolicyCheckReadsRevocationLists(t *testing.T) {
	dir := t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ca := &x509.Certificate{Subject: pkix.Name{CommonName: "Client CA"}, SubjectKeyId: []byte{1}, KeyUsage: x509.KeyUsageCRLSign}
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: time.Now().Add(-2 * time.Hour), NextUpdate: time.Now().Add(time.Hour),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: big.NewInt(7), RevocationTime: time.Now()}},
	}, ca, key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "policy.yaml")
	check := func(maxAge string) (int, string) {
		t.Helper()
		text := "version: 1\ncertificates: { revocation: { crl: list, max_age: " + maxAge + " } }\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		i := newInvocation()
		code := i.run(t, "policy", "check", file)
		return code, i.stdout.String() + i.stderr.String()
	}
	if code, out := check("1h"); code != 1 || !strings.Contains(out, "certificates.revocation: revocation list") || !strings.Contains(out, "no such file") {
		t.Errorf("without the list: %d, %q", code, out)
	}
	if err := os.WriteFile(filepath.Join(dir, "list"), der, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out := check("3h"); code != 0 || !strings.Contains(out, "revocation list of CN=Client CA: 1 certificates, issued ") || strings.Contains(out, "stale") {
		t.Errorf("fresh: %d, %q", code, out)
	}
	if code, out := check("1h"); code != 0 || !strings.Contains(out, "stale: that list") {
		t.Errorf("stale: %d, %q", code, out)
	}
}
