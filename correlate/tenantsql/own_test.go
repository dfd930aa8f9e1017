package tenantsql

import (
	"strings"
	"testing"
)

// tables are what a test knows: "+a.tenant_id" of a column that is there, "-a.tenant_id" of one that is not.
type tables string

func (k tables) answer(names []string, q Ask) Answer {
	name := q.Name
	if q.Schema != "" {
		name = q.Schema + "." + name
	}
	for _, fact := range strings.Fields(string(k)) {
		if fact[1:] == name+"."+names[q.Column] {
			if fact[0] == '+' {
				return Has
			}
			return Lacks
		}
	}
	return Unsaid
}

// knowing analyses a text as its readers do: what is asked is looked up, and the text read again.
func (k tables) knowing(a *Analyzer, d Dialect, sql string) Statement {
	st := a.Analyze(d, sql, false)
	var answers Answers
	for i, q := range st.Asks {
		answers = answers.With(i, k.answer(a.Names(), q))
	}
	if answers == 0 {
		return st
	}
	return a.AnalyzeKnowing(d, sql, false, st.Asks, answers)
}

// renderOwned is render, with "?" behind what is contested and "??" behind what may be no table's.
func renderOwned(st Statement) string {
	if len(st.Relations) == 0 {
		return render(st)
	}
	fields := strings.Split(render(st), " ")
	for i := range st.Relations {
		fields[i] += strings.Repeat("?", int(st.Relations[i].Ownership))
	}
	return strings.Join(fields, " ")
}

