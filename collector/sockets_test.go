package collector

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"testing"

	"tenantrace/collector/event"
)

// sockets starts testdata/sockets.py. do gives it a command and waits until it is done.
func sockets(t *testing.T) (pid int, do func(command string)) {
	t.Helper()
	cmd := exec.Command("/usr/bin/python3", "testdata/sockets.py")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	lines := bufio.NewReader(out)
	read := func() {
		if _, err := lines.ReadString('\n'); err != nil {
			t.Fatalf("answer of sockets.py: %v", err)
		}
	}
	read()
	return cmd.Process.Pid, func(command string) {
		if _, err := io.WriteString(in, command+"\n"); err != nil {
			t.Fatal(err)
		}
		read()
	}
}

func TestPlainSockets(t *testing.T) {
	needRoot(t)
	pid, do := sockets(t)
	n := &notes{}
	start(t, n, pid)

	t.Run("long result of a late session", func(t *testing.T) {
		do("long")
		wait(t, "the late session", func() bool {
			return len(collect(n, func(s *event.SessionStarted) bool { return s.Unknown })) == 1
		})
	})
	t.Run("first byte alone", func(t *testing.T) {
		do("small")
		wait(t, "the request", func() bool {
			return len(collect(n, func(r *event.HTTPRequest) bool { return r.Path == "/small" })) == 1
		})
	})
	t.Run("unix sockets do not pile up", func(t *testing.T) {
		do("churn")
		opened := func() int { return len(collect(n, func(c *event.ConnectionOpened) bool { return c.Net == "unix" })) }
		wait(t, "the sessions", func() bool { return opened() == 200 })
		if closed := len(collect(n, func(*event.ConnectionClosed) bool { return true })); closed < 150 {
			t.Errorf("of 200 sessions that ended without a goodbye %d were closed, want nearly all: their memory is used again", closed)
		}
	})
	t.Run("the main thread ends, the process lives on", func(t *testing.T) {
		do("leader")
		do("small")
		wait(t, "the request", func() bool {
			return len(collect(n, func(r *event.HTTPRequest) bool { return r.Path == "/small" })) == 2
		})
		if exited := collect(n, func(*event.ProcessExited) bool { return true }); len(exited) != 0 {
			t.Errorf("the process ended %d times, want 0", len(exited))
		}
	})
}
