package crl

import (
	"crypto/ed25519"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"tenantrace/collector/event"
)

// compare reads a list in DER with crypto/x509 too. What both take, both must read alike; ours may refuse more.
func compare(t *testing.T, der []byte) {
	t.Helper()
	want, err := x509.ParseRevocationList(der)
	got, ours := readBytes(der, 1000, nil)
	if err != nil || ours != nil || der[0] != tagSequence {
		return
	}
	l := got[0]
	if !l.ThisUpdate.Equal(want.ThisUpdate) || !l.NextUpdate.Equal(want.NextUpdate) {
		t.Errorf("issued %v, due %v, want %v, %v", l.ThisUpdate, l.NextUpdate, want.ThisUpdate, want.NextUpdate)
	}
	listed := map[string]bool{}
	for _, e := range want.RevokedCertificateEntries {
		if e.ReasonCode != removeFromCRL {
			listed[e.SerialNumber.Text(16)] = true
		}
	}
	if l.Len() != len(listed) {
		t.Errorf("%d entries, want %d", l.Len(), len(listed))
	}
	for serial := range listed {
		if _, ok := l.Find(serial); !ok {
			t.Errorf("serial %q is not found", serial)
		}
	}
	var name []event.Attribute
	for _, a := range want.Issuer.Names {
		if s, ok := a.Value.(string); ok && strings.ToValidUTF8(s, "") == s {
			name = append(name, event.Attribute{Type: dottedShort(a.Type.String()), Value: s})
		}
	}
	if len(name) == len(want.Issuer.Names) && l.Issuer != IssuerKey(name) && !strings.Contains(l.Issuer, "#") {
		t.Errorf("issuer %q, want %q", l.Issuer, IssuerKey(name))
	}
}

// dottedShort is the short name of a dotted OID.
func dottedShort(oid string) string {
	for encoded, name := range shortNames {
		if dotted([]byte(encoded)) == oid {
			return name
		}
	}
	return oid
}

// Lists of random serial numbers, of all lengths up to the longest, are read as crypto/x509 reads them.
func TestReadsWhatX509Reads(t *testing.T) {
	c := defaultCA(t)
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 50 {
		var serials []*big.Int
		for range random.IntN(60) {
			b := make([]byte, 1+random.IntN(24)) // longer ones than RFC 5280 allows too
			for i := range b {
				b[i] = byte(random.Uint32())
			}
			n := new(big.Int).SetBytes(b)
			if n.Sign() == 0 {
				n.SetInt64(1)
			}
			serials = append(serials, n)
		}
		der := c.list(t, x509.RevocationList{ThisUpdate: issued.Add(time.Duration(round) * time.Second)}, serials...)
		if l, err := readBytes(der, 1000, nil); err != nil {
			t.Fatalf("round %d: %v, %v", round, l, err)
		}
		compare(t, der)
	}
}

func FuzzRead(f *testing.F) {
	// The same bytes in every process: what one finds, another must be able to repeat.
	c := newCA(f, ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)), pkix.Name{Organization: []string{"Acme PKI"}, CommonName: "Client CA"})
	der := c.list(f, x509.RevocationList{}, big.NewInt(7), new(big.Int).Lsh(big.NewInt(5), 180), big.NewInt(0x80))
	f.Add(der)
	f.Add(inPEM(der, der))
	f.Add(der[:60])
	f.Add([]byte("0\x84\xff\xff\xff\xff"))
	cas := []authority{{issuer, c.cert}}
	f.Fuzz(func(t *testing.T, data []byte) {
		lists, err := readBytes(data, 1000, nil)
		if err == nil && len(lists) == 0 {
			t.Error("neither lists nor an error")
		}
		for _, l := range lists {
			for i := 1; i < len(l.records); i++ {
				if compareSerials(l.records[i-1], l.records[i]) >= 0 {
					t.Fatal("not sorted")
				}
			}
		}
		if len(data) > 0 {
			compare(t, data)
		}
		if signed, err := readBytes(data, 1000, cas); err == nil && len(signed) != len(lists) {
			t.Error("a list is read only when its signature is checked")
		}
	})
}
