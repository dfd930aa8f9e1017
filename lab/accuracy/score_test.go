package accuracy

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
)

// requests are a right one of t001, and one that does the wrong thing.
func requests() map[string]*sent {
	return map[string]*sent{
		"g1": {gt: "g1", public: "a", tenant: "t001", local: "127.0.0.1:1", rows: map[int]string{1: "t001", 2: "t002"}},
		"g2": {gt: "g2", public: "b", tenant: "t002", local: "127.0.0.1:2", flaw: independent},
	}
}

// TestScore compares one line with one truth at a time.
func TestScore(t *testing.T) {
	own := statement{gt: "g1", number: 1, tenant: "t001", kind: "list"}
	foreign := statement{gt: "g2", number: 1, tenant: "t001", kind: "list"}
	job := statement{gt: backgroundGT, tenant: "t001"}
	rows := func(n int) statement { return statement{gt: "g1", number: n, tenant: "?", kind: "session"} }
	for _, tc := range []struct {
		name  string
		truth *statement
		line  string
		want  func(t *Tally) bool
	}{
		{"right link", &own, `"verdict":"ok_exact","link":"thread","request":{"id":"a"}`, func(t *Tally) bool { return t.Rungs["thread"].Right == 1 && t.Clean == 1 }},
		{"wrong link", &own, `"verdict":"ok_exact","link":"task","request":{"id":"b"}`, func(t *Tally) bool { return t.Rungs["task"].Wrong == 1 }},
		{"right connection", &own, `"verdict":"ok_exact","link":"task","connection":{"remote":"127.0.0.1:1"}`, func(t *Tally) bool { return t.Rungs["task"].Right == 1 }},
		{"wrong connection", &own, `"verdict":"ok_exact","link":"task","connection":{"remote":"127.0.0.1:2"}`, func(t *Tally) bool { return t.Rungs["task"].Wrong == 1 }},
		{"no connection", &own, `"verdict":"ok_exact","link":"transaction"`, func(t *Tally) bool { return t.Rungs["transaction"].Wrong == 1 }},
		{"sound set", &own, `"verdict":"ok_set","link":"set","candidates":[{"id":"b","tenant":"t002"},{"id":"a","tenant":"t001"}]`,
			func(t *Tally) bool { return t.Rungs["set"].Right == 1 && math.Abs(t.powers-0.5) < 1e-9 }},
		{"unsound set", &own, `"verdict":"ok_set","link":"set","candidates":[{"id":"b","tenant":"t002"}]`, func(t *Tally) bool { return t.Rungs["set"].Wrong == 1 }},
		{"denied", &own, `"verdict":"background","link":"none"`, func(t *Tally) bool { return t.Denied == 1 && t.Rungs["none"].Wrong == 1 }},
		{"not judged", &own, `"verdict":"unattributed","link":"none","reason":"ambiguous"`, func(t *Tally) bool { return t.Reasons["ambiguous"] == 1 && t.Denied == 0 }},
		{"false violation", &own, `"verdict":"violation","link":"thread","request":{"id":"a"}`, func(t *Tally) bool { return t.False == 1 }},
		{"true violation", &foreign, `"verdict":"violation","link":"thread","request":{"id":"b"}`,
			func(t *Tally) bool { return *t.Classes[independent] == Class{1, 1, 1, 1} && t.False == 0 }},
		{"true violation by a set", &foreign, `"verdict":"violation","link":"set","candidates":[{"id":"b","tenant":"t002"}]`,
			func(t *Tally) bool { return *t.Classes[independent] == Class{1, 1, 0, 0} }},
		{"missed violation", &foreign, `"verdict":"ok_exact","link":"thread","request":{"id":"b"}`,
			func(t *Tally) bool {
				return *t.Classes[independent] == Class{1, 0, 1, 0} && t.Missed["ok_exact  thread"] == 1
			}},
		{"rows of the own tenant", ptr(rows(1)), `"verdict":"violation","link":"thread","request":{"id":"a"}`, func(t *Tally) bool { return t.False == 1 }},
		{"rows of another tenant", ptr(rows(2)), `"verdict":"violation","link":"thread","request":{"id":"a"}`, func(t *Tally) bool { return *t.Classes[stale] == Class{1, 1, 1, 1} }},
		{"no rows", ptr(rows(3)), `"verdict":"violation","link":"thread","request":{"id":"a"}`, func(t *Tally) bool { return t.False == 1 }},
		{"a job", &job, `"verdict":"background","link":"none"`, func(t *Tally) bool { return t.Background == 1 && t.Rungs["none"].Right == 1 && t.False == 0 }},
		{"a job, accused", &job, `"verdict":"violation","link":"set","candidates":[{"id":"b","tenant":"t002"}]`, func(t *Tally) bool { return t.False == 1 && t.Trapped == 1 }},
		{"a job, tied", &job, `"verdict":"ok_exact","link":"thread","request":{"id":"a"}`, func(t *Tally) bool { return t.Rungs["thread"].Wrong == 1 }},
		{"a driver's own, accused", nil, `"verdict":"violation","link":"thread","request":{"id":"a"}`, func(t *Tally) bool { return t.False == 1 && t.NoTruth == 1 }},
		{"several at once", &statement{gt: "g1", mixed: true}, `"verdict":"ok_exact","link":"thread","request":{"id":"b"}`, func(t *Tally) bool { return t.Mixed == 1 && t.Statements == 0 }},
	} {
		truth := &truth{statements: map[moment]*statement{}}
		if tc.truth != nil {
			truth.statements[moment{10, 6}] = tc.truth
		}
		tally := newTally()
		path := write(t, "verdicts", `{"time":"1970-01-01T00:00:00.00000001Z","tid":6,`+tc.line+"}\n")
		if err := tally.score(path, truth, requests(), 4); err != nil {
			t.Fatal(err)
		}
		if !tc.want(tally) {
			t.Errorf("%s: %+v", tc.name, tally)
		}
	}
}

