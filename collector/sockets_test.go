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

// TestStatementInSegments: a driver may write each message of a statement as a segment of its own.
func TestStatementInSegments(t *testing.T) {
	needRoot(t)
	pid, do := sockets(t)
	n := &notes{}
	start(t, n, pid)
	do("segments")
	answered := func(r *event.Result) bool { return r.Tag == "SELECT 0" && r.Last && !r.Unseen }
	// The first statement of a session that is older than the tracing is not known to be one: its answer ends what was before.
	wait(t, "the answers to the second statement of the old session and to that of the new one", func() bool { return len(collect(n, answered)) == 2 })
	whole := func(s *event.Statement) bool {
		return s.Text == "SELECT id FROM t WHERE tenant_id = $1" && len(s.Params) == 1 && s.Params[0].Value == "acme"
	}
	if got := len(collect(n, whole)); got != 2 {
		t.Errorf("%d statements with text and parameter, want 2", got)
	}
	if late := collect(n, func(s *event.SessionStarted) bool { return s.Unknown }); len(late) != 1 {
		t.Errorf("%d sessions older than the tracing, want 1", len(late))
	}
	if lost := collect(n, func(*event.SessionDesync) bool { return true }); len(lost) != 0 {
		t.Errorf("framing was lost %d times", len(lost))
	}
}
