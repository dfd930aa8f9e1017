package discovery

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"tenantrace/bpf"
	"tenantrace/collector/probe"
	"tenantrace/collector/procfs"
)

// file is an executable file that was looked at. Overlays that show one file share one.
type file struct {
	contents
	stamp   stamp
	library *probe.Library
	decoder *probe.Library // d2i_X509 in this file, for a library without offsets
	interpreter
	reader  *probe.Library // BIO_read in this file, while the sockets of connections are sought
	seekers map[uint32]bool
	failed  string // why a libssl has no probes
	report  Library
	users   map[uint32]bool
	used    time.Time       // last seen in use, or looked at
	marked  []probe.FileKey // the numbers under which the kernel side knows it
}

// held tells whether probes keep the file itself: its numbers cannot become another's.
func (k *file) held() bool {
	return k.library != nil || k.decoder != nil || k.reader != nil || k.contexts != nil
}

// state is what the kernel side is to know of the file.
func (k *file) state() bpf.TracerFileState {
	if k.library != nil {
		return bpf.TracerFileStateFILE_PROBED
	}
	if k.loop {
		return bpf.TracerFileStateFILE_LOOP
	}
	return bpf.TracerFileStateFILE_IGNORED
}

// detached gives the attached libraries, to be closed.
func (k *file) detached() (out []*probe.Library) {
	for _, l := range []*probe.Library{k.library, k.decoder, k.reader, k.contexts} {
		if l != nil {
			out = append(out, l)
		}
	}
	k.library, k.decoder, k.reader, k.contexts = nil, nil, nil, nil
	return out
}

// stamp tells a file from another that got its numbers, and from itself when it was written to.
type stamp struct {
	size            int64
	written, change syscall.Timespec
}

func stampOf(f *os.File) (stamp, error) {
	i, err := f.Stat()
	if err != nil {
		return stamp{}, err
	}
	s, ok := i.Sys().(*syscall.Stat_t)
	if !ok {
		return stamp{}, fmt.Errorf("status of %q has no times", f.Name())
	}
	return stamp{s.Size, s.Mtim, s.Ctim}, nil
}

// file gives what is known of a mapped file, after looking at it if it is new. announced: the kernel side does not know it, or knows another by its numbers.
func (f *Finder) file(pid uint32, m procfs.Mapping, announced bool) (*file, error) {
	id := fileID{Device: m.Device, Inode: m.Inode}
	k := f.files[id]
	if k != nil && !announced {
		return k, nil
	}
	r, err := f.cfg.Proc.OpenMapping(pid, m)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	now, err := stampOf(r)
	if err != nil {
		return nil, err
	}
	if k == nil || !k.held() && k.stamp != now {
		k = f.inspect(id, r, m, pid)
		k.stamp = now
	}
	if !k.ssl || k.library != nil || k.failed != "" { // else it is marked once its probes stand
		f.mark(k, r, id)
	}
	return k, nil
}

// inspect looks into a file. One that another overlay shows too is known already: probes are on the file below.
func (f *Finder) inspect(id fileID, r *os.File, m procfs.Mapping, pid uint32) *file {
	k := &file{contents: inspect(r), users: map[uint32]bool{}, seekers: map[uint32]bool{}, used: time.Now(), report: Library{Path: m.Path, Device: m.Device, Inode: m.Inode}}
	k.loop, k.greenlets = isModule(m.Path, "uvloop", "loop"), isModule(m.Path, "greenlet", "_greenlet")
	below, shared := belowOverlay(r)
	f.mu.Lock()
	defer f.mu.Unlock()
	if shared && (k.ssl || k.crypto || k.python) {
		if same := f.below[below]; same != nil {
			k = same
		} else {
			f.below[below] = k
		}
	}
	if k.hidden {
		k.report.Hidden, k.report.Error = true, hiddenError
		f.cfg.Log.Warn("OpenSSL found without its symbols: its connections are not seen", "path", m.Path, "pid", pid)
	}
	f.files[id] = k
	return k
}

// mark tells the kernel side what a file is.
func (f *Finder) mark(k *file, r *os.File, id fileID) {
	key, err := f.cfg.Programs.MarkFile(r, id, k.state())
	if err != nil {
		f.cfg.Log.Warn("file could not be marked", "inode", id.Inode, "error", err)
		return
	}
	for _, known := range k.marked {
		if known == key {
			return
		}
	}
	k.marked = append(k.marked, key)
}
