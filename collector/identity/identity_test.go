package identity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"math"
	"math/big"
	"net/url"
	"reflect"
	"slices"
	"testing"
	"time"

	"tenantrace/collector/event"
)

// pair is an attribute to be encoded.
type pair struct {
	oid   asn1.ObjectIdentifier
	tag   int
	value string // its octets
}

var (
	oidCN = asn1.ObjectIdentifier{2, 5, 4, 3}
	oidO  = asn1.ObjectIdentifier{2, 5, 4, 10}
	oidOU = asn1.ObjectIdentifier{2, 5, 4, 11}
)

// encodeName makes the DER of a Name; each element is one RDN.
func encodeName(t testing.TB, rdns ...[]pair) []byte {
	t.Helper()
	var body []byte
	for _, rdn := range rdns {
		var set []byte
		for _, p := range rdn {
			oid, err := asn1.Marshal(p.oid)
			if err != nil {
				t.Fatal(err)
			}
			set = appendElement(set, tagSequence, oid, appendElement(nil, byte(p.tag), []byte(p.value)))
		}
		body = appendElement(body, tagSet, set)
	}
	return appendElement(nil, tagSequence, body)
}

// sign makes a self-signed certificate.
func sign(t testing.TB, template *x509.Certificate, key crypto.Signer) []byte {
	t.Helper()
	if template.SerialNumber == nil {
		template.SerialNumber = big.NewInt(0x0abc)
	}
	if template.NotAfter.IsZero() {
		template.NotBefore = time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)
		template.NotAfter = time.Date(2049, 12, 31, 23, 59, 59, 0, time.UTC)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func p256(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func keys(t testing.TB) map[string]crypto.Signer {
	t.Helper()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]crypto.Signer{"rsa": rsaKey, "p256": p256(t), "ed25519": edKey}
}

func hash(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

// parts gives the two things that are read out of an X509 structure.
func parts(t testing.TB, der []byte) (tbs, signature []byte) {
	t.Helper()
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert.RawTBSCertificate, cert.Signature
}

func TestParse(t *testing.T) {
	spiffe, err := url.Parse("spiffe://prod.example/tenant/acme/svc/api")
	if err != nil {
		t.Fatal(err)
	}
	for kind, key := range keys(t) {
		t.Run(kind, func(t *testing.T) {
			der := sign(t, &x509.Certificate{
				Subject: pkix.Name{CommonName: "api", Organization: []string{"acme"}, OrganizationalUnit: []string{"tenant-acme", "b"}, Country: []string{"DE"},
					Locality: []string{"l"}, Province: []string{"p"}, StreetAddress: []string{"s"}, SerialNumber: "7",
					ExtraNames: []pkix.AttributeTypeAndValue{
						{Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}, Value: "a@acme.example"},
						{Type: asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 25}, Value: "example"},
						{Type: asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 1}, Value: "u"},
						{Type: asn1.ObjectIdentifier{2, 5, 4, 97}, Value: "PSDDE-BAFIN-1"},
						{Type: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}, Value: "x"},
					}},
				URIs: []*url.URL{spiffe}, DNSNames: []string{"a.example", "b.example"}, EmailAddresses: []string{"svc@acme.example"},
			}, key)
			// crypto/x509 puts several OU into one RDN, a SET, which DER sorts: the shorter one comes first.
			name := []event.Attribute{{Type: "C", Value: "DE"}, {Type: "ST", Value: "p"}, {Type: "L", Value: "l"}, {Type: "STREET", Value: "s"},
				{Type: "O", Value: "acme"}, {Type: "OU", Value: "b"}, {Type: "OU", Value: "tenant-acme"}, {Type: "CN", Value: "api"},
				{Type: "SERIALNUMBER", Value: "7"}, {Type: "1.2.840.113549.1.9.1", Value: "a@acme.example"}, {Type: "DC", Value: "example"},
				{Type: "UID", Value: "u"}, {Type: "2.5.4.97", Value: "PSDDE-BAFIN-1"}, {Type: "1.3.6.1.4.1.99999.1", Value: "x"}}
			want := &event.Certificate{
				SHA256: hash(der), Serial: "abc", Subject: name, Issuer: name,
				NotBefore: time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC).UnixNano(), NotAfter: time.Date(2049, 12, 31, 23, 59, 59, 0, time.UTC).UnixNano(),
				URIs: []string{"spiffe://prod.example/tenant/acme/svc/api"}, DNSNames: []string{"a.example", "b.example"}, Emails: []string{"svc@acme.example"},
			}
			got, err := Parse(der)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got\n%+v\nwant\n%+v", got, want)
			}

			tbs, signature := parts(t, der)
			rebuilt, err := Assemble(tbs, signature)
			if err != nil || hash(rebuilt) != hash(der) {
				t.Errorf("rebuilt certificate differs: %x (error %v)", rebuilt, err)
			}
			peer, err := ParsePeer(tbs, signature)
			if err != nil || peer.SHA256 != want.SHA256 {
				t.Errorf("ParsePeer: %+v, %v", peer, err)
			}
			bare, err := ParseTBS(tbs)
			if err != nil || bare.SHA256 != "" || bare.Serial != "abc" || len(bare.Subject) != len(name) {
				t.Errorf("ParseTBS: %+v, %v", bare, err)
			}
		})
	}
}