func TestOwners(t *testing.T) {
	for _, tc := range []struct {
		known     tables
		sql, want string
	}{
		{``, `select 1 from a where tenant_id = 'x'`, `a=x`},
		{``, `select 1 from a join b on a.id = b.a where tenant_id = 'x'`, `a=x? b`},
		{`+b.tenant_id`, `select 1 from a join b on a.id = b.a where tenant_id = 'x'`, `a b=x`},
		{`-a.tenant_id`, `select 1 from a join b on a.id = b.a where tenant_id = 'x'`, `a b=x`},
		{`+a.tenant_id`, `select 1 from a join b on a.id = b.a where tenant_id = 'x'`, `a=x b`},
		{`-a.tenant_id`, `select 1 from a, b, c where tenant_id = 'x'`, `a b=x? c`},
		{`-a.tenant_id -b.tenant_id`, `select 1 from a, b, c where tenant_id = 'x'`, `a b c=x`},
		{`-a.tenant_id -b.tenant_id`, `select 1 from a, b where tenant_id = 'x'`, `a=x?? b`}, // one has it, says the server: the answers are old
		{`-a.tenant_id`, `select 1 from a where tenant_id = 'x'`, `a=x`},
		{`-a.tenant_id -b.tenant_id`, `select 1 from a where id in (select 1 from b where tenant_id = 'x')`, `a b=x??`},
		{``, `select 1 from a join b on b.tenant_id = a.t where tenant_id = 'x'`, `a ~b=x`},              // the text itself says whose it is
		{`+a.tenant_id +b.tenant_id`, `select 1 from a join b on true where tenant_id = 'x'`, `a=x?? b`}, // the server would say that it is ambiguous
		{`+a.tenant_id +b.tenant_id`, `select 1 from c left join a on true left join b on true where tenant_id = 'x'`, `c a=x?? b`},
		{``, `select b.n as tenant_id from a join b on true where a.tenant_id = 'x' order by tenant_id`, `~a=x b`},
		{`+s.b.tenant_id -s.a.tenant_id`, `select 1 from s.a join s.b on true where tenant_id = 'x'`, `s.a s.b=x`},
		{`+s.b.tenant_id -s.a.tenant_id`, `select 1 from a join b on true where tenant_id = 'x'`, `a=x? b`},
		{`+a.tenant_id`, `select 1 from A as q join "a" as r on true where tenant_id = 'x'`, `a/q=x?? a/r`},
		{`+b.tenant_id`, `select 1 from "A" join b on true where "tenant_id" in ('x', 'y')`, `A b=x|y`},
		// The ON of a join sees what is joined there.
		{``, `select 1 from c, a join b on tenant_id = 'x'`, `c a=x? b`},
		{`+b.tenant_id`, `select 1 from c, a join b on tenant_id = 'x'`, `c a b=x`},
		{``, `select 1 from a join b on tenant_id = 'x' join c on true`, `a=x? b c`},
		{`-a.tenant_id`, `select 1 from a left join b on tenant_id = 'x'`, `a b=x`},
		{`+a.tenant_id`, `select 1 from a left join b on tenant_id = 'x'`, `~a b`},
		{``, `select 1 from z, (a join b on a.i = b.i) join c on (c.j = b.j and tenant_id = 'x')`, `z a=x? b c`},
		// Sides that an outer join makes absent.
		{`+b.tenant_id`, `select 1 from a left join b on true where tenant_id = 'x'`, `a b=x`},
		{`-a.tenant_id`, `select 1 from a left join b on true where tenant_id = 'x'`, `a b=x`},
		{`+c.tenant_id`, `select 1 from a left join b on true left join c on true where tenant_id = 'x'`, `a b c=x`},
		{`+a.tenant_id +b.tenant_id`, `select 1 from a right join b using (tenant_id) where tenant_id = 'x'`, `a=x b=x`},
		{`+a.tenant_id +b.tenant_id`, `select 1 from a full join b using (tenant_id) where tenant_id = 'x'`, `~a ~b`},
		// USING and NATURAL.
		{``, `select 1 from a join b using (id) join c using (tenant_id) where c.tenant_id = 'x'`, `a=x? b c=x`},
		{`-a.tenant_id`, `select 1 from a join b using (id) join c using (tenant_id) where c.tenant_id = 'x'`, `a b=x c=x`},
		{`+b.tenant_id`, `select 1 from a join b using (id) join c using (tenant_id) where tenant_id = 'x'`, `a b=x c=x`},
		{``, `select 1 from a natural join b where a.tenant_id = 'x'`, `a=x b`},
		{`+a.tenant_id +b.tenant_id`, `select 1 from a natural join b where a.tenant_id = 'x'`, `a=x b=x`},
		{`+a.tenant_id +b.tenant_id`, `select 1 from a natural join b where tenant_id = 'x'`, `a=x b=x`},
		{`+a.tenant_id +b.tenant_id`, `select 1 from a natural left join b where tenant_id = 'x'`, `a=x b=x`},
		{`+a.tenant_id +b.tenant_id`, `select 1 from a natural left join b where b.tenant_id = 'x'`, `a b=x`},
		{`+a.tenant_id +b.tenant_id`, `select 1 from a natural full join b where tenant_id = 'x'`, `~a ~b`},
		{`+a.tenant_id`, `select 1 from a natural full join b where tenant_id = 'x'`, `a b`},
		{`+a.tenant_id -b.tenant_id`, `select 1 from a natural join b where tenant_id = 'x'`, `a=x b`},
		{`+b.tenant_id`, `select 1 from a natural join b where tenant_id = 'x'`, `a b=x`},
		{`+a.tenant_id +b.tenant_id`, `select 1 from a cross join b where a.tenant_id = 'x'`, `a=x b`},
		{`+a.tenant_id +b.tenant_id +c.tenant_id`, `select 1 from a natural join b natural inner join c where c.tenant_id = 'x'`, `a=x b=x c=x`},
		// Queries in queries: the innermost that has the column.
		{``, `select 1 from a where exists (select 1 from b where tenant_id = 'x')`, `a b=x??`},
		{`+b.tenant_id`, `select 1 from a where exists (select 1 from b where tenant_id = 'x')`, `a b=x`},
		{`-b.tenant_id`, `select 1 from a where exists (select 1 from b where tenant_id = 'x')`, `~a b`},
		{`-a.tenant_id`, `select 1 from a where exists (select 1 from b where tenant_id = 'x')`, `a b=x`},
		{`-b.tenant_id +a.tenant_id`, `select 1 from a where a.tenant_id = 'x' and exists (select 1 from b join c on c.tenant_id = tenant_id)`, `a=x b c`},
		{`-b.tenant_id +a.tenant_id`, `select 1 from a where a.tenant_id = 'x' and exists (select 1 from b where b.t = tenant_id)`, `~a=x b`},
		{`+a.tenant_id -b.tenant_id -c.tenant_id`, `select 1 from a where tenant_id = 'x' and id in (select a from b, c where c.tenant_id = 'y')`, `a=x b c=y`},
		{``, `insert into a (tenant_id) values ((select id from b where tenant_id = 'y'))`, `*a=SUBQUERY<-SUBQUERY b=y`},
		{``, `insert into a (tenant_id) select tenant_id from b where tenant_id = 'y'`, `*a=y<-y b=y`},
		{``, `insert into a (tenant_id) select tenant_id from b, c where tenant_id = 'y'`, `*a=y<-y? b=y? c`},
		{`+c.tenant_id`, `insert into a (tenant_id) select tenant_id from b, c where tenant_id = 'y'`, `*a=y<-y b c=y`},
		// What is no table.
		{``, `select 1 from f(1) g, a where tenant_id = 'x'`, `a=x?? CALLS`},
		{`+a.tenant_id`, `select 1 from f(1) g, a where tenant_id = 'x'`, `a=x CALLS`},
		{``, `select 1 from (select id from c) s, a where tenant_id = 'x'`, `c a=x`},
		{``, `select 1 from (select id, tenant_id from c) s, a where tenant_id = 'x'`, `c=x a`},
		{``, `select 1 from a, (select id, max(tenant_id) as tenant_id from c group by 1) s where tenant_id = 'x'`, `a=x?? c`},
		{``, `select 1 from a, (select id, 1 as n from c) s where tenant_id = 'x'`, `a=x c`},
		{``, `select 1 from a, (select * from c) s where tenant_id = 'x'`, `a=x?? c`},
		{`+c.tenant_id`, `select 1 from a, (select * from c) s where tenant_id = 'x'`, `a c=x`},
		{`-c.tenant_id`, `select 1 from a, (select * from c) s where tenant_id = 'x'`, `a=x c`},
		{``, `select 1 from (select * from c) s where tenant_id = 'x'`, `c=x`},
		{``, `select 1 from (select * from c) s, a where tenant_id = 'x'`, `c=x?? a`},
		{``, `select 1 from (select *, f(n) as tenant_id from c) s where s.tenant_id = 'x'`, `c=x?? CALLS`},
		{`-c.tenant_id`, `select 1 from (select *, f(n) as tenant_id from c) s where s.tenant_id = 'x'`, `c CALLS`},
		{`+c.tenant_id`, `select 1 from (select *, tenant_id = 'q' as own from c) s where s.tenant_id = 'x'`, `c=x`},
		{``, `select 1 from a, (select * from c, d) s where tenant_id = 'x'`, `a=x?? c d`},
		{``, `select 1 from a, (select id, tenant_id::text from c) s where tenant_id = 'x'`, `a=x?? c`},
		{``, `select 1 from a, (select id, n from c union select id, tenant_id from d) s where tenant_id = 'x'`, `a=x?? c d`},
		{``, `with w as (select id from c) select 1 from w, a where tenant_id = 'x'`, `c a=x`},
		{``, `with w (id, tenant_id) as (select n, m from c) select 1 from a, w where tenant_id = 'x'`, `c a=x??`},
		{`+a.tenant_id`, `with w (id, n) as (select id, tenant_id from c) select 1 from w, a where tenant_id = 'x'`, `c a=x`},
		{``, `with w (id, tenant_id) as (select id, tenant_id from c where tenant_id = 'x') select 1 from a join w on w.tenant_id = a.tenant_id`, `c=x a=x`},
		{``, `with w as (insert into c (tenant_id) values ('y') returning *) select 1 from a, w where tenant_id = 'x'`, `*c=y<-y a=x??`},
		{``, `with recursive w as (select id from c union select w.id from w, a where tenant_id = 'x') select 1 from w`, `c a=x??`},
		{``, `select 1 from a, unnest($1::text[]) as u (tenant_id) where a.tenant_id = u.tenant_id`, `a=$1[]`},
		{``, `select 1 from a, unnest($1::text[]) as u (v) where tenant_id = v`, `~a`},
		{``, `select 1 from a as q (id, tenant_id), b where tenant_id = 'x'`, `a/q b=x??`},
		// Changes.
		{``, `update a set n = 1 from b where tenant_id = 'x'`, `*a=x? b`},
		{`+b.tenant_id`, `update a set n = 1 from b where tenant_id = 'x'`, `*a b=x`},
		{``, `update a set tenant_id = 'y' from b where tenant_id = 'x'`, `*a=x<-y? b`}, // assignments are read last
		{`-a.tenant_id`, `delete from a using b where tenant_id = 'x' and a.b = b.id`, `*a b=x`},
		{`+b.tenant_id`, `merge into a using b on a.id = b.id and tenant_id = 'x' when matched then delete`, `*a b=x`},
		// Documents.
		{``, `select 1 from a, b where meta->'org'->>'tenant' = 'x'`, `a=x? b`},
		{`+b.meta`, `select 1 from a, b where meta->'org'->>'tenant' = 'x'`, `a b=x`},
		{`-a.meta`, `select 1 from a, b where meta->'org'->>'tenant' = 'x'`, `a b=x`},
		{``, `select 1 from a join b on b.meta->'org'->>'tenant' = a.x where meta->'org'->>'tenant' = 'x'`, `a b=x`},
		// A field of a composite value is no column.
		{``, `select 1 from a where (addr).tenant_id = 'x'`, `a`},
	} {
		st := tc.known.knowing(testAnalyzer(), PostgreSQL, tc.sql)
		if got := renderOwned(st); got != tc.want {
			t.Errorf("%s\nwith %q\n got: %s\nwant: %s", tc.sql, tc.known, got, tc.want)
		}
	}
}

