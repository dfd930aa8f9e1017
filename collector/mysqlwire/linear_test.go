package mysqlwire

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"tenantrace/collector/event"
)

// growing is input of any size that might take more time than its size.
var growing = map[string]func(n int) []call{
	"rows": func(n int) []call {
		var rows []string
		for i := range n {
			rows = append(rows, textRow("1", fmt.Sprint("t", i), "NULL"))
		}
		return []call{ask("\x03" + selectAll), answers(result(2, invoices(), rows...)...)}
	},
	"columns": func(n int) []call {
		columns := slices.Repeat([]string{def("x", "tenant_id", "tenant_id", typeString, 0, utf8mb4)}, n)
		return []call{ask("\x03SELECT " + strings.Repeat("x.tenant_id,", n) + "1"), answers(result(2, columns)...)}
	},
	"pipeline": func(n int) []call {
		return []call{client(strings.Repeat(packet(0, "\x03SELECT 1"), n)), server(strings.Repeat(packet(1, ok(0, 2)), n))}
	},
	"statements": func(n int) []call {
		var calls []call
		for i := range n {
			calls = append(calls, ask("\x16SELECT 1"), answers(preparedAs(uint32(i), 0, nil, true)...))
		}
		return calls
	},
	"results of a text": func(n int) []call {
		return []call{ask("\x03" + strings.Repeat("DO 1;", n)), answers(append(slices.Repeat([]string{ok(0, 2|statusMoreResults)}, n-1), ok(0, 2))...)}
	},
	"results of a call": func(n int) []call {
		one := result(2|statusMoreResults, []string{def("invoices", "tenant_id", "tenant_id", typeString, 0, utf8mb4)}, textRow("acme"))
		return []call{ask("\x03CALL p()"), answers(append(slices.Repeat(one, n), ok(0, 2))...)}
	},
	"sets of a bulk execution": func(n int) []call {
		var sets strings.Builder
		for i := range n {
			sets.WriteString("\x00" + lenenc(fmt.Sprint("t", i)))
		}
		return []call{ask("\x16INSERT INTO t VALUES (?)"), answers(preparedAs(1, 1, nil, true)...), ask("\xfa" + le(1, 4) + le(bulkTypes, 2) + "\xfd\x00" + sets.String()), answers(ok(1, 2))}
	},
	"values": func(n int) []call {
		binds := slices.Repeat([]bind{text("acme")}, n)
		return []call{ask("\x16DO " + strings.Repeat("?,", n)), answers(preparedAs(1, n, nil, true)...), ask(executionOf(1, true, binds...)), answers(ok(1, 2))}
	},
	"long values": func(n int) []call {
		calls := []call{ask("\x16DO ?"), answers(preparedAs(1, 1, nil, true)...)}
		for i := range n {
			calls = append(calls, ask("\x18"+le(1, 4)+le(uint64(i), 2)+"a"))
		}
		return calls
	},
	"single bytes": func(n int) []call {
		return split([]call{ask("\x03" + strings.Repeat("x", n)), answers(result(2, invoices(), textRow(strings.Repeat("y", n), "acme", "NULL"))...)}, func() int { return 1 })
	},
}

// grown is the time that input of size n takes, of as many runs as it takes to tell.
func grown(t *testing.T, input func(int) []call, n int) time.Duration {
	calls := append(opening(modern), input(n)...)
	begun := threadTime(t)
	for runs := 1; ; runs++ {
		run(New(testConfig(), 1, func(event.Event) {}), calls)
		if took := threadTime(t) - begun; took > 20*time.Millisecond {
			return took / time.Duration(runs)
		}
	}
}

// TestTimeIsLinear has each input with eight times as much of it: eight times the time is linear, sixty-four would be quadratic.
func TestTimeIsLinear(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for name, input := range growing {
		few, many := grown(t, input, 500), grown(t, input, 4000)
		t.Logf("%-30s %10v %10v  %.1f times", name, few, many, float64(many)/float64(few))
		if many > 20*few {
			t.Errorf("%s: 500 take %v, 4000 take %v", name, few, many)
		}
	}
}

// BenchmarkGrowing is the same as time for each part of the input.
func BenchmarkGrowing(b *testing.B) {
	for name, input := range growing {
		for _, n := range []int{500, 1000, 2000, 4000} {
			b.Run(fmt.Sprint(name, "/", n), func(b *testing.B) {
				calls := append(opening(modern), input(n)...)
				for b.Loop() {
					run(New(testConfig(), 1, func(event.Event) {}), calls)
				}
				b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(n), "ns/part")
			})
		}
	}
}
