package correlate

import (
	"tenantrace/correlate/policy"
	"tenantrace/correlate/tenantsql"
	"tenantrace/correlate/verdict"
)

// gatherKeys reads the tenants that values of key columns hold (id = 't42:17'), where the policy says so. A key that names none, or cannot be
// resolved, shows nothing.
func (u *unit) gatherKeys(by *rules, r *reading) {
	for i := range r.keys {
		if i >= len(by.Keys) {
			return
		}
		key := &by.Keys[i]
		for k := range r.keys[i].Relations {
			rel := &r.keys[i].Relations[k]
			if rel.Untouched {
				continue
			}
			if u.place(by, rel).class == policy.TableShared {
				continue
			}
			doubted := rel.Ownership == tenantsql.Foreign || rel.Ownership == tenantsql.Contested && u.anyShared(by, &r.keys[i])
			from := sourceOf(rel)
			one := unit{session: u.session}
			if !one.narrow(by, r, rel.Every, from) {
				for _, v := range rel.Values {
					one.resolve(by, r, v, from)
				}
			}
			for _, v := range rel.Assigned {
				one.resolve(by, r, v, fromWritten)
			}
			for _, o := range one.values {
				o.weak = o.weak || doubted
				if o.tenant = key.Tenant(o.tenant); o.tenant != "" && o.level != verdict.EvidenceSession {
					u.add(o)
					u.placed = u.placed || !doubted
				}
			}
		}
	}
}