func TestNames(t *testing.T) {
	tests := []struct {
		name string
		rdns [][]pair
		want []event.Attribute
		odd  bool // crypto/x509 refuses it: to be marked
	}{
		{"order and repetition", [][]pair{{{oidCN, 12, "a"}}, {{oidOU, 12, "x"}}, {{oidCN, 12, "b"}}, {{oidOU, 19, "y"}}}, []event.Attribute{{Type: "CN", Value: "a"}, {Type: "OU", Value: "x"}, {Type: "CN", Value: "b"}, {Type: "OU", Value: "y"}}, false},
		{"multi-valued", [][]pair{{{oidCN, 12, "a"}, {oidO, 12, "acme"}}}, []event.Attribute{{Type: "CN", Value: "a"}, {Type: "O", Value: "acme"}}, false},
		{"NUL", [][]pair{{{oidCN, 12, "acme\x00.evil"}}}, []event.Attribute{{Type: "CN", Value: "acme\x00.evil"}}, false},
		{"BMPString", [][]pair{{{oidCN, 30, "\x00a\x00\x00\x20\xac\x00b"}}}, []event.Attribute{{Type: "CN", Value: "a\x00€b"}}, false},
		{"BMPString with surrogates", [][]pair{{{oidCN, 30, "\x00a\xd8\x3d\xde\x00\xd8\x3d"}}}, []event.Attribute{{Type: "CN", Value: "a😀\ufffd"}}, true},
		{"BMPString of odd length", [][]pair{{{oidCN, 30, "\x00a\x00"}}}, []event.Attribute{{Type: "CN", Value: "#1e03006100"}}, true},
		{"TeletexString", [][]pair{{{oidO, 20, "M\xfcller"}}}, []event.Attribute{{Type: "O", Value: "Müller"}}, false},
		{"UniversalString", [][]pair{{{oidO, 28, "\x00\x00\x00a\x00\x01\xf6\x00\x7f\x00\x00\x00"}}}, []event.Attribute{{Type: "O", Value: "a😀\ufffd"}}, true},
		{"IA5String", [][]pair{{{oidO, 22, "a@b"}}}, []event.Attribute{{Type: "O", Value: "a@b"}}, false},
		{"PrintableString with Latin-1", [][]pair{{{oidO, 19, "\xfc"}}}, []event.Attribute{{Type: "O", Value: "ü"}}, true},
		{"UTF8String that is none", [][]pair{{{oidO, 12, "a\xff"}}}, []event.Attribute{{Type: "O", Value: "a\ufffd"}}, true},
		{"another type", [][]pair{{{oidO, 2, "\x07"}}}, []event.Attribute{{Type: "O", Value: "#020107"}}, true},
		{"none", nil, nil, false},
	}
	key := p256(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			raw := encodeName(t, tt.rdns...)
			template := &x509.Certificate{RawSubject: raw}
			if tt.odd { // CreateCertificate would refuse it as well
				template.RawSubject = encodeName(t, []pair{{oidCN, 12, "placeholder"}})
			}
			der := sign(t, template, key)
			tbs, signature := parts(t, der)
			if tt.odd {
				tbs = replaceSubject(t, tbs, raw)
			}
			got, err := ParsePeer(tbs, signature)
			if err != nil || slices.Contains(got.Malformed, event.PartSubject) != tt.odd || len(got.Unreadable) > 0 {
				t.Fatalf("got %+v, error %v", got, err)
			}
			if !reflect.DeepEqual(got.Subject, tt.want) {
				t.Errorf("got %q, want %q", got.Subject, tt.want)
			}
			if got.SHA256 == "" || got.Serial != "abc" || got.NotAfter == 0 {
				t.Errorf("incomplete: %+v", got)
			}
		})
	}
}

