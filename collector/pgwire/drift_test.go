package pgwire

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

// longAnswer is the server's answer to a SELECT with a row of each tenant.
func longAnswer(t testing.TB, tenants ...string) []pgproto3.BackendMessage {
	t.Helper()
	out := []pgproto3.BackendMessage{fields(field("id", 9, 1, oidInt4, 0), field("tenant_id", 9, 2, oidText, 0))}
	for _, name := range tenants {
		out = append(out, row("1", name))
	}
	return append(out, tag("SELECT 3"), ready('T'))
}

// rowSize is the size of a row of longAnswer with a name of four bytes.
const rowSize = headerSize + 2 + 4 + 1 + 4 + 4

// hole takes bytes from … to out of a step's data: two calls.
func (s step) hole(from, to int) []step {
	return []step{{server: s.server, data: s.data[:from], gap: to - from}, {server: s.server, data: s.data[to:]}}
}

func TestDrift(t *testing.T) {
	whole := server(t, longAnswer(t, "acme", "beta", "zeta", "acme")...)
	inRow := len(server(t, fields(field("id", 9, 1, oidInt4, 0), field("tenant_id", 9, 2, oidText, 0)), row("1", "acme")).data) + 8
	next := []step{
		client(t, &query{String: "SELECT id, tenant_id FROM t"}),
		server(t, longAnswer(t, "acme")...),
	}
	nextLines := func(seq string) []string {
		return []string{`statement ` + seq + ` simple "SELECT id, tenant_id FROM t"`, `result ` + seq + `/0 tenant_id (acme) count=1 "SELECT 3"`, `result ` + seq + `/1 none last`, `ready T`}
	}
	ask := client(t, &query{String: "SELECT id, tenant_id FROM t"})
	prepared := client(t, &parse{Name: "s", Query: "SELECT id, tenant_id FROM t"}, &bind{PreparedStatement: "s"}, &describe{ObjectType: 'P'}, &execute{}, &syncing{})
	again := client(t, &bind{PreparedStatement: "s"}, &describe{ObjectType: 'P'}, &execute{}, &syncing{})
	for _, c := range []struct {
		name  string
		steps []step
		want  []string
	}{
		{"rows in the middle: what was seen stays, and the end is found", append(append([]step{ask}, whole.hole(inRow, inRow+2*rowSize)...), next...),
			append([]string{`statement 1 simple "SELECT id, tenant_id FROM t"`, `result 1/0 tenant_id (acme) count=1 rowscut unseen last`, `ready T`}, nextLines("2")...)},
		{"extended: what was prepared stays", append(append([]step{prepared},
			server(t, append([]pgproto3.BackendMessage{&pgproto3.ParseComplete{}, &pgproto3.BindComplete{}}, longAnswer(t, "acme", "beta", "zeta", "acme")...)...).hole(inRow+10, inRow+10+2*rowSize)...),
			again, server(t, append([]pgproto3.BackendMessage{&pgproto3.BindComplete{}}, longAnswer(t, "acme")...)...)),
			[]string{`statement 1 "SELECT id, tenant_id FROM t"`, `result 1/0 tenant_id (acme) count=1 rowscut unseen last`, `ready T`,
				`statement 2 "SELECT id, tenant_id FROM t"`, `result 2/0 tenant_id (acme) count=1 "SELECT 3" last`, `ready T`}},
		{"the end was not captured: the next answer proves it, without rows", append(append([]step{ask, whole.cut(3 * rowSize)}, next...), next...),
			append([]string{`statement 1 simple "SELECT id, tenant_id FROM t"`, `result 1/0 tenant_id (acme) (beta) count=2 rowscut unseen last`, `ready `,
				`statement 2 simple "SELECT id, tenant_id FROM t"`, `result 2/0 count=1 rowscut "SELECT 3"`, `result 2/1 none last`, `ready T`}, nextLines("3")...)},
		{"the client speaks before the end: it pipelines", append([]step{ask}, append(whole.hole(inRow, inRow+2*rowSize)[:1], rawServer("more rows", 0), client(t, &query{String: "B"}),
			server(t, tag("SELECT 3"), ready('T')), client(t, &query{String: "C"}))...),
			[]string{`statement 1 simple "SELECT id, tenant_id FROM t"`, `desync`, `result 1/0 tenant_id (acme) count=1 rowscut unseen last`, `ready T`, `statement 2 simple "C"`, `result 2/0 unseen last`}},
		{"two answers are owed", append([]step{ask, client(t, &query{String: "B"})}, whole.hole(inRow, inRow+2*rowSize)...),
			[]string{`statement 1 simple "SELECT id, tenant_id FROM t"`, `statement 2 simple "B"`, `desync`, `result 1/0 tenant_id (acme) count=1 unseen last`, `result 2/0 unseen last`}},
		{"what looked like the end was none", append(append([]step{ask}, whole.hole(inRow, inRow+2*rowSize)[:1]...), rawServer("a value: Z\x00\x00\x00\x05I", 0), server(t, row("1", "acme"), tag("SELECT 9"), ready('T')),
			client(t, &query{String: "C"})),
			[]string{`statement 1 simple "SELECT id, tenant_id FROM t"`, `result 1/0 tenant_id (acme) count=1 rowscut unseen last`, `ready I`, `desync`, `ready T`,
				`statement 2 simple "C"`, `result 2/0 unseen last`}},
		{"a name that may be another statement's", []step{client(t, &parse{Name: "s", Query: "A"}, &syncing{}), server(t, &pgproto3.ParseComplete{}, ready('I')),
			client(t, &parse{Name: "s", Query: "B"}, &parse{Query: "C"}, &bind{}, &execute{}, &syncing{}), rawServer("", 100),
			client(t, &bind{PreparedStatement: "s"}, &execute{}, &syncing{})},
			[]string{`ready I`, `statement 1 "C"`, `result 1/0 rowscut unseen last`, `ready `, `statement 2 "" notext`, `result 2/0 unseen last`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := lines(play(t, testConfig(), c.steps))
			diff(t, got, append(append([]string{}, openingLines...), c.want...))
		})
	}
}

