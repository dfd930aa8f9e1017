package mysqlwire

import (
	"fmt"
	"testing"

	"tenantrace/collector/event"
)

// wide is a result of 25 rows and 8 columns.
func wide(table string) (columns, rows []string) {
	for i, name := range []string{"id", "tenant_id", "number", "amount", "currency", "created", "paid", "note"} {
		if table == "" && i == 1 {
			name = "other_id"
		}
		columns = append(columns, def("invoices", name, name, typeString, 0, utf8mb4))
	}
	for range 25 {
		rows = append(rows, textRow("4711", "acme", "2024-0001", "100.00", "EUR", "2024-01-01 12:00:00", "NULL", "a note of some length"))
	}
	return columns, rows
}

// BenchmarkQuery is a query whose result has 25 rows of 8 columns, one of them kept.
func BenchmarkQuery(b *testing.B) {
	columns, rows := wide("invoices")
	benchmark(b, packet(0, "\x03SELECT * FROM invoices WHERE tenant_id = 'acme' AND paid IS NULL ORDER BY id LIMIT 25"), packets(1, result(2, columns, rows...)...))
}

// BenchmarkUnwanted is the same with no column that is kept.
func BenchmarkUnwanted(b *testing.B) {
	columns, rows := wide("")
	benchmark(b, packet(0, "\x03SELECT * FROM invoices WHERE paid IS NULL ORDER BY id LIMIT 25"), packets(1, result(2, columns, rows...)...))
}

// BenchmarkExecute is an execution whose result has 25 rows of 3 columns, two of them kept.
func BenchmarkExecute(b *testing.B) {
	var rows []string
	for range 25 {
		rows = append(rows, binaryRow(le(7, 8), lenenc("acme"), "NULL"))
	}
	benchmark(b, packet(0, executionOf(1, true, text("acme"), int64Of(7))), packets(1, result(2, invoices(), rows...)...))
}

// BenchmarkWideRow is a row of 1 MiB of which nothing is kept.
func BenchmarkWideRow(b *testing.B) {
	benchmark(b, packet(0, "\x03SELECT body FROM documents"), packets(1, result(2, []string{def("documents", "body", "body", typeString, 0, utf8mb4)}, textRow(string(make([]byte, 1<<20))))...))
}

func benchmark(b *testing.B, front, back string) {
	b.Helper()
	results := 0
	s := New(testConfig(), 1, func(e event.Event) {
		if r, ok := e.(*event.Result); ok && r.Count > 0 {
			results++
		}
	})
	run(s, append(opening(modern), ask("\x16SELECT * FROM invoices WHERE tenant_id = ? AND id > ?"), answers(preparedAs(1, 2, invoices(), true)...)))
	h := event.Header{Time: 1}
	f, r := []byte(front), []byte(back)
	b.ReportAllocs()
	b.SetBytes(int64(len(front) + len(back)))
	for b.Loop() {
		s.Frontend(h, f, 0)
		s.Backend(h, r, 0)
	}
	if results != b.N {
		b.Fatalf("%d results of %d", results, b.N)
	}
}

// TestRowsAllocateNothing has results of different length of which nothing is kept, or in which nothing is new: a row more costs no allocation more.
func TestRowsAllocateNothing(t *testing.T) {
	for _, table := range []string{"", "invoices"} {
		columns, rows := wide(table)
		var allocs []float64
		for _, n := range []int{1, 25} {
			s := New(testConfig(), 1, func(event.Event) {})
			run(s, opening(modern))
			front, back := []byte(packet(0, "\x03SELECT 1")), []byte(packets(1, result(2, columns, rows[:n]...)...))
			allocs = append(allocs, testing.AllocsPerRun(100, func() {
				s.Frontend(tick(), front, 0)
				s.Backend(tick(), back, 0)
			}))
		}
		t.Log(fmt.Sprint("allocations of a statement with 1 and with 25 rows: ", allocs))
		if allocs[0] != allocs[1] {
			t.Errorf("table %q: %v allocations with 1 and with 25 rows", table, allocs)
		}
	}
}
