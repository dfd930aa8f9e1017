package pgwire

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"golang.org/x/sys/unix"

	"tenantrace/collector/event"
)

// growing is input of any size that might take more time than its size.
var growing = map[string]func(t testing.TB, n int) []step{
	"rows": func(t testing.TB, n int) []step {
		answer := []pgproto3.BackendMessage{fields(field("tenant_id", 9, 2, oidText, 0))}
		for i := range n {
			answer = append(answer, row(fmt.Sprint("t", i)))
		}
		return []step{client(t, &query{String: "SELECT tenant_id FROM t"}), server(t, append(answer, tag("SELECT"), ready('I'))...)}
	},
	"columns": func(t testing.TB, n int) []step {
		var list []pgproto3.FieldDescription
		for i := range n {
			list = append(list, field("tenant_id", 9, uint16(i+1), oidText, 0))
		}
		return []step{client(t, &query{String: "SELECT " + strings.Repeat("x.tenant_id,", n) + "id tenant_id FROM t"}), server(t, fields(list...), tag("SELECT"), ready('I'))}
	},
	"pipeline": func(t testing.TB, n int) []step {
		ask := client(t, &parse{Query: "SELECT 1"}, &bind{}, &describe{ObjectType: 'P'}, &execute{}, &syncing{})
		answer := server(t, &pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, &pgproto3.NoData{}, tag("SELECT"), ready('I'))
		return []step{{data: slices.Repeat(ask.data, n)}, {server: true, data: slices.Repeat(answer.data, n)}}
	},
	"COPY in a pipeline": func(t testing.TB, n int) []step {
		ask := client(t, &query{String: "COPY t (tenant_id) FROM STDIN"}, &pgproto3.CopyData{Data: []byte("acme\n")}, &pgproto3.CopyDone{})
		answer := server(t, &pgproto3.CopyInResponse{ColumnFormatCodes: []uint16{0}}, tag("COPY 1"), ready('I'))
		return []step{{data: slices.Repeat(ask.data, n)}, {server: true, data: slices.Repeat(answer.data, n)}}
	},
	"COPY without its end in a pipeline": func(t testing.TB, n int) []step {
		answer := server(t, &pgproto3.CopyInResponse{ColumnFormatCodes: []uint16{0}}, fail("08P01"), ready('I'))
		return []step{{data: slices.Repeat(client(t, &query{String: "COPY t (tenant_id) FROM STDIN"}).data, n)}, {server: true, data: slices.Repeat(answer.data, n)}}
	},
	"an error in a pipeline": func(t testing.TB, n int) []step {
		ask := client(t, &parse{Query: "SELECT 1"}, &bind{}, &execute{})
		return []step{{data: append(slices.Repeat(ask.data, n), client(t, &syncing{}).data...)}, server(t, fail("42601"), ready('I'))}
	},
	"statements": func(t testing.TB, n int) []step {
		var all []step
		for i := range n {
			all = append(all, client(t, &parse{Name: fmt.Sprint("s", i), Query: "SELECT 1"}, &bind{DestinationPortal: fmt.Sprint("p", i), PreparedStatement: fmt.Sprint("s", i)}, &syncing{}),
				server(t, &pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, ready('T')))
		}
		return all
	},
	"values": func(t testing.TB, n int) []step {
		return []step{client(t, &parse{Query: "Q"}, &bind{Parameters: slices.Repeat(bytesOf("acme"), n)}, &execute{}, &syncing{})}
	},
	"single bytes": func(t testing.TB, n int) []step {
		return split([]step{client(t, &query{String: strings.Repeat("x", n)}), server(t, fields(field("tenant_id", 9, 2, oidText, 0)), row(strings.Repeat("y", n)), tag("SELECT"), ready('I'))}, func() int { return 1 })
	},
	"comments": func(t testing.TB, n int) []step {
		return []step{client(t, &query{String: "COPY " + strings.Repeat("/*", n)}), server(t, &pgproto3.CopyInResponse{}), client(t, &query{String: "SELECT * FROM " + strings.Repeat("/*", n)}),
			server(t, fields(field("tenant_id", 9, 2, oidText, 0)), tag("SELECT"))}
	},
	"quotes": func(t testing.TB, n int) []step {
		return []step{client(t, &query{String: "COPY t (" + strings.Repeat(`"a""`, n)}), server(t, &pgproto3.CopyInResponse{})}
	},
	"columns of COPY": func(t testing.TB, n int) []step {
		list, line := strings.Repeat("a,", n)+"tenant_id", strings.Repeat("\t", n)+"acme\n"
		return []step{client(t, &query{String: "COPY t (" + list + ") FROM STDIN"}), server(t, &pgproto3.CopyInResponse{ColumnFormatCodes: make([]uint16, n+1)}),
			client(t, &pgproto3.CopyData{Data: []byte(line)}, &pgproto3.CopyDone{}), server(t, tag("COPY 1"), ready('I'))}
	},
	"escapes of COPY": func(t testing.TB, n int) []step {
		return []step{client(t, &query{String: "COPY t (tenant_id) FROM STDIN"}), server(t, &pgproto3.CopyInResponse{ColumnFormatCodes: make([]uint16, 1)}),
			client(t, &pgproto3.CopyData{Data: []byte(strings.Repeat(`\x41\\`, n) + "\n")}, &pgproto3.CopyDone{}), server(t, tag("COPY 1"), ready('I'))}
	},
}

// threadTime is the processor time of the calling thread so far: other than the clock, it stands still while others run.
func threadTime(t testing.TB) time.Duration {
	t.Helper()
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// grown is the time that input of size n takes, of as many runs as it takes to tell.
func grown(t testing.TB, input func(testing.TB, int) []step, n int) time.Duration {
	steps := append(opening(t), input(t, n)...)
	begun := threadTime(t)
	for runs := 1; ; runs++ {
		run(New(testConfig(), 1, func(event.Event) {}), steps)
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
		n := 750
		if name == "columns" { // what is kept of a description ends it
			n = 200
		}
		few, many := grown(t, input, n), grown(t, input, 8*n)
		t.Logf("%-40s %10v %10v  %.1f times", name, few, many, float64(many)/float64(few))
		if many > 20*few {
			t.Errorf("%s: %d take %v, %d take %v", name, n, few, 8*n, many)
		}
	}
}

// BenchmarkGrowing is the same as time for each part of the input.
func BenchmarkGrowing(b *testing.B) {
	for name, input := range growing {
		for _, n := range []int{200, 400, 800, 1600} {
			b.Run(fmt.Sprint(name, "/", n), func(b *testing.B) {
				steps := append(opening(b), input(b, n)...)
				for b.Loop() {
					run(New(testConfig(), 1, func(event.Event) {}), steps)
				}
				b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(n), "ns/part")
			})
		}
	}
}
