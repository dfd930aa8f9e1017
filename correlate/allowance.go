package correlate

import (
	"slices"
	"time"

	"tenantrace/correlate/policy"
	"tenantrace/correlate/verdict"
)

// allowance says by what a statement is exempt.
type allowance string

const (
	byPrivilege allowance = "privilege"
	byExemption allowance = "exemption"
	byHierarchy allowance = "hierarchy"
)

var allowances = [...]allowance{byPrivilege, byExemption, byHierarchy}

// exempting returns the exemption that covers a use; lapsed tells that one would which has ended.
func (e *Engine) exempting(p *process, use policy.Use) (x *policy.Exemption, lapsed bool) {
	rules := e.policyOf(p)
	if e.explainUse != nil {
		e.explainUse(use)
	}
	if x = rules.Exempt(use); x == nil {
		lapsed = rules.Lapsed(use) != nil
	}
	return x, lapsed
}

// privilegeLapsed tells whether a privilege would have covered a violation that has ended.
func (e *Engine) privilegeLapsed(o *outcome) bool {
	if o.verdict != verdict.Violation || o.standing.id == nil || o.standing.id.Ended == nil {
		return false
	}
	p := o.standing.id.Ended
	if p.Any {
		return true
	}
	var named []string
	if p.Request {
		named = e.namedBy(o.req)
	}
	return !slices.ContainsFunc(o.decides, func(s observed) bool {
		return !slices.Contains(p.Tenants, s.tenant) && !slices.Contains(named, s.tenant)
	})
}

// sayEnded says once of each allowance that it has ended, and counts those that have.
func (e *Engine) sayEnded() {
	past := e.policy.Ended(time.Unix(0, e.now).UTC())
	e.metrics.ended.Set(float64(len(past)))
	for _, allowance := range past {
		text := allowance.String()
		if !e.told[text] {
			e.told[text] = true
			if e.veil != nil { // its conditions and its reason may name tenants
				text = allowance.Short()
			}
			e.log.Warn("an allowance of the policy has ended: what it covered is judged", "allowance", text, "policy", e.policy.Hash())
		}
	}
}