func TestOwnersMySQL(t *testing.T) {
	for _, tc := range []struct {
		known     tables
		sql, want string
	}{
		{`+b.tenant_id`, "select 1 from a join `b` on a.id = b.a where tenant_id = 'x'", `a b=x`},
		// Which names are the same table's is the server's setting: what is known of one spelling is not said of another.
		{`+b.tenant_id`, "select 1 from a join B on a.id = B.a where tenant_id = 'x'", `a=x? b`},
		{`+B.tenant_id`, "select 1 from a join B on a.id = B.a where tenant_id = 'x'", `a b=x`},
		{`+shop.B.tenant_id`, "select 1 from a join shop.`B` as c on true where tenant_id = 'x'", `a shop.B/c=x`},
		{`+a.tenant_id -b.tenant_id -c.tenant_id`, `select 1 from a cross join b join c on tenant_id = 'x'`, `a=x b c`},
		// Nobody sees invisible columns, which NATURAL leaves out.
		{`+a.tenant_id +b.tenant_id`, `select 1 from a natural join b where a.tenant_id = 'x'`, `a=x b`},
		{`-a.tenant_id +b.tenant_id`, `update a join b on a.i = b.i set tenant_id = 'y' where tenant_id = 'x'`, `*a b=x<-y`},
		{`+b.tenant_id`, `delete a from a join b on a.i = b.i where tenant_id = 'x'`, `*a b=x`},
		{`+a.tenant_id`, `insert into a (tenant_id, n) values ('x', 1) as new on duplicate key update n = new.n`, `*~a<-x`},
		// Aliases.
		{``, `select 1 from a x join b X on x.i = X.i where x.tenant_id = 'p' and X.tenant_id = 'q'`, `a/x=p b/x=q`},
		{``, `select 1 from a Inv where inv.tenant_id = 'p'`, `a/inv=p`},
		{``, `select 1 from a X where exists (select 1 from b x where X.tenant_id = 'q')`, `~a/x ~b/x`},
		{``, `select 1 from a X where exists (select 1 from b x where x.tenant_id = 'q')`, `a/x b/x=q`},
	} {
		st := tc.known.knowing(testAnalyzer(), MySQL, tc.sql)
		if got := renderOwned(st); got != tc.want {
			t.Errorf("%s\nwith %q\n got: %s\nwant: %s", tc.sql, tc.known, got, tc.want)
		}
	}
}

