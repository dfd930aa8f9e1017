package identity

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"net"
	"reflect"
	"slices"
	"testing"

	"tenantrace/collector/event"
)

const (
	utf8UPN = "\xa0\x1e\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x03\xa0\x10\x0c\x0esvc@acme.examp" // otherName, UTF8String
	idSAN   = "\x06\x03\x55\x1d\x11"
)

// withExtensions replaces the extensions of a TBSCertificate; each is the content of its SEQUENCE.
func withExtensions(t testing.TB, tbs []byte, extensions ...string) []byte {
	t.Helper()
	var list []byte
	for _, ext := range extensions {
		list = appendElement(list, tagSequence, []byte(ext))
	}
	out := rebuild(t, tbs, func(_ int, e element) []byte {
		if e.tag == tagExtensions {
			return nil
		}
		return e.raw
	})
	whole, _, err := next(out)
	if err != nil {
		t.Fatal(err)
	}
	return appendElement(nil, tagSequence, whole.body, appendElement(nil, tagExtensions, appendElement(nil, tagSequence, list)))
}

// san is the content of a subjectAltName extension with GeneralNames.
func san(names ...string) string {
	var all []byte
	for _, n := range names {
		all = append(all, n...)
	}
	return idSAN + string(appendElement(nil, tagOctetString, appendElement(nil, tagSequence, all)))
}

func private(last byte, value []byte) string {
	return "\x06\x09\x2b\x06\x01\x04\x01\x86\x8d\x1f" + string(last) + string(appendElement(nil, tagOctetString, value))
}

// TestOdd reads certificates that OpenSSL does not make: each names what is malformed, what could not be read, and what is read all the same.
func TestOdd(t *testing.T) {
	base, signature := parts(t, sign(t, template(encodeName(t, []pair{{oidO, tagUTF8String, "acme"}})), p256(t)))
	dns := func(s string) string { return string(appendElement(nil, tagDNSName, []byte(s))) }
	uri := func(s string) string { return string(appendElement(nil, tagURIName, []byte(s))) }
	withVersion := func(tbs []byte, version ...byte) []byte {
		return rebuild(t, tbs, func(i int, e element) []byte {
			if i == 0 {
				return version
			}
			return e.raw
		})
	}
	withSerial := func(tbs []byte, serial string) []byte {
		return rebuild(t, tbs, func(i int, e element) []byte {
			if i == 1 {
				return []byte(serial)
			}
			return e.raw
		})
	}
	for _, tt := range []struct {
		name                  string
		tbs                   []byte
		malformed, unreadable []event.Part
		uris, dns             []string
		accepted              bool // by crypto/x509
	}{
		{"none", withExtensions(t, base, san(dns("a.example"), uri("urn:x"))), nil, nil, []string{"urn:x"}, []string{"a.example"}, true},
		{"URI that is none", withExtensions(t, base, san(uri("http://[x/%zz"), dns("a.example"))), []event.Part{event.PartAlternativeNames}, nil, []string{"http://[x/%zz"}, []string{"a.example"}, false},
		{"host of a URI", withExtensions(t, base, san(uri("spiffe://a..b/x"))), []event.Part{event.PartAlternativeNames}, nil, []string{"spiffe://a..b/x"}, nil, false},
		{"octets beyond ASCII", withExtensions(t, base, san(dns("a\xff\xfe.example"))), []event.Part{event.PartAlternativeNames}, nil, nil, []string{"a\ufffd\ufffd.example"}, false},
		{"address of 5 octets", withExtensions(t, base, san("\x87\x05abcde", dns("a.example"))), []event.Part{event.PartAlternativeNames}, nil, nil, []string{"a.example"}, false},
		{"names twice", withExtensions(t, base, san(dns("a.example")), san(dns("b.example"))), []event.Part{event.PartExtensions, event.PartAlternativeNames}, []event.Part{event.PartAlternativeNames}, nil, nil, false},
		{"names cut short", withExtensions(t, base, idSAN+"\x04\x06\x30\x04\x82\x09ab"), []event.Part{event.PartAlternativeNames}, []event.Part{event.PartAlternativeNames}, nil, nil, false},
		{"private extension twice", withExtensions(t, base, private(1, []byte("\x0c\x01a")), private(1, []byte("\x0c\x01b")), san(dns("a.example"))), []event.Part{event.PartExtensions}, nil, nil, []string{"a.example"}, false},
		{"broken list", withExtensions(t, base, san(dns("a.example")), "\x05\x00"), []event.Part{event.PartExtensions, event.PartAlternativeNames}, []event.Part{event.PartAlternativeNames, event.PartExtensions}, nil, nil, false},
		{"version 1 with extensions", withVersion(withExtensions(t, base, san(dns("a.example")))), []event.Part{event.PartVersion}, nil, nil, []string{"a.example"}, true},
		{"version 9", withVersion(withExtensions(t, base, san(dns("a.example"))), 0xa0, 3, 2, 1, 8), []event.Part{event.PartVersion}, nil, nil, []string{"a.example"}, false},
		{"long length", withSerial(withExtensions(t, base, san(dns("a.example"))), "\x02\x81\x02\x0a\xbc"), []event.Part{event.PartEncoding}, nil, nil, []string{"a.example"}, false},
		{"long length in the names", withExtensions(t, base, san("\x82\x81\x09a.example")), []event.Part{event.PartOther}, nil, nil, []string{"a.example"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			der, err := Assemble(tt.tbs, signature)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := x509.ParseCertificate(der); (err == nil) != tt.accepted {
				t.Errorf("crypto/x509 says: %v", err)
			}
			got, err := Parse(der)
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(got.Malformed)
			slices.Sort(got.Unreadable)
			slices.Sort(tt.malformed)
			slices.Sort(tt.unreadable)
			if !slices.Equal(got.Malformed, tt.malformed) || !slices.Equal(got.Unreadable, tt.unreadable) {
				t.Errorf("malformed %q, unreadable %q; want %q, %q", got.Malformed, got.Unreadable, tt.malformed, tt.unreadable)
			}
			if !slices.Equal(got.URIs, tt.uris) || !slices.Equal(got.DNSNames, tt.dns) {
				t.Errorf("URIs %q, DNS names %q; want %q, %q", got.URIs, got.DNSNames, tt.uris, tt.dns)
			}
			if got.SHA256 != hash(der) || got.Serial != "abc" || len(got.Subject) != 1 || got.Subject[0].Value != "acme" {
				t.Errorf("the rest is lost: %+v", got)
			}
		})
	}
}

