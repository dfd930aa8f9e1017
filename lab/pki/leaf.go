package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"path/filepath"
	"time"
)

// Leaf is an end-entity certificate with its key.
type Leaf struct {
	CertFile string // PEM: the certificate and its intermediate
	KeyFile  string // PEM, mode 0600
	SHA256   string // lower-case hex over the certificate's DER
	Serial   *big.Int
	NotAfter time.Time
	TLS      tls.Certificate
}

// Profile says what a client certificate holds.
type Profile struct {
	File         string // base name of its files
	CommonName   string
	Organization string
	URI          string // "" none
	From, Until  time.Time
	SelfSigned   bool // by itself, not by the authority
}

// Tenant is the profile of a tenant's client.
func Tenant(name string) Profile {
	return Profile{
		File: name, CommonName: name + "-client", Organization: name,
		URI:  "spiffe://lab.example/tenant/" + name + "/svc/api",
		From: time.Now().Add(-time.Hour), Until: time.Now().AddDate(0, 1, 0),
	}
}

// Operator is the profile of somebody who may see all tenants.
func Operator(name string) Profile {
	p := Tenant("operations")
	p.File, p.CommonName, p.URI = "ops-"+name, "ops-"+name, ""
	return p
}

// Client issues a client certificate.
func (a *Authority) Client(p Profile) (*Leaf, error) {
	template, err := newTemplate(pkix.Name{CommonName: p.CommonName, Organization: []string{p.Organization}}, p.From, p.Until)
	if err != nil {
		return nil, err
	}
	if p.URI != "" {
		uri, err := url.Parse(p.URI)
		if err != nil {
			return nil, fmt.Errorf("client certificate %q: %w", p.File, err)
		}
		template.URIs = []*url.URL{uri}
	}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return a.issue(p.File, template, p.SelfSigned)
}

// Server issues a certificate for localhost, 127.0.0.1 and other names.
func (a *Authority) Server(file string, names ...string) (*Leaf, error) {
	template, err := newTemplate(pkix.Name{CommonName: "localhost"}, time.Now().Add(-time.Hour), time.Now().AddDate(0, 1, 0))
	if err != nil {
		return nil, err
	}
	template.DNSNames = append([]string{"localhost"}, names...)
	template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	return a.issue(file, template, false)
}

func (a *Authority) issue(file string, template *x509.Certificate, selfSigned bool) (*Leaf, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make key of %q: %w", file, err)
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	signer := a.intermediate
	if selfSigned {
		signer = &issuer{certificate: template, key: key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer.certificate, &key.PublicKey, signer.key)
	if err != nil {
		return nil, fmt.Errorf("sign %q: %w", file, err)
	}
	chain := [][]byte{der}
	if !selfSigned {
		chain = append(chain, a.intermediate.certificate.Raw)
	}
	sum := sha256.Sum256(der)
	leaf := &Leaf{
		CertFile: filepath.Join(a.dir, file+".pem"),
		KeyFile:  filepath.Join(a.dir, file+".key"),
		SHA256:   hex.EncodeToString(sum[:]),
		Serial:   template.SerialNumber,
		NotAfter: template.NotAfter.Truncate(time.Second), // X.509 knows whole seconds
		TLS:      tls.Certificate{Certificate: chain, PrivateKey: key},
	}
	if err := writeCertificates(leaf.CertFile, chain...); err != nil {
		return nil, err
	}
	return leaf, writeKey(leaf.KeyFile, key)
}
