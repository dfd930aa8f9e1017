package correlate

import (
	"fmt"
	"slices"

	"tenantrace/correlate/verdict"
)

// stand is what one candidate says to what a statement shows.
type stand uint8

const (
	standNone     stand = iota // nothing: the statement shows too little
	standExplains              // all that it shows is the candidate's right
	standExempt                // an exemption covers it
	standAccuses               // it shows data of a tenant that is not the candidate's
	standUnknown               // the same, if only that name were known to be a tenant's
	standConflict              // the candidate's connection had several identities
)

// bySet tells whether a statement without an exact link may be judged by the set of its candidates.
func (e *Engine) bySet(u *unit) bool {
	return u.link.req == nil && u.set.asked && (u.link.reason == verdict.NoLink || u.link.reason == verdict.Ambiguous) &&
		e.policyOf(u.proc).VerdictRules().AllowsLink(string(verdict.LinkSet))
}

// judgeSet judges a statement by all of the requests that may have caused it: it is right if one of them explains it, and wrong only if none can.
func (e *Engine) judgeSet(u *unit, o *outcome, owned bool) {
	members := u.set.members
	if g := u.txn; g != nil && g.narrows() && u.set.lacks == "" {
		members = g.common // all of its statements have one cause
	}
	switch {
	case u.set.lacks == verdict.Loss:
		o.verdict, o.reason, o.shown = verdict.Blind, verdict.Loss, nil
		return
	case u.set.lacks != "":
		o.verdict, o.reason = verdict.Unattributed, u.set.lacks
		return
	case len(members) == 0:
		o.verdict = verdict.Background
		e.noteWork(u)
		return
	case u.roams():
		o.verdict, o.reason = verdict.Unattributed, verdict.MixedWork
		return
	}
	met, stands := e.weighed.set[:0], e.weighed.stands[:0]
	for _, r := range members {
		s := e.standingAt(r, u.written)
		switch {
		case r.lossy:
			o.verdict, o.reason, o.shown = verdict.Blind, verdict.Loss, nil
			return
		case s.reason == "" || s.id != nil && s.id.Privileged != nil:
		case r.seen.Seq != 0 && s.reason != verdict.Conflict && e.policyOf(r.proc).Ignored(r.seen.Path):
			continue // the policy says that it is none of a tenant's
		default:
			o.verdict, o.reason = verdict.Unattributed, verdict.CandidateUnknown
			return
		}
		stands, met = append(stands, s), append(met, r)
	}
	e.weighed.set, e.weighed.stands = met, stands
	if len(met) == 0 {
		o.verdict, o.reason = verdict.Unattributed, verdict.CandidateUnknown
		return
	}
	u.link = link{rule: verdict.LinkSet}
	o.set, o.stands = met, stands
	e.concludeSet(u, o, owned)
}

// concludeSet weighs what the candidates say.
func (e *Engine) concludeSet(u *unit, o *outcome, owned bool) {
	firm := u.firm(o)
	agree := func() {
		o.verdict, o.decides = verdict.OKSet, firm
		if len(e.setTenants(o)) == 1 {
			o.verdict = verdict.OKExact
		}
	}
	if e.explained(o, firm) {
		agree()
		return
	}
	var count [standConflict + 1]int
	var unknown []observed
	for i, r := range o.set {
		s, foreign := e.standOf(u, o, r, &o.stands[i])
		count[s]++
		switch s {
		case standUnknown:
			unknown = merge(unknown, foreign)
		case standAccuses:
			o.decides = merge(o.decides, foreign)
		}
	}
	switch {
	case count[standExplains] > 0:
		agree()
	case count[standExempt] > 0:
		o.verdict, o.decides = verdict.Exempt, nil
	case count[standNone] > 0:
		o.verdict, o.reason, o.decides = verdict.Unattributed, u.lack(), nil
	case count[standConflict] > 0:
		o.verdict, o.reason, o.decides = verdict.Unattributed, verdict.Conflict, nil
	case count[standUnknown] > 0 && u.gaveUp:
		o.verdict, o.reason, o.decides = verdict.Unattributed, verdict.TenantUnknown, nil
	case count[standUnknown] > 0:
		o.decides = nil
		e.hold(u, unknown)
	case u.set.loose:
		o.verdict, o.reason, o.decides = verdict.Unattributed, verdict.MixedWork, nil
	default:
		o.verdict = verdict.Violation
		o.findings = e.classifySet(u, o)
	}
}

