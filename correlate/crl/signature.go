package crl

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"hash"

	_ "crypto/sha256"
	_ "crypto/sha512"
)

// authority is a certificate that may sign lists.
type authority struct {
	name string // as IssuerKey gives it
	cert *x509.Certificate
}

// maxKept is the longest list, in bytes, whose signature is over the list and not over a digest of it (Ed25519): it has to be kept.
const maxKept = 64 << 20

type scheme uint8

const (
	schemeRSA scheme = iota
	schemeECDSA
	schemeEd25519
)

// proof takes in the signed part of a list, and checks the signature.
type proof struct {
	scheme scheme
	hash   crypto.Hash
	digest hash.Hash
	kept   []byte // what came before the algorithm was known; for Ed25519 all
}

// algorithms are the signature algorithms (RFC 4055, 5758, 8410), by the encoded OID.
var algorithms = map[string]proof{
	"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b": {scheme: schemeRSA, hash: crypto.SHA256},
	"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c": {scheme: schemeRSA, hash: crypto.SHA384},
	"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d": {scheme: schemeRSA, hash: crypto.SHA512},
	"\x2a\x86\x48\xce\x3d\x04\x03\x02":     {scheme: schemeECDSA, hash: crypto.SHA256},
	"\x2a\x86\x48\xce\x3d\x04\x03\x03":     {scheme: schemeECDSA, hash: crypto.SHA384},
	"\x2a\x86\x48\xce\x3d\x04\x03\x04":     {scheme: schemeECDSA, hash: crypto.SHA512},
	"\x2b\x65\x70":                         {scheme: schemeEd25519},
}

// begin says which algorithm the list names.
func (p *proof) begin(algorithm []byte) error {
	oid, _, ok := takeTag(algorithm, tagOID)
	if !ok {
		return errors.New("names no signature algorithm")
	}
	a, ok := algorithms[string(oid)]
	if !ok {
		return fmt.Errorf("is signed with %s, which cannot be checked [sign with RSA PKCS #1 v1.5, ECDSA or Ed25519 and SHA-2, or leave out certificates.revocation.ca]", dotted(oid))
	}
	p.scheme, p.hash = a.scheme, a.hash
	if p.hash != 0 {
		p.digest = p.hash.New()
		p.digest.Write(p.kept)
		p.kept = nil
	}
	return nil
}

// Write implements io.Writer.
func (p *proof) Write(b []byte) (int, error) {
	if p.digest != nil {
		return p.digest.Write(b)
	}
	if len(p.kept)+len(b) > maxKept {
		return 0, fmt.Errorf("is signed with Ed25519 and longer than %d bytes [leave out certificates.revocation.ca]", maxKept)
	}
	p.kept = append(p.kept, b...)
	return len(b), nil
}

// check tells whether one of the authorities that have the issuer's name made the signature.
func (p *proof) check(issuer string, signature []byte, cas []authority) error {
	named := false
	for _, ca := range cas {
		if ca.name != issuer {
			continue
		}
		named = true
		if usage := ca.cert.KeyUsage; usage != 0 && usage&x509.KeyUsageCRLSign == 0 {
			continue
		}
		if p.by(ca.cert.PublicKey, signature) {
			return nil
		}
	}
	if !named {
		return errors.New("has an issuer whose certificate is not in certificates.revocation.ca [add it]")
	}
	return errors.New("has a signature that is not of its issuer [fetch the list again; certificates.revocation.ca must hold the issuer's current certificate]")
}

func (p *proof) by(key any, signature []byte) bool {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return p.scheme == schemeRSA && rsa.VerifyPKCS1v15(key, p.hash, p.digest.Sum(nil), signature) == nil
	case *ecdsa.PublicKey:
		return p.scheme == schemeECDSA && ecdsa.VerifyASN1(key, p.digest.Sum(nil), signature)
	case ed25519.PublicKey:
		return p.scheme == schemeEd25519 && ed25519.Verify(key, p.kept, signature)
	}
	return false
}

// readAuthorities reads certificates in PEM.
func readAuthorities(data []byte) (out []authority, err error) {
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		content, _, ok := takeTag(cert.RawSubject, tagSequence)
		name, fine := readName(content)
		if !ok || !fine {
			return nil, errors.New("has a subject that cannot be read")
		}
		out = append(out, authority{IssuerKey(name), cert})
	}
	if len(out) == 0 {
		return nil, errors.New("holds no certificate [name a file of PEM blocks \"CERTIFICATE\"]")
	}
	return out, nil
}
