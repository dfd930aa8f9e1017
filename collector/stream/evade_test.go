package stream

import (
	"strings"
	"testing"

	"tenantrace/bpf"
	"tenantrace/collector/event"
)

// Who may open a connection decides how its first bytes are cut: that must not hide what follows.
func TestFirstBytesInSmallPieces(t *testing.T) {
	for first := 1; first <= 6; first++ {
		b := newBench(t, 0)
		for i := range first {
			b.tls(7, 1, bpf.TracerTlsFlagsTLS_SERVER, inward, uint64(i), request[i:i+1])
		}
		b.tls(7, 1, bpf.TracerTlsFlagsTLS_SERVER, inward, uint64(first), request[first:])
		b.expect("ConnectionOpened 1 server tls=true late=false", "HTTPRequest 1 /a")
	}
}

func TestStartupInSmallPieces(t *testing.T) {
	b := newBench(t, 0)
	s := startup()
	b.tls(7, 1, 0, out, 0, s[:4])
	b.tls(7, 1, 0, out, 4, s[4:])
	b.expect("ConnectionOpened 1 client tls=true late=false", "SessionStarted")
}

func TestServerIsNeverGivenUp(t *testing.T) {
	b := newBench(t, 0)
	offset := uint64(0)
	for range 5 * sniffTries {
		b.tls(7, 1, bpf.TracerTlsFlagsTLS_SERVER, inward, offset, "nonsense, a line of it\r\n\r\n")
		offset += 26
	}
	b.tls(7, 1, bpf.TracerTlsFlagsTLS_SERVER, inward, offset, request)
	b.expect("ConnectionOpened 1 server tls=true late=false", "HTTPRequest 1", "HTTPResponseEnd 1 0 desync", "HTTPRequest 1 /a")
}

// A daemon that starts while a long result is being read must still see the next query.
func TestLateSessionInTheMiddleOfALongResult(t *testing.T) {
	b := newBench(t, 0)
	const chunk = "rows rows rows rows"
	for i := range 10 * sniffTries {
		b.tls(7, 1, 0, inward, uint64(i*len(chunk)), chunk)
	}
	b.tls(7, 1, 0, out, 0, "Q\x00\x00\x00\rSELECT 1\x00")
	b.expect("ConnectionOpened 1 client tls=true late=true", "SessionStarted", "Statement 1 SELECT 1")
}

func TestSocketOfAConnectionChanges(t *testing.T) {
	b := newBench(t, 0)
	b.tls(7, 1, bpf.TracerTlsFlagsTLS_SERVER, inward, 0, request)
	rec := &bpf.TracerTlsDataRecord{Ssl: 7, Socket: bpf.TracerSocketId{Sk: 9, Inode: 9}, Flags: uint32(bpf.TracerTlsFlagsTLS_SERVER),
		Direction: out, Length: uint32(len(response) + 10)}
	rec.Random[0] = 1
	b.TLSData(head, rec, []byte(response))
	b.events = nil
	b.SocketClosed(head, one) // of a socket that is not its own any more
	b.expect()
	b.SocketClosed(head, rec.Socket)
	b.expect("ConnectionClosed 1")
	if len(b.bySocket) != 0 {
		t.Errorf("%d sockets are left", len(b.bySocket))
	}
}

// A unix socket's end is not announced: the client's own goodbye must be enough.
func TestTerminatedSessionIsForgotten(t *testing.T) {
	b := newBench(t, 0)
	b.plain(bpf.TracerSocketClassCLASS_POSTGRESQL, out, 0, startup(), 0)
	b.events = nil
	b.plain(bpf.TracerSocketClassCLASS_POSTGRESQL, out, uint64(len(startup())), "X\x00\x00\x00\x04", 0)
	b.expect("ConnectionClosed 1")
	if b.Len() != 0 {
		t.Errorf("%d connections left", b.Len())
	}
}

// Sessions whose server is not known share nothing: a table's number means something else on another server.
func TestCatalogIsOfOneKnownServerOfOneProcess(t *testing.T) {
	b := newBench(t, 0)
	if first, second := b.catalog(1, ""), b.catalog(1, ""); first == second {
		t.Error("two unknown servers share a catalog")
	}
	if first, second := b.catalog(1, "127.0.0.1:5432"), b.catalog(1, "127.0.0.1:5432"); first != second {
		t.Error("one server has two catalogs")
	}
	if b.catalog(1, "127.0.0.1:5432") == b.catalog(2, "127.0.0.1:5432") {
		t.Error("two processes, perhaps in two network namespaces, share a catalog")
	}
	b.ProcessExited(event.Header{PID: 1})
	if len(b.catalogs) != 1 {
		t.Errorf("%d catalogs are left, want that of the other process", len(b.catalogs))
	}
}

