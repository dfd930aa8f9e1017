package probe

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// caller is a process that maps a library and calls SSL_peek of it when told to.
type caller struct {
	in  io.WriteCloser
	out *bufio.Reader
}

// startCaller waits until the library is mapped.
func startCaller(t *testing.T, library string) *caller {
	t.Helper()
	cmd := exec.Command("/usr/bin/python3", "testdata/caller.py", library)
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
	c := &caller{in, bufio.NewReader(out)}
	c.answer(t)
	return c
}

// answer is the process that called.
func (c *caller) answer(t *testing.T) uint32 {
	t.Helper()
	line, err := c.out.ReadString('\n')
	if err != nil {
		t.Fatalf("answer of caller.py: %v", err)
	}
	pid, err := strconv.ParseUint(strings.TrimSpace(line), 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(pid)
}

func (c *caller) do(t *testing.T, command string) uint32 {
	t.Helper()
	if _, err := io.WriteString(c.in, command+"\n"); err != nil {
		t.Fatal(err)
	}
	return c.answer(t)
}

// seen tells whether the entry of a call of the process was probed, and forgets it; none of its calls may be left open, else the return was not.
func seen(t *testing.T, p *Programs, pid uint32) bool {
	t.Helper()
	_, there := p.Lost(pid)
	if err := p.Untrace(pid); err != nil {
		t.Fatal(err)
	}
	var thread uint64
	call := make([]byte, p.objects.Calls.ValueSize())
	it := p.objects.Calls.Iterate()
	for it.Next(&thread, &call) {
		if uint32(thread>>32) == pid {
			t.Errorf("a call of process %d is open: its return was not probed", pid)
		}
	}
	if err := it.Err(); err != nil {
		t.Fatal(err)
	}
	return there
}

// Probes are on the file, by whatever way they were attached: in processes from before, in their children, in later ones, in a file that has no path any more; and
// nowhere once detached.
func TestProbesFollowTheFile(t *testing.T) {
	for name, without := range variants {
		t.Run(name, func(t *testing.T) {
			p := load(t, Config{Without: without})
			to := target(t)
			b, err := os.ReadFile(to.File.Name())
			if err != nil {
				t.Fatal(err)
			}
			path, linked := filepath.Join(t.TempDir(), "libssl.so.3"), filepath.Join(t.TempDir(), "other-name.so")
			if err := os.WriteFile(path, b, 0o755); err != nil {
				t.Fatal(err)
			}
			before := startCaller(t, path)
			if to.File, err = os.Open(path); err != nil {
				t.Fatal(err)
			}
			defer to.File.Close()
			if err := os.Link(path, linked); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(path); err != nil { // the descriptor's own path
				t.Fatal(err)
			}
			l, err := p.Attach(to)
			if err != nil {
				t.Fatal(err)
			}
			to.File.Close()
			later := startCaller(t, linked)
			calls := []struct {
				what, command string
				by            *caller
			}{{"an earlier process", "call", before}, {"its child", "fork", before}, {"a later process", "call", later}, {"its child", "fork", later}}
			for _, c := range calls {
				if pid := c.by.do(t, c.command); !seen(t, p, pid) {
					t.Errorf("the call of %s (%d) was not seen", c.what, pid)
				}
			}
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			for _, c := range calls {
				if pid := c.by.do(t, c.command); seen(t, p, pid) {
					t.Errorf("after detaching, the call of %s (%d) was seen", c.what, pid)
				}
			}
		})
	}
}
