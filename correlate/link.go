package correlate

import (
	"slices"

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
	// blind is set when the request that caused it may have been lost.
	blind bool
	// apart is set with background when its thread never had to do with a request.
	apart bool
	// idle is set when nothing is known that may have caused the statement, and yet something may.
	idle bool
	// astray is set when its task tells of a request, but not of which: then it is not taken for its thread's.
	astray bool
	// task is set when its task ties the statement to req: then it stays, whatever the thread turns out to be.
	task bool
}

// enter adds a request to the thread that read it.
func (e *Engine) enter(t *thread, r *request) {
	r.proc.serves(t)
	t.hasRead, t.unsure, t.read, t.last, t.born = true, false, r.no, r, nil
	if t.multiplexing {
		r.detached = true
		return
	}
	if r.behind && !slices.Contains(t.open, r.ahead()) { // what is not tied to the thread comes before it
		r.detached = true
		return
	}
	left := t.leftBehind()
	r.thread = t
	t.open = append(t.open, r)
	switch {
	case len(t.open) == 1 || t.open[0].conn == r.conn:
	case left:
		e.untie(t)
	default:
		e.detach(t) // a blocking thread finishes one connection's request before it reads another's
	}
}

// ahead is the request of its connection, still open, that came before one that has just begun; nil: none.
func (r *request) ahead() *request {
	if n := len(r.conn.requests); n > 1 {
		return r.conn.requests[n-2]
	}
	return nil
}

// mayServeOthers tells whether a thread may work for a request that another has read. A server that puts connections with pipelined requests aside lets
// any thread take the next one from the buffer, without a read: whoever has only such requests left may as well work for one of another connection.
func (e *Engine) mayServeOthers(p *process, t *thread) bool {
	own := t.open[0]
	if !own.behind {
		return false
	}
	if w := &p.window; e.now < max(w.missing, p.unobservedUntil, p.blindUntil) || len(w.list) > maxCandidates {
		return true
	}
	return slices.ContainsFunc(p.window.list, func(r *request) bool {
		return r.conn != own.conn && (r.behind || r.detached) && (r.until == 0 || r.strayed && r.lingers(e.now))
	})
}

// disown takes from the thread that read it a request which that thread is not known to work for.
func (e *Engine) disown(r *request) {
	e.leave(r)
	r.detached = true
}

// leftBehind tells whether the open requests of a thread are pipelined ones that it has not begun to answer. Some blocking servers put such a
// connection aside until more bytes come on it: that alone is no sign of a thread that multiplexes, and no client may make it one. Nor are requests
// whose end may have been lost.
func (t *thread) leftBehind() bool {
	for _, r := range t.open {
		if (!r.behind || r.response != 0) && !r.lossy {
			return false
		}
	}
	return len(t.open) > 0
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
	t.multiplexing, t.proven = true, false
	e.untie(t)
}

// untie takes the open requests of a thread from it: statements cannot be tied to them any more.
func (e *Engine) untie(t *thread) {
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
	t, ok := p.threads.Get(ev.TID)
	if !ok {
		return
	}
	t.unsure, t.last = false, nil
	switch {
	case len(t.open) == 0:
	case t.leftBehind():
		e.untie(t)
	default:
		e.detach(t)
	}
}

// threadLink ties a statement that a thread writes now to a request, or says what may have caused it.
func (e *Engine) threadLink(p *process, t *thread) (link, candidates) {
	none := func(reason verdict.Reason) (link, candidates) {
		return link{rule: verdict.LinkNone, reason: reason}, e.candidatesOf(p, t)
	}
	p.window.prune(e.now)
	quiet := len(p.window.list) == 0 && e.now >= p.window.missing // no request is there that may have caused it
	switch {
	case len(t.open) > 0 && !t.multiplexing:
		l := link{rule: verdict.LinkThread, req: t.open[0], shared: len(t.open) > 1}
		for _, r := range t.open[1:] {
			if r.peer != l.req.peer {
				return none(verdict.Ambiguous)
			}
		}
		if e.mayServeOthers(p, t) {
			return none(verdict.Ambiguous)
		}
		if t.proven { // what it does is certain enough not to look at others
			return l, candidates{}
		}
		return l, e.candidatesOf(p, t)
	case t.known && !t.hasRead && !t.descends && !t.multiplexing && (quiet || p.direct && !p.handsOff) && e.now >= p.blindUntil:
		return link{rule: verdict.LinkNone, background: true, apart: true}, candidates{}
	case t.multiplexing && !quiet:
		return none(verdict.Ambiguous)
	case t.hasRead && !t.multiplexing && !p.adrift() && !(t.last != nil && t.last.lingers(e.now)) && !t.unsure: // it is between requests
		return e.unasked(p, t), candidates{}
	case !quiet, t.unsure:
		return none(verdict.NoLink)
	}
	return e.unasked(p, t), e.candidatesOf(p, t)
}

// unasked is the link of a statement that no open request may have caused: what is known to have been missed may have.
func (e *Engine) unasked(p *process, t *thread) link {
	blocking := t.hasRead && !t.multiplexing
	switch {
	case e.now < p.blindUntil && !(blocking && t.read > p.blindAt):
		return link{rule: verdict.LinkNone, blind: true}
	case e.now < p.unobservedUntil && !blocking: // requests may be there that were not seen
		return link{rule: verdict.LinkNone, reason: verdict.NoLink}
	case e.now < p.strayUntil && t.multiplexing:
		return link{rule: verdict.LinkNone, reason: verdict.Ambiguous}
	case e.now < p.strayUntil && !blocking:
		return link{rule: verdict.LinkNone, reason: verdict.NoLink}
	}
	return link{rule: verdict.LinkNone, background: true}
}

// strayed notes that a request ended without its answer being seen whole, as when its client hangs up: its handler may work on, for as long as a
// statement would have waited for it.
func (e *Engine) strayed(r *request) {
	if r.thread != nil {
		r.thread.unsure = true
	}
	r.strayed = true
	r.proc.strayUntil = e.now + int64(e.limits.DeferFor)
}

// adrift tells whether an open request of the process may be worked for by a thread that did not read it.
func (p *process) adrift() bool {
	if p.handsOff && len(p.requests) > 0 {
		return true
	}
	for _, r := range p.requests {
		if r.behind || r.detached {
			return true
		}
	}
	return false
}

// exact tells whether the link ties the statement to a request.
func (l *link) exact() bool { return l.req != nil && (!l.req.detached || l.task) }
