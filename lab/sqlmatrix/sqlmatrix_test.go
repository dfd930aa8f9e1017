package sqlmatrix

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestSplit(t *testing.T) {
	for _, tt := range []struct {
		engine, text string
		want         []string
	}{
		{postgresql, "", nil},
		{postgresql, "SELECT 1", []string{"SELECT 1"}},
		{postgresql, " SELECT 1 ;; SELECT 2; ", []string{"SELECT 1", "SELECT 2"}},
		{postgresql, `SELECT 'a;''b;', "c;" ; SELECT 2`, []string{`SELECT 'a;''b;', "c;"`, "SELECT 2"}},
		{postgresql, `SELECT 'a\'; SELECT 2`, []string{`SELECT 'a\'`, "SELECT 2"}},
		{postgresql, `SELECT E'a\';'; SELECT 2`, []string{`SELECT E'a\';'`, "SELECT 2"}},
		{mysql, `SELECT 'a\';'; SELECT 2`, []string{`SELECT 'a\';'`, "SELECT 2"}},
		{mysql, "SELECT `a;`; SELECT 2", []string{"SELECT `a;`", "SELECT 2"}},
		{postgresql, "SELECT /* a; */ 1; SELECT 2", []string{"SELECT /* a; */ 1", "SELECT 2"}},
		{postgresql, "SELECT 'open; SELECT 2", []string{"SELECT 'open; SELECT 2"}},
	} {
		if got := split(tt.text, tt.engine); !slices.Equal(got, tt.want) {
			t.Errorf("%s, %q: %q, want %q", tt.engine, tt.text, got, tt.want)
		}
	}
}

func TestPostgresLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	text := "app|7|LOG:  statement: SELECT 1\n" +
		"app|7|LOG:  execute <unnamed>: SELECT $1,\n\t2\n" +
		"app|7|DETAIL:  parameters: $1 = 'a'\n\tb\n" +
		"app|8|ERROR:  no\n\tSELECT 3\n" +
		"app|8|LOG:  execute fetch from S_1/C_2: SELECT 4\n" +
		"app|8|LOG:  execute S_1/C_2: SELECT 4\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got, to, err := readPostgresLog(path, 0)
	want := []entry{{session: "7", text: "SELECT 1"}, {session: "7", text: "SELECT $1,\n2"}, {session: "8", text: "SELECT 4", further: true}, {session: "8", text: "SELECT 4"}}
	if err != nil || !slices.Equal(got, want) || int(to) != len(text) {
		t.Errorf("%+v to %d, %v; want %+v", got, to, err, want)
	}
	if got, _, err := readPostgresLog(path, to); err != nil || len(got) > 0 {
		t.Errorf("read again: %+v, %v", got, err)
	}
}

// TestLabels holds the table to what a job can say of it.
func TestLabels(t *testing.T) {
	names := map[string]bool{}
	for _, l := range labels() {
		if names[l.name] {
			t.Errorf("%s stands twice", l.name)
		}
		names[l.name] = true
	}
	for _, style := range []string{dollar, format, question} {
		for _, engine := range []string{postgresql, mysql} {
			j := newJob(&driver{engine: engine, style: style}, 1, labels())
			if len(j.labels)+len(j.absent) != len(names) || len(j.labels) < 40 {
				t.Errorf("%s: %d labels and %d absent, of %d", engine, len(j.labels), len(j.absent), len(names))
			}
			for line := range strings.Lines(j.text) {
				for _, left := range []string{"$ID$", "\tagain"} {
					if strings.Contains(line, left) {
						t.Errorf("%s: a line with %q: %s", engine, left, line)
					}
				}
				if style != dollar && numbered.MatchString(line) {
					t.Errorf("%s: a placeholder is left: %s", engine, line)
				}
			}
			for comment := range j.wants {
				if strings.Count(j.text, comment) == 0 {
					t.Errorf("%s: %s is in no text", engine, comment)
				}
			}
		}
	}
}

// TestDrivers holds the table of drivers to what the harness needs.
func TestDrivers(t *testing.T) {
	names := map[string]bool{}
	for _, d := range drivers() {
		if names[d.name] || len(d.transports) == 0 || d.command == nil {
			t.Errorf("driver %q: %+v", d.name, d)
		}
		names[d.name] = true
		for _, some := range [][]string{d.transports, d.quick} {
			for _, transport := range some {
				if !slices.Contains(everyTransport, transport) {
					t.Errorf("%s: transport %q", d.name, transport)
				}
			}
		}
	}
	if _, err := selection(Config{Drivers: []string{"none"}}); err == nil {
		t.Error("a driver that is not there was selected")
	}
	if _, err := selection(Config{Transports: []string{"carrier pigeon"}}); err == nil {
		t.Error("a transport that is not there was selected")
	}
}

