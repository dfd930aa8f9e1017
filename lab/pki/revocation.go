package pki

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"time"
)

// Issuer writes the certificate that signs those of clients, and their revocation list, to a PEM file.
func (a *Authority) Issuer(path string) error {
	return writeCertificates(path, a.intermediate.certificate.Raw)
}

// Revoke writes a revocation list to a PEM file, as those who fetch lists do: beside the file, then renamed. Number is that of the list.
func (a *Authority) Revoke(path string, number int64, leaves ...*Leaf) error {
	now := time.Now()
	list := &x509.RevocationList{Number: big.NewInt(number), ThisUpdate: now.Add(-time.Minute), NextUpdate: now.Add(time.Hour)}
	for _, l := range leaves {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: l.Serial, RevocationTime: now.Add(-time.Second), ReasonCode: 1}) // keyCompromise
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, a.intermediate.certificate, a.intermediate.key)
	if err != nil {
		return fmt.Errorf("sign revocation list: %w", err)
	}
	if err := os.WriteFile(path+".new", pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}), 0o644); err != nil {
		return fmt.Errorf("write revocation list: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("put the revocation list in its place: %w", err)
	}
	return nil
}
