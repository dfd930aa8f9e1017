package measure

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestTable(t *testing.T) {
	sample := func(rate float64, service, daemon time.Duration) Sample {
		return Sample{Rate: rate, P50: time.Millisecond, P99: 2 * time.Millisecond, Service: service, Daemon: daemon, Resident: 50 << 20}
	}
	rounds := []Round{
		{sample(1000, 100*time.Millisecond, 0), sample(900, 110*time.Millisecond, 20*time.Millisecond)},
		{sample(2000, 100*time.Millisecond, 0), sample(2000, 130*time.Millisecond, 40*time.Millisecond)},
		{sample(1500, 200*time.Millisecond, 0), sample(1200, 240*time.Millisecond, 30*time.Millisecond)},
	}
	var out bytes.Buffer
	Table(&out, []string{"without", "with"}, rounds, 1000)
	want := `| | without | with | difference |
|---|---:|---:|---:|
| requests/s | 1500 | 1200 | -10.0 % (-20.0 to +0.0) |
| p50, ms | 1.00 | 1.00 | +0.0 % (+0.0 to +0.0) |
| p99, ms | 2.00 | 2.00 | +0.0 % (+0.0 to +0.0) |
| CPU of the server, µs per request | 100 | 130 | +20.0 % (+10.0 to +30.0) |
| CPU of the daemon, µs per request | | 30 | 3.0 % of a core at 1,000 requests/s |
| resident memory of the daemon, MiB | | 50 | |
`
	if out.String() != want {
		t.Errorf("table:\n%s\nwant:\n%s", out.String(), want)
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{{[]float64{7}, 7}, {[]float64{3, 1}, 2}, {[]float64{9, 1, 2}, 2}} {
		if got := Median(c.values); got != c.want {
			t.Errorf("median of %v is %v, want %v", c.values, got, c.want)
		}
	}
}

func TestMachine(t *testing.T) {
	if m := Machine(); !strings.Contains(m, " CPUs, Linux ") || strings.HasPrefix(m, ",") {
		t.Errorf("machine is %q", m)
	}
}
