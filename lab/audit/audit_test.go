package audit

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const recording = `{"format":"tenantrace-recording","v":1,"started":"2026-01-01T00:00:00Z"}
{"k":"http_request","e":{"time":1,"pid":5,"tid":6,"conn":1,"seq":1,"id":"a"}}
{"k":"statement","e":{"time":10,"pid":5,"tid":6,"conn":2,"seq":1,"text":"BEGIN"}}
{"k":"statement","e":{"time":20,"pid":5,"tid":6,"conn":2,"seq":2,"text":"SELECT 1 /* gt=a */"}}
{"k":"statement","e":{"time":30,"pid":5,"tid":6,"conn":2,"seq":3,"text":"COMMIT"}}
{"k":"statement","e":{"time":30,"pid":5,"tid":7,"conn":3,"seq":1,"text":"SELECT '/* gt=z */' /* gt=b */"}}
{"k":"statement","e":{"time":40,"pid":5,"tid":7,"conn":3,"seq":2,"text":"SET x = 1"}}
{"k":"tick","e":{"time":50}}
`

func TestTruth(t *testing.T) {
	truth, err := ReadTruth(write(t, "recording", recording))
	if err != nil {
		t.Fatal(err)
	}
	if truth.Requests["a"] != 1 || len(truth.Requests) != 1 {
		t.Errorf("requests %v", truth.Requests)
	}
	line := func(ns int64, tid int, id string) Line {
		l := Line{Time: time.Unix(0, ns).UTC(), TID: tid}
		if id != "" {
			l.Request = &struct {
				ID string `json:"id"`
			}{id}
		}
		return l
	}
	for i, tc := range []struct {
		line Line
		want Links
	}{
		{line(10, 6, "a"), Links{Right: 1}},
		{line(20, 6, "a"), Links{Right: 1}},
		{line(20, 6, ""), Links{Unlinked: 1}},
		{line(30, 6, "a"), Links{Right: 1}},
		{line(30, 7, "b"), Links{Right: 1}},
		{line(30, 7, "a"), Links{Wrong: []Line{{}}}},
		{line(30, 7, "z"), Links{Wrong: []Line{{}}}},
		{line(40, 7, "b"), Links{NoTruth: 1}},
		{line(41, 7, "b"), Links{Unjoined: 1}},
	} {
		got := truth.Check([]Line{tc.line})
		if got.Right != tc.want.Right || got.Unlinked != tc.want.Unlinked || got.NoTruth != tc.want.NoTruth || got.Unjoined != tc.want.Unjoined || len(got.Wrong) != len(tc.want.Wrong) {
			t.Errorf("case %d: %+v, want %+v", i, got, tc.want)
		}
	}
}

func TestTruthRefusesWhatItCannotTrust(t *testing.T) {
	for _, text := range []string{
		`{"format":"tenantrace-recording","v":2}` + "\n",
		`{"format":"other","v":1}` + "\n",
		`{"format":"tenantrace-recording","v":1}
{"k":"statement","e":{"time":10,"tid":6,"conn":2,"text":"SELECT 1"}}
{"k":"statement","e":{"time":10,"tid":6,"conn":2,"text":"SELECT 2"}}
`, "garbage\n",
	} {
		if _, err := ReadTruth(write(t, "recording", text)); err == nil {
			t.Errorf("no error for %q", text)
		}
	}
}

func TestLines(t *testing.T) {
	lines, err := ReadLines(write(t, "verdicts", `{"v":1,"time":"2026-01-02T03:04:05.000000010Z","verdict":"violation","findings":["CROSS_TENANT_READ"],"link":"thread","evidence_level":"row","database_tenants":["beta"],"pid":5,"tid":6,"request":{"method":"GET","path":"/","id":"a"},"statement":{"shape":"SELECT ?"}}
{"v":1,"time":"2026-01-02T03:04:05Z","verdict":"no_tenant","findings":[],"link":"none","database_tenants":[],"request":null,"statement":{"shape":"BEGIN"}}
`))
	if err != nil || len(lines) != 2 {
		t.Fatal(lines, err)
	}
	if l := lines[0]; l.Verdict != "violation" || l.RequestID() != "a" || l.Time.Nanosecond() != 10 || l.Statement.Shape != "SELECT ?" {
		t.Errorf("%+v", l)
	}
	if lines[1].RequestID() != "" {
		t.Errorf("request %q, want none", lines[1].RequestID())
	}
}

func TestCountLines(t *testing.T) {
	if n, err := CountLines(filepath.Join(t.TempDir(), "none")); n != 0 || err != nil {
		t.Error(n, err)
	}
	if n, err := CountLines(write(t, "x", "a\nb\nhalf")); n != 2 || err != nil {
		t.Error(n, err)
	}
}

func TestOccurrences(t *testing.T) {
	findings, err := ReadFindings(write(t, "findings", `{"count":1,"finding_info":{"uid":"u1","title":"A"}}
{"count":1,"finding_info":{"uid":"u2","title":"A"}}
{"count":7,"finding_info":{"uid":"u1","title":"A"},"evidences":[{"http_request":{"uid":"r"}}]}
{"count":1,"finding_info":{"uid":"u3","title":"B"},"evidences":[{}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	if got := Occurrences(findings); got["A"] != 8 || got["B"] != 1 || len(got) != 2 {
		t.Errorf("occurrences %v", got)
	}
	if findings[2].RequestID() != "r" || findings[3].RequestID() != "" || findings[0].RequestID() != "" {
		t.Error("request ids are wrong")
	}
}
