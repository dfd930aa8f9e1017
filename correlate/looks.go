package correlate

import (
	"slices"

	"tenantrace/collector/event"
	"tenantrace/correlate/policy"
	"tenantrace/correlate/tenantsql"
	"tenantrace/correlate/verdict"
)

// look is a look-up of the open transaction that has shown whose the rows are that it was for: a later UPDATE or DELETE in that transaction of rows for which
// the same condition holds is of that tenant too, though neither its text nor a row of its own says so.
type look struct {
	table  tableName
	tenant string
	text   string
	by     tenantsql.Dialect
	binds  []event.Param
	count  uint64 // rows
}

// maxLooks bounds the look-ups of a transaction that are kept: the last ones are.
const maxLooks = 8

// gatherLooks keeps a look-up, or gives a change of rows the tenant that an earlier one has shown. What else may change whose the rows are, which of them the session
// sees, or which table a name means, lets look-ups be forgotten; that another transaction changes them meanwhile is not considered.
func (u *unit) gatherLooks(by *rules, r *reading, result *event.Result) {
	s := u.session
	does := r.does
	switch {
	case does == nil && r.said != nil && !r.unknown: // it runs nothing
		return
	case does == nil, does.Cut, does.Unparsed, does.Calls, len(does.Changes) > 0:
		s.forgetLooks()
		return
	}
	switch does.Kind {
	case tenantsql.Select:
		if !does.Write {
			u.keepLook(by, r, result)
			return
		}
	case tenantsql.Update, tenantsql.Delete:
		if c, ok := u.takeLook(r, result); ok && len(does.Relations[0].Assigned) == 0 {
			s.looks = slices.DeleteFunc(s.looks, func(l look) bool {
				d, ok := tenantsql.ReadCondition(l.by, l.text)
				return l.table == u.relations[0] && (!ok || c.Moves(&d))
			})
			return
		}
	case tenantsql.Insert:
	case tenantsql.Merge, tenantsql.Copy, tenantsql.RollbackTo, tenantsql.Set, tenantsql.Reset, tenantsql.Discard, tenantsql.Use, tenantsql.Other:
		s.forgetLooks()
		return
	default:
		return
	}
	for i := range does.Relations {
		rel := &does.Relations[i]
		if rel.Target {
			table := u.place(by, rel).table
			s.looks = slices.DeleteFunc(s.looks, func(l look) bool { return l.table == table })
		}
	}
}

func (s *session) forgetLooks() {
	clear(s.looks)
	s.looks = s.looks[:0]
}

// keepLook keeps a look-up in one table whose rows are all of one tenant. Where the text names the tenant, so must a later one that is to be about the same rows.
func (u *unit) keepLook(by *rules, r *reading, result *event.Result) {
	if result == nil || result.Error != "" || result.Unseen || result.Suspend || result.RowsCut || result.Count == 0 || len(result.Rows) == 0 ||
		r.text == "" || len(r.text) > maxKeptText || len(r.does.Relations) != 1 || len(u.relations) != 1 || u.scoped() {
		return
	}
	tenant, some := "", false
	for i := range result.Columns {
		if c := &result.Columns[i]; c.Table == 0 || !by.column(c.Owner) {
			continue
		}
		for _, row := range result.Rows {
			if i >= len(row) || row[i] == nil {
				return
			}
			one := policy.Normalize(*row[i])
			if one == "" || len(one) > maxTenant || some && one != tenant {
				return
			}
			tenant, some = one, true
		}
	}
	if !some {
		return
	}
	s := u.session
	if len(s.looks) == maxLooks {
		s.looks = slices.Delete(s.looks, 0, 1)
	}
	s.looks = append(s.looks, look{table: u.relations[0], tenant: tenant, text: r.text, by: s.dialect(), binds: slices.Clone(r.binds), count: result.Count})
}

// takeLook gives a change the tenant of the rows that it is about, if a look-up has shown it; with the change's condition.
func (u *unit) takeLook(r *reading, result *event.Result) (c tenantsql.Condition, ok bool) {
	s := u.session
	if len(s.looks) == 0 || result == nil || result.Error != "" || r.text == "" || len(r.does.Relations) != 1 || len(u.relations) != 1 || u.opaque || u.rows < 1 {
		return c, false
	}
	if rel := &r.does.Relations[0]; !rel.Target || rel.Heuristic || len(rel.Values) > 0 || len(rel.Every) > 0 {
		return c, false // its text says whose rows they are, or may
	}
	if c, ok = tenantsql.ReadCondition(s.dialect(), r.text); !ok {
		return c, false
	}
	for _, l := range slices.Backward(s.looks) {
		if l.table != u.relations[0] || uint64(u.rows) > l.count {
			continue
		}
		d, ok := tenantsql.ReadCondition(l.by, l.text)
		if !ok || d.Limit >= 0 && l.count >= uint64(d.Limit) {
			continue
		}
		earlier := reading{binds: l.binds}
		if c.Implies(&d, func(now, then int) bool {
			p, q := r.param(now), earlier.param(then)
			return p.known && q.known && p.text == q.text
		}) {
			u.add(observed{tenant: l.tenant, level: verdict.EvidenceRow, source: fromRow})
			return c, true
		}
	}
	return c, false
}