// TestBrokenSubject holds that a name that cannot be read whole gives no attribute: half of it could pass for another name.
func TestBrokenSubject(t *testing.T) {
	tbs, signature := parts(t, sign(t, template(encodeName(t, []pair{{oidO, tagUTF8String, "acme"}})), p256(t)))
	name := encodeName(t, []pair{{oidO, tagUTF8String, "acme"}})
	whole, _, err := next(name)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParsePeer(replaceSubject(t, tbs, appendElement(nil, tagSequence, whole.body, []byte{tagSet, 2, tagSequence, 9})), signature)
	if err != nil || got.Subject != nil || !slices.Equal(got.Unreadable, []event.Part{event.PartSubject}) || !slices.Contains(got.Malformed, event.PartSubject) || len(got.Issuer) != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestOtherSources(t *testing.T) {
	uuid, err := hex.DecodeString("8f14e45fceea467fa0e64f1b7f1b2c3d")
	if err != nil {
		t.Fatal(err)
	}
	octets := appendElement(nil, tagOctetString, uuid)
	base, signature := parts(t, sign(t, &x509.Certificate{}, p256(t)))
	tbs := withExtensions(t, base,
		san(utf8UPN, "\xa0\x0c\x06\x03\x2a\x03\x04\xa0\x05\x02\x03abc", string(appendElement(nil, tagIPName, net.IPv4(192, 0, 2, 7).To4())), string(appendElement(nil, tagIPName, net.ParseIP("2001:db8::1")))),
		private(1, []byte("\x0c\x04acme")), private(2, uuid), private(3, octets), private(4, []byte("acme plain")), private(5, []byte("\x04\x04acme")),
		private(6, []byte("\x30\x03\x02\x01\x07")), private(7, []byte("\x0c\x06acme\x00b")), private(8, []byte("\x1e\x04\x00a\x20\xac")),
		private(9, bytes.Repeat([]byte("a"), maxTyped+1)), "\x06\x03\x55\x1d\x0e\x04\x03\x04\x01a")
	got, err := ParsePeer(tbs, signature)
	if err != nil || len(got.Malformed)+len(got.Unreadable) > 0 {
		t.Fatalf("%+v, %v", got, err)
	}
	const arc, canonical = "1.3.6.1.4.1.99999.", "8f14e45f-ceea-467f-a0e6-4f1b7f1b2c3d"
	if want := []event.Typed{{OID: "1.3.6.1.4.1.311.20.2.3", Value: "svc@acme.examp"}, {OID: "1.2.3.4"}}; !reflect.DeepEqual(got.OtherNames, want) {
		t.Errorf("other names %q, want %q", got.OtherNames, want)
	}
	if want := []string{"192.0.2.7", "2001:db8::1"}; !slices.Equal(got.IPs, want) {
		t.Errorf("addresses %q, want %q", got.IPs, want)
	}
	want := []event.Typed{{OID: arc + "1", Value: "acme"}, {OID: arc + "2", Value: canonical}, {OID: arc + "3", Value: canonical}, {OID: arc + "4", Value: "acme plain"},
		{OID: arc + "5", Value: "acme"}, {OID: arc + "6"}, {OID: arc + "7", Value: "acme\x00b"}, {OID: arc + "8", Value: "a€"}, {OID: arc + "9"}}
	if !reflect.DeepEqual(got.Extensions, want) {
		t.Errorf("extensions\n%q, want\n%q", got.Extensions, want)
	}
}

// TestLarge reads a certificate of 15 KB, with more private extensions than are kept.
func TestLarge(t *testing.T) {
	base, signature := parts(t, sign(t, &x509.Certificate{}, p256(t)))
	var extensions []string
	for i := range 100 {
		id, err := asn1.Marshal(asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, i})
		if err != nil {
			t.Fatal(err)
		}
		extensions = append(extensions, string(id)+string(appendElement(nil, tagOctetString, bytes.Repeat([]byte("a"), 138))))
	}
	tbs := withExtensions(t, base, append(extensions, san(string(appendElement(nil, tagDNSName, []byte("a.example")))))...)
	if len(tbs) < 15000 || len(tbs) > 16384 {
		t.Fatalf("%d bytes", len(tbs))
	}
	got, err := ParsePeer(tbs, signature)
	if err != nil || len(got.Malformed) > 0 || !slices.Equal(got.DNSNames, []string{"a.example"}) || len(got.Extensions) != maxExtensions || !slices.Equal(got.Unreadable, []event.Part{event.PartExtensions}) {
		t.Errorf("%+v, %v", got, err)
	}
}

