package correlate

import (
	"fmt"
	"slices"
	"strings"

	"tenantrace/correlate/policy"
	"tenantrace/correlate/settings"
	"tenantrace/correlate/tenantsql"
	"tenantrace/correlate/verdict"
)

// detect adds the findings that do not rest on one statement's tenant against its certificate's: state that a session was left with, tenants that
// mix, look-ups without a tenant.
func (e *Engine) detect(u *unit, o *outcome) {
	if o.verdict == verdict.Blind || u.desync || u.session.void {
		return
	}
	e.detectCarryover(u, o)
	e.detectMixedResult(u, o)
	e.detectMixedTransaction(u, o)
	e.detectPooledState(u, o)
	e.detectUnscoped(u, o)
	e.detectShared(u, o)
}

// gatherState notes who set what names a tenant in the session: settings, the search path, the role.
func (u *unit) gatherState(by *rules) {
	u.state = slices.Clone(u.scopes)
	u.asked = by.Pooler == policy.PoolerTransaction && u.asksFor(by)
	if by.Schemas.Used() {
		schemas, _ := u.searchPath(by)
		for _, schema := range schemas {
			if tenant := by.TenantOf(schema); tenant != "" {
				u.state = append(u.state, scope{tenant, u.sessionValue(pathSetting).By})
			}
		}
	}
	if u.asRole.tenant != "" {
		u.state = append(u.state, scope{u.asRole.tenant, u.sessionValue(roleSetting).By})
	}
}

// asksFor tells whether the session, as far as it knows, is set to a tenant's state.
func (u *unit) asksFor(by *rules) bool {
	known := func(name string) (string, bool) {
		v := u.sessionValue(name)
		return v.Text, v.State == settings.Known
	}
	for i := range by.Settings {
		if text, ok := known(by.Settings[i].Name); ok && by.Settings[i].Tenant(text) != "" {
			return true
		}
	}
	if text, ok := known(roleSetting); ok && by.Roles.Used() && by.Roles.Tenant(text) != "" {
		return true
	}
	text, ok := known(pathSetting)
	if !ok || !by.Schemas.Used() {
		return false
	}
	schemas, _ := pathSchemas(text)
	return slices.ContainsFunc(schemas, func(name string) bool { return by.TenantOf(name) != "" })
}

// detectCarryover tells of a statement that was judged by what another request had set in the session, or by rows that it then came to without naming their tenant.
func (e *Engine) detectCarryover(u *unit, o *outcome) {
	if o.verdict != verdict.Violation || o.req == nil {
		return
	}
	for _, s := range o.decides {
		set := func(by func(uint64) bool) bool {
			return slices.ContainsFunc(u.state, func(x scope) bool { return x.tenant == s.tenant && by(x.by) })
		}
		if s.level != verdict.EvidenceSession && (s.source != fromRow || u.scoped()) || !set(func(no uint64) bool { return no != 0 && no != o.req.no }) || set(func(no uint64) bool { return no == o.req.no }) {
			continue
		}
		o.findings = append(o.findings, fault{name: StateCarryover, detail: fmt.Sprintf(
			"A request with the certificate of tenant %s ran under the state of tenant %s that another request had left in the database session.",
			e.quote(o.standing.id.Tenants), e.quote([]string{s.tenant}))})
		return
	}
}

// detectMixedResult tells of rows of several tenants in one result.
func (e *Engine) detectMixedResult(u *unit, o *outcome) {
	var seen []string
	for _, s := range u.values {
		if s.source == fromRow && s.level == verdict.EvidenceRow && !s.weak && e.knows(u.proc, s.tenant) && !slices.Contains(seen, s.tenant) {
			seen = append(seen, s.tenant)
		}
	}
	if len(seen) < 2 || !e.mixing(u, o, seen) {
		return
	}
	f := fault{name: MixedInResult, detail: fmt.Sprintf("One result held rows of the tenants %s.", e.quote(seen))}
	if o.req != nil {
		f.severity = verdict.SeverityCritical
	}
	o.findings = append(o.findings, f)
}

// maxUsed bounds the tenants of a transaction that are kept: the second one is reported.
const maxUsed = 8

