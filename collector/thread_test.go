package collector

import (
	"net/http"
	"slices"
	"testing"

	"tenantrace/collector/event"
)

// The server gives each connection a thread of its own: its creation comes before what it reads, and its end after that.
func TestThreads(t *testing.T) {
	needRoot(t)
	a := newAuthority(t)
	pid, address := a.serve(t)
	n := &notes{}
	_, stop := start(t, n, pid)
	certificate := tenant(t, a, "acme")
	const connections = 7
	for range connections {
		c := a.client(certificate)
		get(t, c, "https://"+address+"/threads/0")
		c.CloseIdleConnections()
	}
	wait(t, "end of all threads", func() bool {
		return len(collect(n, func(*event.ThreadEnded) bool { return true })) >= connections
	})
	stop()

	requests := collect(n, func(r *event.HTTPRequest) bool { return r.Path == "/threads/0" })
	if len(requests) != connections {
		t.Fatalf("%d requests, want %d", len(requests), connections)
	}
	for _, r := range requests {
		var order []string
		n.mu.Lock()
		for _, e := range n.events {
			if e.Meta().PID != r.PID || e.Meta().TID != r.TID {
				continue
			}
			switch e := e.(type) {
			case *event.ThreadStarted:
				order = append(order, "started")
				if e.Parent != uint32(pid) {
					t.Errorf("thread %d was created by %d, want %d", e.TID, e.Parent, pid)
				}
			case *event.HTTPRequest:
				order = append(order, "request")
			case *event.ThreadEnded:
				order = append(order, "ended")
			}
		}
		n.mu.Unlock()
		if !slices.Equal(order, []string{"started", "request", "ended"}) {
			t.Errorf("thread %d: %v", r.TID, order)
		}
	}
	processes := collect(n, func(p *event.ProcessStarted) bool { return p.PID == uint32(pid) })
	if len(processes) != 1 || !processes[0].Late || processes[0].Threads {
		t.Errorf("a process that is older than the tracing: %+v", processes)
	}
}

// Of a process that began after the tracing everything is seen.
func TestProcessOlderThanTheTracing(t *testing.T) {
	needRoot(t)
	a := newAuthority(t)
	first, address := a.serve(t)
	n := &notes{}
	start(t, n)
	second, other := a.serve(t)
	certificate := tenant(t, a, "acme")
	clients := []*http.Client{a.client(certificate), a.client(certificate)}
	started := func(pid int) []*event.ProcessStarted {
		return collect(n, func(p *event.ProcessStarted) bool { return p.PID == uint32(pid) })
	}
	wait(t, "both processes", func() bool {
		get(t, clients[0], "https://"+address+"/old/0")
		get(t, clients[1], "https://"+other+"/new/0")
		return len(started(first)) > 0 && len(started(second)) > 0
	})
	if p := started(first)[0]; !p.Late || p.Threads {
		t.Errorf("the one before: %+v", p)
	}
	if p := started(second)[0]; p.Late || !p.Threads {
		t.Errorf("the one after: %+v", p)
	}
}