func ptr[T any](v T) *T { return &v }

// TestWhatFails demands that one wrong link, one unsound set, one false violation and one stray finding fail a cell of any size.
func TestWhatFails(t *testing.T) {
	good := func() *running {
		r := &running{harness: &harness{cfg: Config{Statements: 100}}, result: &Result{Tally: newTally()}}
		tally := r.result.Tally
		tally.Statements = 30000
		tally.Rungs["task"], tally.Rungs["set"] = &Rung{20000, 20000, 0}, &Rung{10000, 10000, 0}
		tally.Classes[independent] = &Class{1000, 1000, 1000, 1000}
		return r
	}
	if r := good(); len(problems(r)) > 0 {
		t.Errorf("problems of a good cell: %q", r.result.Problems)
	}
	for name, spoil := range map[string]func(t *Tally){
		"wrong links":     func(t *Tally) { t.Rungs["task"].Wrong++ },
		"sets":            func(t *Tally) { t.Rungs["set"].Wrong++ },
		"background":      func(t *Tally) { t.Denied++ },
		"false violation": func(t *Tally) { t.False++ },
		"nobody planted":  func(t *Tally) { t.Strays++ },
		"compared":        func(t *Tally) { t.Statements = 49 },
		"exact link":      func(t *Tally) { t.Classes[independent].OfExact = 989 },
	} {
		r := good()
		spoil(r.result.Tally)
		if got := problems(r); len(got) != 1 {
			t.Errorf("%s: problems %q", name, got)
		}
	}
}

func problems(r *running) []string {
	r.weigh()
	return r.result.Problems
}

func TestFindings(t *testing.T) {
	line := func(name, id string) string {
		return fmt.Sprintf(`{"count":1,"finding_info":{"uid":%q,"title":%q},"evidences":[{"http_request":{"uid":%q}}]}`+"\n", name+id, name, id)
	}
	for _, tc := range []struct {
		violation string
		text      string
		strays    int
	}{
		{independent, line("CROSS_TENANT_READ", "b"), 0},
		{independent, line("CROSS_TENANT_READ", "a"), 1}, // which did nothing wrong
		{independent, line("DB_CONNECTION_SHARED", "b"), 1},
		{none, line("CROSS_TENANT_READ", "b"), 1},
		{background, line("CROSS_TENANT_READ", ""), 1},
		{stale, line("CROSS_TENANT_READ", "a"), 0},
	} {
		r := &running{cell: Cell{Violation: tc.violation}, load: &load{sent: requests()}, result: &Result{Tally: newTally()}}
		if err := r.findings(write(t, "findings", tc.text)); err != nil {
			t.Fatal(err)
		}
		if got := r.result.Tally.Strays; got != tc.strays {
			t.Errorf("%s %s: %d strays, want %d", tc.violation, tc.text, got, tc.strays)
		}
	}
}

// The ends of the interval are the probabilities from which what was seen is z standard deviations away (Wilson 1927).
func TestShare(t *testing.T) {
	const z = 1.959964
	for _, tc := range []struct {
		k, n int
		text string
	}{{0, 0, "-"}, {30000, 30000, "100 % (99.987 to 100)"}, {0, 10, "0 % (0 to 27.8)"}, {5, 10, "50.0 % (23.7 to 76.3)"}, {81, 263, "30.8 % (25.5 to 36.6)"}} {
		s := share(tc.k, tc.n)
		if s.String() != tc.text {
			t.Errorf("%d of %d: %q, want %q", tc.k, tc.n, s, tc.text)
		}
		seen := float64(tc.k) / float64(tc.n)
		for _, end := range []float64{s.Low, s.High} {
			if end == 0 || end == 1 {
				continue
			}
			if got := math.Abs(seen-end) / math.Sqrt(end*(1-end)/float64(tc.n)); math.Abs(got-z) > 1e-9 {
				t.Errorf("%d of %d: from %v it is %v deviations, want %v", tc.k, tc.n, end, got, z)
			}
		}
	}
}

func TestReport(t *testing.T) {
	tally := newTally()
	tally.Statements, tally.Clean = 4, 3
	tally.Rungs["thread"], tally.Rungs["none"] = &Rung{3, 3, 0}, &Rung{1, 1, 0}
	tally.Reasons["no_link"] = 1
	tally.Classes[independent] = &Class{1, 1, 1, 1}
	results := &Results{Machine: "a machine", Random: 7, Cells: []*Result{{Cell: cells()[0], Tally: tally}, {Cell: cells()[1], Tally: tally}}}
	var out bytes.Buffer
	report(&out, results)
	for _, want := range []string{"a machine, seed 7.", "| `thread` | 6 | 75.0 % | 100 % (61.0 to 100) |", "| none | 2 | 25.0 % | |", "| independent | 2 | 100 % (34.2 to 100) | 2 | 100 % (34.2 to 100) |",
		"Of 2 violations said, 2 are true", "Of 6 statements that are none, 0 were said to be", "| `no_link` | 2 | 25.0 % |"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
}
