package mysqlwire

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// update makes the live tests record what their clients and the server said.
var update = flag.Bool("update", false, "record the streams of the live tests in testdata")

// recorded keeps the bytes of a live connection, and what must be seen of them.
func recorded(t *testing.T, name string, calls []call) {
	t.Helper()
	if !*update {
		return
	}
	for file, data := range map[string]string{name + ".stream": string(pack(calls)), name + ".golden": strings.Join(lines(play(t, testConfig(), calls)), "\n") + "\n"} {
		if err := os.WriteFile(filepath.Join("testdata", file), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRecorded plays what the clients of the live tests and a MariaDB server said.
func TestRecorded(t *testing.T) {
	files, err := filepath.Glob("testdata/*.stream")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d streams: %v", len(files), err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(strings.TrimSuffix(file, "stream") + "golden")
		if err != nil {
			t.Fatal(err)
		}
		calls := unpack(data)
		t.Run(filepath.Base(file), func(t *testing.T) {
			diff(t, lines(play(t, testConfig(), calls)), strings.Split(strings.TrimSuffix(string(want), "\n"), "\n"))
			diff(t, lines(play(t, testConfig(), split(calls, func() int { return 7 }))), strings.Split(strings.TrimSuffix(string(want), "\n"), "\n"))
		})
	}
}
