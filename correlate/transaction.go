package correlate

import "tenantrace/correlate/verdict"

// group is a transaction block: all of its statements have one cause.
type group struct {
	waiting []*unit // that no thread ties to a request
	causes  []cause // that its other statements are tied to by thread or task; at most two are kept
	lossy   bool
}

// cause is a request that a statement is tied to.
type cause struct {
	req  *request
	task bool // by its task
}

// cause notes a request that a statement of the transaction is tied to.
func (g *group) cause(r *request, task bool) {
	for i := range g.causes {
		if known := &g.causes[i]; known.req == r {
			known.task = known.task || task
			return
		}
	}
	if len(g.causes) < 2 {
		g.causes = append(g.causes, cause{r, task})
	}
}

// wait keeps an answered statement until its transaction ends, or for DeferFor.
func (e *Engine) wait(g *group, u *unit) {
	g.waiting = append(g.waiting, u)
	u.group = g
	e.grouped.push(u, e.now+int64(e.limits.DeferFor))
	if e.grouped.n > e.limits.Deferred {
		e.metrics.evicted("transactions")
		e.leaveGroup(e.grouped.first())
	}
}

func (e *Engine) endGroup(g *group) {
	waiting := g.waiting
	g.waiting = nil
	for _, u := range waiting {
		if e.grouped.remove(u) {
			u.ready = max(u.ready, e.now)
			e.inherit(g, u)
		}
	}
}

// leaveGroup ends the waiting of the statement that has waited longest, and so is the first of its transaction.
func (e *Engine) leaveGroup(u *unit) {
	g := u.group
	for len(g.waiting) > 0 && g.waiting[0].queue != &e.grouped {
		g.waiting[0] = nil
		g.waiting = g.waiting[1:]
	}
	e.inherit(g, u)
}

// inherit ties a statement without a request to the one request that its transaction belongs to.
func (e *Engine) inherit(g *group, u *unit) {
	u.group = nil
	var by cause
	causes := 0
	for _, c := range g.causes {
		if !c.req.detached || c.task {
			by = c
			causes++
		}
	}
	switch causes {
	case 0:
	case 1:
		u.link = link{rule: verdict.LinkTransaction, req: by.req, task: by.task}
	default:
		u.link = link{rule: verdict.LinkNone, reason: verdict.Conflict}
	}
	if g.lossy {
		u.blind = true
	}
	e.settle(u)
}

func (e *Engine) blindGroup(g *group) {
	g.lossy = true
	waiting := g.waiting
	g.waiting = nil
	for _, u := range waiting {
		if e.grouped.remove(u) {
			u.group, u.blind = nil, true
			e.judge(u)
		}
	}
}