// replaceSubject rebuilds a TBSCertificate with another subject.
func replaceSubject(t testing.TB, tbs, subject []byte) []byte {
	t.Helper()
	return rebuild(t, tbs, func(i int, e element) []byte {
		if i == 5 {
			return subject
		}
		return e.raw
	})
}

// rebuild replaces fields of a version 3 TBSCertificate: 0 version, 1 serialNumber, 2 signature, 3 issuer, 4 validity, 5 subject, 6 key.
func rebuild(t testing.TB, tbs []byte, with func(i int, e element) []byte) []byte {
	t.Helper()
	outer, _, err := next(tbs)
	if err != nil {
		t.Fatal(err)
	}
	var body []byte
	for i, in := 0, outer.body; len(in) > 0; i++ {
		var e element
		if e, in, err = next(in); err != nil {
			t.Fatal(err)
		}
		body = append(body, with(i, e)...)
	}
	return appendElement(nil, tagSequence, body)
}

func TestSerials(t *testing.T) {
	tbs, signature := parts(t, sign(t, &x509.Certificate{}, p256(t)))
	tests := []struct {
		octets, want string
		refused      bool
	}{
		{"\x00", "0", false},
		{"\x0f", "f", false},
		{"\x00\x80", "80", false},
		{"\x01\x00\x00", "10000", false},
		{"\x80", "-80", true},
		{"\xff", "-1", true},
		{"", "0", true},
		{"\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "7fffffffffffffffffffffffffffffffffffffffffffffff", false},
	}
	for _, tt := range tests {
		odd := rebuild(t, tbs, func(i int, e element) []byte {
			if i == 1 {
				return appendElement(nil, tagInteger, []byte(tt.octets))
			}
			return e.raw
		})
		got, err := ParsePeer(odd, signature)
		if err != nil || got.Serial != tt.want || slices.Contains(got.Malformed, event.PartSerial) != tt.refused || len(got.Unreadable) > 0 {
			t.Errorf("serial %x: %+v, %v, want %q", tt.octets, got, err, tt.want)
		}
	}
}

func TestValidity(t *testing.T) {
	tbs, signature := parts(t, sign(t, &x509.Certificate{}, p256(t)))
	day := func(y int) int64 { return time.Date(y, 6, 7, 8, 9, 10, 0, time.UTC).UnixNano() }
	tests := []struct {
		from, to            string
		notBefore, notAfter int64
		refused             bool
	}{
		{"\x17\x0d500607080910Z", "\x17\x0d490607080910Z", day(1950), day(2049), false},
		{"\x17\x0d680607080910Z", "\x17\x0d690607080910Z", day(1968), day(1969), false},
		{"\x17\x0d990607080910Z", "\x18\x0f20500607080910Z", day(1999), day(2050), false},
		{"\x18\x0f16000101000000Z", "\x18\x0f99991231235959Z", math.MinInt64, math.MaxInt64, false},
		{"\x17\x0b2406070809Z", "\x17\x114906071009" + "10+0200", time.Date(2024, 6, 7, 8, 9, 0, 0, time.UTC).UnixNano(), day(2049), false},
		{"\x17\x0d24a607080910Z", "\x17\x0d490607080910Z", math.MinInt64, math.MaxInt64, true},
		{"\x17\x0d240607080910Z", "\x04\x01x", math.MinInt64, math.MaxInt64, true},
	}
	for _, tt := range tests {
		odd := rebuild(t, tbs, func(i int, e element) []byte {
			if i == 4 {
				return appendElement(nil, tagSequence, []byte(tt.from), []byte(tt.to))
			}
			return e.raw
		})
		got, err := ParsePeer(odd, signature)
		if err != nil || got.NotBefore != tt.notBefore || got.NotAfter != tt.notAfter ||
			slices.Contains(got.Unreadable, event.PartValidity) != tt.refused || slices.Contains(got.Malformed, event.PartValidity) != tt.refused {
			t.Errorf("%q to %q: %+v, %v", tt.from, tt.to, got, err)
		}
	}
}

func TestBroken(t *testing.T) {
	der := sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: "a"}, DNSNames: []string{"a.example"}}, p256(t))
	for _, in := range [][]byte{nil, {0x30}, {0x30, 0x80}, {0x30, 0x84, 0xff, 0xff, 0xff, 0xff}, {0x1f, 0x81, 0x00}, []byte("-----BEGIN CERTIFICATE-----"), make([]byte, maxSize+1)} {
		if cert, err := Parse(in); cert != nil || err == nil {
			t.Errorf("Parse(%.20x) = %+v, %v", in, cert, err)
		}
	}
	trailing, err := Parse(append(append([]byte{}, der...), 0))
	if err != nil || trailing.SHA256 != hash(der) || !slices.Equal(trailing.Malformed, []event.Part{event.PartEncoding}) {
		t.Errorf("trailing byte: %+v, %v", trailing, err)
	}
	tbs, signature := parts(t, der)
	outer, _, err := next(tbs)
	if err != nil {
		t.Fatal(err)
	}
	for n := range outer.body { // a TBSCertificate whose fields end early; extensions are optional
		cert, err := ParsePeer(appendElement(nil, tagSequence, outer.body[:n]), signature)
		if err == nil && len(cert.Malformed) == 0 && outer.body[n] != tagExtensions {
			t.Fatalf("%d of %d bytes are accepted: %+v", n, len(outer.body), cert)
		}
	}
	for _, in := range [][]byte{nil, {0x30, 0x00}, append(append([]byte{}, tbs...), 0), make([]byte, maxSize)} {
		if _, err := Assemble(in, signature); err == nil {
			t.Errorf("Assemble(%.20x) is accepted", in)
		}
	}
}

