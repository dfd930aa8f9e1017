package http1

import (
	"testing"

	"tenantrace/collector/event"
)

// interleave drives a connection: each byte of script is a call. Its low three bits say which, the others how many bytes it takes.
func interleave(t *testing.T, requests, responses, script []byte) {
	cfg := policy()
	cfg.MaxHeader, cfg.MaxFields, cfg.MaxOpen = 256, 4, 8
	s := newSeen(t)
	c := New(cfg, 1, s.emit)
	take := func(from *[]byte, n int) []byte {
		n = min(n, len(*from))
		out := (*from)[:n:n]
		*from = (*from)[n:]
		return out
	}
	h := event.Header{}
	step := func(b byte) {
		n := int(b >> 3)
		switch b & 7 {
		case 0:
			c.Request(h, take(&requests, n), 0)
		case 1:
			c.Response(h, take(&responses, n), 0)
		case 2:
			c.Request(h, take(&requests, n), len(take(&requests, n)))
		case 3:
			c.Response(h, take(&responses, n), len(take(&responses, n)))
		case 4:
			c.Request(h, take(&requests, n*16), n*n*n)
		case 5:
			c.Response(h, take(&responses, n*16), n*n*n)
		case 6:
			switch n {
			case 0:
				c.Late(h)
			case 1:
				c.Close(h)
			default:
				c.Desync(h, Direction(n&1))
			}
		case 7:
			c.Request(h, take(&requests, n), 0)
			c.Response(h, take(&responses, n), 0)
		}
		for _, side := range []*side{&c.req, &c.resp} {
			if len(side.section.buf) > cfg.MaxHeader || cap(side.section.buf) > 2*keptBuffer {
				t.Fatalf("%d bytes of a header section are kept, in %d", len(side.section.buf), cap(side.section.buf))
			}
		}
		if c.open.len() > cfg.MaxOpen || cap(c.open.items) > 64 || len(c.kept) > cfg.MaxFields || cap(c.scratch) > keptBuffer {
			t.Fatalf("%d open, room for %d, %d kept, %d scratch", c.open.len(), cap(c.open.items), len(c.kept), cap(c.scratch))
		}
	}
	for _, b := range script {
		step(b)
	}
	for len(requests)+len(responses) > 0 {
		step(31<<3 | 7)
	}
	c.Close(h)
	if uint64(len(s.ended)) != s.last {
		t.Fatalf("%d requests, %d ends", s.last, len(s.ended))
	}
	for status := range s.status {
		if !s.ended[status] {
			t.Fatalf("response of request %d has no end", status)
		}
	}
}

var requestSeeds = []string{
	get + get,
	"POST /t/acme?x HTTP/1.1\r\nHost: h\r\nX-Tenant : a\r\n b\r\nX-Tenant: c\r\nContent-Length: 5\r\n\r\nhello" + get,
	"PUT http://h/p HTTP/1.1\nTransfer-Encoding: chunked\nContent-Length: 3\n\n5;x=y\r\nhello\r\n0\r\nT: x\r\n\r\n" + get,
	"CONNECT h:1 HTTP/1.1\r\n\r\n\x16\x03\x01",
	"HEAD / HTTP/1.0\r\nX-Request-ID: i\r\ntraceparent: t\r\n\r\n",
	"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\x81\x85",
	"\r\n\r\nGET /",
	"\x16\x03\x01\x02\x00",
}

var responseSeeds = []string{
	ok2 + ok2,
	"HTTP/1.1 100 Continue\r\n\r\n" + ok2,
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n" + ok2,
	"HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x05",
	"HTTP/1.0 404 Not Found\r\n\r\nnothing",
	"HTTP/1.1 204\r\n\r\nHTTP/1.1 304 X\r\nContent-Length: 9\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n",
	"\x15\x03\x03",
}

func FuzzRequest(f *testing.F) {
	for i, r := range requestSeeds {
		f.Add([]byte(r), []byte{7<<3 | byte(i), 3<<3 | 2, 0x80, 4 << 3, 1<<3 | 4, 5<<3 | 6, 0x41})
	}
	f.Fuzz(func(t *testing.T, requests, script []byte) {
		interleave(t, requests, []byte(responseSeeds[0]+responseSeeds[2]+responseSeeds[1]), script)
	})
}

func FuzzResponse(f *testing.F) {
	for i, r := range responseSeeds {
		f.Add([]byte(requestSeeds[i]), []byte(r), []byte{0xff, 0xff, 0x80, 9<<3 | 1, 3<<3 | 3, 2<<3 | 5, 4<<3 | byte(i)})
		f.Add([]byte(get+get+get), []byte(r), []byte{0xff, 0xff, 9<<3 | 1, 3<<3 | 3, 0xff})
	}
	f.Fuzz(interleave)
}

func FuzzSniff(f *testing.F) {
	for i := range requestSeeds {
		f.Add([]byte(requestSeeds[i]))
		f.Add([]byte(responseSeeds[i]))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if SniffRequest(b) && SniffResponse(b) {
			t.Fatalf("%q is both", b)
		}
		// A prefix of a plausible start stays plausible as long as it says anything.
		for n := len(b); SniffResponse(b) && n > len("HTTP/")+2; n-- {
			if !SniffResponse(b[:n]) && len(trimLeading(b[:n])) >= len("HTTP/") {
				t.Fatalf("%q is plausible, %q is not", b, b[:n])
			}
		}
	})
}
