package stream

import (
	"testing"

	"tenantrace/bpf"
	"tenantrace/collector/event"
)

var none bpf.TracerSocketId

// The socket of a connection that is older than the tracing becomes known later: the address follows, and the end of the socket ends it.
func TestSocketFoundLater(t *testing.T) {
	b := newBench(t, 0)
	server := bpf.TracerTlsFlagsTLS_SERVER
	b.tlsOn(none, 7, 1, server, inward, 0, request)
	if b.Unfound(head.PID) != 1 {
		t.Errorf("%d connections of the process are sought, want 1", b.Unfound(head.PID))
	}
	b.expect("ConnectionOpened 1 server tls=true late=false", "HTTPRequest 1 /a")
	b.Socket(head, &bpf.TracerSocketRecord{Socket: one, Family: afInet, Remote: [16]uint8{127, 0, 0, 1}, RemotePort: 4000})
	b.tlsOn(one, 7, 1, server|bpf.TracerTlsFlagsTLS_SOCKET_BY_CIPHERTEXT, inward, uint64(len(request)), request)
	b.expect("ConnectionOpened 1 server tls=true late=false 127.0.0.1:4000", "HTTPRequest 1 /a")
	b.tlsOn(one, 7, 1, server|bpf.TracerTlsFlagsTLS_SOCKET_BY_CIPHERTEXT, out, 0, response+"0123456789")
	b.expect("HTTPResponse 1 200", "HTTPResponseEnd 1 10")
	b.SocketClosed(head, one)
	b.expect("HTTPResponseEnd 1 0 desync", "ConnectionClosed 1")
	if b.Found(RungCiphertext) != 1 || b.Found(RungNone) != 0 || b.Unfound(head.PID) != 0 || len(b.unfound) != 0 {
		t.Errorf("found %v, sought %v; want one by ciphertext and none sought", b.found, b.unfound)
	}
}

// What a socket that was not described is called is not known: it takes no address away.
func TestSocketWithoutDescription(t *testing.T) {
	b := newBench(t, 0)
	server := bpf.TracerTlsFlagsTLS_SERVER
	b.tlsOn(none, 7, 1, server, inward, 0, request)
	b.events = nil
	b.tlsOn(one, 7, 1, server, inward, uint64(len(request)), request)
	b.expect("HTTPRequest 1 /a")
}

func TestEachConnectionIsCountedOnce(t *testing.T) {
	b := newBench(t, 0)
	server := bpf.TracerTlsFlagsTLS_SERVER
	for i, flags := range []bpf.TracerTlsFlags{0, bpf.TracerTlsFlagsTLS_SOCKET_BY_RANDOM, bpf.TracerTlsFlagsTLS_SOCKET_BY_CIPHERTEXT} {
		id := bpf.TracerSocketId{Sk: uint64(i + 1), Inode: 1}
		for n := range 3 {
			b.tlsOn(id, uint64(i+1), 1, server|flags, inward, uint64(n*len(request)), request)
		}
	}
	b.tlsOn(none, 9, 1, server, inward, 0, request)
	b.plain(bpf.TracerSocketClassCLASS_HTTP, inward, 0, request, 0) // has no part in it
	b.Close(event.Header{Time: 9})
	if want := [Rungs]uint64{1, 1, 1, 1}; b.found != want {
		t.Errorf("found %v, want %v", b.found, want)
	}
}

// One whose socket cannot be found is not sought for ever, and does not keep the search of others up.
func TestSearchIsGivenUp(t *testing.T) {
	asked := 0
	b := newBench(t, 0)
	b.cfg.Seek = func(h event.Header) {
		if asked++; h.PID != head.PID {
			t.Errorf("sought in process %d, want %d", h.PID, head.PID)
		}
	}
	for i := range 2 * seekMax {
		b.tlsOn(none, 7, 1, bpf.TracerTlsFlagsTLS_SERVER, inward, uint64(i*len(request)), request)
	}
	if asked != seekMax-1 || b.Unfound(head.PID) != 0 {
		t.Errorf("asked %d times, %d are still sought; want %d and none", asked, b.Unfound(head.PID), seekMax-1)
	}
	b.TLSFreed(head, 7)
	if b.found[RungNone] != 1 || len(b.unfound) != 0 {
		t.Errorf("found %v, sought %v; want one without", b.found, b.unfound)
	}
}

func TestRungNames(t *testing.T) {
	for rung, want := range []string{"none", "nested", "client_random", "ciphertext"} {
		if got := Rung(rung).String(); got != want {
			t.Errorf("rung %d is called %q, want %q", rung, got, want)
		}
	}
}
