package correlate

import (
	"fmt"
	"slices"
	"time"

	"tenantrace/correlate/policy"
	"tenantrace/correlate/tenantsql"
	"tenantrace/correlate/verdict"
)

// outcome is a judgement before it becomes a line.
type outcome struct {
	verdict  verdict.Verdict
	reason   verdict.Reason
	standing standing
	req      *request   // that the statement is tied to; nil none
	shown    []observed // what the statement shows
	decides  []observed // the part of it that decided
	findings []fault
	exempt   string     // why, if exempt
	set      []*request // candidates that judged it, if it was judged by them
	stands   []standing // what each concludes from its identity
	own      []string   // their tenants, once asked for
	by       allowance
}

// judge gives a statement its verdict, or holds it until a name is known.
func (e *Engine) judge(u *unit) {
	if u.link.rule == verdict.LinkSet { // it was held
		u.link = link{rule: verdict.LinkNone, reason: verdict.Ambiguous}
	}
	if e.contradicted(u) {
		u.link = link{rule: verdict.LinkNone, reason: verdict.Conflict}
	}
	o := outcome{req: u.link.req}
	if o.req != nil && o.req.detached && u.link.rule == verdict.LinkThread && u.link.task {
		u.link.rule = verdict.LinkTask
	}
	if u.link.task && u.link.rule != verdict.LinkThread && u.txn != nil && u.txn.contradicted() {
		u.link, o.req = link{rule: verdict.LinkNone, reason: verdict.Conflict}, nil
	}
	// The thread of a request with an identifier, or with a task, does not matter.
	detached := o.req != nil && o.req.detached && u.link.rule != verdict.LinkToken && !u.link.task
	if o.req != nil && (detached || o.req.lossy) {
		u.blind = u.blind || o.req.lossy && !detached
		u.link = link{rule: verdict.LinkNone, reason: verdict.Ambiguous}
		o.req = nil
	}
	if o.req != nil && !e.policyOf(u.proc).VerdictRules().AllowsLink(string(u.link.rule)) {
		u.link, o.req = link{rule: verdict.LinkNone, reason: verdict.NoLink}, nil
	}
	switch {
	case u.blind:
		o.verdict, o.reason = verdict.Blind, verdict.Loss
		u.link, o.req = link{rule: verdict.LinkNone}, nil
	case u.desync:
		o.verdict, o.reason = verdict.Unattributed, verdict.Desync
	default:
		owned := e.owned(u)
		o.shown = u.shown(owned, o.req)
		e.judgeTouched(u, &o, owned)
	}
	if o.verdict != "" {
		e.conclude(u, &o)
	}
}

// owned tells whether a statement touches a tenant-owned table.
func (e *Engine) owned(u *unit) bool {
	return u.rowOwned || u.placed || slices.ContainsFunc(u.relations, func(t tableName) bool {
		return e.class(u.session, t) == policy.TableOwned
	})
}

// shown returns the tenants that a statement shows. What the session is set to counts only where neither the text nor a row shows any. On a
// table that is not known to belong to tenants it may accuse only if the very request set it: what an earlier one left in a pooled
// session says nothing about a shared table.
func (u *unit) shown(owned bool, r *request) []observed {
	strong := slices.ContainsFunc(u.values, func(o observed) bool { return o.level != verdict.EvidenceHeuristic })
	if o := u.asRole; o.tenant != "" && (len(u.relations) > 0 || u.rowOwned) {
		o.weak, o.beside = strong || u.opaque || !owned, strong
		u.values = slices.Clip(u.values)
		if shown := append(u.values, o); strong || u.opaque || len(u.relations) == 0 {
			return shown
		}
	}
	if strong || u.opaque || len(u.relations) == 0 {
		return u.values
	}
	shown := slices.Clone(u.values)
	if o := u.asRole; o.tenant != "" {
		o.weak = !owned
		shown = append(shown, o)
	}
	for _, s := range u.scopes {
		own := r != nil && s.by == r.no
		shown = append(shown, observed{tenant: s.tenant, level: verdict.EvidenceSession, source: fromSession, weak: !owned && !own})
	}
	return shown
}

func (e *Engine) judgeTouched(u *unit, o *outcome, owned bool) {
	text := !u.unseen && !u.textCut && !u.unparsed && !u.noText // whether the absence of something proves anything
	switch {
	case u.inert, !owned && text && len(o.shown) == 0, len(u.relations) == 0 && !u.rowOwned && !u.textCut && !u.unparsed && !u.noText:
		o.verdict = verdict.NoTenant
	case u.link.background:
		o.verdict = verdict.Background
		e.noteWork(u)
	case u.link.idle:
		o.verdict, o.reason = verdict.Unattributed, u.set.lacks
		e.noteWork(u)
	case e.bySet(u):
		e.judgeSet(u, o, owned)
	case o.req == nil:
		o.verdict, o.reason = verdict.Unattributed, u.link.reason
	default:
		o.standing = e.standingAt(o.req, u.written)
		e.judgeLinked(u, o, owned)
	}
}

