package tenantsql

import (
	"fmt"
	"strings"
	"testing"
)

// growing are texts of n nested or repeated parts, all within the caps at the sizes that are measured.
var growing = []struct {
	name string
	text func(n int) string
}{
	{"brackets", func(n int) string {
		return "select * from t where " + strings.Repeat("("+strings.Repeat("(", 40)+"tenant_id=1"+strings.Repeat(")", 40)+") and ", n/8) + "x"
	}},
	{"selects", func(n int) string {
		return "select * from t where " + strings.Repeat("tenant_id in (select tenant_id from (select * from u where tenant_id=1) s) and ", n/4) + "x"
	}},
	{"joins", func(n int) string {
		return "select * from t0 " + strings.Repeat("join t on z.tenant_id=t.tenant_id and z.a=t.b ", n)
	}},
	{"unqualified", func(n int) string {
		return "select * from t0 " + strings.Repeat("join t on tenant_id=1 and a=b ", n) + "where tenant_id=2"
	}},
	{"natural", func(n int) string {
		return "select * from t0 " + strings.Repeat("natural join t ", n) + "where tenant_id=2"
	}},
	{"inner", func(n int) string {
		return "select * from t where " + strings.Repeat("exists (select 1 from u where tenant_id=1) and ", n) + "x"
	}},
	{"stars", func(n int) string {
		return "select * from t" + strings.Repeat(", (select * from (select * from u) a) b", n) + " where " + strings.Repeat("tenant_id=1 and ", n) + "x"
	}},
	{"or", func(n int) string {
		return "select * from t where tenant_id=1" + strings.Repeat(" or tenant_id=2 and x=3", n)
	}},
	{"case", func(n int) string {
		return "select * from t where tenant_id=" + strings.Repeat("case when tenant_id=1 then ", n) + "1" + strings.Repeat(" end", n)
	}},
	{"with", func(n int) string {
		return "with " + strings.Repeat("c as (select * from c),", n) + "d as (select 1) select * from c"
	}},
	{"rows", func(n int) string {
		return "insert into t (a,tenant_id) values " + strings.Repeat("(1,'x'),", n) + "(1,'y')"
	}},
}

// BenchmarkGrowth shows that the time for each byte stays what it is when a text grows.
func BenchmarkGrowth(b *testing.B) {
	a := testAnalyzer()
	for _, g := range growing {
		for _, n := range []int{64, 256, 1024} {
			sql := g.text(n)
			b.Run(fmt.Sprintf("%s/%d", g.name, n), func(b *testing.B) {
				b.SetBytes(int64(len(sql)))
				for b.Loop() {
					a.Analyze(PostgreSQL, sql, false)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(sql)), "ns/byte")
			})
		}
	}
}
