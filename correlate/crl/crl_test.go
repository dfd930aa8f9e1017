package crl

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tenantrace/collector/event"
)

var issued = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// ca is an issuer of lists.
type ca struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func newCA(t testing.TB, key crypto.Signer, name pkix.Name) *ca {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: name, NotBefore: issued.Add(-time.Hour), NotAfter: issued.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCRLSign | x509.KeyUsageCertSign, SubjectKeyId: []byte{1, 2, 3},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &ca{cert, key}
}

func ecKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func defaultCA(t testing.TB) *ca {
	return newCA(t, ecKey(t), pkix.Name{Organization: []string{"Acme  PKI"}, CommonName: "Client CA"})
}

// list makes a list of serial numbers in DER.
func (c *ca) list(t testing.TB, template x509.RevocationList, serials ...*big.Int) []byte {
	t.Helper()
	for i, s := range serials {
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, x509.RevocationListEntry{
			SerialNumber: s, RevocationTime: issued.Add(-time.Duration(i) * time.Minute), ReasonCode: i % 2,
		})
	}
	if template.Number == nil {
		template.Number = big.NewInt(1)
	}
	if template.ThisUpdate.IsZero() {
		template.ThisUpdate = issued
	}
	if template.NextUpdate.IsZero() {
		template.NextUpdate = template.ThisUpdate.Add(24 * time.Hour)
	}
	der, err := x509.CreateRevocationList(rand.Reader, &template, c.cert, c.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func inPEM(ders ...[]byte) []byte {
	out := []byte("issued by nobody\n")
	for _, der := range ders {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})...)
		out = append(out, "-----BEGIN NOTE-----\nAAAA\n-----END NOTE-----\n"...)
	}
	return out
}

func write(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func readBytes(data []byte, most int, cas []authority) ([]*List, error) {
	return read(bytes.NewReader(data), int64(len(data)), most, cas)
}

var issuer = IssuerKey([]event.Attribute{{Type: "O", Value: "acme pki"}, {Type: "CN", Value: " client  CA"}})

func TestLoad(t *testing.T) {
	c := defaultCA(t)
	long := new(big.Int).Lsh(big.NewInt(0xff), 152) // 20 bytes, with a zero before them in DER
	der := c.list(t, x509.RevocationList{}, big.NewInt(0x1f), long, big.NewInt(0x80), big.NewInt(7))
	other := newCA(t, ecKey(t), pkix.Name{CommonName: "Another"}).list(t, x509.RevocationList{}, big.NewInt(0x99))
	caFile := write(t, "ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.cert.Raw}))
	for name, files := range map[string][]string{
		"DER":         {write(t, "a", der), write(t, "b", other)},
		"PEM":         {write(t, "a", inPEM(der)), write(t, "b", inPEM(other))},
		"bundle":      {write(t, "a", inPEM(other, der))},
		"CRLF":        {write(t, "a", bytes.ReplaceAll(inPEM(other, der), []byte("\n"), []byte("\r\n")))},
		"no last end": {write(t, "a", bytes.TrimSpace(bytes.TrimSuffix(inPEM(other, der), []byte("-----BEGIN NOTE-----\nAAAA\n-----END NOTE-----\n"))))},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Load(files, "")
			if err != nil {
				t.Fatal(err)
			}
			if len(s.Lists()) != 2 || s.Len() != 5 || len(s.Digest()) != 16 {
				t.Errorf("%d lists, %d entries, digest %q", len(s.Lists()), s.Len(), s.Digest())
			}
			for serial, want := range map[string]bool{
				"1f": true, "80": true, "7": true, long.Text(16): true, "1": false, "1f00": false, "f": false, "": false, "zz": false, "99": false, "-80": false,
				strings.Repeat("f", 41): false,
			} {
				if _, ok := s.Find(issuer, serial); ok != want {
					t.Errorf("serial %q: %v, want %v", serial, ok, want)
				}
			}
			if e, _ := s.Find(issuer, long.Text(16)); !e.Since.Equal(issued.Add(-time.Minute)) || e.Reason != "keyCompromise" {
				t.Errorf("entry %+v", e)
			}
			if e, ok := s.Find(issuer, "1f"); !ok || e.Reason != "" { // reason 0 is not written
				t.Errorf("entry %+v, %v", e, ok)
			}
			if last, next := s.Updates(); !last.Equal(issued) || !next.Equal(issued.Add(24*time.Hour)) {
				t.Errorf("issued %v, due %v", last, next)
			}
		})
	}
	s, err := Load([]string{write(t, "a", der)}, caFile)
	if err != nil || !s.Lists()[0].Verified {
		t.Fatalf("with the CA: %v", err)
	}
	if l := s.Lists()[0]; l.Stale(issued.Add(time.Hour), 2*time.Hour) || !l.Stale(issued.Add(3*time.Hour), 2*time.Hour) || l.Stale(issued.Add(23*time.Hour), 0) || !l.Stale(issued.Add(25*time.Hour), 0) {
		t.Error("stale at the wrong time")
	}
}

