package http1

import (
	"strings"
	"testing"
	"unsafe"

	"tenantrace/collector/event"
)

// browser is a request with 11 header fields.
const browser = "GET /t/acme/invoices?page=2 HTTP/1.1\r\nHost: api.example\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n" +
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br\r\n" +
	"Referer: https://api.example/t/acme\r\nConnection: keep-alive\r\nCookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n" +
	"X-Tenant-ID: acme\r\nX-Request-ID: 0f8fad5b-d9cb-469f-a165-70867728950e\r\ntraceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n\r\n"

func BenchmarkRequest(b *testing.B) {
	answer := []byte("HTTP/1.1 204 No Content\r\n\r\n")
	in := []byte(browser)
	c := New(policy(), 1, func(event.Event) {})
	b.ReportAllocs()
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		c.Request(zero, in, 0)
		c.Response(zero, answer, 0)
	}
}

// BenchmarkSplitRequest brings the request in two calls, so that it has to be kept in between.
func BenchmarkSplitRequest(b *testing.B) {
	answer := []byte("HTTP/1.1 204 No Content\r\n\r\n")
	one, two := []byte(browser[:300]), []byte(browser[300:])
	c := New(policy(), 1, func(event.Event) {})
	b.ReportAllocs()
	b.SetBytes(int64(len(browser)))
	for b.Loop() {
		c.Request(zero, one, 0)
		c.Request(zero, two, 0)
		c.Response(zero, answer, 0)
	}
}

// chunks is a connection in the middle of an endless chunked response.
func chunks() (*Conn, []byte) {
	c := New(policy(), 1, func(event.Event) {})
	c.Request(zero, []byte(get), 0)
	c.Response(zero, []byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), 0)
	return c, []byte(strings.Repeat("400\r\n"+strings.Repeat("x", 1024)+"\r\n", 16))
}

func BenchmarkChunkedBody(b *testing.B) {
	c, in := chunks()
	b.ReportAllocs()
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		c.Response(zero, in, 0)
	}
}

func BenchmarkSniffRequest(b *testing.B) {
	in := []byte(browser)
	b.ReportAllocs()
	for b.Loop() {
		SniffRequest(in)
	}
}

func TestAllocations(t *testing.T) {
	c, in := chunks()
	if n := testing.AllocsPerRun(100, func() { c.Response(zero, in, 0) }); n != 0 {
		t.Errorf("skipping a chunked body allocates %v times", n)
	}
	c = New(policy(), 1, func(event.Event) {})
	c.Request(zero, []byte("POST / HTTP/1.1\r\nContent-Length: 1000000000\r\n\r\n"), 0)
	if n := testing.AllocsPerRun(100, func() { c.Request(zero, in, 7) }); n != 0 {
		t.Errorf("skipping a sized body allocates %v times", n)
	}
	c = New(policy(), 1, func(event.Event) {})
	request, answer := []byte(browser), []byte(ok2)
	// The request: event, text, fields. The response: two events.
	if n := testing.AllocsPerRun(100, func() { c.Request(zero, request, 0); c.Response(zero, answer, 0) }); n > 5 {
		t.Errorf("a request and its response allocate %v times", n)
	}
}

// TestIdleConnection holds a connection after a request to its share of the memory budget, 2 KB per connection.
func TestIdleConnection(t *testing.T) {
	c := New(policy(), 1, func(event.Event) {})
	for _, part := range []string{browser[:300], browser[300:], "POST / HTTP/1.1\r\nX-Tenant: " + strings.Repeat("x", 5000), "\r\n\r\n"} {
		c.Request(zero, []byte(part), 0)
	}
	c.Response(zero, []byte(ok2), 0)
	c.Response(zero, []byte(ok2), 0)
	c.Request(zero, []byte(browser[:300]), 0)
	c.Request(zero, []byte(browser[300:]), 0)
	c.Response(zero, []byte(ok2), 0)
	n := int(unsafe.Sizeof(*c)) + cap(c.req.section.buf) + cap(c.resp.section.buf) + cap(c.scratch) + cap(c.kept)*int(unsafe.Sizeof(kept{})) + cap(c.open.items)*int(unsafe.Sizeof(pending{}))
	if n > 2048 {
		t.Errorf("an idle connection keeps %d bytes", n)
	}
}
