package postgres

import "testing"

func TestLoggedStatement(t *testing.T) {
	for _, tc := range []struct {
		line, application string
		count             int
	}{
		{"sync-tcp|12|LOG:  statement: SELECT 1 /* gt=a */", "sync-tcp", 1},
		{"a|12|LOG:  statement: BEGIN; SET LOCAL x = 'y'; SELECT 1; COMMIT /* gt=a;b */", "a", 4},
		{"a|12|LOG:  statement: COMMIT;", "a", 1},
		{"a|12|LOG:  execute <unnamed>: SELECT $1", "a", 1},
		{"a|12|LOG:  duration: 3 ms", "a", 0},
		{"a|12|ERROR:  statement: SELECT 1", "", 0},
		{"\tFROM x", "", 0},
		{"a|12|LOG:  database system is ready to accept connections", "a", 0},
	} {
		application, text, ok := loggedStatement(tc.line)
		count := 0
		if ok {
			count = parts(text)
		}
		if count != tc.count || (ok && application != tc.application) {
			t.Errorf("%q: %q %d, want %q %d", tc.line, application, count, tc.application, tc.count)
		}
	}
}
