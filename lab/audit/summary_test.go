package audit

import (
	"strings"
	"testing"
)

func TestFindingsAreSummedUp(t *testing.T) {
	line := func(uid, title string, count int) Finding {
		f := Finding{Count: count, Severity: "High"}
		f.Info.UID, f.Info.Title, f.Unmapped.IdentityTenant = uid, title, "acme"
		return f
	}
	got := Summaries([]Finding{line("2", "A", 1), line("1", "B", 1), line("1", "B", 5), line("3", "A", 2)})
	if s := strings.Join(got, ", "); s != "A High acme 1, A High acme 2, B High acme 5" {
		t.Errorf("findings %q", s)
	}
}
