package cpython

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tenantrace/collector/openssl"
	"tenantrace/collector/procfs"
)

// checkKey compares the place of the key with that of _PyRuntime.
func checkKey(t *testing.T, r io.ReaderAt, l *Layout, want uint64) {
	t.Helper()
	e, err := openssl.OpenELF(r)
	if err != nil {
		t.Fatal(err)
	}
	s, err := e.Symbols(runtime)
	if err != nil {
		t.Fatal(err)
	}
	if got := l.Key - s[runtime].Address; got != want {
		t.Errorf("key at %s+%#x, want %#x", runtime, got, want)
	}
}

// script has threads with and without a context, and tells when they run.
const script = `
import contextvars, sys, threading
v = contextvars.ContextVar("v")
begun = threading.Barrier(6)
def work(i):
    if i % 2:
        v.set(i)
    begun.wait()
    threading.Event().wait()
for i in range(5):
    threading.Thread(target=work, args=(i,), daemon=True).start()
v.set("main")
begun.wait()
print("begun", flush=True)
sys.stdin.read()
`

// interpreter starts an unpacked interpreter with its own C library.
func (s suite) interpreter(t *testing.T) *exec.Cmd {
	t.Helper()
	root := s.root(t)
	loader := find(t, root, "ld-linux-x86-64.so.2")
	libraries := filepath.Join(root, "lib/x86_64-linux-gnu") + ":" + filepath.Join(root, "usr/lib/x86_64-linux-gnu")
	cmd := exec.Command(loader, "--library-path", libraries, find(t, root, "python"+s.version), "-c", script)
	cmd.Env = append(os.Environ(), "PYTHONHOME="+filepath.Join(root, "usr"))
	return cmd
}

func TestProve(t *testing.T) {
	for _, s := range suites {
		t.Run(s.name, func(t *testing.T) { prove(t, s.interpreter(t)) })
	}
	t.Run("host", func(t *testing.T) { prove(t, exec.Command("/usr/bin/python3", "-c", script)) })
}

func prove(t *testing.T, cmd *exec.Cmd) {
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("interpreter: %v", err)
		}
	}()
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "begun\n" {
		t.Fatalf("the interpreter said %q: %v", line, err)
	}
	pid := uint32(cmd.Process.Pid)
	mappings, err := procfs.FS("/proc").ExecutableMappings(pid)
	if err != nil {
		t.Fatal(err)
	}
	var l *Layout
	var bias uint64
	var slots uint32
	for _, m := range mappings {
		f := open(t, m.Path)
		if x, err := Learn(f); err == nil {
			l, bias = x, x.Bias(m.Start, m.Offset)
		} else if !errors.Is(err, ErrNone) {
			t.Fatalf("%s: %v", m.Path, err)
		}
		if x, err := LearnSlots(f); err == nil {
			slots = x
		}
	}
	if l == nil || slots == 0 {
		t.Fatalf("nothing learned of %v", mappings)
	}
	memory := open(t, fmt.Sprintf("/proc/%d/mem", pid))
	p, err := l.Prove(memory, bias, slots)
	if err != nil {
		t.Fatal(err)
	}
	if p.Threads != 6 || p.Contexts != 3 || p.Slot < slots || p.Context != l.Context {
		t.Errorf("proved %+v, want 6 threads, 3 of them with a context", p)
	}
	for name, c := range map[string]struct {
		wrong func(*Layout)
		slots uint32
		want  string
	}{
		"another slot":       {func(*Layout) {}, slots + slotSize, "its slot holds"},
		"another id":         {func(l *Layout) { l.ThreadID += 0x10 }, slots, ""},
		"another context":    {func(l *Layout) { l.Context = l.ThreadID }, slots, "is no context"},
		"another key":        {func(l *Layout) { l.Key += 8 }, slots, ""},
		"another destructor": {func(l *Layout) { l.Free += 4 }, slots, "destructor"},
	} {
		wrong := *l
		c.wrong(&wrong)
		if p, err := wrong.Prove(memory, bias, c.slots); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: proved %+v, %v, want an error with %q", name, p, err, c.want)
		}
	}
	if _, err := l.Prove(memory, bias+1<<40, slots); err == nil {
		t.Error("proved where nothing is mapped")
	}
}
