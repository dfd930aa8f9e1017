package correlate

import "tenantrace/correlate/verdict"

// group is a transaction block: all of its statements have one cause.
type group struct {
	waiting []*unit    // that no thread ties to a request
	causes  []*request // that its other statements are tied to by thread; at most two are kept
	ended   bool
	lossy   bool
	common  []*request // that may have caused each of its statements, if narrowed
	// narrowed is set when a sound set of candidates has been met.
	narrowed bool
	// lone is set when its process had no other session: then several requests may write to the one, and so in another's transaction.
	lone    bool
	by      *process // that wrote its last statement
	used    []string // tenants whose data it used
	accused bool     // one of them is not its request's
	mixed   bool     // that is reported
}

// cause notes a request that a statement of the transaction is tied to.
func (g *group) cause(r *request) {
	for _, known := range g.causes {
		if known == r {
			return
		}
	}
	if len(g.causes) < 2 {
		g.causes = append(g.causes, r)
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
	var cause *request
	causes := 0
	for _, r := range g.causes {
		if !r.detached {
			cause = r
			causes++
		}
	}
	switch causes {
	case 0:
		if g.narrows() && (u.set.lacks == "" || u.set.lacks == verdict.NoLink || u.set.lacks == verdict.Ambiguous) {
			u.set.members, u.set.lacks, u.set.asked = g.common, "", true
		}
	case 1:
		u.link = link{rule: verdict.LinkTransaction, req: cause}
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
