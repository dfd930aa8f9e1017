package stream

import (
	"crypto/ed25519"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"

	"tenantrace/bpf"
	"tenantrace/collector/event"
)

// tbs gives the TBSCertificate of a client.
func tbs(t *testing.T) []byte {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "client"}}
	der, err := x509.CreateCertificate(nil, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate.RawTBSCertificate
}

// identity hands over what was read of a peer.
func (b *bench) identity(peer []byte, ssl uint64, random byte, result int64) {
	rec := &bpf.TracerTlsIdentityRecord{Ssl: ssl, Socket: one, VerifyResult: result, VerifyMode: 1, Version: 0x0303,
		Flags: uint32(bpf.TracerTlsFlagsTLS_SERVER | bpf.TracerTlsFlagsTLS_HAS_PEER), Length: uint32(len(peer))}
	rec.Random[0] = random
	b.Identity(head, rec, peer)
}

// results gives the verification results of the identities told since the last call, and forgets the events.
func (b *bench) results() (all []int64) {
	for _, e := range b.events {
		if id, ok := e.(*event.Identity); ok {
			if id.Certificate == nil {
				b.t.Fatalf("the certificate was not read: %s", id.Error)
			}
			all = append(all, id.VerifyResult)
		}
	}
	b.events = nil
	return all
}

// A server that asks for a certificate when it has read the request (RFC 5246, section 7.4.1.1): the request is answered on the same connection.
func TestRenegotiationInTheMiddleOfARequest(t *testing.T) {
	b := newBench(t, 0)
	b.tls(7, 1, bpf.TracerTlsFlagsTLS_SERVER, inward, 0, request)
	b.identity(tbs(t), 7, 2, 0)
	b.tls(7, 2, bpf.TracerTlsFlagsTLS_SERVER, out, 0, response+"0123456789")
	b.tls(7, 2, bpf.TracerTlsFlagsTLS_SERVER, inward, 0, request)
	b.expect("ConnectionOpened 1 server tls=true late=false", "HTTPRequest 1 /a", "Identity 1 ssl", "HTTPResponse 1 200", "HTTPResponseEnd 1 10",
		"HTTPRequest 1 /a")
	// The kernel's new count still shows the size of what is lost: the body of this response.
	b.tls(7, 2, bpf.TracerTlsFlagsTLS_SERVER, out, uint64(len(response)+10), response)
	b.tls(7, 2, bpf.TracerTlsFlagsTLS_SERVER, inward, uint64(len(request)), request)
	b.tls(7, 2, bpf.TracerTlsFlagsTLS_SERVER, out, 2*uint64(len(response)+10), response)
	b.expect("HTTPResponse 1 200", "HTTPRequest 1 /a", "HTTPResponseEnd 1 10", "HTTPResponse 1 200")
}

func TestSameObjectWithoutASocketIsAnotherConnection(t *testing.T) {
	b := newBench(t, 0)
	none := bpf.TracerSocketId{}
	b.tlsOn(none, 7, 1, bpf.TracerTlsFlagsTLS_SERVER, inward, 0, request)
	b.tlsOn(none, 7, 2, bpf.TracerTlsFlagsTLS_SERVER, inward, 0, request)
	b.expect("ConnectionOpened 1 server tls=true late=false", "HTTPRequest 1 /a", "HTTPResponseEnd 1 0 desync", "ConnectionClosed 1",
		"ConnectionOpened 2 server tls=true late=false", "HTTPRequest 2 /a")
}

// An application that overwrites the result of the verification makes nobody trustworthy.
func TestVerificationThatFailedStaysSo(t *testing.T) {
	b, peer := newBench(t, 0), tbs(t)
	b.identity(peer, 7, 1, 18)
	b.identity(peer, 7, 1, 0)
	b.identity(peer, 7, 1, 18)
	if got := b.results(); len(got) != 2 || got[0] != 18 || got[1] != 18 {
		t.Errorf("results %d, want 18 twice and nothing between", got)
	}
	b.Identity(head, &bpf.TracerTlsIdentityRecord{Ssl: 7, Socket: one, Random: [32]uint8{1}, Flags: uint32(bpf.TracerTlsFlagsTLS_SERVER | bpf.TracerTlsFlagsTLS_UNREADABLE)}, nil)
	b.events = nil
	b.identity(peer, 7, 1, 0)
	if got := b.results(); got != nil {
		t.Errorf("results %d after a moment in which nothing could be read, want none", got)
	}
	b.identity(peer, 7, 2, 0) // another handshake verified it
	if got := b.results(); len(got) != 1 || got[0] != 0 {
		t.Errorf("results %d after another handshake, want 0", got)
	}
}
