package tenantsql

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestShape(t *testing.T) {
	a := testAnalyzer()
	for _, tc := range []struct {
		d         Dialect
		sql, want string
	}{
		{PostgreSQL, "SELECT  a,\n\tb FROM t -- secret\nWHERE x = 'secret' AND y=-5 /* secret */ AND z = $1 ;", "SELECT a, b FROM t WHERE x = ? AND y=-? AND z = $1"},
		{PostgreSQL, `select a/*x*/from b`, `select a from b`},
		{PostgreSQL, `select * from t where a in (1, 'b',3) and c In ( -1 ) and d in ($1, 2) and e in () and f in (select 1)`, `select * from t where a in (?) and c In (?) and d in ($1, ?) and e in () and f in (select ?)`},
		{PostgreSQL, `select E'a\'b', U&'x', b'1', x'1f', n'q', $$a$$, $t$b$t$, 1.5e3, 0x1f, .5`, `select ?, ?, ?, ?, ?, ?, ?, ?, ?, ?`},
		{PostgreSQL, "select 'a'\n 'b', 1", `select ?, ?`},
		{PostgreSQL, `select 'x'::text, "Quoted ""name"" 1"`, `select ?::text, "Quoted ""name"" 1"`},
		{PostgreSQL, `SET app.tenant_id = acme`, `SET app.tenant_id = ?`},
		{PostgreSQL, `set search_path to acme, "Beta", public`, `set search_path to ?, ?, ?`},
		{PostgreSQL, `set role acme`, `set role ?`},
		{PostgreSQL, `set app.tenant_id to default`, `set app.tenant_id to default`},
		{PostgreSQL, `set session authorization acme`, `set session authorization ?`},
		{PostgreSQL, `select 'a\' secret `, `select`},
		{PostgreSQL, `select 'a\'', 'secret'`, `select`},
		{MySQL, `select "secret", 'it\'s secret', 5 from t # secret`, `select ?, ?, ? from t`},
		{MySQL, "select `a b`, 'a' \"b\" from t where x = ?", "select `a b`, ? from t where x = ?"},
		{MySQL, `select 'a'"b"`, `select ?`},
	} {
		if got := a.Analyze(tc.d, tc.sql, false).Shape; got != tc.want {
			t.Errorf("%s\n got: %s\nwant: %s", tc.sql, got, tc.want)
		}
	}
}

func TestShapeIsCutOnRune(t *testing.T) {
	a := testAnalyzer()
	for n := range 5 {
		sql := `select "` + strings.Repeat("x", n) + strings.Repeat("é€", 900) + `"`
		shape := a.Analyze(PostgreSQL, sql, false).Shape
		if len(shape) > maxShape || len(shape) < maxShape-utf8.UTFMax || !utf8.ValidString(shape) {
			t.Errorf("%d: %d bytes, valid %v", n, len(shape), utf8.ValidString(shape))
		}
	}
	if shape := a.Analyze(PostgreSQL, "select \"\xff\xfe\"", false).Shape; shape != `select "?"` {
		t.Errorf("invalid bytes: got %q", shape)
	}
}

func TestFingerprint(t *testing.T) {
	// The first 8 bytes of the SHA-256 test vector for "abc" (FIPS 180-2, B.1).
	if got := Fingerprint("abc"); got != "ba7816bf8f01cfea" {
		t.Errorf("got %s", got)
	}
}
