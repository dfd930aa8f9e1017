// Package postgres compares tenantsql with PostgreSQL's own grammar.
package postgres

import (
	"slices"
	"testing"

	"tenantrace/correlate/tenantsql"
	"tenantrace/lab/oracle/compare"
	"tenantrace/lab/oracle/generate"
	"tenantrace/lab/oracle/ir"
	"tenantrace/lab/oracle/pgtree"
)

func parse(sql string) ([]*ir.Statement, error) {
	list, err := pgtree.Parse(sql)
	var out []*ir.Statement
	for _, st := range list {
		out = append(out, st.Tree)
	}
	return out, err
}

func TestGenerated(t *testing.T) {
	compare.Check(t, tenantsql.PostgreSQL, generate.Many(1, false, generate.Count()), parse)
}

func TestDjango(t *testing.T) {
	compare.Check(t, tenantsql.PostgreSQL, compare.Recorded(t, "django-postgresql.jsonl"), parse)
}

func TestSQLAlchemy(t *testing.T) {
	compare.Check(t, tenantsql.PostgreSQL, compare.Recorded(t, "sqlalchemy-postgresql.jsonl"), parse)
}

// TestSettings compares what SET sets: forms and values in all combinations.
func TestSettings(t *testing.T) {
	a := compare.Analyzer()
	for _, scope := range []string{"", "SESSION ", "local "} {
		for _, name := range []string{"app.tenant_id", `"app".tenant_id`, `App.Tenant_ID`, "app.other"} {
			for _, is := range []string{" = ", " TO ", "="} {
				for _, value := range []string{"'acme'", "acme", "Acme", `"Acme"`, "42", "-42", "'it''s'", `E'a\'b'`, "DEFAULT", "'a', 'b'", "1.5", "on", "$$x$$", `U&'\0061'`} {
					sql := "SET " + scope + name + is + value
					trees, err := pgtree.Parse(sql)
					if err != nil {
						t.Errorf("%s: %v", sql, err)
						continue
					}
					var got, want []string
					st := a.Analyze(tenantsql.PostgreSQL, sql, false)
					for _, c := range st.Changes {
						local := ""
						if c.Local {
							local = "local "
						}
						got = append(got, local+c.Name+"="+compare.Value(c.Value))
					}
					if name != "app.other" {
						want = trees[0].Sets
					}
					if !slices.Equal(got, want) {
						t.Errorf("%s: got %q, want %q", sql, got, want)
					}
				}
			}
		}
	}
}

func TestListedDifferences(t *testing.T) {
	compare.Listed(t, "postgres", tenantsql.PostgreSQL, parse)
}
