package http1

import (
	"fmt"
	"strings"
	"testing"
)

func TestRequests(t *testing.T) {
	big := "X-Tenant: acme\r\nX-Pad: " + strings.Repeat("p", 400) + "\r\nX-Tenant-Late: beta\r\n"
	small := policy()
	small.MaxHeader = 200
	small.MaxFields = 2
	tests := []struct {
		name string
		in   string
		want []string
	}{
		{"origin form", "GET /t/acme/x?q=1 HTTP/1.1\r\nHost: api.example\r\nX-Request-ID: r-1\r\ntraceparent:00-ab-cd-01\r\nX-Tenant: \t acme \r\nAccept: */*\r\n\r\n",
			[]string{`1> "1.1" "GET" "/t/acme/x" host="api.example" id="r-1" trace="00-ab-cd-01" x-tenant:"acme"`}},
		{"percent-encoded path stays", "GET /a%2Fb%00/%C3%A9 HTTP/1.0\r\n\r\n", []string{`1> "1.0" "GET" "/a%2Fb%00/%C3%A9"`}},
		{"absolute form wins over Host", "GET http://u:p@api.example:81/x/y?z HTTP/1.1\r\nHost: other\r\n\r\n", []string{`1> "1.1" "GET" "/x/y" host="api.example:81"`}},
		{"absolute form without path", "GET http://api.example?a=/b HTTP/1.1\r\n\r\n", []string{`1> "1.1" "GET" "" host="api.example"`}},
		{"authority form", "CONNECT db.example:5432 HTTP/1.1\r\nHost: h\r\n\r\n", []string{`1> "1.1" "CONNECT" "" host="db.example:5432"`}},
		{"asterisk form", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", []string{`1> "1.1" "OPTIONS" "*" host="h"`}},
		{"own method", "X-FROB /a HTTP/1.1\r\n\r\n", []string{`1> "1.1" "X-FROB" "/a"`}},
		{"blank in the target", "GET /a b HTTP/1.1\r\n\r\n", []string{`1> "1.1" "GET" "/a b"`}},
		{"leading empty lines", "\r\n\n\r\nGET / HTTP/1.1\r\n\r\n", []string{`1> "1.1" "GET" "/"`}},
		{"bare LF", "GET / HTTP/1.1\nX-Tenant: a\n\n", []string{`1> "1.1" "GET" "/" x-tenant:"a" !bare_lf`}},
		{"bare CR belongs to a value", "GET / HTTP/1.1\r\nX-Tenant: a\rb\r\n\r\n", []string{`1> "1.1" "GET" "/" x-tenant:"a\rb"`}},
		{"octets that are no UTF-8", "GET /\xfc/\xc3\xbc HTTP/1.1\r\nX-Tenant: \xff\xfe\xc3\xbc\r\n \xc3\r\n \xbc\r\n\r\n", []string{"1> \"1.1\" \"GET\" \"/\ufffd/ü\" x-tenant:\"\ufffdü \ufffd \ufffd\" !obs_fold"}},
		{"duplicates of kept fields", "GET / HTTP/1.1\r\nX-Tenant: a\r\nx-tenant: b\r\n\r\n", []string{`1> "1.1" "GET" "/" x-tenant:"a" x-tenant:"b" !duplicate_field`}},
		{"other duplicates are normal", "GET / HTTP/1.1\r\nAccept: a\r\nAccept: b\r\n\r\n", []string{`1> "1.1" "GET" "/"`}},
		{"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", []string{`1> "1.1" "GET" "/" host="a" !duplicate_field`}},
		{"empty host first", "GET / HTTP/1.1\r\nHost:\r\nHost: b\r\n\r\n", []string{`1> "1.1" "GET" "/" !duplicate_field`}},
		{"equal lengths", "POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nxyGET /b HTTP/1.1\r\n\r\n",
			[]string{`1> "1.1" "POST" "/" !duplicate_field`, `2> "1.1" "GET" "/b"`}},
		{"different lengths lose the framing", "POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nxyGET /b HTTP/1.1\r\n\r\n",
			[]string{`1> "1.1" "POST" "/" !duplicate_field`}},
		{"list of equal lengths", "POST / HTTP/1.1\r\nContent-Length: 2, 2\r\n\r\nxyGET /b HTTP/1.1\r\n\r\n",
			[]string{`1> "1.1" "POST" "/"`, `2> "1.1" "GET" "/b"`}},
		{"length that is no number", "POST / HTTP/1.1\r\nContent-Length: +2\r\n\r\nxyGET /b HTTP/1.1\r\n\r\n", []string{`1> "1.1" "POST" "/"`}},
		{"length that is too large", "POST / HTTP/1.1\r\nContent-Length: 18446744073709551616\r\n\r\nGET /b HTTP/1.1\r\n\r\n", []string{`1> "1.1" "POST" "/"`}},
		{"obs-fold", "GET / HTTP/1.1\r\nX-Tenant: a\r\n  b \r\n\tc\r\nHost: h\r\n\r\n", []string{`1> "1.1" "GET" "/" host="h" x-tenant:"a b c" !obs_fold`}},
		{"obs-fold with empty lines", "GET / HTTP/1.1\r\nX-Tenant:\r\n a\r\n \t\r\n\r\n", []string{`1> "1.1" "GET" "/" x-tenant:"a" !obs_fold`}},
		{"obs-fold of a field that is not kept", "GET / HTTP/1.1\r\nA: b\r\n X-Tenant: evil\r\nX-Tenant: c\r\n\r\n", []string{`1> "1.1" "GET" "/" x-tenant:"c" !obs_fold`}},
		{"fold after the request line", "GET / HTTP/1.1\r\n X-Tenant: evil\r\nX-Tenant: c\r\n\r\n", []string{`1> "1.1" "GET" "/" x-tenant:"c" !obs_fold`}},
		{"blank before the colon", "GET / HTTP/1.1\r\nX-Tenant : a\r\n\r\n", []string{`1> "1.1" "GET" "/" x-tenant:"a" !space_before_colon`}},
		{"blank before the colon of a length", "POST / HTTP/1.1\r\nContent-Length : 2\r\n\r\nxyGET /b HTTP/1.1\r\n\r\n", []string{`1> "1.1" "POST" "/" !space_before_colon`}},
		{"lines without colon", "GET / HTTP/1.1\r\nnonsense\r\n: x\r\nX-Tenant: a\r\n\r\n", []string{`1> "1.1" "GET" "/" x-tenant:"a"`}},
		{"transfer coding and length", "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nGET /b HTTP/1.1\r\n\r\n",
			[]string{`1> "1.1" "POST" "/" !te_and_cl`, `2> "1.1" "GET" "/b"`}},
		{"chunked is not last", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\nGET /b HTTP/1.1\r\n\r\n", []string{`1> "1.1" "POST" "/"`}},
		{"chunked body with extension and trailers", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n00a;x=y\r\n0123456789\r\n3 \r\nabc\r\n0\r\nX-Tenant: no\r\n\r\nGET /b HTTP/1.1\r\n\r\n",
			[]string{`1> "1.1" "POST" "/"`, `2> "1.1" "GET" "/b"`}},
		{"chunk size that is none", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nGET /b HTTP/1.1\r\n\r\n", []string{`1> "1.1" "POST" "/"`}},
		{"chunk longer than its size", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\nGET /b HTTP/1.1\r\n\r\n", []string{`1> "1.1" "POST" "/"`}},
		{"body of known length", "PUT /a HTTP/1.1\r\nContent-Length: 18\r\n\r\nGET /x HTTP/1.1\r\n\nDELETE /b HTTP/1.1\r\n\r\n",
			[]string{`1> "1.1" "PUT" "/a"`, `2> "1.1" "DELETE" "/b"`}},
		{"pipelining", strings.Repeat("GET /a HTTP/1.1\r\nHost: h\r\n\r\n", 3),
			[]string{`1> "1.1" "GET" "/a" host="h"`, `2> "1.1" "GET" "/a" host="h"`, `3> "1.1" "GET" "/a" host="h"`}},
		{"no version", "GET /a\r\n\r\n", nil},
		{"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", nil},
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", nil},
		{"no token", "G\x00T / HTTP/1.1\r\n\r\n", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := make([]string, len(tt.want))
			for i, w := range tt.want {
				want[i] = w + " @1"
			}
			same(t, play(t, policy(), step{">", tt.in, 0}), want...)
		})
	}
	t.Run("header too large", func(t *testing.T) {
		same(t, play(t, small, step{">", "GET /a HTTP/1.1\r\n" + big, 0}, step{">", "\r\n", 0}, step{">", "GET /b HTTP/1.1\r\n\r\n", 0}),
			`1> "1.1" "GET" "/a" x-tenant:"acme" !header_too_large @2`, `2> "1.1" "GET" "/b" @3`)
	})
	t.Run("target too large", func(t *testing.T) {
		same(t, play(t, small, step{">", "GET /" + strings.Repeat("a", 300) + " HTTP/1.1\r\nX-Tenant: a\r\n\r\n", 0}), `1> "" "GET" "" !header_too_large @1`)
	})
	t.Run("too many kept fields", func(t *testing.T) {
		same(t, play(t, small, step{">", "GET / HTTP/1.1\r\nX-Tenant: 1\r\nX-Tenant-2: 2\r\nX-Tenant-3: 3\r\nHost: h\r\n\r\n", 0}),
			`1> "1.1" "GET" "/" host="h" x-tenant:"1" x-tenant-2:"2" !header_too_large @1`)
	})
}

func TestHostMayBeKept(t *testing.T) {
	cfg := Config{Fields: func(name []byte) bool { return true }}
	same(t, play(t, cfg, step{">", "GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: i\r\n\r\n", 0}),
		`1> "1.1" "GET" "/" host="h" id="i" host:"h" x-request-id:"i" @1`)
}

func TestRequestGaps(t *testing.T) {
	next := step{">", "GET /n HTTP/1.1\r\n\r\n", 0}
	sized := "POST /a HTTP/1.1\r\nContent-Length: 1000\r\n\r\n"
	piped := "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
	tests := []struct {
		name  string
		steps []step
		want  []string
	}{
		{"in a body of known length", []step{{">", sized + "abc", 900}, {">", strings.Repeat("GET", 32) + "x", 0}, next}, []string{`1> "1.1" "POST" "/a" @1`, `2> "1.1" "GET" "/n" @3`}},
		{"to the end of a body", []step{{">", sized, 1000}, next}, []string{`1> "1.1" "POST" "/a" @1`, `2> "1.1" "GET" "/n" @2`}},
		{"past the end of a body", []step{{">", sized, 1020}, {">", "garbage", 0}, next}, []string{`1> "1.1" "POST" "/a" @1`, `2> "" "" "" !header_cut @1`, `3> "1.1" "GET" "/n" @3`}},
		{"empty line past the end of a body", []step{{">", sized, 1002}, next}, []string{`1> "1.1" "POST" "/a" @1`, `2> "1.1" "GET" "/n" @2`}},
		{"inside a chunk", []step{{">", piped + "64\r\n0123456789", 90}, {">", "\r\n0\r\n\r\nGET /n HTTP/1.1\r\n\r\n", 0}}, []string{`1> "1.1" "POST" "/a" @1`, `2> "1.1" "GET" "/n" @2`}},
		{"over chunk framing", []step{{">", piped + "64\r\n0123456789", 92}, {">", "0\r\n\r\nGET /x HTTP/1.1\r\n\r\n", 0}, next}, []string{`1> "1.1" "POST" "/a" @1`, `2> "1.1" "GET" "/n" @3`}},
		{"in a field line", []step{{">", "GET /a HTTP/1.1\r\nX-Tenant: acme\r\nX-Tenant-Id: 42", 1}, {">", "\r\nHost: h\r\n\r\nGET /x HTTP/1.1\r\n\r\n", 0}, next},
			[]string{`1> "1.1" "GET" "/a" x-tenant:"acme" !header_cut @1`, `2> "1.1" "GET" "/n" @3`}},
		{"in a path", []step{{">", "GET /t/ac", 30}, next}, []string{`1> "" "GET" "" !header_cut @1`, `2> "1.1" "GET" "/n" @2`}},
		{"in a query", []step{{">", "GET /t/acme?x", 30}, next}, []string{`1> "" "GET" "/t/acme" !header_cut @1`, `2> "1.1" "GET" "/n" @2`}},
		{"in a version", []step{{">", "GET /t/acme HTTP", 30}, next}, []string{`1> "" "GET" "/t/acme" !header_cut @1`, `2> "1.1" "GET" "/n" @2`}},
		{"in a method", []step{{">", "GE", 30}, next}, []string{`1> "" "" "" !header_cut @1`, `2> "1.1" "GET" "/n" @2`}},
		{"whole request", []step{{">", "", 30}, next}, []string{`1> "" "" "" !header_cut @1`, `2> "1.1" "GET" "/n" @2`}},
		{"unknown loss in a header section", []step{{">", "GET /a HTTP/1.1\r\nX-Tenant: a\r\n", 0}, {">>", "", 0}, {">", "X-Tenant: b\r\n\r\n", 0}, next},
			[]string{`1> "1.1" "GET" "/a" x-tenant:"a" !header_cut @2`, `2> "1.1" "GET" "/n" @4`}},
		{"unknown loss between requests", []step{next, {">>", "", 0}, {">", "X-Tenant: b\r\n\r\n", 0}, next}, []string{`1> "1.1" "GET" "/n" @1`, `2> "1.1" "GET" "/n" @4`}},
		{"late, in a body", []step{{"late", "", 0}, {">", "GETting there", 0}, {">", "POST ", 0}, {">", "DATA / of mine", 0}, next}, []string{`1> "1.1" "GET" "/n" @5`}},
		{"late, a body that looks like a request at first", []step{{"late", "", 0}, {">", "GET /x", 0}, {">", " or not\r\n\r\n", 0}, next}, []string{`1> "1.1" "GET" "/n" @4`}},
		{"late, looks alone", []step{{"late", "", 0}, {">", "GET /x", 20}, next}, []string{`1> "1.1" "GET" "/n" @3`}},
		{"late, split", []step{{"late", "", 0}, {">", "GET /x", 0}, {">", " HTTP/1.1\r\n", 0}, {">", "\r\n", 0}, next}, []string{`1> "1.1" "GET" "/x" @4`, `2> "1.1" "GET" "/n" @5`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { same(t, play(t, policy(), tt.steps...), tt.want...) })
	}
}

func TestSniff(t *testing.T) {
	requests := map[string]bool{
		"GET / HTTP/1.1\r\n": true, "GET": true, "GET ": true, "OPTI": true, "POST /a": true, "\r\nGET /": true, "FROB /x HTTP/1.0\r\n": true,
		"OPTIONS * HTTP/1.1": true, "CONNECT h:1 HTTP/1.1": true, "GET http://h/ HTT": true, "GET [::1]:80": true, "GET / HTTP/1.1x": true,
		"": false, "GE": false, "PRI * HTTP/2.0": false, "GET / HTTP/2.0": false, "FROB": false, "FROB x": false, "get key\r\n": false,
		"OPTIONS rtsp://h/ RTSP/1.0\r\n": false, "GET /x\r\n": false, "HTTP/1.1 200 OK\r\n": false, "\x00\x00\x00\x08\x04\xd2\x16\x2f": false,
		"GET  /": false, " GET /": false, "GET /\x00": false, "GETGETGETGETGETGETGETGETGETGET": false, "*1\r\n$4\r\nPING\r\n": false, "Q\x00\x00\x00 /": false,
	}
	for in, want := range requests {
		if got := SniffRequest([]byte(in)); got != want {
			t.Errorf("SniffRequest(%q) = %v", in, got)
		}
	}
	responses := map[string]bool{
		"HTTP/1.1 200 OK\r\n": true, "HTTP/1.0 404\r\n": true, "HTTP/": true, "HTTP/1.1 2": true,
		"": false, "HTTP": false, "HTTP/2 200": false, "HTTP/1.1 2x0": false, "HTTP/1.1 099 ": false, "HTTP/1.1 2000": false, "GET / HTTP/1.1": false,
	}
	for in, want := range responses {
		if got := SniffResponse([]byte(in)); got != want {
			t.Errorf("SniffResponse(%q) = %v", in, got)
		}
	}
}

func ExampleConn_Losses() {
	c := New(Config{}, 1, nil)
	c.Request(zero, []byte("\x16\x03\x01"), 0)
	fmt.Println(c.Losses())
	// Output: 1
}
