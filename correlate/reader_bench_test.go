package correlate

import (
	"testing"

	"tenantrace/correlate/bounded"
	"tenantrace/correlate/tenantsql"
)

// djangoText is a query as Django writes it.
const djangoText = `SELECT "shop_order"."id", "shop_order"."tenant_id", "shop_order"."customer_id", "shop_order"."number", "shop_order"."state", ` +
	`"shop_order"."total", "shop_order"."created", "shop_order"."updated", "shop_customer"."id", "shop_customer"."tenant_id", "shop_customer"."name", ` +
	`"shop_customer"."email", "shop_customer"."street", "shop_customer"."city", "shop_customer"."country" FROM "shop_order" INNER JOIN "shop_customer" ` +
	`ON ("shop_order"."customer_id" = "shop_customer"."id" AND "shop_order"."tenant_id" = ("shop_customer"."tenant_id")) WHERE ("shop_order"."tenant_id" = 42 ` +
	`AND "shop_order"."state" IN ('paid', 'shipped', 'returned') AND "shop_order"."created" >= '2026-01-01T00:00:00+00:00'::timestamptz) ORDER BY "shop_order"."created" DESC LIMIT 21`

func testReader() reader {
	return newReader(tenantsql.Config{Columns: []string{"tenant_id"}, Settings: []string{"app.tenant_id"}}, nil, bounded.New[textKey, *analysis](100, nil))
}

// BenchmarkAnalyseCached is a statement whose analysis is kept: the budget is 300 ns and no allocation.
func BenchmarkAnalyseCached(b *testing.B) {
	r := testReader()
	r.analyse(tenantsql.PostgreSQL, djangoText, false)
	b.ReportAllocs()
	for b.Loop() {
		r.analyse(tenantsql.PostgreSQL, djangoText, false)
	}
}

func TestCachedAnalysisAllocatesNothing(t *testing.T) {
	r := testReader()
	first := r.analyse(tenantsql.PostgreSQL, djangoText, false)
	if n := testing.AllocsPerRun(100, func() {
		if r.analyse(tenantsql.PostgreSQL, djangoText, false) != first {
			t.Error("the analysis was not kept")
		}
	}); n != 0 {
		t.Errorf("%.0f allocations", n)
	}
}

// ownersText is a statement whose reading depends on which of its tables has the column.
const ownersText = `SELECT i.id, c.name FROM invoices i JOIN customers c ON c.id = i.customer_id JOIN plans p ON p.id = c.plan_id WHERE tenant_id = $1 AND i.total > 100 ORDER BY i.id LIMIT 20`

// knowingEngine is an engine with a session that has learned of ownersText's tables.
func knowingEngine(tb testing.TB) (*Engine, *session) {
	tr := newTrace(tb, "")
	db := tr.database()
	tr.sql(db, 1, "INSERT INTO customers (tenant_id) VALUES ('acme')")
	tr.sql(db, 1, "SELECT * FROM plans", described(3))
	s := tr.connOf(db).db
	st := tr.engine.analysis(s, ownersText, false).sql
	if rel := st.Relations[1]; rel.Ownership != tenantsql.Sure || len(rel.Values) != 1 {
		tb.Fatalf("%+v", st.Relations)
	}
	return tr.engine, s
}

// BenchmarkAnalyseKnowing is a kept analysis that depends on what is known of tables: each time, that is looked up.
func BenchmarkAnalyseKnowing(b *testing.B) {
	e, s := knowingEngine(b)
	b.ReportAllocs()
	for b.Loop() {
		e.analysis(s, ownersText, false)
	}
}

func TestKnowingAnalysisAllocatesNothing(t *testing.T) {
	e, s := knowingEngine(t)
	first := e.analysis(s, ownersText, false)
	if n := testing.AllocsPerRun(100, func() {
		if e.analysis(s, ownersText, false) != first {
			t.Error("the analysis was not kept")
		}
	}); n != 0 {
		t.Errorf("%.0f allocations", n)
	}
}
