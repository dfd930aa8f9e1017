package stream

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"tenantrace/bpf"
	"tenantrace/collector/event"
)

// bench is a registry whose events are written down in short.
type bench struct {
	*Registry
	t      *testing.T
	events []event.Event
}

func newBench(t *testing.T, max int) *bench {
	b := &bench{t: t}
	b.Registry = New(Config{
		Emit:   func(e event.Event) { b.events = append(b.events, e) },
		Fields: func(name []byte) bool { return false },
		Wanted: func(column string) bool { return column == "tenant_id" },
		Max:    max,
	})
	return b
}

// short writes an event as one word and what tells it from others of its type.
func short(e event.Event) string {
	name := strings.TrimPrefix(reflect.TypeOf(e).String(), "*event.")
	switch e := e.(type) {
	case *event.ConnectionOpened:
		return fmt.Sprintf("%s %d %s tls=%v late=%v %s", name, e.Conn, e.Role, e.TLS, e.Late, e.Remote)
	case *event.ConnectionClosed:
		return fmt.Sprintf("%s %d", name, e.Conn)
	case *event.Identity:
		return fmt.Sprintf("%s %d %s", name, e.Conn, e.Source)
	case *event.HTTPRequest:
		return fmt.Sprintf("%s %d %s", name, e.Conn, e.Path)
	case *event.HTTPResponse:
		return fmt.Sprintf("%s %d %d", name, e.Conn, e.Status)
	case *event.HTTPResponseEnd:
		return fmt.Sprintf("%s %d %d %s", name, e.Conn, e.Bytes, e.Reason)
	case *event.Statement:
		return fmt.Sprintf("%s %d %s", name, e.Conn, e.Text)
	}
	return name
}

func (b *bench) expect(want ...string) {
	b.t.Helper()
	var got []string
	for _, e := range b.events {
		got = append(got, strings.TrimSpace(short(e)))
	}
	b.events = nil
	if !reflect.DeepEqual(got, want) {
		b.t.Errorf("events:\n got %q\nwant %q", got, want)
	}
}

var (
	head   = event.Header{Time: 1, PID: 10, TID: 11}
	inward = uint32(bpf.TracerDirectionDIRECTION_IN)
	out    = uint32(bpf.TracerDirectionDIRECTION_OUT)
	one    = bpf.TracerSocketId{Sk: 1, Inode: 2}
)

func (b *bench) plain(class bpf.TracerSocketClass, direction uint32, offset uint64, data string, gap int) {
	b.SocketData(head, &bpf.TracerSocketDataRecord{
		Socket: one, Class: uint32(class), Direction: direction, Offset: offset, Length: uint32(len(data) + gap), Captured: uint32(len(data)),
	}, []byte(data))
}

func (b *bench) tls(ssl uint64, random byte, flags bpf.TracerTlsFlags, direction uint32, offset uint64, data string) {
	b.tlsOn(one, ssl, random, flags, direction, offset, data)
}

func (b *bench) tlsOn(id bpf.TracerSocketId, ssl uint64, random byte, flags bpf.TracerTlsFlags, direction uint32, offset uint64, data string) {
	rec := &bpf.TracerTlsDataRecord{Ssl: ssl, Socket: id, Flags: uint32(flags), Direction: direction, Offset: offset, Length: uint32(len(data))}
	rec.Random[0] = random
	b.TLSData(head, rec, []byte(data))
}

const request = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
const response = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"

func TestPlainHTTPWithBodyNotCaptured(t *testing.T) {
	b := newBench(t, 0)
	b.Socket(head, &bpf.TracerSocketRecord{Socket: one, Family: afInet, Origin: uint32(bpf.TracerSocketOriginORIGIN_ACCEPTED),
		Remote: [16]uint8{127, 0, 0, 1}, RemotePort: 80})
	http := bpf.TracerSocketClassCLASS_HTTP
	b.plain(http, inward, 0, request, 0)
	b.plain(http, out, 0, response, 10)
	b.plain(http, inward, uint64(len(request)), strings.Replace(request, "/a", "/b", 1), 0)
	b.expect("ConnectionOpened 1 server tls=false late=false 127.0.0.1:80", "HTTPRequest 1 /a", "HTTPResponse 1 200", "HTTPResponseEnd 1 10",
		"HTTPRequest 1 /b")
	b.SocketClosed(event.Header{Time: 2}, one)
	if got := b.events[len(b.events)-1].Meta().PID; got != head.PID {
		t.Errorf("closed by process %d, want %d: a close in interrupt context has another current process", got, head.PID)
	}
	b.expect("HTTPResponseEnd 1 0 desync", "ConnectionClosed 1")
	if b.Len() != 0 {
		t.Errorf("%d connections left", b.Len())
	}
}

