package pgwire

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"tenantrace/collector/event"
)

// resultOf is what a server sends for Parse, Bind, Describe, Execute and Sync: 25 messages, of which 20 are rows of 8 columns.
func resultOf(second string, rows int) []pgproto3.BackendMessage {
	var columns []pgproto3.FieldDescription
	for _, name := range []string{"id", second, "number", "amount", "currency", "created", "paid", "note"} {
		columns = append(columns, field(name, 5, uint16(len(columns)+1), oidText, 0))
	}
	answer := []pgproto3.BackendMessage{&pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, fields(columns...)}
	for range rows {
		answer = append(answer, row("4711", "acme", "2024-0001", "100.00", "EUR", "2024-01-01 12:00:00", "NULL", "a note of some length"))
	}
	return append(answer, tag("SELECT 20"), ready('I'))
}

// groupOf is the client's side of it.
func groupOf(t testing.TB) []byte {
	return client(t, &parse{Query: "SELECT * FROM invoices WHERE tenant_id = $1 AND id = $2", ParameterOIDs: []uint32{oidText, oidInt8}},
		&bind{ParameterFormatCodes: []int16{0, 1}, Parameters: bytesOf("acme", "\x00\x00\x00\x00\x00\x00\x12\x67")}, &describe{ObjectType: 'P'}, &execute{}, &syncing{}).data
}

// BenchmarkResult times the two sides of a group of the extended protocol by themselves: 5 messages of the client, 25 of the server. Of its 8 columns none is wanted, or one.
func BenchmarkResult(b *testing.B) {
	const groups = 8 // in a pipeline, so that what is timed is longer than a look at the clock
	for name, second := range map[string]string{"unwanted": "owner", "wanted": "tenant_id"} {
		b.Run(name, func(b *testing.B) {
			s := New(testConfig(), 1, func(event.Event) {})
			run(s, opening(b))
			front, back := groupOf(b), server(b, resultOf(second, 20)...).data
			h := event.Header{Time: 1}
			var asked, answered time.Duration
			n := 0
			for b.Loop() {
				begun := time.Now()
				for range groups {
					s.Frontend(h, front, 0)
				}
				between := time.Now()
				for range groups {
					s.Backend(h, back, 0)
				}
				asked, answered = asked+between.Sub(begun), answered+time.Since(between)
				n += groups
			}
			if s.seq != uint64(n) || s.queue.n != 0 || s.phase != running {
				b.Fatalf("%d statements of %d, %d messages in flight", s.seq, n, s.queue.n)
			}
			b.ReportMetric(float64(asked)/float64(n), "ns/group")
			b.ReportMetric(float64(answered)/float64(n), "ns/result")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// TestRowsAllocateNothing has results of different length of which nothing is kept, or in which nothing is new: a message more costs no allocation more. What is
// left is what the events of a group are made of, and its statement and portal.
func TestRowsAllocateNothing(t *testing.T) {
	for second, most := range map[string]float64{"owner": 10, "tenant_id": 14} {
		var allocs []float64
		for _, n := range []int{1, 20} {
			s := New(testConfig(), 1, func(event.Event) {})
			run(s, opening(t))
			front, back := groupOf(t), server(t, resultOf(second, n)...).data
			group := func() {
				s.Frontend(tick(), front, 0)
				s.Backend(tick(), back, 0)
			}
			for range maxStars { // it learns from the first ones
				group()
			}
			allocs = append(allocs, testing.AllocsPerRun(100, group))
		}
		t.Logf("allocations of a statement with 1 and with 20 rows, %s: %v", second, allocs)
		if allocs[0] != allocs[1] || allocs[0] > most {
			t.Errorf("%s: %v allocations with 1 and with 20 rows, want %v", second, allocs, most)
		}
	}
}
