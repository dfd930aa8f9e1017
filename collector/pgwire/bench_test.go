package pgwire

import (
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"tenantrace/collector/event"
)

// BenchmarkExtended is one round of the extended protocol: 5 messages of the client, 25 of the server with 20 rows of 8 columns.
func BenchmarkExtended(b *testing.B) {
	var columns []pgproto3.FieldDescription
	for _, name := range []string{"id", "tenant_id", "number", "amount", "currency", "created", "paid", "note"} {
		columns = append(columns, field(name, 5, uint16(len(columns)+1), oidText, 0))
	}
	answer := []pgproto3.BackendMessage{&pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, fields(columns...)}
	for range 20 {
		answer = append(answer, row("4711", "acme", "2024-0001", "100.00", "EUR", "2024-01-01 12:00:00", "NULL", "a note of some length"))
	}
	front := client(b, &parse{Query: "SELECT * FROM invoices WHERE tenant_id = $1 AND id = $2", ParameterOIDs: []uint32{oidText, oidInt8}},
		&bind{ParameterFormatCodes: []int16{0, 1}, Parameters: bytesOf("acme", "\x00\x00\x00\x00\x00\x00\x12\x67")}, &describe{ObjectType: 'P'}, &execute{}, &syncing{}).data
	back := server(b, append(answer, tag("SELECT 20"), ready('I'))...).data
	benchmark(b, front, back)
}

// BenchmarkSimple is one round of the simple protocol with one row.
func BenchmarkSimple(b *testing.B) {
	front := client(b, &query{String: `SELECT "invoices"."id", "invoices"."tenant_id", "invoices"."amount" FROM "invoices" WHERE "invoices"."id" = 4711 LIMIT 21`}).data
	back := server(b, fields(field("id", 5, 1, oidInt8, 0), field("tenant_id", 5, 2, oidText, 0), field("amount", 5, 3, 1700, 0)),
		row("4711", "acme", "100.00"), tag("SELECT 1"), ready('I')).data
	benchmark(b, front, back)
}

// BenchmarkWideRow is a row of 1 MiB of which nothing is kept.
func BenchmarkWideRow(b *testing.B) {
	front := client(b, &query{String: "SELECT body FROM documents"}).data
	back := server(b, fields(field("body", 6, 1, oidText, 0)), row(string(make([]byte, 1<<20))), tag("SELECT 1"), ready('I')).data
	benchmark(b, front, back)
}

func benchmark(b *testing.B, front, back []byte) {
	b.Helper()
	results := 0
	s := New(testConfig(), 1, func(e event.Event) {
		if r, ok := e.(*event.Result); ok && r.Count > 0 {
			results++
		}
	})
	run(s, opening(b))
	h := event.Header{Time: 1}
	b.ReportAllocs()
	b.SetBytes(int64(len(front) + len(back)))
	for b.Loop() {
		s.Frontend(h, front, 0)
		s.Backend(h, back, 0)
	}
	if results != b.N {
		b.Fatalf("%d results of %d", results, b.N)
	}
}

// BenchmarkPrepared is one round with a statement that was prepared before: 3 messages of the client, 23 of the server with 20 rows of 8 columns.
func BenchmarkPrepared(b *testing.B) {
	var columns []pgproto3.FieldDescription
	for _, name := range []string{"id", "tenant_id", "number", "amount", "currency", "created", "paid", "note"} {
		columns = append(columns, field(name, 5, uint16(len(columns)+1), oidText, 0))
	}
	s := New(testConfig(), 1, func(event.Event) {})
	run(s, append(opening(b), client(b, &parse{Name: "s", Query: "SELECT * FROM invoices WHERE tenant_id = $1"}, &describe{ObjectType: 'S', Name: "s"}, &syncing{}),
		server(b, &pgproto3.ParseComplete{}, &pgproto3.ParameterDescription{ParameterOIDs: []uint32{oidText}}, fields(columns...), ready('I'))))
	answer := []pgproto3.BackendMessage{&pgproto3.BindComplete{}}
	for range 20 {
		answer = append(answer, row("4711", "acme", "2024-0001", "100.00", "EUR", "2024-01-01 12:00:00", "NULL", "a note of some length"))
	}
	front := client(b, &bind{PreparedStatement: "s", Parameters: bytesOf("acme")}, &execute{}, &syncing{}).data
	back := server(b, append(answer, tag("SELECT 20"), ready('I'))...).data
	h := event.Header{Time: 1}
	b.ReportAllocs()
	b.SetBytes(int64(len(front) + len(back)))
	for b.Loop() {
		s.Frontend(h, front, 0)
		s.Backend(h, back, 0)
	}
}

// BenchmarkCopyIn is a COPY of 1,000 rows of 8 columns, by format.
func BenchmarkCopyIn(b *testing.B) {
	values := []string{"4711", "acme", "2024-0001", "100.00", "EUR", "2024-01-01 12:00:00", "NULL", "a note of some length"}
	for _, c := range []struct{ name, options, data string }{
		{"text", "", strings.Repeat(strings.Join(values, "\t")+"\n", 1000)},
		{"csv", "CSV", strings.Repeat(strings.Join(values, ",")+"\n", 1000)},
		{"binary", "BINARY", binaryRows(slices.Repeat([][]string{values}, 1000)...)},
	} {
		b.Run(c.name, func(b *testing.B) {
			steps := copyIn(b, copyCase{c.options, "COPY t (id, tenant_id, number, amount, currency, created, paid, note) FROM STDIN " + c.options, c.data, 8, ""}, 8192)
			s := New(testConfig(), 1, func(event.Event) {})
			run(s, append(opening(b), taught(b, false)...))
			b.ReportAllocs()
			b.SetBytes(int64(len(c.data)))
			for b.Loop() {
				run(s, steps)
			}
		})
	}
}
