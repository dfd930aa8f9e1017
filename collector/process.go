package collector

import (
	"time"

	"tenantrace/bpf"
	"tenantrace/collector/event"
	"tenantrace/collector/procfs"
)

// process is a traced process as its events name it.
type process struct {
	exe, cgroup, service string
	lost                 uint32 // records lost so far, modulo 2^32
	gone                 int    // ticks since the kernel side forgot it
}

// goneTicks is for how many ticks a process that the kernel side has forgotten is kept: its last records may still be in the ring buffer, or the record of
// its end was lost.
const goneTicks = 40

// process gives the process of a record; the first record of one announces it.
func (c *Collector) process(h event.Header) *process {
	if p := c.processes[h.PID]; p != nil {
		return p
	}
	name, _ := Proc.Name(h.PID)
	return c.start(h, 0, name)
}

// start announces a process. What /proc no longer tells, because it has ended, its parent may: a fork has its executable and its service.
func (c *Collector) start(h event.Header, parent uint32, name string) *process {
	p := &process{}
	exe, err := Proc.Executable(h.PID)
	if err == nil {
		p.exe, p.cgroup = exe, Proc.Cgroup(h.PID)
		p.service = procfs.Service(p.cgroup, exe)
	} else if from := c.processes[parent]; from != nil {
		p.exe, p.cgroup, p.service = from.exe, from.cgroup, from.service
	} else {
		p.exe, p.service = name, name
	}
	c.processes[h.PID] = p
	late := parent == 0 && c.precedes(h.PID)
	c.emit(&event.ProcessStarted{
		Header: h, Parent: parent, Exe: p.exe, Name: name, Cgroup: p.cgroup, Service: p.service, Late: late, Threads: !late,
	})
	return p
}

// clockTick is the unit of the times in /proc: USER_HZ is 100 on every architecture that is supported.
const clockTick = 10 * time.Millisecond

// precedes tells whether a process is older than the tracing. Of one that has ended already only its short life speaks against that.
func (c *Collector) precedes(pid uint32) bool {
	s, err := Proc.Stat(pid)
	return err == nil && s.Start <= uint64(c.began/int64(clockTick))
}

// threadChanged says which thread created another one, or that one has ended.
func (c *Collector) threadChanged(h event.Header, r *bpf.TracerThreadRecord) {
	switch bpf.TracerThreadChange(r.Change) {
	case bpf.TracerThreadChangeTHREAD_STARTED:
		parent := h.TID
		h.TID = r.Thread
		c.emit(&event.ThreadStarted{Header: h, Parent: parent})
	case bpf.TracerThreadChangeTHREAD_ENDED:
		c.emit(&event.ThreadEnded{Header: h})
	}
}

func (c *Collector) processChanged(h event.Header, r *bpf.TracerProcessRecord) {
	switch bpf.TracerProcessChange(r.Change) {
	case bpf.TracerProcessChangePROCESS_FORKED:
		h.TID = h.PID
		c.exit(h) // of another process that had the id: the record of its end was lost
		c.start(h, r.Parent, text(r.Comm[:]))
	case bpf.TracerProcessChangePROCESS_TRACED:
		if c.processes[h.PID] == nil {
			c.start(h, 0, text(r.Comm[:]))
		}
		c.account(h, c.processes[h.PID], r.Header.Lost)
		c.finder.Started(h.PID)
	case bpf.TracerProcessChangePROCESS_EXECUTED:
		c.lastLosses(h, r)
		c.exit(h)
		c.start(h, 0, text(r.Comm[:])).lost = r.Header.Lost // the kernel's count goes on
		c.finder.Started(h.PID)
	case bpf.TracerProcessChangePROCESS_EXITED:
		c.lastLosses(h, r)
		c.exit(h)
	case bpf.TracerProcessChangePROCESS_CANDIDATE:
		c.finder.Request(h.PID)
	}
}

// lastLosses accounts for what a process lost before it ended. The kernel's own count goes with the process, so the record's header has the last word.
func (c *Collector) lastLosses(h event.Header, r *bpf.TracerProcessRecord) {
	if p := c.processes[h.PID]; p != nil {
		c.account(h, p, r.Header.Lost)
	}
}

// exit ends a process.
func (c *Collector) exit(h event.Header) {
	if c.processes[h.PID] == nil {
		return
	}
	c.streams.ProcessExited(h)
	c.seeker.exited(h.PID)
	delete(c.processes, h.PID)
	c.emit(&event.ProcessExited{Header: h})
}
