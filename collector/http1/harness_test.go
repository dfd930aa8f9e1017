package http1

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"tenantrace/collector/event"
)

// policy keeps what the tests call tenant fields.
func policy() Config {
	return Config{Fields: func(name []byte) bool { return strings.HasPrefix(string(name), "x-tenant") }}
}

// seen collects events as text, one line each, and checks what must hold for every connection.
type seen struct {
	t      testing.TB
	lines  []string
	last   uint64
	ended  map[uint64]bool
	status map[uint64]bool
}

func newSeen(t testing.TB) *seen {
	return &seen{t: t, ended: map[uint64]bool{}, status: map[uint64]bool{}}
}

func (s *seen) emit(e event.Event) {
	switch e := e.(type) {
	case *event.HTTPRequest:
		if e.Seq != s.last+1 {
			s.t.Fatalf("request %d follows request %d", e.Seq, s.last)
		}
		s.last = e.Seq
		texts := []string{e.Method, e.Path, e.Host, e.ID, e.Traceparent}
		for _, f := range e.Fields {
			texts = append(texts, f.Name, f.Value)
		}
		for _, text := range texts {
			if !utf8.ValidString(text) {
				s.t.Fatalf("%q is no UTF-8", text)
			}
		}
	case *event.HTTPResponse:
		if e.Seq == 0 || e.Seq > s.last || s.ended[e.Seq] || s.status[e.Seq] {
			s.t.Fatalf("response of request %d is out of place", e.Seq)
		}
		s.status[e.Seq] = true
	case *event.HTTPResponseEnd:
		if e.Seq == 0 || e.Seq > s.last || s.ended[e.Seq] {
			s.t.Fatalf("end of request %d is out of place", e.Seq)
		}
		s.ended[e.Seq] = true
	}
	s.lines = append(s.lines, describe(e))
}

func describe(e event.Event) string {
	switch e := e.(type) {
	case *event.HTTPRequest:
		out := fmt.Sprintf("%d> %q %q %q", e.Seq, e.Version, e.Method, e.Path)
		for _, p := range [][2]string{{"host", e.Host}, {"id", e.ID}, {"trace", e.Traceparent}} {
			if p[1] != "" {
				out += fmt.Sprintf(" %s=%q", p[0], p[1])
			}
		}
		for _, f := range e.Fields {
			out += fmt.Sprintf(" %s:%q", f.Name, f.Value)
		}
		if len(e.Anomalies) > 0 {
			out += " !" + strings.Join(e.Anomalies, ",")
		}
		return fmt.Sprintf("%s @%d", out, e.TID)
	case *event.HTTPResponse:
		return fmt.Sprintf("%d< %d @%d", e.Seq, e.Status, e.TID)
	case *event.HTTPResponseEnd:
		return fmt.Sprintf("%d. %d %s@%d", e.Seq, e.Bytes, e.Reason, e.TID)
	}
	return fmt.Sprintf("%T", e)
}

// step is one call: "> " and "< " bytes of a direction, ">>" and "<<" unknown loss, "late", "close". A gap follows the data.
type step struct {
	op   string
	data string
	gap  int
}

// play runs the steps; the n-th call, from 1, is made by thread n.
func play(t testing.TB, cfg Config, steps ...step) []string {
	t.Helper()
	s := newSeen(t)
	c := New(cfg, 7, s.emit)
	for i, st := range steps {
		h := event.Header{Time: int64(i), PID: 1, TID: uint32(i + 1)}
		switch st.op {
		case ">":
			c.Request(h, []byte(st.data), st.gap)
		case "<":
			c.Response(h, []byte(st.data), st.gap)
		case ">>":
			c.Desync(h, ToServer)
		case "<<":
			c.Desync(h, ToClient)
		case "late":
			c.Late(h)
		case "close":
			c.Close(h)
		default:
			t.Fatalf("unknown step %q", st.op)
		}
	}
	return s.lines
}

func same(t *testing.T, got []string, want ...string) {
	t.Helper()
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
}
