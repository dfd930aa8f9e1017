package pki

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func verify(t *testing.T, a *Authority, leaf *Leaf, usage x509.ExtKeyUsage) error {
	t.Helper()
	text, err := os.ReadFile(leaf.CertFile)
	if err != nil {
		t.Fatal(err)
	}
	intermediates := x509.NewCertPool()
	block, rest := pem.Decode(text)
	intermediates.AppendCertsFromPEM(rest)
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	_, err = certificate.Verify(x509.VerifyOptions{Roots: a.Roots, Intermediates: intermediates, KeyUsages: []x509.ExtKeyUsage{usage}})
	return err
}

func TestCertificates(t *testing.T) {
	a, err := New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	expired := Tenant("beta")
	expired.File, expired.Until = "expired", time.Now().Add(-time.Minute)
	untrusted := Tenant("beta")
	untrusted.File, untrusted.SelfSigned = "untrusted", true
	for _, tc := range []struct {
		profile Profile
		valid   bool
	}{
		{Tenant("acme"), true},
		{Operator("alice"), true},
		{expired, false},
		{untrusted, false},
	} {
		leaf, err := a.Client(tc.profile)
		if err != nil {
			t.Fatal(err)
		}
		if err := verify(t, a, leaf, x509.ExtKeyUsageClientAuth); (err == nil) != tc.valid {
			t.Errorf("%s: valid want %v, verify says: %v", tc.profile.File, tc.valid, err)
		}
		info, err := os.Stat(leaf.KeyFile)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode of key %v, %v", tc.profile.File, info.Mode(), err)
		}
	}
	server, err := a.Server("server")
	if err != nil {
		t.Fatal(err)
	}
	if err := verify(t, a, server, x509.ExtKeyUsageServerAuth); err != nil {
		t.Errorf("server: %v", err)
	}
}

func TestTenantNames(t *testing.T) {
	a, err := New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := a.Client(Tenant("gamma"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(leaf.TLS.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	if c.Subject.CommonName != "gamma-client" || c.Subject.Organization[0] != "gamma" || c.URIs[0].String() != "spiffe://lab.example/tenant/gamma/svc/api" {
		t.Errorf("subject %v, URIs %v", c.Subject, c.URIs)
	}
	if !leaf.NotAfter.Equal(c.NotAfter) {
		t.Errorf("NotAfter %v, certificate says %v", leaf.NotAfter, c.NotAfter)
	}
}

func TestRevoke(t *testing.T) {
	dir := t.TempDir()
	a, err := New(dir)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := a.Client(Tenant("acme"))
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) []byte {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(text)
		return block.Bytes
	}
	if err := errors.Join(a.Issuer(filepath.Join(dir, "issuer")), a.Revoke(filepath.Join(dir, "crl"), 1), a.Revoke(filepath.Join(dir, "crl"), 2, leaf)); err != nil {
		t.Fatal(err)
	}
	issuer, err := x509.ParseCertificate(read("issuer"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := x509.ParseRevocationList(read("crl"))
	if err != nil {
		t.Fatal(err)
	}
	if err := list.CheckSignatureFrom(issuer); err != nil {
		t.Error(err)
	}
	if len(list.RevokedCertificateEntries) != 1 || list.RevokedCertificateEntries[0].SerialNumber.Cmp(leaf.Serial) != 0 || list.Number.Int64() != 2 {
		t.Errorf("list %+v", list)
	}
}
