// Package postgres compares tenantsql with PostgreSQL's own grammar.
package postgres

import (
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

func TestListedDifferences(t *testing.T) {
	compare.Listed(t, "postgres", tenantsql.PostgreSQL, parse)
}