// Bytes behind the signature, inside of the certificate, are no part of it, and a signature has whole octets (RFC 5280, section 4.1): crypto/x509 lets both pass.
func TestBytesBehindTheSignature(t *testing.T) {
	der := sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: "acme"}}, p256(t))
	outer, _, err := expect(der, tagSequence, "certificate")
	if err != nil {
		t.Fatal(err)
	}
	longer := appendElement(nil, tagSequence, outer.body, []byte{5, 0})
	tbs, signature := parts(t, der)
	algorithm, _, err := next(outer.body[len(tbs):])
	if err != nil {
		t.Fatal(err)
	}
	signature[len(signature)-1] &^= 1
	unused := appendElement(nil, tagSequence, tbs, algorithm.raw, appendElement(nil, tagBitString, []byte{1}, signature))
	for _, odd := range [][]byte{longer, unused} {
		if _, err := x509.ParseCertificate(odd); err != nil {
			t.Fatalf("crypto/x509 has come to refuse it: %v", err)
		}
	}
	for _, c := range []struct {
		name string
		der  []byte
		want []event.Part
	}{{"as it is", der, nil}, {"two bytes more", longer, []event.Part{event.PartEncoding}}, {"a bit less", unused, []event.Part{event.PartEncoding}}} {
		got, err := Parse(c.der)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Malformed, c.want) || event.DNString(got.Subject) != "CN=acme" {
			t.Errorf("%s: %q malformed %q, want %q", c.name, event.DNString(got.Subject), got.Malformed, c.want)
		}
	}
}
