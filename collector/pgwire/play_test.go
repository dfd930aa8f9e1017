package pgwire

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"tenantrace/collector/event"
)

// step is captured bytes of one call: of the client, or of the server.
type step struct {
	server bool
	data   []byte
	gap    int
}

// client encodes messages that one write of the client carries.
func client(t testing.TB, messages ...pgproto3.FrontendMessage) step {
	t.Helper()
	var b []byte
	for _, m := range messages {
		var err error
		if b, err = m.Encode(b); err != nil {
			t.Fatal(err)
		}
	}
	return step{data: b}
}

// server encodes messages that the server sends at once.
func server(t testing.TB, messages ...pgproto3.BackendMessage) step {
	t.Helper()
	var b []byte
	for _, m := range messages {
		var err error
		if b, err = m.Encode(b); err != nil {
			t.Fatal(err)
		}
	}
	return step{server: true, data: b}
}

// raw is bytes of the client, followed by a gap.
func raw(data string, gap int) step { return step{data: []byte(data), gap: gap} }

// rawServer is bytes of the server, followed by a gap.
func rawServer(data string, gap int) step { return step{server: true, data: []byte(data), gap: gap} }

// cut drops the last n bytes of a step's capture.
func (s step) cut(n int) step {
	s.data, s.gap = s.data[:len(s.data)-n], s.gap+n
	return s
}

// wantTenant keeps the columns that the tests call tenant columns.
func wantTenant(column string) bool { return column == "tenant_id" || column == "org" }

func testConfig() Config { return Config{Wanted: wantTenant, Catalog: NewCatalog()} }

// run feeds steps to s. The i-th call has time i+1.
func run(s *Session, steps []step) {
	for i, st := range steps {
		h := event.Header{Time: int64(i + 1), PID: 1, TID: 2}
		if st.server {
			s.Backend(h, st.data, st.gap)
		} else {
			s.Frontend(h, st.data, st.gap)
		}
	}
}

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
	switch e := e.(type) {
	case *event.SessionStarted:
		b.WriteString("started")
		flag(e.Unknown, "unknown")
		if e.Database != "" || e.User != "" {
			fmt.Fprintf(&b, " %s@%s", e.User, e.Database)
		}
		var names []string
		for name := range e.Settings {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			fmt.Fprintf(&b, " %s=%s", name, e.Settings[name])
		}
	case *event.SessionSetting:
		fmt.Fprintf(&b, "setting %s=%s", e.Name, e.Value)
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
		if e.Portal != "" {
			b.WriteString(" portal=" + e.Portal)
		}
		for i, p := range e.Params {
			fmt.Fprintf(&b, " $%d:%d=", i+1, p.OID)
			switch {
			case !p.Known:
				b.WriteString("?")
			case p.Null:
				b.WriteString("NULL")
			default:
				b.WriteString(p.Value)
			}
		}
	case *event.Result:
		fmt.Fprintf(&b, "result %d/%d", e.Seq, e.Index)
		for _, c := range e.Columns {
			fmt.Fprintf(&b, " %s", c.Name)
			if c.Owner != strings.ToLower(c.Name) {
				fmt.Fprintf(&b, "<%s", c.Owner)
			}
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
		if e.Copy != "" {
			b.WriteString(" copy=" + string(e.Copy))
		}
		if e.Tag != "" {
			fmt.Fprintf(&b, " %q", e.Tag)
		}
		if e.Error != "" {
			b.WriteString(" error=" + e.Error)
		}
		flag(e.Suspend, "suspend")
		flag(e.Empty, "empty")
		flag(e.None, "none")
		flag(e.Skipped, "skipped")
		flag(e.Unseen, "unseen")
		flag(e.Last, "last")
	}
	return b.String()
}

// fresh gives a session and where its events go.
func fresh(cfg Config) (*Session, *[]event.Event) {
	var events []event.Event
	s := New(cfg, 1, func(e event.Event) { events = append(events, e) })
	return s, &events
}

// opening is a start-up up to the first ReadyForQuery.
func opening(t testing.TB) []step {
	return []step{
		client(t, &pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion30, Parameters: map[string]string{"user": "app", "database": "shop"}}),
		server(t, &pgproto3.AuthenticationOk{}, &pgproto3.BackendKeyData{ProcessID: 7, SecretKey: []byte{1, 2, 3, 4}}, &pgproto3.ReadyForQuery{TxStatus: 'I'}),
	}
}

// openingLines are the events of opening.
var openingLines = []string{"started app@shop", "ready I"}

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

// field describes a result column.
func field(name string, table uint32, attr uint16, oid uint32, format int16) pgproto3.FieldDescription {
	return pgproto3.FieldDescription{Name: []byte(name), TableOID: table, TableAttributeNumber: attr, DataTypeOID: oid, DataTypeSize: -1, TypeModifier: -1, Format: format}
}

func fields(f ...pgproto3.FieldDescription) *pgproto3.RowDescription {
	return &pgproto3.RowDescription{Fields: f}
}

// row is a DataRow; "NULL" is NULL.
func row(values ...string) *pgproto3.DataRow {
	r := &pgproto3.DataRow{}
	for _, v := range values {
		if v == "NULL" {
			r.Values = append(r.Values, nil)
		} else {
			r.Values = append(r.Values, []byte(v))
		}
	}
	return r
}

func tag(s string) *pgproto3.CommandComplete { return &pgproto3.CommandComplete{CommandTag: []byte(s)} }

func ready(status byte) *pgproto3.ReadyForQuery { return &pgproto3.ReadyForQuery{TxStatus: status} }

func fail(state string) *pgproto3.ErrorResponse {
	return &pgproto3.ErrorResponse{Severity: "ERROR", SeverityUnlocalized: "ERROR", Code: state, Message: "no"}
}

// tick is a header for calls whose time does not matter.
func tick() event.Header { return event.Header{Time: 1 << 20} }
