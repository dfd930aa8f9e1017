package collector

import (
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A kernel that asks for CAP_SYS_ADMIN where a uprobe is opened refuses at the start, not when the first library is found; one that is content
// with CAP_PERFMON starts.
func TestStartWithoutTheRightToProbe(t *testing.T) {
	needRoot(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for good: the thread ends with the goroutine, and its capabilities with it
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var data [2]unix.CapUserData
		if err := unix.Capget(&header, &data[0]); err != nil {
			t.Error(err)
			return
		}
		data[0].Effective &^= 1 << unix.CAP_SYS_ADMIN
		if err := unix.Capset(&header, &data[0]); err != nil {
			t.Error(err)
			return
		}
		c, err := New(Config{Handler: &notes{}, Log: slog.New(slog.DiscardHandler)})
		if err == nil {
			defer c.Close()
			err = c.programs.TryUprobe()
			if err != nil {
				t.Errorf("started, although: %v", err)
			}
			return
		}
		all := Requirements()
		i := slices.IndexFunc(all, func(r Requirement) bool { return r.Name == "programs" })
		if i < 0 || all[i].OK || !strings.Contains(all[i].Remedy, "CAP_SYS_ADMIN") {
			t.Errorf("new: %v; the requirements %+v name no remedy", err, all)
		}
	}()
	<-done
}
