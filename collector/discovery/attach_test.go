package discovery

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"tenantrace/collector/procfs"
)

// A process that ends while its library is looked at leaves that to the next one; what cannot be opened for another reason is said.
func TestProcessEndsBeforeItsLibraryIsOpened(t *testing.T) {
	proc := t.TempDir()
	const pid = 7
	m := procfs.Mapping{Start: 0x1000, End: 0x2000, Device: 1, Inode: 2, Path: "/lib/libssl.so.3"}
	f := New(Config{Proc: procfs.FS(proc), Log: slog.New(slog.DiscardHandler)}, 1)
	look := func() *file {
		k := &file{contents: contents{ssl: true, crypto: true}, users: map[uint32]bool{}}
		f.files[fileID{Device: m.Device, Inode: m.Inode}] = k
		if probed, later := f.attach(pid, mapped{m, &k.contents}, nil); probed || later {
			t.Errorf("probed %t, later %t", probed, later)
		}
		return k
	}
	if k := look(); k.failed != "" || k.report.Error != "" {
		t.Errorf("given up for a process that ended: %q", k.failed)
	}
	if err := os.MkdirAll(filepath.Join(proc, "7", "map_files", "1000-2000"), 0o755); err != nil { // a directory cannot be read
		t.Fatal(err)
	}
	if k := look(); k.failed == "" || k.report.Error == "" {
		t.Error("a file that cannot be read is not said")
	}
}
