package discovery

import (
	"log/slog"
	"testing"
	"time"

	"tenantrace/collector/probe"
)

// What is probed, or said, of a file in use stays; what nobody uses goes, and where attaching failed its users are looked at again.
func TestRelease(t *testing.T) {
	const user = 7
	long, short := -2*fileAge, -libraryIdle/2
	for name, c := range map[string]struct {
		file         file
		age          time.Duration
		alive        bool
		stays, again bool
	}{
		"probed, in use":                      {file{library: &probe.Library{}}, long, true, true, false},
		"probed, left a moment ago":           {file{library: &probe.Library{}}, short, false, true, false},
		"probed, left":                        {file{library: &probe.Library{}}, -2 * libraryIdle, false, false, false},
		"libcrypto with a decoder, in use":    {file{decoder: &probe.Library{}}, long, true, true, false},
		"libcrypto with a decoder, left":      {file{decoder: &probe.Library{}}, -2 * libraryIdle, false, false, false},
		"without symbols, in use":             {file{contents: contents{hidden: true}}, long, true, true, false},
		"without symbols, left":               {file{contents: contents{hidden: true}}, long, false, false, false},
		"probes failed a moment ago, in use":  {file{failed: "why"}, short, true, true, false},
		"probes failed long ago, in use":      {file{failed: "why"}, long, true, false, true},
		"nothing in it, looked at long ago":   {file{}, long, true, false, false},
		"nothing in it, looked at just now":   {file{}, short, true, true, false},
		"on two overlays, probed, left":       {file{library: &probe.Library{}, report: Library{Path: "twice"}}, -2 * libraryIdle, false, false, false},
		"on two overlays, probed, and in use": {file{library: &probe.Library{}, report: Library{Path: "twice"}}, long, true, true, false},
	} {
		f := New(Config{Log: slog.New(slog.DiscardHandler)}, 1)
		k := c.file
		k.users, k.used = map[uint32]bool{user: true}, time.Now().Add(c.age)
		f.files[fileID{Inode: 1}] = &k
		if k.report.Path == "twice" {
			f.files[fileID{Inode: 2}], f.below["one"] = &k, &k
		}
		known := len(f.files)
		alive := map[uint32]bool{}
		if c.alive {
			alive[user] = true
		}
		f.release(alive)
		if stays := len(f.files) == known; stays != c.stays || !c.stays && (len(f.files) != 0 || len(f.below) != 0 || k.held()) {
			t.Errorf("%s: %d of %d files are left, %d below overlays, probed %t; want it to stay: %t", name, len(f.files), known, len(f.below), k.held(), c.stays)
		}
		if again := c.alive && !alive[user]; again != c.again {
			t.Errorf("%s: its user is looked at again: %t, want %t", name, again, c.again)
		}
	}
}