func TestDNString(t *testing.T) {
	tests := []struct {
		in   []event.Attribute
		want string
	}{
		{nil, ""},
		{[]event.Attribute{{Type: "C", Value: "DE"}, {Type: "O", Value: "Acme, Inc."}, {Type: "CN", Value: "a"}}, `CN=a,O=Acme\, Inc.,C=DE`},
		{[]event.Attribute{{Type: "CN", Value: "a,O=evil"}}, `CN=a\,O=evil`},
		{[]event.Attribute{{Type: "CN", Value: " #a\\\"+;<> "}}, `CN=\ #a\\\"\+\;\<\>\ `},
		{[]event.Attribute{{Type: "CN", Value: "#1"}}, `CN=\#1`},
		{[]event.Attribute{{Type: "CN", Value: " "}}, `CN=\ `},
		{[]event.Attribute{{Type: "CN", Value: "a\x00b\nü"}}, `CN=a\00b\0Aü`},
		{[]event.Attribute{{Type: "2.5.4.97", Value: "x"}, {Type: "CN", Value: ""}}, `CN=,2.5.4.97=x`},
	}
	for _, tt := range tests {
		if got := event.DNString(tt.in); got != tt.want {
			t.Errorf("DNString(%q) = %s, want %s", tt.in, got, tt.want)
		}
	}
}

func TestDotted(t *testing.T) {
	for in, want := range map[string]string{
		"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01": "1.2.840.113549.1.9.1",
		"\x00":                                 "0.0",
		"\x27":                                 "0.39",
		"\x28":                                 "1.0",
		"\x88\x37":                             "2.999",
		"\x69\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f": "2.25.151115727451828646838271",
		"":         "#",
		"\x2a\x86": "#2a86",
	} {
		if got := dotted([]byte(in)); got != want {
			t.Errorf("dotted(%x) = %s, want %s", in, got, want)
		}
	}
}