// TestTaught is what a statement says of tables, if the server takes it.
func TestTaught(t *testing.T) {
	for _, tc := range []struct {
		d         Dialect
		sql, want string
	}{
		{PostgreSQL, `select 1 from a where tenant_id = 'x'`, `a+tenant_id`},
		{PostgreSQL, `select 1 from a where lower(tenant_id) = 'x'`, `a`},
		{PostgreSQL, `select 1 from a as q join s.b on q.tenant_id = b.i`, `a+tenant_id s.b`},
		{PostgreSQL, `select 1 from a, b where tenant_id = 'x'`, `a b`},
		{PostgreSQL, `select 1 from a join b using (tenant_id)`, `a+tenant_id b+tenant_id`},
		{PostgreSQL, `select 1 from a join b using (id) join c using (tenant_id)`, `a b c+tenant_id`},
		{PostgreSQL, `select 1 from a where exists (select 1 from b where tenant_id = 'x')`, `a b`},
		{PostgreSQL, `select 1 from (select 'x' as tenant_id from a) s where s.tenant_id = 'x'`, `a`},
		{PostgreSQL, `select 1 from a q (x, tenant_id) where q.tenant_id = 'x'`, `a`},
		{PostgreSQL, `with a as (select 1 as tenant_id) select 1 from a where a.tenant_id = 1`, ``},
		{PostgreSQL, `insert into a (n, tenant_id) values (1, 'x')`, `a+tenant_id`},
		{PostgreSQL, `update a set tenant_id = 'x' where id = 1`, `a+tenant_id`},
		{PostgreSQL, `merge into a using b on a.id = b.id when not matched then insert (tenant_id) values ('x')`, `a+tenant_id b`},
		{PostgreSQL, `copy s.a (id, tenant_id) from stdin`, `s.a+tenant_id`},
		{PostgreSQL, `select 1 from a, b where b.meta->'org'->>'tenant' = 'x'`, `a b+meta`},
		{PostgreSQL, `select n as tenant_id from a order by tenant_id`, `a`},
		{PostgreSQL, `select n as tenant_id from a group by tenant_id having max(tenant_id) = 'x'`, `a`},
		{PostgreSQL, `select n from a order by a.tenant_id`, `a+tenant_id`},
		{PostgreSQL, `select * from a`, `[a]`},
		{PostgreSQL, `select q.* from s.a q where n = 1 order by 1 limit 3`, `[s.a]`},
		{PostgreSQL, `select * from a where tenant_id in (select id from b)`, `[a+tenant_id] b`},
		{PostgreSQL, `select *, 1 from a`, `a`},
		{PostgreSQL, `select * from a, b`, `a b`},
		{PostgreSQL, `select * from a join b on true`, `a b`},
		{PostgreSQL, `select * from a q (x, y)`, `a`},
		{PostgreSQL, `select * from a union select * from b`, `a b`},
		{PostgreSQL, `select * from (select * from a) s`, `a`},
		{PostgreSQL, `with a as (select 1) select * from a`, ``},
		{PostgreSQL, `select (select * from b limit 1) from a`, `a b`},
		{PostgreSQL, `insert into b select * from a`, `b a`},
		{MySQL, `select * from a`, `a`}, // there may be invisible columns
		{MySQL, "update A join `b` on A.tenant_id = b.i set n = 1", `A+tenant_id b`},
	} {
		a := testAnalyzer()
		st := a.Analyze(tc.d, tc.sql, false)
		var out []string
		for i := range st.Relations {
			r := &st.Relations[i]
			text := r.TableOf().Name
			if s := r.TableOf().Schema; s != "" {
				text = s + "." + text
			}
			for n, name := range a.Names() {
				if r.Owns&(1<<n) != 0 {
					text += "+" + name
				}
			}
			if st.Whole == i+1 {
				text = "[" + text + "]"
			}
			out = append(out, text)
		}
		if got := strings.Join(out, " "); got != tc.want {
			t.Errorf("%s\n got: %s\nwant: %s", tc.sql, got, tc.want)
		}
	}
}
