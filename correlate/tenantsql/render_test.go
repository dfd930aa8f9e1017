package tenantsql

import (
	"fmt"
	"strings"
	"testing"
)

// render writes what a statement says about its relations and settings in one line, such as
//
//	orders/o=acme|$1 *log<-acme ~notes
//
// that is name/alias, = the guaranteed values, <- the assigned ones; * marks a target, ~ a heuristic, ! one of which no row is touched; + are the further sets of Every.
func render(st Statement) string {
	var parts []string
	for _, r := range st.Relations {
		var b strings.Builder
		if r.Target {
			b.WriteByte('*')
		}
		if r.Heuristic {
			b.WriteByte('~')
		}
		if r.Untouched {
			b.WriteByte('!')
		}
		if r.Schema != "" {
			b.WriteString(r.Schema + ".")
		}
		b.WriteString(r.Name)
		if r.Alias != "" {
			b.WriteString("/" + r.Alias)
		}
		if len(r.Values) > 0 {
			b.WriteString("=" + renderValues(r.Values))
		}
		if len(r.Assigned) > 0 {
			b.WriteString("<-" + renderValues(r.Assigned))
		}
		for _, e := range r.Every {
			b.WriteString("+" + renderValues(e))
		}
		parts = append(parts, b.String())
	}
	for _, c := range st.Changes {
		local := ""
		if c.Local {
			local = "local "
		}
		parts = append(parts, fmt.Sprintf("{%s%s:=%s}", local, c.Name, renderValues([]Value{c.Value})))
	}
	if st.Calls {
		parts = append(parts, "CALLS")
	}
	if st.Unparsed {
		parts = append(parts, "UNPARSED")
	}
	return strings.Join(parts, " ")
}

func renderValues(vals []Value) string {
	var out []string
	for _, v := range vals {
		switch v.Kind {
		case Literal:
			out = append(out, v.Text)
		case Param:
			text := fmt.Sprintf("$%d", v.Index)
			if v.Array {
				text += "[]"
			}
			out = append(out, text)
		case Setting:
			out = append(out, "setting:"+v.Text)
		default:
			out = append(out, [...]string{Null: "NULL", Default: "DEFAULT", Subquery: "SUBQUERY", Unknown: "UNKNOWN"}[v.Kind])
		}
	}
	return strings.Join(out, "|")
}

func testAnalyzer() *Analyzer {
	return New(Config{Columns: []string{"tenant_id", "Meta#org#tenant"}, Settings: []string{"app.tenant_id", "App.Current_Tenant", "@tenant_id"}})
}

// cases are texts and what render makes of them.
type cases []struct{ sql, want string }

func (c cases) run(t *testing.T, d Dialect) {
	t.Helper()
	c.runWhole(t, d)
	for _, tc := range c {
		checkCuts(t, testAnalyzer(), d, tc.sql)
	}
}

func (c cases) runWhole(t *testing.T, d Dialect) {
	t.Helper()
	a := testAnalyzer()
	for _, tc := range c {
		if got := render(a.Analyze(d, tc.sql, false)); got != tc.want {
			t.Errorf("%s\n got: %s\nwant: %s", tc.sql, got, tc.want)
		}
		if got := render(a.Analyze(d, tc.sql+" ; ", false)); got != tc.want {
			t.Errorf("with a semicolon: %s\n got: %s\nwant: %s", tc.sql, got, tc.want)
		}
	}
}
