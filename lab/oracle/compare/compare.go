// Package compare renders what tenantsql finds as package ir renders what it computes, and counts where the two differ.
package compare

import (
	"fmt"
	"sort"
	"strings"

	"tenantrace/correlate/tenantsql"
	"tenantrace/lab/oracle/ir"
)

// Analyzer makes the analyzer that the oracles are compared with.
func Analyzer() *tenantsql.Analyzer {
	return tenantsql.New(tenantsql.Config{Columns: []string{"tenant_id"}, Settings: []string{"app.tenant_id", "app.current_tenant"}})
}

// Evidence renders the tables of a statement, sorted.
func Evidence(st *tenantsql.Statement) string {
	var out []string
	for i := range st.Relations {
		r := &st.Relations[i]
		var every [][]string
		for _, e := range r.Every {
			every = append(every, values(e))
		}
		out = append(out, ir.Render(r.Target, r.Untouched, r.Schema, r.Name, values(r.Values), every, values(r.Assigned)))
	}
	sort.Strings(out)
	return strings.Join(out, " ")
}

func values(list []tenantsql.Value) (out []string) {
	for _, v := range list {
		out = append(out, Value(v))
	}
	return out
}

// Value prints a value.
func Value(v tenantsql.Value) string {
	array := ""
	if v.Array {
		array = "[]"
	}
	switch v.Kind {
	case tenantsql.Literal:
		return "'" + v.Text + "'"
	case tenantsql.Param:
		return fmt.Sprintf("$%d%s", v.Index, array)
	case tenantsql.Setting:
		return "setting:" + v.Text
	case tenantsql.Null:
		return "NULL"
	case tenantsql.Default:
		return "DEFAULT"
	case tenantsql.Subquery:
		return "SUBQUERY"
	}
	return "UNKNOWN"
}
