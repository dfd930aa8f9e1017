package pgwire

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"tenantrace/collector/event"
)

func TestAppendValue(t *testing.T) {
	const id = "11223344-5566-7788-99aa-bbccddeeff00"
	for _, c := range []struct {
		oid    uint32
		format byte
		raw    string
		want   string
		ok     bool
	}{
		{oidInt2, 1, "\xff\xfe", "-2", true},
		{oidInt4, 1, "\x80\x00\x00\x00", "-2147483648", true},
		{oidInt8, 1, "\x7f\xff\xff\xff\xff\xff\xff\xff", "9223372036854775807", true},
		{oidInt4, 1, "\x00\x00\x01", "", false},
		{oidBool, 1, "\x01", "t", true},
		{oidBool, 1, "\x00", "f", true},
		{oidBool, 1, "", "", false},
		{oidText, 1, "acme", "acme", true},
		{oidVarchar, 1, "", "", true},
		{oidBpchar, 1, "a  ", "a  ", true},
		{oidName, 1, "n", "n", true},
		{oidUUID, 1, "\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff\x00", id, true},
		{oidUUID, 1, "\x11", "", false},
		{oidUUID, 0, strings.ToUpper(id), id, true},
		{oidUUID, 0, "{1122-334455667788-99AAbbccddeeff00}", id, true},
		{oidUUID, 0, "112-23344556677-8899AAbbccddeeff00", "112-23344556677-8899AAbbccddeeff00", true},
		{oidUUID, 0, id + "0", id + "0", true},
		{0, 0, strings.ToUpper(id), strings.ToUpper(id), true},
		{0, 1, "abcd", "", false},
		{1700, 1, "abcd", "", false},
		{1700, 0, "1.50", "1.50", true},
		{oidText, unreadable, "abcd", "abcd", true},
		{oidInt4, unreadable, "\x00\x00\x00\x01", "", false},
		{0, unreadable, "abcd", "", false},
		{oidText, 0, strings.Repeat("x", 256), strings.Repeat("x", 256), true},
		{oidText, 0, strings.Repeat("x", 257), "", false},
		{oidText, 1, strings.Repeat("x", 257), "", false},
	} {
		got, ok := appendValue([]byte("+"), c.oid, c.format, []byte(c.raw))
		if string(got) != "+"+c.want || ok != c.ok {
			t.Errorf("type %d, format %d, %q: %q, %v", c.oid, c.format, c.raw, got, ok)
		}
	}
}

