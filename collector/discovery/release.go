package discovery

import (
	"errors"
	"maps"
	"time"

	"tenantrace/collector/probe"
)

// How long a library that nobody maps stays probed, and after which time a file without probes is looked at anew.
const (
	libraryIdle = time.Minute
	fileAge     = 10 * time.Minute
)

// release detaches from libraries that no process maps any more, so that an upgraded one does not stay open for good, and forgets old findings. alive are the
// processes of this scan; those taken out of it are looked at again by the next one.
func (f *Finder) release(alive map[uint32]bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	released := map[*file]bool{}
	for id, k := range f.files {
		if released[k] || f.expired(k, alive, now) {
			released[k] = true
			delete(f.files, id)
		}
	}
	known := map[*file]bool{}
	for _, k := range f.files {
		known[k] = true
	}
	maps.DeleteFunc(f.below, func(_ string, k *file) bool { return !known[k] })
	for k := range released {
		if k.failed != "" {
			for pid := range k.users {
				delete(alive, pid)
			}
		}
		errs := []error{probe.Close(k.detached()...)}
		for _, key := range k.marked {
			errs = append(errs, f.cfg.Programs.ForgetFile(key))
		}
		if err := errors.Join(errs...); err != nil {
			f.cfg.Log.Warn("library could not be released", "path", k.report.Path, "error", err)
		}
	}
}

// expired tells whether a file is to be forgotten. What is said of one in use stays said; only where attaching failed it is tried again.
func (f *Finder) expired(k *file, alive map[uint32]bool, now time.Time) bool {
	maps.DeleteFunc(k.users, func(pid uint32, _ bool) bool { return !alive[pid] })
	if (k.held() || k.hidden) && len(k.users) > 0 || len(k.seekers) > 0 {
		k.used = now
		return false
	}
	if k.held() {
		return now.Sub(k.used) >= libraryIdle
	}
	return now.Sub(k.used) >= fileAge
}

// distinct are the files, each once.
func (f *Finder) distinct() []*file {
	var out []*file
	seen := map[*file]bool{}
	for _, k := range f.files {
		if !seen[k] {
			seen[k] = true
			out = append(out, k)
		}
	}
	return out
}
