package tenantsql

import "testing"

// djangoJoin is a query as Django writes it, with two joined tables.
const djangoJoin = `SELECT "shop_order"."id", "shop_order"."tenant_id", "shop_order"."customer_id", "shop_order"."number", "shop_order"."state", ` +
	`"shop_order"."total", "shop_order"."created", "shop_order"."updated", "shop_customer"."id", "shop_customer"."tenant_id", "shop_customer"."name", ` +
	`"shop_customer"."email", "shop_customer"."street", "shop_customer"."city", "shop_customer"."country" FROM "shop_order" INNER JOIN "shop_customer" ` +
	`ON ("shop_order"."customer_id" = "shop_customer"."id" AND "shop_order"."tenant_id" = ("shop_customer"."tenant_id")) WHERE ("shop_order"."tenant_id" = 42 ` +
	`AND "shop_order"."state" IN ('paid', 'shipped', 'returned') AND "shop_order"."created" >= '2026-01-01T00:00:00+00:00'::timestamptz) ORDER BY "shop_order"."created" DESC LIMIT 21`

func BenchmarkAnalyze(b *testing.B) {
	a := testAnalyzer()
	for _, bc := range []struct{ name, sql string }{
		{"django_join", djangoJoin},
		{"insert", `INSERT INTO "shop_invoice" ("tenant_id", "amount", "created") VALUES ('acme', 5, '2026-01-01'::timestamptz) RETURNING "shop_invoice"."id"`},
		{"by_key", `SELECT "shop_invoice"."id", "shop_invoice"."tenant_id" FROM "shop_invoice" WHERE "shop_invoice"."id" = $1 LIMIT 21`},
		{"set_local", `SET LOCAL app.tenant_id = 'acme'`},
		{"begin", `BEGIN`},
	} {
		b.Run(bc.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(bc.sql)))
			for b.Loop() {
				a.Analyze(PostgreSQL, bc.sql, false)
			}
		})
	}
}

// BenchmarkSplit takes a text that needs no scan, and one that does.
func BenchmarkSplit(b *testing.B) {
	for _, bc := range []struct{ name, sql string }{{"single", djangoJoin}, {"several", djangoJoin + "; SELECT 1"}} {
		b.Run(bc.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(bc.sql)))
			for b.Loop() {
				Split(PostgreSQL, bc.sql, false)
			}
		})
	}
}

func BenchmarkFingerprint(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Fingerprint(djangoJoin)
	}
}

func TestAllocations(t *testing.T) {
	a := testAnalyzer()
	if got := render(a.Analyze(PostgreSQL, djangoJoin, false)); got != "shop_order=42 shop_customer=42" {
		t.Fatalf("got %q", got)
	}
	// The budget is 40; a pool that the collector empties now and then costs a few.
	if n := testing.AllocsPerRun(200, func() { a.Analyze(PostgreSQL, djangoJoin, false) }); n > 20 {
		t.Errorf("%.0f allocations", n)
	}
}
