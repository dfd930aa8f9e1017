package correlate

import (
	"slices"

	"tenantrace/collector/event"
)

// request is an HTTP request, from its header section to the end of its response.
type request struct {
	no     uint64 // counts the engine's requests from 1
	seen   *event.HTTPRequest
	conn   *connection
	proc   *process
	thread *thread // that read it; nil when unknown or detached
	peer   *peer   // the identity that it came with; nil unknown
	later  []epoch // identities that its connection took on while it was open, in their order
	start  int64

	until    int64  // when it ceases to be a cause of statements; 0: it is open
	finished int64  // when its answer was complete; 0: it was not, or that was not seen
	named    string // the identifier in its response
	strayed  bool   // its end was not seen: its handler may work on

	response int64 // when the response began, 0 not yet
	status   int
	ended    bool

	restless bool // it had more identities than are kept
	behind   bool // it came before an earlier one of its connection was answered: which thread will work for it is not known
	detached bool // its thread multiplexes: statements cannot be tied to it
	lossy    bool // events of its process were lost while it was open
	counted  bool // in requests_total

	awaited []*unit // answered statements that wait for what its answer shows
	pending []*unit // answered statements that wait for its end, in the order of their answers

	check     *unit // the first statement whose evidence agreed
	touched   *unit // the first statement on tenant data, if the request has no verified identity
	sql       bool  // a statement showed a tenant
	disagreed bool  // a statement showed a tenant that is not the certificate's
}

func (e *Engine) requestStarted(ev *event.HTTPRequest) {
	p := e.process(ev.PID) // first: it may push out another process with its connections
	c := e.connection(ev.Conn, ev.PID)
	if c.role == event.RoleClient {
		return
	}
	e.reached(p, c.local) // it may have been accepted by another process
	e.requestNo++
	r := &request{no: e.requestNo, seen: ev, conn: c, proc: p, peer: c.peer, start: ev.Time}
	r.behind = len(c.requests) > 0
	c.requests = append(c.requests, r)
	p.requests[r.no] = r
	p.window.add(r)
	if ev.TID != 0 {
		e.enter(p.thread(ev.TID), r)
	} else {
		r.detached = true
	}
	e.requests.Put(r.no, r)
	if ev.Seq == 0 {
		e.metrics.unreadConnection(e.service(p), ev.Version)
	}
	e.checkLife(r)
}

// find returns the open request with a number on its connection, nil if there is none.
func (c *connection) find(seq uint64) *request {
	for _, r := range c.requests {
		if r.seen.Seq == seq {
			return r
		}
	}
	return nil
}

func (e *Engine) responseStarted(ev *event.HTTPResponse) {
	c, ok := e.conns.Get(ev.Conn)
	if !ok {
		return
	}
	if r := c.find(ev.Seq); r != nil {
		r.status, r.response = ev.Status, ev.Time
		r.named = ev.ID
		e.answers(r, ev.TID)
		e.tokenSeen(r, ev)
		e.heard(r)
		e.countRequest(r)
	}
}

// answers notes which thread answers a request. Where that is not the one which read it, as with a reactor and a pool behind it, threads work for requests
// that have never read one.
func (e *Engine) answers(r *request, tid uint32) {
	switch {
	case tid == 0 || r.seen.TID == 0:
	case tid == r.seen.TID:
		r.proc.direct = true
	default:
		r.proc.handsOff = true
		t := r.proc.thread(tid)
		t.descends = true
		r.proc.serves(t)
		if r.behind { // it was put aside, and taken up by another thread
			e.disown(r)
		}
		if t.leftBehind() { // nor are those that this thread has put aside known to be its own
			e.untie(t)
		}
	}
}

func (e *Engine) responseEnded(ev *event.HTTPResponseEnd) {
	c, ok := e.conns.Get(ev.Conn)
	if !ok {
		return
	}
	if r := c.find(ev.Seq); r != nil {
		if ev.Reason == "desync" {
			e.strayed(r)
		} else {
			r.finished = max(ev.Time, 1)
		}
		e.endRequest(r)
	}
}

// endRequest ends a request: its statements are judged, and what concerns the request as a whole is reported.
func (e *Engine) endRequest(r *request) {
	if r.ended {
		return
	}
	r.ended = true
	if r.behind && r.response == 0 && !r.lossy { // whoever worked for it, its answer would have told
		e.disown(r)
	}
	e.linger(r)
	e.leave(r)
	r.conn.requests = remove(r.conn.requests, r)
	e.keepAnswered(r)
	delete(r.proc.requests, r.no)
	e.requests.Delete(r.no)
	e.countRequest(r)
	e.judgePending(r)
	if r.named != "" {
		if t, ok := e.tokens.Peek(r.named); ok && t.req == r {
			e.meetAll(t)
		}
	}
	e.heard(r)
	e.checkRequest(r)
}

// linger keeps a request that ends among those that may cause statements, as long as work for it may go on.
func (e *Engine) linger(r *request) {
	spell := e.policyOf(r.proc).VerdictRules().Linger
	if r.strayed {
		spell = max(spell, e.limits.DeferFor)
	}
	for range r.proc.window.end(r, e.now+int64(spell), e.now, e.limits.Lingering) {
		e.metrics.evicted("lingering")
	}
	if t := r.thread; t != nil && r.finished != 0 {
		t.proven = true
	}
}

// evictRequest ends a request that had to leave the table although it is open. Its thread may still work for it, so nothing can be told by that
// thread any more.
func (e *Engine) evictRequest(r *request) {
	e.metrics.evicted("requests")
	if r.thread != nil {
		e.detach(r.thread)
	}
	e.strayed(r)
	e.endRequest(r)
}

// judgePending judges the statements that wait for the end of a request.
func (e *Engine) judgePending(r *request) {
	pending := r.pending
	r.pending = nil
	for _, u := range pending {
		if u.link.task && !r.ended && !r.lossy {
			r.pending = append(r.pending, u)
			continue
		}
		if e.deferred.remove(u) {
			u.ready = max(u.ready, e.now)
			e.judge(u)
		}
	}
}

func (e *Engine) countRequest(r *request) {
	if r.counted || r.seen.Seq == 0 {
		return
	}
	r.counted = true
	source := sourceNone
	if r.peer != nil && r.peer.seen.Verified() {
		source = sourceConnection
	}
	e.metrics.request(e.service(r.proc), source)
}

// remove removes an element without keeping the place that it had in memory alive.
func remove[T comparable](list []T, x T) []T {
	if i := slices.Index(list, x); i >= 0 {
		return slices.Delete(list, i, i+1)
	}
	return list
}