// play is a result as of a run in which everything is right, over the first labels.
func played() *result {
	d := &driver{name: "d", engine: postgresql, transports: []string{tcp}, style: dollar}
	some := []label{
		{"literal", ops(q("query", "SELECT count(*) FROM invoices WHERE tenant_id = 'acme'", by(acme, literal)))},
		{"prepared", ops(q("prepare", "SELECT id, tenant_id FROM invoices WHERE id = $1", none, "p"), q("execute", "", by(acme, row), "p", "i:1"), q("execute", "", by(beta, row), "p", "i:21"))},
		{"unscoped", ops(q("query", "SELECT count(*) FROM invoices", none))},
		{"many", ops(q("many", "DELETE FROM invoices WHERE tenant_id = $1", by(beta, bind)))},
	}
	r := &result{driver: d, transport: tcp, job: newJob(d, 1, some), metrics: map[string]float64{}}
	r.said = map[string]report{"literal": {sent: 1}, "prepared": {sent: 2}, "unscoped": {sent: 1}, "many": {na: "none"}}
	see := func(text string, level string, tenants ...string) {
		r.logged = append(r.logged, entry{session: "1", text: text})
		r.seen = append(r.seen, statement{conn: 1, text: text, comment: commentOf(text), tenants: tenants, level: level})
		r.lines++
	}
	see("BEGIN", "")
	see("SELECT /* m:1:literal:0 */ count(*) FROM invoices WHERE tenant_id = 'acme'", literal, acme)
	see("SELECT /* m:1:prepared:0 */ id, tenant_id FROM invoices WHERE id = $1", row, acme)
	see("SELECT /* m:1:prepared:0 */ id, tenant_id FROM invoices WHERE id = $1", row, beta)
	see("SELECT /* m:1:unscoped:0 */ count(*) FROM invoices", "")
	return r
}

// TestCompare changes one thing each in what is right otherwise, and wants it found.
func TestCompare(t *testing.T) {
	for name, tt := range map[string]struct {
		change                func(r *result)
		right, unknown, wrong int
		problem               string // "" none
	}{
		"right":                        {func(*result) {}, 4, 0, 0, ""},
		"not seen":                     {func(r *result) { r.seen, r.lines = r.seen[:4], 4 }, 3, 0, 0, "the daemon saw 4"},
		"seen twice":                   {func(r *result) { r.seen, r.lines = append(r.seen, r.seen[1]), 6 }, 5, 0, 0, "the daemon saw 6"},
		"another instead":              {func(r *result) { r.seen[4] = r.seen[1] }, 4, 0, 0, "unscoped: the server's log has 1 statements, the daemon saw 0"},
		"said too few":                 {func(r *result) { r.said["prepared"] = report{sent: 1} }, 4, 0, 0, "says that it sent 1"},
		"said nothing":                 {func(r *result) { delete(r.said, "many") }, 4, 0, 0, "says nothing"},
		"said n/a, but sent":           {func(r *result) { r.said["literal"] = report{na: "no"} }, 4, 0, 0, "says that it sent 0"},
		"wrong tenant":                 {func(r *result) { r.seen[1].tenants = []string{beta} }, 3, 0, 1, "wrong"},
		"one too many":                 {func(r *result) { r.seen[1].tenants = []string{acme, beta} }, 3, 0, 1, "wrong"},
		"in another order":             {func(r *result) { r.seen[2], r.seen[3] = r.seen[3], r.seen[2] }, 2, 0, 2, "wrong"},
		"evidence where there is none": {func(r *result) { r.seen[4].tenants = []string{acme} }, 3, 0, 1, "wrong"},
		"the driver's own shows one":   {func(r *result) { r.seen[0].tenants = []string{acme} }, 4, 0, 1, "driver's own"},
		"wrong kind":                   {func(r *result) { r.seen[2].level = bind }, 3, 0, 1, "wrong kind"},
		"unknown":                      {func(r *result) { r.seen[2].tenants, r.seen[2].level = nil, "" }, 3, 1, 0, ""},
		"unreadable":                   {func(r *result) { r.unreadable = []string{"tls"} }, 4, 0, 0, "could not be read"},
		"readable all the same":        {func(r *result) { r.driver.unreadable = map[string]string{tcp: "x"} }, 0, 0, 0, "cannot be read"},
		"unreadable, and not told": {func(r *result) {
			r.driver.unreadable = map[string]string{tcp: "x"}
			r.seen, r.lines = nil, 0
		}, 0, 0, 0, "the daemon told of 0"},
		"unreadable, and told": {func(r *result) {
			r.driver.unreadable = map[string]string{tcp: "x"}
			r.seen, r.lines, r.unreadable = nil, 0, []string{"tls"}
			r.metrics[`tenantrace_unreadable_sessions_total{reason="tls"}`] = 1
		}, 0, 0, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := played()
			tt.change(r)
			r.compare()
			if r.tally.right != tt.right || r.tally.unknown != tt.unknown || r.tally.wrong != tt.wrong || r.tally.na != 1 && name != "said nothing" && name != "said n/a, but sent" {
				t.Errorf("%d right, %d unknown, %d wrong, %d n/a; want %d, %d, %d, 1", r.tally.right, r.tally.unknown, r.tally.wrong, r.tally.na, tt.right, tt.unknown, tt.wrong)
			}
			all := strings.Join(r.problems, "\n")
			if tt.problem == "" && all != "" || !strings.Contains(all, tt.problem) {
				t.Errorf("problems %q, want %q", all, tt.problem)
			}
		})
	}
}

// TestConclude has too many unknown statements, and none.
func TestConclude(t *testing.T) {
	for unknown, good := range map[int]bool{0: true, 1: true, 2: false} {
		m := &matrix{cfg: Config{Out: &bytes.Buffer{}}, runs: 1, total: tally{right: 100, none: 1, unknown: unknown}}
		if err := m.conclude(); (err == nil) != good {
			t.Errorf("%d unknown of %d: %v", unknown, 99+unknown, err)
		}
	}
}