// A client's bytes that are no HTTP/1 may ask for anything: the correlator must know that somebody is being served.
func TestClientThatIsNotUnderstood(t *testing.T) {
	preface := "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	b := newBench(t, 0)
	b.tls(7, 1, bpf.TracerTlsFlagsTLS_SERVER, inward, 0, preface)
	b.tls(7, 1, bpf.TracerTlsFlagsTLS_SERVER, inward, uint64(len(preface)), strings.Repeat("frame", 20))
	b.tls(7, 1, bpf.TracerTlsFlagsTLS_SERVER, inward, uint64(len(preface))+100, strings.Repeat("frame", 20))
	var unread []*event.HTTPRequest
	for _, e := range b.events {
		if r, ok := e.(*event.HTTPRequest); ok {
			unread = append(unread, r)
		}
	}
	if len(unread) != 1 || unread[0].Seq != 0 || unread[0].TID != 0 || unread[0].Conn != 1 {
		t.Fatalf("requests %+v, want one of no thread with the number 0", unread)
	}
	if unread[0].Version != "2" {
		t.Errorf("version %q, want that of its preface", unread[0].Version)
	}
	b.expect("ConnectionOpened 1 server tls=true late=false", "HTTPRequest 1")
	// A connection that was joined in the middle of a body is understood later.
	b.tls(7, 1, bpf.TracerTlsFlagsTLS_SERVER, inward, uint64(len(preface))+200, request)
	b.expect("HTTPResponseEnd 1 0 desync", "HTTPRequest 1 /a")
}

// The version is told by the very first bytes alone, however they are split.
func TestVersionThatIsNotUnderstood(t *testing.T) {
	const whole = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	for _, tc := range []struct {
		pieces  []string
		version string
	}{
		{[]string{whole + strings.Repeat("frame", 20)}, "2"},
		{[]string{"PRI * HTT", "P/2.0\r\n\r\nSM\r\n\r\n" + strings.Repeat("frame", 20)}, "2"},
		{[]string{whole, strings.Repeat("frame", 20)}, "2"},
		{[]string{strings.Repeat("frame", 20)}, ""},
		{[]string{"\x00" + whole + strings.Repeat("frame", 20)}, ""},
	} {
		b := newBench(t, 0)
		at := 0
		for _, p := range tc.pieces {
			b.tls(7, 1, bpf.TracerTlsFlagsTLS_SERVER, inward, uint64(at), p)
			at += len(p)
		}
		var told []string
		for _, e := range b.events {
			if r, ok := e.(*event.HTTPRequest); ok {
				told = append(told, r.Version)
			}
		}
		if len(told) != 1 || told[0] != tc.version {
			t.Errorf("%q: versions %q, want %q", tc.pieces, told, tc.version)
		}
	}
}

// A PostgreSQL server reads no requests of HTTP, whether its session was seen from its beginning or not.
func TestPostgreSQLServer(t *testing.T) {
	ready := "Z\x00\x00\x00\x05I"
	for _, first := range []string{startup(), "Q\x00\x00\x00\rSELECT 1\x00"} {
		b := newBench(t, 0)
		server := bpf.TracerTlsFlagsTLS_SERVER
		b.tls(7, 1, server, inward, 0, first)
		b.tls(7, 1, server, out, 0, "R\x00\x00\x00\x08\x00\x00\x00\x00"+ready)
		b.tls(7, 1, server, inward, uint64(len(first)), strings.Repeat("not looked at any more", 10))
		b.expect()
	}
}

// What a client says is not enough to be taken for one of a database.
func TestNobodyHidesBehindAStartupMessage(t *testing.T) {
	for _, answer := range []string{"HTTP/1.1 400 Bad Request\r\n\r\n", "", "?"} {
		b := newBench(t, 0)
		server, first := bpf.TracerTlsFlagsTLS_SERVER, startup()
		b.tls(7, 1, server, inward, 0, first)
		if answer != "" {
			b.tls(7, 1, server, out, 0, answer)
		} else { // the next that it reads is no message
			b.tls(7, 1, server, inward, uint64(len(first)), strings.Repeat("frame", 20))
		}
		b.expect("ConnectionOpened 1 server tls=true late=false", "HTTPRequest 1")
	}
	b := newBench(t, 0)
	b.tls(7, 1, bpf.TracerTlsFlagsTLS_SERVER, inward, 0, startup())
	b.tls(7, 1, bpf.TracerTlsFlagsTLS_SERVER, inward, uint64(len(startup())), request)
	b.expect("ConnectionOpened 1 server tls=true late=false", "HTTPRequest 1 /a")
}
