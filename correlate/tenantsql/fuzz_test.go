package tenantsql

import (
	"hash/fnv"
	"strings"
	"testing"
	"unicode/utf8"
)

func seeds(f *testing.F) {
	for _, sql := range []string{
		`SELECT "a"."id" FROM "a" LEFT OUTER JOIN "b" ON ("a"."tenant_id" = "b"."tenant_id") WHERE ("a"."tenant_id" = 'acme' OR "a"."tenant_id" IN ('x', E'y\'')) ORDER BY 1 LIMIT 21`,
		`with recursive r(x) as (select 1 union all select * from s where (tenant_id, id) = ($1, $2)) search depth first by x set y insert into t as u (tenant_id) select 'x' from r on conflict (tenant_id) do update set n = excluded.n where u.tenant_id = any($3::text[]) returning *`,
		`merge into t using (values (1, 'x')) as v (id, tenant_id) on t.id = v.id when not matched by source and t.x then delete when not matched then insert (tenant_id) values (v.tenant_id)`,
		`update t set (a, tenant_id) = (select 1, $1), tenant_id = default from u where t.tenant_id = (select current_setting('app.tenant_id', true)::uuid)`,
		`select set_config('app.tenant_id', $1, true), case when exists (select 1 from t where not tenant_id = $q$x$q$) then 1 end`,
		"insert ignore into `t` (`tenant_id`) values (?), row(0x1f) on duplicate key update n = values(n) /*!50000 or 1 */ # x",
		`delete a, b.* from a join b using (tenant_id) where a.tenant_id <=> @tenant_id && x between 1 and 2 xor y`,
		`set local search_path to "$user", x, 'y'`,
		`prepare p (int) as select U&'\0061' uescape '!'; execute p (1); explain (analyze off) select 1; fetch 3 from c`,
		`copy (select * from only (t) x tablesample system(1) repeatable (2)) to stdout; truncate only t *, u; create table n as table t with no data`,
		"select 'a\\' /* /* */ '' \x00 \xff $ $$ $a$ u& e'\\x4",
		`select * from a natural left join b join c using (tenant_id), unnest($1) u (x), (select *, 1 as tenant_id from d) s where tenant_id = 'x' and exists (select 1 from e where tenant_id = n)`,
		`))((][ select from from where and or not in ( ) , . :: = `,
	} {
		for _, d := range []uint8{0, 1, 3, 7, 8} {
			f.Add(sql, d, false)
			f.Add(sql, d, true)
		}
	}
}

func FuzzAnalyze(f *testing.F) {
	seeds(f)
	a := testAnalyzer()
	const marker = "Qz7marker"
	f.Fuzz(func(t *testing.T, sql string, dialect uint8, cut bool) {
		d := Dialect(dialect) & dialectBits
		st := a.Analyze(d, sql, cut)
		if len(st.Shape) > maxShape || !utf8.ValidString(st.Shape) && utf8.ValidString(sql) {
			t.Errorf("shape of %d bytes: %q", len(st.Shape), st.Shape)
		}
		if again := a.Analyze(d, sql, cut); render(again) != render(st) || again.Shape != st.Shape {
			t.Errorf("not the same twice: %q and %q", render(st), render(again))
		}
		for _, r := range st.Relations {
			if len(r.Values) > 2*maxValues+2 {
				t.Errorf("%d values", len(r.Values))
			}
		}
		checkAnswers(t, a, d, sql, cut, st)
		if strings.Contains(sql, marker) {
			return
		}
		// The text before may leave a quote or a comment open; a literal behind it is one only if it does not.
		s := newScanner(d, sql+" ")
		for s.next().kind != tEnd {
		}
		if s.open || s.doubt >= 0 {
			return
		}
		quoted := sql + "\n'" + marker + "'"
		for n := len(sql); n <= len(quoted); n++ {
			if shape := a.Analyze(d, quoted[:n], n < len(quoted)).Shape; strings.Contains(shape, "Qz7") {
				t.Errorf("%q: the literal is in the shape: %q", quoted[:n], shape)
			}
		}
	})
}

