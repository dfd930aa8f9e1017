package http1

import (
	"strings"
	"testing"

	"tenantrace/collector/event"
)

var zero event.Header

const (
	get = "GET / HTTP/1.1\r\n\r\n"
	ok2 = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
)

func TestResponses(t *testing.T) {
	pipe := "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	tests := []struct {
		name    string
		request string
		steps   []step
		want    []string // after the request
	}{
		{"known length", get, []step{{"<", ok2, 0}}, []string{"1< 200 @2", "1. 2 @2"}},
		{"length 0", get, []step{{"<", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0}}, []string{"1< 200 @2", "1. 0 @2"}},
		{"in pieces", get, []step{{"<", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n", 0}, {"<", "\r\n", 0}, {"<", "ab", 0}, {"<", "cd", 0}}, []string{"1< 200 @3", "1. 4 @5"}},
		{"head", "HEAD / HTTP/1.1\r\n\r\n", []step{{"<", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", 0}}, []string{"1< 200 @2", "1. 0 @2"}},
		{"204", get, []step{{"<", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", 0}}, []string{"1< 204 @2", "1. 0 @2"}},
		{"304", get, []step{{"<", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 0}}, []string{"1< 304 @2", "1. 0 @2"}},
		{"chunked", get, []step{{"<", pipe + "5\r\nhello\r\n", 0}, {"<", "0\r\n", 0}, {"<", "Trailer: x\r\n\r\n", 0}}, []string{"1< 200 @2", "1. 5 @4"}},
		{"until close", get, []step{{"<", "HTTP/1.0 200 OK\r\n\r\nabc", 5}, {"<", "de", 0}, {"close", "", 0}}, []string{"1< 200 @2", "1. 10 @4"}},
		{"transfer coding without chunked", get, []step{{"<", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nContent-Length: 1\r\n\r\nabc", 0}, {"close", "", 0}}, []string{"1< 200 @2", "1. 3 @3"}},
		{"interim", get, []step{{"<", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", 0}, {"<", ok2, 0}}, []string{"1< 200 @3", "1. 2 @3"}},
		{"no reason phrase", get, []step{{"<", "HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n", 0}}, []string{"1< 404 @2", "1. 0 @2"}},
		{"upgrade", "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", []step{{"<", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x05", 0},
			{">", get, 0}, {"<", ok2, 9}, {">>", "", 0}, {"close", "", 0}, {"close", "", 0}, {">", get, 0}}, []string{"1< 101 @2", "1. 0 @6"}},
		{"refused upgrade", "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", []step{{"<", ok2, 0}, {">", get, 0}}, []string{"1< 200 @2", "1. 2 @2", `2> "1.1" "GET" "/" @3`}},
		{"connect", "CONNECT h:1 HTTP/1.1\r\n\r\n", []step{{">", "\x16\x03\x01", 0}, {"<", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", 0}, {">", get, 0}, {"close", "", 0}}, []string{"1< 200 @3", "1. 0 @5"}},
		{"refused connect", "CONNECT h:1 HTTP/1.1\r\n\r\n", []step{{"<", "HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno", 0}, {">", get, 0}}, []string{"1< 403 @2", "1. 2 @2", `2> "1.1" "GET" "/" @3`}},
		{"pipelined", get + "HEAD / HTTP/1.1\r\n\r\n" + get, []step{{"<", ok2 + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + ok2, 0}},
			[]string{`2> "1.1" "HEAD" "/" @1`, `3> "1.1" "GET" "/" @1`, "1< 200 @2", "1. 2 @2", "2< 200 @2", "2. 0 @2", "3< 200 @2", "3. 2 @2"}},
		{"open at close", get + get, []step{{"<", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", 0}, {"close", "", 0}}, []string{`2> "1.1" "GET" "/" @1`, "1< 200 @2", "1. 3 desync@3", "2. 0 desync@3"}},
		{"gap in known length", get, []step{{"<", "HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\nabc", 1000}, {"<", ok2, 900}, {"<", strings.Repeat("x", 97-len(ok2)), 0}, {">", get, 0}, {"<", ok2, 0}},
			[]string{"1< 200 @2", "1. 2000 @4", `2> "1.1" "GET" "/" @5`, "2< 200 @6", "2. 2 @6"}},
		{"gap in a chunk", get, []step{{"<", pipe + "a\r\n", 10}, {"<", "\r\n0\r\n\r\n", 0}}, []string{"1< 200 @2", "1. 10 @3"}},
		{"gap over chunk framing", get, []step{{"<", pipe + "a\r\n12", 15}, {"<", "\r\n0\r\n\r\n", 0}, {"<", ok2, 0}, {">", get, 0}, {"<", ok2, 0}},
			[]string{"1< 200 @2", "1. 2 next@5", `2> "1.1" "GET" "/" @5`, "2< 200 @6", "2. 2 @6"}},
		{"gap over chunk framing, one more open", get + get, []step{{"<", pipe + "a\r\n12", 15}, {"<", "x", 0}, {"<", ok2, 0}, {">", get, 0}, {"<", ok2, 0}},
			[]string{`2> "1.1" "GET" "/" @1`, "1< 200 @2", "1. 2 next@4", "2< 200 @4", "2. 2 @4", `3> "1.1" "GET" "/" @5`, "3< 200 @6", "3. 2 @6"}},
		{"gap over chunk framing, two more open", get + get + get, []step{{"<", pipe + "a\r\n12", 15}, {"<", ok2, 0}, {"<", ok2, 0}},
			[]string{`2> "1.1" "GET" "/" @1`, `3> "1.1" "GET" "/" @1`, "1< 200 @2", "1. 2 next@3", "2. 0 next@4", "3< 200 @4", "3. 2 @4"}},
		{"gap over chunk framing, then requests", get + get, []step{{"<", pipe + "a\r\n12", 15}, {">", get + get, 0}, {"<", ok2 + ok2, 0}},
			[]string{`2> "1.1" "GET" "/" @1`, "1< 200 @2", "1. 2 next@3", "2. 0 desync@3", `3> "1.1" "GET" "/" @3`, `4> "1.1" "GET" "/" @3`, "3< 200 @4", "3. 2 @4", "4< 200 @4", "4. 2 @4"}},
		{"gap in a header section", get, []step{{"<", "HTTP/1.1 403 No\r\nConten", 15}, {"<", "body", 0}, {">", get, 0}, {"<", ok2, 0}},
			[]string{"1< 403 @2", "1. 0 next@4", `2> "1.1" "GET" "/" @4`, "2< 200 @5", "2. 2 @5"}},
		{"gap in a status line", get, []step{{"<", "HTTP/1.1 403", 15}, {">", get, 0}}, []string{"1. 0 next@3", `2> "1.1" "GET" "/" @3`}},
		{"gap in an interim response", get, []step{{"<", "HTTP/1.1 100 Continue\r\n", 2}, {"<", ok2, 0}}, []string{"1< 200 @3", "1. 2 @3"}},
		{"whole response in a gap", get, []step{{"<", "", 300}, {"<", ok2, 0}, {">", get, 0}}, []string{"1. 0 next@4", `2> "1.1" "GET" "/" @4`}},
		{"response past a body's end", get + get, []step{{"<", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", 9}, {">", get, 0}},
			[]string{`2> "1.1" "GET" "/" @1`, "1< 200 @2", "1. 2 @2", "2. 0 next@3", `3> "1.1" "GET" "/" @3`}},
		{"unknown loss before the response", get, []step{{"<<", "", 0}, {"<", "dy", 0}, {"<", ok2, 0}}, []string{"1< 200 @4", "1. 2 @4"}},
		{"unknown loss in the response", get, []step{{"<", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", 0}, {"<<", "", 0}, {"<", "def", 0}, {">", get, 0}},
			[]string{"1< 200 @2", "1. 3 next@5", `2> "1.1" "GET" "/" @5`}},
		{"two lengths", get, []step{{"<", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc", 0}, {">", get, 0}}, []string{"1< 200 @2", "1. 0 next@3", `2> "1.1" "GET" "/" @3`}},
		{"no HTTP", get, []step{{"<", "\x15\x03\x03\x00\x02", 0}, {"close", "", 0}}, []string{"1. 0 desync@3"}},
		{"late drops what was open", get, []step{{"late", "", 0}, {"<", ok2, 0}, {">", get, 0}, {"<", ok2, 0}}, []string{"1. 0 desync@2", `2> "1.1" "GET" "/" @4`, "2< 200 @5", "2. 2 @5"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			steps := append([]step{{">", tt.request, 0}}, tt.steps...)
			got := play(t, policy(), steps...)
			if len(got) == 0 || !strings.HasPrefix(got[0], "1> ") {
				t.Fatalf("no request: %q", got)
			}
			same(t, got[1:], tt.want...)
		})
	}
}

func TestResponseBeforeRequest(t *testing.T) {
	same(t, play(t, policy(), step{"<", ok2, 0}, step{">", get, 0}, step{"<", ok2, 0}), `1> "1.1" "GET" "/" @2`, "1< 200 @3", "1. 2 @3")
}

func TestLateConnection(t *testing.T) {
	same(t, play(t, policy(), step{"late", "", 0}, step{"<", "the end of a body", 0}, step{"<", ok2, 0}, step{">", get, 0}, step{"<", ok2, 0}),
		`1> "1.1" "GET" "/" @4`, "1< 200 @5", "1. 2 @5")
	same(t, play(t, policy(), step{"late", "", 0}, step{">", get + get, 0}, step{"<", ok2 + ok2, 0}),
		`1> "1.1" "GET" "/" @2`, `2> "1.1" "GET" "/" @2`, "1< 200 @3", "1. 2 @3", "2< 200 @3", "2. 2 @3")
}

func TestRefusedExpectation(t *testing.T) {
	post := "POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n"
	no := "HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n"
	// The second request is taken for the first one's body; its response shows the mistake, and the third one is seen.
	same(t, play(t, policy(), step{">", post, 0}, step{"<", no, 0}, step{">", get, 0}, step{"<", ok2, 0}, step{">", get, 0}, step{"<", ok2, 0}),
		`1> "1.1" "POST" "/a" @1`, "1< 417 @2", "1. 0 @2", `2> "1.1" "GET" "/" @5`, "2< 200 @6", "2. 2 @6")
}

func TestTooManyOpen(t *testing.T) {
	cfg := policy()
	cfg.MaxOpen = 2
	same(t, play(t, cfg, step{">", get + get + get, 0}), `1> "1.1" "GET" "/" @1`, `2> "1.1" "GET" "/" @1`, "1. 0 desync@1", "2. 0 desync@1", `3> "1.1" "GET" "/" @1`)
}

func TestTunnel(t *testing.T) {
	c := New(Config{}, 1, func(event.Event) {})
	c.Request(zero, []byte(get), 0)
	if c.Tunnel() {
		t.Error("a request is a tunnel")
	}
	c.Response(zero, []byte("HTTP/1.1 101 Switching Protocols\r\n\r\n"), 0)
	if !c.Tunnel() {
		t.Error("101 is no tunnel")
	}
}