// TestLimits passes each bound of what a session keeps, and looks at what it says then.
func TestLimits(t *testing.T) {
	t.Run("text", func(t *testing.T) {
		cfg := testConfig()
		cfg.MaxText = 10
		whole, over := "SELECT '1'", "SELECT '12'"
		diff(t, lines(play(t, cfg, []step{
			client(t, &query{String: whole}, &query{String: over}, &parse{Query: whole}, &bind{}, &execute{}, &parse{Query: strings.Repeat("x", 5000), ParameterOIDs: []uint32{1}}, &bind{}, &execute{}),
		})), append(openingLines, `statement 1 simple "SELECT '1'"`, `statement 2 simple "SELECT '12" cut`, `statement 3 "SELECT '1'"`, `statement 4 "xxxxxxxxxx" cut`,
			`result 1/0 unseen last`, `result 2/0 unseen last`, `result 3/0 unseen last`, `result 4/0 unseen last`))
	})
	t.Run("rows", func(t *testing.T) {
		for _, n := range []int{event.MaxRows, event.MaxRows + 1} {
			answer := []pgproto3.BackendMessage{fields(field("tenant_id", 0, 0, oidText, 0))}
			for i := range 3 * n {
				answer = append(answer, row(fmt.Sprint(i%n)))
			}
			for _, e := range play(t, testConfig(), []step{client(t, &query{String: "Q"}), server(t, append(answer, tag("SELECT"), ready('I'))...)}) {
				if r, ok := e.(*event.Result); ok && r.Count > 0 && (len(r.Rows) != event.MaxRows || r.RowsCut != (n > event.MaxRows) || r.Count != uint64(3*n)) {
					t.Errorf("%d tuples: %d rows, count %d, cut %v", n, len(r.Rows), r.Count, r.RowsCut)
				}
			}
		}
	})
	t.Run("columns", func(t *testing.T) {
		var columns []pgproto3.FieldDescription
		var values []string
		for range maxKept + 1 {
			columns = append(columns, field("tenant_id", 0, 0, oidText, 0))
			values = append(values, "a")
		}
		for _, e := range play(t, testConfig(), ask(t, "Q", fields(columns...), values...)) {
			if r, ok := e.(*event.Result); ok && r.Count > 0 && (len(r.Columns) != maxKept || !r.RowsCut || len(r.Rows) != 1) {
				t.Errorf("%d columns, cut %v", len(r.Columns), r.RowsCut)
			}
		}
	})
	t.Run("statements", func(t *testing.T) {
		s, events := fresh(testConfig())
		run(s, opening(t))
		for i := range maxStatements + 1 {
			name := fmt.Sprint("s", i)
			run(s, []step{
				client(t, &parse{Name: name, Query: name}, &syncing{}), server(t, &pgproto3.ParseComplete{}, ready('I')),
				client(t, &bind{PreparedStatement: "s0"}, &syncing{}), server(t, &pgproto3.BindComplete{}, ready('I')),
			})
		}
		run(s, []step{client(t, &bind{PreparedStatement: "s0"}, &execute{}, &bind{PreparedStatement: "s1"}, &execute{}, &bind{PreparedStatement: "s2"}, &execute{}, &syncing{})})
		var got []string
		for _, e := range *events {
			if st, ok := e.(*event.Statement); ok {
				got = append(got, line(st))
			}
		}
		diff(t, got, []string{`statement 1 "s0"`, `statement 2 "" notext`, `statement 3 "" notext`}) // looking for s1 made room of s2
		if len(s.prepared.statements) != maxStatements {
			t.Errorf("%d statements", len(s.prepared.statements))
		}
	})
	t.Run("bytes", func(t *testing.T) {
		s, _ := fresh(testConfig())
		run(s, opening(t))
		text := strings.Repeat("x", 50000)
		for i := range 100 {
			name := fmt.Sprint("s", i)
			run(s, []step{client(t, &parse{Name: name, Query: text}, &bind{DestinationPortal: name, PreparedStatement: name, Parameters: bytesOf(text, "a", text[:200])}, &query{String: text})})
			if s.prepared.held > maxHeld || len(s.prepared.portals) > maxPortals {
				t.Fatalf("%d bytes, %d portals", s.prepared.held, len(s.prepared.portals))
			}
		}
		s.Close(tick())
		if s.prepared.held != 0 {
			t.Errorf("%d bytes held", s.prepared.held)
		}
	})
	t.Run("pipeline", func(t *testing.T) {
		s, events := fresh(testConfig())
		run(s, opening(t))
		for range maxPending/2 + 1 {
			run(s, []step{client(t, &execute{}, &syncing{})})
		}
		s.Close(tick())
		checkLast(t, *events)
		if got := lines(*events); got[len(got)-1] != fmt.Sprintf("result %d/0 unseen last", maxPending/2+1) {
			t.Error(got[len(got)-1])
		}
	})
}

func TestFormats(t *testing.T) {
	mixed := make([]byte, 2+2*70)
	mixed[1] = 70
	mixed[2+2*69+1] = 1
	many := append([]byte{maxCodes >> 8, maxCodes&0xff + 1, 0, 1}, make([]byte, 2*maxCodes)...)
	for _, c := range []struct {
		body string
		want []byte // of values 0, 1 and 69
	}{
		{"\x00\x00", []byte{0, 0, 0}},
		{"\x00\x01\x00\x00", []byte{0, 0, 0}},
		{"\x00\x01\x00\x01", []byte{1, 1, 1}},
		{"\x00\x02\x00\x01\x00\x01", []byte{1, 1, 1}},
		{"\x00\x02\x00\x01\x00\x00", []byte{1, 0, unreadable}},
		{"\x00\x02\x00\x01\x00\x02", []byte{unreadable, unreadable, unreadable}},
		{"\x00\x02\x01\x00\x00\x00", []byte{unreadable, unreadable, unreadable}},
		{"\x00\x02\x00\x01\x00", []byte{unreadable, unreadable, unreadable}},
		{"", []byte{unreadable, unreadable, unreadable}},
		{string(mixed), []byte{0, 0, 1}},
		{string(many), []byte{unreadable, unreadable, unreadable}},
	} {
		f := readFormats(&cursor{b: []byte(c.body)})
		if got := []byte{f.at(0), f.at(1), f.at(69)}; string(got) != string(c.want) {
			t.Errorf("%.20q: %v, want %v", c.body, got, c.want)
		}
	}
}
