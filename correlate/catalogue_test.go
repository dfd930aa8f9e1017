package correlate

import (
	"fmt"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"tenantrace/collector/event"
	"tenantrace/correlate/tenantsql"
)

const cataloguePolicy = `
database:
  - { engine: postgres, tenant: { columns: [tenant_id], key_prefix: { k: "{tenant}:*" } }, tables: { shared: [plans, features] } }
  - { engine: mysql, tenant: { columns: [tenant_id] }, tables: { shared: [plans, features] } }
`

// described is the result of SELECT * FROM a table of that OID, with or without a tenant column.
func described(oid uint32, columns ...string) *event.Result {
	r := &event.Result{Tag: "SELECT 0", Described: true}
	for i, name := range columns {
		r.Columns = append(r.Columns, event.Column{Name: name, Table: oid, Attr: int16(i + 1), Owner: strings.ToLower(name)})
	}
	return r
}

// asked plays a request of acme with one statement and tells what becomes of it.
func (tr *trace) asked(db event.ConnID, sql string) string {
	tr.t.Helper()
	c := tr.client("acme")
	seq := tr.request(c, 1, "/")
	tr.sql(db, 1, sql)
	tr.respond(c, seq, 1, 200)
	tr.wait(1e9)
	out := summary(tr.last())
	tr.lines = nil
	return out
}

const (
	confirmed = "ok_exact thread literal acme"
	accused   = "violation thread literal beta [CROSS_TENANT_READ]"
	undecided = "unattributed/no_evidence thread literal beta"
	nothing   = "no_tenant thread"
)

