package pgwire

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"tenantrace/collector/event"
)

// startIn is a start-up for a database.
func startIn(t testing.TB, database string) []step {
	return []step{
		client(t, &pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion30, Parameters: map[string]string{"user": "u", "database": database}}),
		server(t, &pgproto3.AuthenticationOk{}, ready('I')),
	}
}

// ask is a query and its one row of text values.
func ask(t testing.TB, text string, columns *pgproto3.RowDescription, values ...string) []step {
	return []step{client(t, &query{String: text}), server(t, columns, row(values...), tag("SELECT 1"), ready('I'))}
}

func TestCatalog(t *testing.T) {
	cfg := testConfig()
	// results gives the lines of the results with rows.
	results := func(steps ...[]step) (out []string) {
		s, events := fresh(cfg)
		for _, st := range steps {
			run(s, st)
		}
		for _, e := range *events {
			if r, ok := e.(*event.Result); ok && r.Count > 0 {
				out = append(out, line(r))
			}
		}
		return out
	}
	id := fields(field("tenant_id", 9, 2, oidText, 0))
	alias := fields(field("t", 9, 2, oidText, 0))

	diff(t, results(startIn(t, "a"), ask(t, "SELECT tenant_id t FROM x", alias, "acme"), ask(t, "SELECT * FROM x", id, "acme"),
		ask(t, "SELECT tenant_id t FROM x", alias, "acme")),
		[]string{`result 1/0 count=1 "SELECT 1"`, `result 2/0 tenant_id (acme) count=1 "SELECT 1"`, `result 3/0 t<tenant_id (acme) count=1 "SELECT 1"`})
	// Another session of the same database knows it, another database does not.
	diff(t, results(startIn(t, "a"), ask(t, "SELECT tenant_id t FROM x", alias, "acme")), []string{`result 1/0 t<tenant_id (acme) count=1 "SELECT 1"`})
	diff(t, results(startIn(t, "b"), ask(t, "SELECT tenant_id t FROM x", alias, "acme")), []string{`result 1/0 count=1 "SELECT 1"`})
	// A label teaches what it stands for where the text says so: SQLAlchemy calls each column by its table and its name.
	diff(t, results(startIn(t, "labels"), ask(t, "SELECT x.tenant_id AS t FROM x", alias, "acme"), ask(t, "SELECT tenant_id t FROM x", alias, "acme")),
		[]string{`result 1/0 t<tenant_id (acme) count=1 "SELECT 1"`, `result 2/0 t<tenant_id (acme) count=1 "SELECT 1"`})
	// A name that may be an alias teaches nothing: it is kept as what the result calls it.
	name := fields(field("name", 9, 3, oidText, 0))
	for i, text := range []string{
		"SELECT name AS tenant_id FROM x", `SELECT "name" "tenant_id" FROM x`, "SELECT name tenant_id FROM x", "FETCH c", "EXECUTE p",
		"SELECT name -- ,\n tenant_id FROM x", "SELECT 'x,' tenant_id", `SELECT "a,"tenant_id`,
	} {
		database := fmt.Sprint("alias", i)
		diff(t, results(startIn(t, database), ask(t, text, fields(field("tenant_id", 9, 3, oidText, 0)), "shop"), ask(t, "SELECT name FROM x", name, "shop")),
			[]string{`result 1/0 tenant_id (shop) count=1 "SELECT 1"`, `result 2/0 count=1 "SELECT 1"`})
	}
	// Two attributes of a table under one name: neither is believed.
	diff(t, results(startIn(t, "c"), ask(t, "SELECT * FROM x", id, "acme"), ask(t, "SELECT * FROM v", fields(field("tenant_id", 9, 3, oidText, 0)), "shop"),
		ask(t, "SELECT tenant_id AS t, name FROM x", fields(field("t", 9, 2, oidText, 0), field("name", 9, 3, oidText, 0)), "acme", "shop")),
		[]string{`result 1/0 tenant_id (acme) count=1 "SELECT 1"`, `result 2/0 tenant_id (shop) count=1 "SELECT 1"`, `result 3/0 count=1 "SELECT 1"`})
}

