package discovery

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"time"

	"tenantrace/bpf"
	"tenantrace/collector/cpython"
	"tenantrace/collector/openssl"
	"tenantrace/collector/probe"
	"tenantrace/collector/procfs"
)

// interpreter is what is known of a file that holds CPython.
type interpreter struct {
	layout   *cpython.Layout
	contexts *probe.Library // probes on the copies of contexts and their ends
	refused  string         // why there are none
}

// modules of a process change what its contexts say.
type modules struct{ loop, greenlets bool }

// python is a process with an interpreter, by what was said of it last.
type python struct {
	proven  bool
	modules // found in it
	failed  string
	next    time.Time     // when it is asked again
	pause   time.Duration // until then
}

// How often a process is asked again: whether its interpreter has begun by now, or it has loaded an event loop that nobody announced.
const (
	firstPause = time.Second
	lastPause  = time.Minute
)

// interpreterParts tells whether a file has what contexts are found by.
func interpreterParts(r io.ReaderAt) (interpreter, slots bool) {
	const copies, values = "PyContext_CopyCurrent", "pthread_getspecific"
	e, err := openssl.OpenELF(r)
	if err != nil {
		return false, false
	}
	found, err := e.Symbols(copies, values)
	if err != nil {
		return false, false
	}
	_, interpreter = found[copies]
	_, slots = found[values]
	return interpreter, slots
}

// isModule tells by its path whether a file is an extension module of a package. uvloop's "loop" reads plain sockets in libuv, outside of any context of a
// connection; greenlet's "_greenlet" gives each greenlet a stack of frames of its own, which without it is the thread's.
func isModule(file, in, name string) bool {
	return path.Base(path.Dir(file)) == in && strings.HasPrefix(path.Base(file), name+".")
}

// Started asks for a process that is traced from now on: it may have an interpreter whose contexts are to be followed. When too many wait, the next scan comes.
func (f *Finder) Started(pid uint32) {
	select {
	case f.started <- pid:
	default:
	}
}

// interpret has the contexts of a traced process followed, if it runs CPython: learn, attach, prove, and only then ask the kernel side, so that no context
// is bound whose end could be missed.
func (f *Finder) interpret(pid uint32, mappings []procfs.Mapping) {
	var host *procfs.Mapping
	var found modules
	for i, m := range mappings {
		k := f.files[fileID{Device: m.Device, Inode: m.Inode}]
		if k == nil {
			continue
		}
		found.loop, found.greenlets = found.loop || k.loop, found.greenlets || k.greenlets
		if k.python {
			host = &mappings[i]
		}
	}
	if host == nil {
		return
	}
	p := f.pythons[pid]
	if p == nil {
		p = &python{}
		f.pythons[pid] = p
	}
	p.pause = min(max(2*p.pause, firstPause), lastPause)
	p.next = time.Now().Add(p.pause)
	if p.proven && p.modules == found {
		return
	}
	err := f.follow(pid, *host, mappings, found)
	p.proven, p.modules = err == nil, found
	if err != nil && !errors.Is(err, cpython.ErrNotYet) && p.failed != err.Error() {
		p.failed = err.Error()
		f.cfg.Log.Warn("statements of a CPython process cannot be tied to requests by their tasks", "pid", pid, "interpreter", host.Path, "error", err)
	}
}

// follow proves that a process is as its files say, and has its contexts followed.
func (f *Finder) follow(pid uint32, host procfs.Mapping, mappings []procfs.Mapping, found modules) error {
	k := f.files[fileID{Device: host.Device, Inode: host.Inode}]
	slots, err := f.slots(pid, mappings)
	if err != nil {
		return err
	}
	if err := f.attachInterpreter(pid, host, k); err != nil {
		return err
	}
	memory, err := f.cfg.Proc.Memory(pid)
	if err != nil {
		return err
	}
	defer memory.Close()
	p, err := k.layout.Prove(memory, k.layout.Bias(host.Start, host.Offset), slots)
	if err != nil {
		return err
	}
	out := bpf.TracerPython{Slot: p.Slot, ThreadId: p.ThreadID, Context: p.Context}
	if found.greenlets {
		out.Chunk = p.Chunk
	}
	if found.loop {
		out.Flags |= uint32(bpf.TracerPythonFlagsPYTHON_LOOP_READS)
	}
	if err := f.cfg.Programs.TracePython(pid, out); err != nil {
		return fmt.Errorf("process %d: %w", pid, err)
	}
	f.cfg.Log.Info("CPython's contexts are followed", "pid", pid, "interpreter", host.Path, "threads", p.Threads, "contexts", p.Contexts)
	return nil
}

// slots learns where the C library of a process has the values of thread-specific keys. Before glibc 2.34 a library of threads has them.
func (f *Finder) slots(pid uint32, mappings []procfs.Mapping) (at uint32, err error) {
	err = errors.New("no C library that is known")
	for _, m := range mappings {
		k := f.files[fileID{Device: m.Device, Inode: m.Inode}]
		if k == nil || !k.slots {
			continue
		}
		var file *os.File
		if file, err = f.cfg.Proc.OpenMapping(pid, m); err != nil {
			continue
		}
		at, err = cpython.LearnSlots(file)
		file.Close()
		if err == nil {
			return at, nil
		}
	}
	return 0, err
}

// attachInterpreter learns from a file with CPython and puts the probes on it, once.
func (f *Finder) attachInterpreter(pid uint32, m procfs.Mapping, k *file) error {
	f.use(pid, k)
	f.mu.Lock()
	defer f.mu.Unlock()
	if k.contexts != nil {
		return nil
	}
	if k.refused != "" {
		return errors.New(k.refused)
	}
	file, err := f.cfg.Proc.OpenMapping(pid, m)
	if err != nil {
		return err
	}
	defer file.Close()
	if k.layout, err = cpython.Learn(file); err == nil {
		k.contexts, err = f.cfg.Programs.AttachInterpreter(file, k.layout.Copy, k.layout.Free)
	}
	if err != nil {
		k.refused = err.Error()
	}
	return err
}

// ask looks for an interpreter in a process that is traced already. It does not have it traced: it may have ended, and nobody would tell of its end again.
func (f *Finder) ask(pid uint32) {
	if pid == f.self {
		return
	}
	mappings, err := f.cfg.Proc.ExecutableMappings(pid)
	if err == nil && f.examine(pid, mappings, false) {
		f.interpret(pid, mappings)
	}
}

// askAgain looks at processes with an interpreter whose time has come, and forgets those that have ended.
func (f *Finder) askAgain(alive map[uint32]bool) {
	now := time.Now()
	for pid, p := range f.pythons {
		switch {
		case !alive[pid]:
			delete(f.pythons, pid)
		case now.After(p.next):
			f.ask(pid)
		}
	}
}