func TestSignature(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	name := pkix.Name{CommonName: "Client CA"}
	for kind, key := range map[string]crypto.Signer{"RSA": rsaKey, "ECDSA": ecKey(t), "Ed25519": edKey} {
		t.Run(kind, func(t *testing.T) {
			c := newCA(t, key, name)
			der := c.list(t, x509.RevocationList{}, big.NewInt(7), big.NewInt(9))
			cas := []authority{{IssuerKey([]event.Attribute{{Type: "CN", Value: "client ca"}}), c.cert}}
			if l, err := readBytes(der, 10, cas); err != nil || !l[0].Verified {
				t.Fatal(err)
			}
			for i := range der { // no byte may be another one
				der[i] ^= 0x20
				if l, err := readBytes(der, 10, cas); err == nil {
					t.Errorf("byte %d changed and nobody noticed: %+v", i, l[0])
				}
				der[i] ^= 0x20
			}
			impostor := newCA(t, ecKey(t), name)
			cas[0].cert = impostor.cert
			if _, err := readBytes(der, 10, cas); err == nil || !strings.Contains(err.Error(), "signature that is not of its issuer") {
				t.Errorf("another key: %v", err)
			}
			cas[0].name = "x"
			if _, err := readBytes(der, 10, cas); err == nil || !strings.Contains(err.Error(), "not in certificates.revocation.ca") {
				t.Errorf("no such issuer: %v", err)
			}
		})
	}
	c := defaultCA(t)
	c.cert.KeyUsage = x509.KeyUsageCRLSign
	der := c.list(t, x509.RevocationList{}, big.NewInt(7))
	c.cert.KeyUsage = x509.KeyUsageDigitalSignature
	if _, err := readBytes(der, 10, []authority{{issuer, c.cert}}); err == nil {
		t.Error("a certificate that may not sign lists did")
	}
}

func extension(t testing.TB, critical bool, value any, oid ...int) pkix.Extension {
	t.Helper()
	der, err := asn1.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return pkix.Extension{Id: oid, Critical: critical, Value: der}
}

func TestRefused(t *testing.T) {
	c := defaultCA(t)
	point := func(tag int, extra ...asn1.RawValue) []asn1.RawValue {
		return append(extra, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tag, Bytes: []byte{0xff}})
	}
	with := func(e ...pkix.Extension) []byte {
		return c.list(t, x509.RevocationList{ExtraExtensions: e}, big.NewInt(7))
	}
	entry := func(e pkix.Extension) []byte {
		return c.list(t, x509.RevocationList{RevokedCertificateEntries: []x509.RevocationListEntry{
			{SerialNumber: big.NewInt(7), RevocationTime: issued, ExtraExtensions: []pkix.Extension{e}},
		}})
	}
	good := with()
	for name, tc := range map[string]struct {
		data []byte
		want string
	}{
		"empty":             {nil, "holds no revocation list"},
		"text":              {[]byte("hello\n"), "holds no revocation list"},
		"certificate":       {c.cert.Raw, "names no signature algorithm"},
		"certificate PEM":   {pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.cert.Raw}), "holds no revocation list"},
		"cut":               {good[:len(good)-1], "is cut short"},
		"cut in the middle": {good[:len(good)/2], "is cut short"},
		"more behind":       {append(bytes.Clone(good), 0), "bytes behind its end"},
		"PEM without end":   {inPEM(good)[:200], "list 1: is cut short"},
		"PEM with more":     {inPEM(append(bytes.Clone(good), 0)), "bytes behind its end"},
		"not base64":        {bytes.Replace(inPEM(good), []byte("CRL-----\nM"), []byte("CRL-----\n!"), 1), "list 1: illegal base64"},
		"delta":             {with(extension(t, true, 1, 2, 5, 29, 27)), "is a delta list"},
		"indirect":          {with(extension(t, true, point(4), 2, 5, 29, 28)), "is an indirect list"},
		"only CAs":          {with(extension(t, true, point(2), 2, 5, 29, 28)), "not about certificates of clients"},
		"critical":          {with(extension(t, true, 1, 1, 2, 3)), "critical extension 1.2.3"},
		"other issuer":      {entry(extension(t, true, []string{"x"}, 2, 5, 29, 29)), "is an indirect list"},
		"critical entry":    {entry(extension(t, true, 1, 1, 2, 3)), "the critical extension 1.2.3"},
		"too many":          {c.list(t, x509.RevocationList{}, big.NewInt(1), big.NewInt(2), big.NewInt(3)), "more than 2 entries"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := readBytes(tc.data, 2, nil); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
		})
	}
	for name, data := range map[string][]byte{
		"as it is":            good,
		"other extension":     with(extension(t, false, 1, 1, 2, 3)),
		"only users":          with(extension(t, true, point(1), 2, 5, 29, 28)),
		"entry of the future": entry(extension(t, false, 1, 1, 2, 3)),
	} {
		if l, err := readBytes(data, 2, nil); err != nil || l[0].Len() != 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
	taken := c.list(t, x509.RevocationList{RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: big.NewInt(7), RevocationTime: issued, ReasonCode: 8}}})
	if l, err := readBytes(taken, 2, nil); err != nil || l[0].Len() != 0 {
		t.Errorf("removeFromCRL: %v, %v", l, err)
	}
	for path, want := range map[string]string{t.TempDir(): "not a regular file", filepath.Join(t.TempDir(), "none"): "no such file"} {
		if _, err := Load([]string{path}, ""); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), fmt.Sprintf("%q", path)) {
			t.Errorf("Load(%q) = %v", path, err)
		}
	}
	if _, err := Load([]string{write(t, "a", good)}, write(t, "ca", []byte("x"))); err == nil || !strings.Contains(err.Error(), "holds no certificate") {
		t.Errorf("CA file without certificates: %v", err)
	}
}

