package pgwire

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// update makes the live tests record what their drivers and the server said.
var update = flag.Bool("update", false, "record the streams of the live tests in testdata")

// recorded keeps the bytes of a live connection, and what must be seen of them.
func recorded(t *testing.T, name string, steps []step) {
	t.Helper()
	if !*update {
		return
	}
	for file, data := range map[string]string{name + ".stream": string(pack(steps)), name + ".golden": strings.Join(replayed(t, steps), "\n") + "\n"} {
		if err := os.WriteFile(filepath.Join("testdata", file), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// replayed gives what a session sees of recorded steps.
func replayed(t *testing.T, steps []step) []string {
	t.Helper()
	s, events := fresh(testConfig())
	run(s, steps)
	s.Close(tick())
	checkLast(t, *events)
	return lines(*events)
}

// TestRecorded plays what the drivers of the live tests and a server said, and holds it against pgproto3.
func TestRecorded(t *testing.T) {
	files, err := filepath.Glob("testdata/*.stream")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d streams: %v", len(files), err)
	}
	var all oracleCount
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(strings.TrimSuffix(file, "stream") + "golden")
		if err != nil {
			t.Fatal(err)
		}
		steps := unpack(data)
		t.Run(filepath.Base(file), func(t *testing.T) {
			whole := strings.Split(strings.TrimSuffix(string(want), "\n"), "\n")
			diff(t, replayed(t, steps), whole)
			diff(t, replayed(t, split(steps, func() int { return 7 })), whole)
			s, events := fresh(testConfig())
			run(s, steps)
			s.Close(tick())
			n := checkOracle(t, steps, *events)
			t.Logf("held against pgproto3: %+v", n)
			all.add(n)
		})
	}
	if all.statements < 100 || all.texts < 100 || all.params < 40 || all.results < all.statements || all.values < 40 {
		t.Errorf("little was compared: %+v", all)
	}
}
