package correlate

import (
	"fmt"
	"testing"

	"tenantrace/correlate/verdict"
)

func TestMySQLSession(t *testing.T) {
	const ok, foreign = "ok_exact thread literal acme", "violation thread literal beta [CROSS_TENANT_READ]"
	const set, setBeta = "ok_exact thread session acme", "violation thread session beta [CROSS_TENANT_READ]"
	const byVariable = "SELECT id FROM invoices WHERE tenant_id = @t"
	for _, test := range []script{
		{"backticks", []string{"SELECT `id` FROM `invoices` WHERE `invoices`.`tenant_id` = \"beta\""}, []string{foreign}},
		{"variable", []string{"SET @t = 'acme'", byVariable}, []string{set}},
		{"assigned in a SELECT", []string{"SELECT @t := 'beta'", byVariable}, []string{setBeta}},
		{"INTO", []string{"SELECT 'beta', 1 INTO @t, @n", byVariable}, []string{setBeta}},
		{"a rollback keeps it", []string{"SET @t = 'acme'", "BEGIN", "SET @t = 'beta'", "ROLLBACK", byVariable}, []string{setBeta}},
		{"a savepoint keeps it", []string{"BEGIN", "SET @t = 'acme'", "SAVEPOINT s", "SET @t = 'beta'", "ROLLBACK TO s", byVariable, "COMMIT"}, []string{setBeta}},
		{"EXECUTE USING", []string{"PREPARE p FROM 'SELECT id FROM invoices WHERE tenant_id = ?'", "SET @t = 'beta'", "EXECUTE p USING @t"}, []string{setBeta}},
		{"a function that may set it", []string{"SET @t = 'beta'", "SELECT enter('acme')", byVariable}, []string{"unattributed/session_unknown thread"}},
		{"PREPARE from a variable", []string{"PREPARE p FROM @q", "EXECUTE p"}, []string{"unattributed/session_unknown thread"}},
		{"ANSI_QUOTES", []string{"SET SESSION sql_mode = 'ANSI_QUOTES'", `SELECT id FROM "invoices" WHERE "tenant_id" = 'acme'`}, []string{ok}},
		{"sql_mode that is not known", []string{"SET sql_mode = concat(@@sql_mode, 'x')", `SELECT id FROM invoices WHERE tenant_id = 'acme'`}, []string{ok}},
		{"NO_BACKSLASH_ESCAPES", []string{"SET sql_mode = 'NO_BACKSLASH_ESCAPES'", `SELECT id FROM invoices WHERE n = '\' AND tenant_id = 'acme'`}, []string{ok}},
		{"executable comment", []string{"SELECT /*!40001 SQL_NO_CACHE */ id FROM invoices WHERE tenant_id = 'acme'"}, []string{ok}},
	} {
		t.Run(test.name, func(t *testing.T) {
			tr := newTrace(t, "")
			tr.known("beta")
			c, db := tr.client("acme"), tr.mysql("shop")
			tr.sql(db, 9, selectScoped)
			tr.lines = nil
			r := tr.request(c, 7, "/")
			for _, s := range test.statements {
				tr.runScript(db, s)
			}
			tr.respond(c, r, 7, 200)
			var got []*verdict.Statement
			for _, v := range tr.lines {
				if v.Verdict != verdict.NoTenant {
					got = append(got, v)
				}
			}
			tr.lines = got
			tr.expect(test.want...)
		})
	}
}

// TestManyVariables: a session that sets many variables does not grow without bound, and no value of a forgotten one is shown.
func TestManyVariables(t *testing.T) {
	tr := newTrace(t, "")
	tr.known("beta")
	db := tr.mysql("shop")
	for i := range 10 * maxVariables {
		tr.sql(db, 7, fmt.Sprintf("SET @v%d = 'beta'", i))
	}
	c, _ := tr.engine.conns.Peek(db)
	if n := c.db.settings.Len(); n != maxVariables {
		t.Errorf("%d variables are kept", n)
	}
}

func TestUse(t *testing.T) {
	tr := newTrace(t, "")
	c, db := tr.client("acme"), tr.mysql("shop")
	r := tr.request(c, 7, "/")
	tr.sql(db, 7, "USE archive")
	tr.sql(db, 7, selectScoped)
	tr.respond(c, r, 7, 200)
	if got := tr.lines[len(tr.lines)-1].SQL.Database; got != "archive" {
		t.Errorf("got database %q", got)
	}
}
