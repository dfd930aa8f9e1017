package http1

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"tenantrace/collector/event"
)

// writer makes random well-formed messages.
type writer struct{ *rand.Rand }

func (w writer) pick(of ...string) string { return of[w.IntN(len(of))] }

func (w writer) word(n int) string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	out := make([]byte, 1+w.IntN(n))
	for i := range out {
		out[i] = letters[w.IntN(len(letters))]
	}
	return string(out)
}

func (w writer) fields(out *strings.Builder) {
	for range w.IntN(6) {
		name := w.pick("X-Tenant", "x-tenant-id", "Accept", "COOKIE", "X-"+w.word(9))
		fmt.Fprintf(out, "%s:%s%s%s\r\n", name, w.pick("", " ", "\t "), w.pick("", w.word(30), w.word(9)+": "+w.word(9)), w.pick("", "", " "))
	}
}

// body writes the framing fields, the rest of the header section, and the body. Half of the bodies look like messages themselves.
func (w writer) body(out *strings.Builder, allowed bool) {
	content := strings.Repeat(w.pick("x", "GET /evil HTTP/1.1\r\n\r\n", "HTTP/1.1 500 Evil\r\n\r\n", "0\r\n\r\n"), w.IntN(40))
	kind := w.IntN(3)
	switch {
	case !allowed:
		out.WriteString("\r\n")
	case kind == 0 && len(content) > 0:
		fmt.Fprintf(out, "Transfer-Encoding: %s\r\n", w.pick("chunked", "Chunked"))
		w.fields(out)
		out.WriteString("\r\n")
		for len(content) > 0 {
			n := 1 + w.IntN(len(content))
			fmt.Fprintf(out, "%s%s%s\r\n%s\r\n", w.pick("", "0", "00"), fmt.Sprintf(w.pick("%x", "%X"), n), w.pick("", ";a", ";a=\"b\""), content[:n])
			content = content[n:]
		}
		fmt.Fprintf(out, "0\r\n%s\r\n", w.pick("", "", "A-Trailer: x\r\n"))
	default:
		fmt.Fprintf(out, "Content-Length: %d\r\n", len(content))
		w.fields(out)
		out.WriteString("\r\n" + content)
	}
}

func (w writer) request() string {
	var out strings.Builder
	method := w.pick("GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "X-"+strings.ToUpper(w.word(4)))
	target := "/" + w.word(20) + w.pick("", "/%41%2f"+w.word(5), "//"+w.word(3)) + w.pick("", "?q="+w.word(10), "?")
	if w.IntN(8) == 0 {
		target = "http://abs.example:8080" + target
	}
	fmt.Fprintf(&out, "%s%s %s HTTP/1.%d\r\nHost: %s\r\n", w.pick("", "", "\r\n"), method, target, 1, w.word(9))
	if w.IntN(2) == 0 {
		fmt.Fprintf(&out, "%s: %s\r\n", w.pick("X-Request-ID", "x-request-id"), w.word(20))
	}
	if w.IntN(2) == 0 {
		fmt.Fprintf(&out, "traceparent: 00-%s-01\r\n", w.word(20))
	}
	w.fields(&out)
	w.body(&out, w.IntN(3) > 0)
	return out.String()
}

func (w writer) response(method string) string {
	var out strings.Builder
	for range w.IntN(3) {
		out.WriteString(w.pick("HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"))
	}
	status := w.pick("200 OK", "201 Created", "204 No Content", "304 Not Modified", "403 Forbidden", "404 ", "500 Oh: no")
	fmt.Fprintf(&out, "HTTP/1.1 %s\r\n", status)
	w.fields(&out)
	if method == "HEAD" || status[:3] == "304" {
		out.WriteString("Content-Length: 99\r\n\r\n")
		return out.String()
	}
	if status[:3] == "204" {
		out.WriteString("\r\n")
		return out.String()
	}
	w.body(&out, true)
	return out.String()
}

// expected reads both directions with net/http and tells what Conn should say.
func expected(t testing.TB, requests, responses string) []string {
	t.Helper()
	var out []string
	in, seq, methods := bufio.NewReader(strings.NewReader(requests)), uint64(0), []string{}
	for {
		for b, err := in.Peek(2); err == nil && string(b) == "\r\n"; b, err = in.Peek(2) { // net/http leaves empty lines to its server
			if _, err := in.Discard(2); err != nil {
				t.Fatal(err)
			}
		}
		r, err := http.ReadRequest(in)
		if err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("net/http: %v in %q", err, requests)
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			t.Fatal(err)
		}
		seq++
		path, _, _ := strings.Cut(strings.TrimPrefix(r.RequestURI, "http://abs.example:8080"), "?")
		e := &event.HTTPRequest{Seq: seq, Version: fmt.Sprintf("%d.%d", r.ProtoMajor, r.ProtoMinor), Method: r.Method, Path: path, Host: r.Host,
			ID: r.Header.Get("X-Request-Id"), Traceparent: r.Header.Get("Traceparent")}
		for _, name := range []string{"X-Tenant", "X-Tenant-Id"} {
			for _, v := range r.Header.Values(name) {
				e.Fields = append(e.Fields, event.HTTPField{Name: strings.ToLower(name), Value: v})
			}
			if len(r.Header.Values(name)) > 1 {
				e.Anomalies = []string{"duplicate_field"}
			}
		}
		out = append(out, describe(e))
		methods = append(methods, r.Method)
	}
	answers := bufio.NewReader(strings.NewReader(responses))
	for i := 0; i < len(methods); {
		r, err := http.ReadResponse(answers, &http.Request{Method: methods[i]})
		if err != nil {
			t.Fatalf("net/http: %v in %q", err, responses)
		}
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			t.Fatal(err)
		}
		if r.StatusCode < 200 {
			continue
		}
		out = append(out, describe(&event.HTTPResponse{Seq: uint64(i + 1), Status: r.StatusCode}), describe(&event.HTTPResponseEnd{Seq: uint64(i + 1), Bytes: uint64(n)}))
		i++
	}
	return out
}

