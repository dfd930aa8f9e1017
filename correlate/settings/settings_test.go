package settings_test

import (
	"fmt"
	"strings"
	"testing"

	"tenantrace/correlate/settings"
)

// run applies a script of words: "set=a", "local=a", "reset", "begin", "commit", "rollback", "save:x", "to:x", "release:x", "void",
// "resetall", "discard", "report=a" and checks "?a" (known), "?" (unset), "??" (unknown) on the way.
func run(t *testing.T, s *settings.Session, script string) {
	t.Helper()
	for i, word := range strings.Fields(script) {
		op, value, hasValue := strings.Cut(word, "=")
		op, name, _ := strings.Cut(op, ":")
		switch {
		case op == "set":
			s.Set("x", settings.Value{State: settings.Known, Text: value}, false)
		case op == "local":
			s.Set("x", settings.Value{State: settings.Known, Text: value}, true)
		case op == "reset":
			s.Reset("x", false)
		case op == "resetall":
			s.ResetAll(false)
		case op == "discard":
			s.ResetAll(true)
		case op == "report" && hasValue:
			s.Report("x", value)
		case op == "void":
			s.Void()
		case op == "commit":
			s.Commit()
		case op == "rollback":
			s.Rollback()
		case op == "save":
			s.Savepoint(name)
		case op == "to":
			s.RollbackTo(name)
		case op == "release":
			s.Release(name)
		case op[0] == '?':
			got, want := s.Get("x"), settings.Value{State: settings.Known, Text: op[1:]}
			switch op {
			case "?":
				want = settings.Value{}
			case "??":
				want = settings.Value{State: settings.Unknown}
			}
			if got != want {
				t.Errorf("word %d of %q: value is %+v, want %+v", i+1, script, got, want)
			}
		default:
			t.Fatalf("bad word %q", word)
		}
	}
}

func TestTransactions(t *testing.T) {
	for _, script := range []string{
		"? set=a ?a commit ?a",
		"set=a commit set=b ?b rollback ?a",
		"local=a ?a commit ?",
		"local=a ?a rollback ?",
		"set=a commit local=b ?b commit ?a",
		"set=a local=b ?b commit ?a rollback ?a",          // SET then SET LOCAL: the local one holds until the end
		"local=b set=a ?a commit ?a",                      // SET LOCAL then SET: the later one holds
		"set=a commit reset ? rollback ?a reset commit ?", // RESET is transactional
		"set=a save:p set=b ?b to:p ?a commit ?a",
		"set=a save:p set=b save:p set=c to:p ?b to:p ?b release:p to:p ?a commit ?a",
		"save:p local=b release:p ?b to:p ?? commit ??", // the savepoint is gone; the server would refuse it
		"set=a save:p local=b ?b to:p ?a set=c ?c commit ?c",
		"set=a save:p set=b release:p ?b rollback ?",
		"set=a commit resetall ? rollback ?a discard ? commit ?",
		"set=a commit void ?? set=b ?b rollback ?? set=b commit ?b",
		"void local=b ?b commit ??",
		"set=a save:p void to:p ??",
		"report=a ?a commit ?a local=b report=c ?c commit ?a",
		"set=a commit set=b to:unseen ?? rollback ?a",
	} {
		run(t, settings.New(nil, false), script)
	}
}

func TestLateSession(t *testing.T) {
	run(t, settings.New(nil, true), "?? set=a ?a commit ?a")
	run(t, settings.New(nil, true), "?? set=a rollback ?? local=b ?b commit ??")
	run(t, settings.New(nil, true), "set=a commit ?a resetall ?? set=b commit ?b reset ?? rollback ?b discard commit ??")
}

func TestDefaults(t *testing.T) {
	s := settings.New(map[string]string{"x": "d"}, false)
	run(t, s, "?d set=a ?a commit reset ?d commit ?d set=a commit discard ?d rollback ?a local=b commit ?a")
}

func TestRoleSurvivesResetAll(t *testing.T) {
	s := settings.New(nil, false)
	s.Set("role", settings.Value{State: settings.Known, Text: "app"}, false)
	s.ResetAll(false)
	if got := s.Get("role").Text; got != "app" {
		t.Errorf("role after RESET ALL is %q, want app", got)
	}
	s.ResetAll(true)
	if got := s.Get("role"); got.State != settings.Unset {
		t.Errorf("role after DISCARD ALL is %+v, want unset", got)
	}
}

// RESET ALL makes nothing of a role that lasts until the transaction ends.
func TestLocalRoleSurvivesResetAll(t *testing.T) {
	s := settings.New(nil, false)
	s.Set("role", settings.Value{State: settings.Known, Text: "local"}, true)
	s.ResetAll(false)
	if got := s.Get("role").Text; got != "local" {
		t.Errorf("role after RESET ALL is %q, want local", got)
	}
	s.Commit()
	if got := s.Get("role"); got.State != settings.Unset {
		t.Errorf("role after the transaction is %+v, want unset", got)
	}
	s.Void()
	s.ResetAll(false)
	if got := s.Get("role"); got.State != settings.Unknown {
		t.Errorf("role that may be any is %+v after RESET ALL", got)
	}
}

func TestSavepointsAreBounded(t *testing.T) {
	s := settings.New(nil, false)
	for i := range 10_000 {
		s.Savepoint(fmt.Sprint("p", i))
		s.Set("x", settings.Value{State: settings.Known, Text: fmt.Sprint(i)}, false)
	}
	s.RollbackTo("p9999")
	if got := s.Get("x").Text; got != "9998" {
		t.Errorf("after rollback to the last savepoint x is %q, want 9998", got)
	}
	s.RollbackTo("p3")
	if got := s.Get("x").State; got != settings.Unknown {
		t.Errorf("after rollback to a forgotten savepoint x has state %d, want unknown", got)
	}
	s.Rollback()
	if got := s.Get("x").State; got != settings.Unset {
		t.Errorf("after the rollback x has state %d, want unset", got)
	}
}