// A write of COPY data that is longer than what is captured of it hides rows, not the session.
func TestCopyDataAdrift(t *testing.T) {
	data := client(t, &pgproto3.CopyData{Data: []byte("acme\n")}, &pgproto3.CopyData{Data: []byte("beta\n")}, &pgproto3.CopyDone{}, &syncing{})
	for name, steps := range map[string][]step{
		"simple": {
			client(t, &query{String: "COPY t (tenant_id) FROM STDIN"}), server(t, &pgproto3.CopyInResponse{ColumnFormatCodes: []uint16{0}}),
			data.cut(17), raw("d\x00\x00\x00\x08rest of it", 3), server(t, tag("COPY 2"), ready('I')),
			client(t, &query{String: "A"}), server(t, tag("A"), ready('I')),
		},
		"extended": {
			client(t, &parse{Query: "COPY t (tenant_id) FROM STDIN"}, &bind{}, &execute{}, &syncing{}),
			server(t, &pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, &pgproto3.CopyInResponse{ColumnFormatCodes: []uint16{0}}),
			data.cut(17), server(t, tag("COPY 2"), ready('I')),
			client(t, &query{String: "A"}), server(t, tag("A"), ready('I')),
		},
	} {
		got := strings.Join(lines(play(t, testConfig(), steps)), "\n")
		for _, want := range []string{`tenant_id (acme) rowscut copy=in "COPY 2"`, `simple "A"`, `result 2/0 "A"`} {
			if !strings.Contains(got, want) {
				t.Errorf("%s: no %s in\n%s", name, want, got)
			}
		}
		if strings.Contains(got, "desync") {
			t.Errorf("%s: desynchronised:\n%s", name, got)
		}
	}
}
