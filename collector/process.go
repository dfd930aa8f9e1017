package collector

import (
	"tenantrace/bpf"
	"tenantrace/collector/event"
)

// process is a traced process as its events name it.
type process struct {
	exe, service string
	lost         uint32 // records lost so far, modulo 2^32
	gone         int    // ticks since the kernel side forgot it
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
		p.exe, p.service = exe, Proc.Service(h.PID, exe)
	} else if from := c.processes[parent]; from != nil {
		p.exe, p.service = from.exe, from.service
	} else {
		p.exe, p.service = name, name
	}
	c.processes[h.PID] = p
	c.emit(&event.ProcessStarted{Header: h, Parent: parent, Exe: p.exe, Name: name, Service: p.service})
	return p
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
	delete(c.processes, h.PID)
	c.emit(&event.ProcessExited{Header: h})
}
