package proc

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func start(t *testing.T, script string) *Process {
	t.Helper()
	p, err := Start(Spec{Name: "script", Path: "/bin/sh", Args: []string{"-c", script}, Env: []string{"PATH=/usr/bin:/bin"},
		Log: filepath.Join(t.TempDir(), "log"), Stop: syscall.SIGTERM})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// output waits for the first line of a process's output.
func output(t *testing.T, p *Process) string {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if text, err := os.ReadFile(p.Log()); err == nil && strings.Contains(string(text), "\n") {
			return strings.TrimSpace(string(text))
		}
	}
	t.Fatal("no output")
	return ""
}

func TestStopEndsTheWholeGroup(t *testing.T) {
	p := start(t, "sleep 60 & echo $!; trap 'exit 0' TERM; wait")
	child, err := strconv.Atoi(output(t, p))
	if err != nil {
		t.Fatal(err)
	}
	members, err := Group(p.PID())
	if err != nil || !slices.Contains(members, p.PID()) || !slices.Contains(members, child) {
		t.Errorf("group %v, %v; want %d and %d in it", members, err, p.PID(), child)
	}
	if err := p.Stop(5 * time.Second); err != nil {
		t.Errorf("stop: %v", err)
	}
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if members, _ = Group(p.PID()); len(members) == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("still there: %v", members)
		}
	}
}

func TestStopKillsWhatDoesNotEnd(t *testing.T) {
	p := start(t, "trap '' TERM; echo ready; while :; do sleep 0.05; done")
	output(t, p)
	if err := p.Stop(100 * time.Millisecond); err == nil || !strings.Contains(err.Error(), "was killed") {
		t.Errorf("error %v, want that it was killed", err)
	}
}

func TestStopReportsTheExitStatus(t *testing.T) {
	p := start(t, "trap 'exit 3' TERM; echo ready; while :; do sleep 0.05; done")
	output(t, p)
	if err := p.Stop(5 * time.Second); err == nil || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("error %v, want exit status 3", err)
	}
}

func TestUsageOf(t *testing.T) {
	p := start(t, "echo ready; while :; do :; done")
	defer p.Stop(time.Millisecond)
	output(t, p)
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		usage, err := UsageOf(p.PID())
		if err != nil {
			t.Fatal(err)
		}
		if usage.CPU >= 50*time.Millisecond && usage.Resident > 100<<10 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("usage %+v of a busy shell", usage)
		}
	}
	if _, err := UsageOf(1 << 30); err == nil {
		t.Error("no error for a process that is not there")
	}
}

func TestTail(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(path, []byte("a\nb\nc\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := Tail(path, 2); got != "b\nc" {
		t.Errorf("tail %q", got)
	}
	if got := Tail(path+"none", 2); got != "" {
		t.Errorf("tail of nothing %q", got)
	}
}
