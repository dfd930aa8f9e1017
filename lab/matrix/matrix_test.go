package matrix

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	mine   = "aa"
	other  = "bb"
	forged = "cc"
)

// saw reads a recording of the given lines.
func saw(t *testing.T, lines ...string) *seen {
	t.Helper()
	path := filepath.Join(t.TempDir(), "recording")
	text := strings.Join(append([]string{`{"format":"tenantrace-recording","v":1}`}, lines...), "\n") + "\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &seen{}
	if err := s.read(path); err != nil {
		t.Fatal(err)
	}
	return s
}

func told(sha, result string) string {
	return `{"k":"identity","e":{"conn":1,"role":"server","certificate":{"sha256":"` + sha + `"},"verify_result":` + result + `,"verify_mode":3,"source":"ssl"}}`
}

const (
	asked    = `{"k":"http_request","e":{"conn":1,"seq":1,"id":"row0.0.0"}}`
	answered = `{"k":"http_response","e":{"conn":1,"seq":1,"status":200}}`
	nobodyIs = `{"k":"identity","e":{"conn":1,"role":"server","verify_result":0,"verify_mode":1,"source":"ssl"}}`
)

func TestCount(t *testing.T) {
	people := []person{{mine, true}, {other, true}, {forged, false}}
	for _, tc := range []struct {
		name  string
		lines []string
		who   int
		row   Row
		want  Tally
	}{
		{"right", []string{told(mine, "0"), asked}, 0, Row{}, Tally{N: 1, Right: 1}},
		{"somebody else's", []string{told(other, "0"), asked}, 0, Row{}, Tally{N: 1, Wrong: 1}},
		{"a strange one", []string{told("dd", "0"), asked}, 0, Row{}, Tally{N: 1, Wrong: 1}},
		{"too late", []string{asked, told(mine, "0"), answered}, 0, Row{}, Tally{N: 1, Unknown: 1}},
		{"in time for the response", []string{nobodyIs, asked, told(mine, "0"), answered}, 0, Row{atResponse: true}, Tally{N: 1, Right: 1}},
		{"twice before the response", []string{nobodyIs, asked, nobodyIs, told(mine, "0"), answered}, 0, Row{atResponse: true}, Tally{N: 1, Wrong: 1}},
		{"after the response", []string{nobodyIs, asked, answered, told(mine, "0")}, 0, Row{atResponse: true}, Tally{N: 1, Wrong: 1}},
		{"of a connection before", []string{told(mine, "0"), `{"k":"connection_closed","e":{"conn":1}}`, asked}, 0, Row{}, Tally{N: 1, Unknown: 1}},
		{"not seen", nil, 0, Row{}, Tally{N: 1, Unknown: 1}},
		{"seen twice", []string{told(mine, "0"), asked, asked}, 0, Row{}, Tally{N: 1, Wrong: 1}},
		{"good one not verified", []string{told(mine, "18"), asked}, 0, Row{}, Tally{N: 1, Wrong: 1}},
		{"forged one verified", []string{told(forged, "0"), asked}, 2, Row{}, Tally{N: 1, Wrong: 1}},
		{"forged one presented", []string{told(forged, "18"), asked}, 2, Row{}, Tally{N: 1, Right: 1}},
		{"nobody", []string{nobodyIs, asked}, -1, Row{}, Tally{N: 1, Right: 1}},
		{"nobody for somebody", []string{nobodyIs, asked}, 0, Row{}, Tally{N: 1, Wrong: 1}},
		{"somebody for nobody", []string{told(mine, "0"), asked}, -1, Row{}, Tally{N: 1, Wrong: 1}},
		{"not readable", []string{`{"k":"identity","e":{"conn":1,"role":"server","source":"unreadable","error":"x"}}`, asked}, 0, Row{}, Tally{N: 1, Unknown: 1}},
		{"as a client", []string{strings.Replace(told(mine, "0"), "server", "client", 1), asked}, 0, Row{}, Tally{N: 1, Wrong: 1}},
	} {
		requests := []sent{{id: "row0.0.0", who: tc.who, begin: 5, end: 6, status: 200}}
		got := count(&tc.row, requests, saw(t, tc.lines...), people, []window{{1, 9}}, func(*sent) bool { return false })
		if (tc.want.Right == 1) != (len(got.Examples) == 0) {
			t.Errorf("%s: examples %q", tc.name, got.Examples)
		}
		if got.Examples = nil; got.N != tc.want.N || got.Right != tc.want.Right || got.Unknown != tc.want.Unknown || got.Wrong != tc.want.Wrong {
			t.Errorf("%s: %+v, want %+v", tc.name, got, tc.want)
		}
	}
}

