package correlate

import "tenantrace/correlate/verdict"

// group is a transaction block: all of its statements have one cause.
type group struct {
	waiting []*unit // that neither thread nor task ties to a request
	causes  []cause // that its other statements are tied to by thread or task; at most two are kept
	ended   bool
	lossy   bool
	common  []*request // that may have caused each of its statements, if narrowed
	// narrowed is set when a sound set of candidates has been met.
	narrowed bool
	// lone is set when its process had no other session, or several processes wrote: then several requests may write to the one, and so in another's transaction.
	lone    bool
	by      *process // that wrote its last statement
	used    []string // tenants whose data it used
	accused bool     // one of them is not its request's
	mixed   bool     // that is reported
}

// cause is a request that a statement is tied to.
type cause struct {
	req  *request
	task bool // by its task
}

// valid tells whether the statement is still tied to it.
func (c *cause) valid() bool { return !c.req.detached || c.task }

// cause notes a request that a statement of the transaction is tied to.
func (g *group) cause(r *request, task bool) {
	for i := range g.causes {
		if known := &g.causes[i]; known.req == r {
			known.task = known.task || task
			return
		}
	}
	switch {
	case len(g.causes) < 2:
		g.causes = append(g.causes, cause{r, task})
	case g.causes[0].req.conn == g.causes[1].req.conn && g.causes[0].req.conn != r.conn:
		g.causes[1] = cause{r, task}
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
	g.ended = true
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
		if c.valid() && c.req.proc == u.proc {
			by = c
			causes++
		}
	}
	switch causes {
	case 0:
		if g.narrows() && !u.link.idle && (u.set.lacks == "" || u.set.lacks == verdict.NoLink || u.set.lacks == verdict.Ambiguous) {
			u.set.members, u.set.lacks, u.set.asked = g.common, "", true
		}
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
