package collector

import (
	"testing"

	"tenantrace/collector/event"
)

// A wait for clients makes a thread one that multiplexes; a sleep, a wait for one descriptor and a wait for a child do not.
func TestWaitsThatMultiplex(t *testing.T) {
	needRoot(t)
	a := newAuthority(t)
	pid, address := a.serve(t)
	n := &notes{}
	_, stop := start(t, n, pid)
	certificate := tenant(t, a, "acme")
	waits := map[string]bool{
		"sleep": false, "child": false, "poll1": false, "epoll1": false, "select1": false,
		"poll2": true, "epoll2": true, "select2": true,
	}
	for mode := range waits {
		c := a.client(certificate) // a connection and so a thread of its own
		get(t, c, "https://"+address+"/wait/"+mode+"/0")
		c.CloseIdleConnections()
	}
	wait(t, "end of all connections", func() bool {
		return len(collect(n, func(*event.ConnectionClosed) bool { return true })) == len(waits)
	})
	stop()

	for mode, want := range waits {
		requests := collect(n, func(r *event.HTTPRequest) bool { return r.Path == "/wait/"+mode+"/0" })
		if len(requests) != 1 {
			t.Errorf("%s: %d requests, want 1", mode, len(requests))
			continue
		}
		waited := collect(n, func(w *event.ThreadWaited) bool { return w.TID == requests[0].TID })
		if got := len(waited) > 0; got != want {
			t.Errorf("%s: multiplexes is %v, want %v", mode, got, want)
		}
	}
}
