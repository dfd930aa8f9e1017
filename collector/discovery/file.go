package discovery

import (
	"errors"
	"fmt"
	"os"
	"time"

	"tenantrace/bpf"
	"tenantrace/collector/openssl"
	"tenantrace/collector/probe"
	"tenantrace/collector/procfs"
)

// file is an executable file that was looked at.
type file struct {
	ssl, crypto bool // exports the symbols of libssl, of libcrypto
	library     *probe.Library
	decoder     *probe.Library // d2i_X509 in this file, for a library without offsets
	failed      string         // why a libssl has no probes
	report      Library
	users       map[uint32]bool
	used        time.Time // last seen in use, or looked at
}

func (k *file) close() error {
	var errs []error
	for _, l := range []*probe.Library{k.library, k.decoder} {
		if l != nil {
			errs = append(errs, l.Close())
		}
	}
	k.library, k.decoder = nil, nil
	return errors.Join(errs...)
}

// examine looks at the files that a process maps. True: it maps a library with probes.
func (f *Finder) examine(pid uint32, mappings []procfs.Mapping, announced bool) bool {
	traced := false
	var companion *procfs.Mapping
	var found []procfs.Mapping
	for i, m := range mappings {
		k, err := f.file(pid, m)
		if err != nil {
			f.cfg.Log.Debug("mapped file could not be read", "pid", pid, "path", m.Path, "error", err)
			continue
		}
		if announced && !k.ssl {
			f.mark(fileID{m.Device, m.Inode}, bpf.TracerFileStateFILE_IGNORED)
		}
		if k.crypto && companion == nil {
			companion = &mappings[i]
		}
		if k.ssl {
			found = append(found, m)
		}
	}
	delete(f.waiting, pid)
	for _, m := range found {
		traced = f.attach(pid, m, companion) || traced
	}
	return traced
}

// file gives what is known of a mapped file, after looking at it if it is new.
func (f *Finder) file(pid uint32, m procfs.Mapping) (*file, error) {
	id := fileID{m.Device, m.Inode}
	if k := f.files[id]; k != nil {
		return k, nil
	}
	r, err := f.cfg.Proc.OpenMapping(pid, m)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	k := &file{users: map[uint32]bool{}, used: time.Now(), report: Library{Path: m.Path}}
	exports, err := openssl.Exports(r)
	if err == nil {
		k.ssl, k.crypto = exports.SSL, exports.Crypto
	}
	if !k.ssl {
		f.mark(id, bpf.TracerFileStateFILE_IGNORED)
	}
	f.mu.Lock()
	f.files[id] = k
	f.mu.Unlock()
	return k, nil
}

// attach puts the probes on a file that exports libssl's symbols, if they are not there yet. companion is the process's libcrypto.
func (f *Finder) attach(pid uint32, m procfs.Mapping, companion *procfs.Mapping) bool {
	id := fileID{m.Device, m.Inode}
	k := f.files[id]
	f.mu.Lock()
	defer f.mu.Unlock()
	k.users[pid] = true
	if k.library != nil {
		f.mark(id, bpf.TracerFileStateFILE_PROBED)
		return true
	}
	if k.failed != "" {
		return false
	}
	if !k.crypto && companion == nil && f.mayWait(pid) {
		return false
	}
	library, err := f.probe(pid, m, companion, k)
	if err != nil {
		k.failed, k.report.Error = err.Error(), err.Error()
		f.cfg.Log.Error("OpenSSL found, but its probes could not be attached: its connections are not seen", "path", m.Path, "error", err)
		f.mark(id, bpf.TracerFileStateFILE_IGNORED)
		return false
	}
	k.library = library
	k.report.Probes = library.Probes()
	f.mark(id, bpf.TracerFileStateFILE_PROBED)
	f.cfg.Log.Info("probes attached to OpenSSL", "path", m.Path, "probes", k.report.Probes, "offsets", k.report.OffsetsKnown)
	return true
}

// mayWait tells whether the process may yet map the libcrypto that goes with its libssl.
func (f *Finder) mayWait(pid uint32) bool {
	since, waits := f.waiting[pid]
	if !waits {
		since = time.Now()
		f.waiting[pid] = since
	}
	return time.Since(since) < companionWait
}

// probe learns the offsets and attaches.
func (f *Finder) probe(pid uint32, m procfs.Mapping, companion *procfs.Mapping, k *file) (*probe.Library, error) {
	o, done, err := open(f.cfg.Proc, pid, m, companion, k.crypto)
	if err != nil {
		return nil, err
	}
	defer done()
	k.report.BuildID = o.library.BuildID
	target := probe.Target{File: o.ssl, Calls: calls(o.library.Probes), Free: o.library.Free}
	if o.library.Layout != nil {
		k.report.OffsetsKnown = true
		if k.report.Unknown = unknown(o.library); k.report.Unknown != "" {
			f.cfg.Log.Warn("part of what OpenSSL knows of its sessions cannot be read", "path", m.Path, "unknown", k.report.Unknown)
		}
		target.Offsets = offsets(o.library.Layout)
		return f.cfg.Programs.Attach(target)
	}
	k.report.Error = fmt.Sprint(o.library.LayoutErr)
	f.cfg.Log.Warn("offsets of OpenSSL could not be learned: only certificates of full handshakes are seen, and not whether they were verified",
		"path", m.Path, "error", o.library.LayoutErr)
	if err := f.decoder(o.crypto, companion, k); err != nil {
		f.cfg.Log.Warn("d2i_X509 could not be probed: no certificate is seen", "path", m.Path, "error", err)
	}
	return f.cfg.Programs.Attach(target)
}

// How long a library that nobody maps stays probed, and after which time a file without probes is looked at anew: its inode may be another file's.
const (
	libraryIdle = time.Minute
	fileAge     = 10 * time.Minute
)

// release detaches from libraries that no process maps any more, so that an upgraded one does not stay open for good, and forgets old findings.
func (f *Finder) release(alive map[uint32]bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	for id, k := range f.files {
		for pid := range k.users {
			if !alive[pid] {
				delete(k.users, pid)
			}
		}
		if k.library != nil && len(k.users) > 0 {
			k.used = now
			continue
		}
		if k.library != nil && now.Sub(k.used) < libraryIdle || k.library == nil && now.Sub(k.used) < fileAge {
			continue
		}
		if err := errors.Join(k.close(), f.cfg.Programs.ForgetFile(id.device, id.inode)); err != nil {
			f.cfg.Log.Warn("library could not be released", "path", k.report.Path, "error", err)
		}
		delete(f.files, id)
	}
}

// decoder probes d2i_X509 in the libcrypto that goes with a library without offsets.
func (f *Finder) decoder(crypto *os.File, companion *procfs.Mapping, self *file) error {
	k := self
	if companion != nil && !self.crypto {
		k = f.files[fileID{companion.Device, companion.Inode}]
	}
	if crypto == nil || k == nil {
		return errors.New("no libcrypto is mapped")
	}
	if k.decoder != nil {
		return nil
	}
	offset, err := openssl.Decoder(crypto)
	if err != nil {
		return err
	}
	k.decoder, err = f.cfg.Programs.AttachDecoder(crypto, offset)
	return err
}
