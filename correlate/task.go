package correlate

import (
	"slices"

	"tenantrace/collector/event"
	"tenantrace/correlate/verdict"
)

// maxAnswered is how many answered requests of a connection are kept, for what their code does after the response.
const maxAnswered = 4

// maxGone is the most closed connections that are kept for the same; over it the oldest is forgotten, and what its tasks write has no request.
const maxGone = 4096

// keepAnswered keeps an ended request that code may still descend from.
func (c *connection) keepAnswered(r *request) {
	if r.seen.Read == 0 {
		return // no tasks are followed in its process
	}
	if len(c.answered) == maxAnswered {
		c.answered = slices.Delete(c.answered, 0, 1)
	}
	c.answered = append(c.answered, r)
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
		return c.requests[0], len(c.requests) > 1 || len(c.answered) > 0
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

// linkOf ties a statement to a request, by the thread that writes it and by its task.
func (e *Engine) linkOf(p *process, ev *event.Statement) link {
	thread := e.threadLink(p, ev.TID)
	if t := ev.Task; t != nil && thread.background && t.None != "" && t.None != event.TaskNone { // whether a request caused it is not known
		return link{rule: verdict.LinkNone, reason: verdict.NoLink}
	}
	if ev.Task == nil || ev.Task.Conn == 0 || ev.Task.Direct && !ev.Task.Own { // the context of a loop that reads does anything later
		return thread
	}
	task, told := e.taskLink(p, ev.Task)
	switch {
	case !told:
		return thread
	case thread.req == nil && task.req == nil:
		task.blind = thread.blind
		return task
	case thread.req == nil:
		return task
	case task.req == nil:
		return link{rule: verdict.LinkNone, reason: verdict.Conflict}
	case thread.req == task.req && ev.Task.Direct:
		thread.task = true
		return thread
	case thread.req.conn != task.req.conn || thread.req.peer != task.req.peer:
		return link{rule: verdict.LinkNone, reason: verdict.Conflict}
	}
	task.shared = task.shared || thread.req != task.req || thread.shared
	return task
}

// contradicted tells whether the statements of a transaction are tied to requests of several connections: one of the links is wrong, or the application's tasks
// share a transaction.
func (g *group) contradicted() bool {
	return len(g.causes) > 1 && g.causes[0].req.conn != g.causes[1].req.conn
}
