package collector

import (
	"testing"

	"tenantrace/bpf"
	"tenantrace/collector/event"
)

// What the kernel moves by itself (sendfile) is known by number: the session goes on, and nothing counts as unreadable.
func TestSendfileIsNoFault(t *testing.T) {
	needRoot(t)
	pid, do := sockets(t)
	n := &notes{}
	c, stop := startWith(t, n, Config{PIDs: []int{pid}})
	do("sendfile")
	wait(t, "the whole response", func() bool {
		return len(collect(n, func(e *event.HTTPResponseEnd) bool { return e.Reason == "" })) == 1
	})
	drops, err := c.programs.Drops()
	if err != nil {
		t.Fatal(err)
	}
	if faults := drops[bpf.TracerDropDROP_READ_FAULT]; faults != 0 {
		t.Errorf("%d faults, want 0", faults)
	}
	stop()
}
