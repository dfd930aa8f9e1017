package collector

import (
	"log/slog"
	"testing"
	"unsafe"

	"tenantrace/bpf"
	"tenantrace/collector/discovery"
	"tenantrace/collector/event"
	"tenantrace/collector/probe"
	"tenantrace/collector/stream"
)

// unattached is a collector without a kernel side, for records made by hand.
func unattached() (*Collector, *notes) {
	n := &notes{}
	c := &Collector{cfg: Config{Handler: n, Log: slog.New(slog.DiscardHandler)}, processes: map[uint32]*process{}, finder: discovery.New(discovery.Config{}, 0)}
	c.SetWanted(nil, nil)
	c.streams = stream.New(stream.Config{Emit: c.emit, Fields: func([]byte) bool { return false }, Wanted: func(string) bool { return false }})
	c.seeker = newSeeker(func(uint32, bool) bool { return true }, c.streams.Unfound)
	return c, n
}

func processRecord(change bpf.TracerProcessChange, pid, lost uint32) []byte {
	r := &bpf.TracerProcessRecord{Change: uint32(change)}
	r.Header.Type, r.Header.Tgid, r.Header.Tid, r.Header.Lost = uint32(bpf.TracerRecordTypeRECORD_PROCESS), pid, pid, lost
	return unsafe.Slice((*byte)(unsafe.Pointer(r)), unsafe.Sizeof(*r))
}

// noProcess is an id beyond the kernel's largest.
const noProcess = 1 << 30

func losses(n *notes) (count uint64) {
	for _, l := range collect(n, func(*event.Lost) bool { return true }) {
		count += l.Count
	}
	return count
}

// What was lost since a process's last record must be told before its end, for then its statements are judged.
func TestLossBeforeTheEndIsTold(t *testing.T) {
	for _, change := range []bpf.TracerProcessChange{bpf.TracerProcessChangePROCESS_EXITED, bpf.TracerProcessChangePROCESS_EXECUTED} {
		c, n := unattached()
		c.handle(processRecord(bpf.TracerProcessChangePROCESS_TRACED, noProcess, 0))
		c.handle(processRecord(change, noProcess, 3))
		if got := losses(n); got != 3 {
			t.Errorf("change %d: %d lost, want 3", change, got)
		}
		if _, last := n.events[1].(*event.Lost); !last {
			t.Errorf("change %d: %T came first, want the loss", change, n.events[1])
		}
	}
}

// The record of an exit may be lost like any other: then the next process with the id is another all the same.
func TestForkWithTheIDOfALostExit(t *testing.T) {
	c, n := unattached()
	c.handle(processRecord(bpf.TracerProcessChangePROCESS_TRACED, noProcess, 7))
	c.handle(processRecord(bpf.TracerProcessChangePROCESS_FORKED, noProcess, 0))
	c.account(event.Header{PID: noProcess}, c.processes[noProcess], 2)
	if exited := collect(n, func(*event.ProcessExited) bool { return true }); len(exited) != 1 {
		t.Errorf("%d processes ended, want 1", len(exited))
	}
	if got := losses(n); got != 7+2 {
		t.Errorf("%d lost, want those of both", got)
	}
}

// A process whose exit was lost must not stay for good. It stays for a while: its last records may still be in the ring buffer.
func TestProcessWithoutItsExitIsForgotten(t *testing.T) {
	needRoot(t)
	programs, err := probe.Load(probe.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer programs.Close()
	c, n := unattached()
	c.programs = programs
	c.handle(processRecord(bpf.TracerProcessChangePROCESS_TRACED, noProcess, 0))
	exited := func() int { return len(collect(n, func(*event.ProcessExited) bool { return true })) }
	now := int64(1)
	for i := range 2 * goneTicks {
		now += int64(TickInterval)
		c.tick(now)
		if i < goneTicks-1 && exited() > 0 {
			t.Fatalf("it was forgotten after %d ticks", i)
		}
	}
	if exited() != 1 || len(c.processes) != 0 {
		t.Errorf("%d processes ended, %d are left; want 1 and 0", exited(), len(c.processes))
	}
}