// A column that only an alias calls tenant_id holds something else, a partner's name, say: it must not pass for a column of the table.
func TestAliasIsNoColumnOfTheTable(t *testing.T) {
	id := fields(field("tenant_id", 9, 2, oidText, 0))
	other := fields(field("tenant_id", 9, 3, oidText, 0))
	for _, c := range []struct {
		text    string
		columns *pgproto3.RowDescription
		learn   bool
		table   uint32
	}{
		{"SELECT partner AS tenant_id FROM x WHERE tenant_id = 'acme'", other, false, 0},
		{"SELECT partner AS tenant_id FROM x WHERE tenant_id = 'acme'", other, true, 0},
		{"SELECT tenant_id FROM x", id, false, 9},
		{"SELECT x.tenant_id AS tenant_id FROM x", id, false, 9},
		{`SELECT x."tenant_id" "tenant_id" FROM x`, id, false, 9},
		{"FETCH c", id, false, 0},
		{"FETCH c", id, true, 9},
	} {
		s, events := fresh(testConfig())
		run(s, startIn(t, "a"))
		if c.learn {
			run(s, ask(t, "SELECT * FROM x", id, "acme"))
		}
		*events = nil
		run(s, ask(t, c.text, c.columns, "beta"))
		for _, e := range *events {
			if r, ok := e.(*event.Result); ok && r.Count > 0 && (len(r.Columns) != 1 || r.Columns[0].Table != c.table) {
				t.Errorf("%q, learned %v: columns %+v, want one of table %d", c.text, c.learn, r.Columns, c.table)
			}
		}
	}
}

func TestPlainName(t *testing.T) {
	for text, want := range map[string]bool{
		"":                false,
		"SELECT * FROM x": true,
		`SELECT "x"."id", "x"."tenant_id" FROM "x"`:                     true,
		"SELECT tenant_id, id FROM x WHERE TENANT_ID = 1":               true,
		"SELECT id,\n\ttenant_id FROM x":                                true,
		`INSERT INTO x ("tenant_id") VALUES ($1) RETURNING "tenant_id"`: true,
		"SELECT my_tenant_id FROM x":                                    true,
		"SELECT tenant_id_2 FROM x":                                     true,
		"SELECT x.tenant_id AS t FROM x":                                true,
		"SELECT a AS tenant_id FROM x":                                  false,
		"SELECT a as\n\"tenant_id\" FROM x":                             false,
		"SELECT x.tenant_id AS tenant_id FROM x":                        true,
		"SELECT a_tenant_id AS tenant_id FROM x":                        false,
		"SELECT x.tenant_id AS tenant_id, a AS tenant_id FROM x":        false,
		"SELECT a /*,*/ tenant_id FROM x":                               false,
		"SELECT /* by report */ tenant_id, id FROM x":                   true,
		"SELECT id, /* one */ /* two */\n\"tenant_id\" FROM x":          true,
		"SELECT a /* one */ tenant_id FROM x":                           false,
		"SELECT a AS /* , */ tenant_id FROM x":                          false,
		"SELECT a /* , /* two */ */ tenant_id FROM x":                   false,
		"SELECT a /* , /* two */ , */ tenant_id FROM x":                 false,
		"SELECT a */ tenant_id FROM x":                                  false,
		"SELECT a /*/ tenant_id FROM x":                                 false,
		"SELECT f(a) Tenant_Id FROM x":                                  false,
		"tenant_id":                                                     false,
		"SELECT * FROM x FETCH FIRST 3 ROWS ONLY":                       false,
	} {
		if got := plainName(text, "tenant_id"); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestCatalogIsBounded(t *testing.T) {
	c := NewCatalog()
	for i := range 2 * maxNames {
		c.name(fmt.Append(nil, "column", i))
		c.database(fmt.Sprint("database", i))
	}
	tables := c.database("database1")
	for i := range 2 * maxAttributes {
		tables.learn(attribute{uint32(i), 1}, "tenant_id")
	}
	if len(c.names) > maxNames || len(c.databases) > maxDatabases || len(tables.names) > maxAttributes || len(tables.attrs) > maxAttributes {
		t.Errorf("%d names, %d databases, %d and %d attributes", len(c.names), len(c.databases), len(tables.names), len(tables.attrs))
	}
	if tables.owner(attribute{3, 1}) != "tenant_id" {
		t.Error("what was learned first is gone")
	}
}
