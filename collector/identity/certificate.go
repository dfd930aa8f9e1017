// Package identity turns the DER of a peer certificate into event.Certificate. Names are read attribute by attribute from the DER, never from
// a one-line text, because a NUL, a comma or a slash inside a value would let a certificate speak for somebody else there.
package identity

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"

	"tenantrace/collector/event"
)

// maxSize bounds a certificate, in bytes. OpenSSL accepts certificate messages of at most 100 KiB.
const maxSize = 128 << 10

// Parse reads the DER of one whole certificate (RFC 5280, section 4.1). SHA256 is that of the certificate.
//
// A certificate that crypto/x509 refuses, for example for a negative serial number or an unknown curve, may have been accepted by the library
// that the traced process uses. Then the certificate says what a tolerant walk of its TBSCertificate could read; Malformed, which is not empty
// then, and Unreadable say what is wrong. It is an error only if not even a TBSCertificate was found.
func Parse(der []byte) (*event.Certificate, error) {
	if len(der) > maxSize {
		return nil, fmt.Errorf("certificate has %d bytes, more than %d", len(der), maxSize)
	}
	outer, rest, err := expect(der, tagSequence, "certificate")
	if err != nil {
		return nil, err
	}
	tbs, after, err := expect(outer.body, tagSequence, "TBSCertificate")
	if err != nil {
		return nil, err
	}
	cert := walk(tbs.body)
	sum := sha256.Sum256(outer.raw)
	cert.SHA256 = hex.EncodeToString(sum[:])
	if len(rest) > 0 || !signed(after) {
		cert.Malformed = add(cert.Malformed, event.PartEncoding)
	}
	if _, err := x509.ParseCertificate(der); err != nil {
		diagnose(cert, outer, tbs, after)
	}
	return cert, nil
}

// signed tells whether what follows a TBSCertificate is a signature of whole octets with its algorithm, and nothing else: crypto/x509 lets pass what comes behind,
// and bits that are not used. OpenSSL verifies neither.
func signed(after []byte) bool {
	_, after, err := expect(after, tagSequence, "signatureAlgorithm")
	if err != nil {
		return false
	}
	bits, after, err := expect(after, tagBitString, "signature")
	return err == nil && len(after) == 0 && len(bits.body) > 0 && bits.body[0] == 0
}

// ParsePeer reads a certificate of which its TBSCertificate and its signature are known: see Assemble. With an empty signature the
// certificate's hash cannot be known and SHA256 is "". Otherwise as Parse.
func ParsePeer(tbs, signature []byte) (*event.Certificate, error) {
	der, err := Assemble(tbs, signature)
	if err != nil {
		return nil, err
	}
	cert, err := Parse(der)
	if cert != nil && len(signature) == 0 {
		cert.SHA256 = ""
	}
	return cert, err
}

// ParseTBS reads a TBSCertificate alone: ParsePeer without a signature.
func ParseTBS(tbs []byte) (*event.Certificate, error) { return ParsePeer(tbs, nil) }

// Assemble rebuilds the DER of a certificate from its TBSCertificate, the DER of a SEQUENCE, and the octets of its signature. The outer
// signatureAlgorithm is copied from the TBSCertificate's signature field, which must equal it (RFC 5280, section 4.1.1.2), so the result is the
// certificate byte for byte. With an empty signature the result has a dummy signature of one zero byte: it can be parsed, its hash means nothing.
func Assemble(tbs, signature []byte) ([]byte, error) {
	if len(tbs)+len(signature) > maxSize-64 {
		return nil, fmt.Errorf("certificate has %d bytes, more than %d", len(tbs)+len(signature), maxSize-64)
	}
	whole, rest, err := expect(tbs, tagSequence, "TBSCertificate")
	if err != nil {
		return nil, err
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("TBSCertificate is followed by %d bytes", len(rest))
	}
	_, algorithm, _, err := front(whole.body)
	if err != nil {
		return nil, err
	}
	if len(signature) == 0 {
		signature = []byte{0}
	}
	bits := appendElement(make([]byte, 0, len(signature)+8), tagBitString, []byte{0}, signature)
	out := make([]byte, 0, len(tbs)+len(algorithm.raw)+len(bits)+8)
	return appendElement(out, tagSequence, tbs, algorithm.raw, bits), nil
}

// front reads the first fields of a TBSCertificate's content: version (skipped), serialNumber and signature; rest begins with issuer.
func front(in []byte) (serial, algorithm element, rest []byte, err error) {
	if len(in) > 0 && in[0] == tagVersion {
		if _, in, err = next(in); err != nil {
			return element{}, element{}, nil, fmt.Errorf("version: %w", err)
		}
	}
	if serial, in, err = expect(in, tagInteger, "serialNumber"); err != nil {
		return element{}, element{}, nil, err
	}
	if algorithm, in, err = expect(in, tagSequence, "signature"); err != nil {
		return serial, element{}, nil, err
	}
	return serial, algorithm, in, nil
}