func TestOwnersOfColumns(t *testing.T) {
	const join = "SELECT i.id FROM plans p JOIN invoices i ON i.plan = p.id WHERE tenant_id = '%s'"
	const feature = "SELECT i.id FROM invoices i, features f WHERE tenant_id = '%s'"
	for _, tc := range []struct {
		name   string
		before func(tr *trace, db event.ConnID)
		sql    string
		beta   string // what becomes of it with another tenant's value
		acme   string
	}{
		{"nothing is known", func(*trace, event.ConnID) {}, join, undecided, confirmed},
		{"the description of all columns", func(tr *trace, db event.ConnID) {
			tr.sql(db, 9, "SELECT * FROM invoices", described(7, "tenant_id"))
		}, join, accused, confirmed},
		{"a table without the column", func(tr *trace, db event.ConnID) {
			tr.sql(db, 9, "SELECT * FROM plans LIMIT 3", described(8))
		}, join, accused, confirmed},
		{"a description that is not said to be whole", func(tr *trace, db event.ConnID) {
			tr.sql(db, 9, "SELECT * FROM plans LIMIT 3", result("SELECT 0"))
		}, join, undecided, confirmed},
		{"a result column", func(tr *trace, db event.ConnID) {
			tr.sql(db, 9, "SELECT id, tenant_id FROM invoices", rowsOf(7, "acme"))
		}, join, accused, confirmed},
		{"a column list", func(tr *trace, db event.ConnID) {
			tr.sql(db, 9, "INSERT INTO invoices (id, tenant_id) VALUES (1, 'acme')")
		}, join, accused, confirmed},
		{"a list of COPY", func(tr *trace, db event.ConnID) {
			tr.sql(db, 9, "COPY invoices (id, tenant_id) FROM stdin", result("COPY 1"))
		}, join, accused, confirmed},
		{"a qualifier", func(tr *trace, db event.ConnID) {
			tr.sql(db, 9, "SELECT 1 FROM invoices x, plans WHERE x.tenant_id = 'acme'")
		}, join, accused, confirmed},
		{"a statement that failed", func(tr *trace, db event.ConnID) {
			tr.sql(db, 9, "SELECT 1 FROM invoices x, plans WHERE x.tenant_id = 'acme'", failure("42703"))
		}, join, undecided, confirmed},
		{"the same statement, by its own qualifier", func(*trace, event.ConnID) {},
			"SELECT i.tenant_id, (SELECT 1 FROM lines l WHERE l.t = i.tenant_id) FROM plans p JOIN invoices i ON i.plan = p.id WHERE tenant_id = '%s'", accused, confirmed},
		{"another schema's table", func(tr *trace, db event.ConnID) {
			tr.sql(db, 9, "SELECT * FROM audit.invoices", described(7, "tenant_id"))
		}, join, undecided, confirmed},
		{"a column that is spelled otherwise", func(tr *trace, db event.ConnID) {
			tr.sql(db, 9, "SELECT * FROM invoices", described(7, "Tenant_ID"))
		}, join, undecided, confirmed},
		{"a shared table has the column", func(tr *trace, db event.ConnID) {
			tr.sql(db, 9, "SELECT * FROM features", described(9, "tenant_id"))
		}, feature, nothing, nothing},
		{"which of two has it", func(*trace, event.ConnID) {}, feature, undecided, confirmed},
		{"no shared table is there: it does not matter which", func(*trace, event.ConnID) {}, "SELECT 1 FROM orders o JOIN invoices i ON i.o = o.id WHERE tenant_id = '%s'", accused, confirmed},
		{"a query around may have it", func(*trace, event.ConnID) {}, "SELECT 1 FROM orders o WHERE id IN (SELECT o FROM invoices WHERE tenant_id = '%s')", undecided, confirmed},
		{"the inner one has it", func(tr *trace, db event.ConnID) {
			tr.sql(db, 9, "SELECT * FROM invoices", described(7, "tenant_id"))
		}, "SELECT 1 FROM orders o WHERE id IN (SELECT o FROM invoices WHERE tenant_id = '%s')", accused, confirmed},
		{"a key column", func(tr *trace, db event.ConnID) {
			tr.sql(db, 9, "SELECT * FROM plans", described(8))
		}, "SELECT 1 FROM plans p JOIN invoices i ON i.plan = p.id WHERE k = '%s:1'", accused, confirmed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for tenant, want := range map[string]string{"beta": tc.beta, "acme": tc.acme} {
				tr := newTrace(t, cataloguePolicy)
				tr.known("beta")
				tc.before(tr, tr.database()) // another session than the one below
				tr.lines = nil
				if got := tr.asked(tr.database(), fmt.Sprintf(tc.sql, tenant)); got != want {
					t.Errorf("%s: got %s, want %s", tenant, got, want)
				}
			}
		})
	}
}

// TestLearnedOwners: a table that only may have the column is not taken for a tenant's.
func TestLearnedOwners(t *testing.T) {
	tr := newTrace(t, "")
	tr.known("beta")
	db := tr.database()
	tr.sql(db, 9, "SELECT * FROM invoices", described(7, "tenant_id"))
	tr.lines = nil
	if got := tr.asked(db, "SELECT 1 FROM countries c JOIN invoices i ON i.c = c.id WHERE tenant_id = 'acme'"); got != confirmed {
		t.Errorf("got %s", got)
	}
	if got := tr.asked(db, "SELECT name FROM countries"); got != nothing {
		t.Errorf("countries was taken for a tenant's table: %s", got)
	}
}

