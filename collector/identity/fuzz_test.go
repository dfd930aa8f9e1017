package identity

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"net/url"
	"reflect"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"tenantrace/collector/event"
)

func template(subject []byte) *x509.Certificate { return &x509.Certificate{RawSubject: subject} }

func seeds(f *testing.F) [][]byte {
	key := p256(f)
	uri := &url.URL{Scheme: "spiffe", Host: "td", Path: "/tenant/acme"}
	return [][]byte{
		sign(f, &x509.Certificate{}, key),
		sign(f, &x509.Certificate{Subject: pkix.Name{CommonName: "a", Organization: []string{"acme", "b"}}, URIs: []*url.URL{uri}, DNSNames: []string{"d"}, EmailAddresses: []string{"a@b"}}, key),
		sign(f, template(encodeName(f, []pair{{oidCN, tagBMPString, "\x00a\x00\x00"}, {oidOU, tagTeletexString, "\xfc"}}, []pair{{oidO, tagUTF8String, "a\x00b"}})), key),
		sources(f),
		{0x30, 0x80}, {0x30, 0x84, 0xff, 0xff, 0xff, 0xff}, nil,
	}
}

// sources is a certificate with names of other types, addresses and private extensions.
func sources(f *testing.F) []byte {
	base, signature := parts(f, sign(f, &x509.Certificate{}, p256(f)))
	der, err := Assemble(withExtensions(f, base, san(utf8UPN, "\x87\x04abcd"), private(1, []byte("\x0c\x01a")), private(2, bytes.Repeat([]byte{0xfe}, 16))), signature)
	if err != nil {
		f.Fatal(err)
	}
	return der
}

// check holds for every certificate that is returned.
func check(t *testing.T, cert *event.Certificate, size int) {
	t.Helper()
	total := len(cert.Serial)
	for _, list := range [][]event.Attribute{cert.Subject, cert.Issuer} {
		for _, a := range list {
			total += len(a.Value)
			if a.Type == "" || !utf8.ValidString(a.Value) {
				t.Fatalf("attribute %q", a)
			}
		}
	}
	for _, typed := range slices.Concat(cert.OtherNames, cert.Extensions) {
		if typed.OID == "" || len(typed.Value) > maxTyped || !utf8.ValidString(typed.Value) {
			t.Fatalf("value %q", typed)
		}
	}
	unreadable := func(p event.Part) bool { return slices.Contains(cert.Unreadable, p) }
	if unreadable(event.PartSubject) && cert.Subject != nil || unreadable(event.PartAlternativeNames) && len(cert.URIs)+len(cert.DNSNames)+len(cert.OtherNames) > 0 {
		t.Fatalf("it is not readable, but read: %+v", cert)
	}
	for _, list := range [][]string{cert.URIs, cert.DNSNames, cert.Emails} {
		for _, s := range list {
			total += len(s)
			if !utf8.ValidString(s) {
				t.Fatalf("name %q", s)
			}
		}
	}
	if total > 4*size+16 { // an invalid byte becomes three, an unknown type two
		t.Fatalf("%d bytes of text from %d", total, size)
	}
	event.DNString(cert.Subject)
}

func FuzzParse(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		got, err := Parse(der)
		if got == nil {
			if err == nil {
				t.Fatal("neither certificate nor error")
			}
			return
		}
		check(t, got, len(der))
		want, err := x509.ParseCertificate(der)
		if err != nil {
			if len(got.Malformed) == 0 {
				t.Errorf("not marked, but crypto/x509 says: %v", err)
			}
			return
		}
		if slices.Contains(got.Malformed, event.PartVersion) || len(got.Unreadable) > 0 { // what crypto/x509 does not look at
			return
		}
		if got.SHA256 != hash(der) || got.Serial != want.SerialNumber.Text(16) {
			t.Errorf("got %+v", got)
		}
		if clamped(want.NotBefore) != got.NotBefore || clamped(want.NotAfter) != got.NotAfter {
			t.Errorf("valid %d to %d, want %s to %s", got.NotBefore, got.NotAfter, want.NotBefore, want.NotAfter)
		}
		if !reflect.DeepEqual(got.DNSNames, want.DNSNames) || !reflect.DeepEqual(got.Emails, want.EmailAddresses) || len(got.URIs) != len(want.URIs) {
			t.Errorf("got %+v, want %q %q %q", got, want.DNSNames, want.EmailAddresses, want.URIs)
		}
		if len(got.IPs) != len(want.IPAddresses) {
			t.Errorf("got %q, want %q", got.IPs, want.IPAddresses)
		}
		if len(got.Subject) != len(want.Subject.Names) || len(got.Issuer) != len(want.Issuer.Names) {
			t.Errorf("got %q and %q, want %q and %q", got.Subject, got.Issuer, want.Subject.Names, want.Issuer.Names)
		}
		rebuilt, err := Assemble(want.RawTBSCertificate, want.Signature)
		whole := len(want.Signature) > 0 && !slices.Contains(got.Malformed, event.PartEncoding) // else there are bytes that are no part of it
		if err != nil || whole && !bytes.Equal(rebuilt, der) {
			t.Errorf("rebuilt as %x, error %v", rebuilt, err)
		}
	})
}

func clamped(t time.Time) int64 {
	switch {
	case t.Year() > 2261:
		return 1<<63 - 1
	case t.Year() < 1678:
		return -1 << 63
	}
	return t.UnixNano()
}

func FuzzAssemble(f *testing.F) {
	for _, s := range seeds(f) {
		if cert, err := x509.ParseCertificate(s); err == nil {
			f.Add(cert.RawTBSCertificate, cert.Signature)
			f.Add(cert.RawTBSCertificate, []byte{})
		}
	}
	f.Fuzz(func(t *testing.T, tbs, signature []byte) {
		der, err := Assemble(tbs, signature)
		if err != nil {
			return
		}
		outer, rest, err := next(der)
		if err != nil || len(rest) > 0 {
			t.Fatalf("rebuilt as %x: %v", der, err)
		}
		inner, rest, err := next(outer.body)
		if err != nil || !bytes.Equal(inner.raw, tbs) {
			t.Fatalf("rebuilt as %x: %v", der, err)
		}
		if _, rest, err = next(rest); err != nil {
			t.Fatal(err)
		}
		bits, rest, err := next(rest)
		if err != nil || len(rest) > 0 || len(signature) > 0 && !bytes.Equal(bits.body[1:], signature) {
			t.Fatalf("rebuilt as %x: %v", der, err)
		}
		cert, err := ParsePeer(tbs, signature)
		if cert == nil {
			t.Fatalf("it can be rebuilt, but not read: %v", err)
		}
		if (cert.SHA256 == "") != (len(signature) == 0) {
			t.Fatalf("hash %q", cert.SHA256)
		}
		check(t, cert, len(tbs))
	})
}

func BenchmarkParsePeer(b *testing.B) {
	der := sign(b, &x509.Certificate{Subject: pkix.Name{CommonName: "api", Organization: []string{"acme"}}, DNSNames: []string{"a.example"}}, p256(b))
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParsePeer(cert.RawTBSCertificate, cert.Signature); err != nil {
			b.Fatal(err)
		}
	}
}
