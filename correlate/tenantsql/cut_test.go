package tenantsql

import "testing"

// seen are the values that a statement shows, by relation or setting.
func seen(st Statement) map[string]map[Value]bool {
	out := map[string]map[Value]bool{}
	add := func(name string, vals []Value) {
		if out[name] == nil {
			out[name] = map[Value]bool{}
		}
		for _, v := range vals {
			out[name][v] = true
		}
	}
	for _, r := range st.Relations {
		add(r.Name, r.Values)
		add(r.Name, r.Assigned)
		for _, e := range r.Every {
			add(r.Name, e)
		}
	}
	for _, c := range st.Changes {
		add("setting "+c.Name, []Value{c.Value})
	}
	add("arguments", st.Args)
	return out
}

// literals are the whole literals and parameters of a text.
func literals(d Dialect, sql string) map[Value]bool {
	a := New(Config{})
	s := a.pool.New().(*skimmer)
	s.lex(d, sql, false)
	out := map[Value]bool{}
	for i := range s.n {
		for _, p := range []int{i + 1, s.n} {
			if v := s.expression(i, p, place{-1, -1}); v.Kind != Unknown {
				out[v] = true
			}
			if o, _ := s.operand(i, s.n, place{-1, -1}); o.kind == isValue {
				out[o.value] = true
			}
		}
	}
	return out
}

// checkCuts cuts a text at each byte: no cut may show a value that the whole text does not show for the same relation. Where the rest of a text takes a guarantee
// back (a later OR arm, IS FALSE, ON CONFLICT, a window), which is what Cut warns of, the value must still be a whole one.
func checkCuts(t *testing.T, a *Analyzer, d Dialect, sql string) {
	t.Helper()
	full := a.Analyze(d, sql, false)
	want, whole := seen(full), literals(d, sql)
	partial := map[string]bool{}
	for _, r := range full.Relations {
		partial[r.Name] = partial[r.Name] || r.Heuristic || len(r.Values) == 0
	}
	for n := range len(sql) {
		st := a.Analyze(d, sql[:n], true)
		if !st.Cut {
			t.Fatalf("%q: Cut is not set", sql[:n])
		}
		for name, vals := range seen(st) {
			for v := range vals {
				if v.Kind == Unknown || v.Kind == Subquery || want[name][v] {
					continue
				}
				if one := v; partial[name] {
					if one.Array = false; whole[one] || v.Kind == Setting {
						continue
					}
				}
				t.Errorf("%q\n cut: %q\n shows %+v for %s, which the whole text does not", sql, sql[:n], v, name)
				return
			}
		}
	}
}

func TestCutKeepsWhatWasFound(t *testing.T) {
	a := testAnalyzer()
	for _, tc := range []struct{ sql, want string }{
		{`SELECT * FROM "orders" INNER JOIN "customers" ON ("orders"."tenant_id" = "customers"."tenant_id") WHERE ("orders"."tenant_id" = 42 AND "orders"."state" IN ('paid', 'ship`, `orders=42 customers=42`},
		{`select * from a where tenant_id = 'acme' and x = 'ab`, `a=acme`},
		{`select * from a where tenant_id = 'acme' `, `~a`},
		{`select * from a where tenant_id = 'acme'`, `~a`},
		{`select * from a where tenant_id = 'acm`, `~a`},
		{`select * from a where tenant_id = 12`, `~a`},
		{`select * from a where tenant_id = $1`, `~a`},
		{`select * from a where (tenant_id = 'acme')`, `~a`},
		{`select * from a where tenant_id in ('x', 'y'`, `~a`},
		{`select * from a where tenant_id in ('x', 'y') order`, `~a`},
		{`select * from a where tenant_id in ('x', 'y') order by`, `a=x|y`},
		{`select * from a where tenant_id = 'x' /* and`, `~a`},
		{`select * from public`, ``},
		{`select * from public.`, ``},
		{`select * from public.orders `, `public.orders`},
		{`insert into a (tenant_id, n) values ('x', 1), ('y', 2`, `*a=x|y<-x|y`},
		{`insert into a (tenant_id, n) values ('x'`, `*a`},
		{`update a set tenant_id = 'x', n = 'y`, `*a<-x`},
		{`set app.tenant_id = 'acm`, `{app.tenant_id:=UNKNOWN}`},
		{`set app.tenant_id = 'acme'`, `{app.tenant_id:=UNKNOWN}`},
		{`set search_path = a, b, `, `{search_path:=UNKNOWN}`},
		{`select set_config('app.tenant_id', 'acme', true) `, `{local app.tenant_id:=UNKNOWN}`},
		{`select * from a where tenant_id = 'x' or `, `~a`},
		{`select * from a where (tenant_id = 'x' or tenant_id = 'y') and `, `a=x|y`},
		{`select * from a where tenant_id = $q$ab`, `~a`},
	} {
		st := a.Analyze(PostgreSQL, tc.sql, true)
		if got := render(st); got != tc.want {
			t.Errorf("%s\n got: %s\nwant: %s", tc.sql, got, tc.want)
		}
		if !st.Cut {
			t.Errorf("%s: Cut is not set", tc.sql)
		}
	}
	if st := a.Analyze(PostgreSQL, "sel", true); st.Kind != Other || !st.Cut {
		t.Errorf("a cut keyword: got %+v", st)
	}
	if st := a.Analyze(PostgreSQL, "prepare p as select * from a where tenant_id = 'ac", true); st.Body != "select * from a where tenant_id = 'ac" {
		t.Errorf("a cut body: got %q", st.Body)
	}
	if st := a.Analyze(PostgreSQL, "fetch forward", true); st.Name != "" {
		t.Errorf("a cut name: got %q", st.Name)
	}
}
