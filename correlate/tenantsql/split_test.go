package tenantsql

import (
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestSplit(t *testing.T) {
	for _, tc := range []struct {
		d    Dialect
		sql  string
		cut  bool
		want []string
	}{
		{PostgreSQL, ``, false, nil},
		{PostgreSQL, ` ; /* x */ ; -- y`, false, nil},
		{PostgreSQL, `select 1`, false, []string{`select 1`}},
		{PostgreSQL, "select 1;\n select 2 ;", false, []string{`select 1`, `select 2`}},
		{PostgreSQL, `select ';', $$;$$, $a$ $$;$a$, ";", e'\';' /* ; /* ; */ ; */ -- ;`, false, []string{`select ';', $$;$$, $a$ $$;$a$, ";", e'\';' /* ; /* ; */ ; */ -- ;`}},
		{PostgreSQL, `select (1;2)`, false, []string{`select (1`, `2)`}},
		{PostgreSQL, `/* a */ select 1 /* b */; select '`, false, []string{`/* a */ select 1 /* b */`, `select '`}},
		{PostgreSQL, `select a$b$;c$b$`, false, []string{`select a$b$`, `c$b$`}},
		{PostgreSQL, `select $1;select $2`, false, []string{`select $1`, `select $2`}},
		{PostgreSQL, `select 'a\';select 2`, false, []string{`select 'a\'`, `select 2`}},
		{PostgreSQL, `select 1; -`, true, []string{`select 1`}},
		{PostgreSQL, `select 1; /`, true, []string{`select 1`}},
		{PostgreSQL, `select 1; /* ab`, true, []string{`select 1`}},
		{PostgreSQL, `select 1; sel`, true, []string{`select 1`, `sel`}},
		{PostgreSQL, `select 1; select 'a;b`, true, []string{`select 1`, `select 'a;b`}},
		{MySQL, "select 'a\\';', \";\", `;` # ;\n; select 2 -- ;", false, []string{"select 'a\\';', \";\", `;` # ;", `select 2 -- ;`}},
		{MySQL, `select 1 /* /* ; */; select 2`, false, []string{`select 1 /* /* ; */`, `select 2`}},
		{MySQL, `--;`, false, []string{`--`}},
		{MySQL, `--`, false, nil},
		{PostgreSQL, `select 1;`, false, []string{`select 1`}},
		{PostgreSQL, `select ';'`, false, []string{`select ';'`}},
		{PostgreSQL, "select 1\n", false, []string{`select 1`}},
		{MySQL, `select 5--1; select 2`, false, []string{`select 5--1`, `select 2`}},
	} {
		if got := Split(tc.d, tc.sql, tc.cut); !reflect.DeepEqual(got, tc.want) {
			t.Errorf("Split(%q)\n got: %q\nwant: %q", tc.sql, got, tc.want)
		}
	}
}

// hostile are patterns that make a careless reader quadratic or deep.
func hostile() map[string]string {
	const mb = 1 << 20
	rep := func(s string) string { return strings.Repeat(s, mb/len(s)) }
	return map[string]string{
		"comments":    rep("/*"),
		"closed":      rep("/*") + rep("*/"),
		"signs":       "select 1 " + rep("+-"),
		"operators":   "select " + rep("<"),
		"brackets":    "select * from t where " + rep("("),
		"balanced":    "select * from t where " + strings.Repeat("(", mb/2) + strings.Repeat(")", mb/2),
		"square":      "select " + rep("["),
		"dollars":     rep("$a$b"),
		"dollar tags": rep("$a") + "$",
		"quotes":      "select '" + rep("''"),
		"names":       rep("a."),
		"or":          "select * from t where tenant_id=1" + rep(" or tenant_id=1"),
		"or distinct": "select * from t where tenant_id=1 or tenant_id in (" + rep("1,2,3,") + "4) or tenant_id=2",
		"not":         "select * from t where " + rep("not "),
		"join":        "select * from t " + rep("join t on t.tenant_id=t.tenant_id "),
		"nested join": "select * from t " + rep("join t "),
		"union":       rep("select 1 union "),
		"with":        "with " + rep("a as (select 1),") + "b as (select 1) select 1",
		"sub-selects": rep("select * from (") + "x",
		"in":          "select * from t where x in (" + rep("1,") + "1)",
		"rows":        "insert into t (tenant_id) values " + rep("(1),") + "(2)",
		"row in":      "select * from t where (tenant_id,tenant_id,tenant_id) in (" + rep("(1,2,3),") + "(1,2,3))",
		"case":        "select * from t where " + rep("case "),
		"semicolons":  rep(";"),
		"strings":     "select * from t where tenant_id = " + rep("'a'\n"),
		"links":       "select * from t a, t b, t c, t d where " + rep("a.tenant_id=b.tenant_id and c.tenant_id=d.tenant_id and ") + "a.tenant_id=1",
		"lookups":     "select * from t " + rep("join t on z.a=z.b and z.tenant_id=y.tenant_id "),
		"values":      "select * from (values " + rep("(1,2,3,4,5,6,7,8,9),") + "(1)) v (a,b,c,d,e,f,tenant_id)",
		"cases":       "select * from t where tenant_id = " + rep("case when tenant_id = 1 then 1 end + ") + "1",
		"case tower":  "select * from t where tenant_id = " + rep("case when tenant_id = ") + "1",
		"paths":       "select * from t where a" + rep("->'a'->'b'") + " = 1",
		"calls":       "select " + rep("f(") + "1",
		"constants":   "select * from t where 1=0" + rep(" or 1=0 and 1=1"),
		"excluded":    "insert into t (tenant_id) values (1) on conflict (id) do update set " + rep("tenant_id=excluded.tenant_id,") + "a=1",
		"exec":        rep("/*!40001 "),
		"variables":   "select " + rep("@a:=") + "1",
		"into":        "select 1 into " + rep("@a,") + "@b",
		"casts":       "select * from t where tenant_id=1" + rep("::int"),
		"nul":         rep("\x00"),
		"high":        rep("\xff"),
	}
}

// threadTime is the processor time of the calling thread so far: other than the clock, it stands still while others run.
func threadTime(t *testing.T) time.Duration {
	t.Helper()
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func TestLinearTime(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	a := testAnalyzer()
	for name, sql := range hostile() {
		for _, d := range []Dialect{PostgreSQL, MySQL} {
			start := threadTime(t)
			for _, one := range Split(d, sql, false) {
				a.Analyze(d, one, true)
			}
			a.Analyze(d, sql, false)
			// A quadratic reader takes minutes; the bound leaves room for the race detector.
			if took := threadTime(t) - start; took > 5*time.Second {
				t.Errorf("%s, dialect %d: took %s", name, d, took)
			} else if testing.Verbose() {
				t.Logf("%-12s %d %s", name, d, took)
			}
		}
	}
}

func TestCaps(t *testing.T) {
	a := testAnalyzer()
	for name, sql := range map[string]string{
		"tokens":     "select * from t where tenant_id = 1 and x in (" + strings.Repeat("1,", maxTokens) + "1)",
		"brackets":   "select * from t where " + strings.Repeat("(", 150) + "tenant_id = 1" + strings.Repeat(")", 150),
		"selects":    strings.Repeat("select * from (", 150) + "select 1" + strings.Repeat(") s", 150),
		"looks":      "select * from t " + strings.Repeat("join t on z.a = z.b ", 2000),
		"join depth": "select * from t " + strings.Repeat("join t ", 150) + strings.Repeat("on true ", 150),
	} {
		if st := a.Analyze(PostgreSQL, sql, false); !st.Unparsed {
			t.Errorf("%s: not marked as unparsed", name)
		}
	}
	deep := "select * from t where " + strings.Repeat("(", 90) + "tenant_id = 1" + strings.Repeat(")", 90)
	if got := render(a.Analyze(PostgreSQL, deep, false)); got != "t=1" {
		t.Errorf("90 brackets: got %q", got)
	}
	many := a.Analyze(PostgreSQL, "select * from t where tenant_id in (1"+strings.Repeat(",1", 200)+") and x in ("+strings.Repeat("2,", 500)+"3)", false)
	if got := render(many); got != "t=1" {
		t.Errorf("repeated values: got %q", got)
	}
}

func TestFullSetEndsInUnknown(t *testing.T) {
	var list []string
	for i := range 300 {
		list = append(list, string(rune('A'+i%26))+strings.Repeat("x", i/26))
	}
	st := testAnalyzer().Analyze(PostgreSQL, "select * from t where tenant_id in ('"+strings.Join(list, "','")+"')", false)
	v := st.Relations[0].Values
	if len(v) != maxValues+1 || v[maxValues].Kind != Unknown || v[0].Text != "A" {
		t.Errorf("got %d values, the last %+v", len(v), v[len(v)-1])
	}
}
