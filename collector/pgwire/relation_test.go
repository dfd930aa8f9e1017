package pgwire

import "testing"

func TestPlainSelect(t *testing.T) {
	for _, c := range []struct {
		text, name string
		star       bool
	}{
		{"SELECT * FROM t", "t", true},
		{"select a, \"b\" from \"S\".\"T.x\" where a = 'union' -- c", "", false}, // a set operation, for all that is looked at
		{"select a, \"b\" from \"S\".\"T.x\" where a = 'x';", "", false},
		{`SELECT a FROM "S"."T.x" WHERE a = $1 ORDER BY 1`, "S.T..x", false},
		{"SELECT * FROM db.s.t LIMIT 1", "s.t", true},
		{"SELECT * FROM t;", "t", true},
		{"SELECT * FROM t; SELECT 1", "", false},
		{"SELECT *, a FROM t", "", true},
		{"SELECT t.* FROM t", "t", false},
		{"SELECT a FROM t, u", "", false},
		{"SELECT a FROM t u", "", false},
		{"SELECT a FROM t JOIN u USING (a)", "", false},
		{"SELECT a FROM t UNION SELECT a FROM u", "", false},
		{"SELECT a FROM t WHERE true UNION SELECT a FROM u", "", false},
		{"SELECT (SELECT a FROM u) FROM t", "", false},
		{"SELECT a FROM (SELECT 1)", "", false},
		{"SELECT a FROM t WHERE b = 1", "t", false},
		{"WITH x AS (SELECT 1) SELECT * FROM t", "", false},
		{"INSERT INTO t SELECT * FROM u", "", false},
		{"SELECT a FROM t /* open", "", false},
		{"SELECT a FROM a.b.c.d", "", false},
		{"SELECT a", "", false},
		{"", "", false},
	} {
		if name, star := plainSelect(c.text); name != c.name || name != "" && star != c.star {
			t.Errorf("%s: %q %v, want %q %v", c.text, name, star, c.name, c.star)
		}
	}
}

// Past the bounds nothing is learned, and what was learned stays.
func TestRelationsAreBounded(t *testing.T) {
	s := &tables{}
	for table := range uint32(2 * maxRelations) {
		if s.curious(table+1, "SELECT * FROM t") {
			s.learnRelation(`SELECT * FROM "`+string(rune(0x4e00+table))+`"`, table+1, 1, []relationColumn{{"tenant_id", 0, oidText}})
		}
	}
	if len(s.relations) != maxRelations || len(s.lessons) != maxRelations {
		t.Errorf("%d relations of %d tables", len(s.relations), len(s.lessons))
	}
	n := 0
	for ; s.curious(1, "SELECT tenant_id FROM t"); n++ {
		s.learnRelation("SELECT tenant_id FROM t", 1, 1, nil)
	}
	if n >= maxLessons {
		t.Errorf("%d lessons", n)
	}
	if !s.curious(1, "select * from t") || s.curious(0, "select * from t") || s.curious(1, "") {
		t.Error("curious of the wrong ones")
	}
	s.forgetRelations()
	if s.relation(string(rune(0x4e00))) != nil || !s.curious(1, "SELECT tenant_id FROM t") {
		t.Error("nothing is forgotten")
	}
}
