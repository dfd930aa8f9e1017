package correlate

import "tenantrace/correlate/verdict"

// describeSet adds to a line what its candidates have in common, and their names.
func (e *Engine) describeSet(line *verdict.Statement, o *outcome) {
	if o.set == nil {
		return
	}
	line.Candidates = make([]verdict.Candidate, 0, len(o.set))
	seen := e.weighed.seen
	clear(seen)
	for i, r := range o.set {
		tenant := o.stands[i].tenant
		if r.seen.ID == "" { // requests without a name of their own are told by their tenant
			if _, ok := seen[tenant]; ok {
				continue
			}
			seen[tenant] = struct{}{}
		}
		line.Candidates = append(line.Candidates, verdict.Candidate{ID: r.seen.ID, Tenant: tenant})
	}
	first := &o.stands[0]
	same := func(f func(i int) bool) bool {
		for i := range o.set {
			if !f(i) {
				return false
			}
		}
		return true
	}
	line.IdentityLevel = first.level
	if same(func(i int) bool { return o.stands[i].peer == first.peer && o.set[i].conn == o.set[0].conn }) {
		e.describe(line, o.set[0], *first)
		if len(o.set) > 1 {
			line.Request = nil
			line.Timeline.Request, line.Timeline.Response = 0, 0
		}
		return
	}
	if same(func(i int) bool { return o.stands[i].tenant == first.tenant }) {
		line.IdentityTenant = first.tenant
	}
}

// power is the share of a service's tenants whose data would have been taken for wrong: what a set of candidates is worth.
func (e *Engine) power(u *unit, o *outcome) float64 {
	service := e.service(u.proc)
	active := e.names.count[service]
	if active == 0 {
		return 0
	}
	allowed := 0
	own := e.setTenants(o)
	seen := e.weighed.seen
	clear(seen)
	allow := func(names []string) {
		for _, t := range names {
			if _, ok := seen[t]; ok {
				continue
			}
			seen[t] = struct{}{}
			if _, ok := e.names.seen[nameKey{service, t}]; ok {
				allowed++
			}
		}
	}
	allow(own)
	for i := range o.stands {
		id := o.stands[i].id
		allow(id.Below)
		if p := id.Privileged; p != nil {
			if p.Any || p.Request {
				return 0
			}
			allow(p.Tenants)
		}
	}
	return 1 - float64(allowed)/float64(active)
}
