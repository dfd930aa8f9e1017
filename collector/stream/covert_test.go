package stream

import (
	"strings"
	"testing"

	"tenantrace/bpf"
	"tenantrace/collector/event"
)

const postgresClass = bpf.TracerSocketClassCLASS_POSTGRESQL

// TestSessionsBehindTLS has sessions that go over to TLS on their socket. They are unreadable unless a followed library's connection is on it, and that is told
// once: when the patience is over, or at their end.
func TestSessionsBehindTLS(t *testing.T) {
	postgres := func(b *bench) {
		b.plain(postgresClass, out, 0, "\x00\x00\x00\x08\x04\xd2\x16\x2f", 0)
		b.plain(postgresClass, inward, 0, "S", 0)
	}
	mysql := func(b *bench) {
		b.plainSides("i"+mysqlGreeting(mysqlTLSFlags), "o"+mysqlPacket(1, mysqlTLSFlags+"\x00\x00\x00\x01\x2d"+strings.Repeat("\x00", 23)))
	}
	told := func(b *bench) (n int) {
		for _, e := range b.events {
			if e, ok := e.(*event.SessionUnreadable); ok && e.Reason == event.UnreadableTLS {
				n++
			}
		}
		return n
	}
	for name, begin := range map[string]func(*bench){"postgres": postgres, "mysql": mysql} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, 0)
			begin(b)
			b.Tick(int64(patience) - 1)
			if n := told(b); n != 0 {
				t.Fatalf("told %d times while the library may still show it", n)
			}
			b.Tick(int64(patience) + 100)
			b.Tick(2*int64(patience) + 100)
			b.Close(event.Header{})
			if n := told(b); n != 1 {
				t.Errorf("told %d times after the patience, want once", n)
			}

			b = newBench(t, 0)
			begin(b)
			b.Close(event.Header{})
			if n := told(b); n != 1 {
				t.Errorf("told %d times at its end, want once", n)
			}

			b = newBench(t, 0)
			begin(b)
			b.tls(77, 1, 0, out, 0, "x")
			b.TLSFreed(head, 77)
			b.Tick(2 * int64(patience))
			b.Close(event.Header{})
			if n := told(b); n != 0 {
				t.Errorf("told %d times of a session that its library's connection shows", n)
			}
		})
	}
	b := newBench(t, 0)
	b.plain(postgresClass, out, 0, "\x00\x00\x00\x08\x04\xd2\x16\x2f", 0)
	b.plain(postgresClass, inward, 0, "N", 0)
	b.Close(event.Header{})
	if n := told(b); n != 0 {
		t.Errorf("told %d times of a session whose server refused TLS", n)
	}
}
