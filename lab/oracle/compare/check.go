package compare

import (
	"bufio"
	"encoding/json"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tenantrace/correlate/tenantsql"
	"tenantrace/lab/oracle/ir"
)

// Parse reads a text with a grammar; nil in the result stands for a statement that neither reads nor changes rows.
type Parse func(sql string) ([]*ir.Statement, error)

// Recorded reads statements that were recorded from a server's log, a JSON string on each line.
func Recorded(t *testing.T, name string) (out []string) {
	t.Helper()
	file, err := os.Open("../corpus/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var sql string
		if err := json.Unmarshal(lines.Bytes(), &sql); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out = append(out, sql)
	}
	if lines.Err() != nil || len(out) == 0 {
		t.Fatalf("%s: %d statements, %v", name, len(out), lines.Err())
	}
	return out
}

// Check compares all statements and fails at each that the grammar reads in another way or refuses.
func Check(t *testing.T, d tenantsql.Dialect, statements []string, parse Parse) {
	t.Helper()
	a := Analyzer()
	seen := make(map[string]bool, len(statements))
	compared, tables, values := 0, 0, 0
	r := rand.New(rand.NewPCG(1, 2))
	for _, sql := range statements {
		if seen[sql] {
			continue
		}
		seen[sql] = true
		trees, err := parse(sql)
		if err != nil {
			t.Errorf("the grammar refuses %q: %v", sql, err)
			continue
		}
		parts := tenantsql.Split(d, sql, false)
		if len(parts) != len(trees) {
			t.Errorf("%q: got %d statements, want %d", sql, len(parts), len(trees))
			continue
		}
		for i, part := range parts {
			for range cuts {
				checkCut(t, a, d, part, r.IntN(len(part)))
			}
			st := a.Analyze(d, part, false)
			want, got := "", Evidence(&st)
			if trees[i] != nil {
				want = ir.Evidence(trees[i], d != tenantsql.PostgreSQL)
			}
			compared++
			tables += len(st.Relations)
			values += strings.Count(got, "=") + strings.Count(got, "<-")
			if got != want || st.Unparsed {
				t.Errorf("%s\n got: %s (unparsed %v)\nwant: %s", part, got, st.Unparsed, want)
			}
		}
	}
	t.Logf("%d distinct statements compared: %d tables, %d of them with values", compared, tables, values)
}

// cuts is how often each statement is cut somewhere.
const cuts = 4

// checkCut asserts that a text which is cut says so and shows no value that stands nowhere in the whole one: no part of one.
func checkCut(t *testing.T, a *tenantsql.Analyzer, d tenantsql.Dialect, sql string, n int) {
	t.Helper()
	st := a.Analyze(d, sql[:n], true)
	if !st.Cut {
		t.Errorf("%q: Cut is not set", sql[:n])
	}
	for _, r := range st.Relations {
		for _, v := range append(slices.Clone(r.Values), r.Assigned...) {
			if v.Kind == tenantsql.Literal && !stands(sql, v.Text) {
				t.Errorf("%q\nof %q\nshows %q", sql[:n], sql, v.Text)
			}
		}
	}
}

// stands tells whether a value stands whole in a text: as a number or truth value, or between quotes.
func stands(sql, value string) bool {
	if strings.ContainsAny(value, `'"\`) || value == "true" || value == "false" {
		return true // written in many ways
	}
	for _, quotes := range []string{"''", `""`, "$$", "{}", "{,", ",}", ",,"} {
		if strings.Contains(sql, quotes[:1]+value+quotes[1:]) {
			return true
		}
	}
	number, err := regexp.MatchString(`(^|\D)0*`+regexp.QuoteMeta(strings.TrimPrefix(value, "-"))+`(\D|$)`, sql)
	return err == nil && number || value == "a" && strings.Contains(sql, `\0061`) || value == "0" || value == "1"
}

// refused stands for the evidence of a statement that the grammar does not read.
const refused = "refused"

// Listed asserts the differences that the file ../differences.tsv explains for an oracle: both readings are as listed, so that a difference which
// goes away, or becomes another, is noticed.
func Listed(t *testing.T, oracle string, d tenantsql.Dialect, parse Parse) {
	t.Helper()
	file, err := os.ReadFile("../differences.tsv")
	if err != nil {
		t.Fatal(err)
	}
	a, listed := Analyzer(), 0
	for line := range strings.Lines(string(file)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if strings.HasPrefix(line, "#") || fields[0] != oracle {
			continue
		}
		if len(fields) != 5 {
			t.Errorf("%q has %d fields, want 5", line, len(fields))
			continue
		}
		listed++
		st := a.Analyze(d, fields[1], false)
		got, theirs := Evidence(&st), refused
		if st.Unparsed {
			got += " unparsed"
		}
		if trees, err := parse(fields[1]); err == nil {
			theirs = ""
			if trees[0] != nil {
				theirs = ir.Evidence(trees[0], d != tenantsql.PostgreSQL)
			}
		}
		if got == theirs {
			t.Errorf("%s: listed as a difference, but both read %s", fields[1], got)
		}
		if got != fields[2] || theirs != fields[3] {
			t.Errorf("%s\n got: %s\nlisted: %s\ngrammar: %s\nlisted: %s", fields[1], got, fields[2], theirs, fields[3])
		}
	}
	if listed == 0 {
		t.Errorf("no difference of %q is listed", oracle)
	}
}