// checkAnswers asserts what holds whatever is known of the tables: the same is read twice, no table comes or goes, and what is said without
// a doubt of one that nobody asked about stays.
func checkAnswers(t *testing.T, a *Analyzer, d Dialect, sql string, cut bool, st Statement) {
	if len(st.Asks) > MaxAsks {
		t.Errorf("%d asks", len(st.Asks))
	}
	h := fnv.New64a()
	h.Write([]byte(sql))
	for _, answers := range []Answers{Answers(h.Sum64()), 0x5555555555555555, 0xaaaaaaaaaaaaaaaa} {
		knowing := a.AnalyzeKnowing(d, sql, cut, st.Asks, answers)
		if again := a.AnalyzeKnowing(d, sql, cut, st.Asks, answers); renderOwned(again) != renderOwned(knowing) {
			t.Errorf("not the same twice: %q and %q", renderOwned(knowing), renderOwned(again))
		}
		if len(st.Asks) == 0 && renderOwned(knowing) != renderOwned(st) {
			t.Errorf("answers to nothing change %q to %q", renderOwned(st), renderOwned(knowing))
		}
		if len(knowing.Relations) != len(st.Relations) || knowing.Shape != st.Shape || knowing.Whole != st.Whole {
			t.Errorf("answers change %q to %q", renderOwned(st), renderOwned(knowing))
		}
	}
}

func FuzzSplit(f *testing.F) {
	seeds(f)
	f.Add("--;", uint8(1), false)
	f.Fuzz(func(t *testing.T, sql string, dialect uint8, cut bool) {
		d := Dialect(dialect) & dialectBits
		rest := sql
		for _, one := range Split(d, sql, cut) {
			k := strings.Index(rest, one)
			if k < 0 || one == "" {
				t.Fatalf("%q is not the next part of %q", one, rest)
			}
			rest = rest[k+len(one):]
			// MySQL's -- is a comment before white space and at the end of a text, but not before the semicolon that stood here.
			if !cut && !(d.mysql() && strings.HasSuffix(one, "--")) && Split(d, one, false) == nil {
				t.Errorf("%q is empty", one)
			}
		}
	})
}

// FuzzCut asserts for any text of plain conjunctions what checkCuts asserts for the tables of the other tests.
func FuzzCut(f *testing.F) {
	f.Add("acme", "orders", uint16(3))
	f.Add("it's", "Weird \"name", uint16(77))
	f.Add("\\", "t", uint16(150))
	a := testAnalyzer()
	f.Fuzz(func(t *testing.T, value, table string, n uint16) {
		if strings.ContainsAny(value+table, "\x00") || table == "" || table == "u" || len(value) > 200 {
			return
		}
		quote := func(s, q string) string { return q + strings.ReplaceAll(s, q, q+q) + q }
		name, literal := quote(table, `"`), quote(value, `'`)
		sql := "select * from " + name + " join u on u.tenant_id = " + name + ".tenant_id and u.tenant_id = " + literal +
			" where " + name + ".tenant_id = " + literal + " and x in (1, " + literal + ") order by 1"
		full := a.Analyze(PostgreSQL, sql, false)
		if !strings.Contains(literal, `\'`) && (len(full.Relations) != 2 || render(Statement{Relations: full.Relations[1:]}) != "u="+value || full.Relations[0].Name != table) {
			t.Errorf("%q: got %s", sql, render(full))
		}
		cut := a.Analyze(PostgreSQL, sql[:int(n)%len(sql)], true)
		for _, r := range cut.Relations {
			for _, v := range r.Values {
				if v.Kind == Literal && v.Text != value {
					t.Errorf("%q: got %+v", sql[:int(n)%len(sql)], v)
				}
			}
		}
	})
}

// FuzzTokens asserts that the tokenizer walks a text once, from its beginning to its end, and that the brackets which it pairs enclose each other.
func FuzzTokens(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, sql string, dialect uint8, cut bool) {
		d := Dialect(dialect) & dialectBits
		s := newScanner(d, sql)
		end := int32(0)
		for {
			k := s.next()
			if k.start < end || k.end < k.start || int(k.end) > len(sql) || k.kind != tEnd && k.end == k.start {
				t.Fatalf("%q: token %+v behind %d", sql, k, end)
			}
			if end = k.end; k.kind == tEnd {
				break
			}
		}
		if int(end) != len(sql) {
			t.Errorf("%q: ended at %d", sql, end)
		}
		var l lexed
		l.lex(d, sql, cut)
		for i, k := range l.toks[:l.n] {
			if k.op(opLeft) || k.op(opOpen) {
				if c := l.close(i); c <= i || c < l.n && l.toks[c].sub != k.sub+1 {
					t.Errorf("%q: the bracket at token %d is closed at %d of %d", sql, i, c, l.n)
				}
			}
		}
	})
}
