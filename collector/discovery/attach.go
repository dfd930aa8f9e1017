package discovery

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"tenantrace/collector/openssl"
	"tenantrace/collector/probe"
	"tenantrace/collector/procfs"
)

// examine looks at the files that a process maps. True: it maps a library with probes.
func (f *Finder) examine(pid uint32, mappings []procfs.Mapping, announced bool) bool {
	traced := false
	var files []mapped
	for _, m := range mappings {
		k, err := f.file(pid, m, announced)
		if err != nil {
			f.cfg.Log.Debug("mapped file could not be read", "pid", pid, "path", m.Path, "error", err)
			continue
		}
		files = append(files, mapped{m, &k.contents})
		if k.ssl || k.crypto || k.hidden {
			f.use(pid, k)
		}
	}
	waits := false
	for _, m := range files {
		if !m.ssl {
			continue
		}
		probed, later := f.attach(pid, m, files)
		traced, waits = traced || probed, waits || later
	}
	if !waits {
		delete(f.waiting, pid)
	}
	return traced
}

// use counts a process among those that map a file.
func (f *Finder) use(pid uint32, k *file) {
	f.mu.Lock()
	defer f.mu.Unlock()
	k.users[pid] = true
}

// attach puts the probes on a file that exports libssl's symbols, if they are not there yet. files are all that the process maps. later: the libcrypto that goes
// with it may still come.
func (f *Finder) attach(pid uint32, m mapped, files []mapped) (probed, later bool) {
	id := fileID{Device: m.Device, Inode: m.Inode}
	k := f.files[id]
	f.mu.Lock()
	defer f.mu.Unlock()
	if k.library != nil || k.failed != "" {
		return k.library != nil, false
	}
	cryptos, certain := companions(m, files)
	if !k.crypto && !certain && f.mayWait(pid) {
		return false, true
	}
	o, done, err := open(f.cfg.Proc, pid, m.Mapping, cryptos, k.crypto)
	if errors.Is(err, fs.ErrNotExist) {
		return false, false // the process has ended, or unmapped it: the next one that maps it is as good
	}
	looked := err == nil
	if looked {
		defer done()
		k.library, err = f.probe(o, cryptos, k)
	}
	if err != nil {
		k.failed, k.report.Error = err.Error(), err.Error()
		f.cfg.Log.Error("OpenSSL found, but its probes could not be attached: its connections are not seen", "path", m.Path, "error", err)
	} else {
		k.report.Probes = k.library.Probes()
		f.cfg.Log.Info("probes attached to OpenSSL", "path", m.Path, "probes", k.report.Probes, "internal_functions", k.report.Functions.Internal,
			"exported_functions", k.report.Functions.Exported, "stepped", k.report.Functions.Stepped, "offsets", k.report.OffsetsKnown)
	}
	if looked {
		f.mark(k, o.ssl, id)
	}
	return k.library != nil, false
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

// probe attaches to what was learned.
func (f *Finder) probe(o opened, cryptos []procfs.Mapping, k *file) (*probe.Library, error) {
	k.report.describe(o.library)
	target := probe.Target{File: o.ssl, Calls: calls(o.library.Probes), Free: o.library.Free}
	if o.library.Layout != nil {
		if k.report.Unknown != "" {
			f.cfg.Log.Warn("part of what OpenSSL knows of its sessions cannot be read", "path", k.report.Path, "unknown", k.report.Unknown)
		}
		target.Offsets = offsets(o.library.Layout)
		return f.cfg.Programs.Attach(target)
	}
	f.cfg.Log.Warn("offsets of OpenSSL could not be learned: only certificates of full handshakes are seen, and not whether they were verified",
		"path", k.report.Path, "error", o.library.LayoutErr)
	if err := f.decoder(o.crypto, cryptos, k); err != nil {
		f.cfg.Log.Warn("d2i_X509 could not be probed: no certificate is seen", "path", k.report.Path, "error", err)
	}
	return f.cfg.Programs.Attach(target)
}

// decoder probes d2i_X509 in the libcrypto that goes with a library without offsets.
func (f *Finder) decoder(crypto *os.File, cryptos []procfs.Mapping, self *file) error {
	k := self
	if len(cryptos) > 0 && !self.crypto {
		k = f.files[fileID{Device: cryptos[0].Device, Inode: cryptos[0].Inode}]
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
