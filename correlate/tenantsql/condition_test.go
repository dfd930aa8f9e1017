package tenantsql

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestReadCondition(t *testing.T) {
	for _, tc := range []struct {
		d    Dialect
		sql  string
		want string // "" none
	}{
		{PostgreSQL, `SELECT * FROM invoices WHERE id = 7`, "[{id 7  0}] -1"},
		{PostgreSQL, `SELECT "invoices"."id", "invoices"."paid" FROM "invoices" WHERE "invoices"."id" = 7 LIMIT 21`, "[{id 7  0}] 21"},
		{PostgreSQL, `SELECT i.* FROM shop.invoices AS i WHERE (i.id = $1 AND (i.kind = 'a')) ORDER BY lower(i.x) DESC, id FOR UPDATE OF i NOWAIT`, "[{id  1} {kind 'a'  0}] -1"},
		{PostgreSQL, `SELECT * FROM invoices i WHERE id = '9f1c'::uuid;`, "[{id '9f1c' :: uuid  0}] -1"},
		{PostgreSQL, `SELECT * FROM ONLY invoices WHERE id = 7`, ""},
		{PostgreSQL, `SELECT * FROM invoices WHERE id = $2::int`, "[{id :: int  2}] -1"},
		{PostgreSQL, `SELECT * FROM invoices WHERE id = -7`, "[{id - 7  0}] -1"},
		{PostgreSQL, `UPDATE invoices SET paid = (SELECT true) WHERE id = 7 RETURNING *`, "[{id 7  0}] -1"},
		{PostgreSQL, `DELETE FROM invoices x WHERE x.id = 7`, "[{id 7  0}] -1"},
		{MySQL, "SELECT * FROM `invoices` WHERE `ID` = '7' LOCK IN SHARE MODE", "[{id '7'  0}] -1"},
		{MySQL, "UPDATE invoices SET paid = 1 WHERE id = ? AND kind = ? LIMIT 1", "[{id  1} {kind  2}] -1"},
		{PostgreSQL, `SELECT * FROM invoices`, ""},
		{PostgreSQL, `SELECT * FROM invoices WHERE id = 7 OR true`, ""},
		{PostgreSQL, `SELECT * FROM invoices WHERE NOT id = 7`, ""},
		{PostgreSQL, `SELECT * FROM invoices WHERE id = 7 = true`, ""},
		{PostgreSQL, `SELECT * FROM invoices WHERE id = 7 + 1`, ""},
		{PostgreSQL, `SELECT * FROM invoices WHERE id = f(7)`, ""},
		{PostgreSQL, `SELECT * FROM invoices WHERE id = other`, ""},
		{PostgreSQL, `SELECT * FROM invoices WHERE id > 7`, ""},
		{PostgreSQL, `SELECT * FROM invoices WHERE (id = 7 OR true) AND kind = 1`, ""},
		{PostgreSQL, `SELECT * FROM invoices WHERE (id = 7) IS NOT NULL`, ""},
		{PostgreSQL, `SELECT * FROM invoices, other WHERE id = 7`, ""},
		{PostgreSQL, `SELECT * FROM invoices JOIN other USING (id) WHERE id = 7`, ""},
		{PostgreSQL, `SELECT * FROM invoices TABLESAMPLE system (1) WHERE id = 7`, ""},
		{PostgreSQL, `SELECT DISTINCT ON (kind) * FROM invoices WHERE id = 7`, ""},
		{PostgreSQL, `SELECT * FROM invoices WHERE id = 7 GROUP BY id`, ""},
		{PostgreSQL, `SELECT * FROM invoices WHERE id = 7 UNION SELECT * FROM invoices WHERE id = 8`, ""},
		{PostgreSQL, `SELECT 1 UNION SELECT * FROM invoices WHERE id = 7`, ""},
		{PostgreSQL, `SELECT * FROM invoices WHERE id = 7 OFFSET 1`, ""},
		{PostgreSQL, `SELECT * FROM invoices WHERE id = 7 ORDER BY id OFFSET 1`, ""},
		{PostgreSQL, `SELECT * FROM invoices WHERE id = 7 LIMIT $1`, ""},
		{PostgreSQL, `SELECT * FROM invoices WHERE id = 7 LIMIT 5 OFFSET 1`, ""},
		{PostgreSQL, `SELECT * FROM invoices WHERE id = 7 FETCH FIRST 1 ROW ONLY`, ""},
		{PostgreSQL, `SELECT * FROM invoices WHERE id = 7 FOR UPDATE SKIP LOCKED`, ""},
		{PostgreSQL, `SELECT * INTO copied FROM invoices WHERE id = 7`, ""},
		{PostgreSQL, `UPDATE invoices SET paid = true FROM other WHERE id = 7`, ""},
		{PostgreSQL, `DELETE FROM invoices USING other WHERE id = 7`, ""},
		{PostgreSQL, `UPDATE invoices SET paid = true`, ""},
		{MySQL, "UPDATE a, b SET a.x = 1 WHERE id = 7", ""},
		{MySQL, "SELECT * FROM invoices WHERE id = 7 LIMIT 1, 5", ""},
		{MySQL, "SELECT * FROM invoices WHERE id = @v", ""},
		{MySQL, "SELECT * FROM invoices WHERE id = 7 || 1", ""},
		{MySQL, "SELECT * FROM invoices WHERE id = 7 XOR kind = 1", ""},
		{PostgreSQL, `SELECT * FROM invoices WHERE id = 7; DELETE FROM invoices`, ""},
		{PostgreSQL, `SELECT * FROM invoices WHERE id = '7`, ""},
		{PostgreSQL, `SELECT * FROM invoices i WHERE invoices.id = 7`, ""},
		{PostgreSQL, `SELECT * FROM shop.invoices WHERE shop.invoices.id = 7`, "[{id 7  0}] -1"},
		{PostgreSQL, `SELECT * FROM invoices WHERE id = -$1`, ""},
		{PostgreSQL, `SELECT * FROM invoices WHERE id = -'7'`, ""},
		{PostgreSQL, `EXECUTE q(7)`, ""},
		{PostgreSQL, ``, ""},
	} {
		c, ok := ReadCondition(tc.d, tc.sql)
		got := ""
		if ok {
			got = fmt.Sprint(c.Equal, " ", c.Limit)
		}
		if got != tc.want {
			t.Errorf("%s: %q, want %q", tc.sql, got, tc.want)
		}
	}
}

