package collector

import (
	"testing"

	"tenantrace/collector/event"
	"tenantrace/collector/probe"
)

// rowsOfOneRead is ROWS of testdata/sockets.py.
const rowsOfOneRead = 311

// A session whose rows come by reads of more than 300 KB is seen whole where the kernel has bpf_loop; elsewhere it says of each result that it is not, and
// goes on.
func TestLongReadOfASession(t *testing.T) {
	needRoot(t)
	for name, without := range map[string]probe.Features{"captured": {}, "not captured": {Loop: true}} {
		t.Run(name, func(t *testing.T) {
			pid, do := sockets(t)
			n := &notes{}
			c, stop := startWith(t, n, Config{PIDs: []int{pid}, without: without})
			do("rows")
			wait(t, "the end of the session", func() bool { return len(collect(n, func(*event.ConnectionClosed) bool { return true })) > 0 })
			stop()
			desyncs := len(collect(n, func(*event.SessionDesync) bool { return true }))
			whole := len(collect(n, func(r *event.Result) bool { return !r.Unseen && r.Count == rowsOfOneRead && !r.RowsCut }))
			statements := len(collect(n, func(*event.Statement) bool { return true }))
			if c.programs.Features().Loop {
				if statements != 2 || whole != 2 || desyncs != 0 {
					t.Errorf("%d statements, %d whole results, %d desyncs, want 2, 2 and 0", statements, whole, desyncs)
				}
			} else if partly := len(collect(n, func(r *event.Result) bool { return r.RowsCut })); statements != 2 || whole != 0 || partly != 2 || desyncs != 0 {
				t.Errorf("%d statements, %d whole results, %d partly seen, %d desyncs without bpf_loop, want 2, 0, 2 and 0", statements, whole, partly, desyncs)
			}
		})
	}
}

// A value that is longer than what is captured of one write hides neither the execution that follows it in that write, nor what was prepared before.
func TestLongWriteOfASession(t *testing.T) {
	needRoot(t)
	for name, without := range map[string]probe.Features{"": {}, "without bpf_loop": {Loop: true}} {
		t.Run(name, func(t *testing.T) {
			pid, do := sockets(t)
			n := &notes{}
			_, stop := startWith(t, n, Config{PIDs: []int{pid}, without: without})
			do("values")
			wait(t, "the end of the session", func() bool { return len(collect(n, func(*event.ConnectionClosed) bool { return true })) > 0 })
			stop()
			statements := collect(n, func(*event.Statement) bool { return true })
			for _, s := range statements {
				if s.NoText || len(s.Params) != 2 || s.Params[0].Value != "acme" {
					t.Errorf("statement %+v", s)
				}
			}
			answered := len(collect(n, func(r *event.Result) bool { return r.Tag == "INSERT 0 1" }))
			if desyncs := len(collect(n, func(*event.SessionDesync) bool { return true })); len(statements) != 2 || answered != 2 || desyncs != 0 {
				t.Errorf("%d statements, %d results, %d desyncs, want 2, 2 and 0", len(statements), answered, desyncs)
			}
		})
	}
}