func (e *Engine) judgeLinked(u *unit, o *outcome, owned bool) {
	id := o.standing.id
	var foreign, accusing, known []observed
	conflict := false // a tenant is that of an identity which the connection had before, or rows and role disagree
	below := false
	firm := u.firm(o)
	for _, s := range firm {
		if id != nil && slices.Contains(id.Tenants, s.tenant) {
			continue
		}
		if id != nil && slices.Contains(id.Below, s.tenant) {
			below = true
			continue
		}
		foreign = append(foreign, s)
		if s.weak {
			conflict = conflict || s.beside
			continue
		}
		if e.everOf(o.req, s.tenant, u.written) {
			conflict = true
			continue
		}
		accusing = append(accusing, s)
		if e.knows(u.proc, s.tenant) {
			known = append(known, s)
		}
	}
	switch {
	case o.standing.reason == "" && len(firm) > 0 && len(foreign) == 0 && below:
		o.verdict, o.decides, o.exempt, o.by = verdict.Exempt, firm, "the hierarchy puts the tenant below the certificate's", byHierarchy
	case o.standing.reason == "" && len(firm) > 0 && len(foreign) == 0:
		o.verdict, o.decides = verdict.OKExact, firm
	case e.privileged(o, foreign), e.exempted(u, o):
	case o.standing.reason != "":
		o.verdict, o.reason = verdict.Unattributed, o.standing.reason
	case len(known) > 0:
		o.verdict, o.decides = verdict.Violation, known
		o.findings = e.classify(u, o)
	case len(accusing) == 0 && conflict:
		o.verdict, o.reason = verdict.Unattributed, verdict.Conflict
	case len(accusing) == 0:
		o.verdict, o.reason = verdict.Unattributed, u.lack()
	case u.gaveUp:
		o.verdict, o.reason = verdict.Unattributed, verdict.TenantUnknown
	default:
		e.hold(u, accusing)
		return
	}
	e.note(u, o, owned)
}

// lack says why a statement on a tenant-owned table shows no tenant.
func (u *unit) lack() verdict.Reason {
	switch {
	case u.unseen:
		return verdict.Unseen
	case u.textCut:
		return verdict.Cut
	case u.unparsed:
		return verdict.Unparsed
	case u.noText, u.sessionUnknown:
		return verdict.SessionUnknown
	}
	return verdict.NoEvidence
}

// privileged tells whether a privilege of the certificate covers what a statement shows beyond the certificate's own tenant.
func (e *Engine) privileged(o *outcome, foreign []observed) bool {
	if o.standing.id == nil || o.standing.id.Privileged == nil {
		return false
	}
	p := o.standing.id.Privileged
	if !p.Any {
		if len(foreign) == 0 {
			return false
		}
		var named []string
		if p.Request {
			named = e.namedBy(o.req)
		}
		for _, s := range foreign {
			if !slices.Contains(p.Tenants, s.tenant) && !slices.Contains(named, s.tenant) {
				return false
			}
		}
	}
	o.verdict, o.exempt, o.by = verdict.Exempt, p.Why, byPrivilege
	o.findings = append(o.findings, fault{name: PrivilegedAccess})
	return true
}

// exempted tells whether the policy exempts a statement.
func (e *Engine) exempted(u *unit, o *outcome) bool {
	if !e.policyOf(u.proc).Exempts() {
		return false
	}
	use := policy.Use{
		Time: time.Unix(0, u.written).UTC(), Route: o.req.seen.Path, DatabaseRole: u.session.user, Service: e.service(u.proc),
		Write: u.writes(), Fingerprint: u.fingerprint, Shown: e.shownFingerprint(u, o.standing), IdentityTenant: o.standing.tenant,
		Privileged: o.standing.id != nil && o.standing.id.Privileged != nil, Process: u.proc.asPart(), Application: u.application,
	}
	for _, t := range u.relations {
		use.Tables = append(use.Tables, t.String())
	}
	if u.does == nil || u.textCut || u.unparsed {
		use.Write = true // it may change anything
	}
	x, lapsed := e.exempting(u.proc, use)
	u.lapsed = lapsed
	if x == nil {
		return false
	}
	o.verdict, o.exempt, o.by = verdict.Exempt, fmt.Sprintf("exempt[%d]: %s", x.Index, x.Why), byExemption
	return true
}

func (u *unit) writes() bool {
	return u.tagWrites || u.does != nil && (u.does.Write || u.does.Kind == tenantsql.Merge)
}

// note keeps what later judgements of the same request need.
func (e *Engine) note(u *unit, o *outcome, owned bool) {
	r := o.req
	if len(o.shown) > 0 {
		r.sql = true
	}
	switch o.verdict {
	case verdict.OKExact:
		if !u.link.shared && (r.check == nil || u.precedes(r.check)) {
			r.check = u
		}
	case verdict.Violation:
		for _, other := range r.conn.requests {
			other.disagreed = other.disagreed || u.link.shared
		}
		r.disagreed = true
	}
	if r.touched == nil && o.verdict == verdict.Unattributed && (owned || len(o.shown) > 0) &&
		(o.reason == verdict.Unverified || o.reason == verdict.NoCertificate) {
		r.touched = u
	}
}
