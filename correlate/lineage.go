package correlate

import (
	"tenantrace/collector/event"
	"tenantrace/correlate/verdict"
)

// threadStarted notes by which thread another one was created. A thread that one request's thread created may work for that request alone, and for
// nothing else until it ends; or it may be one of a pool, that other requests use later.
func (e *Engine) threadStarted(ev *event.ThreadStarted) {
	p := e.process(ev.PID)
	if old, ok := p.threads.Peek(ev.TID); ok {
		p.threads.Delete(ev.TID)
		e.endThread(p, old)
	}
	t := &thread{}
	p.threads.Put(ev.TID, t)
	if ev.Parent == 0 {
		return
	}
	creator := p.thread(ev.Parent)
	t.known = creator.known
	t.descends = creator.hasRead || creator.descends
	if !creator.multiplexing && len(creator.open) == 1 && !creator.open[0].detached && !e.mayServeOthers(p, creator) {
		t.born = creator.open[0]
	}
}

// threadEnded ends a thread. The statements of one that was created for a request wait a while longer: a process that ends lets its pools end first.
func (e *Engine) threadEnded(ev *event.ThreadEnded) {
	p, ok := e.processes.Get(ev.PID)
	if !ok {
		return
	}
	if t, ok := p.threads.Peek(ev.TID); ok {
		p.threads.Delete(ev.TID)
		e.endThread(p, t)
	}
}

// endThread ends a thread that has left the table. One that had been idle may have been lent to several requests meanwhile: pools that shrink, and runtimes that
// keep threads for the next one who creates one (Ruby for 3 s), let them end so.
func (e *Engine) endThread(p *process, t *thread) {
	if e.now-t.wrote > int64(idleFor) {
		e.bearNone(t)
	}
	for _, u := range t.waiting {
		if e.bearing.remove(u) {
			e.parting.push(u, e.now+int64(partFor))
		}
	}
	t.waiting = nil
}

// endThreads ends the threads of a process that has ended with them.
func (e *Engine) endThreads(p *process) {
	for _, t := range p.threads.All() {
		waiting := t.waiting
		t.waiting = nil
		for _, u := range waiting {
			if e.bearing.remove(u) {
				u.born = nil
				e.place(u)
			}
		}
	}
}

// await keeps a statement of a thread that was created while a request was the only one of its creator, until that thread ends.
func (e *Engine) await(u *unit) {
	t := u.thread
	t.waiting = append(t.waiting, u)
	e.bearing.push(u, e.now+int64(e.limits.DeferFor))
	if e.bearing.n > e.limits.Deferred {
		e.metrics.evicted("deferred")
		e.outlived(e.bearing.first())
	}
}

// bearNone takes from a thread the request that it was created for: it works for another one.
func (e *Engine) bearNone(t *thread) {
	t.born = nil
	waiting := t.waiting
	t.waiting = nil
	for _, u := range waiting {
		if e.bearing.remove(u) {
			u.born = nil
			e.place(u)
		}
	}
}

// outlived judges a statement whose thread lives longer than it can wait: that is no thread for one request.
func (e *Engine) outlived(u *unit) {
	t := u.thread
	t.born = nil
	for len(t.waiting) > 0 && t.waiting[0].queue != &e.bearing {
		t.waiting[0] = nil
		t.waiting = t.waiting[1:]
	}
	u.born = nil
	e.place(u)
}

// parted ties a statement to the request for which alone its thread was created.
func (e *Engine) parted(u *unit) {
	r := u.born
	u.born = nil
	if u.proc.ended {
		e.place(u)
		return
	}
	u.ready = max(u.ready, e.now)
	u.link = link{rule: verdict.LinkThread, req: r}
	if e.disagrees(u, r) {
		u.link = link{rule: verdict.LinkNone, reason: verdict.Conflict}
	}
	e.settle(u)
}
