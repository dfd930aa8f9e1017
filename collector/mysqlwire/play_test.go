package mysqlwire

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tenantrace/collector/event"
)

// call is what one call of a client or a server carries.
type call struct {
	server bool
	data   string
	gap    int
}

func client(data string) call { return call{data: data} }
func server(data string) call { return call{server: true, data: data} }

// ask is a command, answer what the server says to it.
func ask(command string) call         { return client(packet(0, command)) }
func answers(payloads ...string) call { return server(packets(1, payloads...)) }

// cutAt takes n bytes from index at out of a call: what is before them comes in a call of its own.
func (c call) cutAt(at, n int) []call {
	return []call{{c.server, c.data[:at], n}, {c.server, c.data[at+n:], c.gap}}
}

// wantTenant keeps the columns that the tests call tenant columns.
func wantTenant(column string) bool { return column == "tenant_id" || column == "org" }

func testConfig() Config { return Config{Wanted: wantTenant} }

// fresh gives a session and where its events go.
func fresh(cfg Config) (*Session, *[]event.Event) {
	var events []event.Event
	s := New(cfg, 1, func(e event.Event) { events = append(events, e) })
	return s, &events
}

// run feeds calls to s. The i-th has time i+1.
func run(s *Session, calls []call) {
	for i, c := range calls {
		h := event.Header{Time: int64(i + 1), PID: 1, TID: 2}
		if c.server {
			s.Backend(h, []byte(c.data), c.gap)
		} else {
			s.Frontend(h, []byte(c.data), c.gap)
		}
	}
}

// play runs calls in a session of their own, and closes it.
func play(t testing.TB, cfg Config, calls []call) []event.Event {
	t.Helper()
	s, events := fresh(cfg)
	run(s, calls)
	s.Close(tick())
	checkLast(t, *events)
	return *events
}

// opening is a login.
func opening(caps capabilities) []call {
	return []call{server(greetingOf(caps)), client(loginOf(1, caps)), server(packet(2, ok(0, 2)))}
}

// openingLines are the events of opening.
var openingLines = []string{"started app@shop", "ready I"}

// tick is a header for calls whose time does not matter.
func tick() event.Header { return event.Header{Time: 1 << 20} }

// lines says what events were emitted, one line each, without their headers.
func lines(events []event.Event) []string {
	var out []string
	for _, e := range events {
		out = append(out, line(e))
	}
	return out
}

func line(e event.Event) string {
	var b strings.Builder
	flag := func(set bool, name string) {
		if set {
			b.WriteString(" " + name)
		}
	}
	params := func(list []event.Param) {
		for i, p := range list {
			fmt.Fprintf(&b, " $%d=", i+1)
			switch {
			case !p.Known:
				b.WriteString("?")
			case p.Null:
				b.WriteString("NULL")
			default:
				b.WriteString(p.Value)
			}
		}
	}
	switch e := e.(type) {
	case *event.SessionStarted:
		b.WriteString("started")
		flag(e.Unknown, "unknown")
		if e.Database != "" || e.User != "" {
			fmt.Fprintf(&b, " %s@%s", e.User, e.Database)
		}
		if e.Engine != event.MySQL {
			b.WriteString(" of " + string(e.Engine))
		}
	case *event.SessionSetting:
		fmt.Fprintf(&b, "setting %s=%s", e.Name, e.Value)
	case *event.SessionDatabase:
		b.WriteString("database " + e.Database)
	case *event.SessionUnreadable:
		b.WriteString("unreadable " + string(e.Reason))
	case *event.SessionReady:
		fmt.Fprintf(&b, "ready %s", e.Status)
	case *event.SessionDesync:
		b.WriteString("desync")
	case *event.Statement:
		fmt.Fprintf(&b, "statement %d", e.Seq)
		flag(e.Simple, "simple")
		fmt.Fprintf(&b, " %q", e.Text)
		flag(e.Cut, "cut")
		flag(e.NoText, "notext")
		flag(e.Resumed, "resumed")
		params(e.Params)
		for _, set := range e.Sets {
			b.WriteString(" set")
			params(set)
		}
		flag(e.SetsCut, "setscut")
	case *event.Result:
		fmt.Fprintf(&b, "result %d/%d", e.Seq, e.Index)
		for _, c := range e.Columns {
			fmt.Fprintf(&b, " %s", c.Name)
			if c.Owner != strings.ToLower(c.Name) {
				fmt.Fprintf(&b, "<%s", c.Owner)
			}
			if c.OrgTable != "" {
				fmt.Fprintf(&b, "@%s.%s", c.Database, c.OrgTable)
			}
			if c.OrgName != c.Owner {
				fmt.Fprintf(&b, "[%s]", c.OrgName)
			}
			flag(c.Table != 0 && (c.OrgTable == "" || !strings.EqualFold(c.OrgName, c.Owner)), "WRONGTABLE")
		}
		for _, row := range e.Rows {
			var values []string
			for _, v := range row {
				if v == nil {
					values = append(values, "NULL")
				} else {
					values = append(values, *v)
				}
			}
			fmt.Fprintf(&b, " (%s)", strings.Join(values, ","))
		}
		if e.Count > 0 {
			fmt.Fprintf(&b, " count=%d", e.Count)
		}
		flag(e.RowsCut, "rowscut")
		if e.Tag != "" {
			fmt.Fprintf(&b, " %q", e.Tag)
		}
		if e.Error != "" {
			b.WriteString(" error=" + e.Error)
		}
		flag(e.Suspend, "suspend")
		flag(e.None, "none")
		flag(e.Unseen, "unseen")
		flag(e.Last, "last")
	default:
		fmt.Fprintf(&b, "%T", e)
	}
	return b.String()
}

// checkLast fails unless each statement has exactly one last result and no result follows it.
func checkLast(t testing.TB, events []event.Event) {
	t.Helper()
	open := make(map[uint64]bool)
	seq := uint64(0)
	for _, e := range events {
		switch e := e.(type) {
		case *event.Statement:
			if seq++; e.Seq != seq {
				t.Fatalf("statement %d follows %d", e.Seq, seq-1)
			}
			open[e.Seq] = true
		case *event.Result:
			if !open[e.Seq] {
				t.Fatalf("result without an open statement: %s", line(e))
			}
			if e.Last {
				delete(open, e.Seq)
			}
			if len(e.Rows) > event.MaxRows {
				t.Fatalf("%d rows", len(e.Rows))
			}
			for _, row := range e.Rows {
				if len(row) != len(e.Columns) {
					t.Fatalf("row of %d values for %d columns", len(row), len(e.Columns))
				}
			}
		}
	}
	if len(open) > 0 {
		t.Fatalf("statements without a last result: %v", open)
	}
}

func diff(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}