func TestLostPieceIsSkippedByItsKnownSize(t *testing.T) {
	b := newBench(t, 0)
	http := bpf.TracerSocketClassCLASS_HTTP
	b.plain(http, inward, 0, request, 0)
	b.plain(http, out, 0, strings.Replace(response, "10", "5000", 1), 0)
	// 5,000 bytes of body were lost with their record; the next response begins behind them.
	b.plain(http, inward, uint64(len(request)), request, 0)
	b.plain(http, out, uint64(len(response)+2+5000), response, 10)
	b.expect("ConnectionOpened 1 server tls=false late=false", "HTTPRequest 1 /a", "HTTPResponse 1 200", "HTTPRequest 1 /a", "HTTPResponseEnd 1 5000",
		"HTTPResponse 1 200", "HTTPResponseEnd 1 10")
}

func TestSSLObjectReusedForAnotherConnection(t *testing.T) {
	b := newBench(t, 0)
	b.tls(7, 1, bpf.TracerTlsFlagsTLS_SERVER, inward, 0, request)
	b.tlsOn(bpf.TracerSocketId{Sk: 1, Inode: 3}, 7, 2, bpf.TracerTlsFlagsTLS_SERVER, inward, 0, request)
	b.expect("ConnectionOpened 1 server tls=true late=false", "HTTPRequest 1 /a", "HTTPResponseEnd 1 0 desync", "ConnectionClosed 1",
		"ConnectionOpened 2 server tls=true late=false", "HTTPRequest 2 /a")
	b.TLSFreed(head, 7)
	b.expect("HTTPResponseEnd 2 0 desync", "ConnectionClosed 2")
}

// startup is a StartupMessage of protocol 3.0 (PostgreSQL, "Message Formats").
func startup() string {
	body := "\x00\x03\x00\x00user\x00a\x00database\x00d\x00\x00"
	return string(binary.BigEndian.AppendUint32(nil, uint32(len(body)+4))) + body
}

func TestPostgreSQLOverTLSInClientRole(t *testing.T) {
	b := newBench(t, 0)
	b.tls(7, 1, 0, out, 0, startup())
	b.expect("ConnectionOpened 1 client tls=true late=false", "SessionStarted")
	b.ProcessExited(head)
	b.expect("ConnectionClosed 1")
}

func TestRoleUnknownIsTakenFromTheFirstBytes(t *testing.T) {
	b := newBench(t, 0)
	rec := &bpf.TracerTlsIdentityRecord{Ssl: 7, Flags: uint32(bpf.TracerTlsFlagsTLS_FROM_D2I | bpf.TracerTlsFlagsTLS_ROLE_UNKNOWN), Length: 3}
	b.Identity(head, rec, []byte{1, 2, 3})
	b.expect()
	b.tls(7, 0, bpf.TracerTlsFlagsTLS_ROLE_UNKNOWN, inward, 0, request)
	b.expect("ConnectionOpened 1 server tls=true late=false", "Identity 1 unreadable", "HTTPRequest 1 /a")
}

func TestLateSessionSaysSo(t *testing.T) {
	b := newBench(t, 0)
	b.Socket(head, &bpf.TracerSocketRecord{Socket: one, Family: afUnix, Path: [108]uint8{'/', 's'}})
	b.plain(bpf.TracerSocketClassCLASS_POSTGRESQL, out, 0, "Q\x00\x00\x00\rSELECT 1\x00", 0)
	b.expect("ConnectionOpened 1 client tls=false late=true /s", "SessionStarted", "Statement 1 SELECT 1")
}

func TestOtherTrafficIsGivenUp(t *testing.T) {
	b := newBench(t, 0)
	for i := range sniffTries + 2 {
		b.tls(7, 1, 0, out, uint64(i*5), "hello")
	}
	b.tls(7, 1, 0, out, 5*(sniffTries+2), startup())
	b.expect()
}

func TestLeastRecentlyUsedIsEvicted(t *testing.T) {
	b := newBench(t, 2)
	for ssl := uint64(1); ssl <= 3; ssl++ {
		b.tls(ssl, byte(ssl), bpf.TracerTlsFlagsTLS_SERVER, inward, 0, request)
		b.tls(1, 1, bpf.TracerTlsFlagsTLS_SERVER, inward, uint64(len(request))*ssl, request)
	}
	if b.Len() != 2 || b.Evicted() != 1 {
		t.Errorf("%d connections, %d evicted; want 2 and 1", b.Len(), b.Evicted())
	}
	var closed []string
	for _, e := range b.events {
		if s := short(e); strings.HasPrefix(s, "ConnectionClosed") {
			closed = append(closed, s)
		}
	}
	if len(closed) != 1 || closed[0] != "ConnectionClosed 2" {
		t.Errorf("closed %q, want the second connection only", closed)
	}
}