// explained tells whether all that a statement shows is some candidate's own right: the usual case, found without further ado.
func (e *Engine) explained(o *outcome, firm []observed) bool {
	if len(firm) == 0 {
		return false
	}
	for i := range o.stands {
		id := o.stands[i].id
		if !slices.ContainsFunc(firm, func(s observed) bool {
			return !slices.Contains(id.Tenants, s.tenant) && !slices.Contains(id.Below, s.tenant)
		}) {
			return true
		}
	}
	return false
}

// standOf tells what a candidate says, and which data is none of its right.
func (e *Engine) standOf(u *unit, o *outcome, r *request, s *standing) (stand, []observed) {
	one := outcome{req: r, standing: *s}
	var foreign, accusing, known []observed
	firm, conflict := u.firm(o), false
	for _, x := range firm {
		if slices.Contains(s.id.Tenants, x.tenant) || slices.Contains(s.id.Below, x.tenant) {
			continue
		}
		foreign = append(foreign, x)
		switch {
		case x.weak:
			conflict = conflict || x.beside
			continue
		case e.everOf(r, x.tenant, u.written):
			conflict = true
			continue
		}
		accusing = append(accusing, x)
		if e.knows(u.proc, x.tenant) {
			known = append(known, x)
		}
	}
	switch {
	case len(firm) > 0 && len(foreign) == 0, s.id.Privileged != nil && e.privileged(&one, foreign):
		return standExplains, nil
	case e.exempted(u, &one):
		o.exempt, o.by = one.exempt, one.by
		return standExempt, nil
	case len(known) > 0:
		return standAccuses, known
	case len(accusing) == 0 && conflict:
		return standConflict, nil
	case len(accusing) == 0:
		return standNone, nil
	}
	return standUnknown, accusing
}

// firm is what a statement shows, without mere signs.
func (u *unit) firm(o *outcome) []observed {
	sign := func(s observed) bool { return s.level == verdict.EvidenceHeuristic }
	if !slices.ContainsFunc(o.shown, sign) {
		return o.shown
	}
	return slices.DeleteFunc(slices.Clone(o.shown), sign)
}

func merge(all, more []observed) []observed {
	for _, s := range more {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// classifySet names what is wrong with a statement that none of its candidates explains. If all of them had been answered before, it is work that
// went on after a response.
func (e *Engine) classifySet(u *unit, o *outcome) []fault {
	write, read, key := u.ways(o)
	own, foreign := e.quote(e.setTenants(o)), e.quote(tenants(o.decides))
	who := fmt.Sprintf("None of the %d requests that may have caused it has a certificate of that tenant, but of %s.", len(o.set), own)
	if len(o.set) == 1 {
		who = fmt.Sprintf("The one request that may have caused it has a certificate of tenant %s.", own)
	}
	if !slices.ContainsFunc(o.set, func(r *request) bool { return !r.answered(u.written) }) {
		return []fault{{name: TenantDrift, severity: verdict.SeverityLow, detail: fmt.Sprintf("Data of tenant %s was used. %s It had been answered.", foreign, who)}}
	}
	var faults []fault
	if write {
		faults = append(faults, fault{name: CrossTenantWrite, severity: verdict.SeverityHigh, detail: fmt.Sprintf("Data of tenant %s was written. %s", foreign, who)})
	}
	if read {
		faults = append(faults, fault{name: CrossTenantRead, severity: verdict.SeverityHigh, detail: fmt.Sprintf("Data of tenant %s was read. %s", foreign, who)})
	}
	if key && !read {
		faults = append(faults, fault{name: CrossTenantByKey, severity: verdict.SeverityHigh, detail: fmt.Sprintf("A look-up without a tenant returned a row of tenant %s. %s", foreign, who)})
	}
	return faults
}

// answered tells whether a request had its whole answer before a moment.
func (r *request) answered(at int64) bool { return r.finished != 0 && r.finished <= at }

// setTenants are the tenants of the candidates, sorted.
func (e *Engine) setTenants(o *outcome) []string {
	if o.own != nil {
		return o.own
	}
	seen := e.weighed.seen
	clear(seen)
	for i := range o.stands {
		for _, t := range o.stands[i].id.Tenants {
			if _, ok := seen[t]; !ok {
				seen[t] = struct{}{}
				o.own = append(o.own, t)
			}
		}
	}
	slices.Sort(o.own)
	return o.own
}

// weighed is room for the candidates of the statement that is being judged.
type weighed struct {
	set    []*request
	stands []standing
	seen   map[string]struct{}
}
