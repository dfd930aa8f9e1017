// Package pki makes the lab's certificates: a root, an intermediate, servers, tenants, operators, and the ones that must not be accepted.
package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"path/filepath"
	"time"
)

// Authority is the lab's certificate authority. Its keys live in memory only.
type Authority struct {
	dir          string
	root         *issuer
	intermediate *issuer
	Roots        *x509.CertPool // for clients
	RootFile     string         // PEM, for servers
}

type issuer struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// New makes the authority; its certificates and those that it issues are written into dir.
func New(dir string) (*Authority, error) {
	a := &Authority{dir: dir, Roots: x509.NewCertPool(), RootFile: filepath.Join(dir, "root.pem")}
	var err error
	if a.root, err = newIssuer("Lab Root CA", nil, 1); err != nil {
		return nil, err
	}
	if a.intermediate, err = newIssuer("Lab Tenants CA", a.root, 0); err != nil {
		return nil, err
	}
	a.Roots.AddCert(a.root.certificate)
	if err := writeCertificates(a.RootFile, a.root.certificate.Raw); err != nil {
		return nil, err
	}
	return a, nil
}

// newIssuer makes a CA certificate signed by parent, or self-signed if that is nil.
func newIssuer(name string, parent *issuer, pathLen int) (*issuer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make key of %q: %w", name, err)
	}
	template, err := newTemplate(pkix.Name{CommonName: name, Organization: []string{"Lab"}}, time.Now().Add(-time.Hour), time.Now().AddDate(1, 0, 0))
	if err != nil {
		return nil, err
	}
	template.IsCA, template.BasicConstraintsValid = true, true
	template.MaxPathLen, template.MaxPathLenZero = pathLen, pathLen == 0
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	signer := parent
	if signer == nil {
		signer = &issuer{certificate: template, key: key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer.certificate, &key.PublicKey, signer.key)
	if err != nil {
		return nil, fmt.Errorf("sign %q: %w", name, err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", name, err)
	}
	return &issuer{certificate: certificate, key: key}, nil
}

func newTemplate(subject pkix.Name, from, until time.Time) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("make serial number: %w", err)
	}
	return &x509.Certificate{SerialNumber: serial, Subject: subject, NotBefore: from, NotAfter: until}, nil
}
