package lab

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// needRoot skips where the lab cannot run at all, and says why.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skipf("effective user id %d: %v", os.Geteuid(), ErrNotRoot)
	}
	if testing.Short() {
		t.Skip("-short: the lab takes minutes")
	}
}

// daemon builds the daemon from this module.
func daemon(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tenantrace")
	build := exec.Command("go", "build", "-o", path, "tenantrace/cmd/tenantrace")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the daemon: %v\n%s", err, out)
	}
	return path
}

// writer passes the lab's output on to the test's log, line by line.
type writer struct {
	t    *testing.T
	rest string
}

func (w *writer) Write(p []byte) (int, error) {
	w.rest += string(p)
	for {
		line, rest, found := strings.Cut(w.rest, "\n")
		if !found {
			return len(p), nil
		}
		w.t.Log(line)
		w.rest = rest
	}
}

// TestServices plays all scenarios without the daemon: the faults must be real, and the counts right.
func TestServices(t *testing.T) {
	needRoot(t)
	if err := Run(t.Context(), Config{Out: &writer{t: t}}, Selection{}); err != nil {
		t.Fatal(err)
	}
}

// TestRun is what "make lab" runs.
func TestRun(t *testing.T) {
	needRoot(t)
	if err := Run(t.Context(), Config{Daemon: daemon(t), Out: &writer{t: t}}, Selection{}); err != nil {
		t.Fatal(err)
	}
}

// TestLoadOfService sends the load's plan without the daemon: exactly so many requests, answered as planned, and the counts right.
func TestLoadOfService(t *testing.T) {
	needRoot(t)
	cfg := LoadConfig{Config: Config{Out: &writer{t: t}}, Requests: 997, Connections: DefaultConnections}
	if err := Load(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
}

// TestLoad counts from end to end.
func TestLoad(t *testing.T) {
	needRoot(t)
	cfg := LoadConfig{Config: Config{Daemon: daemon(t), Out: &writer{t: t}}, Requests: DefaultRequests, Connections: DefaultConnections}
	if err := Load(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
}