// detectMixedTransaction tells of a transaction that used data of several tenants.
func (e *Engine) detectMixedTransaction(u *unit, o *outcome) {
	g := u.txn
	if g == nil || g.mixed || g.lossy || o.verdict == verdict.Exempt || o.verdict == verdict.Background || o.verdict == verdict.NoTenant {
		return
	}
	for _, s := range o.shown {
		if s.level != verdict.EvidenceHeuristic && !s.weak && len(g.used) < maxUsed && !slices.Contains(g.used, s.tenant) && e.knows(u.proc, s.tenant) {
			g.used = append(g.used, s.tenant)
		}
	}
	g.accused = g.accused || o.verdict == verdict.Violation
	if len(g.used) < 2 || !(o.req != nil && g.accused) && !(o.req == nil && e.mixing(u, o, g.used)) {
		return
	}
	g.mixed = true
	f := fault{name: MixedInTransaction, detail: fmt.Sprintf("One transaction used data of the tenants %s.", e.quote(slices.Sorted(slices.Values(g.used))))}
	if o.req == nil {
		f.severity = verdict.SeverityMedium
	}
	o.findings = append(o.findings, f)
}

// mixing tells whether several tenants are nobody's right to see together: the statement's own request's, or, where that is not known, that of any
// request which may have caused it.
func (e *Engine) mixing(u *unit, o *outcome, tenants []string) bool {
	switch {
	case o.req != nil:
		return o.verdict == verdict.Violation
	case u.link.rule == verdict.LinkSet && o.verdict == verdict.Violation:
		return true
	case u.set.loose, u.link.astray, u.link.idle: // most likely no request's, or that of one that is not known any more
		return false
	case o.verdict == verdict.OKSet || o.verdict == verdict.OKExact:
	case o.verdict != verdict.Unattributed || o.reason != verdict.NoLink && o.reason != verdict.Ambiguous && o.reason != verdict.MixedWork:
		return false
	}
	members := u.set.members
	if o.set != nil {
		members = o.set
	}
	if len(members) == 0 || len(members) > maxOpen {
		return false
	}
	for _, r := range members {
		s := e.standingAt(r, u.written)
		if s.reason != "" || s.id == nil || s.id.Privileged != nil || len(r.later) > 0 || r.lossy {
			return false
		}
		if !slices.ContainsFunc(tenants, func(t string) bool { return !slices.Contains(s.id.Tenants, t) && !slices.Contains(s.id.Below, t) }) {
			return false
		}
	}
	return true
}

// maxOpen bounds the requests that such a statement is compared with.
const maxOpen = 32

// detectPooledState tells of a tenant that is set for a session which a pooler shares out by transaction.
func (e *Engine) detectPooledState(u *unit, o *outcome) {
	if len(u.sets) == 0 || e.rulesOf(u.session).Pooler != policy.PoolerTransaction {
		return
	}
	for _, name := range u.sets {
		if !e.rulesOf(u.session).decides(name) {
			continue
		}
		o.findings = append(o.findings, fault{name: StateUnderPooling, scope: "setting " + name, anyTenant: true, detail: fmt.Sprintf(
			"%s was set for a session, but a pooler hands the session of the server to another client after each transaction [use SET LOCAL in the transaction].", name)})
		return
	}
}

// decides tells whether a setting decides on the tenant of a session.
func (r *rules) decides(name string) bool {
	return name == pathSetting && r.Schemas.Used() || name == roleSetting && r.Roles.Used() ||
		slices.ContainsFunc(r.Settings, func(s policy.Setting) bool { return s.Name == name })
}

// detectUnscoped tells of a look-up in a tenant's table that no tenant limits, be it in the text, a value or the session.
func (e *Engine) detectUnscoped(u *unit, o *outcome) {
	mode := e.rulesOf(u.session).Unscoped
	if mode != policy.UnscopedAggregate && mode != policy.UnscopedFinding || o.req == nil || u.does == nil || u.unseen || u.scoped() || u.sessionUnknown || len(u.scopes) > 0 || !e.owned(u) {
		return
	}
	switch u.does.Kind {
	case tenantsql.Select, tenantsql.Update, tenantsql.Delete:
	default:
		return
	}
	switch {
	case o.verdict != verdict.OKExact && o.verdict != verdict.Violation && !(o.verdict == verdict.Unattributed && o.reason == verdict.NoEvidence):
		return
	case slices.ContainsFunc(u.does.Relations, func(r tenantsql.Relation) bool { return r.Heuristic }):
		return // a predicate that guarantees nothing is there, and may be meant
	}
	var names []string
	for _, t := range u.relations {
		names = append(names, e.tableText(u, t))
	}
	f := fault{name: UnscopedLookup, anyTenant: true, detail: fmt.Sprintf("No tenant limits what was looked up in %s: neither the statement nor its session names one.", strings.Join(names, ", "))}
	if mode == policy.UnscopedFinding {
		f.anyTenant, f.severity = false, verdict.SeverityMedium
	}
	o.findings = append(o.findings, f)
}