// Of two lists for the same certificates the newer one counts, whatever their order; lists of several distribution points add up.
func TestNewestCounts(t *testing.T) {
	c := defaultCA(t)
	old := c.list(t, x509.RevocationList{}, big.NewInt(7), big.NewInt(8))
	recent := c.list(t, x509.RevocationList{ThisUpdate: issued.Add(time.Hour)}, big.NewInt(8))
	uri := asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 6, Bytes: []byte("http://a")}
	shard := c.list(t, x509.RevocationList{ExtraExtensions: []pkix.Extension{extension(t, true, []asn1.RawValue{uri}, 2, 5, 29, 28)}}, big.NewInt(9))
	for _, order := range [][][]byte{{old, recent, shard}, {shard, recent, old}} {
		s, err := Load([]string{write(t, "a", inPEM(order...))}, "")
		if err != nil {
			t.Fatal(err)
		}
		for serial, want := range map[string]bool{"7": false, "8": true, "9": true} {
			if _, ok := s.Find(issuer, serial); ok != want {
				t.Errorf("serial %s: %v, want %v", serial, ok, want)
			}
		}
		if len(s.Lists()) != 2 || s.Len() != 2 {
			t.Errorf("%d lists, %d entries", len(s.Lists()), s.Len())
		}
	}
}

func TestIssuerKey(t *testing.T) {
	key := func(pairs ...string) string {
		var name []event.Attribute
		for i := 0; i < len(pairs); i += 2 {
			name = append(name, event.Attribute{Type: pairs[i], Value: pairs[i+1]})
		}
		return IssuerKey(name)
	}
	if key("O", "Acme  PKI ", "CN", "ÄÖ") != key("O", "acme pki", "CN", "äö") {
		t.Error("case and white space must not matter")
	}
	for _, other := range []string{key("O", "acmepki", "CN", "x"), key("CN", "x", "O", "acme pki"), key("O", "acme pki"), key("O", "acme pki", "CN", "xO=0:"), key("O", "acme pkiCN", "", "x")} {
		if other == key("O", "acme pki", "CN", "x") {
			t.Errorf("%q is another name", other)
		}
	}
}

// Of a certificate that is there twice, the earlier moment counts, in whatever order.
func TestEntryTwice(t *testing.T) {
	lists, err := readBytes(defaultCA(t).list(t, x509.RevocationList{}, big.NewInt(5), big.NewInt(7), big.NewInt(7), big.NewInt(9)), 10, nil)
	if err != nil {
		t.Fatal(err)
	}
	e, ok := lists[0].Find("7")
	if want := issued.Add(-2 * time.Minute); !ok || !e.Since.Equal(want) {
		t.Errorf("revoked since %v (%v), want %v", e.Since, ok, want)
	}
	if lists[0].Len() != 3 {
		t.Errorf("%d entries, want 3", lists[0].Len())
	}
}
