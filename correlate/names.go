package correlate

import "slices"

// nameKey is a tenant's name in the name space of a service.
type nameKey struct{ service, tenant string }

// names are the tenants that are known to exist. A value in the database that none of them equals may be a name of another kind (a number
// where certificates have words): it accuses nobody.
type names struct {
	limit    int
	seen     map[nameKey]struct{} // of certificates and directories; never forgotten
	count    map[string]int       // of them, by service
	anything bool                 // every name passes for known
	waiting  map[nameKey][]*unit
}

func (n *names) init(limit int) {
	n.limit = limit
	n.seen = make(map[nameKey]struct{})
	n.count = make(map[string]int)
	n.waiting = make(map[nameKey][]*unit)
}

// knows tells whether a tenant is known to exist: by the policy for a process, or by what was seen of its service.
func (e *Engine) knows(p *process, tenant string) bool {
	if e.names.anything || e.policyOf(p).Knows(tenant) {
		return true
	}
	_, ok := e.names.seen[nameKey{e.service(p), tenant}]
	return ok
}

// learn makes a name known, and tells whether it was not before. Past the limit nothing is learned: less is judged, nothing wrongly.
func (n *names) learn(service, tenant string) bool {
	key := nameKey{service, tenant}
	if _, ok := n.seen[key]; ok || len(n.seen) >= n.limit {
		return false
	}
	n.seen[key] = struct{}{}
	n.count[service]++
	return true
}

// hold keeps a judged statement until one of the names becomes known, or for HoldFor.
func (e *Engine) hold(u *unit, unknown []observed) {
	if len(u.unknownNames) == 0 {
		u.heldAs = e.service(u.proc)
	}
	for _, s := range unknown {
		if slices.Contains(u.unknownNames, s.tenant) {
			continue
		}
		u.unknownNames = append(u.unknownNames, s.tenant)
		key := nameKey{u.heldAs, s.tenant}
		e.names.waiting[key] = append(e.names.waiting[key], u)
	}
	e.held.push(u, e.now+int64(e.limits.HoldFor))
	if e.held.n > e.limits.Held {
		e.metrics.evicted("held")
		e.giveUpName(e.held.first())
	}
}

// giveUpName judges a statement that left the queue because nobody came who has its name.
func (e *Engine) giveUpName(u *unit) {
	u.gaveUp = true
	for _, tenant := range u.unknownNames {
		e.names.trim(nameKey{u.heldAs, tenant}, &e.held)
	}
	e.judge(u)
}

// trim drops the statements that wait no longer from the front of a list: they leave in the order in which they came.
func (n *names) trim(key nameKey, held *queue) {
	list := n.waiting[key]
	for len(list) > 0 && list[0].queue != held {
		list[0] = nil
		list = list[1:]
	}
	if len(list) == 0 {
		delete(n.waiting, key)
	} else {
		n.waiting[key] = list
	}
}

// release judges the statements that waited for a name.
func (e *Engine) release(service, tenant string) {
	key := nameKey{service, tenant}
	list := e.names.waiting[key]
	delete(e.names.waiting, key)
	for _, u := range list {
		e.rejudge(u)
	}
}

// releaseKnown judges those whose names another policy knows.
func (e *Engine) releaseKnown() {
	clear(e.names.waiting) // its keys hold the service, which a policy may rename
	var ready []*unit
	for u := e.held.head; u != nil; u = u.after {
		u.unknownNames = nil
		ready = append(ready, u)
	}
	for _, u := range ready {
		e.rejudge(u)
	}
}

// rejudge judges a statement once more; its deadline stays.
func (e *Engine) rejudge(u *unit) {
	deadline := u.deadline
	if !e.held.remove(u) {
		return
	}
	u.ready = max(u.ready, e.now)
	e.judge(u)
	if u.queue == &e.held {
		e.held.restore(u, deadline)
	}
}
