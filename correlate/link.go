package correlate

import (
	"tenantrace/collector/event"
	"tenantrace/correlate/verdict"
)

// link is what is known of the cause of a statement when it is written. A link by thread is provisional until the request ends: only then is it
// certain that the thread did not turn to something else meanwhile.
type link struct {
	rule   verdict.Link
	req    *request // nil: none
	shared bool     // several pipelined requests of one connection are open on the thread: req is the first, the identity is theirs
	reason verdict.Reason
	// background is set when no request caused the statement; then reason is "".
	background bool
}

// enter adds a request to the thread that read it.
func (e *Engine) enter(t *thread, r *request) {
	t.hasRead = true
	if t.multiplexing {
		r.detached = true
		return
	}
	r.thread = t
	t.open = append(t.open, r)
	if len(t.open) > 1 && t.open[0].conn != r.conn {
		e.detach(t) // a blocking thread finishes one connection's request before it reads another's
	}
}

// leave takes a request from its thread.
func (e *Engine) leave(r *request) {
	if r.thread != nil {
		r.thread.open = remove(r.thread.open, r)
		r.thread = nil
	}
}

// detach marks a thread as one that multiplexes, for good: its open requests, and all later ones, cannot be told apart by thread.
func (e *Engine) detach(t *thread) {
	t.multiplexing = true
	open := t.open
	t.open = nil
	for _, r := range open {
		r.thread, r.detached = nil, true
		e.judgePending(r)
	}
}

func (e *Engine) threadWaited(ev *event.ThreadWaited) {
	p, ok := e.processes.Get(ev.PID)
	if !ok || ev.TID == 0 {
		return
	}
	if t, ok := p.threads.Get(ev.TID); ok && len(t.open) > 0 {
		e.detach(t)
	}
}

// linkOf ties a statement that a thread writes now to a request.
func (e *Engine) linkOf(p *process, tid uint32) link {
	var t *thread
	if tid != 0 {
		t = p.thread(tid)
	} else {
		t = &thread{}
	}
	switch {
	case t.multiplexing && len(p.requests) > 0:
		return link{rule: verdict.LinkNone, reason: verdict.Ambiguous}
	case len(t.open) > 0:
		l := link{rule: verdict.LinkThread, req: t.open[0], shared: len(t.open) > 1}
		for _, r := range t.open[1:] {
			if r.peer != l.req.peer {
				return link{rule: verdict.LinkNone, reason: verdict.Ambiguous}
			}
		}
		return l
	case len(p.requests) == 0, t.hasRead:
		return link{rule: verdict.LinkNone, background: true}
	}
	return link{rule: verdict.LinkNone, reason: verdict.NoLink}
}

// exact tells whether the link ties the statement to a request.
func (l *link) exact() bool { return l.req != nil && !l.req.detached }