func TestCatalogueForgets(t *testing.T) {
	const join = "SELECT i.id FROM plans p JOIN invoices i ON i.plan = p.id WHERE tenant_id = 'beta'"
	for _, tc := range []struct {
		name string
		then func(tr *trace, db event.ConnID)
		want string
	}{
		{"nothing happens", func(*trace, event.ConnID) {}, accused},
		{"ALTER TABLE", func(tr *trace, db event.ConnID) { tr.sql(db, 9, "ALTER TABLE invoices DROP COLUMN tenant_id") }, undecided},
		{"ALTER TABLE by another session", func(tr *trace, db event.ConnID) {
			tr.sql(tr.database(), 9, "/* m */ alter table plans add tenant_id text")
		}, undecided},
		{"DROP TABLE", func(tr *trace, db event.ConnID) { tr.sql(db, 9, "DROP TABLE x CASCADE") }, undecided},
		{"CREATE TABLE", func(tr *trace, db event.ConnID) { tr.sql(db, 9, "CREATE UNLOGGED TABLE x (i int)") }, undecided},
		{"CREATE VIEW", func(tr *trace, db event.ConnID) { tr.sql(db, 9, "CREATE OR REPLACE VIEW invoices AS SELECT 1") }, undecided},
		{"a command tag", func(tr *trace, db event.ConnID) {
			tr.seqs[db]++
			tr.play(&event.Statement{Header: tr.head(web, 9), Conn: db, Seq: tr.seqs[db], NoText: true})
			tr.answer(db, tr.seqs[db], result("ALTER TABLE"))
		}, undecided},
		{"a failed ALTER TABLE", func(tr *trace, db event.ConnID) {
			tr.sql(db, 9, "ALTER TABLE invoices DROP COLUMN x", failure("42703"))
		}, accused},
		{"CREATE INDEX", func(tr *trace, db event.ConnID) { tr.sql(db, 9, "CREATE INDEX i ON invoices (tenant_id)") }, accused},
		{"ALTER SEQUENCE", func(tr *trace, db event.ConnID) { tr.sql(db, 9, "ALTER SEQUENCE s RESTART") }, accused},
		{"what is learned in a transaction that is rolled back", func(tr *trace, db event.ConnID) {
			for _, sql := range []string{"BEGIN", "ALTER TABLE plans ADD tenant_id text", "INSERT INTO plans (tenant_id) VALUES ('acme')", "ROLLBACK"} {
				tr.sql(db, 9, sql)
			}
		}, undecided},
		{"others learn while tables change", func(tr *trace, db event.ConnID) {
			tr.sql(db, 9, "BEGIN")
			tr.sql(db, 9, "ALTER TABLE invoices DROP COLUMN tenant_id")
			tr.sql(tr.database(), 9, "SELECT * FROM invoices", described(7, "tenant_id"))
			tr.sql(db, 9, "COMMIT")
		}, undecided},
		{"a temporary table of that name", func(tr *trace, db event.ConnID) {
			tr.sql(db, 9, "CREATE TEMPORARY TABLE IF NOT EXISTS Invoices (tenant_id text)")
		}, undecided},
		{"another temporary table", func(tr *trace, db event.ConnID) { tr.sql(db, 9, "CREATE TEMP TABLE x AS SELECT 1") }, accused},
		{"a temporary table whose name is not read", func(tr *trace, db event.ConnID) { tr.sql(db, 9, `CREATE TEMP TABLE "x y" (i int)`) }, undecided},
		{"SELECT INTO", func(tr *trace, db event.ConnID) { tr.sql(db, 9, "SELECT 1 AS id INTO TEMP plans") }, undecided},
		{"DISCARD ALL", func(tr *trace, db event.ConnID) {
			tr.sql(db, 9, "CREATE TEMP TABLE plans (i int)")
			tr.sql(db, 9, "DISCARD ALL")
		}, accused},
		{"a table of another OID", func(tr *trace, db event.ConnID) {
			tr.sql(db, 9, "SELECT id, tenant_id FROM plans", rowsOf(8, "acme"))
			tr.sql(db, 9, "SELECT id, tenant_id FROM invoices", rowsOf(70, "acme"))
			tr.sql(db, 9, "SELECT * FROM plans", described(0))
			tr.sql(db, 9, "SELECT * FROM invoices", described(0))
		}, undecided}, // neither has it, which the server denies: what is known is of old
		{"another search path", func(tr *trace, db event.ConnID) { tr.sql(db, 9, "SET search_path = audit, public") }, undecided},
		{"the search path of before", func(tr *trace, db event.ConnID) {
			tr.sql(db, 9, "SET search_path = audit, public")
			tr.sql(db, 9, "SELECT * FROM invoices", described(17))
			tr.sql(db, 9, "SELECT * FROM plans", described(18, "tenant_id"))
			tr.sql(db, 9, "RESET search_path")
		}, accused},
		{"a search path that nobody knows", func(tr *trace, db event.ConnID) { tr.sql(db, 9, "SELECT enter_tenant('acme')") }, undecided},
		{"another role", func(tr *trace, db event.ConnID) { tr.sql(db, 9, "SET ROLE other") }, undecided},
		{"code that may change tables", func(tr *trace, db event.ConnID) { tr.sql(db, 9, "DO $$ x $$", result("DO")) }, undecided},
		{"another policy", func(tr *trace, db event.ConnID) {
			tr.engine.SetPolicy(tr.engine.policy)
			tr.shadow.engine.SetPolicy(tr.shadow.engine.policy)
		}, undecided},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tr := newTrace(t, cataloguePolicy)
			tr.known("beta")
			db := tr.database()
			tr.sql(db, 9, "SELECT * FROM invoices", described(7, "tenant_id"))
			tc.then(tr, db)
			tr.lines = nil
			if got := tr.asked(db, join); got != tc.want && !strings.HasPrefix(got, tc.want+" [") && got != strings.Replace(tc.want, " [", " [SESSION_STATE_CARRYOVER ", 1) {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestCatalogueIsBounded(t *testing.T) {
	tr := newTrace(t, cataloguePolicy, Limits{Tables: 10})
	db := tr.database()
	for i := range 100 {
		tr.sql(db, 9, fmt.Sprintf("INSERT INTO t%d (tenant_id) VALUES ('acme')", i))
	}
	d := tr.engine.database(tr.connOf(db))
	if n := d.catalogue.tables.Len(); n != 10 {
		t.Errorf("%d tables are known, want 10", n)
	}
	if n := testutil.ToFloat64(tr.engine.metrics.evictedTotal.WithLabelValues("tables")); n != 90+90 { // of those that a tenant column was seen of, as well
		t.Errorf("%v tables were evicted, want 180", n)
	}
	if d.catalogue.answer(tableKey{at: lookup{role: "app"}, Table: tenantsql.Table{Name: "t99"}}, "tenant_id") != tenantsql.Has {
		t.Error("the last table is not known")
	}
	tr.sql(db, 9, "INSERT INTO t1 (tenant_id) VALUES ('acme')") // taught once, but forgotten since
	if d.catalogue.answer(tableKey{at: lookup{role: "app"}, Table: tenantsql.Table{Name: "t1"}}, "tenant_id") != tenantsql.Has {
		t.Error("what was forgotten is not learned again")
	}
}

func (tr *trace) connOf(id event.ConnID) *connection {
	c, ok := tr.engine.conns.Get(id)
	if !ok {
		tr.t.Fatalf("no connection %d", id)
	}
	return c
}

// TestContradictions: a table that keeps changing is perhaps several.
func TestContradictions(t *testing.T) {
	c := newCatalogue(10, func() {})
	key := tableKey{Table: tenantsql.Table{Name: "t"}}
	for i := range 2 * maxChanges {
		before := c.version
		if news := c.learn(key, 0, "tenant_id", i%2 == 0); news != (i <= maxChanges) {
			t.Errorf("%d: news: %v", i, news)
		}
		if i > 0 && i <= maxChanges && c.version == before {
			t.Errorf("%d: the version is the same", i)
		}
	}
	if c.answer(key, "tenant_id") != tenantsql.Unsaid {
		t.Error("something is known of it")
	}
	c.forget()
	if c.learn(key, 0, "tenant_id", true); c.answer(key, "tenant_id") != tenantsql.Has {
		t.Error("it is not learned anew once tables have changed")
	}
}

func TestCatalogueMySQL(t *testing.T) {
	const join = "SELECT i.id FROM plans p JOIN invoices i ON i.plan = p.id WHERE tenant_id = 'beta'"
	column := func(database, table string) *event.Result {
		r := rowsOf(0, "acme")
		r.Columns[0] = event.Column{Name: "tenant_id", Table: 77, Owner: "tenant_id", Database: database, OrgTable: table, OrgName: "tenant_id"}
		return r
	}
	for _, tc := range []struct {
		name string
		then func(tr *trace, db event.ConnID)
		want string
	}{
		{"nothing is known", func(*trace, event.ConnID) {}, undecided},
		{"a result column says where it is from", func(tr *trace, db event.ConnID) { tr.sql(db, 9, "SELECT * FROM v, w", column("shop", "invoices")) }, accused},
		{"in another database", func(tr *trace, db event.ConnID) { tr.sql(db, 9, "SELECT * FROM v, w", column("other", "invoices")) }, undecided},
		{"another spelling", func(tr *trace, db event.ConnID) { tr.sql(db, 9, "SELECT * FROM v, w", column("shop", "Invoices")) }, undecided},
		{"a qualified name from elsewhere", func(tr *trace, db event.ConnID) {
			tr.sql(tr.mysql("other"), 9, "INSERT INTO shop.invoices (tenant_id) VALUES ('acme')", result("OK 1"))
		}, undecided}, // a catalogue is one database's sessions'
		{"USE", func(tr *trace, db event.ConnID) {
			tr.sql(db, 9, "INSERT INTO invoices (tenant_id) VALUES ('acme')", result("OK 1"))
			tr.sql(db, 9, "USE other", result("OK 0"))
		}, undecided},
		{"* leaves invisible columns out", func(tr *trace, db event.ConnID) { tr.sql(db, 9, "SELECT * FROM plans", described(0)) }, undecided},
		{"RENAME", func(tr *trace, db event.ConnID) {
			tr.sql(db, 9, "INSERT INTO invoices (tenant_id) VALUES ('acme')", result("OK 1"))
			tr.sql(db, 9, "RENAME TABLE plans TO p, invoices TO plans", result("OK 0"))
		}, undecided},
		{"a temporary table hides a qualified one", func(tr *trace, db event.ConnID) {
			tr.sql(db, 9, "INSERT INTO invoices (tenant_id) VALUES ('acme')", result("OK 1"))
			tr.sql(db, 9, "CREATE TEMPORARY TABLE invoices (i int)", result("OK 0"))
		}, undecided},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tr := newTrace(t, cataloguePolicy)
			tr.known("beta")
			db := tr.mysql("shop")
			tc.then(tr, db)
			tr.lines = nil
			if got := tr.asked(db, join); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestChangeOf(t *testing.T) {
	for text, want := range map[string]tableChange{
		"SELECT ?":                                     {},
		"create table a (i int)":                       {tables: true},
		"CREATE OR REPLACE VIEW v AS SELECT ?":         {tables: true},
		"create materialized view v as select ?":       {tables: true},
		"create local temp table if not exists T (i)":  {temp: true, name: "t"},
		"CREATE TEMPORARY TABLE t(i int)":              {temp: true, name: "t"},
		`create temp table "T" (i)`:                    {temp: true},
		"create temp view v as select ?":               {temp: true},
		"create temp table":                            {temp: true},
		"create unique index i on a (b)":               {},
		"CREATE FUNCTION f() RETURNS int":              {},
		"alter table a add b int":                      {tables: true},
		"ALTER ROLE a SET search_path = ?":             {tables: true},
		"drop index i":                                 {},
		"drop view v":                                  {tables: true},
		"rename table a to b":                          {tables: true},
		"CREATE TABLE":                                 {tables: true},
		"import foreign schema s from server x into y": {tables: true},
		"do ?":     {tables: true},
		"truncate": {},
		"":         {},
	} {
		if got := changeOf(text); got != want {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
	}
}
