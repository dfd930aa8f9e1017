// Package mysql compares tenantsql with a MySQL grammar.
package mysql

import (
	"regexp"
	"strings"
	"testing"

	"tenantrace/correlate/tenantsql"
	"tenantrace/lab/oracle/compare"
	"tenantrace/lab/oracle/generate"
	"tenantrace/lab/oracle/ir"
	"tenantrace/lab/oracle/mytree"
)

func TestGenerated(t *testing.T) {
	compare.Check(t, tenantsql.MySQL, generate.Many(1, true, generate.Count()), mytree.New(false, false).Parse)
}

func TestANSIQuotes(t *testing.T) {
	p := mytree.New(true, false)
	compare.Check(t, tenantsql.MySQL|tenantsql.ANSIQuotes, generate.Many(2, true, generate.Count()/4), p.Parse)
}

func TestNoBackslashEscapes(t *testing.T) {
	p := mytree.New(false, true)
	texts := generate.Many(3, true, generate.Count()/4)
	for i := range texts {
		texts[i] = strings.ReplaceAll(texts[i], `\'s'`, `\'`) // the backslash escapes no quote here
	}
	compare.Check(t, tenantsql.MySQL|tenantsql.NoBackslashEscapes, texts, p.Parse)
}

// returning is what MariaDB's INSERT may end in and the grammar does not know: columns of the table itself, as listed in differences.tsv.
var returning = regexp.MustCompile("(?i) RETURNING `\\w+`\\.`\\w+`(, `\\w+`\\.`\\w+`)*$")

func TestDjango(t *testing.T) {
	p := mytree.New(false, false)
	compare.Check(t, tenantsql.MySQL, compare.Recorded(t, "django-mysql.jsonl"), func(sql string) ([]*ir.Statement, error) {
		return p.Parse(returning.ReplaceAllString(sql, ""))
	})
}

func TestListedDifferences(t *testing.T) {
	compare.Listed(t, "mysql", tenantsql.MySQL, mytree.New(false, false).Parse)
}

func TestSQLAlchemy(t *testing.T) {
	compare.Check(t, tenantsql.MySQL, compare.Recorded(t, "sqlalchemy-mysql.jsonl"), mytree.New(false, false).Parse)
}
