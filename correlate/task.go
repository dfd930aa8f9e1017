package correlate

import (
	"slices"

	"tenantrace/collector/event"
	"tenantrace/correlate/verdict"
)

// maxAnswered is how many answered requests of a connection are kept, for what their code does after the response.
const maxAnswered = 4

// maxAllAnswered is the same of all connections together, at about 1 KiB each.
const maxAllAnswered = 16_384

// maxGone is the most closed connections that are kept for the same; over it the oldest is forgotten, and what its tasks write has no request.
const maxGone = 4096

// keepAnswered keeps an ended request that code may still descend from. Those that are forgotten are the oldest of a connection: none is taken for another.
func (e *Engine) keepAnswered(r *request) {
	c := r.conn
	c.served = true
	if r.seen.Read == 0 {
		return // no tasks are followed in its process
	}
	if len(c.answered) == maxAnswered {
		e.answered.Delete(c.answered[0].no)
		c.answered = slices.Delete(c.answered, 0, 1)
	}
	c.answered = append(c.answered, r)
	e.answered.Put(r.no, r)
}

// forgetAnswered takes out an ended request, and those of its connection that ended before.
func forgetAnswered(r *request) {
	c := r.conn
	if i := slices.Index(c.answered, r); i >= 0 {
		c.answered = slices.Delete(c.answered, 0, i+1)
	}
}

// taskLink ties a statement to the request that its task began with. told: the task says something; without a request then, that it is none that can be named.
func (e *Engine) taskLink(p *process, t *event.Task) (l link, told bool) {
	unknown := link{rule: verdict.LinkNone, reason: verdict.NoLink}
	c, ok := e.conns.Get(t.Conn)
	if !ok {
		c, ok = e.gone.Get(t.Conn)
	}
	if !ok || c.proc != p {
		return unknown, true
	}
	r, shared := c.began(t.Read)
	switch {
	case r == nil:
		return unknown, true
	case r.ended && t.Direct: // the context that reads for the connection, or the thread: it may be at anything by now
		return link{}, false
	}
	l = link{rule: verdict.LinkTask, req: r, shared: shared, task: true}
	// Of a request that was lost the tasks would be taken for those of the one before.
	l.blind = e.now < p.blindUntil && r.seen.Read != t.Read
	return l, true
}

// began gives the request of which the read with a number was a part: the last one that was complete by then. A connection's own task, number 0, works for what is
// open, or still for an earlier one. shared: it may be another of the connection's requests, which have one identity: servers handle pipelined ones from within the
// one before.
func (c *connection) began(read uint64) (r *request, shared bool) {
	if read == 0 {
		if len(c.requests) == 0 {
			return nil, false
		}
		return c.requests[0], len(c.requests) > 1 || c.served
	}
	for _, list := range [][]*request{c.answered, c.requests} {
		for _, x := range list {
			switch {
			case x.seen.Read == 0 || x.seen.Read > read:
				shared = shared || x.behind
			default:
				shared = x.behind || r != nil && r.seen.Read == x.seen.Read
				r = x
			}
		}
	}
	return r, shared && r != nil
}

// linkOf ties a statement to a request, by the thread that writes it and by its task, and says what may have caused it otherwise.
func (e *Engine) linkOf(p *process, t *thread, task *event.Task) (link, candidates) {
	thread, set := e.threadLink(p, t)
	switch {
	case task == nil:
		return thread, set
	case task.Conn == 0:
		return e.untold(p, t, task.None, thread, set)
	case task.Direct && !task.Own: // the context of a loop that reads does anything later
		return thread, set
	}
	l, told := e.taskLink(p, task)
	switch {
	case !told:
		return thread, set
	case thread.req == nil && l.req == nil: // of a request that cannot be named, which may have ended long ago
		l.blind, l.astray = thread.blind, true
		return l, e.uncertain(p, t)
	case thread.req == nil:
		if t.born != l.req {
			e.bearNone(t)
		}
		return l, set
	case l.req == nil:
		return link{rule: verdict.LinkNone, reason: verdict.Conflict, astray: true}, candidates{}
	case thread.req == l.req && task.Direct:
		thread.task = true
		return thread, set
	case thread.req.conn != l.req.conn || thread.req.peer != l.req.peer:
		return link{rule: verdict.LinkNone, reason: verdict.Conflict, astray: true}, candidates{}
	}
	l.shared = l.shared || thread.req != l.req || thread.shared
	return l, set
}

// untold weighs that a task names no request. That of a context which descends from no read says, on a thread that runs the tasks of several requests, that most
// likely no request caused the statement; or that its task lost its context. On other threads what is known of the thread stands. No request of
// now explains what was written for one that may have ended long ago.
func (e *Engine) untold(p *process, t *thread, why event.TaskCause, thread link, set candidates) (link, candidates) {
	switch {
	case thread.req != nil || thread.blind:
	case why == event.TaskNone:
		set.loose = t.multiplexing
	case why == event.TaskClosed, why == event.TaskBacklog: // it may have waited for longer than a request lingers
		return link{rule: verdict.LinkNone, reason: verdict.NoLink, astray: true}, e.uncertain(p, t)
	case thread.background && !thread.apart: // it may be for a request that ended long ago
		return link{rule: verdict.LinkNone, reason: verdict.NoLink, idle: true}, e.uncertain(p, t)
	}
	return thread, set
}

// uncertain are the candidates of a statement whose request may be none of them.
func (e *Engine) uncertain(p *process, t *thread) candidates {
	c := e.candidatesOf(p, t)
	if c.lacks == "" {
		c.lacks = verdict.NoLink
	}
	return c
}

// contradicted tells whether the statements of a transaction are tied to requests of several connections: one of the links is wrong, or the application's tasks
// share a transaction.
func (g *group) contradicted() bool {
	return len(g.causes) > 1 && g.causes[0].valid() && g.causes[1].valid() && g.causes[0].req.conn != g.causes[1].req.conn
}