// conversation makes n requests and their responses.
func (w writer) conversation(n int) (requests, responses string) {
	for range n {
		r := w.request()
		requests += r
		method, _, _ := strings.Cut(strings.TrimLeft(r, "\r\n"), " ")
		responses += w.response(method)
	}
	return requests, responses
}

// byName sorts the kept fields of x-tenant before those of x-tenant-id, as expected does.
func byName(lines []string, events []event.Event) []string {
	out := append([]string(nil), lines...)
	for i, e := range events {
		r, ok := e.(*event.HTTPRequest)
		if !ok {
			continue
		}
		sorted := *r
		sorted.Fields = nil
		for _, name := range []string{"x-tenant", "x-tenant-id"} {
			for _, f := range r.Fields {
				if f.Name == name {
					sorted.Fields = append(sorted.Fields, f)
				}
			}
		}
		out[i] = describe(&sorted)
	}
	return out
}

// run feeds both directions, the i-th piece of each with size(i) bytes, and gives the events without their headers.
func run(t testing.TB, requests, responses string, size func(i int) int) []string {
	t.Helper()
	s := newSeen(t)
	var events []event.Event
	c := New(policy(), 1, func(e event.Event) {
		s.emit(e)
		events = append(events, e)
	})
	for _, dir := range []struct {
		data string
		feed func(event.Header, []byte, int)
	}{{requests, c.Request}, {responses, c.Response}} {
		for i, in := 0, dir.data; len(in) > 0; i++ {
			n := min(size(i), len(in))
			dir.feed(zero, []byte(in[:n]), 0)
			in = in[n:]
		}
	}
	return byName(s.lines, events)
}

func TestDifferential(t *testing.T) {
	for seed := range uint64(1500) {
		w := writer{rand.New(rand.NewPCG(seed, 1))}
		requests, responses := w.conversation(1 + w.IntN(4))
		want := expected(t, requests, responses)
		for _, size := range []func(int) int{
			func(int) int { return 1 << 20 },
			func(int) int { return 1 + w.IntN(100) },
			func(int) int { return 1 },
		} {
			got := run(t, requests, responses, size)
			if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
				t.Fatalf("seed %d: got\n%s\nwant\n%s\nof %q\nand %q", seed, g, w, requests, responses)
			}
		}
	}
}

// TestSplitAnywhere cuts every direction of some conversations in two at every byte, and in three around every byte.
func TestSplitAnywhere(t *testing.T) {
	odd := "\r\n\nPOST /a HTTP/1.1\nX-Tenant : a\r\n b\r\nx-tenant: c\nTransfer-Encoding: chunked\n\n3;x\nabc\n0\nT: x\n\n" + "GET /b?c HTTP/1.0\r\n\r\n"
	for seed := range uint64(12) {
		w := writer{rand.New(rand.NewPCG(seed, 2))}
		requests, responses := w.conversation(2)
		if seed == 0 {
			requests, responses = odd, "HTTP/1.1 100 C\r\n\r\n"+ok2+"HTTP/1.0 200 OK\n\nabc"
		}
		whole := strings.Join(run(t, requests, responses, func(int) int { return 1 << 20 }), "\n")
		for at := 1; at < max(len(requests), len(responses)); at++ {
			for _, sizes := range [][]int{{at, 1 << 20}, {at, 1, 1 << 20}} {
				got := strings.Join(run(t, requests, responses, func(i int) int { return sizes[min(i, len(sizes)-1)] }), "\n")
				if got != whole {
					t.Fatalf("seed %d split at %d: got\n%s\nwant\n%s\nof %q\nand %q", seed, at, got, whole, requests, responses)
				}
			}
		}
	}
}
