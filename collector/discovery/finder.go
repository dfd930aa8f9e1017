// Package discovery finds the processes that map OpenSSL and has the probes attached to what they map: each file once, whatever its name, also inside
// containers and after it was deleted.
package discovery

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"tenantrace/collector/probe"
	"tenantrace/collector/procfs"
)

// How often new processes are looked for. The kernel announces executable mappings at once; this is the net below.
const scanInterval = time.Second

// A process may fork between the moment it is listed and the moment it is traced: who found one looks once more, after this time, for a child of it.
const childInterval = 20 * time.Millisecond

// How often in a row that is done before the finder is ready.
const childScans = 10

// How long a library waits for the libcrypto of its process to be mapped.
const companionWait = 2 * time.Second

// fileID names a file as /proc does.
type fileID = probe.FileKey

// Config says what is traced. Empty PIDs and Exes: every process.
type Config struct {
	Proc     procfs.FS
	Programs *probe.Programs
	PIDs     []uint32
	Exes     []string
	Log      *slog.Logger
}

// Finder looks for libraries. Run owns it, but for Requests, Ready and Libraries.
type Finder struct {
	cfg      Config
	self     uint32
	requests chan uint32
	seeks    chan seek
	sought   atomic.Uint64   // times that BIO_read was probed
	known    map[uint32]bool // processes of the last scan
	waiting  map[uint32]time.Time
	fresh    bool // a process is traced since the last scan: it may have forked before
	started  chan uint32
	pythons  map[uint32]*python // processes with an interpreter
	dropped  atomic.Uint64
	ready    atomic.Bool

	mu    sync.Mutex // files, read by Libraries
	files map[fileID]*file
	below map[string]*file // of overlays: by the file that they show
}

// New prepares a Finder. Paths in cfg.Exes are resolved, since the kernel names the file and not the link.
func New(cfg Config, self uint32) *Finder {
	exes := slices.Clone(cfg.Exes)
	for i, e := range exes {
		if real, err := filepath.EvalSymlinks(e); err == nil {
			exes[i] = real
		}
	}
	cfg.Exes = exes
	return &Finder{
		cfg: cfg, self: self, requests: make(chan uint32, 1024), seeks: make(chan seek, 256),
		started: make(chan uint32, 1024), pythons: map[uint32]*python{},
		known: map[uint32]bool{}, waiting: map[uint32]time.Time{}, files: map[fileID]*file{}, below: map[string]*file{},
	}
}

// Request asks for a process to be looked at. When too many wait it is left to the next scan.
func (f *Finder) Request(pid uint32) {
	select {
	case f.requests <- pid:
	default:
		f.dropped.Add(1)
	}
}

// Ready tells whether every process was looked at once and the probes stand.
func (f *Finder) Ready() bool { return f.ready.Load() }

// Run looks at all processes, then at new ones and at those requested, until ctx is done.
func (f *Finder) Run(ctx context.Context) error {
	f.fresh = true
	for n := 0; f.fresh && n < childScans; n++ {
		if err := f.scan(); err != nil {
			return err
		}
	}
	f.ready.Store(len(f.waiting) == 0)
	tick := time.NewTicker(scanInterval)
	defer tick.Stop()
	var children <-chan time.Time
	for {
		if f.fresh && children == nil {
			children = time.After(childInterval)
		}
		select {
		case <-ctx.Done():
			return nil
		case pid := <-f.requests:
			f.look(pid, true)
		case s := <-f.seeks:
			f.seek(s)
		case pid := <-f.started:
			delete(f.pythons, pid) // it may run another program than before
			f.ask(pid)
		case <-children:
			children = nil
			if err := f.scan(); err != nil {
				f.cfg.Log.Warn("processes could not be listed", "error", err)
			}
		case <-tick.C:
			if f.dropped.Swap(0) > 0 {
				clear(f.known) // some request was not heard: look at everything again
			}
			if err := f.scan(); err != nil {
				f.cfg.Log.Warn("processes could not be listed", "error", err)
			}
			f.ready.Store(true)
		}
	}
}

// scan looks at the processes that were not there at the last scan, and at those with a library that waits for its companion. A process id that was
// reused in between is not noticed here: the kernel announces what the new process maps.
func (f *Finder) scan() error {
	f.fresh = false
	pids, err := f.cfg.Proc.Processes()
	if err != nil {
		return err
	}
	alive := make(map[uint32]bool, len(pids))
	for _, pid := range pids {
		alive[pid] = true
		_, waits := f.waiting[pid]
		if !f.known[pid] || waits {
			f.look(pid, false)
		}
	}
	f.known = alive
	for pid := range f.waiting {
		if !alive[pid] {
			delete(f.waiting, pid)
		}
	}
	f.endSeeks(alive)
	f.askAgain(alive)
	f.release(alive)
	return nil
}

// look examines what a process maps, attaches to what is new, and traces the process if it maps a probed file. announced: the kernel knows nothing of
// one of the files any more.
func (f *Finder) look(pid uint32, announced bool) {
	if pid == f.self || !f.chosen(pid) { // what only others map is left alone: a probe costs them too
		return
	}
	mappings, err := f.cfg.Proc.ExecutableMappings(pid)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			f.cfg.Log.Debug("mappings of a process could not be read", "pid", pid, "error", err)
		}
		return
	}
	if f.examine(pid, mappings, announced) || f.selective() { // who is asked for is traced, with OpenSSL or without: its plain sockets show its statements
		added, err := f.cfg.Programs.Trace(pid)
		if err == nil && added && f.ended(pid) {
			err = f.cfg.Programs.Untrace(pid)
			mappings = nil
		}
		if err != nil {
			f.cfg.Log.Warn("process cannot be traced", "pid", pid, "error", err)
			return
		}
		f.fresh = f.fresh || added
		f.interpret(pid, mappings)
	}
}

// ended tells whether a process has ended: what is left of one maps nothing.
func (f *Finder) ended(pid uint32) bool {
	mappings, err := f.cfg.Proc.ExecutableMappings(pid)
	return len(mappings) == 0 && (err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH))
}

// selective tells whether only some processes are to be traced.
func (f *Finder) selective() bool { return len(f.cfg.PIDs)+len(f.cfg.Exes) > 0 }

// chosen tells whether a process, or an ancestor of it, is one of those asked for.
func (f *Finder) chosen(pid uint32) bool {
	if !f.selective() {
		return true
	}
	for range 64 {
		if slices.Contains(f.cfg.PIDs, pid) {
			return true
		}
		if exe, err := f.cfg.Proc.Executable(pid); err == nil && slices.Contains(f.cfg.Exes, exe) {
			return true
		}
		stat, err := f.cfg.Proc.Stat(pid)
		if err != nil || stat.Parent == 0 {
			return false
		}
		pid = stat.Parent
	}
	return false
}

// Libraries lists the libraries found so far.
func (f *Finder) Libraries() []Library {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []Library
	for _, k := range f.distinct() {
		if k.library == nil && k.failed == "" && !k.hidden {
			continue
		}
		l := k.report
		l.Processes = len(k.users)
		out = append(out, l)
	}
	slices.SortFunc(out, byPath)
	return out
}

func byPath(a, b Library) int {
	return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Device, b.Device), cmp.Compare(a.Inode, b.Inode))
}

// Close detaches from all libraries.
func (f *Finder) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []*probe.Library
	for _, k := range f.distinct() {
		all = append(all, k.detached()...)
	}
	return probe.Close(all...)
}
