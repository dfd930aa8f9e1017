package discovery

import (
	"errors"
	"fmt"

	"tenantrace/collector/openssl"
	"tenantrace/collector/procfs"
)

// seek is a wish for the probes that find the sockets of a process's older connections.
type seek struct {
	pid uint32
	on  bool
}

// Seek asks for these probes, or for their end. False: too many wait.
func (f *Finder) Seek(pid uint32, on bool) bool {
	select {
	case f.seeks <- seek{pid, on}:
		return true
	default:
		return false
	}
}

// Seeks is how often BIO_read was probed in a file.
func (f *Finder) Seeks() uint64 { return f.sought.Load() }

// Seeking is in how many files BIO_read is probed now.
func (f *Finder) Seeking() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, k := range f.distinct() {
		if k.reader != nil {
			n++
		}
	}
	return n
}

// seek probes BIO_read in what a process maps, or ends it where no process needs it any more.
func (f *Finder) seek(s seek) {
	if !s.on {
		f.endSeek(s.pid)
		return
	}
	mappings, err := f.cfg.Proc.ExecutableMappings(s.pid)
	if err != nil {
		return // it ended
	}
	there := false
	for _, m := range mappings {
		k, err := f.file(s.pid, m, false)
		if err != nil || !k.crypto {
			continue
		}
		if err := f.reader(s.pid, m, k); err != nil {
			f.cfg.Log.Debug("BIO_read could not be probed: older connections have no address", "path", m.Path, "error", err)
			continue
		}
		k.seekers[s.pid] = true
		there = true
	}
	if !there {
		return
	}
	if err := f.cfg.Programs.Seek(s.pid, true); err != nil {
		f.cfg.Log.Debug("sockets could not be sought", "pid", s.pid, "error", err)
	}
	f.cfg.Log.Debug("sockets of older TLS connections are sought", "pid", s.pid)
}

// reader probes BIO_read in a file.
func (f *Finder) reader(pid uint32, m procfs.Mapping, k *file) error {
	if k.reader != nil {
		return nil
	}
	r, err := f.cfg.Proc.OpenMapping(pid, m)
	if err != nil {
		return err
	}
	defer r.Close()
	offset, err := openssl.Reader(r)
	if err != nil {
		return err
	}
	reader, err := f.cfg.Programs.AttachReader(r, offset)
	if err != nil {
		return fmt.Errorf("probe BIO_read: %w", err)
	}
	f.mu.Lock()
	k.reader = reader
	f.mu.Unlock()
	f.sought.Add(1)
	return nil
}

// endSeek ends it for a process.
func (f *Finder) endSeek(pid uint32) {
	errs := []error{f.cfg.Programs.Seek(pid, false)}
	for _, k := range f.distinct() {
		if !k.seekers[pid] {
			continue
		}
		delete(k.seekers, pid)
		if len(k.seekers) > 0 || k.reader == nil {
			continue
		}
		f.mu.Lock()
		reader := k.reader
		k.reader = nil
		f.mu.Unlock()
		errs = append(errs, reader.Close())
	}
	f.cfg.Log.Debug("sockets of older TLS connections are not sought any more", "pid", pid, "error", errors.Join(errs...))
}

// endSeeks ends it for processes that are gone.
func (f *Finder) endSeeks(alive map[uint32]bool) {
	gone := map[uint32]bool{}
	for _, k := range f.files {
		for pid := range k.seekers {
			gone[pid] = gone[pid] || !alive[pid]
		}
	}
	for pid, is := range gone {
		if is {
			f.endSeek(pid)
		}
	}
}