func TestImplies(t *testing.T) {
	read := func(sql string) Condition {
		c, ok := ReadCondition(PostgreSQL, sql)
		if !ok {
			t.Fatalf("not read: %s", sql)
		}
		return c
	}
	for _, tc := range []struct {
		c, d string
		want bool
	}{
		{"id = 7", "id = 7", true},
		{"id = 7 AND kind = 1", "id = 7", true},
		{"id = 7", "id = 7 AND kind = 1", false},
		{"id = 7", "id = '7'", false},
		{"id = 7", "id = 8", false},
		{"id = 7", "key = 7", false},
		{"id = $1", "id = $1", true},
		{"id = $2", "id = $1", false},
		{"id = $1", "id = 7", false},
		{"id = $1::text", "id = $1", false},
	} {
		c, d := read("UPDATE t SET x = 1 WHERE "+tc.c), read("SELECT * FROM t WHERE "+tc.d)
		if got := c.Implies(&d, func(a, b int) bool { return a == b }); got != tc.want {
			t.Errorf("%s implies %s: %v", tc.c, tc.d, got)
		}
	}
}

func TestMoves(t *testing.T) {
	for _, tc := range []struct {
		c, d string
		want bool
	}{
		{"UPDATE t SET paid = f(id, 2), x = 1 WHERE id = 7", "SELECT * FROM t WHERE id = 8", false},
		{"UPDATE t SET paid = 1, id = 8 WHERE id = 7", "SELECT * FROM t WHERE id = 8", true},
		{"DELETE FROM t WHERE id = 7", "SELECT * FROM t WHERE id = 8", false},
	} {
		c, ok := ReadCondition(PostgreSQL, tc.c)
		d, read := ReadCondition(PostgreSQL, tc.d)
		if !ok || !read || c.Moves(&d) != tc.want {
			t.Errorf("%s: read %v, moves %v", tc.c, ok, c.Moves(&d))
		}
	}
	if _, ok := ReadCondition(PostgreSQL, "UPDATE t SET (a, b) = (1, 2) WHERE id = 7"); ok {
		t.Error("a row of columns is read")
	}
}

// FuzzReadCondition holds that what is read as an equality is one that the skimmer finds to be guaranteed too.
func FuzzReadCondition(f *testing.F) {
	f.Add(uint8(0), `SELECT * FROM invoices i WHERE (i.id = $1 AND kind = 'a') ORDER BY id LIMIT 5 FOR UPDATE`)
	f.Add(uint8(1), "UPDATE invoices SET paid = 1 WHERE id = ? AND kind = '7'")
	f.Add(uint8(0), `DELETE FROM invoices WHERE id = -7::int`)
	f.Fuzz(func(t *testing.T, dialect uint8, sql string) {
		d := Dialect(dialect) & dialectBits
		c, ok := ReadCondition(d, sql)
		if !ok {
			return
		}
		if len(c.Equal) == 0 || len(c.Equal) > maxEqualities {
			t.Fatalf("%d equalities", len(c.Equal))
		}
		if again, ok := ReadCondition(d, sql); !ok || fmt.Sprint(again) != fmt.Sprint(c) {
			t.Fatalf("%v, then %v", c, again)
		}
		if strings.Contains(c.Equal[0].Column, "#") { // a place in a JSON document, to the skimmer
			return
		}
		a := New(Config{Columns: []string{c.Equal[0].Column}}).Analyze(d, sql, false)
		bound := func(r Relation) bool { return len(r.Values) > 0 || r.Untouched }
		if !a.Unparsed && !slices.ContainsFunc(a.Relations, bound) {
			t.Fatalf("%v of a text that does not bind the column: %+v", c, a)
		}
	})
}