// A connection that resumed a session must say so, and no other may.
func TestResumedIsTold(t *testing.T) {
	resumes := strings.Replace(told(mine, "0"), `"source"`, `"resumed":true,"source"`, 1)
	for _, tc := range []struct {
		name    string
		lines   []string
		resumed bool
		want    [3]int // resumed, told, invented
		faults  int
	}{
		{"full", []string{told(mine, "0"), asked, answered}, false, [3]int{}, 0},
		{"resumed", []string{resumes, asked, answered}, true, [3]int{1, 1, 0}, 0},
		{"not told", []string{told(mine, "0"), asked, answered}, true, [3]int{1, 0, 0}, 1},
		{"not seen", nil, true, [3]int{1, 0, 0}, 1},
		{"invented", []string{resumes, asked, answered}, false, [3]int{0, 0, 1}, 1},
		{"invented for the response", []string{told(mine, "0"), asked, resumes, answered}, false, [3]int{0, 0, 1}, 1},
	} {
		r := &result{played: &played{Sent: []sent{{id: "row0.0.0", begin: 5, end: 6, status: 200, resumed: tc.resumed}}}, row: Row{mode: "full"}, windows: []window{{1, 9}}}
		got := count(&r.row, r.played.Sent, saw(t, tc.lines...), []person{{mine, true}}, r.windows, func(*sent) bool { return false })
		if have := [3]int{got.Resumed, got.Told, got.Invented}; have != tc.want {
			t.Errorf("%s: resumed, told, invented %v, want %v", tc.name, have, tc.want)
		}
		if problems := (&act{matrix: &matrix{}}).problems(r, &got); len(problems) != tc.faults {
			t.Errorf("%s: problems %q, want %d", tc.name, problems, tc.faults)
		}
	}
}

// The address in force when the request was read counts, also if it was told later than the connection.
func TestCountAddresses(t *testing.T) {
	opened := func(remote string) string {
		return `{"k":"connection_opened","e":{"conn":1,"remote":"` + remote + `"}}`
	}
	for _, tc := range []struct {
		name  string
		lines []string
		want  Placed
	}{
		{"right", []string{opened("127.0.0.1:5"), asked}, Placed{Right: 1}},
		{"another's", []string{opened("127.0.0.1:6"), asked}, Placed{Wrong: 1}},
		{"none", []string{opened(""), asked}, Placed{Unknown: 1}},
		{"found before", []string{opened(""), opened("127.0.0.1:5"), asked}, Placed{Right: 1}},
		{"found after", []string{opened(""), asked, opened("127.0.0.1:5")}, Placed{Unknown: 1}},
		{"of a connection before", []string{opened("127.0.0.1:5"), `{"k":"connection_closed","e":{"conn":1}}`, asked}, Placed{Unknown: 1}},
		{"not seen", nil, Placed{}},
	} {
		requests := []sent{{id: "row0.0.0", begin: 5, end: 6, from: "127.0.0.1:5"}}
		got := count(&Row{}, requests, saw(t, tc.lines...), []person{{mine, true}}, []window{{1, 9}}, func(*sent) bool { return false })
		if got.Placed != tc.want {
			t.Errorf("%s: %+v, want %+v", tc.name, got.Placed, tc.want)
		}
	}
}

// What was sent while no daemon was ready need not be seen; what must be is not excused by it.
func TestCountKnowsWhenTheDaemonWasReady(t *testing.T) {
	people := []person{{mine, true}}
	requests := []sent{{id: "a.0.0", begin: 1, end: 2}, {id: "a.0.1", begin: 3, end: 7}, {id: "a.0.2", begin: 6, end: 9}, {id: "a.1.0", begin: 6, end: 9}}
	got := count(&Row{}, requests, saw(t), people, []window{{1, 4}, {5, 9}}, func(s *sent) bool { return s.id == "a.1.0" })
	if got.N != 2 || got.Unknown != 2 || got.Excused != 1 {
		t.Errorf("%+v, want the first and the third unknown, and one excused", got)
	}
}

func TestOnlyTheFirstReadIsExcused(t *testing.T) {
	a := &act{server: &server{blocking: true}}
	r := &result{row: Row{Session: older}, windows: []window{{4, 9}}, played: &played{Sent: []sent{{id: "a.0.0", begin: 1}, {id: "a.0.1", begin: 5}, {id: "a.0.2", begin: 5}, {id: "a.0.3", begin: 6}}}}
	excuse := a.excuses(r)
	for i, want := range []bool{false, true, true, false} {
		if got := excuse(&r.played.Sent[i]); got != want {
			t.Errorf("request %d: excused %v, want %v", i, got, want)
		}
	}
	a.server.blocking = false
	if a.excuses(r)(&r.played.Sent[1]) {
		t.Error("a server whose threads do not wait in a read has no excuse")
	}
}
